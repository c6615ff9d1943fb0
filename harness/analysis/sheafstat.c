// SPDX-License-Identifier: GPL-2.0
/*
 * sheafstat: plans the boots of a result, and turns what they measured into effects with intervals.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <regex.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "certify.h"
#include "counts.h"
#include "peers.h"

#define EXIT_USAGE   2
#define PLOT_SAMPLES 4000
#define PLOT_SIZE    64

struct command {
	const char *name, *usage, *about;
	int (*run)(const struct command *c, int argc, char **argv);
};

static int bad_usage(const struct command *c, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "sheafstat %s: ", c->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "; see sheafstat %s --help\n", c->name);
	return EXIT_USAGE;
}

static int failed(const struct fault *f)
{
	fprintf(stderr, "sheafstat: %s\n", f->text);
	return EXIT_FAILURE;
}

/* Output to a terminal or pipe counts as work, too: a full disk behind it is an error. */
static int finished(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return EXIT_SUCCESS;
	fprintf(stderr, "sheafstat: cannot write: %s\n", strerror(errno));
	return EXIT_FAILURE;
}

/*
 * Takes the options in @longs out of the arguments, the text of each to @value at the option's
 * number; the @want other arguments are then at the end of argv, from optind on. Returns 0, or -1
 * with *@status to exit with.
 */
static int arguments(const struct command *c, int argc, char **argv, const char **const *value,
		     const struct option *longs, int want, int *status)
{
	int o;

	opterr = 0;
	optind = 1;
	while ((o = getopt_long(argc, argv, streq(longs[0].name, "output") ? ":o:" : ":", longs,
				NULL)) != -1) {
		if (o == 'h') {
			printf("usage: sheafstat %s\n%s\n", c->usage, c->about);
			*status = finished();
			return -1;
		}
		if (o == ':') {
			*status = bad_usage(c, "%s needs a value", argv[optind - 1]);
			return -1;
		}
		if (o == '?') {
			*status = bad_usage(c, "unknown option %s", argv[optind - 1]);
			return -1;
		}
		*value[o == 'o' ? 0 : o] = optarg;
	}
	if (argc - optind == want)
		return 0;
	*status = bad_usage(c,
			    argc - optind < want ? "an argument is missing" : "too many arguments");
	return -1;
}

static int cmd_plan(const struct command *c, int argc, char **argv)
{
	const char *out = NULL, *seed = NULL, *layouts = NULL, *boots = NULL, *variants = NULL,
		   *extend = NULL;
	const char **const value[] = { &out, &seed, &layouts, &boots, &variants, &extend };
	static const struct option longs[] = { { "output", 1, NULL, 0 },   { "seed", 1, NULL, 1 },
					       { "layouts", 1, NULL, 2 },  { "boots", 1, NULL, 3 },
					       { "variants", 1, NULL, 4 }, { "extend", 1, NULL, 5 },
					       { "help", 0, NULL, 'h' },   { 0 } };
	uint64_t s, l, b;
	struct variants vs;
	struct plan p, old;
	struct fault f;
	int status = 0;

	if (arguments(c, argc, argv, value, longs, 0, &status))
		return status;
	if (!out || !seed || !layouts || !boots || !variants)
		return bad_usage(c,
				 "--seed, --layouts, --boots, --variants and -o must all be given");
	/* What JSON readers can hold. */
	if (!parse_number(seed, 0, INT64_MAX, &s))
		return bad_usage(c, "--seed %s is not a number from 0 to 2^63 - 1", seed);
	if (!parse_number(layouts, 1, PADS, &l))
		return bad_usage(c, "--layouts %s is not a number from 1 to %d", layouts, PADS);
	if (!parse_number(boots, 1, 100, &b))
		return bad_usage(c, "--boots %s is not a number from 1 to 100", boots);
	if (variants_read(&vs, variants, &f))
		return failed(&f);
	plan_make(&p, &vs, s, l, b);
	if (extend) {
		status = plan_read(&old, &vs, extend, &f) || plan_extend(&p, &old, &vs, &f);
		plan_free(&old);
	}
	if (!status)
		status = plan_write(&p, &vs, s, out, &f);
	plan_free(&p);
	variants_free(&vs);
	return status ? failed(&f) : EXIT_SUCCESS;
}

static int cmd_summarize(const struct command *c, int argc, char **argv)
{
	const char *name = stat_locations[0].name, *resamples = NULL, *out = NULL;
	const char **const value[] = { &out, &name, &resamples };
	static const struct option longs[] = { { "output", 1, NULL, 0 },
					       { "location", 1, NULL, 1 },
					       { "resamples", 1, NULL, 2 },
					       { "help", 0, NULL, 'h' },
					       { 0 } };
	uint64_t times = STAT_RESAMPLES;
	const struct location *l;
	struct result r;
	struct fault f;
	json_t *j;
	char *path;
	int status;

	if (arguments(c, argc, argv, value, longs, 1, &status))
		return status;
	l = stat_location_find(name);
	if (!l)
		return bad_usage(
			c, "--location %s is not one that `sheafstat estimators --help` names",
			name);
	if (resamples && !parse_number(resamples, 100, 1000000, &times))
		return bad_usage(c, "--resamples %s is not a number from 100 to 1000000",
				 resamples);
	if (result_read(&r, argv[optind], l, &f))
		return failed(&f);
	j = summary_make(&r, times);
	path = out ? xstrdup(out) : xasprintf("%s/summary.json", argv[optind]);
	status = json_write(j, path, &f);
	free(path);
	json_decref(j);
	result_free(&r);
	return status ? failed(&f) : EXIT_SUCCESS;
}

/* "tsc_ticks_per_op" for people. */
static const char *unit(const char *metric)
{
	return streq(metric, "tsc_ticks_per_op") ? "TSC ticks per operation" : metric;
}

