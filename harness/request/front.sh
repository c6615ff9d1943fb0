#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# front.sh GOAL: the front door of 'make GOAL'. It checks the user's values, installs missing packages and builds the programs.
# For a measurement it writes the frozen request into the result. Later steps (steps.sh) read that and nothing else.
set -euo pipefail
if [ -z "${CACHE-}${XDG_CACHE_HOME-}${HOME-}" ]; then
	echo 'sheafbench: there is no HOME to keep kernels in: give CACHE=<folder>' >&2
	exit 2
fi
. "$(dirname "$0")/../lib.sh"
. "$top/harness/request/variants.sh"
. "$top/harness/request/values.sh"

goal=${1-}

# Drops all of the environment but the values of the table and what programs need to run as this user: CC, KCFLAGS, ARCH and
# the like would change what is measured. Our tests may set some variables more, and their results say so.
own_environment() {
	local name test_only="" keep=" PATH HOME USER LOGNAME SHELL TERM TMPDIR PWD SHLVL XDG_CACHE_HOME XDG_RUNTIME_DIR CI GIVEN SSH_AUTH_SOCK DEBIAN_FRONTEND http_proxy https_proxy no_proxy "
	local behind=" VARIANT_PATH DEADLINE KVM_DEVICE KVM_SPEED FLAVOURS MUTANTS GIT_TEST_ASSUME_DIFFERENT_OWNER "
	while read -r name; do
		if [[ "$behind" == *" $name "* && ${SHEAFBENCH_TEST-} = yes ]]; then
			test_only+="$name=${!name} "
		elif [[ "$behind" == *" $name "* ]]; then
			die 2 "$name is for sheafbench's own tests and would change what is measured: unset it"
		elif [[ "$keep ${value_names[*]} SHEAFBENCH_TEST " != *" $name "* ]]; then
			unset "$name"
		fi
	done < <(compgen -e)
	while read -r name; do unset -f "$name"; done < <(declare -Fx | awk '{ print $3 }')
	export LC_ALL=C.UTF-8 TEST_ONLY=${test_only% }
}

# need GROUP...: the packages of these groups. A terminal is asked once for all that this goal needs, those of its targets too.
need() {
	local t words group missing groups=("$@")
	if [ "$INSTALL" = ask ]; then
		read -ra words <<<"$(wanted_targets)"
		for t in "${words[@]}"; do
			group=$("$top/harness/targets/target.sh" "$t" get group)
			groups+=(${group:+"$group"})
		done
		missing=$("$top/harness/host/deps.sh" ask "${groups[@]}")
		INSTALL=yes
		[ -n "$missing" ] || return 0
	fi
	"$top/harness/host/deps.sh" "$@"
}

# The targets that were asked for, or all, a lab machine first. One may want to be asked for by name, so its probe sees what the
# user gave.
wanted_targets() { [[ ! $goal =~ ^(bench|certify|peers|profile|prove)$ ]] || printf '%s\n' "${TARGETS:-$({ echo metal; names_of_targets; } | awk '!seen[$0]++' | paste -sd ' ')}"; }

# Sets TARGETS to those that were asked for, or to all that this machine can really run, and LEFT_OUT to the reasons for others.
choose_targets() {
	local t reason group usable="" words target=$top/harness/targets/target.sh
	LEFT_OUT=""
	read -ra words <<<"$(wanted_targets)"
	for t in "${words[@]}"; do
		group=$("$target" "$t" get group)
		[ -z "$group" ] || [ "$INSTALL" = no ] || "$top/harness/host/deps.sh" "$group" || true
		reason=$("$target" "$t" probe)
		if [ -z "$reason" ]; then
			usable+="$t "
		else
			say "  target $t is left out: $reason"
			LEFT_OUT+="target $t: $reason"$'\n'
		fi
	done
	LEFT_OUT=${LEFT_OUT%$'\n'}
	TARGETS=${usable% }
	[ -n "$TARGETS" ] || die 1 "no target can run on this machine"
	export TARGETS LEFT_OUT
}

# BUILD is marked as ours; nothing is removed without the mark. Builds that are older than the mark have CMake's.
is_ours() { [ -e "$1/.sheafbench" ] || grep -qs '^CMAKE_PROJECT_NAME:STATIC=sheafbench$' "$1/CMakeCache.txt" "$1/check/CMakeCache.txt"; }
own_build() {
	[ ! -d "$build" ] || [ -z "$(ls -A "$build")" ] || is_ours "$build" ||
		die 2 "BUILD=$build holds files that are not a build of sheafbench; give another folder"
	mkdir -p "$build"
	touch "$build/.sheafbench"
}

