// SPDX-License-Identifier: GPL-2.0
/* The files of counters/ as "counters" of the summary, those of counts/flushes/ as "flushes". */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gsl/gsl_sort.h>

#include "events.h"
#include "field.h"

#define REPEATS_MOST 4096

/*
 * One metric of one workload: by variant and layout, the sum over boots and runs, and of how
 * many.
 */
struct series {
	char *workload, *metric;
	double *sum, *n;
};

struct all {
	const struct result *r;
	struct series *series;
	int n;
};

/* Two metrics of one pass, whose quotient is a third. */
struct pass {
	char workload[128];
	double instructions, cycles, pass[2];
};

static void take(struct all *all, const struct plan_row *row, const char *workload,
		 const char *metric, double value)
{
	const size_t cells = (size_t)all->r->variants.n * all->r->plan.layouts;
	const size_t at = (size_t)row->variant * all->r->plan.layouts + row->layout;
	struct series *s;
	int i = 0;

	while (i < all->n &&
	       (!streq(all->series[i].workload, workload) || !streq(all->series[i].metric, metric)))
		i++;
	if (i == all->n) {
		all->series = xrealloc(all->series, ++all->n, sizeof(*s));
		s = &all->series[i];
		s->workload = xstrdup(workload);
		s->metric = xstrdup(metric);
		s->sum = xcalloc(cells, sizeof(*s->sum));
		s->n = xcalloc(cells, sizeof(*s->n));
	}
	s = &all->series[i];
	s->sum[at] += value;
	s->n[at]++;
}

/* The median of integers with single spaces between them, and how many there are; or -1. */
static int median(char *text, double *out)
{
	double value[REPEATS_MOST];
	int n = 0;

	for (char *end; n < REPEATS_MOST; text = end + 1) {
		if (*text < '0' || *text > '9')
			return -1;
		errno = 0;
		value[n] = (double)strtoull(text, &end, 10);
		if (errno || (*end && *end != ' ') || !field_holds(FIELD_EVENTS, value[n++]))
			return -1;
		if (!*end) {
			gsl_sort(value, 1, n);
			*out = stat_quantile(value, n, 0.5);
			return n;
		}
	}
	return -1;
}

/* One line; value is NaN where the event could not be counted. */
struct line {
	const char *workload, *metric;
	double pass, ops;
	double value; /* events per operation */
};

static const struct tsv lines_table = {
	"workload metric event pass ops many fewer empty_many empty_fewer reason",
	"no line of counters (docs/formats.md)", true, true, "# sheafbench-counters 2"
};

/* Takes one line of a table of counters. */
struct taker {
	void (*take)(void *arg, const struct line *line);
	void *arg;
};

static int line_row(void *arg, char **field, const struct reader *r, struct fault *f)
{
	const struct taker *to = arg;
	struct line line = { field[0], field[1], 0, 0, NAN };
	double kind[4];
	int n = 0;

	if (name_read(NAME_WORKLOAD, field[0], r, f) || name_read(NAME_METRIC, field[1], r, f))
		return -1;
	if (!streq(field[5], "n/a")) {
		if (*field[9] || !field_parse(FIELD_PASS, field[3], &line.pass) ||
		    !field_parse(FIELD_OPS, field[4], &line.ops))
			return 1;
		for (int k = 0; k < 4; k++) {
			const int got = median(field[5 + k], &kind[k]);

			if (got < 1 || (k && got != n))
				return 1;
			n = got;
		}
		line.value = (kind[0] - kind[1] - (kind[2] - kind[3])) / line.ops;
	} else if (!*field[9]) {
		return 1;
	}
	to->take(to->arg, &line);
	return 0;
}

static void line_take(struct all *all, const struct plan_row *row, const struct line *line,
		      struct pass *last)
{
	if (isnan(line->value))
		return;
	take(all, row, line->workload, line->metric, line->value);
	if (!streq(last->workload, line->workload)) {
		*last = (struct pass){ .instructions = NAN, .cycles = NAN };
		snprintf(last->workload, sizeof(last->workload), "%s", line->workload);
	}
	if (streq(line->metric, "instructions")) {
		last->instructions = line->value;
		last->pass[0] = line->pass;
	} else if (streq(line->metric, "core_cycles")) {
		last->cycles = line->value;
		last->pass[1] = line->pass;
	} else {
		return;
	}
	if (last->instructions > 0 && last->cycles > 0 && last->pass[0] == last->pass[1]) {
		take(all, row, line->workload, "instructions_per_cycle",
		     last->instructions / last->cycles);
		last->instructions = NAN;
	}
}

/* What the lines of a boot are added to. */
struct boot_lines {
	struct all *all;
	const struct plan_row *row;
	struct pass last;
};

static void boot_line(void *arg, const struct line *line)
{
	struct boot_lines *boot = arg;

	line_take(boot->all, boot->row, line, &boot->last);
}

