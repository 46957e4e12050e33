/*
 * server_conf.c - the key table, the defaults and the cross checks of the ACL server.
 */
#include "aclserver/server_conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/parse.h"

enum {
	CONF_FILE_MAX = 1 << 20,
	PORT_UNPRIVILEGED = 1024, /* lower ones need CAP_NET_BIND_SERVICE */
	PATH_MAX_BYTES = 1024,    /* leaves room for file names behind it */
};

#define KEY(name, parser, field, min, max)                                             \
	{                                                                              \
		name, parser, offsetof(struct server_conf, field), min, max            \
	}

static const char *const log_levels[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_NOTICE] = "notice",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

static const char *const backends[] = {
	[SERVER_BACKEND_AUTO] = "auto",
	[SERVER_BACKEND_NFTABLES] = "nftables",
	[SERVER_BACKEND_COMMAND] = "command",
};

enum {
	N_LOG_LEVELS = sizeof(log_levels) / sizeof(log_levels[0]),
	N_BACKENDS = sizeof(backends) / sizeof(backends[0]),
};

/* Index of @value in @words, or -1. */
static int
find_word(const char *value, const char *const *words, int n_words)
{
	for (int i = 0; i < n_words; i++)
		if (strcmp(value, words[i]) == 0)
			return i;
	return -1;
}

static int
parse_address(
	const char *value, void *field, const struct conf_key *key, struct err *err)
{
	struct parse_addr addr;

	if (parse_addr(value, &addr) < 0)
		return err_set(err, -EINVAL, "\"%s\" is not an IP address", value);
	return conf_parse_string(value, field, key, err);
}

static int
parse_port(const char *value, void *field, const struct conf_key *key, struct err *err)
{
	uint32_t port;
	int result = conf_parse_u32(value, &port, key, err);

	if (result < 0)
		return result;
	if (port < PORT_UNPRIVILEGED)
		return err_set(err, -EINVAL,
			"%u: ports below %d need a capability that the HTTP process "
			"does not have; put a reverse proxy in front",
			port, PORT_UNPRIVILEGED);
	*(uint32_t *)field = port;
	return 0;
}

static int
parse_listen(
	const char *value, void *field, const struct conf_key *key, struct err *err)
{
	(void)key; /* has no limits for this type */
	return listen_list_parse(value, field, err);
}

static int
parse_prefixes(
	const char *value, void *field, const struct conf_key *key, struct err *err)
{
	(void)key; /* has no limits for this type */
	return prefix_list_parse(value, field, err);
}

static int
parse_tls_client(
	const char *value, void *field, const struct conf_key *key, struct err *err)
{
	bool required = strcmp(value, "required") == 0;

	(void)key; /* has no limits for this type */
	if (!required && strcmp(value, "optional") != 0)
		return err_set(
			err, -EINVAL, "\"%s\" is neither required nor optional", value);
	*(bool *)field = required;
	return 0;
}

static int
parse_path(const char *value, void *field, const struct conf_key *key, struct err *err)
{
	if (value[0] != '/')
		return err_set(err, -EINVAL, "\"%s\" is not an absolute path", value);
	return conf_parse_string(value, field, key, err);
}

static int
parse_log_level(
	const char *value, void *field, const struct conf_key *key, struct err *err)
{
	if (find_word(value, log_levels, N_LOG_LEVELS) < 0)
		return err_set(err, -EINVAL,
			"\"%s\" is none of error, warning, notice, info, debug", value);
	return conf_parse_string(value, field, key, err);
}

static int
parse_backend(
	const char *value, void *field, const struct conf_key *key, struct err *err)
{
	int backend = find_word(value, backends, N_BACKENDS);

	(void)key; /* has no limits for this type */
	if (backend < 0)
		return err_set(err, -EINVAL,
			"\"%s\" is none of auto, nftables, command", value);
	*(enum server_backend *)field = (enum server_backend)backend;
	return 0;
}

