"""Lines that occur in public policy files: they are taken by the kernel, or refused by name where it lacks something,
and what nobody may write is refused with file, line and the rule as written."""

import pytest

from daemon import run_acl

VARIABLES = ['INGRESS_CHAIN = INPUT,FORWARD', 'INGRESS_INTF = swp+',
             'MARTIANS = "240.0.0.0/5, 127.0.0.0/8,224.0.0.0/8"']

TAKEN = {
    "[iptables]": [
        "-A INPUT,FORWARD --in-interface swp+ -s 240.0.0.0/5,127.0.0.0/8 -j DROP",
        "-A $INGRESS_CHAIN --in-interface $INGRESS_INTF -s $MARTIANS -j DROP",
        "-A INPUT -i mgmt -s 10.0.14.2/32 -p tcp --dport ssh -j ACCEPT",
        "-A FORWARD -i swp1s0,swp1s1 -o swp1s2,swp1s3 -p icmp -j ACCEPT",
        "-A FORWARD -i swp+ -p tcp -m multiport --dports 1050:1051,1055:1056 -j ACCEPT",
        "-A FORWARD -i swp1 -p tcp --tcp-flags SYN,RST,ACK,FIN SYN -j DROP",
        "-A OUTPUT,FORWARD -o swp+ -p tcp --sport 123 --dport 123 -j DROP",
        "-t mangle -A PREROUTING -i swp+ -p tcp -m multiport --sports 10000:20000 -m multiport --dports 10000:20000 "
        "-j SETQOS --set-dscp 34",
        "-t mangle -A POSTROUTING -o swp1 -p tcp -m multiport --dports 200 -j DROP",
        "-A INPUT -p tcp -m comment --comment rule_id:10,acl_name:EXAMPLE1 -j ACCEPT",
        '-A INPUT -p udp -m limit --limit 1/min -j LOG --log-prefix "FW: " --log-level 3',
        "-A INPUT -i swp+ -m addrtype --dst-type LOCAL -j ACCEPT",
        "-t mangle -A PREROUTING -i swp1 -p tcp -m ecn --ecn-tcp-ece -j ACCEPT",
        "-A FORWARD -i swp31 -m mark --mark 102 -m dscp --dscp-class CS1 -j SETCLASS --class 2",
        "-A $INGRESS_CHAIN --in-interface $INGRESS_INTF -p tcp --dport bgp -j SETCLASS --class 7",
        "-A $INGRESS_CHAIN -p udp --dport bootps:bootpc -j POLICE --set-mode pkt --set-rate 100 --set-burst 100",
        "-A INPUT -i swp+ -m addrtype --dst-type LOCAL -j POLICE --set-mode pkt --set-rate 1000 --set-burst 1000 "
        "--set-class 0",
        "-A FORWARD -i swp1 -j TRICOLORPOLICE --set-color-mode blind --set-cir 3000 --set-cbs 500 --set-pir 10000 "
        "--set-ebs 1500 --set-violate-action drop",
        "-t mangle -A FORWARD -i swp+ -p tcp --dport bgp -j SETQOS --set-dscp-class ef --set-cos 5",
        "-A FORWARD -i swp4 -j SPAN --dport swp19",
        "-t nat -A POSTROUTING -s 10.0.0.0/24 -p tcp -j SNAT --to-source 172.30.58.0-172.30.58.80:1024-1200",
    ],
    "[ip6tables]": ["-A FORWARD -o vlan100 -p icmp6 -j ACCEPT",
                    "-A INPUT -i swp+ -p ipv6-icmp -m icmp6 --icmpv6-type router-solicitation -j POLICE --set-mode pkt "
                    "--set-rate 100 --set-burst 100 --set-class 2"],
    "[ebtables]": ["-A FORWARD -s 00:00:00:00:00:12 -d 08:9e:01:ce:e2:04 -j DROP",
                   "-A INPUT -d BGA -i swp+ -j setclass --class 7",
                   "-A INPUT -p ARP -j police --set-mode pkt --set-rate 400 --set-burst 100",
                   "-A FORWARD -p 802_1Q --vlan-id 100 -j mark --mark-set 102",
                   "-A FORWARD -p IPv4 --ip-proto udp --ip-dport 67 -j DROP",
                   "-A FORWARD -o swp5 -j setqos --set-cos 4"],
}

