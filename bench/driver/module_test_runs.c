// SPDX-License-Identifier: GPL-2.0
/* What runs report, and leave behind. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "module_test.h"

/* All sizes and orders for kmalloc(), some for the rest: caches take long to be destroyed. */
static bool in_grid(uint32_t workload, uint32_t size)
{
	const uint32_t least = workloads[workload].least;

	if (size < least || size > workloads[workload].most)
		return false;
	return workload <= WORKLOAD_batch || size == 64 || size == least;
}

/* Every workload, in every order and mode, at the edges of the ranges. */
void test_good_runs(void)
{
	static const uint32_t counts[] = { 1, 2, 61, SHEAFBENCH_MAX_N };
	unsigned int runs = 0, bad = 0;

	for (uint32_t workload = 0; workload < OWN_WORKLOADS; workload++)
		for (size_t s = 0; s < COUNT(sizes) && can_run(workload); s++)
			for (size_t n = 0; n < COUNT(counts) && in_grid(workload, sizes[s]); n++)
				for (uint32_t order = 0; order < SHEAFBENCH_ORDERS; order++) {
					struct sheafbench_run run = good_run();
					uint64_t start, elapsed, sum = 0;
					uint32_t parts = workloads[workload].parts;
					bool good;

					if (order && workload > WORKLOAD_batch && counts[n] < 3)
						continue;
					run.workload = workload;
					run.size = sizes[s];
					run.n = counts[n];
					run.order = order_of(run.workload, order);
					run.samples = 3;
					run.ops = 100;
					if (workloads[workload].flags & SHEAFBENCH_SPACED)
						run.work = 8 * (runs % 9);
					if (!(workloads[workload].flags &
					      (SHEAFBENCH_TASK | SHEAFBENCH_HELPER)))
						run.flags = runs & 1 ? irq_off : 0;
					memset(buffer, 0, sizeof(*buffer) * 16);
					start = ticks_now();
					good = !do_run(&run);
					elapsed = ticks_now() - start;
					for (uint32_t i = 0; i < parts * run.samples; i++) {
						good &= buffer[i] > 0;
						sum += buffer[i];
					}
					/* What was not asked for is not written. */
					good &= !buffer[(parts + 2) * run.samples];
					good &= sum < elapsed && !*run.text && run.regions;
					good &= run.ops >= 100 && run.ops < 100 + SHEAFBENCH_MAX_N;
					good &= run.regions && run.ops % run.regions == 0;
					good &= run.cpu == (uint32_t)sched_getcpu();
					for (uint32_t part = 0; part < parts; part++)
						good &= run.overhead_cticks[part] > 0;
					runs++;
					if (!good && !bad++)
						printf("# first: %s size %u n %u order "
						       "%u: %s\n",
						       workloads[workload].name, run.size, run.n,
						       order, run.text);
				}
	ok(!bad, "%u runs over the whole grid, %u bad", runs, bad);
}

/* The least that 100 samples of so many pairs took per pair; share: what of the ioctl's ticks is in samples. */
static double ticks_per_pair(uint32_t ops, double *share)
{
	struct sheafbench_run run = good_run();
	double least = 1e300, sum = 0;
	uint64_t start;

	*share = 0;
	run.workload = WORKLOAD_pair;
	run.n = 1;
	run.samples = 100;
	run.ops = ops;
	start = ticks_now();
	if (do_run(&run))
		return NAN;
	*share = ticks_now() - start;
	for (uint32_t i = 0; i < run.samples; i++) {
		const double per_op = (buffer[i] - run.overhead_cticks[0] / 100.0) / run.ops;

		least = per_op < least ? per_op : least;
		sum += buffer[i];
	}
	*share = sum / *share;
	return least;
}

/*
 * A sample must hold the time of its operations, and not that of others. A machine that others
 * use as well changes its pace for seconds: rounds until both were seen at one.
 */
