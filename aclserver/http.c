/*
 * http.c - see http.h. Requests pass from handle_request() (bottom) through api.c to
 * send_response().
 *
 * civetweb calls begin_request before it does anything by itself, and begin_request
 * always answers, so none of its own features (files, CGI, Lua, WebSockets) can be
 * reached.
 */
#include "aclserver/http.h"

#include <civetweb.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aclserver/http_answer.h"
#include "aclserver/http_auth.h"
#include "aclserver/http_guard.h"
#include "aclserver/http_head.h"
#include "aclserver/http_listen.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/mono.h"

enum {
	ONE_WRITE_SIZE = 8192, /* answers up to this go out in one piece */
	DISCARD_MAX = 8 << 20, /* of a body that is refused, read before closing, so
				  that the client sees the answer and no reset */
	DISCARD_MS = 1000,     /* as long: a client that may not get in has a thread */
	DISCARD_PIECE = 16 << 10,
	NUMBER_SIZE = 24,
};

struct http {
	struct mg_context *ctx;
	const struct api *api;
	struct http_guard *guard; /* watches bodies and answers */
	struct http_auth *auth;   /* owned */
	bool has_front;           /* it has a port of its own */
	int64_t timeout_ms;       /* for each of them */
	uint32_t threads;
	struct listen_list listen; /* with the ports that the kernel gave */
	uint16_t front_port;       /* of the front's connections; 0 = none */

	pthread_mutex_t lock;   /* guards all below */
	bool started;           /* civetweb serves */
	char start_error[256];  /* its first message before that */
	pthread_cond_t idle;    /* n_requests became 0 */
	unsigned n_requests;    /* being handled */
	unsigned n_connections; /* that hold a thread */
	bool draining;          /* no new requests are handled */
};

/* ---- bytes from and to the client, in limited time ---- */

static struct http_transfer
begin_transfer(const struct mg_connection *conn, struct mono deadline)
{
	const struct mg_request_info *info = mg_get_request_info(conn);

	return (struct http_transfer){
		.deadline = deadline,
		.address = info->remote_addr,
		.port = (uint16_t)info->remote_port,
	};
}

static struct mono
deadline_of(const struct http *http)
{
	return mono_add_ms(mono_now(), http->timeout_ms);
}

/* @len bytes of the body; false if they did not come. */
static bool
receive(const struct http *http, struct mg_connection *conn, struct mono deadline,
	void *buf, size_t len)
{
	struct http_transfer transfer = begin_transfer(conn, deadline);
	int n;

	if (len == 0)
		return true;
	transfer.reads = true;
	http_guard_begin(http->guard, &transfer);
	n = mg_read(conn, buf, len);
	http_guard_end(http->guard, &transfer);
	return n >= 0 && (size_t)n == len;
}

/* False if the client did not take it. */
static bool
send_all(const struct http *http, struct mg_connection *conn, const void *buf,
	size_t len)
{
	struct http_transfer transfer = begin_transfer(conn, deadline_of(http));
	int n;

	if (len == 0)
		return true;
	http_guard_begin(http->guard, &transfer);
	n = mg_write(conn, buf, len);
	http_guard_end(http->guard, &transfer);
	return n >= 0 && (size_t)n == len;
}

/* ---- answers ---- */

/* How the answer is sent. */
struct sending {
	bool keep_alive;
	bool without_body; /* the request is a HEAD */
};

static void
send_response(const struct http *http, struct mg_connection *conn,
	const struct api_response *response, struct sending how)
{
	size_t body_len = how.without_body ? 0 : response->body_len;
	char text[ONE_WRITE_SIZE]; /* not initialised: most of it is never used */
	size_t len = http_answer_head(response, how.keep_alive, text);
	bool sent;

	if (body_len > 0 && len + body_len <= sizeof(text)) {
		memcpy(text + len, response->body, body_len);
		len += body_len;
		body_len = 0;
	}
	sent = send_all(http, conn, text, len) &&
	       send_all(http, conn, response->body, body_len);
	if (!how.keep_alive || !sent)
		mg_disable_keep_alive(conn);
}

/* ---- one request ---- */

static void
read_head(const struct mg_request_info *info, struct http_head *ret)
{
	http_head_init(ret, info->http_version);
	/* civetweb drops those above its limit; one could be a length. */
	if (info->num_headers >= MG_MAX_HEADERS)
		http_head_refuse(ret, 431, "there are too many header lines");
	for (int i = 0; i < info->num_headers; i++) {
		const struct mg_header *line = &info->http_headers[i];
		bool is_last = i + 1 == info->num_headers;

		http_head_add(ret, line->name, line->value);
		/* It reads how these releases (of Debian 12 and 13) cut lines in their
		 * buffer; of others that is not known. */
		if (strncmp(mg_version(), "1.15", 4) == 0 ||
			strncmp(mg_version(), "1.16", 4) == 0)
			http_head_check(ret, line->name, line->value,
				is_last ? NULL : line[1].name);
	}
	http_head_finish(ret, info->http_version);
}

