#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Each series applies to every supported kernel, after the series that all variants have.
set -euo pipefail
. "$(dirname "$0")/check.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
supported=(debian-7.2 debian-7.3)

# The files that the patches touch are enough of a tree.
apply_all() {
	local source=$1 tree=$2 p f
	shift 2
	mkdir -p "$tree"
	sed -n 's|^--- a/||p' "$@" | sort -u | while read -r f; do
		[ ! -f "$source/$f" ] || (cd "$source" && cp --parents "$f" "$tree")
	done
	for p in "$@"; do
		GIT_CEILING_DIRECTORIES=$scratch git -C "$tree" apply --whitespace=error-all "$p"
	done
}

mapfile -t common < "$top/kernel-patches/common.series"
for kernel in "${supported[@]}"; do
	SOURCE=$(KERNEL_SRC=$kernel "$top/harness/kernel/source.sh")
	for series in "$top"/kernel-patches/patches/*/; do
		series=$(basename "$series")
		[[ ! $series =~ -[0-9]+\.[0-9]+$ ]] || continue
		lists=("${common[@]}")
		[[ " ${common[*]} " == *" $series "* ]] || lists+=("$series")
		mapfile -t patches < <(series_patches "${lists[@]}")
		expect 0 '' "$series (${#patches[@]} patches with the common ones) applies to $kernel" \
			apply_all "$SOURCE" "$scratch/$kernel-$series" "${patches[@]}"
	done
done
# The check can fail: a patch for lines that are not there.
printf -- '--- a/mm/Makefile\n+++ b/mm/Makefile\n@@ -1,1 +1,1 @@\n-no such line\n+another\n' >"$scratch/bad.patch"
expect 1 'patch (failed|does not apply)' 'a patch that does not fit is told' apply_all "$SOURCE" "$scratch/bad" "$scratch/bad.patch"
finish
