/*
 * acl_list.c - prints installed rules in the form asked for; see acl_list.h.
 */
#include "aclserver/acl_list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

static const char *const commands[] = {
	[POLICY_SECTION_IPTABLES] = "iptables",
	[POLICY_SECTION_IP6TABLES] = "ip6tables",
	[POLICY_SECTION_EBTABLES] = "ebtables",
};

void
acl_list_count(char buf[ACL_LIST_COUNT_SIZE], uint64_t count, bool exact)
{
	static const char units[] = " KMGT";
	size_t unit = 0;

	if (exact) {
		snprintf(buf, ACL_LIST_COUNT_SIZE, "%8" PRIu64, count);
		return;
	}
	while (count >= 100000 && unit + 1 < strlen(units)) {
		count = (count + 500) / 1000;
		unit++;
	}
	snprintf(buf, ACL_LIST_COUNT_SIZE, unit ? "%4" PRIu64 "%c" : "%5" PRIu64, count,
		units[unit]);
}

static void
print_rule(
	FILE *out, const struct acl_line *line, const struct acl_list_options *options)
{
	char packets[ACL_LIST_COUNT_SIZE], bytes[ACL_LIST_COUNT_SIZE];

	acl_list_count(packets, line->packets, options->exact);
	acl_list_count(bytes, line->bytes, options->exact);
	fprintf(out, "%s %s %s", packets, bytes, line->text);
	/* As comments, so that a line can be put back into a policy file. */
	if (line->is_cut)
		fputs("  # cut here", out);
	if (line->polices)
		fprintf(out, "  # dropped %" PRIu64 " packets, %" PRIu64 " bytes",
			line->dropped_packets, line->dropped_bytes);
	if (options->verbose)
		fprintf(out, "  # %s:%d", line->rule->id, line->rule->tag.line);
	fputc('\n', out);
}

static void
print_rules(FILE *out, const struct acl_line *lines, size_t n,
	const struct acl_list_options *options)
{
	const struct acl_line *last = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct acl_line *line = &lines[i];
		bool new_table = !last || strcmp(last->table, line->table) != 0;

		if (new_table)
			fprintf(out, "%sTABLE %s :\n", last ? "\n" : "", line->table);
		if (new_table || strcmp(last->chain, line->chain) != 0)
			fprintf(out, "%sChain %s\n%s %s rule\n", new_table ? "" : "\n",
				line->chain, options->exact ? "    pkts" : " pkts",
				options->exact ? "   bytes" : "bytes");
		print_rule(out, line, options);
		last = line;
	}
	fputc('\n', out);
}

/* A rule of which only the beginning is known must not be taken for a rule. */
static int
print_policy(FILE *out, enum policy_section section, const struct acl_line *lines,
	size_t n, const struct acl_list_options *options)
{
	int r = 0;

	if (n == 0)
		return 0;
	fprintf(out, "[%s]\n", commands[section]);
	for (size_t i = 0; i < n; i++) {
		if (options->verbose)
			fprintf(out,
				"# %s:%d: %" PRIu64 " packets, %" PRIu64 " bytes\n",
				lines[i].rule->id, lines[i].rule->tag.line,
				lines[i].packets, lines[i].bytes);
		if (lines[i].is_cut)
			r = -ESTALE;
		fprintf(out, "%s%s%s\n", lines[i].is_cut ? "# " : "", lines[i].text,
			lines[i].is_cut ? " ... cut here" : "");
	}
	return r;
}

static void
print_banner(FILE *out, enum policy_section section)
{
	char text[64];
	int n = snprintf(
		text, sizeof(text), "Listing rules of type %s:", commands[section]);

	for (int i = 0; i < n; i++)
		fputc('-', out);
	fprintf(out, "\n%s\n", text);
	for (int i = 0; i < n; i++)
		fputc('-', out);
	fputc('\n', out);
}

static int
print_section(FILE *out, const struct kernel_rules *rules, enum policy_section section,
	const struct acl_list_options *options)
{
	AUTO_FREE struct acl_line *lines = NULL;
	size_t n;
	int r = acl_lines_make(rules, section, options->known, &lines, &n);

	if (r < 0)
		return r;
	if (options->form == ACL_LIST_SAVE)
		return print_policy(out, section, lines, n, options);
	print_banner(out, section);
	if (options->form == ACL_LIST_TABLES)
		return acl_list_tables(out, section, lines, n, options);
	print_rules(out, lines, n, options);
	return 0;
}

static int
print_json(FILE *out, const struct kernel_rules *rules, unsigned kinds,
	const struct acl_list_options *options)
{
	struct json_out json = { 0 };
	AUTO_FREE char *text = NULL;
	int r = 0;

	for (int section = 0; section <= POLICY_SECTION_EBTABLES && r == 0; section++) {
		AUTO_FREE struct acl_line *lines = NULL;
		size_t n;

		if (!(kinds & 1u << section))
			continue;
		r = acl_lines_make(rules, (enum policy_section)section, options->known,
			&lines, &n);
		if (r == 0)
			r = acl_list_json(
				&json, (enum policy_section)section, lines, n);
	}
	text = json_out_take(&json, &(size_t){ 0 });
	if (r == 0 && !text)
		return -ENOMEM;
	if (r == 0)
		fprintf(out, "[%s\n]\n", text);
	return r;
}

int
acl_list_print(FILE *out, const struct kernel_rules *rules, unsigned kinds,
	const struct acl_list_options *options)
{
	bool stale = false;

	if (options->form == ACL_LIST_JSON)
		return print_json(out, rules, kinds, options);
	for (int section = 0; section <= POLICY_SECTION_EBTABLES; section++) {
		int r = 0;

		if (kinds & 1u << section)
			r = print_section(
				out, rules, (enum policy_section)section, options);
		if (r == -ENOMEM)
			return r;
		stale |= r == -ESTALE;
	}
	return stale ? -ESTALE : 0;
}
