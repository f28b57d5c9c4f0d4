"""Lay out for the help what the words of outcomes mean."""

from __future__ import annotations

from eigendyn.results.outcome_words import OUTCOMES, SIZE

_WORDS = "\n".join(f"  {word:<11} {outcome.meaning}" for word, outcome in OUTCOMES.items())
GLOSSARY = f"\b\nOutcomes:\n{_WORDS}\n\n{SIZE}"
