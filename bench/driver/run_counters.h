/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Performance counters of a workload: how often each event happens in one operation.
 *
 * The group of a pass (harness/counters) is enabled and disabled by the module, around each loop
 * of the part that is counted, over many of its operations and over fewer, with the allocator's
 * loops and with empty ones. What it costs to switch the group is the same in all four and goes
 * out, what the loop costs goes out with the empty ones:
 *
 *	events = many - fewer - (empty many - empty fewer)
 *	events per operation = events / ops, ops the operations between many and fewer
 *
 * For pair, whose operations are all alike, these are n and 2n, so that what a loop does once
 * goes out as well. For the other workloads they are none and all of the objects, which are not
 * alike. Each call is repeated, and its value is the median, which an interrupt in a few of them
 * does not move.
 */
#ifndef SHEAFBENCH_RUN_COUNTERS_H
#define SHEAFBENCH_RUN_COUNTERS_H

#include <stdbool.h>
#include <stdio.h>

#include "counters.h"
#include "gbench.h"
#include "sheafbench.h"

/*
 * Tells the file what there is to count on the CPU that the caller is bound to, and what there
 * is not.
 */
void run_counters_plan(struct counters *counters, FILE *file);

/*
 * One workload: adds METRIC_per_op to state for each event that could be counted,
 * instructions_per_cycle where it follows, and a line for each event to the file. device:
 * sheafbench's; run: the run that gave the workload its samples; flags: the workload's. part: the
 * one of the workload's parts that is meant. What cannot be counted is no error but a reason in
 * the file; returns false with gbench_error() only when state takes no value.
 */
bool run_counters(struct counters *counters, FILE *file, struct gbench_state *state,
		  const char *name, int device, const struct sheafbench_run *run, uint32_t flags,
		  uint32_t part);

/*
 * The same events of a workload of pairs, counted by perf stat around processes that do nothing
 * but the calls: another program's way from the event's name to its count, by task where ours is
 * by CPU. Adds perf_METRIC_per_op to state and a line to the file for each metric that was counted
 * here and that perf has a name for. Interrupts are part of its counts.
 */
struct run_counters_check {
	const char *perf, *self; /* programs: perf, and the driver, which has --calls */
	const char *device;
	bool irq_off;
};

bool run_counters_check(struct counters *counters, FILE *file, struct gbench_state *state,
			const char *name, const struct run_counters_check *check);

#endif
