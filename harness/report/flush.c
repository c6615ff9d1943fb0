// SPDX-License-Identifier: GPL-2.0
/* What a flush of other CPUs' sheaves costs, whom, and from how many operations on it pays. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "sections.h"

/* The columns of a table; stolen time is told in us. */
static const struct {
	const char *metric, *head;
	double scale;
} columns[] = {
	{ "kworker_runs", ">kworkers", 1 },
	{ "switches", ">switches", 1 },
	{ "ipis", ">IPIs", 1 },
	{ "timers", ">timers", 1 },
	{ "stolen_ns", ">stolen us", 1e-3 },
};

static const json_t *counter(const struct view *r, const char *workload, const char *metric,
			     const char *variant)
{
	return json_find(json_object_get(r->root, "counters"), "workload", workload, "metric",
			 metric, "variant", variant, NULL);
}

/* Of one of the other lists of a summary. */
static const json_t *record(const struct view *r, const char *list, const char *workload,
			    const char *variant)
{
	return json_find(json_object_get(r->root, list), "workload", workload, "variant", variant,
			 NULL);
}

/* A value of the summary with its interval, in a unit of scale. */
static struct estimate scaled(const json_t *one, const char *value, const char *ci, double scale)
{
	struct estimate e = { .mean = NAN, .ci = { NAN, NAN } };

	if (!one)
		return e;
	e.mean = json_num(one, value) * scale;
	e.ci = json_interval(one, ci);
	e.ci.lo *= scale;
	e.ci.hi *= scale;
	return e;
}

static bool is_shown(const struct vinfo *v)
{
	return is_role(v, "baseline") || is_role(v, "change") || is_role(v, "null");
}

static void grid_scaled(struct grid *g, struct estimate e)
{
	if (e.ci.lo < e.ci.hi)
		grid_estimate(g, e.mean, e.ci, 2, false);
	else
		grid_number(g, e.mean, 2, false);
}

static void flush_table(struct page *p, const struct view *r, const char *workload)
{
	const char *heads[ARRAY_SIZE(columns) + 3] = { "variant", ">waits us" };
	struct grid *g;

	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		heads[i + 2] = columns[i].head;
	page_text(p, "%s:", workload);
	g = page_table(p, "flushes", heads);
	grid_key(g, "workload", workload);
	for (size_t v = 0; v < r->nvariants; v++) {
		const char *name = r->variants[v].name;
		const json_t *value = record(r, "values", workload, name);

		if (!is_shown(&r->variants[v]) || !value)
			continue;
		grid_row(g);
		grid_text(g, name);
		grid_scaled(g, scaled(value, "mean", "ci95", summary_ns_per_tick(r->env) / 1e3));
		for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
			grid_scaled(g, scaled(counter(r, workload, columns[i].metric, name),
					      "value", "ci95", columns[i].scale));
	}
}

static void break_even(struct grid *g, struct estimate cost, struct estimate saved)
{
	if (isnan(cost.ci.lo) || isnan(saved.ci.lo))
		grid_missing(g, "n/a", NULL);
	else if (saved.ci.lo <= 0)
		grid_missing(g, "no saving seen", NULL);
	else if (cost.ci.lo <= 0)
		grid_missing(g, "no cost seen", NULL);
	else
		grid_estimate(g, saved.mean / cost.mean,
			      (struct interval){ saved.ci.lo / cost.ci.hi,
						 saved.ci.hi / cost.ci.lo },
			      0, false);
}

/* What a program loses with a scheme though nothing is flushed, which should be nothing; NULL where it was not measured. */
static const json_t *control_of(const struct view *r, const char *flush, const char *variant)
{
	char *nothing = xasprintf("flush-none%s", strchr(flush, '/'));
	const json_t *one = counter(r, nothing, "stolen_ns", variant);

	free(nothing);
	return one;
}

/* Without a control that holds 0, on both sides, what is saved may be anything. */
static const char *out_of_control(const struct view *r, const char *flush, const char *variant,
				  const char *baseline)
{
	const char *const sides[] = { variant, baseline };

	for (size_t i = 0; i < ARRAY_SIZE(sides); i++) {
		const json_t *control = control_of(r, flush, sides[i]);
		struct interval ci = json_interval(control, "ci95");

		if (!control)
			return "n/a: no control";
		if (!(ci.lo <= 0 && ci.hi >= 0))
			return "n/a: control";
	}
	return NULL;
}

