import numpy as np
import pytest

from driftkit.errors import SourceError
from driftkit.loaders.formats.registry import ACCEPTED, LAYOUTS, find_layout
from driftkit.loaders.request import parse


def test_content_speaks_before_the_name(tmp_path):
    path = tmp_path / "vectors.txt"
    with path.open("wb") as file:
        np.save(file, np.ones((2, 3), np.float32))
    assert find_layout(parse(path)).name == "npy"


def test_every_layout_is_named_in_the_message_for_what_is_none_of_them(tmp_path):
    path = tmp_path / "noise.dat"
    path.write_bytes(bytes(range(256)) * 8)
    with pytest.raises(SourceError) as caught:
        find_layout(parse(path))
    assert ACCEPTED in str(caught.value)
    assert all(layout.title in ACCEPTED for layout in LAYOUTS)


def test_a_name_that_promises_what_the_content_is_not_is_told(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(bytes(range(256)) * 8)
    with pytest.raises(SourceError, match=r"is named like \.safetensors but does not hold it"):
        find_layout(parse(path))
