/*
 * test_channel.c - what one process says the other understands, and nothing else.
 */
#include "aclserver/channel.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Offsets of the header. */
enum { VERSION = 0, TYPE = 4, LENGTH = 20, RESERVED = 24 };

/* @msg as a packet in a block of exactly its size. Heap. */
static uint8_t *
packet(const struct channel_msg *msg, size_t *ret_len)
{
	uint8_t *buf = malloc(CHANNEL_HEADER_SIZE + msg->report_len);

	assert_non_null(buf);
	channel_encode(msg, buf);
	if (msg->report_len)
		memcpy(buf + CHANNEL_HEADER_SIZE, msg->report, msg->report_len);
	*ret_len = CHANNEL_HEADER_SIZE + msg->report_len;
	return buf;
}

static void
assert_round_trip(const struct channel_msg *msg, bool from_child)
{
	struct channel_msg ret;
	struct err err;
	size_t len;
	uint8_t *buf = packet(msg, &len);

	assert_int_equal(channel_decode(buf, len, from_child, &ret, &err), 0);
	assert_int_equal(ret.type, msg->type);
	assert_int_equal(ret.generation, msg->generation);
	assert_int_equal(ret.returncode, msg->returncode);
	assert_int_equal(ret.report_len, msg->report_len);
	if (msg->report_len)
		assert_memory_equal(ret.report, msg->report, msg->report_len);
	else
		assert_null(ret.report);
	free(buf);
}

/* @msg is refused, with @reason. */
static void
assert_refused(const struct channel_msg *msg, bool from_child, const char *reason)
{
	struct channel_msg ret = { .generation = 99 };
	struct err err;
	size_t len;
	uint8_t *buf = packet(msg, &len);

	assert_int_equal(channel_decode(buf, len, from_child, &ret, &err), -EBADMSG);
	assert_string_equal(err.text, reason);
	assert_int_equal(ret.generation, 99);
	free(buf);
}

static void
every_message_survives_the_round_trip(void **state)
{
	const char report[] = "{}";

	(void)state;
	assert_round_trip(&(struct channel_msg){ .type = CHANNEL_HELLO }, true);
	assert_round_trip(
		&(struct channel_msg){ .type = CHANNEL_DIRTY, .generation = 1 }, true);
	assert_round_trip(&(struct channel_msg){ .type = CHANNEL_DIRTY,
				  .generation = UINT64_MAX },
		true);
	assert_round_trip(&(struct channel_msg){ .type = CHANNEL_DONE }, false);
	assert_round_trip(&(struct channel_msg){ .type = CHANNEL_DONE,
				  .generation = 1234567,
				  .returncode = 3,
				  .report = report,
				  .report_len = 2 },
		false);
}

static void
largest_report_is_accepted_and_one_byte_more_is_not(void **state)
{
	char *report = calloc(1, CHANNEL_REPORT_MAX + 1);
	struct channel_msg msg = { .type = CHANNEL_DONE, .report = report };

	(void)state;
	assert_non_null(report);
	msg.report_len = CHANNEL_REPORT_MAX;
	assert_round_trip(&msg, false);
	msg.report_len++;
	assert_refused(&msg, false, "channel: message of 131105 bytes");
	free(report);
}

static void
child_may_say_numbers_only(void **state)
{
	struct channel_msg msg = {
		.type = CHANNEL_DIRTY, .generation = 1, .report = "x", .report_len = 1
	};

	(void)state;
	assert_refused(&msg, true, "channel: report from the child");
	msg.report_len = 0;
	msg.returncode = 1;
	assert_refused(&msg, true, "channel: return code from the child");
	msg.returncode = 0;
	msg.generation = 0;
	assert_refused(&msg, true, "channel: generation 0 in message type 2");
	msg.type = CHANNEL_HELLO;
	msg.generation = 5;
	assert_refused(&msg, true, "channel: generation 5 in message type 1");
	msg.type = CHANNEL_DONE;
	assert_refused(&msg, true, "channel: message type 3 is not one of the child's");
}

static void
parent_says_done_only(void **state)
{
	struct channel_msg msg = { .type = CHANNEL_DIRTY, .generation = 1 };

	(void)state;
	assert_refused(
		&msg, false, "channel: message type 2 is not one of the parent's");
	msg.type = CHANNEL_DONE;
	msg.returncode = -1;
	assert_refused(&msg, false, "channel: return code -1");
	msg.returncode = 256;
	assert_refused(&msg, false, "channel: return code 256");
}

static void
short_and_empty_messages_are_refused(void **state)
{
	const struct channel_msg msg = { .type = CHANNEL_HELLO };
	struct channel_msg ret;
	struct err err;
	size_t len;
	uint8_t *buf = packet(&msg, &len);

	(void)state;
	for (size_t shorter = 0; shorter < len; shorter++) {
		uint8_t *exact = memcpy(malloc(shorter + 1), buf, shorter);

		assert_int_equal(
			channel_decode(exact, shorter, true, &ret, &err), -EBADMSG);
		free(exact);
	}
	free(buf);
}

/* The words of the header are those of this machine. */
static void
flip(uint8_t *at, uint32_t bit)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	word ^= bit;
	memcpy(at, &word, sizeof(word));
}

static void
every_byte_of_the_header_matters(void **state)
{
	static const struct {
		size_t at;
		uint32_t bit; /* of the word there */
		const char *reason;
	} cases[] = {
		{ VERSION, 0x80, "channel: version 129, not 1" },
		{ TYPE, 0x80, "channel: message type 131 is not one of the parent's" },
		{ LENGTH, 0x80, "channel: report of 0 bytes, not 128" },
		{ RESERVED, 1, "channel: reserved bytes in use" },
		{ RESERVED + 4, 0x80000000, "channel: reserved bytes in use" },
	};
	const struct channel_msg msg = { .type = CHANNEL_DONE };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct channel_msg ret;
		struct err err;
		size_t len;
		uint8_t *buf = packet(&msg, &len);

		flip(buf + cases[i].at, cases[i].bit);
		assert_int_equal(channel_decode(buf, len, false, &ret, &err), -EBADMSG);
		assert_string_equal(err.text, cases[i].reason);
		free(buf);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_survives_the_round_trip),
		cmocka_unit_test(largest_report_is_accepted_and_one_byte_more_is_not),
		cmocka_unit_test(child_may_say_numbers_only),
		cmocka_unit_test(parent_says_done_only),
		cmocka_unit_test(short_and_empty_messages_are_refused),
		cmocka_unit_test(every_byte_of_the_header_matters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
