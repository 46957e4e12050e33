"""Every match: one packet that it must match and one that it must not, in IPv4 and IPv6, routed and bridged.

A row's rule gets "-A FORWARD" in front and "-j DROP" behind. What matches must not come out, what does not must, and
after the ACL is gone both must. Braces in a rule: {i} and {o} the path's interfaces, {src} and {dst} its addresses,
{src_behind} and {dst_behind} addresses behind its hosts, {smac} the sender's MAC address.
"""

import dataclasses

import pytest

from lab import BRIDGED, ROUTED, TO_BRIDGE, TO_PORT, fill
from packets import Packet

REVERSE = "reverse"  # instead of a packet: the same packet, sent the other way
SECTION = {4: "[iptables]", 6: "[ip6tables]"}
BOTH, V4, V6 = (4, 6), (4,), (6,)
ANYWHERE = (BRIDGED, ROUTED)


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    rule: str
    match: Packet
    other: object
    families: tuple = BOTH
    paths: tuple = ANYWHERE
    chain: str = "-A FORWARD"


UDP, TCP, ICMP = Packet(), Packet(proto="tcp"), Packet(proto="icmp")
INGRESS = "-t mangle -A PREROUTING"  # sees TTL and hop limit before routing takes one off

ROWS = [
    # Interfaces.
    Row("in interface", "-i {i}", UDP, REVERSE),
    Row("in interface, long", "--in-interface {i}", UDP, REVERSE),
    Row("in interface wildcard", "-i swp+ -p udp", UDP, TCP),
    Row("in interface list", "-i swp9,{i}", UDP, REVERSE),
    Row("not in interface", "! -i {o}", UDP, REVERSE),
    Row("out interface", "-o {o}", UDP, REVERSE),
    Row("out interface, long", "--out-interface {o}", UDP, REVERSE),
    Row("out interface wildcard", "-o swp+ -p udp", UDP, TCP),
    Row("out interface list", "-o {o},swp9", UDP, REVERSE),
    Row("in and out interface", "-i {i} -o {o}", UDP, REVERSE),
    Row("in and out interface lists", "-i swp9,{i} -o swp8,{o}", UDP, REVERSE),
    # Addresses.
    Row("source", "-s {src}", UDP, UDP.but(src="behind")),
    Row("source with length", "-s {src}/32", UDP, UDP.but(src="behind"), families=V4),
    Row("source with length, IPv6", "-s {src}/128", UDP, UDP.but(src="behind"), families=V6),
    Row("source prefix", "-s {src_behind}/16", UDP.but(src="behind2"), UDP, families=V4),
    Row("source netmask", "-s {src_behind}/255.255.0.0", UDP.but(src="behind2"), UDP, families=V4),
    Row("source prefix, IPv6", "-s {src_behind}/48", UDP.but(src="behind2"), UDP, families=V6),
    Row("source list", "-s {src_behind},{src}", UDP, UDP.but(src="behind2")),
    Row("source, long", "--source {src}", UDP, UDP.but(src="behind")),
    Row("not source", "! -s {src_behind}", UDP, UDP.but(src="behind")),
    Row("destination", "-d {dst}", UDP, UDP.but(dst="behind")),
    Row("destination prefix", "-d {dst_behind}/24", UDP.but(dst="behind2"), UDP, families=V4),
    Row("destination prefix, IPv6", "-d {dst_behind}/64", UDP.but(dst="behind2"), UDP, families=V6),
    Row("destination list", "--destination {dst_behind},{dst}", UDP, UDP.but(dst="behind2")),
    Row("not destination", "! -d {dst_behind}", UDP, UDP.but(dst="behind")),
    Row("source and destination lists", "-s {src},{src_behind} -d {dst},{dst_behind}",
        UDP.but(src="behind", dst="behind"), UDP.but(src="behind2", dst="behind")),
    # Protocols.
    Row("udp", "-p udp", UDP, TCP),
    Row("tcp", "-p tcp", TCP, UDP),
    Row("protocol, long", "--protocol tcp", TCP, UDP),
    Row("icmp", "-p icmp", ICMP, UDP, families=V4),
    Row("icmp6", "-p icmp6", ICMP, UDP, families=V6),
    Row("icmpv6", "-p icmpv6", ICMP, UDP, families=V6),
    Row("ipv6-icmp", "-p ipv6-icmp", ICMP, UDP, families=V6),
    Row("protocol by other name", "-p ospf", Packet(proto="ospf"), Packet(proto="pim")),
    Row("protocol by number", "-p 89", Packet(proto="ospf"), Packet(proto="pim")),
    Row("not protocol", "! -p tcp", UDP, TCP),
    Row("protocol behind extension headers", "-p udp --dport 53", Packet(dport=53, extensions=("hop", "dest")),
        Packet(dport=54, extensions=("hop", "dest")), families=V6),
    Row("protocol behind options", "-p udp --dport 53", Packet(dport=53, options=b"\1" * 8),
        Packet(dport=54, options=b"\1" * 8), families=V4),
    # Ports.
    Row("udp destination port", "-p udp --dport 53", Packet(dport=53), Packet(dport=54)),
    Row("udp, other protocol with the same port", "-p udp --dport 53", Packet(dport=53), TCP.but(dport=53)),
    Row("udp source port", "-p udp --sport 53", Packet(sport=53), Packet(dport=53)),
    Row("tcp destination port", "-p tcp --dport 80", TCP.but(dport=80), TCP.but(dport=81)),
    Row("ports, long", "-p tcp --source-port 80 --destination-port 81", TCP.but(sport=80, dport=81),
        TCP.but(sport=81, dport=80)),
    Row("explicit -m", "-p tcp -m tcp --dport 80", TCP.but(dport=80), TCP.but(dport=81)),
    Row("port by service name", "-p tcp --dport bgp", TCP.but(dport=179), TCP.but(dport=180)),
    Row("port range by service names", "-p udp --dport bootps:bootpc", Packet(dport=68), Packet(dport=69)),
    Row("port range", "-p udp --dport 100:200", Packet(dport=200), Packet(dport=201)),
    Row("port range with open end", "-p udp --sport 60000:", Packet(sport=65535), Packet(sport=59999)),
    Row("port range with open start", "-p udp --dport :1023", Packet(dport=0), Packet(dport=1024)),
    Row("not port", "-p udp ! --dport 53", Packet(dport=54), Packet(dport=53)),
    Row("multiport, destination", "-p tcp -m multiport --dports 1050:1051,1055:1056", TCP.but(dport=1056),
        TCP.but(dport=1053)),
    Row("multiport, source", "-p udp -m multiport --sports 10,20,30", Packet(sport=20), Packet(dport=20)),
    Row("multiport, either, by source", "-p udp -m multiport --ports 10,20", Packet(sport=20), Packet(sport=21)),
    Row("multiport, either, by destination", "-p udp -m multiport --ports 10,20", Packet(dport=10), Packet(dport=11)),
    Row("multiport with --dport", "-p tcp -m multiport --dport 22,23", TCP.but(dport=23), TCP.but(dport=24)),
    Row("multiport, inverted", "-p udp -m multiport ! --dports 10,20", Packet(dport=11), Packet(dport=10)),
    Row("multiport, both", "-p tcp -m multiport --sports 10000:20000 -m multiport --dports 10000:20000",
        TCP.but(sport=15000, dport=15000), TCP.but(sport=15000, dport=9)),
    # TCP flags.
    Row("syn", "-p tcp --syn", TCP, TCP.but(flags="syn,ack")),
    Row("not syn", "-p tcp ! --syn", TCP.but(flags="ack"), TCP),
    Row("tcp flags", "-p tcp --tcp-flags SYN,RST,ACK,FIN SYN", TCP.but(flags="syn,psh"), TCP.but(flags="syn,rst")),
    Row("tcp flags, none", "-p tcp --tcp-flags ALL NONE", TCP.but(flags=""), TCP.but(flags="ack")),
    Row("tcp flags, all", "-p tcp --tcp-flags ALL ALL", TCP.but(flags="fin,syn,rst,psh,ack,urg"),
        TCP.but(flags="fin,syn,rst,psh,ack")),
    Row("not tcp flags", "-p tcp ! --tcp-flags SYN,ACK SYN", TCP.but(flags="ack"), TCP),
    # ICMP.
    Row("icmp type by name", "-p icmp --icmp-type echo-request", ICMP, ICMP.but(type=0), families=V4),
    Row("icmp type by number", "-p icmp -m icmp --icmp-type 13", ICMP.but(type=13), ICMP.but(type=14), families=V4),
    Row("icmp type and code", "-p icmp --icmp-type 3/1", ICMP.but(type=3, code=1), ICMP.but(type=3, code=2),
        families=V4),
    Row("not icmp type", "-p icmp ! --icmp-type 8", ICMP.but(type=0), ICMP, families=V4),
    Row("icmp6 type by name", "-p ipv6-icmp -m icmp6 --icmpv6-type router-solicitation", ICMP.but(type=133),
        ICMP.but(type=134), families=V6),
    Row("icmp6 type by number", "-p icmp6 --icmpv6-type 128", ICMP, ICMP.but(type=129), families=V6),
    Row("icmp6 type and code", "-p icmp6 --icmpv6-type 1/4", ICMP.but(type=1, code=4), ICMP.but(type=1, code=3),
        families=V6),
    # Fields of the IP header.
    Row("dscp", "-m dscp --dscp 46", UDP.but(dscp=46), UDP.but(dscp=10)),
    Row("dscp in hex", "-m dscp --dscp 0x2e", UDP.but(dscp=46, ecn=1), UDP.but(dscp=47)),
    Row("dscp class", "-m dscp --dscp-class CS1", UDP.but(dscp=8), UDP.but(dscp=0)),
    Row("dscp class, assured forwarding", "-m dscp --dscp-class af41", UDP.but(dscp=34), UDP.but(dscp=36)),
    Row("not dscp", "-p udp -m dscp ! --dscp 46", UDP.but(dscp=0), UDP.but(dscp=46)),
    Row("ttl", "-m ttl --ttl-eq 33", UDP.but(ttl=33), UDP.but(ttl=34), families=V4, chain=INGRESS),
    Row("ttl less", "-m ttl --ttl-lt 33", UDP.but(ttl=32), UDP.but(ttl=33), families=V4, chain=INGRESS),
    Row("ttl greater", "-p udp -m ttl --ttl-gt 33", UDP.but(ttl=34), UDP.but(ttl=33), families=V4, chain=INGRESS),
    Row("hop limit", "-m hl --hl-eq 33", UDP.but(ttl=33), UDP.but(ttl=34), families=V6, chain=INGRESS),
    Row("hop limit less", "-m hl --hl-lt 33", UDP.but(ttl=32), UDP.but(ttl=33), families=V6, chain=INGRESS),
    Row("hop limit greater", "-p udp -m hl --hl-gt 33", UDP.but(ttl=34), UDP.but(ttl=33), families=V6, chain=INGRESS),
    Row("fragment", "-f", UDP.but(fragment=(64, False)), UDP.but(fragment=(0, True)), families=V4),
    Row("not fragment", "! -f -p udp", UDP.but(fragment=(0, True)), UDP.but(fragment=(64, False)), families=V4),
    Row("ports of a later fragment are not looked at", "-p udp --dport 1:65535", UDP,
        UDP.but(fragment=(64, False))),
    Row("length", "-m length --length 200:300", UDP.but(payload=200), UDP.but(payload=400)),
    Row("length of one value", "-m length --length 228", UDP.but(payload=200), UDP.but(payload=201), families=V4),
    Row("length of one value, IPv6", "-m length --length 248", UDP.but(payload=200), UDP.but(payload=199),
        families=V6),
    Row("not length", "-m length ! --length 0:300", UDP.but(payload=400), UDP.but(payload=200)),
    # What is not in the IP header.
    Row("source address range", "-m iprange --src-range {src_behind}-{src_behind2}", UDP.but(src="behind2"), UDP),
    Row("destination address range", "-m iprange --dst-range {dst_behind}-{dst_behind2}", UDP.but(dst="behind"),
        UDP.but(dst="behind3")),
    Row("not address range", "-m iprange ! --src-range {src_behind}-{src_behind2}", UDP, UDP.but(src="behind2")),
    Row("mac", "-m mac --mac-source {smac}", UDP, UDP.but(smac="02:00:00:00:0a:0b")),
    Row("not mac", "-m mac ! --mac-source {smac}", UDP.but(smac="02:00:00:00:0a:0b"), UDP),
    Row("mark", "-m mark --mark 102", UDP.but(dport=5102), UDP.but(dport=5103)),
    Row("mark with mask", "-m mark --mark 0x2/0xf", UDP.but(dport=5114), UDP.but(dport=5103)),
    Row("comment", "-p udp -m comment --comment rule_id:10,acl_name:EXAMPLE1", UDP, TCP),
    Row("quoted comment", '-p udp -m comment --comment "a #1, b"', UDP, TCP),
    Row("several matches", "-i {i} -s {src} -p udp --dport 53 -m dscp --dscp 46 -m length --length 0:500",
        UDP.but(dport=53, dscp=46), UDP.but(dport=53, dscp=45)),
    Row("inside a VLAN", "-p udp --dport 53", UDP.but(dport=53, vlan=100), UDP.but(dport=54, vlan=100),
        paths=(BRIDGED,)),
]

