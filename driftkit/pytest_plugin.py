"""A pytest fixture that passes a table through the gate.

Installed with driftkit and silent until it is used. Options: ``--driftkit-baseline FILE`` compares
with a baseline as well, ``--driftkit-update`` writes the values there instead of checking. The
marker ``driftkit`` holds a test's rules::

    @pytest.mark.driftkit("overlap@10 mean[moved] >= 0.6", profile="default")
    def test_retrained_vectors(driftkit_check):
        driftkit_check("vectors/original.txt", "runs/best.pt")
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from driftkit.embeddings import Embeddings
    from driftkit.gate import Verdict

MARKER = (
    "driftkit(*rules, profile=None, inconclusive=None, not_measured=None): "
    "rules that the fixture driftkit_check applies in this test"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("driftkit", "regression checks of word vectors")
    group.addoption(
        "--driftkit-baseline",
        metavar="FILE",
        help="compare with this baseline in driftkit_check (see `driftkit baseline`)",
    )
    group.addoption(
        "--driftkit-update",
        action="store_true",
        help="write the values to --driftkit-baseline instead of checking; refused when CI "
        "is set, and for a table whose audit says not to ship it",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and refuse what would check nothing."""
    config.addinivalue_line("markers", MARKER)
    if config.getoption("--driftkit-update"):
        if config.getoption("--driftkit-baseline") is None:
            raise pytest.UsageError("--driftkit-update needs --driftkit-baseline FILE to write to.")
        if os.environ.get("CI"):
            raise pytest.UsageError(
                "--driftkit-update: CI is set, and a job that updates its own baseline checks "
                "nothing; update it where a person looks at the difference."
            )


class DriftkitCheck:
    """What the fixture returns: call it with an original and a tuned table."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._node: Any = request.node
        self._config = request.config

    def __call__(
        self,
        original: str | os.PathLike[str] | Embeddings,
        tuned: str | os.PathLike[str] | Embeddings,
        rules: Sequence[str] = (),
        *,
        profile: str | None = None,
        inconclusive: str | None = None,
        not_measured: str | None = None,
        vocab: str | os.PathLike[str] | None = None,
        original_vocab: str | os.PathLike[str] | None = None,
        base: str | os.PathLike[str] | None = None,
        **audit_options: Any,
    ) -> Verdict:
        """Audit, check, and fail the test when a rule is broken.

        Parameters
        ----------
        original, tuned : path or Embeddings
        rules : sequence of str
            Added to those of the marker.
        profile, inconclusive, not_measured : str, optional
            See `driftkit.check`; by default those of the marker.
        vocab, original_vocab : path, optional
            Words of tables that have none in their file.
        base : path, optional
            The model that an adapter changes.
        **audit_options
            Passed to `driftkit.audit`: ``benchmarks``, ``k``, ``candidates``, ...

        Returns
        -------
        Verdict
            Its state is ``"pass"`` or ``"warn"``.
        """
        import driftkit
        from driftkit.gate import baseline_of, make_policy, write_baseline
        from driftkit.gate.baseline import require_acceptable

        here = {"profile": profile, "inconclusive": inconclusive, "not_measured": not_measured}
        settings: dict[str, Any] = {name: value for name, value in here.items() if value}
        everything: list[str] = []
        for marker in self._node.iter_markers("driftkit"):
            everything += marker.args
            settings = {**marker.kwargs, **settings}  # the nearest marker wins
        everything += rules
        baseline = self._config.getoption("--driftkit-baseline")
        policy = make_policy(everything, baseline=baseline is not None, **settings)
        measures = [*audit_options.pop("measures", ()), *policy.measures]
        audit = driftkit.audit(
            driftkit.align(_table(original, original_vocab, base), _table(tuned, vocab, base)),
            measures=measures,
            **audit_options,
        )
        if self._config.getoption("--driftkit-update"):
            require_acceptable(audit)
            write_baseline(baseline_of(audit, policy.words, policy.bands), baseline)
            pytest.skip(f"wrote {baseline}; nothing was checked")
        verdict = driftkit.check(audit, everything, baseline=baseline, **settings)
        self._report(verdict)
        return verdict

    def _report(self, verdict: Verdict) -> None:
        """Put every value into pytest's own JUnit report, and the verdict into the test's."""
        from driftkit.display import to_text
        from driftkit.escaping import printable
        from driftkit.gate.reports.terminal import headline_first

        self._node.user_properties += [
            ("driftkit.state", verdict.state),
            ("driftkit.headline", printable(verdict.headline)),
            *(
                (
                    printable(f"driftkit {each.rule} ({each.subject})"),
                    f"{each.outcome}: {each.value:g}",
                )
                for each in verdict.results
            ),
        ]
        shown = to_text(headline_first(verdict))
        if verdict.exit_code:
            pytest.fail(shown, pytrace=False)
        if verdict.state == "warn":
            self._node.add_report_section("call", "driftkit", shown)


@pytest.fixture
def driftkit_check(request: pytest.FixtureRequest) -> DriftkitCheck:
    """Pass a tuned table through the gate: ``driftkit_check(original, tuned, rules=[...])``."""
    return DriftkitCheck(request)


def _table(
    given: str | os.PathLike[str] | Embeddings,
    vocab: str | os.PathLike[str] | None,
    base: str | os.PathLike[str] | None,
) -> Embeddings:
    import driftkit

    if isinstance(given, driftkit.Embeddings):
        return given
    return driftkit.load(given, vocab=vocab, base=base)
