/*
 * rule_options.c - which module each option of a rule belongs to.
 *
 * Two passes over the tokens: the first finds what -t, -A, -p, -m and -j name, so that
 * the second knows all modules when it meets an option, in whatever order they stand.
 * Of several modules that know an option the nearest before it has it, as in iptables:
 * "-p tcp --dport 80 -m multiport --sports 1,2 …".
 */
#include "aclserver/rule_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool
is_bang(const struct policy_token *token)
{
	return !token->quoted && strcmp(token->text, "!") == 0;
}

/* A token that can only be an option, never a value. */
static bool
is_option(const struct policy_token *token)
{
	return !token->quoted && token->text[0] == '-' && token->text[1] != '\0';
}

static bool
split_option(const struct policy_token *token, struct option_word *ret)
{
	const char *text = token->text;

	*ret = (struct option_word){ .token = text };
	if (!is_option(token))
		return false;
	if (text[1] != '-') {
		ret->letter = text[1];
		ret->value = text[2] ? text + 2 : NULL;
		return true;
	}
	ret->name = text + 2;
	ret->name_len = strcspn(ret->name, "=");
	if (ret->name[ret->name_len] == '=')
		ret->value = ret->name + ret->name_len + 1;
	return ret->name_len > 0;
}

bool
rule_option_is(const struct rule_option *option, const struct option_word *word)
{
	if (word->letter)
		return option->letter == word->letter;
	for (size_t i = 0; i < OPTION_NAMES_MAX; i++)
		if (option->names[i] &&
			strncmp(option->names[i], word->name, word->name_len) == 0 &&
			option->names[i][word->name_len] == '\0')
			return true;
	return false;
}

static const struct rule_option *
find_option(const struct rule_module *module, const struct option_word *word)
{
	for (size_t i = 0; i < module->n_options; i++)
		if (rule_option_is(&module->options[i], word))
			return &module->options[i];
	return NULL;
}

static struct loaded *
load(struct rule_options *o, const struct rule_module *module, size_t at)
{
	struct loaded *loaded;

	if (o->n_loaded == RULE_MODULES_MAX) {
		(void)err_set(o->err, -EINVAL, "more than %d matches in one rule",
			RULE_MODULES_MAX - 2);
		return NULL;
	}
	loaded = &o->loaded[o->n_loaded++];
	memset(loaded, 0, sizeof(*loaded));
	loaded->use.module = module;
	loaded->at = at;
	return loaded;
}

/* ---- first pass: modules ---- */

static int
load_match(struct rule_options *o, const char *name, size_t at)
{
	const struct match *match = match_find(name, o->source->section);
	const char *why_not = match_why_not(name);
	struct loaded *loaded;

	if (!match && why_not)
		return err_set(o->err, -EINVAL, "match %s is %s", name, why_not);
	if (!match && (match_find(name, POLICY_SECTION_IPTABLES) ||
			      match_find(name, POLICY_SECTION_IP6TABLES)))
		return err_set(o->err, -EINVAL, "match %s is for [%s] only", name,
			o->source->section == POLICY_SECTION_IPTABLES ? "ip6tables"
								      : "iptables");
	if (!match)
		return err_set(o->err, -EINVAL, "unknown match \"%s\"", name);
	loaded = load(o, &match->module, at);
	if (!loaded)
		return -EINVAL;
	loaded->match = match;
	return 0;
}

static int
unknown_target(const struct rule_options *o, const char *name)
{
	const char *other = target_other_case(name, o->source->section);

	if (other)
		return err_set(o->err, -EINVAL,
			"unknown target \"%s\"; in this section it is called %s", name,
			other);
	return err_set(o->err, -EINVAL, "unknown target \"%s\"", name);
}