static const json_t *record_find(const json_t *j, const char *list, const char *workload,
				 const char *variant)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(j, list), i,
			   one) if (streq(json_text(one, "workload"), workload) &&
				    streq(json_text(one, "variant"), variant)) return one;
	return NULL;
}

/* The value of a text or number member in @buffer, "" for anything else. */
static const char *scalar(const json_t *v, char *buffer, size_t size)
{
	if (json_is_string(v))
		snprintf(buffer, size, "%s", json_string_value(v));
	else if (json_is_number(v))
		snprintf(buffer, size, "%.10g", json_number_value(v));
	else
		snprintf(buffer, size, "%s", "");
	return buffer;
}

/*
 * What a number cannot be compared across without saying so; other members (seeds, dates) differ by
 * nature.
 */
static bool matters(const char *key)
{
	static const char *const words[] = { "cpu",    "kernel", "machine",  "target",
					     "config", "compil", "governor", "smt",
					     "boost",  "clock",	 "virt" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strstr(key, words[i]))
			return true;
	return false;
}

static void environments_compare(json_t *a, json_t *b)
{
	char left[128], right[128];
	json_t *both = json_copy(a), *v;
	const char *key;

	json_object_update_missing(both, b);
	json_object_foreach(both, key, v)
	{
		scalar(json_object_get(a, key), left, sizeof(left));
		scalar(json_object_get(b, key), right, sizeof(right));
		if (matters(key) && !streq(left, right))
			printf("%s differs: %s | %s\n", key, *left ? left : "(not given)",
			       *right ? right : "(not given)");
	}
	json_decref(both);
}

static double *per_layout(const json_t *value, int *n)
{
	const json_t *all = json_object_get(value, "per_layout"), *one;
	double *x = xcalloc(json_array_size(all), sizeof(*x));
	size_t i;

	*n = 0;
	json_array_foreach(all, i, one) if (!isnan(json_num(one, "value")))
		x[(*n)++] = json_num(one, "value");
	return x;
}

static void value_compare(const json_t *a, const json_t *b)
{
	int na, nb;
	double *x = per_layout(a, &na), *y = per_layout(b, &nb);
	struct estimate e = stat_welch(y, nb, x, na, STAT_LEVEL);
	double ma = json_num(a, "mean"), mb = json_num(b, "mean");

	printf("  %-18.18s %8.2f %8.2f %+8.2f", json_text(a, "variant"), ma, mb, mb - ma);
	if (isnan(e.ci.lo))
		printf("  %-19s", "(1 layout)");
	else
		printf(" [%+8.2f,%+8.2f]", e.ci.lo, e.ci.hi);
	printf("%s\n", e.ci.lo > 0.0 ? "  B dearer" : e.ci.hi < 0.0 ? "  B cheaper" : "");
	free(y);
	free(x);
}

static int cmd_compare(const struct command *c, int argc, char **argv)
{
	const char *pattern = NULL, *last = "";
	const char **const value[] = { &pattern };
	static const struct option longs[] = { { "workloads", 1, NULL, 0 },
					       { "help", 0, NULL, 'h' },
					       { 0 } };
	json_t *a, *b = NULL, *va;
	struct fault f;
	regex_t regex;
	char why[128];
	int status, n = 0;
	size_t i;

	if (arguments(c, argc, argv, value, longs, 2, &status))
		return status;
	status = regcomp(&regex, pattern ? pattern : "", REG_EXTENDED | REG_NOSUB);
	if (status) {
		regerror(status, &regex, why, sizeof(why));
		return bad_usage(c, "--workloads %s: %s", pattern, why);
	}
	a = summary_read(argv[optind], &f);
	if (a)
		b = summary_read(argv[optind + 1], &f);
	if (!a || !b) {
		regfree(&regex);
		json_decref(a);
		return failed(&f);
	}
	printf("A %s\nB %s\n", json_text(a, "result"), json_text(b, "result"));
	environments_compare(json_object_get(a, "environment"), json_object_get(b, "environment"));
	if (!streq(json_text(json_object_get(a, "estimator"), "location"),
		   json_text(json_object_get(b, "estimator"), "location")))
		printf("estimator differs: %s | %s\n",
		       json_text(json_object_get(a, "estimator"), "location"),
		       json_text(json_object_get(b, "estimator"), "location"));
	json_array_foreach(json_object_get(a, "values"), i, va)
	{
		const char *workload = json_text(va, "workload"), *metric = json_text(va, "metric");
		const json_t *vb = record_find(b, "values", workload, json_text(va, "variant"));

		if (!vb || regexec(&regex, workload, 0, NULL, 0))
			continue;
		if (!streq(metric, json_text(vb, "metric"))) {
			printf("%s %s: %s against %s cannot be compared\n", workload,
			       json_text(va, "variant"), metric, json_text(vb, "metric"));
			continue;
		}
		if (!streq(last, workload))
			printf("\n%s, %s\n  %-18s %8s %8s %8s %s\n", workload, unit(metric),
			       "variant", "A", "B", "B - A", "95 % interval (Welch)");
		last = workload;
		value_compare(va, vb);
		n++;
	}
	regfree(&regex);
	json_decref(b);
	json_decref(a);
	if (!n) {
		fputs("sheafstat: no workload and variant that both have", stderr);
		fprintf(stderr, "%s%s\n", pattern ? " and that matches " : "",
			pattern ? pattern : "");
		return EXIT_FAILURE;
	}
	return finished();
}

