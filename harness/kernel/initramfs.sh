#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# initramfs.sh OUT.cpio MODULE.ko BIN_DIR [PERF]: the initramfs of a measuring guest: init, driver and module test from
# BIN_DIR (the build of bench/), the shared libraries that they need, the module, and perf. The same input gives the same
# bytes. OUT.cpio is written as a whole or not at all.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

[ $# = 3 ] || [ $# = 4 ] || die 2 "usage: initramfs.sh OUT.cpio MODULE.ko BIN_DIR [PERF]"
out=$1 module=$2 bin=$3 perf=${4-}
for file in "$module" "$bin/sheafbench-init" "$bin/sheafbench-driver" "$bin/sheafbench-module-test"; do
	[ -f "$file" ] || die 2 "initramfs.sh: no $file; build bench/ and the module first"
done

root=$(mktemp -d)
trap 'rm -rf "$root" "$out.part"' EXIT
trap 'exit 130' INT TERM
mkdir -p "$root"/{dev,proc,sys,tmp,out} "$(dirname "$out")"
cp "$bin/sheafbench-init" "$root/init"
cp "$bin/sheafbench-driver" "$root/driver"
cp "$bin/sheafbench-module-test" "$root/module-test"
cp "$module" "$root/sheafbench.ko"
[ -z "$perf" ] || cp -L "$perf" "$root/perf"
mkdir "$root/events"
cp "$top/harness/counters/events/"*.events "$root/events"

# The libraries that programs for another architecture name, those that these name in turn, and the loader.
foreign_libraries() {
	local name dir seen=" " todo=("$@")
	while [ ${#todo[@]} -gt 0 ]; do
		while read -r name; do
			[[ $seen != *" $name "* ]] || continue
			seen+="$name "
			while read -r dir; do
				[ ! -f "$dir/$name" ] || { todo+=("$dir/$name"); printf '%s\n' "$dir/$name"; continue 2; }
			done <"$bin/library.path"
			printf '%s: not found\n' "$name"
		done < <(readelf -ld "${todo[0]}" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p; s/.*interpreter: .*\/\(.*\)\].*/\1/p')
		todo=("${todo[@]:1}")
	done
}

# Libraries go where the loader looks for them, the loader included.
if [ -f "$bin/library.path" ]; then
	libraries=$(foreign_libraries "$bin/sheafbench-driver" ${perf:+"$perf"})
else
	libraries=$(ldd "$bin/sheafbench-driver" ${perf:+"$perf"} | grep -v ':$') || die 1 "ldd cannot read $bin/sheafbench-driver"
fi
if grep 'not found' <<<"$libraries" >&2; then
	die 1 "shared libraries are missing (above); harness/host/deps.sh bench installs those of the driver"
fi
grep -o '/[^ ]*' <<<"$libraries" | while read -r library; do
	place=$library
	[ ! -f "$bin/library.path" ] || place=/lib/${library##*/}
	mkdir -p "$root$(dirname "$place")"
	cp -L "$library" "$root$place"
done

find "$root" -type d -exec chmod 755 {} +
find "$root" -type f -exec chmod 755 {} +
find "$root" -exec touch -h -d @0 {} +
(cd "$root" && find . -print0 | LC_ALL=C sort -z | cpio -0 -o -H newc -R 0:0 --reproducible --quiet) >"$out.part"
mv "$out.part" "$out"
