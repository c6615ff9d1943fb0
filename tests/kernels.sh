#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# kernels.sh: a kernel that is named as a folder, a commit or a tarball is the same source, and gives the same builds; several
# kernels are variants of one result; what does not fit a kernel is left out, and the rest runs. The kernels here are the files
# of a real one that the patches touch, and nothing is compiled.
# shellcheck disable=SC2016,SC2030,SC2031 # jq's own variables; what is local to a subshell
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
	[ "$kernel" != "$k" ] || { cp "$scratch/files" "$scratch/first" && first=$(ids "$k"); }
	holds "${kernel#"$scratch"/}: the same files ($(grep -c . "$scratch/files"))" cmp "$scratch/first" "$scratch/files"
	holds 'and the same builds' test "$(ids "$kernel")" = "$first"
done
holds 'which are several' test "$(sort -u <<<"$first" | wc -l)" = 3
id() { build "$1" id local-trylock; }
before=${first%%$'\n'*}
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
g checkout -q .

### Several kernels.

cp -r "$scratch/linux-7.2" "$scratch/Other"
sed -i 's/^SUBLEVEL = .*/SUBLEVEL = 99/' "$scratch/Other/Makefile"
version=$(awk '/^[A-Z]+ =/ { printf "%s%s", dot, $3; dot = "." }' "$k/Makefile")
export KERNELS="$k@HEAD $scratch/Other"
holds 'a variant of KERNELS has the build that is its kernel'"'s alone" test "$(build "$k@HEAD" id other)" = "$(build "$scratch/Other" id local-trylock)"
holds 'which is not the baseline'"'s" test "$(build "$k@HEAD" id other)" != "$(build "$k@HEAD" id local-trylock)"
expect 0 '^$' 'and is never told as the same code' build "$k@HEAD" same other
printf 'title = QPW there\nseries = qpw\nkconfig = CONFIG_QPW=y\ncmdline = qpw=1\nkernel = %s\n' "$scratch/Other" >"$scratch/local/variants/there.variant"
holds 'a variant file can name a kernel, too' test "$(build "$k@HEAD" id there)" = "$(build "$scratch/Other" id qpw-on)"
expect 2 "no variant 'linux'; known: .*other" 'the first of KERNELS is no variant' build "$k@HEAD" id linux
expect 1 'the kernel of other is not built' 'a tree that is not whole is not linked' build "$k@HEAD" link other 0

# opened VALUE...: what the front door makes of these: prints its variants, and whether arch/um is patched. With work=FOLDER that
# has the request and the environment.
opened() (
	# shellcheck disable=SC2163 # NAME=VALUE
	export GOAL=bench TARGETS=uml OUT=$scratch/out BUILD=$scratch/build TEST_ONLY='' LEFT_OUT='' VARIANTS='' GIVEN='' "$@"
	. "$top/harness/request/values.sh"
	. "$top/harness/request/open.sh"
	take_values bench
	ask_machine
	SOURCE=$("$top/harness/kernel/source.sh")
	export SOURCE
	mapfile -t variants < <(chosen_variants yes)
	take_sources
	leave_out_unfit
	echo "${variants[*]} $UM_FIDELITY"
	[ -n "${work-}" ] || exit 0
	guest_files() { find "$top/harness/trace" -type f; } # there are no programs
	tells=time part=$work
	write_variants >"$work/variants.tsv"
	write_request >"$work/request.json"
	write_environment >"$work/environment.json"
)
mkdir "$scratch/work"
proofs='null dose-0 dose-1 dose-16'
expect 0 "^local-trylock $proofs other yes$" 'KERNELS alone asks for its kernels' opened work="$scratch/work"
holds 'the request holds them' jq -e --arg kernels "$KERNELS" '.values.KERNELS == $kernels and (.source | startswith("git-")) and (.sources | keys == ["other"]) and (.sources.other | startswith("dir-"))' "$scratch/work/request.json"
holds 'and the environment says which they are' jq -e --arg version "$version" '(.kernels["local-trylock"] | startswith($version + " (git-") and endswith(", v7.2-mine)")) and
	(.kernels.other | test("^[0-9.]*\\.99 \\(dir-[0-9a-f]*\\)$")) and .kernel_version == $version and .kernel_tree == "v7.2-mine"' "$scratch/work/environment.json"
