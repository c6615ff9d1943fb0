#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# guest.sh BUILD: the module in booted kernels, with good and bad input (bench/driver/module_test.c).
set -euo pipefail
. "$(dirname "$0")/check.sh"
build=$1
SOURCE=$("$top/harness/kernel/source.sh")
export SOURCE TARGET=uml
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

guest_programs sheafbench-driver sheafbench-init sheafbench-module-test

for v in local-trylock qpw-on slowpath slowpath-isolated slowpath-isolated-cpu; do
	"$top/harness/kernel/build.sh" tree "$v"
	"$top/harness/kernel/build.sh" link "$v" 0
	module=$("$top/harness/kernel/build.sh" module "$v")
	"$top/harness/kernel/initramfs.sh" "$scratch/$v.cpio" "$module" "$build/guest"
	boot_target uml "$scratch/$v.log" "$("$top/harness/kernel/build.sh" path "$v")/image.0" "$scratch/$v.cpio" \
		"$(variant_key "$v" cmdline) sheafbench.run=/module-test" "$scratch" 300
	passed=$(grep -ac '^ok ' "$scratch/$v.log" || true)
	grep -aE '^not ok' "$scratch/$v.log" | sed "s/^not ok/not ok - $v:/" || true
	holds "$v: the module's tests pass ($passed)" grep -aq '^sheafbench: exit 0' "$scratch/$v.log"
	holds "$v: no test failed and at least 50 were done" test "$(grep -ac '^not ok' "$scratch/$v.log")" = 0 -a "$passed" -ge 50
	expect 1 '' "$v: no splat on the console" grep -aE 'Kernel panic|Oops|BUG:|WARNING:|Call Trace' "$scratch/$v.log"
	[ "$failures" = 0 ] || tail -n 30 "$scratch/$v.log"
done
finish
