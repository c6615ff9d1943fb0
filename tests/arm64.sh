#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# arm64.sh BUILD: performance counters where there is a PMU: baseline and qpw-on for arm64 in QEMU, whose PMU counts
# instructions exactly, and where an instruction takes 1 ns of the guest's time.
# shellcheck disable=SC2016 # awk's and jq's own variables
set -euo pipefail
. "$(dirname "$0")/check.sh"
build=$1
SOURCE=$("$top/harness/kernel/source.sh")
export SOURCE TARGET=arm64
. "$top/harness/targets/arm64.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$top/harness/kernel/cross.sh" "$build/arm64"

# boot VARIANT ARGUMENT...: runs the driver with these; console, JSON and files are in $scratch/VARIANT.
boot() {
	local v=$1 module
	shift
	"$top/harness/kernel/build.sh" tree "$v"
	"$top/harness/kernel/build.sh" link "$v" 0
	module=$("$top/harness/kernel/build.sh" module "$v")
	cp "$module" "$scratch/$v.ko"
	"$top/harness/kernel/initramfs.sh" "$scratch/$v.cpio" "$module" "$build/arm64" "$build/arm64/perf"
	mkdir -p "$scratch/$v"
	printf '%s\n' "$@" --out-json /out/run.json --out-samples /out/samples.tsv --out-counters /out/counters.tsv >"$scratch/$v/args"
	boot_target arm64 "$scratch/$v/console" "$("$top/harness/kernel/build.sh" path "$v")/image.0" "$scratch/$v.cpio" "$(variant_key "$v" cmdline)" "$scratch/$v" 300
	holds "$v: it boots and runs${reason:+: $reason}" test -z "$reason"
	expect 1 '' "$v: no splat on the console" grep -aE 'Kernel panic|Oops|BUG:|WARNING:|Call Trace' "$scratch/$v/console"
	grep -aq '^sheafbench: exit 0' "$scratch/$v/console" || { tail -n 20 "$scratch/$v/console"; finish; }
}

# The number of instructions in the loop of a function of the module: from the target of its only backward jump to that jump.
loop_length() {
	"${target_cross}objdump" -d --no-show-raw-insn "$1" | awk -v f="<$2>:" '
		$2 == f { on = 1; next }
		!NF { on = 0 }
		on {
			at[$1] = ++n
			if ($2 ~ /^(b\.|cbn?z|tbn?z)/)
				for (i = 3; i <= NF; i++) {
					sub(/,$/, "", $i)
					if ($i ~ /^[0-9a-f]+$/ && ($i ":") in at) { print n - at[$i ":"] + 1; back++ }
				}
		}
		END { exit back != 1 }'
}

# field VARIANT WORKLOAD METRIC COLUMN: a field of counters.tsv. Columns 6 to 9 are the counts of calls with many operations,
# fewer, many empty and fewer empty ones.
field() { awk -F '\t' -v w="$2" -v m="$3" -v c="$4" '$1 == w && $2 == m { print $c }' "$scratch/$1/counters.tsv"; }
# The number that more than half of a list have, and how often it is there.
mode() { tr ' ' '\n' | sort -n | uniq -c | sort -rn | awk 'NR == 1 { print $2, $1 }'; }
per_op() { jq -r --arg w "$2" --arg c "$3" '.benchmarks[] | select(.name == $w)[$c] // empty | tonumber + 0' "$scratch/$1/run.json"; }

