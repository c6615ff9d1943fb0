#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# count.sh RESULT: counts what its variants execute, instruction by instruction, into RESULT/counts (docs/formats.md). For each
# target that tells counts, each build and command line is booted once in QEMU, under the plugin sheaftrace.so. With tcg there
# is more: uml's build is counted as well, as a process in a guest of the baseline's x86_64 kernel; and what flushes do to other
# CPUs is taken from the x86_64 kernel's own accounting, without the plugin and with 16 CPUs. Otherwise a kernel that is counted
# has two CPUs like one that is timed, since slabs are larger with more CPUs; the second one stays off, or no boot would repeat
# another, unless one of them is isolated. What is there is not counted again; what cannot be counted is listed in
# counts/failed. The values of the request come from steps.sh.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$top/harness/request/variants.sh"
run_target=$top/harness/targets/target.sh
cd "$1"

scratch=$(mktemp -d "${TMPDIR:-/tmp}/sheafbench.XXXXXX")
declare -A job=() # counts that run, by their processes
trap 'rm -rf "$scratch"' EXIT
trap 'end_jobs "${!job[@]}"; say "  interrupted: the same command goes on from here"; exit 130' INT TERM HUP
mkdir -p counts/{calls,each,insns,parts,lines,sequences,estimates,flushes/{isolated,slow}} consoles
: >counts/failed
deadline=${DEADLINE:-300}

# make_kernel TARGET VARIANT: sets dir and initramfs; fails where the kernel cannot be built.
make_kernel() {
	local TARGET=$1 variant=$2 module
	export TARGET
	"$top/harness/kernel/build.sh" tree "$variant" && "$top/harness/kernel/build.sh" link "$variant" 0 &&
		module=$("$top/harness/kernel/build.sh" module "$variant") && dir=$("$top/harness/kernel/build.sh" path "$variant") || return
	# Without perf: nothing here calls it.
	initramfs=$PWD/initramfs/counts.$TARGET.$variant.cpio
	"$top/harness/kernel/initramfs.sh" "$initramfs" "$module" "$BUILD"
}

# kernel_of KIND TARGET VARIANT: the same for a kind of counts.
kernel_of() {
	local -x FLAVOUR=${FLAVOUR-}
	[ "$1" != flushes/slow ] || FLAVOUR=stats
	make_kernel "$2" "$3"
}

# tell_lines TARGET VARIANT INSNS OUT: the source lines of what dir's kernel executed, by the same kernel built with debug
# information. Sets reason to why there are none; the counts are good without them.
tell_lines() {
	local twin
	reason="no source lines: its kernel does not build with debug information"
	twin=$(
		export TARGET=$1 FLAVOUR=lines
		"$top/harness/kernel/build.sh" tree "$2" && "$top/harness/kernel/build.sh" link "$2" 0 && "$top/harness/kernel/build.sh" path "$2"
	) || return 0
	reason=$(DEBUG=$twin "$top/harness/trace/lines.sh" "$dir" "$3" "$4" 2>&1) || return 0
}

# boot TARGET NAME IMAGE INITRAMFS CMDLINE KEY...: one boot, whose console is kept under NAME. Sets reason to why it brought no
# result, or to nothing.
boot() {
	"$run_target" "$1" boot "$scratch/console" "$3" "$4" "$5" "$scratch/out" "$deadline" "${@:6}" >"$scratch/reason" &
	booting=$!
	wait "$booting" || echo 'the boot could not be made' >>"$scratch/reason"
	booting=
	reason=$(head -n 1 "$scratch/reason")
	cp "$scratch/console" "consoles/counts.$2.log"
}

