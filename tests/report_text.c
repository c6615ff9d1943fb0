// SPDX-License-Identifier: GPL-2.0
/* What the texts are made of: folding to ASCII, filling, tables, the encodings of a mail. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "doc.h"
#include "escape.h"
#include "mime.h"
#include "model.h"
#include "number.h"
#include "view.h"

struct memory {
	FILE *f;
	char *s;
	size_t size;
};

static void memory_open(struct memory *m)
{
	m->f = open_memstream(&m->s, &m->size);
	assert_non_null(m->f);
}

static const char *memory_text(struct memory *m)
{
	fclose(m->f);
	return m->s;
}

/* Widest line; fails on anything but printable ASCII. */
static size_t widest(const char *s)
{
	size_t most = 0, col = 0;

	for (; *s; s++) {
		if (*s == '\n') {
			col = 0;
			continue;
		}
		assert_true(*s >= ' ' && *s <= '~');
		if (++col > most)
			most = col;
	}
	return most;
}

static void test_ascii(void **state)
{
	static const char *const pairs[][2] = {
		{ "plain", "plain" },
		{ "a \u2013 b \u00b1 \u00b5s", "a - b +- us" },
		{ "Intel\u00ae\u2122", "Intel(R)(TM)" },
		{ "\u00e9.\u4e2d!", "?.?!" },
		{ "tab\there", "tab here" },
		{ "cut \xe2\x80", "cut ?" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		char *s = escape_mail(pairs[i][0]);

		assert_string_equal(s, pairs[i][1]);
		free(s);
	}
}

/* Random words, some longer than a line: nothing leaves the margin and no letter is lost. */
static void test_fill(void **state)
{
	(void)state;
	srand(7);
	for (int round = 0; round < 300; round++) {
		char text[4000] = "", wanted[4000], got[4000];
		size_t n = 0, w = 0, g = 0;
		struct memory m;
		struct doc d = { .style = DOC_MAIL };

		while (n < 3000) {
			int len = 1 + rand() % (rand() % 20 ? 14 : 200);

			for (int i = 0; i < len; i++)
				text[n++] = (char)('a' + rand() % 26);
			text[n++] = ' ';
		}
		memory_open(&m);
		d.f = m.f;
		if (round % 3 == 0)
			doc_para(&d, "%s", text);
		else if (round % 3 == 1)
			doc_item(&d, "%s", text);
		else
			doc_command(&d, text);
		memory_text(&m);
		assert_true(widest(m.s) <= MAIL_COLUMNS);
		for (const char *p = text; *p; p++)
			if (*p != ' ')
				wanted[w++] = *p;
		for (const char *p = m.s; *p; p++)
			if (*p >= 'a' && *p <= 'z')
				got[g++] = *p;
		assert_int_equal(w, g);
		assert_memory_equal(wanted, got, w);
		free(m.s);
	}
}

static char *table_text(enum doc_style style, const char *name)
{
	static const char *const heads[] = { "variant", ">ticks/op", ">95 % interval", NULL };
	struct memory m;
	struct doc d = { .style = style };
	struct table t;

	memory_open(&m);
	d.f = m.f;
	table_start(&t, heads);
	table_row(&t, name, "71.25", "[-0.70, +0.65]");
	table_row(&t, "b|c", "1.00", NULL);
	table_break(&t);
	table_row(&t, "last", "", "");
	doc_table_end(&d, &t);
	memory_text(&m);
	return m.s;
}

static void test_table(void **state)
{
	static const char mail[] = "variant  ticks/op   95 % interval\n"
				   "qpw-n       71.25  [-0.70, +0.65]\n"
				   "b|c          1.00             n/a\n"
				   "\n"
				   "last\n\n";
	static const char markdown[] = "| variant | ticks/op | 95 % interval |\n"
				       "|---|---:|---:|\n"
				       "| qpw-n | 71.25 | [-0.70, +0.65] |\n"
				       "| b\\|c | 1.00 | n/a |\n"
				       "| last |  |  |\n\n";
	char *s;

	(void)state;
	s = table_text(DOC_MAIL, "qpw-n");
	assert_string_equal(s, mail);
	free(s);
	s = table_text(DOC_MARKDOWN, "qpw-n");
	assert_string_equal(s, markdown);
	free(s);
	/* too wide for one line: the name stands alone */
	s = table_text(
		DOC_MAIL,
		"a-variant-whose-name-somebody-made-longer-than-a-line-of-a-mail-can-be-ever");
	assert_true(widest(s) <= MAIL_COLUMNS);
	assert_non_null(strstr(s, "\n            71.25  [-0.70, +0.65]\n"));
	free(s);
}

static const struct mail mail = { .subject = "Re: x", .boundary = "=_x" };

/* The encoded body of an attachment. */
static char *attachment(const char *type, const void *data, size_t size)
{
	struct memory m;
	char *body;

	memory_open(&m);
	mail_attach(m.f, &mail, "file", type, data, size);
	memory_text(&m);
	body = strstr(m.s, "\n\n");
	assert_non_null(body);
	body = strdup(body + 2);
	free(m.s);
	return body;
}

static void test_base64(void **state)
{
	/* RFC 4648, section 10 */
	static const char *const pairs[][2] = {
		{ "f", "Zg==\n" },	  { "fo", "Zm8=\n" },	     { "foo", "Zm9v\n" },
		{ "foob", "Zm9vYg==\n" }, { "fooba", "Zm9vYmE=\n" }, { "foobar", "Zm9vYmFy\n" },
	};
	unsigned char all[256];
	char *s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		s = attachment("image/png", pairs[i][0], strlen(pairs[i][0]));
		assert_string_equal(s, pairs[i][1]);
		free(s);
	}
	for (int i = 0; i < 256; i++)
		all[i] = (unsigned char)i;
	s = attachment("image/png", all, sizeof(all));
	assert_int_equal(widest(s), 76);
	assert_int_equal(strlen(s), 344 + 5);
	free(s);
}

