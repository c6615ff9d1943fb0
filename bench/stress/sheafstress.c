// SPDX-License-Identifier: GPL-2.0
/*
 * sheafstress.ko: looks for what a change to mm/slub.c broke. Loading it runs one test to its end,
 * and fails with EIO if the test did; lines that begin with 'sheafstress:' say what was done and
 * what was wrong.
 *
 * test=stress uses and flushes caches in all ways at once, see enum kind. Each kind of work is
 * counted, and one that was never done fails the test as much as an object that is lost.
 *
 * test=rcu asks whether kvfree_rcu_barrier() still waits for each object that was queued before.
 * Objects carry a word that is unique to the time they are in use. With init_on_free=1 the word is
 * gone as soon as the object is free, whichever way it went, so whether it is free can be seen
 * without asking the allocator:
 *
 *  - at the return of the barrier, and after the cache was destroyed, no object that had been
 *    passed to kfree_rcu() before it began has its word;
 *  - a reader that found an object sees the same word until rcu_read_unlock();
 *  - an object that is handed out has no word.
 *
 * The windows of such races are opened by preemption: on each CPU a SCHED_FIFO thread, the hog,
 * takes it while the barrier runs on another, and what it preempted waits wherever it was, most
 * likely where preemption was just enabled, which is right after an unlock.
 *
 * test=points asks the same, but holds a CPU at one point of mm/slub.c after the other, of those
 * that kfree_rcu(), a flush or the way to user space comes by, while others do what must not get
 * between. At each point an interrupt uses the allocator too. slub_points.h has the points.
 *
 * In the end nothing may be left in any sheaf. An isolated CPU, where there is one, is in user
 * space then, and what is flushed must not use it.
 */
#define pr_fmt(fmt) "sheafstress: " fmt

#include <linux/cleanup.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/kallsyms.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/isolation.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>
#ifdef CONFIG_X86_LOCAL_APIC
#include <asm/apic.h>
#include <asm/nmi.h>
#endif
#include "seat.h"
#include "slub_points.h"

static char *test = "stress";
module_param(test, charp, 0);
MODULE_PARM_DESC(test, "stress, rcu or points");

static unsigned int seconds = 10;
module_param(seconds, uint, 0);
MODULE_PARM_DESC(seconds, "how long");

/*
 * Not exported, or not by each kernel: who loads the module gives their addresses. Without one of
 * the four, no sheaf is prefilled.
 */
static unsigned long barrier, barrier_on_cache;
module_param(barrier, ulong, 0);
module_param(barrier_on_cache, ulong, 0);
#define BARRIER		((typeof(kvfree_rcu_barrier) *)barrier)
#define BARRIER_ON	((typeof(kvfree_rcu_barrier_on_cache) *)barrier_on_cache)
static unsigned long prefill_sheaf, alloc_from_sheaf, refill_sheaf, return_sheaf;
module_param(prefill_sheaf, ulong, 0);
module_param(alloc_from_sheaf, ulong, 0);
module_param(refill_sheaf, ulong, 0);
module_param(return_sheaf, ulong, 0);
#define PREFILL	((typeof(kmem_cache_prefill_sheaf) *)prefill_sheaf)
#define FROM	((typeof(kmem_cache_alloc_from_sheaf_noprof) *)alloc_from_sheaf)
#define REFILL	((typeof(kmem_cache_refill_sheaf) *)refill_sheaf)
#define RETURN	((typeof(kmem_cache_return_sheaf) *)return_sheaf)

enum kind {
	DID_ALLOCATED,
	DID_BULK,
	DID_PREFILLED,
	DID_QUEUED,
	DID_MIGHTSLEEP,
	DID_REMOTE,
	DID_TIMER,
	DID_NOLOCK_TIMER,
	DID_NOLOCK_IRQ_WORK,
	DID_NOLOCK_NMI,
	DID_NMI,
	DID_NOLOCK_POINT,
	DID_NOLOCK_FAILED,
	DID_NOLOCK_QUEUED,
	DID_FAILED,
	DID_SHRUNK,
	DID_BARRIER,
	DID_BARRIER_ON,
	DID_DESTROYED,
	DID_RECREATED,
	DID_HOTPLUG,
	DID_READ,
	DID_HOGGED,
	DID_CHECKED,
	DID_HELD_QUEUER,
	DID_HELD_FLUSH,
	DID_PASSED,
	DID_WAITED,
	DID_MIGRATED,
	DID_UNPLUGGED,
	DID_OUTLASTED,
	DID_HELD_RETURNER,
	DID_LEFT_ALONE,
	DID_EXCURSION,
	NR_KINDS
};

#ifdef kfree_rcu_nolock
#define RCU_NOLOCK true
#else
#define RCU_NOLOCK false
#define kvfree_rcu_head rcu_head
#endif

/*
 * With PREEMPT_RT nothing is allocated in hardirq and NMI: the timers are softirqs, which are
 * threads, and kmalloc_nolock() has to fail where it is called from an NMI nevertheless. And
 * kfree_rcu() does without the sheaves, so that there is no point of it to be held at.
 */
#ifdef CONFIG_PREEMPT_RT
#define RT true
#define IN_TIMER "softirq"
#else
#define RT false
#define IN_TIMER "hardirq"
#endif

/* What each kind of work is called, and whether a test has to have done it. */
static const struct {
	const char *name;
	bool stress, rcu, points;
} kinds[NR_KINDS] = {
	[DID_ALLOCATED] = { "objects allocated", true, true, true },
	[DID_BULK] = { "bulk allocations", true },
	[DID_PREFILLED] = { "prefilled sheaves", true },
	[DID_QUEUED] = { "objects passed to kfree_rcu", true, true, true },
	[DID_MIGHTSLEEP] = { "kvfree_rcu_mightsleep calls", true },
	[DID_REMOTE] = { "objects freed on another CPU", true },
	[DID_TIMER] = { "allocations in " IN_TIMER, true },
	[DID_NOLOCK_TIMER] = { "kmalloc_nolock in " IN_TIMER, true },
	[DID_NOLOCK_IRQ_WORK] = { "kmalloc_nolock in irq_work", true },
	[DID_NOLOCK_NMI] = { "kmalloc_nolock in NMI", IS_ENABLED(CONFIG_X86_LOCAL_APIC) && !RT },
	[DID_NMI] = { "NMIs", IS_ENABLED(CONFIG_X86_LOCAL_APIC) },
	[DID_NOLOCK_POINT] = { "kmalloc_nolock at a point", false, false, true },
	[DID_NOLOCK_FAILED] = { "kmalloc_nolock that failed" },
	[DID_NOLOCK_QUEUED] = { "objects passed to kfree_rcu_nolock", RCU_NOLOCK, RCU_NOLOCK },
	[DID_FAILED] = { "allocations that failslab failed", IS_ENABLED(CONFIG_FAILSLAB) },
	[DID_SHRUNK] = { "kmem_cache_shrink calls", true, true, true },
	[DID_BARRIER] = { "kvfree_rcu_barrier calls", true, true },
	[DID_BARRIER_ON] = { "kvfree_rcu_barrier_on_cache calls", true, true, true },
	[DID_DESTROYED] = { "caches destroyed", true, true },
	[DID_RECREATED] = { "caches destroyed by a program", true },
	[DID_HOTPLUG] = { "CPUs taken offline and back", IS_ENABLED(CONFIG_HOTPLUG_CPU) },
	[DID_READ] = { "objects read under RCU", false, true },
	[DID_HOGGED] = { "barriers against a preempted CPU", false, true },
	[DID_CHECKED] = { "objects found free after a barrier", false, true, true },
	[DID_HELD_QUEUER] = { "points of kfree_rcu held", false, false, !RT },
	[DID_HELD_FLUSH] = { "points of a flush held", false, false, true },
	[DID_HELD_RETURNER] = { "points on the way to user space held" },
	[DID_PASSED] = { "barriers that did not need who was held", false, false, true },
	[DID_WAITED] = { "barriers that waited for who was held", false, false, true },
	[DID_MIGRATED] = { "threads moved to another CPU inside kfree_rcu", false, false, !RT },
	[DID_UNPLUGGED] = { "CPUs taken offline against a flush that was held", false, false,
			    IS_ENABLED(CONFIG_HOTPLUG_CPU) },
	[DID_EXCURSION] = { "calls of programs", true },
	[DID_OUTLASTED] = { "barriers against a reader that stays", false, false, true },
	[DID_LEFT_ALONE] = { "flushes with the isolated CPU in user space", false, false, true },
};

#define PATIENCE	60	/* seconds past the end */

#define RECREATED	32	/* caches, by programs */

static bool stressing, pointing, recreating;
static bool isolated;	/* there is a CPU that is, and that flushes leave alone */
static atomic64_t done[NR_KINDS];
static atomic_t failures;

static void did(enum kind kind, long n)
{
	atomic64_add(n, &done[kind]);
}

