/* SPDX-License-Identifier: GPL-2.0 */
/* The driver's options: one table, of which its help, its checks and their values come. */
#define _GNU_SOURCE
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "gbench.h"

#define DEFAULT_SAMPLES 400
#define DEFAULT_WINDOWS 5
#define WINDOW_PAIRS	100
#define STRING(number)	STRING_OF(number)
#define STRING_OF(text) #text

struct options options = {
	.workloads = "",
	.events = "none",
	.event_sets = "/events",
	.perf = "/perf",
	.device = SHEAFBENCH_DEVICE,
	.seed = 1,
	.runs = 1,
	.deadline_ms = 10000,
	.cpu = CPU_SETSIZE,
};

static const struct setting {
	const char *name, *arg, *about;
	const char **text;    /* where a text goes; */
	uint64_t *number;     /* where a number goes, */
	uint64_t least, most; /* from least to most, */
	uint64_t bits;	      /* or which bits of it are set where there is no argument */
	bool many;	      /* may be repeated; only --context */
} settings[] = {
	{ "workloads", "REGEX", "names that match the POSIX extended expression [all]",
	  .text = &options.workloads },
	{ "list", NULL, "show them and end; needs no module", .number = &options.list, .bits = 1 },
	{ "samples", "N",
	  "samples of each workload [" STRING(DEFAULT_SAMPLES) ", windows: " STRING(
		  DEFAULT_WINDOWS) "]",
	  .number = &options.samples, .least = 1, .most = SHEAFBENCH_MAX_SAMPLES },
	{ "ops", "N",
	  "least operations in a sample [by the clock's step, pairs in a window: " STRING(
		  WINDOW_PAIRS) "]",
	  .number = &options.ops, .least = 1, .most = SHEAFBENCH_MAX_OPS },
	{ "seed", "N", "of shuffled orders, dither and place in the slab [1]",
	  .number = &options.seed, .most = UINT64_MAX },
	{ "runs", "N", "how often each workload is run in this boot [1]", .number = &options.runs,
	  .least = 1, .most = 100 },
	{ "no-gate", NULL, "no probes beside the samples", .number = &options.flags,
	  .bits = SHEAFBENCH_NO_GATE },
	{ "half-gate", NULL, "none beside every second one; those are written as bare-NAME",
	  .number = &options.flags, .bits = SHEAFBENCH_HALF_GATE },
	{ "deadline-ms", "N",
	  "of a flush that waits for a CPU which never enters the kernel [10000]",
	  .number = &options.deadline_ms, .least = 1, .most = 600000 },
	{ "irq-off", NULL, "interrupts off in timed regions, GFP_ATOMIC", .number = &options.flags,
	  .bits = SHEAFBENCH_IRQ_OFF },
	{ "cpu", "N", "the CPU to run on [where it was bound to, or is]", .number = &options.cpu,
	  .most = CPU_SETSIZE - 1 },
	{ "out-json", "FILE", "Google Benchmark's JSON", .text = &options.json },
	{ "out-samples", "FILE", "raw samples", .text = &options.raw },
	{ "events", "LIST", "performance counters: auto, none, or names with commas [none]",
	  .text = &options.events },
	{ "event-sets", "DIR", "the tables of events [/events]", .text = &options.event_sets },
	{ "out-counters", "FILE", "what they counted", .text = &options.counters },
	{ "perf", "FILE", "perf, to cross-check them [/perf]", .text = &options.perf },
	{ "calls", "KIND", "only call the module, bare or empty, and tell nothing",
	  .text = &options.calls },
	{ "out-windows", "FILE",
	  "no times: windows between markers for a tool that counts, and whose they are",
	  .text = &options.windows },
	{ "context", "KEY=TEXT", "added to the JSON's context; may be repeated", .many = true },
	{ "device", "FILE", "[" SHEAFBENCH_DEVICE "]", .text = &options.device },
	{ .name = "help", .about = "" },
};

