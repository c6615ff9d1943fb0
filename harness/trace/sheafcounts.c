/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sheafcounts: what sheaftrace.so counted in a guest, by workload, kernel symbol and class.
 *
 *   sheafcounts --trace FILE --windows FILE --symbols FILE --counts FILE [--calls FILE] [--each FILE]
 *               [--insns FILE] [--sequences FOLDER] [--parts FILE]
 *
 * The trace is the plugin's (trace.h), the windows are the driver's, the symbols are 'nm vmlinux'; the files that it
 * writes are described in docs/formats.md. A window into which an interrupt or another task broke is left out. That a window's
 * instructions are what the guest's clock advanced by is checked for each. Exit status 1: the counts cannot be made.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "parts.h"
#include "sheafbench.h"
#include "trace.h"
#include "util.h"

#define CLASSES (COUNTERS + KINDS)

/* What is no symbol of the kernel: the module, and a library of uml's. */
static const char LOOP[] = "(loop)", OTHER[] = "(other)";

static const char *const class_names[CLASSES] = {
#define X(name, text) text,
	INSN_COUNTERS(X) INSN_KINDS(X)
#undef X
};

struct symbol {
	uint64_t address;
	char *name;
};

/* Symbols by address; the text of the kernel ends at the last one. */
static struct {
	struct symbol *v;
	size_t n, room;
	uint64_t end;
	struct symbol *data; /* what is no text, by address */
	size_t n_data, data_room;
} symbols;

static struct {
	uint64_t start, end;
} module;

struct insn {
	uint64_t address;
	uint32_t kinds;
	char *bytes; /* hexadecimal */
	const char *symbol;
	uint64_t offset;
};

struct record {
	uint64_t insn, count[COUNTERS];
};

struct edge {
	uint64_t from, to, count;
};

/* Calls by the loop that executed as many instructions. */
struct call {
	uint64_t to, length, times;
};

struct window {
	uint64_t crossings;
	size_t first_record, records, first_edge, edges, first_call, calls, first_step, steps;
};

static struct {
	struct insn *insn;
	struct record *record;
	struct edge *edge;
	struct call *call;
	uint64_t *step; /* numbers of instructions, in order */
	struct window *window;
	size_t insns, records, edges, calls, steps, windows;
	size_t insn_room, record_room, edge_room, call_room, step_room, window_room;
} trace;

static struct fault fault;

static _Noreturn void give_up(void)
{
	fprintf(stderr, "sheafcounts: %s\n", fault.text);
	exit(1);
}

#define die(...)                                \
	do {                                    \
		fault_set(&fault, __VA_ARGS__); \
		give_up();                      \
	} while (0)

/* One more element at the end of an array that grows. */
#define APPEND(array, n, room)                                                          \
	(((n) == (room) ? (array) = xrealloc(array, ((room) = (room) ? (room)*2 : 256), \
					     sizeof(*(array)))                          \
			: (array)),                                                     \
	 &(array)[(n)++])

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Padding before functions has names of its own, and so have the bounds of text sections, where a function begins. */
static bool names_no_function(const char *name)
{
	return !strncmp(name, "__pfx_", 6) || !strncmp(name, "__cfi_", 6) ||
	       strstr(name, "_text_start") || strstr(name, "_text_end");
}

/* 'nm' prints address, type and name. */
static void read_symbols(const char *path)
{
	struct reader r;
	bool failed;
	char *line;

	if (reader_open(&r, path, &fault))
		give_up();
	while ((line = reader_next(&r, true, &failed, &fault))) {
		struct symbol *symbol;
		char type, name[512];
		uint64_t address;

		if (sscanf(line, "%" SCNx64 " %c %511s", &address, &type, name) != 3 ||
		    names_no_function(name))
			continue;
		if (!strchr("tTwW", type)) {
			symbol = APPEND(symbols.data, symbols.n_data, symbols.data_room);
			*symbol = (struct symbol){ address, xstrdup(name) };
			continue;
		}
		if (streq(name, "_etext"))
			symbols.end = address;
		symbol = APPEND(symbols.v, symbols.n, symbols.room);
		symbol->address = address;
		symbol->name = xstrdup(name);
	}
	reader_close(&r);
	if (failed)
		give_up();
	if (!symbols.end)
		die("%s: has no symbol _etext; it is to be what 'nm vmlinux' prints", path);
	qsort(symbols.v, symbols.n, sizeof(*symbols.v), by_address);
	if (symbols.n_data)
		qsort(symbols.data, symbols.n_data, sizeof(*symbols.data), by_address);
}

