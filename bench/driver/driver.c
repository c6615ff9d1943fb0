/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sheafbench-driver: runs the module's workloads over a grid of sizes, object counts and orders, and
 * writes Google Benchmark's JSON and the raw samples (harness/formats.md). With --list it needs no
 * module: the table of workloads is compiled into both.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <regex.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cgroup.h"
#include "counting.h"
#include "flush.h"
#include "gbench.h"
#include "sheafbench.h"

/* Exit status: a wrong request; a run that failed. */
#define WRONG  2
#define FAILED 1

#define DEFAULT_SAMPLES 400u
#define DEFAULT_WINDOWS 5u
#define WINDOW_PAIRS	100u

static const struct workload {
	const char *name;
	uint32_t least, most, flags, parts; /* sizes */
	const char *part[SHEAFBENCH_PARTS];
} workloads[] = {
#define SHEAFBENCH_WORKLOAD(name, pass, source, least, most, flags, parts, part, second) \
	{ #name, least, most, flags, parts, { part, second } },
#include "sheafbench_lists.h"
};

static const uint32_t sizes[] = {
#define SHEAFBENCH_SIZE(size) size,
#include "sheafbench_lists.h"
};

static const uint32_t counts[] = { 1, 8, 32, 128, 512, 2048 };
static const char *const orders[SHEAFBENCH_ORDERS] = { "lifo", "fifo", "shuffled" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TIMED	(SHEAFBENCH_PEER | SHEAFBENCH_HELPER)
#define COUNTED SHEAFBENCH_KNOWN

/* One call of the module: a point of the grid. */
struct point {
	uint32_t workload, size, n, order;
	uint32_t parts, wanted; /* parts that are reported, and those that still are to be */
	uint32_t run_number;	/* the runs of a boot differ in what the seed decides */
	uint64_t *samples;	/* of all parts, then of gate and chain, once it has run */
	struct sheafbench_run run;
};

/* One result: a part of a point. */
struct entry {
	struct point *point;
	uint32_t part;
	char name[64];
};

static struct {
	const char *device, *json_path, *samples_path, *counters_path, *windows_path, *perf;
	uint32_t samples, ops, flags, runs;
	uint64_t seed;
	uint32_t deadline_ms;
	size_t flushes; /* after the total of the others */
	int fd;
	struct sheafbench_info info;
	FILE *samples_file, *counters_file;
	char samples_part[PATH_MAX], counters_part[PATH_MAX];
	size_t done, total;
	bool failed, checked;
} driver = {
	.device = SHEAFBENCH_DEVICE, .perf = "/perf", .seed = 1, .runs = 1, .deadline_ms = 10000
};

static struct counters counters;
static struct point *points;
static struct entry *entries;
static struct flush_point *flushes;

__attribute__((format(printf, 1, 2))) static void complain(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("sheafbench-driver: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

#define die(status, ...)               \
	do {                           \
		complain(__VA_ARGS__); \
		exit(status);          \
	} while (0)

static void add_point(const regex_t *wanted, uint32_t workload, uint32_t size, uint32_t n,
		      uint32_t order)
{
	static size_t count;
	struct point *point = &points[count];
	uint32_t part;

	*point = (struct point){ .workload = workload, .size = size, .n = n, .order = order };
	for (part = 0; part < workloads[workload].parts; part++) {
		struct entry *entry = &entries[driver.total];

		entry->point = point;
		entry->part = part;
		snprintf(entry->name, sizeof(entry->name), n > 1 ? "%s/%u/%u/%s" : "%s/%u/%u",
			 workloads[workload].part[part], size, n, orders[order]);
		if (regexec(wanted, entry->name, 0, NULL, 0))
			continue;
		driver.total++;
		point->parts++;
	}
	if (point->parts)
		count++;
}

/* Whether the kernel has PREEMPT_RT, where nothing is allocated in hardirq or with interrupts off. */
static bool is_realtime(void)
{
	struct utsname name;

	return !uname(&name) && strstr(name.version, "PREEMPT_RT");
}

/*
 * Fills points[], entries[] and flushes[] with what the regular expression matches. online: CPUs,
 * 0 when there is nothing to run.
 */
static void make_grid(const char *pattern, uint32_t online)
{
	const size_t most = COUNT(workloads) * COUNT(sizes) * COUNT(counts) * COUNT(orders);
	const uint32_t left_out = (driver.windows_path ? TIMED : COUNTED) |
				  (online && is_realtime() ? SHEAFBENCH_HARDIRQ : 0);
	regex_t wanted;
	char text[128];
	int error = regcomp(&wanted, pattern, REG_EXTENDED | REG_NOSUB);

	if (error) {
		regerror(error, &wanted, text, sizeof(text));
		die(WRONG, "--workloads '%s' is no POSIX extended regular expression: %s", pattern,
		    text);
	}
	points = calloc(most, sizeof(*points));
	entries = calloc(most * SHEAFBENCH_PARTS, sizeof(*entries));
	if (!points || !entries)
		die(FAILED, "out of memory");
	for (size_t w = 0; w < COUNT(workloads); w++)
		for (size_t s = 0; s < COUNT(sizes); s++)
			for (size_t n = 0; n < COUNT(counts); n++) {
				/* Others' loops hold one object. */
				if (workloads[w].flags & (SHEAFBENCH_PEER | SHEAFBENCH_KNOWN) && n)
					continue;
				if (sizes[s] < workloads[w].least || sizes[s] > workloads[w].most)
					continue;
				/* Others' loops are only timed, known sequences only counted. */
				if (workloads[w].flags & left_out)
					continue;
				/* The order of one object is no order. */
				for (size_t o = 0; o < (counts[n] > 1 ? COUNT(orders) : 1); o++)
					add_point(&wanted, w, sizes[s], counts[n], o);
			}
	/* Which CPUs are there decides what can be run; nothing of it can be counted. */
	if (!driver.windows_path)
		driver.flushes = flush_grid(&wanted, online, &flushes);
	if (!driver.total && !driver.flushes && online && flush_grid(&wanted, 0, &flushes))
		die(WRONG, "--workloads '%s' needs more CPUs than the %u that are online", pattern,
		    online);
	regfree(&wanted);
	if (!driver.total && !driver.flushes)
		die(WRONG, "--workloads '%s' matches nothing%s; --list shows all names", pattern,
		    left_out & SHEAFBENCH_HARDIRQ
			    ? " that runs on PREEMPT_RT, as hardirq-* does not"
			    : "");
}

static void open_device(void)
{
	driver.fd = open(driver.device, O_RDWR | O_CLOEXEC);
	if (driver.fd < 0)
		die(FAILED, "cannot open %s: %s; load sheafbench.ko and run as root", driver.device,
		    strerror(errno));
	if (ioctl(driver.fd, SHEAFBENCH_IOC_INFO, &driver.info))
		die(FAILED, "%s is not sheafbench's: %s", driver.device, strerror(errno));
	if (driver.info.abi != SHEAFBENCH_ABI || driver.info.workloads != COUNT(workloads))
		die(FAILED,
		    "the module has abi %u and %u workloads, the driver %d and %zu: build both "
		    "from one source",
		    driver.info.abi, driver.info.workloads, SHEAFBENCH_ABI, COUNT(workloads));
	for (size_t w = 0; w < COUNT(workloads); w++) {
		struct sheafbench_describe describe = { .index = w };

		if (ioctl(driver.fd, SHEAFBENCH_IOC_DESCRIBE, &describe) ||
		    strcmp(describe.name, workloads[w].name) != 0 ||
		    describe.parts != workloads[w].parts)
			die(FAILED, "the module has other workloads than the driver: build both "
				    "from one source");
	}
}

/* The module wants its caller bound to one CPU; what init or taskset has chosen is kept. */
static void bind_to_cpu(long cpu)
{
	cpu_set_t set;

	if (cpu < 0) {
		if (sched_getaffinity(0, sizeof(set), &set))
			die(FAILED, "sched_getaffinity: %s", strerror(errno));
		if (CPU_COUNT(&set) == 1)
			return;
		cpu = sched_getcpu();
	}
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die(WRONG, "cannot run on CPU %ld: %s; --cpu takes one that is online", cpu,
		    strerror(errno));
}

/* A file that gets its name when it is whole, or NULL where none is wanted. */
static FILE *open_part(const char *option, const char *path, char part[PATH_MAX])
{
	FILE *file;

	if (!path)
		return NULL;
	if (snprintf(part, PATH_MAX, "%s.part", path) >= PATH_MAX)
		die(WRONG, "%s: the path is too long", option);
	file = fopen(part, "we");
	if (!file)
		die(FAILED, "cannot create %s: %s", part, strerror(errno));
	return file;
}

static void open_outputs(void)
{
	driver.samples_file = open_part("--out-samples", driver.samples_path, driver.samples_part);
	if (driver.samples_file)
		fprintf(driver.samples_file,
			"# sheafbench-samples 2\n# clock %s khz %u step %u.%02u\n"
			"# gate %u chain %u\n",
			driver.info.clock, driver.info.clock_khz, driver.info.step_cticks / 100,
			driver.info.step_cticks % 100, SHEAFBENCH_GATE_ADDS, SHEAFBENCH_CHAIN_ADDS);
	driver.counters_file =
		open_part("--out-counters", driver.counters_path, driver.counters_part);
	counting_plan(&counters, driver.counters_file);
}

/* On disk before it gets its name; a full disk shows at the latest here. */
static bool close_part(FILE *file, const char *path, const char *part, bool keep)
{
	int error = 0;

	if (!file)
		return true;
	if (keep && (fflush(file) || ferror(file) || (fsync(fileno(file)) && errno != EINVAL)))
		error = errno ? errno : EIO;
	if (fclose(file) && !error)
		error = errno;
	if (keep && !error && rename(part, path))
		error = errno;
	if (keep && !error)
		return true;
	unlink(part);
	if (error)
		complain("cannot write %s: %s", path, strerror(error));
	return false;
}

/* Another's loop gives one number. */
static uint32_t samples_of(const struct point *point)
{
	return workloads[point->workload].flags & SHEAFBENCH_PEER ? 1 : driver.samples;
}

/* Into a cgroup, or out of it; nothing for those who were never in one. */
static bool cgroup_enter_for(uint32_t flags)
{
	static bool inside;
	const bool wanted = flags & SHEAFBENCH_CHARGED;

	if (wanted == inside)
		return true;
	inside = wanted;
	return cgroup_enter(wanted);
}

static bool run_point(struct point *point)
{
	const size_t values = (size_t)samples_of(point) * (workloads[point->workload].parts + 2);

	point->samples = malloc(values * sizeof(*point->samples));
	if (!point->samples) {
		snprintf(point->run.text, sizeof(point->run.text), "out of memory");
		return false;
	}
	point->run = (struct sheafbench_run){
		.abi = SHEAFBENCH_ABI,
		.workload = point->workload,
		.size = point->size,
		.n = point->n,
		.order = point->order,
		.flags = driver.flags,
		.samples = samples_of(point),
		.ops = driver.ops,
		.seed = driver.seed ? driver.seed + point->run_number++ : 0,
		.buffer = (uintptr_t)point->samples,
	};
	if (!cgroup_enter_for(workloads[point->workload].flags)) {
		snprintf(point->run.text, sizeof(point->run.text), "cannot make a cgroup: %s",
			 strerror(errno));
		return false;
	}
	if (!ioctl(driver.fd, SHEAFBENCH_IOC_RUN, &point->run))
		return true;
	if (!*point->run.text)
		snprintf(point->run.text, sizeof(point->run.text), "%s", strerror(errno));
	return false;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The q-quantile of sorted values, interpolated between neighbours (Hyndman and Fan's type 7). */
static double quantile(const double *sorted, size_t count, double q)
{
	const double at = q * (count - 1);
	const size_t low = at;

	return low + 1 < count ? sorted[low] + (at - low) * (sorted[low + 1] - sorted[low])
			       : sorted[low];
}

/* A tab, and every step-th of count numbers with spaces between them. */
static void write_column(const uint64_t *values, uint32_t count, uint32_t step)
{
	for (uint32_t i = 0; i < count; i += step)
		fprintf(driver.samples_file, "%c%" PRIu64, i ? ' ' : '\t', values[i]);
}

/* A line of every step-th sample from first on; see harness/formats.md. */
static void write_line(const char *prefix, const struct entry *entry, uint32_t first, uint32_t step)
{
	const struct point *point = entry->point;
	const struct sheafbench_run *run = &point->run;
	const uint32_t count = run->samples - first, parts = workloads[point->workload].parts;
	const uint64_t *gate = point->samples + (size_t)parts * run->samples;

	fprintf(driver.samples_file, "%s%s\t%u\t%.2f\t%" PRIu64 " %" PRIu64 " %" PRIu64, prefix,
		entry->name, run->ops, run->overhead_cticks[entry->part] / 100.0,
		(uint64_t)run->noise_ticks, (uint64_t)run->noise_lost,
		(uint64_t)run->noise_largest);
	write_column(point->samples + (size_t)entry->part * run->samples + first, count, step);
	if (driver.flags & SHEAFBENCH_NO_GATE || workloads[point->workload].flags & SHEAFBENCH_PEER)
		fputs("\t-", driver.samples_file);
	else
		write_column(gate + first, count, step);
	if (step > 1 || driver.flags & SHEAFBENCH_NO_GATE ||
	    workloads[point->workload].flags & SHEAFBENCH_PEER)
		fputs("\t-", driver.samples_file);
	else
		write_column(gate + run->samples, count, step);
	fputc('\n', driver.samples_file);
}

/* Samples without probes of their own have those of their neighbours. */
static void write_samples(const struct entry *entry)
{
	const struct point *point = entry->point;
	uint64_t *gate =
		point->samples + (size_t)workloads[point->workload].parts * point->run.samples;

	if (!(driver.flags & SHEAFBENCH_HALF_GATE)) {
		write_line("", entry, 0, 1);
		return;
	}
	for (uint32_t i = 1; i < point->run.samples; i += 2) {
		gate[i] = gate[i - 1];
		if (i + 1 < point->run.samples && gate[i + 1] > gate[i])
			gate[i] = gate[i + 1];
	}
	write_line("", entry, 0, 2);
	write_line("bare-", entry, 1, 2);
}

/* perf stat takes long: of a boot's first pairs of one object only. */
static bool cross_check(struct gbench_state *state, const struct entry *entry)
{
	char self[PATH_MAX];
	const struct counting_check check = {
		.perf = driver.perf,
		.self = self,
		.device = driver.device,
		.irq_off = driver.flags & SHEAFBENCH_IRQ_OFF,
	};
	const ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (driver.checked || length < 0 || entry->point->n != 1 ||
	    !(workloads[entry->point->workload].flags & SHEAFBENCH_HOLDS))
		return true;
	self[length] = '\0';
	driver.checked = true;
	return counting_check(&counters, driver.counters_file, state, entry->name, &check);
}

static bool report(struct gbench_state *state, const struct entry *entry)
{
	const struct sheafbench_run *run = &entry->point->run;
	const uint64_t *samples = entry->point->samples + (size_t)entry->part * run->samples;
	const double overhead = run->overhead_cticks[entry->part] / 100.0;
	double *ticks = malloc(run->samples * sizeof(*ticks)), sum = 0;
	int error;

	if (!ticks) {
		gbench_skip(state, "out of memory");
		return false;
	}
	for (uint32_t i = 0; i < run->samples; i++) {
		ticks[i] = (samples[i] - overhead) / run->ops;
		sum += ticks[i];
	}
	if (driver.samples_file)
		write_samples(entry);
	qsort(ticks, run->samples, sizeof(*ticks), compare);
	error = gbench_set_time(state, sum / run->samples / driver.info.clock_khz / 1e3) ||
		gbench_set_counter(state, "ticks_per_op_p05",
				   quantile(ticks, run->samples, 0.05)) ||
		gbench_set_counter(state, "ticks_per_op_p50", quantile(ticks, run->samples, 0.5)) ||
		gbench_set_counter(state, "ops_per_sample", run->ops) ||
		gbench_set_counter(state, "overhead_ticks_per_sample", overhead) ||
		gbench_set_counter(state, "read_ticks", run->read_cticks[entry->part] / 100.0) ||
		gbench_set_counter(state, "loop_ticks_per_op",
				   run->loop_cticks[entry->part] / 100.0);
	free(ticks);
	if (!error)
		error = !counting_run(&counters, driver.counters_file, state, entry->name,
				      driver.fd, run, workloads[entry->point->workload].flags,
				      entry->part) ||
			!cross_check(state, entry);
	if (error)
		gbench_skip(state, gbench_error());
	return !error;
}

/* The first part of a point that is asked for runs the module; the last one drops its samples. */
static void run_entry(struct gbench_state *state, void *ctx)
{
	struct entry *entry = ctx;
	struct point *point = entry->point;

	if (driver.failed) {
		gbench_skip(state, "an earlier workload failed");
		return;
	}
	printf("sheafbench: %zu/%zu %s\n", ++driver.done,
	       driver.runs * (driver.total + driver.flushes), entry->name);
	if (!point->wanted)
		point->wanted = point->parts;
	if (!point->samples && !run_point(point)) {
		driver.failed = true;
		complain("%s: %s", entry->name, point->run.text);
		gbench_skip(state, point->run.text);
		return;
	}
	if (!report(state, entry)) {
		driver.failed = true;
		complain("%s: %s", entry->name, gbench_error());
	}
	if (!--point->wanted) {
		free(point->samples);
		point->samples = NULL;
	}
}

/* The flushes of a boot come after the rest: they are about all of the machine. */
static void run_flush(struct gbench_state *state, void *ctx)
{
	const struct flush_point *point = ctx;
	const struct flush_setup setup = {
		.device = driver.fd,
		.samples = driver.samples,
		.clock_khz = driver.info.clock_khz,
		.deadline_ms = driver.deadline_ms,
		.samples_file = driver.samples_file,
		.counters_file = driver.counters_file,
	};
	char error[SHEAFBENCH_TEXT] = "";

	if (driver.failed) {
		gbench_skip(state, "an earlier workload failed");
		return;
	}
	printf("sheafbench: %zu/%zu %s\n", ++driver.done,
	       driver.runs * (driver.total + driver.flushes), point->name);
	if (flush_run(&setup, point, state, error, sizeof(error)))
		return;
	driver.failed = true;
	complain("%s: %s", point->name, error);
	gbench_skip(state, error);
}

/* Where the module's text lies: what a tool finds there is the loop, not the kernel. */
static void write_module_range(FILE *out)
{
	FILE *file = fopen("/proc/modules", "re");
	char line[512], address[32];
	unsigned long size;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "sheafbench %lu %*s %*s %*s %31s", &size, address) == 2)
			fprintf(out, "# module %s %lu\n", address, size);
	if (file)
		fclose(file);
}

/*
 * Empties the sheaves of the size's cache: how full they are then follows from the run alone, and so
 * do the lines of the cache that it touches. What is executed is the same without.
 */
static void shrink_cache(uint32_t size)
{
	char path[96];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/kernel/slab/kmalloc-%u%s/shrink",
		 size < 1024 ? size : size / 1024, size < 1024 ? "" : "k");
	file = fopen(path, "we");
	if (!file)
		return;
	fputs("1", file);
	fclose(file);
}

/* Windows between markers instead of times, and a file that tells whose they are (formats.md). */
static int count_windows(void)
{
	char part[PATH_MAX];
	size_t first = 0;
	FILE *out = open_part("--out-windows", driver.windows_path, part);

	fputs("# sheafbench-windows 1\n", out);
	write_module_range(out);
	for (size_t e = 0; e < driver.total && !driver.failed; e++) {
		const struct entry *entry = &entries[e];
		struct point *point = entry->point;
		const uint32_t parts = workloads[point->workload].parts;
		const uint32_t flags = workloads[point->workload].flags;

		if (!point->samples)
			shrink_cache(point->size);
		if (!point->samples && !run_point(point)) {
			driver.failed = true;
			complain("%s: %s", entry->name, point->run.text);
			break;
		}
		fprintf(out, "%s\t%s\t%u\t%zu\t%u\t", entry->name,
			point->n == 1 && (flags & SHEAFBENCH_HOLDS || !(flags & SHEAFBENCH_TASK))
				? "hit"
				: "mixed",
			point->run.ops, first + entry->part, parts);
		for (uint32_t i = 0; i < point->run.samples; i++)
			fprintf(out, "%s%" PRIu64, i ? " " : "",
				point->samples[entry->part * point->run.samples + i]);
		fputc('\n', out);
		if (e + 1 == driver.total || entries[e + 1].point != point) {
			first += (size_t)parts * point->run.samples;
			free(point->samples);
			point->samples = NULL;
		}
	}
	if (!close_part(out, driver.windows_path, part, !driver.failed) || driver.failed)
		return FAILED;
	puts("sheafbench: done");
	return 0;
}

/* The module's passes and nothing else, for a program that counts what this process does. */
static int only_calls(void)
{
	for (size_t e = 0; e < driver.total; e++) {
		if (entries[e].part)
			continue;
		if (!run_point(entries[e].point)) {
			complain("%s: %s", entries[e].name, entries[e].point->run.text);
			return FAILED;
		}
		free(entries[e].point->samples);
	}
	return 0;
}

static void context(const char *key, const char *value)
{
	if (gbench_add_context(key, value))
		die(WRONG, "%s", gbench_error());
}

static void add_own_context(void)
{
	char text[64];

	context("clock", driver.info.clock);
	snprintf(text, sizeof(text), "%u", driver.info.clock_khz);
	context("clock_khz", text);
	snprintf(text, sizeof(text), "%u.%02u", driver.info.step_cticks / 100,
		 driver.info.step_cticks % 100);
	context("clock_step_ticks", text);
	context("interrupts", driver.flags & SHEAFBENCH_IRQ_OFF ? "off" : "on");
	snprintf(text, sizeof(text), "%" PRIu64, driver.seed);
	context("seed", text);
	context("about",
		"real_time: mean ns per operation, overhead subtracted; an iteration is a sample; "
		"cpu_time: the driver's own, says nothing of the allocator");
}

/* A whole number between least and most, or an error that names the option. */
static uint64_t number(const char *option, const char *text, uint64_t least, uint64_t most)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || value < least || value > most)
		die(WRONG, "%s %s: a whole number from %" PRIu64 " to %" PRIu64 " is needed",
		    option, text, least, most);
	return value;
}

static void usage(void)
{
	printf("usage: sheafbench-driver [option...]\n"
	       "  --workloads REGEX   names that match the POSIX extended expression [all]\n"
	       "  --list              show them and end; needs no module\n"
	       "  --samples N         samples of each workload, 1 to %u [%u, windows: %u]\n"
	       "  --ops N             least operations in a sample, 1 to %u [by the clock's step, "
	       "pairs in a window: %u]\n"
	       "  --seed N            of shuffled orders, dither and place in the slab [1]\n"
	       "  --runs N            how often each workload is run in this boot, 1 to 100 [1]\n"
	       "  --no-gate           no probes beside the samples\n"
	       "  --half-gate         none beside every second one; those are written as "
	       "bare-NAME\n"
	       "  --deadline-ms N     of a flush that waits for a CPU which never enters the "
	       "kernel, 1 to 600000 [10000]\n"
	       "  --irq-off           interrupts off in timed regions, GFP_ATOMIC\n"
	       "  --cpu N             the CPU to run on [where it was bound to, or is]\n"
	       "  --out-json FILE     Google Benchmark's JSON\n"
	       "  --out-samples FILE  raw samples\n"
	       "  --events LIST       performance counters: auto, none, or names with commas "
	       "[none]\n"
	       "  --event-sets DIR    the tables of events [/events]\n"
	       "  --out-counters FILE what they counted\n"
	       "  --perf FILE         perf, to cross-check them [/perf]\n"
	       "  --calls KIND        only call the module, bare or empty, and tell nothing\n"
	       "  --out-windows FILE  no times: windows between markers for a tool that counts, "
	       "and "
	       "whose they are\n"
	       "  --context KEY=TEXT  added to the JSON's context; may be repeated\n"
	       "  --device FILE       [%s]\n"
	       "  --help\n",
	       SHEAFBENCH_MAX_SAMPLES, DEFAULT_SAMPLES, DEFAULT_WINDOWS, SHEAFBENCH_MAX_OPS,
	       WINDOW_PAIRS, SHEAFBENCH_DEVICE);
}

static void add_context_option(char *text)
{
	char *value = strchr(text, '=');

	if (!value || value == text)
		die(WRONG, "--context '%s': KEY=TEXT is needed", text);
	*value = '\0';
	context(text, value + 1);
}

/* Plots mark where a sheaf ends; a kernel without sheaves has nothing to tell. */
static void tell_sheaf_capacity(void)
{
	FILE *file = fopen("/sys/kernel/slab/kmalloc-64/sheaf_capacity", "re");
	unsigned int capacity;

	if (!file)
		return;
	if (fscanf(file, "%u", &capacity) == 1 && capacity)
		printf("sheafbench: kmalloc-64 has sheaves of %u objects\n", capacity);
	fclose(file);
}

int main(int argc, char **argv)
{
	enum {
		WORKLOADS = 256,
		LIST,
		SAMPLES,
		OPS,
		SEED,
		RUNS,
		NO_GATE,
		HALF_GATE,
		DEADLINE,
		IRQ_OFF,
		CPU,
		JSON,
		RAW,
		WINDOWS,
		EVENTS,
		EVENT_SETS,
		COUNTERS,
		PERF,
		CALLS,
		CONTEXT,
		DEVICE,
		HELP
	};
	static const struct option options[] = {
		{ "workloads", required_argument, NULL, WORKLOADS },
		{ "list", no_argument, NULL, LIST },
		{ "samples", required_argument, NULL, SAMPLES },
		{ "ops", required_argument, NULL, OPS },
		{ "seed", required_argument, NULL, SEED },
		{ "runs", required_argument, NULL, RUNS },
		{ "no-gate", no_argument, NULL, NO_GATE },
		{ "half-gate", no_argument, NULL, HALF_GATE },
		{ "deadline-ms", required_argument, NULL, DEADLINE },
		{ "irq-off", no_argument, NULL, IRQ_OFF },
		{ "cpu", required_argument, NULL, CPU },
		{ "out-json", required_argument, NULL, JSON },
		{ "out-samples", required_argument, NULL, RAW },
		{ "out-windows", required_argument, NULL, WINDOWS },
		{ "events", required_argument, NULL, EVENTS },
		{ "event-sets", required_argument, NULL, EVENT_SETS },
		{ "out-counters", required_argument, NULL, COUNTERS },
		{ "perf", required_argument, NULL, PERF },
		{ "calls", required_argument, NULL, CALLS },
		{ "context", required_argument, NULL, CONTEXT },
		{ "device", required_argument, NULL, DEVICE },
		{ "help", no_argument, NULL, HELP },
		{ NULL, 0, NULL, 0 },
	};
	const char *pattern = "", *events = "none", *event_sets = "/events";
	uint32_t calls = 0;
	bool list = false;
	long cpu = -1;
	int option;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case WORKLOADS:
			pattern = optarg;
			break;
		case LIST:
			list = true;
			break;
		case SAMPLES:
			driver.samples = number("--samples", optarg, 1, SHEAFBENCH_MAX_SAMPLES);
			break;
		case OPS:
			driver.ops = number("--ops", optarg, 1, SHEAFBENCH_MAX_OPS);
			break;
		case SEED:
			driver.seed = number("--seed", optarg, 0, UINT64_MAX);
			break;
		case RUNS:
			driver.runs = number("--runs", optarg, 1, 100);
			break;
		case NO_GATE:
			driver.flags |= SHEAFBENCH_NO_GATE;
			break;
		case HALF_GATE:
			driver.flags |= SHEAFBENCH_HALF_GATE;
			break;
		case DEADLINE:
			driver.deadline_ms = number("--deadline-ms", optarg, 1, 600000);
			break;
		case IRQ_OFF:
			driver.flags |= SHEAFBENCH_IRQ_OFF;
			break;
		case CPU:
			cpu = number("--cpu", optarg, 0, CPU_SETSIZE - 1);
			break;
		case JSON:
			driver.json_path = optarg;
			break;
		case RAW:
			driver.samples_path = optarg;
			break;
		case WINDOWS:
			driver.windows_path = optarg;
			driver.flags |= SHEAFBENCH_COUNT;
			break;
		case EVENTS:
			events = optarg;
			break;
		case EVENT_SETS:
			event_sets = optarg;
			break;
		case COUNTERS:
			driver.counters_path = optarg;
			break;
		case PERF:
			driver.perf = optarg;
			break;
		case CALLS:
			if (strcmp(optarg, "bare") != 0 && strcmp(optarg, "empty") != 0)
				die(WRONG, "--calls %s: bare or empty is needed", optarg);
			calls = *optarg == 'b' ? SHEAFBENCH_BARE : SHEAFBENCH_EMPTY;
			driver.flags |= calls;
			break;
		case CONTEXT:
			add_context_option(optarg);
			break;
		case DEVICE:
			driver.device = optarg;
			break;
		case HELP:
			usage();
			return 0;
		default:
			/* getopt has said what is wrong. */
			complain("--help shows the options");
			return WRONG;
		}
	}
	if (optind < argc)
		die(WRONG, "'%s' is no option; --help shows them", argv[optind]);
	if (driver.flags & SHEAFBENCH_IRQ_OFF && !list && is_realtime())
		die(WRONG, "--irq-off: PREEMPT_RT allocates with interrupts on only; leave it out");
	make_grid(pattern, list ? 0 : sysconf(_SC_NPROCESSORS_ONLN));
	if (counters_choose(&counters, &counters_linux, events, event_sets))
		die(WRONG, "--events: %s", counters.error);
	if (list) {
		for (size_t i = 0; i < driver.total; i++)
			puts(entries[i].name);
		for (size_t i = 0; i < driver.flushes; i++)
			puts(flushes[i].name);
		return fflush(stdout) ? FAILED : 0;
	}
	if (driver.windows_path && (driver.json_path || driver.samples_path || driver.runs > 1))
		die(WRONG, "--out-windows goes without --out-json, --out-samples and --runs");
	if (!driver.samples)
		driver.samples = driver.windows_path ? DEFAULT_WINDOWS : DEFAULT_SAMPLES;
	if (!driver.ops && driver.windows_path)
		driver.ops = WINDOW_PAIRS;
	if (driver.flags & SHEAFBENCH_HALF_GATE && driver.samples < 2)
		die(WRONG, "--half-gate needs at least 2 --samples");
	bind_to_cpu(cpu);
	open_device();
	if (calls)
		return only_calls();
	tell_sheaf_capacity();
	if (driver.windows_path)
		return count_windows();
	if (gbench_init(argv[0]))
		die(FAILED, "%s", gbench_error());
	add_own_context();
	for (size_t i = 0; i < driver.runs * driver.total; i++) {
		struct entry *entry = &entries[i % driver.total];
		char name[96];

		/* Google Benchmark wants names that are unique. */
		snprintf(name, sizeof(name), i < driver.total ? "%s" : "%s/run:%zu", entry->name,
			 i / driver.total);
		if (gbench_register(name, run_entry, entry, samples_of(entry->point)))
			die(FAILED, "%s", gbench_error());
	}
	for (size_t i = 0; i < driver.runs * driver.flushes; i++) {
		struct flush_point *point = &flushes[i % driver.flushes];
		char name[96];

		snprintf(name, sizeof(name), i < driver.flushes ? "%s" : "%s/run:%zu", point->name,
			 i / driver.flushes);
		if (gbench_register(name, run_flush, point, 1))
			die(FAILED, "%s", gbench_error());
	}
	if (driver.flushes)
		flush_prepare();
	open_outputs();
	if (gbench_run(driver.json_path, GBENCH_SILENT) < 0) {
		complain("%s", gbench_error());
		driver.failed = true;
	}
	if (!close_part(driver.samples_file, driver.samples_path, driver.samples_part,
			!driver.failed))
		driver.failed = true;
	if (!close_part(driver.counters_file, driver.counters_path, driver.counters_part,
			!driver.failed))
		driver.failed = true;
	if (driver.failed) {
		if (driver.json_path)
			unlink(driver.json_path);
		return FAILED;
	}
	puts("sheafbench: done");
	return 0;
}
