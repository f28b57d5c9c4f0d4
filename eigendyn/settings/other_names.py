"""Look up what eigendyn calls a thing that other tools name differently. Standard library only."""

from __future__ import annotations

_SETTINGS = {  # our name, with underscores → names in PyTorch, solo-learn, Lightning, papers
    "learning_rate": ("lr", "eta", "base_lr", "step_size"),
    "weight_decay": ("wd", "decay", "l2", "lambda"),
    "steps": ("epochs", "max_epochs", "max_steps", "num_steps", "iterations", "iters", "n_steps"),
    "ema": ("tau", "base_tau", "ema_decay", "ema_momentum", "target_momentum"),
    "batch": ("batch_size", "bs"),
    "predictor_rate": ("predictor_lr", "lr_predictor", "pred_lr"),
    "predictor_decay": ("predictor_wd", "pred_wd"),
    "epsilon": ("eps",),
    "correlation_momentum": ("rho", "dyn_bias"),
    "stop_gradient": ("stopgrad", "detach"),
    "loss": ("criterion", "loss_fn", "loss_function", "objective"),
    "loss_expr": ("expr", "formula"),
    "preset": ("algorithm", "recipe"),
    "embeddings": ("features", "representations"),
    "modes": ("dim", "dims", "num_modes", "n_modes"),
    "dtype": ("precision",),
    "device": ("gpu", "cuda", "accelerator"),
    "seed": ("random_state", "random_seed"),
    "rtol": ("tol", "reltol"),
    "atol": ("abstol",),
    "output": ("save", "output_dir"),
    "plot": ("figure", "picture"),
    "force": ("overwrite",),
    "parameters": ("params", "parameter"),
}
_CHOICES = {
    "loss": {"euclidean": ("mse", "l2", "squared"), "cosine": ("cos", "negative-cosine")},
    "predictor": {"learned": ("mlp", "linear"), "none": ("identity", "no")},
    "target": {"ema": ("momentum", "teacher", "slow"), "shared": ("online", "siamese")},
    "method": {
        "steps": ("sgd", "gd", "discrete"),
        "flow": ("ode", "jax", "diffrax"),
        "implicit": ("stiff", "lsoda"),
    },
    "dtype": {"float64": ("double", "fp64", "64", "f64"), "float32": ("float", "fp32", "32")},
    "device": {"cuda": ("gpu", "cuda:0", "nvidia")},
    "backend": {"torch": ("pytorch", "pt"), "numpy": ("np",)},
}
_IN_PYTHON = {  # options of the command line, with underscores → what does the same in Python
    "batch": "The theory has no batch; that of networks is set in eigendyn.crosscheck.",
    "embeddings": "Try variances=eigendyn.spectrum.from_embeddings(embeddings).",
    "weights": "Try variances=eigendyn.spectrum.from_weights(weights).",
    "modes": "Try variances=eigendyn.spectrum.random(modes, inputs).",
    "inputs": "Try variances=eigendyn.spectrum.random(modes, inputs).",
    "loss_expr": "A loss of your own is the first argument: try eigendyn.parse_loss(text).",
    "parameters": "Numbers of a loss go with it: try eigendyn.parse_loss(text, {'gamma': 0.5}).",
    "no_predictor": "Try predictor='none'.",
    "slice": "Try held={'variance3': 0.5}.",
    "output": "Try eigendyn.save(run, 'run.nc').",
    "plot": "Try eigendyn.plot.run(run).",
}
_MEANT = {
    kind: {other: name for name, others in names.items() for other in others}
    for kind, names in {"setting": _SETTINGS, **_CHOICES}.items()
}


def meant(kind: str, given: str) -> str | None:
    """What a name from elsewhere is called here.

    Args:
        kind: What is named, such as "setting", "loss" or "device".
        given: The name given; of settings also as a flag.

    Returns:
        The name here; None if it is not known.
    """
    plain = given.lower()
    if kind == "setting":
        plain = plain.lstrip("-").replace("-", "_")
    return _MEANT.get(kind, {}).get(plain)


def in_python(option: str) -> str | None:
    """What to write in Python in the place of an option, in a sentence; None if not known."""
    return _IN_PYTHON.get(option)
