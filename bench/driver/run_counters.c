/* SPDX-License-Identifier: GPL-2.0 */
/* Events per operation, see run_counters.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lists.h"
#include "run_counters.h"

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

struct counted {
	uint64_t value[KINDS][COUNTERS_MOST];
};

/* What is counted. */
struct target {
	int device;
	uint32_t part;
	uint32_t ops, many, fewer; /* in a call; in one of its regions */
	const struct sheafbench_run *like;
};

void run_counters_plan(struct counters *counters, FILE *file)
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
static bool repeat(struct counters *counters, const struct target *target, struct counted *counted,
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
			.work = like->work,
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
				 *run.text ? run.text : text_of(errno) ?: strerror(errno));
			return false;
		}
		if (counters_end(counters, counted->value[kind]))
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

/* Calls of one workload: what is counted, how often they were repeated, what they counted. */
struct calls {
	FILE *file;
	struct gbench_state *state;
	const char *name;
	uint32_t ops, repeats;
	struct counted *counted;
	const char *reason; /* why there are no counts, or NULL */
};

/*
 * Of each kind by itself: an interrupt in a call only adds to what it counts, and is in fewer than
 * half of them.
 */
static double median(const struct calls *calls, int kind, unsigned int at)
{
	uint64_t values[REPEATS] = { 0 };
	const uint32_t middle = calls->repeats / 2;

	for (uint32_t i = 0; i < calls->repeats; i++)
		values[i] = calls->counted[i].value[kind][at];
	qsort(values, calls->repeats, sizeof(*values), compare);
	return (double)values[middle];
}

/*
 * The line of an event in the file, and its value in state; at: where in counted it is. The value,
 * which is 0 where there is none, is for those who check the errors.
 */
static int tell(const struct calls *calls, const char *metric, const char *event, unsigned int pass,
		unsigned int at, double *value)
{
	char key[COUNTERS_NAME + 16];

	*value = 0;
	if (calls->file)
		fprintf(calls->file, "%s\t%s\t%s\t%u", calls->name, metric, event, pass);
	if (calls->reason) {
		if (calls->file)
			fprintf(calls->file, "\tn/a\tn/a\tn/a\tn/a\tn/a\t%s\n", calls->reason);
		return 0;
	}
	if (calls->file) {
		fprintf(calls->file, "\t%u", calls->ops);
		for (int kind = 0; kind < KINDS; kind++)
			for (uint32_t i = 0; i < calls->repeats; i++)
				fprintf(calls->file, "%c%" PRIu64, i ? ' ' : '\t',
					calls->counted[i].value[kind][at]);
		fputs("\t\n", calls->file);
	}
	*value = (median(calls, MANY, at) - median(calls, FEWER, at) -
		  (median(calls, EMPTY_MANY, at) - median(calls, EMPTY_FEWER, at))) /
		 calls->ops;
	snprintf(key, sizeof(key), "%s_per_op", metric);
	return gbench_set_counter(calls->state, key, *value);
}

static bool count_pass(struct counters *counters, unsigned int pass, const struct target *target,
		       struct counted *counted, uint32_t *ops)
{
	bool good = !counters_open(counters, pass);

