/*
 * policy_parse.c - text of one rule file -> rules as token lists.
 *
 * A line is a comment, a section tag, an assignment or a rule; a rule is split into
 * words the way iptables-restore does, with variables substituted on the way. What the
 * words mean is not looked at here. After an error the next line is read as usual.
 */
#include "aclserver/policy.h"

#include <stdint.h>
#include <string.h>

#include "aclserver/policy_text.h"

/* Where the present line stands; the first members are those of enum policy_section. */
enum place_in_file {
	IN_IPTABLES = POLICY_SECTION_IPTABLES,
	IN_IP6TABLES = POLICY_SECTION_IP6TABLES,
	IN_EBTABLES = POLICY_SECTION_EBTABLES,
	IN_NONE,    /* above the first tag */
	IN_UNKNOWN, /* below a tag that was an error: rules are checked, not kept */
};

static const char *const tags[] = {
	[IN_IPTABLES] = "iptables",
	[IN_IP6TABLES] = "ip6tables",
	[IN_EBTABLES] = "ebtables",
};

struct parser {
	struct policy_text text;
	enum place_in_file place;
	struct policy_rules *rules; /* the caller's */
};

/* The words of one rule. Their text stands in policy_text.out, each with a NUL behind
 * it. */
struct words {
	struct wbuf *out;
	size_t start[POLICY_TOKENS_MAX];
	bool quoted[POLICY_TOKENS_MAX];
	size_t n;         /* words begun */
	bool open;        /* the last of them is not complete */
	bool ended_comma; /* the last one ended in a comma outside quotes */
	bool too_many;    /* there were more than POLICY_TOKENS_MAX */
	bool failed;      /* a variable could not be substituted */
};

/* True if the last word is an option, to which no list item can be joined. */
static bool
last_is_option(const struct words *w)
{
	size_t start = w->start[w->n - 1];

	return !w->quoted[w->n - 1] && w->out->data[start] == '-';
}

/* Blanks beside a comma do not separate: "INPUT, FORWARD" and "INPUT ,FORWARD" are one
 * word. An option behind a dangling comma is not swallowed, so that the empty list item
 * can be reported as such. */
static bool
continues_list(const struct words *w, char first)
{
	if (w->n == 0)
		return false;
	if (w->ended_comma)
		return first != '-' && first != '!';
	return first == ',' && !last_is_option(w);
}

/* Be inside a word, of which @first is the next byte. */
static void
words_open(struct words *w, char first)
{
	/* After an overflow there is no text to look at; the rule is an error anyway.
	 */
	if (w->open || !wbuf_ok(w->out))
		return;
	w->open = true;
	if (continues_list(w, first)) {
		/* Take the NUL back. */
		wbuf_rewind(w->out, w->out->len - 1);
		return;
	}
	if (w->n == POLICY_TOKENS_MAX) {
		w->too_many = true;
		return;
	}
	w->start[w->n] = w->out->len;
	w->quoted[w->n] = first == '"' || first == '\'';
	w->n++;
}

/* One byte outside quotes. */
static void
words_put(struct words *w, char c)
{
	if (!policy_text_is_blank(c)) {
		words_open(w, c);
		wbuf_put_u8(w->out, (uint8_t)c);
		w->ended_comma = c == ',';
	} else if (w->open) {
		wbuf_put_u8(w->out, '\0');
		w->open = false;
	}
}

/* The quoted text that begins at @s.text[@pos]; it is known to end. Returns the
 * position behind it. */
static size_t
split_quoted(struct policy_text *t, struct policy_span s, size_t pos, struct words *w)
{
	char quote = s.text[pos++];

	words_open(w, quote);
	w->ended_comma = false;
	while (s.text[pos] != quote) {
		const char *value;

		if (s.text[pos] == '$' && quote == '"') {
			pos += policy_text_substitute(t, s, pos, true, &value);
			w->failed = w->failed || !value;
			if (value)
				wbuf_put_bytes(w->out, value, strlen(value));
			continue;
		}
		if (s.text[pos] == '\\' && quote == '"')
			pos++;
		wbuf_put_u8(w->out, (uint8_t)s.text[pos++]);
	}
	return pos + 1;
}

