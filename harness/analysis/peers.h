/* SPDX-License-Identifier: GPL-2.0 */
/* How other people's loops do on the known doses, beside ours: peers.tsv of formats.md. */
#ifndef SHEAFBENCH_ANALYSIS_PEERS_H
#define SHEAFBENCH_ANALYSIS_PEERS_H

#include "result.h"

#define PEERS_DOSES 8 /* most doses of a result, the reference not counted */

/* One loop. Ticks per operation; the spreads are standard deviations. */
struct peer {
	const char *workload;
	double mean;		   /* of the reference dose */
	double sd_boot, sd_layout; /* between boots of a layout, between layouts */
	int doses;
	double dose[PEERS_DOSES];   /* core cycles added */
	double effect[PEERS_DOSES]; /* what the loop's mean over all boots makes of it */
	/*
	 * Of all pairs of one boot with the dose and one without, in any two layouts, as when a
	 * patch was measured once before and once after: shares whose difference has the wrong
	 * sign, and that have none.
	 */
	double wrong[PEERS_DOSES], none[PEERS_DOSES];
};

/* The workloads of @r that the doses have and that allocate; the caller frees. NULL on a fault. */
struct peer *peers_make(const struct result *r, int *n, struct fault *f);
/* peers.tsv into the folder @dir. */
int peers_write(const struct peer *p, int n, const char *dir, struct fault *f);
/* The same as text, at most 80 columns. */
void peers_print(FILE *out, const struct peer *p, int n);

#endif
