"""The application: read this first. What it is made of stands below as a list."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from graticule import __version__
from graticule.actions import reading, work
from graticule.actions.users import ensure_anonymous
from graticule.api import (
    attribute_ops,
    buffers,
    datasources,
    docs,
    errors,
    export,
    features,
    forms,
    geo_utils,
    health,
    jobs,
    keys,
    layers,
    maps,
    media,
    oauth2_clients,
    options,
    pages,
    permissions,
    render,
    roles,
    search,
    static,
    storage,
    tables,
    tiles,
    userapprovedapps,
    users,
)
from graticule.api.description.complete import complete
from graticule.api.middleware import ApiConventions
from graticule.backend import open_backend

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from graticule.settings import Settings

ROUTERS = (
    maps.router,
    layers.router,
    features.router,
    attribute_ops.router,
    buffers.router,
    media.router,
    export.router,
    tables.router,
    search.router,
    geo_utils.router,
    storage.router,
    datasources.router,
    forms.router,
    users.router,
    roles.router,
    keys.router,
    oauth2_clients.router,
    userapprovedapps.router,
    permissions.router,
    options.router,
    jobs.router,
    render.router,
    pages.embedding,
    tiles.router,
)

MIDDLEWARE = [
    Middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=[
            "API-Key", "API-sessid", "Content-Type", "Authorization", "X-GIS-CLOUD-APP", "API-Version", "If-Match",
            "If-None-Match", "Range", "Idempotency-Key", "api-username", "api-password",
        ],
        expose_headers=["Location", "Content-Disposition", "ETag", "Link", "Retry-After", "Content-Range"],
        max_age=86400,
    ),
    Middleware(ApiConventions),
]  # fmt: skip


class Application(FastAPI):
    """The framework's application, with a description that says what each call takes and answers."""

    def openapi(self) -> dict[str, Any]:
        if not self.openapi_schema:
            self.openapi_schema = complete(super().openapi())
        return self.openapi_schema


def create_app(settings: Settings) -> FastAPI:
    """The server's application on the data directory of the settings, which it opens when it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = settings.threads
        backend = app.state.backend = open_backend(settings)
        ensure_anonymous(backend)
        reading.sweep(backend)
        work.take_up(backend)
        yield
        backend.close()

    app = Application(
        title="Graticule",
        version=__version__,
        summary="A self-hosted cloud GIS",
        lifespan=lifespan,
        middleware=MIDDLEWARE,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    for router in ROUTERS:
        app.include_router(router, prefix="/1")
    for router in (pages.router, static.router, health.router, docs.router):
        app.include_router(router)
    errors.install(app, pages.page_of_error)
    return app