/* The function that an instruction is of; of several names at one address, the first by the alphabet. */
static void resolve(struct insn *insn)
{
	size_t low = 0, high = symbols.n;

	insn->offset = insn->address - module.start;
	insn->symbol = LOOP;
	if (insn->address >= module.start && insn->address < module.end)
		return;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (symbols.v[middle].address <= insn->address)
			low = middle + 1;
		else
			high = middle;
	}
	insn->offset = insn->address;
	insn->symbol = OTHER;
	if (!low || insn->address >= symbols.end)
		return;
	while (low > 1 && symbols.v[low - 2].address == symbols.v[low - 1].address)
		low--;
	insn->offset = insn->address - symbols.v[low - 1].address;
	insn->symbol = symbols.v[low - 1].name;
}

/* Whether data of that name is at an address; it may have others, too. */
static bool data_is_at(uint64_t address, const char *name)
{
	const struct symbol wanted = { address, (char *)name };

	return symbols.n_data &&
	       bsearch(&wanted, symbols.data, symbols.n_data, sizeof(*symbols.data), by_address);
}

/* The next number of a line, or the end of the program: the trace is written by our own plugin. */
static uint64_t next(char **at, int base, const char *path, unsigned long line)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(*at, &end, base);
	if (end == *at || errno)
		die("%s:%lu: a number is missing", path, line);
	*at = end;
	return value;
}

/* A number of an instruction that has had its I record. */
static uint64_t known_insn(char **at, const char *path, unsigned long line)
{
	uint64_t number = next(at, 10, path, line);

	if (number >= trace.insns || !trace.insn[number].symbol)
		die("%s:%lu: no instruction %" PRIu64 " before this", path, line, number);
	return number;
}

static void read_insn(char *at, const char *path, unsigned long line)
{
	uint64_t number = next(&at, 10, path, line);
	struct insn *insn;

	/* The plugin numbers all that it sees, and writes those that count. */
	if (number > 1u << 26)
		die("%s:%lu: instruction %" PRIu64 " is past all numbers", path, line, number);
	while (trace.insns <= number)
		*APPEND(trace.insn, trace.insns, trace.insn_room) = (struct insn){ 0 };
	insn = &trace.insn[number];
	insn->address = next(&at, 16, path, line);
	insn->kinds = next(&at, 16, path, line);
	insn->bytes = xstrdup(at + strspn(at, " "));
	resolve(insn);
}

