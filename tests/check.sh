# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# Sourced by the test scripts. ok and not_ok record checks, and finish ends the script with the outcome.

. "$(dirname "${BASH_SOURCE[0]}")/../harness/lib.sh"
# The front door lets a test set more variables, and marks results as made by a test.
export SHEAFBENCH_TEST=yes
# With LONG=yes of 'make check' tests do all of their work, else some do a part.
LONG=${LONG:-no}
# Variants that are registered on this machine are not tested.
export VARIANT_PATH=${VARIANT_PATH:-$top/kernel-patches}
. "$top/harness/request/variants.sh"
failures=0

# start_boot TARGET LOG IMAGE INITRAMFS CMDLINE OUT DEADLINE [KEY...]: one boot, beside those that were started. All that it
# starts ends with the test. Why it brought no result is in LOG.reason after end_boots.
start_boot() {
	"$top/harness/targets/target.sh" "$1" boot "${@:2}" >"$2.reason" &
	booting+=" $!"
}
# shellcheck disable=SC2086 # a list
end_boots() {
	wait $booting || true
	booting=
}
# boot_target: start_boot's arguments; sets reason.
boot_target() {
	start_boot "$@"
	end_boots
	reason=$(cat "$2.reason")
}
booting=
trap 'end_jobs $booting; exit 130' INT TERM HUP

ok() { printf 'ok - %s\n' "$*"; }
not_ok() {
	printf 'not ok - %s\n' "$*"
	failures=$((failures + 1))
}

# holds WHAT COMMAND...: ok when the command succeeds.
holds() {
	local what=$1
	shift
	if "$@" >/dev/null 2>&1; then ok "$what"; else not_ok "$what"; fi
}

# expect STATUS PATTERN WHAT COMMAND...: exit status and output of a command.
expect() {
	local want=$1 pattern=$2 what=$3 status=0 output
	shift 3
	output=$("$@" 2>&1 </dev/null) || status=$?
	if [ "$status" != "$want" ]; then
		not_ok "$what: status $status, not $want: $(tail -n 3 <<<"$output")"
	elif ! grep -qE -- "$pattern" <<<"$output"; then
		not_ok "$what: no /$pattern/ in: $(tail -n 3 <<<"$output")"
	else
		ok "$what"
	fi
}

make_guest_programs() {
	cmake -S "$top" -B "$build/guest" -G Ninja -DBUILD_TESTING=OFF >/dev/null
	cmake --build "$build/guest" -j "$JOBS" --target "$@" >/dev/null
}
# guest_programs TARGET...: builds these in $build/guest, without the sanitizers of the tests' own build.
guest_programs() { with_lock "programs-$(hash_of <<<"$build")" make_guest_programs "$@"; }

finish() {
	[ "$failures" = 0 ] || { printf '%s checks failed\n' "$failures"; exit 1; }
}
