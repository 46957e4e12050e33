"""aclserver/placement.md, packet by packet: which chain sees which packets, and that it counts each of them once."""

import contextlib
import os

import pytest

from lab import (BRIDGED, BRIDGE_TO_ROUTED, FROM_BRIDGE, FROM_PORT, ROUTED, ROUTED_TO_BRIDGE, TO_BRIDGE, TO_PORT)
from packets import Packet
from policing import listed
from wait import wait_until

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../aclserver/placement.md")
PATHS = {path.name.replace("_", " "): path for path in (
    BRIDGED, ROUTED, BRIDGE_TO_ROUTED, ROUTED_TO_BRIDGE, TO_PORT, TO_BRIDGE, FROM_PORT, FROM_BRIDGE)}


def read_page():
    """[(section, table, chain, {path: what its cell says})]"""
    with open(PAGE) as file:
        lines = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in file if line[:1] == "|"]
    names = lines[0][2:]
    return [(line[0], *line[1].split(), dict(zip(names, line[2:]))) for line in lines[2:]]


TABLE = read_page()


def test_the_page_has_every_path():
    assert len(TABLE) == 11
    for *_, cells in TABLE:
        assert cells.keys() == PATHS.keys()


def write_br_netfilter(ns, value):
    for name in ("iptables", "ip6tables"):
        ns.sysctl(f"bridge/bridge-nf-call-{name}", value)


def set_br_netfilter(ns, server, value):
    seen = server.log().count("bridged packets visit other hooks now")
    try:
        write_br_netfilter(ns, value)
    except FileNotFoundError:
        pytest.skip("this kernel has no br_netfilter")
    wait_until(lambda: server.log().count("bridged packets visit other hooks now") > seen,
               "the server finds out that bridged packets visit other hooks")


@pytest.fixture(scope="module", params=["alone", "with an output interface", "with br_netfilter"])
def other_rule(request, shared_lab, shared_server):
    """Another rule, and a setting, that change the places of all rules, and must not change what they count."""
    if request.param != "with br_netfilter":
        yield "-A FORWARD -o swp9 -j DROP" if "output" in request.param else "-A INPUT -s 192.0.2.1 -j DROP"
        return
    try:
        set_br_netfilter(shared_lab.switch.ns, shared_server, 1)
        yield "-A FORWARD -i swp9 -j DROP"
    finally:
        set_br_netfilter(shared_lab.switch.ns, shared_server, 0)


@pytest.mark.parametrize("section,table,chain,cells", TABLE, ids=["_".join(row[:3]) for row in TABLE])
def test_a_chain_counts_each_packet_once_on_the_paths_of_the_page(
        shared_lab, shared_server, acl, other_rule, section, table, chain, cells):
    # pylint: disable=too-many-arguments
    acl.install("other", ["[iptables]", other_rule])
    match = "-p IPv4 --ip-proto udp" if section == "[ebtables]" else "-p udp --dport 53"
    rule = f"-A {chain} {match}" if table == "filter" else f"-t {table} -A {chain} {match}"
    acl.install("t", [section, rule])
    counted = 0
    for name, path in PATHS.items():
        assert shared_lab.passes(path, 4, Packet(dport=53))
        counted += 1 if cells[name] else 0
        assert listed(shared_server, f"-A {chain} -p ")[0] == counted, name


def ruleset(server):
    return server.ns.run("nft", "-a", "list", "ruleset").stdout


def test_a_restart_finds_the_marks_as_they_are_and_the_last_rule_takes_them_away(own_server, policy):
    with contextlib.suppress(FileNotFoundError):
        write_br_netfilter(own_server.ns, 0)
    policy.write("10in.rules", "[iptables]\n-A FORWARD,INPUT -i swp1,swp+ -p udp -j ACCEPT\n")
    own_server.start()
    client = own_server.client()
    client.install("a", ["[iptables]", "-A FORWARD -i swp1 -o swp2 -s 192.0.2.1 -j DROP",
                         "-A FORWARD -m state --state NEW -o swp+ -j DROP"])
    before = ruleset(own_server)
    assert '"swp+"' in before and "chain filter_routed {" in before and "chain filter_state {" in before
    own_server.kill()
    own_server.start()
    assert ruleset(own_server) == before
    client.remove("a")
    policy.write("10in.rules", "[iptables]\n-A OUTPUT -p udp -j ACCEPT\n")
    own_server.reload()
    wait_until(lambda: "tapgate_ports" not in ruleset(own_server), "the marks go with the last rule that needs them")
    assert "/a {" not in ruleset(own_server)
