// SPDX-License-Identifier: GPL-2.0
/*
 * Makes a result folder as formats.md describes it, from a simulation with known truth: seeded
 * variances of layouts, boots and samples, and the two states of a shared machine. For tests of
 * what reads results.
 */
#include <errno.h>
#include <getopt.h>
#include <gsl/gsl_randist.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "plan.h"
#include "stats.h"

#define BATCH_OPS 1000

/* What a variant adds to the baseline's ticks per allocation and per free. */
static const struct truth {
	double alloc, free;
	struct variant v;
} truths[] = {
	{ 0,
	  0,
	  { "local-trylock", "unpatched kernel, local_trylock_t", "", "base", ROLE_BASELINE, 10,
	    false } },
	{ 0,
	  0,
	  { "null", "baseline again under other layout seeds", "", "base", ROLE_NULL, 15, true } },
	{ 0,
	  0,
	  { "qpw-n", "QPW compiled out (CONFIG_QPW=n)", "", "qpw-n", ROLE_CHANGE, 20, false } },
	{ 0.9,
	  0.7,
	  { "qpw-off", "QPW compiled in, switched off (qpw=0)", "qpw=0", "qpw-y", ROLE_CHANGE, 30,
	    false } },
	{ 7.4,
	  5.6,
	  { "qpw-on", "QPW switched on (qpw=1), per-CPU spinlock", "qpw=1", "qpw-y", ROLE_CHANGE,
	    40, false } },
	{ 34,
	  41,
	  { "slowpath", "no sheaves, every operation goes to the slab", "", "slowpath", ROLE_CHANGE,
	    50, false } },
};

/* What is timed, and what one operation costs on the baseline with 64 bytes and one object. */
static const struct op {
	const char *name;
	bool alloc, free;
	double ticks;
	const char *orders[4]; /* besides N = 1; none: pairs hold one object */
} ops[] = {
	{ "pair", true, true, 71.2, { NULL } },
	{ "alloc", true, false, 41.0, { "lifo" } },
	{ "free", false, true, 35.0, { "lifo", "shuffled" } },
	{ "batch-alloc", true, false, 39.0, { "lifo", "shuffled" } },
	{ "batch-free", false, true, 33.0, { "lifo", "fifo", "shuffled" } },
};

static const int sizes[] = { 8, 16, 32, 64, 96, 128, 256, 512, 1024, 2048, 4096, 8192 };
static const int counts[] = { 1, 8, 32, 128, 512, 2048 };

struct workload {
	const struct op *op;
	int size, n;
	const char *order;
	char *name;
};

static struct options {
	uint64_t seed, layouts, boots, samples;
	double sd_layout, sd_boot, sd_sample, contended;
	const char *variants, *fail;
	bool small;
} opt = { .seed = 1,
	  .layouts = 8,
	  .boots = 1,
	  .samples = 400,
	  .sd_layout = 0.7,
	  .sd_boot = 0.15,
	  .sd_sample = 0.25,
	  .contended = 0.35 };

static const char *folder;
static struct workload *workloads;
static int n_workloads;

static void die(const char *what)
{
	fprintf(stderr, "make_result: %s\n", what);
	exit(1);
}

static void workload_add(const struct op *op, int size, int n, const char *order)
{
	struct workload *w;

	workloads = xrealloc(workloads, n_workloads + 1, sizeof(*workloads));
	w = &workloads[n_workloads++];
	*w = (struct workload){ op, size, n, order, NULL };
	w->name = order ? xasprintf("%s/%d/%d/%s", op->name, size, n, order)
			: xasprintf("%s/%d/%d", op->name, size, n);
}

static void workloads_make(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		if (!opt.small || sizes[i] == 64)
			workload_add(&ops[0], sizes[i], 1, NULL);
	for (size_t o = 1; o < ARRAY_SIZE(ops); o++)
		for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
			if (counts[i] == 1)
				workload_add(&ops[o], 64, 1, NULL);
			for (int k = 0; ops[o].orders[k] && counts[i] > 1 && !opt.small; k++)
				workload_add(&ops[o], 64, counts[i], ops[o].orders[k]);
		}
}