/* Boots of before there were counters have no file. */
static int file_take(struct all *all, const struct plan_row *row, const char *path, struct fault *f)
{
	struct boot_lines boot = { all, row, { "", NAN, NAN, { 0.0, 0.0 } } };
	struct taker to = { boot_line, &boot };

	return tsv_read(&lines_table, path, line_row, &to, f) < 0;
}

/*
 * Mean over layouts of a variant, or of its differences from another's. Layout 0 has no part in
 * it.
 */
static struct estimate over_layouts(const struct all *all, const struct series *s, int v, int from)
{
	const int layouts = all->r->plan.layouts;
	double *x = xcalloc(layouts, sizeof(*x));
	struct estimate e;
	int n = 0;

	for (int l = 1; l < layouts; l++) {
		const size_t a = (size_t)v * layouts + l, b = (size_t)from * layouts + l;

		if (!s->n[a] || (from >= 0 && !s->n[b]))
			continue;
		x[n++] = s->sum[a] / s->n[a] - (from >= 0 ? s->sum[b] / s->n[b] : 0);
	}
	e = stat_t(x, n, STAT_LEVEL);
	e.n = n;
	free(x);
	return e;
}

static void series_append(json_t *out, const struct all *all, const struct series *s)
{
	const int base = variants_baseline(&all->r->variants);

	for (int v = 0; v < all->r->variants.n; v++) {
		const struct estimate value = over_layouts(all, s, v, -1);
		struct estimate effect = { .mean = NAN, .ci = { NAN, NAN } };

		if (!value.n)
			continue;
		if (v != base)
			effect = over_layouts(all, s, v, base);
		json_array_append_new(
			out,
			json_record("counter", s->workload, all->r->variants.v[v].name,
				    "{s:s, s:s, s:s, s:s, s:f, s:o, s:o, s:o, s:i}", "target",
				    all->r->target, "workload", s->workload, "metric", s->metric,
				    "variant", all->r->variants.v[v].name, "value", value.mean,
				    "ci95", json_from_interval(value.ci), "effect",
				    json_from_number(effect.n ? effect.mean : NAN), "effect_ci95",
				    json_from_interval(effect.ci), "layouts", value.n));
	}
}

json_t *events_make(const struct result *r, const char *dir, struct fault *f)
{
	struct all all = { .r = r };
	json_t *out = json_array();
	int ret = 0;

	for (int i = 0; i < r->plan.n && !ret; i++) {
		char *stem, *path;

		if (r->boot[i].state != BOOT_OK)
			continue;
		stem = plan_stem(&r->variants, &r->plan.row[i]);
		path = xasprintf("%s/counters/%s.tsv", dir, stem);
		ret = file_take(&all, &r->plan.row[i], path, f);
		free(path);
		free(stem);
	}
	for (int i = 0; i < all.n; i++) {
		if (!ret)
			series_append(out, &all, &all.series[i]);
		free(all.series[i].workload);
		free(all.series[i].metric);
		free(all.series[i].sum);
		free(all.series[i].n);
	}
	free(all.series);
	if (!ret)
		return out;
	json_decref(out);
	return NULL;
}

/* The records that the lines of one boot of a variant become. */
struct flush_lines {
	json_t *out;
	const char *variant, *target;
	bool isolated;
};

static void flush_line(void *arg, const struct line *line)
{
	const struct flush_lines *to = arg;

	if (!isnan(line->value))
		json_array_append_new(to->out,
				      json_record("flush", line->workload, to->variant,
						  "{s:s, s:s, s:s, s:b, s:s, s:I, s:f}", "target",
						  to->target, "workload", line->workload, "variant",
						  to->variant, "isolated", to->isolated, "metric",
						  line->metric, "cpus", (json_int_t)line->ops,
						  "value", line->value));
}

json_t *flushes_make(const struct variants *vs, const char *dir, struct fault *f)
{
	static const struct {
		const char *folder, *target;
		bool isolated;
	} kinds[] = { { "", "tcg", false },
		      { "/isolated", "tcg", true },
		      { "/slow", "uml", false } };
	const int n = ARRAY_SIZE(kinds);
	json_t *out = json_array();

	for (int i = 0; i < n * vs->n; i++) {
		struct flush_lines to = { out, vs->v[i / n].name, kinds[i % n].target,
					  kinds[i % n].isolated };
		char *path = xasprintf("%s/counts/flushes%s/%s.%s.tsv", dir, kinds[i % n].folder,
				       to.target, to.variant);
		struct taker taker = { flush_line, &to };
		const int ret = tsv_read(&lines_table, path, line_row, &taker, f);

		free(path);
		if (ret >= 0)
			continue;
		json_decref(out);
		return NULL;
	}
	return out;
}
