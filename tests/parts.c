// SPDX-License-Identifier: GPL-2.0
/* What instructions are for, as compilers write them for uml and for x86_64 (harness/trace/parts.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "parts.h"
#include "trace.h"

/* Where things are; canary and its alias share an address. */
static const struct {
	uint64_t address;
	const char *name;
} data[] = {
	{ 0x1000, "__preempt_count" },	 { 0x1008, "__ref_stack_chk_guard" },
	{ 0x1008, "__stack_chk_guard" }, { 0x1010, "this_cpu_off" },
	{ 0x2000, "cpu_tasks" },	 { 0x3000, "__per_cpu_offset" },
};

static bool is_at(uint64_t address, const char *name)
{
	for (size_t i = 0; i < sizeof(data) / sizeof(*data); i++)
		if (data[i].address == address && !strcmp(data[i].name, name))
			return true;
	return false;
}

struct line {
	const char *symbol;
	uint8_t size, bytes[15];
	enum part part;
};

#define I(symbol, part, ...)                                                             \
	{                                                                                \
		symbol, sizeof((uint8_t[]){ __VA_ARGS__ }), { __VA_ARGS__ }, PART_##part \
	}
#define CALL 0xe8, 0, 0, 0, 0

/* All at address 0: what is at 0x1000 is 0x1000 less the instruction's size away. */
static void check(const struct line *line, size_t n)
{
	struct step step[64];
	enum part part[64];

	assert_true(n <= 64);
	for (size_t i = 0; i < n; i++) {
		step[i] = (struct step){ .symbol = line[i].symbol, .size = line[i].size };
		memcpy(step[i].bytes, line[i].bytes, sizeof(step[i].bytes));
		step[i].kinds = insn_kinds(step[i].bytes, step[i].size);
	}
	parts_of(step, n, is_at, part);
	for (size_t i = 0; i < n; i++)
		if (part[i] != line[i].part)
			fail_msg("instruction %zu is of part %d, not %d", i, part[i], line[i].part);
}

static void test_x86(void **state)
{
	static const struct line lines[] = {
		I("f", REST, 0xf3, 0x0f, 0x1e, 0xfa), /* endbr64 */
		/* mov %gs:guard,%rax; mov %rax,0x28(%rsp); xor %eax,%eax */
		I("f", CANARY, 0x65, 0x48, 0x8b, 0x05, 0x00, 0x10, 0, 0),
		I("f", CANARY, 0x48, 0x89, 0x44, 0x24, 0x28),
		I("f", CANARY, 0x31, 0xc0),
		I("f", KEYS, 0x0f, 0x1f, 0x44, 0x00, 0x00),
		I("f", REST, 0x0f, 0x1f, 0x00), /* nopl (%rax): an alternative */
		I("f", PREEMPT, 0x65, 0xff, 0x05, 0xf9, 0x0f, 0, 0), /* incl %gs:__preempt_count */
		I("f", THIS_CPU, 0x65, 0x48, 0x03, 0x05, 0x08, 0x10, 0, 0),
		I("f", REST, 0x0f, 0xb6, 0x10),
		I("f", REST, 0x84, 0xd2),
		I("f", REST, 0x75, 0x10), /* jne */
		I("_raw_spin_trylock", SPINLOCK, 0xf0, 0x0f, 0xb1, 0x17),
		I("_raw_spin_trylock", PREEMPT, 0x65, 0xff, 0x0d, 0xf9, 0x0f, 0, 0), /* decl */
		I("_raw_spin_trylock", PREEMPT, 0x74, 0x05),
		I("_raw_spin_trylock", SPINLOCK, 0xc3),
		I("f", IRQ, 0x9c),
		I("f", IRQ, 0xfa),
		I("f", KEYS, 0x66, 0x90),
		I("f", IRQ, 0xfb),
	};
	static const struct line guard[] = {
		/* mov 0x28(%rsp),%rdx; sub %gs:guard,%rdx; jne; another register is another matter */
		I("f", CANARY, 0x48, 0x8b, 0x54, 0x24, 0x28),
		I("f", CANARY, 0x65, 0x48, 0x2b, 0x15, 0x00, 0x10, 0, 0),
		I("f", CANARY, 0x0f, 0x85, 0, 0, 0, 0),
		I("f", REST, 0x48, 0x8b, 0x44, 0x24, 0x28),
		I("f", CANARY, 0x65, 0x48, 0x2b, 0x15, 0x00, 0x10, 0, 0),
		I("f", CANARY, 0x75, 0x05),
	};

	(void)state;
	check(lines, sizeof(lines) / sizeof(*lines));
	check(guard, sizeof(guard) / sizeof(*guard));
}

