"""Models on data sets: the figures that count."""

from edgeecho.evaluate.dice import Scores, evaluate_model, print_scores

__all__ = ["Scores", "evaluate_model", "print_scores"]
