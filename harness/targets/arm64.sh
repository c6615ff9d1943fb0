# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# Target arm64: the variant's arm64 kernel, cross compiled, in QEMU's TCG, where an instruction takes a nanosecond of the
# guest's time. It has a PMU that the kernel and perf_event_open(2) use like a real one. Sourced by target.sh, whose boot() sets
# the variables.

target_arch=arm64
target_config=arm64
target_cross=aarch64-linux-gnu-
target_goals=(vmlinux modules)
target_image_goal=vmlinux
target_image=vmlinux
target_tells=events
# Its packages are installed only where it is asked for.
[[ " ${TARGETS-} " != *" arm64 "* ]] || target_group=arm64

# Prints why the target cannot run here, or nothing. As it tells no time, it runs only where it is asked for.
target_probe() {
	if [[ " ${TARGETS-} " != *" arm64 "* ]]; then
		echo "an emulated CPU counts instructions and tells no time; TARGETS=arm64 asks for it"
	elif ! command -v qemu-system-aarch64 >/dev/null || ! command -v "${target_cross}g++" >/dev/null; then
		echo "QEMU or the cross compiler is missing: harness/host/deps.sh arm64 installs them"
	fi
}

# One CPU: with several, QEMU's icount does not advance instruction by instruction.
target_command() {
	# QEMU boots the flat form of the image, as in arch/arm64/boot; it has no symbols.
	"${target_cross}objcopy" -O binary -R .note -R .note.gnu.build-id -R .comment -S "$image" "$out/Image"
	# sleep=off: while all CPUs idle, QEMU goes on to the next timer at once.
	command=(qemu-system-aarch64 -M virt -cpu neoverse-n1 -accel "tcg,thread=single" -icount "shift=0,sleep=off" -smp 1 -m "$mem"
		-nodefaults -no-user-config -display none -no-reboot -chardev "stdio,id=console,signal=off" -serial chardev:console
		-fsdev "local,id=out,path=$out,security_model=none" -device "virtio-9p-device,fsdev=out,mount_tag=out"
		-kernel "$out/Image" -initrd "$initramfs"
		-append "console=ttyAMA0 panic=-1 sheafbench.out=out sheafbench.outfs=9p $cmdline")
}
