/*
 * Batches, commits and dumps against the running kernel, in a network namespace of the
 * test's own. What is in the kernel is told by the nft tool, not by our own reader.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "common/nft_dump.h"
#include "common/nft_expr.h"
#include "common/nft_udata.h"
#include "tests/unit/nft_env.h"

#include <linux/netfilter_bridge.h>

static const struct nft_table INET = { NFPROTO_INET, "tg" };
static const struct nft_table BRIDGE = { NFPROTO_BRIDGE, "tg" };
static const struct nft_blob NO_UDATA;

struct fixture {
	struct nft *nft;
	struct nft_batch *batch;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->nft = nft_open(NULL);
	f->batch = nft_batch_new();
	*state = f;
	return f->nft && f->batch ? 0 : -1;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	(void)nft_env_list("flush ruleset");
	nft_close(f->nft);
	nft_batch_free(f->batch);
	free(f);
	return 0;
}

/* Commit what is in the batch, which must go in, and start a new one. */
static void
commit(struct fixture *f)
{
	struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_result result;

	assert_int_equal(nft_batch_status(f->batch, NULL), 0);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), 0);
	assert_int_equal(result.outcome, NFT_OUTCOME_DONE);
	nft_result_done(&result);
	nft_batch_reset(f->batch);
}

/* A rule that only counts, with a start value that tells it from others. */
static void
add_counting(struct fixture *f, const struct nft_rule_at *at, uint64_t packets,
	uint64_t cookie)
{
	struct nft_rule *rule = nft_rule_new();

	nft_rule_counter(rule, packets, 0);
	nft_batch_add_rule(f->batch, &INET, at, rule, cookie);
	nft_rule_free(rule);
}

static void
add_jump(struct fixture *f, const struct nft_rule_at *at, const char *to,
	uint64_t cookie)
{
	struct nft_rule *rule = nft_rule_new();

	nft_rule_verdict(rule, NFT_JUMP, to);
	nft_batch_add_rule(f->batch, &INET, at, rule, cookie);
	nft_rule_free(rule);
}

static void
one_batch_creates_tables_of_two_families(void **state)
{
	struct fixture *f = *state;
	struct nft_base_chain inet = { .name = "filter_forward",
		.type = "filter",
		.hook = NF_INET_FORWARD,
		.priority = -5 };
	struct nft_base_chain bridge = { .name = "filter_forward",
		.type = "filter",
		.hook = NF_BR_FORWARD,
		.priority = -201 };

	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_base_chain(f->batch, &INET, &inet, 2);
	nft_batch_add_table(f->batch, &BRIDGE, 3);
	nft_batch_add_base_chain(f->batch, &BRIDGE, &bridge, 4);
	commit(f);
	assert_string_equal(nft_env_list("list ruleset"),
		"table inet tg {\n"
		"	chain filter_forward {\n"
		"		type filter hook forward priority filter - 5; policy "
		"accept;\n"
		"	}\n"
		"}\n"
		"table bridge tg {\n"
		"	chain filter_forward {\n"
		"		type filter hook forward priority filter - 1; policy "
		"accept;\n"
		"	}\n"
		"}\n");
}

static void
netdev_chain_is_bound_to_its_devices(void **state)
{
	struct fixture *f = *state;
	const struct nft_table netdev = { NFPROTO_NETDEV, "tg" };
	const char *devices[] = { "lo", "veth0" };
	struct nft_base_chain chain = { .name = "in",
		.type = "filter",
		.hook = NF_NETDEV_INGRESS,
		.devices = devices,
		.n_devices = 2 };
	const char *text;

	assert_int_equal(
		nft_env_run("ip link add veth0 type veth peer name veth1", &text), 0);
	nft_batch_add_table(f->batch, &netdev, 1);
	nft_batch_add_base_chain(f->batch, &netdev, &chain, 2);
	commit(f);
	text = nft_env_list("list ruleset");
	assert_non_null(strstr(text, "hook ingress devices = { lo, veth0 }"));
	assert_int_equal(nft_env_run("nft flush ruleset; ip link del veth0", &text), 0);
}

