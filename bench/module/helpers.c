// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that help a run, on one other CPU or on each that is online. They wait for each other by
 * spinning before they begin, the run begins when all are warm, and they go on until it is over.
 * Objects go from one CPU to another through rings of one producer and one consumer each.
 */

#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/log2.h>

#define WARM_ROUNDS	64

struct helper {
	struct run *run;
	struct task_struct *task;
	void **object;			/* of its own, as many as the run holds at once */
	u32 mask;			/* places in the ring, less one */
	u32 head ____cacheline_aligned;	/* the producer's: where the next object goes */
	u32 tail ____cacheline_aligned;	/* the consumer's: where it comes from */
	void *ring[] ____cacheline_aligned;
};

static bool ring_put(struct helper *helper, void *object)
{
	u32 head = helper->head;

	/* Pairs with the release in ring_take(): the place is free. */
	if (head - smp_load_acquire(&helper->tail) > helper->mask)
		return false;
	helper->ring[head & helper->mask] = object;
	/* Pairs with the acquire in ring_take(): the object, and what it holds, comes first. */
	smp_store_release(&helper->head, head + 1);
	return true;
}

static void *ring_take(struct helper *helper)
{
	u32 tail = helper->tail;
	void *object;

	/* Pairs with the release in ring_put(). */
	if (smp_load_acquire(&helper->head) == tail)
		return NULL;
	object = helper->ring[tail & helper->mask];
	/* Pairs with the acquire in ring_put(): the place has been read. */
	smp_store_release(&helper->tail, tail + 1);
	return object;
}

/* The rounds of the helpers; false when an allocation failed. */
static bool round_crowd(struct helper *helper)
{
	struct run *run = helper->run;
	u32 done = untimed(run, run->real->alloc, helper->object, run->arg.n);

	untimed(run, run->real->free, helper->object, done);
	return done == run->arg.n;
}

static bool round_produce(struct helper *helper)
{
	struct run *run = helper->run;

	while (helper->head - READ_ONCE(helper->tail) <= helper->mask) {
		if (untimed(run, run->real->alloc, helper->object, 1) != 1)
			return false;
		ring_put(helper, helper->object[0]);
	}
	return true;
}

static bool round_consume(struct helper *helper)
{
	void *object;

	while ((object = ring_take(helper)))
		kfree(object);
	return true;
}

static int helper_thread(void *data)
{
	struct helper *helper = data;
	struct run *run = helper->run;
	u32 rounds = 0;

	atomic_inc(&run->started);
	while (!kthread_should_stop()) {
		if (atomic_read(&run->started) < run->helpers) {
			cpu_relax();
		} else {
			if (!run->source->round(helper))
				WRITE_ONCE(run->failed, true);
			if (++rounds == WARM_ROUNDS)
				atomic_inc(&run->warm);
			cpu_relax();
		}
		cond_resched();
	}
	return 0;
}

/*
 * Before the programs with SCHED_FIFO, so that nobody waits for what keeps it off its CPU. One that
 * is on this CPU, because its own went offline, would keep the caller from stopping it.
 */
static void stop_thread(struct task_struct *task)
{
	if (task_cpu(task) != raw_smp_processor_id())
		sched_set_fifo(task);
	kthread_stop(task);
}

/* Also of what has begun in part only. */
static void end_helpers(struct run *run)
{
	void *object;
	u32 i;

	for (i = 0; i < run->helpers && run->helper[i]; i++)
		if (run->helper[i]->task)
			stop_thread(run->helper[i]->task);
	for (i = 0; i < run->helpers && run->helper[i]; i++) {
		while ((object = ring_take(run->helper[i])))
			kfree(object);
		kvfree(run->helper[i]->object);
		kvfree(run->helper[i]);
	}
	kfree(run->helper);
}

static int start_helper(struct run *run, u32 i, u32 cpu)
{
	u32 places = roundup_pow_of_two(run->arg.n);
	struct helper *helper = kvzalloc(struct_size(helper, ring, places), ARRAYS);

	run->helper[i] = helper;
	if (!helper)
		return -ENOMEM;
	helper->run = run;
	helper->mask = places - 1;
	helper->object = kvmalloc_array(run->arg.n, sizeof(*helper->object), ARRAYS);
	if (!helper->object)
		return -ENOMEM;
	helper->task = kthread_create_on_cpu(helper_thread, helper, cpu, KBUILD_MODNAME "/%u");
	if (!IS_ERR(helper->task))
		return 0;
	helper->task = NULL;
	return -ENOMEM;
}

static int begin_helpers(struct run *run)
{
	u32 i = 0, cpu, online = num_online_cpus();
	int error;

	run->helpers = run->workload->flags & SHEAFBENCH_ALL_CPUS && online > 1 ? online - 1 : 1;
	run->helper = kcalloc(run->helpers, sizeof(*run->helper), GFP_KERNEL);
	if (!run->helper) {
		run->helpers = 0;
		return -ENOMEM;
	}
	for_each_online_cpu(cpu) {
		if (cpu == run->cpu || i == run->helpers)
			continue;
		error = start_helper(run, i++, cpu);
		if (error)
			return error;
	}
	/* One that went offline meanwhile. */
	run->helpers = i;
	if (!i)
		return -EBUSY;
	for (i = 0; i < run->helpers; i++)
		wake_up_process(run->helper[i]->task);
	while (atomic_read(&run->warm) < run->helpers) {
		if (signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return READ_ONCE(run->failed) ? -ENOMEM : 0;
}

static struct helper *next_helper(struct run *run)
{
	return run->helper[run->turn++ % run->helpers];
}

/* n objects allocated here, and freed by the helpers. */
static u32 pass_give(struct run *run)
{
	u32 i, n = run->n;

	if (!put_in_order(run, n, timed(run, 0, run->loops->alloc, run->object, n)))
		return 0;
	for (i = 0; i < n && run->loops != &empty_loops; i++) {
		struct helper *helper = next_helper(run);

		while (!ring_put(helper, run->ordered[i])) {
			if (signal_pending(current)) {
				untimed(run, run->real->free, run->ordered + i, n - i);
				return 0;
			}
			cond_resched();
		}
	}
	return n;
}

/* n objects that the helpers have allocated, freed here. */
static u32 pass_take(struct run *run)
{
	u32 i, n = run->n;

	for (i = 0; i < n && run->loops != &empty_loops; i++) {
		struct helper *helper = next_helper(run);

		while (!(run->object[i] = ring_take(helper)) && !READ_ONCE(run->failed) &&
		       !signal_pending(current))
			cond_resched();
		if (!run->object[i])
			break;
	}
	if (!put_in_order(run, n, run->loops == &empty_loops ? n : i))
		return 0;
	return timed(run, 0, run->loops->free, run->ordered, n);
}

static const struct source source_crowd = { KMALLOC_LOOPS, begin_helpers, end_helpers,
					    .round = round_crowd };
static const struct source source_give = { KMALLOC_LOOPS, begin_helpers, end_helpers,
					   .round = round_consume };
static const struct source source_take = { KMALLOC_LOOPS, begin_helpers, end_helpers,
					   .round = round_produce };
