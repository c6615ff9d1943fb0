// SPDX-License-Identifier: GPL-2.0
/*
 * Changes a good result, a file at a time, and has sheafstat and sheafreport read it. Nothing may crash, hang, take much
 * memory or end the program, and the property is: a change is refused in one line, or is told of by the file's name, or
 * nothing in the summary differs. Nothing is excluded: a sample's own digit is told of too. A result without SHA256SUMS
 * says that it has none; what is made of it must be read again all the same.
 *
 *	fuzz [SECONDS [SEED]]       60 s with seed 1, as `make check` does
 *	fuzz case NUMBER [SEED]     one case again; the scratch folder stays
 *	fuzz corpus FOLDER          the files as libFuzzer starts from them
 *
 * With clang and -DLIBFUZZER -fsanitize=fuzzer it is a target of libFuzzer: a byte that says which file, then its text.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#if defined(__SANITIZE_ADDRESS__) || defined(LIBFUZZER)
#include <sanitizer/common_interface_defs.h>
#endif
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "summary.h"
#include "sums.h"
#include "util.h"

int sheafstat_main(int argc, char **argv);
int sheafreport_main(int argc, char **argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);

/* What no reader needs, though a number in a file may ask for it. */
const char *__asan_default_options(void)
{
	return "max_allocation_size_mb=200:detect_stack_use_after_return=0";
}

/* Nothing that is written here has to outlast a power cut. */
int fsync(int fd)
{
	(void)fd;
	return 0;
}

#define CASE_SECONDS 30
#define MOST_BYTES   (1 << 20)

/* Files that make_result has not: as one boot and one count of them write them. */
static const struct {
	const char *path, *text;
} more[] = {
	{ "same-code.tsv", "null\t*\tall of mm/slub.o\nqpw-on\tpair/64/1\tkfree kmalloc\n" },
	{ "counters/qpw-on.l01.b00.tsv",
	  "# sheafbench-counters 2\n# table arm-n1 pmu arm_n1 nmi_watchdog off passes 2\n"
	  "*\tref_cycles\tn/a\tn/a\tn/a\tn/a\tn/a\tn/a\tn/a\tthis CPU has no event for it\n"
	  "pair/64/1\tinstructions\tarm_n1::INST_RETIRED\t1\t1000\t380551 380551\t190551 "
	  "190551\t8551 "
	  "8551\t4551 4551\t\n"
	  "pair/64/1\tcore_cycles\tarm_n1::CPU_CYCLES\t1\t1000\t280551 290551\t190551 190551\t8551 "
	  "8551\t4551 4551\t\n" },
	{ "counters/local-trylock.l01.b00.tsv",
	  "# sheafbench-counters 2\n# table arm-n1 pmu arm_n1 nmi_watchdog off passes 2\n"
	  "pair/64/1\tinstructions\tarm_n1::INST_RETIRED\t1\t1000\t370551 370551\t190551 "
	  "190551\t8551 "
	  "8551\t4551 4551\t\n" },
	{ "counts/tcg.qpw-on.tsv", "pair/64/1\t100\tkfree\tinstructions\t6000\n"
				   "pair/64/1\t100\tkmalloc\tinstructions\t7050\n"
				   "pair/64/1\t100\tkmalloc\tlock\t300\n"
				   "pair/64/1\t100\t(loop)\tinstructions\t500\n"
				   "free/64/1\t100\tkfree\tinstructions\t6100\n" },
	{ "counts/tcg.local-trylock.tsv", "pair/64/1\t100\tkfree\tinstructions\t5000\n"
					  "pair/64/1\t100\tkmalloc\tinstructions\t6050\n"
					  "free/64/1\t100\tkfree\tinstructions\t5100\n" },
	{ "counts/parts/tcg.qpw-on.tsv",
	  "pair/64/1\t100\tlock\t600\npair/64/1\t100\trest\t12450\n" },
	{ "counts/estimates/tcg.qpw-on.tsv", "pair/64/1\tznver3\t137\t140\t61.2\t35.0\n" },
	{ "counts/lines/tcg.qpw-on.tsv", "pair/64/1\t100\tkfree\tfree_to_pcs\tmm/"
					 "slub.c\t5301\tqpw_lock\tspin_lock(lock);\t300\n" },
	{ "counts/lines/tcg.local-trylock.tsv",
	  "pair/64/1\t100\tkfree\tfree_to_pcs\tmm/slub.c\t5201\t\tif "
	  "(!local_trylock(lock))\t200\n" },
	{ "counts/each/tcg.qpw-on.tsv",
	  "pair/64/1\t100\tkfree\t58\t90\npair/64/1\t100\tkfree\t78\t10\n" },
	{ "counts/failed", "tcg-rt.qpw-on\tits kernel does not build\n" },
	{ "counts/flushes/tcg.qpw-on.tsv",
	  "# sheafbench-counters 2\n"
	  "flush-shrink/64/16/user\tkworker_runs\tkworker_runs\t1\t15\t15 15\t0 0\t0 0\t0 0\t\n" },
};