/*
 * What a scheme saves is told in interruptions, since what one of them costs is another machine's and
 * another kernel's: a line over it, to be read where the reader is. Then as uml's own time.
 */
static void trade_table(struct page *p, const struct view *r, const char *workload,
			const char *baseline)
{
	static const char *const heads[] = {
		"variant",	   ">ns per op", ">kworkers less", ">pairs per us", ">us saved",
		">break-even ops", NULL
	};
	const double today = json_num(counter(r, workload, "kworker_runs", baseline), "value");
	struct grid *g = NULL;

	for (size_t v = 0; v < r->nvariants; v++) {
		const char *name = r->variants[v].name;
		const json_t *pair = record(r, "effects", WORKLOAD_FIRST, name);
		const json_t *lost = counter(r, workload, "stolen_ns", name);
		const char *off = out_of_control(r, workload, name, baseline);
		struct estimate cost, saved;
		double less;

		if (!is_role(&r->variants[v], "change") || !pair || !lost)
			continue;
		if (!g) {
			page_text(
				p,
				"The trade: what a pair/64/1 costs more than with %s, by how many "
				"runs of a kworker each %s interrupts the program on the flushed "
				"CPU less, and how many pairs on that CPU between two flushes "
				"cost as much as the flush saves, for each microsecond that one "
				"such interruption costs: with fewer of them the scheme pays. "
				"What it costs is a figure of the reader's machine. The last two "
				"columns take uml's, which is far from a native one: what the "
				"program lost less, and the pairs that cost as much; not where "
				"it loses something though nothing is flushed, or nobody looked. "
				"The interval takes the worse end of both others.",
				baseline, workload);
			g = page_table(p, "trade", heads);
			grid_key(g, "workload", workload);
		}
		cost = scaled(pair, "effect", "ci95", summary_ns_per_tick(r->env));
		less = today - json_num(counter(r, workload, "kworker_runs", name), "value");
		/* Of 1 us each; they are counted, so that the interval is the cost's. */
		saved = (struct estimate){ .mean = 1e3 * less, .ci = { 1e3 * less, 1e3 * less } };
		grid_row(g);
		grid_text(g, name);
		grid_scaled(g, cost);
		grid_number(g, less, 2, false);
		break_even(g, cost, saved);
		saved = scaled(lost, "effect", "effect_ci95", -1e-3);
		saved.ci = (struct interval){ saved.ci.hi, saved.ci.lo };
		grid_scaled(g, saved);
		saved = scaled(lost, "effect", "effect_ci95", -1);
		saved.ci = (struct interval){ saved.ci.hi, saved.ci.lo };
		if (off)
			grid_missing(g, off, NULL);
		else
			break_even(g, cost, saved);
	}
}

/* Whether the flushed CPUs never get round to anything else. */
static bool is_starved(const char *workload)
{
	struct workload w;

	return workload_is_flush(workload) && workload_parse(workload, &w) &&
	       !strcmp(w.order, "fifo");
}

/* What a flush costs who uses the sheaves that are flushed. */
static void slow_table(struct page *p, const struct view *r)
{
	static const char *const heads[] = { "variant", "workload", ">slow paths", NULL };
	struct grid *g = NULL;
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(r->root, "flushes"), i, one) {
		if (strcmp(json_text(one, "metric"), "slow_paths") != 0)
			continue;
		if (!g) {
			page_text(p, "While a thread of the kernel allocates and frees on the "
				     "flushed CPU all the time, so many of its operations go to a "
				     "slab for each flush, more than in the same time without one, "
				     "since it found the lock of its sheaves taken, or the sheaves "
				     "gone: uml, two CPUs, medians over the flushes of one boot, "
				     "with CONFIG_SLUB_STATS.");
			g = page_table(p, "slow-paths", heads);
		}
		grid_row(g);
		grid_text(g, json_text(one, "variant"));
		grid_text(g, json_text(one, "workload"));
		grid_number(g, json_num(one, "value"), 1, false);
	}
}

