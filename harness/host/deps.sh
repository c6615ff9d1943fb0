#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# deps.sh [ask] GROUP...: see that the Debian packages of these groups are there; install what is missing.
# INSTALL=no only names what is missing. With ask, nothing is installed: a terminal is asked whether that may be done, by name.
# The groups are listed in deps.list.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

list=$top/harness/host/deps.list
want=()
ask=
[ "${1-}" != ask ] || { ask=yes && shift; }
for group in "$@"; do
	mapfile -t -O "${#want[@]}" want < <(awk -v g="$group" '$1 == g { for (i = 2; i <= NF; i++) print $i }' "$list")
done
[ ${#want[@]} -gt 0 ] || die 2 "no package group named '$*'; known: $(awk '/^[a-z]/ { print $1 }' "$list" | sort -u | tr '\n' ' ')"

command -v dpkg-query >/dev/null || die 1 "this is not a Debian system; install by hand what harness/host/deps.list names"
missing=$(comm -23 <(printf '%s\n' "${want[@]}" | sort -u) \
	<(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' | sed -n 's/^ii //p' | sort -u))
[ -n "$missing" ] || exit 0
missing=$(tr '\n' ' ' <<<"$missing")

if [ "$(id -u)" = 0 ]; then
	root=()
elif sudo -n true 2>/dev/null; then
	root=(sudo -n)
else
	root=(false)
fi
line="apt-get install --no-install-recommends ${missing% }"
[ "${INSTALL:-yes}" != no ] || die 1 "missing packages: run '$line'"
[ "${root[*]:-}" != false ] || die 1 "missing packages, and neither root nor sudo without a password: run '$line'"
if [ -n "$ask" ]; then
	{ [ -t 0 ] && [ -t 2 ]; } || exit 0
	say "Debian packages that are missing: ${missing% }"
	read -r -p "Install them as root with apt-get? [Y/n] " answer || answer=n
	[[ ${answer,,} =~ ^(y|yes|)$ ]] || die 1 "not installed; '$line' does it, and so does INSTALL=yes"
	exit 0
fi

say "installing: ${missing% }"
env_c=(env DEBIAN_FRONTEND=noninteractive LC_ALL=C)
logged "$CACHE/logs/apt-update.log" "apt-get update" "${root[@]}" "${env_c[@]}" apt-get -q update
# shellcheck disable=SC2086 # a list of package names
logged "$CACHE/logs/apt-install.log" "apt-get install" "${root[@]}" "${env_c[@]}" \
	apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends $missing
