// SPDX-License-Identifier: GPL-2.0
/*
 * sheafbench: times kmalloc() and kfree() in loops, for /dev/sheafbench.
 *
 * A sample is the sum of one or more timed regions; a region is a loop over N operations between
 * two fenced reads of the CPU's counter. Between samples, now and then, the same passes run with
 * empty loops in place of the allocator's: what those take is the overhead, reported with the
 * samples. Beside each sample two probes that touch no memory tell the CPU's state: see gate().
 *
 * Preemption and interrupts stay on while the loops run. An outer preempt_disable() would nest the
 * one in the sheaf's lock, and so hide a part of what is measured.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/compat.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/magic.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/perf_event.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "sheafbench.h"

static_assert(sizeof(long) == 8, "sheafbench is for 64 bit kernels");

static unsigned int max_kib;
module_param(max_kib, uint, 0600);
MODULE_PARM_DESC(max_kib, "KiB of objects that a run may hold (0: half of what is free)");

/* One unit, in the order in which its parts need each other. */
#include "calc.c"
#include "clock.c"
#include "peers.c"
#include "loops.c"
#include "passes.c"
#include "known.c"
#include "sources.c"
#include "helpers.c"
#include "spaced.c"
#include "run.c"
#include "flush.c"
#include "excursion.c"

static int ioctl_info(struct sheafbench_info __user *user)
{
	struct sheafbench_info info = {
		.abi = SHEAFBENCH_ABI,
		.workloads = ARRAY_SIZE(workloads),
		.clock = CLOCK_NAME,
		.clock_khz = clock_rate(),
		.step_cticks = clock.step_cticks,
		.max_n = SHEAFBENCH_MAX_N,
		.max_ops = SHEAFBENCH_MAX_OPS,
		.max_samples = SHEAFBENCH_MAX_SAMPLES,
		.max_bytes = max_bytes(),
	};

	return copy_to_user(user, &info, sizeof(info)) ? -EFAULT : 0;
}

static int ioctl_describe(struct sheafbench_describe __user *user)
{
	struct sheafbench_describe describe = { };
	const struct workload *workload;
	u32 part;

	if (get_user(describe.index, &user->index))
		return -EFAULT;
	if (describe.index >= ARRAY_SIZE(workloads))
		return -EINVAL;
	workload = &workloads[describe.index];
	describe.parts = workload->parts;
	describe.flags = workload->flags;
	strscpy(describe.name, workload->name);
	for (part = 0; part < SHEAFBENCH_PARTS; part++)
		strscpy(describe.part[part], workload->part[part]);
	return copy_to_user(user, &describe, sizeof(describe)) ? -EFAULT : 0;
}

static long device_ioctl(struct file *file, unsigned int command, unsigned long arg)
{
	void __user *user = (void __user *)arg;

	switch (command) {
	case SHEAFBENCH_IOC_INFO:
		return ioctl_info(user);
	case SHEAFBENCH_IOC_DESCRIBE:
		return ioctl_describe(user);
	case SHEAFBENCH_IOC_RUN:
		return ioctl_run(user);
	case SHEAFBENCH_IOC_FLUSH:
		return ioctl_flush(file, user);
	case SHEAFBENCH_IOC_PROBE:
		return ioctl_probe(user);
	case SHEAFBENCH_IOC_EXCURSION:
		return ioctl_excursion(arg);
	case SHEAFBENCH_IOC_CACHES:
		return ioctl_caches(arg);
	default:
		return -ENOTTY;
	}
}

static int device_open(struct inode *inode, struct file *file)
{
	return capable(CAP_SYS_ADMIN) ? stream_open(inode, file) : -EPERM;
}

static const struct file_operations device_operations = {
	.owner = THIS_MODULE,
	.open = device_open,
	.release = device_release,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = KBUILD_MODNAME,
	.fops = &device_operations,
	.mode = 0600,
};

static int __init sheafbench_init(void)
{
	int error = clock_init();

	sources_init();
	return error ?: misc_register(&device);
}

static void __exit sheafbench_exit(void)
{
	misc_deregister(&device);
	ioctl_caches(0);
}

module_init(sheafbench_init);
module_exit(sheafbench_exit);
MODULE_DESCRIPTION("Times kmalloc() and kfree() in loops");
MODULE_LICENSE("GPL");
