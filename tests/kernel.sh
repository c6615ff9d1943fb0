#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# kernel.sh: the kernels of all variants build; the module is clean under W=1 and sparse; QPW
# compiled out leaves the fast path's machine code as it was.
set -euo pipefail
. "$(dirname "$0")/check.sh"
SOURCE=$("$top/harness/kernel/source.sh")
export SOURCE TARGET=uml
build() { "$top/harness/kernel/build.sh" "$@"; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

base=$(baseline_variant)
for v in $(variant_names); do
	expect 0 '' "the kernel of $v builds" build tree "$v"
	log=$CACHE/logs/uml-$(build id "$v").log
	[ ! -f "$log" ] || if grep -nE '\bwarning:' "$log"; then not_ok "$v builds with warnings"; else ok "$v builds without a warning"; fi
done

tree=$(build path "$base")/tree
cp -r "$top/bench/module" "$top/bench/uapi" "$scratch"
expect 0 '' 'the module builds under W=1' make -C "$tree" ARCH=um W=1 KCFLAGS=-Werror M="$scratch/module" modules

# What Debian 12's sparse does not know, in its own words: typeof_unqual, and the length of a literal
# as a constant (behind module_param()). Left an error, each would silence all warnings after it.
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

# Offsets into sections differ from build to build; the instructions may not.
code() {
	objdump -dr --no-show-raw-insn --no-addresses "$1/tree/mm/slub.o" |
		awk -v f="<$2>:" '$0 == f { on = 1; next } on && /^$/ { on = 0 } on { sub(/ *#.*/, ""); gsub(/[+-]0x[0-9a-f]+$/, ""); print }'
}
for f in kfree kmem_cache_free __kmalloc_noprof __kmalloc_cache_noprof kmem_cache_alloc_noprof; do
	code "$(build path "$base")" "$f" >"$scratch/base.s"
	code "$(build path qpw-n)" "$f" >"$scratch/n.s"
	code "$(build path qpw-on)" "$f" >"$scratch/on.s"
	if [ "$(wc -l <"$scratch/base.s")" -lt 20 ]; then
		not_ok "no code of $f in mm/slub.o"
	elif ! cmp -s "$scratch/base.s" "$scratch/n.s"; then
		not_ok "$f of qpw-n differs: $(diff "$scratch/base.s" "$scratch/n.s" | head -n 6)"
	elif cmp -s "$scratch/base.s" "$scratch/on.s"; then
		not_ok "$f of qpw-on is the baseline's: this comparison sees nothing"
	else
		ok "$f of qpw-n is the baseline's ($(wc -l <"$scratch/base.s") lines)"
	fi
done
finish
