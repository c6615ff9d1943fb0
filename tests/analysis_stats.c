// SPDX-License-Identifier: GPL-2.0
/* The statistics against published values, and against simulations whose truth is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h"
#include "util.h"

/* cmocka's own compares single precision. */
#define near(a, b, eps)                                                                      \
	do {                                                                                 \
		double a_ = (a), b_ = (b);                                                   \
		if (!(fabs(a_ - b_) <= (eps)))                                               \
			fail_msg("%s is %.10g, not %.10g +- %g", #a, a_, b_, (double)(eps)); \
	} while (0)

/* Type 7 by its definition: position (n - 1) p between the order statistics. */
static void test_quantile(void **state)
{
	const double x[] = { 1, 2, 4, 8, 16 };

	(void)state;
	near(stat_quantile(x, 5, 0.0), 1.0, 0);
	near(stat_quantile(x, 5, 0.05), 1.2, 1e-9);
	near(stat_quantile(x, 5, 0.5), 4.0, 0);
	near(stat_quantile(x, 5, 0.9), 12.8, 1e-9);
	near(stat_quantile(x, 5, 1.0), 16.0, 0);
	near(stat_quantile(x, 1, 0.3), 1.0, 0);
	assert_true(isnan(stat_quantile(x, 0, 0.5)));
}

/* Table of Student's t: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2. */
static void test_t_table(void **state)
{
	static const struct {
		double df, p, t;
	} table[] = {
		{ 1, 0.975, 12.706 }, { 2, 0.975, 4.303 },   { 7, 0.975, 2.365 },
		{ 15, 0.975, 2.131 }, { 31, 0.975, 2.040 },  { 10, 0.95, 1.812 },
		{ 60, 0.975, 2.000 }, { 100, 0.975, 1.984 }, { 7, 0.995, 3.499 },
		{ 30, 0.999, 3.385 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		near(stat_t_quantile(table[i].p, table[i].df), table[i].t, 5.1e-4);
		near(stat_t_pvalue(-stat_t_quantile(table[i].p, table[i].df), table[i].df),
		     2.0 * (1.0 - table[i].p), 1e-6);
	}
}

/*
 * Hours of sleep gained with two drugs by ten patients: Cushny and Peebles 1905, as in Student
 * 1908, The probable error of a mean; the figures are those that R prints for t.test() on its data
 * set "sleep".
 */
static const double sleep1[] = { 0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0 };
static const double sleep2[] = { 1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4 };

static void test_paired_t(void **state)
{
	double d[10];
	struct estimate e;

	(void)state;
	for (int i = 0; i < 10; i++)
		d[i] = sleep1[i] - sleep2[i];
	e = stat_t(d, 10, 0.95);
	near(e.mean, -1.58, 1e-6);
	near(e.sd, 1.229995, 1e-5);
	near(e.mean / (e.sd / sqrt(10)), -4.0621, 5e-5);
	near(e.p_value, 0.002833, 5e-7);
	near(e.ci.lo, -2.4598858, 5e-7);
	near(e.ci.hi, -0.7001142, 5e-7);
	near(stat_p_below(sleep1, sleep2, 10), 0.95, 1e-6); /* nine below, one tie */
}

/* Strata {1, 2}, {10, 12}, by hand: means 1.5 and 11, pooled variance 1.25, weights 1/8 each. */
static void test_strata(void **state)
{
	const double x[] = { 1, 10, 2, 12 };
	const int s[] = { 0, 1, 0, 1 };
	struct estimate e = stat_t_strata(x, s, 4, 2, 0.95);

	(void)state;
	near(e.mean, 6.25, 1e-9);
	near(e.sd, sqrt(1.25), 1e-9);
	near(e.ci.hi, 6.25 + 4.30265273 * sqrt(1.25 / 4), 1e-7);
	assert_true(isnan(stat_t_strata(x, s, 4, 3, 0.95).ci.lo));
	assert_true(isnan(stat_t_strata(x, s, 2, 2, 0.95).ci.lo));
}

static void test_welch(void **state)
{
	struct estimate e = stat_welch(sleep1, 10, sleep2, 10, 0.95);

	(void)state;
	near(e.mean, -1.58, 1e-9);
	near(e.df, 17.776, 5e-4);
	near(e.p_value, 0.07939, 5e-6);
	near(e.ci.lo, -3.3654832, 5e-7);
	near(e.ci.hi, 0.2054832, 5e-7);
	assert_true(isnan(stat_welch(sleep1, 1, sleep2, 10, 0.95).ci.lo));
}

static void test_degenerate(void **state)
{
	const double one = 3.0, same[] = { 2, 2, 2 }, zero[] = { 0, 0, 0 };
	struct estimate e = stat_t(&one, 1, 0.95);

	(void)state;
	near(e.mean, 3.0, 0);
	assert_true(isnan(e.ci.lo) && isnan(e.ci.hi) && isnan(e.p_value) && isnan(e.sd));
	assert_true(isnan(stat_t(&one, 0, 0.95).mean));
	e = stat_t(same, 3, 0.95);
	near(e.ci.lo, 2.0, 0);
	near(e.ci.hi, 2.0, 0);
	near(e.p_value, 0.0, 0);
	near(stat_t(zero, 3, 0.95).p_value, 1.0, 0);
	assert_true(isnan(stat_p_below(&one, &one, 0)));
}

/*
 * Eleven pairs with means 14 and 7, given standard errors and no covariance, from the linear and
 * the quadratic contrast, which are orthogonal: what calculators ask for as numbers.
 */
static void fieller_pairs(double se_a, double se_b, double *a, double *b)
{
	for (int i = 0; i < 11; i++) {
		double u = i - 5, v = u * u - 10.0;

		a[i] = 14.0 + u * se_a * sqrt(11 * 10 / 110.0);
		b[i] = 7.0 + v * se_b * sqrt(11 * 10 / 858.0);
	}
}

static void test_fieller(void **state)
{
	struct interval ci, swap;
	double a[11], b[11], d[11];

	(void)state;
	/*
	 * DCSTATS (Colquhoun's programs), example of FIELLER: 14 +- 3 by 7 +- 2, r = 0, 10 df, t =
	 * 1.812461.
	 */
	fieller_pairs(3.0, 2.0, a, b);
	ci = stat_fieller(a, b, 11, 0.90);
	near(ci.lo, 1.051413, 1e-6);
	near(ci.hi, 4.414296, 2e-6);
	/*
	 * GraphPad QuickCalcs on the same means with SEM 3/sqrt 6 and 2/sqrt 6, 10 df, quoted
	 * there.
	 */
	fieller_pairs(3.0 / sqrt(6), 2.0 / sqrt(6), a, b);
	ci = stat_fieller(a, b, 11, 0.95);
	near(ci.lo, 1.46, 5e-3);
	near(ci.hi, 2.83, 5e-3);
	ci = stat_fieller(a, b, 11, 0.99);
	near(ci.lo, 1.27, 5e-3);
	near(ci.hi, 3.36, 5e-3);

	/*
	 * What defines it: at a bound, a paired t test of a - r b against 0 gives just 1 - level;
	 * and 1 / r swaps.
	 */
	for (int i = 0; i < 11; i++)
		b[i] += 0.3 * (a[i] - 14.0);
	ci = stat_fieller(a, b, 11, 0.95);
	swap = stat_fieller(b, a, 11, 0.95);
	near(swap.lo, 1.0 / ci.hi, 1e-6);
	near(swap.hi, 1.0 / ci.lo, 1e-6);
	for (int end = 0; end < 2; end++) {
		for (int i = 0; i < 11; i++)
			d[i] = a[i] - (end ? ci.hi : ci.lo) * b[i];
		near(stat_t(d, 11, 0.95).p_value, 0.05, 1e-6);
	}

	/* A denominator that may be 0 gives no interval. */
	fieller_pairs(3.0, 20.0, a, b);
	assert_true(isnan(stat_fieller(a, b, 11, 0.95).lo));
	assert_true(isnan(stat_fieller(a, b, 1, 0.95).lo));
}

/* Holm 1979, the usual example of texts on it: two of four hold at 0.05. */
static void test_holm(void **state)
{
	const double p[] = { 0.01, 0.04, NAN, 0.03, 0.005 }, ties[] = { 0.5, 0.5, 0.9 };
	double q[5];

	(void)state;
	stat_holm(p, q, 5);
	near(q[0], 0.03, 1e-9);
	near(q[1], 0.06, 1e-9);
	assert_true(isnan(q[2]));
	near(q[3], 0.06, 1e-9);
	near(q[4], 0.02, 1e-9);
	stat_holm(ties, q, 3);
	for (int i = 0; i < 3; i++)
		near(q[i], 1.0, 0);
	stat_holm(p, q, 0);
}

static void test_locations(void **state)
{
	double x[] = { 5, 1, 4, 2, 3, 6, 11, 8, 9, 10, 7 };

	(void)state;
	near(stat_location(stat_location_find("mean"), x, 11), 6.0, 1e-6);
	near(stat_location(stat_location_find("p05"), x, 11), 1.5, 1e-6);
	near(stat_location(stat_location_find("p50"), x, 11), 6.0, 1e-6);
	near(stat_location(stat_location_find("min"), x, 11), 1.0, 1e-6);
	assert_string_equal(stat_locations[0].name, "p05");
	assert_null(stat_location_find("p5"));
}

/*
 * Variance components by hand, groups {1,3}, {5,7}, {6}: 4 / 2 within; grand mean 4.4, so
 * 2 * 5.76 + 2 * 2.56 + 2.56 between; weight (5 - 9 / 5) / 2.
 */
static void test_components(void **state)
{
	const double v[] = { 1, 3, 5, 7, NAN, 6 };
	struct nested x = { v, 3, 2 }, single = { v, 1, 2 }, flat = { v, 3, 1 };
	struct components c = stat_components(&x);

	(void)state;
	near(c.boot, 2.0, 1e-6);
	near(c.layout, (19.2 / 2 - 2.0) / 1.6, 1e-6);
	assert_true(isnan(stat_components(&single).layout));
	near(stat_components(&single).boot, 2.0, 1e-6);
	assert_true(isnan(stat_components(&flat).boot));
	near(stat_components(&flat).layout, 4.0, 1e-6);
}

static void test_rng(void **state)
{
	gsl_rng *a = stat_rng(7, "x"), *b = stat_rng(7, "x"), *c = stat_rng(7, "y"),
		*d = stat_rng(7 + (1ULL << 40), "x");
	unsigned long first = gsl_rng_get(a);

	(void)state;
	assert_true(first == gsl_rng_get(b));
	assert_true(first != gsl_rng_get(c));
	assert_true(first != gsl_rng_get(d));
	gsl_rng_free(a);
	gsl_rng_free(b);
	gsl_rng_free(c);
	gsl_rng_free(d);
}

static void test_bootstrap(void **state)
{
	static const double a[] = { 3, 5, 4, 6, 7, 5 }, b[] = { 1, 2, 2, 3, 3, 2 };
	const double flat[] = { 1, 1, 1, 1, 1, 1 }, holes[] = { 3, NAN, 4, 6, NAN, 5 };
	struct nested x = { a, 6, 1 }, y = { b, 6, 1 }, z = { flat, 6, 1 }, h = { holes, 6, 1 };
	gsl_rng *rng = stat_rng(1, "test"), *again = stat_rng(1, "test");
	struct interval ci = stat_bootstrap(&x, &y, 2000, rng, 0.95),
			same = stat_bootstrap(&x, &y, 2000, again, 0.95);

	(void)state;
	near(ci.lo, same.lo, 0);
	near(ci.hi, same.hi, 0);
	assert_true(ci.lo < 2.8333 && ci.hi > 2.8334 && ci.lo > 1.0 && ci.hi < 5.0);
	ci = stat_bootstrap(&z, &z, 2000, rng, 0.95);
	near(ci.lo, 0.0, 0);
	near(ci.hi, 0.0, 0);
	/* Four layouts left on both sides. */
	assert_true(isnan(stat_bootstrap(&h, &y, 2000, rng, 0.95).lo));
	gsl_rng_free(rng);
	gsl_rng_free(again);
}

/*
 * A world with known truth: SDs by level, and the share of the layouts' that variants have in
 * common.
 */
struct world {
	const char *about;
	int layouts, boots, samples;
	double effect, sd_layout, shared, sd_boot, sd_sample;
	bool skewed;	 /* layouts from a shifted exponential: a few bad ones */
	double sd_phase; /* of what the four phases do to one side and not to the other */
};

static double layout_draw(const struct world *w, gsl_rng *rng)
{
	return w->sd_layout *
	       (w->skewed ? gsl_ran_exponential(rng, 1.0) - 1.0 : gsl_ran_gaussian(rng, 1.0));
}

static double run_draw(const struct world *w, double mean, gsl_rng *rng, double *x)
{
	mean += gsl_ran_gaussian(rng, w->sd_boot);
	for (int i = 0; i < w->samples; i++)
		x[i] = mean + w->sd_sample * gsl_ran_exponential(rng, 1.0);
	return stat_location(&stat_locations[0], x, w->samples);
}

static void world_draw(const struct world *w, gsl_rng *rng, double *a, double *b)
{
	double x[64], phase[4], sum = 0.0;

	for (int i = 0; i < 4; i++)
		sum += phase[i] = gsl_ran_gaussian(rng, w->sd_phase);
	for (int l = 0; l < w->layouts; l++) {
		double common = sqrt(w->shared) * layout_draw(w, rng), own = sqrt(1.0 - w->shared);
		double ma = 70.0 + w->effect + common + own * layout_draw(w, rng) + phase[l % 4] -
			    sum / 4;
		double mb = 70.0 + common + own * layout_draw(w, rng);

		for (int i = 0; i < w->boots; i++) {
			a[l * w->boots + i] = run_draw(w, ma, rng, x);
			b[l * w->boots + i] = run_draw(w, mb, rng, x);
		}
	}
}

#define SIMULATIONS 2000

/*
 * Shares in % of the simulations in which each interval holds the truth, and in which the t test
 * sees an effect.
 */
struct shares {
	double t, bootstrap, fieller, strata, alarm;
};

static struct shares simulate(const struct world *w, bool resample)
{
	gsl_rng *rng = stat_rng(20261122, w->about);
	double a[256], b[256], d[64], x[64], y[64], ratio = (70.0 + w->effect) / 70.0;
	struct nested na = { a, w->layouts, w->boots }, nb = { b, w->layouts, w->boots };
	struct shares s = { 0 };
	int phase[64];

	for (int i = 0; i < SIMULATIONS; i++) {
		struct interval ci;
		struct estimate e;

		world_draw(w, rng, a, b);
		for (int l = 0; l < w->layouts; l++) {
			x[l] = stat_layout_mean(&na, l);
			y[l] = stat_layout_mean(&nb, l);
			d[l] = x[l] - y[l];
			phase[l] = l % 4;
		}
		e = stat_t(d, w->layouts, 0.95);
		s.t += e.ci.lo <= w->effect && w->effect <= e.ci.hi;
		s.alarm += e.p_value < 0.05;
		ci = stat_t_strata(d, phase, w->layouts, 4, 0.95).ci;
		s.strata += ci.lo <= w->effect && w->effect <= ci.hi;
		ci = stat_fieller(x, y, w->layouts, 0.95);
		s.fieller += ci.lo <= ratio && ratio <= ci.hi;
		if (!resample)
			continue;
		ci = stat_bootstrap(&na, &nb, 999, rng, 0.95);
		s.bootstrap += ci.lo <= w->effect && w->effect <= ci.hi;
	}
	gsl_rng_free(rng);
	s.t *= 100.0 / SIMULATIONS;
	s.bootstrap *= 100.0 / SIMULATIONS;
	s.fieller *= 100.0 / SIMULATIONS;
	s.strata *= 100.0 / SIMULATIONS;
	s.alarm *= 100.0 / SIMULATIONS;
	print_message("%-26s t %.2f, Fieller %.2f, stratified %.2f, ", w->about, s.t, s.fieller,
		      s.strata);
	if (resample)
		print_message("bootstrap %.2f, ", s.bootstrap);
	print_message("p < 0.05 %.2f %%\n", s.alarm);
	return s;
}

static void test_coverage(void **state)
{
	static const struct world worlds[] = {
		{ "8 layouts, 1 boot", 8, 1, 20, 12.9, 0.8, 0.4, 0.3, 0.5, false, 0 },
		{ "16 layouts, 1 boot", 16, 1, 20, 12.9, 0.8, 0.4, 0.3, 0.5, false, 0 },
		{ "32 layouts, 1 boot", 32, 1, 20, 12.9, 0.8, 0.4, 0.3, 0.5, false, 0 },
		{ "8 layouts, 3 noisy boots", 8, 3, 20, 0.5, 0.3, 0.0, 1.5, 0.5, false, 0 },
		{ "16 layouts, 2 noisy boots", 16, 2, 20, 0.5, 0.3, 0.0, 1.5, 0.5, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(worlds); i++) {
		struct shares s = simulate(&worlds[i], true);

		near(s.t, 95.0, 1.5);
		near(s.bootstrap, 95.0, 1.5);
		near(s.fieller, 95.0, 1.5);
		near(s.strata, 95.0, 1.5);
	}
}

/*
 * Code that a change has moved meets the phases otherwise than the baseline: only the stratified
 * interval is not wide for it.
 */
static void test_phases(void **state)
{
	static const struct world w = {
		"16 layouts, moved code", 16, 1, 20, 0.5, 0.3, 0.0, 0.1, 0.2, false, 1.0
	};
	struct shares s = simulate(&w, false);

	(void)state;
	assert_true(s.t > 99.0);
	near(s.strata, 95.0, 1.5);
}

/* No effect there: how often the test sees one. */
static void test_false_alarms(void **state)
{
	static const struct world worlds[] = {
		{ "null, 8 layouts", 8, 1, 20, 0.0, 0.8, 0.0, 0.3, 0.5, false, 0 },
		{ "null, 16 layouts", 16, 1, 20, 0.0, 0.8, 0.0, 0.3, 0.5, false, 0 },
		{ "null, 32 layouts", 32, 1, 20, 0.0, 0.8, 0.0, 0.3, 0.5, false, 0 },
		{ "null, skewed layouts", 8, 2, 20, 0.0, 0.8, 0.2, 0.3, 0.5, true, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(worlds); i++)
		near(simulate(&worlds[i], false).alarm, 5.0, 1.5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quantile),     cmocka_unit_test(test_t_table),
		cmocka_unit_test(test_paired_t),     cmocka_unit_test(test_welch),
		cmocka_unit_test(test_strata),	     cmocka_unit_test(test_phases),
		cmocka_unit_test(test_degenerate),   cmocka_unit_test(test_fieller),
		cmocka_unit_test(test_holm),	     cmocka_unit_test(test_locations),
		cmocka_unit_test(test_components),   cmocka_unit_test(test_rng),
		cmocka_unit_test(test_bootstrap),    cmocka_unit_test(test_coverage),
		cmocka_unit_test(test_false_alarms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