static void
deleting_a_table_is_fine_whether_it_is_there_or_not(void **state)
{
	struct fixture *f = *state;

	nft_batch_delete_table(f->batch, &INET, 1);
	commit(f);
	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_chain(f->batch, &INET, "c", NO_UDATA, 1);
	commit(f);
	assert_int_equal(nft_table_exists(f->nft, &INET, NULL), 1);
	nft_batch_delete_table(f->batch, &INET, 1);
	commit(f);
	assert_int_equal(nft_table_exists(f->nft, &INET, NULL), 0);
}

static void
every_wrong_message_is_reported_with_its_cookie(void **state)
{
	struct fixture *f = *state;
	struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_rule_at at = { .chain = "c" };
	struct nft_result result;

	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_chain(f->batch, &INET, "c", NO_UDATA, 2);
	add_jump(f, &at, "nowhere", 33);
	add_counting(f, &at, 0, 4);
	nft_batch_delete_rule(f->batch, &INET, &(struct nft_rule_ref){ "c", 4711 }, 55);
	nft_batch_delete_chain(f->batch, &INET, "other", 66);
	add_counting(f, &at, 0, 7);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), -ENOENT);
	assert_int_equal(result.outcome, NFT_OUTCOME_REFUSED);
	assert_int_equal(result.n_errors, 3);
	assert_int_equal(result.errors[0].cookie, 33);
	assert_int_equal(result.errors[0].code, -ENOENT);
	assert_int_equal(result.errors[0].msg_type, NFT_MSG_NEWRULE);
	assert_false(result.errors[0].is_batch);
	assert_int_equal(result.errors[1].cookie, 55);
	assert_int_equal(result.errors[1].msg_type, NFT_MSG_DELRULE);
	assert_int_equal(result.errors[2].cookie, 66);
	nft_result_done(&result);
	assert_string_equal(nft_env_list("list ruleset"), "");
}

static void
error_of_the_last_message_is_reported_too(void **state)
{
	struct fixture *f = *state;
	struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_result result;

	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_delete_chain(f->batch, &INET, "other", 2);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), -ENOENT);
	assert_int_equal(result.n_errors, 1);
	assert_int_equal(result.errors[0].cookie, 2);
	nft_result_done(&result);
}

static void
check_mode_validates_and_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct nft_commit_how how = { .mode = NFT_MODE_CHECK };
	struct nft_result result;

	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_chain(f->batch, &INET, "c", NO_UDATA, 2);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), 0);
	assert_int_equal(result.outcome, NFT_OUTCOME_DONE);
	nft_result_done(&result);
	assert_string_equal(nft_env_list("list ruleset"), "");

	nft_batch_delete_chain(f->batch, &INET, "other", 3);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), -ENOENT);
	assert_int_equal(result.outcome, NFT_OUTCOME_REFUSED);
	assert_int_equal(result.errors[0].cookie, 3);
	nft_result_done(&result);
	assert_string_equal(nft_env_list("list ruleset"), "");
}

static void
checked_batch_can_be_committed(void **state)
{
	struct fixture *f = *state;
	struct nft_commit_how how = { .mode = NFT_MODE_CHECK };
	struct nft_result result;

	nft_batch_add_table(f->batch, &INET, 1);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), 0);
	nft_result_done(&result);
	commit(f);
	assert_string_equal(nft_env_list("list ruleset"), "table inet tg {\n}\n");
}

static void
jump_loop_is_refused_in_both_modes(void **state)
{
	struct fixture *f = *state;
	struct nft_base_chain base = {
		.name = "b", .type = "filter", .hook = NF_INET_FORWARD
	};
	struct nft_commit_how how = { .mode = NFT_MODE_CHECK };
	struct nft_result result;

	nft_batch_add_table(f->batch, &INET, 1);
	commit(f);
	nft_batch_add_base_chain(f->batch, &INET, &base, 2);
	nft_batch_add_chain(f->batch, &INET, "x", NO_UDATA, 3);
	nft_batch_add_chain(f->batch, &INET, "y", NO_UDATA, 3);
	add_jump(f, &(struct nft_rule_at){ .chain = "x" }, "y", 4);
	add_jump(f, &(struct nft_rule_at){ .chain = "y" }, "x", 5);
	add_jump(f, &(struct nft_rule_at){ .chain = "b" }, "x", 6);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), -EMLINK);
	assert_int_equal(result.outcome, NFT_OUTCOME_REFUSED);
	nft_result_done(&result);
	how.mode = NFT_MODE_COMMIT;
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), -EMLINK);
	assert_int_equal(result.outcome, NFT_OUTCOME_REFUSED);
	nft_result_done(&result);
	assert_string_equal(nft_env_list("list ruleset"), "table inet tg {\n}\n");
}

