/*
 * tokens.c - see tokens.h. The header: RFC 6750 section 2.1, with the characters of a
 * "b64token".
 */
#include "aclserver/tokens.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"

enum { LINE_MAX_BYTES = 2048, HEX_LEN = 2 * TOKEN_HASH_SIZE };

struct tokens {
	struct tokens_entry *entries; /* owned */
	size_t n, size;
};

static const char blanks[] = " \t";
static const char name_characters[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-";

void
tokens_hash(const char *token, size_t len, uint8_t ret[TOKEN_HASH_SIZE])
{
	/* Fails only without memory; the hash is then that of no token. */
	if (EVP_Digest(token, len, ret, NULL, EVP_sha256(), NULL) != 1)
		memset(ret, 0, TOKEN_HASH_SIZE);
}

void
tokens_free(struct tokens *tokens)
{
	if (!tokens)
		return;
	free(tokens->entries);
	free(tokens);
}

size_t
tokens_count(const struct tokens *tokens)
{
	return tokens->n;
}

/* ---- lines ---- */

/* Cut the next field off *@text; "" at the end. */
static char *
next_field(char **text)
{
	char *field = *text + strspn(*text, blanks);
	size_t len = strcspn(field, blanks);

	*text = field + len + (field[len] != '\0');
	field[len] = '\0';
	return field;
}

static int
parse_name(const char *text, struct tokens_entry *entry, struct err *err)
{
	size_t len = strlen(text);

	if (len == 0 || len >= sizeof(entry->name) ||
		strspn(text, name_characters) != len)
		return err_set(err, -EINVAL,
			"\"%.64s\": a name has 1 to %d letters, digits, or . _ @ -",
			text, TOKEN_NAME_SIZE - 1);
	memcpy(entry->name, text, len + 1);
	return 0;
}

static int
hex_value(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)((found - digits) % 16) : -1;
}

static int
parse_hash(const char *text, struct tokens_entry *entry, struct err *err)
{
	static const uint8_t none[TOKEN_HASH_SIZE];
	bool good = strlen(text) == HEX_LEN;

	for (size_t i = 0; good && i < HEX_LEN; i += 2) {
		int high = hex_value(text[i]), low = hex_value(text[i + 1]);

		good = high >= 0 && low >= 0;
		if (good)
			entry->hash[i / 2] = (uint8_t)(high << 4 | low);
	}
	if (!good || memcmp(entry->hash, none, sizeof(none)) == 0)
		return err_set(err, -EINVAL,
			"behind \"sha256:\" stand %d hexadecimal digits, the SHA-256 "
			"of the token",
			HEX_LEN);
	return 0;
}

static int
parse_subject(char *text, struct tokens_entry *entry, struct err *err)
{
	size_t len = strlen(text);

	while (len > 0 && strchr(blanks, text[len - 1]))
		len--;
	if (len == 0 || len >= sizeof(entry->subject))
		return err_set(err, -EINVAL,
			"behind \"cert:\" stands a name of the certificate, of 1 to %d "
			"bytes",
			TOKEN_SUBJECT_SIZE - 1);
	memcpy(entry->subject, text, len);
	entry->subject[len] = '\0';
	return 0;
}

static int
parse_credential(char *text, struct tokens_entry *entry, struct err *err)
{
	static const char hash[] = "sha256:", subject[] = "cert:";
	const char *field;

	text += strspn(text, blanks);
	if (strncmp(text, subject, sizeof(subject) - 1) == 0)
		return parse_subject(text + sizeof(subject) - 1, entry, err);
	if (strncmp(text, hash, sizeof(hash) - 1) != 0)
		return err_set(err, -EINVAL,
			"behind name and scopes, \"sha256:HEX\" or \"cert:SUBJECT\" is "
			"missing");
	field = next_field(&text);
	if (text[strspn(text, blanks)] != '\0')
		return err_set(err, -EINVAL, "there is text behind the hash");
	return parse_hash(field + sizeof(hash) - 1, entry, err);
}

/* Another entry with the same credential would never be found. */
static int
check_twice(
	const struct tokens *tokens, const struct tokens_entry *entry, struct err *err)
{
	for (size_t i = 0; i < tokens->n; i++) {
		const struct tokens_entry *other = &tokens->entries[i];

		if (strcmp(other->subject, entry->subject) == 0 &&
			memcmp(other->hash, entry->hash, sizeof(entry->hash)) == 0)
			return err_set(err, -EEXIST,
				"line %d has the same token or certificate",
				other->line);
	}
	return 0;
}

static int
add_entry(struct tokens *tokens, const struct tokens_entry *entry, struct err *err)
{
	if (tokens->n == TOKENS_MAX)
		return err_set(err, -E2BIG, "more than %d entries", TOKENS_MAX);
	if (tokens->n == tokens->size) {
		size_t size = tokens->size ? 2 * tokens->size : 8;
		struct tokens_entry *bigger =
			realloc(tokens->entries, size * sizeof(*bigger));

		if (!bigger)
			return err_set(err, -ENOMEM, "out of memory");
		tokens->entries = bigger;
		tokens->size = size;
	}
	tokens->entries[tokens->n++] = *entry;
	return 0;
}

