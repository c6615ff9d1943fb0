#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# tcg.sh BUILD: counts are exact: known sequences, two boots that are alike, the guest's clock; and the guest of kvm.
set -euo pipefail
. "$(dirname "$0")/check.sh"
build=$1
SOURCE=$("$top/harness/kernel/source.sh")
export SOURCE TARGET=tcg
"$top/harness/host/deps.sh" qemu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

guest_programs sheafbench-driver sheafbench-init sheafbench-module-test sheaftrace

# kernel VARIANT: sets image and initramfs.
kernel() {
	local dir
	"$top/harness/kernel/build.sh" tree "$1"
	"$top/harness/kernel/build.sh" link "$1" 0
	dir=$("$top/harness/kernel/build.sh" path "$1")
	image=$dir/image.0 initramfs=$scratch/$1.cpio
	"$top/harness/kernel/initramfs.sh" "$initramfs" "$("$top/harness/kernel/build.sh" module "$1")" "$build/guest"
}
# boot NAME COMMAND_LINE [QEMU_OPTION...]: two CPUs, of which one stays off, as in count.sh.
boot() {
	local name=$1 cmdline=$2
	shift 2
	boot_target tcg "$scratch/$name.log" "$image" "$initramfs" "maxcpus=1 $cmdline" "$scratch/$name" "${deadline:-120}" turns=yes -- "$@"
}
# count NAME WORKLOADS
count() {
	mkdir -p "$scratch/$1"
	printf '%s\n' --workloads "$2" --out-windows /out/windows.tsv >"$scratch/$1/args"
	boot "$1" "" -plugin "${plugin:-$build/guest/sheaftrace.so},out=$scratch/$1.trace,sequence=1000"
	nm "$image" >"$scratch/$1.symbols"
	counts "$1"
}
counts() {
	"$build/sheafcounts" --trace "$scratch/$1.trace" --windows "$scratch/$1/windows.tsv" --symbols "$scratch/$1.symbols" \
		--counts "$scratch/$1.tsv" --calls "$scratch/$1.calls" --insns "$scratch/$1.insns" --sequences "$scratch/$1" --parts "$scratch/$1.parts"
}
of() { awk -F '\t' -v w="$2" -v c="$3" '$1 == w && $4 == c { s += $5 } END { print s + 0 }' "$scratch/$1.tsv"; }

kernel local-trylock
holds 'a boot with the plugin is counted, and the clock agrees with each window' count one '^(known-.*|(pair|alloc|free)/(64|512|4096)/1|alloc/64/128/lifo)$'
expect 1 '' 'no splat on the console' grep -aE 'Kernel panic|Oops|BUG:|WARNING:|Call Trace' "$scratch/one.log"
[ -f "$scratch/one.tsv" ] || { tail -n 20 "$scratch/one.log"; counts one || finish; }
holds 'and another' count two '^(known-.*|(pair|alloc|free)/(64|512|4096)/1|alloc/64/128/lifo)$'
# Which object of a slab comes first is drawn anew in each boot (SLAB_FREELIST_RANDOM). In a slab of several pages that makes a
# difference of one cache line: the struct page of the first page is the slab's.
exact() { grep -vP '^\w+/(512|4096)/.*\tdata-lines\t' "$scratch/$1.tsv"; }
lines_of() { awk -F '\t' '$4 == "data-lines" && $1 ~ /\/(512|4096)\// { print $1, $3, $5 }' "$scratch/$1.tsv"; }
holds 'two boots give the same counts' cmp <(exact one) <(exact two)
# shellcheck disable=SC2016 # awk's own fields
holds 'and touch the same lines but for one' awk '{ d = $3 - $6; if (d * d > 1 || $1 != $4 || $2 != $5) exit wrong = 1 } END { exit wrong || !NR }' <(paste -d ' ' <(lines_of one) <(lines_of two))
for file in calls insns parts; do
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
for one in pair/64/1 alloc/512/1 free/4096/1; do
	holds "what the instructions of $one are for adds up" test "$(awk -F '\t' -v w="$one" '$1 == w { s += $4 } END { print s }' "$scratch/one.parts")" = \
		"$(awk -F '\t' -v w="$one" '$1 == w && $4 == "instructions" && $3 != "(loop)" { s += $5 / $2 } END { print s }' "$scratch/one.tsv")"
done
# Three accesses to per-CPU data (gcc 14: two), one to the preempt count before and one with a branch after them, four static
# keys that are off and six instructions for the stack's canary, as the compiler puts them.
holds 'and is what an allocation is known to do' grep -qxE 'this_cpu [23] preempt 3 keys 4 canary 6 ' \
	<(awk -F '\t' '$1 == "alloc/64/1" && $3 != "rest" && $4 { printf "%s %s ", $3, $4 }' "$scratch/one.parts")
