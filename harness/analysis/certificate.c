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

static const char *const passes = "pass", *const fails = "fail", *const imprecise = "too imprecise";

void certificate_warn(json_t *warnings, char *text)
{
	json_array_append_new(warnings, json_from_text(text));
	free(text);
}

/* ---- the baseline against itself ---- */

bool certificate_placebo(const struct result *r, const json_t *same_code, int variant, int workload)
{
	const char *name = r->variants.v[variant].name;

	return r->variants.v[variant].role == ROLE_NULL ||
	       json_find(same_code, "variant", name, "workload", r->workload[workload], NULL) ||
	       json_find(same_code, "variant", name, "workload", "*", NULL);
}

const char *null_word(const struct flips *f, int layouts)
{
	if (layouts < CERTIFICATE_LAYOUTS)
		return imprecise;
	return f->p_missed < NULL_TAIL || f->p_narrow < NULL_TAIL || f->p_wide < NULL_TAIL ? fails
											   : passes;
}

/* The comparisons of the baseline with itself, layout by layout. */
struct placebos {
	double *d, *p, *half;	/* d: a row of layouts each */
	int *workload, n, most; /* most: of the layouts of one */
	int *phase, phases; /* of each layout; how many, or 0 where a comparison has no phases */
	/* What has the baseline's code at other addresses differs by a fixed amount in each phase; the null has its places. */
	bool *fixed;
	double largest;
	const char *where;
};

static void placebos_make(struct placebos *all, const struct result *r, const json_t *same_code)
{
	const int layouts = r->plan.layouts - 1, base = variants_baseline(&r->variants);
	const size_t most = (size_t)r->workloads * r->variants.n;

	*all = (struct placebos){ .largest = -1.0 };
	all->d = xcalloc(most * (layouts + 1), sizeof(*all->d));
	all->p = xcalloc(most, sizeof(*all->p));
	all->half = xcalloc(most, sizeof(*all->half));
	all->workload = xcalloc(most, sizeof(*all->workload));
	all->fixed = xcalloc(most, sizeof(*all->fixed));
	all->phase = xcalloc(2 * (size_t)layouts + 2, sizeof(*all->phase));
	all->phases = PHASES;
	for (int l = 0; l < layouts && base >= 0; l++)
		all->phase[l] = pad_phase(result_pad(r, base, l + 1));
	for (size_t i = 0; i < most && base >= 0; i++) {
		int w = (int)i / r->variants.n, v = (int)i % r->variants.n;
		double *d = all->d + (size_t)all->n * layouts;
		struct nested a = result_side(r, w, v), b = result_side(r, w, base);
		int *phase = all->phase + layouts + 1, phases;
		struct estimate e;
		struct pairs p;

		/* What waits for other CPUs, or leaves the kernel, says nothing of how well loops are timed. */
		if (workload_is_aside(r->workload[w]) || !certificate_placebo(r, same_code, v, w))
			continue;
		pairs_make(&p, &a, &b);
		phases = result_phases(r, v, base, p.layout, p.n, phase);
		e = stat_effect(p.d, phase, p.n, phases, STAT_LEVEL);
		for (int l = 0; l < layouts; l++)
			d[l] = NAN;
		for (int k = 0; k < p.n; k++)
			d[p.layout[k]] = p.d[k];
		if (p.n > 1) {
			all->p[all->n] = e.p_value;
			all->half[all->n] = (e.ci.hi - e.ci.lo) / 2.0;
			all->phases = phases ? all->phases : 0;
			all->fixed[all->n] = r->variants.v[v].role != ROLE_NULL;
			all->workload[all->n++] = w;
			all->most = p.n > all->most ? p.n : all->most;
			if (fabs(e.mean) > all->largest) {
				all->largest = fabs(e.mean);
				all->where = r->workload[w];
			}
		}
		pairs_free(&p);
	}
}

/*
 * Where a placebo differs for sure, the workload is at fault, and has no part in what the others are
 * judged by: they are all at fault together when too many of their intervals miss 0, or when they lie
 * farther from 0, or nearer, than their spread over layouts allows.
 */
