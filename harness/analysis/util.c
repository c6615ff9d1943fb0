// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util.h"

int utf8_bytes(const char *text)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *s = (const unsigned char *)text;
	const int n = s[0] < 0x80	      ? 1
		      : (s[0] & 0xe0) == 0xc0 ? 2
		      : (s[0] & 0xf0) == 0xe0 ? 3
		      : (s[0] & 0xf8) == 0xf0 ? 4
					      : 0;
	uint32_t c = n > 1 ? s[0] & 0x7f >> n : 0;

	for (int i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	return c < least[n] || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff ? 0 : n;
}

/* Whether the character of @n bytes at @s controls what shows it. */
static bool controls(const char *s, int n)
{
	/* line and paragraph separators, marks, embeddings and isolates of directions */
	static const char *const signs[] = {
		"\u2028", "\u2029", "\u200e", "\u200f", "\u202a", "\u202b", "\u202c", "\u202d",
		"\u202e", "\u2066", "\u2067", "\u2068", "\u2069", "\u061c", "\ufeff",
	};
	const unsigned char *c = (const unsigned char *)s;

	if (n == 1)
		return *c < ' ' || *c == 0x7f;
	if (n == 2 && c[0] == 0xc2)
		return c[1] < 0xa0;
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		if ((size_t)n == strlen(signs[i]) && !strncmp(s, signs[i], n))
			return true;
	return false;
}

/* Bytes of what is at @s, at least 1; whether it is a character that controls nothing. */
static int text_byte(const char *s, bool *ok)
{
	int n = utf8_bytes(s);

	*ok = n && !controls(s, n);
	return n ? n : 1;
}

char *text_clean(char *text)
{
	for (char *s = text; *s;) {
		bool ok;
		int n = text_byte(s, &ok);

		if (!ok)
			memset(s, strchr("\n\r\t", *s) ? ' ' : '?', n);
		s += n;
	}
	return text;
}

bool text_controls(const char *s)
{
	bool ok = true;

	while (*s && ok)
		s += text_byte(s, &ok);
	return !ok;
}

void text_cut(char *s, int characters)
{
	while (*s && characters-- > 0) {
		int n = utf8_bytes(s);

		s += n ? n : 1;
	}
	*s = '\0';
}

