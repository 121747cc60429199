"""The tables that make a SQLite file a GeoPackage 1.3 (OGC 12-128r17), as SQL text.

Not 1.4, whose R*Tree has other triggers: GDAL before 3.7 only half knows it, and its validator refuses it.

``gpkg_ogr_contents`` is GDAL's own: the number of features of each table, kept by triggers, so that nobody counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graticule.stores.base import CREATED, GEOMETRY, KEY, MODIFIED, OWNER

if TYPE_CHECKING:
    from graticule.model.features import ColumnType, Table

APPLICATION_ID = 0x47504B47
USER_VERSION = 10300

WGS84_WKT = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],'
    'AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,'
    'AUTHORITY["EPSG","9122"]],AXIS["Latitude",NORTH],AXIS["Longitude",EAST],AUTHORITY["EPSG","4326"]]'
)
RTREE_DEFINITION = "http://www.geopackage.org/spec120/#extension_rtree"

NEW_FILE = f"""
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY,
  organization TEXT NOT NULL, organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
  description TEXT DEFAULT '', last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL,
  geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name), CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
CREATE TABLE gpkg_extensions (table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL,
  definition TEXT NOT NULL, scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
CREATE TABLE gpkg_ogr_contents (table_name TEXT NOT NULL PRIMARY KEY, feature_count INTEGER DEFAULT NULL);
INSERT INTO gpkg_spatial_ref_sys VALUES
  ('Undefined Cartesian SRS', -1, 'NONE', -1, 'undefined', 'undefined Cartesian coordinate reference system'),
  ('Undefined geographic SRS', 0, 'NONE', 0, 'undefined', 'undefined geographic coordinate reference system'),
  ('WGS 84 geodetic', 4326, 'EPSG', 4326, '{WGS84_WKT}',
   'longitude/latitude coordinates in decimal degrees on the WGS 84 spheroid');
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {USER_VERSION};
"""

SQL_TYPES: dict[ColumnType, str] = {
    "text": "TEXT",
    "integer": "INTEGER",
    "real": "REAL",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "datetime": "DATETIME",
}
# What other programs may have declared; anything else is text.
COLUMN_TYPES: dict[str, ColumnType] = {
    **{sql: name for name, sql in SQL_TYPES.items()},
    "INT": "integer",
    "MEDIUMINT": "integer",
    "SMALLINT": "integer",
    "TINYINT": "integer",
    "FLOAT": "real",
}


def quoted(name: str) -> str:
    """The name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """The value as an SQL text literal, where no parameter can stand: in a trigger."""
    return "'" + value.replace("'", "''") + "'"


def create_table(table: Table) -> str:
    """CREATE TABLE for the user's columns and ours."""
    parts = [f"{KEY} INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL"]
    if table.geometry_type:
        parts.append(f"{GEOMETRY} {table.geometry_type}")
    parts += [
        f"{quoted(column.name)} {SQL_TYPES[column.type]}{' NOT NULL' if column.not_null else ''}"
        for column in table.columns
    ]
    parts += [f"{name} INTEGER" for name in (CREATED, MODIFIED, OWNER)]
    return f"CREATE TABLE {quoted(table.name)} ({', '.join(parts)})"


def rtree(name: str) -> str:
    """The name of the table's R*Tree."""
    return f"rtree_{name}_{GEOMETRY}"


def create_rtree(name: str) -> str:
    """CREATE VIRTUAL TABLE for the table's R*Tree."""
    return f"CREATE VIRTUAL TABLE {quoted(rtree(name))} USING rtree(id, minx, maxx, miny, maxy)"


def create_triggers(table: Table) -> list[str]:
    """What keeps the number of features and, for a table with geometry, the R*Tree true (annex F.3)."""
    return _count_triggers(table.name) + (_rtree_triggers(table.name) if table.geometry_type else [])


def _count_triggers(name: str) -> list[str]:
    update = "UPDATE gpkg_ogr_contents SET feature_count = feature_count {} 1 WHERE lower(table_name) = lower({})"
    return [
        f"CREATE TRIGGER {quoted(f'trigger_{verb.lower()}_feature_count_{name}')} AFTER {verb} ON {quoted(name)} "
        f"BEGIN {update.format(sign, text(name))}; END"
        for verb, sign in (("INSERT", "+"), ("DELETE", "-"))
    ]


def _rtree_triggers(name: str) -> list[str]:
    index, table = quoted(rtree(name)), quoted(name)
    values = f"NEW.{KEY}, ST_MinX({{0}}), ST_MaxX({{0}}), ST_MinY({{0}}), ST_MaxY({{0}})".format(f"NEW.{GEOMETRY}")
    insert = f"INSERT OR REPLACE INTO {index} VALUES ({values})"
    remove = f"DELETE FROM {index} WHERE id = OLD.{KEY}"
    remove_both = f"DELETE FROM {index} WHERE id IN (OLD.{KEY}, NEW.{KEY})"
    has_new = f"(NEW.{GEOMETRY} NOTNULL AND NOT ST_IsEmpty(NEW.{GEOMETRY}))"
    no_new = f"(NEW.{GEOMETRY} ISNULL OR ST_IsEmpty(NEW.{GEOMETRY}))"
    same, moved = f"OLD.{KEY} = NEW.{KEY}", f"OLD.{KEY} != NEW.{KEY}"
    of_geometry = f"AFTER UPDATE OF {GEOMETRY} ON {table}"
    rows = (
        ("insert", f"AFTER INSERT ON {table}", has_new, insert),
        ("update1", of_geometry, f"{same} AND {has_new}", insert),
        ("update2", of_geometry, f"{same} AND {no_new}", remove),
        ("update3", f"AFTER UPDATE ON {table}", f"{moved} AND {has_new}", f"{remove}; {insert}"),
        ("update4", f"AFTER UPDATE ON {table}", f"{moved} AND {no_new}", remove_both),
        ("delete", f"AFTER DELETE ON {table}", f"OLD.{GEOMETRY} NOT NULL", remove),
    )
    return [
        f"CREATE TRIGGER {quoted(f'{rtree(name)}_{suffix}')} {event} WHEN {condition} BEGIN {action}; END"
        for suffix, event, condition, action in rows
    ]
