/*
 * trust.c - see trust.h. What is appended: a NUL byte, which no configuration has, the
 * lengths of all parts, all parts.
 */
#include "aclserver/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "aclserver/front_tls.h"
#include "aclserver/tokens.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

enum { FILE_MAX = 1 << 20 };

static const uint32_t not_there = UINT32_MAX;

/* Where a problem goes. */
struct problems {
	conf_problem_fn problem;
	void *user_data;
	int n;
};

void
trust_done(struct trust *trust)
{
	for (int i = 0; i < TRUST_PARTS; i++) {
		if (trust->text[i])
			explicit_bzero(trust->text[i], trust->len[i]);
		free(trust->text[i]);
	}
	*trust = (struct trust){ 0 };
}

static const char *
path_of(const struct server_conf *conf, enum trust_part part)
{
	const char *const paths[] = {
		[TRUST_TOKENS] = conf->tokens,
		[TRUST_CERTIFICATE] = conf->tls_certificate,
		[TRUST_KEY] = conf->tls_key,
		[TRUST_CLIENT_CA] = conf->tls_client_ca,
	};

	return paths[part];
}

/* ---- reading ---- */

/* What everybody can read is no secret, and what everybody can write lets everybody in.
 */
static int
check_mode(int fd, enum trust_part part, struct err *err)
{
	const bool is_secret = part == TRUST_TOKENS || part == TRUST_KEY;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, -errno, "cannot examine the file");
	if (st.st_mode & S_IWOTH)
		return err_set(err, -EPERM,
			"everybody may write the file; \"chmod o= FILE\" helps");
	if (is_secret && (st.st_mode & S_IROTH))
		return err_set(err, -EPERM,
			"everybody may read the file; \"chmod o= FILE\" helps");
	return 0;
}

static int
read_part(const char *path, enum trust_part part, struct trust *trust, struct err *err)
{
	/* O_NONBLOCK: a FIFO must not hang. */
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char same[32];
	int result;

	if (fd < 0)
		return err_sys(err, -errno, "cannot open the file");
	result = check_mode(fd, part, err);
	if (result < 0)
		return result;
	/* The very file that was examined. */
	(void)snprintf(same, sizeof(same), "/proc/self/fd/%d", fd);
	result = file_read(
		AT_FDCWD, same, FILE_MAX, &trust->text[part], &trust->len[part]);
	return result < 0 ? err_sys(err, result, "cannot read the file") : 0;
}

static void
report(struct problems *problems, const char *path, const char *reason)
{
	problems->problem(path, 0, reason, problems->user_data);
	problems->n++;
}

static void
read_all(const struct server_conf *conf, struct trust *trust, struct problems *problems)
{
	struct err err;

	for (int i = 0; i < TRUST_PARTS; i++) {
		const char *path = path_of(conf, (enum trust_part)i);

		if (path[0] && read_part(path, (enum trust_part)i, trust, &err) < 0)
			report(problems, path, err.text);
	}
}

/* ---- checking ---- */

static void
check_tokens(const struct server_conf *conf, const struct trust *trust,
	struct problems *problems)
{
	struct tokens *tokens = NULL;

	if (tokens_parse(conf->tokens, trust->text[TRUST_TOKENS],
		    trust->len[TRUST_TOKENS], &tokens, problems->problem,
		    problems->user_data) < 0) {
		problems->n++;
		return;
	}
	if (tokens_count(tokens) == 0)
		log_warning("%s: has no entry, so that nobody gets in", conf->tokens);
	tokens_free(tokens);
}

static void
check_tls(const struct server_conf *conf, const struct trust *trust,
	struct problems *problems)
{
	struct front_tls *tls = NULL;
	struct err err;

	if (front_tls_new(trust, conf->tls_client_required, &tls, &err) < 0)
		report(problems, conf->tls_certificate, err.text);
	front_tls_free(tls);
}

