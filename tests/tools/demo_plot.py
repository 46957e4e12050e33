#!/usr/bin/python3
"""Draws what "tests/demo --record RECORD" has written.

usage: demo_plot.py RECORD SVG
"""

import json
import sys
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT = 960, 78, 24
INK, FAINT, GRID = "#1f2328", "#59636e", "#e4e8ec"
RED, BLUE, VIOLET, GREEN = "#cf222e", "#0969da", "#8250df", "#1a7f37"
FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, sans-serif"


class Drawing:
    """An SVG that grows by elements."""

    def __init__(self):
        self.parts = []

    def add(self, tag, text=None, **attributes):
        """One element; _ in the name of an attribute stands for -."""
        given = "".join(f' {name.replace("_", "-")}="{escape(str(value))}"' for name, value in attributes.items())
        self.parts.append(f"<{tag}{given}/>" if text is None else f"<{tag}{given}>{escape(text)}</{tag}>")

    def text(self, x, y, text, size=13, fill=INK, anchor="start", weight="normal"):
        self.add("text", text, x=round(x, 1), y=round(y, 1), font_size=size, fill=fill, text_anchor=anchor,
                 font_weight=weight)

    def line(self, x1, y1, x2, y2, stroke=GRID, width=1, **more):
        self.add("line", x1=round(x1, 1), y1=round(y1, 1), x2=round(x2, 1), y2=round(y2, 1), stroke=stroke,
                 stroke_width=width, **more)

    def document(self, height, title):
        """The whole file."""
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
                f'height="{height}" font-family="{FONT}" role="img">\n<title>{escape(title)}</title>\n'
                f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n' + "\n".join(self.parts) + "\n</svg>\n")


class Panel:
    """One pair of axes: y grows from 0 to high between the pixels bottom and top."""

    def __init__(self, drawing, span, place, high):
        self.drawing, (self.begin, self.end), (self.top, self.bottom), self.high = drawing, span, place, high

    def x(self, at):
        return LEFT + (at - self.begin) / (self.end - self.begin) * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        return self.bottom - min(value / self.high, 1.04) * (self.bottom - self.top)

    def scale(self, steps, unit):
        """Lines and numbers of the y axis."""
        for value in steps:
            self.drawing.line(LEFT, self.y(value), WIDTH - RIGHT, self.y(value), INK if value == 0 else GRID)
            self.drawing.text(LEFT - 8, self.y(value) + 4, f"{value:,}", 12, FAINT, "end")
        self.drawing.text(LEFT, self.top - 8, unit, 12, FAINT)

    def seconds(self):
        """Numbers of the x axis."""
        for second in range(int(self.begin) + (self.begin > int(self.begin)), int(self.end) + 1):
            self.drawing.line(self.x(second), self.bottom, self.x(second), self.bottom + 4, FAINT)
            self.drawing.text(self.x(second), self.bottom + 18, f"{second} s", 12, FAINT, "middle")

    def points(self, rows, key):
        return [(self.x(row["at_s"]), self.y(row[key])) for row in rows]

    def curve(self, points, colour, **more):
        path = "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.drawing.add("path", d=path, fill="none", stroke=colour, stroke_width=2, stroke_linejoin="round", **more)

    def area(self, points, colour):
        path = f"M{points[0][0]:.1f},{self.bottom}L" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.drawing.add("path", d=path + f"L{points[-1][0]:.1f},{self.bottom}Z", fill=colour, fill_opacity=0.14)


def find(record, kind):
    return next((event["at_s"] for event in record["events"] if event["kind"] == kind), None)


def duration(seconds):
    return f"{seconds * 1000:.0f} ms" if seconds < 0.1 else f"{seconds:.1f} s"


def note(drawing, place, anchor, lines):
    """Lines of text beside the vertical line of an event; place: (x, y of the first line)."""
    x = place[0] + (-6 if anchor == "end" else 6)
    for number, line in enumerate(lines):
        drawing.text(x, place[1] + 16 * number, line, 12.5, INK if number == 0 else FAINT, anchor,
                     "600" if number == 0 else "normal")


def events_of_the_flood(drawing, record, panels):
    """Vertical lines through both panels, and what they mean."""
    attack, ban, put, last, end, unban, delete = (
        find(record, kind) for kind in ("attack", "ban", "put", "last", "attack_end", "unban", "delete"))
    who = record["facts"]["controller"]
    notes = [(attack, "end", ["flood begins", "nobody is told"])]
    if ban and put and last:
        notes.append((put, "start", [f"{who} bans {duration(ban - attack)} later",
                                     f"its script sends PUT after {duration(put - ban)};",
                                     f"last packet at the victim {1000 * (last - put):.1f} ms after that"]))
    notes.append((end, "end", ["attacker gives up"]))
    if unban and delete:
        notes.append((delete, "start", [f"unban {duration(unban - end)} later",
                                        f"DELETE {duration(delete - unban)} after"]))
    for at, anchor, lines in notes:
        if at:
            x = panels[0].x(at)
            drawing.line(x, 62, x, panels[1].bottom, FAINT, 1, stroke_dasharray="3 3")
            note(drawing, (x, 74), anchor, lines)


