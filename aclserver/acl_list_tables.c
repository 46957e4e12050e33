/*
 * acl_list_tables.c - the listing as "iptables -L -v" and "ebtables -L --Lc" print
 * theirs: every chain of every table, in columns that scripts know; see acl_list.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "aclserver/acl_columns.h"
#include "aclserver/acl_list.h"

enum { CHAINS_MAX = 5 };

struct table {
	const char *name;
	const char *chains[CHAINS_MAX + 1]; /* ends with NULL */
	bool on_demand;                     /* shown when it has rules, or with -v */
};

static const struct table ip_tables[] = {
	{ "filter", { "INPUT", "FORWARD", "OUTPUT" }, false },
	{ "mangle", { "PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING" },
		false },
	{ "raw", { "PREROUTING", "OUTPUT" }, false },
	{ "nat", { "PREROUTING", "INPUT", "OUTPUT", "POSTROUTING" }, true },
	{ NULL, { NULL }, false },
};

static const struct table eb_tables[] = {
	{ "filter", { "INPUT", "FORWARD", "OUTPUT" }, false },
	{ "nat", { "PREROUTING", "OUTPUT", "POSTROUTING" }, true },
	{ NULL, { NULL }, false },
};

/* What a listing is printed from. */
struct listing {
	FILE *out;
	enum policy_section section;
	const struct acl_line *lines;
	size_t n;
	const struct acl_list_options *options;
};

static bool
is_in(const struct acl_line *line, const char *table, const char *chain)
{
	return strcmp(line->table, table) == 0 &&
	       (!chain || strcmp(line->chain, chain) == 0);
}

static size_t
count_rules(const struct listing *l, const char *table, const char *chain)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += is_in(&l->lines[i], table, chain);
	return n;
}

/* What is known beyond the rule itself; each begins with a blank. */
static void
print_notes(const struct listing *l, const struct acl_line *line)
{
	if (line->polices)
		fprintf(l->out, " dropped:%" PRIu64 " dropped-bytes:%" PRIu64,
			line->dropped_packets, line->dropped_bytes);
	if (l->options->verbose)
		fprintf(l->out, " # %s:%d", line->rule->id, line->rule->tag.line);
}

/* ---- iptables ---- */

static int
print_ip_rule(const struct listing *l, const struct acl_line *line)
{
	char packets[ACL_LIST_COUNT_SIZE], bytes[ACL_LIST_COUNT_SIZE];
	struct arena *arena = arena_new(0);
	struct acl_columns c;
	int r = arena ? acl_columns_parse(
				l->section, line->text, l->options->numeric, arena, &c)
		      : -ENOMEM;

	acl_list_count(packets, line->packets, l->options->exact);
	acl_list_count(bytes, line->bytes, l->options->exact);
	fprintf(l->out, "%s %s ", packets, bytes);
	if (r == 0)
		fprintf(l->out, "%-10s %-4s %-3s %-6s %-7s %-20s %-20s %s", c.target,
			c.proto, c.opt, c.in, c.out, c.source, c.destination, c.extras);
	else
		fprintf(l->out, "%s ...", line->text); /* cut: no columns */
	print_notes(l, line);
	fputc('\n', l->out);
	arena_free(arena);
	return r == -ENOMEM ? r : 0;
}

static int
print_ip_chain(const struct listing *l, const char *table, const char *chain)
{
	int r = 0;

	fprintf(l->out,
		"Chain %s (policy ACCEPT)\n%s %s target     prot opt in     out     "
		"source               destination\n",
		chain, l->options->exact ? "    pkts" : " pkts",
		l->options->exact ? "   bytes" : "bytes");
	for (size_t i = 0; i < l->n && r == 0; i++)
		if (is_in(&l->lines[i], table, chain))
			r = print_ip_rule(l, &l->lines[i]);
	fputc('\n', l->out);
	return r;
}

/* ---- ebtables ---- */

/* What scripts look for, ", pcnt = 0 -- bcnt = 0", ends the line. */
static void
print_eb_rule(const struct listing *l, const struct acl_line *line)
{
	const char *body = acl_line_body(line);

	fprintf(l->out, "%s%s", body, line->is_cut ? "..." : "");
	print_notes(l, line);
	fprintf(l->out, "%s, pcnt = %" PRIu64 " -- bcnt = %" PRIu64 "\n",
		*body ? " " : "", line->packets, line->bytes);
}

static int
print_eb_chain(const struct listing *l, const char *table, const char *chain)
{
	fprintf(l->out, "Bridge chain: %s, entries: %zu, policy: ACCEPT\n", chain,
		count_rules(l, table, chain));
	for (size_t i = 0; i < l->n; i++)
		if (is_in(&l->lines[i], table, chain))
			print_eb_rule(l, &l->lines[i]);
	fputc('\n', l->out);
	return 0;
}

static int
print_table(const struct listing *l, const struct table *table)
{
	bool eb = l->section == POLICY_SECTION_EBTABLES;
	int r = 0;

	fprintf(l->out, "TABLE %s :\n", table->name);
	if (eb)
		fprintf(l->out, "Bridge table: %s\n\n", table->name);
	for (size_t i = 0; table->chains[i] && r == 0; i++)
		r = (eb ? print_eb_chain : print_ip_chain)(
			l, table->name, table->chains[i]);
	return r;
}

int
acl_list_tables(FILE *out, enum policy_section section, const struct acl_line *lines,
	size_t n, const struct acl_list_options *options)
{
	const struct listing l = { out, section, lines, n, options };
	const struct table *table =
		section == POLICY_SECTION_EBTABLES ? eb_tables : ip_tables;
	int r = 0;

	for (; table->name && r == 0; table++)
		if (!table->on_demand || options->verbose ||
			count_rules(&l, table->name, NULL) > 0)
			r = print_table(&l, table);
	return r;
}
