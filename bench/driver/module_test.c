/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tries sheafbench.ko from user space, in a guest of its own: init runs it in place of the driver, with
 * sheafbench.run=/module-test. It speaks TAP and exits 0 when all went as it should. The guest needs
 * 128 MiB and, for all of the tests, two CPUs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"
#include "sheafbench.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum workload {
#define SHEAFBENCH_WORKLOAD(name, pass, source, least, most, flags, parts, part, second) \
	WORKLOAD_##name,
#include "sheafbench_lists.h"
	WORKLOADS
};

static const struct {
	const char *name;
	uint32_t least, most, flags, parts;
} workloads[] = {
#define SHEAFBENCH_WORKLOAD(name, pass, source, least, most, flags, parts, part, second) \
	{ #name, least, most, flags, parts },
#include "sheafbench_lists.h"
};

/* Those before the first of others' loops, and before the first known sequence. */
#define OWN_WORKLOADS	WORKLOAD_peer_thread
#define KNOWN_WORKLOADS WORKLOAD_known_nothing

static const uint32_t sizes[] = {
#define SHEAFBENCH_SIZE(size) size,
#include "sheafbench_lists.h"
};

static const char module_path[] = "/sheafbench.ko";
static const char limit_path[] = "/sys/module/sheafbench/parameters/max_kib";

/* The flag where the kernel takes it, or 0: on PREEMPT_RT it does not. */
static uint32_t irq_off = SHEAFBENCH_IRQ_OFF;

static unsigned int tests, failures;
static bool last_good;
static int device;
static uint64_t buffer[(SHEAFBENCH_PARTS + 2) * SHEAFBENCH_MAX_SAMPLES];

static void verdict(bool good)
{
	printf("%s %u - ", good ? "ok" : "not ok", ++tests);
	failures += !good;
	last_good = good;
}

static bool end_line(void)
{
	putchar('\n');
	return last_good;
}

/* What was done comes before the text, whose arguments may be results of it. */
#define ok(good, ...) (verdict(good), printf(__VA_ARGS__), end_line())

static void skip(const char *why)
{
	printf("ok %u # SKIP %s\n", ++tests, why);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static uint64_t now_ticks(void)
{
#ifdef __x86_64__
	return __builtin_ia32_rdtsc();
#else
	uint64_t ticks;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
#endif
}

/* Both clocks at one moment: the tightest of some tries. */
static void clock_pair(uint64_t *ticks, uint64_t *ns)
{
	uint64_t best = UINT64_MAX, before, now, apart;

	for (int i = 0; i < 100; i++) {
		before = now_ticks();
		now = now_ns();
		apart = now_ticks() - before;
		if (apart < best) {
			best = apart;
			*ticks = before + apart / 2;
			*ns = now;
		}
	}
}

static bool bind_to(int cpu, int cpus)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int i = 0; i < cpus; i++)
		CPU_SET(cpu + i, &set);
	return !sched_setaffinity(0, sizeof(set), &set);
}

static struct sheafbench_run good_run(void)
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
static int do_run(struct sheafbench_run *run)
{
	return ioctl(device, SHEAFBENCH_IOC_RUN, run) ? errno : 0;
}

/* The number after name in a file of 'name number' lines; -1 if it is not there. */
static long field(const char *path, const char *name)
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

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

/* The name of the cache that serves a size. */
static const char *cache_of(uint32_t size)
{
	static char name[32];

	snprintf(name, sizeof(name), size < 1024 ? "kmalloc-%u" : "kmalloc-%uk",
		 size < 1024 ? size : size / 1024);
	return name;
}

/* Objects in use of a size, after what sheaves hold has gone back to the slabs. */
static long in_use(uint32_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", cache_of(size));
	write_text(path, "1");
	return field("/proc/slabinfo", cache_of(size));
}

/* limit: what max_kib is, 0 for none. */
static void test_info(uint64_t limit)
{
	struct sheafbench_info info;
	uint64_t ticks[2], ns[2];
	struct stat status = { 0 };
	double khz;

	ok(!stat(SHEAFBENCH_DEVICE, &status) && S_ISCHR(status.st_mode) &&
		   (status.st_mode & 07777) == 0600 && !status.st_uid,
	   "the device is root's alone, mode %o", status.st_mode & 07777);
	if (!ok(!ioctl(device, SHEAFBENCH_IOC_INFO, &info), "INFO"))
		return;
	clock_pair(&ticks[0], &ns[0]);
	usleep(200000);
	clock_pair(&ticks[1], &ns[1]);
	khz = (ticks[1] - ticks[0]) * 1e6 / (ns[1] - ns[0]);
	ok(info.clock_khz > khz * 0.999 && info.clock_khz < khz * 1.001,
	   "%s at %u kHz, %.0f by user space", info.clock, info.clock_khz, khz);
	ok(info.step_cticks >= 100 && info.step_cticks < 100000, "step of %u.%02u ticks",
	   info.step_cticks / 100, info.step_cticks % 100);
	ok(info.abi == SHEAFBENCH_ABI && info.workloads == WORKLOADS &&
		   info.max_n == SHEAFBENCH_MAX_N && info.max_ops == SHEAFBENCH_MAX_OPS &&
		   info.max_samples == SHEAFBENCH_MAX_SAMPLES && !info.reserved,
	   "limits are the header's");
	ok(limit ? info.max_bytes == limit << 10
		 : info.max_bytes > 1 << 20 &&
			   info.max_bytes >> 10 < (uint64_t)field("/proc/meminfo", "MemAvailable"),
	   "%" PRIu64 " KiB may be held", (uint64_t)info.max_bytes >> 10);
	errno = 0;
	ok(ioctl(device, SHEAFBENCH_IOC_INFO, (void *)8) && errno == EFAULT,
	   "INFO to a bad pointer");
	errno = 0;
	ok(ioctl(device, _IO('B', 0xbf)) && errno == ENOTTY, "an unknown ioctl");
}

