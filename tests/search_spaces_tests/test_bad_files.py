"""Files that no one should have written: one line, the right place, never executed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from search_spaces import Architecture, InputError

GOOD = """\
scale: 4
channels: 16
blocks:
  - kind: distillation
    repeat: 4
    stages: 3
    distillation: fdc
    distilled: 8
    attention: {kind: esa, width: 4}
image_skip: bilinear
"""


def problem(tmp_path: Path, text: str | bytes) -> str:
    """What is said about a file, behind its path; in one line and in little time."""
    path = tmp_path / "network.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    began = time.perf_counter()
    with pytest.raises(InputError) as caught:
        Architecture.load(path)
    assert time.perf_counter() - began < 5
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 500 + len(str(path))
    assert message.startswith(str(path))
    return message.removeprefix(str(path))


def test_the_good_one(tmp_path: Path) -> None:
    path = tmp_path / "network.yaml"
    path.write_text(GOOD)
    assert len(Architecture.load(path).blocks) == 4
    assert Architecture.load(str(path)) == Architecture.load(path)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("channels:", "chanels:", ":2: unknown key 'chanels': did you mean 'channels'?"),
        ("channels: 16", "channels: x", ":2: channels: input should be a valid integer, got 'x'"),
        ("scale: 4", "scale: 5", ":1: scale: input should be 1, 2, 3 or 4, got 5"),
        ("stages:", "stagess:", ":6: blocks.0: block 'distillation': unknown key 'stagess'"),
        ("stages: 3", "stages: 0", ":6: blocks.0: block 'distillation': stages: input should"),
        ("distilled: 8", "distilled: [8]", ":8: blocks: block 'distillation': distilled: exp"),
        ("distilled: 8", "distilled: -1", ":8: blocks.0: block 'distillation': distilled: exp"),
        ("kind: esa", "kind: eza", ":9: blocks.0: block 'distillation': attention: unknown at"),
        ("width: 4", "widht: 4", ":9: blocks.0: block 'distillation': attention: attention 'esa'"),
        ("repeat: 4", "repeat: 100000000", ":5: repeat: expected a number in 1..256, got 1000"),
        ("bilinear", "[bilinear]", ":10: image_skip: image_skip: expected a name or a map"),
        ("bilinear", "{kind: linear, kernal: 5}", ":10: image_skip: image_skip 'linear': unknown"),
        ("channels: 16", "channels: 16\nchannels: 8", ":3: key 'channels' is given twice"),
        ("stages: 3", "stages: 3\n    stages: 4", ":7: key 'stages' is given twice"),
        ("scale: 4", "scale: [4", ":2: "),
        ("scale: 4", "scale: 4\n\tx", ":2: "),
        ("scale: 4", "? [a, b]\n: 3", ":1: a key has to be a plain word"),
        ("scale: 4", "? {a: b}\n: 3", ":1: a key has to be a plain word"),
        (
            "scale: 4",
            "scale: 2001-99-99",
            ":1: scale: input should be 1, 2, 3 or 4, got '2001-99-99'",
        ),
        ("scale: 4", "scale: !!int four", ":1: not a value of the kind int"),
        ("scale: 4", "scale: !!bool four", ":1: not a value of the kind bool"),
        ("scale: 4", "scale: !!float four", ":1: not a value of the kind float"),
        ("scale: 4", "scale: !!timestamp four", ":1: could not determine a constructor for"),
        ("scale: 4", "scale: !!binary x", ":1: could not determine a constructor for the tag"),
        ("scale: 4", "scale: !!set {x}", ":1: could not determine a constructor for the tag"),
        ("scale: 4", "scale: !!int {=: 4}", ":1: expected a value of the kind int"),
        ("scale: 4", "scale: !!map 4", ":1: expected a mapping"),
        ("scale: 4", "scale: 0x" + "f" * 5_000, ":1: a number of 5002 characters"),
        ("scale: 4", "scale: " + "1:" * 5_000 + "1", ":1: a number of 10001 characters"),
        ("scale: 4", "scale: !!float " + "9" * 5_000, ":1: a number of 5000 characters"),
        ("scale: 4", 'scale: "\\ud800"', ":1: half of a character"),
        ("scale: 4", 'scale: "\\UFFFFFFFF"', ": not YAML"),
        ("scale: 4", "%YAML 1." + "9" * 5_000 + "\n---\nscale: 4", ": not YAML"),
        ("scale: 4", "scale: .nan", ":1: scale: input should be"),
        ("scale: 4", "7: 4", ":1: unknown key '7'"),
        ("scale: 4", "yes: 4", ":1: unknown key 'yes'"),
        ("scale: 4", "2001-01-01: 4", ":1: unknown key '2001-01-01'"),
    ],
)
def test_line_and_nearest_name(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert GOOD.count(old) == 1
    assert problem(tmp_path, GOOD.replace(old, new)).startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ": expected a YAML mapping, got NoneType"),
        ("- 1\n- 2\n", ": expected a YAML mapping, got list"),
        ("just words", ": expected a YAML mapping, got str"),
        ("{}", ": missing key 'scale'"),
        ("a: b: c", ":1: "),
        ("a: 1\n--- \nb: 2\n", ":2: "),
        ("a: *unknown", ":1: "),
        # What is not closed is missed behind the last line, where nobody can look.
        ("scale: 4\nchannels: {a: 1\n", ":2: "),
        (b"\x89PNG\r\n\x1a\n\x00\x00", ": cannot be read (not a UTF-8 text)"),
        (b"scale: \x00", ": "),
        (b"\xff\xfe" + "scale: 4".encode("utf-16-le"), ": cannot be read (not a UTF-8 text)"),
    ],
)
def test_not_an_architecture(tmp_path: Path, text: str | bytes, expected: str) -> None:
    assert problem(tmp_path, text).startswith(expected)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read .No such file.*expected a YAML file"):
        Architecture.load(tmp_path / "none.yaml")
    with pytest.raises(InputError, match=r"cannot be read .Is a directory"):
        Architecture.load(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        Architecture.load("a\0b.yaml")


class TestHostile:
    @pytest.mark.parametrize(
        "tag",
        [
            "!!python/object/apply:os.system ['touch {marker}']",
            "!!python/object/apply:pathlib.Path.touch [!!python/object:pathlib.Path {{}}]",
            "!!python/object/new:os.system ['touch {marker}']",
            "!!python/name:os.system",
            "!!python/module:os",
            "!anything x",
        ],
    )
    def test_tags_are_never_executed(self, tmp_path: Path, tag: str) -> None:
        marker = tmp_path / "executed"
        said = problem(tmp_path, GOOD.replace("16", tag.format(marker=marker)))
        assert said.startswith(":2: could not determine a constructor for the tag")
        assert not marker.exists()

    @pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
    def test_deep_nesting(self, tmp_path: Path, opening: str) -> None:
        assert "nested too deeply" in problem(tmp_path, "scale:\n  " + opening * 30_000)

    def test_deep_nesting_again_and_again(self, tmp_path: Path) -> None:
        deep = "[" * 60 + "]" * 60
        assert "nested too deeply" in problem(tmp_path, f"mean: [{', '.join([deep] * 5_000)}]")

    def test_aliases_that_grow_without_bound(self, tmp_path: Path) -> None:
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        for k in range(1, 30):
            lines.append(f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]")
        for key in ("mean", "blocks", "stem", "scale", "activation"):
            text = "\n".join([*lines, f"{key}: *a29", ""])
            assert "more than 20000 values" in problem(tmp_path, text)
            inline = "\n".join(lines).replace("a0: &", "mean: [&", 1)
            assert problem(tmp_path, inline)

    def test_a_bomb_in_a_known_key(self, tmp_path: Path) -> None:
        """The value is shown in the message, but not as a whole."""
        bomb = "&b0 [x, x, x, x, x, x, x, x, x]"
        for k in range(1, 4):
            bomb = f"&b{k} [{bomb}{f', *b{k - 1}' * 8}]"
        for old in ("16", "fdc", "3", "bilinear"):
            assert "got [" in problem(tmp_path, GOOD.replace(old, bomb))
        for k in range(4, 25):
            bomb = f"&b{k} [{bomb}{f', *b{k - 1}' * 8}]"
        assert "more than 20000 values" in problem(tmp_path, GOOD.replace("16", bomb))

    @pytest.mark.parametrize("text", ["mean: &a [*a]", "mean: &a {b: [*a]}"])
    def test_a_value_that_holds_itself(self, tmp_path: Path, text: str) -> None:
        assert problem(tmp_path, text).startswith(":1: it holds itself")

    def test_more_values_than_any_network_has(self, tmp_path: Path) -> None:
        assert "more than 20000 values" in problem(tmp_path, f"mean: [{'x, ' * 100_000}]")

    def test_many_blocks_in_few_bytes(self, tmp_path: Path) -> None:
        block = "  - {repeat: 256, kind: spab}\n"
        text = f"scale: 4\nchannels: 4096\nblocks:\n{block * 2_000}"
        assert "1 to 256 of them, got more than 256" in problem(tmp_path, text)

    def test_a_number_of_a_million_digits(self, tmp_path: Path) -> None:
        assert problem(tmp_path, GOOD.replace("16", "9" * 100_000))

    def test_a_very_long_file(self, tmp_path: Path) -> None:
        text = GOOD + "# comment\n" * 200_000
        assert "more than 1000000 bytes" in problem(tmp_path, text)

    def test_a_merge_key_is_no_way_around(self, tmp_path: Path) -> None:
        text = GOOD.replace("scale: 4", "x: &x {chanels: 3}\n<<: *x\nscale: 4")
        assert problem(tmp_path, text).startswith(":2: merge keys (<<) are not read")
        for tagged in ("!!merge x: *x", "? !!merge x\n: *x"):
            text = GOOD.replace("scale: 4", f"x: &x {{chanels: 3}}\n{tagged}\nscale: 4")
            assert problem(tmp_path, text).startswith(":2: merge keys")

    def test_a_merge_bomb(self, tmp_path: Path) -> None:
        lines = ["b0: &b0 {x: 1}"]
        for k in range(1, 20):
            lines.append(f"b{k}: &b{k} {{<<: [{', '.join([f'*b{k - 1}'] * 9)}]}}")
        assert "merge keys" in problem(tmp_path, "\n".join([GOOD, *lines]))
