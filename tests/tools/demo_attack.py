"""First act of the demo: a flood, the controller that sees it in sFlow, and the ACL that it puts and deletes."""

from demo_lab import ATTACKER, BAN_S, FLOOD_RATE, NEIGHBOUR, NEIGHBOUR_RATE, PORT, THRESHOLD_PPS
from demo_sflow import RATE
from demo_story import Act, bold, chapter, say

QUIET_TICKS = 4
# The estimate is one over the second before.
WINDOW_S = 1.0
AFTER = {
    "ban": ("attack", "after the flood began"),
    "put": ("ban", "after the decision"),
    "last": ("put", "after the request was sent"),
    "unban": ("attack_end", "after the flood ended"),
    "delete": ("unban", "after the decision"),
}


class Attack(Act):
    """The flood."""

    def __init__(self, story, lab):
        super().__init__(story, "            flood at the victim   neighbour at the victim   attack at swp1, by sFlow")
        self.lab = lab
        self.before = self.row_before = lab.arrived()
        self.quiet = 0
        self.running = None

    def tick(self):
        story, lab = self.story, self.lab
        lab.telemetry.read()
        now = lab.arrived()
        passed_s = (now[0] - self.before[0]) / 1e9
        story.series.append({"at_s": round(story.seconds(now[0]), 3),
                             "flood_pps": round((now[1] - self.before[1]) / passed_s),
                             "neighbour_pps": round((now[2] - self.before[2]) / passed_s),
                             "sampled_pps": round(lab.telemetry.estimate(lab.attacker.ip4))})
        for at_ns, kind, text in lab.controller.news():
            story.event(kind, text, at_ns)
        for at_ns, method, name, status in lab.requests.news():
            story.event("put" if method == "PUT" else "delete", f"{lab.controller.hand} sends {method} /acl/{name} "
                        f"(HTTP {status})", at_ns)
        self.quiet = self.quiet + 1 if now[1] == self.before[1] else 0
        if self.running and story.find("put") and not story.find("last") and self.quiet >= QUIET_TICKS:
            story.event("last", "the last packet of the flood arrived at the victim", now[3])
        self.before = now

    def row(self):
        now, was = self.before, self.row_before
        passed_s = max((now[0] - was[0]) / 1e9, 1e-3)
        flood, neighbour = ((now[i] - was[i]) / passed_s for i in (1, 2))
        self.row_before = now
        seen = self.lab.telemetry.estimate(self.lab.attacker.ip4)
        bar = "█" * round(flood / FLOOD_RATE * 20) or ("▏" if flood else "·")
        self.story.row(f"{flood:10,.0f} packets/s {neighbour:12,.0f} packets/s {seen:18,.0f} packets/s   {bar}")

    def mean(self, key, begin, end=None):
        """Of the series, between two events, or from one to now."""
        begin, end = self.story.find(begin), self.story.find(end) if end else self.story.now()
        if begin is None or end is None:
            return 0.0
        values = [row[key] for row in self.story.series if begin + WINDOW_S <= row["at_s"] <= end]
        return sum(values) / len(values) if values else 0.0

    def begin(self):
        self.running = self.lab.flood(ATTACKER, FLOOD_RATE)
        self.story.event("attack", f"the attacker begins to send {FLOOD_RATE:,} packets/s")

    def end(self):
        self.running.stop()
        self.running = None
        self.story.event("attack_end", "the attacker gives up")


def show_samples(lab):
    say(f"\nWhat the samples say, one packet in {RATE:,}, taken where packets enter the switch:")
    say(bold("     samples        estimate   ports         flow"))
    for flow, way, samples, pps in lab.telemetry.largest(2):
        say(f"     {samples:7} {pps:7,.0f} packets/s {way:<13} {flow}")


def show_acl(lab, name):
    """The file of the ACL, and its counters."""
    say("\nThe ACL is a file of the policy, and the kernel counts what it drops:")
    say(bold(f"switch# cat {lab.policy.directory}/50rest-{name}.rules"))
    say(lab.policy.read(f"50rest-{name}.rules").rstrip())
    say(bold(f"switch# tapgate-acl -c {lab.server.conf} -L ip"))
    say("\n".join(line for line in lab.listing("ip") if "DROP" in line or "pkts" in line) + "\n")


def announce(lab, title):
    chapter("A flood")
    say(f"The neighbour sends {NEIGHBOUR_RATE:,} packets/s to port {PORT} of the victim. Then the attacker sends "
        f"{FLOOD_RATE:,}. Nobody here tells\n{title} of that: it has the samples, and a limit of {THRESHOLD_PPS:,} packets/s. "
        f"It bans for {BAN_S} s, and longer\nwhile the attack goes on.\n")


def act_attack(story, lab):
    """From the first packet of the flood until nothing is left of it."""
    announce(lab, lab.controller.title)
    lab.flood(NEIGHBOUR, NEIGHBOUR_RATE)
    attack = Attack(story, lab)
    attack.head()
    attack.watch(2.0)
    attack.begin()
    stopped = attack.watch(until=lambda: story.find("last") is not None)
    attack.watch(2.5)
    attack.pause()
    show_samples(lab)
    names = [name for name in lab.names() if not name.startswith("elephant")]
    if names:
        show_acl(lab, names[0])
    attack.head()
    attack.watch(2.5)
    held = stopped and lab.names() == names
    attack.end()
    ended = attack.watch(until=lambda: story.find("delete") is not None) and lab.names() == []
    attack.watch(0.5)
    lab.flood(ATTACKER, NEIGHBOUR_RATE)
    story.event("again", f"the former attacker sends {NEIGHBOUR_RATE:,} packets/s, as others do")
    attack.watch(1.5)
    attack.pause()
    story.result(f"{lab.controller.title} found the flood in the samples, and one PUT stopped it", stopped)
    during = [attack.mean(key, "last", "attack_end") for key in ("flood_pps", "neighbour_pps", "sampled_pps")]
    story.result(f"none of it arrived while the ACL was there, but the neighbour's {during[1]:,.0f} packets/s did",
                 stopped and during[0] == 0 and during[1] > 0.8 * NEIGHBOUR_RATE)
    story.result(f"what the ACL dropped was still sampled ({during[2]:,.0f} packets/s), so it stayed as long as the attack",
                 held and during[2] > 0.25 * FLOOD_RATE)
    story.result("when the attack had ended, the ACL was deleted, and the former attacker had its way again",
                 ended and attack.mean("flood_pps", "again") > 0.5 * NEIGHBOUR_RATE)
