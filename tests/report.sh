#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# report.sh BUILD: the pages, the tables, the mail and the plots of simulated results, complete ones and others that lack something.
# shellcheck disable=SC2016 # jq's own variables
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
	# Without a sum of its own: what a test changes is not what the test is about.
	jq "$2 | del(.sha256)" "$1/summary.json" >"$1/new.json"
	mv "$1/new.json" "$1/summary.json"
}

texts() { sheafreport report "$1" >/dev/null && sheafreport reply "$1" >/dev/null 2>&1; }

# 72 columns of printable ASCII, no blanks at line ends.
mail_safe() { ! LC_ALL=C grep -nE '^.{73,}$|[^ -~]| $' "$1"; }

# The texts in one line each.
line_of() { tr -s ' \n' ' ' <"$1"; }

# The page is short, whatever is in the result; so are the mail and what Results.md would be.
short() {
	[ "$(wc -l <"$1/report.md")" -le 150 ] && [ "$(wc -c <"$1/report.md")" -lt 12000 ] && [ "$(wc -l <"$1/reply.txt")" -le 90 ] &&
		[ "$(sheafreport results-md "$1" | wc -l)" -lt 200 ] && [ -z "$(find "$1/tables" -size +200000c)" ]
}
# Each page says in its first line which question it answers, and is linked.
linked() {
	local file
	for file in "$1"/tables/*.md; do
		head -n 1 "$file" | grep -qE '^# .*\?$' && grep -qF "](tables/${file##*/})" "$1/report.md" || return
	done
}

