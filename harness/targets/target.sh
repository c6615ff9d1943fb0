#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# target.sh TARGET VERB [ARGUMENT...]: a place where kernels run; the files beside this one say what each is.
#
#   probe     why it cannot run here, in a line, or nothing
#   get NAME  what its file says: arch, config, tells, ...
#   boot LOG IMAGE INITRAMFS CMDLINE OUT DEADLINE [KEY=VALUE...] [-- OPTION...]
#             one boot, with its console in LOG and OUT as the guest's /out; prints why it brought no result, in a line, or
#             nothing. Whatever it starts has ended with it (guard.c). The keys:
#               cpus=2        CPUs; of two, the last one is measured and has the last of this machine's for itself
#               mem=512       MiB of memory
#               turns=no      yes: emulated CPUs take turns, so that each boot is the same
#               shift=0       an emulated instruction takes 2^shift ns, where CPUs take turns
#               accel=        tcg: what KVM would execute is emulated
#               needs=        files that have to be in OUT, with blanks between them
#               reports=yes   no: whoever called judges the console
#             OPTIONs are QEMU's.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

# The console's words for a kernel that is in trouble, and for a boot that could not be made.
reports='Kernel panic|Oops|BUG:|WARNING:|general protection|Segmentation fault|INFO: task .* blocked|rcu.*detected stalls'
failures='No space left|sheafbench: boot: |taskset: |^qemu-system'

# own_program NAME: the program that NAME.c beside this makes; prints its path.
own_program() {
	local source=$top/harness/targets/$1.c program
	program=$CACHE/programs/$1-$(hash_of "$source")
	if [ ! -x "$program" ]; then
		mkdir -p "$CACHE/programs"
		gcc -O2 -o "$program.$$" "$source" 2>/dev/null || die 1 "harness/targets/$1.c does not build"
		mv "$program.$$" "$program"
	fi
	printf '%s\n' "$program"
}

# The CPUs that this process may use, one a line.
host_cpus() { taskset -cp "$BASHPID" | sed 's/.*: //' | tr ',' '\n' | awk -F- '{ for (c = $1; c <= ($2 == "" ? $1 : $2); c++) print c }'; }

# bind_guest GUARD OUT CPU...: the guest's last CPU to the last of these, its other one to the first. The kernel is a child of
# GUARD, and target_threads prints the threads of both CPUs once it has them. OUT/bound tells that it is done; a guest that
# cannot be bound is ended.
bind_guest() {
	local guard=$1 out=$2 pid tids why
	shift 2
	while kill -0 "$guard" 2>/dev/null; do
		for pid in $(pgrep -P "$guard"); do
			mapfile -t tids <<<"$(target_threads "$pid" 2>/dev/null)"
			[ ${#tids[@]} = 2 ] || continue
			if why=$({ taskset -cp "$1" "${tids[0]}" && taskset -cp "${*: -1}" "${tids[1]}"; } 2>&1); then
				touch "$out/bound"
			else
				printf "sheafbench: boot: the guest's CPUs cannot be bound to CPUs %s and %s of this machine: %s\n" "$1" "${*: -1}" "$(tail -n 1 <<<"$why")"
				kill -TERM "$guard"
			fi
			return
		done
		sleep 0.02
	done
}

# judge STATUS LOG OUT: why a boot is none. The console's own words come first.
judge() {
	local status=$1 log=$2 out=$3 line="" file
	[ "$judged" = no ] || line=$(grep -aE -m1 "$reports" "$log" || true)
	[ -n "$line" ] || line=$(grep -aE -m1 "$failures" "$log" | sed 's/.*sheafbench: boot: //' || true)
	if [ -n "$line" ]; then
		:
	elif [ "$status" = 124 ]; then
		line="hang: no result within $deadline s"
	elif [ "$status" = 137 ]; then
		line="killed by somebody else (out of memory?)"
	elif ! grep -aq '^sheafbench: exit 0' "$log"; then
		line=$(grep -a 'sheafbench' "$log" | grep -av '^sheafbench: exit' | tail -n 1)
		line="no result (status $status)${line:+: $line}"
	elif [ "$binds" = yes ] && [ ! -e "$out/bound" ]; then
		line="the guest's CPUs were not bound to CPUs of this machine before it had ended"
	else
		for file in $needs; do [ -f "$out/$file" ] || line="no $file, although the driver ended well"; done
		[ -n "$line" ] || ! declare -F target_verify >/dev/null || line=$(target_verify "$out")
	fi
	tr -d '\r\t' <<<"$line" | iconv -c -f UTF-8 -t UTF-8 | cut -c1-160
}

# shellcheck disable=SC2034 # the targets use them
boot() {
	local log=$1 image=$2 initramfs=$3 cmdline=$4 out=$5 deadline=$6 cpus=2 mem=512 turns=no shift=0 accel="" needs="" judged=yes
	local binds=no status=0 guard command=() host
	shift 6
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		case $1 in
		reports=*) judged=${1#*=} ;;
		cpus=* | mem=* | turns=* | shift=* | accel=* | needs=*) local "$1" ;;
		*) die 2 "target.sh: no key '$1'" ;;
		esac
		shift
	done
	[ $# = 0 ] || shift
	ulimit -c 0
	mapfile -t host < <(host_cpus)
	# Those whose CPUs are this machine's.
	[ "$cpus" != 2 ] || ! declare -F target_threads >/dev/null || binds=yes
	rm -f "$out/bound"
	target_command "$@"
	guard_program=$(own_program guard)
	"$guard_program" "$deadline" "${command[@]}" >"$log" 2>&1 </dev/null &
	guard=$!
	trap 'kill -TERM $guard 2>/dev/null; wait $guard 2>/dev/null; exit 130' INT TERM HUP
	[ "$binds" = no ] || bind_guest "$guard" "$out" "${host[@]}" >>"$log" &
	wait "$guard" || status=$?
	judge "$status" "$log" "$out"
}

[[ -f $top/harness/targets/${1-}.sh && ${1-} != target ]] || die 2 "target.sh: no target '${1-}'"
. "$top/harness/targets/$1.sh"
case ${2-} in
probe) target_probe ;;
get)
	name=target_$3
	printf '%s\n' "${!name-}"
	;;
boot) boot "${@:3}" ;;
*) die 2 "target.sh: no verb '${2-}'; known: probe get boot" ;;
esac