struct handles {
	size_t n;
	uint64_t cookies[8];
	uint64_t handles[8];
};

static void
on_handle(uint64_t cookie, uint64_t handle, void *user_data)
{
	struct handles *h = user_data;

	assert_true(h->n < 8);
	h->cookies[h->n] = cookie;
	h->handles[h->n++] = handle;
}

static void
commit_with_handles(struct fixture *f, struct handles *ret)
{
	struct nft_commit_how how = {
		.mode = NFT_MODE_COMMIT, .on_handle = on_handle, .user_data = ret
	};
	struct nft_result result;

	ret->n = 0;
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), 0);
	nft_result_done(&result);
	nft_batch_reset(f->batch);
}

static void
handles_come_back_for_the_rules_that_asked(void **state)
{
	struct fixture *f = *state;
	struct handles h;
	char expected[256];

	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_chain(f->batch, &INET, "c", NO_UDATA, 1);
	add_counting(f, &(struct nft_rule_at){ .chain = "c" }, 1, 10);
	add_counting(
		f, &(struct nft_rule_at){ .chain = "c", .want_handle = true }, 2, 11);
	add_counting(f, &(struct nft_rule_at){ .chain = "c" }, 3, 12);
	add_counting(
		f, &(struct nft_rule_at){ .chain = "c", .want_handle = true }, 4, 13);
	commit_with_handles(f, &h);
	assert_int_equal(h.n, 2);
	assert_int_equal(h.cookies[0], 11);
	assert_int_equal(h.cookies[1], 13);
	snprintf(expected, sizeof(expected), "packets 2 bytes 0 # handle %u\n",
		(unsigned)h.handles[0]);
	assert_non_null(strstr(nft_env_list("-a list ruleset"), expected));
	snprintf(expected, sizeof(expected), "packets 4 bytes 0 # handle %u\n",
		(unsigned)h.handles[1]);
	assert_non_null(strstr(nft_env_list("-a list ruleset"), expected));
}

static const char *
list_chain(void)
{
	return nft_env_list("list chain inet tg c | grep -o 'packets [0-9]*' | tr -d "
			    "'a-z\\n'");
}

static void
rules_go_where_they_are_told(void **state)
{
	struct fixture *f = *state;
	uint32_t id = nft_batch_new_id(f->batch);
	struct nft_rule_at at = { .chain = "c", .id = id, .want_handle = true };
	struct handles h;

	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_chain(f->batch, &INET, "c", NO_UDATA, 1);
	add_counting(f, &at, 5, 5);
	at = (struct nft_rule_at){ .chain = "c" };
	add_counting(f, &at, 9, 1);
	at.where = NFT_WHERE_PREPEND;
	add_counting(f, &at, 1, 1);
	at.ref = id;
	at.where = NFT_WHERE_BEFORE_ID;
	add_counting(f, &at, 4, 1);
	at.where = NFT_WHERE_AFTER_ID;
	add_counting(f, &at, 6, 1);
	commit_with_handles(f, &h);
	assert_string_equal(list_chain(), " 1 4 5 6 9");

	at.ref = h.handles[0];
	at.where = NFT_WHERE_BEFORE;
	add_counting(f, &at, 41, 1);
	at.where = NFT_WHERE_AFTER;
	add_counting(f, &at, 51, 1);
	commit(f);
	assert_string_equal(list_chain(), " 1 4 41 5 51 6 9");

	at.where = NFT_WHERE_REPLACE;
	at.want_handle = true;
	add_counting(f, &at, 50, 77);
	commit_with_handles(f, &h);
	assert_string_equal(list_chain(), " 1 4 41 50 51 6 9");
	assert_int_equal(h.n, 1);
	assert_int_equal(h.cookies[0], 77);
	assert_int_equal(h.handles[0], at.ref);

	nft_batch_delete_rule(
		f->batch, &INET, &(struct nft_rule_ref){ "c", h.handles[0] }, 1);
	commit(f);
	assert_string_equal(list_chain(), " 1 4 41 51 6 9");
	nft_batch_flush_chain(f->batch, &INET, "c", 1);
	commit(f);
	assert_string_equal(list_chain(), "");
}

