// SPDX-License-Identifier: GPL-2.0
/*
 * A random sequence of ioctls by two callers, for a debug kernel: with signals and SIGKILL, bad pointers, failing
 * allocations, CPUs that come and go, attempts to remove the module. Each answer has to be 0 or an errno with a text,
 * nothing may be left behind, and the console is to have no report of the kernel.
 *
 * Arguments: --random SEED CALLS [SECONDS]. It ends with the one that comes first; the seed decides what is asked
 * for, but not what coincides.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/perf_event.h>

#include "module_test.h"

#define CALLERS	   2
#define HANG_NS	   120000000000ull
#define MOST_ERRNO 134
#define KMEMLEAK   "/sys/kernel/debug/kmemleak"

enum { INFO, DESCRIBE, PROBE, EXCURSION, CACHES, RUN, FLUSH, OTHER, CALLS };

static const char *const names[CALLS] = { "INFO",   "DESCRIBE", "PROBE", "EXCURSION",
					  "CACHES", "RUN",	"FLUSH", "others" };

/* All processes'. */
static struct shared {
	uint64_t limit, until, calls, wrong;
	uint64_t answers[CALLS][MOST_ERRNO];
	char first[256]; /* of the wrong ones */
	char doing[CALLERS][128];
} * shared;

static uint64_t state;
static char *doing; /* what this caller does, for when it does not come back */

/* Marsaglia's xorshift64. */
static uint32_t below(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 32) % n;
}

/* Once in n. */
static bool once(uint32_t n)
{
	return !below(n);
}

/* Now and then what nobody would ask for. */
static uint32_t or_garbage(uint32_t value)
{
	static const uint32_t garbage[] = { 0, 1, 64, 0x7fffffff, 0x80000000, 0xffffffff };

	return once(128) ? garbage[below(COUNT(garbage))] : value;
}

static void *or_bad(void *pointer)
{
	static const uint64_t read_only[64] = { 1 };
	void *const bad[] = { NULL, (void *)8, (void *)read_only, (void *)~7ull,
			      (void *)(1ull << 46) };

	return once(64) ? bad[below(COUNT(bad))] : pointer;
}

static int any_fd(void)
{
	static int perf = -1, file = -1;
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.disabled = 1,
	};

	if (perf < 0)
		perf = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (file < 0)
		file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	switch (below(4)) {
	case 0:
		return device;
	case 1:
		return file;
	case 2:
		return 999;
	default:
		return perf < 0 ? 0 : perf;
	}
}

/*
 * Without what takes a debug kernel minutes, in which no signal ends it: peer_kunit makes eleven million pairs, and
 * peer_thread a million allocations with preemption off, as posted, which RCU would call a stall.
 */
static uint32_t any_workload(void)
{
	uint32_t workload;

	do {
		workload = below(WORKLOADS);
	} while (workload == WORKLOAD_peer_thread ||
		 (workload >= WORKLOAD_peer_kunit_1 && workload <= WORKLOAD_peer_kunit_1000));
	return workload;
}

static struct sheafbench_run any_run(void)
{
	static const uint32_t most[] = { 1, 8, 64, 64, 64, 512, 512, SHEAFBENCH_MAX_N };
	const uint32_t workload = any_workload(), flags = workloads[workload].flags;
	struct sheafbench_run run = {
		.abi = or_garbage(SHEAFBENCH_ABI),
		.workload = or_garbage(workload),
		.size = or_garbage(fitting(workload, sizes[below(SIZES)])),
		.n = or_garbage(1 + below(most[below(COUNT(most))])),
		.order = or_garbage(below(SHEAFBENCH_ORDERS)),
		.flags = or_garbage(once(4) ? 1u << below(6) : 0),
		.samples = or_garbage(1 + below(once(64) ? SHEAFBENCH_MAX_SAMPLES : 8)),
		.ops = or_garbage(below(once(64) ? SHEAFBENCH_MAX_OPS : 1000)),
		.seed = once(2) ? state : 0,
		.buffer = (uintptr_t)or_bad(buffer),
		.group = once(8) ? (uint32_t)any_fd() : 0,
		.part = or_garbage(below(2)),
		.counted = or_garbage(below(SHEAFBENCH_MAX_N)),
		.work = or_garbage(flags & SHEAFBENCH_SPACED ? 8 * below(9) : 0),
	};

