"""Samples that a design is verified on."""

import numpy as np
import pytest

from bitfold.compiler.compile import compile_graph
from bitfold.errors import ArtefactError
from bitfold.sim.samples import random_samples, read_samples
from bitfold.sim.verify import verify_design
from integer_graphs import digits_like, mlp


@pytest.mark.parametrize("graph", [digits_like(), mlp(bipolar=True)], ids=["range", "bipolar"])
def test_random_samples_take_every_value_of_the_input(graph):
    kind = graph.input_type
    codes = random_samples(graph, 50)
    assert codes.shape == (50, *kind.shape)
    wanted = [-1, 1] if kind.bipolar else list(range(kind.min, kind.max + 1))
    assert np.unique(codes).tolist() == wanted


def test_samples_of_another_shape_are_refused(tmp_path):
    folder = tmp_path / "design"
    compile_graph(mlp(), folder, source={}, fps=50_000)
    samples = tmp_path / "test.npz"
    np.savez(samples, x=np.zeros((4, 7), np.float32))
    rule = r"x has shape \(7,\) a sample, the model reads \(32,\)"
    with pytest.raises(ArtefactError, match=rule):
        verify_design(folder, samples=samples)


@pytest.mark.parametrize("x", [np.array([[np.nan] * 32]), np.array([["1"] * 32])])
def test_samples_that_are_no_numbers_are_refused(x, tmp_path):
    np.savez(tmp_path / "test.npz", x=x)
    with pytest.raises(ArtefactError, match=r"test\.npz: x holds what is not a number \("):
        read_samples(tmp_path / "test.npz", mlp())


def test_unreadable_samples_are_refused(tmp_path):
    folder = tmp_path / "design"
    compile_graph(mlp(), folder, source={}, fps=50_000)
    samples = tmp_path / "test.npz"
    samples.write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(ArtefactError, match=r"test\.npz: no readable samples"):
        verify_design(folder, samples=samples)
