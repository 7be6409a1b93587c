"""SDQ: the search by stochastic choice, and the bin regularisation of its second phase."""
