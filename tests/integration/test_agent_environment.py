"""What the agent is put into: files from the field, systemd, namespaces, kernels that lack something."""

import os
import re
import socket
import subprocess
import tempfile

import pytest

import sflow
from agent import World, conf, flows, header_of
from lab import BRIDGED
from packets import Packet
from programs import ROOT, tool
from wait import wait_until


@pytest.fixture(name="public_directory")
def make_public_directory():
    """A directory whose files any user may read; those of pytest are private."""
    with tempfile.TemporaryDirectory(prefix="tapgate-test-") as path:
        os.chmod(path, 0o755)
        yield path


def field(name):
    with open(os.path.join(ROOT, "tests", "golden", "conf", name + ".in"), encoding="utf-8") as file:
        return file.read()


# Files from the field that send to an address; where to is changed to our collector, nothing else.
@pytest.mark.parametrize("name", ("cumulus", "dent-software", "docker-host", "hpc-host", "kvm-bridge", "minimal",
                                  "old-names", "other-platforms", "sonic", "speed-ranges", "vyos"))
def test_files_from_the_field_work(world, name):
    text, count = re.subn(r"collector\s*\{[^}]*\}", f"collector {{ ip = {World.COLLECTOR4} }}", field(name))
    if not count:
        # What the platform's own database would say.
        text = text.rstrip().removesuffix("}") + f"collector {{ ip = {World.COLLECTOR4} }}\n}}\n"
    with world.receiver() as receiver, world.agent(text) as agent:
        receiver.wait(lambda r: r.samples(sflow.COUNTERS), 30)
        assert not [w for w in agent.status()["warnings"] if "reload" in w or "address" in w]


class Systemd:
    """The socket on which a service manager listens."""

    def __init__(self, directory):
        self.path = os.path.join(str(directory), "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(30)

    def next(self):
        """The variables of the next message that is not the watchdog's."""
        while True:
            message = dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())
            if message != {"WATCHDOG": "1"}:
                return message


def test_systemd_is_told(world, tmp_path, monkeypatch):
    systemd = Systemd(tmp_path)
    monkeypatch.setenv("NOTIFY_SOCKET", systemd.path)
    monkeypatch.setenv("WATCHDOG_USEC", "200000")
    with world.agent(conf()) as agent:
        assert systemd.next()["READY"] == "1"
        agent.reload(conf("polling = 10"))
        assert systemd.next()["RELOADING"] == "1"
        assert systemd.next()["READY"] == "1"
        assert b"WATCHDOG=1" in [systemd.socket.recv(4096) for _ in range(3)]
        agent.stop()
        assert systemd.next() == {"STOPPING": "1"}


def test_a_collector_in_another_namespace(world, tmp_path):
    """Its socket is made before the privileges for that are given up, and stays through a reload."""
    name = f"tapgate-agent-{os.getpid()}"
    path = f"/run/netns/{name}"
    os.makedirs("/run/netns", exist_ok=True)
    with open(path, "w", encoding="ascii"):
        pass
    text = conf("polling = 1", f"collector {{ ip = {World.COLLECTOR4} udpport = 6344 namespace = {name} }}")
    try:
        # The management host itself is that namespace: what is sent there comes from its own address.
        subprocess.run(["mount", "--bind", world.host.path, path], check=True)
        with world.receiver(port=6344) as receiver, world.agent(text) as agent:
            receiver.wait(lambda r: r.datagrams, 30)
            assert {d["peer"] for d in receiver.datagrams} == {World.COLLECTOR4}
            agent.reload(text.replace("polling = 1", "polling = 2"))
            have = len(receiver.datagrams)
            receiver.wait(lambda r: len(r.datagrams) > have + 1, 30)
            assert ("collector", f"{World.COLLECTOR4}/6344//{name}") in agent.auto()
    finally:
        subprocess.run(["umount", path], check=False)
        os.unlink(path)


def test_a_source_that_the_kernel_lacks_is_named_and_counters_go_on(world):
    with world.receiver() as receiver, world.agent(conf("psample { group = 1 }", "polling = 1")) as agent:
        receiver.wait(lambda r: r.samples(sflow.COUNTERS), 30)
        status = agent.status()
        if any(source["name"] == "psample" for source in status["sources"]):
            pytest.skip("this kernel has psample")
        assert status["warnings"][0].startswith("no packet sampling: psample"), status["warnings"]
        # A reload that asks for something else ends that.
        agent.reload(conf("sampling.flat = 1", "polling = 1"))
        agent.wait_status(lambda s: s["ok"] and all(p["source"] == "nflog" for p in s["ports"]), "ports are sampled")


@pytest.mark.parametrize("others", (("nflog { }",), ("pcap { dev = swp1 sampling = 1 }", "nflog { install = on }")),
                         ids=("the_only_source", "one_of_two"))
