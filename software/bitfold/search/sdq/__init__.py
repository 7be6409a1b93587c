"""SDQ: the search by stochastic choice, and the bin regularisation of its second phase."""

from bitfold.search.sdq.method import SDQ as SDQ