static const struct conf_key keys[] = {
	KEY("address", parse_address, address, 0, 0),
	KEY("port", parse_port, port, 1, 65535),
	KEY("listen", parse_listen, listen, 0, 0),
	KEY("connections", conf_parse_u32, connections, 1, 10000),
	KEY("allow_from", parse_prefixes, allow_from, 0, 0),
	KEY("tokens", parse_path, tokens, 2, PATH_MAX_BYTES),
	KEY("tls_certificate", parse_path, tls_certificate, 2, PATH_MAX_BYTES),
	KEY("tls_key", parse_path, tls_key, 2, PATH_MAX_BYTES),
	KEY("tls_client_ca", parse_path, tls_client_ca, 2, PATH_MAX_BYTES),
	KEY("tls_client", parse_tls_client, tls_client_required, 0, 0),
	KEY("allow_unauthenticated_remote", conf_parse_bool,
		allow_unauthenticated_remote, 0, 0),
	KEY("user", conf_parse_string, user, 1, 64),
	KEY("policy_conf", parse_path, policy_conf, 2, PATH_MAX_BYTES),
	KEY("policy_dir", parse_path, policy_dir, 2, PATH_MAX_BYTES),
	KEY("state_dir", parse_path, state_dir, 2, PATH_MAX_BYTES),
	KEY("run_dir", parse_path, run_dir, 2, PATH_MAX_BYTES),
	KEY("max_body", conf_parse_size, max_body_bytes, 1024, 64 << 20),
	KEY("max_lines", conf_parse_u32, max_lines, 1, 1000000),
	KEY("max_acls", conf_parse_u32, max_acls, 1, 1000000),
	KEY("threads", conf_parse_u32, threads, 1, 1000),
	KEY("request_timeout", conf_parse_ms, request_timeout_ms, 1000, 600000),
	KEY("backend", parse_backend, backend, 0, 0),
	KEY("command", parse_path, command, 2, PATH_MAX_BYTES),
	KEY("command_timeout", conf_parse_ms, command_timeout_ms, 1000, 3600000),
	KEY("log_level", parse_log_level, log_level, 0, 0),
	KEY("debug", conf_parse_string, debug, 0, 256),
	{ .name = NULL },
};

static const struct {
	size_t offset; /* of a char * in struct server_conf */
	const char *value;
} default_texts[] = {
	{ offsetof(struct server_conf, address), "127.0.0.1" },
	{ offsetof(struct server_conf, tokens), "" },
	{ offsetof(struct server_conf, tls_certificate), "" },
	{ offsetof(struct server_conf, tls_key), "" },
	{ offsetof(struct server_conf, tls_client_ca), "" },
	{ offsetof(struct server_conf, user), "tapgate" },
	{ offsetof(struct server_conf, policy_conf), "/etc/cumulus/acl/policy.conf" },
	{ offsetof(struct server_conf, policy_dir), "/etc/cumulus/acl/policy.d" },
	{ offsetof(struct server_conf, state_dir), "/var/lib/tapgate" },
	{ offsetof(struct server_conf, run_dir), "/run/tapgate" },
	{ offsetof(struct server_conf, command), "/usr/cumulus/bin/cl-acltool" },
	{ offsetof(struct server_conf, log_level), "info" },
	{ offsetof(struct server_conf, debug), "" },
};

enum { N_DEFAULT_TEXTS = sizeof(default_texts) / sizeof(default_texts[0]) };

static char **
text_at(struct server_conf *conf, size_t offset)
{
	return (char **)((char *)conf + offset);
}

int
server_conf_init(struct server_conf *conf)
{
	*conf = (struct server_conf){
		.port = 8080,
		.connections = 1000,
		.tls_client_required = true,
		.max_body_bytes = 1 << 20,
		.max_lines = 10000,
		.max_acls = 20000,
		.threads = 66,
		.request_timeout_ms = 30000,
		.backend = SERVER_BACKEND_AUTO,
		.command_timeout_ms = 60000,
	};
	for (size_t i = 0; i < N_DEFAULT_TEXTS; i++) {
		char **text = text_at(conf, default_texts[i].offset);

		*text = strdup(default_texts[i].value);
		if (!*text) {
			server_conf_done(conf);
			return -ENOMEM;
		}
	}
	return 0;
}

void
server_conf_done(struct server_conf *conf)
{
	for (size_t i = 0; i < N_DEFAULT_TEXTS; i++)
		free(*text_at(conf, default_texts[i].offset));
	*conf = (struct server_conf){ 0 };
}

/* True if the line at @p sets the key @name. */
static bool
line_sets(const char *p, const char *end, const char *name)
{
	size_t name_len = strlen(name);

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if ((size_t)(end - p) <= name_len || memcmp(p, name, name_len) != 0)
		return false;
	p += name_len;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p < end && *p == '=';
}

/* The line of @text, already parsed without problems, that sets @name; 0 = none. */
static int
find_line(const char *text, size_t len, const char *name)
{
	const char *p = text, *end = text + len;

	for (int line = 1; p < end; line++) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		const char *line_end = newline ? newline : end;

		if (line_sets(p, line_end, name))
			return line;
		p = line_end + 1;
	}
	return 0;
}

/* What a check across keys needs. */
struct check {
	const struct server_conf *conf;
	const char *file;
	const char *text;
	size_t len;
	conf_problem_fn problem;
	void *user_data;
	int n_problems;
};

static bool
is_set(const struct check *c, const char *name)
{
	return find_line(c->text, c->len, name) > 0;
}

/* A problem in the line that sets @name. */
static void
report(struct check *c, const char *name, const char *reason)
{
	c->problem(c->file, find_line(c->text, c->len, name), reason, c->user_data);
	c->n_problems++;
}