static void effect_show(const json_t *e, bool certified)
{
	struct interval ci = json_interval(e, "ci95"), ratio = json_interval(e, "ratio_ci95");
	double holm = json_num(e, "p_holm");

	printf("  %-20.20s %+8.2f", json_text(e, "variant"), json_num(e, "effect"));
	if (isnan(ci.lo))
		printf(" %-19s", "(no interval)");
	else
		printf(" [%+8.2f,%+8.2f]", ci.lo, ci.hi);
	if (isnan(ratio.lo))
		printf(" %22s", "");
	else
		printf("  %.3f [%.3f, %.3f]", json_num(e, "ratio"), ratio.lo, ratio.hi);
	puts(certified && holm < 0.05 ? " *" : "");
}

/* A sentence on several lines of at most 80 columns. */
static void sentence_show(const char *s)
{
	int column = 0;

	while (*s) {
		int word = strcspn(s, " ");

		if (column && column + word > 76) {
			puts("");
			column = 0;
		}
		column += printf("%s%.*s", column ? " " : "  ", word, s);
		s += word + (s[word] == ' ');
	}
	puts("");
}

static void null_show(const json_t *null)
{
	struct interval share = json_interval(null, "share_ci95");

	if (!json_is_object(null)) {
		puts("null   not compared, so the rate of false alarms is unknown");
		return;
	}
	printf("null   %.0f of %.0f intervals miss 0, %.1f %% [%.1f, %.1f], median half-width "
	       "%.2f\n",
	       json_num(null, "excluding_zero"), json_num(null, "comparisons"),
	       100.0 * json_num(null, "excluding_zero") / json_num(null, "comparisons"),
	       100.0 * share.lo, 100.0 * share.hi, json_num(null, "median_halfwidth"));
	printf("       largest difference %.2f, in %.40s\n", json_num(null, "largest"),
	       json_text(null, "largest_workload"));
}

static void dose_show(const json_t *dose)
{
	struct interval ci = json_interval(dose, "ci95");

	if (!json_is_object(dose))
		puts("dose   not measured, so it is unknown how much of a difference is seen");
	else if (isnan(ci.lo))
		printf("dose   slope %.3f in one layout, %.40s\n", json_num(dose, "slope"),
		       json_text(dose, "workload"));
	else
		printf("dose   slope %.3f [%.3f, %.3f] core cycles for each added, %.24s\n",
		       json_num(dose, "slope"), ci.lo, ci.hi, json_text(dose, "workload"));
}

/* What the instrument is worth comes before what it found. */
static void certificate_show(const json_t *j)
{
	const json_t *gate = json_object_get(j, "gate"), *clock = json_object_get(j, "clock"),
		     *noise = json_object_get(j, "noise"), *warm = json_object_get(j, "warmup"),
		     *rate = json_object_get(clock, "core_per_tick"), *why;
	size_t i;

	null_show(json_object_get(j, "null"));
	dose_show(json_object_get(j, "dose"));
	if (json_is_object(gate))
		printf("gate   %.1f %% of %.0f samples quiet, %.0f of %.0f runs without quiet "
		       "ones\n",
		       100.0 * json_num(gate, "quiet_share"), json_num(gate, "samples"),
		       json_num(gate, "runs_without_quiet"), json_num(gate, "runs"));
	else
		puts("gate   off: all samples count as quiet");
	if (json_is_object(clock))
		printf("clock  %.3f core cycles per tick, p01 %.3f, p99 %.3f; moved in %.0f of the "
		       "runs\n",
		       json_num(rate, "p50"), json_num(rate, "p01"), json_num(rate, "p99"),
		       json_num(clock, "moved"));
	else
		puts("clock  core cycles per tick are unknown: no chains");
	if (json_is_object(noise))
		printf("noise  %.0f ppm of the time lost in gaps, the largest of %.0f ticks\n",
		       json_num(noise, "ppm"), json_num(noise, "largest_ticks"));
	else
		puts("noise  unknown: the gap detector was off");
	if (json_is_object(warm))
		printf("warmup in %.0f of %.0f runs, of up to %.0f samples\n",
		       json_num(warm, "with"), json_num(warm, "runs"),
		       json_num(warm, "samples_max"));
	if (json_is_true(json_object_get(j, "holds")))
		puts("The certificate holds.");
	else
		puts("The certificate does not hold, so no effect is proven:");
	json_array_foreach(json_object_get(j, "why_not"), i, why)
	{
		sentence_show(json_string_value(why));
	}
}

/* "OP/SIZE/N/ORDER" taken apart; order is "" when there is none. */
struct workload_name {
	char op[64], order[64];
	unsigned int size, n;
};

static bool workload_parse(const char *s, struct workload_name *w)
{
	*w = (struct workload_name){ 0 };
	return sscanf(s, "%63[^/]/%u/%u/%63s", w->op, &w->size, &w->n, w->order) >= 3;
}

/* One workload per operation: the first of 64 bytes that was counted. */
static bool counts_stand(const json_t *counts, const json_t *one)
{
	struct workload_name w, other;
	const json_t *before;
	size_t i;

	if (!workload_parse(json_text(one, "workload"), &w) || w.size != PLOT_SIZE)
		return false;
	json_array_foreach(counts, i, before)
	{
		if (streq(json_text(before, "workload"), json_text(one, "workload")))
			return true;
		if (streq(json_text(before, "target"), json_text(one, "target")) &&
		    workload_parse(json_text(before, "workload"), &other) &&
		    other.size == PLOT_SIZE && streq(other.op, w.op))
			return false;
	}
	return false;
}

static const char *role_of(const json_t *j, const char *variant)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(j, "variants"), i,
			   one) if (streq(json_text(one, "name"),
					  variant)) return json_text(one, "role");
	return "";
}

