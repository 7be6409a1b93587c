"""DQMQ: bits chosen for each input by a policy that is learned with the network."""

from bitfold.search.dqmq.method import DQMQ as DQMQ
