from __future__ import annotations

import pytest

from nas.deploy.formats import FORMATS, Format
from nas.latency.command.setup import DeviceCommands
from nas.latency.command.template import CommandTemplate
from search_spaces.errors import InputError


def test_a_value_is_one_word_whatever_it_looks_like() -> None:
    told = "ssh pi './bench it' --net={onnx} {width}x{height} {runs} '{{HOME}} {print $1}'"
    command = CommandTemplate.parse(told)
    values = {"onnx": "/a b/$(rm -rf ~);`id`'\".onnx", "width": 160, "height": 90, "runs": 20}
    assert command.filled(values) == [
        "ssh", "pi", "./bench it", f"--net={values['onnx']}", "160x90", "20", "{HOME} {print $1}",
    ]  # fmt: skip
    assert (command.formats, command.program) == (("onnx",), "ssh")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("bench '{onnx}", "no closing quotation; close the quote"),
        ("", "expected a place for a network's file, such as {onnx}"),
        ("bench {height}", "expected a place for a network's file, such as {onnx}"),
        ("bench {onxx}", "unknown place {onxx}; expected some of {yaml}"),
        ("sh -c 'cat {onnx} ${HOME}'", "write {{HOME}} for braces that are meant as such"),
        # A folder is no file.
        ("bench {basicsr}", "unknown place {basicsr}"),
    ],
)
def test_what_makes_no_sense_is_one_line(text: str, told: str) -> None:
    with pytest.raises(InputError) as refused:
        CommandTemplate.parse(text)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith(f"--latency-command {text!r}: ")


def test_a_new_format_has_its_places() -> None:
    one = Format(
        "for this test", "builtins:print", lambda path: lambda x: x, (".param",), (".bin",)
    )
    FORMATS.add("two", one)
    FORMATS.add("one", Format("for this test", "m:f", lambda path: lambda x: x, (".net", ".n")))
    command = CommandTemplate.parse("bench {two_param} {two_bin} {one} {net}")
    endings = {name: place.ending for name, place in command.files.items()}
    assert endings == {"two_param": ".param", "two_bin": ".bin", "one": ".net", "net": ".net"}
    assert command.formats == ("two", "one")
    with pytest.raises(InputError, match=r"unknown place \{two\}"):
        CommandTemplate.parse("bench {two}")


def test_those_that_people_know() -> None:
    told = "bench {onnx} {tflite} {ncnn_param} {ncnn_bin} {torchscript} {yaml}"
    assert len(CommandTemplate.parse(f"{told} {{int8_onnx}} {{int8_tflite}}").files) == 8


@pytest.mark.parametrize(
    ("texts", "pattern", "limit_s", "told"),
    [
        ((), None, None, "expected a command, got none"),
        (("a {onnx}", "a {onnx}"), None, None, "expected one for each device, got one twice"),
        (("a {onnx}", "b {yaml}"), None, None, "takes other files than 'a {onnx}'"),
        (("a {onnx}",), "avg", None, "expected one group around the number"),
        (("a {onnx}",), "(avg", None, "no regular expression"),
        (("a {onnx}",), "(?P<h>.)", None, "expected ns, us, ms or s, got h"),
        (("a {onnx}",), None, 0.0, "--latency-limit: expected more than 0 s, got 0"),
    ],
)
def test_a_setup_that_makes_no_sense(
    texts: tuple[str, ...], pattern: str | None, limit_s: float | None, told: str
) -> None:
    with pytest.raises(InputError) as refused:
        DeviceCommands.of(texts, pattern, limit_s)
    assert told in str(refused.value)


def test_a_pattern_needs_a_command() -> None:
    assert DeviceCommands.given([], None, None) is None
    with pytest.raises(InputError, match="--latency-pattern: is of a --latency-command"):
        DeviceCommands.given(None, "(.*)", None)
    assert DeviceCommands.of(["a {onnx}", "b {onnx}"]).name == "a {onnx} (and 1 more)"


def test_a_program_that_is_not_here() -> None:
    setup = DeviceCommands.of(["no-such-program-anywhere {onnx}"])
    with pytest.raises(InputError, match="there is no program 'no-such-program-anywhere' here"):
        setup.check_programs()
    DeviceCommands.of(["sh -c true {onnx}"]).check_programs()
