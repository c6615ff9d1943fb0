// SPDX-License-Identifier: GPL-2.0
/*
 * sheafbench: times kmalloc() and kfree() in loops, for /dev/sheafbench.
 *
 * A sample is the sum of one or more timed regions; a region is a loop over N operations between
 * two fenced reads of the CPU's counter. Between samples, now and then, the same passes run with
 * empty loops in place of the allocator's: what those take is the overhead, reported with the
 * samples. Beside each sample two probes that touch no memory tell the CPU's state: see gate().
 *
 * Preemption and interrupts stay on while the loops run. An outer preempt_disable() would nest the
 * one in the sheaf's lock, and so hide a part of what is measured.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/compat.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "sheafbench.h"
#include "calc.h"

static_assert(sizeof(long) == 8, "sheafbench is for 64 bit kernels");

static unsigned int max_kib;
module_param(max_kib, uint, 0600);
MODULE_PARM_DESC(max_kib, "KiB of objects that a run may hold (0: half of what is free)");

/* The counter, after all that comes before it and before all that comes after it. */
#if defined(__x86_64__)
#define CLOCK_NAME "tsc"
#define HAS_MARKERS	1
/* Not cpuid: in a guest that leaves the guest. */
#define READ_CLOCK	"lfence; rdtsc; lfence\n\t"
#define MARK(number)	".byte 0x0f, 0x1f, 0x84, 0x00; .long " __stringify(number) "\n\t"

static __always_inline u64 clock_read(void)
{
	u32 low, high;

	asm volatile(READ_CLOCK : "=a" (low), "=d" (high) : : "memory");
	return low | (u64)high << 32;
}

/* Read first, so that of what is between two reads only SHEAFBENCH_MARKED is not the window's. */
static __always_inline u64 window_start(void)
{
	u32 low, high;

	asm volatile(READ_CLOCK MARK(SHEAFBENCH_MARK_START) : "=a" (low), "=d" (high) : : "memory");
	return low | (u64)high << 32;
}

static __always_inline u64 window_end(void)
{
	u32 low, high;

	asm volatile(MARK(SHEAFBENCH_MARK_END) READ_CLOCK : "=a" (low), "=d" (high) : : "memory");
	return low | (u64)high << 32;
}

/* As others read it: nothing waits for it. get_cycles() is 0 on uml. */
static __always_inline u64 clock_read_unfenced(void)
{
	u32 low, high;

	asm volatile("rdtsc" : "=a" (low), "=d" (high));
	return low | (u64)high << 32;
}

/* Registers: additions of a constant are done by the renamer on some cores. */
#define ADD_8		"add %%rax, %%rax; add %%rcx, %%rcx; add %%rdx, %%rdx; "	\
			"add %%rsi, %%rsi; add %%rdi, %%rdi; add %%r8, %%r8; "		\
			"add %%r9, %%r9; add %%r10, %%r10\n\t"
#define MULTIPLY	"imul %0, %0\n\t"
#define ADD_CLOBBERS	"rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "cc"
#define CHAIN_1		"add %0, %0\n\t"
#elif defined(__aarch64__)
#define CLOCK_NAME "cntvct"
static __always_inline u64 clock_read(void)
{
	u64 ticks;

	asm volatile("isb; mrs %0, cntvct_el0; isb" : "=r" (ticks) : : "memory");
	return ticks;
}

#define HAS_MARKERS	0
#define MARK(number)	"// " __stringify(number)
#define window_start()	clock_read()
#define window_end()	clock_read()

static __always_inline u64 clock_read_unfenced(void)
{
	u64 ticks;

	asm volatile("mrs %0, cntvct_el0" : "=r" (ticks));
	return ticks;
}

#define ADD_8		"add x9, x9, x9; add x10, x10, x10; add x11, x11, x11; "	\
			"add x12, x12, x12; add x13, x13, x13; add x14, x14, x14; "	\
			"add x15, x15, x15; add x2, x2, x2\n\t"
#define MULTIPLY	"mul %0, %0, %0\n\t"
#define ADD_CLOBBERS	"x9", "x10", "x11", "x12", "x13", "x14", "x15", "x2"
#define CHAIN_1		"add %0, %0, %0\n\t"
#else
#error "sheafbench knows no counter on this architecture"
#endif

#define WARM_OPS	4096	/* before windows are counted, in 4 to 64 passes */

static struct {
	u64 ticks, ns;		/* when the module was loaded */
	u32 step_cticks;
} clock;

/*
 * A few empty loops, so that a region starts at a random phase of the counter's step. At most
 * 31: after 128 and more the branch predictor has forgotten the region, and small N become bimodal.
 */
static __always_inline void dither(u64 *state)
{
	u32 i;

	for (i = calc_random(state) >> 59; i; i--)
		barrier();
}

/*
 * Eight independent additions at a time: more than a core begins in a cycle. With every 240 of them
 * a chain of 20 multiplications, which overlaps with the next one where a thread has the whole
 * reorder buffer, and less where it has the half that it gets beside a busy sibling.
 */
static noinline void throughput(u32 adds)
{
	for (; adds; adds -= 240) {
		unsigned long product = 3;

		OPTIMIZER_HIDE_VAR(product);
		asm volatile(".rept 20\n\t"
			     MULTIPLY
			     ".endr\n\t"
			     ".rept 30\n\t"
			     ADD_8
			     ".endr" : "+r" (product) : : ADD_CLOBBERS);
	}
}

/* Each addition waits for the one before it: one core cycle each, whatever else the core does. */
static noinline void chain(u32 adds)
{
	unsigned long sum = adds;

	for (; adds; adds -= 8)
		asm volatile(CHAIN_1 CHAIN_1 CHAIN_1 CHAIN_1 CHAIN_1 CHAIN_1 CHAIN_1 CHAIN_1
			     : "+r" (sum) : : "cc");
}

static u64 probe(u64 *random, void (*additions)(u32 adds), u32 adds)
{
	u64 start;

	dither(random);
	start = clock_read();
	additions(adds);
	return clock_read() - start;
}

