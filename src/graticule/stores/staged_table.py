"""Taking over a table that was prepared in another GeoPackage, its R*Tree copied node by node."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from graticule.errors import NotFound, Unavailable
from graticule.model.features import Column, Table
from graticule.stores import gpkg_schema as schema
from graticule.stores.base import CREATED, GEOMETRY, KEY, MODIFIED, OWNER
from graticule.stores.gpkg_schema import quoted, rtree

OURS = {KEY, GEOMETRY, CREATED, MODIFIED, OWNER}
STAGED = "staged"
NOT_WHOLE = "What was read could not be stored whole: the server's disk may be full. Nothing was changed."


@dataclass(frozen=True, slots=True)
class Adopted:
    """What was taken over."""

    table: Table
    features: int


def describe(connection: sqlite3.Connection, name: str, database: str = "main") -> Table:
    """What the file says of a table. Raises ``NotFound``."""
    declared = connection.execute(f"PRAGMA {database}.table_info({quoted(name)})").fetchall()
    if not declared:
        raise NotFound(f"There is no table named {name}.", field="table", value=name)
    columns = tuple(
        Column(column, schema.COLUMN_TYPES.get(sql_type.split("(")[0].upper(), "text"), bool(not_null))
        for _, column, sql_type, not_null, _, _ in declared
        if column not in OURS
    )
    geometry = connection.execute(
        f"SELECT g.geometry_type_name, g.srs_id, g.z, g.m, s.organization, s.organization_coordsys_id, "
        f"{_definition(connection, database)} "
        f"FROM {database}.gpkg_geometry_columns g LEFT JOIN {database}.gpkg_spatial_ref_sys s USING (srs_id) "
        f"WHERE table_name = ?",
        (name,),
    ).fetchone()
    if geometry is None:
        return Table(name, columns)
    kind, srid, z, m, organization, code, definition = geometry
    crs = f"EPSG:{code}" if str(organization).upper() == "EPSG" else definition
    return Table(name, columns, kind, srid, crs, bool(z), bool(m))


def _definition(connection: sqlite3.Connection, database: str) -> str:
    """The column that defines projections: what WKT of 1999 has no words for stands in one of its own (annex F.10)."""
    columns = {name for _, name, *_ in connection.execute(f"PRAGMA {database}.table_info(gpkg_spatial_ref_sys)")}
    if "definition_12_063" not in columns:
        return "definition"
    return "CASE definition WHEN 'undefined' THEN definition_12_063 ELSE definition END"


def check_whole(connection: sqlite3.Connection, rows: int) -> None:
    """Raises ``Unavailable`` when the attached file ``staged`` is not one table of that many rows, all indexed."""
    try:
        found = _rows_and_geometries(connection)
    except sqlite3.DatabaseError as error:
        raise Unavailable(NOT_WHOLE, retry_after=60) from error
    if found != (rows, 0):
        raise Unavailable(NOT_WHOLE, retry_after=60)


def _rows_and_geometries(connection: sqlite3.Connection) -> tuple[int, int]:
    """How many rows the staged table has, and how many of their geometries are not in its index."""
    (name,) = connection.execute(f"SELECT table_name FROM {STAGED}.gpkg_contents").fetchone() or ("",)
    table = f"{STAGED}.{quoted(name)}"
    if not connection.execute(f"SELECT 1 FROM {STAGED}.gpkg_geometry_columns").fetchone():
        (rows,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        return rows, 0
    rows, shapes = connection.execute(f"SELECT count(*), count({GEOMETRY}) FROM {table}").fetchone()
    (indexed,) = connection.execute(f"SELECT count(*) FROM {STAGED}.{quoted(rtree(name) + '_rowid')}").fetchone()
    return rows, shapes - indexed


def copy(connection: sqlite3.Connection, name: str) -> Adopted:
    """Copy the only table of the attached file ``staged`` into the connection's own, under a name.

    Raises ``NotFound`` when the staged file holds no table.
    """
    row = connection.execute(f"SELECT table_name FROM {STAGED}.gpkg_contents LIMIT 1").fetchone()
    if row is None:
        raise NotFound("The prepared file holds no table.")
    (source,) = row
    found = describe(connection, source, STAGED)
    srid = None if found.geometry_type is None else _copy_srs(connection, found)
    table = Table(name, found.columns, found.geometry_type, srid, found.crs, found.has_z, found.has_m)
    connection.execute(schema.create_table(table))
    features = _copy_rows(connection, table, source)
    if table.geometry_type:
        _copy_index(connection, name, source)
    return Adopted(table, features)


def _copy_rows(connection: sqlite3.Connection, table: Table, source: str) -> int:
    geometry = [GEOMETRY] if table.geometry_type else []
    names = [KEY, *geometry, *(column.name for column in table.columns), CREATED, MODIFIED, OWNER]
    listed = ", ".join(quoted(name) for name in names)
    target = f"INSERT INTO main.{quoted(table.name)} ({listed})"
    cursor = connection.execute(f"{target} SELECT {listed} FROM {STAGED}.{quoted(source)} ORDER BY {KEY}")
    return cursor.rowcount


def _copy_index(connection: sqlite3.Connection, name: str, source: str) -> None:
    connection.execute(schema.create_rtree(name))
    for part in ("node", "parent", "rowid"):
        target = f"main.{quoted(f'{rtree(name)}_{part}')}"
        connection.execute(f"DELETE FROM {target}")
        connection.execute(f"INSERT INTO {target} SELECT * FROM {STAGED}.{quoted(f'{rtree(source)}_{part}')}")


def _copy_srs(connection: sqlite3.Connection, found: Table) -> int:
    row = connection.execute(
        f"SELECT srs_name, organization, organization_coordsys_id, {_definition(connection, STAGED)} "
        f"FROM {STAGED}.gpkg_spatial_ref_sys WHERE srs_id = ?",
        (found.srid,),
    ).fetchone()
    return enter_srs(connection, *row)


def enter_srs(connection: sqlite3.Connection, name: str, organization: str, code: int, definition: str) -> int:
    """The number of a projection in the file's register, where it is entered if it is new."""
    known = connection.execute(
        "SELECT srs_id FROM main.gpkg_spatial_ref_sys WHERE (upper(organization) = ? AND organization_coordsys_id = ? "
        "AND ? <> 'NONE') OR definition = ?",
        (organization.upper(), code, organization.upper(), definition),
    ).fetchone()
    if known:
        return int(known[0])
    (srid,) = connection.execute("SELECT max(99999, max(srs_id)) + 1 FROM main.gpkg_spatial_ref_sys").fetchone()
    if organization.upper() == "EPSG":
        srid = code
    connection.execute(
        "INSERT INTO main.gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, NULL)",
        (name, srid, organization, code, definition),
    )
    return int(srid)
