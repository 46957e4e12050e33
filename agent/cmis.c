/*
 * cmis.c - monitors of a QSFP-DD, OSFP and their kin. (OIF CMIS 5.2)
 *
 * Lower half: temperature and voltage. Page 00h: which lanes there are. Page 01h: what
 * is measured, and how many banks. Page 02h: thresholds. Page 11h, once for each bank:
 * 8 lanes. Pages 00h to 02h have checksums. Page 11h has none: it is believed unless it
 * is page 00h once more, or a further bank the first one once more.
 */
#include <errno.h>

#include "agent/module_eeprom.h"

enum { BANK_LANES = 8 };
enum { MEDIA_COPPER = 3 }; /* byte 85: passive cable */
/* Byte 159 of page 01h. */
enum { HAS_TEMPERATURE = 1 << 0, HAS_VOLTAGE = 1 << 1 };
/* Byte 160 of page 01h. */
enum { HAS_BIAS = 1 << 0, HAS_TX_POWER = 1 << 1, HAS_RX_POWER = 1 << 2 };
enum { LANE_MONITORS = HAS_BIAS | HAS_TX_POWER | HAS_RX_POWER };

unsigned
cmis_banks(const struct module_eeprom *e)
{
	static const unsigned banks[] = { 1, 2, MODULE_BANKS, 1 };

	if (!module_has(e, MODULE_PAGE_01))
		return 1;
	return banks[module_u8(e, MODULE_PAGE_01, 142) & 3];
}

/* Units of 2, 4 or 8 uA. */
static uint64_t
bias_ua(const struct module_eeprom *e, uint16_t raw)
{
	unsigned scale = module_u8(e, MODULE_PAGE_01, 160) >> 3 & 3;

	return scale > 2 ? COUNTER_UNKNOWN : (uint64_t)raw * (2U << scale);
}

static void
read_monitors(const struct module_eeprom *e, unsigned bank, unsigned i,
	struct optics_lane *ret)
{
	enum module_part part = (enum module_part)(MODULE_BANK_0 + bank);
	uint8_t has = module_u8(e, MODULE_PAGE_01, 160);

	if (has & HAS_TX_POWER)
		ret->tx_power_uw = module_tenths(module_u16(e, part, 154 + 2 * i));
	if (has & HAS_BIAS)
		ret->tx_bias_ua = bias_ua(e, module_u16(e, part, 170 + 2 * i));
	if (has & HAS_RX_POWER)
		ret->rx_power_uw = module_tenths(module_u16(e, part, 186 + 2 * i));
}

static void
read_fixed(const struct module_eeprom *e, bool has_thresholds, struct optics_lane *ret)
{
	if (has_thresholds) {
		ret->tx_power_max_uw =
			module_tenths(module_u16(e, MODULE_PAGE_02, 176));
		ret->tx_power_min_uw =
			module_tenths(module_u16(e, MODULE_PAGE_02, 178));
		ret->rx_power_max_uw =
			module_tenths(module_u16(e, MODULE_PAGE_02, 192));
		ret->rx_power_min_uw =
			module_tenths(module_u16(e, MODULE_PAGE_02, 194));
	}
	ret->tx_wavelength_nm = (module_u16(e, MODULE_PAGE_01, 138) + 10U) / 20;
	ret->rx_wavelength_nm = ret->tx_wavelength_nm;
}

/* True if the monitors of a bank are what was asked for. */
static bool
is_bank_sound(const struct module_eeprom *e, unsigned bank)
{
	enum module_part part = (enum module_part)(MODULE_BANK_0 + bank);

	return module_has(e, part) && !module_same(e, part, MODULE_PAGE_00, 154, 201) &&
	       (bank == 0 || !module_same(e, part, MODULE_BANK_0, 154, 201));
}

static void
read_lanes(const struct module_eeprom *e, struct optics *ret)
{
	bool has_thresholds = module_has(e, MODULE_PAGE_02) &&
			      module_sum_ok(e, MODULE_PAGE_02, 128, 254, 255);
	/* It tells of the first eight lanes; all of the others are there. */
	uint8_t missing = module_u8(e, MODULE_PAGE_00, 210);

	for (unsigned i = 0; i < cmis_banks(e) * BANK_LANES; i++) {
		struct optics_lane *lane = &ret->lanes[ret->n_lanes];
		unsigned bank = i / BANK_LANES;

		if (bank == 0 && missing & 1 << i)
			continue;
		optics_lane_init(lane, i + 1);
		read_fixed(e, has_thresholds, lane);
		if (is_bank_sound(e, bank))
			read_monitors(e, bank, i % BANK_LANES, lane);
		ret->n_lanes++;
	}
	ret->module_lanes = (uint32_t)ret->n_lanes;
}

int
cmis_decode(const struct module_eeprom *e, struct optics *ret)
{
	uint8_t has;

	if (!module_has(e, MODULE_PAGE_00) ||
		!module_sum_ok(e, MODULE_PAGE_00, 128, 221, 222))
		return -EBADMSG;
	if (module_u8(e, MODULE_LOWER, 2) >> 7 ||
		module_u8(e, MODULE_LOWER, 85) == MEDIA_COPPER)
		return -ENODATA;
	if (!module_has(e, MODULE_PAGE_01) ||
		!module_sum_ok(e, MODULE_PAGE_01, 130, 254, 255))
		return -EBADMSG;
	if (!(module_u8(e, MODULE_PAGE_01, 160) & LANE_MONITORS))
		return -ENODATA;
	has = module_u8(e, MODULE_PAGE_01, 159);
	if (has & HAS_TEMPERATURE)
		ret->temperature_mc =
			module_temperature_mc(module_u16(e, MODULE_LOWER, 14));
	if (has & HAS_VOLTAGE)
		ret->supply_mv = module_tenths(module_u16(e, MODULE_LOWER, 16));
	read_lanes(e, ret);
	return 0;
}
