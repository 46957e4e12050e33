"""Matches of [ebtables], and those of the other sections that came after test_matches.py: for each some frames that it
must match and some that it must not.

A rule gets "-A FORWARD" in front and "-j DROP" behind; the frames go from port 1 to port 2 of the bridge. Where the
tool whose syntax it is takes the same rule, the same frames are also sent through that tool's rule, and both must
drop the same ones.
"""

import dataclasses
import ipaddress
import struct

import pytest

from lab import BRIDGE_TO_ROUTED, BRIDGED, ROUTED, TO_BRIDGE
from packets import Packet, mac_bytes

UDP, TCP, ICMP = Packet(), Packet(proto="tcp"), Packet(proto="icmp")
MAC1, MAC2, BGA = "02:00:00:00:00:01", "02:00:00:00:00:02", "01:80:c2:00:00:00"


def arp(operation=1, sender="10.0.0.1", target="10.0.0.2", hardware=1, smac=MAC1, tmac="00:00:00:00:00:00",
        ether_type="0x0806", vlan=None):
    body = (struct.pack("!HHBBH", hardware, 0x0800, 6, 4, operation) + mac_bytes(smac)
            + ipaddress.ip_address(sender).packed + mac_bytes(tmac) + ipaddress.ip_address(target).packed)
    return Packet(proto=ether_type, body=body, vlan=vlan)


def llc(body, length=60, **fields):
    """A frame with a length; body begins with its access points."""
    return Packet(proto=f"0x{length:04x}", body=bytes.fromhex(body), **fields)


def bpdu(kind=0, flags=0, root=(0x1000, MAC1), cost=4, sender=(0x2000, MAC2), port=0x8001, times=(256, 5120, 512, 3840),
         **fields):
    body = (b"\x42\x42\x03\0\0" + bytes([2 if kind == 2 else 0, kind, flags]) + struct.pack("!H", root[0])
            + mac_bytes(root[1]) + struct.pack("!IH", cost, sender[0]) + mac_bytes(sender[1])
            + struct.pack("!5H", port, *times))
    return Packet(proto="0x0040", body=body, dmac=BGA, **fields)


@dataclasses.dataclass(frozen=True)
class Row:
    rule: str
    match: tuple
    other: tuple
    family: int = 4
    tool: str = "ebtables"  # that takes the rule, too; None: it does not, or means something else by it
    section: str = "[ebtables]"
    paths: tuple = (BRIDGED,)
    bridge_names: bool = False  # needs what not every kernel has


def row(rule, match, other, **fields):
    return Row(rule, match if isinstance(match, tuple) else (match,), other if isinstance(other, tuple) else (other,),
               **fields)


def row6(rule, match, other, **fields):
    return row(rule, match, other, family=6, **fields)


def ip_row(rule, match, other, family=4, **fields):
    return row(rule, match, other, family=family, paths=(BRIDGED, ROUTED), tool="ip6tables" if family == 6 else
               "iptables", section="[ip6tables]" if family == 6 else "[iptables]", **fields)


def mss(size):
    return TCP.but(tcp_options=b"\x01\x01\x04\x02" + struct.pack("!BBH", 2, 4, size))


def fragment(offset, more, number=0x1234):
    return UDP.but(fragment=(offset, more), fragment_id=number)


OTHERS = (arp(), llc("424203"), UDP.but(vlan=5))

