"""A small generic netlink client: what the kernel multicasts, seen without the programs under test."""

import select
import socket
import struct

NETLINK_GENERIC, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP = 16, 270, 1
_CONTROL_FAMILY, _CONTROL_GETFAMILY = 16, 3
_NLMSG_ERROR, _NLM_F_REQUEST = 2, 1
_HEADER, _GENERIC = struct.Struct("=IHHII"), struct.Struct("=BBH")


def attributes(data):
    """[(number, bytes)] of one level."""
    found, at = [], 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4:
            break
        found.append((kind & 0x3FFF, data[at + 4:at + length]))
        at += (length + 3) & ~3
    return found


def number(data):
    """A value in the machine's byte order."""
    return int.from_bytes(data, "little")


class Listener:
    """A member of one multicast group of one family in a namespace."""

    def __init__(self, ns, family, group):
        self.socket = ns.call(socket.socket, socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind((0, 0))
        self.family, groups = self._find(family)
        self.socket.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, groups[group])

    def _find(self, name):
        text = name.encode() + b"\0"
        payload = _GENERIC.pack(_CONTROL_GETFAMILY, 1, 0) + struct.pack("=HH", 4 + len(text), 2) + text
        self.socket.send(_HEADER.pack(16 + len(payload), _CONTROL_FAMILY, _NLM_F_REQUEST, 1, 0) + payload)
        answer = self.socket.recv(65536)
        assert _HEADER.unpack_from(answer)[1] != _NLMSG_ERROR, f"this kernel has no {name}"
        found = dict(attributes(answer[20:_HEADER.unpack_from(answer)[0]]))
        groups = (dict(attributes(group)) for _, group in attributes(found[7]))
        return number(found[1]), {group[1].rstrip(b"\0").decode(): number(group[2]) for group in groups}

    def read(self):
        """Every message that waits, as {number of attribute: bytes}."""
        messages = []
        while select.select([self.socket], [], [], 0)[0]:
            data, at = self.socket.recv(1 << 17), 0
            while at + 16 <= len(data):
                length, kind, *_ = _HEADER.unpack_from(data, at)
                if kind == self.family:
                    messages.append(dict(attributes(data[at + 20:at + length])))
                at += (length + 3) & ~3
        return messages

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
