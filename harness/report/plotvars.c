// SPDX-License-Identifier: GPL-2.0
/* The variables of the gnuplot scripts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "number.h"
#include "sections.h"

static void gnuplot_string(const char *name, const char *s)
{
	printf("%s = ", name);
	escape_gnuplot(stdout, s, '\'');
	putchar('\n');
}

static void gnuplot_number(const char *name, double v)
{
	printf(isnan(v) ? "%s = NaN\n" : "%s = %.9g\n", name, v);
}

/* One line of a datablock: the layout of a variant. */
static void gnuplot_layout(const char *variant, double pad, double value, int stock)
{
	if (isnan(value))
		return;
	escape_gnuplot(stdout, variant, '"');
	printf(" %.0f %.9g %d\n", pad, value, stock);
}

/* The headline workload of the baseline and the changes, layout by layout. */
static void plot_layouts(const struct view *r)
{
	struct group all = view_group(r, 0), g = group_headline(&all);

	gnuplot_string("layouts_of", g.count ? g.first->workload : "");
	printf("# variant pad value stock\n$layouts << END\n");
	for (size_t i = 0; g.count && i < r->nvariants; i++) {
		const json_t *value = view_value(r, g.first, r->variants[i].name), *l;
		size_t k;

		if (!is_role(&r->variants[i], "baseline") && !is_role(&r->variants[i], "change"))
			continue;
		gnuplot_layout(r->variants[i].name, 0, json_num(value, "stock"), 1);
		json_array_foreach(json_object_get(value, "per_layout"), k, l)
			if (json_num(l, "layout") > 0)
				gnuplot_layout(r->variants[i].name, json_num(l, "pad"),
					       json_num(l, "value"), 0);
	}
	printf("END\n");
}

static void plot_dose(const struct view *r)
{
	const json_t *dose = json_object_get(r->certificate, "dose"), *p;
	struct interval ci = json_interval(dose, "ci95");
	size_t i;

	gnuplot_string("dose_of", json_text(dose, "workload"));
	gnuplot_string("dose_reference", json_text(dose, "reference"));
	gnuplot_number("slope", json_num(dose, "slope"));
	gnuplot_number("slope_lo", ci.lo);
	gnuplot_number("slope_hi", ci.hi);
	/* where the line of the doses begins */
	gnuplot_number("dose_offset",
		       isnan(json_num(dose, "offset")) ? 0 : json_num(dose, "offset"));
	printf("# added found lo hi\n$dose << END\n");
	json_array_foreach(json_object_get(dose, "points"), i, p) {
		double found = json_num(p, "effect");

		ci = json_interval(p, "ci95");
		if (!isnan(found) && !isnan(json_num(p, "dose")))
			printf("%.9g %.9g %.9g %.9g\n", json_num(p, "dose"), found,
			       isnan(ci.lo) ? found : ci.lo, isnan(ci.hi) ? found : ci.hi);
	}
	printf("END\n");
}

/* A finding more, which is freed, as long as a title has room for the list and what follows it. */
static void add_finding(char **list, char *one)
{
	char *all = *list ? xasprintf("%s, %s", *list, one) : xstrdup(one);

	if (*list && strlen(all) > 48) {
		free(all);
	} else {
		free(*list);
		*list = all;
	}
	free(one);
}

/* "qpw-on +26". */
static void add_difference(char **list, const char *variant, double n)
{
	add_finding(list, xasprintf("%s %s", variant,
				    number(n, fabs(n - round(n)) < 0.005 ? 0 : 2, true).s));
}

/* A title: the changes that the first workload's verdicts name. */
static char *cost_finding(const struct view *r, const char *const *verdicts)
{
	struct group all = view_group(r, 0), g = r->neffects ? group_headline(&all) : all;
	char *list = NULL;

	for (int k = 0; verdicts[k]; k++)
		for (size_t i = 0; i < g.count; i++)
			if (is_role(g.first[i].info, "change") && g.first[i].verdict &&
			    !strcmp(g.first[i].verdict, verdicts[k]))
				add_difference(&list, g.first[i].variant, g.first[i].effect);
	return list;
}

