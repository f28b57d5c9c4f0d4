"""Compare theory and gradient descent for every system, as one table.

    python docs/systems.py

runs `eigendyn.crosschecks.crosscheck_all()` in some minutes and writes docs/systems.md.
"""

from datetime import UTC, datetime
from pathlib import Path

import eigendyn
from eigendyn.show.report.agreement import grid_table

HEAD = """# Theory against gradient descent, every system

Here you can look up how far real networks are from the theory, for each loss with a predictor and
a target, and how small an error of the theory they would have shown.

Each line is a loss with a predictor and a target: eight linear networks with 4 dimensions and 6
inputs are trained on batches of 2,000 samples, eight more on a quarter of that, both views noisy
(σ1 = 0.2, σ2 = 0.3) and with weight decay 0.01. Pairs of them, extrapolated to an infinite batch,
are compared with the expected steps of the mode dynamics at every mode and saved step, in standard
errors. Networks know nothing of the symbolic side: losses are written afresh and differentiated
automatically.

Order: with a running correlation, whether a step takes the batch into it and then uses it, as
solo-learn's code does, or uses it as the step before left it, as the code of DirectPred does. An
EMA target averages the weights that the step has made, as BYOL's code does, everywhere.

Caught at 2 %: with which of the theory's numbers off by 2 % or less, up or down, the same networks
would have called it wrong; from the theory's own derivative and the standard errors. The table
below says for every number where the smallest error would have been caught. That a number has no
name in a line says that its effect is small there, not that it was not compared.

- copied: DirectCopy, normalised by the largest eigenvalue, with ε = 0.25
- running: a running correlation of z1, momentum 0.9; DirectPred: with α = 1/2, ε = 0.1 outside
- learned: a linear predictor that descends the loss, at twice the learning rate, with its own decay
- EMA target: momentum 0.95; scheduled: rising to 1 along a half cosine
- own signals, noise of a view: inputs of which every mode has a signal (0.5, 1, 2, 0.7) and noises
  of its own; first view, weights: what the predictor's correlation is of
- watching: systems with slow averages, large noises and decays, made for the last column
- presets: what `--preset` sets, with this noise of the views
- sum(…): losses written as text, one for each way in which expectations are taken

A learned predictor has no cell with the isotropic losses, whose λ stands behind a stop-gradient.
Some cells are the same system: without predictor, an isotropic loss is the plain one, and without
stop-gradient so is iso-euclidean. Of iso-cosine without both nothing is left but weight decay,
which both sides follow to round-off.

```text
"""


def main() -> None:
    """Run every system and write the table."""
    table = grid_table(eigendyn.crosschecks.crosscheck_all(progress=True))
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    text = f"{HEAD}{table}\n```\n\n`python docs/systems.py`, {day}.\n"
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
