"""BSQ: bit-widths found by driving whole bit planes to zero."""

from bitfold.search.bsq.method import BSQ as BSQ
