#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# 'make variant' with mailboxes as lists make them. The whole series is registered, in its order; a series that is refused leaves
# nothing behind.
set -euo pipefail
. "$(dirname "$0")/check.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export TMPDIR=$scratch/tmp VARIANT_PATH=$top/kernel-patches:$scratch/local
. "$top/harness/request/variants.sh"
export GIT_CONFIG_GLOBAL=$scratch/gitconfig
mkdir "$TMPDIR" "$scratch/mail"
# A user's git configuration must not get into a series.
printf '[user]\n\tname = Test\n\temail = test@localhost\n[diff]\n\tnoprefix = true\n[format]\n\tsignOff = true\n[commit]\n\tgpgSign = true\n' >"$GIT_CONFIG_GLOBAL"
SOURCE=$("$top/harness/kernel/source.sh")
touch "$scratch/begun"

# A series of three in a git tree of its own: an option, and two patches of one file, the second on top of the first.
k=$scratch/tree
g() { git -C "$k" -c diff.noprefix=false -c commit.gpgSign=false -c format.signOff=false "$@"; }
git init -q "$k"
(cd "$SOURCE" && cp --no-preserve=mode --parents mm/slub.c mm/Kconfig "$k")
g add -A && g commit -qm base && g tag base
commit() { g -c user.name='Jörg Ångström' -c user.email=jorg@localhost commit -qam "$1"; }
printf '\nconfig SLUB_TASTE\n\tbool "Taste"\n\nconfig SLUB_SPICES\n\tint "Spices"\n\tdefault 3\n' >>"$k/mm/Kconfig"
commit 'mm: Add a taste

From here on there is taste.'
sed -i '0,/^static/s//static int taste;\n\nstatic/' "$k/mm/slub.c"
commit 'mm/slub: Use the taste'
sed -i 's/^static int taste;/static int taste = 1;\nstatic int another; \/* naïve *\//' "$k/mm/slub.c"
commit 'mm/slub: Have another taste'
g format-patch -q -N -o "$scratch/plain" base..HEAD && g tag tasty
files=("$scratch"/plain/*)
subjects=('mm: Add a taste' 'mm/slub: Use the taste' 'mm/slub: Have another taste')

# mail TAG N [ENCODING]: patch N as a list has it: sent by another than who wrote it, folded and encoded.
mail() {
	local tag=$1 n=$2 encoding=${3:-8bit} body=$scratch/body cover=${1%[ ,]*}
	{
		printf 'From: Jörg Ångström <jorg@localhost>\n\n'
		sed '1,/^$/d' "${files[n - 1]}"
	} >"$body"
	printf 'From mboxrd@z Thu Jan  1 00:00:00 1970\nFrom: The Poster <poster@localhost>\nDate: Sun, 22 Nov 2026 10:0%s:00 +0000\n' "$n"
	printf 'Subject: [%s]\n %s\nMessage-ID:\n <%s.%s@localhost>\nIn-Reply-To: <%s.0@localhost>\n' "$tag" "${subjects[n - 1]}" "${tag//[ \/]/-}" "$n" "${cover//[ ,]/-}"
	printf 'MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: %s\n\n' "$encoding"
	case $encoding in
	8bit) sed 's/^>*From />&/' "$body" ;;
	base64) sed 's/$/\r/' "$body" | base64 ;;
	quoted-printable) perl -MMIME::QuotedPrint -0777 -ne 'print encode_qp($_)' "$body" ;;
	esac
	printf '\n'
}
# letter SUBJECT ID TEXT...: a cover or an answer.
letter() {
	printf 'From mboxrd@z Thu Jan  1 00:00:00 1970\nFrom: A Reader <reader@localhost>\nSubject: %s\nMessage-ID: <%s@localhost>\nIn-Reply-To: <x@localhost>\n\n' "$1" "$2"
	printf '%s\n' "${@:3}" ''
}

listed() { find "$scratch/local" -type f -exec sha256sum {} + 2>/dev/null | sort; }
clean() { [ -z "$(ls -A "$TMPDIR")" ] && [ -z "$(find "$scratch/local" -name '.*' 2>/dev/null)" ]; }
make_variant() { MAKEFLAGS='' make -C "$top" --no-print-directory variant "$@" 2>&1 </dev/null; }

# refused PATTERN VALUE...: one line with PATTERN, and nothing is registered or left.
refused() {
	local pattern=$1 before output status=0
	shift
	before=$(listed)
	output=$(make_variant NAME=bad "$@") || status=$?
	if [ "$status" != 2 ] || [ "$(grep -c '^sheafbench: ' <<<"$output")" != 1 ] || ! grep -qE "^sheafbench: .*$pattern" <<<"$output"; then
		not_ok "$*: status $status, not one line with /$pattern/: $output"
		rm -rf "$scratch"/local/*/bad{,.variant}
	elif [ "$(listed)" != "$before" ] || ! clean; then
		not_ok "$*: something was left: $(listed | diff - <(printf '%s\n' "$before")) $(ls -A "$TMPDIR")"
	else
		ok "refused: $pattern"
	fi
}

ids() { for f in "$@"; do git patch-id --stable <"$f" | cut -d' ' -f1; done; }
# taken WHAT NAME PATTERN VALUE...: what is registered is the series, its patches, order, authors and messages.
taken() {
	local what=$1 name=$2 pattern=$3 output status=0 dir=$scratch/local/patches/$2
	output=$(make_variant NAME="$name" "${@:4}") || status=$?
	if [ "$status" != 0 ] || ! grep -qE -- "$pattern" <<<"$output"; then
		not_ok "$what: status $status, no /$pattern/ in: $output"
	elif [ "$(ids "$dir"/*.patch)" != "$series" ] || [ "$(grep -h '^From: ' "$dir"/*.patch | sort -u)" != "$author" ]; then
		not_ok "$what: not the series: $(head -n 5 "$dir"/*.patch)"
	elif ! grep -q '^From here on there is taste.' "$dir"/0001*.patch || ! clean; then
		not_ok "$what: the message is not as it was, or something is left: $(head -n 12 "$dir"/0001*.patch) $(ls -A "$TMPDIR")"
	else
		ok "$what"
	fi
}
series=$(ids "${files[@]}")
author=$(grep -h '^From: ' "${files[@]}" | sort -u)
holds 'the test has a series of three by one author' test "$(wc -l <<<"$series") $(wc -l <<<"$author")" = '3 1'

### What is taken.

