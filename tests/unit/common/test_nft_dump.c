/*
 * test_nft_dump.c - reading back what the nft tool installed, also while others change
 * it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/nft_dump.h"
#include "common/nft_internal.h"
#include "common/nft_udata.h"
#include "tests/unit/common/nft_fixture.h"

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

/* An acknowledgement of message @seq, as the kernel would send it, from here. */
static void
send_forged_ack(struct fixture *f, uint32_t seq)
{
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr error;
	} ack = {
		.nlh = { .nlmsg_len = sizeof(ack),
			.nlmsg_type = NLMSG_ERROR,
			.nlmsg_seq = seq,
			.nlmsg_pid = f->nft->port },
	};
	struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_pid = f->nft->port };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	assert_int_equal(
		sendto(fd, &ack, sizeof(ack), 0, (struct sockaddr *)&to, sizeof(to)),
		sizeof(ack));
	close(fd);
}

static void
answers_that_are_not_the_kernels_are_ignored(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	/* It says that message was acknowledged: the table would seem to exist. */
	send_forged_ack(f, f->nft->seq);
	assert_int_equal(nft_table_exists(f->nft, &INET, &err), 0);
}

/* Disturbs the dump that it is called from, @left times. */
struct disturber {
	struct fixture *f;
	struct nft *other;
	int left;
	size_t begins;
	size_t items;
};

static void
disturber_begin(void *user_data)
{
	struct disturber *d = user_data;

	d->begins++;
	d->items = 0;
}

static int
disturber_rule(const struct nft_rule_info *rule, void *user_data)
{
	struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct disturber *d = user_data;
	struct nft_result result;

	(void)rule;
	if (d->items++ == 0 && d->left-- > 0) {
		nft_batch_reset(d->f->batch);
		add_counting(d->f, &(struct nft_rule_at){ .chain = "c" }, 0, 0);
		assert_int_equal(nft_commit(d->other, d->f->batch, &how, &result), 0);
		nft_result_done(&result);
	}
	return 0;
}

static void
disturbed_dump_begins_again(void **state)
{
	struct fixture *f = *state;
	enum { N = 5000 };
	struct disturber d = { .f = f, .other = nft_open(NULL), .left = 2 };
	struct nft_reader reader = {
		.begin = disturber_begin, .rule = disturber_rule, .user_data = &d
	};
	struct err err = { 0 };

	nft_batch_add_table(f->batch, &INET, 0);
	nft_batch_add_chain(f->batch, &INET, "c", NO_UDATA, 0);
	for (int i = 0; i < N; i++)
		add_counting(f, &(struct nft_rule_at){ .chain = "c" }, 0, 0);
	commit(f);
	assert_int_equal(nft_list_rules(f->nft, &INET, "c", &reader, &err), 0);
	assert_int_equal(d.begins, 3);
	assert_int_equal(d.items, N + 2);

	d.begins = 0;
	d.left = 1000;
	assert_int_equal(nft_list_rules(f->nft, &INET, "c", &reader, &err), -EINTR);
	assert_int_equal(d.begins, NFT_DUMP_ATTEMPTS);
	assert_string_equal(err.text,
		"cannot read the rules of nftables table inet tg: Interrupted system "
		"call");
	nft_close(d.other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(dumps_show_what_the_tool_installed),
		CASE(chain_keeps_its_first_user_data),
		CASE(answers_that_are_not_the_kernels_are_ignored),
		CASE(disturbed_dump_begins_again),
	};

	return RUN_IN_NETNS(tests);
}
