/* SPDX-License-Identifier: GPL-2.0 */
/* The kinds of an x86_64 instruction, by the opcode maps of Intel's manual, volume 2, appendix A. */
#include <stdbool.h>

#include "trace.h"

/* In the one-byte map; reg and memory are of the byte after the opcode, where that is a ModRM. */
static uint32_t one_byte(uint8_t opcode, unsigned int reg, bool memory, bool rep)
{
	switch (opcode) {
	case 0x70 ... 0x7f: /* jcc */
	case 0xe0 ... 0xe3: /* loop, jrcxz */
		return KIND(BRANCH);
	case 0x6c ... 0x6f: /* ins, outs */
	case 0xa4 ... 0xa7: /* movs, cmps */
	case 0xaa ... 0xaf: /* stos, lods, scas */
		return rep ? KIND_REP_STRING : 0;
	case 0x86 ... 0x87:
		return memory ? KIND(XCHG) : 0;
	case 0x90: /* f3 90 is pause */
		return rep ? 0 : KIND(NOP);
	case 0x9c:
		return KIND(PUSHF);
	case 0x9d:
		return KIND(POPF);
	case 0xc2 ... 0xc3:
	case 0xca ... 0xcb:
		return KIND(RET);
	case 0xcc ... 0xcd: /* int3, int */
		return KIND_CROSSING;
	case 0xcf: /* iret */
		return KIND(SERIALISE) | KIND_CROSSING;
	case 0xe8:
		return KIND(CALL);
	case 0xe9:
	case 0xeb:
		return KIND(JUMP);
	case 0xfa:
		return KIND(CLI);
	case 0xfb:
		return KIND(STI);
	case 0xff:
		if (reg == 2 || reg == 3)
			return KIND(CALL) | KIND(INDIRECT);
		return reg == 4 || reg == 5 ? KIND(JUMP) | KIND(INDIRECT) : 0;
	default:
		return 0;
	}
}

/* In the map of 0f; mandatory is whether 66, f2 or f3 stood before it. */
static uint32_t two_byte(uint8_t opcode, uint8_t modrm, bool mandatory)
{
	const unsigned int reg = modrm >> 3 & 7;
	const bool memory = modrm >> 6 != 3;

	switch (opcode) {
	case 0x00: /* lldt, ltr */
		return reg == 2 || reg == 3 ? KIND(SERIALISE) : 0;
	case 0x01: /* lgdt, lidt, invlpg; serialize */
		if (memory)
			return reg == 2 || reg == 3 || reg == 7 ? KIND(SERIALISE) : 0;
		return modrm == 0xe8 && !mandatory ? KIND(SERIALISE) : 0;
	case 0x05: /* syscall, sysret, sysenter, sysexit */
	case 0x07:
	case 0x34 ... 0x35:
		return KIND_CROSSING;
	case 0x08 ... 0x09: /* invd, wbinvd */
	case 0x22 ... 0x23: /* mov to control and debug registers */
	case 0x30:	    /* wrmsr */
	case 0xa2:	    /* cpuid */
		return KIND(SERIALISE);
	case 0x18 ... 0x1d: /* prefetch, and hints that are nops elsewhere */
		return 0;
	case 0x1e:
	case 0x1f:
		return KIND(NOP);
	case 0x80 ... 0x8f:
		return KIND(BRANCH);
	case 0xae:
		if (memory || mandatory)
			return 0;
		return reg == 5 ? KIND(LFENCE) : reg == 6 || reg == 7 ? KIND(FENCE) : 0;
	default:
		return 0;
	}
}

uint32_t insn_kinds(const uint8_t *bytes, size_t size)
{
	bool lock = false, rep = false, gs = false, operand = false;
	uint8_t opcode, modrm;
	uint32_t kinds;
	size_t i;

	for (i = 0; i + 1 < size; i++) {
		switch (bytes[i]) {
		case 0xf0:
			lock = true;
			continue;
		case 0xf2:
		case 0xf3:
			rep = true;
			continue;
		case 0x65:
			gs = true;
			continue;
		case 0x66:
			operand = true;
			continue;
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0x64:
		case 0x67:
		case 0x40 ... 0x4f: /* REX */
			continue;
		default:
			break;
		}
		break;
	}
	opcode = bytes[i++];
	if (opcode == 0x0f && i < size) {
		opcode = bytes[i++];
		modrm = i < size ? bytes[i] : 0;
		kinds = two_byte(opcode, modrm, rep || operand);
	} else {
		modrm = i < size ? bytes[i] : 0;
		kinds = one_byte(opcode, modrm >> 3 & 7, modrm >> 6 != 3, rep);
	}
	if (lock)
		kinds |= KIND(LOCK);
	if (gs && !(kinds & KIND(NOP)))
		kinds |= KIND(GS);
	return kinds;
}