# equal_tables COLUMNS CSV JSON: both have the same records, and each number of one is the other's. The first columns are text.
equal_tables() {
	LC_ALL=C sort -t , "$2" >"$work/a"
	LC_ALL=C sort -t , "$3" >"$work/b"
	[ -s "$work/a" ] && paste -d , "$work/a" "$work/b" | awk -F , -v keys="$1" '
		NF % 2 { print "columns: " $0; exit wrong = 1 }
		{ for (i = 1; i <= NF / 2; i++) {
			a = $i; b = $(i + NF / 2)
			if (i <= keys || a == "" || b == "" ? a != b : (a - b) ^ 2 > (1e-8 * b) ^ 2 + 1e-24) { print i ": " $0; exit wrong = 1 }
		} }
		END { exit wrong }'
}
rows() { tail -n +2 "$1/tables/$2.csv"; }
csv() { jq -r "$2 | map(. // \"\" | tostring) | join(\",\")" "$1/summary.json"; }
# What is in the tables: no doses, no checks.
shown='([.variants[] | select(.role == "dose" or .role == "check").name]) as $proofs | [.variants[] | select(.role == "baseline").name][0] as $base |'
# The tables for programs against the summary, both ways.
tables_match() {
	rows "$1" effects | cut -d , -f 1-12 >effects.csv
	csv "$1" "$shown"' .effects[] | select((.variant | IN($proofs[]) | not) and (.workload | startswith("flush-") | not))
		| [.target, .metric, .workload, .variant, .baseline_value, .effect, .ci95[0], .ci95[1], (.ratio | if . then 100 * (. - 1) else null end), .p_faster, .p_holm, .layouts]' >effects.json
	equal_tables 4 effects.csv effects.json || return
	rows "$1" variance >variance.csv
	csv "$1" "$shown"' (.effects | map(.workload) | unique) as $seen | .values[] | select(.variant == $base and (.workload | IN($seen[]) and (startswith("flush-") | not)))
		| [.workload, .mean, (.components | .layout, .boot, .run, .sample | if . == null or . < 0 then null else sqrt end)]' >variance.json
	equal_tables 1 variance.csv variance.json || return
	rows "$1" losses >losses.csv
	csv "$1" '.certificate.losses.variants[] | [.variant, .runs, (.kept | if . then 100 * . else null end), (.quiet_share | if . then 100 * . else null end), .noise_ppm]' >losses.json
	equal_tables 1 losses.csv losses.json || return
	[ -f "$1/tables/doses.csv" ] || return 0
	rows "$1" doses >doses.csv
	csv "$1" '.certificate.dose.points[] | [.variant, .dose, .effect, .ci95[0], .ci95[1]]' >doses.json
	equal_tables 1 doses.csv doses.json
}
# The same of what was counted.
counts_match() {
	local sum='def of($c): [.classes[$c[]] // 0] | add; '
	rows "$1" counts | cut -d , -f 1-5 >counts.csv
	csv "$1" "$sum$shown"' ([.variants[] | select(.role == "change" or .role == "baseline").name]) as $in | .counts as $all | $all[] | select(.variant | IN($in[])) | . as $one
		| select(.target != "uml") | ($all[] | select(.variant == $base and .target == $one.target and .workload == $one.workload)) as $from
		| [.target, .workload, .variant, (of(["instructions"]), of(["lock"])) - 0]
		| if .[2] == $base then . else .[3] -= ($from | of(["instructions"])) | .[4] -= ($from | of(["lock"])) end' >counts.json
	equal_tables 3 counts.csv counts.json || return
	rows "$1" symbols >symbols.csv
	csv "$1" "$shown"' ([.variants[] | select(.role == "change").name]) as $in | .counts as $all | $all[] | select(.target == "tcg" and (.variant | IN($in[]))) | . as $one
		| ($all[] | select(.variant == $base and .target == $one.target and .workload == $one.workload)) as $from
		| (($one.symbols + $from.symbols) | keys[] | select(. != "(loop)")) as $s | [($from.symbols[$s].instructions // 0), ($one.symbols[$s].instructions // 0)] | select(.[0] != .[1])
		| [$one.workload, $one.variant, $s, .[0], .[1], .[1] - .[0]]' >symbols.json
	equal_tables 3 symbols.csv symbols.json
}

# page_cell DIR SCHEME COLUMN...: what the answer's table has, as printed.
page_cell() {
	awk -F ' *[|] *' -v scheme="$2" -v columns="${*:3}" '
		$2 == "scheme" { n = split(columns, c, " "); for (i = 1; i <= NF; i++) at[$i] = i; next }
		n && $2 == scheme { for (i = 1; i <= n; i++) { name = c[i]; gsub(/_/, " ", name); s = $at[name]; sub(/ \[[0-9]+\]$/, "", s); printf "%s%s", (i > 1 ? ";" : ""), s }; print ""; exit }' "$1/report.md"
}
# The seven questions, each answered from the page alone: question; scheme; columns; what the summary says.
questions=(
	"What does it cost compiled out?;qpw-n;ticks verdict;times(\"qpw-n\")"
	"What does it cost off?;qpw-off;ticks verdict;times(\"qpw-off\")"
	"What does it cost on?;qpw-on;ticks insn LOCK verdict;times(\"qpw-on\")[0], counted(\"tcg\"; \"qpw-on\")[], times(\"qpw-on\")[1]"
	"What does it cost without sheaves everywhere?;slowpath;ticks verdict;times(\"slowpath\")"
	"Without them on isolated CPUs, whom?;slowpath-isolated;ticks isolated;times(\"slowpath-isolated\")[0], times(\"slowpath-isolated-cpu\")[0]"
	"What does a flush take from an isolated CPU today?;local-trylock;events;flush(\"local-trylock\")"
	"With QPW on?;qpw-on;events;flush(\"qpw-on\")"
	"Without sheaves on isolated CPUs?;slowpath-isolated;events;flush(\"slowpath-isolated\")"
	"What changes on PREEMPT_RT, on?;qpw-on;insn_RT LOCK_RT;counted(\"tcg-rt\"; \"qpw-on\")[]"
	"What changes on PREEMPT_RT, without sheaves?;slowpath;insn_RT LOCK_RT;counted(\"tcg-rt\"; \"slowpath\")[]"
)
# Numbers as the page prints them.
# shellcheck disable=SC2016 # jq's own variables
printed='def near($d): (. * pow(10; $d) | round) as $n | (if $n < 0 then -$n else $n end | tostring) as $t | ("0" * ([$d + 1 - ($t | length), 0] | max) // "") + $t
	| if $d > 0 then .[:-$d] + "." + .[-$d:] else . end | if $n < 0 then "-" + . elif $n > 0 then "+" + . else . end;
def effect($v): [.effects[] | select(.workload == "pair/64/1" and .variant == $v)][0];
def times($v): effect($v) | ["\(.effect | near(2)) [\(.ci95[0] | near(2)), \(.ci95[1] | near(2))]", (.verdict | if . == "within" then "within +-0.5" else . end)];
def classes($t; $v): [.counts[] | select(.target == $t and .variant == $v and .workload == "pair/64/1")][0].classes;
def counted($t; $v): [(classes($t; $v) | .instructions, (.lock // 0)), (classes($t; "local-trylock") | .instructions, (.lock // 0))] | [.[0] - .[2], .[1] - .[3]] | map(near(0));
def flush($v): [.flushes[] | select(.variant == $v and .isolated and .cpus == 1 and .metric != "slow_paths").value] | add | tostring;'
answered() {
	local line want got
	for line in "${questions[@]}"; do
		IFS=';' read -r _ scheme columns _ <<<"$line"
		# shellcheck disable=SC2086 # columns
		got=$(page_cell "$1" "$scheme" $columns)
		want=$(jq -r "$printed [$(cut -d ';' -f 4- <<<"$line")] | flatten | join(\";\")" "$1/summary.json")
		[ "$got" = "$want" ] || { printf '%s: %s, not %s\n' "$line" "$got" "$want"; return 1; }
	done
}

# Each o of the ASCII plot is within a column of its effect, by the axis below it.
plot_true() {
	jq -r '.effects[] | select(.workload == "pair/64/1") | "\(.variant) \(.effect)"' "$1/summary.json" >effects.plot
	awk 'NR == FNR { want[$1] = $2; next }
		/^pair\/64\/1, / { on = 1; next }
		on && /^ +[-+0][0-9.]* +[-+0]/ { low = $1; high = $NF; next }
		on && /^ +[+]-+[+]/ { from = index($0, "+"); to = length($0); exit }
		on && /^ / && index(substr($0, 22), "o") { at[$1] = index(substr($0, 22), "o") + 21 }
		END {
			for (v in at) { off = low + (high - low) * (at[v] - from) / (to - from) - want[v]; points++; if (off ^ 2 > ((high - low) / (to - from)) ^ 2) { print v; wrong = 1 } }
			exit wrong || points < 3
		}' effects.plot "$1/reply.txt"
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
	for script in effects effects-all samples by-size by-n dose layouts; do
		[ "$(head -c 8 "$1/plots/$script.png" | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ] || return 1
		grep -q '</svg>' "$1/plots/$script.svg" || return 1
		! grep -q 'nan' "$1/plots/$script.svg" || return 1
	done
	# 9 points and more where 980 pixels are shown as 800, and none wider.
	grep -oh 'font-size="[0-9.]*"' "$1"/plots/*.svg | tr -dc '0-9.\n' | awk '$1 < 11.5 { small = 1 } END { exit small || !NR }' || return 1
	[ "$(sed -n 's/^ *width="\([0-9]*\)" height=.*/\1/p' "$1"/plots/*.svg | sort -n | tail -n 1)" -le 980 ] || return 1
	[ -z "$(find "$1/plots" -name '.work*')" ]
}

# no_verdict DIR: not one effect is called real, in no document; each row says so, and why stands before the first.
no_verdict() {
	local file
	texts "$1" && sheafreport results-md "$1" >"$1/Results.md" || return 1
	for file in reply.txt report.md Results.md tables/effects.md; do
		! grep -nE '(slower|faster|within [+]-0[.]5|cannot tell [(].*[)]|same code|no verdict)( [|]|[:;.]|$)' "$1/$file" | grep -v '^[0-9]*:| same code' || return 1
		[ "$file" != tables/effects.md ] || continue
		line_of "$1/$file" | grep -qF 'CAUTION: the instrument is not proven in this result, so no effect in it is called real' || return 1
		awk '/CAUTION/ { said = 1 } /unproven( [|])?$/ { seen = 1; exit } END { exit !(said && seen) }' "$1/$file" || return 1
		line_of "$1/$file" | grep -qF -- "$(jq -r '.certificate.why_not[0] // if .rules then "n/a" else "summary.json is of before" end' "$1/summary.json")" || return 1
	done
	[ "$(rows "$1" effects | grep -cv ',unproven$')" = 0 ] && [ "$(rows "$1" answer | grep -c ',unproven$')" -ge 1 ]
}

# drawn DIR: plots, without a warning, and whole.
drawn() {
	expect 0 '^$' "$1: plots, without a warning" "$top/plots/render.sh" "$1"
	holds "$1: plots are whole" plots_drawn "$1"
}
sound() {
	holds "$1: texts" texts "$1"
	holds "$1: reply.txt is fit for mail" mail_safe "$1/reply.txt"
	holds "$1: nothing is long" short "$1"
	holds "$1: each page is linked and has its question" linked "$1"
	holds "$1: the tables are the summary's, both ways" tables_match "$1"
}

simulate full --layouts 8
sound full
drawn full
holds 'full: texts with plots' texts full
holds 'full: the points of the ASCII plot stand where they should' plot_true full
expect 0 '^[0-9]+ parts$' 'full: the mail can be taken apart again' mail_parts full
holds 'full: the mail is small enough' test "$(wc -c <full/reply.eml)" -lt 300000
holds 'full: the plots come first' test "$(grep -o 'filename="[^"]*"' full/reply.eml | head -n 2 | paste -sd ' ')" = 'filename="effects.png" filename="report.md"'
expect 0 'plots/published/effects.png' 'full: Results.md shows its plot' sheafreport results-md full
holds 'full: titles of plots say what was found' test "$(sheafreport plotvars full | grep -cE "^(cost|size|many|all|layout)_finding = '.*(qpw-on (\+[0-9.]+|in [0-9]+)|SD of [0-9.]+ ticks)")" = 5
holds 'full: the command is there in one piece' grep -q 'make bench SEED=1' full/reply.txt
holds 'full: no caution without a cause' test "$(grep -c CAUTION full/reply.txt)" = 0
holds 'full: effects are called by their names' grep -q ' slower$' full/reply.txt
holds 'full: five lines of trust, each with a criterion and a word' test "$(sed -n '/^| line /,/^$/p' full/report.md | grep -cE '^[|] [a-z][^|]* [|] [^|]+ [|] [^|]+ [|] (pass|fail|too imprecise|n/a) [|]$')" = 5
holds 'full: losses by variant' grep -qxE '\| qpw-on \| [0-9]+ \| 100\.0 \| [0-9.]+ \| [0-9]+ \|' full/tables/certificate.md
holds 'full: one boot of a layout tells layouts, boots and runs apart from nothing' grep -qF 'what layouts, boots and runs differ by together' <(line_of full/tables/variance.md)
holds 'full: what few layouts tell is not printed, and the sentence says so' grep -qE 'Not printed: [0-9]+ of [0-9]+ comparisons' <(line_of full/tables/busy.md)
holds 'full: but for programs' test "$(rows full busy | wc -l)" = "$(rows full effects | wc -l)"
expect 0 '^full/report.html$' 'full: a terminal ends with three paths' sheafreport show full
holds 'full: 72 columns in it' mail_safe <(sheafreport show full)
expect 1 '' 'full: not a verdict that is unproven' no_verdict full
holds 'full: no doctor, no findings' grep -q 'environment.json has no findings' full/tables/machine.md
touch full/tables/symbols.md full/tables/notes.txt
texts full
holds 'full: a page of before is gone, and nothing else' test ! -e full/tables/symbols.md -a -e full/tables/notes.txt
rm full/tables/notes.txt
# The check of the tables must be able to fail, either way.
cp -r full lied
change lied '.effects |= map(if .variant == "qpw-on" and .workload == "pair/64/1" then .effect += 1e-6 else . end)'
expect 1 '^6: ' 'a changed number is found' tables_match lied
change lied '.effects |= map(select(.variant != "qpw-on"))'
expect 1 '' 'a record that is gone is found' tables_match lied

# The answer to a mail: its words, and its headers as a mail client sets them.
cat >asked.mbox <<'END'
From nobody Mon Jul 14 10:00:00 2026
From: =?utf-8?q?J=C3=B6rg_Maintainer?= <joerg@example.org>
To: author@example.org, linux-mm@example.org
Cc: "Bob, Jr." <bob@example.org>,
 alice@example.org
Date: Tue, 14 Jul 2026 10:00:00 +0200
Subject: Re: [PATCH v4 0/4] Introduce Per-CPU Work helpers (was QPW)
Message-ID: <question-1@example.org>
References: <20260519012754.240804-1-leobras.c@gmail.com> <x1@example.org>
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

> an old thing

Have you measured the impact of preempt_disable -> spinlock on hot paths like S=
LUB sheaves? It =E2=80=93 really =E2=80=93 matters to everybody else.

--=20
J
END
"$top/harness/request/quote.sh" asked.mbox >asked

# With all variants and targets: the page is as short, and answers.
cp -r full rich
rm -r rich/plots rich/tables
change rich "$(cat "$top/tests/rich.jq")"
sound rich
drawn rich
title=$(jq -r '[.effects[] | select(.workload == "pair/64/1")] as $e | [("qpw-off", "qpw-on", "slowpath") as $v | $e[] | select(.variant == $v and .verdict == "slower") | $v, .effect] + [$e[0].baseline_value] | @tsv' rich/summary.json |
	awk -F '\t' '{ for (i = 1; i < NF; i += 2) printf "%s%s %+.2f", (i > 1 ? ", " : ">"), $i, $(i + 1); printf " ticks per pair/64/1, on %.1f<", $NF }')
holds "rich: titles say what was found: $title" grep -qF "$title" rich/plots/effects.svg
holds 'rich: also of what was counted' grep -qF '>qpw-off +8, qpw-on +34, slowpath +149 instructions per pair/64/1 on x86_64<' rich/plots/counts.svg
holds 'rich: counts.png is not high' test "$(od -An -j20 -N4 -tu1 rich/plots/counts.png | awk '{ print $3 * 256 + $4 }')" -lt 900
holds 'rich: what was counted is the summary'\''s, both ways' counts_match rich
expect 0 '^$' 'rich: the seven questions are answered from the page' answered rich
# With twice as many schemes all is as short; a step that failed is told before anything else, also in the mail.
cp -r rich many
change many 'def more: map(if .variant == "qpw-on" then ., (("qpw-isolated", "qpw-inline", "rtu-note", "rtu-walk", "rtu-defer", "qpw-ask") as $v | .variant = $v) else . end);
	.variants |= map(if .name == "qpw-on" then ., (("qpw-isolated", "qpw-inline", "rtu-note", "rtu-walk", "rtu-defer", "qpw-ask") as $v | .name = $v) else . end)
	| .effects |= more | .values |= more | .counts |= more | .flushes |= more
	| .environment.left_out += ["failed: run: interrupted with 3 of 8 boots done"]'
sound many
holds 'many: a reply to a mail is as short' sh -c 'sheafreport reply many --mail "$PWD/asked" >/dev/null 2>&1; [ "$(wc -l <many/reply.txt)" -le 90 ] && [ "$(grep -c "^>" many/reply.txt)" -ge 2 ]'
for file in report.md reply.txt; do
	holds "many: what failed is told first in $file" test "$(grep -n 'failed: run: interrupted with 3 of 8' "many/$file" | cut -d : -f 1)" -lt "$(grep -n -m 1 -E '^(Asked|Answer):' "many/$file" | cut -d : -f 1)"
done
holds 'many: what was left out is told' grep -qF -- '- Left out: target metal: no machine named' many/report.md
cp -r rich lied2
change lied2 '(.counts[] | select(.variant == "qpw-on" and .target == "tcg-rt").classes.instructions) += 1'
expect 1 'What changes on PREEMPT_RT' 'a changed answer is found' answered lied2
holds 'rich: what is the same is said once' grep -qF 'No difference in any column: qpw-n, slowpath-isolated.' rich/tables/counts.md
holds 'rich: the sentence has who pays' grep -qF 'slowpath-isolated on an isolated CPU by' <(line_of rich/report.md)
holds 'rich: and what a flush takes' grep -qF 'a flush brings upon an isolated CPU 4 events with local-trylock, qpw-n, qpw-off and none with qpw-on, slowpath, slowpath-isolated' <(line_of rich/reply.txt)
holds 'rich: JSON has the same numbers as the CSV' test "$(jq '[.blocks[] | select(.name == "answer").rows[].insn] | add' rich/tables/report.json)" = "$(awk -F , 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "insn") c = i; next } { n += $c } END { print n }' rich/tables/answer.csv)"
# One page without a network: nothing is fetched, each element ends, tables have the numbers.
holds 'rich: report.html needs no network' test "$(grep -ciE '(src|href)=|https?://|@import|url\(' rich/report.html)" = 0
holds 'rich: report.html is small, has a script and a figure with titles' test "$(wc -c <rich/report.html)" -lt 600000 -a "$(grep -c '<script>' rich/report.html)" = 1 -a "$(grep -c '<g data-k' rich/report.html)" -ge 5
holds 'rich: each of its elements that must end does' test "$(for e in table details svg script style; do echo $(($(grep -o "<${e}[ >]" rich/report.html | wc -l) - $(grep -o "</$e>" rich/report.html | wc -l))); done | sort -u)" = 0
holds 'rich: each number of the tables is in it' test "$(grep -c '<td class=n data-v' rich/report.html)" -gt 1000
if [ "$LONG" = yes ] && command -v chromium >/dev/null; then
	sed 's|</html>|<script>document.querySelectorAll("th")[1].click();document.title="first "+document.querySelector("tbody tr td").textContent;const w=document.getElementById("word");w.value="qpw-on";w.oninput({target:w});document.title+=" shown "+[...document.querySelectorAll("tbody tr")].filter(r=>r.style.display!=="none").every(r=>r.textContent.includes("qpw-on"))</script></html>|' rich/report.html >clicked.html
	expect 0 '<title>first qpw-n shown true<' 'rich: tables sort and filter' chromium --headless --no-sandbox --disable-gpu --dump-dom "file://$PWD/clicked.html"
fi
# A series' author has the same for his own series, and only that.
expect 0 '' 'rich: a reply about one series' sheafreport reply rich --series qpw-off
holds 'rich: speaks of no other' test "$(grep -v '^    ' rich/reply.txt | grep -cE 'qpw-(on|n)|slowpath')" = 0 -a "$(grep -c '^qpw-off ' rich/reply.txt)" -ge 1
expect 2 "no change named 'pw-v5' in it; it has: qpw-n qpw-off" 'rich: a series that is not there' sheafreport reply rich --series pw-v5

quoted() { "$top/harness/request/quote.sh" "$1" >asked && sheafreport reply rich --mail "$PWD/asked" 2>/dev/null; }
expect 0 '' 'quoted: a reply to a mail' quoted asked.mbox
holds 'quoted: its words' test "$(grep '^>' rich/reply.txt | paste -sd ' ' | sed 's/ > / /g')" = '> Have you measured the impact of preempt_disable -> spinlock on hot paths like SLUB sheaves? It - really - matters to everybody else.'
holds 'quoted: fit for mail, and short' sh -c '! LC_ALL=C grep -nE "^.{73,}$|[^ -~]| $" rich/reply.txt && [ "$(wc -l <rich/reply.txt)" -le 90 ]'
unfolded() { sed '/^$/,$d' "$1" | sed -e ':a' -e '$!N; s/\n / /; ta' -e 'P;D'; }
for header in 'Subject: Re: [PATCH v4 0/4] Introduce Per-CPU Work helpers (was QPW)' 'To: =?utf-8?q?J=C3=B6rg_Maintainer?= <joerg@example.org>' \
	'Cc: author@example.org, linux-mm@example.org, "Bob, Jr." <bob@example.org>, alice@example.org' 'In-Reply-To: <question-1@example.org>' \
	'References: <20260519012754.240804-1-leobras.c@gmail.com> <x1@example.org> <question-1@example.org>'; do
	holds "quoted: $header" grep -qxF -- "$header" <(unfolded rich/reply.eml)
done
if [ -x "$(git --exec-path)/git-send-email" ] && perl -MMail::Address -e 1 2>/dev/null; then
	expect 0 'Result: OK' 'quoted: git send-email takes it' env HOME="$work" git -c user.name=A -c user.email=a@example.org -c sendemail.confirm=never \
		send-email --dry-run --from='A <a@example.org>' rich/reply.eml
else
	ok 'quoted: git send-email # skip: it is not to be had'
fi
# A thread that our reply is in gives b4 the patches that it gives without: nothing in the reply, or attached, is taken for one.
answered=b4/answered.mbox
mkdir -p b4/alone b4/with
cat >"$answered" <<'END'
From nobody Mon Jul 13 10:00:00 2026
From: Author <author@example.org>
To: linux-mm@example.org
Date: Mon, 13 Jul 2026 10:00:00 +0200
Subject: [PATCH v4] slab: a change
Message-ID: <question-1@example.org>

One line more.

Signed-off-by: Author <author@example.org>
---
 taste | 1 +
 1 file changed, 1 insertion(+)

diff --git a/taste b/taste
index e69de29..7898192 100644
--- a/taste
+++ b/taste
@@ -0,0 +1 @@
+a
-- 
2.40
END
{
	cat "$answered"
	printf '\nFrom nobody Tue Jul 14 12:00:00 2026\nFrom: A <a@example.org>\nDate: Tue, 14 Jul 2026 12:00:00 +0200\nMessage-ID: <reply-1@example.org>\n'
	cat rich/reply.eml
} >b4/thread.mbox
b4_am() { env HOME="$work" GIT_CONFIG_COUNT=3 GIT_CONFIG_KEY_0=b4.attestation-policy GIT_CONFIG_VALUE_0=off \
		GIT_CONFIG_KEY_1=user.name GIT_CONFIG_VALUE_1=A GIT_CONFIG_KEY_2=user.email GIT_CONFIG_VALUE_2=a@example.org b4 --no-interactive --offline-mode am -o "$1" -m "$2" question-1@example.org; }
expect 0 'Total patches: 1' 'quoted: b4 takes the thread without the reply' b4_am b4/alone "$answered"
expect 0 'Analyzing 2 messages' 'quoted: and with it' b4_am b4/with b4/thread.mbox
holds 'quoted: b4 makes the same of both' sh -c 'diff -r b4/alone b4/with && grep -q "^+a$" b4/with/*.mbx'
expect 2 'no such file, and no message-id' 'quoted: nothing of that name' "$top/harness/request/quote.sh" nowhere
cat asked.mbox asked.mbox >two.mbox
expect 2 'holds 2 mails: give one' 'quoted: one mail, not two' "$top/harness/request/quote.sh" two.mbox
grep -v '^Message-ID' asked.mbox >none.mbox
expect 2 'no Message-ID' 'quoted: a mail that cannot be answered' "$top/harness/request/quote.sh" none.mbox
for tool in gzip xz; do
	{ printf '\357\273\277' && cat asked.mbox && printf '\nFrom here Tue Jul 14 2026 10:00:00 it is all one mail.\n'; } | $tool >"packed.$tool"
	expect 0 '' "quoted: packed by $tool, with a byte order mark, and a sentence like the line between mails" quoted "packed.$tool"
	holds 'quoted: is the same' test "$(grep -c '^> Have you measured' rich/reply.txt)" = 1 -a "$(grep -c '^In-Reply-To: <question-1@' rich/reply.eml)" = 1
done
head -c 200 packed.xz >half.xz
expect 2 'QUOTE: half.xz cannot be unpacked' 'quoted: a packed mail that was cut off' "$top/harness/request/quote.sh" half.xz
head -c 100000000 /dev/zero | gzip -1 >bomb.gz
expect 2 'QUOTE: bomb.gz is more than 64 MiB' 'quoted: a small file that unpacks to a large one' "$top/harness/request/quote.sh" bomb.gz
sed $'s/^To: author@example.org/&\\rBcc: x@evil.example\e[31m/' asked.mbox >return.mbox
expect 0 '' 'quoted: a header with a carriage return in it' quoted return.mbox
holds 'quoted: is one header' grep -q '^Cc: author@example.org Bcc: x@evil.example?\[31m,' rich/reply.eml
seq 1 200 | sed 's/^/a long mail has many lines, and so on, and on, and on, and on, and on, and on: /' | cat <(head -n -2 asked.mbox) - >long.mbox
expect 0 '' 'quoted: a long mail' quoted long.mbox
holds 'quoted: is cut, and says so' test "$(wc -l <rich/reply.txt)" -le 90 -a "$(grep -cx '> \[\.\.\.\]' rich/reply.txt)" = 1

simulate shifted --layouts 8 --null-shift 2 --small
expect 0 '' 'shifted: the null fails, no effect is real' no_verdict shifted
holds 'shifted: and no title of a plot says so' test "$(sheafreport plotvars shifted | grep -cE "^(cost|size|many|all)_finding = ''$")" = 4
holds 'shifted: it says which part fails' grep -qE '^[|] null [|].*[|] fail [|]$' shifted/report.md
sound shifted
simulate weak --layouts 8 --dose-slope 0.4 --small
expect 0 '' 'weak: half of the doses is not found, no effect is real' no_verdict weak
simulate undosed --layouts 8 --variants 'local-trylock null qpw-on' --small
expect 0 '' 'undosed: no doses, no effect is real' no_verdict undosed
holds 'undosed: n/a with the reason' grep -q -- '- dose: n/a: no known amount' undosed/reply.txt
sound undosed
simulate blind --layouts 8 --gate-off --variants 'local-trylock null qpw-on' --small
sound blind
holds 'blind: no gate, n/a with the reason' grep -q -- '- gate: n/a: ' blind/tables/certificate.md
simulate small --layouts 2 --small
sound small
cp -r small kernels
change kernels '.environment += {kernel_tree: "v7.2-3-g0123abcd-dirty", kernels: {"local-trylock": "7.2.13 (git-0123abcd)", "qpw-on": "7.3.4 (debian-7.3.4-1)"}}'
sound kernels
for file in report.md reply.txt; do
	holds "kernels: $file says which kernel each variant is" grep -qF 'Kernels: local-trylock is Linux 7.2.13 (git-0123abcd); qpw-on is Linux 7.3.4 (debian-7.3.4-1).' <(line_of kernels/$file)
	expect 1 '' "kernels: $file of one kernel says nothing of the sort" grep 'Kernels:' small/$file
done
holds 'kernels: and so does the list of the variants' grep -qF '; this variant is Linux 7.3.4 (debian-7.3.4-1)' <(line_of kernels/tables/method.md)
holds 'kernels: a git tree has its tag and commit' grep -qF ': Linux 7.2.13 (v7.2-3-g0123abcd-dirty), target uml' <(line_of kernels/report.md)
# What somebody sends is data: nothing in it is done, by gnuplot, a shell, Markdown, a mail or a terminal.
# shellcheck disable=SC2016 # that is the point
title='\u001b]0;x\u0007a\r\n\nsystem \"touch owned\"\n!touch owned\n'"'"'\nsystem '"'"'touch owned'"'"'\n# `touch owned` $(touch owned) ](http://x.example) <img src=x> | end\n'
plotvars_tame() { ! sheafreport plotvars "$1" | grep -vE "^([a-z_]+ = ('([^']|'')*'|[-+.0-9eNa]+)|[#\$\"].*|[-.0-9].*|END)$"; }
# shellcheck disable=SC2016 # backquotes
no_markup() { ! grep -E '(^|[^\])]\(http|<img|(^|[^\])`touch' "$1"; }
no_controls() { ! LC_ALL=C grep '[[:cntrl:]]' "$@"; }
shows_no_controls() {
	sheafreport show "$1" --page all >"$work/shown"
	no_controls "$work/shown"
}
cp -r small hostile
change hostile ".variants |= map(.title = \"$title\" + .name) | .environment.cpu_model = \"$title\" | .estimator.about = \"$title\" | .result = \"$title\"
	| .variants[1].reason = \"$title\" | .variants[1].failed = 1 | .warnings += [\"$title\"]"
holds "hostile: texts" texts hostile
drawn hostile
holds "hostile: reply.txt is fit for mail" mail_safe hostile/reply.txt
holds 'hostile: nothing was done' test -z "$(find . -name owned)"
holds 'hostile: what gnuplot gets says no more than values' plotvars_tame hostile
holds 'hostile: no document controls a terminal' no_controls hostile/report.md hostile/reply.txt hostile/report.html hostile/tables/*.md
holds 'hostile: nor does what is shown' shows_no_controls hostile
holds 'hostile: no markup in Markdown' no_markup hostile/report.md
holds 'hostile: nor in HTML' test "$(grep -c '<img' hostile/report.html)" = 0
change hostile '.effects[1].variant = "x\nsystem"'
expect 1 "effects.1..variant 'x system' is no such name" 'hostile: a name is refused' "$top/plots/render.sh" hostile
# Nor is anything outside of it read, sent, written or removed.
mkdir outside && echo secret >outside/secret && cp outside/secret outside/page.md
for link in tables plots plots/effects.png report.md .hidden; do
	rm -rf linked && cp -r small linked && mkdir -p linked/plots && rm -rf "linked/$link"
	ln -s "$work/outside$([ "$link" != plots/effects.png ] || echo /secret)" "linked/$link"
	for command in report reply plotvars; do
		expect 1 "^sheafreport: linked/$link is neither a file nor a folder" "hostile: $link leads elsewhere, $command" sheafreport "$command" linked
	done
	expect 1 "linked/$link is neither" "hostile: $link leads elsewhere, plots" "$top/plots/render.sh" linked
	holds 'hostile: what is there is as it was' test "$(ls outside)" = $'page.md\nsecret'
done
cp -r full forged
sheafstat summarize --resamples 100 forged
jq '.effects[0].effect += 5' forged/summary.json >forged/new.json
mv forged/new.json forged/summary.json
texts forged
holds 'forged: a summary that was changed says so in a mail and a report' test "$(grep -lF 'CAUTION: this result was changed after it was measured' forged/reply.txt forged/report.md | wc -l)" = 2
# A flush of known cost: 10 us taken with the baseline and 1 with qpw-on, whose pairs are 20 ns dearer.
cp -r full flushed
# shellcheck disable=SC2016 # jq's own variables
change flushed '.environment.clock_khz = 1000000
	| (.effects[] | select(.workload == "pair/64/1" and .variant == "qpw-on")) |= (.effect = 20 | .ci95 = [10, 40])
	| .values += [.values[] | select(.workload == "pair/64/1") | .workload = "flush-shrink/64/2/user" | .mean = 50000 | .ci95 = [40000, 60000]]
	| .effects += [.effects[] | select(.workload == "pair/64/1") | .workload = "flush-shrink/64/2/user"]
	| .values += [.values[] | select(.workload == "pair/64/1") | .workload = "flush-destroy/64/2/fifo" | .mean = 2500000 | .ci95 = [2000000, 3000000]]
	| .counters = [(["local-trylock", 1, 10000, [9000, 11000], null, null], ["qpw-on", 0, 1000, [900, 1100], -9000, [-10000, -8000]]) as [$v, $runs, $ns, $ci, $effect, $effect_ci]
		| {target: "uml", workload: "flush-shrink/64/2/user", variant: $v, layouts: 8} | . + {metric: "kworker_runs", value: $runs, ci95: [$runs, $runs], effect: null, effect_ci95: null},
			. + {metric: "stolen_ns", value: $ns, ci95: $ci, effect: $effect, effect_ci95: $effect_ci},
			. + {workload: "flush-destroy/64/2/fifo", metric: "deadline_passed", value: ($runs / 4), ci95: null, effect: null, effect_ci95: null}]
	| .counters += [.counters[1, 4] | .workload = "flush-none/64/2/user" | .value = 20 | .ci95 = [-80, 120]]'
printf '%s\t17.5\t%s\t%s\t%s\t0.5\t%s\t%s\n' pair/64/1 0.2 1.1 1 0.4 0.02 pair/64/1 0.3 n/a 2 0.1 0 \
	peer-tight/64/1 0.5 1.4 1 0.4 0.1 peer-tight/64/1 0.4 1.2 2 0.3 0 >flushed/peers.tsv
sound flushed
drawn flushed
holds 'flushed: what each scheme takes from a CPU' grep -qxF '| qpw-on | 50.00 [40.00, 60.00] | 0.00 | n/a | n/a | n/a | 1.00 [0.90, 1.10] |' flushed/tables/flushes.md
holds 'flushed: with the baseline too' grep -qxF '| local-trylock | 50.00 [40.00, 60.00] | 1.00 | n/a | n/a | n/a | 10.00 [9.00, 11.00] |' flushed/tables/flushes.md
holds 'flushed: the break-even is saved ns over ns per operation' grep -qxF '| qpw-on | 20.00 [10.00, 40.00] | 1.00 | 50 [25, 100] | 9.00 [8.00, 10.00] | 450 [200, 1000] |' flushed/tables/flushes.md
cp -r flushed astray
change astray '(.counters[] | select(.workload == "flush-none/64/2/user" and .variant == "local-trylock").ci95) = [5, 120]'
texts astray
holds 'astray: no break-even where the control is off' grep -qxF '| qpw-on | 20.00 [10.00, 40.00] | 1.00 | 50 [25, 100] | 9.00 [8.00, 10.00] | n/a: control |' astray/tables/flushes.md
change astray '.counters |= map(select(.workload != "flush-none/64/2/user"))'
texts astray
holds 'astray: nor without one' grep -qxF '| qpw-on | 20.00 [10.00, 40.00] | 1.00 | 50 [25, 100] | 9.00 [8.00, 10.00] | n/a: no control |' astray/tables/flushes.md
holds 'flushed: who waits, and whether the deadline passed' grep -qxF '| local-trylock | 2.50 [2.00, 3.00] | 25 |' flushed/tables/flushes.md
holds 'flushed: a flush is no operation beside the others' sh -c "! grep -q '^| flush-shrink' flushed/tables/effects.md"
holds 'flushed: the trade is drawn' test -s flushed/plots/trade.png -a ! -e full/plots/trade.png
holds 'flushed: and how other loops do' grep -q 'peer-tight/64/1' flushed/plots/peers.svg
holds 'flushed: a deadline that passed is no number' grep -qE '[|] deadline passed( .2.)? [|]' flushed/report.md
# Excursions have a figure of their own, in kmalloc()'s caches, and no place in those of loops.
cp -r full excursed
change excursed '.effects += [.effects[] | select(.workload == "pair/64/1") | ("excursion/64/0", "excursion/64/16", "excursion-caches/64/8/of-100") as $w | .workload = $w | .primary = false | del(.verdict, .no_verdict, .p_primary)]
	| .values += [.values[] | select(.workload == "pair/64/1") | ("excursion/64/0", "excursion/64/16", "excursion-caches/64/8/of-100") as $w | .workload = $w] | .environment.clock_khz = 2000000'
sound excursed
drawn excursed
holds 'excursed: the figure is drawn, where there are any' test -s excursed/plots/decide.png -a ! -e full/plots/decide.png
holds 'excursed: and shown' test "$(cat full/report.md excursed/report.md | grep -c '(plots/decide.png)')" = 1
sheafstat plotdata excursed excursed/data
holds 'excursed: a point per variant and excursion, in ns' awk -F '\t' -v want="$(jq '.effects[] | select(.variant == "qpw-on" and .workload == "pair/64/1").effect' excursed/summary.json)" \
	'/^[0-9]/ && $7 == "\"qpw-on\"" { n++; d = $2 * 2 - want; bad = bad || d * d > 1e-6 } END { exit bad || n != 2 }' excursed/data/decide.dat
expect 1 '' 'excursed: none among loops' grep excursion excursed/data/effects.dat excursed/data/byn.dat excursed/data/counts.dat
cp -r rich crossed
change crossed '[.counts[] | select(.target == "tcg" and .workload == "pair/64/1")] as $pairs | .counts |= map(select(.workload | startswith("excursion") | not)) + [$pairs[] | (0, 16) as $k | .workload = "excursion/64/\($k)"
	| .classes.instructions = 1000 + (if .variant == "qpw-on" then 100 elif .variant == "slowpath" then 200 * $k / 16 else 0 end)]'
expect 0 '^$' 'crossed: the figure, without a warning' "$top/plots/render.sh" crossed
sheafstat plotdata crossed crossed/data
holds 'crossed: lines that cost 100, and 12.5 a pair' grep -qx '8	100	"qpw-on"	"slowpath"	"tcg"' crossed/data/crossings.dat
holds 'crossed: and only these' test "$(grep -c '^[0-9]' crossed/data/crossings.dat)" = 1
# Lines that meet at 16 and part the other way have crossed there; that part as they met have not.
cp -r crossed touching
change touching '[.counts[] | select(.workload == "excursion/64/0")] as $first | .counts |= map(select(.workload | startswith("excursion") | not)) + [$first[] | (0, 16, 64) as $k | .workload = "excursion/64/\($k)"
	| .classes.instructions = 1000 + (if .variant == "qpw-on" then 100 elif .variant == "slowpath" then {"0": 50, "16": 100, "64": 200}["\($k)"] elif .variant == "qpw-off" then {"0": 50, "16": 100, "64": 50}["\($k)"] else 0 end)]'
sheafstat plotdata touching touching/data
holds 'touching: a line crosses where it leaves the other' test "$(grep '^[0-9]' touching/data/crossings.dat)" = "$(printf '16\t100\t"qpw-on"\t"slowpath"\t"tcg"')"
cp -r full claimed
change claimed '.certificate.dose = null'
expect 0 '' 'claimed: a certificate without doses does not hold, whatever it says' no_verdict claimed
# What was made before there were rules is read, and has no verdict, whatever it says of itself: once a slope like that passed.
cp -r full former
change former 'del(.rules, .same_code, .certificate.lines, .certificate.losses, (.effects[] | .ci90, .kept, .primary, .p_primary, .verdict, .no_verdict))
	| .certificate.dose |= (del(.word, .layouts, .with_reference) | .slope = 1.408 | .ci95 = [0.942, 1.873] | .holds = true)
	| .certificate.null |= del(.word, .failed, .spread, .p_missed, .p_narrow, .p_wide, .layouts)'
expect 0 '' 'former: a summary of before there were rules' no_verdict former
holds 'former: and how it is mended' grep -qF 'make it anew with sheafstat summarize' <(line_of former/reply.txt)
expect 0 'make it anew with sheafstat summarize' 'former: in the terminal' bash -c 'sheafreport show former | tr -s " \n" " "'
change full '.environment.findings = ["steal: 1200 ppm; choose another hour", "governor: powersave; performance"] | .environment.steal_ppm = 1200'
texts full
holds 'full: the findings of the doctor' grep -q '^- steal: 1200 ppm; choose another hour$' full/tables/machine.md
holds 'full: and the steal time' grep -q '^| time stolen by the host | 1200 ppm |$' full/tables/machine.md
cat >certify.json <<'END'
{ "schema": 1, "result": "20261122T180000Z-abcdef", "workloads": 17, "layouts_each": 16, "groups": 8,
  "null": { "comparisons": 136, "excluding_zero": 6, "share": 0.0441, "ci95": [0.0164, 0.0936] },
  "dose": { "workload": "pair/64/1", "slope": 1.013, "ci95": [0.982, 1.044], "holds": true },
  "bare": { "workload": "pair/64/1", "effect": 0.12, "ci95": [-0.21, 0.45] },
  "estimators": [ { "name": "quiet-p50", "about": "median of the quiet samples", "chosen": true, "sd_boot": 0.0031, "sd_layout": 0.0125,
                    "null_share": 0.0441, "median_halfwidth": 0.41, "dose_slope": 1.013, "dose_ci95": [0.982, 1.044] },
                  { "name": "min", "about": "smallest sample", "chosen": false, "sd_boot": 0.0052, "sd_layout": 0.0151,
                    "null_share": 0.0882, "median_halfwidth": 0.55, "dose_slope": 0.9, "dose_ci95": null } ],
  "resolution": [ { "minutes": 1, "layouts": 6, "ticks": 0.93 }, { "minutes": 60, "layouts": 256, "ticks": 0.11 } ] }
END
certified() { rm -rf pages && sheafreport results-md full --pages "$PWD/pages" --see pages "$@" >Results && tr -s ' \n' ' ' <pages/certify.md; }
expect 0 '6 of 136 comparisons .* 4\.4 % with a 95 % interval of \[1\.6, 9\.4\] %' 'certify: false alarms' certified --certify certify.json
expect 0 'added to an allocation 1\.013 \[0\.982, 1\.044\]' 'certify: the slope' certified --certify certify.json
expect 0 '[|] 60 [|] 256 [|] 0\.11 [|]' 'certify: the smallest effect' certified --certify certify.json
expect 0 '\+0\.12 \[-0\.21, \+0\.45\]' 'certify: the probes themselves' certified --certify certify.json
expect 0 '[|] quiet-p50 [|] 0\.31 [|] 1\.25 [|] 4\.4 [|] 0\.41 [|] 1\.013 [|] \[0\.982, 1\.044\] [|] chosen [|]' 'certify: the estimators, the chosen one marked' certified --certify certify.json
expect 0 '[|] min .*[|] 0\.900 [|] n/a [|] [|]' 'certify: what is missing is n/a' certified --certify certify.json
holds 'certify: is linked' grep -qF -- '- [certify](pages/certify.md): ' Results
jq '.bare = null | .estimators = null | .resolution = null | .dose = null' certify.json >poor.json
expect 0 'slope: n/a.*probes beside the samples: n/a.*n/a: certify.json does not say.*n/a: certify.json compares no' 'certify: parts that are missing are n/a' certified --certify poor.json
echo '{ "schema": 1,' >cut.json
expect 1 '^sheafreport: cut.json:2: ' 'certify: a damaged file' sheafreport results-md full --certify cut.json
expect 1 'not a certify.json' 'certify: another file' sheafreport results-md full --certify full/environment.json
expect 2 'No such file.*sheafstat certify' 'certify: a missing file' sheafreport results-md full --certify nowhere.json

# Published in a checkout of its own: the page holds no path of where it was made, its links lead somewhere, the samples are read.
publish_in() {
	rm -rf "$1" && mkdir -p "$1" && cp -r "$top"/{harness,plots,docs,kernel-patches,README.md} "$1" && rm -rf "$1/plots/published" &&
		printf '#!/bin/sh\n' >"$1/harness/kernel/supported.sh" && "$1/harness/report/publish.sh" "$build" "$PWD/sampled"
}
links_lead() { (cd "$1" && grep -o '](results/[^)]*)\|plots/published/[^):]*' Results.md | sed 's/^](//; s/)$//' | sort -u | xargs -d '\n' ls >/dev/null); }
cp -r full sampled
printf '#x\nalloc/64/1\t1\nfree/64/1\t2\n' >sampled/samples/local-trylock.0.0.tsv
echo '{}' >sampled/request.json
expect 0 'Results.md, results/published' 'publish' env OUT="$PWD/none" bash -c "$(declare -f publish_in); top='$top' build='$build'; publish_in published"
again() { change sampled ".environment.cpu_model = \"$1\"" && jq ".cpu_model = \"$1\"" sampled/environment.json >new.json && mv new.json sampled/environment.json && published/harness/report/publish.sh "$build" "$PWD/sampled"; }
kept() { (cd published/results/published && echo samples*); }
expect 0 '' 'publish from another CPU' env OUT="$PWD/none" bash -c "$(declare -f again change); build='$build'; again 'Another (R) CPU'"
holds "published: the first CPU's samples are kept: $(kept)" test "$(kept)" = 'samples-simulated-64-core-processor.tar.xz samples.tar.xz'
expect 0 '' 'publish from that one again' env OUT="$PWD/none" bash -c "$(declare -f again change); build='$build'; again 'Another (R) CPU'"
holds "published: with one archive for each CPU: $(kept)" test "$(kept)" = 'samples-simulated-64-core-processor.tar.xz samples.tar.xz'
# shellcheck disable=SC2028 # jq's own escapes
expect 0 '' 'publish from a CPU whose name is none' env OUT="$PWD/none" bash -c "$(declare -f again change); build='$build'; again 'CPU\\n\\n<!-- end of result -->\\n<img src=x>'"
holds 'published: what a name says is one line of README.md, and no markup' test "$(grep -c '<!-- end of result' published/README.md) $(grep -c '<img\|^CPU' published/README.md) $(grep -c ' on CPU' published/README.md)" = '1 0 1'
expect 0 '' 'publish from the other CPU once more' env OUT="$PWD/none" bash -c "$(declare -f again change); build='$build'; again 'Another (R) CPU'"
expect 1 '' 'published: no path of this machine' grep -rF "$work" published/Results.md published/README.md published/results --include=*.md
holds 'published: the page is the first thing' grep -q '^# ' <(head -n 1 published/Results.md)
holds 'published: all links lead somewhere' links_lead published
holds 'published: the samples are linked with the pages' awk '/samples.tar.xz/ { n = NR } /^## Plots/ { exit !(n && n < NR) }' published/Results.md
holds 'published: and kept, those of the certificate' grep -q '^alloc/64/1' <(tar -xJOf published/results/published/samples.tar.xz raw/samples/local-trylock.0.0.tsv)

simulate two --layouts 8 --variants 'local-trylock qpw-on' --small
sound two
holds 'two: says that there is no null comparison' grep -q 'no null comparison' two/reply.txt two/report.md

simulate single --layouts 1 --small
sound single
holds 'single: no interval is printed' test "$(grep -c '|-*o-*|$\|\[[+-][0-9]' single/reply.txt)" = 0
holds 'single: and a certificate that is too imprecise says so' grep -q 'too imprecise' single/report.md
drawn single

simulate broken --layouts 4 --fail 'slowpath' --small
sound broken
drawn broken
holds 'broken: the failed variant is named' grep -q '^## What failed' broken/tables/warnings.md
holds 'broken: on the first page too' grep -q 'of [0-9]* variants failed in part or in whole' broken/report.md
holds 'broken: with its reason' grep -q "$(jq -r '.variants[] | select(.name == "slowpath").reason' broken/summary.json)" <(line_of broken/tables/warnings.md)

simulate one --layouts 4 --small
change one '.effects |= map(select(.workload == "pair/64/1")) | .values |= map(select(.workload == "pair/64/1"))'
sound one

# Counts of two targets, as count.sh writes them.
simulate counted --layouts 4 --small
mkdir counted/counts
counts_of() {
	awk -v more="$1" 'BEGIN { OFS = "\t"; n = split("pair/64/1 free/64/1", w, " ")
		for (i = 1; i <= n; i++) { print w[i], 100, "kfree", "instructions", 6100; print w[i], 100, "kfree", "loads", 2000
			print w[i], 100, "(loop)", "instructions", 700
			if (more) { print w[i], 100, "qpw_trylock", "instructions", more * 100; print w[i], 100, "qpw_trylock", "lock", 100 } } }'
}
counts_of 0 >counted/counts/tcg.local-trylock.tsv
counts_of 0 >counted/counts/tcg.qpw-n.tsv
counts_of 12 >counted/counts/tcg.qpw-on.tsv
counts_of 3 >counted/counts/tcg-rt.local-trylock.tsv
counts_of 3 >counted/counts/tcg-rt.qpw-n.tsv
counts_of 4 >counted/counts/tcg-rt.qpw-on.tsv
counts_of 1 >counted/counts/uml.local-trylock.tsv
counts_of 15 >counted/counts/uml.qpw-on.tsv
mkdir counted/counts/parts
parts_of() { printf 'pair/64/1\t1\t%s\n' "this_cpu	$1" "keys	$2" "rest	$3" >"counted/counts/parts/$4.tsv"; }
parts_of 11 5 45 tcg.local-trylock
parts_of 33 18 11 uml.local-trylock
parts_of 12 5 56 tcg.qpw-on
parts_of 36 24 16 uml.qpw-on
mkdir counted/counts/lines
line_of_source() { printf 'pair/64/1\t100\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$@"; }
{
	line_of_source '(loop)' '(loop)' '' 0 '' '' 700
	line_of_source kfree free_to_pcs mm/slub.c 10 '' 'if (!local_trylock(&s->lock))' 800
	line_of_source kfree kfree mm/slub.c 20 '' '}' 4000
	line_of_source kfree kfree mm/slub.c 30 '' '}' 1000
	line_of_source kfree thunk '' 0 '' '' 300
} >counted/counts/lines/tcg.local-trylock.tsv
{
	line_of_source kfree free_to_pcs mm/slub.c 11 '' 'if (!qpw_trylock(&s->lock))' 600
	line_of_source kfree free_to_pcs mm/slub.c 11 qpw_key_on 'if (!qpw_trylock(&s->lock))' 200
	line_of_source kfree kfree mm/slub.c 25 '' '}' 5000
	line_of_source kfree thunk '' 0 '' '' 300
	line_of_source qpw_trylock qpw_trylock 'lib/a|b.c' 7 '' 'return *p; /* <x> */' 1200
} >counted/counts/lines/tcg.qpw-on.tsv
sheafstat summarize --resamples 100 counted >/dev/null
sound counted
"$top/plots/render.sh" counted
holds 'counted: the tables are the summary'\''s, both ways' counts_match counted
holds 'counted: lines that differ, and no other' test "$(grep '^| qpw-on ' counted/tables/lines.md)" = \
	'| qpw-on | kfree | free_to_pcs mm/slub.c:10 | if (!local_trylock(&s->lock)) |  | 8 | 0 | -8 |
| qpw-on | kfree | free_to_pcs mm/slub.c:11 | if (!qpw_trylock(&s->lock)) |  | 0 | 6 | +6 |
| qpw-on | kfree | free_to_pcs mm/slub.c:11 | if (!qpw_trylock(&s->lock)) | qpw_key_on | 0 | 2 | +2 |
| qpw-on | qpw_trylock | qpw_trylock lib/a\|b.c:7 | return \*p; /\* &lt;x> \*/ |  | 0 | 12 | +12 |'
expect 0 '' 'counted: which add up' jq -e '.counts[] | select(.target == "tcg" and .variant == "qpw-on" and .workload == "pair/64/1") | [.lines[] | .variant - .baseline] | add == 12' counted/summary.json
cp counted/counts/lines/tcg.qpw-on.tsv kept.tsv
line_of_source kfree kfree mm/slub.c x '' '}' 1 >>counted/counts/lines/tcg.qpw-on.tsv
expect 1 'counts/lines/tcg.qpw-on.tsv:6: not workload' 'counted: a damaged line' sheafstat summarize counted
mv kept.tsv counted/counts/lines/tcg.qpw-on.tsv
cp counted/counts/parts/tcg.qpw-on.tsv kept.tsv
echo 'pair/64/1' >>counted/counts/parts/tcg.qpw-on.tsv
expect 1 'counts/parts/tcg.qpw-on.tsv:4: not workload, operations, part and count' 'counted: a damaged part' sheafstat summarize counted
mv kept.tsv counted/counts/parts/tcg.qpw-on.tsv
holds 'counted: uml by part, the baseline' grep -qE '^\| local-trylock \| pair/64/1 \| \+22 \| \+13 \| -34 \| \+1 \|' counted/tables/fidelity.md
holds 'counted: uml by part, a variant' grep -qE '^\| qpw-on \| pair/64/1 \| \+2 \| \+6 \| -6 \| \+2 \|' counted/tables/fidelity.md
holds 'counted: the baseline in full' grep -qE '^\| local-trylock \| 61 \| 0 \| 0 \| 20 \|' counted/tables/counts.md
holds 'counted: the others as differences' grep -qE '^\| qpw-on \| \+12 \| \+1 \| 0 \| 0 \|' counted/tables/counts.md
holds 'counted: where they come from' grep -qE '^\| free/64/1 \| qpw-on \| qpw_trylock \| 0 \| 12 \| \+12 \|' counted/tables/symbols.md
holds 'counted: what is the same is said to be' grep -qF 'The same in every symbol of every workload: qpw-n.' counted/tables/symbols.md
holds 'counted: uml beside x86_64' grep -qE '^\| qpw-on \| pair/64/1 \| 76 \| 73 \| 1.041 \| \+14 \| \+12 \|' counted/tables/fidelity.md
# PREEMPT_RT has its own baseline: counts of one target say nothing of another.
holds 'counted: PREEMPT_RT in full' grep -qE '^\| local-trylock \| 64 \| 1 \| 0 \| 20 \|' <(sed -n '/PREEMPT_RT/,$p' counted/tables/counts.md)
holds 'counted: and as differences' grep -qE '^\| qpw-on \| \+1 \| 0 \| 0 \| 0 \|' <(sed -n '/PREEMPT_RT/,$p' counted/tables/counts.md)
holds 'counted: where they come from there' grep -qE '^\| pair/64/1 \| qpw-on \| qpw_trylock \| 3 \| 4 \| \+1 \|' counted/tables/symbols-rt.md
holds 'counted: what it cannot say' grep -q 'PREEMPT_RT: no time is told, counts only' counted/report.md
holds 'counted: has its plot' test "$(grep -c 'qpw_trylock' counted/plots/counts.svg)" -ge 1
cp -r counted crowded
for file in crowded/counts/tcg*.tsv; do
	sed -n 's#^pair/64/1\(.*\)6100$#pair/512/1\16200#p' "$file" >more.tsv
	cat more.tsv >>"$file"
done
sheafstat summarize --resamples 100 crowded >/dev/null
holds 'crowded: another size is counted' jq -e '[.counts[] | select(.workload == "pair/512/1")] | length > 2' crowded/summary.json
expect 0 '^$' 'crowded: plots' "$top/plots/render.sh" crowded
panels=$(grep -oE '>(x86_64|PREEMPT_RT): [^<]*<' crowded/plots/counts.svg | tr -d '<>' | paste -sd ' ')
holds "crowded: a panel per operation, PREEMPT_RT beside x86_64: $panels" test "$panels" = 'x86_64: pair/64/1 PREEMPT_RT: pair/64/1 x86_64: free/64/1 PREEMPT_RT: free/64/1'
for fidelity in yes no; do
	change counted ".environment.um_fidelity = \"$fidelity\""
	texts counted
	holds "um_fidelity $fidelity: what uml is" grep -qF "$([ $fidelity = yes ] && echo 'slow paths look too cheap' || echo 'static keys, spinlocks and disabled interrupts look too dear')" <(line_of counted/reply.txt)
	holds "um_fidelity $fidelity: what is left" test "$(grep -c 'What is left of them' counted/tables/fidelity.md)" = "$([ $fidelity = yes ] && echo 1 || echo 0)"
done
holds 'without counts there is no page of them' test ! -e full/tables/counts.md

# Of targets that tell no time: not a word of one, and no certificate, in text, summary and terminal.
simulate untimed --layouts 4 --small --variants 'local-trylock qpw-n qpw-on slowpath'
rm untimed/samples/* untimed/runs/*
sed -i '/^#/!d' untimed/boots.tsv
cp -r counted/counts untimed/counts
rm untimed/counts/uml.* untimed/counts/tcg-rt.*
printf 'tcg.slowpath\tKernel panic - not syncing: made up\n' >untimed/counts/failed
jq '. + {tells: "counts", target: "tcg", mitigations: "off (mitigations=off)"}' untimed/environment.json >new.json && mv new.json untimed/environment.json
sheafstat summarize untimed >/dev/null
expect 0 '^$' 'untimed: plots' "$top/plots/render.sh" untimed
holds 'untimed: only that of the counts' test "$(cd untimed/plots && echo *)" = 'counts.png counts.svg'
holds 'untimed: texts' texts untimed
holds 'untimed: reply.txt is fit for mail' mail_safe untimed/reply.txt
sheafreport show untimed --page all >untimed/shown
holds 'untimed: no certificate' jq -e '.certificate == null and (.warnings | all(test("SHA256SUMS"))) and all(.variants[]; .reason == null and .missing == 0)' untimed/summary.json
sheafreport show untimed >untimed/answer
for file in report.md reply.txt shown answer tables/method.md tables/machine.md; do
	expect 1 '' "untimed: not a word of time in $file" \
		grep -niE 'certificat|caution|prove[nd]|verdict|quiet|sibling|interval|layouts|samples|gate|probe|booted|[a-z] timed|TSC|boots? (of|failed)|seed|governor|stolen' <(grep -v '^make bench\|Not in this result' "untimed/$file" | sed '/^Not in this/,/^$/d')
done
holds 'untimed: the counts' grep -qE '^qpw-on +\+12 +\+1$' untimed/reply.txt
holds 'untimed: by symbol' grep -qE '^. pair/64/1 . qpw-on . qpw_trylock . 0 . 12 . .12 .$' untimed/tables/symbols.md
holds 'untimed: in the terminal too' grep -qE '^qpw-on +\+12 +\+1$' untimed/shown
holds 'untimed: more than these' grep -qE '^local-trylock +61 +0$' untimed/shown
holds 'untimed: whether mitigations are off' grep -qF '| mitigations of x86_64 | off (mitigations=off) |' untimed/tables/machine.md
holds 'untimed: what failed' grep -qF 'counts of slowpath (target tcg): Kernel panic - not syncing: made up' <(line_of untimed/tables/warnings.md)
holds 'untimed: and in the terminal' grep -qF 'counts of slowpath (target tcg): Kernel panic' untimed/shown
echo 'tcg slowpath' >untimed/counts/failed
expect 1 'counts/failed:1: not TARGET.VARIANT and reason' 'untimed: a damaged list of failures' sheafstat summarize untimed

# A script that fails costs its own plot only, an older plot is removed, and gnuplot's warnings are printed.
cp -r full hurt
cp -r "$top/plots" scripts
sed -i '1i exit error "made up"' scripts/dose.gp
echo 'plot 1, "nothing"' >>scripts/layouts.gp
mv scripts/effects-all.gp scripts/was
sed 's/^nv = /nv == /' scripts/was >scripts/effects-all.gp
status=0
scripts/render.sh hurt 2>hurt.log || status=$?
holds 'hurt: it fails' test "$status" = 1
holds 'hurt: what is not drawn is named' grep -qE '^render.sh: gnuplot effects-all.gp failed: .*; not drawn: effects-all.png effects-all.svg dose.png dose.svg$' hurt.log
holds 'hurt: with the line' grep -qE 'gnuplot effects-all.gp failed: .*line [0-9]+: ' hurt.log
holds 'hurt: or with what the script says' grep -qE 'gnuplot dose.gp failed: .*made up$' hurt.log
holds 'hurt: a warning is told' grep -qE 'gnuplot layouts.gp: .*: warning: Cannot find or open file "nothing"' hurt.log
holds 'hurt: all others are drawn, and none is an older one' test "$(cd hurt/plots && echo *.png)" = "$(cd full/plots && echo *.png | sed 's/ dose.png//;s/ effects-all.png//')"

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

cp -r full bare
change bare '.environment = {} | .estimator = null | .certificate = null | .effects = []'
echo '{ "target": "uml" }' >bare/environment.json
rm -r bare/plots
holds 'bare: texts' texts bare
holds 'bare: reply.txt is fit for mail' mail_safe bare/reply.txt
drawn bare
holds 'bare: says what is missing' grep -q 'n/a (environment.json has no kernel_version)' bare/tables/machine.md
holds 'bare: and no number is made up' test "$(grep -c '0 ticks\|nan\|(null)' bare/report.md bare/reply.txt | grep -vc ':0$')" = 0

expect 2 '^sheafreport: [^ ]*nowhere/summary.json: No such file' 'a missing folder' sheafreport report nowhere
mkdir -p damaged
printf '{ "schema": 1,' >damaged/summary.json
expect 1 '^sheafreport: damaged/summary.json:1: ' 'a damaged summary' sheafreport reply damaged
expect 2 '^usage: ' 'an unknown command' sheafreport print full
expect 2 'no summary.json' 'plots of nothing' "$top/plots/render.sh" nowhere
expect 1 'cannot write standard output' 'a full disk' sh -c 'sheafreport results-md full >/dev/full'

# The gnuplot of Debian 12 is 5.4, that of 13 is 6.0: the one that is not this machine's draws the same, and has nothing to say.
texts_in() { sed -n 's|.*<text>\(.*\)</text>.*|\1|p' "$1" | LC_ALL=C sort | grep .; }
same_texts() {
	local file
	for file in "$1"/plots/*.svg; do
		texts_in "$file" >"$work/texts" && texts_in "$2/plots/${file##*/}" | diff "$work/texts" - || return
	done
}
other=bookworm
[[ $(gnuplot --version) != 'gnuplot 5.'* ]] || other=trixie
if programs=$(. "$top/harness/host/debian.sh" && own_program "$other" gnuplot-nox usr/bin/gnuplot-nox gnuplot); then
	# Panels whose points lie far apart.
	cp -r full uneven
	change uneven '.values |= map(if .workload | startswith("free/") then .mean *= 20 | .ci95 |= map(. * 20) else . end)'
	"$top/plots/render.sh" uneven
	for result in uneven rich bare; do
		cp -r "$result" "other-$result"
		rm "other-$result"/plots/*
		expect 0 '^$' "$result: plots of $other's gnuplot, without a warning" env PATH="$programs:$PATH" "$top/plots/render.sh" "other-$result"
		holds "$result: as many" test "$(ls "$result/plots")" = "$(ls "other-$result/plots")"
		expect 0 '' "$result: with the same axes and words" same_texts "$result" "other-$result"
	done
else
	ok "plots of $other's gnuplot # skip: it is not to be had"
fi
finish
