// SPDX-License-Identifier: GPL-2.0
/*
 * Excursions: what a program pays that enters the kernel, has it allocate and free there, and
 * returns. It is timed from user space, so that what a kernel does on the way back is in it.
 * But for the caches, nothing is kept between calls.
 */

/* Caches that excursions use, and others that are only there, for the kernel to look at. */
static struct {
	struct rw_semaphore lock;
	struct kmem_cache *cache[SHEAFBENCH_MAX_CACHES];
	unsigned int nr;
} own = { .lock = __RWSEM_INITIALIZER(own.lock) };

static int ioctl_caches(unsigned long nr)
{
	char name[32];

	if (nr > SHEAFBENCH_MAX_CACHES)
		return -EINVAL;
	guard(rwsem_write)(&own.lock);
	while (own.nr > nr)
		kmem_cache_destroy(own.cache[--own.nr]);
	for (; own.nr < nr; own.nr++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		snprintf(name, sizeof(name), KBUILD_MODNAME "-%u", own.nr);
		own.cache[own.nr] = kmem_cache_create(name, SHEAFBENCH_CACHE_SIZE, 0,
						      SLAB_NO_MERGE, NULL);
		if (!own.cache[own.nr])
			return -ENOMEM;
	}
	return 0;
}

static int use_caches(unsigned long nr)
{
	unsigned long i;
	void *object;

	guard(rwsem_read)(&own.lock);
	if (nr > own.nr)
		return -EINVAL;
	for (i = 0; i < nr; i++) {
		object = kmem_cache_alloc(own.cache[i], GFP_KERNEL);
		if (!object)
			return -ENOMEM;
		kmem_cache_free(own.cache[i], object);
	}
	return 0;
}

/* As many pairs of kmalloc() and kfree() as a caller of SHEAFBENCH_EXCURSION() asked for. */
static int ioctl_excursion(unsigned long arg)
{
	const unsigned long pairs = arg >> SHEAFBENCH_EXCURSION_SHIFT;
	const unsigned long size = arg & (BIT(SHEAFBENCH_EXCURSION_SHIFT) - 1);
	struct region region = { .n = pairs };
	const struct loops *loops;

	if (size == SHEAFBENCH_OWN_CACHES)
		return use_caches(pairs);
	if (pairs > SHEAFBENCH_MAX_N)
		return -EINVAL;
	loops = find_loops(&source_kmalloc, size, 0);
	if (!loops)
		return -EINVAL;
	loops->pair(&region);
	return region.done == pairs ? 0 : -ENOMEM;
}

/* The gate and the clock of the core, for a sample that is taken elsewhere: see gated_sample(). */
static int ioctl_probe(struct sheafbench_probe __user *user)
{
	struct sheafbench_probe probes = { };
	u64 random = clock_read();
	u32 odd;

	if (get_user(odd, &user->odd))
		return -EFAULT;
	if (odd > 1)
		return -EINVAL;
	probes.odd = odd;
	probes.chain_ticks = probe(&random, chain, SHEAFBENCH_CHAIN_ADDS << odd);
	probes.gate_ticks = probe(&random, throughput, SHEAFBENCH_GATE_ADDS);
	return copy_to_user(user, &probes, sizeof(probes)) ? -EFAULT : 0;
}
