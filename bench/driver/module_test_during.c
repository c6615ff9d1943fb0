// SPDX-License-Identifier: GPL-2.0
/* What goes on during a run and between the steps of a flush, and how they end. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "module_test.h"

void test_signal(uint32_t n, uint32_t size, uint32_t flags)
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

/* A run whose helper a program with SCHED_FIFO keeps off its CPU, and a signal after 600 ms: its errno, and how long it took. */
static int starve(struct sheafbench_run *run, uint64_t *ms)
{
	const struct itimerval soon = { .it_value = { .tv_usec = 600000 } };
	const struct sched_param param = { .sched_priority = 1 };
	uint64_t start = now_ns();
	pid_t child = fork();
	int error;

	if (!child) {
		bind_to(!sched_getcpu());
		usleep(200000);
		sched_setscheduler(0, SCHED_FIFO, &param);
		for (;;)
			;
	}
	setitimer(ITIMER_REAL, &soon, NULL);
	error = do_run(run);
	*ms = (now_ns() - start) / 1000000;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return error;
}

/* The signal is heard before the helper has a turn, which the kernel gives it after 950 ms. A busy host may be slower once. */
void test_starved(uint32_t workload)
{
	struct sheafbench_run run = good_run();
	uint64_t ms = 0;
	int error = EINTR;

	if (!can_run(workload)) {
		skip("one CPU only");
		return;
	}
	for (int tries = 0; tries < 5 && error == EINTR && (ms < 590 || ms >= 900); tries++) {
		run = good_run();
		run.workload = workload;
		run.samples = SHEAFBENCH_MAX_SAMPLES;
		run.ops = SHEAFBENCH_MAX_OPS;
		error = starve(&run, &ms);
	}
	ok(error == EINTR && ms >= 590 && ms < 900,
	   "%s without its helper: a signal after 600 ms ended it after %" PRIu64 " ms: '%s'",
	   workloads[workload].name, ms, run.text);
}

/* What a cache of the run's own is, and holds, while the run is on; and who helps it. */
void test_during(void)
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
void test_flush(void)
{
	static const char slab[] = "/sys/kernel/slab/sheafbench-flush";
	const bool sheaves = atol(first_line("/sys/kernel/slab/kmalloc-64/sheaf_capacity")) > 0;
	struct sheafbench_flush flush = { .abi = SHEAFBENCH_ABI, .size = 64 };
	int cpu = sched_getcpu(), other;
	bool busy;

	FLUSH_REFUSED(abi, SHEAFBENCH_ABI - 1, "allowed: 7");
	FLUSH_REFUSED(op, FLUSHES, "allowed: 0 to 4");
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
	if (get_nprocs() > 1 && bind_to_two()) {
		flush_refused(flush, EINVAL, "bind it to one", "bound to two CPUs");
		bind_to(cpu);
	}
	for (flush.op = 0; flush.op < FLUSHES; flush.op++) {
		long full, after;

		flush.cpus = (1ull << get_nprocs()) - 1;
		flush.busy = 0;
		flush.step = SHEAFBENCH_FILL;
		if (!ok(!do_flush(&flush), "fill, for %s: %s", flushes[flush.op], flush.text))
			continue;
		full = field("/proc/slabinfo", "sheafbench-flush");
		flush.step = SHEAFBENCH_FLUSH_NOW;
		ok(!do_flush(&flush) && flush.start && flush.ticks > 0,
		   "%s: %" PRIu64 " ticks '%s'", flushes[flush.op], (uint64_t)flush.ticks,
		   flush.text);
		after = field("/proc/slabinfo", "sheafbench-flush");
		if (full < 0) {
			skip("no /proc/slabinfo");
			continue;
		}
		ok(sheaves ? full >= get_nprocs() * 64 : full <= get_nprocs() * 8,
		   "sheaves of %d CPUs hold %ld objects", get_nprocs(), full);
		if (flush.op == OP_shrink)
			ok(!after, "%ld are left after a shrink", after);
		else if (flush.op == OP_destroy)
			ok(after < 0 && access(slab, F_OK), "the cache is gone");
		else if (flush.op == OP_none)
			ok(after == full, "without a flush %ld are there", after);
	}
	/* What was filled for one flush is no other's; who fills for another begins anew. */
	flush.op = OP_shrink;
	flush.size = 8192;
	flush.busy = 1;
	flush.step = SHEAFBENCH_FILL;
	ok(!do_flush(&flush), "fill with 8192 bytes and busy CPUs: %s", flush.text);
	flush.op = OP_destroy;
	flush.step = SHEAFBENCH_FLUSH_NOW;
	flush_refused(flush, EINVAL, "of this op first", "destroy after a fill for shrink");
	flush.step = SHEAFBENCH_FILL;
	flush.cpus = 1ull << cpu;
	ok(!do_flush(&flush), "fill of one CPU: %s", flush.text);
	flush.step = SHEAFBENCH_FLUSH_NOW;
	ok(!do_flush(&flush) && !threads("(sheafbench/", &busy) && access(slab, F_OK),
	   "destroyed, and nobody is busy with it: '%s'", flush.text);
	/* Threads on the others, but not on this CPU; they go with the file. */
	flush.op = OP_shrink;
	flush.cpus = (1ull << get_nprocs()) - 1;
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

void test_busy(void)
{
	struct sheafbench_run run = good_run();
	const uint32_t size = 8192, n = SHEAFBENCH_MAX_N;
	int cpu = sched_getcpu(), status;
	long before = in_use(size), during, after;
	bool other = bind_to(0) && cpu;
	uint64_t start;
	pid_t child;

	bind_to(cpu);
	child = start_long_run(WORKLOAD_pair, n, size);
	if (other)
		bind_to(0);
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
	close(open(SHEAFBENCH_DEVICE, O_RDWR | O_CLOEXEC));
	ok(!waitpid(child, &status, WNOHANG), "who closes the device waits for nobody's run");
	start = now_ns();
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	ok(WIFSIGNALED(status) && now_ns() - start < 5000000000,
	   "SIGKILL ends it within %" PRIu64 " ms", (now_ns() - start) / 1000000 + 1);
	bind_to(cpu);
	after = in_use(size);
	ok(after - before < 64, "and nothing leaks: %ld objects before, %ld after", before, after);
	ok(!do_run(&run), "the next run works");
}