/* The true mean over layouts, in ticks per operation. */
static double truth_mean(const struct truth *t, const struct workload *w)
{
	double ticks = w->op->ticks, beyond = w->n > 32 ? log2(w->n / 32.0) : 0.0;

	ticks *= 1.0 + 0.02 * fabs(log2(w->size / 64.0)) + (w->size > 2048 ? 0.15 : 0.0);
	/* Past the sheaf the barn and the slabs come in, more so for scattered objects. */
	ticks *= 1.0 + beyond * (w->order && !strcmp(w->order, "shuffled") ? 0.09 : 0.05);
	return ticks + (w->op->alloc ? t->alloc : 0.0) + (w->op->free ? t->free : 0.0);
}

/*
 * What a layout does to a workload: the phase within the cache line decides most of it, the line
 * adds a little; both depend on the code, hence on the build. The phases' offsets add up to 0.
 */
static double layout_shift(const struct plan_row *row, int w)
{
	char *what = xasprintf("layout %s %d", row->build, w);
	double shift[PHASES], mean = 0.0, line;
	int phase = pad_phase(row->pad);
	gsl_rng *rng = stat_rng(opt.seed, what);

	for (int i = 0; i < PHASES; i++)
		mean += (shift[i] = gsl_ran_gaussian(rng, 0.8 * opt.sd_layout)) / PHASES;
	for (unsigned int i = 0; i <= row->pad / PAD_STEP; i++)
		line = gsl_ran_gaussian(rng, 0.6 * opt.sd_layout);
	gsl_rng_free(rng);
	free(what);
	return shift[phase] - mean + line;
}

static FILE *file_open(const char *sub, const char *stem, const char *end)
{
	char *path = xasprintf("%s/%s%s%s", folder, sub, stem, end);
	FILE *f = fopen(path, "w");

	if (!f)
		die(path);
	free(path);
	return f;
}

static void file_close(FILE *f)
{
	if (ferror(f) | fclose(f))
		die("cannot write");
}

static void environment_write(void)
{
	static const char *const texts[][2] = {
		{ "target", "uml" },
		{ "date", "2026-11-22T14:01:02Z" },
		{ "kernel_version", "7.2.13" },
		{ "kernel_source", "simulated" },
		{ "kernel_config_hash", "0123456789ab" },
		{ "compiler", "gcc (simulated) 12.2.0" },
		{ "cpu_model", "Simulated 64-Core Processor" },
		{ "cpu_family", "family 25 model 1 stepping 1" },
		{ "host_kernel", "6.1.0-simulated" },
		{ "virtualization", "kvm" },
		{ "governor", "n/a" },
		{ "smt", "n/a" },
		{ "workloads", "." },
		{ "command", "make_result" },
		{ "commit", "n/a" },
	};
	char *path = xasprintf("%s/environment.json", folder);
	json_t *env = json_pack("{s:i, s:I, s:I, s:I, s:I, s:[s,s]}", "cpus", 2, "seed",
				(json_int_t)opt.seed, "layouts", (json_int_t)opt.layouts, "boots",
				(json_int_t)opt.boots, "samples", (json_int_t)opt.samples,
				"left_out", "target kvm: /dev/kvm is missing",
				"target metal: no machine named");

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		json_object_set_new(env, texts[i][0], json_string(texts[i][1]));
	if (!env || json_dump_file(env, path, JSON_INDENT(1)))
		die(path);
	json_decref(env);
	free(path);
}

