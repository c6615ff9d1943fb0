/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Compiled into mm/slub.o of debug kernels with '-include', so that it needs no patch and any
 * series can be on top: what -fsanitize-coverage=trace-pc calls at each branch and
 * -fsanitize=thread before each access to memory. At all of these points a module may hold the
 * CPU, see bench/stress/sheafstress.c.
 */
#ifndef SLUB_POINTS_H
#define SLUB_POINTS_H

#include <linux/atomic.h>

/* Who resets fn has to wait until inside is 0: fn may still be running on another CPU. */
struct slub_point {
	void (*fn)(unsigned long ip);
	atomic_t inside;
};

extern struct slub_point slub_point;

#ifndef MODULE
#include <linux/compiler.h>
#include <linux/export.h>
#include <linux/instruction_pointer.h>

struct slub_point slub_point;
EXPORT_SYMBOL_GPL(slub_point);

/* The kernel's own __no_sanitize_coverage is empty without CONFIG_KCOV. */
#define __no_points __attribute__((__no_sanitize_coverage__))

static noinline notrace __no_kcsan __no_points void slub_point_reached(unsigned long ip)
{
	void (*fn)(unsigned long ip);

	atomic_inc(&slub_point.inside);
	/* Pairs with who resets fn and then reads inside. */
	smp_mb__after_atomic();
	fn = READ_ONCE(slub_point.fn);
	if (fn)
		fn(ip);
	atomic_dec(&slub_point.inside);
}

void __sanitizer_cov_trace_pc(void);
notrace __no_kcsan __no_points void __sanitizer_cov_trace_pc(void)
{
	if (unlikely(READ_ONCE(slub_point.fn)))
		slub_point_reached(_RET_IP_);
}

/* KCSAN has its own of these. */
#ifndef CONFIG_KCSAN
asm(".irp size, 1, 2, 4, 8, 16, _range\n"
	".set __tsan_read\\size, __sanitizer_cov_trace_pc\n"
	".set __tsan_write\\size, __sanitizer_cov_trace_pc\n"
	".set __tsan_unaligned_read\\size, __sanitizer_cov_trace_pc\n"
	".set __tsan_unaligned_write\\size, __sanitizer_cov_trace_pc\n"
	".endr\n"
	".set __tsan_init, __sanitizer_cov_trace_pc\n");
#endif

#endif /* MODULE */
#endif /* SLUB_POINTS_H */
