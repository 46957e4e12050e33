/*
 * sflow_encode_records.h - single records, for the sample functions and their tests.
 *
 * Each appends tag, length and body and returns 0, or -ENOSPC when it does not fit;
 * then @w is as before. @w must be ok. Shapes: the structs of the same name in the
 * documents that sflow_proto.h lists; unknown as counters.h says.
 */
#pragma once

#include "agent/sflow_encode.h"
#include "agent/sflow_record.h"

/** Records of a packet behind the fixed part of a flow or discard sample: the raw
 * header and whatever @p->has names. Failures: -ENOSPC, -EINVAL (stripped > frame_len).
 */
void sflow_add_packet(
	struct sflow_part *s, const struct sflow_options *o, const struct packet *p);

/** Tag, sequence and source of a counters sample, up to the place of its records.
 * False if that failed: -ENOSPC, -ERANGE (source too large for the compact form). */
bool sflow_begin_counters(struct sflow_part *s, const struct sflow_options *o,
	const struct data_source *source, uint32_t seq);

/* 0:1 (88 bytes of body), 0:2 (52), 0:7 (56), 0:10 (20 + 40 a lane), 0:11 (20) */
int sflow_put_if_counters(struct wbuf *w, const struct if_counters *c);
int sflow_put_ethernet(struct wbuf *w, const struct ethernet_counters *c);
int sflow_put_lag(struct wbuf *w, const struct lag_port *l);
int sflow_put_optics(struct wbuf *w, const struct optics *o);
int sflow_put_pfc(struct wbuf *w, const struct pfc_counters *c);
/* 0:1004 (12), 0:1005 */
int sflow_put_openflow_port(struct wbuf *w, const struct openflow_port *p);
int sflow_put_port_name(struct wbuf *w, const char *name);

/* 0:1001 (28), 0:2000 */
int sflow_put_processor(struct wbuf *w, const struct processor *p);
int sflow_put_host_descr(struct wbuf *w, const struct host_descr *d);
/* 0:2001 (4 + 8 + 8 for each address), 0:2002 (8), 0:2003 (80), 0:2004 (72), 0:2005
 * (52), 0:2006 (40) */
int sflow_put_host_adapters(
	struct wbuf *w, const struct host_adapter *adapters, size_t n);
int sflow_put_host_parent(struct wbuf *w, const struct host_parent *p);
int sflow_put_host_cpu(struct wbuf *w, const struct host_cpu *c);
int sflow_put_host_memory(struct wbuf *w, const struct host_memory *m);
int sflow_put_host_disk(struct wbuf *w, const struct host_disk *d);
int sflow_put_host_net(struct wbuf *w, const struct host_net *n);
