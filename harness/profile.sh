#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# profile.sh BUILD: perf records the loops of WORKLOADS in VARIANT's kernel, and the hot functions and the hot lines
# of the fast path are printed. On uml the kernel is a process, so it is this machine's perf that sees it.
# The record stays in BUILD/profile.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$top/harness/variants.sh"
. "$top/harness/values.sh"

export BUILD=$1
: "${VARIANT:?}"
[ "${TARGETS%% *}" = uml ] || die 2 "profile: TARGETS=$TARGETS: perf records on uml only, so far"
export TARGET=uml
. "$top/harness/targets/uml.sh"

perf --version >/dev/null 2>&1 || die 1 "perf does not run here: harness/deps.sh profile installs it"
probe=$(mktemp -d)
trap 'rm -rf "$probe"' EXIT
trap 'exit 130' INT TERM
# Where there is no PMU, perf takes cpu-clock instead and does not say so.
# shellcheck disable=SC2016 # the loop's own variable
perf record -q -e cycles:u -o "$probe/data" -- sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done' >"$probe/log" 2>&1 || true
event=$(perf evlist -i "$probe/data" 2>/dev/null | head -n 1)
event=${event%%:*}
if [ -z "$event" ] || [ "$(perf script -i "$probe/data" 2>/dev/null | wc -l)" = 0 ]; then
	die 1 "perf records nothing (perf_event_paranoid=$(cat /proc/sys/kernel/perf_event_paranoid 2>/dev/null || echo n/a)): be root, or set kernel.perf_event_paranoid to 2 or less"
fi

SOURCE=$("$top/harness/kernel/source.sh")
export SOURCE
build() { "$top/harness/kernel/build.sh" "$@"; }
build tree "$VARIANT"
build link "$VARIANT" 0
module=$(build module "$VARIANT")
dir=$(build path "$VARIANT")
out=$BUILD/profile
rm -rf "$out"
mkdir -p "$out/out"
"$top/harness/initramfs.sh" "$out/initramfs.cpio" "$module" "$BUILD"
printf '%s\n' --workloads "$WORKLOADS" --samples "$SAMPLES" --no-gate --out-json /out/run.json >"$out/out/args"

say "  recording $event: $VARIANT, $WORKLOADS"
# The kernel leaves the session that it is started in; its arguments name the folder.
trap 'pkill -KILL -f "sheafbench.out=$out/out" || true; rm -rf "$probe"' EXIT
perf record -q -e "$event:u" -F 4999 -o "$out/perf.data" -- bash -c ". '$top/harness/targets/uml.sh'; target_boot \"\$@\"" boot \
	"$dir/image.0" "$out/initramfs.cpio" "$(variant_key "$VARIANT" cmdline)" "$out/out" 600 >"$out/console" 2>"$out/perf.log" || true
grep -aq '^sheafbench: exit 0' "$out/console" ||
	die 1 "the boot failed: $(grep -aE 'sheafbench|panic' "$out/console" | tail -n 1) (console: $out/console)"

# Of the kernel's image, what is called there. The module's loops are in no file that perf sees.
perf report -i "$out/perf.data" --stdio --no-children -g none --dsos image.0 -s symbol --percent-limit 0.5 2>/dev/null |
	awk '$1 ~ /%$/ && $2 == "[.]" { print $1, $3 }' >"$out/functions"
[ -s "$out/functions" ] || die 1 "perf saw no function of the kernel; its log is $out/perf.log"
printf '%s of %s (%s), share of all samples of the kernel by function:\n' "$event" "$VARIANT" "$WORKLOADS"
head -n 12 "$out/functions" | awk '{ printf "  %7s  %s\n", $1, $2 }'
while read -r share symbol; do
	[ "${share%%.*}" -ge 2 ] || continue
	printf '\n%s, its lines of 1 %% and more:\n' "$symbol"
	perf annotate -i "$out/perf.data" --stdio --stdio-color never -d image.0 -s "$symbol" 2>/dev/null |
		awk -F ' *: +' '$1 + 0 >= 1 && NF > 2 { printf "  %6.2f %%  %s: %s\n", $1, $2, $3 }' || true
done <"$out/functions"
say "profile: $out/perf.data (perf report -i, perf annotate -i)"
