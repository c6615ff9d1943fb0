#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# steps.sh RESULT.part [STEP [ARGUMENT]]: all steps from kernels to report, in their order, or one of them. What was asked for
# is in the result's request.json, and nowhere else. A step that fails does not stop the others; the report and the exit status
# tell of it. Status 75 is a step that could not write: everything stops, and the same command goes on from there.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$top/harness/request/variants.sh"

part=$(realpath "$1") step=${2-all}
# The request's values, and what was derived from them.
eval "$(jq -r '(.values + {GOAL: .goal, TARGET: .target, TELLS: .tells}) | to_entries[] | select(.key | test("\\A[A-Z_]+\\z")) | "export \(.key)=\(.value | @sh)"' "$part/request.json")"
SOURCE=$CACHE/source/$(jq -r .source "$part/request.json")
SOURCES=$(jq -r '.sources // {} | to_entries | map("\(.key)=\(.value)") | join(" ")' "$part/request.json")
export SOURCE SOURCES part
. "$top/harness/targets/$TARGET.sh"

trap 'out_of_room "$part" $?' EXIT

# The first variant of each build, the baseline's first.
builds() { rows "$part/variants.tsv" | awk -F "$rs" '{ print ($2 == "baseline" ? 0 : 1), $1, $7 }' | sort -s -n -k1,1 | awk '!seen[$3]++ { print $2 }'; }
build_of() { rows "$part/variants.tsv" | awk -F "$rs" -v v="$1" '$1 == v { print $7 }'; }
build() { "$top/harness/kernel/build.sh" "$@"; }

# take STEP: does it, and records why it failed.
failed() { printf '%s\t%s\n' "$1" "$2" >>"$part/failed"; }
take() {
	local status=0 words=$part/last-words
	rm -f "$words"
	LAST_WORDS=$words "$0" "$part" "$@" || status=$?
	# What there is so far is reported all the same.
	if [ "$status" -ge 128 ] && grep -q '	ok	' "$part/boots.tsv"; then
		failed "$1" "interrupted, with $(grep -vc '^#' "$part/boots.tsv") of $(grep -vc '^#' "$part/plan.tsv") boots done"
		if tell_failures && step_report; then say "  what there is so far: $part/report.md"; fi
	fi
	[[ $status != 75 && $status -lt 128 ]] || exit "$status"
	[ "$status" = 0 ] || failed "$*" "$(head -n 1 "$words" 2>/dev/null || echo "status $status")"
	rm -f "$words"
}

# What is the same code as the baseline's, in the loops of kmalloc() and kfree() at least.
tell_same_code() {
	local variant role same workloads workload
	printf '# variant\tworkload\tfunctions\n'
	rows "$part/variants.tsv" | while IFS=$rs read -r variant role _; do
		[ "$role" = change ] || continue
		same=$(build same "$variant")
		case $same in
		all) printf '%s\t*\tall of mm/slub.o\n' "$variant" ;;&
		slow*) workloads='^(batch-)?(pair|alloc|free)/' ;;
		fast*) workloads='^(pair|alloc|free)/[0-9]+/1$' ;; # one object stays within its sheaf
		*) continue ;;
		esac
		for workload in $("$BUILD/sheafbench-driver" --list --workloads "$WORKLOADS" | grep -E "$workloads"); do
			printf '%s\t%s\t%s\n' "$variant" "$workload" "${same#* }"
		done
	done
}
step_same() {
	tell_same_code >"$part/same-code.tsv.new"
	mv "$part/same-code.tsv.new" "$part/same-code.tsv"
}

# Adds what has failed so far to the environment's list of what was left out.
tell_failures() {
	jq --rawfile failed "$part/failed" '.left_out = ([.left_out[] | select(startswith("failed: ") | not)] +
		($failed | split("\n") | map(select(. != "") | "failed: " + sub("\t"; ": "))))' "$part/environment.json" >"$part/environment.json.new"
	mv "$part/environment.json.new" "$part/environment.json"
	# Of what is measured so far; after the last time nothing changes it.
	"$BUILD/sheafstat" sums "$part"
	"$BUILD/sheafstat" summarize --equal "$EQUAL" "$part"
}

step_tree() {
	[ "$(build id "$1")" = "$(build_of "$1")" ] || die 1 "variant $1, its patches or the compiler were changed since this request began; give the command again"
	build tree "$1"
}

