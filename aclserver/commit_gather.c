/*
 * commit_gather.c - which files changed and what they compile to; see commit.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/adopt.h"
#include "aclserver/commit.h"
#include "aclserver/last_good.h"
#include "aclserver/member_rules.h"
#include "aclserver/policy_read.h"
#include "aclserver/port_marks.h"
#include "common/cleanup.h"

void
commit_copy_diags(struct diags *to, const struct diags *from)
{
	size_t errors = to->errors, warnings = to->warnings;

	for (size_t i = 0; i < from->n; i++) {
		const struct diag *d = &from->items[i];

		diags_add(to, d->severity, d->file, d->line, d->rule, "%s", d->reason);
	}
	/* Those that @from only counts, too. */
	to->errors = errors + from->errors;
	to->warnings = warnings + from->warnings;
	to->omitted += from->omitted;
}

void
commit_keep_problems(
	struct commit *commit, struct acl_file *file, struct diags *problems)
{
	if (problems->errors == 0)
		commit_copy_diags(&commit->general, problems);
	policy_table_set_problems(&commit->committer->table, file, problems);
}

/* ---- one file ---- */

/* The problems of a file that cannot be installed. An operator's file fails the commit.
 */
static void
file_is_bad(struct commit *commit, struct acl_file *file, struct diags *problems, int r)
{
	if (!file->is_rest && r != -EPERM)
		commit->failed = true;
	policy_table_set_problems(&commit->committer->table, file, problems);
}

static int
compile_text(const struct committer *c, struct commit_change *change)
{
	arena_free(change->arena);
	change->arena = arena_new(0);
	if (!change->arena)
		return -ENOMEM;
	return policy_compile(change->path, change->source.text, change->source.len,
		&c->load->vars,
		c->conf.compile_flags | (c->ports.routed ? COMPILE_ROUTED : 0),
		change->arena, &change->compiled, &change->problems);
}

/* The HTTP process may make ACLs; a file of any other name would rank as the
 * operator's. */
static bool
is_foreign(const struct committer *c, const struct commit_change *change)
{
	return c->conf.http_uid != 0 && change->source.owner == c->conf.http_uid &&
	       !change->file->is_rest;
}

static int
read_and_compile(const struct committer *c, struct commit_change *change)
{
	struct err err;
	int r;

	r = policy_read(change->path, &change->source, &err);
	if (r == -ENOENT && !policy_load_required(c->load, &change->file->key)) {
		change->removed = true;
		return 0;
	}
	if (r < 0) {
		diags_add(&change->problems, DIAG_ERROR, change->path, 0, NULL, "%s",
			err.text);
		return -EINVAL;
	}
	if (is_foreign(c, change)) {
		diags_add(&change->problems, DIAG_ERROR, change->path, 0, NULL,
			"ignored: made by the HTTP process, and no ACL of its own");
		return -EPERM;
	}
	return compile_text(c, change);
}

/* A bad REST file of which the kernel holds nothing, as after a boot: its last good
 * version serves on. The problems remain those of the present version. Returns 0 when
 * @change now holds that version. */
static int
fall_back(const struct committer *c, struct commit_change *change)
{
	AUTO_FREE char *path = NULL;
	struct diags present = { 0 };
	struct err err;
	int r;

	if (!change->file->is_rest || change->file->n_chains > 0 ||
		change->file->owners || !c->conf.state_dir)
		return -ENOENT;
	path = last_good_path(c->conf.state_dir, &change->file->key);
	free(take_ptr(change->source.text));
	r = path ? policy_read(path, &change->source, &err) : -ENOMEM;
	if (r < 0)
		return r;
	diags_move(&present, &change->problems);
	r = compile_text(c, change);
	diags_done(&change->problems);
	diags_move(&change->problems, &present);
	diags_done(&present);
	return r;
}

/* After adoption: what stands in the kernel under the name of an earlier file. */
static int
adopt_duplicates(struct committer *c, const struct commit_change *change)
{
	const struct ruleset_file *compiled = &change->compiled;
	int r = 0;

	for (int i = 0; i < PLACE_COUNT && r == 0; i++)
		if (change->folds[i])
			r = fold_table_adopt_duplicates(&c->fold, change->file,
				(enum place)i, &compiled->rules[compiled->first[i]],
				compiled->count[i]);
	return r;
}

/* Returns -EAGAIN when the file is the first that names an output interface: then all
 * files need rules at more places. */