# The rules of others, on which "mark" rests: they run ahead of ours.
MARKS = """
table inet marks { chain c { type filter hook prerouting priority -400; meta mark set udp dport map {
  5102 : 102, 5103 : 103, 5114 : 114 }; }; }
table bridge marks { chain c { type filter hook prerouting priority -400; meta mark set udp dport map {
  5102 : 102, 5103 : 103, 5114 : 114 }; }; }
"""


@pytest.fixture(scope="module", autouse=True)
def marks(shared_lab):
    shared_lab.switch.ns.nft(MARKS)
    yield
    shared_lab.switch.ns.nft("delete table inet marks; delete table bridge marks;")


def cases():
    return [pytest.param(row, family, path, id=f"{row.name}-{family}-{path.name}".replace(" ", "_"))
            for row in ROWS for family in row.families for path in row.paths]


def rule_text(row, switch, family, path):
    usual = fill(switch, path, family, Packet())
    source, target = switch.hosts[path.source], switch.hosts[path.target]
    return row.rule.format(i=path.ingress, o=path.egress, src=usual.src, dst=usual.dst, smac=usual.smac,
                           src_behind=source.behind(family), src_behind2=source.behind(family, 2),
                           dst_behind=target.behind(family), dst_behind2=target.behind(family, 2))


