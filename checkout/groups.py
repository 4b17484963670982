"""Devices of an order that stand at the same place: one line each on the order page and in the mails."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from checkout.models import OrderLine, Shipment
from checkout.states import DeviceState, State, Step


@dataclass(frozen=True)
class DeviceGroup:
    """Units of one order line that share state, dates and what happens next."""

    line: OrderLine
    with_offset: bool
    state: State
    label: str
    what_next: str
    steps: tuple[Step, ...]
    devices: Sequence[DeviceState] = field(repr=False)

    @property
    def count(self) -> int:
        return len(self.devices)

    @property
    def shipment(self) -> Shipment | None:
        """The newest shipment of the group; None before it leaves."""
        return self.devices[-1].device.shipment


def group_devices(states: Iterable[DeviceState]) -> list[DeviceGroup]:
    """One group per order line, offset or none, state and what happens next; in the order of the lines.

    The steps of a group are those of its last unit: a step is dated by the day on which the whole group had
    reached it.
    """
    found: dict[tuple[int, bool, str, str], list[DeviceState]] = {}
    for state in states:
        key = (state.device.line_id, state.with_offset, state.state, state.what_next)
        found.setdefault(key, []).append(state)
    return [_group(devices) for devices in found.values()]


def _group(devices: Sequence[DeviceState]) -> DeviceGroup:
    last = max(devices, key=lambda state: state.since)
    return DeviceGroup(
        line=last.device.line,
        with_offset=last.with_offset,
        state=last.state,
        label=last.label,
        what_next=last.what_next,
        steps=last.steps,
        devices=devices,
    )
