// SPDX-License-Identifier: GPL-2.0
/* What a result says of its instrument: "certificate" of summary.json. */
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "certificate.h"
#include "number.h"
#include "result.h"
#include "workload.h"

/* So many false alarms of the null comparison, or more, must have at least this chance. */
#define NULL_CHANCE 0.01

/* The slope of the doses that is still right, and the layouts that it takes to judge it. */
#define DOSE_LEAST   0.95
#define DOSE_MOST    1.05
#define DOSE_LAYOUTS 3

void certificate_warn(json_t *warnings, char *text)
{
	json_array_append_new(warnings, json_from_text(text));
	free(text);
}

/* What the comparisons of the baseline with itself found: JSON null when there was none. */
static json_t *null_json(const json_t *effects, const struct result *r)
{
	double *half = xcalloc(json_array_size(effects), sizeof(*half)), largest = -1.0, median;
	const char *where = NULL;
	int n = 0, off = 0;
	json_t *effect;
	size_t i;

	json_array_foreach(effects, i, effect)
	{
		int v = variants_find(&r->variants, json_text(effect, "variant"));
		struct interval ci = json_interval(effect, "ci95");
		double size = fabs(json_num(effect, "effect"));

		/* What waits for other CPUs says nothing of how well loops are timed. */
		if (r->variants.v[v].role != ROLE_NULL || isnan(ci.lo) ||
		    workload_is_flush(json_text(effect, "workload")))
			continue;
		half[n++] = (ci.hi - ci.lo) / 2.0;
		off += ci.lo > 0.0 || ci.hi < 0.0;
		if (size > largest) {
			largest = size;
			where = json_text(effect, "workload");
		}
	}
	gsl_sort(half, 1, n);
	median = stat_quantile(half, n, 0.5);
	free(half);
	if (!n)
		return json_null();
	return json_record("certificate", r->id, "null", "{s:i, s:i, s:o, s:f, s:f, s:s, s:b}",
			   "comparisons", n, "excluding_zero", off, "share_ci95",
			   json_from_interval(stat_share(off, n, STAT_LEVEL)), "median_halfwidth",
			   median, "largest", largest, "largest_workload", where, "holds",
			   stat_at_least(off, n, 1.0 - STAT_LEVEL) >= NULL_CHANCE);
}

/* The first workload that the doses have, of allocations alone if there is one; or -1. */
static int dose_workload(const struct result *r, int reference)
{
	int found = -1;

	for (int w = 0; w < r->workloads; w++) {
		struct nested side = result_side(r, w, reference);
		double *x = xcalloc(side.layouts + 1, sizeof(*x));
		int *layout = xcalloc(side.layouts + 1, sizeof(*layout));
		bool has = stat_layout_means(&side, x, layout) > 0;

		free(layout);
		free(x);
		if (has && !strncmp(r->workload[w], "alloc/", 6))
			return w;
		if (has && found < 0)
			found = w;
	}
	return found;
}

/* Additions per tick of all doses in one layout; NaN without chains. */
static double dose_clock(const struct result *r, int w, int layout)
{
	double sum = 0.0;
	int n = 0;

	for (int v = 0; v < r->variants.n; v++) {
		double rate = result_core_per_tick(r, w, v, layout);

		if (r->variants.v[v].role != ROLE_DOSE || isnan(rate))
			continue;
		sum += rate;
		n++;
	}
	return n ? sum / n : NAN;
}

/*
 * The known amounts as they were found, in core cycles: by layout the regression through the origin
 * of the differences to the reference on the doses. JSON null when there is nothing to compare.
 */
