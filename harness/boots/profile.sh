#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# profile.sh BUILD: perf records the loops of WORKLOADS in VARIANT's kernel; the hot functions and the hot lines of the fast
# path are printed. uml is a process, so this machine's perf records it. In other guests perf runs beside the driver, and samples
# by core cycles where the guest has a PMU. The record stays in BUILD/profile.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$top/harness/request/variants.sh"

export BUILD=$1
: "${VARIANT:?}"
export TARGET=${TARGETS%% *}
. "$top/harness/targets/$TARGET.sh"

perf --version >/dev/null 2>&1 || die 1 "perf does not run here: harness/host/deps.sh profile installs it"
out=$BUILD/profile
rm -rf "$out"
mkdir -p "$out/out"

# The event that was recorded: without a PMU perf takes cpu-clock and does not say so.
event_of() { perf evlist -i "$1" 2>/dev/null | head -n 1 | sed 's/:.*//'; }
if [ "$TARGET" = uml ]; then
	# shellcheck disable=SC2016 # the loop's own variable
	perf record -q -e cycles:u -o "$out/probe" -- sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done' >"$out/perf.log" 2>&1 || true
	if [ "$(perf script -i "$out/probe" 2>/dev/null | wc -l)" = 0 ]; then
		die 1 "perf records nothing (perf_event_paranoid=$(cat /proc/sys/kernel/perf_event_paranoid 2>/dev/null || echo n/a)): be root, or set kernel.perf_event_paranoid to 2 or less"
	fi
fi

SOURCE=$("$top/harness/kernel/source.sh")
export SOURCE
build() { "$top/harness/kernel/build.sh" "$@"; }
build tree "$VARIANT"
build link "$VARIANT" 0
module=$(build module "$VARIANT")
dir=$(build path "$VARIANT")
guest_initramfs "$out/initramfs.cpio" "$module" perf
driver=(--workloads "$WORKLOADS" --samples "$SAMPLES" --no-gate --events none --out-json /out/run.json)
boot=("$top/harness/targets/target.sh" "$TARGET" boot "$out/console" "$dir/image.0" "$out/initramfs.cpio")
cmdline=$(variant_key "$VARIANT" cmdline)

# seen and annotated name the kernel's image as perf's report does.
if [ "$TARGET" = uml ]; then
	data=$out/perf.data kind='[.]' seen=(--dsos image.0) annotated=(-d image.0)
	say "  recording: $VARIANT on $TARGET, $WORKLOADS"
	printf '%s\n' "${driver[@]}" >"$out/out/args"
	perf record -q -e "$(event_of "$out/probe"):u" -F 4999 -o "$data" -- "${boot[@]}" "$cmdline" "$out/out" 1800 >"$out/reason" 2>"$out/perf.log" || true
else
	data=$out/out/perf.data kind='[k]' seen=(-k "$dir/image.0" --dsos '[kernel.kallsyms]') annotated=(-k "$dir/image.0" --objdump "${target_cross-}objdump")
	say "  recording: $VARIANT on $TARGET, $WORKLOADS"
	# 9p cannot write from the pages of perf's ring buffer; --aio copies them.
	printf '%s\n' record -q --aio --no-buildid -e cycles:k -F 10000 -o /out/perf.data -- /driver "${driver[@]}" >"$out/out/args"
	"${boot[@]}" "$cmdline sheafbench.run=/perf" "$out/out" 1800 >"$out/reason" 2>"$out/perf.log" || true
fi
[ ! -s "$out/reason" ] || die 1 "the boot failed: $(cat "$out/reason") (console: $out/console)"

# The functions of the kernel's image. perf has no file of the module, so its loops are not among them.
perf report -i "$data" --stdio --no-children -g none "${seen[@]}" -s symbol --percent-limit 0.5 2>"$out/report.log" |
	awk -v kind="$kind" '$1 ~ /%$/ && $2 == kind { print $1, $3 }' >"$out/functions"
[ -s "$out/functions" ] || die 1 "perf saw no function of the kernel; its logs are $out/perf.log and $out/report.log"
printf '%s of %s on %s (%s), share of all samples of the kernel by function:\n' "$(event_of "$data")" "$VARIANT" "$TARGET" "$WORKLOADS"
head -n 12 "$out/functions" | awk '{ printf "  %7s  %s\n", $1, $2 }'
while read -r share symbol; do
	[ "${share%%.*}" -ge 2 ] || continue
	printf '\n%s, its lines of 1 %% and more:\n' "$symbol"
	perf annotate -i "$data" --stdio --stdio-color never "${annotated[@]}" -s "$symbol" 2>/dev/null |
		awk -F ' *: +' '$1 + 0 >= 1 && NF > 2 { printf "  %6.2f %%  %s: %s\n", $1, $2, $3 }' || true
done <"$out/functions"
say "profile: $data (perf report -i, perf annotate -i)"
