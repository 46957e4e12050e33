"""How the demo tells its story: rows of a live table, events with their times, and the record of all of it."""

import json
import sys
import time

from wait import let_pass

TICK_S, ROW_S, PATIENCE_S = 0.1, 0.5, 30.0
# What is known of an event comes later than the event; lines wait so long for their turn.
HOLD_S = 0.6


def bold(text):
    return f"\033[1m{text}\033[0m" if sys.stdout.isatty() else text


def say(text=""):
    print(text, flush=True)


def chapter(title):
    say("\n" + bold(f"── {title} " + "─" * (96 - len(title))))


class Story:
    """Times are CLOCK_REALTIME in ns outside, and seconds since the first of them in what is printed and recorded."""

    def __init__(self):
        self.start_ns = time.time_ns()
        self.events, self.series, self.marks, self.results, self.facts = [], [], [], [], {}
        self._held = []

    def seconds(self, at_ns):
        return (at_ns - self.start_ns) / 1e9

    def now(self):
        return self.seconds(time.time_ns())

    def event(self, kind, text, at_ns=None):
        """Something that happened; kind names it in the record."""
        at = self.seconds(at_ns or time.time_ns())
        self.events.append({"at_s": round(at, 4), "kind": kind, "text": text})
        self._held.append((at, bold(f"  {at:6.2f} s  ▶ {text}")))

    def row(self, text):
        """A line of the live table, of now."""
        self._held.append((self.now(), f"  {self.now():6.2f} s  {text}"))

    def show(self, hold_s=0.0):
        """Print events and rows in the order of their times, but for those of the last hold_s seconds."""
        self._held.sort()
        while self._held and self._held[0][0] <= self.now() - hold_s:
            say(self._held.pop(0)[1])

    def find(self, kind):
        """Seconds of the first event of a kind; None if there is none."""
        return next((event["at_s"] for event in self.events if event["kind"] == kind), None)

    def since(self, kind, before):
        """Seconds from one event to another, which is not before it; None if one of them did not happen."""
        first, last = self.find(before), self.find(kind)
        return None if first is None or last is None else max(last - first, 0.0)

    def result(self, text, right):
        self.results.append({"what": text, "right": bool(right)})

    def all_right(self):
        return all(result["right"] for result in self.results)

    def sum_up(self, after):
        """The events once more, each with what it is counted from: after is {kind: (kind before, words for it)}."""
        chapter("The story in short")
        say(bold("        at    passed                                what"))
        for event in sorted(self.events, key=lambda event: event["at_s"]):
            before, words = after.get(event["kind"], (None, ""))
            passed, took = self.since(event["kind"], before) if before else None, ""
            if passed is not None:
                took = f"{passed * 1000:.1f} ms" if passed < 0.1 else f"{passed:.2f} s"
            say(f"  {event['at_s']:6.2f} s  {took:>8} {words:<27} {event['text']}")
        say()
        for result in self.results:
            say(f"  {'✓' if result['right'] else '✗ NOT:'} {result['what']}")
        say()

    def write(self, path):
        """The record: events, both series, facts and results."""
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"facts": self.facts, "events": self.events, "flood": self.series, "elephant": self.marks,
                       "results": self.results}, file, indent=1, ensure_ascii=False)
            file.write("\n")


class Act:
    """Part of the story that is watched while it happens: tick() looks at everything, row() prints what it saw."""

    def __init__(self, story, heading):
        self.story, self.heading = story, heading
        self.next_row = 0.0

    def tick(self):
        raise NotImplementedError

    def row(self):
        raise NotImplementedError

    def head(self):
        """The heading of the table."""
        say(bold(self.heading))

    def pause(self):
        """Before other text: print what is held."""
        self.story.show()

    def watch(self, seconds=0.0, until=lambda: True):
        """For so long, and until that holds; whether it did, as patience has an end."""
        end, limit = time.monotonic() + seconds, time.monotonic() + seconds + PATIENCE_S
        while (holds := time.monotonic() >= end and until()) is False and time.monotonic() < limit:
            let_pass(TICK_S)
            self.tick()
            if time.monotonic() >= self.next_row:
                self.row()
                self.next_row = time.monotonic() + ROW_S - TICK_S / 2
            self.story.show(HOLD_S)
        return holds
