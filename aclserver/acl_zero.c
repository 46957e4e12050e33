/*
 * acl_zero.c - compiles the policy and replaces installed rules by themselves; see
 * acl_zero.h.
 */
#include "aclserver/acl_zero.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aclserver/nft_emit.h"
#include "aclserver/policy_load.h"
#include "aclserver/policy_read.h"
#include "common/cleanup.h"

/* All rules of the policy, to be found by content. */
struct known {
	struct arena *arena; /* owns the rules */
	const struct ruleset_rule **rules;
	size_t n, size;
};

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
add_rules(struct known *known, const struct ruleset_file *file)
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
add_text(struct known *known, const struct policy_load *load, const char *path,
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
add_file(struct known *known, const struct policy_load *load,
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
compile_policy(struct known *known, const char *policy_conf, struct err *err)
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

static int
replace(struct nft_batch *batch, const struct known *known,
	const struct kernel_rule_info *rule, struct err *err)
{
	const struct nft_emit emit = {
		.batch = batch,
		.table = *kernel_table_of(place_base(rule->place)),
		.at = {
			.chain = rule->chain,
			.where = NFT_WHERE_REPLACE,
			.ref = rule->handle,
		},
	};
	const struct ruleset_rule *const *found = NULL;

	if (known->n > 0)
		found = bsearch(&rule->tag.hash, known->rules, known->n,
			sizeof(*known->rules), compare_key);
	if (!found)
		return err_set(err, -ESTALE,
			"\"%s\" (%s) is installed but not what the policy files say "
			"now; "
			"run tapgate-acl -i first",
			rule->tag.text, rule->id);
	return nft_emit_rule(&emit, *found, 0, err);
}

/* All there is to an element was read back with it. */
static void
replace_elem(struct nft_batch *batch, const struct kernel_rule_info *rule)
{
	const struct nft_table *table = kernel_table_of(place_base(rule->place));
	const struct nft_set_ref set = {
		.name = rule->set->text,
		.key_len = (uint32_t)rule->set->key_len,
	};
	const struct nft_elem elem = {
		.key = rule->elem->data,
		.has_counter = true,
		.udata = kernel_elem_udata(rule->set, rule->elem),
	};

	nft_batch_delete_elems(batch, table, &set, &elem, 1, 0);
	nft_batch_add_elems(batch, table, &set, &elem, 1, 0);
}

static int
zero_rule(struct nft_batch *batch, const struct known *known,
	const struct kernel_rule_info *rule, struct err *err)
{
	if (!rule->elem)
		return replace(batch, known, rule, err);
	replace_elem(batch, rule);
	return 0;
}

int
acl_zero_build(struct nft_batch *batch, const char *policy_conf,
	const struct kernel_rules *rules, unsigned kinds, struct err *err)
{
	struct known known = { .arena = arena_new(0) };
	int r = known.arena ? compile_policy(&known, policy_conf, err)
			    : err_set(err, -ENOMEM, "out of memory");

	for (size_t i = 0; i < rules->n && r == 0; i++)
		if (kinds & 1u << rules->items[i].tag.section)
			r = zero_rule(batch, &known, &rules->items[i], err);
	free(known.rules);
	arena_free(known.arena);
	return r;
}
