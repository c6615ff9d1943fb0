/* SPDX-License-Identifier: GPL-2.0 */
/* Whether a result is as it was measured: SHA256SUMS, in sha256sum's format, has the sums of what is measured. */
#ifndef SHEAFBENCH_ANALYSIS_SUMS_H
#define SHEAFBENCH_ANALYSIS_SUMS_H

#include "json.h"

/* Writes DIR/SHA256SUMS, once a result is complete. */
int sums_write(const char *dir, struct fault *f);
/*
 * Adds to @changed a sentence for each file that is not what its sum says, has none, or is gone; false where the
 * result has no sums, as those of before there were any.
 */
bool sums_check(const char *dir, json_t *changed);

/* The sum of a JSON object itself, as its last member: whoever changes it by hand leaves a trace. */
void sums_seal(json_t *object);
enum seal { SEAL_NONE, SEAL_HOLDS, SEAL_BROKEN };
enum seal sums_sealed(const json_t *object);

#endif
