"""What is reported of fitted models: results of pipelines, effects, terms, tables side by side."""
