/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sheaftrace.so: a plugin of QEMU's TCG that counts what a guest executes between the markers of
 * sheafbench.ko (bench/uapi/sheafbench.h), by instruction. For x86_64 guests whose CPUs
 * take turns, in any QEMU from 7.2 on.
 *
 *   -plugin sheaftrace.so,out=FILE[,sequence=N]
 *
 * FILE gets the records that trace.h describes, with the first N instructions of each window. Until
 * the marker ARM is executed the guest runs at full speed; from there on each instruction calls back.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"
#include "sheafbench.h"

/*
 * QEMU's interface for plugins as far as it is used here, for no distribution that we know ships its header. PLUGIN_VERSION
 * is the version that the QEMU beside the build has (CMakeLists.txt asks it): 1 is QEMU 7.2 to 8.2, 2 is 9.0, 3 is 9.1,
 * 4 is 9.2 and 10.0, 5 and 6 came with 10.1 and 10.2, 7 with 11.
 */
#define COPIES_BYTES \
	(PLUGIN_VERSION >= 3) /* qemu_plugin_insn_data() fills a buffer of the caller's */
#define PASSES_DATA (PLUGIN_VERSION >= 7) /* callbacks get what they were registered with, no id */

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

struct qemu_info {
	const char *target_name;
	struct {
		int min, cur;
	} version;
	bool system_emulation;
	struct {
		int smp_vcpus, max_vcpus;
	} system;
};

enum { PLUGIN_NO_REGISTERS = 0, PLUGIN_READS_AND_WRITES = 3 };

#if PASSES_DATA
void qemu_plugin_register_vcpu_tb_trans_cb(
	plugin_id id, void (*translated)(struct qemu_plugin_tb *block, void *data), void *data);
void qemu_plugin_register_atexit_cb(plugin_id id, void (*exiting)(void *data), void *data);
void qemu_plugin_reset(plugin_id id, void (*reset)(void *data), void *data);
#else
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
					   void (*translated)(plugin_id id,
							      struct qemu_plugin_tb *block));
void qemu_plugin_register_atexit_cb(plugin_id id, void (*exiting)(plugin_id id, void *data),
				    void *data);
void qemu_plugin_reset(plugin_id id, void (*reset)(plugin_id id));
#endif
#if COPIES_BYTES
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *bytes, size_t size);
#else
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
#endif
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*executed)(unsigned int cpu, void *data),
					    int flags, void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
				      void (*accessed)(unsigned int cpu, uint32_t info,
						       uint64_t address, void *data),
				      int flags, int accesses, void *data);
bool qemu_plugin_mem_is_store(uint32_t info);
unsigned int qemu_plugin_mem_size_shift(uint32_t info);

__attribute__((visibility("default"))) int qemu_plugin_version = PLUGIN_VERSION;
__attribute__((visibility("default"))) int
qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv);

#define LONGEST_INSN 15
#define MARKER_SIZE  8
#define BUCKETS	     (1u << 14)

struct insn {
	struct insn *next; /* in its bucket */
	uint64_t address, number;
	uint32_t kinds, size, window; /* the window that its counts are of */
	bool numbered, written;	      /* has been in a window; has an I record */
	bool loaded, stored;	      /* in this execution */
	uint8_t bytes[LONGEST_INSN];
	uint64_t count[COUNTERS];
};

/* A key that was seen in a window: a line of the cache, two instructions with a count, or a call and its length. */
struct seen {
	uint64_t key;
	const struct insn *from, *to;
	uint64_t count;
	uint32_t window;
};

struct table {
	struct seen *slot;
	size_t size, used; /* size is a power of two; used are those of this window */
};

static struct {
	plugin_id id;
	FILE *out;
	bool armed, open;
	uint32_t crossings;
	unsigned int cpu; /* that the window is of, and the thread that executes it */
	pthread_t thread;
	uint32_t window; /* from 1 on */
	uint64_t insns;
	struct insn *bucket[BUCKETS];
	struct insn *previous;
	struct insn **touched, **sequence;
	size_t n_touched, room, n_sequence, longest_sequence;
	struct table code, data, edges, calls;
	/* The call by the loop that is on, how deep in it the guest is, and how many instructions it took so far. */
	const struct insn *called;
	uint32_t depth, length;
} plugin;

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "sheaftrace: %s\n", what);
	exit(1);
}

static void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		fail("out of memory");
	return memory;
}

