"""`shipmend live`: what it prints, and the exit codes that scripts decide by."""

from __future__ import annotations

import pytest

from shipmend.core.moments import iso
from tests.cli.conftest import Instance
from tests.gitworld import GitRepo
from tests.world import FIRST_DAY

pytestmark = pytest.mark.database

SCRIPT = """
import sys
from shipmend.bootstrap import open_instance
open_instance()
from tests.world import Api
path, token, sha, when, environment, name = sys.argv[1:]
call = dict(resource_path=path, release_sha=sha, released_at=when, environment=environment, name=name)
assert Api(token).post("releases", call).status == 200
"""


def release(own: Instance, path: str, sha: str, day: int, environment: str = "production") -> None:
    import subprocess
    import sys

    from tests.cli.conftest import ROOT

    token = own.does("token", "create", path.partition("/")[0]).strip()
    words = (path, token, sha, iso(FIRST_DAY + day * 86400), environment, f"v{day}")
    environ = {**own.environ, "SHIPMEND_DATA": str(own.data), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    environ["DJANGO_SETTINGS_MODULE"] = "shipmend.settings"
    subprocess.run([sys.executable, "-c", SCRIPT, *words], check=True, env=environ)


def test_scripts_are_told_by_the_exit_code_and_people_in_words(own: Instance, git_repo: GitRepo) -> None:
    first = git_repo.commit("SHOP-1: begin", at=FIRST_DAY)
    second = git_repo.commit("SHOP-1: end", at=FIRST_DAY + 60)
    own.does("repo", "add", "acme/web/shop", git_repo.url)
    own.does("repo", "index")
    ask = ("live", second[:10])
    waits = own.run(*ask)
    assert (waits.code, waits.out) == (
        1,
        f"acme/web/shop  production  merged, not released since {iso(FIRST_DAY + 60)}\n",
    )
    release(own, "acme/web/shop", first, 1)
    release(own, "acme/web/shop", second, 2, "staging")
    one = own.run("live", first)
    assert (one.code, one.err) == (0, "")
    assert one.out.splitlines() == [
        f"acme/web/shop  production  live since {iso(FIRST_DAY + 86400)} in release v1",
        f"acme/web/shop  staging  live since {iso(FIRST_DAY + 2 * 86400)} in release v2",
    ]
    assert own.run("live", second).code == 1
    assert own.run("live", second, "--environment", "Staging").code == 0
    half = own.run("live", "shop-1", "--environment", "production")
    assert half.code == 1
    assert "partly live (1 of 2 commits)" in half.out
    release(own, "acme/web/shop", second, 3)
    assert own.run("live", "SHOP-1", "--path", "acme/web").code == 0
    assert own.run("live", "v3").code == 0


def test_what_is_not_known_has_a_code_of_its_own_and_so_has_a_misuse(own: Instance, git_repo: GitRepo) -> None:
    git_repo.commit("SHOP-1", at=FIRST_DAY)
    own.does("repo", "add", "acme/web/shop", git_repo.url)
    early = own.run("live", "SHOP-1")
    assert (early.code, early.out) == (3, "SHOP-1: not known\n")
    assert "Not indexed yet, so perhaps it is there: acme/web/shop." in early.err
    own.does("repo", "index")
    assert own.run("live", "NONE-1").code == own.run("live", "f" * 40).code == 3
    assert own.run("live", "SHOP-1").code == 1
    assert own.run("live").code == 2
    assert own.run("live", "SHOP-1", "--path", "nobody").refusal.startswith('resource_path "nobody" names nothing')


def test_every_repo_that_knows_it_must_have_it_live(own: Instance, git_repo: GitRepo) -> None:
    sha = git_repo.commit("SHOP-1", at=FIRST_DAY)
    for path in ("acme/web/shop", "other/web/fork"):
        own.does("repo", "add", path, git_repo.url)
    own.does("repo", "index")
    release(own, "acme/web/shop", sha, 1)
    assert own.run("live", sha).code == 1
    assert own.run("live", sha, "--path", "acme").code == 0
    release(own, "other/web/fork", sha, 1)
    assert own.run("live", sha).code == 0
