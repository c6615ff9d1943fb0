// SPDX-License-Identifier: GPL-2.0
/*
 * sheafreport: a result's summary.json for people: the answer on one page (report.md, report.html,
 * reply.txt, reply.eml, Results.md, a terminal), and pages with all the rest. Every number comes from
 * the result; what it does not hold is left out or named `n/a`.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certify.h"
#include "escape.h"
#include "mime.h"
#include "number.h"
#include "sections.h"

#define SUBJECT "Re: [PATCH v4 0/4] Introduce Per-CPU Work helpers (was QPW)"
/* Above this, the kernel's submitting-patches asks for a link instead; in bytes. */
#define MAIL_LIMIT 300000
#define PAGE_LIMIT 200000 /* of a page, which browsers and forges still show */

static struct {
	const char *series;  /* only these changes, names with blanks between them */
	const char *mail;    /* the mail that is answered: headers, a blank line, its words */
	const char *certify; /* certify.json */
	const char *pages;   /* where the pages of Results.md go */
	const char *see;     /* their name in links */
	const char *page;    /* what is shown: all, or a page's name */
} opt;

/* In the order in which a mail has room for them. */
static const struct {
	const char *file, *caption;
} plots[] = {
	{ "effects.png", "Differences from the baseline with 95 % intervals; the band is the null "
			 "comparison" },
	{ "decide.png", "What an excursion into the kernel costs with each scheme" },
	{ "dose.png", "Core cycles found against core cycles added" },
	{ "samples.png", "Distribution of the samples, quiet and next to a busy sibling" },
	{ "layouts.png", "By the place of the code: each layout's value" },
	{ "counts.png", "Instructions per operation on x86_64 and PREEMPT_RT, counted, by symbol" },
	{ "trade.png", "What a scheme costs per operation, and what a flush takes from a CPU" },
	{ "by-n.png", "By the number of objects held at once" },
	{ "by-size.png", "By the size of the object" },
	{ "effects-all.png", "Differences for every workload" },
};
#define DECIDING_PLOTS 2

/* Where a result has what its pages link to. */
static const struct places in_result = { "tables", "plots" };

struct text {
	char *s;
	size_t size;
};

static FILE *text_open(struct text *t)
{
	FILE *f = open_memstream(&t->s, &t->size);

	if (!f) {
		fprintf(stderr, "sheafreport: out of memory\n");
		exit(1);
	}
	return f;
}

static int say_fault(const struct fault *f)
{
	fprintf(stderr, "sheafreport: %s\n", f->text);
	return 1;
}

/* Whole or not at all; says what it wrote, but where standard output is a page. */
static int save(const struct view *r, const char *name, const struct text *t)
{
	char *path = *name == '/' ? xstrdup(name) : xasprintf("%s/%s", r->dir, name);
	struct writer w;
	struct fault f;
	int ret;

	ret = writer_open(&w, path, &f);
	if (!ret) {
		fwrite(t->s, 1, t->size, w.file);
		ret = writer_close(&w, true, &f);
	}
	if (ret)
		ret = say_fault(&f);
	else if (!opt.pages)
		printf("%s\n", path);
	free(path);
	return ret;
}

/* A file of the result; s is NULL when it cannot be read. */
static struct text load(const struct view *r, const char *name)
{
	char *path = *name == '/' ? xstrdup(name) : xasprintf("%s/%s", r->dir, name);
	struct text t = { 0 };
	FILE *in = fopen(path, "r");
	char buf[4096];
	size_t n;

	if (in) {
		FILE *out = text_open(&t);

		while ((n = fread(buf, 1, sizeof(buf), in)) > 0)
			fwrite(buf, 1, n, out);
		if (ferror(in)) {
			fclose(out);
			free(t.s);
			t = (struct text){ 0 };
		} else {
			fclose(out);
		}
		fclose(in);
	}
	free(path);
	return t;
}

/* Whether a plot of the result is there. */
static bool has_plot(const struct view *r, const char *file)
{
	char *path = xasprintf("%s/plots/%s", r->dir, file);
	bool has = !access(path, R_OK);

	free(path);
	return has;
}

/* ---- pages ---- */

