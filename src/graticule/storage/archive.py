"""Zip files from strangers, unpacked without trusting a word of what they say about themselves.

Format: PKWARE APPNOTE 6.3.10.
"""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from graticule.errors import BadRequest
from graticule.storage.disk import disk_errors
from graticule.storage.encodings import guess_encoding
from graticule.storage.paths import clean_path, used_as_both

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CHUNK = 64 * 1024
_ENCRYPTED, _STRONGLY_ENCRYPTED, _UTF8 = 0x1, 0x40, 0x800
_UNICODE_PATH = 0x7075
# Others unpack without a bound on memory, and hardly anybody uses them.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_JUNK_DIRECTORY = "__MACOSX"
_JUNK_FILES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
# How many characters of what an archive says of itself are repeated in a message.
_SHOWN = 300
_DRIVE = re.compile(r"[A-Za-z]:")
# So small a member is no bomb, however well it is packed: empty attribute tables pack very well.
_RATIO_FREE_BYTES = 16 * 1024 * 1024
# What an archive's list of members may take: its longest entries are far longer, but not all are.
_LIST_BYTES, _LIST_BYTES_PER_MEMBER = 1024 * 1024, 320


@dataclass(frozen=True, slots=True)
class ZipLimits:
    """How much one archive may unpack to: bytes and members in all, and how many times its packed size a member."""

    total_bytes: int
    members: int
    ratio: int = 200


def unpack(archive: Path | BinaryIO, target: Path, limits: ZipLimits, name: str | None = None) -> list[str]:
    """Unpack a zip into the directory ``target``; answers the files' paths in it, in the archive's order.

    ``name`` is what people call the archive, for messages. Directories without files are not kept, nor what desktop
    systems add. Raises ``BadRequest`` with the archive's name, and the member's where one is at fault, and
    ``Unavailable`` when the disk is full; what was unpacked till then is for the caller to remove.
    """
    label = name or (archive.name if isinstance(archive, Path) else "archive.zip")
    if isinstance(archive, Path):
        with archive.open("rb") as file:
            return unpack(file, target, limits, label)
    with _damage(label), zipfile.ZipFile(_Bounded(archive, limits)) as opened:
        members = _checked_members(opened, label, limits)
        left = limits.total_bytes
        for path, member in members.items():
            left -= _unpack_member(opened, member, target / path, left, _Report(label, path), limits)
    return list(members)


class _Bounded:
    """What ``zipfile`` reads from. It reads the list of members at once, as long as the archive says it is."""

    def __init__(self, file: BinaryIO, limits: ZipLimits) -> None:
        self._file = file
        self._most = max(_LIST_BYTES, limits.members * _LIST_BYTES_PER_MEMBER)
        self.seekable, self.tell = file.seekable, file.tell

    def read(self, size: int = -1) -> bytes:
        if size > self._most:
            raise zipfile.BadZipFile("its list of members is too long")
        return self._file.read(self._most if size < 0 else size)

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == 0 and not 0 <= offset < 1 << 63:
            raise zipfile.BadZipFile("it points outside itself")
        return self._file.seek(offset, whence)


class _Report:
    """Errors of one member of one archive."""

    def __init__(self, archive: str, member: str) -> None:
        self._where = f"{archive}: {member[:_SHOWN]}"

    def __call__(self, reason: str) -> BadRequest:
        return BadRequest(f"{self._where} {reason}.", field="file", value=self._where)


