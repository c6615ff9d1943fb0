/* SPDX-License-Identifier: GPL-2.0 */
/* Reading one samples file, of a boot (formats.md). */
#ifndef SHEAFBENCH_ANALYSIS_SAMPLES_H
#define SHEAFBENCH_ANALYSIS_SAMPLES_H

#include "util.h"

/* What the head of a samples file says. */
struct clock {
	char name[32];
	double khz, step;	      /* step: smallest seen between two reads, in ticks */
	double gate_adds, chain_adds; /* additions in a gate probe, in the shorter chain */
};

/* One line of a samples file: a run of a workload. All arrays have @n members. */
struct samples {
	const char *workload;
	double ops, overhead;	      /* ticks of overhead in a sample */
	double looked, lost, largest; /* ticks: of the gap detector, in gaps, of the largest gap */
	int n;
	double *x;	      /* ticks per operation, warm-up included; may be changed */
	double *gate, *chain; /* ticks of the probes beside each sample; NULL when off */
};

typedef int (*samples_fn)(void *arg, struct samples *s, struct fault *f);

/*
 * Reads one samples file; @fn is called for each of its lines, @clock being filled in by then. Without @fn the head
 * alone is read.
 */
int samples_read(const char *path, struct clock *clock, samples_fn fn, void *arg, struct fault *f);

#endif
