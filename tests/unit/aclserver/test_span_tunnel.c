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

/* Netlink has headers and numbers in the order of the machine. */
#define BYTE(type, value, i) ((const uint8_t *)&(const type){ value })[i]
#define HOST16(v)            BYTE(uint16_t, v, 0), BYTE(uint16_t, v, 1)
#define HOST32(v)                                                                      \
	BYTE(uint32_t, v, 0), BYTE(uint32_t, v, 1), BYTE(uint32_t, v, 2),              \
		BYTE(uint32_t, v, 3)

static void
the_message_asks_for_erspan_type_two(void **state)
{
	/* linux/rtnetlink.h, linux/if_tunnel.h: ifinfomsg up; name; kind and its
	 * attributes LOCAL, REMOTE, TTL, IFLAGS, OFLAGS, IKEY, OKEY, ERSPAN_VER. */
	const uint8_t wanted[] = { /* ifinfomsg */
		0, 0, HOST16(0), HOST32(0), HOST32(1), HOST32(1),
		/* IFLA_IFNAME */
		HOST16(20), HOST16(3), 't', 'g', '.', 'W', 'g', 'A', 'A', 'A', 'R', 'Q',
		'A', 'A', 'g', 'J', 'A', 0,
		/* IFLA_LINKINFO */
		HOST16(84), HOST16(0x8012),
		/* IFLA_INFO_KIND */
		HOST16(11), HOST16(1), 'e', 'r', 's', 'p', 'a', 'n', 0, 0,
		/* IFLA_INFO_DATA */
		HOST16(68), HOST16(0x8002), HOST16(8), HOST16(6), 90, 0, 0, 1,
		HOST16(8), HOST16(7), 20, 0, 2, 2, HOST16(5), HOST16(8), 64, 0, 0, 0,
		HOST16(6), HOST16(2), 0x30, 0, 0, 0, HOST16(6), HOST16(3), 0x30, 0, 0,
		0, HOST16(8), HOST16(4), 0, 0, 0, 1, HOST16(8), HOST16(5), 0, 0, 0, 1,
		HOST16(5), HOST16(22), 1, 0, 0, 0
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
