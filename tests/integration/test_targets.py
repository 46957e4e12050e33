"""Every target, on the wire: dropped, accepted in order, rewritten with right checksums, logged, limited, counted."""

import os

import pytest

from daemon import run_acl
from lab import BRIDGED, ROUTED
from packets import Packet

SECTION = {4: "[iptables]", 6: "[ip6tables]"}
both_families = pytest.mark.parametrize("family", (4, 6))
both_paths = pytest.mark.parametrize("path", (BRIDGED, ROUTED), ids=lambda path: path.name)


def counter(server, family, needle):
    """Packets counted by the rules that show needle in a listing of their family, added up."""
    listing = run_acl(server.ns, server.policy, "-L", "ip" if family == 4 else "ip6", "-S", "-x", "-N")
    assert listing.returncode == 0, listing
    lines = [line.split() for line in listing.stdout.splitlines() if needle in line]
    assert lines, f"{needle} is not in\n{listing.stdout}"
    return sum(int(words[0]) for words in lines)


@both_paths
@both_families
def test_accept_ends_the_search_and_drop_is_final(shared_lab, acl, family, path):
    acl.install("t", [SECTION[family], "-A FORWARD -p udp --dport 53 -j ACCEPT", "-A FORWARD -p udp -j DROP"])
    passed = [seen is not None for seen in shared_lab.send(path, family, Packet(dport=53), Packet(dport=54))]
    assert passed == [True, False]


@both_paths
@both_families
def test_the_first_file_in_byte_order_wins(shared_lab, acl, family, path):
    acl.install("b", [SECTION[family], "-A FORWARD -p udp --dport 53 -j DROP"])
    assert not shared_lab.passes(path, family, Packet(dport=53))
    acl.install("a", [SECTION[family], "-A FORWARD -p udp --dport 53 -j ACCEPT"])  # before b
    assert shared_lab.passes(path, family, Packet(dport=53))
    acl.remove("a")
    acl.install("c", [SECTION[family], "-A FORWARD -p udp --dport 53 -j ACCEPT"])  # behind b
    assert not shared_lab.passes(path, family, Packet(dport=53))


@both_families
def test_iptables_come_before_ebtables_on_the_same_packet(shared_lab, acl, family):
    acl.install("a", ["[ebtables]", "-A FORWARD -i swp1 -j DROP"])
    assert not shared_lab.passes(BRIDGED, family, Packet())
    acl.install("z", [SECTION[family], "-A FORWARD -i swp1 -p udp -j ACCEPT"])
    assert shared_lab.passes(BRIDGED, family, Packet())
    assert not shared_lab.passes(BRIDGED, family, Packet(proto="tcp"))


@both_paths
@both_families
def test_a_rule_without_target_only_counts(shared_lab, shared_server, acl, family, path):
    acl.install("t", [SECTION[family], "-A FORWARD -p udp --dport 53", "-A FORWARD -p udp --dport 54 -j DROP"])
    given = [Packet(dport=53)] * 3 + [Packet(dport=54)] * 2 + [Packet(dport=55)]
    passed = [seen is not None for seen in shared_lab.send(path, family, *(packet.but() for packet in given))]
    assert passed == [True] * 3 + [False] * 2 + [True]
    assert counter(shared_server, family, "--dport 53") == 3
    assert counter(shared_server, family, "--dport 54") == 2


REWRITES = [
    ("-t mangle -A FORWARD {} -j DSCP --set-dscp 46", 46),
    ("-t mangle -A FORWARD {} -j DSCP --set-dscp-class CS1", 8),
    ("-t mangle -A FORWARD {} -j SETQOS --set-dscp 0x22", 34),
    ("-t mangle -A PREROUTING {} -j SETQOS --set-dscp-class ef", 46),
    ("-t mangle -A POSTROUTING {} -j SETQOS --set-dscp 0", 0),
    ("-A FORWARD {} -j SETQOS --set-dscp-class af41", 34),
]


