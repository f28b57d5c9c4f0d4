"""Draw figures of the theory from the library: one page each.

A page has `numbers(work)`, every line that it draws, in groups; `draw(numbers)`, the picture; and
`caption(numbers)`, what there is to see, with the approximations named.

Source of the figures numbered as in the paper: Halvagal, Laborieux & Zenke, NeurIPS 2023.
"""

from pathlib import Path
from types import MappingProxyType

FIGURES = MappingProxyType(
    {  # name → module of the page, title
        "2a": ("representations", "Representations of 20 samples, two modes"),
        "2b": ("eigenvalues", "Eigenvalues over training, ten modes"),
        "5": ("fixed_points", "Where two modes end: Euclidean against cosine"),
        "6a": ("relu_representations", "ReLU network: pre-activations of 20 samples"),
        "6b": ("relu_eigenvalues", "ReLU network: eigenvalues over training"),
        "7": ("ema_target", "Recruitment with and without an EMA target"),
        "8": ("weight_decay", "Weight decay: small modes die or live"),
        "multiplier": ("multiplier", "Eigenvalues as learning-rate multipliers"),
        "recruitment": ("recruitment", "Recruitment time over six decades"),
        "closures": ("closures", "How wrong the closures are"),
        "bifurcation": ("bifurcation", "Bifurcations in weight decay"),
        "phase-diagrams": ("phase_diagrams", "Phase diagrams: weight decay against noise"),
        "conservation": ("conservation", "What is conserved along descent"),
        "digits": ("digits", "What a linear BYOL learns of handwritten digits"),
        "deep-3": ("deep.spectra", "Deep networks: spectra and readout over epochs"),
        "deep-4": ("deep.alignment", "Deep networks: alignment of predictor and correlation"),
        "deep-7": ("deep.ema_target", "Deep networks with and without an EMA target"),
        "deep-8": ("deep.weight_decay", "Deep networks: weight decay, plain and isotropic"),
    }
)
NETWORKS_ONLY = ("6a", "6b")  # which no theory covers
OF_DEEP = "deep-"  # begins the names of figures of networks that are trained on images


def outputs(name: str, folder: Path, kind: str) -> dict[str, Path]:
    """Paths of a figure's picture, numbers and caption."""
    suffixes = {"picture": f".{kind}", "numbers": ".nc", "caption": ".txt"}
    return {what: folder / f"figure-{name}{suffix}" for what, suffix in suffixes.items()}
