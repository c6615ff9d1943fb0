#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# steps.sh BUILD: the kernel boots after each patch of a series, and the module's tests pass in it. The last patch is guest.sh's.
# harness/kernel/supported.sh tells whether each patch builds without a warning, on all kernels.
set -euo pipefail
. "$(dirname "$0")/check.sh"
build=$1
SOURCE=$("$top/harness/kernel/source.sh")
export SOURCE TARGET=uml
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
guest_programs sheafbench-driver sheafbench-init sheafbench-module-test

# step VARIANT COUNT: makes a variant with the first COUNT patches of its series, and with those of its options that they have.
step() {
	local v=$1 count=$2 name=$1-$2 series patches=() options i
	series=$(variant_key "$v" series)
	mapfile -t patches < <(series_patches "$series")
	mkdir -p "$scratch/patches/$name" "$scratch/variants"
	cp "${patches[@]:0:count}" "$scratch/patches/$name"
	{
		printf 'title = %s\nseries = %s\n' "$name" "$name"
		variant_key "$v" kconfig | while read -r options; do
			i=$(grep -o 'CONFIG_[A-Z0-9_]*' <<<"$options")
			if ! grep -qxF "+config ${i#CONFIG_}" "${patches[@]}" || grep -qxF "+config ${i#CONFIG_}" "${patches[@]:0:count}"; then
				printf 'kconfig = %s\n' "$options"
			fi
		done
		printf 'cmdline = %s\n' "$(variant_key "$v" cmdline)"
	} >"$scratch/variants/$name.variant"
	printf '%s\n' "$name"
}

names=()
for v in qpw-on slowpath-isolated; do
	n=$(series_patches "$(variant_key "$v" series)" | wc -l)
	for ((i = 1; i < n; i++)); do names+=("$(step "$v" "$i")"); done
done
holds "there are steps (${#names[@]})" test "${#names[@]}" -ge 2
export VARIANT_PATH=$scratch:$VARIANT_PATH
. "$top/harness/request/variants.sh"

for v in "${names[@]}"; do
	expect 0 '' "$v builds" "$top/harness/kernel/build.sh" tree "$v"
	"$top/harness/kernel/build.sh" link "$v" 0
	module=$("$top/harness/kernel/build.sh" module "$v")
	"$top/harness/kernel/initramfs.sh" "$scratch/$v.cpio" "$module" "$build/guest"
	boot_target uml "$scratch/$v.log" "$("$top/harness/kernel/build.sh" path "$v")/image.0" "$scratch/$v.cpio" \
		"$(variant_key "$v" cmdline) sheafbench.run=/module-test" "$scratch" 300
	holds "$v boots and the module's tests pass" grep -aq '^sheafbench: exit 0' "$scratch/$v.log"
	expect 1 '' "$v: no splat on the console" grep -aE 'Kernel panic|Oops|BUG:|WARNING:|Call Trace' "$scratch/$v.log"
	[ "$failures" = 0 ] || tail -n 30 "$scratch/$v.log"
done
finish
