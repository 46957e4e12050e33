"""VLANs, VRFs and bonds on the way of a sampled packet: which physical ports, which tags, which route. Needs a kernel
with VLAN devices, VLAN-aware bridges, VRFs and bonding."""

import socket

import pytest

import sflow
from agent import header_of, samples_of
from forwarding import BY_NFLOG, BY_PSAMPLE, NONE, UNKNOWN, ports_of, route_of, running, sample_of, vlans_of
from lab import BRIDGE_TO_ROUTED, BRIDGED, ROUTED, ROUTED_TO_BRIDGE, Wire, fill
from netns import host_mac, port_mac
from packets import Packet
from wait import wait_until

pytestmark = pytest.mark.vm
CONNECTED = "0.0.0.0"


@pytest.fixture(name="receiver")
def make_receiver(world):
    with world.receiver() as receiver:
        yield receiver


@pytest.fixture(name="ask")
def make_ask(world, receiver):
    """ask(path, field=value, …) sends a packet and returns ports, VLANs and route of its sample."""
    def ask(path, **packet):
        sample = sample_of(world, receiver, path, Packet(**packet))
        return ports_of(world, sample), vlans_of(sample), route_of(sample)

    return ask


def bridge(world, *lines):
    world.ns.run("bridge", "-batch", "-", input="\n".join(lines))


def make_aware(world):
    """br0 tells VLANs apart: 10 is that of untagged packets, 20 is tagged everywhere; br0.20 is routed."""
    world.ns.ip("link set br0 type bridge vlan_filtering 1")
    bridge(world, *(f"vlan {line}" for line in (
        "del vid 1 dev swp1", "del vid 1 dev swp2", "del vid 1 dev br0 self",
        "add vid 10 dev swp1 pvid untagged", "add vid 10 dev swp2", "add vid 10 dev br0 self pvid untagged",
        "add vid 20 dev swp1", "add vid 20 dev swp2", "add vid 20 dev br0 self")),
        *(f"fdb replace {host_mac(n)} dev swp{n} master static vlan {vlan}" for n in (1, 2) for vlan in (10, 20)))
    world.ns.ip("link add link br0 name br0.20 type vlan id 20\nlink set br0.20 up\naddr add 10.20.0.254/24 dev br0.20\n"
                f"neigh replace 10.20.0.2 lladdr {host_mac(2)} dev br0.20 nud permanent")


def test_a_bridge_that_tells_vlans_apart(world, ask):
    make_aware(world)
    with running(world, BY_PSAMPLE):
        assert ask(BRIDGED) == (("swp1", "swp2"), (10, 0, 10, 0), None)
        assert ask(BRIDGED, vlan=0, pcp=3) == (("swp1", "swp2"), (10, 3, 10, 3), None)
        assert ask(BRIDGED, vlan=20, pcp=5) == (("swp1", "swp2"), (20, 5, 20, 5), None)
        assert ask(BRIDGED, vlan=20, dmac="02:00:00:00:00:77") == (("swp1", "multiple:0"), (20, 0, 20, 0), None)
        # To and from the addresses of the bridge: its own VLAN, and the VLAN interface on top of it.
        assert ask(BRIDGE_TO_ROUTED) == (("swp1", "swp3"), (10, 0, UNKNOWN, UNKNOWN), (CONNECTED, 24, 24))
        assert ask(BRIDGE_TO_ROUTED, vlan=20, pcp=6, src="10.20.0.1") == (
            ("swp1", "swp3"), (20, 6, UNKNOWN, UNKNOWN), (CONNECTED, 24, 24))
        assert ask(ROUTED_TO_BRIDGE) == (("swp3", "swp1"), (UNKNOWN, UNKNOWN, 10, 0), (CONNECTED, 24, 24))
        assert ask(ROUTED_TO_BRIDGE, dst="10.20.0.2") == (
            ("swp3", "swp2"), (UNKNOWN, UNKNOWN, 20, 0), (CONNECTED, 24, 24))
        # Another VLAN for untagged packets.
        bridge(world, "vlan add vid 20 dev swp1 pvid untagged")
        wait_until(lambda: ask(BRIDGED)[1] == (20, 0, 20, 0), "samples are in the new VLAN")
        world.ns.ip("link set br0 type bridge vlan_filtering 0")
        bridge(world, f"fdb replace {host_mac(2)} dev swp2 master static")
        wait_until(lambda: ask(BRIDGED) == (("swp1", "swp2"), NONE, None), "VLANs are not told apart")


