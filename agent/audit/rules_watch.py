"""Whether trouble is seen, told, and reaches somebody."""

from __future__ import annotations

from collections.abc import Iterator

from agent.audit.points import Found, Grade, Ground, asked_of_site, of_site
from agent.config.forms import is_private

OLD_DAYS = 366


def not_seen(ground: Ground) -> Iterator[Found]:
    """No agent has answered, so nothing is known of the live site."""
    if ground.shot is None:
        yield asked_of_site(ground, Grade.SERIOUS, None)


def no_contacts(ground: Ground) -> Iterator[Found]:
    """Nobody has written down whom to call."""
    if not ground.config.site.facts.contacts:
        yield of_site(ground, Grade.SERIOUS, key="site.facts.contacts")


def services_unwatched(ground: Ground) -> Iterator[Found]:
    """Nothing that the business needs is asked for by name."""
    if not ground.config.service:
        yield of_site(ground, Grade.SERIOUS, key="service")


def no_broker(ground: Ground) -> Iterator[Found]:
    """Remote IT hears nothing."""
    if ground.config.mqtt is None:
        yield of_site(ground, Grade.SERIOUS, key="mqtt")


def broker_on_site(ground: Ground) -> Iterator[Found]:
    """Who is to hear of the outage is cut off by it."""
    mqtt, told = ground.config.mqtt, ground.config.site.facts.broker_on_site
    if mqtt is None or told is False:
        return
    if told:
        yield of_site(ground, Grade.SERIOUS, host=mqtt.host)
    elif is_private(mqtt.host):
        # A tunnel may lead to such an address, too: people know.
        yield of_site(ground, Grade.SERIOUS, "looks", key="site.facts.broker_on_site", host=mqtt.host)
    else:
        # A public name can still lead back to this building.
        yield asked_of_site(ground, Grade.SERIOUS, "site.facts.broker_on_site")


def agent_old(ground: Ground) -> Iterator[Found]:
    """The software is old, or the running one is not the installed one."""
    if ground.running is not None and ground.running != ground.installed:
        yield of_site(
            ground, Grade.MINOR, "not_restarted", running=ground.running, installed=ground.installed
        )
    if ground.released_days is None:
        yield asked_of_site(ground, Grade.MINOR, None)
    elif ground.released_days > OLD_DAYS:
        yield of_site(ground, Grade.MINOR, version=ground.installed, days=int(ground.released_days))


def clock_unset(ground: Ground) -> Iterator[Found]:
    """The clock was never set by the network."""
    if ground.shot is not None and ground.shot.synced:
        return
    if ground.history is not None and ground.history.clock_known:
        return
    if ground.shot is None and ground.history is None:
        yield asked_of_site(ground, Grade.SERIOUS, None)
    else:
        yield of_site(ground, Grade.SERIOUS)
