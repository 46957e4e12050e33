"""SPAN on the wire: copies on another port, of what, of what not, and of ports that come later."""

import errno
import socket

import pytest

from daemon import Server
from lab import BRIDGED, ETH_MARKER, FROM_BRIDGE, ROUTED, TO_BRIDGE, TO_PORT, Lab, Wire, fill
from netns import Switch
from packets import Packet
from policing import listed
from wait import wait_until

SECTION = {4: "[iptables]", 6: "[ip6tables]"}
both_families = pytest.mark.parametrize("family", (4, 6))


def arrivals(lab, path, family, packet):
    """(the frame as sent, {host: frames with this packet})."""
    filled = fill(lab.switch, path, family, packet)
    seen = {}
    for host, data in lab.exchange(path.source, [filled.frame()], [filled.dst]):
        if filled.token in data and host != path.source:
            seen.setdefault(host, []).append(data)
    return filled.frame(), seen


@both_families
def test_a_bridged_frame_is_copied_with_its_tag(shared_lab, shared_server, acl, family):
    acl.install("t", [SECTION[family], "-A FORWARD -i swp1 -p udp --dport 53 -j SPAN --dport swp4"])
    for packet in (Packet(dport=53), Packet(dport=53, vlan=7, pcp=3)):
        sent, seen = arrivals(shared_lab, BRIDGED, family, packet)
        assert seen == {2: [sent], 4: [sent]}
    assert arrivals(shared_lab, BRIDGED, family, Packet(dport=54))[1].keys() == {2}
    assert listed(shared_server, "-j SPAN") == (2, None)


@both_families
def test_a_routed_packet_is_copied_as_it_came_in_even_if_it_is_dropped(shared_lab, acl, family):
    acl.install("t", [SECTION[family], "-A FORWARD -p udp --dport 53 -j DROP",
                      "-A FORWARD -i swp3 -p udp -j SPAN --dport swp2"])
    sent, seen = arrivals(shared_lab, ROUTED, family, Packet(dport=53))
    assert seen == {2: [sent]}
    sent, seen = arrivals(shared_lab, ROUTED, family, Packet(dport=54))
    assert seen.keys() == {2, 4} and seen[2] == [sent]


@both_families
def test_packets_to_the_switch_are_of_input_and_others_of_forward(shared_lab, acl, family):
    acl.install("t", [SECTION[family], "-A FORWARD -i swp+ -p udp -j SPAN --dport swp4"])
    for path in (TO_PORT, TO_BRIDGE):
        assert arrivals(shared_lab, path, family, Packet())[1].keys() == {0}
    acl.install("t", [SECTION[family], "-A INPUT -i swp+ -p udp -j SPAN --dport swp2"])
    for path in (TO_PORT, TO_BRIDGE):
        sent, seen = arrivals(shared_lab, path, family, Packet())
        assert seen.keys() == {0, 2} and seen[2] == [sent]
    assert arrivals(shared_lab, ROUTED, family, Packet())[1].keys() == {4}


@both_families
def test_what_leaves_a_port_is_copied_as_it_is_sent(shared_lab, acl, family):
    acl.install("t", [SECTION[family], "-t mangle -A POSTROUTING -o swp4 -p udp -j SPAN --dport swp2",
                      "-A FORWARD -o swp1 -p udp -j SPAN --dport swp2"])
    _, seen = arrivals(shared_lab, ROUTED, family, Packet())
    assert seen.keys() == {2, 4} and seen[2] == seen[4]
    _, seen = arrivals(shared_lab, FROM_BRIDGE, family, Packet())
    assert seen.keys() == {1, 2} and seen[2] == seen[1]


def test_a_copy_is_not_copied_again(shared_lab, acl):
    acl.install("t", ["[iptables]", "-A FORWARD -o swp+ -p udp -j SPAN --dport swp4"])
    _, seen = arrivals(shared_lab, BRIDGED, 4, Packet())
    assert {host: len(frames) for host, frames in seen.items()} == {2: 1, 4: 1}
    _, seen = arrivals(shared_lab, ROUTED, 4, Packet())
    assert {host: len(frames) for host, frames in seen.items()} == {4: 1}


def test_cpu_is_the_device_named_mirror(shared_lab, acl):
    ns = shared_lab.switch.ns
    acl.install("t", ["[iptables]", "-A FORWARD -i swp1 -p udp -j SPAN --dport cpu"])
    assert arrivals(shared_lab, BRIDGED, 4, Packet())[1].keys() == {2}
    ns.ip("link add mirror type veth peer name mirror_\nlink set mirror up\nlink set mirror_ up")
    try:
        wire = Wire(ns, "mirror_")

        def copied():
            sent, _ = arrivals(shared_lab, BRIDGED, 4, Packet())
            return sent in wire.drain()

        wait_until(copied, "a copy comes out of the device that was made later")
    finally:
        ns.ip("link del mirror")


def rename(lab, number, name):
    """Rename port number; down for a moment, as a port has to be for that, of which its socket learns."""
    old = lab.switch.hosts[number].port
    lab.switch.ns.ip(f"link set {old} down\nlink set {old} name {name}\nlink set {name} up")
    assert lab.ports[number].socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ENETDOWN
    # A frame that no bridge forwards; both ends have to notice first that they are connected again.
    frame = b"\xff" * 6 + b"\x03\0\0\0\0\1" + ETH_MARKER.to_bytes(2, "big") + bytes(46)
    port, host = lab.ports[number], lab.hosts[number]

    def connected():
        port.send(frame)
        host.send(frame)
        return frame in port.drain() and frame in host.drain()

    wait_until(connected, f"{name} is connected again")


def test_hooks_follow_the_ports_and_survive_a_restart(policy):
    policy.write("10span.rules", "[iptables]\n-A FORWARD -i swp9,swp1 -p udp -j SPAN --dport swp8\n")
    with Switch(bridged=(1, 2), routed=(3,)) as switch:
        lab = Lab(switch)
        with Server(switch.ns, policy) as server:
            assert arrivals(lab, BRIDGED, 4, Packet())[1].keys() == {2}
            rename(lab, 3, "swp8")
            wait_until(lambda: 3 in arrivals(lab, BRIDGED, 4, Packet())[1], "copies go to a port that was renamed")
            rename(lab, 1, "swp9")
            # The bridge forwards some time after the port is up.
            wait_until(lambda: arrivals(lab, BRIDGED, 4, Packet())[1].keys() == {2, 3},
                       "copies are of a port that was renamed")
            before = [listed(server, f"-i {port}")[0] for port in ("swp9", "swp1")]
            server.kill()
            sent, seen = arrivals(lab, BRIDGED, 4, Packet())
            assert seen == {2: [sent], 3: [sent]}
            server.start()
            sent, seen = arrivals(lab, BRIDGED, 4, Packet())
            assert seen == {2: [sent], 3: [sent]}
            after = [listed(server, f"-i {port}")[0] for port in ("swp9", "swp1")]
            assert after == [before[0] + 2, before[1]]
            policy.remove("10span.rules")
            server.reload()
            wait_until(lambda: "netdev tapgate" not in switch.ns.run("nft", "list", "tables").stdout,
                       "the hooks go with the last rule")
