"""The forms of the pages: what people typed, checked and turned into typed values."""

from __future__ import annotations

from functools import cache
from types import TracebackType
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.http import QueryDict

from shipmend.catalog.models import Entity
from shipmend.catalog.queries import Place, Tenant, find_place
from shipmend.core.causes import LONGEST_WINDOW_HOURS
from shipmend.core.errors import Invalid, NotFound
from shipmend.core.moments import DateOrder
from shipmend.core.values import DEFAULT_SCOPES, ResourcePath, Role, Scope
from shipmend.git.remotes import Remote, RemoteRefused
from shipmend.history.mirrors import address_to_register


class Refusals:
    """Shows an Invalid raised inside the `with` block at the form's field of that name, or above the form."""

    def __init__(self, form: forms.Form) -> None:
        self._form = form

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, refusal: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(refusal, Invalid):
            return False
        if refusal.parameter in self._form.fields:
            sentence = refusal.detail.removeprefix(refusal.parameter).strip()
            self._form.add_error(refusal.parameter, sentence[:1].upper() + sentence[1:])
        else:
            self._form.add_error(None, refusal.detail)
        return True


class PageForm(forms.Form):
    """A form without the colons that Django puts behind labels."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})

    def refusals(self) -> Refusals:
        """`with form.refusals(): …` around the verb that may refuse what the form said."""
        return Refusals(self)

    def text(self, field: str) -> str:
        """What was typed into a field, trimmed."""
        return str(self.cleaned_data.get(field, ""))


def _password(autocomplete: str) -> forms.PasswordInput:
    return forms.PasswordInput(attrs={"autocomplete": autocomplete})


class SignInForm(PageForm):
    """Mail address and password."""

    email = forms.EmailField(label="Mail address", widget=forms.EmailInput(attrs={"autocomplete": "username"}))
    password = forms.CharField(label="Password", strip=False, widget=_password("current-password"))


@cache
def time_zones() -> tuple[str, ...]:
    """The names offered beside a time zone field."""
    return tuple(sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC"))


ZONE = forms.TextInput(attrs={"list": "zones", "autocomplete": "off", "spellcheck": "false"})
SLUG = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"})


class SetupForm(PageForm):
    """The first user and the first entity."""

    email = forms.EmailField(label="Your mail address", widget=forms.EmailInput(attrs={"autocomplete": "username"}))
    password = forms.CharField(
        label="Password", strip=False, widget=_password("new-password"), help_text="At least 10 characters."
    )
    entity = forms.CharField(
        label="Entity",
        widget=SLUG,
        help_text="The name of your team or company as it stands in paths: entity/organization/repo.",
    )
    time_zone = forms.CharField(
        label="Time zone", initial="UTC", widget=ZONE, help_text="Of dates that name none, and of days in reports."
    )


class PasswordForm(PageForm):
    """A new password; the present one is asked for where there is one."""

    present = forms.CharField(label="Present password", strip=False, widget=_password("current-password"))
    password = forms.CharField(
        label="New password", strip=False, widget=_password("new-password"), help_text="At least 10 characters."
    )

    def __init__(self, *args: Any, has_password: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_password:
            del self.fields["present"]


class EntityForm(PageForm):
    """An entity's settings."""

    name = forms.CharField(label="Name", required=False, max_length=200, help_text="Shown beside the path.")
    time_zone = forms.CharField(
        label="Time zone", widget=ZONE, help_text="Of dates that name none, of these pages, and of days in reports."
    )
    date_order = forms.ChoiceField(
        label="Dates with slashes",
        required=False,
        widget=forms.RadioSelect,
        choices=(
            (DateOrder.NONE.value, "Refuse 03/04/2021, and name both readings"),
            (DateOrder.DAY_FIRST.value, "Day first: 03/04/2021 is 3 April 2021"),
            (DateOrder.MONTH_FIRST.value, "Month first: 03/04/2021 is 4 March 2021"),
        ),
        help_text="Dates that can be read in one way only, such as 25/12/2021, are always taken.",
    )
    public_badges = forms.BooleanField(
        label="Public badges",
        required=False,
        help_text="Anybody may ask, without signing in, which release of a repo is live, and whether a commit is.",
    )

    @classmethod
    def of(cls, entity: Entity, typed: QueryDict | None) -> EntityForm:
        """The form, filled in with the entity's present settings until something is typed."""
        fields = ("name", "time_zone", "date_order", "public_badges")
        return cls(typed, initial={field: getattr(entity, field) for field in fields})

    @property
    def order(self) -> DateOrder:
        """How ambiguous dates shall be read."""
        return DateOrder(self.text("date_order"))


class MetricsForm(PageForm):
    """How the metrics of an entity are worked out."""

    cause_window_hours = forms.IntegerField(
        label="A release is suspected of a defect for",
        min_value=1,
        max_value=LONGEST_WINDOW_HOURS,
        help_text="Hours. Where nobody has said what caused a defect, the last release at or before the detection is"
        " guessed to have, if it is no older than this. 168 hours are a week.",
    )
    rollbacks_fail = forms.BooleanField(
        label="A release that a rollback undid is a failure",
        required=False,
        help_text="It counts in the change fail rate, whether or not a defect was recorded; it is shown apart.",
    )

    @classmethod
    def of(cls, entity: Entity, typed: QueryDict | None) -> MetricsForm:
        """The form, filled in with the entity's present settings until something is typed."""
        return cls(typed, initial={name: getattr(entity, name) for name in ("cause_window_hours", "rollbacks_fail")})


