/*
 * acl_name.h - names of ACLs made over REST, and the files that hold them. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define ACL_FILE_PREFIX "50rest-"
#define ACL_FILE_SUFFIX ".rules"

enum {
	ACL_NAME_MAX = 64,
	ACL_NAME_SIZE = ACL_NAME_MAX + 1,
	ACL_FILE_SIZE = ACL_NAME_MAX + 16, /* of "50rest-NAME.rules" with its NUL */
};

/** True for [a-z0-9_]{1,64}. */
bool acl_name_is_valid(const char *name, size_t len);

/** "50rest-NAME.rules" for a valid @name. */
void acl_name_to_file(const char *name, char ret_file[ACL_FILE_SIZE]);

/** The name in "50rest-NAME.rules"; false if @file (no path) is not of that form. */
bool acl_name_from_file(const char *file, char ret_name[ACL_NAME_SIZE]);
