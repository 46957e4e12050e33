/*
 * acl_line.c - installed rules as lines of a listing; see acl_line.h.
 *
 * Table and chain are read from the rule's own text ("-t mangle -A FORWARD …"), because
 * one policy chain may stand in several hooks of the kernel.
 */
#include "aclserver/acl_line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
copy_word(char to[ACL_LINE_NAME_SIZE], const char *from)
{
	size_t n = strcspn(from, " ");

	if (n >= ACL_LINE_NAME_SIZE)
		n = ACL_LINE_NAME_SIZE - 1;
	memcpy(to, from, n);
	to[n] = '\0';
}

static void
read_names(struct acl_line *line)
{
	const char *text = line->text;
	const char *append;

	copy_word(line->table, strncmp(text, "-t ", 3) == 0 ? text + 3 : "filter");
	append = strstr(text, "-A ");
	copy_word(line->chain, append ? append + 3 : "?");
}

/* Lines of the same rule stand together, and rules stand as packets meet them. */
static int
compare_lines(const void *pa, const void *pb)
{
	const struct acl_line *a = pa, *b = pb;
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

static int
compare_text(const struct acl_line *a, const struct acl_line *b)
{
	int order = strcmp(a->rule->id, b->rule->id);

	return order ? order : strcmp(a->text, b->text);
}

static int
compare_size(size_t a, size_t b)
{
	return a < b ? -1 : a > b;
}

/* Places one after another, as the kernel's list has them. */
static int
compare_text_order(const void *pa, const void *pb)
{
	const struct acl_line *a = pa, *b = pb;
	int order = compare_text(a, b);

	return order ? order : compare_size(a->order, b->order);
}

static int
compare_text_nth(const void *pa, const void *pb)
{
	const struct acl_line *a = pa, *b = pb;
	int order = compare_text(a, b);

	if (order == 0)
		order = compare_size(a->nth, b->nth);
	return order ? order : compare_size(a->order, b->order);
}

/* Is a rule that reads as the one before it, in the same place, the same rule of the
 * policy? In chains the second part says so; ACLs that are equal are one element, and
 * one may be an element of several sets. */
static bool
goes_on(const struct acl_line *line)
{
	return line->rule->tag.is_part || (line->rule->elem && !line->is_cut);
}

/* Rules that read the same are told apart by their number in each place, where they
 * stand in the same order. Their lines may not be the present ones: a rule that stayed
 * when its file changed has that of its installation. */
static void
number(struct acl_line *lines, size_t n)
{
	qsort(lines, n, sizeof(*lines), compare_text_order);
	for (size_t i = 1; i < n; i++) {
		const struct acl_line *before = &lines[i - 1];

		if (compare_text(before, &lines[i]) != 0 ||
			before->rule->place != lines[i].rule->place)
			continue;
		lines[i].nth = before->nth + !goes_on(&lines[i]);
	}
}

static void
add_counters(struct acl_line *to, const struct acl_line *from)
{
	to->packets += from->packets;
	to->bytes += from->bytes;
	to->polices |= from->polices;
	to->dropped_packets += from->dropped_packets;
	to->dropped_bytes += from->dropped_bytes;
}

/* Add up the counters of kernel rules that are one rule of the policy. Returns how many
 * lines remain. */
static size_t
merge(struct acl_line *lines, size_t n)
{
	size_t kept = 0;

	number(lines, n);
	qsort(lines, n, sizeof(*lines), compare_text_nth);
	for (size_t i = 0; i < n; i++) {
		struct acl_line *last = kept > 0 ? &lines[kept - 1] : NULL;

		if (last && compare_text(last, &lines[i]) == 0 &&
			last->nth == lines[i].nth)
			add_counters(last, &lines[i]);
		else
			lines[kept++] = lines[i];
	}
	return kept;
}

/* User data has no room for more. A text that just fits is looked up without need. */
static bool
may_be_cut(const struct kernel_rule_info *rule)
{
	enum { ELEM_EXTRA = 8 }; /* around the name of the file, which elements have */
	size_t room = NFT_EMIT_TEXT_SIZE - 1;

	if (rule->elem)
		room -= strlen(rule->id) + ELEM_EXTRA;
	return strlen(rule->tag.text) >= room;
}

static void
find_text(struct acl_line *line, const struct acl_known *known)
{
	const struct ruleset_rule *whole;

	line->text = line->rule->tag.text;
	if (!may_be_cut(line->rule))
		return;
	whole = acl_known_find(known, &line->rule->tag.hash);
	if (whole)
		line->text = whole->text;
	line->is_cut = !whole;
}

bool
acl_lines_cut(const struct kernel_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		if (may_be_cut(&rules->items[i]))
			return true;
	return false;
}

int
acl_lines_make(const struct kernel_rules *rules, enum policy_section section,
	const struct acl_known *known, struct acl_line **ret, size_t *ret_n)
{
	struct acl_line *lines = calloc(rules->n + 1, sizeof(*lines));
	size_t n = 0;

	if (!lines)
		return -ENOMEM;
	for (size_t i = 0; i < rules->n; i++) {
		const struct kernel_rule_info *rule = &rules->items[i];
		struct acl_line *line = &lines[n];

		if (rule->tag.section != section)
			continue;
		*line = (struct acl_line){
			.rule = rule,
			.order = i,
			.packets = rule->packets,
			.bytes = rule->bytes,
			.polices = rule->polices,
			.dropped_packets = rule->dropped_packets,
			.dropped_bytes = rule->dropped_bytes,
		};
		find_text(line, known);
		read_names(line);
		n++;
	}
	n = merge(lines, n);
	qsort(lines, n, sizeof(*lines), compare_lines);
	*ret = lines;
	*ret_n = n;
	return 0;
}

const char *
acl_line_body(const struct acl_line *line)
{
	const char *append = strstr(line->text, "-A ");

	if (!append)
		return line->text;
	append += strlen("-A ");
	append += strcspn(append, " ");
	return append + strspn(append, " ");
}
