/*
 * new_token.h - makes a token for the REST interface, for "--new-token".
 */
#pragma once

#include "common/err.h"

/**
 * Print the line for the tokens file to standard output, and the token, which is not
 * stored anywhere, to standard error: so ">>FILE" does what one wants.
 * Returns  0; -EINVAL if @name or @scopes (separated by commas) is wrong; -EIO
 */
int new_token_print(const char *name, const char *scopes, struct err *err);
