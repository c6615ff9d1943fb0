#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# tcg.sh BUILD: exact counts: known sequences, two boots alike, the guest's clock; and which KVM is refused.
set -euo pipefail
. "$(dirname "$0")/check.sh"
build=$1
SOURCE=$("$top/harness/kernel/source.sh")
export SOURCE TARGET=tcg GUEST_CPUS=1
"$top/harness/deps.sh" qemu
. "$top/harness/targets/tcg.sh"
scratch=$(mktemp -d)
trap 'pkill -KILL -f "path=$scratch" || true; rm -rf "$scratch"' EXIT

# Which KVM is refused, and in which words: one line each, and soon.
probe() { (. "$top/harness/targets/kvm.sh" && KVM_DEVICE=$1 timeout 30 bash -c ". '$top/harness/targets/kvm.sh'; target_probe"); }
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
# The real one: whatever the answer, it is one line at most, and comes in time.
real=$(probe /dev/kvm) || not_ok "the probe of /dev/kvm took too long"
holds "the probe of /dev/kvm answers: '${real:-it works}'" test "$(wc -l <<<"$real")" = 1

# The guest's programs without the sanitizers of the build that the tests are in.
cmake -S "$top" -B "$build/guest" -G Ninja -DBUILD_TESTING=OFF >/dev/null
cmake --build "$build/guest" -j "$JOBS" --target sheafbench-driver sheafbench-init sheafbench-module-test sheafcount >/dev/null

# kernel VARIANT: sets image and initramfs.
kernel() {
	local dir
	"$top/harness/kernel/build.sh" tree "$1"
	"$top/harness/kernel/build.sh" link "$1" 0
	dir=$("$top/harness/kernel/build.sh" path "$1")
	image=$dir/image.0 initramfs=$scratch/$1.cpio
	"$top/harness/initramfs.sh" "$initramfs" "$("$top/harness/kernel/build.sh" module "$1")" "$build/guest"
}
# boot NAME COMMAND_LINE [QEMU_OPTION...]
boot() {
	local name=$1 cmdline=$2
	shift 2
	(target_boot "$image" "$initramfs" "$cmdline" "$scratch/$name" "${deadline:-120}" "$@") >"$scratch/$name.log" || true
}
# count NAME WORKLOADS
count() {
	mkdir -p "$scratch/$1"
	printf '%s\n' --workloads "$2" --out-windows /out/windows.tsv >"$scratch/$1/args"
	boot "$1" "" -plugin "$build/guest/sheafcount.so,out=$scratch/$1.trace,sequence=1000"
	nm "$image" >"$scratch/$1.symbols"
	counts "$1"
}
counts() {
	"$build/sheafcounts" --trace "$scratch/$1.trace" --windows "$scratch/$1/windows.tsv" --symbols "$scratch/$1.symbols" \
		--counts "$scratch/$1.tsv" --calls "$scratch/$1.calls" --insns "$scratch/$1.insns" --sequences "$scratch/$1"
}
of() { awk -F '\t' -v w="$2" -v c="$3" '$1 == w && $4 == c { s += $5 } END { print s + 0 }' "$scratch/$1.tsv"; }

kernel local-trylock
holds 'a boot with the plugin is counted, and the clock agrees with each window' count one '^(known-.*|(pair|alloc|free)/(64|512|4096)/1|alloc/64/128/lifo)$'
expect 1 '' 'no splat on the console' grep -aE 'Kernel panic|Oops|BUG:|WARNING:|Call Trace' "$scratch/one.log"
[ -f "$scratch/one.tsv" ] || { tail -n 20 "$scratch/one.log"; counts one || finish; }
holds 'and another' count two '^(known-.*|(pair|alloc|free)/(64|512|4096)/1|alloc/64/128/lifo)$'
# Which lines of the cache hold an object, and so how many are touched, is the page allocator's matter.
exact() { grep -v 'data-lines' "$scratch/$1.tsv"; }
holds 'two boots give the same counts' cmp <(exact one) <(exact two)
for file in calls insns; do
	holds "two boots give the same $file" cmp "$scratch/one.$file" "$scratch/two.$file"
done

# What a sequence of bench/module/known.h has more than nothing has.
while read -r name class want; do
	got=$(($(of one "known-$name/64/1" "$class") - $(of one known-nothing/64/1 "$class")))
	if [ "$got" = "$want" ]; then ok "known $name: $got $class"; else not_ok "known $name: $got $class, not $want"; fi
