/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the analysis needs of the system: error texts, reading of tab-separated files, and files
 * that appear whole or not at all.
 */
#ifndef SHEAFBENCH_ANALYSIS_UTIL_H
#define SHEAFBENCH_ANALYSIS_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* One line for the user: what is wrong, where, and what mends it. */
struct fault {
	char text[1024];
};

/* Fills in @f and returns -1, so that a caller can `return fault_set(f, …)`. */
int fault_set(struct fault *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

bool streq(const char *a, const char *b);

/* Bytes of the character of UTF-8 at @s, 0 where there is none. */
int utf8_bytes(const char *s);
/*
 * Puts something harmless in place of each byte of @s that is not UTF-8 or that controls what shows it (a new line, an
 * escape, the direction of writing); returns @s. text_controls() says whether there is a character of the latter kind.
 */
char *text_clean(char *s);
bool text_controls(const char *s);
/* Ends @s, of UTF-8, after so many characters. */
void text_cut(char *s, int characters);

/* Memory or death: these end the program with one line when there is none. */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Whole decimal number in [@min, @max]; false for anything else, a sign or trailing text included.
 */
bool parse_number(const char *s, uint64_t min, uint64_t max, uint64_t *out);

/* A text file, line by line; lines that start with '#' count but are not handed out. */
struct reader {
	char *path;
	FILE *file;
	char *line;
	size_t size;
	unsigned long number; /* of the line handed out last, from 1 */
	/* texts of others: what is not UTF-8 and what controls a terminal is read as '?', else an error */
	bool foreign;
};

/*
 * Whether all below @dir is a file of a size that a result may have, or a folder: a link would have others' files read,
 * sent or removed, and a pipe or a device has no end.
 */
int folder_check(const char *dir, struct fault *f);

int reader_open(struct reader *r, const char *path, struct fault *f);

/*
 * The next line, without its newline, comments skipped unless @comments; NULL at the end of the
 * file or on an error. A last line without a newline is an error: the file was cut short. @failed
 * tells the two apart.
 */
char *reader_next(struct reader *r, bool comments, bool *failed, struct fault *f);
void reader_close(struct reader *r);

/* Cuts @line at its tabs, in place; returns the number of fields, which may exceed @max. */
int split_tabs(char *line, char **field, int max);

/* A table of a result: tab-separated, a record per line. */
struct tsv {
	const char *columns; /* their names, with blanks between them */
	const char *
		what; /* what a line is, for the fault that it is none; NULL: another version's table */
	bool optional;	   /* a table that is not there has no lines */
	bool foreign;	   /* as of a reader */
	const char *first; /* the first line, which names format and version; NULL: any */
};

#define TSV_COLUMNS 10 /* most of them */

/*
 * Hands each line of the table at @path to @row, cut into as many fields as there are columns; @row
 * returns 0, -1 with the fault in @f, or 1 when the line is not what it should be. Returns the number of
 * lines, -1 on a fault.
 */
int tsv_read(const struct tsv *t, const char *path,
	     int (*row)(void *arg, char **field, const struct reader *r, struct fault *f),
	     void *arg, struct fault *f);

/* A file that appears under its name only once it is whole. */
struct writer {
	char *path, *temp;
	FILE *file;
};

int writer_open(struct writer *w, const char *path, struct fault *f);
/* Flushes to disk and renames. When it fails, and with @keep false, nothing is left behind. */
int writer_close(struct writer *w, bool keep, struct fault *f);

#endif