taken 'a git range' range 'make bench VARIANTS="local-trylock range"' MBOX="$k@base..HEAD" KCONFIG='CONFIG_SLUB_TASTE=y CONFIG_SLUB_STATS=n CONFIG_SLUB_SPICES=4' CMDLINE='taste=1 spice=2'
holds 'the variant file has what was given' test "$(grep -v '^#' "$scratch/local/variants/range.variant")" = "title = mm: Add a taste
series = range
kconfig = CONFIG_SLUB_TASTE=y
kconfig = # CONFIG_SLUB_STATS is not set
kconfig = CONFIG_SLUB_SPICES=4
cmdline = taste=1 spice=2"
mkdir "$scratch/steps"
for n in 1 2 3; do cp "${files[n % 3]}" "$scratch/steps/$n.patch"; done
expect 0 'make bench VARIANTS="local-trylock steps-p1 steps-p2 steps"' 'patch by patch' make_variant NAME=steps STEPS=yes MBOX="$scratch/steps" KCONFIG='CONFIG_SLUB_TASTE=y CONFIG_SLUB_STATS=n'
holds 'two of three, without the option that they do not have yet' test "$(grep -v '^#' "$scratch/local/variants/steps-p2.variant")" = 'title = steps: 2 of 3 patches
series = steps
patches = 2
order = 49
kconfig = # CONFIG_SLUB_STATS is not set'
holds 'the whole has it' grep -qx 'kconfig = CONFIG_SLUB_TASTE=y' "$scratch/local/variants/steps.variant"
holds 'and each has its patches' test "$(for n in steps-p1 steps-p2 steps; do variant_patches "$n" | wc -l; done | paste -sd ' ')" = '1 2 3'
expect 2 'NAME=steps is taken' 'its name is taken' make_variant NAME=steps MBOX="$scratch/steps"
rm -rf "$scratch/local/patches/steps" "$scratch/local/variants/steps"*
holds 'no path of this machine is in it' test "$(grep -rc "$scratch" "$scratch/local" | grep -cv ':0$')" = 0
taken 'a folder, in the order of names' folder '' MBOX="$scratch/plain" TITLE='Things: "taste", 5 % of it'
holds 'a TITLE is kept' grep -qxF 'title = Things: "taste", 5 % of it' "$scratch/local/variants/folder.variant"
mkdir -p "$scratch/cwd/tmp" && cp -r "$scratch/plain" "$scratch/cwd/-plain"
expect 0 '^variant dashed: 3 patches' 'a folder whose name begins like an option, and a relative TMPDIR' env -C "$scratch/cwd" TMPDIR=tmp GIVEN='MBOX NAME' MBOX=-plain NAME=dashed "$top/harness/request/front.sh" variant
mkdir "$scratch/quilt"
for n in 1 2 3; do { echo "From here on there is taste."; echo; sed -n '/^diff/,$p' "${files[n - 1]}"; } >"$scratch/quilt/$((9 - n)).diff"; done
printf '8.diff\n# a comment\n7.diff -p1\n6.diff # another\n' >"$scratch/quilt/series"
author='From: nobody <nobody@localhost>' taken 'a folder of bare diffs with a series file' quilt '' MBOX="$scratch/quilt"

{
	mail 'PATCH v2 3/3' 3 base64
	letter 'Re: [PATCH v2 1/3] mm: Add a taste' r1 '> diff --git a/mm/slub.c b/mm/slub.c' 'Reviewed-by: A Reader <reader@localhost>' 'I would rather have' 'diff --git a/mm/slub.c b/mm/slub.c' '--- a/mm/slub.c' '+++ b/mm/slub.c' '@@ -1 +1 @@' '-a' '+b'
	mail 'PATCH v2 1/3' 1 quoted-printable
	letter '[PATCH v2 0/3] A taste for slabs, naïve' c2 'What changed:' ' mm/slub.c | 2 ++' '' '---' '2.39.5'
	mail 'PATCH v2 2/3' 2
} >"$scratch/mail/mixed"
taken 'out of order, encoded, with cover and answers' mixed '' MBOX="$scratch/mail/mixed"
holds 'the title is that of the cover, in ASCII' grep -qx 'title = A taste for slabs, nai\?ve' "$scratch/local/variants/mixed.variant"
holds 'an 80 column patch came through quoted-printable' grep -q '=$' "$scratch/mail/mixed"
gzip -c "$scratch/mail/mixed" >"$scratch/mail/mixed.mbox.gz"
taken 'packed, as lore gives it' packed '' MBOX="$scratch/mail/mixed.mbox.gz"
sed 's/$/\r/' "$scratch/mail/mixed" >"$scratch/mail/crlf"
# A b4 that knows one thread.
mkdir "$scratch/b4"
cat >"$scratch/b4/b4" <<END
#!/bin/sh
[ "\$1 \$2 \$4 \$5" = "mbox -o -n thread" ] || exit 9
[ "\$6" = tasty@localhost ] || { echo "b4: nothing by that id" >&2; exit 1; }
cp '$scratch/mail/mixed' "\$3/thread.mbx"
END
chmod +x "$scratch/b4/b4"
PATH=$scratch/b4:$PATH taken 'by a message-id, through b4' by-id '' MSGID='<tasty@localhost>'
PATH=$scratch/b4:$PATH expect 2 'MSGID=no@localhost: b4 cannot fetch it: b4: nothing by that id' 'a thread that b4 does not find' make_variant NAME=bad MSGID=no@localhost
refused 'MSGID=nowhere: no such file, and no message-id' MSGID=nowhere
refused 'give one of them' MSGID=a@b MBOX="$scratch/mail/mixed"
taken 'with CRLF line ends' crlf '' MBOX="$scratch/mail/crlf"
mkdir -p "$scratch/maildir"/{cur,new,tmp}
for n in 1 2 3; do mail "RFC,net,v3,0$n/03" "$n" | sed '1d; s/^>From /From /' >"$scratch/maildir/cur/$((9 - n)).x:2,S"; done
taken 'a maildir, tags in another fashion' maildir '' MBOX="$scratch/maildir"
{
	for n in 3 2 1; do mail "PATCH $n/3" "$n" | sed 's/another;/another_one;/'; done
	cat "$scratch/mail/mixed"
	mail 'PATCH v2 2/3' 2 # a second copy, by way of another list
	letter '[PATCH] mm/slub: No, like this' f1 'diff --git a/mm/slub.c b/mm/slub.c' '--- a/mm/slub.c' '+++ b/mm/slub.c' '@@ -1 +1 @@' '-a' '+b'
} >"$scratch/mail/versions"
taken 'the newer of two versions, a copy and an answer with a patch' versions 'left out, older than v2: v1' MBOX="$scratch/mail/versions"
g format-patch -q -n --cover-letter --thread --stdout base..HEAD >"$scratch/mail/git"
taken "git's own mailbox" git-own '' MBOX="$scratch/mail/git"

