/* SPDX-License-Identifier: GPL-2.0 */
/* How the texts print numbers: `n/a` for what is missing, units always spelled out. */
#ifndef SHEAFBENCH_ANALYSIS_NUMBER_H
#define SHEAFBENCH_ANALYSIS_NUMBER_H

#include "stats.h"

/* A printed number, to be used within the expression that makes it. */
struct number {
	char s[32];
};

/* "n/a" for NAN; "0.00", never "-0.00"; with @sign a plus stands before what is above 0. */
struct number number(double v, int decimals, bool sign);
struct number interval(struct interval ci, int decimals, bool sign);
/* Two significant digits: enough to judge by. */
struct number probability(double p);

/* A metric's unit in words, and in a table's head. */
const char *unit_long(const char *metric);
const char *unit_short(const char *metric);
const char *plural(double n);

#endif