/* Counter and monotonic time at one moment: the tightest of some tries. */
static void clock_pair(u64 *ticks, u64 *ns)
{
	u64 before, after, now, best = U64_MAX;
	int i;

	for (i = 0; i < 32; i++) {
		before = clock_read();
		now = ktime_get_ns();
		after = clock_read();
		if (after - before < best) {
			best = after - before;
			*ticks = before + best / 2;
			*ns = now;
		}
	}
}

static int compare_u64(const void *a, const void *b)
{
	return cmp_int(*(const u64 *)a, *(const u64 *)b);
}

static void sort_u64(u64 *values, u32 count)
{
	sort(values, count, sizeof(*values), compare_u64, NULL);
}

static int clock_init(void)
{
	u64 *apart __free(kfree) = kmalloc_array(1024, sizeof(*apart), GFP_KERNEL);
	u64 before, state = 1;
	int i;

	if (!apart)
		return -ENOMEM;
	for (i = 0; i < 1024; i++) {
		before = clock_read();
		dither(&state);
		apart[i] = clock_read() - before;
	}
	sort_u64(apart, 1024);
	clock.step_cticks = calc_step_cticks(apart, 1024);
	clock_pair(&clock.ticks, &clock.ns);
	return 0;
}

/* The counter's rate since the module was loaded; the longer ago, the more exact. */
static u32 clock_rate(void)
{
	u64 ticks, ns;

	while (ktime_get_ns() - clock.ns < 20 * NSEC_PER_MSEC)
		usleep_range(1000, 2000);
	clock_pair(&ticks, &ns);
	ns -= clock.ns;
	return mul_u64_u64_div_u64(ticks - clock.ticks, NSEC_PER_MSEC, ns);
}

#include "peers.h"

/* What one timed loop works on. */
struct region {
	void **object;
	u32 n;		/* operations to do */
	u32 done;	/* operations done: less than n after a failed allocation */
	bool marked;	/* a loop that can be counted is to be */
	u64 ticks;	/* of a counted loop: between the reads around its markers */
	struct kmem_cache *cache;	/* the run's own, for sources that have one */
};

typedef void (*loop_fn)(struct region *region);

/*
 * The loops of a source, which is where objects come from: SOURCE_new(region, size, gfp) allocates
 * one, SOURCE_drop(region, object) frees it. For kmalloc() size and flags are constants, as they
 * are for most of its callers: the compiler then chooses the cache, and no size is looked up at run
 * time.
 */
#define DEFINE_LOOPS(source)								\
static __always_inline void source##_alloc_loop(struct region *region, size_t size, gfp_t gfp) \
{											\
	void **object = region->object;							\
	u32 i, n = region->n;								\
											\
	for (i = 0; i < n; i++) {							\
		object[i] = source##_new(region, size, gfp);				\
		if (unlikely(!object[i]))						\
			break;								\
	}										\
	region->done = i;								\
}											\
											\
static __always_inline void source##_pair_loop(struct region *region, size_t size, gfp_t gfp) \
{											\
	u32 i, n = region->n;								\
											\
	for (i = 0; i < n; i++) {							\
		void *object = source##_new(region, size, gfp);				\
											\
		if (unlikely(!object))							\
			break;								\
		source##_drop(region, object);						\
	}										\
	region->done = i;								\
}											\
											\
static __always_inline void source##_swap_loop(struct region *region, size_t size, gfp_t gfp) \
{											\
	void **object = region->object;							\
	u32 i, n = region->n;								\
											\
	for (i = 0; i < n; i++) {							\
		void *new = source##_new(region, size, gfp);				\
											\
		if (unlikely(!new))							\
			break;								\
		source##_drop(region, object[i]);					\
		object[i] = new;							\
	}										\
	region->done = i;								\
}											\
											\
static __always_inline void source##_free_loop(struct region *region)			\
{											\
	void **object = region->object;							\
	u32 i, n = region->n;								\
											\
	for (i = 0; i < n; i++)								\
		source##_drop(region, object[i]);					\
	region->done = i;								\
}

static __always_inline void *kmalloc_new(struct region *region, size_t size, gfp_t gfp)
{
	return kmalloc(size, gfp);
}

static __always_inline void kmalloc_drop(struct region *region, void *object)
{
	kfree(object);
}

DEFINE_LOOPS(kmalloc)

static noinline void free_loop(struct region *region)
{
	kmalloc_free_loop(region);
}

/* The same loops without the allocator. What an empty swap stores is what was there. */
static noinline void no_alloc(struct region *region)
{
	void **object = region->object, *new = region;
	u32 i, n = region->n;

	for (i = 0; i < n; i++) {
		OPTIMIZER_HIDE_VAR(new);
		object[i] = new;
		if (unlikely(!new))
			break;
	}
	region->done = i;
}

static noinline void no_pair(struct region *region)
{
	void *object = region;
	u32 i, n = region->n;

	for (i = 0; i < n; i++) {
		OPTIMIZER_HIDE_VAR(object);
		if (unlikely(!object))
			break;
	}
	region->done = i;
}

static noinline void no_swap(struct region *region)
{
	void **object = region->object;
	u32 i, n = region->n;

	for (i = 0; i < n; i++) {
		void *new = object[i];

		OPTIMIZER_HIDE_VAR(new);
		if (unlikely(!new))
			break;
		object[i] = new;
	}
	region->done = i;
}

static noinline void no_free(struct region *region)
{
	void **object = region->object;
	u32 i, n = region->n;

	for (i = 0; i < n; i++)
		asm volatile("" : : "r" (object[i]));
	region->done = i;
}

struct loops {
	u32 size;	/* 0: any */
	loop_fn alloc, pair, swap, free;
};

/*
 * When memory runs out a run is to fail, not to wake the OOM killer. The flags added for that are
 * looked at when a slab has to be made, not before.
 */
#define SLEEPING	(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN)
#define ATOMIC		(GFP_ATOMIC | __GFP_NOWARN)
/* vmalloc() does not know __GFP_NORETRY. */
#define ARRAYS		(GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

#define LOOP(kind, size, gfp)						\
static noinline void kind##_##size##_##gfp(struct region *region)	\
{									\
	kmalloc_##kind##_loop(region, size, gfp);			\
}

