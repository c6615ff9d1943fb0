// SPDX-License-Identifier: GPL-2.0
/*
 * Excursions: what a program pays that enters the kernel, has it allocate and free there, and
 * returns. It is timed from user space, so that what a kernel does on the way back is in it.
 * Nothing is kept between calls.
 */

/* As many pairs of kmalloc() and kfree() as a caller of SHEAFBENCH_EXCURSION() asked for. */
static int ioctl_excursion(unsigned long arg)
{
	const unsigned long pairs = arg >> SHEAFBENCH_EXCURSION_SHIFT;
	struct region region = { .n = pairs };
	const struct loops *loops;

	if (pairs > SHEAFBENCH_MAX_N)
		return -EINVAL;
	loops = find_loops(&source_kmalloc, arg & (BIT(SHEAFBENCH_EXCURSION_SHIFT) - 1), 0);
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
