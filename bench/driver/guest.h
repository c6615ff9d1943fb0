/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs of a guest ask of its kernel. */
#ifndef SHEAFBENCH_GUEST_H
#define SHEAFBENCH_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What the module reads, without its fences. */
static inline uint64_t ticks_now(void)
{
#ifdef __x86_64__
	return __builtin_ia32_rdtsc();
#else
	uint64_t ticks;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
#endif
}

/* Binds the caller to one CPU; false with errno. */
bool bind_to(int cpu);

/* false with errno. */
bool write_text(const char *path, const char *text);

/* One allocation in 20 of the tasks that say so fails, waiting ones as well, where the kernel has fault injection. */
void set_failslab(void);

/* Whether the kernel has PREEMPT_RT, where nothing is allocated in hardirq or with interrupts off. */
bool is_realtime(void);

/* Whether the kernel's random numbers are those of its live path, not of what it does until it has entropy. */
bool is_random_ready(void);

/* ' NAME=0xADDRESS' of each function that is not exported; names: what the kernel calls it, and who wants it. */
void kernel_addresses(const char *const (*names)[2], size_t count, char *text, size_t size);

/*
 * Moves the caller into a cgroup whose memory is accounted, or back to the root; false with errno.
 * From the first time on the kernel looks at each allocation whether it is to be charged.
 */
#define CGROUP_ROOT "/sys/fs/cgroup"
#define CGROUP_OWN  CGROUP_ROOT "/sheafbench"
bool cgroup_enter(bool own);

#endif