static void
sets_of_many_elements_are_complete(void **state)
{
	struct fixture *f = *state;
	enum { N = 5000 };
	struct nft_set_spec spec = { .name = "s",
		.id = nft_batch_new_id(f->batch),
		.key_type = 7,
		.key_len = 4,
		.counters = true };
	struct nft_set_ref ref = { "s", spec.id, 4 };
	struct nft_elem *elems = calloc(N, sizeof(*elems));
	uint32_t keys[N];
	const char *text;

	for (uint32_t i = 0; i < N; i++) {
		keys[i] = htobe32(0x0a000000 + i * 2);
		elems[i].key = &keys[i];
	}
	elems[7].has_counter = true;
	elems[7].packets = 70;
	elems[7].bytes = 7000;
	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_set(f->batch, &INET, &spec, 2);
	nft_batch_add_elems(f->batch, &INET, &ref, elems, N, 3);
	assert_true(nft_batch_count(f->batch) > 3);
	commit(f);
	assert_int_equal(nft_env_run("nft list set inet tg s | grep -o '10[.0-9]* "
				     "counter' | wc -l | tr -d '\\n'",
				 &text),
		0);
	assert_string_equal(text, "5000");
	assert_non_null(strstr(nft_env_list("list set inet tg s"),
		"10.0.0.14 counter packets 70 bytes 7000"));

	ref.id = 0;
	nft_batch_delete_elems(f->batch, &INET, &ref, elems + 1, N - 1, 4);
	commit(f);
	assert_non_null(strstr(nft_env_list("list set inet tg s"),
		"elements = { 10.0.0.0 counter packets 0 bytes 0 }"));
	nft_batch_delete_set(f->batch, &INET, "s", 5);
	commit(f);
	assert_string_equal(nft_env_list("list ruleset"), "table inet tg {\n}\n");
	free(elems);
}

static void
error_names_the_element(void **state)
{
	struct fixture *f = *state;
	enum { N = 3000, BAD = 2345 };
	struct nft_set_spec spec = { .name = "s", .key_type = 7, .key_len = 4 };
	struct nft_set_ref ref = { "s", 0, 4 };
	struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_elem *elems = calloc(N, sizeof(*elems));
	struct nft_result result;
	uint32_t keys[N];

	for (uint32_t i = 0; i < N; i++) {
		keys[i] = htobe32(i);
		elems[i].key = &keys[i];
	}
	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_set(f->batch, &INET, &spec, 2);
	nft_batch_add_elems(f->batch, &INET, &ref, elems, BAD, 3);
	nft_batch_add_elems(f->batch, &INET, &ref, elems + BAD + 1, N - BAD - 1, 3);
	commit(f);
	nft_batch_delete_elems(f->batch, &INET, &ref, elems, N, 4);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), -ENOENT);
	assert_int_equal(result.n_errors, 1);
	assert_int_equal(result.errors[0].cookie, 4);
	assert_int_equal(result.errors[0].elem, BAD);
	nft_result_done(&result);
	free(elems);
}

static void
ranges_reach_to_both_ends_of_the_key_space(void **state)
{
	struct fixture *f = *state;
	struct nft_set_spec spec = { .name = "s",
		.id = nft_batch_new_id(f->batch),
		.flags = NFT_SET_INTERVAL,
		.key_type = 13,
		.key_len = 2 };
	struct nft_set_ref ref = { "s", spec.id, 2 };
	const struct nft_range ranges[] = {
		{ "\x00\x00", "\x00\x09" },
		{ "\x00\x50", "\x00\x50" },
		{ "\x01\x00", "\x01\xff" },
		{ "\xff\x00", "\xff\xff" },
	};

	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_set(f->batch, &INET, &spec, 2);
	nft_batch_add_ranges(f->batch, &INET, &ref, ranges, 4, 3);
	commit(f);
	assert_non_null(strstr(nft_env_list("-n list set inet tg s"),
		"elements = { 0-9, 80, 256-511, 65280-65535 }"));
}

