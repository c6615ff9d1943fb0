/* SPDX-License-Identifier: GPL-2.0 */
/* The tables of sheafbench_lists.h, for the programs. */
#ifndef SHEAFBENCH_DRIVER_LISTS_H
#define SHEAFBENCH_DRIVER_LISTS_H

#include <stdint.h>

#include "sheafbench.h"

enum {
#define SHEAFBENCH_WORKLOAD(name, pass, source, least, most, flags, parts, part, second) \
	WORKLOAD_##name,
#include "sheafbench_lists.h"
	WORKLOADS
};

enum {
#define SHEAFBENCH_SIZE(size) AT_SIZE_##size,
#include "sheafbench_lists.h"
	SIZES
};

enum {
#define SHEAFBENCH_FLUSH(name) OP_##name,
#include "sheafbench_lists.h"
	FLUSHES
};

struct workload {
	const char *name;
	uint32_t least, most, flags, parts; /* sizes */
	const char *part[SHEAFBENCH_PARTS];
};

extern const struct workload workloads[WORKLOADS];
extern const uint32_t sizes[SIZES];
extern const char *const flushes[FLUSHES];

/* What an ioctl's errno means, or NULL where it is none of the module's. */
const char *text_of(int error);

#endif