ROWS = [
    # EtherTypes: 802_1Q is on the wire, all others are behind the tag.
    row("-p LENGTH", (llc("424203"), llc("ffff00")), (UDP, arp())),
    row("! -p LENGTH", (UDP, arp()), (llc("424203"), llc("ffff00"))),
    row("-p IPv4", (UDP, UDP.but(vlan=5)), (arp(), arp(vlan=5), llc("424203")), tool=None),
    row("! -p IPv4", (arp(), arp(vlan=5)), (UDP, UDP.but(vlan=5)), tool=None),
    row("-p 802_1Q", (UDP.but(vlan=5), arp(vlan=6)), (UDP, arp())),
    # VLAN tags.
    row("-p 802_1Q --vlan-id 5", UDP.but(vlan=5, pcp=3), (UDP, UDP.but(vlan=6), UDP.but(vlan=4))),
    row("-p 802_1Q ! --vlan-id 5", UDP.but(vlan=6), (UDP, UDP.but(vlan=5, pcp=1))),
    row("-p 802_1Q --vlan-prio 5", (UDP.but(vlan=5, pcp=5), UDP.but(vlan=0, pcp=5)),
        (UDP, UDP.but(vlan=5, pcp=4), UDP.but(vlan=5))),
    row("-p 802_1Q ! --vlan-prio 5", UDP.but(vlan=5, pcp=4), (UDP, UDP.but(vlan=5, pcp=5))),
    row("-p 802_1Q --vlan-encap IPv4", UDP.but(vlan=5), (UDP, arp(vlan=5))),
    row("-p 802_1Q --vlan-encap ! 0806", UDP.but(vlan=5), (UDP, arp(vlan=5))),
    row("-p 802_1Q --vlan-id 5 --vlan-prio 2 --vlan-encap ARP", arp(vlan=5).but(pcp=2),
        (arp(vlan=5), UDP.but(vlan=5, pcp=2)), tool=None),
    # IPv4.
    row("-p IPv4 --ip-src 10.0.0.1", UDP, (UDP.but(src="behind"), *OTHERS[:2])),
    row("-p IPv4 --ip-src 10.0.0.1", UDP.but(vlan=5), UDP.but(src="behind", vlan=5), tool=None),
    row("-p IPv4 --ip-source ! 10.0.0.0/24", UDP.but(src="behind"), (UDP, *OTHERS[:2])),
    row("-p IPv4 --ip-dst 10.0.0.0/255.255.255.0", UDP, (UDP.but(dst="behind"), *OTHERS[:2])),
    row("-p IPv4 ! --ip-destination 10.0.0.2", UDP.but(dst="behind"), UDP),
    row("-p IPv4 --ip-tos 0xb8", UDP.but(dscp=46), (UDP.but(dscp=46, ecn=1), UDP)),
    row("-p IPv4 --ip-tos ! 0xb9", UDP.but(dscp=46), UDP.but(dscp=46, ecn=1)),
    row("-p IPv4 --ip-proto udp", UDP, (TCP, ICMP)),
    row("-p IPv4 ! --ip-proto 6", (UDP, ICMP), TCP),
    row("-p IPv4 --ip-proto udp --ip-dport 67", UDP.but(dport=67), (UDP, TCP.but(dport=67), UDP.but(sport=67))),
    row("-p IPv4 --ip-proto tcp --ip-sport 1:1023", TCP.but(sport=1023), (TCP.but(sport=1024), UDP.but(sport=1))),
    row("-p IPv4 --ip-proto tcp --ip-destination-port ! 80", TCP.but(dport=81), (TCP.but(dport=80), UDP)),
    row("-p IPv4 --ip-proto udp --ip-dport 1:65535", UDP, UDP.but(fragment=(64, False))),
    row("-p IPv4 --ip-proto icmp --ip-icmp-type echo-request", ICMP, (ICMP.but(type=0), UDP)),
    row("-p IPv4 --ip-proto icmp --ip-icmp-type 3:5/1:2", (ICMP.but(type=3, code=1), ICMP.but(type=5, code=2)),
        (ICMP.but(type=3, code=3), ICMP.but(type=6, code=1))),
    row("-p IPv4 --ip-proto icmp ! --ip-icmp-type 3/1", (ICMP, ICMP.but(type=3, code=2)), ICMP.but(type=3, code=1)),
    # IPv6.
    row6("-p IPv6 --ip6-src 2001:db8::/64", UDP, UDP.but(src="behind")),
    row6("-p IPv6 --ip6-dst ! 2001:db8::2", UDP.but(dst="behind"), UDP),
    row6("-p IPv6 --ip6-tclass 0xb8", UDP.but(dscp=46), (UDP.but(dscp=46, ecn=1), UDP)),
    row6("-p IPv6 --ip6-proto tcp --ip6-dport 80:90", TCP.but(dport=90), (TCP.but(dport=91), UDP.but(dport=80))),
    row6("-p IPv6 --ip6-proto udp --ip6-sport ! 5", UDP.but(sport=6), (UDP.but(sport=5), TCP)),
    row6("-p IPv6 --ip6-proto ipv6-icmp --ip6-icmp-type 133:136/0", ICMP.but(type=134),
         (ICMP, ICMP.but(type=134, code=1), UDP)),
    row6("-p IPv6 --ip6-proto ipv6-icmp --ip6-icmp-type ! echo-request", ICMP.but(type=129), (ICMP, UDP)),
    # ARP.
    row("-p ARP --arp-op Request", arp(), (arp(2), UDP, arp(1, ether_type="0x8035"))),
    row("-p ARP --arp-op ! 1", arp(2), (arp(), UDP)),
    row("-p RARP --arp-op 3", arp(3, ether_type="0x8035"), (arp(3), arp(4, ether_type="0x8035"))),
    row("-p ARP --arp-htype 1", arp(), arp(hardware=6)),
    row("-p ARP --arp-ptype 0x0800", (arp(), arp(hardware=6)), UDP),
    row("-p ARP --arp-ip-src 10.0.0.0/24", arp(), (arp(sender="10.0.1.1"), UDP)),
    row("-p ARP --arp-ip-src ! 10.0.0.1", arp(sender="10.0.0.9"), arp()),
    row("-p ARP --arp-ip-dst 10.0.0.2", arp(), arp(target="10.0.0.3")),
    row("-p ARP --arp-ip-dst 10.0.0.2", arp(vlan=5), arp(target="10.0.0.3", vlan=5), tool=None),
    row("-p ARP --arp-mac-src 02:00:00:00:00:00/ff:ff:ff:ff:ff:00", arp(), arp(smac="02:00:00:00:01:01")),
    row("-p ARP ! --arp-mac-dst 02:00:00:00:00:02", arp(), arp(tmac=MAC2)),
    # 802.3 and the spanning tree, which ebtables reads from wrong places: its protocol number has one byte too few.
    row("-p LENGTH --802_3-sap 0x42", llc("424203"), (llc("e0e003"), UDP)),
    row("-p LENGTH --802_3-sap ! 0x42", llc("e0e003"), (llc("424203"), llc("42e003"))),
    row("-p LENGTH --802_3-type 0x2000", llc("aaaa0300000c2000"), (llc("aaaa0300000c2001"), llc("4242030000002000"))),
    row("-d BGA --stp-type config", bpdu(), (bpdu(0x80), llc("e0e003", dmac=BGA), UDP), tool=None),
    row("-d BGA --stp-type ! config", bpdu(0x80), bpdu(), tool=None),
    row("-d BGA --stp-flags topology-change", bpdu(flags=1), (bpdu(), bpdu(0x80, 1)), tool=None),
    row("-d BGA --stp-root-prio 4096:8191", bpdu(), bpdu(root=(0x2000, MAC1)), tool=None),
    row("-d BGA --stp-root-addr 02:00:00:00:00:00/ff:ff:ff:ff:ff:00", bpdu(), bpdu(root=(0x1000, "02:00:00:00:01:01")), tool=None),
    row("-d BGA --stp-root-cost ! 5", bpdu(), bpdu(cost=5), tool=None),
    row("-d BGA --stp-sender-prio 8192", bpdu(), bpdu(sender=(0x1000, MAC2)), tool=None),
    row("-d BGA --stp-sender-addr ! 02:00:00:00:00:01", bpdu(), bpdu(sender=(0x2000, MAC1)), tool=None),
    row("-d BGA --stp-port 32769:", bpdu(), bpdu(port=0x8000), tool=None),
    row("-d BGA --stp-msg-age :256", bpdu(), bpdu(times=(257, 5120, 512, 3840)), tool=None),
    row("-d BGA --stp-max-age 5120", bpdu(), bpdu(times=(256, 5121, 512, 3840)), tool=None),
    row("-d BGA --stp-hello-time 512", bpdu(), bpdu(times=(256, 5120, 511, 3840)), tool=None),
    row("-d BGA --stp-forward-delay 3840", bpdu(), bpdu(times=(256, 5120, 512, 0)), tool=None),
    row("--stp-root-prio 4096", bpdu(2), bpdu(2, root=(0, MAC1)), tool=None),  # rapid spanning tree
    # Addresses, ports and what the kernel knows.
    row("-d BGA", bpdu(), UDP),
    row("-d Multicast", (bpdu(), UDP.but(dmac="01:00:5e:00:00:05")), UDP),
    row("-s Unicast -d ! Broadcast -p ARP", arp(), arp().but(dmac="ff:ff:ff:ff:ff:ff")),
    row("--among-src 02:00:00:00:00:01,02:00:00:00:00:99", UDP, UDP.but(smac="02:00:00:00:00:98")),
    row("--among-dst ! 02:00:00:00:00:02,", UDP.but(dmac="ff:ff:ff:ff:ff:ff"), UDP),
    row("--pkttype-type broadcast", UDP.but(dmac="ff:ff:ff:ff:ff:ff"), (UDP, bpdu())),
    row("--pkttype-type ! otherhost -p IPv4", UDP.but(dmac="ff:ff:ff:ff:ff:ff"), UDP),
    row("-p IPv4 --logical-in br0", UDP, arp(), bridge_names=True),
    row("-p IPv4 ! --logical-out br+", (), UDP, bridge_names=True),
    row("-p IPv4 --logical-out ! br1", UDP, arp(), bridge_names=True),
    row("-p ARP --comment rule_id:10", arp(), UDP, tool=None),
    row("-p ARP --mark 0", arp(), UDP),
    row("-p ARP --mark /0xffff", (), arp()),
    # [iptables] and [ip6tables]
    ip_row("-m ecn --ecn-ip-ect 3", UDP.but(ecn=3, dscp=9), (UDP.but(ecn=2), UDP)),
    ip_row("-m ecn ! --ecn-ip-ect 0", UDP.but(ecn=1), UDP.but(dscp=63)),
    ip_row("-m ecn --ecn-ip-ect 1", UDP.but(ecn=1, dscp=9), (UDP.but(ecn=2), UDP), family=6),
    ip_row("-p tcp -m ecn --ecn-tcp-ece", TCP.but(flags="syn,ece"), (TCP.but(flags="syn,cwr"), TCP)),
    ip_row("-p tcp -m ecn --ecn-tcp-cwr ! --ecn-tcp-ece", TCP.but(flags="ack,cwr"), (TCP.but(flags="ece,cwr"), TCP)),
    ip_row("-p tcp -m tcpmss --mss 536:1460", (mss(536), mss(1460)), (mss(535), mss(1461), TCP, UDP)),
    ip_row("-p tcp -m tcpmss ! --mss 536:65535", (mss(535), TCP), (mss(536), UDP)),
    ip_row("-p tcp -m tcpmss --mss 1000", mss(1000), (mss(1001), TCP), family=6),
    ip_row("-m frag", (fragment(0, True), fragment(64, False)), UDP, family=6),
    ip_row("-m frag --fragfirst --fragmore", fragment(0, True), (fragment(64, True), fragment(0, False)), family=6),
    ip_row("-m frag --fraglast --fragres", fragment(64, False), (fragment(64, True), UDP), family=6),
    ip_row("-m frag --fragid 5:6", fragment(0, True, 6), (fragment(0, True, 7), UDP), family=6),
    ip_row("-m frag ! --fragid 5", fragment(0, True, 7), (fragment(0, True, 5), UDP), family=6),
]


