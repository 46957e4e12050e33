"""Ports that come, go, change their name and their speed, and many of them."""

import re
import shutil
import socket

import pytest

import sflow
from agent import counters, flows, nflog_conf as conf
from packets import Packet
from wait import wait_until

# Long enough that whatever arrives within a test is not due to the interval.
SLOW = "polling = 300"
MANY = 512


def rules(world):
    """{port: rate} of the sampling rules in the kernel."""
    listing = world.ns.run("nft", "-n", "list", "ruleset").stdout
    return {port: int(rate) for port, rate in re.findall(
        r"hook ingress device \"?([\w.-]+)\"? priority[^}]*?tapgate:(\d+)", listing)}


def frame():
    return Packet(family=4, src="10.9.0.1", dst="10.9.0.2", smac="02:00:00:00:09:01", dmac="02:00:00:00:09:02").frame()


def send(world, device, data):
    with world.ns.call(socket.socket, socket.AF_PACKET, socket.SOCK_RAW, 0) as raw:
        raw.bind((device, 0))
        raw.send(data)


def test_a_new_port_is_sampled_and_polled_at_once(world):
    with world.receiver() as receiver, world.agent(conf("sampling.flat = 1", SLOW)) as agent:
        receiver.wait(lambda r: counters(r, world.ifindex("swp4")), 30)
        world.ns.ip("link add swp9 type veth peer name far9\nlink set far9 up\nlink set swp9 up")
        receiver.wait(lambda r: counters(r, world.ifindex("swp9")), 10)
        wait_until(lambda: rules(world).get("swp9") == 1, "it is sampled", 10)
        send(world, "far9", frame())
        receiver.wait(lambda r: flows(r, world.ifindex("swp9")), 30)
        assert agent.port("swp9")["source"] == "nflog"


def test_a_port_that_goes_is_forgotten(world):
    with world.receiver() as receiver, world.agent(conf("sampling.flat = 1", SLOW)) as agent:
        world.ns.ip("link add swp9 type veth peer name far9\nlink set far9 up\nlink set swp9 up")
        index = world.ifindex("swp9")
        receiver.wait(lambda r: counters(r, index), 30)
        world.ns.ip("link del swp9")
        wait_until(lambda: agent.port("swp9") is None and "swp9" not in rules(world), "it is forgotten")
        # The same number again is a new port: its samples count from 1.
        world.ns.ip(f"link add swp9 index {index} type veth peer name far9\nlink set far9 up\nlink set swp9 up")
        receiver.wait(lambda r: [s["seq"] for s in counters(r, index)] == [1, 1], 30)
        wait_until(lambda: agent.port("swp9")["source"] == "nflog", "it is sampled again")


def test_a_new_name_is_followed(world):
    with world.receiver() as receiver, world.agent(conf("sampling.flat = 1", "polling = 1")) as agent:
        world.ns.ip("link add swp9 type veth peer name far9\nlink set far9 up\nlink set swp9 up")
        index = world.ifindex("swp9")
        wait_until(lambda: "swp9" in rules(world), "it is sampled")
        world.ns.ip("link set swp9 down\nlink set swp9 name swp10\nlink set swp10 up")
        receiver.wait(lambda r: [s for s in counters(r, index)
                                 if sflow.find_record(s, "port_name")["name"] == "swp10"], 30)
        wait_until(lambda: agent.port("swp10") and agent.port("swp9") is None, "the status has the new name")

        def sampled():
            send(world, "far9", frame())
            receiver.read()
            return flows(receiver, index)

        wait_until(sampled, "it is still sampled")
        world.ns.ip("link set swp10 down\nlink set swp10 name uplink\nlink set uplink up")
        wait_until(lambda: "uplink" not in str(agent.status()["ports"]) and len(rules(world)) == 4,
                   "what is no switch port any more is not sampled")
        said = [line.partition(": ")[2] for line in agent.log().splitlines() if "switch port" in line]
        assert said[-3:] == ["swp9: new switch port", "swp10: switch port, was swp9 before",
                             "swp10: no switch port any more"]


def test_speed_decides_the_rate_and_changes_it_at_once(world):
    if shutil.which("ethtool") is None:
        pytest.skip("ethtool is not installed")
    if world.ns.run("ip", "tuntap", "add", "swp9", "mode", "tap", check=False).returncode != 0:
        pytest.skip("this kernel has no tap devices, the only ones here whose speed can be set")
    world.ns.run("ethtool", "-s", "swp9", "speed", "1000", "duplex", "full")
    world.ns.ip("link set swp9 up")
    with world.agent(conf("sampling.2.5G = 77", SLOW)):
        for speed, rate in ((1000, 1000), (2500, 77), (100, 100), (40000, 40000)):
            world.ns.run("ethtool", "-s", "swp9", "speed", str(speed), "duplex", "full")
            wait_until(lambda: rules(world).get("swp9") == rate, f"the rate of {speed} Mb/s is 1 in {rate}", 10)


def test_what_a_section_says_holds_for_its_ports(world):
    text = conf("sampling.flat = 100", "port swp* { sampling = 30 }", "port swp2 { sampling = 20 polling = 7 }",
                "port swp3 { enable = off }", "port eth0 { enable = on }")
    with world.agent(text) as agent:
        status = agent.wait_status(lambda s: all(p["source"] for p in s["ports"]), "all ports are sampled")
        assert {p["name"]: (p["rate"], p["polling_s"]) for p in status["ports"]} == {
            "swp1": (30, 30), "swp2": (20, 7), "swp4": (30, 30), "eth0": (100, 30)}
        wait_until(lambda: rules(world) == {"swp1": 30, "swp2": 20, "swp4": 30, "eth0": 100}, "the kernel has the rates")


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def test_512_ports_are_sampled_and_polled(world):
    names = [f"swp{n}" for n in range(100, 100 + MANY)]
    world.ns.ip("\n".join(f"link add {name} type veth peer name far{name[3:]}" for name in names))
    world.ns.ip("\n".join(f"link set {end} up" for name in names for end in (name, "far" + name[3:])))
    with world.receiver() as receiver, world.agent(conf("sampling.flat = 1", "polling = 2")) as agent:
        status = agent.wait_status(lambda s: len(s["ports"]) == MANY + 4 and all(p["source"] for p in s["ports"]),
                                   "all ports are sampled")
        assert status["sources"][0]["ports"] == MANY + 4
        wait_until(lambda: len(rules(world)) == MANY + 4, "the kernel has all rules")
        receiver.wait(lambda r: len({s["ds_index"] for s in r.samples(sflow.COUNTERS) if s["ds_class"] == 0})
                      == MANY + 4, 60)
        for name in names[::100]:
            send(world, "far" + name[3:], frame())
            receiver.wait(lambda r, port=name: flows(r, world.ifindex(port)), 30)
        assert receiver.lost == 0
        assert agent.status()["ok"], agent.status()["warnings"]
        if "asan" not in agent.ns.run("cat", f"/proc/{agent.process.pid}/maps").stdout:
            assert resident_kib(agent.process.pid) < 16 << 10
        agent.stop()
    assert rules(world) == {}