/* Read a body that nobody wants, within limits. */
static void
discard_body(const struct http *http, struct mg_connection *conn,
	const struct http_head *head)
{
	const struct mono deadline = mono_add_ms(mono_now(), DISCARD_MS);
	char piece[DISCARD_PIECE];

	/* It is not on its way, or nobody knows where it ends. */
	if (head->expects_continue ||
		(head->refusal && head->refusal != 411 && head->refusal != 403))
		return;
	for (size_t n = 0; n < DISCARD_MAX; n += sizeof(piece))
		if (!receive(http, conn, deadline, piece, sizeof(piece)))
			break;
}

/* The whole body, owned by the caller; NULL if it did not come or there is no memory,
 * with the answer in @ret. */
static char *
read_body(const struct http *http, struct mg_connection *conn,
	const struct http_head *head, struct api_response *ret)
{
	const size_t len = (size_t)head->content_length;
	AUTO_FREE char *body = malloc(len + 1);

	if (!body) {
		api_problem(http->api, 500, "out of memory", ret);
		return NULL;
	}
	if (head->expects_continue) {
		static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

		(void)send_all(
			http, conn, go_on, sizeof(go_on) - 1); /* the read shows it */
	}
	if (!receive(http, conn, deadline_of(http), body, len)) {
		api_problem(http->api, 408, "the body did not arrive in time", ret);
		return NULL;
	}
	return take_ptr(body);
}

static void
fill_request(const struct mg_request_info *info, const struct http_head *head,
	const struct caller *caller, struct api_request *ret)
{
	*ret = (struct api_request){
		.method = info->request_method,
		.path = info->local_uri_raw,
		.query = info->query_string,
		.content_type = head->content_type,
		.prefer = head->prefer,
		.content_length = head->content_length,
		.scopes = caller->is_limited ? &caller->scopes : NULL,
	};
}

/* True and @ret_caller, or the answer in @ret. */
static bool
authenticate(const struct http *http, const struct mg_request_info *info,
	const struct http_head *head, struct caller *ret_caller,
	struct api_response *ret)
{
	const struct http_auth_request request = {
		.address = info->remote_addr,
		.port = (uint16_t)info->remote_port,
		.own_port = (uint16_t)info->server_port,
		.method = info->request_method,
		.uri = info->request_uri,
		.authorization = head->authorization,
	};
	struct http_auth_refusal refusal;

	if (http_auth_check(http->auth, &request, ret_caller, &refusal))
		return true;
	api_problem(http->api, refusal.status, refusal.reason, ret);
	ret->token_is_wrong = refusal.token_is_wrong;
	return false;
}

/* Hand the request to the API. Returns true if its body was read, or
 * has none, and the connection may stay. */
static bool
answer(const struct http *http, struct mg_connection *conn,
	const struct http_head *head, struct api_response *ret)
{
	const struct mg_request_info *info = mg_get_request_info(conn);
	struct api_request request;
	AUTO_FREE char *body = NULL;
	struct caller caller;

	/* Who may not get in keeps no thread. */
	if (!authenticate(http, info, head, &caller, ret))
		return false;
	fill_request(info, head, &caller, &request);
	if (!api_begin(http->api, &request, ret))
		return head->content_length <= 0 && !caller.is_last;
	body = read_body(http, conn, head, ret);
	if (!body)
		return false;
	api_put(http->api, &request, body, (size_t)head->content_length, ret);
	return !caller.is_last;
}

/* Refusals after which it is in doubt where the next request begins. */
static bool
is_doubtful(int status)
{
	return status == 400 || status == 411 || status == 413;
}

/* A request begins; what to know of the whole server for it. */
static void
enter(struct http *http, bool *ret_draining, bool *ret_crowded)
{
	pthread_mutex_lock(&http->lock);
	http->n_requests++;
	*ret_draining = http->draining;
	*ret_crowded = http->n_connections >= http->threads;
	pthread_mutex_unlock(&http->lock);
}

static void
leave(struct http *http)
{
	pthread_mutex_lock(&http->lock);
	if (--http->n_requests == 0)
		pthread_cond_broadcast(&http->idle);
	pthread_mutex_unlock(&http->lock);
}

