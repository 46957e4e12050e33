/*
 * test_module_eeprom.c - what the EEPROMs of modules say, for each of the layouts.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "module_images.h"

#define assert_unknown(value) assert_true((value) == COUNTER_UNKNOWN)

static void
sfp_tells_its_monitors_and_thresholds(void **state)
{
	struct module_eeprom e;
	struct optics o;

	(void)state;
	image_sfp(&e);
	assert_int_equal(module_decode(&e, 7, &o), 0);
	assert_string_equal(module_name(0x03), "SFP");
	assert_int_equal(o.module_id, 7);
	assert_int_equal(o.module_lanes, 1);
	assert_int_equal(o.n_lanes, 1);
	assert_int_equal(o.temperature_mc, 31500);
	assert_int_equal(o.supply_mv, 3301);
	assert_int_equal(o.lanes[0].index, 1);
	assert_int_equal(o.lanes[0].tx_bias_ua, 7808);
	assert_int_equal(o.lanes[0].tx_power_uw, 584);
	assert_int_equal(o.lanes[0].tx_power_max_uw, 1000);
	assert_int_equal(o.lanes[0].tx_power_min_uw, 159);
	assert_int_equal(o.lanes[0].rx_power_uw, 491);
	assert_int_equal(o.lanes[0].rx_power_max_uw, 1259);
	assert_int_equal(o.lanes[0].rx_power_min_uw, 10);
	assert_int_equal(o.lanes[0].tx_wavelength_nm, 850);
	assert_int_equal(o.lanes[0].rx_wavelength_nm, 850);
}

/* Slope 2 and an offset for each; received power a + b x + c x^2. */
static void
calibrate(struct module_eeprom *e)
{
	image_u8(e, MODULE_LOWER, 92, 0x58);
	image_sum(e, MODULE_LOWER, 64, 94);
	image_u16(e, MODULE_A2, 64, 0x3a83); /* 0.001 */
	image_u16(e, MODULE_A2, 66, 0x126f);
	image_u16(e, MODULE_A2, 68, 0x3f00); /* 0.5 */
	image_u16(e, MODULE_A2, 72, 0xc1a0); /* -20 */
	image_u16(e, MODULE_A2, 76, 0x0200);
	image_u16(e, MODULE_A2, 78, 100);
	image_u16(e, MODULE_A2, 80, 0x0180);
	image_u16(e, MODULE_A2, 82, 0xfff6); /* -10 */
	image_u16(e, MODULE_A2, 84, 0x0080);
	image_u16(e, MODULE_A2, 86, 0xff00); /* -1 degree */
	image_u16(e, MODULE_A2, 88, 0x0100);
	image_u16(e, MODULE_A2, 90, 50);
	image_sum(e, MODULE_A2, 0, 94);
}

static void
external_calibration_is_applied_to_values_and_thresholds(void **state)
{
	struct module_eeprom e;
	struct optics o;

	(void)state;
	image_sfp(&e);
	calibrate(&e);
	assert_int_equal(module_decode(&e, 7, &o), 0);
	assert_int_equal(o.temperature_mc, 14750); /* 31.5 / 2 - 1 */
	assert_int_equal(o.supply_mv, 3306);
	assert_int_equal(o.lanes[0].tx_bias_ua, 2 * (2 * 3904 + 100));
	assert_int_equal(o.lanes[0].tx_power_uw, 875); /* 1.5 * 5837 - 10 */
	assert_int_equal(o.lanes[0].tx_power_max_uw, 1499);
	/* 0.001 * 4906^2 + 0.5 * 4906 - 20 = 26501.8 */
	assert_int_equal(o.lanes[0].rx_power_uw, 2650);
	assert_int_equal(o.lanes[0].rx_power_min_uw, 4); /* 10 + 50 - 20 = 40 */
	assert_unknown(o.lanes[0].rx_power_max_uw);      /* beyond 6.5535 mW */
}

static void
calibration_with_what_is_no_number_gives_unknown(void **state)
{
	static const uint16_t bad[] = { 0x7fc0, 0x7f80, 0xff80, 0x7f7f };
	struct module_eeprom e;
	struct optics o;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		image_sfp(&e);
		calibrate(&e);
		image_u16(&e, MODULE_A2, 56, bad[i]);
		image_sum(&e, MODULE_A2, 0, 94);
		assert_int_equal(module_decode(&e, 7, &o), 0);
		assert_true(o.lanes[0].rx_power_uw == COUNTER_UNKNOWN ||
			    o.lanes[0].rx_power_uw == 0);
		assert_int_equal(o.lanes[0].tx_power_uw, 875);
	}
}

