// SPDX-License-Identifier: GPL-2.0
/*
 * Flushes of the sheaves of other CPUs, one step at a time, so that who asks for them can look at
 * the kernel's own accounting right before and after: SHEAFBENCH_IOC_FLUSH.
 */

#include <linux/completion.h>
#include <linux/sched.h>
#include <linux/smp.h>

/* More than two sheaves hold, so that both are full afterwards and the barn has some. */
#define FILL_OBJECTS	256
#define FILL_RCU	8

/* There is one cache at a time, of whoever began. Under one_run. */
static struct {
	struct file *owner;
	struct kmem_cache *cache;
	u32 size;
	bool kmalloc;			/* what the busy threads use, not the cache */
	u32 rcu;			/* objects that a fill passes to kfree_rcu() */
	struct task_struct *busy[SHEAFBENCH_MAX_CPUS];
	atomic_t failed;		/* allocations */
} flush;

static void flush_none(void)
{
}

static void flush_shrink(void)
{
	kmem_cache_shrink(flush.cache);
}

static void flush_destroy(void)
{
	kmem_cache_destroy(flush.cache);
	flush.cache = NULL;
}

static void flush_barrier_on(void)
{
	kvfree_rcu_barrier_on_cache(flush.cache);
}

static void flush_barrier(void)
{
	kvfree_rcu_barrier();
}

static const struct {
	const char *name;
	void (*flush)(void);
} flushes[] = {
#define SHEAFBENCH_FLUSH(name) { #name, flush_##name },
#include "sheafbench_lists.h"
};

/* On each CPU. */
static void fill_sheaves(void *objects)
{
	void **object = objects;
	u32 i, n;

	for (n = 0; n < FILL_OBJECTS; n++) {
		object[n] = kmem_cache_alloc(flush.cache, ATOMIC);
		if (!object[n])
			atomic_inc(&flush.failed);
		if (!object[n])
			break;
	}
	for (i = 0; i < n; i++)
		if (i < flush.rcu && flush.size >= sizeof(struct rcu_object))
			kfree_rcu((struct rcu_object *)object[i], rcu);
		else
			kmem_cache_free(flush.cache, object[i]);
}

#ifdef CONFIG_PREEMPT_RT
struct fill {
	void *objects;
	struct completion done;
};

static int fill_thread(void *data)
{
	struct fill *fill = data;

	fill_sheaves(fill->objects);
	complete(&fill->done);
	return 0;
}

/* A hardirq cannot allocate: in a thread that comes before the programs with SCHED_FIFO. */
static int fill_on(u32 cpu, void *objects)
{
	struct fill fill = { .objects = objects };
	struct task_struct *task;

	init_completion(&fill.done);
	task = kthread_create_on_cpu(fill_thread, &fill, cpu, KBUILD_MODNAME "-fill/%u");
	if (IS_ERR(task))
		return PTR_ERR(task);
	sched_set_fifo(task);
	wake_up_process(task);
	wait_for_completion(&fill.done);
	return 0;
}
#else
/* In its hardirq: it is reached whatever runs there. */
static int fill_on(u32 cpu, void *objects)
{
	return smp_call_function_single(cpu, fill_sheaves, objects, 1);
}
#endif

static int busy_thread(void *unused)
{
	while (!kthread_should_stop()) {
		void *object;

		if (kthread_should_park())
			kthread_parkme();
		object = flush.kmalloc ? kmalloc(64, SLEEPING) :
					 kmem_cache_alloc(flush.cache, SLEEPING);
		if (flush.kmalloc)
			kfree(object);
		else if (object)
			kmem_cache_free(flush.cache, object);
		cond_resched();
	}
	return 0;
}

/* Ends what was begun. */
static void flush_end(void)
{
	u32 cpu;

	for (cpu = 0; cpu < SHEAFBENCH_MAX_CPUS; cpu++) {
		if (flush.busy[cpu])
			kthread_stop(flush.busy[cpu]);
		flush.busy[cpu] = NULL;
	}
	kmem_cache_destroy(flush.cache);
	flush.cache = NULL;
	flush.owner = NULL;
}

static int flush_fill(struct sheafbench_flush *arg, struct file *file)
{
	void **object __free(kfree) = NULL;
	u32 cpu;
	int error;

	if (flush.owner != file || flush.size != arg->size) {
		flush_end();
		flush.owner = file;
		flush.size = arg->size;
	}
	object = kmalloc_array(FILL_OBJECTS, sizeof(*object), GFP_KERNEL);
	if (!flush.cache)
		flush.cache = kmem_cache_create(KBUILD_MODNAME "-flush", arg->size, 0,
						SLAB_NO_MERGE, NULL);
	if (!object || !flush.cache)
		return -ENOMEM;
	/* A cache that is destroyed is nothing to be busy with. */
	flush.kmalloc = flushes[arg->op].flush == flush_destroy;
	/* For others they would be an interruption of their own, by RCU. */
	flush.rcu = flushes[arg->op].flush == flush_barrier ||
		    flushes[arg->op].flush == flush_barrier_on ? FILL_RCU : 0;
	for (cpu = 0; cpu < SHEAFBENCH_MAX_CPUS; cpu++) {
		if (!(arg->cpus >> cpu & 1))
			continue;
		/* Inside of its critical section kfree_rcu() finds no sheaf: it queues work. */
		if (flush.busy[cpu])
			kthread_park(flush.busy[cpu]);
		error = fill_on(cpu, object);
		if (flush.busy[cpu])
			kthread_unpark(flush.busy[cpu]);
		if (error)
			return error;
		if (!arg->busy || flush.busy[cpu] || cpu == raw_smp_processor_id())
			continue;
		flush.busy[cpu] = kthread_create_on_cpu(busy_thread, NULL, cpu,
							KBUILD_MODNAME "/%u");
		if (IS_ERR(flush.busy[cpu])) {
			flush.busy[cpu] = NULL;
			return -ENOMEM;
		}
		wake_up_process(flush.busy[cpu]);
	}
	return atomic_xchg(&flush.failed, 0) ? -ENOMEM : 0;
}

