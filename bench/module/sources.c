// SPDX-License-Identifier: GPL-2.0
/*
 * Where objects come from, other than from kmalloc(): a kmem_cache of the run's own, whole batches
 * in one call, a prefilled sheaf, the page allocator, kfree_rcu(); and kmalloc() in other contexts.
 */

#include <linux/bottom_half.h>
#include <linux/gfp.h>
#include <linux/hrtimer.h>
#include <linux/memcontrol.h>
#include <linux/rcupdate.h>
#include <linux/static_call.h>

/* Bytes that may wait for a grace period before one is waited for. */
#define RCU_BYTES	(4u << 20)

/*
 * Not exported, or not by each kernel: who loads the module gives their addresses. Called directly
 * and not through a pointer, as their callers in the kernel do, and since x86's IBT would refuse an
 * indirect call.
 */
static unsigned long barrier, barrier_on_cache, prefill_sheaf, alloc_from_sheaf, return_sheaf;
module_param(barrier, ulong, 0);
module_param(barrier_on_cache, ulong, 0);
module_param(prefill_sheaf, ulong, 0);
module_param(alloc_from_sheaf, ulong, 0);
module_param(return_sheaf, ulong, 0);

DEFINE_STATIC_CALL_NULL(sheafbench_barrier, kvfree_rcu_barrier);
DEFINE_STATIC_CALL_NULL(sheafbench_barrier_on, kvfree_rcu_barrier_on_cache);
DEFINE_STATIC_CALL_NULL(sheafbench_prefill, kmem_cache_prefill_sheaf);
DEFINE_STATIC_CALL_NULL(sheafbench_from, kmem_cache_alloc_from_sheaf_noprof);
DEFINE_STATIC_CALL_NULL(sheafbench_return, kmem_cache_return_sheaf);

static bool has_prefill(void)
{
	return prefill_sheaf && alloc_from_sheaf && return_sheaf;
}

#define NO_BARRIERS	\
	"kvfree_rcu_barrier: load the module with barrier= and barrier_on_cache= of /proc/kallsyms"
static bool has_barriers(void)
{
	return barrier && barrier_on_cache;
}

static void sources_init(void)
{
	if (has_barriers()) {
		static_call_update(sheafbench_barrier, (typeof(kvfree_rcu_barrier) *)barrier);
		static_call_update(sheafbench_barrier_on,
				   (typeof(kvfree_rcu_barrier_on_cache) *)barrier_on_cache);
	}
	if (!has_prefill())
		return;
	static_call_update(sheafbench_prefill, (typeof(kmem_cache_prefill_sheaf) *)prefill_sheaf);
	static_call_update(sheafbench_from,
			   (typeof(kmem_cache_alloc_from_sheaf_noprof) *)alloc_from_sheaf);
	static_call_update(sheafbench_return, (typeof(kmem_cache_return_sheaf) *)return_sheaf);
}

/* Whether what the caller allocates with __GFP_ACCOUNT is charged to a cgroup. */
static bool is_charged(void)
{
	bool charged = false;
#ifdef CONFIG_MEMCG
	struct mem_cgroup *memcg;

	rcu_read_lock();
	memcg = mem_cgroup_from_task(current);
	charged = memcg && !mem_cgroup_is_root(memcg);
	rcu_read_unlock();
#endif
	return charged;
}

static void constructor(void *object)
{
	*(void **)object = object;
}

static int own_cache(struct run *run, slab_flags_t flags, void (*ctor)(void *object))
{
	run->cache = kmem_cache_create(KBUILD_MODNAME, run->arg.size, 0, flags | SLAB_NO_MERGE,
				       ctor);
	return run->cache ? 0 : -ENOMEM;
}

static int begin_cache(struct run *run) { return own_cache(run, 0, NULL); }
static int begin_ctor(struct run *run) { return own_cache(run, 0, constructor); }
static int begin_account(struct run *run) { return own_cache(run, SLAB_ACCOUNT, NULL); }
/* A cache that kmemleak must not look into has no sheaves. */
static int begin_fallback(struct run *run) { return own_cache(run, SLAB_NOLEAKTRACE, NULL); }

/* Waits for what kfree_rcu() has not freed yet, if there is any. */
static void end_cache(struct run *run)
{
	kmem_cache_destroy(run->cache);
	run->cache = NULL;
}

static void settle_rcu(struct run *run, u32 ops)
{
	run->waiting += ops;
	if ((u64)run->waiting * run->arg.size < RCU_BYTES)
		return;
	static_call_cond(sheafbench_barrier)();
	run->waiting = 0;
}

static __always_inline void *cache_new(struct region *region, size_t size, gfp_t gfp)
{
	return kmem_cache_alloc(region->cache, gfp);
}

static __always_inline void cache_drop(struct region *region, void *object)
{
	kmem_cache_free(region->cache, object);
}

