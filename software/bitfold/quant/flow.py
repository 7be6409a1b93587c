"""How values flow between the modules of a model, as torch.fx traces it."""

import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeGuard, final

import torch
from torch import fx, nn

FREE = (nn.MaxPool2d, nn.Flatten, nn.Dropout, nn.ZeroPad3d)  # keep values on their grid
RECTIFIERS = (nn.ReLU, nn.ReLU6)
QUANTISABLE = (*RECTIFIERS, nn.Identity)  # modules that a quantiser may take the place of
AVERAGES = (nn.AvgPool2d, nn.AdaptiveAvgPool2d)
LAYERS = (nn.Conv2d, nn.Linear)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
ADDITIONS = (operator.add, operator.iadd, torch.add)

Kinds = tuple[type[nn.Module], ...]


@final
@dataclass(frozen=True, eq=False)
class Flow:
    """A traced model: nodes in order, and the module that each calls."""

    nodes: tuple[fx.Node, ...]
    modules: Mapping[str, nn.Module]

    @staticmethod
    def of(graph: fx.GraphModule) -> "Flow":
        """The flow of a traced model."""
        return Flow(tuple(graph.graph.nodes), dict(graph.named_modules()))

    def calls(self, node: object, kinds: Kinds) -> TypeGuard[fx.Node]:
        """Whether `node` calls a module of these kinds."""
        if not isinstance(node, fx.Node) or node.op != "call_module":
            return False
        return isinstance(self.modules[str(node.target)], kinds)

    def adds(self, node: object) -> TypeGuard[fx.Node]:
        """Whether `node` is an addition."""
        return isinstance(node, fx.Node) and node.op == "call_function" and node.target in ADDITIONS

    def origin(self, node: object, through: Kinds) -> object:
        """`node`, or what it reads through modules of these kinds."""
        while self.calls(node, through):
            node = node.args[0]
        return node

    def non_negative(self, node: object) -> bool:
        """Whether all values are certainly >= 0; those of the model's input (images) are."""
        node = self.origin(node, (*FREE, *AVERAGES, nn.Identity))
        if self.adds(node):
            return all(self.non_negative(each) for each in node.args)
        if isinstance(node, fx.Node) and node.op == "placeholder":
            return True
        return self.calls(node, RECTIFIERS)

    def only_user(self, node: fx.Node, kinds: Kinds) -> fx.Node | None:
        """The one node that reads `node`, if it calls a module of these kinds."""
        users = tuple(node.users)
        return users[0] if len(users) == 1 and self.calls(users[0], kinds) else None

    def reached(self, node: fx.Node, names: frozenset[str]) -> Iterator[str]:
        """Modules of `names` that read `node` element by element, largest of some at most."""
        for user in node.users:
            if user.op == "call_module" and user.target in names:
                yield str(user.target)
            elif self.calls(user, (*FREE, *QUANTISABLE)):
                yield from self.reached(user, names)
