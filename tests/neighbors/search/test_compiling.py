import pytest

from driftkit.neighbors.search import space


def double(x):
    return 2 * x


def test_compiles_where_no_folder_can_be_written(monkeypatch):
    numba = pytest.importorskip("numba", reason="needs numba")
    from driftkit.neighbors.search.kernels import compiled

    real = numba.njit

    def no_cache(*args, **options):
        if options.pop("cache", False):
            raise RuntimeError("cannot cache function: no locator available")
        return real(*args, **options)

    monkeypatch.setattr(numba, "njit", no_cache)
    assert compiled(double)(4) == 8
    monkeypatch.undo()
    assert compiled(double)(2.5) == 5


@pytest.mark.parametrize(
    ("switch", "possible"), [("", True), ("0", True), ("1", False), ("yes", False)]
)
def test_heeds_the_switch_that_has_numba_interpret(switch, possible, monkeypatch):
    pytest.importorskip("numba", reason="needs numba")
    monkeypatch.setenv("NUMBA_DISABLE_JIT", switch)
    assert space.can_compile() is possible


def test_knows_whether_numba_is_installed(monkeypatch):
    monkeypatch.delenv("NUMBA_DISABLE_JIT", raising=False)
    monkeypatch.setattr(space, "find_spec", lambda _: None)
    assert not space.can_compile()
