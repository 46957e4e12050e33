"""Packets that the kernel or a switch chip drops, at the collector. There is one drop monitor for the machine, in its
first network namespace, so all but the first test run in the test machine."""

import contextlib
import time

import pytest

import sflow
from agent import Agent, World, conf
from daemon import Server
from dropmonitor import KERNEL_DEFAULT, PACKETS, SUMMARY, DropMonitor
from lab import BRIDGE_TO_ROUTED, ROUTED, TO_BRIDGE, TO_PORT, fill
from netdevsim import SimulatedSwitch
from netns import FirstNamespace
from packets import Packet
from programs import Flood

OURS = (PACKETS, 256, 1021)
QUIET = ("polling = 0", "sampling.flat = 0")
USER = 64123
ACL, TTL, PORT_UNREACHABLE, NET_UNREACHABLE = 258, 257, 3, 0


@pytest.fixture(name="other")
def _other():
    other = DropMonitor(FirstNamespace())
    yield other
    other.close()


@pytest.fixture(name="world", scope="module")
def _world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("drops"), ns=FirstNamespace())
    yield world
    world.close()


def dropmon(*words, lines=()):
    return conf(*QUIET, f"dropmon {{ {' '.join(words)} }}", *lines)


def discards(receiver, token=None):
    """Discard samples so far, or those of one packet."""
    found = receiver.samples(sflow.DISCARD)
    return [s for s in found if token is None or token in sflow.find_record(s, "sampled_header")["header"]]


def source_of(status):
    return next((source for source in status["sources"] if source["name"] == "dropmon"), None)


def drop(world, receiver, packet, path=TO_PORT):
    """Send a packet that does not get through; its discard sample, and the frame."""
    filled = fill(world.switch, path, 4, packet)
    world.lab.hosts[path.source].send(filled.frame())
    return receiver.wait(lambda r: discards(r, filled.token), 30)[0], filled.frame()


def test_agent_that_cannot_listen_says_so_and_samples_all_the_same(tmp_path):
    # In a namespace of its own no kernel has a drop monitor.
    world = World(tmp_path)
    try:
        with world.agent(conf("sampling.flat = 100", "polling = 0", "dropmon { }")) as agent:
            agent.wait_status(lambda s: any("no drop monitor" in w for w in s["warnings"]), "a warning")
            assert source_of(agent.status()) is None
            agent.wait_status(lambda s: [p["source"] != "" for p in s["ports"]] == [True] * 4, "ports are sampled")
    finally:
        world.close()


@pytest.mark.vm
def test_traps_of_a_switch_chip_come_with_name_group_port_and_rule(tmp_path):
    # Before the switch of the others is made: its ports have the same names.
    codes = {"blackhole_route": 269, "tail_drop": 259, "fid_miss": 284, "ttl_value_is_too_small": 257,
             "vlan_tag_mismatch": 264, "ingress_flow_action_drop": ACL}
    world = World(tmp_path, bridged=(), routed=(), ns=FirstNamespace())
    with contextlib.closing(world), SimulatedSwitch(world.ns, 2) as switch:
        switch.set("trap_flow_action_cookie", "c0ffee\n")
        world.ns.ip("link set swp2 up")
        for trap in codes:
            world.ns.run("devlink", "trap", "set", f"netdevsim/{switch.device}", "trap", trap, "action", "trap",
                         check=False)  # exceptions are trapped in any case
        with world.receiver() as receiver, world.agent(dropmon("sw = off limit = 1000")):
            def seen(receiver):
                found = {sflow.find_record(s, "extended_hw_trap")["trap"]: s for s in discards(receiver)}
                return found if set(codes) <= set(found) else None

            found = receiver.wait(seen, 30)
        port = world.ifindex("swp2")
        assert {trap: found[trap]["reason"] for trap in codes} == codes
        for trap, sample in found.items():
            assert (sample["in_ifindex"], sample["ds_index"]) == (port, port), trap
            assert sflow.find_record(sample, "sampled_header")["frame_length"] == 142 + 4
        assert sflow.find_record(found["tail_drop"], "extended_hw_trap")["group"] == "buffer_drops"
        acl = sflow.find_record(found["ingress_flow_action_drop"], "extended_acl")
        assert (acl["number"], acl["name"], acl["direction"]) == (0, "c0ffee", 1)


