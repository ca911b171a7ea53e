"""scripts/npm-packages, with a registry of its own."""

import base64
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = {
    "package/package.json": '{"version": "1.2.3"}',
    "package/LICENSE.md": "MIT",
    "package/lib/index.js": "export {};",
    "package/lib/api/phone.js": "export {};",
    "package/lib/index.d.ts": "types",
    "package/README.md": "words",
    "package/../../escaped.js": "evil",
}


def tarball() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, text in FILES.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return made.getvalue()


class Registry:
    """Serves one tarball for every package, and remembers what was asked for."""

    def __init__(self) -> None:
        self.data = tarball()
        self.asked: list[str] = []
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                registry.asked.append(self.path)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(registry.data)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/npm"


@pytest.fixture
def registry() -> Iterator[Registry]:
    registry = Registry()
    thread = threading.Thread(target=registry.server.serve_forever)
    thread.start()
    yield registry
    registry.server.shutdown()
    thread.join()
    registry.server.server_close()


@pytest.fixture
def clone(tmp_path: Path, registry: Registry) -> Path:
    """A repository with a lock of two packages, one of them for tests."""
    folder = tmp_path / "clone"
    (folder / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "npm-packages", folder / "scripts")
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(registry.data).digest()).decode()
    entry = {"version": "1.2.3", "integrity": integrity}
    packages = {"": {}, "node_modules/phone.js": entry, "node_modules/@a/checker": entry | {"dev": True}}
    (folder / "package-lock.json").write_text(json.dumps({"packages": packages}))
    return folder


def run(clone: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(clone)} | variables
    return subprocess.run(
        [clone / "scripts" / "npm-packages", *words], env=environment, capture_output=True, text=True, check=False
    )


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_packages_come_to_where_they_are_served_without_what_nobody_runs(clone: Path, registry: Registry) -> None:
    ended = run(clone, npm_config_registry=registry.url)
    assert ended.returncode == 0, ended.stderr
    wanted = {"package.json", "LICENSE.md", "lib/index.js", "lib/api/phone.js"}
    assert files_in(clone / "acd/web/static/npm/phone.js") == wanted
    assert files_in(clone / "build/npm/@a/checker") == wanted
    assert registry.asked == ["/npm/phone.js/-/phone.js-1.2.3.tgz", "/npm/@a/checker/-/checker-1.2.3.tgz"]
    assert not list(clone.rglob("escaped.js"))


def test_what_is_there_is_not_fetched_again_until_the_lock_names_another_version(
    clone: Path, registry: Registry
) -> None:
    for _ in range(2):
        assert run(clone, npm_config_registry=registry.url).returncode == 0
    assert len(registry.asked) == 2
    lock = clone / "package-lock.json"
    lock.write_text(lock.read_text().replace("1.2.3", "1.2.4"))
    run(clone, npm_config_registry=registry.url)
    assert len(registry.asked) == 4


def test_the_image_takes_nothing_that_only_tests_need(clone: Path, registry: Registry) -> None:
    assert run(clone, "--omit-dev", npm_config_registry=registry.url).returncode == 0
    assert not (clone / "build").exists()


def test_the_registry_of_npmrc_is_asked(clone: Path, registry: Registry) -> None:
    (clone / ".npmrc").write_text(f"fund=false\nregistry = {registry.url}/\n")
    assert run(clone).returncode == 0
    assert len(registry.asked) == 2


def test_a_package_that_is_not_the_locked_one_is_not_unpacked(clone: Path, registry: Registry) -> None:
    registry.data += b"more"
    ended = run(clone, npm_config_registry=registry.url)
    assert ended.returncode == 1
    assert "not what package-lock.json names" in ended.stderr
    assert not (clone / "acd/web/static/npm/phone.js").exists()


def test_a_registry_out_of_reach_is_one_sentence(clone: Path) -> None:
    ended = run(clone, npm_config_registry="http://127.0.0.1:1")
    assert ended.returncode == 1
    assert "cannot be fetched from http://127.0.0.1:1/" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_lock_has_a_hash_for_each_package_and_names_no_registry() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())
    entries = [entry for path, entry in lock["packages"].items() if path]
    assert entries
    assert all(entry["integrity"].startswith("sha512-") and "resolved" not in entry for entry in entries)
