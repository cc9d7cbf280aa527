import pytest

from driftkit.errors import OptionError
from driftkit.progress import Bar, Line, Whole, as_progress, as_stage_progress, part


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


def test_a_bar_of_one_stage_leaves_its_line_to_the_next(capsys):
    bar = Bar()
    bar("first", 1, 4)
    bar("second", 4, 4)
    lines = capsys.readouterr().err.splitlines()
    assert [line.strip("\r").split()[0] for line in lines if line] == ["first", "second"]


class Clock:
    """A clock that goes only when it is told to."""

    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr("driftkit.progress.monotonic", lambda: self.now)

    def passes(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    return Clock(monkeypatch)


def shown(capsys):
    """What stands on the line now."""
    return capsys.readouterr().err.split("\x1b[K")[-1].split("\r")[-1].rstrip()


def left(capsys):
    _, _, told = shown(capsys).partition("about ")
    return told


class TestOneBarOverAllStages:
    def test_stages_count_by_what_they_cost(self, clock, capsys):
        report = as_stage_progress(True)
        report.expect({"drift": 1, "neighbors": 9})
        report("drift", 0, 1)
        clock.passes(1)
        report("drift", 1, 1)
        assert " 10 %" in shown(capsys)
        report("neighbors", 0, 9)
        clock.passes(8)
        report("neighbors", 8, 9)
        assert " 90 %" in shown(capsys)
        clock.passes(1)
        report("neighbors", 9, 9)
        err = capsys.readouterr().err
        assert err.rstrip().endswith(" 100 %")
        assert err[-1] == "\n"
        assert err.count("\n") == 1

    def test_no_time_is_told_before_anything_like_it_was_measured(self, clock, capsys):
        whole = Whole(Line(stays=False))
        whole.will_read(1, "a.npy", 10**8)
        whole("reading a.npy", 0, 1)
        clock.passes(30)
        whole("reading a.npy", 1, 2)
        assert shown(capsys) == "reading a.npy 50 %"  # what follows is not known yet
        whole.expect({"drift": 1, "neighbors": 99})
        whole("drift", 0, 1)
        assert not left(capsys)
        clock.passes(3)
        whole("neighbors", 0, 10)  # how long drift took tells it, until neighbors themselves do
        assert left(capsys) == "5 min left"
        clock.passes(6)
        whole("neighbors", 1, 10)
        assert left(capsys) == "55 s left"

    def test_no_time_is_told_of_what_takes_none(self, clock, capsys):
        whole = Whole(Line(stays=False))
        whole.expect({"drift": 1, "neighbors": 1})
        whole("drift", 0, 1)
        clock.passes(1)
        whole("neighbors", 0, 1)
        assert not left(capsys)

    def test_each_kind_of_stage_has_a_pace_of_its_own(self, clock, capsys):
        whole = Whole(Line(stays=False), tables=2)
        costs = {"drift": 1, "neighbors": 10}
        for table in (1, 2):
            whole.begin(table)
            whole.expect(costs)
            whole("drift", 0, 1)
            clock.passes(2)
            whole("neighbors", 0, 1)
            if table == 2:
                assert left(capsys) == "5 s left"
            clock.passes(5)
            whole("neighbors", 1, 1)

    def test_reading_tells_only_of_reading(self, clock, capsys):
        whole = Whole(Line(stays=False), tables=2)
        for table in (1, 2):
            whole.will_read(table, f"{table}.npy", 10**8)
        whole("reading 1.npy", 0, 1)
        clock.passes(40)
        whole.expect({"drift": 10})
        whole("drift", 0, 10)
        assert not left(capsys)
        clock.passes(5)
        whole("drift", 5, 10)
        assert left(capsys) == "1 min left"  # 5 of this, then 40 of reading and 10

    def test_tables_are_counted_and_the_bar_never_goes_back(self, clock, capsys):
        whole = Whole(Line(stays=False), tables=3)
        seen = []
        for table, cost in ((1, 1), (2, 50), (3, 50)):
            whole.begin(table)
            whole.expect({"drift": 1, "neighbors": cost})
            for stage in ("drift", "neighbors"):
                for done in (0, 1, 2):
                    clock.passes(cost)
                    whole(stage, done, 2)
                    line = shown(capsys)
                    if line:
                        assert line.startswith(f"table {table} of 3: {stage} ")
                        seen.append(int(line.partition(" %")[0].split()[-1]))
        assert seen == sorted(seen)
        assert seen[-1] == 100

    def test_stages_that_are_passed_over_are_waited_for_no_longer(self, clock, capsys):
        whole = Whole(Line(stays=False))
        whole.expect({"drift": 1, "benchmarks": 1000, "neighbors": 1})
        whole("drift", 0, 1)
        clock.passes(4)
        whole("neighbors", 0, 1)
        assert left(capsys) == "5 s left"

    def test_the_line_fits_the_terminal(self, clock, capsys, monkeypatch):
        whole = Whole(Line(stays=False), tables=12)
        whole.begin(11)
        whole.expect({"benchmarks of random moves": 100})
        whole("benchmarks of random moves", 0, 4)
        clock.passes(4000)
        whole("benchmarks of random moves", 1, 4)
        line = shown(capsys)
        assert line.endswith("about 7.8 h left")
        assert len(line) < 80
        monkeypatch.setenv("COLUMNS", "30")
        clock.passes(1000)
        whole("benchmarks of random moves", 2, 4)
        assert len(shown(capsys)) < 30


def test_a_stream_without_block_characters(monkeypatch):
    import io
    import sys

    plain = io.TextIOWrapper(io.BytesIO(), "ascii", newline="")
    monkeypatch.setattr(sys, "stderr", plain)
    as_progress(True, "reading")(1, 2)
    assert plain.buffer.getvalue() == b"\rreading " + b"#" * 10 + b"." * 10 + b"  50 %"


@pytest.mark.parametrize("make", [as_progress, as_stage_progress])
def test_anything_else_is_told_what_works(make):
    with pytest.raises(OptionError, match="progress=3: give True for a bar, or"):
        make(3)


def test_a_title_cannot_steer_the_terminal_or_break_the_line(capsys):
    as_progress(True, f"reading \x1b[2J\n::error::{'x' * 500}")(1, 2)
    shown = capsys.readouterr().err
    assert shown.startswith("\rreading \\x")
    assert "\x1b" not in shown
    assert "\n" not in shown
    assert len(shown) < 80
