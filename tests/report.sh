#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# report.sh BUILD: the texts, the mail and the plots of simulated results, complete ones and others that lack something.
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

# Rows of the brief tables: workload, variant, difference, low, high as printed.
brief_rows() {
	awk '/^[^ ]+ \(target [^ ]+\), .*:$/ { workload = $1; next }
		/^variant  / { inside = workload != ""; next }
		/^$/ { if (inside) { inside = 0; workload = "" } next }
		inside && !/baseline$/ { gsub(/[][,]/, ""); print workload, $1, $2, $3 == "n/a" ? "n/a" : $3 " " $4 }' "$1"
}

full_rows() {
	awk -F ' [|] ' '/^[|] [^ ]+\/[0-9]+\// && NF == 10 { sub(/^[|] /, "", $1); gsub(/[][,]/, "", $5)
		print $1, $2, $4, $5 }' "$1"
}

# Effects of the variants that may be in the tables: no doses, no checks.
json_rows() {
	jq -r '[.variants[] | select(.role == "dose" or .role == "check").name] as $proofs | .effects[]
		| select(.variant | IN($proofs[]) | not) | [.workload, .variant, .effect,
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
		NR == FNR { for (i = 3; i <= 5; i++) want[$1, $2, i] = $i; known[$1, $2] = 1; next }
		{ rows++; if (!known[$1, $2]) exit wrong = 1 }
		{ for (i = 3; i <= 5; i++) if ($i != "" && bad($i, want[$1, $2, i])) { print; wrong = 1 } }
		END { exit wrong || rows < least }' "$3" "$2"
}

numbers_match() {
	json_rows "$1/summary.json" >"$work/rows.json"
	brief_rows "$1/reply.txt" >"$work/rows.brief"
	full_rows "$1/report.md" >"$work/rows.full"
	equal "$2" "$work/rows.brief" "$work/rows.json" && equal "$(wc -l <"$work/rows.json")" "$work/rows.full" "$work/rows.json"
}

# Each o of the ASCII plot is within a column of its effect, by the axis above it.
plot_true() {
	json_rows "$1/summary.json" >"$work/rows.json"
	awk 'NR == FNR { want[$1, $2] = $3; next }
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
	for script in effects effects-all samples by-size by-n dose layouts; do
		[ "$(head -c 8 "$1/plots/$script.png" | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ] || return 1
		grep -q '</svg>' "$1/plots/$script.svg" || return 1
		! grep -q 'nan' "$1/plots/$script.svg" || return 1
	done
	[ -z "$(find "$1/plots" -name '.work*')" ]
}

# What the parts of the certificate read like, in one line.
line_of() { tr -s ' \n' ' ' <"$1"; }

# no_verdict DIR: not one effect is called real, in no document; each row says so, and why stands before the first.
no_verdict() {
	local file
	texts "$1" && sheafreport results-md "$1" >"$1/Results.md" || return 1
	for file in reply.txt report.md Results.md; do
		! grep -nE '(slower|faster|within [+]-0[.]5|cannot tell [(].*[)]|same code|no verdict)( [|]|[:;.]|$)' "$1/$file" || return 1
		awk '/^CAUTION: the instrument is not proven/ { said = 1 } /unproven( [|])?$/ { exit !said }' "$1/$file" || return 1
		line_of "$1/$file" | grep -qF -- "- $(jq -r '.certificate.why_not[0] // if .rules then "n/a" else "summary.json is of before" end' "$1/summary.json")" || return 1
	done
	brief_rows "$1/reply.txt" >"$work/rows.brief"
	[ "$(grep -c 'unproven$' "$1/reply.txt")" -ge "$(wc -l <"$work/rows.brief")" ] &&
		[ "$(grep -c '[|] unproven [|]$' "$1/report.md")" -gt "$(full_rows "$1/report.md" | wc -l)" ]
}

# The table of doses: variant, dose, effect and interval of each point, and the slope in words.
doses_match() {
	jq -r '.certificate.dose | .points[] | [.variant, .dose, .effect, .ci95[]] | map(tostring) | join(" ")' "$1/summary.json" >"$work/points.json"
	awk '/^variant  cycles added/ { on = 1; next } /^$/ { on = 0 } on { gsub(/[][,]/, ""); print }' "$1/reply.txt" >"$work/points.text"
	[ "$(wc -l <"$work/points.text")" = 4 ] &&
		paste -d ' ' "$work/points.json" "$work/points.text" | awk '
			{ for (i = 2; i <= 5; i++) if (($i - $(i + 5)) ^ 2 > 0.0051 ^ 2) exit wrong = 1 }
			$1 != $6 { exit wrong = 1 }
			END { exit wrong }' &&
		line_of "$1/reply.txt" | grep -qF "$(jq -r '.certificate.dose.slope' "$1/summary.json" | xargs printf 'added to an allocation %.3f [')"
}

# The deviations are the square roots of the components: ~0 for a component below 0, n/a without repeats.
components_match() {
	jq -r '.values[] | select(.variant == "local-trylock") | [.workload, (.components | .layout, .boot, .run, .sample)]
		| map(if . == null then "n/a" else tostring end) | join(" ")' "$1/summary.json" | sort >"$work/parts.json"
	awk -F ' [|] ' 'NF == 6 && /^[|] [^ ]+\/[0-9]+\// { sub(/^[|] /, "", $1); sub(/ [|]$/, "", $6); print $1, $3, $4, $5, $6 }' "$1/report.md" | sort >"$work/parts.text"
	[ -s "$work/parts.text" ] && join "$work/parts.json" "$work/parts.text" | awk '
		{ for (i = 2; i <= 5; i++) {
			want = $i == "n/a" ? "n/a" : $i < 0 ? "~0" : sprintf("%.2f", sqrt($i))
			if (want != $(i + 4)) { print; wrong = 1 }
		} }
		END { exit wrong || NR < '"$(jq '[.effects[].workload] | unique | length' "$1/summary.json")"' }'
}

# poor NAME: texts, columns, numbers and plots of the result in folder NAME.
sound() {
	holds "$1: texts" texts "$1"
	holds "$1: reply.txt is fit for mail" mail_safe "$1/reply.txt"
	expect 0 '^$' "$1: plots, without a warning" "$top/plots/render.sh" "$1"
	holds "$1: plots are whole" plots_drawn "$1"
}

simulate full --layouts 8
sound full
holds 'full: texts with plots' texts full
holds 'full: printed numbers are those of the summary' numbers_match full 25
holds 'full: the points of the ASCII plot stand where they should' plot_true full
expect 0 '^(9|10) parts$' 'full: the mail can be taken apart again' mail_parts full
holds 'full: the mail is small enough' test "$(wc -c <full/reply.eml)" -lt 300000
expect 0 'plots/published/effects.png' 'full: Results.md links its plots' sheafreport results-md full
holds 'full: the command is there in one piece' grep -q 'make bench SEED=1' full/reply.txt
holds 'full: no caution without a cause' test "$(grep -c CAUTION full/reply.txt)" = 0

holds 'full: effects are called by their names' grep -q ' slower$' full/reply.txt
expect 0 '' 'full: known and found doses' doses_match full
expect 0 '' 'full: components of variance' components_match full
holds 'full: the contended state has a table' grep -q '^variant .*busy sibling .*layouts$' full/reply.txt
holds 'full: the first number is the certificate'\''s' test "$(grep -n -m 1 '^- null: ' full/reply.txt | cut -d : -f 1)" -lt "$(grep -n '^In short' full/reply.txt | cut -d : -f 1)"
expect 1 '' 'full: not a verdict that is unproven' no_verdict full
holds 'full: no doctor, no findings' grep -q 'environment.json has no findings' full/report.md

simulate shifted --layouts 8 --null-shift 2
expect 0 '' 'shifted: the null fails, no effect is real' no_verdict shifted
holds 'shifted: it says which part fails' grep -q ': fail$' <(line_of shifted/reply.txt | sed 's/ - /\n/g' | grep '^null')
sound shifted
holds 'full: each line of the certificate has its criterion and its word' test "$(line_of full/report.md | grep -oE -- '- (null|dose|losses): [^*]*' | grep -oE 'Wanted: [^:]*: (pass|fail|too imprecise)' | wc -l)" = 3
holds 'full: no column for one boot of the stock layout' test "$(grep -c 'stock' full/report.md full/reply.txt | grep -vc ':0$')" = "$(grep -lE 'stock layout, without' full/report.md full/reply.txt | wc -l)"
holds 'full: losses by variant' grep -qxE '\| qpw-on \| [0-9]+ \| 100\.0 \| [0-9.]+ \| [0-9]+ \|' full/report.md
holds 'full: one boot of a layout tells layouts, boots and runs apart from nothing' grep -qF 'what layouts, boots and runs differ by together' <(line_of full/report.md)
simulate weak --layouts 8 --dose-slope 0.4
expect 0 '' 'weak: half of the doses is not found, no effect is real' no_verdict weak
simulate undosed --layouts 8 --variants 'local-trylock null qpw-on'
expect 0 '' 'undosed: no doses, no effect is real' no_verdict undosed
holds 'undosed: n/a with the reason' grep -q -- '- dose: n/a: no known amount' undosed/reply.txt
sound undosed
simulate blind --layouts 8 --gate-off --variants 'local-trylock null qpw-on'
sound blind
holds 'blind: no gate, n/a with the reason' grep -q -- '- gate: n/a: ' blind/reply.txt
holds 'blind: no contended state, n/a' grep -q '^n/a: no variant and its baseline have two layouts' blind/reply.txt
simulate small --layouts 2 --small
sound small
# What somebody sends is data: nothing in it is done, by gnuplot, a shell, Markdown, a mail or a terminal.
# shellcheck disable=SC2016 # that is the point
title='\u001b]0;x\u0007a\r\n\nsystem \"touch owned\"\n!touch owned\n'"'"'\nsystem '"'"'touch owned'"'"'\n# `touch owned` $(touch owned) ](http://x.example) <img src=x> | end\n'
plotvars_tame() { ! sheafreport plotvars "$1" | grep -vE "^([a-z_]+ = ('([^']|'')*'|[-+.0-9eNa]+)|[#\$\"].*|[-.0-9].*|END)$"; }
# shellcheck disable=SC2016 # backquotes
no_markup() { ! grep -E '(^|[^\])]\(http|<img|(^|[^\])`touch' "$1"; }
no_controls() { ! LC_ALL=C grep '[[:cntrl:]]' "$@"; }
shows_no_controls() {
	sheafstat show "$1" >"$work/shown"
	no_controls "$work/shown"
}
cp -r small hostile
change hostile ".variants |= map(.title = \"$title\" + .name) | .environment.cpu_model = \"$title\" | .estimator.about = \"$title\" | .result = \"$title\"
	| .variants[1].reason = \"$title\" | .variants[1].failed = 1 | .warnings += [\"$title\"]"
sound hostile
holds 'hostile: nothing was done' test -z "$(find . -name owned)"
holds 'hostile: what gnuplot gets says no more than values' plotvars_tame hostile
holds 'hostile: no document controls a terminal' no_controls hostile/report.md hostile/reply.txt
holds 'hostile: nor does what is shown' shows_no_controls hostile
holds 'hostile: no markup in Markdown' no_markup hostile/report.md
change hostile '.effects[1].variant = "x\nsystem"'
expect 1 "effects.1..variant 'x system' is no such name" 'hostile: a name is refused' "$top/plots/render.sh" hostile
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
holds 'flushed: what each scheme takes from a CPU' grep -qxF '| qpw-on | 50.00 [40.00, 60.00] | 0.00 | n/a | n/a | n/a | 1.00 [0.90, 1.10] |' flushed/report.md
holds 'flushed: with the baseline too' grep -qxF '| local-trylock | 50.00 [40.00, 60.00] | 1.00 | n/a | n/a | n/a | 10.00 [9.00, 11.00] |' flushed/report.md
holds 'flushed: the break-even is saved ns over ns per operation' grep -qxF '| qpw-on | 20.00 [10.00, 40.00] | 1.00 | 50 [25, 100] | 9.00 [8.00, 10.00] | 450 [200, 1000] |' flushed/report.md
holds 'flushed: in a mail for each us of an interruption' grep -qxE 'qpw-on +20\.00 +1\.00 +50 \[25, 100\]' flushed/reply.txt
cp -r flushed astray
change astray '(.counters[] | select(.workload == "flush-none/64/2/user" and .variant == "local-trylock").ci95) = [5, 120]'
texts astray
holds 'astray: no break-even where the control is off' grep -qxF '| qpw-on | 20.00 [10.00, 40.00] | 1.00 | 50 [25, 100] | 9.00 [8.00, 10.00] | n/a: control |' astray/report.md
change astray '.counters |= map(select(.workload != "flush-none/64/2/user"))'
texts astray
holds 'astray: the question is answered without one' grep -qF 'With QPW on? (qpw-on): 0.00 [0.00, 0.00] runs of a kworker, 1000 [900, 1100] ns per flush and CPU (flush-shrink/64/2/user).' <(tr -s ' \n' ' ' <astray/report.md)
holds 'astray: nor without one' grep -qxF '| qpw-on | 20.00 [10.00, 40.00] | 1.00 | 50 [25, 100] | 9.00 [8.00, 10.00] | n/a: no control |' astray/report.md
holds 'flushed: the questions are answered' grep -qF 'With QPW on? (qpw-on): 0.00 [0.00, 0.00] runs of a kworker, 1000 [900, 1100] ns per flush and CPU (flush-shrink/64/2/user); certificate: without a flush 20 [-80, 120] ns.' <(tr -s ' \n' ' ' <flushed/report.md)
holds 'flushed: with what is lost without a flush, where that is known' grep -qF '(local-trylock): 1.00 [1.00, 1.00] runs of a kworker, 10000 [9000, 11000] ns per flush and CPU (flush-shrink/64/2/user); certificate: without a flush 20 [-80, 120] ns.' <(tr -s ' \n' ' ' <flushed/report.md)
holds 'flushed: and what is not known is n/a' grep -qF 'slowpath-isolated-cpu): n/a, not in this result.' <(tr -s ' \n' ' ' <flushed/report.md)
holds 'flushed: who waits, and whether the deadline passed' grep -qxF '| local-trylock | 2.50 [2.00, 3.00] | 25 % |' flushed/report.md
holds 'flushed: or that it did not' grep -qxE 'qpw-on +2\.50 +0 %' flushed/reply.txt
holds 'flushed: a flush is no operation beside the others' sh -c "! grep -q '^| flush-shrink' flushed/report.md"
holds 'flushed: the trade is drawn' test -s flushed/plots/trade.png -a ! -e full/plots/trade.png
holds 'flushed: and how other loops do' grep -q 'peer-tight/64/1' flushed/plots/peers.svg
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
expect 0 'of before there were fixed rules' 'former: in the terminal' sheafstat show former
change full '.environment.findings = ["steal: 1200 ppm; choose another hour", "governor: powersave; performance"] | .environment.steal_ppm = 1200'
texts full
holds 'full: the findings of the doctor' grep -q '^- steal: 1200 ppm; choose another hour$' full/reply.txt full/report.md
holds 'full: and the steal time' grep -q '^| time stolen by the host | 1200 ppm |$' full/report.md
change full '.environment.findings = []'
texts full
holds 'full: nothing found, nothing mailed' test "$(grep -c 'state of the machine' full/reply.txt)" = 0

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
certified() { sheafreport results-md full "$@" | tr -s ' \n' ' '; }
expect 0 '6 of 136 comparisons .* 4\.4 % with a 95 % interval of \[1\.6, 9\.4\] %' 'certify: false alarms' certified --certify certify.json
expect 0 'added to an allocation 1\.013 \[0\.982, 1\.044\]' 'certify: the slope' certified --certify certify.json
expect 0 '[|] 60 [|] 256 [|] 0\.11 [|]' 'certify: the smallest effect' certified --certify certify.json
expect 0 '\+0\.12 \[-0\.21, \+0\.45\]' 'certify: the probes themselves' certified --certify certify.json
expect 0 '[|] quiet-p50 [|] 0\.31 [|] 1\.25 [|] 4\.4 [|] 0\.41 [|] 1\.013 [|] \[0\.982, 1\.044\] [|] chosen [|]' 'certify: the estimators, the chosen one marked' certified --certify certify.json
expect 0 '[|] min .*[|] 0\.900 [|] n/a [|] [|]' 'certify: what is missing is n/a' certified --certify certify.json
expect 0 'n/a: no certify.json was given' 'certify: none' certified
jq '.bare = null | .estimators = null | .resolution = null | .dose = null' certify.json >poor.json
expect 0 'slope: n/a.*probes beside the samples: n/a.*n/a: certify.json does not say.*n/a: certify.json compares no' 'certify: parts that are missing are n/a' certified --certify poor.json
echo '{ "schema": 1,' >cut.json
expect 1 '^sheafreport: cut.json:2: ' 'certify: a damaged file' sheafreport results-md full --certify cut.json
expect 1 'not a certify.json' 'certify: another file' sheafreport results-md full --certify full/environment.json
expect 2 'No such file.*sheafstat certify' 'certify: a missing file' sheafreport results-md full --certify nowhere.json
expect 2 '^usage: ' 'certify: not for a mail' sheafreport reply full --certify certify.json

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
holds 'counted: lines that differ, and no other' test "$(sed -n '/^## By source line/,/^## /p' counted/report.md | grep '^| qpw-on ')" = \
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
holds 'counted: uml by part, the baseline' grep -qE '^\| local-trylock \| pair/64/1 \| \+22 \| \+13 \| -34 \| \+1 \|' counted/report.md
holds 'counted: uml by part, a variant' grep -qE '^\| qpw-on \| pair/64/1 \| \+2 \| \+6 \| -6 \| \+2 \|' counted/report.md
holds 'counted: and in the mail' grep -qE '^qpw-on +\+2 +\+6 +-6 +\+2$' counted/reply.txt
holds 'counted: the baseline in full' grep -qE '^\| local-trylock \| 61 \| 0 \| 0 \| 20 \|' counted/report.md
holds 'counted: the others as differences' grep -qE '^\| qpw-on \| \+12 \| \+1 \| 0 \| 0 \|' counted/report.md
holds 'counted: where they come from' grep -qE '^\| free/64/1 \| qpw-on \| qpw_trylock \| 0 \| 12 \| \+12 \|' counted/report.md
holds 'counted: what is the same is said to be' grep -qF -- '- qpw-n: the same in every symbol of every workload.' counted/report.md
holds 'counted: uml beside x86_64' grep -qE '^\| qpw-on \| pair/64/1 \| 76 \| 73 \| 1.041 \| \+14 \| \+12 \|' counted/report.md
holds 'counted: one workload in the mail' test "$(grep -c '(target tcg), counts per operation' counted/reply.txt)" = 1
# PREEMPT_RT has sections of its own, with its own baseline: counts of one target say nothing of another.
section() { sed -n "/^## $1\$/,/^## /p" "counted/report.md"; }
for title in '' ': PREEMPT_RT'; do
	holds "counted: the section$title" test "$(section "Counted, not timed$title" | grep -cF '| local-trylock |')" = 2
	holds "counted: by symbol$title" test "$(section "Where the instructions come from$title" | grep -c '^| pair/64/1 | qpw-on |')" = 1
done
holds 'counted: PREEMPT_RT in full' grep -qE '^\| local-trylock \| 64 \| 1 \| 0 \| 20 \|' <(section 'Counted, not timed: PREEMPT_RT')
holds 'counted: and as differences' grep -qE '^\| qpw-on \| \+1 \| 0 \| 0 \| 0 \|' <(section 'Counted, not timed: PREEMPT_RT')
holds 'counted: where they come from there' grep -qE '^\| pair/64/1 \| qpw-on \| qpw_trylock \| 3 \| 4 \| \+1 \|' <(section 'Where the instructions come from: PREEMPT_RT')
holds 'counted: what is the same there' grep -qF -- '- qpw-n: the same in every symbol of every workload.' <(section 'Where the instructions come from: PREEMPT_RT')
holds 'counted: PREEMPT_RT in the mail too' grep -qF '(target tcg-rt), counts per operation' counted/reply.txt
for answer in 'The same on PREEMPT_RT, counted (local-trylock): pair/64/1 executes 64 instructions, 1 of them LOCKed.' \
	'On PREEMPT_RT (qpw-n): 0 instructions, 0 LOCKed.' 'On PREEMPT_RT (qpw-on): +1 instructions, 0 LOCKed.'; do
	holds "counted: the question: $answer" grep -qF -- "- $answer" <(section 'The questions' | tr -s '\n ' ' ')
done
holds 'counted: what it cannot say' grep -q 'only counts of PREEMPT_RT' <(tr -s '\n ' ' ' <counted/report.md)
holds 'counted: no question without flushes or PREEMPT_RT' test "$(grep -c '^## The questions' full/report.md)" = 0
holds 'counted: has its plot' test "$(grep -c 'qpw_trylock' counted/plots/counts.svg)" -ge 1
cp -r counted crowded
for file in crowded/counts/tcg*.tsv; do
	sed -n 's#^pair/64/1\(.*\)6100$#pair/512/1\16200#p' "$file" >more.tsv
	cat more.tsv >>"$file"
done
sheafstat summarize --resamples 100 crowded >/dev/null
holds 'crowded: another size is counted' jq -e '[.counts[] | select(.workload == "pair/512/1")] | length > 2' crowded/summary.json
expect 0 '^$' 'crowded: plots' "$top/plots/render.sh" crowded
panels=$(grep -oE '>[a-z:-]+/[0-9]+/1<' crowded/plots/counts.svg | tr -d '<>' | paste -sd ' ')
holds "crowded: a panel per operation, PREEMPT_RT's last: $panels" test "$panels" = 'pair/64/1 free/64/1 tcg-rt:pair/64/1 tcg-rt:free/64/1'
for fidelity in yes no; do
	change counted ".environment.um_fidelity = \"$fidelity\""
	texts counted
	holds "um_fidelity $fidelity: what uml is" test "$(tr -s '\n ' ' ' <counted/report.md | grep -oE 'arch/um is [a-z]+|What is left of them' | paste -sd ,)" = \
		"$([ $fidelity = yes ] && echo 'What is left of them,arch/um is patched' || echo 'arch/um is as')"
done
expect 1 '' 'without counts there is no word of them' grep -q 'Counted, not timed' full/report.md

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
sheafstat show untimed >untimed/shown
holds 'untimed: no certificate' jq -e '.certificate == null and (.warnings | all(test("SHA256SUMS"))) and all(.variants[]; .reason == null and .missing == 0)' untimed/summary.json
for file in report.md reply.txt shown; do
	expect 1 '' "untimed: not a word of time in $file" \
		grep -niE 'certificat|caution|prove[nd]|verdict|quiet|sibling|interval|layouts|samples|gate|probe|booted|[a-z] timed|TSC|boots? (of|failed)|seed|governor|stolen' <(grep -v 'Counted, not timed' "untimed/$file")
done
holds 'untimed: the counts' grep -qE '^qpw-on +\+12 +\+1 ' untimed/reply.txt
holds 'untimed: by symbol' grep -qE '^qpw-on +qpw_trylock +0 +12 +\+12$' untimed/reply.txt
holds 'untimed: in the terminal too' grep -qE '^  qpw-on +73 +\+12 +1$' untimed/shown
holds 'untimed: whether mitigations are off' grep -qF '| mitigations of x86_64 | off (mitigations=off) |' untimed/report.md
for file in report.md reply.txt; do
	holds "untimed: what failed is in $file" grep -qF 'counts of slowpath (target tcg): Kernel panic - not syncing: made up' <(line_of "untimed/$file")
done
holds 'untimed: and in the terminal' grep -qF 'not counted: slowpath (target tcg): Kernel panic' untimed/shown
echo 'tcg slowpath' >untimed/counts/failed
expect 1 'counts/failed:1: not TARGET.VARIANT and reason' 'untimed: a damaged list of failures' sheafstat summarize untimed

# A script that fails costs its own plot only, an older plot is removed, and gnuplot's warnings are printed.
cp -r full hurt
cp -r "$top/plots" scripts
sed -i '1i exit error "made up"' scripts/dose.gp
echo 'stats "nothing" nooutput' >>scripts/layouts.gp
mv scripts/effects-all.gp scripts/was
sed 's/^nv = /nv == /' scripts/was >scripts/effects-all.gp
expect 1 '^render.sh: gnuplot effects-all.gp failed: .*; not drawn: effects-all.png effects-all.svg dose.png dose.svg$' 'hurt: what is not drawn is named' scripts/render.sh hurt
expect 1 'gnuplot effects-all.gp failed: .*line [0-9]+: ' 'hurt: with the line' scripts/render.sh hurt
expect 1 'gnuplot dose.gp failed: .*made up$' 'hurt: or with what the script says' scripts/render.sh hurt
expect 1 'gnuplot layouts.gp: .*: warning: Cannot find or open file "nothing"' 'hurt: a warning is told' scripts/render.sh hurt
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
	for result in full uneven flushed crowded single broken bare eight; do
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
