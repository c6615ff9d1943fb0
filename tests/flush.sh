#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# flush.sh BUILD: flushes of other CPUs' sheaves in booted kernels, on uml with 2 CPUs and on x86_64 under TCG with 4 and 16.
# What these CPUs notice is what each scheme's way of flushing has to cause.
set -euo pipefail
. "$(dirname "$0")/check.sh"
build=$1
SOURCE=$("$top/harness/kernel/source.sh")
export SOURCE
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
guest_programs sheafbench-driver sheafbench-init sheafbench-module-test

# boot TARGET VARIANT CPUS WORKLOADS [ARG...]: runs the driver in that kernel; its files are in $out. EXTRA is added to the
# command line and says which CPUs are isolated.
boot() {
	local v=$2 module dir cmdline
	out=$scratch/$1-$2
	rm -rf "$out"
	mkdir -p "$out"
	"$top/harness/kernel/build.sh" tree "$v"
	"$top/harness/kernel/build.sh" link "$v" 0
	module=$("$top/harness/kernel/build.sh" module "$v")
	dir=$("$top/harness/kernel/build.sh" path "$v")
	"$top/harness/kernel/initramfs.sh" "$scratch/$1-$v.cpio" "$module" "$build/guest"
	cmdline=$(variant_key "$v" cmdline)
	[ -z "${EXTRA-}" ] || cmdline="$(unisolated <<<"$cmdline") $EXTRA"
	printf '%s\n' --workloads "$4" --samples 10 --out-json /out/run.json --out-samples /out/samples.tsv --out-counters /out/counters.tsv "${@:5}" >"$out/args"
	# Where CPUs run in parallel, QEMU 7.2 may execute an old instruction that the kernel has patched.
	boot_target "$1" "$out.log" "$dir/image.0" "$scratch/$1-$v.cpio" "$cmdline" "$out" 300 cpus="$3" turns=yes shift="${shift_of:-0}"
	holds "$1 $v: the driver ends well" grep -aq '^sheafbench: exit 0' "$out.log"
	expect 1 '' "$1 $v: no splat on the console" grep -aE 'Kernel panic|Oops|BUG:|WARNING:|Call Trace' "$out.log"
	[ -f "$out/counters.tsv" ] || { tail -n 20 "$out.log"; finish; }
}

# events WORKLOAD METRIC: events per CPU and flush, less those without a flush: the median over flushes.
events() {
	awk -F '\t' -v w="$1" -v m="$2" '$1 == w && $2 == m && $10 == "" {
		n = split($6, a, " "); split($7, b, " "); for (i = 1; i <= n; i++) print (a[i] - b[i]) / $5 }' "$out/counters.tsv" |
		sort -g | awk '{ v[NR] = $1 } END { print NR ? (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 : "none" }'
}

# noticed TARGET VARIANT N EXPECTED: checks that in each state, of each flush of one cache.
noticed() {
	local state op name
	for op in shrink barrier-on; do
		for state in idle user kernel; do
			name=flush-$op/64/$3/$state
			got=$(events "$name" kworker_runs)
			holds "$1 $2 $name: $got kworkers ran on each CPU for it" test "$got" = "$4"
			# A barrier waits for RCU, which may interrupt a CPU whatever the scheme.
			[ "$op" = shrink ] || continue
			got=$(events "$name" ipis)
			holds "$1 $2 $name: $got IPIs" awk -v got="$got" -v want="$4" 'BEGIN { exit !(want ? got >= want : got == 0) }'
		done
	done
	for state in idle user; do
		got=$(events "flush-none/64/$3/$state" kworker_runs)
		holds "$1 $2: no flush, $state: $got kworkers" test "$got" = 0
	done
}

