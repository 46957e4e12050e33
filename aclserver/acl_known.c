/*
 * acl_known.c - compiles the policy and sorts its rules by hash; see acl_known.h.
 */
#include "aclserver/acl_known.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/policy_load.h"
#include "aclserver/policy_read.h"
#include "common/cleanup.h"

static int
compare_hash(const struct ruleset_hash *a, const struct ruleset_hash *b)
{
	return memcmp(a, b, sizeof(*a));
}

static int
compare_rules(const void *pa, const void *pb)
{
	const struct ruleset_rule *const *a = pa, *const *b = pb;

	return compare_hash(&(*a)->hash, &(*b)->hash);
}

static int
compare_key(const void *key, const void *element)
{
	const struct ruleset_rule *const *rule = element;

	return compare_hash(key, &(*rule)->hash);
}

static int
add_rules(struct acl_known *known, const struct ruleset_file *file)
{
	size_t need = known->n + file->n_rules;

	if (need > known->size) {
		size_t size = 2 * need;
		const struct ruleset_rule **grown =
			realloc(known->rules, size * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		known->rules = grown;
		known->size = size;
	}
	for (size_t i = 0; i < file->n_rules; i++)
		known->rules[known->n++] = &file->rules[i];
	return 0;
}

/* Whether a file was compiled for packets routed to a bridge hangs on the other files:
 * what is installed is one of the two. */
static int
add_text(struct acl_known *known, const struct policy_load *load, const char *path,
	const struct policy_text *source)
{
	static const unsigned ways[] = { 0, COMPILE_ROUTED };
	int r = 0;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]) && r == 0; i++) {
		struct ruleset_file file = { 0 };
		struct diags ignored;

		diags_init(&ignored);
		r = policy_compile(path, source->text, source->len, &load->vars,
			ways[i], known->arena, &file, &ignored);
		diags_done(&ignored);
		r = r == 0 ? add_rules(known, &file) : r == -ENOMEM ? r : 0;
	}
	return r;
}

/* A file that no longer compiles adds nothing: what it installed is then found missing.
 */
static int
add_file(struct acl_known *known, const struct policy_load *load,
	const struct policy_key *key)
{
	AUTO_FREE char *path = policy_load_path(load, key);
	struct policy_text source;
	struct err err;
	int r;

	if (!path)
		return -ENOMEM;
	if (policy_read(path, &source, &err) < 0)
		return 0;
	r = add_text(known, load, path, &source);
	free(source.text);
	return r;
}

static int
compile_policy(struct acl_known *known, const char *policy_conf, struct err *err)
{
	struct policy_load *load = NULL;
	struct policy_files files = { 0 };
	struct diags problems;
	int r;

	diags_init(&problems);
	r = policy_load_conf(policy_conf, &load, &problems);
	if (r == 0)
		r = policy_load_list(load, &files, &problems);
	for (size_t i = 0; i < files.n && r == 0; i++)
		r = add_file(known, load, &files.items[i]);
	if (r < 0)
		err_set(err, r, "%s: %s", policy_conf,
			problems.n > 0 ? problems.items[0].reason : strerror(-r));
	policy_files_done(&files);
	policy_load_free(load);
	diags_done(&problems);
	if (known->n > 0)
		qsort(known->rules, known->n, sizeof(*known->rules), compare_rules);
	return r;
}

int
acl_known_read(const char *policy_conf, struct acl_known *ret, struct err *err)
{
	*ret = (struct acl_known){ .arena = arena_new(0) };
	if (!ret->arena)
		return err_set(err, -ENOMEM, "out of memory");
	return compile_policy(ret, policy_conf, err);
}

const struct ruleset_rule *
acl_known_find(const struct acl_known *known, const struct ruleset_hash *hash)
{
	const struct ruleset_rule *const *found = NULL;

	if (known->n > 0)
		found = bsearch(hash, known->rules, known->n, sizeof(*known->rules),
			compare_key);
	return found ? *found : NULL;
}

void
acl_known_done(struct acl_known *known)
{
	free(known->rules);
	arena_free(known->arena);
	*known = (struct acl_known){ 0 };
}
