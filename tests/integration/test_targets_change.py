"""Targets that change packets, on the wire: 802.1p bits, marks, addresses, ports; and NFLOG groups."""

import socket
import struct

import pytest

from daemon import run_acl
from lab import BRIDGED, ROUTED
from packets import Packet
from policing import listed

SECTION = {4: "[iptables]", 6: "[ip6tables]"}
both_families = pytest.mark.parametrize("family", (4, 6))
both_paths = pytest.mark.parametrize("path", (BRIDGED, ROUTED), ids=lambda path: path.name)


def pcp(seen):
    """The 802.1p bits of a tagged frame."""
    assert seen.vlan is not None
    return seen.frame[14] >> 5


@both_families
@pytest.mark.parametrize("rule", ["-A FORWARD -i swp1 -p udp --dport 53", "-t mangle -A FORWARD -p udp --dport 53",
                                  "-t mangle -A PREROUTING -i swp1 -p udp --dport 53",
                                  "-t mangle -A POSTROUTING -o swp2 -p udp --dport 53"])
def test_setqos_rewrites_the_tag_of_a_bridged_frame(shared_lab, shared_server, acl, family, rule):
    acl.install("t", [SECTION[family], f"{rule} -j SETQOS --set-dscp-class ef --set-cos 5"])
    tagged, untagged, other = shared_lab.send(BRIDGED, family, Packet(dport=53, vlan=100, pcp=2, ecn=1),
                                              Packet(dport=53), Packet(dport=54, vlan=100, pcp=2))
    assert (tagged.vlan, pcp(tagged), tagged.dscp, tagged.ecn, tagged.checksums_right) == (100, 5, 46, 1, True)
    assert (untagged.vlan, untagged.dscp, untagged.checksums_right) == (None, 46, True)
    assert (other.vlan, pcp(other), other.dscp) == (100, 2, 0)
    assert listed(shared_server, "-j SETQOS") == (2, None)


def test_setqos_of_ebtables_rewrites_every_protocol(shared_lab, acl):
    acl.install("t", ["[ebtables]", "-A FORWARD -o swp2 -j setqos --set-cos 4 --set-dscp 8",
                      "-A FORWARD -o swp2 -j DROP"])
    for value in (0, 7):
        four, = shared_lab.send(BRIDGED, 4, Packet(vlan=7, pcp=value))
        six, = shared_lab.send(BRIDGED, 6, Packet(vlan=4094, pcp=value))
        other, = shared_lab.send(BRIDGED, 4, Packet(proto="0x88cc", vlan=7, pcp=value))
        assert (pcp(four), four.vlan, four.dscp, four.checksums_right) == (4, 7, 8, True)
        assert (pcp(six), six.vlan, six.dscp, six.checksums_right) == (4, 4094, 8, True)
        assert (pcp(other), other.vlan) == (4, 7)


@both_paths
@both_families
def test_setclass_sets_the_priority_by_which_queues_choose(shared_lab, acl, family, path):
    switch = shared_lab.switch
    acl.install("t", [SECTION[family], "-A FORWARD -p udp --dport 53 -j SETCLASS --class 6"])
    # Another table sees the priority where the packet leaves.
    switch.ns.nft(f"table netdev x {{ chain out {{ type filter hook egress device {path.egress} priority 0; "
                  "meta priority 6 counter; }; }")
    try:
        shared_lab.send(path, family, Packet(dport=53), Packet(dport=54))
        assert "counter packets 1 " in switch.ns.run("nft", "list", "table", "netdev", "x").stdout
    finally:
        switch.ns.nft("delete table netdev x")


@both_paths
@both_families
def test_setqos_ends_its_table_only(shared_lab, acl, family, path):
    acl.install("t", [SECTION[family], "-t mangle -A FORWARD -p udp --dport 53 -j SETQOS --set-dscp 46",
                      "-t mangle -A FORWARD -p udp -j DROP", "-A FORWARD -p udp --dport 53 -m dscp --dscp 0 -j DROP"])
    kept, dropped = shared_lab.send(path, family, Packet(dport=53), Packet(dport=54))
    assert kept.dscp == 46 and dropped is None


@both_paths
@both_families
def test_mark_is_seen_by_later_tables(shared_lab, acl, family, path):
    acl.install("t", [SECTION[family], "-t mangle -A FORWARD -p udp --dport 53 -j MARK --set-mark 0x200",
                      "-t mangle -A FORWARD -p udp --dport 53 -j MARK --or-mark 1",
                      "-A FORWARD -m mark --mark 0x201 -j DROP"])
    passed = [seen is not None for seen in shared_lab.send(path, family, Packet(dport=53), Packet(dport=54))]
    assert passed == [False, True]


@both_families
def test_a_vlan_gets_into_an_ip_rule_by_its_mark(shared_lab, shared_server, acl, family):
    acl.install("t", ["[ebtables]", "-A FORWARD -p 802_1Q --vlan-id 100 -j mark --mark-set 102",
                      "-A FORWARD -p 802_1Q -j DROP",
                      SECTION[family], "-A FORWARD -i swp1 -m mark --mark 102 -p udp --dport 53 -j DROP"])
    given = [Packet(dport=53, vlan=100), Packet(dport=54, vlan=100), Packet(dport=53, vlan=101), Packet(dport=53)]
    passed = [seen is not None for seen in shared_lab.send(BRIDGED, family, *given)]
    # What has its mark skips the rules of [ebtables] behind; what has another VLAN does not.
    assert passed == [False, True, False, True]
    assert listed(shared_server, "-j mark") == (2, None)


