# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instance profiles that RunInstances names itself: ministack's IAM has them, moto would ask its own.

Private to moto 5.2.5: ``filter_iam_instance_profiles`` as RunInstances uses it, ``associate_iam_instance_profile``; to
ministack its ``_instance_profiles``.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.iam_instance_profile import IamInstanceProfileAssociationBackend
from moto.ec2.responses import instances

from lab.api.patching import replace


def use_profiles() -> None:
    """Look profiles up where the lab keeps them, and give an instance the one that its launch named."""
    from ministack.services import iam

    def look_up(_account: str, **named: Any) -> None:
        name = named.get("iam_instance_profile_name") or str(named["iam_instance_profile_arn"]).rsplit("/", 1)[-1]
        if not iam._instance_profiles.get(name):
            why = f"Value ({name}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"
            raise EC2ClientError("InvalidParameterValue", why)

    def associate(backend: Any, instance_id: str, **named: Any) -> None:
        profile = {"Name": named.get("iam_instance_profile_name"), "Arn": named.get("iam_instance_profile_arn")}
        backend.get_instance(instance_id).profile = {key: value for key, value in profile.items() if value}

    replace(instances, "filter_iam_instance_profiles", look_up)
    replace(IamInstanceProfileAssociationBackend, "associate_iam_instance_profile", associate)
