/*
 * fuzz_module_eeprom.c - modules whose EEPROM is any bytes, read twice. Input: the
 * halves in the order of enum module_part; the second module is the rest.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/module_read.h"
#include "tests/fuzz/fuzz.h"

/* A module that ends where the input does: what is behind cannot be read. */
struct input {
	const uint8_t *data;
	size_t size;
};

static int
read_input(void *user_data, const struct ethtool_eeprom_range *r, uint8_t *ret)
{
	const struct input *input = user_data;
	size_t part = MODULE_LOWER;

	if (r->i2c_address == 0x51)
		part = MODULE_A2;
	else if (r->offset >= MODULE_HALF)
		part = r->page == 0x11 ? (size_t)MODULE_BANK_0 + r->bank
				       : (size_t)MODULE_PAGE_00 + r->page;
	part = part * MODULE_HALF + r->offset % MODULE_HALF;
	if (part + r->len > input->size)
		return -1;
	memcpy(ret, input->data + part, r->len);
	return 0;
}

static void
check(const struct module_eeprom *e)
{
	struct optics o;

	if (module_decode(e, 1, &o) < 0)
		return;
	if (o.n_lanes > OPTICS_LANES_MAX || o.module_lanes < o.n_lanes ||
		!module_has(e, MODULE_LOWER))
		abort();
	for (size_t i = 0; i < o.n_lanes; i++) {
		const struct optics_lane *lane = &o.lanes[i];

		if (lane->index == 0 || lane->index > OPTICS_LANES_MAX)
			abort();
		if (lane->rx_power_uw != COUNTER_UNKNOWN && lane->rx_power_uw > 6554)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	struct module_eeprom e = { 0 };

	(void)module_read(&e, read_input, &input);
	check(&e);
	if (size > MODULE_PARTS * MODULE_HALF) {
		input.data += MODULE_PARTS * MODULE_HALF;
		input.size -= MODULE_PARTS * MODULE_HALF;
	}
	(void)module_read(&e, read_input, &input);
	check(&e);
	return 0;
}
