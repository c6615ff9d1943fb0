#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# rt.sh BUILD: counts on PREEMPT_RT are exact, and QPW adds nothing to a lock that is a spinlock there anyway.
set -euo pipefail
. "$(dirname "$0")/check.sh"
build=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export TMPDIR=$scratch
unset TARGETS VARIANTS WORKLOADS
# The kernels take several minutes to build, too long for a check with an empty cache.
SOURCE=$("$top/harness/kernel/source.sh")
export SOURCE
if [ ! -f "$(TARGET=tcg-rt "$top/harness/kernel/build.sh" path local-trylock)/built" ]; then
	echo "skipped: 'make bench TARGETS=tcg-rt VARIANTS=none' builds the kernel that this asks for"
	exit 77
fi
unset SOURCE

# bench NAME VALUE...: sets result.
bench() {
	local name=$1 status=0
	shift
	MAKEFLAGS='' make -C "$top" --no-print-directory "BUILD=$build" "OUT=$scratch/$name" TARGETS=tcg-rt "$@" bench >"$scratch/$name.log" 2>&1 </dev/null || status=$?
	result=$scratch/$name/latest
	holds "make bench $*: status $status" test "$status" = "${want:-0}"
	[ -f "$result/summary.json" ] || { cat "$scratch/$name.log"; finish; }
}
insns() { jq -r --arg v "$1" --arg w "$2" --arg c "${3:-instructions}" '.counts[] | select(.target == "tcg-rt" and .variant == $v and .workload == $w) | (.classes[$c] // 0) + 0' "$result/summary.json"; }

bench first VARIANTS='qpw-n qpw-on' WORKLOADS='^(pair|alloc|free)/64/1$'
for v in local-trylock qpw-n qpw-on; do
	holds "the kernel of $v says PREEMPT_RT" grep -aq '^Linux version .* SMP PREEMPT_RT ' "$result/consoles/counts.tcg-rt.$v.log"
	# Only spinlocks that sleep are LOCKed twice.
	for w in alloc free; do holds "$v: $w takes and releases one lock" test "$(insns "$v" "$w/64/1" lock)" = 2; done
	holds "$v: a pair is an allocation and a free" test "$(insns "$v" pair/64/1)" = $(($(insns "$v" alloc/64/1) + $(insns "$v" free/64/1)))
done
# Where code lies in its cache lines may differ.
executed() { grep -v -e '-lines' "$result/counts/tcg-rt.$1.tsv"; }
for v in qpw-n qpw-on; do holds "$v executes what the baseline does" diff <(executed local-trylock) <(executed "$v"); done
holds 'the report has them' grep -q '^## x86_64 with PREEMPT_RT$' "$result/tables/counts.md"
holds 'and an answer' grep -q 'on PREEMPT_RT, where that is [0-9]* instructions' <(tr -s '\n ' ' ' <"$result/report.md")
cp "$result/counts/tcg-rt.local-trylock.tsv" "$scratch/first.tsv"

bench second VARIANTS=none WORKLOADS='^(pair|alloc|free)/64/1$' SEED=2
holds 'another boot counts the same' cmp "$scratch/first.tsv" "$result/counts/tcg-rt.local-trylock.tsv"

bench unfit VARIANTS=qpw-inline WORKLOADS='^pair/64/1$' TARGETS='tcg tcg-rt'
holds 'a scheme that PREEMPT_RT has no option for is left out there, and there alone' jq -e '([.left_out[] | select(startswith("counts of "))] | length == 1 and (.[0] | test("qpw-inline .target tcg-rt.: this kernel does not take .CONFIG_QPW_INLINE=y"))) and (.left_out | all(startswith("failed: ") | not))' "$result/environment.json"

want=2 bench hardirq VARIANTS=none WORKLOADS='^hardirq-pair/64/1$'
holds 'what PREEMPT_RT cannot do is told' grep -q "^sheafbench: counts of tcg-rt.local-trylock failed: .*'^hardirq-pair/64/1\$' matches nothing that runs on PREEMPT_RT" "$scratch/hardirq.log"
finish
