/*
 * cleanup_run.h - the command "tapgate-agent cleanup".
 */
#pragma once

/**
 * Remove from the kernel what an agent left behind that crashed or was killed: its
 * sampling rules cost time for each packet although nobody reads the samples. Not while
 * an agent runs in @run_dir. Reasons go to stderr.
 *
 * Privilege  CAP_NET_ADMIN
 * Returns    exit status: 0 nothing is left, 1 something may be
 */
int cleanup_run(const char *run_dir);
