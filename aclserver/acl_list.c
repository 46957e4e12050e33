/*
 * acl_list.c - groups installed rules by table and chain and prints them; see
 * acl_list.h.
 *
 * Table and chain are read from the rule's own text ("-t mangle -A FORWARD …"), because
 * one policy chain may stand in several hooks of the kernel.
 */
#include "aclserver/acl_list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/policy_table.h"
#include "common/cleanup.h"

enum { NAME_SIZE = 32 };

/** One line to be. */
struct line {
	const struct kernel_rule_info *rule;
	char table[NAME_SIZE];
	char chain[NAME_SIZE];
	size_t order; /* in the kernel's list, of the first place */
	uint64_t packets, bytes;
	bool polices;
	uint64_t dropped_packets, dropped_bytes;
};

static const char *const table_order[] = { "filter", "mangle", "nat", "raw", NULL };
static const char *const chain_order[] = { "PREROUTING", "INPUT", "FORWARD", "OUTPUT",
	"POSTROUTING", NULL };

static size_t
rank(const char *const *order, const char *name)
{
	size_t i = 0;

	while (order[i] && strcmp(order[i], name) != 0)
		i++;
	return i;
}

static void
copy_word(char to[NAME_SIZE], const char *from)
{
	size_t n = strcspn(from, " ");

	if (n >= NAME_SIZE)
		n = NAME_SIZE - 1;
	memcpy(to, from, n);
	to[n] = '\0';
}

static void
read_names(struct line *line)
{
	const char *text = line->rule->tag.text;
	const char *append;

	copy_word(line->table, strncmp(text, "-t ", 3) == 0 ? text + 3 : "filter");
	append = strstr(text, "-A ");
	copy_word(line->chain, append ? append + 3 : "?");
}

/* Lines of the same rule stand together, and rules stand as packets meet them. */
static int
compare_lines(const void *pa, const void *pb)
{
	const struct line *a = pa, *b = pb;
	size_t x = rank(table_order, a->table), y = rank(table_order, b->table);

	if (x == y) {
		x = rank(chain_order, a->chain);
		y = rank(chain_order, b->chain);
	}
	if (x == y) {
		x = a->rule->call;
		y = b->rule->call;
	}
	if (x == y) {
		x = a->order;
		y = b->order;
	}
	return x < y ? -1 : x > y;
}

/* Does @b carry the same policy rule as @a, for other packets? In the same place only
 * where it says so: the text is cut there, and may be that of another rule. */
static bool
same_rule(const struct kernel_rule_info *a, const struct kernel_rule_info *b)
{
	return (a->place != b->place || b->tag.is_part) && a->tag.line == b->tag.line &&
	       strcmp(a->id, b->id) == 0 && strcmp(a->tag.text, b->tag.text) == 0;
}

static int
compare_rule_key(const void *pa, const void *pb)
{
	const struct line *a = pa, *b = pb;
	int order = strcmp(a->rule->id, b->rule->id);

	if (order == 0)
		order = a->rule->tag.line - b->rule->tag.line;
	if (order == 0)
		order = strcmp(a->rule->tag.text, b->rule->tag.text);
	if (order == 0 && a->order != b->order)
		order = a->order < b->order ? -1 : 1;
	return order;
}

static void
add_counters(struct line *to, const struct line *from)
{
	to->packets += from->packets;
	to->bytes += from->bytes;
	to->polices |= from->polices;
	to->dropped_packets += from->dropped_packets;
	to->dropped_bytes += from->dropped_bytes;
}

/* Add up the counters of kernel rules that are one rule of the policy. Returns how many
 * lines remain. A rule that stands twice in the expansion of one line is one, too;
 * written on two lines it stays two. */
static size_t
merge(struct line *lines, size_t n)
{
	size_t kept = 0;

	qsort(lines, n, sizeof(*lines), compare_rule_key);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && same_rule(lines[kept - 1].rule, lines[i].rule)) {
			add_counters(&lines[kept - 1], &lines[i]);
		} else {
			lines[kept++] = lines[i];
		}
	}
	return kept;
}

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
print_line(FILE *out, const struct line *line, const struct acl_list_options *options)
{
	const struct nft_emit_tag *tag = &line->rule->tag;
	char packets[ACL_LIST_COUNT_SIZE], bytes[ACL_LIST_COUNT_SIZE];

	acl_list_count(packets, line->packets, options->exact);
	acl_list_count(bytes, line->bytes, options->exact);
	fprintf(out, "%s %s %s", packets, bytes, tag->text);
	/* As comments, so that a line can be put back into a policy file. */
	if (line->polices)
		fprintf(out, "  # dropped %" PRIu64 " packets, %" PRIu64 " bytes",
			line->dropped_packets, line->dropped_bytes);
	if (options->verbose)
		fprintf(out, "  # %s:%d", line->rule->id, tag->line);
	fputc('\n', out);
}

static void
print_lines(FILE *out, const struct line *lines, size_t n,
	const struct acl_list_options *options)
{
	const struct line *last = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct line *line = &lines[i];
		bool new_table = !last || strcmp(last->table, line->table) != 0;

		if (new_table)
			fprintf(out, "%sTABLE %s :\n", last ? "\n" : "", line->table);
		if (new_table || strcmp(last->chain, line->chain) != 0)
			fprintf(out, "%sChain %s\n%s %s rule\n", new_table ? "" : "\n",
				line->chain, options->exact ? "    pkts" : " pkts",
				options->exact ? "   bytes" : "bytes");
		print_line(out, line, options);
		last = line;
	}
	fputc('\n', out);
}

static void
print_banner(FILE *out, enum policy_section section)
{
	static const char *const names[] = {
		[POLICY_SECTION_IPTABLES] = "iptables",
		[POLICY_SECTION_IP6TABLES] = "ip6tables",
		[POLICY_SECTION_EBTABLES] = "ebtables",
	};
	char text[64];
	int n = snprintf(
		text, sizeof(text), "Listing rules of type %s:", names[section]);

	for (int i = 0; i < n; i++)
		fputc('-', out);
	fprintf(out, "\n%s\n", text);
	for (int i = 0; i < n; i++)
		fputc('-', out);
	fputc('\n', out);
}

int
acl_list_print(FILE *out, struct kernel_rules *rules, enum policy_section section,
	const struct acl_list_options *options)
{
	AUTO_FREE struct line *lines = calloc(rules->n + 1, sizeof(*lines));
	size_t n = 0;

	if (!lines)
		return -ENOMEM;
	for (size_t i = 0; i < rules->n; i++) {
		struct line *line = &lines[n];

		if (rules->items[i].tag.section != section)
			continue;
		*line = (struct line){
			.rule = &rules->items[i],
			.order = i,
			.packets = rules->items[i].packets,
			.bytes = rules->items[i].bytes,
			.polices = rules->items[i].polices,
			.dropped_packets = rules->items[i].dropped_packets,
			.dropped_bytes = rules->items[i].dropped_bytes,
		};
		read_names(line);
		n++;
	}
	n = merge(lines, n);
	qsort(lines, n, sizeof(*lines), compare_lines);
	print_banner(out, section);
	print_lines(out, lines, n, options);
	return 0;
}
