/*
 * test_dcb_msg.c - priority flow control: request and answer.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <linux/dcbnl.h>
#include <linux/rtnetlink.h>

#include "agent/dcb_msg.h"
#include "nl_message.h"

static void
begin(struct nl_message *m, uint8_t cmd)
{
	const struct dcbmsg header = { .cmd = cmd };

	nl_message_begin(m, RTM_GETDCB, &header, sizeof(header));
	nlbuild_put_string(&m->b, DCB_ATTR_IFNAME, "swp7");
}

static void
put_pfc(struct nl_message *m, size_t len)
{
	struct ieee_pfc pfc = { .pfc_cap = 8, .pfc_en = 0xff };
	size_t at = nlbuild_nest(&m->b, DCB_ATTR_IEEE);

	for (unsigned i = 0; i < IEEE_8021QAZ_MAX_TCS; i++) {
		pfc.requests[i] = 1U << i;
		pfc.indications[i] = 1000 + i;
	}
	nlbuild_put(&m->b, DCB_ATTR_IEEE_PFC, &pfc, len);
	nlbuild_end_nest(&m->b, at);
}

static void
frames_of_all_priorities_are_added_up(void **state)
{
	struct nl_message m;
	struct dcb_pfc pfc;

	(void)state;
	begin(&m, DCB_CMD_IEEE_GET);
	put_pfc(&m, sizeof(struct ieee_pfc));
	assert_int_equal(dcb_pfc_decode(nl_message_header(&m), &pfc), 0);
	assert_string_equal(pfc.name, "swp7");
	assert_int_equal(pfc.sent, 255);
	assert_int_equal(pfc.received, 8028);
}

static void
answer_without_pfc_or_about_something_else_is_told_apart(void **state)
{
	struct nl_message m;
	struct dcb_pfc pfc;

	(void)state;
	begin(&m, DCB_CMD_IEEE_GET);
	nlbuild_end_nest(&m.b, nlbuild_nest(&m.b, DCB_ATTR_IEEE));
	assert_int_equal(dcb_pfc_decode(nl_message_header(&m), &pfc), -ENODATA);
	begin(&m, DCB_CMD_CEE_GET);
	assert_int_equal(dcb_pfc_decode(nl_message_header(&m), &pfc), -ENOMSG);
}

static void
cut_answer_is_refused(void **state)
{
	struct nl_message m;
	struct dcb_pfc pfc;

	(void)state;
	begin(&m, DCB_CMD_IEEE_GET);
	put_pfc(&m, sizeof(struct ieee_pfc) - 8);
	assert_int_equal(dcb_pfc_decode(nl_message_header(&m), &pfc), -EBADMSG);
	begin(&m, DCB_CMD_IEEE_GET);
	put_pfc(&m, sizeof(struct ieee_pfc));
	for (size_t len = NLMSG_HDRLEN; len < m.b.len; len++) {
		struct nlmsghdr *cut = nl_message_cut(&m, len);

		assert_int_equal(dcb_pfc_decode(cut, &pfc), -EBADMSG);
		free(cut);
	}
}

static void
request_names_the_interface(void **state)
{
	struct nl_message m;

	(void)state;
	nlbuild_init(&m.b, m.data, sizeof(m.data));
	dcb_build_pfc(&m.b, "swp7");
	assert_int_equal(nl_message_header(&m)->nlmsg_type, RTM_GETDCB);
	assert_int_equal(m.data[NLMSG_HDRLEN + 1], DCB_CMD_IEEE_GET);
	assert_memory_equal(&m.data[NLMSG_HDRLEN + 8], "swp7", 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_of_all_priorities_are_added_up),
		cmocka_unit_test(
			answer_without_pfc_or_about_something_else_is_told_apart),
		cmocka_unit_test(cut_answer_is_refused),
		cmocka_unit_test(request_names_the_interface),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
