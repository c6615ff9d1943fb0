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
# perf, and what the driver is linked with; of what they depend on the libraries, but for those of the cross compiler.
packages=(libbenchmark-dev libpfm4-dev linux-perf)
libraries='^(linux-perf|zlib|lib(?!c6|gcc|stdc))'
home=$(debian_home) || die 1 "no Debian mirror in the machine's apt configuration (has apt-get update run?)"
suite=${home% *}
sysroot=$CACHE/sysroot-arm64-$(hash_of <<<"$suite ${packages[*]} $libraries")

fetch_sysroot() {
	local state=$CACHE/apt-arm64 log=$CACHE/logs/arm64-apt.log
	[ ! -d "$sysroot" ] || return 0
	mkdir -p "$CACHE/logs"
	need_space CACHE "$CACHE" 500
	own_state "$state" "$suite" arm64
	own_unpack "$state" "$sysroot" "$libraries" "${packages[@]}" >"$log" 2>&1 ||
		die 1 "the Debian mirror does not give ${packages[*]} for arm64: $(grep -m 1 '^E:' "$log" || tail -n 1 "$log"); the whole log is $log"
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