# count_flushes FOLDER VARIANT CMDLINE: what, with dir's kernel, flushes by CPU 0 do to the other CPUs, into counts/FOLDER. Sets
# reason to what went wrong. An instruction takes 4 ns (shift=2): with less the kernel spins long to calibrate a timer. Emulated
# times say nothing, so neither stolen time nor the number of timer interrupts is kept.
count_flushes() {
	# 16 emulated CPUs take turns.
	local cmdline="sheafbench.cpu=1 $3" name=$1/tcg.$2 out=$scratch/out deadline=$((3 * deadline))
	[ "$1" = flushes ] || cmdline+=" isolcpus=domain,managed_irq,1-15 nohz_full=1-15"
	rm -rf "$out"
	mkdir -p "$out"
	printf '%s\n' --workloads "^($flushes)\$" --samples 10 --out-counters /out/counters.tsv >"$out/args"
	boot tcg "${1//\//.}.$2" "$dir/image.0" "$initramfs" "$cmdline" needs=counters.tsv cpus=16 shift=2 mem=768 turns=yes
	[ -z "$reason" ] || return 0
	awk -F '\t' '/^# sheafbench/ || $2 ~ /^(kworker_runs|switches|ipis)$/' "$out/counters.tsv" >"counts/$name.new"
	mv "counts/$name.new" "counts/$name.tsv"
}

# count_slow FOLDER VARIANT CMDLINE: how often, with dir's kernel, a kernel thread goes to a slab while another CPU flushes the sheaves that it
# uses, into counts/FOLDER. Sets reason to what went wrong. It runs on uml, whose CPUs run at once, with CONFIG_SLUB_STATS, which
# kernels that are timed do not have.
count_slow() {
	local name=$1/uml.$2 out=$scratch/out
	rm -rf "$out"
	mkdir -p "$out"
	printf '%s\n' --workloads "^($slow)\$" --samples 10 --out-counters /out/counters.tsv >"$out/args"
	boot uml "${1//\//.}.$2" "$dir/image.0" "$initramfs" "$3" needs=counters.tsv
	[ -z "$reason" ] || return 0
	awk -F '\t' '/^# sheafbench/ || $2 == "slow_paths"' "$out/counters.tsv" >"counts/$name.new"
	mv "counts/$name.new" "counts/$name.tsv"
}

# count TARGET VARIANT CMDLINE: dir's kernel; the variant's files in counts/, of which TARGET.VARIANT.tsv is written last. Sets reason to what
# went wrong.
count() {
	local target=$1 variant=$2 cmdline=$3 name=$1.$2 workloads=$counted out=$scratch/out runner=$1 needs=windows.tsv inner image host=() last=0 online=maxcpus=1
	[[ ! " $cmdline " == *" isolcpus=1 "* ]] || last=1 online=
	cmdline+=" $online"
	rm -rf "$out" "$scratch/trace"
	mkdir -p "$out/inner"
	inner=$out image=$dir/image.0
	if [ "$target" = uml ]; then
		workloads=$within
		inner=$out/inner image=$host_image
		cp "$dir/image.0" "$out/linux"
		cp "$initramfs" "$out/inner.cpio"
		# shellcheck disable=SC2086 # a command line is a list of words
		printf '%s\n' mem=160M ncpus=2 seccomp=on con=null con0=null,fd:1 initrd=/out/inner.cpio \
			sheafbench.out=/out/inner sheafbench.cpu=$last panic=-1 $cmdline >"$out/args"
		runner=tcg needs=inner/windows.tsv host=(cpus=1)
		initramfs=$host_initramfs
		cmdline="sheafbench.run=/out/linux sheafbench.module=none $host_cmdline"
	fi
	printf '%s\n' --workloads "^($workloads)\$" --out-windows /out/windows.tsv >"$inner/args"
	boot "$runner" "$name" "$image" "$initramfs" "$cmdline" "${host[@]}" needs="$needs" mem=768 turns=yes -- -plugin "$BUILD/sheaftrace.so,out=$scratch/trace,sequence=4096"
	[ -z "$reason" ] || return 0
	nm "$dir/image.0" >"$scratch/symbols"
	rm -rf "counts/sequences/$name"
	mkdir "counts/sequences/$name"
	reason=$("$BUILD/sheafcounts" --trace "$scratch/trace" --windows "$inner/windows.tsv" --symbols "$scratch/symbols" \
		--calls "counts/calls/$name.tsv" --each "counts/each/$name.tsv" --insns "counts/insns/$name.tsv" --parts "counts/parts/$name.tsv" --sequences "counts/sequences/$name" \
		--counts "counts/$name.new" 2>&1) || return 0
	! command -v llvm-mca >/dev/null || (LAST_WORDS=$scratch/words "$top/harness/trace/mca.sh" "counts/sequences/$name" "counts/estimates/$name.tsv") ||
		printf 'estimates of %s\t%s\n' "$name" "$(cat "$scratch/words")" >>failed
	[ "$target" = uml ] || [ "$DEBUG_INFO" = no ] || tell_lines "$target" "$variant" "counts/insns/$name.tsv" "counts/lines/$name.tsv"
	mv "counts/$name.new" "counts/$name.tsv"
}

