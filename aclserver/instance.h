/*
 * instance.h - one server for the kernel tables of a network namespace.
 */
#pragma once

#include "common/err.h"

/**
 * Claim the name @name in this network namespace, whatever the configuration: two
 * servers with different directories would take each other's rules away. The claim
 * lasts as long as *@ret_fd is open, however the process ends. Returns 0; -EEXIST when
 * another process has it; another negative errno.
 */
int instance_take(const char *name, int *ret_fd, struct err *err);
