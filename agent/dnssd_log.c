/*
 * dnssd_log.c - see dnssd_log.h.
 */
#include "agent/dnssd_log.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "common/log.h"

enum { SUMMARY_SIZE = 512 };

const char dnssd_service[] = "_sflow._udp";

void
dnssd_log_result(const struct dnssd_result *result)
{
	char text[SUMMARY_SIZE] = "", addr[INET6_ADDRSTRLEN];
	size_t len = 0;

	for (unsigned i = 0; i < result->n_collectors && len < sizeof(text); i++) {
		const struct dnssd_collector *c = &result->collectors[i];

		inet_ntop(c->addr.family, c->addr.bytes, addr, sizeof(addr));
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %s:%u",
			i ? ", " : "", c->host, addr, c->port);
	}
	log_notice("DNS-SD: %u collector%s%s%s, %u stand-by, %u without address, %s",
		result->n_collectors, result->n_collectors == 1 ? "" : "s",
		result->n_collectors ? ": " : "", text, result->n_standby,
		result->n_unresolved,
		result->has_txt ? "settings from TXT" : "no TXT settings");
}

void
dnssd_log_srv(const struct dnssd_round *round, const char *reason)
{
	unsigned n = round->n_collectors;
	long long grace_s = round->limits->grace_ms / 1000;

	switch (round->track->news) {
	case DNSSD_NEWS_FAILING:
		log_warning("DNS-SD: %s SRV fails: %s; %u collector%s in use",
			dnssd_service, reason, n, n == 1 ? " stays" : "s stay");
		break;
	case DNSSD_NEWS_MISSING:
		log_warning("DNS-SD: %s SRV vanished; %u collector%s in use for %lld s",
			dnssd_service, n, n == 1 ? " stays" : "s stay", grace_s);
		break;
	case DNSSD_NEWS_GONE:
		log_warning(
			"DNS-SD: %s SRV is gone; no collector is announced any more",
			dnssd_service);
		break;
	case DNSSD_NEWS_NEVER:
		log_warning("DNS-SD: no %s SRV record in %s%s", dnssd_service,
			round->first_domain,
			round->n_domains > 1 ? " and the other domains" : "");
		break;
	case DNSSD_NEWS_BACK:
		log_notice("DNS-SD: %s SRV is answered again", dnssd_service);
		break;
	case DNSSD_NEWS_NONE:
		break;
	}
}

void
dnssd_log_txt(const struct dnssd_round *round, const char *reason)
{
	long long grace_s = round->limits->grace_ms / 1000;

	switch (round->track->news) {
	case DNSSD_NEWS_FAILING:
		log_warning("DNS-SD: TXT fails: %s; settings stay as they are", reason);
		break;
	case DNSSD_NEWS_MISSING:
		log_warning(
			"DNS-SD: TXT vanished; its settings stay for %lld s", grace_s);
		break;
	case DNSSD_NEWS_GONE:
		log_warning("DNS-SD: TXT is gone; rates and polling are those of the "
			    "configuration file");
		break;
	case DNSSD_NEWS_NEVER:
		log_info("DNS-SD: no TXT record");
		break;
	case DNSSD_NEWS_BACK:
		log_notice("DNS-SD: TXT is answered again");
		break;
	case DNSSD_NEWS_NONE:
		break;
	}
}
