// SPDX-License-Identifier: GPL-2.0
/* What a result says about its instrument, and what certify.json adds about the machine. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "sections.h"

static struct number of(const json_t *part, const char *key, int decimals)
{
	return number(json_num(part, key), decimals, false);
}

/* A share, and its interval, in %. */
static struct number share(double v)
{
	return number(100 * v, 1, false);
}

static struct number share_interval(const json_t *part, const char *key)
{
	struct interval ci = json_interval(part, key);

	return interval((struct interval){ 100 * ci.lo, 100 * ci.hi }, 1, false);
}

static char *null_text(const json_t *part)
{
	double n = json_num(part, "comparisons"), off = json_num(part, "excluding_zero");

	return xasprintf("%.0f of %.0f comparison%s of the baseline with itself exclude%s zero, "
			 "%s %% with a 95 %% interval of %s %% (5 %% are expected). Half of their "
			 "intervals are narrower than +-%s TSC ticks per operation; the largest "
			 "difference is %s, in %s",
			 off, n, plural(n), off == 1 ? "s" : "", share(off / n).s,
			 share_interval(part, "share_ci95").s, of(part, "median_halfwidth", 2).s,
			 number(fabs(json_num(part, "largest")), 2, false).s,
			 json_text(part, "largest_workload"));
}

static char *dose_text(const json_t *part)
{
	return xasprintf(
		"for each core cycle added to an allocation %s %s core cycles are found, in %s "
		"(wanted: 0.95 to 1.05)",
		of(part, "slope", 3).s, interval(json_interval(part, "ci95"), 3, false).s,
		json_text(part, "workload"));
}

static char *gate_text(const json_t *part)
{
	return xasprintf(
		"%s %% of %s samples are quiet; beside the others, which are called "
		"contended, %s additions took more than %s TSC ticks (quiet level: %s). %s "
		"of %s runs had too few quiet samples",
		share(json_num(part, "quiet_share")).s, of(part, "samples", 0).s,
		of(part, "adds", 0).s, of(part, "limit", 0).s, of(part, "level", 0).s,
		of(part, "runs_without_quiet", 0).s, of(part, "runs", 0).s);
}

static char *clock_text(const json_t *part)
{
	const json_t *ratio = json_object_get(part, "core_per_tick");

	return xasprintf("core cycles per TSC tick: p01 %s, p50 %s, p99 %s of %s runs; it moved by "
			 "more than 2 %% within %s of them",
			 of(ratio, "p01", 3).s, of(ratio, "p50", 3).s, of(ratio, "p99", 3).s,
			 of(part, "runs", 0).s, of(part, "moved", 0).s);
}

static char *noise_text(const json_t *part)
{
	return xasprintf("gaps took %s ppm of the time, the largest %s TSC ticks",
			 of(part, "ppm", 0).s, of(part, "largest_ticks", 0).s);
}

static char *warmup_text(const json_t *part)
{
	return xasprintf("%s of %s runs began dearer than they went on (changepoint test); of "
			 "these runs %s samples were left out at the median, %s at the most",
			 of(part, "with", 0).s, of(part, "runs", 0).s, of(part, "samples_p50", 0).s,
			 of(part, "samples_max", 0).s);
}

static char *step_text(const json_t *part)
{
	return xasprintf("two reads of the clock lie at least %s TSC ticks apart",
			 number(json_number_value(part), 1, false).s);
}

/* The members of the certificate, and why one may be missing. */
static const struct {
	const char *key, *label;
	char *(*text)(const json_t *part);
	const char *absent;
} parts[] = {
	{ "null", "null", null_text,
	  "no null comparison (the baseline against itself under other layout seeds), so nothing "
	  "shows how large a difference noise alone makes; add the variant null and use at least "
	  "two layouts" },
	{ "dose", "dose", dose_text,
	  "no known amount was added to the baseline, so nothing shows that one would be found; "
	  "add "
	  "the variants dose-0 to dose-8" },
	{ "gate", "gate", gate_text,
	  "the samples have no probes beside them, so quiet and contended ones are not told "
	  "apart" },
	{ "clock", "clock", clock_text,
	  "the samples have no chains of additions beside them, so nothing relates TSC ticks to "
	  "core "
	  "cycles" },
	{ "noise", "noise", noise_text, "the gap detector did not look" },
	{ "timer_step", "timer step", step_text, "the samples do not name it" },
	{ "warmup", "warm-up", warmup_text, "no run was searched for one" },
};

/* Only the null and the doses have a goal that they meet or not. */
static const char *goal_word(const json_t *part)
{
	const json_t *holds = json_object_get(part, "holds");

	return json_is_true(holds) ? ": holds" : json_is_false(holds) ? ": FAILS" : "";
}

static void write_doses(struct doc *d, const json_t *dose)
{
	static const char *const heads[] = { "variant", ">cycles added", ">cycles found",
					     ">95 % interval", NULL };
	const json_t *points = json_object_get(dose, "points"), *p;
	struct table t;
	size_t i;

	if (!json_array_size(points))
		return;
	doc_para(d, "The doses, in core cycles per operation of %s; differences from %s:",
		 json_text(dose, "workload"), json_text(dose, "reference"));
	table_start(&t, heads);
	json_array_foreach(points, i, p) table_row(&t, json_text(p, "variant"), of(p, "dose", 0).s,
						   number(json_num(p, "effect"), 2, true).s,
						   interval(json_interval(p, "ci95"), 2, true).s);
	doc_table_end(d, &t);
}

