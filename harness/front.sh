#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# front.sh GOAL: what 'make GOAL' does: check the values, install what is missing, configure, build.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$top/harness/variants.sh"

# What a goal asks of 'bench' where the user says nothing. The last two are no values of the user's.
ALSO="" LINK=latest
case ${1-} in
certify)
	: "${VARIANTS:=half-gate}" "${LAYOUTS:=112}" "${BOOTS:=2}" "${RUNS:=2}" "${SAMPLES:=200}"
	: "${WORKLOADS:=^(pair/[0-9]+/1|(alloc|free)/64/(1|32/lifo))\$}"
	LINK=certified
	;;
peers)
	: "${VARIANTS:=none}" "${LAYOUTS:=8}" "${BOOTS:=3}" "${SAMPLES:=200}" "${WORKLOADS:=^pair/64/1\$}"
	ALSO=^peer- LINK=peers
	;;
# What is counted, and not timed, hardly depends on where the code lies.
bench) [ "${TARGETS-}" != arm64 ] || : "${LAYOUTS:=4}" ;;
prove) : "${TARGETS:=uml tcg}" ;;
profile)
	: "${TARGETS:=uml}" "${WORKLOADS:=^pair/64/1\$}"
	[[ $TARGETS != uml* ]] || : "${SAMPLES:=20000}"
	;;
esac
export GOAL=${1-} ALSO LINK
. "$top/harness/values.sh"

build=${BUILD:-$top/build}
result_folder() {
	local result=${RESULT:-$OUT/latest}
	[ -f "$result/summary.json" ] || die 2 "no result in $result: run 'make bench' or give RESULT=<folder of a result>"
	printf '%s\n' "$result"
}

configure() {
	mkdir -p "$1"
	cmake -S "$top" -B "$1" -G Ninja "${@:2}" >"$1/configure.log" 2>&1 || {
		tail -n 15 "$1/configure.log" >&2
		die 1 "cmake cannot configure; the whole log is $1/configure.log"
	}
}

user_tools() {
	"$top/harness/deps.sh" build bench
	configure "$build" -DBUILD_TESTING=OFF -DCHOSEN_BUILDS="$(chosen_builds | paste -sd ';')"
	logged "$build/tools.log" "user-space tools" cmake --build "$build" -j "$JOBS" \
		--target sheafbench-driver sheafbench-init sheafbench-module-test sheafstat sheafreport sheafcount sheafcounts
}

# TARGETS: those asked for, or all that this machine can really run; LEFT_OUT says why not.
choose_targets() {
	local t reason usable=""
	LEFT_OUT=""
	for t in ${TARGETS:-$(target_names)}; do
		reason=$(
			. "$top/harness/targets/$t.sh"
			[ -z "${target_group-}" ] || [ "$INSTALL" = no ] || ("$top/harness/deps.sh" "$target_group") || true
			target_probe
		)
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

tuned() { "$@"; }
[ "$TUNE" = no ] || tuned() { "$top/harness/doctor.sh" tuned "$@"; }

case ${1-} in
bench | certify | peers)
	check_values
	choose_targets
	user_tools
	"$build/sheafbench-driver" --list --workloads "$WORKLOADS" >/dev/null 2>&1 ||
		die 2 "WORKLOADS='$WORKLOADS' matches no workload; $build/sheafbench-driver --list shows all names"
	"$build/sheafbench-driver" --list --events "$EVENTS" --event-sets "$top/harness/counters/events" >/dev/null || exit 2
	# What Ninja saw through this link would be another result's.
	rm -f "$build/current"
	# The steps speak for themselves on standard error; what Ninja adds of its own is noise.
	status=0
	NINJA_STATUS='' tuned cmake --build "$build" -j "$JOBS" --target bench -- --quiet >"$build/ninja.log" || status=1
	grep -vE '^(FAILED:|ninja:|cd /|$)' "$build/ninja.log" >&2 || true
	# A boot that failed fails the goal, but what the others brought is told first.
	[ "$1" = bench ] || [ ! "$OUT/$LINK/summary.json" -nt "$build/tools.log" ] || "$build/sheafstat" "$1" "$OUT/$LINK"
	[ "$status" = 0 ] || exit "$status"
	[ "$1" != peers ] || { "$top/plots/render.sh" "$OUT/$LINK" && say "plot: $OUT/$LINK/plots/peers.png"; }
	;;
variant)
	check_values
	check_variant_values
	"$top/harness/deps.sh" build
	exec "$top/harness/variant.sh"
	;;
profile)
	check_values
	[ -n "$VARIANT" ] || die 2 "give VARIANT=<name>: $(variant_names | paste -sd ' ')"
	mapfile -t variants < <(variant_names)
	known_word VARIANT "$VARIANT" "${variants[@]}"
	[[ $TARGETS != *' '* ]] || die 2 "TARGETS='$TARGETS': give one to profile"
	choose_targets
	user_tools
	"$top/harness/deps.sh" profile
	exec "$top/harness/profile.sh" "$build"
	;;
prove)
	check_values
	"$top/harness/deps.sh" build bench
	[[ " $TARGETS " != *" tcg "* ]] || "$top/harness/deps.sh" qemu
	choose_targets
	configure "$build" -DBUILD_TESTING=OFF
	logged "$build/tools.log" "user-space tools" cmake --build "$build" -j "$JOBS" --target sheafbench-init sheafbench-prove
	exec "$top/harness/prove.sh" "$build"
	;;
doctor)
	exec "$top/harness/doctor.sh"
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
	"$build/sheafreport" report "$result"
	"$build/sheafreport" reply "$result"
	cat "$result/reply.txt"
	say "reply: $result/reply.txt, $result/reply.eml"
	;;
publish)
	result=$(result_folder)
	user_tools
	"$top/harness/publish.sh" "$build" "$result"
	;;
check)
	check_values
	"$top/harness/deps.sh" build bench check qemu arm64 profile
	configure "$build/check" -DBUILD_TESTING=ON -DSANITIZE=ON -DCMAKE_BUILD_TYPE=Debug
	logged "$build/check-build.log" "user-space code and tests, sanitized" cmake --build "$build/check" -j "$JOBS"
	BUILD=$build/check ctest --test-dir "$build/check" -j "$JOBS" --output-on-failure
	;;
clean)
	check_values
	rm -rf "$build" "$CACHE/kernels"
	say "removed the build trees; sources stay in $CACHE, results in $OUT"
	;;
*)
	die 2 "no goal '${1-}'; see 'make help'"
	;;
esac