#define fail(fmt, ...)							\
	do {								\
		if (atomic_inc_return(&failures) <= 3)			\
			pr_err("failed: " fmt "\n", ##__VA_ARGS__);	\
	} while (0)

static bool expected(enum kind kind)
{
	if (kind == DID_PREFILLED && !return_sheaf)
		return false;
	if (kind == DID_LEFT_ALONE && !isolated)
		return false;
	/* That has a time of its own. */
	if (kind == DID_RECREATED && !recreating)
		return false;
	if (pointing)
		return kinds[kind].points;
	return stressing ? kinds[kind].stress : kinds[kind].rcu;
}

/* On a busy machine it takes a while until each kind of work was done. */
static bool goes_on(unsigned long end)
{
	int i;

	if (atomic_read(&failures))
		return false;
	if (time_before(jiffies, end))
		return true;
	for (i = 0; i < NR_KINDS; i++)
		if (expected(i) && !atomic64_read(&done[i]))
			return time_before(jiffies, end + PATIENCE * HZ);
	return false;
}

static void report_kinds(void)
{
	int i;

	for (i = 0; i < NR_KINDS; i++) {
		long long n = atomic64_read(&done[i]);

		if (n || expected(i))
			pr_info("%s: %lld %s\n", test, n, kinds[i].name);
		if (!n && expected(i))
			fail("no %s", kinds[i].name);
	}
	if (RT && atomic64_read(&done[DID_NOLOCK_NMI]))
		fail("kmalloc_nolock worked in an NMI, with PREEMPT_RT");
}

#define MOST_THREADS	64
static struct task_struct *threads[MOST_THREADS];
static unsigned int nr_threads;

static void spawn(int (*fn)(void *), long arg)
{
	struct task_struct *t = ERR_PTR(-ENOSPC);

	if (nr_threads < MOST_THREADS)
		t = kthread_run(fn, (void *)arg, "sheafstress/%ld", arg);
	if (IS_ERR(t))
		fail("cannot start a thread: %ld", PTR_ERR(t));
	else
		threads[nr_threads++] = t;
}

/* In the order in which they were started: first those that keep the CPUs busy. */
static void stop_threads(void)
{
	unsigned int i;

	for (i = 0; i < nr_threads; i++)
		kthread_stop(threads[i]);
	nr_threads = 0;
}

static u32 below(u32 n)
{
	return get_random_u32_below(n);
}

/*
 * No bound kthread: those keep a CPU from going offline. Fails while the CPU is, and while any CPU
 * comes or goes: when the one to move to goes before the stopper has moved us, we stay where we
 * must not be, of which the scheduler warns when migration is enabled there.
 */
static void run_on(unsigned int cpu)
{
	if (!cpus_read_trylock())
		return;
	set_cpus_allowed_ptr(current, cpumask_of(cpu));
	cpus_read_unlock();
}

/* For what uses a CPU all the time: the kworkers of a flush, and those of RCU, go first. */
static void go_last(void)
{
	sched_set_normal(current, MAX_NICE);
}

/* The stress */

#define SHEAFSTRESS_DEBUG (SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER)
#define NR_MAIL		16
#define MOST_HELD	192
#define FEW_HELD	4	/* where each operation takes the node's lock, as with slab_debug */

struct thing {
	unsigned long word;
	struct kvfree_rcu_head rcu;
	int cpu;
};

static struct stressed {
	const char *name;	/* of a cache of its own; NULL is kmalloc() */
	unsigned int size;
	slab_flags_t flags;
	unsigned int most;
	struct kmem_cache *s;
	atomic64_t out;
	struct thing *mail[NR_MAIL];
} stressed[] = {
	{ "sheafstress-64", 64, 0, MOST_HELD },
	{ "sheafstress-64-too", 64, SLAB_HWCACHE_ALIGN, MOST_HELD },
	{ "sheafstress-512", 512, 0, MOST_HELD },
	{ "sheafstress-4096", 4096, 0, 24 },
	{ "sheafstress-typesafe", 128, SLAB_TYPESAFE_BY_RCU, MOST_HELD },
	{ "sheafstress-account", 256, SLAB_ACCOUNT, MOST_HELD },
	{ "sheafstress-debug", 128, SHEAFSTRESS_DEBUG, FEW_HELD },
#define NR_CACHES 7	/* of its own */
	{ NULL, 64, 0, MOST_HELD },
	{ NULL, 192, 0, FEW_HELD },
	{ NULL, 1024, 0, 64 },
};

/*
 * Of the time: in every second one the threads' allocations may fail, in two of four interrupts use
 * kmalloc_nolock(). Not always, as what is queued again and again keeps irq_work_sync() waiting
 * where irq_work has to wait for the tick.
 */
static unsigned int phase;

static unsigned long mark_of(const struct stressed *c, const struct thing *o)
{
	return (unsigned long)o ^ (unsigned long)c ^ 0x5bd1e995;
}

/* In the first and in the last word, so that two owners of any part are seen. */
static void mark(const struct stressed *c, struct thing *o)
{
	o->word = mark_of(c, o);
	o->cpu = raw_smp_processor_id();
	((unsigned long *)o)[c->size / sizeof(long) - 1] = o->word;
}

static void unmark(const struct stressed *c, struct thing *o)
{
	unsigned long *last = (unsigned long *)o + c->size / sizeof(long) - 1;

	if (o->word != mark_of(c, o) || *last != o->word)
		fail("an object of %s (size %u) changed while it was held",
		     c->name ?: "kmalloc", c->size);
	o->word = 0;
	*last = 0;
}

static unsigned int take_prefilled(struct stressed *c, gfp_t gfp, struct thing **held,
				   unsigned int n)
{
	struct slab_sheaf *sheaf = PREFILL(c->s, gfp, n);
	unsigned int i;

	if (!sheaf)
		return 0;
	/* Not all of them, for the sheaf to go back with some. */
	for (i = 0; i < n - n / 4; i++) {
		held[i] = FROM(c->s, gfp, sheaf);
		if (!held[i])
			break;
	}
	if (i < n - n / 4)
		fail("a sheaf prefilled with %u objects of %s had %u", n, c->name, i);
	if (n % 2)
		REFILL(c->s, gfp, &sheaf, n / 2 + 1);
	RETURN(c->s, gfp, sheaf);
	did(DID_PREFILLED, 1);
	return i;
}

static unsigned int take(struct stressed *c, struct thing **held, unsigned int n)
{
	gfp_t gfp = below(4) ? GFP_KERNEL : GFP_NOWAIT;
	unsigned int i = 0;

	switch (c->s ? below(4) : 3) {
	case 0:
		if (kmem_cache_alloc_bulk(c->s, gfp, n, (void **)held)) {
			did(DID_BULK, 1);
			i = n;
		}
		break;
	case 1:
		if (return_sheaf) {
			i = take_prefilled(c, gfp, held, n);
			break;
		}
		fallthrough;
	default:
		for (; i < n; i++) {
			held[i] = c->s ? kmem_cache_alloc(c->s, gfp) : kmalloc(c->size, gfp);
			if (!held[i])
				break;
		}
	}
	if (i < n && READ_ONCE(current->make_it_fail))
		did(DID_FAILED, 1);
	did(DID_ALLOCATED, i);
	atomic64_add(i, &c->out);
	for (n = 0; n < i; n++)
		mark(c, held[n]);
	return i;
}

static void give_one(struct stressed *c, struct thing *o)
{
	if (c->s)
		kmem_cache_free(c->s, o);
	else
		kfree(o);
}

static void give(struct stressed *c, struct thing **held, unsigned int n)
{
	unsigned int i, way = below(4);
	struct thing *o;

	for (i = 0; i < n; i++) {
		if (way == 3) {
			/* Put one into the mail, free what someone else had put there. */
			held[i] = xchg(&c->mail[below(NR_MAIL)], held[i]);
			if (!held[i])
				continue;
			did(DID_REMOTE, held[i]->cpu != raw_smp_processor_id());
		}
		o = held[i];
		unmark(c, o);
		atomic64_dec(&c->out);
		if (way == 1 && !(c->flags & SLAB_TYPESAFE_BY_RCU)) {
			kfree_rcu(o, rcu);
			did(DID_QUEUED, 1);
		} else if (way != 2 || !c->s) {
			give_one(c, o);
		}
	}
	if (way == 2 && c->s && n)
		kmem_cache_free_bulk(c->s, n, (void **)held);
}

static void construct(void *object)
{
	((struct thing *)object)->cpu = -1;
}

/* A cache of some size with a name that is used again at once, or NULL. */
static struct kmem_cache *new_cache(const char *name)
{
	static const unsigned int sizes[] = { 48, 128, 1000, 4096 };
	struct kmem_cache *s;

	s = kmem_cache_create(name, sizes[below(ARRAY_SIZE(sizes))], 0, SLAB_NO_MERGE,
			      below(4) ? NULL : construct);
	if (!s)
		fail("cannot create a cache");
	return s;
}

static void use_new_cache(struct kmem_cache *s)
{
	struct thing *o;
	unsigned int n;

	for (n = below(150); n; n--) {
		o = kmem_cache_alloc(s, GFP_KERNEL);
		if (!o)
			continue;
		did(DID_ALLOCATED, 1);
		if (n % 3) {
			kfree_rcu(o, rcu);
			did(DID_QUEUED, 1);
		} else {
			kmem_cache_free(s, o);
		}
	}
}

/* A cache that ends while the CPU that ends it is in the kernel, with objects in its sheaves. */
static void recreate(void)
{
	struct kmem_cache *s;
	char name[32];

	snprintf(name, sizeof(name), "sheafstress-of-%d", current->pid);
	s = new_cache(name);
	if (!s)
		return;
	use_new_cache(s);
	kmem_cache_destroy(s);
	did(DID_RECREATED, 1);
}

static int excursion(void)
{
	struct stressed *c = &stressed[below(ARRAY_SIZE(stressed))];
	struct thing **held;

	if (recreating) {
		recreate();
		return 0;
	}
	held = kvcalloc(c->most, sizeof(*held), GFP_KERNEL | __GFP_NOFAIL);
	give(c, held, take(c, held, 1 + below(c->most)));
	kvfree(held);
	did(DID_EXCURSION, 1);
	return 0;
}

/*
 * What a program does in the kernel that calls, on a CPU of its choice: one step of the stress, or
 * a part in a scenario. Then it returns: there may be kernels that do something with the sheaves.
 */
static int take_part(unsigned long seat);

static ssize_t called(struct file *file, const char __user *text, size_t size, loff_t *at)
{
	unsigned long seat;
	int err = kstrtoul_from_user(text, size, 0, &seat);

	if (!err)
		err = stressing ? excursion() : take_part(seat);
	return err ?: size;
}

static const struct proc_ops program_ops = { .proc_write = called };
static struct proc_dir_entry *programs;
static DECLARE_WAIT_QUEUE_HEAD(waiting_programs);
static bool programs_go;

static void let_programs_in(void)
{
	programs = proc_create("sheafstress", 0200, NULL, &program_ops);
	if (!programs)
		fail("cannot create /proc/sheafstress");
}

/* Returns when none is in the kernel, nor can come. */
static void send_programs_home(void)
{
	WRITE_ONCE(programs_go, true);
	wake_up_all(&waiting_programs);
	proc_remove(programs);
}

static DEFINE_PER_CPU(struct irq_work, irq_works);
static struct hrtimer timers[NR_CPUS];

/* 192 is the size that is booted with slab_debug, where kmalloc_nolock() needs no cmpxchg16b. */
static void nolock_burst(enum kind kind)
{
	static const unsigned int sizes[] = { 64, 192, 512 };
	void *p[ARRAY_SIZE(sizes)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		p[i] = kmalloc_nolock(sizes[i], 0, NUMA_NO_NODE);
		did(p[i] ? kind : DID_NOLOCK_FAILED, 1);
		if (p[i])
			memset(p[i], 0x5a, sizes[i]);
	}
	while (i--) {
#ifdef kfree_rcu_nolock
		if (p[i] && i == 1) {
			kfree_rcu_nolock((struct thing *)p[i], rcu);
			did(DID_NOLOCK_QUEUED, 1);
			continue;
		}
#endif
		kfree_nolock(p[i]);
	}
}

static void in_irq_work(struct irq_work *work)
{
	nolock_burst(DID_NOLOCK_IRQ_WORK);
}

#ifdef CONFIG_X86_LOCAL_APIC
static int in_nmi_handler(unsigned int type, struct pt_regs *regs)
{
	nolock_burst(DID_NOLOCK_NMI);
	did(DID_NMI, 1);
	return NMI_HANDLED;
}

static void send_nmi(unsigned int cpu)
{
	/* A CPU that is online stays so while preemption is disabled. */
	preempt_disable();
	if (cpu_online(cpu))
		apic->send_IPI(cpu, NMI_VECTOR);
	preempt_enable();
}
#else
static void send_nmi(unsigned int cpu) { }
#endif

static enum hrtimer_restart in_hrtimer(struct hrtimer *timer)
{
	struct stressed *c = &stressed[below(ARRAY_SIZE(stressed))];
	ktime_t start = ktime_get(), took;
	struct thing *o[4];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(o); i++) {
		o[i] = c->s ? kmem_cache_alloc(c->s, GFP_ATOMIC) : kmalloc(c->size, GFP_ATOMIC);
		did(DID_TIMER, !!o[i]);
		if (o[i])
			mark(c, o[i]);
	}
	if (READ_ONCE(phase) & 2) {
		nolock_burst(DID_NOLOCK_TIMER);
		irq_work_queue(this_cpu_ptr(&irq_works));
	}
	for (i = 0; i < ARRAY_SIZE(o); i++) {
		if (!o[i])
			continue;
		unmark(c, o[i]);
		if (i == 1 && !(c->flags & SLAB_TYPESAFE_BY_RCU))
			kfree_rcu(o[i], rcu);
		else
			give_one(c, o[i]);
	}
	/* Where CPUs are shared this may take long; most of the time is for what is interrupted. */
	took = ktime_sub(ktime_get(), start);
	hrtimer_forward_now(timer, ns_to_ktime(200000 + below(800000) + 8 * ktime_to_ns(took)));
	return HRTIMER_RESTART;
}

