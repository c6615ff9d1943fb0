#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# doctor.sh: what the state of this machine does to a measurement, a finding a line, each with its remedy. It changes
# nothing. Exit status 1 when a tool or disk space is missing.
# doctor.sh findings: only what affects a measured value, as 'area: finding; remedy'.
# doctor.sh tuned COMMAND...: run it with governor performance, boost off and the NMI watchdog off, then put the old values back.
# doctor.sh restore: put back what a killed 'tuned' left changed.
# DOCTOR_ROOT: the folder below which /sys, /proc and /dev are looked for.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$top/harness/request/variants.sh"
root=${DOCTOR_ROOT:-}
cpus=/sys/devices/system/cpu
kept=$CACHE/tuned.tsv # file and old value of what is changed at the moment
lock=$CACHE/locks/tuned

# The checks, in this order. 'result': it affects a measured value; 'machine': it decides what can run.
checks="
cpu machine
changed result
hypervisor result
smt result
governor result
boost result
idle result
isolation result
irqs result
steal result
load result
quota result
timer result
watchdog result
hugepages result
swap result
mitigations result
pmu machine
kvm machine
memory machine
disk machine
tools machine
ccache machine
"

# get FILE: its first line in $got; where there is none, fails with the reason in $why.
get() {
	got='' why="no $1"
	[ -e "$root$1" ] || return 1
	why="$1 tells nothing"
	{ IFS= read -r got <"$root$1"; } 2>/dev/null || [ -n "$got" ]
}

# cpus_of LIST: 0-2,5 as a CPU a line. in_list CPU LIST: is it one of them?
cpus_of() {
	local part
	for part in ${1//,/ }; do seq "${part%-*}" "${part#*-}"; done
}
in_list() {
	local part
	for part in ${2//,/ }; do
		if [ "$1" -ge "${part%-*}" ] && [ "$1" -le "${part#*-}" ]; then return 0; fi
	done 2>/dev/null
	return 1
}

# found STATE TEXT [REMEDY]: ok, note, warn, or n/a where the machine does not tell.
found() {
	local state=$1 text=$2 remedy=${3-} left=$'\n                   '
	if [ "$verb" = findings ]; then
		case $state in note | warn) printf '%s: %s; %s\n' "$area" "$text" "$remedy" ;; esac
		return
	fi
	text=$(fold -s -w 88 <<<"$text" | sed "s/ $//")
	remedy=$(fold -s -w 85 <<<"$remedy" | sed "s/ $//")
	printf '%-12s %-5s %s' "$area" "$state" "${text//$'\n'/$left}"
	printf '%s\n' "${remedy:+$left-> ${remedy//$'\n'/$left   }}"
}

# Two looks at what the machine does, a second apart.
look() {
	stat+=$(cat "$root/proc/stat" 2>/dev/null || true)$'\n'
	interrupts+=$(cat "$root/proc/interrupts" 2>/dev/null || true)$'\n'
	# Processes end between the listing and the reading.
	tasks+=$(cat "$root"/proc/[0-9]*/stat 2>/dev/null || true)$'\n'
}

watch_a_second() {
	local stat='' interrupts='' tasks=''
	look
	sleep 1
	look
	# A line per CPU: name, ticks that went by, % busy, % stolen, % of the busy time since boot that was stolen. No line for a CPU
	# whose clock stands still.
	cpu_use=$(awk '/^cpu/ {
		idle = $5 + $6; total = 0
		for (i = 2; i <= (NF < 9 ? NF : 9); i++) total += $i
		if ($1 in total0 && total > total0[$1]) {
			ticks = total - total0[$1]
			print $1, ticks, 100 * (ticks - idle + idle0[$1]) / ticks, NF < 9 ? "n/a" : 100 * ($9 - steal0[$1]) / ticks,
				NF < 9 ? "n/a" : (total > idle ? 100 * $9 / (total - idle) : 0)
		}
		total0[$1] = total; idle0[$1] = idle; steal0[$1] = $9
	}' <<<"$stat")
	read -r ticks busy stolen stolen_boot < <(awk -v cpu="cpu$measured" '$1 == cpu { print $2, $3, $4, $5 }' <<<"$cpu_use") || true
	began=$(awk '$1 == "processes" { if (n++) print $2 - first; else first = $2 }' <<<"$stat")
	# % of one CPU, pid, CPU, name of each process that ran; the dearest first
	task_use=$(awk -v ticks="${ticks:-0}" -v self=$$ 'ticks && match($0, /\(.*\) /) {
		pid = $1; name = substr($0, RSTART + 1, RLENGTH - 3)
		split(substr($0, RSTART + RLENGTH), field, " ")
		used = field[12] + field[13]
		gsub(/[^!-~]/, "_", name)
		if (pid in used0 && used > used0[pid] && pid != self)
			printf "%.0f %s %s %s\n", 100 * (used - used0[pid]) / ticks, pid, field[37], name
		used0[pid] = used
	}' <<<"$tasks" | sort -rn)
	# device interrupts of the measured CPU within the second, and the line that brought most of them
	read -r irq_rate irq_name < <(awk -v cpu="CPU$measured" '
		/^ *CPU/ { for (i = 1; i <= NF; i++) if ($i == cpu) column = i + 1; look++; next }
		column && $1 ~ /^[0-9]+:$/ {
			if (look == 2) {
				came = $column - count[$1]; sum += came
				if (came > most) { most = came; name = $NF }
			}
			count[$1] = $column
		}
		END { if (look == 2 && column) print sum + 0, name }' <<<"$interrupts") || true
}

# above VALUE LIMIT: for numbers with a fraction
above() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a + 0 > b + 0) }'; }
percent() { LC_ALL=C printf '%.1f %%' "$1"; }

