/*
 * test_nl_attr.c - attributes: what was built is read back, what is broken is refused.
 */
#include "common/nl_attr.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/nl_build.h"

enum { A_U8 = 1, A_U16, A_U32, A_U64, A_TEXT, A_BYTES, A_NEST, A_FLAG, A_COUNT };

static const struct nlattr_rule rules[A_COUNT] = {
	[A_U8] = { NLATTR_U8 },
	[A_U16] = { NLATTR_U16 },
	[A_U32] = { NLATTR_U32 },
	[A_U64] = { NLATTR_U64 },
	[A_TEXT] = { NLATTR_STRING, 5 },
	[A_BYTES] = { NLATTR_BINARY, 6 },
	[A_NEST] = { NLATTR_NESTED },
	[A_FLAG] = { NLATTR_FLAG },
};

struct message {
	_Alignas(8) uint8_t data[512];
	struct nlbuild b;
};

static void
begin(struct message *m)
{
	nlbuild_init(&m->b, m->data, sizeof(m->data));
	nlbuild_begin(&m->b, 99, NLM_F_ACK, NULL, 0);
}

static int
parse(const struct message *m, const struct nlattr **attrs)
{
	return nlattr_parse(
		m->data + NLMSG_HDRLEN, m->b.len - NLMSG_HDRLEN, rules, A_COUNT, attrs);
}

static void
what_was_built_is_read_back(void **state)
{
	const struct nlattr *attrs[A_COUNT], *inner[A_COUNT];
	struct message m;
	char text[8];
	size_t at;

	(void)state;
	begin(&m);
	nlbuild_put_u8(&m.b, A_U8, 200);
	nlbuild_put_u16(&m.b, A_U16, 50000);
	nlbuild_put_u32(&m.b, A_U32, 4000000000);
	nlbuild_put_u64(&m.b, A_U64, UINT64_C(1) << 63);
	nlbuild_put_string(&m.b, A_TEXT, "swp17");
	nlbuild_put(&m.b, A_BYTES, "abcdef", 6);
	at = nlbuild_nest(&m.b, A_NEST);
	nlbuild_put_u32(&m.b, A_U32, 7);
	nlbuild_end_nest(&m.b, at);
	nlbuild_put(&m.b, A_FLAG, NULL, 0);
	nlbuild_put_u32(&m.b, 1000, 1);
	assert_true(nlbuild_ok(&m.b));
	assert_int_equal(((struct nlmsghdr *)m.data)->nlmsg_len, m.b.len);

	assert_int_equal(parse(&m, attrs), 0);
	assert_int_equal(nlattr_u8(attrs[A_U8]), 200);
	assert_int_equal(nlattr_u16(attrs[A_U16]), 50000);
	assert_int_equal(nlattr_u32(attrs[A_U32]), 4000000000);
	assert_true(nlattr_u64(attrs[A_U64]) == UINT64_C(1) << 63);
	nlattr_string(attrs[A_TEXT], text, sizeof(text));
	assert_string_equal(text, "swp17");
	nlattr_string(attrs[A_TEXT], text, 3);
	assert_string_equal(text, "sw");
	assert_memory_equal(nlattr_data(attrs[A_BYTES]), "abcdef", 6);
	assert_int_equal(nlattr_parse_nested(attrs[A_NEST], rules, A_COUNT, inner), 0);
	assert_int_equal(nlattr_u32(inner[A_U32]), 7);
	assert_null(inner[A_U8]);
	assert_non_null(attrs[A_FLAG]);
}

static void
attribute_that_is_too_short_is_refused(void **state)
{
	const struct nlattr *attrs[A_COUNT];
	struct message m;

	(void)state;
	for (int type = A_U16; type <= A_U64; type++) {
		begin(&m);
		nlbuild_put_u8(&m.b, (uint16_t)type, 1);
		assert_int_equal(parse(&m, attrs), -EBADMSG);
	}
	begin(&m);
	nlbuild_put(&m.b, A_BYTES, "abcde", 5);
	assert_int_equal(parse(&m, attrs), -EBADMSG);
}

static void
string_that_is_too_long_is_refused(void **state)
{
	const struct nlattr *attrs[A_COUNT];
	struct message m;

	(void)state;
	begin(&m);
	nlbuild_put_string(&m.b, A_TEXT, "sixsix");
	assert_int_equal(parse(&m, attrs), -EBADMSG);
}

