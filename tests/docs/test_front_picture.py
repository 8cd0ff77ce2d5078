"""The picture of the front page is made by its script, and stands on both front pages."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from docs.make_front_picture import data, ellipse, main
from mcmodels import LogisticRegression

ROOT = Path(__file__).parents[2]


def test_the_script_makes_it(tmp_path):
    main(["--out", str(tmp_path / "front.png")])
    assert (tmp_path / "front.png").read_bytes().startswith(b"\x89PNG")


def test_it_stands_on_both_pages():
    assert (ROOT / "docs" / "front.png").stat().st_size < 250_000
    assert "](docs/front.png)" in (ROOT / "README.md").read_text()
    assert "{image} front.png" in (ROOT / "docs" / "index.md").read_text()


def test_the_ellipse_is_that_of_the_hessian():
    X, y, _ = data()
    model = LogisticRegression(C=np.inf).fit(X, y)
    away = ellipse(np.ravel(model.params_), model.covariance_) - np.ravel(model.params_)[:, None]
    rises = np.einsum("ik,ij,jk->k", away, model.hessian_, away)
    np.testing.assert_allclose(rises, 5.991465, rtol=1e-6)  # χ² with two degrees of freedom
