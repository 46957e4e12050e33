"""The control plane: our own policy for it, and policies written as the default files of Cumulus Linux are."""

import json
import os

import pytest

from daemon import run_acl
from lab import BRIDGED, ROUTED, TO_BRIDGE, TO_PORT, Lab
from netns import Switch
from packets import Packet

OURS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../aclserver/control_plane.rules")
MSS = b"\2\4\5\xb4"

# Written in the forms of the files 00control_plane and 99control_plane_catch_all of releases 3 and 4.
CLASSIC = """INGRESS_INTF = swp+
INGRESS_CHAIN = INPUT
INNFWD_CHAIN = INPUT,FORWARD
MARTIANS4 = "240.0.0.0/5,127.0.0.0/8,224.0.0.0/4"
MARTIANS6 = "ff00::/8,::1/128"
CLAG_PORT = 5342
[iptables]
-A $INNFWD_CHAIN --in-interface $INGRESS_INTF -s $MARTIANS4 -j DROP
-A $INGRESS_CHAIN --in-interface $INGRESS_INTF -p udp --dport 3784 -j SETCLASS --class 7
-A $INGRESS_CHAIN -p udp --dport 3784 -j POLICE --set-mode pkt --set-rate 2000 --set-burst 2000
-A $INGRESS_CHAIN --in-interface $INGRESS_INTF -p ospf -j SETCLASS --class 7
-A $INGRESS_CHAIN -p ospf -j POLICE --set-mode pkt --set-rate 2000 --set-burst 2000
-A $INGRESS_CHAIN --in-interface $INGRESS_INTF -p tcp --sport bgp -j SETCLASS --class 7
-A $INGRESS_CHAIN -p tcp --sport bgp -j POLICE --set-mode pkt --set-rate 2000 --set-burst 2000
-A $INGRESS_CHAIN --in-interface $INGRESS_INTF -p udp --dport $CLAG_PORT -j SETCLASS --class 7
-A $INGRESS_CHAIN --in-interface $INGRESS_INTF -p icmp -j SETCLASS --class 2
-A $INGRESS_CHAIN -p icmp -j POLICE --set-mode pkt --set-rate 100 --set-burst 40
-A $INGRESS_CHAIN -p igmp -j POLICE --set-mode pkt --set-rate 300 --set-burst 100
-A $INGRESS_CHAIN -p udp --dport bootps:bootpc -j POLICE --set-mode pkt --set-rate 100 --set-burst 100
-A $INGRESS_CHAIN -p tcp --dport bootps:bootpc -j POLICE --set-mode pkt --set-rate 100 --set-burst 100
-A $INGRESS_CHAIN -p udp -m ttl --ttl-eq 1 -j ACCEPT
-A INPUT -i $INGRESS_INTF -m addrtype --dst-type LOCAL -j POLICE --set-mode pkt --set-rate 1000 --set-burst 1000 --set-class 0
-A INPUT -i $INGRESS_INTF -m addrtype --dst-type IPROUTER -j POLICE --set-mode pkt --set-rate 400 --set-burst 100 --set-class 0
-A INPUT -i $INGRESS_INTF -j SETCLASS --class 0
[ip6tables]
-A $INNFWD_CHAIN --in-interface $INGRESS_INTF -s $MARTIANS6 -j DROP
-A $INGRESS_CHAIN --in-interface $INGRESS_INTF -p ospf -j POLICE --set-mode pkt --set-rate 2000 --set-burst 2000 --set-class 7
-A $INGRESS_CHAIN --in-interface $INGRESS_INTF -p ipv6-icmp -m icmp6 --icmpv6-type router-solicitation -j POLICE \
--set-mode pkt --set-rate 100 --set-burst 100 --set-class 2
-A $INGRESS_CHAIN --in-interface $INGRESS_INTF -p ipv6-icmp -m icmp6 --icmpv6-type 130 -j POLICE --set-mode pkt \
--set-rate 200 --set-burst 100 --set-class 6
-A $INGRESS_CHAIN --in-interface $INGRESS_INTF -p ipv6-icmp -j POLICE --set-mode pkt --set-rate 64 --set-burst 40 --set-class 2
-A INPUT -i $INGRESS_INTF -m addrtype --dst-type LOCAL -j POLICE --set-mode pkt --set-rate 1000 --set-burst 1000 --set-class 0
[ebtables]
-A $INGRESS_CHAIN -d 01:80:c2:00:00:02 -i $INGRESS_INTF -j setclass --class 7
-A $INGRESS_CHAIN -d 01:80:c2:00:00:02 -j police --set-mode pkt --set-rate 2000 --set-burst 2000
-A $INGRESS_CHAIN -d BGA -i $INGRESS_INTF -j setclass --class 7
-A $INGRESS_CHAIN -p 0x88cc -j police --set-mode pkt --set-rate 200 --set-burst 200
-A $INGRESS_CHAIN -p ARP -i $INGRESS_INTF -j setclass --class 2
-A $INGRESS_CHAIN -p ARP -j police --set-mode pkt --set-rate 400 --set-burst 100
-A INPUT -p IPv4 -i $INGRESS_INTF -j ACCEPT
-A INPUT -p IPv6 -i $INGRESS_INTF -j ACCEPT
-A INPUT -i $INGRESS_INTF -j setclass --class 0
-A INPUT -j police --set-mode pkt --set-rate 100 --set-burst 100
""".replace("\\\n", "")

