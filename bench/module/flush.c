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

/*
 * There is one cache at a time, of whoever began; what it was filled for stays until all of that
 * has ended.
 */
static struct {
	struct mutex lock;		/* within one_run, but for who closes the device */
	struct file *owner;
	struct kmem_cache *cache;
	u32 op, size;
	struct task_struct *busy[SHEAFBENCH_MAX_CPUS];
	atomic_t failed;		/* allocations */
} flush = { .lock = __MUTEX_INITIALIZER(flush.lock) };

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
	static_call_cond(sheafbench_barrier_on)(flush.cache);
}

static void flush_barrier(void)
{
	static_call_cond(sheafbench_barrier)();
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
	u32 i, n, rcu = 0;

	/* For the other flushes they would be an interruption of their own, by RCU. */
	if (flush.size >= sizeof(struct rcu_object) &&
	    (flushes[flush.op].flush == flush_barrier ||
	     flushes[flush.op].flush == flush_barrier_on))
		rcu = FILL_RCU;

	for (n = 0; n < FILL_OBJECTS; n++) {
		object[n] = kmem_cache_alloc(flush.cache, ATOMIC);
		if (!object[n])
			atomic_inc(&flush.failed);
		if (!object[n])
			break;
	}
	for (i = 0; i < n; i++)
		if (i < rcu)
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
	/* A cache that is destroyed is nothing to be busy with. */
	const bool own = flushes[flush.op].flush != flush_destroy;

	while (!kthread_should_stop()) {
		void *object;

		if (kthread_should_park())
			kthread_parkme();
		object = own ? kmem_cache_alloc(flush.cache, SLEEPING) : kmalloc(64, SLEEPING);
		if (!own)
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
			stop_thread(flush.busy[cpu]);
		flush.busy[cpu] = NULL;
	}
	kmem_cache_destroy(flush.cache);
	flush.cache = NULL;
	flush.owner = NULL;
	atomic_set(&flush.failed, 0);
}

static int flush_fill(struct sheafbench_flush *arg, struct file *file)
{
	void **object __free(kfree) = NULL;
	u32 cpu;
	int error;

	if (flush.owner != file || flush.size != arg->size || flush.op != arg->op) {
		flush_end();
		flush.owner = file;
		flush.size = arg->size;
		flush.op = arg->op;
	}
	object = kmalloc_array(FILL_OBJECTS, sizeof(*object), GFP_KERNEL);
	if (!flush.cache)
		flush.cache = kmem_cache_create(KBUILD_MODNAME "-flush", arg->size, 0,
						SLAB_NO_MERGE, NULL);
	if (!object || !flush.cache)
		return -ENOMEM;
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
			error = PTR_ERR(flush.busy[cpu]);
			flush.busy[cpu] = NULL;
			return error;
		}
		wake_up_process(flush.busy[cpu]);
	}
	return atomic_xchg(&flush.failed, 0) ? -ENOMEM : 0;
}

static int flush_check(struct sheafbench_flush *arg)
{
	u32 cpu;

	if (arg->abi != SHEAFBENCH_ABI)
		return refuse(arg, -EINVAL, "abi is %u, allowed: %u (of the same source)", arg->abi,
			      SHEAFBENCH_ABI);
	if (arg->op >= ARRAY_SIZE(flushes))
		return refuse(arg, -EINVAL, "op is %u, allowed: 0 to %zu", arg->op,
			      ARRAY_SIZE(flushes) - 1);
	if ((flushes[arg->op].flush == flush_barrier ||
	     flushes[arg->op].flush == flush_barrier_on) && !has_barriers())
		return refuse(arg, -EINVAL, NO_BARRIERS);
	if (arg->step >= SHEAFBENCH_STEPS)
		return refuse(arg, -EINVAL, "step is %u, allowed: 0 to %u", arg->step,
			      SHEAFBENCH_STEPS - 1);
	if (!find_loops(&source_kmalloc, arg->size, 0))
		return refuse(arg, -EINVAL, "size is %u, allowed:%s", arg->size, sizes);
	if (arg->busy > 1)
		return refuse(arg, -EINVAL, "busy is %u, allowed: 0 and 1", arg->busy);
	for (cpu = 0; cpu < SHEAFBENCH_MAX_CPUS; cpu++)
		if (arg->cpus >> cpu & 1 && (cpu >= nr_cpu_ids || !cpu_online(cpu)))
			return refuse(arg, -EINVAL, "CPU %u is not online, allowed: bits of %*pbl",
				      cpu, cpumask_pr_args(cpu_online_mask));
	if (current->nr_cpus_allowed != 1)
		return refuse(arg, -EINVAL, "the caller may run on %d CPUs: bind it to one first",
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
			return refuse(arg, -EINVAL, "a CPU went offline, allowed: bits of %*pbl",
				      cpumask_pr_args(cpu_online_mask));
		if (error == -EINTR)
			return refuse(arg, error, "a signal ended the fill");
		return refuse(arg, -ENOMEM, "an allocation failed: lower size");
	case SHEAFBENCH_FLUSH_NOW:
		/* The busy threads and the sheaves are what that one's fill has left. */
		if (flush.owner != file ||
		    (flushes[arg->op].flush != flush_none &&
		     (!flush.cache || arg->op != flush.op)))
			return refuse(arg, -EINVAL, "nothing to flush: step %u of this op first",
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
		error = refuse(arg, -EBUSY, "another run is on: one at a time");
	} else if (!error) {
		scoped_guard(mutex, &flush.lock)
			error = flush.owner && flush.owner != file ?
				refuse(arg, -EBUSY, "another's cache is there: one only") :
				flush_step(arg, file);
		mutex_unlock(&one_run);
	}
	return copy_to_user(user, arg, sizeof(*arg)) ? -EFAULT : error;
}

/* Who closes the device leaves no cache and no thread behind, and waits for nobody's run. */
static int device_release(struct inode *inode, struct file *file)
{
	guard(mutex)(&flush.lock);
	if (flush.owner == file)
		flush_end();
	return 0;
}
