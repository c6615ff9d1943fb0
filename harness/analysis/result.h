/* SPDX-License-Identifier: GPL-2.0 */
/* Reading a result folder (formats.md), and computing and reading its summary. */
#ifndef SHEAFBENCH_ANALYSIS_RESULT_H
#define SHEAFBENCH_ANALYSIS_RESULT_H

#include <jansson.h>

#include "plan.h"
#include "stats.h"

enum boot_state { BOOT_MISSING, BOOT_OK, BOOT_FAILED };

struct boot {
	enum boot_state state;
	char *reason; /* of a failed one, else NULL */
};

struct result {
	char *id; /* the folder's name without ".part" */
	char *target;
	json_t *environment;
	struct variants variants;
	struct plan plan;
	struct boot *boot; /* one per row of the plan */
	char **workload;   /* in the order of the samples files */
	int workloads;
	/*
	 * Location of each run in clock ticks per operation, NaN where there is none; see
	 * result_side().
	 */
	double *run;
	char *metric; /* "tsc_ticks_per_op" where the samples' clock is "tsc" */
	const struct location *location;
};

/* Reads the folder @dir whole. Any fault names file and line; the result is then empty. */
int result_read(struct result *r, const char *dir, const struct location *l, struct fault *f);
void result_free(struct result *r);

/* The runs of one variant and workload, layouts x boots. */
struct nested result_side(const struct result *r, int workload, int variant);

/*
 * Called with the name of each workload, and its samples in clock ticks per operation, which it may
 * change.
 */
typedef int (*samples_fn)(void *arg, const char *workload, double *x, int n, struct fault *f);

/*
 * Reads one samples file; @clock, if not NULL, receives the clock's name, which the caller frees.
 */
int samples_read(const char *path, char **clock, samples_fn fn, void *arg, struct fault *f);

/* summary.json as formats.md has it. */
json_t *summary_make(const struct result *r, int resamples);
int json_write(const json_t *j, const char *path, struct fault *f);

/* Reads summary.json, or the one of the folder @path, and checks what all readers rely on. */
json_t *summary_read(const char *path, struct fault *f);

/* Members of a JSON object; NaN, "" where there is none or null. */
double json_num(const json_t *object, const char *key);
const char *json_text(const json_t *object, const char *key);
/* A pair of numbers, NaN where it is null. */
struct interval json_interval(const json_t *object, const char *key);

#endif
