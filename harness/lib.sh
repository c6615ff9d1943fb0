# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# Shared by the shell glue: messages, the cache, atomic writes, hashes.
export LC_ALL=C.UTF-8

# With it 'cd' goes elsewhere, and prints where.
unset CDPATH
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sheafbench}
JOBS=${JOBS:-$(nproc)}
# ccache takes the files that an object depends on from the compiler: to preprocess each file first takes a third as long again.
export CCACHE_DIR=$CACHE/ccache CCACHE_DEPEND=1

say() { printf '%s\n' "$*" >&2; }

# die STATUS MESSAGE: one line that names the mend; 2 is a wrong request, 1 a failed step.
# A step that may fail has LAST_WORDS, a file for the reason.
die() {
	local status=$1
	shift
	say "sheafbench: $*"
	[ -z "${LAST_WORDS-}" ] || printf '%s\n' "$*" >"$LAST_WORDS"
	exit "$status"
}

# hash_of [FILE...]: short content hash of the files, or of standard input.
hash_of() { cat -- "$@" | sha256sum | cut -c1-16; }

# one_line TEXT [MOST]: its first line, of at most 160 or MOST whole characters, none of which controls a terminal. For what
# others said: consoles, command lines, programs.
one_line() {
	local line=${1%%$'\n'*}
	# iconv fails where it drops what is no character.
	line=$(tr -d '\000-\037\177' <<<"$line" | iconv -c -f UTF-8 -t UTF-8 || true)
	printf '%s\n' "${line:0:${2:-160}}"
}

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

