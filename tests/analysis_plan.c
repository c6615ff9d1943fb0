// SPDX-License-Identifier: GPL-2.0
/* Pads and the order of boots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plan.h"

static char *scratch; /* a file of our own */

static void file_put(const char *text)
{
	FILE *f = fopen(scratch, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static const char five[] = "# variant\trole\torder\tlayouts\ttitle\tcmdline\tbuild\n"
			   "qpw-on\tchange\t40\tsame\tspinlock\tqpw=1\tqpw\n"
			   "base\tbaseline\t10\tsame\tunpatched\t\tb0\n"
			   "null\tnull\t15\tother\tagain\t\tb0\n"
			   "qpw-off\tchange\t30\tsame\toff\tqpw=0\tqpw\n"
			   "slow\tchange\t50\tsame\tno sheaves\t\t\n";

static void variants_get(struct variants *vs)
{
	struct fault f;

	file_put(five);
	assert_int_equal(variants_read(vs, scratch, &f), 0);
}

static void test_variants(void **state)
{
	struct variants vs;

	(void)state;
	variants_get(&vs);
	assert_int_equal(vs.n, 5);
	assert_string_equal(vs.v[0].name, "base");
	assert_string_equal(vs.v[4].name, "slow");
	assert_string_equal(vs.v[2].build, "qpw");
	assert_string_equal(vs.v[2].cmdline, "qpw=0");
	assert_string_equal(vs.v[4].build, "slow"); /* an empty column */
	assert_true(vs.v[1].other && !vs.v[0].other);
	assert_int_equal(variants_baseline(&vs), 0);
	assert_int_equal(variants_find(&vs, "null"), 1);
	assert_int_equal(variants_find(&vs, "nul"), -1);
	variants_free(&vs);
}

/* Each bad line is named by file and line, and nothing is left allocated. */
static void test_variants_bad(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "# nothing\n", "no variant" },
		{ "a\tbaseline\t1\tsame\tt\n", ":1: 5 columns" },
		{ "a\tbaseline\t1\tsame\tt\tc\na\tchange\t1\tsame\tt\tc\n",
		  ":2: variant a stands here twice" },
		{ "a\tbaseline\t1\tsame\tt\tc\nb\tbaseline\t1\tsame\tt\tc\n",
		  ":2: a second baseline" },
		{ "a\tking\t1\tsame\tt\tc\n", ":1: role 'king'" },
		{ "a\tchange\tx\tsame\tt\tc\n", ":1: order 'x'" },
		{ "a\tchange\t1\tmine\tt\tc\n", ":1: layouts 'mine'" },
		{ "../a\tchange\t1\tsame\tt\tc\n", "is no variant name" },
		{ "a\tchange\t1\tsame\tt\tc", ":1: the file is cut short" },
	};
	struct variants vs;
	struct fault f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		file_put(bad[i].text);
		assert_int_equal(variants_read(&vs, scratch, &f), -1);
		if (!strstr(f.text, bad[i].says))
			fail_msg("'%s' does not say '%s'", f.text, bad[i].says);
	}
	assert_int_equal(variants_read(&vs, "/nonexistent/v", &f), -1);
	assert_non_null(strstr(f.text, "/nonexistent/v"));
}

/* Largest gap between neighbours on the circle of 64 lines. */
static int widest_gap(const unsigned int *pad, int n)
{
	int gap = 0;

	for (int i = 0; i < n; i++) {
		int best = 64;

		for (int j = 0; j < n; j++) {
			int ahead = (int)((pad[j] - 16) / 64) - (int)((pad[i] - 16) / 64);

			if (j != i && (ahead + 64) % 64 < best)
				best = (ahead + 64) % 64;
		}
		if (best > gap)
			gap = best;
	}
	return gap;
}