static void read_trace(const char *path)
{
	struct window *window = NULL;
	bool failed, ended = false;
	struct reader r;
	char *line;

	if (reader_open(&r, path, &fault))
		give_up();
	while ((line = reader_next(&r, false, &failed, &fault))) {
		char *at = line + 1;

		if (ended)
			die("%s:%lu: more after the end", path, r.number);
		if (!window && *line != 'I' && *line != 'W' && *line != 'e')
			die("%s:%lu: counts before the first window", path, r.number);
		switch (*line) {
		case 'I':
			read_insn(at, path, r.number);
			break;
		case 'W':
			if (next(&at, 10, path, r.number) != trace.windows)
				die("%s:%lu: a window is missing", path, r.number);
			window = APPEND(trace.window, trace.windows, trace.window_room);
			*window = (struct window){ .crossings = next(&at, 10, path, r.number),
						   .first_record = trace.records,
						   .first_edge = trace.edges,
						   .first_call = trace.calls,
						   .first_step = trace.steps };
			break;
		case 'C': {
			struct record *record =
				APPEND(trace.record, trace.records, trace.record_room);

			record->insn = known_insn(&at, path, r.number);
			for (int c = 0; c < COUNTERS; c++)
				record->count[c] = next(&at, 10, path, r.number);
			window->records++;
			break;
		}
		case 'E': {
			struct edge *edge = APPEND(trace.edge, trace.edges, trace.edge_room);

			edge->from = known_insn(&at, path, r.number);
			edge->to = known_insn(&at, path, r.number);
			edge->count = next(&at, 10, path, r.number);
			window->edges++;
			break;
		}
		case 'O': {
			struct call *call = APPEND(trace.call, trace.calls, trace.call_room);

			call->to = known_insn(&at, path, r.number);
			call->length = next(&at, 10, path, r.number);
			call->times = next(&at, 10, path, r.number);
			window->calls++;
			break;
		}
		case 'T':
			for (at += strspn(at, " "); *at; at += strspn(at, " ")) {
				*APPEND(trace.step, trace.steps, trace.step_room) =
					known_insn(&at, path, r.number);
				window->steps++;
			}
			break;
		case 'e':
			at = line + strlen("end");
			ended = next(&at, 10, path, r.number) == trace.windows;
			break;
		default:
			die("%s:%lu: not a record of sheaftrace.so", path, r.number);
		}
	}
	reader_close(&r);
	if (failed)
		give_up();
	if (!ended)
		die("%s: is cut short, or a window in it has no end", path);
}

/* What a workload has, by symbol: counts[symbol][class], of one window or of the sum of several. */
struct sums {
	const char **symbol;
	uint64_t (*count)[CLASSES];
	size_t n, room, count_room;
};

static uint64_t *of_symbol(struct sums *sums, const char *symbol)
{
	for (size_t i = 0; i < sums->n; i++)
		if (sums->symbol[i] == symbol)
			return sums->count[i];
	*APPEND(sums->symbol, sums->n, sums->room) = symbol;
	if (sums->count_room < sums->room) {
		sums->count_room = sums->room;
		sums->count = xrealloc(sums->count, sums->count_room, sizeof(*sums->count));
	}
	memset(sums->count[sums->n - 1], 0, sizeof(*sums->count));
	return sums->count[sums->n - 1];
}

static void add_window(struct sums *sums, const struct window *window)
{
	for (size_t i = 0; i < window->records; i++) {
		const struct record *record = &trace.record[window->first_record + i];
		const struct insn *insn = &trace.insn[record->insn];
		uint64_t *count = of_symbol(sums, insn->symbol);

		for (int c = 0; c < COUNTERS; c++)
			count[c] += record->count[c];
		for (int k = 0; k < KINDS; k++)
			if (insn->kinds & 1u << k)
				count[COUNTERS + k] += record->count[COUNTER_INSTRUCTIONS];
	}
}

static void free_sums(struct sums *sums)
{
	free(sums->symbol);
	free(sums->count);
	*sums = (struct sums){ 0 };
}

static bool same(struct sums *a, struct sums *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (memcmp(a->count[i], of_symbol(b, a->symbol[i]), sizeof(*a->count)) != 0)
			return false;
	return a->n == b->n;
}

/* Where the guest's clock advances by one with each instruction, the two counts are of the same thing. */
static void check_clock(const char *name, size_t number, uint64_t advance)
{
	const struct window *window = &trace.window[number];
	uint64_t sum = SHEAFBENCH_MARKED;

	for (size_t i = 0; i < window->records; i++) {
		const struct record *record = &trace.record[window->first_record + i];

		sum += record->count[COUNTER_INSTRUCTIONS] + record->count[COUNTER_REP];
	}
	if (sum != advance)
		die("%s, window %zu: the guest's clock advanced by %" PRIu64 ", and %" PRIu64
		    " instructions were counted",
		    name, number, advance, sum);
}

enum { COUNTS, CALLS, EACH, INSNS, PARTS_FILE, FILES };

static struct writer writers[FILES];

