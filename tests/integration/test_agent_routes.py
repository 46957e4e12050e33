"""Next hop and prefix lengths of routed samples (extended_router), and VLANs of bridged ones (extended_switch)."""

import pytest

from agent import conf
from forwarding import BY_NFLOG, NONE, UNKNOWN, ports_of, route_of, running, sample_of, vlans_of, wait_route
from lab import BRIDGE_TO_ROUTED, BRIDGED, ROUTED, ROUTED_TO_BRIDGE, TO_PORT
from packets import Packet

CONNECTED = "0.0.0.0"


def limited(routes):
    return BY_NFLOG.replace("polling", f"maxRoutes = {routes}\n  polling")


@pytest.mark.parametrize("family, net, behind", ((4, 24, 16), (6, 64, 48)))
def test_next_hop_and_prefixes_are_those_of_the_kernel(world, family, net, behind):
    hosts = world.switch.hosts
    with world.receiver() as receiver, running(world):
        def ask(path, **packet):
            return route_of(sample_of(world, receiver, path, Packet(**packet), family))

        assert ask(ROUTED) == (CONNECTED, net, net)
        assert ask(ROUTED, src="behind", dst="behind") == (hosts[4].address(family), behind, behind)
        assert ask(ROUTED_TO_BRIDGE, src="behind") == (CONNECTED, behind, net)
        assert ask(BRIDGE_TO_ROUTED, dst="behind") == (hosts[3].address(family), net, behind)
        assert ask(ROUTED, src="11.0.0.1" if family == 4 else "2001:db9::1") == (CONNECTED, 0, net)
        assert ask(BRIDGED) is None
        assert ask(TO_PORT) is None


def test_each_change_of_the_tables_is_followed(world):
    hosts, ip = world.switch.hosts, world.ns.ip
    world.ns.sysctl("ipv4/conf/swp3/rp_filter", 0)
    with world.receiver() as receiver, running(world) as agent:
        def wait(expected, **packet):
            wait_route(world, receiver, ROUTED, expected, **packet)

        wait((CONNECTED, 24, 24))
        before = agent.status()["samples"]["routes"]
        ip(f"route add 10.103.0.0/20 via {hosts[3].ip4}\nroute add 10.104.0.0/25 via {hosts[1].ip4}")
        wait((hosts[1].ip4, 20, 25), src="behind", dst="behind")
        assert agent.status()["samples"]["routes"] == before + 2
        # A second route to a prefix goes, and then the first.
        ip(f"route add 10.103.0.0/20 via {hosts[4].ip4} metric 9\nroute del 10.103.0.0/20 metric 9")
        wait((hosts[1].ip4, 20, 25), src="behind", dst="behind")
        ip("route del 10.103.0.0/20\nroute del 10.104.0.0/25")
        wait((hosts[4].ip4, 16, 16), src="behind", dst="behind")
        agent.wait_status(lambda s: s["samples"]["routes"] == before, "as many routes as at first")
        # The kernel says nothing of IPv4 routes that go with their link or address.
        ip("link set br0 down")
        wait((CONNECTED, 0, 24), src="10.101.0.1")
        ip(f"route add default via {hosts[4].ip4}\naddr del 10.0.3.254/24 dev swp3")
        wait((CONNECTED, 0, 24))


def test_with_more_routes_than_the_limit_there_are_none_and_it_is_said(world):
    with world.receiver() as receiver, running(world, limited(8)) as agent:
        assert route_of(sample_of(world, receiver, ROUTED, Packet())) is None
        status = agent.status()
        assert (status["samples"]["routes"], status["samples"]["max_routes"]) == (0, 8)
        assert [text for text in status["warnings"] if "more than 8 prefixes" in text]
        assert agent.logged("routes: more than 8 prefixes") == 1
        agent.reload(limited(1000))
        wait_route(world, receiver, ROUTED, (CONNECTED, 24, 24))
        assert not [text for text in agent.status()["warnings"] if "prefixes" in text]
        lines = "\n".join(f"route add 10.200.{n >> 6}.{(n & 63) << 2}/30 via 10.0.4.4" for n in range(1000))
        world.ns.ip(lines)
        wait_route(world, receiver, ROUTED, None)
        agent.reload(limited(0))
        assert agent.status()["samples"]["max_routes"] == 0
        assert not [text for text in agent.status()["warnings"] if "prefixes" in text]
        agent.reload(limited(4000))
        wait_route(world, receiver, ROUTED, (CONNECTED, 30, 24), src="10.200.1.1")


def test_policy_routes_have_the_prefixes_of_their_table(world):
    hosts = world.switch.hosts
    world.ns.ip(f"route add 10.104.0.0/28 via {hosts[1].ip4} table 100\nroute add 10.103.0.0/30 via {hosts[3].ip4} "
                "table 100\nrule add from 10.103.0.0/24 lookup 100")
    with world.receiver() as receiver, running(world):
        sample = sample_of(world, receiver, ROUTED, Packet(src="behind", dst="behind"))
        assert (ports_of(world, sample), route_of(sample)) == (("swp3", "swp1"), (hosts[1].ip4, 30, 28))
        assert route_of(sample_of(world, receiver, ROUTED, Packet(dst="behind"))) == (hosts[4].ip4, 24, 16)


def test_tags_of_bridged_samples_are_told(world):
    with world.receiver() as receiver, running(world):
        def ask(path, **packet):
            return vlans_of(sample_of(world, receiver, path, Packet(**packet)))

        assert ask(BRIDGED) == NONE
        assert ask(BRIDGED, vlan=100, pcp=5) == (100, 5, 100, 5)
        assert ask(BRIDGED, vlan=0, pcp=3) == (UNKNOWN, 3, UNKNOWN, 3)
        assert ask(ROUTED_TO_BRIDGE) is None
        assert ask(ROUTED) is None


def test_records_can_be_had_from_a_recording_without_the_kernels_routes(world, tmp_path):
    """What a switch recorded elsewhere plays on a machine where those interfaces do not exist."""
    recording = str(tmp_path / "recording")
    with world.receiver() as receiver:
        with world.agent(BY_NFLOG, ("--record", recording)) as agent:
            agent.wait_status(lambda s: sum(source["ports"] for source in s["sources"]) == 4, "all ports are sampled")
            assert route_of(sample_of(world, receiver, ROUTED, Packet())) == (CONNECTED, 24, 24)
        world.ns.ip("link del swp3")
        count = len(receiver.samples("flow"))
        with world.agent(conf(f'replay {{ file = "{recording}" }}', "polling = 0")):
            receiver.wait(lambda r: len(r.samples("flow")) > count, 30)
        assert route_of(receiver.samples("flow")[-1]) is None
