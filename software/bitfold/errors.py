"""Everything a user can do wrong, as exceptions. The command line turns each into exit code 2.

    BitfoldError
      ConfigError      a run file, an option, a budget
        BudgetError    a budget that nothing can meet; says the least possible
      DataError        a data set that is missing or damaged
      ModelError       a model file that cannot be read
        UnsupportedOp  a node, type or shape that bitfold does not compile
      PolicyError      bit-widths that do not fit the model
      ArtefactError    one of bitfold's own files is missing, damaged or of another version
      ToolNotFound     a program that a step needs is not installed
      ToolFailed       a program ran and said no
      MismatchError    hardware and golden model disagree

A message names the subject (file, node, key), the rule, what came, and the remedy.
"""


class BitfoldError(Exception):
    """Root of the tree; never raised itself."""


class ConfigError(BitfoldError):
    """A run file, an option or a combination of them is wrong."""


class BudgetError(ConfigError):
    """No choice of bits or folding meets the budget."""


class DataError(BitfoldError):
    """A data set is missing or damaged."""


class ModelError(BitfoldError):
    """A model file cannot be read."""


class UnsupportedOp(ModelError):
    """A node, type or shape that bitfold does not compile."""


class PolicyError(BitfoldError):
    """Bit-widths that do not fit the model they are meant for."""


class ArtefactError(BitfoldError):
    """One of bitfold's own files is missing, damaged or of another version."""


class ToolNotFound(BitfoldError):
    """A program that a step needs is not installed."""


class ToolFailed(BitfoldError):
    """A program ran and reported failure."""


class MismatchError(BitfoldError):
    """Two evaluations that must be equal differ."""
