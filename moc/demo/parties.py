"""Who takes part in the demonstration state. Authorities and utilities are real; the aggregators and the operator are invented."""

from collections.abc import Iterator
from dataclasses import dataclass

from moc.demo import newjersey


@dataclass(frozen=True)
class Party:
    """An organisation: `kind` is aggregator, edc, tso, rerra or operator; `code` is a short unique name in capitals.

    `utility_id_eia` and `ownership` for utilities only; `balancing_authority_code` (as EIA writes it) for utilities and system operators.
    """

    code: str
    kind: str
    name: str
    legal_name: str
    invented: bool = False
    utility_id_eia: int | None = None
    ownership: str = ""
    balancing_authority_code: str = ""

    @property
    def slug(self) -> str:
        return self.code.lower()

    @property
    def email_domain(self) -> str:
        """An address space of its own that reaches nobody (RFC 2606)."""
        return f"{self.slug}.example.org"


OPERATOR = Party(
    "NJMOC",
    "operator",
    "Registry operator",
    "New Jersey DER Registry Operator (invented)",
    invented=True,
)

SYSTEM_OPERATORS = (
    Party(
        "PJM",
        "tso",
        "PJM",
        "PJM Interconnection, L.L.C.",
        balancing_authority_code="PJM",
    ),
    Party(
        "NYISO",
        "tso",
        "NYISO",
        "New York Independent System Operator, Inc.",
        balancing_authority_code="NYIS",
    ),
)

AUTHORITIES = (
    Party("NJBPU", "rerra", "NJ BPU", "New Jersey Board of Public Utilities"),
    Party(
        "BUTLERGOV",
        "rerra",
        "Butler Mayor and Council",
        "Borough of Butler, Mayor and Council",
    ),
    Party(
        "MADISONGOV",
        "rerra",
        "Madison Borough Council",
        "Borough of Madison, Mayor and Council",
    ),
    Party(
        "VINELANDGOV",
        "rerra",
        "Vineland City Council",
        "City of Vineland, City Council",
    ),
    Party(
        "SUSSEXCOOP",
        "rerra",
        "Sussex Rural board",
        "Sussex Rural Electric Cooperative, Board of Directors",
    ),
)

# EIA id: code, name, legal name, ownership, regulator.
_UTILITIES = {
    963: (
        "ACE",
        "Atlantic City Electric",
        "Atlantic City Electric Company",
        "investor_owned",
        "NJBPU",
    ),
    2650: (
        "BUTLER",
        "Butler Electric",
        "Borough of Butler Electric Department",
        "municipal",
        "BUTLERGOV",
    ),
    9726: (
        "JCPL",
        "Jersey Central Power & Light",
        "Jersey Central Power & Light Company",
        "investor_owned",
        "NJBPU",
    ),
    11476: (
        "MADISON",
        "Madison Electric",
        "Borough of Madison Electric Department",
        "municipal",
        "MADISONGOV",
    ),
    15477: (
        "PSEG",
        "Public Service Electric & Gas",
        "Public Service Electric and Gas Company",
        "investor_owned",
        "NJBPU",
    ),
    16213: (
        "RECO",
        "Rockland Electric",
        "Rockland Electric Company",
        "investor_owned",
        "NJBPU",
    ),
    19856: (
        "VINELAND",
        "Vineland Municipal Electric",
        "Vineland Municipal Electric Utility",
        "municipal",
        "VINELANDGOV",
    ),
    40299: (
        "SUSSEX",
        "Sussex Rural Electric",
        "Sussex Rural Electric Cooperative, Inc.",
        "cooperative",
        "SUSSEXCOOP",
    ),
}


def _utility(utility: newjersey.Utility) -> Party:
    code, name, legal_name, ownership, _ = _UTILITIES[utility.utility_id_eia]
    return Party(
        code,
        "edc",
        name,
        legal_name,
        utility_id_eia=utility.utility_id_eia,
        ownership=ownership,
        balancing_authority_code=utility.balancing_authority_code,
    )


UTILITIES = tuple(_utility(utility) for utility in newjersey.utilities())

AGGREGATORS = (
    Party(
        "KITTATINNY",
        "aggregator",
        "Kittatinny Flex",
        "Kittatinny Flex LLC (invented)",
        invented=True,
    ),
    Party(
        "BARNEGAT",
        "aggregator",
        "Barnegat Virtual Power",
        "Barnegat Virtual Power LLC (invented)",
        invented=True,
    ),
    Party(
        "CRANBERRY",
        "aggregator",
        "Cranberry Grid Services",
        "Cranberry Grid Services LLC (invented)",
        invented=True,
    ),
    Party(
        "PALISADE",
        "aggregator",
        "Palisade Aggregation",
        "Palisade Aggregation LLC (invented)",
        invented=True,
    ),
)

# Of a hundred customers in a row, how many each aggregator files: homes, and all others.
_SHARES = {True: (44, 33, 15, 8), False: (10, 15, 45, 30)}
_SPLIT = {home: tuple(party.code for party, share in zip(AGGREGATORS, shares) for _ in range(share)) for home, shares in _SHARES.items()}


def parties() -> tuple[Party, ...]:
    """Every organisation of the demonstration state."""
    return (OPERATOR, *SYSTEM_OPERATORS, *AUTHORITIES, *UTILITIES, *AGGREGATORS)


def oversight() -> Iterator[tuple[str, str]]:
    """(authority, utility) pairs by code: the regulator of each utility, and the operator of the balancing area it stands in."""
    operators = {party.balancing_authority_code: party.code for party in SYSTEM_OPERATORS}
    for utility in UTILITIES:
        yield _UTILITIES[utility.utility_id_eia][-1], utility.code
        yield operators[utility.balancing_authority_code], utility.code


def aggregator_of(number: int, customer_sector: str) -> str:
    """The code of the aggregator that files the customer with this number at its utility: a fixed split, whatever the seed."""
    return _SPLIT[customer_sector == "residential"][number * 37 % 100]