# Links the layouts of one build, and makes the initramfs of its guests.
step_links() {
	local id module pads
	id=$(build_of "$1")
	mapfile -t pads < <(rows "$part/plan.tsv" | awk -F "$rs" -v id="$id" '$6 == id { print $5 }' | sort -nu)
	build link "$1" "${pads[@]}"
	module=$(build module "$1")
	mkdir -p "$part/initramfs"
	guest_initramfs "$part/initramfs/$id.cpio" "$module"
}

# Links all builds in parallel. Progress is the number of images that exist.
step_kernels() {
	local images had guard start status=0 variant todo log=$part/consoles/kernels.log
	mapfile -t todo < <(builds)
	for variant in "${todo[@]}"; do
		take tree "$variant"
		[ "$variant" != "${todo[0]}" ] || build trees "${todo[@]}" || true
	done
	start=$SECONDS # trees are no layouts: they would be in the time that is left, and in what a link takes
	mapfile -t images < <(rows "$part/plan.tsv" | awk -F "$rs" -v k="$CACHE/kernels/$target_config" -v image="${target_image_kept:-image}" '!seen[$6, $5]++ { print k "/" $6 "/" image "." $5 }')
	count() { local n=0 f; for f in "${images[@]}"; do [ ! -f "$f" ] || n=$((n + 1)); done; echo "$n"; }
	had=$(count)
	# shellcheck disable=SC2317 # followed calls them
	linked() { echo $(($(count) - had)); }
	guard=$(helper_program guard)
	# shellcheck disable=SC2317
	at_once() { printf '%s\n' "${todo[@]}" | "$guard" 100000 xargs -P "$JOBS" -I{} "$0" "$part" links {}; }
	followed layouts $((${#images[@]} - had)) linked "$log" at_once || status=$?
	[ "$status" = 0 ] || { grep -v '^  layout' "$log" >&2; die 1 "$(sed -n 's/^sheafbench: //p' "$log" | head -n 1)"; }
	say "  ${#images[@]} kernels, $((${#images[@]} - had)) of them linked now: $((SECONDS - start)) s"
	# Seconds per link, with its share of modules and the like; a few links would not tell.
	[ $((${#images[@]} - had)) -lt 8 ] ||
		awk -v s=$((SECONDS - start)) -v n=$((${#images[@]} - had)) 'BEGIN { printf "%.2f\n", s / n }' >"$part/links.seconds"
}

planned() { rows "$part/plan.tsv" | awk -F "$rs" -v column="$1" '$column > n { n = $column } END { print n + 0 }'; }

# more_layouts N: the plan gets N layouts; what is new is linked and booted.
more_layouts() {
	"$BUILD/sheafstat" plan --seed "$SEED" --layouts "$1" --boots "$BOOTS" --variants "$part/variants.tsv" --extend "$part/plan.tsv" -o "$part/plan.tsv"
	"$0" "$part" kernels
	"$top/harness/boots/run.sh" "$part"
}

# What is known so far, on the terminal and in the result's files.
tell_so_far() {
	# There are no plots yet to be told of.
	tell_failures && step_report 2>/dev/null || return 0
	say "  so far, with $(planned 3)$([ -n "$MINUTES" ] || echo " of $LAYOUTS") layouts (provisional; all of it: $part/report.md):"
	jq -r '[.variants[] | select(.role == "change").name] as $changes | .effects[] | select(.ci95 and IN(.variant; $changes[]) and (.workload | test("^pair/64/1$|^pair-spaced/64/24$"))) |
		[.workload, .variant, .effect, .ci95[]] | @tsv' "$part/summary.json" | LC_ALL=C awk -F '\t' '{ printf "    %-18s %-22s %+8.2f ticks [%+.2f, %+.2f]\n", $1, $2, $3, $4, $5 }' >&2
}

# With MINUTES: seconds that boots may still take. Counts get a third of them.
minutes_left() {
	local thirds=3
	[[ $GOAL != bench || " $TARGETS " != *" tcg"* ]] || thirds=2
	echo $((BEGAN + MINUTES * 20 * thirds - $(date +%s)))
}

step_run() {
	local answer layouts width variant more last=4 took start=$SECONDS
	use_machine exclusive
	"$top/harness/boots/run.sh" "$part"
	if [ -n "$MINUTES" ]; then
		tell_so_far
		took=$((SECONDS - start))
		# Layouts are added by what the last ones took, with their links.
		while more=$(($(minutes_left) * last / (took > 0 ? took : 1))) layouts=$(planned 3) && [ "$more" -ge 1 ] && [ "$layouts" -lt 256 ]; do
			last=$((more < 8 ? more : 8)) start=$SECONDS
			more_layouts $((layouts + last < 256 ? layouts + last : 256))
			took=$((SECONDS - start))
			tell_so_far
		done
	elif [ "$(planned 3)" -lt "$LAYOUTS" ]; then
		tell_so_far
		more_layouts "$LAYOUTS"
	fi
	# Only the widths of the intervals decide whether there are more layouts, never the effects.
	while [ -n "$PRECISION" ] && [ $(($(planned 4) + 1)) = "$BOOTS" ]; do
		answer=$("$BUILD/sheafstat" precision "$part" --width "$PRECISION" --most "$MOST")
		read -r layouts width variant <<<"$answer"
		say "  half-width of the 95 % interval: $width ticks ($variant), wanted $PRECISION: $layouts layouts"
		[ "$layouts" -gt "$(planned 3)" ] || break
		more_layouts "$layouts"
	done
	# What a neighbour's work drowned is booted again, later: whether there are values decides, never which.
	while [ -z "$MINUTES" ] || [ "$(minutes_left)" -gt 0 ]; do
		more=$("$BUILD/sheafstat" again --boots "$BOOTS" --seed "$SEED" "$part")
		[ "$more" -gt 0 ] || break
		say "  $more boots brought too few quiet samples: they are done again"
		"$top/harness/boots/run.sh" "$part"
	done
}

step_counts() { "$top/harness/trace/count.sh" "$part"; }

step_plots() { "$top/plots/render.sh" "$part"; }

step_report() {
	"$BUILD/sheafreport" report "$part" >/dev/null
	"$BUILD/sheafreport" reply "$part" >/dev/null
}

step_finish() {
	local result=${part%.part} link=latest failures
	case $GOAL in certify) link=certified ;; peers) link=peers ;; esac
	{
		printf '# build\tpad\tsymbol\taddress\n'
		[ "$TELLS" = counts ] || rows "$part/plan.tsv" | awk -F "$rs" '!seen[$6, $5]++ { print $6, $5 }' | while read -r id pad; do
			awk -v OFS='\t' -v id="$id" -v pad="$pad" '{ print id, pad, $1, $2 }' "$CACHE/kernels/$target_config/$id/symbols.$pad" 2>/dev/null || true
		done
	} >"$part/layouts.tsv"
	failures=$(awk -F '\t' '$1 !~ /^#/ && $5 == "failed" && !seen[$2]++ { print "sheafbench: variant " $2 " failed: " $8 }' "$part/boots.tsv"
		sed 's/^\([^\t]*\)\t/sheafbench: counts of \1 failed: /' "$part/counts/failed" 2>/dev/null || true
		sed 's/^\([^\t]*\)\t/sheafbench: \1 failed: /' "$part/failed")
	rm -rf "$part/initramfs" "$part/links.seconds" "$part/failed"
	mv "$part" "$result"
	ln -sfn "$(basename "$result")" "$(dirname "$result")/$link"
	case $GOAL in
	bench) "$BUILD/sheafreport" show "$result" >&2 ;;
	certify) "$BUILD/sheafstat" certify "$result" ;;
	peers)
		"$BUILD/sheafstat" peers "$result"
		"$top/plots/render.sh" "$result" && say "plot: $result/plots/peers.png"
		;;
	esac
	say "result: $result ($(cd "$result" && find report.md reply.txt reply.eml plots -maxdepth 0 2>/dev/null | paste -sd ' '))"
	[ -z "$failures" ] || { say "$failures"; exit 1; }
}

if [ "$step" != all ]; then
	"step_$step" "${@:3}"
	exit
fi
if [ "$TELLS" != counts ]; then
	take kernels
	take same
	take run
fi
[ "$GOAL" != bench ] || take counts
tell_failures
take plots
[ "$(grep -c . "$part/failed")" = "$(jq '[.left_out[] | select(startswith("failed: "))] | length' "$part/environment.json")" ] || tell_failures
take report
exec "$0" "$part" finish