@pytest.mark.parametrize("text", (BY_NFLOG, BY_PSAMPLE), ids=("nflog", "psample"))
def test_tags_are_in_the_header_and_packets_go_on_as_they_came(world, receiver, text):
    """Also two tags, and a packet that is to be routed."""
    world.ns.ip("link add link swp3 name swp3.100 type vlan id 100\nlink set swp3.100 up\n"
                "addr add 10.30.0.254/24 dev swp3.100")
    given = [(BRIDGED, Packet()), (BRIDGED, Packet(vlan=100, pcp=5)), (BRIDGED, Packet(family=6, vlan=4094)),
             (BRIDGED, Packet(vlan=7, proto="0x88cc", payload=300)),
             (ROUTED, Packet(vlan=100, src="10.30.0.1"))]
    with running(world, text):
        for path, packet in given:
            frame = fill(world.switch, path, packet.family or 4, packet).frame()
            arrived = world.lab.exchange(path.source, [frame])
            (out,) = [data for _, data in arrived if packet.token in data]
            assert out == frame or path is ROUTED
            (sample,) = receiver.wait(lambda r, p=packet: samples_of(r, p), 30)
            header = header_of(sample)
            assert bytes(header["header"]) == frame[:128]
            assert header["stripped"] == 4
            # NFLOG does not tell the length of what is not IP.
            assert header["frame_length"] == len(frame) + 4 or (packet.proto == "0x88cc" and text == BY_NFLOG)
        # A tag in a tag.
        inner = fill(world.switch, BRIDGED, 4, Packet(vlan=300)).frame()
        frame = inner[:12] + bytes.fromhex("88a8a064") + inner[12:]
        arrived = world.lab.exchange(1, [frame])
        assert frame in [data for _, data in arrived]
        receiver.wait(lambda r: any(bytes(header_of(s)["header"]) == frame[:128]
                                    for s in r.samples(sflow.FLOW)), 30)


def test_vlan_interfaces_of_ports(world, ask):
    hosts = world.switch.hosts
    world.ns.ip(f"""link add link swp3 name swp3.100 type vlan id 100
link set swp3.100 up
addr add 10.30.0.254/24 dev swp3.100
link add link swp4 name swp4.200 type vlan id 200 egress-qos-map 0:6
link set swp4.200 up
addr add 10.40.0.254/24 dev swp4.200
route add 10.41.0.0/20 via 10.40.0.4
neigh replace 10.40.0.4 lladdr {hosts[4].mac} dev swp4.200 nud permanent
link add link swp4 name swp4.300 type vlan id 300
link set swp4.300 master br0 up""")
    bridge(world, "fdb replace 02:00:00:00:00:99 dev swp4.300 master static")
    with running(world):
        assert ask(ROUTED, vlan=100, pcp=4, src="10.30.0.1", dst="10.41.0.1") == (
            ("swp3", "swp4"), (100, 4, 200, UNKNOWN), ("10.40.0.4", 24, 20))
        assert ask(ROUTED, vlan=100, pcp=4, src="10.30.0.1") == (
            ("swp3", "swp4"), (100, 4, UNKNOWN, UNKNOWN), (CONNECTED, 24, 24))
        assert ask(BRIDGED, dmac="02:00:00:00:00:99") == (("swp1", "swp4"), (UNKNOWN, UNKNOWN, 300, 0), None)


