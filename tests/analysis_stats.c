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

/* By strata where they leave four degrees of freedom and none is empty, or as they are. */
static void test_effect(void **state)
{
	const double x[] = { 1, 10, 2, 12, 3, 14 };
	const int s[] = { 0, 1, 0, 1, 0, 1 };
	struct estimate e = stat_effect(x, s, 6, 2, 0.95);

	(void)state;
	/* Within the strata 1 + 0 + 1 and 4 + 0 + 4, on 4 degrees of freedom. */
	near(e.mean, 7.0, 1e-9);
	near(e.sd, sqrt(2.5), 1e-9);
	near(e.ci.hi, 7.0 + 2.77644511 * sqrt(2.5 / 6), 1e-7);
	near(stat_effect(x, s, 5, 2, 0.95).sd, stat_t(x, 5, 0.95).sd, 0);
	near(stat_effect(x, s, 6, 0, 0.95).sd, stat_t(x, 6, 0.95).sd, 0);
	near(stat_effect(x, s, 6, 3, 0.95).sd, stat_t(x, 6, 0.95).sd, 0);
}

/*
 * A layout that is lost costs a degree of freedom, not the strata: intervals of what differs by far more
 * between strata than within are hardly wider, and cover as often.
 */
static void test_lost_layout(void **state)
{
	static const int counts[][4] = { { 3, 3, 3, 2 }, { 4, 3, 3, 1 }, { 2, 2, 2, 2 } };
	static const double of[] = { 3.0, -3.0, 1.5, -1.5 };
	const int worlds = 4000;
	gsl_rng *rng = stat_rng(1, "lost layout");

	(void)state;
	for (size_t c = 0; c < 3; c++) {
		int covered = 0;
		double half = 0.0;

		for (int k = 0; k < worlds; k++) {
			double x[16];
			int s[16], n = 0;
			struct estimate e;

			for (int i = 0; i < 4; i++)
				for (int m = 0; m < counts[c][i]; m++, n++) {
					s[n] = i;
					x[n] = of[i] + gsl_ran_gaussian(rng, 0.25);
				}
			e = stat_effect(x, s, n, 4, 0.95);
			covered += e.ci.lo <= 0.0 && e.ci.hi >= 0.0;
			half += (e.ci.hi - e.ci.lo) / 2.0 / worlds;
		}
		assert_true(covered > 0.935 * worlds && covered < 0.965 * worlds);
		assert_true(half < 0.3);
	}
	gsl_rng_free(rng);
}

/* The least of more boots is less by itself: both sides have as many, the first ones. */
static void test_unequal_boots(void **state)
{
	const double three[] = { 5, 4, 3, 7, NAN, 6 }, two[] = { 5, 4, NAN, 7, 7, 7 };
	const struct nested a = { three, 2, 3, true }, b = { two, 2, 3, true };
	struct pairs p;

	(void)state;
	pairs_make(&p, &a, &b);
	assert_int_equal(p.n, 2);
	near(p.d[0], 0.0, 0);  /* 4 and 4, not 3 and 4 */
	near(p.d[1], -1.0, 0); /* 6 of two boots, 7 */
	pairs_free(&p);
}

