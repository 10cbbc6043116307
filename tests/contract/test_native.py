"""Native code in packages: what npm brings and what node-gyp builds runs; what is built for elsewhere is refused."""

import base64
import os
import shutil
import struct
import zlib

import pytest

from harness import code, npm
from harness.account import fresh, refusal
from harness.gateway import REPOSITORY

THUMBNAIL = REPOSITORY / "examples/thumbnail"


@pytest.fixture(scope="module")
def configuration():
    """A runtime for each Node.js there is, so that one gateway runs all of them."""
    return {"CALLGATE_RUNTIME__VERSIONS": ",".join(f"nodejs{major}.x={npm.node(major)}" for major in npm.NODES)}


@pytest.fixture(scope="module")
def addon(tmp_path_factory):
    return npm.build(npm.copy(npm.PACKAGES / "addon", tmp_path_factory.mktemp("npm") / "addon"))


@pytest.fixture(scope="module")
def thumbnail(tmp_path_factory):
    return npm.ci(npm.copy(THUMBNAIL, tmp_path_factory.mktemp("npm") / "thumbnail"))


def picture(width, height):
    """A PNG of one colour, made here."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = (b"\0" + b"\x20\x80\xe0" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_an_image_is_processed_by_a_native_module_from_npm(gateway, account, thumbnail):
    """The launch article's example, from `npm install` to an answer, by the commands that a developer types."""
    name = fresh("thumbnail")
    gateway.command("deploy", thumbnail, "--name", name, "--data-dir", gateway.data_dir)
    event = {"image": base64.b64encode(picture(640, 480)).decode(), "width": 160}
    answer = account.call(name, event)
    made = answer["json"]
    assert "FunctionError" not in answer, made
    assert (made["width"], made["height"]) == (160, 120)
    assert base64.b64decode(made["image"])[:3] == b"\xff\xd8\xff"


@pytest.mark.parametrize("major", npm.NODES)
def test_a_prebuilt_add_on_loads_on_every_node(account, thumbnail, major):
    zipped = code.of_folder(thumbnail)
    name = account.function(zipped, Runtime=f"nodejs{major}.x", MemorySize=256, Timeout=20)
    event = {"image": base64.b64encode(picture(64, 64)).decode(), "width": 8}
    assert account.call(name, event)["json"]["height"] == 8


@pytest.mark.parametrize("major", npm.NODES)
def test_an_add_on_built_by_node_gyp_finds_the_library_beside_it(account, addon, major):
    name = account.function(code.of_folder(addon), Runtime=f"nodejs{major}.x")
    answer = account.call(name, {"a": 1, "b": 2})["json"]
    assert answer["sum"] == 30, "ten times the sum, by way of libscale.so"
    assert answer["node"].startswith(f"v{major}.")


@pytest.mark.parametrize(
    "platform, why",
    [
        (["--os=linux", f"--cpu={npm.OTHER_MACHINE}", "--libc=glibc"], f"it is built for {npm.OTHER_MACHINE}"),
        (["--os=darwin", f"--cpu={npm.MACHINE}"], "it is built for macOS"),
        (["--os=linux", f"--cpu={npm.MACHINE}", "--libc=musl"], "it is linked against musl"),
    ],
    ids=["another processor", "macOS", "musl"],
)
def test_what_npm_brings_for_another_platform_is_refused_at_upload(account, tmp_path, platform, why):
    folder = npm.ci(npm.copy(THUMBNAIL, tmp_path / "thumbnail"), *platform)
    status, error, message = refusal(account.functions.create_function, **account.request(code.of_folder(folder)))
    assert (status, error) == (400, "InvalidParameterValueException")
    assert "node_modules/@img/sharp-" in message and why in message
    assert f"npm install --os=linux --cpu={npm.MACHINE} --libc=glibc" in message and "npm rebuild" in message


def test_packages_for_several_platforms_pass_if_one_fits(account, thumbnail, tmp_path):
    folder = npm.ci(npm.copy(THUMBNAIL, tmp_path / "all"), "--os=darwin", f"--cpu={npm.MACHINE}")
    for package in (thumbnail / "node_modules/@img").iterdir():
        if not (folder / "node_modules/@img" / package.name).exists():
            (folder / "node_modules/@img" / package.name).symlink_to(package)
    zipped = code.of_folder(resolved(folder, tmp_path / "resolved"))
    event = {"image": base64.b64encode(picture(16, 16)).decode(), "width": 4}
    assert account.call(account.function(zipped, MemorySize=256, Timeout=20), event)["json"]["width"] == 4


def resolved(folder, into):
    """The folder with files instead of links."""
    return shutil.copytree(folder, into, symlinks=False)


def test_an_update_to_another_platforms_build_leaves_the_old_code(account, addon):
    name = account.function(code.of_folder(addon))
    account.settled(name)
    foreign = code.archive(("index.js", 0o100644, ""), ("sum.node", 0o100644, b"\xcf\xfa\xed\xfe" + bytes(60)))
    status, error, message = refusal(account.functions.update_function_code, FunctionName=name, ZipFile=foreign)
    assert (status, error) == (400, "InvalidParameterValueException") and '"sum.node"' in message, message
    status, error, _ = refusal(account.functions.update_function_code, FunctionName=name, ZipFile=foreign, DryRun=True)
    assert (status, error) == (400, "InvalidParameterValueException")
    assert account.call(name, {"a": 2, "b": 2})["json"]["sum"] == 40


def test_a_program_in_the_package_runs(account, tmp_path):
    """An ELF executable that keeps its mode, started by a path through a link; the system's own echo will do."""
    program = os.path.realpath("/bin/echo")
    with open(program, "rb") as file:
        content = file.read()
    zipped = code.archive(
        ("index.js", 0o100644, "exports.handler = async () => require('child_process').execFileSync('/var/task/tool', ['it', 'runs']).toString();"),
        ("bin/echo", 0o100755, content),
        ("tool", 0o120777, "bin/echo"),
    )
    assert account.call(account.function(zipped))["json"] == "it runs\n"


def test_an_add_on_whose_library_is_missing_is_an_error_of_loading(account, addon, tmp_path):
    folder = resolved(addon, tmp_path / "without")
    for library in folder.rglob("libscale.so"):
        library.unlink()
    answer = account.call(account.function(code.of_folder(folder)))
    assert answer["FunctionError"] == "Unhandled"
    assert answer["json"]["errorType"] == "Error"
    assert "libscale.so: cannot open shared object file" in answer["json"]["errorMessage"]