def test_tables_of_vrfs(world, ask):
    hosts = world.switch.hosts
    world.ns.ip(f"""link add red type vrf table 1001
link set red up
link set swp3 master red
link set swp4 master red
neigh replace {hosts[4].ip4} lladdr {hosts[4].mac} dev swp4 nud permanent
route replace 10.103.0.0/18 via {hosts[3].ip4} vrf red
route replace 10.104.0.0/19 via {hosts[4].ip4} vrf red
route replace 10.103.0.0/30 via {hosts[1].ip4}
route replace 10.104.0.0/16 dev red""")
    for wire in world.lab.ports.values():
        # The ports were down for a moment, which is not to be told when the socket is read.
        wire.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    with running(world):
        assert ask(ROUTED) == (("swp3", "swp4"), None, (CONNECTED, 24, 24))
        assert ask(ROUTED, src="behind", dst="behind") == (("swp3", "swp4"), None, (hosts[4].ip4, 18, 19))
        # From outside the VRF into it.
        assert ask(BRIDGE_TO_ROUTED, dst="10.104.0.1") == (("swp1", "swp4"), NONE, (hosts[4].ip4, 24, 19))


def make_bond(world, mode):
    """bond0 of swp5 and swp6, which lead nowhere in particular."""
    world.ns.ip(f"link add bond0 address {port_mac(5)} type bond mode {mode} miimon 10")
    for port in ("swp5", "swp6"):
        world.ns.ip(f"link add {port} type veth peer name {port} netns {world.host.path}\nlink set {port} master bond0")
        world.host.ip(f"link set {port} up")


def test_a_bond_in_a_bridge_stands_for_the_member_in_use(world, ask):
    make_aware(world)
    make_bond(world, "active-backup")
    world.ns.ip("link set bond0 type bond primary swp5\nlink set bond0 master br0 up")
    bridge(world, "vlan del vid 1 dev bond0", "vlan add vid 20 dev bond0",
           "fdb replace 02:00:00:00:00:99 dev bond0 master static vlan 20")
    with running(world):
        def there(**packet):
            return ask(BRIDGED, vlan=20, dmac="02:00:00:00:00:99", **packet)

        wait_until(lambda: there(pcp=1) == (("swp1", "swp5"), (20, 1, 20, 1), None), "packets leave by swp5")
        world.host.ip("link set swp5 down")
        wait_until(lambda: there()[0] == ("swp1", "swp6"), "packets leave by swp6")
        world.host.ip("link set swp5 up")
        wait_until(lambda: there()[0] == ("swp1", "swp5"), "packets leave by swp5 again")


def test_a_bond_with_several_members_stands_for_them_and_a_member_is_an_input(world, receiver, ask):
    make_bond(world, "balance-xor")
    world.ns.ip("link set bond0 up\naddr add 10.50.0.254/24 dev bond0\n"
                "neigh replace 10.50.0.1 lladdr 02:00:00:00:00:98 dev bond0 nud permanent\n"
                "link add link bond0 name bond0.100 type vlan id 100\nlink set bond0.100 up\n"
                "addr add 10.51.0.254/24 dev bond0.100")
    packet = Packet(vlan=100, pcp=2, src="10.51.0.1", dmac=port_mac(5))
    with running(world):
        wait_until(lambda: ask(ROUTED, dst="10.50.0.1")[0] == ("swp3", "bond0"), "packets leave by the bond")
        Wire(world.host, "swp6").send(fill(world.switch, ROUTED, 4, packet).frame())
        (sample,) = receiver.wait(lambda r: samples_of(r, packet), 30)
        assert sample["ds_index"] == world.ifindex("swp6")
        assert (ports_of(world, sample), vlans_of(sample), route_of(sample)) == (
            ("swp6", "swp4"), (100, 2, UNKNOWN, UNKNOWN), (CONNECTED, 24, 24))
        world.host.ip("link set swp5 down")
        wait_until(lambda: ask(ROUTED, dst="10.50.0.1")[0] == ("swp3", "swp6"), "packets leave by its last member")
