// SPDX-License-Identifier: GPL-2.0
/* sheafstat's precision, certify and plan --extend, on simulated results (make_result). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "certify.h"
#include "result.h"

#define FEW "--contended 0 --samples 40"

static char scratch[] = "/tmp/analysis-certify-XXXXXX";
static char output[1 << 16], errors[1 << 12]; /* of the last command */

static void slurp(const char *name, char *text, size_t size)
{
	FILE *f = fopen(name, "r");

	assert_non_null(f);
	text[fread(text, 1, size - 1, f)] = '\0';
	fclose(f);
}

/* A shell command in the scratch folder; $M is make_result, $S sheafstat. Its exit status. */
static int sh(const char *command)
{
	char *all = xasprintf("M='%s' S='%s'; { %s\n} >out 2>err", MAKE_RESULT, SHEAFSTAT, command);
	int status = system(all);

	free(all);
	assert_true(WIFEXITED(status));
	slurp("out", output, sizeof(output));
	slurp("err", errors, sizeof(errors));
	return WEXITSTATUS(status);
}

static void good(const char *command)
{
	if (sh(command))
		fail_msg("`%s`: %s", command, errors);
}

/* The output as one line, with single blanks: it is filled. */
static bool says(const char *what)
{
	char line[sizeof(output)], *to = line;

	for (const char *p = output; *p; p++)
		if (!strchr(" \n", *p) || (to > line && to[-1] != ' '))
			*to++ = *p == '\n' ? ' ' : *p;
	*to = '\0';
	return strstr(line, what);
}

/* The command exits with @status and one line of error that holds @says. */
static void refused(int status, const char *command, const char *says)
{
	int got = sh(command);
	char *end = strchr(errors, '\n');

	if (got != status || !end || end[1] || !strstr(errors, says))
		fail_msg("`%s` exits with %d and says %s, not '%s'", command, got, errors, says);
}

static void near_to(double got, double want, double far, const char *what)
{
	if (!(fabs(got - want) <= far))
		fail_msg("%s is %.6g, not %.6g +- %g", what, got, want, far);
}

static void result_get(struct result *r, const char *dir)
{
	struct fault f = { "" };

	if (result_read(r, dir, &stat_locations[0], &f))
		fail_msg("%s", f.text);
}