static int hammer(void *arg)
{
	struct thing **held = kvcalloc(MOST_HELD, sizeof(*held), GFP_KERNEL | __GFP_NOFAIL);
	unsigned int cpu = (long)arg / 2, n, i;

	go_last();
	for (i = 0; !kthread_should_stop(); i++) {
		struct stressed *c = &stressed[below(ARRAY_SIZE(stressed))];

		/* Again and again, as a CPU that went offline took that away. */
		if (i % 64 == 0) {
			run_on(cpu);
			if ((long)arg % 2) {
				/* On another CPU it may be running now. */
				hrtimer_cancel(&timers[cpu]);
				hrtimer_start(&timers[cpu], ns_to_ktime(300000),
					      HRTIMER_MODE_REL_PINNED);
			}
		}
#ifdef CONFIG_FAULT_INJECTION
		current->make_it_fail = READ_ONCE(phase) & 1;
#endif
		n = take(c, held, 1 + below(c->most));
		if (i % 16 == 0 && READ_ONCE(phase) & 2)
			send_nmi(below(nr_cpu_ids));
		give(c, held, n);
		if (i % 256 == 0) {
			void *p = kvmalloc(below(2) ? 100 : 20000, GFP_KERNEL);

			if (p) {
				kvfree_rcu_mightsleep(p);
				did(DID_MIGHTSLEEP, 1);
			}
		}
		cond_resched();
	}
#ifdef CONFIG_FAULT_INJECTION
	current->make_it_fail = 0;
#endif
	if ((long)arg % 2)
		hrtimer_cancel(&timers[cpu]);
	kvfree(held);
	return 0;
}

static int flusher(void *arg)
{
	unsigned int i;

	for (i = (long)arg; !kthread_should_stop(); i++) {
		struct stressed *c = &stressed[below(NR_CACHES)];

		run_on(below(nr_cpu_ids));
		switch (i % 16) {
		case 0:
			BARRIER();
			did(DID_BARRIER, 1);
			break;
		case 1:
		case 8:
			BARRIER_ON(c->s);
			did(DID_BARRIER_ON, 1);
			break;
		default:
			kmem_cache_shrink(c->s);
			did(DID_SHRUNK, 1);
		}
		usleep_range(50, 1000);
	}
	return 0;
}

/* Caches that end while objects that all CPUs passed to kfree_rcu() are on their way. */
static int recreater(void *arg)
{
	char name[32];

	snprintf(name, sizeof(name), "sheafstress-new-%ld", (long)arg);
	while (!kthread_should_stop()) {
		struct kmem_cache *s = new_cache(name);
		unsigned int cpu;

		if (!s)
			break;
		for_each_possible_cpu(cpu) {
			run_on(cpu);
			use_new_cache(s);
		}
		kmem_cache_destroy(s);
		did(DID_DESTROYED, 1);
		cond_resched();
	}
	return 0;
}

#ifdef CONFIG_HOTPLUG_CPU
static int hotplugger(void *arg)
{
	unsigned int cpu;

	while (!kthread_should_stop()) {
		cpu = 1 + below(nr_cpu_ids - 1);
		msleep(50 + below(100));
		if (!cpu_online(cpu) || remove_cpu(cpu))
			continue;
		msleep(below(50));
		if (add_cpu(cpu))
			fail("CPU %u does not come back", cpu);
		else
			did(DID_HOTPLUG, 1);
	}
	return 0;
}
#endif

