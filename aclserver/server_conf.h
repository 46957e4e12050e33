/*
 * server_conf.h - struct server_conf: what /etc/tapgate/aclserver.conf says.
 *
 * Keys and defaults are one table in server_conf.c; tapgate-aclserver.conf beside it
 * shows them all. Used at start, by "-n" and by SIGHUP: a file is read into a fresh
 * struct, checked whole, and only then used.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "aclserver/server_conf_listen.h"
#include "common/conf.h"
#include "common/err.h"

#define SERVER_CONF_PATH "/etc/tapgate/aclserver.conf"

enum server_backend {
	SERVER_BACKEND_AUTO,     /* command if conf.command exists, else nftables */
	SERVER_BACKEND_NFTABLES, /* this program speaks to the kernel itself */
	SERVER_BACKEND_COMMAND,  /* run conf.command with -i */
};

struct server_conf {
	char *address; /* IPv4 or IPv6 address to listen on, without brackets; owned */
	uint32_t port; /* TCP; 0 only in tests: the kernel picks one */
	struct listen_list listen;         /* instead of both, if it has any */
	bool allow_unauthenticated_remote; /* whoever reaches it may change ACLs */
	struct prefix_list allow_from; /* clients beside those on this machine; none =
					  all */
	uint32_t connections;     /* of clients over IPv6 or https, at the same time */
	char *tokens;             /* absolute path, "" = no authentication; owned */
	char *tls_certificate;    /* absolute path, "" = none; owned */
	char *tls_key;            /* absolute path, "" = none; owned */
	char *tls_client_ca;      /* absolute path, "" = none; owned */
	bool tls_client_required; /* a certificate of that CA */
	char *user;        /* the HTTP process runs as it: name or number; owned */
	char *policy_conf; /* absolute path; owned */
	char *policy_dir;  /* absolute path; owned */
	char *state_dir;   /* absolute path; owned */
	char *run_dir;     /* absolute path; owned */
	uint64_t max_body_bytes;    /* of one request */
	uint32_t max_lines;         /* of one ACL */
	uint32_t max_acls;          /* made over REST */
	uint32_t threads;           /* of the HTTP process = open connections */
	int64_t request_timeout_ms; /* for a request to arrive, an idle connection
				       to be kept */
	enum server_backend backend;
	char *command;              /* absolute path of a cl-acltool; owned */
	int64_t command_timeout_ms; /* it is killed after this */
	char *log_level;            /* "error" .. "debug", checked; owned */
	char *debug;                /* topics for log_set_topics(), "" = none; owned */
};

/** Every default in place; 0 or -ENOMEM. Release with server_conf_done(). */
int server_conf_init(struct server_conf *conf);

/** Free what @conf owns and zero it; accepts a zeroed struct. */
void server_conf_done(struct server_conf *conf);

/**
 * Parse @text into @ret, defaults first, and cross-check it. Pure.
 *
 * @file     name for messages
 * @problem  called once per problem, with the line where one is known
 * Returns   0 and @ret to be released with server_conf_done(); else a negative errno
 *           (-EINVAL: problems were reported) and @ret is zeroed
 */
int server_conf_parse(const char *file, const char *text, size_t len,
	struct server_conf *ret, conf_problem_fn problem, void *user_data);

/**
 * Read and parse the file @path; a file that cannot be read is one problem with line 0.
 * Returns as server_conf_parse().
 */
int server_conf_load(const char *path, struct server_conf *ret, conf_problem_fn problem,
	void *user_data);

/**
 * Name the first key that differs between @old and @new although it only takes effect
 * at a start of the parent (all but those that restarting the child applies), or NULL.
 * For SIGHUP: restarting the HTTP process applies address, port, limits, threads and
 * time-outs; policy_conf, policy_dir, user, state_dir, run_dir and the back end need a
 * restart of the whole server.
 */
const char *server_conf_needs_restart(
	const struct server_conf *old, const struct server_conf *new);

/** Where to listen, whichever keys say so. */
void server_conf_listen(const struct server_conf *conf, struct listen_list *ret);

/** As server_conf_listen(), in two lists: where the HTTP library listens itself, and
 * where it takes the front (front.h). */
void server_conf_split(const struct server_conf *conf, struct listen_list *ret_direct,
	struct listen_list *ret_front);

/** True if not just anybody who reaches @listen may change ACLs, or if the operator
 * wants that. */
bool server_conf_restricts(
	const struct server_conf *conf, const struct listen_addr *listen);

/** The enum log_level of conf->log_level. */
int server_conf_log_level(const struct server_conf *conf);