static void test_describe(void)
{
	struct sheafbench_describe describe;
	bool good = true;

	for (uint32_t i = 0; i < WORKLOADS; i++) {
		describe = (struct sheafbench_describe){ .index = i };
		good &= !ioctl(device, SHEAFBENCH_IOC_DESCRIBE, &describe) &&
			!strcmp(describe.name, workloads[i].name) &&
			describe.parts == workloads[i].parts &&
			describe.flags == workloads[i].flags && *describe.part[describe.parts - 1];
	}
	ok(good, "DESCRIBE names all %d workloads", WORKLOADS);
	describe.index = WORKLOADS;
	errno = 0;
	ok(ioctl(device, SHEAFBENCH_IOC_DESCRIBE, &describe) && errno == EINVAL,
	   "DESCRIBE past the end");
}

static void refused(struct sheafbench_run run, int error, const char *text, const char *what)
{
	int got = do_run(&run);

	ok(got == error && strstr(run.text, text) && strlen(run.text) < sizeof(run.text),
	   "%s: %s, '%s'", what, strerrorname_np(got) ?: "no error", run.text);
}

#define REFUSED(member, value, error, text)                      \
	do {                                                     \
		struct sheafbench_run run = good_run();          \
		run.member = value;                              \
		refused(run, error, text, #member " = " #value); \
	} while (0)

/* The nearest size that the workload has. */
static uint32_t fitting(uint32_t workload, uint32_t size)
{
	if (size < workloads[workload].least)
		return workloads[workload].least;
	return size > workloads[workload].most ? workloads[workload].most : size;
}

/* The CPUs, and the cgroup, that a workload asks for. */
static bool can_run(uint32_t workload)
{
	static bool inside;
	const bool charged = workloads[workload].flags & SHEAFBENCH_CHARGED;

	if (charged != inside && cgroup_enter(charged))
		inside = charged;
	return charged == inside &&
	       !(workloads[workload].flags & SHEAFBENCH_HELPER && get_nprocs() < 2) &&
	       !(workloads[workload].flags & SHEAFBENCH_HARDIRQ && !irq_off);
}

/* What a workload does not take, and that it says so. */
static void test_bad_for_workload(void)
{
	static const char *const texts[] = { "allowed for this workload: 4096 to 4096",
					     "allowed for this workload: 16 to 8192" };
	static const uint32_t some[] = { WORKLOAD_page_pair, WORKLOAD_page_batch, WORKLOAD_rcu,
					 WORKLOAD_rcu_fallback };
	struct sheafbench_run run = good_run();

	run.size = 8;
	for (size_t i = 0; i < COUNT(some); i++) {
		run.workload = some[i];
		refused(run, EINVAL, texts[i / 2], workloads[some[i]].name);
	}
	run = good_run();
	run.workload = WORKLOAD_account_pair;
	refused(run, EINVAL, "cgroup that is not the root", "account_pair in the root cgroup");
	for (run.workload = 0; run.workload < OWN_WORKLOADS; run.workload++) {
		const uint32_t flags = workloads[run.workload].flags;

		run.size = fitting(run.workload, 64);
		run.flags = SHEAFBENCH_IRQ_OFF;
		if (!irq_off)
			refused(run, EINVAL, "PREEMPT_RT", workloads[run.workload].name);
		else if (flags & (SHEAFBENCH_TASK | SHEAFBENCH_HELPER))
			refused(run, EINVAL, "not 0x1", workloads[run.workload].name);
		run.flags = SHEAFBENCH_COUNT;
		if (flags & SHEAFBENCH_HARDIRQ && !irq_off)
			refused(run, EINVAL, "a hardirq cannot", workloads[run.workload].name);
		if (flags & SHEAFBENCH_HELPER)
			refused(run, EINVAL, "not 0x8", workloads[run.workload].name);
	}
	if (get_nprocs() > 1)
		return;
	run = good_run();
	run.workload = WORKLOAD_crowd_pair;
	refused(run, EINVAL, "2 or more", "a helper and one CPU");
}

static void test_bad_parameters(void)
{
	struct sheafbench_run run = good_run();
	int cpu = sched_getcpu();

	REFUSED(abi, SHEAFBENCH_ABI + 1, EINVAL, "allowed: 5");
	REFUSED(workload, WORKLOADS, EINVAL, "allowed: 0 to 47");
	REFUSED(workload, UINT32_MAX, EINVAL, "allowed: 0 to 47");
	REFUSED(size, 0, EINVAL, "allowed: 8 16 32 ");
	REFUSED(size, 65, EINVAL, " 4096 8192");
	REFUSED(size, 16384, EINVAL, " 4096 8192");
	REFUSED(n, 0, EINVAL, "allowed: 1 to 4096");
	REFUSED(n, SHEAFBENCH_MAX_N + 1, EINVAL, "allowed: 1 to 4096");
	REFUSED(n, UINT32_MAX, EINVAL, "allowed: 1 to 4096");
	REFUSED(order, SHEAFBENCH_ORDERS, EINVAL, "0 lifo, 1 fifo, 2 shuffled");
	REFUSED(flags, 0x40, EINVAL, "allowed: 0x1");
	REFUSED(flags, ~0u, EINVAL, "allowed: 0x1");
	REFUSED(samples, 0, EINVAL, "allowed: 1 to 65536");
	REFUSED(samples, SHEAFBENCH_MAX_SAMPLES + 1, EINVAL, "allowed: 1 to 65536");
	REFUSED(ops, SHEAFBENCH_MAX_OPS + 1, EINVAL, "to 131072");
	REFUSED(ops, UINT32_MAX, EINVAL, "to 131072");
	REFUSED(buffer, 0, EFAULT, "buffer");
	REFUSED(buffer, UINT64_MAX - 7, EFAULT, "buffer");
	REFUSED(buffer, (uintptr_t)module_path & ~7ull, EFAULT, "buffer");
	errno = 0;
	ok(ioctl(device, SHEAFBENCH_IOC_RUN, (void *)8) && errno == EFAULT,
	   "RUN from a bad pointer");
	/* The kernel drops CPUs that are not there from a mask. */
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1 && bind_to(0, 2)) {
		refused(run, EINVAL, "bind it to one", "bound to two CPUs");
		bind_to(cpu, 1);
	} else {
		skip("one CPU only");
	}
}