void write_flushes(struct page *p, const struct view *r)
{
	const char *last = "",
		   *stands = workload_flush_headline(json_object_get(r->root, "counters"));
	const struct vinfo *base = view_baseline(r);
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(r->root, "values"), i, one) {
		const char *workload = json_text(one, "workload");

		if (!workload_is_flush(workload) || is_starved(workload) || !strcmp(workload, last))
			continue;
		if (!*last)
			page_text(p, "How long the caller waits for a flush, and what each CPU "
				     "whose sheaves are flushed notices more than in the same time "
				     "without one: runs of its kworkers, context switches, IPIs, "
				     "timer interrupts, and what a program that never enters the "
				     "kernel loses. Medians over flushes, means over layouts with "
				     "95 %% intervals. Of a name the last two parts are the CPUs "
				     "with full sheaves, the caller's among them, and what the "
				     "others do.");
		last = workload;
		flush_table(p, r, workload);
	}
	if (*last)
		slow_table(p, r);
	if (*last && stands && base)
		trade_table(p, r, stands, base->name);
}

void write_waits(struct page *p, const struct view *r)
{
	static const char *const heads[] = { "variant", ">waits ms", ">deadline passed %", NULL };
	const char *last = "";
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(r->root, "values"), i, one) {
		const char *workload = json_text(one, "workload");
		struct grid *g;

		if (!is_starved(workload) || !strcmp(workload, last))
			continue;
		if (!*last) {
			page_heading(p, "Who waits");
			page_text(p, "How long the caller waits for a flush while a SCHED_FIFO "
				     "program that never enters the kernel runs on each CPU whose "
				     "sheaves are flushed: one flush per boot, means over layouts "
				     "with 95 %% intervals. Where the driver's deadline passed, "
				     "the share of boots is told; the program was ended then, and "
				     "the wait is the deadline.");
		}
		last = workload;
		page_text(p, "%s:", workload);
		g = page_table(p, "waits", heads);
		grid_key(g, "workload", workload);
		for (size_t v = 0; v < r->nvariants; v++) {
			const char *name = r->variants[v].name;
			const json_t *value = record(r, "values", workload, name);
			const json_t *late = counter(r, workload, "deadline_passed", name);

			if (!is_shown(&r->variants[v]) || !value)
				continue;
			grid_row(g);
			grid_text(g, name);
			grid_scaled(g, scaled(value, "mean", "ci95",
					      summary_ns_per_tick(r->env) / 1e6));
			grid_number(g, late ? 100 * json_num(late, "value") : NAN, 0, false);
		}
	}
}

/* The name of a workload for any number of CPUs. */
struct family {
	char name[128];
};

static struct family family_of(const json_t *one)
{
	struct family family;
	struct workload w;

	if (workload_parse(json_text(one, "workload"), &w) && *w.order)
		snprintf(family.name, sizeof(family.name), "%.40s/%u/N/%.40s", w.op, w.size,
			 w.order);
	else
		snprintf(family.name, sizeof(family.name), "%s", json_text(one, "workload"));
	return family;
}

static bool is_of(const json_t *one, const char *family)
{
	return !strcmp(json_text(one, "target"), "tcg") && !strcmp(family_of(one).name, family);
}

/* Events of one flush upon one CPU. */
static const char *const growth_metrics[] = { "kworker_runs", "ipis", "switches" };

/* The rows of one variant: a row per number of CPUs, with what all of them notice together. */
static void growth_rows(struct grid *g, const json_t *flushes, const char *family,
			const char *variant, bool isolated)
{
	const int first = g->rows;
	const json_t *one;
	size_t i;

	json_array_foreach(flushes, i, one) {
		double cpus = json_num(one, "cpus");
		bool done = false;

		for (int k = first; k < g->rows; k++)
			done |= g->row[k].cell[2].value == cpus;
		if (done || strcmp(json_text(one, "variant"), variant) != 0 ||
		    !is_of(one, family) ||
		    json_is_true(json_object_get(one, "isolated")) != isolated)
			continue;
		grid_row(g);
		grid_text(g, variant);
		grid_text(g, isolated ? "isolated" : "housekeeping");
		grid_number(g, cpus, 0, false);
		for (size_t m = 0; m < ARRAY_SIZE(growth_metrics); m++) {
			const json_t *of;
			double sum = NAN;
			size_t k;

			json_array_foreach(flushes, k, of)
				if (!strcmp(json_text(of, "variant"), variant) &&
				    !strcmp(json_text(of, "metric"), growth_metrics[m]) &&
				    json_num(of, "cpus") == cpus && is_of(of, family) &&
				    json_is_true(json_object_get(of, "isolated")) == isolated)
					sum = cpus * json_num(of, "value");
			grid_number(g, sum, 0, false);
		}
	}
}

