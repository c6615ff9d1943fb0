#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# supported.sh: which series of kernel-patches/patches fit which kernels of kernel-patches/kernels.list. A series fits if git am
# takes each patch, after those of the series that its variants name before it, and after each patch the objects that the series
# touches build for uml without a warning. Answers are cached.
#
#   supported.sh                  prints a table
#   supported.sh publish          puts it into docs/variants.md
#   supported.sh KERNEL SERIES    'yes', or 'no' and why
#   supported.sh applies KERNEL SERIES
#                                 the same, but by git am alone: nothing is built
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$top/harness/request/variants.sh"
. "$top/harness/targets/uml.sh"
export LC_ALL=C
unset MAKEFLAGS MAKELEVEL MFLAGS

configs=("$top/kernel-patches/configs/common.config" "$top/kernel-patches/configs/uml.config")
mapfile -t common < "$top/kernel-patches/common.series"
cc=gcc
! command -v ccache >/dev/null || cc="ccache gcc"
series_names() { (cd "$top/kernel-patches/patches" && printf '%s\n' * | grep -vE -- '-[0-9]+\.[0-9]+$'); }
kmake() { make -C "$1" ARCH=um CC="$cc" HOSTCC="$cc" -j"$JOBS" "${@:2}"; }
touched() { sed -n 's|^+++ b/||p' "$@" | sort -u; }

# The sets of options with which variants have the series, one a line.
options_of() {
	local v
	for v in $(variant_names); do
		! variant_key "$v" series | grep -qxF "$1" || variant_key "$v" kconfig | paste -sd ';'
	done | sort -u | grep . || echo
}

# The series that are applied before this one.
bases_of() {
	local v
	printf '%s\n' "${common[@]}"
	for v in $(variant_names); do
		variant_key "$v" series | grep -qxF "$1" || continue
		variant_key "$v" series | sed "/^$1\$/,\$d"
		return
	done
}

# A configured source in which only what all objects need has been compiled.
prepared() {
	local dir
	dir=$CACHE/supported/$(cat "$SOURCE/.sheafbench")-$(cat "${configs[@]}" <(gcc --version) | hash_of)
	if [ ! -f "$dir/.prepared" ]; then
		need_space CACHE "$CACHE" 1000
		rm -rf "$dir"
		cp -al "$SOURCE" "$dir" 2>/dev/null || cp -a "$SOURCE" "$dir"
		cat "${configs[@]}" >"$dir/.sheafbench.config"
		if ! { kmake "$dir" -s KCONFIG_ALLCONFIG=.sheafbench.config allnoconfig && kmake "$dir" prepare; } >"$dir/.prepare.log" 2>&1 </dev/null; then
			die 1 "the source $(cat "$SOURCE/.sheafbench") cannot be prepared; the log is $dir/.prepare.log"
		fi
		touch "$dir/.prepared"
	fi
	printf '%s\n' "$dir"
}

