#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# register.sh: register a variant of a series that somebody posted. MBOX or MSGID, NAME, TITLE, KCONFIG, CMDLINE and BASE
# come in the environment, checked (values.sh).
#
# The series is ordered and applied with 'git am -3' to a scratch tree: the pristine files that it touches, the
# common patches, those of BASE. What format-patch then writes applies, by construction, where build.sh applies it. It
# and the variant file go into the last folder of VARIANT_PATH, when all of it applied, or not at all.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$top/harness/request/variants.sh"

: "${MBOX?}" "${NAME:?}"
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

if [ -n "${MSGID-}" ]; then
	mkdir "$work/thread"
	MBOX=$(thread_of MSGID "$MSGID" "$work/thread")
fi

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

# borrow_objects TREE: the objects of a git tree that was named hold the ancestors that a 3-way merge asks for.
borrow_objects() {
	local from
	from=$(git -C "$1" rev-parse --path-format=absolute --git-path objects) || return
	printf '%s\n' "$from" >>"$work/tree/.git/objects/info/alternates"
	from=$(git -C "$1" rev-parse --path-format=absolute --git-path shallow)
	[ ! -f "$from" ] || cat "$from" >>"$work/tree/.git/shallow"
	lender=$1
}
# fetch_promised TREE FIRST LAST: a clone without its files fetches those that the commits change.
fetch_promised() {
	[ -z "$(git -C "$1" config --get-regexp '^remote\..*\.promisor$' true)" ] ||
		git -C "$1" log -p -M --no-ext-diff --no-textconv "$2..$3" >/dev/null 2>"$work/fetch.log"
}
lender=
if [ -e "${KERNEL_SRC-}" ]; then
	[ ! -e "$KERNEL_SRC/.git" ] || borrow_objects "$KERNEL_SRC" 2>/dev/null || true
elif [[ ${KERNEL_SRC-} == *@* ]]; then
	commits_of KERNEL_SRC "give <git tree>@<commit>"
	borrow_objects "${commits[0]}"
fi

### The mails: one file each in $work/mails, in the order in which they came.

most_mails=2000 bytes=0

# What comes from outside goes to a terminal without what that would obey.
clean() { LC_ALL=C tr -d '\000-\010\013-\037\177'; }
by_mail() { LC_ALL=C awk -v step="$1" -f "$top/harness/request/mail.awk" "${@:2}"; }

# split FILE: a mailbox, packed or not, a tar of patches, a single mail or a bare diff.
split() {
	local plain_file=$work/plain count
	unpack MBOX "$1" "$work"
	bytes=$((bytes + $(stat -c %s "$work/text")))
	[ "$bytes" -le "$most_bytes" ] || die 2 "MBOX: $1 is more than $((most_bytes >> 20)) MiB of mail; give the thread of the series alone"
	if [ "$(dd if="$work/text" bs=1 skip=257 count=5 status=none | tr -d '\000')" = ustar ]; then
		[ ! -d "$work/tar" ] || die 2 "MBOX: $1 is a tar in a tar; unpack it and give the folder"
		mkdir "$work/tar"
		tar -x --no-same-owner --no-same-permissions -C "$work/tar" -f "$work/text" 2>/dev/null || die 2 "MBOX: $1 is a tar that cannot be unpacked (cut off?)"
		find "$work/tar" -type l -delete
		[ -z "$(find "$work/tar" -name '*[[:cntrl:]]*' -print -quit)" ] || die 2 "MBOX: $1 has names with control characters in it"
		bytes=0
		take_folder "$work/tar"
		return
	fi
	# What Windows' shell writes with '>'.
	case $(head -c 2 "$work/text" | od -An -tx1 | tr -d ' \n') in
	fffe | feff)
		iconv -f UTF-16 -t UTF-8 "$work/text" >"$work/utf8" 2>/dev/null || die 2 "MBOX: $1 looks like UTF-16 and is none"
		mv "$work/utf8" "$work/text"
		;;
	esac
	# shellcheck disable=SC2094 # both read
	tr -d '\000' <"$work/text" | cmp -s - "$work/text" || die 2 "MBOX: $1 is no text (it has NUL bytes); give a mailbox, patches, or these packed with gzip, xz, bzip2, zstd or tar"
	by_mail lines "$work/text" >"$plain_file"
	# A diff without a mail around it gets one, named after the file.
	if ! awk 'NF { any = 1 } any && !NF { exit } /^(From:|Subject:|From [^ ]+ .*[0-9]:[0-9])/ { mail = 1; exit } END { exit !mail }' "$plain_file"; then
		[ "$(grep -cE '^commit [0-9a-f]{40}' "$plain_file")" -le 1 ] || die 2 "MBOX: $1 is a log of several commits; give what git format-patch writes"
		printf 'From: nobody <nobody@localhost>\nSubject: %s\n\n' "$(basename "$1" | tr -d '\000-\037\177')" | cat - "$plain_file" >"$work/text"
		mv "$work/text" "$plain_file"
	fi
	count=$(find "$work/mails" -type f | wc -l)
	[ $((count + $(grep -ac '^From ' "$plain_file"))) -le $most_mails ] || die 2 "MBOX: $1 has more than $most_mails mails; give the thread of the series alone"
	plain mailsplit -b --mboxrd -d5 -f"$count" -o"$work/mails" "$plain_file" >/dev/null 2>&1 ||
		die 2 "MBOX: $1 is no mailbox and no patch; give what 'b4 am' or lore's mbox.gz gives"
}

