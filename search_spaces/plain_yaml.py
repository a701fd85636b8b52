"""A strict kind of YAML: plain data, no more of it in memory than the text is worth."""

from __future__ import annotations

from typing import Any, ClassVar

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError
from yaml.scanner import ScannerError

__all__ = ["plain_data"]

_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
_PLAIN = ("null", "bool", "int", "float", "str", "seq", "map")

# A network of 256 blocks, each unlike the others, has a half; PyYAML reads them in seconds.
_MOST_VALUES = 20_000
# A float of 64 bits needs 24 characters; longer numbers take time that grows with their square.
_LONGEST_NUMBER = 40
_DEEPEST = 50


def plain_data(text: str) -> Any:
    """Words, numbers, truth values, lists and mappings of words to these.

    Dates stay words, as keys do whatever they look like. Aliases are read, but what they stand for
    counts as often as they stand for it.

    Raises:
        yaml.YAMLError: not YAML, other tags, merge keys, a key given twice, a value that is not
            what its tag says, or more than 20,000 values once the aliases are followed.
        ValueError, ArithmeticError: not YAML, which PyYAML didn't notice.
        RecursionError: nested too deeply.
    """
    loader = _PlainLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _counted(node, {})
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _without_dates() -> dict[str, list[Any]]:
    return {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != f"{_TAG}timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


class _PlainLoader(yaml.SafeLoader):
    """The safe loader, less what plain data doesn't need; a key given twice is an error."""

    yaml_constructors: ClassVar[dict[str | None, Any]] = {
        tag: constructor
        for tag, constructor in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.removeprefix(_TAG) in _PLAIN
    }
    yaml_implicit_resolvers = _without_dates()

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._composed = 0

    def fetch_flow_collection_start(self, TokenClass: type[yaml.Token]) -> None:
        # At each token the scanner looks at every bracket that is open.
        if self.flow_level >= _DEEPEST:
            raise ScannerError(None, None, "nested too deeply", self.get_mark())
        super().fetch_flow_collection_start(TokenClass)

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self._composed += 1
        if self._composed > _MOST_VALUES:
            raise ComposerError(None, None, f"more than {_MOST_VALUES} values", self.get_mark())
        return super().compose_node(parent, index)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (yaml.YAMLError, RecursionError):
            raise
        # ``!!bool x`` is a KeyError, ``!!int x`` a ValueError, a giant an OverflowError.
        except Exception:
            kind = node.tag.removeprefix(_TAG)
            raise _error(node, f"not a value of the kind {kind}") from None

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        # The safe loader takes a mapping with the key "=" for a scalar.
        if not isinstance(node, yaml.ScalarNode):
            raise _error(node, f"expected a value of the kind {node.tag.removeprefix(_TAG)}")
        return super().construct_scalar(node)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise _error(node, "expected a mapping")
        found: dict[Any, Any] = {}
        for key, value in node.value:
            if key.value in found:
                raise _error(key, f"key {key.value!r} is given twice")
            found[key.value] = self.construct_object(value, deep)
        return found


def _counted(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values a node stands for, itself included; each node is looked at once."""
    if id(node) in known:
        if not known[id(node)]:
            raise _error(node, "it holds itself")
        return known[id(node)]
    known[id(node)] = 0
    count = 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _check_key(key)
            count += 1 + _counted(value, known)
    elif isinstance(node, yaml.SequenceNode):
        count += sum(_counted(one, known) for one in node.value)
    else:
        _check_scalar(node)
    if count > _MOST_VALUES:
        raise _error(node, f"more than {_MOST_VALUES} values, as often as aliases repeat them")
    known[id(node)] = count
    return count


def _check_key(key: yaml.Node) -> None:
    if not isinstance(key, yaml.ScalarNode):
        raise _error(key, "a key has to be a plain word")
    if key.tag == _MERGE:
        raise _error(key, "merge keys (<<) are not read: write the keys out")
    _check_text(key)


def _check_scalar(node: yaml.Node) -> None:
    _check_text(node)
    kind = node.tag.removeprefix(_TAG)
    if kind in ("int", "float") and len(node.value) > _LONGEST_NUMBER:
        raise _error(node, f"a number of {len(node.value)} characters")


def _check_text(node: yaml.Node) -> None:
    # "\\ud800" is half of a character: no file and no terminal takes it.
    if not node.value.isascii() and any("\ud800" <= one <= "\udfff" for one in node.value):
        raise _error(node, "half of a character (a surrogate)")


def _error(node: yaml.Node, problem: str) -> ConstructorError:
    return ConstructorError(None, None, problem, node.start_mark)
