"""Which packets a chain sees, and by which interface: the table of where Linux shows packets, end to end."""

import pytest

from lab import (BRIDGE_TO_ROUTED, BRIDGED, FROM_BRIDGE, FROM_PORT, ROUTED, ROUTED_TO_BRIDGE, TO_BRIDGE, TO_PORT)
from packets import Packet

SECTION = {4: "[iptables]", 6: "[ip6tables]"}
ALL_PATHS = (BRIDGED, ROUTED, BRIDGE_TO_ROUTED, ROUTED_TO_BRIDGE, TO_BRIDGE, TO_PORT, FROM_BRIDGE, FROM_PORT)

# Rule without "-j DROP", and the paths on which it drops; on all others packets pass.
TABLE = [
    ("-A FORWARD", {BRIDGED, ROUTED, BRIDGE_TO_ROUTED, ROUTED_TO_BRIDGE}),
    ("-A FORWARD -i swp2", set()),
    ("-A FORWARD -i swp3", {ROUTED, ROUTED_TO_BRIDGE}),
    ("-A FORWARD -i br0", {BRIDGE_TO_ROUTED}),
    ("-A FORWARD -o swp2", {BRIDGED}),
    ("-A FORWARD -o swp3", {BRIDGE_TO_ROUTED}),
    ("-A FORWARD -o br0", {ROUTED_TO_BRIDGE}),
    ("-A FORWARD -o swp1", {ROUTED_TO_BRIDGE}),
    ("-A FORWARD -o swp+", {BRIDGED, ROUTED, BRIDGE_TO_ROUTED, ROUTED_TO_BRIDGE}),
    ("-A FORWARD ! -o swp1", {BRIDGED, ROUTED, BRIDGE_TO_ROUTED}),
    ("-A FORWARD ! -o br0", {BRIDGED, ROUTED, BRIDGE_TO_ROUTED}),
    ("-A FORWARD -i swp3 -o swp1", {ROUTED_TO_BRIDGE}),
    ("-A FORWARD -i swp1 -o swp1", set()),
    ("-A FORWARD -i swp+ -o b+", {ROUTED_TO_BRIDGE}),
    ("-t mangle -A FORWARD -o swp1", {ROUTED_TO_BRIDGE}),
    ("-A FORWARD -i swp1 -o swp2", {BRIDGED}),
    ("-A FORWARD -i swp3 -o swp4", {ROUTED}),
    ("-A INPUT", {TO_BRIDGE, TO_PORT}),
    ("-A INPUT -i swp3", {TO_PORT}),
    ("-A INPUT -i br0", {TO_BRIDGE}),
    ("-A INPUT -i swp1", {TO_BRIDGE}),
    ("-A INPUT -i swp2", set()),
    ("-A INPUT -i swp+", {TO_PORT, TO_BRIDGE}),
    ("-A INPUT ! -i swp1", {TO_PORT}),
    ("-A INPUT ! -i swp3", {TO_BRIDGE}),
    ("-A INPUT ! -i swp+", set()),
    ("-A FORWARD -i swp1", {BRIDGED, BRIDGE_TO_ROUTED}),
    ("-A FORWARD -i swp+", {BRIDGED, ROUTED, ROUTED_TO_BRIDGE, BRIDGE_TO_ROUTED}),
    ("-A FORWARD -i sw+", {BRIDGED, ROUTED, ROUTED_TO_BRIDGE, BRIDGE_TO_ROUTED}),
    ("-A FORWARD ! -i swp1", {ROUTED, ROUTED_TO_BRIDGE}),
    ("-A FORWARD -i swp1 -o swp3", {BRIDGE_TO_ROUTED}),
    ("-A INPUT,FORWARD -i swp3", {TO_PORT, ROUTED, ROUTED_TO_BRIDGE}),
    ("-A OUTPUT", {FROM_BRIDGE, FROM_PORT}),
    ("-A OUTPUT -o swp4", {FROM_PORT}),
    ("-A OUTPUT -o br0", {FROM_BRIDGE}),
    ("-t mangle -A PREROUTING", {BRIDGED, ROUTED, BRIDGE_TO_ROUTED, ROUTED_TO_BRIDGE, TO_BRIDGE, TO_PORT}),
    ("-t mangle -A PREROUTING -i swp1", {BRIDGED, BRIDGE_TO_ROUTED, TO_BRIDGE}),
    ("-t mangle -A PREROUTING -i swp3", {ROUTED, ROUTED_TO_BRIDGE, TO_PORT}),
    ("-t mangle -A INPUT", {TO_BRIDGE, TO_PORT}),
    ("-t mangle -A FORWARD", {BRIDGED, ROUTED, BRIDGE_TO_ROUTED, ROUTED_TO_BRIDGE}),
    ("-t mangle -A OUTPUT", {FROM_BRIDGE, FROM_PORT}),
    ("-t mangle -A POSTROUTING", {BRIDGED, ROUTED, BRIDGE_TO_ROUTED, ROUTED_TO_BRIDGE, FROM_BRIDGE, FROM_PORT}),
    ("-t mangle -A POSTROUTING -o swp2", {BRIDGED}),
    ("-t mangle -A POSTROUTING -o swp1", {ROUTED_TO_BRIDGE, FROM_BRIDGE}),
    ("-t mangle -A POSTROUTING -o swp4", {ROUTED, FROM_PORT}),
]


