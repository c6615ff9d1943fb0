// SPDX-License-Identifier: GPL-2.0
/* What the variants cost: the answer in short, the tables, and the thread's numbers beside them. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "sections.h"

/*
 * kmalloc of 64 bytes as posted in the thread without PREEMPT_RT, in cycles: one value each, the
 * baseline in full and the others as differences from it.
 */
static const struct {
	const char *what, *variant;
	double v1, v4;
} posted[] = {
	{ "unpatched", NULL, 159, 60 },
	{ "compiled out (=n)", "qpw-n", 4, 2 },
	{ "compiled in, off (=0)", "qpw-off", 11, 2 },
	{ "switched on (=1)", "qpw-on", 31, 15 },
};

/* TSC ticks as core cycles, in brackets, where the certificate has their ratio. */
static struct number in_cycles(const struct view *r, double ticks, int decimals)
{
	const json_t *clock = json_object_get(r->certificate, "clock");
	double ratio = json_num(json_object_get(clock, "core_per_tick"), "p50");
	struct number n = { "" };

	if (!isnan(ratio))
		snprintf(n.s, sizeof(n.s), " (%.*f core cycles)", decimals, ticks * ratio);
	return n;
}

/* One sentence per change on the headline workload of the first group. */
void write_answer(struct doc *d, const struct view *r)
{
	const struct vinfo *base;
	struct group all, g;
	int decimals;

	if (!r->neffects)
		return;
	all = view_group(r, 0);
	g = group_headline(&all);
	decimals = group_decimals(&g);
	base = view_variant(r, g.first->baseline);
	doc_heading(d, 2, "In short");
	doc_para(d, "In %s, %s (%s) takes %s %s%s, and against it", g.first->workload,
		 g.first->baseline, base ? base->title : "not listed",
		 number(g.first->base, decimals, false).s, unit_long(g.first->metric),
		 strcmp(g.first->metric, "tsc_ticks_per_op") == 0
			 ? in_cycles(r, g.first->base, decimals).s
			 : "");
	for (size_t i = 0; i < g.count; i++) {
		const struct effect *e = &g.first[i];
		char *pct = isnan(e->ratio) ? xstrdup("")
					    : xasprintf(" (%s %%)", number(percent(e), 1, true).s);
		struct verdict_text word = view_verdict(r, e);

		if (is_null_variant(e))
			;
		else if (e->verdict && streq(e->verdict, "same code"))
			doc_item(d, "%s (%s): same code, byte for byte", e->variant,
				 e->info ? e->info->title : "not listed");
		else
			doc_item(d, "%s (%s): %s%s%s%s%s%s%s%s%s", e->variant,
				 e->info ? e->info->title : "not listed",
				 number(e->effect, decimals, true).s, isnan(e->ci.lo) ? "" : " ",
				 isnan(e->ci.lo) ? "" : interval(e->ci, decimals, true).s, pct,
				 *word.s ? ": " : "", word.s,
				 e->no_verdict && r->proven ? " (" : "",
				 e->no_verdict && r->proven ? e->no_verdict : "",
				 e->no_verdict && r->proven ? ")" : "");
		free(pct);
	}
	doc_gap(d);
}

static void write_key(struct doc *d, const struct view *r)
{
	const json_t *rules = json_object_get(r->root, "rules");

	doc_para(d, "The first line of each table is the whole cost, the others are differences "
		    "from it.");
	if (!r->proven)
		doc_para(d, "The verdict is \"unproven\" throughout, because the instrument is not "
			    "proven in this result: see the caution above.");
	else
		doc_para(
			d,
			"A verdict is given to the changes on one workload for each of the five "
			"operations pair, alloc, free, batch-alloc and batch-free, and to nothing "
			"else. Slower or faster: with Holm's correction over all of these, at most "
			"5 %% of reports call anything so that is not. Within +-%g: the 90 %% "
			"interval lies inside, which is false in at most 5 %% of differences that "
			"are as large as that. Cannot tell (+-w): neither; w is half of the 95 %% "
			"interval. Same code: the functions that run are the same byte for byte. "
			"No verdict: fewer than %.0f layouts, a value for fewer than %g of the "
			"runs, or a baseline that differs from itself there. The other intervals "
			"are for exploring: one in twenty misses.",
			r->equal, json_num(rules, "fewest_layouts"), json_num(rules, "least_kept"));
}

