"""Every parameter of the API, once. The names, types and rules of the first two groups are the contract's."""

from __future__ import annotations

from enum import StrEnum

from shipmend.api.fields import (
    INTEGER_LIMIT,
    address_field,
    choice_field,
    flag_field,
    id_field,
    integer_field,
    key_field,
    keys_field,
    lines_field,
    moment_field,
    names_field,
    number_or_none_field,
    path_field,
    sha_field,
    text_field,
)
from shipmend.core import globs
from shipmend.core.change_texts import Form
from shipmend.core.changes import View
from shipmend.core.metrics import Dimension, Metric, RowKind, metric_named
from shipmend.core.periods import USUAL_DAYS
from shipmend.core.releases import Status
from shipmend.core.tickets import KEY_CHARACTERS
from shipmend.core.windows import Interval
from shipmend.delivery.models import PRODUCTION

RESOURCE_PATH = path_field(
    "resource_path",
    "Where this belongs: entity, entity/organization or entity/organization/repo, as in the address of its page.",
    required=True,
    example="your_entity/your_organization/your_repo",
)

LINES_PATH = path_field(
    "resource_path",
    "Where the lines belong that name no resource_path of their own.",
    example="your_entity/your_organization/your_repo",
)


class LineType(StrEnum):
    """What a line of a batch reports."""

    RELEASE = "release"
    DEFECT = "defect"


TYPE = choice_field(
    "type",
    "What the line reports. Left out: a defect if it has a defect_key, else a release.",
    LineType,
    example="release",
)

RELEASE_SHA = sha_field(
    "release_sha",
    "The commit that went live; it must be in the repo. Without a time, its authorship stamp is the release time.",
    example="541a8b28d08405aa961f9de1d7c8fcd5c3da3218",
)
HEAD_LONG = sha_field(
    "head_long",
    "Another name of release_sha, as Heroku's deploy hooks send it.",
    example="541a8b28d08405aa961f9de1d7c8fcd5c3da3218",
)
RELEASED_AT = moment_field(
    "released_at",
    "When it went live. Needed unless release_sha, head_long or release_now is given.",
    example="2021-05-25T16:20:00Z",
)
RELEASE_NOW = flag_field("release_now", "It goes live with this call.")
RELEASE_NAME = key_field("name", "What people call the release.", longest=250, example="v2.3 beta")
ENVIRONMENT = key_field(
    "environment",
    f'Where it went live; "{PRODUCTION}" unless said. Lower and upper case are the same.',
    longest=100,
    example=PRODUCTION,
)
STATUS = choice_field(
    "status", "How the deploy ended. Only one that succeeded changes what is live.", Status, example="succeeded"
)
ISSUE_KEYS = keys_field(
    "issue_keys_resolved",
    "Keys of the tickets that this release resolves, beside those found in commit messages.",
    longest=100,
    most=500,
    example=["BANANA-123"],
)

DEFECT_KEY = address_field(
    "defect_key",
    "Your own key for the defect: a ticket's, or one that your monitoring makes. One key is one defect of the entity.",
    longest=200,
    required=True,
    example="BANANA-123",
)
DETECTED_AT = moment_field(
    "detected_at",
    "When the defect began to be seen. Needed, or detected_now, for the first call about a defect.",
    example="2021-01-01T17:40:00-08:00",
)
DETECTED_NOW = flag_field(
    "detected_now", "It is detected with this call. Never moves an earlier detection.", example=True
)
DESCRIPTION = text_field(
    "description", "What broke, for the post-mortem.", longest=20_000, example="Site outage for 15 minutes"
)
FIX_RELEASED_AT = moment_field(
    "fix_released_at",
    "When a fix was released in the repo named by resource_path.",
    example="2021-01-02T08:35:00-05:00",
)
FIX_RELEASED_NOW = flag_field("fix_released_now", "A fix is released with this call.")
FIX_RELEASED_SHA = sha_field(
    "fix_released_sha",
    "The commit that fixes it. Without a time, its authorship stamp is the time of the fix.",
    example="2c823f9d52ef900f4228e9881d9c04846d6434db",
)
SEVERITY = integer_field(
    "severity",
    "Your own scale; stored and shown, never ranked.",
    least=-INTEGER_LIMIT,
    most=INTEGER_LIMIT - 1,
    example=2,
)
CAUSE_RELEASE = id_field(
    "release",
    "The id of the release that caused it. Beside accept: the release that you take for the guess; the call is refused"
    " if the guess is another one by now.",
    example="01939f3c-7a6e-7c1b-9d52-3f0e6a1b2c4d",
)
ACCEPT = flag_field("accept", "The guess is right.")
NONE = flag_field("none", "No release caused it.")
CLEAR = flag_field("clear", "Take back what was said before, so that the cause is guessed.")

DRY_RUN = flag_field("dry_run", "Answer in full, and store nothing.")
START_DATE = moment_field(
    "start_date", "The first day, or the first instant, to list.", may_lie_ahead=True, example="2021-01-01"
)
END_DATE = moment_field(
    "end_date",
    "The last day to list; with a time of day, the instant to stop before.",
    may_lie_ahead=True,
    example="2021-01-31",
)
PAGE = integer_field("page", "Which page of the list, counted from 1.", least=1, most=10**6, example=1)


