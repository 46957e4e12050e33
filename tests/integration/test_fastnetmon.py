"""The closed loop with a controller that knows nothing of Tapgate: FastNetMon, and the script shipped as an example."""

import pytest

import sflow
from agent import World
from daemon import Server, run_acl
from lab import Path, fill
from packets import Packet
from peers import FastNetMon
from programs import Flood, Sink
from wait import wait_until

pytestmark = pytest.mark.skipif(bool(FastNetMon.missing()), reason=str(FastNetMon.missing()))

ATTACKER, NEIGHBOUR, VICTIM = 1, 2, 3
NAME, PORT = "fastnetmon_10_0_3_3", 53
RULES = ["[iptables]", "-A FORWARD -s 10.0.1.1/32 -d 10.0.3.3/32 -p udp -j DROP"]
CONF = """sflow {
  polling = 5
  sampling.10G = 50
  collector { ip = 10.255.0.2 }
  collector { ip = 10.255.0.2 udpport = 6344 }
}
"""


class Loop:
    """Switch, agent, server and controller."""

    def __init__(self, stack, directory, policy):
        self.world = World(directory, bridged=(), routed=(ATTACKER, NEIGHBOUR, VICTIM), answer=True)
        stack.callback(self.world.close)
        self.policy, self.stack, self.hosts = policy, stack, self.world.switch.hosts
        self.server = Server(self.world.ns, policy, address="0.0.0.0", allow_unauthenticated_remote="yes").start()
        stack.callback(self.server.end)
        self.rest = self.server.client()
        stack.callback(self.rest.close)
        self.controller = FastNetMon(self.world.host, directory, "http://10.255.0.1:8080/acl", ["10.0.3.0/24"],
                                     threshold_pps=2000, ban_time=2)
        stack.callback(self.controller.close)
        self.controller.start()
        self.samples = stack.enter_context(self.world.receiver(port=6344))
        self.agent = stack.enter_context(self.world.agent(CONF))
        self.sink = stack.enter_context(Sink(self.hosts[VICTIM], PORT))

    def flood(self, source, rate):
        path = Path("loop", source, VICTIM, None, None)
        frame = fill(self.world.switch, path, 4, Packet(dport=PORT, payload=64)).frame()
        return self.stack.enter_context(Flood(self.hosts[source], frame, rate))

    def arrived(self, source):
        return self.sink.flow(self.hosts[source].ip4)[0]

    def wait(self, condition, what):
        try:
            return wait_until(condition, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.controller.log()}\n{self.server.log()}") from None

    def is_stopped(self):
        """Whether none of the attacker's packets arrives while fifty of the neighbour's do."""
        attacker, neighbour = self.arrived(ATTACKER), self.arrived(NEIGHBOUR)
        self.wait(lambda: self.arrived(NEIGHBOUR) >= neighbour + 50, "the neighbour's packets arrive")
        return self.arrived(ATTACKER) == attacker

    def sampled(self):
        """Packet samples of what came from the attacker."""
        self.samples.read()
        return sum("10.0.1.1:" in sflow.summary(sflow.find_record(sample, "sampled_header"))
                   for sample in self.samples.samples(sflow.FLOW))

    def dropped(self):
        """Packets that the ACL's rule has counted."""
        lines = [line for line in run_acl(self.world.ns, self.policy, "-L", "ip", "-S").stdout.splitlines() if "10.0.1.1" in line]
        return bool(lines) and lines[0].split()[0] != "0"


def test_fastnetmon_stops_a_flood_and_ends_that_with_the_attack(stack, tmp_path, policy):
    loop = Loop(stack, tmp_path, policy)
    loop.flood(NEIGHBOUR, 100)
    attack = loop.flood(ATTACKER, 5000)
    loop.wait(lambda: loop.rest.get().json() == [NAME], "FastNetMon has banned, and the script has put an ACL")
    comment, *rules = loop.rest.get(NAME).json()
    assert comment.startswith("# FastNetMon: incoming attack, ") and rules == RULES
    loop.wait(loop.dropped, "the ACL drops")
    loop.wait(loop.is_stopped, "the flood is stopped, and the neighbour is not")
    # What is dropped is sampled all the same, so FastNetMon knows better than to unban.
    before = loop.sampled()
    loop.wait(lambda: "still going" in loop.controller.log(), "FastNetMon sees that the attack goes on")
    loop.wait(lambda: loop.sampled() > before + 50, "the agent still samples the attack")
    assert loop.rest.get().json() == [NAME]
    attack.stop()
    loop.wait(lambda: loop.rest.get().json() == [], "FastNetMon has unbanned, and the script has deleted the ACL")
    assert [(kind, address) for _, kind, address, _ in loop.controller.events()] == [
        ("ban", "10.0.3.3"), ("unban", "10.0.3.3")]
    arrived = loop.arrived(ATTACKER)
    loop.flood(ATTACKER, 100)
    loop.wait(lambda: loop.arrived(ATTACKER) > arrived, "the former attacker reaches the victim again")
    loop.server.stop()
