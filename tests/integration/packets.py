"""Frames as bytes, written out from the standards; nothing but the standard library.

Packet describes one frame in words; frame() makes its bytes. Every packet carries a token of its own in its payload,
by which it is found again at the other side, whatever the switch changed on the way.
"""

import dataclasses
import ipaddress
import itertools
import os
import struct

ETH_IP4, ETH_ARP, ETH_VLAN, ETH_IP6 = 0x0800, 0x0806, 0x8100, 0x86DD
PROTOCOLS = {"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "gre": 47, "icmp6": 58, "ospf": 89, "pim": 103, "vrrp": 112}
FLAGS = {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32, "ece": 64, "cwr": 128}

_run = os.urandom(3)
_numbers = itertools.count(1)


def new_token():
    """Eight bytes that no other packet of this or another run has."""
    return b"T" + _run + struct.pack("!I", next(_numbers))


def mac_bytes(text):
    return bytes(int(part, 16) for part in text.split(":"))


def checksum(data):
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


@dataclasses.dataclass(frozen=True)
class Packet:
    """One frame. What is None is taken from the path on which it is sent (see lab.py)."""

    proto: str = "udp"  # a name of PROTOCOLS, a number, or "arp", or "0x88cc": an EtherType
    family: int = None
    src: str = None
    dst: str = None
    sport: int = 40000
    dport: int = 9
    flags: str = "syn"  # of TCP, separated by commas; "" is none
    type: int = None  # of ICMP; default: echo request
    code: int = 0
    ttl: int = 64
    dscp: int = 0
    ecn: int = 0
    fragment: tuple = None  # (offset in bytes, more fragments follow)
    extensions: tuple = ()  # IPv6: "hop", "routing", "dest", in this order before the transport header
    options: bytes = b""  # IPv4 options, a multiple of 4 bytes
    tcp_options: bytes = b""  # a multiple of 4 bytes
    fragment_id: int = 0x1234
    body: bytes = b""  # what follows an EtherType given as a number
    payload: int = 26  # bytes after the transport header; at least 8, which hold the token
    vlan: int = None  # VLAN id; the frame is tagged
    pcp: int = 0
    smac: str = None
    dmac: str = None
    token: bytes = dataclasses.field(default_factory=new_token)

    def but(self, **changes):
        """A new packet that differs in these fields, and in its token."""
        return dataclasses.replace(self, token=new_token(), **changes)

    def frame(self):
        """The bytes on the wire, without frame check sequence."""
        ether_type, body = self._network()
        head = mac_bytes(self.dmac) + mac_bytes(self.smac)
        if self.vlan is not None:
            head += struct.pack("!HH", ETH_VLAN, self.pcp << 13 | self.vlan)
        return (head + struct.pack("!H", ether_type) + body).ljust(60, b"\0")

    def _data(self):
        return self.token + bytes(max(self.payload, len(self.token)) - len(self.token))

    def _network(self):
        if self.proto == "arp":
            return ETH_ARP, self._arp() + self.token
        if str(self.proto).startswith("0x"):
            return int(self.proto, 16), self.body + self._data()
        number = PROTOCOLS.get(self.proto)
        number = int(self.proto) if number is None else number
        if self.family == 4:
            return ETH_IP4, self._ip4(number)
        return ETH_IP6, self._ip6(number)

    def _arp(self):
        """A request for dst."""
        return (struct.pack("!HHBBH", 1, ETH_IP4, 6, 4, 1) + mac_bytes(self.smac) + self._address(self.src)
                + bytes(6) + self._address(self.dst))

    @staticmethod
    def _address(text):
        return ipaddress.ip_address(text).packed

    def _ip4(self, number):
        offset, more = self.fragment or (0, False)
        # A later fragment has no transport header.
        body = self._data() if offset else self._transport(number)
        words = 5 + len(self.options) // 4
        head = struct.pack("!BBHHHBBH4s4s", 0x40 | words, self.dscp << 2 | self.ecn, 4 * words + len(body), 0x1234,
                           offset // 8 | (0x2000 if more else 0), self.ttl, number, 0, self._address(self.src),
                           self._address(self.dst)) + self.options
        return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body

    def _ip6(self, number):
        offset, more = self.fragment or (0, False)
        body = self._data() if offset else self._transport(number)
        headers, following = b"", number
        if self.fragment:
            headers = struct.pack("!BBHI", following, 0, offset | int(more), self.fragment_id)
            following = 44
        for name in reversed(self.extensions):
            kind, content = {"hop": (0, b"\1\4\0\0\0\0"), "dest": (60, b"\1\4\0\0\0\0"),
                             "routing": (43, b"\4\0\0\0\0\0")}[name]
            headers = struct.pack("!BB", following, 0) + content + headers
            following = kind
        body = headers + body
        word = 6 << 28 | (self.dscp << 2 | self.ecn) << 20
        return struct.pack("!IHBB16s16s", word, len(body), following, self.ttl, self._address(self.src),
                           self._address(self.dst)) + body

    def _transport(self, number):
        data = self._data()
        if number == PROTOCOLS["udp"]:
            head, at = struct.pack("!HHHH", self.sport, self.dport, 8 + len(data), 0), 6
        elif number == PROTOCOLS["tcp"]:
            bits = sum(FLAGS[name] for name in self.flags.split(",") if name)
            head, at = struct.pack("!HHIIHHHH", self.sport, self.dport, 1, 0,
                                   (5 + len(self.tcp_options) // 4) << 12 | bits, 8192, 0, 0) + self.tcp_options, 16
        elif number == PROTOCOLS["icmp"]:
            kind = 8 if self.type is None else self.type
            head, at = struct.pack("!BBHHH", kind, self.code, 0, 1, 1), 2
        elif number == PROTOCOLS["icmp6"]:
            kind = 128 if self.type is None else self.type
            head, at = struct.pack("!BBHHH", kind, self.code, 0, 1, 1), 2
        else:
            return data
        pseudo = b"" if number == PROTOCOLS["icmp"] else self._pseudo(number, len(head) + len(data))
        total = checksum(pseudo + head + data)
        return head[:at] + struct.pack("!H", total or 0xFFFF) + head[at + 2:] + data

    def _pseudo(self, number, length):
        addresses = self._address(self.src) + self._address(self.dst)
        if self.family == 4:
            return addresses + struct.pack("!BBH", 0, number, length)
        return addresses + struct.pack("!II", length, number)


@dataclasses.dataclass(frozen=True)
class Seen:
    """What a test looks at in a frame that arrived."""

    frame: bytes
    vlan: int  # or None
    ether_type: int  # behind the tag
    family: int = None
    dscp: int = None
    ecn: int = None
    ttl: int = None
    checksums_right: bool = None  # of the IPv4 header, and of UDP, TCP, ICMP without extension headers


def dissect(frame):
    """Read a frame back, independently of what sent it."""
    vlan, at = None, 12
    (ether_type,) = struct.unpack_from("!H", frame, at)
    if ether_type == ETH_VLAN:
        vlan = struct.unpack_from("!H", frame, at + 2)[0] & 0xFFF
        at += 4
        (ether_type,) = struct.unpack_from("!H", frame, at)
    body = frame[at + 2:]
    if ether_type == ETH_IP4:
        head_len = 4 * (body[0] & 15)
        (length,) = struct.unpack_from("!H", body, 2)
        offset = struct.unpack_from("!H", body, 6)[0] & 0x3FFF
        right = checksum(body[:head_len]) == 0 and (offset != 0 or _transport_right(
            body[9], body[12:20], body[head_len:length]))
        return Seen(frame, vlan, ether_type, 4, body[1] >> 2, body[1] & 3, body[8], right)
    if ether_type == ETH_IP6:
        traffic_class = struct.unpack_from("!I", body)[0] >> 20 & 255
        (length,) = struct.unpack_from("!H", body, 4)
        right = _transport_right(body[6], body[8:40], body[40:40 + length])
        return Seen(frame, vlan, ether_type, 6, traffic_class >> 2, traffic_class & 3, body[7], right)
    return Seen(frame, vlan, ether_type)


def _transport_right(number, addresses, segment):
    if number not in (1, 6, 17, 58):
        return True
    if number == 1:
        return checksum(segment) == 0
    return checksum(addresses + struct.pack("!II", len(segment), number) + segment) == 0
