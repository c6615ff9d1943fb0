#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# prove.sh BUILD: boot debug kernels of the chosen variants and try to break them, for DURATION seconds with each test of
# bench/stress/sheafstress.c. A boot fails with the first report of the kernel, and also where one kind of work was never done.
# Consoles and the table are in OUT/prove. FLAVOURS replaces each target's own list of kernel flavours.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$top/harness/request/variants.sh"
. "$top/harness/request/open.sh"
build=$1
out=$OUT/prove
mkdir -p "$out"
SOURCE=${SOURCE-$("$top/harness/kernel/source.sh")}
export SOURCE
scratch=$(mktemp -d "${TMPDIR:-/tmp}/sheafbench.XXXXXX")
boot=
cleanup() {
	end_jobs ${boot:+"$boot"}
	rm -rf "$scratch"
}
trap cleanup EXIT
trap 'say "  interrupted: what is built is kept"; exit 130' INT TERM HUP

# uml has no KCSAN, and KASAN does not boot there without our patches. PREEMPT_RT differs in its locks, so lockdep is enough.
flavours_of() {
	case $TARGET-${UM_FIDELITY:-yes} in
	tcg-rt-*) echo "${FLAVOURS:-prove}" ;;
	uml-yes) echo "${FLAVOURS:-prove kasan}" ;;
	uml-no) echo "${FLAVOURS:-prove}" ;;
	*) echo "${FLAVOURS:-prove kasan kcsan}" ;;
	esac
}

variants() {
	local name role
	for name in $(variant_names); do
		role=$(variant_key "$name" role change)
		if [ "$role" = baseline ] || variant_asked "$name"; then printf '%s\n' "$name"; fi
	done
}

# A debug option that the kernel did not take would silently prove nothing.
check_config() {
	local dir=$1 flavour=$2 missing
	missing=$(cat "$top/kernel-patches/configs/$flavour.config" "$top/kernel-patches/configs/$target_config-$flavour.config" 2>/dev/null |
		grep '^CONFIG_' | grep -vxFf "$dir/config" || true)
	[ -z "$missing" ] || die 1 "the $TARGET kernel of flavour $flavour has no $(tr '\n' ' ' <<<"$missing")"
}

initramfs() {
	local to=$1 root=$scratch/root
	shift
	rm -rf "$root"
	mkdir -p "$root"/{dev,proc,sys,tmp,out}
	cp "$build/sheafbench-init" "$root/init"
	cp "$build/sheafbench-prove" "$root/prove"
	cp "$1" "$root/sheafstress.ko"
	cp "$2" "$root/slub_kunit.ko"
	(cd "$root" && find . -print0 | cpio -0 -o -H newc -R 0:0 --quiet) >"$to"
}

# What the kernel says when something is wrong. Reports of KCSAN count if they name a function of the code that is proven;
# there are known races elsewhere.
reports='BUG[ :]|WARNING:|Oops|Kernel panic|general protection|INFO: (possible|task|trying|rcu|suspicious)|possible .*(deadlock|dependency)|detected stall|Objects remaining|ODEBUG|Double-freed|list_(add|del) corruption|Bad page|unreferenced object'
kernel_reports() {
	local dir=$1 log=$2
	grep -aE "$reports" "$log" | grep -av 'BUG: KCSAN' || true
	nm "$dir"/tree/mm/slub.o "$dir"/tree/mm/slab_common.o "$dir"/tree/kernel/locking/qpw.o 2>/dev/null |
		awk 'tolower($2) == "t" { print $3 }' | sed 's/\..*//' | sort -u >"$scratch/functions"
	grep -a 'BUG: KCSAN' "$log" | grep -awFf "$scratch/functions" || true
}

stat_of() { sed -n "s/^sheafstress: stat $1 \([0-9]*\).*/\1/p" "$2" | tail -n 1; }

# Prints what was wrong, the most telling line first, or nothing.
judge() {
	local dir=$1 log=$2 reason=$3 name n
	sed -n 's/.*\(sheafstress: failed: .*\)/\1/p' "$log"
	kernel_reports "$dir" "$log"
	grep -aE '^ *not ok [0-9]+' "$log" || true
	[ -z "$reason" ] || echo "$reason"
	grep -aqE '^ *ok [0-9]+ slub_test' "$log" || echo "slub_kunit did not pass"
	for name in points rcu stress; do
		grep -aqE "^sheafstress: $name: (ok|not driven)" "$log" || echo "sheafstress: $name did not pass"
	done
	for name in alloc_fastpath free_fastpath free_rcu_sheaf barn_get barn_put; do
		n=$(stat_of "$name" "$log")
		if grep -qx '# CONFIG_SLUB_SHEAVES is not set' "$dir/config"; then
			[ "${n:-1}" = 0 ] || echo "a kernel without sheaves counts $name ${n:-not}"
		elif [ "$name" = free_rcu_sheaf ] && grep -qx 'CONFIG_PREEMPT_RT=y' "$dir/config"; then
			[ "${n:-1}" = 0 ] || echo "with PREEMPT_RT kfree_rcu() has no sheaf, and it counts $name ${n:-not}"
		elif [ "$name" = free_fastpath ] && grep -qx 'CONFIG_KASAN=y' "$dir/config"; then
			: # freed objects go to KASAN's quarantine
		elif [ "${n:-0}" = 0 ]; then
			echo "the sheaves were not used: $name is ${n:-not counted}"
		fi
	done
	grep -aq '^sheafbench: exit 0' "$log" || echo "no end: $(grep -a . "$log" | tail -n 1)"
}

