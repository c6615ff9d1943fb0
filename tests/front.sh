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
refused 'a machine as ssh knows it' bench TARGETS=metal HOST=-oProxyCommand=x
refused 'a machine as ssh knows it' bench TARGETS=metal 'HOST=root@box;reboot'
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
refused 'so many ticks' bench PRECISION=fine
refused 'so many ticks' bench PRECISION=0.0
refused 'so many ticks' bench EQUAL=-1
refused 'whole number from 1 to 1440' bench MINUTES=0
refused 'give one of them' bench MINUTES=10 PRECISION=0.5
refused "'maybe' is not known; valid: yes no" bench TUNE=maybe
refused "'maybe' is not known; valid: yes no" bench DEBUG_INFO=maybe
refused 'whole number from 1 to 256' certify LAYOUTS=0
refused "'LINK' is not known" peers LINK=x
refused 'whole number from 0' bench SEED=4294967296
refused 'whole number from 1' bench JOBS=0
refused 'KERNEL_SRC=.*debian-7.2' bench KERNEL_SRC="$scratch/none"
refused 'no commit' bench KERNEL_SRC="$scratch@HEAD"
# 'make check' has a KERNEL_SRC.
kernel_src=${KERNEL_SRC-}
unset KERNEL_SRC
refused 'KERNELS=debian-7.3: give two kernels or more' bench KERNELS=debian-7.3
refused "KERNELS=$scratch/none: give debian" bench KERNELS="debian-7.2 $scratch/none"
refused 'KERNELS=.*no commit' bench KERNELS="debian-7.2 $scratch@HEAD"
refused 'give one of them; the baseline has the first of KERNELS' bench KERNELS='debian-7.3 debian-7.2' KERNEL_SRC=debian-7.2
mkdir -p "$scratch"/{one,two}/{linux,qpw-on,debate}/mm
for path in "$scratch"/{one,two}/{linux,qpw-on,debate}; do touch "$path/mm/slub.c"; done
refused "KERNELS: $scratch/one/qpw-on would be the variant qpw-on, which .*qpw-on.variant is: give it another path" bench KERNELS="debian-7.2 $scratch/one/qpw-on"
refused "KERNELS: $scratch/one/debate would be debate, which VARIANTS takes for a set" bench KERNELS="debian-7.2 $scratch/one/debate"
refused "'linux-3' is not known; valid: .*linux linux-2 .*qpw-on" bench KERNELS="debian-7.2 $scratch/one/linux $scratch/two/linux" VARIANTS=linux-3
[ -z "$kernel_src" ] || export KERNEL_SRC=$kernel_src
refused 'WORKLOADS' bench WORKLOADS='pair/('
refused 'WORKLOADS' bench WORKLOADS='no-such-workload'
refused 'INSTALL' bench INSTALL=maybe
refused 'folder' bench OUT=/proc/sheafbench
refused "no goal|no result" plots RESULT="$scratch"
# A value is refused whatever the goal, in the environment as on the command line.
for goal in bench certify peers variant prove doctor profile plots reply publish clean check; do refused 'whole number from 1 to 256' "$goal" LAYOUTS=0; done
SEED=x refused 'SEED=x' doctor
LAYOUTS='' refused 'LAYOUTS is given and empty' bench
refused 'LAYOUTS=08: give a whole number' bench LAYOUTS=08
refused "VARIANTS: '\*' is not known" bench 'VARIANTS=*'
refused "TARGETS: '\?\?\?' is not known" bench 'TARGETS=???'
refused 'WORKLOADS.* in a second' bench "WORKLOADS=$(printf '(%.0s' {1..200})a$(printf '{1,250})%.0s' {1..200})"
refused 'WORKLOADS.* one line' bench "WORKLOADS=$(printf 'x%.0s' {1..5000})"
for path in 'a b' "a'b" 'a:b' 'a%b' 'a[b' 'a(b' 'a,b' 'ä'; do
	refused "CACHE='.*give a folder whose path" bench CACHE="$scratch/$path"
	refused "OUT='.*give a folder whose path" bench OUT="$scratch/$path"
	mkdir "$scratch/$path"
	TMPDIR=$scratch/$path refused "TMPDIR='.*give a folder whose path" bench
