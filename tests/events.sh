#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# events.sh BUILD: the counters of a simulated result, and the events of its flushes, in its summary, its report and its reply.
# shellcheck disable=SC2016 # jq's own variables
set -euo pipefail
. "$(dirname "$0")/check.sh"
PATH=$(cd "$1" && pwd):$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

make_result r >/dev/null
sheafstat summarize --resamples 100 r >/dev/null
holds 'a result of before there were counters has none' jq -e '.counters == []' r/summary.json
sheafreport report r >/dev/null
holds 'and its report has no page on them' test ! -e r/tables/counters.md

# 190 instructions at 2 cycles each; qpw-n has 23 more in odd layouts and 25 in even ones. The loop's 6 are taken out, and
# repetitions with an interrupt do not count.
mkdir -p r/counters
for f in r/samples/*.tsv; do
	stem=$(basename "$f" .tsv)
	layout=${stem#*.l} layout=${layout%%.*} n=196
	[ "${stem%%.*}" != qpw-n ] || n=$((196 + (10#$layout % 2 ? 23 : 25)))
	{
		printf '# sheafbench-counters 2\n# table t pmu p nmi_watchdog off passes 1\n*\tlocked_ops\tn/a\tn/a\tn/a\tn/a\tn/a\tn/a\tn/a\tno such event\n'
		printf 'pair/64/1\tcore_cycles\tp::C\t1\t1000\t%d %d %d\t500 500 500\t6900 6900 6900\t900 900 900\t\n' $((2 * n * 1000 - 5500)){,} 999999
		printf 'pair/64/1\tinstructions\tp::I\t1\t1000\t%d %d %d\t500 500 7000\t66000 6900 6900\t900 900 900\t\n' $((n * 1000 + 500)){,} 999999
		printf 'pair/64/1\tperf_instructions\tinstructions:k\t2\t1000\t%d %d %d\t500 500 7000\t66000 6900 6900\t900 900 900\t\n' $((n * 1000 + 750)){,,}
		printf 'pair/64/8\tinstructions\tp::I\t1\tn/a\tn/a\tn/a\tn/a\tn/a\tmultiplexed\n'
	} >"r/counters/$stem.tsv"
done
jq '.counters = "counted: instructions core_cycles; n/a: locked_ops (no such event)"' r/environment.json >e.json && mv e.json r/environment.json
expect 0 '' 'a summary with counters' sheafstat summarize --resamples 100 r
one() { jq -c --arg m "$1" --arg v "$2" '.counters[] | select(.workload == "pair/64/1" and .metric == $m and .variant == $v)' r/summary.json; }
layouts=$(find r/samples -name 'qpw-n.l*' ! -name 'qpw-n.l00.*' | sed 's/.*\.\(l[0-9]*\)\..*/\1/' | sort -u | wc -l)
base=$(jq -r '.variants[] | select(.role == "baseline").name' r/summary.json)
holds "the baseline's value: $(one instructions "$base")" jq -en --argjson a "$(one instructions "$base")" --argjson n "$layouts" \
	'$a.value == 190 and $a.effect == null and $a.ci95 == [190, 190] and $a.layouts == $n'
holds "an effect and its interval: $(one instructions qpw-n)" jq -en --argjson a "$(one instructions qpw-n)" \
	'$a.effect > 23 and $a.effect < 25 and $a.effect_ci95[0] < 24 and $a.effect_ci95[1] > 24'
holds 'instructions per cycle of one pass' jq -en --argjson a "$(one instructions_per_cycle "$base")" '($a.value - 190 / 380) | fabs < 1e-9'
holds 'what has a reason has no value' jq -e '[.counters[] | select(.workload == "pair/64/8" or .metric == "locked_ops")] == []' r/summary.json
sheafreport report r >/dev/null
expect 0 '^\| '"$base"' \| 190.00 \[190.00, 190.00\] \| 380.00 ' 'the report has a table' cat r/tables/counters.md
expect 0 "^pair/64/1,$base,190,190,190,380,380,380,0.5," 'also for programs' cat r/tables/counters.csv
expect 0 '^\| '"$base"' \| instructions \| 190.00 \| 190.25 \|' "perf stat's count is beside ours" cat r/tables/counters.md
expect 0 'locked_ops \(no such event\)' 'and the reason of what is missing' cat r/tables/counters.md
jq '.counters = "n/a: no PMU in this guest"' r/environment.json >e.json && mv e.json r/environment.json
rm -r r/counters
sheafstat summarize --resamples 100 r >/dev/null
sheafreport report r >/dev/null
expect 0 '^n/a: no PMU in this guest\.$' 'without a PMU the report names the reason' cat r/tables/counters.md

