"""What is said about a bad file of a space."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from search_spaces import InputError, Space

USERS = """\
name: mine
dimensions:
  family:
    choices:
      plain: {kind: spab}
      wide: {kind: distilling_group, units: $units}
  units: {choices: [1, 2], when: {family: wide}}
  blocks: {fill: {low: 1, high: 3}}
  channels:
    fill: {low: 8, high: 16, step: 4}
architecture:
  channels: $channels
  blocks:
    - repeat: $blocks
      use: [$family]
starting_points:
  one: {family: plain, blocks: 2, channels: 12}
"""


class TestUsersFile:
    def load(self, tmp_path: Path, text: str) -> Space:
        path = tmp_path / "mine.yaml"
        path.write_text(text)
        return Space.load(path)

    def test_good(self, tmp_path: Path) -> None:
        space = self.load(tmp_path, USERS)
        assert space.size == (1 + 2) * 3 * 3
        assert space.architecture(space.starting_points["one"], 2).blocks[0].kind == "spab"
        assert Space.load(str(tmp_path / "mine.yaml")) == space

    def test_choices_that_put_in_ever_more(self, tmp_path: Path) -> None:
        data = yaml.safe_load(USERS)
        for k in range(12):
            data["dimensions"][f"a{k}"] = {"choices": {"x": [f"$a{k + 1}"] * 8, "y": 1}}
        data["dimensions"]["a12"] = {"choices": [1, 2]}
        data["architecture"]["mean"] = "$a0"
        with pytest.raises(InputError, match="the choices put in more than 100000 values"):
            self.load(tmp_path, yaml.safe_dump(data, sort_keys=False))

    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            ("starting_points:", "starting_point:", ":16: unknown key 'starting_point': did you"),
            ("name: mine", "name: 3", ":1: name: expected a str, got 3"),
            ("name: mine\n", "", ": name: expected a str, got None"),
            ("$channels", "$chanels", ":12: unknown dimension $chanels: did you mean 'channels'"),
            ("channels: $channels", "chanels: $channels", ":12: unknown key 'chanels': did you"),
            ("$units", "$unit", ":6: unknown dimension $unit: did you mean 'units'"),
            ("family: wide", "famly: wide", ":7: units: when: 'famly' is no earlier dimension"),
            ("family: wide", "family: wild", ":7: units: when: family: expected one of"),
            ("{family: wide}", "[family]", ":7: units: when: expected a mapping"),
            ("{family: wide}", "{blocks: 1}", ":7: units: when: 'blocks' is no earlier"),
            ("high: 3}", "high: 0}", ":8: blocks: fill: expected positive low, high and step"),
            ("low: 1, high: 3", "low: 5, high: 3", ":8: blocks: fill: expected low <= high"),
            ("low: 1, high: 3", "low: 1", ":8: blocks: fill: expected positive low, high"),
            ("high: 16, step: 4", "high: 16, stpe: 4", ":10: channels: fill: expected positive"),
            ("high: 3}", "high: 1000000000000}", ":8: blocks: fill: expected at most 4096 val"),
            ("high: 3}", "high: 3.5}", ":8: blocks: fill: expected positive low, high"),
            ("blocks: {fill:", "blocks: {fil:", ":8: blocks: unknown key 'fil': did you mean"),
            ("{choices: [1, 2]", "{choices: []", ":7: units: choices: expected a list of val"),
            ("{choices: [1, 2]", "{choices: [1, [2]]", ":7: units: choices: expected a list"),
            ("{choices: [1, 2]", "{choices: [1, 1]", ":7: units: choices: expected each value"),
            ("{choices: [1, 2]", "{choices: [1, true]", ":7: units: choices: expected each v"),
            ("{choices: [1, 2]", "{choices: [1, 0]", "units: input should be greater"),
            ("choices: [1, 2], ", "", ":7: units: expected either 'choices' or 'fill'"),
            ("plain, blocks: 2", "plain, blocks: 9", ":17: starting_points: one: blocks: exp"),
            ("blocks: 2, channels: 12", "blocks: 2", ":17: starting_points: one: expected a val"),
            ("  one: {", "  - {", ":16: starting_points: expected a mapping"),
            (
                "units: $units",
                "units: $units, x: $family",
                ":11: architecture: a choice refers to itself",
            ),
            ("use: [$family]", "use: $family", "use: expected a list of mappings"),
            ("use: [$family]", "use: [$units]", "expected a value for dimension 'units'"),
            ("use: [$family]", "kind: spab", ":3: family: has no effect: say $family where"),
            ("kind: spab", "kind: spba", "unknown block 'spba': did you mean 'spab'"),
            ("kind: spab", "kind: spab, distilled: {share: x}", "share: expected a positive num"),
            ("kind: spab", "kind: spab, distilled: {share: .inf}", "share: expected a positive"),
            ("kind: spab", "kind: spab, distilled: {share: .nan}", "share: expected a positive"),
            ("repeat: $blocks", "repeat: 2", ":8: blocks: has no effect: say $blocks where it"),
        ],
    )
    def test_bad(self, tmp_path: Path, old: str, new: str, expected: str) -> None:
        assert USERS.count(old) == 1
        with pytest.raises(InputError) as caught:
            self.load(tmp_path, USERS.replace(old, new))
        message = str(caught.value)
        assert "\n" not in message
        where = str(tmp_path / "mine.yaml")
        assert message.startswith(where)
        said = message.removeprefix(where)
        assert said.startswith(expected) if expected.startswith(":") else expected in said, said

    def test_nothing_to_fill(self) -> None:
        with pytest.raises(InputError, match="at least one with 'fill'"):
            Space.from_dict(
                {
                    "name": "x",
                    "dimensions": {"stem": {"choices": ["conv", "pyramid"]}},
                    "architecture": {"channels": 8, "stem": "$stem", "blocks": ["spab"]},
                }
            )

    def test_a_filling_dimension_takes_no_condition(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"blocks: a dimension with 'fill' takes no condit"):
            self.load(
                tmp_path,
                USERS.replace("high: 3}}", "high: 3}, when: {family: wide}}"),
            )

    def test_conditions_stand_on_choices(self, tmp_path: Path) -> None:
        text = USERS.replace(
            "architecture:", "  s: {choices: [conv], when: {blocks: 1}}\narchitecture:"
        )
        with pytest.raises(InputError, match="s: when: 'blocks' has 'fill'"):
            self.load(tmp_path, text)

    def test_not_a_file(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="cannot be read"):
            Space.load(tmp_path / "none.yaml")
