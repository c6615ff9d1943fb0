/* SPDX-License-Identifier: GPL-2.0 */
/* summary.json of a result, as formats.md has it. */
#ifndef SHEAFBENCH_ANALYSIS_SUMMARY_H
#define SHEAFBENCH_ANALYSIS_SUMMARY_H

#include "json.h"

struct result;

/*
 * Of @r, with the counts and counters in its folder @dir. @equal is the bound, in ticks, of what is no
 * difference. NULL on a fault.
 */
json_t *summary_make(const struct result *r, const char *dir, int resamples, double equal,
		     struct fault *f);

/* Reads summary.json, or the one of the folder @path, and checks what all readers rely on. */
json_t *summary_read(const char *path, struct fault *f);

/* Whether the targets of a result told times; else there are counts alone, and nothing was sampled. */
bool summary_timed(const json_t *environment);
/* Of the clock of the times. */
double summary_ns_per_tick(const json_t *environment);
/* What "variants" of a summary says of the role of one, "" when it is not there. */
const char *summary_role(const json_t *summary, const char *variant);

#endif
