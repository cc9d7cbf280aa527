import pytest

from driftkit.neighbors.search import jit as compiler


def double(x):
    return 2 * x


def test_compiles_where_no_folder_can_be_written(monkeypatch):
    numba = pytest.importorskip("numba", reason="needs numba")
    real = numba.njit

    def no_cache(*args, **options):
        if options.pop("cache", False):
            raise RuntimeError("cannot cache function: no locator available")
        return real(*args, **options)

    monkeypatch.setattr(numba, "njit", no_cache)
    assert compiler.compiled(double)(4) == 8
    monkeypatch.undo()
    assert compiler.compiled(double)(2.5) == 5


def test_knows_whether_it_can_compile(monkeypatch):
    monkeypatch.setattr(compiler, "find_spec", lambda _: None)
    assert not compiler.can_compile()
