"""Optical modules and statistics of MACs, from ports of a simulated switch. Needs the test machine."""

import os
import re

import pytest

import modules
import sflow
from agent import World, conf, counters, flows
from lab import Path
from netdevsim import SimulatedSwitch, plug_module, set_speed, set_value, unplug_module
from packets import Packet
from wait import wait_until

pytestmark = pytest.mark.vm
NUMBER = r"(-?[\d.]+)"
UNKNOWN32 = 0xFFFFFFFF
REAL_PORTS = Path("routed", 5, 6, "swp5", "swp6")


class Ports:
    """A switch with the real ports swp5 and swp6, routed, and simulated ports with modules: swp1 to swp4."""

    def __init__(self, directory):
        self.world = World(directory, bridged=(), routed=(5, 6))
        self.ns = self.world.ns
        self.switch = SimulatedSwitch(self.ns, 4)
        for number in range(1, 5):
            set_speed(self.ns, f"swp{number}", 100000)
            self.ns.ip(f"link set swp{number} up")
        self.index = {name: self.world.ifindex(name) for name in ("swp1", "swp2", "swp3", "swp4", "swp5")}

    def close(self):
        self.switch.close()
        self.world.close()

    def optics(self, receiver, name):
        """The record of the last sample of a port; None if it has none; {} if there is no sample."""
        found = counters(receiver, self.index[name])
        return sflow.find_record(found[-1], "sfp") if found else {}

    def wait_optics(self, receiver, name, condition=bool):
        receiver.wait(lambda r: condition(self.optics(r, name)), 60)
        return self.optics(receiver, name)


@pytest.fixture(name="shared_ports", scope="module")
def make_ports():
    made = Ports(None)
    yield made
    made.close()


@pytest.fixture(name="ports")
def use_ports(shared_ports, tmp_path):
    """Nothing plugged in."""
    shared_ports.world.directory = str(tmp_path)
    for name in MODULES:
        unplug_module(name)
        set_value(shared_ports.ns, name, "stuck", 0, 0)
    return shared_ports


def ask_ethtool(ns, name):
    """What "ethtool -m" says in the units of the record: lists of lanes under the record's names."""
    text = ns.run("ethtool", "-m", name).stdout

    def all_of(pattern, factor=1):
        return [round(float(value) * factor + 1e-9) for value in re.findall(pattern + r"[^:\n]*: " + NUMBER, text)]

    return {
        "temperature": float(re.search(r"Module temperature +: " + NUMBER, text).group(1)),
        "supply_voltage_mV": all_of(r"Module voltage +(?=:)", 1000)[0],
        "tx_bias_uA": all_of(r"Laser (?:tx )?bias current(?: \(Channel \d\))? +(?=:)", 1000),
        "tx_power_uW": all_of(r"(?:Laser output power|Transmit avg optical power \(Channel \d\)) +(?=:)", 1000),
        "rx_power_uW": all_of(r"(?:Receiver signal average optical power|Rcvr signal avg optical power"
                              r"\(Channel \d\)|(?:Receiver signal OMA|Rcvr signal avg optical power) "
                              r"\(Channel \d\)) +(?=:)", 1000),
        "tx_power_max_uW": all_of("Laser output power high alarm threshold", 1000),
        "tx_power_min_uW": all_of("Laser output power low alarm threshold", 1000),
        "rx_power_max_uW": all_of("Laser rx power high alarm threshold", 1000),
        "rx_power_min_uW": all_of("Laser rx power low alarm threshold", 1000),
        "wavelength": all_of("Laser wavelength +(?=:)"),
    }


MODULES = {"swp1": (modules.sfp(), 1, "SFP, 1 lane"), "swp2": (modules.sfp(external=True), 1, "SFP, 1 lane"),
           "swp3": (modules.qsfp28(), 4, "QSFP28, 4 lanes"), "swp4": (modules.qsfpdd(), 4, "QSFP-DD, 4 lanes")}


