/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sheafbench-driver: runs the module's workloads over a grid of sizes, object counts and orders, and
 * writes Google Benchmark's JSON and the raw samples (docs/formats.md). With --list it needs no
 * module: the table of workloads is compiled into both.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "driver.h"
#include "excursion.h"
#include "gbench.h"
#include "run_counters.h"

static struct {
	int fd;
	struct sheafbench_info info;
	FILE *samples, *counters;
	char samples_part[PATH_MAX], counters_part[PATH_MAX];
	size_t done;
	bool failed, checked;
} driver;

static struct counters counters;

static void open_device(void)
{
	driver.fd = open(options.device, O_RDWR | O_CLOEXEC);
	if (driver.fd < 0)
		die(FAILED, "cannot open %s: %s; load sheafbench.ko and run as root",
		    options.device, strerror(errno));
	if (ioctl(driver.fd, SHEAFBENCH_IOC_INFO, &driver.info))
		die(FAILED, "%s is not sheafbench's: %s", options.device, strerror(errno));
	if (driver.info.abi != SHEAFBENCH_ABI || driver.info.workloads != WORKLOADS)
		die(FAILED,
		    "the module has abi %u and %u workloads, the driver %d and %d: build both "
		    "from one source",
		    driver.info.abi, driver.info.workloads, SHEAFBENCH_ABI, WORKLOADS);
	for (uint32_t w = 0; w < WORKLOADS; w++) {
		struct sheafbench_describe describe = { .index = w };

		if (ioctl(driver.fd, SHEAFBENCH_IOC_DESCRIBE, &describe) ||
		    strcmp(describe.name, workloads[w].name) != 0 ||
		    describe.parts != workloads[w].parts)
			die(FAILED, "the module has other workloads than the driver: build both "
				    "from one source");
	}
}

/* The module wants its caller bound to one CPU; what init or taskset has chosen is kept. */
static void choose_cpu(void)
{
	int cpu = (int)options.cpu;
	cpu_set_t set;

	if (options.cpu == CPU_SETSIZE) {
		if (sched_getaffinity(0, sizeof(set), &set))
			die(FAILED, "sched_getaffinity: %s", strerror(errno));
		if (CPU_COUNT(&set) == 1)
			return;
		cpu = sched_getcpu();
	}
	if (!bind_to(cpu))
		die(WRONG, "cannot run on CPU %d: %s; --cpu takes one that is online", cpu,
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
	driver.samples = open_part("--out-samples", options.raw, driver.samples_part);
	if (driver.samples)
		fprintf(driver.samples,
			"# sheafbench-samples 2\n# clock %s khz %u step %u.%02u\n"
			"# gate %u chain %u\n",
			driver.info.clock, driver.info.clock_khz, driver.info.step_cticks / 100,
			driver.info.step_cticks % 100, SHEAFBENCH_GATE_ADDS, SHEAFBENCH_CHAIN_ADDS);
	driver.counters = open_part("--out-counters", options.counters, driver.counters_part);
	run_counters_plan(&counters, driver.counters);
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
	return workloads[point->workload].flags & SHEAFBENCH_PEER ? 1 : options.samples;
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
		.work = point->work,
		.flags = options.flags,
		.samples = samples_of(point),
		.ops = options.ops,
		.seed = options.seed ? options.seed + point->run_number++ : 0,
		.buffer = (uintptr_t)point->samples,
	};
	if (!cgroup_enter_for(workloads[point->workload].flags)) {
		snprintf(point->run.text, sizeof(point->run.text), "cannot make a cgroup: %s",
			 strerror(errno));
		return false;
	}
	if (point->excursion)
		return excursion_run(driver.fd, &point->run, point->caches);
	if (!ioctl(driver.fd, SHEAFBENCH_IOC_RUN, &point->run))
		return true;
	if (!*point->run.text)
		snprintf(point->run.text, sizeof(point->run.text), "%s",
			 text_of(errno) ?: strerror(errno));
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
		fprintf(driver.samples, "%c%" PRIu64, i ? ' ' : '\t', values[i]);
}

