#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# report.sh BUILD: the texts, the mail and the plots of simulated results, whole ones and poor ones.
set -euo pipefail
. "$(dirname "$0")/check.sh"
build=$(cd "$1" && pwd)
PATH=$build:$PATH
export BUILD=$build
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# simulate DIR OPTION...: a result with its summary and an environment as a run writes it.
simulate() {
	local dir=$1
	shift
	make_result "$@" "$dir" >/dev/null
	sheafstat summarize --resamples 100 "$dir" >/dev/null
	change "$dir" '.environment += {date: "2026-11-22T14:01:02Z", kernel_version: "7.2.13", cpu_model: "A CPU",
		boots: 1, samples: 400, commit: "0123abcd", sheaf_capacity: 60, barn_sheaves: 10,
		command: "make bench SEED=1 LAYOUTS=8 BOOTS=1 SAMPLES=400 VARIANTS=\"local-trylock null qpw-n\" TARGETS=uml"}'
}

# change DIR FILTER: edits summary.json with jq.
change() {
	jq "$2" "$1/summary.json" >"$1/new.json"
	mv "$1/new.json" "$1/summary.json"
}

texts() { sheafreport report "$1" >/dev/null && sheafreport reply "$1" >/dev/null 2>&1; }

# 72 columns of printable ASCII, no blanks at line ends.
mail_safe() { ! LC_ALL=C grep -nE '^.{73,}$|[^ -~]| $' "$1"; }

# Rows of the brief tables: workload, variant, value, difference, low, high as printed.
brief_rows() {
	awk '/^[^ ]+ \(target [^ ]+\), .*:$/ { workload = $1; next }
		/^variant  / { inside = workload != ""; next }
		/^$/ { if (inside) { inside = 0; workload = "" } next }
		inside && !/baseline$/ { gsub(/[][,]/, ""); print workload, $1, $2, $3, $4, $4 == "n/a" ? "" : $5 }' "$1"
}

full_rows() {
	awk -F ' [|] ' '/^[|] [^ ]+\/[0-9]+\// && NF == 10 { sub(/^[|] /, "", $1); gsub(/[][,]/, "", $5)
		print $1, $2, $3 + $4, $4, $5 ($5 == "n/a" ? " " : "") }' "$1"
}