def check_module(got, expected, n_lanes):
    """@got: a record. Half a unit of what ethtool prints may be lost."""
    assert abs(got["temperature_mC"] - 1000 * expected["temperature"]) <= 5
    assert got["module_num_lanes"] == len(got["lanes"]) == n_lanes
    assert abs(got["supply_voltage_mV"] - expected["supply_voltage_mV"]) <= 1
    for i, lane in enumerate(got["lanes"]):
        assert lane["index"] == i + 1
        assert lane["tx_wavelength_nm"] == lane["rx_wavelength_nm"] == expected["wavelength"][0]
        for name in ("tx_bias_uA", "tx_power_uW", "rx_power_uW"):
            assert abs(lane[name] - expected[name][i]) <= 1, name
        for name in ("tx_power_max_uW", "tx_power_min_uW", "rx_power_max_uW", "rx_power_min_uW"):
            assert abs(lane[name] - expected[name][0]) <= 1, name


def test_modules_are_reported_as_ethtool_shows_them(ports):
    for name, (module, _, _) in MODULES.items():
        plug_module(name, bytes(module))
    world = ports.world
    with world.receiver() as receiver, world.agent(conf("polling = 1", "sampling.flat = 0")) as agent:
        for name, (_, n_lanes, description) in MODULES.items():
            got = ports.wait_optics(receiver, name)
            assert got["module_id"] == ports.index[name]
            check_module(got, ask_ethtool(ports.ns, name), n_lanes)
            assert agent.port(name)["module"] == description
        # A veth port has no module, and says so by having no record.
        receiver.wait(lambda r: len(counters(r, ports.index["swp5"])) >= 2, 30)
        assert ports.optics(receiver, "swp5") is None


def test_all_lanes_of_all_banks_are_reported(ports):
    plug_module("swp1", bytes(modules.qsfpdd(missing=0, banks=4)))
    world = ports.world
    # So many do not fit into a datagram of 1400 bytes.
    with world.receiver() as receiver, world.agent(conf("polling = 1", "datagramBytes = 2000")):
        lanes = ports.wait_optics(receiver, "swp1")["lanes"]
        assert [(lane["index"], lane["tx_power_uW"], lane["tx_bias_uA"], lane["rx_power_uW"]) for lane in lanes] == [
            (8 * bank + i + 1, 1200 + 100 * bank + i, 2 * (20000 + 100 * bank + i), 1700 + 100 * bank + i)
            for bank in range(4) for i in range(8)]


def test_a_module_comes_changes_and_goes(ports):
    world = ports.world
    with world.receiver() as receiver, world.agent(conf("polling = 1")) as agent:
        wait_until(lambda: agent.port("swp1")["module"] == "none", "no module")
        plug_module("swp1", bytes(modules.sfp()))
        agent.wait_log("swp1: a module was plugged in")
        ports.wait_optics(receiver, "swp1", lambda fields: fields and fields["lanes"][0]["rx_power_uW"] == 491)
        # What is measured changes, in the same module.
        plug_module("swp1", bytes(modules.sfp(rx=20)))
        ports.wait_optics(receiver, "swp1", lambda fields: fields and fields["lanes"][0]["rx_power_uW"] == 2)
        plug_module("swp1", bytes(modules.qsfp28()))
        ports.wait_optics(receiver, "swp1", lambda fields: fields and len(fields["lanes"]) == 4)
        plug_module("swp1", bytes(modules.qsfp28(copper=True)))
        ports.wait_optics(receiver, "swp1", lambda fields: fields is None)
        wait_until(lambda: agent.port("swp1")["module"] == "QSFP28, no monitors", "the cable")
        unplug_module("swp1")
        agent.wait_log("swp1: no module any more")
        wait_until(lambda: agent.port("swp1")["module"] == "none", "no module")