json_t *certificate_dose(const struct result *r)
{
	const int layouts = r->plan.layouts - 1;
	double *slope = xcalloc(layouts + 1, sizeof(*slope)),
	       *squares = xcalloc(layouts + 1, sizeof(*squares)),
	       *rate = xcalloc(layouts + 1, sizeof(*rate));
	json_t *points = json_array(), *out = json_null();
	const struct variants *vs = &r->variants;
	int reference = variants_reference(vs), w = -1, n = 0;
	struct estimate e;

	if (reference >= 0)
		w = dose_workload(r, reference);
	for (int l = 0; l < layouts && w >= 0; l++)
		rate[l] = dose_clock(r, w, l + 1);
	for (int v = 0; v < vs->n && w >= 0; v++) {
		struct nested a = result_side(r, w, v), b = result_side(r, w, reference);
		double dose = vs->v[v].dose;
		struct pairs p;
		int known = 0;

		if (vs->v[v].role != ROLE_DOSE || v == reference)
			continue;
		pairs_make(&p, &a, &b);
		for (int i = 0; i < p.n; i++) {
			int l = p.layout[i];

			if (isnan(rate[l]))
				continue;
			slope[l] += dose * p.d[i] * rate[l];
			squares[l] += dose * dose;
			p.d[known++] = p.d[i] * rate[l];
		}
		e = stat_t(p.d, known, STAT_LEVEL);
		if (known)
			json_array_append_new(
				points, json_record("dose", r->workload[w], vs->v[v].name,
						    "{s:s, s:f, s:f, s:o}", "variant",
						    vs->v[v].name, "dose", dose, "effect", e.mean,
						    "ci95", json_from_interval(e.ci)));
		pairs_free(&p);
	}
	for (int l = 0; l < layouts; l++)
		if (squares[l] > 0.0)
			slope[n++] = slope[l] / squares[l];
	e = stat_t(slope, n, STAT_LEVEL);
	if (n) {
		/* An interval that holds 0 as well has found nothing. */
		bool meets = e.ci.lo > 0.0 && e.ci.lo <= DOSE_MOST && e.ci.hi >= DOSE_LEAST;

		out = json_record("certificate", r->id, "dose",
				  "{s:s, s:s, s:s, s:f, s:o, s:O, s:i, s:o}", "workload",
				  r->workload[w], "reference", vs->v[reference].name, "unit",
				  "core_cycles_per_op", "slope", e.mean, "ci95",
				  json_from_interval(e.ci), "points", points, "layouts", n, "holds",
				  n < DOSE_LAYOUTS ? json_null() : json_boolean(meets));
	}
	json_decref(points);
	free(rate);
	free(squares);
	free(slope);
	return out;
}

/* What the runs say of the machine: adds gate, clock, noise, warmup and timer_step. */
static void machine_add(json_t *certificate, const struct result *r)
{
	double *rate = xcalloc(r->runs + 1, sizeof(*rate)),
	       *step = xcalloc(r->runs + 1, sizeof(*step));
	double *warm = xcalloc(r->runs + 1, sizeof(*warm)), looked = 0.0, lost = 0.0, largest = 0.0;
	int gates = 0, starved = 0, rates = 0, moved = 0, noises = 0, warms = 0;
	double samples = 0.0, quiet = 0.0;

	for (int i = 0; i < r->runs; i++) {
		const struct run *run = &r->run[i];

		if (run->quiet >= 0) {
			gates++;
			starved += run->quiet < STAT_GATE_FEWEST;
			samples += run->samples;
			quiet += run->quiet;
		}
		if (!isnan(run->core_per_tick))
			rate[rates++] = run->core_per_tick;
		moved += run->moved;
		if (run->looked > 0.0) {
			noises++;
			looked += run->looked;
			lost += run->lost;
			largest = fmax(largest, run->largest);
		}
		if (run->warmup)
			warm[warms++] = run->warmup;
		step[i] = run->step;
	}
	json_object_set_new(
		certificate, "gate",
		!gates ? json_null()
		       : json_record("certificate", r->id, "gate",
				     "{s:f, s:f, s:f, s:f, s:f, s:i, s:i}", "level", r->gate_level,
				     "limit", r->gate_limit, "adds", r->clock.gate_adds, "samples",
				     samples, "quiet_share", samples > 0.0 ? quiet / samples : 0.0,
				     "runs", gates, "runs_without_quiet", starved));
	gsl_sort(rate, 1, rates);
	json_object_set_new(certificate, "clock",
			    !rates ? json_null()
				   : json_record("certificate", r->id, "clock",
						 "{s:{s:f, s:f, s:f}, s:i, s:i}", "core_per_tick",
						 "p01", stat_quantile(rate, rates, 0.01), "p50",
						 stat_quantile(rate, rates, 0.5), "p99",
						 stat_quantile(rate, rates, 0.99), "runs", rates,
						 "moved", moved));
	json_object_set_new(certificate, "noise",
			    !noises ? json_null()
				    : json_record("certificate", r->id, "noise", "{s:f, s:f, s:i}",
						  "ppm", 1e6 * lost / looked, "largest_ticks",
						  largest, "runs", noises));
	gsl_sort(warm, 1, warms);
	json_object_set_new(certificate, "warmup",
			    json_record("certificate", r->id, "warmup", "{s:i, s:i, s:o, s:f}",
					"runs", r->runs, "with", warms, "samples_p50",
					json_from_number(stat_quantile(warm, warms, 0.5)),
					"samples_max", warms ? warm[warms - 1] : 0.0));
	gsl_sort(step, 1, r->runs);
	json_object_set_new(certificate, "timer_step",
			    json_from_number(stat_quantile(step, r->runs, 0.5)));
	free(warm);
	free(step);
	free(rate);
}