### The same series in other fashions.

# fashioned WHAT SED [TAG]: the three mails, changed by a sed script that sees one mail at a time.
fashioned() {
	local n tag=${3:-PATCH}
	for n in 1 2 3; do mail "$tag $n/3" "$n" | sed -E "$2"; done >"$scratch/mail/fashion"
	taken "$1" "fashion-$((fashions++))" '' MBOX="$scratch/mail/fashion"
}
fashions=0
for prefixes in 'i w' 'c i' 'slab.orig slab' 'mm.orig mm' 'old/linux new/linux' '/usr/src/linux-7.2.orig /usr/src/linux-7.2'; do
	fashioned "names with ${prefixes/ / and }" "s#^(diff --git|---) a/#\1 ${prefixes% *}/#; s#^(\+\+\+|diff --git [^ ]+) b/#\1 ${prefixes#* }/#"
done
fashioned 'names without prefixes' 's#^(diff --git|---) a/#\1 #; s#^(\+\+\+|diff --git [^ ]+) b/#\1 #'
fashioned "quilt's own" '/^index /d; s#^diff --git a/([^ ]*) .*#Index: linux-7.2/\1\n===========#; s#^--- a/(.*)#--- linux-7.2.orig/\1\t2026-11-20 10:00:00.000000000 +0000#; s#^\+\+\+ b/(.*)#+++ linux-7.2/\1\t2026-11-21 10:00:00.000000000 +0000#'
for dates in '2026-11-20 10:00:00.000000000 +0000' 'Fri Nov 20 10:00:00 2026 +0000'; do
	fashioned "'$dates' after blanks" "/^(diff --git|index) /d; s#^--- a/(.*)#--- linux.orig/\\1    $dates#; s#^\+\+\+ b/(.*)#+++ linux/\\1  $dates#"
done
fashioned 'the kernel as a folder of another tree' 's#^(diff --git|---) a/#&linux/#; s#^\+\+\+ b/#&linux/#; s#^(diff --git [^ ]+) b/#\1 b/linux/#'
fashioned 'a sentence that looks like the From_ line of a mail' 's/^>From here.*/From here on there is taste.\nFrom here Thu Nov 26 10:00:00 2026/'
for from in 'From poster@localhost' 'From MAILER-DAEMON Thu, 26 Nov 2026 10:00:00 +0000' 'From poster at localhost  Thu Nov 26 10:00:00 2026' 'From - Thu Nov 26 10:00 2026'; do
	fashioned "separated by '$from'" "1s/.*/$from/"
done
fashioned "a charset that nobody knows" 's/charset=UTF-8/charset=DEFAULT_CHARSET/'
fashioned "a subject in a charset that nobody knows" 's/^ (mm.*)/ =?x-none?Q?\1?=/; /^ =/s/ /_/g; s/^_=/ =/'
fashioned 'addresses as archives hide them' 's/^From: The Poster <poster@localhost>/From: poster at localhost (The Poster)/; s/^From: (.*) <jorg@localhost>/From: jorg at localhost (\1)/'
fashioned 'a byte order mark' '1s/^/\xef\xbb\xbf/'
fashioned 'an RFC of the first version' '' RFC
author='From: nobody <nobody@localhost>' fashioned 'without an author or a date' '/^From: /d; /^Date: /d'
author='From: "poster@localhost" <poster@localhost>' fashioned 'a sender without a name' 's/^From: The Poster/From: /; /^From: J/d; s/^Date: .*/Date: yesterday or so/'
holds 'a date that git cannot read is 1970' grep -q '^Date: Thu, 1 Jan 1970' "$scratch/local/patches/fashion-$((fashions - 1))"/0001*
for packer in xz bzip2 zstd 'gzip -c -' 'tar -cz -T -'; do
	case $packer in
	tar*) (cd "$scratch" && find plain -type f | $packer >"$scratch/mail/other") ;;
	*) $packer <"$scratch/mail/mixed" >"$scratch/mail/other" ;;
	esac
	taken "packed by ${packer%% *}" "by-${packer%% *}" '' MBOX="$scratch/mail/other"
done
(cd "$scratch" && mkdir q && cp -r quilt q/patches && tar -cJf "$scratch/mail/quilt.tar.xz" q)
author='From: nobody <nobody@localhost>' taken "a tar of quilt's folder" quilt-tar '' MBOX="$scratch/mail/quilt.tar.xz"
iconv -f UTF-8 -t UTF-16 <"${files[0]}" >"$scratch/mail/utf16"

# registered WHAT NAME PATTERN ADDED VALUE...: what the patches add is just this.
added_by() { sed -n '/^+++ /{p;d}; s/^+\(.*[^ ]\)/\1/p' "$@"; }
registered() {
	local what=$1 name=$2 pattern=$3 added=$4 output status=0
	output=$(make_variant NAME="$name" "${@:5}") || status=$?
	if [ "$status" != 0 ] || ! grep -qE -- "$pattern" <<<"$output"; then
		not_ok "$what: status $status, no /$pattern/ in: $output"
	elif [ "$(added_by "$scratch/local/patches/$name"/*.patch)" != "$added" ]; then
		not_ok "$what: $(cat "$scratch/local/patches/$name"/*.patch)"
	else
		ok "$what"
	fi
}
# adding FILE LINE [OLD NEW]: a diff that makes a file, or adds a line to the end of it.
adding() {
	local k=$scratch/adding
	rm -rf "$k" && git init -q "$k"
	[ ! -f "$SOURCE/$1" ] || (cd "$SOURCE" && cp --no-preserve=mode --parents "$1" "$k")
	git -C "$k" add -A && git -C "$k" -c user.name=T -c user.email=t@localhost -c commit.gpgSign=false commit -q --allow-empty -m base
	mkdir -p "$(dirname "$k/$1")" && printf '%s\n' "$2" >>"$k/$1"
	git -C "$k" add -A && git -C "$k" diff --cached --src-prefix="${3-a/}" --dst-prefix="${4-b/}"
}
# posting SUBJECT ID ANSWERS DIFF...
posting() {
	printf 'From mboxrd@z Thu Jan  1 00:00:00 1970\nFrom: %s\nDate: Sun, 22 Nov 2026 10:00:00 +0000\nSubject: %s\nMessage-ID: <%s@localhost>\n' "${sender:-The Poster <poster@localhost>}" "$1" "$2"
	[ -z "$3" ] || printf 'In-Reply-To: <%s@localhost>\n' "$3"
	printf '\nWords.\n---\n'
	"${@:4}"
	printf -- '-- \n2.39.5\n\n'
}
for prefixes in 'a/ b/' ' ' 'linux.orig/ linux/' 'one/mm/ two/mm/'; do
	posting '[PATCH] mm: A file' f '' adding mm/new_taste.c 'int new_taste;' "${prefixes% *}" "${prefixes#* }" >"$scratch/mail/file"
	registered "a new file, named with '$prefixes'" "file-$((fashions++))" '' '+++ b/mm/new_taste.c'$'\n''int new_taste;' MBOX="$scratch/mail/file"
