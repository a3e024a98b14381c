"""The date reader: a closed grammar, never a guess.

`read_moment` reads one text end to end as one of a list of shapes, or raises `UnreadableMoment`, whose
phrases say why and what to write instead. Nothing is filled in from today, nothing is dropped, and a text
with two readings is refused with both named: a wrong instant that looks right is worse than a refusal.

The way of a text through the modules: `reader` trims and bounds it; `shapes` finds the one shape it has, with
`dates` and `clock` for its parts (`stamps` for Unix time); `offsets` and `zones` find the offset; `refusals`
finds the words for a text of no shape.
"""

from shipmend.core.moments.moment import DateOrder, Moment, Precision, UnreadableMoment, iso
from shipmend.core.moments.reader import read_moment
from shipmend.core.moments.zones import open_zone

__all__ = ["DateOrder", "Moment", "Precision", "UnreadableMoment", "iso", "open_zone", "read_moment"]
