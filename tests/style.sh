#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# style.sh BUILD: the kernel's checkpatch, clang-format, clang-tidy, cppcheck and shellcheck.
set -euo pipefail
. "$(dirname "$0")/check.sh"
build=$1
SOURCE=$("$top/harness/kernel/source.sh")
cd "$top"
# clang-tidy 14 finds uninitialized va_lists right after va_start().
tidy_checks='-*,bugprone-*,clang-analyzer-*,-clang-analyzer-valist.Uninitialized,-bugprone-easily-swappable-parameters,-bugprone-narrowing-conversions,-bugprone-reserved-identifier,-bugprone-implicit-widening-of-multiplication-result,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling,-bugprone-assignment-in-if-condition'
checkpatch="$SOURCE/scripts/checkpatch.pl --strict --no-tree --no-summary --quiet"

# arch/um as a folder is in MAINTAINERS, and so is include/linux/local_lock*.h: new files there need no entry.
new_files='/patches/um|/slowpath-isolated/0001'
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/new" "$scratch/others"
while read -r p; do
	kind=others
	[[ ! $p =~ $new_files ]] || kind=new
	# Copies, as checkpatch takes a file that git tracks for source.
	cp "$p" "$scratch/$kind/${p//\//-}"
done < <(find kernel-patches/patches tests/mutants -name '*.patch' | sort)
for kind in new others; do
	patches=("$scratch/$kind"/*)
	options=()
	[ $kind = others ] || options=(--ignore FILE_PATH_CHANGES)
	expect 0 '^$' "checkpatch ${#patches[@]} patches" env -C "$SOURCE" perl scripts/checkpatch.pl --strict --no-summary --quiet "${options[@]}" "${patches[@]}"
done
mapfile -t module < <(find bench/module bench/stress bench/uapi -name '*.[ch]')
# shellcheck disable=SC2086 # options
expect 0 '^$' "checkpatch ${#module[@]} files of the module" $checkpatch -f "${module[@]}"
mapfile -t user_c < <(git ls-files -co --exclude-standard '*.c' '*.h' '*.cc' | grep -v '^bench/\(module\|stress\|uapi\)/')
# Other versions format otherwise, or see what is not there; those of Debian 12 decide.
decides() {
	local version
	version=$("$1" --version | grep -oE '[0-9]+\.[0-9]+' | head -n 1)
	[[ $version. == "$2"* ]] || { printf '# skipped: %s %s, where %s decides\n' "$1" "$version" "$2"; return 1; }
}
! decides clang-format 14. || expect 0 '' 'clang-format' clang-format --dry-run -Werror "${user_c[@]}"
expect 1 '' 'no file has more than 800 lines' awk 'FNR == 801 { print FILENAME; n = 1 } END { exit !n }' harness/{analysis,report}/*.[ch] bench/driver/*.[ch]
mapfile -t scripts < <(git ls-files -co --exclude-standard '*.sh' .ci/run)
expect 0 '' 'shellcheck' shellcheck -x "${scripts[@]}"
mapfile -t plain_c < <(git ls-files -co --exclude-standard '*.c' | grep -v '^bench/\(module\|stress\)/')
! decides cppcheck 2.10. || expect 0 '' 'cppcheck' cppcheck --quiet --error-exitcode=1 --inline-suppr --enable=warning,performance,portability \
	--suppress=missingIncludeSystem --suppress=unknownMacro --suppress=varFuncNullUB --std=c11 \
	-Ibench/uapi -Ibench/shim -Iharness/analysis -Iharness/counters -Iharness/report "${plain_c[@]}"
# clang-tidy takes minutes, and cppcheck has looked at the same files.
if [ "$LONG" = yes ] && decides clang-tidy 14.; then
	mapfile -t tidy < <(git ls-files -co --exclude-standard 'bench/driver/*.c' 'harness/**/*.c' | sort)
	tidy() { printf '%s\0' "${tidy[@]}" | xargs -0 -P "$JOBS" -n 4 clang-tidy --quiet -p "$build" --warnings-as-errors='*' --checks="$tidy_checks"; }
	expect 0 '' "clang-tidy of ${#tidy[@]} files" tidy
fi
finish