done
posting '[PATCH] mm: A file' f '' adding kernel/Makefile '# taste' '' '' >"$scratch/mail/file"
registered "a file that is there with and without its first folder" "file-$((fashions++))" '' '+++ b/kernel/Makefile'$'\n''# taste' MBOX="$scratch/mail/file"
{ posting '[PATCH] mm: A file' f '' adding 'mm/new täste.c' 'int new_taste;'; } >"$scratch/mail/file"
registered 'a name that git quotes' quoted '' $'+++ "b/mm/new t\\303\\244ste.c"\t\nint new_taste;' MBOX="$scratch/mail/file"
# What is not there is not taken for what has the same name in another folder.
copied() { printf 'diff --git a/mm/slab.h b/%s/mm/slab.h\nsimilarity index 100%%\ncopy from mm/slab.h\ncopy to %s/mm/slab.h\n' "$1" "$1"; }
changed() { adding mm/slab.h 'int copy;' | sed "s#mm/slab.h#$1/mm/slab.h#g"; }
for folder in lib taste; do
	{ posting '[PATCH 1/2] mm: Copy' 1 '' copied $folder; posting '[PATCH 2/2] mm: Change' 2 1 changed $folder; } >"$scratch/mail/file"
	expect 0 '^variant copy' "a copy in $folder/ that is changed" make_variant NAME="copy-$folder" MBOX="$scratch/mail/file"
	holds 'is changed there' grep -q "^+++ b/$folder/mm/slab.h" "$scratch/local/patches/copy-$folder"/0002*
done
posting '[PATCH] mm: Change' 2 '' changed lib >"$scratch/mail/file"
refused 'lib/mm/slab.h.* is not in this kernel' MBOX="$scratch/mail/file"
registered 'UTF-16' utf16 '' "$(added_by "${files[0]}")" MBOX="$scratch/mail/utf16"

### Which mails are the series.

h=mm/slab.h
one() { adding $h "$1"; }
two() { adding mm/slub.c "$1"; }
{ posting '[PATCH 0/2] A cover' c '' echo; posting '[PATCH 1/2] mm: One' 1 c one 'int one;'; posting '[PATCH 2/2] mm: Two' 2 c two 'int two;'; } >"$scratch/mail/v1"
v1=("$scratch/mail/v1" "$scratch/mail/more")
more() { "$@" >"$scratch/mail/more"; cat "${v1[@]}" >"$scratch/mail/threads"; }
more posting '[PATCH v2] mm: One and two' v2 c one 'int both;'
registered 'v2 in one mail, in answer to v1' v2-single 'left out, older than v2: v1' "+++ b/$h"$'\n''int both;' MBOX="$scratch/mail/threads"
cat "$scratch/mail/more" "$scratch/mail/v1" >"$scratch/mail/threads"
registered 'v2 before v1' v2-first 'left out, older than v2: v1' "+++ b/$h"$'\n''int both;' MBOX="$scratch/mail/threads"
more posting '[PATCH v2] mm: Two' v2 2 two 'int both;'
refused "v2 of 'mm: Two', which is patch 2/2 of v1: it may be meant for that alone" MBOX="$scratch/mail/threads"
more posting '[PATCH v2 2/2] mm: Two' v2 2 two 'int both;'
refused 'lacks 1/2 of v2' MBOX="$scratch/mail/threads"
more posting '[PATCH v1.1 2/2] mm: Two' v2 2 two 'int both;'
refused 'lacks 1/2 of v1.1' MBOX="$scratch/mail/threads"
sender='Another <another@localhost>' more posting '[PATCH v2] mm: Rather so' v2 c one 'int both;'
refused "by another sender, 'mm: Rather so' \(v2, not numbered\)" MBOX="$scratch/mail/threads"
more posting 'Re: [PATCH v2] mm: One and two' v2 c one 'int both;'
refused "holds 'A cover' \(v1, of 2\) and an answer with a patch, 'Re: \[PATCH v2\] mm: One and two', of v2" MBOX="$scratch/mail/threads"
more letter 'Re: [list] [PATCH v2 1/2] mm: One' v2 'Nice.'
registered 'an answer to a v2 that is not there' re-v2 "there is a newer version, which is not in it: 'Re: \[list\] \[PATCH v2 1/2\] mm: One'" "+++ b/$h"$'\n''int one;'$'\n''+++ b/mm/slub.c'$'\n''int two;' MBOX="$scratch/mail/threads"
posting 'Re: Slabs' re c one 'int one;' >"$scratch/mail/threads"
refused "has a patch in an answer alone, 'Re: Slabs'; give it as a file" MBOX="$scratch/mail/threads"
{ posting '[PATCH 1/2] fw: One' 1 '' one 'int one;'; posting '[PATCH 2/2] wg: Two' 2 1 two 'int two;'; } >"$scratch/mail/threads"
registered 'subsystems that are named like answers' fw '' "+++ b/$h"$'\n''int one;'$'\n''+++ b/mm/slub.c'$'\n''int two;' MBOX="$scratch/mail/threads"
more posting '[PATCH 7/2] mm: Seven' 7 c one 'int seven;'
refused "'mm: Seven', which is patch 7 of 2" MBOX="$scratch/mail/threads"
{ posting '[RFC 1/2] mm: One' 1 '' one 'int one;'; posting '[RFC 2/2] mm: Two' 2 '' two 'int two;'; posting '[RFCv2 1/2] mm: One' 3 '' one 'int three;'; posting '[RFCv2 2/2] mm: Two' 4 '' two 'int four;'; } >"$scratch/mail/threads"
registered 'RFCv2 is newer than RFC' rfcv2 'left out, older than v2: v1' "+++ b/$h"$'\n''int three;'$'\n''+++ b/mm/slub.c'$'\n''int four;' MBOX="$scratch/mail/threads"
sed -i 's/RFCv2/PATCH/' "$scratch/mail/threads"
registered 'a posting is newer than its RFC' rfc-v1 'left out, older than v1: RFC v1' "+++ b/$h"$'\n''int three;'$'\n''+++ b/mm/slub.c'$'\n''int four;' MBOX="$scratch/mail/threads"
sed -i 's/\[RFC /[RFC v2 /' "$scratch/mail/threads"
refused "'mm: One' \(v2, of 2\), an RFC, and 'mm: One' \(v1, of 2\), which is none" MBOX="$scratch/mail/threads"
{ posting '[PATCH 1/2] mm: One' 1 c one 'int one;'; posting '[PATCH 2/2] mm: Two' 2 d two 'int two;'; } >"$scratch/mail/threads"
refused "parts of several series: 1/2 'mm: One' and 2/2 'mm: Two' are of two threads" MBOX="$scratch/mail/threads"
{ posting '[PATCH 1/2] mm: One' 1 '' one 'int one;'; posting '[PATCH 2/2] mm: Two' 2 d two 'int two;'; } >"$scratch/mail/threads"
refused "are of two threads" MBOX="$scratch/mail/threads"
{ posting '[PATCH 1/2] mm: One' 1 '' one 'int one;'; posting '[PATCH RESEND 2/2] mm: Two' 4 3 two 'int two;'; posting '[PATCH 2/2] mm: Two' 2 1 two 'int two;'; posting '[PATCH RESEND 1/2] mm: One' 3 '' one 'int one;'; } >"$scratch/mail/threads"
registered 'a series that was sent again, its mails among those of the first time' resend '' "+++ b/$h"$'\n''int one;'$'\n''+++ b/mm/slub.c'$'\n''int two;' MBOX="$scratch/mail/threads"
{ posting '[PATCH 1/2] mm: One' 1 '' one 'int one;'; posting '[PATCH 1/2] mm: One' 1 '' one 'int other;'; posting '[PATCH 2/2] mm: Two' 2 1 two 'int two;'; } | sed '/^diff --git/d' >"$scratch/mail/threads"
refused "both 'mm: One' and 'mm: One' are patch 1/2" MBOX="$scratch/mail/threads"
{ posting '[PATCH 1/2] mm: One' 1 '' echo; posting '[PATCH 2/2] mm: Two' 2 1 two 'int two;'; } >"$scratch/mail/threads"
refused 'lacks 1/2 \(a mail without a diff\) of v1' MBOX="$scratch/mail/threads"
for between in '' '-----------------' $'\001\001\001\001' '>From poster@localhost Thu Nov 26 10:00:00 2026'; do
	{ posting '[PATCH 1/2] mm: One' 1 c one 'int one;'; printf '%s\n' "$between"; posting '[PATCH 2/2] mm: Two' 2 c two 'int two;' | sed 1d; } >"$scratch/mail/threads"
	refused "a mail, 'mm: One', that holds the headers of another, '\[PATCH 2/2\] mm: Two'" MBOX="$scratch/mail/threads"
