"""The forms on the page of a defect."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from django import forms

from shipmend.catalog.queries import find_place
from shipmend.core.defects import DefectReport
from shipmend.db.writes import write
from shipmend.delivery import corrections
from shipmend.delivery.actions import delete_defect
from shipmend.delivery.corrections import NOTES_CHARACTERS
from shipmend.web.cause_forms import AcceptForm, ClearForm, NameForm, NoneForm
from shipmend.web.defect_form import DefectForm, Doer, wall_clock
from shipmend.web.forms import SLUG
from shipmend.web.repair_forms import FixForm, RemoveFixForm, ResolveForm

REASON_CHARACTERS = 2000


class NotesForm(DefectForm):
    """What people know of it."""

    word = "notes"
    notes = forms.CharField(
        label="Notes",
        required=False,
        max_length=NOTES_CHARACTERS,
        strip=False,
        widget=forms.Textarea(attrs={"rows": "14"}),
        help_text="In Markdown: # heading, - list, **bold**, `code`, [link](https://…).",
    )

    def present(self) -> dict[str, object]:
        """The notes."""
        return {"notes": self.page.notes}

    def carry_out(self, doer: Doer) -> str:
        """Write them."""
        notes = self.cleaned_data["notes"].replace("\r\n", "\n")
        write(partial(corrections.set_notes, notes=notes, **doer.where))
        return "The notes are saved."


class DetectionForm(DefectForm):
    """When it was detected."""

    word = "detection"
    detected_at = forms.CharField(label="Detected", max_length=100, widget=SLUG)

    def present(self) -> dict[str, object]:
        """The detection on the entity's clocks."""
        return {"detected_at": wall_clock(self.page.defect.detected_at, self.tenant)}

    def carry_out(self, doer: Doer) -> str:
        """Correct it, by the report that says so."""
        path = self.page.defect.path
        report = DefectReport(doer.key, path, detected_at=doer.moment(self.text("detected_at"), "detected_at"))
        doer.report(find_place(doer.tenant, path), report)
        return "The detection is corrected."


class CancelForm(DefectForm):
    """It was no defect."""

    word = "cancel"
    reason = forms.CharField(
        label="Why",
        max_length=REASON_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": "2"}),
        help_text="Stays in the audit trail.",
    )

    def carry_out(self, doer: Doer) -> str:
        """Take it out of everything."""
        write(partial(delete_defect, now=doer.now, reason=self.text("reason"), **doer.where))
        return f"The defect {doer.key} is cancelled; the audit trail keeps it."


FORMS: Mapping[str, type[DefectForm]] = {
    form.word: form
    for form in (
        AcceptForm,
        NoneForm,
        ClearForm,
        NameForm,
        NotesForm,
        DetectionForm,
        ResolveForm,
        FixForm,
        RemoveFixForm,
        CancelForm,
    )
}
"""By what they send as `do`."""
