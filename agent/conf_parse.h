/*
 * conf_parse.h - walks the blocks of hsflowd.conf by tables: block → keyword → parser,
 * offset, limits. Pure; knows no keyword itself (see agent_conf_table.c).
 *
 * After an error the rest of the line (or the block that follows) is skipped and
 * reading goes on, so that all errors of a file are reported, each with its line.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/conf_lex.h"
#include "common/arena.h"
#include "common/err.h"

enum conf_severity {
	CONF_ERROR,   /* the file cannot be used */
	CONF_WARNING, /* something asked for is not done */
	CONF_NOTE,    /* worth knowing, nothing is lost */
};

/** Called once per finding; @line is 1-based, 0 for the file as a whole. */
typedef void (*conf_report_fn)(enum conf_severity severity, const char *file, int line,
	const char *text, void *user_data);

struct conf_parser {
	struct conf_lex lex;
	struct conf_token token; /* read, not yet used */
	const char *file;        /* named in findings; borrowed */
	struct arena *arena;     /* for what the parsers keep; borrowed */
	void *conf;              /* what the block functions fill; borrowed */
	conf_report_fn report;
	void *user_data;
	int errors; /* CONF_ERROR reported so far */
};

struct conf_word;

/** Parse @value into *@field (offset already applied); 0 or negative errno with the
 * reason in @err. */
typedef int (*conf_word_fn)(const struct conf_word *word, const char *value,
	void *field, struct arena *arena, struct err *err);

struct conf_word {
	const char *name;
	conf_word_fn put;
	size_t offset;     /* of the field in the block's object */
	size_t has;        /* of a bool that says "was written"; 0 = none */
	uint64_t min, max; /* limits for numbers and lengths */
	const char *idle;  /* accepted without effect, and why; NULL = has effect */
	bool harmless;     /* nothing is lost by being idle: note, not warning */
};

struct conf_block {
	const char *name;
	bool named;                     /* written "block NAME { … }" */
	const struct conf_word *words;  /* ends with name NULL */
	const struct conf_block *inner; /* blocks inside; NULL or ends with name NULL */
	/** The object that @words' offsets refer to; NULL after an error was reported.
	 * NULL function: the parser's conf. @name is NULL unless named. */
	void *(*open)(struct conf_parser *parser, const char *name, int line);
	/** Checks once the block is read; NULL = none. */
	void (*close)(struct conf_parser *parser, void *object, int line);
	/** Keywords that are in no table: 0, 1 (replaced an earlier value) or negative
	 * errno as settings_put(). NULL = none. */
	int (*other)(void *object, const char *key, const char *value, struct err *err);
	const char *idle;       /* the whole block has no effect, and why */
	const char *idle_words; /* what may stand in it, separated by blanks; NULL =
				   @words or nothing */
	bool harmless;          /* as for words */
};

/** Report a finding at @line and count errors. */
__attribute__((format(printf, 4, 5))) void conf_report(struct conf_parser *parser,
	enum conf_severity severity, int line, const char *fmt, ...);

/** Read a whole file that consists of the block @top. The caller has filled @parser but
 * for lex and token; errors are counted there. */
void conf_parse_top(struct conf_parser *parser, const struct conf_block *top,
	const char *text, size_t len);

/* Value parsers for the tables. */

/** uint32_t, min..max, with K/M/G. */
int conf_put_u32(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err);
/** bool. */
int conf_put_bool(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err);
/** const char * of at most max bytes, in the arena. */
int conf_put_text(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err);
/** const char *: a POSIX extended regular expression. */
int conf_put_regex(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err);
/** Takes any value and stores nothing: for words that are idle. */
int conf_put_nothing(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err);