# Processes that used 5 % of a CPU or more, three at most; on one CPU when it is given.
busy_tasks() { awk -v cpu="${1-}" '$1 >= 5 && (cpu == "" || $3 == cpu) && n++ < 3 { printf "%s%s (pid %s, %s %%)", s, $4, $2, $1; s = ", " }' <<<"$task_use"; }

check_cpu() {
	local model
	model=$(sed -n 's/^model name[[:space:]]*: *//p;T;q' "$root/proc/cpuinfo" 2>/dev/null || true)
	[ -n "$model" ] || { found n/a "no model name in /proc/cpuinfo"; model="CPU"; }
	if [ "$measured" = '?' ]; then
		found n/a "which CPU will be measured is not known: neither /proc/self/status nor $cpus/online lists any"
	elif [ -z "$rest" ]; then
		found warn "$model; CPU $measured is the only one that may be used, and it has to do everything else too" \
			"use a machine or a guest with 2 CPUs or more, or a wider mask: taskset -c 0,1 make bench"
	else
		found ok "$model; may use CPUs $allowed, measures on CPU $measured, the last of them"
	fi
}

check_changed() {
	if [ ! -s "$kept" ]; then
		found ok "no value is left changed by 'doctor.sh tuned'"
	elif [ -e "$lock" ] && ! flock -n "$lock" true; then
		found ok "tuned for the run that is going on: $(wc -l <"$kept") values will be put back at its end"
	else
		found warn "$(wc -l <"$kept") values are still those of a 'doctor.sh tuned' that was killed ($kept)" "harness/host/doctor.sh restore"
	fi
}