static void
sfp_without_monitors_is_not_reported(void **state)
{
	struct module_eeprom e;
	struct optics o;

	(void)state;
	image_sfp(&e);
	image_u8(&e, MODULE_LOWER, 92, 0x00);
	image_sum(&e, MODULE_LOWER, 64, 94);
	assert_int_equal(module_decode(&e, 7, &o), -ENODATA);
	/* The second address would have to be switched to. */
	image_u8(&e, MODULE_LOWER, 92, 0x6c);
	image_sum(&e, MODULE_LOWER, 64, 94);
	assert_int_equal(module_decode(&e, 7, &o), -ENODATA);
}

static void
wrong_checksums_of_an_sfp_make_unknown_what_they_cover(void **state)
{
	struct module_eeprom e;
	struct optics o;

	(void)state;
	image_sfp(&e);
	image_u8(&e, MODULE_LOWER, 63, 0);
	assert_int_equal(module_decode(&e, 7, &o), 0);
	assert_unknown(o.lanes[0].tx_wavelength_nm);
	assert_int_equal(o.lanes[0].tx_power_uw, 584);
	image_u8(&e, MODULE_A2, 95, e.bytes[MODULE_A2][95] + 1U);
	assert_int_equal(module_decode(&e, 7, &o), 0);
	assert_unknown(o.lanes[0].tx_power_max_uw);
	assert_int_equal(o.lanes[0].tx_power_uw, 584);
	image_u8(&e, MODULE_LOWER, 95, e.bytes[MODULE_LOWER][95] + 1U);
	assert_int_equal(module_decode(&e, 7, &o), -EBADMSG);
	image_sfp(&e);
	calibrate(&e);
	image_u8(&e, MODULE_A2, 95, e.bytes[MODULE_A2][95] + 1U);
	assert_int_equal(module_decode(&e, 7, &o), -EBADMSG);
}

static void
module_that_is_not_ready_has_unknown_values(void **state)
{
	struct module_eeprom e;
	struct optics o;

	(void)state;
	image_sfp(&e);
	image_u8(&e, MODULE_A2, 110, 0x01);
	assert_int_equal(module_decode(&e, 7, &o), 0);
	assert_true(o.temperature_mc == COUNTER_UNKNOWN_SIGNED);
	assert_unknown(o.lanes[0].rx_power_uw);
	assert_int_equal(o.lanes[0].rx_power_max_uw, 1259);
	image_qsfp28(&e);
	image_u8(&e, MODULE_LOWER, 2, 0x01);
	assert_int_equal(module_decode(&e, 7, &o), 0);
	assert_unknown(o.supply_mv);
	assert_unknown(o.lanes[3].tx_bias_ua);
	assert_int_equal(o.lanes[3].tx_power_max_uw, 4467);
}

static void
qsfp28_tells_four_lanes(void **state)
{
	struct module_eeprom e;
	struct optics o;

	(void)state;
	image_qsfp28(&e);
	assert_int_equal(module_decode(&e, 49, &o), 0);
	assert_int_equal(o.module_lanes, 4);
	assert_int_equal(o.n_lanes, 4);
	assert_int_equal(o.temperature_mc, -1500);
	assert_int_equal(o.supply_mv, 3312);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(o.lanes[i].index, i + 1);
		assert_int_equal(o.lanes[i].rx_power_uw, 800 + 10 * i);
		assert_int_equal(o.lanes[i].tx_bias_ua, 40000 + 2 * i);
		assert_int_equal(o.lanes[i].tx_power_uw, i == 0 ? 1200 : 1201);
		assert_int_equal(o.lanes[i].tx_power_max_uw, 4467);
		assert_int_equal(o.lanes[i].tx_power_min_uw, 148);
		assert_int_equal(o.lanes[i].rx_power_max_uw, 3548);
		assert_int_equal(o.lanes[i].rx_power_min_uw, 44);
		assert_int_equal(o.lanes[i].tx_wavelength_nm, 1303);
	}
}

