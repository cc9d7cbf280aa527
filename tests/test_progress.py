import pytest

from driftkit.errors import OptionError
from driftkit.progress import as_progress, as_stage_progress, part


def test_steps_run_from_nothing_to_all():
    calls = []
    for step in range(4):
        report = part(lambda *call: calls.append(call), step, 4)
        report(0, 0)
        report(1, 1)
    assert calls[0] == (0, 4000)
    assert calls[-1] == (4000, 4000)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)


def test_nobody_listening(capsys):
    assert part(None, 0, 1) is None
    for nobody in (None, False):
        assert as_progress(nobody) is None
        assert as_stage_progress(nobody) is None
    assert capsys.readouterr() == ("", "")


def test_true_draws_a_bar_on_stderr_that_ends_its_line(capsys):
    report = as_progress(True, "reading")
    for done in (0, 1, 2, 2):
        report(done, 2)
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split()[0::2] for line in err.split("\r")[1:]] == [
        [
            "reading",
            "0",
        ],
        ["reading", "50"],
        ["reading", "100"],
    ]
    assert err.endswith("100 %\n")
    assert err.count("\n") == 1


def test_each_stage_has_its_own_line(capsys):
    report = as_stage_progress(True)
    report("benchmarks", 1, 4)
    report("neighbors", 4, 4)
    lines = capsys.readouterr().err.splitlines()
    assert [line.strip("\r").split()[0] for line in lines if line] == ["benchmarks", "neighbors"]


def test_a_stream_without_block_characters(monkeypatch):
    import io
    import sys

    plain = io.TextIOWrapper(io.BytesIO(), "ascii", newline="")
    monkeypatch.setattr(sys, "stderr", plain)
    as_progress(True, "reading")(1, 2)
    assert plain.buffer.getvalue() == b"\rreading " + b"#" * 15 + b"." * 15 + b"  50 %"


@pytest.mark.parametrize("make", [as_progress, as_stage_progress])
def test_anything_else_is_told_what_works(make):
    with pytest.raises(OptionError, match="progress=3: give True for a bar on standard error"):
        make(3)


def test_a_title_cannot_steer_the_terminal_or_break_the_line(capsys):
    as_progress(True, f"reading \x1b[2J\n::error::{'x' * 500}")(1, 2)
    shown = capsys.readouterr().err
    assert shown.startswith("\rreading \\x")
    assert "\x1b" not in shown
    assert "\n" not in shown
    assert len(shown) < 80
