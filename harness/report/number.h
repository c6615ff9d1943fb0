/* SPDX-License-Identifier: GPL-2.0 */
/* How the texts print numbers: `n/a` for what is missing, units always spelled out. */
#ifndef SHEAFBENCH_REPORT_NUMBER_H
#define SHEAFBENCH_REPORT_NUMBER_H

#include "view.h"

/* A printed number, to be used within the expression that makes it. */
struct number {
	char s[32];
};

/* "n/a" for NAN; "0.00", never "-0.00"; with @sign a plus stands before what is above 0. */
struct number number(double v, int decimals, bool sign);
struct number interval(struct interval ci, int decimals, bool sign);
/* Two significant digits: enough to judge by. */
struct number probability(double p);

/* The difference in % of the baseline. */
double percent(const struct effect *e);
/*
 * Decimals that the narrowest interval of a group justifies: two significant digits of its
 * half-width, and no more than 2.
 */
int group_decimals(const struct group *g);

const char *unit_of(const struct effect *e);
const char *short_unit_of(const struct effect *e);
const char *plural(double n);

#endif
