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
#define SHEAFBENCH_ERROR(error, text) \
	case error:                   \
		return text;
#include "sheafbench_lists.h"
	default:
		return NULL;
	}
}
