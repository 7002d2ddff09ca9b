"""The columns of files of grid records, by kind: what each is, and which record it names. Types are the models'."""

from dataclasses import dataclass
from functools import cached_property

from django.db import models

from moc.readers import Vocabulary
from registry.grid.models import County, Feeder, GridLoad, Pnode, ServicePoint, Substation, TdInterface, Transformer

Kind = GridLoad.Kind


@dataclass(frozen=True)
class GridColumn:
    """One column. `refers` is the model that it names by `by`, within the utility (or its transmission operator: `of`)."""

    name: str
    about: str
    required: bool = False
    aliases: tuple[str, ...] = ()
    example: str = ""
    refers: type[models.Model] | None = None
    by: str = "code"
    of: str = "edc"
    stored: bool = True

    @property
    def field(self) -> str:
        """The model's field that it fills."""
        return self.name.removesuffix("_fips") if self.refers else self.name


@dataclass(frozen=True)
class GridKind:
    """A kind of grid record that utilities load; `key` names a record within the utility."""

    model: type[models.Model]
    key: str
    columns: tuple[GridColumn, ...]

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """How the reader recognises the columns."""
        aliases = {alias: column.name for column in self.columns for alias in column.aliases}
        required = tuple(column.name for column in self.columns if column.required)
        return Vocabulary(names=tuple(column.name for column in self.columns), aliases=aliases, required=required)

    def field(self, column: GridColumn) -> models.Field:
        """The model's field of a column."""
        return self.model._meta.get_field(column.field)


def _code(what: str, example: str, *aliases: str) -> GridColumn:
    about = f"your code of the {what}; loading it again changes the record"
    return GridColumn("code", about, required=True, aliases=(f"{what} code", "id", *aliases), example=example)


NAME = GridColumn("name", "what people call it", required=True, example="Red Bank")
LATITUDE = GridColumn("latitude", "degrees north", aliases=("lat",), example="40.3471")
LONGITUDE = GridColumn("longitude", "degrees east", aliases=("lon", "lng"), example="-74.0643")
FEEDER = GridColumn("feeder", "the code of its feeder", aliases=("feeder code", "circuit"), example="F-1201", refers=Feeder)

KINDS: dict[str, GridKind] = {
    Kind.TD_INTERFACES: GridKind(
        TdInterface,
        "code",
        (
            _code("interface", "TD-1"),
            NAME,
            GridColumn(
                "pnode", "the pricing node of your transmission operator", required=True, example="JCPL", refers=Pnode, by="name", of="tso"
            ),
        ),
    ),
    Kind.SUBSTATIONS: GridKind(
        Substation,
        "code",
        (
            _code("substation", "S-12"),
            NAME,
            GridColumn("td_interface", "the code of its T-D interface", True, ("interface",), "TD-1", TdInterface),
            LATITUDE,
            LONGITUDE,
        ),
    ),
    Kind.FEEDERS: GridKind(
        Feeder,
        "code",
        (
            _code("feeder", "F-1201", "circuit"),
            GridColumn("substation", "the code of its substation", True, ("substation code",), "S-12", Substation),
            GridColumn("nominal_kv", "nominal voltage in kV", aliases=("kv", "voltage kv"), example="13.2"),
        ),
    ),
    Kind.TRANSFORMERS: GridKind(
        Transformer,
        "code",
        (
            _code("transformer", "T-88001"),
            GridColumn("feeder", "the code of its feeder", True, ("feeder code", "circuit"), "F-1201", Feeder),
            GridColumn("rated_kva", "rating in kVA", aliases=("kva", "rating"), example="50"),
        ),
    ),
    Kind.SERVICE_POINTS: GridKind(
        ServicePoint,
        "usage_point_id",
        (
            GridColumn(
                "usage_point_id",
                "your id of the service point, as on the customer's bill; loading it again changes the record",
                required=True,
                aliases=("service point", "usage point", "service point id", "id"),
                example="JCPL-0000042",
            ),
            GridColumn("transformer", "the code of its transformer", False, ("transformer code",), "T-88001", Transformer),
            FEEDER,
            GridColumn(
                "pnode",
                "its pricing node, checked against that of its feeder",
                example="JCPL",
                refers=Pnode,
                by="name",
                of="tso",
                stored=False,
            ),
            GridColumn(
                "county_fips", "FIPS code of the county", aliases=("county", "fips"), example="34025", refers=County, by="fips", of=""
            ),
            GridColumn("zip_code", "ZIP code", aliases=("zip", "postal code"), example="07701"),
            GridColumn("address", "street and place", aliases=("service address",), example="12 Elm Street, Red Bank"),
            GridColumn("phases_available", "one to three", aliases=("phases",), example="1"),
            GridColumn("nominal_voltage_v", "nominal voltage in V", aliases=("voltage",), example="240"),
            LATITUDE,
            LONGITUDE,
        ),
    ),
}