@contextmanager
def _damage(label: str) -> Iterator[None]:
    """Everything that ``zipfile`` is known to raise on broken archives, as ours."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise _broken(label, str(error)) from error
    except (ValueError, OverflowError, LookupError) as error:
        raise _broken(label, "its structure makes no sense") from error


def _broken(label: str, reason: str) -> BadRequest:
    reason = reason[:_SHOWN].rstrip(".") or "it ends too early"
    return BadRequest(f"{label} cannot be unpacked, it is damaged or no zip file: {reason}.", field="file", value=label)


def _checked_members(opened: zipfile.ZipFile, label: str, limits: ZipLimits) -> dict[str, zipfile.ZipInfo]:
    """Path → member, of the files to unpack."""
    members = opened.infolist()
    if len(members) > limits.members:
        raise BadRequest(
            f"{label} holds {len(members)} files; {limits.members} are allowed.", field="file", value=label
        )
    decode = _name_decoder(members)
    files: dict[str, zipfile.ZipInfo] = {}
    for member in members:
        name = decode(member)
        if not _is_junk(name):
            _add(files, name, member, _Report(label, name))
    if clash := used_as_both(files):
        raise _Report(label, clash)("would be a file and a directory")
    if not files:
        raise BadRequest(f"{label} holds no files.", field="file", value=label)
    return files


def _add(files: dict[str, zipfile.ZipInfo], name: str, member: zipfile.ZipInfo, report: _Report) -> None:
    path = _safe_path(name, report)
    _refuse_special(member, report)
    if name.endswith("/"):
        return
    if path in files:
        raise report("is in it twice")
    files[path] = member


def _safe_path(name: str, report: _Report) -> str:
    if name.startswith("/") or _DRIVE.match(name):
        raise report("has an absolute path, which an archive must not have")
    try:
        path = clean_path(name.removeprefix("./"))
    except BadRequest as error:
        raise report(f"is refused. {error.message.rstrip('.')}") from error
    if not path and name != "./":
        raise report("has no name")
    return path


def _refuse_special(member: zipfile.ZipInfo, report: _Report) -> None:
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind == stat.S_IFLNK:
        raise report("is a link; links are not unpacked")
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise report("is neither a file nor a directory")
    if member.flag_bits & (_ENCRYPTED | _STRONGLY_ENCRYPTED):
        raise report("is encrypted; pack it without a password")
    if member.compress_type not in _METHODS:
        raise report("is packed by a method other than deflate")


def _is_junk(name: str) -> bool:
    names = name.split("/")
    return _JUNK_DIRECTORY in names[:-1] or names[-1].lower() in _JUNK_FILES


def _name_decoder(members: list[zipfile.ZipInfo]) -> Callable[[zipfile.ZipInfo], str]:
    """How to read the names: all that do not say that they are UTF-8 are taken to be in one and the same encoding."""
    encoding = guess_encoding(_raw_name(member) for member in members if _stated_name(member) is None)

    def decode(member: zipfile.ZipInfo) -> str:
        stated = _stated_name(member)
        return _raw_name(member).decode(encoding, "replace") if stated is None else stated

    return decode


def _stated_name(member: zipfile.ZipInfo) -> str | None:
    """The name where the archive says in which encoding it is: by a flag, or in an extra field (APPNOTE 4.6.9)."""
    if member.flag_bits & _UTF8:
        return member.orig_filename
    extra = member.extra
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        content, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind == _UNICODE_PATH and content[:5] == struct.pack("<BL", 1, zlib.crc32(_raw_name(member))):
            return content[5:].decode()
    return None


def _raw_name(member: zipfile.ZipInfo) -> bytes:
    return member.orig_filename.encode("cp437")  # as which zipfile has decoded it


def _unpack_member(
    opened: zipfile.ZipFile, member: zipfile.ZipInfo, place: Path, left: int, report: _Report, limits: ZipLimits
) -> int:
    """Unpack one member to ``place``; answers its size, which may be at most ``left`` bytes."""
    most = max(_RATIO_FREE_BYTES, member.compress_size * limits.ratio)
    size = 0
    with disk_errors(f"{place.name} was not unpacked"):
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as out:
            for chunk in _inflated(opened, member, report):
                size += len(chunk)
                if size > left:
                    raise report(f"does not fit: the archive unpacks to more than {limits.total_bytes} bytes")
                if size > most:
                    raise report(f"unpacks to more than {limits.ratio} times its packed size")
                out.write(chunk)
    return size


def _inflated(opened: zipfile.ZipFile, member: zipfile.ZipInfo, report: _Report) -> Iterator[bytes]:
    """A member's content; ``zipfile`` compares the checksum at the end."""
    try:
        with opened.open(member) as source:
            while chunk := source.read(_CHUNK):
                yield chunk
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise report(f"is damaged: {str(error)[:_SHOWN].rstrip('.') or 'it ends too early'}") from error
