/*
 * acl_name.c - see acl_name.h.
 */
#include "aclserver/acl_name.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static bool
is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

bool
acl_name_is_valid(const char *name, size_t len)
{
	if (len < 1 || len > ACL_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_name_char(name[i]))
			return false;
	return true;
}

void
acl_name_to_file(const char *name, char ret_file[ACL_FILE_SIZE])
{
	int len = snprintf(ret_file, ACL_FILE_SIZE, "%s%s%s", ACL_FILE_PREFIX, name,
		ACL_FILE_SUFFIX);

	assert(len > 0 && len < ACL_FILE_SIZE);
	(void)len; /* only looked at by the assertion */
}

bool
acl_name_from_file(const char *file, char ret_name[ACL_NAME_SIZE])
{
	const size_t prefix_len = strlen(ACL_FILE_PREFIX);
	const size_t suffix_len = strlen(ACL_FILE_SUFFIX);
	size_t len = strlen(file);

	if (len <= prefix_len + suffix_len ||
		strncmp(file, ACL_FILE_PREFIX, prefix_len) != 0 ||
		strcmp(file + len - suffix_len, ACL_FILE_SUFFIX) != 0)
		return false;
	len -= prefix_len + suffix_len;
	if (!acl_name_is_valid(file + prefix_len, len))
		return false;
	memcpy(ret_name, file + prefix_len, len);
	ret_name[len] = '\0';
	return true;
}