	if (flags & (SHEAFBENCH_PEER | SHEAFBENCH_KNOWN) && !once(8))
		run.n = 1;
	if (flags & SHEAFBENCH_KNOWN && !once(8))
		run.flags = SHEAFBENCH_WINDOWS;
	if (run.group && !once(8))
		run.flags = once(2) ? SHEAFBENCH_BARE : SHEAFBENCH_EMPTY;
	return run;
}

/* One step after the other, mostly, so that the other caller has its turn. */
static struct sheafbench_flush any_flush(void)
{
	static uint32_t op, size, busy, step = SHEAFBENCH_FLUSH_END;

	step = once(8) ? below(SHEAFBENCH_STEPS) : (step + 1) % SHEAFBENCH_STEPS;
	if (step == SHEAFBENCH_FILL) {
		op = below(FLUSHES);
		size = sizes[below(SIZES)];
		busy = below(2);
	}
	return (struct sheafbench_flush){
		.abi = or_garbage(SHEAFBENCH_ABI),
		.op = or_garbage(once(8) ? below(FLUSHES) : op),
		.step = or_garbage(step),
		.size = or_garbage(size),
		.cpus = once(32) ? state : below(1u << get_nprocs_conf()),
		.busy = or_garbage(busy),
	};
}

/* The answer to one call, and its text where it was given a place for one. */
static int call(int kind, char *text)
{
	struct sheafbench_describe describe = { .index = or_garbage(below(WORKLOADS)) };
	struct sheafbench_probe probe = { .odd = or_garbage(below(2)) };
	struct sheafbench_info info;
	struct sheafbench_flush flush;
	struct sheafbench_run run;
	void *pointer;
	int error;

	*text = '\0';
	snprintf(doing, sizeof(*shared->doing), "%s", names[kind]);
	switch (kind) {
	case INFO:
		return ioctl(device, SHEAFBENCH_IOC_INFO, or_bad(&info)) ? errno : 0;
	case DESCRIBE:
		return ioctl(device, SHEAFBENCH_IOC_DESCRIBE, or_bad(&describe)) ? errno : 0;
	case PROBE:
		return ioctl(device, SHEAFBENCH_IOC_PROBE, or_bad(&probe)) ? errno : 0;
	case EXCURSION:
		return ioctl(device, SHEAFBENCH_IOC_EXCURSION,
			     SHEAFBENCH_EXCURSION(
				     (uint64_t)or_garbage(once(2) ? SHEAFBENCH_OWN_CACHES
								  : sizes[below(SIZES)]),
				     or_garbage(below(64))))
			       ? errno
			       : 0;
	case CACHES:
		return ioctl(device, SHEAFBENCH_IOC_CACHES, (uint64_t)or_garbage(below(64))) ? errno
											     : 0;
	case RUN:
		run = any_run();
		pointer = or_bad(&run);
		snprintf(doing, sizeof(*shared->doing),
			 "RUN %s, size %u, n %u, order %u, flags %#x, %u samples of %u",
			 run.workload < WORKLOADS ? workloads[run.workload].name : "nothing",
			 run.size, run.n, run.order, run.flags, run.samples, run.ops);
		error = ioctl(device, SHEAFBENCH_IOC_RUN, pointer) ? errno : 0;
		memcpy(text, run.text, sizeof(run.text));
		/* What cannot be reached cannot be written to either. */
		if (pointer != &run)
			*text = error ? '-' : '\0';
		return error;
	case FLUSH:
		flush = any_flush();
		pointer = or_bad(&flush);
		snprintf(doing, sizeof(*shared->doing), "FLUSH %u, step %u, of %u on %#llx",
			 flush.op, flush.step, flush.size, (unsigned long long)flush.cpus);
		error = ioctl(device, SHEAFBENCH_IOC_FLUSH, pointer) ? errno : 0;
		memcpy(text, flush.text, sizeof(flush.text));
		if (pointer != &flush)
			*text = error ? '-' : '\0';
		return error;
	default:
		return ioctl(device, _IO('B', below(_IOC_NR(SHEAFBENCH_IOC_EXCURSION))),
			     or_bad(&info))
			       ? errno
			       : 0;
	}
}

