/* SPDX-License-Identifier: GPL-2.0 */
/* How often the rules of verdicts and certificate err, by simulated reports whose truth is known. */
#ifndef SHEAFBENCH_ANALYSIS_SIMULATE_H
#define SHEAFBENCH_ANALYSIS_SIMULATE_H

#include <stdint.h>
#include <stdio.h>

struct world {
	int reports, layouts;
	double sd; /* of a difference between two variants in one layout, in ticks */
	double equal;
	int same_code; /* how many of the comparisons with the baseline are not the null's, of four */
	uint64_t seed;
};

/* Shares of reports, or of effects where it says so. */
struct rates {
	double false_word; /* with a slower or a faster where nothing differs */
	double within_at_bound,
		within_at_0; /* effects called within, of the bound's size and of none */
	double power;	     /* effects of 1 tick, alone among zeros, that are called slower */
	double null_fails, null_narrow,
		null_wide; /* of a perfect instrument; intervals half too narrow; twice too wide */
	double old_fails, old_narrow; /* the same, if comparisons were taken for independent ones */
	double dose_right, dose_wrong,
		dose_refuted; /* proven at slopes of 1 and 0.85, refuted at 0.85 */
};

void simulate(const struct world *world, struct rates *rates);
void rates_print(FILE *out, const struct world *world, const struct rates *rates);

#endif
