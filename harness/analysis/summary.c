// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "result.h"

/* Fifteen digits give back every number of environment.json as it was written. */
#define JSON_FLAGS (JSON_INDENT(1) | JSON_REAL_PRECISION(15))

/* So many false alarms of the null comparison, or more, must have at least this chance. */
#define NULL_CHANCE 0.01

/* The slope of the doses that is still right, and the layouts that it takes to judge it. */
#define DOSE_LEAST   0.95
#define DOSE_MOST    1.05
#define DOSE_LAYOUTS 3

json_t *json_from_number(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

json_t *json_from_interval(struct interval i)
{
	return isfinite(i.lo) && isfinite(i.hi) ? json_pack("[f,f]", i.lo, i.hi) : json_null();
}

static json_t *variants_json(const struct result *r)
{
	const bool booted = !streq(json_text(r->environment, "tells"), "counts");
	json_t *all = json_array();

	for (int v = 0; v < r->variants.n; v++) {
		const struct variant *variant = &r->variants.v[v];
		int boots[BOOT_FAILED + 1] = { 0 }, layouts = 0;
		const char *reason = NULL;
		json_t *failures = json_array();

		for (int l = 0; l < r->plan.layouts; l++) {
			bool good = false;

			for (int i = 0; i < r->plan.n; i++) {
				const struct plan_row *row = &r->plan.row[i];
				const struct boot *b = &r->boot[i];

				if (row->variant != v || row->layout != l)
					continue;
				/* The stock layout has no part in averages. */
				boots[b->state] += l > 0 || b->state != BOOT_OK;
				good |= l > 0 && b->state == BOOT_OK;
				if (b->state != BOOT_FAILED)
					continue;
				reason = b->reason;
				json_array_append_new(failures,
						      json_pack("{s:i, s:i, s:i, s:s}", "index", i,
								"layout", l, "boot", row->boot,
								"reason", b->reason));
			}
			layouts += good;
		}
		if (!booted)
			boots[BOOT_MISSING] = 0;
		else if (!reason && !boots[BOOT_OK])
			reason = "not booted yet";
		json_array_append_new(
			all, json_pack("{s:s, s:s, s:s, s:f, s:i, s:i, s:i, s:i, s:s?, s:o}",
				       "name", variant->name, "title", variant->title, "role",
				       role_name[variant->role], "order", variant->order, "layouts",
				       layouts, "boots", boots[BOOT_OK], "failed",
				       boots[BOOT_FAILED], "missing", boots[BOOT_MISSING], "reason",
				       reason, "failures", failures));
	}
	return all;
}

static unsigned int pad_of(const struct result *r, int variant, int layout)
{
	for (int i = 0; i < r->plan.n; i++)
		if (r->plan.row[i].variant == variant && r->plan.row[i].layout == layout)
			return r->plan.row[i].pad;
	return 0;
}

static int boots_of(const struct nested *x, int layout)
{
	int n = 0;

	for (int i = 0; i < x->boots; i++)
		n += !isnan(x->value[layout * x->boots + i]);
	return n;
}

/* Of the runs of one side in the layouts beyond the stock one. */
struct spread {
	struct components c;
	double sample;	    /* variance of one sample of the location's state */
	double quiet_share; /* NaN without a gate */
};

static struct spread spread_of(const struct result *r, int w, int v)
{
	const int location = r->location - stat_locations, layouts = r->plan.layouts - 1;
	size_t size = (size_t)layouts * r->plan.boots * r->repeats;
	double *value = xcalloc(size, sizeof(*value)), noise = 0.0, samples = 0.0, quiet = 0.0;
	struct spread s = { .sample = NAN, .quiet_share = NAN };
	int n = 0;

	for (size_t i = 0; i < size; i++)
		value[i] = NAN;
	for (int i = 0; i < r->runs; i++) {
		const struct run *run = &r->run[i];
		int boot = (run->layout - 1) * r->plan.boots + run->boot;

		if (run->workload != w || run->variant != v || !run->layout)
			continue;
		value[boot * r->repeats + run->number] = run->value[location];
		if (run->quiet >= 0) {
			samples += run->samples;
			quiet += run->quiet;
			s.quiet_share = quiet / samples;
		}
		if (isnan(run->value[location]) || isnan(run->noise[location]))
			continue;
		noise += (run->noise[location] - noise) / ++n;
		s.sample = n > 1 ? s.sample : 0.0;
		s.sample += (run->variance[r->location->quiet] - s.sample) / n;
	}
	s.c = stat_components(value, layouts, r->plan.boots, r->repeats, noise);
	free(value);
	return s;
}

/* The means of the layouts that @x has, in @mean, and their numbers in @layout; their count. */
static int layout_means(const struct nested *x, double *mean, int *layout)
{
	int n = 0;

	for (int l = 0; l < x->layouts; l++) {
		mean[n] = stat_layout_mean(x, l);
		if (!isnan(mean[n]))
			layout[n++] = l;
	}
	return n;
}

static json_t *contended_json(const struct result *r, int w, int v)
{
	struct nested side = result_contended(r, w, v);
	double *x = xcalloc(side.layouts + 1, sizeof(*x));
	int *layout = xcalloc(side.layouts + 1, sizeof(*layout)), n;
	struct estimate e;

	n = layout_means(&side, x, layout);
	e = stat_t(x, n, STAT_LEVEL);
	free(layout);
	free(x);
	if (n < 2)
		return json_null();
	return json_pack("{s:f, s:o, s:i}", "mean", e.mean, "ci95", json_from_interval(e.ci),
			 "layouts", n);
}

/* NULL when the variant has no good boot of this workload. */
static json_t *value_json(const struct result *r, int w, int v)
{
	struct nested side = result_side(r, w, v);
	struct components c = stat_components(side.value, side.layouts, side.boots, 1, 0.0);
	double *x = xcalloc(side.layouts + 1, sizeof(*x)), stock = result_stock(r, w, v);
	int *layout = xcalloc(side.layouts + 1, sizeof(*layout)), boots = 0;
	int n = layout_means(&side, x, layout);
	struct estimate e = stat_t(x, n, STAT_LEVEL);
	struct spread s = spread_of(r, w, v);
	json_t *layouts = json_array(), *out = NULL;

	for (int i = 0; i < n; i++) {
		boots += boots_of(&side, layout[i]);
		json_array_append_new(layouts,
				      json_pack("{s:i, s:i, s:f}", "layout", layout[i] + 1, "pad",
						(int)pad_of(r, v, layout[i] + 1), "value", x[i]));
	}
	if (n)
		out = json_pack("{s:s, s:s, s:s, s:s, s:f, s:o, s:o, s:o, s:i, s:i, s:o, s:o, s:o, "
				"s:{s:o, s:o, s:o, s:o}, s:O}",
				"target", r->target, "workload", r->workload[w], "variant",
				r->variants.v[v].name, "metric", r->metric, "mean", e.mean, "ci95",
				json_from_interval(e.ci), "sd_layout", json_from_number(e.sd),
				"sd_boot", json_from_number(sqrt(c.boot)), "layouts", n, "boots",
				boots, "stock", json_from_number(stock), "quiet_share",
				json_from_number(s.quiet_share), "contended",
				contended_json(r, w, v), "components", "layout",
				json_from_number(s.c.layout), "boot", json_from_number(s.c.boot),
				"run", json_from_number(s.c.run), "sample",
				json_from_number(s.sample), "per_layout", layouts);
	json_decref(layouts);
	free(layout);
	free(x);
	return out;
}

static void warn(json_t *warnings, char *text)
{
	json_array_append_new(warnings, json_string(text));
	free(text);
}

/* The layouts that two sides both have. */
struct pairs {
	double *x, *y, *d; /* means of the first and the second side, and their differences */
	int *layout;	   /* rows of the sides */
	int n, alone;	   /* alone: layouts that just one side has */
};

static void pairs_make(struct pairs *p, const struct nested *a, const struct nested *b)
{
	*p = (struct pairs){ 0 };
	p->x = xcalloc(3 * (size_t)a->layouts + 3, sizeof(*p->x));
	p->y = p->x + a->layouts + 1;
	p->d = p->y + a->layouts + 1;
	p->layout = xcalloc(a->layouts, sizeof(*p->layout));
	for (int l = 0; l < a->layouts; l++) {
		double x = stat_layout_mean(a, l), y = stat_layout_mean(b, l);

		p->alone += isnan(x) != isnan(y);
		if (isnan(x) || isnan(y))
			continue;
		p->x[p->n] = x;
		p->y[p->n] = y;
		p->d[p->n] = x - y;
		p->layout[p->n++] = l;
	}
}

static void pairs_free(struct pairs *p)
{
	free(p->x);
	free(p->layout);
}

/* What variant @v is compared with: the baseline, or of a dose that without any; or -1. */
static int reference_of(const struct result *r, int v)
{
	const struct variants *vs = &r->variants;

	if (vs->v[v].role == ROLE_DOSE && vs->v[v].dose != 0.0)
		return variants_reference(vs);
	return vs->v[v].role == ROLE_BASELINE ? -1 : variants_baseline(vs);
}

/* Adds what an effect is in the stock layout, and in the contended state. */
static void states_add(json_t *effect, const struct result *r, int w, int v, int base)
{
	struct nested a = result_contended(r, w, v), b = result_contended(r, w, base);
	struct estimate e;
	struct pairs p;

	pairs_make(&p, &a, &b);
	e = stat_t(p.d, p.n, STAT_LEVEL);
	json_object_set_new(effect, "stock_effect",
			    json_from_number(result_stock(r, w, v) - result_stock(r, w, base)));
	json_object_set_new(effect, "contended_effect", json_from_number(p.n < 2 ? NAN : e.mean));
	json_object_set_new(effect, "contended_ci95", json_from_interval(e.ci));
	json_object_set_new(effect, "contended_layouts", json_integer(p.n));
	pairs_free(&p);
}

/* NULL when there is not one layout that both sides have. */
static json_t *effect_json(const struct result *r, int w, int v, int base, int resamples)
{
	struct nested a = result_side(r, w, v), b = result_side(r, w, base);
	const char *name = r->variants.v[v].name, *baseline = r->variants.v[base].name;
	int boots = 0, logs = 0, *phase = xcalloc(a.layouts, sizeof(*phase));
	double *ratio = xcalloc(a.layouts, sizeof(*ratio));
	struct estimate e, log_ratio, even;
	struct interval boot;
	bool same_phase = true;
	json_t *out = NULL, *warnings;
	struct pairs p;
	char *stream;
	gsl_rng *rng;

	pairs_make(&p, &a, &b);
	for (int i = 0; i < p.n; i++) {
		int l = p.layout[i];

		phase[i] = pad_phase(pad_of(r, v, l + 1));
		same_phase &= phase[i] == pad_phase(pad_of(r, base, l + 1));
		if (p.x[i] > 0.0 && p.y[i] > 0.0)
			ratio[logs++] = log(p.x[i] / p.y[i]);
		boots += boots_of(&a, l) + boots_of(&b, l);
	}
	if (!p.n)
		goto free;
	warnings = json_array();
	e = stat_t(p.d, p.n, STAT_LEVEL);
	even = stat_t_strata(p.d, phase, p.n, PHASES, STAT_LEVEL);
	/*
	 * A ratio of what is not above 0 means nothing, and leaving single layouts out would bias
	 * it.
	 */
	log_ratio = stat_t(ratio, logs == p.n ? p.n : 0, STAT_LEVEL);
	stream = xasprintf("bootstrap %s %s", r->workload[w], name);
	rng = stat_rng(0, stream);
	boot = stat_bootstrap(&a, &b, resamples, rng, STAT_LEVEL);
	gsl_rng_free(rng);
	free(stream);
	if (p.n < 2)
		warn(warnings, xasprintf("one layout only: an interval needs at least two that %s "
					 "and %s both have",
					 name, baseline));
	else if (p.n < STAT_BOOT_LAYOUTS)
		warn(warnings,
		     xasprintf("%d layouts: too few for a bootstrap interval, which needs %d", p.n,
			       STAT_BOOT_LAYOUTS));
	if (p.alone)
		warn(warnings, xasprintf("%d layout%s left out, measured on one side only", p.alone,
					 p.alone > 1 ? "s" : ""));
	if (logs < p.n)
		warn(warnings, xasprintf("no ratio: a value is not above 0"));
	out = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:f, s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
		"s:f, s:i, s:i, s:o}",
		"target", r->target, "workload", r->workload[w], "variant", name, "baseline",
		baseline, "metric", r->metric, "baseline_value", stat_mean(p.y, p.n), "effect",
		e.mean, "ci95", json_from_interval(e.ci), "ratio",
		json_from_number(exp(log_ratio.mean)), "ratio_ci95",
		json_from_interval((struct interval){ exp(log_ratio.ci.lo), exp(log_ratio.ci.hi) }),
		"fieller_ci95", json_from_interval(stat_fieller(p.x, p.y, p.n, STAT_LEVEL)),
		"bootstrap_ci95", json_from_interval(boot), "stratified_ci95",
		same_phase ? json_from_interval(even.ci) : json_null(), "p_value",
		json_from_number(e.p_value), "p_faster", stat_p_below(p.x, p.y, p.n), "layouts",
		p.n, "boots", boots, "warnings", warnings);
	if (out)
		states_add(out, r, w, v, base);
free:
	pairs_free(&p);
	free(ratio);
	free(phase);
	return out;
}

