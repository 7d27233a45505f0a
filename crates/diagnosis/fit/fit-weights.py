#!/usr/bin/env python3
"""Fit the weights of the features around the hand-set ones, and measure them out of fold.

usage: fit-weights.py WEIGHTS.rs FEATURES.jsonl... [--write] [--record DIR]

FEATURES.jsonl come from `cargo run --release -p diagnosis --example features -- DIR MODE`, one file a mode. The model is
a listwise softmax; the prior is Gaussian around the hand-set weights, so that the fit cannot forget what the data has
little of; every data set weighs the same. What is read along the call graph is held four times as tightly as the rest: what
the graphs of four systems teach does not carry over to a fifth. Cases without series are left out. Printed: accuracy and
calibration with a case left out (ten folds, the mean of five ways to draw them) and with a system left out. `--write` puts
the fitted weights, their spreads and the calibration into WEIGHTS.rs.

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

ROW = re.compile(r'^    fitted\("(\w+)", (-?[\d.]+)(?:, (-?[\d.]+), ([\d.]+))?\),')


def hand_set(path):
    return {m[1]: float(m[2]) for m in map(ROW.match, open(path, encoding="utf-8")) if m}


# Log-odds of "none of these" at rest and what a unit of the strongest deviation takes off, as in WEIGHTS.rs. By hand: the
# fault-free stretches of the data sets hold steps and left-overs of other faults, and would teach that noise is usual.
NONE = (3.5, 2.6)


# Precision of the prior around a hand-set weight, for what is read along the call graph and for the rest.
HELD, FREE = 6.0, 1.5
ALONG_THE_GRAPH = ("symptom", "other", "shadow", "follows", "is_entry", "no_callers", "latency", "errors", "seconds", "idle",
                   "no_data")
SPLITS = 5


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
    cases = [Case(json.loads(line), names) for p in paths for line in open(p, encoding="utf-8")]
    return [c for c in cases if c.case["series"] > 0]


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

    x = np.vstack([c.x for c in cases])
    sizes = [len(c.x) for c in cases]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    of = np.repeat(np.arange(len(cases)), sizes)
    right = np.zeros(len(x))
    for start, c in zip(starts, cases):
        right[start + np.array(c.right)] = 1

    def probabilities(w):
        u = x @ w
        e = np.exp(u - np.maximum.reduceat(u, starts)[of])
        return e / np.add.reduceat(e, starts)[of]

    def loss(w):
        p = probabilities(w)
        q = np.add.reduceat(p * right, starts) + 1e-12
        d = w - w0
        return 0.5 * d @ (l2 * d) - a @ np.log(q), l2 * d + x.T @ ((p - p * right / q[of]) * a[of])

    w = minimize(loss, w0.copy(), jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    p = probabilities(w)
    mean = np.add.reduceat(x * p[:, None], starts)
    curve = l2 + ((x - mean[of]) ** 2 * (p * a[of])[:, None]).sum(0)
    return w, 1 / np.sqrt(curve)


def rank_of_right(c, u):
    order = sorted(range(len(u)), key=lambda i: -u[i])
    hits = [order.index(i) + 1 for i in c.right]
    return min(hits) if hits else 999


def ece(pairs, bins=10):
    pairs = np.array(pairs, float)
    which = np.minimum((pairs[:, 0] * bins).astype(int), bins - 1)
    return sum(abs((pairs[which == b, 0] - pairs[which == b, 1]).sum()) for b in range(bins)) / len(pairs)


def figures(members, logits, confidence):
    ranks = np.array([rank_of_right(c, u) for c, u in zip(members, logits)])
    pairs = list(zip(confidence, ranks == 1))
    within = [(ranks <= k).mean() for k in (1, 2, 3, 4, 5)]
    return within[0], within[2], within[4], np.mean(within), np.mean([(p - y) ** 2 for p, y in pairs]), ece(pairs)


def report(title, splits):
    """Prints figures by data set; a split is (cases, logits, confidences), and the figures of several are averaged."""
    print(f"{title:<26}   AC@1  AC@3  AC@5 Avg@5  Brier   ECE")
    sets = sorted({c.dataset for c in splits[0][0]})
    rows, table = [], []
    for d in sets:
        own = [[i for i, c in enumerate(cases) if c.dataset == d] for cases, _, _ in splits]
        v = np.mean([figures(*([part[i] for i in members] for part in split)) for members, split in zip(own, splits)], 0)
        rows.append(v)
        table.append([d, len(own[0])] + [f"{x:.3f}" for x in v])
        print(f"  {d:<20}{len(own[0]):>4} " + " ".join(f"{x:6.3f}" for x in v))
    pooled = np.mean([figures(*split)[4:] for split in splits], 0)
    chance = np.mean([by_chance(split[2]) for split in splits])
    print(f"  {'mean':<24} " + " ".join(f"{x:6.3f}" for x in np.mean(rows, 0)) +
          f"   pooled: Brier {pooled[0]:.3f}, ECE {pooled[1]:.3f} (by chance alone {chance:.3f})")
    return table


def by_chance(confidence):
    """The mean ECE of answers that are right exactly as often as they say: so many cases cannot show less."""
    rng, p = np.random.default_rng(1), np.array(confidence)
    return np.mean([ece(list(zip(p, rng.random(len(p)) < p))) for _ in range(200)])


def fold(split):
    return lambda c: zlib.crc32(f"{split}{c.id}".encode()) % 10


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
    """The temperature with the least Brier score of the first hypothesis, given the log-odds of "none of these" set by hand.
    By likelihood, a few confident misses make all answers too modest: the Brier score out of fold was worse as well."""
    right = np.array([rank_of_right(c, c.x @ w) == 1 for c, (w, _) in zip(cases, models)])

    def cost(v):
        return np.mean((np.array(confidences(cases, models, np.exp(v), none)) - right) ** 2)

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


def reliability(title, splits):
    """Answers by tenths of confidence: how many a split, their mean confidence, the share that was right."""
    confidence = [p for split in splits for p in split[2]]
    right = [rank_of_right(c, u) == 1 for split in splits for c, u in zip(split[0], split[1])]
    which = np.minimum((np.array(confidence) * 10).astype(int), 9)
    for b in sorted(set(which)):
        inside = which == b
        yield [title, f"{b / 10:.1f}", f"{inside.sum() / len(splits):.1f}", f"{np.array(confidence)[inside].mean():.3f}", f"{np.array(right)[inside].mean():.3f}"]


def write(path, prior, names, w, sd, t):
    fitted = {n: (x, s) for n, x, s in zip(names, w, sd)}
    lines = []
    for line in open(path, encoding="utf-8"):
        m = ROW.match(line)
        if m and m[1] in fitted:
            x, s = fitted[m[1]]
            line = f'    fitted("{m[1]}", {prior[m[1]]}, {x:.2f}, {s:.2f}),\n'
        line = re.sub(r"(    temperature: )[\d.]+,", rf"\g<1>{t:.3f},", line)
        lines.append(line)
    open(path, "w", encoding="utf-8").writelines(lines)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("weights")
    ap.add_argument("features", nargs="+")
    ap.add_argument("--near", type=float, default=0.5, help="how much a case with its start hidden weighs")
    ap.add_argument("--bare", type=float, default=0.0, help="how much a case without graph weighs")
    ap.add_argument("--write", action="store_true")
    ap.add_argument("--record", metavar="DIR", help="where figures.csv and calibration.csv are renewed")
    ap.add_argument("--failures", action="store_true")
    a = ap.parse_args()
    prior = hand_set(a.weights)
    names = list(prior)
    w0 = np.array([prior[n] for n in names])
    l2 = np.array([HELD if n.startswith(ALONG_THE_GRAPH) else FREE for n in names])
    cases = load(a.features, names)
    mode_weight = {"known": 1.0, "near": a.near, "bare": a.bare, "quiet": 0.0}
    by_mode = {m: [c for c in cases if c.mode == m] for m in ("known", "near", "bare")}
    by_mode = {m: group for m, group in by_mode.items() if group}
    for mode, group in by_mode.items():
        logits = [c.x @ w0 for c in group]
        report(f"hand-set, {mode}", [(group, logits, [softmax(u).max() for u in logits])])
    mine, bins, kept = [], [], []
    for title, keys in (("case left out", [fold(s) for s in range(SPLITS)]), ("system left out", [lambda c: c.system])):
        splits = defaultdict(list)
        for key in keys:
            models = out_of_fold(cases, w0, l2, mode_weight, key)
            t = calibrate(by_mode["known"], [models[key(c)] for c in by_mode["known"]], NONE)
            if title == "case left out":
                kept.append(t)
            for mode, group in by_mode.items():
                of = [models[key(c)] for c in group]
                splits[mode].append((group, [c.x @ m[0] for c, m in zip(group, of)], confidences(group, of, t, NONE)))
                if a.failures and mode == "known":
                    failures(group, of, names)
        for mode in by_mode:
            table = report(f"{title}, {mode}", splits[mode])
            if mode == "known":
                mine += [[r[0], f"this engine, {title}", *r[1:], "fit-weights.py"] for r in table]
                bins += reliability(title, splits[mode])
    kept = np.mean(kept)
    w, sd = fit(cases, w0, l2, mode_weight)
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
