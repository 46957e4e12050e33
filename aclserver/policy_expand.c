/*
 * policy_expand.c - one rule -> simple rules: the cross product of its lists.
 *
 * Neither iptables nor the kernel knows lists of chains or interfaces, and iptables
 * silently takes "-i swp1,swp2" for one odd name that never matches; so the lists are
 * taken apart before anything else looks at the rule. Options are recognised in every
 * form that getopt_long() takes except abbreviations, which the option parser behind
 * this step refuses. Other options than those below pass as they are.
 */
#include "aclserver/policy.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "aclserver/policy_text.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

enum list_option {
	LIST_APPEND,
	LIST_IN,
	LIST_OUT,
	LIST_SOURCE,
	LIST_DESTINATION,
	LIST_COUNT,
};

struct option_names {
	const char *name; /* the short form */
	const char *long_names[2];
	const char *eb_name; /* another long form, of ebtables only */
};

static const struct option_names list_options[LIST_COUNT] = {
	[LIST_APPEND] = { "-A", { "--append" } },
	[LIST_IN] = { "-i", { "--in-interface" }, "--in-if" },
	[LIST_OUT] = { "-o", { "--out-interface" }, "--out-if" },
	[LIST_SOURCE] = { "-s", { "--source", "--src" } },
	[LIST_DESTINATION] = { "-d", { "--destination", "--dst" } },
};

/* Commands that have no place in a policy file. */
static const struct option_names commands[] = {
	{ "-C", { "--check" } },
	{ "-D", { "--delete" } },
	{ "-E", { "--rename-chain" } },
	{ "-F", { "--flush" } },
	{ "-I", { "--insert" } },
	{ "-L", { "--list" } },
	{ "-N", { "--new-chain", "--new" } },
	{ "-P", { "--policy" } },
	{ "-R", { "--replace" } },
	{ "-S", { "--list-rules" } },
	{ "-V", { "--version" } },
	{ "-X", { "--delete-chain" } },
	{ "-Z", { "--zero" } },
};

/* Options whose value is free text and may look like an option. */
static const char *const text_options[] = { "--comment", "--log-prefix" };

/* One of the list options as it stands in the rule. */
struct list {
	enum list_option option;
	bool negated;
	size_t first;       /* the token that it begins with: the option or its '!' */
	size_t n_tokens;    /* how many it takes */
	const char **items; /* n_items of them; the arena's */
	size_t n_items;
	size_t chosen; /* item of the simple rule under construction */
};

struct expander {
	const char *file;
	const struct policy_rule *rule;
	struct arena *arena;
	struct diags *diags;
	struct list lists[LIST_COUNT]; /* in the order of the rule */
	size_t n_lists;
	bool seen[LIST_COUNT];
	size_t taken; /* tokens before this one belong to other options */
	bool failed;  /* an error was reported */
	bool out_of_memory;
};

__attribute__((format(printf, 2, 3))) static void
fail(struct expander *e, const char *fmt, ...)
{
	char reason[256];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(reason, sizeof(reason), fmt, args); /* cut if it is longer */
	va_end(args);
	diags_add(e->diags, DIAG_ERROR, e->file, e->rule->line, e->rule->text, "%s",
		reason);
	e->failed = true;
}

static bool
is_bang(const struct policy_token *token)
{
	return !token->quoted && strcmp(token->text, "!") == 0;
}

static bool
is_option(const struct policy_token *token)
{
	return !token->quoted && token->text[0] == '-' && token->text[1] != '\0';
}

/* True if @text is the long option @name, alone or with "=VALUE". */
static bool
is_long(const char *text, const char *name, const char **ret_value)
{
	size_t len = name ? strlen(name) : 0;

	if (!name || strncmp(text, name, len) != 0)
		return false;
	if (text[len] != '\0' && text[len] != '=')
		return false;
	*ret_value = text[len] ? text + len + 1 : NULL;
	return true;
}

/* True if @text is one of the forms of an option. @ret_value: what is attached to it,
 * or NULL. */
static bool
is_form_of(const char *text, const struct option_names *names,
	enum policy_section section, const char **ret_value)
{
	for (size_t i = 0; i < N_OF(names->long_names); i++) {
		if (is_long(text, names->long_names[i], ret_value))
			return true;
	}
	if (section == POLICY_SECTION_EBTABLES &&
		is_long(text, names->eb_name, ret_value))
		return true;
	if (strncmp(text, names->name, 2) != 0)
		return false;
	*ret_value = text[2] ? text + 2 : NULL;
	return true;
}