/* The null's comparisons are no claims, and a family of their own; doses, checks and flushes have none. */
static const enum role families[] = { ROLE_CHANGE, ROLE_NULL };

/* Adds p_holm to the effects of the variants with @role; the others get null if they have none. */
static void holm_add(json_t *effects, const struct result *r, enum role role)
{
	int n = json_array_size(effects);
	double *p = xcalloc(n, sizeof(*p)), *q = xcalloc(n, sizeof(*q));
	json_t *effect;
	size_t i;

	json_array_foreach(effects, i, effect)
	{
		int v = variants_find(&r->variants, json_text(effect, "variant"));

		p[i] = r->variants.v[v].role == role &&
				       !workload_is_flush(json_text(effect, "workload"))
			       ? json_num(effect, "p_value")
			       : NAN;
	}
	stat_holm(p, q, n);
	json_array_foreach(effects, i, effect)
	{
		if (!isnan(q[i]))
			json_object_set_new(effect, "p_holm", json_real(q[i]));
		else if (!json_object_get(effect, "p_holm"))
			json_object_set_new(effect, "p_holm", json_null());
	}
	free(q);
	free(p);
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
	return json_pack("{s:i, s:i, s:o, s:f, s:f, s:s, s:b}", "comparisons", n, "excluding_zero",
			 off, "share_ci95", json_from_interval(stat_share(off, n, STAT_LEVEL)),
			 "median_halfwidth", median, "largest", largest, "largest_workload", where,
			 "holds", stat_at_least(off, n, 1.0 - STAT_LEVEL) >= NULL_CHANCE);
}