static int
list_ports(struct commit *commit, struct commit_change *change)
{
	struct committer *c = commit->committer;
	int r = port_table_list(&c->ports, &change->compiled, &change->ports);

	if (r == -ENOSPC)
		diags_add(&change->problems, DIAG_ERROR, change->path, 0, NULL,
			"the policy names more than %d interfaces behind -i of INPUT "
			"and FORWARD",
			MARK_PORT_MAX);
	if (r < 0)
		return r;
	if (change->ports.is_cut)
		diags_add(&change->problems, DIAG_WARNING, change->path, 0, NULL,
			"the policy names more than %d interfaces behind -o of "
			"FORWARD; some are not found if they are bridges",
			MARK_ROUTE_MAX);
	commit->names_out |= change->ports.names_out;
	return change->ports.names_out && !c->ports.routed ? -EAGAIN : 0;
}

/* After adoption: the file is installed as it is. */
static void
adopt_ports(struct committer *c, struct commit_change *change)
{
	port_table_recount(&c->ports, &change->file->ports, &change->ports);
	port_list_done(&change->file->ports);
	change->file->ports = change->ports;
	change->ports = (struct port_list){ 0 };
	meter_table_recount(&change->file->meters, &change->meters);
}

/* Once, also where the files are gathered anew: always in the same order. */
static void
tell_file(struct commit *commit, const char *path)
{
	const struct committer_conf *conf = &commit->committer->conf;

	if (commit->n_seen++ < commit->n_told)
		return;
	commit->n_told++;
	if (conf->on_file && path)
		conf->on_file(path, conf->user_data);
}

/* Read and compile @file; add it to the plan if the kernel has to change. */
static int
consider_file(struct commit *commit, struct acl_file *file)
{
	struct committer *c = commit->committer;
	struct commit_change change = { .file = file };
	int r;

	diags_init(&change.problems);
	change.path = policy_load_path(c->load, &file->key);
	tell_file(commit, change.path);
	r = change.path ? read_and_compile(c, &change) : -ENOMEM;
	if (r < 0 && r != -ENOMEM && fall_back(c, &change) == 0)
		r = 0;
	if (r == 0)
		r = list_ports(commit, &change);
	if (r == 0)
		r = member_rules_warn(&change.compiled, &c->ports.links, change.path,
			&change.problems);
	if (r == 0)
		r = meter_table_list(&c->meters, &change.compiled, &change.meters);
	if (r == 0)
		commit_change_fold(&change);
	if (r == 0 && commit->plan.view)
		r = adopt_duplicates(c, &change);
	if (r == 0 && (change.removed || commit_change_differs(&change)))
		return commit_plan_add(&commit->plan, &change);
	if (r == 0 && commit->plan.view)
		adopt_ports(c, &change);
	if (r == 0)
		commit_keep_problems(commit, file, &change.problems);
	else if (r != -ENOMEM && r != -EAGAIN)
		file_is_bad(commit, file, &change.problems, r);
	commit_change_done(&change);
	return r == -ENOMEM || r == -EAGAIN ? r : 0;
}

/* ---- which files ---- */

int
commit_load_policy(
	const struct committer *c, struct policy_load **ret, struct diags *diags)
{
	struct err err;
	int r;

	switch (c->conf.source) {
	case COMMITTER_SOURCE_FILES:
		r = policy_load_files(c->conf.paths, c->conf.n_paths, ret, &err);
		break;
	case COMMITTER_SOURCE_DIR:
		r = policy_load_dir(c->conf.paths[0], ret, &err);
		break;
	case COMMITTER_SOURCE_CONF:
	default:
		return policy_load_conf(c->conf.paths[0], ret, diags);
	}
	if (r < 0 && r != -ENOMEM)
		diags_add(diags, DIAG_ERROR, c->conf.paths[0], 0, NULL, "%s", err.text);
	return r;
}

static int
fill_table(struct committer *c, const struct policy_files *files)
{
	for (size_t i = 0; i < files->n; i++) {
		AUTO_FREE char *path = policy_load_path(c->load, &files->items[i]);

		if (!path || !policy_table_add(&c->table, &files->items[i], path))
			return -ENOMEM;
	}
	return 0;
}

/* The sets that packets write into; files claim theirs later. */
static int
adopt_meters(struct committer *c, const struct kernel_view *view)
{
	for (size_t t = 0; t < KERNEL_TABLES; t++)
		for (size_t i = 0; i < view->sets[t].n_meters; i++)
			if (meter_table_adopt(&c->meters, kernel_tables[t].family,
				    view->sets[t].meters[i]) < 0)
				return -ENOMEM;
	return 0;
}

static int
read_kernel(struct commit *commit)
{
	struct committer *c = commit->committer;
	struct err err;
	int r = kernel_view_read(c->nft, &commit->view, &err);

	if (r < 0) {
		diags_add(&commit->general, DIAG_ERROR, "nftables", 0, NULL, "%s",
			err.text);
		commit->refused = true;
		return r;
	}
	memcpy(c->has_base, commit->view.has_base, sizeof(c->has_base));
	for (int i = 0; i < BASE_COUNT; i++)
		c->has_guard[i] = commit->view.guards[i] != 0;
	r = port_marks_read(c->nft, &c->ports, &err);
	if (r < 0) {
		diags_add(&commit->general, DIAG_ERROR, "nftables", 0, NULL, "%s",
			err.text);
		commit->refused = true;
		return r;
	}
	if (adopt_meters(c, &commit->view) < 0)
		return -ENOMEM;
	return adopt(&commit->view, &c->table, &c->fold);
}

