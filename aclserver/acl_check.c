/*
 * acl_check.c - checks a policy for the hardware of Cumulus switches; see acl_check.h.
 */
#include "aclserver/acl_check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/policy_load.h"
#include "aclserver/policy_read.h"
#include "aclserver/strict_count.h"
#include "common/cleanup.h"

struct checking {
	const struct committer_conf *conf;
	struct policy_load *load; /* owned */
	struct arena *arena;      /* owned; all compiled files */
	struct strict_count count;
	struct diags *diags;
};

static int
check_file(struct checking *c, const char *path)
{
	struct policy_text source;
	struct ruleset_file file = { 0 };
	struct err err;
	int r = policy_read(path, &source, &err);

	if (c->conf->on_file)
		c->conf->on_file(path, c->conf->user_data);
	if (r < 0) {
		diags_add(c->diags, DIAG_ERROR, path, 0, NULL, "%s", err.text);
		return r;
	}
	r = policy_compile(path, source.text, source.len, &c->load->vars,
		COMPILE_STRICT, c->arena, &file, c->diags);
	free(source.text);
	return r == 0 ? strict_count_add(&c->count, &file) : r;
}

static int
check_files(struct checking *c, const struct policy_files *files)
{
	int result = 0;

	for (size_t i = 0; i < files->n && result != -ENOMEM; i++) {
		AUTO_FREE char *path = policy_load_path(c->load, &files->items[i]);
		int r = path ? check_file(c, path) : -ENOMEM;

		result = r < 0 ? r : result;
	}
	return result;
}

/* The rules are fine one by one; are they together? */
static int
check_count(const struct checking *c)
{
	const struct strict_count *count = &c->count;
	const char *mirrors = strict_count_mirrors(count);
	bool fits = false;

	printf("Hardware: %zu entries of ingress for IPv4 and MAC, %zu for IPv6, %zu "
	       "of "
	       "egress\n",
		count->ip_in, count->ip6_in, count->out);
	for (size_t i = 0; i < strict_n_switches; i++) {
		bool has_room = strict_count_fits(count, &strict_switches[i]);

		if (!has_room)
			printf("No room on: %s\n", strict_switches[i].name);
		fits |= has_room;
	}
	if (!fits)
		diags_add(c->diags, DIAG_ERROR, c->conf->paths[0], 0, NULL,
			"strict: no known switch has room for so many rules");
	if (mirrors)
		diags_add(c->diags, DIAG_ERROR, c->conf->paths[0], 0, NULL, "%s",
			mirrors);
	return fits && !mirrors ? 0 : -EINVAL;
}

static int
load_policy(struct checking *c)
{
	const struct committer_conf *conf = c->conf;
	struct err err;
	int r;

	if (conf->source == COMMITTER_SOURCE_CONF)
		return policy_load_conf(conf->paths[0], &c->load, c->diags);
	r = conf->source == COMMITTER_SOURCE_DIR
		    ? policy_load_dir(conf->paths[0], &c->load, &err)
		    : policy_load_files(conf->paths, conf->n_paths, &c->load, &err);
	if (r < 0 && r != -ENOMEM)
		diags_add(
			c->diags, DIAG_ERROR, conf->paths[0], 0, NULL, "%s", err.text);
	return r;
}

int
acl_check(const struct committer_conf *conf, struct diags *diags)
{
	struct checking c = {
		.conf = conf,
		.arena = arena_new(0),
		.diags = diags,
	};
	struct policy_files files = { 0 };
	int r = c.arena ? load_policy(&c) : -ENOMEM;

	if (r == 0)
		r = policy_load_list(c.load, &files, diags);
	if (r == 0)
		r = check_files(&c, &files);
	if (r == 0)
		r = check_count(&c);
	policy_files_done(&files);
	policy_load_free(c.load);
	arena_free(c.arena);
	return r == 0 || r == -ENOMEM ? r : -EINVAL;
}
