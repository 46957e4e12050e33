/*
 * nflog_rules_remove.c - removes the table of an agent that is no more; see
 * nflog_rules.h.
 */
#include <errno.h>

#include "agent/nflog_rules.h"
#include "common/nft.h"

static int
remove_table(struct nft *nft, struct nft_batch *batch, struct err *err)
{
	static const struct nft_table table = { .family = NFPROTO_NETDEV,
		.name = NFLOG_RULES_TABLE };
	const struct nft_commit_how how = { .mode = NFT_MODE_COMMIT };
	struct nft_result result;
	int rc;

	nft_batch_delete_table(batch, &table, 0); /* no error if there is none */
	rc = nft_commit(nft, batch, &how, &result);
	nft_result_done(&result);
	/* Where there can be no rules there are none. */
	if (rc == 0 || rc == -EOPNOTSUPP || rc == -EAFNOSUPPORT)
		return 0;
	return err_sys(err, rc, "nflog: cannot remove table %s", NFLOG_RULES_TABLE);
}

int
nflog_rules_remove(struct err *err)
{
	struct nft *nft = nft_open(err);
	struct nft_batch *batch = nft ? nft_batch_new() : NULL;
	int rc;

	if (!nft)
		return err->code;
	rc = batch ? remove_table(nft, batch, err) : err_sys(err, -ENOMEM, "nflog");
	nft_batch_free(batch);
	nft_close(nft);
	return rc;
}