static void test_uml(void **state)
{
	static const struct line lines[] = {
		I("f", ADDRESSES, 0x49, 0xbe, 0x00, 0x20, 0, 0, 0, 0, 0, 0), /* cpu_tasks,%r14 */
		I("f", ADDRESSES, 0x49, 0xbf, 0x00, 0x30, 0, 0, 0, 0, 0, 0), /* offsets,%r15 */
		/* preempt_count_inc() */
		I("f", PREEMPT, CALL),
		I("uml_curr_cpu", PREEMPT, 0x64, 0x8b, 0x04, 0x25, 0xf8, 0xff, 0xff, 0xff),
		I("uml_curr_cpu", PREEMPT, 0xc3),
		I("f", PREEMPT, 0x48, 0x98),
		I("f", PREEMPT, 0x49, 0x8b, 0x14, 0xc6), /* mov (%r14,%rax,8),%rdx */
		I("f", PREEMPT, 0x8b, 0x42, 0x0c),
		I("f", PREEMPT, 0x83, 0xc0, 0x01),
		I("f", PREEMPT, 0x89, 0x42, 0x0c),
		/* this_cpu_ptr() */
		I("f", THIS_CPU, CALL),
		I("uml_curr_cpu", THIS_CPU, 0x64, 0x8b, 0x04, 0x25, 0xf8, 0xff, 0xff, 0xff),
		I("uml_curr_cpu", THIS_CPU, 0xc3),
		I("f", THIS_CPU, 0x48, 0x98),
		I("f", THIS_CPU, 0x49, 0x03, 0x1c, 0xc7), /* add (%r15,%rax,8),%rbx */
		I("f", REST, 0xc6, 0x03, 0x00),
		/* current, of which something else is wanted */
		I("f", THIS_CPU, CALL),
		I("uml_curr_cpu", THIS_CPU, 0x64, 0x8b, 0x04, 0x25, 0xf8, 0xff, 0xff, 0xff),
		I("uml_curr_cpu", THIS_CPU, 0xc3),
		I("f", THIS_CPU, 0x48, 0x98),
		I("f", THIS_CPU, 0x49, 0x8b, 0x14, 0xc6),
		I("f", REST, 0x8b, 0x42, 0x2c),
		/* preempt_enable(): the count, and whether to reschedule */
		I("f", PREEMPT, CALL),
		I("uml_curr_cpu", PREEMPT, 0x64, 0x8b, 0x04, 0x25, 0xf8, 0xff, 0xff, 0xff),
		I("uml_curr_cpu", PREEMPT, 0xc3),
		I("f", PREEMPT, 0x48, 0x98),
		I("f", PREEMPT, 0x49, 0x8b, 0x14, 0xc6),
		I("f", PREEMPT, 0x83, 0x6a, 0x0c, 0x01), /* subl $1,0xc(%rdx) */
		I("f", PREEMPT, 0x74, 0x05),
		I("f", PREEMPT, CALL),
		I("uml_curr_cpu", PREEMPT, 0x64, 0x8b, 0x04, 0x25, 0xf8, 0xff, 0xff, 0xff),
		I("uml_curr_cpu", PREEMPT, 0xc3),
		I("f", PREEMPT, 0x48, 0x98),
		I("f", PREEMPT, 0x49, 0x8b, 0x04, 0xc6),
		I("f", PREEMPT, 0x48, 0x8b, 0x00),
		I("f", PREEMPT, 0xa8, 0x04),
		I("f", PREEMPT, 0x74, 0x05),
		/* a key at a fixed address, and one whose address is in a register; jg, jle */
		I("f", KEYS, 0xa1, 0x00, 0x50, 0, 0, 0, 0, 0, 0),
		I("f", REST, 0x8b, 0x55, 0x1c),
		I("f", KEYS, 0x85, 0xc0),
		I("f", KEYS, 0x0f, 0x8f, 0, 0, 0, 0),
		I("f", ADDRESSES, 0x49, 0xbf, 0x00, 0x50, 0, 0, 0, 0, 0, 0),
		I("f", KEYS, 0x41, 0x8b, 0x07),
		I("f", KEYS, 0x85, 0xc0),
		I("f", KEYS, 0x7e, 0x05),
		/* an unsigned comparison, and a register that holds something else by now, are none */
		I("f", REST, 0x8b, 0x05, 0x00, 0x10, 0, 0),
		I("f", REST, 0x85, 0xc0),
		I("f", REST, 0x75, 0x05),
		I("f", REST, 0x4c, 0x8b, 0x7d, 0x00), /* mov (%rbp),%r15 */
		I("f", REST, 0x41, 0x8b, 0x07),
		I("f", REST, 0x85, 0xc0),
		I("f", REST, 0x7f, 0x05),
		I("f", IRQ, CALL),
		I("um_set_signals", IRQ, 0x53),
		I("um_set_signals", IRQ, 0xc3),
		I("f", REST, 0xc3),
	};

	(void)state;
	check(lines, sizeof(lines) / sizeof(*lines));
}

