"""How we retire at a registry: one module per way. `registry_for` finds the one that a retirement names."""

from offsets.registries import broker, manual, sandbox
from offsets.registries.base import Registry

ADAPTERS: dict[str, Registry] = {
    "sandbox": sandbox.SandboxRegistry(),
    "manual": manual.ManualRegistry(),
    "broker": broker.BrokerRegistry(),
}


def registry_for(adapter: str) -> Registry:
    """The adapter of this name. Raises KeyError for one that does not exist."""
    return ADAPTERS[adapter]
