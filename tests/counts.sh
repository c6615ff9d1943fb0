#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# counts.sh BUILD: a 'make bench' that only counts. It is interrupted and continued; boots panic, hang and say BUG; mitigations
# are off; and /dev/kvm is not KVM.
set -euo pipefail
. "$(dirname "$0")/check.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
build=$1

export VARIANT_PATH=$scratch
mkdir "$scratch/variants"
cp "$top/kernel-patches/variants/"{local-trylock,null,dose-0,dose-8,qpw-on}.variant "$scratch/variants"
ln -s "$top/kernel-patches/patches" "$scratch"
# Each has the baseline's build. The last one's command line, which its console shows, has the words of a kernel's report.
variant() { printf 'title = %s\ncmdline = %s\norder = %s\n' "$2" "$3" "$4" >"$scratch/variants/$1.variant"; }
variant isolated 'an isolated CPU' 'isolcpus=1' 80
variant hangs 'a panic without an end' 'rdinit=/nothing init=/nothing panic=0' 90
variant panics 'a panic' 'rdinit=/nothing' 91
variant reports 'a report on the console' 'note="BUG: made up"' 92
# A TMPDIR of its own, so that QEMUs of others are not taken for these.
export DEADLINE=${DEADLINE:-120} KVM_DEVICE=/dev/null TMPDIR=$scratch
args=(-C "$top" --no-print-directory "BUILD=$build" "OUT=$scratch/results" 'TARGETS=kvm tcg' 'VARIANTS=isolated hangs panics reports' 'WORKLOADS=^(pair/64/1|excursion/64/(0|16)|flush-shrink/64/4/(user|fifo))$' MITIGATIONS=no)

MAKEFLAGS='' setsid env --default-signal=INT make "${args[@]}" bench >"$scratch/first.log" 2>&1 </dev/null &
leader=$!
counted() { find "$scratch/results" -path '*/counts/tcg.*.tsv' | wc -l; }
qemus() { pgrep -f "^qemu-system-x86_64 .*path=$scratch/" || true; }
mkdir "$scratch/results"
while kill -0 "$leader" 2>/dev/null && [ "$(counted)" -lt 1 ]; do sleep 0.2; done
# Interrupted during the next boot.
while kill -0 "$leader" 2>/dev/null && [ -z "$(qemus)" ]; do sleep 0.1; done
if kill -0 "$leader" 2>/dev/null; then
	kill -INT -- "-$leader"
	ok 'a bench was interrupted while it counted'
else
	cat "$scratch/first.log"
	not_ok 'the bench ended before it could be interrupted'
fi
status=0
wait "$leader" || status=$?
holds 'an interrupted bench fails' test "$status" != 0
sleep 1
left=$(qemus)
holds "no QEMU is left behind${left:+: $left}" test -z "$left"
holds 'a half result is not taken for a whole one' test ! -e "$scratch/results/latest"
# Which one it is depends on what two at once take.
first=$(find "$scratch/results" -path '*/counts/tcg.*.tsv' -printf '%f %T@\n' | sort | head -n 1)