void test_time(void)
{
	double one[2] = { 1e300, 1e300 }, most = 0, share;
	bool good = false, bad = false;

	for (int round = 0; round < 20 && !good && !bad; round++) {
		for (int twice = 0; twice < 2; twice++) {
			const double ticks = ticks_per_pair(50000 << twice, &share);

			bad |= isnan(ticks) || share >= 1;
			one[twice] = ticks < one[twice] ? ticks : one[twice];
			most = share > most ? share : most;
		}
		good = one[1] > one[0] * 0.75 && one[1] < one[0] * 1.33 && most > 0.25;
	}
	ok(good && !bad && one[0] > 2,
	   "%.2f ticks per pair, %.2f with twice the operations; samples are %.0f %% of the "
	   "ioctl's",
	   one[0], one[1], most * 100);
}

/* What the empty loop takes with so much work in it, in ticks per operation; cycle: ticks of an addition. */
static double ticks_of_work(uint32_t work, double *cycle)
{
	struct sheafbench_run run = good_run();
	const uint64_t *chain = buffer + 2 * 100;
	uint64_t least[2] = { UINT64_MAX, UINT64_MAX };

	run.workload = WORKLOAD_pair_spaced;
	run.n = 1;
	run.samples = 100;
	run.ops = 1000;
	run.work = work;
	if (do_run(&run))
		return NAN;
	for (uint32_t i = 0; i < run.samples; i++)
		if (chain[i] < least[i & 1])
			least[i & 1] = chain[i];
	*cycle = (least[1] - least[0]) / (double)SHEAFBENCH_CHAIN_ADDS;
	return run.loop_cticks[0] / 100.0;
}

/* As in test_time(): until both were seen at one pace. */
void test_work(void)
{
	double with = 0, without = 0, cycle = 0;
	bool good = false;

	for (int round = 0; round < 20 && !good; round++) {
		without = ticks_of_work(0, &cycle);
		with = ticks_of_work(640, &cycle);
		good = fabs(with - without - 640 * cycle) < 64 * cycle;
	}
	ok(good, "640 cycles of work, of %.3f ticks each: %.2f ticks per operation, %.2f without",
	   cycle, with, without);
}

/* The probes beside the samples, and the search for gaps. */
void test_probes(void)
{
	struct sheafbench_run run = good_run();
	const uint64_t *gate = buffer + run.samples, *chain = gate + run.samples;
	uint64_t probes = 0, shorter = UINT64_MAX, longer = UINT64_MAX, least = UINT64_MAX;
	struct sheafbench_info info = { 0 };
	double per_ns;

	run.workload = WORKLOAD_pair;
	run.flags = SHEAFBENCH_NO_GATE;
	memset(buffer, 0, sizeof(*buffer) * 3 * run.samples);
	ok(!do_run(&run), "a run without the gate");
	for (uint32_t i = 0; i < run.samples; i++)
		probes += gate[i] + chain[i];
	ok(!probes, "no probes without the gate");
	run.flags = 0;
	run.samples = 20;
	ok(!do_run(&run), "a run with the gate");
	for (uint32_t i = 0; i < run.samples; i++) {
		uint64_t *links = i & 1 ? &longer : &shorter;

		*links = chain[i] < *links ? chain[i] : *links;
		least = gate[i] < least ? gate[i] : least;
	}
	/* No core does 8 additions in a row in a nanosecond, or 64 side by side. */
	ioctl(device, SHEAFBENCH_IOC_INFO, &info);
	per_ns = info.clock_khz / 1e6;
	ok(info.clock_khz && shorter > SHEAFBENCH_CHAIN_ADDS * per_ns / 8 &&
		   longer > shorter + (shorter >> 1),
	   "the chains took %" PRIu64 " and, twice as long, %" PRIu64 " ticks", shorter, longer);
	ok(least > SHEAFBENCH_GATE_ADDS * per_ns / 64, "a probe of the gate took %" PRIu64 " ticks",
	   least);
	ok(run.noise_ticks > 1000 && run.noise_lost <= run.noise_ticks &&
		   run.noise_largest <= run.noise_lost,
	   "gaps took %" PRIu64 " of %" PRIu64 " ticks, the largest %" PRIu64,
	   (uint64_t)run.noise_lost, (uint64_t)run.noise_ticks, (uint64_t)run.noise_largest);
	for (run.flags = SHEAFBENCH_BARE; run.flags <= SHEAFBENCH_EMPTY; run.flags *= 2) {
		memset(buffer, 0, sizeof(*buffer) * 3 * run.samples);
		ok(!do_run(&run) && buffer[0] && !gate[0] && !chain[0] && !run.noise_ticks &&
			   !run.overhead_cticks[0],
		   "a bare run, flags %#x: %" PRIu64 " ticks and nothing else", run.flags,
		   buffer[0]);
		shorter = longer;
		longer = buffer[0];
	}
	ok(longer < shorter, "the empty loops took %" PRIu64 " ticks, the others %" PRIu64, longer,
	   shorter);
}