holds 'and the command' jq -e --arg kernels "$KERNELS" '.command | endswith(" KERNELS='"'"'" + $kernels + "'"'"'") and (contains("KERNEL_SRC") | not)' "$scratch/work/environment.json"
steps_source() { (. <(sed -n '/^SOURCES=/p' "$top/harness/steps.sh") && . "$top/harness/request/variants.sh" && source_of other); }
part=$scratch/work
holds 'later steps have the source that was taken' test "$(KERNELS='' steps_source)" = "$(pristine "$scratch/Other")"
expect 0 "^local-trylock $proofs other qpw-on yes$" 'with VARIANTS these beside them' opened VARIANTS=qpw-on
unset KERNELS part
expect 0 "^local-trylock $proofs yes$" 'a result of one kernel has no others' opened work="$scratch/work" VARIANTS=none KERNEL_SRC="$scratch/Other"
holds 'and says nothing of them' jq -es 'all(has("sources") or has("kernels") or has("kernel_tree") | not)' "$scratch/work/request.json" "$scratch/work/environment.json"

### Where a series does not fit.

cp -r "$scratch/Other" "$scratch/old"
echo 'no lines that a patch could know' | tee "$scratch/old/MAINTAINERS" >"$scratch/old/Documentation/admin-guide/kernel-parameters.txt"
sed -i 's/^static void flush_all_cpus_locked/static  void flush_all_cpus_locked/' "$scratch/old/mm/slub.c"
said=$(opened VARIANTS='qpw-on slowpath' KERNEL_SRC="$scratch/old" 2>&1)
expect 0 '^  left out: variant qpw-on: qpw[-0-9.]*/0002-.* does not apply to dir-[0-9a-f]*: patch failed: mm/slub.c:[0-9]+$' 'a series that does not fit has one line' echo "$said"
expect 0 "^local-trylock $proofs slowpath yes$" 'and the rest runs' echo "$said"
expect 0 "^local-trylock $proofs( [a-z-]+)* slowpath [a-z -]* yes$" 'without VARIANTS too' opened KERNEL_SRC="$scratch/old"
expect 1 'none of the variants that were asked for fits its kernel' 'nobody waits for a baseline alone' opened VARIANTS='qpw-off qpw-on' KERNEL_SRC="$scratch/old"
holds 'who asks for no variant has it' test "$(opened VARIANTS=none KERNEL_SRC="$scratch/old" 2>&1)" = "local-trylock $proofs yes"
# A proof with no flavour ends before its first kernel.
proven() { SOURCE=$(pristine "$scratch/old") UM_FIDELITY=yes OUT=$scratch/out TARGETS=uml FLAVOURS=' ' VARIANTS=$1 "$top/harness/prove/prove.sh" "$scratch/build"; }
expect 0 '^  left out: variant qpw-on: ' 'nor does a proof need it' proven 'qpw-on slowpath'
sed -i 's/barrier/barriers/' "$scratch/old/arch/x86/um/asm/barrier.h"
said=$(opened VARIANTS=slowpath KERNEL_SRC="$scratch/old" 2>&1)
expect 0 '^  left out: kernel-patches/patches/um: um/0001-.* arch/um is as the kernels have it$' 'where arch/um cannot be patched' echo "$said"
expect 0 "^local-trylock $proofs slowpath no$" 'it is as it is, for all' echo "$said"
expect 0 "^local-trylock $proofs old no$" 'of several kernels, too' opened KERNELS="$k@HEAD $scratch/old"
# A series that somebody made for it is registered and runs.
cp "$scratch/old/mm/slub.c" "$k/mm/slub.c" && g commit -qam 'Another kernel'
sed -i '0,/^static/s//static int taste;\n\nstatic/' "$k/mm/slub.c" && g commit -qam 'mm/slub: Add a taste'
expect 0 'variant taste: 1 patches' 'a series is registered there' env MAKEFLAGS= make -C "$top" --no-print-directory variant MBOX="$k@HEAD^..HEAD" NAME=taste KERNEL_SRC="$scratch/old"
expect 0 "^local-trylock $proofs taste no$" 'and is measured' opened VARIANTS=taste KERNEL_SRC="$scratch/old"
sed -i 's/slub.o/slob.o/' "$scratch/old/mm/Makefile"
expect 1 '^sheafbench: layout[-0-9.]*/0001-.* does not apply to dir-' 'a baseline that does not fit is no measurement' opened VARIANTS=slowpath KERNEL_SRC="$scratch/old"
expect 1 'left out: variant old: layout.*' 'as another kernel it is left out' opened KERNELS="$k@HEAD $scratch/old"
finish
