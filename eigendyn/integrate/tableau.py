"""The numbers of Tsitouras's Runge–Kutta pair of orders 5 and 4, with its dense output.

Seven stages, the last of them the first of the next step. Plain numbers, so that code for any
machine can be generated from them. Source: Tsitouras 2011, doi 10.1016/j.camwa.2011.06.002.
"""

from __future__ import annotations

ORDER = 5  # of the step; its error estimate shrinks as step⁵

# The last row also holds the weights of the step: stage 7 is taken at its end.
STAGES: tuple[tuple[float, ...], ...] = (
    (0.161,),
    (-0.008480655492356988544, 0.335480655492356988544),
    (2.897153057105493432130, -6.359448489975074843148, 4.362295432869581411017),
    (
        *(5.325864828439256604428, -11.74888356406282787774),
        *(7.495539342889836208304, -0.09249506636175524925650),
    ),
    (
        *(5.861455442946420028659, -12.92096931784710929170, 8.159367898576158643180),
        *(-0.07158497328140099722453, -0.02826905039406838290900),
    ),
    (
        *(0.09646076681806522951816, 0.01, 0.4798896504144995747752),
        *(1.379008574103741893192, -3.290069515436080679901, 2.324710524099773982415),
    ),
)
FRACTIONS = (0.161, 0.327, 0.9, 0.9800255409045096857298, 1.0, 1.0)  # of the step, at each stage
ERROR = (  # weights of order 5 less those of order 4
    *(0.00178001105222577714, 0.000816434459656746667, -0.00788087801026199628),
    *(0.144711007173262907537, -0.582357165452555225155, 0.458082105929186945766),
    -1 / 66,
)


def dense_weights(fraction):
    """Weights of the seven stages for the state at a fraction of the step, to order 4 in it.

    Args:
        fraction: θ = (t − t₀)/h, a number or an array of any kind.

    Returns:
        b₁(θ) … b₇(θ), so that y(t) = y₀ + h Σ b_i k_i; those of the step at θ = 1.
    """
    x, square = fraction, fraction * fraction
    return (
        -1.0530884977290216
        * x
        * (x - 1.3299890189751412)
        * (square - 1.4364028541716351 * x + 0.7139816917074209),
        0.1017 * square * (square - 2.1966568338249754 * x + 1.2949852507374631),
        2.490627285651252793 * square * (square - 2.38535645472061657 * x + 1.57803468208092486),
        -16.54810288924490272 * square * (x - 1.21712927295533244) * (x - 0.61620406037800089),
        47.37952196281928122 * square * (x - 1.203071208372362603) * (x - 0.658047292653547382),
        -34.87065786149660974 * square * (x - 1.2) * (x - 2 / 3),
        2.5 * square * (x - 1) * (x - 0.6),
    )
