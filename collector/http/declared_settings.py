"""The settings of a connector that is one TOML file: a class made of what it declares, and texts that name them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, create_model

from collector.errors import ConfigError
from collector.http.api import HttpSettings
from collector.http.declaration import Declaration, Setting
from collector.secrets import given_by_reference

SETTING = re.compile(r"\{([a-z]\w*)\}")


def settings_class(declared: Declaration) -> type[HttpSettings]:
    """Return the class of the sources' settings: those of every source over HTTP, and the declared ones."""
    fields: dict[str, Any] = {}
    for name, setting in declared.settings.items():
        default = ... if setting.default is None else setting.default
        checked = Annotated[str, AfterValidator(_check(setting))]
        fields[name] = (checked, Field(default, description=setting.description))
    return create_model(f"{declared.name.title()}Settings", __base__=HttpSettings, **fields)


def plain(declared: Declaration, settings: HttpSettings) -> dict[str, str]:
    """Return the declared settings that are no secrets, by name."""
    return {name: str(getattr(settings, name)) for name, each in declared.settings.items() if not each.secret}


def written(text: str, values: Mapping[str, str]) -> str:
    """Return *text* with every ``{name}`` of *values* filled in. Raises `ConfigError` for one that has no value."""
    missing = [name for name in SETTING.findall(text) if name not in values]
    if missing:
        raise ConfigError(f"{text!r}: there is no setting {missing[0]!r} that may stand there")
    return SETTING.sub(lambda found: values[found[1]], text)


def _check(setting: Setting) -> Callable[[str], str]:
    def check(value: str) -> str:
        if setting.secret:
            given_by_reference(value)
        if setting.pattern and not re.fullmatch(setting.pattern, value):
            raise ValueError(f"it does not match {setting.pattern}")
        return value

    return check
