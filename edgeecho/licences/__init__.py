"""Licences of what is installed: EdgeEcho's code, the packages that it brings, and the weights of the models."""

from edgeecho.licences.packages import Package, installed_packages
from edgeecho.licences.weights import Weights, installed_weights

__all__ = ["Package", "Weights", "installed_packages", "installed_weights"]
