/*
 * module_eeprom.c - see module_eeprom.h. Identifiers: SFF-8024 table 4-1.
 */
#include "agent/module_eeprom.h"

#include <errno.h>
#include <string.h>

static const struct module_type {
	uint8_t identifier;
	enum module_kind kind;
	const char *name;
} types[] = {
	{ 0x02, MODULE_KIND_SFF8472, "soldered module" },
	{ 0x03, MODULE_KIND_SFF8472, "SFP" },
	{ 0x0b, MODULE_KIND_SFF8472, "DWDM-SFP" },
	{ 0x0c, MODULE_KIND_SFF8636, "QSFP" },
	{ 0x0d, MODULE_KIND_SFF8636, "QSFP+" },
	{ 0x11, MODULE_KIND_SFF8636, "QSFP28" },
	{ 0x18, MODULE_KIND_CMIS, "QSFP-DD" },
	{ 0x19, MODULE_KIND_CMIS, "OSFP" },
	{ 0x1b, MODULE_KIND_CMIS, "DSFP" },
	{ 0x1e, MODULE_KIND_CMIS, "QSFP with CMIS" },
	{ 0x1f, MODULE_KIND_CMIS, "SFP-DD" },
	{ 0x20, MODULE_KIND_CMIS, "SFP with CMIS" },
};

static const struct module_type *
find_type(uint8_t identifier)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].identifier == identifier)
			return &types[i];
	}
	return NULL;
}

enum module_kind
module_kind(uint8_t identifier)
{
	const struct module_type *type = find_type(identifier);

	return type ? type->kind : MODULE_KIND_UNKNOWN;
}

const char *
module_name(uint8_t identifier)
{
	const struct module_type *type = find_type(identifier);

	return type ? type->name : "module of unknown type";
}

bool
module_has(const struct module_eeprom *e, enum module_part part)
{
	return e->have & 1U << part;
}

uint8_t
module_u8(const struct module_eeprom *e, enum module_part part, unsigned at)
{
	return e->bytes[part][at % MODULE_HALF];
}

uint16_t
module_u16(const struct module_eeprom *e, enum module_part part, unsigned at)
{
	return (uint16_t)(module_u8(e, part, at) << 8 | module_u8(e, part, at + 1));
}

bool
module_sum_ok(const struct module_eeprom *e, enum module_part part, unsigned first,
	unsigned last, unsigned check)
{
	uint8_t sum = 0;

	for (unsigned at = first; at <= last; at++)
		sum = (uint8_t)(sum + module_u8(e, part, at));
	return sum == module_u8(e, part, check);
}

bool
module_same(const struct module_eeprom *e, enum module_part a, enum module_part b,
	unsigned first, unsigned last)
{
	unsigned any = 0;

	if (!module_has(e, a) || !module_has(e, b))
		return false;
	for (unsigned at = first; at <= last; at++) {
		if (module_u8(e, a, at) != module_u8(e, b, at))
			return false;
		any |= module_u8(e, a, at);
	}
	return any != 0;
}

int64_t
module_temperature_mc(uint16_t raw)
{
	return (int64_t)(int16_t)raw * 1000 / 256;
}

uint64_t
module_tenths(uint64_t raw)
{
	return (raw + 5) / 10;
}

int
module_decode(const struct module_eeprom *e, uint32_t module_id, struct optics *ret)
{
	optics_init(ret, module_id);
	if (!module_has(e, MODULE_LOWER))
		return -EBADMSG;
	switch (module_kind(module_u8(e, MODULE_LOWER, 0))) {
	case MODULE_KIND_SFF8472:
		return sff8472_decode(e, ret);
	case MODULE_KIND_SFF8636:
		return sff8636_decode(e, ret);
	case MODULE_KIND_CMIS:
		return cmis_decode(e, ret);
	case MODULE_KIND_UNKNOWN:
		break;
	}
	return -EOPNOTSUPP;
}