/* The checks, and what the frame around a dose costs by itself: on its first workload each. */
static void write_checks(struct doc *d, const struct view *r)
{
	const char *before = "",
		   *reference = json_text(json_object_get(r->certificate, "dose"), "reference");
	bool any = false;

	for (size_t i = 0; i < r->nproofs; i++) {
		const struct effect *e = &r->effects[r->neffects + i];

		if ((!is_role(e->info, "check") && strcmp(e->variant, reference) != 0) ||
		    !strcmp(e->variant, before))
			continue;
		doc_item(d, "%s (%s) against %s: %s %s %s, in %s", e->variant, e->info->title,
			 e->baseline, number(e->effect, 2, true).s, interval(e->ci, 2, true).s,
			 unit_of(e), e->workload);
		before = e->variant;
		any = true;
	}
	if (any)
		doc_gap(d);
}

void write_certificate(struct doc *d, const struct view *r)
{
	doc_heading(d, 2, "Can the numbers be trusted?");
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const json_t *part = json_object_get(r->certificate, parts[i].key);
		bool there = json_is_number(part) || json_object_size(part);
		char *text = there ? parts[i].text(part) : xasprintf("n/a: %s", parts[i].absent);

		doc_item(d, "%s: %s%s", parts[i].label, text, goal_word(part));
		free(text);
	}
	doc_gap(d);
	write_doses(d, json_object_get(r->certificate, "dose"));
	write_checks(d, r);
}

/* ---- certify.json ---- */

static void write_resolution(struct doc *d, const json_t *c)
{
	const json_t *list = json_object_get(c, "resolution");
	static const char *const heads[] = { ">minutes", ">layouts", ">smallest effect, ticks/op",
					     NULL };
	const json_t *one;
	struct table t;
	size_t i;

	if (!json_array_size(list)) {
		doc_para(d, "n/a: certify.json does not say how small an effect can be seen.");
		return;
	}
	doc_para(d,
		 "The smallest effect on %s that two variants show with a power of 80 %% at the 5 "
		 "%% "
		 "level, by the time that linking (%s s each%s) and booting (%s s each) may take:",
		 json_text(c, "workload"), of(c, "link_s", 1).s,
		 json_num(c, "link_s") > 0.0 ? "" : ", since all were in the cache",
		 of(c, "boot_s", 2).s);
	table_start(&t, heads);
	json_array_foreach(list, i, one) table_row(&t, of(one, "minutes", 0).s,
						   of(one, "layouts", 0).s, of(one, "ticks", 2).s);
	doc_table_end(d, &t);
}

static void write_estimators(struct doc *d, const json_t *list)
{
	static const char *const heads[] = {
		"estimator",   ">SD of boots, %", ">SD of layouts, %", ">null differs, %",
		">half-width", ">slope",	  ">95 % interval",    "",
		NULL
	};
	const json_t *one;
	struct table t;
	size_t i;

	if (!json_array_size(list)) {
		doc_para(d, "n/a: certify.json compares no estimators.");
		return;
	}
	doc_para(d, "What may stand for the samples of a run, all on the same samples: spread "
		    "between boots and between layouts in %% of the mean, how often the null "
		    "differs from itself, the median half-width of its intervals in TSC ticks per "
		    "operation, and the slope of the doses.");
	table_start(&t, heads);
	json_array_foreach(list, i, one) table_row(
		&t, json_text(one, "name"), number(100 * json_num(one, "sd_boot"), 2, false).s,
		number(100 * json_num(one, "sd_layout"), 2, false).s,
		share(json_num(one, "null_share")).s, of(one, "median_halfwidth", 2).s,
		of(one, "dose_slope", 3).s, interval(json_interval(one, "dose_ci95"), 3, false).s,
		json_is_true(json_object_get(one, "chosen")) ? "chosen" : "");
	doc_table_end(d, &t);
	json_array_foreach(list, i, one)
		doc_item(d, "%s: %s", json_text(one, "name"), json_text(one, "about"));
	doc_gap(d);
}

void write_certify(struct doc *d, const struct view *r)
{
	const json_t *c = r->certify, *null = json_object_get(c, "null"),
		     *dose = json_object_get(c, "dose"), *off = json_object_get(c, "bare");

	doc_heading(d, 2, "What this instrument can tell");
	if (!c) {
		doc_para(d, "n/a: no certify.json was given; make certify makes one.");
		return;
	}
	doc_para(
		d,
		"From result %s, in which the baseline stands against itself in %s groups of %s "
		"layouts and %s workloads, and known amounts against the same kernel without them.",
		json_text(c, "result"), of(c, "groups", 0).s, of(c, "layouts_each", 0).s,
		of(c, "workloads", 0).s);
	doc_item(d,
		 "false alarms: %s of %s comparisons have a 95 %% interval that excludes zero, "
		 "%s %% with a 95 %% interval of %s %% (wanted: 5 +- 2 %%)",
		 of(null, "excluding_zero", 0).s, of(null, "comparisons", 0).s,
		 share(json_num(null, "share")).s, share_interval(null, "ci95").s);
	if (json_object_size(dose)) {
		char *text = dose_text(dose);

		doc_item(d, "slope: %s", text);
		free(text);
	} else {
		doc_item(d, "slope: n/a: no doses were measured");
	}
	if (json_object_size(off))
		doc_item(d,
			 "the probes beside the samples: where there are none, %s takes %s %s TSC "
			 "ticks per operation more, by every second sample of the same runs",
			 json_text(off, "workload"), number(json_num(off, "effect"), 2, true).s,
			 interval(json_interval(off, "ci95"), 2, true).s);
	else
		doc_item(d, "the probes beside the samples: n/a: half-gate was not measured");
	doc_gap(d);
	write_resolution(d, c);
	write_estimators(d, json_object_get(c, "estimators"));
}