/* An edge or an instruction of a workload, summed over its windows. */
struct line {
	const char *a, *b;
	uint64_t key, value[COUNTERS], offset;
};

static int by_names(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int order = strcmp(x->a, y->a);

	if (!order)
		order = strcmp(x->b, y->b);
	return order ? order : (x->key > y->key) - (x->key < y->key);
}

/* Sorts, and adds up what has the same names and key; returns how many are left. */
static size_t merge(struct line *lines, size_t n)
{
	size_t kept = 0;

	if (!n)
		return 0;
	qsort(lines, n, sizeof(*lines), by_names);
	for (size_t i = 0; i < n; i++) {
		if (kept && !by_names(&lines[kept - 1], &lines[i]))
			for (int c = 0; c < COUNTERS; c++)
				lines[kept - 1].value[c] += lines[i].value[c];
		else
			lines[kept++] = lines[i];
	}
	return kept;
}

/* A workload's clean windows that are told: the first, which stands for all when they are alike. */
struct chosen {
	const char *name;
	uint64_t ops;
	size_t *window, n, room;
};

/* As many lines as @chosen's windows have of what struct window counts at @offset. */
static struct line *room_for(const struct chosen *chosen, size_t offset)
{
	size_t n = 0;

	for (size_t w = 0; w < chosen->n; w++)
		n += *(const size_t *)((const char *)&trace.window[chosen->window[w]] + offset);
	return xcalloc(n, sizeof(struct line));
}

static void write_calls(const struct chosen *chosen)
{
	struct line *lines = room_for(chosen, offsetof(struct window, edges));
	size_t n = 0;

	for (size_t w = 0; w < chosen->n; w++) {
		const struct window *window = &trace.window[chosen->window[w]];

		for (size_t i = 0; i < window->edges; i++) {
			const struct edge *edge = &trace.edge[window->first_edge + i];
			const struct insn *from = &trace.insn[edge->from],
					  *to = &trace.insn[edge->to];
			const bool call = from->kinds & KIND(CALL);

			/* A jump within a function is no call; one to another is the last thing that it does. */
			if (call || from->symbol != to->symbol)
				lines[n++] = (struct line){
					from->symbol, to->symbol, !call, { edge->count }, 0
				};
		}
	}
	n = merge(lines, n);
	for (size_t i = 0; i < n; i++)
		fprintf(writers[CALLS].file, "%s\t%" PRIu64 "\t%s\t%s\t%s\t%" PRIu64 "\n",
			chosen->name, chosen->ops, lines[i].a, lines[i].b,
			lines[i].key ? "jump" : "call", lines[i].value[0]);
	free(lines);
}

static void write_each(const struct chosen *chosen)
{
	struct line *lines = room_for(chosen, offsetof(struct window, calls));
	size_t n = 0;

	for (size_t w = 0; w < chosen->n; w++) {
		const struct window *window = &trace.window[chosen->window[w]];

		for (size_t i = 0; i < window->calls; i++) {
			const struct call *call = &trace.call[window->first_call + i];

			lines[n++] = (struct line){
				trace.insn[call->to].symbol, "", call->length, { call->times }, 0
			};
		}
	}
	n = merge(lines, n);
	for (size_t i = 0; i < n; i++)
		fprintf(writers[EACH].file, "%s\t%" PRIu64 "\t%s\t%" PRIu64 "\t%" PRIu64 "\n",
			chosen->name, chosen->ops, lines[i].a, lines[i].key, lines[i].value[0]);
	free(lines);
}