/* A callee's registers are its own; so are the addresses that they hold. */
static void test_calls(void **state)
{
	static const struct line lines[] = {
		I("f", ADDRESSES, 0x49, 0xbe, 0x00, 0x20, 0, 0, 0, 0, 0, 0), /* cpu_tasks,%r14 */
		I("f", REST, CALL),
		I("g", ADDRESSES, 0x49, 0xbe, 0x00, 0x30, 0, 0, 0, 0, 0, 0),
		I("g", REST, 0xc3),
		I("f", PREEMPT, CALL),
		I("uml_curr_cpu", PREEMPT, 0xc3),
		I("f", PREEMPT, 0x48, 0x98),
		I("f", PREEMPT, 0x49, 0x8b, 0x14, 0xc6),
		I("f", PREEMPT, 0x83, 0x6a, 0x0c, 0x01),
		I("f", PREEMPT, 0x74, 0x05),
		/* More returns than calls, and the end in the middle of something. */
		I("f", REST, 0xc3),
		I("f", REST, 0xc3),
		I("f", THIS_CPU, CALL),
		I("uml_curr_cpu", THIS_CPU, 0xc3),
	};

	(void)state;
	check(lines, sizeof(lines) / sizeof(*lines));
	for (size_t n = 1; n < sizeof(lines) / sizeof(*lines); n++) {
		struct step step[16] = { 0 };
		enum part part[16];

		for (size_t i = 0; i < n; i++) {
			step[i] = (struct step){ .symbol = lines[i].symbol, .size = lines[i].size };
			memcpy(step[i].bytes, lines[i].bytes, sizeof(step[i].bytes));
			step[i].kinds = insn_kinds(step[i].bytes, step[i].size);
		}
		parts_of(step, n, is_at, part);
		for (size_t i = 0; i < n; i++)
			assert_true(part[i] < PARTS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_x86),
		cmocka_unit_test(test_uml),
		cmocka_unit_test(test_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