/* A group of counters that is none; arm64's test has real ones. */
static void test_bad_groups(void)
{
	struct sheafbench_run run = good_run();

	run.group = device;
	refused(run, EINVAL, "flags 0x10 or 0x20", "a group for a run that is timed");
	run.flags = SHEAFBENCH_BARE;
	run.part = 2;
	refused(run, EINVAL, "allowed: 0 to 1", "a group in a part that is not there");
	run.part = 0;
	refused(run, EBADF, "cannot be started (-25)", "a group that is the device");
	run.group = open(module_path, O_RDONLY | O_CLOEXEC);
	refused(run, EBADF, "no group of counters", "a group that is a file");
	close(run.group);
	refused(run, EBADF, "no group of counters", "a group that is not open");
}

/* All sizes and orders for kmalloc(), some for the rest: caches take long to be destroyed. */
static bool in_grid(uint32_t workload, uint32_t size)
{
	const uint32_t least = workloads[workload].least;

	if (size < least || size > workloads[workload].most)
		return false;
	return workload <= WORKLOAD_batch || size == 64 || size == least;
}

/* Every workload, in every order and mode, at the edges of the ranges. */
static void test_good_runs(void)
{
	static const uint32_t counts[] = { 1, 2, 61, SHEAFBENCH_MAX_N };
	unsigned int runs = 0, bad = 0;

	for (uint32_t workload = 0; workload < OWN_WORKLOADS; workload++)
		for (size_t s = 0; s < COUNT(sizes) && can_run(workload); s++)
			for (size_t n = 0; n < COUNT(counts) && in_grid(workload, sizes[s]); n++)
				for (uint32_t order = 0; order < SHEAFBENCH_ORDERS; order++) {
					struct sheafbench_run run = good_run();
					uint64_t start, elapsed, sum = 0;
					uint32_t parts = workloads[workload].parts;
					bool good;

					if (order && workload > WORKLOAD_batch && counts[n] < 3)
						continue;
					run.workload = workload;
					run.size = sizes[s];
					run.n = counts[n];
					run.order = order;
					run.samples = 3;
					run.ops = 100;
					if (!(workloads[workload].flags &
					      (SHEAFBENCH_TASK | SHEAFBENCH_HELPER)))
						run.flags = runs & 1 ? irq_off : 0;
					memset(buffer, 0, sizeof(*buffer) * 16);
					start = now_ticks();
					good = !do_run(&run);
					elapsed = now_ticks() - start;
					for (uint32_t i = 0; i < parts * run.samples; i++) {
						good &= buffer[i] > 0;
						sum += buffer[i];
					}
					/* What was not asked for is not written. */
					good &= !buffer[(parts + 2) * run.samples];
					good &= sum < elapsed && !*run.text && run.regions;
					good &= run.ops >= 100 && run.ops < 100 + SHEAFBENCH_MAX_N;
					good &= run.regions && run.ops % run.regions == 0;
					good &= run.cpu == (uint32_t)sched_getcpu();
					for (uint32_t part = 0; part < parts; part++)
						good &= run.overhead_cticks[part] > 0;
					runs++;
					if (!good && !bad++)
						printf("# first: %s size %u n %u order "
						       "%u: %s\n",
						       workloads[workload].name, run.size, run.n,
						       order, run.text);
				}
	ok(!bad, "%u runs over the whole grid, %u bad", runs, bad);
}

/* The least that 100 samples of so many pairs took per pair; share: what of the ioctl's ticks is in samples. */
static double ticks_per_pair(uint32_t ops, double *share)
{
	struct sheafbench_run run = good_run();
	double least = 1e300, sum = 0;
	uint64_t start;

	*share = 0;
	run.workload = WORKLOAD_pair;
	run.n = 1;
	run.samples = 100;
	run.ops = ops;
	start = now_ticks();
	if (do_run(&run))
		return NAN;
	*share = now_ticks() - start;
	for (uint32_t i = 0; i < run.samples; i++) {
		const double per_op = (buffer[i] - run.overhead_cticks[0] / 100.0) / run.ops;

		least = per_op < least ? per_op : least;
		sum += buffer[i];
	}
	*share = sum / *share;
	return least;
}

/*
 * A sample must hold the time of its operations, and not that of others. A machine that others
 * use as well changes its pace for seconds: rounds until both were seen at one.
 */
