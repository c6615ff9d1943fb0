/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What sheafbench.ko and the programs that drive it share: /dev/sheafbench and its ioctls.
 *
 * Units: a tick is one step of the clock's counter (x86: TSC, arm64: CNTVCT_EL0). Fields named
 * *_cticks are in 1/100 ticks. The structs have one layout for 32 and 64 bit callers.
 */
#ifndef SHEAFBENCH_H
#define SHEAFBENCH_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define SHEAFBENCH_ABI		7
#define SHEAFBENCH_DEVICE	"/dev/sheafbench"

/* Limits that do not depend on the machine. */
#define SHEAFBENCH_MAX_N	4096u	/* objects held at once: past sheaves and barn */
#define SHEAFBENCH_MAX_OPS	131072u	/* timed operations in one sample */
#define SHEAFBENCH_MAX_SAMPLES	65536u	/* samples of one run */
#define SHEAFBENCH_MAX_PEER	16u	/* samples of a run of another's loop */
#define SHEAFBENCH_PARTS	2	/* timed parts of one workload */
#define SHEAFBENCH_GATE_ADDS	2880u	/* independent additions in a probe; a multiple of 240 */
#define SHEAFBENCH_CHAIN_ADDS	512u	/* dependent ones in the shorter chain; see chain_ticks */
#define SHEAFBENCH_MAX_WORK	1024	/* cycles of work before an operation; a multiple of 8 */
#define SHEAFBENCH_MAX_CPUS	64	/* of a flush */
#define SHEAFBENCH_NAME		20
#define SHEAFBENCH_TEXT		160

/* Flags of a workload. */
#define SHEAFBENCH_HOLDS	0x1	/* N - 1 objects stay allocated for the whole run */
#define SHEAFBENCH_PEER		0x2	/* another's loop: of size 64, n 1, 1 to 16 samples */
#define SHEAFBENCH_KNOWN	0x4	/* known instructions, see known.c: counted only, n 1 */
#define SHEAFBENCH_TASK		0x8	/* not with SHEAFBENCH_IRQ_OFF */
#define SHEAFBENCH_HELPER	0x10	/* a thread on another CPU helps: timed only, and as TASK */
#define SHEAFBENCH_ALL_CPUS	0x20	/* one on each other CPU that is online */
#define SHEAFBENCH_CHARGED	0x40	/* the caller is to be in a cgroup that is no root */
#define SHEAFBENCH_HARDIRQ	0x80	/* in a hardirq, where PREEMPT_RT cannot allocate */
#define SHEAFBENCH_SPACED	0x100	/* takes work; of pairs the order is lifo */

/* Flags of a run. */
#define SHEAFBENCH_IRQ_OFF	0x1	/* interrupts off in timed regions, and GFP_ATOMIC; */
					/* not with PREEMPT_RT, which allocates with them on */
#define SHEAFBENCH_NO_GATE	0x2	/* no probes beside the samples; their ticks are then 0 */
#define SHEAFBENCH_HALF_GATE	0x4	/* none beside every second one, to see what they disturb */
#define SHEAFBENCH_WINDOWS	0x8	/* windows between markers for a counting tool, see below */
#define SHEAFBENCH_BARE		0x10	/* only the passes: for what counts around the call */
#define SHEAFBENCH_EMPTY	0x20	/* the same with loops that do not call the allocator */

/*
 * With SHEAFBENCH_WINDOWS a sample is a window: one pass, of ops operations for pair and n for the
 * others, between two markers and without probes. Its ticks are those between two reads around the
 * markers. A workload of two parts has two windows in each pass. A marker is x86's 8 byte nop
 * (0f 1f 84 00) with one of these as its displacement. ARM comes once before the warm-up of each
 * run. Where the counter advances by one with each instruction, it advances by SHEAFBENCH_MARKED
 * more than the window has, markers apart.
 */
#define SHEAFBENCH_MARK_ARM	0x5beaf000
#define SHEAFBENCH_MARK_START	0x5beaf001
#define SHEAFBENCH_MARK_END	0x5beaf002
#define SHEAFBENCH_MARKED	5	/* lfence, START; END, lfence, rdtsc */

/* In which objects are freed; see the workloads in sheafbench_lists.h. */
enum sheafbench_order {
	SHEAFBENCH_LIFO,
	SHEAFBENCH_FIFO,
	SHEAFBENCH_SHUFFLED,
	SHEAFBENCH_ORDERS
};

struct sheafbench_info {
	__u32 abi;		/* SHEAFBENCH_ABI of the module */
	__u32 workloads;	/* entries in the table */
	char clock[SHEAFBENCH_NAME]; /* "tsc" or "cntvct" */
	__u32 clock_khz;	/* against CLOCK_MONOTONIC */
	__u32 step_cticks;	/* smallest step of the clock that reads show */
	__u32 max_n;
	__u32 max_ops;
	__u32 max_samples;
	__u32 reserved[2];
	__u64 max_bytes;	/* of objects held at once; half of what is free now */
};

struct sheafbench_describe {
	__u32 index;		/* in: 0 .. workloads - 1 */
	__u32 parts;		/* out: 1 or 2 */
	__u32 flags;		/* out: SHEAFBENCH_HOLDS, SHEAFBENCH_PEER, ... */
	__u32 reserved;
	char name[SHEAFBENCH_NAME];
	char part[SHEAFBENCH_PARTS][SHEAFBENCH_NAME];
};

