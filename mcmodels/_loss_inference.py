"""What the fit of a loss of the user's says: as a likelihood where it is one, or by sandwiches."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, NoReturn, Unpack

from sklearn.utils.validation import check_is_fitted

from mcmodels._parameter_inference import ParameterInferenceMixin, RobustOptions, described
from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.loss_model import LossModelInference, LossRobustModel
from mcmodels.inference.summary import Summary, number
from mcmodels.objectives.user_loss import UserLoss
from mcmodels.rows.blocks import Array


class LossInferenceMixin(ParameterInferenceMixin):
    """Inference of ObjectiveRegressor and ObjectiveClassifier.

    With ``log_likelihood=True`` the inverse Hessian is the covariance. Of any loss the sandwich
    is, which needs the training rows: pass them with ``kind="HC0"`` or another robust kind.
    Formulas and sources are in :mod:`mcmodels.inference.loss_model`.
    """

    alpha: float
    log_likelihood: bool
    objective_: float
    status_: str
    _inner: Any
    _undetermined: str

    @property
    def log_likelihood_(self) -> float:
        """Minus the sum of the losses: the log-likelihood up to a constant, the penalty left out.

        Terms without η cancel in differences between fits of the same loss to the same rows, which
        is what likelihood-ratio tests are made of.
        """
        model = self._model()
        model.refuse_other_losses("a log-likelihood", "")
        return model.log_likelihood

    def summary(
        self,
        X: Any = None,
        y: Any = None,
        sample_weight: Any = None,
        *,
        level: float = 0.95,
        p_values: bool | None = None,
        **robust: Unpack[RobustOptions],
    ) -> Summary:
        """Coefficients with standard errors, tests and intervals.

        Parameters
        ----------
        X, y, sample_weight
            The training rows, for a robust ``kind``; a loss that is no likelihood needs them.
        level : float, default=0.95
            Of the intervals.
        p_values : bool, default=None
            Whether to print tests; by default of unpenalised fits only.
        **robust
            ``kind``, ``groups``, ``use_correction``, ``df_correction`` of :meth:`covariance`.

        Returns
        -------
        Summary
            ``print`` it; or ``to_frame()``, ``to_latex()``.
        """
        estimate = self._estimate(X, y, sample_weight, **robust)
        model = self._model()
        shown = not model.penalty if p_values is None else bool(p_values)
        facts = {
            "observations": number(model.n_observations),
            "covariance": described(estimate),
            "intervals": f"{100 * level:g} %",
            "loss": self._loss_text(),
        }
        conclusions = {"sum of losses": number(-model.log_likelihood)}
        notes: tuple[str, ...] = ()
        if model.penalty:
            facts["penalty"] = f"alpha |coefficients|²/2, alpha = {self.alpha:g}"
            notes = (
                "The fit is penalised: intervals lie round coefficients that are pulled towards "
                "zero, and their coverage is not that of an unpenalised fit (alpha=0).",
            )
        if self.status_ != "converged":
            notes = (*notes, f"The fit ended as {self.status_!r}.")
        table = estimate.table(level, p_values=shown)
        return Summary(type(self).__name__, facts, {"": table}, conclusions, notes)

    @abstractmethod
    def _loss_text(self) -> str:
        """The loss in words."""

    @abstractmethod
    def _user_loss(self) -> UserLoss:
        """The loss as rows see it."""

    @abstractmethod
    def _validated(self, X: Any, y: Any, sample_weight: Any) -> tuple[Any, Array, Array | None]:
        """X, targets of shape (n_samples,), and weights."""

    @abstractmethod
    def _formed_hessian(self) -> Array:
        """The Hessian; refuses where it was not formed."""

    def _model(self) -> LossModelInference:
        check_is_fitted(self)
        return LossModelInference(
            self.params_,
            self._formed_hessian(),
            self._inner,
            self.objective_,
            float(self.alpha),
            self._parameter_names(),
            bool(self.fit_intercept),
            self._undetermined,
            self._seen.total_weight,
            bool(self.log_likelihood),
        )

    def _at_maximum(self, what: str) -> NoReturn:
        model = self._model()
        model.refuse_other_losses(what, "")
        raise InferenceError(
            f"{what} needs the whole log-likelihood, and a loss tells it up to terms without eta. "
            "Compare fits of the same loss to the same rows: by likelihood_ratio_test(small, big), "
            "or by differences of -2 log_likelihood_ + 2 n_free_params_."
        )

    def _own_estimate(self) -> Estimate:
        model = self._model()
        model.refuse_other_losses(
            "the inverse of the Hessian as a covariance",
            "; else pass the training rows and a robust kind, as in covariance(X, y, kind='HC0')",
        )
        return model.estimate

    def _identified(self, estimate: Estimate, reference: Any) -> Estimate:
        if reference is not None:
            raise ValueError(f"reference={reference!r}: there are no classes to compare with.")
        return estimate

    def _robust_estimate(
        self, X: Any, y: Any, sample_weight: Any, kind: str, groups: Any, correct: tuple[bool, bool]
    ) -> Estimate:
        model = self._model()
        robust = LossRobustModel(model.whitening, self.params_, self._user_loss())
        X, targets, weights = self._validated(X, y, sample_weight)
        self._refuse_other_rows(X, weights)
        sandwich, _ = self._sandwich(robust, X, targets, weights, kind, groups, correct[0])
        V, T = sandwich.covariance, sandwich.root
        return Estimate(self.params_, V, model.names, kind=kind, root=T)
