/*
 * test_span_tunnel.c - names of tunnels, and the bytes by which one is made.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "aclserver/span_tunnel.h"

static const struct span_tunnel tunnel = { { 90, 0, 0, 1 }, { 20, 0, 2, 2 }, 64 };

static void
names_say_all_there_is_to_a_tunnel(void **state)
{
	static const struct span_tunnel tunnels[] = {
		{ { 90, 0, 0, 1 }, { 20, 0, 2, 2 }, 64 },
		{ { 0, 0, 0, 0 }, { 0, 0, 0, 0 }, 0 },
		{ { 255, 255, 255, 255 }, { 255, 255, 255, 255 }, 255 },
		{ { 1, 2, 3, 4 }, { 251, 252, 253, 254 }, 7 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tunnels) / sizeof(tunnels[0]); i++) {
		char name[SPAN_TUNNEL_NAME_SIZE];
		struct span_tunnel again;

		span_tunnel_name(&tunnels[i], name);
		assert_int_equal(strlen(name), 15);
		assert_true(span_tunnel_parse(name, &again));
		assert_memory_equal(&again, &tunnels[i], sizeof(again));
	}
}

static void
other_devices_are_none_of_ours(void **state)
{
	static const char *const names[] = { "", "tg.", "swp1", "tg.WgAAARQAAgJ",
		"tg.WgAAARQAAgJ+", "er.WgAAARQAAgJA", "tg.WgAAARQAAgJAA" };
	struct span_tunnel ignored;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_false(span_tunnel_parse(names[i], &ignored));
}

static void
the_message_asks_for_erspan_type_two(void **state)
{
	/* linux/rtnetlink.h, linux/if_tunnel.h: ifinfomsg up; name; kind and its
	 * attributes LOCAL, REMOTE, TTL, IFLAGS, OFLAGS, IKEY, OKEY, ERSPAN_VER. */
	static const uint8_t wanted[] = { /* ifinfomsg */
		0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0,
		/* IFLA_IFNAME */
		20, 0, 3, 0, 't', 'g', '.', 'W', 'g', 'A', 'A', 'A', 'R', 'Q', 'A', 'A',
		'g', 'J', 'A', 0,
		/* IFLA_LINKINFO */
		84, 0, 18, 0x80,
		/* IFLA_INFO_KIND */
		11, 0, 1, 0, 'e', 'r', 's', 'p', 'a', 'n', 0, 0,
		/* IFLA_INFO_DATA */
		68, 0, 2, 0x80, 8, 0, 6, 0, 90, 0, 0, 1, 8, 0, 7, 0, 20, 0, 2, 2, 5, 0,
		8, 0, 64, 0, 0, 0, 6, 0, 2, 0, 0x30, 0, 0, 0, 6, 0, 3, 0, 0x30, 0, 0, 0,
		8, 0, 4, 0, 0, 0, 0, 1, 8, 0, 5, 0, 0, 0, 0, 1, 5, 0, 22, 0, 1, 0, 0, 0
	};
	_Alignas(4) uint8_t bytes[SPAN_TUNNEL_REQUEST_SIZE];
	struct nlbuild b;

	(void)state;
	nlbuild_init(&b, bytes, sizeof(bytes));
	span_tunnel_put(&b, &tunnel, "tg.WgAAARQAAgJA");
	assert_true(nlbuild_ok(&b));
	assert_int_equal(b.len, NLMSG_HDRLEN + sizeof(wanted));
	assert_memory_equal(bytes + NLMSG_HDRLEN, wanted, sizeof(wanted));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_say_all_there_is_to_a_tunnel),
		cmocka_unit_test(other_devices_are_none_of_ours),
		cmocka_unit_test(the_message_asks_for_erspan_type_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
