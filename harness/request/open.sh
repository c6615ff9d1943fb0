# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# open_result: find the unfinished result of the same request, or begin one; sets part. leave_out_unfit: drop the variants whose
# patches do not fit. Sourced by front.sh, and by prove.sh for the latter.
#
# The identity of a request: the values of kind id, the variants and their builds, each file that ends up in a guest or starts
# one, and the machine. request.json has all of it. The steps read nothing else of what the user gave.

target_says() { "$top/harness/targets/target.sh" "$1" get "$2"; }

# telling_target time|events|counts: the first of TARGETS whose boots tell that, or nothing.
telling_target() {
	local t tells
	for t in $TARGETS; do
		tells=$(target_says "$t" tells)
		[ "${tells:-time}" != "$1" ] || { printf '%s\n' "$t"; return; }
	done
}

# The variants to run: those that were asked for. The baseline is in every result; the null and the doses, which
# prove the clock, in every one that tells time, of the goals that they name. Variants for other architectures are left out.
chosen_variants() {
	local name role arch timed=$1
	arch=$(target_says "$TARGET" arch)
	for name in $(variant_names); do
		role=$(variant_key "$name" role change)
		[[ " $(variant_key "$name" arch "$arch") " == *" $arch "* ]] || continue
		case $role in
		baseline) ;;
		null | dose) { [ -n "$timed" ] && [[ " $(variant_key "$name" goals "$GOAL") " == *" $GOAL "* ]]; } || [[ " $VARIANTS " == *" $name "* ]] || continue ;;
		*) variant_asked "$name" || continue ;;
		esac
		printf '%s\n' "$name"
	done
}

# The programs that run in a guest or count one, with their libraries, and the sources of what is built for guests.
guest_files() {
	printf '%s\n' "$build"/{sheafbench-{driver,init,module-test},sheaftrace.so,sheafcounts}
	ldd "$build/sheafbench-driver" | grep -o '/[^ ]*'
	find "$top"/bench/{module,uapi} "$top"/harness/{targets,counters,trace} "$top/harness/kernel/initramfs.sh" "$top/harness/trace/count.sh" "$top/harness/boots/run.sh" -type f | sort
}

# The machine whose times are told, in machine.sh's words.
declare -A machine
ask_machine() {
	local name text
	while IFS=$'\t' read -r name text; do machine[$name]=$(one_line "$text"); done < <("$top/harness/targets/target.sh" "$TARGET" machine)
	[ -n "${machine[cpus]-}" ] || die 1 "target $TARGET does not say on which machine it is"
}

write_variants() {
	local v id
	printf '# variant\trole\torder\tlayouts\ttitle\tcmdline\tbuild\tdose\tworkloads\targs\n'
	for v in "${variants[@]}"; do
		check_variant_file "$v"
		id=$("$top/harness/kernel/build.sh" id "$v")
		printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$v" "$(variant_key "$v" role change)" "$(variant_key "$v" order 50)" \
			"$(variant_key "$v" layouts same)" "$(variant_key "$v" title)" "$(variant_key "$v" cmdline)" "$id" \
			"$(variant_key "$v" dose)" "$(variant_key "$v" workloads | sed "s/\$/${also:+|$also}/")" "$(variant_key "$v" args | paste -sd ' ')"
	done
}

# The request as JSON: the values of kind id, what was derived from them, and the machine.
write_request() {
	local name
	for name in "${value_names[@]}"; do
		[[ " ${value_kind[$name]} " != *' id '* ]] || printf '%s\0%s\0' "$name" "${!name}"
	done | jq -Rs --arg goal "$GOAL" --arg target "$TARGET" --arg tells "$tells" --arg source "$(cat "$SOURCE/.sheafbench")" --arg sources "$SOURCES" --arg test "$TEST_ONLY" \
		--arg guest_files "$(guest_files | xargs -d '\n' cat | hash_of)" --arg variant_files "$(hash_of "$work/variants.tsv")" \
		--arg cpu_model "${machine[cpu_model]}" --arg host_kernel "${machine[host_kernel]}" --argjson cpus "${machine[cpus]}" \
		'split("\u0000") as $w | {values: ([range(0; ($w | length) - 1; 2) | {($w[.]): $w[. + 1]}] | add)} + $ARGS.named |
		if .test == "" then del(.test) else . end |
		if .sources == "" then del(.sources) else .sources |= (split(" ") | map(split("=") | {(.[0]): .[1]}) | add) end'
}

# Takes the kernels that variants name for themselves, and sets SOURCES to their sources (variants.sh).
take_sources() {
	local v source
	SOURCES=''
	for v in "${variants[@]}"; do
		[ -n "$(variant_key "$v" kernel)" ] || continue
		source=$(source_of "$v")
		SOURCES+="$v=${source##*/} "
	done
	SOURCES=${SOURCES% }
	export SOURCES
}

