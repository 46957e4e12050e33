/*
 * acl_zero.c - compiles the policy and replaces installed rules by themselves; see
 * acl_zero.h.
 */
#include "aclserver/acl_zero.h"

#include <errno.h>

#include "aclserver/acl_known.h"
#include "aclserver/nft_emit.h"

static int
replace(struct nft_batch *batch, const struct acl_known *known,
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
	const struct ruleset_rule *found = acl_known_find(known, &rule->tag.hash);
	struct ruleset_rule same;

	if (!found)
		return err_set(err, -ESTALE,
			"\"%s\" (%s) is installed but not what the policy files say "
			"now; "
			"run tapgate-acl -i first",
			rule->tag.text, rule->id);
	/* Of rules that are written twice, this one. */
	same = *found;
	same.line = rule->tag.line;
	same.is_part = rule->tag.is_part;
	return nft_emit_rule(&emit, &same, 0, err);
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
zero_rule(struct nft_batch *batch, const struct acl_known *known,
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
	struct acl_known known;
	int r = acl_known_read(policy_conf, &known, err);

	for (size_t i = 0; i < rules->n && r == 0; i++)
		if (kinds & 1u << rules->items[i].tag.section)
			r = zero_rule(batch, &known, &rules->items[i], err);
	acl_known_done(&known);
	return r;
}
