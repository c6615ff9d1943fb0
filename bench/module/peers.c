// SPDX-License-Identifier: GPL-2.0
/*
 * The loops that people time kmalloc() with today, each with the clock, the loop and the arithmetic
 * of its kind, so that their numbers stand beside this module's from the same kernel. Each returns
 * what it would have printed for one operation, in 1/100 ticks, or 0 when an allocation failed.
 * Objects have 64 bytes. Known from descriptions only, and written for this comparison.
 */

#include <linux/preempt.h>

#define PEER_SIZE	64

/*
 * As posted with the QPW series: a million allocations between two reads of the counter under
 * preempt_disable(), and their mean in whole ticks.
 */
static u64 peer_thread(void)
{
	const u32 count = 1000000;
	void **object = kvmalloc_array(count, sizeof(*object), GFP_KERNEL);
	u64 start, ticks;
	u32 i, n;

	if (!object)
		return 0;
	preempt_disable();
	start = clock_read_unfenced();
	for (n = 0; n < count; n++) {
		object[n] = kmalloc(PEER_SIZE, GFP_ATOMIC | __GFP_NOWARN);
		if (!object[n])
			break;
	}
	ticks = clock_read_unfenced() - start;
	preempt_enable();
	for (i = 0; i < n; i++) {
		kfree(object[i]);
		if (i % 4096 == 0)
			cond_resched();
	}
	kvfree(object);
	return n == count ? 100 * div_u64(ticks, count) : 0;
}

/* As slab_test: ten thousand pairs, timed once, and their mean in whole ticks. */
static u64 peer_slabtest(void)
{
	const u32 count = 10000;
	u64 start = clock_read_unfenced();
	u32 i;

	for (i = 0; i < count; i++) {
		void *object = kmalloc(PEER_SIZE, GFP_KERNEL);

		if (!object)
			return 0;
		kfree(object);
	}
	return 100 * div_u64(clock_read_unfenced() - start, count);
}

/*
 * As slub_kunit's benchmark: a million operations in batches, allocated and then freed, eleven
 * times; the mean of all times but the first.
 */
static u64 peer_kunit(u32 batch)
{
	const u32 count = 1000000;
	void **object = kvmalloc_array(batch, sizeof(*object), GFP_KERNEL);
	u64 sum = 0, start;
	u32 round, i, j, n = 0;

	if (!object)
		return 0;
	for (round = 0; round < 11; round++) {
		start = clock_read_unfenced();
		for (i = 0; i < count; i += batch) {
			for (n = 0; n < batch; n++) {
				object[n] = kmalloc(PEER_SIZE, GFP_KERNEL);
				if (!object[n])
					break;
			}
			for (j = 0; j < n; j++)
				kfree(object[j]);
			if (n < batch)
				goto out;
		}
		if (round)
			sum += clock_read_unfenced() - start;
		cond_resched();
	}
out:
	kvfree(object);
	return n == batch ? div_u64(100 * sum, 10 * count) : 0;
}

static u64 peer_kunit_1(void) { return peer_kunit(1); }
static u64 peer_kunit_10(void) { return peer_kunit(10); }
static u64 peer_kunit_100(void) { return peer_kunit(100); }
static u64 peer_kunit_1000(void) { return peer_kunit(1000); }

static noinline u64 peer_pairs(u32 n)
{
	unsigned long flags;
	u64 start;

	local_irq_save(flags);
	start = clock_read();
	while (n--) {
		void *object = kmalloc(PEER_SIZE, GFP_ATOMIC | __GFP_NOWARN);

		if (!object)
			break;
		kfree(object);
	}
	start = clock_read() - start;
	local_irq_restore(flags);
	return n == U32_MAX ? start : 0;
}

/*
 * As nanoBench: interrupts off and fenced reads; what n pairs take is subtracted from what 2n take;
 * of ten such differences, after five that warm up, the mean of the middle six.
 */
static u64 peer_nanobench(void)
{
	const u32 n = 100;
	u64 apart[10], once, twice, sum = 0;
	int i;

	for (i = -5; i < 10; i++) {
		once = peer_pairs(n);
		twice = peer_pairs(2 * n);
		if (!once || !twice)
			return 0;
		if (i >= 0)
			apart[i] = max(twice, once) - once;
	}
	sort_u64(apart, 10);
	for (i = 2; i < 8; i++)
		sum += apart[i];
	return div_u64(100 * sum, 6 * n);
}