static uint64_t mix(uint64_t key)
{
	key *= 0x9e3779b97f4a7c15ull;
	return key ^ key >> 29;
}

/* The key's slot in this window, new or not; what earlier windows left counts as free. */
static struct seen *find(struct table *table, uint64_t key, bool *is_new)
{
	size_t at;

	if (table->used * 2 >= table->size) {
		struct table bigger = { .size = table->size ? table->size * 2 : 1024 };

		bigger.slot = allocate(bigger.size, sizeof(*bigger.slot));
		for (size_t i = 0; i < table->size; i++) {
			bool ignored;

			if (table->slot[i].window != plugin.window)
				continue;
			*find(&bigger, table->slot[i].key, &ignored) = table->slot[i];
		}
		free(table->slot);
		*table = bigger;
	}
	for (at = mix(key) & (table->size - 1);; at = (at + 1) & (table->size - 1)) {
		struct seen *seen = &table->slot[at];

		if (seen->window == plugin.window && seen->key != key)
			continue;
		*is_new = seen->window != plugin.window;
		if (*is_new) {
			*seen = (struct seen){ .key = key, .window = plugin.window };
			table->used++;
		}
		return seen;
	}
}

/* How many of the lines of a range were not seen in this window. */
static unsigned int new_lines(struct table *lines, uint64_t address, uint64_t size)
{
	unsigned int count = 0;
	bool is_new;

	for (uint64_t line = address >> 6; line <= (address + size - 1) >> 6; line++) {
		find(lines, line, &is_new);
		count += is_new;
	}
	return count;
}

/* Code that was changed is another instruction at the same address. */
static struct insn *intern(uint64_t address, const uint8_t *bytes, uint32_t size)
{
	struct insn **bucket = &plugin.bucket[mix(address) >> 20 & (BUCKETS - 1)];
	struct insn *insn;

	for (insn = *bucket; insn; insn = insn->next)
		if (insn->address == address && insn->size == size &&
		    !memcmp(insn->bytes, bytes, size))
			return insn;
	insn = allocate(1, sizeof(*insn));
	insn->address = address;
	insn->size = size;
	insn->kinds = insn_kinds(bytes, size);
	memcpy(insn->bytes, bytes, size);
	insn->next = *bucket;
	*bucket = insn;
	return insn;
}

static void touch(struct insn *insn)
{
	/* By first use: when it was translated is another matter in each boot. */
	if (!insn->numbered)
		insn->number = plugin.insns++;
	insn->numbered = true;
	insn->window = plugin.window;
	memset(insn->count, 0, sizeof(insn->count));
	if (plugin.n_touched == plugin.room) {
		plugin.room = plugin.room ? plugin.room * 2 : 1024;
		plugin.touched = realloc(plugin.touched, plugin.room * sizeof(struct insn *));
		if (!plugin.touched)
			fail("out of memory");
	}
	plugin.touched[plugin.n_touched++] = insn;
	insn->count[COUNTER_CODE_LINES] = new_lines(&plugin.code, insn->address, insn->size);
}

/* Where the previous instruction went. */
static void follow(struct insn *previous, const struct insn *insn)
{
	struct seen *edge;
	bool is_new;

	if (insn->address != previous->address + previous->size &&
	    previous->kinds & (KIND(JUMP) | KIND(BRANCH)))
		previous->count[COUNTER_TAKEN]++;
	if (!(previous->kinds & (KIND(CALL) | KIND(JUMP))))
		return;
	edge = find(&plugin.edges, previous->number << 32 | insn->number, &is_new);
	edge->from = previous;
	edge->to = insn;
	edge->count++;
}

/* One operation is a call by the loop, where the window begins: how long each was. */
static void count_call(const struct insn *previous, const struct insn *insn)
{
	struct seen *call;
	bool is_new;

	if (previous->kinds & KIND(CALL) && !plugin.depth++) {
		plugin.called = insn;
		plugin.length = 0;
	}
	if (previous->kinds & KIND(RET) && plugin.depth && !--plugin.depth) {
		call = find(&plugin.calls, plugin.called->number << 32 | plugin.length, &is_new);
		call->to = plugin.called;
		call->count++;
	}
	plugin.length++;
}