/* Where the least boot stands for a layout one slow boot changes nothing, nor does one that is missing. */
static void test_least(void **state)
{
	const double fast[] = { 3, 5, 4, 6, 7, 5 };
	const double same[] = { 3, 3, NAN, 5, 4, 4, 6, 6, 7, NAN, 5, 5 };
	const double slow[] = { 3, 14, NAN, 5, 4, 4, 17, 6, 7, NAN, 5, 5 };
	struct nested x = { same, 6, 2, true }, y = { slow, 6, 2, true };
	double value[6];
	int layout[6];
	gsl_rng *rng;
	struct interval a, b;

	(void)state;
	assert_int_equal(stat_layout_values(&y, value, layout), 6);
	for (int l = 0; l < 6; l++)
		near(value[l], fast[l], 0);
	y.least = false;
	near(stat_layout_value(&y, 0), 8.5, 0);
	y.least = true;
	rng = stat_rng(1, "test");
	a = stat_bootstrap(&x, &y, 2000, rng, 0.95);
	gsl_rng_free(rng);
	near(a.lo, 0.0, 0);
	near(a.hi, 0.0, 0);
	x.value = slow + 6;
	x.layouts = 3;
	x.boots = 2;
	b = stat_bootstrap(&x, &y, 2000, NULL, 0.95);
	assert_true(isnan(b.lo)); /* three layouts */
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
	static const struct {
		const char *name;
		double value;
	} want[] = {
		{ "quiet-p05", 1.5 },  { "quiet-p50", 6.0 }, { "quiet-trim", 58.0 / 9 },
		{ "quiet-mean", 7.0 }, { "p05", 1.5 },	     { "p50", 6.0 },
		{ "mean", 7.0 },       { "min", 1.0 },	     { "mode", 6.0 },
	};

	(void)state;
	for (int i = 0; i < STAT_LOCATIONS; i++) {
		double x[] = { 6, 1, 4.5, 2, 3, 6, 18, 8, 9, 12, 7.5 };

		assert_string_equal(stat_locations[i].name, want[i].name);
		near(stat_location(stat_location_find(want[i].name), x, 11), want[i].value, 1e-6);
		assert_true(isnan(stat_location(&stat_locations[i], x, 0)));
		near(stat_location(&stat_locations[i], x, 1), 1.0, 0);
	}
	assert_null(stat_location_find("p5"));
}

/*
 * By hand: of the lower half 1 2 5 6 6.5 7 (n = 11, 6 kept) the densest three are 6 6.5 7, equally
 * far apart; of 1 2 2.5 3 9 the first three, then the closer pair. Of two modes the lower one, even
 * with a third of the samples.
 */
static void test_mode(void **state)
{
	const double a[] = { 1, 2, 5, 6, 6.5, 7, 8, 9, 10, 11, 12 }, b[] = { 1, 2, 2.5, 3, 9 };
	const double tied[] = { 1, 4, 4, 4, 4, 9, 9, 9 };
	gsl_rng *rng = stat_rng(3, "mode");
	double x[300];

	(void)state;
	near(stat_lower_mode(a, 11), 6.5, 0);
	near(stat_lower_mode(b, 5), 2.25, 0);
	near(stat_lower_mode(tied, 8), 4.0, 0);
	for (int i = 0; i < 300; i++)
		x[i] = i < 100 ? 65.0 + gsl_ran_gaussian(rng, 0.3)
			       : 100.0 + gsl_ran_gaussian(rng, 5.0);
	near(stat_location(stat_location_find("mode"), x, 300), 65.0, 0.5);
	gsl_rng_free(rng);
}

/*
 * Clopper and Pearson: 0 of n reaches to 1 - 0.025^(1/n); 2 of 40 and 7 of 104 as R's binom.test()
 * prints them.
 */
static void test_share(void **state)
{
	struct interval ci = stat_share(0, 40, 0.95);

	(void)state;
	near(ci.lo, 0.0, 0);
	near(ci.hi, 1.0 - pow(0.025, 1.0 / 40), 1e-9);
	near(stat_share(40, 40, 0.95).lo, pow(0.025, 1.0 / 40), 1e-9);
	near(stat_share(40, 40, 0.95).hi, 1.0, 0);
	ci = stat_share(2, 40, 0.95);
	near(ci.lo, 0.006114, 1e-6);
	near(ci.hi, 0.169197, 1e-6);
	/* What defines it: at its bounds just 2.5 % see so much, or so little. */
	ci = stat_share(7, 104, 0.95);
	near(stat_at_least(7, 104, ci.lo), 0.025, 1e-9);
	near(1.0 - stat_at_least(8, 104, ci.hi), 0.025, 1e-9);
	assert_true(isnan(stat_share(0, 0, 0.95).lo));
	near(stat_at_least(0, 10, 0.05), 1.0, 0);
	near(stat_at_least(1, 10, 0.05), 1.0 - pow(0.95, 10), 1e-12);
	near(stat_at_least(2, 2, 0.05), 0.0025, 1e-12);
}