static void
attribute_that_comes_twice_is_refused(void **state)
{
	const struct nlattr *attrs[A_COUNT];
	struct message m;

	(void)state;
	begin(&m);
	nlbuild_put_u32(&m.b, A_U32, 1);
	nlbuild_put_u32(&m.b, A_U32, 1);
	assert_int_equal(parse(&m, attrs), -EBADMSG);
}

static void
attributes_cut_anywhere_never_read_beyond(void **state)
{
	const struct nlattr *attrs[A_COUNT];
	struct message m;
	unsigned good = 0;

	(void)state;
	begin(&m);
	nlbuild_put_u32(&m.b, A_U32, 1);
	nlbuild_put_u8(&m.b, A_U8, 1);
	for (size_t len = 0; len <= m.b.len - NLMSG_HDRLEN; len++)
		good += nlattr_parse(
				m.data + NLMSG_HDRLEN, len, rules, A_COUNT, attrs) == 0;
	/* At both ends of attributes, and without the padding of the last one. */
	assert_int_equal(good, 3 + 3);
}

static void
lengths_below_the_header_are_refused(void **state)
{
	const struct nlattr *attrs[A_COUNT];
	struct nlattr bad = { .nla_type = A_U32 };

	(void)state;
	for (uint16_t len = 0; len < NLA_HDRLEN; len++) {
		bad.nla_len = len;
		assert_int_equal(nlattr_parse(&bad, sizeof(bad), rules, A_COUNT, attrs),
			-EBADMSG);
	}
}

static void
number_shorter_than_asked_for_reads_as_zero(void **state)
{
	struct message m;
	struct nlattr_iter it;

	(void)state;
	begin(&m);
	nlbuild_put_u8(&m.b, A_U8, 9);
	nlattr_iter_init(&it, m.data + NLMSG_HDRLEN, m.b.len - NLMSG_HDRLEN);
	assert_int_equal(nlattr_u64(nlattr_iter_next(&it)), 0);
	assert_null(nlattr_iter_next(&it));
	assert_false(it.failed);
}

static void
message_that_does_not_fit_is_refused_whole(void **state)
{
	struct message m;

	(void)state;
	for (size_t size = 0; size < 48; size += 4) {
		struct nlmsghdr header = { .nlmsg_len = 0 };

		memset(m.data, 0xee, sizeof(m.data));
		nlbuild_init(&m.b, m.data, size);
		nlbuild_begin(&m.b, 1, 0, &header, sizeof(header));
		nlbuild_put_u64(&m.b, A_U64, 1);
		assert_int_equal(nlbuild_ok(&m.b), size >= 44);
		assert_int_equal(m.data[size], 0xee);
	}
}

static void
two_messages_stand_behind_one_another(void **state)
{
	const struct nlmsghdr *second;
	struct message m;

	(void)state;
	begin(&m);
	nlbuild_put_u8(&m.b, A_U8, 9);
	nlbuild_begin_genl(&m.b, 30, 0, 5, 1);
	nlbuild_put_u8(&m.b, A_U8, 9);
	assert_int_equal(m.b.n_msgs, 2);
	assert_int_equal(((struct nlmsghdr *)m.data)->nlmsg_len, 24);
	second = (const struct nlmsghdr *)(m.data + 24);
	assert_int_equal(second->nlmsg_len, m.b.len - 24);
	assert_int_equal(second->nlmsg_type, 30);
	assert_int_equal(second->nlmsg_flags, NLM_F_REQUEST);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_built_is_read_back),
		cmocka_unit_test(attribute_that_is_too_short_is_refused),
		cmocka_unit_test(string_that_is_too_long_is_refused),
		cmocka_unit_test(attribute_that_comes_twice_is_refused),
		cmocka_unit_test(attributes_cut_anywhere_never_read_beyond),
		cmocka_unit_test(lengths_below_the_header_are_refused),
		cmocka_unit_test(number_shorter_than_asked_for_reads_as_zero),
		cmocka_unit_test(message_that_does_not_fit_is_refused_whole),
		cmocka_unit_test(two_messages_stand_behind_one_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
