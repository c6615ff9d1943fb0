/* SPDX-License-Identifier: GPL-2.0 */
#include <string.h>

#include "parts.h"
#include "trace.h"

#define REGISTERS 16
#define NONE	  (-1)
#define DEPTH	  32 /* of calls, past which registers are not followed */

/* The operand in memory of an instruction, by Intel's manual, volume 2, chapter 2. */
struct fields {
	uint8_t opcode;
	bool two_byte, wide, gs, memory;
	int reg, rm, base, index; /* NONE where there is none */
	int64_t disp;
	uint64_t target; /* of a fixed address, else 0 */
};

static int64_t signed_at(const uint8_t *bytes, int size)
{
	int64_t value = 0;

	for (int i = size - 1; i >= 0; i--)
		value = (int64_t)((uint64_t)value << 8 | bytes[i]);
	if (size < 8 && value >> (8 * size - 1))
		value -= (int64_t)1 << 8 * size;
	return value;
}

static bool has_modrm(const struct fields *f)
{
	const uint8_t op = f->opcode;

	if (f->two_byte)
		return !((op >= 0x05 && op <= 0x0b) || (op >= 0x30 && op <= 0x37) ||
			 (op >= 0x80 && op <= 0x8f) || (op >= 0xa0 && op <= 0xa2) ||
			 (op >= 0xa8 && op <= 0xaa) || op >= 0xc8);
	if (op < 0x40)
		return (op & 7) < 4;
	return op == 0x63 || op == 0x69 || op == 0x6b || (op >= 0x80 && op <= 0x8f) || op == 0xc0 ||
	       op == 0xc1 || op == 0xc6 || op == 0xc7 || (op >= 0xd0 && op <= 0xd3) || op == 0xf6 ||
	       op == 0xf7 || op == 0xfe || op == 0xff;
}

static void read_modrm(struct fields *f, const struct step *step, int at, int rex)
{
	const uint8_t *bytes = step->bytes;
	const int modrm = bytes[at++], mod = modrm >> 6;

	f->reg = (modrm >> 3 & 7) | (rex & 4) << 1;
	f->rm = (modrm & 7) | (rex & 1) << 3;
	f->memory = mod != 3;
	if (!f->memory)
		return;
	f->base = f->rm;
	if ((modrm & 7) == 4) {
		const int sib = bytes[at++];

		f->base = (sib & 7) | (rex & 1) << 3;
		f->index = (sib >> 3 & 7) | (rex & 2) << 2;
		f->index = f->index == 4 ? NONE : f->index;
		if ((sib & 7) == 5 && !mod) {
			f->base = NONE;
			f->disp = signed_at(bytes + at, 4);
			f->target = f->disp;
		}
	} else if ((modrm & 7) == 5 && !mod) {
		f->base = NONE;
		f->target = step->address + step->size + signed_at(bytes + at, 4);
	}
	if (mod)
		f->disp = signed_at(bytes + at, mod == 1 ? 1 : 4);
}

static struct fields decode(const struct step *step)
{
	struct fields f = { .reg = NONE, .rm = NONE, .base = NONE, .index = NONE };
	const uint8_t *bytes = step->bytes;
	int i = 0, rex = 0;

	for (; i + 1 < step->size; i++) {
		const uint8_t b = bytes[i];

		f.gs |= b == 0x65;
		if (b != 0x65 && b != 0x64 && b != 0x66 && b != 0x67 && b != 0xf0 && b != 0xf2 &&
		    b != 0xf3 && b != 0x2e && b != 0x3e)
			break;
	}
	if ((bytes[i] & 0xf0) == 0x40)
		rex = bytes[i++];
	f.wide = rex & 8;
	f.two_byte = bytes[i] == 0x0f && i + 1 < step->size;
	i += f.two_byte;
	f.opcode = bytes[i++];
	if (has_modrm(&f)) {
		if (i < step->size)
			read_modrm(&f, step, i, rex);
	} else if (!f.two_byte && f.opcode >= 0xa0 && f.opcode <= 0xa3 && i + 8 <= step->size) {
		f.memory = true;
		f.reg = 0;
		f.target = signed_at(bytes + i, 8);
	} else if (!f.two_byte && f.opcode >= 0xb8 && f.opcode <= 0xbf && f.wide &&
		   i + 8 <= step->size) {
		f.reg = (f.opcode & 7) | (rex & 1) << 3;
		f.target = signed_at(bytes + i, 8);
	}
	return f;
}