done
{ cat "$scratch/mail/v1"; letter 'Re: [PATCH 1/2] mm: One' re 'Nice.'; posting '[PATCH v2] mm: One and two' v2 c one 'int both;' | sed 1d; } >"$scratch/mail/threads"
refused "a mail, 'Re: .*', that holds the headers of another, '\[PATCH v2\] mm: One and two'" MBOX="$scratch/mail/threads"
{ cat "$scratch/mail/v1"; letter 'Re: [PATCH 1/2] mm: One' re 'Nice.' '' 'From: The Poster <poster@localhost>' 'Sent: Thursday' 'Subject: [PATCH 1/2] mm: One' '' 'Words.'; } >"$scratch/mail/threads"
registered 'an answer that quotes headers' quotes '' "+++ b/$h"$'\n''int one;'$'\n''+++ b/mm/slub.c'$'\n''int two;' MBOX="$scratch/mail/threads"

### Git trees.

g config uploadpack.allowFilter true
git clone -q --bare --filter=blob:none "file://$k" "$scratch/blobless"
holds 'the clone has no files' test -z "$(git -C "$scratch/blobless" cat-file --batch-all-objects --batch-check | grep blob)"
taken 'a range of a clone without files' blobless '' MBOX="$scratch/blobless@base..tasty"
git clone -q --bare --filter=blob:none "file://$k" "$scratch/blobless-too"
source_of() { KERNEL_SRC=$1 CACHE=$scratch/cache "$top/harness/kernel/source.sh"; }
holds 'a kernel of a clone without files' cmp "$(source_of "$scratch/blobless-too@tasty")/mm/slub.c" <(g show tasty:mm/slub.c)
git clone -q --bare --filter=blob:none "file://$k" "$scratch/blobless-lone"
git -C "$scratch/blobless-lone" remote set-url origin "file://$scratch/gone"
refused "git cannot fetch them: .*gone" MBOX="$scratch/blobless-lone@base..tasty"
mkdir "$scratch/at@b..c" && git clone -q "$k" "$scratch/at@b..c/tree@x" && cp "$scratch/mail/mixed" "$scratch/at@b..c"
git -C "$scratch/at@b..c/tree@x" branch feat@v2 tasty
taken "a path and a branch with '@'" at '' MBOX="$scratch/at@b..c/tree@x@base..feat@v2"
taken "a mailbox below a folder with '@'" at-mailbox '' MBOX="$scratch/at@b..c/mixed"
holds "a kernel of a path and a branch with '@'" test -f "$(source_of "$scratch/at@b..c/tree@x@feat@v2")/mm/slub.c"
g checkout -q -b quoting tasty && sed -i 's/^static int another;/static int quoted;/' "$k/mm/slub.c"
commit 'mm: Quote a mail

