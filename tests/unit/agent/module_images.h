/*
 * module_images.h - EEPROMs of modules for tests: an SFP+ as Finisar's FTLX8571D3BCL
 * (10GBASE-SR; its first 64 bytes are those that "ethtool -m … hex on" shows of one), a
 * QSFP28 as a 100GBASE-LR4 and a QSFP-DD as a 400GBASE-DR4, field by field after their
 * standards with values in the range of such modules.
 */
#pragma once

#include <string.h>

#include "agent/module_eeprom.h"

static inline void
image_u16(struct module_eeprom *e, enum module_part part, unsigned at, unsigned value)
{
	e->bytes[part][at % MODULE_HALF] = (uint8_t)(value >> 8);
	e->bytes[part][at % MODULE_HALF + 1] = (uint8_t)value;
}

static inline void
image_u8(struct module_eeprom *e, enum module_part part, unsigned at, unsigned value)
{
	e->bytes[part][at % MODULE_HALF] = (uint8_t)value;
}

static inline void
image_text(
	struct module_eeprom *e, enum module_part part, unsigned at, const char *text)
{
	memcpy(&e->bytes[part][at % MODULE_HALF], text, strlen(text));
}

/* Put the checksum of the bytes @first to @last behind them. */
static inline void
image_sum(struct module_eeprom *e, enum module_part part, unsigned first, unsigned last)
{
	unsigned sum = 0;

	for (unsigned at = first; at <= last; at++)
		sum += e->bytes[part][at % MODULE_HALF];
	image_u8(e, part, last + 1, sum);
}

static inline void
image_sfp(struct module_eeprom *e)
{
	static const uint8_t base[64] = { 0x03, 0x04, 0x07, 0x10, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x06, 0x67, 0x00, 0x00, 0x00, 0x08, 0x03, 0x00,
		0x1e, 'F', 'I', 'N', 'I', 'S', 'A', 'R', ' ', 'C', 'O', 'R', 'P', '.',
		' ', ' ', ' ', 0x00, 0x00, 0x90, 0x65, 'F', 'T', 'L', 'X', '8', '5',
		'7', '1', 'D', '3', 'B', 'C', 'L', ' ', ' ', ' ', 'A', ' ', ' ', ' ',
		0x03, 0x52, 0x00, 0x48 };

	memset(e, 0, sizeof(*e));
	e->have = 1U << MODULE_LOWER | 1U << MODULE_A2;
	e->is_complete = true;
	memcpy(e->bytes[MODULE_LOWER], base, sizeof(base));
	image_u16(e, MODULE_LOWER, 64, 0x001a);
	image_text(e, MODULE_LOWER, 68, "AK10C3X         100310  ");
	image_u8(e, MODULE_LOWER, 92, 0x68);
	image_u8(e, MODULE_LOWER, 93, 0xf0);
	image_u8(e, MODULE_LOWER, 94, 0x03);
	image_sum(e, MODULE_LOWER, 64, 94);
	image_u16(e, MODULE_A2, 24, 10000); /* 1 mW: 0 dBm */
	image_u16(e, MODULE_A2, 26, 1585);
	image_u16(e, MODULE_A2, 32, 12589);
	image_u16(e, MODULE_A2, 34, 100);
	image_u16(e, MODULE_A2, 76, 0x0100); /* slopes of 1 */
	image_u16(e, MODULE_A2, 80, 0x0100);
	image_u16(e, MODULE_A2, 84, 0x0100);
	image_u16(e, MODULE_A2, 88, 0x0100);
	image_u16(e, MODULE_A2, 68, 0x3f80); /* 1.0: raw values are 0.1 uW */
	image_sum(e, MODULE_A2, 0, 94);
	image_u16(e, MODULE_A2, 96, 0x1f80); /* 31.5 degrees */
	image_u16(e, MODULE_A2, 98, 33012);
	image_u16(e, MODULE_A2, 100, 3904); /* 7.808 mA */
	image_u16(e, MODULE_A2, 102, 5837);
	image_u16(e, MODULE_A2, 104, 4906);
}

