"""Functions of NumPy and SciPy as CuPy has them: arrays of the card in and out."""

import functools
import importlib

from cupy._arrays import down, refuse_host, up

TAKE_HOST_ARRAYS = {"hstack", "vstack", "atleast_1d", "atleast_2d", "empty_like", "zeros_like", "ones_like", "split"}
"""CuPy brings what these functions are given to the card by itself, or takes indices from the host."""


def on_card(function):
    """Wrap a function of the host's arrays into one of the card's."""

    @functools.wraps(function)
    def call(*arguments, **words):
        if function.__name__ not in TAKE_HOST_ARRAYS:
            refuse_host((*arguments, *words.values()))
        result = function(*down(arguments), **down(words))
        if words.get("out") is not None:
            return words["out"]
        return up(result)

    return call


def functions_of(name):
    """Give a module's `__getattr__`: functions of the module of that name, wrapped; types and constants as they are."""

    def find(attribute):
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        found = getattr(importlib.import_module(name), attribute)
        return found if isinstance(found, type) or not callable(found) else on_card(found)

    return find
