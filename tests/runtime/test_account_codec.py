"""What was told of an incident, as it stands on the disk, now and as earlier versions wrote it."""

from __future__ import annotations

import json

import pytest

from agent.core.alerts import Account
from agent.core.codes import Code, Severity
from agent.core.instant import Stamp
from agent.core.model import Event, OpenIncident
from agent.runtime.store_codec import DamagedError, decode_incident, encode_incident
from agent.runtime.store_rows import decode_row, encode_event

AT = Stamp(12.5, 1.8e9, synced=True, boot="boot")
ACCOUNT = Account(
    severity=Severity.WARNING,
    worst=Severity.ALERT,
    causes=(Code.LINE_OR_OPERATOR, Code.BOX_HUNG),
    told=AT,
    reminders=3,
    offline_s=61.5,
    offline_since=AT,
    returns=4,
    again=2,
    person=True,
)


@pytest.mark.parametrize("account", [ACCOUNT, Account()])
def test_an_incident_survives_with_its_account(account: Account) -> None:
    """Every field comes back as it was."""
    incident = OpenIncident("run-1", AT, Code.BOX_HUNG, "ftth", account)
    assert decode_incident(encode_incident(incident)) == incident


def test_an_incident_of_an_earlier_version_goes_on() -> None:
    """It kept no account: the incident counts as told with the severity that all had then."""
    body = json.loads(encode_incident(OpenIncident("run-1", AT, Code.BOX_HUNG, "ftth", ACCOUNT)))
    del body["account"]
    assert decode_incident(json.dumps(body)) == OpenIncident("run-1", AT, Code.BOX_HUNG, "ftth", Account())
    body["account"] = {"severity": "warning", "of_a_later_version": 1}
    assert decode_incident(json.dumps(body)).account == Account(severity=Severity.WARNING)


@pytest.mark.parametrize(("key", "value"), [("severity", "loud"), ("told", 5), ("causes", 7)])
def test_a_damaged_account_is_said(key: str, value: object) -> None:
    """It is damage like any other, and no exception of its own."""
    body = json.loads(encode_incident(OpenIncident("run-1", AT, Code.BOX_HUNG, "ftth", ACCOUNT)))
    body["account"][key] = value
    with pytest.raises(DamagedError):
        decode_incident(json.dumps(body))


def test_an_event_is_an_alert_on_the_disk_as_well() -> None:
    """Those that an earlier version left in the outbox are alerts if they are turns of an incident."""
    for code, alert in ((Code.INCIDENT_OPENED, True), (Code.SIGNAL_WEAK, True), (Code.SIGNAL_WEAK, False)):
        event = Event(code, "4g", Severity.WARNING, None, {"label": "4G"}, alert=alert)
        text = encode_event(event, 1.0, "boot")
        assert decode_row((1, "i-1", 5.0, True, text)).event == event
        body = json.loads(text)
        del body["alert"]
        before = decode_row((1, "i-1", 5.0, True, json.dumps(body)))
        assert before.event.alert is (code is Code.INCIDENT_OPENED)
