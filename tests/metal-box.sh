#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# metal-box.sh BUILD: target metal with a machine that QEMU emulates: a Debian with its own kernel, initramfs-tools and sshd. It
# takes long, and its times mean nothing: none is looked at. For root, who makes the Debian.
set -euo pipefail
. "$(dirname "$0")/check.sh"
. "$(dirname "$0")/emulated.sh"
[ "$(id -u)" = 0 ] || { say 'the Debian of the box takes root'; exit 77; }
lab=$1/metal-box
export KVM_SPEED=unjudged DEADLINE=200 HOST=root@box
target=$top/harness/targets/target.sh
rm -rf "$lab/results"
mkdir -p "$lab/bin"

# The box's disk. Its initramfs has what its disk and network need, and udev as everywhere; its first process is a script.
make_disk() {
	local root=$CACHE/box.part file options=() home
	home=$(debian_home) || die 1 "no Debian mirror in the machine's apt configuration (has apt-get update run?)"
	for file in /etc/apt/apt.conf.d/99*; do
		[ ! -f "$file" ] || options+=(--aptopt="$file")
	done
	rm -rf "$root"
	unshare --mount mmdebstrap --mode=root --variant=minbase --include=linux-image-amd64,initramfs-tools,udev,busybox,openssh-server,cpio \
		"${options[@]}" --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/lib/modules/*/kernel/sound/*' \
		--dpkgopt='path-exclude=/lib/modules/*/kernel/drivers/*/*wireless*' --format=directory bookworm "$root" \
		"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${home#* } bookworm main" || return
	printf '%s\n' virtio_pci virtio_blk virtio_net ext4 >>"$root/etc/initramfs-tools/modules"
	echo MODULES=list >"$root/etc/initramfs-tools/conf.d/box"
	chroot "$root" update-initramfs -u || return
	printf '%s\n' 'UsePAM no' 'HostKey /etc/ssh/ssh_host_ed25519_key' >"$root/etc/ssh/sshd_config.d/box.conf"
	cat >"$root/box" <<-'END'
		#!/bin/sh
		export PATH=/usr/sbin:/usr/bin:/sbin:/bin
		mkdir -p /dev/shm /dev/pts /run/sshd
		mount -t tmpfs shm /dev/shm
		mount -t devpts pts /dev/pts
		busybox modprobe virtio_net
		busybox ip addr add 10.0.2.15/24 dev eth0
		busybox ip link set eth0 up
		/usr/sbin/sshd
		echo 'box: up'
		while :; do sleep 1000; done
	END
	chmod +x "$root/box"
	mkdir -p "$root/root/.ssh"
	rm -f "$root/../box.key" "$root/../box.key.pub"
	ssh-keygen -q -t ed25519 -N '' -f "$CACHE/box.key"
	cp "$CACHE/box.key.pub" "$root/root/.ssh/authorized_keys"
	cp "$root"/boot/vmlinuz-* "$CACHE/box.vmlinuz"
	cp "$root"/boot/initrd.img-* "$CACHE/box.initrd"
	rm -f "$CACHE/box.disk.part"
	mke2fs -q -t ext4 -d "$root" "$CACHE/box.disk.part" 1500M
	mv "$CACHE/box.disk.part" "$CACHE/box.disk"
	rm -rf --one-file-system "$root"
}

run_box() {
	local command=() port=$((20000 + $$ % 20000))
	printf '%s\n' 'Host box' 'HostName 127.0.0.1' "Port $port" "IdentityFile $CACHE/box.key" "UserKnownHostsFile $lab/known_hosts" 'StrictHostKeyChecking accept-new' >"$lab/ssh_config"
	rm -f "$lab/known_hosts"
	emulated 2048 'root=/dev/vda rw init=/box net.ifnames=0' -serial "file:$lab/console" \
		-netdev "user,id=n,restrict=on,hostfwd=tcp:127.0.0.1:$port-:22" -device virtio-net-pci,netdev=n \
		-drive "file=$CACHE/box.disk,if=none,id=d,format=raw,snapshot=on" -device virtio-blk-pci,drive=d \
		-kernel "$CACHE/box.vmlinuz" -initrd "$CACHE/box.initrd"
	"$(helper_program guard)" 6000 "${command[@]}" </dev/null >"$lab/qemu.log" 2>&1 &
	box=$!
}

# ssh knows the box by a file of ours. Where there is a fault, it meets whoever brings a kernel.
cat >"$lab/bin/ssh" <<END
#!/bin/sh
ssh="$(command -v ssh) -F $lab/ssh_config"
case \$* in
*'tar -xf'*)
	fault=\$(cat $lab/fault 2>/dev/null)
	rm -f $lab/fault
	case \$fault in
	broken) timeout 0.5 \$ssh "\$@"; exit 255 ;;
	reset) timeout 20 \$ssh -o ControlPath=none box 'echo b >/proc/sysrq-trigger'; exit 255 ;;
	esac ;;
esac
exec \$ssh "\$@"
END
chmod +x "$lab/bin/ssh"
PATH=$lab/bin:$PATH

on() { timeout 60 ssh -o ConnectTimeout=20 box "$1" </dev/null; }
up() {
	local end=$((SECONDS + 300))
	until on true 2>/dev/null; do [ "$SECONDS" -lt "$end" ] || return 1; done
}
boot_id() { on 'cat /proc/sys/kernel/random/boot_id'; }
# Waits until one of our kernels is on its console.
left() {
	local end=$((SECONDS + 200))
	until tail -c 20000 "$lab/console" | grep -aq 'Linux version 7'; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.5
	done
}
# What the box is, but for the boot.
self() { on 'cat /proc/cmdline; uname -a; find / -xdev | sort | sha256sum; ls -A /dev/shm /run; cat /sys/kernel/kexec_loaded /proc/sys/kernel/tainted'; }

# boot NAME CMDLINE DEADLINE KEY... [-- ARG...]: one boot of the baseline, sets reason; its driver has these arguments.
boot() {
	local name=$1 cmdline=$2 deadline=$3 keys=()
	shift 3
	while [ $# -gt 0 ] && [ "$1" != -- ]; do keys+=("$1"); shift; done
	[ $# = 0 ] || shift
	rm -rf "${lab:?}/$name"
	mkdir "$lab/$name"
	printf '%s\n' --workloads '^pair/64/1$' --events none --out-json /out/run.json --out-samples /out/samples.tsv "$@" >"$lab/$name/args"
	boot_target metal "$lab/$name.log" "$image" "$initramfs" "$cmdline" "$lab/$name" "$deadline" "${keys[@]}"
}
# told WHAT PATTERN
told() { if grep -qE -- "$2" <<<"$reason"; then ok "$1: $reason"; else not_ok "$1: no /$2/ in: $reason"; fi; }

"$top/harness/host/deps.sh" qemu hosts
[ -f "$CACHE/box.disk" ] || logged "$CACHE/logs/box.log" "the box's Debian" with_lock box make_disk
run_box
trap 'kill $box 2>/dev/null; wait $box || true' EXIT
holds 'the box is up' up
before=$(boot_id)
self >"$lab/self"

expect 0 '^$' 'the probe takes it' "$target" metal probe
KVM_SPEED=judged expect 0 'root@box: it is emulated' 'and not where speed is judged' "$target" metal probe
HOST='' expect 0 'it takes a machine that may be rebooted: HOST=root@box' 'nor without HOST' "$target" metal probe
HOST=nobody@box expect 0 'ssh nobody@box fails: .*denied' 'nor where ssh does not get in' "$target" metal probe

# The whole of it, twice.
args=(-C "$top" --no-print-directory "BUILD=$lab/build" "OUT=$lab/results" INSTALL=no TARGETS=metal "HOST=$HOST" VARIANTS="${BOX_VARIANTS-qpw-on}"
	"LAYOUTS=${BOX_LAYOUTS-2}" SAMPLES=20 'WORKLOADS=^pair/64/1$' bench)
for time in ${BOX_TIMES-first second}; do
	status=0
	MAKEFLAGS='' make "${args[@]}" >"$lab/$time.log" 2>&1 </dev/null || status=$?
	[ "$status" = 0 ] || sed 's/^/# /' "$lab/$time.log"
	holds "$time: make bench ends well ($status)" test "$status" = 0
	result=$(readlink -f "$lab/results/latest")
	[ -f "$result/boots.tsv" ] || { not_ok 'there is a result'; finish; }
	n=$(rows "$result/plan.tsv" | wc -l)
	holds "$time: all of its $n boots are ok" test "$(awk -F '\t' '$5 == "ok" { print $1 }' "$result/boots.tsv" | sort -u | wc -l)" = "$n" -a "$(rows "$result/boots.tsv" | wc -l)" = "$n"
	holds "$time: each has samples" test "$(grep -lP '^pair/64/1\t' "$result"/samples/*.tsv | wc -l)" = "$n"
	for f in report.md reply.txt summary.json; do holds "$time: $f is there" test -s "$result/$f"; done
	# shellcheck disable=SC2016 # jq's
	holds "$time: the result names the box" jq -e --arg cpu "$(on "sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1")" \
		'.target == "metal" and .tells == "time" and .cpu_model == $cpu and .request.values.HOST == "root@box" and .request.cpu_model == $cpu' "$result/environment.json"
	holds "$time: and a command that repeats it" jq -e '.command | contains("HOST=root@box")' "$result/environment.json"
	self >"$lab/self.$time"
	expect 0 '' "$time: the box is its old self" diff "$lab/self" "$lab/self.$time"
	holds "$time: after another boot" test "$(boot_id)" != "$before"
done

# How boots end that bring nothing, and what they get over.
export TARGET=metal BUILD=$lab/build EVENTS=none
SOURCE=$("$top/harness/kernel/source.sh")
export SOURCE
# shellcheck disable=SC2034 # guest_programs uses it
build=$lab
guest_programs sheafbench-driver sheafbench-init sheafbench-module-test
BUILD=$lab/guest
"$top/harness/kernel/build.sh" tree local-trylock
"$top/harness/kernel/build.sh" link local-trylock 0
image=$("$top/harness/kernel/build.sh" path local-trylock)/bzimage.0
initramfs=$lab/initramfs.cpio
guest_initramfs "$initramfs" "$("$top/harness/kernel/build.sh" module local-trylock)"

echo broken >"$lab/fault"
boot broken '' 200 needs=samples.tsv -- --samples 20
holds "a connection that breaks is made again: ${reason:-ok}" test -z "$reason" -a ! -e "$lab/fault" -a -s "$lab/broken/samples.tsv"
boot panic rdinit=/nothing 200
told 'a panic' 'root@box came back through its firmware: the kernel panicked'
boot hang '' 20 -- --samples 20000 --runs 100
told 'a hang' '^hang: no result within 20 s$'
holds 'and has its console' grep -q 'Linux version 7' "$lab/hang.log"
echo reset >"$lab/fault"
boot reset '' 200
told 'somebody else' 'root@box was rebooted by somebody else while its kernel was brought'
up || true
# Whoever stops a run leaves the box in our kernel, and it comes back by itself.
: >"$lab/console"
mkdir -p "$lab/stopped"
cp "$lab/broken/args" "$lab/stopped"
"$target" metal boot "$lab/stopped.log" "$image" "$initramfs" '' "$lab/stopped" 200 >"$lab/stopped.reason" &
stopped=$!
holds 'a boot is stopped on its way' left
kill -TERM "$stopped"
wait "$stopped" || true
holds 'nothing of it is left here' test -z "$(pgrep -f "metal there .*$lab/stopped" || true)"
holds 'the box comes back by itself' up
# One that never does.
: >"$lab/console"
{ left && pkill -STOP -P "$box"; } &
boot lost '' 20 back=60
told 'a box that does not come back' 'root@box did not come back within 80 s: look at its console, and reset it'
pkill -CONT -P "$box" || true
holds 'it goes on' up
expect 0 '' 'after all of that the box is its old self' diff "$lab/self" <(self | grep -vx sheafbench)
finish
