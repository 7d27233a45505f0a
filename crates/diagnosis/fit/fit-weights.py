#!/usr/bin/env python3
"""Fit the weights of the features around the hand-set ones, and measure them out of fold.

usage: fit-weights.py WEIGHTS.rs FEATURES.jsonl... [--l2 X] [--write] [--record DIR]

FEATURES.jsonl come from `cargo run --release -p diagnosis --example features -- DIR MODE`, one file a mode. The model is
a listwise softmax; the prior is Gaussian around the hand-set weights, so that the fit cannot forget what the data has
little of; every data set weighs the same. Printed: accuracy and calibration with a case left out (ten folds) and with a
system left out. `--write` puts the fitted weights, their spreads and the calibration into WEIGHTS.rs.

Needs numpy and scipy.
"""
import argparse
import csv
import json
import pathlib
import re
import sys
import zlib
from collections import defaultdict

import numpy as np
from scipy.optimize import minimize, minimize_scalar

ROW = re.compile(r'^    (?:by_hand|fitted)\("(\w+)", (-?[\d.]+)(?:, (-?[\d.]+), ([\d.]+))?\),')


def hand_set(path):
    return {m[1]: float(m[2]) for m in map(ROW.match, open(path, encoding="utf-8")) if m}


# Log-odds of "none of these" at rest and what a unit of the strongest deviation takes off, as in WEIGHTS.rs. By hand: the
# fault-free stretches of the data sets hold steps and left-overs of other faults, and would teach that noise is usual.
NONE = (3.5, 2.6)


class Case:
    def __init__(self, row, names):
        self.id, self.dataset, self.system, self.mode = row["case_id"], row["dataset"], row["system"], row["mode"]
        self.fault, self.right, self.components = row["fault"], row["right"], row["components"]
        at = {n: i for i, n in enumerate(row["names"])}
        total = 0
        for w in row["windows"]:
            m = np.array([w["columns"][at[n]] if n in at else np.zeros(len(self.components)) for n in names], float)
            total = total + w["weight"] * m
        self.x = total.T
        keys = sorted(row["windows"][0]["case"])
        self.case = {k: sum(w["weight"] * w["case"][k] for w in row["windows"]) for k in keys}


def load(paths, names):
    return [Case(json.loads(line), names) for p in paths for line in open(p, encoding="utf-8")]


def softmax(u):
    e = np.exp(u - u.max())
    return e / e.sum()


