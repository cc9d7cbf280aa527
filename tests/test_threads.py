import pytest
import torch

from driftkit.threads import torch_threads_kept


def test_torch_keeps_its_threads_whatever_changes_them_and_however_it_ends():
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError), torch_threads_kept() as allowed:
        assert allowed == before
        torch.set_num_threads(before + 2)
        _ = 1 / 0
    assert torch.get_num_threads() == before