/*
 * Saves @t as FOLDER/NAME.END, in parts of PAGE_LIMIT: each begins with the first line, and within a
 * table with its head.
 */
static int save_parts(const struct view *r, const char *folder, const char *name, const char *end,
		      const struct text *t)
{
	char *head = NULL, *first = xasprintf("%.*s", (int)strcspn(t->s, "\n"), t->s);
	const bool csv = !strcmp(end, "csv");
	const char *line = t->s, *last = NULL;
	int ret = 0, part = 0;

	while (*line && !ret) {
		struct text piece;
		FILE *f = text_open(&piece);
		char *file = part ? xasprintf("%s/%s-%d.%s", folder, name, part + 1, end)
				  : xasprintf("%s/%s.%s", folder, name, end);
		size_t size = part ? fprintf(f, csv ? "%s\n" : "%s (part %d)\n\n", first, part + 1)
				   : 0;

		if (part && head)
			size += fprintf(f, "%s", head);
		while (*line) {
			size_t length = strcspn(line, "\n");

			length += line[length] == '\n';
			if (size + length > PAGE_LIMIT)
				break;
			if (!csv && !strncmp(line, "|---", 4)) {
				free(head);
				head = xasprintf("%.*s", (int)(line + length - last), last);
			} else if (*line != '|') {
				free(head);
				head = NULL;
			}
			fwrite(line, 1, length, f);
			size += length;
			last = line;
			line += length;
		}
		fclose(f);
		part++;
		ret = save(r, file, &piece);
		free(piece.s);
		free(file);
	}
	free(head);
	free(first);
	return ret;
}

/* Each table of a page as CSV. */
static int save_tables(const struct view *r, const char *folder, const struct page *p)
{
	int ret = 0;

	for (int i = 0; !ret && i < p->blocks; i++) {
		const struct grid *g = p->block[i].grid;
		bool done = !g;
		struct text t;
		FILE *f;

		for (int k = 0; g && k < i; k++)
			done |= p->block[k].grid && !strcmp(p->block[k].grid->name, g->name);
		if (done)
			continue;
		f = text_open(&t);
		page_csv(p, g->name, f);
		fclose(f);
		ret = save_parts(r, folder, g->name, "csv", &t);
		free(t.s);
	}
	return ret;
}

static int save_page(const struct view *r, const char *folder, const struct page *p)
{
	const struct places at = { ".", "../plots" };
	struct text t;
	FILE *f = text_open(&t);
	int ret;

	fprintf(f, "# %s\n\n", p->question);
	page_render(p, f, RENDER_MARKDOWN, &at);
	fclose(f);
	ret = save_parts(r, folder, p->name, "md", &t);
	free(t.s);
	return ret ? ret : save_tables(r, folder, p);
}

/* The pages beside the first one, and a link to each; @folder is below the result or absolute. */
static int save_sheets(const struct view *r, const char *folder, struct page *first)
{
	int ret = 0;

	page_heading(first, "The rest");
	for (size_t i = 0; !ret && i < SHEETS; i++) {
		struct page p;

		if (!sheet_make(&sheets[i], &p, r))
			continue;
		page_link(first, p.name, p.question);
		if (folder)
			ret = save_page(r, folder, &p);
		page_free(&p);
	}
	return ret;
}

static int make_folder(const struct view *r, const char *name)
{
	char *path = *name == '/' ? xstrdup(name) : xasprintf("%s/%s", r->dir, name);
	int ret = mkdir(path, 0777) && errno != EEXIST;

	if (ret)
		fprintf(stderr, "sheafreport: %s: %s\n", path, strerror(errno));
	free(path);
	return ret;
}

/* Pages of before that this report has not would be taken for its own. */
static void clear_tables(const struct view *r)
{
	static const char *const ends[] = { ".md", ".csv", ".json" };
	char *path = xasprintf("%s/tables", r->dir);
	DIR *dir = opendir(path);
	struct dirent *one;

	while (dir && (one = readdir(dir))) {
		const char *end = strrchr(one->d_name, '.');

		for (size_t i = 0; end && i < ARRAY_SIZE(ends); i++)
			if (!strcmp(end, ends[i]))
				unlinkat(dirfd(dir), one->d_name, 0);
	}
	if (dir)
		closedir(dir);
	free(path);
}