static void test_quoted_printable(void **state)
{
	char *s, line[200];

	(void)state;
	s = attachment("text/plain", "a=b \n.\n\u00b5", 9);
	assert_string_equal(s, "a=3Db=20\n=2E\n=C2=B5=\n");
	free(s);
	memset(line, 'x', sizeof(line));
	s = attachment("text/plain", line, sizeof(line));
	assert_int_equal(widest(s), 76);
	free(s);
}

/* Long headers are folded at blanks, and what is not known has no header. */
static void test_headers(void **state)
{
	const struct mail to = {
		.subject = "Re: x",
		.to = "a@b, \"c d\" <a.rather.long.name@an.address.of.its.own.example>, "
		      "another.long.name@an.address.of.its.own.example",
		.boundary = "=_x"
	};
	struct memory m;

	(void)state;
	memory_open(&m);
	mail_start(m.f, &to, "words\n");
	memory_text(&m);
	assert_true(widest(m.s) <= 76);
	assert_non_null(strstr(m.s, "\nTo: a@b, \"c d\" "));
	assert_non_null(strstr(m.s, "\n another.long.name@"));
	assert_null(strstr(m.s, "Cc:"));
	assert_null(strstr(m.s, "In-Reply-To:"));
	free(m.s);
}

static char *rendered(const struct page *p, enum render how)
{
	const struct places at = { "tables", "plots" };
	struct memory m;

	memory_open(&m);
	page_render(p, m.f, how, &at);
	memory_text(&m);
	return m.s;
}

/* One table in its renderings: numbers for programs have all digits, rows of 0 are a sentence for people. */
static void test_grid(void **state)
{
	static const char *const heads[] = { "scheme", ">ticks", ">LOCK", "word, at last", NULL };
	struct interval ci = { -0.123456, 1.5 };
	struct memory m;
	struct grid *g;
	struct page p;
	char *s;

	(void)state;
	page_start(&p, "x", "What?");
	g = page_table(&p, "t", heads);
	g->counted = true;
	grid_key(g, "target", "uml");
	for (int i = 0; i < 3; i++) {
		grid_row(g);
		grid_text(g, i == 0 ? "a" : i == 1 ? "b, \"c\"" : "hidden");
		if (i == 1)
			grid_number(g, 0, 2, true);
		else
			grid_estimate(g, 0.654321, ci, 2, true);
		grid_number(g, i == 1 ? 0 : NAN, 0, true);
		if (!i)
			grid_missing(g, "-", "why");
		else
			grid_text(g, "");
		g->row[i].hidden = i == 2;
	}
	s = rendered(&p, RENDER_MARKDOWN);
	assert_string_equal(s, "| scheme | ticks | LOCK | word, at last |\n|---|---:|---:|---|\n"
			       "| a | +0.65 [-0.12, +1.50] | n/a | - [1] |\n\n"
			       "No difference in any column: b, \"c\".\n\n- [1] why\n\n");
	free(s);
	g->brief = 2;
	s = rendered(&p, RENDER_MAIL);
	assert_non_null(strstr(s, "\na       +0.65   n/a  - [1]\n"));
	free(s);
	memory_open(&m);
	page_csv(&p, "t", m.f);
	memory_text(&m);
	assert_string_equal(m.s, "target,scheme,ticks,ticks_lo,ticks_hi,lock,word_at_last\n"
				 "uml,a,0.654321,-0.123456,1.5,,\n"
				 "uml,\"b, \"\"c\"\"\",0,,,0,\n"
				 "uml,hidden,0.654321,-0.123456,1.5,,\n");
	free(m.s);
	/* a column without a number goes, and takes its place among the brief ones along */
	g->brief = 1 << 3;
	assert_false(grid_drop_empty(g, 1));
	g->row[1].cell[2].kind = CELL_MISSING;
	g->row[1].cell[2].text = strdup("n/a");
	assert_true(grid_drop_empty(g, 2));
	assert_int_equal(g->cols, 3);
	assert_int_equal(g->brief, 1 << 2);
	page_free(&p);
}

