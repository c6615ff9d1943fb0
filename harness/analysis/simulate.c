// SPDX-License-Identifier: GPL-2.0
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "certificate.h"
#include "plan.h"
#include "simulate.h"
#include "stats.h"
#include "verdict.h"

#define PRIMARY	  6  /* workloads of the primary family */
#define CHANGES	  6  /* variants that are compared */
#define WORKLOADS 41 /* in which the baseline is compared with itself */
#define DRAWS	  499
#define OUTLYING  0.02 /* share of the boots that lie OUTLIER times as far off */
#define OUTLIER	  4.0
#define PHASE_SD  5.0	/* between phases, in SDs of a difference in a layout */
#define DOSE_HALF 0.045 /* half-width of a slope's interval */

/*
 * The values of one variant in one boot of each layout. What boots share moves all workloads of a boot
 * alike: half of the variance, so that the differences of two workloads have a correlation of 0.5.
 */
static void variant_draw(const struct world *world, int workloads, gsl_rng *rng, double *x)
{
	const double sd = world->sd / 2.0; /* two variants, two parts */

	for (int l = 0; l < world->layouts; l++) {
		double far = gsl_rng_uniform(rng) < OUTLYING ? OUTLIER : 1.0;
		double boot = gsl_ran_gaussian(rng, far * sd);

		for (int w = 0; w < workloads; w++)
			x[w * world->layouts + l] = boot + gsl_ran_gaussian(rng, far * sd);
	}
}

/*
 * What code at other addresses differs by in each phase, 0 in all: with the same amounts in each layout, as
 * far apart as on an AMD EPYC. Too few layouts are judged without phases, and have none.
 */
static void phases_add(const struct world *world, gsl_rng *rng, const int *phase, double *d)
{
	double at[PHASES], mean = 0.0;

	for (int s = 0; s < PHASES; s++) {
		at[s] = gsl_ran_gaussian(rng, PHASE_SD * world->sd);
		mean += at[s] / PHASES;
	}
	for (int l = 0; l < world->layouts && world->layouts >= PHASES + STAT_STRATA_SPARE; l++)
		d[l] += at[phase[l]] - mean;
}

/* One report in which the effects of the first @differ of the family are @effect, the others none. */
static void report_judge(const struct world *world, gsl_rng *rng, double effect, int differ,
			 enum verdict word[PRIMARY * CHANGES])
{
	const int layouts = world->layouts;
	double *base = xcalloc((size_t)PRIMARY * layouts, sizeof(*base));
	double *x = xcalloc((size_t)PRIMARY * layouts, sizeof(*x)),
	       *d = xcalloc(layouts, sizeof(*d));
	int *phase = xcalloc(layouts, sizeof(*phase));
	double p[PRIMARY * CHANGES], holm[PRIMARY * CHANGES];
	struct finding f[PRIMARY * CHANGES];

	for (int l = 0; l < layouts; l++)
		phase[l] = l % PHASES;
	variant_draw(world, PRIMARY, rng, base);
	for (int i = 0; i < PRIMARY * CHANGES; i++) {
		const int w = i % PRIMARY;
		struct estimate e;

		if (!w)
			variant_draw(world, PRIMARY, rng, x);
		for (int l = 0; l < layouts; l++)
			d[l] = x[w * layouts + l] - base[w * layouts + l] +
			       (i < differ ? effect : 0.0);
		phases_add(world, rng, phase, d);
		e = stat_effect(d, phase, layouts, PHASES, STAT_LEVEL);
		p[i] = e.p_value;
		f[i] = (struct finding){ .effect = e.mean,
					 .ci90 = stat_effect(d, phase, layouts, PHASES,
							     1.0 - 2.0 * VERDICT_ERROR)
							 .ci,
					 .layouts = layouts,
					 .kept = 1.0 };
	}
	stat_holm(p, holm, PRIMARY * CHANGES);
	for (int i = 0; i < PRIMARY * CHANGES; i++) {
		f[i].p = holm[i];
		word[i] = verdict_of(&f[i], world->equal);
	}
	free(phase);
	free(d);
	free(x);
	free(base);
}