# Leaves out of variants those whose patches do not fit their kernel, with a line each; the others run. Where those of arch/um
# do not fit one of the kernels, all have arch/um as it is.
leave_out_unfit() {
	local v why lines all=("${variants[@]}") lost="" kept="" target=$TARGET
	# Its kernels have the patches of the others, and more.
	[[ " $TARGETS " != *" uml "* ]] || target=uml
	lines=$(TARGET=$target "$top/harness/kernel/build.sh" unfit "${all[@]}")
	if why=$(awk -F '\t' '$2 == "um" { print $3; found = 1; exit } END { exit !found }' <<<"$lines"); then
		export UM_FIDELITY=no
		leave_out "kernel-patches/patches/um: $why; arch/um is as the kernels have it"
		lines=$(TARGET=$target "$top/harness/kernel/build.sh" unfit "${all[@]}")
	fi
	variants=()
	for v in "${all[@]}"; do
		if ! why=$(awk -F '\t' -v v="$v" '$1 == v { print $3; found = 1 } END { exit !found }' <<<"$lines"); then
			variants+=("$v")
			[ "$v" = "$(baseline_variant)" ] || ! variant_asked "$v" || kept=$v
		elif [ "$v" = "$(baseline_variant)" ]; then
			die 1 "$why"
		else
			leave_out "variant $v: $why"
			! variant_asked "$v" || lost=$v
		fi
	done
	# Without VARIANTS nobody has asked for one of them.
	[[ -z $VARIANTS${KERNELS-} || -z $lost || -n $kept ]] || die 1 "none of the variants that were asked for fits its kernel"
}
leave_out() {
	say "  left out: $1"
	LEFT_OUT+="${LEFT_OUT:+$'\n'}$1"
}

open_result() {
	local also="" work id timed variants booted tells first=$LAYOUTS boots=$BOOTS
	link=latest
	[ "$GOAL" != certify ] || link=certified
	[ "$GOAL" != peers ] || { link=peers also=^peer-; }
	SOURCE=$("$top/harness/kernel/source.sh")
	# Where no target tells time or has performance counters, there are counts alone, and no layouts.
	timed=$(telling_target time)
	booted=${timed:-$(telling_target events)}
	TARGET=${booted:-${TARGETS%% *}}
	export SOURCE TARGET
	tells=$(target_says "$TARGET" tells)
	tells=${tells:-time}
	ask_machine
	mapfile -t variants < <(chosen_variants "$timed")
	take_sources
	leave_out_unfit
	need_space OUT "$OUT" 200
	work=$(mktemp -d "$OUT/.new.XXXXXX")
	# shellcheck disable=SC2064 # now
	trap "status=\$?; rm -rf '$work'; out_of_room \"\${part:-\$OUT}\" \$status tell" EXIT
	write_variants >"$work/variants.tsv"
	write_request >"$work/request.json"
	id=$(hash_of "$work/request.json" | cut -c1-6)

	# A result has one writer. A second request of the same identity waits, finds it complete and begins another.
	exec {result_fd}>>"$OUT/.$id.lock"
	wait_for "$result_fd" -x "$OUT/.$id.lock" "the result of this request in $OUT"
	part=$(find "$OUT" -maxdepth 1 -type d -name "*-$id.part" | sort | tail -n 1)
	if [ -n "$part" ]; then
		say "  going on with $(basename "$part" .part)"
		# A last line that was cut off, by a full disk or a crash, is dropped.
		[ -z "$(tail -c 1 "$part/boots.tsv")" ] || sed -i '$d' "$part/boots.tsv"
	else
		part=$OUT/$(date -u +%Y%m%dT%H%M%SZ)-$id.part
		mkdir -p "$work"/{runs,samples,counters,consoles}
		# A few layouts first, of all variants, one boot each: they give an answer early. steps.sh extends the plan.
		[ -z "$MINUTES" ] || first=4
		[ "$GOAL" != bench ] || [ "$LAYOUTS" -le 8 ] || first=4
		[ "$first" = "$LAYOUTS" ] || boots=1
		"$build/sheafstat" plan --seed "$SEED" --layouts "$first" --boots "$boots" --variants "$work/variants.tsv" -o "$work/plan.tsv"
		printf '# index\tvariant\tlayout\tboot\tstatus\tseconds\tstart\treason\n' >"$work/boots.tsv"
		chmod 755 "$work"
		mv "$work" "$part"
	fi
	: >"$part/failed"
	write_environment >"$part/environment.json.new"
	mv "$part/environment.json.new" "$part/environment.json"
}