static void write_brief_table(struct doc *d, const struct view *r, const struct group *g)
{
	char *head = xasprintf(">%s", unit_short(g->first->metric));
	const bool mail = d->style == DOC_MAIL; /* which has no room for the percentage */
	const char *heads[] = {
		"variant", head, ">95 % interval", mail ? "verdict" : ">%", mail ? NULL : "verdict",
		NULL
	};
	int decimals = group_decimals(g);
	struct table t;

	table_start(&t, heads);
	table_row(&t, g->first->baseline, number(g->first->base, decimals, false).s, "",
		  mail ? "baseline" : "", "baseline");
	for (size_t i = 0; i < g->count; i++) {
		const struct effect *e = &g->first[i];

		table_row(&t, e->variant, number(e->effect, decimals, true).s,
			  interval(e->ci, decimals, true).s,
			  mail ? view_verdict(r, e).s : number(percent(e), 1, true).s,
			  view_verdict(r, e).s);
	}
	doc_para(d, "%s (target %s), %s:", g->first->workload, g->first->target,
		 unit_long(g->first->metric));
	doc_table_end(d, &t);
	free(head);
}

/* One workload per operation: what fits into a mail. */
void write_brief(struct doc *d, const struct view *r)
{
	if (!r->neffects)
		return;
	doc_heading(d, 2, "Effects in brief");
	doc_para(
		d,
		"One workload per operation: of 64 bytes, with one object held for pair and 32 for "
		"the others, or the nearest to that.%s",
		d->style == DOC_MAIL ? " The attached report.md has all workloads." : "");
	for (size_t at = 0; at < r->neffects;) {
		struct group all = view_group(r, at), g = group_headline(&all);

		write_brief_table(d, r, &g);
		at += all.count;
	}
	write_key(d, r);
	write_plot(d, r);
}

/* Layouts in which both sides were seen next to a busy sibling. */
static double contended_layouts(const struct view *r, const struct effect *e)
{
	const json_t *x = json_object_get(view_value(r, e, e->variant), "contended"),
		     *y = json_object_get(view_value(r, e, e->baseline), "contended");

	return isnan(e->contended_layouts) ? fmin(json_num(x, "layouts"), json_num(y, "layouts"))
					   : e->contended_layouts;
}

static void write_contended_table(struct doc *d, const struct view *r, const struct group *g)
{
	static const char *const heads[] = { "variant",	       ">quiet",   ">busy sibling",
					     ">95 % interval", ">layouts", NULL };
	const json_t *base =
		json_object_get(view_value(r, g->first, g->first->baseline), "contended");
	int decimals = group_decimals(g);
	struct table t;

	table_start(&t, heads);
	table_row(&t, g->first->baseline, number(g->first->base, decimals, false).s,
		  number(json_num(base, "mean"), decimals, false).s,
		  interval(json_interval(base, "ci95"), decimals, false).s,
		  number(json_num(base, "layouts"), 0, false).s);
	for (size_t i = 0; i < g->count; i++) {
		const struct effect *e = &g->first[i];

		table_row(&t, e->variant, number(e->effect, decimals, true).s,
			  number(e->contended, decimals, true).s,
			  interval(e->contended_ci, decimals, true).s,
			  number(contended_layouts(r, e), 0, false).s);
	}
	doc_para(d, "%s, %s, quiet and next to a busy sibling:", g->first->workload,
		 unit_long(g->first->metric));
	doc_table_end(d, &t);
}

/* In a mail the first workload must do. */
void write_contended(struct doc *d, const struct view *r)
{
	bool any = false;

	if (!r->neffects)
		return;
	doc_heading(d, 2, "Next to a busy sibling");
	for (size_t i = 0; i < r->neffects; i++)
		any |= !isnan(r->effects[i].contended);
	if (!any) {
		doc_para(d, "n/a: no variant and its baseline have two layouts with enough samples "
			    "that were taken while another tenant kept the sibling thread busy.");
		return;
	}
	doc_para(d, "What the same costs while the probe beside the samples says that another "
		    "tenant runs on the sibling thread: the baseline's whole cost, then "
		    "differences from it, over the layouts in which enough such samples are.");
	for (size_t at = 0; at < r->neffects;) {
		struct group all = view_group(r, at), g = group_headline(&all);

		write_contended_table(d, r, &g);
		at += all.count;
		if (d->style == DOC_MAIL)
			break;
	}
}

/* A component's standard deviation; what comes out below 0 is too small to be seen. */
static struct number deviation(const json_t *value, const char *level)
{
	double v = json_num(json_object_get(value, "components"), level);
	struct number small = { "~0" };

	return v < 0 ? small : number(sqrt(v), 2, false);
}

