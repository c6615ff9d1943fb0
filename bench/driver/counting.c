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

#define REPEATS 32u
/* Of n operations; 2n is what the module does in one region at most. */
#define OPS 1000u

/* What the four kinds of calls counted, for each event. */
enum { COUNT_N, COUNT_2N, EMPTY_N, EMPTY_2N, KINDS };

struct counts {
	uint64_t value[KINDS][COUNTERS_MOST];
};

void counting_plan(struct counters *counters, FILE *file)
{
	counters_plan(counters, sched_getcpu());
	if (!file)
		return;
	fprintf(file, "# sheafbench-counters 1\n# table %s pmu %s nmi_watchdog %s passes %u\n",
		*counters->table ? counters->table : "none",
		*counters->pmu ? counters->pmu : "none", counters->nmi_watchdog ? "on" : "off",
		counters->passes);
	for (unsigned int i = 0; i < counters->count; i++)
		if (!counters->counter[i].pass)
			fprintf(file, "*\t%s\t%s\tn/a\tn/a\tn/a\tn/a\t%s\n",
				counters->counter[i].metric, counters->counter[i].event,
				counters->counter[i].reason);
}

/* The calls of one repetition; false with what is wrong in counters->error. */
static bool repeat(struct counters *counters, int device, const struct sheafbench_run *like,
		   struct counts *counts, uint32_t ops[KINDS])
{
	uint64_t ticks[SHEAFBENCH_PARTS + 2];

	for (int kind = 0; kind < KINDS; kind++) {
		struct sheafbench_run run = {
			.abi = SHEAFBENCH_ABI,
			.workload = like->workload,
			.size = like->size,
			.n = like->n,
			.order = like->order,
			.flags = (like->flags & SHEAFBENCH_IRQ_OFF) |
				 (kind < EMPTY_N ? SHEAFBENCH_BARE : SHEAFBENCH_EMPTY),
			.samples = 1,
			.ops = kind & 1 ? 2 * OPS : OPS,
			.seed = like->seed,
			.buffer = (uintptr_t)ticks,
		};

		if (counters_begin(counters))
			return false;
		if (ioctl(device, SHEAFBENCH_IOC_RUN, &run)) {
			snprintf(counters->error, sizeof(counters->error), "the run failed: %s",
				 *run.text ? run.text : strerror(errno));
			return false;
		}
		if (counters_end(counters, counts->value[kind]))
			return false;
		ops[kind] = run.ops;
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, uint32_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

/* What one kind of calls with 2n operations counted more than with n. */
static int64_t more(const struct counts *counts, int kind, unsigned int event)
{
	return counts->value[kind + 1][event] - counts->value[kind][event];
}

static void write_line(FILE *file, const char *name, const struct counter *counter,
		       unsigned int event, uint32_t ops, const struct counts *counts)
{
	fprintf(file, "%s\t%s\t%s\t%u\t%u", name, counter->metric, counter->event, counter->pass,
		ops);
	for (int kind = COUNT_N; kind <= EMPTY_N; kind += EMPTY_N - COUNT_N)
		for (uint32_t i = 0; i < REPEATS; i++)
			fprintf(file, "%c%" PRId64, i ? ' ' : '\t', more(&counts[i], kind, event));
	fputs("\t\n", file);
}

static bool count_pass(struct counters *counters, unsigned int pass, int device,
		       const struct sheafbench_run *run, struct counts *counts, uint32_t *ops)
{
	uint32_t done[KINDS] = { 0 };
	bool good = !counters_open(counters, pass);

	for (uint32_t i = 0; i < REPEATS && good; i++)
		good = repeat(counters, device, run, &counts[i], done);
	counters_close(counters);
	*ops = done[COUNT_2N] - done[COUNT_N];
	if (good && (!*ops || *ops != done[EMPTY_2N] - done[EMPTY_N])) {
		snprintf(counters->error, sizeof(counters->error),
			 "2n operations are %u more than n with the allocator, %u without", *ops,
			 done[EMPTY_2N] - done[EMPTY_N]);
		good = false;
	}
	return good;
}

bool counting_run(struct counters *counters, FILE *file, struct gbench_state *state,
		  const char *name, int device, const struct sheafbench_run *run, bool apart)
{
	struct counts *counts = calloc(REPEATS, sizeof(*counts));
	double values[REPEATS], value, instructions, cycles;
	char key[COUNTERS_NAME + 16];
	const struct counter *counter;
	uint32_t ops = 0;
	bool counted;
	int error = 0;

	for (unsigned int pass = 1; pass <= counters->passes; pass++) {
		instructions = cycles = 0;
		if (!counts)
			snprintf(counters->error, sizeof(counters->error), "out of memory");
		if (apart)
			snprintf(counters->error, sizeof(counters->error),
				 "what else a pass of the module does is counted with it");
		counted = !apart && counts && count_pass(counters, pass, device, run, counts, &ops);
		for (unsigned int i = 0; i < counters->count; i++) {
			counter = &counters->counter[i];
			if (counter->pass != pass)
				continue;
			if (file && counted)
				write_line(file, name, counter, i, ops, counts);
			else if (file)
				fprintf(file, "%s\t%s\t%s\t%u\tn/a\tn/a\tn/a\t%s\n", name,
					counter->metric, counter->event, pass, counters->error);
			if (!counted)
				continue;
			for (uint32_t k = 0; k < REPEATS; k++)
				values[k] =
					more(&counts[k], COUNT_N, i) - more(&counts[k], EMPTY_N, i);
			value = median(values, REPEATS) / ops;
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
