// SPDX-License-Identifier: GPL-2.0
/* How the counter is read, what is timed beside the loops, and how the counter runs. */
/* The counter, after all that comes before it and before all that comes after it. */
#if defined(__x86_64__)
#define CLOCK_NAME "tsc"
#define HAS_MARKERS	1
/* Not cpuid: in a guest that leaves the guest. */
#define READ_CLOCK	"lfence; rdtsc; lfence\n\t"
#define MARK(number)	".byte 0x0f, 0x1f, 0x84, 0x00; .long " __stringify(number) "\n\t"

static __always_inline u64 clock_read(void)
{
	u32 low, high;

	asm volatile(READ_CLOCK : "=a" (low), "=d" (high) : : "memory");
	return low | (u64)high << 32;
}

/* Read first, so that of what is between two reads only SHEAFBENCH_MARKED is not the window's. */
static __always_inline u64 window_start(void)
{
	u32 low, high;

	asm volatile(READ_CLOCK MARK(SHEAFBENCH_MARK_START) : "=a" (low), "=d" (high) : : "memory");
	return low | (u64)high << 32;
}

static __always_inline u64 window_end(void)
{
	u32 low, high;

	asm volatile(MARK(SHEAFBENCH_MARK_END) READ_CLOCK : "=a" (low), "=d" (high) : : "memory");
	return low | (u64)high << 32;
}

/* As others read it: nothing waits for it. get_cycles() is 0 on uml. */
static __always_inline u64 clock_read_unfenced(void)
{
	u32 low, high;

	asm volatile("rdtsc" : "=a" (low), "=d" (high));
	return low | (u64)high << 32;
}

/* Registers: additions of a constant are done by the renamer on some cores. */
#define ADD_8		"add %%rax, %%rax; add %%rcx, %%rcx; add %%rdx, %%rdx; "	\
			"add %%rsi, %%rsi; add %%rdi, %%rdi; add %%r8, %%r8; "		\
			"add %%r9, %%r9; add %%r10, %%r10\n\t"
#define MULTIPLY	"imul %0, %0\n\t"
#define ADD_CLOBBERS	"rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "cc"
#define CHAIN_1		"add %0, %0\n\t"
#define WORK_REGISTER	"r15"
#elif defined(__aarch64__)
#define CLOCK_NAME "cntvct"
static __always_inline u64 clock_read(void)
{
	u64 ticks;

	asm volatile("isb; mrs %0, cntvct_el0; isb" : "=r" (ticks) : : "memory");
	return ticks;
}

#define HAS_MARKERS	0
#define MARK(number)	"// " __stringify(number)
#define window_start()	clock_read()
#define window_end()	clock_read()

static __always_inline u64 clock_read_unfenced(void)
{
	u64 ticks;

	asm volatile("mrs %0, cntvct_el0" : "=r" (ticks));
	return ticks;
}

#define ADD_8		"add x9, x9, x9; add x10, x10, x10; add x11, x11, x11; "	\
			"add x12, x12, x12; add x13, x13, x13; add x14, x14, x14; "	\
			"add x15, x15, x15; add x2, x2, x2\n\t"
#define MULTIPLY	"mul %0, %0, %0\n\t"
#define ADD_CLOBBERS	"x9", "x10", "x11", "x12", "x13", "x14", "x15", "x2"
#define CHAIN_1		"add %0, %0, %0\n\t"
#define WORK_REGISTER	"x28"
#else
#error "sheafbench knows no counter on this architecture"
#endif

#define WARM_OPS	4096	/* before windows are counted, in 4 to 64 passes */

static struct {
	u64 ticks, ns;		/* when the module was loaded */
	u32 step_cticks;
} clock;

/*
 * A few empty loops, so that a region starts at a random phase of the counter's step. At most
 * 31: after 128 and more the branch predictor has forgotten the region, and small N become bimodal.
 */
static __always_inline void dither(u64 *state)
{
	u32 i;

	for (i = calc_random(state) >> 59; i; i--)
		barrier();
}

/*
 * Eight independent additions at a time: more than a core begins in a cycle. With every 240 of them
 * a chain of 20 multiplications, which overlaps with the next one where a thread has the whole
 * reorder buffer, and less where it has the half that it gets beside a busy sibling.
 */
static noinline void throughput(u32 adds)
{
	for (; adds; adds -= 240) {
		unsigned long product = 3;

		OPTIMIZER_HIDE_VAR(product);
		asm volatile(".rept 20\n\t"
			     MULTIPLY
			     ".endr\n\t"
			     ".rept 30\n\t"
			     ADD_8
			     ".endr" : "+r" (product) : : ADD_CLOBBERS);
	}
}

/* Each addition waits for the one before it: one core cycle each, whatever else the core does. */
static noinline void chain(u32 adds)
{
	unsigned long sum = adds;

	for (; adds; adds -= 8)
		asm volatile(CHAIN_1 CHAIN_1 CHAIN_1 CHAIN_1 CHAIN_1 CHAIN_1 CHAIN_1 CHAIN_1
			     : "+r" (sum) : : "cc");
}

static u64 probe(u64 *random, void (*additions)(u32 adds), u32 adds)
{
	u64 start;

	dither(random);
	start = clock_read();
	additions(adds);
	return clock_read() - start;
}

/* Counter and monotonic time at one moment: the tightest of some tries. */
static void clock_pair(u64 *ticks, u64 *ns)
{
	u64 before, after, now, best = U64_MAX;
	int i;

	for (i = 0; i < 32; i++) {
		before = clock_read();
		now = ktime_get_ns();
		after = clock_read();
		if (after - before < best) {
			best = after - before;
			*ticks = before + best / 2;
			*ns = now;
		}
	}
}

static int compare_u64(const void *a, const void *b)
{
	return cmp_int(*(const u64 *)a, *(const u64 *)b);
}

static void sort_u64(u64 *values, u32 count)
{
	sort(values, count, sizeof(*values), compare_u64, NULL);
}

static int clock_init(void)
{
	u64 *apart __free(kfree) = kmalloc_array(1024, sizeof(*apart), GFP_KERNEL);
	u64 before, state = 1;
	int i;

	if (!apart)
		return -ENOMEM;
	for (i = 0; i < 1024; i++) {
		before = clock_read();
		dither(&state);
		apart[i] = clock_read() - before;
	}
	sort_u64(apart, 1024);
	clock.step_cticks = calc_step_cticks(apart, 1024);
	clock_pair(&clock.ticks, &clock.ns);
	return 0;
}

/* The counter's rate since the module was loaded; the longer ago, the more exact. */
static u32 clock_rate(void)
{
	u64 ticks, ns;

	while (ktime_get_ns() - clock.ns < 20 * NSEC_PER_MSEC)
		usleep_range(1000, 2000);
	clock_pair(&ticks, &ns);
	ns -= clock.ns;
	return mul_u64_u64_div_u64(ticks - clock.ticks, NSEC_PER_MSEC, ns);
}