struct sheafbench_run {
	/* in */
	__u32 abi;		/* SHEAFBENCH_ABI */
	__u32 workload;		/* index in the table */
	__u32 size;		/* bytes, one of the sizes in sheafbench_lists.h */
	__u32 n;		/* objects held at once, 1 .. SHEAFBENCH_MAX_N */
	__u32 order;		/* enum sheafbench_order */
	__u32 flags;
	__u32 samples;		/* 1 .. SHEAFBENCH_MAX_SAMPLES */
	__u32 ops;		/* in: least timed operations per sample, 0: by the clock's step */
				/* out: timed operations of each part in each sample */
	__u64 seed;		/* of the shuffle, the dither and the place in the first slab */
	/*
	 * Pointer to __u64 ticks[parts][samples], in the order taken, from the first, warm-up
	 * included; then gate_ticks[samples], the dearer one of the throughput probes before and
	 * after each; then chain_ticks[samples], of SHEAFBENCH_CHAIN_ADDS dependent additions
	 * beside the first sample, of twice as many beside the second, and so on in turn.
	 */
	__u64 buffer;
	/*
	 * With SHEAFBENCH_BARE or SHEAFBENCH_EMPTY: the leader of a group of counters, as
	 * perf_event_open(2) gave it to the caller, or 0. It is enabled around the loop of each
	 * region of that part, over as many operations as counted says; the rest of them follow
	 * with it disabled.
	 */
	__u32 group;
	__u32 part;
	__u32 counted;
	__u32 work;		/* core cycles of other work before each operation */
	/* out */
	__u32 regions;		/* timed regions of each part in each sample */
	__u32 cpu;		/* where it ran */
	__u64 overhead_cticks[SHEAFBENCH_PARTS]; /* reads and loop in one sample; subtract it */
	__s64 read_cticks[SHEAFBENCH_PARTS]; /* the reads alone, per region */
	__s64 loop_cticks[SHEAFBENCH_PARTS]; /* the loop alone, per operation */
	__u64 noise_ticks;	/* in which gaps were looked for, after the samples */
	__u64 noise_lost;	/* of those, ticks in gaps of over 1 us between two reads */
	__u64 noise_largest;	/* the largest gap */
	char text[SHEAFBENCH_TEXT]; /* after an error what is allowed, else empty */
};

/* Steps of a flush. */
enum sheafbench_step {
	SHEAFBENCH_FILL,	/* make a cache if there is none, fill the CPUs' sheaves */
	SHEAFBENCH_FLUSH_NOW,	/* the flush itself */
	SHEAFBENCH_FLUSH_END,	/* destroy the cache, stop the threads */
	SHEAFBENCH_STEPS
};

struct sheafbench_flush {
	/* in */
	__u32 abi;		/* SHEAFBENCH_ABI */
	__u32 op;		/* index in the table of flushes in sheafbench_lists.h */
	__u32 step;		/* enum sheafbench_step */
	__u32 size;		/* of the cache's objects */
	__u64 cpus;		/* FILL: bit n for CPU n; each must be online */
	__u32 busy;		/* FILL: 1 starts threads on those, but for the caller's, that */
				/* allocate and free from the cache (destroy: by kmalloc()) */
	__u32 reserved;
	/* out */
	__u64 start, ticks;	/* FLUSH_NOW: the counter when it began, and how long it took */
	char text[SHEAFBENCH_TEXT];
};

struct sheafbench_probe {
	__u32 odd;		/* in: 0 or 1 for the shorter or the longer chain */
	__u32 reserved;
	__u64 gate_ticks;	/* out: as those of a run, see there */
	__u64 chain_ticks;
};

/*
 * INFO      the module and its clock; sleeps until 20 ms after loading have passed.
 * DESCRIBE  one entry of the table.
 * RUN       one workload with one set of parameters. The caller must be bound to one CPU.
 * FLUSH     one step of a flush. The same; what it began ends with the file at the latest.
 * PROBE     the probes beside a sample of a run, for one that the caller takes itself.
 * EXCURSION pairs of kmalloc() and kfree(), 0 to SHEAFBENCH_MAX_N. Its argument is no pointer, but
 *           SHEAFBENCH_EXCURSION(size, pairs): what the caller times is to be little else. With
 *           the size SHEAFBENCH_OWN_CACHES one pair in each of so many of the module's own caches.
 * CACHES    the argument is how many caches the module is to have then, 0 to SHEAFBENCH_MAX_CACHES.
 *
 * They answer 0 or one of the errors in bench/driver/lists.c; a run and a flush tell more of it.
 *
 * Opening the device needs CAP_SYS_ADMIN (EPERM).
 */
#define SHEAFBENCH_IOC_INFO	_IOR('B', 0xb0, struct sheafbench_info)
#define SHEAFBENCH_IOC_DESCRIBE	_IOWR('B', 0xb1, struct sheafbench_describe)
#define SHEAFBENCH_IOC_RUN	_IOWR('B', 0xb2, struct sheafbench_run)
#define SHEAFBENCH_IOC_FLUSH	_IOWR('B', 0xb3, struct sheafbench_flush)
#define SHEAFBENCH_IOC_PROBE	_IOWR('B', 0xb4, struct sheafbench_probe)
#define SHEAFBENCH_IOC_EXCURSION	_IO('B', 0xb5)
#define SHEAFBENCH_IOC_CACHES	_IO('B', 0xb6)

#define SHEAFBENCH_MAX_CACHES	512
#define SHEAFBENCH_CACHE_SIZE	64	/* of their objects */
#define SHEAFBENCH_OWN_CACHES	0xffff
#define SHEAFBENCH_EXCURSION_SHIFT	16
#define SHEAFBENCH_EXCURSION(size, pairs)	((pairs) << SHEAFBENCH_EXCURSION_SHIFT | (size))

#endif
