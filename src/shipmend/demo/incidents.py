"""What went wrong at the grocer, and how it was mended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mend(StrEnum):
    """What a repository did about an incident."""

    ROLLBACK = "rollback"
    """Released once more what was live before: no fix."""
    HOTFIX = "hotfix"
    """A commit on what is live, released at once and merged back."""
    TRUNK = "trunk"
    """A commit on the trunk, released with all else there."""
    REVERT = "revert"
    """The latest change undone on the trunk, and that released at once."""
    SHA_ALONE = "sha_alone"
    """A commit on the trunk, reported without a time."""
    EARLIER = "earlier"
    """A commit that was there before anyone noticed, reported without a time."""
    TIME_ALONE = "time_alone"
    """Something outside of the repository, reported without a commit."""


class Blame(StrEnum):
    """What somebody said of an incident's cause."""

    UNSAID = "unsaid"
    ACCEPTED = "accepted"
    """The guess is right."""
    LARGE = "large"
    """It was the last release by rhythm, not the patch that came after it."""
    NONE = "none"
    """No release caused it."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one repository did, so many hours after the detection."""

    repo: str
    mend: Mend
    after: float


@dataclass(frozen=True, slots=True)
class Incident:
    """A critical defect. `at` is week, weekday and hour (see calendar); `place` the path below the entity."""

    key: str
    place: str
    at: tuple[int, int, float]
    severity: int
    title: str
    steps: tuple[Step, ...] = ()
    notes: str = ""
    blame: Blame = Blame.UNSAID


def _fixed(repo: str, *steps: tuple[Mend, float]) -> tuple[Step, ...]:
    return tuple(Step(repo, mend, after) for mend, after in steps)


_STOREFRONT, _CHECKOUT, _INVENTORY = "shop/storefront", "shop/checkout", "supply/inventory"

