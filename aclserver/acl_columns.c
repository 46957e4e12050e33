/*
 * acl_columns.c - one rule as the columns of "iptables -L -v"; see acl_columns.h.
 */
#include "aclserver/acl_columns.h"

#include <errno.h>
#include <string.h>

#include "aclserver/acl_extras.h"
#include "common/wbuf.h"

/* The canonical text of one rule as the tokens of a policy file. */
static int
read_tokens(enum policy_section section, const char *text, struct arena *arena,
	struct policy_rules *ret)
{
	static const char *const tags[] = {
		[POLICY_SECTION_IPTABLES] = "[iptables]",
		[POLICY_SECTION_IP6TABLES] = "[ip6tables]",
		[POLICY_SECTION_EBTABLES] = "[ebtables]",
	};
	const char *file = arena_printf(arena, "%s\n%s\n", tags[section], text);
	struct diags ignored;
	int r;

	if (!file)
		return -ENOMEM;
	diags_init(&ignored);
	r = policy_parse("", file, strlen(file), NULL, arena, ret, &ignored);
	diags_done(&ignored);
	if (r == 0 && ret->n != 1)
		r = -EINVAL;
	return r;
}

static const struct option_use *
find_basic(const struct rule_options *options, char letter)
{
	const struct module_use *basic = &options->loaded[0].use;

	for (size_t i = 0; i < basic->module->n_options; i++)
		if (basic->module->options[i].letter == letter)
			return basic->uses[i];
	return NULL;
}

/* The value of option @letter, or @absent. A single address has no prefix length. */
static const char *
column(const struct rule_options *options, char letter, const char *absent,
	struct arena *arena)
{
	const struct option_use *use = find_basic(options, letter);
	const char *single =
		options->source->section == POLICY_SECTION_IP6TABLES ? "/128" : "/32";
	size_t len;

	if (!use)
		return absent;
	len = strlen(use->args[0]);
	if (strchr("sd", letter) && len > strlen(single) &&
		strcmp(use->args[0] + len - strlen(single), single) == 0)
		len -= strlen(single);
	return arena_printf(
		arena, "%s%.*s", use->negate ? "!" : "", (int)len, use->args[0]);
}

static int
fill_extras(const struct rule_options *options, bool numeric, struct arena *arena,
	struct acl_columns *ret)
{
	uint8_t text[POLICY_LINE_MAX];
	struct wbuf w;

	wbuf_init(&w, text, sizeof(text));
	for (size_t i = 1; i < options->n_loaded; i++)
		if (options->loaded[i].match)
			acl_extras_put(&w, &options->loaded[i], numeric);
	for (size_t i = 1; i < options->n_loaded; i++)
		if (options->loaded[i].target)
			acl_extras_put(&w, &options->loaded[i], numeric);
	if (!wbuf_ok(&w))
		return -EINVAL;
	/* Each begins with a blank. */
	ret->extras = w.len > 0
			      ? arena_strndup(arena, (const char *)text + 1, w.len - 1)
			      : "";
	return ret->extras ? 0 : -ENOMEM;
}

static void
fill_names(const struct rule_options *options, struct acl_columns *ret)
{
	for (size_t i = 1; i < options->n_loaded; i++) {
		const struct loaded *loaded = &options->loaded[i];

		if (loaded->target)
			ret->target = loaded->target->module.name;
		else if (strcmp(loaded->use.module->name, "comment") == 0 &&
			 loaded->use.n_uses > 0)
			ret->comment = loaded->use.uses[0]->args[0];
	}
}

static int
fill_columns(const struct rule_options *options, bool numeric, struct arena *arena,
	struct acl_columns *ret)
{
	const struct option_use *fragment = find_basic(options, 'f');
	bool ip6 = options->source->section == POLICY_SECTION_IP6TABLES;
	const char *any = numeric ? "*" : "any";
	const char *anywhere = !numeric ? "anywhere" : ip6 ? "::/0" : "0.0.0.0/0";

	ret->opt = ip6 ? "" : "--";
	if (fragment)
		ret->opt = fragment->negate ? "!f" : "-f";
	ret->proto = column(options, 'p', "all", arena);
	ret->in = column(options, 'i', any, arena);
	ret->out = column(options, 'o', any, arena);
	ret->source = column(options, 's', anywhere, arena);
	ret->destination = column(options, 'd', anywhere, arena);
	if (!ret->proto || !ret->in || !ret->out || !ret->source || !ret->destination)
		return -ENOMEM;
	return fill_extras(options, numeric, arena, ret);
}

int
acl_columns_parse(enum policy_section section, const char *text, bool numeric,
	struct arena *arena, struct acl_columns *ret)
{
	struct acl_columns columns = { "", "", "", "", "", "", "", "", NULL };
	struct policy_rules rules;
	struct rule_options options;
	struct err ignored;
	int r = read_tokens(section, text, arena, &rules);

	if (r == 0)
		r = rule_options_parse(&rules.items[0], &options, &ignored);
	if (r < 0)
		return r;
	fill_names(&options, &columns);
	if (section != POLICY_SECTION_EBTABLES)
		r = fill_columns(&options, numeric, arena, &columns);
	if (r == 0)
		*ret = columns;
	return r;
}
