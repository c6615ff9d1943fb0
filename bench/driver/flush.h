/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Flushes: how long the caller waits, and what the CPUs whose sheaves are flushed notice of it.
 *
 * Around each flush the kernel's own accounting is read, then once more after the same time with
 * nothing flushed; docs/formats.md lists what is counted. What a program on a flushed CPU loses
 * is found by one that does nothing but read the clock there.
 */
#ifndef SHEAFBENCH_DRIVER_FLUSH_H
#define SHEAFBENCH_DRIVER_FLUSH_H

#include <regex.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "gbench.h"
#include "sheafbench.h"

/* What the CPUs whose sheaves are flushed, but for the caller's, are doing. */
enum flush_state {
	FLUSH_IDLE,
	FLUSH_USER,   /* a program that never enters the kernel */
	FLUSH_KERNEL, /* a thread of the kernel that allocates and frees */
	FLUSH_FIFO,   /* the program, with SCHED_FIFO: nothing else runs there */
	FLUSH_STATES
};

struct flush_point {
	uint32_t op, size, n;	/* n: CPUs whose sheaves are filled, the caller's among them */
	enum flush_state state; /* of the others */
	char name[64];
};

struct flush_setup {
	int device;
	uint32_t samples;
	uint32_t clock_khz;
	uint32_t deadline_ms; /* a program with SCHED_FIFO ends after that, whatever waits */
	FILE *samples_file, *counters_file; /* either may be NULL */
};

/* The points whose names match; the caller frees them; NULL when there are none. online: CPUs, 0 to list all points. */
size_t flush_grid(const regex_t *wanted, uint32_t online, struct flush_point **points);

/*
 * Before all others of a boot, as early as can be: each CPU's statistics of memory are a kworker's, once a second; not
 * while kworkers are counted. The first flush waits for those that were on their way.
 */
void flush_prepare(void);

/*
 * Runs one. The caller is bound to one CPU, the measured one: that is the first of those that are flushed, by the
 * caller on another one, which comes back afterwards. False with what is wrong in error, or in gbench_error().
 */
bool flush_run(const struct flush_setup *setup, const struct flush_point *point,
	       struct gbench_state *state, char *error, size_t size);

#endif