done <<'END'
lock instructions 10
lock lock 10
lock loads 10
lock stores 10
lock xchg 0
xchg instructions 5
xchg xchg 4
xchg lock 0
cmpxchg16b instructions 3
cmpxchg16b lock 3
cmpxchg16b loads 3
cmpxchg16b stores 3
rep instructions 4
rep rep 200
rep stores 200
rep loads 0
flags instructions 14
flags pushf 7
flags popf 7
flags loads 7
flags stores 7
irq instructions 10
irq cli 5
irq sti 5
fences lfence 3
fences fence 3
cpuid serialise 2
branches instructions 18
branches branch 8
branches jump 1
branches taken 8
lines stores 6
lines data-lines 5
percpu gs 3
calls call 6
calls ret 6
END
for size in 64 512 4096; do
	holds "a pair of $size bytes is its two halves" test "$(awk -F '\t' -v w="pair/$size/1" '$1 == w && $4 == "instructions" && $3 != "(loop)" { s += $5 / $2 } END { print s }' "$scratch/one.tsv")" = \
		"$(awk -F '\t' -v w="^(alloc|free)/$size/1\$" '$1 ~ w && $4 == "instructions" && $3 != "(loop)" { s += $5 / $2 } END { print s }' "$scratch/one.tsv")"
done
holds 'the calls of a pair are told' grep -qP '^pair/64/1\t100\t\(loop\)\tkfree\tcall\t100$' "$scratch/one.calls"
holds 'its instructions add up' test "$(awk -F '\t' '$1 == "pair/64/1" { s += $6 } END { print s }' "$scratch/one.insns")" = "$(of one pair/64/1 instructions)"
holds 'past a sheaf an allocation takes the slow path' grep -qP '^alloc/64/128/lifo\t\d+\t__pcs_replace_empty_main\t' "$scratch/one.tsv"
holds 'where it takes a lock with a LOCK, though there is one CPU' test "$(of one alloc/64/128/lifo lock)" -gt 0
expect 1 '' 'and not within it' grep -P '^(pair|alloc|free)/\d+/1\t\d+\t__pcs_replace' "$scratch/one.tsv"
if command -v llvm-mca >/dev/null; then
	holds 'llvm-mca reads the sequences' "$top/harness/mca.sh" "$scratch/one" "$scratch/estimates.tsv"
	holds 'and estimates a pair' grep -qP '^pair/64/1\tznver3\t' "$scratch/estimates.tsv"
fi

# What does not fit together is refused.
cp "$scratch/one.tsv" "$scratch/kept.tsv"
awk -F '\t' -v OFS='\t' '$1 == "pair/64/1" { split($6, a, " "); sub(/^[0-9]+/, a[1] + 1, $6) } { print }' "$scratch/two/windows.tsv" >"$scratch/windows" && mv "$scratch/windows" "$scratch/two/windows.tsv"
expect 1 "pair/64/1, window [0-9]+: the guest's clock advanced by" 'a clock that disagrees' counts two
holds 'the counts of before stay' cmp "$scratch/kept.tsv" "$scratch/two.tsv"
sed -i '$d' "$scratch/two.trace"
expect 1 'cut short' 'a trace that is cut short' counts two
sed -i '/^W 3 /d' "$scratch/two.trace"
expect 1 'a window is missing' 'a trace that lacks a window' counts two
expect 2 'are needed' 'no files' "$build/sheafcounts"

# Deadline, panic and what is left of QEMU after them.
mkdir "$scratch/hang" "$scratch/panic" "$scratch/kvm"
printf '%s\n' 1000 >"$scratch/hang/args"
deadline=6 boot hang "sheafbench.run=/driver sheafbench.module=none init=/nothing rdinit=/nothing panic=0"
holds 'a panic without an end meets the deadline' grep -aq 'Kernel panic' "$scratch/hang.log"
boot panic "rdinit=/nothing"
holds 'a panic ends the guest' grep -aq 'Kernel panic' "$scratch/panic.log"
expect 1 '' 'no QEMU is left' pgrep -f "path=$scratch"
printf '%s\n' --workloads '^pair/64/1$' --samples 20 --out-json /out/run.json --out-samples /out/samples.tsv >"$scratch/kvm/args"
(. "$top/harness/targets/kvm.sh" && GUEST_CPUS=2 guest_accel=tcg && target_boot "$image" "$initramfs" "" "$scratch/kvm" 120) >"$scratch/kvm.log" || true
holds "kvm's guest measures, emulated here" grep -aq '^sheafbench: exit 0' "$scratch/kvm.log"
expect 0 'KVM emulates the kernel' 'and would be found out' bash -c ". '$top/harness/targets/kvm.sh'; target_verify '$scratch/kvm/samples.tsv'"

# The instrument's own proof: a config that is off leaves the same instructions.
kernel qpw-n
holds 'qpw-n is counted' count qpw-n '^(pair|alloc|free)/(64|512|4096)/1$'
kernel local-trylock
holds 'and the baseline' count base '^(pair|alloc|free)/(64|512|4096)/1$'
holds 'qpw-n counts what the baseline does' cmp <(grep -v 'code-lines' <(exact base)) <(grep -v 'code-lines' <(exact qpw-n))
finish
