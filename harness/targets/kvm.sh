# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# Target kvm: tcg.sh's kernels and machine, executed by KVM, its CPUs bound to CPUs of the host. Sourced; the
# verbs are those of every target. KVM_DEVICE is what is asked whether it works; KVM_ACCEL=tcg has QEMU emulate
# what KVM would execute, to try all but the speed of this.

. "$(dirname "${BASH_SOURCE[0]}")/tcg.sh"
target_tells='time'
guest_accel=${KVM_ACCEL:-kvm}

# Prints why the target cannot run here, or nothing. That a device opens says nothing: a guest is run and timed.
target_probe() {
	local device=${KVM_DEVICE:-/dev/kvm} probe reason
	[ "$(uname -m)" = x86_64 ] || { echo "the guest is x86_64"; return; }
	[ "$(nproc)" -ge 2 ] || { echo "a guest with 2 CPUs needs 2 CPUs"; return; }
	[ -e "$device" ] || { echo "there is no $device"; return; }
	if ! { [ -r "$device" ] && [ -w "$device" ]; }; then
		echo "$device may not be read and written by $(id -un)"
		return
	fi
	command -v gcc >/dev/null || { echo "whether $device works is not known without gcc"; return; }
	probe=$(mktemp -d)
	gcc -O2 -o "$probe/probe" "$(dirname "${BASH_SOURCE[0]}")/kvm-probe.c" 2>/dev/null &&
		reason=$(timeout --signal=KILL 20 "$probe/probe" "$device") || reason="$device kept or killed the program that tried it"
	rm -rf "$probe"
	if [ -n "$reason" ]; then echo "$reason"; else target_installed; fi
}

# target_verify SAMPLES: why the boot that took these samples is none, or nothing. What a guest of three instructions
# gets, a kernel may not: a chain of dependent additions takes a core cycle each where a CPU executes it.
target_verify() {
	[ "$guest_accel" = kvm ] || return 0
	awk -F '\t' '/^# gate/ { split($0, words, " "); adds = words[5] } !/^#/ && $7 != "-" { split($7, ticks, " ")
		if (!least || ticks[1] < least) least = ticks[1] }
		END { if (least > 4 * adds) printf "KVM emulates the kernel: %d additions took %d TSC ticks\n", adds, least }' "$1"
}

# The guest's last CPU is measured and has the host's last one for itself.
pin_vcpus() {
	local out=$1 host pid task i
	mapfile -t host < <(taskset -cp $$ | sed 's/.*: //' | tr ',' '\n' | awk -F- '{ for (c = $1; c <= ($2 == "" ? $1 : $2); c++) print c }')
	for ((i = 0; i < 250; i++)); do
		pid=$(pgrep -nf "^qemu-system-x86_64 .*path=$out," || true)
		for task in "/proc/${pid:-none}"/task/*; do
			case $(cat "$task/comm" 2>/dev/null) in
			"CPU 0/"*) taskset -cp "${host[0]}" "${task##*/}" >/dev/null ;;
			"CPU 1/"*) taskset -cp "${host[-1]}" "${task##*/}" >/dev/null && return ;;
			esac
		done
		sleep 0.02
	done
}

# The names of threads tell which of QEMU's are CPUs.
target_boot() {
	GUEST_CPUS=${GUEST_CPUS:-2}
	[ "$GUEST_CPUS" != 2 ] || pin_vcpus "$4" 2>/dev/null &
	guest_boot "$@" -name sheafbench,debug-threads=on
}
