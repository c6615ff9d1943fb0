#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# variant.sh: register a variant of a series that somebody posted. MBOX, NAME, TITLE, KCONFIG, CMDLINE and BASE
# come in the environment, checked (values.sh).
#
# The series is ordered and applied with 'git am -3' to a scratch tree: the pristine files that it touches, the
# common patches, those of BASE. What format-patch then writes applies, by construction, where build.sh applies it. It
# and the variant file go into the last folder of VARIANT_PATH, when all of it applied, or not at all.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$top/harness/request/variants.sh"

: "${MBOX:?}" "${NAME:?}"
to=${variant_path[-1]}
work=$(mktemp -d)
placed=
cleanup() {
	rm -rf "$work"
	[ -z "$placed" ] || rm -rf "$placed"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP
mkdir "$work/mails" "$work/tree" "$work/new"

# What the user or a surrounding checkout configured must not change what is written.
mapfile -t local_names < <(git rev-parse --local-env-vars)
unset "${local_names[@]}"
export LC_ALL=C.UTF-8
plain() { GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 git "$@"; }
in_tree() { plain -C "$work/tree" -c user.name=sheafbench -c user.email=sheafbench@invalid "$@"; }

SOURCE=$("$top/harness/kernel/source.sh")
export SOURCE
kernel=$(cat "$SOURCE/.sheafbench")
plain init -q --template= "$work/tree"
mkdir -p "$work/tree/.git/info"

# The objects of a git tree that was named hold the ancestors that a 3-way merge asks for.
borrow_objects() {
	local from
	from=$(git -C "$1" rev-parse --path-format=absolute --git-path objects)
	printf '%s\n' "$from" >>"$work/tree/.git/objects/info/alternates"
	from=$(git -C "$1" rev-parse --path-format=absolute --git-path shallow)
	[ ! -f "$from" ] || cat "$from" >>"$work/tree/.git/shallow"
}
case ${KERNEL_SRC-} in debian-*) ;; *@*) borrow_objects "${KERNEL_SRC%@*}" ;; esac

### The mails: one file each in $work/mails, in the order in which they came.

# split FILE: a mailbox, packed or not, or a single mail or bare diff.
split() {
	local plain_file=$work/unpacked count
	gzip -cdf <"$1" >"$plain_file" 2>/dev/null || die 2 "MBOX: $1 cannot be unpacked (cut off?)"
	# A diff without a mail around it gets one, named after the file.
	if ! awk 'NF { any = 1 } any && !NF { exit } /^(From:|Subject:|From [^ ]+ .*[0-9]:[0-9])/ { mail = 1; exit } END { exit !mail }' "$plain_file"; then
		printf 'From: nobody <nobody@localhost>\nSubject: %s\n\n' "$(basename "$1")" | cat - "$plain_file" >"$plain_file.mail"
		mv "$plain_file.mail" "$plain_file"
	fi
	count=$(find "$work/mails" -type f | wc -l)
	plain mailsplit -b --mboxrd -d5 -f"$count" -o"$work/mails" "$plain_file" >/dev/null 2>&1 ||
		die 2 "MBOX: $1 is no mailbox and no patch; give what 'b4 am' or lore's mbox.gz gives"
}

