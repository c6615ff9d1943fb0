#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# kernel.sh: the kernels of all variants build. The module is clean under W=1 and sparse, and the patches add no warning of
# these to the kernel's. A series that is compiled out leaves the fast path's machine code as it was, and so do those for isolated
# CPUs when they are compiled in; qpw adds what its commit message says.
set -euo pipefail
. "$(dirname "$0")/check.sh"
SOURCE=$("$top/harness/kernel/source.sh")
export SOURCE TARGET=uml
build() { "$top/harness/kernel/build.sh" "$@"; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

base=$(baseline_variant)
# The variants that other tests use, or all.
names=(qpw-n qpw-off qpw-on slowpath slowpath-isolated qpw-isolated)
[ "$LONG" = no ] || mapfile -t names < <(variant_names)
if build tree "$base"; then build trees "${names[@]}"; fi
# as_foreseen VARIANT LOG [FILES]: what is left of a build is told by how much of it there is, give or take a quarter, or FILES.
as_foreseen() {
	local foreseen did some=${3:-0}
	foreseen=$(sed -n 's/^files foreseen: //p' "$2" 2>/dev/null) || true
	[ -n "$foreseen" ] || return 0
	did=$(grep -c '^  CC ' "$2")
	holds "$1: $foreseen files were foreseen, and $did compiled" test $((4 * (foreseen + some))) -ge $((3 * did)) -a $((3 * foreseen)) -le $((4 * (did + some)))
}
for v in "$base" "${names[@]}"; do
	expect 0 '' "the kernel of $v builds" build tree "$v"
	log=$CACHE/logs/uml-$(build id "$v").log
	[ ! -f "$log" ] || if grep -nE '\bwarning:' "$log"; then not_ok "$v builds with warnings"; else ok "$v builds without a warning"; fi
	as_foreseen "$v" "$log"
done

tree=$(build path "$base")/tree
# A layout that is linked the short way has the bytes that kbuild links.
pad=48
rm -f "$(build path "$base")/image.$pad"
expect 0 'layout 48' 'a layout is linked' build link "$base" $pad
expect 0 '' 'kbuild links it too' env KBUILD_BUILD_TIMESTAMP=1970-01-01 KBUILD_BUILD_USER=sheafbench KBUILD_BUILD_HOST=sheafbench KBUILD_BUILD_VERSION=1 LC_ALL=C \
	make -C "$tree" ARCH=um CC='ccache gcc' HOSTCC='ccache gcc' LAYOUT_PAD=$pad linux
holds 'to the same bytes' cmp "$tree/linux" "$(build path "$base")/image.$pad"
log=$CACHE/logs/$(basename "$(dirname "$(build path "$base")")")-$(build id "$base")-link.log
holds 'and the short way is what linked it' grep -q '^  LD      vmlinux.unstripped' "$log"
holds 'which did not go through all folders' sh -c "! grep -q 'vmlinux.symvers\|MODPOST' '$log'"
cp -r "$top/bench/module" "$top/bench/uapi" "$scratch"
expect 0 '' 'the module builds under W=1' make -C "$tree" ARCH=um W=1 KCFLAGS=-Werror M="$scratch/module" modules
# It is loaded into each kernel of the list: what it calls, and this kernel exports by name, these export, too.
exports() { (cd "$1" && grep -rhoE '^[[:space:]]*EXPORT_(PER_CPU_)?SYMBOL[A-Z_]*\([A-Za-z0-9_]+' arch/um arch/x86 kernel lib mm fs) | sed 's/.*(//' | sort -u; }
nm -u "$scratch/module/sheafbench.ko" | awk '{ print $2 }' | sort -u | comm -12 - <(exports "$SOURCE") >"$scratch/calls"
holds "the module calls what is exported ($(wc -l <"$scratch/calls"))" test -s "$scratch/calls"
while read -r kernel; do
	gone=$(exports "$(KERNEL_SRC=$kernel "$top/harness/kernel/source.sh")" | comm -13 - "$scratch/calls" | paste -sd ' ')
	holds "$kernel exports that too${gone:+, but for $gone}" test -z "$gone"
done <"$top/kernel-patches/kernels.list"

# Errors of Debian 12's sparse about what it does not know: typeof_unqual, and the length of a literal as a constant (behind
# module_param()). Each would silence all warnings after it.
checker="sparse -D__typeof_unqual__=__typeof__ '-D__builtin_strlen(x)=(sizeof(x)-1)'"
sparse_says() {
	touch "$scratch/module/sheafbench.c"
	make -C "$tree" ARCH=um C=1 CHECK="$checker" M="$scratch/module" modules >"$scratch/sparse.log" 2>&1 || true
	grep -q '^  CHECK' "$scratch/sparse.log" || echo 'sparse did not run'
	grep -E '(warning|error):' "$scratch/sparse.log" || true
}
says=$(sparse_says)
holds "sparse has no complaint about the module ${says:+($says)}" test -z "$says"
printf 'int seen(int __user *p);\nint seen(int __user *p)\n{\n\treturn *p;\n}\n' >>"$scratch/module/sheafbench.c"
says=$(sparse_says)
holds 'sparse sees a bad dereference' grep -q 'dereference of noderef' <<<"$says"

# complaints VARIANT FILE.c [SOURCE]: warnings of sparse and of the compiler with W=1's flags for a file of a variant's tree,
# without line numbers. The commands are kbuild's own, but write nothing there. SOURCE is compiled instead of the file.
complaints() {
	local tree object=${2%.c}.o source=${3:-$2} command flags
	tree=$(build path "$1")/tree
	command=$(sed -n 's/^savedcmd_[^ ]* := [^-]*//p' "$tree/$(dirname "$2")/.$(basename "$object").cmd" |
		sed -E 's# -c -o .*##; s#-Wp,-MMD,[^ ]*##; s# -W(p[^,]|[^p])[^ ]*##g')
	# shellcheck disable=SC2016 # make's
	flags=$(printf 'srctree := .\nCC := gcc\nKBUILD_CFLAGS :=\ninclude include/config/auto.conf\ninclude scripts/Makefile.compiler\ninclude scripts/Makefile.warn\nshow: ; @echo $(KBUILD_CFLAGS)\n' |
		make -s --no-print-directory -C "$tree" KBUILD_EXTRA_WARN=1 -f - show)
	(
		cd "$tree"
		# The commands are quoted for a shell.
		eval "gcc $command $flags -c -o $scratch/object.o $source" || echo "$2: error: does not build"
		eval "$checker -D__linux__ -Dlinux -D__STDC__ -Dunix -D__unix__ -D__x86_64__ -Wbitwise -Wno-return-void -Wno-unknown-attribute $command $source" || echo "$2: error: sparse fails"
	) 2>&1 | { grep -E '(warning|error):' || true; } | sed -E 's/:[0-9]+(:[0-9]+)?:/:/' | sort
}
for v in qpw-n qpw-on slowpath slowpath-isolated qpw-isolated; do
	mapfile -t series < <(variant_key "$v" series)
	mapfile -t patches < <(series_patches "${series[@]}")
	mapfile -t files < <(sed -n 's|^+++ b/\(.*\.c\)$|\1|p' "${patches[@]}" | sort -u)
	for f in "${files[@]}"; do
		[ -f "$(build path "$v")/tree/${f%.c}.o" ] || continue
		before=$scratch/before.${f//\//-}
		[ -f "$before" ] || { [ ! -f "$tree/${f%.c}.o" ] || complaints "$base" "$f"; } >"$before"
		complaints "$v" "$f" >"$scratch/after"
		added=$(diff "$before" "$scratch/after" | grep '^>' || true)
		holds "$v: W=1 and sparse say nothing more of $f (before: $(wc -l <"$before"))${added:+: $(head -n 2 <<<"$added")}" test -z "$added"
	done
done
{ cat "$(build path slowpath)/tree/mm/slub.c"; printf 'int seen(int __user *p)\n{\n\treturn *p;\n}\n'; } >"$scratch/slub.c"
says=$(complaints slowpath mm/slub.c "-I mm $scratch/slub.c" | grep -E 'seen|noderef' || true)
holds "sparse and W=1 see what a patch could add ($(wc -l <<<"$says"))" \
	test "$(grep -cE 'dereference of noderef' <<<"$says") $(grep -cE 'no previous prototype' <<<"$says")" = '1 1'

# A series with its options off. Of qpw that is the variant qpw-n.
mkdir -p "$scratch/path/variants"
sed 's/^title.*/title = compiled out/; s/^kconfig = \(CONFIG_SLUB_HOUSEKEEPING_SHEAVES\)=y/kconfig = # \1 is not set/; /CPU_ISOLATION/d' \
	"$top/kernel-patches/variants/slowpath-isolated.variant" >"$scratch/path/variants/slowpath-isolated-n.variant"
export VARIANT_PATH=$scratch/path:$VARIANT_PATH
. "$top/harness/request/variants.sh"

fast_functions=(kfree kmem_cache_free __kmalloc_noprof __kmalloc_cache_noprof kmem_cache_alloc_noprof)
# Offsets into sections may differ between builds; instructions may not.
code() {
	local all=$scratch/${1//\//-}.s
	[ -f "$all" ] || objdump -dr --no-show-raw-insn --no-addresses "$1/tree/mm/slub.o" >"$all"
	awk -v f="<$2>:" '$0 == f { on = 1; next } on && /^$/ { on = 0 } on { sub(/ *#.*/, ""); gsub(/[+-]0x[0-9a-f]+$/, ""); print }' "$all"
}
# compare WHERE OFF ON: the code of the baseline and of OFF are the same, that of ON is not.
compare() {
	local f where=$1 off=$2 on=$3
	for f in "${fast_functions[@]}"; do
		code "$(build path "$base")" "$f" >"$scratch/base.s"
		code "$(build path "$off")" "$f" >"$scratch/off.s"
		code "$(build path "$on")" "$f" >"$scratch/on.s"
		if [ "$(wc -l <"$scratch/base.s")" -lt 20 ]; then
			not_ok "$where: no code of $f in mm/slub.o"
		elif ! cmp -s "$scratch/base.s" "$scratch/off.s"; then
			not_ok "$where: $f of $off differs: $(diff "$scratch/base.s" "$scratch/off.s" | head -n 6)"
		elif [[ $f == k*free ]] && cmp -s "$scratch/base.s" "$scratch/on.s"; then
			not_ok "$where: $f of $on is the baseline's: this comparison sees nothing"
		else
			ok "$where: $f of $off is the baseline's ($(wc -l <"$scratch/base.s") lines)"
		fi
	done
}
build tree slowpath-isolated-n
for v in qpw-n slowpath-isolated-n slowpath-isolated qpw-isolated; do compare uml "$v" qpw-on; done
holds "and so says build.sh: $(build same qpw-n)" test -n "$(build same qpw-n)"
expect 0 '^$' 'which says that qpw-on has other code' build same qpw-on

# fast_path FOLDER FUNCTION: the shortest way through a function that takes and releases the lock of the sheaves (a byte that becomes
# 1, then 0) and calls nothing, with all static branches as compiled: an operation a line, 'static' for a static branch
# that is not taken, 'jcc' for a conditional one.
fast_path() {
	{ objdump -r -j __jump_table "$1/tree/mm/slub.o"; objdump -dr --no-show-raw-insn "$1/tree/mm/slub.o"; } | awk -v f="<$2>:" '
		/^Disassembly/ { text = 1 }
		# An entry is three relocations: branch, target, key. Where 2 is added to the key the branch becomes a nop.
		!text && /R_X86_64_/ {
			if (++n % 3 == 1) at = $3
			else if (n % 3 == 0 && at ~ /^\.text\+/ && $3 ~ /[+-]0x[0-9a-f]*[2367abef]$/) { sub(/.*x0*/, "", at); nop[at] = 1 }
		}
		$2 == f { on = 1; next }
		/^$/ { on = 0 }
		on && /R_X86_64_/ { symbol[k] = $3; next }
		on { sub(/:$/, "", $1); where[++k] = $1; nth[$1] = k; op[k] = $2; args[k] = $3 }
		function go(i, s, from) { if (i >= 1 && i <= k && !((i, s) in by)) { by[i, s] = from; queue[++tail] = i SUBSEP s } }
		END {
			go(1, 0, "")
			while (head < tail) {
				state = queue[++head]; split(state, p, SUBSEP); i = p[1]; s = p[2]
				if (s == 2 && (op[i] == "ret" || (i in symbol) && symbol[i] ~ /^__x86_return_thunk/)) break
				if (op[i] == "movb" && args[i] ~ /^\$0x1,\(/ && s == 0) s = 1
				else if (op[i] == "movb" && args[i] ~ /^\$0x0,\(/ && s == 1) s = 2
				if (where[i] in nop) go(i + 1, s, state)
				else {
					if (op[i] ~ /^j/ && !(i in symbol)) go(nth[args[i]], s, state)
					if (op[i] !~ /^(jmp|ret|ud2|call)/) go(i + 1, s, state)
				}
				state = ""
			}
			for (n = 0; state; state = by[state]) { split(state, p, SUBSEP); line[++n] = where[p[1]] in nop ? "static" : op[p[1]] ~ /^j[^m]/ ? "jcc" : op[p[1]] }
			while (n) print line[n--]
		}'
}
# documented SERIES FUNCTION: the counts in the table of the series' commit messages.
documented() {
	local patches
	mapfile -t patches < <(series_patches "$1")
	sed '/^---$/,/^From /d' "${patches[@]}" | awk -v f="${2%_noprof}" '$1 == f && $2 ~ /^[0-9]+$/ { print; exit }'
}
# told WHAT COMMAND...: as holds, where the compiler is the one that the messages' counts and registers are of.
told() {
	local version
	version=$(gcc -dumpversion)
	if [ "${version%%.*}" = 12 ]; then holds "$@"; else ok "$1 # skip: that is gcc 12's code, and this is gcc $version"; fi
}
why=$("$top/harness/targets/target.sh" tcg probe)
if [ -n "$why" ]; then
	printf '# no x86_64 here: %s\n' "$why"
else
	export TARGET=tcg
	x86_64=(qpw-n qpw-off slowpath-isolated slowpath-isolated-n qpw-isolated)
	if build tree "$base"; then build trees "${x86_64[@]}"; fi
	for v in "$base" "${x86_64[@]}"; do
		expect 0 '' "the x86_64 kernel of $v builds" build tree "$v"
		as_foreseen "x86_64: $v" "$CACHE/logs/x86_64-$(build id "$v").log" 2
	done
	for v in qpw-n slowpath-isolated-n slowpath-isolated qpw-isolated; do compare x86_64 "$v" qpw-off; done
	for f in "${fast_functions[@]}"; do
		fast_path "$(build path "$base")" "$f" >"$scratch/base.path"
		fast_path "$(build path qpw-off)" "$f" >"$scratch/off.path"
		n=$(wc -l <"$scratch/base.path") off=$(wc -l <"$scratch/off.path")
		read -r _ before after _ < <(documented qpw "$f")
		told "x86_64: $f of the baseline and of qpw-off is $before and $after instructions as documented ($n and $off)" test "$n $off" = "$before $after"
		holds "x86_64: qpw-off adds two static branches to $f" test \
			"$(grep -c static "$scratch/off.path")" = $(($(grep -c static "$scratch/base.path") + 2))
		# A register that is saved must be restored.
		added=$(diff <(grep -v static "$scratch/base.path" | sort) <(grep -v static "$scratch/off.path" | sort) | grep '^[<>]' | tr '\n' ' ' || true)
		told "x86_64: qpw-off adds nothing else to $f but a saved register (${added:-nothing})" grep -qxE '(> pop > push )?' <<<"$added"
	done
fi

# A series is somebody's program: what its Makefile writes elsewhere is not written, least of all through a link into the
# pristine source.
export TARGET=uml
mkdir -p "$scratch/path/patches/outside" "$scratch/old/mm" "$scratch/new/mm"
printf 'title = writes elsewhere\nseries = outside\nkconfig = CONFIG_XZ_DEC=y\n' >"$scratch/path/variants/outside.variant"
cp "$SOURCE/mm/Makefile" "$scratch/old/mm"
# shellcheck disable=SC2016 # make's
{ cat "$SOURCE/mm/Makefile"; printf '\n$(shell echo "/* changed */" >>$(srctree)/mm/slab_common.c)\n$(shell echo >$(srctree)/mm/taste.h)\n$(shell echo >%s/was-here)\n' "$scratch"; } >"$scratch/new/mm/Makefile"
(cd "$scratch" && diff -u old/mm/Makefile new/mm/Makefile >"$scratch/path/patches/outside/0001-mm-Write-elsewhere.patch") || true
dir=$(build path outside) before=$(cksum <"$SOURCE/mm/slab_common.c")
rm -rf "$dir"
expect 0 'also differs .*CONFIG_CRC32=y \(n\)' 'a series that writes elsewhere builds, and what else its option brings is told' build tree outside
holds 'it writes into its own tree' test -f "$dir/tree/mm/taste.h"
holds 'it does not write through a link' test "$before" = "$(cksum <"$SOURCE/mm/slab_common.c")"
if bwrap --ro-bind / / true 2>/dev/null; then
	holds 'it does not write elsewhere' test ! -e "$scratch/was-here"
else
	printf '# bubblewrap does not work here: a build is not kept from writing elsewhere\n'
fi
rm -rf "$dir"
# What undoes a measurement by itself, or by its series, does not build.
printf 'title = no modules\nkconfig = # CONFIG_MODULES is not set\n' >"$scratch/path/variants/undone.variant"
dir=$(build path undone)
expect 1 'undoes what a measurement needs.*CONFIG_MODULES y n' 'a kernel without modules is refused' build tree undone
rm -rf "$dir"
finish