/* argp takes what is below 256 for a letter. */
#define KEYS 256

void complain(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("sheafbench-driver: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static void add_context(char *text)
{
	char *value = strchr(text, '=');

	if (!value || value == text)
		die(WRONG, "--context '%s': KEY=TEXT is needed", text);
	*value = '\0';
	if (gbench_add_context(text, value + 1))
		die(WRONG, "%s", gbench_error());
}

static uint64_t number(const struct setting *setting, const char *text)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || value < setting->least ||
	    value > setting->most)
		die(WRONG, "--%s %s: a whole number from %" PRIu64 " to %" PRIu64 " is needed",
		    setting->name, text, setting->least, setting->most);
	return value;
}

static const struct setting *setting_of(int key)
{
	return key >= KEYS && key < KEYS + (int)COUNT(settings) ? &settings[key - KEYS] : NULL;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	const struct setting *setting = setting_of(key);

	if (key == ARGP_KEY_ARG)
		die(WRONG, "'%s' is no option; --help shows them", text);
	if (key == ARGP_KEY_ERROR)
		die(WRONG, "'%s' is no option, or lacks its argument; --help shows them",
		    state->argv[state->next - 1]);
	if (!setting)
		return ARGP_ERR_UNKNOWN;
	if (setting->text)
		*setting->text = text;
	else if (setting->bits)
		*setting->number |= setting->bits;
	else if (setting->number)
		*setting->number = number(setting, text);
	else if (setting->many)
		add_context(text);
	else {
		puts("usage: sheafbench-driver [option...]");
		argp_help(state->root_argp, stdout, ARGP_HELP_LONG, state->name);
		exit(fflush(stdout) ? FAILED : 0);
	}
	return 0;
}

/* What a number may be is told with what it is. */
static char *help(int key, const char *text, void *unused)
{
	const struct setting *setting = setting_of(key);
	char *whole;

	(void)unused;
	if (setting && setting->most && setting->most < UINT64_MAX &&
	    asprintf(&whole, "%" PRIu64 " to %" PRIu64 ": %s", setting->least, setting->most,
		     text) >= 0)
		return whole;
	return (char *)text;
}

void parse_options(int argc, char **argv)
{
	struct argp_option table[COUNT(settings) + 1] = { 0 };
	const struct argp argp = { .options = table, .parser = parse, .help_filter = help };

	for (size_t i = 0; i < COUNT(settings); i++) {
		table[i].name = settings[i].name;
		table[i].key = KEYS + (int)i;
		table[i].arg = settings[i].arg;
		table[i].doc = settings[i].about;
	}
	argp_parse(&argp, argc, argv, ARGP_NO_HELP | ARGP_NO_ERRS, NULL, NULL);
	if (options.calls && strcmp(options.calls, "bare") != 0 &&
	    strcmp(options.calls, "empty") != 0)
		die(WRONG, "--calls %s: bare or empty is needed", options.calls);
	if (options.calls)
		options.flags |= *options.calls == 'b' ? SHEAFBENCH_BARE : SHEAFBENCH_EMPTY;
	if (options.windows)
		options.flags |= SHEAFBENCH_WINDOWS;
	if (options.list)
		return;
	if (options.flags & SHEAFBENCH_IRQ_OFF && is_realtime())
		die(WRONG, "--irq-off: PREEMPT_RT allocates with interrupts on only; leave it out");
	if (options.windows && (options.json || options.raw || options.runs > 1))
		die(WRONG, "--out-windows goes without --out-json, --out-samples and --runs");
	if (!options.samples)
		options.samples = options.windows ? DEFAULT_WINDOWS : DEFAULT_SAMPLES;
	if (!options.ops && options.windows)
		options.ops = WINDOW_PAIRS;
	if (options.flags & SHEAFBENCH_HALF_GATE && options.samples < 2)
		die(WRONG, "--half-gate needs at least 2 --samples");
}
