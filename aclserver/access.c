/*
 * access.c - see access.h.
 */
#include "aclserver/access.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct access {
	pthread_mutex_t lock;  /* guards what follows */
	struct tokens *tokens; /* owned; NULL = nobody is asked */
};

struct access *
access_new(void)
{
	struct access *access = calloc(1, sizeof(*access));

	if (access)
		pthread_mutex_init(&access->lock, NULL);
	return access;
}

void
access_free(struct access *access)
{
	if (!access)
		return;
	tokens_free(access->tokens);
	pthread_mutex_destroy(&access->lock);
	free(access);
}

void
access_use(struct access *access, struct tokens *take_tokens)
{
	struct tokens *old;

	pthread_mutex_lock(&access->lock);
	old = access->tokens;
	access->tokens = take_tokens;
	pthread_mutex_unlock(&access->lock);
	tokens_free(old);
}

static enum access_result
find(const struct tokens *tokens, const char *authorization, const char *names,
	const struct tokens_entry **ret)
{
	const char *token;
	size_t len;

	if (!authorization) {
		*ret = tokens_find_subject(tokens, names);
		return *ret ? ACCESS_GRANTED : ACCESS_NO_CREDENTIAL;
	}
	token = tokens_from_header(authorization, &len);
	if (!token)
		return ACCESS_MALFORMED;
	*ret = tokens_find(tokens, token, len);
	return *ret ? ACCESS_GRANTED : ACCESS_UNKNOWN;
}

enum access_result
access_identify(struct access *access, const char *authorization, const char *names,
	struct caller *ret)
{
	const struct tokens_entry *entry;
	enum access_result result = ACCESS_GRANTED;

	*ret = (struct caller){ .is_limited = false };
	pthread_mutex_lock(&access->lock);
	if (access->tokens)
		result = find(access->tokens, authorization, names, &entry);
	if (access->tokens && result == ACCESS_GRANTED) {
		memcpy(ret->name, entry->name, sizeof(ret->name));
		ret->is_limited = true;
		ret->scopes = entry->scopes;
	}
	pthread_mutex_unlock(&access->lock);
	return result;
}
