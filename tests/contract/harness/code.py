"""Function code, as zips: the good, and the hostile."""

import io
import os
import struct
import warnings
import zipfile
from pathlib import Path

ECHO = "exports.handler = async (event) => event;"

# What a function sees of its caller, exactly as it sees it.
SEES = """
exports.handler = async (event, context) => ({
  event,
  identity: context.identity,
  hasIdentity: context.identity !== undefined,
  clientContext: context.clientContext,
  callgate: context.callgate,
  awsRequestId: context.awsRequestId,
  invokedFunctionArn: context.invokedFunctionArn,
  functionName: context.functionName,
  functionVersion: context.functionVersion,
  memoryLimitInMB: context.memoryLimitInMB,
  logGroupName: context.logGroupName,
  logStreamName: context.logStreamName,
  remaining: context.getRemainingTimeInMillis(),
});
"""


def package(source):
    """A zip of a module's text (as index.js), of files by name, or the bytes themselves."""
    if isinstance(source, bytes):
        return source
    files = {"index.js": source} if isinstance(source, str) else source
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(entry(name), text)
    return buffer.getvalue()


def entry(name, mode=0o100644):
    """An entry of that name and Unix mode; always of the same time, so that equal files make equal zips."""
    info = zipfile.ZipInfo(name, (2015, 7, 9, 0, 0, 0))
    info.create_system = 3
    info.external_attr = mode << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def archive(*entries):
    """A zip of (name, mode, content) as they are, however odd."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        warnings.simplefilter("ignore")  # a name that stands there twice is what some tests are about
        for name, mode, content in entries:
            made.writestr(entry(name, mode), content)
    return buffer.getvalue()


def crowd(count):
    """A zip of that many empty files. Written here byte by byte: zipfile takes longer than the gateway's whole test."""
    local, central, at = [], [], 0
    for number in range(count):
        name = b"%07d" % number
        local.append(struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0) + name)
        central.append(
            struct.pack("<4s6H3I5H2I", b"PK\1\2", 0x314, 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0, 0, 0, 0, 0o100644 << 16, at) + name
        )
        at += len(local[-1])
    directory = b"".join(central)
    end = at + len(directory)
    zip64 = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(directory), at)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, end, 1)
    last = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, len(directory), at, 0)
    return b"".join(local) + directory + zip64 + locator + last


def of_folder(folder):
    """A zip of everything in a folder, with modes and links, as `zip --symlinks -r` makes it."""
    folder = Path(folder)
    entries = []
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            entries.append((name, 0o120777, os.readlink(path)))
        elif path.is_file():
            entries.append((name, 0o100000 | path.stat().st_mode & 0o777, path.read_bytes()))
    return archive(*entries)
