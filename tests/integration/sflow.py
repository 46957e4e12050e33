#!/usr/bin/env python3
"""A strict decoder of sFlow version 5, independent of our encoder: standard library only, written from the standard.

    decode(payload)            one UDP payload -> dict; SflowError names offset and reason
    Receiver(address, port)    collects decoded datagrams from a socket, checks sequence numbers
    sflow.py --listen 6343     prints samples as a table, or with --json as JSON lines

Strict means: every byte is accounted for, padding is zero, counts and lengths agree, enumerations have known values,
no address of unknown type, no mixing of compact and expanded samples, raw header and generic counters first.
"""

import argparse
import ipaddress
import json
import re
import select
import socket
import struct
import sys
import time

from sflow_layouts import (
    COUNTER_RECORDS,
    DATAGRAM,
    ENUMS,
    FLOW_RECORDS,
    HOST_CPU_OLD_BYTES,
    LONGEST,
    SAMPLES,
)
from sflow_reasons import REASONS

VERSION = 5
PORT = 6343
FLOW, COUNTERS, DISCARD = "flow", "counters", "discard"
KIND = {1: FLOW, 2: COUNTERS, 3: FLOW, 4: COUNTERS, 5: DISCARD}
COMPACT, EXPANDED = (1, 2), (3, 4)
INTERNAL = {0x3FFFFFFF, 0xFFFFFFFF}


class SflowError(ValueError):
    """The bytes are not what the standard says; the text begins with the offset."""


def _parse_layout(text):
    """'a:u32 b:[c:u32]' -> [('a', 'u32'), ('b', [('c', 'u32')])]; an array of T is ('name', ('T',))."""
    fields, pos = [], 0
    token = re.compile(r"\s*(\w+):(\w+\[\]|\w+|\[)")
    while match := token.match(text, pos):
        name, kind = match.groups()
        pos = match.end()
        if kind == "[":
            depth, start = 1, pos
            while depth:
                depth += {"[": 1, "]": -1}.get(text[pos], 0)
                pos += 1
            kind = _parse_layout(text[start : pos - 1])
        elif kind.endswith("[]"):
            kind = (kind[:-2],)
        fields.append((name, kind))
    if text[pos:].strip():
        raise ValueError(f"layout {text!r}")
    return fields


def _tables(table):
    return {tag: (name, _parse_layout(layout)) for tag, (name, layout) in table.items()}


_DATAGRAM = _parse_layout(DATAGRAM)
_SAMPLES = _tables(SAMPLES)
_RECORDS = {FLOW: _tables(FLOW_RECORDS), COUNTERS: _tables(COUNTER_RECORDS)}
_RECORDS[DISCARD] = _RECORDS[FLOW]