static json_t *null_json(const struct result *r, const json_t *same_code)
{
	const int layouts = r->plan.layouts - 1;
	json_t *failed = json_array(), *out = json_null();
	struct flips f = { .spread = NAN };
	struct placebos all;
	int rest = 0, missed = 0;
	const char *word;
	double *holm;
	gsl_rng *rng;

	placebos_make(&all, r, same_code);
	holm = xcalloc(all.n, sizeof(*holm));
	stat_holm(all.p, holm, all.n);
	for (int i = 0; i < all.n; i++) {
		missed += all.p[i] < 1.0 - STAT_LEVEL;
		if (holm[i] >= NULL_WORKLOAD || all.most < CERTIFICATE_LAYOUTS) {
			memmove(all.d + (size_t)rest * layouts, all.d + (size_t)i * layouts,
				layouts * sizeof(*all.d));
			all.fixed[rest++] = all.fixed[i];
		} else if (!json_has_text(failed, r->workload[all.workload[i]]))
			json_array_append_new(failed, json_from_text(r->workload[all.workload[i]]));
	}
	if (rest) {
		rng = stat_rng(0, "flips");
		f = stat_flips(all.d, rest, layouts, all.phase, all.phases, all.fixed, NULL_DRAWS,
			       rng);
		gsl_rng_free(rng);
	}
	word = rest ? null_word(&f, all.most) : fails;
	gsl_sort(all.half, 1, all.n);
	if (all.n)
		out = json_record(
			"certificate", r->id, "null",
			"{s:i, s:i, s:o, s:f, s:f, s:s, s:b, s:o, s:o, s:o, s:o, s:i, s:s, s:o}",
			"comparisons", all.n, "excluding_zero", missed, "share_ci95",
			json_from_interval(stat_share(missed, all.n, STAT_LEVEL)),
			"median_halfwidth", stat_quantile(all.half, all.n, 0.5), "largest",
			all.largest, "largest_workload", all.where, "holds", !streq(word, fails),
			"spread", json_from_number(f.spread), "p_missed",
			rest ? json_from_number(f.p_missed) : json_null(), "p_narrow",
			rest ? json_from_number(f.p_narrow) : json_null(), "p_wide",
			rest ? json_from_number(f.p_wide) : json_null(), "layouts", all.most,
			"word", word, "failed", failed);
	else
		json_decref(failed);
	free(holm);
	free(all.d);
	free(all.phase);
	free(all.p);
	free(all.half);
	free(all.workload);
	free(all.fixed);
	return out;
}

/* ---- known amounts ---- */

const char *dose_word(struct interval ci)
{
	if (isnan(ci.lo) || (ci.lo < DOSE_LEAST && ci.hi >= DOSE_LEAST) ||
	    (ci.lo <= DOSE_MOST && ci.hi > DOSE_MOST))
		return imprecise;
	return ci.lo >= DOSE_LEAST && ci.hi <= DOSE_MOST ? "proven" : "refuted";
}

/*
 * The workload that the doses are found in: of those that they were measured with pairs, which is what
 * one workload per operation is judged by, or else the first. On the recorded results of an Intel Xeon
 * (median of quiet samples; slope and half-width of the 95 % interval; layouts):
 *
 *                                      all workloads     headlines only    spaced
 *	alloc/64/1, through dose-0        0.834 0.112 (11)  0.860 0.024 (12)  0.624 0.296 (11)
 *	alloc/64/1, with an intercept     0.748 0.310 (13)  0.869 0.056 (13)  0.822 0.320 (13)
 *	pair/64/1, through dose-0         0.705 0.586 (10)  1.085 0.332 (13)  0.911 0.038 (8)
 *	pair/64/1, with an intercept      0.993 0.102 (9)   0.950 0.194 (11)  1.023 0.119 (9)
 *
 * A single allocation between two fences is where what overlaps moves most, and dose-0 lies off the
 * line of the others by half a cycle. Each boot's own clock in place of the layout's gives the same
 * slopes to 0.01, and wider intervals. The locations are compared at stat_locations.
 */
