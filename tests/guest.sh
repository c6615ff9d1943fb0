#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# guest.sh BUILD: the module in booted kernels, with good and bad input (bench/driver/module_test.c), and random ioctls on
# one with KASAN, lockdep and kmemleak: with LONG=yes, for which that kernel is built, 100,000 each on uml and tcg.
set -euo pipefail
. "$(dirname "$0")/check.sh"
build=$1
SOURCE=$("$top/harness/kernel/source.sh")
export SOURCE TARGET=uml
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

guest_programs sheafbench-driver sheafbench-init sheafbench-module-test

# random TARGET ARGUMENT...: module_test_random.c's
random() {
	local log=$scratch/random-$1.log
	printf '%s\n' --random "${@:2}" >"$scratch/args"
	local -x TARGET=$1 FLAVOUR=ioctls
	"$top/harness/kernel/build.sh" tree local-trylock
	"$top/harness/kernel/build.sh" link local-trylock 0
	"$top/harness/kernel/initramfs.sh" "$scratch/random.cpio" "$("$top/harness/kernel/build.sh" module local-trylock)" "$build/guest"
	boot_target "$1" "$log" "$("$top/harness/kernel/build.sh" path local-trylock)/image.0" "$scratch/random.cpio" \
		'sheafbench.run=/module-test' "$scratch" "$deadline" mem=1024 reports=no
	rm "$scratch/args"
	sed -n 's/\r$//; s/^# \(.*: done .*\)/\1/p' "$log"
	grep -aE '^not ok' "$log" || true
	holds "random ioctls on $1" grep -aq '^sheafbench: exit 0' "$log"
	# On uml kmemleak has one of its own while CPUs are brought up.
	sed '1,/Run \/init as init process/d' "$log" >"$log.init"
	expect 1 '' "no report of $1's kernel" grep -aE 'BUG[ :]|WARNING:|Oops|Kernel panic|general protection|INFO: (possible|task|trying|rcu|suspicious)|possible .*(deadlock|dependency)|detected stall|Objects remaining|still has objects|ODEBUG|Double-freed|list_(add|del) corruption|Bad page|unreferenced object' "$log.init"
	[ "$failures" = 0 ] || tail -n 30 "$log"
}
if [ "${LONG-}" = yes ]; then
	"$top/harness/host/deps.sh" qemu
	# Or as many as ten minutes hold.
	deadline=900
	for t in uml tcg; do random "$t" "${SEED:-1}" 100000 600; done
fi

names=(local-trylock qpw-on slowpath slowpath-isolated slowpath-isolated-cpu qpw-isolated-cpu)
# Two at once: half of their time they wait, for RCU and for kworkers.
for ((i = 0; i < ${#names[@]}; i += 2)); do
	for v in "${names[@]:i:2}"; do
		"$top/harness/kernel/build.sh" tree "$v"
		"$top/harness/kernel/build.sh" link "$v" 0
		module=$("$top/harness/kernel/build.sh" module "$v")
		"$top/harness/kernel/initramfs.sh" "$scratch/$v.cpio" "$module" "$build/guest"
		mkdir "$scratch/$v"
		start_boot uml "$scratch/$v.log" "$("$top/harness/kernel/build.sh" path "$v")/image.0" "$scratch/$v.cpio" \
			"$(variant_key "$v" cmdline) sheafbench.run=/module-test" "$scratch/$v" 300
	done
	end_boots
done
for v in "${names[@]}"; do
	passed=$(grep -ac '^ok ' "$scratch/$v.log" || true)
	grep -aE '^not ok' "$scratch/$v.log" | sed "s/^not ok/not ok - $v:/" || true
	holds "$v: the module's tests pass ($passed)" grep -aq '^sheafbench: exit 0' "$scratch/$v.log"
	holds "$v: no test failed and at least 50 were done" test "$(grep -ac '^not ok' "$scratch/$v.log")" = 0 -a "$passed" -ge 50
	expect 1 '' "$v: no splat on the console" grep -aE 'Kernel panic|Oops|BUG:|WARNING:|Call Trace' "$scratch/$v.log"
	[ "$failures" = 0 ] || tail -n 30 "$scratch/$v.log"
done

# On uml a program of the guest is a process of this machine, which has to run where the guest's CPU does. Also where
# binding the CPUs takes longer than booting.
mkdir -p "$scratch/bin" "$scratch/where"
printf '#!/bin/sh\nsleep 1\nexec %s "$@"\n' "$(command -v taskset)" >"$scratch/bin/taskset"
chmod +x "$scratch/bin/taskset"
printf '%s\n' --workloads '^flush-none/64/2/user$' --samples 10 --runs 100 --out-samples /out/samples.tsv >"$scratch/where/args"
PATH=$scratch/bin:$PATH "$top/harness/targets/target.sh" uml boot "$scratch/where.log" \
	"$("$top/harness/kernel/build.sh" path local-trylock)/image.0" "$scratch/local-trylock.cpio" '' "$scratch/where" 60 \
	>"$scratch/where.reason" &
booting=$!
# Where those may run that have been in user space for 40 ms, as only what keeps the flushed CPU busy does.
where() {
	local kernel pid
	for kernel in $(pgrep -f "sheafbench.out=$scratch/where "); do
		for pid in $(pgrep -P "$kernel" -x uml-userspace); do
			! awk '{ exit $14 < 4 }' "/proc/$pid/stat" || sed -n 's/^Cpus_allowed_list:\t//p' "/proc/$pid/status"
		done
	done 2>/dev/null || true
}
last=$(taskset -cp $$ | grep -o '[0-9]*$') seen=
for ((i = 0; i < 400; i++)); do
	seen=$( (tr ' ' '\n' <<<"$seen"; where) | sort -u | paste -sd ' ')
	[ -z "${seen# }" ] || [ $i -lt 60 ] || break
	sleep 0.05
	kill -0 "$booting" 2>/dev/null || break
done
holds "uml: a program that keeps the flushed CPU busy runs where that is bound: $last (${seen# })" test "${seen# }" = "$last"
kill "$booting" 2>/dev/null || true
wait "$booting" || true
booting=

# A guest whose CPUs nobody binds does not run unbound: it says so. With one CPU nobody would.
mkdir -p "$scratch/unbound"
cp "$scratch/where/args" "$scratch/unbound/args"
"$top/harness/targets/target.sh" uml boot "$scratch/unbound.log" \
	"$("$top/harness/kernel/build.sh" path local-trylock)/image.0" "$scratch/local-trylock.cpio" 'sheafbench.bound=yes' "$scratch/unbound" 60 \
	cpus=1 >"$scratch/unbound.reason" || true
holds 'uml: a guest that is not bound says so' grep -aq "the host did not bind this guest's CPUs within 10 s" "$scratch/unbound.log"
finish
