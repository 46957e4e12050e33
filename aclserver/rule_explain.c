/*
 * rule_explain.c - why no module of a rule takes an option: what the author forgot, or
 * meant.
 */
#include "aclserver/rule_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool
has_option(const struct rule_module *module, const struct option_word *word)
{
	for (size_t i = 0; i < module->n_options; i++)
		if (rule_option_is(&module->options[i], word))
			return true;
	return false;
}

/* What would take the option: "-p tcp, udp", "-m conntrack", "-j LOG". */
struct needs {
	char protocols[96];
	const char *match;
	const char *target;
};

static void
find_needs(
	const struct rule_options *o, const struct option_word *word, struct needs *ret)
{
	unsigned section = 1u << o->source->section;
	size_t len = 0;

	memset(ret, 0, sizeof(*ret));
	for (const struct match *const *m = matches; *m; m++) {
		if (!((*m)->sections & section) || !has_option(&(*m)->module, word))
			continue;
		if (!(*m)->has_proto && !ret->match)
			ret->match = (*m)->module.name;
		if ((*m)->has_proto && len < sizeof(ret->protocols))
			len += (size_t)snprintf(ret->protocols + len,
				sizeof(ret->protocols) - len, "%s%s", len ? ", " : "",
				(*m)->proto_name);
	}
	for (const struct target *const *t = targets; *t; t++)
		if ((*t)->sections & section && has_option(&(*t)->module, word) &&
			!ret->target)
			ret->target = (*t)->module.name;
}

/* The one known option that begins with @word; "--dport" rather than "--dports". */
struct meant {
	const char *name;
	bool ambiguous;
};

static void
add_meant(struct meant *meant, const char *name)
{
	if (!meant->name || strncmp(meant->name, name, strlen(name)) == 0)
		meant->name = name;
	else if (strncmp(meant->name, name, strlen(meant->name)) != 0)
		meant->ambiguous = true;
}

static void
collect_meant(const struct rule_module *module, const struct option_word *word,
	struct meant *ret)
{
	for (size_t i = 0; i < module->n_options; i++) {
		const char *const *names = module->options[i].names;

		for (size_t k = 0; k < OPTION_NAMES_MAX && names[k]; k++)
			if (strncmp(names[k], word->name, word->name_len) == 0)
				add_meant(ret, names[k]);
	}
}

static const char *
find_meant(const struct rule_options *o, const struct option_word *word)
{
	unsigned section = 1u << o->source->section;
	struct meant meant = { 0 };

	collect_meant(o->loaded[0].use.module, word, &meant);
	for (const struct match *const *m = matches; *m; m++)
		if ((*m)->sections & section)
			collect_meant(&(*m)->module, word, &meant);
	for (const struct target *const *t = targets; *t; t++)
		if ((*t)->sections & section)
			collect_meant(&(*t)->module, word, &meant);
	return meant.ambiguous ? NULL : meant.name;
}

static int
explain_known(
	const struct rule_options *o, const char *written, const struct needs *needs)
{
	if (needs->protocols[0] && o->proto && o->proto_negated)
		return err_set(o->err, -EINVAL,
			"option %s cannot be used with an inverted protocol", written);
	if (needs->protocols[0])
		return err_set(o->err, -EINVAL, "option %s needs %s%s", written,
			strchr(needs->protocols, ',') ? "one of -p " : "-p ",
			needs->protocols);
	if (needs->match)
		return err_set(o->err, -EINVAL, "option %s needs -m %s", written,
			needs->match);
	return err_set(
		o->err, -EINVAL, "option %s needs -j %s", written, needs->target);
}

/* A module that has the option and can take no more. */
static const char *
find_full(const struct rule_options *o, const struct option_word *word)
{
	for (size_t i = 1; i < o->n_loaded; i++)
		if (has_option(o->loaded[i].use.module, word))
			return o->loaded[i].use.module->name;
	return NULL;
}

int
rule_explain_unknown(const struct rule_options *options, const struct option_word *word)
{
	char written[OPTION_NAME_SIZE];
	const char *meant = NULL, *full;
	struct needs needs;

	(void)snprintf(written, sizeof(written), "%.*s",
		word->name ? (int)word->name_len + 2 : 2, word->token);
	full = find_full(options, word);
	if (full)
		return err_set(options->err, -EINVAL,
			"one -m %s takes one option; give another -m %s for %s", full,
			full, written);
	find_needs(options, word, &needs);
	if (needs.protocols[0] || needs.match || needs.target)
		return explain_known(options, written, &needs);
	if (word->name)
		meant = find_meant(options, word);
	if (meant)
		return err_set(options->err, -EINVAL,
			"unknown option \"%s\", did you mean \"--%s\"?", written,
			meant);
	return err_set(options->err, -EINVAL, "unknown option \"%s\"", written);
}
