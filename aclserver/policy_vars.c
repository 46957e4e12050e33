/*
 * policy_vars.c - the variables of policy.conf and of rule files.
 *
 * They are substituted when they are assigned, so a value never holds a reference and
 * there is no recursion. Everything that a file can make large is bounded by the limits
 * in policy.h.
 */
#include "aclserver/policy_text.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

struct policy_assigned {
	struct policy_span name;
	int line;
};

static bool
is_name_byte(char c, bool first)
{
	if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_')
		return true;
	return c >= '0' && c <= '9' && !first;
}

/* Length of the variable name that @s begins with; 0 for none. */
static size_t
name_len(struct policy_span s)
{
	size_t n = 0;

	while (n < s.len && is_name_byte(s.text[n], n == 0))
		n++;
	return n;
}

bool
policy_is_var_name(const char *name, size_t len)
{
	return len > 0 && name_len((struct policy_span){ name, len }) == len;
}

/* Order of two names in byte order, as strcmp() has it. */
static int
span_cmp(struct policy_span a, struct policy_span b)
{
	int order = memcmp(a.text, b.text, a.len < b.len ? a.len : b.len);

	if (order == 0 && a.len != b.len)
		order = a.len < b.len ? -1 : 1;
	return order;
}

/* Index of the first variable that is not before @name. */
static size_t
vars_lower_bound(const struct policy_vars *vars, struct policy_span name)
{
	size_t low = 0, high = vars->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *text = vars->items[middle].name;

		if (span_cmp((struct policy_span){ text, strlen(text) }, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct policy_var *
vars_find(const struct policy_vars *vars, struct policy_span name)
{
	size_t i = vars ? vars_lower_bound(vars, name) : 0;

	if (!vars || i == vars->n || !policy_span_equals(name, vars->items[i].name))
		return NULL;
	return &vars->items[i];
}

bool
policy_text_split_assignment(struct policy_span line, struct policy_span *ret_name,
	struct policy_span *ret_value)
{
	struct policy_span name = { line.text, name_len(line) };
	size_t i = name.len;

	if (name.len == 0)
		return false;
	while (i < line.len && policy_text_is_blank(line.text[i]))
		i++;
	if (i == line.len || line.text[i] != '=')
		return false;
	*ret_name = name;
	*ret_value = (struct policy_span){ line.text + i + 1, line.len - i - 1 };
	return true;
}

/* Room for one more variable. */
static bool
vars_reserve(struct policy_text *t)
{
	size_t size = t->vars_size ? 2 * t->vars_size : 8;
	struct policy_var *items;

	if (t->vars.n < t->vars_size)
		return true;
	if (t->vars.n >= POLICY_VARS_MAX) {
		policy_text_error(t, "more than %d variables", POLICY_VARS_MAX);
		return false;
	}
	items = arena_alloc(t->arena, size * sizeof(*items));
	if (!items) {
		t->out_of_memory = true;
		return false;
	}
	if (t->vars.n)
		memcpy(items, t->vars.items, t->vars.n * sizeof(*items));
	t->vars.items = items;
	t->vars_size = size;
	return true;
}

void
policy_text_assign(
	struct policy_text *t, struct policy_span name, struct policy_span value)
{
	/* NULL after an error is stored too: uses of the variable then say nothing. */
	const char *text = policy_text_value(t, value);
	struct policy_vars *vars = &t->vars;
	size_t i = vars_lower_bound(vars, name);
	struct policy_var var = { .value = text };

	if (i < vars->n && policy_span_equals(name, vars->items[i].name)) {
		vars->items[i].value = text;
		return;
	}
	if (!vars_reserve(t))
		return;
	var.name = arena_strndup(t->arena, name.text, name.len);
	if (!var.name) {
		t->out_of_memory = true;
		return;
	}
	memmove(vars->items + i + 1, vars->items + i,
		(vars->n - i) * sizeof(*vars->items));
	vars->items[i] = var;
	vars->n++;
}

/* True if the quote that @s begins with closes at its last byte. */
static bool
is_quoted_whole(struct policy_span s)
{
	char quote = s.text[0];

	for (size_t i = 1; i < s.len; i++) {
		if (s.text[i] == quote)
			return i == s.len - 1;
		if (quote == '"' && s.text[i] == '\\')
			i++;
	}
	return false;
}

/* Take the quotes around a value off; '\0' when there are none, '?' when they are not
 * around the whole of it. */
static char
unquote(struct policy_span *s)
{
	char quote;

	if (s->len == 0)
		return '\0';
	quote = s->text[0];
	if (quote != '"' && quote != '\'') {
		bool inside =
			memchr(s->text, '"', s->len) || memchr(s->text, '\'', s->len);

		return inside ? '?' : '\0';
	}
	if (!is_quoted_whole(*s))
		return '?';
	*s = (struct policy_span){ s->text + 1, s->len - 2 };
	return quote;
}

/* The inner part of a value into t->out; false when an error was reported. */
static bool
put_value(struct policy_text *t, struct policy_span s, char quote)
{
	bool ok = true;

	for (size_t i = 0; i < s.len;) {
		const char *value;

		if (s.text[i] == '$' && quote != '\'') {
			i += policy_text_substitute(t, s, i, quote == '"', &value);
			ok = ok && value;
			if (value)
				wbuf_put_bytes(&t->out, value, strlen(value));
			continue;
		}
		if (s.text[i] == '\\' && quote == '"')
			i++;
		wbuf_put_u8(&t->out, (uint8_t)s.text[i++]);
	}
	return ok;
}

const char *
policy_text_value(struct policy_text *t, struct policy_span written)
{
	struct policy_span s = written;
	const char *text;
	char quote;

	if (!policy_span_strip_comment(&s)) {
		policy_text_error(t, "quote without end");
		return NULL;
	}
	quote = unquote(&s);
	if (quote == '?') {
		policy_text_error(t, "quotes must enclose the whole value");
		return NULL;
	}
	wbuf_rewind(&t->out, 0);
	if (!put_value(t, s, quote) || !policy_text_account(t))
		return NULL;
	text = arena_strndup(t->arena, (const char *)t->out.data, t->out.len);
	if (!text)
		t->out_of_memory = true;
	return text;
}

static int
assigned_cmp(const void *a, const void *b)
{
	const struct policy_assigned *x = a, *y = b;
	int order = span_cmp(x->name, y->name);

	return order ? order : (x->line > y->line) - (x->line < y->line);
}

/* Note where every variable of the file is assigned. Out of memory only makes a message
 * less precise. */
static void
collect_assigned(struct policy_text *t)
{
	struct policy_span line, value;
	struct policy_assigned *items;
	size_t pos = 0;
	int number = 0;

	items = calloc(POLICY_VARS_MAX, sizeof(*items));
	if (!items)
		return;
	t->assigned = items;
	while (t->n_assigned < POLICY_VARS_MAX &&
		policy_text_raw_next(t, &pos, &line)) {
		number++;
		if (!policy_text_split_assignment(
			    policy_span_trim(line), &items[t->n_assigned].name, &value))
			continue;
		items[t->n_assigned++].line = number;
	}
	qsort(items, t->n_assigned, sizeof(*items), assigned_cmp);
}

/* Line behind the present one where @name is assigned; 0 for none. */
static int
assigned_later(struct policy_text *t, struct policy_span name)
{
	size_t low = 0, high;

	if (!t->assigned)
		collect_assigned(t);
	high = t->n_assigned;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct policy_assigned key = { name, t->line };

		if (assigned_cmp(&t->assigned[middle], &key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == t->n_assigned || span_cmp(t->assigned[low].name, name) != 0)
		return 0;
	return t->assigned[low].line;
}

static void
report_undefined(struct policy_text *t, struct policy_span name)
{
	/* A name is shown up to a length that no real one reaches. */
	int shown = name.len < 64 ? (int)name.len : 64;
	int later = assigned_later(t, name);

	if (later)
		policy_text_error(t,
			"variable \"%.*s\" is used above its assignment in line %d",
			shown, name.text, later);
	else
		policy_text_error(t, "undefined variable \"%.*s\"", shown, name.text);
}

/* The reference "$NAME" or "${NAME}" that @s begins with. Returns its length; 0 when a
 * lone '$' stands there; -EINVAL for a brace without a name or end. */
static ssize_t
reference_parse(struct policy_span s, struct policy_span *ret_name)
{
	bool brace = s.len > 1 && s.text[1] == '{';
	size_t skip = brace ? 2 : 1;
	struct policy_span rest = { s.text + skip, s.len - skip };

	*ret_name = (struct policy_span){ rest.text, name_len(rest) };
	if (!brace)
		return ret_name->len ? (ssize_t)(1 + ret_name->len) : 0;
	if (ret_name->len == 0 || ret_name->len == rest.len ||
		rest.text[ret_name->len] != '}')
		return -EINVAL;
	return (ssize_t)(3 + ret_name->len);
}

static bool
is_all_blank(const char *text)
{
	return text[strspn(text, " \t")] == '\0';
}

size_t
policy_text_substitute(struct policy_text *t, struct policy_span s, size_t pos,
	bool in_quotes, const char **ret_value)
{
	struct policy_span rest = { s.text + pos, s.len - pos };
	const struct policy_var *var;
	struct policy_span name;
	ssize_t len = reference_parse(rest, &name);

	*ret_value = NULL;
	if (len == 0 && in_quotes)
		*ret_value = "$";
	else if (len == 0)
		policy_text_error(t, "'$' without the name of a variable");
	else if (len < 0)
		policy_text_error(t, "\"${\" without a name and '}'");
	if (len <= 0)
		return 1;

	var = vars_find(&t->vars, name);
	if (!var)
		var = vars_find(t->inherited, name);
	if (!var)
		report_undefined(t, name);
	else if (var->value && is_all_blank(var->value))
		policy_text_error(t, "variable \"%s\" is empty", var->name);
	else
		*ret_value = var->value;
	return (size_t)len;
}
