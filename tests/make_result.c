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
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "plan.h"
#include "stats.h"

#define BATCH_OPS  1000
#define STEP	   26.0 /* of the timer, in ticks */
#define OVERHEAD   1132.4
#define GATE_ADDS  2880
#define GATE_TICKS 715.0
#define CHAIN_ADDS 512
#define CORE_RATE  1.385 /* core cycles per tick */

/* What a variant adds to the baseline's ticks per allocation and per free. */
static const struct truth {
	double alloc, free;
	struct variant v;
} truths[] = {
	{ 0,
	  0,
	  { "local-trylock", "unpatched kernel, local_trylock_t", "", "base", ROLE_BASELINE, 10,
	    false, NAN, "", "" } },
	{ 0,
	  0,
	  { "null", "baseline again under other layout seeds", "", "base", ROLE_NULL, 15, true, NAN,
	    "", "" } },
	{ 0,
	  0,
	  { "qpw-n", "QPW compiled out (CONFIG_QPW=n)", "", "qpw-n", ROLE_CHANGE, 20, false, NAN,
	    "", "" } },
	{ 0.9,
	  0.7,
	  { "qpw-off", "QPW compiled in, switched off (qpw=0)", "qpw=0", "qpw-y", ROLE_CHANGE, 30,
	    false, NAN, "", "" } },
	{ 7.4,
	  5.6,
	  { "qpw-on", "QPW switched on (qpw=1), per-CPU spinlock", "qpw=1", "qpw-y", ROLE_CHANGE,
	    40, false, NAN, "", "" } },
	{ 34,
	  41,
	  { "slowpath", "no sheaves, every operation goes to the slab", "", "slowpath", ROLE_CHANGE,
	    50, false, NAN, "", "" } },
#define DOSE(k)                                                                                \
	{                                                                                      \
		0, 0,                                                                          \
		{                                                                              \
			"dose-" #k, "baseline and " #k " core cycles in each allocation", "",  \
				"dose", ROLE_DOSE, 80 + k, false, k, "^(pair|alloc)/64/1$", "" \
		}                                                                              \
	}
	DOSE(0),
	DOSE(1),
	DOSE(2),
	DOSE(4),
	DOSE(8),
	{ 0,
	  0,
	  { "half-gate", "baseline, probes beside every second sample", "", "base", ROLE_CHECK, 95,
	    false, NAN, "^pair/64/1$", "--half-gate" } },
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
	uint64_t seed, layouts, boots, samples, runs;
	double sd_layout, sd_boot, sd_run, sd_sample, contended, warmup, dose_slope, null_shift,
		stock_shift;
	const char *variants, *fail;
	bool small, gate_off;
} opt = { .seed = 1,
	  .layouts = 8,
	  .boots = 1,
	  .samples = 400,
	  .runs = 1,
	  .sd_layout = 0.7,
	  .sd_boot = 0.15,
	  .sd_run = 0.05,
	  .sd_sample = 0.25,
	  .contended = 0.1,
	  .warmup = 0.2,
	  .dose_slope = 1.0,
	  .stock_shift = 1.0 };

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

/* Which state the machine is in, and how fast its core runs. */
struct machine {
	gsl_rng *rng;
	bool contended;
	double rate; /* core cycles per tick */
};

/* Another tenant comes and goes on the sibling thread, for twenty samples on average. */
static void tenant(struct machine *m)
{
	double leave = 0.05, share = opt.contended;

	if (m->contended)
		m->contended = gsl_rng_uniform(m->rng) >= leave;
	else
		m->contended = gsl_rng_uniform(m->rng) * (1.0 - share) < leave * share;
}

/* @ticks as the timer reads them. */
static double timed(const struct machine *m, double ticks)
{
	return floor(ticks / STEP + gsl_rng_uniform(m->rng)) * STEP;
}

static void column_write(FILE *f, const double *x, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		fprintf(f, "%c%.0f", i ? ' ' : '\t', x[i]);
}

