/*
 * acl_tool.c - install, flush, zero and list for tapgate-acl; see acl_tool.h.
 */
#include "aclserver/acl_tool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/acl_check.h"
#include "aclserver/acl_list.h"
#include "aclserver/acl_zero.h"
#include "aclserver/commit_lock.h"
#include "aclserver/committer.h"
#include "aclserver/kernel_rules.h"
#include "aclserver/last_good.h"
#include "aclserver/port_marks.h"
#include "aclserver/span_ports.h"
#include "common/cleanup.h"

enum { LOCK_WAIT_MS = 30000 };

static enum acl_exit
kernel_failure(const struct err *err)
{
	fprintf(stderr, "tapgate-acl: %s\n", err->text);
	return ACL_EXIT_KERNEL;
}

/* ---- install ---- */

static void
print_file(const char *path, void *user_data)
{
	(void)user_data;
	printf("Reading rule file %s ...\nProcessing rules in file %s ...\n", path,
		path);
}

static void
print_problems(const struct diags *problems)
{
	for (size_t i = 0; i < problems->n; i++) {
		AUTO_FREE char *line = diag_format(&problems->items[i]);

		if (line)
			fprintf(stderr, "%s\n", line);
	}
	if (problems->omitted > 0)
		fprintf(stderr, "… and %zu more\n", problems->omitted);
}

static const char *
verdict_of(const struct commit_result *result)
{
	if (result->code == COMMIT_OK)
		return "done.";
	return result->partly ? "failed for the ACLs named; all others are in place."
			      : "failed; nothing was changed.";
}

static enum acl_exit
run_check(const struct committer_conf *conf)
{
	struct diags problems;
	int r;

	diags_init(&problems);
	r = acl_check(conf, &problems);
	printf("Checking acl policy... %s\n", r == 0 ? "done." : "failed.");
	fflush(stdout);
	print_problems(&problems);
	diags_done(&problems);
	return r == 0 ? ACL_EXIT_OK : ACL_EXIT_POLICY;
}

static enum acl_exit
run_install(const struct acl_tool *tool, const struct committer_conf *conf)
{
	struct committer *committer;
	struct commit_result result;
	enum acl_exit status;
	struct err err;

	committer = committer_new(conf, &err);
	if (!committer)
		return kernel_failure(&err);
	committer_commit(committer, COMMIT_ALL,
		tool->dry_run ? COMMIT_CHECK : COMMIT_INSTALL, &result);
	/* Files come before the verdict on stdout, whatever the buffering of the two
	 * streams. */
	printf("%s acl policy... %s\n", tool->dry_run ? "Checking" : "Installing",
		verdict_of(&result));
	fflush(stdout);
	print_problems(&result.problems);
	status = (enum acl_exit)result.code;
	commit_result_done(&result);
	committer_free(committer);
	return status;
}

bool
acl_tool_is_offline(const struct acl_tool *tool)
{
	return tool->dry_run && tool->strict;
}

enum acl_exit
acl_tool_install(const struct acl_tool *tool)
{
	AUTO_FREE char *last_good = NULL;
	const char *path = tool->policy_conf;
	struct committer_conf conf = {
		.source = COMMITTER_SOURCE_CONF,
		.paths = &path,
		.n_paths = 1,
		.run_dir = tool->run_dir,
		.http_uid = tool->http_uid,
		.compile_flags = tool->strict ? COMPILE_STRICT : 0,
		.announce = true,
		.on_file = print_file,
	};

	if (tool->n_files > 0) {
		conf.source = COMMITTER_SOURCE_FILES;
		conf.paths = tool->files;
		conf.n_paths = tool->n_files;
		for (size_t i = 0; i < tool->n_files; i++)
			printf("Using user provided rule file %s\n", tool->files[i]);
	} else if (tool->dir) {
		conf.source = COMMITTER_SOURCE_DIR;
		path = tool->dir;
		printf("Reading files under %s\n", path);
	} else if (tool->last_good) {
		last_good = last_good_conf_path(tool->state_dir);
		path = last_good ? last_good : "";
		if (access(path, R_OK) < 0) {
			fprintf(stderr,
				"tapgate-acl: %s: no policy was installed without "
				"error yet\n",
				path);
			return ACL_EXIT_POLICY;
		}
	} else {
		/* Only the policy itself is worth remembering, not what was tried
		 * beside it. */
		conf.state_dir = tool->state_dir;
	}
	return acl_tool_is_offline(tool) ? run_check(&conf) : run_install(tool, &conf);
}

/* ---- flush, zero, list ---- */

/* What the other actions share: socket, lock, and the installed rules. */
struct session {
	struct nft *nft;
	struct commit_lock lock;
	struct kernel_rules rules;
};

static void
session_done(struct session *session)
{
	kernel_rules_done(&session->rules);
	commit_lock_close(&session->lock);
	nft_close(session->nft);
}

