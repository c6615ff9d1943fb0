#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# bench_driver.sh BUILD: the driver's command line and the initramfs, without a guest.
set -euo pipefail
. "$(dirname "$0")/check.sh"
build=$1
driver=$build/sheafbench-driver
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

expect 0 '^usage: ' 'help' "$driver" --help
expect 0 '^pair/64/1$' 'list' "$driver" --list
expect 0 '^batch-free/8192/2048/shuffled$' 'list goes to the end' "$driver" --list
"$driver" --list >"$scratch/all"
holds 'names follow the format' sh -c "! grep -vE '^(([a-z]+-)?(alloc|free|pair)|rcu-fallback|peer-[a-z]+(-[0-9]+)?)/[0-9]+/(1|[0-9]+/(lifo|fifo|shuffled))$|^(alloc|free|pair)-spaced/[0-9]+/(0|8|24|64)$|^excursion/[0-9]+/[0-9]+$|^excursion-caches/64/(1|8|32)/of-[0-9]+$|^flush-(none|shrink|destroy|barrier|barrier-on)/(64|1024)/(1|[0-9]+/(idle|user|kernel|fifo))$' '$scratch/all'"
holds 'no name stands twice' sh -c "[ -z \"\$(sort '$scratch/all' | uniq -d)\" ]"
holds 'a workload has the sizes that it allows' sh -c "! grep -E '^(page-[a-z]+/(8|2048|8192)|rcu-[a-z]+/8|peer-[a-z]+/128)/' '$scratch/all'"
holds 'excursions by their pairs' test "$("$driver" --list --workloads '^excursion/64/' | paste -sd ' ')" = 'excursion/64/0 excursion/64/1 excursion/64/4 excursion/64/16 excursion/64/64 excursion/64/256 excursion/64/1024 excursion/64/4096'
holds 'and by the caches that they use, of how many' test "$("$driver" --list --workloads '^excursion-caches/64/8/' | paste -sd ' ')" = 'excursion-caches/64/8/of-32 excursion-caches/64/8/of-100 excursion-caches/64/8/of-300'
expect 2 'matches nothing' 'which enter the kernel with interrupts on' "$driver" --list --irq-off --workloads '^excursion/64/16$'
holds 'one part of a batch alone' sh -c "[ \"\$('$driver' --list --workloads '^batch-free/64/32/fifo\$')\" = batch-free/64/32/fifo ]"
for pattern in '^pair/' '/1$' '^(alloc|free)/(8|16)/' 'lifo|fifo'; do
	holds "$pattern means what it means to grep -E" cmp <(grep -E -- "$pattern" "$scratch/all") <("$driver" --list --workloads "$pattern")
done

# one_line STATUS PATTERN ARGUMENT...: refused with one line
one_line() {
	local status=$1 pattern=$2 got=0 text
	shift 2
	text=$("$driver" "$@" 2>&1) || got=$?
	if [ "$got" = "$status" ] && [ "$(wc -l <<<"$text")" = 1 ] && grep -qE -- "$pattern" <<<"$text"; then
		ok "refused: $*"
	else
		not_ok "$*: status $got, text '$text'"
	fi
}
one_line 2 'regular expression' --list --workloads '('
one_line 2 'matches nothing; --list' --workloads 'no such workload'
one_line 2 'from 1 to 65536' --samples 0
one_line 2 'from 1 to 65536' --samples 65537
one_line 2 'from 1 to 65536' --samples -1
one_line 2 'from 1 to 65536' --samples 4x
one_line 2 'from 1 to 65536' --samples ''
one_line 2 'from 1 to 131072' --ops 0
one_line 2 'whole number' --seed x
one_line 2 'whole number' --seed 18446744073709551616
one_line 2 'CPU 1023' --cpu 1023
one_line 2 'KEY=TEXT' --context novalue
one_line 2 "own" --context host_name=x
one_line 2 "is no option" list
one_line 2 "'instructionz' is not known; nearest: INSTRUCTIONS, " --events instructionz --event-sets "$top/harness/counters/events"
one_line 2 "no event sets in $scratch" --events auto --event-sets "$scratch"
one_line 2 'bare or empty' --calls both
one_line 2 "'--bogus' is no option, .*--help" --list --bogus
one_line 2 "'--calls' is no option, or lacks its argument" --list --calls
one_line 2 "'--list=x' is no option" --list=x
one_line 1 'load sheafbench.ko' --device "$scratch/none" --out-json "$scratch/j" --out-samples "$scratch/s"
one_line 1 'not sheafbench' --device /dev/null --out-json "$scratch/j" --out-samples "$scratch/s"
holds 'nothing is left behind by a refusal' sh -c "[ ! -e '$scratch/j' ] && [ ! -e '$scratch/s' ] && [ ! -e '$scratch/s.part' ]"
expect 2 'first process' 'init is for guests only' "$build/sheafbench-init"

# Any file can stand in for the module in the archive.
head -c 1000 /dev/zero >"$scratch/module.ko"
initramfs() { "$top/harness/kernel/initramfs.sh" "$@"; }
holds 'initramfs' initramfs "$scratch/a/one.cpio" "$scratch/module.ko" "$build"
touch "$scratch/module.ko"
holds 'initramfs again' initramfs "$scratch/two.cpio" "$scratch/module.ko" "$build"
holds 'the same input gives the same bytes' cmp "$scratch/a/one.cpio" "$scratch/two.cpio"
for file in init driver module-test sheafbench.ko events/software.events libbenchmark libpfm ld-linux libstdc++; do
	holds "it has $file" sh -c "cpio -t --quiet <'$scratch/two.cpio' | grep -qF '$file'"
done
holds 'nothing half-written stays' sh -c "! ls '$scratch'/*.part 2>/dev/null"
expect 2 'no .*/none.ko; build' 'a module that is not there' initramfs "$scratch/three.cpio" "$scratch/none.ko" "$build"
holds 'initramfs with a program more' initramfs "$scratch/four.cpio" "$scratch/module.ko" "$build" /bin/sh
holds 'it has that as perf' sh -c "cpio -t --quiet <'$scratch/four.cpio' | grep -qx perf"
# perf is large, so only guests that call it have it.
mkdir "$scratch/bin"
cp /bin/true "$scratch/bin/perf"
# carries ARG...: the files in an initramfs for x86_64, made by guest_initramfs with ARG.
carries() {
	(export PATH=$scratch/bin:$PATH BUILD=$build TARGET=kvm && guest_initramfs "$scratch/five.cpio" "$scratch/module.ko" "$@") &&
		cpio -t --quiet <"$scratch/five.cpio" >"$scratch/list"
}
EVENTS=none holds 'a guest that counts nothing carries what it needs' carries
EVENTS=none expect 1 '' 'and no perf' grep -x perf "$scratch/list"
EVENTS=none holds 'one to be profiled carries the same' carries perf
holds 'and perf' grep -qx perf "$scratch/list"
expect 2 'usage' 'initramfs without arguments' initramfs
finish
