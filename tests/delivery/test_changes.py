"""What changed, in releases and between any two commits, with git as the judge."""

from __future__ import annotations

import itertools
import random
from itertools import pairwise
from uuid import UUID, uuid4

import pytest

from shipmend.catalog.queries import repo_by_id
from shipmend.core.changes import Amount, Changes, End, Lines, View
from shipmend.core.errors import Invalid, NotFound
from shipmend.core.moments import iso
from shipmend.core.releases import CommitState, ReleaseCommit
from shipmend.db.writes import write
from shipmend.delivery import changes as module
from shipmend.delivery.changes import EVERYTHING, Part, changes_between, changes_of_release
from shipmend.delivery.models import DefectFix
from shipmend.history import queries as history
from shipmend.jobs.models import Job
from tests.delivery.shop import DAY, Shop
from tests.gitworld import ADA, GRACE, GitRepo
from tests.questions import asked
from tests.world import FIRST_DAY, World

pytestmark = pytest.mark.database


NOBODYS = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
def line(git_repo: GitRepo) -> list[str]:
    """Six commits on main, each with a file of its own and a line more in `log`."""
    return [
        git_repo.commit(
            f"change {n}",
            at=FIRST_DAY + n * DAY,
            author=ADA if n % 3 else GRACE,
            files={f"src/f{n}": "x\n", "log": "y\n" * n},
        )
        for n in range(6)
    ]


@pytest.fixture
def shop(world: World, git_repo: GitRepo, line: list[str]) -> Shop:
    return Shop(world, git_repo)


def of(shop: Shop, release: UUID, view: View = View.UNION, part: Part = EVERYTHING) -> Changes:
    return changes_of_release(shop.tenant, shop.repo, release, view, part)


def between(shop: Shop, start: str, end: str) -> Changes:
    return changes_between(shop.tenant, shop.repo, start, end)


def shas(changes: Changes) -> set[str]:
    return {commit.sha for commit in changes.commits}


def rev_list(git: GitRepo, *args: str) -> set[str]:
    return set(git.git("rev-list", *args).split())


def parents_of(git: GitRepo, sha: str) -> set[str]:
    """The ancestors of a commit, itself not among them."""
    return rev_list(git, sha) - {sha}


def shortlog(git: GitRepo, *args: str) -> list[tuple[int, str]]:
    lines = git.git("shortlog", "--summary", "--numbered", "--email", *args).splitlines()
    return [(int(count), who) for count, _, who in (line.strip().partition("\t") for line in lines)]


def a_tangled_history(git: GitRepo, rng: random.Random) -> list[str]:
    """Thirty commits on three branches that are merged now and then."""
    made = [git.commit("root", files={"a": "0\n"})]
    for n in range(30):
        branch = rng.choice(["main", "hotfix", "next"])
        git.branch(branch, rng.choice(made[-6:]))
        author = rng.choice([ADA, GRACE])
        if rng.random() < 0.3:
            made.append(git.merge(rng.choice(made[-8:]), into=branch))
        else:
            made.append(git.commit(f"work {n}", branch=branch, author=author, files={f"f{n % 5}": f"{n}\n"}))
        git.tag(f"keep-{n}", made[-1])
    return made


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_both_views_of_every_release_are_what_git_lists(world: World, git_repo: GitRepo, seed: int) -> None:
    rng = random.Random(seed)
    made = a_tangled_history(git_repo, rng)
    commits = [rng.choice(made[n:]) for n in range(0, 28, 3)]
    shop = Shop(world, git_repo)
    releases = [(sha, shop.release(sha)) for sha in commits]
    for n, (sha, release) in enumerate(releases):
        earlier = [other for other, _ in releases[:n]]
        union = of(shop, release)
        assert shas(union) == rev_list(git_repo, sha, *(f"^{other}" for other in earlier))
        notes = of(shop, release, View.ANCESTOR)
        base = f"^{notes.before.sha}" if notes.before else sha
        assert shas(notes) == rev_list(git_repo, sha, base)
        ancestors = set(earlier) & rev_list(git_repo, sha)
        nearest = {one for one in ancestors if not any(one in parents_of(git_repo, other) for other in ancestors)}
        assert (notes.before.sha in nearest) if notes.before else not ancestors
        for changes in (union, notes):
            assert changes.commit_total == len(changes.commits)
            assert sum(author.commits for author in changes.authors) == changes.commit_total


