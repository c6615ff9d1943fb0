#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# lines.sh KERNEL INSNS OUT.tsv: the source lines of the instructions in INSNS (counts/insns of KERNEL, a folder of
# kernel/build.sh). They come from DEBUG, the folder of the same kernel built with debug information (FLAVOUR=lines). The code
# of both images is compared; where it differs, there are no lines.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

[ $# = 3 ] || die 2 "usage: DEBUG=<folder of the kernel with debug information> lines.sh KERNEL INSNS OUT.tsv"
kernel=$1 insns=$2 out=$3
: "${DEBUG:?}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch" "$out.part"' EXIT

text_of() {
	objdump -h -j .text "$1" | awk '$2 == ".text" { print $3, $4 }'
	objcopy -O binary --only-section=.text "$1" "$scratch/text"
	sha256sum <"$scratch/text"
}
plain=$(text_of "$kernel/image.0") && debug=$(text_of "$DEBUG/image.0")
[ "$plain" = "$debug" ] ||
	die 1 "debug information changes the code of $(basename "$kernel"), so its lines would not be those that were counted"

# For each address, the innermost frame that is in a .c file, and the function inlined there that has the instruction.
awk -F '\t' '!/^#/ && $3 !~ /^\(/ { print $11 }' "$insns" | sort -u >"$scratch/addresses"
addr2line -a -f -i -e "$DEBUG/image.0" <"$scratch/addresses" | awk -v OFS='\t' '
	function frame() {
		if (!n) return
		for (i = 1; i < n && file[i] !~ /\.c$/; i++);
		print address, name[i], file[i], line[i], (i > 1 ? name[1] : "")
		n = 0
	}
	/^0x/ { frame(); address = $1; sub(/^0x0*/, "", address); next }
	{
		name[++n] = $1
		getline
		sub(/ \(discriminator [0-9]*\)$/, "")
		line[n] = $0; sub(/.*:/, "", line[n]); if (line[n] !~ /^[0-9]+$/) line[n] = 0
		file[n] = $0; sub(/:[^:]*$/, "", file[n]); sub(/^.*\/tree\//, "", file[n]); gsub(/^\.\/|\?\?/, "", file[n])
		gsub(/\/\.\//, "/", file[n])
		if (file[n] == "") line[n] = 0
	}
	END { frame() }' >"$scratch/frames"
[ "$(wc -l <"$scratch/frames")" = "$(wc -l <"$scratch/addresses")" ] ||
	die 1 "addr2line does not find the lines of $(basename "$DEBUG")"

# Instructions of one line, function and inlined function are one record, with the line's own text.
{
	printf '# workload\tops\tsymbol\tfunction\tfile\tline\tinlined\ttext\tinstructions\n'
	awk -F '\t' -v OFS='\t' -v tree="$DEBUG/tree/" '
		function text(file, number,  key, s, k) {
			if (file == "") return ""
			key = file SUBSEP number
			if (!(file in read_to)) {
				while ((getline s < (tree file)) > 0) source[file, ++k] = s
				close(tree file)
				read_to[file] = k
			}
			s = source[key]
			gsub(/[ \t]+/, " ", s)
			gsub(/^ | $/, "", s)
			return s
		}
		NR == FNR { frame[$1] = $2 OFS $3 OFS $4 OFS $5 OFS text($3, $4); next }
		/^#/ { next }
		{
			address = $11
			sub(/^0x0*/, "", address)
			where = address in frame && $3 !~ /^\(/ ? frame[address] : $3 OFS "" OFS 0 OFS "" OFS ""
			split(where, f, OFS)
			# An instruction without a line is counted for its symbol.
			if (f[2] == "") where = $3 OFS "" OFS 0 OFS "" OFS ""
			count[$1 OFS $2 OFS $3 OFS where] += $6
		}
		END { for (k in count) print k, count[k] }' "$scratch/frames" "$insns" | LC_ALL=C sort
} >"$out.part"
mv "$out.part" "$out"