void write_growth(struct page *p, const struct view *r)
{
	static const char *const heads[] = { "variant", "flushed CPUs", ">CPUs", ">kworkers",
					     ">IPIs",	">switches",	NULL };
	const json_t *flushes = json_object_get(r->root, "flushes"), *one;
	bool any = false;
	size_t i, k;

	json_array_foreach(flushes, i, one) {
		const struct family family = family_of(one);
		struct grid *g;

		if (!is_of(one, family.name))
			continue;
		for (k = 0; k < i && !is_of(json_array_get(flushes, k), family.name); k++)
			;
		if (k < i)
			continue;
		if (!any) {
			page_heading(p, "Events of a flush, by the number of CPUs flushed");
			page_text(p, "What one flush by CPU 0 brings upon all other CPUs with full "
				     "sheaves together: runs of kworkers, IPIs, context switches, "
				     "more than in the same time without one, as the x86_64 kernel "
				     "itself counts them with 16 CPUs under QEMU's TCG. Medians "
				     "over flushes; isolated: by isolcpus= and nohz_full=, all but "
				     "CPU 0.");
		}
		any = true;
		page_text(p, "%s:", family.name);
		g = page_table(p, "growth", heads);
		grid_key(g, "workload", family.name);
		for (size_t v = 0; v < 2 * r->nvariants; v++) {
			const struct vinfo *variant = &r->variants[v / 2];

			if (is_role(variant, "baseline") || is_role(variant, "change"))
				growth_rows(g, flushes, family.name, variant->name, v % 2);
		}
	}
}

/* The flush of CPUs that are busy in user space that was counted on the fewest CPUs, isolated ones first. */
static const json_t *counted_flush(const struct view *r, const char *variant)
{
	const json_t *one, *best = NULL;
	size_t i;

	json_array_foreach(json_object_get(r->root, "flushes"), i, one) {
		bool isolated = json_is_true(json_object_get(one, "isolated"));

		if (strcmp(json_text(one, "variant"), variant) != 0 ||
		    !is_of(one, "flush-shrink/64/N/user"))
			continue;
		if (!best || (isolated && !json_is_true(json_object_get(best, "isolated"))))
			best = one;
	}
	return best;
}

double flush_events(const struct view *r, const char *variant, const char **which)
{
	const char *stands = workload_flush_headline(json_object_get(r->root, "counters"));
	const json_t *like = counted_flush(r, variant), *one;
	double sum = 0;
	size_t i;

	if (like) {
		*which = "kworker runs, IPIs and switches that a kmem_cache_shrink() takes "
			 "from an isolated CPU";
		json_array_foreach(json_object_get(r->root, "flushes"), i, one)
			for (size_t m = 0; m < ARRAY_SIZE(growth_metrics); m++)
				if (!strcmp(json_text(one, "metric"), growth_metrics[m]) &&
				    !strcmp(json_text(one, "variant"), variant) &&
				    !strcmp(json_text(one, "workload"),
					    json_text(like, "workload")) &&
				    json_is_true(json_object_get(one, "isolated")) ==
					    json_is_true(json_object_get(like, "isolated")))
					sum += json_num(one, "value");
		return sum;
	}
	*which = "kworker runs that a kmem_cache_shrink() takes from the CPU";
	return stands ? json_num(counter(r, stands, "kworker_runs", variant), "value") : NAN;
}

struct estimate flush_wait(const struct view *r, const char *variant, bool *late)
{
	struct estimate e = { .mean = NAN, .ci = { NAN, NAN } };
	const json_t *one;
	size_t i;

	*late = false;
	json_array_foreach(json_object_get(r->root, "values"), i, one) {
		const char *workload = json_text(one, "workload");
		struct estimate of;

		if (!is_starved(workload) || strcmp(json_text(one, "variant"), variant) != 0)
			continue;
		of = scaled(one, "mean", "ci95", summary_ns_per_tick(r->env) / 1e6);
		*late |= json_num(counter(r, workload, "deadline_passed", variant), "value") > 0;
		if (isnan(e.mean) || of.mean > e.mean)
			e = of;
	}
	return e;
}
