/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHEAFBENCH_ANALYSIS_SHOW_H
#define SHEAFBENCH_ANALYSIS_SHOW_H

#include <jansson.h>

/* Prints a summary: the certificate, then the effects, at most 80 columns; or the counts. */
void summary_show(const json_t *j);

#endif
