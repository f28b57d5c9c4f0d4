"""Refuse 100,000 malformed and hostile losses, and measure what that costs.

    python benchmarks/hostile_text.py

prints the table, and writes benchmarks/hostile_text.md. Texts are generated from a seed: shuffled
pieces of the language and of Python, mutilated losses, deep nesting, towers of exponents, huge
numbers, products that would be huge when multiplied out, attribute chains and calls that would
execute something. An audit hook of Python counts every attempt to execute, import, open a file, or
start a process while they are read. Texts that happen to be losses are counted apart; every other
has to end in one sentence.
"""

import contextlib
import gc
import platform
import random
import resource
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from eigendyn.errors import EigendynError
from eigendyn.theory.loss_text import parse_loss

COUNT, SEED = 100_000, 0
FORBIDDEN = ("exec", "import", "open", "os.", "subprocess.", "socket.", "ctypes.", "shutil.")
LOSSES = (
    "-sum(lam*z1*sg(z2)) / (norm(lam*z1)*norm(sg(z2)))",
    "sum((z1 - sg(z2 + z1 - lam*z1))**2) / 2",
    "sum((lam*z1 - gamma*sg(z2))**4) / (1 + norm(z1)**3)",
)
WORDS = (
    "z1 z2 lam sum( norm( sg( sqrt( ( ) + - * / ** , . : = [ ] { } ' # @ ~ % // ; 0 1 2 0.5 -1 9e9"
    " 1e400 10**9 0x1F 1_0 1j None True gamma lambda if else for in is not __class__ __import__"
    " eval exec open os sys globals getattr print breakpoint await yield"
)
PIECES = (*WORDS.split(" "), " ", "\n", '"', "\\", "𝓏1", "λ", "z１", "\u202e", "\x00", "\ud800")
ATTACKS = (
    "__import__('os').system('true')",
    "eval('1')",
    "exec('x=1')",
    "open('/etc/passwd').read()",
    "().__class__.__bases__[0].__subclasses__()",
    "(lambda: z1)()",
    "[c for c in ().__class__.__mro__]",
    "f'{__import__(\"os\")}'",
    "sum.__globals__['os']",
    "getattr(z1, '__class__')",
    "breakpoint()",
    "(x := 1)",
    "sum(z1 for z1 in [1])",
    "z1.diff.__globals__",
)


def texts(draw: random.Random, count: int) -> list[str]:
    """Generate the texts."""

    def shuffled() -> str:
        return draw.choice(["", " "]).join(draw.choices(PIECES, k=draw.randint(1, 60)))

    def mutilated() -> str:
        text = list(draw.choice(LOSSES))
        for _ in range(draw.randint(1, 6)):
            where = draw.randrange(len(text))
            text[where : where + draw.randint(0, 3)] = draw.choice(PIECES)
        return "".join(text)

    def nested() -> str:
        depth = draw.randint(5, 300)
        opened = draw.choice(["(", "sum(", "sg(", "norm(", "-", "sqrt(", "[", "{"])
        return opened * depth + "z1*z2" + ")" * (depth * opened.endswith("("))

    def tower() -> str:
        base = draw.choice(["9", "z1", "sum(z1*z2)", "lam", "(1+sum(z1**2))", "0.1", "-2"])
        return "*".join(["", ""]).join(
            [
                base,
                *(f"**{draw.choice(['2', '6', '(3/2)', '9', '-5', '9**9'])}" * draw.randint(1, 40)),
            ]
        )

    def expanding() -> str:
        factor = f"(z1*z2 + lam**{draw.randint(1, 6)} + sum(z1**2)*sum(z2**2))"
        return f"sum({'*'.join([factor] * draw.randint(2, 12))})**{draw.randint(2, 6)}"

    def dense() -> str:
        letters = ["1", "lam", "z1", "z2", "z1*z2", "sum(lam)", "norm(z1)", "sg(z2)", "sqrt(2)"]
        factors = [
            f"({'+'.join(draw.choices(letters, k=draw.randint(2, 5)))})"
            f"**{draw.choice(['2', '4', '6', '(7/2)', '(-3)'])}"
            for _ in range(draw.randint(1, 3))
        ]
        return f"{draw.choice(['sum', 'norm', 'sg'])}({'*'.join(factors)})"

    def attack() -> str:
        inner = draw.choice(ATTACKS)
        return draw.choice(
            ["{}", "sum({})", "sum(z1*sg(z2)) + {}", "z1**({})", "sg({}*z1)"]
        ).format(inner)

    def long() -> str:
        return draw.choice(["z1*z2+", "sum(z1*z2)*", "1+", "x"]) * draw.randint(100, 100_000)

    makers = [shuffled, mutilated, mutilated, nested, tower, expanding, dense, attack]
    return [long() if draw.random() < 0.005 else draw.choice(makers)() for _ in range(count)]


def main() -> None:
    """Read them all, print and write the table."""
    for text in texts(random.Random(SEED + 1), 5_000):  # sympy loads modules of its own at first
        with contextlib.suppress(EigendynError):
            parse_loss(text)
    events: Counter[str] = Counter()
    sys.addaudithook(lambda name, _: events.update([name] if name.startswith(FORBIDDEN) else []))
    given = texts(random.Random(SEED), COUNT)
    events.clear()
    gc.collect()
    gc.freeze()  # Python's collector shall not search the 100,000 texts while one is timed
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused, accepted, slowest = Counter(), 0, {True: 0.0, False: 0.0}
    for text in given:
        start, is_loss = time.process_time(), False
        try:
            parse_loss(text)
            accepted, is_loss = accepted + 1, True
        except EigendynError as refusal:
            refused[type(refusal).__name__] += 1
            sentence = str(refusal)
            if "\n" in sentence or len(sentence) > 600:
                raise AssertionError(sentence) from refusal
        slowest[is_loss] = max(slowest[is_loss], time.process_time() - start)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    lines = [
        "# Malformed and hostile losses",
        "",
        f"{COUNT:,} generated texts, seed {SEED}.",
        "",
        "| | |",
        "|---|---|",
        *(f"| refused as {name} | {count:,} |" for name, count in refused.most_common()),
        f"| happened to be a loss | {accepted:,} |",
        f"| ended in anything else | {COUNT - accepted - refused.total():,} |",
        f"| executed, imported, opened or started | {events.total():,} |",
        f"| slowest refusal, processor time | {slowest[False]:.3f} s |",
        f"| slowest of those that are a loss | {slowest[True]:.3f} s |",
        f"| memory grown by | {grown:.0f} MB |",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, Python {platform.python_version()}, "
        f"sympy {version('sympy')}.",
    ]
    print("\n".join(lines))
    Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
