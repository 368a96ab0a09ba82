# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""moto reads templates with PyYAML's unsafe loader, which runs code that a template names; here it gets a safe one.

Private to moto 5.2.5: the ``yaml`` name in ``moto.cloudformation``'s modules and ``yaml_tag_constructor``.
The lab never sends a template to moto, so this is the second lock on the same door.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import yaml


class _TemplateLoader(yaml.SafeLoader):
    """The safe loader, with CloudFormation's short forms (``!Ref``) as moto reads them."""


def _load(text: str, Loader: Any = None) -> Any:
    return yaml.load(text, Loader=_TemplateLoader)


def _keep(*_arguments: Any, **_named: Any) -> None:
    """moto adds its constructor to the loaders of the whole process before every load; the loader here has it."""


def use_safe_loader() -> None:
    """Make moto's CloudFormation read templates with the safe loader."""
    from moto.cloudformation import models, responses, utils

    _TemplateLoader.add_multi_constructor("", utils.yaml_tag_constructor)
    safe = SimpleNamespace(
        **{name: getattr(yaml, name) for name in dir(yaml) if not name.startswith("_")},
    )
    safe.load, safe.add_multi_constructor = _load, _keep
    for module in (models, responses, utils):
        setattr(module, "yaml", safe)  # noqa: B010 - mypy knows the name as a module