/* What a result holds that tells no time. */
/* Where boots were counted and not timed: the instructions of each workload. */
static void counters_show(const json_t *j)
{
	const json_t *one;
	const char *last = "";
	size_t i;

	json_array_foreach(json_object_get(j, "counters"), i, one)
	{
		const char *role = role_of(j, json_text(one, "variant"));

		if (!streq(json_text(one, "metric"), "instructions") ||
		    (!streq(role, "baseline") && !streq(role, "change")))
			continue;
		if (!streq(last, json_text(one, "workload")))
			printf("\n%.40s: instructions\n", json_text(one, "workload"));
		last = json_text(one, "workload");
		printf("  %-22.22s %8.6g %+6.6g\n", json_text(one, "variant"),
		       json_num(one, "value"),
		       streq(role, "baseline") ? 0 : json_num(one, "effect"));
	}
}

static void counts_show(const json_t *j)
{
	const json_t *counts = json_object_get(j, "counts"), *one, *base, *classes;
	size_t i, k;

	puts("exact counts per operation, and the difference from the baseline; no times");
	counters_show(j);
	json_array_foreach(counts, i, base)
	{
		if (!streq(role_of(j, json_text(base, "variant")), "baseline") ||
		    !counts_stand(counts, base))
			continue;
		printf("\n%.40s (target %.20s): instructions, LOCKed ones\n",
		       json_text(base, "workload"), json_text(base, "target"));
		json_array_foreach(counts, k, one)
		{
			const char *role = role_of(j, json_text(one, "variant"));

			if (!streq(role, "baseline") && !streq(role, "change"))
				continue;
			if (!streq(json_text(one, "workload"), json_text(base, "workload")) ||
			    !streq(json_text(one, "target"), json_text(base, "target")))
				continue;
			classes = json_object_get(one, "classes");
			printf("  %-22.22s %8.6g %+6.6g %4.6g\n", json_text(one, "variant"),
			       json_num(classes, "instructions"),
			       json_num(classes, "instructions") -
				       json_num(json_object_get(base, "classes"), "instructions"),
			       json_object_get(classes, "lock") ? json_num(classes, "lock") : 0.0);
		}
	}
	json_array_foreach(json_object_get(j, "counts_failed"), i, one)
		printf("not counted: %.22s (target %.20s): %.120s\n", json_text(one, "variant"),
		       json_text(one, "target"), json_text(one, "reason"));
}

static int cmd_show(const struct command *c, int argc, char **argv)
{
	static const struct option longs[] = { { "help", 0, NULL, 'h' }, { 0 } };
	const char *unused, **const none = &unused;
	const json_t *one;
	const char *last = "";
	bool certified;
	struct fault f;
	int status;
	json_t *j;
	size_t i;

	if (arguments(c, argc, argv, &none, longs, 1, &status))
		return status;
	j = summary_read(argv[optind], &f);
	if (!j)
		return failed(&f);
	printf("%.44s  target %.20s\n", json_text(j, "result"),
	       json_text(json_object_get(j, "environment"), "target"));
	if (!result_timed(json_object_get(j, "environment"))) {
		counts_show(j);
		json_decref(j);
		return finished();
	}
	printf("value of a run: %.60s\n", json_text(json_object_get(j, "estimator"), "about"));
	certified = json_is_true(json_object_get(json_object_get(j, "certificate"), "holds"));
	certificate_show(json_object_get(j, "certificate"));
	json_array_foreach(json_object_get(j, "variants"), i, one)
	{
		const char *reason = json_text(one, "reason");

		printf("  %-20.20s %3.0f layouts %3.0f boots", json_text(one, "name"),
		       json_num(one, "layouts"), json_num(one, "boots"));
		if (json_num(one, "failed") > 0.0)
			printf(", %.0f failed: ", json_num(one, "failed"));
		else if (*reason)
			printf(", ");
		printf("%.24s\n", reason);
	}
	json_array_foreach(json_object_get(j, "effects"), i, one)
	{
		const char *workload = json_text(one, "workload");

		if (!streq(last, workload))
			printf("\n%.40s: %.20s %.2f %s\n", workload, json_text(one, "baseline"),
			       json_num(one, "baseline_value"),
			       streq(json_text(one, "metric"), "tsc_ticks_per_op")
				       ? "TSC ticks"
				       : json_text(one, "metric"));
		last = workload;
		effect_show(one, certified);
	}
	if (json_array_size(json_object_get(j, "effects")))
		printf("\neffect and ratio with 95 %% intervals%s\n",
		       certified ? "; *: p < 0.05, Holm's correction made"
				 : "; none is proven, see above");
	json_array_foreach(json_object_get(j, "warnings"), i, one)
		printf("%s\n", json_string_value(one));
	json_decref(j);
	return finished();
}

static void quoted(FILE *out, const char *s)
{
	putc('"', out);
	for (; *s; s++)
		putc(*s == '"' || *s == '\\' ? '\'' : *s, out);
	putc('"', out);
}

static const json_t *variant_at(const json_t *j, const char *name, int *index)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(j, "variants"), i, one)
	{
		if (!streq(json_text(one, "name"), name))
			continue;
		*index = i;
		return one;
	}
	*index = -1;
	return NULL;
}

/* The variant's index, name and title. */
static void variant_columns(FILE *out, const json_t *j, const char *name)
{
	int index;
	const json_t *v = variant_at(j, name, &index);

	fprintf(out, "%d\t", index);
	quoted(out, name);
	putc('\t', out);
	quoted(out, v ? json_text(v, "title") : name);
}

/* @value, lo, hi, each after a tab; without an interval lo and hi are the value. */
static void bounds_columns(FILE *out, double value, struct interval ci)
{
	bool has = !isnan(ci.lo);

	fprintf(out, "\t%.6g\t%.6g\t%.6g", value, has ? ci.lo : value, has ? ci.hi : value);
}

