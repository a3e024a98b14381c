"""What the commits of each repository say."""

from __future__ import annotations

import random
from dataclasses import dataclass

from shipmend.demo.people import AMARA, INES, JONAS, LENA, MATEO, PRIYA, TOMASZ, YUKI, Person

FOLLOW_UPS = (
    "Cover it with tests",
    "Say what reviewers asked for",
    "Name things after what they do",
    "Handle the empty case",
    "Drop what is no longer called",
    "Log what was left out",
    "Make the migration reversible",
)


@dataclass(frozen=True, slots=True)
class Words:
    """A repository's people, files, and the parts that its subjects are made of."""

    project: str
    """Of its ticket keys."""
    people: tuple[Person, ...]
    files: tuple[str, ...]
    verbs: tuple[str, ...]
    things: tuple[str, ...]
    places: tuple[str, ...]

    def subject(self, rng: random.Random) -> str:
        """A change, in a line."""
        said = (rng.choice(self.verbs), rng.choice(self.things), rng.choice(self.places))
        return " ".join(word for word in said if word)


STOREFRONT = Words(
    "SHOP",
    (INES, JONAS, PRIYA, YUKI, MATEO),
    (
        *(f"src/pages/{name}.tsx" for name in ("start", "search", "product", "basket", "account", "recipes")),
        *(f"src/parts/{name}.tsx" for name in ("card", "price", "slots", "banner", "filters")),
        "src/api/client.ts",
        "styles/theme.css",
        "locales/de.json",
        "locales/en.json",
    ),
    ("Show", "Hide", "Sort", "Cache", "Preload", "Translate", "Simplify", "Restyle", "Shorten", "Lazy-load"),
    (
        *("the recipe cards", "product photos", "search suggestions", "delivery slots", "allergen notes"),
        *("the basket badge", "seasonal banners", "unit prices", "the cookie notice", "review stars"),
    ),
    ("on small screens", "for guests", "on the start page", "in the dark theme", "for members", "when offline", ""),
)
CHECKOUT = Words(
    "PAY",
    (AMARA, TOMASZ, LENA, PRIYA),
    (
        *(f"checkout/{name}.py" for name in ("basket", "vouchers", "totals", "taxes", "slots", "orders", "refunds")),
        *(f"checkout/providers/{name}.py" for name in ("cards", "wallets", "invoice")),
        "checkout/api.py",
        "migrations/versions.sql",
        "tests/test_totals.py",
        "tests/test_payments.py",
    ),
    ("Validate", "Retry", "Log", "Round", "Split", "Speed up", "Guard", "Remember", "Rework", "Unify"),
    (
        *("card payments", "vouchers", "the delivery fee", "gift cards", "refunds", "the order summary", "tax lines"),
        *("slot reservations", "the address form", "invoices"),
    ),
    ("for guests", "in other currencies", "after a time-out", "for large baskets", "behind a flag", "on mobile", ""),
)
INVENTORY = Words(
    "STOCK",
    (MATEO, YUKI, AMARA, TOMASZ),
    (
        *(f"internal/{name}/{name}.go" for name in ("stock", "feeds", "expiry", "picking", "reorder", "labels")),
        "cmd/inventory/main.go",
        "internal/store/schema.sql",
        "internal/stock/stock_test.go",
    ),
    ("Import", "Reserve", "Batch", "Cache", "Index", "Expire", "Recompute", "Count", "Stream", "Check"),
    (
        *("stock levels", "supplier feeds", "expiry dates", "warehouse moves", "pick lists", "shelf labels"),
        *("backorders", "pallet scans", "reorder points", "cold-chain alarms"),
    ),
    ("per warehouse", "every hour", "for fresh goods", "in bulk", "at night", "after a restart", ""),
)