class _Cursor:
    """Reads the bytes from pos up to end; trace, if given, is called with every field."""

    def __init__(self, data, pos, end, trace=None):
        self.data, self.pos, self.end, self.trace = data, pos, end, trace

    def fail(self, reason, at=None):
        raise SflowError(f"offset {self.pos if at is None else at:#x}: {reason}")

    def take(self, count):
        if count > self.end - self.pos:
            self.fail(f"{count} bytes wanted, {self.end - self.pos} left")
        self.pos += count
        return self.data[self.pos - count : self.pos]

    def pad(self, count):
        if any(self.take(-count % 4)):
            self.fail("padding is not zero", self.pos - -count % 4)

    def word(self, name=None):
        at = self.pos
        value = int.from_bytes(self.take(4), "big")
        if name:
            self.note(at, name, value)
        return value

    def note(self, start, name, value):
        if self.trace:
            self.trace(start, self.pos, name, value)

    def sub(self, length):
        if length > self.end - self.pos:
            self.fail(f"length {length} passes the end by {length - (self.end - self.pos)}")
        return _Cursor(self.data, self.pos, self.pos + length, self.trace)

    def opaque(self):
        length = self.word()
        value = self.take(length)
        self.pad(length)
        return bytes(value)

    def address(self):
        kind = self.word()
        if kind not in (1, 2):
            self.fail(f"address type {kind}", self.pos - 4)
        return str(ipaddress.ip_address(bytes(self.take(4 if kind == 1 else 16))))

    def text(self):
        raw = self.opaque()
        try:
            value = raw.decode("utf-8")
        except UnicodeDecodeError:
            self.fail("text is not UTF-8")
        if "\0" in value:
            self.fail("text has a NUL in it")
        return value

    def mac(self):
        value = self.take(6)
        self.pad(6)
        return value.hex(":")

    def scalar(self, kind):
        numbers = {"u32": ">I", "i32": ">i", "pct": ">i", "u64": ">Q", "f32": ">f"}
        if kind in numbers:
            return struct.unpack(numbers[kind], self.take(struct.calcsize(numbers[kind])))[0]
        if kind in ("ip4", "ip6"):
            return str(ipaddress.ip_address(bytes(self.take(4 if kind == "ip4" else 16))))
        if kind == "uuid":
            return self.take(16).hex()
        return {"mac": self.mac, "addr": self.address, "str": self.text, "opq": self.opaque}[kind]()

    def count(self, name):
        """How many elements follow; never more than there are words left, so that a lie costs nothing."""
        value = self.word(f"{name} count")
        if value > (self.end - self.pos) // 4:
            self.fail(f"{name}: {value} elements cannot fit")
        return value

    def field(self, name, kind):
        if isinstance(kind, list):
            return [self.fields(kind, f"{name}[{i}].") for i in range(self.count(name))]
        if isinstance(kind, tuple):
            return [self.field(f"{name}[{i}]", kind[0]) for i in range(self.count(name))]
        start = self.pos
        value = self.scalar(kind)
        self.note(start, name, value)
        return value

    def fields(self, layout, prefix=""):
        return {name: self.field(prefix + name, kind) for name, kind in layout}


def _tag_text(tag):
    return f"{tag >> 12}:{tag & 0xFFF}"


def _check_values(cursor, name, values, start):
    for key, value in values.items():
        if (allowed := ENUMS.get((name, key))) is not None and value not in allowed:
            cursor.fail(f"{name}.{key} = {value}", start)
        if (longest := LONGEST.get((name, key))) is not None and len(value.encode()) > longest:
            cursor.fail(f"{name}.{key} is longer than {longest} bytes", start)


def _check_header(cursor, record, start):
    rest = record["frame_length"] - record["stripped"]
    if len(record["header"]) > rest:
        cursor.fail(f"header of {len(record['header'])} bytes in a frame that has {rest}", start)


def _decode_record(cursor, kind):
    start = cursor.pos
    tag = cursor.word("record tag")
    length = cursor.word("record length")
    if length % 4:
        cursor.fail(f"record length {length} is not a multiple of 4", start)
    body = cursor.sub(length)
    if tag not in _RECORDS[kind]:
        cursor.fail(f"unknown {kind} record {_tag_text(tag)}", start)
    name, layout = _RECORDS[kind][tag]
    if name == "host_cpu" and length == HOST_CPU_OLD_BYTES:
        layout = layout[:-3]
    values = body.fields(layout)
    if body.pos != body.end:
        body.fail(f"{name}: {body.end - body.pos} bytes too many")
    _check_values(cursor, name, values, start)
    if name == "sampled_header":
        _check_header(cursor, values, start)
    cursor.pos = body.end
    return {"tag": _tag_text(tag), "record": name} | values


def _port(cursor, fmt, value, is_output):
    """The text for an interface: '7', 'unknown', 'internal', 'discarded:acl', 'multiple:3'."""
    if fmt == 0:
        return {0: "unknown"}.get(value, "internal" if value in INTERNAL else str(value))
    if not is_output or fmt > 2:
        cursor.fail(f"interface format {fmt}")
    if fmt == 2:
        return f"multiple:{value}"
    if value not in REASONS:
        cursor.fail(f"unknown reason code {value}")
    return f"discarded:{REASONS[value]}"


