#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Each series fits every supported kernel, patch by patch, after the series that all variants have; docs/variants.md says so.
set -euo pipefail
. "$(dirname "$0")/check.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
supported=$top/harness/kernel/supported.sh
export VARIANT_PATH=$scratch:$top/kernel-patches

# With LONG=yes each also has to build.
supports=("$supported" applies) says='git am takes each patch of'
[ "$LONG" = no ] || supports=("$supported") says='git am takes, and gcc builds, each patch of'

mapfile -t kernels < "$top/kernel-patches/kernels.list"
for kernel in "${kernels[@]}"; do
	for series in "$top"/kernel-patches/patches/*/; do
		series=$(basename "$series")
		[[ ! $series =~ -[0-9]+\.[0-9]+$ ]] || continue
		expect 0 '^yes$' "$says $series on $kernel" "${supports[@]}" "$kernel" "$series"
	done
done

# The check can fail: with context lines that the kernel lacks, and with code that builds with a warning.
bad() {
	mkdir -p "$scratch/patches/$1" "$scratch/variants"
	printf 'title = %s\nseries = %s\n' "$1" "$1" >"$scratch/variants/$1.variant"
	{
		printf 'From: a <a@invalid>\nDate: Sun, 22 Nov 2026 12:00:00 +0000\nSubject: [PATCH] %s\n\n---\n' "$1"
		diff -u --label a/mm/slub.c --label b/mm/slub.c - "$scratch/new.c" || true
	} >"$scratch/patches/$1/0001-$1.patch"
}
SOURCE=$(KERNEL_SRC=${kernels[0]} "$top/harness/kernel/source.sh")
{ cat "$SOURCE/mm/slub.c"; echo 'static int nobody_uses_this;'; } >"$scratch/new.c"
bad warns <"$SOURCE/mm/slub.c"
[ "$LONG" = no ] || expect 0 '^no: .* does not build .*nobody_uses_this' 'a warning is told' "$supported" "${kernels[0]}" warns
echo 'another' >"$scratch/new.c"
echo 'no such line' | bad misfits
expect 0 '^no: .* does not apply' 'a patch that does not fit is told' "${supports[@]}" "${kernels[0]}" misfits
if [ "$LONG" = no ]; then
	finish
	exit
fi

"$supported" >"$scratch/table" 2>"$scratch/log"
page=docs/variants.md
sed '1,/<!-- kernels -->/d; /<!-- end of kernels -->/,$d' "$top/$page" | grep '^|' >"$scratch/said" || true
if diff "$scratch/table" "$scratch/said" >"$scratch/diff"; then
	ok "the table of kernels in $page is what harness/kernel/supported.sh sees"
else
	not_ok "the table of kernels in $page is not what harness/kernel/supported.sh sees ('harness/kernel/supported.sh publish' writes it): $(head -n 3 "$scratch/diff")"
fi
finish