# What a kernel may lack: rule, and a word of its refusal.
LACKING = {
    "[iptables]": [
        ("-A FORWARD -i swp1 -j ERSPAN --src-ip 90.0.0.1 --dst-ip 20.0.2.2 --ttl 64", "type erspan"),
    ],
}

NEVER = [
    ("[iptables]", "-A FORWARD,INPUT -i swp1 -o swp2 -p tcp -j ACCEPT"),  # -o with INPUT
    ("[iptables]", "-A INPUT -i $UNDEFINED -j DROP"),
    ("[ebtables]", "-A FORWARD -p 802_1Q --vlan-id 100 -j mark --mark-set 10"),  # reserved mark
    ("[iptables]", "-A FORWARD -i swp1 -j SETQOS --set-dscp 10 --set-dscp-class ef"),  # exclusive options
    ("[iptables]", "-A FORWARD -i swp1 -j SETCLASS --class 8"),  # range
]

# Slips of the pen: each one changes what a rule means, so each one must be named.
WRONG = [
    ("[iptables]", "-A FORWARD -p tcp --dprt 80 -j DROP", "--dprt"),
    ("[iptables]", "-A FORWARD --dport 80 -j DROP", "--dport"),
    ("[iptables]", "-A FORWARD -p tcp --dport 65536 -j DROP", "65536"),
    ("[iptables]", "-A FORWARD -p tcp --dport 90:80 -j DROP", "90:80"),
    ("[iptables]", "-A FORWARD -p tcp --dport nosuchservice -j DROP", "nosuchservice"),
    ("[iptables]", "-A FORWARD -p nosuchproto -j DROP", "nosuchproto"),
    ("[iptables]", "-A FORWARD -s 10.0.0.300 -j DROP", "10.0.0.300"),
    ("[iptables]", "-A FORWARD -s 10.0.0.0/33 -j DROP", "10.0.0.0/33"),
    ("[iptables]", "-A FORWARD -s 2001:db8::1 -j DROP", "2001:db8::1"),
    ("[ip6tables]", "-A FORWARD -s 10.0.0.1 -j DROP", "10.0.0.1"),
    ("[iptables]", "-A FORWARD -i averylonginterface -j DROP", "averylonginterface"),
    ("[iptables]", "-A NOSUCHCHAIN -j DROP", "NOSUCHCHAIN"),
    ("[iptables]", "-t nosuchtable -A FORWARD -j DROP", "nosuchtable"),
    ("[iptables]", "-A FORWARD -j NOSUCHTARGET", "NOSUCHTARGET"),
    ("[iptables]", "-A FORWARD -m nosuchmatch -j DROP", "nosuchmatch"),
    ("[iptables]", "-A FORWARD -j", "-j"),
    ("[iptables]", "-A FORWARD -s -j DROP", "-s"),
    ("[iptables]", "-I FORWARD -j DROP", "-I"),
    ("[iptables]", "-D FORWARD -j DROP", "-D"),
    ("[iptables]", "-A FORWARD -j DROP -j ACCEPT", "-j"),
    ("[iptables]", "-A POSTROUTING -j DROP", "POSTROUTING"),
    ("[iptables]", "-t mangle -A PREROUTING -o swp1 -j DROP", "-o"),
    ("[iptables]", "-t mangle -A POSTROUTING -i swp1 -j DROP", "-i"),
    ("[iptables]", "-A FORWARD -m dscp --dscp 64 -j DROP", "64"),
    ("[iptables]", "-A FORWARD -m dscp --dscp-class zz -j DROP", "zz"),
    ("[iptables]", "-A FORWARD -p tcp --tcp-flags SYN,NOSUCH SYN -j DROP", "NOSUCH"),
    ("[iptables]", "-A FORWARD -s $ -j DROP", "$"),
    ("[nosuchsection]", "-A FORWARD -j DROP", "nosuchsection"),
    ("[ebtables]", "-A FORWARD -s 00:11:22:33:44 -j DROP", "00:11:22:33:44"),
    ("[ebtables]", "-A FORWARD -p 802_1Q --vlan-id 4096 -j DROP", "4096"),
]


