/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What sheaftrace.so (a plugin of QEMU's TCG) writes and sheafcounts reads: text, a record per line.
 *
 *   # sheafbench-trace 1
 *   I ID ADDRESS KINDS BYTES      an instruction, hexadecimal but for ID, before its first use
 *   W NUMBER CROSSINGS            a window, from 0 on; instructions in it that enter or leave the kernel, and one more
 *                                 for each of another CPU: none unless something broke into it, or it has system calls
 *   C ID COUNT...                 of that window: executions, and the rest of enum counter
 *   E ID ID COUNT                 calls and jumps taken from one instruction to another
 *   O ID LENGTH TIMES             calls by the loop itself: to this instruction, until the return, in
 *                                 instructions
 *   T ID...                       the first instructions in the order of execution, where asked for
 *   end WINDOWS
 */
#ifndef TRACE_H
#define TRACE_H

#include <stddef.h>
#include <stdint.h>

/* What an instruction is, from its bytes; each is a class of the counts, by this name. */
#define INSN_KINDS(X)                                                                         \
	X(LOCK, "lock") /* LOCK prefix */                                                     \
	X(XCHG, "xchg") /* with memory: locked without the prefix */                          \
	X(CALL, "call")                                                                       \
	X(RET, "ret")                                                                         \
	X(JUMP, "jump")		/* unconditional */                                           \
	X(BRANCH, "branch")	/* conditional, taken or not */                               \
	X(INDIRECT, "indirect") /* calls and jumps whose target is in a register or memory */ \
	X(CLI, "cli")                                                                         \
	X(STI, "sti")                                                                         \
	X(PUSHF, "pushf")                                                                     \
	X(POPF, "popf")                                                                       \
	X(LFENCE, "lfence")                                                                   \
	X(FENCE, "fence")	  /* mfence, sfence */                                        \
	X(SERIALISE, "serialise") /* cpuid, iret, writes of control registers, MSRs, … */   \
	X(GS, "gs")		  /* memory through %gs: per-CPU data on x86_64 */            \
	X(NOP, "nop")		  /* of any length, endbr64 too */

/* What is counted for each instruction in a window. */
#define INSN_COUNTERS(X)                                                                        \
	X(INSTRUCTIONS, "instructions") /* a rep instruction is one */                          \
	X(REP, "rep")			/* its iterations, which icount counts as well */       \
	X(LOADS, "loads")		/* executions (or iterations) that read memory */       \
	X(STORES, "stores")		/* that wrote memory */                                 \
	X(TAKEN, "taken")		/* jumps and conditional branches that were taken */    \
	X(CODE_LINES, "code-lines")	/* lines of 64 bytes that it was first to fetch from */ \
	X(DATA_LINES, "data-lines")	/* that it was first to read or write */

enum insn_kind_bit {
#define X(name, text) KIND_##name##_BIT,
	INSN_KINDS(X)
#undef X
		KINDS
};

#define KIND(name) (1u << KIND_##name##_BIT)
/* No classes of their own: a string instruction with rep, and what enters or leaves the kernel. */
#define KIND_REP_STRING (1u << KINDS)
#define KIND_CROSSING	(1u << (KINDS + 1))

enum counter {
#define X(name, text) COUNTER_##name,
	INSN_COUNTERS(X)
#undef X
		COUNTERS
};

/* The kinds of an instruction of x86_64, from its whole bytes. */
uint32_t insn_kinds(const uint8_t *bytes, size_t size);

#endif