static bool one_byte(const struct fields *f, uint8_t opcode)
{
	return !f->two_byte && f->opcode == opcode;
}

/* A 64 bit address as an operand. */
static bool is_address(const struct fields *f)
{
	return !f->two_byte && f->opcode >= 0xb8 && f->opcode <= 0xbf && f->wide;
}

static bool is_branch(const struct step *step)
{
	return step->kinds & KIND(BRANCH);
}

static bool named(const char *symbol, const char *name)
{
	return !strcmp(symbol, name);
}

static bool begins(const char *symbol, const char *prefix)
{
	return !strncmp(symbol, prefix, strlen(prefix));
}

/* The functions of uml that stand for instructions of x86. */
static bool is_irq_function(const char *symbol)
{
	return begins(symbol, "um_set_signals") || begins(symbol, "um_get_signals") ||
	       begins(symbol, "block_signals") || begins(symbol, "unblock_signals");
}

struct walk {
	const struct step *step;
	size_t n;
	is_at_fn *is_at;
	enum part *part;
	/* What addresses the registers hold, in this function and in its callers. */
	uint64_t held[DEPTH][REGISTERS];
	size_t depth;
};

/* Memory through %gs, with what is done with it right there. */
static void per_cpu(struct walk *w, size_t i, const struct fields *f)
{
	struct fields next = { 0 };

	if (i + 1 < w->n)
		next = decode(&w->step[i + 1]);
	w->part[i] = PART_THIS_CPU;
	if (w->is_at(f->target, "__preempt_count")) {
		w->part[i] = PART_PREEMPT;
		if (i + 1 < w->n && is_branch(&w->step[i + 1]))
			w->part[i + 1] = PART_PREEMPT;
	} else if (w->is_at(f->target, "__stack_chk_guard")) {
		w->part[i] = PART_CANARY;
		/* It is put on the stack, and cleared from the register; then taken back and compared. */
		if (i + 1 < w->n && (one_byte(&next, 0x89) || is_branch(&w->step[i + 1])))
			w->part[i + 1] = PART_CANARY;
		if (i + 2 < w->n && one_byte(&next, 0x89) && w->step[i + 2].bytes[0] == 0x31)
			w->part[i + 2] = PART_CANARY;
		if (i && one_byte(f, 0x2b)) {
			const struct fields before = decode(&w->step[i - 1]);

			if (one_byte(&before, 0x8b) && before.reg == f->reg)
				w->part[i - 1] = PART_CANARY;
		}
	}
}

/* Whether the count of preemption or the flags are what the task in register @task is taken for. */
static size_t preemption(const struct walk *w, size_t i, int task)
{
	const size_t first = i;
	int value = NONE;

	for (; i < w->n; i++) {
		const struct fields f = decode(&w->step[i]);
		const bool of_task = f.memory && task != NONE && f.base == task && f.index == NONE;

		if (of_task && (f.disp == 0xc || (!f.disp && one_byte(&f, 0x8b)))) {
			if (one_byte(&f, 0x8b)) {
				value = f.reg;
				task = f.reg == task ? NONE : task;
			}
			continue;
		}
		if (value != NONE && !f.memory &&
		    ((one_byte(&f, 0x83) && f.rm == value) || (one_byte(&f, 0xa8) && !value) ||
		     (one_byte(&f, 0xf6) && f.rm == value)))
			continue;
		if (i > first && is_branch(&w->step[i]))
			i++;
		break;
	}
	return i - first;
}

/*
 * A call of uml's uml_curr_cpu(), and what is looked up with its answer: the offset of the CPU's data,
 * or its task. Returns the last instruction of it.
 */