From poster@localhost
From: The Poster <poster@localhost>
Subject: [PATCH] what this message quotes
Message-ID: <quoted@localhost>' && g checkout -q -
registered 'a commit that quotes a mail' quoting '' '+++ b/mm/slub.c'$'\n''static int quoted; /* naïve */' MBOX="$k@tasty..quoting" BASE=range
holds 'with its message' grep -q '^Message-ID: <quoted@localhost>' "$scratch"/local/patches/quoting/*
g checkout -q -b quoted tasty && sed -i 's/^static int another;/static int quoted;/' "$k/mm/slub.c"
commit "mm: Quote a diff

$(sed -n '/^diff/,$p' "${files[0]}")" && g checkout -q -
refused "the message of 'mm: Quote a diff' holds what git am takes for a part of its diff" MBOX="$k@tasty..quoted"
git clone -q --no-hardlinks "$k" "$scratch/damaged"
find "$scratch/damaged/.git/objects" -name '*.pack' -exec truncate -s 100 {} + -o -type f -size +1k -exec truncate -s 0 {} +
refused 'git cannot read it: .*; give what git format-patch writes' MBOX="$scratch/damaged@base..tasty"
# How git itself is made to see another owner, without being root.
export GIT_TEST_ASSUME_DIFFERENT_OWNER=1
refused 'dubious ownership.*it is allowed by: git config' MBOX="$k@base..tasty"
refused 'KERNEL_SRC=.*dubious ownership.*it is allowed by: git config' MBOX="$scratch/plain" KERNEL_SRC="$k@tasty"
unset GIT_TEST_ASSUME_DIFFERENT_OWNER
refused 'not a git repository' MBOX="$scratch/plain@a..b"

### A series for another kernel.

{
	posting '[PATCH 1/3] mm: One' 1 c one 'int one;' | sed 's/^@@ -\([0-9]*\),\([0-9]*\) +\([0-9]*\)/@@ -7,\2 +7/; /^index/d'
	posting '[PATCH 2/3] mm: Two' 2 c two 'int two;' | sed '/^index/d; /^@@/{n;s/.*/ int gone;/}'
	posting '[PATCH 3/3] mm: Three' 3 c two 'int three;' | sed '/^index/d; /^@@/,$s/^ ./ gone/'
} >"$scratch/mail/older"
refused "patch 2/3 'mm: Two' does not apply to .*hunk 1 of mm/slub.c, @@ .*; 1 of 3 apply; nothing is registered" MBOX="$scratch/mail/older"
told=$(make_variant NAME=bad MBOX="$scratch/mail/older" || true)
says() { if grep -qE "$2" <<<"$told"; then ok "$1"; else not_ok "$1: no /$2/ in: $told"; fi; }
says 'which patch applies, and where' "^  applies at other lines: patch 1/3 'mm: One': hunk 1 of mm/slab.h at line [0-9]+ \(offset [0-9]+"
says 'which would with less context' '^    as it is: hunk 1 of mm/slub.c, @@ .*: with one line of context it would$'
says 'which does not' "^  does not apply: patch 3/3 'mm: Three'$"
says 'nor with less context' '^    as it is: hunk 1 of mm/slub.c, @@ [^:]*$'

# As build.sh does it: after the common patches, by git apply, on the files of the kernel.
apply_all() {
	local p
	for p in "$@"; do GIT_CEILING_DIRECTORIES=$scratch git -C "$scratch/applied" apply --whitespace=nowarn "$p"; done
}
mapfile -t common <"$top/kernel-patches/common.series"
mapfile -t patches < <(series_patches "${common[@]}"; find "$scratch/local/patches/mixed" -name '*.patch' | sort)
mkdir "$scratch/applied"
sed -n 's|^--- a/||p' "${patches[@]}" | sort -u | while read -r f; do
	# What a common patch creates is not there yet.
	[ ! -e "$SOURCE/$f" ] || (cd "$SOURCE" && cp --parents -t "$scratch/applied" "$f")
done
holds 'it applies where the build applies it' apply_all "${patches[@]}"
holds 'and is there' grep -q '^static int another; /\* naïve \*/' "$scratch/applied/mm/slub.c"
text() { variant_build_text "$1" | hash_of; }
holds 'the same series twice is one build' test "$(text mixed)" = "$(text packed)"
holds 'another KCONFIG is another' test "$(text mixed)" != "$(text range)"
expect 0 '^range-[0-9a-f]{16}$' 'build.sh knows it' env SOURCE="$SOURCE" TARGET=uml "$top/harness/kernel/build.sh" id range

# A series that stands on another, and one that needs the ancestor of its git tree.
sed -i 's/^static int another;/static int third;\n&/' "$k/mm/slub.c"
commit 'mm/slub: A third taste'
g format-patch -q -1 --stdout >"$scratch/mail/third"
expect 0 'registered|measures it' 'on top of a BASE' make_variant NAME=third MBOX="$scratch/mail/third" BASE=range
holds 'BASE comes first' test "$(grep '^series' "$scratch/local/variants/third.variant" | paste -sd,)" = 'series = range,series = third'
g checkout -q base
sed -i '1s/.*/\/\/ another first line/; 0,/^static/s//\n\nstatic/' "$k/mm/slub.c"
commit 'mm/slub: Of another kernel' && g tag elsewhere
sed -i '4s/^/ * another fourth line\n/' "$k/mm/slub.c"
commit 'mm/slub: A change near the first line'
expect 0 'applied 3-way: patch 1/1' 'what applies 3-way only is written as it applies' make_variant NAME=three-way MBOX="$k@elsewhere..HEAD"
g format-patch -q -1 --stdout >"$scratch/mail/elsewhere"

### What is refused.

