"""POLICE and TRICOLORPOLICE on the wire: rates, buckets, what is counted, and what commits of others leave alone."""

import pytest

import policing
from lab import BRIDGED, ROUTED
from packets import Packet
from policing import listed

SECTION = {4: "[iptables]", 6: "[ip6tables]"}
both_families = pytest.mark.parametrize("family", (4, 6))
both_paths = pytest.mark.parametrize("path", (BRIDGED, ROUTED), ids=lambda path: path.name)


def passed(lab, path, family, packet, count):
    """How many of so many packets come out."""
    return sum(seen is not None for seen in lab.send(path, family, *(packet.but() for _ in range(count))))


def police(burst, options=""):
    """A rate of which nothing is seen while a test runs."""
    return f"POLICE --set-mode pkt --set-rate 1 --set-burst {burst} {options}"


def test_rates_are_held_for_ten_seconds(shared_lab, acl):
    acl.install("t", policing.RULES)
    for rate in policing.measure(shared_lab, 10):
        assert abs(rate.error) <= 0.05, rate


@both_paths
@both_families
def test_the_excess_is_dropped_and_counted(shared_lab, shared_server, acl, family, path):
    acl.install("t", [SECTION[family], f"-A FORWARD -p udp --dport 53 -j {police(1000)}"])
    assert passed(shared_lab, path, family, Packet(dport=53), 3) == 3
    assert listed(shared_server, "--dport 53") == (3, 0)
    assert 1000 - 3 <= passed(shared_lab, path, family, Packet(dport=53), 1200) <= 1100
    packets, dropped = listed(shared_server, "--dport 53")
    assert packets == 1203 and 100 <= dropped <= 203


@both_paths
@both_families
def test_what_conforms_goes_on_to_the_next_rule(shared_lab, shared_server, acl, family, path):
    acl.install("t", [SECTION[family], f"-A FORWARD -p udp --dport 53 -j {police(10, '--set-class 3')}",
                      "-A FORWARD -p udp --dport 53 -j DROP"])
    assert passed(shared_lab, path, family, Packet(dport=53), 5) == 0
    assert listed(shared_server, "-j POLICE") == (5, 0)
    assert listed(shared_server, "-j DROP") == (5, None)


def test_each_rule_of_a_list_has_a_bucket_of_its_own_and_a_wildcard_one_for_all(shared_lab, acl):
    acl.install("t", ["[iptables]", f"-A FORWARD -i swp1,swp2 -p udp --dport 53 -j {police(100)}",
                      f"-A FORWARD -i swp+ -p udp --dport 54 -j {police(100)}"])
    one, other = BRIDGED, BRIDGED.reverse()
    assert passed(shared_lab, one, 4, Packet(dport=53), 200) < 150
    assert passed(shared_lab, other, 4, Packet(dport=53), 90) == 90
    assert passed(shared_lab, one, 4, Packet(dport=54), 200) < 150
    assert passed(shared_lab, other, 4, Packet(dport=54), 90) < 50


def test_commits_of_others_reset_neither_bucket_nor_counters(shared_lab, shared_server, acl):
    acl.install("m", ["[iptables]", f"-A FORWARD -p udp --dport 53 -j {police(100)}"])
    assert passed(shared_lab, ROUTED, 4, Packet(dport=53), 200) < 150
    acl.install("a", ["[iptables]", "-A FORWARD -p udp --dport 54 -j DROP"])
    acl.install("z", ["[iptables]", f"-A FORWARD -p udp --dport 55 -j {police(100)}"])
    acl.install("m", ["[iptables]", f"-A FORWARD -p udp --dport 53 -j {police(100)}",
                      "-A FORWARD -p udp --dport 56 -j DROP"])
    assert listed(shared_server, "--dport 53")[0] == 200
    assert passed(shared_lab, ROUTED, 4, Packet(dport=53), 90) < 50
    acl.remove("a")
    shared_server.reload()
    acl.install("b", ["[iptables]", "-A FORWARD -p udp --dport 57 -j DROP"])
    assert passed(shared_lab, ROUTED, 4, Packet(dport=53), 90) < 50
    assert listed(shared_server, "--dport 53")[0] == 380


def test_arp_is_policed_by_ebtables(shared_lab, shared_server, acl):
    acl.install("t", ["[ebtables]", "-A FORWARD -p ARP -j police --set-mode pkt --set-rate 1 --set-burst 100"])
    arp = Packet(proto="arp", dst="10.0.0.77", dmac="ff:ff:ff:ff:ff:ff", family=4)
    frames = [arp.but() for _ in range(200)]
    results = shared_lab.send(BRIDGED, 4, *frames)
    assert 100 <= sum(seen is not None for seen in results) < 150
    packets, dropped = listed(shared_server, "-p ARP")
    assert packets == 200 and 50 < dropped <= 100


@both_paths
@both_families
def test_the_colors_have_their_dscp_and_end_the_search(shared_lab, shared_server, acl, family, path):
    # Packets of 1000 bytes or a little more; rates of which little is seen.
    acl.install("t", [SECTION[family], "-A FORWARD -p udp --dport 53 -j TRICOLORPOLICE --set-color-mode blind "
                      "--set-cir 8 --set-cbs 20 --set-pir 16 --set-ebs 40 --set-conform-action-dscp 46 "
                      "--set-exceed-action-dscp 10 --set-violate-action accept --set-violate-action-dscp 8",
                      "-A FORWARD -p udp --dport 53 -j DROP"])
    seen = shared_lab.send(path, family, *(Packet(dport=53, dscp=1, payload=972) for _ in range(80)))
    colors = [one.dscp for one in seen]
    assert set(colors) == {46, 10, 8} and all(one.checksums_right for one in seen)
    assert colors[:15] == [46] * 15 and 15 <= colors.count(46) <= 30
    assert 15 <= colors.count(10) <= 30
    assert listed(shared_server, "TRICOLORPOLICE") == (80, None)
    assert listed(shared_server, "-j DROP") == (0, None)