/* Others' loops: a plausible number from each, and no object left behind. */
void test_peers(void)
{
	for (uint32_t workload = OWN_WORKLOADS; workload < KNOWN_WORKLOADS; workload++) {
		struct sheafbench_run run = good_run();
		long before = in_use(64), after;
		int error;

		run.workload = workload;
		refused(run, EINVAL, "allowed for this workload: 64, 1, 1 to 16", "n of 32");
		run.n = 1;
		run.samples = SHEAFBENCH_MAX_PEER + 1;
		refused(run, EINVAL, "1 to 16", "too many samples");
		run.samples = 1;
		memset(buffer, 0, sizeof(*buffer) * 4);
		error = do_run(&run);
		after = in_use(64);
		ok(!error && run.ops == 100 && !run.overhead_cticks[0] && buffer[0] > 200 &&
			   buffer[0] < 1000000 && !buffer[1] && !buffer[2] && !buffer[3],
		   "workload %u: %.2f ticks: '%s'", workload, buffer[0] / 100.0, run.text);
		ok(labs(after - before) < 100, "%ld objects in use, %ld after", before, after);
	}
}

/* Windows for a counting tool, here without one: a nop is a nop. */
void test_windows(void)
{
	struct sheafbench_run run = good_run();
	long before = in_use(64), after;
	bool good = true;

	run.flags = SHEAFBENCH_WINDOWS;
	run.samples = 5;
#ifndef __x86_64__
	refused(run, EINVAL, "on x86", "windows where there are no markers");
	return;
#endif
	for (run.workload = 0; run.workload < OWN_WORKLOADS; run.workload++) {
		if (workloads[run.workload].flags & SHEAFBENCH_HELPER || !can_run(run.workload))
			continue;
		run.size = fitting(run.workload, 64);
		run.ops = 100;
		memset(buffer, 0, sizeof(*buffer) * 10);
		good &= !do_run(&run) && run.regions == 1 && run.ops > 0;
		for (uint32_t i = 0; i < run.samples; i++)
			good &= buffer[i] > 0;
	}
	after = in_use(64);
	ok(good && labs(after - before) < 100, "windows of each workload: '%s'", run.text);
	run.workload = WORKLOAD_peer_thread;
	run.size = 64;
	run.n = 1;
	run.samples = 1;
	refused(run, EINVAL, "own loops", "others' loops are not counted");
	run.workload = KNOWN_WORKLOADS;
	run.flags = 0;
	refused(run, EINVAL, "known sequences", "known sequences are not timed");
}