refused "patch 1/1 'mm/slub: A change near the first line' does not apply to .*hunk 1 of mm/slub.c, @@ -1,.*3-way \\(.*mm/slub.c.*BASE=" MBOX="$scratch/mail/elsewhere"
refused "patch 1/1 'mm/slub: A third taste' does not apply .*hunk 1 of mm/slub.c, @@" MBOX="$scratch/mail/third"
sed 's/^-static int taste;/-static int no_taste;/; s/^static void/static int/' "${files[2]}" | sed 's/^@@.*@@/& some_function()/' >"$scratch/changed.patch"
mkdir "$scratch/half"
cp "${files[0]}" "${files[1]}" "$scratch/half"
cp "$scratch/changed.patch" "$scratch/half/0003.patch"
refused "patch 3/3 'mm/slub: Have another taste' does not apply .*hunk 1 of mm/slub.c, @@ .*nothing is registered" MBOX="$scratch/half"
sed 's|mm/slub.c|mm/no-such.c|; s/^index [0-9a-f]*/index 123456789abc/' "${files[1]}" >"$scratch/mail/nofile"
refused 'mm/no-such.c.* is not in this kernel' MBOX="$scratch/mail/nofile"
sed '/^@@/,$ s/^ ./&edited/' "${files[0]}" >"$scratch/mail/edited"
refused 'nor to the file that its index line names' MBOX="$scratch/mail/edited"
sed -n '/^From: /p; /^Subject: /,$p' "${files[1]}" | sed '/^ /{n;d}' >"$scratch/mail/wrapped"
refused 'does not apply .*corrupt patch' MBOX="$scratch/mail/wrapped"
{ mail 'PATCH v2 1/3' 1; mail 'PATCH v2 3/3' 3; } >"$scratch/mail/hole"
refused 'lacks 2/3 of v2; give' MBOX="$scratch/mail/hole"
{ cat "$scratch/mail/mixed"; letter '[PATCH v3 0/3] A taste for slabs, naïve' c3 'The same.'; mail 'PATCH v3 2/3' 2; } >"$scratch/mail/newer"
refused 'lacks 1/3 3/3 of v3' MBOX="$scratch/mail/newer"
{ mail 'PATCH 1/3' 1; mail 'PATCH 2/3' 2; mail 'PATCH 3/3' 3; mail 'PATCH 2/3' 3 | sed 's/3@localhost/9@localhost/; s/Have another/Quite another/'; } >"$scratch/mail/twice"
refused "both 'mm/slub: Use the taste' and 'mm/slub: Quite another taste' are patch 2/3" MBOX="$scratch/mail/twice"
{ cat "$scratch/mail/mixed"; mail 'PATCH 1/1' 1 | sed 's/Add a taste/Quite other/'; } >"$scratch/mail/two"
refused "several series: 'A taste for slabs, naïve' \(v2, of 3\) and 'mm: Quite other' \(v1, of 1\); give one" MBOX="$scratch/mail/two"
cat "${files[@]}" >"$scratch/mail/unnumbered"
refused "both 'mm: Add a taste' and .*as a folder" MBOX="$scratch/mail/unnumbered"
letter 'Re: [PATCH] talk' t 'Nice.' >"$scratch/mail/talk"
refused 'has no patch in it; give' MBOX="$scratch/mail/talk"
printf '<!DOCTYPE html>\n<html><body>prove that you are human</body></html>\n' >"$scratch/mail/page"
refused 'it is a web page' MBOX="$scratch/mail/page"
head -c 300 "$scratch/mail/mixed.mbox.gz" >"$scratch/mail/cut.gz"
refused 'cannot be unpacked' MBOX="$scratch/mail/cut.gz"
: >"$scratch/mail/empty"
refused 'no patch' MBOX="$scratch/mail/empty"
mkdir "$scratch/nothing"
refused 'no patch' MBOX="$scratch/nothing"
refused 'no such mailbox; give' MBOX="$scratch/none"
refused 'names no commits' MBOX="$k@nowhere..HEAD"
refused 'names no commits' MBOX="$scratch/nothing@a..b"
refused 'empty range' MBOX="$k@HEAD..HEAD"
g checkout -q -b side base && g merge -q -m merge --no-ff -s ours elsewhere
refused 'merges in it' MBOX="$k@base..side"
series_patches layout | head -n 1 | xargs -I{} cp {} "$scratch/mail/layout"
refused 'in .* already' MBOX="$scratch/mail/layout"

# What is sent to take all time or memory takes neither, nor more than a line.
bounded() { local start=$SECONDS; refused "$@"; [ $((SECONDS - start)) -lt 240 ] || not_ok "$1: after $((SECONDS - start)) s"; }
head -c 3000000000 /dev/zero | gzip -1 >"$scratch/mail/bomb"
bounded 'more than 64 MiB' MBOX="$scratch/mail/bomb"
head -c 3000000000 /dev/zero | xz -0 -T0 | gzip >"$scratch/mail/bomb"
bounded 'more than 64 MiB' MBOX="$scratch/mail/bomb"
for n in 1 2; do posting "[PATCH $n/9999] mm: One" "$n" c one 'int one;'; done >"$scratch/mail/bomb"
bounded 'lacks 3/9999 4/9999 5/9999 6/9999 7/9999 and 9992 more of v1' MBOX="$scratch/mail/bomb"
{ posting '[PATCH 1/2] mm: One' 1 c one 'int one;'; posting "$(yes '[a] ' | head -n 20000 | tr -d '\n')[PATCH 2/2] x" 2 c two 'int two;'; } >"$scratch/mail/bomb"
bounded 'lacks 2/2' MBOX="$scratch/mail/bomb"
{ printf 'From: x\nSubject: [PATCH 1/2] a\nReferences: <a@b>\n'; (yes ' <c@d>' 2>/dev/null || true) | head -n 2000000; printf '\n---\n'; one 'int one;'; } >"$scratch/mail/bomb"
bounded 'lacks 2/2' MBOX="$scratch/mail/bomb"
(yes $'From a@b Thu Jan  1 00:00:00 2026\nSubject: x\n' 2>/dev/null || true) | head -n 300000 >"$scratch/mail/bomb"
bounded 'more than 2000 mails' MBOX="$scratch/mail/bomb"
{ printf 'From: x\nSubject: [PATCH 1/2] a\n\n---\n--- a/mm/slub.c\n+++ b/mm/slub.c\n'; (yes $'@@ -1,1 +1,1 @@\n-a\n+b' 2>/dev/null || true) | head -n 600000; } >"$scratch/mail/bomb"
bounded 'lacks 2/2' MBOX="$scratch/mail/bomb"
sed -i 's#1/2#1/1#' "$scratch/mail/bomb"
bounded 'does not apply' MBOX="$scratch/mail/bomb"

# Other things than mail are named for what they are.
refused '/proc/self/mem cannot be read: Input/output error' MBOX=/proc/self/mem
printf 'PK\003\004zip' >"$scratch/mail/other"
refused 'archive of zip' MBOX="$scratch/mail/other"
head -c 100000 /dev/urandom | sed '1s/^/x/' >"$scratch/mail/other"
refused 'is no text' MBOX="$scratch/mail/other"
(cd "$scratch" && tar -czPf "$scratch/mail/other" plain/../plain/0001*)
refused 'cannot be unpacked|no patch' MBOX="$scratch/mail/other"
g log -p base..tasty >"$scratch/mail/other"
refused 'a log of several commits' MBOX="$scratch/mail/other"
{ printf 'Subject: [PATCH] x\nFrom: a@b\n\n'; (diff -c "$SOURCE/mm/slab.h" "$SOURCE/mm/slub.c" || true) | head -n 400; } >"$scratch/mail/other"
refused 'context diff' MBOX="$scratch/mail/other"
mkdir "$scratch/names" && cp "${files[0]}" "$scratch/names/"$'a\e[31m.patch' && ln -s "${files[0]}" "$scratch/names/b.patch"
(cd "$scratch" && tar -cf "$scratch/mail/other" names)
refused 'names with control characters' MBOX="$scratch/mail/other"
rm "$scratch/names/a"* && (cd "$scratch" && tar -cf "$scratch/mail/other" names)
refused 'no patch' MBOX="$scratch/mail/other"
{ posting $'[PATCH] mm: \e[31mO\u009bne' 1 c one 'int one;' | sed $'s#mm/slab.h#mm/sl\e[31mab.h#'; } >"$scratch/mail/other"
refused "mm: \[31mOne' does not apply .*mm/sl.?\[31mab.h" MBOX="$scratch/mail/other"
printf '../plain/0001\n' >"$scratch/quilt/series"
refused 'outside of it' MBOX="$scratch/quilt"