static int save_json(const struct view *r, const char *name, const struct page *p)
{
	json_t *j = page_json(p);
	struct text t = { .s = json_dumps(j, JSON_INDENT(1) | JSON_REAL_PRECISION(12)) };
	int ret = 1;

	json_decref(j);
	if (t.s) {
		t.size = strlen(t.s);
		ret = save(r, name, &t);
	}
	free(t.s);
	return ret;
}

static int save_html(const struct view *r, const struct page *answer)
{
	struct page pages[SHEETS + 1] = { *answer };
	struct text t;
	FILE *f = text_open(&t);
	int n = 1, ret;

	for (size_t i = 0; i < SHEETS; i++)
		n += sheet_make(&sheets[i], &pages[n], r);
	html_write(f, r, pages, n);
	fclose(f);
	for (int i = 1; i < n; i++)
		page_free(&pages[i]);
	ret = save(r, "report.html", &t);
	free(t.s);
	return ret;
}

static void render_first(struct text *t, const struct page *p, const char *title,
			 const struct places *at)
{
	FILE *f = text_open(t);

	fprintf(f, "# %s\n\n", title);
	page_render(p, f, RENDER_MARKDOWN, at);
	fclose(f);
}

static int do_report(const struct view *r)
{
	struct page p;
	struct text t;
	int ret = make_folder(r, in_result.pages);

	page_answer(&p, r);
	if (!ret)
		clear_tables(r);
	if (!ret)
		ret = save_sheets(r, in_result.pages, &p);
	if (!ret)
		ret = save_tables(r, in_result.pages, &p) || save_json(r, "tables/report.json", &p);
	if (!ret)
		ret = save_html(r, &p);
	if (!ret) {
		render_first(&t, &p, "sheafbench report", &in_result);
		ret = save(r, "report.md", &t);
		free(t.s);
	}
	page_free(&p);
	return ret;
}

/* "list item ", in place of list. */
char *longer(char *list, const char *item)
{
	char *all = xasprintf("%s%s ", list, item);

	free(list);
	return all;
}

/* Results.md: the first page, links to the others beside it, and the plots. */
static int do_results_md(const struct view *r)
{
	const struct places at = { opt.see ? opt.see : "tables", "plots/published" };
	struct page p;
	struct text t;
	int ret = opt.pages ? make_folder(r, opt.pages) : 0;

	page_answer(&p, r);
	if (!ret)
		ret = save_sheets(r, opt.pages, &p);
	if (!ret && opt.pages)
		ret = save_tables(r, opt.pages, &p);
	if (!ret && r->certify) {
		struct doc d = { .style = DOC_MARKDOWN };

		page_link(&p, "certify", "From which size on does this machine show an effect?");
		d.f = text_open(&t);
		fprintf(d.f, "# From which size on does this machine show an effect?\n\n");
		certify_write(&d, r->certify);
		fclose(d.f);
		if (opt.pages)
			ret = save_parts(r, opt.pages, "certify", "md", &t);
		free(t.s);
	}
	if (!ret) {
		page_heading(&p, "Plots");
		for (size_t i = 1; i < ARRAY_SIZE(plots); i++)
			if (has_plot(r, plots[i].file))
				page_item(&p, "plots/published/%s: %s", plots[i].file,
					  plots[i].caption);
		render_first(&t, &p, "Results", &at);
		fwrite(t.s, 1, t.size, stdout);
		free(t.s);
	}
	page_free(&p);
	return ret;
}

static void show_page(struct page *p)
{
	printf("%s\n", p->question);
	for (const char *s = p->question; *s; s++)
		putchar('=');
	puts("\n");
	page_render(p, stdout, RENDER_MAIL, &in_result);
	page_free(p);
}

