/*
 * module_read.c - see module_read.h.
 */
#include "agent/module_read.h"

#include <string.h>

enum {
	ADDRESS = 0x50,
	ADDRESS_A2 = 0x51,
	PAGE_MONITORS = 0x11,
	SERIAL_LEN = 16,
};

/* A reading in progress. */
struct reading {
	struct module_eeprom *e; /* borrowed */
	module_read_fn fn;
	void *user_data;
};

static const struct place {
	uint8_t address, bank, page, offset;
} places[MODULE_PARTS] = {
	[MODULE_LOWER] = { ADDRESS, 0, 0, 0 },
	[MODULE_PAGE_00] = { ADDRESS, 0, 0, MODULE_HALF },
	[MODULE_PAGE_01] = { ADDRESS, 0, 1, MODULE_HALF },
	[MODULE_PAGE_02] = { ADDRESS, 0, 2, MODULE_HALF },
	[MODULE_PAGE_03] = { ADDRESS, 0, 3, MODULE_HALF },
	[MODULE_A2] = { ADDRESS_A2, 0, 0, 0 },
	[MODULE_BANK_0] = { ADDRESS, 0, PAGE_MONITORS, MODULE_HALF },
	[MODULE_BANK_0 + 1] = { ADDRESS, 1, PAGE_MONITORS, MODULE_HALF },
	[MODULE_BANK_0 + 2] = { ADDRESS, 2, PAGE_MONITORS, MODULE_HALF },
	[MODULE_BANK_0 + 3] = { ADDRESS, 3, PAGE_MONITORS, MODULE_HALF },
};

/* @len bytes of a part from byte @at of it on, 0 to 127, to @ret. */
static int
get(const struct reading *r, enum module_part part, unsigned at, unsigned len,
	uint8_t *ret)
{
	const struct place *place = &places[part];
	const struct ethtool_eeprom_range range = {
		.i2c_address = place->address,
		.bank = place->bank,
		.page = place->page,
		.offset = (uint8_t)(place->offset + at),
		.len = (uint8_t)len,
	};

	return r->fn(r->user_data, &range, ret);
}

/* The same, as the standards number the bytes, into the image. A part that cannot be
 * read is not there any more. */
static int
update(const struct reading *r, enum module_part part, unsigned first, unsigned last)
{
	unsigned at = first % MODULE_HALF;
	int rc = get(r, part, at, last - first + 1, &r->e->bytes[part][at]);

	if (rc < 0) {
		r->e->have &= ~(1U << part);
		r->e->is_complete = false;
	}
	return rc;
}

/* A whole part. */
static int
add(const struct reading *r, enum module_part part)
{
	int rc = get(r, part, 0, MODULE_HALF, r->e->bytes[part]);

	if (rc == 0)
		r->e->have |= 1U << part;
	else
		r->e->is_complete = false;
	return rc;
}

static enum module_kind
kind_of(const struct module_eeprom *e)
{
	return module_has(e, MODULE_LOWER) ? module_kind(e->bytes[MODULE_LOWER][0])
					   : MODULE_KIND_UNKNOWN;
}

/* Banks are all or nothing: those that were not there are tried again with the rest. */
static void
add_banks(const struct reading *r)
{
	for (unsigned i = 0; i < cmis_banks(r->e); i++)
		(void)add(r, (enum module_part)(MODULE_BANK_0 + i));
}

/* Everything, of a module that is not known. What fails is noted in the image. */
static int
read_all(const struct reading *r)
{
	struct module_eeprom *e = r->e;
	int rc;

	memset(e, 0, sizeof(*e));
	e->is_complete = true;
	rc = add(r, MODULE_LOWER);
	switch (kind_of(e)) {
	case MODULE_KIND_SFF8472:
		/* With monitors, and without a change of address before it is read. */
		if ((e->bytes[MODULE_LOWER][92] & 0x44) == 0x40)
			(void)add(r, MODULE_A2);
		break;
	case MODULE_KIND_SFF8636:
		(void)add(r, MODULE_PAGE_00);
		if (!(e->bytes[MODULE_LOWER][2] & 1 << 2))
			(void)add(r, MODULE_PAGE_03);
		break;
	case MODULE_KIND_CMIS:
		(void)add(r, MODULE_PAGE_00);
		if (e->bytes[MODULE_LOWER][2] & 1 << 7)
			break;
		(void)add(r, MODULE_PAGE_01);
		(void)add(r, MODULE_PAGE_02);
		add_banks(r);
		break;
	case MODULE_KIND_UNKNOWN:
		break;
	}
	return rc;
}

/* True if the serial number is that of the image. */
static bool
is_same_module(const struct reading *r)
{
	static const struct {
		enum module_part part;
		unsigned at;
	} serials[] = {
		[MODULE_KIND_SFF8472] = { MODULE_LOWER, 68 },
		[MODULE_KIND_SFF8636] = { MODULE_PAGE_00, 196 - MODULE_HALF },
		[MODULE_KIND_CMIS] = { MODULE_PAGE_00, 166 - MODULE_HALF },
	};
	enum module_kind kind = kind_of(r->e);
	uint8_t serial[SERIAL_LEN];

	return get(r, serials[kind].part, serials[kind].at, SERIAL_LEN, serial) == 0 &&
	       memcmp(serial, &r->e->bytes[serials[kind].part][serials[kind].at],
		       SERIAL_LEN) == 0;
}

/* What is measured, of a module that is known. */
static void
read_monitors(const struct reading *r)
{
	if (kind_of(r->e) == MODULE_KIND_SFF8472 && module_has(r->e, MODULE_A2))
		(void)update(r, MODULE_A2, 96, 110);
	if (kind_of(r->e) != MODULE_KIND_CMIS)
		return;
	for (unsigned i = 0; i < MODULE_BANKS; i++) {
		enum module_part part = (enum module_part)(MODULE_BANK_0 + i);

		if (module_has(r->e, part))
			(void)update(r, part, 154, 201);
	}
}

int
module_read(struct module_eeprom *e, module_read_fn fn, void *user_data)
{
	const struct reading r = { e, fn, user_data };
	uint8_t identifier = e->bytes[MODULE_LOWER][0];
	/* Of an SFP nothing is measured here. */
	unsigned last = kind_of(e) == MODULE_KIND_SFF8472 ? 1 : 57;
	int rc = -1;

	if (e->is_complete && kind_of(e) != MODULE_KIND_UNKNOWN)
		rc = update(&r, MODULE_LOWER, 0, last);
	if (rc == 0 && e->bytes[MODULE_LOWER][0] == identifier && is_same_module(&r)) {
		read_monitors(&r);
		return 0;
	}
	/* Another one, none, or one that was not read whole. */
	rc = read_all(&r);
	if (rc < 0)
		memset(e, 0, sizeof(*e));
	return rc;
}
