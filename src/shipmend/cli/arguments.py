"""The whole command line on one screen: every command, its arguments, and the module that does it."""

from __future__ import annotations

import argparse
from pathlib import Path

from shipmend import __version__
from shipmend.core.values import ResourcePath, Role, Scope

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000
DEFAULT_TOKEN_DAYS = 365
DEMO_DATA = "demo-data"
"""Apart from ./data: a sample does not belong among what is real."""
DEMO_SEED = 1

Commands = argparse._SubParsersAction


def command_line() -> argparse.ArgumentParser:
    """The parser of `shipmend …`; it leaves `module` (in shipmend.cli) and `opens` beside what `run` takes."""
    parser = argparse.ArgumentParser(
        prog="shipmend", description="What shipped, what broke, what mended it.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"shipmend {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _serving(commands)
    _repos(commands)
    _files(commands)
    _questions(commands)
    _people(commands)
    _upkeep(commands)
    return parser


def _serving(commands: Commands[argparse.ArgumentParser]) -> None:
    serve = _command(commands, "serve", "run the web server and a worker in one process")
    _address(serve, port=DEFAULT_PORT)
    serve.add_argument("--no-worker", action="store_true", help="leave the jobs to `shipmend worker`")

    _command(commands, "worker", "run a worker alone, on this machine or any other that shares the database")

    trial = _command(commands, "try", "show Shipmend on a repository: mirror it, take its tags as releases, serve it")
    trial.set_defaults(module="trial")
    trial.add_argument("address", metavar="REPO", help="git URL or local path")
    _address(trial, port=None)

    demo = _command(
        commands, "demo", "show Shipmend on a sample: three repositories, and what happened in nearly a year"
    )
    demo.set_defaults(data=Path(DEMO_DATA))
    demo.add_argument(
        "--seed", type=int, default=DEMO_SEED, help="another number, another story (default: %(default)s)"
    )
    demo.add_argument("--no-serve", action="store_true", help="only make it")
    _address(demo, port=None)


def _repos(commands: Commands[argparse.ArgumentParser]) -> None:
    repo = _group(commands, "repo", "register and index repositories")

    add = _command(repo, "add", "register a repository, making the entity and organization that are missing")
    add.set_defaults(module="repo_add")
    add.add_argument("path", metavar="ENTITY/ORGANIZATION/REPO", type=ResourcePath.parse)
    add.add_argument(
        "address",
        metavar="GIT_URL",
        nargs="?",
        help="https or ssh address, or a path on this machine; without it only the name is registered",
    )
    add.add_argument(
        "--of",
        dest="source",
        metavar="PATH",
        type=ResourcePath.parse,
        help="the registered repo that this one is part of",
    )
    add.add_argument(
        "--paths",
        metavar="GLOB",
        nargs="+",
        help="with --of: its paths that belong here, as 'services/a/**' '!**/*.md'",
    )

    index = _command(repo, "index", "fetch and index now, in the foreground")
    index.set_defaults(module="repo_index")
    index.add_argument(
        "path", metavar="PATH", nargs="?", type=ResourcePath.parse, help="entity[/organization[/repo]]; all repos"
    )


def _files(commands: Commands[argparse.ArgumentParser]) -> None:
    imports = _command(commands, "import", "record the releases and critical defects that a file lists")
    imports.set_defaults(module="import_file")
    imports.formatter_class = argparse.RawDescriptionHelpFormatter
    imports.epilog = (
        "A line is a release's or a defect's, with the parameters of the API: a JSON object, or a row of CSV under a\n"
        "header that names them. One with a defect_key is a defect's. The same file again changes nothing.\n"
        "exit code: 0 all is recorded, 1 lines were refused, 2 usage"
    )
    imports.add_argument("file", metavar="FILE", type=Path, help="CSV with a header, or JSON lines")
    imports.add_argument(
        "--path", type=ResourcePath.parse, metavar="PATH", help="where lines belong that name no resource_path"
    )
    imports.add_argument("--preview", "--dry-run", action="store_true", help="say what would change, and store nothing")


def _questions(commands: Commands[argparse.ArgumentParser]) -> None:
    live = _command(commands, "live", "say whether a commit or a ticket is live")
    live.formatter_class = argparse.RawDescriptionHelpFormatter
    live.epilog = "exit code: 0 live, 1 not live (or refused), 2 usage, 3 not known"
    live.add_argument("what", metavar="SHA|TICKET", help="7 digits or more of a commit, a ticket's key, or a release")
    live.add_argument("--environment", help="where; the exit code is about production unless said")
    live.add_argument(
        "--path", type=ResourcePath.parse, metavar="PATH", help="entity[/organization[/repo]]; everywhere unless said"
    )


def _people(commands: Commands[argparse.ArgumentParser]) -> None:
    token = _group(commands, "token", "make API tokens")
    create = _command(token, "create", "make an API token and print it, alone, on standard output")
    create.set_defaults(module="token_create")
    create.add_argument("path", metavar="PATH", type=ResourcePath.parse, help="entity[/organization[/repo]]")
    create.add_argument("--name", default="made on the command line", help="what the token is for")
    create.add_argument(
        "--scope", action="extend", type=_scopes, metavar="SCOPE", help=f"{', '.join(Scope)}; all of them unless said"
    )
    create.add_argument(
        "--days", type=_days, default=DEFAULT_TOKEN_DAYS, help="days until it expires, or none (default: %(default)s)"
    )

    user = _group(commands, "user", "make users and say what they may do")
    new = _command(user, "create", "make a user")
    new.set_defaults(module="user_create")
    new.add_argument("email", metavar="EMAIL", nargs="?", help="asked for when it is left out")
    new.add_argument("--name", default="", help="shown in place of the mail address")
    new.add_argument(
        "--owner-of", metavar="ENTITY", action="append", default=[], help="make the user an owner; may be repeated"
    )
    secret = new.add_mutually_exclusive_group()
    secret.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    secret.add_argument("--link", action="store_true", help="no password: print a login link that works once")

    role = _command(user, "role", "make a user a member of an entity, or change what they may do there")
    role.set_defaults(module="user_role")
    role.add_argument("email", metavar="EMAIL")
    role.add_argument("entity", metavar="ENTITY")
    role.add_argument("role", metavar="ROLE", type=Role, choices=list(Role), help=", ".join(Role))

    link = _command(commands, "login-link", "print a link that signs a user in once, within a day")
    link.set_defaults(module="login_link")
    link.add_argument("email", metavar="EMAIL")


def _upkeep(commands: Commands[argparse.ArgumentParser]) -> None:
    _command(commands, "migrate", "bring the tables up to date; every command but doctor does so by itself")
    doctor = _command(commands, "doctor", "look for what is wrong, and say how to mend it")
    doctor.set_defaults(opens=False)

    backup = _command(commands, "backup", "copy the instance while it runs, and look the copy over")
    backup.set_defaults(opens=False)
    backup.add_argument("target", metavar="DEST", type=Path, help="a new folder")

    restore = _command(commands, "restore", "put a backup into a data folder, after comparing every byte of it")
    restore.set_defaults(opens=False)
    restore.add_argument("source", metavar="SRC", type=Path, help="a folder that `shipmend backup` made")
    restore.add_argument("--force", action="store_true", help="set aside what the data folder holds")


def _group(commands: Commands[argparse.ArgumentParser], name: str, about: str) -> Commands[argparse.ArgumentParser]:
    parser = commands.add_parser(name, help=about, description=_sentence(about), allow_abbrev=False)
    return parser.add_subparsers(title="commands", metavar="COMMAND", required=True)


def _command(commands: Commands[argparse.ArgumentParser], name: str, about: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=about, description=_sentence(about), allow_abbrev=False)
    parser.set_defaults(module=name, opens=True)
    where = DEMO_DATA if name == "demo" else "$SHIPMEND_DATA, or ./data"
    parser.add_argument("--data", type=Path, metavar="DIR", help=f"the instance's data folder (default: {where})")
    return parser


def _address(parser: argparse.ArgumentParser, *, port: int | None) -> None:
    parser.add_argument("--host", default=DEFAULT_HOST, help="address to listen on (default: %(default)s)")
    free = f"{DEFAULT_PORT}, or the next free one"
    parser.add_argument(
        "--port", type=int, default=port, help=f"port to listen on (default: {free if port is None else port})"
    )


def _sentence(about: str) -> str:
    return about[0].upper() + about[1:] + "."


def _days(text: str) -> int | None:
    if text == "none":
        return None
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days: give one, or none") from None


def _scopes(text: str) -> list[Scope]:
    try:
        return [Scope(word.strip()) for word in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no scope: give some of {', '.join(Scope)}") from None