def test_files_and_lines_are_those_of_git_once_they_are_counted(shop: Shop, line: list[str]) -> None:
    first, second = shop.release(line[1], name="v1"), shop.release(line[4], name="v2")
    shop.measure()
    changes = of(shop, second)
    assert changes.before is not None
    assert (changes.before.name, changes.before.sha, changes.before.release) == ("v1", line[1], first)
    counted = shop.git.git("diff", "--numstat", line[1], line[4]).splitlines()
    assert {f"{file.insertions}\t{file.deletions}\t{file.path}" for file in changes.files.files} == set(counted)
    total = changes.files.total
    assert total is not None
    assert (changes.files.lines, total.files, total.insertions, total.deletions) == (Lines.COUNTED, 4, 6, 0)
    assert [place.place for place in changes.files.places] == ["*", "src/"]


def test_until_lines_are_counted_the_files_are_there_and_the_count_is_asked_for(shop: Shop, line: list[str]) -> None:
    shop.release(line[1])
    changes = of(shop, shop.release(line[4]))
    assert changes.files.lines is Lines.PENDING
    assert changes.files.total is not None
    assert changes.files.total.files == 4
    assert {file.path for file in changes.files.files} == {"log", "src/f2", "src/f3", "src/f4"}
    assert Job.objects.filter(entity_id=shop.tenant.id, kind="measure", key=str(shop.row.id), done_at=None).exists()


def test_a_first_release_is_compared_with_nothing(shop: Shop, line: list[str]) -> None:
    release = shop.release(line[2])
    shop.measure()
    for view in View:
        changes = of(shop, release, view)
        assert (changes.before, changes.previous, changes.withdrawn) == (None, None, 0)
        assert shas(changes) == set(line[:3])
        assert changes.files.total is not None
        assert changes.files.total.files == 4
        assert {file.status for file in changes.files.files} == {"A"}


def test_people_are_those_of_git_shortlog(shop: Shop, line: list[str]) -> None:
    release = shop.release(line[5])
    authors = [(author.commits, f"{author.name} <{author.email}>") for author in of(shop, release).authors]
    assert authors == shortlog(shop.git, line[5])


def test_a_commit_is_told_with_subject_author_and_time(shop: Shop, line: list[str]) -> None:
    latest = of(shop, shop.release(line[5])).commits[0]
    assert (latest.sha, latest.subject, latest.author, latest.email) == (line[5], "change 5", *ADA)
    assert latest.authored_at == FIRST_DAY + 5 * DAY


@pytest.mark.parametrize("view", View)
def test_a_rollback_ships_nothing_and_withdraws_what_came_after(shop: Shop, line: list[str], view: View) -> None:
    shop.release(line[2])
    later = shop.release(line[5], name="v2")
    changes = of(shop, shop.release(line[2]), view)
    assert (changes.commits, changes.authors, changes.withdrawn) == ((), (), 3)
    assert changes.previous is not None
    assert (changes.previous.release, changes.previous.name) == (later, "v2")
    assert changes.before is not None
    assert changes.before.sha == line[2]


def test_a_late_release_changes_what_the_next_is_compared_with_and_it_is_counted_anew(
    shop: Shop, line: list[str]
) -> None:
    shop.release(line[0])
    last = shop.release(line[5])
    shop.measure()
    assert of(shop, last).files.lines is Lines.COUNTED
    shop.release(line[4], released_at=iso(FIRST_DAY + 101 * DAY + 60))
    late = of(shop, last, View.ANCESTOR)
    assert late.before is not None
    assert late.before.sha == line[4]
    assert late.files.lines is Lines.PENDING
    assert late.files.total is not None
    assert late.files.total.files == 2
    shop.measure()
    assert of(shop, last).files.total == Amount(2, 2, 0)


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_what_never_went_live_shipped_nothing_and_says_so(shop: Shop, line: list[str], status: str) -> None:
    changes = of(shop, shop.release(line[3], status=status))
    assert status in changes.reason
    assert changes.commits == ()
    assert changes.files.total is None


def test_what_can_not_be_looked_up_says_so(world: World) -> None:
    repo = repo_by_id(world.tenant, world.repo().id)
    assert repo is not None
    reply = world.api().post("releases", resource_path=repo.path, release_sha="ab" * 20, release_now="true")
    changes = changes_of_release(world.tenant, repo, UUID(reply.json["release"]["id"]))
    assert "no git remote" in changes.reason
    with pytest.raises(Invalid, match="names no commit"):
        changes_between(world.tenant, repo, "ab" * 20, "v1")


def test_a_release_is_only_found_in_its_own_repo(shop: Shop, stranger: World, line: list[str]) -> None:
    release = shop.release(line[3])
    other = Shop(stranger, shop.git)
    with pytest.raises(NotFound):
        of(other, release)
    with pytest.raises(Invalid):
        between(other, str(release), line[5])
    with pytest.raises(NotFound):
        of(shop, uuid4())
    shop.api.delete(f"releases/{release}")
    with pytest.raises(NotFound):
        of(shop, release)


