#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# prove.sh BUILD: a short 'make prove' on uml finds nothing wrong with qpw-on and rtu-note, and finds what is wrong with three of
# the variants in tests/mutants, or with those in MUTANTS.
set -euo pipefail
. "$(dirname "$0")/check.sh"
build=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export VARIANT_PATH=$top/kernel-patches:$top/tests/mutants:$scratch OUT=$scratch TARGETS=uml FLAVOURS=prove
SOURCE=$("$top/harness/kernel/source.sh")
export SOURCE

guest_programs sheafbench-init sheafbench-prove
prove() { VARIANTS=$1 DURATION=$2 "$top/harness/prove/prove.sh" "$build/guest"; }
result_of() { awk -F '\t' -v v="$1" '$3 == v { print $4 ": " $10 }' "$scratch/prove/proof.tsv"; }

good='qpw-on rtu-note'
expect 0 '' "nothing is wrong with $good" prove "$good" 1
for v in $good; do
	holds "the table says so of $v" test "$(result_of "$v")" = 'ok: '
done
# shellcheck disable=SC2086 # words
bad=$(printf 'mutant-%s ' ${MUTANTS:-late-clear no-flush-lock rtu-lost-note})
expect 1 'boots failed' "${bad}fail" prove "$bad" 1
for m in $bad; do
	expect 0 '^failed: sheafstress: failed: (an object|objects|a barrier|a flush)' "a test says why $m does: $(result_of "$m")" result_of "$m"
done
# What no kernel takes is proven nowhere, and costs only itself.
mkdir "$scratch/variants"
printf 'title = an option that is nowhere\nkconfig = CONFIG_SHEAFBENCH_NOWHERE=y\n' >"$scratch/variants/nowhere.variant"
expect 1 '1 of 2 boots failed' 'a variant that no kernel takes fails' prove nowhere 1
holds "the table says why: $(result_of nowhere)" test "$(result_of nowhere)" = 'failed: no kernel of uml takes its options'
holds 'and the baseline is proven beside it' test "$(result_of local-trylock)" = 'ok: '
finish