def check(ns, policy, lines):
    """Dry run of one file; the kernel is asked, too."""
    policy.write("10test.rules", "\n".join([*VARIABLES, *lines, ""]))
    return run_acl(ns, policy, "-i", "-n", "-p", policy.path("10test.rules"))


def message(policy, lines, rule):
    """How a complaint about a rule begins."""
    return f"{policy.path('10test.rules')}:{len(VARIABLES) + lines.index(rule) + 1}:"


@pytest.mark.parametrize("section,rule", [(section, rule) for section, rules in TAKEN.items() for rule in rules])
def test_a_line_of_public_files_is_taken(shared_lab, policy, section, rule):
    done = check(shared_lab.switch.ns, policy, [section, rule])
    assert (done.returncode, done.stderr) == (0, "")


def test_all_taken_lines_together_install(shared_lab, shared_server, acl):
    shared_server.policy.write("10public.rules", "\n".join(
        VARIABLES + [line for section, rules in TAKEN.items() for line in (section, *rules)]))
    try:
        acl.install("t", ["[iptables]", "-A FORWARD -p udp --dport 1 -j DROP"])
        listing = run_acl(shared_lab.switch.ns, shared_server.policy, "-L", "all", "-S", "-N").stdout
        # One rule of the file is four: two interfaces in, two out.
        assert sum("swp1s" in line for line in listing.splitlines()) == 4, listing
    finally:
        shared_server.policy.remove("10public.rules")


def test_the_address_type_of_unresolved_next_hops_is_warned_of(shared_lab, policy):
    rule = ("-A INPUT -i swp+ -m addrtype --dst-type IPROUTER -j POLICE --set-mode pkt --set-rate 400 "
            "--set-burst 100 --set-class 0")
    done = check(shared_lab.switch.ns, policy, ["[iptables]", rule])
    assert done.returncode == 0
    assert done.stderr.startswith(message(policy, ["[iptables]", rule], rule) + " warning: ") and "IPROUTER" in done.stderr


def test_a_byte_bucket_that_linux_cannot_have_is_warned_of(shared_lab, policy):
    rule = "-t mangle -A PREROUTING -i swp1 -j POLICE --set-mode KB --set-rate 1000 --set-burst 200"
    done = check(shared_lab.switch.ns, policy, ["[iptables]", rule])
    assert done.returncode == 0 and "one second of the rate" in done.stderr, done


@pytest.mark.parametrize("section,rule,word", [(s, rule, word) for s, rows in LACKING.items() for rule, word in rows])
def test_what_the_kernel_may_lack_is_taken_or_refused_by_name(shared_lab, policy, section, rule, word):
    done = check(shared_lab.switch.ns, policy, [section, rule])
    if done.returncode == 0:
        return
    assert done.returncode == 1, done
    (line,) = done.stderr.splitlines()
    assert line.startswith(message(policy, [section, rule], rule)) and word in line and line.endswith(rule), line


@pytest.mark.parametrize("section,rule", NEVER)
def test_what_nobody_may_write_is_refused(shared_lab, policy, section, rule):
    done = check(shared_lab.switch.ns, policy, [section, rule])
    assert done.returncode == 1, done
    for line in done.stderr.splitlines():
        assert line.startswith(message(policy, [section, rule], rule)) and line.endswith(rule), line


@pytest.mark.parametrize("section,rule,word", WRONG)
def test_a_slip_of_the_pen_is_named(shared_lab, policy, section, rule, word):
    done = check(shared_lab.switch.ns, policy, [section, rule])
    assert done.returncode == 1, done
    first = done.stderr.splitlines()[0]
    assert first.startswith(f"{policy.path('10test.rules')}:") and word in first, done.stderr


def test_every_mistake_of_a_file_is_reported(shared_lab, policy):
    lines = ["[iptables]", *(rule for section, rule, _ in WRONG if section == "[iptables]")]
    done = check(shared_lab.switch.ns, policy, lines)
    assert done.returncode == 1
    for rule in lines[1:]:
        assert any(line.startswith(message(policy, lines, rule)) for line in done.stderr.splitlines()), rule