static void write_insns(const struct chosen *chosen)
{
	struct line *lines = room_for(chosen, offsetof(struct window, records));
	size_t n = 0;

	for (size_t w = 0; w < chosen->n; w++) {
		const struct window *window = &trace.window[chosen->window[w]];

		for (size_t i = 0; i < window->records; i++) {
			const struct record *record = &trace.record[window->first_record + i];
			const struct insn *insn = &trace.insn[record->insn];

			lines[n] = (struct line){
				insn->symbol, insn->bytes, insn->address, { 0 }, insn->offset
			};
			memcpy(lines[n++].value, record->count, sizeof(record->count));
		}
	}
	n = merge(lines, n);
	for (size_t i = 0; i < n; i++) {
		fprintf(writers[INSNS].file, "%s\t%" PRIu64 "\t%s\t%#" PRIx64 "\t%s", chosen->name,
			chosen->ops, lines[i].a, lines[i].offset, lines[i].b);
		for (int c = 0; c <= COUNTER_TAKEN; c++)
			fprintf(writers[INSNS].file, "\t%" PRIu64, lines[i].value[c]);
		fprintf(writers[INSNS].file, "\t%#" PRIx64 "\n", lines[i].key);
	}
	free(lines);
}

static void write_counts(const struct chosen *chosen, struct sums *sums)
{
	for (int c = 0; c < CLASSES; c++) {
		struct line *lines = xcalloc(sums->n, sizeof(*lines));

		for (size_t i = 0; i < sums->n; i++)
			lines[i] =
				(struct line){ sums->symbol[i], "", 0, { sums->count[i][c] }, 0 };
		qsort(lines, sums->n, sizeof(*lines), by_names);
		for (size_t i = 0; i < sums->n; i++)
			if (lines[i].value[0])
				fprintf(writers[COUNTS].file,
					"%s\t%" PRIu64 "\t%s\t%s\t%" PRIu64 "\n", chosen->name,
					chosen->ops, lines[i].a, class_names[c], lines[i].value[0]);
		free(lines);
	}
}

/*
 * One operation's instructions, as they were executed: between two executions of the loop's first
 * call, or, where there is only one, the window's. False where there are none.
 */
static bool one_operation(const struct window *window, size_t *first, size_t *end)
{
	const uint64_t *step = trace.step + window->first_step;
	size_t i;

	for (i = 0; i < window->steps; i++)
		if (trace.insn[step[i]].symbol != LOOP)
			break;
	if (!i || i == window->steps)
		return false;
	*first = i - 1;
	for (*end = i; *end < window->steps && step[*end] != step[*first]; ++*end)
		;
	return true;
}

static void write_sequence(const char *folder, const struct chosen *chosen)
{
	const struct window *window = &trace.window[chosen->window[0]];
	const uint64_t *step = trace.step + window->first_step;
	size_t first, end;
	struct writer w;
	char *name, *path;

	if (!one_operation(window, &first, &end))
		return;
	name = xstrdup(chosen->name);
	for (char *c = name; *c; c++)
		if (*c == '/')
			*c = '-';
	path = xasprintf("%s/%s.insns", folder, name);
	if (writer_open(&w, path, &fault))
		give_up();
	fprintf(w.file, "# %s\n", chosen->name);
	for (size_t i = first; i < end; i++) {
		const struct insn *insn = &trace.insn[step[i]];

		fprintf(w.file, "%s\t%#" PRIx64 "\t%#" PRIx64 "\t%s\n", insn->symbol, insn->offset,
			insn->address, insn->bytes);
	}
	if (writer_close(&w, true, &fault))
		give_up();
	free(path);
	free(name);
}

static struct step step_of(const struct insn *insn)
{
	struct step step = { insn->address, insn->symbol, insn->kinds, 0, { 0 } };
	unsigned int byte;

	for (const char *at = insn->bytes; step.size < sizeof(step.bytes); at += 2)
		if (sscanf(at, "%2x", &byte) == 1)
			step.bytes[step.size++] = byte;
		else
			break;
	return step;
}

