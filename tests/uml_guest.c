// SPDX-License-Identifier: GPL-2.0
/*
 * The first process of the guest that uml.sh boots: loads the kernel's own test modules and does what
 * could go wrong when a CPU keeps its per-CPU data in GS: users with a GS of their own, signals, fork,
 * threads, CPUs changed, preemption, faults in the kernel. 'ok' and 'not ok' lines on the console.
 *
 * uml_guest.wrong on the kernel command line expects a wrong value: the check that the checks can fail.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS	   4
#define SECONDS(t) ((t).tv_sec + (t).tv_nsec * 1e-9)

static uint64_t wrong;
static volatile sig_atomic_t signals;

static void check(bool good, const char *what)
{
	printf("%s - %s\n", good ? "ok" : "not ok", what);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return SECONDS(t);
}

static void bind_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		printf("not ok - cannot go to CPU %d: %s\n", cpu, strerror(errno));
}

/* What GS points to, read through it. */
static uint64_t gs_value(void)
{
	uint64_t value;

	asm volatile("movq %%gs:0, %0" : "=r"(value));
	return value;
}

static bool gs_is(uint64_t *at)
{
	uint64_t base = 0;

	return gs_value() == (*at ^ wrong) && !syscall(SYS_arch_prctl, ARCH_GET_GS, &base) &&
	       base == (uintptr_t)at;
}

static void on_signal(int number)
{
	(void)number;
	signals++;
}

/* A GS of one's own through system calls, signals, sleep, other CPUs, faults in the kernel and fork. */
static bool keeps_gs(uint64_t id, int cpus)
{
	uint64_t at = id * 0x9e3779b97f4a7c15;
	static _Thread_local uint64_t in_fs;
	char buffer[8192];
	int status;
	pid_t child;

	in_fs = id;
	if (syscall(SYS_arch_prctl, ARCH_SET_GS, &at))
		return false;
	for (int i = 0; i < 200; i++) {
		char *fresh;

		bind_to((int)((id + (unsigned int)i) % (unsigned int)cpus));
		if (sched_getcpu() != (int)((id + (unsigned int)i) % (unsigned int)cpus) ||
		    !gs_is(&at) || in_fs != id)
			return false;
		if (getrandom(buffer, sizeof(buffer), 0) <= 0)
			return false;
		/* The kernel itself faults these pages in. */
		fresh = mmap(NULL, sizeof(buffer), PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (fresh == MAP_FAILED || getrandom(fresh, sizeof(buffer), 0) <= 0)
			return false;
		munmap(fresh, sizeof(buffer));
		if (!gs_is(&at))
			return false;
	}
	child = fork();
	if (!child)
		_exit(gs_is(&at) && in_fs == id ? 0 : 1);
	return child > 0 && waitpid(child, &status, 0) == child && !status && gs_is(&at) &&
	       in_fs == id;
}

struct keeper {
	pthread_t thread;
	uint64_t id;
	int cpus;
	bool good;
};

static void *keeper(void *arg)
{
	struct keeper *me = arg;

	me->good = keeps_gs(me->id, me->cpus);
	return NULL;
}

static void users_of_gs(int cpus)
{
	struct itimerval every_ms = { { 0, 1000 }, { 0, 1000 } };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct keeper keepers[THREADS];
	pid_t children[THREADS];
	bool good = true;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &every_ms, NULL);
	for (int i = 0; i < THREADS; i++) {
		keepers[i] = (struct keeper){ .id = (uint64_t)i + 1, .cpus = cpus };
		if (pthread_create(&keepers[i].thread, NULL, keeper, &keepers[i]))
			good = false;
	}
	for (int i = 0; i < THREADS; i++)
		good = !pthread_join(keepers[i].thread, NULL) && keepers[i].good && good;
	check(good, "threads keep their GS and FS");

	good = true;
	for (int i = 0; i < THREADS; i++) {
		children[i] = fork();
		if (!children[i]) {
			setitimer(ITIMER_REAL, &every_ms, NULL);
			_exit(keeps_gs((uint64_t)i + 100, cpus) ? 0 : 1);
		}
	}
	for (int i = 0; i < THREADS; i++) {
		int status;

		good = waitpid(children[i], &status, 0) == children[i] && !status && good;
	}
	check(good, "processes keep their GS and FS");
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	check(signals > 10, "signals came meanwhile");
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* A real-time task wakes on a CPU that another keeps in long system calls. */
static void preemption(void)
{
	const size_t size = 128 << 20;
	const struct sched_param fifo = { .sched_priority = 1 };
	double late[31] = { 0 }, call = 0, begin;
	int pipes[2], status;
	pid_t child;

	bind_to(0);
	if (pipe(pipes))
		return check(false, "a pipe for the test of preemption");
	child = fork();
	if (!child) {
		const struct timespec wait = { 0, 5000000 };

		if (sched_setscheduler(0, SCHED_FIFO, &fifo))
			_exit(1);
		for (int i = 0; i < 31; i++) {
			begin = now();
			nanosleep(&wait, NULL);
			late[i] = now() - begin - SECONDS(wait);
		}
		qsort(late, 31, sizeof(late[0]), ascending);
		_exit(write(pipes[1], &late[15], sizeof(late[15])) != sizeof(late[15]));
	}
	do {
		void *at;

		begin = now();
		at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (at == MAP_FAILED)
			break;
		if (now() - begin > call)
			call = now() - begin;
		munmap(at, size);
	} while (!waitpid(child, &status, WNOHANG));
	check(read(pipes[0], late, sizeof(late[0])) == sizeof(late[0]) && late[0] < call / 8,
	      "a task in the kernel is preempted");
	printf("# %.1f ms late in the median, with calls of %.0f ms\n", late[0] * 1e3, call * 1e3);
}

static void load(const char *name, int expected)
{
	char path[64], what[128];
	int fd, error = 0;

	snprintf(path, sizeof(path), "/%s.ko", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	/* Not every flavour of the kernel has each; uml.sh counts what was done. */
	if (fd < 0)
		return;
	if (syscall(SYS_finit_module, fd, "", 0))
		error = errno;
	close(fd);
	snprintf(what, sizeof(what), "module %s: %s", name, error ? strerror(error) : "loaded");
	check(error == expected, what);
}

static void unload(const char *name)
{
	char what[128];

	snprintf(what, sizeof(what), "module %s is unloaded", name);
	if (!syscall(SYS_delete_module, name, 0))
		check(true, what);
	else if (errno != ENOENT)
		check(false, what);
}

int main(void)
{
	char line[4096] = "";
	int fd, cpus;

	setvbuf(stdout, NULL, _IOLBF, 0);
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mount("none", "/proc", "proc", 0, NULL);
	mount("none", "/sys", "sysfs", 0, NULL);
	fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read(fd, line, sizeof(line) - 1) > 0 && strstr(line, "uml_guest.wrong"))
		wrong = 1;
	close(fd);

	cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	printf("# %d CPUs\n", cpus);
	users_of_gs(cpus);
	preemption();
	/* Keys of a module, of another module, and patched while the module is there. */
	for (int i = 0; i < 3; i++) {
		load("test_static_key_base", 0);
		load("test_static_keys", 0);
		unload("test_static_keys");
		unload("test_static_key_base");
	}
	/* Never stays; what is wrong it says with a warning. */
	load("percpu_test", EAGAIN);
	load("slub_kunit", 0);
	/* Once more, now that modules had their per-CPU data. */
	users_of_gs(cpus);
	puts("uml_guest: done");
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}
