// SPDX-License-Identifier: GPL-2.0
/* The pages as one HTML file, which needs no network: tables sort by their heads and filter by a word. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "sections.h"

static const char style[] =
	":root{color-scheme:light "
	"dark;--ink:#1b1b1b;--paper:#fff;--rule:#ccc;--soft:#f2f2f2;--blue:#0072b2}"
	"@media(prefers-color-scheme:dark){:root{--ink:#e4e4e4;--paper:#161616;--rule:#444;--soft:#"
	"242424;"
	"--blue:#56b4e9}}"
	"body{font:16px/1.45 sans-serif;color:var(--ink);background:var(--paper);margin:1rem auto;"
	"max-width:72rem;padding:0 1rem}"
	"div.t{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem;margin:.5rem 0}"
	"th,td{border-bottom:1px solid var(--rule);padding:.15rem "
	".6rem;text-align:left;white-space:nowrap}"
	"th{cursor:pointer;background:var(--soft)}td.n,th.n{text-align:right}td.w{white-space:"
	"normal}"
	"summary{font-size:1.1rem;font-weight:bold;margin:.6rem 0;cursor:pointer}"
	"tr:hover "
	"td{background:var(--soft)}pre{white-space:pre-wrap;background:var(--soft);padding:.5rem}"
	"svg "
	"text{fill:var(--ink);font-size:13px}#filter{position:sticky;top:0;background:var(--paper);"
	"padding:.4rem 0}input{font:inherit;padding:.2rem .4rem;width:20rem;max-width:90%}";

static const char script[] =
	"document.querySelectorAll('th').forEach(h=>h.onclick=()=>{const t=h.closest('table'),"
	"b=t.tBodies[0],c=h.cellIndex,d=h.dataset.d=h.dataset.d==='1'?'-1':'1',"
	"v=r=>r.cells[c].dataset.v??r.cells[c].textContent;"
	"[...b.rows].sort((x,y)=>{const p=v(x),q=v(y),n=p-q;"
	"return d*(p===''||q===''?(p==='')-(q===''):isNaN(n)?p.localeCompare(q):n)})"
	".forEach(r=>b.append(r))});"
	"document.getElementById('word').oninput=e=>{const w=e.target.value.toLowerCase();"
	"if(w)document.querySelectorAll('details').forEach(x=>x.open=true);"
	"document.querySelectorAll('tbody tr,svg g').forEach(r=>{"
	"r.style.display=(r.dataset.k||r.textContent).toLowerCase().includes(w)?'':'none'})};";

static void text(FILE *f, const char *s)
{
	for (; *s; s++) {
		if (*s == '&')
			fputs("&amp;", f);
		else if (*s == '<')
			fputs("&lt;", f);
		else if (*s == '>')
			fputs("&gt;", f);
		else if (*s == '"')
			fputs("&quot;", f);
		else
			putc((unsigned char)*s < ' ' ? ' ' : *s, f);
	}
}

static void html_cell(FILE *f, const struct grid *g, const struct cell *c, int col)
{
	char *shown = cell_text(c, false);
	const bool right = g->head[col][0] == '>';

	fprintf(f, "<td class=%s", right ? "n" : strlen(shown) > 40 ? "w" : "x");
	if (c->kind != CELL_TEXT && !isnan(c->value))
		fprintf(f, " data-v=\"%.12g\"", c->value);
	else if (right)
		fputs(" data-v=\"\"", f);
	if (c->note) {
		fputs(" title=\"", f);
		text(f, c->note);
		putc('"', f);
	}
	putc('>', f);
	text(f, shown);
	fputs(c->note ? " *" : "", f);
	free(shown);
}

static void html_row(FILE *f, const struct grid *g, int row)
{
	fputs("<tr>", f);
	for (int k = 0; k < g->keys; k++) {
		fputs("<td>", f);
		text(f, g->key[k].value);
	}
	for (int c = 0; c < g->cols; c++)
		html_cell(f, g, &g->row[row].cell[c], c);
	putc('\n', f);
}

/* Tables of one name are one, so that they can be sorted and filtered: their keys are its first columns. */
static void html_table(FILE *f, const struct page *p, int at)
{
	const struct grid *g = p->block[at].grid;

	for (int i = 0; i < at; i++)
		if (p->block[i].grid && !strcmp(p->block[i].grid->name, g->name))
			return;
	fputs("<div class=t><table><thead><tr>", f);
	for (int k = 0; k < g->keys; k++) {
		fputs("<th>", f);
		text(f, g->key[k].name);
	}
	for (int c = 0; c < g->cols; c++) {
		fputs(g->head[c][0] == '>' ? "<th class=n>" : "<th>", f);
		text(f, g->head[c] + (g->head[c][0] == '>'));
	}
	fputs("</thead><tbody>\n", f);
	for (int i = at; i < p->blocks; i++) {
		const struct grid *other = p->block[i].grid;

		for (int r = 0; other && !strcmp(other->name, g->name) && r < other->rows; r++)
			html_row(f, other, r);
	}
	fputs("</tbody></table></div>\n", f);
}