/* The sum of a row's numbers over all CPUs, of /proc/interrupts and the like; 0 if there is none. */
static uint64_t row(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	uint64_t sum = 0;
	char line[1024];

	while (file && fgets(line, sizeof(line), file)) {
		char *at = strchr(line, ':'), *end;

		if (!at || !strstr(line, name))
			continue;
		for (at++;; at = end) {
			const uint64_t value = strtoull(at, &end, 10);

			if (end == at)
				break;
			sum += value;
		}
	}
	if (file)
		fclose(file);
	return sum;
}

/* The passes of a sample in another context are reached by one interrupt, or softirq. */
void test_contexts(void)
{
	static const struct {
		uint32_t workload;
		const char *path, *name;
	} contexts[] = {
		{ WORKLOAD_hardirq_batch, "/proc/interrupts", "timer" },
		{ WORKLOAD_softirq_batch, "/proc/softirqs", "HRTIMER" },
		{ WORKLOAD_batch, "/proc/softirqs", "HRTIMER" },
	};

	for (size_t i = 0; i < COUNT(contexts); i++) {
		struct sheafbench_run run = good_run();
		uint64_t before = row(contexts[i].path, contexts[i].name), count;

		if (!can_run(contexts[i].workload))
			continue;
		run.workload = contexts[i].workload;
		run.samples = 200;
		run.flags = SHEAFBENCH_BARE;
		run.ops = 640;
		if (!ok(!do_run(&run), "%s: %s", workloads[run.workload].name, run.text))
			continue;
		count = row(contexts[i].path, contexts[i].name) - before;
		/* uml has the row and counts nothing in it. */
		if (!before && !count && strstr(contexts[i].path, "interrupts")) {
			skip("this kernel does not count its timer's interrupts");
			continue;
		}
		ok(run.workload == WORKLOAD_batch ? count < run.samples / 2 : count >= run.samples,
		   "%s: %u samples, %" PRIu64 " more in the row %s", workloads[run.workload].name,
		   run.samples, count, contexts[i].name);
	}
}

/* Pages are counted by the kernel itself. */
void test_pages(void)
{
	struct sheafbench_run run = good_run();
	long before = field("/proc/vmstat", "pgfree"), count;

	run.workload = WORKLOAD_page_batch;
	run.size = 4096;
	run.ops = 3200;
	run.flags = SHEAFBENCH_BARE;
	if (!ok(!do_run(&run), "pages: %s", run.text))
		return;
	count = field("/proc/vmstat", "pgfree") - before;
	ok(count >= (long)run.ops * run.samples && count < 2 * (long)run.ops * run.samples,
	   "%u pages freed in each of %u samples: %ld counted by the kernel", run.ops, run.samples,
	   count);
}

/* A shuffle that frees an object twice leaves another one allocated in each of the passes. */
void test_leaks(void)
{
	static const uint32_t some[] = { 8, 64, 96, 1024, 8192 };

	for (size_t s = 0; s < COUNT(some); s++)
		for (uint32_t order = 0; order < SHEAFBENCH_ORDERS; order++) {
			struct sheafbench_run run = good_run();
			long before = in_use(some[s]), after;
			bool good = true;

			run.n = 1000;
			run.samples = 10;
			for (run.workload = 0; run.workload < OWN_WORKLOADS; run.workload++) {
				run.order = order_of(run.workload, order);
				/* What the others add to kmalloc() knows nothing of sizes. */
				if (!can_run(run.workload) ||
				    (run.workload > WORKLOAD_batch && some[s] != 64))
					continue;
				/* Interrupts take their turn for each region. */
				run.ops = run.workload <= WORKLOAD_batch ? 20000 : 2000;
				run.size = fitting(run.workload, some[s]);
				good &= !do_run(&run);
			}
			after = in_use(some[s]);
			ok(good && labs(after - before) < 100,
			   "all objects of %u bytes come back in order %u: %ld in use, %ld after",
			   some[s], order, before, after);
		}
}

