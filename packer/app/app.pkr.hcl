# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# the newest base image of the app becomes a release.

variable "declaration" {
  type        = string
  description = "The app's declaration of its configuration, a path inside its folder."
  default     = "config/immutable.yml"
}

variable "base_image" {
  type        = string
  description = "Id of the base image; the app's newest without it."
  default     = ""
}

locals {
  tags = {
    Name       = "${var.app}-app-${var.release}"
    app        = var.app
    stage      = "app"
    release    = var.release
    revision   = var.revision
    build      = var.build
    channel    = var.channel
    inputs     = var.inputs
    base_image = "{{ .SourceAMI }}"
    # Nobody deploys it before immutable.ec2.ami_publish has seen a server boot from it.
    publication = "pending"
  }

  # What the app says of its configuration goes with the image: a deployment reads it from its tags, wherever it is run, and
  # settles with it which versions the servers read.
  declaration = base64encode(jsonencode(yamldecode(file("${abspath(var.app_dir)}/${var.declaration}"))))
}

# What Packer 1.6 doesn't know (IMDSv2 of the image, deprecation, sharing with organizations) is done when it is published.
source "amazon-ebs" "server" {
  ami_name      = local.tags.Name
  region        = var.region
  instance_type = var.instance_type
  subnet_id     = var.subnet_id
  source_ami    = var.base_image

  source_ami_filter {
    owners      = ["self"]
    most_recent = true
    filters = {
      "tag:app"   = var.app
      "tag:stage" = "base"
      state       = "available"
    }
  }

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

  tags = merge(local.tags, {
    # A tag holds 256 characters.
    for number, part in chunklist(split("", local.declaration), 256) : "declaration-${number + 1}" => join("", part)
  })
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
        image_stage = "app"
        app         = var.app
        app_dir     = abspath(var.app_dir)
        release     = var.release
        revision    = var.revision
        packages_to = var.packages_to == "" ? "" : abspath(var.packages_to)

        app_bundle_declaration = var.declaration
      })],
    )
  }
}