@pytest.mark.parametrize("row,family,path", cases())
def test_a_match_matches_what_it_says_and_nothing_else(shared_lab, acl, row, family, path):
    rule = f"{row.chain} {rule_text(row, shared_lab.switch, family, path)} -j DROP"
    other_path, other = (path.reverse(), row.match) if row.other == REVERSE else (path, row.other)
    acl.install("t", [SECTION[family], rule])
    assert not shared_lab.passes(path, family, row.match.but()), f"{rule}: did not match"
    assert shared_lab.passes(other_path, family, other.but()), f"{rule}: matched what it must not"
    acl.remove("t")
    assert shared_lab.passes(path, family, row.match.but()), f"{rule}: still there after DELETE"


@pytest.mark.parametrize("path", ANYWHERE, ids=lambda path: path.name)
@pytest.mark.parametrize("family", BOTH)
def test_a_rule_of_one_family_leaves_the_other_alone(shared_lab, acl, family, path):
    acl.install("t", [SECTION[family], "-A FORWARD -j DROP"])
    assert not shared_lab.passes(path, family, Packet())
    assert shared_lab.passes(path, 10 - family, Packet())
    if path is BRIDGED:
        assert shared_lab.passes(path, family, Packet(proto="arp") if family == 4 else Packet(proto="0x88cc"))