class MemberForm(PageForm):
    """A member to add."""

    email = forms.EmailField(label="Mail address", widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(
        label="Role",
        initial=Role.MEMBER.value,
        choices=(
            (Role.VIEWER.value, "Viewer: reads"),
            (Role.MEMBER.value, "Member: reads and writes"),
            (Role.OWNER.value, "Owner: everything"),
        ),
    )

    @property
    def chosen(self) -> Role:
        """The role picked."""
        return Role(self.text("role"))


ADDRESS = forms.TextInput(
    attrs={
        "autocomplete": "off",
        "spellcheck": "false",
        "autocapitalize": "none",
        "placeholder": "https://git.example.org/team/repo.git",
    }
)


class RemoteForm(PageForm):
    """A form that asks for a git address: by https or ssh, never a folder of this machine."""

    remote_url = forms.CharField(label="Git address", required=False, widget=ADDRESS)

    def clean_remote_url(self) -> Remote | None:
        """The address as a Remote, None when it was left empty."""
        text = self.text("remote_url")
        if not text:
            return None
        try:
            return address_to_register(text)
        except RemoteRefused as refusal:
            raise forms.ValidationError(refusal.for_people) from refusal

    @property
    def remote(self) -> Remote | None:
        """The address given, if any."""
        remote: Remote | None = self.cleaned_data["remote_url"]
        return remote


def read_repo_path(text: str, tenant: Tenant) -> ResourcePath:
    """The path of a repo in this entity. Raises ValidationError."""
    try:
        path = ResourcePath.parse(text)
    except Invalid as refusal:
        raise forms.ValidationError(f"This {refusal.because}: write entity/organization/repo.") from refusal
    if path.level != "repo":
        raise forms.ValidationError("This does not name a repo: write entity/organization/repo.")
    if path.entity != tenant.slug:
        raise forms.ValidationError(f"This is another entity's: begin with {tenant.slug}/.")
    return path


class RepoForm(RemoteForm):
    """A repo to add."""

    resource_path = forms.CharField(label="Path", widget=SLUG, help_text="entity/organization/repo")
    field_order = ("resource_path", "remote_url")

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        super().__init__(*args, initial={"resource_path": f"{tenant.slug}/"}, **kwargs)
        self._tenant = tenant
        self.fields["remote_url"].help_text = (
            "By https or ssh. A token or password in the address is kept apart and never shown again. "
            "Without an address, releases are taken as they are reported, unverified."
        )

    def clean_resource_path(self) -> ResourcePath:
        """The path, in this entity."""
        return read_repo_path(self.text("resource_path"), self._tenant)

    @property
    def path(self) -> ResourcePath:
        """Where the repo shall be."""
        path: ResourcePath = self.cleaned_data["resource_path"]
        return path


class RepoSettingsForm(RemoteForm):
    """What can be changed about a repo."""

    release_branch = forms.CharField(
        label="Release branch",
        required=False,
        max_length=250,
        widget=SLUG,
        help_text="The branch releases are cut from. Leave it empty for the remote's default branch.",
    )
    field_order = ("release_branch", "remote_url")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["remote_url"].label = "New git address"
        self.fields["remote_url"].help_text = "Leave it empty to keep the present one."


class CompareForm(PageForm):
    """Two points of a repo's history."""

    def __init__(self, typed: QueryDict | None) -> None:
        super().__init__(typed)
        for name, label in (("from", "From"), ("to", "To")):
            self.fields[name] = forms.CharField(label=label, max_length=250, widget=SLUG)


NEVER = "0"


class TokenForm(PageForm):
    """A token to make."""

    name = forms.CharField(
        label="Name", max_length=200, help_text="What it is for: CI, the monitoring, a person's scripts."
    )
    resource_path = forms.CharField(
        label="Bound to",
        widget=forms.TextInput(attrs={"list": "places", "autocomplete": "off", "spellcheck": "false"}),
        help_text="An entity, organization or repo: it reaches what is there and below.",
    )
    scope = forms.MultipleChoiceField(
        label="May",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        initial=[scope.value for scope in DEFAULT_SCOPES],
        choices=(
            (Scope.READ.value, "read everything there"),
            (Scope.RELEASES_WRITE.value, "record releases"),
            (Scope.DEFECTS_WRITE.value, "record critical defects"),
            (Scope.IMPORTS_WRITE.value, "register and index repos"),
        ),
    )
    days = forms.ChoiceField(
        label="Expires",
        initial="365",
        choices=(("30", "in 30 days"), ("90", "in 90 days"), ("365", "in a year"), (NEVER, "never")),
    )

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        super().__init__(*args, initial={"resource_path": tenant.slug}, **kwargs)
        self._tenant = tenant

    def clean_resource_path(self) -> Place:
        """The place the token shall be bound to."""
        try:
            return find_place(self._tenant, ResourcePath.parse(self.text("resource_path")))
        except (Invalid, NotFound) as refusal:
            mend = f"write {self._tenant.slug}, or the path of an organization or repo in it"
            raise forms.ValidationError(f"This names nothing here: {mend}.") from refusal

    @property
    def place(self) -> Place:
        """Where the token shall reach."""
        place: Place = self.cleaned_data["resource_path"]
        return place

    @property
    def scopes(self) -> frozenset[Scope]:
        """What it shall be able to do."""
        return frozenset(Scope(scope) for scope in self.cleaned_data["scope"])

    @property
    def lifetime(self) -> int | None:
        """Days until it expires; None for never."""
        days = self.text("days")
        return None if days == NEVER else int(days)