/* A line of every step-th sample from first on; see docs/formats.md. */
static void write_line(const char *prefix, const struct entry *entry, uint32_t first, uint32_t step)
{
	const struct point *point = entry->point;
	const struct sheafbench_run *run = &point->run;
	const uint32_t count = run->samples - first, parts = workloads[point->workload].parts;
	const uint64_t *gate = point->samples + (size_t)parts * run->samples;

	fprintf(driver.samples, "%s%s\t%u\t%.2f\t%" PRIu64 " %" PRIu64 " %" PRIu64, prefix,
		entry->name, run->ops, run->overhead_cticks[entry->part] / 100.0,
		(uint64_t)run->noise_ticks, (uint64_t)run->noise_lost,
		(uint64_t)run->noise_largest);
	write_column(point->samples + (size_t)entry->part * run->samples + first, count, step);
	if (options.flags & SHEAFBENCH_NO_GATE ||
	    workloads[point->workload].flags & SHEAFBENCH_PEER)
		fputs("\t-", driver.samples);
	else
		write_column(gate + first, count, step);
	if (step > 1 || options.flags & SHEAFBENCH_NO_GATE ||
	    workloads[point->workload].flags & SHEAFBENCH_PEER)
		fputs("\t-", driver.samples);
	else
		write_column(gate + run->samples, count, step);
	fputc('\n', driver.samples);
}

/* Samples without probes of their own have those of their neighbours. */
static void write_samples(const struct entry *entry)
{
	const struct point *point = entry->point;
	uint64_t *gate =
		point->samples + (size_t)workloads[point->workload].parts * point->run.samples;

	if (!(options.flags & SHEAFBENCH_HALF_GATE)) {
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
	const struct run_counters_check check = {
		.perf = options.perf,
		.self = self,
		.device = options.device,
		.irq_off = options.flags & SHEAFBENCH_IRQ_OFF,
	};
	const ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (driver.checked || length < 0 || entry->point->n != 1 ||
	    !(workloads[entry->point->workload].flags & SHEAFBENCH_HOLDS))
		return true;
	self[length] = '\0';
	driver.checked = true;
	return run_counters_check(&counters, driver.counters, state, entry->name, &check);
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
	if (driver.samples)
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
	/* Events are counted around loops in the kernel. */
	if (!error && !entry->point->excursion)
		error = !run_counters(&counters, driver.counters, state, entry->name, driver.fd,
				      run, workloads[entry->point->workload].flags, entry->part) ||
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
	       options.runs * (grid.total + grid.flushing), entry->name);
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
		.samples = options.samples,
		.clock_khz = driver.info.clock_khz,
		.deadline_ms = options.deadline_ms,
		.samples_file = driver.samples,
		.counters_file = driver.counters,
	};
	char error[SHEAFBENCH_TEXT] = "";

	if (driver.failed) {
		gbench_skip(state, "an earlier workload failed");
		return;
	}
	printf("sheafbench: %zu/%zu %s\n", ++driver.done,
	       options.runs * (grid.total + grid.flushing), point->name);
	/* Of all caches there are then no more than for any other flush. */
	if (ioctl(driver.fd, SHEAFBENCH_IOC_CACHES, 0))
		snprintf(error, sizeof(error), "the module's caches: %s", strerror(errno));
	else if (flush_run(&setup, point, state, error, sizeof(error)))
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
	FILE *out = open_part("--out-windows", options.windows, part);

	fputs("# sheafbench-windows 1\n", out);
	write_module_range(out);
	for (size_t e = 0; e < grid.total && !driver.failed; e++) {
		const struct entry *entry = &grid.entries[e];
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
			point->excursion ? "crosses"
			: point->n == 1 && (flags & SHEAFBENCH_HOLDS || !(flags & SHEAFBENCH_TASK))
				? "hit"
				: "mixed",
			point->run.ops, first + entry->part, parts);
		for (uint32_t i = 0; i < point->run.samples; i++)
			fprintf(out, "%s%" PRIu64, i ? " " : "",
				point->samples[entry->part * point->run.samples + i]);
		fputc('\n', out);
		if (e + 1 == grid.total || grid.entries[e + 1].point != point) {
			first += (size_t)parts * point->run.samples;
			free(point->samples);
			point->samples = NULL;
		}
	}
	if (!close_part(out, options.windows, part, !driver.failed) || driver.failed)
		return FAILED;
	puts("sheafbench: done");
	return 0;
}