# Defects


def test_a_defect_is_fixed_by_a_commit_among_the_changes_or_by_the_release_itself(shop: Shop, line: list[str]) -> None:
    first = shop.release(line[1])
    at = iso(FIRST_DAY + 500 * DAY)
    second = shop.release(line[4], released_at=at)
    shop.defect("BY-COMMIT", fix_released_sha=line[3], description="tills\ndown")
    shop.defect("BY-SHA", fix_released_sha=line[4])
    shop.defect("BY-TIME", fix_released_at=at)
    shop.defect("EARLIER", fix_released_sha=line[0])
    shop.defect("LATER", fix_released_sha=line[5])
    shop.defect("OPEN")
    shop.defect("GONE", fix_released_sha=line[3])
    shop.api.delete("critical_defects/GONE")
    fixed = of(shop, second).fixed
    assert [defect.key for defect in fixed] == ["BY-COMMIT", "BY-SHA", "BY-TIME"]
    assert (fixed[0].description, fixed[0].detected_at) == ("tills\ndown", FIRST_DAY)
    assert [defect.key for defect in of(shop, first).fixed] == ["EARLIER"]
    assert [defect.key for defect in between(shop, line[1], line[3]).fixed] == ["BY-COMMIT"]
    assert between(shop, line[3], line[1]).fixed == ()


@pytest.mark.parametrize("view", View)
def test_a_fix_is_told_of_by_the_release_that_carried_it_alone(shop: Shop, line: list[str], view: View) -> None:
    at = FIRST_DAY + 500 * DAY
    steps = [(1, "succeeded"), (4, "failed"), (4, "succeeded"), (4, "succeeded"), (1, "succeeded"), (4, "succeeded")]
    made = [
        shop.release(line[n], released_at=iso(at + day * DAY), status=status) for day, (n, status) in enumerate(steps)
    ]
    shop.defect("OF-ITS-COMMIT", fix_released_sha=line[4], fix_released_at=iso(at + 2 * DAY))
    shop.defect("OF-AN-EARLIER-COMMIT", fix_released_sha=line[1], fix_released_at=iso(at + 4 * DAY))
    shop.defect("OF-THE-FAILURE", fix_released_at=iso(at + DAY))
    told = [[defect.key for defect in of(shop, release, view).fixed] for release in made]
    assert told == [["OF-AN-EARLIER-COMMIT"], [], ["OF-ITS-COMMIT"], [], [], []]


def test_a_fix_on_a_branch_beside_the_release_is_not_its_own(shop: Shop, line: list[str], git_repo: GitRepo) -> None:
    beside = git_repo.commit("beside", branch="side")
    shop.world.index(shop.row)
    after = git_repo.commit("after", branch="main")
    shop.world.index(shop.row)
    numbers = [number_of(shop, sha) for sha in (line[5], beside, after)]
    assert numbers == sorted(numbers), "the commit lies between those of the release"
    shop.release(line[4])
    release = shop.release(after)
    shop.defect("BESIDE", fix_released_sha=beside)
    shop.defect("OWN", fix_released_sha=line[5])
    assert [defect.key for defect in of(shop, release).fixed] == ["OWN"]


def number_of(shop: Shop, sha: str) -> int:
    found = history.commit_by_sha(shop.tenant.id, shop.repo.number, sha)
    assert isinstance(found, ReleaseCommit)
    assert found.number is not None
    return found.number


def test_a_fix_that_turned_out_not_to_exist_fixes_nothing(shop: Shop, line: list[str]) -> None:
    at = iso(FIRST_DAY + 500 * DAY)
    release = shop.release(line[4], released_at=at)
    shop.defect("D", fix_released_at=at)
    assert of(shop, release).fixed
    fixes = DefectFix.objects.filter(entity_id=shop.tenant.id)
    write(lambda: fixes.update(commit_state=CommitState.REJECTED))
    assert of(shop, release).fixed == ()


def test_a_fix_in_another_repo_is_not_this_ones(shop: Shop, line: list[str]) -> None:
    at = iso(FIRST_DAY + 500 * DAY)
    release = shop.release(line[4], released_at=at)
    other = shop.world.repo("other")
    shop.defect("ELSEWHERE", resource_path=str(other.path), fix_released_at=at)
    assert of(shop, release).fixed == ()


