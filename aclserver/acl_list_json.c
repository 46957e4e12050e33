/*
 * acl_list_json.c - installed rules as JSON; see acl_list.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "aclserver/acl_columns.h"
#include "aclserver/acl_list.h"

static void
put_text(struct json_out *out, const char *name, const char *value)
{
	json_out_raw(out, ", \"");
	json_out_raw(out, name);
	json_out_raw(out, "\": ");
	json_out_string(out, value, strlen(value));
}

static void
put_count(struct json_out *out, const char *name, uint64_t value)
{
	json_out_raw(out, ", \"");
	json_out_raw(out, name);
	json_out_raw(out, "\": ");
	json_out_int(out, (long long)value);
}

/* What the rule says, taken apart. */
static int
put_columns(struct json_out *out, enum policy_section section,
	const struct acl_line *line, struct arena *arena)
{
	struct acl_columns columns;
	int r = acl_columns_parse(section, line->text, true, arena, &columns);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	if (*columns.target)
		put_text(out, "target", columns.target);
	if (columns.comment)
		put_text(out, "comment", columns.comment);
	return 0;
}

static int
put_line(struct json_out *out, enum policy_section section, const struct acl_line *line)
{
	static const char *const kinds[] = {
		[POLICY_SECTION_IPTABLES] = "ip",
		[POLICY_SECTION_IP6TABLES] = "ip6",
		[POLICY_SECTION_EBTABLES] = "eb",
	};
	struct arena *arena = arena_new(0);
	int r;

	if (!arena)
		return -ENOMEM;
	json_out_raw(out, out->len > 0 ? ",\n{\"kind\": " : "\n{\"kind\": ");
	json_out_string(out, kinds[section], strlen(kinds[section]));
	put_text(out, "table", line->table);
	put_text(out, "chain", line->chain);
	put_text(out, "file", line->rule->id);
	put_count(out, "line", (uint64_t)line->rule->tag.line);
	put_text(out, "rule", line->text);
	if (line->is_cut)
		json_out_raw(out, ", \"cut\": true");
	r = put_columns(out, section, line, arena);
	put_count(out, "packets", line->packets);
	put_count(out, "bytes", line->bytes);
	if (line->polices) {
		put_count(out, "dropped_packets", line->dropped_packets);
		put_count(out, "dropped_bytes", line->dropped_bytes);
	}
	json_out_raw(out, "}");
	arena_free(arena);
	return r;
}

int
acl_list_json(struct json_out *out, enum policy_section section,
	const struct acl_line *lines, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = put_line(out, section, &lines[i]);
	return r;
}
