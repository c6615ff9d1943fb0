// SPDX-License-Identifier: GPL-2.0
/* The loops that are timed, and the same without the allocator. */
/* What one timed loop works on. */
struct region {
	void **object;
	u32 n;		/* operations to do */
	u32 done;	/* operations done: less than n after a failed allocation */
	bool marked;	/* a loop that can be is to be */
	u64 ticks;	/* of a marked loop: between the reads around its markers */
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
#define MARKED(name, loop)						\
static noinline void marked_##name(struct region *region)		\
{									\
	u64 start = 0;							\
									\
	if (region->marked)						\
		start = window_start();					\
	loop;								\
	if (region->marked)						\
		region->ticks = window_end() - start;			\
}

#define SHEAFBENCH_SIZE(size) MARKED(alloc_##size, kmalloc_alloc_loop(region, size, SLEEPING))
#include "sheafbench_lists.h"
#define SHEAFBENCH_SIZE(size) MARKED(pair_##size, kmalloc_pair_loop(region, size, SLEEPING))
#include "sheafbench_lists.h"
#define SHEAFBENCH_SIZE(size) MARKED(swap_##size, kmalloc_swap_loop(region, size, SLEEPING))
#include "sheafbench_lists.h"
#define SHEAFBENCH_SIZE(size) \
	MARKED(atomic_alloc_##size, kmalloc_alloc_loop(region, size, ATOMIC))
#include "sheafbench_lists.h"
#define SHEAFBENCH_SIZE(size) \
	MARKED(atomic_pair_##size, kmalloc_pair_loop(region, size, ATOMIC))
#include "sheafbench_lists.h"
#define SHEAFBENCH_SIZE(size) \
	MARKED(atomic_swap_##size, kmalloc_swap_loop(region, size, ATOMIC))
#include "sheafbench_lists.h"
MARKED(free, kmalloc_free_loop(region))

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

static const struct loops marked_loops[] = {
#define SHEAFBENCH_SIZE(size) \
	{ size, marked_alloc_##size, marked_pair_##size, marked_swap_##size, marked_free },
#include "sheafbench_lists.h"
	{ }
};

static const struct loops marked_atomic_loops[] = {
#define SHEAFBENCH_SIZE(size)							\
	{ size, marked_atomic_alloc_##size, marked_atomic_pair_##size,	\
	  marked_atomic_swap_##size, marked_free },
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
MARKED(source##_alloc, source##_alloc_loop(region, 0, SLEEPING))	\
MARKED(source##_pair, source##_pair_loop(region, 0, SLEEPING))		\
MARKED(source##_swap, source##_swap_loop(region, 0, SLEEPING))		\
MARKED(source##_free, source##_free_loop(region))			\
									\
static const struct loops source##_loops[] = {				\
	{ 0, source##_alloc, source##_pair, source##_swap, source##_free }, \
	{ 0, source##_alloc_atomic, source##_pair_atomic, source##_swap_atomic, source##_free }, \
	{ 0, marked_##source##_alloc, marked_##source##_pair, marked_##source##_swap, \
	  marked_##source##_free },					\
}

/* In the order of struct source. */
#define ANY_LOOPS(source)	{ &source##_loops[0], &source##_loops[1], &source##_loops[2] }
#define KMALLOC_LOOPS		{ sleeping_loops, atomic_loops, marked_loops }
#define ATOMIC_LOOPS		{ atomic_loops, atomic_loops, marked_atomic_loops }

static const struct loops empty_loops = { 0, no_alloc, no_pair, no_swap, no_free };
