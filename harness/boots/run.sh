#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# run.sh RESULT: do the boots of its plan.tsv that are not done yet, in their order. A boot that panics, warns, hangs or
# brings no result is recorded as failed, and the others go on. A variant whose first two boots failed is given up. The
# values of the request come from steps.sh.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$top/harness/request/variants.sh"
. "$top/harness/targets/${TARGET:?}.sh"
cd "$1"

target=$top/harness/targets/target.sh
kept=${target_image_kept:-image}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/sheafbench.XXXXXX")
booting=
trap 'rm -rf "$scratch"' EXIT
trap 'end_jobs $booting; progress_end; say "  interrupted: the same command goes on from here"; exit 130' INT TERM HUP

mapfile -t names < <("$BUILD/sheafbench-driver" --list --workloads "$WORKLOADS")
# What has a verdict is booted again and again: a boot can be slow as a whole, and the least of a layout's counts.
later=$WORKLOADS
if [ "$GOAL" = bench ]; then
	mapfile -t primary < <("$BUILD/sheafstat" primary "${names[@]}")
	[ ${#primary[@]} = 0 ] || later="^($(printf '%s\n' "${primary[@]}" | paste -sd '|'))\$"
fi
# Each flush may wait for a grace period, or a second for a CPU that is kept busy.
flushes=$(printf '%s\n' "${names[@]}" | grep -c '^flush-' || true)
deadline=${DEADLINE:-$((60 + ${#names[@]} * RUNS * SAMPLES / 1000 + flushes * RUNS * 20))}

# A neighbour's bursts last as long as boots do. So a boot begins when there is none, unless that takes 10 s, or all of the
# waiting a minute more than all of the boots. What a boot brings has no say.
quiet='' level=0 waited=0
if [ "$(uname -m)" = x86_64 ] && [ -z "${target_elsewhere-}" ]; then quiet=$(helper_program quiet); fi
wait_for_quiet() {
	local most=$((30000 + (SECONDS - start) * 500 - waited)) ms
	[[ -n $quiet && $most -gt 0 && " ${args_of[$1]} " != *' --no-gate '* ]] || return 0
	[ "$most" -lt 10000 ] || most=10000
	read -r level ms < <("$quiet" "$measured" "$most" "$level") || return 0
	waited=$((waited + ms))
}

# one_boot VARIANT STEM PAD DATA BOOT: sets reason to why it brought no result, or to nothing.
one_boot() {
	local variant=$1 stem=$2 pad=$3 data=$4 cmdline=${cmdline_of[$1]} dir=${dir_of[$1]} log=$scratch/console workloads=$WORKLOADS
	[ "$5" = 0 ] || [ "$5" -ge "$BOOTS" ] || workloads=$later
	rm -rf "$scratch/out"
	mkdir "$scratch/out"
	# shellcheck disable=SC2086 # a list of words
	printf '%s\n' --workloads "${workloads_of[$variant]:-$workloads}" --samples "$SAMPLES" --runs "$RUNS" --seed "$data" ${args_of[$variant]} \
		--events "$EVENTS" --out-json /out/run.json --out-samples /out/samples.tsv --out-counters /out/counters.tsv >"$scratch/out/args"
	[ "$data" = 0 ] || cmdline+=" slub_layout=$data"
	"$target" "$TARGET" boot "$log" "$dir/$kept.$pad" "$PWD/initramfs/$(basename "$dir").cpio" "$cmdline" "$scratch/out" "$deadline" \
		needs='run.json samples.tsv counters.tsv' >"$scratch/reason" &
	booting=$!
	wait "$booting" || echo 'the boot could not be made' >>"$scratch/reason"
	booting=
	reason=$(head -n 1 "$scratch/reason")
	keep "$log" "consoles/$stem.log"
	[ -z "$reason" ] || return 0
	keep "$scratch/out/run.json" "runs/$stem.json"
	keep "$scratch/out/samples.tsv" "samples/$stem.tsv"
	keep "$scratch/out/counters.tsv" "counters/$stem.tsv"
}

cannot_write() { exit 75; } # front.sh says so

# The file comes from another file system: it is copied beside its place, then renamed.
keep() { { cp "$1" "$2.part" && mv "$2.part" "$2"; } 2>/dev/null || cannot_write; }

record() { printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$@" 2>/dev/null >>boots.tsv || cannot_write; }

declare -A outcome cmdline_of dir_of workloads_of args_of failures
while IFS=$rs read -r index _ _ _ status _; do
	outcome[$index]=$status
done < <(rows boots.tsv)
while IFS=$rs read -r variant _ _ _ _ cmdline id _ workloads args; do
	workloads_of[$variant]=$workloads
	args_of[$variant]=$args
	cmdline_of[$variant]=$cmdline
	dir_of[$variant]=$CACHE/kernels/$target_config/$id
done < <(rows variants.tsv)

# Jiffies of the measured CPU: all, and those that the host stole.
measured=$(jq .measured_cpu environment.json)
cpu_time() {
	awk -v cpu="cpu$measured" '$1 == cpu { for (i = 2; i <= 9; i++) s += $i; stolen = $9 } END { print s + 0, stolen + 0 }' /proc/stat
}
read -r all_before stolen_before < <(cpu_time)

total=$(grep -vc '^#' plan.tsv)
n=0 todo=0 start=$SECONDS worked=0
while IFS=$rs read -r index _; do [ -n "${outcome[$index]-}" ] || todo=$((todo + 1)); done < <(rows plan.tsv)
say "  $todo of $total boots to do, of up to ${#names[@]} workloads"
while IFS=$rs read -r -u 8 index variant layout boot pad _ data; do
	n=$((n + 1))
	if [ -n "${outcome[$index]-}" ]; then
		[ "${outcome[$index]}" = ok ] || failures[$variant]=$((${failures[$variant]:-0} + 1))
		continue
	fi
	printf -v stem '%s.l%02d.b%02d' "$variant" "$layout" "$boot"
	if [ "${failures[$variant]:-0}" -ge 2 ]; then
		record "$index" "$variant" "$layout" "$boot" failed 0 "$(date -u +%FT%TZ)" "not tried: two boots of this variant had failed"
		worked=$((worked + 1))
		continue
	fi
	wait_for_quiet "$variant"
	boot_start=${EPOCHREALTIME/./}
	at=$(date -u +%FT%TZ)
	if [ ! -f "${dir_of[$variant]}/$kept.$pad" ]; then
		reason="its kernel does not build"
	elif [ ! -f "initramfs/${dir_of[$variant]##*/}.cpio" ]; then
		reason="the module does not build for its kernel"
	else
		one_boot "$variant" "$stem" "$pad" "$data" "$boot"
	fi
	took=$((${EPOCHREALTIME/./} - boot_start)) took=$((took / 1000000)).$(printf '%03d' $((took / 1000 % 1000)))
	if [ -z "$reason" ]; then
		record "$index" "$variant" "$layout" "$boot" ok "$took" "$at" ""
		failures[$variant]=-1000000 # it works, and is not given up for later failures
	else
		record "$index" "$variant" "$layout" "$boot" failed "$took" "$at" "$reason"
		failures[$variant]=$((${failures[$variant]:-0} + 1))
		progress_end
		say "  boot $stem failed: $reason (console: $PWD/consoles/$stem.log)"
	fi
	worked=$((worked + 1))
	if [ -t 2 ] || [ $((worked % 8)) = 0 ] || [ "$worked" = "$todo" ]; then
		progress "boots" "$worked" "$todo" $((SECONDS - start)) "$stem"
	fi
done 8< <(rows plan.tsv)
progress_end

read -r all_after stolen_after < <(cpu_time)
# Of a machine elsewhere nothing is known.
steal_ppm=null
[ -n "${target_elsewhere-}" ] || steal_ppm=$((all_after > all_before ? 1000000 * (stolen_after - stolen_before) / (all_after - all_before) : 0))
# Adds to the environment what is known only after the boots.
baseline=$(rows variants.tsv | awk -F "$rs" '$2 == "baseline" { print $1 }')
ok_boot=$(awk -F '\t' -v base="$baseline" '$5 == "ok" && $2 == base { printf "%s.l%02d.b%02d", $2, $3, $4; exit }' boots.tsv)
[ -n "$ok_boot" ] || die 1 "no boot of the baseline brought a result: $(awk -F '\t' '$5 == "failed" { print $8; exit }' boots.tsv) (consoles: $PWD/consoles)"
# Which events were counted, and why others were not. Events of flushes are left out: they can always be counted.
counted=$(awk -F '\t' '
	/^# table/ && $0 ~ / nmi_watchdog on / { watchdog = "; the NMI watchdog held a counter" }
	/^#/ || /^flush-/ || seen[$2, $10]++ { next }
	$4 != "n/a" && $6 != "n/a" { if ($2 !~ /^perf_/ && !had[$2]++) metrics = metrics " " $2; next }
	{ reason[$10] = reason[$10] " " $2 }
	END {
		for (r in reason) if (length(reason[r]) > longest) { longest = length(reason[r]); most = r }
		if (!metrics) { printf "%s", most == "" ? "" : "n/a: " most; exit }
		printf "counted:%s", metrics
		for (r in reason) printf "; n/a:%s (%s)", reason[r], r
		printf "%s", watchdog
	}' "counters/$ok_boot.tsv")
full_sheaves() { sed -n 's/^[+]\?#define MAX_FULL_SHEAVES[[:space:]]*\([0-9]*\).*/\1/p' | tail -n 1; }
barn_sheaves=$(full_sheaves <"$SOURCE/mm/slub.c")
barn_sheaves=${barn_sheaves:-0}
# What the kernel of each variant says of kmalloc()'s caches, and how many full sheaves a barn holds by the source and its patches.
caches() {
	local variant stem said barn
	awk -F '\t' '$5 == "ok" && !seen[$2]++ { printf "%s %s.l%02d.b%02d\n", $2, $2, $3, $4 }' boots.tsv | while read -r variant stem; do
		said=$(sed -n 's/^sheafbench: caches //p' "consoles/$stem.log" | head -n 1)
		barn=$(SOURCE=$(source_of "$variant") && { cat "$SOURCE/mm/slub.c" && variant_build_text "$variant" 2>/dev/null; } | full_sheaves)
		jq -n --arg variant "$variant" --arg said "$said barn=${barn:-0}" '{($variant): $said}'
	done | jq -s add
}
read -r _ _ _ _ khz _ step < <(sed -n 2p "samples/$ok_boot.tsv")
jq --arg counters "${counted:-none asked for}" --argjson clock_khz "$khz" --argjson timer_step "$step" \
	--argjson duration_s "$(awk -F '\t' '!/^#/ { s += $6 } END { printf "%d", s }' boots.tsv)" \
	--argjson layouts "$(rows plan.tsv | awk -F "$rs" '$3 > n { n = $3 } END { print n + 0 }')" \
	--argjson steal_ppm "$steal_ppm" \
	--argjson link_s "$(cat links.seconds 2>/dev/null || echo 0)" \
	--argjson sheaf_capacity "$(sed -n 's/^sheafbench: caches .*\b64=\([0-9]*\).*/\1/p' "consoles/$ok_boot.log" | grep . || echo 0)" \
	--argjson caches "$(caches)" \
	--argjson barn_sheaves "$barn_sheaves" \
	--argjson waited_s $((waited / 1000)) \
	'([.steal_ppm, $steal_ppm] | max) as $most | ((.waited_s // 0) + $waited_s) as $waited | . + ($ARGS.named | with_entries(select(.value != 0))) + {steal_ppm: $most, waited_s: $waited} | if .steal_ppm == null then del(.steal_ppm) else . end' environment.json >environment.json.part
mv environment.json.part environment.json
