"""``make run``: make a data directory at first start, start the server, and say how to reach it."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

GRATICULE = [sys.executable, "-m", "graticule"]
LOGIN = "login.txt"
ADMINISTRATOR = "admin"
# A proxy that the environment names must not learn the key.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
VECTOR = ("point", "line", "polygon")


def main() -> int:
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("--data", type=Path, default=Path("data"))
    wanted.add_argument("--port", type=int, default=8000)
    chosen = wanted.parse_args()
    in_database = bool(os.environ.get("GRATICULE_DATABASE_URL"))
    if not (chosen.data / ("accounts" if in_database else "catalogue.sqlite")).exists():
        make_installation(chosen.data)
    return serve(chosen.data, chosen.port)


# ---------------------------------------------------------------- first start


def make_installation(data: Path) -> None:
    """A data directory with an administrator and the demonstration map: the whole of it, or nothing."""
    if data.exists() and not (data.is_dir() and not any(data.iterdir())):
        sys.exit(f"error: {data} is neither empty nor a data directory. Choose another one with DATA=")
    draft = data.resolve().with_name(data.resolve().name + ".new")
    shutil.rmtree(draft, ignore_errors=True)  # of a first start that was broken off
    draft.parent.mkdir(parents=True, exist_ok=True)
    make_private(draft)
    password = secrets.token_urlsafe(12)
    print(f"First start: making the data directory {data}.", flush=True)
    key = initialise(draft, password)
    write_login(draft / LOGIN, {"user": ADMINISTRATOR, "password": password, "key": key})
    draft.rename(data.resolve())


def make_private(folder: Path) -> None:
    """A new folder for the account alone that runs this: passwords, keys and everybody's files will be in it."""
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        # A link, or a folder of somebody else's: what is written there is not ours alone.
        sys.exit(f"error: cannot make {folder}: {error.strerror}. Remove it, or choose another place with DATA=")


def initialise(data: Path, password: str) -> str:
    """Make an administrator with that password; answers an API key."""
    command = [*GRATICULE, "init", "--data", str(data), "--admin", ADMINISTRATOR, "--demo"]
    # In the environment the password is not in the list of processes.
    done = subprocess.run(
        command, env=os.environ | {"GRATICULE_PASSWORD": password}, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        shutil.rmtree(data, ignore_errors=True)
        sys.exit(done.returncode)
    return done.stdout.split()[-1]


def write_login(path: Path, login: dict[str, str]) -> None:
    """Nobody but the owner of the file may read it."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:  # noqa: PTH123
        out.writelines(f"{name}: {value}\n" for name, value in login.items())


def read_login(path: Path) -> dict[str, str]:
    """Empty where the data directory was made in another way."""
    if not path.exists():
        return {}
    return dict(line.split(": ", 1) for line in path.read_text().splitlines() if ": " in line)


# ---------------------------------------------------------------- serving


def serve(data: Path, port: int) -> int:
    """Run the server until it is told to end; answers its exit code."""
    host = os.environ.get("GRATICULE_HOST", "127.0.0.1")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    # Another program on the port must not be told the key. The server will say that it cannot listen there.
    taken = answers(host, port)
    server = subprocess.Popen([*GRATICULE, "serve", "--data", str(data), "--port", str(port)])
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    # Ctrl-C reaches the server too, which ends by itself.
    signal.signal(signal.SIGINT, lambda *_: None)
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    if not taken and wait_for(url, server):
        introduce(url, data)
    code = server.wait()
    # Having been told to end and having ended is no failure.
    return 0 if -code in (signal.SIGTERM, signal.SIGINT) else code


def answers(host: str, port: int) -> bool:
    """Whether a program listens there."""
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True


def wait_for(url: str, server: subprocess.Popen[bytes]) -> bool:
    """Whether the server came to answer; False when it ended first."""
    while server.poll() is None:
        try:
            get(f"{url}/health")
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.03)
        else:
            return True
    return False


def get(url: str, key: str = "") -> Any:
    request = urllib.request.Request(url, headers={"API-Key": key} if key else {})
    with DIRECT.open(request, timeout=10) as answer:
        return json.load(answer)


# ---------------------------------------------------------------- what is printed


def introduce(url: str, data: Path) -> None:
    """The address, the login, the key and three commands to try."""
    login = read_login(data / LOGIN)
    lines = [f"Graticule is at  {url}/"]
    if login:
        lines += [f"Sign in as       {login['user']}", f"with password    {login['password']}"]
        lines += [f"API key          {login['key']}", f"(all kept in     {data / LOGIN})"]
    else:
        lines.append(f"For an API key:  {VENV_COMMAND} key add --data {data}")
    commands = [f"  {command}" for command in examples(url, login.get("key", ""))]
    print("\n".join(["", *lines, "", "Try these:", *commands, "", "Ctrl-C ends the server."]), flush=True)


VENV_COMMAND = str(Path(sys.executable).with_name("graticule"))


def examples(url: str, key: str) -> list[str]:
    """Three commands that work with what is there: a list, a question, a picture."""
    head = f"curl -H 'API-Key: {key}'" if key else "curl"
    listing = f"{head} {url}/1/maps.json"
    try:
        first = get(f"{url}/1/maps.json?perpage=1", key)["data"][0]["id"]
        layers = get(f"{url}/1/maps/{first}/layers.json", key)["data"]
    except (urllib.error.URLError, IndexError):
        make = f'{head} -d \'{{"name": "My first map"}}\' {url}/1/maps.json'
        return [listing, make, f"{head} {url}/1/storage/fs"] if key else [f"curl {url}/health", listing]
    picture = f"{head} -o map.png '{url}/1/maps/{first}/render.png?width=1024&height=768'"
    return [listing, question(head, url, layers) or f"{head} {url}/1/maps/{first}/layers.json", picture]


def question(head: str, url: str, layers: list[dict[str, Any]]) -> str | None:
    """A query of the demonstration map's countries, or of whatever there is with features."""
    with_features = [layer for layer in layers if layer["type"] in VECTOR]
    countries = [layer for layer in with_features if "POP_EST" in (layer["styles"] or "")]
    if countries:
        where = quote("POP_EST > 200000000")
        return f"{head} '{url}/1/layers/{countries[0]['id']}/features.json?where={where}&fields=NAME,POP_EST'"
    if with_features:
        return f"{head} '{url}/1/layers/{with_features[0]['id']}/features.json?perpage=3'"
    return None


if __name__ == "__main__":
    sys.exit(main())