/* Size or N, the value with its bounds, has_ci, and the variant. */
static void point_columns(FILE *out, const json_t *j, unsigned int x, const json_t *value)
{
	struct interval ci = json_interval(value, "ci95");

	fprintf(out, "%u", x);
	bounds_columns(out, json_num(value, "mean"), ci);
	fprintf(out, "\t%d\t", !isnan(ci.lo));
	variant_columns(out, j, json_text(value, "variant"));
}

static void plot_effects(FILE *out, const json_t *j)
{
	const char *last = "";
	const json_t *e;
	size_t i;

	fputs("# effect against the baseline; a block per workload, named in the comment before "
	      "it\n"
	      "# columns: variant_index name title effect lo hi baseline_value has_ci workload "
	      "baseline\n",
	      out);
	json_array_foreach(json_object_get(j, "effects"), i, e)
	{
		const char *workload = json_text(e, "workload");

		if (workload_is_flush(workload))
			continue;
		if (!streq(last, workload))
			fprintf(out, "\n\n# %s\n", workload);
		last = workload;
		variant_columns(out, j, json_text(e, "variant"));
		bounds_columns(out, json_num(e, "effect"), json_interval(e, "ci95"));
		fprintf(out, "\t%.6g\t%d\t", json_num(e, "baseline_value"),
			!isnan(json_interval(e, "ci95").lo));
		quoted(out, workload);
		putc('\t', out);
		quoted(out, json_text(e, "baseline"));
		putc('\n', out);
	}
}

static void plot_bysize(FILE *out, const json_t *j)
{
	const json_t *v, *value;
	struct workload_name w;
	size_t i, k;

	fputs("# pair, one object: ticks per operation against size in bytes; a block per variant\n"
	      "# columns: size mean lo hi has_ci variant_index name title\n",
	      out);
	json_array_foreach(json_object_get(j, "variants"), i, v)
	{
		fprintf(out, "%s# %s\n", i ? "\n\n" : "", json_text(v, "name"));
		json_array_foreach(json_object_get(j, "values"), k, value)
		{
			if (!workload_parse(json_text(value, "workload"), &w) ||
			    !streq(w.op, "pair") || w.n != 1 ||
			    !streq(json_text(value, "variant"), json_text(v, "name")))
				continue;
			point_columns(out, j, w.size, value);
			putc('\n', out);
		}
	}
}

/* One block: op and order of @w for variant @name. N = 1 has no order and belongs to each. */
static void byn_block(FILE *out, const json_t *j, const struct workload_name *w, const char *name)
{
	struct workload_name other;
	const json_t *value;
	size_t i;

	fprintf(out, "\n\n# %s%s%s %s\n", w->op, *w->order ? "/" : "", w->order, name);
	json_array_foreach(json_object_get(j, "values"), i, value)
	{
		if (!workload_parse(json_text(value, "workload"), &other) ||
		    !streq(json_text(value, "variant"), name) || !streq(other.op, w->op) ||
		    other.size != PLOT_SIZE || (other.n > 1 && !streq(other.order, w->order)))
			continue;
		point_columns(out, j, other.n, value);
		fprintf(out, "\t\"%s\"\t\"%s\"\n", w->op, w->order);
	}
}

static void plot_byn(FILE *out, const json_t *j)
{
	const json_t *values = json_object_get(j, "values"), *value, *v;
	struct workload_name *seen = xcalloc(json_array_size(values), sizeof(*seen)), w;
	int n = 0;
	size_t i, k;

	fprintf(out,
		"# ticks per operation against N, the objects held at once, of %d bytes; a block "
		"per op, order and variant\n"
		"# columns: n mean lo hi has_ci variant_index name title op order\n",
		PLOT_SIZE);
	json_array_foreach(values, i, value)
	{
		bool known = false;

		if (!workload_parse(json_text(value, "workload"), &w) || w.size != PLOT_SIZE ||
		    w.n == 1 || workload_is_flush(w.op))
			continue;
		for (int s = 0; s < n; s++)
			known |= streq(seen[s].op, w.op) && streq(seen[s].order, w.order);
		if (known)
			continue;
		seen[n++] = w;
		json_array_foreach(json_object_get(j, "variants"), k, v)
			byn_block(out, j, &w, json_text(v, "name"));
	}
	free(seen);
}

/* Samples of one workload of one variant, over its boots. */
struct gather {
	const struct result *r;
	const char *workload;
	double *x;
	bool *quiet;
	int n;
};

static int gather_samples(void *arg, struct samples *s, struct fault *f)
{
	struct gather *g = arg;

	(void)f;
	if (!streq(s->workload, g->workload))
		return 0;
	g->x = xrealloc(g->x, g->n + s->n, sizeof(*g->x));
	g->quiet = xrealloc(g->quiet, g->n + s->n, sizeof(*g->quiet));
	memcpy(g->x + g->n, s->x, s->n * sizeof(*s->x));
	for (int i = 0; i < s->n; i++)
		g->quiet[g->n++] = sample_quiet(g->r, s, i);
	return 0;
}

static int plot_samples(FILE *out, const json_t *j, const struct result *r, const char *dir,
			struct fault *f)
{
	struct gather g = { .r = r, .workload = "pair/64/1" };
	struct clock clock;
	bool there = false;

