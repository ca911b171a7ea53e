"""acd backup: a copy while acd writes, and a restart from it."""

from pathlib import Path

import pytest

from acd.__main__ import main
from acd.core import events as ev
from acd.store import Store


@pytest.fixture
def config(tmp_path: Path) -> Path:
    config = tmp_path / "acd.toml"
    config.write_text(f'[handlers.main]\nsecret = "x"\n[store]\nurl = "sqlite:///{tmp_path}/acd.db"\n')
    return config


def an_event(number: int) -> ev.Event:
    return ev.CallerAbandoned(float(number), f"c{number}", "support")


async def test_a_copy_made_while_acd_writes_holds_all_that_was_on_disk_and_can_be_opened(config, tmp_path, capsys):
    store = Store(f"sqlite:///{tmp_path}/acd.db")
    store.open()
    store.append("main", an_event(1))
    await store.written()
    assert main(["backup", "--config", str(config), str(tmp_path / "copy.db")]) == 0
    store.append("main", an_event(2))
    store.close()
    copy = Store(f"sqlite:///{tmp_path}/copy.db")
    assert sorted(path.name for path in tmp_path.glob("copy.db*")) == ["copy.db"], "one file, whole in itself"
    assert (tmp_path / "copy.db").stat().st_mode & 0o077 == 0
    copy.open()
    try:
        assert copy.load("main")[1] == [an_event(1)]
        assert copy.append("main", an_event(3)) == 2
    finally:
        copy.close()


def test_what_cannot_be_copied_is_said(config, tmp_path, capsys):
    target = str(tmp_path / "copy.db")
    assert main(["backup", "--config", str(config), target]) == 1
    assert "acd.db is not there" in capsys.readouterr().err
    store = Store(f"sqlite:///{tmp_path}/acd.db")
    store.open()
    store.close()
    Path(target).write_text("something of mine")
    assert main(["backup", "--config", str(config), target]) == 1
    assert "is there already" in capsys.readouterr().err
    assert Path(target).read_text() == "something of mine"
    assert main(["backup", "--config", str(config), str(tmp_path / "no" / "copy.db")]) == 1
    assert "cannot be copied" in capsys.readouterr().err
    config.write_text('[handlers.main]\nsecret = "x"\n[store]\nurl = "postgresql+psycopg://h/d"\n')
    assert main(["backup", "--config", str(config), target]) == 1
    assert "pg_dump" in capsys.readouterr().err