/* What is changed; of samples those of one boot. */
static const char *const files[] = {
	"environment.json",
	"variants.tsv",
	"plan.tsv",
	"boots.tsv",
	"samples/qpw-on.l02.b00.tsv",
	"samples/local-trylock.l01.b00.tsv",
	"same-code.tsv",
	"counters/qpw-on.l01.b00.tsv",
	"counts/tcg.qpw-on.tsv",
	"counts/parts/tcg.qpw-on.tsv",
	"counts/each/tcg.qpw-on.tsv",
	"counts/estimates/tcg.qpw-on.tsv",
	"counts/lines/tcg.qpw-on.tsv",
	"counts/failed",
	"counts/flushes/tcg.qpw-on.tsv",
	"SHA256SUMS",
	/* what is made of the others */
	"summary.json",
	"certify.json",
};

#define FILES	ARRAY_SIZE(files)
#define SUMS	(FILES - 3)
#define SUMMARY (FILES - 2)
#define CERTIFY (FILES - 1)

struct text {
	char *s;
	size_t n;
};

static char scratch[] = "/tmp/fuzz-XXXXXX";
static struct text good[FILES];
static json_t *good_summary;
static FILE *console; /* where the program really writes to */
static int streams[2];
static unsigned long number; /* of the case */
static bool in_case;

static void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
static void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(console, "fuzz: case %lu: ", number);
	vfprintf(console, fmt, ap);
	fprintf(console, "; in %s\n", scratch);
	va_end(ap);
	fflush(console);
	in_case = false;
	abort();
}

static void at_exit(void)
{
	if (!in_case)
		return;
	fprintf(console, "fuzz: case %lu: the program was ended; in %s\n", number, scratch);
	fflush(console);
	_exit(EXIT_FAILURE);
}

static struct text slurp(const char *path)
{
	struct text t = { NULL, 0 };
	FILE *f = fopen(path, "r");

	t.s = xcalloc(MOST_BYTES + 1, 1);
	if (f) {
		t.n = fread(t.s, 1, MOST_BYTES, f);
		fclose(f);
	}
	t.s = xrealloc(t.s, t.n + 1, 1);
	return t;
}

static void put(const char *path, const char *s, size_t n)
{
	FILE *f = fopen(path, "w");

	if (!f || fwrite(s, 1, n, f) != n || fclose(f))
		fail("cannot write %s: %s", path, strerror(errno));
}

/* Standard output and error go to the files out and err while readers run. */
static void streams_to(bool to_files)
{
	static const char *const name[] = { "out", "err" };

	fflush(stdout);
	fflush(stderr);
	for (int i = 0; i < 2; i++) {
		int fd = to_files ? open(name[i], O_WRONLY | O_CREAT | O_TRUNC, 0600) : streams[i];

		if (fd < 0 || dup2(fd, i + 1) < 0)
			fail("cannot write %s: %s", name[i], strerror(errno));
		if (to_files)
			close(fd);
	}
}

/* Bytes of a text that a terminal would take for orders, and what is not UTF-8. */
static void check_text(const char *path, const char *after)
{
	struct text t = slurp(path);

	for (size_t i = 0; i < t.n; i++)
		if (t.s[i] == '\n' || t.s[i] == '\t')
			t.s[i] = ' ';
	if (strlen(t.s) != t.n || text_controls(t.s))
		fail("%s has what controls a terminal after %s", path, after);
	free(t.s);
}

