/*
 * host_uuid.h - which machine this is: text to the 16 bytes of host_descr. Pure.
 */
#pragma once

#include <stdint.h>

#include "agent/text.h"

/** A UUID as the firmware tells it (/sys/class/dmi/id/product_uuid). 0; -EINVAL if it
 * is none, or one that says nothing: all zeros or all ones. */
int host_uuid_parse(struct text text, uint8_t ret[16]);

/**
 * A UUID made from /etc/machine-id, which itself must not be shown to the network
 * (machine-id(5)): version 5, the SHA-1 of a name space of ours and the 32 digits. (RFC
 * 9562 §5.5)
 *
 * Returns  0; -EINVAL if @text is not a machine id
 */
int host_uuid_from_machine_id(struct text text, uint8_t ret[16]);