static void test_stress(void)
{
	unsigned long end = jiffies + seconds * HZ;
	unsigned int cpu, i;
	struct stressed *c;

	for (c = stressed; c < stressed + ARRAY_SIZE(stressed); c++) {
		if (!c->name)
			continue;
		c->s = kmem_cache_create(c->name, c->size, 0, SLAB_NO_MERGE | c->flags, NULL);
		if (!c->s) {
			fail("cannot create %s", c->name);
			return;
		}
	}
	for_each_possible_cpu(cpu) {
		init_irq_work(per_cpu_ptr(&irq_works, cpu), in_irq_work);
		hrtimer_setup(&timers[cpu], in_hrtimer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED);
	}
#ifdef CONFIG_X86_LOCAL_APIC
	register_nmi_handler(NMI_LOCAL, in_nmi_handler, 0, "sheafstress");
#endif
	for_each_online_cpu(cpu) {
		spawn(hammer, 2 * cpu);
		spawn(hammer, 2 * cpu + 1);
	}
	for (i = 0; i < 2; i++) {
		spawn(flusher, i);
		spawn(recreater, i);
	}
#ifdef CONFIG_HOTPLUG_CPU
	spawn(hotplugger, 0);
#endif
	let_programs_in();
	while (goes_on(end)) {
		WRITE_ONCE(phase, phase + 1);
		msleep(200);
	}
	send_programs_home();
	stop_threads();
	/* Without the threads, beside which barriers take long. */
	recreating = true;
	let_programs_in();
	end = jiffies + PATIENCE * HZ;
	while (atomic64_read(&done[DID_RECREATED]) < RECREATED && time_before(jiffies, end))
		msleep(20);
	send_programs_home();
	for_each_possible_cpu(cpu)
		irq_work_sync(per_cpu_ptr(&irq_works, cpu));
#ifdef CONFIG_X86_LOCAL_APIC
	unregister_nmi_handler(NMI_LOCAL, "sheafstress");
#endif

	for (c = stressed; c < stressed + ARRAY_SIZE(stressed); c++) {
		for (i = 0; i < NR_MAIL; i++) {
			if (!c->mail[i])
				continue;
			unmark(c, c->mail[i]);
			give_one(c, c->mail[i]);
			atomic64_dec(&c->out);
		}
	}
	BARRIER();
	for (c = stressed; c < stressed + ARRAY_SIZE(stressed); c++) {
		if (atomic64_read(&c->out))
			fail("%lld objects of %s (size %u) are not accounted for",
			     atomic64_read(&c->out), c->name ?: "kmalloc", c->size);
		if (!c->s)
			continue;
		/* 0: no slab is left, so no object is, allocated or in a sheaf that was lost. */
		if (kmem_cache_shrink(c->s))
			fail("%s has objects left after each one was freed", c->name);
		kmem_cache_destroy(c->s);
	}
}

/* The directed test */

#define NR_SLOTS	64
#define NR_SEEN		16	/* of them, by a reader at once */
#define NR_PRODUCED	16	/* by a thread at once */
#define NR_EXCHANGED	256
#define LOG_ENTRIES	8192U
#define HOG_NS		(20 * NSEC_PER_MSEC)

struct probe {
	unsigned long word;
	struct kvfree_rcu_head rcu;
};

struct queued {
	struct probe *p;
	unsigned long word;
};

/* What one thread passed to kfree_rcu(), for the checker. */
struct queue_log {
	struct queued *entries;
	unsigned long head;	/* entries that kfree_rcu() has returned for */
	unsigned long tail;	/* entries that were seen to be free */
};

static struct kmem_cache *probes;
static unsigned long log_limit;
static struct probe __rcu *slots[NR_SLOTS];
static struct queue_log logs[2 * NR_CPUS];
static atomic_long_t next_word = ATOMIC_LONG_INIT(1);
static struct task_struct *hogs[NR_CPUS];
static int spared = -1;		/* the one CPU whose hog is not to stay, or -1: none is */
static atomic_t hogging;	/* hogs that do */

static void spin_until(ktime_t end)
{
	while (ktime_before(ktime_get(), end))
		cpu_relax();
}

/* How an object is passed to RCU. */
enum how { PLAIN, NOLOCK, DONE };

/* With NOLOCK a sheaf that was filled up waits for irq_work, and that for interrupts. */
static void queue(struct queue_log *log, struct probe *p, enum how how)
{
	unsigned long at = log->head % LOG_ENTRIES;

	log->entries[at].p = p;
	log->entries[at].word = p->word;
#ifdef kfree_rcu_nolock
	if (how == NOLOCK) {
		kfree_rcu_nolock(p, rcu);
		did(DID_NOLOCK_QUEUED, 1);
		how = DONE;
	}
#endif
	if (how != DONE) {
		kfree_rcu(p, rcu);
		did(DID_QUEUED, 1);
	}
	/* Pairs with read_heads(): kfree_rcu() has returned, and the entry is there. */
	smp_store_release(&log->head, log->head + 1);
}

static void queue_somehow(struct queue_log *log, struct probe *p)
{
	unsigned long flags;

	if (!RCU_NOLOCK || below(4)) {
		queue(log, p, PLAIN);
		return;
	}
	local_irq_save(flags);
	queue(log, p, NOLOCK);
	if (!below(16))
		/* At times long enough for another CPU to fill a sheaf. */
		spin_until(ktime_add_ns(ktime_get(), below(below(8) ? 100000 : 5000000)));
	local_irq_restore(flags);
}

/*
 * Publishes objects, and queues those that they replace. Allocated together, for the CPU to be in
 * kfree_rcu() most of the time.
 */
static bool produce(struct queue_log *log)
{
	struct probe *p[NR_PRODUCED];
	int i;

	/* Pairs with check_logs(): an entry is used again after it was read. */
	if (log->head - smp_load_acquire(&log->tail) + NR_PRODUCED > log_limit)
		return false;
	if (!kmem_cache_alloc_bulk(probes, GFP_KERNEL, NR_PRODUCED, (void **)p))
		return false;
	did(DID_ALLOCATED, NR_PRODUCED);
	for (i = 0; i < NR_PRODUCED; i++) {
		if (p[i]->word)
			fail("an object was handed out that is in use");
		p[i]->word = atomic_long_inc_return(&next_word);
		p[i] = unrcu_pointer(xchg(&slots[below(NR_SLOTS)], RCU_INITIALIZER(p[i])));
	}
	for (i = 0; i < NR_PRODUCED; i++)
		if (p[i])
			queue_somehow(log, p[i]);
	return true;
}

static int producer(void *arg)
{
	run_on((long)arg);
	go_last();
	while (!kthread_should_stop())
		if (!produce(&logs[2 * (long)arg]))
			usleep_range(50, 200);
	return 0;
}

/* Uses up sheaves, for a CPU that is asked to flush to come by where it looks for that. */
static int exchanger(void *arg)
{
	void **objects = kmalloc_array(NR_EXCHANGED, sizeof(*objects), GFP_KERNEL | __GFP_NOFAIL);

	run_on((long)arg);
	go_last();
	while (!kthread_should_stop()) {
		if (kmem_cache_alloc_bulk(probes, GFP_KERNEL, NR_EXCHANGED, objects))
			kmem_cache_free_bulk(probes, NR_EXCHANGED, objects);
		usleep_range(50, 200);
	}
	kfree(objects);
	return 0;
}

static bool is_asked(unsigned int cpu)
{
	guard(rcu)();
	return IS_ENABLED(CONFIG_SLUB_ASK_TO_FLUSH) && cpu_is_isolated(cpu);
}

static bool to_stay(int cpu)
{
	int not_this = READ_ONCE(spared);

	return not_this >= 0 && not_this != cpu;
}

static int hog(void *arg)
{
	ktime_t start, end, took = 0;
	int cpu = (long)arg;

	run_on(cpu);
	sched_set_fifo(current);
	hogs[cpu] = current;
	while (!kthread_should_stop()) {
		ktime_t sleep = ns_to_ktime(200000 + below(2000000) + 8 * ktime_to_ns(took));

		set_current_state(TASK_INTERRUPTIBLE);
		if (!to_stay(cpu) && !kthread_should_stop())
			schedule_hrtimeout(&sleep, HRTIMER_MODE_REL);
		__set_current_state(TASK_RUNNING);

		start = ktime_get();
		if (!to_stay(cpu)) {
			/* What was preempted is not alone in using this CPU's sheaves. */
			produce(&logs[2 * cpu + 1]);
			/* At times long enough for another CPU to fill a sheaf. */
			spin_until(ktime_add_ns(ktime_get(), below(below(8) ? 100000 : 5000000)));
			took = ktime_sub(ktime_get(), start);
			continue;
		}
		atomic_inc(&hogging);
		end = ktime_add_ns(start, HOG_NS);
		while (to_stay(cpu) && ktime_before(ktime_get(), end))
			cpu_relax();
		/* The barrier may need kworkers here: they get the CPU now, a producer does not. */
		sched_set_normal(current, 0);
		end = ktime_add_ns(start, 25 * HOG_NS);
		while (to_stay(cpu) && ktime_before(ktime_get(), end))
			cond_resched();
		while (to_stay(cpu))
			usleep_range(500, 1000);
		sched_set_fifo(current);
	}
	return 0;
}

/* Objects may be part of anything by now, so what is read may be anything but the word. */
static __no_sanitize_or_inline unsigned long word_at(const struct probe *p)
{
	return READ_ONCE_NOCHECK(p->word);
}

