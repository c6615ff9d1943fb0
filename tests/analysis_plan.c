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

static const char six[] =
	"# variant\trole\torder\tlayouts\ttitle\tcmdline\tbuild\tdose\tworkloads\targs\n"
	"qpw-on\tchange\t40\tsame\tspinlock\tqpw=1\tqpw\t\t\t\n"
	"base\tbaseline\t10\tsame\tunpatched\t\tb0\t\t\t\n"
	"null\tnull\t15\tother\tagain\t\tb0\t\t\t\n"
	"qpw-off\tchange\t30\tsame\toff\tqpw=0\tqpw\t\t\t\n"
	"slow\tchange\t50\tsame\tno sheaves\t\t\t\t^pair\t-a -b=1\n"
	"dose-0\tdose\t60\tsame\tknown\t\td0\t0\t\t\n";

#define VARIANTS 6
#define STOCK	 4 /* of them with a stock layout */

static void variants_get(struct variants *vs)
{
	struct fault f;

	file_put(six);
	assert_int_equal(variants_read(vs, scratch, &f), 0);
}

static void test_variants(void **state)
{
	struct variants vs;

	(void)state;
	variants_get(&vs);
	assert_int_equal(vs.n, VARIANTS);
	assert_string_equal(vs.v[0].name, "base");
	assert_string_equal(vs.v[4].name, "slow");
	assert_string_equal(vs.v[2].build, "qpw");
	assert_string_equal(vs.v[2].cmdline, "qpw=0");
	assert_string_equal(vs.v[4].build, "slow"); /* an empty column */
	assert_string_equal(vs.v[4].workloads, "^pair");
	assert_string_equal(vs.v[4].args, "-a -b=1");
	assert_string_equal(vs.v[0].args, "");
	assert_true(isnan(vs.v[0].dose) && vs.v[5].dose == 0.0);
	assert_true(vs.v[1].other && !vs.v[0].other);
	assert_int_equal(variants_baseline(&vs), 0);
	assert_int_equal(variants_find(&vs, "null"), 1);
	assert_int_equal(variants_find(&vs, "nul"), -1);
	assert_int_equal(variants_role(&vs, ROLE_NULL), 1);
	assert_int_equal(variants_role(&vs, ROLE_CHECK), -1);
	variants_free(&vs);
}

/* Each bad line is named by file and line, and nothing is left allocated. */
static void test_variants_bad(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "# nothing\n", "no variant" },
		{ "a\tbaseline\t1\tsame\tt\tc\tb\n", ":1: 7 columns, not the 10" },
		{ "a\tbaseline\t1\tsame\tt\tc\tb\t\t\t\t\n", ":1: 11 columns, not the 10" },
		{ "a\tbaseline\t1\tsame\tt\tc\tb\t\t\t\na\tchange\t1\tsame\tt\tc\tb\t\t\t\n",
		  ":2: variant a stands here twice" },
		{ "a\tbaseline\t1\tsame\tt\tc\tb\t\t\t\nb\tbaseline\t1\tsame\tt\tc\tb\t\t\t\n",
		  ":2: a second baseline" },
		{ "a\tking\t1\tsame\tt\tc\tb\t\t\t\n", ":1: role 'king'" },
		{ "a\tchange\tx\tsame\tt\tc\tb\t\t\t\n", ":1: order 'x'" },
		{ "a\tchange\t1\tmine\tt\tc\tb\t\t\t\n", ":1: layouts 'mine'" },
		{ "../a\tchange\t1\tsame\tt\tc\tb\t\t\t\n", "is no variant name" },
		{ "a\tchange\t1\tsame\tt\tc\tb\t4\t\t\n", ":1: a has a dose, '4', but not" },
		{ "a\tdose\t1\tsame\tt\tc\tb\t\t\t\n", ":1: dose '' is not" },
		{ "a\tdose\t1\tsame\tt\tc\tb\t-1\t\t\n", ":1: dose '-1' is not" },
		{ "a\tdose\t1\tsame\tt\tc\tb\tnan\t\t\n", ":1: dose 'nan' is not" },
		{ "a\tdose\t1\tsame\tt\tc\tb\t0x4\t\t\n", ":1: dose '0x4' is not" },
		{ "a\tchange\t1e300\tsame\tt\tc\tb\t\t\t\n", ":1: order '1e300' is not" },
		{ "a\tchange\t1\tsame\tt\tc\t../b\t\t\t\n", ":1: '../b' is no name" },
		{ "a\tchange\t1\tsame\tt\r\tc\tb\t\t\t\n", ":1: a byte in it is not UTF-8, or a" },
		{ "a\tchange\t1\tsame\t\u202et\tc\tb\t\t\t\n",
		  ":1: a byte in it is not UTF-8, or" },
		{ "a\tdose\t1\tsame\tt\tc\tb\t4\t\t\n", ": a needs a variant" },
		{ "a\tdose\t1\tsame\tt\tc\tb\t0\t\t\nb\tdose\t1\tsame\tt\tc\tb\t0.0\t\t\n",
		  ":2: b has the dose of a again" },
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

