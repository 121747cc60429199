"""Uploads as ``multipart/form-data`` (RFC 7578), written to disk as they come in."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from graticule.errors import BadRequest, PayloadTooLarge, UnsupportedMediaType
from graticule.storage.disk import disk_errors

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_FIELD_BYTES = 1024 * 1024
_MAX_HEADER_BYTES = 16 * 1024
_MAX_PARTS = 2000
_MAX_BOUNDARY = 200

# One parameter of a header: a name, and a value with or without quotes.
_PARAMETER = re.compile(r';\s*([^\s=;"]+)\s*=\s*("(?:\\.|[^"\\])*"|[^;]*)')
_EXTENDED = re.compile(r"([^']*)'[^']*'(.*)", re.DOTALL)
# Old browsers send the whole path that a file has on the user's Windows machine.
_WINDOWS_PATH = re.compile(r"\A(?:[A-Za-z]:)?\\(?:.*\\)?", re.DOTALL)
_PLAIN_ENCODINGS = frozenset({"", "7bit", "8bit", "binary"})


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A part that has a file name: the part's name, the file's name as sent, where the content lies, its bytes."""

    field: str
    filename: str
    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class Upload:
    """What a body held. Of fields of one name the last counts."""

    files: tuple[StagedFile, ...]
    fields: dict[str, str]


@dataclass(slots=True)
class _FilePart:
    field: str
    filename: str
    path: Path
    out: BinaryIO
    size: int = 0

    def write(self, data: bytes) -> None:
        self.size += len(data)
        with disk_errors(f"{self.filename} was not stored"):
            self.out.write(data)


@dataclass(slots=True)
class _FieldPart:
    field: str
    data: bytearray


