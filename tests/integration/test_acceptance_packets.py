"""Lines that occur in public policy files, each installed by itself: which packets they must match, and which not."""

import json
import re

import pytest

from daemon import run_acl
from lab import BRIDGED, BRIDGE_TO_ROUTED, FROM_PORT, ROUTED, ROUTED_TO_BRIDGE, TO_BRIDGE, TO_PORT, Lab, fill
from netns import Switch
from packets import Packet

# Ports of those files that the lab does not have, and what stands for them.
STAND_INS = {"swp1s0": "swp1", "swp1s1": "swp3", "swp1s2": "swp2", "swp1s3": "swp4", "swp31": "swp1", "swp19": "swp2",
             "swp5": "swp2", "mgmt": "swp3", "vlan100": "br0"}
VARIABLES = ["INGRESS_CHAIN = INPUT,FORWARD", "INGRESS_INTF = swp+", 'MARTIANS = "240.0.0.0/5, 127.0.0.0/8,224.0.0.0/8"']

tcp, udp = Packet(proto="tcp"), Packet()

# Section, rule, packets that must match, packets that must not: (path, packet). What is sent has to come out at the end of
# its path, unless the rule drops what it matches.
ROWS = [
    ("[iptables]", "-A INPUT,FORWARD --in-interface swp+ -s 240.0.0.0/5,127.0.0.0/8 -j DROP",
     [(ROUTED, udp.but(src="240.0.0.1")), (BRIDGED, udp.but(src="127.1.2.3")), (TO_PORT, udp.but(src="247.255.255.254"))],
     [(ROUTED, udp), (BRIDGED, udp.but(src="239.0.0.1")), (BRIDGED, udp.but(src="248.0.0.1")), (TO_PORT, udp)]),
    ("[iptables]", "-A $INGRESS_CHAIN --in-interface $INGRESS_INTF -s $MARTIANS -j DROP",
     [(BRIDGED, udp.but(src="224.1.1.1")), (ROUTED, udp.but(src="243.0.0.1"))],
     [(BRIDGED, udp.but(src="225.0.0.1")), (FROM_PORT, udp)]),
    ("[iptables]", "-A $INGRESS_CHAIN --in-interface $INGRESS_INTF -p tcp --dport bgp -j SETCLASS --class 7",
     [(ROUTED, tcp.but(dport=179)), (BRIDGED, tcp.but(dport=179)), (TO_PORT, tcp.but(dport=179))],
     [(ROUTED, tcp.but(dport=178)), (ROUTED, udp.but(dport=179)), (ROUTED, tcp.but(sport=179))]),
    ("[iptables]", "-A $INGRESS_CHAIN -p udp --dport bootps:bootpc -j POLICE --set-mode pkt --set-rate 100 --set-burst 100",
     [(ROUTED, udp.but(dport=67)), (BRIDGED, udp.but(dport=68)), (TO_BRIDGE, udp.but(dport=67))],
     [(ROUTED, udp.but(dport=66)), (BRIDGED, udp.but(dport=69)), (BRIDGED, tcp.but(dport=67))]),
    ("[iptables]", "-A INPUT -i swp+ -m addrtype --dst-type LOCAL -j POLICE --set-mode pkt --set-rate 1000 --set-burst 1000 "
     "--set-class 0", [(TO_PORT, udp), (TO_PORT, tcp)], [(ROUTED, udp), (BRIDGED, udp)]),
    ("[iptables]", "-A INPUT -i swp+ -m addrtype --dst-type IPROUTER -j POLICE --set-mode pkt --set-rate 400 --set-burst 100 "
     "--set-class 0", [], [(TO_PORT, udp), (ROUTED, udp), (BRIDGED, udp)]),
    ("[iptables]", "-A INPUT -i mgmt -s 10.0.14.2/32 -p tcp --dport ssh -j ACCEPT",
     [(TO_PORT, tcp.but(src="10.0.14.2", dport=22))],
     [(TO_PORT, tcp.but(src="10.0.14.3", dport=22)), (TO_PORT, tcp.but(src="10.0.14.2", dport=23)),
      (TO_BRIDGE, tcp.but(src="10.0.14.2", dport=22))]),
    ("[iptables]", "-A FORWARD -i swp1s0,swp1s1 -o swp1s2,swp1s3 -p icmp -j ACCEPT",
     [(BRIDGED, Packet(proto="icmp")), (ROUTED, Packet(proto="icmp"))],
     [(BRIDGED.reverse(), Packet(proto="icmp")), (BRIDGED, udp), (BRIDGE_TO_ROUTED, Packet(proto="icmp"))]),
    ("[iptables]", "-A FORWARD -i swp+ -p tcp -m multiport --dports 1050:1051,1055:1056 -j ACCEPT",
     [(path, tcp.but(dport=port)) for path in (BRIDGED, ROUTED) for port in (1050, 1051, 1055, 1056)],
     [(ROUTED, tcp.but(dport=port)) for port in (1049, 1052, 1054, 1057)] + [(BRIDGED, udp.but(dport=1050))]),
    ("[iptables]", "-A FORWARD -i swp1 -p tcp --tcp-flags SYN,RST,ACK,FIN SYN -j DROP",
     [(BRIDGED, tcp), (BRIDGE_TO_ROUTED, tcp.but(flags="syn,psh"))],
     [(BRIDGED, tcp.but(flags="syn,ack")), (BRIDGED, tcp.but(flags="")), (BRIDGED.reverse(), tcp), (ROUTED, tcp)]),
    ("[iptables]", "-A OUTPUT,FORWARD -o swp+ -p tcp --sport 123 --dport 123 -j DROP",
     [(path, tcp.but(sport=123, dport=123)) for path in (ROUTED, BRIDGED, FROM_PORT)],
     [(ROUTED, tcp.but(dport=123)), (FROM_PORT, tcp.but(sport=123)), (ROUTED, udp.but(sport=123, dport=123))]),
    ("[iptables]", "-t mangle -A PREROUTING -i swp1 -p tcp -m ecn --ecn-tcp-ece -j ACCEPT",
     [(BRIDGED, tcp.but(flags="syn,ece")), (BRIDGE_TO_ROUTED, tcp.but(flags="ece")), (TO_BRIDGE, tcp.but(flags="ece,cwr"))],
     [(BRIDGED, tcp.but(flags="syn,cwr")), (ROUTED, tcp.but(flags="ece"))]),
    ("[iptables]", "-t mangle -A PREROUTING -i swp+ -p tcp -m multiport --sports 10000:20000 -m multiport "
     "--dports 10000:20000 -j SETQOS --set-dscp 34",
     [(path, tcp.but(sport=10000, dport=20000)) for path in (BRIDGED, ROUTED, TO_PORT)],
     [(ROUTED, tcp.but(sport=9999, dport=20000)), (ROUTED, tcp.but(sport=10000, dport=20001))]),
    ("[iptables]", "-t mangle -A PREROUTING -i swp1 -j POLICE --set-mode KB --set-rate 1000 --set-burst 200",
     [(BRIDGED, udp), (BRIDGE_TO_ROUTED, tcp), (TO_BRIDGE, udp)], [(ROUTED, udp), (BRIDGED.reverse(), udp)]),
    ("[iptables]", "-t mangle -A POSTROUTING -o swp1 -p tcp -m multiport --dports 200 -j DROP",
     [(BRIDGED.reverse(), tcp.but(dport=200)), (ROUTED_TO_BRIDGE, tcp.but(dport=200))],
     [(BRIDGED.reverse(), tcp.but(dport=201)), (BRIDGED, tcp.but(dport=200)), (ROUTED_TO_BRIDGE, udp.but(dport=200))]),
    ("[iptables]", "-t mangle -A FORWARD -i swp+ -p tcp --dport bgp -j SETQOS --set-dscp-class ef --set-cos 5",
     [(BRIDGED, tcp.but(dport=179)), (ROUTED, tcp.but(dport=179))],
     [(BRIDGED, tcp.but(dport=180)), (TO_PORT, tcp.but(dport=179))]),
    ("[iptables]", "-A INPUT -p tcp -m comment --comment rule_id:10,acl_name:EXAMPLE1 -j ACCEPT",
     [(TO_PORT, tcp), (TO_BRIDGE, tcp)], [(TO_PORT, udp), (ROUTED, tcp)]),
    ("[iptables]", '-A INPUT -p udp -m limit --limit 1/min -j LOG --log-prefix "FW: " --log-level 3',
     [(TO_PORT, udp), (TO_BRIDGE, udp)], [(TO_PORT, tcp), (BRIDGED, udp)]),
    ("[iptables]", "-t nat -A POSTROUTING -s 10.0.0.0/24 -p tcp -j SNAT --to-source 172.30.58.0-172.30.58.80:1024-1200",
     [(BRIDGE_TO_ROUTED, tcp.but(sport=41001))],
     [(BRIDGE_TO_ROUTED, udp.but(sport=41001)), (ROUTED, tcp.but(sport=41001)), (BRIDGED, tcp.but(sport=41001))]),
    ("[ip6tables]", "-A INPUT -i swp+ -p ipv6-icmp -m icmp6 --icmpv6-type router-solicitation -j POLICE --set-mode pkt "
     "--set-rate 100 --set-burst 100 --set-class 2",
     [(TO_PORT, Packet(proto="icmp", type=133, ttl=255))],
     [(TO_PORT, Packet(proto="icmp", type=129)), (ROUTED, Packet(proto="icmp", type=133))]),
    ("[ip6tables]", "-A FORWARD -o vlan100 -p icmp6 -j ACCEPT",
     [(ROUTED_TO_BRIDGE, Packet(proto="icmp"))],
     [(ROUTED_TO_BRIDGE, udp), (ROUTED, Packet(proto="icmp")), (BRIDGE_TO_ROUTED, Packet(proto="icmp"))]),
    ("[ebtables]", "-A INPUT -d BGA -i swp+ -j setclass --class 7",
     [(BRIDGED, Packet(proto="0x4242", dmac="01:80:c2:00:00:00"))],
     [(BRIDGED, Packet(proto="0x4242", dmac="01:00:5e:00:00:fb")), (BRIDGED, udp)]),
    ("[ebtables]", "-A INPUT -p ARP -j police --set-mode pkt --set-rate 400 --set-burst 100",
     [(BRIDGED, Packet(proto="arp", dmac="ff:ff:ff:ff:ff:ff", dst="10.0.0.2"))],
     [(BRIDGED, Packet(proto="arp")), (TO_BRIDGE, udp)]),
    ("[ebtables]", "-A FORWARD -p 802_1Q --vlan-id 100 -j mark --mark-set 102",
     [(BRIDGED, udp.but(vlan=100)), (BRIDGED.reverse(), tcp.but(vlan=100, pcp=3))],
     [(BRIDGED, udp), (BRIDGED, udp.but(vlan=101)), (ROUTED, udp)]),
    ("[ebtables]", "-A FORWARD -p IPv4 --ip-proto udp --ip-dport 67 -j DROP",
     [(BRIDGED, udp.but(dport=67)), (BRIDGED, udp.but(dport=67, vlan=5))],
     [(BRIDGED, udp.but(dport=68)), (BRIDGED, tcp.but(dport=67)), (ROUTED, udp.but(dport=67))]),
    ("[ebtables]", "-A FORWARD -o swp5 -j setqos --set-cos 4",
     [(BRIDGED, udp), (BRIDGED, udp.but(vlan=7)), (BRIDGED, Packet(proto="0x4242"))], [(BRIDGED.reverse(), udp), (ROUTED, udp)]),
    ("[ebtables]", "-A FORWARD -s 00:00:00:00:00:12 -d 08:9e:01:ce:e2:04 -j DROP",
     [(BRIDGED, udp.but(smac="00:00:00:00:00:12", dmac="08:9e:01:ce:e2:04"))],
     [(BRIDGED, udp.but(smac="00:00:00:00:00:12")), (BRIDGED, udp)]),
]
WHOLE = ["[iptables]", "-A FORWARD -i swp31 -m mark --mark 102 -m dscp --dscp-class CS1 -j SETCLASS --class 2",
         "[ebtables]", "-A FORWARD -p 802_1Q --vlan-id 100 -j mark --mark-set 102"]


