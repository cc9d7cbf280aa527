"""The notebook of the documentation runs from top to bottom, and shows what its text says."""

import re
import shutil
import warnings
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebooks" / "monitor.ipynb"


@pytest.mark.slow
def test_from_glove_to_the_audit(glove, tmp_path):
    pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    shutil.copy(NOTEBOOK, tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of jupyter about its paths and event loops
        import nbformat
        from nbclient import NotebookClient

        notebook = nbformat.read(tmp_path / NOTEBOOK.name, as_version=4)
        NotebookClient(
            notebook,
            timeout=300,
            kernel_name="python3",
            resources={"metadata": {"path": str(tmp_path)}},
        ).execute()
    shown = [
        "".join(output["data"].get("text/plain", ""))
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "execute_result"
    ]
    stopped, history, audit = shown[1], shown[2], shown[3]
    assert re.search(r"overlap@10 fell from 1 to 0\.\d+, by more than 0\.1, at step \d+", stopped)
    assert "spearman[ws353]" in history
    assert re.search("safe to ship|ship with care|undecided|do not ship", audit, re.IGNORECASE)
    assert (tmp_path / "tuned.pt").is_file()
