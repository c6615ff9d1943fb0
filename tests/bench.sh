#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# bench.sh BUILD: a small but whole 'make bench' with real kernels. It is interrupted and continued, and one variant panics. Then
# its numbers are computed from the raw samples once more, in another way.
set -euo pipefail
. "$(dirname "$0")/check.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
build=$1

# Where numbers have a decimal comma the same comes out, and in a folder whose name other programs could take for something else.
localedef -i de_DE -f UTF-8 "$scratch/de_DE.UTF-8" 2>/dev/null || true
german=(env LOCPATH="$scratch" LC_ALL=de_DE.UTF-8 LANG=de_DE.UTF-8)
# shellcheck disable=SC2016 # the other shell's
holds 'there is a locale with a decimal comma' test "$("${german[@]}" bash -c 'echo "${EPOCHREALTIME//[0-9]/}"')" = ,
results=$scratch/re+sults@1.0
export VARIANT_PATH=$scratch TMPDIR=$scratch/t+m@p
mkdir "$TMPDIR"
cp -r "$top/kernel-patches/variants" "$scratch"
ln -s "$top/kernel-patches/patches" "$scratch"
# Without the gate: on a busy machine there might be too few quiet samples for a value.
for f in "$scratch"/variants/*.variant; do printf 'args = --no-gate\n' >>"$f"; done
# The baseline's build without an init: it panics at the end of its boot.
printf 'title = a kernel that panics\nseries = qpw\nkconfig = CONFIG_QPW=y\ncmdline = rdinit=/nowhere root=none\norder = 90\n' >"$scratch/variants/panics.variant"
# A precision that nothing reaches: layouts are added, once, up to the cap.
args=(-C "$top" --no-print-directory "BUILD=$build" "OUT=$results" LAYOUTS=2 BOOTS=2 PRECISION=0.0001 MOST=4 SAMPLES=60 "VARIANTS=qpw-on slowpath panics"
	'WORKLOADS=^(pair/(64|256)/1|(alloc|free)/64/(1|32/lifo))$')

# Ctrl-C after two boots: the whole process group gets the signal, as from a terminal.
MAKEFLAGS='' setsid env --default-signal=INT "${german[@]}" make "${args[@]}" bench >"$scratch/first.log" 2>&1 </dev/null &
leader=$!
done_boots() { cat "$results"/*.part/boots.tsv 2>/dev/null | grep -vc '^#' || true; }
while kill -0 "$leader" 2>/dev/null && [ "$(done_boots)" -lt 2 ]; do sleep 0.2; done
before=$(done_boots)
if kill -0 "$leader" 2>/dev/null; then
	kill -INT -- "-$leader"
	ok "a bench was interrupted after $before boots"
else
	cat "$scratch/first.log"
	not_ok "the bench ended before two boots were done"
fi
status=0
wait "$leader" || status=$?
holds 'an interrupted bench fails' test "$status" != 0
expect 0 'interrupted: the same command goes on from here' 'and says how it goes on' cat "$scratch/first.log"
sleep 1
# All that was started has this test's environment, which tells it from another bench on this machine.
left=$(env -u VARIANT_PATH grep -la "VARIANT_PATH=$scratch" /proc/[0-9]*/environ 2>/dev/null || true)
holds "no kernel is left behind${left:+: $left}" test -z "$left"
if compgen -G "$results/*.part" >/dev/null && [ ! -e "$results/latest" ]; then
	ok 'a half result is not taken for a whole one'
else
	not_ok "results after the interrupt: $(ls "$results")"