version_of() { make -s -C "$1" kernelversion 2>/dev/null || awk -F ' *= *' '/^(VERSION|PATCHLEVEL|SUBLEVEL) =/ { v = v s $2; s = "." } END { print v }' "$1/Makefile"; }

# tree_of KERNEL_SRC: of a git tree its tag and commit, with -dirty where files were changed since; else nothing.
tree_of() {
	local commits KERNEL_SRC=$1
	local -x GIT_OPTIONAL_LOCKS=0
	if [ -e "$1/.git" ]; then
		commits=("$1" --dirty)
	elif [[ $1 == *@* && ! -e $1 ]]; then
		commits_of KERNEL_SRC ''
	fi 2>/dev/null
	[ -z "${commits-}" ] || git -C "${commits[0]}" describe --tags --always "${commits[@]:1}" 2>/dev/null || true
}

# Which kernels the variants are that name one, and the baseline beside them, as a JSON object.
kernels_of_variants() {
	local word tree
	for word in ${SOURCES:+"$(baseline_variant)=$(cat "$SOURCE/.sheafbench")"} $SOURCES; do
		tree=$(tree_of "$(variant_key "${word%%=*}" kernel "$KERNEL_SRC")") || tree=''
		printf '%s\t%s (%s%s)\n' "${word%%=*}" "$(version_of "$CACHE/source/${word#*=}")" "${word#*=}" "${tree:+, $tree}"
	done | jq -Rn '[inputs / "\t" | {(.[0]): .[1]}] | add // {}'
}

write_environment() {
	local left_out=() t v mitigations="" base_dir findings=""
	for t in $(names_of_targets); do
		[[ " $TARGETS " == *" $t "* || $LEFT_OUT == *"target $t: "* ]] || left_out+=("target $t: not asked for")
	done
	for v in $(variant_names); do
		t=$(target_says "$TARGET" arch)
		[[ " $(variant_key "$v" arch "$t") " == *" $t "* ]] || left_out+=("variant $v: not for $t")
	done
	[ -z "$LEFT_OUT" ] || mapfile -t -O "${#left_out[@]}" left_out <<<"$LEFT_OUT"
	[ -z "$TEST_ONLY" ] || left_out+=("everything real: made by a test of sheafbench ($TEST_ONLY)")
	# Mitigations of the x86_64 kernels; uml has none.
	if [[ " $TARGETS " =~ \ (tcg|tcg-rt|kvm|metal)\  ]]; then
		mitigations="those that the CPU needs"
		[ "$MITIGATIONS" = yes ] || mitigations="off (mitigations=off)"
	fi
	# The findings are about this machine.
	[ -n "$(target_says "$TARGET" elsewhere)" ] || findings=$("$top/harness/host/doctor.sh" findings)
	base_dir=$("$top/harness/kernel/build.sh" path "$(baseline_variant)")
	jq -n \
		--slurpfile request "$part/request.json" \
		--arg target "$TARGET" --arg tells "$tells" \
		--arg date "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
		--arg kernel_version "$(version_of "$SOURCE")" \
		--arg kernel_source "$(cat "$SOURCE/.sheafbench")" --arg kernel_tree "$(tree_of "$KERNEL_SRC")" \
		--argjson kernels "$(kernels_of_variants)" \
		--arg kernel_config_hash "$(hash_of "$base_dir/config" 2>/dev/null || echo n/a)" \
		--arg compiler "$(gcc --version | head -n 1)" \
		--arg cpu_model "${machine[cpu_model]}" --arg cpu_family "${machine[cpu_family]}" --argjson cpus "${machine[cpus]}" \
		--arg host_kernel "${machine[host_kernel]}" --arg virtualization "${machine[virtualization]}" \
		--arg mitigations "$mitigations" \
		--arg governor "${machine[governor]}" --argjson measured_cpu "${machine[measured_cpu]}" --arg smt "${machine[smt]}" \
		--argjson seed "$SEED" --argjson layouts "$LAYOUTS" --argjson boots "$BOOTS" --argjson runs "$RUNS" --argjson samples "$SAMPLES" \
		--argjson findings "$(jq -nR '[inputs | select(. != "")]' <<<"$findings")" \
		--arg workloads "$WORKLOADS" --arg um_fidelity "$UM_FIDELITY" \
		--arg command "$(VARIANTS=${variants[*]} repeat_command "$GOAL")" \
		--arg commit "$(git -C "$top" describe --always --dirty 2>/dev/null || echo n/a)" \
		'$ARGS.named + {request: $request[0], variants: ($ARGS.positional[0] | split(" ")), left_out: ($ARGS.positional[1:])} |
		if .kernels == {} then del(.kernels) else . end | if .kernel_tree == "" then del(.kernel_tree) else . end' \
		--args "${variants[*]}" "${left_out[@]}"
}
