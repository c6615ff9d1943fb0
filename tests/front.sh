#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The front door refuses what it cannot do, in one line, before anything is built.
set -euo pipefail
. "$(dirname "$0")/check.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

refused() {
	local pattern=$1 output status=0
	shift
	output=$(MAKEFLAGS='' make -C "$top" --no-print-directory OUT="$scratch/out" BUILD="$scratch/build" "$@" 2>&1 </dev/null) || status=$?
	if [ "$status" != 2 ] || ! grep -qE "Error 2$" <<<"$output"; then
		not_ok "make $*: status $status: $output"
	elif [ "$(grep -c '^sheafbench: ' <<<"$output")" != 1 ] || ! grep -qE "^sheafbench: .*$pattern" <<<"$output"; then
		not_ok "make $*: not one line with /$pattern/: $output"
	elif [ -e "$scratch/build/source.path" ] || compgen -G "$scratch/out/*" >/dev/null; then
		not_ok "make $*: the work was begun first"
	else
		ok "make $* is refused"
	fi
}

refused "'LAYOUT' is not known; valid:.*LAYOUTS" bench LAYOUT=3
refused "'qpw' is not known; valid: local-trylock .*qpw-on" bench VARIANTS="local-trylock qpw"
refused "'metall' is not known; valid:.*uml" bench TARGETS=metall
refused 'whole number from 1 to 256' bench LAYOUTS=0
refused 'whole number from 1 to 256' bench LAYOUTS=257
refused 'whole number from 1 to 100' bench BOOTS=x
refused 'whole number from 1 to 100' bench BOOTS=-1
refused 'whole number from 20' bench SAMPLES=1
refused 'auto, none, or names' bench 'EVENTS=a b'
refused 'give VARIANT=' profile
refused 'whole number from 1 to 86400' prove DURATION=0
refused "'qpw' is not known; valid: local-trylock .*qpw-on" prove VARIANTS=qpw
refused 'whole number from 1 to 100' bench RUNS=0
refused 'whole number from 1 to 256' bench MOST=300
refused 'half-width' bench PRECISION=fine
refused 'half-width' bench PRECISION=0.0
refused "'maybe' is not known; valid: yes no" bench TUNE=maybe
refused "'maybe' is not known; valid: yes no" bench DEBUG_INFO=maybe
refused 'whole number from 1 to 256' certify LAYOUTS=0
refused "'LINK' is not known" peers LINK=x
refused 'whole number from 0' bench SEED=4294967296
refused 'whole number from 1' bench JOBS=0
refused 'KERNEL_SRC=.*debian-7.2' bench KERNEL_SRC="$scratch/none"
refused 'no commit' bench KERNEL_SRC="$scratch@HEAD"
refused 'WORKLOADS' bench WORKLOADS='pair/('
refused 'WORKLOADS' bench WORKLOADS='no-such-workload'
refused 'INSTALL' bench INSTALL=maybe
refused 'folder' bench OUT=/proc/sheafbench
refused "no goal|no result" plots RESULT="$scratch"
expect 2 'no goal' 'an unknown goal' "$top/harness/front.sh" dance
expect 0 'make bench' 'make help' make -C "$top" help
finish
