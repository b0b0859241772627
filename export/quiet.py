"""Suppression of what other packages log and warn of while EdgeEcho calls them."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet(*loggers: str, level: int = logging.ERROR) -> Iterator[None]:
    """Suppress Python warnings, and log records below a level, for the length of a block.

    The level of the root logger is the user's and stays; records that a package logs there itself are filtered out.

    Args:
        loggers: Names of the packages' loggers.
        level: Level of the least severe records that pass.
    """

    def passes(record: logging.LogRecord) -> bool:
        return record.levelno >= level

    root, named = logging.getLogger(), [logging.getLogger(name) for name in loggers]
    before = [logger.level for logger in named]
    handler = logging.NullHandler()  # without any, the first record would give the root logger one for good
    root.addHandler(handler)
    root.addFilter(passes)
    for logger in named:
        logger.setLevel(level)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.removeFilter(passes)
        root.removeHandler(handler)
        for logger, earlier in zip(named, before, strict=True):
            logger.setLevel(earlier)
