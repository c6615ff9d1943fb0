#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# prove.sh BUILD: a short 'make prove' on uml finds nothing wrong with qpw-on and rtu-note, and finds what is wrong with three of
# the variants in tests/mutants, or with those in MUTANTS.
set -euo pipefail
. "$(dirname "$0")/check.sh"
build=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export VARIANT_PATH=$top/kernel-patches:$top/tests/mutants OUT=$scratch TARGETS=uml FLAVOURS=prove
SOURCE=$("$top/harness/kernel/source.sh")
export SOURCE

guest_programs sheafbench-init sheafbench-prove
prove() { VARIANTS=$1 DURATION=$2 "$top/harness/prove/prove.sh" "$build/guest"; }
result_of() { awk -F '\t' -v v="$1" '$3 == v { print $4 ": " $10 }' "$scratch/prove/proof.tsv"; }

for v in qpw-on rtu-note; do
	expect 0 "uml prove $v: ok" "nothing is wrong with $v" prove "$v" 1
	holds 'the table says so' test "$(result_of "$v")" = 'ok: '
done
for m in ${MUTANTS:-late-clear no-flush-lock rtu-lost-note}; do
	expect 1 "uml prove mutant-$m: failed" "mutant-$m fails" prove "mutant-$m" 1
	expect 0 '^failed: sheafstress: failed: (an object|objects|a barrier|a flush)' "a test says why: $(result_of "mutant-$m")" result_of "mutant-$m"
done
finish
