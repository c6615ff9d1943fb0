// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mime.h"
#include "util.h"

#define ENCODED_COLUMNS 76

static void base64(FILE *f, const unsigned char *p, size_t size)
{
	static const char digit[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	int col = 0;

	for (size_t i = 0; i < size; i += 3) {
		size_t left = size - i;
		unsigned int v = p[i] << 16 | (left > 1 ? p[i + 1] << 8 : 0) |
				 (left > 2 ? p[i + 2] : 0);

		fprintf(f, "%c%c%c%c", digit[v >> 18], digit[v >> 12 & 63],
			left > 1 ? digit[v >> 6 & 63] : '=', left > 2 ? digit[v & 63] : '=');
		col += 4;
		if (col == ENCODED_COLUMNS || left <= 3) {
			fputc('\n', f);
			col = 0;
		}
	}
}

static void quoted_printable(FILE *f, const unsigned char *p, size_t size)
{
	int col = 0;

	for (size_t i = 0; i < size; i++) {
		bool line_end = i + 1 == size || p[i + 1] == '\n';
		bool blank = p[i] == ' ' || p[i] == '\t';
		/* a dot alone on its line would end an SMTP session that does not stuff dots */
		bool plain =
			(p[i] > ' ' && p[i] < 0x7f && p[i] != '=' && !(col == 0 && p[i] == '.')) ||
			(blank && !line_end);

		if (p[i] == '\n') {
			fputc('\n', f);
			col = 0;
			continue;
		}
		if (col + (plain ? 1 : 3) >= ENCODED_COLUMNS) {
			fputs("=\n", f);
			col = 0;
		}
		col += fprintf(f, plain ? "%c" : "=%02X", p[i]);
	}
	/* the last line break belongs to the boundary that follows */
	if (col)
		fputs("=\n", f);
}

/* A header that may be long, folded at its blanks. What some take for the end of its line is none. */
static void header(FILE *f, const char *name, const char *value)
{
	char *text;
	size_t col;

	if (!value || !*value)
		return;
	text = text_clean(xstrdup(value));
	col = fprintf(f, "%s:", name);
	for (const char *s = text + strspn(text, " \t"); *s; s += strspn(s, " \t")) {
		size_t length = strcspn(s, " \t");

		if (col + 1 + length > ENCODED_COLUMNS && col > 1)
			col = fprintf(f, "\n") - 1;
		col += fprintf(f, " %.*s", (int)length, s);
		s += length;
	}
	putc('\n', f);
	free(text);
}

void mail_start(FILE *f, const struct mail *m, const char *body)
{
	header(f, "Subject", m->subject);
	header(f, "To", m->to);
	header(f, "Cc", m->cc);
	header(f, "In-Reply-To", m->in_reply_to);
	header(f, "References", m->references);
	/* mail clients open such a message as a draft; sender and recipients are theirs to fill in */
	fprintf(f, "X-Unsent: 1\nMIME-Version: 1.0\n");
	fprintf(f, "Content-Type: multipart/mixed; boundary=\"%s\"\n\n", m->boundary);
	fprintf(f,
		"--%s\nContent-Type: text/plain; charset=us-ascii\nContent-Transfer-Encoding: "
		"7bit\n\n%s",
		m->boundary, body);
}

void mail_attach(FILE *f, const struct mail *m, const char *name, const char *type,
		 const void *data, size_t size)
{
	bool text = !strncmp(type, "text/", 5) || !strcmp(type, "application/json");

	fprintf(f, "\n--%s\nContent-Type: %s%s; name=\"%s\"\n", m->boundary, type,
		text ? "; charset=utf-8" : "", name);
	fprintf(f, "Content-Disposition: attachment; filename=\"%s\"\n", name);
	fprintf(f, "Content-Transfer-Encoding: %s\n\n", text ? "quoted-printable" : "base64");
	if (text)
		quoted_printable(f, data, size);
	else
		base64(f, data, size);
}

void mail_end(FILE *f, const struct mail *m)
{
	fprintf(f, "\n--%s--\n", m->boundary);
}
