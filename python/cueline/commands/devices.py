"""``cueline devices``: print the devices that an engine can run on, and why others are missing."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from rich.table import Table

from cueline.commands.console import PlainConsole
from cueline.device_list import Device, devices

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Print the devices, and return the exit status."""
    found = devices()
    if options.json:
        print(json.dumps({"devices": [asdict(device) for device in found], "absent": found.absent}, indent=2))
        return 0
    console = PlainConsole(least_width=100)
    console.print(_table(found))
    console.print("[dim]* the default of AudioEngine(). To use another, pass its 'device' as device=[/]")
    if any(map(_is_input_alone, found)):
        console.print("[dim]+ the default for its inputs[/]")
    for why in found.absent:
        console.print(why, markup=False)
    return 0


def _table(found: list[Device]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("", "device", "host API"):
        table.add_column(name, no_wrap=True)
    table.add_column("name", overflow="fold")  # on a narrow terminal, this column gets narrower
    for name in ("in", "out", "rate", "block", "latency, ms"):
        table.add_column(name, justify="right", no_wrap=True)
    for device in found:
        table.add_row(
            "*" if device.is_default else "+" if _is_input_alone(device) else "",
            str(device.device),
            device.host_api,
            device.name,
            str(device.inputs),
            str(device.outputs),
            str(device.samplerate),
            str(device.blocksize),
            _latency(device),
        )
    return table


def _is_input_alone(device: Device) -> bool:
    return device.is_default_input and not device.is_default


def _latency(device: Device) -> str:
    low, high = (f"{seconds * 1e3:.1f}" for seconds in (device.low_latency, device.high_latency))
    return "" if device.host_api == "cueline" else low if low == high else f"{low} to {high}"