holds 'past a sheaf an allocation takes the slow path' grep -qP '^alloc/64/128/lifo\t\d+\t__pcs_replace_empty_main\t' "$scratch/one.tsv"
holds 'where it takes a lock with a LOCK, though there is one CPU' test "$(of one alloc/64/128/lifo lock)" -gt 0
# A new slab draws a random number (SLAB_FREELIST_RANDOM). A kernel that is ready draws a batch of them now and then, and hashes for none.
holds 'slow paths are counted' count slow '^batch-(alloc|free)/512/2048/fifo$'
holds 'random numbers are ready before anything is counted' grep -aq '^sheafbench: the random number generator is ready' "$scratch/slow.log"
expect 1 '' 'no counted path hashes for them' grep -aP '\t(blake2s|extract_entropy|crng_reseed|mix_pool)' "$scratch/slow.tsv"
expect 1 '' 'and not within it' grep -P '^(pair|alloc|free)/\d+/1\t\d+\t__pcs_replace' "$scratch/one.tsv"
if command -v llvm-mca >/dev/null; then
	holds 'llvm-mca reads the sequences' "$top/harness/trace/mca.sh" "$scratch/one" "$scratch/estimates.tsv"
	holds 'and estimates a pair' grep -qP '^pair/64/1\tznver3\t' "$scratch/estimates.tsv"
fi

# In other versions of QEMU, whose interface for plugins is another; in one of them, or in all with LONG=yes.
. "$top/harness/host/debian.sh"
version_of() { "$1" --version | sed -n '1s/.* version \([0-9]*\.[0-9]*\).*/\1/p'; }
tried=0
for suite in trixie sid bookworm; do
	[ "$LONG$tried" != no1 ] || break
	folder=$(own_program "$suite" qemu-system-x86 usr/bin/qemu-system-x86_64 qemu-system-x86_64 -L @/usr/share/seabios -L @/usr/share/qemu 2>"$scratch/$suite.log") || {
		printf '# no QEMU of %s: %s\n' "$suite" "$(tail -n 1 "$scratch/$suite.log")"
		continue
	}
	version=$(version_of "$folder/qemu-system-x86_64")
	[ "$version" != "$(version_of qemu-system-x86_64)" ] || continue
	tried=1
	kept_path=$PATH PATH=$folder:$PATH plugin=$build/guest-$suite/sheaftrace.so
	cmake -S "$top" -B "$build/guest-$suite" -G Ninja -DBUILD_TESTING=OFF >/dev/null
	cmake --build "$build/guest-$suite" --target sheaftrace >/dev/null
	# Whether it boots this kernel at all is not the plugin's affair: QEMU 10.0 has hung in ACPI's initialisation on a Xeon.
	mkdir -p "$scratch/$suite"
	printf '%s\n' --workloads '^pair/64/1$' --out-windows /out/windows.tsv >"$scratch/$suite/args"
	deadline=45 boot "$suite" ""
	if [ -n "$reason" ]; then
		ok "QEMU $version counts # skip: it does not boot this kernel here, without the plugin either: $reason"
		PATH=$kept_path
		unset plugin
		continue
	fi
	holds "QEMU $version counts" count "$suite" '^(known-.*|(pair|alloc|free)/(64|512|4096)/1|alloc/64/128/lifo)$'
	[ -f "$scratch/$suite.tsv" ] || { echo "$reason"; tail -n 5 "$scratch/$suite.log"; }
	for file in exact calls insns parts; do
		case $file in
		exact) holds "QEMU $version counts the same to the last instruction" cmp <(exact one) <(exact "$suite") ;;
		*) holds "and the same $file" cmp "$scratch/one.$file" "$scratch/$suite.$file" ;;
		esac
	done
	plugin=$build/guest/sheaftrace.so boot "$suite" "" -plugin "$build/guest/sheaftrace.so,out=$scratch/wrong.trace"
	PATH=$kept_path
	unset plugin
	expect 0 'plugin requires API version|sheaftrace: built for version' 'a plugin for another QEMU is refused in a line' echo "$reason"
done
holds 'there was another QEMU, or none to be had' test "$tried" = 1 -o -z "$(debian_home)"

