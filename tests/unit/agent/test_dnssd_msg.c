/*
 * test_dnssd_msg.c - DNS answers, good and malicious.
 */
#include "agent/dnssd_msg.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/wbuf.h"

#define NAME "_sflow._udp.example.com"

enum {
	FLAGS_OK = 0x8180,
	FLAG_TC = 0x0200,
	HEADER_BYTES = 12,
	/* Where the question's name begins: what compression pointers lead to. */
	AT_QNAME = 12,
	AT_EXAMPLE = 12 + 7 + 5, /* behind _sflow and _udp */
};

static uint8_t buffer[70000];
static struct wbuf w;

static void
put_name(const char *text)
{
	while (*text) {
		size_t n = strcspn(text, ".");

		wbuf_put_u8(&w, (uint8_t)n);
		wbuf_put_bytes(&w, text, n);
		text += n + (text[n] == '.');
	}
	wbuf_put_u8(&w, 0);
}

static void
put_pointer(size_t at)
{
	wbuf_put_be16(&w, (uint16_t)(0xc000 | at));
}

/* Header and question; @answers is what the header claims. */
static void
begin(uint16_t flags, uint16_t answers, const char *name, uint16_t type)
{
	wbuf_init(&w, buffer, sizeof(buffer));
	wbuf_put_be16(&w, 0x1234);
	wbuf_put_be16(&w, flags);
	wbuf_put_be16(&w, 1);
	wbuf_put_be16(&w, answers);
	wbuf_put_be32(&w, 0);
	put_name(name);
	wbuf_put_be16(&w, type);
	wbuf_put_be16(&w, 1);
}

/* A record's head for the owner at @owner; returns where RDLENGTH is. */
static size_t
begin_rr(size_t owner, uint16_t type, uint32_t ttl_s)
{
	put_pointer(owner);
	wbuf_put_be16(&w, type);
	wbuf_put_be16(&w, 1);
	wbuf_put_be32(&w, ttl_s);
	wbuf_put_be16(&w, 0);
	return w.len - 2;
}

static void
end_rr(size_t at)
{
	size_t n = w.len - at - 2;

	buffer[at] = (uint8_t)(n >> 8);
	buffer[at + 1] = (uint8_t)n;
}

static void
put_srv_head(uint16_t priority, uint16_t weight, uint16_t port)
{
	wbuf_put_be16(&w, priority);
	wbuf_put_be16(&w, weight);
	wbuf_put_be16(&w, port);
}

static void
put_srv(uint32_t ttl_s, uint16_t port, const char *target)
{
	size_t at = begin_rr(AT_QNAME, DNSSD_TYPE_SRV, ttl_s);

	put_srv_head(10, 20, port);
	put_name(target);
	end_rr(at);
}

static struct dnssd_msg msg;
static struct err err;

static int
decode(const char *name, enum dnssd_type type)
{
	memset(&msg, 0x55, sizeof(msg));
	err_clear(&err);
	return dnssd_msg_decode(buffer, w.len, name, type, &msg, &err);
}

static void
srv_records_are_read_with_compressed_and_plain_targets(void **state)
{
	size_t at;

	(void)state;
	begin(FLAGS_OK, 2, NAME, DNSSD_TYPE_SRV);
	put_srv(300, 6343, "collector1.example.com");
	at = begin_rr(AT_QNAME, DNSSD_TYPE_SRV, 60);
	put_srv_head(0, 0, 6344);
	wbuf_put_u8(&w, 2);
	wbuf_put_bytes(&w, "c2", 2);
	put_pointer(AT_EXAMPLE);
	end_rr(at);
	assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), 0);
	assert_true(msg.found);
	assert_int_equal(msg.n_records, 2);
	assert_int_equal(msg.ttl_s, 60);
	assert_int_equal(msg.records[0].srv.priority, 10);
	assert_int_equal(msg.records[0].srv.weight, 20);
	assert_int_equal(msg.records[0].srv.port, 6343);
	assert_string_equal(msg.records[0].srv.target, "collector1.example.com");
	assert_string_equal(msg.records[1].srv.target, "c2.example.com");
}