/* One command in r; a fault is one line. */
static int command(int (*program)(int argc, char **argv), ...)
{
	char *argv[8] = { program == sheafstat_main ? "sheafstat" : "sheafreport" };
	int argc = 1, status;
	struct text err;
	va_list ap;

	va_start(ap, program);
	while (argc < 7 && (argv[argc] = va_arg(ap, char *)))
		argc++;
	va_end(ap);
	streams_to(true);
	alarm(CASE_SECONDS);
	in_case = true;
	status = program(argc, argv);
	in_case = false;
	alarm(0);
	streams_to(false);
	check_text("out", argv[1]);
	check_text("err", argv[1]);
	err = slurp("err");
	if (status && (!err.n || strchr(err.s, '\n') != err.s + err.n - 1))
		fail("%s %s is no one line of fault: %s", argv[0], argv[1], err.s);
	free(err.s);
	return status;
}

#define STAT(...)   command(sheafstat_main, __VA_ARGS__, NULL)
#define REPORT(...) command(sheafreport_main, __VA_ARGS__, NULL)

/* A script of gnuplot's: assignments of strings and numbers, and blocks of data, and nothing that does anything. */
static void check_plotvars(void)
{
	struct text t = slurp("out");
	bool block = false;
	char *save = NULL;

	for (char *line = strtok_r(t.s, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		size_t name = strspn(line, "abcdefghijklmnopqrstuvwxyz_"), quotes = 0;

		for (const char *c = line; *c; c++)
			quotes += *c == '\'';
		if (block && streq(line, "END"))
			block = false;
		else if (block ? !strchr("\"-.0123456789", *line)
			       : *line != '#' && *line != '$' &&
					 (!name || strncmp(line + name, " = ", 3) != 0 ||
					  quotes % 2))
			fail("gnuplot would do: %s", line);
		if (*line == '$')
			block = true;
	}
	free(t.s);
}

static void read_summary(bool all)
{
	STAT("show", "r");
	if (!REPORT("plotvars", "r"))
		check_plotvars();
	if (!all)
		return;
	STAT("plotdata", "r", "plot");
	STAT("compare", "r", "good.json");
	STAT("compare", "good.json", "r");
	if (!REPORT("report", "r"))
		check_text("r/report.md", "report");
	if (!REPORT("reply", "r"))
		check_text("r/reply.txt", "reply");
	REPORT("results-md", "r", "--certify", "r/certify.json");
}

static bool names(const json_t *list, const char *file)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
		if (strstr(json_item(one), file))
			return true;
	return false;
}

/* All but what is said of the files. */
static bool same(const json_t *j)
{
	static const char *const said[] = { "changed", "warnings", "sha256" };
	json_t *a = json_copy((json_t *)j), *b = json_copy(good_summary);
	char *left, *right;
	bool equal;

	for (size_t i = 0; i < ARRAY_SIZE(said); i++) {
		json_object_del(a, said[i]);
		json_object_del(b, said[i]);
	}
	/* A summary is written with so many digits; members are in the order of the file. */
	left = json_dumps(a, JSON_COMPACT | JSON_REAL_PRECISION(15));
	right = json_dumps(b, JSON_COMPACT | JSON_REAL_PRECISION(15));
	equal = streq(left, right);
	free(left);
	free(right);
	json_decref(a);
	json_decref(b);
	return equal;
}

enum outcome { REFUSED, TOLD, SAME, OUTCOMES };
static unsigned long outcomes[FILES][OUTCOMES];

/* The same of certify.json, which is told of where it is shown. */
static enum outcome judge_certify(void)
{
	int status = REPORT("results-md", "r", "--certify", "r/certify.json");
	json_t *j = json_load_file("r/certify.json", 0, NULL);
	enum seal seal = sums_sealed(j);
	struct text out = slurp("out");

	if (!status && seal == SEAL_BROKEN && !strstr(out.s, "- certify.json is not what"))
		fail("certify.json is changed without a word");
	free(out.s);
	json_decref(j);
	return status ? REFUSED : seal == SEAL_HOLDS ? SAME : TOLD;
}