static int dose_workload(const struct result *r, int reference)
{
	int found = -1;

	for (int w = 0; w < r->workloads; w++) {
		struct nested side = result_side(r, w, reference);
		bool has = false;

		for (int l = 0; l < side.layouts; l++)
			has |= !isnan(stat_layout_value(&side, l));
		if (has && !strncmp(r->workload[w], "pair/", 5))
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

/* Sums of products of doses and what was found, in core cycles, about the means of one layout. */
static void dose_sums(const struct result *r, int w, int layout, bool with_reference, double *sxy,
		      double *sxx)
{
	double rate = dose_clock(r, w, layout + 1), n = 0.0, sx = 0.0, sy = 0.0, xx = 0.0, xy = 0.0;

	for (int v = 0; v < r->variants.n; v++) {
		struct nested side = result_side(r, w, v);
		double x = r->variants.v[v].dose, y = stat_layout_value(&side, layout) * rate;

		if (r->variants.v[v].role != ROLE_DOSE || isnan(y) || (x == 0.0 && !with_reference))
			continue;
		n++;
		sx += x;
		sy += y;
		xx += x * x;
		xy += x * y;
	}
	*sxx = n > 0.0 ? xx - sx * sx / n : 0.0;
	*sxy = n > 0.0 ? xy - sx * sy / n : 0.0;
}

/* What each dose but the reference differs from it by, in core cycles. */
static json_t *dose_points(const struct result *r, int w, int reference, int *doses)
{
	json_t *points = json_array();
	const struct variants *vs = &r->variants;
	int *phase = xcalloc(r->plan.layouts, sizeof(*phase));

	*doses = 0;
	for (int v = 0; v < vs->n; v++) {
		struct nested a = result_side(r, w, v), b = result_side(r, w, reference);
		struct estimate e;
		struct pairs p;
		int known = 0, phases;

		if (vs->v[v].role != ROLE_DOSE || v == reference)
			continue;
		pairs_make(&p, &a, &b);
		for (int i = 0; i < p.n; i++) {
			double rate = dose_clock(r, w, p.layout[i] + 1);

			if (isnan(rate))
				continue;
			p.layout[known] = p.layout[i];
			p.d[known++] = p.d[i] * rate;
		}
		phases = result_phases(r, v, reference, p.layout, known, phase);
		e = stat_effect(p.d, phase, known, phases, STAT_LEVEL);
		if (known)
			json_array_append_new(
				points, json_record("dose", r->workload[w], vs->v[v].name,
						    "{s:s, s:f, s:f, s:o}", "variant",
						    vs->v[v].name, "dose", vs->v[v].dose, "effect",
						    e.mean, "ci95", json_from_interval(e.ci)));
		*doses += known > 0;
		pairs_free(&p);
	}
	free(phase);
	return points;
}

/* How far the reference lies off the line of the others, which has this slope. */
static double dose_offset(const json_t *points, double slope)
{
	const json_t *one;
	double sum = 0.0;
	size_t i;

	json_array_foreach(points, i, one)
		sum += json_num(one, "effect") - slope * json_num(one, "dose");
	return sum / (double)json_array_size(points);
}

/*
 * The known amounts as they were found: in each layout a line with an intercept of its own, through the
 * doses above 0 where there are two of them, for the reference is not quite the zero of their line.
 */
json_t *certificate_dose(const struct result *r)
{
	const int layouts = r->plan.layouts - 1, reference = variants_reference(&r->variants);
	const int w = reference < 0 ? -1 : dose_workload(r, reference);
	double *sxy = xcalloc(layouts + 1, sizeof(*sxy)), *sxx = xcalloc(layouts + 1, sizeof(*sxx));
	json_t *points = NULL, *out = json_null();
	struct estimate e;
	int n = 0, doses = 0;

	if (w >= 0)
		points = dose_points(r, w, reference, &doses);
	for (int l = 0; l < layouts && w >= 0; l++) {
		dose_sums(r, w, l, doses < 2, &sxy[n], &sxx[n]);
		n += sxx[n] > 0.0;
	}
	if (n) {
		const char *word;

		e = stat_slope(sxy, sxx, n, STAT_LEVEL);
		word = dose_word(e.ci);
		out = json_record(
			"certificate", r->id, "dose",
			"{s:s, s:s, s:s, s:f, s:o, s:O, s:i, s:o, s:s, s:b, s:o}", "workload",
			r->workload[w], "reference", r->variants.v[reference].name, "unit",
			"core_cycles_per_op", "slope", e.mean, "ci95", json_from_interval(e.ci),
			"points", points, "layouts", n, "holds",
			streq(word, imprecise) ? json_null() : json_boolean(streq(word, "proven")),
			"word", word, "with_reference", doses < 2, "offset",
			json_from_number(doses < 2 ? 0.0 : dose_offset(points, e.mean)));
	}
	json_decref(points);
	free(sxx);
	free(sxy);
	return out;
}

/* ---- losses ---- */

/* What came of the runs of a variant. */
struct losses {
	double runs, kept;     /* kept: share of them with a value */
	double samples, quiet; /* of those with a gate */
	double looked, lost;   /* ticks, of the gap detector */
	double *share;	       /* by layout, of quiet samples; NaN without a gate */
};

static struct losses losses_of(const struct result *r, int v)
{
	const int layouts = r->plan.layouts - 1;
	double *samples = xcalloc(layouts + 1, sizeof(*samples));
	struct losses l = { .kept = result_kept(r, -1, v, -1) };

	l.share = xcalloc(layouts + 1, sizeof(*l.share));
	for (int i = 0; i < r->runs; i++) {
		const struct run *run = &r->run[i];

		if (run->variant != v || !run->layout ||
		    workload_is_aside(r->workload[run->workload]))
			continue;
		l.runs++;
		l.looked += run->looked;
		l.lost += run->lost;
		if (run->quiet < 0)
			continue;
		l.samples += run->samples;
		l.quiet += run->quiet;
		samples[run->layout - 1] += run->samples;
		l.share[run->layout - 1] += run->quiet;
	}
	for (int k = 0; k < layouts; k++)
		l.share[k] /= samples[k];
	free(samples);
	return l;
}

static json_t *losses_json(const char *variant, const struct losses *l)
{
	const double ppm = l->looked > 0.0 ? 1e6 * l->lost / l->looked : NAN;

	return json_record("certificate", variant, "losses", "{s:s, s:i, s:o, s:o, s:o, s:b}",
			   "variant", variant, "runs", (int)l->runs, "kept",
			   json_from_number(l->kept), "quiet_share",
			   json_from_number(l->samples > 0.0 ? l->quiet / l->samples : NAN),
			   "noise_ppm", json_from_number(ppm), "holds",
			   !(l->kept < CERTIFICATE_KEPT) && !(ppm > NOISE_MOST));
}

/* Adds "losses", and warns where a variant was quiet more or less often than the baseline. */
static void losses_add(json_t *certificate, const struct result *r, json_t *warnings)
{
	const int layouts = r->plan.layouts - 1, base = variants_baseline(&r->variants);
	const int nv = r->variants.n;
	struct losses *of = xcalloc(nv, sizeof(*of));
	double *p = xcalloc(nv, sizeof(*p)), *holm = xcalloc(nv, sizeof(*holm)), kept = 0.0,
	       all = 0.0;
	json_t *list = json_array();

	for (int v = 0; v < nv; v++) {
		of[v] = losses_of(r, v);
		json_array_append_new(list, losses_json(r->variants.v[v].name, &of[v]));
		all += of[v].runs;
		kept += of[v].runs > 0.0 ? of[v].kept * of[v].runs : 0.0;
	}
	for (int v = 0; v < nv; v++) {
		struct nested a = { of[v].share, layouts, 1, false },
			      b = { of[base < 0 ? v : base].share, layouts, 1, false };
		struct pairs pairs;

		pairs_make(&pairs, &a, &b);
		p[v] = base < 0 || base == v ? NAN : stat_t(pairs.d, pairs.n, STAT_LEVEL).p_value;
		pairs_free(&pairs);
	}
	stat_holm(p, holm, nv);
	for (int v = 0; v < nv; v++) {
		if (holm[v] < 1.0 - STAT_LEVEL)
			certificate_warn(warnings,
					 xasprintf("%s had %.0f %% quiet samples, the baseline "
						   "%.0f %%, which is "
						   "no chance: what is beside them differs, too",
						   r->variants.v[v].name,
						   100.0 * of[v].quiet / of[v].samples,
						   100.0 * of[base].quiet / of[base].samples));
		free(of[v].share);
	}
	json_object_set_new(certificate, "losses",
			    !all ? json_null()
				 : json_record("certificate", r->id, "losses", "{s:f, s:f, s:O}",
					       "runs", all, "kept", kept / all, "variants", list));
	json_decref(list);
	free(holm);
	free(p);
	free(of);
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

/* ---- the whole ---- */

/*
 * Where the slope of the doses is too imprecise: how many layouts would do, or 0 where more of them are not what is missing, or
 * PADS are too few. The interval is taken to be around 1, as the doses are right unless they are shown not to be.
 */
static int layouts_needed(const json_t *dose, struct interval ci)
{
	const double half = (ci.hi - ci.lo) / 2.0, most = (DOSE_MOST - DOSE_LEAST) / 2.0;
	const int layouts = (int)json_num(dose, "layouts");
	const double sd =
		half * sqrt(layouts) / stat_t_quantile(0.5 + STAT_LEVEL / 2.0, layouts - 1);
	const int n = stat_t_count(sd, layouts, most, PADS);

	return n > layouts && n < PADS ? n : 0;
}

/* What passes or does not: a line each. */
static void lines_add(json_t *out, json_t *why)
{
	const json_t *null = json_object_get(out, "null"), *dose = json_object_get(out, "dose"),
		     *losses = json_object_get(out, "losses"), *one;
	const struct interval ci = json_interval(dose, "ci95");
	const char *word = json_is_object(null) ? json_text(null, "word") : fails;
	json_t *lines = json_array();
	double kept = INFINITY, ppm = 0.0;
	bool lost = false;
	size_t i;

	if (json_is_null(null))
		certificate_warn(why,
				 xasprintf("the baseline was not compared with itself (variant "
					   "null) in two layouts or more"));
	else if (streq(word, imprecise))
		certificate_warn(why, xasprintf("%.0f layouts are too few to judge the baseline "
						"against itself, which takes %d",
						json_num(null, "layouts"), CERTIFICATE_LAYOUTS));
	else if (isnan(json_num(null, "spread")))
		certificate_warn(why,
				 xasprintf("the baseline differs from itself in every workload"));
	else if (streq(word, fails))
		certificate_warn(
			why,
			xasprintf(
				"the intervals of the baseline against itself are too %s: %.0f of "
				"%.0f miss 0 (chance: %.4f), and they differ %.2f times as much "
				"among themselves as their spread says",
				json_num(null, "p_wide") < NULL_TAIL ? "wide" : "narrow",
				json_num(null, "excluding_zero"), json_num(null, "comparisons"),
				json_num(null, "p_missed"), json_num(null, "spread")));
	if (json_array_size(json_object_get(null, "failed")))
		word = fails;
	json_array_append_new(lines,
			      json_record("certificate", "null", word, "{s:s, s:s, s:s, s:o}",
					  "name", "null", "word", word, "criterion", NULL_RULE,
					  "value", json_from_number(json_num(null, "p_missed"))));
	word = !json_is_object(dose)			   ? fails
	       : streq(json_text(dose, "word"), "proven")  ? passes
	       : streq(json_text(dose, "word"), "refuted") ? fails
							   : imprecise;
	if (json_is_null(dose))
		certificate_warn(why,
				 xasprintf("no known dose was measured in core cycles (variants "
					   "dose-0 and others, with the chain on)"));
	else if (isnan(ci.lo))
		certificate_warn(why,
				 xasprintf("1 layout is too few to judge the slope of the known "
					   "doses"));
	else if (streq(word, imprecise) && layouts_needed(dose, ci))
		certificate_warn(why,
				 xasprintf("the known doses come out with a slope of %.3f [%.3f, "
					   "%.3f], and to be within %.2f to %.2f takes some "
					   "LAYOUTS=%d",
					   json_num(dose, "slope"), ci.lo, ci.hi, DOSE_LEAST,
					   DOSE_MOST, layouts_needed(dose, ci)));
	else if (!streq(word, passes))
		certificate_warn(why,
				 xasprintf("the known doses come out with a slope of %.3f [%.3f, "
					   "%.3f], which %s %.2f to %.2f",
					   json_num(dose, "slope"), ci.lo, ci.hi,
					   streq(word, fails) ? "misses"
							      : "is too imprecise to be within",
					   DOSE_LEAST, DOSE_MOST));
	json_array_append_new(lines,
			      json_record("certificate", "dose", word, "{s:s, s:s, s:s, s:o}",
					  "name", "dose", "word", word, "criterion", DOSE_RULE,
					  "value", json_from_number(json_num(dose, "slope"))));
	json_array_foreach(json_object_get(losses, "variants"), i, one) {
		lost |= json_is_false(json_object_get(one, "holds"));
		kept = fmin(kept, json_num(one, "kept"));
		ppm = fmax(ppm, json_num(one, "noise_ppm"));
	}
	if (json_num(losses, "kept") < CERTIFICATE_KEPT)
		certificate_warn(
			why,
			xasprintf("%.0f %% of the values of layouts were lost, more than %.0f %%",
				  100.0 * (1.0 - json_num(losses, "kept")),
				  100.0 * (1.0 - CERTIFICATE_KEPT)));
	word = lost ? fails : passes;
	if (json_is_object(losses))
		json_array_append_new(lines, json_record("certificate", "losses", word,
							 "{s:s, s:s, s:s, s:o}", "name", "losses",
							 "word", word, "criterion", LOSSES_RULE,
							 "value", json_from_number(kept)));
	json_object_set_new(out, "lines", lines);
}

json_t *certificate_make(const struct result *r, const json_t *same_code, json_t *warnings)
{
	json_t *why = json_array(), *out;

	out = json_record("certificate", r->id, "whole", "{s:o, s:o}", "null",
			  null_json(r, same_code), "dose", certificate_dose(r));
	machine_add(out, r);
	losses_add(out, r, warnings);
	lines_add(out, why);
	json_object_set_new(out, "holds", json_boolean(!json_array_size(why)));
	json_object_set_new(out, "why_not", why);
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

static char *null_text(const json_t *part)
{
	const double n = json_num(part, "comparisons"), off = json_num(part, "excluding_zero");
	const json_t *failed = json_object_get(part, "failed"), *one;
	char *text, *more;
	size_t i;

	text = xasprintf(
		"%.0f of %.0f comparison%s of the baseline with itself exclude%s zero (5 %% "
		"are expected). Half of their intervals are narrower than +-%s TSC ticks per "
		"operation; the largest difference is %s, in %s",
		off, n, plural(n), off == 1 || n == 1 ? "s" : "", of(part, "median_halfwidth", 2).s,
		number(fabs(json_num(part, "largest")), 2, false).s,
		json_text(part, "largest_workload"));
	if (!isnan(json_num(part, "spread"))) {
		more = xasprintf(
			"%s. Among themselves they differ %s times as much as their spread over "
			"layouts says. Chances, if their intervals are right: of so many without "
			"zero "
			"%s, of lying as far apart %s, as close %s",
			text, of(part, "spread", 2).s, of(part, "p_missed", 3).s,
			of(part, "p_narrow", 3).s, of(part, "p_wide", 3).s);
		free(text);
		text = more;
	}
	json_array_foreach(failed, i, one) {
		more = xasprintf("%s%s%s", text, i ? ", " : ". It differs for sure in ",
				 json_item(one));
		free(text);
		text = more;
	}
	return text;
}

char *certificate_dose_text(const json_t *part)
{
	return xasprintf(
		"for each core cycle added to an allocation %s %s core cycles are found, in "
		"%s",
		of(part, "slope", 3).s, interval(json_interval(part, "ci95"), 3, false).s,
		json_text(part, "workload"));
}

static char *losses_text(const json_t *part)
{
	const json_t *all = json_object_get(part, "variants"), *one, *worst = NULL;
	double ppm = NAN;
	size_t i;

	json_array_foreach(all, i, one) {
		ppm = fmax(isnan(ppm) ? -1.0 : ppm, json_num(one, "noise_ppm"));
		if (!worst || json_num(one, "kept") < json_num(worst, "kept"))
			worst = one;
	}
	return xasprintf("%s %% of what %s runs measured in a layout has a value; the fewest has "
			 "%s, %s %%; gaps took %s ppm "
			 "of the time at the most",
			 share(json_num(part, "kept")).s, of(part, "runs", 0).s,
			 json_text(worst, "variant"), share(json_num(worst, "kept")).s,
			 number(ppm < 0.0 ? NAN : ppm, 0, false).s);
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
	  "the variants dose-0, dose-1 and dose-16" },
	{ "losses", "losses", losses_text, "no run was counted" },
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

void certificate_say(const json_t *certificate, void (*say)(void *arg, const char *line), void *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const json_t *part = json_object_get(certificate, parts[i].key),
			     *judged = json_find(json_object_get(certificate, "lines"), "name",
						 parts[i].key, NULL);
		bool there = json_is_number(part) || json_object_size(part);
		char *text = there ? parts[i].text(part) : xasprintf("n/a: %s", parts[i].absent);
		char *line = judged ? xasprintf("%s: %s. Wanted: %s: %s", parts[i].label, text,
						json_text(judged, "criterion"),
						json_text(judged, "word"))
				    : xasprintf("%s: %s", parts[i].label, text);

		say(arg, line);
		free(line);
		free(text);
	}
}
