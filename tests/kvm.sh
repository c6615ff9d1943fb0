#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# kvm.sh: which KVM is refused, which of its boots do not count, and how a guest's CPUs are bound. A program stands in for the
# kernel. kvm-host.sh tests what needs a KVM that works.
set -euo pipefail
. "$(dirname "$0")/check.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Each is refused in one line, and soon.
target=$top/harness/targets/target.sh
probe() { KVM_DEVICE=$1 timeout 30 "$target" kvm probe; }
one_line() {
	local text
	text=$(probe "$1")
	if [ "$(wc -l <<<"$text")" = 1 ] && grep -qE -- "$2" <<<"$text"; then ok "KVM refused: $text"; else not_ok "KVM_DEVICE=$1: '$text'"; fi
}
: >"$scratch/file"
one_line "$scratch/none" '^there is no '
one_line "$scratch/file" 'is not KVM'
one_line /dev/null 'is not KVM'
if [ "$(id -u)" != 0 ]; then
	chmod 0 "$scratch/file"
	one_line "$scratch/file" 'may not be read'
fi
# The real /dev/kvm: whatever the answer, it is one line at most, and comes in time. A KVM that says that it emulates is refused
# also where its speed does not matter.
real=$(probe /dev/kvm) || not_ok "the probe of /dev/kvm took too long"
holds "the probe of /dev/kvm answers: '${real:-it works}'" test "$(wc -l <<<"$real")" = 1
[[ $real != *'it says' ]] || expect 0 'emulates: .* it says' 'and says so whether speed is judged or not' env KVM_SPEED=unjudged "$target" kvm probe

# judged LINE...: how kvm judges a boot with these lines in samples.tsv.
judged() {
	printf '%s\n' '# sheafbench-samples 2' '# clock tsc khz 2596123 step 26.00' '# gate 2880 chain 512' "$@" >"$scratch/samples.tsv"
	(. "$top/harness/targets/kvm.sh" && target_verify "$scratch")
}
line() { printf '%s\t1000\t1132.40\t5200012 2210 1404\t65003 64988 64990\t702 728 702\t%s' "$@"; }
expect 0 '^$' 'a cold first sample and good ones are a boot' judged "$(line pair/64/1 '91754 1100 520 1040 530')"
expect 0 '^$' 'and so are those of one line of two' judged "$(line pair/64/1 '91754 99999')" "$(line alloc/64/1 '90000 190000 2048')"
expect 0 '^KVM emulates the kernel: 512 additions took 2049 TSC ticks at best$' 'slow ones throughout are none' judged "$(line pair/64/1 '91754 4100 2049 4098 2100')"
expect 0 'took 70001 TSC' 'whatever those with twice the additions are' judged "$(line pair/64/1 '91754 140000 70001 40')"
KVM_SPEED=unjudged expect 0 '^$' 'unless speed is not to be judged' judged "$(line pair/64/1 '91754 4100 2049 4098 2100')"
expect 0 '^$' 'flushes have no chain' judged "$(line flush-shrink/64/2/user -)"

# The stand-in has threads named like QEMU's; its first two are also what uml's CPUs would be. Once it is bound, it prints where
# they may run.
gcc -O2 -Wall -Wextra -Werror -pthread -o "$scratch/guest" -xc - <<'END'
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void *nothing(void *name)
{
	pthread_setname_np(pthread_self(), name);
	for (;;)
		pause();
	return NULL;
}

