// SPDX-License-Identifier: GPL-2.0
/* SHEAFBENCH_IOC_RUN: what may be asked for, and how it is done. */
static const struct workload workloads[] = {
#define SHEAFBENCH_WORKLOAD(name, pass, source, least, most, flags, parts, part, second) \
	{ #name, pass_##pass, &source_##source, least, most, flags, parts, { part, second } },
#include "sheafbench_lists.h"
};

static const char sizes[] =
#define SHEAFBENCH_SIZE(size) " " #size
#include "sheafbench_lists.h"
	;

#define BARE	(SHEAFBENCH_BARE | SHEAFBENCH_EMPTY)

/* Says in the caller's struct what is wrong, and returns the error. */
static __printf(3, 4) int say_why(char *text, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vscnprintf(text, SHEAFBENCH_TEXT, format, args);
	va_end(args);
	return error;
}

#define refuse(arg, ...) say_why((arg)->text, __VA_ARGS__)

static u64 max_bytes(void)
{
	u32 kib = READ_ONCE(max_kib);

	return kib ? (u64)kib << 10 : (u64)max(si_mem_available(), 0L) << PAGE_SHIFT >> 1;
}

static const struct loops *find_loops(const struct source *source, u32 size, u32 flags)
{
	const struct loops *loops = source->loops[flags & SHEAFBENCH_WINDOWS ? LOOPS_MARKED :
						  flags & SHEAFBENCH_IRQ_OFF ? LOOPS_ATOMIC :
						  LOOPS_SLEEPING];

	while (loops->size && loops->size != size)
		loops++;
	return loops->alloc ? loops : NULL;
}

/* What a workload asks of the machine and of its caller. */
static int check_needs(struct sheafbench_run *arg, const struct workload *workload)
{
	if (arg->size < workload->least || arg->size > workload->most)
		return refuse(arg, -EINVAL, "size is %u, allowed for this workload: %u to %u",
			      arg->size, workload->least, workload->most);
	if (IS_ENABLED(CONFIG_PREEMPT_RT) && workload->flags & SHEAFBENCH_HARDIRQ)
		return refuse(arg, -EINVAL,
			      "a hardirq cannot allocate on PREEMPT_RT, allowed: other workloads");
	if (IS_ENABLED(CONFIG_PREEMPT_RT) && arg->flags & SHEAFBENCH_IRQ_OFF)
		return refuse(arg, -EINVAL, "flags are %#x, allowed on PREEMPT_RT: not %#x",
			      arg->flags, SHEAFBENCH_IRQ_OFF);
	if (arg->flags & SHEAFBENCH_IRQ_OFF &&
	    workload->flags & (SHEAFBENCH_TASK | SHEAFBENCH_HELPER))
		return refuse(arg, -EINVAL, "flags are %#x, allowed for this workload: not %#x",
			      arg->flags, SHEAFBENCH_IRQ_OFF);
	/* perf would sleep there. */
	if (arg->group && workload->source->context)
		return refuse(arg, -EINVAL,
			      "a group of counters, allowed for this workload: none");
	if (arg->flags & SHEAFBENCH_WINDOWS && workload->flags & SHEAFBENCH_HELPER)
		return refuse(arg, -EINVAL, "flags are %#x, allowed for this workload: not %#x",
			      arg->flags, SHEAFBENCH_WINDOWS);
	if (workload->flags & SHEAFBENCH_HELPER && num_online_cpus() < 2)
		return refuse(arg, -EINVAL,
			      "%u CPU is online, allowed for this workload: 2 or more",
			      num_online_cpus());
	if (arg->work > SHEAFBENCH_MAX_WORK || arg->work % 8 ||
	    (arg->work && !(workload->flags & SHEAFBENCH_SPACED)))
		return refuse(arg, -EINVAL, "work is %u, allowed: %s", arg->work,
			      workload->flags & SHEAFBENCH_SPACED ?
			      "0, 8, 16 to " __stringify(SHEAFBENCH_MAX_WORK) :
			      "0 but in spaced workloads");
	if (workload->flags & SHEAFBENCH_SPACED && workload->flags & SHEAFBENCH_HOLDS &&
	    arg->order != SHEAFBENCH_LIFO)
		return refuse(arg, -EINVAL, "order is %u, allowed for this workload: %u lifo",
			      arg->order, SHEAFBENCH_LIFO);
	if (workload->flags & SHEAFBENCH_CHARGED && !is_charged())
		return refuse(arg, -EINVAL,
			      "objects would be charged to nobody: move the caller to a cgroup that is not the root");
	if (workload->source->settle == settle_rcu && !has_barriers())
		return refuse(arg, -EINVAL, NO_BARRIERS);
	if (workload->source == &source_prefill && !has_prefill())
		return refuse(arg, -EINVAL,
			      "prefilled sheaves: load the module with prefill_sheaf=, alloc_from_sheaf= and return_sheaf= of /proc/kallsyms");
	return 0;
}

/* Looks at all of the parameters before anything is allocated. */
static int check(struct sheafbench_run *arg)
{
	const struct workload *workload;
	u64 bytes, most = max_bytes();
	u32 held;
	int error;

	if (arg->abi != SHEAFBENCH_ABI)
		return refuse(arg, -EINVAL, "abi is %u, allowed: %u (of the same source)", arg->abi,
			      SHEAFBENCH_ABI);
	if (arg->workload >= ARRAY_SIZE(workloads))
		return refuse(arg, -EINVAL, "workload is %u, allowed: 0 to %zu", arg->workload,
			      ARRAY_SIZE(workloads) - 1);
	workload = &workloads[arg->workload];
	if (!find_loops(&source_kmalloc, arg->size, 0))
		return refuse(arg, -EINVAL, "size is %u, allowed:%s", arg->size, sizes);
	if (!arg->n || arg->n > SHEAFBENCH_MAX_N)
		return refuse(arg, -EINVAL, "n is %u, allowed: 1 to %u", arg->n, SHEAFBENCH_MAX_N);
	if (arg->order >= SHEAFBENCH_ORDERS)
		return refuse(arg, -EINVAL, "order is %u, allowed: %u lifo, %u fifo, %u shuffled",
			      arg->order, SHEAFBENCH_LIFO, SHEAFBENCH_FIFO, SHEAFBENCH_SHUFFLED);
	if (arg->flags & ~(SHEAFBENCH_IRQ_OFF | SHEAFBENCH_NO_GATE | SHEAFBENCH_HALF_GATE |
			   SHEAFBENCH_WINDOWS | BARE))
		return refuse(arg, -EINVAL,
			      "flags are %#x, allowed: %#x (interrupts off), %#x (no gate), %#x (half), %#x (windows), %#x (bare), %#x (empty)",
			      arg->flags, SHEAFBENCH_IRQ_OFF, SHEAFBENCH_NO_GATE,
			      SHEAFBENCH_HALF_GATE, SHEAFBENCH_WINDOWS, SHEAFBENCH_BARE,
			      SHEAFBENCH_EMPTY);
	if (!arg->samples || arg->samples > SHEAFBENCH_MAX_SAMPLES)
		return refuse(arg, -EINVAL, "samples are %u, allowed: 1 to %u", arg->samples,
			      SHEAFBENCH_MAX_SAMPLES);
	if (workload->flags & SHEAFBENCH_PEER &&
	    (arg->size != PEER_SIZE || arg->n != 1 || arg->samples > SHEAFBENCH_MAX_PEER))
		return refuse(arg, -EINVAL,
			      "size %u, n %u, samples %u, allowed for this workload: %u, 1, 1 to %u",
			      arg->size, arg->n, arg->samples, PEER_SIZE, SHEAFBENCH_MAX_PEER);
	if (arg->flags & SHEAFBENCH_WINDOWS &&
	    (!HAS_MARKERS || arg->flags & SHEAFBENCH_IRQ_OFF ||
	     workload->flags & SHEAFBENCH_PEER))
		return refuse(arg, -EINVAL, "windows are of own loops, on x86, with interrupts on");
	if (workload->flags & SHEAFBENCH_KNOWN &&
	    (!(arg->flags & SHEAFBENCH_WINDOWS) || arg->n != 1 || IS_ENABLED(CONFIG_UML)))
		return refuse(arg, -EINVAL,
			      "known sequences: flags have %#x, n is 1, and not on uml",
			      SHEAFBENCH_WINDOWS);
	if (arg->ops > SHEAFBENCH_MAX_OPS)
		return refuse(arg, -EINVAL, "ops are %u, allowed: 0 (chosen here) to %u", arg->ops,
			      SHEAFBENCH_MAX_OPS);
	if (arg->group && (!(arg->flags & BARE) || arg->part >= workloads[arg->workload].parts))
		return refuse(arg, -EINVAL,
			      "group counts in part %u, allowed: 0 to %u, and flags %#x or %#x",
			      arg->part, workloads[arg->workload].parts - 1, SHEAFBENCH_BARE,
			      SHEAFBENCH_EMPTY);
	error = check_needs(arg, workload);
	if (error)
		return error;
	if (current->nr_cpus_allowed != 1)
		return refuse(arg, -EINVAL, "the caller may run on %d CPUs: bind it to one first",
			      current->nr_cpus_allowed);

	held = !(workload->flags & SHEAFBENCH_HELPER) ? 1 :
	       workload->flags & SHEAFBENCH_ALL_CPUS ? num_online_cpus() : 2;
	bytes = (u64)arg->n * held * kmalloc_size_roundup(arg->size) +
		(u64)arg->samples * (SHEAFBENCH_PARTS + 2) * sizeof(u64);
	if (bytes > most)
		return refuse(arg, -ENOMEM, "needs %llu KiB, allowed: %llu: lower n or size",
			      bytes >> 10, most >> 10);
	return 0;
}

/* For the context switches on the way to it and back. */
static long nothing(void *unused)
{
	return 0;
}

static int passes(struct run *run, u32 *ops)
{
	run->ops = 0;
	if (run->source->context)
		run->source->context(run);
	else
		do_passes(run);
	*ops = run->ops;
	/* First: it may be why there are no operations. */
	if (signal_pending(current))
		return refuse(&run->arg, -EINTR, "a signal ended the run");
	if (!run->ops || READ_ONCE(run->failed))
		return refuse(&run->arg, -ENOMEM, "an allocation failed: lower n or size");
	if (run->group_error)
		return refuse(&run->arg, -EBADF, "group: the counters cannot be started (%d)",
			      run->group_error);
	if (raw_smp_processor_id() != run->cpu)
		return refuse(&run->arg, -EBUSY, "moved to another CPU: bind the caller to one");
	return 0;
}

/*
 * One sample. What the CPU has learnt of the loop's loads, stores and branches lasts for many
 * samples until an interrupt disturbs it, and is worth up to a fifth of the time; so is where the
 * object and its slot in the sheaf lie, of which a pair has but one. So before each sample a worker
 * runs, which makes it begin in much the same state each time, and some objects are set aside.
 */
static int sample(struct run *run, u32 *ops)
{
	u32 aside = calc_random(&run->random) % ARRAY_SIZE(run->aside);
	int error;

	memset(run->ticks, 0, sizeof(run->ticks));
	if (run->arg.flags & BARE)
		return passes(run, ops);
	aside = untimed(run, run->loops->alloc, run->aside, aside);
	work_on_cpu(run->cpu, nothing, NULL);
	error = passes(run, ops);
	untimed(run, run->loops->free, run->aside, aside);
	cond_resched();
	return error;
}

/* The next sample of the overhead, of n and of 2n operations in a region. */
static int sample_empty(struct run *run, u32 at, u32 ops[2])
{
	const struct loops *loops = run->loops;
	u32 twice, part;
	int error = 0;

	run->loops = run->source->empty ?: &empty_loops;
	for (twice = 0; twice < 2 && !error; twice++) {
		run->n <<= twice;
		run->pairs <<= twice;
		error = sample(run, &ops[twice]);
		run->n >>= twice;
		run->pairs >>= twice;
		for (part = 0; part < run->workload->parts; part++)
			run->empty[twice][part * run->empties + at] = run->ticks[part];
	}
	run->loops = loops;
	return error;
}

/*
 * The location of the overhead is its 5 % quantile: that of quiet samples, on a machine that others
 * use too. What takes n operations and what takes 2n tell the reads from the loop.
 */
static void overhead(struct run *run, const u32 ops[2])
{
	s64 p05[2], step = (s64)run->regions * (ops[1] - ops[0]);
	u32 part, twice;

	for (part = 0; part < run->workload->parts; part++) {
		for (twice = 0; twice < 2; twice++) {
			u64 *empty = run->empty[twice] + part * run->empties;

			sort_u64(empty, run->empties);
			p05[twice] = calc_p05_centi(empty, run->empties);
		}
		run->arg.overhead_cticks[part] = p05[0];
		run->arg.loop_cticks[part] = div_s64(p05[1] - p05[0], step);
		run->arg.read_cticks[part] = div_s64(p05[0], run->regions) -
					     div_s64((p05[1] - p05[0]) * ops[0], step);
	}
}

/*
 * The gate: another tenant on the sibling thread takes issue slots, so that independent additions
 * take longer, and so does the sample between two such probes. The dearer one of them tells the
 * sample's state; the sample itself has no say. The chain tells the clock of the core.
 */
static int gated_sample(struct run *run, u32 *ops, u64 *gate, u64 *links, bool odd)
{
	u64 before;
	int error;

	if (run->workload->flags & SHEAFBENCH_PEER ||
	    run->arg.flags & (SHEAFBENCH_NO_GATE | BARE) ||
	    (odd && run->arg.flags & SHEAFBENCH_HALF_GATE))
		return sample(run, ops);
	*links = probe(&run->random, chain, SHEAFBENCH_CHAIN_ADDS << odd);
	before = probe(&run->random, throughput, SHEAFBENCH_GATE_ADDS);
	error = sample(run, ops);
	*gate = max(before, probe(&run->random, throughput, SHEAFBENCH_GATE_ADDS));
	return error;
}

/* Time that others took, as hwlat sees it: gaps of over 1 us between two reads of the counter. */
static void find_gaps(struct run *run)
{
	u32 khz = clock_rate();
	u64 start = clock_read(), last = start, now, limit = khz / 1000;

	do {
		now = clock_read();
		if (now - last > limit) {
			run->arg.noise_lost += now - last;
			run->arg.noise_largest = max(run->arg.noise_largest, now - last);
		}
		last = now;
	} while (now - start < 2 * (u64)khz);
	run->arg.noise_ticks = now - start;
}

static int take_samples(struct run *run)
{
	u32 i, part, empties = 0, ops, empty_ops[2];
	u64 *gates = run->samples + run->workload->parts * run->arg.samples;
	int error;

	if (run->arg.flags & SHEAFBENCH_EMPTY)
		run->loops = run->source->empty ?: &empty_loops;
	/* The first ones fill sheaves, caches and predictors; who reads them finds out how many. */
	for (i = 0; i < run->arg.samples; i++) {
		for (; empties * (u64)run->arg.samples < (i + 1) * (u64)run->empties; empties++) {
			error = sample_empty(run, empties, empty_ops);
			if (error)
				return error;
		}
		error = gated_sample(run, &ops, &gates[i], &gates[run->arg.samples + i], i & 1);
		if (error)
			return error;
		for (part = 0; part < run->workload->parts; part++)
			run->samples[part * run->arg.samples + i] = run->ticks[part];
	}
	if (!(run->arg.flags & BARE))
		find_gaps(run);
	if (run->empties)
		overhead(run, empty_ops);
	run->arg.ops = ops * run->regions;
	run->arg.regions = run->regions;
	run->arg.cpu = run->cpu;
	return 0;
}

/*
 * Windows to count in place of samples: one pass each, with nothing between the markers but the
 * loop, and all alike once the passes before have filled sheaves and caches.
 */
static int take_windows(struct run *run)
{
	u32 warm = clamp(WARM_OPS / run->pairs, 4, 64), parts = run->workload->parts, i, part, ops;
	unsigned long tick;
	int error;

	asm volatile(MARK(SHEAFBENCH_MARK_ARM));
	for (i = 0; i < warm + run->arg.samples; i++) {
		run->marked = i >= warm;
		/* Right after a tick the next one is millions of instructions away. */
		if (i == warm)
			for (tick = jiffies + 1; time_before(jiffies, tick);)
				cpu_relax();
		error = passes(run, &ops);
		if (error)
			return error;
		for (part = 0; part < parts && run->marked; part++)
			run->samples[part * run->arg.samples + i - warm] = run->ticks[part];
	}
	run->arg.ops = ops;
	run->arg.regions = 1;
	run->arg.cpu = run->cpu;
	return 0;
}

/* How many operations go in a region, and how many regions in a sample. */
static void plan(struct run *run)
{
	u32 ops = run->n;

	if (run->workload->flags & SHEAFBENCH_HOLDS) {
		run->held = run->n - 1;
		ops = run->held;
		if (!ops || run->arg.order == SHEAFBENCH_LIFO)
			ops = clamp(run->arg.ops ?: 1000, 1, SHEAFBENCH_MAX_N);
	}
	run->pairs = ops;
	if (run->workload->flags & SHEAFBENCH_PEER || run->arg.flags & SHEAFBENCH_WINDOWS) {
		run->regions = 1;
		return;
	}
	run->regions = run->arg.ops ? DIV_ROUND_UP(run->arg.ops, ops) :
				      calc_regions(clock.step_cticks, clock_rate(), ops);
}

static int prepare(struct run *run)
{
	u32 n = run->arg.n, room = 2 * n, parts = run->workload->parts, count, i;

	run->index = kvmalloc_array(room, sizeof(*run->index), ARRAYS);
	run->object = kvmalloc_array(room, sizeof(*run->object), ARRAYS);
	run->ordered = kvmalloc_array(room, sizeof(*run->ordered), ARRAYS);
	run->samples = kvcalloc(run->arg.samples, (parts + 2) * sizeof(u64), ARRAYS);
	run->empty[0] = kvcalloc(run->empties, parts * sizeof(u64), ARRAYS);
	run->empty[1] = kvcalloc(run->empties, parts * sizeof(u64), ARRAYS);
	if (!run->index || !run->object || !run->ordered || !run->samples || !run->empty[0] ||
	    !run->empty[1])
		return refuse(&run->arg, -ENOMEM, "no memory for the samples: lower samples or n");

	/* The empty loops go to 2n, and want pointers that are not NULL. */
	for (i = 0; i < room; i++) {
		run->index[i] = i;
		run->object[i] = run;
		run->ordered[i] = run;
	}
	/* Where in its slab the first object of the run lies is drawn, too. */
	i = run->arg.seed ? calc_random(&run->random) >> 58 : 0;
	run->dummies = untimed(run, run->real->alloc, run->placed, i);
	if (run->dummies < i)
		return refuse(&run->arg, -ENOMEM, "an allocation failed: lower n or size");
	count = run->workload->flags & SHEAFBENCH_HOLDS ? run->held : n;
	calc_order(run->index, count, run->arg.order, run->arg.seed);
	count = untimed(run, run->loops->alloc, run->object, run->held);
	if (!put_in_order(run, run->held, count))
		return refuse(&run->arg, -ENOMEM, "an allocation failed: lower n or size");
	return 0;
}

/* To others' files the requests may mean something else. Only perf makes one of this name. */
static bool is_group(const struct file *file)
{
	return file_inode(file)->i_sb->s_magic == ANON_INODE_FS_MAGIC &&
	       !strcmp(file->f_path.dentry->d_name.name, "[perf_event]");
}

static int measure(struct run *run, u64 __user *buffer)
{
	size_t bytes;
	int error = 0;

	run->cpu = raw_smp_processor_id();
	run->workload = &workloads[run->arg.workload];
	run->source = run->workload->source;
	run->real = find_loops(run->source, run->arg.size, run->arg.flags);
	run->loops = run->real;
	run->n = run->arg.n;
	run->random = run->arg.seed;
	if (!(run->workload->flags & SHEAFBENCH_PEER) && !(run->arg.flags & BARE))
		run->empties = clamp(run->arg.samples / 8, 32, 1024);
	bytes = run->arg.samples * sizeof(u64) * (run->workload->parts + 2);
	/* Before the run is worth something. */
	if (clear_user(buffer, bytes))
		return refuse(&run->arg, -EFAULT, "buffer cannot be written: %zu bytes", bytes);
	plan(run);
	if (run->arg.group) {
		run->group = fget(run->arg.group);
		if (!run->group || !is_group(run->group))
			error = refuse(&run->arg, -EBADF, "group %u is no group of counters",
				       run->arg.group);
	}
	if (!error && run->source->begin)
		error = run->source->begin(run);
	if (error && !*run->arg.text)
		refuse(&run->arg, error, "%s", error == -EINTR ? "a signal ended the run" :
		       error == -EBUSY ? "the other CPUs went offline meanwhile" :
		       "no memory for a cache or for helpers: lower n or size");
	if (!error)
		error = prepare(run);
	if (error)
		run->held = 0;	/* nothing is, yet */
	else
		error = run->arg.flags & SHEAFBENCH_WINDOWS ? take_windows(run) : take_samples(run);
	untimed(run, run->real->free, run->ordered, run->held);
	untimed(run, run->real->free, run->placed, run->dummies);
	if (run->source->end)
		run->source->end(run);
	if (!error && copy_to_user(buffer, run->samples, bytes))
		error = refuse(&run->arg, -EFAULT, "buffer cannot be written: %zu bytes", bytes);
	kvfree(run->empty[1]);
	kvfree(run->empty[0]);
	kvfree(run->samples);
	kvfree(run->ordered);
	kvfree(run->object);
	kvfree(run->index);
	if (run->group)
		fput(run->group);
	return error;
}

static DEFINE_MUTEX(one_run);

static int ioctl_run(struct sheafbench_run __user *user)
{
	struct run *run __free(kfree) = kzalloc(sizeof(*run), GFP_KERNEL);
	int error;

	if (!run)
		return -ENOMEM;
	if (copy_from_user(&run->arg, user, sizeof(run->arg)))
		return -EFAULT;
	memset(run->arg.text, 0, sizeof(run->arg.text));
	memset(run->arg.overhead_cticks, 0, sizeof(run->arg.overhead_cticks));
	memset(run->arg.read_cticks, 0, sizeof(run->arg.read_cticks));
	memset(run->arg.loop_cticks, 0, sizeof(run->arg.loop_cticks));
	run->arg.noise_ticks = 0;
	run->arg.noise_lost = 0;
	run->arg.noise_largest = 0;
	error = check(&run->arg);
	if (!error && !mutex_trylock(&one_run)) {
		error = refuse(&run->arg, -EBUSY, "another run is on: one at a time");
	} else if (!error) {
		error = measure(run, u64_to_user_ptr(run->arg.buffer));
		mutex_unlock(&one_run);
	}
	if (copy_to_user(user, &run->arg, sizeof(run->arg)))
		return -EFAULT;
	return error;
}