# Written in the forms of the firewall of release 5.9: what is dropped first, who is let in, and the end.
FIREWALL = """[iptables]
-A INPUT -i swp+ -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A INPUT -p tcp -m tcp --tcp-flags FIN,RST,ACK RST -m conntrack --ctstate NEW -j DROP
-A INPUT -f -j DROP
-A INPUT -p tcp --tcp-flags ALL ALL -j DROP
-A INPUT -p tcp --tcp-flags ALL NONE -j DROP
-A INPUT -m conntrack --ctstate INVALID -j DROP
-A INPUT -p tcp -m conntrack --ctstate NEW -m tcpmss ! --mss 536:65535 -j DROP
-A INPUT -p tcp --dport 22 -m conntrack --ctstate NEW -m recent --set --name SSH
-A INPUT -p tcp --dport 22 -m conntrack --ctstate NEW -m recent --update --seconds 60 --hitcount 3 --name SSH -j DROP
-A INPUT -p tcp -m tcp --tcp-flags RST RST -m hashlimit --hashlimit-above 5/min --hashlimit-burst 2 --hashlimit-mode srcip \
--hashlimit-name TCPRST -j DROP
-A INPUT -p tcp -m hashlimit --hashlimit-above 50/second --hashlimit-burst 30 --hashlimit-mode srcip --hashlimit-srcmask 32 \
--hashlimit-name TCP --hashlimit-htable-expire 30000 -j DROP
-A INPUT -i lo -j ACCEPT
-A INPUT -p tcp -m multiport --dports 22,179,443 -j ACCEPT
-A INPUT -p udp -m multiport --dports 67:68,123,161,3784,6343 -j ACCEPT
-A INPUT -p udp --sport 53 -j ACCEPT
-A INPUT -p ospf -j ACCEPT
-A INPUT -p icmp -j ACCEPT
-A INPUT -m limit --limit 1/min -j LOG --log-prefix "refused: "
-A INPUT -j DROP
""".replace("\\\n", "")


@pytest.fixture(scope="module")
def lab():
    with Switch() as switch:
        yield Lab(switch)


@pytest.fixture
def acl(lab, policy):
    """Runs tapgate-acl."""
    yield lambda *options: run_acl(lab.switch.ns, policy, *options)
    lab.switch.ns.nft("flush ruleset")


def install(policy, acl, text):
    policy.write("00control_plane.rules", text)
    done = acl("-i")
    assert done.returncode == 0, done
    return done.stderr


def rules(acl):
    return json.loads(acl("-L", "all", "--json").stdout)


def arrived(lab, path, *given, family=4):
    return sum(seen is not None for seen in lab.send(path, family, *given))


def include_ours(policy):
    with open(policy.conf, "a") as file:
        file.write(f"include {OURS}\n")


def test_our_policy_installs_without_a_warning_and_for_a_switch_too(policy, acl):
    include_ours(policy)
    assert (acl("-i").stderr, acl("-i", "-n", "--strict").stderr) == ("", "")
    assert {rule["file"].split(".")[0] for rule in rules(acl)} == {"control_plane"}