/* The first workload that the doses have, of allocations alone if there is one; or -1. */
static int dose_workload(const struct result *r, int reference)
{
	int found = -1;

	for (int w = 0; w < r->workloads; w++) {
		struct nested side = result_side(r, w, reference);
		double *x = xcalloc(side.layouts + 1, sizeof(*x));
		int *layout = xcalloc(side.layouts + 1, sizeof(*layout));
		bool has = layout_means(&side, x, layout) > 0;

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
static json_t *dose_json(const struct result *r)
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
			json_array_append_new(points,
					      json_pack("{s:s, s:f, s:f, s:o}", "variant",
							vs->v[v].name, "dose", dose, "effect",
							e.mean, "ci95", json_from_interval(e.ci)));
		pairs_free(&p);
	}
	for (int l = 0; l < layouts; l++)
		if (squares[l] > 0.0)
			slope[n++] = slope[l] / squares[l];
	e = stat_t(slope, n, STAT_LEVEL);
	if (n) {
		/* An interval that holds 0 as well has found nothing. */
		bool meets = e.ci.lo > 0.0 && e.ci.lo <= DOSE_MOST && e.ci.hi >= DOSE_LEAST;

		out = json_pack("{s:s, s:s, s:s, s:f, s:o, s:O, s:i, s:o}", "workload",
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
	json_object_set_new(certificate, "gate",
			    !gates ? json_null()
				   : json_pack("{s:f, s:f, s:f, s:f, s:f, s:i, s:i}", "level",
					       r->gate_level, "limit", r->gate_limit, "adds",
					       r->clock.gate_adds, "samples", samples,
					       "quiet_share", samples > 0.0 ? quiet / samples : 0.0,
					       "runs", gates, "runs_without_quiet", starved));
	gsl_sort(rate, 1, rates);
	json_object_set_new(certificate, "clock",
			    !rates ? json_null()
				   : json_pack("{s:{s:f, s:f, s:f}, s:i, s:i}", "core_per_tick",
					       "p01", stat_quantile(rate, rates, 0.01), "p50",
					       stat_quantile(rate, rates, 0.5), "p99",
					       stat_quantile(rate, rates, 0.99), "runs", rates,
					       "moved", moved));
	json_object_set_new(certificate, "noise",
			    !noises ? json_null()
				    : json_pack("{s:f, s:f, s:i}", "ppm", 1e6 * lost / looked,
						"largest_ticks", largest, "runs", noises));
	gsl_sort(warm, 1, warms);
	json_object_set_new(certificate, "warmup",
			    json_pack("{s:i, s:i, s:o, s:f}", "runs", r->runs, "with", warms,
				      "samples_p50",
				      json_from_number(stat_quantile(warm, warms, 0.5)),
				      "samples_max", warms ? warm[warms - 1] : 0.0));
	gsl_sort(step, 1, r->runs);
	json_object_set_new(certificate, "timer_step",
			    json_from_number(stat_quantile(step, r->runs, 0.5)));
	free(warm);
	free(step);
	free(rate);
}

static json_t *certificate_json(const struct result *r, const json_t *effects)
{
	json_t *null = null_json(effects, r), *dose = dose_json(r), *why = json_array();
	const json_t *holds = json_object_get(dose, "holds");
	struct interval ci = json_interval(dose, "ci95");
	json_t *out;

	if (json_is_null(null))
		warn(why, xasprintf("the baseline was not compared with itself (variant null) in "
				    "two layouts or more"));
	else if (!json_is_true(json_object_get(null, "holds")))
		warn(why,
		     xasprintf("%.0f of %.0f comparisons of the baseline with itself find a "
			       "difference, more than chance allows",
			       json_num(null, "excluding_zero"), json_num(null, "comparisons")));
	if (json_is_null(dose))
		warn(why,
		     xasprintf("no known dose was measured in core cycles (variants dose-0 and "
			       "others, with the chain on)"));
	else if (json_is_null(holds))
		warn(why,
		     xasprintf("%.0f layout%s too few to judge the slope of the known doses, "
			       "which takes %d",
			       json_num(dose, "layouts"),
			       json_num(dose, "layouts") > 1.0 ? "s are" : " is", DOSE_LAYOUTS));
	else if (!json_is_true(holds))
		warn(why, xasprintf("the known doses come out with a slope of %.3f [%.3f, %.3f], "
				    "which holds 0 or misses %.2f to %.2f",
				    json_num(dose, "slope"), ci.lo, ci.hi, DOSE_LEAST, DOSE_MOST));
	out = json_pack("{s:b, s:o, s:o, s:o}", "holds", !json_array_size(why), "why_not", why,
			"null", null, "dose", dose);
	machine_add(out, r);
	return out;
}

static void starved_warn(json_t *warnings, const json_t *gate)
{
	if (json_num(gate, "runs_without_quiet") > 0.0)
		warn(warnings,
		     xasprintf("%.0f of %.0f runs have fewer than %d quiet samples, and no quiet "
			       "value: repeat with more samples, or on a quieter machine",
			       json_num(gate, "runs_without_quiet"), json_num(gate, "runs"),
			       STAT_GATE_FEWEST));
}

json_t *summary_make(const struct result *r, int resamples)
{
	json_t *values = json_array(), *effects = json_array(), *warnings = json_array();
	int baseline = variants_baseline(&r->variants);
	bool compared = !result_timed(r->environment);
	json_t *certificate = json_null();

	for (int w = 0; w < r->workloads; w++) {
		for (int v = 0; v < r->variants.n; v++) {
			json_t *value = value_json(r, w, v), *effect;
			int base = reference_of(r, v);

			effect = base < 0 ? NULL : effect_json(r, w, v, base, resamples);
			if (value)
				json_array_append_new(values, value);
			compared |= effect && base == baseline;
			if (effect)
				json_array_append_new(effects, effect);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		holm_add(effects, r, families[i]);
	if (baseline < 0)
		warn(warnings, xasprintf("no effects: no variant has the role baseline"));
	else if (!compared)
		warn(warnings,
		     xasprintf("no effects: no layout is there for both %s and another variant",
			       r->variants.v[baseline].name));
	if (result_timed(r->environment))
		certificate = certificate_json(r, effects);
	starved_warn(warnings, json_object_get(certificate, "gate"));
	return json_pack("{s:i, s:s, s:O, s:{s:s, s:s}, s:{s:s, s:i}, s:o, s:o, s:o, s:O, s:O, "
			 "s:O, s:O, s:o, s:o}",
			 "schema", 1, "result", r->id, "environment", r->environment, "estimator",
			 "location", r->location->name, "about", r->location->about, "bootstrap",
			 "method", "nested, studentised", "resamples", resamples, "variants",
			 variants_json(r), "values", values, "effects", effects, "counts",
			 r->counts, "counts_failed", r->counts_failed, "counters", r->events,
			 "flushes", r->flushes, "certificate", certificate, "warnings", warnings);
}

/* What one location gives: spreads of the baseline and the null relative to their means. */
static json_t *estimator_json(const struct result *r, const struct location *l)
{
	int base = variants_baseline(&r->variants), boots = 0, layouts = 0, n = 0, off = 0;
	double boot = 0.0, layout = 0.0,
	       *half = xcalloc((size_t)r->workloads * r->variants.n + 1, sizeof(*half));
	json_t *dose = dose_json(r), *out;

	for (int w = 0; w < r->workloads; w++) {
		for (int v = 0; v < r->variants.n && !workload_is_flush(r->workload[w]); v++) {
			struct nested side = result_side(r, w, v), b = result_side(r, w, base);
			enum role role = r->variants.v[v].role;
			struct components c;
			struct estimate e;
			struct pairs p;

			if (role != ROLE_BASELINE && role != ROLE_NULL)
				continue;
			pairs_make(&p, &side, &b);
			c = spread_of(r, w, v).c;
			e = stat_t(p.x, p.n, STAT_LEVEL);
			if (!isnan(c.boot))
				boot += (c.boot / e.mean / e.mean - boot) / ++boots;
			if (!isnan(c.layout))
				layout += (c.layout / e.mean / e.mean - layout) / ++layouts;
			e = stat_t(p.d, p.n, STAT_LEVEL);
			if (role == ROLE_NULL && !isnan(e.ci.lo)) {
				half[n++] = (e.ci.hi - e.ci.lo) / 2.0;
				off += e.ci.lo > 0.0 || e.ci.hi < 0.0;
			}
			pairs_free(&p);
		}
	}
	gsl_sort(half, 1, n);
	out = json_pack("{s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:i, s:o, s:o}", "name", l->name,
			"about", l->about, "chosen", l == &stat_locations[0], "sd_boot",
			json_from_number(boots ? sqrt(fmax(boot, 0.0)) : NAN), "sd_layout",
			json_from_number(layouts ? sqrt(fmax(layout, 0.0)) : NAN), "null_share",
			json_from_number((double)off / n), "median_halfwidth",
			json_from_number(stat_quantile(half, n, 0.5)), "comparisons", n,
			"dose_slope", json_from_number(json_num(dose, "slope")), "dose_ci95",
			json_from_interval(json_interval(dose, "ci95")));
	json_decref(dose);
	free(half);
	return out;
}

json_t *estimators_make(const char *dir, struct fault *f)
{
	json_t *all;
	struct result r;

	if (result_read(&r, dir, &stat_locations[0], f))
		return NULL;
	if (variants_baseline(&r.variants) < 0) {
		fault_set(f, "%s: no variant has the role baseline, so nothing can be compared",
			  dir);
		result_free(&r);
		return NULL;
	}
	all = json_array();
	for (int i = 0; i < STAT_LOCATIONS; i++) {
		result_locate(&r, &stat_locations[i]);
		json_array_append_new(all, estimator_json(&r, &stat_locations[i]));
	}
	result_free(&r);
	return all;
}

int json_write(const json_t *j, const char *path, struct fault *f)
{
	struct writer w;

	if (!j)
		return fault_set(f, "cannot write %s: a text in it is not UTF-8", path);
	if (writer_open(&w, path, f))
		return -1;
	if (json_dumpf(j, w.file, JSON_FLAGS)) {
		int error = errno;

		writer_close(&w, false, f);
		return fault_set(f, "cannot write %s: %s", path, strerror(error));
	}
	fputc('\n', w.file);
	return writer_close(&w, true, f);
}

double json_num(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

const char *json_text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

struct interval json_interval(const json_t *object, const char *key)
{
	const json_t *a = json_object_get(object, key), *lo = json_array_get(a, 0),
		     *hi = json_array_get(a, 1);

	if (!json_is_number(lo) || !json_is_number(hi))
		return (struct interval){ NAN, NAN };
	return (struct interval){ json_number_value(lo), json_number_value(hi) };
}

/*
 * The first record of array @key of @j without one of the texts and numbers that all readers need.
 */
static int records_check(const json_t *j, const char *path, const char *key,
			 const char *const *texts, const char *numeric, struct fault *f)
{
	const json_t *all = json_object_get(j, key), *one;
	size_t i;

	if (!json_is_array(all))
		return fault_set(f, "%s: no list \"%s\" in it", path, key);
	json_array_foreach(all, i, one)
	{
		for (int k = 0; texts[k]; k++)
			if (!*json_text(one, texts[k]))
				return fault_set(f, "%s: \"%s\" is missing in %s[%zu]", path,
						 texts[k], key, i);
		if (isnan(json_num(one, numeric)))
			return fault_set(f, "%s: \"%s\" is missing in %s[%zu]", path, numeric, key,
					 i);
	}
	return 0;
}

json_t *summary_read(const char *path, struct fault *f)
{
	static const char *const record[] = { "target", "workload", "variant", "metric", NULL };
	static const char *const variant[] = { "name", "role", NULL };
	struct stat st;
	bool dir = !stat(path, &st) && S_ISDIR(st.st_mode);
	char *file = dir ? xasprintf("%s/summary.json", path) : xstrdup(path);
	json_error_t error;
	json_t *j = NULL;

	if (dir && stat(file, &st))
		fault_set(f, "%s: %s; make it with `sheafstat summarize %s`", file, strerror(errno),
			  path);
	else if (!(j = json_load_file(file, JSON_REJECT_DUPLICATES, &error)) && error.line > 0)
		fault_set(f, "%s:%d: %s", file, error.line, error.text);
	else if (!j)
		fault_set(f, "%s", error.text);
	else if (json_num(j, "schema") != 1.0) {
		fault_set(f, "%s: not a summary of schema 1", file);
		json_decref(j);
		j = NULL;
	} else if (records_check(j, file, "variants", variant, "order", f) ||
		   records_check(j, file, "values", record, "mean", f) ||
		   records_check(j, file, "effects", record, "effect", f)) {
		json_decref(j);
		j = NULL;
	}
	free(file);
	return j;
}