/* An allocation of the request itself may fail: then there is nothing that a text could be written to. */
static bool is_answer(int kind, int error, const char *text)
{
	if (!error)
		return kind != OTHER && !*text;
	return text_of(error) && (kind < RUN || kind == OTHER || *text || error == ENOMEM) &&
	       strnlen(text, SHEAFBENCH_TEXT) < SHEAFBENCH_TEXT;
}

static void one_call(void)
{
	static const int often[] = { RUN,   RUN,   RUN,	 RUN,	   FLUSH, FLUSH,     FLUSH, FLUSH,
				     FLUSH, OTHER, INFO, DESCRIBE, PROBE, EXCURSION, CACHES };
	const int kind = often[below(COUNT(often))];
	char text[SHEAFBENCH_TEXT];
	const int error = call(kind, text);

	__atomic_fetch_add(&shared->calls, 1, __ATOMIC_RELAXED);
	if (error >= 0 && error < MOST_ERRNO)
		__atomic_fetch_add(&shared->answers[kind][error], 1, __ATOMIC_RELAXED);
	if (!is_answer(kind, error, text) &&
	    !__atomic_fetch_add(&shared->wrong, 1, __ATOMIC_RELAXED))
		snprintf(shared->first, sizeof(shared->first), "%s: %s (%d), '%.100s'", names[kind],
			 strerrorname_np(error) ?: "no error", error, text);
	/* The other one is to have its turn. */
	if (error == EBUSY)
		usleep(below(5000));
}

static _Noreturn void caller(uint64_t seed, uint32_t index)
{
	doing = shared->doing[index];
	state = seed * 0x9e3779b97f4a7c15ull | 1;
	while (shared->calls < shared->limit && now_ns() < shared->until) {
		strcpy(doing, "nothing, or is being bound");
		if (device < 0 || once(64)) {
			close(device);
			device = open(SHEAFBENCH_DEVICE, O_RDWR | O_CLOEXEC);
		}
		if (once(16) && !(once(16) ? bind_to_two() : bind_to(below(get_nprocs_conf()))))
			bind_to(0);
		if (once(128))
			cgroup_enter(once(2));
		if (once(32))
			write_text("/proc/self/make-it-fail", once(3) ? "1" : "0");
		if (device >= 0)
			one_call();
	}
	_exit(0);
}

/* What else happens on the machine. */
static void disturb(const pid_t *callers, bool *removed)
{
	static const char *const limits[] = { "0", "16", "1024" };
	char path[64];

	usleep(below(20000));
	/* Not so often that a debug kernel has no time for a run. */
	if (once(8))
		kill(callers[below(CALLERS)], once(32) ? SIGKILL : SIGALRM);
	if (once(32)) {
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online",
			 below(get_nprocs_conf()));
		write_text(path, once(2) ? "0" : "1");
	}
	if (once(32))
		*removed |= !syscall(SYS_delete_module, "sheafbench", O_NONBLOCK) ||
			    (errno != EWOULDBLOCK && errno != EBUSY);
	if (once(64))
		write_text(LIMIT_PATH, limits[below(COUNT(limits))]);
	if (once(16))
		write_text(once(2) ? "/sys/kernel/slab/sheafbench/shrink"
				   : "/sys/kernel/slab/sheafbench-flush/shrink",
			   "1");
}

/* What the callers are at, and where in the kernel: CPU time, in jiffies, tells one that is slow from one that waits. */
static void tell_callers(const pid_t *callers)
{
	static const char *const files[] = { "stat", "stack" };
	char path[64], line[256];
	FILE *file;

	for (uint32_t i = 0; i < CALLERS; i++) {
		printf("# caller %u: %s\n", i, shared->doing[i]);
		for (uint32_t k = 0; k < COUNT(files); k++) {
			snprintf(path, sizeof(path), "/proc/%d/%s", callers[i], files[k]);
			file = fopen(path, "re");
			while (file && fgets(line, sizeof(line), file))
				printf("#   %s", line);
			if (file)
				fclose(file);
		}
	}
	for (uint32_t i = 0; i < CALLERS; i++)
		if (callers[i] > 0)
			kill(callers[i], SIGKILL);
	sleep(60);
	for (uint32_t i = 0; i < CALLERS; i++)
		if (callers[i] > 0)
			printf("# caller %u %s\n", i,
			       waitpid(callers[i], NULL, WNOHANG) > 0 ? "ended" : "does not end");
}