static void
verdict_map_jumps_to_chains(void **state)
{
	struct fixture *f = *state;
	struct nft_set_spec spec = { .name = "m",
		.id = nft_batch_new_id(f->batch),
		.flags = NFT_SET_MAP,
		.key_type = 7,
		.key_len = 4,
		.data_type = NFT_DATA_VERDICT };
	struct nft_set_ref ref = { "m", spec.id, 4 };
	const struct nft_elem elems[] = {
		{ .key = "\x0a\0\0\x01",
			.has_verdict = true,
			.verdict = NFT_JUMP,
			.chain = "c" },
		{ .key = "\x0a\0\0\x02", .has_verdict = true, .verdict = NF_DROP },
	};
	struct nft_rule *rule = nft_rule_new();

	nft_rule_load_meta(rule, NFT_META_NFPROTO);
	nft_rule_cmp(rule, NFT_CMP_EQ, "\x02", 1);
	nft_rule_load_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, 12, 4);
	nft_rule_vmap(rule, &ref);
	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_chain(f->batch, &INET, "c", NO_UDATA, 1);
	nft_batch_add_chain(f->batch, &INET, "d", NO_UDATA, 1);
	nft_batch_add_set(f->batch, &INET, &spec, 2);
	nft_batch_add_elems(f->batch, &INET, &ref, elems, 2, 3);
	nft_batch_add_rule(
		f->batch, &INET, &(struct nft_rule_at){ .chain = "d" }, rule, 4);
	nft_rule_free(rule);
	commit(f);
	assert_non_null(strstr(nft_env_list("list ruleset"),
		"elements = { 10.0.0.1 : jump c, 10.0.0.2 : drop }"));
	assert_non_null(strstr(nft_env_list("list ruleset"), "ip saddr vmap @m"));
}

/* What a dump brought, as text. */
struct seen {
	char text[1024];
	size_t begins;
};

static void
seen_begin(void *user_data)
{
	struct seen *seen = user_data;

	seen->text[0] = '\0';
	seen->begins++;
}

