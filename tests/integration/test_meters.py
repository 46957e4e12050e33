"""Matches that remember packets, in sets that packets write into: hashlimit and recent.

Rates are per hour, so that how fast a test runs does not count: a bucket only ever empties.
"""

import re

import pytest

from daemon import Server, run_acl
from lab import BRIDGED, ROUTED, TO_PORT, Lab
from netns import Switch
from packets import Packet
from wait import wait_until

ABOVE = "-m hashlimit --hashlimit-above 1/hour"


def packet(port=9, source=1, **fields):
    return Packet(src="behind" if source == 1 else f"behind{source}", dport=port, **fields)


def dropped(lab, *packets, path=ROUTED, family=4):
    return "".join("D" if seen is None else "." for seen in lab.send(path, family, *packets))


def sets(ns):
    return sorted(re.findall(r"set (hashlimit\S+|recent\S+) {", ns.run("nft", "list", "ruleset").stdout))


# Mode, packets, and what a rule with a burst of two drops of them.
KEYS = [
    ("", [packet(1), packet(2, 2), packet(3, 3), packet(1)], "..DD"),
    ("--hashlimit-mode srcip", [packet(1), packet(2), packet(3), packet(1, 2), packet(2, 2)], "..D.."),
    ("--hashlimit-mode dstip", [packet(1), packet(2, 2), packet(3), packet(3).but(dst="behind")], "..D."),
    ("--hashlimit-mode srcport", [packet(sport=1), packet(2, 2, sport=1), packet(sport=1), packet(sport=2)], "..D."),
    ("--hashlimit-mode dstport", [packet(1), packet(1, 2), packet(1), packet(2)], "..D."),
    ("--hashlimit-mode srcip,dstport", [packet(1), packet(1), packet(1, 2), packet(1), packet(2)], "...D."),
    ("--hashlimit-mode srcip,dstip,srcport,dstport", [packet(1), packet(1), packet(1), packet(1, sport=5)], "..D."),
]


@pytest.mark.parametrize("family", (4, 6))
@pytest.mark.parametrize("mode,packets,expected", KEYS, ids=[row[0] or "none" for row in KEYS])
def test_a_rate_is_kept_for_each_key(shared_lab, acl, mode, packets, expected, family):
    rule = f"FORWARD -p udp {ABOVE} --hashlimit-burst 2 --hashlimit-name k {mode} -j DROP"
    acl.install("t", ["[iptables]" if family == 4 else "[ip6tables]", f"-A {rule}"])
    for path in (ROUTED, BRIDGED):
        assert dropped(shared_lab, *packets, path=path, family=family) == expected, path.name
    acl.remove("t")
    assert sets(shared_lab.switch.ns) == []
    tool = "iptables" if family == 4 else "ip6tables"
    ns = shared_lab.switch.ns
    ns.run(tool, "-A", *rule.split())
    try:
        again = dropped(shared_lab, *(p.but() for p in packets), family=family)
    finally:
        ns.run(tool, "-F", "FORWARD")
    assert again == expected, f"{tool} disagrees"


def test_masks_make_networks_of_addresses(shared_lab, acl):
    acl.install("t", ["[iptables]", f"-A FORWARD {ABOVE} --hashlimit-burst 1 --hashlimit-mode srcip,dstip "
                      "--hashlimit-srcmask 16 --hashlimit-dstmask 0 --hashlimit-name k -j DROP"])
    assert dropped(shared_lab, packet(), packet(2, 2), Packet(), packet().but(dst="behind")) == ".D.D"


def test_upto_and_inverted_above_are_the_other_side(shared_lab, acl):
    for words in ("--hashlimit-upto 1/hour", "! --hashlimit-above 1/hour", "--hashlimit 1/hour"):
        acl.install("t", ["[iptables]", f"-A FORWARD -m hashlimit {words} --hashlimit-burst 2 --hashlimit-mode srcip "
                          f"--hashlimit-name k -j DROP"])
        assert dropped(shared_lab, packet(), packet(), packet(), packet(1, 2)) == "DD.D", words
        acl.remove("t")


def test_bytes_are_counted_with_a_burst(shared_lab, acl):
    """A bucket holds 3000 bytes; what comes back in the meantime is far less than a packet."""
    acl.install("t", ["[iptables]", "-A FORWARD -m hashlimit --hashlimit-above 1b/s --hashlimit-burst 3000 "
                      "--hashlimit-mode srcip --hashlimit-name k -j DROP"])
    packets = [packet(payload=1000 - 28) for _ in range(4)]
    assert dropped(shared_lab, *packets, packet(1, 2)) == "...D."


def test_a_full_table_matches_nothing_new(shared_lab, acl):
    acl.install("t", ["[iptables]", f"-A FORWARD {ABOVE} --hashlimit-burst 1 --hashlimit-mode srcip "
                      "--hashlimit-htable-max 1 --hashlimit-name k -j DROP"])
    assert dropped(shared_lab, packet(), packet(), packet(1, 2), packet(1, 2)) == ".D.."


def rules(port, name="k", burst=2):
    return ["[iptables]", f"-A INPUT -p udp --dport {port} {ABOVE} --hashlimit-burst {burst} --hashlimit-mode srcip "
            f"--hashlimit-name {name} -j DROP"]


