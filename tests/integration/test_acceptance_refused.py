"""Wrong rules by the hundred: each is refused with its file, line and text and a reason that names what is wrong, with
exit status 1, and nothing in the kernel changes."""

import pytest

from daemon import run_acl
from netns import Switch

# Each rule as written, and below it the reason.
TABLE = r"""[iptables]
-A FORWARD,INPUT -i swp1 -o swp2 -p tcp -j ACCEPT
    output interface specified with INPUT chain
-A INPUT -i $UNDEFINED -j DROP
    undefined variable "UNDEFINED"
-A INPUT -s $EMPTY -j DROP
    variable "EMPTY" is empty
-A FORWARD -i swp1 -j SETQOS --set-dscp 10 --set-dscp-class ef
    --set-dscp and --set-dscp-class exclude each other
-A FORWARD -i swp1 -j SETCLASS --class 8
    --class "8": not a number from 0 to 7
-A FORWARD -j SETCLASS
    target SETCLASS needs --class
-A FORWARD -j SETQOS
    target SETQOS needs --set-dscp or --set-dscp-class
-A FORWARD -j SETQOS --set-dscp 64
    --set-dscp "64": not a number from 0 to 63
-A FORWARD -j SETQOS --set-cos 8
    --set-cos "8": not a number from 0 to 7
-A FORWARD -j SETQOS --set-dscp-class af44
    --set-dscp-class "af44": unknown DSCP class (EF, BE, CS0 to CS7, AF11 to AF43)
-A FORWARD -j POLICE --set-mode pkt --set-rate 100
    target POLICE needs --set-burst
-A FORWARD -j POLICE --set-mode pkts --set-rate 100 --set-burst 100
    --set-mode "pkts": not pkt or KB
-A FORWARD -j POLICE --set-mode pkt --set-rate 0 --set-burst 100
    --set-rate "0": not a number from 1 to 50000000
-A FORWARD -j POLICE --set-mode pkt --set-rate 100 --set-burst 100 --set-class 8
    --set-class "8": not a number from 0 to 7
-A FORWARD -j POLICE --set-mode pkt --set-rate 99999999999 --set-burst 100
    --set-rate "99999999999": not a number from 1 to 50000000
-A FORWARD -j TRICOLORPOLICE --set-color-mode aware --set-cir 3000 --set-cbs 500 --set-pir 10000 --set-ebs 1000 --set-violate-action drop
    color-aware policing is not supported: a packet does not tell its color; use --set-color-mode blind
-A FORWARD -j TRICOLORPOLICE --set-color-mode blind --set-cir 3000 --set-cbs 500 --set-pir 1000 --set-ebs 1000 --set-violate-action drop
    --set-pir is below --set-cir
-A FORWARD -j TRICOLORPOLICE --set-color-mode blind --set-cir 3000 --set-cbs 500 --set-pir 10000 --set-ebs 1000 --set-violate-action eat
    --set-violate-action "eat": not accept or drop
-t nat -A POSTROUTING -j POLICE --set-mode pkt --set-rate 1 --set-burst 1
    target POLICE is not for table nat
-A FORWARD -j SPAN --dport swp1
    target SPAN needs -i or -o
-A FORWARD -i swp1 -o swp2 -j SPAN --dport swp3
    target SPAN takes -i or -o, not both: where a packet comes in it is not known where it will leave
-A FORWARD -i swp1 -j SPAN
    target SPAN needs --dport
-A FORWARD -i swp1 -j ERSPAN --src-ip 1.1.1.1
    target ERSPAN needs --dst-ip
-A FORWARD -i swp1 -j ERSPAN --src-ip 1.1.1.1 --dst-ip 2.2.2.300
    --dst-ip "2.2.2.300": not an IPv4 address
-A FORWARD -i swp1 -j ERSPAN --src-ip 1.1.1.1 --dst-ip 2.2.2.2 --ttl 256
    --ttl "256": not a number from 1 to 255
-A FORWARD -j DSCP --set-dscp 10
    target DSCP is for table mangle only
-A FORWARD -j MARK --set-mark 102
    target MARK is for table mangle only
-t mangle -A FORWARD -j MARK --set-mark 10
    --set-mark "10": marks 0 to 100 are reserved
-A FORWARD -m mark --mark x
    --mark "x": not a mark (VALUE or VALUE/MASK)
-A FORWARD -j SNAT --to-source 1.1.1.1
    target SNAT is for table nat only
-t nat -A POSTROUTING -p tcp -j SNAT --to-source 1.1.1.9-1.1.1.1
    --to-source "1.1.1.9-1.1.1.1": the range ends before it begins
-t nat -A POSTROUTING -j SNAT --to-source 1.1.1.1:80
    --to-source "1.1.1.1:80": ports need -p tcp, udp, sctp, dccp or udplite
-t nat -A PREROUTING -p tcp -j DNAT
    target DNAT needs --to-destination
-A FORWARD -j REJECT
    target REJECT is not supported: DROP drops packets without an answer
-A FORWARD -j RETURN
    target RETURN is not supported: there are no chains to return from; ACCEPT ends the list for a packet
-A FORWARD -j accept
    unknown target "accept"; in this section it is called ACCEPT
-A FORWARD -g CHAIN
    option -g is not supported
-A FORWARD -j LOG --log-level 8
    --log-level "8": unknown log level (0 to 7, or emerg to debug)
-A FORWARD -j LOG --log-prefix "this is much longer than twenty-nine bytes"
    --log-prefix "this is much longer than twenty-nine bytes": longer than 29 bytes
-A FORWARD -p tcp --dport 80 --dport 81 -j DROP
    option --dport is given twice
-A FORWARD -p tcp -p udp -j DROP
    option -p is given twice
-A FORWARD -p tcp --syn --tcp-flags SYN SYN -j DROP
    --syn and --tcp-flags exclude each other
-A FORWARD -p udp --syn -j DROP
    option --syn needs -p tcp
-A FORWARD ! -p tcp --dport 80 -j DROP
    option --dport cannot be used with an inverted protocol
-A FORWARD -s 10.0.0.1 ! -s 10.0.0.2 -j DROP
    -s is given twice
-A FORWARD ! -s 10.0.0.1,10.0.0.2 -j DROP
    '!' with a list after -s
-A FORWARD ! ! -s 10.0.0.1 -j DROP
    "!" twice in a row
-A FORWARD -s 10.0.0.1 ! -j DROP
    option -j cannot be inverted
-A FORWARD -s 10.0.0.1,,10.0.0.2 -j DROP
    empty list item after -s
-A FORWARD -i swp1, -j DROP
    empty list item after -i
-A FORWARD -s 10.0.0.1/255.0.255 -j DROP
    -s "10.0.0.1/255.0.255": bad prefix length or mask
-A FORWARD -s example.com -j DROP
    -s "example.com": not an IPv4 address (host names are not looked up)
-A FORWARD -p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16 -j DROP
    --dports: more than 15 ports (a range counts as two)
-A FORWARD -m multiport --dports 80 -j DROP
    --dports needs -p tcp, udp, udplite, sctp or dccp, not inverted
-A FORWARD -p icmp --icmp-type nosuch -j DROP
    --icmp-type "nosuch": unknown type
-A FORWARD -p icmp --icmp-type 256 -j DROP
    --icmp-type "256": unknown type
-A FORWARD -p icmpv6 --icmpv6-type 1 -j DROP
    unknown option "--icmpv6-type"
-A FORWARD -m ttl --ttl-eq 256 -j DROP
    --ttl-eq "256": not a number from 0 to 255
-A FORWARD -m ttl --ttl-eq 1 --ttl-gt 2 -j DROP
    the options of -m ttl exclude each other
-A FORWARD -m hl --hl-eq 1 -j DROP
    match hl is for [ip6tables] only
-A FORWARD -m dscp -j DROP
    -m dscp needs an option, such as --dscp
-A FORWARD -m dscp --dscp 1 --dscp-class ef -j DROP
    the options of -m dscp exclude each other
-A FORWARD -m ecn --ecn-ip-ect 4 -j DROP
    --ecn-ip-ect "4": not a number from 0 to 3
-A FORWARD -m ecn --ecn-tcp-ece -j DROP
    option --ecn-tcp-ece needs -p tcp
-A FORWARD -m iprange --src-range 1.1.1.9-1.1.1.1 -j DROP
    --src-range "1.1.1.9-1.1.1.1": the first address is above the last
-A FORWARD -m mac --mac-source 0:1 -j DROP
    --mac-source "0:1": not a MAC address
-A FORWARD -m limit --limit 0/s -j DROP
    --limit "0/s": not a rate (N/second, N/minute, N/hour or N/day, N at least 1)
-A FORWARD -m limit --limit 1/fortnight -j DROP
    --limit "1/fortnight": not a rate (N/second, N/minute, N/hour or N/day, N at least 1)
-A FORWARD -m conntrack --ctstate NEWISH -j DROP
    --ctstate: state "NEWISH" is unknown or not supported
-A FORWARD -m addrtype --dst-type HERE -j DROP
    --dst-type: unknown address type "HERE"
-A FORWARD -m hashlimit --hashlimit-name x -j DROP
    -m hashlimit needs one of --hashlimit-upto and --hashlimit-above
-A FORWARD -m hashlimit --hashlimit-above 1/s --hashlimit-upto 2/s --hashlimit-name x -j DROP
    -m hashlimit needs one of --hashlimit-upto and --hashlimit-above
-A FORWARD -m hashlimit --hashlimit-above 1/s --hashlimit-mode srcmac --hashlimit-name x -j DROP
    --hashlimit-mode "srcmac": not a list of srcip, srcport, dstip, dstport
-A FORWARD -m recent --name x -j DROP
    -m recent needs one of --set, --rcheck, --update, --remove
-A FORWARD -m recent --set --update --name x -j DROP
    --set and --update exclude each other
-A FORWARD -m tcpmss --mss 5 -j DROP
    option --mss needs -p tcp
-A FORWARD -m string --string x --algo bm -j DROP
    match string is not supported
-A FORWARD -m comment -j DROP
    -m comment needs an option, such as --comment
-A FORWARD -m comment --comment "unfinished -j DROP
    quote without end
-A FORWARD -m physdev -j DROP
    -m physdev needs an option, such as --physdev-in
-A FORWARD -j DROP extra
    unexpected argument "extra"
-A FORWARD --table filter --nosuch=5 -j DROP
    unknown option "--nosuch"
-A FORWARD --dst -j DROP
    -d needs a value, not "-j"
-P FORWARD DROP
    -P: a policy file may only append rules (-A)
-N mine
    -N: a policy file may only append rules (-A)
-F
    -F: a policy file may only append rules (-A)
FORWARD -j DROP
    expected [SECTION], NAME = VALUE, or a rule from its first option on ("-A ..." or "-t ...")
-t raw -A PREROUTING -j DROP
    table raw is not supported yet
-t filter -t mangle -A FORWARD -j DROP
    option -t is given twice
-A FORWARD -A INPUT -j DROP
    -A is given twice

[ip6tables]
-A FORWARD -p icmp --icmp-type 8 -j DROP
    unknown option "--icmp-type"
-A FORWARD -s 2001:db8::/129 -j DROP
    -s "2001:db8::/129": bad prefix length or mask
-A FORWARD -s 10.0.0.0/8 -j DROP
    -s "10.0.0.0/8": an IPv4 address, IPv6 is needed
-A FORWARD -f -j DROP
    -f is for IPv4; IPv6 has -m frag instead
-A FORWARD -m ttl --ttl-eq 1 -j DROP
    match ttl is for [iptables] only
-A FORWARD -m frag --fragid x -j DROP
    --fragid "x": not a number or range of numbers from 0 to 4294967295
-A FORWARD -i swp1 -j ERSPAN --src-ip 1.1.1.1 --dst-ip 2001:db8::1
    --dst-ip "2001:db8::1": not an IPv4 address

[ebtables]
-A FORWARD -p 802_1Q --vlan-id 100 -j mark --mark-set 10
    --mark-set "10": marks 0 to 100 are reserved
-A FORWARD -p 802_1Q --vlan-id 4096 -j DROP
    --vlan-id "4096": not a number from 0 to 4094
-A FORWARD -p 802_1Q --vlan-prio 8 -j DROP
    --vlan-prio "8": not a number from 0 to 7
-A FORWARD --vlan-id 100 -j DROP
    option --vlan-id needs -p 802_1Q
-A FORWARD -p IPv4 --ip-dport 80 -j DROP
    option --ip-dport needs --ip-proto tcp, udp, dccp, sctp or udplite
-A FORWARD -p IPv6 --ip-src 10.0.0.1 -j DROP
    option --ip-src needs -p IPv4
-A FORWARD -p NOSUCH -j DROP
    -p "NOSUCH": unknown EtherType
-A FORWARD -p 0x12345 -j DROP
    -p "0x12345": unknown EtherType
-A FORWARD -s 00:11:22:33:44:zz -j DROP
    -s "00:11:22:33:44:zz": not a MAC address (or Unicast, Multicast, Broadcast, BGA)
-A FORWARD -i swp1 -j POLICE --set-mode pkt --set-rate 1 --set-burst 1
    unknown target "POLICE"; in this section it is called police
-A FORWARD -j RETURN
    target RETURN is not supported: there are no chains to return from; ACCEPT ends the list for a packet
-A FORWARD -j CONTINUE
    target CONTINUE is not supported: without -j the next rule sees the packet, too
-A FORWARD -j setqos --set-dscp 10 --set-dscp-class ef
    --set-dscp and --set-dscp-class exclude each other
-A FORWARD -j setclass --class 9
    --class "9": not a number from 0 to 7
-A FORWARD -m comment --comment x -j DROP
    unknown option "-m"
-A PREROUTING -j DROP
    table filter has no chain "PREROUTING"; -t nat has
-t nat -A FORWARD -j DROP
    table nat has no chain "FORWARD"; -t filter has
-t nat -A POSTROUTING -j snat --to-source 1.1.1.1
    --to-source "1.1.1.1": not a MAC address
-t nat -A POSTROUTING -j dnat --to-destination 0:1:2:3:4:5
    target dnat is not for chain POSTROUTING (PREROUTING OUTPUT)
-A INPUT -o swp1 -j DROP
    output interface specified with INPUT chain
"""


