"""`shipmend repo add … --of … --paths …`."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Instance
from tests.gitworld import GitRepo

pytestmark = pytest.mark.database


@pytest.fixture
def mono(own: Instance, tmp_path_factory: pytest.TempPathFactory) -> GitRepo:
    """Two services in one repository, registered."""
    git = GitRepo(tmp_path_factory.mktemp("mono") / "mono.git")
    git.commit("Start", files={"services/a/x": "1", "services/b/x": "1"})
    git.commit("Only b", files={"services/b/x": "2"})
    own.does("repo", "add", "acme/web/mono", git.url)
    return git


def test_a_part_is_added_and_indexed_with_its_source(own: Instance, mono: GitRepo) -> None:
    said = own.does("repo", "add", "acme/web/a", "--of", "acme/web/mono", "--paths", "services/a/", "!**/*.md")
    assert "acme/web/a is part of acme/web/mono: commits that touch services/a/** !**/*.md count for it." in said
    assert own.does("repo", "index", "acme/web/a") == "acme/web/a: 1 commit, 1 of them new\n"
    mono.commit("Both", files={"services/a/x": "3", "services/b/x": "3"})
    assert own.does("repo", "index") == "acme/web/mono: 3 commits, 1 of them new\n"
    assert own.does("repo", "index", "acme/web/a") == "acme/web/a: 2 commits, 0 of them new\n"
    own.does("repo", "add", "acme/web/a", "--paths", "services/b/**", "--of", "acme/web/mono")
    assert own.does("repo", "index", "acme/web/a") == "acme/web/a: 3 commits, 1 of them new\n"
    assert "acme/web/a is registered, from " in own.does("repo", "add", "acme/web/a")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["acme/web/a", "--of", "acme/web/mono"], "--paths is missing"),
        (["acme/web/a", "--paths", "a"], "--of is missing"),
        (["acme/web/a", "--of", "acme/web/mono", "--paths", "/srv"], 'paths "/srv" hold an absolute path'),
        (["acme/web/a", "--of", "acme/web/mono", "--paths", "../a"], "dots alone"),
        (["acme/web/a", "--of", "acme/web/gone", "--paths", "a"], "acme/web/gone"),
        (["acme/web/a", "--of", "other/web/mono", "--paths", "a"], "other/web/mono"),
        (["acme/web/a", "--of", "acme/web", "--paths", "a"], "does not name a repo"),
        (["acme/web/mono", "--of", "acme/web/mono", "--paths", "a"], "the repo itself"),
        (["acme/web/a", "https://git.invalid/x.git", "--of", "acme/web/mono", "--paths", "a"], "contradict each other"),
        (["acme/web", "--of", "acme/web/mono", "--paths", "a"], "does not name a repo"),
    ],
)
def test_what_can_not_be_a_part_is_refused_in_a_sentence(
    own: Instance, mono: GitRepo, words: list[str], says: str
) -> None:
    assert says in own.run("repo", "add", *words).refusal
    assert own.does("repo", "index").startswith("acme/web/mono: 2 commits"), "nothing else is there"
    assert mono.head == "main"
