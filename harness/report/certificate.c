// SPDX-License-Identifier: GPL-2.0
/* What a result says about its instrument, in full. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "certificate.h"
#include "number.h"
#include "sections.h"

static void write_doses(struct page *p, const json_t *dose)
{
	static const char *const heads[] = { "variant", ">cycles added", ">cycles found", NULL };
	const json_t *points = json_object_get(dose, "points"), *one;
	struct grid *g;
	size_t i;

	if (!json_array_size(points))
		return;
	page_text(p,
		  "The doses, in core cycles per operation of %s; differences from %s with 95 %% "
		  "intervals. Their line begins at %s:",
		  json_text(dose, "workload"), json_text(dose, "reference"),
		  number(json_num(dose, "offset"), 2, true).s);
	g = page_table(p, "doses", heads);
	json_array_foreach(points, i, one) {
		grid_row(g);
		grid_text(g, json_text(one, "variant"));
		grid_number(g, json_num(one, "dose"), 0, false);
		grid_estimate(g, json_num(one, "effect"), json_interval(one, "ci95"), 2, true);
	}
}

static void write_losses(struct page *p, const json_t *losses)
{
	static const char *const heads[] = { "variant",	  ">runs",	">kept, %",
					     ">quiet, %", ">gaps, ppm", NULL };
	const json_t *one;
	struct grid *g;
	size_t i;

	if (!json_is_object(losses))
		return;
	page_text(p,
		  "Runs of each variant, in how many layouts they have a value, how many of their "
		  "samples are quiet, and what gaps took:");
	g = page_table(p, "losses", heads);
	json_array_foreach(json_object_get(losses, "variants"), i, one) {
		grid_row(g);
		grid_text(g, json_text(one, "variant"));
		grid_number(g, json_num(one, "runs"), 0, false);
		grid_number(g, 100 * json_num(one, "kept"), 1, false);
		grid_number(g, 100 * json_num(one, "quiet_share"), 1, false);
		grid_number(g, json_num(one, "noise_ppm"), 0, false);
	}
}

/* The checks, and what the frame around a dose costs by itself: on its first workload each. */
static void write_checks(struct page *p, const struct view *r)
{
	const char *before = "",
		   *reference = json_text(json_object_get(r->certificate, "dose"), "reference");

	for (size_t i = 0; i < r->nproofs; i++) {
		const struct effect *e = &r->effects[r->neffects + i];

		if ((!is_role(e->info, "check") && strcmp(e->variant, reference) != 0) ||
		    !strcmp(e->variant, before))
			continue;
		page_item(p, "%s (%s) against %s: %s %s %s, in %s", e->variant, e->info->title,
			  e->baseline, number(e->effect, 2, true).s, interval(e->ci, 2, true).s,
			  unit_long(e->metric), e->workload);
		before = e->variant;
	}
}

static void say(void *arg, const char *line)
{
	page_item(arg, "%s", line);
}

void write_certificate(struct page *p, const struct view *r)
{
	if (!r->timed)
		return;
	certificate_say(r->certificate, say, p);
	write_doses(p, json_object_get(r->certificate, "dose"));
	write_losses(p, json_object_get(r->certificate, "losses"));
	write_checks(p, r);
}
