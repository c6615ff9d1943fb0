#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# kernels.sh: a kernel that is named as a folder, a commit or a tarball is the same source, and gives the same builds. The
# kernels here are the files of a real one that the patches touch, and nothing is compiled.
set -euo pipefail
. "$(dirname "$0")/check.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
SOURCE=$("$top/harness/kernel/source.sh")
export CACHE=$scratch/cache TARGET=uml VARIANT_PATH=$top/kernel-patches:$scratch/local GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
unset KERNEL_SRC
. "$top/harness/request/variants.sh"
mkdir -p "$CACHE/kernels" "$scratch/local/variants"

# A git tree of it, in which something was built that its .gitignore leaves out, and something that it does not.
k=$scratch/linux
g() { git -C "$k" -c user.name=Test -c user.email=test@localhost "$@"; }
mkdir "$k"
find "$top/kernel-patches" -name '*.patch' -exec sed -n 's|^--- a/||p' {} + | sort -u | while read -r f; do
	[ ! -f "$SOURCE/$f" ] || (cd "$SOURCE" && cp --no-preserve=mode --parents "$f" "$k")
done
grep -E '^(VERSION|PATCHLEVEL|SUBLEVEL) =' "$SOURCE/Makefile" >"$k/Makefile"
printf '*.o\nvmlinux*\n' >"$k/.gitignore"
mkdir "$k/scripts"
# shellcheck disable=SC2016 # make's
printf 'kernelversion:\n\t@echo $(VERSION).$(PATCHLEVEL).$(SUBLEVEL)\n' >>"$k/Makefile"
printf '#!/bin/sh\n' >"$k/scripts/tool"
chmod +x "$k/scripts/tool"
ln -s ../mm "$k/scripts/mm"
git init -q "$k"
g add -A && g commit -qm 'A kernel' && g tag v7.2-mine
g archive --prefix=linux-7.2/ HEAD >"$scratch/linux-7.2.tar"
tar -xf "$scratch/linux-7.2.tar" -C "$scratch"
touch "$k/mm/slub.o" "$k/vmlinux.o"

pristine() { KERNEL_SRC=$1 "$top/harness/kernel/source.sh" 2>/dev/null; }
build() { SOURCE=$(pristine "$1") "$top/harness/kernel/build.sh" "${@:2}"; }
ids() { for v in local-trylock qpw-on slowpath; do build "$1" id "$v"; done; }
for kernel in "$k" "$k@HEAD" "$k@v7.2-mine" "$scratch/linux-7.2.tar" "$scratch/linux-7.2"; do
	source=$(pristine "$kernel")
	(cd "$source" && find . ! -path './.sheafbench*' \( -type f -printf '%P %m ' -exec sha256sum {} \; -o -printf '%P %l\n' \) | sort) >"$scratch/files"
	[ "$kernel" != "$k" ] || cp "$scratch/files" "$scratch/first"
	holds "${kernel#"$scratch"/}: the same files ($(grep -c . "$scratch/files"))" cmp "$scratch/first" "$scratch/files"
	holds 'and the same builds' test "$(ids "$kernel")" = "$(ids "$k")"
done
holds 'which are several' test "$(ids "$k" | sort -u | wc -l)" = 3
id() { build "$1" id local-trylock; }
before=$(id "$k")
# differs WHAT: it is another kernel than before.
differs() { holds "$1 is another kernel" test "$(id "$k")" != "$before"; }
echo '/* changed */' >>"$k/mm/slub.c"
differs 'a file that was changed since'
holds 'and the commit is the one that it was' test "$(id "$k@HEAD")" = "$before"
g checkout -q . && rm "$k/scripts/tool"
differs 'one without a file'
g checkout -q . && chmod -x "$k/scripts/tool"
differs 'one with a program that cannot be run'
g checkout -q . && ln -sfn ../include "$k/scripts/mm"
differs 'one with a link that leads elsewhere'
g checkout -q . && touch "$k/mm/new.c"
differs 'one with a file more'
rm "$k/mm/new.c"
holds 'what was changed back is the first again' test "$(id "$k")" = "$before"
holds 'a tree that git will not read is a folder' test -f "$(GIT_TEST_ASSUME_DIFFERENT_OWNER=1 pristine "$k")/mm/slub.c"
finish
