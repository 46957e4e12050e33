/*
 * fuzz_server_conf.c - the server's configuration: what is accepted listens somewhere,
 * and lets nobody in from elsewhere who was not meant to.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/http_listen.h"
#include "aclserver/server_conf.h"
#include "tests/fuzz/fuzz.h"

static void
on_problem(const char *file, int line, const char *reason, void *user_data)
{
	require(strcmp(file, "fuzz") == 0 && line >= 0 && reason[0] != '\0');
	++*(int *)user_data;
}

static void
check_listen(const struct server_conf *conf)
{
	char ports[HTTP_LISTEN_PORTS_SIZE], allowed[HTTP_LISTEN_ALLOW_SIZE];
	struct listen_list all, direct, fronted;

	server_conf_listen(conf, &all);
	server_conf_split(conf, &direct, &fronted);
	require(all.n >= 1 && all.n <= LISTEN_MAX && direct.n + fronted.n == all.n);
	for (unsigned i = 0; i < all.n; i++) {
		require(all.items[i].port >= 1024);
		require(listen_addr_is_loopback(&all.items[i]) ||
			server_conf_restricts(conf, &all.items[i]));
		require(!all.items[i].tls || conf->tls_certificate[0]);
	}
	http_listen_format(&direct, fronted.n > 0, ports);
	http_listen_format_allow(&conf->allow_from, allowed);
	require(strlen(ports) < sizeof(ports) - 1);
	require(strlen(allowed) < sizeof(allowed) - 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct server_conf conf;
	int n_problems = 0;
	int result = server_conf_parse(
		"fuzz", (const char *)data, size, &conf, on_problem, &n_problems);

	require((result == 0) == (n_problems == 0));
	if (result == 0)
		check_listen(&conf);
	server_conf_done(&conf);
	return 0;
}
