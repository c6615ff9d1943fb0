/* SPDX-License-Identifier: GPL-2.0 */
/* What the fields of a result may be. A result may come from anybody: each field is checked once, where it is read. */
#ifndef SHEAFBENCH_ANALYSIS_FIELD_H
#define SHEAFBENCH_ANALYSIS_FIELD_H

#include "util.h"

/* Numbers; field.c has a line for each. */
enum field {
	FIELD_OPS,
	FIELD_OVERHEAD,
	FIELD_TICKS,
	FIELD_KHZ,
	FIELD_STEP,
	FIELD_GATE,
	FIELD_CHAIN,
	FIELD_SECONDS,
	FIELD_LAYOUT,
	FIELD_BOOT,
	FIELD_PAD,
	FIELD_DATA,
	FIELD_ORDER,
	FIELD_DOSE,
	FIELD_PASS,
	FIELD_EVENTS,
	FIELD_LINE,
	FIELD_COUNT,
	FIELD_ESTIMATE,
	/* of JSON alone */
	FIELD_PER_OP,
	FIELD_RATIO,
	FIELD_SHARE,
	FIELD_NUMBER,
	FIELD_ANY,
	FIELDS,
};

struct range {
	const char *name;
	double least, most;
	bool whole; /* of digits alone */
	const char *unit;
};

extern const struct range field_range[FIELDS];

/* Whether @v may stand there; of a whole number that it is one. */
bool field_holds(enum field field, double v);
/* The number that @text is; false for one that may not stand there, and for what is none. */
bool field_parse(enum field field, const char *text, double *out);
/* The same for a line of a file, with a fault that says what may stand there. */
int field_read(enum field field, const char *text, double *out, const struct reader *r,
	       struct fault *f);
/* What the fault says after the text itself, to be used within the expression that makes it. */
struct field_words {
	char s[128];
};

struct field_words field_words(enum field field);

/* Names: what one is made of, and how long it may be. */
enum name {
	NAME_VARIANT,  /* variants, targets, builds, locations */
	NAME_WORKLOAD, /* may be "*" */
	NAME_METRIC,   /* of a PMU's events too, as libpfm4 writes them */
	NAME_SYMBOL,   /* of a kernel's */
	NAMES,
};

bool name_ok(enum name name, const char *s);
/* 0, or a fault for line @r that says what is no such name. */
int name_read(enum name name, const char *s, const struct reader *r, struct fault *f);
/* What such a name is made of, in words. */
const char *name_words(enum name name);

#endif