int fault_set(struct fault *f, const char *fmt, ...)
{
	va_list ap;

	f->text[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	text_clean(f->text);
	return -1;
}

bool streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static void *need(void *p)
{
	if (!p) {
		fprintf(stderr, "%s: out of memory\n", program_invocation_short_name);
		exit(1);
	}
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	return need(calloc(n ? n : 1, size));
}

void *xrealloc(void *p, size_t n, size_t size)
{
	return need(reallocarray(p, n ? n : 1, size));
}

char *xstrdup(const char *s)
{
	return need(strdup(s));
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return need(s);
}

bool parse_number(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
	unsigned long long v;
	char *end;

	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	v = strtoull(s, &end, 10);
	if (errno || *end || v < min || v > max)
		return false;
	*out = v;
	return true;
}

#define FILE_MOST (1L << 30)

int folder_check(const char *dir, struct fault *f)
{
	struct dirent **entry = NULL;
	const int n = scandir(dir, &entry, NULL, NULL);
	int ret = 0;

	for (int i = 0; i < n; i++) {
		const char *name = entry[i]->d_name;
		char *path = xasprintf("%s/%s", dir, name);
		struct stat st;

		if (ret || streq(name, ".") || streq(name, "..") || lstat(path, &st))
			;
		else if (S_ISDIR(st.st_mode))
			ret = folder_check(path, f);
		else if (!S_ISREG(st.st_mode))
			ret = fault_set(f,
					"%s is neither a file nor a folder, and a result has only "
					"these; move it away",
					path);
		else if (st.st_size > FILE_MOST)
			ret = fault_set(f, "%s has %jd bytes, more than a result's file may have",
					path, (intmax_t)st.st_size);
		free(path);
		free(entry[i]);
	}
	free(entry);
	return ret;
}

int reader_open(struct reader *r, const char *path, struct fault *f)
{
	FILE *file = fopen(path, "r");

	if (!file)
		return fault_set(f, "%s: %s", path, strerror(errno));
	*r = (struct reader){ .path = xstrdup(path), .file = file };
	return 0;
}

/* Whether a line is text, in the end. */
static bool line_ok(char *line, bool mend)
{
	bool ok = true;

	for (char *s = line; *s && ok;) {
		int n = *s == '\t' ? 1 : text_byte(s, &ok);

		if (!ok && mend) {
			memset(s, '?', n);
			ok = true;
		}
		s += n;
	}
	return ok;
}

char *reader_next(struct reader *r, bool comments, bool *failed, struct fault *f)
{
	ssize_t len;

	*failed = false;
	do {
		errno = 0;
		len = getline(&r->line, &r->size, r->file);
		if (len < 0) {
			if (ferror(r->file)) {
				fault_set(f, "%s: %s", r->path, strerror(errno));
				*failed = true;
			}
			return NULL;
		}
		r->number++;
		if (r->line[len - 1] != '\n' || strlen(r->line) != (size_t)len) {
			fault_set(f,
				  "%s:%lu: the file is cut short or damaged here; repeat that boot",
				  r->path, r->number);
			*failed = true;
			return NULL;
		}
		r->line[len - 1] = '\0';
	} while (!comments && r->line[0] == '#');
	if (line_ok(r->line, r->foreign))
		return r->line;
	fault_set(f,
		  "%s:%lu: a byte in it is not UTF-8, or a character that controls a terminal; "
		  "correct that line",
		  r->path, r->number);
	*failed = true;
	return NULL;
}

void reader_close(struct reader *r)
{
	if (r->file)
		fclose(r->file);
	free(r->line);
	free(r->path);
	*r = (struct reader){ 0 };
}

int split_tabs(char *line, char **field, int max)
{
	int n = 0;

	for (char *p = line; p; n++) {
		char *tab = strchr(p, '\t');

		if (n < max)
			field[n] = p;
		if (tab)
			*tab++ = '\0';
		p = tab;
	}
	return n;
}

int tsv_read(const struct tsv *t, const char *path,
	     int (*row)(void *arg, char **field, const struct reader *r, struct fault *f),
	     void *arg, struct fault *f)
{
	char *line, *field[TSV_COLUMNS];
	bool failed = false;
	int want = 1, rows = 0;
	struct reader r = { 0 };

	if (t->optional && access(path, F_OK))
		return 0;
	for (const char *c = t->columns; *c; c++)
		want += *c == ' ';
	if (reader_open(&r, path, f))
		return -1;
	r.foreign = t->foreign;
	if (t->first) {
		line = reader_next(&r, true, &failed, f);
		if (!failed && (!line || !streq(line, t->first)))
			failed = fault_set(f,
					   "%s:1: not '%s', so another version's table; repeat the "
					   "measurement, or use the sheafbench that wrote it",
					   path, t->first);
	}
	while (!failed && (line = reader_next(&r, false, &failed, f))) {
		int n = split_tabs(line, field, want), ret = n != want;

		if (ret && !t->what)
			ret = fault_set(f,
					"%s:%lu: %d columns, not the %d of this version (%s); "
					"repeat the measurement, or use the sheafbench that "
					"wrote it",
					path, r.number, n, want, t->columns);
		else if (!ret)
			ret = row(arg, field, &r, f);
		if (ret > 0)
			fault_set(f, "%s:%lu: %s", path, r.number, t->what);
		failed = ret != 0;
		rows++;
	}
	reader_close(&r);
	return failed ? -1 : rows;
}

int writer_open(struct writer *w, const char *path, struct fault *f)
{
	*w = (struct writer){ .path = xstrdup(path) };
	w->temp = xasprintf("%s.%ld.tmp", path, (long)getpid());
	w->file = fopen(w->temp, "w");
	if (w->file)
		return 0;
	fault_set(f, "cannot write %s: %s", w->temp, strerror(errno));
	free(w->temp);
	free(w->path);
	*w = (struct writer){ 0 };
	return -1;
}

int writer_close(struct writer *w, bool keep, struct fault *f)
{
	bool bad = keep && (fflush(w->file) || ferror(w->file) || fsync(fileno(w->file)));
	int ret = 0;

	if (fclose(w->file))
		bad = true;
	if (keep && !bad && rename(w->temp, w->path))
		bad = true;
	if (bad && keep)
		ret = fault_set(f, "cannot write %s: %s", w->path, strerror(errno));
	if (bad || !keep)
		unlink(w->temp);
	free(w->temp);
	free(w->path);
	*w = (struct writer){ 0 };
	return ret;
}
