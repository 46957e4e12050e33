"""The test machine has what the tests marked vm build on."""

import os

import pytest

from netdevsim import SimulatedSwitch, plug_module, set_speed
from netns import Namespace

pytestmark = pytest.mark.vm
SFP = bytes([0x03]) + bytes(255)


def test_the_kernel_is_the_one_asked_for():
    assert os.uname().release.startswith(os.environ["TAPGATE_VM"] + ".")


@pytest.fixture(name="ns")
def _ns():
    ns = Namespace()
    yield ns
    ns.close()


def test_a_simulated_switch_has_ports_speed_and_a_module(ns):
    with SimulatedSwitch(ns, 4) as switch:
        links = ns.run("ip", "-brief", "link").stdout
        assert [f"swp{number} " in links for number in range(1, 6)] == [True] * 4 + [False]
        assert os.path.isdir(os.path.join(switch.debug, "psample"))
        set_speed(ns, "swp2", 100000)
        plug_module("swp2", SFP)
        assert "Speed: 100000Mb/s" in ns.run("ethtool", "swp2").stdout
        assert "0x03 (SFP)" in ns.run("ethtool", "-m", "swp2").stdout
        set_speed(ns, "swp2", 25000)
        assert "Speed: 25000Mb/s" in ns.run("ethtool", "swp2").stdout


def test_tc_samples_on_veth(ns):
    ns.ip("link add swp1 type veth peer name eth1")
    ns.run("tc", "qdisc", "add", "dev", "swp1", "clsact")
    ns.run("tc", "filter", "add", "dev", "swp1", "ingress", "matchall", "action", "sample", "rate", "1", "group", "5")
    assert "sample rate 1/1 group 5" in ns.run("tc", "filter", "show", "dev", "swp1", "ingress").stdout


def test_traps_of_a_simulated_switch_are_there(ns):
    with SimulatedSwitch(ns, 1) as switch:
        assert "blackhole_route" in ns.run("devlink", "trap", "show").stdout, switch.device
