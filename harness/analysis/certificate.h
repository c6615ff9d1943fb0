/* SPDX-License-Identifier: GPL-2.0 */
/* What a result says of its instrument: "certificate" of summary.json. */
#ifndef SHEAFBENCH_ANALYSIS_CERTIFICATE_H
#define SHEAFBENCH_ANALYSIS_CERTIFICATE_H

#include "json.h"

struct result;

/* Of @r, of whose summary @effects are. */
json_t *certificate_make(const struct result *r, const json_t *effects);
/* Its part on the doses; JSON null when there is nothing to compare. */
json_t *certificate_dose(const struct result *r);

/* Adds @text to a list, and frees it. */
void certificate_warn(json_t *warnings, char *text);

/* Its lines for people, a call for each; and what one of them says of the doses, which the caller frees. */
void certificate_say(const json_t *certificate, void (*say)(void *arg, const char *line),
		     void *arg);
char *certificate_dose_text(const json_t *dose);

#endif