/* The result as it is in r, of which @file is changed. */
static enum outcome judge(size_t file, bool sums, bool all)
{
	const char *summary = file < SUMMARY ? "r/made.json" : "r/summary.json";
	enum outcome outcome = REFUSED;
	struct fault f;
	json_t *j;

	if (file == CERTIFY)
		return judge_certify();
	if (file < SUMMARY && STAT("summarize", "--resamples", "100", "-o", "r/made.json", "r"))
		return REFUSED;
	if (file < SUMMARY && all && !STAT("certify", "--group", "4", "-o", "made.json", "r") &&
	    REPORT("results-md", "r", "--certify", "made.json"))
		fail("sheafreport does not read what sheafstat certify wrote");
	if (file < SUMMARY && all && !STAT("peers", "r"))
		unlink("r/peers.tsv");
	j = summary_read(summary, &f);
	if (!j && file < SUMMARY)
		fail("what sheafstat summarize wrote is no summary: %s", f.text);
	if (j) {
		const json_t *changed = json_object_get(j, "changed"),
			     *warnings = json_object_get(j, "warnings");
		const char *name = file >= SUMMARY ? "summary.json" : files[file];

		outcome = same(j) ? SAME : TOLD;
		if (outcome == TOLD && !names(changed, name) &&
		    !(file >= SUMMARY && names(warnings, "no sum of its own")) &&
		    !(file == SUMS && json_array_size(changed)) &&
		    !(!sums && names(warnings, "no SHA256SUMS")))
			fail("%s changes the summary without a word", name);
	}
	json_decref(j);
	if (file < SUMMARY && rename(summary, "r/summary.json"))
		fail("%s: %s", summary, strerror(errno));
	if (file >= SUMMARY || all)
		read_summary(all || file >= SUMMARY);
	return outcome;
}

static char *path_of(size_t file)
{
	return xasprintf("r/%s", files[file]);
}

/* One case: @t in place of a file's text, or no file. */
static void one(size_t file, const struct text *t, bool sums, bool all)
{
	char *path = path_of(file);

	if (t)
		put(path, t->s, t->n);
	else
		unlink(path);
	if (!sums)
		unlink("r/SHA256SUMS");
	outcomes[file][judge(file, sums, all)]++;
	if (!sums)
		put("r/SHA256SUMS", good[SUMS].s, good[SUMS].n);
	put(path, good[file].s, good[file].n);
	put("r/summary.json", good[SUMMARY].s, good[SUMMARY].n);
	free(path);
}