mkdir r/counters
bad() {
	printf '# sheafbench-counters 2\n%b\n' "$1" >"r/counters/$(basename "$f")"
	expect 1 "$(basename "$f"):2: no line of counters" "refused: $1" sheafstat summarize --resamples 100 r
}
bad 'pair/64/1\tinstructions'
bad 'pair/64/1\tinstructions\tI\t1\t0\t1\t1\t1\t1\t'
bad 'pair/64/1\tinstructions\tI\t1\t1000\t1 2\t1\t1 2\t1 2\t'
bad 'pair/64/1\tinstructions\tI\t1\t1000\t1 x\t1 1\t1 1\t1 1\t'
bad 'pair/64/1\tinstructions\tI\t1\t1000\t5\t1\t'
bad 'pair/64/1\tinstructions\tI\t1\tn/a\tn/a\tn/a\tn/a\tn/a\t'
bad 'pair/64/1\tinstructions\tI\t1\t1000\t5\t1\t1\t1\ta reason'
rm -r r/counters

# With the baseline two kworkers run on each CPU, except in one flush of five; with qpw-n, on isolated CPUs, one per three CPUs.
mkdir -p r/counts/flushes/isolated
flushed() {
	printf '# sheafbench-counters 2\n' >"r/counts/flushes/$1"
	printf 'flush-shrink/64/%d/user\t%s\tsource\t1\t%d\t%s\t%s\t0 0 0 0 0\t0 0 0 0 0\t\n' "${@:2}" >>"r/counts/flushes/$1"
}
flushed "tcg.$base.tsv" 2 kworker_runs 1 '2 2 0 2 2' '0 0 0 0 0' 2 ipis 1 '4 4 4 4 4' '1 1 1 1 1' 2 switches 1 '5 5 5 5 5' '0 0 0 0 0' \
	16 kworker_runs 15 '31 31 31 31 31' '1 1 1 1 1' 16 ipis 15 '45 45 45 45 45' '0 0 0 0 0' 16 switches 15 '75 75 75 75 75' '0 0 0 0 0'
flushed isolated/tcg.qpw-n.tsv 16 kworker_runs 15 '5 5 5 5 5' '0 0 0 0 0'
expect 0 '' 'a summary with the growth of flushes' sheafstat summarize --resamples 100 r
grown() { jq -en --argjson a "$(jq -c --arg v "$1" '[.flushes[] | select(.variant == $v)]' r/summary.json)" "\$a | $2"; }
holds 'per flush and CPU' grown "$base" 'length == 6 and .[3] == {target: "tcg", workload: "flush-shrink/64/16/user", variant: .[0].variant, isolated: false, metric: "kworker_runs", cpus: 15, value: 2}'
holds 'isolated ones apart' grown qpw-n '.[0].isolated and .[0].cpus == 15 and ((.[0].value - 1 / 3) | fabs < 1e-9)'
sheafreport report r >/dev/null
expect 0 "^\| $base \| housekeeping \| 1 \| 2 \| 3 \| 5 \|\$" 'the report has what all CPUs notice' cat r/tables/flushes.md
expect 0 "^\| $base \| housekeeping \| 15 \| 30 \| 45 \| 75 \|\$" 'also of more of them' cat r/tables/flushes.md
expect 0 '^\| qpw-n \| isolated \| 15 \| 5 \| n/a \| n/a \|$' 'and n/a where nothing was counted' cat r/tables/flushes.md
# A number that no machine has is told as it is.
printf '# sheafbench-counters 2\nflush-shrink/64/2/user\tipis\tx\t1\t4294967295\t5\t1\t0\t0\t\n' >"r/counts/flushes/tcg.$base.tsv"
expect 0 '' 'more CPUs than an int holds' sheafstat summarize --resamples 100 r
holds 'are as many in the summary' grown "$base" '$a[0].cpus == 4294967295'
printf '# sheafbench-counters 2\nflush-shrink/64/2/user\tipis\n' >"r/counts/flushes/tcg.$base.tsv"
expect 1 "tcg.$base.tsv:2: no line of counters" 'a broken one is refused' sheafstat summarize --resamples 100 r
finish
