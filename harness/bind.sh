# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Binding the two CPUs of a guest to CPUs of this machine. Sourced by the targets that tell time.

# The CPUs that this process may use, one a line.
host_cpus() { taskset -cp "$BASHPID" | sed 's/.*: //' | tr ',' '\n' | awk -F- '{ for (c = $1; c <= ($2 == "" ? $1 : $2); c++) print c }'; }

# cannot_bind WHAT WHY: the line of the console by which telling_line knows it.
cannot_bind() { printf 'sheafbench: boot: %s: %s\n' "$1" "$(tail -n 1 <<<"$2")"; }

# bind_guest BOOT OUTDIR THREADS CPU...: the guest's last CPU is measured and has the last of these CPUs for itself, its
# other one the first. BOOT is the process of which the kernel becomes a child; 'THREADS PID' prints the threads of both
# CPUs once the kernel has them. OUTDIR/bound tells that it is done; a guest that cannot be bound is ended.
bind_guest() {
	local boot=$1 out=$2 threads=$3 pid tids why
	shift 3
	while kill -0 "$boot" 2>/dev/null; do
		for pid in $(pgrep -P "$boot"); do
			mapfile -t tids <<<"$("$threads" "$pid" 2>/dev/null)"
			[ ${#tids[@]} = 2 ] || continue
			if why=$({ taskset -cp "$1" "${tids[0]}" && taskset -cp "${*: -1}" "${tids[1]}"; } 2>&1); then
				touch "$out/bound"
			else
				cannot_bind "the guest's CPUs cannot be bound to CPUs $1 and ${*: -1} of this machine" "$why"
				kill -KILL "$pid"
			fi
			return
		done
		sleep 0.02
	done
}

# verify_bound OUTDIR: why a boot that ended well is none, or nothing.
verify_bound() { [ -e "$1/bound" ] || echo "the guest's CPUs were not bound to CPUs of this machine before it had ended"; }