# take_folder FOLDER: its series file's patches, or what is named like patches, below it too when that is one folder.
take_folder() {
	local folder=$1 files=() f folders
	mapfile -t folders < <(find -H "$folder" -xtype f \( -name series -o -regex '.*\.\(patch\|diff\|eml\|mbox\|mbx\)\(\.gz\|\.xz\|\.bz2\|\.zst\)?' \) -printf '%h\n' | sort -u)
	if [ ${#folders[@]} = 1 ]; then folder=${folders[0]}; fi
	if [ -f "$folder/series" ]; then
		mapfile -t files < <(sed 's/[[:space:]]*#.*//; s/[[:space:]].*//; /^$/d' "$folder/series" | clean)
	else
		mapfile -t files < <(cd "$folder" && find . -maxdepth 1 -xtype f -regex '.*\.\(patch\|diff\|eml\|mbox\|mbx\)\(\.gz\|\.xz\|\.bz2\|\.zst\)?' | LC_ALL=C sort)
		[ ${#files[@]} -gt 0 ] || [ ${#folders[@]} -le 1 ] || die 2 "MBOX=$MBOX has patches in ${#folders[@]} folders; give one of them"
	fi
	[ ${#files[@]} -le $most_mails ] || die 2 "MBOX=$MBOX has more than $most_mails patches; give the series alone"
	for f in "${files[@]}"; do
		[[ /$f/ != */../* ]] || die 2 "MBOX=$MBOX: its series file names $f, which is outside of it"
		[ -f "$folder/$f" ] || die 2 "MBOX=$MBOX: its series file names $f, which is not there"
		split "$folder/$f"
	done
	named_order=yes
}

named_order='' from_git=''
if [ -d "$MBOX/cur" ]; then
	mapfile -t files < <(find "$MBOX/cur" "$MBOX/new" -type f 2>/dev/null | LC_ALL=C sort)
	for f in "${files[@]}"; do split "$f"; done
elif [ -d "$MBOX" ]; then
	take_folder "$MBOX"
elif [ -f "$MBOX" ]; then
	split "$MBOX"
elif [[ $MBOX == *@*..* ]]; then
	commits_of MBOX "give <git tree>@<from>..<to>"
	tree=${commits[0]} first=${commits[1]} last=${commits[2]}
	borrow_objects "$tree"
	# of_range COMMAND...: git's answer about the range, or its reason in a line.
	of_range() { in_tree "$@" "$first..$last" 2>"$work/git.log" || die 1 "MBOX=$MBOX: git cannot read it: $(grep -m1 -E '^(error|fatal): ' "$work/git.log" | clean); give what git format-patch writes of it"; }
	merges=$(of_range rev-list --merges --count)
	[ "$merges" = 0 ] || die 2 "MBOX=$MBOX has $merges merges in it; give a range without any"
	count=$(of_range rev-list --count)
	[ "$count" -le $most_mails ] || die 2 "MBOX=$MBOX is a range of $count patches; give the series alone"
	fetch_promised "$tree" "$first" "$last" || die 1 "MBOX=$MBOX is of a clone without its files, and git cannot fetch them: $(grep -m1 '^fatal: ' "$work/fetch.log")"
	of_range format-patch -q -N --no-signature --pretty=mboxrd -o "$work/range"
	of_range log -p --binary | plain patch-id --stable | cut -d' ' -f1 >"$work/range.ids"
	compgen -G "$work/range/*" >/dev/null || die 2 "MBOX=$MBOX is an empty range; give <git tree>@<from>..<to>"
	for f in "$work"/range/*; do split "$f"; done
	named_order=yes from_git=yes
else
	die 2 "MBOX=$MBOX: no such mailbox; give a mailbox, a folder of patches or <git tree>@<from>..<to>"
fi

### What each is, and which of them are the series. Trailers in answers change no code: ignored.

: >"$work/keys"
mapfile -t common <"$top/kernel-patches/common.series"
# A kernel that those of arch/um do not fit is built without them.
unfit=$(TARGET=uml "$top/harness/kernel/build.sh" unfit "$(baseline_variant)" | cut -f 2)
[ "$unfit" != um ] || mapfile -t common < <(printf '%s\n' "${common[@]}" | grep -vx um)
# shellcheck disable=SC2086 # a list of words
mapfile -t before < <(series_patches "${common[@]}" ${BASE-})
mails=() diffs=() infos=()
for f in "$work"/mails/*; do
	[ -f "$f" ] || continue
	# A charset that nobody knows is none: the patch is read as it is.
	if ! plain mailinfo -k --quoted-cr=strip "$f.msg" "$f.diff" <"$f" >"$f.info" 2>"$work/mailinfo.log" &&
		! plain mailinfo -n -k --quoted-cr=strip "$f.msg" "$f.diff" <"$f" >"$f.info" 2>"$work/mailinfo.log"; then
		die 2 "MBOX=$MBOX: git cannot read the mail '$(grep -ai -m1 '^subject:' "$f" | cut -c1-120 | tr -cd ' -~')': $(tail -n 1 "$work/mailinfo.log")"
	fi
	mails+=("$f") infos+=("$f.info" "$f")
	: >"$f.patch"
	[ ! -s "$f.diff" ] || diffs+=("$f.diff")
done
if [ ${#diffs[@]} -gt 0 ]; then
	by_mail names "${diffs[@]}" | sort -u | tr '\n' '\0' | { (cd "$SOURCE" && xargs -0r ls -dp -- 2>/dev/null) || true; } >"$work/kernel"
	sed -n 's/^+++ b\///p' "${before[@]}" >>"$work/kernel"
	by_mail diffs pass=1 "$work/kernel" "${diffs[@]}" pass=2 "${diffs[@]}" >"$work/keys"
	find "$work/mails" -name '*.key' -exec sha256sum {} + | sed 's/\.key$//' >>"$work/keys"
fi

cover='' chosen=() subjects=() verdict=''
while IFS=$'\t' read -r kind text rest; do
	case $kind in
	take) chosen+=("$text") subjects+=("${rest:-no subject}") ;;
	title) cover=$text ;;
	note) say "  $text" ;;
	die) verdict=$text ;;
	esac
done < <(by_mail series in_order="$named_order" from_git="$from_git" "$work/keys" "${infos[@]}" | iconv -c -f UTF-8 -t UTF-8)
case $verdict in
'') [ ${#chosen[@]} -gt 0 ] || die 1 "cannot read what ${MBOX} holds" ;;
'has no patch in it') die 2 "MBOX=$MBOX has no patch in it$(! head -c 200 "$MBOX" 2>/dev/null | grep -qai '<html\|<!doctype' || echo ': it is a web page'); give what 'b4 am' or lore's mbox.gz gives" ;;
*) die 2 "MBOX=$MBOX $verdict" ;;
esac
count=${#chosen[@]}
# git am takes a diff that a commit's message quotes for a part of its own.
if [ -n "$from_git" ]; then
	for ((n = 0; n < count; n++)); do
		! plain patch-id --stable <"${chosen[n]}.diff" | cut -d' ' -f1 | grep -qvxFf "$work/range.ids" ||
			die 2 "MBOX=$MBOX: the message of '${subjects[n]}' holds what git am takes for a part of its diff; indent it there"
	done
fi

# compose K: the mail of patch K in one fashion: its author and date such that git takes them, names with a/ and b/.
compose() {
	local f=${chosen[$1]} author email date
	author=$(sed -n '1,/^$/s/^Author: //p' "$f.info") email=$(sed -n '1,/^$/s/^Email: //p' "$f.info") date=$(sed -n '1,/^$/s/^Date: //p' "$f.info")
	known() { GIT_AUTHOR_NAME=$author GIT_AUTHOR_EMAIL=$email GIT_AUTHOR_DATE=$date plain var GIT_AUTHOR_IDENT >/dev/null 2>&1; }
	# A date of today would make another kernel of the same series.
	[ -n "$date" ] && known || date='1970-01-01 00:00:00 +0000'
	known || author=$email
	if [ -z "$email" ] || ! known; then author=nobody email=nobody@localhost; fi
	printf 'From: sheafbench <sheafbench@invalid>\nSubject: [PATCH] %s\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\nFrom: %s <%s>\nDate: %s\n\n' \
		"${subjects[$1]}" "$author" "$email" "$date"
	sed 's/^>*From />&/' "$f.msg"
	printf -- '---\n'
	sed 's/^>*From />&/' "$f.patch"
}

### The scratch tree.

touched() {
	sed -nE 's/^(---|\+\+\+) [ab]\/([^\t]*).*/\2/p; s/^(rename|copy) from (.*)/\2/p; s/^diff --git a\/(.*) b\/.*/\1/p' "$@" | sort -u
}
patches=()
for k in "${!chosen[@]}"; do patches+=("${chosen[k]}.patch"); done
while read -r f; do
	# git refuses such names too, but it is cp that reads first.
	case /$f/ in */../* | */.git/*) continue ;; esac
	[ ! -f "$SOURCE/$f" ] || (cd "$SOURCE" && cp --parents -- "$f" "$work/tree")
done < <(touched "${before[@]}" "${patches[@]}")
in_tree add -A -f .
in_tree commit -q --allow-empty -m "$kernel"
for f in "${before[@]}"; do
	# Whole, where that fits: what a series changes in the rest is looked for, too.
	in_tree apply --index --whitespace=nowarn "$f" 2>/dev/null || in_tree apply --index "${apply_options[@]}" "$f" || die 1 "${f#"$top"/} does not apply to $kernel; choose another KERNEL_SRC or BASE"
done
in_tree commit -q --allow-empty -m 'common patches and BASE'
start=$(in_tree rev-parse HEAD)
base=$(sed -n 's/^base-commit: *\([0-9a-f]*\).*/\1/p' "$work"/mails/*.msg "$work"/mails/*.diff | head -n 1)
# A clone without its files fetches those that are asked for by name.
[ -z "$lender" ] || [ -z "$base" ] || touched "${patches[@]}" | sed "s/^/$base:/" | git -C "$lender" cat-file --batch-check >/dev/null 2>&1 || true

# apply_mail K: with git am; 1 when it does not apply.
apply_mail() {
	compose "$1" >"$work/mail"
	in_tree am -3 --patch-format=mboxrd "$work/mail" >"$work/am.log" 2>&1 && return
	in_tree am -q --abort >/dev/null 2>&1 || true
	in_tree apply -R --check "${patches[$1]}" >/dev/null 2>&1
}
name_of() { printf "patch %s/%s '%s'" $(($1 + 1)) "$count" "${subjects[$1]:0:200}"; }

# rejects PATCH OPTION...: what of it does not fit, a line each; what fits is in the tree then.
rejects() {
	local kind n file told=0
	in_tree apply --reject --verbose --whitespace=nowarn "${@:2}" "$1" 2>&1 | awk '
		/^error: while searching for:$/ { inside = 1 }
		/^error: patch failed: / { inside = 0; next }
		inside { next }
		/^Applying patch .* with [0-9]+ rejects?\.\.\.$/ { file = $3 }
		/^Rejected hunk #/ { gsub(/[^0-9]/, "", $3); print "hunk", $3, file }
		/^error: / { sub(/^error: /, ""); print "error", 0, $0 }' | clean >"$work/rejects" || true
	find "$work/tree" -name '*.rej' -delete
	# More of them than are shown have no need of their own words.
	while read -r kind n file; do
		told=$((told + 1))
		if [ "$told" -gt 24 ]; then
			printf '%s %s of %s\n' "$kind" "$n" "$file"
		elif [ "$kind" = hunk ]; then
			printf 'hunk %s of %s, %s\n' "$n" "$file" \
				"$(awk -v file="$file" -v n="$n" '/^\+\+\+ / { at = substr($2, 3); k = 0 } /^--- / { was = substr($2, 3) }
					/^@@ / && (at == file || was == file) && ++k == n { print substr($0, 1, 120); exit }' "$1" | clean)"
		else
			printf '%s\n' "${file/No such file or directory/is not in this kernel}"
		fi
	done <"$work/rejects"
}

# fate K: whether and how the patch applies on top of what applies of those before it; 'bad' and 'three_way' say why not.
fate() {
	local had log patch=${patches[$1]} line loose shown=0
	bad=() three_way=
	had=$(in_tree rev-parse HEAD)
	if log=$(in_tree apply --check --verbose --whitespace=nowarn "$patch" 2>&1) && apply_mail "$1"; then
		log=$(awk '/^Checking patch / { file = $3; sub(/\.\.\.$/, "", file) } /^Hunk #.*offset/ { n++; if (n <= 4) printf "%shunk %d of %s at line %s %s %s", (n > 1 ? ", " : ""), substr($2, 2), file, $5, $6, $7 }
			END { if (n > 4) printf " and %d more", n - 4 }' <<<"$log" | clean)
		say "  applies${log:+ at other lines}: $(name_of "$1")${log:+: $log}"
		return
	elif apply_mail "$1"; then
		if [ "$(in_tree rev-parse HEAD)" = "$had" ]; then say "  is in this kernel already: $(name_of "$1")"; else say "  applies 3-way: $(name_of "$1")"; fi
		return
	fi
	three_way=$(sed -n 's/^CONFLICT ([^)]*): //p' "$work/am.log" | sort -u | head -n 5 | paste -sd ';' | sed 's/;/; /g')
	[ -n "$three_way" ] || three_way=$(sed -n 's/^error: sha1 information is lacking or useless (\(.*\))\.$/no \1 at hand as it was when the patch was made/p' "$work/am.log" | head -n 1)
	[ -n "$three_way" ] || ! grep -q '^It does not apply to blobs' "$work/am.log" || three_way="nor to the file that its index line names: edited by hand?"
	[ -n "$three_way" ] || three_way=$(sed -n 's/^\(error\|fatal\): //p' "$work/am.log" | tail -n 1)
	three_way=$(clean <<<"$three_way")
	mapfile -t bad < <(rejects "$patch")
	in_tree reset -q --hard && in_tree clean -qfdx
	loose=''
	[ ${#bad[@]} -gt 1000 ] || loose=$(rejects "$patch" -C1)
	say "  does not apply: $(name_of "$1")"
	for line in "${bad[@]}"; do
		shown=$((shown + 1))
		[ "$shown" -le 12 ] || { say "    and $((${#bad[@]} - 12)) more"; break; }
		say "    as it is: $line$(grep -qxF -- "$line" <<<"$loose" || echo ': with one line of context it would')"
	done
	say "    3-way: $three_way"
	in_tree add -A -f . && in_tree commit -q --allow-empty -m 'in part'
	return 1
}

does_not_apply() {
	local failed=0 first='' n
	in_tree reset -q --hard "$start"
	for ((n = 0; n < count; n++)); do
		fate "$n" && continue
		failed=$((failed + 1))
		[ -z "$first" ] || continue
		[ ${#bad[@]} -le 1 ] || bad[0]+=" (and $((${#bad[@]} - 1)) more)"
		first="$(name_of "$n") does not apply to $kernel with ${common[*]}${BASE:+ $BASE}, neither as it is (${bad[0]-no hunk is at fault}) nor 3-way ($three_way)"
	done
	die 1 "$first; $((count - failed)) of $count apply; nothing is registered; give KERNEL_SRC=<git tree>@<commit that it was made for>${base:+ (its base-commit is $base)} or BASE=<series that it stands on>"
}

say "  applying $count patches to $kernel with ${common[*]}${BASE:+ $BASE}"
for ((n = 0; n < count; n++)); do
	had=$(in_tree rev-parse HEAD)
	apply_mail "$n" || does_not_apply
	if [ "$(in_tree rev-parse HEAD)" = "$had" ]; then
		say "  left out, in this kernel already: $(name_of "$n")"
	elif grep -q '^Falling back to .* 3-way' "$work/am.log"; then
		say "  applied 3-way: $(name_of "$n")"
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
	done >"$work/kconfig"
	cat "$top/kernel-patches/configs/common.config" <(sed 's/^kconfig = //' "$work/kconfig") >"$work/config"
	read -r option value word < <(undone_config "$work/config") || return 0
	die 2 "KCONFIG: $option=$word undoes what a measurement needs ($option=$value); leave it out"
}

if [ -z "${TITLE-}" ]; then
	TITLE=${cover:-${subjects[0]}}
	TITLE=$(iconv -f UTF-8 -t ASCII//TRANSLIT <<<"$TITLE" 2>/dev/null || tr -cd ' -~' <<<"$TITLE")
	TITLE=${TITLE:0:60}
fi
: >"$work/kconfig"
read -ra words <<<"${KCONFIG-}"
[ ${#words[@]} = 0 ] || kconfig_lines "${words[@]}"
mkdir -p "$to/variants" "$to/patches" || die 1 "cannot write to $to; nothing is registered"
mapfile -t applied < <(find "$work/new" -name '*.patch' | LC_ALL=C sort)

# variant_text NAME TITLE PATCHES: of the first so many patches. Options that these do not have yet are left out.
variant_text() {
	local option line
	printf '# %s, %s patches, made for %s\n' "$(basename "${MSGID:-$MBOX}" | tr -cd ' -~')" "$3" "$kernel"
	printf 'title = %s\n' "$2"
	# shellcheck disable=SC2086 # a list of words
	printf 'series = %s\n' ${BASE-} "$NAME"
	[ "$3" = ${#applied[@]} ] || printf 'patches = %s\norder = 49\n' "$3"
	while IFS= read -r line; do
		option=$(grep -o 'CONFIG_[A-Za-z0-9_]*' <<<"$line")
		grep -qxE "\+(menu)?config ${option#CONFIG_}" "${applied[@]}" && ! grep -qxE "\+(menu)?config ${option#CONFIG_}" "${applied[@]:0:$3}" || printf '%s\n' "$line"
	done <"$work/kconfig"
	[ -z "${CMDLINE-}" ] || printf 'cmdline = %s\n' "$CMDLINE"
}
mkdir "$work/variants"
names=()
if [ "${STEPS:-no}" = yes ]; then
	for ((n = 1; n < ${#applied[@]}; n++)); do
		variant_text "$NAME-p$n" "$NAME: $n of ${#applied[@]} patches" "$n" >"$work/variants/$NAME-p$n.variant"
		names+=("$NAME-p$n")
	done
fi
variant_text "$NAME" "$TITLE" ${#applied[@]} >"$work/variants/$NAME.variant"
names+=("$NAME")
# Of two that register one name at once the second one is told.
exec {fd}>>"$CACHE/locks/variants"
wait_for "$fd" -x "$CACHE/locks/variants" "the folder of variants"
for n in "${names[@]}"; do
	if [ -e "$to/patches/$n" ] || [ -e "$to/variants/$n.variant" ]; then
		die 2 "NAME=$NAME is taken since by another 'make variant' ($n); choose another"
	fi
done
# Each by one rename, the variant last; a series without its variant does not stay.
rm -rf "$to/patches/.$NAME.part"
placed=$to/patches/.$NAME.part
{ cp -r "$work/new" "$placed" && mv -T "$placed" "$to/patches/$NAME"; } || die 1 "cannot write to $to (disk full?); nothing is registered"
placed=$to/patches/$NAME
for n in "${names[@]}"; do
	{ cp "$work/variants/$n.variant" "$to/variants/.$n.part" && mv "$to/variants/.$n.part" "$to/variants/$n.variant"; } ||
		{ rm -f "$to/variants/.$n.part" "$to/variants/$NAME-p"*.variant; die 1 "cannot write to $to (disk full?); nothing is registered"; }
done
placed=
say "variant $NAME: ${#applied[@]} patches; make bench VARIANTS=\"$(baseline_variant) ${names[*]}\" measures it"
say "  to build it runs its Makefiles and scripts, and its uml kernel is a process of yours with hostfs: read it before"
say "  it is removed by: rm -r ${to#"$PWD"/}/patches/$NAME ${to#"$PWD"/}/variants/$NAME$([ ${#names[@]} = 1 ] || echo '{,-p*}').variant"
