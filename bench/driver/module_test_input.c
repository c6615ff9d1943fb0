// SPDX-License-Identifier: GPL-2.0
/* What the module tells of itself, and what it refuses. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "module_test.h"

/* Both clocks at one moment: the tightest of some tries. */
static void clock_pair(uint64_t *ticks, uint64_t *ns)
{
	uint64_t best = UINT64_MAX, before, now, apart;

	for (int i = 0; i < 100; i++) {
		before = ticks_now();
		now = now_ns();
		apart = ticks_now() - before;
		if (apart < best) {
			best = apart;
			*ticks = before + apart / 2;
			*ns = now;
		}
	}
}

/* limit: what max_kib is, 0 for none. */
void test_info(uint64_t limit)
{
	struct sheafbench_info info;
	uint64_t ticks[2] = { 0 }, ns[2] = { 0 };
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
		   info.max_samples == SHEAFBENCH_MAX_SAMPLES && !info.reserved[0] &&
		   !info.reserved[1],
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

void test_describe(void)
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

/* How many the module has. */
static int caches(void)
{
	char path[64];
	int nr = 0;

	do
		snprintf(path, sizeof(path), "/sys/kernel/slab/sheafbench-%d", nr);
	while (!access(path, F_OK) && ++nr);
	return nr;
}

/* Those of what a caller times itself. */
void test_excursion(void)
{
	static const uint64_t bad[] = { SHEAFBENCH_EXCURSION(63ull, 1),
					SHEAFBENCH_EXCURSION(0ull, 0),
					SHEAFBENCH_EXCURSION(64ull, SHEAFBENCH_MAX_N + 1ull),
					SHEAFBENCH_EXCURSION(SHEAFBENCH_OWN_CACHES, 9ull),
					UINT64_MAX };
	struct sheafbench_probe probe[2] = { { .odd = 0 }, { .odd = 1 } }, wrong = { .odd = 2 };
	const long before = in_use(64);
	bool good = true;

	for (size_t i = 0; i < SIZES; i++)
		for (uint64_t pairs = 0; pairs <= SHEAFBENCH_MAX_N; pairs = 8 * pairs + 1)
			good &= !ioctl(device, SHEAFBENCH_IOC_EXCURSION,
				       SHEAFBENCH_EXCURSION(sizes[i], pairs));
	ok(good, "EXCURSION with each size");
	ok(in_use(64) - before < 64, "and it leaves nothing behind");
	errno = 0;
	ok(ioctl(device, SHEAFBENCH_IOC_CACHES, SHEAFBENCH_MAX_CACHES + 1ul) && errno == EINVAL,
	   "CACHES past the most");
	ok(!ioctl(device, SHEAFBENCH_IOC_CACHES, 20ul) && caches() == 20 &&
		   !ioctl(device, SHEAFBENCH_IOC_EXCURSION,
			  SHEAFBENCH_EXCURSION(SHEAFBENCH_OWN_CACHES, 20ul)),
	   "CACHES makes 20, which EXCURSION uses");
	ok(!ioctl(device, SHEAFBENCH_IOC_CACHES, 8ul) && caches() == 8, "and then 8 are left");
	for (size_t i = 0; i < COUNT(bad); i++) {
		errno = 0;
		ok(ioctl(device, SHEAFBENCH_IOC_EXCURSION, bad[i]) && errno == EINVAL,
		   "EXCURSION with %#" PRIx64, bad[i]);
	}
	ok(!ioctl(device, SHEAFBENCH_IOC_PROBE, &probe[0]) &&
		   !ioctl(device, SHEAFBENCH_IOC_PROBE, &probe[1]) && probe[0].gate_ticks &&
		   probe[0].chain_ticks && probe[1].gate_ticks && probe[1].chain_ticks,
	   "PROBE: gates of %" PRIu64 " and %" PRIu64 " ticks, chains of %" PRIu64 " and %" PRIu64,
	   (uint64_t)probe[0].gate_ticks, (uint64_t)probe[1].gate_ticks,
	   (uint64_t)probe[0].chain_ticks, (uint64_t)probe[1].chain_ticks);
	errno = 0;
	ok(ioctl(device, SHEAFBENCH_IOC_PROBE, &wrong) && errno == EINVAL,
	   "PROBE with a third chain");
	errno = 0;
	ok(ioctl(device, SHEAFBENCH_IOC_PROBE, (void *)8) && errno == EFAULT,
	   "PROBE to a bad pointer");
}

#define REFUSED(member, value, error, text)                      \
	do {                                                     \
		struct sheafbench_run run = good_run();          \
		run.member = value;                              \
		refused(run, error, text, #member " = " #value); \
	} while (0)

/* What a workload does not take, and that it says so. */
void test_bad_for_workload(void)
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
	run = good_run();
	run.workload = WORKLOAD_pair_spaced;
	run.work = 12;
	refused(run, EINVAL, "0, 8, 16 to 1024", "work of 12 cycles");
	run.work = SHEAFBENCH_MAX_WORK + 8;
	refused(run, EINVAL, "0, 8, 16 to 1024", "too much work");
	run.work = 8;
	run.order = SHEAFBENCH_FIFO;
	refused(run, EINVAL, "0 lifo", "spaced pairs that swap");
	run = good_run();
	for (run.workload = 0; run.workload < OWN_WORKLOADS; run.workload++) {
		const uint32_t flags = workloads[run.workload].flags;

		run.size = fitting(run.workload, 64);
		run.flags = SHEAFBENCH_IRQ_OFF;
		if (!irq_off)
			refused(run, EINVAL, "PREEMPT_RT", workloads[run.workload].name);
		else if (flags & (SHEAFBENCH_TASK | SHEAFBENCH_HELPER))
			refused(run, EINVAL, "not 0x1", workloads[run.workload].name);
		run.flags = SHEAFBENCH_WINDOWS;
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

void test_bad_parameters(void)
{
	static const uint64_t read_only[8] = { 1 };
	struct sheafbench_run run = good_run();
	int cpu = sched_getcpu();

	REFUSED(abi, SHEAFBENCH_ABI + 1, EINVAL, "allowed: 7");
	REFUSED(workload, WORKLOADS, EINVAL, "allowed: 0 to 50");
	REFUSED(workload, UINT32_MAX, EINVAL, "allowed: 0 to 50");
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
	REFUSED(work, 8, EINVAL, "0 but in spaced workloads");
	REFUSED(buffer, 0, EFAULT, "buffer");
	REFUSED(buffer, UINT64_MAX - 7, EFAULT, "buffer");
	REFUSED(buffer, (uintptr_t)read_only, EFAULT, "buffer");
	errno = 0;
	ok(ioctl(device, SHEAFBENCH_IOC_RUN, (void *)8) && errno == EFAULT,
	   "RUN from a bad pointer");
	/* The kernel drops CPUs that are not there from a mask. */
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1 && bind_to_two()) {
		refused(run, EINVAL, "bind it to one", "bound to two CPUs");
		bind_to(cpu);
	} else {
		skip("one CPU only");
	}
}

/* A group of counters that is none; arm64's test has real ones. */
void test_bad_groups(void)
{
	struct sheafbench_run run = good_run();

	run.group = device;
	refused(run, EINVAL, "flags 0x10 or 0x20", "a group for a run that is timed");
	run.flags = SHEAFBENCH_BARE;
	run.part = 2;
	refused(run, EINVAL, "allowed: 0 to 1", "a group in a part that is not there");
	run.part = 0;
	refused(run, EBADF, "no group of counters", "a group that is the device");
	run.group = open(MODULE_PATH, O_RDONLY | O_CLOEXEC);
	refused(run, EBADF, "no group of counters", "a group that is a file");
	close(run.group);
	refused(run, EBADF, "no group of counters", "a group that is not open");
}

void test_memory_limit(void)
{
	struct sheafbench_run run = good_run();

	run.n = SHEAFBENCH_MAX_N;
	if (!ok(write_text(LIMIT_PATH, "64"), "max_kib can be set"))
		return;
	refused(run, ENOMEM, "allowed: 64", "past max_kib");
	run.n = 512;
	ok(!do_run(&run), "512 x 64 bytes are within 64 KiB: %s", run.text);
	write_text(LIMIT_PATH, "0");
	run.n = SHEAFBENCH_MAX_N;
	run.size = 8192;
	ok(!do_run(&run), "without max_kib half of what is free is allowed: %s", run.text);
}

void test_not_root(void)
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

void test_removal(void)
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
	module = open(MODULE_PATH, O_RDONLY | O_CLOEXEC);
	ok(module >= 0 && !syscall(SYS_finit_module, module, "max_kib=16", 0), "and loaded again");
	close(module);
	device = open(SHEAFBENCH_DEVICE, O_RDWR | O_CLOEXEC);
	ok(device >= 0, "the device is back");
	test_info(16);
}
