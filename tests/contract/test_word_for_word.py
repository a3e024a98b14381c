"""The contract's own calls, word for word, with the real curl: only host, token and path are put in."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from typing import Any

import pytest

from tests.gitworld import GitRepo
from tests.world import World

pytestmark = pytest.mark.database

CHECK_TOKEN = 'curl https://www.gitclear.com/api/v1/api_tokens \\ -H "Authorization: Bearer {your_token}"'
POST_DEFECT = (
    'curl https://www.gitclear.com/api/v1/critical_defects \\ -H "Authorization: Bearer {your token}" \\'
    ' -d detected_at="Jan 1, 2021 at 5:40pm PST" \\ -d defect_key="JIRA-123" \\'
    ' -d description="Site outage for 15 minutes" \\ -d fix_released_at="Jan 2, 2021 8:35am EST" \\'
    ' -d resource_path="{your resource path}" \\ -d severity=2 \\ -X POST'
)
POST_RELEASE = (
    'curl https://www.gitclear.com/api/v1/releases \\ -H "Authorization: Bearer {your token}" \\'
    " -d name=\"v3.1 beta\" -d released_at='May 25, 2021 at 4:20pm'"
    " -d release_sha='541a8b28d08405aa961f9de1d7c8fcd5c3da3218' -d resource_path=\"{your repo path}\" \\ -X POST"
)


def curl(call: str, *, host: str, token: str, path: str = "", sha: str = "") -> tuple[int, dict[str, Any]]:
    """Run a call of the contract and read its answer."""
    call = call.replace("https://www.gitclear.com", host).replace("\\ ", "")
    call = re.sub(r"\{your[_ ]token\}", token, call)
    call = re.sub(r"\{your (?:resource|repo) path\}", path, call)
    call = call.replace("541a8b28d08405aa961f9de1d7c8fcd5c3da3218", sha or "541a8b28d08405aa961f9de1d7c8fcd5c3da3218")
    command = [*shlex.split(call), "--silent", "--show-error", "--max-time", "30", "--write-out", "\n%{http_code}"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    body, _, status = output.rpartition("\n")
    return int(status), json.loads(body)


def test_the_token_check_answers_exactly_as_the_contract_prints(live_server: str, world: World) -> None:
    status, answer = curl(CHECK_TOKEN, host=live_server, token=world.api().token)
    assert status == 200
    assert answer == {
        "action_em": "action_get_resource",
        "response_em": "response_success",
        "response_detail": "Your token is ready for use 👍",
    }


def test_a_token_that_is_none_is_refused(live_server: str) -> None:
    status, answer = curl(CHECK_TOKEN, host=live_server, token="nonsense")
    assert (status, answer["response_em"]) == (401, "response_unauthorized")


def test_the_defect_call_creates_and_resolves(live_server: str, world: World) -> None:
    path = str(world.repo().path)
    status, answer = curl(POST_DEFECT, host=live_server, token=world.api().token, path=path)
    assert status == 200
    assert answer["action_em"] == "action_defect_created"
    assert answer["response_em"] == "response_success"
    assert answer["response_detail"] == "Successfully ensured creation of defect release at Jan 1, 2021 5:40pm"
    assert answer["defect"] == {
        "defect_key": "JIRA-123",
        "resource_path": path,
        "detected_at": "2021-01-02T01:40:00Z",
        "description": "Site outage for 15 minutes",
        "severity": 2,
        "resolved_at": "2021-01-02T13:35:00Z",
        "fixes": [
            {"resource_path": path, "released_at": "2021-01-02T13:35:00Z", "release_sha": None, "commit_state": None}
        ],
    }
    again = curl(POST_DEFECT, host=live_server, token=world.api().token, path=path)[1]
    assert again["action_em"] == "action_defect_unchanged"
    assert again["defect"] == answer["defect"]


def test_the_release_call_records_a_release(live_server: str, world: World, git_repo: GitRepo) -> None:
    sha = git_repo.commit("ship it", at=1_621_000_000)
    path = str(world.repo(git=git_repo).path)
    status, answer = curl(POST_RELEASE, host=live_server, token=world.api().token, path=path, sha=sha)
    assert status == 200
    assert answer["action_em"] == "action_release_created"
    assert answer["response_em"] == "response_success"
    assert answer["response_detail"] == f"Release ensured to exist at May 25 at 4:20 pm in '{path}'"
    release = answer["release"]
    assert (release["name"], release["release_sha"], release["kind"]) == ("v3.1 beta", sha, "baseline")
    assert release["released_at"] == "2021-05-25T16:20:00Z"
    again = curl(POST_RELEASE, host=live_server, token=world.api().token, path=path, sha=sha)[1]
    assert again["action_em"] == "action_release_unchanged"
    assert again["release"] == release