done
TMPDIR=$scratch/missing refused 'TMPDIR=.*give a folder that can be written to' bench
GUEST=$scratch/checkout+%
cp -r "$top/harness" "$top/Makefile" "$top/kernel-patches" -t "$(mkdir -p "$GUEST" && echo "$GUEST")"
expect 2 "^sheafbench: checkout='.*give a folder whose path" 'a checkout in a path that kbuild does not take' make -C "$GUEST" bench
expect 2 'no HOME.*give CACHE=' 'no HOME' env -u HOME -u XDG_CACHE_HOME -u CACHE "$top/harness/request/front.sh" doctor
for inner in DEADLINE=9 KVM_SPEED=unjudged VARIANT_PATH=/tmp; do
	expect 2 "^sheafbench: ${inner%=*} is for sheafbench's own tests and would change what is measured: unset it" "$inner from outside" env -u SHEAFBENCH_TEST -u VARIANT_PATH "$inner" "$top/harness/request/front.sh" bench
done
# Packages are installed as root, so a terminal is asked, once and by name; these tools have none and fail.
# few FOLDER COMMAND...: all commands of this machine but these, for PATH.
few() {
	mkdir -p "$1"
	find /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin -maxdepth 1 ! -type d -exec ln -sft "$1" {} +
	(cd "$1" && rm -f "${@:2}")
}
few "$scratch/bin" gcc qemu-system-x86_64 apt-get
printf '#!/bin/sh\necho "$*" >>"%s"\nfalse\n' "$scratch/apt" >"$scratch/bin/apt-get"
chmod +x "$scratch/bin/apt-get"
# typed ANSWER VALUE...: make bench on a terminal where ANSWER is typed
typed() {
	rm -f "$scratch/apt"
	script -qec "env PATH='$scratch/bin' make -C '$top' --no-print-directory OUT='$scratch/out' BUILD='$scratch/build' CACHE='$scratch/cache' INSTALL=ask ${*:2} bench" /dev/null <<<"$1"
}
expect 2 'packages that are missing: .*libpfm4-dev.*qemu-system-x86.*' 'a terminal is asked for what is missing, targets included' typed n
expect 2 "not installed; 'apt-get install .*INSTALL=yes" 'no is an answer' typed n
holds 'then nothing is installed' test ! -e "$scratch/apt"
expect 2 'apt-get update: failed' 'yes is another' typed y
holds 'then apt-get is called' test -e "$scratch/apt"
expect 1 '' 'INSTALL=yes asks nothing' grep 'Y/n' <(typed n INSTALL=yes || true)
holds 'and apt-get is called' test -e "$scratch/apt"
# Elsewhere than on Debian what is missing has its name there, and where nobody knows it, what was looked for. Nothing is installed.
deps() { env PATH="$scratch/bin" CACHE="$scratch/cache" TMPDIR="$scratch" "$top/harness/host/deps.sh" "$@"; }
expect 1 "missing packages: run 'apt-get install .* gcc .*qemu-system-x86'" 'INSTALL=no names packages' env INSTALL=no PATH="$scratch/bin" CACHE="$scratch/cache" "$top/harness/host/deps.sh" build qemu
rm "$scratch/bin/apt-get"
for names in 'dnf install .*glibc-static .*qemu-system-x86-core' 'zypper install .*glibc-devel-static .*qemu-x86' 'pacman -S gcc glibc qemu-system-x86'; do
	printf '#!/bin/sh\ntouch "%s"\n' "$scratch/installed" >"$scratch/bin/${names%% *}"
	chmod +x "$scratch/bin/${names%% *}"
	expect 1 "missing packages, which are installed for you on Debian only: run '$names'" "${names%% *} has other names" deps build qemu
	rm "$scratch/bin/${names%% *}"
done
expect 1 'no apt-get, dnf, zypper or pacman here to install it: gcc .*qemu-system-x86_64' 'an unknown system' deps build qemu
holds 'and nothing was installed' test ! -e "$scratch/installed"
ln -s "$(command -v gcc)" "$(command -v qemu-system-x86_64)" "$scratch/bin"
expect 0 '^$' 'nothing is missing where all is there, however it came' deps build bench qemu
expect 2 'no package group named .cake.; known: ' 'an unknown group' deps cake
expect 2 'no goal' 'an unknown goal' "$top/harness/request/front.sh" dance
expect 0 '^make bench' 'make help' make -C "$top" help
CDPATH=.:/ expect 0 '^make bench' 'with a CDPATH that is exported' make -C "$top" help
holds 'make help names each value' test "$(make -C "$top" --no-print-directory help | grep -cE '^  [A-Z_]+ ')" = "$(. "$top/harness/request/values.sh" && echo ${#value_names[@]})"

