# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# the distribution's image becomes the one that all releases of an app start from.

variable "source_ami" {
  type        = string
  description = "The distribution's image; playbooks/bake.yml looks it up in the distribution's public SSM parameter."
  validation {
    condition     = var.source_ami != "" && regex_replace(var.source_ami, "^ami-[0-9a-f]+$", "") == ""
    error_message = "The source_ami must be the id of an image (ami-…)."
  }
}

locals {
  tags = {
    Name       = "${var.app}-base-${var.release}"
    app        = var.app
    stage      = "base"
    release    = var.release
    revision   = var.revision
    build      = var.build
    channel    = var.channel
    inputs     = var.inputs
    base_image = "{{ .SourceAMI }}"
  }
}

# What Packer 1.6 doesn't know (IMDSv2 of the image, deprecation, sharing with organizations) is done when it is published.
source "amazon-ebs" "server" {
  ami_name      = local.tags.Name
  region        = var.region
  instance_type = var.instance_type
  subnet_id     = var.subnet_id
  source_ami    = var.source_ami

  custom_endpoint_ec2 = var.custom_endpoint_ec2

  encrypt_boot = var.encrypt
  kms_key_id   = var.kms_key_id

  # An hour for the slowest step, and no quarter of a minute lost after each (Packer's own pace).
  aws_polling {
    delay_seconds = 1
    max_attempts  = 3600
  }

  communicator  = "ssh"
  ssh_username  = var.ssh_username
  ssh_interface = var.ssh_interface

  tags            = local.tags
  snapshot_tags   = local.tags
  run_tags        = merge(local.tags, { Name = "${local.tags.Name}-builder" })
  run_volume_tags = { app = var.app, release = var.release }
}

build {
  sources = ["source.amazon-ebs.server"]

  provisioner "ansible" {
    playbook_file = "${path.root}/../../playbooks/image.yml"
    user          = var.ssh_username
    # The proxy is slow, and new versions of OpenSSH don't get on with it.
    use_proxy = false
    # One connection for the whole bake: at its end image_seal removes the keys that a second one would need.
    # Each result on one line, whatever the ops repo's ansible.cfg says: bake.yml finds there what failed.
    ansible_env_vars = [
      "ANSIBLE_CALLBACK_RESULT_FORMAT=json",
      "ANSIBLE_CALLBACK_FORMAT_PRETTY=False",
      "ANSIBLE_HOST_KEY_CHECKING=False",
      "ANSIBLE_NOCOLOR=1",
      "ANSIBLE_PIPELINING=True",
      "ANSIBLE_SSH_ARGS=-o ControlMaster=auto -o ControlPersist=10m -o ServerAliveInterval=30 -o UserKnownHostsFile=/dev/null",
    ]
    extra_arguments = concat(
      var.role_vars == "" ? [] : ["-e", "@${abspath(var.role_vars)}"],
      ["-e", jsonencode({
        image_stage = "base"
        app         = var.app
        app_dir     = abspath(var.app_dir)
        release     = var.release
        revision    = var.revision
        packages_to = var.packages_to == "" ? "" : abspath(var.packages_to)
      })],
    )
  }
}
