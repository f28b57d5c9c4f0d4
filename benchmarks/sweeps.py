"""Time sweeps, stop them at random times, and compare a phase diagram with its closed form.

    python benchmarks/sweeps.py [throughput million kills workers diagram]

runs the parts named, or all, prints a table, and writes it to benchmarks/sweeps.md; parts that are
not run keep their lines. Every part runs the command line, or a process of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from machine import described

HERE = Path(__file__).parent
PACKAGES = ("numpy", "llvmlite", "zarr", "dask", "distributed", "xarray")
MODES = "1,0.65,0.42,0.27,0.18,0.11,0.074,0.048,0.031,0.02"
FLOW = "--closure mean-field --steps 600 --rtol 1e-6 --atol 1e-8"
KILLS = 100


def command(line: str, folder: Path) -> list[str]:
    """The command line of a sweep that writes a store of this name."""
    asked = f"-m eigendyn sweep {line} -q -o {folder}"
    return [sys.executable, *asked.split()]


def timed(line: str, folder: Path) -> tuple[float, float, float]:
    """Seconds on the clock and of the processor, and MB at most, of a command line."""
    start = time.perf_counter()
    process = subprocess.Popen(command(line, folder), stdout=subprocess.DEVNULL)
    _, status, own = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return time.perf_counter() - start, own.ru_utime + own.ru_stime, own.ru_maxrss / 1e3


def digests(folder: Path) -> dict[str, str]:
    """Of every file of a store but the one that says when it was made."""
    files = [file for file in folder.rglob("*") if file.is_file() and file != folder / "zarr.json"]
    return {str(f.relative_to(folder)): hashlib.md5(f.read_bytes()).hexdigest() for f in files}


THROUGHPUT = """
import sys, time
from pathlib import Path
import numpy as np
from eigendyn.simulation.ensemble import ensemble
from eigendyn.sweeping.asked import question
from eigendyn.sweeping.planning import planned
from eigendyn.sweeping.work import work
sizes = np.linspace(0.05, 1, 800 if sys.argv[2] == "final" else 200)
start = np.geomspace(1, 0.02, 10)
flow = {"closure": "mean-field", "steps": 600, "rtol": 1e-6, "atol": 1e-8}
given = {"loss": "cosine", "sigma1": sizes, "sigma2": sizes, **flow}
none = {"variance": None, "starts": None, "parameters": {}, "tie": (), "design": None}
plan = planned(question(given, variances=start, **none), (sys.argv[2],))
first, second = (axis.ravel() for axis in np.meshgrid(sizes, sizes, indexing="ij"))
starts, swept = np.tile(start, (len(first), 1)), {"sigma1": first, "sigma2": second}
once = lambda rows: ensemble(
    "cosine", starts[:rows], keep=sys.argv[2], **flow,
    sweep={name: values[:rows] for name, values in swept.items()},
)
once(100)
def on(clock, do):
    begin = [c() for c in clock]
    do()
    return [c() - b for c, b in zip(clock, begin)]
clock = (time.perf_counter, time.process_time)
turns = [[], []]
for turn in range(2 if sys.argv[2] == "final" else 1):
    turns[0].append(on(clock, lambda: once(None)))
    turns[1].append(on(clock, lambda: work(plan, Path(sys.argv[1]) / f"{turn}.zarr")))