def rows():
    """[(section, rule, reason)]"""
    found, section = [], None
    lines = TABLE.splitlines()
    for line, below in zip(lines, lines[1:] + [""]):
        if below.startswith("    "):
            found.append((section, line, below.strip()))
        elif line[:1] == "[":
            section = line
    return found


ROWS = rows()


@pytest.fixture(scope="module")
def switch():
    with Switch() as made:
        yield made


@pytest.fixture
def refused(switch, policy):
    """Installs lines over good ones; returns what is said of each line as [(line, rule and reason)]."""
    policy.write("10good.rules", "[iptables]\n-A FORWARD -s 192.0.2.1 -j DROP\n[ebtables]\n-A INPUT -p ARP -j ACCEPT\n")
    assert run_acl(switch.ns, policy, "-i").returncode == 0

    def ruleset():
        return switch.ns.run("nft", "-a", "list", "ruleset").stdout

    before = ruleset()
    assert "192.0.2.1" in before

    def install(*lines):
        policy.write("20bad.rules", "\n".join([*lines, ""]))
        done = run_acl(switch.ns, policy, "-i")
        assert done.returncode == 1, (done, lines)
        begin = policy.path("20bad.rules") + ":"
        said = [line for line in done.stderr.splitlines() if ": warning: " not in line]
        assert all(line.startswith(begin) for line in said), done.stderr
        return {int(line[len(begin):].split(":")[0]): line[len(begin):].split(": ", 1)[1] for line in said}

    yield install
    assert ruleset() == before, "handles and counters, too"
    switch.ns.nft("flush ruleset")