# What Kconfig makes of a variant's options is looked at once the kernel is configured.
printf 'CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=3\nCONFIG_E="x y"\n' >"$scratch/a.config"
printf '# CONFIG_A is not set\nCONFIG_B=m\nCONFIG_C=4\nCONFIG_D=y\n# CONFIG_F is not set\nCONFIG_E="x y"\n' >"$scratch/b.config"
holds 'differences of two configurations' test "$(config_differences "$scratch/a.config" "$scratch/b.config" | paste -sd,)" = 'CONFIG_A y n,CONFIG_B n m,CONFIG_C 3 4,CONFIG_D n y'
holds 'common.config has what a measurement needs' test "$(config_differences /dev/null "$top/kernel-patches/configs/common.config" | grep -cE "^CONFIG_($needed_options) n y$")" = "$(tr '|' '\n' <<<"$needed_options" | grep -vcx 'SLUB_TINY\|SLUB_DEBUG_ON')"
holds 'and nothing of it undone' test -z "$(undone_config "$top/kernel-patches/configs/common.config")"
grep -v '^CONFIG_PROC_FS=' "$top/kernel-patches/configs/common.config" >"$scratch/a.config"
holds 'what is gone is undone' test "$(undone_config "$scratch/a.config")" = 'CONFIG_PROC_FS y n'

refused 'MBOX=<mailbox'
refused "NAME='No'" NAME=No MBOX="$scratch/plain"
refused "NAME=''" NAME= MBOX="$scratch/plain"
refused "NAME='../x'" NAME=../x MBOX="$scratch/plain"
refused "NAME='x-7.3'.*version" NAME=x-7.3 MBOX="$scratch/plain"
refused 'NAME=debate is .* a set of variants' NAME=debate MBOX="$scratch/plain"
refused 'NAME=range is taken by .*rm -rf .*range' NAME=range MBOX="$scratch/plain"
refused 'NAME=qpw is taken by .*choose another$' NAME=qpw MBOX="$scratch/plain"
refused "'SLUB_TASTE=y' is no CONFIG_X=value" MBOX="$scratch/plain" KCONFIG='SLUB_TASTE=y'
refused 'has CONFIG_SLUB_TATSE; look' MBOX="$scratch/plain" KCONFIG='CONFIG_SLUB_TASTE=y CONFIG_SLUB_TATSE=y'
for word in SMP=n MODULES=n SLUB_TINY=y SLUB_DEBUG_ON=y HIGH_RES_TIMERS=n; do
	refused "KCONFIG: CONFIG_$word undoes what a measurement needs \(CONFIG_${word%=*}=[yn]\)" MBOX="$scratch/plain" KCONFIG="CONFIG_SLUB_TASTE=y CONFIG_$word"
done
refused 'CONFIG_SLUB_TASTE takes y or n' MBOX="$scratch/plain" KCONFIG=CONFIG_SLUB_TASTE=m
refused 'CONFIG_SLUB_SPICES takes a number' MBOX="$scratch/plain" KCONFIG=CONFIG_SLUB_SPICES=y
refused "BASE: 'qwp' is not known; valid:.* qpw " MBOX="$scratch/plain" BASE=qwp
refused "BASE: 'layout' is not known" MBOX="$scratch/plain" BASE=layout
refused 'at most 60' MBOX="$scratch/plain" TITLE=1234567890123456789012345678901234567890123456789012345678901
refused 'CMDLINE has 1001 characters' MBOX="$scratch/plain" CMDLINE="$(printf 'x%.0s' {1..1001})"
for text in $'a\xffb' $'a\u202eb' $'a\u0085b' $'a\u2028b'; do
	refused 'TITLE: give it in (UTF-8|one line)' MBOX="$scratch/plain" TITLE="$text"
	refused 'CMDLINE: give it in (UTF-8|one line)' MBOX="$scratch/plain" CMDLINE="$text"
done
refused "KCONFIG: '\*' is no CONFIG_X=value" MBOX="$scratch/plain" KCONFIG='*'
refused 'CMDLINE: give it in one line' MBOX="$scratch/plain" CMDLINE=$'a\tb'
# One that is written by hand has no door to come through.
for text in 'title = a b' $'title = a\tb' $'title = a\xffb' $'cmdline = a\e[31m' $'# a\tcomment\ntitle = naïve'; do
	printf '%s\n' "$text" >"$scratch/local/variants/by-hand.variant"
	case $text in 'title = a b' | '#'*) expect 0 '^$' 'a variant file of text' check_variant_file by-hand ;;
	*) expect 2 'by-hand.variant: write it in UTF-8, without tabs' 'one with other bytes' check_variant_file by-hand ;; esac
done
for name in $(variant_names); do [ "$name" = by-hand ] || check_variant_file "$name"; done
rm "$scratch/local/variants/by-hand.variant"
NAME=from-env refused "NAME=''" NAME= MBOX="$scratch/plain"

# Two of one name at once, both past the door.
: >"$scratch/told"
for n in 1 2; do
	{ make_variant NAME=at-once MBOX="$scratch/plain" >>"$scratch/told" || true; } &
done
wait
holds 'of two that register one name at once one does' test "$(grep -c '^variant at-once: 3 patches' "$scratch/told")" = 1
holds 'the other one is told' grep -qE '^sheafbench: NAME=at-once is taken' "$scratch/told"
holds 'and leaves what the first one wrote' test "$(variant_patches at-once | wc -l)" = 3 -a -z "$(find "$scratch/local" -name '.*')"

holds 'the kernel source is as it was' test -z "$(find "$SOURCE" -newer "$scratch/begun" -print -quit)"
finish