def test_rules_of_one_name_and_settings_share_a_table(shared_lab, acl):
    acl.install("t", rules(1) + rules(2)[1:])
    acl.install("u", rules(3))
    acl.install("v", rules(4, name="other"))
    assert dropped(shared_lab, *(packet(n) for n in (1, 2, 3, 4)), path=TO_PORT) == "..D."
    assert len(sets(shared_lab.switch.ns)) == 2
    acl.remove("t")
    assert dropped(shared_lab, packet(1), packet(3), path=TO_PORT) == ".D"
    acl.remove("u")
    assert len(sets(shared_lab.switch.ns)) == 1


def test_what_is_remembered_outlives_every_change_but_that_of_its_settings(policy):
    with Switch() as switch:
        lab = Lab(switch)
        with Server(switch.ns, policy) as server:
            acl = server.client()
            acl.install("t", rules(1))
            assert dropped(lab, packet(1), packet(1), packet(1), path=TO_PORT) == "..D"
            acl.install("other", ["[iptables]", "-A FORWARD -p udp --dport 7 -j DROP"])
            acl.install("t", rules(1) + ["-A INPUT -p udp --dport 8 -j DROP"])
            acl.install("t", rules(2))  # another rule of the same table
            assert dropped(lab, packet(1), packet(2), path=TO_PORT) == ".D"
            server.stop()
            assert dropped(lab, packet(2), path=TO_PORT) == "D"
            acl = server.start().client()
            wait_until(lambda: acl.get("lasterror").status == 204, "the first commit")
            assert dropped(lab, packet(2), path=TO_PORT) == "D"
            acl.install("t", rules(2, burst=3))
            assert dropped(lab, *(packet(2) for _ in range(4)), path=TO_PORT) == "...D"
            assert len(sets(switch.ns)) == 1
            server.stop()
            policy.remove("50rest-t.rules")
            server.start()
            wait_until(lambda: sets(switch.ns) == [], "the table of a file that is gone is removed at the start")


# Rules of INPUT for ports 1, 2, …; then ports and sources of packets in order, and which are dropped.
RECENT = [
    (["--set", "--rcheck --seconds 3600 -j DROP"], [(2, 1), (1, 1), (2, 1), (2, 2), (2, 1)], "..D.D"),
    (["--set --name a", "--rcheck --name b -j DROP", "--rcheck --name a -j DROP"], [(1, 1), (2, 1), (3, 1)], "..D"),
    (["--set", "! --rcheck --seconds 3600 -j DROP"], [(2, 1), (1, 1), (2, 1)], "D.."),
    (["--set -j DROP", "--update --seconds 3600 -j DROP"], [(2, 1), (1, 1), (2, 1)], ".DD"),
    (["--set", "--remove -j DROP", "--rcheck -j DROP"], [(2, 1), (1, 1), (3, 1), (2, 1), (3, 1)], "..DD."),
    (["--set", "--rcheck --seconds 3600 --hitcount 3 -j DROP"], [(1, 1), (2, 1), (1, 1), (2, 1), (1, 1), (2, 1), (2, 2)],
     ".....D."),
    (["--set", "--update --seconds 3600 --hitcount 3 -j DROP"], [(1, 1), (1, 1), (2, 1), (1, 1), (2, 1), (2, 1)], "....DD"),
    (["--set --rdest", "--rcheck --rdest --seconds 3600 -j DROP"], [(2, 1), (1, 1), (2, 2)], "..D"),
    (["--set --mask 255.255.0.0", "--rcheck --seconds 3600 --mask 255.255.0.0 -j DROP"], [(1, 1), (2, 2)], ".D"),
]


@pytest.mark.parametrize("words,sent,expected", RECENT, ids=[" | ".join(row[0]) for row in RECENT])
def test_addresses_are_remembered_as_iptables_does(shared_lab, acl, words, sent, expected):
    lines = [f"INPUT -p udp --dport {port} -m recent {word}" for port, word in enumerate(words, 1)]
    acl.install("t", ["[iptables]", *(f"-A {line}" for line in lines)])
    assert dropped(shared_lab, *(packet(*each) for each in sent), path=TO_PORT) == expected
    acl.remove("t")
    ns = shared_lab.switch.ns
    assert sets(ns) == []
    for line in lines:
        ns.run("iptables", "-A", *line.split())
    try:
        again = dropped(shared_lab, *(packet(*each) for each in sent), path=TO_PORT)
    finally:
        ns.run("iptables", "-F", "INPUT")
    assert again == expected, "iptables disagrees"


def test_a_listing_counts_a_rule_that_counts_hits_once(shared_lab, shared_server, acl):
    acl.install("t", ["[ip6tables]", "-A INPUT -p udp --dport 1 -m recent --set --name h",
                      "-A INPUT -p udp --dport 1 -m recent --rcheck --seconds 60 --hitcount 2 --name h -j DROP"])
    assert dropped(shared_lab, packet(1), packet(1), packet(1), path=TO_PORT, family=6) == ".DD"
    listing = run_acl(shared_lab.switch.ns, shared_server.policy, "-L", "ip6", "-S", "-x").stdout
    counts = [line.split()[0] for line in listing.splitlines() if "recent" in line]
    assert counts == ["3", "2"], listing
