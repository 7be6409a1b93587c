"""The table of methods: name in the run file -> how to make it from its settings."""

from collections.abc import Callable, Mapping

from bitfold.runfile import SearchBsq, SearchCsq, SearchLimpq, SearchUniform
from bitfold.search.bsq import BSQ
from bitfold.search.csq import CSQ
from bitfold.search.limpq import LIMPQ
from bitfold.search.method import Method
from bitfold.search.problem import Problem
from bitfold.search.uniform import Uniform
from bitfold.search.weights import activation_bits

Settings = SearchUniform | SearchLimpq | SearchBsq | SearchCsq


def _bsq(settings: Settings, problem: Problem) -> Method:
    assert isinstance(settings, SearchBsq)
    a_bits = activation_bits(problem, settings.a_bits, problem.like_uniform)
    return BSQ(problem, settings, a_bits)


def _csq(settings: Settings, problem: Problem) -> Method:
    assert isinstance(settings, SearchCsq)
    a_bits = activation_bits(problem, settings.a_bits, problem.like_uniform)
    return CSQ(problem, settings, a_bits)


def _limpq(settings: Settings, problem: Problem) -> Method:
    assert isinstance(settings, SearchLimpq)
    return LIMPQ(problem, alpha=settings.alpha, tied=settings.tied)


def _uniform(settings: Settings, problem: Problem) -> Method:
    return Uniform(problem)


METHODS: Mapping[str, Callable[[Settings, Problem], Method]] = {
    "bsq": _bsq,
    "csq": _csq,
    "limpq": _limpq,
    "uniform": _uniform,
}