def need_bridge_names(lab):
    done = lab.switch.ns.run("nft", "-c", "-f", "-", check=False, input="table bridge try { chain c { meta ibrname br0; }; }")
    if done.returncode:
        pytest.skip("this kernel cannot test the bridge that a port is in (nft_meta_bridge)")


def cases():
    return [pytest.param(row, path, id=f"{row.rule}-{row.family}-{path.name}".replace(" ", "_"))
            for row in ROWS for path in row.paths]


@pytest.mark.parametrize("row,path", cases())
def test_a_match_matches_what_it_says_and_nothing_else(shared_lab, acl, row, path):
    if row.bridge_names:
        need_bridge_names(shared_lab)
    frames = (*row.match, *row.other)
    expected = [True] * len(row.match) + [False] * len(row.other)
    acl.install("t", [row.section, f"-A FORWARD {row.rule} -j DROP"])
    assert dropped(shared_lab, path, row, frames) == expected
    acl.remove("t")
    rule = ("FORWARD", *row.rule.split(), "-j", "DROP")
    ns = shared_lab.switch.ns
    if row.tool == "ebtables" or (row.tool and path is ROUTED):
        ns.run(row.tool, "-A", *rule)
        try:
            assert dropped(shared_lab, path, row, frames) == expected, f"{row.tool} disagrees"
        finally:
            ns.run(row.tool, "-F", "FORWARD")
    assert not any(dropped(shared_lab, path, row, frames)), "still there after DELETE"


