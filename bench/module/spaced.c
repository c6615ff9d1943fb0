// SPDX-License-Identifier: GPL-2.0
/*
 * kmalloc() in a program that does other work: so many core cycles of it before each operation, in
 * a chain that no operation waits for and that waits for none. An out-of-order core overlaps the
 * two, where operations that follow each other at once overlap with nothing but themselves. The
 * empty loops do the same work.
 */

static u32 spaced_work;		/* in eights of cycles; of the one run that is on */

/* Kept by who is called: a chain that went through memory would be more than work. */
#define WORK_SUM(value) register unsigned long sum asm(WORK_REGISTER) = value

#define WORK(eights)									\
	do {										\
		u32 left;								\
											\
		for (left = eights; left; left--)					\
			asm volatile(CHAIN_1 CHAIN_1 CHAIN_1 CHAIN_1 CHAIN_1 CHAIN_1	\
				     CHAIN_1 CHAIN_1 : "+r" (sum) : : "cc");		\
	} while (0)

#define DEFINE_SPACED(source)								\
static __always_inline void source##_spaced_alloc(struct region *region, size_t size)	\
{											\
	void **object = region->object;							\
	u32 i, n = region->n, eights = spaced_work;					\
	WORK_SUM(n);									\
											\
	for (i = 0; i < n; i++) {							\
		WORK(eights);							\
		object[i] = source##_new(region, size, SLEEPING);			\
		if (unlikely(!object[i]))						\
			break;								\
	}										\
	region->done = i;								\
}											\
											\
static __always_inline void source##_spaced_pair(struct region *region, size_t size)	\
{											\
	u32 i, n = region->n, eights = spaced_work;					\
	WORK_SUM(n);									\
											\
	for (i = 0; i < n; i++) {							\
		void *object;								\
											\
		WORK(eights);							\
		object = source##_new(region, size, SLEEPING);				\
		if (unlikely(!object))							\
			break;								\
		source##_drop(region, object);						\
	}										\
	region->done = i;								\
}											\
											\
static __always_inline void source##_spaced_free(struct region *region)		\
{											\
	void **object = region->object;							\
	u32 i, n = region->n, eights = spaced_work;					\
	WORK_SUM(n);									\
											\
	for (i = 0; i < n; i++) {							\
		WORK(eights);							\
		source##_drop(region, object[i]);					\
	}										\
	region->done = i;								\
}

static __always_inline void *none_new(struct region *region, size_t size, gfp_t gfp)
{
	void *new = region;

	OPTIMIZER_HIDE_VAR(new);
	return new;
}

static __always_inline void none_drop(struct region *region, void *object)
{
	asm volatile("" : : "r" (object));
}

DEFINE_SPACED(kmalloc)
DEFINE_SPACED(none)

#define SPACED(name, loop)						\
static noinline void spaced_##name(struct region *region)		\
{									\
	loop;								\
}

#define SHEAFBENCH_SIZE(size) SPACED(alloc_##size, kmalloc_spaced_alloc(region, size))
#include "sheafbench_lists.h"
#define SHEAFBENCH_SIZE(size) SPACED(pair_##size, kmalloc_spaced_pair(region, size))
#include "sheafbench_lists.h"
SPACED(free, kmalloc_spaced_free(region))
#define SHEAFBENCH_SIZE(size) MARKED(spaced_alloc_##size, kmalloc_spaced_alloc(region, size))
#include "sheafbench_lists.h"
#define SHEAFBENCH_SIZE(size) MARKED(spaced_pair_##size, kmalloc_spaced_pair(region, size))
#include "sheafbench_lists.h"
MARKED(spaced_free, kmalloc_spaced_free(region))

static noinline void spaced_no_alloc(struct region *region)
{
	none_spaced_alloc(region, 0);
}

static noinline void spaced_no_pair(struct region *region)
{
	none_spaced_pair(region, 0);
}

static noinline void spaced_no_free(struct region *region)
{
	none_spaced_free(region);
}

/* Nothing is swapped: of pairs, the order is lifo. */
static const struct loops spaced_loops[] = {
#define SHEAFBENCH_SIZE(size) \
	{ size, spaced_alloc_##size, spaced_pair_##size, NULL, spaced_free },
#include "sheafbench_lists.h"
	{ }
};

static const struct loops marked_spaced_loops[] = {
#define SHEAFBENCH_SIZE(size)							\
	{ size, marked_spaced_alloc_##size, marked_spaced_pair_##size, NULL,	\
	  marked_spaced_free },
#include "sheafbench_lists.h"
	{ }
};

static const struct loops empty_spaced = { 0, spaced_no_alloc, spaced_no_pair, NULL,
					   spaced_no_free };

static int begin_spaced(struct run *run)
{
	spaced_work = run->arg.work / 8;
	return 0;
}

static const struct source source_spaced = { { spaced_loops, spaced_loops, marked_spaced_loops },
					     begin_spaced, .empty = &empty_spaced };
