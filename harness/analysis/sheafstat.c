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

#include "result.h"

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
	const char *out = NULL, *seed = NULL, *layouts = NULL, *boots = NULL, *variants = NULL;
	const char **const value[] = { &out, &seed, &layouts, &boots, &variants };
	static const struct option longs[] = { { "output", 1, NULL, 0 },
					       { "seed", 1, NULL, 1 },
					       { "layouts", 1, NULL, 2 },
					       { "boots", 1, NULL, 3 },
					       { "variants", 1, NULL, 4 },
					       { "help", 0, NULL, 'h' },
					       { 0 } };
	uint64_t s, l, b;
	struct variants vs;
	struct plan p;
	struct fault f;
	int status;

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
		return bad_usage(c, "--location %s is not p05, p50, min or mean", name);
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

static void effect_show(const json_t *e)
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
	puts(holm < 0.05 ? " *" : "");
}

static int cmd_show(const struct command *c, int argc, char **argv)
{
	static const struct option longs[] = { { "help", 0, NULL, 'h' }, { 0 } };
	const char *unused, **const none = &unused;
	const json_t *null, *one;
	const char *last = "";
	struct fault f;
	int status;
	json_t *j;
	size_t i;

	if (arguments(c, argc, argv, &none, longs, 1, &status))
		return status;
	j = summary_read(argv[optind], &f);
	if (!j)
		return failed(&f);
	one = json_object_get(j, "estimator");
	printf("%.44s  target %.20s\nvalue of a run: %.60s\n", json_text(j, "result"),
	       json_text(json_object_get(j, "environment"), "target"), json_text(one, "about"));
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
	null = json_object_get(json_object_get(j, "certificate"), "null");
	if (json_is_object(null))
		printf("null: %.0f of %.0f intervals miss 0, median half-width %.2f, largest "
		       "%.2f\n",
		       json_num(null, "excluding_zero"), json_num(null, "comparisons"),
		       json_num(null, "median_halfwidth"), json_num(null, "largest"));
	else
		puts("null: not compared, so the rate of false alarms is unknown");
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
		effect_show(one);
	}
	if (json_array_size(json_object_get(j, "effects")))
		puts("\neffect and ratio with 95 % intervals; *: p < 0.05, Holm's correction made");
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
	      "# columns: variant_index name title effect lo hi baseline_value has_ci workload\n",
	      out);
	json_array_foreach(json_object_get(j, "effects"), i, e)
	{
		const char *workload = json_text(e, "workload");

		if (!streq(last, workload))
			fprintf(out, "\n\n# %s\n", workload);
		last = workload;
		variant_columns(out, j, json_text(e, "variant"));
		bounds_columns(out, json_num(e, "effect"), json_interval(e, "ci95"));
		fprintf(out, "\t%.6g\t%d\t", json_num(e, "baseline_value"),
			!isnan(json_interval(e, "ci95").lo));
		quoted(out, workload);
		putc('\n', out);
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
		    w.n == 1)
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
	const char *workload;
	double *x;
	int n;
};

static int gather_samples(void *arg, const char *workload, double *x, int n, struct fault *f)
{
	struct gather *g = arg;

	(void)f;
	if (!streq(workload, g->workload))
		return 0;
	g->x = xrealloc(g->x, g->n + n, sizeof(*g->x));
	memcpy(g->x + g->n, x, n * sizeof(*x));
	g->n += n;
	return 0;
}

static int plot_samples(FILE *out, const json_t *j, const struct result *r, const char *dir,
			struct fault *f)
{
	struct gather g = { .workload = "pair/64/1" };
	bool there = false;

	for (int w = 0; w < r->workloads; w++)
		there |= streq(r->workload[w], g.workload);
	if (!there && r->workloads)
		g.workload = r->workload[0];
	fprintf(out,
		"# %s: samples in ticks per operation, evenly taken from all boots; a block per "
		"variant\n"
		"# columns: ticks variant_index name title\n",
		g.workload);
	for (int v = 0; v < r->variants.n; v++) {
		g.n = 0;
		for (int i = 0; i < r->plan.n; i++) {
			char *stem, *path;
			int ret;

			if (r->plan.row[i].variant != v || r->boot[i].state != BOOT_OK)
				continue;
			stem = plan_stem(&r->variants, &r->plan.row[i]);
			path = xasprintf("%s/samples/%s.tsv", dir, stem);
			ret = samples_read(path, NULL, gather_samples, &g, f);
			free(path);
			free(stem);
			if (ret) {
				free(g.x);
				return -1;
			}
		}
		fprintf(out, "%s# %s\n", v ? "\n\n" : "", r->variants.v[v].name);
		for (int i = 0, want = g.n < PLOT_SAMPLES ? g.n : PLOT_SAMPLES; i < want; i++) {
			fprintf(out, "%.6g\t", g.x[(int)((double)i * g.n / want)]);
			variant_columns(out, j, r->variants.v[v].name);
			putc('\n', out);
		}
	}
	free(g.x);
	return 0;
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

static const struct command commands[] = {
	{ "plan", "plan --seed S --layouts L --boots B --variants variants.tsv -o plan.tsv",
	  "Writes the boots of a result in random, interleaved order. The same seed gives the same "
	  "plan; more\n"
	  "layouts keep the pads of those before. L is at most 256.",
	  cmd_plan },
	{ "summarize",
	  "summarize [--location p05|p50|min|mean] [--resamples N] [-o FILE] RESULTDIR",
	  "Reads the folder's boots and samples and writes RESULTDIR/summary.json, or FILE: values "
	  "and effects\n"
	  "with 95 % intervals over layouts. --location is what stands for the samples of one "
	  "boot\n"
	  "(default: their 5 % quantile); --resamples is for the bootstrap interval (default: "
	  "2000).",
	  cmd_summarize },
	{ "compare", "compare [--workloads REGEX] A B",
	  "Compares two results, each a folder or a summary.json: values by workload and variant, "
	  "and their\n"
	  "difference with a 95 % interval over layouts, unpaired. Says where the environments "
	  "differ.",
	  cmd_compare },
	{ "show", "show RESULTDIR|summary.json",
	  "Prints the effects as a table of at most 80 columns.", cmd_show },
	{ "plotdata", "plotdata RESULTDIR DIR",
	  "Writes effects.dat, samples.dat, bysize.dat and byn.dat into DIR, for gnuplot; the "
	  "header of each\n"
	  "names its columns. has_ci is 0 where there is no interval, and the bounds are then the "
	  "value.",
	  cmd_plotdata },
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
	fprintf(stderr, "sheafstat: %s%s; commands: plan, summarize, compare, show, plotdata\n",
		argc > 1 ? "no command " : "a command is missing", argc > 1 ? argv[1] : "");
	return EXIT_USAGE;
}