static void test_pads(void **state)
{
	unsigned int same[PADS], other[PADS], again[PADS];

	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		int seen[2][PADS] = { 0 };

		plan_pads(seed, false, same);
		plan_pads(seed, true, other);
		for (int k = 0; k < PADS; k++) {
			for (int side = 0; side < 2; side++) {
				unsigned int pad = side ? other[k] : same[k];

				assert_true(pad >= 16 && pad <= 4096 && pad % 16 == 0);
				assert_int_equal(seen[side][pad / 16 - 1]++, 0);
			}
			assert_int_equal(same[k] % 64, other[k] % 64);
			/* All four phases in each four in a row. */
			if (k % 4 == 3)
				for (int side = 0; side < 2; side++) {
					const unsigned int *p = side ? other : same;
					int phases = 0;

					for (int i = k - 3; i <= k; i++)
						phases |= 1 << p[i] / 16 % 4;
					assert_int_equal(phases, 15);
				}
		}
		for (int i = 0; i < PADS / 2; i++)
			for (int j = 0; j < PADS / 2; j++)
				assert_true(same[i] != other[j]);
		/*
		 * A golden-ratio sequence leaves gaps of at most 1/n * 1.618^2 of the page; one
		 * line for rounding, one for a collision.
		 */
		assert_in_range(widest_gap(same, 8), 8, 64 / 8 * 2.62 + 2);
		assert_in_range(widest_gap(same, 16), 4, 64 / 16 * 2.62 + 2);
		assert_in_range(widest_gap(same, 32), 2, 64 / 32 * 2.62 + 2);
		assert_in_range(widest_gap(other, 8), 8, 64 / 8 * 2.62 + 4);
	}
	plan_pads(199, true, again);
	assert_memory_equal(other, again, sizeof(other));
	plan_pads(198, true, again);
	assert_memory_not_equal(other, again, sizeof(other));
}

static void test_plan(void **state)
{
	const int layouts = 8, boots = 2;
	unsigned int pad_of[5][8];
	struct plan p, q;
	struct variants vs;
	int moved = 0;

	(void)state;
	variants_get(&vs);
	plan_make(&p, &vs, 42, layouts, boots);
	assert_int_equal(p.n, 5 * layouts * boots);
	/*
	 * Each round holds each variant once, all of one layout and boot; each (layout, boot) is
	 * one round.
	 */
	int rounds[8][2] = { 0 };

	for (int r = 0; r < layouts * boots; r++) {
		const struct plan_row *row = &p.row[r * 5];
		int seen = 0;

		for (int i = 0; i < 5; i++) {
			assert_int_equal(row[i].layout, row->layout);
			assert_int_equal(row[i].boot, row->boot);
			seen |= 1 << row[i].variant;
			pad_of[row[i].variant][row[i].layout] = row[i].pad;
			assert_string_equal(row[i].build, vs.v[row[i].variant].build);
			moved += row[i].variant != i;
		}
		assert_int_equal(seen, 31);
		assert_int_equal(rounds[row->layout][row->boot]++, 0);
		moved += row->layout != r / boots;
	}
	assert_true(moved > 40);
	for (int k = 0; k < layouts; k++) {
		for (int v = 2; v < 5; v++)
			assert_int_equal(pad_of[v][k], pad_of[0][k]);
		for (int j = 0; j < layouts; j++)
			assert_int_not_equal(pad_of[1][k], pad_of[0][j]);
	}
	/*
	 * More layouts and boots keep the pads; the same seed gives the same plan, another one
	 * another.
	 */
	plan_make(&q, &vs, 42, 32, 1);
	for (int i = 0; i < q.n; i++)
		if (q.row[i].layout < layouts)
			assert_int_equal(q.row[i].pad, pad_of[q.row[i].variant][q.row[i].layout]);
	plan_free(&q);
	plan_make(&q, &vs, 42, layouts, boots);
	moved = 0;
	for (int i = 0; i < q.n; i++)
		moved += q.row[i].variant != p.row[i].variant || q.row[i].pad != p.row[i].pad;
	assert_int_equal(moved, 0);
	plan_free(&q);
	plan_make(&q, &vs, 43, layouts, boots);
	for (int i = 0; i < q.n; i++)
		moved += q.row[i].variant != p.row[i].variant;
	assert_true(moved > 20);
	plan_free(&q);
	plan_free(&p);
	variants_free(&vs);
}