/* With CONFIG_SLUB_STATS the allocator's own counters tell what the loops have really done. */
void test_counts(void)
{
	static const char *const counters[] = { "alloc_fastpath", "alloc_slowpath", "free_fastpath",
						"free_slowpath" };
	const uint32_t size = 192;
	struct sheafbench_run run = good_run();
	long count[2][COUNT(counters)];
	char path[96];

	run.workload = WORKLOAD_pair;
	run.size = size;
	run.n = 1;
	run.samples = 100;
	run.ops = 10000;
	for (int after = 0; after < 2; after++) {
		if (after && do_run(&run)) {
			ok(false, "a run to count: %s", run.text);
			return;
		}
		for (size_t i = 0; i < COUNT(counters); i++) {
			FILE *file;

			snprintf(path, sizeof(path), "/sys/kernel/slab/%s/%s", cache_of(size),
				 counters[i]);
			file = fopen(path, "re");
			if (!file || fscanf(file, "%ld", &count[after][i]) != 1) {
				skip("this kernel has no CONFIG_SLUB_STATS");
				if (file)
					fclose(file);
				return;
			}
			fclose(file);
		}
	}
	for (int i = 0; i < 4; i += 2) {
		long did = count[1][i] - count[0][i] + count[1][i + 1] - count[0][i + 1];
		long asked = (long)run.ops * run.samples;

		ok(did >= asked && did < asked + 500 + asked / 200,
		   "%.5s: %ld operations asked for, %ld counted by SLUB", counters[i], asked, did);
	}
}

/* Takes memory until less than KiB are free; adds what it took to the list. */
static void **eat(void **list, long kib)
{
	const size_t piece = 1 << 20;
	void **next;

	/* Free, not available: that is an estimate, and leaves out more than an allocation does. */
	while (field("/proc/meminfo", "MemFree") > kib) {
		next = mmap(NULL, piece, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (next == MAP_FAILED)
			break;
		*next = list;
		list = next;
	}
	return list;
}

void test_out_of_memory(void)
{
	const uint32_t flags[] = { 0, irq_off };
	void **list, **next;
	int errors[2][OWN_WORKLOADS];
	long before = in_use(8192), after;

	/* Past the check, so that an allocation really fails. */
	write_text(LIMIT_PATH, "1048576");
	list = NULL;
	for (int f = 0; f < 2; f++)
		for (int w = 0; w < OWN_WORKLOADS; w++) {
			struct sheafbench_run run = good_run();

			errors[f][w] = ENOMEM;
			if (!can_run(w) ||
			    (f && workloads[w].flags & (SHEAFBENCH_TASK | SHEAFBENCH_HELPER)))
				continue;
			/* What an earlier failure made the kernel reclaim goes as well. */
			list = eat(list, 16 << 10);

			run.workload = w;
			run.size = fitting(w, 8192);
			run.n = SHEAFBENCH_MAX_N;
			run.order = order_of(w, SHEAFBENCH_SHUFFLED);
			run.flags = flags[f];
			errors[f][w] = do_run(&run);
			if (!strstr(run.text, "allocation failed") &&
			    !strstr(run.text, "no memory for a cache"))
				errors[f][w] = 0;
			/* Before the run wants some for itself, and the OOM killer makes it. */
			if ((w == WORKLOAD_remote_free || w == WORKLOAD_gather_free) &&
			    !strstr(run.text, "for helpers"))
				errors[f][w] = 0;
		}
	for (; list; list = next) {
		next = *list;
		munmap(list, 1 << 20);
	}
	write_text(LIMIT_PATH, "0");
	for (int f = 0; f < 2; f++)
		for (int w = 0; w < OWN_WORKLOADS; w++)
			ok(errors[f][w] == ENOMEM, "%s, flags %u, without memory: %s",
			   workloads[w].name, flags[f], strerrorname_np(errors[f][w]));
	after = in_use(8192);
	ok(after - before < 64, "failed runs leak nothing: %ld objects before, %ld after", before,
	   after);
}
