"""FERC Order 2222 by paragraph (DOE's Appendix A): what is asked, by which requirements it is met, and the live evidence."""

from django.db.models import Count, Max

from moc.reports.datasets import INTEGER, MOMENT, Head, Result, evidence_of

# paragraph, what it asks (paraphrase), requirements of the DOE tables that answer it
PARAGRAPHS = (
    ("130", "Aggregators are market participants and register under a participation model that fits", "R1–R7"),
    ("159", "A DER is not paid twice for the same service", "R1, R3–R7"),
    ("160", "DERs of retail programs may take part, and offer several services; restrictions are narrow", "R1–R7"),
    ("236", "Physical and operational characteristics, the list of DERs, and data on each", "R1–R7, M1, M7, M8, O2, N2–N7, N10, N11"),
    ("238", "The list of DERs is kept up to date", "R1–R5, M1, M11, N2"),
    ("240", "Settlement data in aggregate; performance data of each DER on request", "M6, M10–M12, N4–N7"),
    ("269", "Metering relies on data under the utility's or regulator's requirements where possible", "M7, M8, O1–O5, N5"),
    ("270", "Protocols for sharing metering data keep cost, privacy and security in mind", "M7, M8, O1–O5, N5"),
    ("278", "RTO, aggregator, utility and regulator coordinate", "R1–R7, M1–M12, N6, N7, N10–N13"),
    ("292", "A comprehensive, non-discriminatory and timely utility review of each DER", "R1–R7, M1–M4, N2"),
    ("296", "Criteria of the review: retail programs that bar, and significant risk to reliability", "R1–R7, N2, N8"),
    ("299", "Disputes about the review are resolved", "M9–M12"),
    ("310", "Ongoing coordination: changes of quantity, and the utility's override of dispatch", "M5–M9, M12, O1–O5, N8–N11"),
    ("322", "Regulators may take part", "R1–R7, M1, M3, M4, M10–M12, N3, N6, N7, N12"),
    ("336", "Changes of the list need no new registration of the whole; each triggers a review", "R1–R7, M1, M3, M4"),
    ("338", "Changed performance is stated anew", "R1–R7, M1, M3, M4"),
    ("352", "A participation agreement with an attestation of compliance", "M1–M12"),
)
CITES = "FERC Order 2222, 172 FERC ¶61,247; paragraphs and requirements as in DOE's 2024 paper, Appendix A"


def matrix(user, asked: dict) -> Result:
    """One row for each paragraph and piece of evidence: how many records show it, the last event, and where they are."""
    heads = [Head("Paragraph"), Head("What is asked"), Head("Requirements"), Head("Evidence"), Head("Records", INTEGER)]
    heads += [Head("Last event", MOMENT), Head("Standing"), Head("Page")]
    return Result(heads, [line for paragraph in PARAGRAPHS for line in _lines(user, *paragraph)], (CITES,))


def _lines(user, paragraph: str, asked: str, requirements: str) -> list[list]:
    head, lines = [f"¶{paragraph}", asked, requirements], []
    for each in evidence_of(paragraph, user):
        count, last = each.rows.order_by().aggregate(count=Count("pk", distinct=True), last=Max(each.at)).values()
        lines.append([*head, each.what, count, last, "shown" if count else "no records yet", each.url])
    return lines or [[*head, "This installation keeps no records of it", 0, None, "not shown", ""]]
