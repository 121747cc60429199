"""One frozen object with everything that can be set; each entry is also an environment variable GRATICULE_…."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

GIBIBYTE = 1024**3

BASEMAPS = {
    "osm": {
        "url": "https://tile.openstreetmap.org/{z}/{x}/{y}.png",
        "attribution": "© OpenStreetMap contributors",
    },
    "opentopomap": {
        "url": "https://tile.opentopomap.org/{z}/{x}/{y}.png",
        "attribution": "© OpenStreetMap contributors, SRTM; map style © OpenTopoMap (CC-BY-SA)",
    },
}


class Settings(BaseSettings):
    """Settings of one installation."""

    model_config = SettingsConfigDict(env_prefix="GRATICULE_", frozen=True, extra="ignore")

    data: Path = Field(Path("data"), description="The data directory: catalogue, feature data, users' files.")
    database_url: SecretStr | None = Field(
        None,
        description="A PostgreSQL database with PostGIS that keeps the catalogue and the features, as "
        "postgresql://user:password@host/name; files in the data directory keep them if unset.",
    )
    database_read_url: SecretStr | None = Field(
        None,
        description="A replica of that database, to read from; a synchronous one (docs/architecture.md says why).",
    )
    database_pool_min: int = Field(
        1,
        ge=0,
        le=1000,
        description="How many connections for features one process keeps open when it has no use for them.",
    )
    database_pool_max: int = Field(
        20,
        ge=2,
        le=1000,
        description="How many connections one process opens at most, for the catalogue and again for features.",
    )
    host: str = Field("127.0.0.1", description="The address to listen on; 0.0.0.0 for all.")
    port: int = Field(8000, ge=0, le=65535, description="The port to listen on.")
    workers: int = Field(1, ge=1, le=64, description="How many server processes to start.")
    job_workers: int = Field(
        1,
        ge=0,
        le=64,
        description="How many processes the server starts for jobs, as reading large files; with 0 they wait for "
        "`graticule worker`.",
    )
    redis_url: SecretStr | None = Field(
        None,
        description="The Redis by which jobs find their workers, as redis://localhost:6379/0; without one a file in "
        "the data directory does that.",
    )
    import_inline_bytes: int = Field(
        20 * 1024**2,
        ge=0,
        description="Up to which size, in bytes, a vector file is read in before the request that names it is "
        "answered; a larger one becomes a job.",
    )
    buffer_inline_features: int = Field(
        1000,
        ge=0,
        description="Of how many features a buffer is made before the request is answered; of more it becomes a job.",
    )
    threads: int = Field(16, ge=1, le=256, description="How many requests one process works on at the same time.")
    public_url: str | None = Field(
        None, description="The address at which browsers reach the server, where it differs from the listening one."
    )
    max_upload_bytes: int = Field(4 * GIBIBYTE, ge=1, description="The largest upload that is taken, in bytes.")
    max_body_bytes: int = Field(
        64 * 1024**2, ge=1024, description="The largest request body other than an upload, in bytes."
    )
    max_unpacked_bytes: int = Field(16 * GIBIBYTE, ge=1, description="The most bytes one zip may unpack to.")
    max_unpacked_files: int = Field(10_000, ge=1, description="The most files one zip may hold.")
    storage_limit_bytes: int | None = Field(
        None, ge=0, description="The most bytes that the files of one account may hold together; no limit if unset."
    )
    secret: SecretStr | None = Field(
        None,
        description="What API keys are encrypted with; made at first start and kept in the data directory if unset.",
    )
    session_days: int = Field(14, ge=1, le=3650, description="How many days a browser stays signed in.")
    basemaps: dict[str, dict[str, str]] = Field(
        BASEMAPS,
        description='Basemaps that a tile layer may name, as JSON: {"name": {"url": "https://…/{z}/{x}/{y}.png", '
        '"attribution": "…"}}.',
    )
    basemap_timeout: float = Field(
        4.0, gt=0, le=60, description="Seconds to wait for a basemap's tile when a picture is drawn."
    )
    fetch_private_addresses: bool = Field(
        False,
        description="Whether tiles, services and databases of others may be at addresses in private networks; then "
        "whoever may make a map can have the server ask machines there.",
    )
    service_timeout: float = Field(10.0, gt=0, le=300, description="Seconds to wait for an answer of a WMS or WFS.")
    wfs_refresh_seconds: int = Field(
        3600,
        ge=1,
        description="How many seconds old the copy of a WFS layer may get; then a request has it made anew.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="How much the server logs.")

    @field_validator("database_url", "database_read_url", mode="before")
    @classmethod
    def _none_of_empty(cls, value: object) -> object:
        return value or None
