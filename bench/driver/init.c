/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The first process of a measuring guest: mounts what is needed, sees to it that the kernel has random
 * numbers, loads the module, runs one program on one CPU, says how it ended on the console, and powers off, or goes back to
 * the system that the machine came from.
 *
 * The kernel command line tells it what to do; each has its default:
 *
 *   sheafbench.out=DIR     what to mount at /out: the host's folder (hostfs) or the tag (9p, virtiofs)
 *   sheafbench.outfs=FS    hostfs, 9p, virtiofs or none                                [hostfs]
 *   sheafbench.cpu=N       the CPU to bind the program to; it must be online           [the last one]
 *   sheafbench.bound=yes   wait for /out/bound: the host has bound this guest's CPUs    [no]
 *   sheafbench.run=PATH    the program                                                 [/driver]
 *   sheafbench.module=PATH the module, or none                                         [/sheafbench.ko]
 *   sheafbench.back=PATH   the program to go back with; the console is then /out/console       [none]
 *   sheafbench.deadline=N  the seconds that the program may take; a watchdog has a minute more [none]
 *
 * The program's arguments are the lines of /out/args, if that is there. Its exit status is shown as
 * 'sheafbench: exit N'; a program ended by signal S counts as 128 + S, and 125 is a failure in here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <linux/watchdog.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define INIT_FAILED 125
#define MOST_ARGS   256

static const char *back;

static _Noreturn void finish(int status)
{
	printf("sheafbench: exit %d\n", status);
	fflush(stdout);
	sync();
	if (back) {
		execl(back, back, "home", NULL);
		reboot(RB_AUTOBOOT);
	}
	reboot(RB_POWER_OFF);
	/* A kernel without a way to power off: stop here, the deadline of the boot ends it. */
	for (;;)
		pause();
}

#define fail(...)                                         \
	do {                                              \
		printf("sheafbench: init: " __VA_ARGS__); \
		putchar('\n');                            \
		finish(INIT_FAILED);                      \
	} while (0)

/* The value of name= on the kernel command line, or fallback. */
static const char *option(const char *name, const char *fallback)
{
	static char line[4096];
	static size_t length;
	size_t name_length = strlen(name);
	const char *word;

	if (!length) {
		FILE *file = fopen("/proc/cmdline", "re");

		if (!file)
			fail("cannot read /proc/cmdline: %s", strerror(errno));
		length = fread(line, 1, sizeof(line) - 1, file);
		fclose(file);
		for (size_t i = 0; i < length; i++)
			if (line[i] == ' ' || line[i] == '\n')
				line[i] = '\0';
	}
	for (word = line; word < line + length; word += strlen(word) + 1)
		if (!strncmp(word, name, name_length) && word[name_length] == '=')
			fallback = word + name_length + 1;
	return fallback;
}

static void mount_at(const char *dir, const char *fs, const char *source, const char *data)
{
	mkdir(dir, 0755);
	/* EBUSY: the kernel has mounted it already (CONFIG_DEVTMPFS_MOUNT). */
	if (mount(source, dir, fs, 0, data) && errno != EBUSY)
		fail("cannot mount %s (%s) at %s: %s", source, fs, dir, strerror(errno));
}

static void mount_out(const char *fs, const char *out)
{
	if (!strcmp(fs, "none") || !*out)
		return;
	if (!strcmp(fs, "hostfs"))
		mount_at("/out", fs, "none", out);
	else if (!strcmp(fs, "9p"))
		mount_at("/out", fs, out, "trans=virtio,version=9p2000.L");
	else if (!strcmp(fs, "virtiofs"))
		mount_at("/out", fs, out, NULL);
	else
		fail("sheafbench.outfs=%s is not one of hostfs, 9p, virtiofs, none", fs);
}

/*
 * Until its generator is ready, the kernel hashes its way to each random number, and each new slab takes one.
 * Where the CPU has brought no entropy, fixed bytes are credited: counts have to be the same in each boot, and
 * nothing in here is a secret.
 */
static void seed_random(void)
{
	/* As the ioctl has it: bits that are credited, bytes that follow. */
	static const struct {
		int bits, size;
		char bytes[32];
	} seed = { 256, 32, "sheafbench" };
	int fd, error = 0;

	if (!is_random_ready()) {
		fd = open("/dev/random", O_WRONLY | O_CLOEXEC);
		if (fd < 0 || ioctl(fd, RNDADDENTROPY, &seed))
			error = errno;
		if (fd >= 0)
			close(fd);
		if (!is_random_ready())
			fail("the random number generator is not ready: %s",
			     strerror(error ?: EAGAIN));
	}
	printf("sheafbench: the random number generator is ready\n");
	fflush(stdout);
}

