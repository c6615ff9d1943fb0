/* SPDX-License-Identifier: GPL-2.0 */
/* A cgroup to charge objects to, for the workloads that want one. */
#ifndef SHEAFBENCH_CGROUP_H
#define SHEAFBENCH_CGROUP_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define CGROUP_ROOT "/sys/fs/cgroup"
#define CGROUP_OWN  CGROUP_ROOT "/sheafbench"

static inline bool cgroup_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return false;
	fputs(text, file);
	return !fclose(file);
}

/*
 * Moves the caller into a cgroup whose memory is accounted, or back to the root; false with errno.
 * From the first time on the kernel looks at each allocation whether it is to be charged.
 */
static inline bool cgroup_enter(bool own)
{
	struct stat status;

	if (own && stat(CGROUP_OWN, &status)) {
		if (stat(CGROUP_ROOT "/cgroup.procs", &status) &&
		    mount("none", CGROUP_ROOT, "cgroup2", 0, NULL))
			return false;
		if (!cgroup_write(CGROUP_ROOT "/cgroup.subtree_control", "+memory") ||
		    mkdir(CGROUP_OWN, 0755))
			return false;
	}
	return cgroup_write(own ? CGROUP_OWN "/cgroup.procs" : CGROUP_ROOT "/cgroup.procs", "0");
}

#endif