/* Until both have ended of themselves; false when no call was answered for too long. */
static bool supervise(uint64_t seed, bool *removed)
{
	uint64_t last = 0, since = now_ns(), told = since;
	pid_t callers[CALLERS] = { 0 };
	bool done = false;
	int status;

	while (!done) {
		done = true;
		for (uint32_t i = 0; i < CALLERS; i++) {
			if (callers[i] && waitpid(callers[i], &status, WNOHANG) == callers[i])
				callers[i] = WIFEXITED(status) ? -1 : 0;
			if (!callers[i]) {
				callers[i] = fork();
				seed += 1000003;
				if (!callers[i])
					caller(seed, i);
			}
			done &= callers[i] < 0;
		}
		if (shared->calls != last)
			since = now_ns();
		last = shared->calls;
		if (now_ns() - since > HANG_NS) {
			tell_callers(callers);
			return false;
		}
		if (now_ns() - told > 60000000000) {
			told = now_ns();
			printf("# %" PRIu64 " calls\n", last);
		}
		if (callers[0] > 0 && callers[1] > 0)
			disturb(callers, removed);
		else
			usleep(10000);
		/* The last one may have begun a long run. */
		for (uint32_t i = 0; i < CALLERS; i++)
			if (callers[i] > 0 && callers[!i] < 0)
				kill(callers[i], SIGALRM);
	}
	return true;
}

static void show_answers(void)
{
	for (int kind = 0; kind < CALLS; kind++) {
		printf("# %s:", names[kind]);
		for (int error = 0; error < MOST_ERRNO; error++)
			if (shared->answers[kind][error])
				printf(" %s %" PRIu64, error ? strerrorname_np(error) : "done",
				       shared->answers[kind][error]);
		putchar('\n');
	}
}

/* Of a kernel with kmemleak: what nothing points to. */
static unsigned int leaks(void)
{
	unsigned int count = 0;
	char line[256];
	FILE *file;

	/* It tells nothing of what is younger than five seconds. */
	for (int scan = 0; scan < 2; scan++) {
		sleep(6);
		write_text(KMEMLEAK, "scan");
	}
	file = fopen(KMEMLEAK, "re");
	while (file && fgets(line, sizeof(line), file)) {
		count += !strncmp(line, "unreferenced object", 19);
		printf("# %s", line);
	}
	if (file)
		fclose(file);
	return count;
}

int random_calls(int argc, char **argv)
{
	const uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 0;
	const uint64_t seconds = argc > 4 ? strtoull(argv[4], NULL, 0) : 0;
	bool removed = false, busy, all = true, good;
	int error;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (argc < 4 || argc > 5 || !seed || shared == MAP_FAILED) {
		printf("Bail out! usage: --random SEED CALLS [SECONDS], a seed of 1 or more\n");
		return 2;
	}
	shared->limit = strtoull(argv[3], NULL, 0);
	shared->until = seconds ? now_ns() + seconds * 1000000000 : UINT64_MAX;
	set_failslab();
	write_text(KMEMLEAK, "clear");
	state = seed;
	good = supervise(seed, &removed);
	for (int cpu = 1; cpu < get_nprocs_conf(); cpu++) {
		char path[64];

		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
		write_text(path, "1");
	}
	write_text(LIMIT_PATH, "0");
	show_answers();
	ok(good, "%" PRIu64 " calls, the last within %llu s", shared->calls, HANG_NS / 1000000000);
	ok(!shared->wrong, "%" PRIu64 " answers without a text: %s", shared->wrong, shared->first);
	for (int kind = 0; kind < OTHER; kind++)
		all &= shared->answers[kind][0] > 0;
	ok(all, "some of each were done");
	ok(!removed, "the module is held while the device is open");
	close(device);
	ok(!threads("(sheafbench", &busy), "no thread is left");
	ok(access("/sys/kernel/slab/sheafbench", F_OK) &&
		   access("/sys/kernel/slab/sheafbench-flush", F_OK),
	   "no cache is left");
	if (access(KMEMLEAK, F_OK))
		skip("no kmemleak here");
	else
		ok(!leaks(), "nothing has leaked");
	error = syscall(SYS_delete_module, "sheafbench", O_NONBLOCK) ? errno : 0;
	return !ok(!error, "the module can be removed: %s", strerror(error));
}
