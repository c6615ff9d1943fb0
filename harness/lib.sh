# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# Shared by the shell glue: messages, the cache, atomic writes, hashes.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sheafbench}
JOBS=${JOBS:-$(nproc)}

say() { printf '%s\n' "$*" >&2; }

# die STATUS MESSAGE: one line that names the mend; 2 is a wrong request, 1 a failed step.
die() {
	local status=$1
	shift
	say "sheafbench: $*"
	exit "$status"
}

# hash_of [FILE...]: short content hash of the files, or of standard input.
hash_of() { cat -- "$@" | sha256sum | cut -c1-16; }

# logged LOG WHAT COMMAND...: run with its output in LOG; a failure shows the log's end and its name.
logged() {
	local log=$1 what=$2 start=$SECONDS
	shift 2
	mkdir -p "$(dirname "$log")"
	if "$@" >"$log" 2>&1 </dev/null; then
		say "  $what: $((SECONDS - start)) s"
		return 0
	fi
	say "  $what: failed after $((SECONDS - start)) s"
	tail -n "${LOG_TAIL:-15}" "$log" | sed 's/^/    /' >&2
	die 1 "$what failed; the whole log is $log"
}

# need_space NAME FOLDER MIB: refuse to begin what will not fit.
need_space() {
	local free
	mkdir -p "$2"
	free=$(df -Pm "$2" | awk 'NR == 2 { print $4 }')
	[ "$free" -ge "$3" ] || die 1 "only $free MiB free in $2, and $3 are needed: free some or give $1=<folder>"
}

# with_lock NAME COMMAND...: one process at a time per NAME, so that two runs may share a cache.
with_lock() {
	local name=$1
	shift
	mkdir -p "$CACHE/locks"
	(
		flock -n 9 || { say "  waiting for another sheafbench that holds $name"; flock 9; }
		"$@"
	) 9>"$CACHE/locks/$name"
}

# guest_initramfs OUT.cpio MODULE.ko [perf]: what the guests of TARGET carry in, with BUILD's programs, and with perf, which the
# driver calls where it counts events of a PMU, or which is asked for.
guest_initramfs() {
	local programs=$BUILD perf='' pmu=yes
	if [ -n "${target_cross-}" ]; then
		programs=$BUILD/$TARGET
		"$top/harness/cross.sh" "$programs"
		perf=$programs/perf
	elif [ "$target_arch" = x86_64 ]; then
		perf=$(command -v perf || true)
		# KVM gives none to its guests where this machine has none.
		compgen -G '/sys/bus/event_source/devices/cpu*' >/dev/null || pmu=no
	fi
	[ "${3-}" = perf ] || { [ "$pmu" = yes ] && [ "$EVENTS" != none ]; } || perf=
	"$top/harness/initramfs.sh" "$1" "$2" "$programs" ${perf:+"$perf"}
}

# kill_named TEXT: ends the processes that have this text, as it stands, in their arguments.
# shellcheck disable=SC2001 # not with bash before 5.2
kill_named() { pkill -KILL -f -- "$(sed 's/[^[:alnum:]_]/\\&/g' <<<"$1")" || true; }

# progress WHAT DONE TOTAL SECONDS [STATE]: a bar on a terminal, a plain line elsewhere.
progress() {
	local what=$1 n=$2 total=$3 seconds=$4 state=${5-} left="" bar
	# More steps than were foreseen: no estimate is better than a wrong one.
	if [ "$n" -gt "$total" ]; then
		total=$n
	elif [ "$n" -gt 0 ]; then
		left=", about $(((total - n) * seconds / n)) s left"
	fi
	if [ -t 2 ]; then
		printf -v bar '%*s' $((total ? 30 * n / total : 0)) ''
		printf '\r\033[K  %s [%-30s] %d/%d, %d s%s %s' "$what" "${bar// /#}" "$n" "$total" "$seconds" "$left" "$state" >&2
	else
		say "  $what: $n of $total, $seconds s$left${state:+, $state}"
	fi
}

progress_end() { [ ! -t 2 ] || printf '\r\033[K' >&2; }

# telling_line STATUS LOG DEADLINE: what went wrong with a boot, in one line: the console's own words where it has some.
telling_line() {
	local status=$1 log=$2 deadline=$3 line
	line=$(grep -aE -m1 'Kernel panic|Oops|BUG:|WARNING:|general protection|Segmentation fault|INFO: task .* blocked|rcu.*detected stalls|No space left|sheafbench: boot: ' "$log" || true)
	if [ -n "$line" ]; then
		line=${line##*sheafbench: boot: }
	elif [ "$status" = 137 ] && grep -aq 'timeout: .*KILL' "$log"; then
		line="hang: no result within $deadline s"
	elif [ "$status" = 137 ]; then
		line="killed by somebody else (out of memory?)"
	else
		line=$(grep -a 'sheafbench' "$log" | grep -av '^sheafbench: exit' | tail -n 1)
		line="no result (status $status)${line:+: $line}"
	fi
	tr -d '\r\t' <<<"$line" | cut -c1-160
}

# rows FILE: its records with the unit separator between columns; as white space, tabs would
# swallow an empty column in 'read'.
rows() { grep -v '^#' "$1" | tr '\t' '\037' || true; }
rs=$'\037'
