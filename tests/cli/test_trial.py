"""`shipmend try`: one command from a repository to a call that works when pasted, twice with the same result."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipmend.cli.trial_names import numbered, trial_path
from shipmend.core.values import ResourcePath
from shipmend.git.remotes import Remote, parse_remote
from tests.cli.conftest import Instance, said, status
from tests.gitworld import GitRepo

END = "The data stays in"


@dataclass(frozen=True)
class Trial:
    """What `shipmend try` printed."""

    text: str

    @property
    def calls(self) -> list[str]:
        """The calls to paste, each a command line."""
        return [found.rstrip() for found in re.findall(r"^curl(?:.*\\\n)*.*$", self.text, re.MULTILINE)]

    @property
    def token(self) -> str:
        """The token in them."""
        found = re.search(r"Bearer (\S+)\"", self.text)
        assert found
        return found[1]

    @property
    def address(self) -> str:
        """Where it runs."""
        found = re.search(r"running at (\S+)", self.text)
        assert found
        return found[1]

    def releases(self, path: str) -> list[dict[str, object]]:
        """The releases at a path, newest first."""
        call = (
            f'curl --fail "{self.address}/api/v1/releases?resource_path={path}" -H "Authorization: Bearer {self.token}"'
        )
        found: list[dict[str, object]] = paste(call)["releases"]
        return found


@contextmanager
def trial(own: Instance, git: GitRepo, *words: str) -> Iterator[Trial]:
    """A trial that runs until the block ends."""
    with own.process("try", *words, git.url) as process:
        yield Trial(said(process, END))


def paste(call: str) -> dict[str, Any]:
    """Run a call as a person does who pastes it into a shell, and read the answer."""
    done = subprocess.run(["bash", "-c", call], capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.database
def test_the_calls_printed_work_when_pasted(own: Instance, shop: GitRepo) -> None:
    with trial(own, shop) as found:
        check, release = found.calls
        assert paste(check)["action_em"] == "action_get_resource"
        answer = paste(release)
        assert answer["response_em"] == "response_success"
        assert "release_created" in str(answer["action_em"])
        assert status(re.findall(r"http\S+/login/\S+", found.text)[0]) == 200


@pytest.mark.database
def test_tags_become_releases_at_the_times_of_the_tags(own: Instance, shop: GitRepo) -> None:
    with trial(own, shop) as found:
        releases = found.releases("try/try/shop")
    # A light tag has the time of its commit, an annotated one its own.
    form = "--format=%(refname:short) %(creatordate:format:%Y-%m-%dT%H:%M:%SZ)"
    times = shop.git("for-each-ref", form, "refs/tags").splitlines()
    # Two tags are one release, named after the one that says more.
    assert [f"{row['name']} {row['released_at']}" for row in releases] == [times[2], times[1]]
    assert [row["release_sha"] for row in releases] == [
        shop.git("rev-parse", f"{name}^{{}}") for name in ("v1.1", "v1.0")
    ]


@pytest.mark.database
def test_a_second_trial_changes_nothing(own: Instance, shop: GitRepo) -> None:
    with trial(own, shop) as found:
        before, token = found.releases("try/try/shop"), found.token
    with trial(own, shop) as again:
        assert "0 of them new" in again.text
        assert again.releases("try/try/shop") == before
        assert again.token == token


def test_a_new_tag_is_taken_at_the_next_trial(own: Instance, shop: GitRepo) -> None:
    with trial(own, shop):
        pass
    shop.tag("v1.2")
    with trial(own, shop) as again:
        assert "1 of them new" in again.text


def test_a_repository_that_is_away_is_served_as_it_was(own: Instance, shop: GitRepo) -> None:
    with trial(own, shop):
        pass
    for part in ("HEAD", "objects"):
        (shop.path / part).rename(shop.path / f"{part}.away")
    with trial(own, shop) as again:
        assert len(again.releases("try/try/shop")) == 2


def test_two_repositories_of_one_name_are_kept_apart(own: Instance, shop: GitRepo, tmp_path: Path) -> None:
    other = GitRepo(tmp_path / "other" / "shop.git")
    other.commit("Another")
    with trial(own, shop):
        pass
    with trial(own, other) as found:
        assert "try/try/shop-2: 1 commit;" in found.text
    with trial(own, shop) as again:
        assert "try/try/shop: 3 commits" in again.text


def test_the_next_free_port_is_taken_unless_one_is_named(own: Instance, shop: GitRepo) -> None:
    with _listening_at_the_usual_port(), trial(own, shop) as found:
        assert found.address.startswith("http://127.0.0.1:80")
        assert not found.address.endswith(":8000")
        done = own.run("try", "--port", "8000", shop.url)
        assert done.code == 1
        assert "127.0.0.1:8000" in done.err.splitlines()[-1]


@contextmanager
def _listening_at_the_usual_port() -> Iterator[None]:
    try:
        taken = socket.create_server(("127.0.0.1", 8000))
    except OSError:
        yield  # another program has it, which serves as well
    else:
        with taken:
            yield


def test_a_repository_without_tags_or_commits_is_served(own: Instance, tmp_path: Path) -> None:
    with trial(own, GitRepo(tmp_path / "empty.git")) as found:
        assert "try/try/empty: 0 commits; 0 tags are 0 releases" in found.text


def test_what_is_no_repository_is_refused_in_a_sentence(own: Instance, tmp_path: Path) -> None:
    done = own.run("try", str(tmp_path))
    assert done.code == 1
    assert "There is no git repository at this address" in done.err.splitlines()[-1]
    assert "Traceback" not in done.err


def test_what_is_refused_for_good_is_not_kept(own: Instance, shop: GitRepo, tmp_path: Path) -> None:
    checkout = tmp_path / "alien"
    subprocess.run(["git", "init", "-q", "--object-format=sha256", checkout], check=True)
    somebody = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", checkout, *somebody, "commit", "-q", "--allow-empty", "-m", "One"], check=True)
    assert "SHA-256" in own.run("try", str(checkout)).err
    assert "no repo here yet" in own.does("repo", "index")
    # Nor is the name: a repository that can be used takes it.
    shop.path.rename(tmp_path / "alien.git")
    with trial(own, GitRepo(tmp_path / "alien.git")) as found:
        assert "try/try/alien: 3 commits" in found.text


def test_what_was_kept_before_stays_when_it_is_refused(own: Instance, shop: GitRepo) -> None:
    own.does("repo", "add", "try/try/shop", shop.url)
    shop.path.rename(shop.path.with_name("away.git"))
    shop.path.mkdir()
    assert own.run("try", str(shop.path)).code == 1
    assert "try/try/shop" in own.run("repo", "index").err


def test_a_folder_of_a_checkout_is_answered_with_the_checkout(own: Instance, tmp_path: Path) -> None:
    checkout = tmp_path / "my shop"
    subprocess.run(["git", "init", "-q", checkout], check=True)
    (checkout / "src" / "till").mkdir(parents=True)
    done = own.run("try", str(checkout / "src" / "till"))
    told = f"{checkout}/src/till lies in the git repository {checkout}: give that folder."
    assert (done.code, done.err.splitlines()[-1]) == (1, f"shipmend: {told}")


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("https://git.example.org/pallets/flask.git", "pallets/pallets/flask"),
        ("https://git.example.org/group/sub/flask", "sub/sub/flask"),
        ("git@git.example.org:pallets/flask.git", "pallets/pallets/flask"),
        ("ssh://git@git.example.org:2222/pallets/flask/", "pallets/pallets/flask"),
        ("https://git.example.org/flask", "try/try/flask"),
        ("/home/ada/my shop", "try/try/my-shop"),
        ("/home/ada/shop/.git", "try/try/shop"),
        ("/srv/git/.hidden.git", "try/try/hidden"),
        ("/", "try/try/try"),
    ],
)
def test_a_repository_is_named_after_its_address(address: str, path: str) -> None:
    assert str(trial_path(parse_remote(address, allow_local=True))) == path


@given(st.text(max_size=150).filter(lambda text: "\0" not in text), st.integers(2, 10**6))
def test_any_address_gives_a_path_that_can_be_read_back(text: str, number: int) -> None:
    for remote in (Remote("local", f"/{text}"), Remote("https", f"https://git.example.org/{text}")):
        path = trial_path(remote)
        assert ResourcePath.parse(str(path)) == path
        assert ResourcePath.parse(str(numbered(path, number))) == numbered(path, number) != path
