/*
 * conf_parse_value.c - value parsers that the keyword tables name (see conf_parse.h).
 */
#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <string.h>

#include "agent/conf_parse.h"
#include "agent/settings.h"
#include "common/parse.h"

enum {
	/* The C library copies the tree of an expression for each "+" and for each
	 * count in {…}; nested repetitions multiply that, and anchors inside of them
	 * make it slow as well. With these limits it takes milliseconds and megabytes.
	 */
	REGEX_COPIES_MAX = 1024,
	REGEX_REPEAT_MAX = 255,
	REGEX_NESTED_MAX = 3, /* repetitions of a group or of a repetition */
};

int
conf_put_u32(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err)
{
	(void)arena;
	return settings_parse_number(
		value, (uint32_t)word->min, (uint32_t)word->max, field, err);
}

int
conf_put_bool(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err)
{
	(void)word;
	(void)arena;
	if (parse_bool(value, field) < 0)
		return err_set(err, -EINVAL, "\"%s\" is neither on nor off", value);
	return 0;
}

int
conf_put_text(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err)
{
	char *copy;

	if (value[0] == '\0' || strlen(value) > word->max)
		return err_set(err, -EINVAL, "\"%s\" is not of 1 to %u bytes", value,
			(unsigned)word->max);
	copy = arena_strdup(arena, value);
	if (!copy)
		return err_set(err, -ENOMEM, "out of memory");
	*(const char **)field = copy;
	return 0;
}

/* The largest count in the "{…}" that begins at @text; 0 if one is too large. */
static unsigned
largest_repeat(const char *text)
{
	unsigned largest = 1, number = 0;

	for (text++; *text && *text != '}'; text++) {
		number = isdigit((unsigned char)*text)
				 ? number * 10 + (unsigned)(*text - '0')
				 : 0;
		if (number > REGEX_REPEAT_MAX)
			return 0;
		if (number > largest)
			largest = number;
	}
	return largest;
}

/* False if the expression could blow up when it is compiled. */
static bool
regex_is_modest(const char *text)
{
	unsigned copies = 1, nested = 0;

	for (const char *p = text; *p && copies && copies <= REGEX_COPIES_MAX; p++) {
		if (!strchr("*+?{", *p))
			continue;
		if (p > text && strchr(")*+?}", p[-1]))
			nested++;
		if (*p == '+')
			copies *= 2;
		if (*p == '{')
			copies *= largest_repeat(p);
	}
	return copies && copies <= REGEX_COPIES_MAX && nested <= REGEX_NESTED_MAX;
}

int
conf_put_regex(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err)
{
	regex_t regex;
	char reason[128];
	int rc;

	if (!regex_is_modest(value))
		return err_set(err, -EINVAL, "\"%s\" repeats too much", value);
	rc = regcomp(&regex, value, REG_EXTENDED | REG_NOSUB);
	if (rc != 0) {
		regerror(rc, &regex, reason, sizeof(reason));
		return err_set(err, -EINVAL, "\"%s\" is no regular expression: %s",
			value, reason);
	}
	regfree(&regex);
	return conf_put_text(word, value, field, arena, err);
}

int
conf_put_nothing(const struct conf_word *word, const char *value, void *field,
	struct arena *arena, struct err *err)
{
	(void)word;
	(void)value;
	(void)field;
	(void)arena;
	(void)err;
	return 0;
}
