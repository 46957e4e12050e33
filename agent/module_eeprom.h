/*
 * module_eeprom.h - the EEPROM of a pluggable module, as far as it is read, and what
 * the decoders of its three layouts (sff8472.c, sff8636.c, cmis.c) have in common.
 *
 * All of them have 256 bytes at I2C address 0x50: the lower half is fixed, the upper
 * one shows a page. An SFP has no pages but a second address, 0x51. The bytes come from
 * a stranger: whatever they are, the decoders give numbers or refuse. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/counters.h"

enum {
	MODULE_HALF = 128, /* bytes of each half */
	MODULE_BANKS = 4,  /* of 8 lanes; CMIS */
};

/* The halves that are read. */
enum module_part {
	MODULE_LOWER,   /* 0x50, bytes 0 to 127 */
	MODULE_PAGE_00, /* bytes 128 to 255 of that page */
	MODULE_PAGE_01, /* CMIS: what it can do */
	MODULE_PAGE_02, /* CMIS: thresholds */
	MODULE_PAGE_03, /* SFF-8636: thresholds */
	MODULE_A2,      /* 0x51, bytes 0 to 127; SFP: monitors and thresholds */
	MODULE_BANK_0,  /* CMIS: page 11h, monitors of 8 lanes; the next banks follow */
	MODULE_PARTS = MODULE_BANK_0 + MODULE_BANKS,
};

struct module_eeprom {
	uint32_t have;    /* bits 1 << enum module_part: what was read */
	bool is_complete; /* all that the module has of them */
	uint8_t bytes[MODULE_PARTS][MODULE_HALF]; /* of parts in have */
};

/* Which layout the module has. */
enum module_kind {
	MODULE_KIND_UNKNOWN,
	MODULE_KIND_SFF8472, /* SFP, SFP+, SFP28 */
	MODULE_KIND_SFF8636, /* QSFP+, QSFP28 */
	MODULE_KIND_CMIS,    /* QSFP-DD, OSFP, QSFP112, SFP-DD */
};

/** By the module's first byte (SFF-8024 table 4-1). */
enum module_kind module_kind(uint8_t identifier);

/** Name of its form: "QSFP28", …, or "module of unknown type". */
const char *module_name(uint8_t identifier);

/** True if @part was read. */
bool module_has(const struct module_eeprom *e, enum module_part part);

/** Byte @at, as the standards number them: from 128 on in upper halves. */
uint8_t module_u8(const struct module_eeprom *e, enum module_part part, unsigned at);
/** Two bytes at @at, the higher one first. */
uint16_t module_u16(const struct module_eeprom *e, enum module_part part, unsigned at);

/** True if the sum of the bytes @first to @last modulo 256 is the byte at @check. */
bool module_sum_ok(const struct module_eeprom *e, enum module_part part, unsigned first,
	unsigned last, unsigned check);

/** True if the bytes @first to @last are the same in two parts that were read: the
 * module, or its driver, did not change the page. Nothing but zeros says nothing. */
bool module_same(const struct module_eeprom *e, enum module_part a, enum module_part b,
	unsigned first, unsigned last);

/** 1/256 degrees Celsius to 1/1000. */
int64_t module_temperature_mc(uint16_t raw);
/** Tenths to whole numbers, rounded: 100 uV to mV, 0.1 uW to uW. */
uint64_t module_tenths(uint64_t raw);

/**
 * Decode a module of any layout.
 *
 * @module_id  for the record
 * @ret        all that is known; valid if 0 is returned
 * Returns     0; -ENODATA: it has no monitors (copper); -EBADMSG: a checksum is wrong,
 *             or what matters was not read; -EOPNOTSUPP: unknown layout
 */
int module_decode(
	const struct module_eeprom *e, uint32_t module_id, struct optics *ret);

/* The same for each layout; the caller has initialised @ret. */

/** SFF-8472 rev. 12.4: one lane, internal or external calibration. */
int sff8472_decode(const struct module_eeprom *e, struct optics *ret);
/** SFF-8636 rev. 2.11: four lanes. */
int sff8636_decode(const struct module_eeprom *e, struct optics *ret);
/** CMIS 5.2: up to 8 lanes in each of up to 4 banks. */
int cmis_decode(const struct module_eeprom *e, struct optics *ret);
/** How many banks a CMIS module has, by its page 01h; 1 to MODULE_BANKS. */
unsigned cmis_banks(const struct module_eeprom *e);
