/*
 * test_module_read.c - which pieces of a module are read: all of a new one, then only
 * what is measured.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "agent/module_read.h"
#include "module_images.h"

enum { NEVER = 1000 };

/* A port with a module in it. */
struct port {
	struct module_eeprom module;
	char reads[512]; /* "50/0.0:0+128 …": address/bank.page:offset+length */
	unsigned n_reads;
	unsigned fails_at; /* number of the read that fails */
	bool is_gone;      /* the module: all reads fail */
};

static enum module_part
part_of(const struct ethtool_eeprom_range *r)
{
	if (r->i2c_address == 0x51)
		return MODULE_A2;
	if (r->offset < MODULE_HALF)
		return MODULE_LOWER;
	if (r->page == 0x11)
		return (enum module_part)(MODULE_BANK_0 + r->bank);
	return (enum module_part)(MODULE_PAGE_00 + r->page);
}

static int
read_port(void *user_data, const struct ethtool_eeprom_range *r, uint8_t *ret)
{
	struct port *port = user_data;
	size_t len = strlen(port->reads);

	snprintf(port->reads + len, sizeof(port->reads) - len, "%s%x/%u.%x:%u+%u",
		len ? " " : "", r->i2c_address, r->bank, r->page, r->offset, r->len);
	assert_true(r->len >= 1 && r->offset % MODULE_HALF + r->len <= MODULE_HALF);
	if (port->is_gone || port->n_reads++ == port->fails_at)
		return -EIO;
	memcpy(ret, &port->module.bytes[part_of(r)][r->offset % MODULE_HALF], r->len);
	return 0;
}

static int
read_again(struct port *port, struct module_eeprom *e)
{
	port->reads[0] = '\0';
	port->n_reads = 0;
	return module_read(e, read_port, port);
}

static void
new_sfp_is_read_whole_then_its_monitors(void **state)
{
	struct port port = { .fails_at = NEVER };
	struct module_eeprom e = { 0 };
	struct optics o;

	(void)state;
	image_sfp(&port.module);
	assert_int_equal(read_again(&port, &e), 0);
	assert_string_equal(port.reads, "50/0.0:0+128 51/0.0:0+128");
	assert_memory_equal(&e, &port.module, sizeof(e));
	image_u16(&port.module, MODULE_A2, 104, 1000);
	assert_int_equal(read_again(&port, &e), 0);
	assert_string_equal(port.reads, "50/0.0:0+2 50/0.0:68+16 51/0.0:96+15");
	assert_int_equal(module_decode(&e, 1, &o), 0);
	assert_int_equal(o.lanes[0].rx_power_uw, 100);
}

static void
sfp_without_monitors_is_not_asked_for_them(void **state)
{
	struct port port = { .fails_at = NEVER };
	struct module_eeprom e = { 0 };

	(void)state;
	image_sfp(&port.module);
	image_u8(&port.module, MODULE_LOWER, 92, 0x04);
	assert_int_equal(read_again(&port, &e), 0);
	assert_string_equal(port.reads, "50/0.0:0+128");
	assert_int_equal(read_again(&port, &e), 0);
	assert_string_equal(port.reads, "50/0.0:0+2 50/0.0:68+16");
}

static void
qsfp_has_its_monitors_in_the_lower_half(void **state)
{
	struct port port = { .fails_at = NEVER };
	struct module_eeprom e = { 0 };

	(void)state;
	image_qsfp28(&port.module);
	assert_int_equal(read_again(&port, &e), 0);
	assert_string_equal(port.reads, "50/0.0:0+128 50/0.0:128+128 50/0.3:128+128");
	assert_int_equal(read_again(&port, &e), 0);
	assert_string_equal(port.reads, "50/0.0:0+58 50/0.0:196+16");
	/* Flat memory: no page is asked for. */
	image_u8(&port.module, MODULE_LOWER, 2, 0x04);
	memset(&e, 0, sizeof(e));
	assert_int_equal(read_again(&port, &e), 0);
	assert_string_equal(port.reads, "50/0.0:0+128 50/0.0:128+128");
}