def check_paths(lab, acl, family, rule, drops, paths):
    acl.install("t", [SECTION[family], f"{rule} -p udp --dport 53 -j DROP"])
    for path in paths:
        passed, other = (seen is not None for seen in lab.send(path, family, Packet(dport=53), Packet()))
        assert other, f"{path.name}: a packet that does not match"
        assert passed == (path not in drops), f"{path.name}: {'passes' if passed else 'is dropped'}"


@pytest.mark.parametrize("rule,drops", TABLE, ids=[rule.replace(" ", "_") for rule, _ in TABLE])
@pytest.mark.parametrize("family", (4, 6))
def test_a_chain_sees_its_packets_and_no_others(shared_lab, acl, family, rule, drops):
    check_paths(shared_lab, acl, family, rule, drops, ALL_PATHS)


# Several rules, and the paths on which they drop: what is routed to a port of a bridge meets them in order, too.
ORDER_TABLE = [
    ("-A FORWARD -o swp1 -j ACCEPT; -A FORWARD -j DROP", {BRIDGED, ROUTED, BRIDGE_TO_ROUTED}),
    ("-A FORWARD -j ACCEPT; -A FORWARD -o swp1 -j DROP", set()),
    ("-A FORWARD -i swp3 -j ACCEPT; -A FORWARD -o swp1 -j DROP; -A FORWARD -j DROP", {BRIDGED, BRIDGE_TO_ROUTED}),
    ("-A FORWARD -o swp2 -j DROP; -A FORWARD -j ACCEPT", {BRIDGED}),
    ("-A FORWARD -o swp1 -j DROP; -A FORWARD -j ACCEPT", {ROUTED_TO_BRIDGE}),
    ("-A FORWARD -i swp3 -o br0 -j ACCEPT; -A FORWARD -j DROP", {BRIDGED, ROUTED, BRIDGE_TO_ROUTED}),
    ("-A FORWARD -m state --state NEW -j ACCEPT; -A FORWARD -o swp+ -j DROP", {BRIDGED}),
    ("-A FORWARD -i br0 -j ACCEPT; -A FORWARD ! -o swp1 -j DROP", {BRIDGED, ROUTED}),
    ("-A FORWARD -i swp1 -j ACCEPT; -A FORWARD ! -o swp2 -j DROP", {ROUTED, ROUTED_TO_BRIDGE}),
]


@pytest.mark.parametrize("rules,drops", ORDER_TABLE, ids=[rules.replace(" ", "_") for rules, _ in ORDER_TABLE])
@pytest.mark.parametrize("family", (4, 6))
def test_the_first_rule_that_matches_decides(shared_lab, acl, family, rules, drops):
    lines = [rule.replace(" -j", " -p udp --dport 53 -j") for rule in rules.split("; ")]
    acl.install("t", [SECTION[family], *lines])
    for path in ALL_PATHS:
        passed, other = (seen is not None for seen in shared_lab.send(path, family, Packet(dport=53), Packet()))
        assert other, f"{path.name}: a packet that does not match"
        assert passed == (path not in drops), f"{path.name}: {'passes' if passed else 'is dropped'}"


