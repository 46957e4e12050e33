/*
 * policy_text.c - what policy.conf and rule files have in common: lines, comments,
 * errors. Variables are in policy_vars.c.
 */
#include "aclserver/policy_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

bool
policy_text_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct policy_span
policy_span_trim(struct policy_span s)
{
	while (s.len && policy_text_is_blank(s.text[0])) {
		s.text++;
		s.len--;
	}
	while (s.len && policy_text_is_blank(s.text[s.len - 1]))
		s.len--;
	return s;
}

bool
policy_span_equals(struct policy_span s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.text, text, s.len) == 0;
}

bool
policy_span_strip_comment(struct policy_span *s)
{
	struct policy_span kept = *s;
	char quote = '\0';

	for (size_t i = 0; i < s->len; i++) {
		char c = s->text[i];

		if (quote == '"' && c == '\\') {
			i++;
		} else if (quote) {
			quote = c == quote ? '\0' : quote;
		} else if (c == '"' || c == '\'') {
			quote = c;
		} else if (c == '#' &&
			   (i == 0 || policy_text_is_blank(s->text[i - 1]))) {
			kept.len = i;
			break;
		}
	}
	if (quote)
		return false;
	*s = policy_span_trim(kept);
	return true;
}

int
policy_text_init(struct policy_text *t, const char *file, struct policy_span all,
	struct arena *arena, struct diags *diags)
{
	void *out;

	*t = (struct policy_text){
		.file = file,
		.all = all,
		.arena = arena,
		.diags = diags,
	};
	if (all.len > POLICY_FILE_MAX) {
		policy_text_error(t, "file of %zu bytes is larger than %d", all.len,
			POLICY_FILE_MAX);
		return -EINVAL;
	}
	/* Some editors put a byte order mark in front of UTF-8. */
	if (all.len >= 3 && memcmp(all.text, "\xef\xbb\xbf", 3) == 0)
		t->pos = 3;
	/* One more for the NUL behind the last token of a line of full length. */
	out = malloc(POLICY_LINE_MAX + 1);
	if (!out)
		return -ENOMEM;
	wbuf_init(&t->out, out, POLICY_LINE_MAX + 1);
	return 0;
}

void
policy_text_done(struct policy_text *t)
{
	free(t->out.data);
	free(t->assigned);
}

int
policy_text_result(const struct policy_text *t)
{
	if (t->out_of_memory)
		return -ENOMEM;
	return t->failed ? -EINVAL : 0;
}

void
policy_text_error(struct policy_text *t, const char *fmt, ...)
{
	AUTO_FREE char *rule = NULL;
	char reason[512];
	va_list args;

	t->failed = true;
	va_start(args, fmt);
	(void)vsnprintf(reason, sizeof(reason), fmt, args); /* cut if it is longer */
	va_end(args);
	/* Without memory for the line the message still goes out, without it. */
	if (t->written.len)
		rule = strndup(t->written.text, t->written.len);
	diags_add(t->diags, DIAG_ERROR, t->file, t->line, rule, "%s", reason);
}

bool
policy_text_raw_next(const struct policy_text *t, size_t *pos, struct policy_span *ret)
{
	const char *from = t->all.text + *pos;
	size_t left = t->all.len - *pos;
	const char *end;

	if (left == 0)
		return false;
	end = memchr(from, '\n', left);
	ret->text = from;
	ret->len = end ? (size_t)(end - from) : left;
	*pos += ret->len + (end ? 1 : 0);
	/* Files that were edited on Windows end lines in CR LF. */
	if (ret->len && from[ret->len - 1] == '\r')
		ret->len--;
	return true;
}

/* True if @line can be parsed; else why not was reported. */
static bool
check_line(struct policy_text *t, struct policy_span line)
{
	if (line.len > POLICY_LINE_MAX) {
		policy_text_error(t, "line of %zu bytes is longer than %d", line.len,
			POLICY_LINE_MAX);
		return false;
	}
	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.text[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f) {
			policy_text_error(
				t, "control character 0x%02x in column %zu", c, i + 1);
			return false;
		}
	}
	return true;
}

bool
policy_text_next(struct policy_text *t, struct policy_span *ret)
{
	struct policy_span line;

	while (!t->out_of_memory && t->substituted <= POLICY_TEXT_MAX &&
		policy_text_raw_next(t, &t->pos, &line)) {
		t->line++;
		t->written = (struct policy_span){ 0 };
		if (!check_line(t, line))
			continue;
		line = policy_span_trim(line);
		if (line.len == 0 || line.text[0] == '#')
			continue;
		t->written = line;
		*ret = line;
		return true;
	}
	return false;
}

bool
policy_text_account(struct policy_text *t)
{
	if (!wbuf_ok(&t->out)) {
		policy_text_error(
			t, "longer than %d bytes with its variables", POLICY_LINE_MAX);
		return false;
	}
	t->substituted += t->out.len;
	if (t->substituted <= POLICY_TEXT_MAX)
		return true;
	policy_text_error(t,
		"the file is longer than %d bytes with its variables; "
		"what follows was not read",
		POLICY_TEXT_MAX);
	return false;
}

bool
policy_rules_reserve(struct policy_rules *rules, size_t n, struct arena *arena)
{
	size_t size = rules->size ? rules->size : 4;
	struct policy_rule *items;

	if (rules->size - rules->n >= n)
		return true;
	while (size - rules->n < n)
		size *= 2;
	items = arena_alloc(arena, size * sizeof(*items));
	if (!items)
		return false;
	if (rules->n)
		memcpy(items, rules->items, rules->n * sizeof(*items));
	rules->items = items;
	rules->size = size;
	return true;
}
