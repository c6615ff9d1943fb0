// SPDX-License-Identifier: GPL-2.0
/* What the variants cost, workload by workload. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "certificate.h"
#include "number.h"
#include "sections.h"

static void verdict_cell(struct grid *g, const struct view *r, const struct effect *e)
{
	grid_text(g, view_verdict(r, e).s);
	if (e->no_verdict && r->proven)
		grid_note(g, e->no_verdict);
}

static void write_key(struct page *p, const struct view *r)
{
	const json_t *rules = json_object_get(r->root, "rules");

	if (!r->proven) {
		page_text(p, "The verdict is \"unproven\" throughout, because the instrument is "
			     "not proven in this result.");
		return;
	}
	page_text(p,
		  "A verdict is given to the changes on the primary workloads, one for each "
		  "operation, and to nothing else. Slower or faster: with Holm's correction over "
		  "all of these, at most 5 %% of reports call anything so that is not. Within "
		  "+-%g: the 90 %% interval lies inside, which is false in at most 5 %% of "
		  "differences that are as large as that. Cannot tell (+-w): neither; w is half "
		  "of the 95 %% interval. Same code: the functions that run are the same byte for "
		  "byte. No verdict: fewer than %.0f layouts, a value in fewer than %g of the "
		  "layouts, or a baseline that differs from itself there. The other intervals are "
		  "for exploring: one in twenty misses.",
		  r->equal, json_num(rules, "fewest_layouts"), json_num(rules, "least_kept"));
}

void write_effects(struct page *p, const struct view *r)
{
	static const char *const heads[] = { "workload", "variant",    ">baseline", ">difference",
					     ">more, %", ">P(faster)", ">p (Holm)", ">layouts",
					     "verdict",	 NULL };
	enum { BASELINE = 2, PERCENT = 4, P_FASTER, P_HOLM, LAYOUTS };

	for (size_t at = 0; at < r->neffects;) {
		struct group all = view_group(r, at);
		int decimals = group_decimals(&all);
		struct grid *g;

		if (!at)
			write_key(p, r);
		at += all.count;
		page_heading(p, "%s, target %s", all.first->of.op, all.first->target);
		page_text(p, "Differences from %s with 95 %% intervals, in %s.",
			  all.first->baseline, unit_long(all.first->metric));
		g = page_table(p, "effects", heads);
		g->again = 2;
		g->files = 1 << BASELINE | 1 << PERCENT | 1 << P_FASTER | 1 << P_HOLM |
			   1 << LAYOUTS;
		grid_key(g, "target", all.first->target);
		grid_key(g, "metric", all.first->metric);
		for (size_t i = 0; i < all.count; i++) {
			const struct effect *e = &all.first[i];

			grid_row(g);
			grid_text(g, e->workload);
			grid_text(g, e->variant);
			grid_number(g, e->base, decimals, false);
			grid_estimate(g, e->effect, e->ci, decimals, true);
			grid_number(g, percent(e), 1, true);
			grid_number(g, e->p_faster, 2, false);
			grid_number(g, e->p_holm, -1, false);
			grid_number(g, e->layouts, 0, false);
			verdict_cell(g, r, e);
		}
	}
}

/* Layouts in which both sides were seen next to a busy sibling. */
static double contended_layouts(const struct view *r, const struct effect *e)
{
	const json_t *x = json_object_get(view_value(r, e, e->variant), "contended"),
		     *y = json_object_get(view_value(r, e, e->baseline), "contended");

	return isnan(e->contended_layouts) ? fmin(json_num(x, "layouts"), json_num(y, "layouts"))
					   : e->contended_layouts;
}

void write_contended(struct page *p, const struct view *r)
{
	static const char *const heads[] = { "workload",      "variant",  ">quiet",
					     ">busy sibling", ">layouts", NULL };
	double few = 0, least = INFINITY, most = 0;
	struct grid *g = NULL;

	for (size_t i = 0; i < r->neffects; i++) {
		const struct effect *e = &r->effects[i];
		double layouts = contended_layouts(r, e);

		if (isnan(layouts))
			layouts = 0;
		if (!g) {
			page_text(p,
				  "The difference from the baseline in %s, in quiet samples and "
				  "in those beside which the probe says that another tenant "
				  "runs on the sibling thread.",
				  unit_long(e->metric));
			g = page_table(p, "busy", heads);
		}
		grid_row(g);
		grid_text(g, e->workload);
		grid_text(g, e->variant);
		grid_number(g, e->effect, 2, true);
		grid_estimate(g, e->contended, e->contended_ci, 2, true);
		grid_number(g, layouts, 0, false);
		if (layouts < CERTIFICATE_LAYOUTS) {
			g->row[g->rows - 1].hidden = true;
			least = fmin(least, layouts);
			most = fmax(most, layouts);
			few++;
		}
	}
	if (few > 0)
		page_text(p,
			  "Not printed: %.0f of %zu comparisons, which have enough such samples in "
			  "%.0f to %.0f layouts only. It takes %d: more LAYOUTS, or a busier "
			  "machine. busy.csv has them.",
			  few, r->neffects, least, most, CERTIFICATE_LAYOUTS);
}

/* A component's standard deviation; what comes out below 0 is too small to be seen. */
static void deviation(struct grid *g, const json_t *value, const char *level)
{
	double v = json_num(json_object_get(value, "components"), level);

	if (v < 0)
		grid_missing(g, "~0", NULL);
	else
		grid_number(g, sqrt(v), 2, false);
}

void write_components(struct page *p, const struct view *r)
{
	static const char *const heads[] = { "workload", ">mean",   ">layout", ">boot",
					     ">run",	 ">sample", NULL };
	const char *before = "";
	bool repeated = false;
	struct grid *g;

	if (!r->neffects)
		return;
	for (size_t i = 0; i < r->neffects; i++)
		repeated |= !isnan(json_num(
			json_object_get(view_value(r, &r->effects[i], r->effects[i].baseline),
					"components"),
			"boot"));
	page_text(p,
		  "Standard deviations of %s between layouts, between boots of a layout, between "
		  "runs in a boot and between single samples in a run, in %s, by the method of "
		  "moments. ~0: too small to be seen above the levels to its right; n/a: nothing "
		  "was repeated at this level.%s",
		  r->effects[0].baseline, unit_long(r->effects[0].metric),
		  repeated ? ""
			   : " Since there is one boot of each layout, the column layout holds "
			     "what layouts, boots and runs differ by together.");
	g = page_table(p, "variance", heads);
	for (size_t i = 0; i < r->neffects; i++) {
		const struct effect *e = &r->effects[i];
		const json_t *v = view_value(r, e, e->baseline);

		if (!strcmp(e->workload, before))
			continue;
		before = e->workload;
		grid_row(g);
		grid_text(g, e->workload);
		grid_number(g, json_num(v, "mean"), 2, false);
		deviation(g, v, "layout");
		deviation(g, v, "boot");
		deviation(g, v, "run");
		deviation(g, v, "sample");
	}
}