/* A table too wide for a mail goes on below, with its first column again. */
static void test_wide(void **state)
{
	static const char *const heads[] = { "scheme", ">one", ">two", ">three", NULL };
	struct page p;
	char *s;

	(void)state;
	page_start(&p, "x", "What?");
	grid_row(page_table(&p, "t", heads));
	grid_text(p.block[0].grid, "a-scheme-of-some-length");
	for (int i = 0; i < 3; i++)
		grid_estimate(p.block[0].grid, 1234.5678, (struct interval){ 1234.5, 1235.5 }, 2,
			      true);
	s = rendered(&p, RENDER_MAIL);
	assert_true(widest(s) <= MAIL_COLUMNS);
	assert_ptr_not_equal(strstr(s, "a-scheme"), NULL);
	assert_non_null(strstr(strstr(s, "a-scheme") + 1, "a-scheme"));
	assert_non_null(strstr(s, "three"));
	free(s);
	page_free(&p);
}

static void test_number(void **state)
{
	(void)state;
	assert_string_equal(number(NAN, 2, true).s, "n/a");
	assert_string_equal(number(-0.004, 2, true).s, "0.00");
	assert_string_equal(number(0.005, 2, true).s, "+0.01");
	assert_string_equal(number(12.345, 1, false).s, "12.3");
	assert_string_equal(interval((struct interval){ -0.7, 0.65 }, 2, true).s, "[-0.70, +0.65]");
	assert_string_equal(interval((struct interval){ 0.98, 1.04 }, 2, false).s, "[0.98, 1.04]");
	assert_string_equal(interval((struct interval){ NAN, NAN }, 2, true).s, "n/a");
	assert_string_equal(probability(0).s, "0");
	assert_string_equal(probability(3e-9).s, "<0.0001");
	assert_string_equal(probability(NAN).s, "n/a");
}

/* What a table says of an effect; without proof there is one word only. */
static void test_verdict(void **state)
{
	static const struct {
		const char *verdict;
		bool primary;
		const char *word;
	} said[] = {
		{ "slower", true, "slower" },
		{ "faster", true, "faster" },
		{ "within", true, "within +-0.5" },
		{ "cannot tell", true, "cannot tell (+-0.45)" },
		{ "same code", true, "same code" },
		{ NULL, true, "no verdict" },
		{ NULL, false, "" },
	};
	struct view r = { .equal = 0.5 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(said); i++) {
		struct effect e = { .ci = { -0.5, 0.4 },
				    .verdict = said[i].verdict,
				    .primary = said[i].primary };

		r.proven = true;
		assert_string_equal(view_verdict(&r, &e).s, said[i].word);
		r.proven = false;
		assert_string_equal(view_verdict(&r, &e).s, "unproven");
	}
}

/* One function for each medium: what would be done or shown there otherwise is text. */
static void test_escapes(void **state)
{
	char *s = NULL;
	size_t size;
	FILE *f = open_memstream(&s, &size);

	(void)state;
	assert_non_null(f);
	escape_gnuplot(f, "it's\n\r\tsystem 'x' \"y\" \\ \x1b[0m \xe9", '\'');
	escape_gnuplot(f, "it's\n\"y\" \\n \u2028", '"');
	fclose(f);
	assert_string_equal(s, "'it''s   system ''x'' \"y\" \\ ?[0m ?'\"it's 'y' 'n ???\"");
	free(s);
	s = escape_markdown("a *b* `c` <img> x|y [l](http://z) [r][s] [t]: u [1, 2]\nq");
	assert_string_equal(
		s, "a \\*b\\* \\`c\\` &lt;img> x\\|y [l]\\(http://z) [r]\\[s] [t]\\: u [1, 2] q");
	free(s);
	assert_string_equal(shown("\u00e4\u00f6\u00fc", 2).s, "\u00e4\u00f6");
	assert_string_equal(shown("a\r\x1b]0;b\a\u202ec\xff", 20).s, "a ?]0;b????c?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escapes), cmocka_unit_test(test_ascii),
		cmocka_unit_test(test_fill),	cmocka_unit_test(test_table),
		cmocka_unit_test(test_base64),	cmocka_unit_test(test_quoted_printable),
		cmocka_unit_test(test_headers), cmocka_unit_test(test_grid),
		cmocka_unit_test(test_wide),	cmocka_unit_test(test_number),
		cmocka_unit_test(test_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