static int
load_target(struct rule_options *o, const char *name, size_t at)
{
	const struct target *target = target_find(name, o->source->section);
	const char *why_not = target_why_not(name, o->source->section);
	struct loaded *loaded;

	if (!target && why_not)
		return err_set(o->err, -EINVAL, "target %s is %s", name, why_not);
	if (!target)
		return unknown_target(o, name);
	for (size_t i = 0; i < o->n_loaded; i++)
		if (o->loaded[i].target)
			return err_set(o->err, -EINVAL, "more than one target");
	loaded = load(o, &target->module, at);
	if (!loaded)
		return -EINVAL;
	loaded->target = target;
	return 0;
}

/* The value of the option in token @at; NULL if there is none. */
static const char *
value_at(const struct rule_options *o, size_t at, const struct option_word *word)
{
	const struct policy_rule *rule = o->source;

	if (word->value)
		return word->value;
	at++;
	if (at < rule->n_tokens && is_bang(&rule->tokens[at]))
		at++;
	if (at >= rule->n_tokens || is_option(&rule->tokens[at]))
		return NULL;
	return rule->tokens[at].text;
}

/* Which of the options of the first pass @word is, as its letter; 0 for others. */
static char
structural_letter(const struct rule_module *basic, const struct option_word *word)
{
	const struct rule_option *option = find_option(basic, word);

	if (!option || !strchr("tApmj", option->letter))
		return 0;
	return option->letter;
}

static int
no_such_chain(const struct rule_options *o)
{
	static const char *const tables[] = { "filter", "mangle", "nat" };
	enum place places[PLACES_MAX];

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		const struct placement_query query = { o->source->section, tables[i],
			o->chain };

		if (placement_find(&query, places) >= 0)
			return err_set(o->err, -EINVAL,
				"table %s has no chain \"%s\"; -t %s has", o->table,
				o->chain, tables[i]);
	}
	return err_set(
		o->err, -EINVAL, "table %s has no chain \"%s\"", o->table, o->chain);
}

static int
check_place(const struct rule_options *o)
{
	struct placement_query query = { o->source->section, o->table, o->chain };
	enum place places[PLACES_MAX];
	int result;

	if (!o->chain)
		return err_set(o->err, -EINVAL, "-A CHAIN is missing");
	result = placement_find(&query, places);
	if (result == -ENOTSUP)
		return err_set(
			o->err, -EINVAL, "table %s is not supported yet", o->table);
	if (result == -ENOENT)
		return err_set(o->err, -EINVAL, "unknown table \"%s\"", o->table);
	return result < 0 ? no_such_chain(o) : 0;
}

static void
find_implicit(struct rule_options *o)
{
	bool eb = o->source->section == POLICY_SECTION_EBTABLES;
	const char *name;
	uint32_t proto = 0;
	uint16_t type = 0;

	/* An unknown protocol is refused later, with all else that -p can be. */
	if (!o->proto || o->proto_negated)
		return;
	if (eb ? match_ether_type(o->proto, &type, &name) < 0
	       : match_ip_protocol(o->proto, &proto) < 0)
		return;
	for (const struct match *const *m = matches; *m; m++)
		if ((*m)->sections & 1u << o->source->section && (*m)->has_proto &&
			(*m)->proto == (eb ? type : proto))
			o->implicit = *m;
}

/* Tables, chain and protocol; matches and target have to wait for the table. */
static void
scan_values(struct rule_options *o)
{
	const struct rule_module *basic = o->loaded[0].use.module;
	const struct policy_rule *rule = o->source;
	struct option_word word;

	o->table = "filter";
	for (size_t i = 0; i < rule->n_tokens; i++) {
		const char *value;
		char letter;

		if (!split_option(&rule->tokens[i], &word))
			continue;
		letter = structural_letter(basic, &word);
		value = letter ? value_at(o, i, &word) : NULL;
		if (!value)
			continue;
		if (letter == 't')
			o->table = value;
		else if (letter == 'A')
			o->chain = value;
		else if (letter == 'p')
			o->proto = value;
		if (letter == 'p')
			o->proto_negated =
				(i > 0 && is_bang(&rule->tokens[i - 1])) ||
				(!word.value && is_bang(&rule->tokens[i + 1]));
	}
}

