"""A callback of scikit-learn that writes down what it is told."""


class Recorder:
    """A callback that writes down what it is told."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.events = []

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, X, y):
        self.events.append(("begin", context.task_name, context.task_id, X.shape))

    def on_fit_task_end(self, estimator, context, *, X, fitted_estimator):
        self.events.append(("end", context.task_name, context.task_id, fitted_estimator.predict(X)))
        return context.task_name != "fit" and context.task_id + 1 == self.stop_after

    def ends(self, task_name):
        """What was told when tasks of this name ended."""
        return [event for event in self.events if event[0] == "end" and event[1] == task_name]