# taken EXPORTS GIVEN: the values and the repeat command that the front door makes of these in the environment, and on make's
# command line.
# shellcheck disable=SC2016 # the other shell's own
taken() {
	env -i PATH="$PATH" HOME="$HOME" bash -c '. "$1/harness/lib.sh"; . "$1/harness/request/variants.sh"; . "$1/harness/request/values.sh"
		eval "$2"; GIVEN=$3; take_values bench; for n in "${value_names[@]}"; do echo "$n=${!n}"; done; repeat_command bench' door "$top" "$1" "$2"
}
# shellcheck disable=SC2016 # a literal dollar
while IFS='|' read -r name text; do
	[ "$name" = OUT ] || [ "$name" = CACHE ] || [ "$name" = BUILD ] || text=${text//@/$scratch}
	holds "$name: the same request in the environment, on the command line and in both" test "$(taken "export $name='$text'" '' | sha256sum)" = "$(taken "export $name='$text'" "$name" | sha256sum)"
	expect 0 "^$name=.*" "$name=$text is taken" taken "export $name='$text'" "$name"
done <<'END'
VARIANTS|qpw-on slowpath
WORKLOADS|^pair/(64|128)/1$
TARGETS|uml tcg
LAYOUTS|3
PRECISION|0.25
EVENTS|none
MITIGATIONS|no
KERNELS|debian-7.2 debian-7.3
END
expect 0 "^make bench VARIANTS=qpw-on WORKLOADS='\^a\\$\\$\|b\\$\\$' TARGETS=uml\$" 'the command that repeats a request has what differs from the defaults' \
	taken "WORKLOADS='^a\$|b\$' VARIANTS=qpw-on TARGETS=uml LAYOUTS=12" ''

# Several kernels: the first is the baseline's, the others are variants of their names, and no other is asked for unless it is named.
expect 0 "^KERNEL_SRC=debian-7.3\$" 'the first of KERNELS is the baseline' taken "KERNELS='debian-7.3 debian-7.2'" ''
expect 0 "^make bench .*KERNELS='debian-7.3 $scratch/one/linux'\$" 'the command that repeats it has these, with whole paths' taken "KERNELS=' debian-7.3  $scratch/one/../one/linux'" ''
# asked VARIANTS: those that KERNELS and VARIANTS ask for.
asked() {
	# shellcheck disable=SC2034 # variant_asked reads it
	KERNELS="debian-7.2 debian-7.3 $scratch/one/linux ~/Linux.git@slab/for-next /x/linux-7.3.1.tar.xz" VARIANTS=$1
	for name in $(variant_names); do ! variant_asked "$name" || printf '%s ' "$name"; done
}
expect 0 '^debian-7.3 linux linux.git-slab-for-next linux-7.3.1 $' 'each but the first is a variant' asked ''
expect 0 '^debian-7.3 linux linux.git-slab-for-next linux-7.3.1 qpw-on $' 'and so is who is named beside them' asked qpw-on
one_is() { local KERNELS="debian-7.2 $scratch/one/linux" && [ "$(variant_key linux kernel) $(variant_key linux role change)$(variant_key linux series)" = "$scratch/one/linux change" ]; }
holds 'which has its kernel, and no series' one_is
# A shell may have a HOST of its own: only make's command line names a machine that is rebooted.
expect 0 '^HOST=$' 'HOST in the environment is nobody that is rebooted' taken 'export HOST=root@box' ''
expect 0 '^HOST=root@box$' 'on the command line it is' taken 'export HOST=root@box' HOST
expect 0 '^make bench .*HOST=root@box' 'and the command that repeats the request has it' taken 'export HOST=root@box' HOST
metal() { env HOST="$1" GOAL="$2" TUNE="$3" "$top/harness/targets/target.sh" metal probe; }
expect 0 'it takes a machine that may be rebooted: HOST=root@box$' 'metal without HOST' metal '' bench no
expect 0 'it is for bench, certify and peers$' 'metal has no debug kernels' metal root@box prove no
expect 0 'TUNE=yes is for this machine' 'nor is the box tuned' metal root@box bench yes
if command -v ssh >/dev/null; then why='ssh root@nowhere.invalid fails: .*nowhere.invalid'; else why='ssh is not installed$'; fi
expect 0 "^$why" 'metal without a machine' metal root@nowhere.invalid bench no

# make clean removes what has our mark and nobody uses.
clean() { MAKEFLAGS='' make -C "$top" --no-print-directory OUT="$scratch/out" "$@" clean; }
mkdir -p "$scratch/mine/sub" "$scratch/cache/kernels/old" "$scratch/results"
expect 2 'no .sheafbench, so sheafbench did not make it' 'a BUILD that is not ours stays' clean BUILD="$scratch/mine" CACHE="$scratch/cache2"
expect 2 'no .sheafbench, so sheafbench did not make it' 'kernels that are not ours stay' clean BUILD="$scratch/none" CACHE="$scratch/cache"
for dir in mine mine/cache; do
	expect 2 "is or holds .*, which stays: nothing was removed" "a BUILD that is or holds CACHE=$dir stays" clean BUILD="$scratch/mine" CACHE="$scratch/$dir"
	holds 'with all that is in it' test -d "$scratch/mine/sub"
	mkdir -p "$scratch/mine/sub"
done
touch "$scratch/cache/kernels/.sheafbench" "$scratch/mine/.sheafbench"
(exec 9>>"$scratch/cache/.sheafbench"; flock -s 9; exec sleep 60) &
user=$!
sleep 0.3
expect 2 'is in use by process [0-9]+ \(sleep' 'a cache that is used stays' clean BUILD="$scratch/mine" CACHE="$scratch/cache"
kill $user
wait $user 2>/dev/null || true
holds 'with all that is in it' test -d "$scratch/mine/sub" -a -d "$scratch/cache/kernels/old"
expect 0 'removed the programs' 'what is ours goes' clean BUILD="$scratch/mine" CACHE="$scratch/cache"
holds 'all of it' test ! -e "$scratch/mine" -a ! -e "$scratch/cache/kernels"

# What README.md and docs/ name is there.
pages=("$top"/README.md "$top"/docs/*.md)
expect 1 '^$' 'README.md has lines of at most 100 columns' grep -nE '^.{101}' "$top/README.md"
holds 'README.md has at most 120 lines' test "$(wc -l <"$top/README.md")" -le 120
named() { grep -ohE -- "$1" "${pages[@]}" | sed -E "$2" | sort -u; }
# unknown WHAT FILE: what WHAT has and FILE has not, on one line.
unknown() { comm -23 <(named "${@:1:2}") <(sort -u "$3") | paste -sd ' '; }
"$top/harness/request/front.sh" help >"$scratch/help"
sed -n 's/^make \([a-z]*\) .*/\1/p' "$scratch/help" >"$scratch/goals"
echo help >>"$scratch/goals"
{ sed -nE 's/^  ([A-Z_]+) .*/\1/p' "$scratch/help"; echo MUTANTS; } >"$scratch/values"
expect 0 '^$' 'each goal that the pages name is one' unknown '(^    |`)make [a-z]+' 's/.* //' "$scratch/goals"
expect 0 '^$' 'each value that the pages name is one' unknown '(^|[ `])[A-Z][A-Z_]+=' 's/^[ `]//; s/=//; /^CONFIG_/d' "$scratch/values"
for goal in bench check; do holds "README.md names 'make $goal'" grep -qE "^    make $goal +#" "$top/README.md"; done
(cd "$top" && git ls-files -co --exclude-standard | sed -E ':a; p; s|/[^/]*$||; ta') | sort -u >"$scratch/files"
# shellcheck disable=SC2016 # the backticks are the pages'
expect 0 '^$' 'each file that the pages name is there' unknown '`(bench|docs|harness|kernel-patches|plots|tests)/[A-Za-z0-9_./-]*`' 's/`//g; s/\/$//; /\/local$/d' "$scratch/files"
headings() { sed -nE '/^#+ /{ s/^#+ //; s/[^A-Za-z0-9 _-]//g; s/ /-/g; p }' "$1" | tr '[:upper:]' '[:lower:]'; }
broken_links() {
	local page link file
	for page in "${pages[@]}"; do
		while read -r link; do
			file=${page%/*}/${link%%#*}
			[[ $link != '#'* ]] || file=$page
			if [ ! -e "$file" ]; then
				echo "$page: no file $link"
			elif [[ $link == *'#'* ]] && ! headings "$file" | grep -qxF -- "${link#*#}"; then
				echo "$page: no heading $link"
			fi
		done < <(grep -oE '\]\([^)]+\)' "$page" | sed 's/^](//; s/)$//')
	done
}
expect 0 '^$' 'each link of the pages leads somewhere' broken_links
finish
