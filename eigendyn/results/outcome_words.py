"""Name what can become of a mode in training, and say what each word means. Standard library only.

A mode's size is its share of the total variance where the loss does not depend on the common scale
of the representations, as cosine losses, and its variance elsewhere. The words come from the first
and the last size and from the change at the end of the run; `outcomes` assigns them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

NEAR = 0.05  # a mode has arrived when it is this near its end value, as a fraction of it
NEGLIGIBLE = 0.01  # share of the largest size that counts as none
COMPARABLE = 0.5  # share of the largest size that counts as large
GONE = 0.5  # share of its first size below which a mode has lost what it had
END = 0.95  # fraction of the run after which changes count as changes at the end
UNKNOWN = "unknown"


class Outcome(NamedTuple):
    """What a word says.

    Args:
        meaning: In one clause.
        lost: Whether the mode counts as lost; None where nothing is known.
    """

    meaning: str
    lost: bool | None


OUTCOMES: Mapping[str, Outcome] = MappingProxyType(
    {
        "recruited": Outcome("began small and ends large", False),
        "relaxed": Outcome("began large and ends large", False),
        "growing": Outcome("rises at the end, above its start", False),
        "recovering": Outcome("rises at the end, but is still below its start", False),
        "stationary": Outcome("small and at rest, with no less than it began with", False),
        "reduced": Outcome("small and at rest, with less than it began with", True),
        "fading": Outcome("falls at the end, though still above its start", True),
        "shrinking": Outcome("falls at the end, below its start", True),
        "collapsed": Outcome(
            f"below {100 * NEGLIGIBLE:g} % of the largest and {100 * GONE:g} % of its start, not "
            "rising; or without variance",
            True,
        ),
        UNKNOWN: Outcome("the run did not complete", None),
    }
)
SIZE = (
    "The size of a mode is its share of the total variance where the loss does not depend on the "
    "common scale of the representations (cosine), else its variance. A mode is large with at "
    f"least {100 * COMPARABLE:g} % of the largest size at the end of the run. To end large, it "
    f"must also be at rest, or change by less than {100 * NEAR:g} % in the last "
    f"{100 * (1 - END):g} % of the run and slow down (a share may fall by more, as other modes "
    "gain). A mode that starts within "
    f"{100 * NEAR:g} % of its own end value began large too. A mode is at rest if it would "
    f"change by less than {100 * NEAR:g} % in another run as long."
)
