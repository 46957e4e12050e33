/*
 * conf_lex.c - cuts hsflowd.conf into tokens; every byte value is survivable.
 */
#include "agent/conf_lex.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void
conf_lex_init(struct conf_lex *lex, const char *text, size_t len)
{
	*lex = (struct conf_lex){ .text = text, .len = len, .line = 1 };
}

/* The byte at the reading position, -1 at the end. */
static int
peek(const struct conf_lex *lex)
{
	return lex->pos < lex->len ? (unsigned char)lex->text[lex->pos] : -1;
}

static bool
is_separator(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '=' || c == ';';
}

/* True if @c ends an unquoted word. */
static bool
is_word_end(int c)
{
	return c < 0 || is_separator(c) || c == '{' || c == '}' || c == '#';
}

static void
skip_blank(struct conf_lex *lex)
{
	bool comment = false;
	int c;

	while ((c = peek(lex)) >= 0 && (comment || is_separator(c) || c == '#')) {
		if (c == '#')
			comment = true;
		if (c == '\n') {
			comment = false;
			lex->line++;
		}
		lex->pos++;
	}
}

static void
set_bad(struct conf_token *token, const char *reason)
{
	token->kind = CONF_TOKEN_BAD;
	snprintf(token->text, sizeof(token->text), "%s", reason);
}

/* Turn the @len bytes at @start into a word, or into a bad token. */
static void
set_word(struct conf_token *token, const char *start, size_t len)
{
	if (len >= CONF_TOKEN_SIZE) {
		set_bad(token, "word longer than 255 bytes");
		return;
	}
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)start[i] < ' ' || start[i] == 0x7f) {
			set_bad(token, "control character in a word");
			return;
		}
	token->kind = CONF_TOKEN_WORD;
	memcpy(token->text, start, len);
	token->text[len] = '\0';
}

static void
read_word(struct conf_lex *lex, struct conf_token *token)
{
	size_t start = lex->pos;

	while (!is_word_end(peek(lex)))
		lex->pos++;
	if (memchr(lex->text + start, '"', lex->pos - start)) {
		set_bad(token, "'\"' inside a word");
		return;
	}
	set_word(token, lex->text + start, lex->pos - start);
}

static void
read_quoted(struct conf_lex *lex, struct conf_token *token)
{
	size_t start = ++lex->pos;
	int c;

	while ((c = peek(lex)) >= 0 && c != '"' && c != '\n')
		lex->pos++;
	if (c != '"') {
		set_bad(token, "closing '\"' missing on this line");
		return;
	}
	set_word(token, lex->text + start, lex->pos - start);
	lex->pos++;
}

void
conf_lex_next(struct conf_lex *lex, struct conf_token *ret_token)
{
	int c;

	skip_blank(lex);
	c = peek(lex);
	ret_token->line = lex->line;
	ret_token->text[0] = '\0';
	if (c == '"') {
		read_quoted(lex, ret_token);
		return;
	}
	if (!is_word_end(c)) {
		read_word(lex, ret_token);
		return;
	}
	if (c < 0) {
		ret_token->kind = CONF_TOKEN_END;
		return;
	}
	ret_token->kind = c == '{' ? CONF_TOKEN_OPEN : CONF_TOKEN_CLOSE;
	ret_token->text[0] = (char)c;
	ret_token->text[1] = '\0';
	lex->pos++;
}