static size_t uml_cpu(struct walk *w, size_t call)
{
	enum part of = PART_THIS_CPU;
	size_t i = call + 1, last, extra = 0;

	while (i < w->n && named(w->step[i].symbol, "uml_curr_cpu"))
		i++;
	last = i - 1;
	for (size_t tries = 0; i < w->n && tries < 4; i++, tries++) {
		const struct fields f = decode(&w->step[i]);
		uint64_t table;

		/* cltq */
		if (one_byte(&f, 0x98)) {
			last = i;
			continue;
		}
		if (is_address(&f)) {
			w->held[w->depth % DEPTH][f.reg] = f.target;
			w->part[i] = PART_ADDRESSES;
			continue;
		}
		if (!f.memory || f.index != 0 || w->step[last].bytes[1] != 0x98)
			continue;
		last = i;
		table = f.base == NONE ? f.target : w->held[w->depth % DEPTH][f.base];
		if (w->is_at(table, "cpu_tasks") && one_byte(&f, 0x8b))
			extra = preemption(w, i + 1, f.reg);
		break;
	}
	if (extra)
		of = PART_PREEMPT;
	last += extra;
	for (i = call; i <= last && i < w->n; i++)
		if (w->part[i] != PART_ADDRESSES)
			w->part[i] = of;
	return last;
}

/* uml's static_key_false(): a load of the key, a test of it for more than 0, and a branch. */
static void uml_key(struct walk *w, size_t i, const struct fields *f)
{
	size_t test = i + 1;

	for (; test < w->n && test < i + 5; test++) {
		const struct fields next = decode(&w->step[test]);

		if (one_byte(&next, 0x85) && next.reg == f->reg && next.rm == f->reg)
			break;
	}
	if (test + 1 >= w->n || test == i + 5 || !is_branch(&w->step[test + 1]))
		return;
	/* jg and jle, short or near */
	if ((w->step[test + 1].bytes[w->step[test + 1].bytes[0] == 0x0f] & 0xe) != 0xe)
		return;
	w->part[i] = w->part[test] = w->part[test + 1] = PART_KEYS;
}

/* A register that gets another value holds no address any more. */
static void forget(struct walk *w, const struct step *step, const struct fields *f)
{
	uint64_t *held = w->held[w->depth % DEPTH];
	const uint8_t op = f->opcode;

	if (f->two_byte)
		return;
	if (op >= 0x58 && op <= 0x5f)
		held[(op & 7) | (step->bytes[0] == 0x41) << 3] = 0;
	else if (op == 0x8b || op == 0x8d || op == 0x03 || op == 0x2b || op == 0xa1)
		held[f->reg] = 0;
	else if ((op == 0x89 || op == 0x01 || op == 0x31) && !f->memory)
		held[f->rm] = 0;
}

void parts_of(const struct step *step, size_t n, is_at_fn *is_at, enum part *part)
{
	struct walk w = { .step = step, .n = n, .is_at = is_at, .part = part };

	for (size_t i = 0; i < n; i++)
		part[i] = PARTS;
	for (size_t i = 0; i < n; i++) {
		const struct fields f = decode(&step[i]);
		const uint32_t kinds = step[i].kinds;
		const bool calls = i + 1 < n && kinds & KIND(CALL);

		if (calls && named(step[i + 1].symbol, "uml_curr_cpu")) {
			i = uml_cpu(&w, i);
			continue;
		}
		if (kinds & KIND(CALL))
			w.depth++;
		else if (kinds & KIND(RET))
			w.depth--;
		if (part[i] != PARTS)
			continue;
		if (is_address(&f)) {
			w.held[w.depth % DEPTH][f.reg] = f.target;
			part[i] = PART_ADDRESSES;
		} else if (kinds & KIND(GS)) {
			per_cpu(&w, i, &f);
		} else if (is_irq_function(step[i].symbol) ||
			   (calls && is_irq_function(step[i + 1].symbol)) ||
			   kinds & (KIND(CLI) | KIND(STI) | KIND(PUSHF) | KIND(POPF))) {
			part[i] = PART_IRQ;
		} else if (kinds & KIND(NOP) && (step[i].size == 5 || step[i].size == 2)) {
			part[i] = PART_KEYS;
		} else if (f.memory && !f.wide && (one_byte(&f, 0x8b) || one_byte(&f, 0xa1)) &&
			   (f.target || (f.base != NONE && f.index == NONE && !f.disp &&
					 w.held[w.depth % DEPTH][f.base]))) {
			uml_key(&w, i, &f);
		}
		forget(&w, &step[i], &f);
	}
	for (size_t i = 0; i < n; i++)
		if (part[i] == PARTS)
			part[i] = strstr(step[i].symbol, "spin_") ? PART_SPINLOCK : PART_REST;
}
