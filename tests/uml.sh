#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# uml.sh: arch/um with kernel-patches/patches/um. The fast path's code is x86's; the kernel's own tests of static keys, per-CPU
# data and slabs pass; user space keeps its GS; a task in the kernel is preempted. With 1, 2 and 4 CPUs, and with KASAN.
set -euo pipefail
. "$(dirname "$0")/check.sh"
SOURCE=$("$top/harness/kernel/source.sh")
export SOURCE TARGET=uml UM_FIDELITY=yes
build() { "$top/harness/kernel/build.sh" "$@"; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

base=$(baseline_variant)
build tree "$base"
code=$(objdump -d --no-show-raw-insn "$(build path "$base")/tree/mm/slub.o" | awk '/<kfree>:$/ { on = 1 } /^$/ { on = 0 } on')
[ "$(wc -l <<<"$code")" -ge 50 ] || not_ok 'no code of kfree in mm/slub.o'
holds 'kfree counts preemption in one instruction' grep -qE 'incl +%gs:' <<<"$code"
holds 'kfree has its per-CPU data relative to GS' grep -qE 'add +%gs:' <<<"$code"
holds 'kfree has a nop for a static key' grep -qE 'nopl +0x0\(%rax,%rax,1\)' <<<"$code"
expect 1 '' 'kfree has no address of the large code model' grep -E 'movabs|call +\*' <<<"$code"
locks=$(objdump -d --no-show-raw-insn "$(build path "$base")/tree/kernel/locking/spinlock.o")
holds 'one instruction disables interrupts' grep -qE 'orl +.0x1,%gs:' <<<"$locks"
holds 'one instruction enables interrupts and finds what is pending' grep -qE 'andl +.0xfffffffe,%gs:' <<<"$locks"

holds 'UM_FIDELITY=no is another kernel' test "$(build id "$base")" != "$(UM_FIDELITY=no build id "$base")"

# Built without the tests' sanitizers: it is the guest's first process.
gcc -static -O2 -Wall -Wextra -Werror -o "$scratch/init" "$top/tests/uml_guest.c"

# guest FLAVOUR CPUS [WORD]: boot; the console goes to $scratch/log.
guest() {
	local flavour=$1 n=$2 tree module
	FLAVOUR=$flavour build tree "$base"
	FLAVOUR=$flavour build link "$base" 0
	tree=$(FLAVOUR=$flavour build path "$base")
	rm -rf "$scratch/root"
	mkdir "$scratch/root"
	cp "$scratch/init" "$scratch/root/init"
	# Those of these tests that the flavour has.
	for module in test_static_key_base test_static_keys percpu_test slub_kunit; do
		find "$tree/tree/lib" -name "$module.ko" -exec cp {} "$scratch/root" \;
	done
	(cd "$scratch/root" && find . | cpio -o -H newc --quiet) >"$scratch/cpio"
	boot_target uml "$scratch/log" "$tree/image.0" "$scratch/cpio" "${3-}" "$scratch" 120 cpus="$n" reports=no
}

for run in prove:1 prove:2 prove:4 kasan:2 kasan:4; do
	flavour=${run%:*} n=${run#*:}
	guest "$flavour" "$n"
	what="$flavour with $n CPUs"
	before=$failures
	grep -aE '^not ok' "$scratch/log" | sed "s/^not ok/not ok - $what:/" || true
	holds "$what: came to its end" grep -aq '^uml_guest: done' "$scratch/log"
	holds "$what: has so many CPUs" grep -aq "^# $n CPUs" "$scratch/log"
	holds "$what: the kernel's tests of slabs pass" grep -aq '^ok 1 slub_test' "$scratch/log"
	if [ "$flavour" = prove ]; then least=20; else least=8; fi
	holds "$what: at least $least checks, none failed" test "$(grep -ac '^not ok' "$scratch/log")" = 0 -a "$(grep -ac '^ok - ' "$scratch/log")" -ge "$least"
	# slub_kunit provokes reports of SLUB's own; those are BUG lines without a trace of an oops.
	expect 1 '' "$what: no splat on the console" grep -aE 'Kernel panic|Oops|WARNING:|BUG: (KASAN|scheduling|sleeping|using)' "$scratch/log"
	[ "$failures" = "$before" ] || tail -n 30 "$scratch/log"
done
guest prove 2 uml_guest.wrong
holds 'a wrong GS is seen' grep -aq '^not ok - threads keep' "$scratch/log"
finish
