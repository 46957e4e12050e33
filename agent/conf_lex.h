/*
 * conf_lex.h - tokens of hsflowd.conf. Pure.
 *
 * Words are separated by space, tab, CR, LF, '=' and ';' (so '=' is decoration); '{'
 * and '}' stand for themselves even without a separator; '#' starts a comment; a word
 * that begins with '"' runs to the next '"' of its line and may hold all of these.
 */
#pragma once

#include <stddef.h>

enum { CONF_TOKEN_SIZE = 256 }; /* 255 bytes, as in hsflowd, and NUL */

enum conf_token_kind {
	CONF_TOKEN_WORD,
	CONF_TOKEN_OPEN,  /* { */
	CONF_TOKEN_CLOSE, /* } */
	CONF_TOKEN_BAD,   /* text[] says why; reading goes on behind it */
	CONF_TOKEN_END,   /* end of the file, for ever */
};

struct conf_token {
	enum conf_token_kind kind;
	int line; /* 1-based, where it begins */
	char text[CONF_TOKEN_SIZE];
};

struct conf_lex {
	const char *text; /* borrowed; need not end in NUL */
	size_t len;
	size_t pos;
	int line;
};

/** Begin at the first of @len bytes. */
void conf_lex_init(struct conf_lex *lex, const char *text, size_t len);

/** The next token. */
void conf_lex_next(struct conf_lex *lex, struct conf_token *ret_token);