for v in local-trylock qpw-on; do
	boot "$v" --workloads '^(pair/64/1|(batch-)?(alloc|free)/64/(1|32/lifo))$' --samples 20 --no-gate --events auto
	expect 0 '^# table arm-n1 pmu arm_n1 nmi_watchdog off passes [1-9]' "$v: libpfm4 knows the PMU" sed -n 2p "$scratch/$v/counters.tsv"

	# A known sequence: the module's empty loop, as the compiler made it. From each call: its operations, how much more it counts
	# than a call without them, and in how many calls at least there was no interrupt.
	more() {
		local a b na nb
		read -r a na < <(field "$v" "$1" instructions "$2" | mode)
		read -r b nb < <(field "$v" "$1" instructions $(($2 + 1)) | mode)
		echo "$(field "$v" "$1" instructions 5) $((a - b)) $((na < nb ? na : nb))"
	}
	known=$(loop_length "$scratch/$v.ko" no_pair) || known=none
	read -r ops got times < <(more pair/64/1 8)
	holds "$v: the empty loop of $known instructions, $ops times more, counts $got instructions more ($times of 31 calls)" \
		test "$ops" = 1000 -a "$times" -ge 16 -a "$got" = $((known * ops))
	# Exact: the same count each time, except in calls with an interrupt.
	read -r _ got times < <(more pair/64/1 6)
	holds "$v: 1000 pairs and their loop are $got instructions ($times of 31 calls)" test "$times" -ge 16 -a "$got" -gt 50000

	# QEMU's own count agrees: a tick of the guest's clock is 16 instructions.
	counted=$(per_op "$v" pair/64/1 instructions_per_op)
	khz=$(awk 'NR == 2 { print $5 }' "$scratch/$v/samples.tsv")
	timed=$(per_op "$v" pair/64/1 ticks_per_op_p50 | jq --argjson khz "$khz" '. * 1e6 / $khz')
	holds "$v: $counted instructions per pair, and $timed ns at one instruction per ns" \
		jq -en --argjson a "$counted" --argjson b "$timed" '($a - $b) | fabs < 0.5'
	# Each part of a pass has its own counts.
	known=$(loop_length "$scratch/$v.ko" no_alloc) || known=none
	read -r ops got times < <(more alloc/64/32/lifo 8)
	holds "$v: the empty loop of alloc, $known instructions $ops times, counts $got instructions, its set-up among them ($times of 31 calls)" \
		test "$ops" = 256 -a "$times" -ge 16 -a "$got" -ge $((known * ops)) -a "$got" -le $((known * ops + 8 * 8))
	for part in alloc free; do
		expect 0 "^$(per_op "$v" "$part/64/32/lifo" instructions_per_op)\$" "$v: half a batch is $part ($(per_op "$v" "$part/64/32/lifo" instructions_per_op) instructions)" \
			per_op "$v" "batch-$part/64/32/lifo" instructions_per_op
	done
	# Except for what the two loops do once, and for registers that only one of them moves.
	both=$(jq -n --argjson a "$(per_op "$v" alloc/64/1 instructions_per_op)" --argjson b "$(per_op "$v" free/64/1 instructions_per_op)" '$a + $b')
	holds "$v: an allocation and a free are $both instructions, a pair $counted" jq -en --argjson a "$both" --argjson b "$counted" '$a >= $b and $a - $b < 20 and $a == ($a | floor)'
	# perf finds nearly the same: interrupts are in its numbers.
	theirs=$(per_op "$v" pair/64/1 perf_instructions_per_op)
	holds "$v: perf stat finds $theirs" jq -en --argjson a "$theirs" --argjson b "$counted" '$a / $b > 0.995 and $a / $b < 1.01'
	# QEMU's cycles are its instructions.
	holds "$v: as many core cycles" test "$(per_op "$v" pair/64/1 core_cycles_per_op)" = "$counted"
	holds "$v: so an instruction each" test "$(per_op "$v" pair/64/1 instructions_per_cycle)" = 1
	expect 1 '' "$v: libpfm4 encodes each event of the set" grep 'libpfm4' "$scratch/$v/counters.tsv"
	# An event that the PMU lacks has a reason and no number.
	expect 0 'no event for retired atomic' "$v: no locked_ops, and why" field "$v" '*' locked_ops 10
	holds "$v: nothing is counted twice" test -z "$(cut -f1,2 "$scratch/$v/counters.tsv" | sort | uniq -d)"
	holds "$v: each line has numbers or a reason" awk -F '\t' '!/^#/ && (NF != 10 || ($6 == "n/a") != ($10 != "")) { exit 1 }' "$scratch/$v/counters.tsv"
	printf '# %s: ' "$v"
	jq -c '.benchmarks[] | select(.name == "pair/64/1") | with_entries(select(.key | test("_per_")))' "$scratch/$v/run.json"
done
# Counters count in calls of their own: samples take the same time with and without them.
with=$(per_op local-trylock pair/64/1 ticks_per_op_p50)
more=$(jq -n --argjson a "$(per_op local-trylock pair/64/1 instructions_per_op)" --argjson b "$(per_op qpw-on pair/64/1 instructions_per_op)" '$b - $a')
holds "qpw-on executes $more instructions more for a pair" jq -en --argjson d "$more" '$d > 5 and $d < 200'
boot local-trylock --workloads '^pair/64/1$' --samples 20 --no-gate --events none
without=$(per_op local-trylock pair/64/1 ticks_per_op_p50)
holds "a sample takes $with ticks per operation with counters, $without without" \
	jq -en --argjson a "$with" --argjson b "$without" '($a / $b - 1) | fabs < 0.01'
finish
