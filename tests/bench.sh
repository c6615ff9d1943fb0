#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# A whole small 'make bench' through real kernels: interrupted and gone on with, with one
# variant that panics; then its numbers against the raw samples, by another way of counting.
set -euo pipefail
. "$(dirname "$0")/check.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
build=$1

export VARIANT_DIR=$scratch/variants
cp -r "$top/kernel-patches/variants" "$VARIANT_DIR"
# The baseline's build without an init: it panics at the end of its boot.
printf 'title = a kernel that panics\nseries = qpw\nkconfig = CONFIG_QPW=y\ncmdline = rdinit=/nowhere root=none\norder = 90\n' >"$VARIANT_DIR/panics.variant"
args=(-C "$top" --no-print-directory "BUILD=$build" "OUT=$scratch/results" LAYOUTS=2 BOOTS=1 SAMPLES=60
	'WORKLOADS=^(pair/(64|256)/1|(alloc|free)/64/(1|32/lifo))$')

# Ctrl-C after two boots: the whole process group gets the signal, as from a terminal.
MAKEFLAGS='' setsid make "${args[@]}" bench >"$scratch/first.log" 2>&1 </dev/null &
leader=$!
done_boots() { cat "$scratch"/results/*.part/boots.tsv 2>/dev/null | grep -vc '^#' || true; }
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
sleep 1
left=$(pgrep -fa "$CACHE/kernels/[^ ]*/image" || true)
holds "no kernel is left behind${left:+: $left}" test -z "$left"
if compgen -G "$scratch/results/*.part" >/dev/null && [ ! -e "$scratch/results/latest" ]; then
	ok 'a half result is not taken for a whole one'
else
	not_ok "results after the interrupt: $(ls "$scratch/results")"
fi
kept=$(grep -v '^#' "$scratch"/results/*.part/boots.tsv)

status=0
MAKEFLAGS='' make "${args[@]}" bench >"$scratch/second.log" 2>&1 </dev/null || status=$?
tail -n 40 "$scratch/second.log"
holds "a bench with a failed variant does not succeed ($status)" test "$status" = 2
holds 'the same command goes on' grep -q 'going on with' "$scratch/second.log"
holds 'the panic is told with its own words' grep -qE '^sheafbench: variant panics failed: .*Kernel panic' "$scratch/second.log"

result=$(readlink -f "$scratch/results/latest")
[ -f "$result/summary.json" ] || { not_ok 'no complete result'; finish; }
holds 'boots that were done are not done again' \
	test "$(grep -v '^#' "$result/boots.tsv" | head -n "$(wc -l <<<"$kept")")" = "$kept"
for f in report.md reply.txt reply.eml environment.json layouts.tsv; do
	holds "$f is there" test -s "$result/$f"
done
holds 'plots are there' test "$(find "$result/plots" -name '*.svg' | wc -l)" -ge 4
holds 'reply.txt has 72 columns' test "$(awk 'length > 72' "$result/reply.txt" | wc -l)" = 0
expect 1 '' 'reply.txt is ASCII' env LC_ALL=C grep -P '[^\x00-\x7f]' "$result/reply.txt"

# p05 (type 7) of one boot, by sort and awk.
by_hand() {
	awk -F '\t' -v w="$2" '$1 == w { n = split($4, s, " "); for (i = 1; i <= n; i++) print (s[i] - $3) / $2 }' "$1" | sort -g |
		awk '{ v[NR] = $1 } END { h = (NR - 1) * 0.05; k = int(h); printf "%.6f\n", v[k + 1] + (h - k) * (v[k + 2] - v[k + 1]) }'
}
for v in local-trylock qpw-on; do
	for w in pair/64/1 alloc/64/32/lifo; do
		mean=$(for l in 00 01; do by_hand "$result/samples/$v.l$l.b00.tsv" "$w"; done | awk '{ s += $1 } END { printf "%.4f", s / NR }')
		told=$(jq -r --arg v "$v" --arg w "$w" '.values[] | select(.variant == $v and .workload == $w) | .mean' "$result/summary.json")
		holds "$v $w: $mean by hand is $told in the summary" \
			awk -v a="$mean" -v b="$told" 'BEGIN { d = a - b; exit !(b != "" && d * d < 1e-6) }'
	done
done
holds 'effects have intervals over two layouts' jq -e \
	'[.effects[] | select(.variant == "slowpath" and .workload == "pair/64/1")][0] | .layouts == 2 and (.ci95 | length == 2)' \
	"$result/summary.json"
finish