def test_a_page_that_does_not_come_is_not_believed(ports):
    plug_module("swp3", bytes(modules.qsfp28()))
    plug_module("swp4", bytes(modules.qsfpdd()))
    for name in ("swp3", "swp4"):
        set_value(ports.ns, name, "stuck", 0, 1)
    world = ports.world
    with world.receiver() as receiver, world.agent(conf("polling = 1")) as agent:
        lane = ports.wait_optics(receiver, "swp3")["lanes"][0]
        assert (lane["rx_power_uW"], lane["rx_power_max_uW"], lane["tx_power_min_uW"]) == (800, 0, 0)
        wait_until(lambda: agent.port("swp4")["module"] == "QSFP-DD, wrong checksum", "the checksum")
        assert not ports.optics(receiver, "swp4")


def test_any_bytes_in_a_module_are_survived(ports):
    world = ports.world
    with world.receiver() as receiver, world.agent(conf("polling = 1")) as agent:
        for name, identifier in zip(MODULES, (0x03, 0x11, 0x18, 0xFF)):
            plug_module(name, bytes([identifier]) + os.urandom(10000))
        for name in MODULES:
            receiver.wait(lambda r, n=name: len(counters(r, ports.index[n])) >= 3, 60)
        assert agent.process.poll() is None


def helper_of(agent):
    """Process id of the process that reads modules, or None."""
    path = f"/proc/{agent.process.pid}/task/{agent.process.pid}/children"
    with open(path, encoding="ascii") as file:
        children = file.read().split()
    return int(children[0]) if children else None


def test_the_helper_has_one_capability_and_comes_again(ports):
    plug_module("swp1", bytes(modules.sfp()))
    world = ports.world
    with world.receiver() as receiver, world.agent(conf("polling = 1")) as agent:
        ports.wait_optics(receiver, "swp1")
        pid = helper_of(agent)
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        assert (int(status["CapEff"], 16), int(status["CapBnd"], 16), status["Seccomp"]) == (1 << 12, 1 << 12, "2")
        assert len(os.listdir(f"/proc/{pid}/fd")) <= 3  # standard error, its parent, netlink
        agent.reload(conf("polling = 1", "optics = off"))
        wait_until(lambda: helper_of(agent) is None, "the helper ended")
        ports.wait_optics(receiver, "swp1", lambda fields: fields is None)
        agent.reload(conf("polling = 1"))
        ports.wait_optics(receiver, "swp1")
        pid = helper_of(agent)
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "it ended with the agent")


def helper_sleeps(agent):
    """True if the helper is inside a driver that sleeps."""
    pid = helper_of(agent)
    if not pid:
        return False
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rsplit(")", 1)[1].split()[0] == "D"


def test_a_slow_module_delays_no_packet_sample_and_a_hung_one_is_given_up(ports):
    """While it is read the kernel holds its RTNL lock: counters wait, packet samples come all the same."""
    world = ports.world
    plug_module("swp1", bytes(modules.sfp()))
    with world.receiver() as receiver, world.agent(conf("polling = 1", "sampling.flat = 1", "nflog { }")) as agent:
        agent.wait_status(lambda s: all(p["rate"] == 1 for p in s["ports"] if p["name"] in ("swp5", "swp6")), "rules")
        world.lab.send(REAL_PORTS, 4, Packet())
        receiver.wait(flows, 30)
        ports.wait_optics(receiver, "swp1")
        set_value(ports.ns, "swp1", "delay", 0, 3600000)
        wait_until(lambda: helper_sleeps(agent), "the helper is inside the kernel")
        have = len(flows(receiver))
        world.lab.send(REAL_PORTS, 4, *(Packet() for _ in range(5)))
        receiver.wait(lambda r: len(flows(r)) >= have + 5, 30)
        assert helper_sleeps(agent)
        agent.wait_log("swp1: its module cannot be read within 5 s")
        set_value(ports.ns, "swp1", "delay", 0, 0)
        wait_until(lambda: agent.port("swp1")["module"] == "does not answer", "the module")
        # Polling goes on, without it.
        have = len(counters(receiver, ports.index["swp1"]))
        receiver.wait(lambda r: len(counters(r, ports.index["swp1"])) >= have + 2, 30)
        assert ports.optics(receiver, "swp1") is None


