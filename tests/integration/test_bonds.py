"""Rules that name a bond, as port of a bridge (bond0 of swp1) and with an address of its own (bond1 of swp3)."""

import pytest

import placements
from lab import BRIDGED, BRIDGE_TO_ROUTED, FROM_BRIDGE, ROUTED, ROUTED_TO_BRIDGE, TO_BRIDGE, TO_PORT, Lab
from netns import Switch, port_mac
from wait import wait_until

pytestmark = pytest.mark.vm

TABLE = [
    ("-A FORWARD -i bond0", {BRIDGED, BRIDGE_TO_ROUTED}),
    ("-A FORWARD -o bond0", {ROUTED_TO_BRIDGE}),
    ("-A FORWARD -i bond0 -o swp2", {BRIDGED}),
    ("-A FORWARD -i bond1", {ROUTED, ROUTED_TO_BRIDGE}),
    ("-A FORWARD -o bond1", {BRIDGE_TO_ROUTED}),
    ("-A FORWARD -i bond+", {BRIDGED, ROUTED, BRIDGE_TO_ROUTED, ROUTED_TO_BRIDGE}),
    ("-A FORWARD -i bond1 -o bond0", {ROUTED_TO_BRIDGE}),
    ("-A INPUT -i bond0", {TO_BRIDGE}),
    ("-A INPUT -i bond1", {TO_PORT}),
    ("-t mangle -A PREROUTING -i bond0", {BRIDGED, BRIDGE_TO_ROUTED, TO_BRIDGE}),
    ("-t mangle -A POSTROUTING -o bond0", {ROUTED_TO_BRIDGE, FROM_BRIDGE}),
    ("-A FORWARD -i swp1", set()),  # a member: its packets come from the bond
]


def put_into_bond(switch, number, bond):
    switch.ns.ip(f"link add {bond} address {port_mac(number)} type bond mode balance-xor miimon 10\n"
                 f"link set swp{number} down\nlink set swp{number} master {bond}\nlink set {bond} up\n"
                 f"link set swp{number} up")


def give_addresses(switch, number, device):
    host = switch.hosts[number]
    switch.ns.ip("\n".join(
        [f"addr add {host.gateway4}/24 dev {device}", f"addr add {host.gateway6}/64 dev {device} nodad"]
        + [f"neigh replace {address} lladdr {host.mac} dev {device} nud permanent" for address in (host.ip4, host.ip6)]
        + [f"route replace 10.{100 + number}.0.0/16 via {host.ip4}",
           f"route replace 2001:db8:{100 + number}::/48 via {host.ip6}"]))


@pytest.fixture(scope="module")
def lab():
    with Switch() as switch:
        switch.ns.ip("link set swp1 nomaster")
        put_into_bond(switch, 1, "bond0")
        switch.ns.ip("link set bond0 master br0")
        switch.ns.run("bridge", "fdb", "replace", switch.hosts[1].mac, "dev", "bond0", "master", "static")
        switch.ns.ip("addr flush dev swp3")
        put_into_bond(switch, 3, "bond1")
        give_addresses(switch, 3, "bond1")
        made = Lab(switch)
        wait_until(lambda: all(made.passes(path, 4, placements.Packet()) for path in (BRIDGED, ROUTED, TO_PORT)),
                   "the bonds carry packets")
        yield made


@pytest.mark.parametrize("family", (4, 6))
def test_a_bond_is_a_port_like_others(lab, policy, family):
    placements.check(lab, policy, family, TABLE)
