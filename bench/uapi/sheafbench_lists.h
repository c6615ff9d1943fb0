/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The sizes and the workloads, each in one place: define SHEAFBENCH_SIZE(bytes) or
 * SHEAFBENCH_WORKLOAD(function, flags, parts, part, second part) and include this file. There is
 * no include guard, since it is included once for each use.
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
 * Workloads. The name of a workload is its function's; results carry the names of its timed parts.
 * A line here and pass_<function>() in sheafbench.c are all that a new workload needs.
 *
 * alloc  N allocations timed, then freed untimed in the given order
 * free   N allocations untimed, then freed timed in the given order
 * pair   allocate one, free one; N objects are held after each allocation. lifo frees the new
 *        object, fifo the one held longest, shuffled goes through them in a random sequence
 * batch  N allocations, then N frees in the given order, each half timed on its own
 *
 * peer-* are other people's loops, see bench/module/peers.h: of 64 bytes, without a gate or
 * an overhead, and each sample is all that they would have printed, times 100. known-* are
 * sequences of known instructions (bench/module/known.h), counted and never timed.
 */
#ifdef SHEAFBENCH_WORKLOAD
SHEAFBENCH_WORKLOAD(alloc, 0, 1, "alloc", "")
SHEAFBENCH_WORKLOAD(free, 0, 1, "free", "")
SHEAFBENCH_WORKLOAD(pair, SHEAFBENCH_HOLDS, 1, "pair", "")
SHEAFBENCH_WORKLOAD(batch, 0, 2, "batch-alloc", "batch-free")
SHEAFBENCH_WORKLOAD(thread, SHEAFBENCH_PEER, 1, "peer-thread", "")
SHEAFBENCH_WORKLOAD(slabtest, SHEAFBENCH_PEER, 1, "peer-slabtest", "")
SHEAFBENCH_WORKLOAD(kunit_1, SHEAFBENCH_PEER, 1, "peer-kunit-1", "")
SHEAFBENCH_WORKLOAD(kunit_10, SHEAFBENCH_PEER, 1, "peer-kunit-10", "")
SHEAFBENCH_WORKLOAD(kunit_100, SHEAFBENCH_PEER, 1, "peer-kunit-100", "")
SHEAFBENCH_WORKLOAD(kunit_1000, SHEAFBENCH_PEER, 1, "peer-kunit-1000", "")
SHEAFBENCH_WORKLOAD(nanobench, SHEAFBENCH_PEER, 1, "peer-nanobench", "")
SHEAFBENCH_WORKLOAD(known_nothing, SHEAFBENCH_KNOWN, 1, "known-nothing", "")
SHEAFBENCH_WORKLOAD(known_lock, SHEAFBENCH_KNOWN, 1, "known-lock", "")
SHEAFBENCH_WORKLOAD(known_xchg, SHEAFBENCH_KNOWN, 1, "known-xchg", "")
SHEAFBENCH_WORKLOAD(known_cmpxchg16b, SHEAFBENCH_KNOWN, 1, "known-cmpxchg16b", "")
SHEAFBENCH_WORKLOAD(known_rep, SHEAFBENCH_KNOWN, 1, "known-rep", "")
SHEAFBENCH_WORKLOAD(known_flags, SHEAFBENCH_KNOWN, 1, "known-flags", "")
SHEAFBENCH_WORKLOAD(known_irq, SHEAFBENCH_KNOWN, 1, "known-irq", "")
SHEAFBENCH_WORKLOAD(known_fences, SHEAFBENCH_KNOWN, 1, "known-fences", "")
SHEAFBENCH_WORKLOAD(known_cpuid, SHEAFBENCH_KNOWN, 1, "known-cpuid", "")
SHEAFBENCH_WORKLOAD(known_branches, SHEAFBENCH_KNOWN, 1, "known-branches", "")
SHEAFBENCH_WORKLOAD(known_lines, SHEAFBENCH_KNOWN, 1, "known-lines", "")
SHEAFBENCH_WORKLOAD(known_percpu, SHEAFBENCH_KNOWN, 1, "known-percpu", "")
SHEAFBENCH_WORKLOAD(known_calls, SHEAFBENCH_KNOWN, 1, "known-calls", "")
#undef SHEAFBENCH_WORKLOAD
#endif
