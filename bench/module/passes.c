// SPDX-License-Identifier: GPL-2.0
/* Sources of objects, runs, and the passes that runs are made of. */
struct workload;
struct helper;
struct run;

/* Which of its loops a source lends. */
enum { LOOPS_SLEEPING, LOOPS_ATOMIC, LOOPS_MARKED, LOOPS_KINDS };

/* Where objects come from, and what is done around a run. All but the loops may be NULL. */
struct source {
	const struct loops *loops[LOOPS_KINDS];
	int (*begin)(struct run *run);
	void (*end)(struct run *run);		/* also after a begin() that failed */
	void (*settle)(struct run *run, u32 ops);	/* after each pass of so many */
	void (*context)(struct run *run);	/* calls do_passes() in one */
	bool (*round)(struct helper *helper);	/* what a helper does all the time */
	const struct loops *empty;		/* in place of empty_loops */
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
	bool marked;			/* with SHEAFBENCH_WINDOWS, past the warm-up */
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
static u32 with_counters(struct run *run, loop_fn loop, void **object, u32 n)
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
		return with_counters(run, loop, object, n);
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
