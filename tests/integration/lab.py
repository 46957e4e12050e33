"""Packets in, packets out: sends frames into a netns.Switch and proves what came out of it, and what did not.

That a packet does not arrive is proven without waiting for a time to pass. All frames are sent from one CPU, whose
receive queues are first in, first out; after them a marker frame goes into the switch by the same port, and when it
has been seen there, every earlier frame has been handled and what the switch sends on is queued at its host. A marker
out of each port to its host then closes the captures. Markers carry an EtherType of their own and cross no hook.
"""

import ctypes
import dataclasses
import os
import select
import socket
import struct

import packets
from netns import port_mac
from wait import DEADLINE_S

ETH_P_ALL = 3
ETH_MARKER = 0x88B5  # IEEE 802: local experiments
SOL_PACKET, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING = 263, 8, 23
SO_ATTACH_FILTER, SO_RCVBUFFORCE = 26, 33
IPV6_HDRINCL = 36
TP_STATUS_VLAN_VALID = 1 << 4
_AUXDATA = struct.Struct("=IIIHHHH")

# A bridge throws away frames with this (multicast) source address before its first hook.
_MARKER_IN = b"\xff" * 6 + b"\x03\0\0\0\0\1" + struct.pack("!H", ETH_MARKER)
_MARKER_OUT = b"\xff" * 6 + b"\x02\0\0\0\0\1" + struct.pack("!H", ETH_MARKER)


@dataclasses.dataclass(frozen=True)
class Path:
    """From host number source to host number target; 0 is the switch itself."""

    name: str
    source: int
    target: int
    ingress: str  # the interface by which rules of FORWARD and INPUT name it
    egress: str  # likewise for FORWARD and OUTPUT

    def reverse(self):
        return Path(self.name + "_reverse", self.target, self.source, self.egress, self.ingress)


# In netns.Switch() with its defaults: ports 1 and 2 in the bridge, 3 and 4 routed.
BRIDGED = Path("bridged", 1, 2, "swp1", "swp2")
ROUTED = Path("routed", 3, 4, "swp3", "swp4")
BRIDGE_TO_ROUTED = Path("bridge_to_routed", 1, 3, "swp1", "swp3")
ROUTED_TO_BRIDGE = Path("routed_to_bridge", 3, 1, "swp3", "swp1")
TO_PORT = Path("to_port", 3, 0, "swp3", None)
TO_BRIDGE = Path("to_bridge", 1, 0, "br0", None)
FROM_PORT = Path("from_port", 0, 4, None, "swp4")
FROM_BRIDGE = Path("from_bridge", 0, 1, None, "br0")


class Wire:
    """A raw socket on one interface."""

    def __init__(self, ns, device, only_markers=False):
        self.socket = ns.call(socket.socket, socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        if only_markers:
            self._attach_filter()
        self.socket.bind((device, ETH_P_ALL))
        self.socket.setblocking(False)

    def _attach_filter(self):
        """Classic BPF: load the EtherType, compare, return all or nothing."""
        program = b"".join(struct.pack("=HBBI", *line) for line in (
            (0x28, 0, 0, 12), (0x15, 0, 1, ETH_MARKER), (0x06, 0, 0, 0xFFFF), (0x06, 0, 0, 0)))
        buffer = ctypes.create_string_buffer(program, len(program))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER,
                               struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer)))

    def send(self, frame):
        self.socket.send(frame)

    def receive(self):
        """The next frame, its VLAN tag put back where the kernel took it out, or None."""
        try:
            data, control, _, _ = self.socket.recvmsg(65536, socket.CMSG_SPACE(_AUXDATA.size))
        except BlockingIOError:
            return None
        for level, kind, value in control:
            if level == SOL_PACKET and kind == PACKET_AUXDATA:
                status, _, _, _, _, tci, tpid = _AUXDATA.unpack(value[:_AUXDATA.size])
                if status & TP_STATUS_VLAN_VALID:
                    data = data[:12] + struct.pack("!HH", tpid or packets.ETH_VLAN, tci) + data[12:]
        return data

    def drain(self):
        """Every frame that waits."""
        frames = []
        while (frame := self.receive()) is not None:
            frames.append(frame)
        return frames

    def receive_until(self, marker):
        """Every frame before the marker, which must come."""
        frames = []
        while True:
            frame = self.receive()
            if frame is None:
                if not select.select([self.socket], [], [], DEADLINE_S)[0]:
                    raise AssertionError("a marker frame did not arrive; the switch of the test is broken")
            elif frame[12:].startswith(marker[12:]):
                return frames
            else:
                frames.append(frame)