json_rows() {
	jq -r '.effects[] | [.workload, .variant, .baseline_value + .effect, .effect,
		(.ci95 // ["n/a", ""])[0], (.ci95 // ["n/a", ""])[1]] | map(tostring) | join(" ")' "$1"
}

# equal LEAST PRINTED JSON: at least LEAST rows, and each printed number is the result's, rounded as printed.
equal() {
	awk -v least="$1" '
		function bad(a, b,  d) {
			if (a == "n/a" || b == "n/a") return a != b
			d = index(a, ".") ? length(a) - index(a, ".") : 0
			return (a - b > 0 ? a - b : b - a) > 0.5 * 10 ^ -d + 1e-6 * (b < 0 ? -b : b)
		}
		NR == FNR { for (i = 3; i <= 6; i++) want[$1, $2, i] = $i; known[$1, $2] = 1; next }
		{ rows++; if (!known[$1, $2]) exit wrong = 1 }
		{ for (i = first; i <= 6; i++) if ($i != "" && bad($i, want[$1, $2, i])) { print; wrong = 1 } }
		END { exit wrong || rows < least }' first="$4" "$3" "$2"
}

numbers_match() {
	json_rows "$1/summary.json" >"$work/rows.json"
	brief_rows "$1/reply.txt" >"$work/rows.brief"
	full_rows "$1/report.md" >"$work/rows.full"
	equal "$2" "$work/rows.brief" "$work/rows.json" 3 && equal "$(jq '.effects | length' "$1/summary.json")" "$work/rows.full" "$work/rows.json" 4
}

# Each o of the ASCII plot stands within a column of its effect, as the axis above it reads.
plot_true() {
	json_rows "$1/summary.json" >"$work/rows.json"
	awk 'NR == FNR { want[$1, $2] = $4; next }
		!axis && /^ +[-+][0-9.]+ / { low = $1; high = $NF; next }
		!axis && /^ +[+]-+[+]/ { from = index($0, "+"); to = length($0); axis = 1; next }
		axis && /^ +[-+][0-9.]+ / { exit }
		axis && /^[^ ]/ { workload = $1; next }
		axis && /^ / && (col = index(substr($0, from), "o")) {
			at = low + (high - low) * (col - 1) / (to - from)
			off = at - want[workload, $1]
			if (off * off > ((high - low) / (to - from)) ^ 2) { print; wrong = 1 }
			points++
		}
		END { exit wrong || points < 20 }' "$work/rows.json" "$1/reply.txt"
}

# Takes the mail apart; each attachment must be the file that it was made of.
mail_parts() {
	perl -MMIME::Base64 -MMIME::QuotedPrint -e '
		my ($dir) = @ARGV;
		local $/;
		sub file { open(my $f, "<:raw", $_[0]) or die "$_[0]: $!\n"; my $s = <$f>; $s }
		my ($head, $rest) = split(/\n\n/, file("$dir/reply.eml"), 2);
		my %head = map { /^([^:]+): (.*)$/ or die "header: $_\n"; ($1, $2) } split(/\n/, $head);
		my $id = "<20260519012754.240804-1-leobras.c\@gmail.com>";
		$head{"In-Reply-To"} eq $id && $head{"References"} eq $id or die "thread\n";
		$head{"Subject"} =~ /^Re: \[PATCH v4 0\/4\] / && $head{"MIME-Version"} eq "1.0" or die "head\n";
		die "sender\n" if grep { exists $head{$_} } qw(From To Cc Sender Message-ID);
		$head{"Content-Type"} =~ /^multipart\/mixed; boundary="(.*)"$/ or die "type\n";
		my $b = quotemeta($1);
		my (undef, @parts) = split(/^--$b\n/m, $rest);
		$parts[-1] =~ s/\n--$b--\n\z// or die "no end\n";
		die "long line\n" if grep { length > 76 } split(/\n/, $rest);
		my $n = 0;
		for (@parts) {
			my ($h, $body) = split(/\n\n/, $_, 2);
			$body =~ s/\n\z// if $_ ne $parts[-1];
			my ($enc) = $h =~ /^Content-Transfer-Encoding: (.*)$/m;
			my ($name) = $h =~ /filename="([^"]+)"/;
			$name //= "reply.txt";
			$body = decode_base64($body) if $enc eq "base64";
			$body = decode_qp($body) if $enc eq "quoted-printable";
			my $path = $name =~ /png$/ ? "$dir/plots/$name" : "$dir/$name";
			if ($name eq "summary.json") {
				open(my $f, ">", "$dir/mailed.json"); print $f $body;
			} else {
				$body eq file($path) or die "$name differs\n";
			}
			$n++;
		}
		print "$n parts\n";' "$1"
}

