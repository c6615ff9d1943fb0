/* SPDX-License-Identifier: GPL-2.0 */
/* The module's arithmetic (bench/module/calc.c), outside the kernel. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

typedef uint32_t u32;
typedef uint64_t u64;

/* What has no padding is laid out alike for 32 bit callers, and tells them nothing else of the kernel. */
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"
#include "sheafbench.h"
#pragma GCC diagnostic pop
#include "calc.c"

static int compare(const void *a, const void *b)
{
	const u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return (x > y) - (x < y);
}

static void test_order(void **state)
{
	static u32 index[SHEAFBENCH_MAX_N], seen[SHEAFBENCH_MAX_N];
	static const u32 counts[] = { 1, 2, 3, 100, SHEAFBENCH_MAX_N };

	(void)state;
	for (size_t c = 0; c < sizeof(counts) / sizeof(*counts); c++)
		for (u32 order = 0; order < SHEAFBENCH_ORDERS; order++)
			for (u64 seed = 0; seed < 20; seed++) {
				memset(seen, 0, sizeof(seen));
				calc_order(index, counts[c], order, seed);
				for (u32 i = 0; i < counts[c]; i++) {
					assert_true(index[i] < counts[c]);
					assert_int_equal(seen[index[i]]++, 0);
				}
			}
	calc_order(index, 3, SHEAFBENCH_LIFO, 0);
	assert_int_equal(index[0], 2);
	assert_int_equal(index[2], 0);
	calc_order(index, 3, SHEAFBENCH_FIFO, 0);
	assert_int_equal(index[0], 0);
	assert_int_equal(index[2], 2);
}

/* Each of the 24 orders of 4 objects as often as the others: chi square, 23 degrees of freedom. */
static void test_shuffle_is_even(void **state)
{
	u32 count[256] = { 0 }, index[4], kinds = 0;
	const double expected = 24000 / 24.0;
	double chi2 = 0;

	(void)state;
	for (u64 seed = 0; seed < 24000; seed++) {
		calc_order(index, 4, SHEAFBENCH_SHUFFLED, seed * 7919);
		count[index[0] | index[1] << 2 | index[2] << 4 | index[3] << 6]++;
	}
	for (int i = 0; i < 256; i++)
		if (count[i]) {
			kinds++;
			chi2 += (count[i] - expected) * (count[i] - expected) / expected;
		}
	assert_int_equal(kinds, 24);
	/* The 0.999 and 0.001 quantiles. */
	assert_true(chi2 < 49.73);
	assert_true(chi2 > 7.53);
}

static void test_shuffle_depends_on_seed_only(void **state)
{
	u32 a[50], b[50];

	(void)state;
	calc_order(a, 50, SHEAFBENCH_SHUFFLED, 5);
	calc_order(b, 50, SHEAFBENCH_SHUFFLED, 5);
	assert_memory_equal(a, b, sizeof(a));
	calc_order(b, 50, SHEAFBENCH_SHUFFLED, 6);
	assert_memory_not_equal(a, b, sizeof(a));
}

/* Reads of a clock that advances by step, least ticks and up to spread apart. */
static u32 step_seen(double step, double least, double spread, u32 count, u32 interrupts)
{
	u64 *apart = calloc(count, sizeof(*apart)), random = 42, at = 1000;
	u32 result;

	assert_non_null(apart);
	for (u32 i = 0; i < count; i++) {
		double start = at, end;

		end = start + least + spread * (calc_random(&random) >> 40) / (1 << 24);
		if (i < interrupts)
			end += 20000 + calc_random(&random) % 5000;
		apart[i] = (u64)(floor(end / step) * step) - (u64)(floor(start / step) * step);
		at += 1000 + calc_random(&random) % 1000;
	}
	qsort(apart, count, sizeof(*apart), compare);
	result = calc_step_cticks(apart, count);
	free(apart);
	return result;
}

static void test_step(void **state)
{
	const u64 same[] = { 26, 26, 26, 26, 26, 26, 26, 26 }, none[8] = { 0 };

	(void)state;
	/* A counter that advances each tick, and each second one. */
	assert_int_equal(step_seen(1, 40, 40, 1024, 20), 100);
	assert_int_equal(step_seen(2, 40, 40, 1024, 20), 200);
	/* Steps that are no whole number of ticks: AMD Zen at 2445 MHz, in steps of 10 ns. */
	assert_in_range(step_seen(24.45, 49, 40, 1024, 20), 2440, 2450);
	assert_in_range(step_seen(26, 49, 40, 1024, 0), 2600, 2600);
	assert_in_range(step_seen(25.96, 49, 40, 1024, 60), 2591, 2601);
	/* A counter slower than the reads. */
	assert_in_range(step_seen(40, 1, 60, 1024, 5), 4000, 4000);
	assert_int_equal(calc_step_cticks(same, 8), 2600);
	assert_int_equal(calc_step_cticks(none, 8), 100);
}

/* The SD that the rule promises, with every sample's operations in bounds. */
static void test_regions(void **state)
{
	static const u32 khz[] = { 25000, 1000000, 2600000, 5000000 },
			 steps[] = { 100, 2445, 4000 };

	(void)state;
	for (size_t k = 0; k < 4; k++)
		for (size_t s = 0; s < 3; s++)
			for (u32 ops = 1; ops <= SHEAFBENCH_MAX_N; ops++) {
				const u32 regions = calc_regions(steps[s], khz[k], ops);
				const double step = steps[s] / 100.0,
					     limit = fmin(0.1, khz[k] * 1e-7);
				const double sd =
					step * sqrt(regions / 6.0) / ((double)regions * ops);

				assert_in_range((u64)regions * ops, 1000, SHEAFBENCH_MAX_OPS);
				/* The bound on operations comes first. */
				assert_true(sd <= limit * 1.001 ||
					    (u64)(regions + 1) * ops > SHEAFBENCH_MAX_OPS);
			}
	/* No more than is needed: 24.45 ticks, 1 operation: (24.45 / 0.1)^2 / 6 = 9963. */
	assert_in_range(calc_regions(2445, 2600000, 1), 9963, 10100);
	assert_int_equal(calc_regions(2445, 2600000, 1000), 1);
	assert_int_equal(calc_regions(100, 0, SHEAFBENCH_MAX_N),
			 SHEAFBENCH_MAX_OPS / SHEAFBENCH_MAX_N);
}

static void test_p05(void **state)
{
	u64 values[101];

	(void)state;
	for (u64 i = 0; i < 101; i++)
		values[i] = i * 10;
	assert_int_equal(calc_p05_centi(values, 101), 5000);
	assert_int_equal(calc_p05_centi(values, 1), 0);
	/* 0.05 of the way from 0 to 10; 1.55 places on. */
	assert_int_equal(calc_p05_centi(values, 2), 50);
	assert_int_equal(calc_p05_centi(values, 32), 1550);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_shuffle_is_even),
		cmocka_unit_test(test_shuffle_depends_on_seed_only),
		cmocka_unit_test(test_step),
		cmocka_unit_test(test_regions),
		cmocka_unit_test(test_p05),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