static int
handle_request(struct http *http, struct mg_connection *conn)
{
	const struct mg_request_info *info = mg_get_request_info(conn);
	CLEANUP(api_response_done) struct api_response response = { 0 };
	struct sending how = { .without_body =
				       strcmp(info->request_method, "HEAD") == 0 };
	bool draining, crowded, whole = false;
	struct http_head head;

	enter(http, &draining, &crowded);
	read_head(info, &head);
	if (head.refusal)
		api_problem(http->api, head.refusal, head.reason, &response);
	else if (draining)
		api_problem(http->api, 503, "the server is stopping", &response);
	else
		whole = answer(http, conn, &head, &response);
	/* When every thread has a connection, none is kept: others wait for it. */
	how.keep_alive =
		whole && head.keep_alive && !crowded && !is_doubtful(response.status);
	send_response(http, conn, &response, how);
	if (!whole)
		discard_body(http, conn, &head);
	leave(http);
	log_debug("http", "%s %s: %d", info->request_method, info->request_uri,
		response.status);
	return response.status;
}

/* ---- what civetweb calls ---- */

static int
on_request(struct mg_connection *conn)
{
	return handle_request(mg_get_user_context_data(conn), conn);
}

/* True if @text is a method that civetweb does not know, but HTTP allows. */
static bool
is_foreign_method(const char *text)
{
	static const char *const known[] = { "GET", "HEAD", "PUT", "DELETE",
		"OPTIONS" };

	if (!text || text[0] == '\0' ||
		text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_")] != '\0')
		return false;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(text, known[i]) == 0)
			return false;
	return true;
}

/* civetweb parses the request line, then refuses methods that are not in its list. */
static bool
answer_foreign_method(const struct http *http, const struct mg_request_info *info,
	struct api_response *ret)
{
	struct api_request request = { .content_length = -1 };
	AUTO_FREE char *path = NULL;

	if (!is_foreign_method(info->request_method) || !info->request_uri ||
		!info->http_version)
		return false;
	path = strdup(info->request_uri);
	if (!path)
		return false;
	path[strcspn(path, "?")] = '\0';
	request.method = info->request_method;
	request.path = path;
	(void)api_begin(http->api, &request, ret); /* only a PUT has more to come */
	return true;
}

/* civetweb refuses a request by itself; afterwards it closes the connection. */
static int
on_error(struct mg_connection *conn, int status, const char *message)
{
	const struct http *http = mg_get_user_context_data(conn);
	CLEANUP(api_response_done) struct api_response response = { 0 };
	const struct sending how = { 0 };

	/* Only after this message the request belongs to this error and not to the one
	 * before on the same connection. */
	if (status == 400 && strcmp(message, "Bad request") == 0 &&
		answer_foreign_method(http, mg_get_request_info(conn), &response)) {
		send_response(http, conn, &response, how);
		return 0;
	}
	if (status == 411)
		api_problem(
			http->api, 400, "Content-Length is not a number", &response);
	else if (status == 505)
		api_problem(
			http->api, 505, "HTTP/1.1 and HTTP/1.0 are known", &response);
	else if (status < 500)
		api_problem(http->api, 400,
			"the request is malformed, its headers are longer than 16 KiB, "
			"or it did not arrive in time",
			&response);
	else
		api_problem(http->api, 500, message, &response);
	send_response(http, conn, &response, how);
	return 0;
}

static int
on_message(const struct mg_connection *conn, const char *message)
{
	struct http *http = mg_get_user_data(mg_get_context(conn));

	if (http && !http->ctx && http->start_error[0] == '\0')
		(void)snprintf(
			http->start_error, sizeof(http->start_error), "%s", message);
	else
		log_debug("http", "%s", message);
	return 1;
}

static int
on_access(const struct mg_connection *conn, const char *message)
{
	(void)conn;
	(void)message; /* handle_request() says it */
	return 1;
}

static void
count_connection(const struct mg_connection *conn, int by)
{
	struct http *http = mg_get_user_context_data(conn);

	pthread_mutex_lock(&http->lock);
	http->n_connections += (unsigned)by;
	pthread_mutex_unlock(&http->lock);
}

static int
on_connection(const struct mg_connection *conn, void **ret_data)
{
	(void)ret_data; /* nothing is kept per connection */
	count_connection(conn, 1);
	return 0;
}

static void
on_connection_closed(const struct mg_connection *conn)
{
	count_connection(conn, -1);
}

/* ---- start and end ---- */

