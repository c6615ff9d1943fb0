/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What 'make prove' runs in a debug kernel: the kernel's own slub_kunit, then sheafstress.ko, loaded once for
 * each test, with failslab for its threads. Last, the sums of SLUB's own counters over all caches.
 *
 * Arguments: TEST SECONDS [TEST SECONDS]..., the tests of bench/stress/sheafstress.c; the first that fails is the last. Exit status 0 if all passed.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../stress/seat.h"
#include "guest.h"

static int load(const char *path, const char *parameters)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int status = fd < 0 || syscall(SYS_finit_module, fd, parameters, 0) ? errno : 0;

	/* That is how a test of the module says that it failed, having said why. */
	if (status && status != EIO)
		printf("sheafstress: failed: cannot load %s: %s\n", path, strerror(status));
	if (fd >= 0)
		close(fd);
	return status;
}

/* A program that calls the module again and again, on this CPU, as long as there is one, or on any where the module wants it. */
static void __attribute__((noreturn)) call_again(long cpu)
{
	static struct seat seat __attribute__((aligned(sizeof(struct seat))));
	char address[32];

	snprintf(address, sizeof(address), "%#lx", (unsigned long)&seat);
	for (;;) {
		/* The module may not be there yet, and the CPU be offline. */
		int fd = open("/proc/sheafstress", O_WRONLY | O_CLOEXEC);

		if (cpu >= 0)
			bind_to(cpu);
		for (int i = 0; fd >= 0 && i < 100; i++) {
			if (write(fd, address, strlen(address)) < 0)
				break;
			/* Nothing but this: to stay in user space is what it is for. */
			while (__atomic_load_n(&seat.stay, __ATOMIC_RELAXED))
				__atomic_fetch_add(&seat.counts, 1, __ATOMIC_RELAXED);
			usleep(200);
		}
		if (fd >= 0)
			close(fd);
		usleep(1000);
	}
}

static int run_test(const char *test, const char *seconds, const char *more)
{
	bool everywhere = !strcmp(test, "stress");
	/* More than there are parts at once in a scenario of the points. */
	long n = everywhere ? sysconf(_SC_NPROCESSORS_CONF) : strcmp(test, "points") ? 0 : 4;
	pid_t callers[64];
	char parameters[640];
	int status;

	snprintf(parameters, sizeof(parameters), "test=%s seconds=%s%s", test, seconds, more);
	fflush(stdout);
	for (long i = 0; i < n && i < 64; i++) {
		callers[i] = fork();
		if (!callers[i])
			call_again(everywhere ? i : -1);
	}
	status = load("/sheafstress.ko", parameters);
	for (long i = 0; i < n && i < 64; i++) {
		if (callers[i] > 0 && !kill(callers[i], SIGKILL))
			waitpid(callers[i], NULL, 0);
	}
	if (status)
		return 1;
	if (!syscall(SYS_delete_module, "sheafstress", 0))
		return 0;
	printf("sheafstress: failed: cannot unload the module: %s\n", strerror(errno));
	return 1;
}

/* What the module has destroyed is gone by now, or a little later where that is not waited for. */
static bool caches_are_gone(void)
{
	char line[256], left[64];

	for (int tries = 0; tries < 100; tries++) {
		FILE *file = fopen("/proc/slabinfo", "re");

		if (!file) {
			printf("sheafstress: failed: cannot read /proc/slabinfo: %s\n",
			       strerror(errno));
			return false;
		}
		*left = '\0';
		while (!*left && fgets(line, sizeof(line), file))
			if (!strncmp(line, "sheafstress", strlen("sheafstress")))
				sscanf(line, "%63s", left);
		fclose(file);
		if (!*left)
			return true;
		usleep(100000);
	}
	printf("sheafstress: failed: the cache %s is there 10 s after it was destroyed\n", left);
	return false;
}

/* 'sheafstress: stat NAME SUM' for each counter of CONFIG_SLUB_STATS. */
static void show_stats(void)
{
	static const char *const stats[] = {
		"alloc_fastpath",     "alloc_slowpath",	    "free_fastpath",	 "free_slowpath",
		"free_rcu_sheaf",     "sheaf_alloc",	    "sheaf_refill",	 "sheaf_flush",
		"barn_get",	      "barn_put",	    "barn_get_fail",	 "barn_put_fail",
		"sheaf_prefill_fast", "sheaf_prefill_slow", "sheaf_return_fast",
	};
	struct dirent *entry;
	char path[512];

	for (size_t i = 0; i < COUNT(stats); i++) {
		unsigned long sum = 0, value;
		int files = 0;
		DIR *dir = opendir("/sys/kernel/slab");

		while (dir && (entry = readdir(dir))) {
			FILE *file;

			snprintf(path, sizeof(path), "/sys/kernel/slab/%s/%s", entry->d_name,
				 stats[i]);
			file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
			if (!file)
				continue;
			if (fscanf(file, "%lu", &value) == 1) {
				sum += value;
				files++;
			}
			fclose(file);
		}
		if (dir)
			closedir(dir);
		if (files)
			printf("sheafstress: stat %s %lu\n", stats[i], sum);
	}
}

int main(int argc, char **argv)
{
	/* The functions that the module calls and the kernel does not export, and its parameters for them. */
	static const char *const names[][2] = {
		{ "kvfree_rcu_barrier", "barrier" },
		{ "kvfree_rcu_barrier_on_cache", "barrier_on_cache" },
		{ "kmem_cache_prefill_sheaf", "prefill_sheaf" },
		{ "kmem_cache_alloc_from_sheaf_noprof", "alloc_from_sheaf" },
		{ "kmem_cache_refill_sheaf", "refill_sheaf" },
		{ "kmem_cache_return_sheaf", "return_sheaf" },
	};
	char addresses[512];
	cpu_set_t all;
	int failed;

	setvbuf(stdout, NULL, _IOLBF, 0);
	/* init bound this process to the measured CPU. */
	memset(&all, 0xff, sizeof(all));
	if (sched_setaffinity(0, sizeof(all), &all))
		perror("sched_setaffinity");
	/* Its verdict is on the console. */
	failed = load("/slub_kunit.ko", "") != 0;
	set_failslab();
	kernel_addresses(names, COUNT(names), addresses, sizeof(addresses));
	for (int i = 1; i + 1 < argc && !failed; i += 2)
		failed = run_test(argv[i], argv[i + 1], addresses);
	if (!failed)
		failed = !caches_are_gone();
	show_stats();
	return failed;
}
