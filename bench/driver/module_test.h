/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the module's test share. */
#ifndef SHEAFBENCH_MODULE_TEST_H
#define SHEAFBENCH_MODULE_TEST_H

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "guest.h"
#include "lists.h"
#include "sheafbench.h"

/* Those before the first of others' loops, and before the first known sequence. */
#define OWN_WORKLOADS	WORKLOAD_peer_thread
#define KNOWN_WORKLOADS WORKLOAD_known_nothing

#define MODULE_PATH "/sheafbench.ko"
#define LIMIT_PATH  "/sys/module/sheafbench/parameters/max_kib"

/* The flag where the kernel takes it, or 0: on PREEMPT_RT it does not. */
extern uint32_t irq_off;
extern int device;
extern uint64_t buffer[(SHEAFBENCH_PARTS + 2) * SHEAFBENCH_MAX_SAMPLES];

/* What was done comes before the text, whose arguments may be results of it. */
#define ok(good, ...) (verdict(good), printf(__VA_ARGS__), end_line())
void verdict(bool good);
bool end_line(void);
void skip(const char *why);

uint64_t now_ns(void);
bool bind_to_two(void); /* CPUs 0 and 1 */

struct sheafbench_run good_run(void);
int do_run(struct sheafbench_run *run); /* 0 or the error, as the next */
int do_flush(struct sheafbench_flush *flush);
pid_t start_long_run(uint32_t workload, uint32_t n, uint32_t size);
void refused(struct sheafbench_run run, int error, const char *text, const char *what);
uint32_t fitting(uint32_t workload, uint32_t size);
uint32_t order_of(uint32_t workload, uint32_t order);
bool can_run(uint32_t workload);

long field(const char *path, const char *name);
const char *first_line(const char *path);
const char *cache_of(uint32_t size);
long in_use(uint32_t size);
unsigned int threads(const char *name, bool *busy);

/* module_test_input.c; limit: what max_kib is, 0 for none */
void test_info(uint64_t limit);
void test_describe(void);
void test_excursion(void);
void test_bad_parameters(void);
void test_bad_groups(void);
void test_bad_for_workload(void);
void test_memory_limit(void);
void test_not_root(void);
void test_removal(void);

/* module_test_runs.c */
void test_good_runs(void);
void test_time(void);
void test_work(void);
void test_probes(void);
void test_peers(void);
void test_windows(void);
void test_contexts(void);
void test_pages(void);
void test_counts(void);
void test_leaks(void);
void test_out_of_memory(void);

/* module_test_during.c */
void test_during(void);
void test_flush(void);
void test_signal(uint32_t n, uint32_t size, uint32_t flags);
void test_starved(uint32_t workload);
void test_busy(void);

/* module_test_random.c: as main(), of "--random SEED CALLS" */
int random_calls(int argc, char **argv);

#endif
