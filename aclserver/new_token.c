/*
 * new_token.c - see new_token.h.
 */
#include "aclserver/new_token.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "aclserver/tokens.h"

enum { LINE_SIZE = 2048 };

/* For a person, the token is introduced; for a program, it is all that comes. */
static void
print_token(const char *token)
{
	const bool person = isatty(STDERR_FILENO);

	(void)fprintf(stderr, "%s%s\n%s",
		person ? "The token, shown this once (Authorization: Bearer …): " : "",
		token,
		person && isatty(STDOUT_FILENO) ? "The line for the tokens file:\n"
						: "");
}

int
new_token_print(const char *name, const char *scopes, struct err *err)
{
	uint8_t random[TOKEN_NEW_BYTES];
	char token[TOKEN_NEW_SIZE], line[LINE_SIZE];
	int result;

	if (strlen(scopes) > LINE_SIZE - 256)
		return err_set(err, -EINVAL, "the scopes are too long");
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return err_sys(err, -EIO, "no random numbers");
	tokens_format_new(random, token);
	result = tokens_format_line(name, scopes, token, line, sizeof(line), err);
	if (result < 0)
		return result;
	print_token(token);
	if (printf("%s\n", line) < 0 || fflush(stdout) != 0)
		return err_sys(err, -errno, "cannot write the line");
	return 0;
}
