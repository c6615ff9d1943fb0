// SPDX-License-Identifier: GPL-2.0
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_math.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h"
#include "util.h"

#define FLIPS_CENTRED 4 /* comparisons, from which on their mean is taken off */

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

int stat_t_count(double sd, int n, double width, int most)
{
	while (n < most && stat_t_quantile(0.5 + STAT_LEVEL / 2.0, n - 1) * sd / sqrt(n) > width)
		n++;
	return n;
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

/* How many strata values are judged in: 1 where one is empty, or too few values are left. */
static int strata_of(const int *stratum, int n, int strata)
{
	for (int s = 0; s < strata; s++) {
		int count = 0;

		for (int i = 0; i < n; i++)
			count += stratum[i] == s;
		if (!count)
			return 1;
	}
	return strata > 1 && n - strata >= STAT_STRATA_SPARE ? strata : 1;
}

struct estimate stat_effect(const double *x, const int *stratum, int n, int strata, double level)
{
	return strata_of(stratum, n, strata) > 1 ? stat_t_strata(x, stratum, n, strata, level)
						 : stat_t(x, n, level);
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

struct estimate stat_slope(const double *sxy, const double *sxx, int n, double level)
{
	struct estimate e = { .sd = NAN, .df = NAN, .p_value = NAN, .ci = none, .n = n };
	double along = 0.0, across = 0.0, left = 0.0;

	for (int i = 0; i < n; i++) {
		along += sxy[i];
		across += sxx[i];
	}
	e.mean = along / across;
	for (int i = 0; i < n; i++)
		left += gsl_pow_2(sxy[i] - e.mean * sxx[i]);
	if (n > 1)
		student(&e, sqrt(left * n / (n - 1)) / across, n - 1, level);
	return e;
}

/* One comparison: its differences, with the layout and the stratum of each, and the t that is its limit. */
struct compared {
	double *x, limit;
	int *layout, *stratum, n, strata;
};

static double flipped_t(const struct compared *c, const double *sign)
{
	double within = 0.0, mean = 0.0, weight = 0.0;

	for (int s = 0; s < c->strata; s++) {
		double sum = 0.0, all = 0.0;
		int m = 0;

		for (int i = 0; i < c->n; i++) {
			if (c->strata > 1 && c->stratum[i] != s)
				continue;
			sum += sign[c->layout[i]] * c->x[i];
			all += c->x[i] * c->x[i];
			m++;
		}
		within += all * m > sum * sum ? all - sum * sum / m : 0.0;
		mean += sum / m / c->strata;
		weight += 1.0 / m / c->strata / c->strata;
	}
	/* Without any spread it would be 0 of 0. */
	return within > 0.0 ? mean / sqrt(within / (c->n - c->strata) * weight) : 0.0;
}

/*
 * Mean square of the t of all comparisons, about their mean where there are enough of them, and how many
 * of their intervals miss 0, with the layouts' @sign.
 */
static double flip(const struct compared *c, int n, const double *sign, int *missed)
{
	double squares = 0.0, mean = 0.0;

	*missed = 0;
	for (int i = 0; i < n; i++) {
		double t = flipped_t(&c[i], sign);

		squares += t * t / n;
		mean += t / n;
		*missed += fabs(t) > c[i].limit;
	}
	return n < FLIPS_CENTRED ? squares : squares - mean * mean;
}

static struct compared *compared_make(const double *d, int n, int layouts, const int *stratum,
				      int strata)
{
	struct compared *c = xcalloc(n, sizeof(*c));

	for (int i = 0; i < n; i++, c++) {
		c->x = xcalloc(layouts, sizeof(*c->x));
		c->layout = xcalloc(2 * (size_t)layouts, sizeof(*c->layout));
		c->stratum = c->layout + layouts;
		for (int l = 0; l < layouts; l++) {
			if (isnan(d[i * layouts + l]))
				continue;
			c->x[c->n] = d[i * layouts + l];
			c->layout[c->n] = l;
			c->stratum[c->n++] = strata > 1 ? stratum[l] : 0;
		}
		c->strata = strata_of(c->stratum, c->n, strata);
		c->limit = c->n > c->strata
				   ? stat_t_quantile(0.5 + STAT_LEVEL / 2.0, c->n - c->strata)
				   : INFINITY;
	}
	return c - n;
}

/* Takes from each value what the mean of its stratum is. */
static void centre_strata(struct compared *c)
{
	for (int s = 0; s < c->strata && c->strata > 1; s++) {
		double sum = 0.0;
		int m = 0;

		for (int i = 0; i < c->n; i++) {
			if (c->stratum[i] != s)
				continue;
			sum += c->x[i];
			m++;
		}
		for (int i = 0; i < c->n; i++)
			if (c->stratum[i] == s)
				c->x[i] -= sum / m;
	}
}

struct flips stat_flips(const double *d, int n, int layouts, const int *stratum, int strata,
			const bool *fixed, int draws, gsl_rng *rng)
{
	struct compared *c = compared_make(d, n, layouts, stratum, strata);
	/* Signs that are all other ones tell the same, so that one of them stays. */
	const bool all = layouts > 0 && layouts <= 30 && (1 << (layouts - 1)) - 1 <= draws;
	double *sign = xcalloc(layouts, sizeof(*sign)), *seen, square;
	struct flips f = { .comparisons = n };
	int more = 0, wider = 0, narrower = 0;

	draws = all ? (1 << (layouts - 1)) - 1 : draws;
	seen = xcalloc(draws + 1, sizeof(*seen));
	for (int l = 0; l < layouts; l++)
		sign[l] = 1.0;
	square = flip(c, n, sign, &f.missed);
	seen[draws] = square;
	for (int i = 0; i < n; i++)
		if (fixed && fixed[i])
			centre_strata(&c[i]);
	for (int k = 0; k < draws; k++) {
		int missed;

		for (int l = 0; l < layouts; l++)
			sign[l] = (all ? (k + 1) >> l & 1 : (int)gsl_rng_uniform_int(rng, 2)) ? -1.0
											      : 1.0;
		seen[k] = flip(c, n, sign, &missed);
		more += missed >= f.missed;
		wider += seen[k] >= square;
		narrower += seen[k] <= square;
	}
	gsl_sort(seen, 1, draws + 1);
	f.spread = sqrt(square / stat_quantile(seen, draws + 1, 0.5));
	/* What was seen is one of the draws itself. */
	f.p_missed = (more + 1.0) / (draws + 1.0);
	f.p_narrow = (wider + 1.0) / (draws + 1.0);
	f.p_wide = (narrower + 1.0) / (draws + 1.0);
	for (int i = 0; i < n; i++) {
		free(c[i].x);
		free(c[i].layout);
	}
	free(c);
	free(seen);
	free(sign);
	return f;
}

double stat_p_below(const double *a, const double *b, int n)
{
	double below = 0.0;

	for (int i = 0; i < n; i++)
		below += a[i] < b[i] ? 1.0 : a[i] == b[i] ? 0.5 : 0.0;
	return n > 0 ? below / n : NAN;
}

double stat_layout_value(const struct nested *x, int layout)
{
	double sum = 0.0, least = NAN;
	int n = 0;

	for (int i = 0; i < x->boots; i++) {
		double v = x->value[layout * x->boots + i];

		if (isnan(v))
			continue;
		least = fmin(least, v);
		sum += v;
		n++;
	}
	return x->least ? least : n ? sum / n : NAN;
}

static int layout_boots(const struct nested *x, int layout)
{
	int n = 0;

	for (int i = 0; i < x->boots; i++)
		n += !isnan(x->value[layout * x->boots + i]);
	return n;
}

/* What stands for a layout beside @other: the least of more boots would be less by itself. */
static double paired_value(const struct nested *x, const struct nested *other, int layout)
{
	int most = x->least ? layout_boots(other, layout) : x->boots;
	double least = NAN;

	if (!x->least)
		return stat_layout_value(x, layout);
	for (int i = 0; i < x->boots && most; i++) {
		double v = x->value[layout * x->boots + i];

		least = fmin(least, v);
		most -= !isnan(v);
	}
	return least;
}

int stat_layout_values(const struct nested *x, double *value, int *layout)
{
	int n = 0;

	for (int l = 0; l < x->layouts; l++) {
		value[n] = stat_layout_value(x, l);
		if (!isnan(value[n]))
			layout[n++] = l;
	}
	return n;
}

void pairs_make(struct pairs *p, const struct nested *a, const struct nested *b)
{
	*p = (struct pairs){ 0 };
	p->x = xcalloc(3 * (size_t)a->layouts + 3, sizeof(*p->x));
	p->y = p->x + a->layouts + 1;
	p->d = p->y + a->layouts + 1;
	p->layout = xcalloc(a->layouts, sizeof(*p->layout));
	for (int l = 0; l < a->layouts; l++) {
		double x = paired_value(a, b, l), y = paired_value(b, a, l);

		p->alone += !layout_boots(a, l) != !layout_boots(b, l);
		if (isnan(x) || isnan(y))
			continue;
		p->x[p->n] = x;
		p->y[p->n] = y;
		p->d[p->n] = x - y;
		p->layout[p->n++] = l;
	}
}

void pairs_free(struct pairs *p)
{
	free(p->x);
	free(p->layout);
}

/* The boots of the layouts in @at, packed: @n[i] values from @v[i * boots] on. */
static void pack(const struct nested *x, const struct nested *other, const int *at, int m,
		 double *v, int *n)
{
	for (int i = 0; i < m; i++) {
		n[i] = 0;
		if (x->least)
			v[i * x->boots + n[i]++] = paired_value(x, other, at[i]);
		for (int j = 0; j < x->boots && !x->least; j++) {
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
		d[m] = paired_value(a, b, i) - paired_value(b, a, i);
		if (!isnan(d[m]))
			at[m++] = i;
	}
	mean = stat_mean(d, m);
	se = stat_sd(d, m) / sqrt(m);
	pack(a, b, at, m, va, na);
	pack(b, a, at, m, vb, nb);
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

/* Sums over a set of runs: of their values, of their number, and of what is in its parts. */
struct tally {
	double sum, n, parts, squares; /* parts: sum^2/n of the parts; squares: n^2 of the parts */
};

static void tally_add(struct tally *whole, const struct tally *part)
{
	if (part->n == 0.0)
		return;
	whole->sum += part->sum;
	whole->n += part->n;
	whole->parts += gsl_pow_2(part->sum) / part->n;
	whole->squares += gsl_pow_2(part->n);
}

struct components stat_components(const double *value, int layouts, int boots, int runs,
				  double noise)
{
	struct components c = { NAN, NAN, NAN };
	/* Of boots within layouts and of layouts within all: sums of n^2/n over the wholes. */
	double spread_boots = 0.0, square = 0.0, in_boots = 0.0, in_layouts = 0.0, all_boots = 0.0;
	double n_boots = 0.0, n_layouts = 0.0, centre = 0.0, below = noise;
	struct tally all = { 0 };
	int n = 0;

	/* Distances from about the mean keep the sums of squares exact. */
	for (int i = 0; i < layouts * boots * runs; i++)
		if (!isnan(value[i]))
			centre += (value[i] - centre) / ++n;
	for (int l = 0; l < layouts; l++) {
		struct tally layout = { 0 };

		for (int b = 0; b < boots; b++) {
			struct tally boot = { 0 };

			for (int i = 0; i < runs; i++) {
				double v = value[(l * boots + b) * runs + i] - centre;

				if (!isnan(v))
					tally_add(&boot, &(struct tally){ .sum = v, .n = 1.0 });
			}
			if (boot.n == 0.0)
				continue;
			square += boot.parts;
			all_boots += gsl_pow_2(boot.n);
			n_boots++;
			tally_add(&layout, &boot);
		}
		if (layout.n == 0.0)
			continue;
		in_boots += layout.parts;
		spread_boots += layout.squares / layout.n;
		n_layouts++;
		tally_add(&all, &layout);
	}
	in_layouts = all.parts;
	if (n > n_boots) {
		below = (square - in_boots) / (n - n_boots);
		c.run = below - noise;
	}
	if (n_boots > n_layouts)
		c.boot = ((in_boots - in_layouts) / (n_boots - n_layouts) - below) /
			 ((n - spread_boots) / (n_boots - n_layouts));
	if (n_layouts > 1.0) {
		double boot = isnan(c.boot) ? 0.0 : c.boot;
		double k = (spread_boots - all_boots / n) / (n_layouts - 1.0);

		c.layout = ((in_layouts - gsl_pow_2(all.sum) / n) / (n_layouts - 1.0) - below -
			    k * boot) /
			   ((n - all.squares / n) / (n_layouts - 1.0));
	}
	return c;
}

struct interval stat_share(int k, int n, double level)
{
	double tail = (1.0 - level) / 2.0;

	if (n < 1)
		return none;
	return (struct interval){ k > 0 ? gsl_cdf_beta_Pinv(tail, k, n - k + 1) : 0.0,
				  k < n ? gsl_cdf_beta_Qinv(tail, k + 1, n - k) : 1.0 };
}

double stat_at_least(int k, int n, double p)
{
	return k > 0 ? gsl_cdf_binomial_Q(k - 1, p, n) : 1.0;
}

static double middle_of(const double *x, int n, double *buffer)
{
	memcpy(buffer, x, n * sizeof(*x));
	gsl_sort(buffer, 1, n);
	return stat_quantile(buffer, n, 0.5);
}

int stat_warmup(const double *x, int n, double alpha)
{
	size_t *at = xcalloc(n, sizeof(*at));
	double *score = xcalloc(n, sizeof(*score)), sum = 0.0, least = alpha, limit = 0.0;
	int found = 0, tried = n / 2;

	gsl_sort_index(at, x, 1, n);
	for (int i = 0, end; i < n; i = end) {
		double tied = 0.0;

		/* What is equal shares the mean of its scores. */
		for (end = i; end < n && x[at[end]] == x[at[i]]; end++) {
			sum += 1.0 / (n - end);
			tied += sum;
		}
		for (int k = i; k < end; k++)
			score[at[k]] = tied / (end - i);
	}
	sum = 0.0;
	for (int t = 1; t <= tried; t++) {
		double p;

		sum += score[t - 1];
		p = sum > t ? gsl_cdf_gamma_Q(sum, t, 1.0) * tried : 1.0;
		if (p >= least)
			continue;
		least = p;
		found = t;
	}
	/* Ranks say that there is a warm-up; where it ends, the values say better. */
	if (found)
		limit = (middle_of(x, found, score) + middle_of(x + found, n - found, score)) / 2.0;
	while (found && x[found - 1] < limit)
		found--;
	free(score);
	free(at);
	return found;
}

double stat_core_mean(double *x, int n, double *se)
{
	double middle;
	int lo = 0, hi = n;

	gsl_sort(x, 1, n);
	middle = stat_quantile(x, n, 0.5);
	while (lo < hi && x[lo] < 0.75 * middle)
		lo++;
	while (hi > lo && x[hi - 1] > 1.25 * middle)
		hi--;
	*se = stat_sd(x + lo, hi - lo) / sqrt(hi - lo);
	return stat_mean(x + lo, hi - lo);
}

double stat_lower_mode(const double *x, int n)
{
	n = (n + 1) / 2;
	while (n > 3) {
		int half = (n + 1) / 2, best = 0;

		for (int i = 1; i + half <= n; i++)
			if (x[i + half - 1] - x[i] < x[best + half - 1] - x[best])
				best = i;
		x += best;
		n = half;
	}
	if (n == 3 && x[1] - x[0] == x[2] - x[1])
		return x[1];
	if (n == 3)
		x += x[1] - x[0] > x[2] - x[1];
	return n < 1 ? NAN : n == 1 ? x[0] : (x[0] + x[1]) / 2.0;
}

static double fifth(const double *x, int n)
{
	return stat_quantile(x, n, 0.05);
}

static double median(const double *x, int n)
{
	return stat_quantile(x, n, 0.5);
}

/* Without the lowest and the highest tenth. */
static double trimmed(const double *x, int n)
{
	return n > 0 ? gsl_stats_trmean_from_sorted_data(0.1, x, 1, n) : NAN;
}

static double least(const double *x, int n)
{
	return stat_quantile(x, n, 0.0);
}

/*
 * On the samples in results/published of an AMD EPYC (family 25, model 1; 12 layouts, 3 boots each) and of an Intel Xeon
 * (32 layouts, 1 boot): the median half-width of the null's intervals in ticks, and the slope of the doses in pairs with
 * half its interval:
 *
 *	quiet-p50	0.85  0.923 0.120	0.18  0.963 0.036
 *	quiet-trim	0.84  0.906 0.103	0.26  0.953 0.039
 *	quiet-mean	0.80  0.908 0.096	0.35  0.924 0.045
 *	quiet-p05	0.23  1.002 0.001	0.08  0.950 0.034
 *
 * In one image and with nobody beside it a pair takes one of a few times, for a sample or for a whole boot: the medians of
 * the three boots of layout 6 on the AMD are 44.0, 42.8 and 49.2 ticks. The least of them comes again to 0.1 tick, wherever
 * it is seen, which two boots of three see to. How often the others come differs from boot to boot, and that is what a
 * median or a mean is made of.
 */
const struct location stat_locations[STAT_LOCATIONS] = {
	{ "quiet-p05", "5 % quantile of the quiet samples of a run, the least of a layout's boots",
	  true, true, fifth },
	{ "quiet-p50", "median of the quiet samples of a run", true, false, median },
	{ "quiet-trim", "mean of the middle 80 % of the quiet samples of a run", true, false,
	  trimmed },
	{ "quiet-mean", "mean of the quiet samples of a run", true, false, stat_mean },
	{ "p05", "5 % quantile of all samples of a run, the least of a layout's boots", false, true,
	  fifth },
	{ "p50", "median of all samples of a run", false, false, median },
	{ "mean", "mean of all samples of a run", false, false, stat_mean },
	{ "min", "minimum of all samples of a layout's boots", false, true, least },
	{ "mode", "lower half-sample mode of all samples of a run", false, false, stat_lower_mode },
};

const struct location *stat_location_find(const char *name)
{
	for (int i = 0; i < STAT_LOCATIONS; i++)
		if (streq(stat_locations[i].name, name))
			return &stat_locations[i];
	return NULL;
}

double stat_location(const struct location *l, double *x, int n)
{
	gsl_sort(x, 1, n);
	return l->of(x, n);
}
