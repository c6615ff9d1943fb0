/* SPDX-License-Identifier: GPL-2.0 */
/* Variants, the pads of their layouts, and the order in which they are booted. */
#ifndef SHEAFBENCH_ANALYSIS_PLAN_H
#define SHEAFBENCH_ANALYSIS_PLAN_H

#include "util.h"

/*
 * A pad is what goes before the hot objects when a layout is linked: PAD_STEP to PAD_STEP * PADS
 * bytes. Functions are aligned to 16 bytes, so a step is the least that moves anything, and the
 * range is one page.
 */
#define PAD_STEP      16
#define PADS	      256
#define PLAN_BOOTS    100 /* of a variant in a layout */
#define PROOF_LAYOUTS 32  /* most layouts of a dose or a check */
#define PHASES	      4	  /* places of a pad within a 64-byte cache line */

enum role { ROLE_BASELINE, ROLE_CHANGE, ROLE_NULL, ROLE_DOSE, ROLE_CHECK, ROLES };

extern const char *const role_name[ROLES];

struct variant {
	char *name, *title, *cmdline;
	char *build; /* the variant's name where the column is empty */
	enum role role;
	double order;
	bool other;  /* pads of its own rather than the baseline's */
	double dose; /* core cycles added to each allocation; NaN unless the role is dose */
	char *workloads, *args;
};

struct variants {
	struct variant *v;
	int n;
};

/*
 * Reads variants.tsv (formats.md); sorted by order, then name. Doses come with their reference, a
 * dose of 0, or not at all.
 */
int variants_read(struct variants *vs, const char *path, struct fault *f);
void variants_free(struct variants *vs);
/* Index of the variant, or -1. */
int variants_find(const struct variants *vs, const char *name);
/* Index of the first with @role, or -1. */
int variants_role(const struct variants *vs, enum role role);
/* Index of the baseline, or -1. */
int variants_baseline(const struct variants *vs);
/* Index of the dose of 0, which the others are compared with, or -1. */
int variants_reference(const struct variants *vs);

/*
 * Fills @pad with all PADS pads, in bytes. Layout k links with pad[k - 1], so adding layouts keeps
 * the old ones. Each four in a row (from a multiple of four) take the four phases once, in random
 * order; the cache lines of the page follow a golden-ratio sequence, which fills the gaps evenly at
 * any length (a Kronecker sequence, stratified). With @other the sequence is a second one: the
 * first halves of the two share no pad, but layout k has the same phase in both. The phases are all
 * there, not a sample of what might be, so they must not widen the interval of a difference that
 * they cannot bias.
 */
void plan_pads(uint64_t seed, bool other, unsigned int pad[PADS]);

struct plan_row {
	int variant; /* index into struct variants */
	int layout, boot;
	unsigned int pad; /* bytes; 0 in layout 0, the stock one */
	uint64_t data;	  /* seed of the data layout, 1 to 2^31 - 1; 0 in layout 0 */
	char *build;
};

struct plan {
	struct plan_row *row;  /* the row's place is its index */
	int n, layouts, boots; /* layouts and boots: highest number + 1 */
};

/*
 * One boot per variant, boot number and layout from 1 to @layouts (at most PADS), and of the stock
 * layout for the baseline and the changes that share its layouts; doses and checks have
 * PROOF_LAYOUTS at most. A round is one boot of each
 * variant for one (layout, boot); rounds are in random order, and so are the variants within each
 * (randomised interleaved trials, Abedi and Brecht 2017). Everything follows from @seed; the seed
 * of the data layout from layout and boot besides, so that all variants share it.
 */
void plan_make(struct plan *p, const struct variants *vs, uint64_t seed, int layouts, int boots);
/*
 * Orders @p anew: first the boots of @old, in their order, then those that @old has not, in the
 * order of @p. An error when @old has a boot that @p has not, or has with another pad, data or
 * build.
 */
int plan_extend(struct plan *p, const struct plan *old, const struct variants *vs, struct fault *f);
int plan_write(const struct plan *p, const struct variants *vs, uint64_t seed, const char *path,
	       struct fault *f);
int plan_read(struct plan *p, const struct variants *vs, const char *path, struct fault *f);
void plan_free(struct plan *p);

/* Place of a pad within a cache line, 0 to PHASES - 1. */
int pad_phase(unsigned int pad);

/* The name that a boot's files share, as formats.md has it; the caller frees it. */
char *plan_stem(const struct variants *vs, const struct plan_row *row);

#endif
