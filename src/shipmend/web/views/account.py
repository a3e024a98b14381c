"""Signing in and out, the first set-up, and a reader's own password."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme

from shipmend.accounts.models import LoginLink, User
from shipmend.accounts.people import change_password, entities_of, nobody_yet, open_login_link, set_up, use_login_link
from shipmend.core.errors import NotFound
from shipmend.db.writes import write
from shipmend.web.forms import PasswordForm, SetupForm, SignInForm, time_zones
from shipmend.web.throttle import FailureLimit
from shipmend.web.visits import ACT, FORM, PAGE, public, signed_in

BACKEND = "django.contrib.auth.backends.ModelBackend"

by_person = FailureLimit(allowed=10, seconds=15 * 60)
by_address = FailureLimit(allowed=50, seconds=15 * 60)
"""The second one stops whoever tries one password on everybody; nothing but time makes it forget."""


@public(*FORM)
def sign_in(request: HttpRequest) -> HttpResponse:
    """Mail address and password."""
    wanted = request.POST.get("next", request.GET.get("next", ""))
    form = SignInForm(request.POST or None)
    if form.is_valid():
        user = _checked(request, form)
        if user is not None:
            _begin_session(request, user)
            return redirect(_safe(request, wanted))
        form.add_error(None, "This mail address and this password don't belong together.")
    context = {"form": form, "next": wanted, "nobody_yet": nobody_yet()}
    return _private(render(request, "account/sign_in.html", context, status=400 if form.errors else 200))


@public(*ACT)
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    write(lambda: logout(request))
    return redirect("sign-in")


@public(*FORM)
def login_link(request: HttpRequest, secret: str) -> HttpResponse:
    """A link that signs one person in, once. Opening it shows a button, so that a preview of it uses nothing up."""
    link = open_login_link(secret)
    if link is None:
        raise NotFound("This login link was used already, or is older than a day: ask for a new one.")
    if link.user is None:
        return redirect("setup", secret)
    if request.method == "POST":
        return _enter(request, link, link.user)
    return _private(render(request, "account/login_link.html", {"person": link.user}))


@public(*PAGE)
def setup_where(request: HttpRequest) -> HttpResponse:
    """Where the first set-up is to be found."""
    return render(request, "account/setup_where.html", {"nobody_yet": nobody_yet()})


@public(*FORM)
def setup(request: HttpRequest, secret: str) -> HttpResponse:
    """The first user and the first entity, for whoever can read the server's output."""
    if open_login_link(secret) is None or not nobody_yet():
        raise NotFound("This set-up link can't be used: it is wrong or old, or this instance is set up already.")
    form = SetupForm(request.POST or None)
    if form.is_valid():
        with form.refusals():
            user = set_up(
                secret=secret,
                email=form.text("email"),
                password=form.cleaned_data["password"],
                entity=form.text("entity"),
                time_zone=form.text("time_zone"),
            )
            _begin_session(request, user)
            return redirect("settings-repos", form.text("entity"))
    context = {"form": form, "zones": time_zones()}
    return _private(render(request, "account/setup.html", context, status=400 if form.errors else 200))


@signed_in(*FORM)
def account(request: HttpRequest, user: User) -> HttpResponse:
    """Who the reader is, and their password."""
    form = PasswordForm(request.POST or None, has_password=user.has_usable_password())
    if form.is_valid() and _is_present_password(request, form, user):
        with form.refusals():
            change_password(user=user, password=form.cleaned_data["password"])
            write(lambda: update_session_auth_hash(request, user))
            messages.success(request, "Your password is changed. Other sessions of yours are ended.")
            return redirect("account")
    context = {"form": form, "entities": entities_of(user)}
    return render(request, "account/account.html", context, status=400 if form.errors else 200)


def _checked(request: HttpRequest, form: SignInForm) -> User | None:
    """The user with this password. Raises Throttled after too many wrong ones."""
    email = form.text("email").lower()
    _check_patience(request, email)
    user = authenticate(request, username=email, password=form.cleaned_data["password"])
    if not isinstance(user, User):
        _note_failure(request, email)
        return None
    by_person.forget(_key(request, email))
    return user


def _check_patience(request: HttpRequest, email: str) -> None:
    by_person.check(_key(request, email))
    by_address.check(_address(request))


def _note_failure(request: HttpRequest, email: str) -> None:
    by_person.note(_key(request, email))
    by_address.note(_address(request))


def _key(request: HttpRequest, email: str) -> str:
    return f"{email} {_address(request)}"


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def _begin_session(request: HttpRequest, user: User) -> None:
    # One write: the session under its new key and the note of when the user signed in.
    write(lambda: login(request, user, backend=BACKEND))


def _enter(request: HttpRequest, link: LoginLink, user: User) -> HttpResponse:
    if not use_login_link(link):
        raise NotFound("This login link was used a moment ago: ask for a new one.")
    _begin_session(request, user)
    if user.has_usable_password():
        return redirect("home")
    messages.info(request, "You are signed in. Choose a password, so that you can come back.")
    return redirect("account")


def _is_present_password(request: HttpRequest, form: PasswordForm, user: User) -> bool:
    """Raises Throttled: whoever found an open session may not find out the password with it."""
    if "present" not in form.fields:
        return True
    _check_patience(request, user.email)
    if user.check_password(form.cleaned_data["present"]):
        return True
    _note_failure(request, user.email)
    form.add_error("present", "This is not your present password.")
    return False


def _safe(request: HttpRequest, wanted: str) -> str:
    """The page to go on to: only one of this instance."""
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()})
    return wanted if is_ours and wanted.startswith("/") else "/"


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response
