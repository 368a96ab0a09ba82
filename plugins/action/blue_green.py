# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the engine on the controller, so that its progress is seen while it works."""

from __future__ import annotations

import traceback
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError, LeaseLost
from ansible_collections.immutable.ec2.plugins.module_utils.deployment import entry
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.arguments import REQUIRED_IF, argument_spec
from ansible_collections.immutable.ec2.plugins.module_utils.deployment.errors import Refused


class ActionModule(ActionBase):
    """The action plugin of ``immutable.ec2.blue_green``; arguments and result are the module's."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(argument_spec(), required_if=REQUIRED_IF)
        try:
            facts = entry.run(arguments, bool(self._task.check_mode), self._display.display)
        except (AwsError, LeaseLost, Refused) as error:
            self._display.vvv("".join(traceback.format_exception(error)))
            return {**result, "failed": True, "msg": str(error)}
        if not self._task.diff:
            del facts["diff"]
        return {**result, **facts}
