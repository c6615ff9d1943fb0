#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# build.sh: the kernels of a target. They are kept in the cache, named by a hash of all that goes into them.
#
#   build.sh id VARIANT             the build that the variant shares, e.g. qpw-off-0f3c…
#   build.sh tree VARIANT           patch, configure and build its tree; the baseline's first
#   build.sh trees VARIANT...       the same for many, some at once, when the baseline's is there; 'tree' then tells which do not build
#   build.sh link VARIANT PAD...    its kernel in these layouts
#   build.sh module VARIANT [NAME]  the module in bench/NAME for it (default: module, which is sheafbench.ko)
#   build.sh path VARIANT           the folder where all of that is
#   build.sh unfit VARIANT...       those whose patches do not fit their kernel: a line each with the name, the series and why,
#                                   tabs between them
#   build.sh differs VARIANT        the options beside its own in which its kernel, built, differs from the baseline's
#   build.sh same VARIANT           how much of its built mm/slub.o is the baseline's code: 'all', 'slow' with the names of the
#                                   functions of the slow and fast path, 'fast' with those of the fast path, or nothing
#
# SOURCE names the pristine source (source.sh) of all variants that name no kernel of their own, TARGET one of harness/targets.
# FLAVOUR adds the options of kernel-patches/configs/FLAVOUR.config, and of TARGET's own file for it, to all variants. Kernels
# that are measured have none.
# Flavours with SLUB_KUNIT_TEST are for 'make prove': their mm/slub.o also has the points of bench/stress/slub_points.h.
#
# A variant's tree is the baseline's built tree plus its patches: sources are hard links to the
# pristine ones, which are read-only, objects are copies, and kbuild compiles only what the patches reach.
# (A copy of the source takes 1.8 GB and 16 s of each kernel, the links 2 s.)
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$top/harness/request/variants.sh"

: "${SOURCE:?}" "${TARGET:=uml}"
. "$top/harness/targets/$TARGET.sh"

export KBUILD_BUILD_TIMESTAMP='1970-01-01' KBUILD_BUILD_USER=sheafbench KBUILD_BUILD_HOST=sheafbench
export KBUILD_BUILD_VERSION=1 LC_ALL=C
unset MAKEFLAGS MAKELEVEL MFLAGS

FLAVOUR=${FLAVOUR-}
points=$top/bench/stress/slub_points.h
flavour_flags=()
configs=("$top/kernel-patches/configs/common.config" ${target_config_over:+"$top/kernel-patches/configs/$target_config_over.config"}
	"$top/kernel-patches/configs/$target_config.config")
if [ -n "$FLAVOUR" ]; then
	configs+=("$top/kernel-patches/configs/$FLAVOUR.config")
	[ ! -f "$top/kernel-patches/configs/$target_config-$FLAVOUR.config" ] || configs+=("$top/kernel-patches/configs/$target_config-$FLAVOUR.config")
fi
if grep -qx CONFIG_SLUB_KUNIT_TEST=m "${configs[@]}"; then
	flavour_flags=(CFLAGS_slub.o="-include mm/${points##*/} -fsanitize-coverage=trace-pc")
	grep -qx CONFIG_KCSAN=y "${configs[@]}" ||
		flavour_flags[0]+=" -fsanitize=thread -Wno-tsan --param tsan-instrument-func-entry-exit=0"
fi
kernels=$CACHE/kernels/$target_config${FLAVOUR:+-$FLAVOUR}
kept=${target_image_kept:-image}
hot_symbols='^(kfree|kmem_cache_free|kmem_cache_alloc|__kmalloc|__kmalloc_cache|__pcs_replace_(empty|full)_main|__slab_free|___slab_alloc|__slab_alloc|alloc_from_pcs|free_to_pcs|refill_objects)(_noprof)?(\.[a-z0-9.]+)?$'

cross=${target_cross-}
compiler_id() { "${CC:-${cross}gcc}" --version | head -n 1; "${LD:-${cross}ld}" --version | head -n 1; }

