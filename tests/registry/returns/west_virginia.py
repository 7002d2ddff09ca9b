"""West Virginia in 2018 as Form EIA-861 published it (net metering, sheet "States"; U.S. EIA, public domain): a state to import afresh.

Utility, sector, technology, customers, MW. Storage stands beside photovoltaics.
"""

UTILITIES = {
    733: ("Appalachian Power Co", "PJM"),
    12796: ("Monongahela Power Co", "PJM"),
    15263: ("The Potomac Edison Company", "PJM"),
    20521: ("Wheeling Power Co", "PJM"),
}
NET_METERING = (
    (733, "residential", "virtual", 2, "0.010"),
    (733, "commercial", "virtual", 2, "0.019"),
    (12796, "residential", "virtual", 3, "0.034"),
    (12796, "commercial", "virtual", 3, "0.034"),
    (15263, "residential", "virtual", 4, "0.036"),
    (15263, "commercial", "virtual", 1, "0.005"),
    (20521, "commercial", "virtual", 1, "0.015"),
    (733, "residential", "photovoltaic", 135, "0.790"),
    (733, "commercial", "photovoltaic", 29, "0.391"),
    (733, "industrial", "photovoltaic", 2, "0.011"),
    (733, "residential", "storage", 11, "0.075"),
    (733, "residential", "wind", 6, "0.025"),
    (733, "commercial", "wind", 2, "0.010"),
    (12796, "residential", "photovoltaic", 213, "1.295"),
    (12796, "commercial", "photovoltaic", 36, "0.752"),
    (12796, "residential", "wind", 11, "0.034"),
    (12796, "commercial", "wind", 1, "0.001"),
    (15263, "residential", "photovoltaic", 362, "2.593"),
    (15263, "commercial", "photovoltaic", 32, "0.525"),
    (15263, "industrial", "photovoltaic", 1, "0.053"),
    (15263, "residential", "storage", 8, "0.096"),
    (15263, "residential", "wind", 7, "0.016"),
    (15263, "commercial", "wind", 2, "0.005"),
    (20521, "residential", "photovoltaic", 26, "0.256"),
    (20521, "commercial", "photovoltaic", 2, "0.023"),
    (20521, "residential", "storage", 1, "0.006"),
    (20521, "residential", "wind", 3, "0.015"),
)
# All technologies, as published
TOTALS = {
    733: (178, "1.256"),
    12796: (267, "2.150"),
    15263: (409, "3.233"),
    20521: (32, "0.309"),
}
