/* SPDX-License-Identifier: GPL-2.0 */
/* What the name of a workload says: OP/SIZE/N or OP/SIZE/N/ORDER (formats.md). */
#ifndef SHEAFBENCH_ANALYSIS_WORKLOAD_H
#define SHEAFBENCH_ANALYSIS_WORKLOAD_H

#include <jansson.h>
#include <stdbool.h>

/* What stands for all where there is room for one. */
#define WORKLOAD_FIRST "pair/64/1"

struct workload {
	char op[64], order[64]; /* order, of a flush the state: "" when there is none */
	unsigned int size, n;
};

/* False for a name that does not look so: the whole of it is then the operation. */
bool workload_parse(const char *name, struct workload *w);

/*
 * Below 0 where @a stands for its operation rather than @b does: the size nearest to 64 bytes, then
 * the N nearest to 32 (within a sheaf), to 1 for pair, or to 24 core cycles of work; lifo before the others.
 */
int workload_nearer(const struct workload *a, const struct workload *b);
/* Place of an order in tables. */
int workload_order_rank(const char *order);

/* Has other work before each operation: N is its core cycles, which hide what is overlapped with them. */
bool workload_is_spaced(const char *name);
/* An excursion into the kernel, of N pairs or a pair in each of N caches: it costs as many times a pair, and no scale has room for both. */
bool workload_is_excursion(const char *name);
/* A flush of other CPUs' sheaves: no operation, so that one tick of it is not like one of the others. */
bool workload_is_flush(const char *name);
/* One of both: no loop over an operation, which is what the certificate is about. */
bool workload_is_aside(const char *name);
/*
 * The flush among "counters" of a summary that stands for all: of CPUs that are busy in user space, a
 * shrink if there is one. NULL without any.
 */
const char *workload_flush_headline(const json_t *counters);

#endif
