/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHEAFBENCH_ANALYSIS_PLOTDATA_H
#define SHEAFBENCH_ANALYSIS_PLOTDATA_H

#include "result.h"

/* The .dat files of the summary @j and the samples of @r, which was read from @dir, into the folder @to. */
int plotdata_write(const json_t *j, const struct result *r, const char *dir, const char *to,
		   struct fault *f);

#endif
