# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Reading the variant files (harness/formats.md). Sourced after lib.sh.

variant_dir=${VARIANT_DIR:-$top/kernel-patches/variants}
patch_dir=$top/kernel-patches/patches

# All variants in the order in which tables show them.
variant_names() {
	local f
	for f in "$variant_dir"/*.variant; do
		f=${f##*/}
		printf '%s %s\n' "$(variant_key "${f%.variant}" order 50)" "${f%.variant}"
	done | sort -n -k1,1 -k2,2 | cut -d' ' -f2
}

# variant_key NAME KEY [DEFAULT]: its values, a line each.
variant_key() {
	awk -F ' *= *' -v key="$2" -v fallback="${3-}" '
		/^#/ { next }
		$1 == key { sub(/^[^=]*= */, ""); print; found = 1 }
		END { if (!found && fallback != "") print fallback }' "$variant_dir/$1.variant"
}

baseline_variant() {
	local name
	for name in $(variant_names); do
		if [ "$(variant_key "$name" role change)" = baseline ]; then
			printf '%s\n' "$name"
			return
		fi
	done
	die 1 "no variant in kernel-patches/variants has role = baseline"
}

# VERSION.PATCHLEVEL of the source tree.
kernel_series() { awk -F ' *= *' '/^VERSION =/ { v = $2 } /^PATCHLEVEL =/ { print v "." $2; exit }' "$1/Makefile"; }

# The patches of a list of series, in order of their names. For a 7.3 kernel, those in
# SERIES-7.3/ stand in for the ones with the same name, and are added to the others.
series_patches() {
	local s dirs version=none
	[ -z "${SOURCE-}" ] || version=$(kernel_series "$SOURCE")
	for s in "$@"; do
		[ -d "$patch_dir/$s" ] || die 1 "no series $s in kernel-patches/patches"
		dirs=("$patch_dir/$s")
		[ ! -d "$patch_dir/$s-$version" ] || dirs+=("$patch_dir/$s-$version")
		find "${dirs[@]}" -name '*.patch' -printf '%f %p\n' |
			awk '{ path[$1] = $2 } END { for (f in path) print f, path[f] }' | LC_ALL=C sort | cut -d' ' -f2
	done
}

# What makes two variants different kernels; equal for those that share a build.
variant_build_text() {
	local patches
	variant_key "$1" kconfig
	mapfile -t patches < <(variant_key "$1" series | while read -r s; do series_patches "$s"; done)
	[ ${#patches[@]} = 0 ] || cat -- "${patches[@]}"
}
