// SPDX-License-Identifier: GPL-2.0
/* What performance counters counted, or why they did not. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sections.h"

/* The columns in their order. */
static const char *const metrics[] = {
	"instructions", "core_cycles",	 "instructions_per_cycle",
	"locked_ops",	"branch_misses", "branches",
	"l1d_misses",	"l2_misses",	 "dtlb_misses",
	"itlb_misses",	"stall_cycles",
};

static const json_t *record(const struct view *r, const char *workload, const char *metric,
			    const char *variant)
{
	return json_find(json_object_get(r->root, "counters"), "workload", workload, "metric",
			 metric, "variant", variant, NULL);
}

/* The value of the baseline, the difference of another. */
static void cell(struct grid *g, const json_t *one)
{
	const double effect = one ? json_num(one, "effect") : NAN;

	if (!one)
		grid_missing(g, "n/a", NULL);
	else if (isnan(effect))
		grid_estimate(g, json_num(one, "value"), json_interval(one, "ci95"), 2, false);
	else
		grid_estimate(g, effect, json_interval(one, "effect_ci95"), 2, true);
}

static void counters_table(struct page *p, const struct view *r, const char *workload,
			   const char *baseline)
{
	const char *heads[ARRAY_SIZE(metrics) + 2] = { "variant" };
	char head[ARRAY_SIZE(metrics)][32];
	struct grid *g;
	size_t n = 0;

	for (size_t m = 0; m < ARRAY_SIZE(metrics); m++) {
		if (!record(r, workload, metrics[m], baseline))
			continue;
		snprintf(head[n], sizeof(head[n]), ">%s", metrics[m]);
		heads[n + 1] = head[n];
		n++;
	}
	if (!n)
		return;
	page_text(p, "%s, events per operation, the baseline's and the differences from it:",
		  workload);
	g = page_table(p, "counters", heads);
	grid_key(g, "workload", workload);
	for (size_t v = 0; v < r->nvariants; v++) {
		const char *name = r->variants[v].name;

		if (!is_role(&r->variants[v], "baseline") && !is_role(&r->variants[v], "change"))
			continue;
		grid_row(g);
		grid_text(g, name);
		for (size_t m = 0; m < n; m++)
			cell(g, record(r, workload, head[m] + 1, name));
	}
}

/* What perf stat counted beside what we did, of one workload: both values of each metric. */
static void check_table(struct page *p, const struct view *r, const char *workload)
{
	static const char *const heads[] = { "variant", "event", ">counted", ">by perf stat",
					     NULL };
	struct grid *g = NULL;

	for (size_t v = 0; v < r->nvariants; v++) {
		for (size_t m = 0; m < ARRAY_SIZE(metrics); m++) {
			char other[64];
			const json_t *ours, *theirs;

			snprintf(other, sizeof(other), "perf_%s", metrics[m]);
			ours = record(r, workload, metrics[m], r->variants[v].name);
			theirs = record(r, workload, other, r->variants[v].name);
			if (!theirs)
				continue;
			if (!g) {
				page_text(p,
					  "%s, the same events counted by perf stat around "
					  "processes that do nothing but the calls, the "
					  "interrupts among them:",
					  workload);
				g = page_table(p, "perf-stat", heads);
				grid_key(g, "workload", workload);
			}
			grid_row(g);
			grid_text(g, r->variants[v].name);
			grid_text(g, metrics[m]);
			grid_number(g, ours ? json_num(ours, "value") : NAN, 2, false);
			grid_number(g, json_num(theirs, "value"), 2, false);
		}
	}
}

void write_counters(struct page *p, const struct view *r)
{
	const char *told = json_text(r->env, "counters"), *last = "", *workload;
	const struct vinfo *base = view_baseline(r);
	const json_t *one;
	size_t i;

	/* Results of before there were counters say nothing. */
	if (!*told)
		return;
	page_text(p, "%s%s.", strncmp(told, "counted", 7) ? "" : "In kernel mode, ", told);
	json_array_foreach(json_object_get(r->root, "counters"), i, one) {
		workload = json_text(one, "workload");
		if (!base || !strcmp(workload, last) || workload_is_flush(workload))
			continue;
		counters_table(p, r, workload, base->name);
		check_table(p, r, workload);
		last = workload;
	}
}