plots_drawn() {
	local script
	for script in effects effects-all samples by-size by-n; do
		[ "$(head -c 8 "$1/plots/$script.png" | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ] || return 1
		grep -q '</svg>' "$1/plots/$script.svg" || return 1
		! grep -q 'nan' "$1/plots/$script.svg" || return 1
	done
	[ -z "$(find "$1/plots" -name '.work*')" ]
}

# poor NAME: texts, columns, numbers and plots of the result in folder NAME.
sound() {
	holds "$1: texts" texts "$1"
	holds "$1: reply.txt is fit for mail" mail_safe "$1/reply.txt"
	holds "$1: plots" "$top/plots/render.sh" "$1"
	holds "$1: plots are whole" plots_drawn "$1"
}

simulate full --layouts 8
sound full
holds 'full: texts with plots' texts full
holds 'full: printed numbers are those of the summary' numbers_match full 25
holds 'full: the points of the ASCII plot stand where they should' plot_true full
expect 0 '^[7-8] parts$' 'full: the mail can be taken apart again' mail_parts full
holds 'full: the mail is small enough' test "$(wc -c <full/reply.eml)" -lt 300000
expect 0 'plots/published/effects.png' 'full: Results.md links its plots' sheafreport results-md full
holds 'full: the command is there in one piece' grep -q 'make bench SEED=1' full/reply.txt
holds 'full: no caution without a cause' test "$(grep -c CAUTION full/reply.txt)" = 0

# The check of the numbers must be able to fail.
cp -r full lied
change lied '.effects |= map(if .variant == "qpw-on" and .workload == "pair/64/1" then .effect += 0.02 else . end)'
expect 1 '' 'a changed number is found' numbers_match lied 25

simulate two --layouts 8 --variants 'local-trylock qpw-on'
sound two
holds 'two: says that there is no null comparison' grep -q 'no null comparison' two/reply.txt

simulate single --layouts 1
sound single
holds 'single: no interval is printed' test "$(grep -c '|--*o--*|$\|\[[+-][0-9]' single/reply.txt)" = 0
holds 'single: and it says why' grep -q 'CAUTION: no intervals' single/reply.txt
holds 'single: missing values are n/a' numbers_match single 25

simulate broken --layouts 4 --fail 'slowpath'
sound broken
holds 'broken: the failed variant is named' grep -q '^## What failed' broken/report.md
holds 'broken: with its reason' grep -q "$(jq -r '.variants[] | select(.name == "slowpath").reason' broken/summary.json)" <(tr -s ' \n' ' ' <broken/report.md)

simulate one --layouts 4 --small
change one '.effects |= map(select(.workload == "pair/64/1")) | .values |= map(select(.workload == "pair/64/1"))'
sound one

cp -r full alarmed
change alarmed '.certificate.null.excluding_zero = 20'
texts alarmed
holds 'alarmed: the first lines warn' grep -q '^CAUTION: the null comparison' <(head -n 8 alarmed/report.md)

cp -r full long
rm -r long/plots
change long '(.variants[] | select(.name == "qpw-on") | .name) = "pw-v5-inlined-and-with-a-name-that-nobody-should-give"
	| (.effects[] | select(.variant == "qpw-on") | .variant) = "pw-v5-inlined-and-with-a-name-that-nobody-should-give"
	| (.values[] | select(.variant == "qpw-on") | .variant) = "pw-v5-inlined-and-with-a-name-that-nobody-should-give"
	| (.variants[] | .title) |= "µ-benchmark – " + . + " and so on"
	| .environment.cpu_model = "Ein langer Prozessorname™ mit Zeichen, die es in ASCII nicht gibt: äöü, und noch etwas mehr"
	| .environment.command += " OUT=/" + ("x" * 90)'
sound long

cp -r full eight
rm -r eight/plots
change eight '.variants |= (map(if .name == "qpw-on" then ., (.name = "slowpath-isolated"), (.name = "x") else . end))
	| .effects |= (map(if .variant == "qpw-on" then ., (.variant = "slowpath-isolated"), (.variant = "x") else . end))
	| .values |= (map(if .variant == "qpw-on" then ., (.variant = "slowpath-isolated"), (.variant = "x") else . end))'
sound eight
holds 'eight: printed numbers are those of the summary' numbers_match eight 35

cp -r full bare
change bare '.environment = {} | .estimator = null | .certificate = null | .effects = []'
echo '{ "target": "uml" }' >bare/environment.json
rm -r bare/plots
sound bare
holds 'bare: says what is missing' grep -q 'n/a (environment.json has no kernel_version)' bare/report.md
holds 'bare: and no number is made up' test "$(grep -c '0 ticks\|nan\|(null)' bare/report.md bare/reply.txt | grep -vc ':0$')" = 0

expect 2 '^sheafreport: [^ ]*nowhere/summary.json: No such file' 'a missing folder' sheafreport report nowhere
mkdir -p damaged
printf '{ "schema": 1,' >damaged/summary.json
expect 1 '^sheafreport: damaged/summary.json:1: ' 'a damaged summary' sheafreport reply damaged
expect 2 '^usage: ' 'an unknown command' sheafreport print full
expect 2 'no summary.json' 'plots of nothing' "$top/plots/render.sh" nowhere
expect 1 'cannot write standard output' 'a full disk' sh -c 'sheafreport results-md full >/dev/full'
finish
