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

/** 0:1, body of 88 bytes: generic interface counters. */
int sflow_put_if_counters(struct wbuf *w, const struct if_counters *c);
/** 0:2, body of 52 bytes: Ethernet errors. */
int sflow_put_ethernet(struct wbuf *w, const struct ethernet_counters *c);
/** 0:7, body of 56 bytes: member of a LAG. */
int sflow_put_lag(struct wbuf *w, const struct lag_port *l);
/** 0:10, body of 20 bytes and 40 for each lane: optical module. */
int sflow_put_optics(struct wbuf *w, const struct optics *o);
/** 0:11, body of 20 bytes: priority flow control. */
int sflow_put_pfc(struct wbuf *w, const struct pfc_counters *c);
/** 0:1004, body of 12 bytes: the port in OpenFlow. */
int sflow_put_openflow_port(struct wbuf *w, const struct openflow_port *p);
/** 0:1005: name of the port; NULL is sent as the empty one. */
int sflow_put_port_name(struct wbuf *w, const char *name);

/** 0:1001, body of 28 bytes: CPU and memory in short. */
int sflow_put_processor(struct wbuf *w, const struct processor *p);
/** 0:2000: who the host is. */
int sflow_put_host_descr(struct wbuf *w, const struct host_descr *d);
/** 0:2001, body of 4 bytes, 8 for each adapter, 8 for each of its addresses. */
int sflow_put_host_adapters(
	struct wbuf *w, const struct host_adapter *adapters, size_t n);
/** 0:2002, body of 8 bytes: what contains the host. */
int sflow_put_host_parent(struct wbuf *w, const struct host_parent *p);
/** 0:2003, body of 80 bytes: load and CPU times. */
int sflow_put_host_cpu(struct wbuf *w, const struct host_cpu *c);
/** 0:2004, body of 72 bytes: memory and paging. */
int sflow_put_host_memory(struct wbuf *w, const struct host_memory *m);
/** 0:2005, body of 52 bytes: disks. */
int sflow_put_host_disk(struct wbuf *w, const struct host_disk *d);
/** 0:2006, body of 40 bytes: all ports together. */
int sflow_put_host_net(struct wbuf *w, const struct host_net *n);
