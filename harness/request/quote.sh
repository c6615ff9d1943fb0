#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# quote.sh MAILBOX | MESSAGE-ID: prints what a reply to that mail needs: the headers of the reply, a blank line, and the words
# of the mail in UTF-8. Its patch is left out.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
file=$1 id=
if [ ! -f "$file" ]; then
	id=${1#<} id=${id%>}
	file=$(thread_of QUOTE "$1" "$work")
fi
# One file per mail; a file without a mailbox's From line is one mail. mail.awk knows where each begins.
mkdir "$work/mails"
unpack QUOTE "$file" "$work"
[ "$(stat -c %s "$work/text")" -le "$most_bytes" ] || die 2 "QUOTE: $1 is more than $((most_bytes >> 20)) MiB of mail; give the one that is answered alone"
tr -d '\000' <"$work/text" >"$work/plain"
LC_ALL=C awk -v step=lines -f "$top/harness/request/mail.awk" "$work/plain" >"$work/lines"
git mailsplit -b --mboxrd -o"$work/mails" -- "$work/lines" >/dev/null 2>&1 || die 2 "QUOTE=$1: git cannot read it as a mailbox"

# header FILE NAME: its value in one line, folded lines joined. The names of headers have no case.
header() {
	awk -v name="$2" '
		{ sub(/\r$/, "") }
		/^$/ { exit }
		/^[ \t]/ { if (on) { sub(/^[ \t]+/, " "); value = value $0 } next }
		{ on = 0 }
		!done && tolower(substr($0, 1, length(name) + 1)) == tolower(name) ":" { on = done = 1; value = substr($0, length(name) + 2); sub(/^[ \t]+/, "", value) }
		END { print value }' "$1"
}

mails=("$work"/mails/*)
if [ -n "$id" ]; then
	for mail in "${mails[@]}"; do
		[ "$(header "$mail" Message-ID)" != "<$id>" ] || mails=("$mail")
	done
fi
[ ${#mails[@]} = 1 ] || die 2 "QUOTE=$1 holds ${#mails[@]} mails: give one with the mail that is answered alone"
mail=${mails[0]}
message=$(header "$mail" Message-ID | grep -oE '<[^<> ]+>' | head -n 1) || die 2 "QUOTE=$1: the mail has no Message-ID, so nothing can be a reply to it"
from=$(header "$mail" From)
[ -n "$from" ] || die 2 "QUOTE=$1: the mail has no From"
git mailinfo -k --encoding=UTF-8 "$work/words" "$work/patch" <"$mail" >"$work/info" 2>/dev/null || die 2 "QUOTE=$1: git cannot read the mail"

subject=$(header "$mail" Subject)
[[ ${subject,,} == re:* ]] || subject="Re: $subject"
to=$(header "$mail" Reply-To)
references=$(header "$mail" References)
[ -n "$references" ] || references=$(header "$mail" In-Reply-To | grep -oE '<[^<> ]+>' | head -n 1 || true)
# All that were written to, once each: who is answered, then the others.
others=$(printf '%s, %s' "$(header "$mail" To)" "$(header "$mail" Cc)" | sed 's/^, //; s/, $//')
who=$(sed -n 's/^Author: //p' "$work/info")
date=$(header "$mail" Date)
printf 'Subject: %s\nTo: %s\n' "$subject" "${to:-$from}"
[ -z "$others" ] || printf 'Cc: %s\n' "$others"
printf 'In-Reply-To: %s\nReferences: %s\nWrote: %s\n\n' "$message" "${references:+$references }$message" \
	"${date:+On $date, }${who:-$from}"
cat "$work/words"
