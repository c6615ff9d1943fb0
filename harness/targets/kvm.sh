# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# Target kvm: tcg.sh's kernels and machine, executed by KVM, its CPUs bound to CPUs of this machine. Sourced by target.sh.
# KVM_DEVICE is the device that is probed. KVM_SPEED=unjudged also takes a slow KVM, to test everything but the times in a host
# that is emulated itself. A KVM that says that it emulates is refused even so.

. "$top/harness/targets/tcg.sh"
target_tells='time'
guest_accel=kvm

# Prints why the target cannot run here, or nothing. A device that opens proves nothing, so a small guest is run and timed.
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
	probe=$(helper_program kvm-probe) &&
		reason=$(timeout --signal=KILL 20 "$probe" "$device" "${KVM_SPEED:-judged}") || reason="$device kept or killed the program that tried it"
	if [ -n "$reason" ]; then echo "$reason"; else target_installed; fi
}

target_verify() { verify_speed 'KVM emulates the kernel' "$1"; }

# QEMU's threads that are CPUs have it in their names.
target_threads() {
	local cpu
	for cpu in 0 1; do grep -l "^CPU $cpu/" "/proc/$1/task/"*/comm; done | cut -d/ -f5
}

target_command() {
	qemu_command "$@" -name sheafbench,debug-threads=on
	# QEMU's other threads stay off the CPU that is measured.
	[ "$binds" = no ] || command=(taskset -c "$(IFS=, && echo "${host[*]::${#host[@]}-1}")" "${command[@]}")
}