configure() {
	local dir=$1
	mkdir -p "$dir"
	cmake -S "$top" -B "$dir" -G Ninja "${@:2}" >"$dir/configure.log" 2>&1 || {
		tail -n 15 "$dir/configure.log" >&2
		die 1 "cmake cannot configure; the whole log is $dir/configure.log"
	}
}

tools=(sheafbench-driver sheafbench-init sheafbench-module-test sheafbench-prove sheafstat sheafreport sheaftrace sheafcounts)
build_tools() {
	configure "$build" -DBUILD_TESTING=OFF
	logged "$build/tools.log" "user-space tools" cmake --build "$build" -j "$JOBS" --target "${tools[@]}"
}
# The programs in BUILD are rebuilt by one request at a time, and not while another uses them. A request that finds nothing to
# rebuild does not wait.
user_tools() {
	own_build
	exec {tools_fd}>>"$build/.lock"
	if flock -n "$tools_fd"; then
		build_tools
	elif ! cmake --build "$build" --target "${tools[@]}" -- -n 2>/dev/null | grep -q 'no work to do'; then
		wait_for "$tools_fd" -x "$build/.lock" "the programs in $build"
		build_tools
	fi
	flock -s "$tools_fd"
}

# Removes only what carries our mark and what nobody uses.
clean_up() {
	local dir
	# The mark of a cache, in the same folder, would be taken for that of a build.
	for dir in "$CACHE" "$OUT" "$top"; do
		[[ $dir/ != "${build%/}"/* ]] || die 2 "BUILD=$build is or holds $dir, which stays: nothing was removed"
	done
	if [ -d "$CACHE" ]; then
		exec {cache_fd}>>"$CACHE/.sheafbench"
		flock -n "$cache_fd" || die 1 "CACHE=$CACHE is in use by $(holder_of "$CACHE/.sheafbench"); nothing was removed"
	fi
	for dir in "$build" "$CACHE/kernels" "$CACHE/supported"; do
		[ ! -e "$dir" ] || is_ours "$dir" || die 2 "$dir has no .sheafbench, so sheafbench did not make it: nothing was removed"
	done
	if [ -d "$build" ]; then
		exec {tools_fd}>>"$build/.lock"
		flock -n "$tools_fd" || die 1 "BUILD=$build is in use by $(holder_of "$build/.lock"); nothing was removed"
	fi
	rm -rf "$build" "$CACHE/kernels" "$CACHE/supported"
	say "removed the programs in $build and the kernels in $CACHE; sources and results stay"
}

result_folder() {
	local result=${RESULT:-$OUT/latest}
	[ -f "$result/summary.json" ] || die 2 "no result in $result: run 'make bench' or give RESULT=<folder of a result>"
	printf '%s\n' "$result"
}

# The goals, as help lists them.
goals=(
	"bench    build the kernels, boot them, measure, compare, plot, write the reply"
	"check    the tests; with LONG=yes also those that take long"
	"certify  what this machine can tell: over 100 comparisons of the baseline with itself, and known doses"
	"peers    how well the loops that people use today find known doses, beside ours"
	"variant  register somebody's series as a variant: MBOX=series.mbox NAME=foo"
	"prove    debug kernels under stress: lockdep, KASAN, KCSAN, leaks, and the RCU test; TARGETS=tcg-rt for PREEMPT_RT"
	"doctor   the state of this machine, and what would make it quieter"
	"profile  hot functions and lines of the fast path of VARIANT=<name>, by perf; on uml, or with TARGETS=kvm or arm64"
	"plots    draw the plots of a result again"
	"reply    write the report and the reply of a result again; print the reply. SERIES=<name>, QUOTE=<mail>"
	"publish  write Results.md, its plots and tables, and the marked parts of README and docs/variants.md"
	"clean    remove the programs and the kernels in the cache; sources and results stay"
)
if [ "$goal" = help ]; then
	printf 'make %s\n' "${goals[@]}"
	printf '\nValues, on make'\''s command line or in the environment:\n'
	values_help
	exit
fi
[[ " ${goals[*]%% *} " == *" $goal "* ]] || die 2 "no goal '$goal'; see 'make help'"

own_environment
check_path checkout "$top"
[ -z "${TMPDIR-}" ] || TMPDIR=$(realpath -m -- "$TMPDIR")
check_path TMPDIR "${TMPDIR:-/tmp}"
[ -w "${TMPDIR:-/tmp}" ] || die 2 "TMPDIR=${TMPDIR:-/tmp}: give a folder that can be written to"
take_values "$goal"
[ "$goal" != variant ] || check_variant_values
[ "$goal" = clean ] || need_space TMPDIR "${TMPDIR:-/tmp}" 100
build=$BUILD
export GOAL=$goal
BEGAN=$(date +%s)
export BEGAN
[ -z "$MINUTES" ] || [ -z "$PRECISION" ] || die 2 "PRECISION=$PRECISION and MINUTES=$MINUTES: give one of them"
[[ $goal =~ ^(clean|doctor)$ ]] || use_cache

tuned() { "$@"; }
[ "$TUNE" = no ] || tuned() { "$top/harness/host/doctor.sh" tuned "$@"; }

case $goal in
bench | certify | peers)
	need build bench
	choose_targets
	use_machine shared
	user_tools
	list() { "$build/sheafbench-driver" --list "$@"; }
	status=0 limit=1
	[ "${SHEAFBENCH_TEST-}" != yes ] || limit=30 # in an emulated host
	timeout "$limit" "$build/sheafbench-driver" --list --workloads "$WORKLOADS" >/dev/null 2>&1 || status=$?
	[ "$status" != 124 ] || die 2 "WORKLOADS='$WORKLOADS' cannot be matched in a second; give a simpler expression"
	[ "$status" = 0 ] || die 2 "WORKLOADS='$WORKLOADS' matches no workload; $build/sheafbench-driver --list shows all names"
	list --events "$EVENTS" --event-sets "$top/harness/counters/events" >/dev/null || exit 2
	. "$top/harness/request/open.sh"
	open_result
	tuned "$top/harness/steps.sh" "$part"
	;;
variant)
	need build
	exec "$top/harness/request/register.sh"
	;;
profile)
	[ -n "$VARIANT" ] || die 2 "give VARIANT=<name>: $(variant_names | paste -sd ' ')"
	[[ $TARGETS != *' '* ]] || die 2 "TARGETS='$TARGETS': give one to profile"
	need build bench profile
	choose_targets
	use_machine shared
	user_tools
	exec "$top/harness/boots/profile.sh" "$build"
	;;
prove)
	need build bench
	choose_targets
	use_machine shared
	user_tools
	exec "$top/harness/prove/prove.sh" "$build"
	;;
doctor)
	exec "$top/harness/host/doctor.sh"
	;;
plots)
	result=$(result_folder)
	user_tools
	"$top/plots/render.sh" "$result"
	say "plots: $result/plots"
	;;
reply)
	result=$(result_folder)
	user_tools
	options=()
	[ -z "$SERIES" ] || options+=(--series "$SERIES")
	"$build/sheafreport" report "$result" "${options[@]}" >/dev/null
	if [ -n "$QUOTE" ]; then
		asked=$(mktemp)
		trap 'rm -f "$asked"' EXIT
		"$top/harness/request/quote.sh" "$QUOTE" >"$asked"
		options+=(--mail "$asked")
	fi
	"$build/sheafreport" reply "$result" "${options[@]}" >/dev/null
	cat "$result/reply.txt"
	say "reply: $result/reply.txt, $result/reply.eml"
	;;
publish)
	result=$(result_folder)
	user_tools
	"$top/harness/report/publish.sh" "$build" "$result"
	;;
check)
	groups=(build bench check qemu)
	[ "$LONG" = no ] || groups+=(arm64 profile)
	need "${groups[@]}"
	use_machine shared
	own_build
	configure "$build/check" -DBUILD_TESTING=ON -DSANITIZE=ON -DCMAKE_BUILD_TYPE=Debug "-DLONG=$LONG"
	logged "$build/check-build.log" "user-space code and tests, sanitized" cmake --build "$build/check" -j "$JOBS"
	export SHEAFBENCH_TEST=yes
	BUILD=$build/check ctest --test-dir "$build/check" -j "$JOBS" --output-on-failure
	;;
clean)
	clean_up
	;;
esac
