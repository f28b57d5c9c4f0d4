"""Write the sentences that captions share."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xarray

from eigendyn.show.paper.work import Numbers


def theory_sentence(datasets: Iterable[xarray.Dataset]) -> str:
    """Name the closures, with the largest error that any of them has, if they have one."""
    attrs = [one.attrs for one in datasets]
    closures = sorted({one["closure"] for one in attrs})
    error = max(one["closure_error"] for one in attrs)
    failed = sorted({one["status"] for one in attrs} - {"completed"})
    sentence = (
        "Lines: expected gradient steps of the mode dynamics (the steps engine, which has the "
        f"finite learning rate in it), closed by {' and '.join(closures)}"
    )
    sentence += f"; largest error of a moment {error:.1e}." if error else "."
    return sentence + (f" Not completed: {', '.join(failed)}." if failed else "")


def agreement_sentence(numbers: Numbers) -> str:
    """Say what networks lie over the lines, and how far from them."""
    compared = {
        path.removesuffix("/agreement"): data
        for path, data in numbers.items()
        if path.endswith("/agreement")
    }
    if not compared:
        return "No networks were trained for this picture."
    attrs = {name: data.attrs for name, data in compared.items()}
    worst = max(attrs, key=lambda name: attrs[name]["largest_deviation"])
    verdicts = [one["verdict"] for one in attrs.values()]
    cut = [
        name
        for name, data in compared.items()
        if data["step"].values[-1] < numbers[f"{name}/theory"]["step"].values[-1]
    ]
    one = attrs[worst]
    sentence = (
        f"Dots: mean of {one['seeds']} networks trained by gradient descent on {one['batch']} "
        f"samples a step, extrapolated to an infinite batch with {one['seeds']} more on a quarter; "
        f"{verdicts.count('agrees')} of {len(verdicts)} panels agree with theory, at "
        f"{len(verdicts) * one['false_alarm']:.0%} false alarms for all of them; the largest "
        f"deviation is {one['largest_deviation']:.2f} standard errors ({worst}; "
        f"{one['allowed_deviation']:.2f} allowed)."
    )
    if cut:
        last = compared[cut[0]]["step"].values[-1]
        sentence += f" Networks were followed to step {last:.0f} only in {' and '.join(cut)}."
    return sentence


def deviation_sentence(what: str, numbers: Numbers, variable: str) -> str:
    """Say how far the mean of what networks did is from the line, in log-log; nothing of none."""
    away = []
    for path, data in numbers.items():
        if path.endswith("/networks"):
            line, dots = numbers[path.replace("networks", "theory")], data
            at, known = np.log(dots["eigenvalue"]), np.log(line["eigenvalue"])
            expected = np.exp(np.interp(at, known, np.log(line[variable].values)))
            away.append(np.abs(dots[variable].mean("seed").values / expected - 1).max())
    if not away:
        return ""
    return f" Dots: {what}; they deviate from the line by {max(away):.1%} or less."
