"""Second act of the demo: a large TCP flow is found in sFlow and marked with a DSCP; small flows are not."""

from demo_lab import DSCP, ELEPHANT_BPS, LARGE_MBPS
from demo_story import Act, bold, chapter, say
from demo_traffic import ELEPHANT_PORT, MOUSE_PORT, Elephant, Mice

AFTER = {
    "found": ("elephant", "after the flow began"),
    "mark_put": ("found", "after the decision"),
    "marked": ("mark_put", "after the request was sent"),
    "ended": ("elephant_end", "after the flow ended"),
    "mark_delete": ("ended", "after the decision"),
}


class Marking(Act):
    """Elephant and mice, as they arrive."""

    def __init__(self, story, lab):
        super().__init__(story, "            elephant     of its packets marked     mice          of their packets marked")
        self.lab, self.marks = lab, lab.tcp_receivers()
        self.before_ns, self.before = story.start_ns, self._totals()
        self.row_before = (story.now(), self.before)

    def _totals(self):
        """(octets, packets, marked) of the elephant, (packets, marked) of the mice."""
        self.marks.read()
        counts, octets = self.marks.counts, self.marks.octets
        out = []
        for port in (ELEPHANT_PORT, MOUSE_PORT):
            mine = {dscp: n for (to, dscp), n in counts.items() if to == port}
            out += [sum(n for (to, _), n in octets.items() if to == port), sum(mine.values()), mine.get(DSCP, 0)]
        return out

    def tick(self):
        story, lab, now, totals = self.story, self.lab, self.story.now(), self._totals()
        last = story.marks[-1]["at_s"] if story.marks else self.row_before[0]
        change = [new - old for new, old in zip(totals, self.before)]
        story.marks.append({"at_s": round(now, 3), "elephant_mbps": round(change[0] * 8e-6 / max(now - last, 1e-3), 1),
                            "elephant_packets": change[1], "elephant_marked": change[2], "mice_packets": change[4],
                            "mice_marked": change[5]})
        self.before = totals
        for event in lab.elephants.events():
            said = (f"finds {event['flow']} in the samples ({event['rate'] / 1e6:.0f} Mbit/s)"
                    if event["event"] == "found" else f"sees that {event['flow']} has ended")
            story.event(event["event"], f"big_flows.py {said}", event["at_ns"])
        for at_ns, method, name, status in lab.requests.news():
            kind = "mark_put" if method == "PUT" else "mark_delete"
            story.event(kind, f"it sends {method} /acl/{name} (HTTP {status})", at_ns)
        first_ns = self.marks.first_ns.get((ELEPHANT_PORT, DSCP))
        if first_ns and not story.find("marked"):
            story.event("marked", f"the first packet with DSCP {DSCP} arrives at the receiver", first_ns)

    def row(self):
        (then, before), now = self.row_before, self.story.now()
        elephant_octets, elephant, marked, _, mice, mice_marked = (n - o for n, o in zip(self.before, before))
        self.row_before = (now, self.before)
        passed_s = max(now - then, 1e-3)
        share = f"{marked / elephant:4.0%}" if elephant else "   –"
        mice_share = f"{mice_marked / mice:4.0%}" if mice else "   –"
        self.story.row(f"{elephant_octets * 8e-6 / passed_s:5.0f} Mbit/s {share:>18} {mice / passed_s:15,.0f} packets/s "
                       f"{mice_share:>16}")

    def is_all_marked(self):
        """Whether all of the elephant's packets in the last three ticks were."""
        last = self.story.marks[-3:]
        return all(tick["elephant_packets"] == tick["elephant_marked"] > 0 for tick in last)


def announce():
    chapter("An elephant")
    say("The neighbour, whom nobody suspects, copies a large file to the victim, and beside it many small ones, each by a\n"
        f"connection of its own. tests/tools/big_flows.py looks in the same sFlow stream for TCP flows of {LARGE_MBPS} Mbit/s and\n"
        f"has those marked with DSCP {DSCP} (CS1), so that switches behind this one let the others go first:\n")


def act_elephant(story, lab):
    """From the mice to the end of the elephant."""
    announce()
    say(bold("controller$ big_flows.py " + " ".join(
        f"'{word}'" if " " in word else word for word in lab.elephants.options) + "\n"))
    marking = Marking(story, lab)
    mice = Mice(lab.neighbour, lab.victim)
    lab.stack.callback(mice.stop)
    marking.head()
    marking.watch(1.5)
    elephant = Elephant(lab.neighbour, lab.victim, ELEPHANT_BPS)
    lab.stack.callback(elephant.stop)
    story.event("elephant", f"a flow of {ELEPHANT_BPS // 10**6} Mbit/s begins")
    marked = marking.watch(until=lambda: story.find("marked") is not None)
    marked = marking.watch(0.5, marking.is_all_marked) and marked
    rules = lab.policy.read(f"50rest-{lab.names()[0]}.rules").splitlines() if lab.names() else []
    marking.watch(2.5)
    elephant.stop()
    story.event("elephant_end", "the flow ends")
    ended = marking.watch(until=lambda: story.find("mark_delete") is not None)
    marking.watch(0.5)
    mice.stop()
    marking.pause()
    say("\nThe ACL that was there meanwhile:\n" + "\n".join(f"    {line}" for line in rules))
    story.result(f"the elephant was found in the samples, and then all of its packets bore DSCP {DSCP} on the wire", marked)
    story.result("no packet of the mice did", marking.before[4] > 0 and marking.before[5] == 0)
    story.result("the ACL went with the flow", ended and lab.names() == [])
