"""Reading a picture back: its marks, and where they lie."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree as ET

from shipmend.web.charts.picture import Chart

SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Picture:
    """A chart's SVG, parsed: what is not well-formed does not get this far."""

    root: ET.Element

    @classmethod
    def of(cls, markup: str) -> Picture:
        """Parse it."""
        return cls(ET.fromstring(markup))  # noqa: S314 -- of our own making

    def marks(self, kind: str) -> list[ET.Element]:
        """The elements that have this class among theirs."""
        return [each for each in self.root.iter() if kind in (each.get("class") or "").split()]

    def said(self) -> list[str]:
        """What each mark says when it is pointed at."""
        return [say for each in self.root.iter() if (say := each.get("data-say"))]

    def words(self) -> list[str]:
        """The texts in it."""
        return [each.text or "" for each in self.root.iter("text")]


def picture_of(chart: Chart) -> Picture:
    """A chart's picture; it must say what it is, and carry no style of its own."""
    found = Picture.of(chart.svg)
    assert found.root.get("role") == "img"
    assert [found.root.findtext("title"), found.root.findtext("desc")] == [chart.title, chart.summary]
    assert not [each for each in found.root.iter() if each.get("style") or each.tag in ("style", "script")]
    return found


def share(text: str | None) -> float:
    """A place across, as a share."""
    assert text is not None
    assert text.endswith("%")
    return float(text[:-1]) / 100


def numbers(chart: Chart) -> list[list[str]]:
    """The table's cells."""
    assert all(len(row) == len(chart.table.columns) for row in chart.table.rows)
    return [[cell.text for cell in row] for row in chart.table.rows]