def fill(switch, path, family, packet):
    """The packet with everything set that its path decides.

    src and dst may be "behind" or "behind2": an address in the network behind the path's source or target.
    """
    source, target = switch.hosts.get(path.source), switch.hosts.get(path.target)
    near = source or target
    if source and target and source.subnet == target.subnet:
        dmac = target.mac
    else:
        dmac = port_mac(0 if near.number in switch.bridged else near.number)
    defaults = {
        "family": family,
        "src": source.address(family) if source else near.gateway(family),
        "dst": target.address(family) if target else near.gateway(family),
        "smac": source.mac if source else port_mac(0),
        "dmac": dmac,
    }
    changes = {name: value for name, value in defaults.items() if getattr(packet, name) is None}
    for name, host in (("src", source), ("dst", target)):
        if str(getattr(packet, name)).startswith("behind"):
            changes[name] = host.behind(family, int(getattr(packet, name)[len("behind"):] or 1))
    if family == 6 and packet.proto == "icmp":
        changes["proto"] = "icmp6"
    return dataclasses.replace(packet, **changes)


class Lab:
    """A switch with a raw socket at every end of it."""

    def __init__(self, switch):
        self.switch = switch
        self.cpu = min(os.sched_getaffinity(0))
        self.hosts = {n: Wire(host.ns, "eth0") for n, host in switch.hosts.items()}
        self.ports = {n: Wire(switch.ns, host.port, only_markers=True) for n, host in switch.hosts.items()}
        self._local = [self._raw(family, number) for family, number in (
            (socket.AF_INET, 1), (socket.AF_INET, 6), (socket.AF_INET, 17), (socket.AF_INET, 89),
            (socket.AF_INET6, 58), (socket.AF_INET6, 6), (socket.AF_INET6, 17), (socket.AF_INET6, 89))]
        self._out = {4: self._raw(socket.AF_INET, socket.IPPROTO_RAW), 6: self._raw(socket.AF_INET6, 255)}
        self._out[6].setsockopt(socket.IPPROTO_IPV6, IPV6_HDRINCL, 1)

    def _raw(self, family, number):
        raw = self.switch.ns.call(socket.socket, family, socket.SOCK_RAW, number)
        raw.setblocking(False)
        return raw

    def send(self, path, family, *given):
        """Send packets and return, for each, what came out at the path's end.

        Shape: a list with packets.Seen per packet, or None where it did not arrive; where the end is the switch
        itself, the bytes that its sockets got. A packet that comes out twice or elsewhere is an AssertionError.
        """
        filled = [fill(self.switch, path, family, packet) for packet in given]
        frames = [packet.frame() for packet in filled]
        arrived = self.exchange(path.source, frames, [packet.dst for packet in filled])
        results = []
        for packet in filled:
            found = [(where, data) for where, data in arrived if packet.token in data and where != path.source]
            assert len(found) <= 1, f"{packet} came out more than once, at {[where for where, _ in found]}"
            assert not found or found[0][0] == path.target, f"{packet} came out at {found[0][0]}, not {path.target}"
            data = found[0][1] if found else None
            results.append(packets.dissect(data) if found and path.target else data)
        return results

    def exchange(self, source, frames, destinations=()):
        """Send frames from host number source, or IP packets from the switch itself (0).

        Returns [(number of the host, frame)], and (0, IP packet) for what the switch's own sockets received, of
        everything that these frames caused.
        """
        for wire in (*self.hosts.values(), *self.ports.values()):
            wire.drain()
        self._drain_local()
        allowed = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {self.cpu})
        try:
            if source:
                for frame in frames:
                    self.hosts[source].send(frame)
                marker = _MARKER_IN + packets.new_token()
                self.hosts[source].send(marker)
                self.ports[source].receive_until(marker)
            else:
                for frame, destination in zip(frames, destinations):
                    self._send_local(frame[14:], destination)
            return self._collect()
        finally:
            os.sched_setaffinity(0, allowed)

    def _send_local(self, packet, destination):
        family = packet[0] >> 4
        try:
            self._out[family].sendto(packet, (destination, 0))
        except PermissionError:
            pass  # how the kernel tells the sender that a rule of OUTPUT dropped it

    def _collect(self):
        arrived = [(0, data) for data in self._drain_local()]
        for number, wire in self.hosts.items():
            marker = _MARKER_OUT + packets.new_token()
            self.ports[number].send(marker)
            arrived += [(number, frame) for frame in wire.receive_until(marker)]
        return arrived

    def _drain_local(self):
        received = []
        for raw in self._local:
            while True:
                try:
                    received.append(raw.recv(65536))
                except BlockingIOError:
                    break
        return received

    def passes(self, path, family, packet):
        """Whether this one packet comes out."""
        return self.send(path, family, packet)[0] is not None