/* Where the boot of @variant, @layout and @boot stands in @p, or -1. */
static int place(const struct plan *p, int variant, int layout, int boot)
{
	for (int i = 0; i < p->n; i++)
		if (p->row[i].variant == variant && p->row[i].layout == layout &&
		    p->row[i].boot == boot)
			return i;
	return -1;
}

static void test_plan(void **state)
{
	const int layouts = 8, boots = 2;
	unsigned int pad[2][PADS];
	int rounds[9][2] = { 0 }, i = 0, moved = 0;
	struct variants vs;
	struct plan p, q;

	(void)state;
	variants_get(&vs);
	plan_make(&p, &vs, 42, layouts, boots);
	plan_pads(42, false, pad[0]);
	plan_pads(42, true, pad[1]);
	assert_int_equal(p.n, (VARIANTS * layouts + STOCK) * boots);
	assert_int_equal(p.layouts, layouts + 1);
	/*
	 * Each round holds each variant once, all of one layout and boot; each (layout, boot) is
	 * one round.
	 */
	for (int r = 0; i < p.n; r++) {
		const struct plan_row *row = &p.row[i];
		int seen = 0, n = row->layout ? VARIANTS : STOCK;

		for (int k = 0; k < n; k++, i++) {
			int v = p.row[i].variant;
			bool other = v == 1;

			assert_int_equal(p.row[i].layout, row->layout);
			assert_int_equal(p.row[i].boot, row->boot);
			assert_int_equal(p.row[i].data, row->data);
			assert_int_equal(p.row[i].pad,
					 row->layout ? pad[other][row->layout - 1] : 0);
			assert_string_equal(p.row[i].build, vs.v[v].build);
			seen |= 1 << v;
			moved += v != k;
		}
		/* base, qpw-off, qpw-on and slow have a stock layout; null and dose-0 none. */
		assert_int_equal(seen, row->layout ? 63 : 1 + 4 + 8 + 16);
		assert_int_equal(rounds[row->layout][row->boot]++, 0);
		assert_true(row->layout ? row->data > 0 && row->data <= INT32_MAX : row->data == 0);
		moved += row->layout != r / boots;
	}
	assert_true(moved > 40);
	/* The data seeds of layouts and boots all differ. */
	for (int a = 0; a < p.n; a++)
		for (int b = 0; b < a; b++)
			if (p.row[a].layout &&
			    (p.row[a].layout != p.row[b].layout || p.row[a].boot != p.row[b].boot))
				assert_true(p.row[a].data != p.row[b].data);
	/* The same seed gives the same plan, another one another. */
	plan_make(&q, &vs, 42, layouts, boots);
	for (moved = i = 0; i < q.n; i++)
		moved += q.row[i].variant != p.row[i].variant || q.row[i].pad != p.row[i].pad ||
			 q.row[i].data != p.row[i].data;
	assert_int_equal(moved, 0);
	plan_free(&q);
	plan_make(&q, &vs, 43, layouts, boots);
	for (i = 0; i < q.n; i++)
		moved += q.row[i].variant != p.row[i].variant;
	assert_true(moved > 20);
	i = place(&q, p.row[0].variant, p.row[0].layout, p.row[0].boot);
	assert_true(!p.row[0].layout || q.row[i].data != p.row[0].data);
	plan_free(&q);
	plan_free(&p);
	variants_free(&vs);
}