static void on_insn(unsigned int cpu, void *data)
{
	struct insn *insn = data;

	if (!plugin.open)
		return;
	if (cpu != plugin.cpu) {
		if (!pthread_equal(pthread_self(), plugin.thread))
			fail("the guest's CPUs are to take turns (-accel tcg,thread=single)");
		plugin.crossings++;
		return;
	}
	if (insn->window != plugin.window)
		touch(insn);
	insn->loaded = false;
	insn->stored = false;
	/* Each iteration of a rep instruction is an execution for QEMU. */
	if (insn == plugin.previous && insn->kinds & KIND_REP_STRING) {
		insn->count[COUNTER_REP]++;
		return;
	}
	insn->count[COUNTER_INSTRUCTIONS]++;
	if (insn->kinds & KIND_CROSSING)
		plugin.crossings++;
	if (plugin.previous) {
		follow(plugin.previous, insn);
		count_call(plugin.previous, insn);
	}
	if (plugin.n_sequence < plugin.longest_sequence)
		plugin.sequence[plugin.n_sequence++] = insn;
	plugin.previous = insn;
}

static void on_access(unsigned int cpu, uint32_t info, uint64_t address, void *data)
{
	struct insn *insn = data;

	if (!plugin.open || cpu != plugin.cpu)
		return;
	if (qemu_plugin_mem_is_store(info)) {
		insn->count[COUNTER_STORES] += !insn->stored;
		insn->stored = true;
	} else {
		insn->count[COUNTER_LOADS] += !insn->loaded;
		insn->loaded = true;
	}
	insn->count[COUNTER_DATA_LINES] +=
		new_lines(&plugin.data, address, 1ull << qemu_plugin_mem_size_shift(info));
}

static void write_number(struct insn *insn)
{
	if (insn->written)
		return;
	fprintf(plugin.out, "I %" PRIu64 " %" PRIx64 " %" PRIx32 " ", insn->number, insn->address,
		insn->kinds);
	for (uint32_t i = 0; i < insn->size; i++)
		fprintf(plugin.out, "%02x", insn->bytes[i]);
	fputc('\n', plugin.out);
	insn->written = true;
}

static void write_window(void)
{
	for (size_t i = 0; i < plugin.n_touched; i++)
		write_number(plugin.touched[i]);
	fprintf(plugin.out, "W %" PRIu32 " %" PRIu32 "\n", plugin.window - 1, plugin.crossings);
	for (size_t i = 0; i < plugin.n_touched; i++) {
		const struct insn *insn = plugin.touched[i];

		fprintf(plugin.out, "C %" PRIu64, insn->number);
		for (int c = 0; c < COUNTERS; c++)
			fprintf(plugin.out, " %" PRIu64, insn->count[c]);
		fputc('\n', plugin.out);
	}
	for (size_t i = 0; i < plugin.edges.size; i++) {
		const struct seen *edge = &plugin.edges.slot[i];

		if (edge->window == plugin.window)
			fprintf(plugin.out, "E %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
				edge->from->number, edge->to->number, edge->count);
	}
	for (size_t i = 0; i < plugin.calls.size; i++) {
		const struct seen *call = &plugin.calls.slot[i];

		if (call->window == plugin.window)
			fprintf(plugin.out, "O %" PRIu64 " %" PRIu32 " %" PRIu64 "\n",
				call->to->number, (uint32_t)call->key, call->count);
	}
	if (plugin.n_sequence) {
		fputc('T', plugin.out);
		for (size_t i = 0; i < plugin.n_sequence; i++)
			fprintf(plugin.out, " %" PRIu64, plugin.sequence[i]->number);
		fputc('\n', plugin.out);
	}
}

static void on_start(unsigned int cpu, void *data)
{
	(void)data;
	plugin.window++;
	plugin.cpu = cpu;
	plugin.thread = pthread_self();
	plugin.open = true;
	plugin.crossings = 0;
	plugin.previous = NULL;
	plugin.n_touched = 0;
	plugin.n_sequence = 0;
	plugin.code.used = 0;
	plugin.data.used = 0;
	plugin.edges.used = 0;
	plugin.calls.used = 0;
	plugin.depth = 0;
}

static void on_end(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	if (plugin.open)
		write_window();
	plugin.open = false;
}

static void drop_callbacks(void);

static void on_arm(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	if (plugin.armed)
		return;
	plugin.armed = true;
	drop_callbacks();
}

static bool is_marker(const uint8_t *bytes, size_t size, uint32_t *marker)
{
	static const uint8_t nop[] = { 0x0f, 0x1f, 0x84, 0x00 };

	if (size != MARKER_SIZE || memcmp(bytes, nop, sizeof(nop)) != 0)
		return false;
	memcpy(marker, bytes + sizeof(nop), sizeof(*marker));
	return true;
}