def localized(rule):
    return re.sub(r"\b(" + "|".join(STAND_INS) + r")\b", lambda found: STAND_INS[found[0]], rule)


@pytest.fixture(scope="module")
def lab():
    """No server: its own connections would be counted, too."""
    with Switch() as switch:
        for network in ("240.0.0.0/5", "10.0.14.0/24"):  # else the kernel drops what has no way back
            switch.ns.run("ip", "route", "add", network, "dev", "swp3")
        yield Lab(switch)


@pytest.fixture
def install(lab, policy):
    """Installs lines, and returns a function for the packets that each of the rules has counted since."""
    def installed(*lines):
        policy.write("10t.rules", "\n".join([*map(localized, lines), ""]))
        done = run_acl(lab.switch.ns, policy, "-i")
        assert done.returncode == 0, done
        return counted

    def counted():
        done = run_acl(lab.switch.ns, policy, "-L", "all", "--json")
        assert done.returncode == 0, done
        return [rule["packets"] for rule in json.loads(done.stdout)]

    yield installed
    lab.switch.ns.nft("flush ruleset")


@pytest.mark.parametrize("section,rule,hits,misses", ROWS, ids=[row[1] for row in ROWS])
def test_a_line_of_public_files_matches_what_it_must_and_nothing_else(lab, install, section, rule, hits, misses):
    counted = install(*VARIABLES, section, rule)
    family = 6 if section == "[ip6tables]" else 4

    def arrive(wanted):
        return [lab.passes(path, family, packet.but()) for path, packet in wanted]

    assert arrive(misses) == [True] * len(misses)
    assert sum(counted()) == 0, "matched what it must not"
    assert arrive(hits) == [not rule.endswith("DROP")] * len(hits)
    assert sum(counted()) == len(hits), "each is counted once"


def test_a_mark_of_the_bridge_chooses_frames_of_one_vlan_for_a_rule_of_ip(lab, install):
    counted = install(*WHOLE)
    sent = [udp.but(vlan=vlan, dscp=dscp) for vlan, dscp in ((100, 8), (100, 9), (101, 8), (None, 8), (100, 8))]
    assert all(lab.send(BRIDGED, 4, *sent)) and lab.passes(BRIDGED.reverse(), 4, udp.but(vlan=100, dscp=8))
    assert counted() == [2, 4]


def test_frames_of_one_port_are_copied_to_another(lab, install):
    counted = install("[iptables]", "-A FORWARD -i swp4 -j SPAN --dport swp19")
    for path, ends in ((ROUTED.reverse(), {2, 3}), (ROUTED, {4})):
        packet = fill(lab.switch, path, 4, udp.but())
        assert {where for where, data in lab.exchange(path.source, [packet.frame()]) if packet.token in data} == ends
    assert counted() == [1]
