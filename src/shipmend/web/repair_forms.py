"""The forms about the fixes of a defect."""

from __future__ import annotations

from functools import partial
from typing import Any

from django import forms

from shipmend.catalog.queries import Place
from shipmend.core.defects import DefectReport, FixReport
from shipmend.core.errors import Invalid
from shipmend.core.values import Sha
from shipmend.db.writes import write
from shipmend.delivery import corrections
from shipmend.delivery.views import FixView
from shipmend.web.defect_form import DefectForm, Doer, read_id, wall_clock
from shipmend.web.forms import SLUG


class RepairForm(DefectForm):
    """A fix: a repo, and a time or a commit."""

    resource_path = forms.CharField(
        label="Repo",
        max_length=300,
        widget=forms.TextInput(attrs={"list": "repos", "autocomplete": "off", "spellcheck": "false"}),
    )
    fix_released_at = forms.CharField(label="Released", required=False, max_length=100, widget=SLUG)
    fix_released_sha = forms.CharField(
        label="Commit", required=False, max_length=40, widget=SLUG, help_text="Its sha, if you know it."
    )

    def said(self, doer: Doer, *, now_if_empty: bool) -> FixReport:
        """What was typed."""
        at, sha = self.text("fix_released_at"), self.text("fix_released_sha")
        return FixReport(
            sha=Sha.parse(sha, parameter="fix_released_sha") if sha else None,
            released_at=doer.moment(at, "fix_released_at") if at else None,
            released_now=now_if_empty and not at,
        )

    def repo(self, doer: Doer) -> Place:
        """The repo that was typed. Raises Invalid."""
        place = doer.place(self.text("resource_path"), "resource_path")
        if place.repo is None:
            raise Invalid("resource_path", "names no repo", value=str(place.path), mend="a fix is released in one")
        return place


class ResolveForm(RepairForm):
    """A fix has been released."""

    word = "resolve"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["fix_released_at"].help_text = "Leave it empty for now."

    def present(self) -> dict[str, object]:
        """The defect's own repo, or the one that a fix was in before."""
        defect = self.page.defect
        last = defect.fixes[-1].path if defect.fixes else None
        path = defect.path if defect.path.level == "repo" else last or f"{self.tenant.slug}/"
        return {"resource_path": str(path)}

    def carry_out(self, doer: Doer) -> str:
        """Record it, as a call would."""
        place = self.repo(doer)
        fix = self.said(doer, now_if_empty=True)
        doer.report(place, DefectReport(doer.key, place.path, fix=fix))
        return f"A fix in {place.path} is recorded."


class FixForm(RepairForm):
    """A fix, set right."""

    word = "fix"

    @property
    def fix(self) -> FixView | None:
        """The fix as it stands."""
        return next((fix for fix in self.page.defect.fixes if str(fix.id) == self.subject), None)

    def present(self) -> dict[str, object]:
        """The fix as it stands."""
        if self.fix is None:
            return {}
        at = self.fix.released_at
        return {
            "resource_path": str(self.fix.path),
            "fix_released_at": "" if at is None else wall_clock(at, self.tenant),
            "fix_released_sha": self.fix.release_sha,
        }

    def carry_out(self, doer: Doer) -> str:
        """Correct it."""
        said = self.said(doer, now_if_empty=False)
        if said.sha is None and said.released_at is None:
            raise Invalid("fix_released_at", "is missing, and so is the commit", mend="give one of them")
        work = corrections.correct_fix_work(
            place=self.repo(doer),
            key=doer.key,
            fix_id=read_id(self.subject),
            said=said,
            reach=doer.reach,
            actor=doer.actor,
            now=doer.now,
        )
        write(work)
        return "The fix is corrected."


class RemoveFixForm(DefectForm):
    """A fix that was none."""

    word = "remove"

    def carry_out(self, doer: Doer) -> str:
        """Remove it."""
        write(partial(corrections.remove_fix, fix_id=read_id(self.subject), **doer.where))
        return "The fix is removed."