@pytest.mark.parametrize("family", (4, 6))
def test_filtering_does_not_change_when_bridged_packets_also_visit_the_ip_hooks(shared_lab, acl, family):
    """br_netfilter is on where Docker or Kubernetes runs; a rule must not count or drop otherwise then."""
    ns = shared_lab.switch.ns
    try:
        for name in ("iptables", "ip6tables"):
            ns.sysctl(f"bridge/bridge-nf-call-{name}", 1)
    except FileNotFoundError:
        pytest.skip("this kernel has no br_netfilter")
    try:
        acl.install("t", [SECTION[family], "-A FORWARD -i swp1 -p udp --dport 53 -j DROP"])
        passed = [seen is not None for seen in shared_lab.send(BRIDGED, family, Packet(dport=53), Packet())]
        assert passed == [False, True]
    finally:
        for name in ("iptables", "ip6tables"):
            ns.sysctl(f"bridge/bridge-nf-call-{name}", 0)


# [ebtables]: rule, a packet that is dropped and one that passes from port 1 to port 2 of the bridge.
BRIDGE_TABLE = [
    ("-A FORWARD -p ARP", Packet(proto="arp"), Packet()),
    ("-A FORWARD -p IPv4", Packet(), Packet(proto="arp")),
    ("-A FORWARD -p ipv4", Packet(), Packet(proto="arp")),
    ("-A FORWARD -p 0x88cc", Packet(proto="0x88cc"), Packet(proto="0x88b6")),
    ("-A FORWARD -p 802_1Q", Packet(vlan=100), Packet()),
    ("-A FORWARD -p 802_1Q --vlan-id 100", Packet(vlan=100), Packet(vlan=101)),
    ("-A FORWARD -p 802_1Q --vlan-id 100 -i swp1", Packet(vlan=100), Packet(vlan=101)),
    ("-A FORWARD -s 02:00:00:00:00:aa", Packet(smac="02:00:00:00:00:aa"), Packet()),
    ("-A FORWARD -d 02:00:00:00:00:02", Packet(), Packet(dmac="ff:ff:ff:ff:ff:ff")),
    ("-A FORWARD -s 02:00:00:00:00:01 -d 02:00:00:00:00:02", Packet(), Packet(smac="02:00:00:00:00:aa")),
    ("-A FORWARD -s 02:00:00:00:aa:00/ff:ff:ff:ff:ff:00", Packet(smac="02:00:00:00:aa:bb"), Packet()),
    ("-A FORWARD -p IPv4 -s 02:00:00:00:00:01", Packet(), Packet(proto="arp")),
]


@pytest.mark.parametrize("rule,dropped,passed", BRIDGE_TABLE, ids=[row[0].replace(" ", "_") for row in BRIDGE_TABLE])
def test_an_ebtables_rule_matches_what_it_says(shared_lab, acl, rule, dropped, passed):
    acl.install("t", ["[ebtables]", f"{rule} -j DROP"])
    results = shared_lab.send(BRIDGED, 4, dropped.but(), passed.but())
    assert [seen is not None for seen in results] == [False, True]


def test_an_ebtables_rule_for_ipv6_matches_ipv6_only(shared_lab, acl):
    acl.install("t", ["[ebtables]", "-A FORWARD -p IPv6 -j DROP"])
    assert not shared_lab.passes(BRIDGED, 6, Packet())
    assert shared_lab.passes(BRIDGED, 4, Packet())


@pytest.mark.parametrize("rule,drops", [
    ("-A FORWARD -i swp1", {"1to2"}), ("-A FORWARD -o swp1", {"2to1"}), ("-A FORWARD -i swp+", {"1to2", "2to1"}),
    ("-A FORWARD -i swp1 -o swp2", {"1to2"}), ("-A INPUT -i swp1", {"local", "1to3"}), ("-A INPUT", {"local", "1to3"}),
    ("-A OUTPUT -o swp1", {"from"}), ("-A OUTPUT", {"from"}),
])
def test_an_ebtables_chain_sees_its_frames_and_no_others(shared_lab, acl, rule, drops):
    """INPUT of a bridge also sees what the switch is going to route."""
    acl.install("t", ["[ebtables]", f"{rule} -p IPv4 -j DROP"])
    for name, path in (("1to2", BRIDGED), ("2to1", BRIDGED.reverse()), ("local", TO_BRIDGE), ("from", FROM_BRIDGE),
                       ("1to3", BRIDGE_TO_ROUTED), ("routed", ROUTED)):
        assert shared_lab.passes(path, 4, Packet()) == (name not in drops), name
        assert shared_lab.passes(path, 6, Packet()), f"{name}, IPv6"