/* The list option that @text is a form of; LIST_COUNT for none. */
static enum list_option
list_option_find(const char *text, enum policy_section section, const char **ret_value)
{
	/* ebtables takes one MAC address only. */
	size_t n = section == POLICY_SECTION_EBTABLES ? LIST_SOURCE : LIST_COUNT;

	for (size_t i = 0; i < n; i++) {
		if (is_form_of(text, &list_options[i], section, ret_value))
			return (enum list_option)i;
	}
	return LIST_COUNT;
}

static bool
is_command(const char *text, enum policy_section section)
{
	const char *value;

	for (size_t i = 0; i < N_OF(commands); i++) {
		if (is_form_of(text, &commands[i], section, &value))
			return true;
	}
	return false;
}

static bool
is_text_option(const char *text)
{
	for (size_t i = 0; i < N_OF(text_options); i++) {
		if (strcmp(text, text_options[i]) == 0)
			return true;
	}
	return false;
}

/* Split @value at commas into @list. False when an error was reported. */
static bool
split_items(struct expander *e, const char *value, struct list *list)
{
	size_t n = 1;
	const char *end;

	for (const char *c = value; *c; c++)
		n += *c == ',';
	list->items = arena_alloc(e->arena, n * sizeof(*list->items));
	if (!list->items) {
		e->out_of_memory = true;
		return false;
	}
	for (;; value = end + 1) {
		struct policy_span item;

		end = strchrnul(value, ',');
		/* Blanks are left only in a value that stood in quotes. */
		item = policy_span_trim(
			(struct policy_span){ value, (size_t)(end - value) });
		if (item.len == 0) {
			fail(e, "empty list item after %s",
				list_options[list->option].name);
			return false;
		}
		list->items[list->n_items] =
			arena_strndup(e->arena, item.text, item.len);
		if (!list->items[list->n_items++]) {
			e->out_of_memory = true;
			return false;
		}
		if (*end == '\0')
			return true;
	}
}

/* The value that follows the option at @at in tokens of its own. NULL when an error was
 * reported. Moves *@at to the last token taken. */
static const char *
following_value(struct expander *e, size_t *at, struct list *list)
{
	const struct policy_rule *rule = e->rule;
	const char *name = list_options[list->option].name;
	size_t i = *at + 1;

	/* The old order, "-i ! swp1", is still the usual one with ebtables. */
	if (i < rule->n_tokens && is_bang(&rule->tokens[i])) {
		if (list->negated)
			fail(e, "'!' both before and behind %s", name);
		list->negated = true;
		i++;
	}
	if (i >= rule->n_tokens) {
		fail(e, "%s needs a value", name);
		return NULL;
	}
	if (is_option(&rule->tokens[i])) {
		fail(e, "%s needs a value, not \"%s\"", name, rule->tokens[i].text);
		return NULL;
	}
	*at = i;
	return rule->tokens[i].text;
}

/* The list option at token *@at, whose value is @attached to it or follows. Moves *@at
 * to the last token taken. */
static void
take_list(struct expander *e, size_t *at, enum list_option option, const char *attached)
{
	const char *name = list_options[option].name;
	const struct policy_token *tokens = e->rule->tokens;
	struct list list = { .option = option, .first = *at };
	bool is_short = tokens[*at].text[1] != '-';

	if (*at > e->taken && is_bang(&tokens[*at - 1])) {
		list.negated = true;
		list.first--;
	}
	if (is_short && attached && *attached == '=')
		fail(e, "write \"%s VALUE\", not \"%s=VALUE\"", name, name);
	if (!attached)
		attached = following_value(e, at, &list);
	list.n_tokens = *at + 1 - list.first;
	e->taken = *at + 1;
	if (e->seen[option])
		fail(e, "%s is given twice", name);
	e->seen[option] = true;
	if (list.negated && option == LIST_APPEND)
		fail(e, "'!' with -A");
	if (e->failed || !attached || !split_items(e, attached, &list))
		return;
	if (list.negated && list.n_items > 1)
		fail(e, "'!' with a list after %s", name);
	e->lists[e->n_lists++] = list;
}