def dropped(lab, path, row, frames):
    return [seen is None for seen in lab.send(path, row.family, *(frame.but() for frame in frames))]


PHYSDEV = [
    # rule, then which of bridged, its reverse, routed, and from a port of the bridge to a routed one are dropped
    ("--physdev-in swp1", "bridged upward"),
    ("--physdev-in swp3", ""),
    ("--physdev-out swp1", "reverse"),
    ("--physdev-in swp+ --physdev-out swp2", "bridged"),
    ("! --physdev-in swp1", "reverse routed"),
    ("--physdev-in swp1 ! --physdev-is-bridged", "upward"),
    ("--physdev-is-bridged", "bridged reverse"),
    ("! --physdev-is-bridged", "routed upward"),
    ("--physdev-is-in", "bridged reverse"),
    ("! --physdev-is-out", "routed upward"),
]


@pytest.mark.parametrize("rule,names", PHYSDEV, ids=[rule.replace(" ", "_") for rule, _ in PHYSDEV])
def test_bridge_ports_are_those_of_bridged_packets(shared_lab, acl, rule, names):
    acl.install("t", ["[iptables]", f"-A FORWARD -p udp -m physdev {rule} -j DROP"])
    for name, path in (("bridged", BRIDGED), ("reverse", BRIDGED.reverse()), ("routed", ROUTED),
                       ("upward", BRIDGE_TO_ROUTED)):
        assert shared_lab.passes(path, 4, Packet()) == (name not in names), name