class MultipartReader:
    """Takes a body piece by piece: ``feed`` each, then ``finish``.

    ``staging`` is an existing directory for the files' contents. ``max_bytes`` bounds the whole body,
    ``max_field_bytes`` all that is no file together. After an error, and after ``close``, nothing is left in
    ``staging``; whoever stops before the end (the client went away) calls ``close``.
    """

    def __init__(
        self, content_type: str, staging: Path, max_bytes: int, *, max_field_bytes: int = DEFAULT_FIELD_BYTES
    ) -> None:
        """Raises ``UnsupportedMediaType`` for another kind of body, ``BadRequest`` when it names no boundary."""
        self._staging = staging
        self._max_bytes, self._max_field_bytes = max_bytes, max_field_bytes
        self._bytes = self._field_bytes = self._parts = 0
        self._files: list[_FilePart] = []
        self._fields: dict[str, str] = {}
        self._part: _FilePart | _FieldPart | None = None
        self._name, self._value = bytearray(), bytearray()
        self._headers: dict[str, bytes] = {}
        self._header_bytes = 0
        self._ended = False
        self._parser = MultipartParser(
            _boundary(content_type),
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._add_header_name,
                "on_header_value": self._add_header_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._open_part,
                "on_part_data": self._add_data,
                "on_part_end": self._end_part,
                "on_end": self._end,
            },
        )

    def feed(self, chunk: bytes) -> None:
        """Take the next piece.

        Raises ``BadRequest``, ``PayloadTooLarge``, and ``Unavailable`` when the disk is full.
        """
        self._bytes += len(chunk)
        try:
            if self._bytes > self._max_bytes:
                raise PayloadTooLarge(
                    f"The upload is larger than {self._max_bytes} bytes.", expected=f"at most {self._max_bytes}"
                )
            with disk_errors("the upload was not stored"):
                self._parser.write(chunk)
        except FormParserError as error:
            self.close()
            raise BadRequest(f"The body is no multipart/form-data: {error}.") from error
        except BaseException:
            self.close()
            raise

    def finish(self) -> Upload:
        """The whole upload. Raises ``BadRequest`` when the body broke off before its end."""
        if not self._ended:
            self.close()
            raise BadRequest("The upload broke off: the end of the multipart body is missing.")
        files = tuple(StagedFile(part.field, part.filename, part.path, part.size) for part in self._files)
        return Upload(files, dict(self._fields))

    def close(self) -> None:
        """Remove what was staged. Not to be called once ``finish`` has answered."""
        for part in self._files:
            with suppress(OSError):  # the disk was full
                part.out.close()
            part.path.unlink(missing_ok=True)
        self._files.clear()
        self._ended = False

    def _begin_part(self) -> None:
        self._parts += 1
        if self._parts > _MAX_PARTS:
            raise BadRequest(f"The body has more than {_MAX_PARTS} parts.")
        self._headers, self._header_bytes = {}, 0

    def _add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._name += data[start:end]

    def _add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._value += data[start:end]

    def _count_header(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > _MAX_HEADER_BYTES:
            raise BadRequest(f"The headers of a part are longer than {_MAX_HEADER_BYTES} bytes.")

    def _end_header(self) -> None:
        self._headers[self._name.decode("latin-1").strip().lower()] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _open_part(self) -> None:
        field, filename = _disposition(self._headers.get("content-disposition", b""))
        _refuse_encoded(self._headers.get("content-transfer-encoding", b""))
        if filename is None:
            self._part = _FieldPart(field, bytearray())
            return
        path = self._staging / f"part-{self._parts}"
        # Closed by _end_part, or by close when that is never reached.
        self._part = _FilePart(field, filename, path, path.open("xb"))
        self._files.append(self._part)

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        part, piece = self._part, data[start:end]
        if isinstance(part, _FilePart):
            part.write(piece)
        elif isinstance(part, _FieldPart):
            self._field_bytes += len(piece)
            if self._field_bytes > self._max_field_bytes:
                raise PayloadTooLarge(f"The fields are larger than {self._max_field_bytes} bytes.", field=part.field)
            part.data += piece

    def _end_part(self) -> None:
        part, self._part = self._part, None
        if isinstance(part, _FieldPart):
            self._fields[part.field] = _text(bytes(part.data), part.field)
        elif isinstance(part, _FilePart):
            part.out.close()
            if not part.filename:
                self._drop_nameless(part)

    def _drop_nameless(self, part: _FilePart) -> None:
        """A browser sends an empty part without a name when no file was chosen."""
        if part.size:
            raise BadRequest("A file in the upload has no name.", field=part.field)
        self._files.remove(part)
        part.path.unlink()

    def _end(self) -> None:
        self._ended = True


def _boundary(content_type: str) -> bytes:
    kind, _, _ = content_type.partition(";")
    if kind.strip().lower() != "multipart/form-data":
        raise UnsupportedMediaType(f"The body is {kind.strip() or 'of no stated type'}, not multipart/form-data.")
    boundary = _parameters(content_type).get("boundary", "").encode("latin-1", "replace")
    if not 0 < len(boundary) <= _MAX_BOUNDARY:
        raise BadRequest("The Content-Type of the body names no usable boundary.", field="Content-Type")
    return boundary


def _parameters(header: str) -> dict[str, str]:
    """The parameters of a header, names in lower case."""
    return {name.lower(): _unquoted(value) for name, value in _PARAMETER.findall(header)}


def _unquoted(value: str) -> str:
    """Only quotes and backslashes count as escaped: other backslashes are of Windows paths."""
    if len(value) > 1 and value[0] == value[-1] == '"':
        return re.sub(r'\\(["\\])', r"\1", value[1:-1])
    return value.strip()


def _disposition(header: bytes) -> tuple[str, str | None]:
    """The name of a part and of its file, if it is one."""
    text = _text(header, "Content-Disposition")
    parameters = _parameters(text)
    if text.partition(";")[0].strip().lower() != "form-data":
        raise BadRequest("A part of the body has no Content-Disposition: form-data.")
    filename = parameters.get("filename")
    if "filename*" in parameters:
        filename = _extended(parameters["filename*"])
    if filename is None and "name" not in parameters:
        raise BadRequest("A part of the body has neither a name nor a file name.")
    return parameters.get("name", ""), None if filename is None else _WINDOWS_PATH.sub("", filename, count=1)


def _extended(value: str) -> str:
    """A parameter as RFC 8187 has it: charset'language'percent-encoded."""
    found = _EXTENDED.fullmatch(value)
    charset = found[1].lower() if found else ""
    if found is None or charset not in {"utf-8", "iso-8859-1"}:
        raise BadRequest("A file name in the upload is in no known encoding.", field="filename*", value=value[:200])
    return _text(unquote_to_bytes(found[2]), "filename*", charset)


def _text(data: bytes, field: str, charset: str = "utf-8") -> str:
    try:
        return data.decode(charset)
    except UnicodeDecodeError:
        raise BadRequest(f"{field} is not in UTF-8.", field=field, expected="text in UTF-8") from None


def _refuse_encoded(header: bytes) -> None:
    encoding = header.decode("latin-1").strip().lower()
    if encoding not in _PLAIN_ENCODINGS:
        raise BadRequest(
            f"A part of the body is in the transfer encoding {encoding[:100]}, which form-data does not have.",
            field="Content-Transfer-Encoding",
            expected="binary",
        )