/* Long enough for objects to be replaced, queued and flushed meanwhile. */
static int read_slots(void *arg)
{
	struct queued seen[NR_SEEN];
	int i, at;

	run_on((long)arg);
	while (!kthread_should_stop()) {
		at = below(NR_SLOTS);
		rcu_read_lock();
		for (i = 0; i < NR_SEEN; i++) {
			seen[i].p = rcu_dereference(slots[(at + i) % NR_SLOTS]);
			seen[i].word = seen[i].p ? READ_ONCE(seen[i].p->word) : 0;
		}
		spin_until(ktime_add_ns(ktime_get(), below(2 * NSEC_PER_MSEC)));
		for (i = 0; i < NR_SEEN; i++) {
			if (!seen[i].p)
				continue;
			if (!seen[i].word || word_at(seen[i].p) != seen[i].word)
				fail("an object was freed while a reader could see it");
			did(DID_READ, 1);
		}
		rcu_read_unlock();
		usleep_range(1000, 8000);
	}
	return 0;
}

/* The other flush, which must not take away what a barrier is to wait for. */
static int shrinker(void *arg)
{
	while (!kthread_should_stop()) {
		run_on(below(nr_cpu_ids));
		kmem_cache_shrink(probes);
		did(DID_SHRUNK, 1);
		usleep_range(10, 100);
	}
	return 0;
}

/* Where somebody is held in test=points. */
static unsigned long held_at;

static void check_logs(const unsigned long *heads, const char *after)
{
	static DEFINE_MUTEX(one);
	struct queue_log *log;
	struct queued *entry;
	unsigned long at;

	guard(mutex)(&one);
	for (log = logs; log < logs + 2 * nr_cpu_ids; log++) {
		for (at = log->tail; (long)(heads[log - logs] - at) > 0; at++) {
			entry = &log->entries[at % LOG_ENTRIES];
			if (word_at(entry->p) == entry->word && held_at)
				fail("an object queued before %s is there after it: held at %pS",
				     after, (void *)held_at);
			else if (word_at(entry->p) == entry->word)
				fail("an object queued before %s is there after it", after);
			did(DID_CHECKED, 1);
		}
		/* Pairs with produce(). */
		smp_store_release(&log->tail, at);
	}
}

static void read_heads(unsigned long *heads)
{
	unsigned int i;

	for (i = 0; i < 2 * nr_cpu_ids; i++)
		heads[i] = smp_load_acquire(&logs[i].head);	/* pairs with queue() */
}

/* From now on, whatever runs on the other CPUs is preempted. */
static void preempt_others(int cpu)
{
	ktime_t patience;
	int other;

	atomic_set(&hogging, 0);
	WRITE_ONCE(spared, cpu);
	for_each_online_cpu(other)
		if (other != cpu)
			wake_up_process(hogs[other]);
	patience = ktime_add_ns(ktime_get(), HOG_NS);
	while (atomic_read(&hogging) < num_online_cpus() - 1 &&
	       ktime_before(ktime_get(), patience))
		cpu_relax();
	did(DID_HOGGED, !!atomic_read(&hogging));
}

static void one_barrier(unsigned long *heads, bool alone)
{
	static unsigned int nr;
	bool on_cache = nr++ % 4 != 1;
	int cpu = below(nr_cpu_ids);

	run_on(cpu);
	/* The producers, whose logs were full, are at work again by then. */
	usleep_range(100, 1000);
	if (alone)
		preempt_others(cpu);

	read_heads(heads);
	if (on_cache)
		BARRIER_ON(probes);
	else
		BARRIER();
	check_logs(heads, on_cache ? "kvfree_rcu_barrier_on_cache" : "kvfree_rcu_barrier");
	did(on_cache ? DID_BARRIER_ON : DID_BARRIER, 1);
	WRITE_ONCE(spared, -1);
}

/*
 * One object, on a CPU that answers and passes no other to kfree_rcu(): nothing but the flush makes
 * it go.
 */
static void ask(unsigned long *heads, unsigned int cpu)
{
	struct probe *p;

	run_on(cpu);
	p = kmem_cache_alloc(probes, GFP_KERNEL | __GFP_NOFAIL);
	did(DID_ALLOCATED, 1);
	p->word = atomic_long_inc_return(&next_word);
	queue(&logs[0], p, PLAIN);
	spawn(exchanger, cpu);

	run_on(cpumask_any_but(cpu_online_mask, cpu));
	read_heads(heads);
	BARRIER_ON(probes);
	check_logs(heads, "kvfree_rcu_barrier_on_cache");
	did(DID_BARRIER_ON, 1);
	stop_threads();
}

/*
 * Sheaves of many objects are often partly filled, those of few often full. With many objects on
 * their way all CPUs are in kfree_rcu() all the time, for other flushes to run into; with few of
 * them a barrier from a CPU that is alone returns soon, before what it missed is free anyway.
 */
static const struct round {
	unsigned int size;
	unsigned int most;	/* objects of each thread on their way */
	bool alone;
} rounds[] = {
	{ 4096, LOG_ENTRIES / 2, false },
	{ 4096, LOG_ENTRIES / 16, true },
	{ 64, LOG_ENTRIES, false },
	{ 1024, LOG_ENTRIES / 16, true },
};

static void rcu_round(unsigned long *heads, const struct round *round, unsigned long end)
{
	unsigned int cpu, i;

	log_limit = round->most;
	probes = kmem_cache_create("sheafstress-probe", round->size, 0, SLAB_NO_MERGE, NULL);
	if (!probes) {
		fail("cannot create a cache");
		return;
	}
	for_each_online_cpu(cpu)
		if (is_asked(cpu))
			ask(heads, cpu);
	for_each_online_cpu(cpu)
		spawn(hog, cpu);
	for_each_online_cpu(cpu)
		while (!READ_ONCE(hogs[cpu]))
			usleep_range(100, 200);
	for_each_online_cpu(cpu) {
		spawn(producer, cpu);
		spawn(read_slots, cpu);
		if (is_asked(cpu))
			spawn(exchanger, cpu);
	}
	for (i = 0; i < 2; i++)
		spawn(shrinker, i);
	sched_set_fifo_low(current);
	while (time_before(jiffies, end) && !atomic_read(&failures))
		one_barrier(heads, round->alone);
	sched_set_normal(current, 0);
	stop_threads();
	memset(hogs, 0, sizeof(hogs));

	for (i = 0; i < NR_SLOTS; i++) {
		struct probe *p = unrcu_pointer(xchg(&slots[i], NULL));

		if (p)
			queue_somehow(&logs[0], p);
	}
	/*
	 * Without a barrier: to destroy a cache is one, unless that is done later. Who loads the
	 * module looks for what is left.
	 */
	kmem_cache_destroy(probes);
	did(DID_DESTROYED, 1);
	if (IS_ENABLED(CONFIG_SLUB_DEFER_DESTROY))
		return;
	read_heads(heads);
	check_logs(heads, "kmem_cache_destroy");
}

static bool freed_is_seen(void)
{
	struct kmem_cache *s = kmem_cache_create("sheafstress-seen", 64, 0, SLAB_NO_MERGE, NULL);
	struct probe *p = s ? kmem_cache_alloc(s, GFP_KERNEL) : NULL;
	bool seen = false;

	if (p) {
		p->word = 1;
		kmem_cache_free(s, p);
		seen = !word_at(p);
	}
	kmem_cache_destroy(s);
	return seen;
}

static bool get_logs(void)
{
	unsigned int i;

	if (!freed_is_seen()) {
		fail("test=%s needs a kernel booted with init_on_free=1", test);
		return false;
	}
	for (i = 0; i < 2 * nr_cpu_ids; i++) {
		logs[i].entries = vzalloc(array_size(LOG_ENTRIES, sizeof(*logs[i].entries)));
		if (!logs[i].entries) {
			fail("no memory");
			return false;
		}
	}
	return true;
}

static void put_logs(void)
{
	unsigned int i;

	for (i = 0; i < 2 * nr_cpu_ids; i++)
		vfree(logs[i].entries);
}

static void test_rcu(void)
{
	unsigned long end = jiffies + seconds * HZ, *heads;
	unsigned int i;

	heads = kcalloc(2 * nr_cpu_ids, sizeof(*heads), GFP_KERNEL | __GFP_NOFAIL);
	if (get_logs())
		for (i = 0; goes_on(end); i++)
			rcu_round(heads, &rounds[i % ARRAY_SIZE(rounds)], jiffies + HZ);
	put_logs();
	kfree(heads);
}

/* The points */

#define MOST_POINTS	1024
#define MOST_CAPACITY	64
static unsigned int held_cpu;		/* an isolated one, or 0, to which a flush comes first */
#define HELD_CPU	held_cpu
#define OTHER_CPU	((held_cpu + 1) % nr_cpu_ids)	/* not 0, which stays online */
#define FLUSH_CPU	((held_cpu + 2) % nr_cpu_ids)
/* Nobody spins there, as uml does not preempt. */
#define TEST_CPU	((held_cpu + 3) % nr_cpu_ids)

