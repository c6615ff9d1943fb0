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

#include "certificate.h"
#include "certify.h"
#include "escape.h"
#include "number.h"
#include "peers.h"
#include "plotdata.h"
#include "simulate.h"
#include "summary.h"
#include "sums.h"
#include "verdict.h"

#define EXIT_USAGE   2
#define OPTIONS_MOST 6

struct command {
	const char *name, *options, *usage, *about; /* options: words, each takes a value */
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
 * Takes the command's options out of the arguments, the text of each to @value at its place among
 * them; the @want other arguments are then at the end of argv, from optind on. Returns 0, or -1
 * with *@status to exit with.
 */
static int arguments(const struct command *c, int argc, char **argv, const char **const *value,
		     int want, int *status)
{
	struct option longs[OPTIONS_MOST + 2] = { { "help", 0, NULL, 'h' } };
	char *words = xstrdup(c->options), *save = NULL;
	int o, n = 1;

	for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save), n++)
		longs[n] = (struct option){ w, 1, NULL, n };
	opterr = 0;
	optind = 1;
	*status = -1;
	while (*status < 0 &&
	       (o = getopt_long(argc, argv, n > 1 && streq(longs[1].name, "output") ? ":o:" : ":",
				longs, NULL)) != -1) {
		if (o == 'h') {
			printf("usage: sheafstat %s\n%s\n", c->usage, c->about);
			*status = finished();
		} else if (o == ':') {
			*status = bad_usage(c, "%s needs a value", argv[optind - 1]);
		} else if (o == '?') {
			*status = bad_usage(c, "unknown option %s", argv[optind - 1]);
		} else {
			*value[o == 'o' ? 0 : o - 1] = optarg;
		}
	}
	free(words);
	if (*status < 0 && argc - optind != want)
		*status = bad_usage(c, argc - optind < want ? "an argument is missing"
							    : "too many arguments");
	if (*status >= 0)
		return -1;
	*status = 0;
	return 0;
}

/* @j to the file @out, or to @name in the folder @dir. */
static int written(const json_t *j, const char *out, const char *dir, const char *name,
		   struct fault *f)
{
	char *path = out ? xstrdup(out) : xasprintf("%s/%s", dir, name);
	int status = json_write(j, path, f);

	free(path);
	return status;
}

