// SPDX-License-Identifier: GPL-2.0
/* What a result says about its instrument, and what certify.json adds about the machine. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "certificate.h"
#include "certify.h"
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

static void write_doses(struct doc *d, const json_t *dose)
{
	static const char *const heads[] = { "variant", ">cycles added", ">cycles found",
					     ">95 % interval", NULL };
	const json_t *points = json_object_get(dose, "points"), *p;
	struct table t;
	size_t i;

	if (!json_array_size(points))
		return;
	doc_para(d,
		 "The doses, in core cycles per operation of %s; differences from %s. Their line "
		 "begins at %s:",
		 json_text(dose, "workload"), json_text(dose, "reference"),
		 number(json_num(dose, "offset"), 2, true).s);
	table_start(&t, heads);
	json_array_foreach(points, i, p)
		table_row(&t, json_text(p, "variant"), of(p, "dose", 0).s,
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

void write_certify(struct doc *d, const struct view *r)
{
	doc_heading(d, 2, "What this instrument can tell");
	if (r->certify)
		certify_write(d, r->certify);
	else
		doc_para(d, "n/a: no certify.json was given; make certify makes one.");
}
