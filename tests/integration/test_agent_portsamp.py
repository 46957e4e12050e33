"""Sampling by means of Cumulus Linux' own program, /usr/lib/cumulus/portsamp: a script in its place that notes how it
is called, and samples by tc. In the test machine, whose file system is thrown away."""

import os
import shutil
import stat

import pytest

from agent import World, conf
from forwarding import sample_of
from lab import BRIDGED, ROUTED
from packets import Packet
from wait import wait_until

pytestmark = pytest.mark.vm
DIRECTORY = "/usr/lib/cumulus"
EVERY = conf("sampling.flat = 1", "polling = 0")
SCRIPT = """#!/bin/bash
[ ! -e "{directory}/fail-$1" ] || {{ echo "no resources for $1"; exit 3; }}
echo "$*" >>{directory}/calls
for port in /sys/class/net/$1; do
	port="${{port##*/}}"
	tc qdisc del dev "$port" clsact 2>/dev/null
	[ "$2" = 0 ] || {{ tc qdisc add dev "$port" clsact &&
		tc filter add dev "$port" ingress matchall action sample rate "$2" group "$4"; }} || exit 1
done
exit 0
"""


@pytest.fixture(name="world")
def make_world(tmp_path):
    made = World(tmp_path)
    os.makedirs(DIRECTORY)
    path = os.path.join(DIRECTORY, "portsamp")
    with open(path, "w", encoding="utf-8") as file:
        file.write(SCRIPT.format(directory=made.directory))
    os.chmod(path, stat.S_IRWXU)
    yield made
    shutil.rmtree(DIRECTORY)
    made.close()


def calls(world):
    """What the program was called with so far."""
    path = os.path.join(world.directory, "calls")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def by_source(status):
    return {port["name"]: (port["source"], port["place"]) for port in status["ports"]}


def test_ports_are_sampled_by_the_program_and_no_more_at_the_end(world):
    ports = [f"swp{n}" for n in range(1, 5)]
    with world.receiver() as receiver, world.agent(EVERY) as agent:
        wait_until(lambda: calls(world) == [f"{port} 1 0 1" for port in ports], "all ports are sampled")
        assert by_source(agent.status()) == dict.fromkeys(ports, ("psample", "hardware"))
        sample = sample_of(world, receiver, ROUTED, Packet())
        assert (sample["rate"], sample["output"]) == (1, str(world.ifindex("swp4")))
        agent.reload(conf("sampling.flat = 1", "polling = 0", "port swp2 { sampling = 7 } port swp3 { sampling = 0 }"))
        wait_until(lambda: calls(world)[4:] == ["swp2 7 0 1", "swp3 0 0 0"], "only what changed is set")
    # The run for swp3 may not have ended: then that port, too, is turned off at the end.
    assert [call for call in calls(world)[6:] if "swp3" not in call] == ["swp1 0 0 0", "swp2 0 0 0", "swp4 0 0 0"]


def test_ports_that_the_program_refuses_are_sampled_otherwise(world):
    refusal = os.path.join(world.directory, "fail-swp1")
    with open(refusal, "w", encoding="ascii"):
        pass
    with world.receiver() as receiver, world.agent(EVERY) as agent:
        agent.wait_status(lambda s: by_source(s)["swp1"][0] == "nflog" and by_source(s)["swp2"][0] == "psample",
                          "nflog takes the port")
        agent.wait_log("swp1: /usr/lib/cumulus/portsamp: exit status 3: no resources for swp1; is the agent root?")
        wait_until(lambda: len(calls(world)) == 3, "the others are sampled")
        assert sample_of(world, receiver, BRIDGED, Packet())["rate"] == 1
        agent.kill()
    # Killed: the chip goes on to sample until somebody stops it.
    assert world.agent(EVERY).cleanup().returncode == 0
    assert calls(world)[3:] == ["swp* 0 0 0"]


def test_what_the_program_cannot_do_is_said(world):
    text = conf("sampling.flat = 1", "polling = 0", "psample { install = on egress = on }")
    with world.agent(text) as agent:
        agent.wait_log("psample: egress = on has no effect here")
        wait_until(lambda: "swp4 1 0 1" in calls(world), "packets that enter are sampled")
