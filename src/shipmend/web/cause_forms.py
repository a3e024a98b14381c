"""The forms that say which release caused a defect."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django import forms

from shipmend.core.errors import Invalid
from shipmend.db.writes import write
from shipmend.delivery import blaming
from shipmend.delivery.defect_page import Suspect
from shipmend.delivery.models import PRODUCTION
from shipmend.web.defect_form import DefectForm, Doer


class AcceptForm(DefectForm):
    """The guess is right."""

    word = "accept"
    seen = forms.UUIDField(widget=forms.HiddenInput, required=False)

    def present(self) -> dict[str, object]:
        """The guess as it is shown: another one by then is not meant."""
        return {"seen": self.page.guess.release_id}

    def carry_out(self, doer: Doer) -> str:
        """Accept it."""
        write(partial(blaming.accept_cause, seen=self.cleaned_data["seen"], **doer.where))
        return "Accepted."


class NoneForm(DefectForm):
    """No release caused it."""

    word = "none"

    def carry_out(self, doer: Doer) -> str:
        """Say so."""
        write(partial(blaming.deny_cause, **doer.where))
        return "Noted: no release caused this defect."


class ClearForm(DefectForm):
    """Nobody has said anything."""

    word = "clear"

    def carry_out(self, doer: Doer) -> str:
        """Take back what was said."""
        write(partial(blaming.clear_cause, **doer.where))
        return "Taken back; the cause is guessed again."


class NameForm(DefectForm):
    """A release caused it."""

    word = "name"
    release = forms.ChoiceField(label="Release", required=False)
    other = forms.UUIDField(
        label="Or the id of another one",
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="As it stands on the page of the release.",
        error_messages={"invalid": "This is not the id of a release."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = forms.ChoiceField(label="Release", required=False)
        field.choices = [("", "choose one"), *self._groups()]
        self.fields["release"] = field

    def _groups(self) -> list[tuple[str, list[tuple[str, str]]]]:
        groups = (("In the repos concerned", self.page.concerned), ("Elsewhere", self.page.elsewhere))
        return [(title, [self._choice(each) for each in suspects]) for title, suspects in groups if suspects]

    def _choice(self, suspect: Suspect) -> tuple[str, str]:
        release, path = suspect.release, suspect.path
        at = datetime.fromtimestamp(release.released_at or 0, self.tenant.zone)
        where = "" if suspect.environment == PRODUCTION else f", {suspect.environment}"
        return str(release.id), f"{at:%Y-%m-%d %H:%M} {path.organization}/{path.repo} {release.title}{where}"

    def carry_out(self, doer: Doer) -> str:
        """Name it."""
        chosen = self.cleaned_data["other"] or (UUID(self.text("release")) if self.text("release") else None)
        if chosen is None:
            raise Invalid("release", "is missing", mend="choose one")
        write(partial(blaming.name_cause, release_id=chosen, **doer.where))
        return "Named."
