// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sums.h"

#define SUMS	   "SHA256SUMS"
#define HEX	   64
#define SEAL	   "sha256"
#define SEAL_FLAGS (JSON_COMPACT | JSON_REAL_PRECISION(15))

/* What effects follow from; folders with all that is below them. */
static const char *const measured[] = { "environment.json", "variants.tsv", "plan.tsv", "boots.tsv",
					"same-code.tsv",    "samples",	    "counters", "counts" };

struct sum {
	char hex[HEX + 1];
};

static struct sum sum_end(EVP_MD_CTX *context)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	struct sum sum = { "" };

	EVP_DigestFinal_ex(context, digest, &n);
	for (unsigned int i = 0; i < n && 2 * i < HEX; i++)
		snprintf(sum.hex + 2 * (size_t)i, 3, "%02x", digest[i]);
	EVP_MD_CTX_free(context);
	return sum;
}

static EVP_MD_CTX *sum_begin(void)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL))
		return context;
	fprintf(stderr, "%s: libcrypto has no SHA-256\n", program_invocation_short_name);
	exit(EXIT_FAILURE);
}

/* "" where it cannot be read. */
static struct sum file_sum(const char *path)
{
	EVP_MD_CTX *context;
	struct sum sum = { "" };
	FILE *file = fopen(path, "r");
	char buffer[1 << 15];
	size_t n;

	if (!file)
		return sum;
	context = sum_begin();
	while ((n = fread(buffer, 1, sizeof(buffer), file)) > 0)
		EVP_DigestUpdate(context, buffer, n);
	sum = sum_end(context);
	if (ferror(file))
		sum.hex[0] = '\0';
	fclose(file);
	return sum;
}

/* Hidden files and what a writer has not finished do not count. */
static int counts(const struct dirent *d)
{
	const size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && (n <= 5 || !streq(d->d_name + n - 5, ".part"));
}

/* Calls @fn for @name in @dir, or for each file below it, in the order of their names. */
static void each_file(const char *dir, const char *name,
		      void (*fn)(void *arg, const char *name, const struct sum *sum), void *arg)
{
	char *path = xasprintf("%s/%s", dir, name);
	struct dirent **entry = NULL;
	struct stat st;
	int n;

	if (!lstat(path, &st) && S_ISREG(st.st_mode)) {
		struct sum sum = file_sum(path);

		fn(arg, name, &sum);
	} else if (!lstat(path, &st) && S_ISDIR(st.st_mode)) {
		n = scandir(path, &entry, counts, alphasort);
		for (int i = 0; i < n; i++) {
			char *below = xasprintf("%s/%s", name, entry[i]->d_name);

			each_file(dir, below, fn, arg);
			free(below);
			free(entry[i]);
		}
		free(entry);
	}
	free(path);
}

static void each_measured(const char *dir,
			  void (*fn)(void *arg, const char *name, const struct sum *sum), void *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(measured); i++)
		each_file(dir, measured[i], fn, arg);
}

static void sum_write(void *arg, const char *name, const struct sum *sum)
{
	fprintf(arg, "%s  %s\n", sum->hex, name);
}

int sums_write(const char *dir, struct fault *f)
{
	char *path = xasprintf("%s/" SUMS, dir);
	struct writer w;
	int ret = writer_open(&w, path, f);

	free(path);
	if (ret)
		return ret;
	each_measured(dir, sum_write, w.file);
	return writer_close(&w, true, f);
}

static void tell(json_t *changed, char *sentence)
{
	json_array_append_new(changed, json_from_text(text_clean(sentence)));
	free(sentence);
}

struct check {
	json_t *sums, *changed;
};

static void sum_check(void *arg, const char *name, const struct sum *sum)
{
	const struct check *c = arg;
	const char *was = json_text(c->sums, name);

	if (!*was)
		tell(c->changed, xasprintf("%s: " SUMS " has no sum of it", name));
	else if (!streq(was, sum->hex))
		tell(c->changed,
		     xasprintf("%s is not what was measured: " SUMS " has another sum of it",
			       name));
	json_object_del(c->sums, name);
}

bool sums_check(const char *dir, json_t *changed)
{
	struct check c = { json_object(), changed };
	char *path = xasprintf("%s/" SUMS, dir), *line;
	struct fault f;
	struct reader r;
	bool failed = false, there = !reader_open(&r, path, &f);
	const char *name;
	json_t *sum;

	free(path);
	while (there && (line = reader_next(&r, true, &failed, &f))) {
		if (strspn(line, "0123456789abcdef") != HEX || line[HEX] != ' ' || !line[HEX + 1] ||
		    !line[HEX + 2]) {
			tell(changed, xasprintf(SUMS ":%lu: not a sum and a name", r.number));
			continue;
		}
		line[HEX] = '\0';
		json_put(c.sums, line + HEX + 2, json_from_text(line));
	}
	if (there) {
		if (failed)
			tell(changed,
			     xasprintf(SUMS ": it cannot be read beyond line %lu", r.number));
		reader_close(&r);
		each_measured(dir, sum_check, &c);
	}
	json_object_foreach(c.sums, name, sum)
		tell(changed, xasprintf("%s is gone: " SUMS " has a sum of it", name));
	json_decref(c.sums);
	return there;
}

static struct sum object_sum(const json_t *object)
{
	json_t *copy = json_copy((json_t *)object);
	EVP_MD_CTX *context = sum_begin();
	char *text;

	json_object_del(copy, SEAL);
	text = json_dumps(copy, SEAL_FLAGS);
	if (text)
		EVP_DigestUpdate(context, text, strlen(text));
	free(text);
	json_decref(copy);
	return sum_end(context);
}

void sums_seal(json_t *object)
{
	struct sum sum = object_sum(object);

	json_object_set_new(object, SEAL, json_from_text(sum.hex));
}

enum seal sums_sealed(const json_t *object)
{
	const char *seal = json_text(object, SEAL);

	if (!*seal)
		return SEAL_NONE;
	return streq(seal, object_sum(object).hex) ? SEAL_HOLDS : SEAL_BROKEN;
}
