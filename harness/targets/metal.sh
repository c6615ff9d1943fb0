# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2029
# Target metal: tcg.sh's kernels on HOST, a machine that is reached by ssh as root and rebooted into each of them: kexec there,
# and kexec back into the system that it had (box.c). Nothing is installed there. Sourced by target.sh.
# KVM_SPEED=unjudged also takes an emulated machine.

. "$top/harness/targets/tcg.sh"
unset target_group
target_image_goal=bzImage
target_image=arch/x86/boot/bzImage
target_image_kept=bzimage
target_tells='time'
target_elsewhere=yes

# On HOST: a folder in memory, and where the kernel and initramfs of its own are that run there: Debian, Fedora, openSUSE, Arch,
# and boot loader entries.
box_folder=/dev/shm/sheafbench
# shellcheck disable=SC2016 # the machine's own
box_system='k=$(uname -r); p=$(cat /lib/modules/$k/pkgbase 2>/dev/null)
	first() { for f in "$@"; do [ ! -f "$f" ] || { echo "$f"; return; }; done; }
	kernel=$(first /boot/vmlinuz-$k /lib/modules/$k/vmlinuz "/boot/vmlinuz-$p" /boot/*/$k/linux)
	initrd=$(first /boot/initrd.img-$k /boot/initramfs-$k.img /boot/initrd-$k "/boot/initramfs-$p.img" /boot/*/$k/initrd)'
# What HOST needs on its command line to boot at all, our kernels need too.
box_words='^(console|earlyprintk|earlycon|acpi|acpi_rsdp|pci|noapic|nolapic|nox2apic|tsc|tsc_early_khz)(=|$)'

# on_box COMMANDS: of sh, on HOST. The status is 255 where ssh fails.
ssh_options=(-o BatchMode=yes -o ConnectTimeout=30 -o ServerAliveInterval=5 -o ServerAliveCountMax=6 -o LogLevel=ERROR)
on_box() { ssh "${ssh_options[@]}" "$HOST" "exec sh -c '${1//\'/\'\\\'\'}'"; }

# Our kernels have at most 64 CPUs.
target_machine() {
	on_box "$(cat "$top/harness/host/machine.sh")" </dev/null | awk -F '\t' -v OFS='\t' '$1 == "measured_cpu" && $2 > 63 { $2 = 63 } { print }'
}

