"""Sampling filters of our own in tc: whose they are, what they follow, and what of others stays as it was. In the test
machine, for it takes tc."""

import contextlib
import json
import re

import pytest

from agent import Agent, add_management, conf, samples_of
from lab import BRIDGED, ROUTED, Lab
from netdevsim import SimulatedSwitch, offload_sampling, set_speed
from netns import Namespace
from packets import Packet
from programs import agent_program
from wait import wait_until

pytestmark = pytest.mark.vm

EVERY = conf("sampling.flat = 1", "polling = 0")
COOKIE = b"tapgate-agent".hex()


def tc(world, *words):
    return world.ns.run("tc", *words).stdout


def shown(world, port, hook="ingress"):
    """The filters of one hook, without what counts and what the kernel numbers."""
    text = tc(world, "filter", "show", "dev", port, hook)
    return re.sub(r" index \d+ ref.*", "", text)


def ours(world, port, hook="ingress"):
    """(preference, rate, group) of each filter of ours at one hook."""
    return [tuple(int(word) for word in found) for found in re.findall(
        rf"pref (\d+) matchall chain 0 handle 0x74670001.*?rate 1/(\d+) group (\d+).*?cookie {COOKIE}",
        tc(world, "filter", "show", "dev", port, hook), re.S)]


def qdiscs(world):
    """Interfaces with a clsact qdisc."""
    return {qdisc["dev"] for qdisc in json.loads(tc(world, "-json", "qdisc")) if qdisc["kind"] == "clsact"}


def sampled(status, count=4, source="psample"):
    return len([p for p in status["ports"] if p["source"] == source]) == count


def is_sampled(world, receiver, path):
    """Send a packet; whether a sample of it comes within the time that a sample takes."""
    packet = Packet()
    world.lab.send(path, 4, packet)
    receiver.read()
    return bool(samples_of(receiver, packet))


def test_each_port_has_one_filter_which_goes_with_the_agent(world):
    with world.agent(EVERY) as agent:
        status = agent.wait_status(sampled, "psample samples all ports")
        assert {(p["name"], p["place"], p["rate"]) for p in status["ports"]} == {
            (f"swp{n}", "software", 1) for n in range(1, 5)}
        assert [ours(world, f"swp{n}") for n in range(1, 5)] == [[(1, 1, 1)]] * 4
        assert qdiscs(world) == {"swp1", "swp2", "swp3", "swp4"}
        assert "4 ports by psample, 0 of them in hardware" in agent.log()
        agent.reload(conf("sampling.flat = 500", "polling = 0",
                          "psample { install = on egress = on group = 9 } port swp4 { sampling = 0 }"))
        wait_until(lambda: ours(world, "swp1") == [(1, 500, 9)] and ours(world, "swp1", "egress") == [(1, 500, 10)]
                   and not ours(world, "swp4"), "the filters are as the new configuration says")
        wait_until(lambda: qdiscs(world) == {"swp1", "swp2", "swp3"}, "the empty qdisc is gone")
    assert qdiscs(world) == set()


ACL = "filter", "add", "dev", "swp1", "ingress", "pref", "10", "protocol", "ip", "flower", "dst_ip", "10.0.0.2"


def test_filters_of_others_stay_and_what_they_drop_is_sampled(world):
    tc(world, "qdisc", "add", "dev", "swp1", "clsact")
    tc(world, *ACL, "action", "drop")
    tc(world, "filter", "add", "dev", "swp1", "egress", "matchall", "action", "ok")
    tc(world, "qdisc", "add", "dev", "swp2", "ingress")
    tc(world, "filter", "add", "dev", "swp2", "ingress", "pref", "1", "matchall", "action", "continue")
    tc(world, "qdisc", "add", "dev", "swp3", "root", "handle", "1:", "htb")
    tc(world, "qdisc", "add", "dev", "swp4", "clsact")
    hooks = [("swp1", "ingress"), ("swp1", "egress"), ("swp2", "ingress"), ("swp4", "ingress")]

    def state():
        return [shown(world, *hook) for hook in hooks], tc(world, "qdisc")

    before = state()
    with world.receiver() as receiver, world.agent(EVERY) as agent:
        agent.wait_status(sampled, "psample samples all ports")
        assert all(text in shown(world, *hook) for text, hook in zip(before[0], hooks))
        assert (ours(world, "swp1"), ours(world, "swp2")) == ([(1, 1, 1)], [(2, 1, 1)])
        assert "swp2: filters of others come before" in agent.log()
        packet = Packet()
        assert world.lab.send(BRIDGED, 4, packet) == [None], "the ACL drops"
        receiver.wait(lambda r: samples_of(r, packet), 30)
        # Somebody moves into a qdisc that we have made.
        tc(world, "filter", "add", "dev", "swp3", "ingress", "pref", "7", "matchall", "action", "ok")
    assert state()[0] == before[0]
    assert "matchall" in shown(world, "swp3") and not ours(world, "swp3")
    assert qdiscs(world) == {"swp1", "swp3", "swp4"}


