#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# style.sh BUILD: the kernel's checkpatch, clang-format, clang-tidy, cppcheck and shellcheck.
set -euo pipefail
. "$(dirname "$0")/check.sh"
build=$1
SOURCE=$("$top/harness/kernel/source.sh")
cd "$top"
tidy_checks='-*,bugprone-*,clang-analyzer-*,-bugprone-easily-swappable-parameters,-bugprone-narrowing-conversions,-bugprone-reserved-identifier,-bugprone-implicit-widening-of-multiplication-result,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling,-bugprone-assignment-in-if-condition'
checkpatch="$SOURCE/scripts/checkpatch.pl --strict --no-tree --no-summary --quiet"

mapfile -t patches < <(find kernel-patches/patches -name '*.patch' | sort)
for p in "${patches[@]}"; do
	# shellcheck disable=SC2086 # options
	expect 0 '^$' "checkpatch $p" $checkpatch --ignore FILE_PATH_CHANGES "$p"
done
mapfile -t module < <(find bench/module bench/uapi -name '*.[ch]')
for f in "${module[@]}"; do
	# shellcheck disable=SC2086 # options
	expect 0 '^$' "checkpatch $f" $checkpatch -f "$f"
done
mapfile -t user_c < <(git ls-files -co --exclude-standard '*.c' '*.h' '*.cc' | grep -v '^bench/\(module\|uapi\)/')
expect 0 '' 'clang-format' clang-format --dry-run -Werror "${user_c[@]}"
mapfile -t scripts < <(git ls-files -co --exclude-standard '*.sh' .ci/run)
expect 0 '' 'shellcheck' shellcheck -x "${scripts[@]}"
mapfile -t plain_c < <(git ls-files -co --exclude-standard '*.c' | grep -v '^bench/module/')
expect 0 '' 'cppcheck' cppcheck --quiet --error-exitcode=1 --inline-suppr --enable=warning,performance,portability \
	--suppress=missingIncludeSystem --suppress=unknownMacro --std=c11 \
	-Ibench/uapi -Ibench/shim -Iharness/analysis -Iharness/report "${plain_c[@]}"
# One file at a time: given several, clang-tidy 14 invents uninitialized va_lists.
while read -r f; do
	expect 0 '' "clang-tidy $f" clang-tidy --quiet -p "$build" --warnings-as-errors='*' --checks="$tidy_checks" "$f"
done < <(git ls-files -co --exclude-standard 'bench/driver/*.c' 'harness/**/*.c' | sort)
finish
