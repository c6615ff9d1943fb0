# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# Target uml: the variant's kernel as a User Mode Linux process. Sourced by target.sh, whose boot() sets the variables.

target_arch=um
target_config=uml
target_goals=(all)
target_image_goal=linux
target_image=linux
target_relinks=yes
target_tells='time'

target_probe() {
	[ "$(uname -m)" = x86_64 ] || { echo "uml runs on x86_64 only"; return; }
	[ "$(nproc)" -ge 2 ] || { echo "uml with 2 CPUs needs 2 CPUs"; return; }
}

# Virtual CPU n is the n-th thread that the process has made.
target_threads() { find "/proc/$1/task" -mindepth 1 -maxdepth 1 -printf "%f\n" | sort -n | head -n 2; }

target_command() {
	# uml keeps the guest's memory in a file in /dev/shm, which is small in many containers.
	[ "$(df -Pm /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')" -ge $((mem + 88)) ] 2>/dev/null || export TMPDIR=/tmp
	[ "$binds" = no ] || cmdline="sheafbench.bound=yes $cmdline"
	# shellcheck disable=SC2206 # a command line is a list of words
	command=("$image" mem="${mem}M" ncpus="$cpus" seccomp=on con=null "con0=null,fd:1" initrd="$initramfs" sheafbench.out="$out" sheafbench.cpu=1 panic=-1 $cmdline)
}
