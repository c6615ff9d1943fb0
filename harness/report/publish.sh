#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# publish.sh BUILD RESULT: Results.md, the plots that it shows and the pages beside it, from a result.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
build=$1 result=$2
certify=()
# From which size on this machine shows an effect, where that was measured.
[ ! -f "$OUT/certified/certify.json" ] || certify=(--certify "$OUT/certified/certify.json")
pages=$top/results/published
rm -rf "$pages.part"
mkdir -p "$pages.part"
"$build/sheafreport" results-md "$result" --pages "$pages.part" --see results/published "${certify[@]}" >"$top/Results.md.part"
# A link below those of the other pages.
beside() { sed -i "$(grep -n '](results/published/' "$top/Results.md.part" | tail -n 1 | cut -d : -f 1)a - [$1](results/published/$2): $3" "$top/Results.md.part"; }
peers=$OUT/peers
if [ -f "$peers/plots/peers.png" ]; then
	{
		printf '# How do the loops that people use today do, beside ours?\n\n![Peers](../../plots/published/peers.png)\n\n'
		printf 'One kernel with and without a known number of core cycles more in each allocation, one boot of each, in any two of %s layouts:\n' \
			"$(jq -r .layouts "$peers/environment.json")"
		printf 'share of pairs with the wrong sign (no difference at all), %%. The peer- loops are in bench/module/peers.c; SDs in ticks.\n\n'
		awk -F '\t' '
			function sd(x) { return x == "n/a" ? x : sprintf("%.2f", x) }
			!/^#/ && !($1 in row) { names[++n] = $1; row[$1] = sprintf("| %s | %.2f | %s | %s |", $1, $2, sd($3), sd($4)) }
			!/^#/ { row[$1] = row[$1] sprintf(" %.1f (%.1f) |", 100 * $7, 100 * $8); if (n == 1) head = head " +" $5 " |" }
			END {
				print "| loop | ticks/op | SD boot | SD layout |" head
				rule = "|---|---:|---:|---:|"; gsub(/[^|]+[|]/, "---:|", head); print rule head
				for (i = 1; i <= n; i++) print row[names[i]]
			}' "$peers/peers.tsv"
		printf '\nFrom make peers, result %s.\n' "$(basename "$(readlink -f "$peers")")"
	} >"$pages.part/peers.md"
	cp "$peers/peers.tsv" "$pages.part/peers.tsv"
	beside peers peers.md 'How do the loops that people use today do, beside ours?'
fi
# The samples that the page and the certificate rest on, for whoever tries another estimator: sheafstat summarize and certify
# read what is in the archive.
if [ -d "$result/samples" ]; then
	raw=$pages.part/raw
	mkdir -p "$raw/samples"
	shown=$("$build/sheafreport" plotvars "$result" | sed -n "s/^headlines = '\(.*\)'$/\1/p")
	for file in "$result"/samples/*.tsv; do
		awk -F '\t' -v shown=" $shown alloc/64/1 " '/^#/ || index(shown, " " $1 " ")' "$file" >"$raw/samples/${file##*/}"
	done
	cp "$result"/{plan,boots,variants}.tsv "$result"/{environment,request}.json "$raw"
	tar -C "$pages.part" --sort=name --owner=0 --group=0 --mtime=@0 -cJf "$pages.part/samples.tar.xz" raw
	rm -rf "$raw"
	beside samples samples.tar.xz 'What are the samples of the workloads shown above?'
	# An estimator is decided on more than one CPU: the last samples of each other one stay.
	cpu=$(one_line "$(jq -r .cpu_model "$result/environment.json")")
	for file in "$pages"/samples*.tar.xz; do
		[ -f "$file" ] || continue
		other=$(one_line "$(tar -xJOf "$file" raw/environment.json | jq -r .cpu_model)")
		name=samples-$(tr -cs '[:alnum:]\n' - <<<"${other,,}" | sed 's/^-//; s/-$//').tar.xz
		[ "$other" = "$cpu" ] || [ -f "$pages.part/$name" ] || {
			cp "$file" "$pages.part/$name"
			beside "${name%.tar.xz}" "$name" "What were those of an earlier result, on $other?"
		}
	done
fi
rm -rf "$pages"
mv "$pages.part" "$pages"
mkdir -p "$top/plots/published"
rm -f "$top"/plots/published/*
cp "$result"/plots/*.svg "$result"/plots/*.png "$top/plots/published/"
[ ! -f "$peers/plots/peers.png" ] || cp "$peers"/plots/peers.{png,svg} "$top/plots/published/"
mv "$top/Results.md.part" "$top/Results.md"
# said MEMBER: of the environment, in one line without markup.
said() { one_line "$(jq -r ".environment.$1" "$result/summary.json")" | tr -d '<>`|*[]'; }
# README shows the plot and the table of the headline workload, between its two marks.
{
	sed '/<!-- result -->/q' "$top/README.md"
	printf '\n![Effects with 95 %% intervals](plots/published/effects.png)\n\n'
	# As far as 100 columns have room for it.
	awk -F ' *[|] *' '
		$2 == "scheme" { for (i = 2; i < NF; i++) if ($i ~ /^(scheme|ticks|isolated|events|verdict)$/) column[++n] = i }
		n && !/^[|]/ { exit }
		n { row = "|"; for (i = 1; i <= n; i++) row = row " " $column[i] " |"; print row }' "$top/Results.md"
	printf '\nLinux %s on %s under %s.\n[Results.md](Results.md) has the rest, and what the columns mean.\n\n' \
		"$(said kernel_version)" "$(said cpu_model)" "$(said virtualization)"
	sed -n '/<!-- end of result -->/,$p' "$top/README.md"
} >"$top/README.md.part"
mv "$top/README.md.part" "$top/README.md"
# And docs/variants.md the table of supported kernels.
"$top/harness/kernel/supported.sh" publish
say "README.md, Results.md, results/published, plots/published and the table in docs/variants.md: from $(basename "$(readlink -f "$result")")"