def test_after_a_kill_filters_are_found_again_and_cleanup_removes_them(world):
    agent = world.agent(EVERY).start()
    agent.wait_status(sampled, "psample samples all ports")
    agent.kill()
    numbers = re.findall(r"index (\d+)", tc(world, "filter", "show", "dev", "swp1", "ingress"))
    agent.write_conf(conf("sampling.flat = 1", "polling = 0", "port swp2 { sampling = 50 }", "port swp3 { enable = off }"))
    agent.start()
    agent.wait_status(lambda s: sampled(s, 3), "psample samples three ports")
    assert "4 sampling filters of an earlier agent" in agent.log()
    assert re.findall(r"index (\d+)", tc(world, "filter", "show", "dev", "swp1", "ingress")) == numbers
    assert [ours(world, f"swp{n}") for n in range(1, 5)] == [[(1, 1, 1)], [(1, 50, 1)], [], [(1, 1, 1)]]
    assert qdiscs(world) == {"swp1", "swp2", "swp4"}
    tc(world, *ACL, "action", "drop")
    agent.kill()
    world.ns.run(agent_program(), "cleanup", "--run-dir", agent.run_dir)
    assert not any(ours(world, f"swp{n}") for n in range(1, 5))
    assert qdiscs(world) == {"swp1"} and "flower" in shown(world, "swp1")


def test_filters_that_somebody_removes_are_put_back(world):
    with world.agent(EVERY) as agent:
        agent.wait_status(sampled, "psample samples all ports")
        tc(world, "qdisc", "del", "dev", "swp1", "clsact")
        tc(world, "filter", "del", "dev", "swp2", "ingress")
        wait_until(lambda: all(ours(world, f"swp{n}") == [(1, 1, 1)] for n in (1, 2)), "both are back")
        assert qdiscs(world) == {"swp1", "swp2", "swp3", "swp4"}


def test_sampling_follows_down_and_up_a_new_name_and_a_new_speed(world):
    with world.receiver() as receiver, world.agent(conf("polling = 0", "port swp3 { sampling = 1 }",
                                                        "port uplink { sampling = 1 }", "cumulus { switchport = "
                                                        "\"^(swp[0-9]+|uplink)$\" }", "psample { install = on }")) as agent:
        agent.wait_status(sampled, "psample samples all ports")
        world.ns.ip("link set swp3 down\nlink set swp3 up")
        world.lab = Lab(world.switch)  # the sockets of the old one know that the port was down
        wait_until(lambda: is_sampled(world, receiver, ROUTED), "samples after down and up")
        world.ns.ip("link set swp3 down\nlink set swp3 name uplink\nlink set uplink up")
        agent.wait_status(lambda s: any(p["name"] == "uplink" and p["source"] == "psample" for p in s["ports"]),
                          "the port with its new name")
        assert ours(world, "uplink") == [(1, 1, 1)]
        set_speed(world.ns, "swp1", 400000)
        world.ns.ip("link set swp1 down\nlink set swp1 up")
        wait_until(lambda: ours(world, "swp1") == [(1, 400000, 1)], "the rate of the new speed")


def test_a_port_that_tc_refuses_is_sampled_by_nflog_until_it_can_be(world):
    tc(world, "qdisc", "add", "dev", "swp2", "ingress_block", "22", "clsact")
    with world.agent(EVERY) as agent:
        status = agent.wait_status(lambda s: sampled(s, 3) and sampled(s, 1, "nflog"), "nflog samples one port")
        assert [p["name"] for p in status["ports"] if p["source"] == "nflog"] == ["swp2"]
        assert not status["warnings"]
        assert "1 port cannot be sampled, the last one is swp2: " in agent.log()
        tc(world, "qdisc", "del", "dev", "swp2", "clsact")
        agent.reload(EVERY)
        agent.wait_status(sampled, "psample samples all ports")
        assert "swp2" not in world.ns.run("nft", "list", "ruleset").stdout