def _explain(cursor, tag, sample):
    """Adds what the compact and the expanded form have in common: class, index, input, output, reason."""
    if tag in COMPACT:
        sample["ds_class"], sample["ds_index"] = sample["source"] >> 24, sample["source"] & 0xFFFFFF
    if sample["ds_class"] > 3:
        cursor.fail(f"data source class {sample['ds_class']}")
    if tag == 1:
        for key, short in (("input", "in"), ("output", "out")):
            sample[short + "_format"], sample[short + "_value"] = sample[key] >> 30, sample[key] & 0x3FFFFFFF
    if KIND[tag] == FLOW:
        sample["input"] = _port(cursor, sample["in_format"], sample["in_value"], False)
        sample["output"] = _port(cursor, sample["out_format"], sample["out_value"], True)
        if sample["rate"] == 0:
            cursor.fail("sampling rate 0")
    if KIND[tag] == DISCARD:
        if sample["reason"] not in REASONS:
            cursor.fail(f"unknown reason code {sample['reason']}")
        sample["reason_name"] = REASONS[sample["reason"]]


def _output_known(sample):
    if sample["kind"] == DISCARD:
        return sample["out_ifindex"] != 0
    return sample["out_format"] == 0 and sample["out_value"] != 0


def _check_records(cursor, sample, strict_order):
    """What the standard ties together."""
    names = [each["record"] for each in sample["records"]]
    if len(set(names)) != len(names):
        cursor.fail("a record appears twice")
    if sample["kind"] != COUNTERS:
        if not names or not names[0].startswith("sampled_"):
            cursor.fail("the first record is not the packet")
        if "extended_egress_queue" in names and not _output_known(sample):
            cursor.fail("queue of an unknown output")
        if "extended_queue" in names and "extended_egress_queue" not in names:
            cursor.fail("queue depth without queue")
        return
    if not names:
        cursor.fail("counters sample without counters")
    if sample["ds_class"] == 0:
        if "if_counters" not in names or (strict_order and names[0] != "if_counters"):
            cursor.fail("generic counters are not the first record of a port")
        generic = sample["records"][names.index("if_counters")]
        if generic["ifIndex"] != sample["ds_index"]:
            cursor.fail("ifIndex differs from the data source")


def _decode_sample(cursor, strict_order):
    start = cursor.pos
    tag = cursor.word("sample tag")
    length = cursor.word("sample length")
    if length % 4:
        cursor.fail(f"sample length {length} is not a multiple of 4", start)
    if tag not in _SAMPLES:
        cursor.fail(f"unknown sample type {_tag_text(tag)}", start)
    body = cursor.sub(length)
    name, layout = _SAMPLES[tag]
    sample = {"tag": _tag_text(tag), "sample": name, "kind": KIND[tag]} | body.fields(layout)
    _explain(body, tag, sample)
    count = body.count("records")
    sample["records"] = [_decode_record(body, sample["kind"]) for _ in range(count)]
    if body.pos != body.end:
        body.fail(f"{name}: {body.end - body.pos} bytes behind the last record")
    _check_records(body, sample, strict_order)
    cursor.pos = body.end
    return sample


def decode(payload, trace=None, strict_order=True):
    """One UDP payload as a dict, or SflowError.

    trace(start, end, name, value) is called for every field, in wire order. strict_order=False takes the reverse
    order of records that Host sFlow agents use.
    """
    cursor = _Cursor(memoryview(payload), 0, len(payload), trace)
    version = cursor.word("version")
    if version != VERSION:
        cursor.fail(f"version {version}", 0)
    datagram = cursor.fields(_DATAGRAM)
    count = cursor.word("samples")
    datagram["samples"] = []
    for _ in range(count):
        datagram["samples"].append(_decode_sample(cursor, strict_order))
    if cursor.pos != cursor.end:
        cursor.fail(f"{cursor.end - cursor.pos} bytes behind the last sample")
    forms = {sample["tag"] for sample in datagram["samples"]} - {"0:5"}
    if forms & {"0:1", "0:2"} and forms & {"0:3", "0:4"}:
        cursor.fail("compact and expanded samples are mixed")
    return datagram