static void test_time(void)
{
	double one[2] = { 1e300, 1e300 }, most = 0, share;
	bool good = false, bad = false;

	for (int round = 0; round < 20 && !good && !bad; round++) {
		for (int twice = 0; twice < 2; twice++) {
			const double ticks = ticks_per_pair(50000 << twice, &share);

			bad |= isnan(ticks) || share >= 1;
			one[twice] = ticks < one[twice] ? ticks : one[twice];
			most = share > most ? share : most;
		}
		good = one[1] > one[0] * 0.75 && one[1] < one[0] * 1.33 && most > 0.25;
	}
	ok(good && !bad && one[0] > 2,
	   "%.2f ticks per pair, %.2f with twice the operations; samples are %.0f %% of the "
	   "ioctl's",
	   one[0], one[1], most * 100);
}

/* The probes beside the samples, and the search for gaps. */
static void test_probes(void)
{
	struct sheafbench_run run = good_run();
	const uint64_t *gate = buffer + run.samples, *chain = gate + run.samples;
	uint64_t probes = 0, shorter = UINT64_MAX, longer = UINT64_MAX, least = UINT64_MAX;
	struct sheafbench_info info = { 0 };
	double per_ns;

	run.workload = WORKLOAD_pair;
	run.flags = SHEAFBENCH_NO_GATE;
	memset(buffer, 0, sizeof(*buffer) * 3 * run.samples);
	ok(!do_run(&run), "a run without the gate");
	for (uint32_t i = 0; i < run.samples; i++)
		probes += gate[i] + chain[i];
	ok(!probes, "no probes without the gate");
	run.flags = 0;
	run.samples = 20;
	ok(!do_run(&run), "a run with the gate");
	for (uint32_t i = 0; i < run.samples; i++) {
		uint64_t *links = i & 1 ? &longer : &shorter;

		*links = chain[i] < *links ? chain[i] : *links;
		least = gate[i] < least ? gate[i] : least;
	}
	/* No core does 8 additions in a row in a nanosecond, or 64 side by side. */
	ioctl(device, SHEAFBENCH_IOC_INFO, &info);
	per_ns = info.clock_khz / 1e6;
	ok(info.clock_khz && shorter > SHEAFBENCH_CHAIN_ADDS * per_ns / 8 &&
		   longer > shorter + (shorter >> 1),
	   "the chains took %" PRIu64 " and, twice as long, %" PRIu64 " ticks", shorter, longer);
	ok(least > SHEAFBENCH_GATE_ADDS * per_ns / 64, "a probe of the gate took %" PRIu64 " ticks",
	   least);
	ok(run.noise_ticks > 1000 && run.noise_lost <= run.noise_ticks &&
		   run.noise_largest <= run.noise_lost,
	   "gaps took %" PRIu64 " of %" PRIu64 " ticks, the largest %" PRIu64,
	   (uint64_t)run.noise_lost, (uint64_t)run.noise_ticks, (uint64_t)run.noise_largest);
	for (run.flags = SHEAFBENCH_BARE; run.flags <= SHEAFBENCH_EMPTY; run.flags *= 2) {
		memset(buffer, 0, sizeof(*buffer) * 3 * run.samples);
		ok(!do_run(&run) && buffer[0] && !gate[0] && !chain[0] && !run.noise_ticks &&
			   !run.overhead_cticks[0],
		   "a bare run, flags %#x: %" PRIu64 " ticks and nothing else", run.flags,
		   buffer[0]);
		shorter = longer;
		longer = buffer[0];
	}
	ok(longer < shorter, "the empty loops took %" PRIu64 " ticks, the others %" PRIu64, longer,
	   shorter);
}

/* Others' loops: a plausible number from each, and no object left behind. */
static void test_peers(void)
{
	for (uint32_t workload = OWN_WORKLOADS; workload < KNOWN_WORKLOADS; workload++) {
		struct sheafbench_run run = good_run();
		long before = in_use(64), after;
		int error;

		run.workload = workload;
		refused(run, EINVAL, "allowed for this workload: 64, 1, 1 to 16", "n of 32");
		run.n = 1;
		run.samples = SHEAFBENCH_MAX_PEER + 1;
		refused(run, EINVAL, "1 to 16", "too many samples");
		run.samples = 1;
		memset(buffer, 0, sizeof(*buffer) * 4);
		error = do_run(&run);
		after = in_use(64);
		ok(!error && run.ops == 100 && !run.overhead_cticks[0] && buffer[0] > 200 &&
			   buffer[0] < 1000000 && !buffer[1] && !buffer[2] && !buffer[3],
		   "workload %u: %.2f ticks: '%s'", workload, buffer[0] / 100.0, run.text);
		ok(labs(after - before) < 100, "%ld objects in use, %ld after", before, after);
	}
}

/* Windows for a counting tool, here without one: a nop is a nop. */
static void test_windows(void)
{
	struct sheafbench_run run = good_run();
	long before = in_use(64), after;
	bool good = true;

	run.flags = SHEAFBENCH_COUNT;
	run.samples = 5;
#ifndef __x86_64__
	refused(run, EINVAL, "on x86", "windows where there are no markers");
	return;
#endif
	for (run.workload = 0; run.workload < OWN_WORKLOADS; run.workload++) {
		if (workloads[run.workload].flags & SHEAFBENCH_HELPER || !can_run(run.workload))
			continue;
		run.size = fitting(run.workload, 64);
		run.ops = 100;
		memset(buffer, 0, sizeof(*buffer) * 10);
		good &= !do_run(&run) && run.regions == 1 && run.ops > 0;
		for (uint32_t i = 0; i < run.samples; i++)
			good &= buffer[i] > 0;
	}
	after = in_use(64);
	ok(good && labs(after - before) < 100, "windows of each workload: '%s'", run.text);
	run.workload = WORKLOAD_peer_thread;
	run.size = 64;
	run.n = 1;
	run.samples = 1;
	refused(run, EINVAL, "own loops", "others' loops are not counted");
	run.workload = KNOWN_WORKLOADS;
	run.flags = 0;
	refused(run, EINVAL, "known sequences", "known sequences are not timed");
}