static void
names_are_compared_without_case(void **state)
{
	(void)state;
	begin(FLAGS_OK, 1, "_SFLOW._UDP.Example.COM", DNSSD_TYPE_SRV);
	put_srv(300, 6343, "c");
	assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), 0);
	assert_int_equal(msg.n_records, 1);
}

/* The bytes of the SRV and TXT examples in the project's wire reference. */
static void
the_documented_rdata_is_read(void **state)
{
	static const uint8_t srv[] = { 0x00, 0x00, 0x00, 0x00, 0x18, 0xc7, 0x0a, 0x63,
		0x6f, 0x6c, 0x6c, 0x65, 0x63, 0x74, 0x6f, 0x72, 0x31, 0x07, 0x65, 0x78,
		0x61, 0x6d, 0x70, 0x6c, 0x65, 0x03, 0x63, 0x6f, 0x6d, 0x00 };
	static const uint8_t txt[] = { 0x09, 0x74, 0x78, 0x74, 0x76, 0x65, 0x72, 0x73,
		0x3d, 0x31, 0x0a, 0x70, 0x6f, 0x6c, 0x6c, 0x69, 0x6e, 0x67, 0x3d, 0x32,
		0x30 };
	size_t at;

	(void)state;
	begin(FLAGS_OK, 1, NAME, DNSSD_TYPE_SRV);
	at = begin_rr(AT_QNAME, DNSSD_TYPE_SRV, 300);
	wbuf_put_bytes(&w, srv, sizeof(srv));
	end_rr(at);
	assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), 0);
	assert_int_equal(msg.records[0].srv.port, 6343);
	assert_string_equal(msg.records[0].srv.target, "collector1.example.com");

	begin(FLAGS_OK, 1, NAME, DNSSD_TYPE_TXT);
	at = begin_rr(AT_QNAME, DNSSD_TYPE_TXT, 300);
	wbuf_put_bytes(&w, txt, sizeof(txt));
	end_rr(at);
	assert_int_equal(decode(NAME, DNSSD_TYPE_TXT), 0);
	assert_int_equal(msg.records[0].txt.len, sizeof(txt));
	assert_memory_equal(msg.records[0].txt.data, txt, sizeof(txt));
}

static void
a_and_aaaa_are_read(void **state)
{
	size_t at;

	(void)state;
	begin(FLAGS_OK, 1, "c1", DNSSD_TYPE_A);
	at = begin_rr(AT_QNAME, DNSSD_TYPE_A, 5);
	wbuf_put_be32(&w, 0xc0000201);
	end_rr(at);
	assert_int_equal(decode("c1", DNSSD_TYPE_A), 0);
	assert_int_equal(msg.records[0].addr.family, AF_INET);
	assert_int_equal(msg.records[0].addr.bytes[3], 1);

	begin(FLAGS_OK, 1, "c1", DNSSD_TYPE_AAAA);
	at = begin_rr(AT_QNAME, DNSSD_TYPE_AAAA, 5);
	wbuf_put_be64(&w, 0x20010db800000000);
	wbuf_put_be64(&w, 7);
	end_rr(at);
	assert_int_equal(decode("c1", DNSSD_TYPE_AAAA), 0);
	assert_int_equal(msg.records[0].addr.family, AF_INET6);
	assert_int_equal(msg.records[0].addr.bytes[15], 7);
}

static void
a_chain_of_cnames_is_followed_in_any_order(void **state)
{
	size_t at, at_b, at_c;

	(void)state;
	begin(FLAGS_OK, 3, "a", DNSSD_TYPE_A);
	at = begin_rr(AT_QNAME, DNSSD_TYPE_CNAME, 30); /* a → b */
	at_b = w.len;
	put_name("b");
	end_rr(at);
	at = begin_rr(AT_QNAME, DNSSD_TYPE_TXT, 1); /* of no interest, nor its TTL */
	at_c = w.len;
	put_name("c");
	end_rr(at);
	at = begin_rr(at_b, DNSSD_TYPE_CNAME, 20); /* b → c */
	put_pointer(at_c);
	end_rr(at);
	assert_int_equal(decode("a", DNSSD_TYPE_A), 0);
	assert_false(msg.found);
	assert_string_equal(msg.next_name, "c");

	buffer[7] = 4;
	at = begin_rr(at_c, DNSSD_TYPE_A, 40); /* c's address */
	wbuf_put_be32(&w, 0xc0000201);
	end_rr(at);
	assert_int_equal(decode("a", DNSSD_TYPE_A), 0);
	assert_int_equal(msg.n_records, 1);
	assert_int_equal(msg.ttl_s, 20);
	assert_string_equal(msg.next_name, "");
}

