/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Performance counters of a workload: how often each event happens in one operation.
 *
 * The group of a pass (harness/counters) counts around calls of the module that do nothing but
 * the workload's passes, of n operations and of 2n, with the allocator's loops and with empty
 * ones. What a call costs in itself is the same in all four and goes out, what the loop costs
 * goes out with the empty ones:
 *
 *	counts = calls(2n) - calls(n), loops = empty(2n) - empty(n)
 *	events per operation = (counts - loops) / n
 *
 * Each is repeated, and the value is the median, which an interrupt in a few of them does not
 * move.
 */
#ifndef SHEAFBENCH_COUNTING_H
#define SHEAFBENCH_COUNTING_H

#include <stdbool.h>
#include <stdio.h>

#include "counters.h"
#include "gbench.h"
#include "sheafbench.h"

/*
 * Tells the file what there is to count on the CPU that the caller is bound to, and what there
 * is not.
 */
void counting_plan(struct counters *counters, FILE *file);

/*
 * One workload: adds METRIC_per_op to state for each event that could be counted,
 * instructions_per_cycle where it follows, and a line for each event to the file. device:
 * sheafbench's; run: the run that gave the workload its samples. apart: the workload is one part
 * of what the module does in a pass, which counts from outside cannot tell from the rest, so
 * that there are reasons in place of counts. What cannot be counted is no error; returns false
 * with gbench_error() only when state takes no value.
 */
bool counting_run(struct counters *counters, FILE *file, struct gbench_state *state,
		  const char *name, int device, const struct sheafbench_run *run, bool apart);

#endif
