"""CSQ: bits and bit-widths as gates that grow hard while the network trains."""

from bitfold.search.csq.method import CSQ as CSQ
