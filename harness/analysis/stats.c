// SPDX-License-Identifier: GPL-2.0
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_math.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h"
#include "util.h"

static const struct interval none = { NAN, NAN };

gsl_rng *stat_rng(uint64_t seed, const char *purpose)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	uint64_t h = 0xcbf29ce484222325;

	/* FNV-1a over the purpose and the seed's bytes: all 64 bits of the seed count. */
	for (; *purpose; purpose++)
		h = (h ^ (unsigned char)*purpose) * 0x100000001b3;
	for (int i = 0; i < 8; i++)
		h = (h ^ (seed >> 8 * i & 0xff)) * 0x100000001b3;
	gsl_rng_set(rng, (h ^ h >> 32) & 0xffffffff);
	return rng;
}

double stat_quantile(const double *sorted, int n, double p)
{
	return n > 0 ? gsl_stats_quantile_from_sorted_data(sorted, 1, n, p) : NAN;
}

double stat_mean(const double *x, int n)
{
	return n > 0 ? gsl_stats_mean(x, 1, n) : NAN;
}

double stat_sd(const double *x, int n)
{
	return n > 1 ? gsl_stats_sd(x, 1, n) : NAN;
}

double stat_t_quantile(double p, double df)
{
	return gsl_cdf_tdist_Pinv(p, df);
}

double stat_t_pvalue(double t, double df)
{
	return 2.0 * gsl_cdf_tdist_Q(fabs(t), df);
}

/* Interval and p value of a mean with standard error @se. */
static void student(struct estimate *e, double se, double df, double level)
{
	double half = se > 0.0 ? stat_t_quantile(0.5 + level / 2.0, df) * se : 0.0;

	e->df = df;
	e->ci = (struct interval){ e->mean - half, e->mean + half };
	if (se > 0.0)
		e->p_value = stat_t_pvalue(e->mean / se, df);
	else
		e->p_value = e->mean == 0.0;
}

struct estimate stat_t(const double *x, int n, double level)
{
	struct estimate e = { .mean = stat_mean(x, n),
			      .sd = stat_sd(x, n),
			      .df = NAN,
			      .p_value = NAN,
			      .ci = none,
			      .n = n };

	if (n > 1)
		student(&e, e.sd / sqrt(n), n - 1, level);
	return e;
}

struct estimate stat_t_strata(const double *x, const int *stratum, int n, int strata, double level)
{
	struct estimate e = { .sd = NAN, .df = NAN, .p_value = NAN, .ci = none, .n = n };
	double within = 0.0, weight = 0.0;

	for (int s = 0; s < strata; s++) {
		double sum = 0.0;
		int count = 0;

		for (int i = 0; i < n; i++) {
			if (stratum[i] != s)
				continue;
			sum += x[i];
			count++;
		}
		/* An empty stratum makes everything NaN from here on. */
		e.mean += sum / count / strata;
		weight += 1.0 / ((double)strata * strata * count);
		for (int i = 0; i < n; i++)
			if (stratum[i] == s)
				within += gsl_pow_2(x[i] - sum / count);
	}
	if (n <= strata || isnan(e.mean))
		return e;
	e.sd = sqrt(within / (n - strata));
	student(&e, e.sd * sqrt(weight), n - strata, level);
	return e;
}

struct estimate stat_welch(const double *a, int na, const double *b, int nb, double level)
{
	double va = gsl_pow_2(stat_sd(a, na)) / na, vb = gsl_pow_2(stat_sd(b, nb)) / nb;
	struct estimate e = { .mean = stat_mean(a, na) - stat_mean(b, nb),
			      .sd = NAN,
			      .df = NAN,
			      .p_value = NAN,
			      .ci = none,
			      .n = na + nb };
	double df = gsl_pow_2(va + vb) / (va * va / (na - 1) + vb * vb / (nb - 1));

	if (na > 1 && nb > 1)
		student(&e, sqrt(va + vb), df, level);
	return e;
}

struct interval stat_fieller(const double *a, const double *b, int n, double level)
{
	double ma = stat_mean(a, n), mb = stat_mean(b, n), t2, saa, sbb, sab, qa, qb, qc, root;

	if (n < 2)
		return none;
	t2 = gsl_pow_2(stat_t_quantile(0.5 + level / 2.0, n - 1)) / n;
	saa = t2 * gsl_stats_variance(a, 1, n);
	sbb = t2 * gsl_stats_variance(b, 1, n);
	sab = t2 * gsl_stats_covariance(a, 1, b, 1, n);
	/* The r for which (ma - r mb)^2 <= t^2 var(ma - r mb). */
	qa = mb * mb - sbb;
	qb = ma * mb - sab;
	qc = ma * ma - saa;
	root = qb * qb - qa * qc;
	if (qa <= 0.0)
		return none;
	root = root > 0.0 ? sqrt(root) : 0.0;
	return (struct interval){ (qb - root) / qa, (qb + root) / qa };
}

void stat_holm(const double *p, double *adjusted, int n)
{
	size_t *at = xcalloc(n, sizeof(*at));
	double *q = xcalloc(n, sizeof(*q)), least = 0.0;
	int m = 0;

	for (int i = 0; i < n; i++) {
		adjusted[i] = NAN;
		if (isnan(p[i]))
			continue;
		q[m] = p[i];
		m++;
	}
	gsl_sort_index(at, q, 1, m);
	for (int i = 0; i < m; i++) {
		least = fmax(least, fmin(1.0, (m - i) * q[at[i]]));
		q[at[i]] = least;
	}
	for (int i = 0, j = 0; i < n; i++)
		if (!isnan(p[i]))
			adjusted[i] = q[j++];
	free(q);
	free(at);
}