__attribute__((format(printf, 2, 3))) static void
seen_add(struct seen *seen, const char *fmt, ...)
{
	size_t len = strlen(seen->text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(seen->text + len, sizeof(seen->text) - len, fmt, args);
	va_end(args);
}

static const char *
comment_of(struct nft_blob udata)
{
	const char *text = nft_udata_comment(udata.data, udata.len);

	return text ? text : "-";
}

static int
seen_chain(const struct nft_chain_info *c, void *user_data)
{
	seen_add(user_data, "%s %s base=%d hook=%u prio=%d type=%s %s\n", c->table,
		c->name, c->is_base, c->hook, c->priority, c->type,
		comment_of(c->udata));
	return 0;
}

static int
seen_rule(const struct nft_rule_info *r, void *user_data)
{
	seen_add(user_data, "%s counter=%d %u/%u -> %s %s\n", r->chain, r->has_counter,
		(unsigned)r->packets, (unsigned)r->bytes, r->target ? r->target : "-",
		comment_of(r->udata));
	return 0;
}

static int
seen_set(const struct nft_set_info *s, void *user_data)
{
	seen_add(user_data, "%s flags=%u key=%u/%u\n", s->name, s->flags, s->key_type,
		s->key_len);
	return 0;
}

static int
seen_elem(const struct nft_elem_info *e, void *user_data)
{
	assert_int_equal(e->key_len, 4);
	seen_add(user_data, "%u verdict=%d %d -> %s counter=%d %u\n", e->key[3],
		e->has_verdict, e->verdict, e->target ? e->target : "-", e->has_counter,
		(unsigned)e->packets);
	return 0;
}

static int
stop_at_once(const struct nft_rule_info *r, void *user_data)
{
	(void)r;
	++*(int *)user_data;
	return 42;
}

static void
dumps_show_what_the_tool_installed(void **state)
{
	static const char RULES[] =
		"table inet tg {\n"
		" map m {\n"
		"  type ipv4_addr : verdict; counter;\n"
		"  elements = { 10.0.0.1 counter packets 9 bytes 90 : jump a }\n"
		" }\n"
		" chain a {\n"
		"  comment \"of a\"\n"
		"  counter packets 3 bytes 30 comment \"first\"\n"
		"  tcp dport 80 accept\n"
		" }\n"
		" chain b {\n"
		"  type filter hook input priority -7;\n"
		"  jump a\n"
		"  ip saddr vmap @m\n"
		" }\n"
		"}\n"
		"table inet other {\n chain zzz {\n  counter\n }\n}\n";
	struct fixture *f = *state;
	struct seen seen = { .begins = 0 };
	struct nft_reader reader = { .begin = seen_begin, .user_data = &seen };
	FILE *tool = popen("nft -f -", "w");
	int calls = 0;

	fputs(RULES, tool);
	assert_int_equal(pclose(tool), 0);

	reader.chain = seen_chain;
	assert_int_equal(nft_list_chains(f->nft, &INET, &reader, NULL), 0);
	assert_string_equal(seen.text, "tg a base=0 hook=0 prio=0 type= of a\n"
				       "tg b base=1 hook=1 prio=-7 type=filter -\n");
	reader.rule = seen_rule;
	assert_int_equal(nft_list_rules(f->nft, &INET, "a", &reader, NULL), 0);
	assert_string_equal(seen.text, "a counter=1 3/30 -> - first\n"
				       "a counter=0 0/0 -> - -\n");
	assert_int_equal(nft_list_rules(f->nft, &INET, "b", &reader, NULL), 0);
	assert_string_equal(seen.text, "b counter=0 0/0 -> a -\n"
				       "b counter=0 0/0 -> - -\n");
	assert_int_equal(nft_list_rules(f->nft, &INET, "nope", &reader, NULL), 0);
	assert_string_equal(seen.text, "");
	reader.set = seen_set;
	assert_int_equal(nft_list_sets(f->nft, &INET, &reader, NULL), 0);
	assert_string_equal(seen.text, "m flags=8 key=7/4\n");
	reader.elem = seen_elem;
	assert_int_equal(nft_list_elems(f->nft, &INET, "m", &reader, NULL), 0);
	assert_string_equal(seen.text, "1 verdict=1 -3 -> a counter=1 9\n");
	assert_int_equal(nft_list_elems(f->nft, &INET, "nope", &reader, NULL), -ENOENT);
	assert_int_equal(seen.begins, 7);

	reader = (struct nft_reader){ .rule = stop_at_once, .user_data = &calls };
	assert_int_equal(nft_list_rules(f->nft, &INET, NULL, &reader, NULL), 42);
	assert_int_equal(calls, 1);
	assert_int_equal(nft_table_exists(f->nft, &INET, NULL), 1);
	assert_int_equal(nft_table_exists(f->nft, &BRIDGE, NULL), 0);
}

static void
chain_keeps_its_first_user_data(void **state)
{
	struct fixture *f = *state;
	struct seen seen = { .begins = 0 };
	struct nft_reader reader = {
		.begin = seen_begin, .chain = seen_chain, .user_data = &seen
	};
	struct nft_base_chain base = {
		.name = "b", .type = "filter", .hook = NF_INET_FORWARD
	};
	struct nft_udata u;

	nft_batch_add_table(f->batch, &INET, 1);
	for (int i = 0; i < 2; i++) {
		nft_udata_init(&u);
		nft_udata_put_comment(&u, i ? "second" : "first");
		base.udata = nft_udata_blob(&u);
		nft_batch_add_base_chain(f->batch, &INET, &base, 2);
		commit(f);
	}
	assert_int_equal(nft_list_chains(f->nft, &INET, &reader, NULL), 0);
	assert_string_equal(seen.text, "tg b base=1 hook=2 prio=0 type=filter first\n");
}

static void
regular_chain_that_exists_is_refused(void **state)
{
	struct fixture *f = *state;
	struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_result result;

	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_chain(f->batch, &INET, "c", NO_UDATA, 2);
	commit(f);
	nft_batch_add_chain(f->batch, &INET, "c", NO_UDATA, 3);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), -EEXIST);
	nft_result_done(&result);
}

