// SPDX-License-Identifier: GPL-2.0
/*
 * The module's arithmetic: no state, no kernel calls, so that it is tested outside the kernel too.
 */

/* A random number that depends on the state only: splitmix64 (Steele, Lea, Flood 2014). */
static inline u64 calc_random(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* index[i]: the place, in the order of allocation, of the object that is freed as number i. */
static inline void calc_order(u32 *index, u32 n, u32 order, u64 seed)
{
	u32 i, j, t;

	for (i = 0; i < n; i++)
		index[i] = order == SHEAFBENCH_LIFO ? n - 1 - i : i;
	if (order != SHEAFBENCH_SHUFFLED)
		return;
	/* Fisher and Yates; a multiplication picks j from 0 .. i, biased by less than n / 2^32. */
	for (i = n; i-- > 1;) {
		j = ((calc_random(&seed) >> 32) * (i + 1)) >> 32;
		t = index[i];
		index[i] = index[j];
		index[j] = t;
	}
}

/*
 * The step of the clock in 1/100 ticks, from sorted differences between reads at varied distance.
 * A clock that advances by q ticks at a time shows multiples of q, each rounded down or up:
 * clusters at most two integers wide, with gaps between them. The smallest distance between
 * neighbours gives a first q, the sum of differences over the sum of their multiples the exact one.
 * A clock without such gaps has a step of 1. The last eighth is left out: interrupts, too few to
 * show each multiple.
 */
static inline u32 calc_step_cticks(const u64 *sorted, u32 count)
{
	u64 low, previous = 0, ticks = 0, steps = 0, q = ~0ull;
	u32 i, end = count - count / 8;

	for (i = 0; i < end && !sorted[i]; i++)
		;
	if (i == end)
		return 100;
	for (low = sorted[i]; i < end; i++) {
		if (sorted[i] - low <= 1)
			continue;
		/* A third integer next to the two: no gap here. */
		if (sorted[i] - sorted[i - 1] == 1)
			return 100;
		if (previous && low - previous < q)
			q = low - previous;
		previous = low;
		low = sorted[i];
	}
	if (previous && low - previous < q)
		q = low - previous;
	/* One cluster, or none but the first: its value is all that is known. */
	if (q == ~0ull)
		q = low;
	for (i = 0; i < end; i++) {
		ticks += sorted[i];
		steps += (sorted[i] + q / 2) / q;
	}
	return steps ? ticks * 100 / steps : 100;
}

/*
 * How many timed regions of ops operations make a sample. The two reads of a region are off by up
 * to a step, SD step / sqrt(6); over regions that start at random phases the errors add up as
 * squares. The SD per operation is to be at most 0.1 tick and 0.1 ns, of 1000 operations or more.
 */
static inline u32 calc_regions(u32 step_cticks, u32 khz, u32 ops)
{
	u64 limit = khz / 100 < 10000 ? khz / 100 : 10000; /* 1/1000 of 1/100 ticks */
	u64 error, regions;

	limit = (limit ? limit : 1) * ops;
	error = 1000ull * step_cticks;
	regions = (error / limit + 1) * (error / limit + 1) / 6 + 1;
	if (regions * ops < 1000)
		regions = (1000 + ops - 1) / ops;
	if (regions > SHEAFBENCH_MAX_OPS / ops)
		regions = SHEAFBENCH_MAX_OPS / ops;
	return regions;
}

/* The 5 % quantile of sorted values, in 1/100 of their unit, interpolated between neighbours. */
static inline u64 calc_p05_centi(const u64 *sorted, u32 count)
{
	u32 at = (count - 1) * 5;
	u64 low = sorted[at / 100], high = sorted[(at + 99) / 100];

	return low * 100 + (high - low) * (at % 100);
}