static void
thresholds_of_a_page_that_was_not_selected_are_unknown(void **state)
{
	struct module_eeprom e;
	struct optics o;

	(void)state;
	image_qsfp28(&e);
	memcpy(e.bytes[MODULE_PAGE_03], e.bytes[MODULE_PAGE_00], MODULE_HALF);
	assert_int_equal(module_decode(&e, 49, &o), 0);
	assert_unknown(o.lanes[0].tx_power_max_uw);
	assert_int_equal(o.lanes[0].rx_power_uw, 800);
	image_qsfp28(&e);
	e.have &= ~(1U << MODULE_PAGE_03);
	assert_int_equal(module_decode(&e, 49, &o), 0);
	assert_unknown(o.lanes[0].rx_power_min_uw);
}

static void
copper_and_silent_qsfps_are_not_reported(void **state)
{
	struct module_eeprom e;
	struct optics o;

	(void)state;
	image_qsfp28(&e);
	image_u8(&e, MODULE_PAGE_00, 147, 0xa0);
	image_sum(&e, MODULE_PAGE_00, 128, 190);
	assert_int_equal(module_decode(&e, 49, &o), -ENODATA);
	image_qsfp28(&e);
	memset(&e.bytes[MODULE_LOWER][22], 0, 36);
	assert_int_equal(module_decode(&e, 49, &o), -ENODATA);
	image_qsfp28(&e);
	image_u8(&e, MODULE_PAGE_00, 191, e.bytes[MODULE_PAGE_00][63] + 1U);
	assert_int_equal(module_decode(&e, 49, &o), -EBADMSG);
	image_qsfp28(&e);
	e.have &= ~(1U << MODULE_PAGE_00);
	assert_int_equal(module_decode(&e, 49, &o), -EBADMSG);
}

static void
cmis_module_tells_the_lanes_that_it_has(void **state)
{
	struct module_eeprom e;
	struct optics o;

	(void)state;
	image_qsfpdd(&e, 0xf0);
	assert_int_equal(module_decode(&e, 3, &o), 0);
	assert_int_equal(o.n_lanes, 4);
	assert_int_equal(o.module_lanes, 4);
	assert_int_equal(o.temperature_mc, 45250);
	assert_int_equal(o.supply_mv, 3299);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(o.lanes[i].index, i + 1);
		assert_int_equal(o.lanes[i].tx_power_uw, 1200 + i);
		assert_int_equal(o.lanes[i].tx_bias_ua, 4 * (32000 + i));
		assert_int_equal(o.lanes[i].rx_power_uw, 1700 + i);
		assert_int_equal(o.lanes[i].tx_power_max_uw, 3981);
		assert_int_equal(o.lanes[i].tx_power_min_uw, 257);
		assert_int_equal(o.lanes[i].rx_power_max_uw, 5012);
		assert_int_equal(o.lanes[i].rx_power_min_uw, 102);
		assert_int_equal(o.lanes[i].tx_wavelength_nm, 1311);
	}
	image_qsfpdd(&e, 0x00);
	assert_int_equal(module_decode(&e, 3, &o), 0);
	assert_int_equal(o.n_lanes, 8);
	assert_int_equal(o.lanes[7].tx_power_uw, 1207);
}

static void
cmis_banks_have_eight_lanes_each(void **state)
{
	struct module_eeprom e;
	struct optics o;

	(void)state;
	image_qsfpdd(&e, 0x00);
	image_u8(&e, MODULE_PAGE_01, 142, 0x02);
	image_sum(&e, MODULE_PAGE_01, 130, 254);
	image_bank(&e, 1, 13000);
	image_bank(&e, 2, 14000);
	image_bank(&e, 3, 12000); /* the first one once more: not selected */
	assert_int_equal(module_decode(&e, 3, &o), 0);
	assert_int_equal(o.module_lanes, 32);
	assert_int_equal(o.n_lanes, OPTICS_LANES_MAX);
	assert_int_equal(o.lanes[8].index, 9);
	assert_int_equal(o.lanes[8].tx_power_uw, 1300);
	assert_int_equal(o.lanes[23].rx_power_uw, 1907);
	assert_unknown(o.lanes[24].tx_power_uw);
	assert_int_equal(o.lanes[24].tx_power_max_uw, 3981);
}