# By source line, with the same code and debug information beside it, for which another kernel is built.
if [ "$LONG" = yes ]; then
	lines() { DEBUG=$debug "$top/harness/trace/lines.sh" "$("$top/harness/kernel/build.sh" path local-trylock)" "$scratch/one.insns" "$scratch/one.lines"; }
	debug=$(export FLAVOUR=lines && "$top/harness/kernel/build.sh" tree local-trylock && "$top/harness/kernel/build.sh" link local-trylock 0 && "$top/harness/kernel/build.sh" path local-trylock)
	expect 0 '^$' 'the instructions have lines' lines
	sums() { awk -F '\t' -v c="$1" '!/^#/ { s[$1 " " $3] += $c } END { for (k in s) print k, s[k] }' "$2" | sort; }
	holds 'which add up to each symbol of each workload' cmp <(sums 9 "$scratch/one.lines") <(sums 6 "$scratch/one.insns")
	# shellcheck disable=SC2016 # awk's own fields
	holds 'kfree() takes the lock, and counts preemption for it' awk -F '\t' '$1 == "pair/64/1" && $3 == "kfree" && $4 == "free_to_pcs" && $8 ~ /local_trylock\(/ { n++; if ($7 == "__preempt_count_add") preempt = $9 / $2 }
		END { exit n != 2 || preempt != 1 }' "$scratch/one.lines"
	cp "$scratch/one.lines" "$scratch/kept.lines"
	mkdir "$scratch/other"
	cp "$debug/image.0" "$scratch/other"
	printf '\xcc' | dd of="$scratch/other/image.0" bs=1 seek=$((0x$(objdump -h -j .text "$debug/image.0" | awk '$2 == ".text" { print $6 }') + 64)) conv=notrunc status=none
	kept_debug=$debug debug=$scratch/other
	expect 1 'debug information changes the code' 'other code is refused' lines
	debug=$kept_debug
	holds 'and the lines of before stay' cmp "$scratch/one.lines" "$scratch/kept.lines"
fi

# Files that do not belong together are refused.
cp "$scratch/two.tsv" "$scratch/kept.tsv"
awk -F '\t' -v OFS='\t' '$1 == "pair/64/1" { split($6, a, " "); sub(/^[0-9]+/, a[1] + 1, $6) } { print }' "$scratch/two/windows.tsv" >"$scratch/windows" && mv "$scratch/windows" "$scratch/two/windows.tsv"
expect 1 "pair/64/1, window [0-9]+: the guest's clock advanced by" 'a clock that disagrees' counts two
holds 'the counts of before stay' cmp "$scratch/kept.tsv" "$scratch/two.tsv"
cp "$scratch/two.symbols" "$scratch/symbols"
sed -i '/ __schedule$/d; s/ kfree$/ __schedule/' "$scratch/two.symbols"
expect 1 '0 of 5 windows without an interrupt or another task' 'windows in which another task had its turn' counts two
mv "$scratch/symbols" "$scratch/two.symbols"
sed -i '$d' "$scratch/two.trace"
expect 1 'cut short' 'a trace that is cut short' counts two
sed -i '/^W 3 /d' "$scratch/two.trace"
expect 1 'a window is missing' 'a trace that lacks a window' counts two
expect 2 'are needed' 'no files' "$build/sheafcounts"

# A deadline and a panic, after which no QEMU is left.
mkdir "$scratch/hang" "$scratch/panic" "$scratch/kvm"
printf '%s\n' 1000 >"$scratch/hang/args"
deadline=60 boot hang "sheafbench.run=/driver sheafbench.module=none init=/nothing rdinit=/nothing panic=0"
holds 'a panic without an end meets the deadline' grep -aq 'Kernel panic' "$scratch/hang.log"
boot panic "rdinit=/nothing"
holds 'a panic ends the guest' grep -aq 'Kernel panic' "$scratch/panic.log"
left=$(grep -als "path=$scratch" /proc/[0-9]*/cmdline || true)
holds "no QEMU is left${left:+: $left}" test -z "$left"
printf '%s\n' --workloads '^pair/64/1$' --samples 20 --out-json /out/run.json --out-samples /out/samples.tsv >"$scratch/kvm/args"
# TCG executes a warm chain about as fast as a CPU does; with 8 ns for each instruction it is the interpreter that KVM may be.
boot_target kvm "$scratch/kvm.log" "$image" "$initramfs" "" "$scratch/kvm" 120 accel=tcg needs=samples.tsv
holds "kvm's guest measures, emulated here${reason:+: $reason}" grep -aq '^sheafbench: exit 0' "$scratch/kvm.log"
boot_target kvm "$scratch/kvm.log" "$image" "$initramfs" "" "$scratch/kvm" 120 accel=tcg turns=yes shift=3 needs=samples.tsv
holds "and is found out: $reason" grep -q '^KVM emulates the kernel: ' <<<"$reason"

# A config option that is off leaves the same instructions.
kernel qpw-n
holds 'qpw-n is counted' count qpw-n '^(pair|alloc|free)/(64|512|4096)/1$'
kernel local-trylock
holds 'and the baseline' count base '^(pair|alloc|free)/(64|512|4096)/1$'
holds 'qpw-n counts what the baseline does' cmp <(grep -v 'code-lines' <(exact base)) <(grep -v 'code-lines' <(exact qpw-n))
finish
