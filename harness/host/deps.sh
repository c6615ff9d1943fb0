#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# deps.sh [ask] GROUP...: see that the machine has what these groups need; on Debian, install what is missing.
# INSTALL=no only names what is missing. With ask, nothing is installed: a terminal is asked whether that may be done, by name,
# and what is missing is printed.
# The groups are listed in deps.list. The machine is asked, not its packages: what somebody built himself is there too.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

list=$top/harness/host/deps.list
ask=
[ "${1-}" != ask ] || { ask=yes && shift; }
mapfile -t needed < <(awk -F '\t' -v groups=" $* " '!/^#/ && index(groups, " " $1 " ")' "$list")
[ ${#needed[@]} -gt 0 ] || die 2 "no package group named '$*'; known: $(awk '/^[a-z]/ { print $1 }' "$list" | sort -u | tr '\n' ' ')"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The column of deps.list, by the program that installs packages here, and what is typed to do so.
IFS=$'\t' read -ra installers < <(sed -n 's/^#group\tasked\t//p' "$list")
column=1 installer=
for ((i = 0; i < ${#installers[@]}; i++)); do
	! command -v "${installers[i]%% *}" >/dev/null || { column=$((i + 2)) installer=${installers[i]} && break; }
done

# links OPTION...: whether the compiler links a program with these.
links() { printf 'int main(void)\n{\n\treturn 0;\n}\n' | gcc -x c - -o "$scratch/linked" "$@"; }

# has ASKED: whether the machine has it.
has() {
	local what=${1#*:} options
	case $1 in
	pkg:*) pkg-config --exists "$what" ;;
	link:*) IFS=: read -ra options <<<"$what" && links "${options[@]}" ;;
	perl:*) perl "-M$what" -e 1 ;;
	git:*) test -x "$(git --exec-path)/git-$what" ;;
	font:*) test -n "$(find -L /usr/share/fonts /usr/local/share/fonts -name "$what" -print -quit)" ;;
	file:*) test -e "$what" ;;
	*) command -v "$1" ;;
	esac >/dev/null 2>&1
}

# What is missing: packages, or what was asked for where no program to install them is known.
missing() {
	local row fields
	for row in "${needed[@]}"; do
		IFS=$'\t' read -ra fields <<<"$row"
		has "${fields[1]}" || printf '%s\n' "${fields[column]}"
	done | sort -u | paste -sd ' '
}

missing=$(missing)
[ -n "$missing" ] || exit 0
[ -n "$installer" ] || die 1 "missing, and no apt-get, dnf, zypper or pacman here to install it: $missing"
line="$installer $missing"

if [ "$(id -u)" = 0 ]; then
	root=()
elif sudo -n true 2>/dev/null; then
	root=(sudo -n)
else
	root=(false)
fi
[ "${INSTALL:-yes}" != no ] || die 1 "missing packages: run '$line'"
[[ $installer == apt-get* ]] || die 1 "missing packages, which are installed for you on Debian only: run '$line'"
[ "${root[*]:-}" != false ] || die 1 "missing packages, and neither root nor sudo without a password: run '$line'"
if [ -n "$ask" ]; then
	printf '%s\n' "$missing"
	{ [ -t 0 ] && [ -t 2 ]; } || exit 0
	say "Debian packages that are missing: $missing"
	read -r -p "Install them as root with apt-get? [Y/n] " answer || answer=n
	[[ ${answer,,} =~ ^(y|yes|)$ ]] || die 1 "not installed; '$line' does it, and so does INSTALL=yes"
	exit 0
fi

say "installing: $missing"
env_c=(env DEBIAN_FRONTEND=noninteractive LC_ALL=C)
logged "$CACHE/logs/apt-update.log" "apt-get update" "${root[@]}" "${env_c[@]}" apt-get -q update
# shellcheck disable=SC2086 # a list of package names
logged "$CACHE/logs/apt-install.log" "apt-get install" "${root[@]}" "${env_c[@]}" \
	apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends $missing
missing=$(missing)
[ -z "$missing" ] || die 1 "installed, and still missing here: $missing; harness/host/deps.list says how each is looked for"