def test_a_defect_fixed_twice_over_is_told_once(shop: Shop, line: list[str]) -> None:
    release = shop.release(line[4])
    shop.defect("D", fix_released_sha=line[3])
    shop.defect("D", fix_released_sha=line[2])
    assert [defect.key for defect in of(shop, release).fixed] == ["D"]


# Between any two


def test_two_commits_can_be_named_in_any_way(shop: Shop, line: list[str], git_repo: GitRepo) -> None:
    git_repo.tag("v1", line[1], annotated=True)
    git_repo.tag("abcdef1", line[2])
    git_repo.branch("feature/x", line[4])
    release = shop.release(line[1], name="first")
    shop.world.index(shop.row)
    for start in (line[1], line[1][:9], line[1].upper(), "v1", str(release), f" {release} "):
        for end in (line[4], "feature/x"):
            changes = between(shop, start, end)
            assert shas(changes) == set(line[2:5]), start
            assert changes.files.lines is Lines.COUNTED
            assert changes.files.total is not None
            assert changes.files.total.files == 4
    assert between(shop, str(release), "abcdef1").after.sha == line[2]
    named = between(shop, str(release), "feature/x")
    assert named.before is not None
    assert (named.before.title, named.after.title) == ("first", "feature/x")


def test_a_tag_is_meant_before_a_branch_and_both_before_an_abbreviation(
    shop: Shop, line: list[str], git_repo: GitRepo
) -> None:
    git_repo.tag("same", line[1])
    git_repo.branch("same", line[2])
    git_repo.tag(line[3][:9], line[4])
    git_repo.branch(line[4], line[0])
    shop.world.index(shop.row)
    assert between(shop, "same", line[3][:9]).before == End(line[1], "same")
    assert between(shop, "same", line[3][:9]).after == End(line[4], line[3][:9])
    assert between(shop, "same", line[4]).after == End(line[4])


def test_the_other_way_about_commits_are_withdrawn(shop: Shop, line: list[str]) -> None:
    changes = between(shop, line[4], line[1])
    assert (changes.commit_total, changes.withdrawn, changes.view) == (0, 3, None)
    assert changes.files.total is not None
    assert changes.files.total.deletions == 6


@pytest.mark.parametrize(
    "name", ["", "nothing", "HEAD", "main~1", "--output=x", "v\0", "01890000-0000-7000-8000-000000000000", "ab" * 20]
)
def test_what_names_no_commit_is_refused_by_the_parameter_that_names_it(shop: Shop, line: list[str], name: str) -> None:
    with pytest.raises(Invalid, match=r"^from") as refused:
        between(shop, name, line[0])
    assert refused.value.parameter == "from"
    with pytest.raises(Invalid, match=r"^to"):
        between(shop, line[0], name)


@pytest.mark.parametrize("seed", [1, 2])
def test_any_two_commits_of_a_tangled_history_differ_as_git_says(world: World, git_repo: GitRepo, seed: int) -> None:
    made = a_tangled_history(git_repo, random.Random(seed))
    shop = Shop(world, git_repo)
    for before, after in pairwise(random.Random(seed).sample(made, 8)):
        changes = between(shop, before, after)
        assert shas(changes) == rev_list(git_repo, after, f"^{before}")
        assert changes.withdrawn == len(rev_list(git_repo, before, f"^{after}"))
        files = git_repo.git("diff", "--name-only", before, after).splitlines()
        assert sorted(file.path for file in changes.files.files) == files


# Parts


def test_the_pages_together_are_all_commits_each_once_children_first(shop: Shop, line: list[str]) -> None:
    release = shop.release(line[5])
    listed = [of(shop, release, part=Part(skip, 2)) for skip in range(0, 8, 2)]
    assert [[commit.sha for commit in part.commits] for part in listed] == [
        line[:3:-1],
        line[3:1:-1],
        line[1::-1],
        [],
    ]
    assert {part.commit_total for part in listed} == {6}
    assert listed[1].commits_left_out == 4
    assert Part.page(3) == Part(2 * module.PAGE_SIZE, module.PAGE_SIZE)


def test_many_commits_cost_no_more_queries_than_few(world: World, git_repo: GitRepo, line: list[str]) -> None:
    for n in range(300):
        git_repo.commit(f"more {n}", branch="main" if n % 2 else "side", author=(f"P{n}", f"p{n}@x"))
    last = git_repo.merge("side")
    shop = Shop(world, git_repo)
    releases = [shop.release(sha) for sha in (line[0], line[1], last)]
    shop.defect("D", fix_released_sha=line[5])
    shop.measure()
    counts = set()
    for view, release in itertools.product(View, releases[1:]):
        with asked() as questions:
            of(shop, release, view)
        counts.add((view, questions.count))
    assert len(counts) == len(View), counts
