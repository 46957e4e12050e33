/*
 * conf_parse.c - the walk over blocks and words, and recovery after errors.
 */
#include "agent/conf_parse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Words of a block that were seen, to warn of a second one; tables stay below 64. */
struct seen {
	uint64_t words;
};

void
conf_report(struct conf_parser *parser, enum conf_severity severity, int line,
	const char *fmt, ...)
{
	char text[ERR_TEXT_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (severity == CONF_ERROR)
		parser->errors++;
	parser->report(severity, parser->file, line, text, parser->user_data);
}

static void
advance(struct conf_parser *parser)
{
	conf_lex_next(&parser->lex, &parser->token);
}

static bool
at(const struct conf_parser *parser, enum conf_token_kind kind)
{
	return parser->token.kind == kind;
}

/* Behind the brace that closes the block at whose '{' we stand. */
static void
skip_braces(struct conf_parser *parser)
{
	int depth = 0;

	do {
		if (at(parser, CONF_TOKEN_OPEN))
			depth++;
		if (at(parser, CONF_TOKEN_CLOSE))
			depth--;
		advance(parser);
	} while (depth > 0 && !at(parser, CONF_TOKEN_END));
}

/* What is left of a statement that was not understood: its line, and a block that opens
 * there or right behind the keyword. */
static void
skip_statement(struct conf_parser *parser, int line)
{
	bool opens = at(parser, CONF_TOKEN_OPEN);

	while (parser->token.line == line &&
		(at(parser, CONF_TOKEN_WORD) || at(parser, CONF_TOKEN_BAD)))
		advance(parser);
	if (at(parser, CONF_TOKEN_OPEN) && (opens || parser->token.line == line))
		skip_braces(parser);
}

static const struct conf_word *
find_word(const struct conf_block *block, const char *name)
{
	for (const struct conf_word *w = block->words; w && w->name; w++)
		if (strcasecmp(w->name, name) == 0)
			return w;
	return NULL;
}

static const struct conf_block *
find_inner(const struct conf_block *block, const char *name)
{
	for (const struct conf_block *b = block->inner; b && b->name; b++)
		if (strcasecmp(b->name, name) == 0)
			return b;
	return NULL;
}

static void
report_idle(struct conf_parser *parser, bool harmless, int line, const char *what,
	const char *why)
{
	conf_report(parser, harmless ? CONF_NOTE : CONF_WARNING, line,
		"%s has no effect: %s", what, why);
}

static void
report_again(struct conf_parser *parser, const struct conf_token *key)
{
	conf_report(parser, CONF_WARNING, key->line,
		"%s is given a second time; the later value counts", key->text);
}

/* True if @name is one of the words in @list, which blanks separate; NULL = none. */
static bool
is_listed(const char *list, const char *name)
{
	size_t len = strlen(name), n;

	for (; list && *list; list += n + (list[n] == ' ')) {
		n = strcspn(list, " ");
		if (n == len && strncasecmp(list, name, n) == 0)
			return true;
	}
	return false;
}

static void
put_word(struct conf_parser *parser, const struct conf_block *block, void *object,
	const struct conf_word *word, const struct conf_token *key)
{
	struct err err = { 0 };
	void *field = (char *)object + word->offset;

	if (word->put(word, parser->token.text, field, parser->arena, &err) < 0) {
		conf_report(
			parser, CONF_ERROR, key->line, "%s: %s", word->name, err.text);
		return;
	}
	if (word->has)
		*(bool *)((char *)object + word->has) = true;
	if (word->idle && !block->idle)
		report_idle(parser, word->harmless, key->line, word->name, word->idle);
}

static void
put_other(struct conf_parser *parser, const struct conf_block *block, void *object,
	const struct conf_token *key)
{
	struct err err = { 0 };
	int rc = block->other(object, key->text, parser->token.text, &err);

	if (rc == -EOPNOTSUPP)
		conf_report(parser, CONF_WARNING, key->line, "%s", err.text);
	else if (rc < 0)
		conf_report(parser, CONF_ERROR, key->line, "%s%s", err.text,
			rc == -ENOENT ? " in the sflow block" : "");
	else if (rc == 1)
		report_again(parser, key);
}

static void
report_no_value(struct conf_parser *parser, const struct conf_token *key)
{
	if (at(parser, CONF_TOKEN_BAD))
		conf_report(parser, CONF_ERROR, parser->token.line, "%s: %s", key->text,
			parser->token.text);
	else if (at(parser, CONF_TOKEN_OPEN))
		conf_report(parser, CONF_ERROR, key->line, "unknown block \"%s\"",
			key->text);
	else
		conf_report(parser, CONF_ERROR, key->line, "\"%s\" needs a value",
			key->text);
}

/* "keyword value", with parser->token on the value. */
static void
parse_word(struct conf_parser *parser, const struct conf_block *block, void *object,
	const struct conf_token *key, struct seen *seen)
{
	const struct conf_word *word = find_word(block, key->text);
	bool idle = is_listed(block->idle_words, key->text);
	uint64_t bit;

	if (!word && !idle && !block->other) {
		conf_report(parser, CONF_ERROR, key->line,
			"unknown %s \"%s\" in the %s block",
			at(parser, CONF_TOKEN_OPEN) ? "block" : "keyword", key->text,
			block->name);
		skip_statement(parser, key->line);
		return;
	}
	if (!at(parser, CONF_TOKEN_WORD)) {
		report_no_value(parser, key);
		skip_statement(parser, key->line);
		return;
	}
	if (word) {
		bit = 1ULL << (word - block->words);
		if (seen->words & bit)
			report_again(parser, key);
		seen->words |= bit;
		put_word(parser, block, object, word, key);
	} else if (!idle) {
		put_other(parser, block, object, key);
	}
	advance(parser);
}

/* The one recursion; the tables, not the file, bound its depth. */
static void parse_block(struct conf_parser *parser, const struct conf_block *block,
	const struct conf_token *key);

static void
parse_statement(struct conf_parser *parser, const struct conf_block *block,
	void *object, struct seen *seen)
{
	struct conf_token key = parser->token;
	const struct conf_block *inner;

	if (key.kind == CONF_TOKEN_BAD) {
		conf_report(parser, CONF_ERROR, key.line, "%s", key.text);
		advance(parser);
		return;
	}
	if (key.kind == CONF_TOKEN_OPEN) {
		conf_report(parser, CONF_ERROR, key.line, "'{' without a block name");
		skip_braces(parser);
		return;
	}
	advance(parser);
	inner = find_inner(block, key.text);
	if (inner)
		parse_block(parser, inner, &key);
	else
		parse_word(parser, block, object, &key, seen);
}

static void
parse_body(struct conf_parser *parser, const struct conf_block *block, void *object)
{
	struct seen seen = { 0 };

	while (!at(parser, CONF_TOKEN_CLOSE) && !at(parser, CONF_TOKEN_END))
		parse_statement(parser, block, object, &seen);
	if (at(parser, CONF_TOKEN_END))
		conf_report(parser, CONF_WARNING, parser->token.line,
			"'}' of the %s block is missing at the end of the file",
			block->name);
	advance(parser);
}

/* The name of a "block NAME {", then '{'; false after an error was reported. */
static bool
parse_head(struct conf_parser *parser, const struct conf_block *block, int line,
	struct conf_token *ret_name)
{
	*ret_name = parser->token;
	if (block->named && !at(parser, CONF_TOKEN_WORD)) {
		conf_report(
			parser, CONF_ERROR, line, "\"%s\" needs a name", block->name);
		return false;
	}
	if (block->named)
		advance(parser);
	if (!at(parser, CONF_TOKEN_OPEN)) {
		conf_report(
			parser, CONF_ERROR, line, "\"%s\" needs a '{'", block->name);
		return false;
	}
	return true;
}

/* The keyword @key is read; parser->token is behind it. */
static void
parse_block(struct conf_parser *parser, const struct conf_block *block,
	const struct conf_token *key)
{
	struct conf_token name;
	void *object = parser->conf;

	if (!parse_head(parser, block, key->line, &name)) {
		skip_statement(parser, key->line);
		return;
	}
	if (block->idle)
		report_idle(parser, block->harmless, key->line, key->text, block->idle);
	if (block->open)
		object =
			block->open(parser, block->named ? name.text : NULL, key->line);
	if (!object) {
		skip_braces(parser);
		return;
	}
	advance(parser);
	parse_body(parser, block, object);
	if (block->close)
		block->close(parser, object, key->line);
}

void
conf_parse_top(struct conf_parser *parser, const struct conf_block *top,
	const char *text, size_t len)
{
	struct conf_token key;

	conf_lex_init(&parser->lex, text, len);
	advance(parser);
	key = parser->token;
	if (key.kind != CONF_TOKEN_WORD || strcasecmp(key.text, top->name) != 0) {
		conf_report(parser, CONF_ERROR, key.line,
			"the file must begin with \"%s {\"", top->name);
		return;
	}
	advance(parser);
	parse_block(parser, top, &key);
	if (!at(parser, CONF_TOKEN_END))
		conf_report(parser, CONF_ERROR, parser->token.line,
			"text behind the end of the %s block", top->name);
}