	for (int w = 0; w < r->workloads; w++)
		there |= streq(r->workload[w], g.workload);
	if (!there && r->workloads)
		g.workload = r->workload[0];
	fprintf(out,
		"# %s: samples in ticks per operation, evenly taken from all boots of the random "
		"layouts; a block per variant\n"
		"# columns: ticks variant_index name title quiet\n",
		g.workload);
	for (int v = 0; v < r->variants.n; v++) {
		g.n = 0;
		for (int i = 0; i < r->plan.n; i++) {
			char *stem, *path;
			int ret;

			if (r->plan.row[i].variant != v || !r->plan.row[i].layout ||
			    r->boot[i].state != BOOT_OK)
				continue;
			stem = plan_stem(&r->variants, &r->plan.row[i]);
			path = xasprintf("%s/samples/%s.tsv", dir, stem);
			ret = samples_read(path, &clock, gather_samples, &g, f);
			free(path);
			free(stem);
			if (ret) {
				free(g.quiet);
				free(g.x);
				return -1;
			}
		}
		fprintf(out, "%s# %s\n", v ? "\n\n" : "", r->variants.v[v].name);
		for (int i = 0, want = g.n < PLOT_SAMPLES ? g.n : PLOT_SAMPLES; i < want; i++) {
			int at = (double)i * g.n / want;

			fprintf(out, "%.6g\t", g.x[at]);
			variant_columns(out, j, r->variants.v[v].name);
			fprintf(out, "\t%d\n", g.quiet[at]);
		}
	}
	free(g.quiet);
	free(g.x);
	return 0;
}

struct symbol {
	const char *name;
	double most;
	int added; /* the baseline has none of it */
};

static int by_most(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return (x->most < y->most) - (x->most > y->most);
}

static void plot_counts(FILE *out, const json_t *j)
{
	const json_t *counts = json_object_get(j, "counts"), *one, *classes;
	struct symbol *symbol = NULL;
	int symbols = 0;
	const char *name, *role;
	size_t i;

	fprintf(out, "# instructions per operation on x86_64, stacked by symbol; a block per "
		     "workload and variant, of a workload on PREEMPT_RT with its target before it\n"
		     "# columns: from to place variant_index name title workload symbol\n");
	json_array_foreach(counts, i, one)
	{
		role = role_of(j, json_text(one, "variant"));
		/* A dose is shown nowhere, and takes no colour from what is. */
		if (streq(json_text(one, "target"), "uml") || !counts_stand(counts, one) ||
		    streq(role, "dose") || streq(role, "check"))
			continue;
		json_object_foreach(json_object_get(one, "symbols"), name, classes)
		{
			double n = json_num(classes, "instructions");
			int at = 0;

			if (streq(name, COUNTS_LOOP) || isnan(n))
				continue;
			while (at < symbols && !streq(symbol[at].name, name))
				at++;
			if (at == symbols) {
				symbol = xrealloc(symbol, ++symbols, sizeof(*symbol));
				symbol[at] = (struct symbol){ .name = name, .added = 1 };
			}
			symbol[at].most = fmax(symbol[at].most, n);
			if (streq(role, "baseline"))
				symbol[at].added = 0;
		}
	}
	if (symbols)
		qsort(symbol, symbols, sizeof(*symbol), by_most);
	json_array_foreach(counts, i, one)
	{
		const json_t *of = json_object_get(one, "symbols");
		char workload[128];
		double from = 0.0;

		if (streq(json_text(one, "target"), "uml") || !counts_stand(counts, one))
			continue;
		snprintf(workload, sizeof(workload), "%s%s",
			 streq(json_text(one, "target"), "tcg") ? "" : "tcg-rt:",
			 json_text(one, "workload"));
		fprintf(out, "\n\n# %s %s\n", workload, json_text(one, "variant"));
		/* What the baseline does not have comes last, so that the rest lines up. */
		for (int s = 0; s < 2 * symbols; s++) {
			int k = s % symbols;
			double n = json_num(json_object_get(of, symbol[k].name), "instructions");

			if (isnan(n) || symbol[k].added != s / symbols)
				continue;
			fprintf(out, "%.6g\t%.6g\t%d\t", from, from + n, k + 1);
			variant_columns(out, j, json_text(one, "variant"));
			putc('\t', out);
			quoted(out, workload);
			putc('\t', out);
			quoted(out, symbol[k].name);
			putc('\n', out);
			from += n;
		}
	}
	free(symbol);
}

/* The flush of all whose CPUs run a program, a shrink if there is one: what it takes from them. */
static const char *trade_workload(const json_t *counters)
{
	const char *found = NULL;
	const json_t *one;
	size_t i;

	json_array_foreach(counters, i, one)
	{
		const char *workload = json_text(one, "workload");
		struct workload_name w;

		if (!streq(json_text(one, "metric"), "stolen_ns") ||
		    !workload_parse(workload, &w) || !streq(w.order, "user") ||
		    streq(w.op, "flush-none"))
			continue;
		if (!found ||
		    (streq(w.op, "flush-shrink") && strncmp(found, "flush-shrink/", 13) != 0))
			found = workload;
	}
	return found;
}

static void plot_trade(FILE *out, const json_t *j)
{
	const json_t *effects = json_object_get(j, "effects"), *e, *one;
	const json_t *counters = json_object_get(j, "counters");
	const double ns = 1e6 / json_num(json_object_get(j, "environment"), "clock_khz");
	const char *workload = trade_workload(counters);
	size_t i, k;

	fputs("# ns that pair/64/1 costs more than the baseline, us that a flush takes from a "
	      "program on another CPU\n"
	      "# columns: variant_index name title cost lo hi stolen lo hi workload\n",
	      out);
	json_array_foreach(counters, i, one)
	{
		const char *variant = json_text(one, "variant");
		struct interval ci = json_interval(one, "ci95"), cost = { 0, 0 };
		double mean = 0;

		if (!workload || !streq(json_text(one, "workload"), workload) ||
		    !streq(json_text(one, "metric"), "stolen_ns"))
			continue;
		json_array_foreach(effects, k, e)
		{
			if (!streq(json_text(e, "variant"), variant) ||
			    !streq(json_text(e, "workload"), "pair/64/1"))
				continue;
			cost = json_interval(e, "ci95");
			mean = json_num(e, "effect");
		}
		variant_columns(out, j, variant);
		bounds_columns(out, mean * ns, (struct interval){ cost.lo * ns, cost.hi * ns });
		bounds_columns(out, json_num(one, "value") / 1e3,
			       (struct interval){ ci.lo / 1e3, ci.hi / 1e3 });
		putc('\t', out);
		quoted(out, workload);
		putc('\n', out);
	}
}

