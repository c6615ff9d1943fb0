// SPDX-License-Identifier: GPL-2.0
/* Whether a result can be trusted, how it stands to the numbers of the thread, and what it cannot say. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "certificate.h"
#include "number.h"
#include "sections.h"

static void trust_row(struct grid *g, const char *what, char *value, const char *criterion,
		      const char *word)
{
	grid_row(g);
	grid_text(g, what);
	grid_text(g, value);
	grid_text(g, criterion);
	grid_text(g, word);
	free(value);
}

/* What the certificate says of one of its lines. */
static const json_t *line_of(const struct view *r, const char *name)
{
	return json_find(json_object_get(r->certificate, "lines"), "name", name, NULL);
}

static const char *word_of(const struct view *r, const char *name)
{
	const char *word = json_text(line_of(r, name), "word");

	return *word ? word : "n/a";
}

/* The effects that stand for all. */
static struct group first_group(const struct view *r)
{
	struct group all = view_group(r, 0);

	return r->neffects ? group_headline(&all) : all;
}

/* What the baseline's own code "differs" by on the first workload, NULL without a null. */
static const struct effect *null_effect(const struct view *r)
{
	const struct group g = first_group(r);

	for (size_t i = 0; i < g.count; i++)
		if (is_null_variant(&g.first[i]))
			return &g.first[i];
	return NULL;
}

static void same_code_row(struct grid *g, const struct view *r)
{
	int same = 0, missed = 0;

	for (size_t i = 0; i < r->neffects; i++) {
		const struct effect *e = &r->effects[i];
		const json_t *list = json_object_get(r->root, "same_code");

		if (!json_find(list, "variant", e->variant, "workload", e->workload, NULL) &&
		    !json_find(list, "variant", e->variant, "workload", "*", NULL))
			continue;
		same++;
		missed += e->ci.lo > 0 || e->ci.hi < 0;
	}
	trust_row(g, "same code",
		  same ? xasprintf("%d of %d comparisons of the same code miss 0", missed, same)
		       : xstrdup("no variant runs the baseline's code byte for byte, or nobody "
				 "looked"),
		  "judged with the null", same ? word_of(r, "null") : "n/a");
}

/* The smallest effect that two variants would have shown with a power of 80 % at the 5 % level. */
static void power_row(struct grid *g, const struct view *r)
{
	const struct effect *e = null_effect(r);
	char *criterion = xasprintf("at most %g", r->equal);
	double df, seen = NAN;

	if (!e && r->neffects)
		e = first_group(r).first;
	if (e && !isnan(e->ci.lo)) {
		df = e->layouts - 1;
		seen = (e->ci.hi - e->ci.lo) / 2 *
		       (1 + stat_t_quantile(0.8, df) / stat_t_quantile(0.975, df));
	}
	trust_row(g, "smallest effect seen",
		  isnan(seen) ? xstrdup("n/a: no interval")
			      : xasprintf("%s %s in %s, power 80 %%", number(seen, 2, false).s,
					  unit_long(e->metric), e->workload),
		  criterion,
		  isnan(seen) || isnan(r->equal) ? "n/a"
		  : seen <= r->equal		 ? "pass"
						 : "too imprecise");
	free(criterion);
}

void write_trust(struct page *p, const struct view *r)
{
	static const char *const heads[] = { "line", "value", "wanted", "word", NULL };
	const json_t *c = r->certificate, *null = json_object_get(c, "null"),
		     *dose = json_object_get(c, "dose"), *losses = json_object_get(c, "losses"),
		     *why;
	struct grid *g;
	size_t i;

	if (!r->timed)
		return;
	page_heading(p, "Can it be trusted?");
	g = page_table(p, "trust", heads);
	same_code_row(g, r);
	trust_row(
		g, "null",
		json_is_object(null)
			? xasprintf("%.0f of %.0f comparisons of the baseline with itself miss 0; "
				    "largest %s in %s",
				    json_num(null, "excluding_zero"), json_num(null, "comparisons"),
				    number(json_num(null, "largest"), 2, false).s,
				    json_text(null, "largest_workload"))
			: xstrdup("n/a: no null comparison"),
		json_text(line_of(r, "null"), "criterion"), word_of(r, "null"));
	trust_row(g, "dose",
		  json_is_object(dose)
			  ? xasprintf("%s %s core cycles found for each one added",
				      number(json_num(dose, "slope"), 3, false).s,
				      interval(json_interval(dose, "ci95"), 3, false).s)
			  : xstrdup("n/a: no known amount was added"),
		  json_text(line_of(r, "dose"), "criterion"), word_of(r, "dose"));
	trust_row(
		g, "noise and losses",
		json_is_object(losses)
			? xasprintf(
				  "values in %s %% of layouts; the worst variant's in %s %%; gaps "
				  "took %.0f ppm",
				  number(100 * json_num(losses, "kept"), 1, false).s,
				  number(100 * json_num(line_of(r, "losses"), "value"), 1, false).s,
				  json_num(json_object_get(c, "noise"), "ppm"))
			: xstrdup("n/a: the result does not say"),
		json_text(line_of(r, "losses"), "criterion"), word_of(r, "losses"));
	power_row(g, r);
	json_array_foreach(json_object_get(c, "why_not"), i, why)
		page_item(p, "It does not hold: %s.", json_string_value(why));
}

