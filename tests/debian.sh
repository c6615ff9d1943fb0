#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# debian.sh: what is fetched with an apt of the project's own: a kernel's source from whichever suites answer. The mirror is a
# stand-in; what of harness/host/debian.sh talks to a real one is tested by those who use it.
set -euo pipefail
. "$(dirname "$0")/check.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export CACHE=$scratch/cache

# A mirror of three suites: $scratch/mirror/SUITE has the version of its linux-source; without that file it does not answer.
mkdir -p "$scratch/bin" "$scratch/mirror" "$scratch/package/usr/src" "$scratch/package/DEBIAN"
cat >"$scratch/bin/apt-get" <<'END'
#!/usr/bin/env bash
set -euo pipefail
mirror=$(dirname "$0")/../mirror
conf= args=()
while [ $# -gt 0 ]; do
	case $1 in
	-c) conf=$2; shift ;;
	-*) ;;
	*) args+=("$1") ;;
	esac
	shift
done
[ -z "$conf" ] || suite=$(awk '{ print $4 }' "${conf%/*}/sources.list")
case ${args[0]} in
indextargets) echo "Debian $(. /etc/os-release && echo "$VERSION_CODENAME") http://mirror.invalid/debian/" ;;
update)
	[ "$(wc -l <"${conf%/*}/sources.list")" = 1 ] || { echo 'E: more than one suite at a time'; exit 100; }
	echo "$suite" >>"$mirror/asked"
	[ -f "$mirror/$suite" ] || { echo "E: The repository of $suite is expired"; exit 100; }
	;;
madison) [ ! -s "$mirror/$suite" ] || echo "${args[1]} | $(cat "$mirror/$suite") | $suite" ;;
download)
	[ "${args[1]#*=}" = "$(cat "$mirror/$suite")" ] || { echo "E: $suite has no ${args[1]}"; exit 100; }
	cp "$mirror/package.deb" .
	;;
esac
END
chmod +x "$scratch/bin/apt-get"
ln -s apt-get "$scratch/bin/apt-cache"
mkdir -p "$scratch/linux/mm"
touch "$scratch/linux/mm/slub.c"
tar -cJf "$scratch/package/usr/src/linux-source-7.2.tar.xz" -C "$scratch" linux
printf 'Package: linux-source-7.2\nVersion: 1\nArchitecture: all\nMaintainer: a test\nDescription: a test\n' >"$scratch/package/DEBIAN/control"
dpkg-deb --build "$scratch/package" "$scratch/mirror/package.deb" >/dev/null

# mirror BACKPORTS FORKY SID: their versions; '-' does not answer, '' has no such source. Nothing was fetched today.
mirror() {
	local suite
	rm -f "$scratch/mirror/asked"
	for suite in trixie-backports forky sid; do
		rm -f "$scratch/mirror/$suite"
		[ "$1" = - ] || printf '%s' "$1" >"$scratch/mirror/$suite"
		shift
	done
	[ ! -d "$CACHE/debian" ] || find "$CACHE/debian" -type f -exec touch -d '2 days ago' {} +
}
source_of() { PATH=$scratch/bin:$PATH KERNEL_SRC=debian-7.2 "$top/harness/kernel/source.sh"; }

mirror 7.2.9-1~bpo13+1 7.2.10-1 7.2.9-3
expect 0 'source/debian-7.2.10-1$' 'the newest version of three suites' source_of
holds 'each of which was asked' test "$(paste -sd ' ' "$scratch/mirror/asked")" = 'trixie-backports forky sid'
expect 0 'source/debian-7.2.10-1$' 'it serves for a day' source_of
holds 'and no suite is asked for it' test "$(wc -l <"$scratch/mirror/asked")" = 3
rm -rf "$CACHE"
mirror - 7.2.10-1 7.2.11-1
expect 0 "^  Debian's trixie-backports does not answer: E: The repository of trixie-backports is expired$" 'a suite that does not answer is told' source_of
holds 'and the newest of the others taken' test -d "$CACHE/source/debian-7.2.11-1"
for silent in 1 2 3; do
	rm -rf "$CACHE"
	set -- 7.2.10-1 7.2.10-1 7.2.10-1
	mirror "${@:1:silent-1}" - "${@:silent+1}"
	expect 0 'source/debian-7.2.10-1$' "without the answer of suite $silent" source_of
done
rm -rf "$CACHE"
mirror - - 7.2.10-1
expect 0 'source/debian-7.2.10-1$' 'one answer is enough' source_of
mirror - 7.2.9-1 ''
expect 0 'using the cached 7.2.10-1$' 'what was fetched before is newer than what is left' source_of
mirror 7.2.9-1 7.2.9-1 7.2.9-1
expect 0 'source/debian-7.2.9-1$' 'but all that answer decide' source_of
mirror - - -
expect 0 'using the cached 7.2.10-1$' 'none answers: what was fetched before' source_of
rm -rf "$CACHE"
expect 1 'has no linux-source-7.2, as far as its suites answer \(not: trixie-backports forky sid\); give KERNEL_SRC=' 'none answers, and nothing was fetched' source_of
mirror '' '' ''
expect 1 'Debian has no linux-source-7.2; give KERNEL_SRC=' 'no suite has it' source_of
mirror 7.2.10-1 '' ''
cp "$scratch/mirror/package.deb" "$scratch/whole.deb"
head -c 300 "$scratch/whole.deb" >"$scratch/mirror/package.deb"
expect 1 'download of linux-source-7.2 7.2.10-1 failed: .*; give KERNEL_SRC=' 'a package that is cut' source_of
holds 'and nothing stands under its name' test ! -e "$CACHE/debian/7.2.10-1"
mv "$scratch/whole.deb" "$scratch/mirror/package.deb"
expect 0 'source/debian-7.2.10-1$' 'the next time it is whole' source_of

# Two at once, with a tar that takes a while: one fills the folder, and the other one finds it filled.
printf '#!/bin/sh\nsleep 0.5\nexec %s "$@"\n' "$(command -v tar)" >"$scratch/bin/tar"
chmod +x "$scratch/bin/tar"
rm -rf "$CACHE/source"
source_of >"$scratch/first" 2>&1 &
first=$!
sleep 0.2
expect 0 'source/debian-7.2.10-1$' 'a second one at the same time' source_of
holds 'does not disturb the first' wait "$first"
holds 'and one of them unpacked' test "$(grep -c 'unpacking' "$scratch/first")" = 1 -a -f "$CACHE/source/debian-7.2.10-1/mm/slub.c"
rm "$scratch/bin/tar"

# The machine's hooks are for the machine's own packages; its other settings hold for the project's apt too.
PATH=$scratch/bin:$PATH
. "$top/harness/host/debian.sh"
own_state "$scratch/state" sid
PATH=${PATH#*:}
mkdir "$scratch/flat"
printf 'Package: a-test\nVersion: 1\nArchitecture: all\nFilename: ./none.deb\nSize: 0\n' >"$scratch/flat/Packages"
printf 'deb [trusted=yes] file:%s ./\n' "$scratch/flat" >"$scratch/state/sources.list"
hooks=$(for hook in APT::Update::{Pre-Invoke,Post-Invoke,Post-Invoke-Success} DPkg::{Pre-Invoke,Post-Invoke,Pre-Install-Pkgs}; do
	printf '%s { "touch %s"; };\n' "$hook" "$scratch/hook.${hook//:/.}"
done)
printf '%s\nAcquire::Check-Valid-Until "false";\nDir::Etc::parts "/dev/null";\n' "$hooks" >"$scratch/machine.conf"
export APT_CONFIG=$scratch/machine.conf
expect 0 '' 'an update of the own apt' own_apt "$scratch/state" get update
holds 'runs none of the hooks' test -z "$(find "$scratch" -name 'hook.*')"
holds "and keeps the machine's other settings" test "$(apt-config -c "$scratch/state/apt.conf" dump Acquire::Check-Valid-Until)" = 'Acquire::Check-Valid-Until "false";'
# That the check can fail.
rm -r "$scratch/state/lists"
sed -i '/^#clear/d' "$scratch/state/apt.conf"
own_apt "$scratch/state" get update >/dev/null 2>&1
holds 'which run where they are not cleared' test "$(find "$scratch" -name 'hook.*' | wc -l)" = 3
finish
