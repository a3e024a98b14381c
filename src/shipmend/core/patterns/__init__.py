"""Regular expressions that anyone may write: searching a text takes time that grows with its length, and no faster."""

from shipmend.core.patterns.automaton import TEXT_CHARACTERS, Pattern
from shipmend.core.patterns.grammar import PATTERN_CHARACTERS, read_pattern

__all__ = ["PATTERN_CHARACTERS", "TEXT_CHARACTERS", "Pattern", "read_pattern"]
