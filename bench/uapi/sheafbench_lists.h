/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The sizes and the workloads, each in one place: define SHEAFBENCH_SIZE(bytes) or
 * SHEAFBENCH_WORKLOAD(name, pass, source, least, most, flags, parts, part, second part), of which
 * least and most are sizes, and include this file. There is no include guard, since it is included
 * once for each use.
 */

/* Object sizes in bytes; each has loops of its own, compiled for that constant. */
#ifdef SHEAFBENCH_SIZE
SHEAFBENCH_SIZE(8)
SHEAFBENCH_SIZE(16)
SHEAFBENCH_SIZE(32)
SHEAFBENCH_SIZE(64)
SHEAFBENCH_SIZE(96)
SHEAFBENCH_SIZE(128)
SHEAFBENCH_SIZE(192)
SHEAFBENCH_SIZE(256)
SHEAFBENCH_SIZE(512)
SHEAFBENCH_SIZE(1024)
SHEAFBENCH_SIZE(2048)
SHEAFBENCH_SIZE(4096)
SHEAFBENCH_SIZE(8192)
#undef SHEAFBENCH_SIZE
#endif

/*
 * Flushes: SHEAFBENCH_FLUSH(name). What each does for the caches of all CPUs is in
 * bench/module/flush.c; none does nothing, to see what goes on anyway.
 */
#ifdef SHEAFBENCH_FLUSH
SHEAFBENCH_FLUSH(none)
SHEAFBENCH_FLUSH(shrink)
SHEAFBENCH_FLUSH(destroy)
SHEAFBENCH_FLUSH(barrier_on)
SHEAFBENCH_FLUSH(barrier)
#undef SHEAFBENCH_FLUSH
#endif

/*
 * Workloads. Results carry the names of the timed parts. A line here is all that one more takes
 * whose pass, pass_<pass>() in passes.c, and whose objects, source_<source>, are there.
 *
 * alloc  N allocations timed, then freed untimed in the given order
 * free   N allocations untimed, then freed timed in the given order
 * pair   allocate one, free one; N objects are held after each allocation. lifo frees the new
 *        object, fifo the one held longest, shuffled goes through them in a random sequence
 * batch  N allocations, then N frees in the given order, each half timed on its own
 *
 * The same from elsewhere than kmalloc(), see bench/module/sources.c: cache-*, ctor-* and account-*
 * have a kmem_cache of their own, plain, with a constructor, and with objects that are charged to
 * the caller's cgroup; bulk-* allocate and free N in one call; prefill-alloc takes N from a sheaf
 * that it has prefilled and returns; rcu-free frees with kfree_rcu(), rcu-fallback too, from a
 * cache without sheaves; page-* are pages of order 0, size 4096. bh-*, softirq-* and hardirq-* are
 * kmalloc() with bottom halves off, in a softirq and in a hardirq, but on PREEMPT_RT, where a
 * hardirq cannot allocate.
 *
 * alloc-spaced, free-spaced and pair-spaced are kmalloc() with other work before each operation,
 * see bench/module/spaced.c; results carry its cycles in place of N: 32, and 1 for pairs.
 *
 * With helpers, threads on one other CPU or on all, see bench/module/helpers.c: crowd-* while all
 * do the same; remote-alloc of what one helper frees, spread-alloc of what all free, remote-free of
 * what one has allocated, gather-free of what all have.
 *
 * peer-* are other people's loops, see bench/module/peers.c: of 64 bytes, without a gate or
 * an overhead, and each sample is all that they would have printed, times 100. known-* are
 * sequences of known instructions (bench/module/known.c), counted and never timed.
 */
#ifdef SHEAFBENCH_WORKLOAD
SHEAFBENCH_WORKLOAD(alloc, alloc, kmalloc, 8, 8192, 0, 1, "alloc", "")
SHEAFBENCH_WORKLOAD(free, free, kmalloc, 8, 8192, 0, 1, "free", "")
SHEAFBENCH_WORKLOAD(pair, pair, kmalloc, 8, 8192, SHEAFBENCH_HOLDS, 1, "pair", "")
SHEAFBENCH_WORKLOAD(batch, batch, kmalloc, 8, 8192, 0, 2, "batch-alloc", "batch-free")
#define APART (SHEAFBENCH_SPACED | SHEAFBENCH_TASK)
SHEAFBENCH_WORKLOAD(alloc_spaced, alloc, spaced, 8, 8192, APART, 1, "alloc-spaced", "")
SHEAFBENCH_WORKLOAD(free_spaced, free, spaced, 8, 8192, APART, 1, "free-spaced", "")
SHEAFBENCH_WORKLOAD(pair_spaced, pair, spaced, 8, 8192, SHEAFBENCH_HOLDS | APART, 1, "pair-spaced",
		    "")