static void test_extend(void **state)
{
	static const int steps[][2] = { { 8, 1 }, { 12, 1 }, { 16, 2 } }; /* layouts, boots */
	struct plan p, fresh, old = { 0 };
	struct variants vs;
	struct fault f = { "" };
	int moved = 0;

	(void)state;
	variants_get(&vs);
	for (size_t s = 0; s < ARRAY_SIZE(steps); s++) {
		plan_make(&p, &vs, 5, steps[s][0], steps[s][1]);
		plan_make(&fresh, &vs, 5, steps[s][0], steps[s][1]);
		assert_int_equal(plan_extend(&p, &old, &vs, &f), 0);
		assert_int_equal(p.n, fresh.n);
		for (int i = 0; i < old.n; i++) {
			assert_int_equal(p.row[i].variant, old.row[i].variant);
			assert_int_equal(p.row[i].layout, old.row[i].layout);
			assert_int_equal(p.row[i].boot, old.row[i].boot);
		}
		/* The set is that of a fresh plan: as many, and each of them there. */
		for (int i = 0; i < fresh.n; i++) {
			const struct plan_row *a = &fresh.row[i], *b;
			int at = place(&p, a->variant, a->layout, a->boot);

			assert_true(at >= 0);
			b = &p.row[at];
			assert_int_equal(a->pad, b->pad);
			assert_int_equal(a->data, b->data);
			assert_string_equal(a->build, b->build);
		}
		/* What is new comes in mixed order. */
		for (int i = old.n + 1; i < p.n; i++)
			moved += p.row[i].layout < p.row[i - 1].layout;
		plan_free(&fresh);
		plan_free(&old);
		old = p;
	}
	assert_true(moved > 10);
	/* Nothing to add is no error; a shorter plan, another seed and other builds are. */
	plan_make(&p, &vs, 5, 16, 2);
	assert_int_equal(plan_extend(&p, &old, &vs, &f), 0);
	for (int i = 0; i < p.n; i++)
		assert_true(p.row[i].variant == old.row[i].variant &&
			    p.row[i].layout == old.row[i].layout);
	plan_free(&p);
	plan_make(&p, &vs, 5, 12, 2);
	assert_int_equal(plan_extend(&p, &old, &vs, &f), -1);
	assert_non_null(strstr(f.text, "is in the old plan and not in the longer one"));
	plan_free(&p);
	plan_make(&p, &vs, 6, 20, 2);
	assert_int_equal(plan_extend(&p, &old, &vs, &f), -1);
	assert_non_null(strstr(f.text, "another pad, data or build"));
	plan_free(&p);
	free(vs.v[0].build);
	vs.v[0].build = xstrdup("b1");
	plan_make(&p, &vs, 5, 20, 2);
	assert_int_equal(plan_extend(&p, &old, &vs, &f), -1);
	assert_non_null(strstr(f.text, "another pad, data or build"));
	plan_free(&p);
	plan_free(&old);
	variants_free(&vs);
}

/*
 * Each variant comes first in a round about as often as any other, and so last: chi square on
 * 5 df over 256 rounds.
 */
