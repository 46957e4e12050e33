/*
 * utf8.h - is this UTF-8? As RFC 3629 has it: no overlong form, no surrogate, nothing
 * above U+10FFFF. Pure.
 */
#pragma once

#include <stddef.h>

/** Length (1 to 4) of the valid sequence at the start of @text, of which @len bytes are
 * left; 0 if there is none. */
size_t utf8_sequence(const char *text, size_t len);
