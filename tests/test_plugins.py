"""Plugins are imported once, when a registry is first asked, and a broken one is one sentence."""

import sys
from importlib.metadata import EntryPoint

import pytest

from driftkit import plugins
from driftkit.errors import PluginError
from driftkit.plugins import VARIABLE, load_plugin, load_plugins


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An importable folder, and a driftkit that has loaded no plugin yet."""
    monkeypatch.setattr(plugins, "_loaded", set())
    monkeypatch.setattr(plugins, "entry_points", lambda group: [])
    plugins._installed.cache_clear()
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "times.txt").touch()
    yield tmp_path
    plugins._installed.cache_clear()
    for name in [each for each in sys.modules if each.startswith("driftkit_plugin_")]:
        del sys.modules[name]


def write(folder, name, text="with open('times.txt', 'a') as file: file.write(__name__ + ' ')\n"):
    path = folder / f"{name}.py"
    path.write_text(text)
    return path


def test_a_file_or_a_module_is_imported_once(folder, monkeypatch):
    monkeypatch.chdir(folder)
    path = write(folder, "counted_file")
    for name in (str(path), "counted_file.py", "counted_file"):
        load_plugin(name)
        load_plugin(name)
    sys.modules.pop("counted_file")
    assert (folder / "times.txt").read_text() == "driftkit_plugin_counted_file counted_file "


def test_the_environment_and_installed_packages_are_asked_once(folder, monkeypatch):
    monkeypatch.chdir(folder)
    for name in ("first_of_three", "second_of_three", "third_of_three"):
        write(folder, name)
    monkeypatch.setenv(VARIABLE, "first_of_three, second_of_three.py,")
    entry = EntryPoint("mine", "third_of_three", plugins.GROUP)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [entry])
    load_plugins()
    load_plugins()
    assert (folder / "times.txt").read_text().split() == [
        "first_of_three", "driftkit_plugin_second_of_three", "third_of_three",
    ]  # fmt: skip


def test_what_a_plugin_prints_is_no_result(folder, capsys):
    write(folder, "chatting", "print('hello')")
    load_plugin("chatting")
    assert capsys.readouterr() == ("", "hello\n")


def test_a_plugin_may_ask_a_registry_while_it_is_imported(folder, monkeypatch):
    write(folder, "asks_back", "from driftkit.plugins import load_plugins\nload_plugins()\n")
    monkeypatch.setenv(VARIABLE, "asks_back")
    load_plugins()


def test_a_plugin_is_not_blamed_for_the_one_after_it(folder, monkeypatch):
    write(folder, "asks_too", "from driftkit.plugins import load_plugins\nload_plugins()\n")
    monkeypatch.setenv(VARIABLE, "asks_too,nothing_after_it")
    with pytest.raises(PluginError, match="^plugin 'nothing_after_it': Python finds no such"):
        load_plugins()


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("absent_plugin", None, "plugin 'absent_plugin': Python finds no such module; install it"),
        ("", None, "plugin '': give a module, such as package.module, or the path of a .py file."),
        (".relative", None, "plugin '.relative': give a module"),
        ("absent.py", None, "plugin 'absent.py': there is no such file; give the path"),
        ("failing_plugin", "1 / 0", "it failed when it was imported (ZeroDivisionError: division "),
        ("needy", "import nothing_like_it", "(ModuleNotFoundError: No module named 'nothing_"),
        ("garbled", "def", "it failed when it was imported (SyntaxError: invalid syntax"),
        ("talking", "raise ValueError('one\\ntwo')", "(ValueError: one)."),
        ("silent", "raise ValueError", "it failed when it was imported (ValueError)."),
        ("leaving", "import sys; sys.exit(0)", "it failed when it was imported (SystemExit: 0)."),
    ],
)
def test_a_plugin_that_cannot_be_loaded(folder, monkeypatch, name, text, sentence):
    if text:
        write(folder, name, text)
    with pytest.raises(PluginError) as caught:
        load_plugin(name)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.plugin == name
    monkeypatch.setenv(VARIABLE, name or "no_such_plugin")
    for _ in range(2):  # whoever asks again is told again
        with pytest.raises(PluginError):
            load_plugins()