void write_trust_short(struct page *p, const struct view *r)
{
	const json_t *c = r->certificate, *null = json_object_get(c, "null"),
		     *dose = json_object_get(c, "dose"), *losses = json_object_get(c, "losses");

	if (!r->timed) {
		page_item(p, "The counts are exact; no time is told.");
		return;
	}
	if (json_is_object(null))
		page_item(p,
			  "null: %.0f of %.0f comparisons of the baseline with itself miss 0: %s",
			  json_num(null, "excluding_zero"), json_num(null, "comparisons"),
			  word_of(r, "null"));
	else
		page_item(p, "null: n/a: no null comparison");
	if (json_is_object(dose))
		page_item(p, "dose: %s %s core cycles found for each added: %s",
			  number(json_num(dose, "slope"), 3, false).s,
			  interval(json_interval(dose, "ci95"), 3, false).s, word_of(r, "dose"));
	else
		page_item(p, "dose: n/a: no known amount was added");
	if (json_is_object(losses))
		page_item(p, "losses: values in %s %% of layouts: %s",
			  number(100 * json_num(losses, "kept"), 1, false).s, word_of(r, "losses"));
}

/* Everything posted of kmalloc, in cycles: differences from the kernel without the series, one value each. */
static const struct {
	const char *what, *mail, *variant;
	double cycles, whole;
	bool rt;
} posted[] = {
	{ "v1 compiled out", "aZiRAa6uf4KhscJC@tpad", "qpw-n", 4, 159, false },
	{ "v1 off", "aZiRAa6uf4KhscJC@tpad", "qpw-off", 11, 159, false },
	{ "v1 on", "aZiRAa6uf4KhscJC@tpad", "qpw-on", 31, 159, false },
	{ "v2 off", "aaYpICV55B70U1I2@tpad", "qpw-off", 2, NAN, false },
	{ "v4 compiled out", PATCHES_MSGID, "qpw-n", 2, 60, false },
	{ "v4 off", PATCHES_MSGID, "qpw-off", 2, 60, false },
	{ "v4 on", PATCHES_MSGID, "qpw-on", 15, 60, false },
	{ "v1 off, RT", "aZiRAa6uf4KhscJC@tpad", "qpw-off", -4, 185, true },
	{ "v1 on, RT", "aZiRAa6uf4KhscJC@tpad", "qpw-on", 11, 185, true },
	{ "v4 off, RT", PATCHES_MSGID, "qpw-off", 4, 95, true },
	{ "v4 on, RT", PATCHES_MSGID, "qpw-on", 2, 95, true },
};

/* They allocated without freeing: the largest N of alloc is nearest to that. */
static const struct effect *nearest_alloc(const struct view *r)
{
	const struct effect *here = NULL;

	for (size_t i = 0; i < r->neffects; i++) {
		const struct effect *e = &r->effects[i];

		if (!strcmp(e->of.op, "alloc") && e->of.size == 64 &&
		    (!*e->of.order || !strcmp(e->of.order, "lifo")) &&
		    (!here || e->of.n > here->of.n))
			here = e;
	}
	return here;
}

static void here_cells(struct grid *g, const struct view *r, const struct effect *e, double cycles,
		       double ratio)
{
	struct interval ci;

	(void)r;
	if (!e || isnan(ratio)) {
		grid_missing(g, "n/a", NULL);
		grid_missing(g, "n/a",
			     e ? "the result does not tell core cycles per tick"
			       : "not in this result");
		return;
	}
	ci = (struct interval){ e->ci.lo * ratio, e->ci.hi * ratio };
	grid_estimate(g, e->effect * ratio, ci, 1, true);
	grid_text(g, isnan(ci.lo)			? "no interval"
		     : cycles < ci.lo || cycles > ci.hi ? "yes"
							: "no");
}

void write_thread(struct page *p, const struct view *r)
{
	static const char *const heads[] = { "posted",	   ">cycles", ">of", ">here, core cycles",
					     "told apart", NULL };
	const struct effect *here = nearest_alloc(r);
	const double ratio = json_num(
		json_object_get(json_object_get(r->certificate, "clock"), "core_per_tick"), "p50");
	struct grid *g = NULL;

	for (size_t i = 0; here && i < ARRAY_SIZE(posted); i++) {
		const struct effect *e = view_effect(r, here, posted[i].variant);

		if (!view_variant(r, posted[i].variant))
			continue;
		if (!g) {
			page_heading(p, "Beside the thread's numbers");
			page_text(p,
				  "kmalloc of 64 bytes in cycles of an unnamed machine, one "
				  "value each, beside %s; told apart: the posted one lies "
				  "outside our 95 %% interval. Machines and loops differ.",
				  here->workload);
			g = page_table(p, "thread", heads);
		}
		grid_row(g);
		grid_text(g, posted[i].what);
		grid_number(g, posted[i].cycles, 0, true);
		grid_number(g, posted[i].whole, 0, false);
		if (posted[i].rt) {
			grid_missing(g, "n/a", NULL);
			grid_missing(g, "n/a", "no target here tells the time of PREEMPT_RT");
		} else {
			here_cells(g, r, e, posted[i].cycles, ratio);
		}
	}
	if (g)
		page_text(p,
			  "v1: aZiRAa6uf4KhscJC@tpad; v2: aaYpICV55B70U1I2@tpad; v4: " PATCHES_MSGID
			  ". One kernel repeated lay 2.6 to 9.8 %% apart there "
			  "(aaCP3V64INRZiZUH@tpad)%s%s%s.",
			  null_effect(r) ? "; here the baseline against itself " : "",
			  null_effect(r) ? number(percent(null_effect(r)), 1, true).s : "",
			  null_effect(r) ? " %" : "");
}

