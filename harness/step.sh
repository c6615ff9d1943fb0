#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# step.sh BUILD STEP [VARIANT]: one step of CMakeLists.txt's graph. The values that the user gave
# come in the environment (values.sh); BUILD/current is the result that is being made.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$top/harness/variants.sh"
. "$top/harness/values.sh"

BUILD=$1 step=$2
export BUILD
[ "$step" = source ] || { SOURCE=$(cat "$BUILD/source.path"); export SOURCE; }
# Without a target that tells time, or has performance counters at least, there are counts alone, and no layouts.
booted=$(time_target)
booted=${booted:-$(telling_target events)}
TARGET=${booted:-${TARGETS%% *}}
export TARGET
. "$top/harness/targets/$TARGET.sh"
build() { "$top/harness/kernel/build.sh" "$@"; }

case $step in
source)
	build_source=$("$top/harness/kernel/source.sh")
	printf '%s\n' "$build_source" >"$BUILD/source.path"
	;;
open)
	"$top/harness/open-result.sh" "$BUILD"
	;;
tree)
	build tree "$3"
	;;
kernel)
	id=$(build id "$3")
	mapfile -t pads < <(awk -F '\t' -v id="$id" '$6 == id { print $5 }' "$BUILD/current/plan.tsv" | sort -nu)
	build link "$3" "${pads[@]}"
	module=$(build module "$3")
	mkdir -p "$BUILD/initramfs"
	guest_initramfs "$BUILD/initramfs/$id.cpio" "$module"
	;;
kernels | run)
	if [ -z "$booted" ]; then
		touch "$BUILD/current/boots.complete"
		exit 0
	fi
	;;&
kernels)
	# All builds at once; the images that are there by now are the progress.
	mapfile -t images < <(rows "$BUILD/current/plan.tsv" | awk -F "$rs" -v k="$CACHE/kernels/$target_config" '!seen[$6, $5]++ { print k "/" $6 "/image." $5 }')
	count() { local n=0 f; for f in "${images[@]}"; do [ ! -f "$f" ] || n=$((n + 1)); done; echo "$n"; }
	had=$(count) start=$SECONDS next=0 status=0
	shift 2
	printf '%s\n' "$@" | xargs -P "$JOBS" -I{} "$0" "$BUILD" kernel {} >"$BUILD/kernels.log" 2>&1 &
	while kill -0 $! 2>/dev/null; do
		sleep 1
		[ $((SECONDS - start)) -ge "$next" ] || continue
		progress layouts $(($(count) - had)) $((${#images[@]} - had)) $((SECONDS - start))
		if [ -t 2 ]; then next=$((SECONDS - start + 1)); else next=$((SECONDS - start + 15)); fi
	done
	wait $! || status=$?
	progress_end
	[ "$status" = 0 ] || { grep -v '^  layout' "$BUILD/kernels.log" >&2; exit 1; }
	say "  ${#images[@]} kernels, $((${#images[@]} - had)) of them linked now: $((SECONDS - start)) s"
	# What a link costs, builds of modules and the like included: from a good number of them.
	[ $((${#images[@]} - had)) -lt 8 ] ||
		awk -v s=$((SECONDS - start)) -v n=$((${#images[@]} - had)) 'BEGIN { printf "%.2f\n", s / n }' >"$BUILD/current/links.seconds"
	;;
run)
	"$top/harness/run.sh" "$BUILD"
	# Widths decide whether there are to be more layouts, never the effects.
	while [ -n "$PRECISION" ]; do
		current=$BUILD/current/.
		answer=$("$BUILD/sheafstat" precision "$current" --width "$PRECISION" --most "$MOST")
		read -r layouts width variant <<<"$answer"
		say "  half-width of the 95 % interval: $width ticks ($variant), wanted $PRECISION: $layouts layouts"
		[ "$layouts" -gt "$(rows "$current/plan.tsv" | awk -F "$rs" '$3 > n { n = $3 } END { print n + 0 }')" ] || break
		"$BUILD/sheafstat" plan --seed "$SEED" --layouts "$layouts" --boots "$BOOTS" --variants "$current/variants.tsv" \
			--extend "$current/plan.tsv" -o "$current/plan.tsv"
		mapfile -t builds < <(chosen_builds)
		"$0" "$BUILD" kernels "${builds[@]}"
		"$top/harness/run.sh" "$BUILD"
	done
	;;
counts)
	[ "$GOAL" != bench ] || [ -z "$(telling_target counts)" ] || "$top/harness/count.sh" "$BUILD"
	;;
plots)
	"$top/plots/render.sh" "$BUILD/current/."
	touch "$BUILD/current/plots.complete"
	;;
report)
	"$BUILD/sheafreport" report "$BUILD/current/." >/dev/null
	"$BUILD/sheafreport" reply "$BUILD/current/." >/dev/null
	;;
finish)
	part=$(cd -P "$BUILD/current" && pwd)
	case $part in *.part) ;; *) exit 0 ;; esac
	result=${part%.part}
	{
		printf '# build\tpad\tsymbol\taddress\n'
		[ -z "$booted" ] || rows "$part/plan.tsv" | awk -F "$rs" '!seen[$6, $5]++ { print $6, $5 }' | while read -r id pad; do
			awk -v OFS='\t' -v id="$id" -v pad="$pad" '{ print id, pad, $1, $2 }' "$CACHE/kernels/$target_config/$id/symbols.$pad"
		done
	} >"$part/layouts.tsv"
	rm -f "$part/boots.complete" "$part/plots.complete" "$part/links.seconds"
	mv "$part" "$result"
	ln -sfn "$(basename "$result")" "$OUT/$LINK"
	"$BUILD/sheafstat" show "$result" >&2
	say "result: $result (report.md, reply.txt, reply.eml, plots/)"
	failures=$(awk -F '\t' '$1 !~ /^#/ && $5 == "failed" && !seen[$2]++ { print "sheafbench: variant " $2 " failed: " $8 }' "$result/boots.tsv"
		sed 's/^\([^\t]*\)\t/sheafbench: counts of \1 failed: /' "$result/counts/failed" 2>/dev/null || true)
	[ -z "$failures" ] || { say "$failures"; exit 1; }
	;;
*)
	die 2 "step.sh: no step '$step'"
	;;
esac
