/*
 * member_rules.c - finds rules that name a member of a bond; see member_rules.h.
 */
#include "aclserver/member_rules.h"

#include <errno.h>
#include <stdlib.h>

#include "common/cleanup.h"

static bool
is_port(const struct ruleset_term *term)
{
	if (term->kind != TERM_TEST || term->test.prefix || term->test.negate)
		return false;
	switch (term->test.field) {
	case FIELD_IIFNAME:
	case FIELD_OIFNAME:
	case FIELD_PORT:
	case FIELD_ROUTE:
		return true;
	default:
		return false;
	}
}

static bool
is_copied_at_port(const struct ruleset_rule *rule)
{
	enum base base = place_base(rule->place);

	return base == BASE_NETDEV_PORT_IN || base == BASE_NETDEV_PORT_OUT;
}

/* Remember @rule for the members that it names, if it is the first to do so. */
static void
note_rule(const struct ruleset_rule *rule, const struct bridge_links *links,
	const struct ruleset_rule **first)
{
	for (size_t i = 0; i < rule->n_terms; i++) {
		const struct link_member *member =
			is_port(&rule->terms[i])
				? bridge_links_member(links, rule->terms[i].test.ifname)
				: NULL;
		const struct ruleset_rule **best;

		if (!member)
			continue;
		best = &first[member - links->members];
		if (!*best || rule->line < (*best)->line)
			*best = rule;
	}
}

int
member_rules_warn(const struct ruleset_file *file, const struct bridge_links *links,
	const char *path, struct diags *diags)
{
	AUTO_FREE const struct ruleset_rule **first = NULL;

	if (links->n_members == 0)
		return 0;
	first = calloc(links->n_members, sizeof(struct ruleset_rule *));
	if (!first)
		return -ENOMEM;
	for (size_t i = 0; i < file->n_rules; i++)
		if (!is_copied_at_port(&file->rules[i]))
			note_rule(&file->rules[i], links, first);
	for (size_t i = 0; i < links->n_members; i++)
		if (first[i])
			diags_add(diags, DIAG_WARNING, path, first[i]->line,
				first[i]->written,
				"%s is a member of %s, and packets come and go by "
				"that: name %s instead",
				links->members[i].name, links->members[i].bond,
				links->members[i].bond);
	return 0;
}
