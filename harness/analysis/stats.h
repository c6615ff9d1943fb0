/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Statistics of sheafbench. Values carry the unit of what is passed in (TSC ticks per operation as
 * a rule); a missing value, and a bound that the data cannot give, is NaN. Nothing here fails
 * otherwise.
 */
#ifndef SHEAFBENCH_ANALYSIS_STATS_H
#define SHEAFBENCH_ANALYSIS_STATS_H

#include <gsl/gsl_rng.h>
#include <stdbool.h>
#include <stdint.h>

#define STAT_LEVEL	  0.95 /* of all intervals in a result */
#define STAT_RESAMPLES	  2000
#define STAT_BOOT_LAYOUTS 5 /* fewest layouts for which a bootstrap means anything */
#define STAT_STRATA_SPARE 4 /* fewest degrees of freedom that strata leave */
/*
 * Times the undisturbed probe: a sample beyond is contended. The probe in core cycles, by the chain of
 * its run, was tried on three recorded results of an Intel Xeon whose clock moves by 3 %: it calls 46.7,
 * 45.7 and 22.3 % of the samples quiet where ticks call 46.8, 45.8 and 22.3 %.
 */
#define STAT_GATE_LIMIT	  1.09
#define STAT_GATE_FEWEST  16   /* samples of a state in a run, below which it has no value */
#define STAT_WARMUP_ALPHA 0.01 /* a bound: of steady series far fewer give an alarm */

/*
 * A generator (MT19937, Matsumoto and Nishimura 1998) for one @purpose of a run: streams of the
 * same seed for different purposes are unrelated. Free it with gsl_rng_free().
 */
gsl_rng *stat_rng(uint64_t seed, const char *purpose);

/* Quantile @p in [0, 1] of @n ascending values, type 7 of Hyndman and Fan (1996), R's default. */
double stat_quantile(const double *sorted, int n, double p);
double stat_mean(const double *x, int n);
/* Standard deviation with n - 1 below the line; NaN for n < 2. */
double stat_sd(const double *x, int n);

/*
 * The value that @p of Student's t with @df degrees of freedom lies below; @df need not be whole.
 */
double stat_t_quantile(double p, double df);
/* Two-sided p value of a t statistic. */
double stat_t_pvalue(double t, double df);

struct interval {
	double lo, hi;
};

struct estimate {
	double mean;
	double sd, df, p_value; /* p_value: two-sided, against a mean of 0 */
	struct interval ci;
	int n;
};

/*
 * Mean of @n independent values with Student's t interval on n - 1 degrees of freedom. With n < 2
 * there is a mean and nothing else. Values that are all equal give an interval of width 0, and p =
 * 0 or, at 0, p = 1.
 */
struct estimate stat_t(const double *x, int n, double level);

/* How many values, from @n to @most, have a half-width of STAT_LEVEL of at most @width where they spread by @sd. */
int stat_t_count(double sd, int n, double width, int most);

/*
 * As stat_t(), for values that come from @strata fixed strata, @stratum[i] in [0, @strata): the
 * mean of the strata's means, with the spread within strata alone, pooled, on n - @strata degrees
 * of freedom (Cochran 1977). What strata differ by does not widen the interval. NaN when a
 * stratum is empty or none has two values.
 */
struct estimate stat_t_strata(const double *x, const int *stratum, int n, int strata, double level);

/*
 * What an effect is estimated by: stat_t_strata(), or where a stratum is empty or fewer than
 * STAT_STRATA_SPARE degrees of freedom would be left stat_t(). Few values of one stratum are no
 * reason: the variance is that of all of them within theirs.
 */
struct estimate stat_effect(const double *x, const int *stratum, int n, int strata, double level);

/* Mean of @a minus mean of @b, unpaired, unequal variances: Welch (1947). */
struct estimate stat_welch(const double *a, int na, const double *b, int nb, double level);

/*
 * Ratio of the means of pairs, mean(@a) / mean(@b): Fieller (1954), n - 1 degrees of freedom. NaN
 * bounds when n < 2 or when the denominator cannot be told from 0, for then the set of ratios is
 * not an interval.
 */
struct interval stat_fieller(const double *a, const double *b, int n, double level);

/*
 * Adjusts @n p values for their number: Holm (1979). NaN are left out of the family and stay NaN.
 */
void stat_holm(const double *p, double *adjusted, int n);

/*
 * Slope of groups that have an intercept each, from their sums of products about the group's means,
 * @sxy and @sxx (above 0): ratio of the sums, with the spread of what the groups leave. A group in
 * which the line is known better weighs more.
 */
struct estimate stat_slope(const double *sxy, const double *sxx, int n, double level);

/*
 * What @n comparisons of something with itself in the same @layouts, @d[comparison * layouts + layout]
 * (NaN where there is none), find, beside what they find with the signs of whole layouts drawn anew
 * @draws times. Layout l is of @stratum[l], as for stat_effect(). Comparisons that share boots are off
 * together, and stay so: what a count of intervals should be is no binomial, and tells little. How much
 * they differ among themselves tells more, for that is what the boots do not share. A comparison that is
 * @fixed (NULL: none is) may differ by a fixed amount in each stratum, which has no sign to be drawn: it is
 * taken out before. Where there are no more than @draws signs, all are drawn, once each.
 */
