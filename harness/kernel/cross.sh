#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# cross.sh BUILD: the guest's programs for arm64 in BUILD. What Debian has no cross package of comes
# from the machine's own suite, unpacked below the cache as a sysroot; nothing is installed.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$top/harness/host/debian.sh"
. "$top/harness/targets/arm64.sh"

[ $# = 1 ] || die 2 "usage: cross.sh BUILD"
build=$1
packages=(libbenchmark-dev libbenchmark1debian libpfm4-dev libpfm4)
# perf and what it is linked with.
packages+=(linux-perf libbabeltrace1 libbz2-1.0 libcap2 libcrypt1 libdw1 libelf1 libexpat1 libglib2.0-0 liblzma5 libnuma1 libopencsd1
	libpcre2-8-0 libperl5.36 libpython3.11 libslang2 libunwind8 libuuid1 libzstd1 zlib1g)
sysroot=$CACHE/sysroot-arm64-$(. /etc/os-release && printf '%s %s' "$VERSION_CODENAME" "${packages[*]}" | hash_of)

fetch_sysroot() {
	local state=$CACHE/apt-arm64 log=$CACHE/logs/arm64-apt.log uri deb
	[ ! -f "$sysroot/complete" ] || return 0
	mkdir -p "$CACHE/logs" "$state"
	need_space CACHE "$CACHE" 500
	uri=$(debian_mirror) || die 1 "no Debian mirror in the machine's apt configuration (has apt-get update run?)"
	printf 'deb [arch=arm64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$uri" \
		"$(. /etc/os-release && echo "$VERSION_CODENAME")" >"$state/sources.list"
	rm -rf "$sysroot" "$sysroot.part"
	mkdir -p "$sysroot.part"
	(
		cd "$sysroot.part"
		own_apt "$state" -o APT::Architecture=arm64 -o APT::Architectures=arm64 update &&
			own_apt "$state" -o APT::Architecture=arm64 -o APT::Architectures=arm64 download "${packages[@]}"
	) >"$log" 2>&1 || die 1 "the Debian mirror does not give ${packages[*]} for arm64: $(grep -m1 '^E:' "$log"); the whole log is $log"
	for deb in "$sysroot.part"/*.deb; do
		dpkg-deb --extract "$deb" "$sysroot.part"
		rm "$deb"
	done
	touch "$sysroot.part/complete"
	mv "$sysroot.part" "$sysroot"
	say "  libraries for arm64: fetched"
}

build_programs() {
	mkdir -p "$build"
	cmake -S "$top" -B "$build" -G Ninja -DBUILD_TESTING=OFF -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
		-DCMAKE_C_COMPILER="${target_cross}gcc" -DCMAKE_CXX_COMPILER="${target_cross}g++" -DCMAKE_FIND_ROOT_PATH="$sysroot" \
		-DCMAKE_FIND_ROOT_PATH_MODE_PROGRAM=NEVER -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY \
		-DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY -DCMAKE_FIND_ROOT_PATH_MODE_PACKAGE=ONLY >"$build/configure.log" 2>&1 || {
		tail -n 15 "$build/configure.log" >&2
		die 1 "cmake cannot configure for arm64; the whole log is $build/configure.log"
	}
	logged "$build/tools.log" "programs for arm64" cmake --build "$build" -j "$JOBS" \
		--target sheafbench-driver sheafbench-init sheafbench-module-test
	# Where initramfs.sh finds perf, and the libraries that the programs need.
	ln -sfn "$sysroot/usr/bin/perf" "$build/perf"
	printf '%s\n' "$sysroot"/{usr/,}lib/aarch64-linux-gnu /usr/aarch64-linux-gnu/lib >"$build/library.path"
}

with_lock sysroot-arm64 fetch_sysroot
with_lock "programs-$(hash_of <<<"$build")" build_programs
