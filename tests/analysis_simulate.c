// SPDX-License-Identifier: GPL-2.0
/* How often the rules err, on reports whose truth is known; and what they have to refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <gsl/gsl_randist.h>
#include <math.h>

#include "certificate.h"
#include "simulate.h"
#include "verdict.h"

/* The rates that the method promises, and what the null could not tell as long as its count was a binomial one. */
static void test_rates(void **state)
{
	const struct world world = {
		.reports = 1000, .layouts = 16, .sd = 0.45, .equal = VERDICT_EQUAL, .seed = 20261129
	};
	struct rates r;

	(void)state;
	simulate(&world, &r);
	rates_print(stdout, &world, &r);
	assert_true(r.false_word <= 0.05);
	assert_true(r.within_at_bound <= 0.05);
	assert_true(r.within_at_0 >= 0.8);
	assert_true(r.power >= 0.9);
	assert_true(r.null_fails <= 0.05);
	assert_true(r.null_narrow >= 0.9);
	assert_true(r.null_wide >= 0.9);
	assert_true(r.old_fails > r.null_fails && r.old_narrow < r.null_narrow);
	assert_true(r.dose_right >= 0.9);
	assert_true(r.dose_wrong <= 0.01);
}

/*
 * Three of four comparisons are of the baseline's code at other addresses, which differs by a fixed amount in
 * each phase. That says nothing of the null: nor does it hide what is wrong with it (7 % were found once).
 */
static void test_phases(void **state)
{
	const struct world world = { .reports = 600,
				     .layouts = 16,
				     .sd = 0.45,
				     .equal = VERDICT_EQUAL,
				     .same_code = 3,
				     .seed = 20261201 };
	struct rates r;

	(void)state;
	simulate(&world, &r);
	print_message("same code: null fails %.3f, narrow %.3f, wide %.3f\n", r.null_fails,
		      r.null_narrow, r.null_wide);
	assert_true(r.null_fails <= 0.05);
	assert_true(r.null_narrow >= 0.7);
	assert_true(r.null_wide >= 0.9);
}

