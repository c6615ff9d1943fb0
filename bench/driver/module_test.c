/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tries sheafbench.ko from user space, in a guest of its own: init runs it in place of the driver, with
 * sheafbench.run=/module-test; with arguments see module_test_random.c. It speaks TAP and exits 0 when all went as it
 * should. The guest needs 128 MiB and, for all of the tests, two CPUs.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "module_test.h"

uint32_t irq_off = SHEAFBENCH_IRQ_OFF;

static unsigned int tests, failures;
static bool last_good;
int device;
uint64_t buffer[(SHEAFBENCH_PARTS + 2) * SHEAFBENCH_MAX_SAMPLES];

void verdict(bool good)
{
	printf("%s %u - ", good ? "ok" : "not ok", ++tests);
	failures += !good;
	last_good = good;
}

bool end_line(void)
{
	putchar('\n');
	return last_good;
}

void skip(const char *why)
{
	printf("ok %u # SKIP %s\n", ++tests, why);
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

struct sheafbench_run good_run(void)
{
	return (struct sheafbench_run){
		.abi = SHEAFBENCH_ABI,
		.workload = WORKLOAD_batch,
		.size = 64,
		.n = 32,
		.order = SHEAFBENCH_LIFO,
		.samples = 20,
		.seed = 1,
		.buffer = (uintptr_t)buffer,
	};
}

/* Returns 0 or the error. */
int do_run(struct sheafbench_run *run)
{
	return ioctl(device, SHEAFBENCH_IOC_RUN, run) ? errno : 0;
}

/* The number after name in a file of 'name number' lines; -1 if it is not there. */
long field(const char *path, const char *name)
{
	char line[512];
	size_t length = strlen(name);
	long value = -1;
	FILE *file = fopen(path, "re");

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, length) && strchr(" \t:", line[length]))
			sscanf(line + length + 1, "%ld", &value);
	if (file)
		fclose(file);
	return value;
}

/* The name of the cache that serves a size. */
const char *cache_of(uint32_t size)
{
	static char name[32];

	snprintf(name, sizeof(name), size < 1024 ? "kmalloc-%u" : "kmalloc-%uk",
		 size < 1024 ? size : size / 1024);
	return name;
}

/* Objects in use of a size, after what sheaves hold has gone back to the slabs. */
long in_use(uint32_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", cache_of(size));
	write_text(path, "1");
	return field("/proc/slabinfo", cache_of(size));
}

void refused(struct sheafbench_run run, int error, const char *text, const char *what)
{
	int got = do_run(&run);

	ok(got == error && strstr(run.text, text) && strlen(run.text) < sizeof(run.text),
	   "%s: %s, '%s'", what, strerrorname_np(got) ?: "no error", run.text);
}

/* The nearest size that the workload has. */
uint32_t fitting(uint32_t workload, uint32_t size)
{
	if (size < workloads[workload].least)
		return workloads[workload].least;
	return size > workloads[workload].most ? workloads[workload].most : size;
}

/* Pairs that are spaced have one. */
uint32_t order_of(uint32_t workload, uint32_t order)
{
	const uint32_t both = SHEAFBENCH_SPACED | SHEAFBENCH_HOLDS;

	return (workloads[workload].flags & both) == both ? SHEAFBENCH_LIFO : order;
}

/* The CPUs, and the cgroup, that a workload asks for. */
bool can_run(uint32_t workload)
{
	static bool inside;
	const bool charged = workloads[workload].flags & SHEAFBENCH_CHARGED;

	if (charged != inside && cgroup_enter(charged))
		inside = charged;
	return charged == inside &&
	       !(workloads[workload].flags & SHEAFBENCH_HELPER && get_nprocs() < 2) &&
	       !(workloads[workload].flags & SHEAFBENCH_HARDIRQ && !irq_off);
}

/* A run that would take minutes, in a child on the measured CPU. */
pid_t start_long_run(uint32_t workload, uint32_t n, uint32_t size)
{
	struct sheafbench_run run = good_run();
	pid_t child = fork();

	if (child)
		return child;
	run.workload = workload;
	run.n = n;
	run.size = size;
	run.order = SHEAFBENCH_FIFO;
	run.samples = SHEAFBENCH_MAX_SAMPLES;
	run.ops = SHEAFBENCH_MAX_OPS;
	_exit(do_run(&run));
}

/* The first line of a file, or nothing. */
const char *first_line(const char *path)
{
	static char line[128];
	FILE *file = fopen(path, "re");

	if (!file || !fgets(line, sizeof(line), file))
		*line = '\0';
	if (file)
		fclose(file);
	line[strcspn(line, "\n")] = '\0';
	return line;
}

/* Threads of the kernel with this name, and whether each has had a CPU. */
unsigned int threads(const char *name, bool *busy)
{
	unsigned int count = 0;
	char path[64];

	*busy = true;
	for (int pid = 2; pid < 32768; pid++) {
		unsigned long ticks;
		char line[512], *end;

		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		snprintf(line, sizeof(line), "%s", first_line(path));
		end = strrchr(line, ')');
		if (!end || !strstr(line, name))
			continue;
		count++;
		if (sscanf(end, ") %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu", &ticks) !=
			    1 ||
		    !ticks)
			*busy = false;
	}
	return count;
}

int do_flush(struct sheafbench_flush *flush)
{
	return ioctl(device, SHEAFBENCH_IOC_FLUSH, flush) ? errno : 0;
}

bool bind_to_two(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	CPU_SET(1, &set);
	return !sched_setaffinity(0, sizeof(set), &set);
}

static void on_alarm(int signal)
{
	(void)signal;
}

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = on_alarm };

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (is_realtime())
		irq_off = 0;
	sigaction(SIGALRM, &action, NULL);
	bind_to(sched_getcpu());
	device = open(SHEAFBENCH_DEVICE, O_RDWR | O_CLOEXEC);
	if (device < 0) {
		printf("Bail out! cannot open %s: %s\n", SHEAFBENCH_DEVICE, strerror(errno));
		return 1;
	}
	if (argc > 1)
		return random_calls(argc, argv) || failures;
	test_info(0);
	test_describe();
	test_excursion();
	test_bad_parameters();
	test_bad_groups();
	test_bad_for_workload();
	test_good_runs();
	test_time();
	test_work();
	test_probes();
	test_peers();
	test_windows();
	test_contexts();
	test_pages();
	test_counts();
	test_during();
	test_flush();
	test_signal(32, 64, 0);
	test_signal(SHEAFBENCH_MAX_N, 8192, 0);
	test_signal(SHEAFBENCH_MAX_N, 8192, irq_off);
	test_starved(WORKLOAD_remote_alloc);
	test_starved(WORKLOAD_remote_free);
	test_busy();
	test_leaks();
	test_memory_limit();
	test_out_of_memory();
	test_not_root();
	test_removal();
	printf("1..%u\n", tests);
	if (failures)
		printf("# %u of %u failed\n", failures, tests);
	return failures != 0;
}