def test_a_source_that_is_taken_is_tried_again(world, others):
    with world.ns.popen(tool("nflog_reader"), "6343", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                        text=True) as reader:
        reader.stdin.write("\n")
        reader.stdin.flush()
        assert reader.stdout.readline()  # it has the group
        with world.agent(conf("sampling.flat = 1", "polling = 0", *others)) as agent:
            agent.wait_status(lambda s: any("group 6343" in w for w in s["warnings"]), "it says what is missing")
            reader.communicate("")
            agent.wait_status(lambda s: not any("6343" in w and "nflog" in w for w in s["warnings"]) and
                              "nflog" in {p["source"] for p in s["ports"]}, "it is sampled as soon as it can be")


def test_a_file_for_a_chip_is_sampled_by_software_where_there_is_none(world):
    text = re.sub(r"collector\s*\{[^}]*\}", "", field("cumulus")).rstrip().removesuffix("}") \
        + f"  collector {{ ip = {World.COLLECTOR4} }}\n}}\n"
    with world.receiver() as receiver, world.agent(text.replace("sampling.10G = 10000", "sampling.10G = 1")) as agent:
        status = agent.wait_status(lambda s: {p["source"] for p in s["ports"]} in ({"nflog"}, {"psample"}),
                                   "ports are sampled")
        world.lab.send(BRIDGED, 4, Packet())
        receiver.wait(flows, 30)
        if not any(source["name"] == "psample" for source in status["sources"]):
            assert [w for w in status["warnings"] if "not available: psample" in w]


def test_a_reload_changes_sources_or_goes_back(world):
    def sampled(receiver):
        have = len(flows(receiver))
        world.lab.send(BRIDGED, 4, Packet())
        receiver.read()
        return len(flows(receiver)) > have

    with world.receiver() as receiver, world.agent(conf("sampling.flat = 1", "polling = 0")) as agent:
        wait_until(lambda: sampled(receiver), "nflog samples")
        agent.reload(conf("psample { group = 1 }"))
        if any(source["name"] == "psample" for source in agent.status()["sources"]):
            pytest.skip("this kernel has psample")
        assert "reload failed, the configuration in use stays: psample" in agent.log()
        assert any("last reload failed" in w for w in agent.status()["warnings"])
        wait_until(lambda: sampled(receiver), "nflog samples again")
        agent.reload(conf("nflog { group = 77 }", "sampling = 1", "polling = 0"))
        silent = "nflog: no sample has come yet; others have to set up sampling for it"
        agent.wait_status(lambda s: s["warnings"] == [silent], "the user's rules are missed")
        assert "tapgate_agent" not in world.ns.run("nft", "list", "tables").stdout
        world.ns.nft("table netdev mine { chain c { type filter hook ingress device swp1 priority 0; "
                     "log group 77 snaplen 128; }; }")
        # A sample of the rules before may still have been on its way: only the status tells whose it was.
        wait_until(lambda: sampled(receiver) and agent.status()["ok"], "the user's rules are used")
        assert (agent.port("swp1")["source"], agent.port("swp1")["rate"]) == ("nflog", 1)


def test_packet_sockets_keep_what_they_need(world, public_directory):
    world.directory = public_directory
    text = conf("polling = 0", "pcap { dev = swp1 sampling = 1 }", "nflog { install = off }")
    with world.receiver() as receiver, world.agent(text, ["--user", "64124"]) as agent:
        with open(f"/proc/{agent.process.pid}/status", encoding="ascii") as file:
            caps = next(int(line.split()[1], 16) for line in file if line.startswith("CapEff"))
        assert caps == 1 << 12 | 1 << 13
        agent.wait_status(lambda s: [p["source"] for p in s["ports"] if p["name"] == "swp1"] == ["afpacket"],
                          "the port is sampled by a packet socket")
        world.ns.ip("link del swp2")
        world.ns.ip("link add swp2 type veth peer name far2\nlink set far2 up\nlink set swp2 up")
        agent.reload(conf("polling = 0", "pcap { dev = swp2 sampling = 1 }", "nflog { install = off }"))
        agent.wait_status(lambda s: [p["source"] for p in s["ports"] if p["name"] == "swp2"] == ["afpacket"],
                          "another port, opened without root")
        assert receiver.lost == 0


def test_a_recording_is_made_and_can_be_played(world, tmp_path):
    recording = tmp_path / "samples"
    packet = Packet()
    with world.receiver() as receiver, world.agent(conf("sampling.flat = 1", "polling = 0"),
                                                   ["--record", str(recording)]) as agent:
        agent.wait_status(lambda s: all(p["source"] for p in s["ports"]), "all ports are sampled")
        world.lab.send(BRIDGED, 4, packet)
        receiver.wait(flows, 30)
    with world.receiver() as receiver, world.agent(conf(f'replay {{ file = "{recording}" }}', "polling = 0")):
        sample = receiver.wait(flows, 30)[0]
        assert packet.token in bytes(header_of(sample)["header"])
        assert sample["input"] == str(world.ifindex("swp1"))
