"""Texts as people type them: right, or marked with what is not right yet."""

import numpy as np
import pytest

from tests.calculus.corpus import texts
from tests.calculus.corpus.texts import TEXTS, Text


@pytest.mark.filterwarnings("ignore::mcmodels.calculus.NonDifferentiableWarning")
@pytest.mark.parametrize("text", TEXTS, ids=str)
def test_a_text_is_what_it_is_marked_as(text):
    """A text that starts to work fails here until its mark is taken away."""
    verdict = text.judged()
    assert verdict.kind == text.expected, verdict.said


def test_marks_give_a_reason():
    for text in TEXTS:
        kind, _, reason = text.mark.partition(": ")
        assert not text.mark or (kind in ("refused", "clumsy") and reason), text


class TestTheJudge:
    """It must see what is wrong: each of these lines has one planted error."""

    def judged(self, text, value, by="x", book="", **names):
        names = names or {"x": "n", "A": "n,n"}
        return Text("planted", "", text, names, tuple(by.split()), value, book, "").judged().kind

    def test_right(self):
        assert self.judged("x.T @ A @ x", "x @ A @ x", book="(A + Aᵀ)x") == "right"

    def test_another_value(self):
        assert self.judged("x.T @ A @ x", "x @ A @ x + 1e-6") == "wrong"

    @pytest.mark.parametrize("by", ["x", "x x"])
    def test_another_derivative(self, monkeypatch, by):
        def planted(self, f):
            G = f.gradient("x") if len(self.by) == 1 else f.hessian("x")
            return 1.00001 * G

        monkeypatch.setattr(texts.Text, "_derivative", planted)
        assert self.judged("x.T @ A @ x", "x @ A @ x", by) == "wrong"

    def test_a_transposed_jacobian(self, monkeypatch):
        monkeypatch.setattr(texts.Text, "_derivative", lambda self, f: f.jacobian("x").T)
        assert self.judged("A @ x", "A @ x") == "wrong"

    def test_a_long_form(self):
        assert self.judged("x.T @ A @ x", "x @ A @ x", book="2x") == "clumsy"

    def test_a_refusal(self):
        assert self.judged("nothing(x)", "x") == "refused"

    def test_differences_are_as_exact_as_their_tolerance_says(self):
        rng = np.random.default_rng(0)
        A, x = rng.standard_normal((4, 4)), rng.standard_normal(4)
        values = {"x": x, "A": A}
        quartic = Text("", "", "", {"x": "n"}, ("x",), "(x @ A @ x) ** 2 * exp(x[0])", "", "")
        expected = 2 * (x @ A @ x) * (A + A.T) @ x * np.exp(x[0])
        expected[0] += (x @ A @ x) ** 2 * np.exp(x[0])
        # A hundredth of what is allowed to the engine.
        np.testing.assert_allclose(quartic._differences(values), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("text", [text for text in TEXTS if text.mark], ids=str)
def test_a_marked_text_has_an_answer_too(text):
    """So that it is judged by that once it is read."""
    values = text._values(seed=0)
    assert np.isfinite(text._differences(values)).all()