named_order=
case $MBOX in
*@*..*)
	tree=${MBOX%@*}
	range=${MBOX##*@}
	last=${range##*..}
	if ! first=$(git -C "$tree" rev-parse --verify --quiet "${range%%..*}^{commit}") ||
		! last=$(git -C "$tree" rev-parse --verify --quiet "${last:-HEAD}^{commit}"); then
		die 2 "MBOX=$MBOX names no commits of a git tree; give <git tree>@<from>..<to>"
	fi
	borrow_objects "$tree"
	merges=$(in_tree rev-list --merges --count "$first..$last")
	[ "$merges" = 0 ] || die 2 "MBOX=$MBOX has $merges merges in it; give a range without any"
	in_tree format-patch -q -N --no-signature -o "$work/range" "$first..$last"
	compgen -G "$work/range/*" >/dev/null || die 2 "MBOX=$MBOX is an empty range; give <git tree>@<from>..<to>"
	for f in "$work"/range/*; do split "$f"; done
	named_order=yes
	;;
*)
	if [ -d "$MBOX/cur" ]; then
		plain mailsplit -b -d5 -o"$work/mails" "$MBOX" >/dev/null
	elif [ -d "$MBOX" ]; then
		if [ -f "$MBOX/series" ]; then
			mapfile -t files < <(sed 's/[[:space:]]*#.*//; s/[[:space:]].*//; /^$/d' "$MBOX/series")
		else
			mapfile -t files < <(cd "$MBOX" && find . -maxdepth 1 \( -name '*.patch' -o -name '*.diff' -o -name '*.eml' \) | LC_ALL=C sort)
		fi
		for f in "${files[@]}"; do
			[ -f "$MBOX/$f" ] || die 2 "MBOX=$MBOX: its series file names $f, which is not there"
			split "$MBOX/$f"
		done
		named_order=yes
	elif [ -f "$MBOX" ]; then
		split "$MBOX"
	else
		die 2 "MBOX=$MBOX: no such mailbox; give a mailbox, a folder of patches or <git tree>@<from>..<to>"
	fi
	;;
esac

### What each is. Covers have part 0; what no series numbers has total 0. Trailers in replies change no code: ignored.

mail=() patch=() version=() part=() total=() id=() answers=() subject=()
header() { awk -v name="$2:" '/^\r?$/ { exit } /^[ \t]/ { if (on) print; next } { on = tolower($1) == name; if (on) { $1 = ""; print } }' "$1" | tr -d ' \t\r\n'; }
look_at() {
	local rest v=1 n=0 of=0 text k=${#mail[@]}
	plain mailinfo -k --quoted-cr=strip "$1.msg" "$1.diff" <"$1" >"$1.info" 2>/dev/null || return 0
	rest=$(sed -n 's/^Subject: //p' "$1.info" | head -n 1 | tr -d '\000-\037')
	while [[ $rest =~ ^[[:space:]]*\[([^]]*)\](.*)$ ]]; do
		text=,${BASH_REMATCH[1]},
		rest=${BASH_REMATCH[2]}
		[[ ! $text =~ ([[:space:],_-]|PATCH)[vV]([0-9]{1,4}) ]] || v=$((10#${BASH_REMATCH[2]}))
		[[ ! $text =~ [[:space:],]([0-9]{1,4})/([0-9]{1,4})[[:space:],] ]] || { n=$((10#${BASH_REMATCH[1]})) of=$((10#${BASH_REMATCH[2]})); }
	done
	rest=${rest#"${rest%%[![:space:]]*}"}
	[[ ! ${rest,,} =~ ^(re|aw|sv|antw|fwd?): ]] || return 0
	if [ "$of" = 0 ] || [ "$n" != 0 ]; then
		awk '/^diff --git / || (last ~ /^--- / && /^\+\+\+ /) { found = 1 } { last = $0 } END { exit !found }' "$1.diff" || return 0
	fi
	mail[k]=$1 version[k]=$v part[k]=$n total[k]=$of subject[k]=$rest
	id[k]=$(header "$1" message-id) answers[k]=$(header "$1" in-reply-to)$(header "$1" references)
	patch[k]=$(plain patch-id --stable <"$1.diff" | cut -d' ' -f1)
}
for f in "$work"/mails/*; do
	[ ! -f "$f" ] || look_at "$f"
done

all=("${!mail[@]}")
numbered=()
for k in "${all[@]}"; do [ "${total[k]}" = 0 ] || numbered+=("$k"); done
# The cover's subject where there is one.
what() {
	local k name=$1
	for k in "${numbered[@]}"; do
		[ "${version[k]}/${total[k]}/${part[k]}" != "${version[$1]}/${total[$1]}/0" ] || name=$k
	done
	printf "'%s' (v%s, %s)" "${subject[name]}" "${version[$1]}" "$([ "${total[$1]}" = 0 ] && echo 'not numbered' || echo "of ${total[$1]}")"
}
several() { die 2 "MBOX=$MBOX holds several series: $(what "$1") and $(what "$2"); give one of them"; }

chosen=() cover=
if [ ${#all[@]} = 0 ]; then
	die 2 "MBOX=$MBOX has no patch in it$(! head -c 200 "$MBOX" 2>/dev/null | grep -qai '<html\|<!doctype' || echo ': it is a web page'); give what 'b4 am' or lore's mbox.gz gives"
elif [ ${#numbered[@]} = 0 ] && [ -n "$named_order" ]; then
	chosen=("${all[@]}")
else
	# A patch that somebody answered a series with is no part of it.
	series=()
	for k in "${all[@]}"; do
		if [ ${#numbered[@]} -gt 0 ] && [ "${total[k]}" = 0 ] && [ -n "${answers[k]}" ]; then
			say "  left out, an answer: ${subject[k]}"
		else
			series+=("$k")
		fi
	done
	newest=${series[0]}
	for k in "${series[@]}"; do
		[ "${version[k]}" -le "${version[newest]}" ] || newest=$k
	done
	# Of this version; an older one shares a subject with it or is in its thread, or it is another series.
	declare -A of_newest=() related=() older=()
	threads_newest=
	for k in "${series[@]}"; do
		[ "${version[k]}" = "${version[newest]}" ] || continue
		[ "${total[k]}" = "${total[newest]}" ] || several "$newest" "$k"
		of_newest[.${subject[k],,}]=1
		threads_newest+=${answers[k]}
	done
	for k in "${series[@]}"; do
		[ "${version[k]}" != "${version[newest]}" ] || continue
		v=${version[k]}/${total[k]}
		older[$v]=$k
		if [ -n "${of_newest[.${subject[k],,}]-}" ] || { [ -n "${id[k]}" ] && [[ $threads_newest == *"${id[k]}"* ]]; }; then related[$v]=1; fi
	done
	for v in "${!older[@]}"; do
		[ -n "${related[$v]-}" ] || several "$newest" "${older[$v]}"
		say "  left out, older than v${version[newest]}: v${v%/*}"
	done
	count=${total[newest]}
	for k in "${series[@]}"; do
		[ "${version[k]}" = "${version[newest]}" ] || continue
		if [ "$count" != 0 ] && [ "${part[k]}" = 0 ]; then
			cover=${cover:-$k}
			[ "${subject[k],,}" = "${subject[cover],,}" ] || several "$cover" "$k"
			continue
		fi
		n=${part[k]}
		one=${chosen[n]-$k}
		[ "${id[k]:-none}" = "${id[one]}" ] || [ "${patch[k]}" = "${patch[one]}" ] ||
			die 2 "MBOX=$MBOX: both '${subject[one]}' and '${subject[k]}' are patch $([ "$count" = 0 ] && echo '1/1' || echo "$n/$count") of v${version[newest]}; give one series, without the mail that is not meant (patches that are not numbered: as a folder)"
		chosen[n]=$one
	done
	missing=()
	for ((n = 1; n <= count; n++)); do [ -n "${chosen[n]-}" ] || missing+=("$n/$count"); done
	[ ${#missing[@]} = 0 ] || die 2 "MBOX=$MBOX lacks ${missing[*]} of v${version[newest]}; give the whole series (b4 am <message id> fetches it)"
fi
chosen=("${chosen[@]}")
count=${#chosen[@]}

### The scratch tree.

touched() {
	sed -nE 's/^(---|\+\+\+) [ab]\/([^\t]*).*/\2/p; s/^(rename|copy) from (.*)/\2/p; s/^diff --git a\/(.*) b\/.*/\1/p' "$@" | tr -d '\r' | sort -u
}
mapfile -t common <"$top/kernel-patches/common.series"
# shellcheck disable=SC2086 # a list of words
mapfile -t before < <(series_patches "${common[@]}" ${BASE-})
diffs=()
for k in "${chosen[@]}"; do diffs+=("${mail[k]}.diff"); done
while read -r f; do
	# git refuses such names too, but it is cp that reads first.
	case /$f/ in */../* | */.git/*) continue ;; esac
	[ ! -f "$SOURCE/$f" ] || (cd "$SOURCE" && cp --parents -- "$f" "$work/tree")
done < <(touched "${before[@]}" "${diffs[@]}")
in_tree add -A -f .
in_tree commit -q --allow-empty -m "$kernel"
for f in "${before[@]}"; do
	in_tree apply --index --whitespace=nowarn "$f" || die 1 "${f#"$top"/} does not apply to $kernel; choose another KERNEL_SRC or BASE"
done
in_tree commit -q --allow-empty -m 'common patches and BASE'
start=$(in_tree rev-parse HEAD)

# hunks DIFF: what of it does not fit, a line each.
hunks() {
	local file n
	in_tree apply --reject --verbose --whitespace=nowarn "$1" 2>&1 | awk '
		/^error: while searching for:$/ { inside = 1 }
		/^error: patch failed: / { inside = 0; next }
		inside { next }
		/^Applying patch .* with [0-9]+ rejects?\.\.\.$/ { file = $3 }
		/^Rejected hunk #/ { gsub(/[^0-9]/, "", $3); print "hunk", $3, file }
		/^error: / { sub(/^error: /, ""); print "error", 0, $0 }' >"$work/rejects" || true
	in_tree reset -q --hard && in_tree clean -qfdx
	while read -r kind n file; do
		if [ "$kind" = hunk ]; then
			printf 'hunk %s of %s, %s\n' "$n" "$file" \
				"$(awk -v file="$file" -v n="$n" '/^\+\+\+ / { at = substr($2, 3); k = 0 } /^--- / { was = substr($2, 3) }
					/^@@ / && (at == file || was == file) && ++k == n { print; exit }' "$1")"
		else
			printf '%s\n' "${file/No such file or directory/is not in this kernel}"
		fi
	done <"$work/rejects"
}

does_not_apply() {
	local k=$1 name=$2 bad three_way base line
	mapfile -t bad < <(hunks "${mail[k]}.diff")
	three_way=$(sed -n 's/^CONFLICT ([^)]*): //p' "$work/am.log" | sort -u | paste -sd ';' | sed 's/;/; /g')
	[ -n "$three_way" ] || three_way=$(sed -n 's/^error: sha1 information is lacking or useless (\(.*\))\.$/no \1 at hand as it was when the patch was made/p' "$work/am.log" | head -n 1)
	[ -n "$three_way" ] || ! grep -q '^It does not apply to blobs' "$work/am.log" || three_way="nor to the file that its index line names: edited by hand?"
	[ -n "$three_way" ] || three_way=$(sed -n 's/^\(error\|fatal\): //p' "$work/am.log" | tail -n 1)
	base=$(sed -n 's/^base-commit: *\([0-9a-f]*\).*/\1/p' "$work"/mails/*.msg "$work"/mails/*.diff | head -n 1)
	say "  does not apply: $name"
	for line in "${bad[@]}"; do say "    as it is: $line"; done
	say "    3-way: $three_way"
	[ ${#bad[@]} -le 1 ] || bad[0]+=" (and $((${#bad[@]} - 1)) more)"
	die 1 "$name does not apply to $kernel with ${common[*]}${BASE:+ $BASE}, neither as it is (${bad[0]-no hunk is at fault}) nor 3-way ($three_way); nothing is registered; give KERNEL_SRC=<git tree>@<commit that it was made for>${base:+ (its base-commit is $base)} or BASE=<series that it stands on>"
}

say "  applying $count patches to $kernel with ${common[*]}${BASE:+ $BASE}"
n=0
for k in "${chosen[@]}"; do
	n=$((n + 1))
	name="patch $n/$count '${subject[k]}'"
	had=$(in_tree rev-parse HEAD)
	if ! in_tree am -3 --quoted-cr=strip --patch-format=mbox "${mail[k]}" >"$work/am.log" 2>&1; then
		in_tree am -q --abort >/dev/null 2>&1 || true
		in_tree apply -R --check "${mail[k]}.diff" >/dev/null 2>&1 || does_not_apply "$k" "$name"
	fi
	if [ "$(in_tree rev-parse HEAD)" = "$had" ]; then
		say "  left out, in this kernel already: $name"
	elif grep -q '^Falling back to .* 3-way' "$work/am.log"; then
		say "  applied 3-way: $name"
	fi
done
# A date and a commit of today would make another kernel of the same series.
in_tree format-patch -q -N --zero-commit --no-signature --full-index -o "$work/new" "$start"
compgen -G "$work/new/*" >/dev/null || die 2 "all of MBOX=$MBOX is in $kernel already: there is nothing to compare"

### The variant file.

# Options that no Kconfig has, and values of the wrong kind. Dependencies are told by the build.
kconfig_lines() {
	local word option value kind
	declare -A kinds
	while read -r option kind; do
		[ "$kind" = any ] && [ -n "${kinds[$option]-}" ] || kinds[$option]=$kind
	done < <(
		# shellcheck disable=SC2016 # the dollars are awk's
		find "$work/tree" "$SOURCE" -name 'Kconfig*' -type f -print0 | xargs -0 awk -v wanted=" $* " '
			FNR == 1 { option = "" }
			$1 ~ /^(menu)?config$/ { option = index(wanted, " CONFIG_" $2 "=") ? $2 : ""; if (option != "" && !(option in kind)) kind[option] = "any" }
			option != "" && $1 ~ /^(def_)?(bool|tristate)$|^(int|hex|string)$/ { sub(/^def_/, "", $1); kind[option] = $1; option = "" }
			END { for (o in kind) print "CONFIG_" o, kind[o] }'
	)
	for word in "$@"; do
		option=${word%%=*} value=${word#*=}
		case ${kinds[$option]-none}:$value in
		none:*) die 2 "KCONFIG: neither $kernel nor the series has $option; look for its name in their Kconfig files" ;;
		bool:[yn] | tristate:[ymn] | string:\"*\" | any:*) ;;
		int:* | hex:*) [[ $value =~ ^(-?[0-9]+|0[xX][0-9a-fA-F]+)$ ]] || die 2 "KCONFIG: $option takes a number, not '$value'" ;;
		bool:*) die 2 "KCONFIG: $option takes y or n, not '$value'" ;;
		tristate:*) die 2 "KCONFIG: $option takes y, m or n, not '$value'" ;;
		*) die 2 "KCONFIG: $option takes a string in double quotes, not '$value'" ;;
		esac
		if [ "$value" = n ]; then printf 'kconfig = # %s is not set\n' "$option"; else printf 'kconfig = %s\n' "$word"; fi
	done
}

if [ -z "${TITLE-}" ]; then
	TITLE=${subject[${cover:-${chosen[0]}}]}
	TITLE=$(iconv -f UTF-8 -t ASCII//TRANSLIT <<<"$TITLE" 2>/dev/null || tr -cd ' -~' <<<"$TITLE")
	TITLE=${TITLE:0:60}
fi
mkdir -p "$to/variants" "$to/patches" || die 1 "cannot write to $to; nothing is registered"
{
	printf '# %s, %s patches, made for %s\n' "$(basename "$MBOX" | tr -cd ' -~')" "$count" "$kernel"
	printf 'title = %s\n' "$TITLE"
	# shellcheck disable=SC2086 # a list of words
	printf 'series = %s\n' ${BASE-} "$NAME"
	if [ -n "${KCONFIG-}" ]; then
		# shellcheck disable=SC2086 # a list of words
		kconfig_lines $KCONFIG
	fi
	[ -z "${CMDLINE-}" ] || printf 'cmdline = %s\n' "$CMDLINE"
} >"$work/variant"
# Each by one rename; a series without its variant does not stay.
rm -rf "$to/patches/.$NAME.part"
placed=$to/patches/.$NAME.part
{ cp -r "$work/new" "$placed" && cp "$work/variant" "$to/variants/.$NAME.part" && mv -T "$placed" "$to/patches/$NAME"; } ||
	{ rm -f "$to/variants/.$NAME.part"; die 1 "cannot write to $to (disk full?); nothing is registered"; }
placed=$to/patches/$NAME
mv "$to/variants/.$NAME.part" "$to/variants/$NAME.variant"
placed=
say "variant $NAME: $(find "$to/patches/$NAME" -name '*.patch' | wc -l) patches; make bench VARIANTS=\"$(baseline_variant) $NAME\" measures it"
say "  it is removed by: rm -r ${to#"$PWD"/}/patches/$NAME ${to#"$PWD"/}/variants/$NAME.variant"
