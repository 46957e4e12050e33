/*
 * scopes.c - see scopes.h.
 */
#include "aclserver/scopes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char write_word[] = "write";

static bool
is_word(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(text, word, len) == 0;
}

static int
add_prefix(struct scopes *scopes, const char *prefix, size_t len, struct err *err)
{
	char *to;

	if (scopes->n_prefixes == SCOPES_PREFIXES_MAX)
		return err_set(err, -EINVAL, "more than %d scopes to write",
			SCOPES_PREFIXES_MAX);
	to = scopes->prefixes[scopes->n_prefixes++];
	memcpy(to, prefix, len);
	to[len] = '\0';
	return 0;
}

static int
parse_scope(const char *text, size_t len, struct scopes *scopes, struct err *err)
{
	const size_t word_len = sizeof(write_word) - 1;

	if (is_word(text, len, "read")) {
		scopes->read = true;
		return 0;
	}
	if (is_word(text, len, "admin")) {
		scopes->admin = true;
		return 0;
	}
	if (is_word(text, len, write_word))
		return add_prefix(scopes, "", 0, err);
	if (len <= word_len || memcmp(text, write_word, word_len) != 0 ||
		text[word_len] != ':')
		return err_set(err, -EINVAL,
			"\"%.*s\" is none of the scopes read, write, write:PREFIX, "
			"admin",
			len > 64 ? 64 : (int)len, text);
	text += word_len + 1;
	len -= word_len + 1;
	if (!acl_name_is_valid(text, len))
		return err_set(err, -EINVAL,
			"write:%.*s: the prefix has 1 to %d characters of a-z, 0-9 and "
			"_, as the names of ACLs",
			len > 64 ? 64 : (int)len, text, ACL_NAME_SIZE - 1);
	return add_prefix(scopes, text, len, err);
}

int
scopes_parse(const char *text, struct scopes *ret, struct err *err)
{
	struct scopes scopes = { .n_prefixes = 0 };

	for (;;) {
		size_t len = strcspn(text, ",");
		int result = parse_scope(text, len, &scopes, err);

		if (result < 0)
			return result;
		if (text[len] == '\0')
			break;
		text += len + 1;
	}
	*ret = scopes;
	return 0;
}

static bool
may_write(const struct scopes *scopes, const char *name)
{
	for (unsigned i = 0; i < scopes->n_prefixes; i++) {
		const char *prefix = scopes->prefixes[i];

		if (strncmp(name, prefix, strlen(prefix)) == 0)
			return true;
	}
	return false;
}

bool
scopes_have(const struct scopes *scopes, enum scope scope, const char *name)
{
	if (scopes->admin)
		return true;
	if (scope == SCOPE_READ)
		return scopes->read;
	return scope == SCOPE_WRITE && may_write(scopes, name);
}

void
scope_format(enum scope scope, const char *name, char ret[SCOPES_NEED_SIZE])
{
	if (scope == SCOPE_WRITE)
		(void)snprintf(ret, SCOPES_NEED_SIZE, "%s:%s", write_word, name);
	else
		(void)snprintf(ret, SCOPES_NEED_SIZE, "%s",
			scope == SCOPE_READ ? "read" : "admin");
}