/* The sum of a row's numbers over all CPUs, of /proc/interrupts and the like; 0 if there is none. */
static uint64_t row(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	uint64_t sum = 0;
	char line[1024];

	while (file && fgets(line, sizeof(line), file)) {
		char *at = strchr(line, ':'), *end;

		if (!at || !strstr(line, name))
			continue;
		for (at++;; at = end) {
			const uint64_t value = strtoull(at, &end, 10);

			if (end == at)
				break;
			sum += value;
		}
	}
	if (file)
		fclose(file);
	return sum;
}

/* The passes of a sample in another context are reached by one interrupt, or softirq. */
static void test_contexts(void)
{
	static const struct {
		uint32_t workload;
		const char *path, *name;
	} contexts[] = {
		{ WORKLOAD_hardirq_batch, "/proc/interrupts", "timer" },
		{ WORKLOAD_softirq_batch, "/proc/softirqs", "HRTIMER" },
		{ WORKLOAD_batch, "/proc/softirqs", "HRTIMER" },
	};

	for (size_t i = 0; i < COUNT(contexts); i++) {
		struct sheafbench_run run = good_run();
		uint64_t before = row(contexts[i].path, contexts[i].name), count;

		if (!can_run(contexts[i].workload))
			continue;
		run.workload = contexts[i].workload;
		run.samples = 200;
		run.flags = SHEAFBENCH_BARE;
		run.ops = 640;
		if (!ok(!do_run(&run), "%s: %s", workloads[run.workload].name, run.text))
			continue;
		count = row(contexts[i].path, contexts[i].name) - before;
		/* uml has the row and counts nothing in it. */
		if (!before && !count && strstr(contexts[i].path, "interrupts")) {
			skip("this kernel does not count its timer's interrupts");
			continue;
		}
		ok(run.workload == WORKLOAD_batch ? count < run.samples / 2 : count >= run.samples,
		   "%s: %u samples, %" PRIu64 " more in the row %s", workloads[run.workload].name,
		   run.samples, count, contexts[i].name);
	}
}

/* Pages are counted by the kernel itself. */
static void test_pages(void)
{
	struct sheafbench_run run = good_run();
	long before = field("/proc/vmstat", "pgfree"), count;

	run.workload = WORKLOAD_page_batch;
	run.size = 4096;
	run.ops = 3200;
	run.flags = SHEAFBENCH_BARE;
	if (!ok(!do_run(&run), "pages: %s", run.text))
		return;
	count = field("/proc/vmstat", "pgfree") - before;
	ok(count >= (long)run.ops * run.samples && count < 2 * (long)run.ops * run.samples,
	   "%u pages freed in each of %u samples: %ld counted by the kernel", run.ops, run.samples,
	   count);
}

static void on_alarm(int signal)
{
	(void)signal;
}

static void test_signal(uint32_t n, uint32_t size, uint32_t flags)
{
	struct sheafbench_run run = good_run();
	const struct itimerval soon = { .it_value = { .tv_usec = 100000 } };
	uint64_t start = now_ns(), ms;
	int error;

	run.n = n;
	run.size = size;
	run.flags = flags;
	run.samples = SHEAFBENCH_MAX_SAMPLES;
	run.ops = SHEAFBENCH_MAX_OPS;
	setitimer(ITIMER_REAL, &soon, NULL);
	error = do_run(&run);
	ms = (now_ns() - start) / 1000000;
	ok(error == EINTR && strstr(run.text, "signal") && ms >= 90 && ms < 5000,
	   "a signal after 100 ms ended a run of %u x %u after %" PRIu64 " ms: '%s'", n, size, ms,
	   run.text);
}

/* A run that would take minutes, in a child on the measured CPU. */
static pid_t start_long_run(uint32_t workload, uint32_t n, uint32_t size)
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
static const char *first_line(const char *path)
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
static unsigned int threads(const char *name, bool *busy)
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