# Doses and checks are not counted: they say nothing of a change.
mapfile -t lines < <(rows variants.tsv | awk -F "$rs" '$2 != "dose" && $2 != "check"')
# Which of WORKLOADS are counted by instruction, and which flushes by what other CPUs notice. What has other work before each
# operation executes the same without it.
kinds=()
counted=$({ "$BUILD/sheafbench-driver" --list --out-windows none --workloads "$WORKLOADS" 2>/dev/null || true; } | { grep -v -- '-spaced/' || true; } | paste -sd '|')
# Of uml no excursions: its system calls are the work of the host's kernel, too.
within=$(tr '|' '\n' <<<"$counted" | { grep -v '^excursion(-caches)?/' || true; } | paste -sd '|')
if [ -n "$counted" ]; then
	for target in $TARGETS; do
		[ "$("$run_target" "$target" get tells)" != counts ] || kinds+=("$target")
	done
	# uml after tcg, which has the kernel of its host.
	[[ -z $within || " $TARGETS " != *" uml "* || " $TARGETS " != *" tcg "* ]] || kinds+=(uml)
fi
flushes=$("$BUILD/sheafbench-driver" --list --workloads "$WORKLOADS" | grep -E '^flush-[^n].*/(idle|user)$' | paste -sd '|' || true)
[[ -z $flushes || " $TARGETS " != *" tcg "* ]] || kinds+=(flushes flushes/isolated)
slow=$("$BUILD/sheafbench-driver" --list --workloads "$WORKLOADS" | grep -E '^flush-(shrink|barrier).*/2/kernel$' | paste -sd '|' || true)
[[ -z $slow || " $TARGETS " != *" uml "* ]] || kinds+=(flushes/slow)

# Two counts that run at once are the same as one after the other: emulated CPUs take turns, by instructions. Those of
# flushes/slow are another matter.
most=$(nproc)
[ "$most" -le 4 ] || most=4

# work KIND TARGET VARIANT CMDLINE: one of them, in a process of its own. Prints what went wrong, or nothing.
work() {
	local kind=$1 target=$2 variant=$3 cmdline=$4
	scratch=$(mktemp -d "$scratch/work.XXXXXX") booting='' reason=''
	trap 'end_jobs $booting; exit 130' INT TERM HUP
	case $kind in
	flushes/slow) count_slow "$kind" "$variant" "$cmdline" ;;
	flushes*) count_flushes "$kind" "$variant" "$cmdline" ;;
	*) count "$target" "$variant" "$cmdline" ;;
	esac
	rm -rf "$scratch"
	[ -z "$reason" ] || one_line "$reason"
}

