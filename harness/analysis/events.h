/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What performance counters counted in the boots of a result, counters/STEM.tsv, and what flushes
 * bring upon many CPUs, counts/flushes/ (formats.md), for its summary.
 */
#ifndef SHEAFBENCH_ANALYSIS_EVENTS_H
#define SHEAFBENCH_ANALYSIS_EVENTS_H

#include "result.h"

/*
 * The list "counters" of summary.json: a record per workload, metric and variant, events per
 * operation, over layouts as the times are; empty where nothing was counted. @r has its plan and
 * boots by then. NULL on a fault, which names file and line.
 */
json_t *events_make(const struct result *r, const char *dir, struct fault *f);

/*
 * The list "flushes" of summary.json: a record per workload, metric and variant, events per flush
 * and CPU, with the CPUs isolated and not; empty where nothing was counted. NULL on a fault, which
 * names file and line.
 */
json_t *flushes_make(const struct variants *vs, const char *dir, struct fault *f);

#endif