/* Find the list options and what must not be there. */
static void
scan(struct expander *e)
{
	const struct policy_rule *rule = e->rule;

	for (size_t i = 0; i < rule->n_tokens && !e->out_of_memory; i++) {
		const char *text = rule->tokens[i].text;
		const char *attached;
		enum list_option option;

		if (!is_option(&rule->tokens[i]))
			continue;
		option = list_option_find(text, rule->section, &attached);
		if (option != LIST_COUNT)
			take_list(e, &i, option, attached);
		else if (is_command(text, rule->section))
			fail(e, "%s: a policy file may only append rules (-A)", text);
		else if (is_text_option(text))
			e->taken = ++i + 1;
	}
	if (!e->seen[LIST_APPEND] && !e->failed)
		fail(e, "no -A CHAIN");
}

/* How many simple rules, of how many tokens each, or -E2BIG when that is too much. */
static int
measure(struct expander *e, const struct policy_rules *rules, size_t *ret_n,
	size_t *ret_tokens)
{
	size_t n = 1, tokens = e->rule->n_tokens;

	for (size_t i = 0; i < e->n_lists; i++) {
		const struct list *list = &e->lists[i];

		tokens = tokens - list->n_tokens + (list->negated ? 3 : 2);
		if (list->n_items > POLICY_EXPANDED_MAX / n)
			n = POLICY_EXPANDED_MAX + 1;
		else
			n *= list->n_items;
	}
	if (rules->n + n > POLICY_EXPANDED_MAX) {
		fail(e, "more than %d rules in the file with all lists expanded",
			POLICY_EXPANDED_MAX);
		return -E2BIG;
	}
	if (rules->n_tokens + n * tokens > POLICY_EXPANDED_TOKENS_MAX) {
		fail(e, "more than %d words in the file with all lists expanded",
			POLICY_EXPANDED_TOKENS_MAX);
		return -E2BIG;
	}
	*ret_n = n;
	*ret_tokens = tokens;
	return 0;
}

/* Write the tokens of the simple rule that is chosen now. Returns how many. */
static size_t
write_tokens(const struct expander *e, struct policy_token *ret)
{
	const struct policy_rule *rule = e->rule;
	size_t n = 0, next = 0;

	for (size_t i = 0; i < rule->n_tokens;) {
		const struct list *list = &e->lists[next];

		if (next == e->n_lists || i < list->first) {
			ret[n++] = rule->tokens[i++];
			continue;
		}
		if (list->negated)
			ret[n++].text = "!";
		ret[n++].text = list_options[list->option].name;
		ret[n++].text = list->items[list->chosen];
		i += list->n_tokens;
		next++;
	}
	return n;
}

/* Go on to the next combination; the last list varies fastest. */
static void
choose_next(struct expander *e)
{
	for (size_t i = e->n_lists; i-- > 0;) {
		struct list *list = &e->lists[i];

		list->chosen = (list->chosen + 1) % list->n_items;
		if (list->chosen != 0)
			return;
	}
}

/* Append @n simple rules of @n_tokens tokens each. */
static int
produce(struct expander *e, size_t n, size_t n_tokens, struct policy_rules *ret)
{
	struct policy_token *tokens;

	tokens = arena_alloc(e->arena, n * n_tokens * sizeof(*tokens));
	if (!tokens || !policy_rules_reserve(ret, n, e->arena))
		return -ENOMEM;
	for (size_t i = 0; i < n; i++, tokens += n_tokens) {
		struct policy_rule *rule = &ret->items[ret->n++];

		*rule = *e->rule;
		rule->tokens = tokens;
		rule->n_tokens = write_tokens(e, tokens);
		ret->n_tokens += rule->n_tokens;
		choose_next(e);
	}
	return 0;
}

int
policy_expand(const char *file, const struct policy_rule *rule, struct arena *arena,
	struct policy_rules *ret, struct diags *diags)
{
	struct expander e = {
		.file = file,
		.rule = rule,
		.arena = arena,
		.diags = diags,
	};
	size_t n, n_tokens;
	int result;

	scan(&e);
	if (e.out_of_memory)
		return -ENOMEM;
	if (e.failed)
		return -EINVAL;
	result = measure(&e, ret, &n, &n_tokens);
	return result < 0 ? result : produce(&e, n, n_tokens, ret);
}
