#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# doctor.sh on made-up machines: each finding with its remedy; tuned values go back however the run ends.
# shellcheck disable=SC2016 # programs in quotes
set -euo pipefail
. "$(dirname "$0")/check.sh"
scratch=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$scratch"' EXIT
export CACHE=$scratch/cache OUT=$scratch/out DOCTOR_ROOT=$scratch/metal
cpu=sys/devices/system/cpu
doctor=$top/harness/host/doctor.sh
all=$scratch/all # what all machines said

# The programs that would tell of the real machine.
mkdir "$scratch/bin" "$CACHE" "$OUT"
PATH=$scratch/bin:$PATH
program() { cat >"$scratch/bin/$1" && chmod +x "$scratch/bin/$1"; }
program systemd-detect-virt <<<'#!/bin/sh
case $1 in --vm) cat "$DOCTOR_ROOT/vm" ;; *) echo none ;; esac'
program sleep <<<'#!/bin/sh
[ ! -d "$DOCTOR_ROOT/later" ] || cp -r "$DOCTOR_ROOT/later/." "$DOCTOR_ROOT/"'
program df <<<'#!/bin/sh
printf "Filesystem 1048576-blocks Used Available Capacity Mounted\nnone 9 9 %s 9%% /\n" "${FREE:-9000}"'
program pkg-config <<'END'
#!/bin/sh
[ "$2" != "${LACKING:-none}" ] && PATH=${PATH#*:} exec pkg-config "$@"
END

# have FILE TEXT: below the root of the machine.
have() {
	mkdir -p "$DOCTOR_ROOT/$(dirname "$1")"
	rm -rf "${DOCTOR_ROOT:?}/$1"
	printf '%s\n' "$2" >"$DOCTOR_ROOT/$1"
}
lack() { rm -rf "${DOCTOR_ROOT:?}/$1"; }
like() {
	DOCTOR_ROOT=$scratch/$2
	cp -r "$scratch/$1" "$DOCTOR_ROOT"
}

# now COMMAND...: the second that passes meanwhile is taken back
now() {
	local status=0
	cp -r "$DOCTOR_ROOT" "$scratch/now"
	"$@" || status=$?
	rm -rf "${DOCTOR_ROOT:?}"
	mv "$scratch/now" "$DOCTOR_ROOT"
	return "$status"
}

# examine [STATUS]: each finding on one line in $scratch/said
examine() {
	local status=0
	now "$doctor" >"$scratch/lines" 2>&1 </dev/null || status=$?
	cat "$scratch/lines" >>"$all"
	awk '/^ {19}/ || /^                   / { sub(/^ */, " "); line = line $0; next } NR > 1 { print line } { line = $0 } END { print line }' \
		"$scratch/lines" >"$scratch/said"
	[ "$status" = "${1:-0}" ] || not_ok "${DOCTOR_ROOT##*/}: status $status, not ${1:-0}: $(tail -n 3 "$scratch/lines")"
}

# says AREA STATE TEXT [REMEDY]: regular expressions
says() {
	if grep -qE -- "^$1 +$2 +.*$3.*${4:+ -> .*$4}" "$scratch/said"; then
		ok "${DOCTOR_ROOT##*/}: $1 is $2: $3"
	else
		not_ok "${DOCTOR_ROOT##*/}: no '$1 $2 $3 -> ${4-}' in: $(grep "^$1 " "$scratch/said")"
	fi
}

# one AREA STATE TEXT [REMEDY]: examine and says
one() {
	examine
	says "$@"
}

# stat FILE BUSY-OF-CPU3 IDLE-OF-CPU3 STEAL-OF-CPU3 BUSY-OF-CPU1: 4 CPUs; of one second 100 ticks
stat_of() {
	have "$1" "cpu  $(($2 + $5)) 0 0 $((20000 + $3)) 0 0 0 $4 0 0
cpu0 0 0 0 9000 0 0 0 0 0 0
cpu1 $5 0 0 $((9000 - $5)) 0 0 0 0 0 0
cpu2 0 0 0 $3 0 0 0 0 0 0
cpu3 $2 0 0 $3 0 0 0 $4 0 0
processes $((100 + $2))"
}
task() { have "$1/proc/$2/stat" "$2 ($3) R 1 1 1 0 -1 0 0 0 0 0 $4 0 0 0 20 0 1 0 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 0 17 $5 0 0 0"; }

#
# Bare metal as it is delivered: 2 cores with 2 threads each, CPU 3 is measured, CPU 1 its sibling.
#
have vm none
have proc/cpuinfo "model name	: Some Xeon
flags		: fpu tsc constant_tsc nonstop_tsc vmx"
have proc/self/status 'Cpus_allowed_list:	0-3'
have proc/self/cgroup 0::/
have proc/loadavg '0.10 0.10 0.10 1/200 300'
have proc/cmdline 'root=/dev/sda1 quiet'
have proc/meminfo 'MemAvailable:    8192000 kB
SwapTotal:       2048000 kB
SwapFree:        2048000 kB'
have proc/sys/kernel/nmi_watchdog 1
have proc/sys/kernel/perf_event_paranoid 1
have proc/irq/16/smp_affinity_list 0-3
have proc/irq/16/effective_affinity_list 0
have proc/irq/17/smp_affinity_list 0-3
have proc/irq/17/effective_affinity_list 3
have proc/interrupts '           CPU0 CPU1 CPU2 CPU3
 16: 5 0 0 0 IO-APIC ahci
 17: 0 0 0 1000 PCI-MSI nvme0q1
LOC: 9 9 9 9 Local timer interrupts'
have later/proc/interrupts '           CPU0 CPU1 CPU2 CPU3
 16: 9 0 0 0 IO-APIC ahci
 17: 0 0 0 1700 PCI-MSI nvme0q1
LOC: 9 9 9 9 Local timer interrupts'
stat_of proc/stat 1000 5000 0 100
stat_of later/proc/stat 1000 5100 0 150
sed -i 's/^cpu1 .*/cpu1 150 0 0 8950 0 0 0 0 0 0/' "$DOCTOR_ROOT/later/proc/stat"
task . 42 'odd name) R 7' 10 1
task later 42 'odd name) R 7' 60 1
for n in 0 1 2 3; do
	have $cpu/cpu$n/cpufreq/scaling_governor powersave
	have $cpu/cpu$n/cpufreq/scaling_driver intel_pstate
	have $cpu/cpu$n/topology/thread_siblings_list "$((n % 2)),$((n % 2 + 2))"
	have $cpu/cpu$n/cpuidle/state0/name POLL
	have $cpu/cpu$n/cpuidle/state0/latency 0
	have $cpu/cpu$n/cpuidle/state0/disable 0
	have $cpu/cpu$n/cpuidle/state1/name C6
	have $cpu/cpu$n/cpuidle/state1/latency 133
	have $cpu/cpu$n/cpuidle/state1/disable 0
done
have $cpu/online 0-3
have $cpu/isolated ''
have $cpu/smt/control on
have $cpu/intel_pstate/no_turbo 0
have $cpu/cpuidle/current_driver intel_idle
have $cpu/cpuidle/current_governor menu
have $cpu/vulnerabilities/spectre_v2 'Mitigation: Retpolines'
have $cpu/vulnerabilities/mds 'Vulnerable: no microcode'
have sys/bus/event_source/devices/cpu/type 4
have sys/devices/system/clocksource/clocksource0/current_clocksource tsc
have sys/kernel/mm/transparent_hugepage/enabled 'always [madvise] never'
have sys/kernel/mm/transparent_hugepage/shmem_enabled 'always within_size advise [never] deny force'
have sys/fs/cgroup/cpu.max 'max 100000'
have dev/kvm ''
mkdir "$DOCTOR_ROOT/dev/shm"
cp -r "$DOCTOR_ROOT" "$scratch/delivered"
examine
says cpu ok 'Some Xeon.*CPUs 0-3.*CPU 3'
says changed ok 'no value'
says hypervisor ok 'bare metal'
says smt warn 'CPU 1 shares the core of CPU 3.*busy 50.0 %: odd_name\)_R_7 \(pid 42, 50 %\)' 'echo 0 .*cpu1/online'
says governor warn 'powersave \(intel_pstate\)' 'TUNE=yes'
says boost warn 'boost is on.*no_turbo: 0' 'TUNE=yes'
says idle note 'intel_idle, menu.*C6, 133 us' 'cpupower -c 3 idle-set'
says isolation note 'nothing keeps other tasks off CPU 3' 'isolcpus=domain,managed_irq,3; .*taskset -c 0,1,2,3 make'
says irqs warn '1 of 2 .* CPU 3, 700 within a second, most from nvme0q1' 'irqaffinity=0,1,2;'
says steal ok '0.0 % of a second'
says load warn 'CPU 3 busy 0.0 %.*pid 42' 'taskset -acp 0,1,2 42'
says quota ok 'no CPU limit'
says timer ok 'clocksource tsc; constant_tsc, nonstop_tsc'
says watchdog note 'nmi_watchdog: 1' 'TUNE=yes'
says hugepages ok 'enabled: madvise, shmem_enabled: never'
says swap ok 'none in use \(2000 MiB'
says mitigations ok 'open: mds'
says pmu ok 'cpu counts CPU 3, the kernel too'
says kvm ok 'proves nothing'
says memory ok '8000 MiB'
says disk ok 'CACHE .*9000 MiB free, 5000 needed'
says tools ok 'group build'

#
# A guest that shows nothing of its host, with the files that such guests lack.
#
like delivered guest
have vm kvm
have proc/cpuinfo "model name	: Some EPYC
flags		: fpu tsc constant_tsc nonstop_tsc hypervisor"
have proc/self/status 'Cpus_allowed_list:	1,3'
have $cpu/cpu3/topology/thread_siblings_list 3
have $cpu/cpuidle/current_driver none
have proc/sys/kernel/nmi_watchdog 0
for gone in $cpu/cpu{0,1,2,3}/cpufreq $cpu/intel_pstate sys/bus/event_source/devices/cpu dev/kvm sys/fs/cgroup proc/42 later/proc/42; do lack "$gone"; done
examine
says hypervisor note 'a guest \(kvm\)' 'only on the host: pin each vCPU'
says smt note 'no sibling that the guest can see' 'only on the host: give the guest whole cores'
says governor n/a 'no /sys/.*/cpu3/cpufreq/scaling_governor' 'only the host'
says boost n/a 'neither' 'only the host'
says idle ok 'no idle driver'
says isolation note 'CPU 3' 'taskset -c 1,3 make'
says steal n/a 'none since boot'
says load ok 'CPU 3 busy 0.0 %'
says quota n/a 'no cpu.max'
says watchdog ok 'nmi_watchdog: 0'
says pmu n/a 'no hardware counters' 'only on the host: qemu -cpu host,pmu=on'
says kvm n/a 'neither vmx nor svm' 'only on the host: nested.*TARGETS=uml'
now "$doctor" findings >"$scratch/findings"
holds 'findings are one line each, with a remedy' \
	awk -F '; ' '!/^(hypervisor|smt|isolation|irqs): / || NF < 2 { bad = 1 } END { exit bad || NR != 4 }' "$scratch/findings"

stat_of proc/stat 1000 5000 10 100
stat_of later/proc/stat 1040 5050 20 100
one steal warn '10.0 % of a second was stolen, and 1.9 % of its busy' 'only on the host: fewer vCPUs'
says load warn 'CPU 3 was busy 50.0 % .*no process that lasted \(40 began\)' 'perf top -C 3'
stat_of proc/stat 1000 5000 100 100
stat_of later/proc/stat 1000 5100 100 100
one steal note '9.1 % of its busy' 'only on the host'
have vm none
one hypervisor note 'hypervisor unknown'

#
# A machine made ready: its result needs no remark.
#
like delivered ready
have vm none
have proc/self/status 'Cpus_allowed_list:	0,3'
have $cpu/cpu3/topology/thread_siblings_list 3
have $cpu/cpu3/cpufreq/scaling_governor performance
have $cpu/cpu3/cpuidle/state1/disable 1
have $cpu/intel_pstate/no_turbo 1
have $cpu/isolated 2-3
have proc/irq/17/effective_affinity_list 0
have proc/sys/kernel/nmi_watchdog 0
lack proc/42
lack later/proc/42
examine
says smt ok 'its core for itself \(smt/control: on\)'
says governor ok 'performance'
says boost ok 'no_turbo: 1'
says idle ok 'deepest state POLL, 0 us'
says isolation ok 'CPU 3 is isolated'
says irqs ok 'none of the 2'
says load ok 'load average 0.10'
expect 0 '^$' 'a machine made ready has no findings' now "$doctor" findings

# One thing wrong with it at a time.
have $cpu/nohz_full 2-3
one isolation note 'in nohz_full' 'without nohz_full'
have $cpu/isolated 2
one isolation note 'CPUs 2 are isolated, but CPU 3' 'taskset -c 0,2 make'
have $cpu/cpu3/topology/thread_siblings_list 0,3
one smt warn 'CPU 0 shares the core of CPU 3, and the other CPU' 'taskset -c'
have $cpu/cpu3/topology/thread_siblings_list 2-3
one smt note 'CPU 2 shares the core of CPU 3; idle' 'cpu2/online'
have $cpu/cpu3/cpufreq/scaling_governor userspace
one governor note userspace TUNE=yes
lack $cpu/intel_pstate
have $cpu/cpufreq/boost 1
one boost warn 'cpufreq/boost: 1' TUNE=yes
have $cpu/cpufreq/boost 0
one boost ok 'boost is off'
have proc/irq/17/effective_affinity_list 0-3
lack later/proc/interrupts
one irqs note '1 of 2 .* 0 within a second' 'irqaffinity=0;'
lack proc/interrupts
one irqs note 'how often: n/a' irqaffinity
have proc/loadavg '1.80 1.0 1.0 1/200 300'
one load note '1.80' uptime
have proc/self/cgroup 0::/user/one
have sys/fs/cgroup/user/cpu.max '50000 100000'
one quota warn 'cgroup /user may use 50000 us in each 100000' 'echo max .*/user/cpu.max'
have sys/devices/system/clocksource/clocksource0/current_clocksource hpet
one timer warn hpet dmesg
have proc/cpuinfo 'flags		: fpu constant_tsc svm'
one timer warn 'no nonstop_tsc' 'another machine'
says cpu n/a 'no model name'
have sys/kernel/mm/transparent_hugepage/shmem_enabled '[always] within_size advise never deny force'
one hugepages note 'shmem_enabled: always' 'echo never .*/shmem_enabled'
have proc/meminfo 'MemAvailable:     819200 kB
SwapTotal:       2048000 kB
SwapFree:        1024000 kB'
one swap note '1000 MiB of swap' swapoff
says memory warn '800 MiB' 'ps -eo'
have proc/cmdline 'quiet mitigations=off'
one mitigations note 'mitigations=off' 'without'
lack dev/kvm
one kvm n/a 'though the CPU could' 'modprobe kvm_amd'
mkdir "$DOCTOR_ROOT/dev/kvm"
one kvm note 'does not open' 'usermod -aG kvm'
have sys/bus/event_source/devices/cpu_core/cpus 0-2
have sys/bus/event_source/devices/cpu_atom/cpus 3
lack sys/bus/event_source/devices/cpu
one pmu ok 'cpu_atom counts CPU 3'
program id <<<'#!/bin/sh
echo 1000'
have proc/sys/kernel/perf_event_paranoid 2
one pmu note 'not the kernel for this user' 'sysctl kernel.perf_event_paranoid=1'
rm "$scratch/bin/id"
have proc/self/status 'Cpus_allowed_list:	3'
one cpu warn 'CPU 3 is the only one' '2 CPUs or more'
FREE=100 examine 1
says disk warn 'CACHE .*100 MiB free, 5000 needed' 'CACHE=<folder>'
says disk warn 'OUT .*100 MiB free, 200 needed' 'OUT=<folder>'
says disk warn "uml's kernels.*100 MiB free, 600 needed" 'remount,size'
mkdir "$CACHE/source"
FREE=2000 one disk ok 'CACHE .*1500 needed'
lack dev/shm
one disk n/a 'no /dev/shm'
LACKING=libelf examine 1
says tools warn 'group build' 'apt-get install .*libelf-dev'
LACKING=cmocka one tools note "only 'make check'" 'apt-get install .*libcmocka-dev'

#
# A machine that tells nothing: no line may say more than that.
#
DOCTOR_ROOT=$scratch/nothing
mkdir "$DOCTOR_ROOT"
examine
holds 'what is not there is n/a, and nothing else' awk '
	/^(changed|disk|tools|ccache) / || /^warn: / || /^$/ { next }
	$2 != "n/a" { print; bad = 1 } { n++ } END { exit bad || n < 19 }' "$scratch/said"
have proc/stat garbage
have $cpu/isolated ''
: >"$DOCTOR_ROOT/$cpu/isolated"
have $cpu/online 0-1
one isolation n/a 'isolated tells nothing'
says load n/a 'does not tell for CPU 1'

holds 'each warning and note of all machines has a remedy' \
	awk '/^[a-z]+ +(warn|note) / { if (open) exit 1; open = 1; next } /^ +-> ./ { open = 0 } /^[a-z]+ +(ok|n\/a) / && open { bad = 1 } END { exit bad || NR < 500 }' "$all"
holds 'no line is longer than 110 columns' awk 'length > 110 && !/CACHE|OUT|kernels,|cpu.max|ccache/ { exit 1 }' "$all"

#
# tuned and restore
#
DOCTOR_ROOT=$scratch/metal
have $cpu/cpu2/cpufreq/scaling_governor schedutil
tuned_files=("$DOCTOR_ROOT/$cpu"/cpu[0-3]/cpufreq/scaling_governor "$DOCTOR_ROOT/$cpu/intel_pstate/no_turbo" "$DOCTOR_ROOT/proc/sys/kernel/nmi_watchdog")
values() { cat "${tuned_files[@]}" | paste -sd ' '; }
before='powersave powersave schedutil powersave 0 1'
during='performance performance performance performance 1 0'
back() { if [ "$(values)" = "$before" ] && [ ! -e "$CACHE/tuned.tsv" ]; then ok "$1: the old values are back"; else not_ok "$1: $(values), $(cat "$CACHE/tuned.tsv" 2>&1)"; fi; }

expect 7 "^$during\$" 'tuned sets the values and passes the exit status on' "$doctor" tuned sh -c "cat ${tuned_files[*]} | paste -sd ' '; exit 7"
back 'a failed command'
"$doctor" tuned true 2>"$scratch/lines"
back 'a command that ends well'
holds 'each change is said' grep -qE 'cpu\*/cpufreq/scaling_governor: powersave -> performance \(3 times\)' "$scratch/lines"
holds 'so is what goes back' grep -qE 'no_turbo: back to 0' "$scratch/lines"
holds 'so is a file that is not there' grep -qE 'boost: left alone, no /sys' "$scratch/lines"
expect 127 '' 'tuned of no command that there is' "$doctor" tuned "$scratch/no-such"
back 'no such command'
expect 0 '^typed$' "the command has doctor's input" sh -c "echo typed | '$doctor' tuned cat"

# begin COMMAND...: tuned, in the background, until COMMAND has made $scratch/begun
begin() {
	rm -f "$scratch/begun"
	env --default-signal=INT,QUIT "$doctor" tuned "$@" 2>"$scratch/lines" &
	while [ ! -e "$scratch/begun" ]; do
		kill -0 $! || { not_ok "tuned ended early: $(cat "$scratch/lines")"; return; }
		/bin/sleep 0.02
	done
	[ "$(values)" = "$during" ] || not_ok "not tuned: $(values)"
}
waits="echo \$\$ >'$scratch/pid'; : >'$scratch/begun'; exec tail -f /dev/null"
ended() { ! kill -0 "$(cat "$scratch/pid")" 2>/dev/null; }

for signal in TERM:143 INT:130 HUP:129 QUIT:131; do
	begin sh -c "$waits"
	status=0
	kill "-${signal%:*}" $!
	wait $! || status=$?
	if [ "$status" = "${signal#*:}" ]; then ok "SIG$signal is the status"; else not_ok "SIG$signal: status $status"; fi
	back "SIG$signal"
	holds "SIG$signal ends the command" ended
done
begin sh -c "trap 'exit 5' TERM; : >'$scratch/begun'; while :; do /bin/sleep 0.02; done"
status=0
kill -TERM $!
wait $! || status=$?
if [ "$status" = 5 ]; then ok 'a command that catches the signal chooses the status'; else not_ok "status $status, not 5"; fi
back 'a signal that is caught'

begin sh -c "$waits"
one changed ok 'tuned for the run that is going on: 6 values'
expect 1 'another .*tuned' 'two at a time are refused' "$doctor" tuned true
expect 1 'another .*tuned' 'so is restore meanwhile' "$doctor" restore
kill -KILL $!
wait $! 2>/dev/null || true
if [ "$(values)" = "$during" ]; then ok 'SIGKILL leaves the values'; else not_ok "after SIGKILL: $(values)"; fi
# The command goes on without its doctor, and does not hold the lock.
one changed warn '6 values are still those of a .*tuned' 'doctor.sh restore'
kill "$(cat "$scratch/pid")"
expect 0 '^changed: 6 values' 'that is a finding of a result' "$doctor" findings
cp "$CACHE/tuned.tsv" "$scratch/kept"
expect 0 'schedutil' 'restore' "$doctor" restore
back restore
expect 0 'nothing to put back' 'restore again' "$doctor" restore

cp "$scratch/kept" "$CACHE/tuned.tsv"
for f in "${tuned_files[@]:0:4}"; do echo performance >"$f"; done
expect 0 'go back first' 'tuned after a killed one' "$doctor" tuned true
back 'tuned after a killed one'

# What cannot be written, not even by root.
file=$cpu/intel_pstate/no_turbo
rm "$DOCTOR_ROOT/$file"
ln -s /proc/version "$DOCTOR_ROOT/$file"
"$doctor" tuned touch "$scratch/ran" 2>"$scratch/lines"
holds 'what cannot be changed is said once, and stops nothing' sh -c "[ \$(grep -c 'no_turbo: stays' '$scratch/lines') = 1 ] && [ -e '$scratch/ran' ]"
cp "$scratch/kept" "$CACHE/tuned.tsv"
expect 1 'as root, run' 'what cannot be put back' "$doctor" restore
holds 'that stays on record, and only that' grep -qxE "/$file	0" "$CACHE/tuned.tsv"
have $file 1
expect 0 'no_turbo: back to 0' 'and goes back when it can' "$doctor" restore
back 'in the end'

# The record is a file: whoever wrote it, nothing but what 'tuned' changes is written.
printf 'mine\n' >"$DOCTOR_ROOT/$cpu/victim"
{
	printf '/%s\tnew\n' "$cpu/victim" "$cpu/cpu0/cpufreq/../../victim" "$cpu/cpu0/cpufreq/scaling_governor/../../../victim"
	printf '/%s\t%s\n' "$cpu/cpu1/cpufreq/scaling_governor" '$(id)' "$cpu/cpu1/cpufreq/scaling_governor" 'two words'
	printf '/%s\tschedutil\n' "$cpu/cpu2/cpufreq/scaling_governor"
} | sed 's,^//,/,' >"$CACHE/tuned.tsv"
echo performance >"$DOCTOR_ROOT/$cpu/cpu2/cpufreq/scaling_governor"
expect 0 'victim: left alone' 'restore of what is none of its own' "$doctor" restore
holds 'that is left as it was' grep -qx mine "$DOCTOR_ROOT/$cpu/victim"
back 'beside what is none of its own'

expect 2 'give a command' 'tuned without a command' "$doctor" tuned
expect 2 "no verb 'heal'" 'an unknown verb' "$doctor" heal
finish