status=0
MAKEFLAGS='' make "${args[@]}" bench >"$scratch/second.log" 2>&1 </dev/null || status=$?
cat "$scratch/second.log"
holds "a bench with failed counts does not succeed ($status)" test "$status" = 2
holds 'the same command goes on' grep -q 'going on with' "$scratch/second.log"
result=$(readlink -f "$scratch/results/latest")
[ -f "$result/summary.json" ] || { not_ok 'no complete result'; finish; }
holds "what was counted is not counted again (${first%% *})" test -n "$first" -a "$(find "$result/counts/${first%% *}" -printf '%f %T@')" = "$first"
holds 'a panic is told in its own words' grep -q '^sheafbench: counts of tcg.panics failed: .*Kernel panic' "$scratch/second.log"
holds 'a panic without an end too' grep -q '^sheafbench: counts of tcg.hangs failed: .*Kernel panic' "$scratch/second.log"
holds 'and a report on the console fails a boot that goes on' grep -q '^sheafbench: counts of tcg.reports failed: .*BUG: made up' "$scratch/second.log"
holds 'the consoles are kept' test "$(find "$result/consoles" -name 'counts.tcg.*.log' -size +1k | wc -l)" = 5
# isolcpus= needs a second CPU; the baseline's build ignores the option.
holds 'an isolated CPU is the second of two' grep -aq 'smp: Brought up 1 node, 2 CPUs' "$result/consoles/counts.tcg.isolated.log"
holds 'and counts' jq -e '[.counts[] | select(.workload == "pair/64/1") | .classes.instructions] | length == 2 and .[0] == .[1] and .[0] > 0' "$result/summary.json"
# each_adds_up FOLDER NAME: what the calls by the loop executed, one by one, is all that was executed outside of it.
each_adds_up() {
	awk -F '\t' '
		/^#/ || /^excursion/ || $3 == "(loop)" { next }
		FNR == NR { each[$1] += $4 * $5; next }
		$4 == "instructions" { all[$1] += $5 }
		END { for (w in all) { n++; if (all[w] != each[w]) exit 1 } exit !n }' "$1/each/$2.tsv" "$1/$2.tsv"
}
for name in tcg.local-trylock tcg.isolated; do
	holds "what single calls of $name execute adds up" each_adds_up "$result/counts" "$name"
done
# sixteen_pairs FILE: an excursion with 16 pairs executes 16 times what a pair does more than one without, in the kernel.
sixteen_pairs() {
	awk -F '\t' '
		/^#/ || $3 == "(loop)" || $4 != "instructions" { next }
		{ per[$1] += $5 / $2 }
		END { exit !(per["pair/64/1"] > 50 && per["excursion/64/0"] > 100 && per["excursion/64/16"] - per["excursion/64/0"] == 16 * per["pair/64/1"]) }' "$1"
}
holds 'sixteen pairs in an excursion execute what sixteen pairs do' sixteen_pairs "$result/counts/tcg.local-trylock.tsv"
holds 'flushes bring each CPU one run of a kworker, isolated or not' jq -e '[.flushes[] | select(.metric == "kworker_runs") | [.variant, .isolated, .workload, .cpus, .value]]
	| sort == [["local-trylock", false, "flush-shrink/64/4/user", 3, 1], ["local-trylock", true, "flush-shrink/64/4/user", 3, 1]]' "$result/summary.json"
holds 'CPUs are isolated in one boot of two' test "$(grep -alE 'ommand line: .* isolcpus=domain,managed_irq,1-15 nohz_full=1-15( |$)' "$result/consoles/"counts.flushes*.log | wc -l)" = 1
holds 'and what fails already is not booted for that' test "$(find "$result/consoles" -name 'counts.flushes.*.log' | wc -l)" = 2
holds 'the report: counts of panics' grep -qF -- '- counts of panics (target tcg): ' "$result/tables/warnings.md"
holds 'the report: what was left out' grep -qF -- '- Left out: target kvm: /dev/null is not KVM' "$result/report.md"
holds 'KVM is left out before anything else' grep -q '^  target kvm is left out: /dev/null is not KVM' "$scratch/second.log"
holds 'mitigations were off in the guest' grep -aq '^mitigations: .* mitigations: off' "$result/consoles/counts.tcg.local-trylock.log"
holds 'and the report says so' grep -qF '| mitigations of x86_64 | off (mitigations=off) |' "$result/tables/machine.md"
holds 'no clock is proven where none is read' jq -e '.certificate == null and all(.variants[]; .role != "dose" and .role != "null")' "$result/summary.json"
holds 'no layout was linked, nothing was timed' test ! -e "$result/boots.complete" -a -z "$(rows "$result/boots.tsv")"

expect 2 'no target can run on this machine' 'KVM alone, which is none' make -C "$top" --no-print-directory "BUILD=$build" "OUT=$scratch/results" TARGETS=kvm bench
finish
