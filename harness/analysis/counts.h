/* SPDX-License-Identifier: GPL-2.0 */
/* Exact counts of a result: counts/TARGET.VARIANT.tsv (formats.md), for its summary. */
#ifndef SHEAFBENCH_ANALYSIS_COUNTS_H
#define SHEAFBENCH_ANALYSIS_COUNTS_H

#include <jansson.h>

#include "plan.h"

/* What the files call the benchmark's own loop: shown, and no part of an operation. */
#define COUNTS_LOOP "(loop)"
#define COUNTS_SIZE 64 /* bytes of the objects of what stands for others */

/*
 * The list "counts" of summary.json, a record per target, variant and workload, all counts per
 * operation; empty where the result in @dir has none. NULL on a fault, which names file and line.
 */
json_t *counts_make(const struct variants *vs, const char *dir, struct fault *f);

/*
 * The list "same_code": for which workloads the hot functions of a variant are the baseline's, byte for
 * byte, as the harness has found it. NULL on a fault.
 */
json_t *same_code_make(const struct variants *vs, const char *dir, struct fault *f);

/*
 * Takes out of @same, a list "same_code", what did not execute the baseline's instructions where that was
 * counted: a CPU may go another way through the same functions. @counts is a list "counts".
 */
void same_code_check(json_t *same, const json_t *counts, const char *baseline);

/*
 * The list "counts_failed": target, variant and reason of what could not be counted; empty where all
 * could. NULL on a fault.
 */
json_t *counts_failed_make(const char *dir, struct fault *f);

/* What an operation of @workload executes on @target, by the list @counts; NAN where that was not counted. */
double counts_instructions(const json_t *counts, const char *target, const char *workload,
			   const char *variant);

/* Whether @one of "counts" stands for its operation: the first workload of COUNTS_SIZE bytes that was counted. */
bool counts_stand(const json_t *counts, const json_t *one);

#endif
