#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# target.sh TARGET VERB [ARGUMENT...]: what can be done with a target, a place where kernels run. Each has a file beside this.
#
#   probe     prints why the target cannot run here, in a line, or nothing
#   get NAME  prints what its file says: arch, config, tells, ...
#   machine   prints what a result says of the machine that its times are of (harness/host/machine.sh)
#   boot LOG IMAGE INITRAMFS CMDLINE OUT DEADLINE [KEY=VALUE...] [-- OPTION...]
#             makes one boot, with its console in LOG and OUT as the guest's /out; prints why it brought no result, in a line,
#             or nothing. All that it starts ends with it (guard.c). The keys:
#               cpus=2        CPUs. The last of two is measured, and is bound to the last CPU of this machine
#               mem=512       MiB of memory
#               turns=no      yes: emulated CPUs take turns, so that each boot is the same
#               shift=0       an emulated instruction takes 2^shift ns, where CPUs take turns
#               accel=        tcg: emulate the guest of kvm
#               needs=        files that have to be in OUT, with blanks between them
#               back=600      seconds beyond DEADLINE in which a lab machine has to be back in its own system
#               reports=yes   no: do not judge the console; the caller does
#             The OPTIONs go to QEMU.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

# What the console says of a kernel in trouble, and of a boot that could not be made.
reports='Kernel panic|Oops|BUG:|WARNING:|general protection|Segmentation fault|INFO: task .* blocked|rcu.*detected stalls'
failures='No space left|sheafbench: boot: |taskset: |^qemu-system'

# The CPUs that this process may use, one a line.
host_cpus() { taskset -cp "$BASHPID" | sed 's/.*: //' | tr ',' '\n' | awk -F- '{ for (c = $1; c <= ($2 == "" ? $1 : $2); c++) print c }'; }

# bind_guest GUARD OUT CPU...: binds the guest's last CPU to the last of these, and its other one to the first. The kernel is a
# child of GUARD; target_threads prints the threads of both CPUs once they exist. OUT/bound says that it was done. A guest that
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

# judge STATUS LOG OUT: prints why the boot brought no result, or nothing. The console's own words come first.
judge() {
	local status=$1 log=$2 out=$3 line="" file
	[ "$judged" = no ] || line=$(grep -aE -m1 "$reports" "$log" || true)
	# A boot that came to its end has only been warned.
	[ -n "$line" ] || grep -aq '^sheafbench: exit 0' "$log" || line=$(grep -aE "$failures" "$log" | grep -avE -m1 '^qemu-system[^ ]*: warning: ' | sed 's/.*sheafbench: boot: //' || true)
	if [ -n "$line" ]; then
		:
	elif [ "$status" = 124 ]; then
		line="hang: no result within $deadline s"
	elif [ "$status" = 137 ]; then
		line="killed by somebody else (out of memory?)"
	elif ! grep -aq '^sheafbench: exit 0' "$log"; then
		line=$(grep -a 'sheafbench' "$log" | grep -av '^sheafbench: exit' | tail -n 1)
		line="no result (status $status)${line:+: $line}"
	else
		for file in $needs; do [ -f "$out/$file" ] || line="no $file, although the driver ended well"; done
		[ -n "$line" ] || ! declare -F target_verify >/dev/null || line=$(target_verify "$out")
		[ -n "$line$(find "$out/bound" 2>/dev/null)" ] || [ "$binds" = no ] ||
			line="the guest's CPUs were not bound to CPUs of this machine before it had ended"
	fi
	one_line "$line"
}

# shellcheck disable=SC2034 # the targets use them
boot() {
	local log=$1 image=$2 initramfs=$3 cmdline=$4 out=$5 deadline=$6 cpus=2 mem=512 turns=no shift=0 accel="" needs="" judged=yes back=600
	local binds=no status=0 guard command=() host
	shift 6
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		case $1 in
		reports=*) judged=${1#*=} ;;
		cpus=* | mem=* | turns=* | shift=* | accel=* | needs=* | back=*) local "$1" ;;
		*) die 2 "target.sh: no key '$1'" ;;
		esac
		shift
	done
	[ $# = 0 ] || shift
	ulimit -c 0
	mapfile -t host < <(host_cpus)
	# Only targets whose CPUs run on CPUs of this machine have target_threads.
	[ "$cpus" != 2 ] || ! declare -F target_threads >/dev/null || binds=yes
	rm -f "$out/bound"
	target_command "$@"
	guard_program=$(helper_program guard)
	# Two write to it: each at its end.
	: >"$log"
	"$guard_program" "$deadline" "${command[@]}" >>"$log" 2>&1 </dev/null &
	guard=$!
	trap 'end_jobs $guard; exit 130' INT TERM HUP
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
machine) if declare -F target_machine >/dev/null; then target_machine; else "$top/harness/host/machine.sh"; fi ;;
there) target_there "${@:3}" ;;
*) die 2 "target.sh: no verb '${2-}'; known: probe get machine boot" ;;
esac
