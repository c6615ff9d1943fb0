# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# Target uml: the variant's kernel as a User Mode Linux process. Sourced; the verbs are those
# of every target: target_probe and target_boot. GUEST_CPUS is the number of its CPUs; with more than the 2
# of a measurement none is pinned. GUEST_MEM is its memory in MiB.

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

# Virtual CPU n is host thread n of the process; the measured one gets the last host CPU for itself.
pin_threads() {
	local image=$1 out=$2 cpus pid tids i
	mapfile -t cpus < <(taskset -cp $$ | sed 's/.*: //' | tr ',' '\n' | awk -F- '{ for (c = $1; c <= ($2 == "" ? $1 : $2); c++) print c }')
	for ((i = 0; i < 100; i++)); do
		pid=$(pgrep -nf "^$image .*sheafbench.out=$out " || true)
		tids=("/proc/${pid:-none}/task/"*)
		if [ ${#tids[@]} -ge 2 ]; then
			taskset -cp "${cpus[0]}" "${tids[0]##*/}" >/dev/null
			taskset -cp "${cpus[-1]}" "${tids[1]##*/}" >/dev/null
			return
		fi
		sleep 0.02
	done
}

# target_boot IMAGE INITRAMFS CMDLINE OUTDIR DEADLINE: one boot; console on standard output.
target_boot() {
	local image=$1 initramfs=$2 cmdline=$3 out=$4 deadline=$5 ncpus=${GUEST_CPUS:-2} memory=${GUEST_MEM:-512}
	ulimit -c 0
	# The guest's memory is a file there; containers often have little of it.
	[ "$(df -Pm /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')" -ge $((memory + 88)) ] 2>/dev/null || export TMPDIR=/tmp
	[ "$ncpus" -gt 2 ] || pin_threads "$image" "$out" 2>/dev/null &
	# shellcheck disable=SC2086 # a command line is a list of words
	exec setpriv --pdeathsig TERM timeout --signal=KILL "$deadline" setpriv --pdeathsig KILL \
		"$image" mem="${memory}M" ncpus="$ncpus" seccomp=on con=null con0=null,fd:1 \
		initrd="$initramfs" sheafbench.out="$out" sheafbench.cpu=1 \
		panic=-1 $cmdline </dev/null 2>&1
}