static void test_precision_next(void **state)
{
	/*
	 * By hand, with t(.975): 15 df 2.131, 20 df 2.086, 21 df 2.080, 22 df 2.074, 23 df 2.069.
	 * 0.8 of the half-width of 16 pairs takes 24 (23 give 0.812 of it), 0.85 takes 22 (21 give
	 * 0.855) and so 24; 0.95 takes 18, which is raised to four more than 16.
	 */
	static const struct {
		int layouts, n;
		double factor;
		int most, want;
	} cases[] = {
		{ 16, 16, 0.8, 64, 24 },     { 16, 16, 0.85, 64, 24 },	{ 16, 16, 0.95, 64, 20 },
		{ 16, 16, 0.999, 64, 20 },   { 16, 16, 0.01, 64, 32 },	{ 16, 16, 0.01, 22, 22 },
		{ 32, 16, 0.8, 64, 40 },     { 10, 10, 0.001, 64, 20 }, { 9, 9, 0.9, 64, 16 },
		{ 60, 60, 0.001, 256, 120 }, { 16, 2, 0.001, 64, 32 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct estimate e = { .sd = 1.0, .n = cases[i].n };
		double half = stat_t_quantile(0.975, e.n - 1) / sqrt(e.n);
		int got =
			precision_next(cases[i].layouts, &e, cases[i].factor * half, cases[i].most);

		if (got != cases[i].want)
			fail_msg("case %zu: %d layouts, not %d", i, got, cases[i].want);
	}
}

/* Runs sheafstat precision on @dir and takes its line apart. */
static void precision(const char *dir, double width, int most, const char *more, int *layouts,
		      double *half, char *variant)
{
	char *command =
		xasprintf("$S precision %s --width %.17g --most %d %s", dir, width, most, more);

	good(command);
	free(command);
	*half = NAN;
	if (sscanf(output, "%d - %31s\n", layouts, variant) != 2 &&
	    sscanf(output, "%d %lf %31s\n", layouts, half, variant) != 3)
		fail_msg("'%s' is no line of precision", output);
}

/* Boots whose samples another tenant spoilt are done again, twice at the most; nothing else is. */
static void test_again(void **state)
{
	/* Boot $2 of qpw-on in layout $1: ok, with the samples of its first one. The gate says "contended" in all of them. */
	static const char *const drown = "awk -F '\\t' -v OFS='\\t' '/^#/ { print; next } { n = "
					 "split($6, g, \" \"); $6 = \"\"; for (i = 1; i <= n; "
					 "i++) $6 = $6 (i > 1 ? \" \" : \"\") 2 * g[i]; print }' "
					 "was >a.part/samples/qpw-on.l%02d.b%02d.tsv";
	char *command;

	(void)state;
	good("$M --small --layouts 8 --variants 'local-trylock null qpw-on' " FEW
	     " a.part && cp a.part/plan.tsv plan");
	good("$S again --boots 1 --seed 1 a.part && diff plan a.part/plan.tsv");
	assert_string_equal(output, "0\n");
	for (int boot = 0; boot < 3; boot++) {
		for (int layout = 3; layout <= 5; layout += 2) {
			if (boot)
				command =
					xasprintf("cp a.part/samples/qpw-on.l%02d.b00.tsv was", 1);
			else
				command = xasprintf("cp a.part/samples/qpw-on.l%02d.b00.tsv was",
						    layout);
			good(command);
			free(command);
			command = xasprintf(drown, layout, boot);
			good(command);
			free(command);
			if (!boot)
				continue;
			command = xasprintf("awk -F '\\t' -v OFS='\\t' '$2 == \"qpw-on\" && $3 == "
					    "%d && $4 == %d "
					    "{ print $1, $2, $3, $4, \"ok\", 1, \"now\", \"\" }' "
					    "a.part/plan.tsv "
					    ">>a.part/boots.tsv",
					    layout, boot);
			good(command);
			free(command);
		}
		good("$S again --boots 1 --seed 1 a.part");
		assert_string_equal(output, boot < 2 ? "2\n" : "0\n");
		/* While one is to be done there is no other. */
		good("$S again --boots 1 --seed 1 a.part && tail -n 2 a.part/plan.tsv | cut -f 2,4 "
		     "| sort -u");
		assert_string_equal(output, boot == 0 ? "0\nqpw-on\t1\n" : "0\nqpw-on\t2\n");
	}
	good("$S summarize a.part && jq -c '[.certificate.losses.variants[] | select(.variant == "
	     "\"qpw-on\").kept]' "
	     "a.part/summary.json");
	assert_string_equal(output, "[0.75]\n");
	/* One of them that is quiet after all brings the value. */
	good("cp was a.part/samples/qpw-on.l05.b02.tsv && $S summarize a.part && jq -c "
	     "'[.certificate.losses.variants[] | select(.variant == \"qpw-on\").kept]' "
	     "a.part/summary.json");
	assert_string_equal(output, "[0.875]\n");
	refused(2, "$S again a.part", "--boots and --seed must be given");
	refused(2, "$S again --boots x --seed 1 a.part", "--boots x or --seed 1 is not a number");
}

static void test_precision(void **state)
{
	double half, null_half, again;
	char variant[32], first[64];
	struct precision p;
	struct result r;
	struct fault f;
	int n;

	(void)state;
	good("$M --small --layouts 16 --variants 'local-trylock null qpw-n qpw-on dose-0' " FEW
	     " p.part");
	precision("p.part", 1000, 64, "", &n, &half, variant);
	assert_int_equal(n, 16);
	assert_string_equal(errors, "");
	/* The widest of the changes, by the summary; dose and null have no say. */
	good("$S summarize p.part && jq '[.effects[] | select(.workload == \"pair/64/1\" and "
	     "(.variant | startswith(\"qpw\"))) | (.ci95[1] - .ci95[0]) / 2] | max' "
	     "p.part/summary.json");
	near_to(half, atof(output), 6e-4, "the widest half-width");
	assert_int_equal(strncmp(variant, "qpw", 3), 0);
	result_get(&r, "p.part");
	assert_int_equal(precision_of(&r, NULL, 0.8, 64, &p, &f), 0);
	half = p.half; /* not rounded */
	assert_int_equal(precision_of(&r, NULL, half, 64, &p, &f), 0);
	assert_true(p.reached && p.layouts == 16);
	result_free(&r);
	precision("p.part", 0.8 * half, 64, "", &n, &again, variant);
	assert_int_equal(n, 24);
	precision("p.part", 0.01, 64, "", &n, &again, variant);
	assert_int_equal(n, 32);
	/* At the cap: the present number, and a word on it. */
	precision("p.part", 0.01, 16, "", &n, &again, variant);
	assert_int_equal(n, 16);
	assert_non_null(strstr(errors, "half-width 0.01 is not reached with 16 layouts"));
	precision("p.part", 0.01, 12, "", &n, &again, variant);
	assert_int_equal(n, 16);
	precision("p.part", 1000, 64, "--workload alloc/64/1", &n, &again, variant);
	assert_true(fabs(again - half) > 1e-3);

	refused(1, "$S precision p.part --width 1 --most 64 --workload pair/1/1",
		"pair/1/1 was not measured");
	refused(2, "$S precision p.part --width 0 --most 64", "--width 0 is not a number above 0");
	refused(2, "$S precision p.part --width nan --most 64", "--width nan is not");
	refused(2, "$S precision p.part --width 1 --most 257", "--most 257 is not a number");
	refused(2, "$S precision p.part --width 1", "--width and --most must be given");
	good("cp -r p.part q.part && sed -i '$d' q.part/boots.tsv");
	refused(1, "$S precision q.part --width 1 --most 64",
		"1 boots of plan.tsv are still to be done");

	/* Nothing but widths counts: a null that is 26 ticks dearer has the same line. */
	good("$M --layouts 8 --small --variants 'local-trylock null' " FEW " n; "
	     "$S precision n --width 0.01 --most 64");
	snprintf(first, sizeof(first), "%.60s", output);
	assert_non_null(strstr(first, "16 "));
	assert_non_null(strstr(first, " null\n"));
	assert_int_equal(sscanf(first, "%*d %lf", &null_half), 1);
	assert_true(null_half > 0.0);
	good("$M --layouts 8 --small --null-shift 26 --variants 'local-trylock null' " FEW " n; "
	     "$S precision n --width 0.01 --most 64");
	assert_string_equal(output, first);

	/* Too few layouts for a width that says anything. */
	good("$M --layouts 3 --small --variants 'local-trylock qpw-on' " FEW " few");
	precision("few", 1000, 64, "", &n, &again, variant);
	assert_int_equal(n, 8);
	precision("few", 1000, 6, "", &n, &again, variant);
	assert_int_equal(n, 6);
	good("$M --layouts 1 --small --variants 'local-trylock qpw-on' " FEW " one");
	precision("one", 1000, 64, "", &n, &again, variant);
	assert_true(n == 8 && isnan(again) && !strcmp(variant, "-"));
	/* A change that never boots is left out; when it is the only one, there is no width. */
	good("$M --layouts 8 --small --variants 'local-trylock qpw-off qpw-on' --fail qpw-on " FEW
	     " dead");
	precision("dead", 1000, 64, "", &n, &again, variant);
	assert_string_equal(variant, "qpw-off");
	good("$M --layouts 8 --small --variants 'local-trylock qpw-on' --fail qpw-on " FEW
	     " dead2");
	good("$S precision dead2 --width 1 --most 64");
	assert_string_equal(output, "8 - -\n");
	good("$M --layouts 8 --small --variants 'null qpw-on' " FEW " lost");
	refused(1, "$S precision lost --width 1 --most 64", "no width without a baseline");
}

static json_t *certificate(const char *dir)
{
	char *path = xasprintf("%s/certify.json", dir);
	json_t *j = json_load_file(path, 0, NULL);

	assert_non_null(j);
	free(path);
	return j;
}

/* No line is too long for a mail. */
static void columns_check(const char *text)
{
	for (const char *p = text, *end; (end = strchr(p, '\n')); p = end + 1)
		if (end - p > 72)
			fail_msg("%d columns: %.*s", (int)(end - p), (int)(end - p), p);
}

static double null_of(const json_t *j, const char *member)
{
	return json_num(json_object_get(j, "null"), member);
}

/* The baseline against itself, 8 groups of 16 layouts in 56 workloads, twice. */
static void test_false_alarms(void **state)
{
	double off = 0.0, all = 0.0, share;
	struct interval ci;
	json_t *j;

	(void)state;
	for (int seed = 1; seed < 3; seed++) {
		char *command = xasprintf("$M --seed %d --layouts 128 --variants 'local-trylock "
					  "null' " FEW " a && $S certify a",
					  seed);

		good(command);
		free(command);
		columns_check(output);
		assert_true(says("slope: n/a: no doses were measured"));
		assert_null(strstr(output, "nan"));
		assert_null(strstr(output, "in 100 or more"));
		j = certificate("a");
		assert_int_equal(null_of(j, "comparisons"), 8 * 56);
		assert_int_equal(json_num(j, "groups"), 8);
		assert_int_equal(json_num(j, "layouts_each"), 16);
		assert_int_equal(json_num(j, "workloads"), 56);
		share = null_of(j, "share");
		near_to(share, null_of(j, "excluding_zero") / (8 * 56), 1e-12, "share");
		ci = json_interval(json_object_get(j, "null"), "ci95");
		assert_true(ci.lo < share && share < ci.hi && ci.hi - ci.lo < 0.06);
		assert_int_equal(!says("(wanted: 5 +- 2 %): met"), share < 0.03 || share > 0.07);
		assert_true(json_is_null(json_object_get(j, "dose")));
		assert_true(json_is_null(json_object_get(j, "bare")));
		off += null_of(j, "excluding_zero");
		all += null_of(j, "comparisons");
		json_decref(j);
	}
	print_message("false alarms: %.0f of %.0f\n", off, all);
	near_to(off / all, 0.05, 0.02, "the share of false alarms");

	/* A difference that is there is found in nearly every group, and the goal is not met. */
	good("$M --layouts 32 --null-shift 1.5 --small --variants 'local-trylock null' " FEW
	     " b && $S certify --group 8 b");
	columns_check(output);
	assert_true(says("(wanted: 5 +- 2 %, in 100 or more): NOT MET"));
	j = certificate("b");
	assert_int_equal(null_of(j, "comparisons"), 4 * 5);
	assert_true(null_of(j, "share") > 0.9);
	json_decref(j);
}

/* Within the phases of the pads, from 8 layouts on. */
static double difference_sd(const char *dir)
{
	char *path = xasprintf(
		"$S summarize %s && jq '[.values[] | select(.workload == \"pair/64/1\") | "
		".per_layout] as [$a, $b] | [range($a | length) | { p: ($a[.].pad / 16 | floor | "
		". %% 4), d: ($a[.].value - $b[.].value) }] | group_by(.p) | "
		"if length < 4 or any(.[]; length < 3) then [add] else . end | "
		"map((map(.d) | add / length) as $m | map((.d - $m) * (.d - $m)) | "
		"{ n: length, s: add }) | "
		"(map(.s) | add) / ((map(.n) | add) - length) | sqrt' %s/summary.json",
		dir, dir);

	good(path);
	free(path);
	return atof(output);
}

/* Layouts and ticks of "resolution" are as worked out by hand. */
static void resolution_check(const json_t *j, double sd, const int layouts[3])
{
	/* t(.975) + t(.8) of n - 1 degrees of freedom, from tables. */
	static const struct {
		int n;
		double t;
	} sums[] = {
		{ 3, 4.3027 + 1.0607 },	  { 7, 2.4469 + 0.9057 },   { 12, 2.2010 + 0.8755 },
		{ 37, 2.0281 + 0.8520 },  { 71, 1.9944 + 0.8468 },  { 120, 1.9801 + 0.8446 },
		{ 225, 1.9706 + 0.8431 }, { 256, 1.9693 + 0.8429 },
	};
	static const int minutes[] = { 1, 10, 60 };

	for (int i = 0; i < 3; i++) {
		const json_t *one = json_array_get(json_object_get(j, "resolution"), i);
		bool known = false;

		assert_int_equal(json_num(one, "minutes"), minutes[i]);
		assert_int_equal(json_num(one, "layouts"), layouts[i]);
		for (size_t k = 0; k < ARRAY_SIZE(sums); k++) {
			if (sums[k].n != layouts[i])
				continue;
			near_to(json_num(one, "ticks"), sums[k].t * sd / sqrt(layouts[i]), 2e-4,
				"the resolution");
			known = true;
		}
		assert_true(known);
	}
}

static void test_certificate(void **state)
{
	const json_t *dose, *gate;
	double sd;
	json_t *j;

	(void)state;
	good("$M --layouts 32 --small --variants 'local-trylock null dose-0 dose-1 "
	     "dose-2 dose-4 dose-8 half-gate' " FEW " c && $S certify c");
	columns_check(output);
	assert_null(strstr(output, "nan"));
	assert_true(says("(wanted: the interval inside 0.90 to 1.10): proven"));
	assert_true(says(", since all were in the cache)"));
	j = certificate("c");
	dose = json_object_get(j, "dose");
	near_to(json_num(dose, "slope"), 1.0, 0.05, "the slope");
	assert_int_equal(json_array_size(json_object_get(dose, "points")), 4);
	gate = json_object_get(j, "bare");
	assert_string_equal(json_text(gate, "workload"), "pair/64/1");
	near_to(json_num(gate, "effect"), 0.0, 0.3, "the effect of the probes");
	assert_true(json_interval(gate, "ci95").lo < json_num(gate, "effect"));
	assert_true(json_array_size(json_object_get(j, "estimators")) > 2);
	/* Boots of 4.2 s: 60 / 8.4 layouts in a minute, and no more than pads in an hour. */
	sd = difference_sd("c");
	resolution_check(j, sd, (const int[]){ 7, 71, 256 });
	json_decref(j);
	/* A link costs, too. */
	good("jq '. + { link_s: 3.8 }' c/environment.json >e && cp e c/environment.json && "
	     "$S certify -o other.json c");
	assert_true(says("linking (3.8 s each)"));
	j = json_load_file("other.json", 0, NULL);
	resolution_check(j, sd, (const int[]){ 3, 37, 225 });
	json_decref(j);
	/* Boots of doses are those of one workload; a failed one that took long does not count. */
	good("jq 'del(.link_s)' c/environment.json >e && cp e c/environment.json && "
	     "sed -i '/\tdose-/s/\t4.2\t/\t2.5\t/; /\tdose-4\t7\t0\t/s/ok\t2.5/failed\t900/' "
	     "c/boots.tsv && $S certify c");
	j = certificate("c");
	resolution_check(j, sd, (const int[]){ 12, 120, 256 });
	json_decref(j);
	/* The same order of layouts every time. */
	good("cp c/certify.json first && $S certify c && cmp first c/certify.json");

	good("$M --layouts 16 --small --dose-slope 0.7 --variants 'local-trylock null dose-0 "
	     "dose-4 dose-8' " FEW " d && $S certify d");
	assert_true(says("(wanted: the interval inside 0.90 to 1.10): refuted"));
	j = certificate("d");
	near_to(json_num(json_object_get(j, "dose"), "slope"), 0.7, 0.06, "the slope");
	json_decref(j);
}

/* Groups are disjoint, each has all phases alike, and layouts that one side lacks are in none. */
static void test_groups(void **state)
{
	int *at, groups, seen[64] = { 0 }, widest = 0;
	struct result r;

	(void)state;
	good("$M --layouts 64 --small --variants 'local-trylock null' --fail 'null:5 null:9 "
	     "local-trylock:20' " FEW " g");
	result_get(&r, "g");
	at = certify_groups(&r, variants_find(&r.variants, "local-trylock"),
			    variants_find(&r.variants, "null"), 8, 0, &groups);
	/* Three missing layouts cost one to three groups of eight, by their phases. */
	assert_in_range(groups, 5, 7);
	for (int g = 0; g < groups; g++) {
		int phases[PHASES] = { 0 }, first = 64, last = 0;

		for (int i = 0; i < 8; i++) {
			int l = at[g * 8 + i];

			assert_in_range(l, 0, 63);
			assert_int_equal(seen[l]++, 0);
			assert_true(l != 4 && l != 8 && l != 19);
			first = l < first ? l : first;
			last = l > last ? l : last;
			for (int k = 0; k < r.plan.n; k++)
				if (r.plan.row[k].layout == l + 1 && r.plan.row[k].variant == 0)
					phases[pad_phase(r.plan.row[k].pad)]++;
		}
		for (int p = 0; p < PHASES; p++)
			assert_int_equal(phases[p], 2);
		widest = last - first > widest ? last - first : widest;
	}
	assert_true(widest > 32); /* not layouts in a row */
	free(at);
	result_free(&r);
}

static void test_refusals(void **state)
{
	(void)state;
	good("$M --layouts 8 --small --variants 'local-trylock null' " FEW " h && "
	     "$M --layouts 8 --small --variants 'local-trylock qpw-on' " FEW " i");
	refused(2, "$S certify --group 6 h", "--group 6 is not a multiple of 4");
	refused(2, "$S certify --group 0 h", "--group 0 is not a multiple of 4");
	refused(2, "$S certify", "an argument is missing");
	refused(1, "$S certify h", "fewer than 16 layouts with all phases");
	/* Layouts that have no more than one phase are in no group. */
	good("$M --layouts 1 --small --variants 'local-trylock null' " FEW " j");
	refused(1, "$S certify --group 4 j", "fewer than 4 layouts with all phases");
	refused(1, "$S certify --group 8 i", "no variant with the role null");
	refused(1, "$S certify --group 8 nowhere", "nowhere");
	refused(1, "$S certify --group 8 -o /nonexistent/c.json h", "/nonexistent/c.json");
	refused(1, "sed -i '2s/\t4.2\t/\tlong\t/' h/boots.tsv; $S certify --group 8 h",
		"boots.tsv:2: seconds 'long' is not a number from 0 to");
	assert_int_not_equal(access("h/certify.json", F_OK), 0);
}

static void test_plan_extend(void **state)
{
	(void)state;
	good("mkdir x && cd x; $M --layouts 8 --small " FEW " p8; cp p8/variants.tsv v; set -e; "
	     "plan() { $S plan --seed 4 --boots 2 --variants v \"$@\"; }; "
	     "rows() { grep -v '^#' $1; }; boots() { rows $1 | cut -f 2- | LC_ALL=C sort; }; "
	     "plan --layouts 8 -o old; cp old new; plan --layouts 16 --extend new -o new; "
	     "plan --layouts 16 -o fresh; "
	     "rows old >a; rows new | head -n $(wc -l <a) >b; cmp a b; "
	     "boots new >c; boots fresh >d; cmp c d; grep -q 'layouts 16 boots 2$' new");
	refused(1, "cd x; $S plan --seed 5 --boots 2 --layouts 16 --variants v --extend old -o y",
		"another pad, data or build");
	refused(1, "cd x; $S plan --seed 4 --boots 2 --layouts 4 --variants v --extend old -o y",
		"is in the old plan and not in the longer one");
	refused(1, "cd x; $S plan --seed 4 --boots 2 --layouts 16 --variants v --extend gone -o y",
		"gone: No such file");
	assert_int_not_equal(access("x/y", F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_precision_next), cmocka_unit_test(test_precision),
		cmocka_unit_test(test_again),	       cmocka_unit_test(test_false_alarms),
		cmocka_unit_test(test_certificate),    cmocka_unit_test(test_groups),
		cmocka_unit_test(test_refusals),       cmocka_unit_test(test_plan_extend),
	};
	char *clean;
	int ret;

	if (!mkdtemp(scratch) || chdir(scratch))
		return 1;
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	clean = xasprintf("rm -rf %s", scratch);
	if (chdir("/") || system(clean))
		ret = 1;
	free(clean);
	return ret;
}