def find_record(sample, name):
    """The record of that name in a sample, or None."""
    return next((each for each in sample["records"] if each["record"] == name), None)


def _ip_summary(data):
    """'10.0.0.1:80 > 10.0.0.2:1234 tcp' for bytes that begin with an IP header; '' if there are too few."""
    version = data[0] >> 4 if data else 0
    if version == 4 and len(data) >= 20:
        proto, src, dst, rest = data[9], data[12:16], data[16:20], data[(data[0] & 15) * 4 :]
        if int.from_bytes(data[6:8], "big") & 0x1FFF:
            rest = b""
    elif version == 6 and len(data) >= 40:
        proto, src, dst, rest = data[6], data[8:24], data[24:40], data[40:]
    else:
        return ""
    ends = [str(ipaddress.ip_address(bytes(address))) for address in (src, dst)]
    if proto in (6, 17) and len(rest) >= 4:
        form = "[{}]:{}" if version == 6 else "{}:{}"
        ends = [form.format(end, port) for end, port in zip(ends, struct.unpack(">HH", rest[:4]))]
    names = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp6"}
    return f"{ends[0]} > {ends[1]} {names.get(proto, f'proto {proto}')}"


def summary(header):
    """One line on a sampled_header record."""
    data, vlan = header["header"], ""
    if header["protocol"] in (11, 12):
        return _ip_summary(data)
    if header["protocol"] != 1 or len(data) < 14:
        return f"protocol {header['protocol']}, {len(data)} bytes"
    ethertype, offset = int.from_bytes(data[12:14], "big"), 14
    while ethertype in (0x8100, 0x88A8) and len(data) >= offset + 4:
        vlan += f"vlan {int.from_bytes(data[offset : offset + 2], 'big') & 0xFFF} "
        ethertype, offset = int.from_bytes(data[offset + 2 : offset + 4], "big"), offset + 4
    inner = _ip_summary(data[offset:]) if ethertype in (0x0800, 0x86DD) else ""
    if not inner:
        inner = f"{data[6:12].hex(':')} > {data[0:6].hex(':')} type {ethertype:04x}"
    return vlan + inner


def _sequence_key(agent, sample):
    return agent, sample["kind"], sample["ds_class"], sample["ds_index"]