# Members of struct ethtool_eth_mac_stats and the fields that come from them.
MAC_FIELDS = {1: "SingleCollisionFrames", 2: "MultipleCollisionFrames", 4: "FCSErrors", 5: "AlignmentErrors",
              7: "DeferredTransmissions", 8: "LateCollisions", 9: "ExcessiveCollisions",
              10: "InternalMacTransmitErrors", 11: "CarrierSenseErrors", 13: "InternalMacReceiveErrors",
              21: "FrameTooLongs"}


def record_of(ports, receiver, name, record):
    found = counters(receiver, ports.index[name])
    return sflow.find_record(found[-1], record) if found else None


def test_statistics_of_the_mac_are_those_of_the_driver(ports):
    world = ports.world
    for number in MAC_FIELDS:
        set_value(ports.ns, "swp1", "mac", number, (1 << 32) + 1000 + number)
    set_value(ports.ns, "swp1", "phy", 0, 77)
    set_value(ports.ns, "swp2", "mac", 4, 5)
    for number, value in ((14, 40), (15, 30), (17, 20), (18, 10)):  # multicast and broadcast, sent and received
        set_value(ports.ns, "swp3", "mac", number, value)
    with world.receiver() as receiver, world.agent(conf("polling = 1")):
        receiver.wait(lambda r: record_of(ports, r, "swp1", "ethernet_counters"), 60)
        got = record_of(ports, receiver, "swp1", "ethernet_counters")
        assert {field: got[field] for field in MAC_FIELDS.values()} == {
            field: 1000 + number for number, field in MAC_FIELDS.items()}  # modulo 2^32
        assert (got["SymbolErrors"], got["SQETestErrors"]) == (77, UNKNOWN32)
        receiver.wait(lambda r: record_of(ports, r, "swp2", "ethernet_counters"), 60)
        got = record_of(ports, receiver, "swp2", "ethernet_counters")
        assert (got["FCSErrors"], got["AlignmentErrors"], got["SymbolErrors"]) == (5, UNKNOWN32, UNKNOWN32)
        receiver.wait(lambda r: record_of(ports, r, "swp3", "if_counters"), 60)
        got = record_of(ports, receiver, "swp3", "if_counters")
        assert [got[f"if{way}{kind}castPkts"] for way in ("Out", "In") for kind in ("Multi", "Broad")] == [
            40, 30, 20, 10]
        # Nothing counted: no record.
        receiver.wait(lambda r: counters(r, ports.index["swp4"]), 60)
        assert record_of(ports, receiver, "swp4", "ethernet_counters") is None


def test_priority_flow_control_is_reported_if_wanted(ports):
    world = ports.world
    for priority in range(8):
        set_value(ports.ns, "swp1", "sent", priority, 100 + priority)
        set_value(ports.ns, "swp1", "received", priority, 1 << priority)
    with world.receiver() as receiver, world.agent(conf("polling = 1", "pfc = on")) as agent:
        receiver.wait(lambda r: record_of(ports, r, "swp1", "pfc"), 60)
        got = record_of(ports, receiver, "swp1", "pfc")
        assert (got["requests"], got["indications"]) == (255, 828)
        assert [got[name] for name in ("pause_duration_us", "storm_detected", "storm_restored")] == [UNKNOWN32] * 3
        receiver.wait(lambda r: counters(r, ports.index["swp2"]), 60)
        assert record_of(ports, receiver, "swp2", "pfc") is None
        agent.reload(conf("polling = 1"))
        receiver.wait(lambda r: record_of(ports, r, "swp1", "pfc") is None, 60)
