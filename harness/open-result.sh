#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# open-result.sh BUILD: find the unfinished result of the same request, or begin a new one; then
# let BUILD/current point at it. SOURCE and TARGET as for kernel/build.sh.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$top/harness/variants.sh"
. "$top/harness/values.sh"
. "$top/harness/targets/${TARGET:?}.sh"
build=$1

builds() { for v in $(chosen_variants); do printf '%s\t%s\n' "$v" "$("$top/harness/kernel/build.sh" id "$v")"; done; }
build_table=$(builds)

request=$({
	printf '%s\n' "$TARGETS" "$WORKLOADS" "$LAYOUTS" "$BOOTS" "$RUNS" "$SAMPLES" "$PRECISION" "$MOST" "$SEED" "$TUNE" "$ALSO" "$EVENTS" "$MITIGATIONS" "$DEBUG_INFO" "$build_table"
	for v in $(chosen_variants); do cat "$(variant_file "$v")"; done
	find "$top/bench" "$top/harness/tcg-plugin" -type f | LC_ALL=C sort | xargs cat
} | hash_of | cut -c1-6)

mkdir -p "$OUT"
need_space OUT "$OUT" 200

part=$(find "$OUT" -maxdepth 1 -type d -name "*-$request.part" | LC_ALL=C sort | tail -n 1)
if [ -n "$part" ]; then
	say "  going on with $(basename "$part" .part)"
else
	part=$OUT/$(date -u +%Y%m%dT%H%M%SZ)-$request.part
	rm -rf "$part.new"
	mkdir -p "$part.new"/{runs,samples,counters,consoles}
	(
		cd "$part.new"
		printf '# variant\trole\torder\tlayouts\ttitle\tcmdline\tbuild\tdose\tworkloads\targs\n' >variants.tsv
		while IFS=$'\t' read -r v id; do
			printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$v" "$(variant_key "$v" role change)" "$(variant_key "$v" order 50)" \
				"$(variant_key "$v" layouts same)" "$(variant_key "$v" title)" "$(variant_key "$v" cmdline)" "$id" \
				"$(variant_key "$v" dose)" "$(variant_key "$v" workloads | sed "s/\$/${ALSO:+|$ALSO}/")" "$(variant_key "$v" args | paste -sd ' ')"
		done <<<"$build_table" >>variants.tsv
		"$build/sheafstat" plan --seed "$SEED" --layouts "$LAYOUTS" --boots "$BOOTS" --variants variants.tsv -o plan.tsv
		printf '# index\tvariant\tlayout\tboot\tstatus\tseconds\tstart\treason\n' >boots.tsv
	)
	mv "$part.new" "$part"
fi
ln -sfn "$part" "$build/current"

measured=$(taskset -cp $$ | sed 's/.*[ ,-]//')
cpu_file() { cat "/sys/devices/system/cpu/$1" 2>/dev/null || echo "n/a"; }
virt=$(LC_ALL=C lscpu | sed -n 's/^Hypervisor vendor: *//p')
left_out=()
for t in $(target_names); do
	[[ " $TARGETS " == *" $t "* ]] || left_out+=("target $t: not asked for")
done
for v in $(variant_names); do
	[[ " $(variant_key "$v" arch "$target_arch") " == *" $target_arch "* ]] || left_out+=("variant $v: not for $target_arch")
done
[ -z "${LEFT_OUT-}" ] || mapfile -t -O "${#left_out[@]}" left_out <<<"$LEFT_OUT"
tells=${target_tells:-time}
# Of the x86_64 kernels; uml has none.
mitigations=""
if [[ " $TARGETS " =~ \ (tcg|tcg-rt|kvm)\  ]]; then
	mitigations="those that the CPU needs"
	[ "$MITIGATIONS" = yes ] || mitigations="off (mitigations=off)"
fi
repeat="make $GOAL TARGETS=\"$TARGETS\" VARIANTS=\"$(chosen_variants | tr '\n' ' ' | sed 's/ $//')\""
# Counts have no layouts, no samples and no order.
[ "$tells" = counts ] || repeat+=" LAYOUTS=$LAYOUTS BOOTS=$BOOTS SAMPLES=$SAMPLES SEED=$SEED"
[ "$TUNE" = no ] || repeat+=" TUNE=yes"
[ "$MITIGATIONS" = yes ] || repeat+=" MITIGATIONS=no"
[ "$DEBUG_INFO" = no ] || repeat+=" DEBUG_INFO=yes"
[ "$UM_FIDELITY" = yes ] || repeat+=" UM_FIDELITY=no"
[ "$RUNS" = 1 ] || repeat+=" RUNS=$RUNS"
[ "$EVENTS" = auto ] || repeat+=" EVENTS=$EVENTS"
[ -z "$PRECISION" ] || repeat+=" PRECISION=$PRECISION MOST=$MOST"
[ "$WORKLOADS" = "$default_workloads" ] || repeat+=" WORKLOADS='$WORKLOADS'"
[ "$KERNEL_SRC" = debian-7.2 ] || repeat+=" KERNEL_SRC=$KERNEL_SRC"

base_dir=$("$top/harness/kernel/build.sh" path "$(baseline_variant)")
jq -n \
	--arg target "$TARGET" --arg tells "$tells" \
	--arg date "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
	--arg kernel_version "$(make -s -C "$SOURCE" kernelversion 2>/dev/null || awk -F ' *= *' '/^(VERSION|PATCHLEVEL|SUBLEVEL) =/ { v = v s $2; s = "." } END { print v }' "$SOURCE/Makefile")" \
	--arg kernel_source "$(cat "$SOURCE/.sheafbench")" \
	--arg kernel_config_hash "$(hash_of "$base_dir/config" 2>/dev/null || echo n/a)" \
	--arg compiler "$(gcc --version | head -n 1)" \
	--arg cpu_model "$(awk -F ': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)" \
	--arg cpu_family "$(awk -F ': ' '/^cpu family/ { f = $2 } /^model\t/ { m = $2 } /^stepping/ { print "family " f " model " m " stepping " $2; exit }' /proc/cpuinfo)" \
	--argjson cpus "$(nproc)" \
	--arg host_kernel "$(uname -r)" \
	--arg virtualization "${virt:-none}" \
	--arg mitigations "$mitigations" \
	--arg governor "$(cpu_file "cpu$measured/cpufreq/scaling_governor")" --argjson measured_cpu "$measured" \
	--arg smt "$(cpu_file smt/control)" \
	--argjson seed "$SEED" --argjson layouts "$LAYOUTS" --argjson boots "$BOOTS" --argjson runs "$RUNS" --argjson samples "$SAMPLES" \
	--argjson findings "$("$top/harness/doctor.sh" findings | jq -R . | jq -s .)" \
	--arg workloads "$WORKLOADS" --arg um_fidelity "$UM_FIDELITY" \
	--arg command "$repeat" \
	--arg commit "$(git -C "$top" describe --always --dirty 2>/dev/null || echo n/a)" \
	'$ARGS.named + {variants: ($ARGS.positional[0] | split(" ")), left_out: ($ARGS.positional[1:])}' \
	--args "$(chosen_variants | tr '\n' ' ' | sed 's/ $//')" "${left_out[@]}" >"$part/environment.json.part"
mv "$part/environment.json.part" "$part/environment.json"
