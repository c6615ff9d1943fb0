// SPDX-License-Identifier: GPL-2.0
/* What gnuplot reads of a result. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "counts.h"
#include "escape.h"
#include "plotdata.h"
#include "summary.h"
#include "workload.h"

#define PLOT_SAMPLES 4000

/* The variant's index, name and title. */
static void variant_columns(FILE *out, const json_t *j, const char *name)
{
	const json_t *all = json_object_get(j, "variants"), *v = json_find(all, "name", name, NULL);
	int index = v ? 0 : -1;

	while (v && json_array_get(all, index) != v)
		index++;
	fprintf(out, "%d\t", index);
	escape_gnuplot(out, name, '\"');
	putc('\t', out);
	escape_gnuplot(out, v ? json_text(v, "title") : name, '\"');
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
	json_array_foreach(json_object_get(j, "effects"), i, e) {
		const char *workload = json_text(e, "workload");

		if (workload_is_aside(workload))
			continue;
		if (!streq(last, workload))
			fprintf(out, "\n\n# %s\n", workload);
		last = workload;
		variant_columns(out, j, json_text(e, "variant"));
		bounds_columns(out, json_num(e, "effect"), json_interval(e, "ci95"));
		fprintf(out, "\t%.6g\t%d\t", json_num(e, "baseline_value"),
			!isnan(json_interval(e, "ci95").lo));
		escape_gnuplot(out, workload, '\"');
		putc('\t', out);
		escape_gnuplot(out, json_text(e, "baseline"), '\"');
		putc('\n', out);
	}
}