int main(void)
{
	static char *const names[] = { "CPU 0/KVM", "CPU 1/KVM", "worker" };
	pthread_t thread;

	for (int i = 0; i < 3; i++)
		pthread_create(&thread, NULL, nothing, names[i]);
	/* It writes to the console meanwhile, as whoever binds it may. */
	for (int i = 0; i < 50000 && access(getenv("BOUND"), F_OK); i++) {
		puts("waits");
		fflush(stdout);
		usleep(100);
	}
	return system("cd /proc/$PPID/task && for t in *; do echo $(cat $t/comm) on $(sed -n 's/^Cpus_allowed_list:.//p' $t/status); done; echo end");
}
END
mkdir -p "$scratch/bin" "$scratch/c++ (a|b)/out"
cp "$scratch/guest" "$scratch/bin/qemu-system-x86_64"
cp "$scratch/guest" "$scratch/c++ (a|b)/image"
# boot TARGET [DEADLINE]: boots the stand-in and prints what it says. The folder's name, as a regular expression, matches others.
boot() {
	local out="$scratch/c++ (a|b)/out"
	PATH=$scratch/bin:$PATH BOUND=$out/bound boot_target "$1" "$scratch/log" "${out%/*}/image" initramfs "" "$out" "${2:-30}"
}
mapfile -t cpus < <(taskset -cp $$ | sed 's/.*: //' | tr ',' '\n' | awk -F- '{ for (c = $1; c <= ($2 == "" ? $1 : $2); c++) print c }')
first=${cpus[0]} last=${cpus[-1]}
others=$(taskset -c "$(IFS=, && echo "${cpus[*]::${#cpus[@]}-1}")" sed -n 's/^Cpus_allowed_list:.//p' /proc/self/status)
boot kvm
holds "kvm's measured CPU has CPU $last" grep -qx "CPU 1/KVM on $last" "$scratch/log"
holds "its other one has CPU $first" grep -qx "CPU 0/KVM on $first" "$scratch/log"
holds "QEMU's own threads are not on CPU $last" test "$(grep -cxE "(qemu-system-x86|worker) on $others" "$scratch/log")" = 2
holds 'which is told' test -e "$scratch/c++ (a|b)/out/bound"
boot uml
holds "uml's measured CPU has CPU $last" grep -qx "CPU 0/KVM on $last" "$scratch/log"
holds "its other one has CPU $first" grep -qx "image on $first" "$scratch/log"

# refuse PATTERN: from here on taskset refuses threads whose name matches.
refuse() {
	cat >"$scratch/bin/taskset" <<END
#!/bin/sh
if [ \$# = 3 ] && grep -qE '$1' "/proc/\$3/comm" 2>/dev/null; then
	echo "taskset: failed to set pid \$3's affinity: Operation not permitted" >&2
	exit 1
fi
exec $(command -v taskset) "\$@"
END
	chmod +x "$scratch/bin/taskset"
}
for case in 'kvm|CPU 1/' 'kvm|CPU 0/' 'uml|CPU 0/'; do
	refuse "${case#*|}"
	boot "${case%%|*}"
	expect 0 "^the guest's CPUs cannot be bound to CPUs $first and $last of this machine: taskset: .*not permitted" "$case: a CPU that cannot be bound ends the boot" echo "$reason"
	expect 1 '' 'before it has measured' grep -x end "$scratch/log"
done
# shellcheck disable=SC2016 # the stand-in's
printf '#!/bin/sh\n[ "$2" != 0 ] || { echo "taskset: failed to set the affinity" >&2; exit 1; }\nexec %s "$@"\n' "$(command -v taskset)" >"$scratch/bin/taskset"
[ "$others" != 0 ] || {
	boot kvm
	expect 0 '^taskset: failed to set the affinity' 'and so does a QEMU that cannot be kept off the measured CPU' echo "$reason"
}
rm "$scratch/bin/taskset"

# Other ways in which a boot ends without a result. No process of it is left, in whichever session it is.
stand_in() { printf '#!/bin/sh\n%s\n' "$1" >"$scratch/c++ (a|b)/image"; }
left() { grep -al "sleep.7654[0-9]" /proc/[0-9]*/cmdline 2>/dev/null || true; }
# shellcheck disable=SC2016 # the stand-in's
stand_in 'setsid sleep 76541 & kill -KILL $$'
boot uml
expect 0 '^killed by somebody else' 'a guest that was killed is no hang' echo "$reason"
stand_in 'echo "qemu-system-x86_64: warning: made up"; setsid setsid sleep 76542 & sleep 76543'
boot uml 1
expect 0 '^hang: no result within 1 s' 'one that meets its deadline is, whatever QEMU warned of' echo "$reason"
stand_in 'echo "Kernel panic - not syncing: made up"; printf "\303"; exit 1'
boot uml
expect 0 '^Kernel panic - not syncing: made up$' 'a panic is told in its own words' echo "$reason"
stand_in 'echo "qemu-system-x86_64: made up"; exit 1'
boot uml
expect 0 '^qemu-system-x86_64: made up' 'what QEMU says of a boot that is none is told' echo "$reason"
stand_in 'echo "qemu-system-x86_64: warning: made up"; echo "sheafbench: exit 0"'
boot uml
expect 0 'were not bound' 'a boot whose CPUs were not bound is none' echo "$reason"
stand_in 'setsid sleep 76544 & sleep 76545'
"$target" uml boot "$scratch/log" "$scratch/c++ (a|b)/image" initramfs "" "$scratch/c++ (a|b)/out" 30 &
sleep 1
holds 'a boot runs' test -n "$(left)"
kill -TERM $!
wait $! || true
holds 'and all of it ends when it is ended' test -z "$(left)"
finish
