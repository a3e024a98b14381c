"""`shipmend import`: files of releases and defects, what they would change, and the same file again."""

from __future__ import annotations

import csv
import json
import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from shipmend.cli import import_file
from shipmend.core.errors import BadRequest, Unavailable
from tests.cli.conftest import Instance
from tests.gitworld import GitRepo
from tests.world import World

pytestmark = pytest.mark.database

SHOP = "acme/web/shop"
RELEASES: list[dict[str, object]] = [
    {"resource_path": SHOP, "release_sha": f"{n:040x}", "released_at": f"2021-02-{n:02} 10:00", "name": f"v{n}"}
    for n in range(1, 11)
]
DEFECTS: list[dict[str, object]] = [
    {"resource_path": SHOP, "defect_key": "B-1", "detected_at": "2021-03-01", "severity": 2},
    {"resource_path": SHOP, "defect_key": "B-1", "fix_released_at": "2021-03-02"},
    {
        "resource_path": "acme",
        "defect_key": "B-2",
        "detected_at": "2021-03-03",
        "description": "Two\nlines, and a comma",
    },
]


@pytest.fixture
def acme(own: Instance) -> Instance:
    """An instance with one repo, known by name."""
    own.does("repo", "add", SHOP)
    return own


def json_lines(folder: Path, rows: list[dict[str, object]]) -> str:
    file = folder / "rows.ndjson"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


def csv_rows(folder: Path, rows: list[dict[str, object]], **more: str) -> str:
    file = folder / "rows.csv"
    names = list(dict.fromkeys(name for row in rows for name in row))
    with file.open("w", newline="", encoding="utf-8-sig") as stream:
        writer = csv.DictWriter(stream, [*names, *more])
        writer.writeheader()
        writer.writerows({**row, **more} for row in rows)
    return str(file)


@pytest.mark.parametrize("written", [json_lines, csv_rows])
def test_a_file_is_recorded_once_however_often_it_is_imported(acme: Instance, tmp_path: Path, written: object) -> None:
    assert callable(written)
    file = written(tmp_path, RELEASES + DEFECTS)
    assert acme.does("import", file) == "releases: 10 created\ndefects: 2 created, 1 updated\n"
    assert acme.does("import", file) == "releases: 10 unchanged\ndefects: 3 unchanged\n"


@pytest.mark.parametrize("written", [json_lines, csv_rows])
def test_lines_may_come_through_a_pipe(acme: Instance, tmp_path: Path, written: Callable[..., str]) -> None:
    text = Path(written(tmp_path, RELEASES + DEFECTS)).read_text()
    told = "releases: 10 to create\ndefects: 2 to create, 1 to update\nNothing was stored.\n"
    assert acme.does("import", "/dev/stdin", "--preview", stdin=text) == told
    assert acme.does("import", "/dev/stdin", stdin=text) == "releases: 10 created\ndefects: 2 created, 1 updated\n"


def test_both_forms_say_the_same(acme: Instance, tmp_path: Path) -> None:
    acme.does("import", json_lines(tmp_path, RELEASES + DEFECTS))
    assert (
        acme.does("import", csv_rows(tmp_path, RELEASES + DEFECTS)) == "releases: 10 unchanged\ndefects: 3 unchanged\n"
    )


def test_a_preview_says_what_would_change_and_stores_nothing(acme: Instance, tmp_path: Path) -> None:
    acme.does("import", json_lines(tmp_path, [*RELEASES[:3], DEFECTS[0]]))
    changed = [{**RELEASES[0], "name": "another"}, *RELEASES[1:], *DEFECTS]
    file = json_lines(tmp_path, changed)
    told = "releases: 7 to create, 2 unchanged, 1 to update\ndefects: 1 to create, 1 unchanged, 1 to update\n"
    for flag in ("--preview", "--dry-run", "--preview"):
        assert acme.does("import", file, flag) == f"{told}Nothing was stored.\n"
    assert acme.does("import", file) == told.replace("to create", "created").replace("to update", "updated")
    assert [each.name for each in acme.data.iterdir() if each.name.startswith("preview")] == []


