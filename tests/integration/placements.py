"""Which paths a rule drops on: a table of rules, each tried with packets on every path through a lab."""

from daemon import Server
from lab import (BRIDGED, BRIDGE_TO_ROUTED, FROM_BRIDGE, FROM_PORT, ROUTED, ROUTED_TO_BRIDGE, TO_BRIDGE, TO_PORT)
from packets import Packet

ALL_PATHS = (BRIDGED, ROUTED, BRIDGE_TO_ROUTED, ROUTED_TO_BRIDGE, TO_BRIDGE, TO_PORT, FROM_BRIDGE, FROM_PORT)
SECTION = {4: "[iptables]", 6: "[ip6tables]"}


def check(lab, policy, family, table):
    """Each row of table is a rule without "-j DROP", and the paths on which it drops; on all others packets pass."""
    with Server(lab.switch.ns, policy) as server:
        client = server.client()
        for rule, drops in table:
            client.install("t", [SECTION[family], f"{rule} -p udp --dport 53 -j DROP"])
            for path in ALL_PATHS:
                passed, other = (seen is not None for seen in lab.send(path, family, Packet(dport=53), Packet()))
                assert other, f"{rule}, {path.name}: a packet that does not match"
                assert passed == (path not in drops), f"{rule}, {path.name}: {'passes' if passed else 'is dropped'}"
        client.close()
