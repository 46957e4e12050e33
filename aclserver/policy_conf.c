/*
 * policy_conf.c - text of policy.conf -> include patterns and variables.
 *
 * Only "include PATH", "NAME = VALUE", comments and blank lines; rules belong in the
 * files that it includes. The patterns are resolved by policy_load.c.
 */
#include "aclserver/policy.h"

#include <string.h>

#include "aclserver/policy_text.h"

static const char keyword[] = "include";

/* Split "include PATH"; false when @line is something else. */
static bool
split_include(struct policy_span line, struct policy_span *ret_path)
{
	size_t n = sizeof(keyword) - 1;

	if (line.len < n || memcmp(line.text, keyword, n) != 0)
		return false;
	if (line.len > n && !policy_text_is_blank(line.text[n]))
		return false;
	*ret_path =
		policy_span_trim((struct policy_span){ line.text + n, line.len - n });
	return ret_path->len == 0 || ret_path->text[0] != '=';
}

/* True if @path was written without quotes and holds a blank. */
static bool
is_several(struct policy_span path)
{
	if (!policy_span_strip_comment(&path) || path.len == 0 || path.text[0] == '"' ||
		path.text[0] == '\'')
		return false;
	for (size_t i = 0; i < path.len; i++) {
		if (policy_text_is_blank(path.text[i]))
			return true;
	}
	return false;
}

static bool
includes_append(
	struct arena *arena, struct policy_conf *conf, const char *pattern, int line)
{
	size_t n = conf->n_includes;

	/* Full at every power of two. */
	if ((n & (n - 1)) == 0) {
		size_t size = n ? 2 * n : 1;
		struct policy_include *items =
			arena_alloc(arena, size * sizeof(*items));

		if (!items)
			return false;
		if (n)
			memcpy(items, conf->includes, n * sizeof(*items));
		conf->includes = items;
	}
	conf->includes[n] = (struct policy_include){
		.pattern = pattern,
		.line = line,
		.is_glob = pattern[strcspn(pattern, "*?[")] != '\0',
	};
	conf->n_includes++;
	return true;
}

static void
include_line(struct policy_text *t, struct policy_span path, struct policy_conf *conf)
{
	const char *pattern;

	if (is_several(path)) {
		policy_text_error(t, "one path per include line; a path with blanks "
				     "needs quotes");
		return;
	}
	pattern = policy_text_value(t, path);
	if (pattern && *pattern == '\0')
		policy_text_error(t, "include without a path");
	else if (pattern && !includes_append(t->arena, conf, pattern, t->line))
		t->out_of_memory = true;
}

static void
line_parse(struct policy_text *t, struct policy_span line, struct policy_conf *conf)
{
	struct policy_span name, value;

	if (split_include(line, &value)) {
		include_line(t, value, conf);
	} else if (!policy_text_split_assignment(line, &name, &value)) {
		policy_text_error(t, "expected \"include PATH\" or NAME = VALUE");
	} else if (policy_span_equals(name, keyword)) {
		policy_text_error(t, "\"include\" is followed by a path, not by '='");
	} else {
		policy_text_assign(t, name, value);
	}
}

int
policy_conf_parse(const char *file, const char *text, size_t len, struct arena *arena,
	struct policy_conf *ret, struct diags *diags)
{
	struct policy_conf conf = { 0 };
	struct policy_span line;
	struct policy_text t;
	int result;

	result = policy_text_init(
		&t, file, (struct policy_span){ text, len }, arena, diags);
	while (result == 0 && policy_text_next(&t, &line))
		line_parse(&t, line, &conf);
	if (result == 0)
		result = policy_text_result(&t);
	conf.vars = t.vars;
	policy_text_done(&t);
	if (result == 0)
		*ret = conf;
	return result;
}
