"""tapgate-acl -L in all its forms: what scripts look for, what can be installed again, what counts and what is zeroed."""

import json
import re

import pytest

from daemon import run_acl
from lab import BRIDGED, BRIDGE_TO_ROUTED, ROUTED, Lab
from netns import Switch
from packets import Packet

POLICY = """PORTS = swp1,swp2
[iptables]
-A INPUT,FORWARD -i swp+ -s 240.0.0.0/5,127.0.0.0/8 -j DROP
-A INPUT -i swp+ -p tcp --dport bgp -j SETCLASS --class 7
-A INPUT -p tcp --dport bgp -j POLICE --set-mode pkt --set-rate 2000 --set-burst 2000 --set-class 7
-A FORWARD -i $PORTS -p tcp -m multiport --dports 1050:1051,1055 -j ACCEPT
-A FORWARD -p tcp ! --syn ! -s 10.0.0.77 -o swp1 -j DROP
-A FORWARD -p icmp --icmp-type echo-request -m dscp --dscp-class CS1 -m ttl --ttl-gt 1 -j ACCEPT
-A FORWARD -p udp --dport 53 -m comment --comment "rule_id:10,acl_name:EXAMPLE1 #1" -j ACCEPT
-A FORWARD -p udp --dport 54 -m comment --comment "LONG" -m multiport --sports PORTLIST -j DROP
-A FORWARD -m hashlimit --hashlimit-above 5000/second --hashlimit-mode srcip --hashlimit-name h -j DROP
-A INPUT -p udp -m limit --limit 1/min -j LOG --log-prefix "FW: " --log-level 3
-A INPUT -m conntrack --ctstate NEW,RELATED -m recent --set --name x
-t mangle -A PREROUTING -i swp+ -p tcp --dport 22 -j SETQOS --set-dscp 46 --set-cos 5
-t mangle -A POSTROUTING -o swp1 -p tcp --dport 200 -j DROP
-t mangle -A FORWARD -p udp --dport 9 -j MARK --set-mark 0x66
-t nat -A POSTROUTING -s 10.0.0.0/24 -p tcp -j SNAT --to-source 172.30.58.0-172.30.58.80:1024-1200
-A FORWARD -i swp1 -j TRICOLORPOLICE --set-color-mode blind --set-cir 3000 --set-cbs 500 --set-pir 10000 \
--set-ebs 1500 --set-violate-action drop
[ip6tables]
-A INPUT -i swp+ -p ipv6-icmp -m icmp6 --icmpv6-type router-solicitation -j POLICE --set-mode pkt --set-rate 100 \
--set-burst 100 --set-class 2
-A FORWARD -s 2001:db8:77::/48 -m hl --hl-eq 255 -m frag --fragid 7 -j DROP
[ebtables]
-A INPUT -d BGA -i swp+ -j setclass --class 7
-A INPUT -p ARP -j police --set-mode pkt --set-rate 400 --set-burst 100
-A FORWARD -p 802_1Q --vlan-id 100 -j mark --mark-set 102
-A FORWARD -p IPv4 --ip-proto udp --ip-dport 67 -j DROP
-t nat -A PREROUTING -d 08:9e:01:ce:e2:04 -j dnat --to-destination 08:9e:01:ce:e2:05
""".replace("\\\n", "").replace("LONG", "long " * 40).replace(
    "PORTLIST", ",".join(str(number) for number in range(1, 30, 2)))


@pytest.fixture(scope="module")
def lab():
    with Switch() as switch:
        yield Lab(switch)


@pytest.fixture(name="acl_over_http")
def _acl_over_http(_shared_client):
    yield _shared_client
    _shared_client.remove()


@pytest.fixture
def acl(lab, policy):
    """Runs tapgate-acl in a switch without rules."""
    yield lambda *options: run_acl(lab.switch.ns, policy, *options)
    lab.switch.ns.nft("flush ruleset")


def ruleset(lab):
    """What the kernel holds, whatever the order of chains."""
    chains = re.split(r"\n(?=\t(?:chain|set) |table )", lab.switch.ns.run("nft", "list", "ruleset").stdout)
    return sorted(chain.strip(" }\n\t") for chain in chains)


