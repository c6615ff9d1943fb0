# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The values that a user may give, in one table. Defaults, checks, the identity of a request, the command that repeats it and
# the help come from it. Sourced after lib.sh and variants.sh.

# value NAME KIND CHECK DEFAULT HELP [GOAL=DEFAULT]...
#   KIND   words of: id: another value is another request. way: how or where the same is done. make: counts only on make's
#          command line, since people have environment variables of that name for other reasons
#   CHECK  a function check_<first word>, which gets the name and the rest of the words
value_names=()
declare -A value_kind value_check value_default value_help value_for_goal
value() {
	local name=$1 goal
	value_names+=("$name")
	value_kind[$name]=$2 value_check[$name]=$3 value_default[$name]=$4 value_help[$name]=$5
	for goal in "${@:6}"; do value_for_goal["$name ${goal%%=*}"]=${goal#*=}; done
}

# Pairs of one object at each size; pairs, alloc and free of a program that does other work between them; alloc and free apart,
# over numbers of objects past what a sheaf and what the barn hold; batches freed in two orders. Flushes of a CPU that runs a
# program; of more CPUs, which tcg counts; of a CPU that allocates; and one that waits for a SCHED_FIFO program. Excursions of
# a program into the kernel.
default_workloads='^(pair/[0-9]+/1|pair-spaced/64/[0-9]+|(alloc|free)-spaced/64/24|(alloc|free)/64/[0-9]+(/lifo)?|batch-(alloc|free)/(64|512)/(128|2048)/(fifo|shuffled)|excursion/64/(0|16|64|256|1024)|flush-(none/64/2|shrink/64/[0-9]+)/user|flush-shrink/64/2/kernel|flush-destroy/64/2/fifo)$'

value VARIANTS id 'words variants' '' "which kernels, such as \"qpw-off qpw-on\" (default: the thread's six schemes and your own; 'debate': also what else it names; 'none': the baseline alone)" certify=half-gate peers=none
value WORKLOADS id regex "$default_workloads" 'which workloads, a regular expression on their names' \
	'certify=^(pair/[0-9]+/1|(alloc|free)/64/(1|32/lifo))$' 'peers=^pair/64/1$' 'profile=^pair/64/1$'
value TARGETS id 'words targets' '' 'where to run: metal, kvm, uml (time), tcg, tcg-rt (exact counts), arm64 (its PMU); default: uml, kvm and tcg, as far as they run here, and metal with HOST; of prove uml and tcg' \
	'prove=uml tcg' profile=uml
value HOST 'id make' host '' 'of TARGETS=metal: the machine that is rebooted into each kernel, as ssh knows it, such as root@box'
value LAYOUTS id 'number 1 256' 12 'layouts of each variant' certify=112 peers=8
value BOOTS id 'number 1 100' 3 "boots of each layout; of 'make bench' those after the first are of the workloads with a verdict alone" certify=2
value RUNS id 'number 1 100' 1 'runs of each workload in a boot' certify=2
value SAMPLES id 'number 20 20000' 300 'samples of a run' certify=200 peers=200
value PRECISION id ticks '' 'add layouts until the intervals reach +- so many ticks'
value MINUTES id 'minutes 1 1440' '' 'as many layouts as so many minutes are enough for, whatever LAYOUTS says; counts on tcg get a third of them'
value MOST id 'number 1 256' 64 'layouts at most, with PRECISION'
value EQUAL id ticks 0.5 'differences within +- so many ticks may be called equal'
value SEED id 'number 0 4294967295' 1 'seed of the layouts and of the order'
value EVENTS id events auto 'performance counters: auto, none, or names with commas (harness/counters/events)'
value MITIGATIONS id 'words yesno' yes 'no: tcg, tcg-rt, kvm and metal boot with mitigations=off'
value UM_FIDELITY id 'words yesno' yes 'no: arch/um as the kernel has it, without kernel-patches/patches/um'
value DEBUG_INFO id 'words yesno' no 'yes: tcg also tells which source lines instructions come from (builds each kernel once more)'
value TUNE id 'words yesno' no 'yes: governor, turbo and NMI watchdog are set for the run, and put back after it'
value KERNEL_SRC id kernel debian-7.2 'the kernel source: debian-<series>, a folder, a git tree with @commit, a tarball'
value KERNELS id kernels '' "several of these, with blanks between them: the baseline of the first, and that of each other as a variant of its name"
value VARIANT way variant '' "of 'make profile': which variant"
value DURATION way 'number 1 86400' 5 "of 'make prove': seconds of each test in a boot"
value MBOX make line '' "of 'make variant': a mailbox as b4 or lore gives it, a folder of patches, or <git tree>@<from>..<to>"
value MSGID make line '' "of 'make variant': in place of MBOX, a message-id of the series' thread, where there is b4"
value NAME make line '' "of 'make variant': the variant's name"
value TITLE make line '' "of 'make variant': its title in tables and plots"
value KCONFIG make line '' "of 'make variant': its options, such as \"CONFIG_X=y\""
value CMDLINE make line '' "of 'make variant': its boot parameters"
value BASE make line '' "of 'make variant': the series that it is based on, such as \"qpw\""
value STEPS make 'words yesno' no "of 'make variant': yes registers the first patch alone, the first two, ..., as NAME-p1, NAME-p2, ..., too"
value SERIES way line '' "of 'make reply': speak of these variants only, such as \"pw-v5\""
value QUOTE way line '' "of 'make reply': the mail that is answered, as a mailbox or, where there is b4, a message-id"
value RESULT way line '' 'the result that plots, reply and publish are about (default: the latest)'
value OUT way folder "$top/results" 'where results go'
value BUILD way folder "$top/build" 'where the programs are built'
value CACHE way folder "$CACHE" 'where sources and kernels are kept'
value JOBS way 'number 1 1024' "$JOBS" 'compilers at once'
value INSTALL way 'words install' ask 'packages that are missing: yes installs them, no names them; ask: yes, but a terminal is asked first'
value LONG way 'words yesno' no "of 'make check': yes runs also the tests that take long"
value NOWAIT way 'words yesno' no 'yes: refuse to begin while another sheafbench has the machine, instead of waiting'

values_help() {
	local name text
	for name in "${value_names[@]}"; do
		text=${value_default[$name]}
		[ -z "$text" ] || [ ${#text} -gt 30 ] || [[ $text == /* ]] || text=" (default: $text)"
		[ "${text:0:1}" = ' ' ] || text=
		printf '  %-12s %s%s\n' "$name" "${value_help[$name]}" "$text"
	done
}

### What may be chosen from.

names_of_targets() { (cd "$top/harness/targets" && printf '%s\n' *.sh | sed 's/\.sh$//' | grep -vx target); }
names_of_variants() { variant_names; variant_sets; }
names_of_kernels() { variant_names; }
names_of_yesno() { printf '%s\n' yes no; }
names_of_install() { printf '%s\n' ask yes no; }

# known WHAT WORD NAME...
known() {
	local what=$1 word=$2
	shift 2
	[[ " $* " == *" $word "* ]] || die 2 "$what: '$word' is not known; valid: $*"
}

### The checks: each gets the value's name and the words of the table.

check_number() {
	if ! [[ ${!1} =~ ^(0|[1-9][0-9]{0,9})$ ]] || [ "${!1}" -lt "$2" ] || [ "${!1}" -gt "$3" ]; then
		die 2 "$1=${!1}: give a whole number from $2 to $3"
	fi
}

check_host() { [[ ${!1} =~ ^([A-Za-z0-9][A-Za-z0-9_.@:/-]*)?$ ]] || die 2 "$1='${!1}': give a machine as ssh knows it, such as root@box"; }

check_minutes() { [ -z "${!1}" ] || check_number "$@"; }

check_ticks() {
	[[ ${!1} =~ ^((0|[1-9][0-9]{0,3})(\.[0-9]{1,6})?)?$ && ! ${!1} =~ ^[0.]+$ ]] ||
		die 2 "$1=${!1}: give so many ticks, such as 0.5"
}

# Words are split without looking for files of that name.
check_words() {
	local word words all
	mapfile -t all < <("names_of_$2")
	read -ra words <<<"${!1}"
	[ "$1 ${!1}" != 'VARIANTS none' ] || return 0
	for word in "${words[@]}"; do known "$1" "$word" "${all[@]}"; done
}

check_variant() { [ -z "${!1}" ] || check_words "$1" kernels; }

check_events() { [[ ${!1} =~ ^[A-Za-z0-9_:.,=-]+$ ]] || die 2 "$1='${!1}': give auto, none, or names with commas between them"; }

# grep compiles it here. Whether it can be matched in a second is known once the driver is built, which uses the same library.
check_regex() {
	local status=0 text=${!1}
	[[ ${#text} -le 4096 && $text != *[[:cntrl:]]* ]] || die 2 "$1: give an extended regular expression of one line, such as '^pair/64/'"
	(ulimit -v 2000000 && timeout 1 grep -qE -- "$text" </dev/null) 2>/dev/null || status=$?
	[ "$status" -le 1 ] || die 2 "$1='$text' is no extended regular expression that can be matched in a second; try '^pair/64/'"
}

check_line() { [[ ${!1} != *[[:cntrl:]]* ]] || die 2 "$1: give it in one line, without tabs"; }

# Some characters of a path have a meaning to kbuild, QEMU or uml.
check_path() {
	[[ $2 =~ ^[A-Za-z0-9._+@/-]+$ ]] || die 2 "$1='$2': give a folder whose path has only letters, digits and . _ + @ -; kbuild, QEMU or uml misread others"
}

check_folder() {
	local probe
	check_path "$1" "${!1}"
	{ mkdir -p "${!1}" && probe=$(mktemp "${!1}/.probe.XXXXXX") && rm -f "$probe"; } 2>/dev/null ||
		die 2 "$1=${!1}: give a folder that can be written to"
}

check_kernel() {
	# shellcheck disable=SC2034 # commits_of sets it
	local commits
	case ${!1} in
	debian-[0-9]*.[0-9]*) ;;
	*) [ -f "${!1}" ] || [ -f "${!1}/mm/slub.c" ] || { [[ ${!1} == *@* ]] && commits_of "$1" 'give <git tree>@<commit>'; } ||
		die 2 "$1=${!1}: give debian-<series> (debian-7.2, debian-7.3), a kernel folder, a git tree with @commit, or a tarball" ;;
	esac
}
# The variants of KERNELS have no files, so no other variant may have one of their names.
check_kernels() {
	local words word name taken
	read -ra words <<<"$KERNELS"
	[ ${#words[@]} != 1 ] || die 2 "KERNELS=$KERNELS: give two kernels or more, or KERNEL_SRC=$KERNELS"
	for word in "${words[@]}"; do KERNELS=$word check_kernel KERNELS; done
	while read -r name word _; do
		! taken=$(variant_file "$name") || die 2 "KERNELS: $word would be the variant $name, which $taken is: give it another path"
		[[ $'\n'$(variant_sets)$'\n' != *$'\n'"$name"$'\n'* ]] || die 2 "KERNELS: $word would be $name, which VARIANTS takes for a set: give it another path"
	done < <(kernel_variants)
}

absolute_kernel() {
	# Between quotes the shell has left it.
	# shellcheck disable=SC2088
	[[ $1 != '~/'* ]] || set -- "${HOME-}/${1#*/}"
	case $1 in
	debian-[0-9]*) printf '%s\n' "$1" ;;
	*@*) if [[ $1 == /* ]]; then printf '%s\n' "$1"; else printf '%s\n' "$PWD/$1"; fi ;; # where the commit begins is for git to say
	*) realpath -m -- "$1" ;;
	esac
}

# take_values GOAL: sets each value to what the user gave, or to its default for the goal, and checks it, whatever the goal.
# GIVEN has the names on make's command line.
take_values() {
	local goal=$1 name at words given=no
	[ -z "${KERNEL_SRC-}" ] || given=yes
	for name in ${GIVEN-}; do known make "$name" "${value_names[@]}"; done
	for name in "${value_names[@]}"; do
		[[ " ${value_kind[$name]} " != *' make '* ]] || [[ " ${GIVEN-} " == *" $name "* ]] || unset "$name"
		at=${value_for_goal["$name $goal"]-${value_default[$name]}}
		[ -n "${!name-x}" ] || [ -z "${value_default[$name]}" ] || die 2 "$name is given and empty; leave it out, or give a value such as '$at'"
		[ "$goal $name ${TARGETS-}" != 'bench LAYOUTS arm64' ] || at=4 # counts hardly depend on the layout
		# Nor on the boot; and on a lab machine each takes minutes.
		[[ $goal != bench || $name != BOOTS || ! " ${TARGETS-} ${HOST:+metal} " =~ \ metal\ |^\ arm64\  ]] || at=1
		[[ $goal != profile || $name != SAMPLES || ${TARGETS:-uml} == uml* ]] || at=300
		[[ $goal != profile || $name != SAMPLES || ${TARGETS:-uml} != uml* ]] || at=20000
		[ -n "${!name-}" ] || printf -v "$name" %s "$at"
		export "${name?}"
	done
	# Steps run in folders of their own: a relative path is made absolute here, where make was called.
	for name in OUT BUILD CACHE; do printf -v "$name" %s "$(realpath -m -- "${!name}")"; done
	[ -z "$RESULT" ] || RESULT=$(realpath -m -- "$RESULT")
	[ -z "$MBOX" ] || [[ $MBOX == /* ]] || MBOX=$PWD/$MBOX
	[ ! -e "$QUOTE" ] || QUOTE=$(realpath -- "$QUOTE")
	KERNEL_SRC=$(absolute_kernel "$KERNEL_SRC")
	read -ra words <<<"$KERNELS"
	if [ ${#words[@]} -gt 0 ]; then
		mapfile -t words < <(for name in "${words[@]}"; do absolute_kernel "$name"; done)
		KERNELS=${words[*]}
		[ "$given" = no ] || [ "$KERNEL_SRC" = "${words[0]}" ] || die 2 "KERNEL_SRC=$KERNEL_SRC and KERNELS=$KERNELS: give one of them; the baseline has the first of KERNELS"
		KERNEL_SRC=${words[0]}
	fi
	for name in "${value_names[@]}"; do
		read -ra at <<<"${value_check[$name]}"
		"check_${at[0]}" "$name" "${at[@]:1}"
	done
}

# repeat_command GOAL: the command that makes the same request again.
repeat_command() {
	local name given text="make $1"
	for name in "${value_names[@]}"; do
		[[ " ${value_kind[$name]} " == *' id '* ]] || continue
		given=${!name}
		# Targets and variants are named even where they are the default: other machines and versions have others.
		[ "$name" != KERNEL_SRC ] || [ -z "$KERNELS" ] || continue # it is the first of these
		case $name in TARGETS | VARIANTS) ;; *) [ "$given" != "${value_for_goal["$name $1"]-${value_default[$name]}}" ] || continue ;; esac
		# Quoted for make and for the shell.
		given=${given//\$/\$\$}
		[[ $given =~ ^[A-Za-z0-9_./:,=@+-]+$ ]] || given="'${given//\'/\'\\\'\'}'"
		text+=" $name=$given"
	done
	printf '%s\n' "$text"
}

# The values of 'make variant' have checks beyond those of the table.
check_variant_values() {
	local word words all taken
	[ -n "$MBOX$MSGID" ] || die 2 "give MBOX=<mailbox | folder of patches | git tree@from..to>, or MSGID=<message-id>"
	[ -z "$MBOX" ] || [ -z "$MSGID" ] || die 2 "MBOX=$MBOX and MSGID=$MSGID: give one of them"
	[[ $NAME =~ ^[a-z0-9][a-z0-9.-]{0,30}$ && ! $NAME =~ -[0-9]+\.[0-9]+$ && $NAME != none ]] ||
		die 2 "NAME='$NAME': give a name of a-z, 0-9, '.' and '-', at most 31 long, without a kernel's version at its end"
	! variant_sets | grep -qxF -- "$NAME" || die 2 "NAME=$NAME is what VARIANTS calls a set of variants; choose another"
	for word in "variants/$NAME.variant" "variants/$NAME-p1.variant" "patches/$NAME"; do
		taken=$(in_path "$word") || continue
		[ "${taken%/*/*}" = "${variant_path[-1]}" ] || die 2 "NAME=$NAME is taken by $taken; choose another"
		die 2 "NAME=$NAME is taken by $taken; choose another, or remove it first: rm -rf ${taken%/*/*}/{variants/$NAME{,-p*}.variant,patches/$NAME}"
	done
	# Each result that the variant is in has both, and what reads a result refuses other texts.
	for word in TITLE CMDLINE; do
		fit_text <<<"${!word}" || die 2 "$word: give it in UTF-8, without characters that control what shows it"
	done
	[ ${#TITLE} -le 60 ] || die 2 "TITLE has ${#TITLE} characters; give at most 60"
	[ ${#CMDLINE} -le 1000 ] || die 2 "CMDLINE has ${#CMDLINE} characters; give at most 1000: a kernel drops what is too long for it"
	read -ra words <<<"$KCONFIG"
	for word in "${words[@]}"; do
		[[ $word =~ ^CONFIG_[A-Za-z0-9_]+=[^=]+$ ]] || die 2 "KCONFIG: '$word' is no CONFIG_X=value; give several with blanks between them"
	done
	mapfile -t all < <(find -H "${variant_path[@]/%//patches}" -mindepth 1 -maxdepth 1 ! -name '.*' -printf '%f\n' 2>/dev/null |
		grep -vxFf "$top/kernel-patches/common.series" | grep -vE -- '-[0-9]+\.[0-9]+$' | LC_ALL=C sort -u)
	read -ra words <<<"$BASE"
	for word in "${words[@]}"; do known BASE "$word" "${all[@]}"; done
}
