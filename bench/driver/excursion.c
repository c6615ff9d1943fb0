// SPDX-License-Identifier: GPL-2.0
/* Excursions, see excursion.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "excursion.h"
#include "guest.h"

/* Until caches and predictors are warm, and sheaves are filled. */
#define WARM_UP 64u
/* How long it is looked for gaps, after the samples. */
#define GAPS_US 2000u

#ifdef __x86_64__
#define MARK(number)	    ".byte 0x0f, 0x1f, 0x84, 0x00; .long " MARK_TEXT(number) "\n\t"
#define MARK_TEXT(number)   MARK_STRING(number)
#define MARK_STRING(number) #number

/* As the module reads it; the markers are next to the window. */
#define READ_CLOCK(before, after)                                         \
	({                                                                \
		uint32_t low, high;                                       \
                                                                          \
		__asm__ volatile(before "lfence; rdtsc; lfence\n\t" after \
				 : "=a"(low), "=d"(high)                  \
				 :                                        \
				 : "memory");                             \
		low | (uint64_t)high << 32;                               \
	})
#else
#define MARK(number)		  ""
#define READ_CLOCK(before, after) ticks_now()
#endif

static bool enter(int device, const struct sheafbench_run *run)
{
	return !ioctl(device, SHEAFBENCH_IOC_EXCURSION, SHEAFBENCH_EXCURSION(run->size, run->n));
}

static bool fail(struct sheafbench_run *run, const char *what)
{
	snprintf(run->text, sizeof(run->text), "%s: %s", what, strerror(errno));
	return false;
}

static uint64_t rate(int device)
{
	struct sheafbench_info info;

	return ioctl(device, SHEAFBENCH_IOC_INFO, &info) ? 0 : info.clock_khz;
}

/* Gaps of over 1 us between two reads of the clock, as the module looks for them after a run. */
static void find_gaps(struct sheafbench_run *run, uint64_t khz)
{
	const uint64_t start = ticks_now(), limit = khz / 1000;
	uint64_t last = start, now;

	do {
		now = ticks_now();
		if (now - last > limit) {
			run->noise_lost += now - last;
			if (now - last > run->noise_largest)
				run->noise_largest = now - last;
		}
		last = now;
	} while (now - start < GAPS_US * khz / 1000);
	run->noise_ticks = now - start;
}

/* One sample with its probes. */
static bool sample(int device, struct sheafbench_run *run, uint32_t at)
{
	const bool odd = at & 1, probed = !(run->flags & SHEAFBENCH_NO_GATE) &&
					  !(odd && run->flags & SHEAFBENCH_HALF_GATE);
	struct sheafbench_probe before = { .odd = odd }, after = { .odd = odd };
	uint64_t *ticks = (uint64_t *)(uintptr_t)run->buffer, start;

	if (probed && ioctl(device, SHEAFBENCH_IOC_PROBE, &before))
		return fail(run, "a probe");
	start = READ_CLOCK("", "");
	for (uint32_t i = 0; i < run->ops; i++)
		if (!enter(device, run))
			return fail(run, "an excursion");
	ticks[at] = READ_CLOCK("", "") - start;
	if (probed && ioctl(device, SHEAFBENCH_IOC_PROBE, &after))
		return fail(run, "a probe");
	ticks[run->samples + at] = before.gate_ticks > after.gate_ticks ? before.gate_ticks
									: after.gate_ticks;
	ticks[2 * run->samples + at] = before.chain_ticks;
	return true;
}

/* One excursion between markers. */
static bool window(int device, struct sheafbench_run *run, uint32_t at)
{
	uint64_t *ticks = (uint64_t *)(uintptr_t)run->buffer, start;
	bool entered;

	start = READ_CLOCK("", MARK(SHEAFBENCH_MARK_START));
	entered = enter(device, run);
	ticks[at] = READ_CLOCK(MARK(SHEAFBENCH_MARK_END), "") - start;
	return entered || fail(run, "an excursion");
}

bool excursion_run(int device, struct sheafbench_run *run, uint32_t caches)
{
	const bool windows = run->flags & SHEAFBENCH_WINDOWS;
	const uint64_t khz = rate(device);

	if (!khz)
		return fail(run, SHEAFBENCH_DEVICE);
	if (ioctl(device, SHEAFBENCH_IOC_CACHES, caches))
		return fail(run, "the module's caches");
	if (caches)
		run->size = SHEAFBENCH_OWN_CACHES;
	run->ops = windows ? 1 : EXCURSIONS_SAMPLED;
	run->regions = 1;
	run->cpu = (uint32_t)sched_getcpu();
	memset((void *)(uintptr_t)run->buffer, 0, 3 * run->samples * sizeof(uint64_t));
	if (windows)
		__asm__ volatile(MARK(SHEAFBENCH_MARK_ARM));
	for (uint32_t i = 0; i < WARM_UP; i++)
		if (!enter(device, run))
			return fail(run, "an excursion");
	for (uint32_t i = 0; i < run->samples; i++)
		if (!(windows ? window(device, run, i) : sample(device, run, i)))
			return false;
	if (!windows)
		find_gaps(run, khz);
	return true;
}
