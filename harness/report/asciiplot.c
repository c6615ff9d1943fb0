// SPDX-License-Identifier: GPL-2.0
/* The first workload's effects as a plot of letters, for mails. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "doc.h"
#include "escape.h"
#include "number.h"
#include "sections.h"

#define PLOT_LABEL 22
#define PLOT_ROOM  (MAIL_COLUMNS - PLOT_LABEL - 1)

struct axis {
	double lo, hi, step;
	int left;
};

static int axis_col(const struct axis *a, double v)
{
	return a->left + (int)lround((v - a->lo) / (a->hi - a->lo) * (PLOT_ROOM - 1));
}

static double reach(const struct effect *e)
{
	return isnan(e->ci.lo) ? fabs(e->effect) : fmax(fabs(e->ci.lo), fabs(e->ci.hi));
}

struct spread {
	double typical, most; /* median and largest distance from zero of one variant's effects */
};

static int by_value(const void *pa, const void *pb)
{
	const double a = *(const double *)pa, b = *(const double *)pb;

	return (a > b) - (a < b);
}

static int by_typical(const void *pa, const void *pb)
{
	return by_value(&((const struct spread *)pa)->typical,
			&((const struct spread *)pb)->typical);
}

double plot_limit(const struct view *r, bool headlines)
{
	struct spread *s = xcalloc(r->nvariants + 1, sizeof(*s));
	double *x = xcalloc(r->neffects + 1, sizeof(*x)), limit = 0;
	size_t n = 0, kept;

	for (size_t v = 0; v < r->nvariants; v++) {
		size_t k = 0;

		for (size_t at = 0; at < r->neffects;) {
			struct group all = view_group(r, at),
				     g = headlines ? group_headline(&all) : all;

			at += all.count;
			if (workload_is_excursion(g.first->workload))
				continue;
			for (size_t i = 0; i < g.count; i++)
				if (g.first[i].info == &r->variants[v])
					x[k++] = reach(&g.first[i]);
		}
		if (!k)
			continue;
		qsort(x, k, sizeof(*x), by_value);
		s[n++] = (struct spread){ x[k / 2], x[k - 1] };
	}
	qsort(s, n, sizeof(*s), by_typical);
	for (kept = n - n / 3; kept > 0 && kept < n; kept++)
		if (s[kept].typical > 4 * s[kept - 1].typical &&
		    s[kept - 1].typical > 5 * s[0].typical)
			break;
	for (size_t i = 0; i < kept; i++)
		limit = fmax(limit, s[i].most);
	free(x);
	free(s);
	return limit;
}

static struct axis make_axis(const struct view *r, const struct group *g)
{
	struct axis a = { .left = PLOT_LABEL + 1 };
	double limit = plot_limit(r, true);

	for (size_t i = 0; i < g->count; i++) {
		const struct effect *e = &g->first[i];

		a.lo = fmin(a.lo, fmax(-limit, isnan(e->ci.lo) ? e->effect : e->ci.lo));
		a.hi = fmax(a.hi, fmin(limit, isnan(e->ci.hi) ? e->effect : e->ci.hi));
	}
	if (a.hi - a.lo < 1e-6)
		a.hi = a.lo + 1;
	a.step = pow(10, floor(log10(a.hi - a.lo)) - 1);
	for (int k = 0; (a.hi - a.lo) / a.step > 6; k++)
		a.step *= k % 3 == 1 ? 2.5 : 2;
	a.lo = floor(a.lo / a.step + 1e-9) * a.step;
	a.hi = ceil(a.hi / a.step - 1e-9) * a.step;
	return a;
}

