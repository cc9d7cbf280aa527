"""The numbers by which spaCy files its words: a hash, or a fixed number for its own symbols."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

# spaCy 2 and 3 give names of its own a fixed number in place of the hash (spacy/symbols.pyx); of
# these, here are the ones that may be words. A test compares them with spaCy's.
_SYMBOLS = {
    64: "ID ORTH LOWER NORM SHAPE PREFIX SUFFIX LENGTH CLUSTER LEMMA POS TAG DEP",
    79: "HEAD",
    81: (
        "SPACY PROB LANG ADJ ADP ADV AUX CONJ CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ "
        "SYM VERB X EOL SPACE"
    ),
    380: "PERSON NORP FACILITY ORG GPE LOC PRODUCT EVENT",
    389: (
        "LANGUAGE LAW DATE TIME PERCENT MONEY QUANTITY ORDINAL CARDINAL acomp advcl advmod agent "
        "amod appos attr aux auxpass cc ccomp complm conj cop csubj csubjpass dep det dobj expl "
        "hmod hyph infmod intj iobj mark meta neg nmod nn npadvmod nsubj nsubjpass num number oprd "
        "obj obl parataxis partmod pcomp pobj poss possessive preconj prep prt punct quantmod "
        "relcl rcmod root xcomp acl"
    ),
    453: "MORPH",
    455: "IDX _",
}
SYMBOLS = {
    word: first + place
    for first, words in _SYMBOLS.items()
    for place, word in enumerate(words.split())
}

_SEED = 1
_MULTIPLIER, _SHIFT = 0xC6A4A7935BD1E995, np.uint64(47)  # of MurmurHash64A, by Austin Appleby


def keys_of(words: Iterable[str]) -> dict[int, str]:
    """Return each word by its number, symbols included.

    Examples
    --------
    >>> keys = keys_of(["coffee"])
    >>> keys[3197928453018144401], keys[432]
    ('coffee', 'number')
    """
    by_length: dict[int, list[bytes]] = {}
    for word in words:
        encoded = word.encode("utf-8", "surrogatepass")
        by_length.setdefault(len(encoded), []).append(encoded)
    keys: dict[int, str] = {}
    for some in by_length.values():
        hashed = _hash(some).tolist()
        keys |= {
            key: word.decode("utf-8", "surrogatepass")
            for key, word in zip(hashed, some, strict=True)
        }
    return keys | {number: word for word, number in SYMBOLS.items()}


def _hash(words: list[bytes]) -> npt.NDArray[np.uint64]:
    """MurmurHash64A of words that have the same number of bytes."""
    length, multiplier = len(words[0]), np.uint64(_MULTIPLIER)
    padded = -(-length // 8) * 8
    joined = b"".join(word.ljust(padded, b"\0") for word in words)
    blocks = np.frombuffer(joined, "<u8").astype(np.uint64).reshape(len(words), padded // 8)
    start = _SEED ^ (length * _MULTIPLIER) & 0xFFFF_FFFF_FFFF_FFFF
    found = np.full(len(words), start, np.uint64)
    for number in range(length // 8):
        block = blocks[:, number] * multiplier
        block = (block ^ block >> _SHIFT) * multiplier
        found = (found ^ block) * multiplier
    if length % 8:
        found = (found ^ blocks[:, -1]) * multiplier
    found = (found ^ found >> _SHIFT) * multiplier
    return found ^ found >> _SHIFT
