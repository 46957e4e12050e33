"""Rules on a VLAN-aware bridge, as Cumulus has: ports in VLANs, the address on a VLAN device of the bridge."""

import contextlib

import pytest

import placements
from daemon import Server
from lab import BRIDGED, BRIDGE_TO_ROUTED, FROM_BRIDGE, ROUTED, ROUTED_TO_BRIDGE, TO_BRIDGE, Lab
from netns import Switch
from packets import Packet
from wait import wait_until

pytestmark = pytest.mark.vm

TABLE = [
    ("-A FORWARD", {BRIDGED, ROUTED, BRIDGE_TO_ROUTED, ROUTED_TO_BRIDGE}),
    ("-A FORWARD -i swp1", {BRIDGED, BRIDGE_TO_ROUTED}),
    ("-A FORWARD -i swp+", {BRIDGED, ROUTED, BRIDGE_TO_ROUTED, ROUTED_TO_BRIDGE}),
    ("-A FORWARD -i vlan10", {BRIDGE_TO_ROUTED}),
    ("-A FORWARD -o swp1", {ROUTED_TO_BRIDGE}),
    ("-A FORWARD -o swp2", {BRIDGED}),
    ("-A FORWARD -o vlan10", {ROUTED_TO_BRIDGE}),
    ("-A FORWARD -i swp3 -o swp1", {ROUTED_TO_BRIDGE}),
    ("-A INPUT -i swp1", {TO_BRIDGE}),
    ("-A INPUT -i swp2", set()),
    ("-A INPUT -i vlan10", {TO_BRIDGE}),
    ("-t mangle -A PREROUTING -i swp1", {BRIDGED, BRIDGE_TO_ROUTED, TO_BRIDGE}),
    ("-t mangle -A POSTROUTING -o swp1", {ROUTED_TO_BRIDGE, FROM_BRIDGE}),
]


def add_vlan_device(switch):
    lines = ["link add link br0 name vlan10 type vlan id 10", "link set vlan10 up", "addr add 10.0.0.254/24 dev vlan10",
             "addr add 2001:db8:0::fe/64 dev vlan10 nodad"]
    for number in switch.bridged:
        host = switch.hosts[number]
        lines += [f"neigh replace {address} lladdr {host.mac} dev vlan10 nud permanent"
                  for address in (host.ip4, host.ip6)]
    switch.ns.ip("\n".join(lines))


@contextlib.contextmanager
def vlan_aware_switch():
    with Switch() as switch:
        ns = switch.ns
        ns.ip("addr flush dev br0\nlink set br0 type bridge vlan_filtering 1 vlan_default_pvid 0")
        ns.run("bridge", "vlan", "add", "dev", "br0", "vid", "10", "self")
        for number in switch.bridged:
            ns.run("bridge", "vlan", "add", "dev", f"swp{number}", "vid", "10", "pvid", "untagged")
            ns.run("bridge", "fdb", "replace", switch.hosts[number].mac, "dev", f"swp{number}", "master", "static",
                   "vlan", "10")
        add_vlan_device(switch)
        yield switch


@pytest.fixture(scope="module")
def lab():
    with vlan_aware_switch() as switch:
        yield Lab(switch)


@pytest.mark.parametrize("family", (4, 6))
def test_a_chain_sees_its_packets_and_no_others(lab, policy, family):
    placements.check(lab, policy, family, TABLE)


def test_a_vlan_device_may_come_later(lab, policy):
    policy.write("10later.rules", "[iptables]\n-A FORWARD -o swp1 -p udp --dport 53 -j DROP\n")
    with Server(lab.switch.ns, policy) as server:
        assert not lab.passes(ROUTED_TO_BRIDGE, 4, Packet(dport=53))
        lab.switch.ns.ip("link del vlan10")
        add_vlan_device(lab.switch)
        wait_until(lambda: not lab.passes(ROUTED_TO_BRIDGE, 4, Packet(dport=53)), "the rule finds the new device")
        assert lab.passes(ROUTED_TO_BRIDGE, 4, Packet())