def test_a_driver_that_can_samples_in_hardware(world):
    world.ns.ip("link add swp7 type dummy\nlink set swp7 up")
    set_speed(world.ns, "swp7", 100000)
    offload_sampling(world.ns, "swp7")
    with world.agent(conf("sampling.flat = 1", "polling = 0", "psample { install = on egress = on }")) as agent:
        status = agent.wait_status(lambda s: sampled(s, 5), "psample samples all ports")
        assert {p["name"]: p["place"] for p in status["ports"]} == {
            **{f"swp{n}": "software" for n in range(1, 5)}, "swp7": "hardware"}
        for hook in ("ingress", "egress"):
            assert "skip_sw" in shown(world, "swp7", hook) and "skip_hw" in shown(world, "swp1", hook)
        assert "5 ports by psample, 1 of them in hardware" in agent.log()
        assert "psample/hw" in agent.ask().stdout
        agent.reload(conf("sampling.flat = 1", "polling = 0", "dent { sw = off }"))
        agent.wait_status(lambda s: sampled(s, 1) and sampled(s, 4, "nflog"), "only the chip samples")


def test_without_software_nothing_is_programmed_that_no_chip_takes(world):
    with world.agent(conf("sampling.flat = 1", "polling = 0", "dent { sw = off }")) as agent:
        agent.wait_status(lambda s: sampled(s, 4, "nflog"), "nflog samples all ports")
        assert qdiscs(world) == set()
        assert "in hardware" in agent.log()


def test_an_unprivileged_agent_samples_ports_that_come_later(world):
    with world.receiver() as receiver, world.agent(EVERY, ("--user", "nobody")) as agent:
        agent.wait_status(sampled, "psample samples all ports")
        with open(f"/proc/{agent.process.pid}/status", encoding="ascii") as file:
            state = dict(line.split(":", 1) for line in file)
        assert state["Uid"].split() == ["65534"] * 4 and int(state["CapEff"], 16) == 1 << 12  # CAP_NET_ADMIN
        world.ns.ip("link add swp7 type dummy\nlink set swp7 up")
        wait_until(lambda: ours(world, "swp7") == [(1, 1, 1)], "the new port has its filter")
        wait_until(lambda: is_sampled(world, receiver, ROUTED), "samples come")
    assert qdiscs(world) == set()


@contextlib.contextmanager
def _many(tmp_path, ports):
    """(namespace, switch, agent) with so many netdevsim ports."""
    with contextlib.ExitStack() as stack:
        ns = Namespace()
        stack.callback(ns.close)
        switch = stack.enter_context(SimulatedSwitch(ns, ports, number=21))
        add_management(ns, stack)
        yield ns, switch, stack.enter_context(Agent(ns, tmp_path, conf("sampling.flat = 7", "polling = 0")))


def filters_in(ns):
    """How many ports have a clsact qdisc."""
    return ns.run("tc", "qdisc").stdout.count("qdisc clsact")


@pytest.mark.parametrize("ports", (128, pytest.param(512, marks=pytest.mark.vm(since="6.12"))))
def test_many_ports_come_split_and_go(tmp_path, ports):
    with _many(tmp_path, ports) as (ns, switch, agent):
        agent.wait_status(lambda s: sampled(s, ports), "psample samples all ports")
        assert filters_in(ns) == ports
        # What a split is to us: a port goes, others come.
        switch.remove_port(ports - 1)
        switch.add_port(ports)
        (new,) = [link["ifname"] for link in json.loads(ns.run("ip", "-json", "link").stdout)
                  if link["ifname"].startswith("eth") and link["ifname"] != "eth0"]
        ns.ip(f"link set {new} name swp{ports}s0")
        agent.wait_status(lambda s: sampled(s, ports) and any(p["name"] == f"swp{ports}s0" for p in s["ports"]),
                          "the new port is sampled")
        assert filters_in(ns) == ports
        agent.stop()
        assert filters_in(ns) == 0
