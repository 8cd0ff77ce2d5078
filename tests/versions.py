"""Which scikit-learn runs the tests, for what older versions do not have or do otherwise."""

import pytest
import sklearn
from packaging.version import Version

SCIKIT_LEARN = Version(sklearn.__version__)
BEFORE_1_7 = Version("1.7") > SCIKIT_LEARN
BEFORE_1_8 = Version("1.8") > SCIKIT_LEARN
BEFORE_1_9 = Version("1.9") > SCIKIT_LEARN

# Of KBinsDiscretizer, whose default changes: it has been named since 1.7.
AVERAGED_QUANTILES = {} if BEFORE_1_7 else {"quantile_method": "averaged_inverted_cdf"}
LINEAR_QUANTILES = {} if BEFORE_1_7 else {"quantile_method": "linear"}

needs_callbacks = pytest.mark.skipif(BEFORE_1_9, reason="scikit-learn has callbacks since 1.9")