def install(policy, acl, text):
    policy.write("10a.rules", text)
    done = acl("-i")
    assert done.returncode == 0, done.stderr


def as_json(acl, kind="all"):
    done = acl("-L", kind, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def rows(text, chain):
    """The lines between the head of a chain in columns and the empty line behind it."""
    return re.search(rf"^Chain {chain} \(policy ACCEPT\)\n.*\n((?:.+\n)*)", text, re.M)[1].splitlines()


def test_columns_are_those_of_iptables(policy, acl):
    install(policy, acl, POLICY)
    text = acl("-L", "ip").stdout
    assert text.startswith("-------------------------------\nListing rules of type iptables:\n"
                           "-------------------------------\nTABLE filter :\nChain INPUT (policy ACCEPT)\n"
                           " pkts bytes target     prot opt in     out     source               destination\n"
                           "    0     0 DROP       all  --  swp+   any     240.0.0.0/5          anywhere")
    assert re.findall(r"^TABLE (\w+) :$", text, re.M) == ["filter", "mangle", "raw", "nat"]
    assert rows(text, "INPUT")[2:4] == [
        "    0     0 SETCLASS   tcp  --  swp+   any     anywhere             anywhere             tcp dpt:bgp SETCLASS class:7",
        "    0     0 POLICE     tcp  --  any    any     anywhere             anywhere             tcp dpt:bgp POLICE  mode:pkt "
        "rate:2000 burst:2000 class:7 dropped:0 dropped-bytes:0"]
    numeric = acl("-L", "ip", "-N", "-x").stdout
    assert rows(numeric, "INPUT")[2].split() == ["0", "0", "SETCLASS", "tcp", "--", "swp+", "*", "0.0.0.0/0", "0.0.0.0/0",
                                                 "tcp", "dpt:179", "SETCLASS", "class:7"]


def test_every_chain_is_listed_also_without_rules(acl):
    text = acl("-L", "all").stdout
    assert re.findall(r"^TABLE (\w+) :$", text, re.M) == ["filter", "mangle", "raw"] * 2 + ["filter"]
    assert text.count("Chain FORWARD (policy ACCEPT)") == 4 and rows(text, "FORWARD") == []
    assert "Bridge table: filter\n\nBridge chain: INPUT, entries: 0, policy: ACCEPT\n\n" in text
    assert acl("-L", "ip", "-v").stdout.count("TABLE nat :") == 1
    assert as_json(acl) == []


def test_bridge_rules_end_with_their_counters(policy, acl):
    install(policy, acl, POLICY)
    text = acl("-L", "eb").stdout
    assert ("\nBridge chain: INPUT, entries: 2, policy: ACCEPT\n"
            "-d BGA -i swp+ -j setclass --class 7 , pcnt = 0 -- bcnt = 0\n"
            "-p ARP -j police --set-mode pkt --set-rate 400 --set-burst 100 dropped:0 dropped-bytes:0 , pcnt = 0 -- bcnt = 0\n"
            in text)
    assert "Bridge table: nat" in text


def test_a_rule_is_found_by_its_comment_and_by_its_place(policy, acl):
    install(policy, acl, POLICY)
    (line,) = [line for line in acl("-L", "all", "-v").stdout.splitlines() if "acl_name:EXAMPLE1" in line]
    assert "/* rule_id:10,acl_name:EXAMPLE1 #1 */" in line and line.endswith(" # 10a:9")
    (rule,) = [rule for rule in as_json(acl) if rule.get("comment") == "rule_id:10,acl_name:EXAMPLE1 #1"]
    assert rule == {"kind": "ip", "table": "filter", "chain": "FORWARD", "file": "10a", "line": 9,
                    "rule": '-A FORWARD -p udp -m udp --dport 53 -m comment --comment "rule_id:10,acl_name:EXAMPLE1 #1" '
                            '-j ACCEPT', "target": "ACCEPT", "comment": "rule_id:10,acl_name:EXAMPLE1 #1",
                    "packets": 0, "bytes": 0}


@pytest.mark.parametrize("path", (BRIDGED, ROUTED), ids=lambda path: path.name)
def test_all_forms_count_the_same_and_zero_zeroes_all(lab, policy, acl, path):
    install(policy, acl, "[iptables]\n-A FORWARD -p udp --dport 53 -j POLICE --set-mode pkt --set-rate 1 --set-burst 2\n"
                         "-A FORWARD -o swp1 -p tcp -j DROP\n"
                         "[ebtables]\n-A FORWARD -p IPv4 --ip-proto udp --ip-dport 54\n")
    lab.send(path, 4, *(Packet(dport=53) for _ in range(40)), Packet(dport=54))

    def counted():
        (rule, _, *eb) = as_json(acl)
        (row, _) = rows(acl("-L", "ip", "-x").stdout, "FORWARD")
        packets, size, *_, dropped, dropped_bytes = row.split()
        assert [int(packets), int(size), dropped, dropped_bytes] == [
            rule["packets"], rule["bytes"], f"dropped:{rule['dropped_packets']}", f"dropped-bytes:{rule['dropped_bytes']}"]
        (line,) = [line for line in acl("-L", "ip", "-S", "-x").stdout.splitlines() if "--dport 53" in line]
        assert line.split()[:2] == [packets, size]
        assert line.endswith(f"# dropped {rule['dropped_packets']} packets, {rule['dropped_bytes']} bytes")
        assert f", pcnt = {eb[0]['packets']} -- bcnt = {eb[0]['bytes']}\n" in acl("-L", "eb").stdout
        return rule["packets"], rule["dropped_packets"], eb[0]["packets"]

    packets, dropped, bridged = counted()
    assert (packets, bridged) == (40, path is BRIDGED) and 20 < dropped < 40
    assert acl("-Z", "all").returncode == 0
    assert counted() == (0, 0, 0)


def test_a_rule_that_became_elements_of_two_sets_is_one_line(shared_lab, shared_server, acl_over_http):
    """-i names a port: packets that the bridge forwards have it as their interface, routed ones as their mark."""
    acl_over_http.install("t", ["[iptables]", "-A FORWARD -i swp1 -p udp --dport 53 -j DROP"])
    for path in (BRIDGED, BRIDGE_TO_ROUTED, BRIDGE_TO_ROUTED):
        assert not shared_lab.passes(path, 4, Packet(dport=53))
    done = run_acl(shared_server.ns, shared_server.policy, "-L", "all", "--json")
    assert [(rule["rule"], rule["packets"]) for rule in json.loads(done.stdout)] == [
        ("-A FORWARD -i swp1 -p udp -m udp --dport 53 -j DROP", 3)]


def test_what_is_saved_installs_the_same_again(lab, policy, acl):
    install(policy, acl, POLICY)
    before = ruleset(lab)
    saved = acl("-L", "all", "--save")
    assert (saved.returncode, saved.stderr) == (0, "")
    assert len([line for line in saved.stdout.splitlines() if "-A " in line]) == len(as_json(acl))
    lab.switch.ns.nft("flush ruleset")
    install(policy, acl, saved.stdout)
    assert ruleset(lab) == before
    assert acl("-L", "all", "--save").stdout == saved.stdout
    commented = acl("-L", "all", "--save", "-v").stdout
    assert "# 10a:" in commented
    assert [line for line in commented.splitlines() if line[0] != "#"] == saved.stdout.splitlines()


def test_what_cannot_be_saved_whole_is_an_error(policy, acl):
    install(policy, acl, POLICY)
    policy.write("10a.rules", "[iptables]\n-A FORWARD -j DROP\n")  # not installed: the long rule is nowhere to be read
    done = acl("-L", "all", "--save")
    assert done.returncode != 0 and "left out" in done.stderr
    (cut,) = [line for line in done.stdout.splitlines() if "long long" in line]
    assert cut.startswith("# -A FORWARD -p udp") and cut.endswith("cut here")
    (rule,) = [rule for rule in as_json(acl) if rule.get("cut")]
    assert "long long" in rule["rule"]
    assert any("long long" in line for line in rows(acl("-L", "ip").stdout, "FORWARD"))


@pytest.mark.parametrize("options", [["-i", "-S"], ["-Z", "all", "--json"], ["-L", "all", "-S", "--json"],
                                     ["-L", "all", "--save", "--json"]])
def test_forms_go_with_listings_and_not_together(acl, options):
    done = acl(*options)
    assert done.returncode == 2 and "usage:" in done.stderr