static void find_held_cpu(void)
{
	unsigned int cpu;

	guard(rcu)();
	for (cpu = 0; cpu + 1 < nr_cpu_ids; cpu++) {
		if (cpu_is_isolated(cpu)) {
			/* One that is asked is sent work where it does not answer. */
			isolated = !IS_ENABLED(CONFIG_SLUB_ASK_TO_FLUSH);
			held_cpu = cpu;
			return;
		}
	}
}

/* In milliseconds: for who cannot go on before who is held does, and for who can. */
#define SHORT		5
#define LONG		(3 * undisturbed + 20)
#define TOO_LONG	60000
#define IRQS_OFF	1000	/* who waits for a timer on that CPU cannot let it go */

enum actor {
	NOBODY,
	QUEUER,
	RETURNER,
	SECOND_QUEUER,
	SITTER,
	MOVER,
#define LAST_PROGRAM MOVER	/* the rest are kthreads */
	FLUSHER,
	SECOND_FLUSHER,
	READER,
	UNPLUGGER,
	NR_ACTORS
};

enum flush { ON_CACHE, ALL_CACHES, SHRINK };

/*
 * One is held at a point: the QUEUER in the last of its calls of kfree_rcu(), while the FLUSHER
 * flushes; or the FLUSHER, while the SECOND_QUEUER goes on where the QUEUER left off, to fill the
 * sheaf and more, and then the SECOND_FLUSHER flushes too. Or the RETURNER, who has passed to
 * kfree_rcu() (how: PLAIN) or freed (DONE) some, on its way to user space, while the FLUSHER
 * flushes, and sometimes the SECOND_QUEUER goes on. NOBODY is held where a READER stays in its
 * critical section. The SITTER only goes to user space; the MOVER uses a sheaf and moves to another
 * CPU before it does.
 */
static const struct scenario {
	enum actor held;
	enum flush flush;
	int missing;	/* objects that the sheaf lacks before the last call of the queuer */
	enum how how;	/* of that call, and if NOLOCK of the second queuer's */
	bool drained;	/* no empty sheaf is at hand */
	bool unplug;	/* a CPU goes offline meanwhile */
	bool in_time;	/* points drawn by lot, as many as half of the seconds allow */
} scenarios[] = {
	{ NOBODY, ON_CACHE, 1 },
	{ RETURNER, ON_CACHE, 1 },
	{ RETURNER, ON_CACHE, 1, DONE },
	{ RETURNER, SHRINK, 1, .in_time = true },
	{ QUEUER, ON_CACHE, 1 },
	{ FLUSHER, ON_CACHE, 1 },
	{ FLUSHER, ON_CACHE, 1, NOLOCK },
	{ QUEUER, ON_CACHE, MOST_CAPACITY, NOLOCK },
	{ QUEUER, ALL_CACHES, MOST_CAPACITY, .drained = true, .in_time = true },
	{ QUEUER, SHRINK, 1, .in_time = true },
	{ FLUSHER, SHRINK, 1, .in_time = true },
	{ FLUSHER, ON_CACHE, 1, .unplug = true, .in_time = true },
};

/* Of who is to be held. A point is held once in each scenario. */
enum { NOT_HELD, TO_BE_HELD, IS_HELD };
static struct {
	int state;
	struct task_struct *task;
	bool works;		/* kworkers do what it waits for */
	bool asleep;		/* it was able to */
	unsigned long busy;
	unsigned int skip;	/* new points to pass by */
	unsigned int nr;
	unsigned long points[MOST_POINTS];
} hold;

/* Of the one trial that goes on. */
static const struct scenario *scene;
static struct probe *first[MOST_CAPACITY], *second[MOST_CAPACITY + 2], *at_point[MOST_CAPACITY];
static unsigned int nr_first, nr_second, nr_at_point;
static struct task_struct *actors[NR_ACTORS];
static bool finished[NR_ACTORS];
static struct seat *seats[NR_ACTORS];	/* of programs, and in which page */
static struct page *seat_pages[NR_ACTORS];
static enum actor part;			/* that the next program is to take */
static bool over;
static unsigned int undisturbed;	/* milliseconds of a barrier */

static bool is_named(unsigned long ip, const char *part)
{
	char name[KSYM_SYMBOL_LEN];

	snprintf(name, sizeof(name), "%ps", (void *)ip);
	return strstr(name, part);
}

/* Not those in the allocator of slabs below, which has no part in this. */
static bool is_of_sheaves(unsigned long ip)
{
	return is_named(ip, "sheaf") || is_named(ip, "sheaves") || is_named(ip, "pcs") ||
	       is_named(ip, "barn") || is_named(ip, "flush") || is_named(ip, "rcu");
}

static bool is_new_point(unsigned long ip)
{
	unsigned int i;

	for (i = 0; i < hold.nr; i++)
		if (hold.points[i] == ip)
			return false;
	if (i == MOST_POINTS || (hold.skip && hold.skip--))
		return false;
	hold.points[hold.nr++] = ip;
	return is_of_sheaves(ip);
}

/* What is done in mm/slub.c on HELD_CPU, which is in user space: by a flush, or else. */
static struct {
	bool on;
	unsigned long flushed;	/* where */
	bool used;
} watch;

static void watch_point(unsigned long ip)
{
	if (!is_of_sheaves(ip))
		return;
	if (!in_task() || !(current->flags & PF_WQ_WORKER))
		WRITE_ONCE(watch.used, true);
	else if (is_named(ip, "flush"))
		/* A kworker may have something else to do there. */
		WRITE_ONCE(watch.flushed, ip);
}

/* In any context; who is to be held is a task. */
static void reach_point(unsigned long ip)
{
	unsigned long flags;
	bool asleep, stop;
	unsigned int i;
	ktime_t end;
	int nmi;

	if (READ_ONCE(watch.on) && raw_smp_processor_id() == HELD_CPU)
		watch_point(ip);
	/* Pairs with hold_me(). */
	if (smp_load_acquire(&hold.state) != TO_BE_HELD || !in_task() ||
	    READ_ONCE(current->__state) != TASK_RUNNING)
		return;
	if (current != hold.task && !(hold.works && current->flags & PF_WQ_WORKER))
		return;
	/* In the middle of local_irq_save(), or of what takes it back: lockdep would be misled. */
	if (raw_irqs_disabled() && lockdep_hardirqs_enabled())
		return;
	if (test_and_set_bit_lock(0, &hold.busy))
		return;
	stop = READ_ONCE(hold.state) == TO_BE_HELD && is_new_point(ip);
	if (stop) {
		/* What comes while interrupts are off is an NMI. */
		nmi = raw_irqs_disabled() ? NMI_OFFSET : 0;
		local_irq_save(flags);
		__preempt_count_add(nmi);
		nolock_burst(DID_NOLOCK_POINT);
		for (i = 0; RCU_NOLOCK && i < nr_at_point; i++)
			queue(&logs[2], at_point[i], NOLOCK);
		__preempt_count_sub(nmi);
		local_irq_restore(flags);
		held_at = ip;
		asleep = preemptible() && !rcu_preempt_depth();
		hold.asleep = asleep;
		/* Pairs with is_held(). */
		smp_store_release(&hold.state, IS_HELD);
	}
	clear_bit_unlock(0, &hold.busy);
	if (!stop)
		return;

	end = ktime_add_ms(ktime_get(), IRQS_OFF);
	while (READ_ONCE(hold.state) == IS_HELD && (asleep || ktime_before(ktime_get(), end))) {
		if (asleep)
			usleep_range(100, 200);
		else
			cpu_relax();
	}
}

static void hold_me(bool works)
{
	hold.task = current;
	hold.works = works;
	smp_store_release(&hold.state, TO_BE_HELD);	/* pairs with reach_point() */
}

static void do_not_hold_me(void)
{
	cmpxchg(&hold.state, TO_BE_HELD, NOT_HELD);
}

static bool is_held(void)
{
	return smp_load_acquire(&hold.state) == IS_HELD;	/* pairs with reach_point() */
}

static void flush(enum actor who, enum flush how)
{
	static unsigned long heads[NR_ACTORS][2 * NR_CPUS];

	read_heads(heads[who]);
	switch (how) {
	case SHRINK:
		kmem_cache_shrink(probes);
		did(DID_SHRUNK, 1);
		/* It promises nothing but not to be in the way of a barrier. */
		fallthrough;
	case ON_CACHE:
		BARRIER_ON(probes);
		did(DID_BARRIER_ON, 1);
		break;
	case ALL_CACHES:
		BARRIER();
		did(DID_BARRIER, 1);
		break;
	}
	check_logs(heads[who], "a barrier");
}