/* ACLs in a directory that the policy does not include would be acknowledged and never
 * installed. */
static int
check_rest_dir(struct commit *commit)
{
	const struct committer *c = commit->committer;
	AUTO_FREE char *path = NULL;
	struct policy_key key;

	if (!c->conf.rest_dir)
		return 0;
	path = realpath(c->conf.rest_dir, NULL);
	for (size_t i = 0; path && i < c->load->n_watches; i++)
		if (strcmp(c->load->watches[i].path, path) == 0 &&
			policy_load_resolve(c->load, i, "50rest-a.rules", &key) ==
				POLICY_LOAD_FILE)
			return 0;
	diags_add(&commit->general, DIAG_ERROR, c->conf.paths[0], 0, NULL,
		path ? "does not include %s/50rest-*.rules: no ACL would be installed"
		     : "%s: no such directory",
		c->conf.rest_dir);
	return -EINVAL;
}

/* Without them all is as if no VLAN device stood on a bridge. */
static void
read_links(struct commit *commit)
{
	struct committer *c = commit->committer;
	struct err err;

	if (bridge_links_read(c->links, &c->ports.links, &err) < 0)
		diags_add(&commit->general, DIAG_WARNING, "links", 0, NULL,
			"-o does not know the ports behind VLAN devices of bridges: %s",
			err.text);
}

static void
forget_ports(struct committer *c)
{
	bool routed = c->ports.routed;

	port_table_done(&c->ports);
	c->ports.routed = routed;
	c->ports.bridge_calls_ip = c->bridge_calls_ip;
}

/* Everything anew: policy.conf, directories, kernel, every file. */
static int
gather_all(struct commit *commit)
{
	struct committer *c = commit->committer;
	struct policy_files files = { 0 };
	struct policy_load *load;
	int r = commit_load_policy(c, &load, &commit->general);

	c->known = false;
	if (r < 0)
		return r;
	c->bridge_calls_ip = port_marks_bridge_calls_ip();
	policy_load_free(c->load);
	c->load = load;
	r = check_rest_dir(commit);
	if (r < 0)
		return r;
	fold_table_done(&c->fold);
	forget_ports(c);
	read_links(commit);
	meter_table_done(&c->meters);
	policy_table_done(&c->table);
	r = policy_load_list(c->load, &files, &commit->general);
	if (r == 0)
		r = fill_table(c, &files);
	policy_files_done(&files);
	if (r == 0)
		r = read_kernel(commit);
	if (r < 0)
		return r;
	commit->plan.view = &commit->view;
	dirty_clear(&c->dirty);
	for (size_t i = 0; i < c->table.n && r == 0; i++)
		r = consider_file(commit, c->table.files[i]);
	c->known = r == 0;
	return r;
}

static int
gather_changed(struct commit *commit)
{
	struct committer *c = commit->committer;
	int r = 0;

	for (size_t i = 0; i < c->dirty.n && r == 0; i++) {
		const struct policy_key *key = &c->dirty.keys[i];
		AUTO_FREE char *path = policy_load_path(c->load, key);
		struct acl_file *file =
			path ? policy_table_add(&c->table, key, path) : NULL;

		r = file ? consider_file(commit, file) : -ENOMEM;
	}
	return r;
}

/* Whether packets that leave by a bridge are judged there concerns all files, and is
 * known when all are compiled. Once such a rule is gone it stays, until everything is
 * read anew: the next one may come soon. */
static int
gather_anew(struct commit *commit, bool routed)
{
	commit_plan_done(&commit->plan);
	commit->plan.view = NULL;
	kernel_view_done(&commit->view);
	diags_done(&commit->general);
	diags_init(&commit->general);
	commit->failed = commit->names_out = false;
	commit->n_seen = 0;
	commit->committer->ports.routed = routed;
	return gather_all(commit);
}

int
commit_gather(struct commit *commit, enum commit_what what)
{
	const struct committer *c = commit->committer;
	int r = what == COMMIT_ALL ? gather_all(commit) : gather_changed(commit);

	if (r == -EAGAIN)
		r = gather_anew(commit, true);
	else if (r == 0 && commit->plan.view && c->ports.routed && !commit->names_out &&
		 c->table.n_bad == 0)
		r = gather_anew(commit, false);
	if (r == -ENOMEM)
		diags_add(&commit->general, DIAG_ERROR, "policy", 0, NULL,
			"out of memory");
	if (r < 0)
		commit->failed = true;
	commit_plan_sort(&commit->plan);
	return r;
}
