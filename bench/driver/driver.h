/* SPDX-License-Identifier: GPL-2.0 */
/* What the driver's files share: its options, and the grid of what is run. */
#ifndef SHEAFBENCH_DRIVER_H
#define SHEAFBENCH_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "flush.h"
#include "guest.h"
#include "lists.h"
#include "sheafbench.h"

/* Exit status: a wrong request; a run that failed. */
#define WRONG  2
#define FAILED 1

/* options.c: what was asked for. */
extern struct options {
	const char *workloads, *events, *event_sets, *perf, *calls, *device;
	const char *json, *raw, *counters, *windows; /* files, or NULL */
	uint64_t samples, ops, seed, runs, deadline_ms;
	uint64_t cpu; /* CPU_SETSIZE: where the caller is */
	uint64_t list, flags;
} options;

/* Ends the program after one line where something is wrong. */
void parse_options(int argc, char **argv);

__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);
#define die(status, ...)               \
	do {                           \
		complain(__VA_ARGS__); \
		exit(status);          \
	} while (0)

/* grid.c */
/* One call of the module: a point of the grid. */
struct point {
	uint32_t workload, size, n, order, work;
	bool excursion;		/* of n pairs; workload is that of pairs */
	uint32_t caches;	/* of the module's own, and a pair in each of n, or 0 */
	uint32_t parts, wanted; /* parts that are reported, and those that still are to be */
	uint32_t run_number;	/* the runs of a boot differ in what the seed decides */
	uint64_t *samples;	/* of all parts, then of gate and chain, once it has run */
	struct sheafbench_run run;
};

/* One result: a part of a point. */
struct entry {
	struct point *point;
	uint32_t part;
	char name[64];
};

/* What was asked for. The flushes of a boot come after the rest: they are about all of the machine. */
extern struct grid {
	struct point *points;
	struct entry *entries;
	struct flush_point *flushes;
	size_t total, flushing;
} grid;

/* Fills it in. online: CPUs, 0 when there is nothing to run. Ends the program where it would be empty. */
void make_grid(uint32_t online);

#endif
