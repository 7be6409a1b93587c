"""[search] of the run file: one class a method, and the table of them."""

from collections.abc import Mapping

from bitfold.runfile.search.base import Search as Search
from bitfold.runfile.search.base import TrainedSearch as TrainedSearch
from bitfold.runfile.search.base import WeightSearch as WeightSearch
from bitfold.runfile.search.baselines import SearchGreedy as SearchGreedy
from bitfold.runfile.search.baselines import SearchRandom as SearchRandom
from bitfold.runfile.search.baselines import SearchUniform as SearchUniform
from bitfold.runfile.search.bsq import SearchBsq as SearchBsq
from bitfold.runfile.search.csq import SearchCsq as SearchCsq
from bitfold.runfile.search.dqmq import SearchDqmq as SearchDqmq
from bitfold.runfile.search.limpq import SearchLimpq as SearchLimpq
from bitfold.runfile.search.limpq import SearchReversed as SearchReversed
from bitfold.runfile.search.sdq import SearchSdq as SearchSdq

# Baselines first.
SEARCHES: Mapping[str, type[Search]] = {
    "uniform": SearchUniform,
    "random": SearchRandom,
    "greedy": SearchGreedy,
    "reversed": SearchReversed,
    "limpq": SearchLimpq,
    "bsq": SearchBsq,
    "csq": SearchCsq,
    "sdq": SearchSdq,
    "dqmq": SearchDqmq,
}