/* The effects of a change that a title is about. */
typedef bool (*picked)(const struct effect *e);

static bool of_one(const struct effect *e)
{
	return !strcmp(e->of.op, "pair") && e->of.n == 1 && !*e->of.order;
}

static bool of_many(const struct effect *e)
{
	return e->of.size == 64 && !workload_is_spaced(e->workload) &&
	       !workload_is_excursion(e->workload) &&
	       (e->of.n > 1 || !strcmp(e->of.op, "alloc") || !strcmp(e->of.op, "free"));
}

static bool of_any(const struct effect *e)
{
	return !isnan(e->ci.lo) && !workload_is_excursion(e->workload);
}

/* How a change's effects lie: from the least to the most, and how many of the intervals are above 0. */
struct spread {
	double least, most;
	size_t count, above;
};

static struct spread spread_of(const struct view *r, const struct vinfo *v, picked pick)
{
	struct spread out = { INFINITY, -INFINITY, 0, 0 };

	for (size_t i = 0; i < r->neffects; i++) {
		const struct effect *e = &r->effects[i];

		if (e->info != v || isnan(e->effect) || !pick(e))
			continue;
		out.least = fmin(out.least, e->effect);
		out.most = fmax(out.most, e->effect);
		out.above += e->ci.lo > 0;
		out.count++;
	}
	return out;
}

/* "qpw-on +26 to +27", of changes that cost something wherever @pick looked; NULL without any. */
static char *range_finding(const struct view *r, picked pick)
{
	char *list = NULL;

	for (size_t i = 0; r->proven && i < r->nvariants; i++) {
		const struct spread s = spread_of(r, &r->variants[i], pick);

		if (!is_role(&r->variants[i], "change") || s.count < 2 || s.above < s.count)
			continue;
		add_finding(&list,
			    xasprintf("%s %s to %s", r->variants[i].name,
				      number(s.least, 1, true).s, number(s.most, 1, true).s));
	}
	return list;
}

/* "qpw-on in 58, slowpath in 60": in how many workloads a change's interval is above 0. */
static char *above_finding(const struct view *r, size_t *of)
{
	char *list = NULL;

	*of = 0;
	for (size_t i = 0; r->proven && i < r->nvariants; i++) {
		const struct spread s = spread_of(r, &r->variants[i], of_any);

		if (!is_role(&r->variants[i], "change") || !s.above)
			continue;
		add_finding(&list, xasprintf("%s in %zu", r->variants[i].name, s.above));
		*of = s.count > *of ? s.count : *of;
	}
	return list;
}

/* The spread of the baseline's layouts, which is what a single build is off by. */
static char *layout_finding(const struct view *r)
{
	struct group all = view_group(r, 0), g = r->neffects ? group_headline(&all) : all;
	const struct vinfo *base = view_baseline(r);
	const json_t *list =
		base && g.count ? json_object_get(view_value(r, g.first, base->name), "per_layout")
				: NULL;
	double sum = 0, squares = 0;
	size_t k, n = 0;
	const json_t *l;

	json_array_foreach(list, k, l) {
		double v = json_num(l, "value");

		if (isnan(v) || json_num(l, "layout") <= 0)
			continue;
		sum += v;
		squares += v * v;
		n++;
	}
	if (n < 2 || sum <= 0)
		return NULL;
	squares = sqrt(fmax(0, (squares - sum * sum / n) / (n - 1)));
	return xasprintf("Between layouts %s on %s has an SD of %s ticks (%s %%)",
			 g.first->workload, base->name, number(squares, 2, false).s,
			 number(100 * squares * n / sum, 1, false).s);
}