/* What one operation's instructions are for. Only where one stands for all: else they would not add up. */
static void write_parts(const struct chosen *chosen, struct sums *sums)
{
	static const char *const names[PARTS] = {
#define X(name, text) text,
		PARTS_LIST(X)
#undef X
	};
	const struct window *window = &trace.window[chosen->window[0]];
	uint64_t all = 0, count[PARTS] = { 0 };
	size_t first, end, n = 0;
	struct step *step;
	enum part *part;

	if (!one_operation(window, &first, &end))
		return;
	step = xcalloc(end - first, sizeof(*step));
	part = xcalloc(end - first, sizeof(*part));
	for (size_t i = first; i < end; i++)
		step[n++] = step_of(&trace.insn[trace.step[window->first_step + i]]);
	parts_of(step, n, data_is_at, part);
	for (size_t i = 0; i < sums->n; i++)
		all += sums->symbol[i] == LOOP ? 0 : sums->count[i][COUNTER_INSTRUCTIONS];
	for (size_t i = 0; i < n; i++) {
		if (step[i].symbol == LOOP)
			continue;
		count[part[i]]++;
		all -= chosen->ops;
	}
	for (int p = 0; p < PARTS && !all; p++)
		fprintf(writers[PARTS_FILE].file, "%s\t1\t%s\t%" PRIu64 "\n", chosen->name,
			names[p], count[p]);
	free(part);
	free(step);
}

/*
 * Whether another task had its turn in a window. uml has no return from an interrupt that would see to it:
 * there it is the next preempt_enable() that does, which may be an operation's.
 */
static bool scheduled(const struct window *window)
{
	for (size_t i = 0; i < window->records; i++)
		if (streq(trace.insn[trace.record[window->first_record + i].insn].symbol,
			  "__schedule"))
			return true;
	return false;
}

/* Where each window enters the kernel and leaves it, an interrupt makes more of that. */
static uint64_t least_crossings(const char *name, uint64_t first, uint64_t step, const char *at)
{
	uint64_t least = UINT64_MAX;

	for (at += strspn(at, " "); *at;
	     at += strcspn(at, " "), at += strspn(at, " "), first += step)
		if (first < trace.windows && trace.window[first].crossings < least)
			least = trace.window[first].crossings;
	if (least < 2)
		die("%s: a window of it does not enter the kernel and leave it", name);
	return least;
}

/* name kind ops first step advances: a workload's windows, see formats.md. */
static void read_workload(char *line, const char *path, unsigned long number, const char *sequences)
{
	struct chosen chosen = { 0 };
	struct sums one = { 0 }, another = { 0 };
	uint64_t first, step, window, crossings = 0;
	char *field[6], *at;
	bool alike = true;
	size_t of = 0;

	if (split_tabs(line, field, 6) != 6 ||
	    !parse_number(field[2], 1, UINT32_MAX, &chosen.ops) ||
	    !parse_number(field[3], 0, UINT32_MAX, &first) ||
	    !parse_number(field[4], 1, SHEAFBENCH_PARTS, &step))
		die("%s:%lu: not name, kind, operations, first window, step and advances", path,
		    number);
	chosen.name = field[0];
	if (streq(field[1], "crosses"))
		crossings = least_crossings(chosen.name, first, step, field[5]);
	window = first;
	for (at = field[5]; *at; at += strspn(at, " "), window += step, of++) {
		uint64_t advance = next(&at, 10, path, number);

		if (window >= trace.windows)
			die("%s:%lu: the trace has %zu windows, and this is number %" PRIu64, path,
			    number, trace.windows, window);
		if (trace.window[window].crossings != crossings || scheduled(&trace.window[window]))
			continue;
		check_clock(chosen.name, window, advance);
		*APPEND(chosen.window, chosen.n, chosen.room) = window;
	}
	/* Two are the least that can be alike. */
	if (chosen.n < 2)
		die("%s: %zu of %zu windows without an interrupt or another task: count more of "
		    "them",
		    chosen.name, chosen.n, of);
	add_window(&one, &trace.window[chosen.window[0]]);
	for (size_t i = 1; i < chosen.n; i++) {
		add_window(&another, &trace.window[chosen.window[i]]);
		alike = alike && same(&one, &another);
		free_sums(&another);
	}
	if (alike) {
		chosen.n = 1;
	} else {
		for (size_t i = 1; i < chosen.n; i++)
			add_window(&one, &trace.window[chosen.window[i]]);
		chosen.ops *= chosen.n;
	}
	fprintf(writers[COUNTS].file, "# windows\t%s\t%s\t%s\t%zu\n", chosen.name, field[1],
		alike ? "alike" : "summed", chosen.n);
	write_counts(&chosen, &one);
	if (writers[CALLS].file)
		write_calls(&chosen);
	if (writers[INSNS].file)
		write_insns(&chosen);
	/* A system call is no call of the allocator. */
	if (writers[EACH].file && !crossings)
		write_each(&chosen);
	if (sequences && !crossings)
		write_sequence(sequences, &chosen);
	if (writers[PARTS_FILE].file && !crossings)
		write_parts(&chosen, &one);
	free_sums(&one);
	free(chosen.window);
}