INCIDENTS = (
    Incident(
        "INC-1",
        _STOREFRONT,
        (-43, 3, 13.0),
        2,
        "Search suggestions cover the basket button on phones",
        _fixed("storefront", (Mend.HOTFIX, 3)),
    ),
    Incident(
        "INC-2",
        _CHECKOUT,
        (-41, 1, 15.5),
        2,
        "Vouchers are taken off twice in the order summary",
        _fixed("checkout", (Mend.HOTFIX, 4)),
    ),
    Incident(
        "INC-3",
        _INVENTORY,
        (-39, 2, 17.0),
        3,
        "Shelf labels print yesterday's prices",
        _fixed("inventory", (Mend.TRUNK, 30)),
    ),
    Incident(
        "INC-4",
        _STOREFRONT,
        (-37, 0, 16.0),
        3,
        "Delivery slots show an hour too early",
        _fixed("storefront", (Mend.TIME_ALONE, 2.25)),
        notes="A setting of the content service, put right there.",
    ),
    Incident(
        "INC-5",
        _CHECKOUT,
        (-36, 3, 11.5),
        1,
        "Card payments time out after 30 seconds",
        _fixed("checkout", (Mend.ROLLBACK, 0.7), (Mend.HOTFIX, 25)),
        notes="Rolled back at once; the pool of connections was too small.",
    ),
    Incident(
        "INC-6",
        "shop",
        (-34, 1, 12.0),
        2,
        "Guests are signed out between basket and payment",
        (Step("storefront", Mend.HOTFIX, 5), Step("checkout", Mend.HOTFIX, 9)),
        notes="Both sides read the session's end in their own way; fixed in both.",
    ),
    Incident(
        "INC-7",
        _INVENTORY,
        (-32, 2, 18.0),
        2,
        "Stock of fresh goods counts below zero",
        _fixed("inventory", (Mend.HOTFIX, 6)),
    ),
    Incident(
        "INC-8",
        _STOREFRONT,
        (-31, 3, 14.0),
        4,
        "Recipe cards without a photo collapse",
        _fixed("storefront", (Mend.TRUNK, 20)),
    ),
    Incident(
        "INC-9",
        _CHECKOUT,
        (-29, 1, 16.0),
        3,
        "Tax lines are rounded up item by item",
        _fixed("checkout", (Mend.HOTFIX, 22)),
    ),
    Incident(
        "INC-10",
        _STOREFRONT,
        (-27, 0, 13.0),
        2,
        "The product page is blank in older browsers",
        _fixed("storefront", (Mend.ROLLBACK, 0.5), (Mend.HOTFIX, 20)),
    ),
    Incident(
        "INC-11",
        "",
        (-26, 4, 9.5),
        1,
        "Nobody can sign in",
        _fixed("storefront", (Mend.TIME_ALONE, 1.2)),
        notes="The identity provider's certificate had expired; nothing of ours was released.",
        blame=Blame.NONE,
    ),
    Incident(
        "INC-12",
        _INVENTORY,
        (-24, 2, 16.0),
        3,
        "Supplier feeds with Windows line ends are skipped",
        _fixed("inventory", (Mend.SHA_ALONE, 28)),
    ),
    Incident(
        "INC-13",
        _CHECKOUT,
        (-22, 3, 12.0),
        2,
        "Refunds stay pending",
        _fixed("checkout", (Mend.HOTFIX, 4), (Mend.HOTFIX, 50)),
        notes="The first fix mended refunds to cards alone.",
    ),
    Incident(
        "INC-14",
        _STOREFRONT,
        (-21, 1, 17.0),
        3,
        "Allergen notes are missing in English",
        _fixed("storefront", (Mend.TRUNK, 24)),
    ),
    Incident(
        "INC-15",
        _CHECKOUT,
        (-19, 3, 15.0),
        3,
        "Invoices carry the old address of the company",
        _fixed("checkout", (Mend.TIME_ALONE, 3.5)),
        notes="A template kept outside of the repository.",
        blame=Blame.NONE,
    ),
    Incident(
        "INC-16",
        _STOREFRONT,
        (-17, 1, 12.5),
        2,
        "The basket badge counts what was taken out",
        _fixed("storefront", (Mend.HOTFIX, 3)),
    ),
    Incident(
        "INC-17",
        _INVENTORY,
        (-16, 2, 16.0),
        1,
        "Reorders go out twice",
        _fixed("inventory", (Mend.HOTFIX, 5)),
    ),
    Incident(
        "INC-18",
        _CHECKOUT,
        (-14, 1, 11.5),
        2,
        "The delivery fee is missing for large baskets",
        _fixed("checkout", (Mend.HOTFIX, 7)),
    ),
    Incident("INC-19", _STOREFRONT, (-13, 0, 18.0), 4, "A banner hides the cookie notice on the smallest phones"),
    Incident(
        "INC-20",
        _INVENTORY,
        (-12, 2, 17.0),
        3,
        "Cold-chain alarms come a day late",
        _fixed("inventory", (Mend.EARLIER, 0)),
        notes="The repair had been merged in the morning already.",
    ),
    Incident(
        "INC-21",
        _STOREFRONT,
        (-11, 3, 13.0),
        2,
        "The start page takes nine seconds for members",
        _fixed("storefront", (Mend.REVERT, 1.5)),
    ),
    Incident(
        "INC-22",
        "shop",
        (-10, 1, 14.0),
        2,
        "Prices differ between basket and order",
        (Step("checkout", Mend.HOTFIX, 6), Step("storefront", Mend.TRUNK, 44)),
    ),
    Incident(
        "INC-23",
        _STOREFRONT,
        (-7, 3, 16.0),
        3,
        "Unit prices are cut off on small screens",
        _fixed("storefront", (Mend.TRUNK, 18)),
    ),
    Incident(
        "INC-24",
        _CHECKOUT,
        (-3, 2, 13.25),
        1,
        "Cards that ask for a second factor are declined",
        _fixed("checkout", (Mend.ROLLBACK, 0.9), (Mend.HOTFIX, 27)),
        notes=(
            "**What users see.** “Your bank has declined the payment”, for about a third of all cards.\n\n"
            "**Since when.** The release with the new payment provider, which had waited for two weeks and "
            "carried all that was merged meanwhile; it was rolled back within the hour.\n\n"
            "**Why.** The answer to the challenge went to the old provider."
        ),
        blame=Blame.ACCEPTED,
    ),
    Incident(
        "INC-25",
        _STOREFRONT,
        (-2, 0, 12.75),
        3,
        "Seasonal banners link to last year's recipes",
        _fixed("storefront", (Mend.HOTFIX, 4)),
    ),
    Incident(
        "INC-26",
        _CHECKOUT,
        (-1, 1, 14.5),
        1,
        "Some orders are charged twice",
        _fixed("checkout", (Mend.HOTFIX, 2.5), (Mend.HOTFIX, 26)),
        notes=(
            "**What users see.** Two bookings for one order, when the provider answers late.\n\n"
            "**Why.** The retry made a payment of its own. The first fix held for cards and not for wallets."
        ),
    ),
    Incident("INC-27", _INVENTORY, (-1, 2, 17.5), 3, "Pallet scans are lost when the scanner changes cells"),
    Incident("INC-28", _CHECKOUT, (-1, 3, 16.0), 2, "Gift cards show a balance of zero", blame=Blame.LARGE),
)
