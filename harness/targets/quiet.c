// SPDX-License-Identifier: GPL-2.0
/*
 * quiet CPU MOST_MS LEVEL: waits on that CPU until no other tenant keeps its sibling thread busy, for at most MOST_MS.
 *
 * The probe is the gate's of bench/module/clock.c: independent additions, and multiplications that overlap where a thread
 * has the whole core. Their time is told by a chain of dependent additions, which a sibling does not slow down, so the clock
 * of the core does not matter. LEVEL is the least ratio that was ever seen, in 1/1000, or 0. Prints the least one now, and
 * the ms that were waited.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define WINDOW	5000000u /* ns in which the median probe is one look */
#define LOOKS	16	 /* quiet ones in a row, so that it is likely to last */
#define PERCENT 10	 /* above LEVEL is still quiet; a busy sibling adds 15 and more */
#define MOST	4096

#ifdef __x86_64__
#define ADD_8                                                                      \
	"add %%rax, %%rax; add %%rcx, %%rcx; add %%rdx, %%rdx; add %%rsi, %%rsi; " \
	"add %%rdi, %%rdi; add %%r8, %%r8; add %%r9, %%r9; add %%r10, %%r10\n\t"
#define MULTIPLY "imul %0, %0\n\t"
#define CLOBBERS "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "cc"
#define CHAIN	 "add %0, %0\n\t"
#define clock_read()                                    \
	({                                              \
		__builtin_ia32_lfence();                \
		uint64_t now_ = __builtin_ia32_rdtsc(); \
		__builtin_ia32_lfence();                \
		now_;                                   \
	})
#else
#error "quiet knows no probe on this architecture"
#endif

static uint64_t throughput(void)
{
	const uint64_t start = clock_read();

	for (int i = 0; i < 12; i++) {
		unsigned long product = 3;

		__asm__ volatile(".rept 20\n\t" MULTIPLY ".endr\n\t.rept 30\n\t" ADD_8 ".endr"
				 : "+r"(product)
				 :
				 : CLOBBERS);
	}
	return clock_read() - start;
}

static uint64_t chain(void)
{
	const uint64_t start = clock_read();
	unsigned long sum = start;

	__asm__ volatile(".rept 1024\n\t" CHAIN ".endr" : "+r"(sum) : : "cc");
	return clock_read() - start;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The median ratio of some probes. */
static uint64_t look(void)
{
	const uint64_t end = now_ns() + WINDOW;
	uint64_t ratio[MOST];
	size_t n = 0;

	while (n < MOST && (n < 16 || now_ns() < end)) {
		const uint64_t adds = throughput();

		ratio[n++] = 1000 * adds / chain();
	}
	qsort(ratio, n, sizeof(*ratio), compare);
	return ratio[n / 2];
}

int main(int argc, char **argv)
{
	const uint64_t start = now_ns(), most = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
	uint64_t level = argc > 3 ? strtoull(argv[3], NULL, 10) : 0, ratio;
	cpu_set_t set;

	if (argc != 4) {
		fputs("usage: quiet CPU MOST_MS LEVEL\n", stderr);
		return 2;
	}
	CPU_ZERO(&set);
	CPU_SET(strtoul(argv[1], NULL, 10), &set);
	if (sched_setaffinity(0, sizeof(set), &set)) {
		perror("quiet: sched_setaffinity");
		return 1;
	}
	for (int quiet = 0; quiet < LOOKS;) {
		ratio = look();
		if (!level || ratio < level)
			level = ratio;
		quiet = 100 * ratio <= (100 + PERCENT) * level ? quiet + 1 : 0;
		if (now_ns() - start >= most * 1000000)
			break;
	}
	printf("%llu %llu\n", (unsigned long long)level,
	       (unsigned long long)(now_ns() - start) / 1000000);
	return 0;
}
