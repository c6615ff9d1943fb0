/* SPDX-License-Identifier: GPL-2.0 */
/* What a result says of the instrument: how many layouts a width takes, and certify.json. */
#ifndef SHEAFBENCH_ANALYSIS_CERTIFY_H
#define SHEAFBENCH_ANALYSIS_CERTIFY_H

#include "doc.h"
#include "result.h"

/* All in the unit of the result's values, TSC ticks per operation as a rule. */
struct precision {
	int layouts;	     /* that the result should have, the stock one not counted */
	double half;	     /* the widest half-width of a 95 % interval; NaN when there is none */
	const char *variant; /* whose it is, or "-" */
	bool reached;	     /* half is at most what was wanted */
};

/*
 * From @layouts, of which an estimate @e of a difference has @e->n, the number after which its
 * half-width should be @width: by the spread seen and Student's t for that number. A multiple of
 * 4, so that the phases of the pads are balanced; at least 4 more, about twice as many at most, and
 * @most in the end. Looks at no mean.
 *
 * An interval that was waited for is a little narrow (Chow and Robbins 1965): begun with 8 layouts,
 * it holds the truth in 93 to 94 %, begun with 16 in 94.5 % (tests/analysis_coverage.c).
 */
int precision_next(int layouts, const struct estimate *e, double width, int most);

/*
 * How many layouts @r should have for half-widths of at most @width, of the effects of the changes
 * on @workload (NULL: pair/64/1, or the first); of the null when there is no change. Variants
 * that no two layouts have are left out. Below 8 layouts it is 8. Fails while boots of the plan are
 * to be done.
 */
int precision_of(const struct result *r, const char *workload, double width, int most,
		 struct precision *p, struct fault *f);

#define AGAIN_BOOTS 2 /* most more boots of a cell */

/*
 * Adds to the plan of @r, in an order drawn by @seed, one more boot of each variant in each layout where fewer than
 * CERTIFICATE_KEPT of the workloads have a value from the @boots that were planned and those that were added before.
 * A neighbour's burst of work outlasts a boot, and is over some boots later. Only whether there are values decides,
 * never which. None is added where a boot is still to be done, all failed, or AGAIN_BOOTS were added; half as many as
 * were planned at most. Returns how many it added.
 */
int plan_again(struct result *r, int boots, uint64_t seed);

/*
 * Deals the layouts that variants @a and @b both have to groups of @size, in the order of the @draw-th seeded shuffle
 * and as many of each phase to each. Rows of result_side(), those of group g from g * @size on; the
 * caller frees them.
 */
int *certify_groups(const struct result *r, int a, int b, int size, int draw, int *groups);

/*
 * The record of each location for the result in @dir, as "estimators" of certify.json has it, the
 * default marked as chosen. NULL on a fault.
 */
json_t *estimators_make(const char *dir, struct fault *f);
void estimators_write(struct doc *d, const json_t *all);

/*
 * certify.json of @r, read from @dir, with groups of @group layouts, a multiple of 4. NULL on a
 * fault.
 */
json_t *certify_make(struct result *r, const char *dir, int group, struct fault *f);
/* The same for people. */
void certify_write(struct doc *d, const json_t *c);

#endif
