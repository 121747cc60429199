"""What a running server, a command or a job holds open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from graticule.catalogue.database import Catalogue
from graticule.catalogue.databases import login_of
from graticule.catalogue.secrets import KeyBox, installation_secret
from graticule.catalogue.sqlite import Sqlite
from graticule.jobs.queue import JobQueue, open_queue
from graticule.postgres import checked_url
from graticule.storage.local import LocalFileStore
from graticule.stores.external import ExternalTables
from graticule.stores.geopackage import GeoPackageStore
from graticule.stores.routed import RoutedStore

if TYPE_CHECKING:
    from pathlib import Path

    from graticule.settings import Settings
    from graticule.storage.base import FileStore
    from graticule.stores.base import FeatureStore


@dataclass(frozen=True, slots=True)
class Backend:
    """The parts that actions work with. Made once a process; every part may be used from any thread."""

    settings: Settings
    catalogue: Catalogue
    store: FeatureStore
    external: ExternalTables
    files: FileStore
    keys: KeyBox
    queue: JobQueue

    @property
    def accounts(self) -> Path:
        """The directory that holds one directory for each account."""
        return self.settings.data / "accounts"

    def close(self) -> None:
        self.store.close()
        self.catalogue.close()


def open_backend(settings: Settings) -> Backend:
    """Open what stands in the data directory, or begin a new one there; bring an older one up to date.

    Catalogue and features are in the database that the settings name, if they do. Raises ``Unavailable`` when that
    cannot be reached.
    """
    accounts = settings.data / "accounts"
    # Passwords' hashes and everybody's files are nothing for other users of the machine.
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    accounts.mkdir(exist_ok=True)
    catalogue, own = _in_files(settings) if settings.database_url is None else _in_database(settings)
    keys = KeyBox(installation_secret(settings))
    private = settings.fetch_private_addresses
    external = ExternalTables(lambda datasource: login_of(catalogue, keys, datasource), private=private)
    return Backend(
        settings=settings,
        catalogue=catalogue,
        store=cast("FeatureStore", RoutedStore(own, external)),
        external=external,
        files=LocalFileStore(accounts, settings.storage_limit_bytes),
        keys=keys,
        queue=open_queue(settings),
    )


def _in_files(settings: Settings) -> tuple[Catalogue, FeatureStore]:
    catalogue = Catalogue(Sqlite(settings.data / "catalogue.sqlite"))
    catalogue.migrate()
    return catalogue, GeoPackageStore(settings.data / "accounts")


def _in_database(settings: Settings) -> tuple[Catalogue, FeatureStore]:
    # Loading the driver takes time that an installation without a database need not spend.
    from graticule.catalogue.postgres import Postgres
    from graticule.stores.postgis import PostgisStore

    assert settings.database_url is not None
    url = checked_url(settings.database_url.get_secret_value())
    replica = settings.database_read_url
    read_url = None if replica is None else checked_url(replica.get_secret_value())
    most = settings.database_pool_max
    catalogue = Catalogue(Postgres(url, read_url, pool_max=most))
    try:
        catalogue.migrate()
        return catalogue, PostgisStore(url, read_url, pool_min=settings.database_pool_min, pool_max=most)
    except BaseException:
        catalogue.close()
        raise
