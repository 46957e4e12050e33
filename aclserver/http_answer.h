/*
 * http_answer.h - the head of an answer, as bytes for http.c to send.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "aclserver/api.h"

enum { HTTP_ANSWER_HEAD_SIZE = 1024 }; /* what we send is known, and fits */

/**
 * Write status line and header lines of @response, with the empty line behind them.
 *
 * @keep_alive  what the header Connection shall say
 * Returns      how many bytes were written to @ret
 */
size_t http_answer_head(const struct api_response *response, bool keep_alive,
	char ret[HTTP_ANSWER_HEAD_SIZE]);
