#!/usr/bin/env python3
"""Make cases of systems that nobody has seen, to try what does not depend on the development data.

usage: simulate.py OUT [--cases N] [--seed S]

Writes the folders `pods` (a fault of one instance) and `deploys` (a defective deployment among innocent ones) in the layout
of tests/cases. Everything is drawn at random: a layered call graph with random names, one to three instances a service, which
families and statistics are measured and in which unit, daily load, noise, outliers, gaps and the size of the fault. The
effects are what such faults do: the instance's own resources, its answers, its callers by the share of calls that pass
it, and less work behind it. Made data shows what breaks; it is no measure of how good the ranking is. Needs numpy.
"""
import argparse
import gzip
import json
import pathlib

import numpy as np

FAULTS = ["cpu", "memory", "disk", "latency", "network", "errors", "kill"]
FAMILY = {"cpu": "cpu", "memory": "mem", "disk": "fs", "latency": "latency", "network": "latency", "errors": "success",
          "kill": None}


def system(rng):
    n = int(rng.integers(8, 40))
    names = ["".join(rng.choice(list("bcdfgklmnprstv"), 1)[0] + rng.choice(list("aeiou"), 1)[0] for _ in range(3)) for _ in range(n)]
    names = [f"{a}{i}" for i, a in enumerate(names)]
    calls = [(int(rng.integers(0, max(1, i // 2 + 1))), i) for i in range(1, n)]
    calls += [(a, b) for a, b in rng.integers(0, n, (n // 3, 2)) if a < b]
    return names, sorted(set(map(tuple, [(int(a), int(b)) for a, b in calls])))


def noise(rng, rows, size):
    x = rng.normal(0, size, rows)
    for i in range(1, rows):
        x[i] += 0.5 * x[i - 1]
    spikes = rng.random(rows) < 0.01
    return np.exp(x + spikes * rng.normal(0, 4 * size, rows))


def make(rng, kind, number):
    names, calls = system(rng)
    n, step = len(names), int(rng.choice([15, 30, 60]))
    rows, after = int(rng.integers(80, 240)), int(rng.integers(5, 30))
    start = rows - after
    t0 = 1_700_000_000 + number * 86400
    time = t0 + step * np.arange(rows)
    inside = (np.arange(rows) >= start).astype(float)
    counts = rng.integers(1, 4, n)
    share = np.zeros(n)
    share[0] = 1
    for a, b in calls:
        share[b] = max(share[b], share[a] * rng.uniform(0.3, 1))
    load = np.exp(0.2 * np.sin(2 * np.pi * time / 86400 + rng.uniform(0, 6))) * noise(rng, rows, 0.03)
    cause = int(rng.integers(1, n))
    fault = str(rng.choice(FAULTS[:-1] if kind == "deploys" else FAULTS))
    size = rng.uniform(0.3, 2.0)
    bad = 1.0 if kind == "deploys" else 1.0 / counts[cause]  # share of the cause's answers that the fault touches
    slow, fail, work = np.zeros(n), np.zeros(n), np.ones(n)
    own = rng.uniform(0.002, 0.05, n)
    add = {"latency": 3, "network": 3, "cpu": 0.8, "disk": 0.5, "memory": 0.2, "kill": 0.3}.get(fault, 0) * size * own[cause]
    add = max(add, 0.01 if fault in ("latency", "network") else 0)
    slow[cause], fail[cause] = add * bad, {"errors": 0.15, "kill": 0.1}.get(fault, 0) * size * bad
    for a, b in sorted(calls, reverse=True):
        slow[a] += slow[b] * rng.uniform(0.4, 1)
        fail[a] = min(0.6, fail[a] + fail[b] * rng.uniform(0.4, 0.9))
    behind = {cause}
    for a, b in calls:
        if a in behind:
            behind.add(b)
    for b in behind - {cause}:
        work[b] = 1 - fail[cause]
    total = own.copy()
    for a, b in sorted(calls, reverse=True):
        total[a] += 0.6 * total[b]
    has = {f: rng.random() < p for f, p in {"cpu": 0.95, "mem": 0.95, "fs": 0.6, "net": 0.7, "latency": 0.8, "success": 0.7,
                                           "workload": 0.8, "edges": 0.4}.items()}
    if not has["latency"] and not has["success"]:
        has["latency"] = True
    unit = float(rng.choice([1, 1000]))
    stats = list(rng.choice(["p50", "p90", "p95", "p99", "avg"], int(rng.integers(1, 4)), replace=False))
    columns, changes, changed = {}, [], {}
    if kind == "deploys":
        others = rng.permutation([i for i in range(n) if i != cause])[: int(rng.integers(1, 6))]
        early = start * step * rng.uniform(0.2, 1.0, len(others)) + 3 * step * rng.random(len(others))
        when = [(int(i), t0 + float(e)) for i, e in zip(others, early)] + [(cause, t0 + step * start - float(rng.uniform(0, 2 * step)))]
        for i, at in sorted(when, key=lambda w: w[1]):
            new = [f"{names[i]}-new{k}" for k in range(counts[i])]
            old = [f"{names[i]}-{k}" for k in range(counts[i])]
            changes.append({"time": at, "service": names[i], "new_instances": new, "removed_instances": old})
            changed[i] = at

    def put(i, metric, values, whole=False, hurt=lambda x: x, transient=0.0):
        """One column a service or an instance; the fault touches the first instance, or all the new ones."""
        if whole or (counts[i] == 1 and i not in changed):
            columns[f"{names[i]}|{metric}"] = hurt(values) if i == cause else values
            return
        for k in range(counts[i]):
            v = values * noise(rng, rows, 0.03)
            touched = i == cause and (kind == "deploys" or k == 0)
            if i in changed:
                young = time >= changed[i]
                fresh = np.where(young, v * (1 + transient * np.exp(-(time - changed[i]).clip(0) / 90)), np.nan)
                columns[f"{names[i]}#{names[i]}-{k}|{metric}"] = np.where(young, np.nan, v)
                columns[f"{names[i]}#{names[i]}-new{k}|{metric}"] = hurt(fresh) if touched else fresh
            else:
                columns[f"{names[i]}#{names[i]}-{k}|{metric}"] = hurt(v) if touched else v

    def ramp(top):
        return 1 + (top - 1) * inside * np.minimum(1, np.cumsum(inside) / max(1, after / 2))

    per_pod = rng.random() < 0.7
    for i in range(n):
        rate = load * share[i] * 100
        base = rng.uniform(0.05, 0.5)
        hit = {f: (lambda x: x) for f in ("cpu", "mem", "fs", "net", "latency", "success", "workload")}
        if i == cause:
            if fault == "cpu":
                hit["cpu"] = lambda x: x * (1 + (1 + 3 * size) * inside)
            if fault == "memory":
                hit["mem"] = lambda x: x * ramp(1 + size)
            if fault == "disk":
                hit["fs"] = lambda x: x * (1 + 8 * size * inside)
            if fault == "kill":
                gone = (np.arange(rows) >= start) & (np.arange(rows) < start + int(rng.integers(1, 4)))
                for f in ("cpu", "mem", "fs", "net", "workload"):
                    hit[f] = lambda x: np.where(gone, np.nan, x * (1 - 0.6 * inside * np.exp(-np.cumsum(inside) / 8)))
        if has["cpu"]:
            put(i, "cpu_usage", base * (0.3 + 0.7 * load * (1 - inside * (1 - work[i]))) * noise(rng, rows, 0.05), not per_pod and i not in changed, hit["cpu"], 1.5)
        if has["mem"]:
            put(i, "mem_working_set", 1e8 * base * np.cumprod(noise(rng, rows, 0.003)), not per_pod and i not in changed, hit["mem"], -0.3)
        if has["fs"]:
            put(i, "fs_writes", 1e4 * base * load * noise(rng, rows, 0.3), not per_pod and i not in changed, hit["fs"], 2.0)
        if has["net"]:
            put(i, "net_receive", 1e3 * rate * (1 - inside * (1 - work[i])) * noise(rng, rows, 0.05), not per_pod and i not in changed, hit["net"], 0.5)
        if has["workload"]:
            put(i, "workload", rate * (1 - inside * (1 - work[i])) * noise(rng, rows, 0.04), True)
        serve = slow[i] if not (i == cause and fault == "network") else 0.0
        for s in stats if has["latency"] else []:
            tail = {"p50": 1, "avg": 1.1, "p90": 1.8, "p95": 2.2, "p99": 3.5}[s]
            put(i, f"latency_{s}", unit * tail * (total[i] * load**0.2 * noise(rng, rows, 0.04 * tail) + serve * inside), True)
        if has["success"]:
            wrong = (rng.random(rows) < 0.03) * 0.01
            put(i, "success_rate", 100 * (1 - wrong - fail[i] * inside * rng.uniform(0.7, 1.3, rows)).clip(0, 1), True)
    if has["edges"] and has["latency"]:
        for a, b in calls:
            v = total[b] * load**0.2 * noise(rng, rows, 0.06) + slow[b] * inside
            columns[f"{names[a]}|latency_{stats[0]}_to:{names[b]}"] = unit * v
    for v in columns.values():
        v[rng.random(rows) < 0.01] = np.nan
    raised = "success" if fault in ("errors", "kill") and has["success"] else "latency" if has["latency"] else "success"
    target = f"{names[0]}|" + ("success_rate" if raised == "success" else f"latency_{stats[0]}")
    about = {"case_id": f"{kind}-{number:04d}", "dataset": f"made-{kind}", "system": f"made {kind} {number}", "fault": fault,
             "root_cause_service": names[cause], "root_cause_services": [names[cause]], "root_cause_metric": FAMILY[fault],
             "inject_time": t0 + step * start, "detect_time": t0 + step * min(rows - 1, start + 3), "interval_s": step,
             "entry_service": names[0], "target_metric": target if rng.random() < 0.7 else None, "candidates": names,
             "graph": [[names[a], names[b]] for a, b in calls] if rng.random() < 0.8 else [], "changes": changes}
    return about, time, columns


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("out", type=pathlib.Path)
    ap.add_argument("--cases", type=int, default=60)
    ap.add_argument("--seed", type=int, default=1)
    a = ap.parse_args()
    for kind in ("pods", "deploys"):
        for number in range(a.cases):
            rng = np.random.default_rng([a.seed, number, kind == "pods"])
            about, time, columns = make(rng, kind, number)
            folder = a.out / kind / about["case_id"]
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "case.json").write_text(json.dumps(about))
            rows = ["time," + ",".join(columns)]
            matrix = np.array(list(columns.values())).T
            for t, values in zip(time, matrix):
                rows.append(f"{t}," + ",".join("" if v != v else f"{v:.6g}" for v in values))
            with gzip.open(folder / "metrics.csv.gz", "wt", compresslevel=1) as f:
                f.write("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