/* The effects of the first workload, each with its numbers as a title that comes up under the pointer. */
static void html_figure(FILE *f, const struct view *r)
{
	struct group all = view_group(r, 0), g = group_headline(&all);
	const double limit = plot_limit(r, true);
	double lo = 0, hi = 0, scale;
	int y = 10;

	for (size_t i = 0; i < g.count; i++) {
		const struct effect *e = &g.first[i];

		lo = fmin(lo, fmax(-limit, isnan(e->ci.lo) ? e->effect : e->ci.lo));
		hi = fmax(hi, fmin(limit, isnan(e->ci.hi) ? e->effect : e->ci.hi));
	}
	scale = hi > lo ? 420 / (hi - lo) : 1;
	fprintf(f,
		"<svg viewBox=\"0 0 800 %zu\" role=img><title>%s, %s more than with %s; lower is "
		"better</title><line x1=\"%.1f\" x2=\"%.1f\" y1=0 y2=\"%zu\" "
		"stroke=\"currentColor\"/>\n",
		g.count * 26 + 12, g.first->workload, unit_long(g.first->metric), g.first->baseline,
		200 - lo * scale, 200 - lo * scale, g.count * 26 + 8);
	for (size_t i = 0; i < g.count; i++, y += 26) {
		const struct effect *e = &g.first[i];
		double at = fmin(hi, fmax(lo, e->effect)), from = isnan(e->ci.lo) ? at : e->ci.lo,
		       to = isnan(e->ci.hi) ? at : e->ci.hi;

		from = 200 + (fmin(hi, fmax(lo, from)) - lo) * scale;
		to = 200 + (fmin(hi, fmax(lo, to)) - lo) * scale;
		fputs("<g data-k=\"", f);
		text(f, e->variant);
		putc(' ', f);
		text(f, e->workload);
		fputs("\"><title>", f);
		text(f, e->variant);
		fprintf(f, ": %s %s %s</title><text x=0 y=\"%d\">", number(e->effect, 2, true).s,
			interval(e->ci, 2, true).s, unit_long(e->metric), y + 5);
		text(f, e->variant);
		fprintf(f,
			"</text><line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" "
			"stroke=\"var(--blue)\" "
			"stroke-width=3 /><circle cx=\"%.1f\" cy=\"%d\" r=5 fill=\"var(--blue)\" />"
			"<text x=640 y=\"%d\">%s%s</text></g>\n",
			from, to, y, y, 200 + (at - lo) * scale, y, y + 5,
			number(e->effect, 2, true).s,
			e->effect > hi	 ? " →"
			: e->effect < lo ? " ←"
					 : "");
	}
	fputs("</svg>\n", f);
}

static void html_block(FILE *f, const struct view *r, const struct page *p, int i)
{
	static const char *const tags[] = {
		[BLOCK_HEADING] = "h2",
		[BLOCK_TEXT] = "p",
		[BLOCK_ITEM] = "li",
		[BLOCK_COMMAND] = "pre",
	};
	const struct block *b = &p->block[i];

	if (b->kind == BLOCK_TABLE) {
		html_table(f, p, i);
	} else if (b->kind == BLOCK_FIGURE) {
		if (strcmp(b->file, "effects.png") != 0)
			return;
		fputs("<p>", f);
		text(f, b->text);
		fputs(". The pointer over one shows its numbers.</p>", f);
		html_figure(f, r);
	} else if (b->kind != BLOCK_LINK) {
		fprintf(f, "<%s>", tags[b->kind]);
		text(f, b->text);
		fprintf(f, "</%s>\n", tags[b->kind]);
	}
}

void html_write(FILE *f, const struct view *r, const struct page *page, int pages)
{
	fputs("<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport "
	      "content=\"width=device-width\"><title>sheafbench ",
	      f);
	text(f, r->id ? r->id : "");
	fprintf(f,
		"</title><style>%s</style><h1>What does each scheme cost, and what does it "
		"buy?</h1>"
		"<p id=filter><label>Rows with <input id=word> (a workload or a variant).</label> "
		"A "
		"table sorts "
		"by the head that is clicked.</p>\n",
		style);
	for (int i = 0; i < pages; i++) {
		if (i) {
			fputs("<details><summary>", f);
			text(f, page[i].question);
			fputs("</summary>\n", f);
		}
		for (int b = 0; b < page[i].blocks; b++)
			html_block(f, r, &page[i], b);
		fputs(i ? "</details>\n" : "", f);
	}
	fprintf(f, "<script>%s</script></html>\n", script);
}