static int
scan_modules(struct rule_options *o)
{
	const struct rule_module *basic = o->loaded[0].use.module;
	const struct policy_rule *rule = o->source;
	struct option_word word;
	int result = 0;

	for (size_t i = 0; i < rule->n_tokens && result == 0; i++) {
		const char *value;
		char letter;

		if (!split_option(&rule->tokens[i], &word))
			continue;
		letter = structural_letter(basic, &word);
		value = letter ? value_at(o, i, &word) : NULL;
		if (value && letter == 'm')
			result = load_match(o, value, i);
		else if (value && letter == 'j')
			result = load_target(o, value, i);
	}
	return result;
}

/* ---- second pass: options ---- */

/* An option and the module that takes it. */
struct owner {
	struct loaded *loaded;
	const struct rule_option *option;
};

static bool
try_owner(struct loaded *loaded, const struct option_word *word, struct owner *ret)
{
	const struct rule_option *option = find_option(loaded->use.module, word);

	if (!option)
		return false;
	if (loaded->match && loaded->match->single && loaded->use.n_uses > 0)
		return false;
	*ret = (struct owner){ loaded, option };
	return true;
}

/* The module that "-p" brings. */
static bool
try_implicit(struct rule_options *o, const struct option_word *word, struct owner *ret)
{
	struct loaded *loaded = NULL;

	if (!o->implicit || !find_option(&o->implicit->module, word))
		return false;
	for (size_t i = 1; i < o->n_loaded; i++)
		if (o->loaded[i].match == o->implicit)
			return try_owner(&o->loaded[i], word, ret);
	loaded = load(o, &o->implicit->module, LOADED_BY_PROTO);
	if (!loaded)
		return false;
	loaded->match = o->implicit;
	return try_owner(loaded, word, ret);
}

/* ebtables has no -m: an option brings its match. */
static bool
try_by_option(struct rule_options *o, const struct option_word *word, size_t at,
	struct owner *ret)
{
	struct loaded *loaded;

	if (o->source->section != POLICY_SECTION_EBTABLES)
		return false;
	for (const struct match *const *m = matches; *m; m++) {
		if (!((*m)->sections & SECTION_EB) || (*m)->has_proto ||
			!find_option(&(*m)->module, word))
			continue;
		loaded = load(o, &(*m)->module, at);
		if (!loaded)
			return false;
		loaded->match = *m;
		return try_owner(loaded, word, ret);
	}
	return false;
}

/* Who takes the option @word that stands at token @at. */
static bool
find_owner(struct rule_options *o, const struct option_word *word, size_t at,
	struct owner *ret)
{
	if (try_owner(&o->loaded[0], word, ret))
		return true;
	for (size_t i = o->n_loaded; i-- > 1;)
		if (o->loaded[i].at < at && try_owner(&o->loaded[i], word, ret))
			return true;
	if (try_implicit(o, word, ret))
		return true;
	for (size_t i = 1; i < o->n_loaded; i++)
		if (o->loaded[i].at > at && try_owner(&o->loaded[i], word, ret))
			return true;
	return try_by_option(o, word, at, ret);
}

static int
check_use(const struct rule_options *o, const struct option_use *use,
	const struct module_use *module)
{
	size_t index = (size_t)(use->option - module->module->options);

	if (use->option->flags & OPTION_REFUSED)
		return err_set(
			o->err, -EINVAL, "option %s is not supported", use->written);
	if (module->uses[index] && !(use->option->flags & OPTION_REPEATED))
		return err_set(
			o->err, -EINVAL, "option %s is given twice", use->written);
	if (use->negate && !(use->option->flags & OPTION_INVERTIBLE))
		return err_set(
			o->err, -EINVAL, "option %s cannot be inverted", use->written);
	return 0;
}