class Layout(StrEnum):
    """How an answer is laid out."""

    JSON = "json"
    MARKDOWN = Form.MARKDOWN
    CSV = Form.CSV


VIEW = choice_field(
    "view",
    '"union": the commits that no earlier release has; "ancestor": those that the nearest earlier release among its'
    " ancestors does not have, for release notes.",
    View,
    example="union",
)
FORMAT = choice_field(
    "format",
    "The envelope as JSON with one page of commits; or Markdown or CSV with all of them, and no envelope.",
    Layout,
    example="json",
)
FROM = key_field(
    "from",
    "Where to begin: a sha, a tag, a branch or a release's id.",
    longest=250,
    required=True,
    example="v1.0",
)
TO = key_field("to", "Where to end, named in the same way.", longest=250, required=True, example="v1.1")

SEGMENTS = names_field(
    "segment_em",
    f"What to report on, with commas between: {', '.join(Metric)}. The first five, those of DORA, unless said; see"
    " segment_introspections for what each means.",
    metric_named,
    most=len(Metric),
    example="change_fail_rate,change_lead_time",
)
SEGMENT = key_field("segment_em", "The name of a segment.", longest=100, example=Metric.CHANGE_FAIL_RATE)
SEGMENT_BY = choice_field("segment_by", "What to split each segment by.", Dimension, example=Dimension.REPO)
FIRST_DAY = moment_field("start_date", "The first day, in the entity's zone.", may_lie_ahead=True, example="2021-01-01")
LAST_DAY = moment_field(
    "end_date", "The last day, in the entity's zone; today unless said.", may_lie_ahead=True, example="2021-01-31"
)
DAYS_AGO = integer_field(
    "days_ago",
    f"How many days, the last one included, in the place of start_date; {USUAL_DAYS} unless said.",
    least=-INTEGER_LIMIT,
    most=INTEGER_LIMIT - 1,
    example=90,
)
INTERVAL = choice_field(
    "interval_em",
    "How long each part of the series is; weeks begin on Monday. Unless said, it depends on the number of days.",
    Interval,
    example=Interval.WEEKLY,
)
REPORT_ENVIRONMENT = key_field(
    "environment", f'The environment to report on; "{PRODUCTION}" unless said.', longest=100, example=PRODUCTION
)
SUMMARY_STATS = flag_field(
    "generate_summary_stats", "Add `summary_stats`: each figure over the whole window, with all that it is made of."
)


class ResourceType(StrEnum):
    """What audits list."""

    COMMITS = RowKind.COMMITS
    RELEASES = RowKind.RELEASES
    DEFECTS = RowKind.DEFECTS
    TICKETS = "tickets"


class RowLayout(StrEnum):
    """How rows are laid out."""

    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


RESOURCE_TYPE = choice_field(
    "resource_type",
    "What to list. May be left out beside segment_em, which says it too.",
    ResourceType,
    example=ResourceType.RELEASES,
)
ROW_FORMAT = choice_field(
    "format",
    "The envelope as JSON with one page of rows; or all rows as JSON lines or as CSV, and no envelope.",
    RowLayout,
    example=RowLayout.JSON,
)
COMMITTER = key_field(
    "committer_user_name",
    "Of commits: only those of this author, by e-mail address or name.",
    longest=500,
    example="ada@example.org",
)
ROW_SEVERITY = number_or_none_field(
    "severity", "Of defects: only those of this severity; none for those without.", example=2
)

SHA = sha_field("sha", "A commit.", example="541a8b28d08405aa961f9de1d7c8fcd5c3da3218")
TICKET = key_field("ticket", "The key of a ticket.", longest=KEY_CHARACTERS, example="BANANA-123")
RELEASE = key_field("release", "A release, by its id or its name.", longest=250, example="v2.3 beta")
ONE_ENVIRONMENT = key_field("environment", "Only this environment.", longest=100, example=PRODUCTION)
WAITING_ENVIRONMENT = key_field(
    "environment",
    f'The environment to which it is not released; "{PRODUCTION}" unless said.',
    longest=100,
    example=PRODUCTION,
)
RESOLVED = flag_field("resolved", "true lists resolved defects only, false open ones only.")
OPEN = flag_field("open", "true lists open defects only, false resolved ones only.")
REPO_PATH = text_field(
    "repo_path",
    "The repository's git address (https or ssh). Left out: index the repo at resource_path again.",
    longest=2000,
    empty=False,
    example="https://git.example.org/team/repo.git",
)
SOURCE_PATH = path_field(
    "source_path",
    "The repo that this one is part of, given with paths in the place of repo_path.",
    example="your_entity/your_organization/your_monorepo",
)
PATHS = lines_field(
    "paths",
    "The paths of source_path that belong to this repo, as git's globs from its top; a leading ! takes some away. Only"
    " commits that touch them count for it.",
    longest=globs.LONGEST,
    most=globs.MOST,
    example=["services/checkout/**", "!**/*.md"],
)