# done_with KIND TARGET VARIANT: a count has ended, for the reason in why[VARIANT] if it failed.
done_with() {
	n=$((n + 1))
	if [ -n "${why[$3]-}" ]; then
		printf '%s\t%s\n' "$2.$3" "${why[$3]}" >>counts/failed
		progress_end
		say "  counts of $3 ($1) failed: ${why[$3]} (console: $PWD/consoles/counts.${1//\//.}.$3.log)"
	fi
	progress counts "$n" $((${#lines[@]} * ${#kinds[@]})) $((SECONDS - start - building)) "${1//\// } $3"
}

# collect KIND TARGET: waits for one of the jobs.
collect() {
	local pid='' status=0
	wait -n -p pid "${!job[@]}" || status=$?
	why[${job[$pid]}]=$(head -n 1 "$scratch/why.${job[$pid]}")
	[ "$status" = 0 ] || why[${job[$pid]}]=${why[${job[$pid]}]:-"counting failed (status $status)"}
	done_with "$1" "$2" "${job[$pid]}"
	unset "job[$pid]"
}

n=0 start=$SECONDS over=0 unfit=() building=0 # kernels are built once, and are not in the time that is left
host_cmdline='' host_image='' host_initramfs=''
for kind in "${kinds[@]}"; do
	target=$kind folders=(calls each insns parts lines estimates .)
	[[ $kind != flushes* ]] || target=tcg folders=("$kind")
	[ "$kind" != flushes/slow ] || target=uml most=1
	# uml's host has the baseline's kernel.
	[ "$kind" != uml ] || ! make_kernel tcg "$(rows variants.tsv | awk -F "$rs" '$2 == "baseline" { print $1 }')" || { host_image=$dir/image.0 host_initramfs=$initramfs; }
	declare -A same=() why=()
	followers=()
	for line in "${lines[@]}"; do
		IFS=$rs read -r variant _ _ _ _ cmdline _ <<<"$line"
		# In these boots the kind decides which CPUs are isolated.
		[[ $kind != @(flushes|flushes/isolated) ]] || cmdline=$(unisolated <<<"$cmdline")
		# The same kernel with the same command line, as of the null, is counted once.
		key="$(TARGET=$target "$top/harness/kernel/build.sh" id "$variant") $cmdline"
		if [ -f "counts/${folders[-1]}/$target.$variant.tsv" ]; then
			: "${same[$key]:=$variant}"
			done_with "$kind" "$target" "$variant"
		elif [ -n "${same[$key]-}" ]; then
			followers+=("$variant ${same[$key]}")
		elif [[ $kind == flushes* ]] && grep -q "^$target\.$variant	" counts/failed; then # it would fail again
			done_with "$kind" "$target" "$variant"
		elif [ -n "$MINUTES" ] && [ "$(date +%s)" -ge $((BEGAN + MINUTES * 60)) ]; then
			over=$((over + 1))
		else
			same[$key]=$variant
			# One kernel is built at a time, by all compilers.
			began=$SECONDS
			made=yes
			rm -f "$scratch/words"
			LAST_WORDS=$scratch/words kernel_of "$kind" "$target" "$variant" || made=no
			building=$((building + SECONDS - began))
			if [ "$made" = no ]; then
				words=$(head -n 1 "$scratch/words" 2>/dev/null || true)
				why[$variant]=${words:-its kernel does not build}
				# A scheme that is there, but not for this target's kernels, has failed nowhere.
				if [[ $words == *'this kernel does not take '* ]] && { grep -qP "\t$variant\t.*\tok\t" boots.tsv || compgen -G "counts/*.$variant.tsv" >/dev/null; }; then
					why[$variant]=
					unfit+=("counts of $variant (target $target): ${words#variant "$variant": }")
					say "  left out: ${unfit[-1]}"
				fi
				done_with "$kind" "$target" "$variant"
				continue
			fi
			while [ ${#job[@]} -ge "$most" ]; do collect "$kind" "$target"; done
			work "$kind" "$target" "$variant" "$cmdline" >"$scratch/why.$variant" &
			job[$!]=$variant
		fi
	done
	while [ ${#job[@]} -gt 0 ]; do collect "$kind" "$target"; done
	for line in "${followers[@]}"; do
		read -r variant leader <<<"$line"
		why[$variant]=${why[$leader]-}
		# Those of flushes differ at most in the CPUs that they isolate, which are the kind's here.
		for folder in "${folders[@]}"; do
			[[ $kind == flushes* || ! -f counts/$folder/$target.$leader.tsv ]] || cp "counts/$folder/$target.$leader.tsv" "counts/$folder/$target.$variant.tsv"
		done
		done_with "$kind" "$target" "$variant"
	done
done
progress_end
# What is no failure, but is not there either.
if [ "$over" -gt 0 ]; then
	unfit+=("$over of $n counts: MINUTES=$MINUTES were over")
	say "  left out: ${unfit[-1]}"
fi
jq '.left_out = ([.left_out[] | select(test("^([0-9]+ of [0-9]+ counts: MINUTES=|counts of .* does not take )") | not)] + $ARGS.positional)' environment.json --args -- "${unfit[@]}" >environment.json.new
mv environment.json.new environment.json