# out_of_room FOLDER STATUS [tell]: for an EXIT trap. What failed where less than 50 MiB are free has failed for that: the status
# is 75, and who is to tell does so in a line. Ends the script.
out_of_room() {
	local free
	[ "$2" != 0 ] && [ -d "$1" ] || exit "$2"
	free=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
	[ "$2" = 75 ] || [ "$free" -lt 50 ] || exit "$2"
	[ $# = 2 ] || say "sheafbench: cannot write to $1 ($free MiB free); free some space, and the same command goes on from here"
	exit 75
}

# holder_of FILE: who has it open, in words.
holder_of() {
	local pid
	pid=$(find /proc/[0-9]*/fd -maxdepth 1 -lname "$1" 2>/dev/null | cut -d/ -f3 | grep -vx "$$" | sort -n | head -n 1) || true
	[ -n "$pid" ] || { echo 'somebody else'; return; }
	printf 'process %s (%s)' "$pid" "$(one_line "$(tr '\000\n' '  ' <"/proc/$pid/cmdline" 2>/dev/null)" 80)"
}

# wait_for FD -s|-x FILE WHAT: take that lock, and say for whom it waits; NOWAIT=yes refuses.
wait_for() {
	flock -n "$2" "$1" || {
		[ "${NOWAIT:-no}" = no ] || die 1 "$4: in use by $(holder_of "$3"), and NOWAIT=yes"
		say "  waiting for $4, in use by $(holder_of "$3")"
		# Whoever is gone waits no longer.
		setpriv --pdeathsig KILL flock "$2" "$1"
	}
}

# use_machine shared|exclusive: one measurement at a time on a machine, and nothing of ours builds beside one. The lock is
# held until this process and all that it starts have ended. 'make check' takes it once for all of its tests.
use_machine() {
	local file=/run/lock/sheafbench how=-s
	[ "${SHEAFBENCH_TEST-}" != yes ] || return 0
	[ "$1" = shared ] || how=-x
	[ -w /run/lock ] || file=/tmp/sheafbench.lock
	[ -e "$file" ] || (umask 0; : >"$file")
	# A lock that this process has inherited is the same one: it changes from shared to exclusive for its parents too.
	if [ ! "/proc/self/fd/${machine_fd:-none}" -ef "$file" ]; then
		exec {machine_fd}<"$file"
		export machine_fd
	fi
	wait_for "$machine_fd" "$how" "$file" 'this machine'
}

# use_cache: while this process lives, nobody cleans the cache.
use_cache() {
	mkdir -p "$CACHE"/{kernels,locks,logs}
	touch "$CACHE/kernels/.sheafbench"
	exec {cache_fd}>>"$CACHE/.sheafbench"
	wait_for "$cache_fd" -s "$CACHE/.sheafbench" "CACHE=$CACHE"
}

# with_lock NAME COMMAND...: one process at a time per NAME, so that two runs may share a cache.
with_lock() {
	local name=$1 fd
	shift
	mkdir -p "$CACHE/locks"
	(
		exec {fd}>>"$CACHE/locks/$name"
		wait_for "$fd" -x "$CACHE/locks/$name" "$name"
		"$@"
	)
}

# helper_program NAME [OPTION...]: the program that harness/targets/NAME.c makes, with these of the compiler's; prints its path.
helper_program() {
	local source=$top/harness/targets/$1.c program
	program=$CACHE/programs/$1-$(hash_of "$source")
	if [ ! -x "$program" ]; then
		mkdir -p "$CACHE/programs"
		gcc -O2 "${@:2}" -o "$program.$$" "$source" 2>/dev/null || die 1 "harness/targets/$1.c does not build"
		mv "$program.$$" "$program"
	fi
	printf '%s\n' "$program"
}

# guest_initramfs OUT.cpio MODULE.ko [perf]: the initramfs of TARGET's guests, with BUILD's programs. perf is in it where the
# driver counts events of a PMU, which perf cross-checks, or where it is asked for. One that does not run here is left out.
guest_initramfs() {
	local programs=$BUILD perf="" pmu=yes
	if [ -n "${target_cross-}" ]; then
		programs=$BUILD/$TARGET
		"$top/harness/kernel/cross.sh" "$programs"
		perf=$programs/perf
	elif [[ $TARGET =~ ^(kvm|metal)$ ]]; then
		perf=$(command -v perf || true)
		[ -z "$perf" ] || ldd "$perf" >/dev/null 2>&1 || { say "  perf is left out: $perf is not a program that a guest could run"; perf=; }
		# KVM gives its guests no PMU where this machine has none.
		[ "$TARGET" = metal ] || compgen -G '/sys/bus/event_source/devices/cpu*' >/dev/null || pmu=no
	fi
	[ "${3-}" = perf ] || { [ "$pmu" = yes ] && [ "$EVENTS" != none ]; } || perf=
	"$top/harness/kernel/initramfs.sh" "$1" "$2" "$programs" ${perf:+"$perf"}
}

# progress WHAT DONE TOTAL SECONDS [STATE]: a bar on a terminal, a plain line elsewhere.
progress() {
	local what=$1 n=$2 total=$3 seconds=$4 state=${5-} left="" bar
	# There are more steps than were foreseen: better no estimate than a wrong one.
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

# end_jobs [PID...]: ends them and waits for their ends; for a trap, which goes on whatever they say.
end_jobs() {
	[ $# = 0 ] || { kill "$@"; wait "$@"; } 2>/dev/null || true
}

# followed WHAT TOTAL COUNTER LOG COMMAND...: runs the command with its output in LOG, and shows as progress what COUNTER prints,
# of TOTAL; with a total of 0 nothing is shown. Returns the command's status.
followed() (
	what=$1 total=$2 counter=$3 log=$4 start=$SECONDS next=0 step=15 status=0
	[ ! -t 2 ] || step=1
	"${@:5}" >"$log" 2>&1 </dev/null &
	pid=$!
	# Ctrl-C does not reach what runs in the background of a script.
	trap 'end_jobs "$pid"' EXIT
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.5
		[[ $total -gt 0 && $((SECONDS - start)) -ge $next ]] || continue
		progress "$what" "$("$counter")" "$total" $((SECONDS - start))
		next=$((SECONDS - start + step))
	done
	wait "$pid" || status=$?
	trap - EXIT
	progress_end
	exit "$status"
)

# commits_of NAME USAGE: of $NAME, <git tree>@<commit> or <git tree>@<from>..<to>, all of which may hold an '@', the tree and the
# ids of the commits, in the array commits; else one line with git's reason.
commits_of() {
	local value=${!1} tree=${!1} words reason='' names
	mapfile -t names < <(git rev-parse --local-env-vars)
	while [[ $tree == *@* ]]; do
		tree=${tree%@*}
		words=${value#"$tree@"}
		[ -d "$tree" ] || continue
		if [[ $words == *..* ]]; then set -- "$1" "$2" "${words%%..*}" "${words##*..}"; else set -- "$1" "$2" "$words"; fi
		commits=("$tree")
		for words in "${@:3}"; do
			# git's first line is the reason; its last one may say how to mend it.
			words=$(unset "${names[@]}"; LC_ALL=C git -C "$tree" rev-parse --verify --end-of-options "${words:-HEAD}^{commit}" 2>&1) || {
				reason=${reason:-$(sed -n 's/^fatal: //p; s/^\t*\(git config .*\)/; it is allowed by: \1/p' <<<"$words" | tr -d '\n')}
				break
			}
			commits+=("$words")
		done
		[ ${#commits[@]} != $(($# - 1)) ] || return 0
	done
	die 2 "$1=$value names no commits of a git tree${reason:+ ($reason)}; $2"
}

# thread_of NAME MESSAGE-ID FOLDER: its thread as a mailbox that b4 fetches into FOLDER; prints its path. NAME is the value's.
thread_of() {
	local id=${2#<}
	id=${id%>}
	[[ $id == ?*@?* && $id != *[[:space:]/]* ]] || die 2 "$1=$2: no such file, and no message-id; give the mails as a mailbox"
	command -v b4 >/dev/null || die 2 "$1=$2: fetching a mail takes b4 (apt install b4); or give the mails as a mailbox"
	b4 mbox -o "$3" -n thread "$id" >"$3/b4.log" 2>&1 || die 1 "$1=$2: b4 cannot fetch it: $(tail -n 1 "$3/b4.log")"
	find "$3" -name 'thread*' -type f | head -n 1
}

# unpack NAME FILE FOLDER: what is packed in the file, as FOLDER/text: at most one byte more than most_bytes. NAME is the value's.
most_bytes=$((64 << 20))
unpack() {
	local text=$3/text packed=$3/packed layer tool status
	head -c $((most_bytes + 1)) -- "$2" >"$text" 2>"$3/why" || die 2 "$1: $2 cannot be read: $(sed 's/.*: //' "$3/why")"
	for layer in 1 2 3 4; do
		case $(head -c 6 "$text" | od -An -tx1 | tr -d ' \n') in
		1f8b*) tool='gzip -dcq' ;;
		fd377a585a00) tool='xz -dcq --memlimit-decompress=512MiB' ;;
		5d0000*) tool='xz -dcq --format=lzma --memlimit-decompress=512MiB' ;;
		425a68*) tool='bzip2 -dcq' ;;
		28b52ffd*) tool='zstd -dcq --memory=512MB' ;;
		504b0304* | 377abcaf271c* | 52617221*) die 2 "$1: $2 is an archive of zip, 7z or rar; unpack it and give the folder" ;;
		*) break ;;
		esac
		[ "$layer" != 4 ] || die 2 "$1: $2 is packed more than three times over"
		command -v "${tool%% *}" >/dev/null || die 2 "$1: $2 is packed with ${tool%% *}, which is not here; unpack it"
		mv "$text" "$packed"
		# shellcheck disable=SC2086 # a command with its options
		{ $tool <"$packed" 2>/dev/null || echo $? >"$3/status"; } | head -c $((most_bytes + 1)) >"$text"
		status=$(cat "$3/status" 2>/dev/null || echo 0)
		rm -f "$3/status"
		[ "$(stat -c %s "$text")" -le "$most_bytes" ] || break
		[ "$status" = 0 ] || die 2 "$1: $2 cannot be unpacked (cut off?): ${tool%% *} says $status"
	done
}

# rows FILE: its records, with the unit separator between columns. 'read' takes several tabs for one and would lose an
# empty column.
rows() { grep -v '^#' "$1" | tr '\t' '\037' || true; }
rs=$'\037'
