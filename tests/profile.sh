#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# profile.sh BUILD: make profile finds the allocator's functions and their lines, and says in one line what it lacks.
set -euo pipefail
. "$(dirname "$0")/check.sh"
build=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
args=(-C "$top" --no-print-directory "BUILD=$build")

profile() { MAKEFLAGS='' make "${args[@]}" profile "$@"; }
expect 2 '^sheafbench: give VARIANT=<name>: .*local-trylock' 'no variant' profile
expect 2 "'nonsense' is not known" 'an unknown variant' profile VARIANT=nonsense
expect 2 'on uml only' 'another target' profile VARIANT=qpw-on TARGETS=arm64

status=0
profile VARIANT=qpw-on WORKLOADS='^pair/64/1$' SAMPLES=20000 >"$scratch/text" 2>"$scratch/log" </dev/null || status=$?
holds "a profile is made (status $status: $(tail -n 1 "$scratch/log"))" test "$status" = 0
for f in kfree __kmalloc_cache_noprof _raw_spin_trylock; do
	holds "$f is hot" grep -qE "^ +[0-9.]+%  $f\$" "$scratch/text"
	lines=$(awk -v f="$f," '$1 == f { on = 1; next } !NF { on = 0 } on' "$scratch/text" | grep -cE '^ +[0-9.]+ % +[0-9a-f]+: [a-z]' || true)
	holds "$f has hot lines ($lines)" test "$lines" -ge 2
done

# A machine without perf.
mkdir "$scratch/bin"
printf '#!/bin/sh\nexit 2\n' >"$scratch/bin/perf"
chmod +x "$scratch/bin/perf"
PATH=$scratch/bin:$PATH expect 2 '^sheafbench: perf does not run here' 'perf is missing' profile VARIANT=qpw-on
finish
