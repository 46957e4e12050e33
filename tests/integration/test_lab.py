"""The lab itself, with rules of plain nft: what it claims about packets must be true before anything rests on it."""

import pytest

from lab import (BRIDGE_TO_ROUTED, BRIDGED, FROM_BRIDGE, FROM_PORT, ROUTED, ROUTED_TO_BRIDGE, TO_BRIDGE, TO_PORT)
from packets import Packet

ALL_PATHS = (BRIDGED, ROUTED, BRIDGE_TO_ROUTED, ROUTED_TO_BRIDGE, TO_BRIDGE, TO_PORT, FROM_BRIDGE, FROM_PORT)
TRANSIT = ALL_PATHS[:4]


@pytest.fixture
def lab(shared_lab):
    yield shared_lab
    shared_lab.switch.ns.nft("flush ruleset")


@pytest.mark.parametrize("family", (4, 6))
@pytest.mark.parametrize("path", ALL_PATHS, ids=lambda path: path.name)
def test_every_kind_of_packet_passes_an_empty_switch(lab, path, family):
    given = [Packet(), Packet(proto="tcp"), Packet(proto="icmp"), Packet(proto="ospf"), Packet(dscp=46, ecn=1)]
    if family == 6 and path.source:
        given.append(Packet(extensions=("hop", "dest")))
    for seen in lab.send(path, family, *given):
        assert seen is not None


@pytest.mark.parametrize("family", (4, 6))
@pytest.mark.parametrize("path", TRANSIT, ids=lambda path: path.name)
def test_headers_come_out_whole(lab, path, family):
    for proto in ("udp", "tcp", "icmp", "ospf"):
        (seen,) = lab.send(path, family, Packet(proto=proto, dscp=10, ecn=2, ttl=33))
        assert (seen.dscp, seen.ecn, seen.checksums_right) == (10, 2, True)
        assert seen.ttl == (33 if path is BRIDGED else 32)


@pytest.mark.parametrize("vlan", (None, 100))
def test_a_bridge_passes_tags_fragments_and_what_is_not_ip(lab, vlan):
    given = [Packet(proto="arp", vlan=vlan), Packet(proto="0x88cc", vlan=vlan), Packet(vlan=vlan),
             Packet(fragment=(0, True), vlan=vlan), Packet(fragment=(64, False), vlan=vlan)]
    assert [seen and seen.vlan for seen in lab.send(BRIDGED, 4, *given)] == [vlan] * 5


def test_what_one_rule_drops_is_all_that_is_missing(lab):
    lab.switch.ns.nft("table inet x { chain f { type filter hook forward priority 0; udp dport 9 drop; }; \n"
                      "chain i { type filter hook input priority 0; udp dport 9 drop; }; \n"
                      "chain o { type filter hook output priority 0; udp dport 9 drop; }; }\n"
                      "table bridge x { chain f { type filter hook forward priority 0; udp dport 9 drop; }; }")
    for path in ALL_PATHS:
        for family in (4, 6):
            results = lab.send(path, family, Packet(dport=9), Packet(dport=10), Packet(dport=9), Packet(dport=11))
            assert [seen is not None for seen in results] == [False, True, False, True], (path.name, family)


def test_a_long_burst_is_counted_exactly(lab):
    lab.switch.ns.nft("table inet x { chain f { type filter hook forward priority 0; udp sport 1-2500 drop; }; }")
    results = lab.send(ROUTED, 4, *(Packet(sport=n) for n in range(1, 5001)))
    assert sum(seen is not None for seen in results) == 2500