static void translate(struct qemu_plugin_tb *block)
{
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);
		const size_t size = qemu_plugin_insn_size(insn);
		void (*marked)(unsigned int cpu, void *data) = NULL;
		uint32_t marker = 0;
		struct insn *record;
#if COPIES_BYTES
		uint8_t bytes[LONGEST_INSN] = { 0 };

		qemu_plugin_insn_data(insn, bytes, sizeof(bytes));
#else
		const uint8_t *bytes = qemu_plugin_insn_data(insn);
#endif

		if (is_marker(bytes, size, &marker))
			marked = marker == SHEAFBENCH_MARK_ARM	   ? on_arm
				 : marker == SHEAFBENCH_MARK_START ? on_start
				 : marker == SHEAFBENCH_MARK_END   ? on_end
								   : NULL;
		if (marked && (plugin.armed || marked == on_arm))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, marked, PLUGIN_NO_REGISTERS,
							       NULL);
		if (marked || !plugin.armed || size > LONGEST_INSN)
			continue;
		record = intern(qemu_plugin_insn_vaddr(insn), bytes, size);
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_insn, PLUGIN_NO_REGISTERS, record);
		qemu_plugin_register_vcpu_mem_cb(insn, on_access, PLUGIN_NO_REGISTERS,
						 PLUGIN_READS_AND_WRITES, record);
	}
}

static void end_trace(void)
{
	fprintf(plugin.out, "end %" PRIu32 "\n", plugin.window);
	if (fclose(plugin.out))
		fprintf(stderr, "sheaftrace: cannot write all of the counts (disk full?)\n");
}

/* The callbacks whose arguments depend on the version. */
#if PASSES_DATA
static void on_translation(struct qemu_plugin_tb *block, void *data)
{
	(void)data;
	translate(block);
}

static void on_exit_of_qemu(void *data)
{
	(void)data;
	end_trace();
}

static void ask_for_callbacks(void *data)
{
	qemu_plugin_register_vcpu_tb_trans_cb(plugin.id, on_translation, data);
	qemu_plugin_register_atexit_cb(plugin.id, on_exit_of_qemu, data);
}

static void drop_callbacks(void)
{
	qemu_plugin_reset(plugin.id, ask_for_callbacks, NULL);
}
#else
static void on_translation(plugin_id id, struct qemu_plugin_tb *block)
{
	(void)id;
	translate(block);
}

static void on_exit_of_qemu(plugin_id id, void *data)
{
	(void)id;
	(void)data;
	end_trace();
}

static void ask_for_callbacks(plugin_id id)
{
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
}

static void drop_callbacks(void)
{
	qemu_plugin_reset(plugin.id, ask_for_callbacks);
}
#endif

int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv)
{
	const char *path = NULL;

	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			path = argv[i] + 4;
		else if (!strncmp(argv[i], "sequence=", 9))
			plugin.longest_sequence = strtoul(argv[i] + 9, NULL, 10);
		else
			path = "";
	}
	if (info->version.cur < PLUGIN_VERSION || COPIES_BYTES != (info->version.cur >= 3) ||
	    PASSES_DATA != (info->version.cur >= 7)) {
		fprintf(stderr,
			"sheaftrace: built for version %d of QEMU's plugin interface, and this "
			"QEMU has %d; run make again with the QEMU that is to count on PATH\n",
			PLUGIN_VERSION, info->version.cur);
		return -1;
	}
	if (!path || !*path) {
		fprintf(stderr, "sheaftrace: options are out=FILE and sequence=N\n");
		return -1;
	}
	if (strcmp(info->target_name, "x86_64") != 0 || !info->system_emulation) {
		fprintf(stderr, "sheaftrace: counts for an x86_64 guest only\n");
		return -1;
	}
	plugin.out = fopen(path, "we");
	if (!plugin.out) {
		fprintf(stderr, "sheaftrace: cannot create %s\n", path);
		return -1;
	}
	if (plugin.longest_sequence)
		plugin.sequence = allocate(plugin.longest_sequence, sizeof(struct insn *));
	fputs("# sheafbench-trace 1\n", plugin.out);
	plugin.id = id;
#if PASSES_DATA
	ask_for_callbacks(NULL);
#else
	ask_for_callbacks(id);
#endif
	return 0;
}
