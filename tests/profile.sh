#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# profile.sh BUILD: 'make profile' finds the allocator's functions and their lines, and says in one line what is missing.
set -euo pipefail
. "$(dirname "$0")/check.sh"
build=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
args=(-C "$top" --no-print-directory "BUILD=$build")

profile() { MAKEFLAGS='' make "${args[@]}" profile "$@"; }
expect 2 '^sheafbench: give VARIANT=<name>: .*local-trylock' 'no variant' profile
expect 2 "'nonsense' is not known" 'an unknown variant' profile VARIANT=nonsense
expect 2 'give one to profile' 'two targets' profile VARIANT=qpw-on TARGETS='uml arm64'

# uml is a process of this machine; arm64 has a PMU in the guest.
for target in uml arm64; do
	samples=20000 event='[a-z-]+'
	[ "$target" = uml ] || samples=300 event=cycles
	status=0
	profile VARIANT=qpw-on TARGETS=$target WORKLOADS='^pair/64/1$' SAMPLES=$samples >"$scratch/text" 2>"$scratch/log" </dev/null || status=$?
	holds "$target: a profile is made (status $status: $(tail -n 1 "$scratch/log"))" test "$status" = 0
	expect 0 "^$event of qpw-on on $target " "$target: of the event that there is" head -n 1 "$scratch/text"
	for f in kfree __kmalloc_cache_noprof _raw_spin_trylock; do
		holds "$target: $f is hot" grep -qE "^ +[0-9.]+%  $f\$" "$scratch/text"
		lines=$(awk -v f="$f," '$1 == f { on = 1; next } !NF { on = 0 } on' "$scratch/text" | grep -cE '^ +[0-9.]+ % +[0-9a-f]+: [a-z]' || true)
		holds "$target: $f has hot lines ($lines)" test "$lines" -ge 2
	done
done

# A machine without perf.
mkdir "$scratch/bin"
printf '#!/bin/sh\nexit 2\n' >"$scratch/bin/perf"
chmod +x "$scratch/bin/perf"
PATH=$scratch/bin:$PATH expect 2 '^sheafbench: perf does not run here' 'perf is missing' profile VARIANT=qpw-on
finish
