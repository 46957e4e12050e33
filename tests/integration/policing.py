"""What the test and the benchmark of POLICE and TRICOLORPOLICE share: rules of every kind at the same time, traffic
above all their rates, and the rates at which it comes out.

A measurement begins and ends with empty buckets: at both ends more is sent at once than any bucket holds. What came
out in between is then what the rate gave, whatever the machine did to the sender in the meantime.
"""

import collections
import dataclasses
import time

from daemon import run_acl
from lab import BRIDGED, ROUTED, fill
from packets import Packet, dissect
from wait import let_pass

PAUSE_S = 0.05
OVERLOAD = 2
POLICE_PKT, POLICE_KB, TRICOLOR = 1001, 1002, 1003
GREEN, YELLOW, RED = 46, 10, 0

RULES = ["[iptables]",
         f"-A FORWARD -p udp --dport {POLICE_PKT} -j POLICE --set-mode pkt --set-rate 200 --set-burst 500",
         f"-A FORWARD -p udp --dport {POLICE_KB} -j POLICE --set-mode KB --set-rate 40 --set-burst 120",
         f"-A FORWARD -p udp --dport {TRICOLOR} -j TRICOLORPOLICE --set-color-mode blind --set-cir 240 --set-cbs 90 "
         f"--set-pir 480 --set-ebs 180 --set-conform-action-dscp {GREEN} --set-exceed-action-dscp {YELLOW} "
         "--set-violate-action drop"]


@dataclasses.dataclass(frozen=True)
class Flow:
    """Packets of one kind."""

    path: object
    dport: int
    payload: int
    rate: int  # of its rule, packets/s
    depth: int  # of its rule's bucket, packets

    @property
    def size(self):
        """Bytes from the IP header on, which are those that rules count."""
        return 28 + self.payload


FLOWS = [Flow(path, *rest) for path in (BRIDGED, ROUTED) for rest in (
    (POLICE_PKT, 26, 200, 500), (POLICE_KB, 996, 40, 120), (TRICOLOR, 972, 60, 184))]


@dataclasses.dataclass(frozen=True)
class Rate:
    """One measured rate and what its rule says, both in packets/s or bytes/s."""

    name: str
    wanted: float
    measured: float

    @property
    def error(self):
        return self.measured / self.wanted - 1


def _send(lab, counts, arrived):
    """So many packets of each flow; what comes out is added to arrived by (path, port, DSCP)."""
    for path in (BRIDGED, ROUTED):
        frames = []
        for flow in FLOWS:
            if flow.path is path:
                packet = fill(lab.switch, path, 4, Packet(dport=flow.dport, payload=flow.payload))
                frames += [packet.frame()] * counts(flow)
        for _, frame in lab.exchange(path.source, frames):
            seen = dissect(frame)
            if seen.family == 4:
                dport = int.from_bytes(frame[36:38], "big")
                arrived[path.name, dport, seen.dscp] += 1


def _drain(lab, arrived):
    """Empty every bucket, and return when."""
    _send(lab, lambda flow: flow.depth + 100, arrived)
    return time.monotonic()


def measure(lab, seconds):
    """Send for so long and return the list of Rate."""
    _drain(lab, collections.Counter())
    arrived = collections.Counter()
    start = _drain(lab, collections.Counter())
    last = start
    while time.monotonic() < start + seconds:
        let_pass(PAUSE_S)
        now = time.monotonic()
        gone, last = now - last, now
        _send(lab, lambda flow, gone=gone: round(OVERLOAD * flow.rate * gone) + 1, arrived)
    elapsed = _drain(lab, arrived) - start
    rates = []
    for path in (BRIDGED, ROUTED):
        def per_second(dport, dscp, path=path):
            return arrived[path.name, dport, dscp] / elapsed

        rates += [
            Rate(f"{path.name}: POLICE, packets/s", 200, per_second(POLICE_PKT, 0)),
            Rate(f"{path.name}: POLICE, bytes/s", 40 * 1024, 1024 * per_second(POLICE_KB, 0)),
            Rate(f"{path.name}: TRICOLORPOLICE conforming, bytes/s", 30000, 1000 * per_second(TRICOLOR, GREEN)),
            Rate(f"{path.name}: TRICOLORPOLICE all, bytes/s", 60000,
                 1000 * (per_second(TRICOLOR, GREEN) + per_second(TRICOLOR, YELLOW)))]
        assert arrived[path.name, TRICOLOR, RED] == 0
    return rates


def listed(server, needle):
    """(packets, dropped packets) of the one rule that shows needle in the listing."""
    listing = run_acl(server.ns, server.policy, "-L", "all", "-S", "-x", "-N")
    assert listing.returncode == 0, listing
    (line,) = [line for line in listing.stdout.splitlines() if needle in line]
    dropped = line.split("# dropped ")[1].split()[0] if "# dropped" in line else None
    return int(line.split()[0]), None if dropped is None else int(dropped)