for v in local-trylock qpw-on; do
	export TARGET=uml
	want=$([ "$v" = qpw-on ] && echo 0 || echo 1)
	boot uml "$v" 2 '^flush-[a-z-]+/64/(1$|2/)' --deadline-ms 20000
	noticed uml "$v" 2 "$want"
	holds "uml $v: what a program loses is counted" test "$(events flush-shrink/64/2/user stolen_ns)" != none
	holds "uml $v: without CONFIG_SLUB_STATS slow paths are n/a" grep -q '^flush-shrink/64/2/kernel	slow_paths	.*n/a	no allocations there, or no CONFIG_SLUB_STATS$' "$out/counters.tsv"
	holds "uml $v: a histogram of gaps" grep -qE '^# gaps flush-shrink/64/2/user( [0-9]+:[0-9]+)+$' "$out/counters.tsv"
	holds "uml $v: more CPUs than there are: no points" sh -c "! grep -q '/64/4/' '$out/samples.tsv'"
	holds "uml $v: no flush outlived its deadline" jq -e '[.benchmarks[].deadline_passed // 0] | add == 0' "$out/run.json"
	# Tasks that a SCHED_FIFO program starves run after nine tenths of a second at the earliest.
	boot uml "$v" 2 '^flush-shrink/64/2/fifo$' --deadline-ms 300
	holds "uml $v: a shrink waits for a program that never enters the kernel: $((1 - want))" \
		grep -q "^flush-shrink/64/2/fifo	deadline_passed	--deadline-ms	1	1	$want	0	0	0	\$" "$out/counters.tsv"
	# A grace period alone takes longer than a millisecond, with any scheme.
	boot uml "$v" 2 '^flush-barrier/64/2/fifo$' --deadline-ms 1
	holds "uml $v: a deadline ends the wait, and is told" grep -aq 'flush-barrier/64/2/fifo: the flush waited for 1 ms' "$out.log"
	holds "uml $v: and the counters say so" sh -c "grep -q '^flush-barrier/64/2/fifo	deadline_passed	--deadline-ms	1	1	1	0	0	0	$' '$out/counters.tsv'"
	holds "uml $v: and the runs" jq -e '.benchmarks[0].deadline_passed == 1' "$out/run.json"
	holds "uml $v: its time is there" test "$(awk -F '\t' '!/^#/ { print split($5, s, " ") }' "$out/samples.tsv")" = 1
	export TARGET=tcg
	boot tcg "$v" 4 '^flush-(none|shrink|barrier-on)/64/4/(idle|user|kernel)$'
	noticed tcg "$v" 4 "$want"
done

# A thread that uses the sheaves meanwhile may find them locked by another CPU. With the baseline it cannot: there the flush is
# a kworker of the same CPU, which has to wait. Without sheaves each operation goes to a slab.
export TARGET=uml FLAVOUR=stats
for v in local-trylock slowpath-isolated-cpu; do
	boot uml "$v" 2 '^flush-shrink/64/2/kernel$'
	if [ "$v" = local-trylock ]; then
		got=$(events flush-shrink/64/2/kernel slow_paths)
		holds "uml $v: $got slow paths for each flush" test "$got" = 0
	else
		holds "uml $v: no count of slow paths" grep -q '	slow_paths	.*n/a	no sheaves there: it goes to a slab without a flush as well$' "$out/counters.tsv"
	fi
done
unset FLAVOUR

# An isolated CPU that is measured is one of those flushed.
export TARGET=uml
boot uml slowpath-isolated-cpu 2 '^flush-(none|shrink|barrier-on)/64/2/(idle|user|kernel)$'
noticed uml slowpath-isolated-cpu 2 0

# The same number on each CPU, isolated or not; a CPU with a program also has to switch back.
export TARGET=tcg
shift_of=2
isolate="isolcpus=domain,managed_irq,1-15 nohz_full=1-15"
schemes=("local-trylock 1" "local-trylock 1 isolated" "qpw-on 0" "qpw-on 0 isolated" "slowpath-isolated 1" "slowpath-isolated 0 isolated" "qpw-isolated 1" "qpw-isolated 0 isolated" "rtu-note 1" "rtu-note 0 isolated")
# Who asks a CPU that does not come by sends work after a second.
[ "$LONG" = no ] || schemes+=("rtu-walk 1" "rtu-walk 0 isolated" "rtu-defer 1" "rtu-defer 0 isolated" "qpw-ask 1" "qpw-ask 1 isolated")
for what in "${schemes[@]}"; do
	read -r v want isolated <<<"$what"
	EXTRA="sheafbench.cpu=1 ${isolated:+$isolate}" boot tcg "$v" 16 '^flush-shrink/64/(2|4|16)/(idle|user)$'
	for n in 2 4 16; do
		for state in idle user; do
			got=$(events "flush-shrink/64/$n/$state" kworker_runs)
			holds "tcg $what, $n CPUs, $state: $got kworkers ran on each" test "$got" = "$want"
			# A CPU that its tick has just woken gets no IPI.
			got=$(events "flush-shrink/64/$n/$state" ipis)
			holds "tcg $what, $n CPUs, $state: $got IPIs for each" awk -v got="$got" -v want="$want" 'BEGIN { exit !(want ? got > 0.5 && got <= 1 : got == 0) }'
		done
	done
done
finish
