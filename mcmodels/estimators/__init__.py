"""What the public estimators share: validation, streams, callbacks, classes, what a fit says."""