@pytest.mark.parametrize("path", ANYWHERE, ids=lambda path: path.name)
def test_a_wildcard_of_other_ports_matches_nothing_here(shared_lab, acl, path):
    acl.install("t", ["[iptables]", "-A FORWARD -i bond+ -j DROP", "-A FORWARD -o bond+ -j DROP"])
    assert shared_lab.passes(path, 4, Packet())


@pytest.mark.parametrize("words", ("-m conntrack --ctstate", "-m state --state"))
@pytest.mark.parametrize("family", BOTH)
def test_connection_state_tells_new_from_established(shared_lab, acl, family, words):
    acl.install("t", [SECTION[family], f"-A FORWARD -i swp3 -p udp {words} ESTABLISHED -j DROP"])
    there = Packet(sport=1000 + family * 10 + len(words), dport=2000)
    back = Packet(sport=2000, dport=there.sport)
    assert shared_lab.passes(ROUTED, family, there), "NEW"
    assert shared_lab.passes(ROUTED.reverse(), family, back), "not from swp3"
    assert not shared_lab.passes(ROUTED, family, there.but()), "ESTABLISHED"
    acl.install("t", [SECTION[family], f"-A FORWARD -i swp3 -p udp {words} NEW,INVALID -j DROP"])
    assert shared_lab.passes(ROUTED, family, there.but()), "ESTABLISHED"
    assert not shared_lab.passes(ROUTED, family, there.but(sport=there.sport + 1)), "NEW"


@pytest.mark.parametrize("family", BOTH)
def test_address_type_tells_local_from_routed(shared_lab, acl, family):
    rules = ["-A INPUT,FORWARD -p udp --dport 53 -m addrtype --dst-type LOCAL -j DROP",
             "-A INPUT,FORWARD -p udp --dport 54 -m addrtype --dst-type UNICAST -j DROP",
             "-A INPUT,FORWARD -p udp --dport 55 -m addrtype ! --dst-type LOCAL -j DROP",
             "-A FORWARD -p udp --dport 56 -m addrtype --src-type UNICAST --dst-type UNICAST -j DROP"]
    acl.install("t", [SECTION[family], *rules])
    for path, dropped in ((TO_PORT, [53]), (TO_BRIDGE, [53]), (ROUTED, [54, 55, 56])):
        results = shared_lab.send(path, family, *(Packet(dport=port) for port in (53, 54, 55, 56)))
        assert [port for port, seen in zip((53, 54, 55, 56), results) if seen is None] == dropped, path.name
