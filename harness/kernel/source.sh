#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# source.sh: make a pristine kernel source below the cache and print its folder.
# KERNEL_SRC: empty or 'debian-7.2' (Debian's linux-source of that series), a folder, a git
# tree (folder@commit) or a tarball. What it names is only read. In the folder .sheafbench has what it was made from, and
# .sheafbench-contents a hash of its files: whoever names the same files otherwise gets the same kernels.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$top/harness/host/debian.sh"

KERNEL_SRC=${KERNEL_SRC:-debian-7.2}
alternatives="give KERNEL_SRC=<folder | git tree@commit | linux-*.tar.xz> instead"

# Debian's suites that have newer kernels, the most stable one first.
suites=(trixie-backports forky sid)

# cached SERIES [FIND'S TEST...]: its tarballs that were fetched before.
cached() { find "$CACHE/debian" -name "linux-source-$1.tar.xz" "${@:2}" 2>/dev/null | sort -V; }

# Fetch linux-source-SERIES with apt's own signature check; prints the tarball: the newest that any suite has. What is in the
# cache stands in for a suite that does not answer.
debian_tarball() {
	local series=$1 log=$CACHE/logs/source-apt.log suite found version="" from="" silent="" stored part
	# A cached tarball serves for a day, so that a warm bench asks no server.
	stored=$(cached "$series" -mtime -1 | tail -n 1)
	[ -z "$stored" ] || { printf '%s\n' "$stored"; return; }

	# apt hangs on a full disk, so before it is asked.
	need_space CACHE "$CACHE" 5000
	command -v apt-get >/dev/null || die 1 "no apt-get here to fetch linux-source-$series with; $alternatives"
	for suite in "${suites[@]}"; do
		own_state "$CACHE/apt-$suite" "$suite"
		if ! own_apt "$CACHE/apt-$suite" get update >"$log.$suite" 2>&1; then
			say "  Debian's $suite does not answer: $(grep -m 1 '^E:' "$log.$suite" || tail -n 1 "$log.$suite")"
			silent+=" $suite"
			continue
		fi
		found=$(own_apt "$CACHE/apt-$suite" cache madison "linux-source-$series" | awk -F ' *[|] *' 'NR == 1 { print $2 }')
		if [ -n "$found" ] && { [ -z "$version" ] || dpkg --compare-versions "$found" gt "$version"; }; then
			version=$found from=$suite
		fi
	done
	stored=""
	[ -z "$silent" ] || stored=$(cached "$series" | tail -n 1)
	found=$(basename "$(dirname "$stored")")
	if [ -n "$stored" ] && { [ -z "$version" ] || dpkg --compare-versions "$found" gt "$version"; }; then
		say "  using the cached $found"
		printf '%s\n' "$stored"
		return
	fi
	[ -n "$version" ] || die 1 "Debian has no linux-source-$series${silent:+, as far as its suites answer (not:$silent)}; $alternatives"
	stored=$CACHE/debian/$version/linux-source-$series.tar.xz
	if [ ! -f "$stored" ]; then
		say "  fetching linux-source-$series $version"
		part=$CACHE/debian.part
		rm -rf "$part" "${stored%/*}"
		mkdir -p "$part"
		(
			cd "$part"
			own_apt "$CACHE/apt-$from" get download "linux-source-$series=$version" &&
				dpkg-deb --fsys-tarfile ./*.deb | tar -x --strip-components=3 "./usr/src/linux-source-$series.tar.xz" && rm ./*.deb
		) >"$log" 2>&1 || die 1 "download of linux-source-$series $version failed: $(grep -m 1 '^E:' "$log" || tail -n 1 "$log") (log: $log); $alternatives"
		mv "$part" "${stored%/*}"
	fi
	touch "$stored"
	printf '%s\n' "$stored"
}

# contents_of DIR: a hash of names and bytes, of what is executable and of links.
contents_of() {
	(
		cd "$1"
		find . -type f -perm /100 -printf 'x %P\n' -o -type l -printf 'l %P %l\n'
		# By the line: what several write at once is not to be mixed.
		find . -type f ! -path './.sheafbench*' -print0 | xargs -0 -n 1000 -P "$JOBS" stdbuf -oL sha256sum
	) | LC_ALL=C sort | hash_of
}

# take ID COMMAND...: COMMAND fills the folder that it is given; a half-filled one is never used, and one process at a time fills it.
take() { with_lock "source-$1" fill "$@"; }
fill() {
	local id=$1 dir=$CACHE/source/$1
	shift
	if [ ! -f "$dir/.sheafbench" ]; then
		local start=$SECONDS
		need_space CACHE "$CACHE" 5000
		say "  unpacking the kernel source ($id)"
		rm -rf "$dir" "$dir.part"
		mkdir -p "$dir.part"
		"$@" "$dir.part"
		[ -f "$dir.part/mm/slub.c" ] || die 2 "KERNEL_SRC=$KERNEL_SRC holds no mm/slub.c; $alternatives"
		printf '%s\n' "$id" >"$dir.part/.sheafbench"
		mv "$dir.part" "$dir"
		say "  unpacked: $((SECONDS - start)) s"
	fi
	if [ ! -s "$dir/.sheafbench-contents" ]; then
		contents_of "$dir" >"$dir/.sheafbench-contents.part"
		touch -r "$dir/.sheafbench" "$dir/.sheafbench-contents.part"
		chmod a-w "$dir/.sheafbench-contents.part"
		mv "$dir/.sheafbench-contents.part" "$dir/.sheafbench-contents"
	fi
	# Trees are links to these files, and no build is to write through one.
	if [ -n "$(find "$dir/.sheafbench" -perm /222)" ]; then
		find "$dir" -type f ! -path "$dir/.sheafbench" -perm /222 -exec chmod a-w {} +
		chmod a-w "$dir/.sheafbench"
	fi
	printf '%s\n' "$dir"
}

from_tarball() { tar -x --no-same-owner --strip-components=1 -C "$2" -f "$1" || die 1 "$1 cannot be unpacked (disk full, or not a tarball?)"; }
# A clone without its files ('git clone --filter=blob:none') fetches them in one go: git archive would fetch each by itself.
from_git() {
	local promised
	promised=$({ git -C "$1" config --get-regexp '^remote\..*\.promisor$' true || true; } | sed -n '1s/^remote\.\(.*\)\.promisor .*/\1/p')
	if [ -n "$promised" ]; then
		git -C "$1" rev-list --objects --missing=print --no-walk "$2" | sed -n 's/^?//p' >"$3/.missing"
		[ ! -s "$3/.missing" ] || { say "  fetching $(wc -l <"$3/.missing") files of $2 from $promised" &&
			git -C "$1" -c fetch.negotiationAlgorithm=noop fetch -q "$promised" --no-tags --no-write-fetch-head --recurse-submodules=no --filter=blob:none --stdin <"$3/.missing" >"$CACHE/logs/source-git.log" 2>&1; } ||
			die 1 "KERNEL_SRC=$KERNEL_SRC is a clone without its files, and git cannot fetch them: $(grep -m1 -E '^(fatal|error)' "$CACHE/logs/source-git.log")"
		rm -f "$3/.missing"
	fi
	git -C "$1" archive --format=tar "$2" | tar -x --no-same-owner -C "$3" || die 1 "$2 of $1 cannot be unpacked (disk full, or a clone without its files?)"
}
# git_files FOLDER: the files of a git tree as they are now, without what its .gitignore leaves out: it may have been built in.
git_files() {
	# shellcheck disable=SC2016 # the other shell's
	git -C "$1" ls-files -z -co --exclude-standard | LC_ALL=C sort -zu |
		(cd "$1" && xargs -0 sh -c 'for f; do [ ! -e "$f" ] && [ ! -L "$f" ] || printf "%s\0" "$f"; done' sh)
}
# Where git will not read it, it is a folder like others.
is_git() { [ -e "$1/.git" ] && git -C "$1" rev-parse --git-dir >/dev/null 2>&1; }
from_folder() {
	if is_git "$1"; then
		git_files "$1" | tar -c -C "$1" --no-recursion --null -T -
	else
		# What 'make clean' would leave is taken.
		tar -c -C "$1" --exclude=./.git --exclude='*.o' --exclude='*.ko' --exclude='*.a' --exclude='.*.cmd' \
			--exclude=./.config --exclude=./include/generated --exclude=./include/config \
			--exclude='./arch/*/include/generated' --exclude=./vmlinux --exclude=./linux .
	fi | tar -x --no-same-owner -C "$2" || die 1 "$1 cannot be copied (disk full, or changed meanwhile?)"
}
# What tells one state of a folder from another.
stamps_of() {
	cd "$1"
	if is_git .; then
		git_files . | xargs -0 stat -c '%n %s %.Y %f'
	else
		find . -name .git -prune -o -type f -printf '%p %s %T@\n' | LC_ALL=C sort
	fi
}

mkdir -p "$CACHE/logs" "$CACHE/debian" "$CACHE/source"
case $KERNEL_SRC in
debian-[0-9]*)
	tarball=$(with_lock debian debian_tarball "${KERNEL_SRC#debian-}")
	take "debian-$(basename "$(dirname "$tarball")" | tr '~+' '--')" from_tarball "$tarball"
	;;
*)
	if [ -f "$KERNEL_SRC" ]; then
		take "tar-$(hash_of "$KERNEL_SRC")" from_tarball "$KERNEL_SRC"
	elif [ -f "$KERNEL_SRC/mm/slub.c" ]; then
		id=$(stamps_of "$KERNEL_SRC" | hash_of)
		take "dir-$id" from_folder "$KERNEL_SRC"
	elif [[ $KERNEL_SRC == *@* ]]; then
		commits_of KERNEL_SRC "$alternatives"
		take "git-${commits[1]:0:12}" from_git "${commits[@]}"
	else
		die 2 "KERNEL_SRC=$KERNEL_SRC is neither debian-<series>, a kernel folder, a git tree with @commit nor a tarball"
	fi
	;;
esac
