"""Zone abbreviations: those that mean one thing, and those that do not, with their readings."""

from __future__ import annotations


def _h(hours: float) -> int:
    return int(hours * 3600)


UTC_NAMES = frozenset({"Z", "UTC", "GMT", "UT"})

# RFC 5322 section 4.3 gives the eight US ones; the contract uses CST, PST and EST. The others have one
# meaning in the IANA data since 1970 and in common use. MSK is absent: it has had two, see `offsets`.
LITERAL = {
    "EST": _h(-5), "EDT": _h(-4), "CST": _h(-6), "CDT": _h(-5),
    "MST": _h(-7), "MDT": _h(-6), "PST": _h(-8), "PDT": _h(-7),
    "AKST": _h(-9), "AKDT": _h(-8), "HST": _h(-10), "NST": _h(-3.5), "NDT": _h(-2.5),
    "BRT": _h(-3), "ART": _h(-3),
    "WET": 0, "WEST": _h(1), "CET": _h(1), "CEST": _h(2), "EET": _h(2), "EEST": _h(3),
    "MET": _h(1), "MEST": _h(2), "MSD": _h(4), "TRT": _h(3),
    "WAT": _h(1), "CAT": _h(2), "EAT": _h(3), "SAST": _h(2), "IDT": _h(3), "PKT": _h(5), "NPT": _h(5.75),
    "ICT": _h(7), "WIB": _h(7), "WITA": _h(8), "WIT": _h(9), "SGT": _h(8), "HKT": _h(8), "PHT": _h(8),
    "JST": _h(9), "KST": _h(9), "CHST": _h(10), "AWST": _h(8), "ACST": _h(9.5), "ACDT": _h(10.5),
    "AEST": _h(10), "AEDT": _h(11), "NZST": _h(12), "NZDT": _h(13),
}  # fmt: skip

# Refused unless the entity's own zone decides.
AMBIGUOUS = {
    "IST": {"India": _h(5.5), "Israel": _h(2), "Ireland": _h(1)},
    "BST": {"British summer": _h(1), "Bangladesh": _h(6), "Bougainville": _h(11)},
    "AST": {"Atlantic": _h(-4), "Arabia": _h(3)},
    "ADT": {"Atlantic daylight": _h(-3), "Arabia daylight": _h(4)},
    "AMT": {"Amazon": _h(-4), "Armenia": _h(4)},
    "ECT": {"Ecuador": _h(-5), "Eastern Caribbean": _h(-4)},
    "GST": {"Gulf": _h(4), "South Georgia": _h(-2)},
    "SST": {"Samoa": _h(-11), "Singapore": _h(8)},
    "WST": {"Western Australia": _h(8), "West Samoa": _h(13)},
    "ET": {"Eastern standard": _h(-5), "Eastern daylight": _h(-4)},
    "CT": {"Central standard": _h(-6), "Central daylight": _h(-5)},
    "MT": {"Mountain standard": _h(-7), "Mountain daylight": _h(-6)},
    "PT": {"Pacific standard": _h(-8), "Pacific daylight": _h(-7)},
}

# Readings that an abbreviation of `LITERAL` has elsewhere: never used to read, only to see that `+0800 CST`
# agrees.
ELSEWHERE = {
    "CST": {_h(8), _h(-5)},
    "CDT": {_h(-4), _h(9)},
    "PST": {_h(8)},
    "PDT": {_h(9)},
    "EST": {_h(10)},
    "EDT": {_h(11)},
    "MST": {_h(8), _h(6.5)},
    "KST": {_h(8.5)},
}

# Rails prints these; they name a zone, summer time included.
LONG_NAMES = {
    "Eastern Time (US & Canada)": "America/New_York",
    "Central Time (US & Canada)": "America/Chicago",
    "Mountain Time (US & Canada)": "America/Denver",
    "Pacific Time (US & Canada)": "America/Los_Angeles",
    "Atlantic Time (Canada)": "America/Halifax",
    "Indiana (East)": "America/Indiana/Indianapolis",
}
