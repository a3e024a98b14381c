"""The forms of a repo that is part of another one: to make it, and to give it other paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from shipmend.catalog.models import Repo
from shipmend.catalog.queries import Tenant
from shipmend.core.errors import Invalid
from shipmend.core.globs import LONGEST, MOST, read_globs
from shipmend.core.values import ResourcePath
from shipmend.web.forms import SLUG, PageForm, read_repo_path

LINES = forms.Textarea(
    attrs={"rows": 4, "spellcheck": "false", "autocapitalize": "none", "placeholder": "services/checkout/**\n!**/*.md"}
)


class PathsForm(PageForm):
    """The paths that belong to a part."""

    paths = forms.CharField(
        label="Paths",
        widget=LINES,
        max_length=MOST * (LONGEST + 2),
        help_text="Git's globs from the top of the repository, one a line; a leading ! takes some away. Only commits"
        " that touch them count.",
    )

    def clean_paths(self) -> tuple[str, ...]:
        """The globs."""
        try:
            return read_globs(self.text("paths").splitlines())
        except Invalid as refusal:
            sentence = refusal.detail.removeprefix(refusal.parameter).strip()
            raise forms.ValidationError(sentence[:1].upper() + sentence[1:]) from refusal

    @property
    def globs(self) -> tuple[str, ...]:
        """What was typed, as it is stored."""
        globs: tuple[str, ...] = self.cleaned_data["paths"]
        return globs


class PartForm(PathsForm):
    """A part to make."""

    prefix = "part"
    resource_path = forms.CharField(label="Path", widget=SLUG, help_text="entity/organization/repo")
    source_path = forms.ChoiceField(label="Part of")
    field_order = ("resource_path", "source_path", "paths")

    def __init__(self, *args: Any, tenant: Tenant, repos: Sequence[Repo], **kwargs: Any) -> None:
        super().__init__(*args, initial={"resource_path": f"{tenant.slug}/"}, **kwargs)
        self._tenant = tenant
        names = [str(repo.path) for repo in repos if repo.source_id is None]
        self.fields["source_path"] = forms.ChoiceField(label="Part of", choices=[(name, name) for name in names])

    def clean_resource_path(self) -> ResourcePath:
        """The path, in this entity."""
        return read_repo_path(self.text("resource_path"), self._tenant)

    @property
    def path(self) -> ResourcePath:
        """Where the part shall be."""
        path: ResourcePath = self.cleaned_data["resource_path"]
        return path

    @property
    def source(self) -> ResourcePath:
        """What it shall be part of."""
        return ResourcePath.parse(self.text("source_path"))
