"""Code that the public estimators share: validation, streams, callbacks, classes, inference."""