/* A steady series raises an alarm at most as often as it may; quantised ones, too. */
static void test_warmup_none(void **state)
{
	gsl_rng *rng = stat_rng(1, "no warm-up");
	double x[200];

	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		int alarms = 0, strict = 0;

		for (int i = 0; i < 20000; i++) {
			for (int k = 0; k < 200; k++) {
				x[k] = 65.0 + gsl_ran_exponential(rng, 0.3);
				/* In steps; or hit by interrupts. */
				if (kind == 1)
					x[k] = floor(x[k] / 0.15);
				if (kind == 2 && gsl_rng_uniform(rng) < 0.05)
					x[k] += gsl_ran_exponential(rng, 30.0);
			}
			alarms += stat_warmup(x, 200, 0.05) > 0;
			strict += stat_warmup(x, 200, STAT_WARMUP_ALPHA) > 0;
		}
		print_message("no warm-up: %.2f %% alarms at 5 %%, %.3f %% at 1 %%\n",
			      alarms / 200.0, strict / 200.0);
		assert_true(alarms <= 0.05 * 20000 && alarms > 0);
		assert_true(strict <= STAT_WARMUP_ALPHA * 20000);
	}
	gsl_rng_free(rng);
}

/* A warm-up of five samples at +30 % is found, to the sample; one of cheaper samples is none. */
static void test_warmup_found(void **state)
{
	gsl_rng *rng = stat_rng(2, "warm-up");
	int right = 0;
	double x[200];

	(void)state;
	for (int i = 0; i < 2000; i++) {
		for (int k = 0; k < 200; k++)
			x[k] = 65.0 + gsl_ran_exponential(rng, 0.3);
		for (int k = 0; k < 5; k++)
			x[k] *= 1.3;
		right += stat_warmup(x, 200, STAT_WARMUP_ALPHA) == 5;
		for (int k = 0; k < 5; k++)
			x[k] /= 1.3 * 1.3;
		assert_int_equal(stat_warmup(x, 200, STAT_WARMUP_ALPHA), 0);
	}
	print_message("warm-up of 5 found: %.2f %%\n", right / 20.0);
	assert_true(right >= 1990);
	for (int k = 0; k < 200; k++)
		x[k] = 65.0;
	assert_int_equal(stat_warmup(x, 200, 0.05), 0);
	assert_int_equal(stat_warmup(x, 0, 0.05), 0);
	assert_int_equal(stat_warmup(x, 1, 0.05), 0);
	gsl_rng_free(rng);
}

/* 10, 11, 12 stay, what is a quarter of the median or more away does not. */
static void test_core_mean(void **state)
{
	double x[] = { 500, 10, 12, 11, 1, 15 }, se;

	(void)state;
	near(stat_core_mean(x, 6, &se), 11.0, 1e-9);
	near(se, 1.0 / sqrt(3), 1e-9);
	assert_true(isnan(stat_core_mean(x, 0, &se)) && isnan(se));
}

/*
 * Variance components by hand, groups {1,3}, {5,7}, {6}: 4 / 2 within; grand mean 4.4, so
 * 2 * 5.76 + 2 * 2.56 + 2.56 between; weight (5 - 9 / 5) / 2.
 */
static void test_components(void **state)
{
	const double v[] = { 1, 3, 5, 7, NAN, 6 };
	struct components c = stat_components(v, 3, 2, 1, 0.0);

	(void)state;
	near(c.boot, 2.0, 1e-6);
	near(c.layout, (19.2 / 2 - 2.0) / 1.6, 1e-6);
	assert_true(isnan(c.run));
	/* What is known of the values' own noise belongs to the lowest level that has repeats. */
	c = stat_components(v, 3, 2, 1, 0.5);
	near(c.boot, 1.5, 1e-6);
	near(c.layout, (19.2 / 2 - 2.0) / 1.6, 1e-6);
	assert_true(isnan(stat_components(v, 1, 2, 1, 0.0).layout));
	near(stat_components(v, 1, 2, 1, 0.0).boot, 2.0, 1e-6);
	assert_true(isnan(stat_components(v, 3, 1, 1, 0.0).boot));
	near(stat_components(v, 3, 1, 1, 0.0).layout, 4.0, 1e-6);
	assert_true(isnan(stat_components(v, 0, 1, 1, 0.0).layout));
	/* The same groups as runs of three boots of one layout. */
	c = stat_components(v, 1, 3, 2, 0.5);
	near(c.run, 1.5, 1e-6);
	near(c.boot, (19.2 / 2 - 2.0) / 1.6, 1e-6);
}

