/*
 * fuzz_api.c - a request from its parts: the lines of the input are the method, the
 * path, the query and then header lines "Name: value"; what follows an empty line is
 * the body. The answer is always complete, and nothing outside /acl/ exists.
 *
 * The directory is read but never written: every file that is made fails.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aclserver/api.h"
#include "aclserver/http_head.h"
#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 65536, MAX_BODY = 4096 };

static int
refuse_create(void *user_data, int dirfd, const char *name)
{
	(void)user_data;
	(void)dirfd;
	(void)name;
	return -EROFS;
}

/* One store in an empty directory, which is gone as soon as it is open. */
static struct api
make_api(void)
{
	static struct store_io io;
	char dir[] = "/tmp/tapgate-fuzz-XXXXXX";
	struct acl_store_options options = { .dir = dir, .max_acls = 10, .io = &io };
	struct api api = { .max_body_bytes = MAX_BODY, .max_lines = 100 };
	struct err err;

	io = store_io_system;
	io.create = refuse_create;
	require(mkdtemp(dir) != NULL);
	require(acl_store_open(&options, &api.store, &err) == 0);
	require(rmdir(dir) == 0);
	api.tracker = tracker_new(0); /* nobody commits, so nobody waits */
	require(api.tracker != NULL);
	return api;
}

/* Cut the next line off *@p; NULL at the end. */
static char *
next_line(char **p)
{
	char *line = *p;
	char *newline = line ? strchr(line, '\n') : NULL;

	if (!line)
		return NULL;
	*p = newline ? newline + 1 : NULL;
	if (newline)
		*newline = '\0';
	return line;
}

static void
read_head(char **p, struct http_head *head)
{
	char *line;

	http_head_init(head, "1.1");
	while ((line = next_line(p)) && *line) {
		char *colon = strstr(line, ": ");

		if (!colon)
			continue;
		*colon = '\0';
		http_head_add(head, line, colon + 2);
	}
	http_head_finish(head, "1.1");
	require(head->content_length >= -1);
	require(strlen(head->prefer) < sizeof(head->prefer));
	require((head->refusal != 0) == (head->reason != NULL));
}

static void
check_answer(const struct api_request *request, const struct api_response *response)
{
	require(response->status >= 200 && response->status < 600);
	require((response->body != NULL) == (response->content_type != NULL));
	require(response->body_len == (response->body ? strlen(response->body) : 0));
	require(response->waited_s >= -1 && response->waited_s <= 60);
	require((response->status == 405) <= (response->allow != NULL));
	if (strncmp(request->path, "/acl", 4) != 0 || strchr(request->path, '%') ||
		strchr(request->path, '.'))
		require(response->status == 404);
}

static void
ask(const struct api *api, struct api_request *request, const char *body)
{
	struct api_response response = { 0 };
	size_t len = body ? strlen(body) : 0;

	if (api_begin(api, request, &response)) {
		require(strcmp(request->method, "PUT") == 0);
		require(request->content_length <= MAX_BODY);
		api_put(api, request, body ? body : "", len, &response);
	}
	check_answer(request, &response);
	api_response_done(&response);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct api api;
	struct api_request request = { 0 };
	struct http_head head;
	char *text, *p;

	if (!api.store)
		api = make_api();
	if (size > INPUT_MAX)
		return 0;
	p = text = strndup((const char *)data, size);
	require(text != NULL);
	request.method = next_line(&p);
	request.path = next_line(&p);
	request.query = next_line(&p);
	if (request.query && request.query[0] == '\0')
		request.query = NULL;
	read_head(&p, &head);
	request.content_type = head.content_type;
	request.prefer = head.prefer;
	request.content_length = head.content_length;
	if (request.path)
		ask(&api, &request, p);
	free(text);
	return 0;
}