static bool is_spaced(const struct view *r)
{
	for (size_t i = 0; i < r->neffects; i++)
		if (workload_is_spaced(r->effects[i].workload))
			return true;
	return false;
}

static double instructions(const struct view *r, const char *target)
{
	const struct vinfo *base = view_baseline(r);
	const json_t *one = base ? view_count(r, target, WORKLOAD_FIRST, base->name) : NULL;

	return json_num(json_object_get(one, "classes"), "instructions");
}

/* How uml's instructions differ from x86_64's. */
static void limit_of_uml(struct page *p, const struct view *r)
{
	const double uml = instructions(r, "uml"), x86 = instructions(r, "tcg");
	const bool patched = !strcmp(json_text(r->env, "um_fidelity"), "yes");
	char *size = isnan(uml) || isnan(x86)
			     ? xstrdup("by how much was not counted")
			     : xasprintf("a pair executes %s instructions, %s on x86_64 (%s %%)",
					 number(uml, 0, false).s, number(x86, 0, false).s,
					 number(100 * (uml / x86 - 1), 1, true).s);

	page_item(p, "uml is no x86_64: %s; %s.",
		  patched ? "its fast path is, but slow paths look too cheap, for interrupts are "
			    "disabled in a variable"
			  : "static keys, spinlocks and disabled interrupts look too dear",
		  size);
	free(size);
}

static bool has_failed(const json_t *left_out)
{
	return !strncmp(json_string_value(left_out), "failed: ", 8);
}

void write_failed(struct page *p, const struct view *r)
{
	const json_t *changed = json_object_get(r->root, "changed"), *one;
	bool any = false;
	size_t i;

	if (json_array_size(changed))
		page_text(p, "CAUTION: this result was changed after it was measured:");
	json_array_foreach(changed, i, one)
		page_item(p, "%s", json_is_string(one) ? json_string_value(one) : "?");

	json_array_foreach(json_object_get(r->env, "left_out"), i, one) {
		if (!json_is_string(one) || !has_failed(one))
			continue;
		if (!any)
			page_text(p, "CAUTION: this result is not whole:");
		any = true;
		page_item(p, "%s", json_string_value(one));
	}
}

void write_limits(struct page *p, const struct view *r, bool brief)
{
	const double ratio = json_num(
		json_object_get(json_object_get(r->certificate, "clock"), "core_per_tick"), "p50");
	const json_t *one;
	size_t i;

	if (!brief)
		page_heading(p, "What it cannot say");
	if (!r->timed) {
		page_item(p, "How long anything takes: one instruction may take a hundred times "
			     "what another does.");
		page_item(p, "What another CPU executes: the kernel changes its own code at boot "
			     "to fit the CPU that it finds, and what it found is QEMU's.");
	} else {
		if (!strcmp(json_text(r->env, "target"), "uml"))
			limit_of_uml(p, r);
		page_item(p,
			  "Ticks are the TSC's; %s core cycles are one. Compare variants, not "
			  "machines.",
			  number(ratio, 2, false).s);
		if (!brief && !is_spaced(r))
			page_item(p, "Loops without work in between overlap their operations: a "
				     "program pays another amount, of unknown sign where no "
				     "spaced workload is in the result.");
		else if (!brief)
			page_item(p, "Other work than that of the spaced loops hides another part "
				     "of the cost.");
	}
	if (!brief)
		json_array_foreach(json_object_get(r->env, "left_out"), i, one)
			if (json_is_string(one) && !has_failed(one))
				page_item(p, "Left out: %s", json_string_value(one));
	page_item(p, "PREEMPT_RT: no time is told, %s.",
		  !view_counted(r, "tcg-rt") ? "and nothing was counted"
		  : view_variant(r, "qpw-on")
			  ? (brief ? "counts only; qpw's 0 there is our port's, not v4's"
				   : "counts only; that qpw adds 0 there is so by our port's "
				     "construction, and the posted v4 has its static branch "
				     "there too")
			  : "counts only");
	if (view_variant(r, "qpw-on"))
		page_item(p, "%s",
			  brief ? "The QPW variants are a port of the idea, not the posted "
				  "series."
				: "The QPW variants are a port of the idea, not the posted "
				  "series: all sheaf paths take the lock, the caller does "
				  "remote flushes, qpw= flips a static key, and but for "
				  "qpw-inline the lock is not inlined.");
}
