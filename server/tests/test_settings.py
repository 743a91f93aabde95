"""Settings: three sources, one precedence, and one clear sentence for what cannot be understood."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from venice_mock.settings import OPTIONS, Latency, Settings, SettingsError, load_settings
from venice_mock.settings_values import size_text

# For every option: two texts that differ from each other, and what they mean.
VALUES: dict[str, tuple[tuple[str, Any], tuple[str, Any]]] = {
    "host": (("localhost", "localhost"), ("[::1]", "::1")),
    "port": (("0", 0), ("9_000", 9000)),
    "port_file": (("/a/port", Path("/a/port")), ("/b", Path("/b"))),
    "edition": (("2026-06-19", "2026-06-19"), ("/x/other.json", "/x/other.json")),
    "behavior": (("documented", "documented"), ("observed", "observed")),
    "default_model": (("m1", "m1"), ("m2", "m2")),
    "pure": (("true", True), ("false", False)),
    "prompt_magic": (("true", True), ("false", False)),
    "keys": (("/k1", Path("/k1")), ("/k2", Path("/k2"))),
    "balance": (("0.000001", Decimal("0.000001")), ("5", Decimal("5"))),
    "limits": (("off", "off"), ("real", "real")),
    "store": (
        ("memory://", "memory://"),
        ("redis://a.example:6379/0?namespace=x", "redis://a.example:6379/0?namespace=x"),
    ),
    "workers": (("1", 1), ("4", 4)),
    "wallets": (("/w1", Path("/w1")), ("/w2", Path("/w2"))),
    "pay_to_base": (("0x1", "0x1"), ("0x2", "0x2")),
    "pay_to_solana": (("So1", "So1"), ("So2", "So2")),
    "fee_payer": (("Fee1", "Fee1"), ("Fee2", "Fee2")),
    "trust_proxy": (("true", True), ("false", False)),
    "cors": (
        ("*", ("*",)),
        ("http://localhost:3000, HTTPS://A.example", ("http://localhost:3000", "https://a.example")),
    ),
    "control": (("true", True), ("false", False)),
    "control_token": (("one", "one"), ("two", "two")),
    "control_hosts": (("box", ("box",)), ("a.example, B", ("a.example", "b"))),
    "engine": (("paint", "paint"), ("fast", "fast")),
    "caption": (("true", True), ("false", False)),
    "seed": (("0", 0), ("7", 7)),
    "fetch": (("none", ("none",)), ("loopback, Example.com", ("loopback", "example.com"))),
    "latency": (("800ms", Latency(0.8, 0.8)), ("200ms..2s", Latency(0.2, 2.0))),
    "max_inflight_pixels": (("1", 1), ("50000000", 50_000_000)),
    "max_inflight_bytes": (("1", 1), ("50_000_000", 50_000_000)),
    "journal_bytes": (("0", 0), ("64MiB", 64 << 20)),
    "cache_bytes": (("1_000", 1000), ("2 gb", 2_000_000_000)),
    "body_timeout": (("500ms", 0.5), ("60s", 60.0)),
    "log_format": (("text", "text"), ("json", "json")),
    "log_level": (("debug", "debug"), ("error", "error")),
}


def test_every_field_has_an_option_and_every_option_a_field() -> None:
    fields = set(Settings.__dataclass_fields__)
    assert {option.key for option in OPTIONS} == fields == set(VALUES)


def test_without_any_source_the_defaults_stand() -> None:
    assert load_settings({}, {"PATH": "/bin", "VENICE_API_KEY": "x"}) == Settings()


@pytest.mark.parametrize("key", sorted(VALUES))
@pytest.mark.parametrize("which", [0, 1])
def test_every_option_is_a_flag_a_variable_and_a_key_that_mean_the_same(
    key: str, which: int, tmp_path: Path
) -> None:
    text, meaning = VALUES[key][which]
    file = tmp_path / "mock.toml"
    file.write_text(f"{key} = {text if meaning in (True, False) and type(meaning) is bool else repr(text)}\n")
    for flags, environ in (
        ({key: text}, {}),
        ({}, {"VENICE_MOCK_" + key.upper(): text}),
        ({"config": str(file)}, {}),
        ({}, {"VENICE_MOCK_CONFIG": str(file)}),
    ):
        assert getattr(load_settings(flags, environ), key) == meaning


@given(st.sampled_from(sorted(VALUES)), st.booleans(), st.booleans(), st.booleans(), st.integers(0, 1))
@example("port", True, True, True, 0)
@example("caption", False, True, True, 1)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_flag_wins_over_a_variable_over_the_file_over_the_default(
    tmp_path: Path, key: str, flag: bool, variable: bool, file: bool, turn: int
) -> None:
    strong, weak = VALUES[key][turn], VALUES[key][1 - turn]
    # The strongest source that is present says `strong`; every weaker one says `weak`.
    present = [name for name, given in (("flag", flag), ("variable", variable), ("file", file)) if given]
    said = {name: (strong if name == present[0] else weak) for name in present}
    flags: dict[str, str | bool] = {key: said["flag"][0]} if flag else {}
    environ = {"VENICE_MOCK_" + key.upper(): said["variable"][0]} if variable else {}
    if file:
        text, meaning = said["file"]
        path = tmp_path / "mock.toml"
        path.write_text(f"{key} = {text if type(meaning) is bool else repr(text)}\n")
        flags["config"] = str(path)
    expected = strong[1] if present else getattr(Settings(), key)
    assert getattr(load_settings(flags, environ), key) == expected


def test_the_config_flag_wins_over_the_config_variable(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("port = 1")
    (tmp_path / "b.toml").write_text("port = 2")
    environ = {"VENICE_MOCK_CONFIG": str(tmp_path / "b.toml")}
    assert load_settings({"config": str(tmp_path / "a.toml")}, environ).port == 1


def test_an_empty_variable_counts_as_unset() -> None:
    assert load_settings({}, {"VENICE_MOCK_PORT": "", "VENICE_MOCK_CONFIG": ""}) == Settings()


def test_toml_numbers_lists_and_booleans_are_taken_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "mock.toml"
    file.write_text('port = 0\nbalance = 0.1\nseed = 7\nfetch = ["loopback", "a.example"]\ncaption = false\n')
    got = load_settings({"config": str(file)}, {})
    assert (got.port, got.balance, got.seed, got.caption) == (0, Decimal("0.1"), 7, False)
    assert got.fetch == ("loopback", "a.example")


def test_paths_in_the_file_are_relative_to_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mock.toml"
    file.write_text('keys = "keys.toml"\nport_file = "/abs/port"\nedition = "editions/e.json"\n')
    got = load_settings({"config": str(file)}, {})
    assert got.keys == tmp_path / "keys.toml"
    assert got.port_file == Path("/abs/port")
    assert got.edition == str(tmp_path / "editions/e.json")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("host", ""),
        ("host", "http://localhost"),
        ("host", "localhost:80"),
        ("host", "a b"),
        ("port", "65536"),
        ("port", "-1"),
        ("port", "8e3"),
        ("port", ""),
        ("port_file", " "),
        ("edition", ""),
        ("behavior", "Observed"),
        ("default_model", ""),
        ("pure", "maybe"),
        ("balance", "-1"),
        ("balance", "1e3"),
        ("balance", "NaN"),
        ("balance", "1.0000001"),
        ("limits", "on"),
        ("engine", "slow"),
        ("seed", "1.5"),
        ("seed", str(2**63)),
        ("fetch", "none,loopback"),
        ("fetch", ""),
        ("fetch", "http://example.com/"),
        ("latency", "800"),
        ("latency", "2s..1s"),
        ("latency", "601s"),
        ("latency", "-1s"),
        ("max_inflight_pixels", "0"),
        ("max_inflight_pixels", "1MB"),
        ("max_inflight_bytes", "0"),
        ("max_inflight_bytes", "0MiB"),
        *(
            ("cache_bytes", text)
            for text in ("-1", "1.5MiB", "64M", "64 Mib/s", "MiB", "1_", "_1", "1e6", "1__0", "١")
        ),
        ("journal_bytes", "1025GiB"),
        ("journal_bytes", "9" * 60),
        ("body_timeout", "0s"),
        ("body_timeout", "30"),
        ("log_format", "xml"),
        ("log_level", "loud"),
    ],
)
def test_a_value_that_cannot_be_understood_names_its_source_in_one_sentence(
    key: str, text: str, tmp_path: Path
) -> None:
    file = tmp_path / "mock.toml"
    file.write_text(f'{key} = "{text}"\n')
    flag, variable = "--" + key.replace("_", "-"), "VENICE_MOCK_" + key.upper()
    attempts: list[tuple[dict[str, str | bool], dict[str, str], str]] = [
        ({key: text}, {}, flag),
        ({"config": str(file)}, {}, f"{file}, key {key!r}"),
    ]
    if text:
        attempts.append(({}, {variable: text}, variable))
    for flags, environ, source in attempts:
        with pytest.raises(SettingsError) as caught:
            load_settings(flags, environ)
        sentence = str(caught.value)
        assert sentence.startswith(f"{source}: expected ")
        assert sentence.endswith(".")
        assert "\n" not in sentence


@pytest.mark.parametrize("key", ["max_inflight_bytes", "cache_bytes", "journal_bytes"])
def test_a_size_is_bytes_or_a_whole_number_of_a_unit_in_any_case(key: str) -> None:
    meant = {
        "7": 7,
        "1_000": 1000,
        "3kB": 3000,
        "3KB": 3000,
        "3 MB": 3_000_000,
        "2gb": 2_000_000_000,
        "3KiB": 3072,
        "64MiB": 67_108_864,
        "64mib": 67_108_864,
        "64 MIB": 67_108_864,
        "1GiB": 1 << 30,
    }
    assert {text: getattr(load_settings({key: text}, {}), key) for text in meant} == meant
    assert {getattr(load_settings({key: size_text(number)}, {}), key) for number in meant.values()} == {
        *meant.values()
    }


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (7, "7"),
        (64 << 20, "64MiB"),
        (84_000_000, "84MB"),
        (3000, "3kB"),
        (3072, "3KiB"),
        (1 << 30, "1GiB"),
    ],
)
def test_a_size_is_shown_in_its_largest_whole_unit(number: int, text: str) -> None:
    assert size_text(number) == text


def test_a_mistyped_variable_is_refused_and_the_likely_one_named() -> None:
    with pytest.raises(SettingsError, match=r"VENICE_MOCK_PROT\. Did you mean VENICE_MOCK_PORT\?"):
        load_settings({}, {"VENICE_MOCK_PROT": "1"})


def test_the_value_of_a_mistyped_variable_is_not_shown() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({}, {"VENICE_MOCK_CONTROL_TOKENS": "hunter2"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("VENICE_MOCK_URL", "http://127.0.0.1:8402"),
        ("VENICE_MOCK_SERVICE_HOST", "10.0.0.1"),
        ("VENICE_MOCK_PORT_8402_TCP_ADDR", "10.0.0.1"),
        ("VENICE_MOCK_PORT", "tcp://10.0.0.1:8402"),
    ],
)
def test_variables_of_others_with_our_prefix_are_none_of_our_business(name: str, text: str) -> None:
    assert load_settings({}, {name: text}) == Settings()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ports = 1", r"Unknown key 'ports' in .*mock\.toml\. Did you mean port\?"),
        ("[serve]\nport = 1", r"Unknown key 'serve' in .*mock\.toml\."),
        ("port = ", r"mock\.toml is not valid TOML: "),
        ("port = true", r"mock\.toml, key 'port': expected a text or a number\."),
        ('pure = "true"', r"mock\.toml, key 'pure': expected true or false without quotes\."),
        ("caption = 0", r"mock\.toml, key 'caption': expected true or false"),
        ("fetch = [1]", r"mock\.toml, key 'fetch': expected a text"),
        ("port = 2026-06-19", r"mock\.toml, key 'port': expected a text"),
        ('config = "again.toml"', r"Unknown key 'config'"),
    ],
)
def test_a_faulty_file_is_named_with_what_is_wrong(text: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "mock.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=sentence):
        load_settings({"config": str(file)}, {})


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b'keys = "\xe9"')
    for name, sentence in (("none.toml", "cannot be read: No such file"), ("latin.toml", "is not UTF-8")):
        with pytest.raises(SettingsError, match=sentence):
            load_settings({"config": str(tmp_path / name)}, {})


@given(st.text(max_size=40))
@example("~0")
@hypothesis_settings(deadline=None)
def test_no_text_makes_a_reader_fail_in_another_way(text: str) -> None:
    for option in OPTIONS:
        with contextlib.suppress(SettingsError):
            load_settings({option.key: text}, {})


@given(st.integers(0, 600_000), st.integers(0, 600_000))
def test_a_latency_range_is_read_in_either_unit(first: int, second: int) -> None:
    low, high = sorted((first, second))
    in_ms = load_settings({"latency": f"{low}ms..{high}ms"}, {}).latency
    in_s = load_settings({"latency": f"{low / 1000:.3f}s..{high / 1000:.3f}s"}, {}).latency
    assert in_ms == in_s == Latency(low / 1000, high / 1000)


@pytest.mark.parametrize(
    "wrong",
    ["redis://u:a-pass-phrase@h:6379/zz", "redis://:a-pass-phrase@h:99999", "redis://a-pass-phrase@h?x=1"],
)
def test_a_store_that_cannot_be_read_is_told_without_its_password(wrong: str) -> None:
    for arguments, environment in (({"store": wrong}, {}), ({}, {"VENICE_MOCK_STORE": wrong})):
        with pytest.raises(SettingsError) as caught:
            load_settings(arguments, environment)
        assert "expected memory:// or redis://host:port/db" in str(caught.value)
        assert "a-pass-phrase" not in str(caught.value)
