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
say "Results.md and plots/published: from $(basename "$(readlink -f "$result")")"
