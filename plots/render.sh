#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# render.sh RESULTDIR: draws RESULTDIR/plots/*.svg and *.png. BUILD is where sheafstat and sheafreport are.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../build}
if [ -d "$build" ]; then
	PATH=$(cd "$build" && pwd):$PATH
fi

die() {
	printf 'render.sh: %s\n' "$2" >&2
	[ -z "${LAST_WORDS-}" ] || printf '%s\n' "$2" >"$LAST_WORDS" # for steps.sh
	exit "$1"
}

[ $# -eq 1 ] || die 2 "usage: render.sh RESULTDIR"
[ -r "$1/summary.json" ] || die 2 "$1 has no summary.json; make it with sheafstat summarize $1"
for tool in gnuplot sheafstat sheafreport; do
	command -v "$tool" >/dev/null || die 2 "$tool is missing; make bench builds and installs what is needed"
done
result=$(cd "$1" && pwd)

# Nothing is written to what is no result.
vars=$(sheafreport plotvars "$result")
mkdir -p "$result/plots"
work=$(mktemp -d "$result/plots/.work.XXXXXX") || die 1 "cannot write to $result/plots"
trap 'rm -rf "$work"' EXIT
printf '%s\n' "$vars" >"$work/vars.gp"
sheafstat plotdata "$result" "$work"
cd "$work"

# Doses and checks prove the instrument: they are not shown beside the changes.
proofs=$(sed -n "s/^proofs = '\(.*\)'/\1/p" vars.gp)
for file in *.dat; do
	awk -F '\t' -v proofs="$proofs" '
		{ for (i = 1; i <= NF; i++) if ($i ~ /^"/ && index(proofs, " " substr($i, 2, length($i) - 2) " ")) next }
		{ print }' "$file" >shown
	mv shown "$file"
done
# The right edge of samples.gp: at least 98 % of the samples of each variant are left of it.
awk -F '\t' '!/^#/ && NF { print $3 "\t" $1 }' samples.dat | LC_ALL=C sort -t "$(printf '\t')" -k1,1 -k2,2g |
	awk -F '\t' '
		function edge(  at) { at = x[int((n - 1) * 0.98) + 1]; if (n && at > most) most = at }
		$1 != name { edge(); n = 0; name = $1 }
		{ x[++n] = $2 }
		END { edge(); print "most = " most + 0 }' >>vars.gp

scripts=(counts)
grep -qx 'timed = 0' vars.gp || scripts+=(effects effects-all samples by-size by-n dose layouts)
for script in trade decide; do
	[ "$(grep -c '^[^#]' "$script.dat")" = 0 ] || scripts+=("$script")
done
if [ -f "$result/peers.tsv" ]; then
	cp "$result/peers.tsv" peers.dat
	scripts+=(peers)
fi
# A script that fails costs its own plot only, and an older plot of that name is removed.
missing=() first=
for script in "${scripts[@]}"; do
	for format in png svg; do
		file=$script.$format why=
		gnuplot -c "$here/$script.gp" "$here" "$format" "$file" 2>"$script.log" || why=failed
		[ -n "$why" ] || [ -s "$file" ] || why='wrote nothing'
		if [ -n "$why" ]; then
			# gnuplot shows the line and a caret before it says what is wrong.
			why="gnuplot $script.gp $why: $(grep -m 1 '^".*line [0-9]' "$script.log" || grep -m 1 . "$script.log" || echo 'it does not say why')"
			printf 'render.sh: %s\n' "$why" >&2
			first=${first:-$why}
			rm -f "$file" "$result/plots/$file"
			missing+=("$file")
		elif [ -s "$script.log" ]; then
			sed "s/^/render.sh: gnuplot $script.gp: /" "$script.log" | grep -v ': *$' | sort -u >&2
		fi
	done
done
for file in *.png *.svg; do
	[ ! -e "$file" ] || mv -f "$file" "$result/plots/$file"
done
[ ${#missing[@]} = 0 ] || die 1 "$first; not drawn: ${missing[*]}"