/*
 * Each variant comes first in a round about as often as any other: chi square on 4 df over 256
 * rounds.
 */
static void test_order_even(void **state)
{
	int first[5] = { 0 }, last[5] = { 0 };
	double chi[2] = { 0 };
	struct variants vs;
	struct plan p;

	(void)state;
	variants_get(&vs);
	plan_make(&p, &vs, 7, 256, 1);
	for (int r = 0; r < 256; r++) {
		first[p.row[r * 5].variant]++;
		last[p.row[r * 5 + 4].variant]++;
	}
	for (int v = 0; v < 5; v++) {
		chi[0] += pow(first[v] - 51.2, 2) / 51.2;
		chi[1] += pow(last[v] - 51.2, 2) / 51.2;
	}
	assert_true(chi[0] < 18.47 && chi[1] < 18.47); /* 0.1 % point */
	plan_free(&p);
	variants_free(&vs);
}

static void test_round_trip(void **state)
{
	char *path = xasprintf("%s.plan", scratch), line[256];
	struct variants vs;
	struct plan p, q;
	struct fault f;
	FILE *in;

	(void)state;
	variants_get(&vs);
	plan_make(&p, &vs, 18446744073709551615u, 3, 2);
	assert_int_equal(plan_write(&p, &vs, 18446744073709551615u, path, &f), 0);
	in = fopen(path, "r");
	assert_non_null(fgets(line, sizeof(line), in));
	assert_string_equal(line, "# seed 18446744073709551615 rng mt19937 layouts 3 boots 2\n");
	fclose(in);
	assert_int_equal(plan_read(&q, &vs, path, &f), 0);
	assert_int_equal(q.n, p.n);
	assert_int_equal(q.layouts, 3);
	assert_int_equal(q.boots, 2);
	for (int i = 0; i < p.n; i++) {
		assert_int_equal(q.row[i].variant, p.row[i].variant);
		assert_int_equal(q.row[i].layout, p.row[i].layout);
		assert_int_equal(q.row[i].boot, p.row[i].boot);
		assert_int_equal(q.row[i].pad, p.row[i].pad);
		assert_string_equal(q.row[i].build, p.row[i].build);
	}
	plan_free(&q);
	assert_int_equal(plan_write(&p, &vs, 1, "/nonexistent/plan.tsv", &f), -1);
	plan_free(&p);
	variants_free(&vs);
	unlink(path);
	free(path);
}

static void test_plan_bad(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "# empty\n", "no boot in it" },
		{ "0\tbase\t0\t0\t16\n", ":1: not the six columns" },
		{ "1\tbase\t0\t0\t16\tb0\n", ":1: index '1' where 0 was due" },
		{ "0\tbas\t0\t0\t16\tb0\n", ":1: variant bas is not in" },
		{ "0\tbase\t-1\t0\t16\tb0\n", ":1: layout, boot or pad" },
		{ "0\tbase\t0\t0\t16\tb0\n1\tbase\t0\t0\t16\tb0\n",
		  ":2: the same boot as index 0" },
	};
	struct variants vs;
	struct plan p;
	struct fault f;

	(void)state;
	variants_get(&vs);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		file_put(bad[i].text);
		assert_int_equal(plan_read(&p, &vs, scratch, &f), -1);
		if (!strstr(f.text, bad[i].says))
			fail_msg("'%s' does not say '%s'", f.text, bad[i].says);
	}
	variants_free(&vs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_variants),   cmocka_unit_test(test_variants_bad),
		cmocka_unit_test(test_pads),	   cmocka_unit_test(test_plan),
		cmocka_unit_test(test_order_even), cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_plan_bad),
	};
	char name[] = "/tmp/analysis-plan-XXXXXX";
	int fd = mkstemp(name), ret;

	if (fd < 0)
		return 1;
	close(fd);
	scratch = name;
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(name);
	return ret;
}
