"""Rules on filed rows: what reading finds, what the grid says, and duplicates."""

from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Upper

from moc.rules import WARNING, condition, reading, rule
from registry.ders import rules as der_rules
from registry.ders.models import Der, DerTenure
from registry.participants.services import ODD_EMAIL

READING = {
    "number": reading(
        "FILE-NUMBER",
        "This is not a number that the field can hold.",
        remedy="Give digits with a decimal point, no unit and no thousands separator.",
    ),
    "date": reading("FILE-DATE", "This is not a date.", remedy="Give an existing date as YYYY-MM-DD."),
    "choice": reading("FILE-CHOICE", "This is not one of the field's codes.", remedy="Use a code of the data dictionary."),
    "boolean": reading("FILE-BOOLEAN", "This is neither true nor false.", remedy="Give true or false."),
    "json": reading("FILE-JSON", "This is not valid JSON.", remedy="Give a JSON object or list, or leave the cell empty."),
    "length": reading("FILE-LENGTH", "The text is longer than the field.", remedy="Shorten it to the length in the data dictionary."),
}
SHAPE = {
    "too_many_cells": reading(
        "FILE-TOO-MANY-CELLS",
        "The row has more cells than the header.",
        remedy="Quote cells that contain the delimiter, or remove the extra cells.",
    ),
    "too_few_cells": reading(
        "FILE-TOO-FEW-CELLS", "The row has fewer cells than the header.", remedy="Add the missing cells, empty where there is no value."
    ),
}

FILED = [
    condition(
        "FILING-UTILITY-MISSING",
        Q(utility_id_eia__isnull=True),
        "utility_id_eia is required.",
        remedy="Fill the EIA id of the utility that serves the service point.",
        columns=("utility_id_eia",),
        cites="FERC Order 2222 ¶292",
    ),
    condition(
        "FILING-UTILITY",
        Q(utility_id_eia__isnull=False, edc__isnull=True),
        "No utility with this EIA id takes part in the registry.",
        remedy="Look the EIA id up on the utilities page.",
        columns=("utility_id_eia",),
    ),
    condition(
        "FILING-SERVICE-POINT-MISSING",
        Q(usage_point_id=""),
        "usage_point_id is required.",
        remedy="Fill the utility's service point id; it is on the customer's bill.",
        columns=("usage_point_id",),
        cites="FERC Order 2222 ¶236",
    ),
    condition(
        "FILING-SERVICE-POINT",
        ~Q(usage_point_id="") & Q(edc__isnull=False, service_point__isnull=True),
        "The utility has no such service point.",
        remedy="Check the id and the utility with the customer's bill, or ask the utility to add the service point.",
        columns=("usage_point_id", "utility_id_eia"),
    ),
    condition(
        "FILING-ACCOUNT",
        Q(owner__account_index__isnull=True),
        "edc_account_no, the customer's account with the utility, is required.",
        remedy="Fill edc_account_no.",
        columns=("edc_account_no",),
        cites="FERC Order 2222 ¶236",
    ),
    condition(
        "FILING-EMAIL",
        Q(owner__flaws__gte=ODD_EMAIL),
        "owner_email is not an e-mail address.",
        remedy="Correct owner_email, or leave it empty.",
        columns=("owner_email",),
        severity=WARNING,
    ),
    condition(
        "FILING-PHASES",
        Q(phases_installed__gt=F("service_point__phases_available")),
        "More phases are installed than the service point has.",
        remedy="Correct phases_installed, or ask the utility to correct the service point.",
        columns=("phases_installed", "usage_point_id"),
    ),
    condition(
        "FILING-COUNTY",
        ~Q(county_fips="") & Q(service_point__county__isnull=False) & ~Q(service_point__county=F("county_fips")),
        "The county is not that of the service point.",
        remedy="Correct county_fips, or leave it empty: the service point knows it.",
        columns=("county_fips", "usage_point_id"),
        severity=WARNING,
    ),
]


def _earlier(rows, **same):
    """Another row of the same submission, filed above this one, with the same values."""
    return Exists(rows.model.objects.filter(submission_id=OuterRef("submission_id"), row_number__lt=OuterRef("row_number"), **same))


@rule("DUPLICATE-ID-IN-FILE", remedy="Keep one of the rows.", columns=("external_id",))
def id_repeated(rows):
    """An earlier row of this filing has the same external_id."""
    return rows.exclude(external_id="").filter(_earlier(rows, external_id=OuterRef("external_id")))


@rule("DUPLICATE-SERIAL-IN-FILE", remedy="Correct the serial number, or keep one of the rows.", columns=("serial_no", "manufacturer"))
def serial_repeated(rows):
    """An earlier row of this filing has the same manufacturer and serial number."""
    return rows.exclude(serial_no="").filter(_earlier(rows, serial_no=OuterRef("serial_no"), manufacturer=OuterRef("manufacturer")))


@rule(
    "DUPLICATE-SERIAL",
    remedy="Check the serial number. If it is right, ask the utility who registered the device.",
    columns=("serial_no", "manufacturer"),
)
def serial_registered(rows):
    """A device with this manufacturer and serial number is registered already under another id."""
    twins = Der.objects.annotate(serial=Upper("serial_no")).filter(
        ~Q(serial_no=""),
        ~Q(status=Der.Status.DECOMMISSIONED),
        serial=Upper(OuterRef("serial_no")),
        manufacturer__iexact=OuterRef("manufacturer"),
    )
    return rows.exclude(serial_no="").filter(
        Exists(twins.exclude(aggregator_id=OuterRef("aggregator_id"), external_id=OuterRef("external_id")))
    )


@rule(
    "DUPLICATE-AT-SERVICE-POINT", remedy="Make sure that this is a second device.", columns=("usage_point_id", "der_type"), severity=WARNING
)
def technology_registered_there(rows):
    """A DER of the same technology is registered already at this service point under another id."""
    twins = Der.objects.filter(
        ~Q(status=Der.Status.DECOMMISSIONED), service_point_id=OuterRef("service_point_id"), der_type=OuterRef("der_type")
    )
    return rows.filter(
        Exists(twins.exclude(aggregator_id=OuterRef("aggregator_id"), external_id=OuterRef("external_id"))), service_point__isnull=False
    )


@rule(
    "DUPLICATE-AT-SERVICE-POINT-IN-FILE",
    remedy="Make sure that this is a second device.",
    columns=("usage_point_id", "der_type"),
    severity=WARNING,
)
def technology_repeated_there(rows):
    """An earlier row of this filing has the same technology at the same service point."""
    return rows.filter(
        _earlier(rows, service_point_id=OuterRef("service_point_id"), der_type=OuterRef("der_type")), service_point__isnull=False
    )


@rule(
    "FILING-TENURE-ENDED",
    remedy="Take the row out. If the DER shall be yours again, ask its utility to begin a new tenure.",
    columns=("external_id",),
)
def tenure_over(rows):
    """This id names a DER whose tenure you held and which is no longer yours."""
    same = {"aggregator_id": OuterRef("aggregator_id"), "external_id": OuterRef("external_id")}
    ended = DerTenure.objects.filter(status=DerTenure.Status.ENDED, **same)
    return rows.exclude(external_id="").filter(Exists(ended), ~Exists(Der.objects.filter(**same)))


CONDITIONS = [*der_rules.RULES, *FILED]
OVER_ROWS = [
    id_repeated,
    serial_repeated,
    serial_registered,
    technology_registered_there,
    technology_repeated_there,
    tenure_over,
]
RULES = [*CONDITIONS, *OVER_ROWS]