static void test_order_even(void **state)
{
	int first[VARIANTS] = { 0 }, last[VARIANTS] = { 0 };
	const double due = 256.0 / VARIANTS;
	double chi[2] = { 0 };
	struct variants vs;
	struct plan p;

	(void)state;
	variants_get(&vs);
	plan_make(&p, &vs, 7, PROOF_LAYOUTS, 256 / PROOF_LAYOUTS);
	for (int i = 0; i < p.n; i += p.row[i].layout ? VARIANTS : STOCK)
		if (p.row[i].layout) {
			first[p.row[i].variant]++;
			last[p.row[i + VARIANTS - 1].variant]++;
		}
	for (int v = 0; v < VARIANTS; v++) {
		chi[0] += pow(first[v] - due, 2) / due;
		chi[1] += pow(last[v] - due, 2) / due;
	}
	assert_true(chi[0] < 20.52 && chi[1] < 20.52); /* 0.1 % point */
	plan_free(&p);
	variants_free(&vs);
}

/* Doses and checks end where they have proved enough; the others go on. */
static void test_proof_layouts(void **state)
{
	int most[VARIANTS] = { 0 };
	struct variants vs;
	struct plan p;

	(void)state;
	variants_get(&vs);
	plan_make(&p, &vs, 7, PROOF_LAYOUTS + 8, 1);
	for (int i = 0; i < p.n; i++)
		if (p.row[i].layout > most[p.row[i].variant])
			most[p.row[i].variant] = p.row[i].layout;
	for (int v = 0; v < VARIANTS; v++) {
		bool proof = vs.v[v].role == ROLE_DOSE || vs.v[v].role == ROLE_CHECK;

		assert_int_equal(most[v], proof ? PROOF_LAYOUTS : PROOF_LAYOUTS + 8);
	}
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
	assert_int_equal(q.layouts, 4);
	assert_int_equal(q.boots, 2);
	for (int i = 0; i < p.n; i++) {
		assert_int_equal(q.row[i].variant, p.row[i].variant);
		assert_int_equal(q.row[i].layout, p.row[i].layout);
		assert_int_equal(q.row[i].boot, p.row[i].boot);
		assert_int_equal(q.row[i].pad, p.row[i].pad);
		assert_int_equal(q.row[i].data, p.row[i].data);
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
		{ "0\tbase\t0\t0\t16\tb0\n", ":1: 6 columns, not the 7" },
		{ "1\tbase\t0\t0\t16\tb0\t1\n", ":1: index '1' where 0 was due" },
		{ "0\tbas\t0\t0\t16\tb0\t1\n", ":1: variant bas is not in" },
		{ "0\tbase\t-1\t0\t16\tb0\t1\n",
		  ":1: layout '-1' is not a whole number from 0 to 256 (0" },
		{ "0\tbase\t1\t0\t16\tb0\t2147483648\n", ":1: data '2147483648' is not" },
		{ "0\tbase\t9999\t0\t16\tb0\t1\n", ":1: layout '9999' is not" },
		{ "0\tbase\t0\t102\t16\tb0\t1\n", ":1: boot '102' is not" },
		{ "0\tbase\t0\t0\t4097\tb0\t1\n", ":1: pad '4097' is not" },
		{ "0\tbase\t0\t0\t16\t../b0\t1\n", ":1: '../b0' is no name" },
		{ "0\tbase\t256\t99\t16\tb0\t1\n", ": layout 256 and boot 99, but 1 lines" },
		{ "0\tbase\t0\t0\t16\tb0\t1\n1\tbase\t0\t0\t16\tb0\t1\n",
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
		cmocka_unit_test(test_variants),      cmocka_unit_test(test_variants_bad),
		cmocka_unit_test(test_pads),	      cmocka_unit_test(test_plan),
		cmocka_unit_test(test_extend),	      cmocka_unit_test(test_order_even),
		cmocka_unit_test(test_proof_layouts), cmocka_unit_test(test_round_trip),
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