static int cmd_plan(const struct command *c, int argc, char **argv)
{
	const char *out = NULL, *seed = NULL, *layouts = NULL, *boots = NULL, *variants = NULL,
		   *extend = NULL;
	const char **const value[] = { &out, &seed, &layouts, &boots, &variants, &extend };
	uint64_t s, l, b;
	struct variants vs;
	struct plan p, old;
	struct fault f;
	int status = 0;

	if (arguments(c, argc, argv, value, 0, &status))
		return status;
	if (!out || !seed || !layouts || !boots || !variants)
		return bad_usage(c,
				 "--seed, --layouts, --boots, --variants and -o must all be given");
	/* What JSON readers can hold. */
	if (!parse_number(seed, 0, INT64_MAX, &s))
		return bad_usage(c, "--seed %s is not a number from 0 to 2^63 - 1", seed);
	if (!parse_number(layouts, 1, PADS, &l))
		return bad_usage(c, "--layouts %s is not a number from 1 to %d", layouts, PADS);
	if (!parse_number(boots, 1, PLAN_BOOTS, &b))
		return bad_usage(c, "--boots %s is not a number from 1 to %d", boots, PLAN_BOOTS);
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

/* A finite number above 0. */
static bool parse_above(const char *s, double *out)
{
	char *end;

	*out = strtod(s, &end);
	return end != s && !*end && isfinite(*out) && *out > 0.0;
}

/* What is not as it was measured, in one line. */
static void changed_say(const json_t *changed)
{
	const size_t n = json_array_size(changed);

	if (n)
		fprintf(stderr, "sheafstat: %s",
			shown(json_item(json_array_get(changed, 0)), SHOWN_MOST).s);
	if (n > 1)
		fprintf(stderr, "; and %zu more: sheafstat summarize tells of all", n - 1);
	if (n)
		fputc('\n', stderr);
}

/* The same of what has no summary. */
static void sums_say(const char *dir)
{
	json_t *changed = json_array();

	sums_check(dir, changed);
	changed_say(changed);
	json_decref(changed);
}

static int cmd_summarize(const struct command *c, int argc, char **argv)
{
	const char *name = stat_locations[0].name, *resamples = NULL, *out = NULL, *equal = NULL;
	const char **const value[] = { &out, &name, &resamples, &equal };
	uint64_t times = STAT_RESAMPLES;
	const struct location *l;
	double bound = VERDICT_EQUAL;
	struct result r;
	struct fault f;
	json_t *j;
	int status;

	if (arguments(c, argc, argv, value, 1, &status))
		return status;
	l = stat_location_find(name);
	if (!l)
		return bad_usage(
			c, "--location %s is not one that `sheafstat estimators --help` names",
			name);
	if (resamples && !parse_number(resamples, 100, 1000000, &times))
		return bad_usage(c, "--resamples %s is not a number from 100 to 1000000",
				 resamples);
	if (equal && !parse_above(equal, &bound))
		return bad_usage(c, "--equal %s is not a number above 0", equal);
	if (result_read(&r, argv[optind], l, &f))
		return failed(&f);
	j = summary_make(&r, argv[optind], times, bound, &f);
	changed_say(json_object_get(j, "changed"));
	status = j ? written(j, out, argv[optind], "summary.json", &f) : -1;
	json_decref(j);
	result_free(&r);
	return status ? failed(&f) : EXIT_SUCCESS;
}

/* A text or number, "(not given)" for anything else, to be used within the expression that makes it. */
static struct shown scalar(const json_t *v)
{
	char number[32];

	if (*json_item(v))
		return shown(json_item(v), 120);
	if (!json_is_number(v))
		return shown("(not given)", 120);
	snprintf(number, sizeof(number), "%.10g", json_number_value(v));
	return shown(number, 120);
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
	json_t *both = json_copy(a), *v;
	const char *key;

	json_object_update_missing(both, b);
	json_object_foreach(both, key, v) {
		const struct shown left = scalar(json_object_get(a, key)),
				   right = scalar(json_object_get(b, key));

		if (matters(key) && !streq(left.s, right.s))
			printf("%s differs: %s | %s\n", key, left.s, right.s);
	}
	json_decref(both);
}

static double *per_layout(const json_t *value, int *n)
{
	const json_t *all = json_object_get(value, "per_layout"), *one;
	double *x = xcalloc(json_array_size(all), sizeof(*x));
	size_t i;

	*n = 0;
	json_array_foreach(all, i, one)
		if (!isnan(json_num(one, "value")))
			x[(*n)++] = json_num(one, "value");
	return x;
}

static void value_compare(const json_t *a, const json_t *b)
{
	int na, nb;
	double *x = per_layout(a, &na), *y = per_layout(b, &nb);
	struct estimate e = stat_welch(y, nb, x, na, STAT_LEVEL);
	double ma = json_num(a, "mean"), mb = json_num(b, "mean");

	printf("  %-18s %8.2f %8.2f %+8.2f", shown(json_text(a, "variant"), 18).s, ma, mb, mb - ma);
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
	json_t *a, *b = NULL, *va;
	struct fault f;
	regex_t regex;
	char why[128];
	int status, n = 0;
	size_t i;

	if (arguments(c, argc, argv, value, 2, &status))
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
	json_array_foreach(json_object_get(a, "values"), i, va) {
		const char *workload = json_text(va, "workload"), *metric = json_text(va, "metric");
		const json_t *vb = json_find(json_object_get(b, "values"), "workload", workload,
					     "variant", json_text(va, "variant"), NULL);

		if (!vb || regexec(&regex, workload, 0, NULL, 0))
			continue;
		if (!streq(metric, json_text(vb, "metric"))) {
			printf("%s %s: %s against %s cannot be compared\n", workload,
			       json_text(va, "variant"), metric, json_text(vb, "metric"));
			continue;
		}
		if (!streq(last, workload))
			printf("\n%s, %s\n  %-18s %8s %8s %8s %s\n", workload, unit_long(metric),
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

static int cmd_plotdata(const struct command *c, int argc, char **argv)
{
	struct result r;
	struct fault f;
	int status;
	json_t *j;

	if (arguments(c, argc, argv, NULL, 2, &status))
		return status;
	if (result_read(&r, argv[optind], &stat_locations[0], &f))
		return failed(&f);
	j = summary_read(argv[optind], &f);
	status = j ? plotdata_write(j, &r, argv[optind], argv[optind + 1], &f) : -1;
	json_decref(j);
	result_free(&r);
	return status ? failed(&f) : EXIT_SUCCESS;
}

static int cmd_precision(const struct command *c, int argc, char **argv)
{
	const char *width = NULL, *most = NULL, *workload = NULL;
	const char **const value[] = { &width, &most, &workload };
	struct precision p;
	struct result r;
	struct fault f;
	uint64_t cap;
	double w;
	int status;

	if (arguments(c, argc, argv, value, 1, &status))
		return status;
	if (!width || !most)
		return bad_usage(c, "--width and --most must be given");
	if (!parse_above(width, &w))
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

static int cmd_again(const struct command *c, int argc, char **argv)
{
	const char *boots = NULL, *seed = NULL;
	const char **const value[] = { &boots, &seed };
	uint64_t number, planned;
	struct result r;
	struct fault f;
	int status = 0, more;
	char *path;

	if (arguments(c, argc, argv, value, 1, &status))
		return status;
	if (!boots || !seed)
		return bad_usage(c, "--boots and --seed must be given");
	if (!parse_number(boots, 1, PLAN_BOOTS, &planned) ||
	    !parse_number(seed, 0, UINT32_MAX, &number))
		return bad_usage(c, "--boots %s or --seed %s is not a number", boots, seed);
	if (result_read(&r, argv[optind], &stat_locations[0], &f))
		return failed(&f);
	more = plan_again(&r, planned, number);
	path = xasprintf("%s/plan.tsv", argv[optind]);
	if (more)
		status = plan_write(&r.plan, &r.variants, number, path, &f);
	free(path);
	result_free(&r);
	if (status)
		return failed(&f);
	printf("%d\n", more);
	return finished();
}

static int cmd_primary(const struct command *c, int argc, char **argv)
{
	json_t *names = json_array(), *list, *name;
	int status;
	size_t i;

	if (arguments(c, argc, argv, NULL, argc - 1, &status)) {
		json_decref(names);
		return status;
	}
	for (int k = optind; k < argc; k++)
		json_array_append_new(names, json_from_text(argv[k]));
	list = verdict_primary(names);
	json_array_foreach(list, i, name)
		puts(json_string_value(name));
	json_decref(list);
	json_decref(names);
	return finished();
}

static int cmd_certify(const struct command *c, int argc, char **argv)
{
	const char *out = NULL, *group = "16";
	const char **const value[] = { &out, &group };
	struct result r;
	struct fault f;
	uint64_t size;
	int status;
	json_t *j;

	if (arguments(c, argc, argv, value, 1, &status))
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
	changed_say(json_object_get(j, "changed"));
	status = written(j, out, argv[optind], "certify.json", &f);
	if (!status)
		certify_write(&(struct doc){ .f = stdout, .style = DOC_MAIL }, j);
	json_decref(j);
	return status ? failed(&f) : finished();
}

static int cmd_peers(const struct command *c, int argc, char **argv)
{
	struct peer *peers;
	struct result r;
	struct fault f;
	int status, n;

	if (arguments(c, argc, argv, NULL, 1, &status))
		return status;
	if (result_read(&r, argv[optind], &stat_locations[0], &f))
		return failed(&f);
	sums_say(argv[optind]);
	peers = peers_make(&r, &n, &f);
	status = peers ? peers_write(peers, n, argv[optind], &f) : -1;
	if (!status)
		peers_print(stdout, peers, n);
	free(peers);
	result_free(&r);
	return status ? failed(&f) : finished();
}

static int cmd_estimators(const struct command *c, int argc, char **argv)
{
	struct fault f;
	json_t *all;
	int status;

	if (arguments(c, argc, argv, NULL, 1, &status))
		return status;
	all = estimators_make(argv[optind], &f);
	if (!all)
		return failed(&f);
	sums_say(argv[optind]);
	estimators_write(&(struct doc){ .f = stdout, .style = DOC_MAIL }, all);
	json_decref(all);
	return finished();
}

static int cmd_sums(const struct command *c, int argc, char **argv)
{
	struct fault f;
	int status;

	if (arguments(c, argc, argv, NULL, 1, &status))
		return status;
	return sums_write(argv[optind], &f) ? failed(&f) : EXIT_SUCCESS;
}

static int cmd_simulate(const struct command *c, int argc, char **argv)
{
	const char *reports = "2000", *layouts = "12", *seed = "1", *sd = "0.45", *equal = NULL;
	const char **const value[] = { &reports, &layouts, &seed, &sd, &equal };
	struct world world = { .equal = VERDICT_EQUAL, .same_code = 3 };
	struct rates rates;
	uint64_t n, l;
	int status;

	if (arguments(c, argc, argv, value, 0, &status))
		return status;
	if (!parse_number(reports, 100, 1000000, &n))
		return bad_usage(c, "--reports %s is not a number from 100 to 1000000", reports);
	if (!parse_number(layouts, CERTIFICATE_LAYOUTS, PADS, &l))
		return bad_usage(c, "--layouts %s is not a number from %d to %d", layouts,
				 CERTIFICATE_LAYOUTS, PADS);
	if (!parse_number(seed, 0, INT64_MAX, &world.seed))
		return bad_usage(c, "--seed %s is not a number from 0 to 2^63 - 1", seed);
	if (!parse_above(sd, &world.sd))
		return bad_usage(c, "--sd %s is not a number above 0", sd);
	if (equal && !parse_above(equal, &world.equal))
		return bad_usage(c, "--equal %s is not a number above 0", equal);
	world.reports = (int)n;
	world.layouts = (int)l;
	simulate(&world, &rates);
	rates_print(stdout, &world, &rates);
	return finished();
}

static const struct command commands[] = {
	{ "plan", "output seed layouts boots variants extend",
	  "plan --seed S --layouts L --boots B --variants variants.tsv [--extend OLD] -o plan.tsv",
	  "Writes the boots of a result in random, interleaved order. The same seed gives the same "
	  "plan; more\n"
	  "layouts keep the pads of those before. L is at most 256. --extend keeps the boots of "
	  "the plan OLD in\n"
	  "their places and appends what it lacks; seed and variants must be its own.",
	  cmd_plan },
	{ "summarize", "output location resamples equal",
	  "summarize [--location NAME] [--resamples N] [--equal TICKS] [-o FILE] RESULTDIR",
	  "Reads the folder's boots and samples and writes RESULTDIR/summary.json, or FILE: values "
	  "and effects\n"
	  "with 95 % intervals over layouts. --location is what stands for the samples of a "
	  "run: one of\n"
	  "`sheafstat estimators`, the first by default. --resamples is for the bootstrap "
	  "interval (default: 2000), --equal the bound of what is no difference (default: 0.5 "
	  "ticks per operation).",
	  cmd_summarize },
	{ "compare", "workloads", "compare [--workloads REGEX] A B",
	  "Compares two results, each a folder or a summary.json: values by workload and variant, "
	  "and their\n"
	  "difference with a 95 % interval over layouts, unpaired. Says where the environments "
	  "differ.",
	  cmd_compare },
	{ "estimators", "", "estimators RESULTDIR",
	  "Compares what may stand for the samples of a run: spread between boots and between "
	  "layouts relative\n"
	  "to the value, over all workloads; how many intervals of the null comparison miss 0, and "
	  "their median\n"
	  "half-width; the slope of the known doses. The locations are quiet-p05 (the default), "
	  "quiet-p50,\n"
	  "quiet-trim and quiet-mean of the samples that the gate calls quiet, and p05, p50, mean, "
	  "min "
	  "and mode\n"
	  "of all.",
	  cmd_estimators },
	{ "plotdata", "", "plotdata RESULTDIR DIR",
	  "Writes a .dat file for each plot (effects, samples, bysize, byn, counts, trade, decide, "
	  "crossings) into DIR;\nthe header of each\n"
	  "names its columns. has_ci is 0 where there is no interval, and the bounds are then the "
	  "value.",
	  cmd_plotdata },
	{ "precision", "width most workload",
	  "precision --width W --most M [--workload NAME] RESULTDIR",
	  "Prints LAYOUTS HALFWIDTH VARIANT: how many layouts the result should have, at most M, "
	  "for 95 %\n"
	  "intervals of the effects of all changes on one workload (default: pair/64/1, or the "
	  "first) of half-\n"
	  "width W or less, in ticks per operation; and the widest one now. Looks at widths, never "
	  "at effects.",
	  cmd_precision },
	{ "again", "boots seed", "again --boots B --seed S RESULTDIR",
	  "Adds to plan.tsv one more boot of each variant in each layout that brought too few "
	  "quiet "
	  "samples,\n"
	  "at most two beyond the B that were planned, and prints how many.",
	  cmd_again },
	{ "primary", "", "primary WORKLOAD…",
	  "Prints those of the workloads whose effects have a verdict: one of each operation, by "
	  "its name.",
	  cmd_primary },
	{ "certify", "output group", "certify [--group N] [-o FILE] RESULTDIR",
	  "Writes RESULTDIR/certify.json, or FILE, and prints it: false alarms of the null over "
	  "disjoint groups\n"
	  "of N layouts (default: 16), doses, estimators, and the smallest effect that can be "
	  "resolved.",
	  cmd_certify },
	{ "peers", "", "peers RESULTDIR",
	  "Writes RESULTDIR/peers.tsv and prints it: for each loop that the doses were measured "
	  "with, its spread\n"
	  "between boots and layouts, and how often one boot against one boot gets a dose's sign "
	  "wrong.",
	  cmd_peers },
	{ "sums", "", "sums RESULTDIR",
	  "Writes RESULTDIR/SHA256SUMS, which says what was measured. The run that makes a result "
	  "does it when the "
	  "result is\n"
	  "complete; what is changed afterwards is told.",
	  cmd_sums },
	{ "simulate", "reports layouts seed sd equal",
	  "simulate [--reports N] [--layouts L] [--sd TICKS] [--equal TICKS] [--seed S]",
	  "Prints how often the rules of verdicts and certificate err, by simulated reports whose "
	  "truth is\n"
	  "known: N of them (default: 2000) with L layouts (12), and differences that have the "
	  "standard\n"
	  "deviation TICKS in a layout (0.45, as in a quiet result).",
	  cmd_simulate },
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
		"sheafstat: %s%s; commands:", argc > 1 ? "no command " : "a command is missing",
		argc > 1 ? argv[1] : "");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(stderr, "%s %s", i ? "," : "", commands[i].name);
	fputc('\n', stderr);
	return EXIT_USAGE;
}
