# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publications in processes of their own, which can be killed at any call."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.publishing import entry
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.errors import PublishError

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])


class Run:
    """One run of the engine, begun.

    Args:
        arguments: of ``immutable.ec2.ami_publish``.
        variables: of its environment.
        file: for its result.
    """

    def __init__(self, arguments: Mapping[str, Any], variables: Mapping[str, str], file: Path) -> None:
        self._file = file
        self._process = _PROCESSES.Process(target=_run, args=(dict(arguments), dict(variables), file))
        self._process.start()

    def kill(self) -> None:
        """With SIGKILL: nothing of it can clean up."""
        self._process.kill()
        self._process.join()

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def end(self, seconds: float = 60) -> dict[str, Any]:
        """The module's result, or ``{"failed": why}``; {} where it was killed."""
        self._process.join(seconds)
        assert not self.alive, f"the publication did not end in {seconds} s"
        if not self._file.exists():
            return {}
        read: dict[str, Any] = json.loads(self._file.read_text(encoding="utf-8"))
        return read


def validated(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as Ansible hands them over, with their defaults."""
    checked = ArgumentSpecValidator(entry.argument_spec()).validate(dict(arguments))
    assert not checked.error_messages, checked.error_messages
    found: dict[str, Any] = checked.validated_parameters
    return found


def _run(arguments: dict[str, Any], variables: dict[str, str], file: Path) -> None:
    os.environ.update(variables)
    said: list[str] = []
    check = arguments.pop("check", False)
    try:
        result = entry.run(validated(arguments), check, said.append)
    except (AwsError, PublishError) as error:
        result = {"failed": str(error), "lines": getattr(error, "lines", [])}
    file.write_text(json.dumps({**result, "said": said}), encoding="utf-8")
