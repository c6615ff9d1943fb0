#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# publish.sh BUILD RESULT: Results.md and the plots that it shows, from a result.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
build=$1 result=$2
"$build/sheafreport" results-md "$result" >"$top/Results.md.part"
mkdir -p "$top/plots/published"
rm -f "$top"/plots/published/*
cp "$result"/plots/*.svg "$result"/plots/*.png "$top/plots/published/"
mv "$top/Results.md.part" "$top/Results.md"
# README shows the plot and the table of the headline workload, between its two marks.
{
	sed '/<!-- result -->/q' "$top/README.md"
	printf '\n![Effects with 95 %% intervals](plots/published/effects.png)\n\n'
	awk '/^pair\/64\/1 /{ on = 1 } on && /^\|/ { table = 1 } table && !/^\|/ { exit } on' "$top/Results.md"
	printf '\nLinux %s on %s under %s; [Results.md](Results.md) has the rest, and what the columns mean.\n\n' \
		"$(jq -r .kernel_version "$result/environment.json")" "$(jq -r .cpu_model "$result/environment.json")" \
		"$(jq -r .virtualization "$result/environment.json")"
	sed -n '/<!-- end of result -->/,$p' "$top/README.md"
} >"$top/README.md.part"
mv "$top/README.md.part" "$top/README.md"
say "README.md, Results.md and plots/published: from $(basename "$(readlink -f "$result")")"
