"""The table of methods: name in the run file -> how to make it from its settings."""

from collections.abc import Callable, Mapping

from bitfold.runfile import (
    Search,
    SearchBsq,
    SearchCsq,
    SearchDqmq,
    SearchGreedy,
    SearchLimpq,
    SearchRandom,
    SearchReversed,
    SearchSdq,
    WeightSearch,
)
from bitfold.search.bsq import BSQ
from bitfold.search.csq import CSQ
from bitfold.search.dqmq import DQMQ
from bitfold.search.greedy import Greedy
from bitfold.search.limpq import LIMPQ
from bitfold.search.method import Method
from bitfold.search.problem import Problem
from bitfold.search.random import Random
from bitfold.search.sdq import SDQ
from bitfold.search.uniform import Uniform
from bitfold.search.weights import activation_bits


def _uniform(settings: Search, problem: Problem) -> Method:
    return Uniform(problem)


def _random(settings: Search, problem: Problem) -> Method:
    assert isinstance(settings, SearchRandom)
    return Random(problem, draw=settings.draw, tied=settings.tied)


def _greedy(settings: Search, problem: Problem) -> Method:
    assert isinstance(settings, SearchGreedy)
    return Greedy(problem, images=settings.images)


def _reversed(settings: Search, problem: Problem) -> Method:
    assert isinstance(settings, SearchReversed)
    return LIMPQ(problem, alpha=settings.alpha, tied=settings.tied, reverse=True)


def _limpq(settings: Search, problem: Problem) -> Method:
    assert isinstance(settings, SearchLimpq)
    return LIMPQ(problem, alpha=settings.alpha, tied=settings.tied)


def _bsq(settings: Search, problem: Problem) -> Method:
    assert isinstance(settings, SearchBsq)
    return BSQ(problem, settings, _activation_bits(settings, problem))


def _csq(settings: Search, problem: Problem) -> Method:
    assert isinstance(settings, SearchCsq)
    return CSQ(problem, settings, _activation_bits(settings, problem))


def _sdq(settings: Search, problem: Problem) -> Method:
    assert isinstance(settings, SearchSdq)
    return SDQ(problem, settings, _activation_bits(settings, problem))


def _dqmq(settings: Search, problem: Problem) -> Method:
    assert isinstance(settings, SearchDqmq)
    return DQMQ(problem, settings)


def _activation_bits(settings: WeightSearch, problem: Problem) -> int:
    return activation_bits(problem, settings.a_bits, problem.like_uniform)


METHODS: Mapping[str, Callable[[Search, Problem], Method]] = {
    "uniform": _uniform,
    "random": _random,
    "greedy": _greedy,
    "reversed": _reversed,
    "limpq": _limpq,
    "bsq": _bsq,
    "csq": _csq,
    "sdq": _sdq,
    "dqmq": _dqmq,
}
