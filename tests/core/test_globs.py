"""The globs of parts: what is taken as it is written, and what is refused in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipmend.core.errors import Invalid
from shipmend.core.globs import LONGEST, MOST, read_globs

characters = st.sampled_from("ab*?[]!\\/. é-:()^\n\t\0")


@pytest.mark.parametrize(
    "glob",
    [
        "services/a/**",
        "services/a",
        "**/*.py",
        "!docs/**",
        "a b/ü?[x-z].md",
        "[!a]/b",
        r"\!odd/\[x\]",
        ".github/**",
        "*",
    ],
)
def test_what_git_takes_as_a_glob_is_kept_as_it_is_written(glob: str) -> None:
    assert read_globs([glob]) == (glob,)


def test_lines_are_trimmed_and_those_that_are_empty_or_repeated_dropped() -> None:
    assert read_globs(["  a/** ", "", "!b", " ", "a/**", "\tc\r"]) == ("a/**", "!b", "c")


@pytest.mark.parametrize(("said", "meant"), [("services/a/", "services/a/**"), ("!*/docs/", "!*/docs/**")])
def test_a_slash_at_the_end_means_all_that_is_in_the_directory(said: str, meant: str) -> None:
    assert read_globs([said]) == (meant,)


@pytest.mark.parametrize(
    ("glob", "because"),
    [
        ("/services/a", "an absolute path"),
        ("!/services/a", "an absolute path"),
        ("../other/**", "one of dots alone"),
        ("a/../b", "one of dots alone"),
        ("./a", "one of dots alone"),
        (".", "one of dots alone"),
        ("a//b", "an empty part"),
        ("a//", "an empty part"),
        ("-a", "as an option does"),
        ("!--all", "as an option does"),
        (":(top)a", "git's magic words"),
        (":!a", "git's magic words"),
        ("!:(attr:x)", "git's magic words"),
        ("!", "an exception of nothing"),
        ("!!a", "an exception from an exception"),
        ("a\0b", "unprintable"),
        ("a\nb", "unprintable"),
        ("a\ud800", "unprintable"),
        ("services\\a\\**", "backslashes"),
        ("x" * (LONGEST + 1), "too long"),
    ],
)
def test_a_glob_that_could_not_mean_what_it_says_is_refused_in_words(glob: str, because: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_globs(["fine/**", glob])
    assert refused.value.parameter == "paths"
    assert because in refused.value.detail
    assert refused.value.detail.isprintable()


def test_as_many_globs_of_the_greatest_length_are_taken_as_the_limits_say() -> None:
    globs = [f"{n:03}{'x' * (LONGEST - 3)}" for n in range(MOST)]
    assert read_globs(globs) == tuple(globs)
    with pytest.raises(Invalid, match=f"hold {MOST + 1} globs"):
        read_globs([*globs, "one/more"])


@pytest.mark.parametrize("lines", [[], [""], ["  ", "\t"]])
def test_no_glob_at_all_is_refused(lines: list[str]) -> None:
    with pytest.raises(Invalid, match="name nothing"):
        read_globs(lines)


@given(st.lists(st.text(characters, max_size=8), max_size=6))
def test_what_was_taken_once_is_taken_again_as_it_is(lines: list[str]) -> None:
    try:
        globs = read_globs(lines)
    except Invalid:
        return
    assert read_globs(globs) == globs
    assert "\n".join(globs).splitlines() == list(globs)