static void
a_loop_of_cnames_is_refused(void **state)
{
	size_t at;

	(void)state;
	begin(FLAGS_OK, 1, "a", DNSSD_TYPE_A);
	at = begin_rr(AT_QNAME, DNSSD_TYPE_CNAME, 30);
	put_pointer(AT_QNAME);
	end_rr(at);
	assert_int_equal(decode("a", DNSSD_TYPE_A), -EBADMSG);
	assert_string_equal(err.text, "more than 8 CNAMEs in a row");
}

static void
no_name_and_no_record_are_answers(void **state)
{
	(void)state;
	begin(FLAGS_OK | 3, 0, NAME, DNSSD_TYPE_SRV);
	assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), 0);
	assert_false(msg.found);
	assert_true(msg.no_name);
	begin(FLAGS_OK, 0, NAME, DNSSD_TYPE_SRV);
	assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), 0);
	assert_false(msg.found || msg.no_name);
	assert_string_equal(msg.next_name, "");
}

static void
server_errors_and_cut_answers_are_failures(void **state)
{
	(void)state;
	begin(FLAGS_OK | 2, 0, NAME, DNSSD_TYPE_SRV);
	assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), -EREMOTEIO);
	assert_string_equal(err.text, "server says SERVFAIL");
	begin(FLAGS_OK | 9, 0, NAME, DNSSD_TYPE_SRV);
	assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), -EREMOTEIO);
	assert_string_equal(err.text, "server says error 9");
	begin(FLAGS_OK | FLAG_TC, 1, NAME, DNSSD_TYPE_SRV);
	put_srv(300, 6343, "c");
	assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), -EMSGSIZE);
}

static void
what_does_not_answer_the_question_is_refused(void **state)
{
	(void)state;
	begin(FLAGS_OK, 0, "_sflow._udp.example.org", DNSSD_TYPE_SRV);
	assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), -EBADMSG);
	begin(FLAGS_OK, 0, NAME, DNSSD_TYPE_TXT);
	assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), -EBADMSG);
	begin(0x0100, 0, NAME, DNSSD_TYPE_SRV); /* a query */
	assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), -EBADMSG);
	begin(FLAGS_OK, 0, NAME, DNSSD_TYPE_SRV);
	buffer[5] = 0; /* no question */
	assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), -EBADMSG);
}

static void
records_of_other_names_and_classes_are_passed_over(void **state)
{
	size_t at;

	(void)state;
	begin(FLAGS_OK, 3, NAME, DNSSD_TYPE_SRV);
	at = begin_rr(AT_EXAMPLE, DNSSD_TYPE_SRV, 1);
	put_srv_head(0, 0, 1);
	put_name("other");
	end_rr(at);
	at = begin_rr(AT_QNAME, DNSSD_TYPE_SRV, 1);
	buffer[at - 5] = 3; /* class CHAOS */
	put_srv_head(0, 0, 1);
	put_name("chaos");
	end_rr(at);
	put_srv(300, 6343, "mine");
	assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), 0);
	assert_int_equal(msg.n_records, 1);
	assert_int_equal(msg.ttl_s, 300);
	assert_string_equal(msg.records[0].srv.target, "mine");
}

