/*
 * acl_check.h - tapgate-acl -i -n --strict: is this a policy for a Cumulus switch? Asks
 * neither the kernel nor for privileges. Acting module (reads policy files).
 */
#pragma once

#include "aclserver/acl_tool.h"
#include "aclserver/committer.h"
#include "aclserver/diag.h"

/**
 * Compile every file of @conf (its source, paths and on_file) with COMPILE_STRICT and
 * print which switches have room for the rules.
 * @diags  receives all problems
 * Returns 0, -EINVAL when errors were added to @diags, or -ENOMEM
 */
int acl_check(const struct committer_conf *conf, struct diags *diags);
