/*
 * module_read.h - which pieces of a module's EEPROM are read, and in which order. Pure:
 * the reading itself is the caller's.
 *
 * A module hangs at a slow bus (I2C at 100 kHz: 0.1 ms a byte), and the kernel holds
 * its RTNL lock meanwhile. So what does not change is read once for each module, known
 * by type and serial number, and later only what is measured.
 */
#pragma once

#include "agent/ethtool_msg.h"
#include "agent/module_eeprom.h"

/** Read @range into @ret, which has room for it. 0 or negative errno. */
typedef int (*module_read_fn)(
	void *user_data, const struct ethtool_eeprom_range *range, uint8_t *ret);

/**
 * Read what is needed of a module.
 *
 * @e       what was read of it before, or zero; updated. What could not be read is
 *          missing in e->have, which module_decode() takes for unknown
 * Returns  0; or the errno of the first piece: there is no module, or no way to it;
 *          then @e is zero
 */
int module_read(struct module_eeprom *e, module_read_fn fn, void *user_data);