static void folders(const char *path)
{
	char *part = xstrdup(path);

	for (char *slash = strchr(part, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(part, 0700);
		*slash = '/';
	}
	free(part);
}

static void start(void)
{
	struct fault f;

	console = stderr;
	streams[0] = dup(1);
	streams[1] = dup(2);
	console = fdopen(dup(2), "w");
	if (!console || !mkdtemp(scratch) || chdir(scratch))
		abort();
	setvbuf(console, NULL, _IOLBF, 0);
#if defined(__SANITIZE_ADDRESS__) || defined(LIBFUZZER)
	__sanitizer_set_report_fd((void *)(intptr_t)streams[1]);
#endif
	atexit(at_exit);
	if (system(MAKE_RESULT " --small --layouts 4 --samples 40 --fail qpw-on:3 --variants "
			       "'local-trylock null qpw-on dose-0 dose-4' r && "
			       "sed -i '/^\\(alloc\\|batch\\)/d' r/samples/*"))
		fail("make_result");
	for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
		char *path = xasprintf("r/%s", more[i].path);

		folders(path);
		put(path, more[i].text, strlen(more[i].text));
		free(path);
	}
	if (STAT("sums", "r") || STAT("summarize", "--resamples", "100", "r") ||
	    STAT("certify", "--group", "4", "r"))
		fail("the result is none to begin with");
	good_summary = summary_read("r", &f);
	if (!good_summary || json_array_size(json_object_get(good_summary, "changed")))
		fail("the summary is none to begin with: %s", f.text);
	for (size_t i = 0; i < FILES; i++) {
		char *path = path_of(i);

		good[i] = slurp(path);
		if (!good[i].n)
			fail("%s is not there", path);
		free(path);
	}
	put("good.json", good[SUMMARY].s, good[SUMMARY].n);
	read_summary(true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text t;

	if (!console)
		start();
	if (size < 1 || size > MOST_BYTES)
		return -1;
	number++;
	t.s = xcalloc(size, 1);
	t.n = size - 1;
	memcpy(t.s, data + 1, size - 1);
	one(data[0] % FILES, &t, !(data[0] & 64), data[0] & 128);
	free(t.s);
	return 0;
}

#ifndef LIBFUZZER
/* ---- mutations: the same seed and number, the same change ---- */

static uint64_t state;

/* splitmix64, Steele, Lea and Flood 2014 */
static uint64_t next(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static size_t below(size_t n)
{
	return n ? next() % n : 0;
}

/* @n bytes of @s in place of @cut at @at. */
static void splice(struct text *t, size_t at, size_t cut, const char *s, size_t n)
{
	struct text out;

	cut = cut > t->n - at ? t->n - at : cut;
	out.n = t->n - cut + n;
	out.s = xcalloc(out.n + 1, 1);
	memcpy(out.s, t->s, at);
	memcpy(out.s + at, s, n);
	memcpy(out.s + at + n, t->s + at + cut, t->n - at - cut);
	free(t->s);
	*t = out;
}

/* A token of characters that are of @set, or are not; its length, 0 where there is none. */
static size_t token(const struct text *t, const char *set, bool of, size_t *at)
{
	size_t n = 0;

	for (*at = below(t->n); *at < t->n && (strchr(set, t->s[*at]) && t->s[*at]) != of; ++*at)
		;
	while (*at && (strchr(set, t->s[*at - 1]) && t->s[*at - 1]) == of)
		--*at;
	while (*at + n < t->n && (strchr(set, t->s[*at + n]) && t->s[*at + n]) == of)
		n++;
	return n;
}

static void mutate(struct text *t)
{
	static const char *const numbers[] = { "-1",	 "0",
					       "nan",	 "inf",
					       "1e300",	 "18446744073709551615",
					       "9999",	 "-512",
					       "1e308",	 "-1e308",
					       "0x10",	 "4294967296",
					       "1",	 "1e15",
					       "256",	 "99",
					       "null",	 "\"x\"",
					       "[]",	 "{}",
					       "1e-300", "99999999999999999999999" };
	static const char *const pieces[] = { "\n",
					      "\t",
					      "\r",
					      "'",
					      "\"",
					      "\\",
					      "`id`",
					      "\x1b[31m",
					      "\xe9",
					      "\xed\xa0\x80",
					      "\u202e",
					      "\n\nsystem 'touch owned'\n",
					      "'\nsystem 'x",
					      "END\n",
					      "\\nsystem",
					      "#",
					      " ",
					      "\\u000a",
					      "](x)",
					      "<b>",
					      "../",
					      "time",
					      "counts",
					      "TIME",
					      "baseline",
					      "change",
					      "dose",
					      "failed",
					      "\xc3\xa4",
					      "/" };
	static const char digits[] = "0123456789.";
	const struct text *other = &good[below(FILES)];
	size_t at, n, from;
	char *copy, byte;

	switch (below(13)) {
	case 0:
		at = below(t->n);
		if (t->n)
			t->s[at] ^= 1 << below(8);
		break;
	case 1:
		byte = (char)next();
		splice(t, below(t->n + 1), 1, &byte, 1);
		break;
	case 2:
		copy = xstrdup(pieces[below(ARRAY_SIZE(pieces))]);
		splice(t, below(t->n + 1), below(4), copy, strlen(copy));
		free(copy);
		break;
	case 3:
		splice(t, below(t->n + 1), 1 + below(16), "", 0);
		break;
	case 4: /* a line twice, elsewhere */
	case 5: /* a line is gone */
		n = token(t, "\n", false, &from);
		copy = xcalloc(n + 2, 1);
		memcpy(copy, t->s + from, n);
		copy[n] = '\n';
		at = from;
		if (below(2))
			splice(t, from, n + 1, "", 0);
		else
			token(t, "\n", false, &at);
		if (below(2))
			splice(t, at < t->n ? at : t->n, 0, copy, n + 1);
		free(copy);
		break;
	case 6:
		n = token(t, digits, true, &at);
		copy = xstrdup(numbers[below(ARRAY_SIZE(numbers))]);
		splice(t, at, n, copy, strlen(copy));
		free(copy);
		break;
	case 7:
	case 8: /* another digit, which is what a file changed by hand has */
		n = token(t, digits, true, &at);
		if (n)
			t->s[at + below(n)] = digits[below(10)];
		break;
	case 9:
		t->n = below(t->n + 1);
		break;
	case 10:
		n = below(other->n < 200 ? other->n : 200);
		splice(t, below(t->n + 1), below(20), other->s + below(other->n - n), n);
		break;
	case 11: /* a word in place of another */
		n = token(t, "\t\n \",:", false, &from);
		copy = xcalloc(n + 1, 1);
		memcpy(copy, t->s + from, n);
		from = token(t, "\t\n \",:", false, &at);
		splice(t, at, from, copy, n);
		free(copy);
		break;
	default: /* a long one */
		n = 1 + below(5000);
		copy = xcalloc(n + 1, 1);
		memset(copy, "a1/ \t"[below(5)], n);
		splice(t, below(t->n + 1), 0, copy, n);
		free(copy);
	}
}

static void case_run(uint64_t seed, unsigned long k)
{
	size_t file = k % FILES, times;
	bool sums, all;
	struct text t;

	number = k;
	state = seed * 0x2545f4914f6cdd1d + k;
	sums = below(4) != 0;
	all = below(4) == 0;
	t.n = good[file].n;
	t.s = xcalloc(t.n + 1, 1);
	memcpy(t.s, good[file].s, t.n);
	for (times = below(4) ? 1 : 1 + below(8); times; times--)
		mutate(&t);
	one(file, below(50) ? &t : NULL, sums, all);
	free(t.s);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void corpus(const char *folder)
{
	for (size_t i = 0; i < FILES; i++)
		for (int kind = 0; kind < 2; kind++) {
			char *path = xasprintf("%s/%zu-%d", folder, i, kind);
			uint8_t which = i;
			FILE *f;

			while (which % FILES != i || !(which & 128) != !kind || which & 64)
				which++;
			f = fopen(path, "w");
			if (!f || fputc(which, f) == EOF ||
			    fwrite(good[i].s, 1, good[i].n, f) != good[i].n || fclose(f))
				fail("cannot write %s", path);
			free(path);
		}
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "60";
	uint64_t seed = argc > 2 ? strtoull(argv[argc - 1], NULL, 10) : 1;
	double end = now() + strtod(word, NULL);
	char *folder = streq(word, "corpus") ? realpath(argv[2], NULL) : NULL, *clean;
	int status = EXIT_SUCCESS;
	unsigned long k = 0;

	start();
	if (folder) {
		corpus(folder);
	} else if (streq(word, "case") && argc > 2) {
		case_run(argc > 3 ? seed : 1, strtoul(argv[2], NULL, 10));
		printf("%s\n", scratch);
		return 0;
	} else {
		do {
			case_run(seed, k++);
		} while (now() < end || k < FILES);
		for (size_t i = 0; i < FILES; i++) {
			const unsigned long *of = outcomes[i];

			printf("%-34s %5lu refused, %5lu told, %5lu the same\n", files[i],
			       of[REFUSED], of[TOLD], of[SAME]);
			/* what is never refused and never told of was not looked at */
			if (k > 10 * FILES && i != SUMS && !of[REFUSED] && !of[TOLD])
				status = EXIT_FAILURE;
		}
		printf("%lu cases, seed %ju\n", k, (uintmax_t)seed);
	}
	json_decref(good_summary);
	for (size_t i = 0; i < FILES; i++)
		free(good[i].s);
	clean = xasprintf("rm -rf %s", scratch);
	if (chdir("/") || system(clean))
		status = EXIT_FAILURE;
	free(clean);
	free(folder);
	return status;
}
#endif