static int cmd_plotdata(const struct command *c, int argc, char **argv)
{
	static const struct option longs[] = { { "help", 0, NULL, 'h' }, { 0 } };
	const char *unused, **const none = &unused;
	static const struct {
		const char *name;
		void (*write)(FILE *out, const json_t *j);
	} files[] = {
		{ "effects.dat", plot_effects },
		{ "bysize.dat", plot_bysize },
		{ "byn.dat", plot_byn },
		{ "counts.dat", plot_counts },
		{ "trade.dat", plot_trade },
		{ "samples.dat", NULL }, /* needs the raw samples as well */
	};
	const char *dir, *to;
	struct result r;
	struct fault f;
	int status;
	json_t *j;

	if (arguments(c, argc, argv, &none, longs, 2, &status))
		return status;
	dir = argv[optind];
	to = argv[optind + 1];
	if (result_read(&r, dir, &stat_locations[0], &f))
		return failed(&f);
	j = summary_read(dir, &f);
	if (j && mkdir(to, 0777) && errno != EEXIST) {
		fault_set(&f, "cannot make %s: %s", to, strerror(errno));
		json_decref(j);
		j = NULL;
	}
	status = j ? 0 : -1;
	for (size_t i = 0; !status && i < ARRAY_SIZE(files); i++) {
		char *path = xasprintf("%s/%s", to, files[i].name);
		struct writer w;

		status = writer_open(&w, path, &f);
		free(path);
		if (status)
			break;
		if (files[i].write)
			files[i].write(w.file, j);
		else
			status = plot_samples(w.file, j, &r, dir, &f);
		if (status)
			writer_close(&w, false, &f);
		else
			status = writer_close(&w, true, &f);
	}
	json_decref(j);
	result_free(&r);
	return status ? failed(&f) : EXIT_SUCCESS;
}

static int cmd_precision(const struct command *c, int argc, char **argv)
{
	const char *width = NULL, *most = NULL, *workload = NULL;
	const char **const value[] = { &width, &most, &workload };
	static const struct option longs[] = { { "width", 1, NULL, 0 },
					       { "most", 1, NULL, 1 },
					       { "workload", 1, NULL, 2 },
					       { "help", 0, NULL, 'h' },
					       { 0 } };
	struct precision p;
	struct result r;
	struct fault f;
	uint64_t cap;
	double w;
	char *end;
	int status;

	if (arguments(c, argc, argv, value, longs, 1, &status))
		return status;
	if (!width || !most)
		return bad_usage(c, "--width and --most must be given");
	w = strtod(width, &end);
	if (end == width || *end || !isfinite(w) || w <= 0.0)
		return bad_usage(c, "--width %s is not a number above 0", width);
	if (!parse_number(most, 1, PADS, &cap))
		return bad_usage(c, "--most %s is not a number from 1 to %d", most, PADS);
	if (result_read(&r, argv[optind], &stat_locations[0], &f))
		return failed(&f);
	status = precision_of(&r, workload, w, cap, &p, &f);
	if (!status && isnan(p.half))
		printf("%d - %s\n", p.layouts, p.variant);
	else if (!status)
		printf("%d %.3f %s\n", p.layouts, p.half, p.variant);
	if (!status && !p.reached && p.layouts == r.plan.layouts - 1)
		fprintf(stderr,
			"sheafstat: the half-width %s is not reached with %d layouts, the most "
			"allowed\n",
			width, p.layouts);
	result_free(&r);
	return status ? failed(&f) : finished();
}

static int cmd_certify(const struct command *c, int argc, char **argv)
{
	const char *out = NULL, *group = "16";
	const char **const value[] = { &out, &group };
	static const struct option longs[] = {
		{ "output", 1, NULL, 0 }, { "group", 1, NULL, 1 }, { "help", 0, NULL, 'h' }, { 0 }
	};
	struct result r;
	struct fault f;
	uint64_t size;
	int status;
	json_t *j;
	char *path;

	if (arguments(c, argc, argv, value, longs, 1, &status))
		return status;
	if (!parse_number(group, PHASES, PADS, &size) || size % PHASES)
		return bad_usage(c, "--group %s is not a multiple of %d from %d to %d", group,
				 PHASES, PHASES, PADS);
	if (result_read(&r, argv[optind], &stat_locations[0], &f))
		return failed(&f);
	j = certify_make(&r, argv[optind], size, &f);
	result_free(&r);
	if (!j)
		return failed(&f);
	path = out ? xstrdup(out) : xasprintf("%s/certify.json", argv[optind]);
	status = json_write(j, path, &f);
	free(path);
	if (!status)
		certify_print(stdout, j);
	json_decref(j);
	return status ? failed(&f) : finished();
}

static int cmd_peers(const struct command *c, int argc, char **argv)
{
	static const struct option longs[] = { { "help", 0, NULL, 'h' }, { 0 } };
	const char *unused, **const none = &unused;
	struct peer *peers;
	struct result r;
	struct fault f;
	int status, n;

	if (arguments(c, argc, argv, &none, longs, 1, &status))
		return status;
	if (result_read(&r, argv[optind], &stat_locations[0], &f))
		return failed(&f);
	peers = peers_make(&r, &n, &f);
	status = peers ? peers_write(peers, n, argv[optind], &f) : -1;
	if (!status)
		peers_print(stdout, peers, n);
	free(peers);
	result_free(&r);
	return status ? failed(&f) : finished();
}

static void cell(const json_t *j, const char *key, double scale, const char *format, int width)
{
	char text[32] = "n/a";
	double v = json_num(j, key) * scale;

	if (!isnan(v))
		snprintf(text, sizeof(text), format, v);
	printf(" %*s", width, text);
}