static void act_queuer(void)
{
	unsigned long flags;
	unsigned int i;

	run_on(HELD_CPU);
	for (i = 0; i + 1 < nr_first; i++)
		queue(&logs[0], first[i], PLAIN);
	if (scene->held != QUEUER) {
		queue(&logs[0], first[i], PLAIN);
		return;
	}
	if (scene->how == NOLOCK)
		local_irq_save(flags);
	hold_me(false);
	queue(&logs[0], first[i], scene->how);
	do_not_hold_me();
	if (scene->how == NOLOCK)
		local_irq_restore(flags);
}

static void act_second_queuer(void)
{
	unsigned long flags;
	unsigned int i;

	run_on(HELD_CPU);
	if (scene->how == NOLOCK)
		local_irq_save(flags);
	for (i = 0; i < nr_second; i++)
		queue(&logs[1], second[i], scene->how == NOLOCK ? NOLOCK : PLAIN);
	if (scene->how == NOLOCK) {
		/* What waits for an interrupt waits for long. */
		spin_until(ktime_add_ms(ktime_get(), 2 * SHORT));
		local_irq_restore(flags);
	}
}

/* Is not in the kernel any more where it is held last. */
static void act_returner(void)
{
	unsigned int i;

	run_on(HELD_CPU);
	for (i = 0; i < nr_first; i++) {
		if (scene->how == DONE)
			kmem_cache_free(probes, first[i]);
		else
			queue(&logs[0], first[i], PLAIN);
	}
	hold_me(false);
}

static void act_sitter(void)
{
	run_on(HELD_CPU);
}

static void act_mover(void)
{
	void *p;

	run_on(HELD_CPU);
	p = kmem_cache_alloc(probes, GFP_KERNEL);
	if (p)
		kmem_cache_free(probes, p);
	run_on(OTHER_CPU);
}

static void act_flusher(void)
{
	run_on(FLUSH_CPU);
	if (scene->held == FLUSHER)
		hold_me(true);
	flush(FLUSHER, scene->flush);
	if (scene->held == FLUSHER)
		do_not_hold_me();
}

static void act_second_flusher(void)
{
	run_on(OTHER_CPU);
	flush(SECOND_FLUSHER, ON_CACHE);
}

static void act_reader(void)
{
	unsigned long words[MOST_CAPACITY];
	unsigned int i;

	run_on(OTHER_CPU);
	for (i = 0; i < nr_first; i++)
		words[i] = first[i]->word;
	rcu_read_lock();
	WRITE_ONCE(hold.state, IS_HELD);
	while (is_held())
		cpu_relax();
	if (READ_ONCE(finished[FLUSHER]))
		fail("a barrier did not wait for a reader");
	for (i = 0; i < nr_first; i++)
		if (word_at(first[i]) != words[i])
			fail("an object was freed while a reader could see it");
	rcu_read_unlock();
}

static void act_unplugger(void)
{
#ifdef CONFIG_HOTPLUG_CPU
	run_on(TEST_CPU);
	if (remove_cpu(OTHER_CPU)) {
		fail("CPU %u cannot be taken offline", OTHER_CPU);
		return;
	}
	/* What was in its sheaves has to be free as well. */
	flush(UNPLUGGER, ON_CACHE);
	if (add_cpu(OTHER_CPU))
		fail("CPU %u does not come back", OTHER_CPU);
	did(DID_UNPLUGGED, 1);
#endif
}

static void (*const acts[NR_ACTORS])(void) = {
	[QUEUER] = act_queuer,
	[RETURNER] = act_returner,
	[SITTER] = act_sitter,
	[MOVER] = act_mover,
	[FLUSHER] = act_flusher,
	[SECOND_QUEUER] = act_second_queuer,
	[SECOND_FLUSHER] = act_second_flusher,
	[READER] = act_reader,
	[UNPLUGGER] = act_unplugger,
};

static int act(void *arg)
{
	acts[(long)arg]();
	smp_store_release(&finished[(long)arg], true);	/* pairs with has_finished() */
	return 0;
}

/* A program waits for a part in a scenario, takes it, and returns to user space. */
static int take_part(unsigned long address)
{
	enum actor who = NOBODY;
	struct page *page;
	struct seat *seat;
	int err;

	if (!IS_ALIGNED(address, sizeof(*seat)))
		return -EINVAL;
	if (pin_user_pages_fast(address, 1, FOLL_WRITE, &page) != 1)
		return -EFAULT;
	seat = page_address(page) + offset_in_page(address);
	err = wait_event_interruptible(waiting_programs, READ_ONCE(programs_go) ||
				       (who = xchg(&part, NOBODY)) != NOBODY);
	if (who == NOBODY) {
		unpin_user_page(page);
		return err ?: -EBUSY;
	}

	WRITE_ONCE(seat->counts, 0);
	WRITE_ONCE(seat->stay, 1);
	seats[who] = seat;
	seat_pages[who] = page;
	/* Pairs with start_actor(). */
	smp_store_release(&actors[who], get_task_struct(current));
	go_last();
	acts[who]();
	if (who != RETURNER)
		smp_store_release(&finished[who], true);	/* pairs with has_finished() */
	/* What it has put into a sheaf is for who is held. */
	while (who == QUEUER && scene->held == FLUSHER && !READ_ONCE(over))
		usleep_range(100, 300);
	return 0;
}

static bool is_in_user_space(enum actor who)
{
	return seats[who] && READ_ONCE(seats[who]->counts);
}

static bool has_finished(enum actor who)
{
	/* Pairs with act() and take_part(). */
	return smp_load_acquire(&finished[who]) || is_in_user_space(who);
}

#define wait_until(condition, ms) ({					\
	ktime_t __end = ktime_add_ms(ktime_get(), ms);			\
	bool __late, __true;						\
									\
	do {								\
		__late = ktime_after(ktime_get(), __end);		\
		__true = (condition);					\
		if (!__true && !__late)					\
			usleep_range(100, 300);				\
	} while (!__true && !__late);					\
	__true;								\
})

static void start_actor(enum actor who)
{
	struct task_struct *t;

	if (who <= LAST_PROGRAM) {
		WRITE_ONCE(part, who);
		wake_up(&waiting_programs);
		/* Pairs with take_part(). */
		if (!wait_until(smp_load_acquire(&actors[who]), TOO_LONG)) {
			fail("no program has called /proc/sheafstress");
			finished[who] = true;
		}
		return;
	}
	t = kthread_create(act, (void *)(long)who, "sheafstress/%d", who);
	if (IS_ERR(t)) {
		fail("cannot start a thread: %ld", PTR_ERR(t));
		finished[who] = true;
		return;
	}
	actors[who] = get_task_struct(t);
	wake_up_process(t);
}

static bool finishes(enum actor who, bool or_is_held, unsigned int ms)
{
	return wait_until(has_finished(who) || (or_is_held && is_held()), ms);
}

/* A barrier either gets by who is held, or has to wait for it. */
static void let_flush(enum actor who)
{
	start_actor(who);
	did(finishes(who, false, hold.asleep ? LONG : SHORT) ? DID_PASSED : DID_WAITED, 1);
}

static void meanwhile(bool odd)
{
	switch (scene->held) {
	case QUEUER:
		did(DID_HELD_QUEUER, 1);
		let_flush(FLUSHER);
		if (odd && hold.asleep &&
		    !set_cpus_allowed_ptr(actors[QUEUER], cpumask_of(OTHER_CPU)))
			did(DID_MIGRATED, 1);
		break;
	case RETURNER:
		did(DID_HELD_RETURNER, 1);
		let_flush(FLUSHER);
		if (odd) {
			start_actor(SECOND_QUEUER);
			finishes(SECOND_QUEUER, false, hold.asleep ? LONG : SHORT);
		}
		break;
	case FLUSHER:
		did(DID_HELD_FLUSH, 1);
		start_actor(SECOND_QUEUER);
		finishes(SECOND_QUEUER, false, hold.asleep ? LONG : SHORT);
		if (scene->unplug) {
			start_actor(UNPLUGGER);
			finishes(UNPLUGGER, false, 2 * SHORT);
		}
		let_flush(SECOND_FLUSHER);
		break;
	default:
		start_actor(QUEUER);
		finishes(QUEUER, false, TOO_LONG);
		start_actor(FLUSHER);
		finishes(FLUSHER, false, 4 * undisturbed + SHORT);
		did(DID_OUTLASTED, 1);
	}
}

static unsigned int get_probes(struct probe **p, unsigned int n)
{
	unsigned int i;

	if (!kmem_cache_alloc_bulk(probes, GFP_KERNEL, n, (void **)p)) {
		fail("no memory");
		return 0;
	}
	for (i = 0; i < n; i++) {
		if (p[i]->word)
			fail("an object was handed out that is in use");
		p[i]->word = atomic_long_inc_return(&next_word);
	}
	did(DID_ALLOCATED, n);
	return n;
}

static void dismiss(enum actor who)
{
	if (seats[who]) {
		WRITE_ONCE(seats[who]->stay, 0);
		unpin_user_page(seat_pages[who]);
		put_task_struct(actors[who]);
	} else {
		kthread_stop_put(actors[who]);
	}
}