/* One run of a workload; returns the mean of its samples in ticks per operation. */
static double run_write(FILE *f, struct machine *m, const char *name, double mean, bool gate)
{
	double *x = xcalloc(3 * opt.samples, sizeof(*x)), *probe = x + opt.samples,
	       *chain = probe + opt.samples, sum = 0.0, lost = gsl_ran_exponential(m->rng, 1500.0);
	uint64_t warm = 0;

	mean += gsl_ran_gaussian(m->rng, opt.sd_run);
	if (gsl_rng_uniform(m->rng) < opt.warmup)
		warm = 1 + gsl_rng_uniform_int(m->rng, 12);
	for (uint64_t i = 0; i < opt.samples; i++) {
		double ticks = mean + fabs(gsl_ran_gaussian(m->rng, opt.sd_sample));
		double adds = CHAIN_ADDS * (1 + i % 2);

		tenant(m);
		if (m->contended)
			ticks *= 1.45 + gsl_ran_gaussian(m->rng, 0.05);
		if (i < warm)
			ticks *= 1.3;
		if (gsl_rng_uniform(m->rng) < 0.01) /* an interrupt */
			ticks += gsl_ran_exponential(m->rng, 12.0);
		x[i] = timed(m, OVERHEAD + ticks * BATCH_OPS);
		sum += (x[i] - OVERHEAD) / BATCH_OPS;
		probe[i] = GATE_TICKS + fabs(gsl_ran_gaussian(m->rng, 8.0));
		if (m->contended)
			probe[i] *= 1.4 + gsl_ran_gaussian(m->rng, 0.04);
		probe[i] = timed(m, probe[i]);
		chain[i] = adds / m->rate;
		if (gsl_rng_uniform(m->rng) < 0.002)
			chain[i] += 5000.0;
		chain[i] = timed(m, chain[i] + 2.0 * STEP);
	}
	fprintf(f, "%s\t%d\t%.2f\t5200012 %.0f %.0f", name, BATCH_OPS, OVERHEAD, lost, 0.6 * lost);
	column_write(f, x, opt.samples);
	if (gate) {
		column_write(f, probe, opt.samples);
		column_write(f, chain, opt.samples);
	}
	fputs(gate ? "\n" : "\t-\t-\n", f);
	free(x);
	return sum / opt.samples;
}