/* The old chain, which a rule still calls, gives way to one of the same name. */
static void
chain_can_be_exchanged_in_one_batch(void **state)
{
	struct fixture *f = *state;
	struct handles h;
	struct nft_rule_at jump = { .chain = "b", .want_handle = true };

	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_chain(f->batch, &INET, "b", NO_UDATA, 1);
	nft_batch_add_chain(f->batch, &INET, "c", NO_UDATA, 1);
	add_counting(f, &(struct nft_rule_at){ .chain = "c" }, 1, 1);
	add_jump(f, &jump, "c", 9);
	commit_with_handles(f, &h);

	nft_batch_delete_rule(
		f->batch, &INET, &(struct nft_rule_ref){ "b", h.handles[0] }, 1);
	nft_batch_delete_chain(f->batch, &INET, "c", 1);
	nft_batch_add_chain(f->batch, &INET, "c", NO_UDATA, 1);
	add_counting(f, &(struct nft_rule_at){ .chain = "c" }, 2, 1);
	add_jump(f, &jump, "c", 9);
	commit(f);
	assert_string_equal(list_chain(), " 2");
}

static void
large_batch_commits_and_its_handles_come_back(void **state)
{
	struct fixture *f = *state;
	enum { N = 30000 };
	struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_result result;
	const char *text;

	nft_batch_add_table(f->batch, &INET, 0);
	nft_batch_add_chain(f->batch, &INET, "c", NO_UDATA, 0);
	for (int i = 0; i < N; i++)
		add_counting(f,
			&(struct nft_rule_at){ .chain = "c", .want_handle = true },
			(uint64_t)i, (uint64_t)i);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), 0);
	nft_result_done(&result);
	assert_int_equal(nft_env_run("nft list chain inet tg c | grep -c counter | tr "
				     "-d '\\n'",
				 &text),
		0);
	assert_string_equal(text, "30000");
}

static void
large_batch_of_errors_is_refused_with_the_first_thousand(void **state)
{
	struct fixture *f = *state;
	enum { N = 20000 };
	struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_result result;

	nft_batch_add_table(f->batch, &INET, 0);
	for (int i = 0; i < N; i++)
		nft_batch_delete_chain(f->batch, &INET, "none", (uint64_t)i);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), -ENOENT);
	assert_int_equal(result.outcome, NFT_OUTCOME_REFUSED);
	assert_int_equal(result.n_errors, NFT_ERRORS_MAX);
	assert_int_equal(result.errors[NFT_ERRORS_MAX - 1].cookie, NFT_ERRORS_MAX - 1);
	assert_int_equal(result.n_errors + result.omitted, N);
	nft_result_done(&result);
}

static void
empty_batch_is_done_without_the_kernel(void **state)
{
	struct fixture *f = *state;
	struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_result result;

	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), 0);
	assert_int_equal(result.outcome, NFT_OUTCOME_DONE);
}

static void
failed_batch_is_not_attempted(void **state)
{
	struct fixture *f = *state;
	struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_result result;

	nft_batch_add_table(f->batch, &INET, 1);
	nft_batch_add_chain(f->batch, &INET, "", NO_UDATA, 2);
	assert_int_equal(nft_commit(f->nft, f->batch, &how, &result), -EINVAL);
	assert_int_equal(result.outcome, NFT_OUTCOME_NOT_ATTEMPTED);
	nft_result_done(&result);
	assert_string_equal(nft_env_list("list ruleset"), "");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(one_batch_creates_tables_of_two_families),
		CASE(netdev_chain_is_bound_to_its_devices),
		CASE(deleting_a_table_is_fine_whether_it_is_there_or_not),
		CASE(every_wrong_message_is_reported_with_its_cookie),
		CASE(error_of_the_last_message_is_reported_too),
		CASE(check_mode_validates_and_leaves_nothing),
		CASE(checked_batch_can_be_committed),
		CASE(jump_loop_is_refused_in_both_modes),
		CASE(handles_come_back_for_the_rules_that_asked),
		CASE(rules_go_where_they_are_told),
		CASE(sets_of_many_elements_are_complete),
		CASE(error_names_the_element),
		CASE(ranges_reach_to_both_ends_of_the_key_space),
		CASE(verdict_map_jumps_to_chains),
		CASE(dumps_show_what_the_tool_installed),
		CASE(chain_keeps_its_first_user_data),
		CASE(regular_chain_that_exists_is_refused),
		CASE(chain_can_be_exchanged_in_one_batch),
		CASE(large_batch_commits_and_its_handles_come_back),
		CASE(large_batch_of_errors_is_refused_with_the_first_thousand),
		CASE(empty_batch_is_done_without_the_kernel),
		CASE(failed_batch_is_not_attempted),
	};

	if (!nft_env_enter())
		return NFT_ENV_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
