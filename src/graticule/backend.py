"""What a running server, a command or a job holds open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from graticule.catalogue.database import Catalogue
from graticule.catalogue.databases import login_of
from graticule.catalogue.secrets import KeyBox, installation_secret
from graticule.jobs.queue import JobQueue, open_queue
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
    """Open what stands in the data directory, or begin a new one there; bring an older one up to date."""
    accounts = settings.data / "accounts"
    accounts.mkdir(parents=True, exist_ok=True)
    catalogue = Catalogue(settings.data / "catalogue.sqlite")
    catalogue.migrate()
    keys = KeyBox(installation_secret(settings))
    private = settings.fetch_private_addresses
    external = ExternalTables(lambda datasource: login_of(catalogue, keys, datasource), private=private)
    return Backend(
        settings=settings,
        catalogue=catalogue,
        store=cast("FeatureStore", RoutedStore(GeoPackageStore(accounts), external)),
        external=external,
        files=LocalFileStore(accounts, settings.storage_limit_bytes),
        keys=keys,
        queue=open_queue(settings),
    )
