/*
 * sff8636.c - monitors of a QSFP+ or QSFP28. (SFF-8636 rev. 2.11)
 *
 * The lower half measures; page 00h says what the module is, under two checksums; page
 * 03h has the thresholds and no checksum: it is believed unless it is page 00h once
 * more, as modules and drivers show that cannot change the page.
 */
#include <errno.h>

#include "agent/module_eeprom.h"

enum { LANES = 4 };
/* Byte 2. */
enum { NOT_READY = 1 << 0 };
enum { COPPER_FIRST = 0xa }; /* in the higher half of byte 147; optics are below */

/* Wavelengths in 1/20 nm. */
static uint64_t
wavelength(uint16_t raw)
{
	return (raw + 10U) / 20;
}

static void
read_lane(const struct module_eeprom *e, unsigned i, struct optics_lane *ret)
{
	ret->rx_power_uw = module_tenths(module_u16(e, MODULE_LOWER, 34 + 2 * i));
	ret->tx_bias_ua = 2 * (uint64_t)module_u16(e, MODULE_LOWER, 42 + 2 * i);
	ret->tx_power_uw = module_tenths(module_u16(e, MODULE_LOWER, 50 + 2 * i));
}

static void
read_thresholds(const struct module_eeprom *e, struct optics_lane *ret)
{
	ret->rx_power_max_uw = module_tenths(module_u16(e, MODULE_PAGE_03, 176));
	ret->rx_power_min_uw = module_tenths(module_u16(e, MODULE_PAGE_03, 178));
	ret->tx_power_max_uw = module_tenths(module_u16(e, MODULE_PAGE_03, 192));
	ret->tx_power_min_uw = module_tenths(module_u16(e, MODULE_PAGE_03, 194));
}

/* True if nothing is measured at all: all of bytes 22 to 57 are zero. */
static bool
is_silent(const struct module_eeprom *e)
{
	for (unsigned at = 22; at <= 57; at++) {
		if (module_u8(e, MODULE_LOWER, at))
			return false;
	}
	return true;
}

static int
check(const struct module_eeprom *e)
{
	if (!module_has(e, MODULE_PAGE_00) ||
		module_u8(e, MODULE_PAGE_00, 128) != module_u8(e, MODULE_LOWER, 0) ||
		!module_sum_ok(e, MODULE_PAGE_00, 128, 190, 191))
		return -EBADMSG;
	if (module_u8(e, MODULE_PAGE_00, 147) >> 4 >= COPPER_FIRST || is_silent(e))
		return -ENODATA;
	return 0;
}

int
sff8636_decode(const struct module_eeprom *e, struct optics *ret)
{
	bool is_ready = !(module_u8(e, MODULE_LOWER, 2) & NOT_READY);
	bool has_thresholds = module_has(e, MODULE_PAGE_03) &&
			      !module_same(e, MODULE_PAGE_03, MODULE_PAGE_00, 128, 255);
	uint64_t nm = wavelength(module_u16(e, MODULE_PAGE_00, 186));
	int rc = check(e);

	if (rc < 0)
		return rc;
	if (is_ready) {
		ret->temperature_mc =
			module_temperature_mc(module_u16(e, MODULE_LOWER, 22));
		ret->supply_mv = module_tenths(module_u16(e, MODULE_LOWER, 26));
	}
	ret->module_lanes = LANES;
	ret->n_lanes = LANES;
	for (unsigned i = 0; i < LANES; i++) {
		optics_lane_init(&ret->lanes[i], i + 1);
		if (is_ready)
			read_lane(e, i, &ret->lanes[i]);
		if (has_thresholds)
			read_thresholds(e, &ret->lanes[i]);
		ret->lanes[i].tx_wavelength_nm = nm;
		ret->lanes[i].rx_wavelength_nm = nm;
	}
	return 0;
}
