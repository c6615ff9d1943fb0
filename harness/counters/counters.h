/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Performance counters of one CPU in kernel mode: libpfm4 turns names of events into what
 * perf_event_open(2) takes, and a group of them is counted at a time, pinned to the CPU.
 *
 * A value is either right or not there: a group is never multiplexed and never scaled, what
 * could not be counted all the time has no value, and each event without one has a reason in
 * words.
 *
 *	counters_choose()	which events, by EVENTS= and the tables in harness/counters/events
 *	counters_plan()		which of them count here, and which together: the passes
 *	counters_open()		the group of a pass; then, as often as wanted,
 *	counters_begin()	... what is to be counted ...; or counters_reset(), for one who
 *				enables and disables fd[0] himself
 *	counters_end()		the counts since then
 *	counters_close()
 *
 * Not for use from more than one thread. Functions that return int return 0, or -1 after an
 * error; counters->error then says in one line what was wrong.
 */
#ifndef SHEAFBENCH_COUNTERS_H
#define SHEAFBENCH_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <perfmon/perf_event.h>

#define COUNTERS_MOST	40  /* events of a choice */
#define COUNTERS_NAME	64  /* bytes of a metric's name */
#define COUNTERS_EVENT	256 /* bytes of an event's name */
#define COUNTERS_REASON 160

/* What the library asks of the kernel, so that a test can stand in for it. Each sets errno. */
struct counters_os {
	int (*open)(struct perf_event_attr *attr, pid_t pid, int cpu, int group,
		    unsigned long flags);
	int (*control)(int fd, unsigned long request, unsigned long arg);
	ssize_t (*read)(int fd, void *buffer, size_t size);
	int (*close)(int fd);
	const char *root; /* before each path in /proc and /sys */
};

extern const struct counters_os counters_linux;

struct counter {
	char metric[COUNTERS_NAME];   /* what it stands for: 'instructions', or the event's name */
	char event[COUNTERS_EVENT];   /* in libpfm4's words, with its PMU once that is known */
	char reason[COUNTERS_REASON]; /* why it has no value; empty when it has one */
	struct perf_event_attr attr;
	unsigned int pass; /* 1 .. passes; 0 with a reason */
};

struct counters {
	const struct counters_os *os;
	char table[COUNTERS_NAME]; /* the one that was taken, or empty */
	char pmu[COUNTERS_NAME];   /* libpfm4's name of the CPU's PMU, or empty */
	bool nmi_watchdog;	   /* it is on, and on most CPUs holds a counter */
	unsigned int count, passes, cpu;
	struct counter counter[COUNTERS_MOST];
	char error[512];
	/* the group that is open: its counters in the order in which they were opened */
	unsigned int members, member[COUNTERS_MOST];
	int fd[COUNTERS_MOST];
};

/*
 * Fills in the events of list, in its order, and behind them the software events of the table
 * 'software'. list: 'auto' is the table in the folder dir that fits this CPU; else names with
 * commas between them, each that of a table, a metric of the table that fits, or an event in
 * libpfm4's words. An empty list or 'none' is no event. A name that neither the tables nor
 * libpfm4 know for any CPU is an error that tells the nearest ones; one that is known, but not
 * on this CPU, gets a reason. Nothing is counted yet.
 */
int counters_choose(struct counters *counters, const struct counters_os *os, const char *list,
		    const char *dir);

/* Tries the events on a CPU; each then has a pass or a reason. */
void counters_plan(struct counters *counters, unsigned int cpu);

int counters_open(struct counters *counters, unsigned int pass);
int counters_begin(struct counters *counters);
int counters_reset(struct counters *counters);
/* values[i] is set for each counter[i] of the pass that is open. */
int counters_end(struct counters *counters, uint64_t values[COUNTERS_MOST]);
void counters_close(struct counters *counters);

/* By its metric, or NULL. */
const struct counter *counters_find(const struct counters *counters, const char *metric);

#endif
