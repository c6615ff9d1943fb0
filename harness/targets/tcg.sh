# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# Target tcg: the variant's x86_64 kernel in QEMU's TCG, and what kvm.sh shares with it. Sourced by target.sh, whose boot()
# sets the variables. Where CPUs take turns, the TSC advances by one per instruction and each boot is the same. Else they run
# in parallel, and no two boots are alike. MITIGATIONS=no boots with mitigations=off.

target_arch=x86_64
target_config=x86_64
target_goals=(vmlinux modules)
target_image_goal=vmlinux
target_image=vmlinux
target_group=qemu
target_tells=counts
guest_accel=tcg

target_installed() { command -v qemu-system-x86_64 >/dev/null || echo "qemu-system-x86_64 is not installed: harness/host/deps.sh qemu does that"; }
target_probe() { target_installed; }

# Sets QEMU's options and the kernel's cmdline. TCG is too uneven for the kernel to calibrate the TSC, so it is told the rate:
# with icount 1 GHz, without it the host's. Five levels of page tables are slow in TCG.
guest_accel_options() {
	local khz=1000000
	if [ "${accel:-$guest_accel}" = kvm ]; then
		options=(-accel kvm -cpu host)
		return
	fi
	options=(-cpu 'max,-la57')
	if [ "$turns" = yes ]; then
		# sleep=off: while all CPUs idle, QEMU goes on to the next timer at once. No random number comes from the host.
		options[1]+=,-rdrand,-rdseed
		# A kernel with one CPU would patch its LOCK prefixes out.
		cmdline="noreplace-smp $cmdline"
		options+=(-accel 'tcg,thread=single' -icount "shift=$shift,sleep=off")
	else
		options+=(-accel 'tcg,thread=multi')
		khz=$(awk -F ': ' '/^cpu MHz/ { printf "%d", $2 * 1000; exit }' /proc/cpuinfo)
	fi
	cmdline="tsc_early_khz=$khz $cmdline"
}

qemu_command() {
	local options=()
	guest_accel_options
	[ "${MITIGATIONS:-yes}" = yes ] || cmdline+=" mitigations=off"
	command=(qemu-system-x86_64 -M "microvm,pit=on,pic=off,rtc=on" -nodefaults -no-user-config -display none -no-reboot
		"${options[@]}" -smp "$cpus" -m "$mem" -chardev "stdio,id=console,signal=off" -serial chardev:console
		-fsdev "local,id=out,path=$out,security_model=none" -device "virtio-9p-device,fsdev=out,mount_tag=out"
		-kernel "$image" -initrd "$initramfs" "$@"
		-append "console=ttyS0 reboot=t panic=-1 sheafbench.out=out sheafbench.outfs=9p $cmdline")
}

target_command() { qemu_command "$@"; }

# verify_speed WHAT FOLDER: for targets that tell time: says WHAT of the boot with these samples, or nothing. What executes the
# probe's few instructions may still emulate a kernel. Executed by a CPU that is warm, a chain of dependent additions takes a core
# cycle for each. Every second sample has a chain twice as long, and is not looked at.
verify_speed() {
	[ "${KVM_SPEED:-judged}" = judged ] && [ -f "$2/samples.tsv" ] || return 0
	awk -F '\t' -v what="$1" '
		/^# gate/ { split($0, words, " "); adds = words[5] }
		!/^#/ && $7 != "-" { n = split($7, ticks, " "); for (i = 1; i <= n; i += 2) if (!least || ticks[i] < least) least = ticks[i] }
		END { if (least > 4 * adds) printf "%s: %d additions took %d TSC ticks at best\n", what, adds, least }' "$2/samples.tsv"
}