/* One boot: its samples, and Google Benchmark's JSON with one mean per workload. */
static void boot_write(const struct variants *vs, const struct plan_row *row, const struct truth *t)
{
	char *stem = plan_stem(vs, row);
	FILE *samples = file_open("samples/", stem, ".tsv");
	FILE *run = file_open("runs/", stem, ".json");
	FILE *console = file_open("consoles/", stem, ".log");
	gsl_rng *rng = stat_rng(opt.seed, stem);
	bool contended = gsl_rng_uniform(rng) < opt.contended;

	fprintf(console, "Linux version 7.2.13 (simulated %s)\nsheafbench: done\n", stem);
	fputs("# sheafbench-samples 1\n# clock tsc khz 2596123 step 24.45\n", samples);
	fputs("{\n \"context\": { \"date\": \"2026-11-22T14:01:02+00:00\",\n"
	      "  \"executable\": \"sheafbench\", \"num_cpus\": 2 },\n \"benchmarks\": [\n",
	      run);
	for (int w = 0; w < n_workloads; w++) {
		const char *name = workloads[w].name;
		double mean = truth_mean(t, &workloads[w]) + layout_shift(row, w) +
			      gsl_ran_gaussian(rng, opt.sd_boot);
		double sum = 0.0, overhead = 1132.4;

		fprintf(samples, "%s\t%d\t%.2f\t", name, BATCH_OPS, overhead);
		for (uint64_t i = 0; i < opt.samples; i++) {
			double ticks = mean + fabs(gsl_ran_gaussian(rng, opt.sd_sample));

			/*
			 * Another tenant comes and goes on the sibling thread; an interrupt hits.
			 */
			if (gsl_rng_uniform(rng) < 0.02)
				contended = !contended;
			if (contended && opt.contended > 0.0)
				ticks *= 1.45 + gsl_ran_gaussian(rng, 0.05);
			if (gsl_rng_uniform(rng) < 0.01)
				ticks += gsl_ran_exponential(rng, 12.0);
			ticks = overhead + ticks * BATCH_OPS;
			ticks = floor(ticks / 24.45) * 24.45;
			sum += (ticks - overhead) / BATCH_OPS;
			fprintf(samples, "%s%.0f", i ? " " : "", ticks);
		}
		fputc('\n', samples);
		sum /= opt.samples * 2.596123;
		fprintf(run,
			"  { \"name\": \"%s\", \"run_name\": \"%s\", \"run_type\": "
			"\"iteration\",\n",
			name, name);
		fprintf(run,
			"    \"iterations\": %d, \"real_time\": %.4f, \"cpu_time\": %.4f, "
			"\"time_unit\": \"ns\" }%s\n",
			(int)opt.samples * BATCH_OPS, sum, sum, w + 1 < n_workloads ? "," : "");
	}
	fputs(" ]\n}\n", run);
	file_close(console);
	file_close(samples);
	file_close(run);
	gsl_rng_free(rng);
	free(stem);
}

/* Is NAME or NAME:LAYOUT or NAME:LAYOUT:BOOT of @row in the list of words @list? */
static bool listed(const char *list, const struct variants *vs, const struct plan_row *row)
{
	char *copy = xstrdup(list ? list : ""), *save = NULL;
	bool found = false;

	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		char *boot =
			xasprintf("%s:%d:%d", vs->v[row->variant].name, row->layout, row->boot);
		size_t len = strlen(w);

		if (!strncmp(boot, w, len) && (!boot[len] || boot[len] == ':'))
			found = true;
		free(boot);
	}
	free(copy);
	return found;
}

static void boots_write(const struct variants *vs, const struct plan *p, const struct truth **t)
{
	FILE *boots = file_open("", "boots", ".tsv"), *layouts = file_open("", "layouts", ".tsv");

	fputs("# index\tvariant\tlayout\tboot\tstatus\tseconds\tstart\treason\n", boots);
	fputs("# build\tpad\tsymbol\taddress\n", layouts);
	for (int i = 0; i < p->n; i++) {
		const struct plan_row *row = &p->row[i];
		bool bad = listed(opt.fail, vs, row);

		fprintf(boots, "%d\t%s\t%d\t%d\t%s\t%.1f\t2026-11-22T14:%02d:%02dZ\t%s\n", i,
			vs->v[row->variant].name, row->layout, row->boot, bad ? "failed" : "ok",
			bad ? 60.0 : 4.2, i / 12 % 60, i % 12 * 5,
			bad ? "Kernel panic - not syncing: Attempted to kill init!" : "");
		fprintf(layouts, "%s\t%u\tkfree\t%x\n", row->build, row->pad,
			0x60123450 + row->pad);
		if (!bad)
			boot_write(vs, row, t[row->variant]);
	}
	file_close(boots);
	file_close(layouts);
}

