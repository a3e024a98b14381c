"""What a repository's team does when something broke."""

from __future__ import annotations

from shipmend.demo.agenda import HOUR, Agenda, Deed
from shipmend.demo.coding import Coding
from shipmend.demo.history import Made
from shipmend.demo.incidents import Incident, Mend
from shipmend.demo.releasing import BUILD, Releasing
from shipmend.demo.values import Fixed


class Mending:
    """The repairs of one repository."""

    def __init__(self, coding: Coding, releasing: Releasing, agenda: Agenda) -> None:
        self._coding = coding
        self._releasing = releasing
        self._agenda = agenda

    def deed(self, mend: Mend, incident: Incident) -> Deed:
        """What is done about an incident."""
        do = {
            Mend.ROLLBACK: self._roll_back,
            Mend.HOTFIX: self._hotfix,
            Mend.TRUNK: self._fix_on_trunk,
            Mend.REVERT: self._revert,
            Mend.SHA_ALONE: self._fix_without_time,
            Mend.EARLIER: self._fixed_before,
            Mend.TIME_ALONE: self._fix_without_commit,
        }[mend]
        return lambda at: do(at, incident)

    def _roll_back(self, at: int, _: Incident) -> None:
        self._releasing.roll_back(at)

    def _hotfix(self, at: int, incident: Incident) -> None:
        author, base = self._coding.somebody(), self._releasing.latest
        again = any(fix.key == incident.key for fix in self._releasing.fixes)
        text = f"{_text(incident)}{', for good' if again else ''}"
        when = max(at - HOUR, base.at)
        fix = self._coding.history.commit(author, when, text, self._coding.edits(incident.key), base)
        branch = f"hotfix/{incident.key.lower()}{'-again' if again else ''}"
        self._coding.history.branches[branch] = [fix]
        self._releasing.patch(at, incident.key, fix)
        merge = f"Merge branch '{branch}'"
        self._agenda.add(at + HOUR // 2, lambda when: self._coding.merge(author, when, merge, [fix]))

    def _fix_on_trunk(self, at: int, incident: Incident) -> None:
        self._releasing.fixes_waiting.append((incident.key, self._repair(at, incident)))

    def _fix_without_time(self, at: int, incident: Incident) -> None:
        self._report(Fixed(incident.key, at, self._repair(at, incident), with_time=False))

    def _fixed_before(self, at: int, incident: Incident) -> None:
        self._report(Fixed(incident.key, at, self._coding.history.tip_at(at - 3 * BUILD), with_time=False))

    def _fix_without_commit(self, at: int, incident: Incident) -> None:
        self._report(Fixed(incident.key, at, None, with_time=True))

    def _revert(self, at: int, incident: Incident) -> None:
        history = self._coding.history
        last = history.tip_at(at - BUILD)
        text = f"Revert “{last.subject}”\n\n{incident.key}: {incident.title}"
        tip = history.trunk[-1]
        when = max(at - HOUR // 4, tip.at)
        undo = history.commit(self._coding.maintainer, when, text, last.edits, tip, reverts=True)
        history.trunk.append(undo)
        self._releasing.patch(at, incident.key, undo)

    def _repair(self, at: int, incident: Incident) -> Made:
        return self._coding.advance(self._coding.somebody(), at, _text(incident), self._coding.edits(incident.key))

    def _report(self, fixed: Fixed) -> None:
        self._releasing.fixes.append(fixed)


def _text(incident: Incident) -> str:
    return f"{incident.key}: Fix “{incident.title}”"
