// SPDX-License-Identifier: GPL-2.0
/*
 * Sequences whose instructions are known, for the test of a counting tool. What a tool finds for
 * one of them, less what it finds for known_nothing, is what stands here.
 */

/* Six lines of the cache; of cmpxchg16b, the first 16 bytes. */
static u64 known_area[48] __aligned(64);

static DEFINE_PER_CPU(u64, known_percpu);

static noinline void known_leaf(void)
{
	asm volatile("");
}

/* In a function of its own each, like the loops. */
#define KNOWN_LOOP(name, body)						\
static __always_inline void known_##name##_body(struct region *region)	\
{									\
	u64 *area __maybe_unused = known_area;				\
									\
	body;								\
	region->done = region->n;					\
}									\
MARKED(known_##name, known_##name##_body(region))			\
static u32 pass_known_##name(struct run *run)				\
{									\
	return timed(run, 0, marked_known_##name, run->object, 1);	\
}

#if defined(__x86_64__)
#define KNOWN(name, text, ...)						\
	KNOWN_LOOP(name, asm volatile(text : "+r" (area) : : "memory", "cc", ##__VA_ARGS__))
#else
#define KNOWN(name, text, ...) KNOWN_LOOP(name, (void)(text))
#endif

KNOWN(nothing, "")
KNOWN(lock, ".rept 10; lock; addq $1, (%0); .endr")
KNOWN(xchg, ".rept 4; xchg %%rax, (%0); .endr; xchg %%rcx, %%rax", "rax", "rcx")
KNOWN(cmpxchg16b, ".rept 3; lock; cmpxchg16b (%0); .endr", "rax", "rbx", "rcx", "rdx")
/* A move each for count, address and value; rep stosb; its 200 iterations. */
KNOWN(rep, "mov $200, %%ecx; mov %0, %%rdi; mov $0, %%eax; rep stosb", "rax", "rcx", "rdi")
KNOWN(flags, ".rept 7; pushfq; popfq; .endr")
KNOWN(irq, ".rept 5; cli; sti; .endr")
KNOWN(fences, ".rept 3; lfence; .endr; .rept 2; mfence; .endr; sfence")
KNOWN(cpuid, ".rept 2; mov $0, %%eax; cpuid; .endr", "rax", "rbx", "rcx", "rdx")
/* The jump is taken 7 times of 8. */
KNOWN(branches, "mov $8, %%ecx; 1: sub $1, %%ecx; jnz 1b; jmp 2f; nop; 2:", "rcx")
KNOWN(lines, "movq $0, (%0); movq $0, 64(%0); movq $0, 128(%0); movq $0, 192(%0); "
	     "movq $0, 320(%0); movq $0, 328(%0)")
KNOWN_LOOP(percpu, this_cpu_read(known_percpu); this_cpu_read(known_percpu);
	   this_cpu_read(known_percpu))
KNOWN_LOOP(calls, known_leaf(); known_leaf(); known_leaf(); known_leaf(); known_leaf();
	   known_leaf(); barrier())