static void variants_make(struct variants *vs, const struct truth **t)
{
	char *list = xasprintf(" %s ", opt.variants ? opt.variants : "");

	vs->v = xcalloc(ARRAY_SIZE(truths), sizeof(*vs->v));
	for (size_t i = 0; i < ARRAY_SIZE(truths); i++) {
		char *word = xasprintf(" %s ", truths[i].v.name);

		if (!opt.variants || strstr(list, word)) {
			t[vs->n] = &truths[i];
			vs->v[vs->n++] = truths[i].v;
		}
		free(word);
	}
	free(list);
	if (!vs->n)
		die("none of these variants is known");
}

static const struct option longs[] = {
	{ "seed", required_argument, NULL, 's' },
	{ "layouts", required_argument, NULL, 'l' },
	{ "boots", required_argument, NULL, 'b' },
	{ "samples", required_argument, NULL, 'n' },
	{ "variants", required_argument, NULL, 'v' },
	{ "fail", required_argument, NULL, 'f' },
	{ "sd-layout", required_argument, NULL, 'L' },
	{ "sd-boot", required_argument, NULL, 'B' },
	{ "contended", required_argument, NULL, 'c' },
	{ "small", no_argument, NULL, 'S' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static void usage(FILE *f, int status)
{
	fputs("usage: make_result [--seed S] [--layouts L] [--boots B] [--samples N]\n"
	      "                   [--variants 'A B …'] [--fail 'VARIANT[:LAYOUT[:BOOT]] …']\n"
	      "                   [--sd-layout T] [--sd-boot T] [--contended SHARE] [--small] "
	      "DIR\n",
	      f);
	exit(status);
}

int main(int argc, char **argv)
{
	static const char *const subs[] = { "", "/samples", "/runs", "/consoles" };
	const struct truth *t[ARRAY_SIZE(truths)];
	struct variants vs = { 0 };
	struct plan p;
	struct fault f;
	FILE *file;
	char *path;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		bool ok = true;

		if (c == 's')
			ok = parse_number(optarg, 0, INT64_MAX, &opt.seed);
		else if (c == 'l')
			ok = parse_number(optarg, 1, PADS, &opt.layouts);
		else if (c == 'b')
			ok = parse_number(optarg, 1, 99, &opt.boots);
		else if (c == 'n')
			ok = parse_number(optarg, 1, 1000000, &opt.samples);
		else if (c == 'v')
			opt.variants = optarg;
		else if (c == 'f')
			opt.fail = optarg;
		else if (c == 'L')
			opt.sd_layout = atof(optarg);
		else if (c == 'B')
			opt.sd_boot = atof(optarg);
		else if (c == 'c')
			opt.contended = atof(optarg);
		else if (c == 'S')
			opt.small = true;
		else
			usage(c == 'h' ? stdout : stderr, c == 'h' ? 0 : 2);
		if (!ok)
			usage(stderr, 2);
	}
	if (argc - optind != 1)
		usage(stderr, 2);
	folder = argv[optind];
	for (size_t i = 0; i < ARRAY_SIZE(subs); i++) {
		path = xasprintf("%s%s", folder, subs[i]);
		if (mkdir(path, 0777) && errno != EEXIST)
			die(path);
		free(path);
	}
	variants_make(&vs, t);
	workloads_make();
	environment_write();
	file = file_open("", "variants", ".tsv");
	fputs("# variant\trole\torder\tlayouts\ttitle\tcmdline\tbuild\n", file);
	for (int i = 0; i < vs.n; i++)
		fprintf(file, "%s\t%s\t%g\t%s\t%s\t%s\t%s\n", vs.v[i].name, role_name[vs.v[i].role],
			vs.v[i].order, vs.v[i].other ? "other" : "same", vs.v[i].title,
			vs.v[i].cmdline, vs.v[i].build);
	file_close(file);
	plan_make(&p, &vs, opt.seed, opt.layouts, opt.boots);
	path = xasprintf("%s/plan.tsv", folder);
	if (plan_write(&p, &vs, opt.seed, path, &f))
		die(f.text);
	free(path);
	boots_write(&vs, &p, t);
	plan_free(&p);
	for (int i = 0; i < n_workloads; i++)
		free(workloads[i].name);
	free(workloads);
	free(vs.v);
	return 0;
}