/* What a cache of the run's own is, and holds, while the run is on; and who helps it. */
static void test_during(void)
{
	static const char slab[] = "/sys/kernel/slab/sheafbench/";
	static const struct {
		uint32_t workload;
		bool cache, ctor, sheaves;
	} runs[] = {
		{ WORKLOAD_cache_pair, true, false, true },
		{ WORKLOAD_ctor_pair, true, true, true },
		{ WORKLOAD_account_pair, true, false, true },
		{ WORKLOAD_rcu, true, false, true },
		{ WORKLOAD_rcu_fallback, true, false, false },
		{ WORKLOAD_crowd_pair, false, false, true },
		{ WORKLOAD_remote_alloc, false, false, true },
		{ WORKLOAD_gather_free, false, false, true },
	};
	const uint32_t n = 2000, size = 1024;
	char path[96], text[128];

	for (size_t i = 0; i < COUNT(runs); i++) {
		const uint32_t w = runs[i].workload, flags = workloads[w].flags;
		const char *name = workloads[w].name;
		const bool has_sheaves =
			atol(first_line("/sys/kernel/slab/kmalloc-1k/sheaf_capacity")) > 0;
		long during = 0, slab_bytes;
		unsigned int helpers;
		bool busy;
		pid_t child;

		if (!can_run(w)) {
			skip("one CPU only, or no cgroup");
			continue;
		}
		child = start_long_run(w, n, size);
		usleep(300000);
		helpers = threads("(sheafbench/", &busy);
		/* What a thread has used is told in ticks, which may take a while. */
		for (int tries = 0; !busy && tries < 50; tries++) {
			usleep(100000);
			helpers = threads("(sheafbench/", &busy);
		}
		ok(flags & SHEAFBENCH_HELPER
			   ? busy && helpers == (flags & SHEAFBENCH_ALL_CPUS
							 ? (unsigned int)get_nprocs() - 1
							 : 1)
			   : !helpers,
		   "%s: %u helpers, all of them busy: %d", name, helpers, busy);
		if (runs[i].cache) {
			during = field("/proc/slabinfo", "sheafbench");
			snprintf(path, sizeof(path), "%sctor", slab);
			snprintf(text, sizeof(text), "%s", first_line(path));
			ok(!!strstr(text, "constructor") == runs[i].ctor, "%s: constructor '%s'",
			   name, text);
			snprintf(path, sizeof(path), "%ssheaf_capacity", slab);
			ok((atol(first_line(path)) > 0) == (runs[i].sheaves && has_sheaves),
			   "%s: sheaves of %ld objects", name, atol(first_line(path)));
		}
		if (runs[i].cache && flags & SHEAFBENCH_HOLDS && during >= 0)
			ok(during >= n - 1 && during < n + 300,
			   "%s holds N - 1 = %u objects: %ld are in use", name, n - 1, during);
		if (flags & SHEAFBENCH_CHARGED) {
			slab_bytes = field(CGROUP_OWN "/memory.stat", "slab");
			ok(slab_bytes >= (long)(n - 1) * size,
			   "%s: %ld bytes of slabs are charged to its cgroup", name, slab_bytes);
		}
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		ok(!threads("(sheafbench/", &busy) && access(slab, F_OK),
		   "%s: no helper and no cache is left when it was killed", name);
	}
	can_run(WORKLOAD_pair);
}

static int do_flush(struct sheafbench_flush *flush)
{
	return ioctl(device, SHEAFBENCH_IOC_FLUSH, flush) ? errno : 0;
}

static void flush_refused(struct sheafbench_flush flush, int error, const char *text,
			  const char *what)
{
	int got = do_flush(&flush);

	ok(got == error && strstr(flush.text, text), "flush, %s: %s, '%s'", what,
	   strerrorname_np(got) ?: "no error", flush.text);
}