/* Four levels with known variances, a sixth of the boots missing: the mean estimates are true. */
static void test_components_found(void **state)
{
	const int layouts = 8, boots = 3, runs = 3, times = 2000;
	gsl_rng *rng = stat_rng(4, "components");
	double layout = 0.0, boot = 0.0, run = 0.0, v[8 * 3 * 3];

	(void)state;
	for (int i = 0; i < times; i++) {
		struct components c;

		for (int l = 0; l < layouts; l++) {
			double ml = 70.0 + gsl_ran_gaussian(rng, 2.0);

			for (int b = 0; b < boots; b++) {
				bool gone = gsl_rng_uniform(rng) < 1.0 / 6;
				double mb = ml + gsl_ran_gaussian(rng, 1.0);

				for (int k = 0; k < runs; k++)
					v[(l * boots + b) * runs + k] =
						gone ? NAN
						     : mb + gsl_ran_gaussian(rng, 0.5) +
								gsl_ran_gaussian(rng, 0.4);
			}
		}
		c = stat_components(v, layouts, boots, runs, 0.16);
		layout += c.layout / times;
		boot += c.boot / times;
		run += c.run / times;
	}
	print_message("components: layout %.3f (4), boot %.3f (1), run %.4f (0.25)\n", layout, boot,
		      run);
	near(layout, 4.0, 0.2);
	near(boot, 1.0, 0.05);
	near(run, 0.25, 0.01);
	gsl_rng_free(rng);
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
	struct nested x = { a, 6, 1, false }, y = { b, 6, 1, false }, z = { flat, 6, 1, false },
		      h = { holes, 6, 1, false };
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
 * No effect there, and layouts of which a few are bad ones: how often the test of paired layouts sees one.
 * (What intervals hold on symmetric worlds is in analysis_coverage.c.)
 */
static void test_false_alarms(void **state)
{
	const int layouts = 8, times = 4000;
	gsl_rng *rng = stat_rng(20261122, "skewed");
	double d[8], alarms = 0.0;

	(void)state;
	for (int i = 0; i < times; i++) {
		for (int l = 0; l < layouts; l++)
			d[l] = gsl_ran_exponential(rng, 0.7) - gsl_ran_exponential(rng, 0.7) +
			       gsl_ran_gaussian(rng, 0.3);
		alarms += stat_t(d, layouts, 0.95).p_value < 0.05;
	}
	gsl_rng_free(rng);
	print_message("skewed layouts: %.2f %% false alarms\n", 100.0 * alarms / times);
	near(100.0 * alarms / times, 5.0, 1.5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quantile),
		cmocka_unit_test(test_t_table),
		cmocka_unit_test(test_paired_t),
		cmocka_unit_test(test_welch),
		cmocka_unit_test(test_strata),
		cmocka_unit_test(test_effect),
		cmocka_unit_test(test_lost_layout),
		cmocka_unit_test(test_unequal_boots),
		cmocka_unit_test(test_least),
		cmocka_unit_test(test_degenerate),
		cmocka_unit_test(test_fieller),
		cmocka_unit_test(test_holm),
		cmocka_unit_test(test_locations),
		cmocka_unit_test(test_components),
		cmocka_unit_test(test_components_found),
		cmocka_unit_test(test_mode),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_warmup_none),
		cmocka_unit_test(test_warmup_found),
		cmocka_unit_test(test_core_mean),
		cmocka_unit_test(test_rng),
		cmocka_unit_test(test_bootstrap),
		cmocka_unit_test(test_false_alarms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