@pytest.mark.parametrize("path", (TO_PORT, TO_BRIDGE), ids=lambda path: path.name)
@pytest.mark.parametrize("family", (4, 6))
def test_our_policy_lets_routing_and_ssh_pass_while_others_flood(lab, policy, acl, family, path):
    include_ours(policy)
    acl("-i")
    assert arrived(lab, path, *(Packet(proto="icmp") for _ in range(2000)), family=family) < 2000
    assert arrived(lab, path, *(Packet(dport=9) for _ in range(3000)), family=family) < 3000
    kept = [Packet(proto="ospf"), Packet(proto="tcp", dport=179), Packet(proto="tcp", sport=179), Packet(dport=3784),
            Packet(proto="tcp", dport=22)]
    assert arrived(lab, path, *(packet.but() for packet in kept * 40), family=family) == 200
    policed = {rule["rule"].split(" -j ")[0]: rule["dropped_packets"] for rule in rules(acl)
               if rule["kind"] == ("ip" if family == 4 else "ip6") and rule.get("target") == "POLICE"}
    icmp = "icmp" if family == 4 else "ipv6-icmp"
    assert {which for which, dropped in policed.items() if dropped} == {"-A INPUT -i swp+", f"-A INPUT -i swp+ -p {icmp}"}
    acl("-F", "all")


def test_our_policy_forwards_all_but_impossible_sources(lab, policy, acl):
    include_ours(policy)
    acl("-i")
    for path in (BRIDGED, ROUTED):
        assert arrived(lab, path, *(Packet() for _ in range(1200))) == 1200
    assert arrived(lab, BRIDGED, Packet(src="127.0.0.1"), Packet(src="224.0.0.5"), Packet(src="255.255.255.255")) == 0


def test_a_policy_as_the_classic_default_installs_and_behaves(lab, policy, acl):
    warnings = install(policy, acl, CLASSIC)
    assert [line.split(": ")[1] for line in warnings.splitlines()] == ["warning"] and "IPROUTER" in warnings
    assert arrived(lab, BRIDGED, Packet(src="127.0.0.1"), Packet(src="10.0.0.1")) == 1
    assert arrived(lab, TO_PORT, Packet(proto="ospf"), Packet(proto="tcp", sport=179), Packet(proto="tcp", dport=22)) == 3
    for path in (TO_PORT, ROUTED):
        lab.send(path, 4, *(Packet(proto="icmp") for _ in range(1000)))
    found = {rule["rule"]: rule for rule in rules(acl) if rule["kind"] == "ip"}
    assert found["-A INPUT -i swp+ -p icmp -j SETCLASS --class 2"]["packets"] == 1000
    assert found["-A INPUT -p icmp -j POLICE --set-mode pkt --set-rate 100 --set-burst 40"]["dropped_packets"] > 0
    assert found["-A INPUT -i swp+ -p tcp -m tcp --sport bgp -j SETCLASS --class 7"]["packets"] == 1


def test_a_policy_as_the_newer_firewall_installs_and_behaves(lab, policy, acl):
    install(policy, acl, FIREWALL)

    def syn(**fields):
        return Packet(proto="tcp", tcp_options=MSS, **fields)

    good = [syn(dport=179), syn(dport=443, sport=40001), Packet(dport=123), Packet(sport=53), Packet(proto="ospf"),
            Packet(proto="icmp")]
    bad = [syn(dport=23), Packet(dport=9), Packet(proto="tcp", dport=443, sport=40002),  # without an MSS
           Packet(proto="tcp", dport=443, flags="fin,syn,rst,psh,ack,urg"), Packet(proto="tcp", dport=443, flags=""),
           Packet(proto="tcp", dport=443, flags="rst")]
    assert arrived(lab, TO_PORT, *good) == len(good)
    assert arrived(lab, TO_PORT, *bad) == 0
    assert arrived(lab, TO_PORT, *(syn(dport=22, sport=41000 + number) for number in range(6))) == 2, "tries to log in"
    assert arrived(lab, ROUTED, *bad[:2]) == 2, "what is forwarded is not the control plane's"
