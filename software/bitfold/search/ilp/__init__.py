"""Integer programs that choose one option per layer within limits."""

from bitfold.search.ilp.choose import choose as choose
from bitfold.search.ilp.limit import Bools as Bools
from bitfold.search.ilp.limit import Floats as Floats
from bitfold.search.ilp.limit import Limit as Limit
from bitfold.search.ilp.limit import Picks as Picks
from bitfold.search.ilp.limit import total as total