def tuple4(seen):
    """Addresses and ports of an IPv4 packet with 20 bytes of header."""
    body = seen.frame[14:]
    return (socket.inet_ntoa(body[12:16]), *struct.unpack("!H", body[20:22]),
            socket.inet_ntoa(body[16:20]), *struct.unpack("!H", body[22:24]))


def test_snat_translates_both_directions(shared_lab, acl):
    acl.install("t", ["[iptables]", "-t nat -A POSTROUTING -o swp4 -p udp -j SNAT --to-source 10.0.4.99:5000-5000"])
    source, target = shared_lab.switch.hosts[3].ip4, shared_lab.switch.hosts[4].ip4
    (there,) = shared_lab.send(ROUTED, 4, Packet(sport=7000, dport=7001))
    assert tuple4(there) == ("10.0.4.99", 5000, target, 7001) and there.checksums_right
    (back,) = shared_lab.send(ROUTED.reverse(), 4, Packet(sport=7001, dport=5000, dst="10.0.4.99"))
    assert tuple4(back) == (target, 7001, source, 7000) and back.checksums_right


def test_dnat_translates_both_directions(shared_lab, acl):
    target, source = shared_lab.switch.hosts[4].ip4, shared_lab.switch.hosts[3].ip4
    acl.install("t", ["[iptables]", "-t nat -A PREROUTING -i swp3 -d 192.0.2.80 -p tcp --dport 80 "
                      f"-j DNAT --to-destination {target}:8080 --persistent"])
    (there,) = shared_lab.send(ROUTED, 4, Packet(proto="tcp", sport=7100, dport=80, dst="192.0.2.80"))
    assert tuple4(there) == (source, 7100, target, 8080) and there.checksums_right
    (back,) = shared_lab.send(ROUTED.reverse(), 4,
                              Packet(proto="tcp", flags="syn,ack", sport=8080, dport=7100))
    assert tuple4(back) == ("192.0.2.80", 80, source, 7100) and back.checksums_right


def test_snat_of_ipv6(shared_lab, acl):
    acl.install("t", ["[ip6tables]", "-t nat -A POSTROUTING -o swp4 -p udp -j SNAT --to-source 2001:db8:4::99"])
    (there,) = shared_lab.send(ROUTED, 6, Packet(sport=7200, dport=7201))
    assert there.frame[22:38] == socket.inet_pton(socket.AF_INET6, "2001:db8:4::99") and there.checksums_right


def test_mac_addresses_are_rewritten(shared_lab, acl):
    host = shared_lab.switch.hosts[2]
    acl.install("t", ["[ebtables]", "-t nat -A POSTROUTING -o swp2 -j snat --to-src 02:00:00:00:0a:0a",
                      f"-t nat -A PREROUTING -i swp1 -d 02:00:00:00:0b:0b -j dnat --to-dst {host.mac}"])
    (seen,) = shared_lab.send(BRIDGED, 4, Packet(dmac="02:00:00:00:0b:0b"))
    assert seen.frame[:12].hex(":") == f"{host.mac}:02:00:00:00:0a:0a"


@both_paths
def test_log_is_limited_and_counts_all(shared_lab, shared_server, acl, path):
    acl.install("t", ["[iptables]", "-A FORWARD -p udp --dport 53 -j LOG"])
    assert all(shared_lab.send(path, 4, *(Packet(dport=53) for _ in range(50))))
    assert listed(shared_server, "-j LOG") == (50, None)
    ruleset = shared_server.ns.run("nft", "list", "table", "inet", "tapgate").stdout
    assert "limit rate 10/second burst 10 packets log" in ruleset


def test_what_is_listed_can_be_installed_again(shared_server, acl, own_server):
    lines = ["[iptables]", "-A FORWARD -p udp -j POLICE --set-mode pkt --set-rate 5 --set-burst 9 --set-class 1",
             "-A FORWARD -j TRICOLORPOLICE --set-color-mode blind --set-cir 80 --set-cbs 90 --set-pir 160 --set-ebs 90",
             "-t mangle -A FORWARD -j MARK --set-xmark 0x30/0xff", "-A INPUT -j ULOG --ulog-prefix \"a b\"",
             "-t nat -A POSTROUTING -p tcp -j SNAT --to-source 192.0.2.1-192.0.2.9:1-9 --random"]
    acl.install("t", lines)
    listing = run_acl(shared_server.ns, shared_server.policy, "-L", "ip", "-S", "-x", "-v").stdout
    rules = [line.split(None, 2)[2] for line in listing.splitlines() if " -A " in line]
    assert len(rules) == len(lines) - 1
    policy = own_server.policy
    policy.write("10again.rules", "\n".join(["[iptables]", *rules, ""]))
    done = run_acl(own_server.ns, policy, "-i", "-p", policy.path("10again.rules"))
    assert (done.returncode, done.stderr) == (0, ""), done
    again = run_acl(own_server.ns, policy, "-L", "ip", "-S", "-x").stdout
    assert [line.split(None, 2)[2] for line in again.splitlines() if " -A " in line] == [
        rule.split("  # 50rest")[0] for rule in rules]
