"""What an answer to a question is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from driftkit.display import OneLine

Question = Literal["input", "vocabulary", "knowledge", "neighbors", "link", "numbers"]
Status = Literal["kept", "changed", "broken", "not tested"]

QUESTIONS: tuple[Question, ...] = get_args(Question)
STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True, slots=True)
class Finding(OneLine):
    """The answer to one question.

    Parameters
    ----------
    question : {"input", "vocabulary", "knowledge", "neighbors", "link", "numbers"}
    status : {"kept", "changed", "broken", "not tested"}
    sentence : str
        The answer as a clause without a full stop, such as ``"40 words were removed"``.
    evidence : mapping of str to object
        The values it rests on, ready for JSON.
    """

    question: Question
    status: Status
    sentence: str
    evidence: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "question": self.question,
            "status": self.status,
            "sentence": self.sentence,
            "evidence": dict(self.evidence),
        }


def worst(*statuses: Status) -> Status:
    """Return the gravest status: broken, then changed, then not tested, then kept.

    Examples
    --------
    >>> worst("kept", "broken", "not tested"), worst()
    ('broken', 'kept')
    """
    order: tuple[Status, ...] = ("kept", "not tested", "changed", "broken")
    return max(statuses, key=order.index, default="kept")
