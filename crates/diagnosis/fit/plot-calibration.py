#!/usr/bin/env python3
"""Draw calibration.csv, which fit-weights.py --record writes.

usage: plot-calibration.py CALIBRATION.csv PLOT.svg [TEXT.md]

Puts the same figures into the table of TEXT.md whose head starts with "| confidence |", its tenths joined into six rows.
Each dot is a tenth of confidence: where it stands, how many of these answers were right; its area, how many there were. The
colours are readable on white and on black. Needs nothing beside Python.
"""
import csv
import sys

SIZE, LEFT, TOP = 360, 56, 16
COLOURS = {"case left out": "#2f81f7", "system left out": "#d9730d"}
GREY = "#808080"
STRETCHES = [("below 0.2", 0, 0.2), ("0.2 – 0.4", 0.2, 0.4), ("0.4 – 0.6", 0.4, 0.6), ("0.6 – 0.8", 0.6, 0.8),
             ("0.8 – 0.9", 0.8, 0.9), ("above 0.9", 0.9, 1.1)]


def main():
    rows = list(csv.DictReader(open(sys.argv[1], encoding="utf-8")))
    x = lambda v: LEFT + SIZE * v
    y = lambda v: TOP + SIZE * (1 - v)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE + 230} {SIZE + 70}" width="{SIZE + 230}" '
           f'font-family="sans-serif" font-size="12" fill="{GREY}" role="img">',
           "<title>Share of answers that were right, by confidence</title>",
           f'<rect x="{LEFT}" y="{TOP}" width="{SIZE}" height="{SIZE}" fill="none" stroke="{GREY}"/>',
           f'<line x1="{x(0)}" y1="{y(0)}" x2="{x(1)}" y2="{y(1)}" stroke="{GREY}" stroke-dasharray="4 4"/>']
    for tick in (0, 0.2, 0.4, 0.6, 0.8, 1):
        out.append(f'<text x="{x(tick):.0f}" y="{y(0) + 18}" text-anchor="middle">{tick}</text>')
        out.append(f'<text x="{LEFT - 8}" y="{y(tick) + 4:.0f}" text-anchor="end">{tick}</text>')
    out.append(f'<text x="{x(0.5):.0f}" y="{y(0) + 40}" text-anchor="middle">confidence of the first hypothesis</text>')
    out.append(f'<text transform="translate(14 {y(0.5):.0f}) rotate(-90)" text-anchor="middle">share that was right</text>')
    for i, (title, colour) in enumerate(COLOURS.items()):
        own = [(float(r["confidence"]), float(r["right"]), float(r["answers"])) for r in rows if r["left out"] == title]
        line = " ".join(f"{x(c):.1f},{y(r):.1f}" for c, r, _ in own)
        out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-opacity="0.5"/>')
        for c, r, n in own:
            out.append(f'<circle cx="{x(c):.1f}" cy="{y(r):.1f}" r="{2 + n**0.5:.1f}" fill="{colour}" fill-opacity="0.75"/>')
        out.append(f'<circle cx="{x(1) + 26}" cy="{TOP + 20 + 22 * i}" r="5" fill="{colour}"/>')
        out.append(f'<text x="{x(1) + 38}" y="{TOP + 24 + 22 * i}">{title} ({sum(n for *_, n in own):.0f})</text>')
    out.append("</svg>")
    open(sys.argv[2], "w", encoding="utf-8").write("\n".join(out) + "\n")
    if len(sys.argv) > 3:
        into_text(sys.argv[3], rows)


def into_text(path, rows):
    lines = open(path, encoding="utf-8").read().split("\n")
    start = next(i for i, line in enumerate(lines) if line.startswith("| confidence |")) + 2
    end = next(i for i in range(start, len(lines)) if not lines[i].startswith("|"))
    lines[start:end] = [row(rows, *stretch) for stretch in STRETCHES]
    open(path, "w", encoding="utf-8").write("\n".join(lines))


def row(rows, name, low, high):
    cells = [name]
    for title in COLOURS:
        own = [r for r in rows if r["left out"] == title and low <= float(r["from"]) < high]
        count = sum(float(r["answers"]) for r in own)
        mean = lambda what: f"{sum(float(r['answers']) * float(r[what]) for r in own) / count:.2f}" if count else ""
        cells += [f"{count:.0f}", mean("confidence"), mean("right")]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
