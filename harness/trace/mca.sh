#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# mca.sh FOLDER OUT.tsv: what llvm-mca makes of each sequence of instructions in FOLDER (*.insns of sheafcounts): the
# assembly beside it as *.s, and in OUT.tsv an estimate for some microarchitectures (docs/formats.md). The model knows
# neither a cache, a predictor nor what LOCK waits for: an estimate, and no measurement.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

[ $# = 2 ] || die 2 "usage: mca.sh FOLDER OUT.tsv"
folder=$1 out=$2
cpus="znver2 znver3 haswell skylake icelake-server"
command -v llvm-mca >/dev/null || die 1 "llvm-mca is missing: harness/host/deps.sh qemu installs it"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch" "$out.part"' EXIT

# The bytes one after the other, as objdump reads them; where a jump goes says nothing here. Calls, returns
# and endbr64, which some models take for a hundred cycles, stand as what they do: to the stack, and nothing.
assembly() {
	grep -v '^#' "$1" | cut -f4 | tr -d '\n' | sed 's/../\\x&/g' | xargs -0 printf '%b' >"$scratch/bytes"
	printf '\t.text\n'
	# shellcheck disable=SC2016 # the dollars are the assembly's
	objdump -D -b binary -m i386:x86-64 --no-show-raw-insn "$scratch/bytes" | sed -n 's/^ *[0-9a-f]*:\t//p' | sed 's/ *#.*//; s/ *$//; s/^call .*/pushq  $0/; s/^ret\>.*/addq   $8,%rsp/; s/^endbr64/nop/' |
		paste - <(awk -F '\t' '!/^#/ { print "# " $1 "+" $2 }' "$1") | sed 's/^/\t/'
}

printf '# workload\tcpu\tinstructions\tuops\tcycles\trthroughput\n' >"$out.part"
for file in "$folder"/*.insns; do
	[ -f "$file" ] || continue
	name=${file%.insns}
	assembly "$file" >"$name.s"
	[ "$(grep -c '^	[a-z].*	#' "$name.s")" = "$(grep -vc '^#' "$file")" ] || die 1 "objdump reads other instructions in $file than were executed"
	for cpu in $cpus; do
		llvm-mca -mtriple=x86_64 -mcpu="$cpu" -iterations=100 "$name.s" >"$scratch/mca" 2>"$scratch/error" ||
			die 1 "llvm-mca cannot read $name.s: $(grep -m1 error "$scratch/error")"
		# Cycles of its model for one operation when one follows the other, and what issue alone would take.
		awk -v OFS='\t' -v cpu="$cpu" -v name="$(sed -n '1s/^# //p' "$file")" '
			/^Iterations:/ { n = $2 }
			/^Instructions:/ { insn = $2 } /^Total Cycles:/ { cycles = $3 } /^Total uOps:/ { uops = $3 }
			/^Block RThroughput:/ { print name, cpu, insn / n, uops / n, cycles / n, $3 }' "$scratch/mca"
	done
done >>"$out.part"
mv "$out.part" "$out"