fi
kept=$(grep -v '^#' "$results"/*.part/boots.tsv)
! grep -q '	ok	' <<<"$kept" || expect 0 'failed: run: interrupted, with [0-9]* of [0-9]* boots done' 'what there is so far is in a report' cat "$results"/*.part/report.md
# As a full disk or a power cut leaves it.
printf '7\tqpw-on\t1' >>"$(echo "$results"/*.part/boots.tsv)"

status=0
MAKEFLAGS='' "${german[@]}" make "${args[@]}" bench >"$scratch/second.log" 2>&1 </dev/null || status=$?
tail -n 40 "$scratch/second.log"
holds "a bench with a failed variant does not succeed ($status)" test "$status" = 2
holds 'the same command goes on' grep -q 'going on with' "$scratch/second.log"
for what in 'variant panics' 'counts of tcg.panics' 'counts of uml.panics'; do
	holds "the panic is told with its own words: $what" grep -q "^sheafbench: $what failed: .*Kernel panic" "$scratch/second.log"
done

result=$(readlink -f "$results/latest")
[ -f "$result/summary.json" ] || { not_ok 'no complete result'; finish; }
holds 'boots that were done are not done again' \
	test "$(grep -v '^#' "$result/boots.tsv" | head -n "$(wc -l <<<"$kept")")" = "$kept"
for f in report.md report.html tables/effects.csv reply.txt reply.eml environment.json layouts.tsv; do
	holds "$f is there" test -s "$result/$f"
done
holds 'plots are there' test "$(find "$result/plots" -name '*.svg' | wc -l)" -ge 4
long=$(awk 'length > 72' "$result/reply.txt")
holds "reply.txt has 72 columns${long:+: $long}" test -z "$long"
expect 1 '' 'reply.txt is ASCII' env LC_ALL=C grep -P '[^\x00-\x7f]' "$result/reply.txt"

holds 'targets that are for who asks for them are left out' jq -e '([.left_out[] | select(startswith("target arm64: ") or startswith("target tcg-rt: "))] | length) == 2' "$result/environment.json"
holds 'layouts were added up to the cap' grep -q 'wanted 0.0001: 4 layouts' "$scratch/second.log"
holds 'the environment has their number, and what the host took' jq -e '.layouts == 4 and .steal_ppm >= 0' "$result/environment.json"
holds 'what uml cannot count is n/a, with the reason' jq -e '.counters == "n/a: this kernel has no performance events"' "$result/environment.json"
holds 'and so says the report' grep -q '^n/a: this kernel has no performance events' "$result/tables/counters.md"
holds 'the first ones are the same' test "$(rows "$result/plan.tsv" | awk -F "$rs" '$3 <= 2 { n = $1 + 1 } $3 > 2 && !first { first = $1 + 0 } END { print n == first }')" = 1

# The 5 % quantile of one boot, by sort and awk, after each warm-up of up to 30 samples. A layout has the least of its boots.
by_hand() {
	local skip
	for ((skip = 0; skip <= 30; skip++)); do
		awk -F '\t' -v w="$2" -v skip="$skip" \
			'$1 == w { n = split($5, s, " "); for (i = skip + 1; i <= n; i++) print (s[i] - $3) / $2 }' "$1" | sort -g |
			awk '{ v[NR] = $1 } END { h = (NR - 1) * 0.05; k = int(h); printf "%.4f\n", v[k + 1] + (h - k) * (v[k + 2] - v[k + 1]) }'
	done
}
told_by_hand() {
	local b told=$1 stem=$2 found=no
	[ -n "$told" ] || return
	for b in 0 1; do
		by_hand "$stem.b0$b.tsv" "$3" | awk -v told="$told" '$1 > told - 1e-3 { n++ } END { exit !n }' || return
		! by_hand "$stem.b0$b.tsv" "$3" | awk -v told="$told" '{ d = $1 - told } d * d < 1e-6 { n++ } END { exit !n }' || found=yes
	done
	[ "$found" = yes ]
}
for v in local-trylock qpw-on; do
	for w in pair/64/1 alloc/64/32/lifo; do
		for l in 1 2; do
			told=$(jq -r --arg v "$v" --arg w "$w" --argjson l "$l" \
				'.values[] | select(.variant == $v and .workload == $w) | .per_layout[] | select(.layout == $l) | .value' "$result/summary.json")
			holds "$v $w layout $l: $told in the summary is so by hand" told_by_hand "$told" "$result/samples/$v.l0$l" "$w"
		done
	done
done
expect 1 '' 'the second boot of a layout is of what has a verdict' grep -lE '^(pair/256/1|alloc/64/1)	' "$result"/samples/{local-trylock,qpw-on,slowpath}.l0[1-4].b01.tsv
holds 'and the first of all' grep -qE '^pair/256/1	' "$result/samples/qpw-on.l01.b00.tsv"
holds 'the certificate has its parts' jq -e '.certificate | (.null.comparisons > 0) and .gate == null and .noise.ppm >= 0 and .warmup.runs > 0 and .timer_step > 0' "$result/summary.json"
holds 'the doses are compared with their frame' jq -e '[.effects[] | select(.variant == "dose-16" and .baseline == "dose-0")] | length == 2' "$result/summary.json"
holds 'the stock layout is shown and has no part in the average' jq -e '[.values[] | select(.variant == "local-trylock")][0] | .stock > 0 and ([.per_layout[].layout] | index(0) | not)' "$result/summary.json"
certified=$("$build/sheafstat" certify --group 4 -o "$scratch/certify.json" "$result") || true
printf '%s\n' "$certified"
holds 'certify compares the null in groups of layouts' jq -e '.groups == 1 and .null.comparisons == .workloads and (.estimators | length > 4)' "$scratch/certify.json"
holds 'effects have intervals over layouts' jq -e \
	'[.effects[] | select(.variant == "slowpath" and .workload == "pair/64/1")][0] | .layouts >= 2 and (.ci95 | length == 2)' \
	"$result/summary.json"

# A step that fails does not stop the others, and the report says what is missing and why.
mkdir "$scratch/broken"
small=("${args[@]:0:2}" "BUILD=$build" "OUT=$scratch/broken/results" SAMPLES=20 VARIANTS=none 'WORKLOADS=^pair/64/1$')
# without STATUS PROGRAM... -- VALUE...: a bench where these fail.
without() {
	local want=$1 program programs=() status=0
	shift
	while [ "$1" != -- ]; do programs+=("$1") && shift; done
	for program in "${programs[@]}"; do
		printf '#!/bin/sh\necho "error: %s is broken" >&2\nexit 3\n' "$program" >"$scratch/broken/$program"
		chmod +x "$scratch/broken/$program"
	done
	rm -rf "$scratch/broken/results"
	PATH=$scratch/broken:$PATH MAKEFLAGS='' make "${small[@]}" "${@:2}" bench >"$scratch/broken.log" 2>&1 </dev/null || status=$?
	(cd "$scratch/broken" && rm "${programs[@]}")
	holds "without ${programs[*]} the bench ends (status $status)" test "$status" = "$want"
	holds "without ${programs[*]} there is a result" test "$(find "$scratch/broken/results/latest/" -maxdepth 1 -name 'report.md' -o -maxdepth 1 -name reply.txt -o -maxdepth 1 -name summary.json | wc -l)" = 3
	[ "$failures" = 0 ] || tail -n 15 "$scratch/broken.log"
}
says() { expect 0 "$1" "and the report says so: $1" find "$scratch/broken/results/latest/" -name '*.md' -exec cat {} +; }
without 2 gnuplot llvm-mca -- LAYOUTS=1 BOOTS=1 'TARGETS=uml tcg'
says 'failed: plots: gnuplot [a-z, .-]*gp failed'
says 'failed: estimates of (tcg|uml).local-trylock: llvm-mca cannot read'
without 2 qemu-system-x86_64 -- LAYOUTS=1 BOOTS=1 'TARGETS=uml tcg'
says 'counts of local-trylock \(target tcg\)'
holds 'without QEMU there are plots' test -s "$scratch/broken/results/latest/plots/effects.png"
# No kernel here has events for perf. With more than 8 layouts there is an answer after the first 4.
without 0 perf -- LAYOUTS=9 BOOTS=2 TARGETS=uml
holds 'an answer is told after 4 of 9 layouts' grep -q 'so far, with 4 of 9 layouts' "$scratch/broken.log"
plan=$(readlink -f "$scratch/broken/results/latest")/plan.tsv
holds 'with one boot each, and then a second one of all' test "$(rows "$plan" | awk -F "$rs" '$2 == "local-trylock" && $3 { n[$4]++; if ($3 <= 4 && !$4 && $1 > first) first = $1; if ($4 && (!second || $1 < second)) second = $1 } END { print n[0], n[1], first < second }')" = '9 9 1'
holds 'and in the end there are 9' jq -e '.layouts == 9 and (.left_out | all(startswith("failed: ") | not))' "$scratch/broken/results/latest/environment.json"
rm -rf "$scratch/broken/results"

unset VARIANT_PATH TMPDIR
status=0
MAKEFLAGS='' make -C "$top" --no-print-directory "BUILD=$build" "OUT=$scratch/results" LAYOUTS=1 BOOTS=1 SAMPLES=20 peers >"$scratch/peers.log" 2>&1 </dev/null || status=$?
tail -n 25 "$scratch/peers.log"
holds "make peers ($status)" test "$status" = 0
holds 'each of the loops met the doses' test "$(cut -f 1 "$scratch/results/peers/peers.tsv" | sort -u | grep -c '^peer-.*/64/1$')" = 7
holds 'and has a plot' test -s "$scratch/results/peers/plots/peers.png"
finish