struct flips {
	int comparisons, missed; /* missed: intervals of STAT_LEVEL without 0 */
	/* Root mean square of the t about their mean (of fewer than 4 about 0), in units of its median over the draws. */
	double spread;
	/* Shares of draws with so many misses or more; with such a spread or a larger one, a smaller one. */
	double p_missed, p_narrow, p_wide;
};

struct flips stat_flips(const double *d, int n, int layouts, const int *stratum, int strata,
			const bool *fixed, int draws, gsl_rng *rng);

/* Share of the @n pairs in which @a is below @b; a tie counts half. */
double stat_p_below(const double *a, const double *b, int n);

/* One side of a comparison: a table of layouts x boots, row by row, NaN where there is no boot. */
struct nested {
	const double *value;
	int layouts, boots;
	bool least; /* what stands for a layout: the least of its boots, or else their mean */
};

/* What stands for @layout, NaN when it has no boot. */
double stat_layout_value(const struct nested *x, int layout);

/* The values of the layouts that @x has into @value, and their numbers into @layout; their count. */
int stat_layout_values(const struct nested *x, double *value, int *layout);

/* The layouts that two sides both have. */
struct pairs {
	double *x, *y, *d; /* values of the first and the second side, and their differences */
	int *layout;	   /* rows of the sides */
	int n, alone;	   /* alone: layouts that just one side has */
};

void pairs_make(struct pairs *p, const struct nested *a, const struct nested *b);
void pairs_free(struct pairs *p);

/*
 * Interval of the mean over layouts of what stands for a layout in @a less that in @b, by a nested
 * bootstrap: layouts are drawn with replacement, in pairs, then the boots within each, on each side
 * apart, unless the least of them stands for all. Only layouts that both sides have take part. The
 * interval is the studentised one (bootstrap-t; Davison and Hinkley 1997, 5.2): the percentile interval covers too
 * rarely with ten layouts, and drawing boots within layouts counts their variance twice
 * (ibid. 3.8), which studentising cancels. NaN below STAT_BOOT_LAYOUTS layouts. Locations of runs
 * are taken as they are: with hundreds of samples each, drawing samples again would add nothing.
 */
struct interval stat_bootstrap(const struct nested *a, const struct nested *b, int resamples,
			       gsl_rng *rng, double level);

/*
 * Variances by level of a random-effects model with runs within boots within layouts (method of
 * moments, unbalanced: Searle, Casella and McCulloch 1992). Estimates may be below 0, which says:
 * too small to see. A level without repeats is NaN, and its variance stays in the level above.
 */
struct components {
	double layout, boot, run;
};

/*
 * @value[(layout * @boots + boot) * @runs + run], NaN where there is none. @noise is the variance
 * that a run's value has from its samples, taken off the lowest level that has repeats; 0 if unknown.
 */
struct components stat_components(const double *value, int layouts, int boots, int runs,
				  double noise);

/* Interval of a share of which @k of @n were seen: Clopper and Pearson (1934). NaN when @n is 0. */
struct interval stat_share(int k, int n, double level);
/* P(X >= @k) where X is binomial with @n trials of probability @p. */
double stat_at_least(int k, int n, double p);

/*
 * How many of the first values of a series are a warm-up: the t, up to half of @n, at which a rank
 * test of the first t values against the rest says most clearly that they are dearer, or 0 when
 * it does not say so with a p value below @alpha. Savage's (1956) exponential scores, which a few
 * very dear values move most (the usual Wilcoxon scores of Pettitt 1979 cannot see five values in
 * two hundred); the sum of t scores has about a gamma(t) distribution, and Bonferroni's correction
 * is made for the t that were tried. What ends the warm-up is nearer to its median than to the rest's.
 */
int stat_warmup(const double *x, int n, double alpha);

/*
 * Mean of what lies within a quarter of the median, and its standard error: timer steps average out,
 * interrupts have no part. Sorts @x in place.
 */
double stat_core_mean(double *x, int n, double *se);

/* Locations of a run by name: what stands for the many samples of one boot. */
struct location {
	const char *name, *about;
	bool quiet; /* of the quiet samples only */
	bool least; /* of the boots of a layout the least counts, not their mean */
	double (*of)(const double *sorted, int n);
};

#define STAT_LOCATIONS 9

extern const struct location stat_locations[STAT_LOCATIONS]; /* the first is the default */

const struct location *stat_location_find(const char *name);
/* Sorts @x in place; NaN for no values. */
double stat_location(const struct location *l, double *x, int n);

/*
 * The half-sample mode (Bickel and Fruehwirth 2006) of the lower half of the values, so that of two
 * modes it is the lower one even where that has but a third of the samples.
 */
double stat_lower_mode(const double *sorted, int n);

#endif
