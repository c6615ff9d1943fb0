// SPDX-License-Identifier: GPL-2.0
/* What a result says about its instrument, and what certify.json adds about the machine. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "certificate.h"
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

static void write_losses(struct doc *d, const json_t *losses)
{
	static const char *const heads[] = { "variant",	  ">runs",	">kept, %",
					     ">quiet, %", ">gaps, ppm", NULL };
	const json_t *one;
	struct table t;
	size_t i;

	if (!json_is_object(losses))
		return;
	doc_para(
		d,
		"Runs of each variant, how many have a value, how many of their samples are quiet, "
		"and what gaps took:");
	table_start(&t, heads);
	json_array_foreach(json_object_get(losses, "variants"), i, one)
		table_row(&t, json_text(one, "variant"), of(one, "runs", 0).s,
			  share(json_num(one, "kept")).s, share(json_num(one, "quiet_share")).s,
			  of(one, "noise_ppm", 0).s);
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
			 unit_long(e->metric), e->workload);
		before = e->variant;
		any = true;
	}
	if (any)
		doc_gap(d);
}

static void say(void *arg, const char *line)
{
	doc_item(arg, "%s", line);
}

void write_certificate(struct doc *d, const struct view *r)
{
	doc_heading(d, 2, "Can the numbers be trusted?");
	certificate_say(r->certificate, say, d);
	doc_gap(d);
	write_doses(d, json_object_get(r->certificate, "dose"));
	write_losses(d, json_object_get(r->certificate, "losses"));
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
		char *text = certificate_dose_text(dose);

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