json_t *certificate_make(const struct result *r, const json_t *effects)
{
	json_t *null = null_json(effects, r), *dose = certificate_dose(r), *why = json_array();
	const json_t *holds = json_object_get(dose, "holds");
	struct interval ci = json_interval(dose, "ci95");
	json_t *out;

	if (json_is_null(null))
		certificate_warn(
			why,
			xasprintf("the baseline was not compared with itself (variant null) in "
				  "two layouts or more"));
	else if (!json_is_true(json_object_get(null, "holds")))
		certificate_warn(
			why,
			xasprintf("%.0f of %.0f comparisons of the baseline with itself find a "
				  "difference, more than chance allows",
				  json_num(null, "excluding_zero"), json_num(null, "comparisons")));
	if (json_is_null(dose))
		certificate_warn(
			why,
			xasprintf("no known dose was measured in core cycles (variants dose-0 and "
				  "others, with the chain on)"));
	else if (json_is_null(holds))
		certificate_warn(
			why,
			xasprintf("%.0f layout%s too few to judge the slope of the known doses, "
				  "which takes %d",
				  json_num(dose, "layouts"),
				  json_num(dose, "layouts") > 1.0 ? "s are" : " is", DOSE_LAYOUTS));
	else if (!json_is_true(holds))
		certificate_warn(
			why,
			xasprintf("the known doses come out with a slope of %.3f [%.3f, %.3f], "
				  "which holds 0 or misses %.2f to %.2f",
				  json_num(dose, "slope"), ci.lo, ci.hi, DOSE_LEAST, DOSE_MOST));
	out = json_record("certificate", r->id, "whole", "{s:b, s:o, s:o, s:o}", "holds",
			  !json_array_size(why), "why_not", why, "null", null, "dose", dose);
	machine_add(out, r);
	return out;
}

/* ---- for people ---- */

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

char *certificate_dose_text(const json_t *part)
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
	{ "dose", "dose", certificate_dose_text,
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

void certificate_say(const json_t *certificate, void (*say)(void *arg, const char *line), void *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const json_t *part = json_object_get(certificate, parts[i].key);
		bool there = json_is_number(part) || json_object_size(part);
		char *text = there ? parts[i].text(part) : xasprintf("n/a: %s", parts[i].absent);
		char *line = xasprintf("%s: %s%s", parts[i].label, text, goal_word(part));

		say(arg, line);
		free(line);
		free(text);
	}
}
