/* SPDX-License-Identifier: GPL-2.0 */
/* The grid of workloads, sizes, numbers of objects and orders, of which options.workloads names a part. */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#include "driver.h"

static const uint32_t objects[] = { 1, 8, 32, 128, 512, 2048 };
static const char *const orders[SHEAFBENCH_ORDERS] = { "lifo", "fifo", "shuffled" };

/* Cycles of work before an operation, and how many operations other than pairs then follow each other. */
static const uint32_t works[] = { 0, 8, 24, 64 };
#define SPACED_N 32

/* Pairs in an excursion. */
static const uint32_t excursions[] = { 0, 1, 4, 16, 64, 256, 1024, 4096 };
/* Caches with a pair in each, and how many the module then has: those that were made stay for the next. */
static const uint32_t used[] = { 1, 8, 32 }, caches[] = { 32, 100, 300 };

/* Others' loops and helpers are only timed, known sequences only counted. */
#define TIMED	(SHEAFBENCH_PEER | SHEAFBENCH_HELPER)
#define COUNTED SHEAFBENCH_KNOWN
/* Their loops hold one object. */
#define SINGLE (SHEAFBENCH_PEER | SHEAFBENCH_KNOWN)

struct grid grid;

static void add_point(const regex_t *wanted, struct point like)
{
	const struct workload *workload = &workloads[like.workload];
	static size_t count;
	struct point *point = &grid.points[count];

	*point = like;
	for (uint32_t part = 0; part < workload->parts; part++) {
		struct entry *entry = &grid.entries[grid.total];

		entry->point = point;
		entry->part = part;
		if (like.caches)
			snprintf(entry->name, sizeof(entry->name), "excursion-caches/%u/%u/of-%u",
				 like.size, like.n, like.caches);
		else if (like.excursion)
			snprintf(entry->name, sizeof(entry->name), "excursion/%u/%u", like.size,
				 like.n);
		else if (workload->flags & SHEAFBENCH_SPACED)
			snprintf(entry->name, sizeof(entry->name), "%s/%u/%u", workload->part[part],
				 like.size, like.work);
		else
			snprintf(entry->name, sizeof(entry->name),
				 like.n > 1 ? "%s/%u/%u/%s" : "%s/%u/%u", workload->part[part],
				 like.size, like.n, orders[like.order]);
		if (regexec(wanted, entry->name, 0, NULL, 0))
			continue;
		grid.total++;
		point->parts++;
	}
	count += point->parts > 0;
}

static void add_size(const regex_t *wanted, struct point point)
{
	const uint32_t flags = workloads[point.workload].flags;

	if (flags & SHEAFBENCH_SPACED) {
		point.n = flags & SHEAFBENCH_HOLDS ? 1 : SPACED_N;
		for (size_t w = 0; w < COUNT(works); w++) {
			point.work = works[w];
			add_point(wanted, point);
		}
		return;
	}
	for (size_t n = 0; n < (flags & SINGLE ? 1 : COUNT(objects)); n++)
		/* The order of one object is no order. */
		for (size_t o = 0; o < (objects[n] > 1 ? COUNT(orders) : 1); o++) {
			point.n = objects[n];
			point.order = o;
			add_point(wanted, point);
		}
}

static void add_excursions(const regex_t *wanted)
{
	struct point point = { .workload = WORKLOAD_pair, .excursion = true };

	for (size_t i = 0; i < SIZES; i++)
		for (size_t n = 0; n < COUNT(excursions); n++) {
			point.size = sizes[i];
			point.n = excursions[n];
			add_point(wanted, point);
		}
	point.size = SHEAFBENCH_CACHE_SIZE;
	for (size_t c = 0; c < COUNT(caches); c++)
		for (size_t n = 0; n < COUNT(used); n++) {
			point.caches = caches[c];
			point.n = used[n];
			add_point(wanted, point);
		}
}

void make_grid(uint32_t online)
{
	const size_t most =
		SIZES * (WORKLOADS * COUNT(objects) * COUNT(orders) + COUNT(excursions)) +
		COUNT(used) * COUNT(caches);
	const uint32_t left_out = (options.windows ? TIMED : COUNTED) |
				  (online && is_realtime() ? SHEAFBENCH_HARDIRQ : 0);
	regex_t wanted;
	char text[128];
	int error = regcomp(&wanted, options.workloads, REG_EXTENDED | REG_NOSUB);

	if (error) {
		regerror(error, &wanted, text, sizeof(text));
		die(WRONG, "--workloads '%s' is no POSIX extended regular expression: %s",
		    options.workloads, text);
	}
	grid.points = calloc(most, sizeof(*grid.points));
	grid.entries = calloc(most * SHEAFBENCH_PARTS, sizeof(*grid.entries));
	if (!grid.points || !grid.entries)
		die(FAILED, "out of memory");
	for (uint32_t w = 0; w < WORKLOADS; w++)
		for (size_t i = 0; i < SIZES && !(workloads[w].flags & left_out); i++)
			if (sizes[i] >= workloads[w].least && sizes[i] <= workloads[w].most)
				add_size(&wanted,
					 (struct point){ .workload = w, .size = sizes[i] });
	/* They enter the kernel with interrupts on, and say nothing to who counts one call of the module. */
	if (!(options.flags & SHEAFBENCH_IRQ_OFF) && !options.calls)
		add_excursions(&wanted);
	/* Which CPUs are there decides what can be run; nothing of it can be counted. */
	if (!options.windows)
		grid.flushing = flush_grid(&wanted, online, &grid.flushes);
	if (!grid.total && !grid.flushing && online && flush_grid(&wanted, 0, &grid.flushes))
		die(WRONG, "--workloads '%s' needs more CPUs than the %u that are online",
		    options.workloads, online);
	regfree(&wanted);
	if (!grid.total && !grid.flushing)
		die(WRONG, "--workloads '%s' matches nothing%s; --list shows all names",
		    options.workloads,
		    left_out & SHEAFBENCH_HARDIRQ
			    ? " that runs on PREEMPT_RT, as hardirq-* does not"
			    : "");
}
