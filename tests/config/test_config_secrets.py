"""Secrets are read from files and from systemd's credentials, and never quoted."""

from __future__ import annotations

from importlib import resources

import pytest

from agent.config.reader import parse
from agent.config.secrets import FOLDER_CREDENTIAL, mqtt_password, read_secret

MINIMAL = resources.files("agent.config").joinpath("minimal.toml").read_text(encoding="utf-8")
MQTT = MINIMAL + '[mqtt]\nhost = "mqtt.example.net"\n'


def mqtt_of(lines: str):
    mqtt = parse(MQTT + lines).mqtt
    assert mqtt is not None
    return mqtt


def test_the_password_is_read_from_the_named_file_without_its_last_newline(tmp_path):
    """An editor's newline is not part of the password; other spaces are."""
    (tmp_path / "secret").write_text(" hunter2 \n")
    mqtt = mqtt_of(f'username = "garage"\npassword_file = "{tmp_path}/secret"\n')
    assert mqtt_password(mqtt, {}) == " hunter2 "


@pytest.mark.parametrize("line", ["", 'password_file = "mqtt-password"\n'], ids=["unsaid", "named"])
def test_the_password_comes_from_the_credential_of_systemd(tmp_path, line):
    """The credential is found by its name alone, named or not."""
    (tmp_path / "mqtt-password").write_text("hunter2")
    mqtt = mqtt_of(f'username = "garage"\n{line}')
    assert mqtt_password(mqtt, {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == "hunter2"


def test_without_user_or_credential_there_is_no_password(tmp_path):
    """An anonymous connection, and a user without a password, are possible."""
    assert mqtt_password(mqtt_of(""), {"CREDENTIALS_DIRECTORY": str(tmp_path)}) is None
    assert mqtt_password(mqtt_of('username = "garage"\n'), {"CREDENTIALS_DIRECTORY": str(tmp_path)}) is None
    assert mqtt_password(mqtt_of('username = "garage"\n'), {}) is None


def test_a_credential_that_was_named_must_be_there(tmp_path):
    """What the file asks for is not silently left out."""
    mqtt = mqtt_of('username = "garage"\npassword_file = "mqtt-password"\n')
    for environ in ({}, {"CREDENTIALS_DIRECTORY": str(tmp_path)}):
        with pytest.raises(FileNotFoundError):
            mqtt_password(mqtt, environ)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"\xff\xfe", b"x" * 70000], ids=["empty", "newline", "binary", "long"]
)
def test_a_password_file_without_a_password_is_refused_without_quoting_it(tmp_path, content):
    """The message names the file, never what is in it."""
    (tmp_path / "secret").write_bytes(content)
    mqtt = mqtt_of(f'username = "garage"\npassword_file = "{tmp_path}/secret"\n')
    with pytest.raises(ValueError, match="secret") as caught:
        mqtt_password(mqtt, {})
    assert "xxx" not in str(caught.value)


# --- any secret -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", ["hunter2", "hunter2\n", "hunter2\r\n"])
@pytest.mark.parametrize("name", ["stick-password", f"{FOLDER_CREDENTIAL}_stick-password"])
def test_a_credential_is_found_by_its_name_also_when_its_folder_was_loaded(tmp_path, name, content):
    """Systemd puts the name of the folder before that of each file in it."""
    (tmp_path / name).write_bytes(content.encode())
    assert read_secret("stick-password", {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == "hunter2"


def test_a_credential_of_its_own_comes_before_one_of_the_folder(tmp_path):
    """What somebody added to the service by hand is meant."""
    (tmp_path / "stick-password").write_text("own")
    (tmp_path / f"{FOLDER_CREDENTIAL}_stick-password").write_text("folder")
    assert read_secret("stick-password", {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == "own"


def test_a_path_is_read_without_systemd(tmp_path):
    """Also where credentials are handed over: a path is a path."""
    (tmp_path / "secret").write_text("hunter2\n")
    for environ in ({}, {"CREDENTIALS_DIRECTORY": "/nonexistent"}):
        assert read_secret(str(tmp_path / "secret"), environ) == "hunter2"


def test_the_environment_of_the_process_is_the_default(tmp_path, monkeypatch):
    """As systemd sets it."""
    (tmp_path / "stick-password").write_text("hunter2")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_secret("stick-password") == "hunter2"


def test_a_secret_that_is_not_there_is_named(tmp_path):
    """A missing credential by its name, a missing file by its path."""
    for environ in ({}, {"CREDENTIALS_DIRECTORY": str(tmp_path)}):
        with pytest.raises(FileNotFoundError, match="stick-password"):
            read_secret("stick-password", environ)
    with pytest.raises(FileNotFoundError, match="nothing"):
        read_secret(str(tmp_path / "nothing"))


def test_a_secret_may_be_as_long_as_mqtt_can_carry(tmp_path):
    """65535 bytes and a newline, and no byte more."""
    (tmp_path / "secret").write_bytes(b"x" * 65535 + b"\r\n")
    assert len(read_secret(str(tmp_path / "secret"))) == 65535
    for more in (b"x", b"\r\nx"):
        (tmp_path / "secret").write_bytes(b"x" * 65535 + more)
        with pytest.raises(ValueError, match="1 to 65535 bytes"):
            read_secret(str(tmp_path / "secret"))
