"""What the README tells operators to type, as it stands there."""

import os
import re

import pytest

from programs import ROOT
from test_dnssd import World

COLLECTOR = "10.0.0.5:6343"


def block(language):
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        return re.search(f"```{language}\n(.*?)```", file.read(), re.S)[1]


@pytest.fixture(name="world")
def _world(tmp_path):
    made = World(tmp_path)
    # So that the collector can be reached.
    made.ns.ip("addr add 10.0.0.254/24 dev lo")
    yield made
    made.close()


def test_the_lines_for_dnsmasq_name_the_collector(world):
    world.dnsmasq(*block("dnsmasq").splitlines())
    world.probe().wait_for([COLLECTOR], polling=20)


def test_the_zone_says_the_same_as_the_lines_for_dnsmasq():
    zone, lines = block("zone"), block("dnsmasq")
    (txt,) = re.findall(r"txt-record=_sflow._udp.example.com,(.*)", lines)
    assert re.findall(r'"([^"]*)"', zone) == txt.split(",")
    assert re.search(r"^_sflow\._udp\s+300\s+IN SRV\s+0 0 6343 collector$", zone, re.M)
    assert "srv-host=_sflow._udp.example.com,collector.example.com,6343,0,0" in lines
    assert re.search(r"^collector\s+300\s+IN A\s+10\.0\.0\.5$", zone, re.M) and "$ORIGIN example.com." in zone
    assert "host-record=collector.example.com,10.0.0.5" in lines and "local-ttl=300" in lines