def test_a_packet_to_the_switch_has_the_bridge_port_it_came_by(shared_lab, acl):
    acl.install("t", ["[iptables]", "-A INPUT -p udp --dport 5 -m physdev --physdev-in swp1 -j DROP",
                      "-A INPUT -p udp --dport 6 -m physdev --physdev-in swp2 -j DROP"])
    results = shared_lab.send(TO_BRIDGE, 4, UDP.but(dport=5), UDP.but(dport=6))
    assert [seen is None for seen in results] == [True, False]


def test_a_mark_is_the_user_s_even_where_the_port_is_known(shared_lab, acl):
    """The port by which a packet came in is kept in other bits of the same mark."""
    acl.install("t", ["[ebtables]", "-A FORWARD -p IPv4 --ip-proto udp --ip-dport 5 -j mark --mark-set 102",
                      "[iptables]", "-A FORWARD -i swp1 -m mark --mark 102 -j DROP"])
    for path in (BRIDGED, BRIDGE_TO_ROUTED):
        results = shared_lab.send(path, 4, UDP.but(dport=5), UDP.but(dport=6))
        assert [seen is None for seen in results] == [True, False], path.name


def test_beside_a_bridge_port_an_interface_is_the_bridge(shared_lab, acl):
    need_bridge_names(shared_lab)
    acl.install("t", ["[iptables]", "-A FORWARD -i br0 -m physdev --physdev-in swp1 -j DROP",
                      "-A FORWARD -i swp2 -m physdev --physdev-in swp2 -j DROP"])
    assert not shared_lab.passes(BRIDGED, 4, Packet())
    assert shared_lab.passes(BRIDGED.reverse(), 4, Packet())


def test_a_limit_of_ebtables_lets_its_burst_match(shared_lab, acl):
    acl.install("t", ["[ebtables]", "-A FORWARD -p ARP --limit 1/hour --limit-burst 3 -j DROP"])
    assert [seen is None for seen in shared_lab.send(BRIDGED, 4, *(arp() for _ in range(5)))] == [True] * 3 + [False] * 2