work_of() { sed -n "s/.*sheafstress: $1: \([0-9]*\) $2.*/\1/p" "$3" | tail -n 1; }
points_of() { awk '/sheafstress: points: [0-9]+ points of .* held/ { n += $3 } END { if (n) print n }' "$1"; }

# row VARIANT FLAVOUR WORDS SECONDS [LOG]: a line of the table; it failed for these words, if there are any.
row() {
	printf '%s\t' "$TARGET" "$2" "$1" "$([ -z "$3" ] && echo ok || echo failed)" "$4" "$(work_of stress 'objects allocated' "$5")" \
		"$(work_of rcu 'objects found free' "$5")" "$(work_of rcu 'barriers against' "$5")" "$(points_of "$5")" >>"$out/proof.tsv.part"
	printf '%s\n' "$(head -n 1 <<<"$3" | tr '\t' ' ')" >>"$out/proof.tsv.part"
	[ -z "$3" ] || failed=$((failed + 1))
}

one_boot() {
	local variant=$1 flavour=$2 dir module log stem start cmdline words
	stem=$TARGET-$flavour-$variant
	log=$out/$stem.log
	# What fails costs only itself, and what a target has no option for has not failed there.
	rm -f "$scratch/words"
	if ! LAST_WORDS=$scratch/words "$top/harness/kernel/build.sh" tree "$variant"; then
		words=$(head -n 1 "$scratch/words" 2>/dev/null || echo 'its kernel does not build')
		if [[ $words == *'this kernel does not take '* ]]; then say "  $stem: left out" && left[$variant]=yes; else row "$variant" "$flavour" "$words" 0 /dev/null; fi
		return
	fi
	"$top/harness/kernel/build.sh" link "$variant" 0
	module=$("$top/harness/kernel/build.sh" module "$variant" stress)
	dir=$("$top/harness/kernel/build.sh" path "$variant")
	check_config "$dir" "$flavour"
	initramfs "$scratch/initramfs" "$module" "$dir/tree/lib/tests/slub_kunit.ko"
	rm -rf "$scratch/out"
	mkdir "$scratch/out"
	printf '%s\n' points "$DURATION" rcu "$DURATION" stress "$DURATION" >"$scratch/out/args"
	deadline=$((300 + 16 * DURATION))
	start=$SECONDS
	# One kmalloc cache has slab_debug, without user tracking: that takes stack traces, which uml cannot make while its CPUs
	# come up. The others keep their sheaves, which debugging takes away. The variant's own number of CPUs is for measuring.
	cmdline="$(variant_key "$variant" cmdline | sed 's/\bncpus=[0-9]*//') init_on_free=1 slab_debug=FZP,kmalloc-192"
	cmdline+=" sheafbench.run=/prove sheafbench.module=none"
	"$top/harness/targets/target.sh" "$TARGET" boot "$log.part" "$dir/image.0" "$scratch/initramfs" "$cmdline" "$scratch/out" "$deadline" \
		cpus=4 mem=1024 reports=no >"$scratch/reason" &
	boot=$!
	wait "$boot" || true
	boot=
	tr -d '\r' <"$log.part" >"$log" && rm -f "$log.part"
	words=$(judge "$dir" "$log" "$(head -n 1 "$scratch/reason")")
	row "$variant" "$flavour" "$words" $((SECONDS - start)) "$log"
	if [ -z "$words" ]; then
		say "  $TARGET $flavour $variant: ok, $((SECONDS - start)) s$(sed -n 's/^sheafstress: points: not driven/; points not driven/p' "$log")"
	else
		say "  $TARGET $flavour $variant: failed after $((SECONDS - start)) s; console: $log"
		head -n 3 <<<"$words" | while IFS= read -r line; do printf '    %s\n' "$(one_line "$line")"; done >&2
	fi
}

failed=0
declare -A left=()
mapfile -t variants < <(variants)
LEFT_OUT='' TARGET=${TARGETS%% *}
leave_out_unfit
names=("${variants[@]}")
[ ${#names[@]} -gt 0 ] || die 2 "VARIANTS='$VARIANTS' names no variant to prove"
printf '# target\tflavour\tvariant\tresult\tseconds\tallocated\tchecked\tbarriers\tpoints\treason\n' >"$out/proof.tsv.part"
for TARGET in $TARGETS; do
	export TARGET
	. "$top/harness/targets/$TARGET.sh"
	flavours=$(flavours_of)
	for FLAVOUR in $flavours; do
		export FLAVOUR
		for name in "${names[@]}"; do one_boot "$name" "$FLAVOUR"; done
	done
done
for name in "${!left[@]}"; do
	cut -f 3 "$out/proof.tsv.part" | grep -qxF "$name" || row "$name" - "no kernel of ${TARGETS// / or } takes its options" 0 /dev/null
done
mv "$out/proof.tsv.part" "$out/proof.tsv"
{
	printf '\n%-6s %-7s %-24s %-7s %8s %12s %10s %9s %7s\n' target flavour variant result seconds allocated checked barriers points
	rows "$out/proof.tsv" | while IFS=$rs read -r t f v r s a c b p _; do
		printf '%-6s %-7s %-24s %-7s %8s %12s %10s %9s %7s\n' "$t" "$f" "$v" "$r" "$s" "${a:--}" "${c:--}" "${b:--}" "${p:--}"
	done
} >&2
[ "$failed" = 0 ] || die 1 "$failed of $(grep -vc '^#' "$out/proof.tsv") boots failed; the consoles are in $out"