/* Take the values of @use from token *@at on; *@at is left on the last one. */
static int
take_values(struct rule_options *o, const struct option_word *word, size_t *at,
	struct option_use *use)
{
	const struct policy_rule *rule = o->source;
	size_t n = 0;

	if (word->value && use->option->n_args == 0)
		return err_set(
			o->err, -EINVAL, "option %s takes no value", use->written);
	if (word->value)
		use->args[n++] = word->value;
	/* The old form of inversion: "-s ! 10.0.0.1". */
	if (n < use->option->n_args && *at + 1 < rule->n_tokens &&
		is_bang(&rule->tokens[*at + 1])) {
		if (use->negate)
			return err_set(o->err, -EINVAL, "\"!\" twice with option %s",
				use->written);
		use->negate = true;
		++*at;
	}
	while (n < use->option->n_args) {
		if (*at + 1 >= rule->n_tokens || is_option(&rule->tokens[*at + 1]))
			return err_set(o->err, -EINVAL, "option %s needs %s",
				use->written,
				use->option->n_args == 1 ? "a value" : "two values");
		use->args[n++] = rule->tokens[++*at].text;
	}
	return 0;
}

static int
add_use(struct rule_options *o, const struct option_word *word, size_t *at, bool negate)
{
	struct option_use *use = &o->uses[o->n_uses];
	struct owner owner;
	int result;

	if (!find_owner(o, word, *at, &owner))
		return rule_explain_unknown(o, word);
	if (o->n_uses == RULE_OPTIONS_MAX)
		return err_set(o->err, -EINVAL, "more than %d options in one rule",
			RULE_OPTIONS_MAX);
	*use = (struct option_use){ .option = owner.option, .negate = negate };
	(void)snprintf(use->written, sizeof(use->written), "%.*s",
		word->name ? (int)word->name_len + 2 : 2, word->token);
	if (owner.option->flags & OPTION_REFUSED)
		return check_use(o, use, &owner.loaded->use);
	result = take_values(o, word, at, use);
	if (result == 0)
		result = check_use(o, use, &owner.loaded->use);
	if (result < 0)
		return result;
	owner.loaded->use.uses[owner.option - owner.loaded->use.module->options] = use;
	owner.loaded->use.n_uses++;
	o->n_uses++;
	return 0;
}

static int
unexpected(const struct rule_options *o, const char *text)
{
	return err_set(o->err, -EINVAL, "unexpected argument \"%s\"%s", text,
		strcmp(text, "\\") == 0 ? ": a rule ends with its line" : "");
}

static int
scan_options(struct rule_options *o)
{
	const struct policy_rule *rule = o->source;
	struct option_word word;
	bool negate = false;
	int result = 0;

	for (size_t i = 0; i < rule->n_tokens && result == 0; i++) {
		const struct policy_token *token = &rule->tokens[i];

		if (is_bang(token)) {
			if (negate)
				return err_set(o->err, -EINVAL, "\"!\" twice in a row");
			negate = true;
			continue;
		}
		if (!split_option(token, &word))
			return unexpected(o, token->text);
		result = add_use(o, &word, &i, negate);
		negate = false;
	}
	if (negate && result == 0)
		return err_set(o->err, -EINVAL, "nothing behind \"!\"");
	return result;
}

int
rule_options_parse(
	const struct policy_rule *source, struct rule_options *ret, struct err *err)
{
	bool eb = source->section == POLICY_SECTION_EBTABLES;
	int result;

	memset(ret, 0, offsetof(struct rule_options, loaded));
	ret->source = source;
	ret->err = err;
	(void)load(ret, eb ? &match_basic_eb : &match_basic_ip, 0);
	scan_values(ret);
	result = check_place(ret);
	if (result == 0)
		result = scan_modules(ret);
	if (result < 0)
		return result;
	find_implicit(ret);
	return scan_options(ret);
}