static void plot_bysize(FILE *out, const json_t *j)
{
	const json_t *v, *value;
	struct workload w;
	size_t i, k;

	fputs("# pair, one object: ticks per operation against size in bytes; a block per variant\n"
	      "# columns: size mean lo hi has_ci variant_index name title\n",
	      out);
	json_array_foreach(json_object_get(j, "variants"), i, v) {
		fprintf(out, "%s# %s\n", i ? "\n\n" : "", json_text(v, "name"));
		json_array_foreach(json_object_get(j, "values"), k, value) {
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
static void byn_block(FILE *out, const json_t *j, const struct workload *w, const char *name)
{
	struct workload other;
	const json_t *value;
	size_t i;

	fprintf(out, "\n\n# %s%s%s %s\n", w->op, *w->order ? "/" : "", w->order, name);
	json_array_foreach(json_object_get(j, "values"), i, value) {
		if (!workload_parse(json_text(value, "workload"), &other) ||
		    !streq(json_text(value, "variant"), name) || !streq(other.op, w->op) ||
		    other.size != COUNTS_SIZE || (other.n > 1 && !streq(other.order, w->order)))
			continue;
		point_columns(out, j, other.n, value);
		fprintf(out, "\t\"%s\"\t\"%s\"\n", w->op, w->order);
	}
}

static void plot_byn(FILE *out, const json_t *j)
{
	const json_t *values = json_object_get(j, "values"), *value, *v;
	struct workload *seen = xcalloc(json_array_size(values), sizeof(*seen)), w;
	int n = 0;
	size_t i, k;

	fprintf(out,
		"# ticks per operation against N, the objects held at once, of %d bytes; a block "
		"per op, order and variant\n"
		"# columns: n mean lo hi has_ci variant_index name title op order\n",
		COUNTS_SIZE);
	json_array_foreach(values, i, value) {
		bool known = false;

		if (!workload_parse(json_text(value, "workload"), &w) || w.size != COUNTS_SIZE ||
		    w.n == 1 || workload_is_aside(json_text(value, "workload")) ||
		    workload_is_spaced(w.op))
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
	struct gather g = { .r = r, .workload = WORKLOAD_FIRST };
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
	json_array_foreach(counts, i, one) {
		role = summary_role(j, json_text(one, "variant"));
		/* A dose is shown nowhere, and takes no colour from what is. */
		if (streq(json_text(one, "target"), "uml") || !counts_stand(counts, one) ||
		    streq(role, "dose") || streq(role, "check"))
			continue;
		json_object_foreach(json_object_get(one, "symbols"), name, classes) {
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
	json_array_foreach(counts, i, one) {
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
			escape_gnuplot(out, workload, '\"');
			putc('\t', out);
			escape_gnuplot(out, symbol[k].name, '\"');
			putc('\n', out);
			from += n;
		}
	}
	free(symbol);
}

static void plot_trade(FILE *out, const json_t *j)
{
	const json_t *effects = json_object_get(j, "effects"), *e, *one;
	const json_t *counters = json_object_get(j, "counters");
	const double ns = summary_ns_per_tick(json_object_get(j, "environment"));
	const char *workload = workload_flush_headline(counters);
	size_t i;

	fputs("# ns that pair/64/1 costs more than the baseline, us that a flush takes from a "
	      "program on another CPU\n"
	      "# columns: variant_index name title cost lo hi stolen lo hi workload\n",
	      out);
	json_array_foreach(counters, i, one) {
		const char *variant = json_text(one, "variant");
		struct interval ci = json_interval(one, "ci95"), cost = { 0, 0 };
		double mean = 0;

		if (!workload || !streq(json_text(one, "workload"), workload) ||
		    !streq(json_text(one, "metric"), "stolen_ns"))
			continue;
		e = json_find(effects, "variant", variant, "workload", WORKLOAD_FIRST, NULL);
		if (e) {
			cost = json_interval(e, "ci95");
			mean = json_num(e, "effect");
		}
		variant_columns(out, j, variant);
		bounds_columns(out, mean * ns, (struct interval){ cost.lo * ns, cost.hi * ns });
		bounds_columns(out, json_num(one, "value") / 1e3,
			       (struct interval){ ci.lo / 1e3, ci.hi / 1e3 });
		putc('\t', out);
		escape_gnuplot(out, workload, '\"');
		putc('\n', out);
	}
}

static void decide_line(FILE *out, const json_t *j, const char *target, const char *variant,
			const struct workload *w, double value, struct interval ci)
{
	if (isnan(value))
		return;
	fprintf(out, "%u", w->n);
	bounds_columns(out, value, ci);
	fprintf(out, "\t%d\t", !isnan(ci.lo));
	variant_columns(out, j, variant);
	fprintf(out, "\t\"%s\"\n", target);
}

/* Of the size that is shown, and in kmalloc()'s caches. */
static bool is_excursion(const char *name, struct workload *w)
{
	return workload_is_excursion(name) && workload_parse(name, w) && w->size == COUNTS_SIZE &&
	       !*w->order;
}

/* Instructions of a variant beyond the baseline's, or NAN. */
static double added_instructions(const json_t *counts, const char *target, const char *workload,
				 const char *variant, const char *baseline)
{
	return counts_instructions(counts, target, workload, variant) -
	       counts_instructions(counts, target, workload, baseline);
}

/* Of one variant: in ns where there are times, in instructions where these were counted. */
static void decide_block(FILE *out, const json_t *j, const char *variant, const char *baseline)
{
	const double ns = summary_ns_per_tick(json_object_get(j, "environment"));
	const json_t *counts = json_object_get(j, "counts"), *one;
	struct workload w;
	size_t i;

	fprintf(out, "\n\n# %s\n", variant);
	json_array_foreach(json_object_get(j, "effects"), i, one) {
		const struct interval ci = json_interval(one, "ci95");

		if (streq(json_text(one, "variant"), variant) &&
		    is_excursion(json_text(one, "workload"), &w))
			decide_line(out, j, "time", variant, &w, json_num(one, "effect") * ns,
				    (struct interval){ ci.lo * ns, ci.hi * ns });
	}
	json_array_foreach(counts, i, one) {
		const char *workload = json_text(one, "workload"),
			   *target = json_text(one, "target");

		if (streq(json_text(one, "variant"), variant) && is_excursion(workload, &w) &&
		    streq(summary_role(j, variant), "change"))
			decide_line(out, j, target, variant, &w,
				    added_instructions(counts, target, workload, variant, baseline),
				    (struct interval){ NAN, NAN });
	}
}

/* The variant that the others are compared with, or "". */
static const char *baseline_of(const json_t *j)
{
	const json_t *one = json_find(json_object_get(j, "variants"), "role", "baseline", NULL);

	return one ? json_text(one, "name") : "";
}

/* What an excursion costs more than the baseline's. */
static void plot_decide(FILE *out, const json_t *j)
{
	const char *baseline = baseline_of(j);
	const json_t *one;
	size_t i;

	fprintf(out,
		"# what an excursion of that many pairs of %d bytes costs more than the "
		"baseline's: "
		"ns, or counted instructions; a block per variant\n"
		"# columns: pairs value lo hi has_ci variant_index name title target\n",
		COUNTS_SIZE);
	json_array_foreach(json_object_get(j, "variants"), i, one)
		decide_block(out, j, json_text(one, "name"), baseline);
}

static int by_pairs(const void *a, const void *b)
{
	struct workload x, y;

	workload_parse(*(const char *const *)a, &x);
	workload_parse(*(const char *const *)b, &y);
	return (x.n > y.n) - (x.n < y.n);
}

/* Where the lines of two changes that were counted on a target cross, between neighbouring excursions. */
static void write_crossings(FILE *out, const json_t *j, const char *target, const char *first,
			    const char *second)
{
	const json_t *counts = json_object_get(j, "counts"), *one;
	const char *baseline = baseline_of(j), *workloads[64];
	double side = NAN, last = NAN, value = NAN;
	struct workload w, from = { 0 };
	size_t i, n = 0;

	json_array_foreach(counts, i, one)
		if (n < ARRAY_SIZE(workloads) && streq(json_text(one, "variant"), baseline) &&
		    streq(json_text(one, "target"), target) &&
		    is_excursion(json_text(one, "workload"), &w))
			workloads[n++] = json_text(one, "workload");
	qsort(workloads, n, sizeof(*workloads), by_pairs);
	for (i = 0; i < n; i++) {
		double x = added_instructions(counts, target, workloads[i], first, baseline),
		       more = x -
			      added_instructions(counts, target, workloads[i], second, baseline);

		workload_parse(workloads[i], &w);
		if (side * more < 0) {
			double part = last / (last - more);

			fprintf(out, "%.6g\t%.6g\t", from.n + part * (w.n - from.n),
				value + part * (x - value));
			fprintf(out, "\"%s\"\t\"%s\"\t\"%s\"\n", first, second, target);
		}
		/* Lines that touch cross where they part again, if they part the other way. */
		if (more != 0)
			side = more;
		last = more;
		value = x;
		from = w;
	}
}

/* From how many pairs on one scheme costs more than another, which cost more for fewer. */
static void plot_crossings(FILE *out, const json_t *j)
{
	const json_t *variants = json_object_get(j, "variants"), *one, *other;
	static const char *const targets[] = { "tcg", "tcg-rt" };
	size_t i, k;

	fprintf(out, "# where the lines of decide.dat cross\n"
		     "# columns: pairs value first second target\n");
	for (size_t t = 0; t < ARRAY_SIZE(targets); t++)
		json_array_foreach(variants, i, one)
			json_array_foreach(variants, k, other)
				if (k > i && streq(json_text(one, "role"), "change") &&
				    streq(json_text(other, "role"), "change"))
					write_crossings(out, j, targets[t], json_text(one, "name"),
							json_text(other, "name"));
}

int plotdata_write(const json_t *j, const struct result *r, const char *dir, const char *to,
		   struct fault *f)
{
	static const struct {
		const char *name;
		void (*write)(FILE *out, const json_t *j);
	} files[] = {
		{ "effects.dat", plot_effects },
		{ "bysize.dat", plot_bysize },
		{ "byn.dat", plot_byn },
		{ "counts.dat", plot_counts },
		{ "trade.dat", plot_trade },
		{ "decide.dat", plot_decide },
		{ "crossings.dat", plot_crossings },
		{ "samples.dat", NULL }, /* needs the raw samples as well */
	};
	int status = 0;

	if (mkdir(to, 0777) && errno != EEXIST)
		return fault_set(f, "cannot make %s: %s", to, strerror(errno));
	for (size_t i = 0; !status && i < ARRAY_SIZE(files); i++) {
		char *path = xasprintf("%s/%s", to, files[i].name);
		struct writer w;

		status = writer_open(&w, path, f);
		free(path);
		if (status)
			break;
		if (files[i].write)
			files[i].write(w.file, j);
		else
			status = plot_samples(w.file, j, r, dir, f);
		if (status)
			writer_close(&w, false, f);
		else
			status = writer_close(&w, true, f);
	}
	return status;
}