best = [[min(turn[i] for turn in one) for i in (0, 1)] for one in turns]
print(len(first), *best[0], *best[1])
"""


def throughput(folder: Path) -> list[str]:
    """A sweep against one call of `ensemble` of the same trajectories, in turns, stored and all."""
    lines = []
    for keep in ("final", "recruitment"):
        place = folder / keep
        place.mkdir()
        asked = [sys.executable, "-c", THROUGHPUT, str(place), keep]
        done = subprocess.run(asked, check=True, stdout=subprocess.PIPE, text=True)
        count, wall, used, sweep_wall, sweep_used = map(float, done.stdout.split())
        lines.append(
            f"{count:.0f} trajectories of 10 modes, {keep}, cosine in mean field: one `ensemble` "
            f"{wall:.2f} s ({used:.2f} s of processor), a sweep {sweep_wall:.2f} s "
            f"({sweep_used:.2f} s); throughput {wall / sweep_wall:.2f} ×, by processor "
            f"{used / sweep_used:.2f} ×"
        )
    return lines


def million(folder: Path) -> list[str]:
    """A million trajectories of ten modes with all usual reductions."""
    line = f"cosine --sigma1 0:1:1000 --sigma2 0.05:1:1000 --variances {MODES} {FLOW}"
    seconds, used, memory = timed(line, folder / "a.zarr")
    size = sum(file.stat().st_size for file in (folder / "a.zarr").rglob("*") if file.is_file())
    return [
        f"10⁶ trajectories of 10 modes, cosine in mean field, all usual reductions: {seconds:.0f} "
        f"s on the clock, {used:.0f} s of processor, {memory:.0f} MB at most, {size / 1e6:.0f} MB "
        "stored"
    ]


def kills(folder: Path) -> list[str]:
    """Kill a sweep of 200 chunks at random times, and see what is left and what comes out."""
    rates = ",".join(f"{rate:.6g}" for rate in np.linspace(0.01, 0.2, 200))
    line = (
        f"euclidean --learning-rate {rates} --weight-decay 0:0.3:50 --variances {MODES} "
        "--steps 100 --rtol 1e-6"
    )
    whole, path, chance = folder / "whole.zarr", folder / "killed.zarr", random.Random(0)
    timed(line, whole)
    marks: dict[Path, int] = {}
    struck = restarts = 0
    longest = 8.0
    while struck < KILLS:
        process = subprocess.Popen(command(line, path), stdout=subprocess.DEVNULL)
        restarts += 1
        try:
            process.wait(chance.uniform(0, longest))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            struck += 1
        process.wait()
        marked = [file for file in path.glob("chunks/done/c/*/*") if file.suffix != ".partial"]
        now = {file: file.stat().st_mtime_ns for file in marked}
        assert all(now.get(file) == when for file, when in marks.items()), "a chunk was done twice"
        marks = now
        if len(marks) == 200:  # it is done: begin anew, to be killed more often
            subprocess.run(command(line, path), check=True, stdout=subprocess.DEVNULL)
            assert digests(path) == digests(whole), "other data"
            _remove(path)
            marks = {}
    subprocess.run(command(line, path), check=True, stdout=subprocess.DEVNULL)
    assert digests(path) == digests(whole), "other data"
    litter = [one.name for one in folder.iterdir() if one not in (whole, path)]
    assert not litter, litter
    return [
        f"{struck} kills at random times in sweeps of 200 chunks ({restarts} starts): data byte "
        "for byte those of a sweep that nothing stopped, no marked chunk written again, no litter"
    ]


def _remove(path: Path) -> None:
    import shutil

    shutil.rmtree(path)


WORKERS = """
import os, signal, sys, time
from pathlib import Path
from threading import Thread
import numpy as np
from eigendyn.sweeping.asked import question
from eigendyn.sweeping.cluster import hired
from eigendyn.sweeping.planning import planned
from eigendyn.sweeping.work import work
if __name__ == "__main__":
    sizes = np.linspace(0.05, 1, 300)
    given = {"loss": "cosine", "sigma1": sizes, "sigma2": sizes, "closure": "mean-field",
             "steps": 600, "rtol": 1e-6, "atol": 1e-8}
    none = {"variance": None, "starts": None, "parameters": {}, "tie": (), "design": None}
    plan = planned(question(given, variances=np.geomspace(1, 0.02, 10), **none))
    for name, workers, kills in (("1", 1, False), ("2", 2, False), ("killed", 2, True)):
        path = Path(sys.argv[1]) / f"{name}.zarr"
        with hired(workers, None) as crew:
            list(crew.client.map(__import__, ["eigendyn.sweeping.chunk"] * workers))
            victim = next(iter(crew.client.run(os.getpid).values()))
            def kill():
                while len(list(path.glob("chunks/done/c/*/*"))) < plan.layout.count // 2:
                    time.sleep(0.01)
                os.kill(victim, signal.SIGKILL)
            if kills:
                Thread(target=kill, daemon=True).start()
            start = time.perf_counter()
            work(plan, path, crew=crew)
            print(time.perf_counter() - start, flush=True)
"""


def workers(folder: Path) -> list[str]:
    """One worker of dask, two, and two of which one is killed in the middle."""
    script = folder / "workers.py"
    script.write_text(WORKERS, "utf-8")
    asked = [sys.executable, str(script), str(folder)]
    done = subprocess.run(asked, check=True, stdout=subprocess.PIPE, text=True)
    one, two, killed = map(float, done.stdout.split())
    stored = [digests(folder / f"{name}.zarr") for name in ("1", "2", "killed")]
    assert stored[0] == stored[1] == stored[2], "other data"
    return [
        f"90000 trajectories with dask: one worker {one:.1f} s, two {two:.1f} s, {one / two:.2f} ×;"
        f" two of which one is killed in the middle {killed:.1f} s; the same bytes each time"
    ]


def diagram(folder: Path) -> list[str]:
    """Outcome of the weakest mode over ω × σ₁, against 4(1 + σ₁²)ω = 1."""
    import xarray

    line = (
        "euclidean --weight-decay 0:0.3:200 --sigma1 0:1:200 --sigma2 0 --variances 2,1.5,1 "
        "--steps 10000 --rtol 1e-6 --keep outcome"
    )
    seconds, used, memory = timed(line, folder / "a.zarr")
    found = xarray.open_zarr(folder / "a.zarr", consolidated=False)
    words = found.outcome.attrs["flag_meanings"].split()
    number = found.outcome.attrs["flag_values"][words.index("collapsed")]
    over = found.outcome.isel(mode=-1).transpose("sigma1", "weight_decay").values
    decays, noises = found.weight_decay.values, found.sigma1.values
    cell = decays[1] - decays[0]
    border = decays[(over == number).argmax(axis=1)] - cell / 2
    off = np.abs(border - 1 / (4 * (1 + noises**2))).max() / cell
    return [
        f"phase diagram of 200 × 200 from the command line: {seconds:.1f} s on the clock, "
        f"{used:.1f} s of processor, {memory:.0f} MB; its border is at most {off:.2f} cells off the"
        " saddle-node curve in closed form"
    ]


PARTS = {part.__name__: part for part in (throughput, million, kills, workers, diagram)}


def main() -> None:
    """Run the parts that are asked for, print, and write."""
    asked = sys.argv[1:] or list(PARTS)
    kept = HERE / "sweeps.json"
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE.parent), *sys.path])
    for name in asked:
        with tempfile.TemporaryDirectory() as folder:
            lines = PARTS[name](Path(folder))
        known = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
        known[name] = {"lines": lines, "on": described(PACKAGES)}
        kept.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", "utf-8")
        print(*lines, sep="\n", flush=True)
    known = json.loads(kept.read_text("utf-8"))
    text = ["# Sweeps", ""]
    for name in (name for name in PARTS if name in known):
        text += [f"- {line}" for line in known[name]["lines"]] + [f"  ({known[name]['on']})", ""]
    (HERE / "sweeps.md").write_text("\n".join(text), "utf-8")


if __name__ == "__main__":
    main()
