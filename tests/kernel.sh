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
make -C "$tree" ARCH=um M="$scratch/module" clean >/dev/null
make -C "$tree" ARCH=um C=2 CHECK="sparse -Wno-address-space-of" M="$scratch/module" modules >"$scratch/sparse.log" 2>&1 || true
if [ ! -f "$scratch/module/sheafbench.ko" ] || ! grep -q '^  CHECK' "$scratch/sparse.log"; then
	not_ok "sparse did not run: $(tail -n 3 "$scratch/sparse.log")"
elif grep -E "$scratch/(module|uapi)/.*(warning|error):" "$scratch/sparse.log"; then
	not_ok 'sparse has complaints about the module'
else
	ok 'sparse has no complaint about the module'
fi

# Addresses differ from build to build; the instructions and what they refer to may not.
code() {
	objdump -dr --no-show-raw-insn --no-addresses "$1/tree/mm/slub.o" |
		awk -v f="<$2>:" '$0 == f { on = 1; next } on && /^$/ { exit } on { sub(/ *#.*/, ""); print }'
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
