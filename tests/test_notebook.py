"""The notebook of docs/, run from a fresh kernel: tables in HTML, a picture, no error."""

from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
pytest.importorskip("matplotlib")

NOTEBOOK = Path(__file__).parents[1] / "docs" / "notebooks" / "inference.ipynb"


@pytest.fixture(scope="module")
def cells():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = nbclient.NotebookClient(
        notebook, timeout=120, resources={"metadata": {"path": str(NOTEBOOK.parent)}}
    )
    client.execute()  # raises where a cell does
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(cells, mime):
    """What the cells show of a kind, by the position of the cell."""
    return {
        k: output["data"][mime]
        for k, cell in enumerate(cells)
        for output in cell.outputs
        if mime in output.get("data", {})
    }


def test_no_cell_warns_or_fails(cells):
    kinds = {output.output_type for cell in cells for output in cell.outputs}
    assert kinds == {"execute_result"}


def test_models_tests_and_summaries_are_tables(cells):
    shown = outputs(cells, "text/html")
    tables = [html for html in shown.values() if "<table" in html]
    assert len(tables) == 5  # model, summary, test, influence, comparison
    model, summary = tables[:2]
    assert "sk-container" in model  # scikit-learn's diagram stays
    assert "converged" in model
    assert "HC3" in summary
    for name in ("education", "income"):
        assert name in model
        assert name in summary


def test_the_effect_is_a_picture(cells):
    (picture,) = outputs(cells, "image/png").values()
    assert len(picture) > 5_000  # base64 of a PNG that is not blank


def test_the_stored_outputs_are_those_of_the_code(cells):
    stored = nbformat.read(NOTEBOOK, as_version=4)
    stored = [cell for cell in stored.cells if cell.cell_type == "code"]
    for mime in ("text/plain",):
        assert outputs(stored, mime).keys() == outputs(cells, mime).keys()
    # The comparison, of which all digits shown are those of any machine.
    last = max(outputs(stored, "text/html"))
    assert outputs(stored, "text/plain")[last] == outputs(cells, "text/plain")[last]
