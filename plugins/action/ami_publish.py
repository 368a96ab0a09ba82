# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishes from the controller, so that progress is seen while a server boots and images are copied."""

from __future__ import annotations

import traceback
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.immutable.ec2.plugins.module_utils.aws.errors import AwsError
from ansible_collections.immutable.ec2.plugins.module_utils.publishing import entry
from ansible_collections.immutable.ec2.plugins.module_utils.publishing.errors import PublishError, ValidationFailed


class ActionModule(ActionBase):
    """The action plugin of ``immutable.ec2.ami_publish``; arguments and result are the module's."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(entry.argument_spec())
        try:
            facts = entry.run(arguments, bool(self._task.check_mode), self._display.display)
        except ValidationFailed as failure:
            return {**result, "failed": True, "msg": str(failure), "lines": failure.lines}
        except (AwsError, PublishError) as error:
            self._display.vvv("".join(traceback.format_exception(error)))
            return {**result, "failed": True, "msg": str(error)}
        if not self._task.diff:
            del facts["diff"]
        return {**result, **facts}