	for (uint32_t i = 0; i < REPEATS && good; i++)
		good = repeat(counters, target, &counted[i], ops);
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

bool run_counters(struct counters *counters, FILE *file, struct gbench_state *state,
		  const char *name, int device, const struct sheafbench_run *run, uint32_t flags,
		  uint32_t part)
{
	const struct target target = choose_target(device, run, flags, part);
	struct calls calls = {
		.file = file,
		.state = state,
		.name = name,
		.repeats = REPEATS,
		.counted = calloc(REPEATS, sizeof(*calls.counted)),
	};
	double value, instructions, cycles;
	const struct counter *counter;
	int error = 0;

	for (unsigned int pass = 1; pass <= counters->passes; pass++) {
		instructions = cycles = 0;
		calls.reason = NULL;
		if (!calls.counted)
			calls.reason = "out of memory";
		else if (flags & SHEAFBENCH_PEER)
			calls.reason = "others' loops are only timed";
		else if (!count_pass(counters, pass, &target, calls.counted, &calls.ops))
			calls.reason = counters->error;
		for (unsigned int i = 0; i < counters->count; i++) {
			counter = &counters->counter[i];
			if (counter->pass != pass)
				continue;
			error |= tell(&calls, counter->metric, counter->event, pass, i, &value);
			if (!strcmp(counter->metric, "instructions"))
				instructions = value;
			if (!strcmp(counter->metric, "core_cycles"))
				cycles = value;
		}
		if (instructions > 0 && cycles > 0)
			error |= gbench_set_counter(state, "instructions_per_cycle",
						    instructions / cycles);
	}
	free(calls.counted);
	return !error;
}

/* What perf stat is asked for, and how often. */
#define CHECKS	   3u
#define CHECK_OPS  (25 * SHEAFBENCH_MAX_N)
#define CHECK_MORE 2u /* times so many operations with many than with fewer */

/* perf's own names of what our metrics stand for. */
static const struct {
	const char *metric, *name;
} perf_names[] = {
	{ "core_cycles", "cycles:k" },
	{ "instructions", "instructions:k" },
	{ "branches", "branches:k" },
	{ "branch_misses", "branch-misses:k" },
};

#define PERF_NAMES (sizeof(perf_names) / sizeof(perf_names[0]))

/* Its lines are values with commas behind them: value, unit, event, time, percent of it counted. */
static bool read_stat(struct counters *counters, const char *path, uint64_t *values, size_t count)
{
	char line[512], *field[5], *rest, *end;
	FILE *file = fopen(path, "re");
	size_t got = 0;

	while (file && got < count && fgets(line, sizeof(line), file)) {
		if (*line == '#' || *line == '\n')
			continue;
		rest = line;
		for (int i = 0; i < 5; i++)
			field[i] = rest ? strsep(&rest, ",\n") : NULL;
		values[got] = strtoull(line, &end, 10);
		if (!field[4] || end == line || *end) {
			snprintf(counters->error, sizeof(counters->error), "perf stat: %s %.60s",
				 field[2] ? field[2] : "", line);
			break;
		}
		if (strtod(field[4], NULL) != 100) {
			snprintf(counters->error, sizeof(counters->error),
				 "perf stat: %s was counted %s %% of the time", field[2], field[4]);
			break;
		}
		got++;
	}
	if (!file || (got < count && !*counters->error))
		snprintf(counters->error, sizeof(counters->error), "perf stat told nothing");
	if (file)
		fclose(file);
	return got == count;
}

/* One perf stat of a process that does nothing but the calls. */
static bool run_stat(struct counters *counters, const struct run_counters_check *check,
		     const char *name, const char *events, int kind, uint64_t *values, size_t count)
{
	char workload[80], samples[16], ops[16], path[] = "/tmp/perf-stat.XXXXXX";
	char *const args[] = { "perf",
			       "stat",
			       "-x",
			       ",",
			       "-o",
			       path,
			       "-e",
			       (char *)events,
			       "--",
			       (char *)check->self,
			       "--device",
			       (char *)check->device,
			       "--workloads",
			       workload,
			       "--ops",
			       ops,
			       "--samples",
			       samples,
			       "--calls",
			       kind < EMPTY_MANY ? "bare" : "empty",
			       check->irq_off ? "--irq-off" : NULL,
			       NULL };
	const int fd = mkstemp(path);
	int status = 0, error;
	pid_t child;
	bool good = false;

	snprintf(workload, sizeof(workload), "^%s$", name);
	snprintf(ops, sizeof(ops), "%u", CHECK_OPS);
	snprintf(samples, sizeof(samples), "%u", kind & 1 ? 1 : 1 + CHECK_MORE);
	*counters->error = '\0';
	if (fd < 0) {
		snprintf(counters->error, sizeof(counters->error), "%s: %s", path, strerror(errno));
		return false;
	}
	close(fd);
	error = posix_spawn(&child, check->perf, NULL, NULL, args, environ);
	if (error || waitpid(child, &status, 0) < 0)
		snprintf(counters->error, sizeof(counters->error), "%s: %s", check->perf,
			 strerror(error ? error : errno));
	else if (status)
		snprintf(counters->error, sizeof(counters->error), "perf stat failed (status %#x)",
			 status);
	else
		good = read_stat(counters, path, values, count);
	unlink(path);
	return good;
}

bool run_counters_check(struct counters *counters, FILE *file, struct gbench_state *state,
			const char *name, const struct run_counters_check *check)
{
	struct counted counted[CHECKS];
	struct calls calls = {
		.file = file,
		.state = state,
		.name = name,
		.ops = CHECK_MORE * CHECK_OPS,
		.repeats = CHECKS,
		.counted = counted,
	};
	unsigned int asked[PERF_NAMES], count = 0;
	char events[128] = "", metric[COUNTERS_NAME];
	double value;
	int error = 0;

	for (unsigned int i = 0; i < PERF_NAMES; i++) {
		const struct counter *counter = counters_find(counters, perf_names[i].metric);

		if (!counter || !counter->pass)
			continue;
		snprintf(events + strlen(events), sizeof(events) - strlen(events), "%s%s",
			 *events ? "," : "", perf_names[i].name);
		asked[count++] = i;
	}
	if (!count)
		return true;
	if (access(check->perf, X_OK))
		calls.reason = "there is no perf here";
	for (uint32_t i = 0; i < CHECKS && !calls.reason; i++)
		for (int kind = 0; kind < KINDS && !calls.reason; kind++)
			if (!run_stat(counters, check, name, events, kind, counted[i].value[kind],
				      count))
				calls.reason = counters->error;
	for (unsigned int i = 0; i < count; i++) {
		snprintf(metric, sizeof(metric), "perf_%s", perf_names[asked[i]].metric);
		error |= tell(&calls, metric, perf_names[asked[i]].name, counters->passes + 1, i,
			      &value);
	}
	return !error;
}