#define SHEAFBENCH_SIZE(size) LOOP(alloc, size, SLEEPING)
#include "sheafbench_lists.h"
#define SHEAFBENCH_SIZE(size) LOOP(alloc, size, ATOMIC)
#include "sheafbench_lists.h"
#define SHEAFBENCH_SIZE(size) LOOP(pair, size, SLEEPING)
#include "sheafbench_lists.h"
#define SHEAFBENCH_SIZE(size) LOOP(pair, size, ATOMIC)
#include "sheafbench_lists.h"
#define SHEAFBENCH_SIZE(size) LOOP(swap, size, SLEEPING)
#include "sheafbench_lists.h"
#define SHEAFBENCH_SIZE(size) LOOP(swap, size, ATOMIC)
#include "sheafbench_lists.h"

/* The same between markers: no call and no prologue of ours is in the window. */
#define COUNTED(name, loop)						\
static noinline void counted_##name(struct region *region)		\
{									\
	u64 start = 0;							\
									\
	if (region->marked)						\
		start = window_start();					\
	loop;								\
	if (region->marked)						\
		region->ticks = window_end() - start;			\
}

#define SHEAFBENCH_SIZE(size) COUNTED(alloc_##size, kmalloc_alloc_loop(region, size, SLEEPING))
#include "sheafbench_lists.h"
#define SHEAFBENCH_SIZE(size) COUNTED(pair_##size, kmalloc_pair_loop(region, size, SLEEPING))
#include "sheafbench_lists.h"
#define SHEAFBENCH_SIZE(size) COUNTED(swap_##size, kmalloc_swap_loop(region, size, SLEEPING))
#include "sheafbench_lists.h"
#define SHEAFBENCH_SIZE(size) \
	COUNTED(atomic_alloc_##size, kmalloc_alloc_loop(region, size, ATOMIC))
#include "sheafbench_lists.h"
#define SHEAFBENCH_SIZE(size) \
	COUNTED(atomic_pair_##size, kmalloc_pair_loop(region, size, ATOMIC))
#include "sheafbench_lists.h"
#define SHEAFBENCH_SIZE(size) \
	COUNTED(atomic_swap_##size, kmalloc_swap_loop(region, size, ATOMIC))
#include "sheafbench_lists.h"
COUNTED(free, kmalloc_free_loop(region))

#define LOOPS(size, gfp) \
	{ size, alloc_##size##_##gfp, pair_##size##_##gfp, swap_##size##_##gfp, free_loop },

static const struct loops sleeping_loops[] = {
#define SHEAFBENCH_SIZE(size) LOOPS(size, SLEEPING)
#include "sheafbench_lists.h"
	{ }
};

static const struct loops atomic_loops[] = {
#define SHEAFBENCH_SIZE(size) LOOPS(size, ATOMIC)
#include "sheafbench_lists.h"
	{ }
};

static const struct loops counted_loops[] = {
#define SHEAFBENCH_SIZE(size) \
	{ size, counted_alloc_##size, counted_pair_##size, counted_swap_##size, counted_free },
#include "sheafbench_lists.h"
	{ }
};

static const struct loops counted_atomic_loops[] = {
#define SHEAFBENCH_SIZE(size)							\
	{ size, counted_atomic_alloc_##size, counted_atomic_pair_##size,	\
	  counted_atomic_swap_##size, counted_free },
#include "sheafbench_lists.h"
	{ }
};

/* The loops of a source that learns the size at run time. */
#define ANY_SIZE(source)						\
static noinline void source##_alloc(struct region *region)		\
{									\
	source##_alloc_loop(region, 0, SLEEPING);			\
}									\
									\
static noinline void source##_pair(struct region *region)		\
{									\
	source##_pair_loop(region, 0, SLEEPING);			\
}									\
									\
static noinline void source##_swap(struct region *region)		\
{									\
	source##_swap_loop(region, 0, SLEEPING);			\
}									\
									\
static noinline void source##_alloc_atomic(struct region *region)	\
{									\
	source##_alloc_loop(region, 0, ATOMIC);				\
}									\
									\
static noinline void source##_pair_atomic(struct region *region)	\
{									\
	source##_pair_loop(region, 0, ATOMIC);				\
}									\
									\
static noinline void source##_swap_atomic(struct region *region)	\
{									\
	source##_swap_loop(region, 0, ATOMIC);				\
}									\
									\
static noinline void source##_free(struct region *region)		\
{									\
	source##_free_loop(region);					\
}									\
									\
COUNTED(source##_alloc, source##_alloc_loop(region, 0, SLEEPING))	\
COUNTED(source##_pair, source##_pair_loop(region, 0, SLEEPING))		\
COUNTED(source##_swap, source##_swap_loop(region, 0, SLEEPING))		\
COUNTED(source##_free, source##_free_loop(region))			\
									\
static const struct loops source##_loops[] = {				\
	{ 0, source##_alloc, source##_pair, source##_swap, source##_free }, \
	{ 0, source##_alloc_atomic, source##_pair_atomic, source##_swap_atomic, source##_free }, \
	{ 0, counted_##source##_alloc, counted_##source##_pair, counted_##source##_swap, \
	  counted_##source##_free },					\
}

/* In the order of struct source. */
#define ANY_LOOPS(source)	{ &source##_loops[0], &source##_loops[1], &source##_loops[2] }
#define KMALLOC_LOOPS		{ sleeping_loops, atomic_loops, counted_loops }
#define ATOMIC_LOOPS		{ atomic_loops, atomic_loops, counted_atomic_loops }

static const struct loops empty_loops = { 0, no_alloc, no_pair, no_swap, no_free };

struct workload;
struct helper;
struct run;

/* Which of its loops a source lends. */
enum { LOOPS_SLEEPING, LOOPS_ATOMIC, LOOPS_COUNTED, LOOPS_KINDS };

/* Where objects come from, and what is done around a run. All but the loops may be NULL. */
struct source {
	const struct loops *loops[LOOPS_KINDS];
	int (*begin)(struct run *run);
	void (*end)(struct run *run);		/* also after a begin() that failed */
	void (*settle)(struct run *run, u32 ops);	/* after each pass of so many */
	void (*context)(struct run *run);	/* calls do_passes() in one */
	bool (*round)(struct helper *helper);	/* what a helper does all the time */
};

/* One run. */
struct run {
	struct sheafbench_run arg;
	const struct workload *workload;
	const struct source *source;
	const struct loops *real;	/* the allocator's */
	const struct loops *loops;	/* those, or the empty ones */
	struct kmem_cache *cache;	/* its own, if its source has one */
	struct helper **helper;
	u32 helpers, turn;		/* how many, and whose turn it is */
	u32 waiting;			/* objects for a grace period */
	atomic_t started, warm;		/* helpers that are */
	bool failed;			/* an allocation of a helper */
	u32 ops;			/* of the last pass, 0 after one that failed */
	u32 n;				/* objects in a pass */
	u32 pairs;			/* pairs in a region, unless that follows from n */
	u32 held;			/* objects in ordered[] that stay for the whole run */
	u32 regions, empties, cpu;
	bool marked;			/* with SHEAFBENCH_COUNT, past the warm-up */
	struct file *group;		/* arg.group's, or NULL */
	int group_error;
	u64 random;
	u64 ticks[SHEAFBENCH_PARTS];	/* of the sample that is being taken */
	u32 *index;			/* which object is freed when, see calc_order() */
	void **object;			/* in the order of allocation */
	void **ordered;			/* in the order of freeing */
	void *aside[32];
	void *placed[64];		/* dummies, before the first object of the run */
	u32 dummies;
	u64 *samples;			/* [parts][samples], then [samples] of gate and chain */
	u64 *empty[2];			/* the overhead of n and of 2n: [parts][empties] */
};

/*
 * A workload. A pass does one timed region for each part and leaves as many objects allocated as it
 * found. It returns the operations in a region, or 0 when an allocation failed.
 */
struct workload {
	const char *name;
	u32 (*pass)(struct run *run);
	const struct source *source;
	u32 least, most;		/* sizes */
	u32 flags, parts;
	const char *part[SHEAFBENCH_PARTS];
};

static u32 untimed(struct run *run, loop_fn loop, void **object, u32 n)
{
	struct region region = { .object = object, .n = n, .cache = run->cache };

	loop(&region);
	return region.done;
}

/* What ioctl(2) on the group would do: all of what it is and whether it counts is perf's to say. */
static void switch_group(struct run *run, unsigned int request)
{
	long error = run->group->f_op->unlocked_ioctl(run->group, request, 0);

	if (error)
		run->group_error = error;
}

/* A loop over n objects whose first operations are counted; returns how many it got through. */
static u32 counted(struct run *run, loop_fn loop, void **object, u32 n)
{
	u32 first = min(n, run->arg.counted), done;
	unsigned long flags = 0;

	/* Switching takes a mutex: interrupts go off after it. */
	switch_group(run, PERF_EVENT_IOC_ENABLE);
	if (run->arg.flags & SHEAFBENCH_IRQ_OFF)
		local_irq_save(flags);
	done = untimed(run, loop, object, first);
	if (run->arg.flags & SHEAFBENCH_IRQ_OFF)
		local_irq_restore(flags);
	switch_group(run, PERF_EVENT_IOC_DISABLE);
	return done < first ? done : first + untimed(run, loop, object + first, n - first);
}

/* Adds the time of a loop over n objects to a part; returns how many it got through. */
static u32 timed(struct run *run, u32 part, loop_fn loop, void **object, u32 n)
{
	struct region region = { .object = object, .n = n, .marked = run->marked,
				 .cache = run->cache };
	bool irq_off = run->arg.flags & SHEAFBENCH_IRQ_OFF;
	unsigned long flags = 0;
	u64 start;

	if (run->group && part == run->arg.part)
		return counted(run, loop, object, n);
	dither(&run->random);
	if (irq_off)
		local_irq_save(flags);
	start = clock_read();
	loop(&region);
	run->ticks[part] += clock_read() - start;
	if (run->marked)
		run->ticks[part] = region.ticks;
	if (irq_off)
		local_irq_restore(flags);
	return region.done;
}

/* After an allocation loop that got done objects: all n put in order, or none left. */
static bool put_in_order(struct run *run, u32 n, u32 done)
{
	u32 i;

	if (done < n) {
		untimed(run, run->loops->free, run->object, done);
		return false;
	}
	for (i = 0; i < n; i++)
		run->ordered[i] = run->object[run->index[i]];
	return true;
}

static u32 pass_alloc(struct run *run)
{
	u32 n = run->n;

	if (!put_in_order(run, n, timed(run, 0, run->loops->alloc, run->object, n)))
		return 0;
	return untimed(run, run->loops->free, run->ordered, n);
}

static u32 pass_free(struct run *run)
{
	u32 n = run->n;

	if (!put_in_order(run, n, untimed(run, run->loops->alloc, run->object, n)))
		return 0;
	return timed(run, 0, run->loops->free, run->ordered, n);
}

static u32 pass_pair(struct run *run)
{
	bool swap = run->held && run->arg.order != SHEAFBENCH_LIFO;
	u32 ops = swap ? run->n - 1 : run->pairs;
	loop_fn loop = swap ? run->loops->swap : run->loops->pair;

	return timed(run, 0, loop, run->ordered, ops) == ops ? ops : 0;
}

static u32 pass_batch(struct run *run)
{
	u32 n = run->n;

	if (!put_in_order(run, n, timed(run, 0, run->loops->alloc, run->object, n)))
		return 0;
	return timed(run, 1, run->loops->free, run->ordered, n);
}

/* Another's loop: what it would print for an operation stands for 100 of them. */
#define PEER(name)							\
static u32 pass_peer_##name(struct run *run)				\
{									\
	run->ticks[0] = peer_##name();					\
	return run->ticks[0] ? 100 : 0;					\
}

PEER(thread)
PEER(slabtest)
PEER(kunit_1)
PEER(kunit_10)
PEER(kunit_100)
PEER(kunit_1000)
PEER(nanobench)

/* Passes until there are enough regions, one has failed or a signal came. */
static void do_passes(struct run *run)
{
	u32 i;

	for (i = 0; i < run->regions; i++) {
		run->ops = run->workload->pass(run);
		if (!run->ops || signal_pending(current))
			return;
		if (run->source->settle)
			run->source->settle(run, run->ops);
	}
}

#include "known.h"
#include "sources.h"
#include "helpers.h"

static const struct workload workloads[] = {
#define SHEAFBENCH_WORKLOAD(name, pass, source, least, most, flags, parts, part, second) \
	{ #name, pass_##pass, &source_##source, least, most, flags, parts, { part, second } },
#include "sheafbench_lists.h"
};

#define BARE	(SHEAFBENCH_BARE | SHEAFBENCH_EMPTY)

/* Says in the caller's struct what is wrong, and returns the error. */
static __printf(3, 4) int refuse(struct sheafbench_run *arg, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vscnprintf(arg->text, sizeof(arg->text), format, args);
	va_end(args);
	return error;
}

static u64 max_bytes(void)
{
	u32 kib = READ_ONCE(max_kib);

	return kib ? (u64)kib << 10 : (u64)max(si_mem_available(), 0L) << PAGE_SHIFT >> 1;
}

static const struct loops *find_loops(const struct source *source, u32 size, u32 flags)
{
	const struct loops *loops = source->loops[flags & SHEAFBENCH_COUNT ? LOOPS_COUNTED :
						  flags & SHEAFBENCH_IRQ_OFF ? LOOPS_ATOMIC :
						  LOOPS_SLEEPING];

	while (loops->size && loops->size != size)
		loops++;
	return loops->alloc ? loops : NULL;
}

/* What a workload asks of the machine and of its caller. */
static int check_needs(struct sheafbench_run *arg, const struct workload *workload)
{
	if (arg->size < workload->least || arg->size > workload->most)
		return refuse(arg, -EINVAL, "size is %u, allowed for this workload: %u to %u",
			      arg->size, workload->least, workload->most);
	if (IS_ENABLED(CONFIG_PREEMPT_RT) && workload->flags & SHEAFBENCH_HARDIRQ)
		return refuse(arg, -EINVAL,
			      "a hardirq cannot allocate on PREEMPT_RT, allowed: other workloads");
	if (IS_ENABLED(CONFIG_PREEMPT_RT) && arg->flags & SHEAFBENCH_IRQ_OFF)
		return refuse(arg, -EINVAL, "flags are %#x, allowed on PREEMPT_RT: not %#x",
			      arg->flags, SHEAFBENCH_IRQ_OFF);
	if (arg->flags & SHEAFBENCH_IRQ_OFF &&
	    workload->flags & (SHEAFBENCH_TASK | SHEAFBENCH_HELPER))
		return refuse(arg, -EINVAL, "flags are %#x, allowed for this workload: not %#x",
			      arg->flags, SHEAFBENCH_IRQ_OFF);
	/* perf would sleep there. */
	if (arg->group && workload->source->context)
		return refuse(arg, -EINVAL,
			      "a group of counters, allowed for this workload: none");
	if (arg->flags & SHEAFBENCH_COUNT && workload->flags & SHEAFBENCH_HELPER)
		return refuse(arg, -EINVAL, "flags are %#x, allowed for this workload: not %#x",
			      arg->flags, SHEAFBENCH_COUNT);
	if (workload->flags & SHEAFBENCH_HELPER && num_online_cpus() < 2)
		return refuse(arg, -EINVAL,
			      "%u CPU is online, allowed for this workload: 2 or more",
			      num_online_cpus());
	if (workload->flags & SHEAFBENCH_CHARGED && !is_charged())
		return refuse(arg, -EINVAL,
			      "objects would be charged to nobody: move the caller to a cgroup that is not the root");
	if (workload->source == &source_prefill && !has_prefill())
		return refuse(arg, -EINVAL,
			      "prefilled sheaves: load the module with prefill_sheaf=, alloc_from_sheaf= and return_sheaf= of /proc/kallsyms");
	return 0;
}

/* Looks at all of the parameters before anything is allocated. */
static int check(struct sheafbench_run *arg)
{
	const struct workload *workload;
	u64 bytes, most = max_bytes();
	u32 held;
	int error;

	if (arg->abi != SHEAFBENCH_ABI)
		return refuse(arg, -EINVAL, "abi is %u, allowed: %u (of the same source)", arg->abi,
			      SHEAFBENCH_ABI);
	if (arg->workload >= ARRAY_SIZE(workloads))
		return refuse(arg, -EINVAL, "workload is %u, allowed: 0 to %zu", arg->workload,
			      ARRAY_SIZE(workloads) - 1);
	workload = &workloads[arg->workload];
	if (!find_loops(&source_kmalloc, arg->size, 0))
		return refuse(arg, -EINVAL, "size is %u, allowed:"
#define SHEAFBENCH_SIZE(size) " " #size
#include "sheafbench_lists.h"
			      , arg->size);
	if (!arg->n || arg->n > SHEAFBENCH_MAX_N)
		return refuse(arg, -EINVAL, "n is %u, allowed: 1 to %u", arg->n, SHEAFBENCH_MAX_N);
	if (arg->order >= SHEAFBENCH_ORDERS)
		return refuse(arg, -EINVAL, "order is %u, allowed: %u lifo, %u fifo, %u shuffled",
			      arg->order, SHEAFBENCH_LIFO, SHEAFBENCH_FIFO, SHEAFBENCH_SHUFFLED);
	if (arg->flags & ~(SHEAFBENCH_IRQ_OFF | SHEAFBENCH_NO_GATE | SHEAFBENCH_HALF_GATE |
			   SHEAFBENCH_COUNT | BARE))
		return refuse(arg, -EINVAL,
			      "flags are %#x, allowed: %#x (interrupts off), %#x (no gate), %#x (half), %#x (count), %#x (bare), %#x (empty)",
			      arg->flags, SHEAFBENCH_IRQ_OFF, SHEAFBENCH_NO_GATE,
			      SHEAFBENCH_HALF_GATE, SHEAFBENCH_COUNT, SHEAFBENCH_BARE,
			      SHEAFBENCH_EMPTY);
	if (!arg->samples || arg->samples > SHEAFBENCH_MAX_SAMPLES)
		return refuse(arg, -EINVAL, "samples are %u, allowed: 1 to %u", arg->samples,
			      SHEAFBENCH_MAX_SAMPLES);
	if (workload->flags & SHEAFBENCH_PEER &&
	    (arg->size != PEER_SIZE || arg->n != 1 || arg->samples > SHEAFBENCH_MAX_PEER))
		return refuse(arg, -EINVAL,
			      "size %u, n %u, samples %u, allowed for this workload: %u, 1, 1 to %u",
			      arg->size, arg->n, arg->samples, PEER_SIZE, SHEAFBENCH_MAX_PEER);
	if (arg->flags & SHEAFBENCH_COUNT &&
	    (!HAS_MARKERS || arg->flags & SHEAFBENCH_IRQ_OFF ||
	     workload->flags & SHEAFBENCH_PEER))
		return refuse(arg, -EINVAL, "counted are own loops, on x86, with interrupts on");
	if (workload->flags & SHEAFBENCH_KNOWN &&
	    (!(arg->flags & SHEAFBENCH_COUNT) || arg->n != 1 || IS_ENABLED(CONFIG_UML)))
		return refuse(arg, -EINVAL,
			      "known sequences: flags have %#x, n is 1, and not on uml",
			      SHEAFBENCH_COUNT);
	if (arg->ops > SHEAFBENCH_MAX_OPS)
		return refuse(arg, -EINVAL, "ops are %u, allowed: 0 (chosen here) to %u", arg->ops,
			      SHEAFBENCH_MAX_OPS);
	if (arg->group && (!(arg->flags & BARE) || arg->part >= workloads[arg->workload].parts))
		return refuse(arg, -EINVAL,
			      "group counts in part %u, allowed: 0 to %u, and flags %#x or %#x",
			      arg->part, workloads[arg->workload].parts - 1, SHEAFBENCH_BARE,
			      SHEAFBENCH_EMPTY);
	error = check_needs(arg, workload);
	if (error)
		return error;
	if (current->nr_cpus_allowed != 1)
		return refuse(arg, -EINVAL, "the caller may run on %d CPUs: bind it to one first",
			      current->nr_cpus_allowed);

	held = !(workload->flags & SHEAFBENCH_HELPER) ? 1 :
	       workload->flags & SHEAFBENCH_ALL_CPUS ? num_online_cpus() : 2;
	bytes = (u64)arg->n * held * kmalloc_size_roundup(arg->size) +
		(u64)arg->samples * (SHEAFBENCH_PARTS + 2) * sizeof(u64);
	if (bytes > most)
		return refuse(arg, -ENOMEM, "needs %llu KiB, allowed: %llu: lower n or size",
			      bytes >> 10, most >> 10);
	return 0;
}

/* For the context switches on the way to it and back. */
static long nothing(void *unused)
{
	return 0;
}

static int passes(struct run *run, u32 *ops)
{
	run->ops = 0;
	if (run->source->context)
		run->source->context(run);
	else
		do_passes(run);
	*ops = run->ops;
	if (!run->ops || READ_ONCE(run->failed))
		return refuse(&run->arg, -ENOMEM, "an allocation failed: lower n or size");
	if (run->group_error)
		return refuse(&run->arg, -EBADF, "group: the counters cannot be started (%d)",
			      run->group_error);
	if (signal_pending(current))
		return refuse(&run->arg, -EINTR, "a signal ended the run");
	if (raw_smp_processor_id() != run->cpu)
		return refuse(&run->arg, -EBUSY, "moved to another CPU: bind the caller to one");
	return 0;
}

/*
 * One sample. What the CPU has learnt of the loop's loads, stores and branches lasts for many
 * samples until an interrupt disturbs it, and is worth up to a fifth of the time; so is where the
 * object and its slot in the sheaf lie, of which a pair has but one. So before each sample a worker
 * runs, which makes it begin in much the same state each time, and some objects are set aside.
 */
static int sample(struct run *run, u32 *ops)
{
	u32 aside = calc_random(&run->random) % ARRAY_SIZE(run->aside);
	int error;

	memset(run->ticks, 0, sizeof(run->ticks));
	if (run->arg.flags & BARE)
		return passes(run, ops);
	aside = untimed(run, run->loops->alloc, run->aside, aside);
	work_on_cpu(run->cpu, nothing, NULL);
	error = passes(run, ops);
	untimed(run, run->loops->free, run->aside, aside);
	cond_resched();
	return error;
}

/* The next sample of the overhead, of n and of 2n operations in a region. */
static int sample_empty(struct run *run, u32 at, u32 ops[2])
{
	const struct loops *loops = run->loops;
	u32 twice, part;
	int error = 0;

	run->loops = &empty_loops;
	for (twice = 0; twice < 2 && !error; twice++) {
		run->n <<= twice;
		run->pairs <<= twice;
		error = sample(run, &ops[twice]);
		run->n >>= twice;
		run->pairs >>= twice;
		for (part = 0; part < run->workload->parts; part++)
			run->empty[twice][part * run->empties + at] = run->ticks[part];
	}
	run->loops = loops;
	return error;
}

/*
 * The location of the overhead is its 5 % quantile: that of quiet samples, on a machine that others
 * use too. What takes n operations and what takes 2n tell the reads from the loop.
 */
static void overhead(struct run *run, const u32 ops[2])
{
	s64 p05[2], step = (s64)run->regions * (ops[1] - ops[0]);
	u32 part, twice;

	for (part = 0; part < run->workload->parts; part++) {
		for (twice = 0; twice < 2; twice++) {
			u64 *empty = run->empty[twice] + part * run->empties;

			sort_u64(empty, run->empties);
			p05[twice] = calc_p05_centi(empty, run->empties);
		}
		run->arg.overhead_cticks[part] = p05[0];
		run->arg.loop_cticks[part] = div_s64(p05[1] - p05[0], step);
		run->arg.read_cticks[part] = div_s64(p05[0], run->regions) -
					     div_s64((p05[1] - p05[0]) * ops[0], step);
	}
}

/*
 * The gate: another tenant on the sibling thread takes issue slots, so that independent additions
 * take longer, and so does the sample between two such probes. The dearer one of them tells the
 * sample's state; the sample itself has no say. The chain tells the clock of the core.
 */
static int gated_sample(struct run *run, u32 *ops, u64 *gate, u64 *links, bool odd)
{
	u64 before;
	int error;

	if (run->workload->flags & SHEAFBENCH_PEER ||
	    run->arg.flags & (SHEAFBENCH_NO_GATE | BARE) ||
	    (odd && run->arg.flags & SHEAFBENCH_HALF_GATE))
		return sample(run, ops);
	*links = probe(&run->random, chain, SHEAFBENCH_CHAIN_ADDS << odd);
	before = probe(&run->random, throughput, SHEAFBENCH_GATE_ADDS);
	error = sample(run, ops);
	*gate = max(before, probe(&run->random, throughput, SHEAFBENCH_GATE_ADDS));
	return error;
}

/* Time that others took, as hwlat sees it: gaps of over 1 us between two reads of the counter. */
static void find_gaps(struct run *run)
{
	u32 khz = clock_rate();
	u64 start = clock_read(), last = start, now, limit = khz / 1000;

	do {
		now = clock_read();
		if (now - last > limit) {
			run->arg.noise_lost += now - last;
			run->arg.noise_largest = max(run->arg.noise_largest, now - last);
		}
		last = now;
	} while (now - start < 2 * (u64)khz);
	run->arg.noise_ticks = now - start;
}

static int take_samples(struct run *run)
{
	u32 i, part, empties = 0, ops, empty_ops[2];
	u64 *gates = run->samples + run->workload->parts * run->arg.samples;
	int error;

	if (run->arg.flags & SHEAFBENCH_EMPTY)
		run->loops = &empty_loops;
	/* The first ones fill sheaves, caches and predictors; who reads them finds out how many. */
	for (i = 0; i < run->arg.samples; i++) {
		for (; empties * (u64)run->arg.samples < (i + 1) * (u64)run->empties; empties++) {
			error = sample_empty(run, empties, empty_ops);
			if (error)
				return error;
		}
		error = gated_sample(run, &ops, &gates[i], &gates[run->arg.samples + i], i & 1);
		if (error)
			return error;
		for (part = 0; part < run->workload->parts; part++)
			run->samples[part * run->arg.samples + i] = run->ticks[part];
	}
	if (!(run->arg.flags & BARE))
		find_gaps(run);
	if (run->empties)
		overhead(run, empty_ops);
	run->arg.ops = ops * run->regions;
	run->arg.regions = run->regions;
	run->arg.cpu = run->cpu;
	return 0;
}

/*
 * Windows to count in place of samples: one pass each, with nothing between the markers but the
 * loop, and all alike once the passes before have filled sheaves and caches.
 */
static int take_windows(struct run *run)
{
	u32 warm = clamp(WARM_OPS / run->pairs, 4, 64), parts = run->workload->parts, i, part, ops;
	unsigned long tick;
	int error;

	asm volatile(MARK(SHEAFBENCH_MARK_ARM));
	for (i = 0; i < warm + run->arg.samples; i++) {
		run->marked = i >= warm;
		/* Right after a tick the next one is millions of instructions away. */
		if (i == warm)
			for (tick = jiffies + 1; time_before(jiffies, tick);)
				cpu_relax();
		error = passes(run, &ops);
		if (error)
			return error;
		for (part = 0; part < parts && run->marked; part++)
			run->samples[part * run->arg.samples + i - warm] = run->ticks[part];
	}
	run->arg.ops = ops;
	run->arg.regions = 1;
	run->arg.cpu = run->cpu;
	return 0;
}

/* How many operations go in a region, and how many regions in a sample. */
static void plan(struct run *run)
{
	u32 ops = run->n;

	if (run->workload->flags & SHEAFBENCH_HOLDS) {
		run->held = run->n - 1;
		ops = run->held;
		if (!ops || run->arg.order == SHEAFBENCH_LIFO)
			ops = clamp(run->arg.ops ?: 1000, 1, SHEAFBENCH_MAX_N);
	}
	run->pairs = ops;
	if (run->workload->flags & SHEAFBENCH_PEER || run->arg.flags & SHEAFBENCH_COUNT) {
		run->regions = 1;
		return;
	}
	run->regions = run->arg.ops ? DIV_ROUND_UP(run->arg.ops, ops) :
				      calc_regions(clock.step_cticks, clock_rate(), ops);
}

static int prepare(struct run *run)
{
	u32 n = run->arg.n, room = 2 * n, parts = run->workload->parts, count, i;

	run->index = kvmalloc_array(room, sizeof(*run->index), ARRAYS);
	run->object = kvmalloc_array(room, sizeof(*run->object), ARRAYS);
	run->ordered = kvmalloc_array(room, sizeof(*run->ordered), ARRAYS);
	run->samples = kvcalloc(run->arg.samples, (parts + 2) * sizeof(u64), ARRAYS);
	run->empty[0] = kvcalloc(run->empties, parts * sizeof(u64), ARRAYS);
	run->empty[1] = kvcalloc(run->empties, parts * sizeof(u64), ARRAYS);
	if (!run->index || !run->object || !run->ordered || !run->samples || !run->empty[0] ||
	    !run->empty[1])
		return refuse(&run->arg, -ENOMEM, "no memory for the samples: lower samples or n");

	/* The empty loops go to 2n, and want pointers that are not NULL. */
	for (i = 0; i < room; i++) {
		run->index[i] = i;
		run->object[i] = run;
		run->ordered[i] = run;
	}
	/* Where in its slab the first object of the run lies is drawn, too. */
	i = run->arg.seed ? calc_random(&run->random) >> 58 : 0;
	run->dummies = untimed(run, run->real->alloc, run->placed, i);
	if (run->dummies < i)
		return refuse(&run->arg, -ENOMEM, "an allocation failed: lower n or size");
	count = run->workload->flags & SHEAFBENCH_HOLDS ? run->held : n;
	calc_order(run->index, count, run->arg.order, run->arg.seed);
	count = untimed(run, run->loops->alloc, run->object, run->held);
	if (!put_in_order(run, run->held, count))
		return refuse(&run->arg, -ENOMEM, "an allocation failed: lower n or size");
	return 0;
}

static int measure(struct run *run, u64 __user *buffer)
{
	size_t bytes;
	int error = 0;

	run->cpu = raw_smp_processor_id();
	run->workload = &workloads[run->arg.workload];
	run->source = run->workload->source;
	run->real = find_loops(run->source, run->arg.size, run->arg.flags);
	run->loops = run->real;
	run->n = run->arg.n;
	run->random = run->arg.seed;
	if (!(run->workload->flags & SHEAFBENCH_PEER) && !(run->arg.flags & BARE))
		run->empties = clamp(run->arg.samples / 8, 32, 1024);
	bytes = run->arg.samples * sizeof(u64) * (run->workload->parts + 2);
	/* Before the run is worth something. */
	if (clear_user(buffer, bytes))
		return refuse(&run->arg, -EFAULT, "buffer cannot be written: %zu bytes", bytes);
	plan(run);
	if (run->arg.group) {
		run->group = fget(run->arg.group);
		if (!run->group || !run->group->f_op->unlocked_ioctl)
			error = refuse(&run->arg, -EBADF, "group %u is no group of counters",
				       run->arg.group);
	}
	if (!error && run->source->begin)
		error = run->source->begin(run);
	if (error && !*run->arg.text)
		refuse(&run->arg, error, error == -EINTR ? "a signal ended the run" :
		       "no memory for a cache or for helpers: lower n or size");
	if (!error)
		error = prepare(run);
	if (error)
		run->held = 0;	/* nothing is, yet */
	else
		error = run->arg.flags & SHEAFBENCH_COUNT ? take_windows(run) : take_samples(run);
	untimed(run, run->real->free, run->ordered, run->held);
	untimed(run, run->real->free, run->placed, run->dummies);
	if (run->source->end)
		run->source->end(run);
	if (!error && copy_to_user(buffer, run->samples, bytes))
		error = refuse(&run->arg, -EFAULT, "buffer cannot be written: %zu bytes", bytes);
	kvfree(run->empty[1]);
	kvfree(run->empty[0]);
	kvfree(run->samples);
	kvfree(run->ordered);
	kvfree(run->object);
	kvfree(run->index);
	if (run->group)
		fput(run->group);
	return error;
}

static DEFINE_MUTEX(one_run);

static int ioctl_run(struct sheafbench_run __user *user)
{
	struct run *run __free(kfree) = kzalloc(sizeof(*run), GFP_KERNEL);
	int error;

	if (!run)
		return -ENOMEM;
	if (copy_from_user(&run->arg, user, sizeof(run->arg)))
		return -EFAULT;
	memset(run->arg.text, 0, sizeof(run->arg.text));
	memset(run->arg.overhead_cticks, 0, sizeof(run->arg.overhead_cticks));
	memset(run->arg.read_cticks, 0, sizeof(run->arg.read_cticks));
	memset(run->arg.loop_cticks, 0, sizeof(run->arg.loop_cticks));
	run->arg.noise_ticks = 0;
	run->arg.noise_lost = 0;
	run->arg.noise_largest = 0;
	error = check(&run->arg);
	if (!error && !mutex_trylock(&one_run)) {
		error = refuse(&run->arg, -EBUSY, "another run is on: one at a time");
	} else if (!error) {
		error = measure(run, u64_to_user_ptr(run->arg.buffer));
		mutex_unlock(&one_run);
	}
	if (copy_to_user(user, &run->arg, sizeof(run->arg)))
		return -EFAULT;
	return error;
}

#include "flush.h"

static int ioctl_info(struct sheafbench_info __user *user)
{
	struct sheafbench_info info = {
		.abi = SHEAFBENCH_ABI,
		.workloads = ARRAY_SIZE(workloads),
		.clock = CLOCK_NAME,
		.clock_khz = clock_rate(),
		.step_cticks = clock.step_cticks,
		.max_n = SHEAFBENCH_MAX_N,
		.max_ops = SHEAFBENCH_MAX_OPS,
		.max_samples = SHEAFBENCH_MAX_SAMPLES,
		.max_bytes = max_bytes(),
	};

	return copy_to_user(user, &info, sizeof(info)) ? -EFAULT : 0;
}

static int ioctl_describe(struct sheafbench_describe __user *user)
{
	struct sheafbench_describe describe = { };
	const struct workload *workload;
	u32 part;

	if (get_user(describe.index, &user->index))
		return -EFAULT;
	if (describe.index >= ARRAY_SIZE(workloads))
		return -EINVAL;
	workload = &workloads[describe.index];
	describe.parts = workload->parts;
	describe.flags = workload->flags;
	strscpy(describe.name, workload->name);
	for (part = 0; part < SHEAFBENCH_PARTS; part++)
		strscpy(describe.part[part], workload->part[part]);
	return copy_to_user(user, &describe, sizeof(describe)) ? -EFAULT : 0;
}

static long device_ioctl(struct file *file, unsigned int command, unsigned long arg)
{
	void __user *user = (void __user *)arg;

	switch (command) {
	case SHEAFBENCH_IOC_INFO:
		return ioctl_info(user);
	case SHEAFBENCH_IOC_DESCRIBE:
		return ioctl_describe(user);
	case SHEAFBENCH_IOC_RUN:
		return ioctl_run(user);
	case SHEAFBENCH_IOC_FLUSH:
		return ioctl_flush(file, user);
	default:
		return -ENOTTY;
	}
}

static int device_open(struct inode *inode, struct file *file)
{
	return capable(CAP_SYS_ADMIN) ? stream_open(inode, file) : -EPERM;
}

static const struct file_operations device_operations = {
	.owner = THIS_MODULE,
	.open = device_open,
	.release = device_release,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = KBUILD_MODNAME,
	.fops = &device_operations,
	.mode = 0600,
};

static int __init sheafbench_init(void)
{
	int error = clock_init();

	sources_init();
	return error ?: misc_register(&device);
}

static void __exit sheafbench_exit(void)
{
	misc_deregister(&device);
}

module_init(sheafbench_init);
module_exit(sheafbench_exit);
MODULE_DESCRIPTION("Times kmalloc() and kfree() in loops");
MODULE_LICENSE("GPL");
