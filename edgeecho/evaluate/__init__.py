"""Evaluation of models on data sets: figures with their intervals."""

from edgeecho.evaluate.figures import Figure
from edgeecho.evaluate.ladder import evaluate_ladder
from edgeecho.evaluate.ladder_report import render_ladder, write_ladder
from edgeecho.evaluate.ladder_scores import LadderScores
from edgeecho.evaluate.report import write_report
from edgeecho.evaluate.run import Segmenter, evaluate_items, evaluate_masks, evaluate_model, evaluate_network
from edgeecho.evaluate.scores import Failure, Scores
from edgeecho.evaluate.table import render_scores

__all__ = [
    "Failure",
    "Figure",
    "LadderScores",
    "Scores",
    "Segmenter",
    "evaluate_items",
    "evaluate_ladder",
    "evaluate_masks",
    "evaluate_model",
    "evaluate_network",
    "render_ladder",
    "render_scores",
    "write_ladder",
    "write_report",
]
