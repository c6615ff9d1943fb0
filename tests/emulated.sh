# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# Sourced by tests that boot Debian's own kernel in QEMU's TCG, after check.sh.

. "$top/harness/host/debian.sh"

# emulated MIB WORDS OPTION...: sets command to a machine with these options and these words on its kernel's command line. TCG is
# too uneven for the kernel to find the TSC's rate. With XSAVE, guests of its KVM see an inconsistent CPU.
emulated() {
	local khz
	khz=$(awk -F ': ' '/^cpu MHz/ { printf "%d", $2 * 1000; exit }' /proc/cpuinfo)
	command=(qemu-system-x86_64 -M q35 -nodefaults -display none -accel "tcg,thread=multi" -cpu "max,-la57,-xsave,-avx" -smp 2 -m "$1" "${@:3}"
		-append "console=ttyS0 tsc=reliable tsc_early_khz=$khz quiet $2")
}
