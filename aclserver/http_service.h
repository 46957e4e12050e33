/*
 * http_service.h - the HTTP process as a service of its own: keeps one worker that
 * comes to the committer and serves, and starts it anew whenever it ended, be it that
 * the committer has a new configuration for it, was started again, or that it crashed.
 *
 * So the service goes on where systemd would have to start it again, which cannot tell
 * that from a restart by a person and would restart the committer, too.
 */
#pragma once

#include "common/err.h"

/** Option of the program that makes it the worker; its value is the committer's socket.
 */
#define HTTP_SERVICE_OPTION "--http-worker"

/**
 * Run until SIGTERM or SIGINT; the worker then has some seconds to finish its requests.
 *
 * @socket   path of the committer's socket
 * Returns   0; negative errno with @err, as when the very first worker could not serve
 */
int http_service_run(const char *socket, struct err *err);
