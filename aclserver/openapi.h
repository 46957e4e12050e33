/*
 * openapi.h - the description of the REST interface, as it is served.
 *
 * Its one source is openapi.json beside this file; the build makes openapi.c of it.
 * tests/integration compares it with every answer that the server gives there.
 */
#pragma once

#include <stddef.h>

/** JSON, openapi_len bytes without a NUL behind them. */
extern const char openapi_text[];
extern const size_t openapi_len;
