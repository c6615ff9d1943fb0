/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the instructions of one operation are for, as far as uml and x86_64 do the same in different
 * ways. Told from the bytes, and from the symbols that they name, as the compilers of both write
 * them; what is not recognised is rest. Each instruction is of one part.
 */
#ifndef PARTS_H
#define PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARTS_LIST(X)                                                                   \
	X(THIS_CPU, "this_cpu") /* per-CPU data, current, the number of the CPU */      \
	X(PREEMPT, "preempt")	/* the preempt count, and whether to reschedule */      \
	X(KEYS, "keys")		/* static keys: nops, or a load, a test and a branch */ \
	X(IRQ, "irq")		/* interrupts off, on, and which they are */            \
	X(SPINLOCK, "lock")	/* what is left of the functions of spinlocks */        \
	X(CANARY, "canary")	/* the stack's canary */                                \
	X(ADDRESSES, "addr64")	/* 64 bit addresses in instructions of their own */     \
	X(REST, "rest")

enum part {
#define X(name, text) PART_##name,
	PARTS_LIST(X)
#undef X
		PARTS
};

/* One instruction as it was executed; @kinds are those of trace.h. */
struct step {
	uint64_t address;
	const char *symbol;
	uint32_t kinds;
	uint8_t size, bytes[15];
};

/* Whether data of that name is at an address. */
typedef bool is_at_fn(uint64_t address, const char *name);

/* The part of each of @n instructions that follow each other. */
void parts_of(const struct step *step, size_t n, is_at_fn *is_at, enum part *part);

#endif
