/* SPDX-License-Identifier: GPL-2.0 */
/* A mail with attachments (RFC 5322, 2045, 2046), as far as a reply with plots needs it. */
#ifndef SHEAFBENCH_MIME_H
#define SHEAFBENCH_MIME_H

#include <stddef.h>
#include <stdio.h>

struct mail {
	const char *subject;
	/* NULL where there is none. ASCII; message-ids with their angle brackets. */
	const char *to, *cc, *in_reply_to, *references;
	const char *
		boundary; /* holds "=_", which no encoded part can, and the body must not start a line with */
};

/* Header and text body. The body is ASCII with lines that a mail may have. */
void mail_start(FILE *f, const struct mail *m, const char *body);
/* Binary data in base64, text in quoted-printable, which stays readable in an archive. */
void mail_attach(FILE *f, const struct mail *m, const char *name, const char *type,
		 const void *data, size_t size);
void mail_end(FILE *f, const struct mail *m);

#endif