static void words_simulate(const struct world *world, gsl_rng *rng, struct rates *rates)
{
	const int family = PRIMARY * CHANGES;
	enum verdict word[PRIMARY * CHANGES];
	int found = 0, within = 0, at_bound = 0, power = 0;

	for (int k = 0; k < world->reports; k++) {
		bool any = false;

		report_judge(world, rng, 0.0, 0, word);
		for (int i = 0; i < family; i++) {
			any |= word[i] == VERDICT_SLOWER || word[i] == VERDICT_FASTER;
			within += word[i] == VERDICT_WITHIN;
		}
		found += any;
		report_judge(world, rng, world->equal, family, word);
		for (int i = 0; i < family; i++)
			at_bound += word[i] == VERDICT_WITHIN;
		report_judge(world, rng, 1.0, 1, word);
		power += word[0] == VERDICT_SLOWER;
	}
	rates->false_word = (double)found / world->reports;
	rates->within_at_0 = (double)within / world->reports / family;
	rates->within_at_bound = (double)at_bound / world->reports / family;
	rates->power = (double)power / world->reports;
}

enum fault_of { PERFECT, NARROW, WIDE };

/* Whether the null's rule fails one report, and whether it would with the comparisons taken for independent. */
static bool null_judge(const struct world *world, gsl_rng *rng, enum fault_of fault, bool *old)
{
	const int layouts = world->layouts;
	const size_t size = (size_t)WORKLOADS * layouts;
	double *d = xcalloc(2 * size, sizeof(*d)), *other = d + size;
	double *sign = xcalloc(layouts, sizeof(*sign));
	int *phase = xcalloc(layouts, sizeof(*phase));
	bool fixed[WORKLOADS];
	/* What makes a standard error twice the one seen, and half of it. */
	const double shift = sqrt(3.0 / layouts / 2.0) * world->sd,
		     both = gsl_ran_gaussian(rng, shift);
	struct flips f;
	bool fails;

	variant_draw(world, WORKLOADS, rng, d);
	variant_draw(world, WORKLOADS, rng, other);
	for (int l = 0; l < layouts; l++)
		sign[l] = l % 2 ? sqrt(3.0) * world->sd : -sqrt(3.0) * world->sd;
	for (int l = 0; l < layouts; l++)
		phase[l] = l % PHASES;
	for (int w = 0; w < WORKLOADS; w++) {
		const double own = both + gsl_ran_gaussian(rng, shift);

		gsl_ran_shuffle(rng, sign, layouts, sizeof(*sign));
		for (int l = 0; l < layouts; l++) {
			d[w * layouts + l] -= other[w * layouts + l];
			if (fault == NARROW)
				d[w * layouts + l] += own;
			else if (fault == WIDE)
				d[w * layouts + l] += sign[l];
		}
		fixed[w] = w % 4 < world->same_code;
		if (fixed[w])
			phases_add(world, rng, phase, d + (size_t)w * layouts);
	}
	f = stat_flips(d, WORKLOADS, layouts, phase, PHASES, fixed, DRAWS, rng);
	free(phase);
	fails = !streq(null_word(&f, layouts), "pass");
	*old = stat_at_least(f.missed, WORKLOADS, 1.0 - STAT_LEVEL) < 0.01;
	free(sign);
	free(d);
	return fails;
}

static void null_simulate(const struct world *world, gsl_rng *rng, struct rates *rates)
{
	int fails[3] = { 0 }, before[3] = { 0 };
	bool old;

	for (int k = 0; k < world->reports / 4; k++) {
		for (enum fault_of fault = PERFECT; fault <= WIDE; fault++) {
			fails[fault] += null_judge(world, rng, fault, &old);
			before[fault] += old;
		}
	}
	rates->null_fails = 4.0 * fails[PERFECT] / world->reports;
	rates->null_narrow = 4.0 * fails[NARROW] / world->reports;
	rates->null_wide = 4.0 * fails[WIDE] / world->reports;
	rates->old_fails = 4.0 * before[PERFECT] / world->reports;
	rates->old_narrow = 4.0 * before[NARROW] / world->reports;
}

