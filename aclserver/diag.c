/*
 * diag.c - a bounded list of problems, each tied to file, line and the rule as written.
 *
 * The list never fails to report: what cannot be kept, for lack of room or memory, is
 * still counted. State module: no I/O, no log.
 */
#include "aclserver/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
diags_init(struct diags *d)
{
	*d = (struct diags){ 0 };
}

static void
diag_done(struct diag *item)
{
	free(item->file);
	free(item->reason);
	free(item->rule);
}

void
diags_done(struct diags *d)
{
	for (size_t i = 0; i < d->n; i++)
		diag_done(&d->items[i]);
	free(d->items);
	diags_init(d);
}

/* One line for a terminal or a log: the texts come from files that anybody may have
 * written. Bytes above 0x7f stay, they may be UTF-8. */
static void
mask_controls(char *text)
{
	for (; text && *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
	}
}

/* Room for one more item: the array grows by doubling. */
static bool
reserve(struct diags *d)
{
	struct diag *items;

	if (d->n >= DIAGS_MAX)
		return false;
	if (d->n & (d->n - 1) || d->n == 1)
		return true;
	items = reallocarray(d->items, d->n ? 2 * d->n : 2, sizeof(*items));
	if (!items)
		return false;
	d->items = items;
	return true;
}

/* Take @item over: into the list, or freed and counted as omitted. */
static void
keep(struct diags *d, struct diag *item)
{
	if (!reserve(d)) {
		diag_done(item);
		d->omitted++;
		return;
	}
	d->items[d->n++] = *item;
}

static void
count(struct diags *d, enum diag_severity severity)
{
	if (severity == DIAG_ERROR)
		d->errors++;
	else
		d->warnings++;
}

void
diags_add(struct diags *d, enum diag_severity severity, const char *file, int line,
	const char *rule, const char *fmt, ...)
{
	struct diag item = { .severity = severity, .line = line };
	va_list args;

	count(d, severity);
	/* Nothing is formatted in vain when a hostile file has thousands of errors. */
	if (d->n >= DIAGS_MAX) {
		d->omitted++;
		return;
	}
	va_start(args, fmt);
	if (vasprintf(&item.reason, fmt, args) < 0)
		item.reason = NULL;
	va_end(args);
	item.file = strdup(file);
	item.rule = rule ? strdup(rule) : NULL;
	if (!item.reason || !item.file || (rule && !item.rule)) {
		diag_done(&item);
		d->omitted++;
		return;
	}
	mask_controls(item.reason);
	mask_controls(item.file);
	mask_controls(item.rule);
	keep(d, &item);
}

void
diags_move(struct diags *to, struct diags *from)
{
	to->errors += from->errors;
	to->warnings += from->warnings;
	to->omitted += from->omitted;
	for (size_t i = 0; i < from->n; i++)
		keep(to, &from->items[i]);
	free(from->items);
	diags_init(from);
}

char *
diag_format(const struct diag *d)
{
	const char *severity = d->severity == DIAG_ERROR ? "" : "warning: ";
	const char *rule_sep = d->rule ? ": " : "";
	const char *rule = d->rule ? d->rule : "";
	char line[16] = "";
	char *text;

	if (d->line > 0)
		(void)snprintf(line, sizeof(line), ":%d", d->line); /* 12 at most */
	if (asprintf(&text, "%s%s%s%s%s%s%s", d->file, line, d->file[0] ? ": " : "",
		    severity, d->reason, rule_sep, rule) < 0)
		return NULL;
	return text;
}