static void in_interrupt_on(void *unused)
{
	void *p;

	/* As a device's: one that PREEMPT_RT would make a thread may take the locks of a slab. */
	lockdep_hardirq_threaded();
	p = RT ? NULL : kmem_cache_alloc(probes, GFP_ATOMIC);
	if (p)
		kmem_cache_free(probes, p);
	nolock_burst(DID_NOLOCK_POINT);
}

/* Who is in user space on HELD_CPU, with nothing in the kernel to be done there. */
static enum actor find_sitter(void)
{
	enum actor who;

	rcu_barrier();
	for (who = 1; who <= LAST_PROGRAM; who++)
		if (seats[who] && task_cpu(actors[who]) == HELD_CPU)
			return who;
	start_actor(SITTER);
	return SITTER;
}

/* Nothing is allocated any more, so whatever is left is in a sheaf. */
static void flush_what_is_left(enum flush how)
{
	flush(NOBODY, how);
	if (kmem_cache_shrink(probes))
		fail("objects are in a sheaf after a flush; held at %pS", (void *)held_at);
}

/* Who else has used a sheaf of HELD_CPU before it is back in user space. */
enum other { NOTHING, AN_INTERRUPT, A_MOVER };

/* A flush has nothing to do on an isolated CPU that is in user space, and nothing to wait for. */
static void flush_beside_user_space(enum flush how, enum other other)
{
	static const char *const after[] = { "", " after an interrupt", " after another one" };
	enum actor who = find_sitter();
	unsigned long from;
	int tries;

	if (other == A_MOVER) {
		start_actor(MOVER);
		if (!wait_until(is_in_user_space(MOVER), TOO_LONG))
			fail("a program does not return to user space");
	}
	for (tries = 0; tries < 100 && !atomic_read(&failures); tries++) {
		if (other == AN_INTERRUPT)
			smp_call_function_single(HELD_CPU, in_interrupt_on, NULL, true);
		/* On uml a program goes on for a while beside what an interrupt leaves. */
		schedule_timeout_uninterruptible(2);
		watch.flushed = 0;
		watch.used = false;
		/* What comes by a point from now on is seen, and then it is in user space. */
		WRITE_ONCE(watch.on, true);
		smp_mb(); /* pairs with the system call or interrupt that a point comes after */
		from = READ_ONCE(seats[who]->counts);
		if (!wait_until(READ_ONCE(seats[who]->counts) - from > 1, TOO_LONG))
			fail("a program does not return to user space");
		flush_what_is_left(how);
		WRITE_ONCE(watch.on, false);
		/* It was in the kernel, where it may have used a sheaf. */
		if (READ_ONCE(watch.used))
			continue;
		if (watch.flushed)
			fail("a flush used the CPU of a program in user space%s: %pS; held at %pS",
			     after[other], (void *)watch.flushed, (void *)held_at);
		did(DID_LEFT_ALONE, 1);
		return;
	}
}

/* Whether somebody was held. */
static bool try_point(unsigned int capacity, bool odd)
{
	enum actor who = scene->held == NOBODY ? READER : scene->held;
	bool was_held;

	memset(actors, 0, sizeof(actors));
	memset(finished, 0, sizeof(finished));
	memset(seats, 0, sizeof(seats));
	over = false;
	held_at = 0;
	/* The second queuer fills up what is there and another sheaf, and begins a third. */
	nr_first = max(1, (int)capacity - scene->missing + (scene->held == QUEUER));
	nr_first = get_probes(first, nr_first);
	nr_second = get_probes(second, capacity + 2);
	nr_at_point = get_probes(at_point, capacity);
	if (scene->drained)
		kmem_cache_shrink(probes);

	if (who == FLUSHER) {
		start_actor(QUEUER);
		finishes(QUEUER, false, TOO_LONG);
	}
	start_actor(who);
	if (!finishes(who, true, TOO_LONG))
		fail("who is to be held neither is nor ends");
	if (who == RETURNER)
		do_not_hold_me();
	was_held = is_held();
	if (was_held) {
		meanwhile(odd);
		WRITE_ONCE(hold.state, NOT_HELD);
	}
	WRITE_ONCE(over, true);
	for (who = 0; who < NR_ACTORS; who++) {
		if (!actors[who])
			continue;
		if (!finishes(who, false, TOO_LONG))
			fail("a thread does not end that was held, or waited for who was");
		if (seats[who] && !wait_until(is_in_user_space(who), TOO_LONG))
			fail("a program does not return to user space");
	}
	if (!actors[SECOND_QUEUER])
		kmem_cache_free_bulk(probes, nr_second, (void **)second);
	if (!RCU_NOLOCK || !was_held || scene->held == NOBODY)
		kmem_cache_free_bulk(probes, nr_at_point, (void **)at_point);
	if (isolated) {
		flush_beside_user_space(scene->how == DONE ? ALL_CACHES : ON_CACHE, NOTHING);
		if (scene->held == RETURNER)
			flush_beside_user_space(ON_CACHE, odd ? AN_INTERRUPT : A_MOVER);
	} else {
		flush_what_is_left(ON_CACHE);
	}
	for (who = 0; who < NR_ACTORS; who++)
		if (actors[who])
			dismiss(who);
	return was_held && scene->held != NOBODY;
}

static void play_scene(unsigned int capacity)
{
	unsigned int most = scene->in_time ? 64 : 0, nr = 0;
	unsigned long end = jiffies + seconds * HZ / 2;

	hold.nr = 0;
	while (!atomic_read(&failures) &&
	       (!scene->in_time || nr < 2 || time_before(jiffies, end))) {
		hold.skip = most ? below(most) : 0;
		if (try_point(capacity, nr % 2))
			nr++;
		else if (most)
			most /= 2;
		else
			break;
	}
}

static unsigned int capacity_of(const char *cache)
{
	char path[64], text[16] = "";
	unsigned int capacity = 0;
	struct file *file;
	loff_t at = 0;

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/sheaf_capacity", cache);
	file = filp_open(path, O_RDONLY, 0);
	if (IS_ERR(file))
		return 0;
	if (kernel_read(file, text, sizeof(text) - 1, &at) <= 0 ||
	    kstrtouint(strim(text), 10, &capacity))
		capacity = 0;
	filp_close(file, NULL);
	return capacity;
}

static bool test_points(void)
{
	struct slub_point *point = (struct slub_point *)__symbol_get("slub_point");
	unsigned int capacity, i;
	ktime_t start;
	bool driven = false;

	if (!point) {
		pr_info("points: not driven: this kernel was built without them\n");
		return false;
	}
	probes = kmem_cache_create("sheafstress-probe", 4096, 0, SLAB_NO_MERGE, NULL);
	capacity = capacity_of("sheafstress-probe");
	if (!capacity || capacity >= MOST_CAPACITY) {
		pr_info("points: not driven: %u objects to a sheaf\n", capacity);
		goto out;
	}
	driven = true;
	find_held_cpu();
	if (!get_logs())
		goto out_logs;
	run_on(TEST_CPU);
	start = ktime_get();
	flush(NOBODY, ON_CACHE);
	flush(NOBODY, ON_CACHE);
	undisturbed = ktime_ms_delta(ktime_get(), start) / 2 + 1;
	let_programs_in();
	WRITE_ONCE(point->fn, reach_point);
	for (i = 0; i < ARRAY_SIZE(scenarios); i++) {
		scene = &scenarios[i];
		if ((scene->how == NOLOCK && !RCU_NOLOCK) ||
		    (scene->unplug && !IS_ENABLED(CONFIG_HOTPLUG_CPU)))
			continue;
		play_scene(capacity);
	}
	WRITE_ONCE(point->fn, NULL);
	/* Pairs with slub_point_reached(). */
	smp_mb();
	while (atomic_read(&point->inside))
		usleep_range(100, 200);
	send_programs_home();
out_logs:
	put_logs();
out:
	kmem_cache_destroy(probes);
	if (driven)
		did(DID_DESTROYED, 1);
	__symbol_put("slub_point");
	return driven;
}

static int __init sheafstress_init(void)
{
	if (!barrier || !barrier_on_cache) {
		pr_err("give barrier= and barrier_on_cache=, see bench/driver/prove.c\n");
		return -EINVAL;
	}
	if (!prefill_sheaf || !alloc_from_sheaf || !refill_sheaf)
		return_sheaf = 0;
	stressing = !strcmp(test, "stress");
	pointing = !strcmp(test, "points");
	if (!stressing && !pointing && strcmp(test, "rcu")) {
		pr_err("test=%s is not stress, rcu or points\n", test);
		return -EINVAL;
	}
	if (stressing)
		test_stress();
	else if (!pointing)
		test_rcu();
	else if (!test_points())
		return 0;
	report_kinds();
	if (atomic_read(&failures))
		return -EIO;
	pr_info("%s: ok\n", test);
	return 0;
}
module_init(sheafstress_init);

static void __exit sheafstress_exit(void)
{
}
module_exit(sheafstress_exit);

MODULE_DESCRIPTION("Stress and a directed RCU test for SLUB's per-CPU sheaves");
MODULE_LICENSE("GPL");