static void
unusable_records_are_counted_and_spoil_nothing(void **state)
{
	size_t at;

	(void)state;
	begin(FLAGS_OK, 4, NAME, DNSSD_TYPE_SRV);
	put_srv(300, 6343, ""); /* the root: service not available */
	put_srv(300, 0, "portless");
	at = begin_rr(AT_QNAME, DNSSD_TYPE_SRV, 300);
	put_srv_head(0, 0, 6343);
	wbuf_put_u8(&w, 3);
	wbuf_put_bytes(&w, "a\0b", 3);
	wbuf_put_u8(&w, 0);
	end_rr(at);
	put_srv(300, 6343, "good");
	assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), 0);
	assert_int_equal(msg.n_unusable, 3);
	assert_int_equal(msg.n_records, 1);
	assert_string_equal(msg.records[0].srv.target, "good");

	begin(FLAGS_OK, 1, "c1", DNSSD_TYPE_A);
	at = begin_rr(AT_QNAME, DNSSD_TYPE_A, 5);
	wbuf_put_be32(&w, 0);
	end_rr(at);
	assert_int_equal(decode("c1", DNSSD_TYPE_A), 0);
	assert_false(msg.found);
	assert_int_equal(msg.n_unusable, 1);
}

static void
more_records_than_fit_are_counted(void **state)
{
	(void)state;
	begin(FLAGS_OK, DNSSD_RECORDS_MAX + 3, NAME, DNSSD_TYPE_SRV);
	for (int i = 0; i < DNSSD_RECORDS_MAX + 3; i++)
		put_srv(300, (uint16_t)(i + 1), "c");
	assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), 0);
	assert_int_equal(msg.n_records, DNSSD_RECORDS_MAX);
	assert_int_equal(msg.n_left_off, 3);
}

static void
every_cut_of_a_message_is_refused(void **state)
{
	size_t whole;

	(void)state;
	begin(FLAGS_OK, 2, NAME, DNSSD_TYPE_SRV);
	put_srv(300, 6343, "c1.example.com");
	put_srv(300, 6344, "c2.example.com");
	whole = w.len;
	for (w.len = 0; w.len < whole; w.len++)
		assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), -EBADMSG);
	assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), 0);
}

static void
lies_about_lengths_and_counts_are_refused(void **state)
{
	size_t at;

	(void)state;
	begin(FLAGS_OK, 3, NAME, DNSSD_TYPE_SRV); /* one record too few */
	put_srv(300, 6343, "c1");
	put_srv(300, 6343, "c2");
	assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), -EBADMSG);

	begin(FLAGS_OK, 1, NAME, DNSSD_TYPE_SRV); /* RDLENGTH too large */
	at = begin_rr(AT_QNAME, DNSSD_TYPE_SRV, 300);
	put_srv_head(0, 0, 6343);
	put_name("c1");
	end_rr(at);
	buffer[at + 1]++;
	assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), -EBADMSG);
	wbuf_put_u8(&w, 0); /* and with a byte that it might claim */
	assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), -EBADMSG);
	buffer[at + 1] -= 2; /* too small */
	assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), -EBADMSG);

	begin(FLAGS_OK, 1, "c1", DNSSD_TYPE_A);
	at = begin_rr(AT_QNAME, DNSSD_TYPE_A, 300);
	wbuf_put_be64(&w, 1);
	end_rr(at);
	assert_int_equal(decode("c1", DNSSD_TYPE_A), -EBADMSG);

	begin(FLAGS_OK, 1, NAME, DNSSD_TYPE_TXT); /* a string past the record's end */
	at = begin_rr(AT_QNAME, DNSSD_TYPE_TXT, 300);
	wbuf_put_u8(&w, 3);
	wbuf_put_bytes(&w, "ab", 2);
	end_rr(at);
	wbuf_put_bytes(&w, "cdef", 4);
	assert_int_equal(decode(NAME, DNSSD_TYPE_TXT), -EBADMSG);
}

