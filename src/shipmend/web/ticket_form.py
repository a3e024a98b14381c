"""The form of what counts as a ticket: the same for looking what would be found, and for setting it."""

from __future__ import annotations

from typing import Any

from django import forms

from shipmend.catalog.models import Entity
from shipmend.core.patterns import PATTERN_CHARACTERS
from shipmend.core.tickets import USUAL, TicketPattern
from shipmend.web.forms import PageForm


class TicketForm(PageForm):
    """A pattern to look at, or to set."""

    ticket_pattern = forms.CharField(
        label="Keys look like",
        required=False,
        max_length=PATTERN_CHARACTERS,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none", "placeholder": USUAL}
        ),
    )
    ticket_numbers = forms.BooleanField(label="#123, too", required=False)

    def clean(self) -> dict[str, Any]:
        """Make the pattern of what was typed."""
        if not self.errors:
            with self.refusals():
                pattern = self.text("ticket_pattern")
                self.cleaned_data["read"] = TicketPattern(pattern, numbers=self.numbers)
        return self.cleaned_data

    @property
    def pattern(self) -> TicketPattern:
        """The pattern."""
        pattern: TicketPattern = self.cleaned_data["read"]
        return pattern

    @property
    def numbers(self) -> bool:
        """Whether numbers are wanted."""
        return bool(self.cleaned_data.get("ticket_numbers"))

    @classmethod
    def present(cls, entity: Entity) -> dict[str, object]:
        """What is set by now, as if it were typed."""
        return {"ticket_pattern": entity.ticket_pattern, "ticket_numbers": "on" if entity.ticket_numbers else ""}