def draw_flood(drawing, record):
    """The victim's two curves, and what the samples say of the port where the flood comes in."""
    rows, facts = record["flood"], record["facts"]
    span = (rows[0]["at_s"], rows[-1]["at_s"])
    flood = Panel(drawing, span, (140, 290), facts["flood_pps"] * 1.3)
    neighbour = Panel(drawing, span, (336, 386), facts["neighbour_pps"] * 1.2)
    drawing.text(LEFT, 34, "A flood, and what sFlow and one ACL make of it", 18, INK, weight="600")
    flood.scale(range(0, facts["flood_pps"] + 1, facts["flood_pps"] // 5), "packets/s")
    neighbour.scale((0, facts["neighbour_pps"]), "packets/s")
    neighbour.seconds()
    events_of_the_flood(drawing, record, (flood, neighbour))
    arriving = flood.points(rows, "flood_pps")
    flood.curve(flood.points(rows, "sampled_pps"), VIOLET, stroke_dasharray="6 4", stroke_opacity=0.8)
    flood.area(arriving, RED)
    flood.curve(arriving, RED)
    beside = neighbour.points(rows, "neighbour_pps")
    neighbour.area(beside, BLUE)
    neighbour.curve(beside, BLUE)
    middle = flood.x((find(record, "put") or span[0]) * 0.5 + (find(record, "attack_end") or span[1]) * 0.5)
    drawing.text(middle, flood.y(facts["flood_pps"] * 0.5), "the attack as the samples of port swp1 see it", 13, VIOLET,
                 "middle", "600")
    drawing.text(middle, flood.bottom - 10, "the flood as it reaches the victim", 13, RED, "middle", "600")
    drawing.text(middle, neighbour.y(facts["neighbour_pps"] * 0.4), "the neighbour's traffic to the same port of the victim",
                 13, BLUE, "middle", "600")


def draw_elephant(drawing, record):
    """The large flow, by whether its packets are marked."""
    rows = record["elephant"]
    begin, put, end, delete = (find(record, kind) for kind in ("elephant", "mark_put", "elephant_end", "mark_delete"))
    panel = Panel(drawing, (rows[0]["at_s"], rows[-1]["at_s"]), (536, 626), record["facts"]["elephant_mbps"] * 1.2)
    drawing.text(LEFT, 456, "An elephant, and the mark that it gets", 18, INK, weight="600")
    panel.scale((0, record["facts"]["elephant_mbps"] // 2, record["facts"]["elephant_mbps"]), "Mbit/s")
    panel.seconds()
    split = next((number for number, row in enumerate(rows) if row["elephant_marked"]), len(rows))
    points = panel.points(rows, "elephant_mbps")
    for part, colour in ((points[:split + 1], FAINT), (points[split:], GREEN)):
        if len(part) > 1:
            panel.area(part, colour)
            panel.curve(part, colour)
    notes = [(begin, "end", ["large flow begins"]), (end, "end", ["it ends"])]
    if put:
        notes.append((put, "start", [f"found {duration(put - begin)} later: PUT", "from here on marked with DSCP 8"]))
    if delete:
        notes.append((delete, "end", [f"DELETE {duration(delete - end)} later"]))
    for at, anchor, lines in notes:
        if at:
            drawing.line(panel.x(at), 478, panel.x(at), panel.bottom, FAINT, 1, stroke_dasharray="3 3")
            note(drawing, (panel.x(at), 490), anchor, lines)
    mice, marked = (sum(row[key] for row in rows) for key in ("mice_packets", "mice_marked"))
    drawing.text(WIDTH - RIGHT, 456, f"beside it {mice:,} packets of small flows: {marked or 'none'} marked", 12.5, FAINT,
                 "end")


def draw(record):
    """The text of the SVG."""
    drawing = Drawing()
    draw_flood(drawing, record)
    draw_elephant(drawing, record)
    return drawing.document(660, "What tests/demo measured: a flood stopped by an ACL, and an elephant flow marked")


def main(arguments):
    if len(arguments) != 2:
        print("usage: demo_plot.py RECORD SVG", file=sys.stderr)
        return 2
    with open(arguments[0], encoding="utf-8") as file:
        text = draw(json.load(file))
    with open(arguments[1], "w", encoding="utf-8") as file:
        file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
