"""Packages: what a zip may hold, and the archives that must leave no trace."""

import io
import os
import struct
import zipfile

import pytest

from harness import code
from harness.account import fresh, refusal

LINK = 0o120777
FILE = 0o100644

HOSTILE = {
    "leaves the root": code.archive(("../escaped.js", FILE, "x")),
    "leaves the root further in": code.archive(("a/../../escaped.js", FILE, "x")),
    "absolute name": code.archive(("/etc/escaped.js", FILE, "x")),
    "link to an absolute path": code.archive(("passwd", LINK, "/etc/passwd")),
    "link that leaves the root": code.archive(("up", LINK, "../../..")),
    "file below a link": code.archive(("dir", LINK, "/tmp"), ("dir/escaped.js", FILE, "x")),
    "device": code.archive(("null", 0o020666, "")),
    "named pipe": code.archive(("pipe", 0o010644, "")),
    "one name twice": code.archive(("index.js", FILE, "1"), ("index.js", FILE, "2")),
    "cut off": code.package(code.ECHO)[:-30],
    "no zip at all": b"this is not a zipfile, just a random string",
}


def too_large():
    """250 MiB and a byte of nothing, which compresses to a thousandth."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        with made.open(code.entry("zeros"), "w", force_zip64=True) as entry:
            for _ in range(250):
                entry.write(bytes(1 << 20))
            entry.write(b"\0")
    return buffer.getvalue()


def lying_about_its_size():
    """The directory says ten bytes, the data holds a megabyte."""
    made = bytearray(code.archive(("index.js", FILE, "x" * (1 << 20))))
    for signature, offset in [(b"PK\x01\x02", 24), (b"PK\x03\x04", 22)]:
        at = made.index(signature)
        made[at + offset : at + offset + 4] = struct.pack("<I", 10)
    return bytes(made)


HOSTILE |= {
    "lies about its size": lying_about_its_size(),
    "too many entries": lambda: code.crowd(100_001),
    "unpacked too large": too_large,
}


@pytest.mark.parametrize("kind", list(HOSTILE))
def test_hostile_archives_are_refused_and_leave_nothing(gateway, account, kind):
    zipped = HOSTILE[kind]() if callable(HOSTILE[kind]) else HOSTILE[kind]
    request = account.request(zipped)
    before = everything_below(gateway.data_dir)
    status, error, message = refusal(account.functions.create_function, **request)
    assert (status, error) == (400, "InvalidParameterValueException"), message
    if kind in ("no zip at all", "cut off"):
        assert message == "Could not unzip uploaded file. Please check your file, then try to upload again."
    if kind == "unpacked too large":
        assert message == "Unzipped size must be smaller than 262144000 bytes"
    assert refusal(account.functions.get_function, FunctionName=request["FunctionName"])[0] == 404
    assert everything_below(gateway.data_dir) == before


def test_a_hostile_update_leaves_the_old_code(account):
    name = account.function("exports.handler = async () => 'old';")
    account.settled(name)
    call = account.functions.update_function_code
    assert refusal(call, FunctionName=name, ZipFile=HOSTILE["leaves the root"])[0] == 400
    assert account.call(name)["json"] == "old"


def everything_below(folder):
    """Names of files, but for the database's own, whose number is its own business."""
    found = set()
    for where, _, names in os.walk(folder):
        found |= {os.path.join(where, name) for name in names if ".sqlite" not in name and ".db" not in name}
    return found


def test_zipped_too_large(account):
    """Checked before anything else of the archive: 52,428,800 bytes and more are 413."""
    request = account.request(os.urandom(52_428_801))
    assert refusal(account.functions.create_function, **request) == (
        413,
        "RequestEntityTooLargeException",
        "Zipped size must be smaller than 52428800 bytes",
    )


def test_the_whole_request_too_large(account):
    """An archive that is just small enough, in a request that is not."""
    request = account.request(os.urandom(52_428_000), Description="x" * 400_000)
    assert refusal(account.functions_unchecked.create_function, **request) == (
        413,
        "RequestEntityTooLargeException",
        "Request must be smaller than 70167211 bytes for the CreateFunction operation",
    )


def test_modes_are_kept_and_everything_is_readable(account):
    zipped = code.archive(
        ("index.js", 0o100000, "const fs = require('fs');\nexports.handler = async () => ['index.js', 'run.sh', 'plain.txt']"
         ".map((name) => (fs.statSync(name).mode & 0o7777).toString(8));"),
        ("run.sh", 0o104755, "#!/bin/sh\n"),
        ("plain.txt", 0o100644, "text"),
    )
    # Readable by the function whatever the archive says, executable where it says so, and never set-uid.
    assert account.call(account.function(zipped))["json"] == ["644", "755", "644"]


def test_links_inside_the_package_work(account):
    zipped = code.archive(
        ("index.js", FILE, "exports.handler = async () => require('./link/name.js');"),
        ("real/name.js", FILE, "module.exports = 'through the link';"),
        ("link", LINK, "real"),
    )
    assert account.call(account.function(zipped))["json"] == "through the link"


def test_node_modules_inside(account):
    files = {
        "index.js": "const left = require('left');\nexports.handler = async () => left.version + require('@scope/right');",
        "node_modules/left/package.json": '{"name":"left","version":"1.2.3","main":"lib/main.js"}',
        "node_modules/left/lib/main.js": "exports.version = require('../package.json').version;",
        "node_modules/@scope/right/index.js": "module.exports = '-scoped';",
    }
    assert account.call(account.function(files))["json"] == "1.2.3-scoped"


@pytest.mark.parametrize(
    "files, handler",
    [
        ({"index.js": "exports.handler = async () => 'ok';"}, "index.handler"),
        ({"deep/in/app.js": "exports.go = async () => 'ok';"}, "deep/in/app.go"),
        ({"index.cjs": "exports.handler = async () => 'ok';"}, "index.handler"),
        ({"index.mjs": "export const handler = async () => 'ok';"}, "index.handler"),
        ({"index.js": "export const handler = async () => 'ok';", "package.json": '{"type":"module"}'}, "index.handler"),
        ({"index.mjs": "const text = await Promise.resolve('ok');\nexport const handler = async () => text;"}, "index.handler"),
        ({"index.js": "exports.api = { handler: async () => 'ok' };"}, "index.api.handler"),
    ],
    ids=["js", "in a folder", "cjs", "mjs", "type module", "top-level await", "nested export"],
)
def test_where_a_handler_may_live(account, files, handler):
    assert account.call(account.function(files, Handler=handler))["json"] == "ok"


def test_the_package_is_read_only_and_tmp_is_writable(account):
    name = account.function(
        """
        const fs = require('fs');
        exports.handler = async () => {
          let refused = null;
          try { fs.writeFileSync('/var/task/new', 'x'); } catch (error) { refused = error.code; }
          const seen = fs.existsSync('/tmp/kept') ? fs.readFileSync('/tmp/kept', 'utf8') : null;
          fs.writeFileSync('/tmp/kept', 'from an earlier call');
          return { refused, seen, root: process.env.LAMBDA_TASK_ROOT, cwd: process.cwd() };
        };
        """
    )
    first, second = account.call(name)["json"], account.call(name)["json"]
    assert first["refused"] in ("EROFS", "EACCES")
    assert (first["seen"], second["seen"]) == (None, "from an earlier call")
    assert first["root"] == first["cwd"] == "/var/task"


def test_names_in_utf8(account):
    files = {"index.js": "exports.handler = async () => require('./größe/données.js');", "größe/données.js": "module.exports = '日本';"}
    assert account.call(account.function(files, FunctionName=fresh("utf8")))["json"] == "日本"