build_id() {
	local name=$1 first v text
	text=$(variant_build_text "$name")
	# A build is called after the first variant that has it.
	first=$name
	for v in $(variant_names); do
		if [ "$(variant_build_text "$v")" = "$text" ]; then
			first=$v
			break
		fi
	done
	{
		printf '%s\n' "$text" "$(cat "$SOURCE/.sheafbench-contents")" "$target_arch"
		compiler_id
		cat "${configs[@]}"
		[ ${#flavour_flags[@]} = 0 ] || cat "$points" <(printf '%s\n' "${flavour_flags[@]}")
		series_patches "${common_series[@]}" | xargs cat
	} | hash_of | sed "s/^/$first-/"
}

guard=$(helper_program guard)
# What builds a kernel runs the Makefiles and scripts of somebody's series: without a network, without root's powers, and
# able to write to that build's folder and the compiler's cache alone, as far as this machine lets it be confined.
confined() {
	local folder=$1 box=()
	shift
	mkdir -p "$folder/tmp" "$CCACHE_DIR/tmp"
	if [ -O "$folder" ] && [ -O "$folder/tree" ] && [ -O "$CCACHE_DIR" ]; then
		box=(bwrap --ro-bind / / --dev /dev --proc /proc --bind "$folder" "$folder" --bind "$CCACHE_DIR" "$CCACHE_DIR" --unshare-all --cap-drop ALL --die-with-parent --)
		"${box[@]}" true 2>/dev/null || box=(setpriv --bounding-set -all --inh-caps -all --no-new-privs --)
		"${box[@]}" true 2>/dev/null || box=()
	fi
	# Under the guard: make goes on when who started it is ended.
	TMPDIR=$folder/tmp CCACHE_TEMPDIR=$CCACHE_DIR/tmp "$guard" 100000 "${box[@]}" "$@"
}

kmake() { confined "${1%/tree}" make -C "$1" ARCH="$target_arch" CROSS_COMPILE="$cross" CC="$kernel_cc" HOSTCC="$host_cc" "${flavour_flags[@]}" "${@:2}"; }

# Compile, with the compiled files counted in the log: kbuild does not say how much is done, and its many steps before them take no time.
build_with_progress() {
	local dir=$1 what=$2 expect=$3 log=$4
	# shellcheck disable=SC2317 # followed calls it
	compiled() { grep -c '^  CC ' "$log" || true; }
	followed "$what" "$expect" compiled "$log" kmake "$dir" -j"$JOBS" "${target_goals[@]}"
}

# The ceiling: a git checkout around the cache is not to be taken for this tree's.
git_apply() { GIT_CEILING_DIRECTORIES=$(dirname "$1") git -C "$1" apply "${apply_options[@]}" "${@:2}"; }

# apply_patches DIR LOG PATCH...: one after the other; where one does not apply, sets unapplied to it and fails.
apply_patches() {
	for unapplied in "${@:3}"; do git_apply "$1" "$unapplied" >>"$2" 2>&1 || return; done
}

# touched_to DIR PATCH...: the pristine files that these touch.
touched_to() {
	local f files=()
	while read -r f; do [ ! -f "$SOURCE/$f" ] || files+=("$f"); done < <(sed -nE 's|^--- a/([^\t]*).*|\1|p; s/^(rename|copy) from (.*)/\2/p' "${@:2}" | sort -u)
	{ mkdir "$1" && (cd "$SOURCE" && cp --parents "${files[@]}" "$1"); } || die 1 "cannot copy to $1 (disk full?)"
}

# does_not_fit NAME: whether its patches do not fit its kernel; sets why, to the series and the reason with a tab between them.
# They are tried on the files that they touch: at once, and if that fails one by one, to tell which it is.
does_not_fit() {
	local dir patches=() series
	dir=$(mktemp -d)
	mapfile -t patches < <(series_patches "${common_series[@]}" && variant_patches "$1")
	why=''
	touched_to "$dir/tree" "${patches[@]}"
	git_apply "$dir/tree" "${patches[@]}" 2>/dev/null || {
		rm -rf "$dir/tree"
		touched_to "$dir/tree" "${patches[@]}"
		apply_patches "$dir/tree" "$dir/log" "${patches[@]}" || {
			series=$(basename "$(dirname "$unapplied")")
			why="${series%-[0-9]*.[0-9]*}	$series/$(basename "$unapplied") does not apply to $(cat "$SOURCE/.sheafbench"): $(sed -n 's/^error: //p' "$dir/log" | head -n 1)"
		}
	}
	rm -rf "$dir"
	[ -n "$why" ]
}

configure() {
	local dir=$1 name=$2 line missing
	variant_key "$name" kconfig | cat "${configs[@]}" - >"$dir/.sheafbench.config"
	kmake "$dir" -s KCONFIG_ALLCONFIG=.sheafbench.config allnoconfig
	variant_key "$name" kconfig | while read -r line; do
		grep -qxF "$line" "$dir/.config" && continue
		# An option that the kernel does not have is off as well.
		case $line in
		'# '*' is not set') grep -q "^$(cut -d' ' -f2 <<<"$line")=" "$dir/.config" || continue ;;
		esac
		die 1 "variant $name: this kernel does not take '$line' (a dependency, or no such option)"
	done || return
	# What a flavour sets for a proof is no measurement.
	missing=$([ -n "$FLAVOUR" ] || undone_config "$dir/.config")
	[ -z "$missing" ] || {
		say "variant $name: its KCONFIG or its series undoes what a measurement needs (option, needed, is): $(paste -sd ';' <<<"$missing")"
		return 1
	}
	# A kernel without these options would not be this target's.
	if [ -n "${target_config_over-}" ]; then
		missing=$(grep '^CONFIG_' "$top/kernel-patches/configs/$target_config.config" | grep -vxFf "$dir/.config" | paste -sd ' ' || true)
		[ -z "$missing" ] || { say "target $TARGET: this kernel does not take $missing"; return 1; }
	fi
	missing=$(sed -n 's/^\(CONFIG_[A-Z0-9_]*=.*\)/\1/p' "${configs[@]}" | grep -vxFf "$dir/.config" || true)
	[ -z "$missing" ] || printf 'not taken by this kernel:\n%s\n' "$missing"
}

# also_differs VARIANT: in which options beside its own its kernel differs from the baseline's: a line 'CONFIG_X baseline variant' each.
also_differs() {
	config_differences "$kernels/$(build_id "$(baseline_variant)")/config" "$kernels/$(build_id "$1")/config" |
		grep -vE "^($(variant_key "$1" kconfig | sed -n 's/^\(# \)\?\(CONFIG_[A-Za-z0-9_]*\).*/\2/p' | paste -sd '|')) " || true
}

# files_to_come TREE PATCH...: about how many files are compiled of a tree that has the baseline's objects. Kbuild has noted
# which files and options each object depends on.
files_to_come() {
	local dir=$1 objects
	shift
	objects=$({
		[ $# = 0 ] || sed -n 's|^+++ b/||p' "$@"
		config_differences "$kernels/$(build_id "$(baseline_variant)")/config" "$dir/.config" | sed 's|^CONFIG_\([^ ]*\).*|include/config/\1)|'
	} | grep . | grep -rlFf - --include='.*.o.cmd' "$dir" | wc -l) || true
	# The configuration itself is one.
	echo $((1 + objects))
}

make_tree() {
	local name=$1 base id dir log changed start=$SECONDS expect patches=() words
	# Files of a whole build of 7.2.
	expect=1050
	[ "$target_arch" != um ] || expect=491
	id=$(build_id "$name")
	dir=$kernels/$id
	log=$CACHE/logs/${kernels##*/}-$id.log
	[ ! -f "$dir/built" ] || return 0
	base=$(baseline_variant)
	mkdir -p "$dir" "$CACHE/logs"
	need_space CACHE "$CACHE" 1500
	rm -rf "$dir/tree"
	touch "$dir/begun"
	cp -al "$SOURCE" "$dir/tree" 2>/dev/null || { rm -rf "$dir/tree"; cp -a "$SOURCE" "$dir/tree"; } ||
		die 1 "cannot copy the source to $dir (disk full?)"
	: >"$log"
	mapfile -t patches < <(variant_patches "$name")
	if [ "$id" = "$(build_id "$base")" ]; then
		mapfile -t patches < <(series_patches "${common_series[@]}" && variant_patches "$name")
	else
		# Files with one link only were made by the baseline's build or patches; the others are the pristine source.
		(cd "$kernels/$(build_id "$base")/tree" &&
			find . \( -links 1 -type f -o -type l \) -print0 | cpio -0pdmu --quiet "$dir/tree") ||
			die 1 "cannot copy the baseline's objects to $dir (disk full?)"
		# objtool knows its files by their whole names, and would be compiled anew.
		# shellcheck disable=SC2016 # perl's
		find "$dir/tree/tools" -name '.*.cmd' -type f -print0 |
			FROM="$kernels/$(build_id "$base")/tree/" TO="$dir/tree/" xargs -0r perl -pi -e 's/\Q$ENV{FROM}\E/$ENV{TO}/g'
		expect=
	fi
	apply_patches "$dir/tree" "$log" "${patches[@]}" || {
		tail -n 5 "$log" | sed 's/^/    /' >&2
		die 1 "${unapplied#"$top"/} does not apply to $(cat "$SOURCE/.sheafbench"); the whole log is $log"
	}
	[ ${#flavour_flags[@]} = 0 ] || cp --remove-destination "$points" "$dir/tree/mm/"
	configure "$dir/tree" "$name" >>"$log" 2>&1 || {
		words=$(tail -n 1 "$log")
		[[ ! $words =~ ^(sheafbench: )?((variant|target) .*) ]] || die 1 "${BASH_REMATCH[2]}"
		tail -n 5 "$log" >&2
		die 1 "the kernel of $name cannot be configured; the whole log is $log"
	}
	expect=${expect:-$(files_to_come "$dir/tree" "${patches[@]}")}
	echo "files foreseen: $expect" >>"$log"
	if ! build_with_progress "$dir/tree" "kernel $name" "$expect" "$log.make"; then
		cat "$log.make" >>"$log"
		grep -nE 'error|Error|No space' "$log.make" | head -n 10 | sed 's/^/    /' >&2
		die 1 "the kernel of $name does not build; the whole log is $log"
	fi
	cat "$log.make" >>"$log" && rm -f "$log.make"
	# A file's owner can make it writable again.
	changed=$(find "$SOURCE" -type f \( -newer "$dir/begun" ! -newermt now -o -perm /222 \) -printf '%P\n' -quit)
	if [ -n "$changed" ]; then
		rm -rf "$SOURCE/.sheafbench" "$dir/tree"
		die 1 "the build of $name changed $changed in the pristine source, which is unpacked again for the next one; the other trees share that file, so give 'make clean' too, and look at what the series' Makefiles do"
	fi
	times >"$dir/times" # not in a subshell, which has times of its own
	printf 'wall %s s, cpu %s s\n' "$((SECONDS - start))" \
		"$(awk -F '[ms ]+' 'NR == 2 { print int($1 * 60 + $2 + $3 * 60 + $4) }' "$dir/times")" >"$dir/built.part"
	rm -f "$dir/times"
	cp "$dir/tree/.config" "$dir/config"
	mv "$dir/built.part" "$dir/built"
	say "  kernel $name: built, $(cat "$dir/built")"
	also_differs "$name" | awk '{ n++; if (n <= 8) text = text (n > 1 ? ", " : "") $1 "=" $3 " (" $2 ")" }
		END { if (n) print "    it also differs from the baseline (whose values these are) in " text (n > 8 ? " and " n - 8 " more" : "") }' >&2
}

# The code of each function in the mm/slub.o of a folder, a line each; addresses do not count.
functions_of() {
	"${cross}objdump" -dr --no-show-raw-insn --no-addresses "$1/tree/mm/slub.o" | awk '
		/^<.*>:$/ { name = substr($0, 2, length($0) - 3); next }
		name { sub(/ *#.*/, ""); gsub(/[+-]0x[0-9a-f]+$/, ""); gsub(/\t/, " "); code[name] = code[name] $0 ";" }
		END { for (name in code) print name "\t" code[name] }'
}

same_code() {
	awk -F '\t' -v hot="$hot_symbols" -v fast='^(kfree|__kmalloc(_cache)?_noprof|kmem_cache_(free|alloc_noprof))$' '
		NR == FNR { was[$1] = $2; next }
		{ is[$1] = $2; was[$1] }
		END {
			for (name in was) {
				if (name ~ hot) slow_names = slow_names " " name
				if (name ~ fast) fast_names = fast_names " " name
				if (was[name] == is[name] && name in is) continue
				others++
				slow_changed += name ~ hot
				fast_changed += name ~ fast
			}
			if (!fast_names) exit 1
			if (!others) print "all"
			else if (!slow_changed) print "slow" slow_names
			else if (!fast_changed) print "fast" fast_names
		}' <(functions_of "$kernels/$(build_id "$(baseline_variant)")") <(functions_of "$kernels/$(build_id "$1")")
}

# relink LOG TREE PAD: links the image with another pad, the short way where the target has one.
relink() {
	[ -z "${target_relinks-}" ] || ! kmake "$2" --no-print-directory -f "$top/harness/kernel/relink.mk" LAYOUT_PAD="$3" relink >"$1" 2>&1 </dev/null || return 0
	kmake "$2" -j"$JOBS" LAYOUT_PAD="$3" "$target_image_goal" >"$1" 2>&1 </dev/null
}

link_layouts() {
	local name=$1 id dir pad image log start
	shift
	id=$(build_id "$name")
	dir=$kernels/$id
	log=$CACHE/logs/${kernels##*/}-$id-link.log
	for pad in "$@"; do
		[ ! -f "$dir/$kept.$pad" ] || continue
		start=$SECONDS
		relink "$log" "$dir/tree" "$pad" || {
			tail -n 10 "$log" | sed 's/^/    /' >&2
			die 1 "$name cannot be linked with a pad of $pad bytes; the whole log is $log"
		}
		image=$dir/tree/$target_image
		"${cross}nm" "$dir/tree/vmlinux" | awk -v hot="$hot_symbols" 'tolower($2) == "t" && $3 ~ hot { print $3 "\t" $1 }' |
			sort >"$dir/symbols.$pad.part"
		cp "$image" "$dir/$kept.$pad.part"
		mv "$dir/symbols.$pad.part" "$dir/symbols.$pad"
		mv "$dir/$kept.$pad.part" "$dir/$kept.$pad"
		say "  layout $pad of $name: $((SECONDS - start)) s"
	done
}

# Builds the module from copies of it and its uapi header, outside the checkout; prints its path.
make_module() {
	local name=$1 folder=${2:-module} id dir key out log
	id=$(build_id "$name")
	dir=$kernels/$id
	key=$(find "$top/bench/$folder" "$top/bench/uapi" -type f | LC_ALL=C sort | xargs cat | hash_of)
	out=$dir/$folder-$key.ko
	log=$CACHE/logs/${kernels##*/}-$id-$folder.log
	if [ ! -f "$out" ]; then
		rm -rf "$dir/bench"
		mkdir -p "$dir/bench"
		cp -r "$top/bench/$folder" "$top/bench/uapi" "$dir/bench"
		if ! kmake "$dir/tree" -j"$JOBS" W="${W-}" M="$dir/bench/$folder" modules >"$log" 2>&1 </dev/null; then
			tail -n 15 "$log" | sed 's/^/    /' >&2
			die 1 "the module does not build for $name; the whole log is $log"
		fi
		cp "$dir/bench/$folder/"*.ko "$out.part"
		mv "$out.part" "$out"
	fi
	printf '%s\n' "$out"
}

kernel_cc=${cross}gcc
host_cc=gcc
if command -v ccache >/dev/null; then
	kernel_cc="ccache ${cross}gcc"
	host_cc="ccache gcc"
fi

# take_variant NAME: sets SOURCE to the source of its kernel, and common_series.
take_variant() {
	SOURCE=$(source_of "$1")
	mapfile -t common_series < "$top/kernel-patches/common.series"
	# The series um is for arch/um alone, and UM_FIDELITY=no leaves it out there too.
	[ "$target_arch $(variant_key "$1" um_fidelity "${UM_FIDELITY:-yes}")" = 'um yes' ] ||
		mapfile -t common_series < <(printf '%s\n' "${common_series[@]}" | grep -vx um)
}

# must_be_built NAME: a tree that was left half-made would be linked as it is.
must_be_built() { [ -f "$kernels/$(build_id "$1")/built" ] || die 1 "the kernel of $1 is not built"; }

# locked VARIANT COMMAND...: one process at a time works on a build.
locked() { with_lock "tree-${kernels##*/}-$(build_id "$1")" "${@:2}"; }
# locked_tree VARIANT: whoever has waited finds the kernel built.
locked_tree() { [ -f "$kernels/$(build_id "$1")/built" ] || locked "$1" make_tree "$1"; }

# prebuild VARIANT...: their trees, some at once: for most of the time that a patched one takes, kbuild keeps a single CPU busy.
prebuild() {
	local v id logs=$CACHE/logs/trees.$$
	declare -A name_of=()
	for v; do
		SOURCE=$asked
		take_variant "$v"
		id=$(build_id "$v")
		[ -f "$kernels/$id/built" ] || name_of[$id]=${name_of[$id]-$v}
	done
	SOURCE=$asked
	[ ${#name_of[@]} -gt 1 ] || return 0
	mkdir -p "$logs"
	# shellcheck disable=SC2317 # followed calls it
	had() {
		local id n=0
		for id in "${!name_of[@]}"; do [ ! -f "$kernels/$id/built" ] || n=$((n + 1)); done
		echo "$n"
	}
	# Under the guard, with which all of them end. What does not build, 'tree' tells.
	# shellcheck disable=SC2016,SC2317 # the other shell's; followed calls it
	at_once() {
		printf '%s\n' "${name_of[@]}" |
			"$guard" 100000 xargs -P $((JOBS < 4 ? JOBS : 4)) -I{} sh -c '"$0" tree "$2" >"$1/$2" 2>&1' "$0" "$logs" {}
	}
	followed kernels ${#name_of[@]} had /dev/null at_once || true
	cat "$logs"/* | grep -E '^  kernel .*: built|^    it also differs' >&2 || true
	rm -rf "$logs"
}

verb=${1-}
name=${2-}
known_variant() { variant_file "$1" >/dev/null || kernel_variant "$1" >/dev/null || die 2 "no variant '$1'; known: $(variant_names | tr '\n' ' ')"; }
known_variant "${name:-none}"
shift 2
asked=$SOURCE
take_variant "$name"
case $verb in
id) build_id "$name" ;;
path) printf '%s\n' "$kernels/$(build_id "$name")" ;;
unfit)
	for name in "$name" "$@"; do
		known_variant "$name"
		SOURCE=$asked
		take_variant "$name"
		! does_not_fit "$name" || printf '%s\t%s\n' "$name" "$why"
	done
	;;
differs) also_differs "$name" ;;
same)
	# Of another kernel the rest is other code, too.
	[ "$(variant_key "$name" same_code yes)" = no ] || ! cmp -s "$SOURCE/.sheafbench-contents" "$asked/.sheafbench-contents" || same_code "$name"
	;;
tree)
	base=$(baseline_variant)
	# Another kernel's baseline is told by the name of its variant.
	[ "$(build_id "$base")" = "$(build_id "$name")" ] || locked_tree "$base"
	locked_tree "$name"
	;;
trees)
	# Without it each would build it first, and fail.
	[ ! -f "$kernels/$(build_id "$(baseline_variant)")/built" ] || prebuild "$name" "$@"
	;;
link)
	must_be_built "$name"
	locked "$name" link_layouts "$name" "$@"
	;;
module)
	must_be_built "$name"
	locked "$name" make_module "$name" "$@"
	;;
*) die 2 "build.sh: no verb '$verb'; known: id path unfit differs same tree trees link module" ;;
esac