static int
session_init(struct session *session, const struct acl_tool *tool, struct err *err)
{
	bool changed;
	int r;

	*session = (struct session){ .lock = { .fd = -1 } };
	session->nft = nft_open(err);
	if (!session->nft)
		return err->code;
	r = commit_lock_open(&session->lock, tool->run_dir, err);
	if (r == 0)
		r = commit_lock_take(&session->lock, LOCK_WAIT_MS, &changed, err);
	if (r == 0)
		r = kernel_rules_read(session->nft, &session->rules, err);
	return r;
}

/* Send what was built, and tell the server that the kernel is not as it remembers. */
static int
session_commit(struct session *session, struct nft_batch *batch, struct err *err)
{
	const struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_result result = { 0 };
	int r = nft_commit(session->nft, batch, &how, &result);

	if (r < 0)
		err_sys(err, r, "nftables transaction");
	else
		r = commit_lock_bump(&session->lock, err);
	nft_result_done(&result);
	return r;
}

static void
delete_rule(struct nft_batch *batch, const struct kernel_rule_info *rule)
{
	const struct nft_table *table = kernel_table_of(place_base(rule->place));
	const struct nft_rule_ref ref = { rule->chain, rule->handle };

	if (rule->elem) {
		const struct nft_set_ref set = {
			.name = rule->set->text,
			.key_len = (uint32_t)rule->set->key_len,
		};
		const struct nft_elem elem = { .key = rule->elem->data };

		nft_batch_delete_elems(batch, table, &set, &elem, 1, 0);
	} else {
		nft_batch_delete_rule(batch, table, &ref, 0);
	}
}

static void
build_flush(struct nft_batch *batch, const struct kernel_rules *rules, unsigned kinds)
{
	if (kinds == ACL_KIND_ALL) {
		for (size_t i = 0; i < KERNEL_TABLES; i++)
			nft_batch_delete_table(batch, &kernel_tables[i], 0);
		for (size_t i = 0; i < PORT_MARKS_TABLES; i++)
			nft_batch_delete_table(batch, &port_marks_tables[i], 0);
		return;
	}
	for (size_t i = 0; i < rules->n; i++)
		if (kinds & 1u << rules->items[i].tag.section)
			delete_rule(batch, &rules->items[i]);
}

/* What rules have beside tables: the tunnels of copies. */
static int
remove_tunnels(const struct session *session, struct err *err)
{
	struct span_ports none = { .bound = false };

	return span_ports_unbind(
		&none, session->nft, kernel_table_of(BASE_NETDEV_PORT_IN), err);
}

enum acl_exit
acl_tool_flush(const struct acl_tool *tool, unsigned kinds)
{
	struct nft_batch *batch = nft_batch_new();
	struct session session;
	struct err err;
	int r = session_init(&session, tool, &err);

	if (r == 0 && !batch)
		r = err_set(&err, -ENOMEM, "out of memory");
	if (r == 0) {
		build_flush(batch, &session.rules, kinds);
		r = session_commit(&session, batch, &err);
	}
	if (r == 0 && kinds == ACL_KIND_ALL)
		r = remove_tunnels(&session, &err);
	nft_batch_free(batch);
	session_done(&session);
	return r < 0 ? kernel_failure(&err) : ACL_EXIT_OK;
}

enum acl_exit
acl_tool_zero(const struct acl_tool *tool, unsigned kinds)
{
	struct nft_batch *batch = nft_batch_new();
	struct session session;
	struct err err;
	int r = session_init(&session, tool, &err);

	if (r == 0 && !batch)
		r = err_set(&err, -ENOMEM, "out of memory");
	if (r == 0)
		r = acl_zero_build(
			batch, tool->policy_conf, &session.rules, kinds, &err);
	if (r == 0)
		r = session_commit(&session, batch, &err);
	nft_batch_free(batch);
	session_done(&session);
	return r < 0 ? kernel_failure(&err) : ACL_EXIT_OK;
}

/* Long rules stand in the kernel in part only; their ends are in the policy files, if
 * those still have them. */
static void
read_known(const struct acl_tool *tool, const struct kernel_rules *rules,
	struct acl_known *ret)
{
	struct err ignored; /* the listing says of each rule that is not found */

	if (acl_lines_cut(rules))
		(void)acl_known_read(tool->policy_conf, ret, &ignored);
}

enum acl_exit
acl_tool_list(const struct acl_tool *tool, unsigned kinds)
{
	struct acl_known known = { 0 };
	const struct acl_list_options options = {
		.form = tool->form,
		.exact = tool->exact,
		.verbose = tool->verbose,
		.numeric = tool->numeric,
		.known = &known,
	};
	struct kernel_rules rules = { 0 };
	struct err err;
	struct nft *nft = nft_open(&err);
	int r = nft ? kernel_rules_read(nft, &rules, &err) : err.code;

	if (r == 0) {
		read_known(tool, &rules, &known);
		r = acl_list_print(stdout, &rules, kinds, &options);
	}
	if (r == -ENOMEM)
		err_set(&err, r, "out of memory");
	if (r == -ESTALE)
		err_set(&err, r,
			"the end of a long rule is not in the kernel, and the rule is "
			"not in the policy files (any more); it is left out");
	acl_known_done(&known);
	kernel_rules_done(&rules);
	nft_close(nft);
	return r < 0 ? kernel_failure(&err) : ACL_EXIT_OK;
}