def expect(sample, frame, ifindex, reason, name):
    """What every discard sample of the kernel says."""
    assert (sample["reason"], sample["in_ifindex"], sample["out_ifindex"]) == (reason, ifindex, 0)
    assert (sample["ds_class"], sample["ds_index"]) == (0, ifindex)
    header = sflow.find_record(sample, "sampled_header")
    assert (header["protocol"], header["frame_length"], header["stripped"]) == (1, len(frame) + 4, 4)
    assert frame == header["header"]
    assert sflow.find_record(sample, "extended_linux_drop_reason")["reason"] == name
    age_s = time.time() - sflow.find_record(sample, "extended_timestamp")["nanoseconds"] / 1e9
    assert -1 < age_s < 120


@pytest.mark.vm
def test_each_reason_of_the_kernel_comes_with_port_frame_function_and_code(world):
    with world.receiver() as receiver, world.agent(dropmon("limit = 1000")) as agent:
        swp1, swp3 = world.ifindex("swp1"), world.ifindex("swp3")
        assert agent.status()["warnings"] == []
        sample, frame = drop(world, receiver, Packet(dport=4444))
        expect(sample, frame, swp3, PORT_UNREACHABLE, "NO_SOCKET")
        assert sflow.find_record(sample, "extended_function")["symbol"] == "__udp4_lib_rcv"
        sample, frame = drop(world, receiver, Packet(ttl=1), ROUTED)
        expect(sample, frame, swp3, TTL, "IP_INHDR")
        assert sflow.find_record(sample, "extended_function")["symbol"] == "ip_forward"
        sample, frame = drop(world, receiver, Packet(dst="10.99.0.1"), ROUTED)
        expect(sample, frame, swp3, NET_UNREACHABLE, "IP_INNOROUTES")
        # The kernel says that it came in by br0; the port is that of its sender.
        sample, frame = drop(world, receiver, Packet(ttl=1), BRIDGE_TO_ROUTED)
        expect(sample, frame, swp1, TTL, "IP_INHDR")
        assert receiver.lost == 0
        assert source_of(agent.status())["lost"] == 0


@pytest.mark.vm
def test_what_an_acl_of_ours_drops_has_the_reason_acl(world, policy):
    policy.write("10drop.rules", "[iptables]\n-A FORWARD -i swp3 -p udp --dport 777 -j DROP\n"
                                 "-A INPUT -i swp1 -p udp --dport 778 -j DROP\n")
    server = Server(world.ns, policy)
    try:
        server.start()
        with world.receiver() as receiver, world.agent(dropmon()):
            sample, frame = drop(world, receiver, Packet(dport=777), ROUTED)
            # As it was when it was dropped, on its way out: the TTL is one less, which the IP checksum adds up.
            checksum = int.from_bytes(frame[24:26], "big") + 0x100
            checksum = (checksum & 0xFFFF) + (checksum >> 16)
            frame = frame[:22] + bytes([frame[22] - 1, frame[23]]) + checksum.to_bytes(2, "big") + frame[26:]
            expect(sample, frame, world.ifindex("swp3"), ACL, "NETFILTER_DROP")
            sample, _ = drop(world, receiver, Packet(dport=778), TO_BRIDGE)
            assert (sample["reason"], sample["in_ifindex"]) == (ACL, world.ifindex("swp1"))
        server.stop()
    finally:
        server.end()
        world.ns.nft("flush ruleset")  # what it installed stays


def handled(source):
    return source["packets"] + source["suppressed"] + source["lost"]


@pytest.mark.vm
def test_storm_of_one_reason_hides_no_other_and_what_is_not_told_is_counted(world):
    # Not what the lab's raw sockets have no room for: they get a copy of each packet.
    quiet = 'hide = "^(NOT_SPECIFIED|SOCKET_RCVBUFF|raw.*)$" hw = off'
    with world.receiver() as receiver, world.agent(dropmon(f"limit = 20 {quiet}")) as agent:
        frame = fill(world.switch, TO_PORT, 4, Packet(dport=4444)).frame()
        with Flood(world.switch.hosts[3], frame, 1000) as flood:
            agent.wait_status(lambda s: source_of(s)["suppressed"] > 500, "a storm")
            rare = [drop(world, receiver, Packet(ttl=1), ROUTED)[0] for _ in range(3)]
            sent = flood.stop() + len(rare)

        # What is dropped in the hosts' namespaces is told, too.
        agent.wait_status(lambda s: handled(source_of(s)) >= sent, f"{sent} drops are handled")
        receiver.wait(lambda r: len(discards(r)) >= source_of(agent.status())["packets"], 30)
        assert [sample["reason"] for sample in rare] == [TTL] * 3
        told = len([s for s in discards(receiver) if s["ds_index"] == rare[0]["ds_index"]])
        last, _ = drop(world, receiver, Packet(dst="10.99.0.1"), ROUTED)
        assert last["drops"] == sent - told
        storm = [s for s in discards(receiver) if s["reason"] == PORT_UNREACHABLE]
        assert len(storm) < sent / 2