def fit(cases, w0, l2, mode_weight):
    """Maximum a posteriori weights; every data set weighs the same, whatever its size."""
    cases = [c for c in cases if c.right]
    count = defaultdict(float)
    for c in cases:
        count[c.dataset] += mode_weight[c.mode]
    n = sum(1 for c in cases if c.mode == "known")
    a = np.array([mode_weight[c.mode] / count[c.dataset] / len(count) * n for c in cases])

    def loss(w):
        value, slope = 0.0, np.zeros_like(w)
        for c, k in zip(cases, a):
            p = softmax(c.x @ w)
            q = p[c.right].sum() + 1e-12
            r = np.zeros_like(p)
            r[c.right] = p[c.right] / q
            value -= k * np.log(q)
            slope += k * (c.x.T @ (p - r))
        d = w - w0
        return value + 0.5 * l2 * d @ d, slope + l2 * d

    w = minimize(loss, w0.copy(), jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    curve = np.full(len(w0), l2)
    for c, k in zip(cases, a):
        p = softmax(c.x @ w)
        mean = p @ c.x
        curve += k * (p @ (c.x - mean) ** 2)
    return w, 1 / np.sqrt(curve)


def rank_of_right(c, u):
    order = sorted(range(len(u)), key=lambda i: -u[i])
    hits = [order.index(i) + 1 for i in c.right]
    return min(hits) if hits else 999


def ece(pairs, bins=10):
    pairs = np.array(pairs, float)
    which = np.minimum((pairs[:, 0] * bins).astype(int), bins - 1)
    return sum(abs((pairs[which == b, 0] - pairs[which == b, 1]).sum()) for b in range(bins)) / len(pairs)


def report(title, cases, logits, confidence=None):
    groups = defaultdict(list)
    for i, c in enumerate(cases):
        groups[c.dataset].append(i)
    print(f"{title:<26}   AC@1  AC@3  AC@5 Avg@5  Brier   ECE")
    rows, everything, table = [], [], []
    for d, members in sorted(groups.items()):
        ranks = np.array([rank_of_right(cases[i], logits[i]) for i in members])
        pairs = [(confidence[i] if confidence is not None else softmax(logits[i]).max(), r == 1) for i, r in zip(members, ranks)]
        everything += pairs
        v = [(ranks <= k).mean() for k in (1, 3, 5)] + [np.mean([(ranks <= k).mean() for k in range(1, 6)])]
        v += [np.mean([(p - y) ** 2 for p, y in pairs]), ece(pairs)]
        rows.append(v)
        table.append([d, len(members)] + [f"{x:.3f}" for x in v])
        print(f"  {d:<20}{len(members):>4} " + " ".join(f"{x:6.3f}" for x in v))
    print(f"  {'mean':<24} " + " ".join(f"{x:6.3f}" for x in np.mean(rows, 0)) + f"   pooled ECE {ece(everything):.3f}")
    return table


def fold_of(c):
    return zlib.crc32(c.id.encode()) % 10


def out_of_fold(cases, w0, l2, mode_weight, key):
    """(weights, spread) of the fold that did not see the case, by case id and mode."""
    models = {}
    for k in sorted({key(c) for c in cases}):
        models[k] = fit([c for c in cases if key(c) != k], w0, l2, mode_weight)
    return models


def confidences(cases, models, t, none):
    """Confidence of the first hypothesis: a softmax that is softer where the weights are uncertain, less "none"."""
    out = []
    for c, (w, sd) in zip(cases, models):
        p, q = shares(c, w, sd, t), p_none(c, none)
        out.append(p.max() * (1 - q))
    return out


def shares(c, w, sd, t):
    """MacKay's moderated output: the variance of the lead over the second flattens the softmax."""
    u = c.x @ w
    first, second = np.argsort(-u)[:2] if len(u) > 1 else (0, 0)
    variance = (((c.x[first] - c.x[second]) * sd) ** 2).sum()
    return softmax(u / (t * np.sqrt(1 + np.pi / 8 * variance)))


def p_none(c, none):
    return 1 / (1 + np.exp(-(none[0] - none[1] * c.case["wrong"])))


def calibrate(cases, models, none):
    """The temperature, by likelihood, given the hand-set log-odds of "none of these"."""

    def cost(v):
        value = 0.0
        for c, (w, sd) in zip(cases, models):
            value -= np.log((1 - p_none(c, none)) * shares(c, w, sd, np.exp(v))[c.right].sum() + 1e-4)
        return value

    return np.exp(minimize_scalar(cost, bounds=(-1.5, 1.5), method="bounded").x)


HEAD = ["data set", "method", "cases", "AC@1", "AC@3", "AC@5", "Avg@5", "Brier", "ECE", "source"]


def record(folder, mine, bins):
    """Puts the figures out of fold into figures.csv, whose other rows stay, and the reliability into calibration.csv."""
    path = pathlib.Path(folder) / "figures.csv"
    rows = [r for r in csv.DictReader(open(path, encoding="utf-8")) if not r["method"].startswith("this engine")]
    with open(path, "w", encoding="utf-8", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(HEAD)
        out.writerows([[r[k] for k in HEAD] for r in rows] + mine)
    with open(path.with_name("calibration.csv"), "w", encoding="utf-8", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["left out", "from", "answers", "confidence", "right"])
        out.writerows(bins)


def reliability(title, confidence, right):
    """Answers by tenths of confidence: how many, their mean confidence, the share that was right."""
    which = np.minimum((np.array(confidence) * 10).astype(int), 9)
    for b in sorted(set(which)):
        inside = which == b
        yield [title, f"{b / 10:.1f}", inside.sum(), f"{np.array(confidence)[inside].mean():.3f}", f"{np.array(right)[inside].mean():.3f}"]


def write(path, prior, names, w, sd, t):
    fitted = {n: (x, s) for n, x, s in zip(names, w, sd)}
    lines = []
    for line in open(path, encoding="utf-8"):
        m = ROW.match(line)
        if m:
            x, s = fitted[m[1]]
            line = f'    fitted("{m[1]}", {prior[m[1]]}, {x:.2f}, {s:.2f}),\n'
        line = re.sub(r"(    temperature: )[\d.]+,", rf"\g<1>{t:.3f},", line)
        lines.append(line)
    open(path, "w", encoding="utf-8").writelines(lines)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("weights")
    ap.add_argument("features", nargs="+")
    ap.add_argument("--l2", type=float, default=3.5)
    ap.add_argument("--near", type=float, default=0.5, help="how much a case with its start hidden weighs")
    ap.add_argument("--bare", type=float, default=0.0, help="how much a case without graph weighs")
    ap.add_argument("--write", action="store_true")
    ap.add_argument("--record", metavar="DIR", help="where figures.csv and calibration.csv are renewed")
    ap.add_argument("--failures", action="store_true")
    a = ap.parse_args()
    prior = hand_set(a.weights)
    names = list(prior)
    w0 = np.array([prior[n] for n in names])
    cases = load(a.features, names)
    mode_weight = {"known": 1.0, "near": a.near, "bare": a.bare, "quiet": 0.0}
    by_mode = {m: [c for c in cases if c.mode == m] for m in ("known", "near", "bare", "quiet")}
    for mode in ("known", "near", "bare"):
        if by_mode[mode]:
            report(f"hand-set, {mode}", by_mode[mode], [c.x @ w0 for c in by_mode[mode]])
    mine, bins = [], []
    for title, key in (("case left out", fold_of), ("system left out", lambda c: c.system)):
        models = out_of_fold(cases, w0, a.l2, mode_weight, key)
        every = by_mode["known"] + by_mode["near"]
        t = calibrate(every, [models[key(c)] for c in every], NONE)
        for mode in ("known", "near", "bare"):
            group = by_mode[mode]
            if not group:
                continue
            of = [models[key(c)] for c in group]
            logits = [c.x @ m[0] for c, m in zip(group, of)]
            name = f"{title}, {mode} T={t:.2f}"
            sure = confidences(group, of, t, NONE)
            table = report(name, group, logits, sure)
            if mode == "known":
                mine += [[r[0], f"this engine, {title}", *r[1:], "fit-weights.py"] for r in table]
                right = [rank_of_right(c, u) == 1 for c, u in zip(group, logits)]
                bins += reliability(title, sure, right)
            if a.failures and mode == "known":
                failures(group, of, names)
        if title == "case left out":
            kept = t
    w, sd = fit(cases, w0, a.l2, mode_weight)
    moved = sorted(zip(names, w0, w, sd), key=lambda r: -abs(r[2] - r[1]))
    print("moved most: " + ", ".join(f"{n} {x:+.2f}->{y:+.2f}(±{s:.2f})" for n, x, y, s in moved[:24]))
    if a.record:
        record(a.record, mine, bins)
    if a.write:
        write(a.weights, prior, names, w, sd, kept)


def failures(group, models, names):
    for c, (w, _) in zip(group, models):
        u = c.x @ w
        rank, top = rank_of_right(c, u), int(np.argmax(u))
        if rank > 1:
            d = (c.x[c.right[0]] - c.x[top]) * w
            worst = " ".join(f"{names[i]}{d[i]:+.2f}" for i in np.argsort(d)[:7])
            print(f"    {c.id} {c.fault}: {c.components[c.right[0]]} rank {rank}, first {c.components[top]} {worst}")


if __name__ == "__main__":
    sys.exit(main())
