// SPDX-License-Identifier: GPL-2.0
/*
 * sheafstat as a command, on simulated result folders (make_result) and on a small one whose
 * numbers are done by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "certify.h"
#include "summary.h"

static char scratch[] = "/tmp/analysis-result-XXXXXX";
static char output[1 << 20], errors[1 << 16]; /* of the last command */

#define near(a, b, eps)                                                                      \
	do {                                                                                 \
		double a_ = (a), b_ = (b);                                                   \
		if (!(fabs(a_ - b_) <= (eps)))                                               \
			fail_msg("%s is %.10g, not %.10g +- %g", #a, a_, b_, (double)(eps)); \
	} while (0)

static void slurp(const char *name, char *text, size_t size)
{
	FILE *f = fopen(name, "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, size - 1, f);
	text[n] = '\0';
	fclose(f);
}

/*
 * Runs a shell command in the scratch folder; $M and $S are make_result and sheafstat. Returns its
 * exit status.
 */
static int sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int sh(const char *fmt, ...)
{
	char line[4096], all[8192];
	va_list ap;
	int status;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	/* show: all pages, in one line */
	snprintf(all, sizeof(all),
		 "M='%s' S='%s' R='%s'; "
		 "show() { $R show $1 --page all >shown && tr -s '\\n ' ' ' <shown; }; "
		 "{ %s\n} >out 2>err",
		 MAKE_RESULT, SHEAFSTAT, SHEAFREPORT, line);
	status = system(all);
	assert_true(WIFEXITED(status));
	slurp("out", output, sizeof(output));
	slurp("err", errors, sizeof(errors));
	return WEXITSTATUS(status);
}

/* The command exits with @status and one line of error that holds @says. */
static void refused(int status, const char *command, const char *says)
{
	int got = sh("%s", command);

	if (got != status)
		fail_msg("`%s` exits with %d: %s", command, got, errors);
	if (!strchr(errors, '\n') || strchr(errors, '\n')[1])
		fail_msg("`%s` does not print one line: %s", command, errors);
	if (!strstr(errors, says))
		fail_msg("`%s` does not say '%s': %s", command, says, errors);
}

static json_t *summary(const char *dir)
{
	struct fault f = { "" };
	json_t *j = summary_read(dir, &f);

	if (!j)
		fail_msg("%s", f.text);
	return j;
}

static const json_t *record(const json_t *j, const char *list, const char *workload,
			    const char *variant)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(j, list), i, one) {
		if (!strcmp(json_text(one, "variant"), variant) &&
		    !strcmp(json_text(one, "workload"), workload))
			return one;
	}
	return NULL;
}

static const json_t *variant(const json_t *j, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(j, "variants"), i, one) {
		if (!strcmp(json_text(one, "name"), name))
			return one;
	}
	fail_msg("no variant %s", name);
	return NULL;
}

