#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# mca.sh FOLDER OUT.tsv: runs llvm-mca on each sequence of instructions in FOLDER (*.insns of sheafcounts). The assembly is
# written beside it as *.s, and estimates for some microarchitectures into OUT.tsv. docs/formats.md says what the model lacks.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

[ $# = 2 ] || die 2 "usage: mca.sh FOLDER OUT.tsv"
folder=$1 out=$2
cpus="znver2 znver3 haswell skylake icelake-server"
command -v llvm-mca >/dev/null || die 1 "llvm-mca is missing: harness/host/deps.sh qemu installs it"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch" "$out.part"' EXIT

# Disassembles the bytes one after the other; the targets of jumps do not matter. Some models give calls, returns and endbr64 a
# hundred cycles, so calls and returns are replaced by what they do to the stack, and endbr64 by a nop.
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
	[ "$(grep -c '^	[a-z].*	#' "$name.s")" = "$(grep -vc '^#' "$file")" ] || die 1 "objdump finds other instructions in $file than were executed"
	for cpu in $cpus; do
		llvm-mca -mtriple=x86_64 -mcpu="$cpu" -iterations=100 "$name.s" >"$scratch/mca" 2>"$scratch/error" ||
			die 1 "llvm-mca cannot read $name.s: $(grep -m1 error "$scratch/error")"
		# Cycles of an operation when one follows the other, and what issue alone would take.
		awk -v OFS='\t' -v cpu="$cpu" -v name="$(sed -n '1s/^# //p' "$file")" '
			/^Iterations:/ { n = $2 }
			/^Instructions:/ { insn = $2 } /^Total Cycles:/ { cycles = $3 } /^Total uOps:/ { uops = $3 }
			/^Block RThroughput:/ { print name, cpu, insn / n, uops / n, cycles / n, $3 }' "$scratch/mca"
	done
done >>"$out.part"
mv "$out.part" "$out"
