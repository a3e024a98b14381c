"""`shipmend demo`: a sample instance with nearly a year of a grocer's releases and defects, ready to be looked at.

Run again it finds everything made, and serves.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from shipmend.audit.trail import COMMAND_LINE
from shipmend.catalog.actions import create_entity
from shipmend.catalog.queries import Tenant, find_tenant, tenant_of
from shipmend.cli.findings import command
from shipmend.cli.showing import show
from shipmend.core.errors import Invalid, NotFound
from shipmend.core.releases import DAY
from shipmend.core.values import ResourcePath
from shipmend.db.clock import epoch_now
from shipmend.demo.build import build
from shipmend.demo.plan import ENTITY, TIME_ZONE, Plan
from shipmend.settings import CONFIG


@dataclass(frozen=True, slots=True)
class _Begun:
    """What a sample instance was made of, kept in its data folder."""

    seed: int
    now: int
    is_whole: bool = False


def run(*, seed: int, no_serve: bool, host: str, port: int | None) -> int:
    """Make what is missing of the sample instance, and serve it until stopped, unless told not to."""
    tenant, begun = _found(seed) or _begin(seed)
    if not begun.is_whole:
        build(tenant, Plan.make(begun.seed, begun.now), _folder() / "repositories", say=print)
        _keep(replace(begun, is_whole=True))
    elif begun.now < epoch_now() - DAY:
        days = (epoch_now() - begun.now) // DAY
        print(f"The sample was made {days} days ago, and ends there: remove {CONFIG.data} for one that ends today.")
    if no_serve:
        print(f"The sample instance is in {CONFIG.data}: {command('serve', CONFIG)}")
        return 0
    checkout = ResourcePath(ENTITY, "shop", "checkout")
    show(tenant, host=host, port=port, page=ResourcePath(ENTITY), repo=checkout, made_by="make demo")
    return 0


def _found(seed: int) -> tuple[Tenant, _Begun] | None:
    """What an earlier run made, perhaps in part. Raises Invalid when that was of another seed."""
    tenant = _tenant()
    kept = _folder() / "begun.json"
    if tenant is None or not kept.exists():
        return None
    begun = _Begun(**json.loads(kept.read_text()))
    if begun.seed != seed:
        because = f"is not that of the sample in {CONFIG.data}, which is {begun.seed}"
        raise Invalid("--seed", because, value=str(seed), mend="leave it out, or give another folder with --data")
    return tenant, begun


def _begin(seed: int) -> tuple[Tenant, _Begun]:
    """Raises Invalid where the entity is there and no sample made it."""
    if _tenant() is not None:
        because = f"holds an entity {ENTITY!r} that no sample made"
        raise Invalid("--data", because, value=str(CONFIG.data), mend="give another folder")
    begun = _Begun(seed, epoch_now())
    _keep(begun)
    return tenant_of(create_entity(slug=ENTITY, name="Larder", time_zone=TIME_ZONE, actor=COMMAND_LINE)), begun


def _tenant() -> Tenant | None:
    try:
        return find_tenant(ENTITY)
    except NotFound:
        return None


def _keep(begun: _Begun) -> None:
    _folder().mkdir(mode=0o700, exist_ok=True)
    (_folder() / "begun.json").write_text(json.dumps(asdict(begun)))


def _folder() -> Path:
    return CONFIG.data / "demo"
