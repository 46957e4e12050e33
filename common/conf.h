/*
 * conf.h - reader for "key = value" files, bound to a table of keys.
 *
 * '#' starts a comment (not inside "…"), blank lines are skipped, a key may appear
 * once. A value reaches to the end of the line without the blanks around it, or stands
 * in quotes as a whole, where \" and \\ stand for the character itself. Lines have at
 * most 1024 bytes and no control characters but tabs. Every error of the file is
 * reported, not only the first. Values are checked by the key's parser before anything
 * is stored; the caller parses into a fresh struct and swaps.
 */
#pragma once

#include <stddef.h>

#include "common/err.h"

struct conf_key;

/** Parse @value into *@field (offset already applied); 0, or negative errno with the
 * reason in @err. */
typedef int (*conf_value_fn)(
	const char *value, void *field, const struct conf_key *key, struct err *err);

/** One row of a daemon's table of keys. */
struct conf_key {
	const char *name;    /* as written in the file */
	conf_value_fn parse; /* one of conf_parse_* or the daemon's own */
	size_t offset;       /* of the field in the configuration struct */
	long long min, max;  /* limits of numbers (in ms for conf_parse_ms) and of the
				length of strings; a max of 0 is that of the type */
};

/** Called once per problem; @line is 1-based, 0 for the file as a whole. */
typedef void (*conf_problem_fn)(
	const char *file, int line, const char *reason, void *user_data);

/**
 * Parse @text (@len bytes, need not end in NUL) into @conf by the table @keys (ends
 * with name NULL). Pure: no I/O, no log. Returns the number of problems reported; 0
 * means that @conf is complete.
 */
int conf_parse(const char *file, const char *text, size_t len,
	const struct conf_key *keys, void *conf, conf_problem_fn problem,
	void *user_data);

/** Decimal or 0x number; field is uint32_t. */
int conf_parse_u32(
	const char *value, void *field, const struct conf_key *key, struct err *err);
/** on/off, yes/no, true/false, 1/0; field is bool. */
int conf_parse_bool(
	const char *value, void *field, const struct conf_key *key, struct err *err);
/** Text; field is a char * that the struct owns: the old value (a default from the
 * heap, or NULL) is freed. */
int conf_parse_string(
	const char *value, void *field, const struct conf_key *key, struct err *err);
/** Duration as for parse_duration_ms(); field is int64_t milliseconds. */
int conf_parse_ms(
	const char *value, void *field, const struct conf_key *key, struct err *err);
/** Bytes: number with suffix K/M/G (powers of 1000) or KiB/MiB/GiB (of 1024); field is
 * uint64_t. */
int conf_parse_size(
	const char *value, void *field, const struct conf_key *key, struct err *err);
