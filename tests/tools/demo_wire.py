"""What the demo sees on the wire: the requests to the ACL server, and the marks of packets that arrive."""

import collections
import re
import socket
import struct

SO_TIMESTAMPNS, SO_ATTACH_FILTER, SO_RCVBUFFORCE = 35, 26, 33
SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23
ETH_P_ALL, ETH_P_IP, TCP = 3, 0x0800, 6
_STAMP = struct.Struct("@qq")
_REQUEST = re.compile(rb"(PUT|DELETE) /acl/(\S*) HTTP/1\.1\r\n")
_ANSWER = re.compile(rb"HTTP/1\.1 (\d+) ")


def _capture(ns, device, protocol):
    sock = ns.call(socket.socket, socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    sock.bind((device, protocol))
    sock.setblocking(False)
    return sock


def _packets(sock, size):
    """(bytes, time of the kernel in ns) of what has come since the last call."""
    while True:
        try:
            data, control, _, _ = sock.recvmsg(size, socket.CMSG_SPACE(_STAMP.size))
        except BlockingIOError:
            return
        seconds, nanoseconds = _STAMP.unpack(control[0][2])
        yield data, seconds * 10**9 + nanoseconds


class Requests:
    """PUT and DELETE, and how they were answered, as they pass a network device."""

    def __init__(self, ns, device):
        self.socket = _capture(ns, device, ETH_P_ALL)
        self.waiting = {}  # by the port of the client

    def news(self):
        """[(when the request went out, method, name, status)] since the last call; one that is answered counts."""
        found = []
        for data, at_ns in _packets(self.socket, 65536):
            at = (data[0] & 15) * 4
            sport, dport = data[at:at + 2], data[at + 2:at + 4]
            if request := _REQUEST.search(data):
                self.waiting[sport] = (at_ns, request[1].decode(), request[2].decode())
            elif dport in self.waiting and (answer := _ANSWER.search(data)):
                found.append((*self.waiting.pop(dport), int(answer[1])))
        return found

    def close(self):
        self.socket.close()


class Marks:
    """TCP packets that arrive at a host, by the port they go to and the DSCP they bear."""

    def __init__(self, ns, device):
        self.socket = _capture(ns, device, ETH_P_IP)
        self.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.first_ns, self.counts, self.octets = {}, collections.Counter(), collections.Counter()

    def read(self):
        """Count what has come; afterwards .counts is {(port, dscp): packets}, .octets likewise, .first_ns when first."""
        for data, at_ns in _packets(self.socket, 64):
            at = (data[0] & 15) * 4
            if data[9] != TCP or len(data) < at + 4:
                continue
            key = (int.from_bytes(data[at + 2:at + 4], "big"), data[1] >> 2)
            self.counts[key] += 1
            self.octets[key] += int.from_bytes(data[2:4], "big")
            self.first_ns.setdefault(key, at_ns)

    def close(self):
        self.socket.close()
