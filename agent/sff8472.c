/*
 * sff8472.c - monitors of an SFP. (SFF-8472 rev. 12.4)
 *
 * A0h says what the module is, A2h what it measures. An externally calibrated module
 * gives the readings of its converters, to which the constants of A2h 56 to 91 have to
 * be applied, to the thresholds as well (9.3). Wrong checksums: of A0h 0 to 62, the
 * wavelength is unknown; of A0h 64 to 94, nothing can be said; of A2h 0 to 94,
 * thresholds and constants are unknown.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "agent/module_eeprom.h"

/* Byte 92 of A0h. */
enum { HAS_MONITORS = 1 << 6, EXTERNALLY_CALIBRATED = 1 << 4, ADDRESS_CHANGE = 1 << 2 };
/* Byte 8 of A0h: a cable, whose wavelength bytes mean something else. */
enum { CABLES = 3 << 2 };
/* Byte 110 of A2h. */
enum { NOT_READY = 1 << 0 };
/* Constants of A2h: slope in 1/256, then offset. */
enum { RX_POWER_4 = 56, BIAS = 76, TX_POWER = 80, TEMPERATURE = 84, VOLTAGE = 88 };

enum { RAW_MAX = UINT16_MAX };

/* slope * raw + offset, as in the units of the raw value. */
static int64_t
linear(const struct module_eeprom *e, unsigned constants, int64_t raw)
{
	int64_t slope = module_u16(e, MODULE_A2, constants);
	int16_t offset = (int16_t)module_u16(e, MODULE_A2, constants + 2);

	return raw * slope / 256 + offset;
}

static float
coefficient(const struct module_eeprom *e, unsigned at)
{
	uint32_t bits = (uint32_t)module_u16(e, MODULE_A2, at) << 16 |
			module_u16(e, MODULE_A2, at + 2);
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* A polynomial of the fourth degree, highest coefficient first. Whatever is no number
 * of 0.1 uW in 16 bits is not known. */
static uint64_t
rx_polynomial(const struct module_eeprom *e, uint16_t raw)
{
	double value = 0;

	for (unsigned i = 0; i < 5; i++)
		value = value * raw + (double)coefficient(e, RX_POWER_4 + 4 * i);
	if (!isfinite(value) || value > RAW_MAX)
		return COUNTER_UNKNOWN;
	return value < 0 ? 0 : (uint64_t)(value + 0.5);
}

static uint64_t
clamp(int64_t value)
{
	if (value > RAW_MAX)
		return COUNTER_UNKNOWN;
	return value < 0 ? 0 : (uint64_t)value;
}

/* A value at @at whose constants are at @constants. */
static uint64_t
unsigned_at(
	const struct module_eeprom *e, unsigned at, unsigned constants, bool external)
{
	uint16_t raw = module_u16(e, MODULE_A2, at);

	return external ? clamp(linear(e, constants, raw)) : raw;
}

static uint64_t
rx_at(const struct module_eeprom *e, unsigned at, bool external)
{
	uint16_t raw = module_u16(e, MODULE_A2, at);

	return external ? rx_polynomial(e, raw) : raw;
}

static uint64_t
tenths(uint64_t raw)
{
	return raw == COUNTER_UNKNOWN ? raw : module_tenths(raw);
}

static int64_t
temperature(const struct module_eeprom *e, bool external)
{
	int64_t raw = (int16_t)module_u16(e, MODULE_A2, 96);

	if (external)
		raw = linear(e, TEMPERATURE, raw);
	if (raw < INT16_MIN || raw > INT16_MAX)
		return COUNTER_UNKNOWN_SIGNED;
	return module_temperature_mc((uint16_t)raw);
}

static void
read_monitors(const struct module_eeprom *e, bool external, struct optics *ret)
{
	struct optics_lane *lane = &ret->lanes[0];
	uint64_t bias = unsigned_at(e, 100, BIAS, external);

	ret->temperature_mc = temperature(e, external);
	ret->supply_mv = tenths(unsigned_at(e, 98, VOLTAGE, external));
	lane->tx_bias_ua = bias == COUNTER_UNKNOWN ? bias : 2 * bias;
	lane->tx_power_uw = tenths(unsigned_at(e, 102, TX_POWER, external));
	lane->rx_power_uw = tenths(rx_at(e, 104, external));
}

static void
read_thresholds(const struct module_eeprom *e, bool external, struct optics_lane *ret)
{
	ret->tx_power_max_uw = tenths(unsigned_at(e, 24, TX_POWER, external));
	ret->tx_power_min_uw = tenths(unsigned_at(e, 26, TX_POWER, external));
	ret->rx_power_max_uw = tenths(rx_at(e, 32, external));
	ret->rx_power_min_uw = tenths(rx_at(e, 34, external));
}

int
sff8472_decode(const struct module_eeprom *e, struct optics *ret)
{
	uint8_t type = module_u8(e, MODULE_LOWER, 92);
	bool external = type & EXTERNALLY_CALIBRATED, is_sound;

	if (!module_sum_ok(e, MODULE_LOWER, 64, 94, 95))
		return -EBADMSG;
	if (!(type & HAS_MONITORS) || type & ADDRESS_CHANGE)
		return -ENODATA;
	if (!module_has(e, MODULE_A2))
		return -EBADMSG;
	is_sound = module_sum_ok(e, MODULE_A2, 0, 94, 95);
	if (external && !is_sound)
		return -EBADMSG;
	ret->module_lanes = 1;
	ret->n_lanes = 1;
	optics_lane_init(&ret->lanes[0], 1);
	if (!(module_u8(e, MODULE_A2, 110) & NOT_READY))
		read_monitors(e, external, ret);
	if (is_sound)
		read_thresholds(e, external, &ret->lanes[0]);
	if (module_sum_ok(e, MODULE_LOWER, 0, 62, 63) &&
		!(module_u8(e, MODULE_LOWER, 8) & CABLES)) {
		ret->lanes[0].tx_wavelength_nm = module_u16(e, MODULE_LOWER, 60);
		ret->lanes[0].rx_wavelength_nm = ret->lanes[0].tx_wavelength_nm;
	}
	return 0;
}