/* The slope's rule on layouts whose slopes spread so that an interval is about as wide as is wanted. */
static const char *dose_judge(const struct world *world, gsl_rng *rng, double slope)
{
	static const double doses[] = { 1, 2, 4, 8 };
	const double sxx = 28.75; /* of these doses about their mean, 3.75 */
	const int n = world->layouts;
	double *xy = xcalloc(2 * (size_t)n, sizeof(*xy)), *xx = xy + n;
	double sd = DOSE_HALF * sqrt(n * sxx) / stat_t_quantile(0.5 + STAT_LEVEL / 2.0, n - 1);
	const char *word;

	for (int l = 0; l < n; l++) {
		xx[l] = sxx;
		for (size_t k = 0; k < ARRAY_SIZE(doses); k++)
			xy[l] += (doses[k] - 3.75) * (slope * doses[k] + gsl_ran_gaussian(rng, sd));
	}
	word = dose_word(stat_slope(xy, xx, n, STAT_LEVEL).ci);
	free(xy);
	return word;
}

static void dose_simulate(const struct world *world, gsl_rng *rng, struct rates *rates)
{
	int right = 0, wrong = 0, refuted = 0;

	for (int k = 0; k < world->reports; k++) {
		const char *word = dose_judge(world, rng, 0.85);

		right += streq(dose_judge(world, rng, 1.0), "proven");
		wrong += streq(word, "proven");
		refuted += streq(word, "refuted");
	}
	rates->dose_right = (double)right / world->reports;
	rates->dose_wrong = (double)wrong / world->reports;
	rates->dose_refuted = (double)refuted / world->reports;
}

void simulate(const struct world *world, struct rates *rates)
{
	gsl_rng *rng = stat_rng(world->seed, "simulated reports");

	*rates = (struct rates){ 0 };
	words_simulate(world, rng, rates);
	null_simulate(world, rng, rates);
	dose_simulate(world, rng, rates);
	gsl_rng_free(rng);
}

void rates_print(FILE *out, const struct world *world, const struct rates *rates)
{
	const struct {
		const char *what;
		double share;
	} lines[] = {
		{ "reports that call something slower or faster where nothing differs",
		  rates->false_word },
		{ "differences of the bound's size that are called within it",
		  rates->within_at_bound },
		{ "the same, of none", rates->within_at_0 },
		{ "differences of 1 tick, alone among zeros, that are called slower",
		  rates->power },
		{ "null of a perfect instrument that fails", rates->null_fails },
		{ "  as a binomial count would", rates->old_fails },
		{ "null that fails where intervals are half too narrow", rates->null_narrow },
		{ "  as a binomial count would", rates->old_narrow },
		{ "null that fails where they are twice too wide", rates->null_wide },
		{ "dose that is proven where its slope is 1", rates->dose_right },
		{ "dose that is proven where its slope is 0.85", rates->dose_wrong },
		{ "dose that is refuted where its slope is 0.85", rates->dose_refuted },
	};

	fprintf(out,
		"%d reports of %d changes on %d workloads and %d comparisons of the baseline\n"
		"with itself, %d layouts; SD of a difference in a layout %.2f ticks (median\n"
		"half-width %.2f), 2 %% of the boots four times as far off; bound %.2f ticks\n\n",
		world->reports, CHANGES, PRIMARY, WORKLOADS, world->layouts, world->sd,
		stat_t_quantile(0.5 + STAT_LEVEL / 2.0,
				world->layouts - (world->layouts < PHASES + STAT_STRATA_SPARE
							  ? 1
							  : PHASES)) *
			world->sd / sqrt(world->layouts),
		world->equal);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		fprintf(out, "%5.1f %%  %s\n", 100.0 * lines[i].share, lines[i].what);
}