static bool warns(const json_t *effect, const char *text)
{
	const json_t *w;
	size_t i;

	json_array_foreach(json_object_get(effect, "warnings"), i, w) {
		if (strstr(json_string_value(w), text))
			return true;
	}
	return false;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

#define TAIL "\t\t\t\t\t\n" /* cmdline, build, dose, workloads, args of variants.tsv */

/*
 * Two variants, two layouts and the stock one, two boots of one of them. With --location mean, ops 10
 * and overhead 50: a 1: 10 and 12 (mean 11), a 2: 14; b 1: 15, b 2: 20. Differences 4 and 6. Stock:
 * 95 and 90.
 */
static void by_hand(void)
{
	static const struct {
		const char *stem, *samples;
	} boots[] = {
		{ "b.l02.b00", "250 250" },	{ "a.l01.b01", "160 170 180" },
		{ "a.l01.b00", "140 150 160" }, { "b.l01.b00", "200" },
		{ "a.l02.b00", "190 190" },	{ "a.l00.b00", "1000 1000" },
		{ "b.l00.b00", "950 950" },
	};

	assert_int_equal(sh("rm -rf hand.part; mkdir -p hand.part/samples"), 0);
	put("hand.part/environment.json", "{ \"target\": \"uml\", \"cpu\": \"hand\" }\n");
	put("hand.part/variants.tsv", "b\tchange\t2\tsame\tB" TAIL "a\tbaseline\t1\tsame\tA" TAIL);
	put("hand.part/plan.tsv",
	    "0\tb\t2\t0\t32\tb\t5\n1\ta\t1\t1\t16\ta\t6\n2\ta\t1\t0\t16\ta\t7\n"
	    "3\tb\t1\t0\t16\tb\t7\n4\ta\t2\t0\t32\ta\t5\n5\ta\t0\t0\t0\ta\t0\n"
	    "6\tb\t0\t0\t0\tb\t0\n");
	put("hand.part/boots.tsv", "0\tb\t2\t0\tfailed\t9\tt\tpanic\n1\ta\t1\t1\tok\t9\tt\t\n"
				   "2\ta\t1\t0\tok\t9\tt\t\n3\tb\t1\t0\tok\t9\tt\t\n"
				   "4\ta\t2\t0\tok\t9\tt\t\n0\tb\t2\t0\tok\t9\tt\t\n"
				   "5\ta\t0\t0\tok\t9\tt\t\n6\tb\t0\t0\tok\t9\tt\t\n");
	for (size_t i = 0; i < ARRAY_SIZE(boots); i++) {
		char *path = xasprintf("hand.part/samples/%s.tsv", boots[i].stem);
		char *text =
			xasprintf("# sheafbench-samples 2\n# clock tsc khz 2596123 step 26.00\n"
				  "# gate 0 chain 0\n"
				  "pair/64/1\t10\t50.0\t0 0 0\t%s\t-\t-\n",
				  boots[i].samples);

		put(path, text);
		free(text);
		free(path);
	}
}

static const char *const not_measured[] = { "null", "dose", "gate", "clock", "noise" };

static void test_by_hand(void **state)
{
	const json_t *e, *v, *certificate;
	json_t *j;

	(void)state;
	by_hand();
	assert_int_equal(sh("$S summarize --location mean hand.part"), 0);
	j = summary("hand.part");
	assert_string_equal(json_text(j, "result"), "hand");
	assert_string_equal(json_text(json_object_get(j, "environment"), "cpu"), "hand");
	assert_string_equal(json_text(json_object_get(j, "estimator"), "location"), "mean");
	v = record(j, "values", "pair/64/1", "a");
	near(json_num(v, "mean"), 12.5, 1e-9);
	near(json_num(v, "stock"), 95.0, 1e-9);
	near(json_num(v, "sd_layout"), sqrt(4.5), 1e-7);
	near(json_num(v, "sd_boot"), sqrt(2.0), 1e-7);
	near(json_num(v, "layouts"), 2, 0);
	near(json_num(v, "boots"), 3, 0);
	assert_true(json_is_null(json_object_get(v, "quiet_share")));
	assert_true(json_is_null(json_object_get(v, "contended")));
	near(json_interval(v, "ci95").hi, 12.5 + 12.7062047 * 1.5, 1e-6);
	near(json_array_size(json_object_get(v, "per_layout")), 2, 0);
	v = json_array_get(json_object_get(v, "per_layout"), 1);
	near(json_num(v, "layout"), 2, 0);
	near(json_num(v, "pad"), 32, 0);
	near(json_num(v, "value"), 14, 1e-9);
	e = record(j, "effects", "pair/64/1", "b");
	assert_string_equal(json_text(e, "baseline"), "a");
	assert_string_equal(json_text(e, "target"), "uml");
	assert_string_equal(json_text(e, "metric"), "tsc_ticks_per_op");
	near(json_num(e, "baseline_value"), 12.5, 1e-9);
	near(json_num(e, "effect"), 5.0, 1e-9);
	near(json_num(e, "stock_effect"), -5.0, 1e-9);
	assert_true(json_is_null(json_object_get(e, "contended_effect")));
	near(json_interval(e, "ci95").lo, 5.0 - 12.7062047, 1e-6);
	near(json_num(e, "ratio"), sqrt(15.0 / 11.0 * 20.0 / 14.0), 1e-7);
	near(json_num(e, "p_value"), 2.0 * atan(1.0 / 5.0) / M_PI,
	     1e-8); /* t = 5 on 1 df: Cauchy */
	near(json_num(e, "p_holm"), json_num(e, "p_value"), 1e-8);
	near(json_num(e, "p_faster"), 0.0, 0);
	near(json_num(e, "layouts"), 2, 0);
	near(json_num(e, "boots"), 5, 0);
	assert_true(json_is_null(json_object_get(e, "bootstrap_ci95")));
	assert_true(warns(e, "too few for a bootstrap"));
	near(json_num(variant(j, "b"), "failed"), 0, 0); /* the last line of an index counts */
	near(json_num(variant(j, "a"), "layouts"), 2, 0);
	near(json_num(variant(j, "a"), "boots"), 3, 0);
	assert_true(json_is_null(json_object_get(variant(j, "b"), "reason")));
	certificate = json_object_get(j, "certificate");
	assert_true(json_is_false(json_object_get(certificate, "holds")));
	near(json_array_size(json_object_get(certificate, "why_not")), 2, 0);
	for (size_t i = 0; i < ARRAY_SIZE(not_measured); i++)
		assert_true(json_is_null(json_object_get(certificate, not_measured[i])));
	near(json_num(certificate, "timer_step"), 26.0, 0);
	json_decref(j);
	/* Other locations of the same samples: a.l01.b00 is 9, 10, 11; a.l01.b01 is 11, 12, 13, and no part of the least. */
	assert_int_equal(sh("$S summarize --location min -o other.json hand.part"), 0);
	j = summary("other.json");
	near(json_num(record(j, "values", "pair/64/1", "a"), "mean"), (9 + 14) / 2.0, 1e-9);
	json_decref(j);
	assert_int_equal(sh("$S summarize --location p05 hand.part"), 0);
	j = summary("hand.part");
	near(json_num(record(j, "values", "pair/64/1", "a"), "mean"), (9.1 + 14) / 2.0, 1e-9);
	json_decref(j);
}

/* A run of 40 samples of 10 operations: those with i % @of < @quiet are quiet. */
static void gate_run(FILE *f, int of, int quiet, int fast, int gate, int slow, int high, int late)
{
	static const char *const ends[] = { "\tpair/64/1\t10\t0\t1000000 100 60", "\t", "\t",
					    "\t" };

	for (int column = 0; column < 4; column++) {
		fprintf(f, "%s", ends[column] + !column);
		for (int i = 0; i < 40 && column; i++) {
			bool is = i % of < quiet;
			int chain = i % 2 ? (i < 20 ? 58 : late) : 50;

			fprintf(f, "%s%d", i ? " " : "",
				column == 1   ? 10 * (is ? fast : slow)
				: column == 2 ? (is ? gate : high)
					      : (is ? chain : 900));
		}
	}
	fputc('\n', f);
}

/*
 * Gate by hand: level 100, limit 115. Layout 1: runs of 24 quiet samples at 10 and at 12, others at
 * 20 and 24, so 11 and 22. Layout 2: of 15 quiet samples there is no value, 16 at 16 (gate 114)
 * count; the others at 30 and 40, so 35. Ten additions take 8 ticks, in the end of one run 10.
 */
static void test_gate(void **state)
{
	const json_t *v, *certificate, *gate, *clock;
	double slow;
	FILE *f;
	json_t *j;

	(void)state;
	by_hand();
	assert_int_equal(sh("rm -rf gate; mv hand.part gate; cd gate; rm samples/*; "
			    "sed -i '/\ta\t[12]\t0\t/!d' boots.tsv"),
			 0);
	for (int layout = 1; layout < 3; layout++) {
		char *path = xasprintf("gate/samples/a.l0%d.b00.tsv", layout);

		f = fopen(path, "w");
		assert_non_null(f);
		fputs("# sheafbench-samples 2\n# clock tsc khz 2596123 step 26.00\n"
		      "# gate 3072 chain 10\n",
		      f);
		gate_run(f, layout == 1 ? 5 : 8, 3, 10, 100, layout == 1 ? 20 : 30, 110, 58);
		if (layout == 1)
			gate_run(f, 5, 3, 12, 100, 24, 110, 58);
		else
			gate_run(f, 5, 2, 16, 108, 40, 200, 60);
		assert_int_equal(fclose(f), 0);
		free(path);
	}
	assert_int_equal(sh("$S summarize gate"), 0);
	j = summary("gate");
	v = record(j, "values", "pair/64/1", "a");
	/* 13.5, less what the clock of one of the runs takes off its 16; its contended samples' 35 too. */
	slow = 16 - (2 * 13.5 - 2 * json_num(v, "mean"));
	assert_true(slow < 15.9 && slow > 16 / 1.25);
	near(json_num(v, "quiet_share"), 79 / 160.0, 1e-9);
	near(json_num(json_object_get(v, "contended"), "mean"),
	     (22 + (30 + 40 * slow / 16) / 2) / 2.0, 1e-9);
	near(json_num(json_object_get(v, "contended"), "layouts"), 2, 0);
	certificate = json_object_get(j, "certificate");
	gate = json_object_get(certificate, "gate");
	near(json_num(gate, "level"), 100, 0);
	near(json_num(gate, "limit"), 109, 1e-9);
	near(json_num(gate, "adds"), 3072, 0);
	near(json_num(gate, "samples"), 160, 0);
	near(json_num(gate, "quiet_share"), 79 / 160.0, 1e-9);
	near(json_num(gate, "runs"), 4, 0);
	near(json_num(gate, "runs_without_quiet"), 1, 0);
	clock = json_object_get(certificate, "clock");
	near(json_num(json_object_get(clock, "core_per_tick"), "p50"), 1.25, 1e-9);
	near(json_num(json_object_get(clock, "core_per_tick"), "p99"), 1.25, 1e-9);
	assert_true(json_num(json_object_get(clock, "core_per_tick"), "p01") < 1.2);
	near(json_num(clock, "moved"), 1, 0);
	near(json_num(json_object_get(certificate, "noise"), "ppm"), 100, 1e-9);
	near(json_num(json_object_get(certificate, "noise"), "largest_ticks"), 60, 0);
	near(json_num(json_object_get(certificate, "warmup"), "with"), 0, 0);
	json_decref(j);
	refused(1, "sed -i 3s/3072/3000/ gate/samples/a.l02.b00.tsv; $S summarize gate",
		"a.l02.b00.tsv:3: gate 3000, but the boots before it have 3072");
}

/* A variant whose boots ran at a clock that is a tenth slower costs what it did, in ticks of the others' clock. */
static void test_clock(void **state)
{
	const json_t *e;
	double was;
	json_t *j;

	(void)state;
	assert_int_equal(
		sh("rm -rf d; $M --small --contended 0 --warmup 0 --layouts 8 --variants "
		   "'local-trylock null qpw-on' d && $S summarize d && cp d/summary.json "
		   "first.json && "
		   "for s in d/samples/qpw-on.*; do awk -F '\t' -v OFS='\t' '!/^#/ { "
		   "n = split($5, x, \" \"); split($7, c, \" \"); $3 *= 1.1; $5 = $7 = \"\"; "
		   "for (i = 1; i <= n; i++) { b = i > 1 ? \" \" : \"\"; "
		   "$5 = $5 b int(1.1 * x[i]); $7 = $7 b int(1.1 * c[i]) } } { print }' $s >x && "
		   "mv x $s || exit; done; $S summarize d"),
		0);
	j = summary("first.json");
	e = record(j, "effects", "pair/64/1", "qpw-on");
	was = json_num(e, "effect");
	json_decref(j);
	j = summary("d");
	e = record(j, "effects", "pair/64/1", "qpw-on");
	/* A tenth of 90 is 9. */
	near(json_num(e, "effect"), was, 0.7);
	json_decref(j);
}

/* What contended samples measure has no part in the quiet value, and they are apart from it. */
static void test_contended(void **state)
{
	const json_t *quiet, *other;
	json_t *j, *k;

	(void)state;
	assert_int_equal(
		sh("rm -rf d; $M --small --contended 0.3 --warmup 0 --layouts 4 --sd-layout 0 "
		   "--sd-boot 0 --variants 'local-trylock null qpw-on' d && $S summarize d && "
		   "cp d/summary.json first.json && "
		   "limit=$(jq .certificate.gate.limit d/summary.json) && "
		   "for s in d/samples/*; do awk -F '\t' -v OFS='\t' -v limit=$limit '!/^#/ { "
		   "n = split($5, x, \" \"); split($6, g, \" \"); $5 = \"\"; "
		   "for (i = 1; i <= n; i++) $5 = $5 (i > 1 ? \" \" : \"\") "
		   "(g[i] > limit ? 3 * x[i] : x[i]) } { print }' $s >x && mv x $s || exit; done; "
		   "$S summarize d"),
		0);
	j = summary("first.json");
	k = summary("d");
	quiet = json_object_get(json_object_get(j, "certificate"), "gate");
	near(json_num(quiet, "quiet_share"), 0.7, 0.05);
	near(json_num(quiet, "runs_without_quiet"), 0, 0);
	quiet = record(j, "values", "pair/64/1", "local-trylock");
	other = record(k, "values", "pair/64/1", "local-trylock");
	/* The 5 % quantile of a half-normal distribution lies 0.063 of its SD up. */
	near(json_num(quiet, "mean"), 71.2 + 0.063 * 0.25, 0.05);
	near(json_num(json_object_get(quiet, "contended"), "mean"), 71.2 * 1.45, 1.0);
	near(json_num(other, "mean"), json_num(quiet, "mean"), 0);
	assert_true(json_num(json_object_get(other, "contended"), "mean") > 290.0);
	quiet = record(j, "effects", "pair/64/1", "qpw-on");
	other = record(k, "effects", "pair/64/1", "qpw-on");
	near(json_num(other, "effect"), json_num(quiet, "effect"), 0);
	near(json_num(quiet, "contended_effect"), 13.0 * 1.45, 2.0);
	assert_true(json_num(other, "contended_effect") > 40.0);
	json_decref(k);
	json_decref(j);
	/* Of a gate that is off nothing is said. */
	assert_int_equal(sh("rm -rf d; $M --small --gate-off --contended 0 d && $S summarize d && "
			    "show d"),
			 0);
	assert_non_null(strstr(output, "- gate: n/a: the samples have no probes beside them"));
	assert_non_null(strstr(output, "- clock: n/a: the samples have no chains"));
	assert_non_null(strstr(output, "no effect in it is called real"));
}

/* A dose comes out as what it is, a false one is found out, and the certificate says so. */
static void test_certificate(void **state)
{
	static const struct {
		const char *options;
		double slope;
		bool null, dose, holds;
		const char *why;
	} cases[] = {
		{ "", 1.0, true, true, true, NULL },
		{ "--dose-slope 0.8", 0.8, true, false, false, "misses 0.90 to 1.10" },
		{ "--dose-slope 1.15", 1.15, true, false, false, "misses 0.90 to 1.10" },
		{ "--dose-slope 0.9", 0.9, true, false, false, "too imprecise to be within" },
		{ "--null-shift 2", 1.0, false, true, false,
		  "the baseline differs from itself in every workload" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const json_t *certificate, *dose, *why, *e;
		struct interval ci;
		json_t *j;

		assert_int_equal(sh("rm -rf d; $M --small --sd-layout 0.1 --sd-boot 0.05 %s d && "
				    "$S summarize d && show d",
				    cases[i].options),
				 0);
		assert_true(!strstr(output, "the instrument is not proven") == cases[i].holds);
		assert_true(!strstr(output, " slower ") == !cases[i].holds);
		j = summary("d");
		certificate = json_object_get(j, "certificate");
		dose = json_object_get(certificate, "dose");
		ci = json_interval(dose, "ci95");
		near(json_num(dose, "slope"), cases[i].slope, 0.04);
		assert_true(ci.lo <= cases[i].slope && cases[i].slope <= ci.hi);
		assert_string_equal(json_text(dose, "workload"), "pair/64/1");
		assert_string_equal(json_text(dose, "reference"), "dose-0");
		near(json_array_size(json_object_get(dose, "points")), 4, 0);
		near(json_num(json_array_get(json_object_get(dose, "points"), 3), "effect"),
		     8 * cases[i].slope, 0.3);
		assert_true(json_is_true(json_object_get(dose, "holds")) == cases[i].dose);
		assert_true(json_is_true(json_object_get(json_object_get(certificate, "null"),
							 "holds")) == cases[i].null);
		assert_true(json_is_true(json_object_get(certificate, "holds")) == cases[i].holds);
		why = json_object_get(certificate, "why_not");
		near(json_array_size(why), !cases[i].holds, 0);
		if (cases[i].why)
			assert_non_null(
				strstr(json_string_value(json_array_get(why, 0)), cases[i].why));
		e = record(j, "effects", "alloc/64/1", "dose-4");
		assert_string_equal(json_text(e, "baseline"), "dose-0");
		assert_true(json_is_null(json_object_get(e, "p_holm")));
		e = record(j, "effects", "alloc/64/1", "dose-0");
		assert_string_equal(json_text(e, "baseline"), "local-trylock");
		assert_null(record(j, "values", "free/64/1", "dose-4"));
		json_decref(j);
	}
	/* Half-widths that are too wide by far name the layouts that would do. */
	assert_int_equal(sh("rm -rf d; $M --small --sd-layout 6 --sd-boot 1 d && $S summarize d && "
			    "show d"),
			 0);
	assert_non_null(strstr(output, "to be within 0.90 to 1.10 takes some LAYOUTS="));
	assert_int_equal(atoi(strstr(output, " LAYOUTS=") + 9), 26);
}

/* What must be there, and is not, is named. */
static void test_not_certified(void **state)
{
	static const struct {
		const char *options, *why;
		bool judged;
	} cases[] = {
		{ "--layouts 2", "2 layouts are too few", false },
		{ "--layouts 1", "1 layout is too few", false },
		{ "--variants 'local-trylock null'", "no known dose was measured", true },
		{ "--gate-off --contended 0", "no known dose was measured", true },
		{ "--variants 'local-trylock dose-0 dose-8'", "was not compared with itself",
		  true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const json_t *certificate, *why;
		bool said = false;
		json_t *j;
		size_t k;

		assert_int_equal(sh("rm -rf d; $M --small --sd-layout 0.1 %s d && $S summarize d "
				    "&& show d",
				    cases[i].options),
				 0);
		j = summary("d");
		certificate = json_object_get(j, "certificate");
		assert_true(json_is_false(json_object_get(certificate, "holds")));
		json_array_foreach(json_object_get(certificate, "why_not"), k, why)
			said |= strstr(json_string_value(why), cases[i].why) != NULL;
		assert_true(said);
		if (!cases[i].judged)
			assert_true(json_is_null(
				json_object_get(json_object_get(certificate, "dose"), "holds")));
		json_decref(j);
	}
}

/* Variances that make_result was told come out, as means over its workloads and variants. */
static void test_components(void **state)
{
	double boot = 0.0, run = 0.0, layout = 0.0;
	const json_t *v;
	int n = 0;
	json_t *j;
	size_t i;

	(void)state;
	assert_int_equal(sh("rm -rf d; $M --small --layouts 12 --boots 3 --runs 3 --samples 100 "
			    "--sd-boot 0.3 --sd-run 0.2 --variants 'local-trylock qpw-n qpw-off "
			    "qpw-on slowpath' d && $S summarize --resamples 100 d"),
			 0);
	j = summary("d");
	json_array_foreach(json_object_get(j, "values"), i, v) {
		const json_t *c = json_object_get(v, "components");

		boot += json_num(c, "boot");
		run += json_num(c, "run");
		layout += json_num(c, "layout");
		n++;
	}
	print_message("components: layout %.3f, boot %.4f (0.09), run %.4f (0.04)\n", layout / n,
		      boot / n, run / n);
	near(boot / n, 0.09, 0.015);
	near(run / n, 0.04, 0.003);
	/* Phases with 0.8 of the SD 0.7 and a mean of 0, lines with 0.6 of it. */
	near(layout / n, 0.49 * (0.64 + 0.36), 0.15);
	json_decref(j);
}

static void test_warmup(void **state)
{
	const json_t *warmup;
	json_t *j;

	(void)state;
	for (int some = 0; some < 2; some++) {
		assert_int_equal(sh("rm -rf d; $M --small --warmup %d d && $S summarize d", some),
				 0);
		j = summary("d");
		warmup = json_object_get(json_object_get(j, "certificate"), "warmup");
		/* Of 1 to 12 samples those of 3 and more are seen. */
		near(json_num(warmup, "with") / json_num(warmup, "runs"), some * 10 / 12.0,
		     some ? 0.15 : 0.003);
		if (some) {
			near(json_num(warmup, "samples_p50"), 8.0, 2.0);
			near(json_num(warmup, "samples_max"), 14.0, 2.0);
		} else if (json_num(warmup, "with") == 0.0) {
			assert_true(json_is_null(json_object_get(warmup, "samples_p50")));
		}
		json_decref(j);
	}
}

static void test_estimators(void **state)
{
	struct fault f;
	json_t *all, *one, *j;
	size_t i;

	(void)state;
	assert_int_equal(sh("rm -rf d; $M --small --boots 2 --contended 0.3 d && $S summarize d && "
			    "$S estimators d"),
			 0);
	for (i = 0; i < STAT_LOCATIONS; i++)
		assert_non_null(strstr(output, stat_locations[i].name));
	assert_int_equal(sh("$S primary pair/256/1 pair/64/1 alloc/64/1 flush-shrink/64/2/user "
			    "alloc/64/32/lifo pair-spaced/64/64 excursion/64/16"),
			 0);
	assert_string_equal(output, "pair/64/1\npair-spaced/64/64\nalloc/64/32/lifo\n");
	all = estimators_make("d", &f);
	near(json_array_size(all), STAT_LOCATIONS, 0);
	json_array_foreach(all, i, one) {
		assert_string_equal(json_text(one, "name"), stat_locations[i].name);
		assert_true(json_is_true(json_object_get(one, "chosen")) == (i == 0));
		assert_true(json_num(one, "sd_boot") > 0.0);
		/* Those of all samples may see none, for what the tenant does. */
		assert_true(json_num(one, "sd_layout") > (i < 4 ? 0.005 : -1.0));
		assert_int_equal(
			sh("$S summarize --location %s -o x.json d", stat_locations[i].name), 0);
		j = summary("x.json");
		near(json_num(one, "dose_slope"),
		     json_num(json_object_get(json_object_get(j, "certificate"), "dose"), "slope"),
		     1e-9);
		near(json_num(one, "median_halfwidth"),
		     json_num(json_object_get(json_object_get(j, "certificate"), "null"),
			      "median_halfwidth"),
		     1e-9);
		json_decref(j);
	}
	/* Where a tenant comes and goes, the mean of all samples knows little. */
	assert_true(json_num(json_array_get(all, 6), "sd_boot") >
		    5.0 * json_num(json_array_get(all, 0), "sd_boot"));
	json_decref(all);
	refused(1, "$S estimators nowhere", "nowhere: No such file");
	refused(1, "sed -i s/baseline/change/ d/variants.tsv; $S estimators d",
		"no variant has the role baseline");
}

static void said(const json_t *j, const char *workload, const char *name, const char *verdict,
		 const char *why)
{
	const json_t *e = record(j, "effects", workload, name);

	if (strcmp(json_text(e, "verdict"), verdict) != 0 ||
	    strcmp(json_text(e, "no_verdict"), why) != 0)
		fail_msg("%s, %s: '%s' '%s', not '%s' '%s'", workload, name,
			 json_text(e, "verdict"), json_text(e, "no_verdict"), verdict, why);
}

static double comparisons(const json_t *j)
{
	return json_num(json_object_get(json_object_get(j, "certificate"), "null"), "comparisons");
}

/* Words have the changes on the workload of each operation that its name says stands for it; no other. */
static void test_words(void **state)
{
	const json_t *e, *family;
	json_t *j;
	double p = 1.0, holm = 1.0;
	size_t i;
	int n = 0;

	(void)state;
	assert_int_equal(
		sh("rm -rf w; $M --layouts 12 --sd-layout 0.2 --contended 0 --samples 60 w && "
		   "$S summarize --resamples 100 w"),
		0);
	j = summary("w");
	family = json_object_get(json_object_get(j, "rules"), "primary");
	near(json_array_size(family), 5, 0);
	json_array_foreach(json_object_get(j, "effects"), i, e) {
		bool is = json_is_true(json_object_get(e, "primary"));

		n += is;
		if (is) {
			p = fmin(p, json_num(e, "p_value"));
			holm = fmin(holm, json_num(e, "p_primary"));
		} else {
			assert_true(!json_object_get(e, "verdict") &&
				    !json_object_get(e, "p_primary"));
		}
		assert_true(json_interval(e, "ci90").lo > json_interval(e, "ci95").lo);
		near(json_num(e, "kept"), 1.0, 0);
	}
	near(n, 5 * 4, 0);
	near(holm / p, 20.0, 1e-9); /* of the family, no more and no fewer */
	near(json_num(json_object_get(j, "rules"), "equal"), 0.5, 0);
	said(j, "pair/64/1", "qpw-on", "slower", "");
	said(j, "pair/64/1", "qpw-n", "within", "");
	said(j, "alloc/64/32/lifo", "qpw-off", "slower", "");
	said(j, "batch-free/64/32/lifo", "slowpath", "slower", "");
	json_decref(j);
	/* The bound is what is asked for; where the code is the same that is all there is to say. */
	assert_int_equal(
		sh("printf 'qpw-n\tpair/64/1\tall\nqpw-on\tpair/64/1\tkfree kmalloc\n' "
		   ">w/same-code.tsv; $S summarize --resamples 100 --equal 0.01 w && show w"),
		0);
	assert_non_null(strstr(output, " same code "));
	j = summary("w");
	near(json_num(json_object_get(j, "rules"), "equal"), 0.01, 0);
	said(j, "pair/64/1", "qpw-n", "same code", "");
	said(j, "free/64/32/lifo", "qpw-n", "cannot tell", "");
	/* They are placebos then, and one that differs is at fault with its workload alone. */
	near(comparisons(j), 56 + 2, 0);
	said(j, "pair/64/1", "qpw-on", "same code", "");
	said(j, "pair/64/1", "slowpath", "", "the baseline differs from itself there");
	said(j, "alloc/64/32/lifo", "slowpath", "slower", "");
	json_decref(j);
	assert_int_equal(
		sh("printf 'qpw-n\t*\tall\n' >w/same-code.tsv; $S summarize --resamples 100 w"), 0);
	j = summary("w");
	near(comparisons(j), 2 * 56, 0);
	said(j, "free/64/32/lifo", "qpw-n", "same code", "");
	json_decref(j);
	/* Nor is it the same, whatever the bytes, where other instructions were executed. */
	assert_int_equal(sh("mkdir w/counts; for v in local-trylock:150 qpw-n:150 qpw-on:182; do "
			    "printf 'pair/64/1\t1\tkfree\tinstructions\t%%s\n' ${v#*:} "
			    ">w/counts/tcg.${v%%:*}.tsv; "
			    "done; printf 'qpw-n\tpair/64/1\tall\nqpw-on\tpair/64/1\tall\n' "
			    ">w/same-code.tsv; $S summarize --resamples 100 w; rm -r w/counts"),
			 0);
	j = summary("w");
	said(j, "pair/64/1", "qpw-n", "same code", "");
	said(j, "pair/64/1", "qpw-on", "slower", "");
	near(comparisons(j), 56 + 1, 0);
	json_decref(j);
	refused(1, "echo 'x\tpair/64/1\tkfree' >w/same-code.tsv; $S summarize w",
		"same-code.tsv:1: variant x is not in variants.tsv");
	refused(1, "echo 'qpw-n\tpair/64/1' >w/same-code.tsv; $S summarize w",
		"same-code.tsv:1: not variant, workload and functions");
	refused(2, "$S summarize --equal 0 w", "--equal 0 is not a number above 0");
}

/* What is lost, what is too few and what is at fault has no word, and no more than that. */
static void test_no_words(void **state)
{
	const json_t *certificate;
	json_t *j;

	(void)state;
	assert_int_equal(sh("rm -rf w; $M --small --layouts 7 --sd-layout 0.1 w && "
			    "$S summarize --resamples 100 w"),
			 0);
	j = summary("w");
	said(j, "pair/64/1", "qpw-on", "", "the certificate does not hold");
	assert_string_equal(
		json_text(json_find(json_object_get(json_object_get(j, "certificate"), "lines"),
				    "name", "null", NULL),
			  "word"),
		"too imprecise");
	json_decref(j);
	/* Beside busy siblings most runs have too few quiet samples. */
	assert_int_equal(sh("rm -rf w; $M --small --layouts 16 --contended 0.7 --samples 60 w && "
			    "$S summarize --resamples 100 w"),
			 0);
	j = summary("w");
	certificate = json_object_get(j, "certificate");
	assert_true(json_num(json_object_get(certificate, "losses"), "kept") < 0.8);
	assert_string_equal(
		json_text(json_find(json_object_get(certificate, "lines"), "name", "losses", NULL),
			  "word"),
		"fail");
	assert_true(json_is_false(json_object_get(certificate, "holds")));
	said(j, "pair/64/1", "qpw-on", "", "the certificate does not hold");
	json_decref(j);
	/* Two workloads in which the null is dearer: they have no word, the others do. */
	assert_int_equal(sh("rm -rf w; $M --small --layouts 12 --sd-layout 0.1 --contended 0 "
			    "--samples 60 w; "
			    "for s in w/samples/null.*; do awk -F '\t' -v OFS='\t' '$1 ~ "
			    "\"^(pair|free)/\" { n = split($5, x, \" \"); $5 = \"\"; for (i = 1; i "
			    "<= n; i++) "
			    "$5 = $5 (i > 1 ? \" \" : \"\") (x[i] + 3000) } { print }' $s >x && mv "
			    "x $s || exit; "
			    "done; $S summarize --resamples 100 w && show w"),
			 0);
	assert_non_null(strstr(output, "It differs for sure in"));
	j = summary("w");
	certificate = json_object_get(j, "certificate");
	assert_true(json_is_true(json_object_get(certificate, "holds")));
	assert_string_equal(
		json_text(json_find(json_object_get(certificate, "lines"), "name", "null", NULL),
			  "word"),
		"fail");
	said(j, "pair/64/1", "qpw-on", "", "the baseline differs from itself there");
	said(j, "free/64/1", "qpw-on", "", "the baseline differs from itself there");
	said(j, "alloc/64/1", "qpw-on", "slower", "");
	json_decref(j);
	/* One variant alone was beside others, and lost runs. */
	assert_int_equal(
		sh("rm -rf w; $M --small --layouts 12 --sd-layout 0.1 --contended 0 --samples 60 "
		   "w; "
		   "for s in w/samples/qpw-on.l0[1-9].*; do awk -F '\t' -v OFS='\t' '!/^#/ "
		   "{ n = split($6, x, \" \"); $6 = \"\"; for (i = 1; i <= n; i++) "
		   "$6 = $6 (i > 1 ? \" \" : \"\") (i < 50 ? 1000 : x[i]) } { print }' $s >x && mv "
		   "x $s || "
		   "exit; done; $S summarize --resamples 100 w"),
		0);
	j = summary("w");
	certificate = json_object_get(j, "certificate");
	assert_true(json_is_true(json_object_get(certificate, "holds")));
	near(json_num(json_find(json_object_get(json_object_get(certificate, "losses"), "variants"),
				"variant", "qpw-on", NULL),
		      "kept"),
	     0.25, 0.01);
	said(j, "pair/64/1", "qpw-on", "", "too much was lost of a variant");
	said(j, "pair/64/1", "slowpath", "slower", "");
	assert_true(warns(j, "qpw-on had 39 % quiet samples, the baseline 100 %"));
	json_decref(j);
}

/* A whole result: the effects that make_result put in come out; each summary is the same text. */
static void test_whole(void **state)
{
	static const struct {
		const char *variant;
		double alloc, free;
	} truth[] = { { "null", 0, 0 },
		      { "qpw-n", 0, 0 },
		      { "qpw-off", 0.9, 0.7 },
		      { "qpw-on", 7.4, 5.6 },
		      { "slowpath", 34, 41 } };
	const json_t *null, *largest;
	double covered = 0.0, all = 0.0;
	json_t *j;

	(void)state;
	assert_int_equal(sh("$M --contended 0 --layouts 16 --boots 2 --samples 200 whole && $S "
			    "summarize whole && "
			    "cp whole/summary.json first.json && $S summarize whole && "
			    "cmp first.json whole/summary.json"),
			 0);
	j = summary("whole");
	for (size_t i = 0; i < ARRAY_SIZE(truth); i++) {
		static const char *const workloads[] = { "pair/64/1", "alloc/64/1",
							 "free/64/512/lifo" };

		for (int w = 0; w < 3; w++) {
			const json_t *e = record(j, "effects", workloads[w], truth[i].variant);
			double want =
				(w != 2 ? truth[i].alloc : 0.0) + (w != 1 ? truth[i].free : 0.0);
			struct interval ci = json_interval(e, "ci95"), plain, b;

			near(json_num(e, "effect"), want, 1.0);
			near(json_num(e, "layouts"), 16, 0);
			near(json_num(e, "boots"), 64, 0);
			covered += ci.lo <= want && want <= ci.hi;
			all++;
			/* The intervals agree with each other to within a third of their width. */
			plain = json_interval(e, "paired_ci95");
			b = json_interval(e, "bootstrap_ci95");
			near(b.lo, plain.lo, (plain.hi - plain.lo) / 3);
			near(b.hi, plain.hi, (plain.hi - plain.lo) / 3);
			b = json_interval(e, "ratio_ci95");
			assert_true(b.lo < json_num(e, "ratio") && json_num(e, "ratio") < b.hi);
			near(json_interval(e, "fieller_ci95").lo, b.lo, 0.01 * b.lo);
			b = json_interval(e, "stratified_ci95");
			near(b.lo, ci.lo, 1e-9);
			near(b.hi, ci.hi, 1e-9);
			assert_true(b.lo < json_num(e, "effect") && json_num(e, "effect") < b.hi);
			assert_true(json_num(e, "p_holm") >= json_num(e, "p_value"));
		}
	}
	assert_true(covered >= all - 3);
	null = json_object_get(json_object_get(j, "certificate"), "null");
	near(json_num(null, "comparisons"), 56, 0);
	assert_true(json_num(null, "excluding_zero") <= 0.15 * json_num(null, "comparisons"));
	largest = record(j, "effects", json_text(null, "largest_workload"), "null");
	near(fabs(json_num(largest, "effect")), json_num(null, "largest"), 1e-6);
	assert_true(json_num(null, "median_halfwidth") > 0.0);
	json_decref(j);
}

/* A flush is compared like a workload, but neither proves the instrument nor is proven by it. */
static void test_flushes(void **state)
{
	const json_t *e, *null;
	json_t *j, *medians;

	(void)state;
	assert_int_equal(
		sh("rm -rf d; $M --small --null-shift 2 d && "
		   "sed -i 's#^pair/64/1\t#flush-shrink/64/2/user\t#' d/samples/* && "
		   "$S summarize --location quiet-p50 -o medians.json d && $S summarize d"),
		0);
	j = summary("d");
	/* What it waits is told by medians; what loops take is not. */
	medians = summary("medians.json");
	near(json_num(record(j, "values", "flush-shrink/64/2/user", "null"), "mean"),
	     json_num(record(medians, "values", "flush-shrink/64/2/user", "null"), "mean"), 0);
	assert_true(json_num(record(j, "values", "alloc/64/1", "null"), "mean") <
		    json_num(record(medians, "values", "alloc/64/1", "null"), "mean"));
	json_decref(medians);
	e = record(j, "effects", "flush-shrink/64/2/user", "null");
	near(json_num(e, "effect"), 2.0, 1.0);
	assert_true(json_is_null(json_object_get(e, "p_holm")));
	null = json_object_get(json_object_get(j, "certificate"), "null");
	near(json_num(null, "comparisons"), 4, 0);
	json_decref(j);
}

/* The baseline against itself through the whole pipeline: 5 % of the intervals miss 0. */
static void test_null_rate(void **state)
{
	double off = 0.0, all = 0.0;

	(void)state;
	for (int seed = 100; seed < 120; seed++) {
		const json_t *null;
		json_t *j;

		assert_int_equal(sh("rm -rf null; $M --contended 0 --seed %d --samples 60 "
				    "--variants 'local-trylock null' null && "
				    "$S summarize --resamples 100 null",
				    seed),
				 0);
		j = summary("null");
		null = json_object_get(json_object_get(j, "certificate"), "null");
		off += json_num(null, "excluding_zero");
		all += json_num(null, "comparisons");
		json_decref(j);
	}
	print_message("null: %.0f of %.0f intervals miss 0, %.2f %%\n", off, all,
		      100.0 * off / all);
	near(100.0 * off / all, 5.0, 1.5);
}

static void test_failed_boots(void **state)
{
	const json_t *v, *e;
	json_t *j;

	(void)state;
	assert_int_equal(sh("$M --contended 0 --small --samples 50 --fail 'slowpath qpw-on:3 "
			    "local-trylock:5:0' fail && "
			    "$S summarize fail && show fail"),
			 0);
	assert_non_null(strstr(output, "Kernel panic"));
	j = summary("fail");
	v = variant(j, "slowpath");
	near(json_num(v, "boots"), 0, 0);
	near(json_num(v, "failed"), 9, 0);
	assert_non_null(strstr(json_text(v, "reason"), "Kernel panic"));
	assert_null(record(j, "values", "pair/64/1", "slowpath"));
	assert_null(record(j, "effects", "pair/64/1", "slowpath"));
	v = variant(j, "qpw-on");
	near(json_num(v, "boots"), 7, 0);
	near(json_num(v, "layouts"), 7, 0);
	near(json_num(v, "failed"), 1, 0);
	near(json_array_size(json_object_get(v, "failures")), 1, 0);
	e = record(j, "effects", "pair/64/1", "qpw-on");
	near(json_num(e, "layouts"), 6, 0);
	near(json_num(e, "boots"), 12, 0);
	near(json_num(e, "kept"), 6.0 / 8.0, 1e-9); /* of both sides, a failed boot's too */
	assert_true(warns(e, "2 layouts left out"));
	near(json_num(e, "effect"), 13.0, 1.5);
	json_decref(j);
	/* A boot that was not reached is no failure, and not there. */
	assert_int_equal(sh("sed -i '/\tqpw-n\t/d' fail/boots.tsv && $S summarize fail"), 0);
	j = summary("fail");
	v = variant(j, "qpw-n");
	near(json_num(v, "failed"), 0, 0);
	near(json_num(v, "missing"), 9, 0);
	assert_string_equal(json_text(v, "reason"), "not booted yet");
	json_decref(j);
	/* Without any good boot of the baseline there are values and no effects. */
	assert_int_equal(sh("sed -i '/\tlocal-trylock\t/d' fail/boots.tsv && $S summarize fail"),
			 0);
	j = summary("fail");
	near(json_array_size(json_object_get(j, "effects")), 4 * 2, 0); /* of the doses */
	assert_non_null(record(j, "values", "pair/64/1", "qpw-on"));
	near(json_array_size(json_object_get(j, "warnings")), 2, 0);
	assert_true(warns(j, "the result has no SHA256SUMS"));
	json_decref(j);
}

/* What a console said is told, whatever its bytes are; a record that cannot be written is no silence. */
static void test_foreign(void **state)
{
	json_t *j;

	(void)state;
	assert_int_equal(sh("rm -rf d; $M --small --samples 40 --fail qpw-on:3 d && "
			    "LC_ALL=C sed -i 's/Kernel panic/K\xe9rnel \xed\xa0\x80p\xc3\xa4nic/' "
			    "d/boots.tsv && "
			    "$S summarize d && show d"),
			 0);
	assert_non_null(strstr(output, "1 boot failed, 7 good: K?rnel ???p?nic"));
	j = summary("d");
	near(json_array_size(json_object_get(j, "variants")), 11, 0);
	assert_memory_equal(json_text(variant(j, "qpw-on"), "reason"), "K?rnel ???p\u00e4nic", 16);
	json_decref(j);
	refused(1, "n=$(printf 'd\\377'); rm -rf $n; mv d $n; $S summarize $n",
		"the summary of d?, result cannot be written: ");
	assert_int_equal(sh("! ls d*/summary.json.*"), 0);
}

/* Caches that differ by more than having no sheaves are told. */
static void test_caches(void **state)
{
	static const char *const other[] = { "",
					     "64=0/0/64 512=28/1/16 barn=10",
					     "64=60/1/128 512=28/1/16 barn=10",
					     "64=60/0/64 512=30/1/16 barn=10",
					     "64=60/0/64 512=28/1/16 barn=20",
					     "64=60/0/64" };
	static const int warned[] = { 0, 0, 1, 1, 1, 0 };

	(void)state;
	assert_int_equal(sh("rm -rf d; $M --small --layouts 2 --samples 30 --variants "
			    "'local-trylock qpw-on' d"),
			 0);
	for (size_t i = 0; i < ARRAY_SIZE(other); i++) {
		char *command = xasprintf(
			"jq '.caches = {\"local-trylock\": \"64=60/0/64 512=28/1/16 barn=10\", "
			"\"qpw-on\": "
			"\"%s\"}' d/environment.json >e && mv e d/environment.json && $S summarize "
			"d && "
			"jq -r '.warnings[]' d/summary.json | grep -c 'qpw-on has another cache'; "
			"true",
			other[i]);

		assert_int_equal(sh(command), 0);
		assert_int_equal(atoi(output), warned[i]);
		free(command);
	}
}

static void test_one_layout(void **state)
{
	static const char *const nulls[] = { "ci95", "ratio_ci95", "bootstrap_ci95", "p_value" };
	const json_t *e;
	json_t *j;

	(void)state;
	assert_int_equal(sh("$M --contended 0 --small --layouts 1 --samples 50 one && $S summarize "
			    "one && $R show one --page effects"),
			 0);
	assert_non_null(strstr(output, "qpw-on"));
	assert_null(strchr(output, '['));
	j = summary("one");
	e = record(j, "effects", "pair/64/1", "qpw-on");
	for (size_t i = 0; i < ARRAY_SIZE(nulls); i++)
		assert_true(json_is_null(json_object_get(e, nulls[i])));
	assert_true(warns(e, "one layout only"));
	near(json_num(e, "effect"), 13.0, 3.0);
	assert_true(json_is_null(json_object_get(json_object_get(j, "certificate"), "null")));
	json_decref(j);
	assert_int_equal(sh("$S plotdata one one/plot && grep -c '\t0\t\"pair/64/1\"\t' "
			    "one/plot/effects.dat"),
			 0);
	assert_string_equal(output, "10\n");
}

#define QPW_ON "d/samples/qpw-on.l03.b00.tsv"
#define NULL_0 "d/samples/null.l01.b00.tsv"

/* Each damage is one line that names the file, and the summary that was there stays. */
static void test_damage(void **state)
{
	static const struct {
		const char *damage, *says;
	} cases[] = {
		{ "truncate -s -3 " QPW_ON, QPW_ON ":8: the file is cut short" },
		{ "truncate -s 30 " QPW_ON, QPW_ON ":2: the file is cut short" },
		{ ": >" QPW_ON, QPW_ON ":1: not '# sheafbench-samples 2'" },
		{ "sed -i '4,$d' " QPW_ON, QPW_ON ": no workload" },
		{ "sed -i 1s/2$/1/ " NULL_0, NULL_0 ":1: not" },
		{ "sed -i '2s/step.*//' " NULL_0, NULL_0 ":2: not" },
		{ "sed -i 2s/tsc/cntvct/ " NULL_0, "tsv:2: clock" },
		{ "sed -i '3s/chain.*//' " NULL_0, NULL_0 ":3: not" },
		{ "sed -i 's/^alloc\\(.*\\) [0-9]* /alloc\\1 x /' " NULL_0,
		  NULL_0 ":5: chain 39 of alloc/64/1" },
		{ "sed -i '4s/ [0-9]*\t-*\\([0-9]*\\) / x\t\\1 /2' " NULL_0,
		  NULL_0 ":4: sample 40 of pair" },
		{ "sed -i '4s/ /  /3' " NULL_0, NULL_0 ":4: sample" },
		{ "sed -i '4s/ / -/3' " NULL_0, NULL_0 ":4: sample" },
		{ "sed -i '4s/$/ /' " NULL_0, NULL_0 ":4: chain 41" },
		{ "sed -i '4s/$/ 5/' " NULL_0, NULL_0 ":4: 41 chains for the 40 samples" },
		{ "sed -i '4s/ [0-9]*\t/\t/2' " NULL_0, NULL_0 ":4: 40 gate values for the 39" },
		{ "sed -i '4s/ [0-9]*\t/\t/1' " NULL_0, NULL_0 ":4: noise" },
		{ "sed -i '4s/\t1000\t/\t0\t/' " NULL_0, NULL_0 ":4: ops '0'" },
		{ "sed -i '4s/\t1132.40\t/\tnan\t/' " NULL_0, NULL_0 ":4: overhead" },
		/* numbers that are none of what they stand for */
		{ "sed -i '2s/khz [0-9]*/khz nan/' " NULL_0,
		  NULL_0 ":2: khz 'nan' is not a number from" },
		{ "sed -i '2s/khz [0-9]*/khz -5/' " NULL_0, NULL_0 ":2: khz '-5' is not" },
		{ "sed -i '2s/khz [0-9]*/& khz 1/' " NULL_0, NULL_0 ":2: not '# clock NAME" },
		{ "sed -i '2s/step .*/step inf/' " NULL_0, NULL_0 ":2: step 'inf' is not" },
		{ "sed -i '2s/step .*/& 1/' " NULL_0, NULL_0 ":2: not '# clock NAME" },
		{ "sed -i '2s/tsc/tick/' " NULL_0, NULL_0 ":2: clock 'tick' is not tsc or cntvct" },
		{ "sed -i '3s/chain .*/chain -512/' " NULL_0, NULL_0 ":3: chain '-512' is not" },
		{ "sed -i '3s/chain .*/chain 513/' " NULL_0, "tsv:3: chain 51" },
		{ "sed -i '3s/gate [0-9]*/gate 1e300/' " NULL_0, NULL_0 ":3: gate '1e300' is not" },
		{ "sed -i '4s/\t1132.40\t/\t1e300\t/' " NULL_0,
		  NULL_0 ":4: overhead '1e300' is not" },
		{ "sed -i '4s/\t1132.40\t/\t1e9\t/' " NULL_0,
		  NULL_0 ":4: overhead '1e9' of pair/64/1 is more than each of its samples" },
		{ "sed -i '4s/ [0-9]* / 18446744073709551615 /3' " NULL_0, NULL_0 ":4: sample" },
		{ "sed -i '4s/\t1000\t/\t4294967296\t/' " NULL_0,
		  NULL_0 ":4: ops '4294967296' is not" },
		{ "sed -n '4s/\t1000\t/\t100\t/p' " NULL_0 " >x; cat x >>" NULL_0,
		  NULL_0 ":9: 100 ops of pair/64/1, but 1000 in a line before it" },
		{ "sed -i '4s/\t5200012 /\t1 /' " NULL_0, NULL_0 ":4: noise '1 " },
		{ "sed -i '3s/\t[0-9]*\t/\t9999\t/' d/plan.tsv",
		  "plan.tsv:3: layout '9999' is not" },
		{ "sed -i '2s/\t[0-9.]*\t2026/\tinf\t2026/' d/boots.tsv",
		  "boots.tsv:2: seconds 'inf' is not" },
		{ "sed -i 's/\\(\"target\": \\).*/&\\n \"tells\": \"TIME\",/' d/environment.json",
		  "environment.json: tells 'TIME' is none of the words" },
		/* names, and what would be told to a terminal */
		{ "sed -i '4s,^pair/64/1,pair 64,' " NULL_0,
		  NULL_0 ":4: 'pair 64' is no workload (letters" },
		{ "sed -i '4s,^pair/64/1,&\\r,' " NULL_0,
		  NULL_0 ":4: a byte in it is not UTF-8, or a char" },
		{ "sed -i '3s/\tunp/\t\\x1b[31munp/' d/variants.tsv; sed -i "
		  "'3s/\tbase/\t\\x1b[31mbase/' d/variants.tsv",
		  "variants.tsv:3: a byte in it" },
		{ "sed -i 's/\"target\": \"uml\"/\"target\": \"u\\\\nml\"/' d/environment.json",
		  "environment.json: target 'u ml' is no such name" },
		/* other files than those of the times */
		{ "mkdir d/counters; echo '# sheafbench-counters 1' >d/counters/null.l01.b00.tsv",
		  "counters/null.l01.b00.tsv:1: not '# sheafbench-counters 2'" },
		{ "mkdir d/counters; printf '# sheafbench-counters "
		  "2\npair/64/1\tinsns\tx\t1\t10\t5\t-1\t0\t0\t\n' "
		  ">d/counters/null.l01.b00.tsv",
		  "counters/null.l01.b00.tsv:2: no line of counters" },
		{ "mkdir d/counts; printf 'pair/64/1\t1\tkf\\351ree\tinstructions\t5\n' "
		  ">d/counts/tcg.null.tsv",
		  "counts/tcg.null.tsv:1: a byte in it is not UTF-8" },
		{ "mkdir d/counts; printf 'pair/64/1\t1\tkf ree\tinstructions\t5\n' "
		  ">d/counts/tcg.null.tsv",
		  "counts/tcg.null.tsv:1: 'kf ree' is no symbol" },
		{ "mkdir d/counts; printf 'pair/64/1\t1\tkfree\tinstructions\t1e300\n' "
		  ">d/counts/tcg.null.tsv",
		  "counts/tcg.null.tsv:1: not workload" },
		{ "mkdir d/counts; printf 'pair/64/1\t%s\tkfree\tinstructions\t5\n' 100 200 "
		  ">d/counts/tcg.null.tsv",
		  "counts/tcg.null.tsv:2: 200 ops of pair/64/1, but 100 in a line before it" },
		{ "mkdir -p d/counts/parts; printf 'pair/64/1\t1\tkfree\tinstructions\t5\n' "
		  ">d/counts/tcg.null.tsv; "
		  "printf 'pair/64/1\t1\tlock\t%s\n' 2 3 >d/counts/parts/tcg.null.tsv",
		  "counts/parts/tcg.null.tsv:2: a second lock of pair/64/1" },
		{ "mkdir d/counts; : >d/counts/$(printf 't\\351g').null.tsv",
		  "not TARGET.VARIANT.tsv" },
		{ "mkdir -p d/counts/estimates; printf 'pair/64/1\t1\tkfree\tinstructions\t5\n' "
		  ">d/counts/tcg.null.tsv; "
		  "printf 'pair/64/1\tznver3\t1\t1\tnan\t1\n' >d/counts/estimates/tcg.null.tsv",
		  "counts/estimates/tcg.null.tsv:1: not workload, CPU" },
		{ "mkdir d/counts; printf 'tcg.null\tx\ny\n' >d/counts/failed",
		  "counts/failed:2: not TARGET" },
		{ "sed -i '4s/\t1132.40\t/ /' " NULL_0, NULL_0 ":4: not the seven columns" },
		{ "rm " NULL_0, NULL_0 ": No such file" },
		{ "cp " NULL_0 " d/samples/null.l99.b00.tsv",
		  "null.l99.b00.tsv: belongs to no boot" },
		{ "echo >d/samples/notes.txt", "samples/notes.txt: belongs to no boot" },
		{ "printf '\\351' | dd of=" NULL_0 " bs=1 seek=200 conv=notrunc status=none",
		  NULL_0 ":4: a byte in it is not UTF-8" },
		{ "rm -r d/samples", "d/samples: No such file" },
		{ "rm d/plan.tsv", "d/plan.tsv: No such file" },
		{ "sed -i '4s/\t[a-z-]*\t/\tghost\t/' d/plan.tsv", "plan.tsv:4: variant ghost" },
		{ "echo >>d/variants.tsv", "variants.tsv:13: 1 columns" },
		{ "sed -i '2s/\tok\t/\tgood\t/' d/boots.tsv", "boots.tsv:2: status 'good'" },
		{ "sed -i '2s/\t[0-9]*\t0\tok/\t77\t0\tok/' d/boots.tsv",
		  "boots.tsv:2: index 0 is another boot" },
		{ "sed -i '2s/^0/4711/' d/boots.tsv", "boots.tsv:2: index '4711'" },
		{ "sed -i '2s/\tok.*//' d/boots.tsv", "boots.tsv:2: not the eight columns" },
		{ "sed -i s/target/tarjet/ d/environment.json",
		  "environment.json: \"target\" is missing" },
		{ "truncate -s -5 d/environment.json", "environment.json:" },
		{ "rm d/environment.json", "environment.json" },
		/* what has no end, or is not the sender's */
		{ "rm d/environment.json; mkfifo d/environment.json",
		  "d/environment.json is neither a file nor a folder" },
		{ "ln -sf /dev/zero " NULL_0, NULL_0 " is neither a file nor a folder" },
		{ "mkdir -p d/counts/lines; mkfifo d/counts/lines/tcg.null.tsv",
		  "d/counts/lines/tcg.null.tsv is neither a file nor a folder" },
		{ "truncate -s 100G " NULL_0, NULL_0 " has 107374182400 bytes, more than" },
	};

	(void)state;
	assert_int_equal(sh("$M --small --samples 40 clean && $S summarize clean"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(sh("rm -rf d; cp -a clean d; { %s; }; ! diff -rq clean d >diff",
				    cases[i].damage),
				 0);
		refused(1, "$S summarize d", cases[i].says);
		if (sh("cmp d/summary.json clean/summary.json && ! ls d/*.tmp"))
			fail_msg("after `%s`: the summary is gone or a rest is left",
				 cases[i].damage);
	}
	/* What is not finished does not count; what belongs to failed boots is not looked at. */
	assert_int_equal(
		sh("rm -rf d; cp -a clean d; touch d/samples/.x d/samples/null.l01.b00.tsv.part; "
		   ": >d/samples/null.l01.b00.tsv; sed -i "
		   "'/\tnull\t1\t0\t/s/\tok\t.*/\tfailed\t1\tt\thang/' d/boots.tsv; "
		   "$S summarize d"),
		0);
	refused(1, "$S summarize nowhere", "nowhere: No such file");
	refused(1, "$S summarize clean/plan.tsv", "clean/plan.tsv: not a result folder");
}

/* Boots whose clock has another rate than most are left out, with a word; the others are what they were. */
static void test_clock_rates(void **state)
{
	const json_t *v;
	json_t *j, *k;

	(void)state;
	assert_int_equal(
		sh("rm -rf d e; $M --small --samples 40 d && cp -r d e && $S summarize d && "
		   "sed -i '2s/khz 2596123/khz 3100000/' e/samples/qpw-on.*.b00.tsv && "
		   "sed -i '2s/khz 2596123/khz 2596130/' e/samples/null.* && $S summarize e && "
		   "show e"),
		0);
	assert_non_null(strstr(output, "9 boots failed, 0 good: its clock has 3100000 "));
	j = summary("d");
	k = summary("e");
	v = variant(k, "qpw-on");
	near(json_num(v, "boots"), 0, 0);
	assert_string_equal(json_text(v, "reason"),
			    "its clock has 3100000 kHz, that of most boots 2596123: left out");
	assert_null(record(k, "effects", "pair/64/1", "qpw-on"));
	near(json_num(record(k, "effects", "pair/64/1", "null"), "layouts"), 8, 0);
	near(json_num(variant(k, "null"), "failed"), 0, 0);
	near(json_num(record(k, "effects", "pair/64/1", "slowpath"), "effect"),
	     json_num(record(j, "effects", "pair/64/1", "slowpath"), "effect"), 0.2);
	json_decref(k);
	json_decref(j);
}

/* What was changed after it was measured is told by name, in all that is made of it. */
static void test_sums(void **state)
{
	static const struct {
		const char *change, *says;
	} cases[] = {
		{ "sed -i '4s/ \\([0-9]\\)\\([0-9]*\\) / \\2\\1 /2' " QPW_ON,
		  "samples/qpw-on.l03.b00.tsv is not what was measured" },
		{ "sed -i 's/n\\/a/x/' d/environment.json", "environment.json is not what" },
		{ "sed -i 's/QPW/qpw/' d/variants.tsv", "variants.tsv is not what was measured" },
		{ "printf 'qpw-on\\t*\\tall\\n' >d/same-code.tsv",
		  "same-code.tsv: SHA256SUMS has no sum" },
		{ "sed -i '/qpw-on.l03/d' d/SHA256SUMS",
		  "samples/qpw-on.l03.b00.tsv: SHA256SUMS has no" },
		{ "sed -i '/qpw-on.l03/s/^./x/' d/SHA256SUMS", "SHA256SUMS:" },
		{ ": >d/SHA256SUMS", "boots.tsv: SHA256SUMS has no sum of it" },
		{ "rm d/counts/failed", "counts/failed is gone: SHA256SUMS has a sum of it" },
		{ "truncate -s -4 d/SHA256SUMS", "SHA256SUMS: it cannot be read beyond line" },
	};
	json_t *j;

	(void)state;
	assert_int_equal(
		sh("rm -rf sums; $M --small --samples 40 --layouts 3 sums && mkdir sums/counts && "
		   ": >sums/counts/failed && $S sums sums && (cd sums && sha256sum --quiet -c "
		   "SHA256SUMS) && $S summarize sums && show sums | grep -c 'CAUTION: this "
		   "result'"),
		1);
	assert_string_equal(errors, "");
	j = summary("sums");
	near(json_array_size(json_object_get(j, "changed")), 0, 0);
	assert_false(warns(j, "SHA256SUMS"));
	json_decref(j);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const json_t *one;
		bool said = false;
		size_t k;

		assert_int_equal(
			sh("rm -rf d; cp -r sums d; { %s; }; ! diff -rq sums d && $S summarize d",
			   cases[i].change),
			0);
		assert_memory_equal(errors, "sheafstat: ", 11);
		j = summary("d");
		json_array_foreach(json_object_get(j, "changed"), k, one)
			said |= strstr(json_string_value(one), cases[i].says) != NULL;
		if (!said)
			fail_msg("after `%s`: no '%s'", cases[i].change, cases[i].says);
		json_decref(j);
	}
	assert_int_equal(sh("show d"), 0);
	assert_non_null(strstr(output, "CAUTION: this result was changed after it was measured: "
				       "- SHA256SUMS: it cannot"));
	/* A summary has a sum of itself, whatever blanks it is written with. */
	assert_int_equal(sh("cp -r sums s; jq . -S s/summary.json >x; "
			    "sed -i 's/^ \\(.*\"effect\": \\)/  \\1  /' s/summary.json; show s "
			    "| grep -c 'CAUTION: this result'"),
			 1);
	assert_string_equal(errors, "");
	assert_int_equal(sh("sed -i '0,/\"effect\":  *[-0-9]/s/\\(\"effect\":  *-*\\)[0-9]/\\17/' "
			    "s/summary.json; "
			    "! cmp -s s/summary.json sums/summary.json && show s"),
			 0);
	assert_non_null(strstr(output, "CAUTION: this result was changed after it was measured: "
				       "- summary.json is not what sheafstat summarize made"));
	assert_int_equal(sh("jq 'del(.sha256)' sums/summary.json >s/summary.json; show s"), 0);
	assert_non_null(strstr(output, "summary.json has no sum of its own"));
}

/* A summary may come from anybody, too. */
static void test_foreign_summary(void **state)
{
	static const struct {
		const char *filter, *says;
	} cases[] = {
		{ ".variants[2].name = \"a\\nb\"", "variants[2].name 'a b' is no such name" },
		{ ".effects[0].variant = \"a\\u001bb\"",
		  "effects[0].variant 'a?b' is no such name" },
		{ ".effects[0].workload = \"pair 64\"",
		  "effects[0].workload 'pair 64' is no such name" },
		{ ".effects[1].ci95 = [2, 1]", "effects[1].ci95 is no interval" },
		{ ".effects[1].ci95 = [2]", "effects[1].ci95 is no interval" },
		{ ".values[0].mean = 1e308",
		  "values[0].mean is not a number from -1e+15 to 1e+15" },
		{ ".values[0].per_layout[1].value = -1e308",
		  "values[0].per_layout[1].value is not" },
		{ ".effects[0].p_value = 1.5", "effects[0].p_value is not a number from 0 to 1" },
		{ ".effects[0].layouts = -1",
		  "effects[0].layouts is not a whole number from 0 to" },
		{ ".certificate.noise.ppm = 1e300", "certificate.noise.ppm is not a number" },
		{ ".variants[0].role = \"king\"", "variants[0].role 'king' is none of the words" },
		{ ".environment.tells = \"TIME\"",
		  "environment.tells 'TIME' is none of the words" },
		{ ".effects[0][\"a\\nb\"] = 1",
		  "effects[0].a b has a name that controls a terminal" },
	};

	(void)state;
	assert_int_equal(sh("rm -rf d; $M --small --samples 40 --layouts 3 d && $S summarize d"),
			 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *command = xasprintf("jq '%s' d/summary.json >bad.json; $S compare bad.json d",
					  cases[i].filter);

		refused(1, command, cases[i].says);
		free(command);
	}
	/* Sentences are told on one line, and what is none says nothing. */
	assert_int_equal(
		sh("jq '.warnings = [\"one\\ntwo\\u001b[31m\", 5, null] | .certificate.why_not = "
		   "[{}] | "
		   ".variants[1].reason = \"x\\ry\"' d/summary.json >x; rm -rf bad; cp -r d bad; "
		   "mv x bad/summary.json; $R show bad --page warnings"),
		0);
	assert_non_null(strstr(output, "- one two?[31m\n"));
	assert_null(strchr(output, '\r'));
	assert_null(strchr(output, '\x1b'));
}

/* A disk that fills up: the file size limit stands in for it. */
static void test_full_disk(void **state)
{
	(void)state;
	assert_int_equal(
		sh("rm -rf d; $M --samples 20 d && $S summarize d && cp d/summary.json first.json"),
		0);
	refused(1, "(trap '' XFSZ; ulimit -f 8; $S summarize d)",
		"cannot write d/summary.json: File too large");
	assert_int_equal(sh("cmp d/summary.json first.json && ! ls d/*.tmp"), 0);
	refused(1, "(trap '' XFSZ; ulimit -f 8; $S plotdata d d/plot)", "cannot write d/plot/");
	assert_int_equal(sh("! ls d/plot/*.tmp"), 0);
	refused(1, "$R show d >/dev/full", "cannot write standard output: No space left");
}

static void test_compare(void **state)
{
	(void)state;
	assert_int_equal(sh("$M --contended 0 --samples 50 --seed 1 A && "
			    "$M --contended 0 --samples 50 --seed 2 B && "
			    "sed -i 's/Simulated 64-Core/Other 8-Core/; s/7\\.2\\.13\"/7.3.1\"/' "
			    "B/environment.json && "
			    "$S summarize A && $S summarize B && "
			    "$S compare --workloads '^(pair|free)/64/1$' A B"),
			 0);
	assert_non_null(strstr(
		output,
		"cpu_model differs: Simulated 64-Core Processor | Other 8-Core Processor\n"));
	assert_non_null(strstr(output, "kernel_version differs: 7.2.13 | 7.3.1\n"));
	assert_null(strstr(output, "compiler differs"));
	assert_null(strstr(output, "seed differs"));
	assert_non_null(strstr(output, "\npair/64/1, TSC ticks per operation\n"));
	assert_non_null(strstr(output, "\nfree/64/1, TSC"));
	assert_null(strstr(output, "alloc/"));
	assert_null(strstr(output, "pair/8/1"));
	/* The same one: no difference and no line on environments. */
	assert_int_equal(sh("$S compare A A/summary.json | grep -c ' +0\\.00 \\['; $S compare A A "
			    "| grep -c -e differs -e dearer -e cheaper"),
			 1);
	assert_string_equal(output, "346\n0\n");
	/* A real difference shows, with its sign. */
	assert_int_equal(sh("jq '(.values[].mean, .values[].per_layout[].value) |= . + 5' "
			    "A/summary.json >dear.json && "
			    "$S compare A dear.json | grep -c ' +5\\.00 .*B dearer' && "
			    "$S compare dear.json A | grep -c ' -5\\.00 .*B cheaper'"),
			 0);
	assert_string_equal(output, "346\n346\n");
	refused(2, "$S compare --workloads '(' A B", "--workloads (");
	refused(1, "$S compare --workloads nothing A B",
		"no workload and variant that both have and that matches nothing");
	refused(1, "$S compare A nowhere", "nowhere");
	refused(1, "rm -rf E; mkdir E; $S compare A E", "make it with `sheafstat summarize E`");
	refused(1, "echo '{ \"schema\": 2 }' >two.json; $S compare A two.json",
		"two.json: not a summary of schema 1");
	refused(1, "echo '{ \"schema\"' >two.json; $S compare two.json A", "two.json:");
	refused(1, "jq 'del(.values[3].mean)' A/summary.json >two.json; $S compare two.json A",
		"\"mean\" is missing in values[3]");
}

static void test_show(void **state)
{
	(void)state;
	assert_int_equal(sh("rm -rf d; $M --contended 0 --samples 30 d; $S summarize d; $R show "
			    "d --page effects"),
			 0);
	for (char *line = strtok(output, "\n"); line; line = strtok(NULL, "\n"))
		if (strlen(line) > 80)
			fail_msg("%zu columns: %s", strlen(line), line);
	assert_int_equal(sh("$R show d --page effects | grep -c ' qpw-on  .*  slower$'"), 0);
	assert_string_equal(output, "5\n");
}

/* Every record of a file has as many columns as its header names. */
static void test_plotdata(void **state)
{
	static const char *const files[] = { "effects", "samples", "bysize", "byn" };

	(void)state;
	assert_int_equal(sh("rm -rf d; $M --samples 1000 d; $S summarize d; $S plotdata d d/plot; "
			    "ls d/plot | wc -l"),
			 0);
	assert_string_equal(output, "8\n");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		assert_int_equal(
			sh("awk -F'\t' '/^# columns:/ { want = split($0, c, \" \") - 2; next } "
			   "/^#|^$/ { next } "
			   "{ n++ } NF != want { exit 3 } END { if (!n) exit 4 }' d/plot/%s.dat",
			   files[i]),
			0);
		/* gnuplot itself takes it, block by block. */
		assert_int_equal(
			sh("gnuplot -e 'set datafile separator \"\\t\"; stats \"d/plot/%s.dat\" "
			   "index 1 using %d nooutput; print STATS_records'",
			   files[i], i == 1 ? 1 : 4),
			0);
	}
	/* Of 8 x 1000. */
	assert_int_equal(sh("grep -c '\"qpw-on\"' d/plot/samples.dat"), 0);
	assert_string_equal(output, "4000\n");
	assert_int_equal(
		sh("awk -F'\t' '$8 == 1 && $4 >= $5 && $4 <= $6' d/plot/effects.dat | wc -l"), 0);
	assert_string_equal(output, "290\n");
	assert_int_equal(sh("grep -A2 '^# pair/64/1$' d/plot/effects.dat | cut -f1-3 | tail -1"),
			 0);
	assert_string_equal(output, "2\t\"qpw-n\"\t\"QPW compiled out (CONFIG_QPW=n)\"\n");
	/* N = 1 has no order and is the first point of each order. */
	assert_int_equal(sh("awk -v RS='\\n\\n\\n' '/^# batch-free\\/fifo qpw-on/' d/plot/byn.dat "
			    "| cut -f1 | tr '\\n' ' '"),
			 0);
	assert_non_null(strstr(output, "qpw-on 1 8 32 128 512 2048 "));
	refused(1, "rm d/summary.json; $S plotdata d d/plot",
		"make it with `sheafstat summarize d`");
}

/* Exact counts: sums per operation, the loop apart; a file that is not one is refused. */
static void test_counts(void **state)
{
	(void)state;
	assert_int_equal(
		sh("rm -rf d; $M d; mkdir d/counts; "
		   "printf '# x\n%%s\\t100\\t%%s\\t%%s\\t%%d\\n' pair/64/1 kfree instructions 6000 "
		   "pair/64/1 kmalloc instructions 7050 pair/64/1 kmalloc load 300 "
		   "pair/64/1 '(loop)' instructions 500 free/64/1 kfree instructions 6100 | "
		   "sed 's/^# x$//; /^$/d' >d/counts/tcg.qpw-on.tsv; $S summarize d; "
		   "jq -c '.counts | walk(if type == \"number\" then . + 0 else . end)' "
		   "d/summary.json"),
		0);
	assert_string_equal(
		output,
		"[{\"classes\":{\"instructions\":130.5,\"load\":3},\"symbols\":{\"kfree\":{"
		"\"instructions\":60},"
		"\"kmalloc\":{\"instructions\":70.5,\"load\":3},\"(loop)\":{\"instructions\":5}},"
		"\"target\":\"tcg\",\"workload\":\"pair/64/1\",\"variant\":\"qpw-on\"},"
		"{\"classes\":{\"instructions\":61},\"symbols\":{\"kfree\":{\"instructions\":61}},"
		"\"target\":\"tcg\",\"workload\":\"free/64/1\",\"variant\":\"qpw-on\"}]\n");
	/* What most calls take, and the others: a slab's end is no part of the first. */
	assert_int_equal(sh("mkdir d/counts/each; printf 'free/64/1\\t100\\t%%s\\t%%d\\t%%d\\n' "
			    "kfree 58 96 kfree 300 2 kfree "
			    "400 2 kmalloc 70 5 '(loop)' 3 9 >d/counts/each/tcg.qpw-on.tsv; $S "
			    "summarize d; jq -c "
			    "'.counts[1].each | walk(if type == \"number\" then . + 0 else . end)' "
			    "d/summary.json"),
			 0);
	assert_string_equal(output, "{\"kfree\":{\"usual\":58,\"share\":0.96,\"others\":350},"
				    "\"kmalloc\":{\"usual\":70,\"share\":1,\"others\":null}}\n");
	refused(1,
		"echo 'free/64/1\t100\tkfree\t0\t1' >>d/counts/each/tcg.qpw-on.tsv; $S summarize d",
		"d/counts/each/tcg.qpw-on.tsv:6: not workload, operations, function, instructions "
		"and times");
	assert_int_equal(sh("rm -r d/counts/each"), 0);
	/* Stacked without gaps, what the baseline does not have last. */
	assert_int_equal(sh("sed 's/kfree/kfree2/' d/counts/tcg.qpw-on.tsv | "
			    "sed '1s/6000/9000/' >d/counts/tcg.local-trylock.tsv; $S summarize d; "
			    "$S plotdata d d/plot; grep 'pair.*kfree' d/plot/counts.dat | "
			    "cut -f 1,2,5,8"),
			 0);
	assert_string_equal(output, "0\t90\t\"local-trylock\"\t\"kfree2\"\n"
				    "70.5\t130.5\t\"qpw-on\"\t\"kfree\"\n");
	refused(1, "echo 'pair/64/1\t0\tkfree\tinsn\t5' >d/counts/tcg.null.tsv; $S summarize d",
		"d/counts/tcg.null.tsv:1: not workload, operations, symbol, class and count");
	refused(1, "mv d/counts/tcg.null.tsv d/counts/tcg.nul.tsv; $S summarize d",
		"no variant of that name");
}

static void test_usage(void **state)
{
	static const struct {
		const char *command, *says;
	} bad[] = {
		{ "$S", "a command is missing; commands: plan" },
		{ "$S plans", "no command plans" },
		{ "$S plan", "must all be given" },
		{ "$S plan --seed -1 --layouts 1 --boots 1 --variants v -o p", "--seed -1" },
		{ "$S plan --seed 1 --layouts 0 --boots 1 --variants v -o p",
		  "--layouts 0 is not a number from 1 to 256" },
		{ "$S plan --seed 1 --layouts 257 --boots 1 --variants v -o p", "--layouts 257" },
		{ "$S plan --seed 1 --layouts 8 --boots 2x --variants v -o p", "--boots 2x" },
		{ "$S plan --seed 1 --layouts 8 --boots", "--boots needs a value" },
		{ "$S summarize", "an argument is missing" },
		{ "$S summarize a b", "too many arguments" },
		{ "$S summarize --location p06 a",
		  "--location p06 is not one that `sheafstat estimators --help` names" },
		{ "$S summarize --resamples 5 a", "--resamples 5" },
		{ "$S summarize --fast a", "unknown option --fast" },
		{ "$S compare a", "an argument is missing" },
		{ "$S estimators -x a", "unknown option -x" },
		{ "$S estimators -o f a", "unknown option -o" },
		{ "$S plotdata a", "an argument is missing" },
		{ "$S estimators", "an argument is missing" },
	};
	static const char *const commands[] = { "",	   "plan",     "summarize",
						"compare", "plotdata", "estimators" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refused(2, bad[i].command, bad[i].says);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		assert_int_equal(sh("$S %s --help", commands[i]), 0);
		assert_memory_equal(output, "usage: sheafstat", 16);
		assert_string_equal(errors, "");
	}
	refused(1, "$S plan --seed 1 --layouts 8 --boots 1 --variants nowhere -o p",
		"nowhere: No such file");
	assert_int_equal(sh("rm -rf d; $M --small --samples 5 d; $S plan --seed 1 --layouts 8 "
			    "--boots 1 --variants d/variants.tsv -o p && cmp p d/plan.tsv"),
			 0);
	refused(1,
		"$S plan --seed 1 --layouts 8 --boots 1 --variants d/variants.tsv -o "
		"nowhere/p",
		"cannot write nowhere/p");
}

/* An argument is a pattern of the tests' names. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_hand),
		cmocka_unit_test(test_gate),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_contended),
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_not_certified),
		cmocka_unit_test(test_components),
		cmocka_unit_test(test_warmup),
		cmocka_unit_test(test_estimators),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_no_words),
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_flushes),
		cmocka_unit_test(test_null_rate),
		cmocka_unit_test(test_failed_boots),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_caches),
		cmocka_unit_test(test_one_layout),
		cmocka_unit_test(test_clock_rates),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_foreign_summary),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_show),
		cmocka_unit_test(test_plotdata),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_usage),
	};
	char clean[64];
	int ret;

	if (!mkdtemp(scratch) || chdir(scratch))
		return 1;
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(clean, sizeof(clean), "rm -rf %s", scratch);
	if (chdir("/") || system(clean))
		return 1;
	return ret;
}
