#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# kvm-host.sh BUILD: target kvm in a KVM that works. Where there is none, QEMU emulates a machine with AMD's SVM, Debian's
# own kernel boots there as its host, and this script goes on in it, with this machine's files. It takes long, and its times
# mean nothing: none is looked at.
set -euo pipefail
. "$(dirname "$0")/check.sh"
. "$(dirname "$0")/emulated.sh"
lab=$1/kvm-host
export BUILD=$lab/build OUT=$lab/results TARGETS=kvm TARGET=kvm VARIANTS=qpw-on LAYOUTS=1 SAMPLES=20 WORKLOADS='^pair/64/1$'
export INSTALL=no GOAL=bench KVM_SPEED=unjudged
target=$top/harness/targets/target.sh

# What the host loads for its own disks, and KVM.
host_modules=(virtio_pci 9pnet_virtio 9p overlay kvm-amd)

fetch_host() {
	local state=$CACHE/apt-kvm-host log=$CACHE/logs/kvm-host-apt.log home kernel
	mkdir -p "$CACHE/logs"
	home=$(debian_home) || die 1 "no Debian mirror in the machine's apt configuration (has apt-get update run?)"
	own_state "$state" "${home%% *}"
	# Of what the kernel depends on, nothing but itself.
	own_unpack "$state" "$CACHE/kvm-host" '^(linux-image-.*|busybox-static)$' linux-image-amd64 busybox-static >"$log" 2>&1 ||
		die 1 "the Debian mirror does not give linux-image-amd64 and busybox-static: $(grep -m1 '^E:' "$log"); the whole log is $log"
	kernel=$(basename "$CACHE/kvm-host/lib/modules"/*)
	"$CACHE/kvm-host/bin/busybox" depmod -b "$CACHE/kvm-host" "$kernel"
}

# An initramfs whose init goes on in this machine's files, which it cannot write to.
host_initramfs() {
	local root=$1 host=$CACHE/kvm-host kernel module file
	kernel=$(basename "$host/lib/modules"/*)
	mkdir -p "$root"/{bin,proc,sys,dev,lower,rw,new} "$root/lib/modules/$kernel"
	cp "$host/bin/busybox" "$root/bin"
	sed 's/\.xz\b//g' "$host/lib/modules/$kernel/modules.dep" >"$root/lib/modules/$kernel/modules.dep"
	for module in "${host_modules[@]}"; do
		sed -n "s|^\([^:]*/${module//_/[_-]}\.ko[^:]*\):|\1|p" "$host/lib/modules/$kernel/modules.dep"
	done | tr ' ' '\n' | sed '/^$/d' | sort -u | while read -r file; do
		(cd "$host/lib/modules/$kernel" && cp --parents "$file" "$root/lib/modules/$kernel")
	done
	find "$root/lib" -name '*.xz' -exec xz -d {} +
	cat >"$root/init" <<-END
		#!/bin/busybox sh
		/bin/busybox --install -s /bin
		mount -t proc proc /proc
		mount -t sysfs sys /sys
		mount -t devtmpfs dev /dev
		for m in ${host_modules[*]}; do modprobe \$m || echo "no module \$m"; done
		mount -t 9p -o trans=virtio,version=9p2000.L,cache=loose,ro,msize=512000 root /lower
		mount -t tmpfs -o size=90% rw /rw
		mkdir /rw/upper /rw/work
		mount -t overlay -o lowerdir=/lower,upperdir=/rw/upper,workdir=/rw/work overlay /new
		for d in proc sys dev; do mount -o bind /\$d /new/\$d; done
		ln -sfn /proc/self/fd /dev/fd
		mkdir /dev/shm
		mount -t tmpfs shm /dev/shm
		chroot /new /bin/bash $lab/inside
		echo "host: exit \$?"
		poweroff -f
	END
	chmod +x "$root/init"
	(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1)
}

# Its console is a file.
run_host() {
	local command=()
	emulated 3072 panic=-1 -no-reboot -serial stdio \
		-fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap -device virtio-9p-pci,fsdev=root,mount_tag=root \
		-kernel "$CACHE/kvm-host/boot"/vmlinuz-* -initrd "$lab/initramfs.gz"
	"$(helper_program guard)" 5000 "${command[@]}" </dev/null >"$lab/console" 2>&1
}

# What 'make bench' does before its first boot is done here, where it takes a tenth of the time.
prepare() (
	. "$top/harness/request/values.sh"
	. "$top/harness/request/open.sh"
	mkdir -p "$lab"
	rm -rf "$OUT"
	GIVEN='' take_values bench
	build=$BUILD LEFT_OUT='' TEST_ONLY='in an emulated host'
	cmake -S "$top" -B "$BUILD" -G Ninja -DBUILD_TESTING=OFF
	cmake --build "$BUILD" -j "$JOBS" --target sheafbench-driver sheafbench-init sheafbench-module-test sheafbench-prove sheafstat sheafreport sheaftrace sheafcounts
	open_result
	"$top/harness/steps.sh" "$part" kernels
	rm -rf "$OUT"
)

outside() {
	local scratch
	"$top/harness/host/deps.sh" qemu
	mkdir -p "$lab"
	prepare >"$lab/prepare.log" 2>&1 </dev/null || { tail -n 15 "$lab/prepare.log"; die 1 "what the host needs cannot be built; the whole log is $lab/prepare.log"; }
	# The list of modules is written last.
	compgen -G "$CACHE/kvm-host/lib/modules/*/modules.dep" >/dev/null || with_lock kvm-host fetch_host
	scratch=$(mktemp -d)
	host_initramfs "$scratch" >"$lab/initramfs.gz"
	rm -rf "$scratch"
	printf '%s\n' "cd '$top'" "exec env -i PATH='$PATH' HOME='$HOME' CACHE='$CACHE' '$top/tests/kvm-host.sh' '$1' inside" >"$lab/inside"
	run_host || true
	tr -d '\r' <"$lab/console" | grep -aE '^(ok|not ok|#) ' || true
	holds "the host came to its end, and no check in it failed (console: $lab/console)" grep -aq '^host: exit 0' "$lab/console"
	finish
}

probe() { timeout 300 "$target" kvm probe; }
qemus() { pgrep -x qemu-system-x86 || true; }
no_qemu() { test -z "$(qemus)"; }
# The folder is not there yet when this is asked first.
did_boot() { grep -qP '\tok\t' "$OUT"/*.part/boots.tsv; }

# boot NAME DEADLINE COMMAND_LINE [ARG...]: one boot of the baseline in the background; its driver has these arguments.
boot() {
	local name=$1 deadline=$2 cmdline=$3
	shift 3
	mkdir -p "$scratch/$name"
	printf '%s\n' --workloads "$WORKLOADS" "$@" --events none --out-json /out/run.json --out-samples /out/samples.tsv >"$scratch/$name/args"
	"$target" kvm boot "$scratch/$name.log" "$image" "$initramfs" "$cmdline" "$scratch/$name" "$deadline" needs=samples.tsv >"$scratch/$name.reason" &
}
# ended NAME PATTERN WHAT: the boot is over and leaves no QEMU, and what is told of it.
ended() {
	wait $! || true
	expect 0 "$2" "$3" cat "$scratch/$1.reason"
	holds 'and leaves no QEMU' test -z "$(qemus)"
}
# soon SECONDS COMMAND...: it succeeds before they are over.
soon() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.5
	done
}

# Where the threads of all guests' QEMUs may run, over and over. One that is only asked for its version runs anywhere.
watch_threads() {
	local task
	while sleep 0.3; do
		for task in $({ pgrep -f '^qemu-system-x86_64 .*sheafbench,debug-threads' || true; } | sed 's|.*|/proc/&/task/*|'); do
			printf '%s on %s\n' "$(cat "$task/comm" 2>/dev/null)" "$(sed -n 's/^Cpus_allowed_list:.//p' "$task/status" 2>/dev/null)"
		done
	done >"$scratch/threads"
}

inside() {
	local scratch image initramfs args leader watcher status=0 result n
	scratch=$(mktemp -d)
	SOURCE=$("$top/harness/kernel/source.sh")
	export SOURCE

	expect 0 '^$' 'the probe takes this KVM' probe
	printf '# where speed is judged it says: %s\n' "$(KVM_SPEED=judged probe)"
	holds 'and says why it does not with one CPU' test "$(taskset -c 0 "$target" kvm probe)" = 'a guest with 2 CPUs needs 2 CPUs'
	# Each instruction ends the guest for a while: KVM itself does not call that emulation.
	gcc -O2 -shared -fPIC -o "$scratch/stepping.so" -xc - <<-'END'
		#include <linux/kvm.h>
		#include <stdarg.h>
		#include <sys/syscall.h>
		#include <unistd.h>

		int ioctl(int fd, unsigned long request, ...)
		{
			struct kvm_guest_debug debug = { .control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP };
			va_list list;
			void *arg;

			va_start(list, request);
			arg = va_arg(list, void *);
			va_end(list);
			if (request != KVM_RUN)
				return syscall(SYS_ioctl, fd, request, arg);
			syscall(SYS_ioctl, fd, KVM_SET_GUEST_DEBUG, &debug);
			for (int i = 0; i < 2000; i++)
				if (syscall(SYS_ioctl, fd, KVM_RUN, 0))
					return -1;
			debug.control = 0;
			syscall(SYS_ioctl, fd, KVM_SET_GUEST_DEBUG, &debug);
			return syscall(SYS_ioctl, fd, KVM_RUN, 0);
		}
	END
	LD_PRELOAD=$scratch/stepping.so KVM_SPEED=judged expect 0 'emulates: a loop takes [0-9]+ times as long' 'one that takes instruction by instruction is refused' probe

	# A whole bench, interrupted in the middle of a boot by Ctrl-C, and gone on with.
	watch_threads &
	watcher=$!
	args=(-C "$top" --no-print-directory "BUILD=$BUILD" "OUT=$OUT" INSTALL=no TARGETS=kvm VARIANTS=qpw-on LAYOUTS=1 BOOTS=1 SAMPLES=20 "WORKLOADS=$WORKLOADS" bench)
	MAKEFLAGS='' setsid env --default-signal=INT make "${args[@]}" >"$scratch/first.log" 2>&1 </dev/null &
	leader=$!
	holds 'a bench does a boot' soon 1800 did_boot
	holds 'and another one begins' soon 180 pgrep -x qemu-system-x86
	kill -INT -- "-$leader"
	wait "$leader" || status=$?
	holds 'an interrupted bench fails' test "$status" != 0
	expect 0 'interrupted: the same command goes on from here' 'and says how it goes on' cat "$scratch/first.log"
	holds 'no QEMU is left' soon 5 no_qemu
	status=0
	MAKEFLAGS='' make "${args[@]}" >"$scratch/second.log" 2>&1 </dev/null || status=$?
	kill "$watcher"
	[ "$status" = 0 ] || sed 's/^/# /' "$scratch/first.log" "$scratch/second.log"
	holds "the same command ends well ($status)" test "$status" = 0
	expect 0 'going on with' 'and has gone on' cat "$scratch/second.log"
	result=$(readlink -f "$OUT/latest")
	[ -f "$result/boots.tsv" ] || { not_ok 'there is a result'; finish; }
	n=$(rows "$result/plan.tsv" | wc -l)
	holds "all of its $n boots are ok" test "$n" -ge 8 -a "$(awk -F '\t' '$5 == "ok" { print $1 }' "$result/boots.tsv" | sort -u | wc -l)" = "$n" -a "$(rows "$result/boots.tsv" | wc -l)" = "$n"
	holds 'each has samples, with chains' test "$(grep -lP '^pair/64/1\t.*\t[0-9 ]+\t[0-9 ]+$' "$result"/samples/*.tsv | wc -l)" = "$n"
	for f in report.md reply.txt reply.eml summary.json; do holds "$f is there" test -s "$result/$f"; done
	holds 'plots are there' test "$(find "$result/plots" -name '*.svg' | wc -l)" -ge 1
	holds 'the result is of kvm' jq -e '.target == "kvm" and .tells == "time"' "$result/environment.json"
	expect 0 '; n/a: core_cycles instructions .*no PMU in this guest' 'a host without a PMU has n/a, and why' jq -r .counters "$result/environment.json"

	# Where QEMU's threads have been: the measured CPU on the last one, nothing else there.
	sort "$scratch/threads" | uniq -c | sed 's/^/# /'
	holds 'the measured CPU was bound to CPU 1' grep -qx 'CPU 1/KVM on 1' "$scratch/threads"
	holds 'the other one to CPU 0' grep -qx 'CPU 0/KVM on 0' "$scratch/threads"
	expect 1 '' 'nothing else of QEMU might run on CPU 1' grep -vE ' on 0?$|^CPU 1/KVM on 1$' "$scratch/threads"

	# How boots end that bring nothing.
	image=$("$top/harness/kernel/build.sh" path local-trylock)/image.0
	initramfs=$scratch/initramfs.cpio
	EVENTS=none guest_initramfs "$initramfs" "$("$top/harness/kernel/build.sh" module local-trylock)"
	boot panic 120 rdinit=/nothing
	ended panic 'Kernel panic' 'a panic is told with its own words'
	boot hang 45 '' --samples 20000 --runs 100
	ended hang '^hang: no result within 45 s' 'a guest that hangs meets its deadline'
	boot killed 120 '' --samples 20000 --runs 100
	soon 120 test -e "$scratch/killed/bound"
	pkill -KILL -x qemu-system-x86
	ended killed '^killed by somebody else' 'one that is killed is no hang'
	mkdir "$scratch/bin"
	printf '%s\n' '#!/bin/sh' "[ \$# != 3 ] || ! grep -q '^CPU 1/' /proc/\$3/comm || { echo refused >&2; exit 1; }" "exec $(command -v taskset) \"\$@\"" >"$scratch/bin/taskset"
	chmod +x "$scratch/bin/taskset"
	PATH=$scratch/bin:$PATH boot unbound 120 '' --samples 20
	ended unbound "^the guest's CPUs cannot be bound to CPUs 0 and 1 of this machine: refused" 'CPUs that cannot be bound end the boot'
	finish
}

"${2:-outside}" "$1"