static void
check_listen(struct check *c, const struct listen_list *listen)
{
	bool tls = false;

	if (is_set(c, "listen") && (is_set(c, "address") || is_set(c, "port")))
		report(c, "listen",
			"listen: takes the place of address and port; leave those out");
	for (unsigned i = 0; i < listen->n; i++)
		tls = tls || listen->items[i].tls;
	if (tls && (!c->conf->tls_certificate[0] || !c->conf->tls_key[0]))
		report(c, "listen", "listen: https needs tls_certificate and tls_key");
	if (!tls && (c->conf->tls_certificate[0] || c->conf->tls_key[0] ||
			    c->conf->tls_client_ca[0]))
		report(c, "listen",
			"listen: there are settings for TLS, but no https:// address");
	if (is_set(c, "tls_client") && !c->conf->tls_client_ca[0])
		report(c, "tls_client", "tls_client: needs tls_client_ca");
}

static void
check_remote(struct check *c, const struct listen_list *listen)
{
	char url[LISTEN_TEXT_SIZE];
	struct err err;

	for (unsigned i = 0; i < listen->n; i++) {
		const struct listen_addr *item = &listen->items[i];

		if (listen_addr_is_loopback(item) ||
			server_conf_restricts(c->conf, item))
			continue;
		listen_addr_format(item, url);
		(void)err_set(&err, -EPERM,
			"%s: on an address that is not loopback anybody who reaches it "
			"may change the ACLs (%s). Ask for authentication by "
			"\"tokens\", or "
			"by https with \"tls_client_ca\", or admit certain addresses "
			"only, by "
			"\"allow_from\"; or write \"allow_unauthenticated_remote = "
			"yes\" if "
			"that is what you want",
			is_set(c, "listen") ? "listen" : "address", url);
		report(c, is_set(c, "listen") ? "listen" : "address", err.text);
		return; /* once is enough */
	}
}

/* What no single key shows; number of problems. */
static int
cross_check(struct check *c)
{
	struct listen_list listen;

	server_conf_listen(c->conf, &listen);
	check_listen(c, &listen);
	check_remote(c, &listen);
	return c->n_problems;
}

void
server_conf_listen(const struct server_conf *conf, struct listen_list *ret)
{
	*ret = conf->listen;
	if (ret->n > 0)
		return;
	/* The parser of the key let nothing else in. */
	(void)parse_addr(conf->address, &ret->items[0].addr);
	ret->items[0].port = (uint16_t)conf->port;
	ret->n = 1;
}

void
server_conf_split(const struct server_conf *conf, struct listen_list *ret_direct,
	struct listen_list *ret_front)
{
	struct listen_list all;

	server_conf_listen(conf, &all);
	ret_direct->n = ret_front->n = 0;
	for (unsigned i = 0; i < all.n; i++) {
		struct listen_list *list =
			listen_addr_is_direct(&all.items[i]) ? ret_direct : ret_front;

		list->items[list->n++] = all.items[i];
	}
}

bool
server_conf_restricts(const struct server_conf *conf, const struct listen_addr *listen)
{
	if (conf->tokens[0] || conf->allow_from.n > 0)
		return true;
	if (listen->tls && conf->tls_client_ca[0] && conf->tls_client_required)
		return true;
	return conf->allow_unauthenticated_remote;
}

int
server_conf_parse(const char *file, const char *text, size_t len,
	struct server_conf *ret, conf_problem_fn problem, void *user_data)
{
	struct check check = { ret, file, text, len, problem, user_data, 0 };
	int result = server_conf_init(ret);

	if (result < 0) {
		problem(file, 0, "out of memory", user_data);
		return result;
	}
	if (conf_parse(file, text, len, keys, ret, problem, user_data) > 0 ||
		cross_check(&check) > 0) {
		server_conf_done(ret);
		return -EINVAL;
	}
	return 0;
}

int
server_conf_load(const char *path, struct server_conf *ret, conf_problem_fn problem,
	void *user_data)
{
	AUTO_FREE char *text = NULL;
	struct err err;
	size_t len;
	int result = file_read(AT_FDCWD, path, CONF_FILE_MAX, &text, &len);

	if (result < 0) {
		(void)err_sys(&err, result, "cannot read the file"); /* result is it */
		problem(path, 0, err.text, user_data);
		*ret = (struct server_conf){ 0 };
		return result;
	}
	return server_conf_parse(path, text, len, ret, problem, user_data);
}

const char *
server_conf_needs_restart(const struct server_conf *old, const struct server_conf *new)
{
	if (strcmp(old->user, new->user) != 0)
		return "user";
	if (strcmp(old->policy_conf, new->policy_conf) != 0)
		return "policy_conf";
	if (strcmp(old->policy_dir, new->policy_dir) != 0)
		return "policy_dir";
	if (strcmp(old->state_dir, new->state_dir) != 0)
		return "state_dir";
	if (strcmp(old->run_dir, new->run_dir) != 0)
		return "run_dir";
	if (old->backend != new->backend)
		return "backend";
	if (strcmp(old->command, new->command) != 0)
		return "command";
	return NULL;
}

int
server_conf_log_level(const struct server_conf *conf)
{
	int level = find_word(conf->log_level, log_levels, N_LOG_LEVELS);

	return level < 0 ? LOG_LEVEL_INFO : level;
}