@pytest.mark.vm
def test_breaker_stops_the_drop_monitor_in_a_storm_and_starts_it_again(world, other):
    with world.receiver() as receiver, world.agent(dropmon("max = 100 max_trip = 1")) as agent:
        frame = fill(world.switch, TO_PORT, 4, Packet(dport=4444)).frame()
        with Flood(world.switch.hosts[3], frame, 1000):
            agent.wait_status(lambda s: "stopped for" in source_of(s)["trouble"], "the breaker opens")
            assert not other.runs()
        agent.wait_status(lambda s: not source_of(s)["trouble"], "the breaker closes")
        assert other.config() == OURS
        drop(world, receiver, Packet(ttl=1), ROUTED)
    assert not other.runs()


@pytest.mark.vm
def test_drop_monitor_of_another_program_is_listened_to_and_left_alone(world, other):
    assert (other.configure(PACKETS, 60, 900), other.start()) == (0, 0)
    with world.receiver() as receiver, world.agent(dropmon()) as agent:
        assert "another program runs" in source_of(agent.status())["trouble"]
        assert any("another program runs" in warning for warning in agent.status()["warnings"])
        sample, frame = drop(world, receiver, Packet(ttl=1), ROUTED)
        header = sflow.find_record(sample, "sampled_header")
        assert (header["header"], header["frame_length"]) == (frame[:60], len(frame) + 4)
        agent.stop()
        assert other.runs()
        assert other.config() == (PACKETS, 60, 900)
        agent.start()
        assert "another program runs" in source_of(agent.status())["trouble"]
        other.stop()
        agent.wait_status(lambda s: not source_of(s)["trouble"], "the agent takes over")
        assert other.config() == OURS
    assert (other.config(), other.runs()) == (KERNEL_DEFAULT, False)


@pytest.mark.vm
def test_sums_of_another_program_are_no_use_and_force_ends_them(world, other):
    assert (other.configure(SUMMARY, 0, 1000), other.start()) == (0, 0)
    with world.receiver() as receiver, world.agent(dropmon()) as agent:
        assert "sums" in source_of(agent.status())["trouble"]
        agent.reload(dropmon("force = on"))
        agent.wait_status(lambda s: not source_of(s)["trouble"], "the agent takes over")
        assert other.config() == OURS
        drop(world, receiver, Packet(ttl=1), ROUTED)


@pytest.mark.vm
def test_what_a_killed_agent_left_is_taken_over_or_cleaned_up(world, other):
    with world.receiver() as receiver, world.agent(dropmon()) as agent:
        agent.kill()
        assert (other.config(), other.runs()) == (OURS, True)
        agent.start()
        assert source_of(agent.status())["trouble"] == ""
        drop(world, receiver, Packet(ttl=1), ROUTED)
        agent.kill()
        done = agent.cleanup()
        assert (done.returncode, done.stderr) == (0, "")
        assert (other.config(), other.runs()) == (KERNEL_DEFAULT, False)
        agent.start()
        agent.stop()
        assert (other.config(), other.runs()) == (KERNEL_DEFAULT, False)


def capabilities(agent):
    with open(f"/proc/{agent.process.pid}/status", encoding="ascii") as file:
        fields = dict(line.split(":", 1) for line in file)
    return int(fields["CapEff"], 16)


@pytest.mark.vm
def test_cap_net_admin_is_enough_once_it_listens(world, other, policy):
    unprivileged = Agent(world.ns, policy.base, dropmon(), ("--user", str(USER)))  # that user may read there
    with world.receiver() as receiver, unprivileged as agent:
        assert capabilities(agent) == 1 << 12
        drop(world, receiver, Packet(ttl=1), ROUTED)
        agent.reload(dropmon("limit = 200"))
        assert (agent.status()["warnings"], other.config()) == ([], OURS)
        drop(world, receiver, Packet(ttl=1), ROUTED)
    assert (other.config(), other.runs()) == (KERNEL_DEFAULT, False)


@pytest.mark.vm
def test_without_cap_sys_admin_it_says_what_is_missing(world, other):
    class Confined(Agent):
        def command(self, *options):
            return ["setpriv", "--bounding-set", "-sys_admin", "--", *super().command(*options)]

    with Confined(world.ns, world.directory, dropmon()) as agent:
        assert any("takes CAP_SYS_ADMIN" in warning for warning in agent.status()["warnings"])
        assert not other.runs()
