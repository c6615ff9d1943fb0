/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Google Benchmark for C programs: benchmarks with fixed iterations whose time the program measures
 * itself, results as JSON in Google Benchmark's schema. Works with libbenchmark 1.7.1 and later.
 *
 * What it sees to, because the library does not:
 *  - names are the registered ones, with no /iterations:N or /manual_time behind them, so that runs of
 *    different length can be compared by name;
 *  - the JSON holds neither the host's name nor a number that is no JSON (NaN, infinity), nor a member
 *    twice: such a counter is refused;
 *  - the file is there whole, or not at all: it is written beside its place and then renamed.
 *
 * Not for use from more than one thread. No C++ exception leaves a function. Functions that return int
 * return 0, or -1 after an error; gbench_error() then says in one line what was wrong.
 */
#ifndef GBENCH_H
#define GBENCH_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One benchmark while it runs. */
struct gbench_state;

/*
 * Runs a whole benchmark: all of its iterations. It must call gbench_set_time() or gbench_skip();
 * without either the benchmark is reported as failed.
 */
typedef void (*gbench_fn)(struct gbench_state *state, void *ctx);

/* What is shown on standard output while benchmarks run. */
enum gbench_display {
	GBENCH_SILENT,	/* nothing */
	GBENCH_CONSOLE, /* the library's table */
};

/* Sets the library up; program stands as 'executable' in the JSON. Once, before the others. */
int gbench_init(const char *program);

/* Adds a member to 'context' in the JSON. A key that is there already is refused. */
int gbench_add_context(const char *key, const char *value);

/* iterations: at least 1, reported as given. ctx goes to fn. A name that is taken is refused. */
int gbench_register(const char *name, gbench_fn fn, void *ctx, int64_t iterations);

/*
 * Runs what is registered, in that order, and forgets it. json_path: where the JSON goes, or NULL.
 * Returns how many benchmarks ran, those that failed included, or -1.
 */
int gbench_run(const char *json_path, enum gbench_display display);

/* Seconds per iteration; reported in ns as real_time. Finite; may be negative. */
int gbench_set_time(struct gbench_state *state, double seconds);

/* Adds a member to the result: finite, and not a name that Google Benchmark uses itself. */
int gbench_set_counter(struct gbench_state *state, const char *key, double value);

/* Sets 'label' in the result. */
int gbench_set_label(struct gbench_state *state, const char *label);

/* Ends the benchmark as failed, with error_message in the result; a time set before is void. */
int gbench_skip(struct gbench_state *state, const char *message);

/* The last error, or an empty string. Valid until the next call. */
const char *gbench_error(void);

#ifdef __cplusplus
}
#endif

#endif
