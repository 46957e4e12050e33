/*
 * http_trust.c - see http_trust.h.
 */
#include "aclserver/http_trust.h"

#include <fcntl.h>
#include <stdio.h>

#include "aclserver/tokens.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

static void
log_problem(const char *file, int line, const char *reason, void *user_data)
{
	(void)user_data;
	log_error("%s:%d: %s", file, line, reason);
}

int
http_trust_use(const struct server_conf *conf, const struct trust *trust,
	struct access *access, struct front_tls **ret_tls, struct err *err)
{
	struct tokens *tokens = NULL;
	int result = 0;

	if (trust->text[TRUST_TOKENS])
		result = tokens_parse(conf->tokens, trust->text[TRUST_TOKENS],
			trust->len[TRUST_TOKENS], &tokens, log_problem, NULL);
	if (result < 0)
		return err_set(err, result, "%s: cannot be used", conf->tokens);
	if (trust->text[TRUST_CERTIFICATE])
		result = front_tls_new(trust, conf->tls_client_required, ret_tls, err);
	if (result < 0)
		tokens_free(tokens);
	else
		access_use(access, tokens);
	return result;
}

int
http_trust_renew(const struct server_conf *conf, int fd, struct access *access,
	struct front_tls **ret_tls, struct err *err)
{
	CLEANUP(trust_done) struct trust trust = { 0 };
	AUTO_FREE char *text = NULL;
	size_t len, conf_len;
	char path[32];
	int result;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	result = file_read(AT_FDCWD, path, TRUST_TEXT_MAX, &text, &len);
	if (result == 0)
		result = trust_take(text, len, &conf_len, &trust);
	if (result < 0)
		return err_sys(err, result, "cannot read what the committer sent");
	return http_trust_use(conf, &trust, access, ret_tls, err);
}