/* The module's passes and nothing else, for a program that counts what this process does. */
static int only_calls(void)
{
	for (size_t e = 0; e < grid.total; e++) {
		if (grid.entries[e].part)
			continue;
		if (!run_point(grid.entries[e].point)) {
			complain("%s: %s", grid.entries[e].name, grid.entries[e].point->run.text);
			return FAILED;
		}
		free(grid.entries[e].point->samples);
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
	context("interrupts", options.flags & SHEAFBENCH_IRQ_OFF ? "off" : "on");
	snprintf(text, sizeof(text), "%" PRIu64, options.seed);
	context("seed", text);
	context("about",
		"real_time: mean ns per operation, overhead subtracted; an iteration is a sample; "
		"cpu_time: the driver's own, says nothing of the allocator");
}

/* A number that the kernel tells of one of kmalloc()'s caches; 0 where it does not. */
static unsigned int cache_number(uint32_t size, const char *name)
{
	unsigned int number = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/kernel/slab/kmalloc-%u%s/%s",
		 size < 1024 ? size : size / 1024, size < 1024 ? "" : "k", name);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%u", &number) != 1)
		number = 0;
	fclose(file);
	return number;
}

/*
 * Plots mark where a sheaf ends, and variants whose slabs are of another order do other work: of each size, how many
 * objects a sheaf has, the order of a slab and how many objects that has.
 */
static void tell_caches(void)
{
	fputs("sheafbench: caches", stdout);
	for (size_t i = 0; i < SIZES; i++)
		printf(" %u=%u/%u/%u", sizes[i], cache_number(sizes[i], "sheaf_capacity"),
		       cache_number(sizes[i], "order"), cache_number(sizes[i], "objs_per_slab"));
	putchar('\n');
}

static void list_names(void)
{
	for (size_t i = 0; i < grid.total; i++)
		puts(grid.entries[i].name);
	for (size_t i = 0; i < grid.flushing; i++)
		puts(grid.flushes[i].name);
}

/* Google Benchmark wants names that are unique. */
static void add(const char *name, uint64_t run, gbench_fn fn, void *ctx, uint32_t iterations)
{
	char unique[96];

	snprintf(unique, sizeof(unique), run ? "%s/run:%" PRIu64 : "%s", name, run);
	if (gbench_register(unique, fn, ctx, iterations))
		die(FAILED, "%s", gbench_error());
}

/* Times, and what is counted beside them. */
static int time_all(const char *program)
{
	if (gbench_init(program))
		die(FAILED, "%s", gbench_error());
	add_own_context();
	for (uint64_t run = 0; run < options.runs; run++)
		for (size_t i = 0; i < grid.total; i++)
			add(grid.entries[i].name, run, run_entry, &grid.entries[i],
			    samples_of(grid.entries[i].point));
	for (uint64_t run = 0; run < options.runs; run++)
		for (size_t i = 0; i < grid.flushing; i++)
			add(grid.flushes[i].name, run, run_flush, &grid.flushes[i], 1);
	if (grid.flushing)
		flush_prepare();
	open_outputs();
	if (gbench_run(options.json, GBENCH_SILENT) < 0) {
		complain("%s", gbench_error());
		driver.failed = true;
	}
	if (!close_part(driver.samples, options.raw, driver.samples_part, !driver.failed))
		driver.failed = true;
	if (!close_part(driver.counters, options.counters, driver.counters_part, !driver.failed))
		driver.failed = true;
	if (driver.failed && options.json)
		unlink(options.json);
	if (!driver.failed)
		puts("sheafbench: done");
	return driver.failed ? FAILED : 0;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	parse_options(argc, argv);
	make_grid(options.list ? 0 : sysconf(_SC_NPROCESSORS_ONLN));
	if (counters_choose(&counters, &counters_linux, options.events, options.event_sets))
		die(WRONG, "--events: %s", counters.error);
	if (options.list) {
		list_names();
		return fflush(stdout) ? FAILED : 0;
	}
	choose_cpu();
	open_device();
	if (options.calls)
		return only_calls();
	tell_caches();
	/* Until then a new slab costs what it costs no kernel that is timed. */
	if ((options.windows || counters.count) && !is_random_ready())
		die(FAILED,
		    "counts wait for the kernel's random number generator, which is not ready: "
		    "boot with sheafbench-init, or give it entropy");
	return options.windows ? count_windows() : time_all(argv[0]);
}