def test_a_line_that_is_refused_is_told_by_its_number_and_keeps_no_other_out(acme: Instance, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(
        "resource_path,release_sha,released_at,name\n"
        f'{SHOP},{"a" * 40},2021-02-01,"two\nlines"\n'
        f"\n,,,\n"
        f"{SHOP},{'b' * 40},3/4/2021,\n"
        f"{SHOP},{'c' * 40},2021-02-03,v3,too,many\n"
        f"acme/web/nowhere,{'d' * 40},2021-02-03\n"
        f"{SHOP},{'e' * 40},2021-02-04\n"
    )
    done = acme.run("import", str(file))
    assert (done.code, done.out) == (1, "releases: 1 created, 3 refused\nlines: 1 refused\n")
    numbers = [line.partition(":")[0] for line in done.err.splitlines() if line.startswith("line ")]
    assert numbers == ["line 3", "line 6", "line 7", "line 8"]
    assert "two ways" in done.err or "3/4/2021" in done.err


@pytest.mark.parametrize("written", [json_lines, csv_rows])
def test_a_line_that_asks_not_to_be_stored_is_not(acme: Instance, tmp_path: Path, written: Callable[..., str]) -> None:
    file = written(tmp_path, [{**row, "dry_run": n > 5} for n, row in enumerate(RELEASES)])
    done = acme.run("import", file)
    assert (done.code, done.out) == (1, "releases: 6 created, 4 refused\n")
    assert "--preview" in done.err


def test_lines_without_a_path_belong_where_the_command_says(acme: Instance, tmp_path: Path) -> None:
    nameless = [{name: value for name, value in row.items() if name != "resource_path"} for row in RELEASES]
    assert acme.does("import", csv_rows(tmp_path, nameless), "--path", SHOP) == "releases: 10 created\n"
    assert acme.run("import", csv_rows(tmp_path, nameless)).out == "releases: 10 refused\n"


def test_several_entities_may_be_in_one_file_each_with_its_own_zone(acme: Instance, tmp_path: Path) -> None:
    acme.does("repo", "add", "other/web/shop")
    rows = [RELEASES[0], {**RELEASES[0], "resource_path": "other/web/shop"}]
    assert acme.does("import", json_lines(tmp_path, rows)) == "releases: 2 created\n"


def test_columns_that_are_no_parameters_are_named(acme: Instance, tmp_path: Path) -> None:
    done = acme.run("import", csv_rows(tmp_path, RELEASES, ticket_count="3"))
    assert (done.code, done.out) == (0, "releases: 10 created\n")
    assert "left out: ticket_count" in done.err


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"one,two\n1,2\n", "no header"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"[\n{}]", "one JSON list"),
        (b'name,status\n"' + b"x" * (1 << 21) + b'"\n', "not CSV"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_a_sentence(
    acme: Instance, tmp_path: Path, content: bytes, says: str
) -> None:
    file = tmp_path / "rows"
    file.write_bytes(content)
    assert says in acme.run("import", str(file)).refusal


@pytest.mark.parametrize(
    ("rows", "began", "says"),
    [
        (['acme,K-1,2024-01-01,"a 5 inch screen', "acme,K-2,2024-01-01,"], 3, "a quote is opened and never closed"),
        (['acme,K-1,2024-01-01,"a 5" screen"', "acme,K-2,2024-01-01,"], 3, "',' expected after '\"'"),
        (["", 'acme,K-1,2024-01-01,"two', 'lines"', 'acme,K-2,2024-01-01,"open', "acme,K-3,2024-01-01,"], 6, "closed"),
    ],
)
def test_a_quote_that_would_swallow_rows_is_refused_with_the_line_where_its_row_begins(
    acme: Instance, tmp_path: Path, rows: list[str], began: int, says: str
) -> None:
    file = tmp_path / "rows.csv"
    header = "resource_path,defect_key,detected_at,description"
    file.write_text("\n".join([header, "acme,K-0,2024-01-01,fine", *rows]) + "\n")
    refusal = acme.run("import", str(file)).refusal
    assert refusal.startswith(f"line {began} of the file ")
    assert "begins a row that is not CSV" in refusal
    assert says in refusal


def test_cells_are_quoted_in_the_usual_ways(acme: Instance, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    header = "resource_path,defect_key,detected_at,description"
    written = [
        'acme,K-0,2024-01-01,a 5" screen',
        '"acme","K-1","2024-01-01","a 5"" screen, or ""two\r\nlines"""',
        'acme,K-2,2024-01-01,""',
        '"acme",K-3,"2024-01-01"',
    ]
    for end in ("\n", "\r\n", "\r"):
        file.write_bytes(end.join([header, *written]).encode())
        assert acme.does("import", str(file), "--preview") == "defects: 4 to create\nNothing was stored.\n", repr(end)


@pytest.mark.parametrize(
    ("written", "bad", "says"),
    [
        (json_lines, b'{"name": "\xe9"}\n', "line 601 of the file {} is not UTF-8: save the file as UTF-8."),
        (csv_rows, b"acme/web/shop,\xe9\n", "line 602 of the file {} is not UTF-8: save the file as UTF-8."),
        (
            json_lines,
            b"x" * (5 << 20),
            "line 601 of the file {} begins a line or row of more than 4,194,304 characters",
        ),
        (csv_rows, b'"x","\n"' * (2 << 20), "line 602 of the file {} begins a row that is not CSV (',' expected"),
        (csv_rows, b'"x\n",' * (1 << 20), "line 602 of the file {} begins a line or row of more than 4,194,304"),
        (csv_rows, b'"' + b"x" * (2 << 20), "line 602 of the file {} begins a row that is not CSV (field larger"),
    ],
)
def test_of_a_file_that_can_not_be_read_to_its_end_nothing_is_stored(
    acme: Instance, tmp_path: Path, written: Callable[..., str], bad: bytes, says: str
) -> None:
    rows = [{**RELEASES[0], "released_at": 1_600_000_000 + n} for n in range(600)]
    file = written(tmp_path, rows)
    with Path(file).open("ab") as stream:
        stream.write(bad)
    refusal = acme.run("import", file).refusal
    assert refusal.startswith(says.format(f'"{file}"')[:80]), refusal
    assert refusal.endswith("Nothing was stored.")
    Path(file).write_bytes(Path(file).read_bytes().removesuffix(bad))
    assert acme.does("import", file, "--preview") == "releases: 600 to create\nNothing was stored.\n"


@pytest.mark.parametrize(("cause", "last"), [("the database", 5), ("the file", 10)])
def test_an_import_that_breaks_off_says_how_far_it_came(
    world: World,
    tmp_path: Path,
    cause: str,
    last: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Because the database can't be written any more, or because somebody has written into the file meanwhile."""
    path = str(world.repo().path)
    file = Path(json_lines(tmp_path, [{**row, "resource_path": path} for row in RELEASES]))
    monkeypatch.setattr(import_file, "LINES_AT_ONCE", 5)

    def spoil(_: float) -> None:
        if cause == "the file":
            with file.open("ab") as stream:
                stream.write(b"\xff\n")
        else:
            monkeypatch.setattr(import_file, "write", refuse)

    def refuse(_: object) -> None:
        raise Unavailable("It can't be written.")

    monkeypatch.setattr("time.sleep", spoil)
    with pytest.raises(BadRequest, match=f"Lines up to {last} are stored: the same command again goes on after them"):
        import_file.run(file=file, path=None, preview=False)
    assert capsys.readouterr().out == f"releases: {last} created\n"


@pytest.mark.parametrize("separator", [";", "\t", ","])
def test_cells_may_be_separated_as_spreadsheets_do(acme: Instance, tmp_path: Path, separator: str) -> None:
    file = tmp_path / "rows.csv"
    rows = [
        ["resource_path", "Defect_Key", "detected_at", "note", "description"],
        [SHOP, "K-1", "2024-01-01", "", "one, two"],
        [SHOP, "K-2", "2024-01-01", "", "one; two"],
    ]
    with file.open("w", newline="", encoding="utf-8-sig") as stream:
        csv.writer(stream, delimiter=separator).writerows(rows)
    done = acme.run("import", str(file))
    assert (done.code, done.out) == (0, "defects: 2 created\n")
    assert "left out: note\n" in done.err


def test_a_file_that_is_not_there_is_refused_and_an_empty_one_lists_nothing(acme: Instance, tmp_path: Path) -> None:
    assert "No such file" in acme.run("import", str(tmp_path / "nothing")).refusal
    assert acme.does("import", json_lines(tmp_path, [])) == "The file lists nothing.\n"


def test_an_unseen_commit_counts_as_pending_in_a_preview_and_is_not_fetched(
    own: Instance, shop: GitRepo, tmp_path: Path
) -> None:
    own.does("repo", "add", SHOP, str(shop.path))
    own.does("repo", "index", SHOP)
    sha = shop.commit("Pushed since")
    told = own.does("import", json_lines(tmp_path, [{"resource_path": SHOP, "release_sha": sha}]), "--preview")
    assert told == (
        "releases: 1 to create\n1 of them wait for a commit that has not been seen yet.\nNothing was stored.\n"
    )


def test_a_terminal_shows_how_far_it_is(acme: Instance, tmp_path: Path) -> None:
    rows = [{**RELEASES[0], "released_at": 1_600_000_000 + n} for n in range(3000)]
    ours, theirs = pty.openpty()
    command = acme.command("import", json_lines(tmp_path, rows))
    subprocess.run(command, env=acme.environ, stdout=subprocess.DEVNULL, stderr=theirs, check=True, timeout=60)
    os.close(theirs)
    shown = os.read(ours, 1 << 16).decode()
    assert "Importing: 500 of 3,000 (16 %)" in shown
