// SPDX-License-Identifier: GPL-2.0
/* What the programs of a guest ask of its kernel, see guest.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "guest.h"

bool bind_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(0, sizeof(set), &set);
}

bool write_text(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	const bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	const int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	return good;
}

void set_failslab(void)
{
	static const char *const files[][2] = {
		{ "verbose", "0" }, /* no stack trace */
		{ "task-filter", "Y" }, { "ignore-gfp-wait", "N" },
		{ "times", "-1" },	{ "probability", "5" },
	};
	char path[64];

	mount("debug", "/sys/kernel/debug", "debugfs", 0, NULL);
	for (size_t i = 0; i < COUNT(files); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/failslab/%s", files[i][0]);
		if (!write_text(path, files[i][1]) && errno != ENOENT)
			printf("cannot write to %s: %s\n", path, strerror(errno));
	}
}

bool is_realtime(void)
{
	struct utsname name;

	return !uname(&name) && strstr(name.version, "PREEMPT_RT");
}

bool is_random_ready(void)
{
	char byte;

	return getrandom(&byte, 1, GRND_NONBLOCK) == 1;
}

void kernel_addresses(const char *const (*names)[2], size_t count, char *text, size_t size)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	char line[512], name[256];
	unsigned long address;
	size_t length = 0;

	*text = '\0';
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx %*c %255s", &address, name) != 2 || !address)
			continue;
		for (size_t i = 0; i < count; i++)
			if (!strcmp(name, names[i][0]) && length < size)
				length += (size_t)snprintf(text + length, size - length,
							   " %s=0x%lx", names[i][1], address);
	}
	if (file)
		fclose(file);
}

bool cgroup_enter(bool own)
{
	struct stat status;

	if (own && stat(CGROUP_OWN, &status)) {
		if (stat(CGROUP_ROOT "/cgroup.procs", &status) &&
		    mount("none", CGROUP_ROOT, "cgroup2", 0, NULL))
			return false;
		if (!write_text(CGROUP_ROOT "/cgroup.subtree_control", "+memory") ||
		    mkdir(CGROUP_OWN, 0755))
			return false;
	}
	return write_text(own ? CGROUP_OWN "/cgroup.procs" : CGROUP_ROOT "/cgroup.procs", "0");
}
