/* SPDX-License-Identifier: GPL-2.0 */
/* Events per operation, see counting.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "counting.h"

/* Odd, so that a median is a value that was counted. */
#define REPEATS 31u
/*
 * Operations of a call: those of a pair in one region, the others' in as many as it takes. So few
 * that most calls end before the next tick, though switching the group takes longer than an
 * operation.
 */
#define PAIRS 1000u
#define OPS   250u

/* The kinds of calls, in the order of the file's columns; what they counted of each event. */
enum { MANY, FEWER, EMPTY_MANY, EMPTY_FEWER, KINDS };

struct counts {
	uint64_t value[KINDS][COUNTERS_MOST];
};

/* What is counted. */
struct target {
	int device;
	uint32_t part;
	uint32_t ops, many, fewer; /* in a call; in one of its regions */
	const struct sheafbench_run *like;
};

void counting_plan(struct counters *counters, FILE *file)
{
	counters_plan(counters, sched_getcpu());
	if (!file)
		return;
	fprintf(file, "# sheafbench-counters 2\n# table %s pmu %s nmi_watchdog %s passes %u\n",
		*counters->table ? counters->table : "none",
		*counters->pmu ? counters->pmu : "none", counters->nmi_watchdog ? "on" : "off",
		counters->passes);
	for (unsigned int i = 0; i < counters->count; i++)
		if (!counters->counter[i].pass)
			fprintf(file, "*\t%s\t%s\tn/a\tn/a\tn/a\tn/a\tn/a\tn/a\t%s\n",
				counters->counter[i].metric, counters->counter[i].event,
				counters->counter[i].reason);
}

/* The calls of one repetition; false with what is wrong in counters->error. */
static bool repeat(struct counters *counters, const struct target *target, struct counts *counts,
		   uint32_t *ops)
{
	const struct sheafbench_run *like = target->like;
	uint64_t ticks[SHEAFBENCH_PARTS + 2];

	for (int kind = 0; kind < KINDS; kind++) {
		struct sheafbench_run run = {
			.abi = SHEAFBENCH_ABI,
			.workload = like->workload,
			.size = like->size,
			.n = like->n,
			.order = like->order,
			.flags = (like->flags & SHEAFBENCH_IRQ_OFF) |
				 (kind < EMPTY_MANY ? SHEAFBENCH_BARE : SHEAFBENCH_EMPTY),
			.samples = 1,
			.ops = target->ops,
			.seed = like->seed,
			.buffer = (uintptr_t)ticks,
			.group = counters->fd[0],
			.part = target->part,
			.counted = kind & 1 ? target->fewer : target->many,
		};

		if (counters_reset(counters))
			return false;
		if (ioctl(target->device, SHEAFBENCH_IOC_RUN, &run)) {
			snprintf(counters->error, sizeof(counters->error), "the run failed: %s",
				 *run.text ? run.text : strerror(errno));
			return false;
		}
		if (counters_end(counters, counts->value[kind]))
			return false;
		*ops = (target->many - target->fewer) * run.regions;
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/*
 * Of each kind by itself: an interrupt in a call only adds to what it counts, and is in fewer than
 * half of them.
 */
static double median(const struct counts *counts, int kind, unsigned int event)
{
	uint64_t values[REPEATS];

	for (uint32_t i = 0; i < REPEATS; i++)
		values[i] = counts[i].value[kind][event];
	qsort(values, REPEATS, sizeof(*values), compare);
	return (double)values[REPEATS / 2];
}

static void write_line(FILE *file, const char *name, const struct counter *counter,
		       unsigned int event, uint32_t ops, const struct counts *counts)
{
	fprintf(file, "%s\t%s\t%s\t%u\t%u", name, counter->metric, counter->event, counter->pass,
		ops);
	for (int kind = 0; kind < KINDS; kind++)
		for (uint32_t i = 0; i < REPEATS; i++)
			fprintf(file, "%c%" PRIu64, i ? ' ' : '\t', counts[i].value[kind][event]);
	fputs("\t\n", file);
}

static bool count_pass(struct counters *counters, unsigned int pass, const struct target *target,
		       struct counts *counts, uint32_t *ops)
{
	bool good = !counters_open(counters, pass);

	for (uint32_t i = 0; i < REPEATS && good; i++)
		good = repeat(counters, target, &counts[i], ops);
	counters_close(counters);
	return good;
}

/* The operations of a region, as the module has them, and how many of them are counted. */
static struct target choose_target(int device, const struct sheafbench_run *run, uint32_t flags,
				   uint32_t part)
{
	struct target target = {
		.device = device, .part = part, .ops = OPS, .many = run->n, .like = run
	};

	if (!(flags & SHEAFBENCH_HOLDS))
		return target;
	target.ops = 2 * PAIRS;
	target.many = run->n - 1;
	if (run->n == 1 || run->order == SHEAFBENCH_LIFO)
		target.many = target.ops;
	target.fewer = target.many / 2;
	return target;
}

bool counting_run(struct counters *counters, FILE *file, struct gbench_state *state,
		  const char *name, int device, const struct sheafbench_run *run, uint32_t flags,
		  uint32_t part)
{
	const struct target target = choose_target(device, run, flags, part);
	struct counts *counts = calloc(REPEATS, sizeof(*counts));
	double value, instructions, cycles;
	char key[COUNTERS_NAME + 16];
	const struct counter *counter;
	uint32_t ops = 0;
	bool counted;
	int error = 0;

	for (unsigned int pass = 1; pass <= counters->passes; pass++) {
		instructions = cycles = 0;
		if (!counts)
			snprintf(counters->error, sizeof(counters->error), "out of memory");
		if (flags & SHEAFBENCH_PEER)
			snprintf(counters->error, sizeof(counters->error),
				 "others' loops are only timed");
		counted = counts && !(flags & SHEAFBENCH_PEER) &&
			  count_pass(counters, pass, &target, counts, &ops);
		for (unsigned int i = 0; i < counters->count; i++) {
			counter = &counters->counter[i];
			if (counter->pass != pass)
				continue;
			if (file && counted)
				write_line(file, name, counter, i, ops, counts);
			else if (file)
				fprintf(file, "%s\t%s\t%s\t%u\tn/a\tn/a\tn/a\tn/a\tn/a\t%s\n", name,
					counter->metric, counter->event, pass, counters->error);
			if (!counted)
				continue;
			value = (median(counts, MANY, i) - median(counts, FEWER, i) -
				 (median(counts, EMPTY_MANY, i) - median(counts, EMPTY_FEWER, i))) /
				ops;
			if (!strcmp(counter->metric, "instructions"))
				instructions = value;
			if (!strcmp(counter->metric, "core_cycles"))
				cycles = value;
			snprintf(key, sizeof(key), "%s_per_op", counter->metric);
			error |= gbench_set_counter(state, key, value);
		}
		if (instructions > 0 && cycles > 0)
			error |= gbench_set_counter(state, "instructions_per_cycle",
						    instructions / cycles);
	}
	free(counts);
	return !error;
}
