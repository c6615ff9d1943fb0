# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The values that a user may give, their defaults and what is valid. Sourced after lib.sh and
# variants.sh. check_values refuses a bad one in one line, exit status 2, before anything is done.

known_values=(TARGETS VARIANTS WORKLOADS LAYOUTS BOOTS RUNS SAMPLES PRECISION MOST SEED TUNE JOBS KERNEL_SRC OUT CACHE INSTALL RESULT BUILD EVENTS MITIGATIONS VARIANT DURATION
	MBOX NAME TITLE KCONFIG CMDLINE BASE UM_FIDELITY DEBUG_INFO)

# One object held at each size; alloc and free apart over the number of objects held, past
# what a sheaf and what the barn keeps; batches freed in three orders. Flushes of a CPU that runs a program, for the trade; of more
# CPUs, which tcg counts; of one that allocates; and one that waits for a SCHED_FIFO program.
default_workloads='^(pair/[0-9]+/1|(alloc|free)/64/[0-9]+(/lifo)?|batch-(alloc|free)/(64|512)/(128|2048)/(fifo|shuffled)|flush-(none/64/2|shrink/64/[0-9]+)/user|flush-shrink/64/2/kernel|flush-destroy/64/2/fifo)$'

export TARGETS=${TARGETS:-}
export VARIANTS=${VARIANTS:-}
export WORKLOADS=${WORKLOADS:-$default_workloads}
export LAYOUTS=${LAYOUTS:-16} BOOTS=${BOOTS:-1} RUNS=${RUNS:-1} SAMPLES=${SAMPLES:-300} SEED=${SEED:-1}
# With a PRECISION, layouts are added until the intervals are that narrow, MOST at most.
export PRECISION=${PRECISION:-} MOST=${MOST:-64} TUNE=${TUNE:-no} MITIGATIONS=${MITIGATIONS:-yes}
# What performance counters count (harness/counters/events): the driver knows the names.
export EVENTS=${EVENTS:-auto} VARIANT=${VARIANT:-}
# Whether counts are told by source line, for which kernels with debug information are built.
export DEBUG_INFO=${DEBUG_INFO:-no}
# Whether arch/um is made to run x86's fast path (kernel-patches/patches/um), or is as the kernel has it.
export UM_FIDELITY=${UM_FIDELITY:-yes}
# Seconds of each test in a boot of 'make prove'; what is to be proven at each point takes as long as it takes.
export DURATION=${DURATION:-5}
export KERNEL_SRC=${KERNEL_SRC:-debian-7.2}
export OUT=${OUT:-$top/results} INSTALL=${INSTALL:-yes} RESULT=${RESULT:-}
# Steps run in folders of their own, so a path means what it means where make was called.
OUT=$(realpath -m -- "$OUT") CACHE=$(realpath -m -- "$CACHE")
[ -z "$RESULT" ] || RESULT=$(realpath -m -- "$RESULT")
case $KERNEL_SRC in
debian-[0-9]*) ;;
# Where the commit begins is for git to say.
*@*) [[ $KERNEL_SRC == /* ]] || KERNEL_SRC=$PWD/$KERNEL_SRC ;;
*) KERNEL_SRC=$(realpath -m -- "$KERNEL_SRC") ;;
esac
export CACHE JOBS

target_names() { (cd "$top/harness/targets" && printf '%s\n' *.sh | sed 's/\.sh$//'); }

# telling_target WHAT: the first of TARGETS whose boots tell that, or nothing.
telling_target() {
	local t
	for t in ${TARGETS:-uml}; do
		(unset target_tells && . "$top/harness/targets/$t.sh" && [ "${target_tells:-time}" = "$1" ]) || continue
		printf '%s\n' "$t"
		return
	done
}
time_target() { telling_target time; }

# The architecture of the boots: that of the target that tells time, or of the first.
chosen_arch() {
	local t
	t=$(time_target)
	t=${t:-${TARGETS%% *}}
	(. "$top/harness/targets/$t.sh" && printf '%s\n' "$target_arch")
}

known_word() {
	local what=$1 word=$2
	shift 2
	[[ " $* " == *" $word "* ]] || die 2 "$what: '$word' is not known; valid: $*"
}

number_between() {
	if ! [[ $2 =~ ^[0-9]{1,10}$ ]] || [ "$((10#$2))" -lt "$3" ] || [ "$((10#$2))" -gt "$4" ]; then
		die 2 "$1=$2: give a whole number from $3 to $4"
	fi
}

writable_folder() {
	local at=$2 probe
	[[ $at != *[[:space:]]* ]] || die 2 "$1='$at': give a folder without white space in its path"
	{ mkdir -p "$at" && probe=$(mktemp "$at/.probe.XXXXXX") && rm -f "$probe"; } 2>/dev/null ||
		die 2 "$1=$at: give a folder that can be written to"
}

check_values() {
	local word all
	for word in ${GIVEN:-}; do
		known_word "make" "$word" "${known_values[@]}"
	done
	number_between LAYOUTS "$LAYOUTS" 1 256
	number_between BOOTS "$BOOTS" 1 100
	number_between RUNS "$RUNS" 1 100
	number_between MOST "$MOST" 1 256
	[[ $PRECISION =~ ^([0-9]{1,4}(\.[0-9]{1,6})?)?$ && ! $PRECISION =~ ^[0.]+$ ]] ||
		die 2 "PRECISION=$PRECISION: give the half-width of the 95 % interval in ticks, such as 0.5"
	known_word TUNE "$TUNE" yes no
	known_word MITIGATIONS "$MITIGATIONS" yes no
	known_word UM_FIDELITY "$UM_FIDELITY" yes no
	known_word DEBUG_INFO "$DEBUG_INFO" yes no
	[[ $EVENTS =~ ^[A-Za-z0-9_:.,=-]+$ ]] || die 2 "EVENTS='$EVENTS': give auto, none, or names with commas between them"
	number_between SAMPLES "$SAMPLES" 20 20000
	number_between SEED "$SEED" 0 4294967295
	number_between JOBS "$JOBS" 1 1024
	number_between DURATION "$DURATION" 1 86400
	known_word INSTALL "$INSTALL" yes no
	mapfile -t all < <(target_names)
	for word in $TARGETS; do known_word TARGETS "$word" "${all[@]}"; done
	mapfile -t all < <(variant_names)
	[ "$VARIANTS" = none ] || for word in $VARIANTS; do known_word VARIANTS "$word" "${all[@]}"; done
	local status=0
	grep -qE -- "$WORKLOADS" </dev/null || status=$?
	[ "$status" -le 1 ] || die 2 "WORKLOADS='$WORKLOADS' is no extended regular expression; try '^pair/64/'"
	writable_folder OUT "$OUT"
	writable_folder CACHE "$CACHE"
	case $KERNEL_SRC in
	debian-[0-9]*.[0-9]*) ;;
	*) [ -f "$KERNEL_SRC" ] || [ -f "$KERNEL_SRC/mm/slub.c" ] || { [[ $KERNEL_SRC == *@* ]] && commits_of KERNEL_SRC 'give <git tree>@<commit>'; } ||
		die 2 "KERNEL_SRC=$KERNEL_SRC: give debian-<series> (debian-7.2, debian-7.3), a kernel folder, a git tree with @commit, or a tarball" ;;
	esac
}

# Of the chosen variants that share a build, the first.
chosen_builds() {
	local name
	for name in $(chosen_variants); do
		printf '%s %s\n' "$(variant_build_text "$name" | hash_of)" "$name"
	done | awk '!seen[$1]++ { print $2 }'
}

# The variants to run: those asked for, or all but the checks; the baseline is in every result, and the
# null and the doses, which prove a clock, in every one that tells time. Those that are not for the architecture are left out.
chosen_variants() {
	local name role timed arch
	timed=$(time_target)
	arch=$(chosen_arch)
	for name in $(variant_names); do
		role=$(variant_key "$name" role change)
		[[ " $(variant_key "$name" arch "$arch") " == *" $arch "* ]] || continue
		case $role in
		baseline) ;;
		null | dose) [ -n "$timed" ] || [[ " $VARIANTS " == *" $name "* ]] || continue ;;
		*)
			[[ " $VARIANTS " == *" $name "* ]] || { [ -z "$VARIANTS" ] && [ "$role" = change ]; } || continue
			;;
		esac
		printf '%s\n' "$name"
	done
}

# What 'make variant' is given. Some of these names are in people's environments for other reasons, so only
# those on make's command line count.
check_variant_values() {
	local word all taken
	for word in MBOX NAME TITLE KCONFIG CMDLINE BASE; do
		[[ " ${GIVEN-} " == *" $word "* ]] || printf -v "$word" ''
		[[ ! ${!word-} =~ [[:cntrl:]] ]] || die 2 "$word: give it in one line, without tabs"
	done
	[ -n "$MBOX" ] || die 2 "give MBOX=<mailbox | folder of patches | git tree@from..to>"
	[[ $NAME =~ ^[a-z0-9][a-z0-9.-]{0,30}$ && ! $NAME =~ -[0-9]+\.[0-9]+$ && $NAME != none ]] ||
		die 2 "NAME='$NAME': give a name of a-z, 0-9, '.' and '-', at most 31 long, without a kernel's version at its end"
	for word in "variants/$NAME.variant" "patches/$NAME"; do
		taken=$(in_path "$word") || continue
		[ "${taken%/*/*}" = "${variant_path[-1]}" ] || die 2 "NAME=$NAME is taken by $taken; choose another"
		die 2 "NAME=$NAME is taken by $taken; choose another, or remove it first: rm -rf ${taken%/*/*}/{variants/$NAME.variant,patches/$NAME}"
	done
	[ ${#TITLE} -le 60 ] || die 2 "TITLE has ${#TITLE} characters; give at most 60"
	for word in $KCONFIG; do
		[[ $word =~ ^CONFIG_[A-Za-z0-9_]+=[^=]+$ ]] || die 2 "KCONFIG: '$word' is no CONFIG_X=value; give several with blanks between them"
	done
	mapfile -t all < <(find -H "${variant_path[@]/%//patches}" -mindepth 1 -maxdepth 1 ! -name '.*' -printf '%f\n' 2>/dev/null |
		grep -vxFf "$top/kernel-patches/common.series" | grep -vE -- '-[0-9]+\.[0-9]+$' | LC_ALL=C sort -u)
	for word in $BASE; do known_word BASE "$word" "${all[@]}"; done
	export MBOX NAME TITLE KCONFIG CMDLINE BASE
}
