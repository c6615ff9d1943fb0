#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# full_disk.sh BUILD: a small bench whose disk is full after more and more of its writes. It says so in a line, and the same
# command goes on from there without loss. The disk is a tmpfs in a mount namespace of this test's own.
set -euo pipefail
. "$(dirname "$0")/check.sh"
build=$1
if [ "${FULL_DISK-}" != mounted ]; then
	# Where / is no mount point of its own, as in a chroot, its propagation stays what it is.
	namespaces=(--mount)
	unshare --mount true 2>/dev/null || unshare --mount --map-root-user true 2>/dev/null || namespaces+=(--propagation unchanged)
	[ "$(id -u)" = 0 ] || namespaces+=(--map-root-user)
	FULL_DISK=mounted exec unshare "${namespaces[@]}" "$0" "$@"
fi
scratch=$(mktemp -d)
trap 'umount "$scratch/disk" 2>/dev/null || true; rm -rf "$scratch"' EXIT
mkdir "$scratch/disk"
mount -t tmpfs -o size=320m sheafbench "$scratch/disk"
out=$scratch/disk/results
# Without the gate: which values there are would depend on neighbours.
export VARIANT_PATH=$scratch
cp -r "$top/kernel-patches/variants" "$scratch"
ln -s "$top/kernel-patches/patches" "$scratch"
for f in "$scratch"/variants/*.variant; do printf 'args = --no-gate\n' >>"$f"; done

bench() {
	MAKEFLAGS='' make -C "$top" --no-print-directory "BUILD=$build" "OUT=$out" LAYOUTS=1 BOOTS=1 SAMPLES=20 VARIANTS=none TARGETS=uml \
		'WORKLOADS=^pair/64/1$' bench >"$1" 2>&1 </dev/null
}
used() { du -sk "$scratch/disk" | cut -f 1; }
# What a result says but for times.
says() { jq -S '[.variants[] | {name, layouts, boots, failed, missing}]' "$1/summary.json" && cut -f 1-5 "$1/boots.tsv" && (cd "$1" && find . -type f | sort); }

# The most that it takes on the way, before it removes what only the boots need.
bench "$scratch/whole" &
child=$!
peak=0
while kill -0 "$child" 2>/dev/null; do
	now=$(used)
	[ "$now" -lt "$peak" ] || peak=$now
	sleep 0.05
done
status=0
wait "$child" || status=$?
holds "a bench with room for it ($peak KiB)" test "$status" = 0
says "$out/latest" >"$scratch/wanted"
room=$(used)
rm -rf "$out"

# None at all, then ever more of what the results take after the largest files are there.
parts=(0 $((peak - room / 2)))
[ "$LONG" = no ] || parts+=($((peak / 2)) $((peak - room)) $((peak - room * 7 / 8)) $((peak - room * 3 / 4)) $((peak - room * 3 / 8)) $((peak - room / 4)) $((peak - room / 8)))
for full in "${parts[@]}"; do
	bench "$scratch/first" &
	child=$!
	while [ ! -e "$(compgen -G "$out/*.part" | head -n 1)" ] && kill -0 "$child" 2>/dev/null; do sleep 0.02; done
	# All but so much more of the disk is taken by somebody else.
	fallocate -l "$((320 * 1024 - $(used) - full))K" "$scratch/disk/other" 2>/dev/null || fallocate -l "$(df -Pk "$scratch/disk" | awk 'NR == 2 { print $4 }')K" "$scratch/disk/other"
	status=0
	wait "$child" || status=$?
	if [ "$status" = 0 ]; then
		ok "with $full KiB it was enough"
	else
		holds "with $full KiB: a line says what to do" test "$(grep -c '^sheafbench: .*free some' "$scratch/first")" = 1
	fi
	rm "$scratch/disk/other"
	holds "with $full KiB: the same command goes on" bench "$scratch/second"
	expect 0 '' "with $full KiB: and nothing is lost" diff "$scratch/wanted" <(says "$out/latest")
	[ "$failures" = 0 ] || { tail -n 8 "$scratch/first" "$scratch/second"; break; }
	rm -rf "$out"
done
finish
