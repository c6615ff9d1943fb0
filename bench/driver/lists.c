// SPDX-License-Identifier: GPL-2.0
/* The tables of sheafbench_lists.h, for the programs. */
#include <errno.h>
#include <stddef.h>

#include "lists.h"

const struct workload workloads[WORKLOADS] = {
#define SHEAFBENCH_WORKLOAD(name, pass, source, least, most, flags, parts, part, second) \
	{ #name, least, most, flags, parts, { part, second } },
#include "sheafbench_lists.h"
};

const uint32_t sizes[SIZES] = {
#define SHEAFBENCH_SIZE(size) size,
#include "sheafbench_lists.h"
};

const char *const flushes[FLUSHES] = {
#define SHEAFBENCH_FLUSH(name) #name,
#include "sheafbench_lists.h"
};

const char *text_of(int error)
{
	switch (error) {
	case EINVAL:
		return "a parameter is out of range";
	case ENOMEM:
		return "more than max_bytes is needed, or an allocation failed: lower n or size";
	case EBUSY:
		return "another run is on, or the caller or a helper lost its CPU meanwhile";
	case EINTR:
		return "a signal came: nothing is reported";
	case EFAULT:
		return "a pointer is bad";
	case EBADF:
		return "group is none of perf_event_open(2), or cannot be started";
	case ENOTTY:
		return "no such ioctl: build the module and the program from one source";
	default:
		return NULL;
	}
}