#undef APART
#define PEER_WORKLOAD(name, part) \
	SHEAFBENCH_WORKLOAD(peer_##name, peer_##name, kmalloc, 64, 64, SHEAFBENCH_PEER, 1, part, "")
#define KNOWN_WORKLOAD(name, part) \
	SHEAFBENCH_WORKLOAD(known_##name, known_##name, kmalloc, 64, 64, SHEAFBENCH_KNOWN, 1, \
			    part, "")
#define ONE	SHEAFBENCH_HELPER
#define ALL	(SHEAFBENCH_HELPER | SHEAFBENCH_ALL_CPUS)
SHEAFBENCH_WORKLOAD(cache_pair, pair, cache, 8, 8192, SHEAFBENCH_HOLDS, 1, "cache-pair", "")
SHEAFBENCH_WORKLOAD(cache_batch, batch, cache, 8, 8192, 0, 2, "cache-alloc", "cache-free")
SHEAFBENCH_WORKLOAD(ctor_pair, pair, ctor, 8, 8192, SHEAFBENCH_HOLDS, 1, "ctor-pair", "")
SHEAFBENCH_WORKLOAD(ctor_batch, batch, ctor, 8, 8192, 0, 2, "ctor-alloc", "ctor-free")
SHEAFBENCH_WORKLOAD(bulk, batch, bulk, 8, 8192, SHEAFBENCH_TASK, 2, "bulk-alloc", "bulk-free")
SHEAFBENCH_WORKLOAD(prefill, batch, prefill, 8, 8192, SHEAFBENCH_TASK, 2, "prefill-alloc",
		    "prefill-free")
SHEAFBENCH_WORKLOAD(rcu, free, rcu, 16, 8192, SHEAFBENCH_TASK, 1, "rcu-free", "")
SHEAFBENCH_WORKLOAD(rcu_fallback, free, rcu_fallback, 16, 8192, SHEAFBENCH_TASK, 1, "rcu-fallback",
		    "")
SHEAFBENCH_WORKLOAD(page_pair, pair, page, 4096, 4096, SHEAFBENCH_HOLDS, 1, "page-pair", "")
SHEAFBENCH_WORKLOAD(page_batch, batch, page, 4096, 4096, 0, 2, "page-alloc", "page-free")
SHEAFBENCH_WORKLOAD(bh_pair, pair, bh, 8, 8192, SHEAFBENCH_HOLDS | SHEAFBENCH_TASK, 1, "bh-pair",
		    "")
SHEAFBENCH_WORKLOAD(bh_batch, batch, bh, 8, 8192, SHEAFBENCH_TASK, 2, "bh-alloc", "bh-free")
SHEAFBENCH_WORKLOAD(softirq_pair, pair, softirq, 8, 8192, SHEAFBENCH_HOLDS | SHEAFBENCH_TASK, 1,
		    "softirq-pair", "")
SHEAFBENCH_WORKLOAD(softirq_batch, batch, softirq, 8, 8192, SHEAFBENCH_TASK, 2, "softirq-alloc",
		    "softirq-free")
SHEAFBENCH_WORKLOAD(hardirq_pair, pair, hardirq, 8, 8192,
		    SHEAFBENCH_HOLDS | SHEAFBENCH_TASK | SHEAFBENCH_HARDIRQ, 1, "hardirq-pair", "")
SHEAFBENCH_WORKLOAD(hardirq_batch, batch, hardirq, 8, 8192, SHEAFBENCH_TASK | SHEAFBENCH_HARDIRQ, 2,
		    "hardirq-alloc", "hardirq-free")
SHEAFBENCH_WORKLOAD(crowd_pair, pair, crowd, 8, 8192, SHEAFBENCH_HOLDS | ALL, 1, "crowd-pair", "")
SHEAFBENCH_WORKLOAD(crowd_batch, batch, crowd, 8, 8192, ALL, 2, "crowd-alloc", "crowd-free")
SHEAFBENCH_WORKLOAD(remote_alloc, give, give, 8, 8192, ONE, 1, "remote-alloc", "")
SHEAFBENCH_WORKLOAD(spread_alloc, give, give, 8, 8192, ALL, 1, "spread-alloc", "")
SHEAFBENCH_WORKLOAD(remote_free, take, take, 8, 8192, ONE, 1, "remote-free", "")
SHEAFBENCH_WORKLOAD(gather_free, take, take, 8, 8192, ALL, 1, "gather-free", "")
SHEAFBENCH_WORKLOAD(account_pair, pair, account, 8, 8192, SHEAFBENCH_HOLDS | SHEAFBENCH_CHARGED, 1,
		    "account-pair", "")
SHEAFBENCH_WORKLOAD(account_batch, batch, account, 8, 8192, SHEAFBENCH_CHARGED, 2, "account-alloc",
		    "account-free")
PEER_WORKLOAD(thread, "peer-thread")
PEER_WORKLOAD(slabtest, "peer-slabtest")
PEER_WORKLOAD(kunit_1, "peer-kunit-1")
PEER_WORKLOAD(kunit_10, "peer-kunit-10")
PEER_WORKLOAD(kunit_100, "peer-kunit-100")
PEER_WORKLOAD(kunit_1000, "peer-kunit-1000")
PEER_WORKLOAD(nanobench, "peer-nanobench")
KNOWN_WORKLOAD(nothing, "known-nothing")
KNOWN_WORKLOAD(lock, "known-lock")
KNOWN_WORKLOAD(xchg, "known-xchg")
KNOWN_WORKLOAD(cmpxchg16b, "known-cmpxchg16b")
KNOWN_WORKLOAD(rep, "known-rep")
KNOWN_WORKLOAD(flags, "known-flags")
KNOWN_WORKLOAD(irq, "known-irq")
KNOWN_WORKLOAD(fences, "known-fences")
KNOWN_WORKLOAD(cpuid, "known-cpuid")
KNOWN_WORKLOAD(branches, "known-branches")
KNOWN_WORKLOAD(lines, "known-lines")
KNOWN_WORKLOAD(percpu, "known-percpu")
KNOWN_WORKLOAD(calls, "known-calls")
#undef KNOWN_WORKLOAD
#undef PEER_WORKLOAD
#undef ALL
#undef ONE
#undef SHEAFBENCH_WORKLOAD
#endif