static __printf(3, 4) int flush_refuse(struct sheafbench_flush *arg, int error,
				       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vscnprintf(arg->text, sizeof(arg->text), format, args);
	va_end(args);
	return error;
}

static int flush_check(struct sheafbench_flush *arg)
{
	u32 cpu;

	if (arg->abi != SHEAFBENCH_ABI)
		return flush_refuse(arg, -EINVAL, "abi is %u, allowed: %u (of the same source)",
				    arg->abi, SHEAFBENCH_ABI);
	if (arg->op >= ARRAY_SIZE(flushes))
		return flush_refuse(arg, -EINVAL, "op is %u, allowed: 0 to %zu", arg->op,
				    ARRAY_SIZE(flushes) - 1);
	if (arg->step >= SHEAFBENCH_STEPS)
		return flush_refuse(arg, -EINVAL, "step is %u, allowed: 0 to %u", arg->step,
				    SHEAFBENCH_STEPS - 1);
	if (!find_loops(&source_kmalloc, arg->size, 0))
		return flush_refuse(arg, -EINVAL, "size is %u, allowed:"
#define SHEAFBENCH_SIZE(size) " " #size
#include "sheafbench_lists.h"
				    , arg->size);
	if (arg->busy > 1)
		return flush_refuse(arg, -EINVAL, "busy is %u, allowed: 0 and 1", arg->busy);
	for (cpu = 0; cpu < SHEAFBENCH_MAX_CPUS; cpu++)
		if (arg->cpus >> cpu & 1 && (cpu >= nr_cpu_ids || !cpu_online(cpu)))
			return flush_refuse(arg, -EINVAL,
					    "CPU %u is not online, allowed: bits of %*pbl", cpu,
					    cpumask_pr_args(cpu_online_mask));
	if (current->nr_cpus_allowed != 1)
		return flush_refuse(arg, -EINVAL,
				    "the caller may run on %d CPUs: bind it to one first",
				    current->nr_cpus_allowed);
	return 0;
}

static int flush_step(struct sheafbench_flush *arg, struct file *file)
{
	int error;

	switch (arg->step) {
	case SHEAFBENCH_FILL:
		error = flush_fill(arg, file);
		if (!error)
			return 0;
		flush_end();
		if (error == -ENXIO)
			return flush_refuse(arg, error, "CPU offline, allowed: bits of %*pbl",
					    cpumask_pr_args(cpu_online_mask));
		return flush_refuse(arg, error, "an allocation failed: lower size");
	case SHEAFBENCH_FLUSH_NOW:
		if (flush.owner != file || (!flush.cache && flushes[arg->op].flush != flush_none))
			return flush_refuse(arg, -EINVAL, "nothing to flush: step %u first",
					    SHEAFBENCH_FILL);
		arg->start = clock_read();
		flushes[arg->op].flush();
		arg->ticks = clock_read() - arg->start;
		return 0;
	default:
		if (flush.owner == file)
			flush_end();
		return 0;
	}
}

static int ioctl_flush(struct file *file, struct sheafbench_flush __user *user)
{
	struct sheafbench_flush *arg __free(kfree) = kzalloc(sizeof(*arg), GFP_KERNEL);
	int error;

	if (!arg)
		return -ENOMEM;
	if (copy_from_user(arg, user, sizeof(*arg)))
		return -EFAULT;
	memset(arg->text, 0, sizeof(arg->text));
	arg->start = 0;
	arg->ticks = 0;
	error = flush_check(arg);
	if (!error && !mutex_trylock(&one_run)) {
		error = flush_refuse(arg, -EBUSY, "another run is on: one at a time");
	} else if (!error) {
		if (flush.owner && flush.owner != file)
			error = flush_refuse(arg, -EBUSY, "another's cache is there: one only");
		else
			error = flush_step(arg, file);
		mutex_unlock(&one_run);
	}
	return copy_to_user(user, arg, sizeof(*arg)) ? -EFAULT : error;
}

/* Who closes the device leaves no cache and no thread behind. */
static int device_release(struct inode *inode, struct file *file)
{
	mutex_lock(&one_run);
	if (flush.owner == file)
		flush_end();
	mutex_unlock(&one_run);
	return 0;
}
