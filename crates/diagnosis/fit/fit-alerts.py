#!/usr/bin/env python3
"""Fit what each type of alert tells about its instance being the cause.

usage: fit-alerts.py FEATURES.jsonl [ALERT_WEIGHTS.rs]

FEATURES.jsonl comes from `cargo run --release -p diagnosis --example alert_features -- DIR`. A listwise softmax over the
instances of a case; kinds of alerts are held near hand-set weights, because they have to serve systems nobody has seen,
and names of metrics are held near zero. Printed: accuracy with a case left out (five folds) and with a data set left out.
With ALERT_WEIGHTS.rs given, the table in it is replaced. Needs numpy and scipy.
"""
import json
import re
import sys
import zlib
from collections import Counter, defaultdict

import numpy as np
from scipy.optimize import minimize

# What an on-call engineer would say of an instance with such an alert. A resource that rises is the instance's own
# doing; calls to it that are slow speak less, because slowness travels; being alone with an alert speaks most.
HAND = {"total": 0.5, "types": 0.7, "metrics": 0.5}
for kind, has in {"cpu_up": 0.5, "memory_up": 0.5, "saturation_up": 0.7, "io_up": 0.4, "errors_up": 0.4, "success_down": 0.3,
                  "latency_up": 0.3, "traffic_down": 0.3, "network_down": 0.3, "log": 0.3, "callee_slow": 0.2,
                  "callee_fails": 0.2, "caller_slow": 0.0, "caller_fails": 0.2, "out_latency_up": 0.1,
                  "out_traffic_down": 0.2}.items():
    HAND.update({f"has_{kind}": has, f"share_{kind}": 0.2, f"alone_{kind}": 0.5})
KIND_L2, NAME_L2, LARGEST_SET = 6.0, 1.0, 120


def softmax(u):
    e = np.exp(u - u.max())
    return e / e.sum()


def load(path):
    rows = [json.loads(line) for line in open(path, encoding="utf-8")]
    seen = Counter(n for c in rows for r in c["rows"] for n in r["features"])
    names = sorted(set(HAND) | {n for n, k in seen.items() if k >= 20})
    at = {n: i for i, n in enumerate(names)}
    cases = []
    for c in rows:
        x = np.zeros((len(c["rows"]), len(names)))
        for i, r in enumerate(c["rows"]):
            for n, v in r["features"].items():
                if n in at:
                    x[i, at[n]] = v
        right = [i for i, r in enumerate(c["rows"]) if r["instance"] == c["instance"]]
        cases.append({"x": x, "right": right, "of": [r["component"] for r in c["rows"]], "truth": c["right"],
                      "set": c["dataset"], "id": c["case_id"], "count": len(c["components"])})
    return names, cases


def fit(cases, names):
    w0 = np.array([HAND.get(n, 0.0) for n in names])
    l2 = np.array([NAME_L2 if ":" in n else KIND_L2 for n in names])
    count = Counter(c["set"] for c in cases)

    def loss(w):
        d = w - w0
        value, slope = 0.5 * (l2 * d * d).sum(), l2 * d
        for c in cases:
            if not c["right"]:
                continue
            a = min(LARGEST_SET, count[c["set"]]) / count[c["set"]]
            p = softmax(c["x"] @ w)
            q = p[c["right"]].sum() + 1e-12
            r = np.zeros_like(p)
            r[c["right"]] = p[c["right"]] / q
            value -= a * np.log(q)
            slope = slope + a * (c["x"].T @ (p - r))
        return value, slope

    return minimize(loss, w0.copy(), jac=True, method="L-BFGS-B", options={"maxiter": 200}).x


def report(title, cases, weights):
    out = defaultdict(list)
    for c, w in zip(cases, weights):
        best = defaultdict(float)
        for component, u in zip(c["of"], c["x"] @ w):
            best[component] = max(best[component], u) if component in best else u
        ranked = sorted(best, key=lambda k: -best[k])
        rank = min([ranked.index(t) + 1 for t in c["truth"] if t in best] or [99])
        scores = np.array([best[k] for k in ranked] + [0.0] * (c["count"] - len(ranked)))
        out[c["set"]].append((rank, softmax(scores)[0]))
    for name, pairs in sorted(out.items()):
        r, p = np.array([x for x, _ in pairs]), np.array([x for _, x in pairs])
        bins = np.minimum((p * 10).astype(int), 9)
        ece = sum(abs((p[bins == b] - (r == 1)[bins == b]).sum()) for b in range(10)) / len(p)
        print(f"{title:<18} {name:<18} n {len(r):>4}  AC@1 {(r <= 1).mean():.3f}  AC@3 {(r <= 3).mean():.3f}  ECE {ece:.3f}")


def main():
    names, cases = load(sys.argv[1])
    report("hand-set", cases, [np.array([HAND.get(n, 0.0) for n in names])] * len(cases))
    for title, key in (("case left out", lambda c: zlib.crc32(c["id"].encode()) % 5), ("set left out", lambda c: c["set"])):
        models = {k: fit([c for c in cases if key(c) != k], names) for k in sorted({key(c) for c in cases})}
        report(title, cases, [models[key(c)] for c in cases])
    if len(sys.argv) > 2:
        w = fit(cases, names)
        table = "".join(f'    ("{n}", {v:.2f}),\n' for n, v in sorted(zip(names, w)) if abs(v) >= 0.05)
        text = open(sys.argv[2], encoding="utf-8").read()
        text = re.sub(r"(&\[\(&str, f64\)\] = &\[\n).*?\];", lambda m: m[1] + table + "];", text, flags=re.S)
        open(sys.argv[2], "w", encoding="utf-8").write(text)


if __name__ == "__main__":
    sys.exit(main())