#define FLUSH_REFUSED(member, value, text)                                                        \
	do {                                                                                      \
		struct sheafbench_flush flush = { .abi = SHEAFBENCH_ABI, .size = 64, .cpus = 1 }; \
		flush.member = value;                                                             \
		flush_refused(flush, EINVAL, text, #member " = " #value);                         \
	} while (0)

/* What a flush leaves in the sheaves of all CPUs, and what it refuses. */
static void test_flush(void)
{
	static const char *const names[] = {
#define SHEAFBENCH_FLUSH(name) #name,
#include "sheafbench_lists.h"
	};
	static const char slab[] = "/sys/kernel/slab/sheafbench-flush";
	const bool sheaves = atol(first_line("/sys/kernel/slab/kmalloc-64/sheaf_capacity")) > 0;
	struct sheafbench_flush flush = { .abi = SHEAFBENCH_ABI, .size = 64 };
	int cpu = sched_getcpu(), other;
	bool busy;

	FLUSH_REFUSED(abi, SHEAFBENCH_ABI - 1, "allowed: 5");
	FLUSH_REFUSED(op, COUNT(names), "allowed: 0 to 4");
	FLUSH_REFUSED(step, SHEAFBENCH_STEPS, "allowed: 0 to 2");
	FLUSH_REFUSED(size, 16384, " 4096 8192");
	FLUSH_REFUSED(busy, 2, "0 and 1");
	FLUSH_REFUSED(cpus, 1ull << get_nprocs(), get_nprocs() > 1 ? "bits of 0-" : "bits of 0");
	FLUSH_REFUSED(cpus, 1ull << 63, "CPU 63 is not online");
	flush.step = SHEAFBENCH_FLUSH_NOW;
	flush_refused(flush, EINVAL, "nothing to flush", "before a fill");
	errno = 0;
	ok(ioctl(device, SHEAFBENCH_IOC_FLUSH, (void *)8) && errno == EFAULT,
	   "FLUSH from a bad pointer");
	if (get_nprocs() > 1 && bind_to(0, 2)) {
		flush_refused(flush, EINVAL, "bind it to one", "bound to two CPUs");
		bind_to(cpu, 1);
	}
	for (flush.op = 0; flush.op < COUNT(names); flush.op++) {
		long full, after;

		flush.cpus = (1ull << get_nprocs()) - 1;
		flush.busy = 0;
		flush.step = SHEAFBENCH_FILL;
		if (!ok(!do_flush(&flush), "fill, for %s: %s", names[flush.op], flush.text))
			continue;
		full = field("/proc/slabinfo", "sheafbench-flush");
		flush.step = SHEAFBENCH_FLUSH_NOW;
		ok(!do_flush(&flush) && flush.start && flush.ticks > 0,
		   "%s: %" PRIu64 " ticks '%s'", names[flush.op], (uint64_t)flush.ticks,
		   flush.text);
		after = field("/proc/slabinfo", "sheafbench-flush");
		if (full < 0) {
			skip("no /proc/slabinfo");
			continue;
		}
		ok(sheaves ? full >= get_nprocs() * 64 : full <= get_nprocs() * 8,
		   "sheaves of %d CPUs hold %ld objects", get_nprocs(), full);
		if (!strcmp(names[flush.op], "shrink"))
			ok(!after, "%ld are left after a shrink", after);
		else if (!strcmp(names[flush.op], "destroy"))
			ok(after < 0 && access(slab, F_OK), "the cache is gone");
		else if (!strcmp(names[flush.op], "none"))
			ok(after == full, "without a flush %ld are there", after);
	}
	/* Threads on the others, but not on this CPU; they go with the file. */
	flush.op = 1;
	flush.busy = 1;
	flush.step = SHEAFBENCH_FILL;
	ok(!do_flush(&flush), "fill with busy CPUs: %s", flush.text);
	ok(threads("(sheafbench/", &busy) == (unsigned int)get_nprocs() - 1,
	   "a thread on each other CPU");
	other = open(SHEAFBENCH_DEVICE, O_RDWR | O_CLOEXEC);
	errno = 0;
	ok(ioctl(other, SHEAFBENCH_IOC_FLUSH, &flush) && errno == EBUSY, "another's is refused: %s",
	   flush.text);
	close(other);
	close(device);
	ok(!threads("(sheafbench/", &busy) && access(slab, F_OK),
	   "no thread and no cache is left when the device is closed");
	device = open(SHEAFBENCH_DEVICE, O_RDWR | O_CLOEXEC);
}

static void test_busy(void)
{
	struct sheafbench_run run = good_run();
	const uint32_t size = 8192, n = SHEAFBENCH_MAX_N;
	int cpu = sched_getcpu(), status;
	long before = in_use(size), during, after;
	bool other = bind_to(0, 1) && cpu;
	uint64_t start;
	pid_t child;

	bind_to(cpu, 1);
	child = start_long_run(WORKLOAD_pair, n, size);
	if (other)
		bind_to(0, 1);
	usleep(300000);
	refused(run, EBUSY, "one at a time", "while another run is on");
	errno = 0;
	ok(syscall(SYS_delete_module, "sheafbench", O_NONBLOCK) && errno == EWOULDBLOCK,
	   "the module is held while a run is on");
	during = field("/proc/slabinfo", cache_of(size));
	if (before >= 0)
		ok(during - before >= n - 1 && during - before < n + 256,
		   "pair holds N - 1 = %u objects: %ld more in use", n - 1, during - before);
	else
		skip("no /proc/slabinfo");
	start = now_ns();
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	ok(WIFSIGNALED(status) && now_ns() - start < 5000000000,
	   "SIGKILL ends it within %" PRIu64 " ms", (now_ns() - start) / 1000000 + 1);
	bind_to(cpu, 1);
	after = in_use(size);
	ok(after - before < 64, "and nothing leaks: %ld objects before, %ld after", before, after);
	ok(!do_run(&run), "the next run works");
}

/* A shuffle that frees an object twice leaves another one allocated in each of the passes. */
static void test_leaks(void)
{
	static const uint32_t some[] = { 8, 64, 96, 1024, 8192 };

	for (size_t s = 0; s < COUNT(some); s++)
		for (uint32_t order = 0; order < SHEAFBENCH_ORDERS; order++) {
			struct sheafbench_run run = good_run();
			long before = in_use(some[s]), after;
			bool good = true;

			run.n = 1000;
			run.order = order;
			run.samples = 10;
			for (run.workload = 0; run.workload < OWN_WORKLOADS; run.workload++) {
				/* What the others add to kmalloc() knows nothing of sizes. */
				if (!can_run(run.workload) ||
				    (run.workload > WORKLOAD_batch && some[s] != 64))
					continue;
				/* Interrupts take their turn for each region. */
				run.ops = run.workload <= WORKLOAD_batch ? 20000 : 2000;
				run.size = fitting(run.workload, some[s]);
				good &= !do_run(&run);
			}
			after = in_use(some[s]);
			ok(good && labs(after - before) < 100,
			   "all objects of %u bytes come back in order %u: %ld in use, %ld after",
			   some[s], order, before, after);
		}
}

/* With CONFIG_SLUB_STATS the allocator's own counters tell what the loops have really done. */
static void test_counts(void)
{
	static const char *const counters[] = { "alloc_fastpath", "alloc_slowpath", "free_fastpath",
						"free_slowpath" };
	const uint32_t size = 192;
	struct sheafbench_run run = good_run();
	long count[2][COUNT(counters)];
	char path[96];

	run.workload = WORKLOAD_pair;
	run.size = size;
	run.n = 1;
	run.samples = 100;
	run.ops = 10000;
	for (int after = 0; after < 2; after++) {
		if (after && do_run(&run)) {
			ok(false, "a run to count: %s", run.text);
			return;
		}
		for (size_t i = 0; i < COUNT(counters); i++) {
			FILE *file;

			snprintf(path, sizeof(path), "/sys/kernel/slab/%s/%s", cache_of(size),
				 counters[i]);
			file = fopen(path, "re");
			if (!file || fscanf(file, "%ld", &count[after][i]) != 1) {
				skip("this kernel has no CONFIG_SLUB_STATS");
				if (file)
					fclose(file);
				return;
			}
			fclose(file);
		}
	}
	for (int i = 0; i < 4; i += 2) {
		long did = count[1][i] - count[0][i] + count[1][i + 1] - count[0][i + 1];
		long asked = (long)run.ops * run.samples;

		ok(did >= asked && did < asked + 500 + asked / 200,
		   "%.5s: %ld operations asked for, %ld counted by SLUB", counters[i], asked, did);
	}
}

static void test_memory_limit(void)
{
	struct sheafbench_run run = good_run();

	run.n = SHEAFBENCH_MAX_N;
	if (!ok(write_text(limit_path, "64"), "max_kib can be set"))
		return;
	refused(run, ENOMEM, "allowed: 64", "past max_kib");
	run.n = 512;
	ok(!do_run(&run), "512 x 64 bytes are within 64 KiB: %s", run.text);
	write_text(limit_path, "0");
	run.n = SHEAFBENCH_MAX_N;
	run.size = 8192;
	ok(!do_run(&run), "without max_kib half of what is free is allowed: %s", run.text);
}

/* Takes memory until less than KiB are free; adds what it took to the list. */
static void **eat(void **list, long kib)
{
	const size_t piece = 1 << 20;
	void **next;

	/* Free, not available: that is an estimate, and leaves out more than an allocation does. */
	while (field("/proc/meminfo", "MemFree") > kib) {
		next = mmap(NULL, piece, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (next == MAP_FAILED)
			break;
		*next = list;
		list = next;
	}
	return list;
}

static void test_out_of_memory(void)
{
	const uint32_t flags[] = { 0, irq_off };
	void **list, **next;
	int errors[2][OWN_WORKLOADS];
	long before = in_use(8192), after;

	/* Past the check, so that an allocation really fails. */
	write_text(limit_path, "1048576");
	list = NULL;
	for (int f = 0; f < 2; f++)
		for (int w = 0; w < OWN_WORKLOADS; w++) {
			struct sheafbench_run run = good_run();

			errors[f][w] = ENOMEM;
			if (!can_run(w) ||
			    (f && workloads[w].flags & (SHEAFBENCH_TASK | SHEAFBENCH_HELPER)))
				continue;
			/* What an earlier failure made the kernel reclaim goes as well. */
			list = eat(list, 16 << 10);

			run.workload = w;
			run.size = fitting(w, 8192);
			run.n = SHEAFBENCH_MAX_N;
			run.order = SHEAFBENCH_SHUFFLED;
			run.flags = flags[f];
			errors[f][w] = do_run(&run);
			if (!strstr(run.text, "allocation failed") &&
			    !strstr(run.text, "no memory for a cache"))
				errors[f][w] = 0;
			/* Before the run wants some for itself, and the OOM killer makes it. */
			if ((w == WORKLOAD_remote_free || w == WORKLOAD_gather_free) &&
			    !strstr(run.text, "for helpers"))
				errors[f][w] = 0;
		}
	for (; list; list = next) {
		next = *list;
		munmap(list, 1 << 20);
	}
	write_text(limit_path, "0");
	for (int f = 0; f < 2; f++)
		for (int w = 0; w < OWN_WORKLOADS; w++)
			ok(errors[f][w] == ENOMEM, "%s, flags %u, without memory: %s",
			   workloads[w].name, flags[f], strerrorname_np(errors[f][w]));
	after = in_use(8192);
	ok(after - before < 64, "failed runs leak nothing: %ld objects before, %ld after", before,
	   after);
}

static void test_not_root(void)
{
	pid_t child;
	int status;

	ok(!chmod(SHEAFBENCH_DEVICE, 0666), "device opened up, for the next test");
	child = fork();
	if (!child) {
		if (setgid(65534) || setuid(65534))
			_exit(1);
		_exit(open(SHEAFBENCH_DEVICE, O_RDWR | O_CLOEXEC) < 0 && errno == EPERM ? 0 : 2);
	}
	waitpid(child, &status, 0);
	chmod(SHEAFBENCH_DEVICE, 0600);
	ok(WIFEXITED(status) && !WEXITSTATUS(status),
	   "without CAP_SYS_ADMIN: EPERM, whatever the mode");
}

static void test_removal(void)
{
	int module;

	errno = 0;
	ok(syscall(SYS_delete_module, "sheafbench", O_NONBLOCK) && errno == EWOULDBLOCK,
	   "the module is held while the device is open");
	close(device);
	if (!ok(!syscall(SYS_delete_module, "sheafbench", O_NONBLOCK),
		"it can be removed when it is closed"))
		return;
	ok(access(SHEAFBENCH_DEVICE, F_OK) && errno == ENOENT, "the device is gone");
	module = open(module_path, O_RDONLY | O_CLOEXEC);
	ok(module >= 0 && !syscall(SYS_finit_module, module, "max_kib=16", 0), "and loaded again");
	close(module);
	device = open(SHEAFBENCH_DEVICE, O_RDWR | O_CLOEXEC);
	ok(device >= 0, "the device is back");
	test_info(16);
}

int main(void)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	struct utsname name;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!uname(&name) && strstr(name.version, "PREEMPT_RT"))
		irq_off = 0;
	sigaction(SIGALRM, &action, NULL);
	bind_to(sched_getcpu(), 1);
	device = open(SHEAFBENCH_DEVICE, O_RDWR | O_CLOEXEC);
	if (device < 0) {
		printf("Bail out! cannot open %s: %s\n", SHEAFBENCH_DEVICE, strerror(errno));
		return 1;
	}
	test_info(0);
	test_describe();
	test_bad_parameters();
	test_bad_groups();
	test_bad_for_workload();
	test_good_runs();
	test_time();
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