static inline void
image_qsfp28(struct module_eeprom *e)
{
	memset(e, 0, sizeof(*e));
	e->have = 1U << MODULE_LOWER | 1U << MODULE_PAGE_00 | 1U << MODULE_PAGE_03;
	e->is_complete = true;
	image_u8(e, MODULE_LOWER, 0, 0x11);
	image_u8(e, MODULE_LOWER, 1, 0x07);
	image_u16(e, MODULE_LOWER, 22, 0xfe80); /* -1.5 degrees */
	image_u16(e, MODULE_LOWER, 26, 33123);
	for (unsigned i = 0; i < 4; i++) {
		image_u16(e, MODULE_LOWER, 34 + 2 * i, 8000 + 100 * i);
		image_u16(e, MODULE_LOWER, 42 + 2 * i, 20000 + i);
		image_u16(e, MODULE_LOWER, 50 + 2 * i, 12004 + i);
	}
	image_u8(e, MODULE_PAGE_00, 128, 0x11);
	image_u8(e, MODULE_PAGE_00, 130, 0x07); /* LC */
	image_u8(e, MODULE_PAGE_00, 131, 0x80);
	image_u8(e, MODULE_PAGE_00, 147, 0x64); /* 1310 nm EML, cooled */
	image_text(e, MODULE_PAGE_00, 148, "EXAMPLE OPTICS  ");
	image_text(e, MODULE_PAGE_00, 168, "QSFP28-LR4      ");
	image_u16(e, MODULE_PAGE_00, 186, 26051); /* 1302.55 nm */
	image_sum(e, MODULE_PAGE_00, 128, 190);
	image_u8(e, MODULE_PAGE_00, 192, 0x03);
	image_text(e, MODULE_PAGE_00, 196, "LR4-0001        240301  ");
	image_u8(e, MODULE_PAGE_00, 220, 0x0c);
	image_sum(e, MODULE_PAGE_00, 192, 222);
	image_u16(e, MODULE_PAGE_03, 176, 35481);
	image_u16(e, MODULE_PAGE_03, 178, 436);
	image_u16(e, MODULE_PAGE_03, 192, 44668);
	image_u16(e, MODULE_PAGE_03, 194, 1479);
}

/* Monitors of eight lanes; what they show begins at @from. */
static inline void
image_bank(struct module_eeprom *e, unsigned bank, unsigned from)
{
	enum module_part part = (enum module_part)(MODULE_BANK_0 + bank);

	e->have |= 1U << part;
	for (unsigned i = 0; i < 8; i++) {
		image_u16(e, part, 154 + 2 * i, from + 10 * i);
		image_u16(e, part, 170 + 2 * i, from + 20000 + i);
		image_u16(e, part, 186 + 2 * i, from + 5000 + 10 * i);
	}
}

/* @missing: a bit for each of the first eight lanes that is not there. */
static inline void
image_qsfpdd(struct module_eeprom *e, unsigned missing)
{
	memset(e, 0, sizeof(*e));
	e->have = 1U << MODULE_LOWER | 1U << MODULE_PAGE_00 | 1U << MODULE_PAGE_01 |
		  1U << MODULE_PAGE_02;
	e->is_complete = true;
	image_u8(e, MODULE_LOWER, 0, 0x18);
	image_u8(e, MODULE_LOWER, 1, 0x40);
	image_u8(e, MODULE_LOWER, 3, 0x07);
	image_u16(e, MODULE_LOWER, 14, 0x2d40); /* 45.25 degrees */
	image_u16(e, MODULE_LOWER, 16, 32987);
	image_u8(e, MODULE_LOWER, 85, 0x02); /* single-mode fibre */
	image_u8(e, MODULE_PAGE_00, 128, 0x18);
	image_text(e, MODULE_PAGE_00, 129, "EXAMPLE OPTICS  ");
	image_text(e, MODULE_PAGE_00, 148, "QSFPDD-400G-DR4 ");
	image_text(e, MODULE_PAGE_00, 166, "DR4-0001        240301  ");
	image_u8(e, MODULE_PAGE_00, 210, missing);
	image_sum(e, MODULE_PAGE_00, 128, 221);
	image_u16(e, MODULE_PAGE_01, 138, 26220); /* 1311 nm */
	image_u8(e, MODULE_PAGE_01, 159, 0x03);
	image_u8(e, MODULE_PAGE_01, 160, 0x0f); /* all three, bias in 4 uA */
	image_sum(e, MODULE_PAGE_01, 130, 254);
	image_u16(e, MODULE_PAGE_02, 176, 39810);
	image_u16(e, MODULE_PAGE_02, 178, 2570);
	image_u16(e, MODULE_PAGE_02, 192, 50118);
	image_u16(e, MODULE_PAGE_02, 194, 1023);
	image_sum(e, MODULE_PAGE_02, 128, 254);
	image_bank(e, 0, 12000);
}
