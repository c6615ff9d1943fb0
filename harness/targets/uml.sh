# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# Target uml: the variant's kernel as a User Mode Linux process. Sourced; the verbs are those
# of every target: target_probe and target_boot. GUEST_CPUS is the number of its CPUs; with other than the 2
# of a measurement none is bound. GUEST_MEM is its memory in MiB.

. "$(dirname "${BASH_SOURCE[0]}")/../bind.sh"
target_arch=um
target_config=uml
target_goals=(all)
target_image_goal=linux
target_image=linux
target_tells='time'

# Prints why the target cannot run here, or nothing.
target_probe() {
	[ "$(uname -m)" = x86_64 ] || { echo "uml runs on x86_64 only"; return; }
	[ "$(nproc)" -ge 2 ] || { echo "uml with 2 CPUs needs 2 CPUs"; return; }
}

# Virtual CPU n is thread n of the process, in the order in which they were made.
cpu_threads() { find "/proc/$1/task" -mindepth 1 -maxdepth 1 -printf "%f\n" | head -n 2; }

# target_verify SAMPLES: why the boot that took these samples is none, or nothing.
target_verify() { verify_bound "$(dirname "$1")"; }

# target_boot IMAGE INITRAMFS CMDLINE OUTDIR DEADLINE: one boot; console on standard output.
target_boot() {
	local image=$1 initramfs=$2 cmdline=$3 out=$4 deadline=$5 ncpus=${GUEST_CPUS:-2} memory=${GUEST_MEM:-512} boot=$BASHPID cpus
	ulimit -c 0
	# The guest's memory is a file there; containers often have little of it.
	[ "$(df -Pm /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')" -ge $((memory + 88)) ] 2>/dev/null || export TMPDIR=/tmp
	if [ "$ncpus" = 2 ]; then
		mapfile -t cpus <<<"$(host_cpus)"
		bind_guest "$boot" "$out" cpu_threads "${cpus[@]}" &
	fi
	# shellcheck disable=SC2086 # a command line is a list of words
	exec setpriv --pdeathsig TERM timeout --verbose --signal=KILL "$deadline" setpriv --pdeathsig KILL \
		"$image" mem="${memory}M" ncpus="$ncpus" seccomp=on con=null con0=null,fd:1 \
		initrd="$initramfs" sheafbench.out="$out" sheafbench.cpu=1 \
		panic=-1 $cmdline </dev/null 2>&1
}
