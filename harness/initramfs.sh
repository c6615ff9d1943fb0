#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# initramfs.sh OUT.cpio MODULE.ko BIN_DIR: what a measuring guest carries in: init, driver and module
# test from BIN_DIR (the build of bench/), the shared libraries that they need, and the module.
# The same input gives the same bytes; OUT.cpio is there whole or not at all.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ $# = 3 ] || die 2 "usage: initramfs.sh OUT.cpio MODULE.ko BIN_DIR"
out=$1 module=$2 bin=$3
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

# Libraries go where the loader of this machine looks for them, the loader included.
libraries=$(ldd "$bin/sheafbench-driver") || die 1 "ldd cannot read $bin/sheafbench-driver"
if grep 'not found' <<<"$libraries" >&2; then
	die 1 "the driver lacks shared libraries (above); harness/deps.sh bench installs them"
fi
grep -o '/[^ ]*' <<<"$libraries" | while read -r library; do
	mkdir -p "$root$(dirname "$library")"
	cp -L "$library" "$root$library"
done

find "$root" -type d -exec chmod 755 {} +
find "$root" -type f -exec chmod 755 {} +
find "$root" -exec touch -h -d @0 {} +
(cd "$root" && find . -print0 | LC_ALL=C sort -z | cpio -0 -o -H newc -R 0:0 --reproducible --quiet) >"$out.part"
mv "$out.part" "$out"