/* A title of what @fmt makes of the list, which it frees; "" where the result gives no cause. */
static void gnuplot_finding(const char *name, const char *fmt, char *list, const char *more)
{
	char *title = list ? xasprintf(fmt, list, more) : NULL;

	gnuplot_string(name, title ? title : "");
	free(title);
	free(list);
}

/* What the plots say in their titles. */
static void plot_findings(const struct view *r)
{
	static const char *const dear[] = { "slower", "faster", NULL };
	struct group all = view_group(r, 0), g = r->neffects ? group_headline(&all) : all;
	const struct vinfo *base = view_baseline(r);
	char *cost = r->proven ? cost_finding(r, dear) : NULL, *list = NULL, *on = NULL, *of;
	size_t most;

	if (cost)
		on = xasprintf("%s, on %s", g.first->workload, number(g.first->base, 1, false).s);
	gnuplot_finding("cost_finding", "%s ticks per %s", cost, on);
	free(on);
	for (size_t i = 0; base && i < r->nvariants; i++) {
		const json_t *from = view_count(r, "tcg", WORKLOAD_FIRST, base->name),
			     *one = view_count(r, "tcg", WORKLOAD_FIRST, r->variants[i].name);
		double more = json_num(json_object_get(one, "classes"), "instructions") -
			      json_num(json_object_get(from, "classes"), "instructions");

		if (!is_role(&r->variants[i], "change") || isnan(more) || more == 0)
			continue;
		add_difference(&list, r->variants[i].name, more);
	}
	gnuplot_finding("count_finding", "%s instructions per %s on x86_64", list, WORKLOAD_FIRST);
	gnuplot_finding("size_finding", "%s ticks per pair, by its size%s",
			range_finding(r, of_one), "");
	gnuplot_finding("many_finding", "%s ticks per operation, by the objects held%s",
			range_finding(r, of_many), "");
	list = above_finding(r, &most);
	of = xasprintf("%zu", most);
	gnuplot_finding("all_finding", "Dearer: %s of %s workloads", list, of);
	free(of);
	gnuplot_finding("layout_finding", "%s%s", layout_finding(r), "");
}

/* What the plots must agree on with the text, and what they show of the certificate. */
int do_plotvars(const struct view *r)
{
	const json_t *gate = json_object_get(r->certificate, "gate");
	const struct vinfo *base = view_baseline(r);
	double sheaf = json_num(r->env, "sheaf_capacity"), barn = json_num(r->env, "barn_sheaves");
	char *headlines = xstrdup(" "), *proofs = xstrdup(" ");

	for (size_t i = 0; i < r->nvariants; i++) {
		const struct vinfo *v = &r->variants[i];

		if (is_role(v, "dose") || is_role(v, "check"))
			proofs = longer(proofs, v->name);
	}
	for (size_t at = 0; at < r->neffects;) {
		struct group all = view_group(r, at), g = group_headline(&all);

		headlines = longer(headlines, g.first->workload);
		at += all.count;
	}
	gnuplot_string("headlines", headlines);
	gnuplot_string("proofs", proofs);
	free(headlines);
	free(proofs);
	gnuplot_string("baseline", base ? base->name : "");
	gnuplot_string("baseline_title", base ? base->title : "");
	gnuplot_string("unit",
		       r->neffects ? unit_long(r->effects[0].metric) : "TSC ticks per operation");
	gnuplot_string("location", r->location ? r->location : "");
	gnuplot_string("result", r->id ? r->id : "");
	printf("proven = %d\ntimed = %d\n", r->proven, r->timed);
	printf("limit = %.6g\nlimit_all = %.6g\n", plot_limit(r, true), plot_limit(r, false));
	/* objects in one sheaf and full sheaves in a barn, 0 where the result does not say */
	printf("sheaf = %.0f\nbarn = %.0f\n", isnan(sheaf) ? 0 : sheaf, isnan(barn) ? 0 : barn);
	gnuplot_number("quiet_share", json_num(gate, "quiet_share"));
	plot_findings(r);
	plot_dose(r);
	plot_layouts(r);
	return 0;
}