# Prints why the target cannot run there, or nothing.
target_probe() {
	local box answer status=0
	[ -n "${HOST-}" ] || { echo "it takes a machine that may be rebooted: HOST=root@box"; return; }
	[[ ${GOAL:-bench} =~ ^(bench|certify|peers)$ ]] || { echo "it is for bench, certify and peers"; return; }
	[ "${TUNE:-no}" = no ] || { echo "TUNE=yes is for this machine, and not for $HOST"; return; }
	command -v ssh >/dev/null || { echo "ssh is not installed"; return; }
	box=$(helper_program box -static 2>/dev/null) || { echo "without gcc and a static libc there is no program for $HOST"; return; }
	answer=$(on_box "rm -rf $box_folder && mkdir $box_folder && cat >$box_folder/box && chmod 700 $box_folder/box || exit
		$box_system
		[ \"\$(uname -m)\" = x86_64 ] || echo 'its kernel is not x86_64'
		[ \"\$kernel\" ] || echo 'its kernel is not found in /boot'
		[ \"\$initrd\" ] || echo 'its initramfs is not found in /boot'
		! grep -qs '\\[[ic]' /sys/kernel/security/lockdown || echo 'its kernel is locked down (Secure Boot) and loads signed kernels only'
		$box_folder/box probe ${KVM_SPEED:-judged}
		rm -rf $box_folder" <"$box" 2>&1) || status=$?
	if [ "$status" != 0 ]; then
		printf 'ssh %s fails: %s\n' "$HOST" "$(one_line "$(tail -n 1 <<<"${answer:-status $status}")")"
	elif [ -n "$answer" ]; then
		printf '%s: %s\n' "$HOST" "$(one_line "${answer//$'\n'/; }")"
	fi
}

target_verify() { verify_speed "$HOST emulates the kernel" "$1"; }

# The boot is 'there', which tells by itself when the machine does not come back in time.
target_command() {
	[ "${MITIGATIONS:-yes}" = yes ] || cmdline+=" mitigations=off"
	command=("$top/harness/targets/target.sh" metal there "$image" "$initramfs" "$cmdline" "$out" "$deadline" "$back")
	deadline=$((deadline + back + 60))
}

not_there() { printf 'sheafbench: boot: %s\n' "$*"; exit 1; }

# again COMMANDS [IN [OUT]]: on HOST, again while the connection fails, which sets broke, until the end. Fails where it is not the
# system any more that it was.
again() {
	local status
	while :; do
		status=0
		on_box "[ \$(cat /proc/sys/kernel/random/boot_id) = ${was:-\$(cat /proc/sys/kernel/random/boot_id)} ] || exit 99
			$1" <"${2:-/dev/null}" >"${3:-/dev/null}" 2>box/said || status=$?
		case $status in
		0) return ;;
		99) return 1 ;;
		255) broke=yes ;;
		*) not_there "$HOST: $(tail -n 1 box/said)" ;;
		esac
		[ "$SECONDS" -lt "$end" ] || not_there "ssh $HOST fails, and did to the end of $seconds s: $(tail -n 1 box/said)"
		sleep 1
	done
}

# target_there IMAGE INITRAMFS CMDLINE OUT DEADLINE BACK: a boot, with what init and the kernel said as its output.
target_there() {
	local seconds=$(($5 + $6)) end was="" broke="" is token loader found cmdline
	end=$((SECONDS + seconds))
	cd "$4" || exit
	rm -rf box
	mkdir box
	cp "$(helper_program box -static)" box/box
	ln -s "$1" box/image
	ln -s "$2" box/initramfs
	ln args box/args
	tar -chf box/load.tar -C box box image initramfs args
	token=$(hash_of /proc/sys/kernel/random/uuid)
	# The path of the socket is short wherever OUT is.
	ssh_options+=(-o ControlMaster=auto -o ControlPath=box/ssh -o ControlPersist=yes)

	again 'cat /proc/sys/kernel/random/boot_id' /dev/null box/id
	was=$(cat box/id)
	again "rm -rf $box_folder && mkdir $box_folder && tar -xf - -C $box_folder" box/load.tar ||
		not_there "$HOST was rebooted by somebody else while its kernel was brought"
	broke=
	cmdline="panic=5 sheafbench.outfs=none sheafbench.back=/box sheafbench.deadline=$5 $3"
	# Where the connection broke, it may have left.
	again "[ ! -e $box_folder/left ] || exit 0
		$box_system
		words=\$(tr ' ' '\\n' </proc/cmdline | grep -E '$box_words' | tr '\\n' ' ')
		cd $box_folder && ./box leave \"\$kernel\" \"\$initrd\" $token \"\$words\"'${cmdline//\'/}'" || [ -n "$broke" ] ||
		not_there "$HOST was rebooted by somebody else while its kernel was loaded"
	ssh "${ssh_options[@]}" -O exit "$HOST" 2>/dev/null || true
	sleep 5

	while :; do
		read -r is loader found < <(on_box "echo \$(cat /proc/sys/kernel/random/boot_id /proc/sys/kernel/bootloader_type; ls /run/sheafbench/$token.cpio; cat $box_folder/left)" </dev/null 2>/dev/null) || is=
		[ -z "$is" ] || [ "$is" = "$was" ] || break
		[ -z "$is" ] || [ -z "$found" ] || not_there "$HOST did not leave its own system: $found"
		[ "$SECONDS" -lt "$end" ] || not_there "$HOST did not ${is:+leave its own system and }come back within $seconds s: look at its console, and reset it"
		sleep 2
	done
	was=$is
	# As a boot loader, kexec is 0xd.
	if [ -z "$found" ] && [ $((${loader:-0} >> 4)) = 13 ]; then
		not_there "$HOST came back without the results: its initramfs has no udev that would hand them on"
	elif [ -z "$found" ]; then
		not_there "$HOST came back through its firmware: the kernel panicked, hung or did not come up, or somebody reset it"
	fi
	{ again "cat $found" /dev/null box/results.cpio && again "rm -rf ${found%/*}"; } ||
		not_there "$HOST was rebooted by somebody else before the results were fetched"
	ssh "${ssh_options[@]}" -O exit "$HOST" 2>/dev/null || true
	cpio -idu --quiet --no-absolute-filenames <box/results.cpio
	rm -rf box
	cat console
	! grep -q '^sheafbench: init: hang: ' console || not_there "hang: no result within $5 s"
}
