"""The table of methods: name in the run file -> how to make it from its settings."""

from collections.abc import Callable, Mapping

from bitfold.runfile import SearchLimpq, SearchUniform
from bitfold.search.limpq import LIMPQ
from bitfold.search.method import Method
from bitfold.search.problem import Problem
from bitfold.search.uniform import Uniform

Settings = SearchUniform | SearchLimpq


def _limpq(settings: Settings, problem: Problem) -> Method:
    assert isinstance(settings, SearchLimpq)
    return LIMPQ(problem, alpha=settings.alpha, tied=settings.tied)


def _uniform(settings: Settings, problem: Problem) -> Method:
    return Uniform(problem)


METHODS: Mapping[str, Callable[[Settings, Problem], Method]] = {
    "limpq": _limpq,
    "uniform": _uniform,
}