/* Wider and narrower ones, and what may not depend on them. */
static void test_worlds(void **state)
{
	static const struct world worlds[] = {
		{ .reports = 300, .layouts = 8, .sd = 0.2, .equal = 0.5, .seed = 1 },
		{ .reports = 300, .layouts = 32, .sd = 1.0, .equal = 0.5, .seed = 2 },
		{ .reports = 300, .layouts = 12, .sd = 0.3, .equal = 0.25, .seed = 3 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(worlds); i++) {
		struct rates r;

		simulate(&worlds[i], &r);
		print_message(
			"%d layouts, SD %.1f: false %.3f, within at the bound %.3f, null %.3f\n",
			worlds[i].layouts, worlds[i].sd, r.false_word, r.within_at_bound,
			r.null_fails);
		/* With three standard errors of 300 reports. */
		assert_true(r.false_word <= 0.05 + 0.038);
		assert_true(r.within_at_bound <= 0.05 + 0.038);
		assert_true(r.null_fails <= 0.1);
	}
}

/* Slopes that results once passed with, and others. */
static void test_dose(void **state)
{
	static const struct {
		struct interval ci;
		const char *word;
	} cases[] = {
		{ { 0.942, 1.873 }, "too imprecise" }, { { 0.904, 1.169 }, "too imprecise" },
		{ { 0.093, 1.174 }, "too imprecise" }, { { 0.799, 0.920 }, "too imprecise" },
		{ { 0.468, 0.931 }, "too imprecise" }, { { 0.690, 0.823 }, "refuted" },
		{ { 1.101, 1.2 }, "refuted" },	       { { 0.7, 1.3 }, "too imprecise" },
		{ { 0.90, 1.10 }, "proven" },	       { { 0.95, 1.05 }, "proven" },
		{ { NAN, NAN }, "too imprecise" },     { { 1.05, 1.11 }, "too imprecise" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(dose_word(cases[i].ci), cases[i].word);
}

static void test_verdicts(void **state)
{
	static const struct {
		struct finding f;
		enum verdict v;
	} cases[] = {
		{ { 2.0, 0.049, { 1.0, 3.0 }, 8, 0.8, false }, VERDICT_SLOWER },
		{ { -2.0, 0.049, { -3.0, -1.0 }, 16, 1.0, false }, VERDICT_FASTER },
		{ { 0.3, 0.001, { 0.2, 0.4 }, 16, 1.0, false }, VERDICT_SLOWER },
		{ { 0.1, 0.05, { -0.49, 0.49 }, 16, 1.0, false }, VERDICT_WITHIN },
		{ { 0.1, 1.0, { -0.49, 0.5 }, 16, 1.0, false }, VERDICT_CANNOT_TELL },
		{ { 0.1, 1.0, { -0.5, 0.4 }, 16, 1.0, false }, VERDICT_CANNOT_TELL },
		{ { 9.0, 0.0, { 8.9, 9.1 }, 7, 1.0, false }, VERDICT_NONE },
		{ { 9.0, 0.0, { 8.9, 9.1 }, 16, 0.79, false }, VERDICT_NONE },
		/* 63 % of the runs were lost once. */
		{ { 26.0, 0.0, { 24.7, 27.4 }, 16, 0.37, false }, VERDICT_NONE },
		{ { 9.0, NAN, { 8.9, 9.1 }, 16, 1.0, false }, VERDICT_NONE },
		{ { 0.0, 1.0, { NAN, NAN }, 16, 1.0, false }, VERDICT_NONE },
		{ { 9.0, 0.0, { 8.9, 9.1 }, 2, 0.1, true }, VERDICT_SAME_CODE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(verdict_of(&cases[i].f, 0.5), cases[i].v);
}

/* By hand: two layouts' slopes 1 and 2 with weights 2 and 1; what is left is -2/3 and 2/3. */
static void test_slope(void **state)
{
	const double xy[] = { 2.0, 2.0 }, xx[] = { 2.0, 1.0 };
	struct estimate e = stat_slope(xy, xx, 2, 0.95);
	double half = 12.7062047 * sqrt(2.0 * 2.0 * 4.0 / 9.0) / 3.0;

	(void)state;
	assert_true(fabs(e.mean - 4.0 / 3.0) < 1e-12);
	assert_true(fabs(e.ci.hi - e.mean - half) < 1e-6);
	assert_true(isnan(stat_slope(xy, xx, 1, 0.95).ci.lo));
}

/*
 * One comparison in four layouts, by hand: of its 16 signs only those that are all alike give a t as
 * large as the one seen.
 */
static void test_flips(void **state)
{
	const double d[] = { 1.0, 2.0, 3.0, NAN, 4.0 };
	gsl_rng *rng = stat_rng(1, "flips");
	struct flips f = stat_flips(d, 1, 5, NULL, 0, NULL, 20000, rng);

	(void)state;
	gsl_rng_free(rng);
	assert_int_equal(f.missed, 1); /* 2.5 +- 3.18 * 0.645 */
	assert_true(fabs(f.p_narrow - 2.0 / 16.0) < 1e-9);
	assert_true(fabs(f.p_missed - 2.0 / 16.0) < 1e-9);
	assert_true(f.p_wide > 0.99);
	assert_string_equal(null_word(&f, 7), "too imprecise");
	assert_string_equal(null_word(&f, 8), "pass");
	f.p_narrow = 0.001;
	assert_string_equal(null_word(&f, 8), "fail");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),	 cmocka_unit_test(test_phases),
		cmocka_unit_test(test_worlds),	 cmocka_unit_test(test_dose),
		cmocka_unit_test(test_verdicts), cmocka_unit_test(test_slope),
		cmocka_unit_test(test_flips),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
