/*
 * committer_fixture.h - for tests of the committer: a policy directory, commits, and
 * what the kernel then holds, in a network namespace of their own. Include after
 * cmocka.h.
 */
#pragma once

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aclserver/committer.h"
#include "aclserver/kernel_rules.h"
#include "tests/unit/nft_env.h"

enum { PATH_SIZE = 256 };

static char dir[] = "/var/tmp/test_committer.XXXXXX";
static char conf_path[PATH_SIZE];
static const char *const paths[] = { conf_path };

static inline void
write_file(const char *name, const char *text)
{
	char path[PATH_SIZE];
	FILE *f;

	snprintf(path, sizeof(path), "%s/policy.d/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static inline void
remove_file(const char *name)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/policy.d/%s", dir, name);
	unlink(path);
}

static inline struct committer *
committer_of(bool announce)
{
	const struct committer_conf conf = {
		.source = COMMITTER_SOURCE_CONF,
		.paths = paths,
		.n_paths = 1,
		.run_dir = dir,
		.state_dir = dir,
		.announce = announce,
	};
	struct err err;
	struct committer *c = committer_new(&conf, &err);

	assert_non_null(c);
	return c;
}

static inline struct committer *
new_committer(void)
{
	return committer_of(false);
}

/* One that tells the others what it does, as tapgate-acl. */
static inline struct committer *
new_tool(void)
{
	return committer_of(true);
}

/* Commit, expect @code, return how many files changed. */
static inline size_t
commit(struct committer *c, enum commit_what what, enum commit_code code)
{
	struct commit_result result;
	size_t changed;

	committer_commit(c, what, COMMIT_INSTALL, &result);
	for (size_t i = 0; i < result.problems.n && (int)code != (int)result.code; i++)
		print_error("%s:%d: %s\n", result.problems.items[i].file,
			result.problems.items[i].line, result.problems.items[i].reason);
	assert_int_equal(result.code, code);
	changed = result.n_changed;
	commit_result_done(&result);
	return changed;
}

/* Tell the committer of a change as file events would, and commit it. */
static inline size_t
commit_file(struct committer *c, const char *name, enum commit_code code)
{
	char policy_d[PATH_SIZE];

	snprintf(policy_d, sizeof(policy_d), "%s/policy.d", dir);
	committer_changed(c, policy_d, name);
	return commit(c, COMMIT_CHANGED, code);
}

/* Texts of the installed rules of one place, "a|b|c", in the order of packets. */
static inline const char *
installed(enum place place)
{
	static char text[4096];
	struct kernel_rules rules;
	struct err err;
	struct nft *nft = nft_open(&err);
	size_t len = 0;

	assert_int_equal(kernel_rules_read(nft, &rules, &err), 0);
	text[0] = '\0';
	for (size_t i = 0; i < rules.n; i++)
		if (rules.items[i].place == place)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
				len ? "|" : "", rules.items[i].tag.text);
	kernel_rules_done(&rules);
	nft_close(nft);
	return text;
}

static const enum place forward = BASE_INET_FORWARD_FILTER * PLACE_GROUP_COUNT;

static inline void
assert_adopts(void)
{
	struct committer *fresh = new_committer();

	assert_int_equal(commit(fresh, COMMIT_ALL, COMMIT_OK), 0);
	committer_free(fresh);
}

static inline int
setup(void **state)
{
	char path[PATH_SIZE];
	const char *ignored;

	(void)state;
	snprintf(path, sizeof(path), "rm -rf %s/policy.d; mkdir %s/policy.d", dir, dir);
	nft_env_run(path, &ignored);
	nft_env_run("nft flush ruleset", &ignored);
	return 0;
}

/* Run @tests in a namespace and a directory of their own; 77 when that is not possible.
 */
#define RUN_WITH_POLICY(tests)                                                         \
	(nft_env_enter() ? run_with_policy(tests, sizeof(tests) / sizeof((tests)[0]))  \
			 : NFT_ENV_SKIP)

static inline int
run_with_policy(const struct CMUnitTest *tests, size_t n)
{
	const char *ignored;
	char command[PATH_SIZE];
	int failed;

	if (!mkdtemp(dir))
		return 1;
	snprintf(conf_path, sizeof(conf_path), "%s/policy.conf", dir);
	nft_env_run("ip link set lo up", &ignored);
	failed = _cmocka_run_group_tests("committer", tests, n, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	nft_env_run(command, &ignored);
	return failed;
}