DEFINE_LOOPS(cache)
ANY_SIZE(cache);

static __always_inline void *page_new(struct region *region, size_t size, gfp_t gfp)
{
	return alloc_page(gfp);
}

static __always_inline void page_drop(struct region *region, void *object)
{
	__free_page(object);
}

DEFINE_LOOPS(page)
ANY_SIZE(page);

struct rcu_object {
	struct rcu_head rcu;
};

static __always_inline void rcu_drop(struct region *region, struct rcu_object *object)
{
	kfree_rcu(object, rcu);
}

#define rcu_new	cache_new
DEFINE_LOOPS(rcu)
ANY_SIZE(rcu);

/* All in one call, or from one sheaf: instead of one after the other. */
static __always_inline void bulk_alloc_loop(struct region *region, size_t size, gfp_t gfp)
{
	bool good = region->n && kmem_cache_alloc_bulk(region->cache, gfp, region->n,
						       region->object);

	region->done = good ? region->n : 0;
}

static __always_inline void bulk_free_loop(struct region *region)
{
	if (region->n)
		kmem_cache_free_bulk(region->cache, region->n, region->object);
	region->done = region->n;
}

static __always_inline void prefill_alloc_loop(struct region *region, size_t size, gfp_t gfp)
{
	struct slab_sheaf *sheaf = NULL;
	u32 i, n = region->n;

	if (n)
		sheaf = static_call(sheafbench_prefill)(region->cache, gfp, n);
	if (!sheaf)
		n = 0;
	for (i = 0; i < n; i++) {
		region->object[i] = static_call(sheafbench_from)(region->cache, gfp, sheaf);
		if (unlikely(!region->object[i]))
			break;
	}
	if (sheaf)
		static_call(sheafbench_return)(region->cache, gfp, sheaf);
	region->done = i;
}

#define prefill_free_loop	cache_free_loop

/* Neither allocates one at a time. */
#define bulk_pair_loop(...)	do { } while (0)
#define bulk_swap_loop(...)	do { } while (0)
#define prefill_pair_loop(...)	do { } while (0)
#define prefill_swap_loop(...)	do { } while (0)
ANY_SIZE(bulk);
ANY_SIZE(prefill);

/* The contexts. Each does the passes of a sample there. */
static void context_bh(struct run *run)
{
	local_bh_disable();
	do_passes(run);
	local_bh_enable();
}

struct in_timer {
	struct hrtimer timer;
	struct run *run;
	bool done;
};

static enum hrtimer_restart timer_passes(struct hrtimer *timer)
{
	struct in_timer *in = container_of(timer, struct in_timer, timer);

	if (timer->is_soft ? in_serving_softirq() && !in_hardirq() : in_hardirq())
		do_passes(in->run);
	/* Pairs with the acquire in context_timer(): what the passes have done comes first. */
	smp_store_release(&in->done, true);
	return HRTIMER_NORESTART;
}

static void context_timer(struct run *run, enum hrtimer_mode mode)
{
	struct in_timer in = { .run = run };

	hrtimer_setup_on_stack(&in.timer, timer_passes, CLOCK_MONOTONIC, mode);
	hrtimer_start(&in.timer, 0, mode);
	/* Pairs with the release in timer_passes(). */
	while (!smp_load_acquire(&in.done)) {
		cpu_relax();
		cond_resched();
	}
	hrtimer_cancel(&in.timer);
	destroy_hrtimer_on_stack(&in.timer);
}

static void context_hardirq(struct run *run)
{
	context_timer(run, HRTIMER_MODE_REL_PINNED_HARD);
}

static void context_softirq(struct run *run)
{
	context_timer(run, HRTIMER_MODE_REL_PINNED_SOFT);
}

static const struct source source_kmalloc = { KMALLOC_LOOPS };
static const struct source source_cache = { ANY_LOOPS(cache), begin_cache, end_cache };
static const struct source source_ctor = { ANY_LOOPS(cache), begin_ctor, end_cache };
static const struct source source_account = { ANY_LOOPS(cache), begin_account, end_cache };
static const struct source source_bulk = { ANY_LOOPS(bulk), begin_cache, end_cache };
static const struct source source_prefill = { ANY_LOOPS(prefill), begin_cache, end_cache };
static const struct source source_page = { ANY_LOOPS(page) };
static const struct source source_rcu = { ANY_LOOPS(rcu), begin_cache, end_cache,
					  .settle = settle_rcu };
static const struct source source_rcu_fallback = { ANY_LOOPS(rcu), begin_fallback, end_cache,
						   .settle = settle_rcu };
static const struct source source_bh = { ATOMIC_LOOPS, .context = context_bh };
static const struct source source_softirq = { ATOMIC_LOOPS, .context = context_softirq };
static const struct source source_hardirq = { ATOMIC_LOOPS, .context = context_hardirq };