class Receiver:
    """A collector on a UDP socket. Datagrams pile up decoded in .datagrams; .lost counts gaps of sequence numbers."""

    def __init__(self, address="127.0.0.1", port=0, sock=None):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = sock or socket.socket(family, socket.SOCK_DGRAM)
        if not sock:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
            self.socket.bind((address, port))
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]
        self.datagrams, self.lost, self._last = [], 0, {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _follow(self, key, seq):
        last = self._last.get(key)
        self._last[key] = seq
        if last is not None and seq > last + 1:
            self.lost += seq - last - 1

    def read(self):
        """Decode what has arrived, without waiting; how many datagrams that was."""
        count = 0
        while True:
            try:
                payload, peer = self.socket.recvfrom(65536)
            except BlockingIOError:
                return count
            datagram = decode(payload) | {"size": len(payload), "peer": peer[0], "received": time.monotonic()}
            self._follow((datagram["agent"], datagram["sub_agent"]), datagram["seq"])
            for sample in datagram["samples"]:
                self._follow(_sequence_key(datagram["agent"], sample), sample["seq"])
            self.datagrams.append(datagram)
            count += 1

    def samples(self, kind=None):
        """All samples so far, or those of one kind."""
        return [s for d in self.datagrams for s in d["samples"] if kind in (None, s["kind"])]

    def wait(self, condition, timeout_s=10.0):
        """Read until condition(self) is true, and return what it returned; TimeoutError says what had come."""
        deadline = time.monotonic() + timeout_s
        while True:
            self.read()
            if result := condition(self):
                return result
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{len(self.datagrams)} datagrams, {len(self.samples())} samples, none as wanted")
            select.select([self.socket], [], [], left)


def read_hex(path):
    """The bytes of a file of hexadecimal pairs; '#' starts a comment."""
    with open(path, encoding="utf-8") as file:
        return bytes.fromhex(" ".join(line.split("#")[0] for line in file))


def _counter_line(sample):
    values = {each["record"]: each for each in sample["records"]}
    parts = []
    if generic := values.pop("if_counters", None):
        name = values.pop("port_name", {}).get("name", f"ifIndex {generic['ifIndex']}")
        state = ("down", "no carrier", "?", "up")[generic["ifStatus"]]
        parts.append(f"{name} {state} {generic['ifSpeed'] / 1e9:g}G")
        for way in ("In", "Out"):
            parts.append(f"{way.lower()} {generic[f'if{way}Octets']} B {generic[f'if{way}UcastPkts']} packets")
    if descr := values.pop("host_descr", None):
        parts.append(descr["hostname"])
    if cpu := values.pop("host_cpu", None):
        parts.append(f"load {cpu['load_one']:.2f}")
    if memory := values.pop("host_memory", None):
        parts.append(f"free {memory['mem_free'] >> 20} of {memory['mem_total'] >> 20} MiB")
    return ", ".join(parts + sorted(values))


def _packet_line(sample):
    header = find_record(sample, "sampled_header")
    packet = f"{summary(header)} {header['frame_length']} B" if header else ""
    if sample["kind"] == DISCARD:
        return f"{sample['in_ifindex']} -> {sample['out_ifindex']} {sample['reason_name']}: {packet}"
    return f"1/{sample['rate']} {sample['input']} -> {sample['output']}: {packet}"


def table_line(datagram, sample):
    """One line on a sample: agent, kind, source, sequence number, what it says."""
    text = _counter_line(sample) if sample["kind"] == COUNTERS else _packet_line(sample)
    source = f"{sample['ds_class']}:{sample['ds_index']}"
    return f"{datagram['agent']:<15} {sample['kind']:<8} {source:>8} #{sample['seq']:<7} {text}"


def _plain(value):
    return value.hex() if isinstance(value, (bytes, memoryview)) else str(value)


def _show(datagram, as_json):
    if as_json:
        print(json.dumps(datagram, default=_plain), flush=True)
        return
    for sample in datagram["samples"]:
        print(table_line(datagram, sample), flush=True)


def _listen(options):
    """Print what arrives until interrupted; datagrams that are not right are reported, and counted as failure."""
    shown = wrong = 0
    with Receiver(options.bind, options.listen) as receiver:
        while not options.count or shown + wrong < options.count:
            select.select([receiver.socket], [], [])
            try:
                receiver.read()
            except SflowError as error:
                print(f"not sFlow: {error}", file=sys.stderr, flush=True)
                wrong += 1
            for datagram in receiver.datagrams:
                _show(datagram, options.json)
            shown += len(receiver.datagrams)
            receiver.datagrams.clear()
    return 1 if wrong else 0


def main():
    """The command."""
    parser = argparse.ArgumentParser(description="Decode sFlow version 5, strictly.")
    parser.add_argument("--listen", type=int, metavar="PORT", help=f"UDP port to listen on, usually {PORT}")
    parser.add_argument("--bind", default="::", metavar="ADDRESS", help="address to listen on (default: all)")
    parser.add_argument("--json", action="store_true", help="one JSON object per datagram instead of a table")
    parser.add_argument("--count", type=int, default=0, metavar="N", help="end after N datagrams")
    parser.add_argument("files", nargs="*", help="files of hexadecimal bytes to decode instead")
    options = parser.parse_args()
    try:
        for path in options.files:
            _show(decode(read_hex(path), strict_order=False), options.json)
        return _listen(options) if options.listen is not None else 0
    except SflowError as error:
        print(f"not sFlow: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
