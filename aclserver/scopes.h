/*
 * scopes.h - what a caller may do: "read", "write" or "write:PREFIX", "admin". Pure.
 *
 *     read          GET of ACLs, of their list, and of lasterror
 *     write:PREFIX  PUT and DELETE of the ACLs whose name begins so; "write": of all
 *     admin         everything, also DELETE of all ACLs at once
 */
#pragma once

#include <stdbool.h>

#include "aclserver/acl_name.h"
#include "common/err.h"

enum { SCOPES_PREFIXES_MAX = 16, SCOPES_NEED_SIZE = ACL_NAME_SIZE + 16 };

struct scopes {
	bool read, admin;
	unsigned n_prefixes; /* of names that may be written; "" is every name */
	char prefixes[SCOPES_PREFIXES_MAX][ACL_NAME_SIZE];
};

enum scope {
	SCOPE_READ,
	SCOPE_WRITE, /* of one ACL */
	SCOPE_ADMIN,
};

/** Parse scopes separated by commas. Returns 0, or -EINVAL with @err. */
int scopes_parse(const char *text, struct scopes *ret, struct err *err);

/** True if @scopes include @scope; for SCOPE_WRITE of the ACL @name. */
bool scopes_have(const struct scopes *scopes, enum scope scope, const char *name);

/** The scope as it is written, with the whole @name for SCOPE_WRITE. */
void scope_format(enum scope scope, const char *name, char ret[SCOPES_NEED_SIZE]);