/* The pages that are asked for, as a terminal has room for them. */
static int show_pages(const struct view *r)
{
	const bool all = !strcmp(opt.page, "all");
	char *names = xstrdup("all ");
	bool any = all;
	struct page p;

	if (all) {
		page_short(&p, r);
		show_page(&p);
	}
	for (size_t i = 0; i < SHEETS; i++) {
		if (!sheet_make(&sheets[i], &p, r))
			continue;
		names = longer(names, p.name);
		if (all || !strcmp(opt.page, p.name)) {
			any = true;
			show_page(&p);
		} else {
			page_free(&p);
		}
	}
	if (!any)
		fprintf(stderr, "sheafreport: the result has no page '%s'; give one of: %s\n",
			shown(opt.page, 40).s, names);
	free(names);
	return any ? 0 : 2;
}

/* What stands at the end of a run: the answer, and where the rest is. */
static int do_show(const struct view *r)
{
	static const char *const files[] = { "report.md", "report.html", "reply.txt" };
	struct page p;

	if (opt.page)
		return show_pages(r);
	page_short(&p, r);
	page_render(&p, stdout, RENDER_MAIL, &in_result);
	page_free(&p);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		printf("%s/%s\n", r->dir, files[i]);
	return 0;
}

/* ---- the mail ---- */

/* The mail that is answered: its headers are those of a reply to it, and its words. */
struct asked {
	struct text text;
	char *subject, *in_reply_to, *references, *to, *cc, *who;
	const char *words;
};

/* The value of a header, which ends with its line. */
static char *header(const struct asked *a, const char *name)
{
	const size_t length = strlen(name);

	for (const char *s = a->text.s; s < a->words; s += strcspn(s, "\n") + 1)
		if (!strncmp(s, name, length) && s[length] == ':')
			return xasprintf("%.*s", (int)strcspn(s + length + 2, "\n"),
					 s + length + 2);
	return NULL;
}

static int read_asked(const struct view *r, struct asked *a)
{
	const char *end;

	if (!opt.mail)
		return 0;
	a->text = load(r, opt.mail);
	end = a->text.s ? strstr(a->text.s, "\n\n") : NULL;
	if (!end) {
		fprintf(stderr,
			"sheafreport: %s: not headers, a blank line and the words of a mail\n",
			opt.mail);
		return 1;
	}
	a->words = end + 2;
	a->subject = header(a, "Subject");
	a->in_reply_to = header(a, "In-Reply-To");
	a->references = header(a, "References");
	a->to = header(a, "To");
	a->cc = header(a, "Cc");
	a->who = header(a, "Wrote");
	return 0;
}

#define REPLY_LINES  90 /* of the whole text */
#define QUOTED_LINES 10

/* Words that were not quoted there, at most @most lines of them, none of which a mail client breaks. */
static void quote(FILE *f, const struct asked *a, int most)
{
	char *who = escape_mail(a->who ? a->who : "You");
	int lines = 0;

	if (a->words)
		fprintf(f, "%.*s wrote:\n", MAIL_COLUMNS - 7, who);
	free(who);
	if (!a->words)
		return;
	for (const char *s = a->words; *s && lines < most;) {
		const size_t length = strcspn(s, "\n");
		char *one = xasprintf("%.*s", (int)length, s), *line = escape_mail(one),
		     *rest = line;

		s += length + (s[length] == '\n');
		/* its signature, and what it quotes itself */
		if (!strcmp(line, "-- "))
			s += strlen(s);
		if (!strcmp(line, "-- ") || *line == '>')
			*rest = '\0';
		while (*(rest += strspn(rest, " ")) && lines < most) {
			int n = (int)strlen(rest), cut = n;

			if (n > MAIL_COLUMNS - 2) {
				for (cut = MAIL_COLUMNS - 2; cut > 1 && rest[cut] != ' ';)
					cut--;
				cut = cut > 1 ? cut : MAIL_COLUMNS - 2;
			}
			for (n = cut; n > 1 && rest[n - 1] == ' ';)
				n--;
			fprintf(f, "> %.*s\n", n, rest);
			rest += cut;
			lines++;
		}
		if (lines == most && (*rest || *s))
			fputs("> [...]\n", f);
		free(line);
		free(one);
	}
	putc('\n', f);
}

/* The attachments that there is room for, encoded, and the names of the others. */
struct parts {
	struct text part[ARRAY_SIZE(plots) + 2];
	int n;
	size_t room;
	char *left_out;
	int images_left; /* of those */
};