# Compiles those of the objects that the configuration has.
compile() {
	local tree=$1 o option objects=()
	shift
	for o in "$@"; do
		option=$(sed -n "s/^obj-\$(\(CONFIG_[A-Z0-9_]*\)).*[ \t]$(basename "$o")\( .*\)*$/\1/p" "$tree/$(dirname "$o")/Makefile" | tail -n 1)
		if [ -z "$option" ] || grep -q "^$option=" "$tree/.config"; then objects+=("$o"); fi
	done
	[ ${#objects[@]} = 0 ] || kmake "$tree" "${objects[@]}"
}

# Returns 0 if the series fits, 1 with the reason on a line if it does not, and 2 if that cannot be told.
try() {
	local series=$1 work=$2 tree options p f log=$2/log lists=() all=() own=() objects=()
	[ "$builds" = no ] || tree=$(prepared) || return 2
	mapfile -t lists < <(bases_of "$series")
	[[ " ${common[*]} " == *" $series "* ]] || lists+=("$series")
	mapfile -t all < <(series_patches "${lists[@]}")
	mapfile -t own < <(series_patches "$series")
	# For git am a tree with the files that the patches touch is enough.
	git init -q "$work/git" || return 2
	touched "${all[@]}" | while read -r f; do
		[ ! -f "$SOURCE/$f" ] || (cd "$SOURCE" && cp --parents "$f" "$work/git") || return 2
	done || return 2
	git -C "$work/git" add -A || return 2
	identity=(-c user.name=sheafbench -c user.email=sheafbench@invalid -c core.hooksPath=/dev/null -c commit.gpgsign=false)
	git -C "$work/git" "${identity[@]}" commit -q -m source || return 2
	[ "$builds" = no ] || cp -al "$tree" "$work/tree" || return 2
	while read -r options; do
		git -C "$work/git" checkout -q -B try "$(git -C "$work/git" rev-list --max-parents=0 HEAD)" || return 2
		objects=(mm/slub.o)
		for p in "${all[@]}"; do
			git -C "$work/git" "${identity[@]}" am -q "$p" >"$log" 2>&1 ||
				{ printf '%s does not apply: %s\n' "$(basename "$p")" "$(grep -m1 '^error:' "$log")"; return 1; }
			[ "$builds" = yes ] || continue
			touched "$p" | while read -r f; do
				(cd "$work/git" && cp --remove-destination --parents "$f" "$work/tree") || return 2
			done || return 2
			[[ " ${own[*]} " == *" $p "* ]] || continue
			mapfile -t objects < <({ printf '%s\n' "${objects[@]}"; touched "$p" | sed -n 's/\.c$/.o/p'; } | sort -u)
			{ cat "${configs[@]}" && tr ';' '\n' <<<"$options"; } >"$work/tree/.sheafbench.config"
			if ! { kmake "$work/tree" -s KCONFIG_ALLCONFIG=.sheafbench.config allnoconfig && compile "$work/tree" "${objects[@]}"; } >"$log" 2>&1 </dev/null ||
				grep -qE '^[^ ]+\.[chS]:[0-9:]+ (warning|error)' "$log"; then
				printf '%s does not build (%s): %s\n' "$(basename "$p")" "${options:-no options}" "$(grep -m1 -E 'warning:|error:|Error' "$log")"
				return 1
			fi
		done
		[ "$builds" = yes ] || return 0
		# For the next set of options the files are restored, since the patches are applied from the first one on.
		touched "${all[@]}" | while read -r f; do
			rm -f "$work/tree/$f"
			[ ! -f "$tree/$f" ] || (cd "$tree" && cp -a --parents "$f" "$work/tree") || return 2
		done || return 2
	done < <(options_of "$series")
}

fill() {
	local series=$1 stamp=$2 work=$CACHE/supported/work.$builds why status=0
	[ ! -f "$stamp" ] || return 0
	say "  $series on $(cat "$SOURCE/.sheafbench")"
	rm -rf "$work"
	mkdir "$work"
	why=$(try "$series" "$work") || status=$?
	rm -rf "$work"
	case $status in
	0) echo yes ;;
	1) printf 'no: %s\n' "$why" ;;
	*) die 1 "whether $series fits cannot be told: no room or no right to write below $CACHE/supported?" ;;
	esac >"$stamp.part"
	mv "$stamp.part" "$stamp"
}

cell() {
	local kernel=$1 series=$2 key bases=()
	SOURCE=$(KERNEL_SRC=$kernel "$top/harness/kernel/source.sh")
	mapfile -t bases < <(bases_of "$series")
	key=$({ echo "$builds"; cat "$SOURCE/.sheafbench" "${configs[@]}" "$0"; series_patches "${bases[@]}" "$series" | xargs cat; options_of "$series"; gcc --version; } | hash_of)
	mkdir -p "$CACHE/supported"
	touch "$CACHE/supported/.sheafbench"
	[ -f "$CACHE/supported/$key.stamp" ] || with_lock "supported-$builds" fill "$series" "$CACHE/supported/$key.stamp"
	cat "$CACHE/supported/$key.stamp"
}

table() {
	local head="" rule="" row k s answer series=()
	mapfile -t series < <(series_names)
	for s in "${series[@]}"; do head+=" \`$s\` |" rule+="---|"; done
	printf '| kernel |%s\n|---|%s\n' "$head" "$rule"
	while read -r k; do
		row="| \`$k\` |"
		for s in "${series[@]}"; do
			answer=$(cell "$k" "$s" </dev/null)
			row+=" ${answer%%:*} |"
		done
		printf '%s\n' "$row"
	done < "$top/kernel-patches/kernels.list"
}

builds=yes
if [ "${1-}" = applies ]; then
	builds=no
	shift
fi
case $#${1-} in
0) table ;;
1publish)
	# Between its two marks.
	page=$top/docs/variants.md
	answer=$(table)
	{
		sed '/<!-- kernels -->/q' "$page"
		printf '\n%s\n\n' "$answer"
		sed -n '/<!-- end of kernels -->/,$p' "$page"
	} >"$page.part"
	mv "$page.part" "$page"
	;;
2*) cell "$1" "$2" ;;
*) die 2 "supported.sh: give nothing, 'publish', or a kernel and a series" ;;
esac