static void load_module(const char *path)
{
	/* The functions that it calls and not each kernel exports. */
	static const char *const names[][2] = {
		{ "kvfree_rcu_barrier", "barrier" },
		{ "kvfree_rcu_barrier_on_cache", "barrier_on_cache" },
		{ "kmem_cache_prefill_sheaf", "prefill_sheaf" },
		{ "kmem_cache_alloc_from_sheaf_noprof", "alloc_from_sheaf" },
		{ "kmem_cache_return_sheaf", "return_sheaf" },
	};
	char addresses[512] = "";
	int fd;

	if (!strcmp(path, "none"))
		return;
	/* Others that are loaded from here have parameters of their own. */
	if (!strcmp(path, "/sheafbench.ko"))
		kernel_addresses(names, COUNT(names), addresses, sizeof(addresses));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syscall(SYS_finit_module, fd, addresses, 0))
		fail("cannot load %s: %s", path, strerror(errno));
	close(fd);
}

/* Children inherit it; the kernel refuses a CPU that is not online. */
static void bind_to_cpu(const char *cpu)
{
	long number;
	char *end;

	if (!*cpu)
		number = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	else
		number = strtol(cpu, &end, 10);
	if ((*cpu && *end) || number < 0 || number >= CPU_SETSIZE)
		fail("sheafbench.cpu=%s is not a CPU's number", cpu);
	if (!bind_to(number))
		fail("cannot run on CPU %ld, %ld are online: %s", number,
		     sysconf(_SC_NPROCESSORS_ONLN), strerror(errno));
}

/* On uml a process is one of the host's, bound for good to where the CPU is bound that makes it. */
static void wait_until_bound(void)
{
	for (int tries = 0; access("/out/bound", F_OK); tries++) {
		if (tries == 10000)
			fail("the host did not bind this guest's CPUs within 10 s");
		usleep(1000);
	}
}

/* The program's arguments: one on each line of /out/args. */
static char **arguments(const char *program)
{
	static char *args[MOST_ARGS + 2];
	FILE *file = fopen("/out/args", "re");
	size_t size = 0, count = 0;
	ssize_t length;

	args[count++] = (char *)program;
	if (!file && errno != ENOENT)
		fail("cannot read /out/args: %s", strerror(errno));
	while (file && (length = getline(&args[count], &size, file)) >= 0) {
		if (length && args[count][length - 1] == '\n')
			args[count][length - 1] = '\0';
		if (++count > MOST_ARGS)
			fail("/out/args has more than %d lines", MOST_ARGS);
		size = 0;
	}
	if (file && (ferror(file) || fclose(file)))
		fail("cannot read /out/args: %s", strerror(errno));
	args[count] = NULL;
	return args;
}

/* Whatever the measured CPU does, the others see that the time is over: init, and a timer of the kernel's. */
static void watch(long seconds)
{
	int timeout = seconds + 60, fd;

	bind_to(0);
	fd = open("/dev/watchdog", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, WDIOC_SETTIMEOUT, &timeout))
		fail("no watchdog: %s", strerror(errno));
}

static int run(const char *program, long deadline)
{
	char **args = arguments(program);
	struct timespec end, now, left;
	sigset_t set, before;
	pid_t child, ended;
	int status;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &before);
	child = fork();
	if (child < 0)
		fail("cannot fork: %s", strerror(errno));
	if (!child) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		execv(program, args);
		printf("sheafbench: init: cannot run %s: %s\n", program, strerror(errno));
		fflush(stdout);
		_exit(INIT_FAILED);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += deadline;
	if (deadline)
		watch(deadline);
	/* Orphans end up here as well. */
	while ((ended = waitpid(-1, &status, WNOHANG)) != child) {
		if (ended > 0)
			continue;
		if (!deadline) {
			sigwaitinfo(&set, NULL);
			continue;
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
		left = (struct timespec){ .tv_sec = end.tv_sec - now.tv_sec };
		if (left.tv_sec <= 0)
			fail("hang: %s did not end within %ld s", program, deadline);
		sigtimedwait(&set, NULL, &left);
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(void)
{
	int console;

	if (getpid() != 1) {
		fprintf(stderr, "sheafbench: init: runs as the first process of a guest only\n");
		return 2;
	}
	mkdir("/dev", 0755);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	/* An initramfs without a console node leaves init with no open files. */
	console = open("/dev/console", O_RDWR);
	if (console >= 0) {
		for (int fd = 0; fd < 3; fd++)
			dup2(console, fd);
		if (console > 2)
			close(console);
	}
	mount_at("/proc", "proc", "proc", NULL);
	mount_at("/sys", "sysfs", "sysfs", NULL);
	mount_at("/tmp", "tmpfs", "tmpfs", NULL);
	mount_out(option("sheafbench.outfs", "hostfs"), option("sheafbench.out", ""));
	back = option("sheafbench.back", NULL);
	if (back && (console = open("/out/console", O_WRONLY | O_CREAT | O_APPEND, 0600)) > 2)
		for (int fd = 1; fd < 3; fd++)
			dup2(console, fd);
	seed_random();
	load_module(option("sheafbench.module", "/sheafbench.ko"));
	if (!strcmp(option("sheafbench.bound", "no"), "yes"))
		wait_until_bound();
	bind_to_cpu(option("sheafbench.cpu", ""));
	finish(run(option("sheafbench.run", "/driver"),
		   strtol(option("sheafbench.deadline", "0"), NULL, 10)));
}