static void
cmis_monitors_that_are_not_advertised_are_unknown(void **state)
{
	struct module_eeprom e;
	struct optics o;

	(void)state;
	image_qsfpdd(&e, 0xf0);
	image_u8(&e, MODULE_PAGE_01, 159, 0x02);
	image_u8(&e, MODULE_PAGE_01, 160,
		0x1d); /* no power sent; a unit of the future */
	image_sum(&e, MODULE_PAGE_01, 130, 254);
	assert_int_equal(module_decode(&e, 3, &o), 0);
	assert_true(o.temperature_mc == COUNTER_UNKNOWN_SIGNED);
	assert_int_equal(o.supply_mv, 3299);
	assert_unknown(o.lanes[0].tx_power_uw);
	assert_unknown(o.lanes[0].tx_bias_ua);
	assert_int_equal(o.lanes[0].rx_power_uw, 1700);
	image_u8(&e, MODULE_PAGE_01, 160, 0x00);
	image_sum(&e, MODULE_PAGE_01, 130, 254);
	assert_int_equal(module_decode(&e, 3, &o), -ENODATA);
}

static void
cmis_pages_are_believed_only_if_they_are_what_was_asked_for(void **state)
{
	struct module_eeprom e;
	struct optics o;

	(void)state;
	image_qsfpdd(&e, 0xf0);
	memcpy(e.bytes[MODULE_BANK_0], e.bytes[MODULE_PAGE_00], MODULE_HALF);
	assert_int_equal(module_decode(&e, 3, &o), 0);
	assert_unknown(o.lanes[0].rx_power_uw);
	image_qsfpdd(&e, 0xf0);
	image_u8(&e, MODULE_PAGE_02, 255, e.bytes[MODULE_PAGE_02][127] + 1U);
	assert_int_equal(module_decode(&e, 3, &o), 0);
	assert_unknown(o.lanes[0].rx_power_max_uw);
	assert_int_equal(o.lanes[0].rx_power_uw, 1700);
	image_qsfpdd(&e, 0xf0);
	memcpy(e.bytes[MODULE_PAGE_01], e.bytes[MODULE_PAGE_00], MODULE_HALF);
	assert_int_equal(module_decode(&e, 3, &o), -EBADMSG);
	image_qsfpdd(&e, 0xf0);
	image_u8(&e, MODULE_PAGE_00, 222, e.bytes[MODULE_PAGE_00][94] + 1U);
	assert_int_equal(module_decode(&e, 3, &o), -EBADMSG);
}

static void
flat_and_copper_cmis_modules_are_not_reported(void **state)
{
	struct module_eeprom e;
	struct optics o;

	(void)state;
	image_qsfpdd(&e, 0x00);
	image_u8(&e, MODULE_LOWER, 2, 0x80);
	assert_int_equal(module_decode(&e, 3, &o), -ENODATA);
	image_qsfpdd(&e, 0x00);
	image_u8(&e, MODULE_LOWER, 85, 0x03);
	assert_int_equal(module_decode(&e, 3, &o), -ENODATA);
}

static void
module_of_unknown_type_is_refused(void **state)
{
	struct module_eeprom e;
	struct optics o;

	(void)state;
	image_sfp(&e);
	image_u8(&e, MODULE_LOWER, 0, 0x7f);
	assert_int_equal(module_decode(&e, 3, &o), -EOPNOTSUPP);
	assert_string_equal(module_name(0x7f), "module of unknown type");
	memset(&e, 0, sizeof(e));
	assert_int_equal(module_decode(&e, 3, &o), -EBADMSG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sfp_tells_its_monitors_and_thresholds),
		cmocka_unit_test(
			external_calibration_is_applied_to_values_and_thresholds),
		cmocka_unit_test(calibration_with_what_is_no_number_gives_unknown),
		cmocka_unit_test(sfp_without_monitors_is_not_reported),
		cmocka_unit_test(
			wrong_checksums_of_an_sfp_make_unknown_what_they_cover),
		cmocka_unit_test(module_that_is_not_ready_has_unknown_values),
		cmocka_unit_test(qsfp28_tells_four_lanes),
		cmocka_unit_test(
			thresholds_of_a_page_that_was_not_selected_are_unknown),
		cmocka_unit_test(copper_and_silent_qsfps_are_not_reported),
		cmocka_unit_test(cmis_module_tells_the_lanes_that_it_has),
		cmocka_unit_test(cmis_banks_have_eight_lanes_each),
		cmocka_unit_test(cmis_monitors_that_are_not_advertised_are_unknown),
		cmocka_unit_test(
			cmis_pages_are_believed_only_if_they_are_what_was_asked_for),
		cmocka_unit_test(flat_and_copper_cmis_modules_are_not_reported),
		cmocka_unit_test(module_of_unknown_type_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