@pytest.mark.parametrize("rule,dscp", REWRITES, ids=[rule.replace(" ", "_") for rule, _ in REWRITES])
@both_paths
@both_families
def test_dscp_is_rewritten_and_nothing_else(shared_lab, acl, family, path, rule, dscp):
    acl.install("t", [SECTION[family], rule.format("-p udp --dport 53")])
    for ecn in (0, 1, 2, 3):
        matching, other = shared_lab.send(path, family, Packet(dport=53, dscp=10, ecn=ecn),
                                          Packet(dport=54, dscp=10, ecn=ecn))
        assert (matching.dscp, matching.ecn, matching.checksums_right) == (dscp, ecn, True)
        assert (other.dscp, other.ecn, other.checksums_right) == (10, ecn, True)


@both_paths
@both_families
def test_a_rewritten_packet_goes_on_to_the_next_rule(shared_lab, acl, family, path):
    acl.install("t", [SECTION[family], "-t mangle -A FORWARD -p udp --dport 53 -j SETQOS --set-dscp 46",
                      "-A FORWARD -m dscp --dscp 46 -j DROP"])
    passed = [seen is not None for seen in shared_lab.send(path, family, Packet(dport=53), Packet(dport=54))]
    assert passed == [False, True]


@both_families
def test_dscp_is_rewritten_inside_a_vlan(shared_lab, acl, family):
    acl.install("t", [SECTION[family], "-t mangle -A FORWARD -p udp -j DSCP --set-dscp 46"])
    (seen,) = shared_lab.send(BRIDGED, family, Packet(vlan=100, ecn=1))
    assert (seen.vlan, seen.dscp, seen.ecn, seen.checksums_right) == (100, 46, 1, True)


@both_paths
@both_families
def test_limit_passes_its_burst_and_no_more(shared_lab, acl, family, path):
    acl.install("t", [SECTION[family], "-A FORWARD -p udp -m limit --limit 1/hour --limit-burst 5 -j ACCEPT",
                      "-A FORWARD -p udp -j DROP"])
    results = shared_lab.send(path, family, *(Packet() for _ in range(20)))
    assert [seen is not None for seen in results] == [True] * 5 + [False] * 15


@both_paths
@both_families
def test_log_counts_and_lets_the_packet_go_on(shared_lab, shared_server, acl, family, path):
    acl.install("t", [SECTION[family], '-A FORWARD -p udp --dport 53 -j LOG --log-prefix "seen: " --log-level 3',
                      "-A FORWARD -p udp --dport 54 -j LOG", "-A FORWARD -p udp --dport 54 -j DROP"])
    passed = [seen is not None for seen in shared_lab.send(path, family, Packet(dport=53), Packet(dport=54))]
    assert passed == [True, False]
    assert counter(shared_server, family, "--dport 53") == 1
    assert counter(shared_server, family, "LOG") == 2


@pytest.fixture
def kernel_log():
    """The kernel's log, with what is logged in other namespaces than the first, read from now on."""
    switch = "/proc/sys/net/netfilter/nf_log_all_netns"
    try:
        with open(switch) as file:
            before = file.read()
        with open(switch, "w") as file:
            file.write("1")
        log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        pytest.skip(f"the kernel's log is not to be had here: {error}")
    os.lseek(log, 0, os.SEEK_END)

    def read():
        records = []
        while True:
            try:
                records.append(os.read(log, 8192).decode(errors="replace"))
            except BlockingIOError:
                return records

    yield read
    os.close(log)
    with open(switch, "w") as file:
        file.write(before)


@both_paths
@both_families
def test_log_writes_prefix_level_and_packet(shared_lab, acl, kernel_log, family, path):
    prefix = f"tapgate test {family} {path.name}: "[:28]
    acl.install("t", [SECTION[family], f'-A FORWARD -p udp --dport 53 -j LOG --log-prefix "{prefix}" --log-level 3'])
    shared_lab.send(path, family, Packet(dport=53), Packet(dport=54))
    records = [record for record in kernel_log() if prefix in record]
    assert len(records) == 1
    assert int(records[0].split(",")[0]) & 7 == 3
    assert f"IN={path.ingress} OUT={path.egress}" in records[0] and "DPT=53" in records[0]
