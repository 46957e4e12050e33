/*
 * nft_env.h - for tests that need the kernel's nftables: a network namespace of their
 * own, and the nft tool as an independent witness of what stands in it.
 */
#pragma once

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/nft_dump.h"

enum { NFT_ENV_SKIP = 77, NFT_ENV_TEXT_SIZE = 1 << 20 };

/* Enter a new network namespace. False, with the reason printed, when this process may
 * not, or the kernel has no nftables. */
static inline bool
nft_env_enter(void)
{
	struct err err = { 0 };
	struct nft_table table = { NFPROTO_INET, "probe" };
	struct nft *nft;
	int code;

	if (unshare(CLONE_NEWNET) < 0) {
		printf("skipped: no network namespace: %s\n", strerror(errno));
		return false;
	}
	nft = nft_open(&err);
	code = nft ? nft_table_exists(nft, &table, &err) : err.code;
	nft_close(nft);
	if (code < 0)
		printf("skipped: %s\n", err.text);
	return code == 0;
}

/* Output of a shell command, stderr included, in a static buffer; its exit status. */
static inline int
nft_env_run(const char *command, const char **ret_text)
{
	static char text[NFT_ENV_TEXT_SIZE];
	FILE *f = popen(command, "r");
	size_t len;

	if (!f)
		return -1;
	len = fread(text, 1, sizeof(text) - 1, f);
	text[len] = '\0';
	*ret_text = text;
	return pclose(f);
}

/* What the nft tool lists; "" when it fails. */
static inline const char *
nft_env_list(const char *arguments)
{
	const char *text = "";
	char command[256];

	snprintf(command, sizeof(command), "nft %s 2>&1", arguments);
	return nft_env_run(command, &text) == 0 ? text : "";
}