check_hypervisor() {
	local container
	container=$(systemd-detect-virt --container 2>/dev/null || true)
	container=${container#none}
	container=${container:+, in a container ($container)}
	if [ -n "$guest" ]; then
		found note "a guest ($guest)$container: clock, boost, siblings and who else uses the cores are the host's, and not seen from here" \
			"only on the host: pin each vCPU to a core that no other guest uses; or measure on bare metal"
	elif [ -n "$bare" ]; then
		found ok "bare metal$container"
	else
		found n/a "neither flags in /proc/cpuinfo nor systemd-detect-virt tell"
	fi
}

check_smt() {
	local s use siblings=() who
	get "$cpus/cpu$measured/topology/thread_siblings_list" || { found n/a "$why"; return; }
	for s in $(cpus_of "$got"); do
		[ "$s" = "$measured" ] || siblings+=("$s")
	done
	if [ ${#siblings[@]} = 0 ] && [ -n "$guest" ]; then
		found note "CPU $measured has no sibling that the guest can see; on the host another tenant may run there" \
			"only on the host: give the guest whole cores (vCPUs pinned in pairs, or core scheduling)"
		return
	elif [ ${#siblings[@]} = 0 ]; then
		get "$cpus/smt/control" || got="n/a"
		found ok "CPU $measured has its core for itself (smt/control: $got)"
		return
	fi
	s=${siblings[0]}
	use=$(awk -v cpu="cpu$s" '$1 == cpu { print $3 }' <<<"$cpu_use")
	who=$(busy_tasks "$s")
	if [ "$s" = "${allowed%%[,-]*}" ]; then
		found warn "CPU $s shares the core of CPU $measured, and the other CPU of the measured kernel runs there" \
			"choose CPUs of different cores: taskset -c <one>,<other> make bench; lscpu -e lists the cores"
	elif [ -n "$use" ] && above "$use" 5; then
		found warn "CPU $s shares the core of CPU $measured and is busy $(percent "$use")${who:+: $who}" \
			"echo 0 | sudo tee $cpus/cpu$s/online"
	else
		found note "CPU $s shares the core of CPU $measured; ${use:+idle within a second, but }what runs there later takes issue slots" \
			"echo 0 | sudo tee $cpus/cpu$s/online"
	fi
}

check_governor() {
	local driver=''
	get "$cpus/cpu$measured/cpufreq/scaling_driver" && driver=" ($got)"
	if ! get "$cpus/cpu$measured/cpufreq/scaling_governor"; then
		found n/a "$why" "${guest:+only the host sets the clock of its cores}"
	elif [ "$got" = performance ]; then
		found ok "performance$driver on CPU $measured"
	elif [ "$got" = userspace ]; then
		found note "userspace$driver on CPU $measured: a clock that somebody set" "$tune"
	else
		found warn "$got$driver on CPU $measured: its clock follows the load" "$tune"
	fi
}

check_boost() {
	local file on
	for file in "$cpus/intel_pstate/no_turbo=0" "$cpus/cpufreq/boost=1"; do
		on=${file#*=} file=${file%=*}
		get "$file" || continue
		if [ "$got" = "$on" ]; then
			found warn "boost is on ($file: $got): the core clock moves against the TSC" "$tune"
		else
			found ok "boost is off ($file: $got)"
		fi
		return
	done
	found n/a "neither $cpus/intel_pstate/no_turbo nor $cpus/cpufreq/boost" "${guest:+only the host sets boost}"
}

check_idle() {
	local driver governor dir name latency=-1 deepest=''
	get "$cpus/cpuidle/current_driver" || { found n/a "$why" "${guest:+only the host sets how its cores idle}"; return; }
	driver=$got
	[ "$driver" != none ] || { found ok "no idle driver: CPUs only halt"; return; }
	get "$cpus/cpuidle/current_governor" || get "$cpus/cpuidle/current_governor_ro" || got="governor n/a"
	governor=$got
	for dir in "$root$cpus/cpu$measured/cpuidle"/state*; do
		dir=${dir#"$root"}
		if ! get "$dir/disable" || [ "$got" != 0 ]; then continue; fi
		get "$dir/name" || continue
		name=$got
		if get "$dir/latency" && [ "$got" -gt "$latency" ]; then
			latency=$got deepest=$name
		fi
	done
	if [ -z "$deepest" ]; then
		found n/a "$driver, $governor; no $cpus/cpu$measured/cpuidle/state*"
	elif [ "$latency" -gt 10 ]; then
		found note "$driver, $governor; CPU $measured may sink to $deepest, $latency us away, and its caches and clock with it" \
			"sudo cpupower -c $measured idle-set -D 10"
	else
		found ok "$driver, $governor; deepest state $deepest, $latency us"
	fi
}

check_isolation() {
	local isolated
	get "$cpus/isolated" || { found n/a "$why"; return; }
	isolated=$got
	if in_list "$measured" "$isolated"; then
		if get "$cpus/nohz_full" && in_list "$measured" "$got"; then
			found note "CPU $measured is isolated and in nohz_full: each entry into the kernel is dearer there" \
				"boot without nohz_full, unless that is what you want to measure"
		else
			found ok "CPU $measured is isolated"
		fi
	elif [ -n "$isolated" ]; then
		found note "CPUs $isolated are isolated, but CPU $measured is measured, the last that this process may use" \
			"taskset -c ${rest%%[,-]*},${isolated##*[,-]} make bench"
	else
		found note "nothing keeps other tasks off CPU $measured" \
			"boot with isolcpus=domain,managed_irq,$measured; then: taskset -c ${rest:-0},$measured make bench"
	fi
}

check_irqs() {
	local dir count=0 here=0 remedy
	for dir in "$root"/proc/irq/[0-9]*; do
		dir=${dir#"$root"}
		get "$dir/effective_affinity_list" || get "$dir/smp_affinity_list" || continue
		count=$((count + 1))
		if in_list "$measured" "$got"; then here=$((here + 1)); fi
	done
	remedy="boot with irqaffinity=${rest:-<other CPUs>}; or for f in /proc/irq/*/smp_affinity_list; do echo ${rest:-<other CPUs>} | sudo tee \$f; done"
	if [ "$count" = 0 ]; then
		found n/a "no /proc/irq/*/smp_affinity_list"
	elif [ "$here" = 0 ]; then
		found ok "none of the $count device interrupts goes to CPU $measured"
	elif [ -z "$irq_rate" ]; then
		found note "$here of $count device interrupts go to CPU $measured (how often: n/a, /proc/interrupts has no such CPU)" "$remedy"
	elif [ "$irq_rate" -gt 100 ]; then
		found warn "$here of $count device interrupts go to CPU $measured, $irq_rate within a second, most from $irq_name" "$remedy"
	else
		found note "$here of $count device interrupts go to CPU $measured, $irq_rate within a second" "$remedy"
	fi
}

check_steal() {
	local text
	if [ -z "$ticks" ] || [ "$stolen" = n/a ]; then
		found n/a "/proc/stat does not tell for CPU $measured, or stands still"
		return
	fi
	text="of CPU $measured $(percent "$stolen") of a second was stolen, and $(percent "$stolen_boot") of its busy time since boot"
	if above "$stolen" 1; then
		found warn "$text" "only on the host: fewer vCPUs than cores, or pinned ones; else measure when it is quieter"
	elif above "$stolen_boot" 1; then
		found note "$text" "only on the host: fewer vCPUs than cores, or pinned ones; else measure when it is quieter"
	elif [ -n "$guest" ] && ! above "$stolen_boot" 0; then
		found n/a "none since boot, which in a guest may mean that the host does not report it"
	else
		found ok "$text"
	fi
}

check_load() {
	local load=n/a who use first
	if get /proc/loadavg; then load=${got%% *}; fi
	if [ -z "$ticks" ]; then
		found n/a "/proc/stat does not tell for CPU $measured, or stands still; load average $load"
		return
	fi
	who=$(busy_tasks)
	use=$(awk '$1 == "cpu" { print $3 }' <<<"$cpu_use")
	first=$(awk 'NR == 1 { print $2 }' <<<"$task_use")
	if [ -n "$who" ]; then
		found warn "CPU $measured busy $(percent "$busy"), all CPUs $(percent "$use"): $who" \
			"stop them, or keep them off CPU $measured: sudo taskset -acp ${rest:-<other CPUs>} $first"
	elif above "$busy" 5; then
		found warn "CPU $measured was busy $(percent "$busy") within a second, by no process that lasted (${began:-n/a} began) or that is seen from here" \
			"wait for a build or the like to end, or look: sudo perf top -C $measured; or on the host, outside the container"
	elif [ "$load" = n/a ]; then
		found n/a "no /proc/loadavg; CPU $measured was busy $(percent "$busy") within a second"
	elif above "$load" 0.5; then
		found note "quiet within a second, but a load average of $load: something ran lately" "wait, and look again: uptime"
	else
		found ok "CPU $measured busy $(percent "$busy") within a second, load average $load"
	fi
}

check_quota() {
	local group seen='' limit
	group=$(sed -n 's/^0:://p' "$root/proc/self/cgroup" 2>/dev/null || true)
	group=${group%/}
	while :; do
		if get "/sys/fs/cgroup$group/cpu.max"; then
			seen=yes limit=${got%% *}
			if [ "$limit" != max ]; then
				found warn "cgroup ${group:-/} may use $limit us in each ${got##* } us, and stops for the rest" \
					"echo max | sudo tee /sys/fs/cgroup$group/cpu.max; in a container: start it without a CPU limit"
				return
			fi
		fi
		[ -n "$group" ] || break
		group=${group%/*}
	done
	if [ -n "$seen" ]; then found ok "no CPU limit in cpu.max"; else found n/a "no cpu.max in /sys/fs/cgroup for this process"; fi
}

check_timer() {
	local flag absent=''
	for flag in constant_tsc nonstop_tsc; do
		grep -qsE "^flags[[:space:]]*:.* $flag( |\$)" "$root/proc/cpuinfo" || absent+="$flag "
	done
	if ! get /sys/devices/system/clocksource/clocksource0/current_clocksource; then
		found n/a "$why"
	elif ! grep -qs '^flags' "$root/proc/cpuinfo"; then
		found n/a "clocksource $got; no flags in /proc/cpuinfo to tell whether the TSC is constant"
	elif [ -n "$absent" ]; then
		found warn "clocksource $got; the CPU has no ${absent% }: a TSC tick is not a fixed time" \
			"${guest:+only on the host: qemu -cpu host,migratable=off,+invtsc; else }use another machine"
	elif [ "$got" != tsc ] && [ "$got" != kvm-clock ]; then
		found warn "clocksource $got: the kernel does not trust the TSC, or was told not to" "why it does not: sudo dmesg | grep -i tsc"
	else
		found ok "clocksource $got; constant_tsc, nonstop_tsc"
	fi
}

check_watchdog() {
	get /proc/sys/kernel/nmi_watchdog || { found n/a "$why"; return; }
	if [ "$got" = 0 ]; then
		found ok "nmi_watchdog: 0"
	else
		found note "nmi_watchdog: $got: it takes a hardware counter and interrupts all CPUs" "$tune"
	fi
}

check_hugepages() {
	local dir=/sys/kernel/mm/transparent_hugepage file modes='' remedy=''
	for file in enabled shmem_enabled; do
		get "$dir/$file" || { found n/a "$why"; return; }
		[[ $got =~ \[([a-z_]+)\] ]] || { found n/a "$dir/$file names no mode"; return; }
		modes+="$file: ${BASH_REMATCH[1]}, "
		case ${BASH_REMATCH[1]} in always | force) remedy+="${remedy:+; }echo never | sudo tee $dir/$file" ;; esac
	done
	if [ -n "$remedy" ]; then
		found note "${modes%, }: a booted kernel's memory is in huge pages or not, by luck" "$remedy"
	else
		found ok "${modes%, }"
	fi
}

meminfo() { awk -v key="$1:" '$1 == key { print int($2 / 1024); exit }' "$root/proc/meminfo" 2>/dev/null || true; }

check_swap() {
	local total free
	total=$(meminfo SwapTotal) free=$(meminfo SwapFree)
	if [ -z "$total" ] || [ -z "$free" ]; then
		found n/a "no SwapTotal and SwapFree in /proc/meminfo"
	elif [ "$total" -gt "$free" ]; then
		found note "$((total - free)) MiB of swap in use" "sudo swapoff -a && sudo swapon -a"
	else
		found ok "none in use ($total MiB there)"
	fi
}

check_mitigations() {
	local file vulnerable=''
	compgen -G "$root$cpus/vulnerabilities/*" >/dev/null || { found n/a "no $cpus/vulnerabilities"; return; }
	for file in "$root$cpus"/vulnerabilities/*; do
		if get "${file#"$root"}" && [[ $got == Vulnerable* ]]; then vulnerable+="${file##*/} "; fi
	done
	get /proc/cmdline || got=''
	if [[ " $got " == *" mitigations=off "* ]]; then
		found note "booted with mitigations=off, which few users do" "boot without mitigations=off"
	else
		found ok "as the kernel chose; open: ${vulnerable:-none}"
	fi
}

check_pmu() {
	local dir pmus='' paranoid
	for dir in "$root"/sys/bus/event_source/devices/{cpu,cpu_core,cpu_atom,armv8_*}; do
		[ -e "$dir" ] || continue
		if ! get "${dir#"$root"}/cpus" || in_list "$measured" "$got"; then pmus+="${dir##*/} "; fi
	done
	if [ -z "$pmus" ]; then
		found n/a "no hardware counters for CPU $measured in /sys/bus/event_source/devices: what they would count is n/a" \
			"${guest:+only on the host: qemu -cpu host,pmu=on under KVM}"
	elif ! get /proc/sys/kernel/perf_event_paranoid; then
		found n/a "${pmus% }; $why"
	else
		paranoid=$got
		if [ "$paranoid" -gt 1 ] && [ "$(id -u)" != 0 ]; then
			found note "${pmus% } counts CPU $measured, but not the kernel for this user (perf_event_paranoid: $paranoid)" \
				"sudo sysctl kernel.perf_event_paranoid=1"
		else
			found ok "${pmus% } counts CPU $measured, the kernel too (perf_event_paranoid: $paranoid)"
		fi
	fi
}

check_kvm() {
	local module=''
	grep -qswE 'vmx' "$root/proc/cpuinfo" && module=kvm_intel
	grep -qswE 'svm' "$root/proc/cpuinfo" && module=kvm_amd
	if [ ! -e "$root/dev/kvm" ] && [ -n "$module" ]; then
		found n/a "no /dev/kvm, though the CPU could" "sudo modprobe $module"
	elif [ ! -e "$root/dev/kvm" ]; then
		found n/a "no /dev/kvm, and the CPU shows neither vmx nor svm" \
			"${guest:+only on the host: nested virtualization; else }TARGETS=uml needs none"
	elif ! { : <>"$root/dev/kvm"; } 2>/dev/null; then
		found note "/dev/kvm does not open for this user" "sudo usermod -aG kvm $(id -un), then log in again"
	else
		found ok "/dev/kvm opens, which proves nothing: only a booted kernel tells whether it runs at native speed"
	fi
}

check_memory() {
	local free
	free=$(meminfo MemAvailable)
	if [ -z "$free" ]; then
		found n/a "no MemAvailable in /proc/meminfo"
	elif [ "$free" -lt 1500 ]; then
		found warn "$free MiB available; a booted kernel takes 512, linking one about 1000" "stop what uses it: ps -eo rss,pid,comm --sort=-rss | head"
	else
		found ok "$free MiB available"
	fi
}

# space NAME FOLDER MIB REMEDY: is there room in it, or where it will be made?
space() {
	local name=$1 at=$2 free
	while [ ! -e "$at" ]; do at=$(dirname "$at"); done
	free=$(df -Pm "$at" 2>/dev/null | awk 'NR == 2 { print $4 }')
	if ! [[ $free =~ ^[0-9]+$ ]]; then
		found n/a "$name $2: df does not tell"
	elif [ "$free" -lt "$3" ]; then
		found warn "$name $2: $free MiB free, $3 needed" "$4"
		return 1
	elif [ ! -w "$at" ]; then
		found warn "$name $2: cannot be written to" "$4"
		return 1
	else
		found ok "$name $2: $free MiB free, $3 needed"
	fi
}

check_disk() {
	local cache=5000
	[ ! -d "$CACHE/source" ] || cache=1500
	space CACHE "$CACHE" "$cache" "free some, or give CACHE=<folder>" || missing=1
	space OUT "$OUT" 200 "free some, or give OUT=<folder>" || missing=1
	if [ ! -d "$root/dev/shm" ]; then
		found n/a "no /dev/shm: the memory of uml's kernels goes to /tmp"
	else
		space "memory of uml's kernels," "$root/dev/shm" 600 "sudo mount -o remount,size=1g /dev/shm; until then it goes to /tmp" || true
	fi
}

check_tools() {
	local group said line
	for group in build bench check; do
		if said=$(INSTALL=no "$top/harness/host/deps.sh" "$group" 2>&1); then
			found ok "packages of group $group are all there"
			continue
		fi
		line=$(sed -n "s/.*run '\(.*\)'\$/\1/p" <<<"$said")
		if [ -z "$line" ]; then
			found n/a "${said#sheafbench: }"
			return
		elif [ "$group" = check ]; then
			found note "packages are missing that only 'make check' needs" "sudo $line"
		else
			found warn "packages of group $group are missing" "sudo $line"
			missing=1
		fi
	done
}

check_ccache() {
	local size most
	if ! command -v ccache >/dev/null; then
		found note "no ccache: each kernel is compiled in full" "sudo apt-get install ccache"
		return
	fi
	size=$(ccache --print-stats 2>/dev/null | awk '$1 == "cache_size_kibibyte" { print int($2 / 1024) " MiB" }')
	most=$(ccache --get-config max_size 2>/dev/null || true)
	found ok "${size:-n/a} of at most ${most:-n/a} in $CCACHE_DIR"
}

examine() {
	local allowed measured rest guest='' bare='' tune area kind
	local began='' ticks='' busy='' stolen='' stolen_boot='' cpu_use='' task_use='' irq_rate='' irq_name=''
	allowed=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' "$root/proc/self/status" 2>/dev/null || true)
	if [ -z "$allowed" ] && get "$cpus/online"; then allowed=$got; fi
	measured=${allowed##*[,-]}
	measured=${measured:-?}
	rest=$(cpus_of "$allowed" | grep -vx "$measured" | paste -sd, || true)
	tune="make bench TUNE=yes"
	guest=$(systemd-detect-virt --vm 2>/dev/null || true)
	if [ "$guest" = none ] || { [ -z "$guest" ] && grep -qs '^flags' "$root/proc/cpuinfo"; }; then bare=yes guest=''; fi
	if [ -z "$guest" ] && grep -qsE '^flags.* hypervisor( |$)' "$root/proc/cpuinfo"; then guest="hypervisor unknown" bare=''; fi
	watch_a_second
	while read -r -u 8 area kind; do
		if [ -n "$area" ] && { [ "$verb" != findings ] || [ "$kind" = result ]; }; then "check_$area"; fi
	done 8<<<"$checks"
	[ "$verb" = findings ] || printf "\nwarn: it moves what is measured, or is missing; note: it may; n/a: this machine does not tell\n"
}

# What 'tuned' sets: file and value, a line each.
tunables() {
	local file
	for file in "$root$cpus"/cpu[0-9]*/cpufreq/scaling_governor; do printf '%s\tperformance\n' "${file#"$root"}"; done
	printf '%s\t%s\n' "$cpus/intel_pstate/no_turbo" 1 "$cpus/cpufreq/boost" 0 /proc/sys/kernel/nmi_watchdog 0
}

# may_restore FILE VALUE: whether it is one that 'tuned' changes, and a word or number. The record is a file that anybody may
# have written, and this may run as root.
may_restore() {
	[[ $1 =~ ^"$cpus"/cpu[0-9]+/cpufreq/scaling_governor$ || $1 = @("$cpus/intel_pstate/no_turbo"|"$cpus/cpufreq/boost"|/proc/sys/kernel/nmi_watchdog) ]] &&
		[[ $2 =~ ^[a-z0-9_-]+$ ]]
}

# put VALUE FILE: write it, by sudo where that is needed and possible, and check that the file then has it.
put() {
	[ -e "$root$2" ] || return 1
	{ printf '%s\n' "$1" >"$root$2"; } 2>/dev/null || sudo -n tee "$root$2" <<<"$1" >/dev/null 2>&1 || return 1
	get "$2" && [ "$got" = "$1" ]
}

# Lines that differ in nothing but the CPU become one.
gather() {
	sed '/^$/d; s/cpu[0-9][0-9]*/cpu*/' | sort | uniq -c |
		awk '{ n = $1; sub(/^ *[0-9]+ /, "  "); print $0 (n > 1 ? " (" n " times)" : "") }' >&2
}

take_lock() {
	mkdir -p "${lock%/*}"
	exec 9>"$lock"
	flock -n 9 || die 1 "another 'doctor.sh tuned' holds these values: wait for its end"
}

# Put the old values back; those that cannot be put back stay on record.
restore() {
	local file old left='' log=''
	trap '' INT TERM HUP QUIT
	[ -s "$kept" ] || return 0
	while IFS=$'\t' read -r file old; do
		if ! may_restore "$file" "$old"; then
			log+="$(one_line "$file"): left alone, for 'doctor.sh tuned' does not change it"$'\n'
		elif get "$file" && [ "$got" = "$old" ]; then
			: # one that could not be changed
		elif put "$old" "$file"; then
			log+="$file: back to $old"$'\n'
		elif [ -e "$root$file" ]; then
			log+="$file: cannot be put back to $old"$'\n'
			left+=$file$'\t'$old$'\n'
		else
			log+="$file: is there no more"$'\n'
		fi
	done <"$kept"
	gather <<<"$log"
	if [ -z "$left" ]; then
		rm -f "$kept"
		return 0
	fi
	printf '%s' "$left" >"$kept.part"
	mv "$kept.part" "$kept"
	say "sheafbench: some values are not put back: as root, run 'CACHE=$CACHE harness/host/doctor.sh restore'"
	return 1
}

# A signal goes on to COMMAND; the values go back once that has ended.
on_signal() {
	signalled=yes
	[ -n "$begun" ] || exit "$2"
	kill "-$1" $! 2>/dev/null || true
}

tuned() {
	local file value status signalled='' begun='' want='' log=''
	take_lock
	if [ -s "$kept" ]; then
		say "  the values that a killed run left changed go back first"
		restore || exit 1
	fi
	while IFS=$'\t' read -r file value; do
		if ! get "$file"; then
			log+="$file: left alone, $why"$'\n'
		elif [ "$got" != "$value" ]; then
			want+=$file$'\t'$got$'\t'$value$'\n'
		fi
	done < <(tunables)
	trap 'restore || exit 1' EXIT
	trap 'on_signal INT 130' INT
	trap 'on_signal TERM 143' TERM
	trap 'on_signal HUP 129' HUP
	trap 'on_signal QUIT 131' QUIT
	# All old values are recorded before anything changes, in case of SIGKILL.
	if [ -n "$want" ]; then
		printf '%s' "$want" | cut -f 1,2 >"$kept.part"
		mv "$kept.part" "$kept"
		while IFS=$'\t' read -r file old value; do
			if put "$value" "$file"; then
				log+="$file: $old -> $value"$'\n'
			else
				log+="$file: stays $old, cannot be written"$'\n'
			fi
		done < <(printf '%s' "$want")
	fi
	gather <<<"$log"
	begun=yes
	# Background commands of a shell without job control ignore SIGINT.
	env --default-signal=INT,QUIT -- "$@" <&0 9>&- &
	while :; do
		signalled='' status=0
		wait $! || status=$?
		[ -n "$signalled" ] || exit "$status"
	done
}

verb=${1-show}
missing=0
case $verb in
show | findings)
	[ $# -le 1 ] || die 2 "doctor.sh $verb takes no more arguments"
	examine
	exit "$missing"
	;;
tuned)
	[ $# -gt 1 ] || die 2 "give a command: doctor.sh tuned make bench"
	shift
	tuned "$@"
	;;
restore)
	take_lock
	[ -s "$kept" ] || say "nothing to put back"
	restore
	;;
*)
	die 2 "doctor.sh: no verb '$verb'; known: show findings tuned restore"
	;;
esac