static void plot_axis(FILE *f, const struct axis *a)
{
	char numbers[MAIL_COLUMNS + 1], line[MAIL_COLUMNS + 1];
	int decimals = a->step < 0.1 ? 2 : a->step < 1 ? 1 : 0;

	memset(numbers, ' ', MAIL_COLUMNS);
	memset(line, ' ', MAIL_COLUMNS);
	memset(line + a->left, '-', PLOT_ROOM);
	for (int i = 0; i <= lround((a->hi - a->lo) / a->step); i++) {
		double v = a->lo + i * a->step;
		struct number n = number(v, decimals, true);
		int col = axis_col(a, v), at = col - (int)strlen(n.s) / 2;

		if (at + (int)strlen(n.s) > MAIL_COLUMNS)
			at = MAIL_COLUMNS - (int)strlen(n.s);
		memcpy(numbers + at, n.s, strlen(n.s));
		line[col] = '+';
	}
	numbers[MAIL_COLUMNS] = line[MAIL_COLUMNS] = '\0';
	for (int i = MAIL_COLUMNS; i > 0 && numbers[i - 1] == ' '; i--)
		numbers[i - 1] = '\0';
	fprintf(f, "%s\n%s\n", numbers, line);
}

static void plot_row(FILE *f, const struct view *r, const struct axis *a, const struct effect *e,
		     int decimals)
{
	char row[MAIL_COLUMNS + 1];
	char *name = escape_mail(e->variant);
	struct number n = number(e->effect, decimals, true);
	int len;

	memset(row, ' ', MAIL_COLUMNS);
	len = (int)strlen(name) > PLOT_LABEL - 1 ? PLOT_LABEL - 1 : (int)strlen(name);
	memcpy(row + 1, name, len);
	free(name);
	for (size_t i = 0; i < r->nvariants; i++) {
		const struct effect *x = view_effect(r, e, r->variants[i].name);

		if (!x || !is_null_variant(x) || isnan(x->ci.lo))
			continue;
		for (int c = axis_col(a, fmax(a->lo, x->ci.lo));
		     c <= axis_col(a, fmin(a->hi, x->ci.hi)); c++)
			if (c < MAIL_COLUMNS)
				row[c] = '.';
	}
	row[axis_col(a, 0)] = ':';
	if (e->effect > a->hi) {
		len = (int)strlen(n.s);
		memcpy(row + MAIL_COLUMNS - len - 3, n.s, len);
		memcpy(row + MAIL_COLUMNS - 3, " ->", 3);
	} else if (e->effect < a->lo) {
		memcpy(row + a->left, "<- ", 3);
		memcpy(row + a->left + 3, n.s, strlen(n.s));
	} else {
		if (!isnan(e->ci.lo)) {
			int lo = axis_col(a, fmax(a->lo, e->ci.lo)),
			    hi = axis_col(a, fmin(a->hi, e->ci.hi));

			memset(row + lo, '-', hi - lo + 1);
			row[lo] = e->ci.lo < a->lo ? '<' : '|';
			row[hi] = e->ci.hi > a->hi ? '>' : '|';
		}
		row[axis_col(a, e->effect)] = 'o';
	}
	row[MAIL_COLUMNS] = '\0';
	for (int i = MAIL_COLUMNS; i > 0 && row[i - 1] == ' '; i--)
		row[i - 1] = '\0';
	fprintf(f, "%s\n", row);
}

char *plot_letters(const struct view *r)
{
	struct group all, g;
	struct axis a;
	char *text = NULL;
	size_t size = 0;
	FILE *f;

	if (!r->neffects)
		return NULL;
	all = view_group(r, 0);
	g = group_headline(&all);
	f = open_memstream(&text, &size);
	if (!f)
		return NULL;
	a = make_axis(r, &g);
	fprintf(f, "%.*s, %s more than with %s\n", MAIL_COLUMNS / 3, g.first->workload,
		unit_long(g.first->metric), g.first->baseline);
	for (size_t i = 0; i < g.count; i++)
		plot_row(f, r, &a, &g.first[i], group_decimals(&g));
	plot_axis(f, &a);
	fprintf(f, "|--o--|: 95 %% interval (o: narrower); dots: the null's; ->: outside\n");
	fclose(f);
	return text;
}