/* The entry in @line, which is changed. */
static int
parse_entry(char *line, struct tokens_entry *entry, struct err *err)
{
	const char *name = next_field(&line);
	const char *scopes = next_field(&line);
	int result = parse_name(name, entry, err);

	if (result == 0)
		result = scopes_parse(scopes, &entry->scopes, err);
	if (result == 0)
		result = parse_credential(line, entry, err);
	return result;
}

static int
parse_line(struct tokens *tokens, int number, const char *text, size_t len,
	struct err *err)
{
	struct tokens_entry entry = { .line = number };
	char line[LINE_MAX_BYTES + 1];
	int result;

	if (len > 0 && text[len - 1] == '\r') /* written on another system */
		len--;
	if (len > LINE_MAX_BYTES)
		return err_set(
			err, -E2BIG, "line is longer than %d bytes", LINE_MAX_BYTES);
	if (memchr(text, '\0', len))
		return err_set(err, -EINVAL, "there is a NUL byte in the line");
	memcpy(line, text, len);
	line[len] = '\0';
	if (line[strspn(line, blanks)] == '\0' || line[strspn(line, blanks)] == '#')
		return 0;
	result = parse_entry(line, &entry, err);
	if (result == 0)
		result = check_twice(tokens, &entry, err);
	return result < 0 ? result : add_entry(tokens, &entry, err);
}

int
tokens_parse(const char *file, const char *text, size_t len, struct tokens **ret,
	conf_problem_fn problem, void *user_data)
{
	struct tokens *tokens = calloc(1, sizeof(*tokens));
	const char *end = text + len;
	int result = 0;

	if (!tokens) {
		problem(file, 0, "out of memory", user_data);
		return -ENOMEM;
	}
	for (int line = 1; text < end; line++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *line_end = newline ? newline : end;
		struct err err;

		if (parse_line(tokens, line, text, (size_t)(line_end - text), &err) <
			0) {
			problem(file, line, err.text, user_data);
			result = -EINVAL;
		}
		text = line_end + 1;
	}
	if (result < 0) {
		tokens_free(tokens);
		return result;
	}
	*ret = tokens;
	return 0;
}

/* ---- looking up ---- */

const struct tokens_entry *
tokens_find(const struct tokens *tokens, const char *token, size_t len)
{
	const struct tokens_entry *found = NULL;
	uint8_t hash[TOKEN_HASH_SIZE];

	tokens_hash(token, len, hash);
	for (size_t i = 0; i < tokens->n; i++) {
		const struct tokens_entry *entry = &tokens->entries[i];

		if (CRYPTO_memcmp(entry->hash, hash, sizeof(hash)) == 0 &&
			entry->subject[0] == '\0')
			found = entry;
	}
	return found;
}

const struct tokens_entry *
tokens_find_subject(const struct tokens *tokens, const char *names)
{
	for (size_t i = 0; i < tokens->n; i++) {
		const struct tokens_entry *entry = &tokens->entries[i];

		if (entry->subject[0] == '\0')
			continue;
		for (const char *name = names; *name; name += strlen(name) + 1)
			if (strcmp(name, entry->subject) == 0)
				return entry;
	}
	return NULL;
}

const char *
tokens_from_header(const char *value, size_t *ret_len)
{
	static const char scheme[] = "Bearer";
	static const char characters[] = "abcdefghijklmnopqrstuvwxyz"
					 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/";
	size_t len;

	if (strncasecmp(value, scheme, sizeof(scheme) - 1) != 0)
		return NULL;
	value += sizeof(scheme) - 1;
	if (*value != ' ')
		return NULL;
	value += strspn(value, " ");
	len = strspn(value, characters);
	if (len == 0)
		return NULL;
	len += strspn(value + len, "=");
	if (len > TOKEN_TEXT_MAX || value[len + strspn(value + len, blanks)] != '\0')
		return NULL;
	*ret_len = len;
	return value;
}

/* ---- new ones ---- */

void
tokens_format_new(const uint8_t random[TOKEN_NEW_BYTES], char ret[TOKEN_NEW_SIZE])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789-_";
	char *to = ret;

	/* The prefix lets programs that look for lost secrets find it. */
	*to++ = 't';
	*to++ = 'g';
	*to++ = '_';
	for (unsigned bit = 0; bit < 8 * TOKEN_NEW_BYTES; bit += 6) {
		unsigned byte = bit / 8;
		unsigned two = (unsigned)random[byte] << 8 |
			       (byte + 1 < TOKEN_NEW_BYTES ? random[byte + 1] : 0);

		*to++ = digits[two >> (10 - bit % 8) & 0x3f];
	}
	*to = '\0';
}

int
tokens_format_line(const char *name, const char *scopes, const char *token, char *ret,
	size_t size, struct err *err)
{
	struct tokens_entry entry;
	char hex[HEX_LEN + 1];
	uint8_t hash[TOKEN_HASH_SIZE];
	int result = parse_name(name, &entry, err);

	if (result == 0)
		result = scopes_parse(scopes, &entry.scopes, err);
	if (result < 0)
		return result;
	tokens_hash(token, strlen(token), hash);
	for (size_t i = 0; i < sizeof(hash); i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	(void)snprintf(ret, size, "%s %s sha256:%s", name, scopes, hex);
	return 0;
}