static int cmd_estimators(const struct command *c, int argc, char **argv)
{
	static const struct option longs[] = { { "help", 0, NULL, 'h' }, { 0 } };
	const char *unused, **const none = &unused;
	struct fault f;
	json_t *all, *one;
	int status;
	size_t i;

	if (arguments(c, argc, argv, &none, longs, 1, &status))
		return status;
	all = estimators_make(argv[optind], &f);
	if (!all)
		return failed(&f);
	printf("%-11s %8s %8s %8s %10s  %s\n%-11s %8s %8s %8s %10s\n", "location", "SD boots",
	       "SD lay.", "null", "half-width", "dose slope", "", "%", "%", "miss 0, %",
	       "ticks/op");
	json_array_foreach(all, i, one)
	{
		struct interval ci = json_interval(one, "dose_ci95");

		printf("%-11s", json_text(one, "name"));
		cell(one, "sd_boot", 100.0, "%.3f", 8);
		cell(one, "sd_layout", 100.0, "%.3f", 8);
		cell(one, "null_share", 100.0, "%.1f", 8);
		cell(one, "median_halfwidth", 1.0, "%.3f", 10);
		cell(one, "dose_slope", 1.0, "%.3f", 6);
		if (!isnan(ci.lo))
			printf(" [%.3f, %.3f]", ci.lo, ci.hi);
		puts(json_is_true(json_object_get(one, "chosen")) ? "  default" : "");
	}
	json_decref(all);
	return finished();
}

static const struct command commands[] = {
	{ "plan",
	  "plan --seed S --layouts L --boots B --variants variants.tsv [--extend OLD] -o plan.tsv",
	  "Writes the boots of a result in random, interleaved order. The same seed gives the same "
	  "plan; more\n"
	  "layouts keep the pads of those before. L is at most 256. --extend keeps the boots of "
	  "the plan OLD in\n"
	  "their places and appends what it lacks; seed and variants must be its own.",
	  cmd_plan },
	{ "summarize", "summarize [--location NAME] [--resamples N] [-o FILE] RESULTDIR",
	  "Reads the folder's boots and samples and writes RESULTDIR/summary.json, or FILE: values "
	  "and effects\n"
	  "with 95 % intervals over layouts. --location is what stands for the samples of a "
	  "run: one of\n"
	  "`sheafstat estimators`, the first by default. --resamples is for the bootstrap "
	  "interval (default: 2000).",
	  cmd_summarize },
	{ "compare", "compare [--workloads REGEX] A B",
	  "Compares two results, each a folder or a summary.json: values by workload and variant, "
	  "and their\n"
	  "difference with a 95 % interval over layouts, unpaired. Says where the environments "
	  "differ.",
	  cmd_compare },
	{ "show", "show RESULTDIR|summary.json",
	  "Prints the certificate, then the effects as a table of at most 80 columns.", cmd_show },
	{ "estimators", "estimators RESULTDIR",
	  "Compares what may stand for the samples of a run: spread between boots and between "
	  "layouts relative\n"
	  "to the value, over all workloads; how many intervals of the null comparison miss 0, and "
	  "their median\n"
	  "half-width; the slope of the known doses. The locations are quiet-p50 (the default), "
	  "quiet-trim,\n"
	  "quiet-mean and quiet-p05 of the samples that the gate calls quiet, and p05, p50, mean, "
	  "min "
	  "and mode\n"
	  "of all.",
	  cmd_estimators },
	{ "plotdata", "plotdata RESULTDIR DIR",
	  "Writes effects.dat, samples.dat, bysize.dat, byn.dat and counts.dat into DIR, for "
	  "gnuplot; "
	  "the header of each\n"
	  "names its columns. has_ci is 0 where there is no interval, and the bounds are then the "
	  "value.",
	  cmd_plotdata },
	{ "precision", "precision --width W --most M [--workload NAME] RESULTDIR",
	  "Prints LAYOUTS HALFWIDTH VARIANT: how many layouts the result should have, at most M, "
	  "for 95 %\n"
	  "intervals of the effects of all changes on one workload (default: pair/64/1, or the "
	  "first) of half-\n"
	  "width W or less, in ticks per operation; and the widest one now. Looks at widths, never "
	  "at effects.",
	  cmd_precision },
	{ "certify", "certify [--group N] [-o FILE] RESULTDIR",
	  "Writes RESULTDIR/certify.json, or FILE, and prints it: false alarms of the null over "
	  "disjoint groups\n"
	  "of N layouts (default: 16), doses, estimators, and the smallest effect that can be "
	  "resolved.",
	  cmd_certify },
	{ "peers", "peers RESULTDIR",
	  "Writes RESULTDIR/peers.tsv and prints it: for each loop that the doses were measured "
	  "with, its spread\n"
	  "between boots and layouts, and how often one boot against one boot gets a dose's sign "
	  "wrong.",
	  cmd_peers },
};

static int usage(FILE *out, int status)
{
	fputs("usage: sheafstat COMMAND …, each with --help\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  sheafstat %s\n", commands[i].usage);
	return status;
}

int main(int argc, char **argv)
{
	if (argc > 1 && (streq(argv[1], "--help") || streq(argv[1], "-h"))) {
		usage(stdout, 0);
		return finished();
	}
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(commands); i++)
		if (streq(argv[1], commands[i].name))
			return commands[i].run(&commands[i], argc - 1, argv + 1);
	fprintf(stderr,
		"sheafstat: %s%s; commands: plan, summarize, compare, show, estimators, plotdata, "
		"precision, certify, peers\n",
		argc > 1 ? "no command " : "a command is missing", argc > 1 ? argv[1] : "");
	return EXIT_USAGE;
}