/* One boot: its samples, and Google Benchmark's JSON with one mean per run. */
static void boot_write(const struct variants *vs, const struct plan_row *row, const struct truth *t)
{
	char *stem = plan_stem(vs, row);
	const struct variant *v = &vs->v[row->variant];
	FILE *samples = file_open("samples/", stem, ".tsv");
	FILE *run = file_open("runs/", stem, ".json");
	FILE *console = file_open("consoles/", stem, ".log");
	struct machine m = { .rng = stat_rng(opt.seed, stem) };
	bool gate = !opt.gate_off;
	double *shift = xcalloc(n_workloads, sizeof(*shift));
	const char *comma = "";
	regex_t regex;

	if (regcomp(&regex, v->workloads, REG_EXTENDED | REG_NOSUB))
		die(v->workloads);
	m.contended = gsl_rng_uniform(m.rng) < opt.contended;
	m.rate = CORE_RATE * (1.0 + gsl_ran_gaussian(m.rng, 0.002));
	fprintf(console, "Linux version 7.2.13 (simulated %s)\nsheafbench: done\n", stem);
	fprintf(samples, "# sheafbench-samples 2\n# clock tsc khz 2596123 step %.2f\n", STEP);
	fprintf(samples, "# gate %d chain %d\n", gate ? GATE_ADDS : 0, gate ? CHAIN_ADDS : 0);
	fputs("{\n \"context\": { \"date\": \"2026-11-22T14:01:02+00:00\",\n"
	      "  \"executable\": \"sheafbench\", \"num_cpus\": 2 },\n \"benchmarks\": [\n",
	      run);
	for (int w = 0; w < n_workloads; w++)
		shift[w] = gsl_ran_gaussian(m.rng, opt.sd_boot);
	for (uint64_t i = 0; i < opt.runs * n_workloads; i++) {
		const struct workload *w = &workloads[i % n_workloads];
		double mean = truth_mean(t, w) + shift[i % n_workloads] +
			      layout_shift(row, i % n_workloads);

		if (regexec(&regex, w->name, 0, NULL, 0))
			continue;
		if (v->role == ROLE_DOSE && w->op->alloc)
			mean += opt.dose_slope * v->dose / m.rate;
		if (v->role == ROLE_NULL)
			mean += opt.null_shift;
		if (row->layout == 0)
			mean += opt.stock_shift;
		if (v->role == ROLE_CHECK) {
			char *bare = xasprintf("bare-%s", w->name);

			run_write(samples, &m, bare, mean, gate);
			free(bare);
		}
		mean = run_write(samples, &m, w->name, mean, gate) / 2.596123;
		fprintf(run,
			"%s  { \"name\": \"%s\", \"run_name\": \"%s\", \"run_type\": "
			"\"iteration\",\n"
			"    \"iterations\": %d, \"real_time\": %.4f, \"cpu_time\": %.4f, "
			"\"time_unit\": \"ns\" }",
			comma, w->name, w->name, (int)opt.samples * BATCH_OPS, mean, mean);
		comma = ",\n";
	}
	fputs("\n ]\n}\n", run);
	file_close(console);
	file_close(samples);
	file_close(run);
	regfree(&regex);
	gsl_rng_free(m.rng);
	free(shift);
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

static const char *dose_text(const struct variant *v)
{
	static char text[32];

	snprintf(text, sizeof(text), "%g", v->dose);
	return isnan(v->dose) ? "" : text;
}

static void variants_make(struct variants *vs, const struct truth **t)
{
	char *list = xasprintf(" %s ", opt.variants ? opt.variants : "");

	vs->v = xcalloc(ARRAY_SIZE(truths), sizeof(*vs->v));
	for (size_t i = 0; i < ARRAY_SIZE(truths); i++) {
		char *word = xasprintf(" %s ", truths[i].v.name);

		if (opt.variants ? strstr(list, word) != NULL : truths[i].v.role != ROLE_CHECK) {
			t[vs->n] = &truths[i];
			vs->v[vs->n++] = truths[i].v;
		}
		free(word);
	}
	free(list);
	if (!vs->n)
		die("none of these variants is known");
}

enum kind { NUMBER, REAL, TEXT, FLAG };

static const struct {
	const char *name;
	enum kind kind;
	void *to;
	uint64_t least, most; /* of a number */
	const char *about;
} options[] = {
	{ "seed", NUMBER, &opt.seed, 0, INT64_MAX, "seed of everything (1)" },
	{ "layouts", NUMBER, &opt.layouts, 1, PADS, "layouts besides the stock one (8)" },
	{ "boots", NUMBER, &opt.boots, 1, 99, "boots of each (1)" },
	{ "samples", NUMBER, &opt.samples, 1, 1000000, "samples of a run (400)" },
	{ "runs", NUMBER, &opt.runs, 1, 99, "runs of a workload in a boot (1)" },
	{ "variants", TEXT, &opt.variants, 0, 0,
	  "names with spaces between; all but half-gate when not given" },
	{ "fail", TEXT, &opt.fail, 0, 0, "boots that fail: VARIANT[:LAYOUT[:BOOT]] …" },
	{ "sd-layout", REAL, &opt.sd_layout, 0, 0, "spread between layouts, ticks (0.7)" },
	{ "sd-boot", REAL, &opt.sd_boot, 0, 0, "between boots (0.15)" },
	{ "sd-run", REAL, &opt.sd_run, 0, 0, "between runs (0.05)" },
	{ "sd-sample", REAL, &opt.sd_sample, 0, 0, "within a run, upwards (0.25)" },
	{ "contended", REAL, &opt.contended, 0, 0,
	  "share of the samples beside a busy sibling (0.1)" },
	{ "warmup", REAL, &opt.warmup, 0, 0, "share of the runs that begin 30 % dearer (0.2)" },
	{ "dose-slope", REAL, &opt.dose_slope, 0, 0, "what is seen of each dose (1)" },
	{ "null-shift", REAL, &opt.null_shift, 0, 0, "ticks by which the null is dearer (0)" },
	{ "stock-shift", REAL, &opt.stock_shift, 0, 0, "by which the stock layout is (1)" },
	{ "small", FLAG, &opt.small, 0, 0, "five workloads only" },
	{ "gate-off", FLAG, &opt.gate_off, 0, 0, "no probes" },
};

static void usage(FILE *f, int status)
{
	fputs("usage: make_result [OPTION…] DIR\n", f);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		fprintf(f, "  --%-14s %s\n", options[i].name, options[i].about);
	exit(status);
}

static bool option_take(int i, const char *text)
{
	char *end = NULL;

	switch (options[i].kind) {
	case NUMBER:
		return parse_number(text, options[i].least, options[i].most, options[i].to);
	case REAL:
		*(double *)options[i].to = strtod(text, &end);
		return end > text && !*end;
	case TEXT:
		*(const char **)options[i].to = text;
		return true;
	case FLAG:
		*(bool *)options[i].to = true;
		return true;
	}
	return false;
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
	struct option longs[ARRAY_SIZE(options) + 2] = { { "help", no_argument, NULL, 'h' } };
	int c, at;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		longs[i + 1] = (struct option){ options[i].name, options[i].kind != FLAG, NULL, 1 };
	while ((c = getopt_long(argc, argv, "", longs, &at)) != -1)
		if (c != 1 || !option_take(at - 1, optarg))
			usage(c == 'h' ? stdout : stderr, c == 'h' ? 0 : 2);
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
	fputs("# variant\trole\torder\tlayouts\ttitle\tcmdline\tbuild\tdose\tworkloads\targs\n",
	      file);
	for (int i = 0; i < vs.n; i++)
		fprintf(file, "%s\t%s\t%g\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", vs.v[i].name,
			role_name[vs.v[i].role], vs.v[i].order, vs.v[i].other ? "other" : "same",
			vs.v[i].title, vs.v[i].cmdline, vs.v[i].build, dose_text(&vs.v[i]),
			vs.v[i].workloads, vs.v[i].args);
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