void write_components(struct doc *d, const struct view *r)
{
	static const char *const heads[] = { "workload", ">mean",   ">layout", ">boot",
					     ">run",	 ">sample", NULL };
	const char *before = "";
	bool repeated = false;
	struct table t;

	if (!r->neffects)
		return;
	for (size_t i = 0; i < r->neffects; i++)
		repeated |= !isnan(json_num(
			json_object_get(view_value(r, &r->effects[i], r->effects[i].baseline),
					"components"),
			"boot"));
	doc_heading(d, 2, "Where the variance is");
	doc_para(d,
		 "Standard deviations of %s between layouts, between boots of a layout, between "
		 "runs in a boot and between single samples in a run, in TSC ticks per operation, "
		 "by the method of moments. ~0: too small to be seen above the levels to its "
		 "right; n/a: nothing was repeated at this level.%s",
		 r->effects[0].baseline,
		 repeated ? ""
			  : " Since there is one boot of each layout, the column layout holds what "
			    "layouts, boots and runs differ by together.");
	table_start(&t, heads);
	for (size_t i = 0; i < r->neffects; i++) {
		const struct effect *e = &r->effects[i];
		const json_t *v = view_value(r, e, e->baseline);

		if (!strcmp(e->workload, before))
			continue;
		before = e->workload;
		table_row(&t, e->workload, number(json_num(v, "mean"), 2, false).s,
			  deviation(v, "layout").s, deviation(v, "boot").s, deviation(v, "run").s,
			  deviation(v, "sample").s);
	}
	doc_table_end(d, &t);
}

void write_full(struct doc *d, const struct view *r)
{
	static const char *const heads[] = {
		"workload",	  "variant", ">baseline",  ">difference",
		">95 % interval", ">%",	     ">P(faster)", ">p (Holm)",
		">layouts",	  "verdict", NULL
	};

	if (!r->neffects)
		return;
	doc_heading(d, 2, "All effects");
	for (size_t at = 0; at < r->neffects;) {
		struct group g = view_group(r, at);
		int decimals = group_decimals(&g);
		char *title = xasprintf("%s, target %s", g.first->of.op, g.first->target);
		struct table t;

		at += g.count;
		doc_heading(d, 3, title);
		free(title);
		doc_para(d, "Differences from %s in %s.", g.first->baseline,
			 unit_long(g.first->metric));
		table_start(&t, heads);
		for (size_t i = 0; i < g.count; i++) {
			const struct effect *e = &g.first[i];

			table_row(&t, e->workload, e->variant, number(e->base, decimals, false).s,
				  number(e->effect, decimals, true).s,
				  interval(e->ci, decimals, true).s, number(percent(e), 1, true).s,
				  number(e->p_faster, 2, false).s, probability(e->p_holm).s,
				  number(e->layouts, 0, false).s, view_verdict(r, e).s);
		}
		doc_table_end(d, &t);
	}
}

void write_thread(struct doc *d, const struct view *r)
{
	static const char *const heads[] = { "kmalloc, 64 bytes", ">v1 [1]", ">v4 [2]", ">here",
					     ">95 % interval",	  NULL };
	const struct effect *here = NULL;
	struct table t;
	int decimals = 2;

	/* they allocated without freeing: the largest N of alloc is nearest to that */
	for (size_t i = 0; i < r->neffects; i++) {
		const struct effect *e = &r->effects[i];

		if (!strcmp(e->of.op, "alloc") && e->of.size == 64 &&
		    (!*e->of.order || !strcmp(e->of.order, "lifo")) &&
		    (!here || e->of.n > here->of.n))
			here = e;
	}
	if (!here)
		return;
	doc_heading(d, 2, "Beside the numbers in the thread");
	table_start(&t, heads);
	for (size_t i = 0; i < ARRAY_SIZE(posted); i++) {
		const char *v = posted[i].variant;
		const struct effect *e = v ? view_effect(r, here, v) : here;
		struct number value = number(!e ? NAN : v ? e->effect : e->base, decimals, v);

		table_row(
			&t, posted[i].what, number(posted[i].v1, 0, v).s,
			number(posted[i].v4, 0, v).s, value.s,
			!v ? ""
			   : interval(e ? e->ci : (struct interval){ NAN, NAN }, decimals, true).s);
	}
	doc_table_end(d, &t);
	doc_para(d,
		 "The first line is the whole cost, the others are differences from it. The "
		 "thread's columns are cycles of an unnamed machine, one value each, cut to whole "
		 "cycles, for 1e6 (v1) and 9e6 (v4) objects that are allocated under "
		 "preempt_disable() and freed afterwards; three runs of one kernel lay 3 to 10 %% "
		 "apart [3]. The column 'here' is %s in %s. The machines and loops differ, so "
		 "compare the signs and sizes of the differences, not the first line.",
		 here->workload, unit_long(here->metric));
	doc_item(d, "[1] aZiRAa6uf4KhscJC@tpad");
	doc_item(d, "[2] " PATCHES_MSGID);
	doc_item(d, "[3] aaCP3V64INRZiZUH@tpad, spread computed from the runs posted there");
	doc_gap(d);
}