/* The module's place comes first: instructions cannot be resolved before it is known. */
static void read_module(const char *path)
{
	struct reader r;
	bool failed, found = false;
	uint64_t start, size;
	char *line;

	if (reader_open(&r, path, &fault))
		give_up();
	while (!found && (line = reader_next(&r, true, &failed, &fault)))
		found = sscanf(line, "# module %" SCNx64 " %" SCNu64, &start, &size) == 2;
	reader_close(&r);
	if (!found)
		die("%s: does not say where the module was", path);
	module.start = start;
	module.end = start + size;
}

static void read_windows(const char *path, const char *sequences)
{
	struct reader r;
	bool failed;
	char *line;

	if (reader_open(&r, path, &fault))
		give_up();
	while ((line = reader_next(&r, false, &failed, &fault)))
		read_workload(line, path, r.number, sequences);
	reader_close(&r);
	if (failed)
		give_up();
}

int main(int argc, char **argv)
{
	static const char *const heads[FILES] = {
		[COUNTS] = "workload\tops\tsymbol\tclass\tcount",
		[CALLS] = "workload\tops\tcaller\tcallee\thow\tcount",
		[EACH] = "workload\tops\tfunction\tinstructions\ttimes",
		[INSNS] =
			("workload\tops\tsymbol\toffset\tbytes\tinstructions\trep\tloads\tstores\t"
			 "taken\taddress"),
		[PARTS_FILE] = "workload\tops\tpart\tcount",
	};
	enum { TRACE = 256, WINDOWS, SYMBOLS, SEQUENCES, OUT };
	static const struct option options[] = {
		{ "trace", required_argument, NULL, TRACE },
		{ "windows", required_argument, NULL, WINDOWS },
		{ "symbols", required_argument, NULL, SYMBOLS },
		{ "sequences", required_argument, NULL, SEQUENCES },
		{ "counts", required_argument, NULL, OUT + COUNTS },
		{ "calls", required_argument, NULL, OUT + CALLS },
		{ "each", required_argument, NULL, OUT + EACH },
		{ "insns", required_argument, NULL, OUT + INSNS },
		{ "parts", required_argument, NULL, OUT + PARTS_FILE },
		{ NULL, 0, NULL, 0 },
	};
	const char *in[OUT - TRACE] = { NULL }, *out[FILES] = { NULL };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return 2;
		if (option < OUT)
			in[option - TRACE] = optarg;
		else
			out[option - OUT] = optarg;
	}
	if (optind < argc || !in[0] || !in[WINDOWS - TRACE] || !in[SYMBOLS - TRACE] ||
	    !out[COUNTS]) {
		fprintf(stderr,
			"sheafcounts: --trace, --windows, --symbols and --counts are needed\n");
		return 2;
	}
	read_module(in[WINDOWS - TRACE]);
	read_symbols(in[SYMBOLS - TRACE]);
	read_trace(in[0]);
	for (int i = 0; i < FILES; i++) {
		if (!out[i])
			continue;
		if (writer_open(&writers[i], out[i], &fault))
			give_up();
		fprintf(writers[i].file, "# %s\n", heads[i]);
	}
	read_windows(in[WINDOWS - TRACE], in[SEQUENCES - TRACE]);
	for (int i = 0; i < FILES; i++)
		if (out[i] && writer_close(&writers[i], true, &fault))
			give_up();
	return 0;
}
