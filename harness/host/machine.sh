#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# machine.sh: what a result says of the machine that it is from, a line 'NAME<tab>TEXT' each. It also runs on a lab machine, which
# may have little: sh, coreutils, awk and util-linux.
last=$(taskset -cp $$ | sed 's/.*[ ,-]//')
say() { printf '%s\t%s\n' "$1" "$2"; }
cpu_file() { cat "/sys/devices/system/cpu/$1" 2>/dev/null || echo n/a; }
hypervisor=$(lscpu | sed -n 's/^Hypervisor vendor: *//p')

say cpu_model "$(awk -F ': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)"
say cpu_family "$(awk -F ': ' '/^cpu family/ { f = $2 } /^model\t/ { m = $2 } /^stepping/ { print "family " f " model " m " stepping " $2; exit }' /proc/cpuinfo)"
say cpus "$(nproc)"
say host_kernel "$(uname -r)"
say virtualization "${hypervisor:-none}"
say governor "$(cpu_file "cpu$last/cpufreq/scaling_governor")"
say measured_cpu "$last"
say smt "$(cpu_file smt/control)"