static struct mg_context *
start_civetweb(struct http *http, const struct http_options *options)
{
	static const struct mg_callbacks callbacks = {
		.begin_request = on_request,
		.log_message = on_message,
		.log_access = on_access,
		.http_error = on_error,
		.init_connection = on_connection,
		.connection_closed = on_connection_closed,
	};
	char ports[HTTP_LISTEN_PORTS_SIZE], allowed[HTTP_LISTEN_ALLOW_SIZE],
		threads[NUMBER_SIZE], timeout[NUMBER_SIZE];
	const char *settings[] = { "listening_ports", ports, "access_control_list",
		allowed, "num_threads", threads, "request_timeout_ms", timeout,
		"keep_alive_timeout_ms", timeout, "enable_keep_alive", "yes",
		"tcp_nodelay", "1", "decode_url", "no", "enable_auth_domain_check",
		"no", "enable_directory_listing", "no", NULL };
	struct mg_init_data init = { &callbacks, http, settings };

	http_listen_format(&http->listen, http->has_front, ports);
	http_listen_format_allow(options->allow, allowed);
	(void)snprintf(threads, sizeof(threads), "%u", options->threads);
	(void)snprintf(timeout, sizeof(timeout), "%lld",
		(long long)options->request_timeout_ms);
	(void)mg_init_library(MG_FEATURES_DEFAULT); /* 0 = no features asked for */
	return mg_start2(&init, NULL);
}

static void
http_free(struct http *http)
{
	http_guard_free(http->guard);
	http_auth_free(http->auth);
	pthread_cond_destroy(&http->idle);
	pthread_mutex_destroy(&http->lock);
	free(http);
}

static struct http *
http_new(const struct http_options *options)
{
	struct http *http = calloc(1, sizeof(*http));

	if (!http)
		return NULL;
	http->api = options->api;
	http->threads = options->threads;
	http->timeout_ms = options->request_timeout_ms;
	http->has_front = options->peers != NULL;
	http->listen = *options->listen;
	pthread_mutex_init(&http->lock, NULL);
	pthread_cond_init(&http->idle, NULL);
	http->guard = http_guard_new();
	http->auth = http_auth_new(options->access, options->peers);
	if (!http->guard || !http->auth) {
		http_free(http);
		return NULL;
	}
	return http;
}

/* Which ports the kernel gave. */
static int
find_ports(struct http *http, struct err *err)
{
	struct mg_server_port ports[LISTEN_MAX + 1];
	const int n = (int)http->listen.n + (http->has_front);

	if (mg_get_server_ports(http->ctx, n, ports) != n)
		return err_set(err, -EIO, "the HTTP server does not tell its ports");
	for (unsigned i = 0; i < http->listen.n; i++)
		http->listen.items[i].port = (uint16_t)ports[i].port;
	if (!http->has_front)
		return 0;
	http->front_port = (uint16_t)ports[n - 1].port;
	http_auth_set_front_port(http->auth, http->front_port);
	/* Clients are told apart by the port that they use. */
	for (unsigned i = 0; i < http->listen.n; i++)
		if (http->listen.items[i].port == http->front_port)
			return err_set(err, -EIO,
				"the kernel gave port %u to the front, too",
				http->front_port);
	return 0;
}

int
http_start(const struct http_options *options, struct http **ret, struct err *err)
{
	struct http *http;
	int result = http_listen_try(options->listen, err);

	if (result < 0)
		return result;
	http = http_new(options);
	if (!http)
		return err_set(err, -ENOMEM, "out of memory");
	http->ctx = start_civetweb(http, options);
	if (!http->ctx) {
		result = err_set(err, -EIO, "cannot start the HTTP server: %s",
			http->start_error);
		(void)mg_exit_library(); /* balances the call that counted */
		http_free(http);
		return result;
	}
	pthread_mutex_lock(&http->lock);
	http->started = true;
	pthread_mutex_unlock(&http->lock);
	*ret = http;
	return find_ports(http, err);
}

const struct listen_list *
http_listen(const struct http *http)
{
	return &http->listen;
}

uint16_t
http_front_port(const struct http *http)
{
	return http->front_port;
}

void
http_check(struct http *http)
{
	unsigned n = http_guard_check(http->guard, mono_now());

	if (n > 0)
		log_debug("http", "%u slow connections closed", n);
}

void
http_drain(struct http *http, unsigned grace_s)
{
	struct timespec deadline;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += grace_s;
	pthread_mutex_lock(&http->lock);
	http->draining = true;
	while (http->n_requests > 0 && pthread_cond_clockwait(&http->idle, &http->lock,
					       CLOCK_MONOTONIC, &deadline) == 0)
		;
	pthread_mutex_unlock(&http->lock);
}
