#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# hosts.sh SUITE [COMMAND...]: both commands of the README, or COMMAND, in a clone of this checkout on a fresh Debian of that
# suite (trixie, bookworm, sid) that has git and make; for root, and no part of 'make check'. It begins with an empty cache, unless
# CACHE names the one to use. KEEP=yes leaves the system in its folder. What is there is committed; else it is not tested.
set -euo pipefail
given=${CACHE-}
. "$(dirname "$0")/../harness/lib.sh"
. "$top/harness/host/debian.sh"

[ $# -ge 1 ] || die 2 "usage: hosts.sh SUITE [COMMAND...]"
[ "$(id -u)" = 0 ] || die 1 "a chroot and its mounts take root: sudo tests/hosts.sh $*"
suite=$1
shift
"$top/harness/host/deps.sh" hosts
[ -z "$(git -C "$top" status --porcelain)" ] || say "  what is not committed is not in the clone"
tarball=$CACHE/hosts/$suite.tar
folder=${TMPDIR:-$CACHE/hosts}
mkdir -p "$CACHE/hosts"
need_space TMPDIR "$folder" $(($# ? 3000 : 20000))

# The mirror may be a snapshot whose dates have passed, which the machine's settings for apt allow for.
make_system() {
	local home options=() file
	[ -z "$(find "$tarball" -mtime -1 2>/dev/null)" ] || return 0
	home=$(debian_home) || die 1 "no Debian mirror in the machine's apt configuration (has apt-get update run?)"
	for file in /etc/apt/apt.conf.d/99*; do
		[ ! -f "$file" ] || options+=(--aptopt="$file")
	done
	logged "$CACHE/logs/hosts-$suite.log" "a fresh $suite" unshare --mount mmdebstrap --mode=root --variant=minbase --include=git,make \
		"${options[@]}" --format=tar "$suite" "$tarball.part" \
		"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${home#* } $suite main"
	mv "$tarball.part" "$tarball"
}
with_lock "hosts-$suite" make_system

root=$(mktemp -d "$folder/$suite.XXXXXX")
child=""
# The first process of a namespace takes all others with it, and its mounts.
leave() {
	[ -z "$child" ] || { pkill -KILL -P "$child" || true; wait "$child" || true; }
	[ "${KEEP-}" = yes ] || rm -rf --one-file-system "$root"
}
trap leave EXIT
trap 'exit 130' INT TERM HUP
tar -x --numeric-owner -C "$root" -f "$tarball"
cp -L /etc/resolv.conf /etc/hosts "$root/etc"
git clone -q "$top" "$root/root/sheafbench"
[ -z "$given" ] || mkdir -p "$root/root/.cache/sheafbench"
[ "${KEEP-}" != yes ] || say "  kept: $root"

# within COMMAND...: runs it there, with its terminal; the mounts and processes are in namespaces of their own.
within() {
	local status=0 start=$SECONDS
	say "hosts.sh: $suite: $*"
	# shellcheck disable=SC2016 # the other shell's
	unshare --mount --pid --fork --kill-child bash -euc '
		root=$0 cache=$1
		shift
		mount -t proc proc "$root/proc"
		mount --rbind /sys "$root/sys"
		mount --rbind /dev "$root/dev"
		mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
		[ -z "$cache" ] || mount --bind "$cache" "$root/root/.cache/sheafbench"
		status=0
		env -i HOME=/root TERM="${TERM-dumb}" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			chroot "$root" sh -c "cd /root/sheafbench && exec \"\$@\"" sh "$@" || status=$?
		exit $status' "$root" "$given" "$@" <&0 &
	child=$!
	wait "$child" || status=$?
	child=""
	say "hosts.sh: $suite: $*: status $status after $((SECONDS - start)) s"
	return "$status"
}

if [ $# -gt 0 ]; then
	within "$@"
else
	status=0
	# shellcheck disable=SC2016 # a regular expression
	within make bench VARIANTS=qpw-on LAYOUTS=2 WORKLOADS='^pair/64/1$' || status=$?
	within make check || status=$?
	exit "$status"
fi
