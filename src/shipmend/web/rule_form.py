"""The form of a release tracking rule: the same for looking what it would make, and for setting it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import QueryDict

from shipmend.catalog.models import Repo
from shipmend.catalog.queries import RepoRef, ref_of
from shipmend.core.tracking import Rule, RuleKind, read_rule
from shipmend.db.ids import new_id
from shipmend.delivery.models import PRODUCTION
from shipmend.web.forms import SLUG, PageForm

KINDS = (
    (RuleKind.ANY_TAG.value, "Any tag"),
    (RuleKind.TAG_CONTAINS.value, "Tag contains a text"),
    (RuleKind.TAG_MATCHES.value, "Tag matches a pattern"),
    (RuleKind.COMMIT_ON_BRANCH.value, "Commit on a branch"),
    (RuleKind.MERGE_INTO_BRANCH.value, "Merge into a branch"),
    (RuleKind.MESSAGE_CONTAINS.value, "Commit message contains a text"),
    (RuleKind.MESSAGE_EQUALS.value, "Commit message is a text"),
)


class RuleForm(PageForm):
    """A rule to look at, or to set."""

    kind = forms.ChoiceField(label="A release is", choices=KINDS)
    value = forms.CharField(
        label="Text, pattern or branch",
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
    )
    repo = forms.ChoiceField(label="Repos", required=False)
    environment = forms.CharField(label="Environment", initial=PRODUCTION, max_length=100, widget=SLUG)

    def __init__(self, typed: QueryDict | None, *args: Any, repos: Sequence[Repo], **kwargs: Any) -> None:
        super().__init__(typed, *args, **kwargs)
        self._repos = {f"{repo.organization.slug}/{repo.slug}": repo for repo in repos}
        choices = [("", "all repos"), *((name, name) for name in self._repos)]
        self.fields["repo"] = forms.ChoiceField(label="Repos", required=False, choices=choices)

    def clean(self) -> dict[str, Any]:
        """Make the rule of what was typed."""
        if not self.errors:
            with self.refusals():
                kind, value = RuleKind(self.text("kind")), self.text("value")
                self.cleaned_data["rule"] = read_rule(new_id(), kind, value, self.text("environment"))
        return self.cleaned_data

    @property
    def rule(self) -> Rule:
        """The rule."""
        rule: Rule = self.cleaned_data["rule"]
        return rule

    @property
    def repos(self) -> list[Repo]:
        """The repos it is for as of now."""
        chosen = self._repos.get(self.text("repo"))
        return [chosen] if chosen else list(self._repos.values())

    @property
    def ref(self) -> RepoRef | None:
        """The one repo that it is for; None for all of them."""
        repo = self._repos.get(self.text("repo"))
        return ref_of(repo) if repo else None