double stat_p_below(const double *a, const double *b, int n)
{
	double below = 0.0;

	for (int i = 0; i < n; i++)
		below += a[i] < b[i] ? 1.0 : a[i] == b[i] ? 0.5 : 0.0;
	return n > 0 ? below / n : NAN;
}

double stat_layout_mean(const struct nested *x, int layout)
{
	double sum = 0.0;
	int n = 0;

	for (int i = 0; i < x->boots; i++) {
		double v = x->value[layout * x->boots + i];

		if (isnan(v))
			continue;
		sum += v;
		n++;
	}
	return n ? sum / n : NAN;
}

/* The boots of the layouts in @at, packed: @n[i] values from @v[i * boots] on. */
static void pack(const struct nested *x, const int *at, int m, double *v, int *n)
{
	for (int i = 0; i < m; i++) {
		n[i] = 0;
		for (int j = 0; j < x->boots; j++) {
			double value = x->value[at[i] * x->boots + j];

			if (!isnan(value))
				v[i * x->boots + n[i]++] = value;
		}
	}
}

static double draw_mean(const double *v, int n, gsl_rng *rng)
{
	double sum = 0.0;

	if (n == 1)
		return v[0];
	for (int i = 0; i < n; i++)
		sum += v[gsl_rng_uniform_int(rng, n)];
	return sum / n;
}

struct interval stat_bootstrap(const struct nested *a, const struct nested *b, int resamples,
			       gsl_rng *rng, double level)
{
	int max = a->layouts < b->layouts ? a->layouts : b->layouts, m = 0, done = 0;
	double *va = xcalloc((size_t)max * a->boots, sizeof(*va));
	double *vb = xcalloc((size_t)max * b->boots, sizeof(*vb));
	double *d = xcalloc(max, sizeof(*d)), *t = xcalloc(resamples, sizeof(*t)), mean, se;
	int *at = xcalloc(max, sizeof(*at)), *na = xcalloc(max, sizeof(*na)),
	    *nb = xcalloc(max, sizeof(*nb));
	struct interval ci = none;

	for (int i = 0; i < max; i++) {
		d[m] = stat_layout_mean(a, i) - stat_layout_mean(b, i);
		if (!isnan(d[m]))
			at[m++] = i;
	}
	mean = stat_mean(d, m);
	se = stat_sd(d, m) / sqrt(m);
	pack(a, at, m, va, na);
	pack(b, at, m, vb, nb);
	if (m >= STAT_BOOT_LAYOUTS && se == 0.0)
		ci = (struct interval){ mean, mean };
	while (m >= STAT_BOOT_LAYOUTS && se > 0.0 && done < resamples) {
		double s;

		for (int i = 0; i < m; i++) {
			int k = gsl_rng_uniform_int(rng, m);

			d[i] = draw_mean(va + k * a->boots, na[k], rng) -
			       draw_mean(vb + k * b->boots, nb[k], rng);
		}
		s = stat_sd(d, m) / sqrt(m);
		/*
		 * The same layout drawn each time tells nothing of the spread; a few in a million.
		 */
		if (s > 0.0)
			t[done++] = (stat_mean(d, m) - mean) / s;
	}
	if (done) {
		gsl_sort(t, 1, done);
		ci.lo = mean - stat_quantile(t, done, 0.5 + level / 2.0) * se;
		ci.hi = mean - stat_quantile(t, done, 0.5 - level / 2.0) * se;
	}
	free(nb);
	free(na);
	free(at);
	free(t);
	free(d);
	free(vb);
	free(va);
	return ci;
}

struct components stat_components(const struct nested *x)
{
	struct components c = { NAN, NAN };
	double total = 0.0, within = 0.0, between = 0.0, squares = 0.0, grand;
	int values = 0, layouts = 0;

	for (int i = 0; i < x->layouts * x->boots; i++) {
		if (isnan(x->value[i]))
			continue;
		total += x->value[i];
		values++;
	}
	grand = total / values;
	for (int i = 0; i < x->layouts; i++) {
		double mean = stat_layout_mean(x, i);
		int n = 0;

		if (isnan(mean))
			continue;
		for (int j = 0; j < x->boots; j++) {
			double v = x->value[i * x->boots + j];

			if (isnan(v))
				continue;
			within += gsl_pow_2(v - mean);
			n++;
		}
		layouts++;
		between += n * gsl_pow_2(mean - grand);
		squares += (double)n * n;
	}
	if (values > layouts)
		c.boot = within / (values - layouts);
	/* With one boot each, what is seen between layouts holds the boots' variance as well. */
	if (layouts > 1)
		c.layout = (between / (layouts - 1) - (isnan(c.boot) ? 0.0 : c.boot)) /
			   ((values - squares / values) / (layouts - 1));
	return c;
}

const struct location stat_locations[] = {
	{ "p05", "5 % quantile of the batch means of a run", 0.05 },
	{ "p50", "median of the batch means of a run", 0.50 },
	{ "min", "minimum of the batch means of a run", 0.0 },
	{ "mean", "mean of the batch means of a run", NAN },
	{ 0 },
};

const struct location *stat_location_find(const char *name)
{
	for (const struct location *l = stat_locations; l->name; l++)
		if (streq(l->name, name))
			return l;
	return NULL;
}

double stat_location(const struct location *l, double *x, int n)
{
	if (isnan(l->quantile))
		return stat_mean(x, n);
	gsl_sort(x, 1, n);
	return stat_quantile(x, n, l->quantile);
}