def test_the_table_is_read_whole():
    assert len(ROWS) > 100 and {section for section, *_ in ROWS} == {"[iptables]", "[ip6tables]", "[ebtables]"}


def test_each_wrong_rule_is_refused_by_itself(refused):
    good = "-A FORWARD -j ACCEPT"
    for section, rule, reason in ROWS:
        assert refused('EMPTY = ""', section, good, rule, good) == {4: f"{reason}: {rule}"}


def test_all_wrong_rules_of_a_file_are_named_together(refused):
    lines, expected = ['EMPTY = ""'], {}
    for section, rule, reason in ROWS:
        lines += [section, rule]
        expected[len(lines)] = f"{reason}: {rule}"
    assert refused(*lines) == expected


@pytest.mark.parametrize("line,reason", [
    ("[nosuchsection]", "unknown section, not [iptables], [ip6tables] or [ebtables]: [nosuchsection]"),
    ("NAME", "expected [SECTION], NAME = VALUE, or a rule"), ("= 5", "expected [SECTION], NAME = VALUE, or a rule"),
    ("include /etc/other.rules", "expected [SECTION], NAME = VALUE, or a rule"),
    ("-A FORWARD -j DROP", "rule above the first section")])
def test_what_is_no_rule_is_named_too(refused, line, reason):
    assert reason in refused(line)[1]