/* A token that is sent in the open can be read on the way. */
static void
warn_of_clear_text(const struct server_conf *conf)
{
	struct listen_list listen;

	server_conf_listen(conf, &listen);
	for (unsigned i = 0; i < listen.n; i++) {
		char url[LISTEN_TEXT_SIZE];

		if (listen.items[i].tls || listen_addr_is_loopback(&listen.items[i]))
			continue;
		listen_addr_format(&listen.items[i], url);
		log_warning(
			"%s: tokens cross the network in clear text; use https", url);
	}
}

static void
check_all(
	const struct server_conf *conf, const struct trust *trust, struct problems *ret)
{
	if (trust->text[TRUST_TOKENS]) {
		check_tokens(conf, trust, ret);
		warn_of_clear_text(conf);
	}
	if (trust->text[TRUST_CERTIFICATE])
		check_tls(conf, trust, ret);
}

/* ---- handing on ---- */

static int
append(const struct trust *trust, char **text, size_t *len)
{
	uint32_t lens[TRUST_PARTS];
	size_t need = *len + 1 + sizeof(lens);
	char *blob, *to;

	for (int i = 0; i < TRUST_PARTS; i++) {
		lens[i] = trust->text[i] ? (uint32_t)trust->len[i] : not_there;
		need += trust->len[i];
	}
	blob = realloc(*text, need);
	if (!blob)
		return -ENOMEM;
	to = blob + *len;
	*to++ = '\0';
	memcpy(to, lens, sizeof(lens));
	to += sizeof(lens);
	for (int i = 0; i < TRUST_PARTS; i++) {
		if (trust->len[i] > 0)
			memcpy(to, trust->text[i], trust->len[i]);
		to += trust->len[i];
	}
	*text = blob;
	*len = need;
	return 0;
}

int
trust_load(const struct server_conf *conf, char **text, size_t *len,
	conf_problem_fn problem, void *user_data)
{
	struct problems problems = { problem, user_data, 0 };
	CLEANUP(trust_done) struct trust trust = { 0 };
	bool any = false;

	for (int i = 0; i < TRUST_PARTS; i++)
		any = any || path_of(conf, (enum trust_part)i)[0];
	if (!any)
		return 0;
	read_all(conf, &trust, &problems);
	if (problems.n == 0)
		check_all(conf, &trust, &problems);
	if (problems.n > 0)
		return -EINVAL;
	if (append(&trust, text, len) < 0) {
		problem(conf->tokens, 0, "out of memory", user_data);
		return -ENOMEM;
	}
	return 0;
}

bool
trust_has_same_conf(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t a_conf_len = strnlen(a, a_len), b_conf_len = strnlen(b, b_len);

	return a_conf_len == b_conf_len && memcmp(a, b, a_conf_len) == 0;
}

static int
take_part(const char **from, const char *end, size_t len, char **ret)
{
	char *copy;

	if (len > (size_t)(end - *from))
		return -EBADMSG;
	copy = malloc(len + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, *from, len);
	copy[len] = '\0';
	*from += len;
	*ret = copy;
	return 0;
}

int
trust_take(const char *text, size_t len, size_t *ret_conf_len, struct trust *ret)
{
	CLEANUP(trust_done) struct trust trust = { 0 };
	const char *from = memchr(text, '\0', len), *end = text + len;
	uint32_t lens[TRUST_PARTS];

	*ret_conf_len = from ? (size_t)(from - text) : len;
	*ret = (struct trust){ 0 };
	if (!from)
		return 0;
	from++;
	if ((size_t)(end - from) < sizeof(lens))
		return -EBADMSG;
	memcpy(lens, from, sizeof(lens));
	from += sizeof(lens);
	for (int i = 0; i < TRUST_PARTS; i++) {
		int result;

		if (lens[i] == not_there)
			continue;
		result = take_part(&from, end, lens[i], &trust.text[i]);
		if (result < 0)
			return result;
		trust.len[i] = lens[i];
	}
	if (from != end)
		return -EBADMSG;
	*ret = trust;
	trust = (struct trust){ 0 };
	return 0;
}