/* Split the rule @s, whose quotes are balanced, into words. */
static void
split(struct policy_text *t, struct policy_span s, struct words *w)
{
	wbuf_rewind(&t->out, 0);
	w->out = &t->out;
	for (size_t pos = 0; pos < s.len;) {
		const char *value;
		char c = s.text[pos];

		if (c == '"' || c == '\'') {
			pos = split_quoted(t, s, pos, w);
		} else if (c == '$') {
			pos += policy_text_substitute(t, s, pos, false, &value);
			w->failed = w->failed || !value;
			for (; value && *value; value++)
				words_put(w, *value);
		} else {
			words_put(w, c);
			pos++;
		}
	}
	words_put(w, ' ');
}

/* Append the rule @written that consists of @w. */
static void
keep_rule(struct parser *p, struct policy_span written, const struct words *w)
{
	struct policy_text *t = &p->text;
	struct policy_rule rule = {
		.section = (enum policy_section)p->place,
		.line = t->line,
		.n_tokens = w->n,
	};
	const char *words;

	rule.text = arena_strndup(t->arena, written.text, written.len);
	words = arena_strndup(t->arena, (const char *)t->out.data, t->out.len);
	rule.tokens = arena_alloc(t->arena, w->n * sizeof(*rule.tokens));
	if (!rule.text || !words || !rule.tokens ||
		!policy_rules_reserve(p->rules, 1, t->arena)) {
		t->out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < w->n; i++) {
		rule.tokens[i].text = words + w->start[i];
		rule.tokens[i].quoted = w->quoted[i];
	}
	p->rules->items[p->rules->n++] = rule;
	p->rules->n_tokens += w->n;
}

static void
rule_line(struct parser *p, struct policy_span line)
{
	struct policy_text *t = &p->text;
	struct words words = { 0 };

	if (!policy_span_strip_comment(&line)) {
		policy_text_error(t, "quote without end");
		return;
	}
	/* From here on the rule is what messages show. */
	t->written = line;
	split(t, line, &words);
	if (!policy_text_account(t) || words.failed)
		return;
	if (words.too_many)
		policy_text_error(t, "more than %d words", POLICY_TOKENS_MAX);
	else if (p->place == IN_NONE)
		policy_text_error(t, "rule above the first section: "
				     "[iptables], [ip6tables] or [ebtables]");
	else if (p->place != IN_UNKNOWN)
		keep_rule(p, line, &words);
}

/* A line that begins with '['. Returns what follows the tag. */
static struct policy_span
tag_line(struct parser *p, struct policy_span line)
{
	const char *end = memchr(line.text, ']', line.len);
	struct policy_span tag = { line.text + 1, 0 };
	struct policy_span rest = { 0 };

	p->place = IN_UNKNOWN;
	if (!end) {
		policy_text_error(&p->text, "section tag without ']'");
		return rest;
	}
	tag.len = (size_t)(end - tag.text);
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		if (policy_span_equals(tag, tags[i]))
			p->place = (enum place_in_file)i;
	}
	if (p->place == IN_UNKNOWN)
		policy_text_error(&p->text,
			"unknown section, not [iptables], [ip6tables] or [ebtables]");
	rest.text = end + 1;
	rest.len = line.len - tag.len - 2;
	return policy_span_trim(rest);
}

static void
line_parse(struct parser *p, struct policy_span line)
{
	struct policy_span name, value;

	if (line.text[0] == '[') {
		line = tag_line(p, line);
		if (line.len == 0 || line.text[0] == '#')
			return;
	}
	if (policy_text_split_assignment(line, &name, &value))
		policy_text_assign(&p->text, name, value);
	else if (strchr("-!$", line.text[0]))
		rule_line(p, line);
	else
		policy_text_error(&p->text,
			"expected [SECTION], NAME = VALUE, or a rule from its first "
			"option on (\"-A ...\" or \"-t ...\")");
}

int
policy_parse(const char *file, const char *text, size_t len,
	const struct policy_vars *inherited, struct arena *arena,
	struct policy_rules *ret, struct diags *diags)
{
	struct parser p = { .place = IN_NONE, .rules = ret };
	struct policy_span line;
	int result;

	*ret = (struct policy_rules){ 0 };
	result = policy_text_init(
		&p.text, file, (struct policy_span){ text, len }, arena, diags);
	p.text.inherited = inherited;
	while (result == 0 && policy_text_next(&p.text, &line))
		line_parse(&p, line);
	if (result == 0)
		result = policy_text_result(&p.text);
	policy_text_done(&p.text);
	return result;
}