static void attach(struct parts *all, const struct mail *m, const char *name, const char *type,
		   const struct text *file)
{
	struct text *part = &all->part[all->n];
	char *longer;
	FILE *to;

	if (!file->s)
		return;
	to = text_open(part);
	mail_attach(to, m, name, type, file->s, file->size);
	fclose(to);
	if (part->size <= all->room) {
		all->room -= part->size;
		all->n++;
		return;
	}
	free(part->s);
	all->images_left += !strcmp(type, "image/png");
	longer = all->left_out ? xasprintf("%s, %s", all->left_out, name) : xstrdup(name);
	free(all->left_out);
	all->left_out = longer;
}

/* The plots that decide come first, then the report and the numbers, then what else there is room for. */
static void attach_all(struct parts *all, const struct mail *m, const struct view *r)
{
	struct text report = load(r, "report.md");
	/* nine digits and indents are for programs and editors; a mail has room for less, and that has no sum */
	json_t *shorter = json_copy(r->root);
	struct text summary = { NULL };
	int images = 0;

	json_object_del(shorter, "sha256");
	summary.s = json_dumps(shorter, JSON_COMPACT | JSON_REAL_PRECISION(6));
	json_decref(shorter);
	summary.size = summary.s ? strlen(summary.s) : 0;
	for (size_t i = 0; i < ARRAY_SIZE(plots); i++) {
		char *name = xasprintf("plots/%s", plots[i].file);
		struct text plot = load(r, name);

		if (i == DECIDING_PLOTS) {
			attach(all, m, "report.md", "text/markdown", &report);
			attach(all, m, "summary.json", "application/json", &summary);
		}
		attach(all, m, plots[i].file, "image/png", &plot);
		images += !!plot.s;
		free(plot.s);
		free(name);
	}
	if (!report.s)
		fprintf(stderr,
			"sheafreport: %s/report.md is missing, so reply.eml does not attach it; "
			"run sheafreport report\n",
			r->dir);
	if (!images)
		fprintf(stderr,
			"sheafreport: %s/plots has no PNG, so reply.eml attaches none; draw them "
			"first\n",
			r->dir);
	free(report.s);
	free(summary.s);
}

static int lines_of(const struct text *t)
{
	int n = 0;

	for (size_t i = 0; i < t->size; i++)
		n += t->s[i] == '\n';
	return n;
}

/* @fold: in the last resort plots that are not attached are not named one by one. */
static void write_answer(struct text *t, const struct view *r, const struct parts *all, bool figure,
			 bool fold)
{
	struct page p;
	FILE *f = text_open(t);

	page_reply(&p, r, figure);
	if (all->left_out && fold && all->images_left > 1)
		page_text(&p, "Not attached: %d of the plots%s.", all->images_left,
			  strstr(all->left_out, "summary.json") ? ", summary.json" : "");
	else if (all->left_out)
		page_text(&p, "Not attached, since a mail has to stay below %d kB: %s.",
			  MAIL_LIMIT / 1000, all->left_out);
	page_render(&p, f, RENDER_MAIL, &in_result);
	page_free(&p);
	fclose(f);
	/* no blank line at the end */
	while (t->size > 1 && t->s[t->size - 2] == '\n')
		t->s[--t->size] = '\0';
}

/* The figure is left out where there is no room for it, since it is attached; the quote has what is left. */
static void write_body(struct text *t, const struct view *r, const struct asked *a,
		       const struct parts *all)
{
	const int least = a->words ? 6 : 0;
	struct text answer;
	int room;
	FILE *f;

	write_answer(&answer, r, all, true, false);
	for (int fold = 0; fold < 2 && lines_of(&answer) + least > REPLY_LINES; fold++) {
		free(answer.s);
		write_answer(&answer, r, all, false, fold);
	}
	room = REPLY_LINES - lines_of(&answer) - 3;
	f = text_open(t);
	quote(f, a, room < 3 ? 3 : room > QUOTED_LINES ? QUOTED_LINES : room);
	fwrite(answer.s, 1, answer.size, f);
	fclose(f);
	free(answer.s);
}

