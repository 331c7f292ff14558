"""From the order to send a text message to the modem: the words, and the modem's own thread."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from agent.core.letters import SendText
from agent.probes.devices import DeviceWatcher
from agent.text.short_message import short_message
from hardware.ports import HardwareMissingError, Modem


def sender(
    modems: Mapping[str, Modem], watchers: Mapping[str, DeviceWatcher], language: str
) -> Callable[[SendText], Awaitable[None]]:
    """What carries out ``SendText``.

    Args:
        modems: by name, the drivers.
        watchers: by name, in whose thread a driver is used.
        language: of the messages.
    """

    async def send(order: SendText) -> None:
        """Send one message, after what the modem is busy with.

        Raises:
            UnconfirmedError: it may have been sent.
            HardwareError, ValueError: it was not sent.
        """
        modem, watcher = modems.get(order.modem), watchers.get(order.modem)
        if modem is None or watcher is None:
            raise HardwareMissingError(f"there is no modem {order.modem!r}")
        words = short_message(order.code, language, order.args)
        await watcher.call(partial(modem.send_text, order.number, words))

    return send
