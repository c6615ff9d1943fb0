/* SPDX-License-Identifier: GPL-2.0 */
/* Reading the times of a result folder (formats.md). */
#ifndef SHEAFBENCH_ANALYSIS_RESULT_H
#define SHEAFBENCH_ANALYSIS_RESULT_H

#include "json.h"
#include "plan.h"
#include "samples.h"

enum boot_state { BOOT_MISSING, BOOT_OK, BOOT_FAILED };

struct boot {
	enum boot_state state;
	char *reason; /* of a failed one, else NULL */
	double seconds;
};

/* What is kept of one run of a workload; samples are those after the warm-up. */
struct run {
	int workload, variant, layout, boot;
	int number;		    /* among the runs of the workload in that boot, from 0 */
	int samples, quiet, warmup; /* quiet: -1 when the gate was off */
	/*
	 * In ticks per operation at the result's clock: by location, the value and the variance of it
	 * that comes from its samples; and the median in the contended state. NaN where samples are
	 * too few.
	 */
	double value[STAT_LOCATIONS], noise[STAT_LOCATIONS], contended;
	double variance[2];   /* of one sample: of all, of the quiet ones */
	double core_per_tick; /* the clock that it ran at; NaN without chains */
	double clock_error;   /* the standard error of that */
	bool moved;	      /* the clock, by more than 2 % */
	double looked, lost, largest, step;
};

struct result {
	double core_per_tick; /* the clock of all values: the median of the runs'; NaN without chains */
	char *id;	      /* the folder's name without ".part" */
	char *target;
	json_t *environment;
	struct variants variants;
	struct plan plan;
	struct boot *boot; /* one per row of the plan */
	char **workload;   /* in the order of the samples files, the baseline's first */
	int workloads;
	struct run *run;
	int runs, repeats;  /* repeats: most runs of a workload in a boot */
	struct clock clock; /* of any boot */
	/* Gate values in ticks: the undisturbed one, and the largest of a quiet sample; NaN if off. */
	double gate_level, gate_limit;
	char *metric; /* "tsc_ticks_per_op" where the samples' clock is "tsc" */
	const struct location *location;
	double *value[2]; /* of boots: in the location's state, in the contended one */
};

/* Reads the folder @dir whole. Any fault names file and line; the result is then empty. */
int result_read(struct result *r, const char *dir, const struct location *l, struct fault *f);
void result_free(struct result *r);
/* Takes another location of the runs that were read. */
void result_locate(struct result *r, const struct location *l);
/* Whether the gate calls sample @i quiet; without a gate all are. */
bool sample_quiet(const struct result *r, const struct samples *s, int i);

/*
 * The boots of one variant and workload, layouts x boots, in clock ticks per operation. Row 0 is
 * layout 1: the stock layout has no part in averages.
 */
struct nested result_side(const struct result *r, int workload, int variant);
/* The same of the contended samples, by their medians; the mean of its boots stands for a layout. */
struct nested result_contended(const struct result *r, int workload, int variant);
/* The pad of @variant's image in @layout, in bytes; 0 where it has none. */
unsigned int result_pad(const struct result *r, int variant, int layout);
/*
 * The phases of the @n layouts in @row, rows of result_side(), into @phase; how many there are: PHASES,
 * or 0 where the images of @a and @b have not the same.
 */
int result_phases(const struct result *r, int a, int b, const int *row, int n, int *phase);
/* What stands for the stock layout, NaN when there is none. */
double result_stock(const struct result *r, int workload, int variant);
/*
 * Core cycles per tick at the clock of all values, where the runs of @variant and @workload in a layout
 * have chains beside them, an addition of which takes one core cycle; else NaN.
 */
double result_core_per_tick(const struct result *r, int workload, int variant, int layout);

/* Of the runs of one side in the layouts beyond the stock one. */
struct spread {
	struct components c;
	double sample;	    /* variance of one sample of the location's state */
	double quiet_share; /* NaN without a gate */
};

struct spread result_spread(const struct result *r, int workload, int variant);

/*
 * Share of the planned layouts beyond the stock one in which @variant, and @other if that is not below
 * 0, has a value of @workload, NaN without any; with @workload below 0, of those of all workloads but
 * flushes and excursions.
 */
double result_kept(const struct result *r, int workload, int variant, int other);

#endif