static int do_reply(const struct view *r)
{
	struct asked a = { 0 };
	struct parts all = { .room = MAIL_LIMIT - 16000 };
	struct mail m = { .boundary = "=_sheafbench_=_part" };
	char *subject = NULL;
	struct text body, mail;
	FILE *f;
	int ret = read_asked(r, &a);

	if (ret)
		return ret;
	if (opt.series)
		subject = xasprintf("Re: %s", opt.series);
	m.subject = a.subject ? a.subject : subject ? subject : SUBJECT;
	m.to = a.to;
	m.cc = a.cc;
	if (a.in_reply_to || !opt.series) {
		m.in_reply_to = a.in_reply_to ? a.in_reply_to : "<" PATCHES_MSGID ">";
		m.references = a.references ? a.references : m.in_reply_to;
	}
	attach_all(&all, &m, r);
	write_body(&body, r, &a, &all);
	f = text_open(&mail);
	mail_start(f, &m, body.s);
	for (int i = 0; i < all.n; i++)
		fwrite(all.part[i].s, 1, all.part[i].size, f);
	mail_end(f, &m);
	fclose(f);
	ret = save(r, "reply.txt", &body) || save(r, "reply.eml", &mail);
	for (int i = 0; i < all.n; i++)
		free(all.part[i].s);
	free(all.left_out);
	free(body.s);
	free(mail.s);
	free(subject);
	free(a.text.s);
	free(a.subject);
	free(a.in_reply_to);
	free(a.references);
	free(a.to);
	free(a.cc);
	free(a.who);
	return ret;
}

static const struct {
	const char *name, *args, *help;
	int (*run)(const struct view *r);
} commands[] = {
	{ "report", "RESULT", "writes report.md, report.html and tables/ into RESULT", do_report },
	{ "reply", "RESULT", "writes reply.txt and reply.eml; --mail FILE is what is answered",
	  do_reply },
	{ "show", "RESULT", "prints the answer; --page NAME: one of tables/, or all", do_show },
	{ "results-md", "RESULT", "prints Results.md; --pages FOLDER --see NAME --certify FILE",
	  do_results_md },
	{ "plotvars", "RESULT", "prints the variables of the gnuplot scripts", do_plotvars },
};

static const struct {
	const char *name;
	const char **to;
} options[] = {
	{ "--series", &opt.series }, { "--mail", &opt.mail }, { "--certify", &opt.certify },
	{ "--pages", &opt.pages },   { "--see", &opt.see },   { "--page", &opt.page },
};

static int usage(FILE *f)
{
	fprintf(f, "usage: sheafreport COMMAND RESULT [OPTION VALUE]…\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(f, "  %-10s %-8s  %s\n", commands[i].name, commands[i].args,
			commands[i].help);
	fprintf(f, "  --series \"NAME…\"     speaks of these changes only\n");
	return f == stdout ? 0 : 2;
}

static bool take_options(int argc, char **argv)
{
	memset(&opt, 0, sizeof(opt));
	for (int k = 3; k < argc; k += 2) {
		size_t i = 0;

		while (i < ARRAY_SIZE(options) && strcmp(argv[k], options[i].name) != 0)
			i++;
		if (i == ARRAY_SIZE(options) || k + 1 == argc)
			return false;
		*options[i].to = argv[k + 1];
	}
	return true;
}

int main(int argc, char **argv)
{
	struct view r;
	size_t i = 0;
	int ret;

	if (argc == 2 && !strcmp(argv[1], "--help"))
		return usage(stdout);
	while (argc > 2 && i < ARRAY_SIZE(commands) && strcmp(argv[1], commands[i].name) != 0)
		i++;
	if (argc < 3 || i == ARRAY_SIZE(commands) || !take_options(argc, argv))
		return usage(stderr);
	ret = view_open(&r, argv[2]);
	if (!ret && opt.series)
		ret = view_only(&r, opt.series);
	if (!ret && opt.certify)
		ret = view_certify(&r, opt.certify);
	if (!ret)
		ret = commands[i].run(&r);
	if (!ret && (fflush(stdout) || ferror(stdout))) {
		fprintf(stderr, "sheafreport: cannot write standard output: %s\n", strerror(errno));
		ret = 1;
	}
	view_close(&r);
	return ret;
}