static void
compression_pointers_lead_backwards_only(void **state)
{
	static const size_t offsets[] = { 0, 2, 100, 0x3fff };
	size_t at, here;

	(void)state;
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		begin(FLAGS_OK, 1, NAME, DNSSD_TYPE_SRV);
		at = begin_rr(AT_QNAME, DNSSD_TYPE_SRV, 300);
		put_srv_head(0, 0, 6343);
		here = w.len;
		put_pointer(offsets[i] == 0x3fff ? 0x3fff : here + offsets[i]);
		end_rr(at);
		assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), -EBADMSG);
	}
	/* Two pointers at each other, behind a label. */
	begin(FLAGS_OK, 1, NAME, DNSSD_TYPE_SRV);
	at = begin_rr(AT_QNAME, DNSSD_TYPE_SRV, 300);
	put_srv_head(0, 0, 6343);
	here = w.len;
	wbuf_put_u8(&w, 1);
	wbuf_put_u8(&w, 'x');
	put_pointer(here);
	end_rr(at);
	assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), -EBADMSG);
}

static void
overlong_names_and_labels_are_refused(void **state)
{
	char label[64];
	size_t at;

	(void)state;
	memset(label, 'x', sizeof(label));
	for (int labels = 3; labels <= 4; labels++) {
		begin(FLAGS_OK, 1, NAME, DNSSD_TYPE_SRV);
		at = begin_rr(AT_QNAME, DNSSD_TYPE_SRV, 300);
		put_srv_head(0, 0, 6343);
		for (int i = 0; i < labels; i++) {
			wbuf_put_u8(&w, 63);
			wbuf_put_bytes(&w, label, 63);
		}
		wbuf_put_u8(&w, 0);
		end_rr(at);
		assert_int_equal(
			decode(NAME, DNSSD_TYPE_SRV), labels == 3 ? 0 : -EBADMSG);
	}
	begin(FLAGS_OK, 1, NAME, DNSSD_TYPE_SRV);
	at = begin_rr(AT_QNAME, DNSSD_TYPE_SRV, 300);
	put_srv_head(0, 0, 6343);
	wbuf_put_u8(&w, 64); /* 01…… is no label type */
	wbuf_put_bytes(&w, label, 64);
	wbuf_put_u8(&w, 0);
	end_rr(at);
	assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), -EBADMSG);
}

static void
absurd_ttls_are_tamed(void **state)
{
	(void)state;
	begin(FLAGS_OK, 1, NAME, DNSSD_TYPE_SRV);
	put_srv(0x7fffffff, 6343, "c");
	assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), 0);
	assert_int_equal(msg.ttl_s, DNSSD_TTL_MAX_S);
	begin(FLAGS_OK, 1, NAME, DNSSD_TYPE_SRV);
	put_srv(0x80000001, 6343, "c");
	assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), 0);
	assert_int_equal(msg.ttl_s, 0);
}

static void
on_failure_the_result_is_untouched(void **state)
{
	struct dnssd_msg before;

	(void)state;
	memset(&before, 0x55, sizeof(before));
	begin(FLAGS_OK, 1, NAME, DNSSD_TYPE_SRV);
	assert_int_equal(decode(NAME, DNSSD_TYPE_SRV), -EBADMSG);
	assert_memory_equal(&msg, &before, sizeof(msg));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			srv_records_are_read_with_compressed_and_plain_targets),
		cmocka_unit_test(names_are_compared_without_case),
		cmocka_unit_test(the_documented_rdata_is_read),
		cmocka_unit_test(a_and_aaaa_are_read),
		cmocka_unit_test(a_chain_of_cnames_is_followed_in_any_order),
		cmocka_unit_test(a_loop_of_cnames_is_refused),
		cmocka_unit_test(no_name_and_no_record_are_answers),
		cmocka_unit_test(server_errors_and_cut_answers_are_failures),
		cmocka_unit_test(what_does_not_answer_the_question_is_refused),
		cmocka_unit_test(records_of_other_names_and_classes_are_passed_over),
		cmocka_unit_test(unusable_records_are_counted_and_spoil_nothing),
		cmocka_unit_test(more_records_than_fit_are_counted),
		cmocka_unit_test(every_cut_of_a_message_is_refused),
		cmocka_unit_test(lies_about_lengths_and_counts_are_refused),
		cmocka_unit_test(compression_pointers_lead_backwards_only),
		cmocka_unit_test(overlong_names_and_labels_are_refused),
		cmocka_unit_test(absurd_ttls_are_tamed),
		cmocka_unit_test(on_failure_the_result_is_untouched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