static void
banks_of_a_cmis_module_are_read_as_it_says(void **state)
{
	struct port port = { .fails_at = NEVER };
	struct module_eeprom e = { 0 };

	(void)state;
	image_qsfpdd(&port.module, 0);
	image_u8(&port.module, MODULE_PAGE_01, 142, 0x01);
	image_bank(&port.module, 1, 13000);
	assert_int_equal(read_again(&port, &e), 0);
	assert_string_equal(port.reads,
		"50/0.0:0+128 50/0.0:128+128 50/0.1:128+128 50/0.2:128+128 "
		"50/0.11:128+128 50/1.11:128+128");
	assert_memory_equal(&e, &port.module, sizeof(e));
	assert_int_equal(read_again(&port, &e), 0);
	assert_string_equal(
		port.reads, "50/0.0:0+58 50/0.0:166+16 50/0.11:154+48 50/1.11:154+48");
}

static void
another_module_is_read_whole(void **state)
{
	struct port port = { .fails_at = NEVER };
	struct module_eeprom e = { 0 };

	(void)state;
	image_sfp(&port.module);
	assert_int_equal(read_again(&port, &e), 0);
	/* Of the same type, with another serial number. */
	image_text(&port.module, MODULE_LOWER, 68, "AK10C3Y");
	assert_int_equal(read_again(&port, &e), 0);
	assert_memory_equal(&e, &port.module, sizeof(e));
	image_qsfp28(&port.module);
	assert_int_equal(read_again(&port, &e), 0);
	assert_memory_equal(&e, &port.module, sizeof(e));
	image_qsfpdd(&port.module, 0);
	assert_int_equal(read_again(&port, &e), 0);
	image_sfp(&port.module);
	assert_int_equal(read_again(&port, &e), 0);
	assert_memory_equal(&e, &port.module, sizeof(e));
}

static void
module_that_is_gone_leaves_nothing(void **state)
{
	struct module_eeprom e = { 0 }, none = { 0 };
	struct port port = { .fails_at = NEVER };

	(void)state;
	image_qsfp28(&port.module);
	assert_int_equal(read_again(&port, &e), 0);
	port.is_gone = true;
	assert_int_equal(read_again(&port, &e), -EIO);
	assert_memory_equal(&e, &none, sizeof(e));
}

static void
piece_that_fails_is_missing_and_read_again(void **state)
{
	struct module_eeprom e = { 0 };
	struct port port = { .fails_at = 1 };
	struct optics o;

	(void)state;
	image_sfp(&port.module);
	assert_int_equal(read_again(&port, &e), 0);
	assert_false(module_has(&e, MODULE_A2));
	assert_int_equal(module_decode(&e, 1, &o), -EBADMSG);
	port.fails_at = NEVER;
	assert_int_equal(read_again(&port, &e), 0);
	assert_int_equal(module_decode(&e, 1, &o), 0);
	port.fails_at = 2; /* the monitors */
	assert_int_equal(read_again(&port, &e), 0);
	assert_int_equal(module_decode(&e, 1, &o), -EBADMSG);
	port.fails_at = NEVER;
	assert_int_equal(read_again(&port, &e), 0);
	assert_int_equal(module_decode(&e, 1, &o), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_sfp_is_read_whole_then_its_monitors),
		cmocka_unit_test(sfp_without_monitors_is_not_asked_for_them),
		cmocka_unit_test(qsfp_has_its_monitors_in_the_lower_half),
		cmocka_unit_test(banks_of_a_cmis_module_are_read_as_it_says),
		cmocka_unit_test(another_module_is_read_whole),
		cmocka_unit_test(module_that_is_gone_leaves_nothing),
		cmocka_unit_test(piece_that_fails_is_missing_and_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
