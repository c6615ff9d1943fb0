/* SPDX-License-Identifier: GPL-2.0 */
/* What may be said of an effect in words: rules that are fixed beforehand, and simulated (simulate.c). */
#ifndef SHEAFBENCH_ANALYSIS_VERDICT_H
#define SHEAFBENCH_ANALYSIS_VERDICT_H

#include "json.h"

#define VERDICT_EQUAL 0.5 /* ticks: differences below are none, where nothing else is asked for */
#define VERDICT_ERROR \
	0.05 /* of a report: to call one slower or faster falsely; of one effect: within */

enum verdict {
	VERDICT_NONE, /* what it would rest on is not there */
	VERDICT_SAME_CODE,
	VERDICT_SLOWER,
	VERDICT_FASTER,
	VERDICT_WITHIN,
	VERDICT_CANNOT_TELL,
	VERDICTS,
};

extern const char *const verdict_word[VERDICTS];

/* What is known of one effect. */
struct finding {
	double effect, p; /* p: Holm's, over the primary family */
	struct interval ci90;
	int layouts;
	double kept; /* the smaller share of layouts of both sides that have a value */
	bool same_code;
};

/* Why there can be no word on it; NULL when there can. */
const char *verdict_lacks(const struct finding *f);
/* @equal: the bound of what is no difference, in ticks. */
enum verdict verdict_of(const struct finding *f, double equal);

/* Of the workloads @names, an array of texts, the one that stands for each of the operations of kmalloc() and kfree(). */
json_t *verdict_primary(const json_t *names);

/*
 * Adds to the effects of a @summary whether they are primary, and then p_primary, verdict and what stands
 * in its way; and the rules. Primary are the changes on the workload that stands for each of the
 * operations of kmalloc() and kfree(), by its name alone; all else has an interval and no word.
 */
void verdicts_add(json_t *summary, double equal);

#endif
