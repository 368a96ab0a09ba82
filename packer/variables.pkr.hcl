# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The variables that both templates know; base/ and app/ have links to this file. Only values that Packer itself needs
# stand here: what the roles can be told goes into the file named by role_vars. (Packer 1.6 has no can() in validations.)

variable "app" {
  type        = string
  description = "The app's name. It prefixes the names of images and is their tag."
  validation {
    condition     = var.app != "" && regex_replace(var.app, "^[a-z][a-z0-9-]{0,30}$", "") == ""
    error_message = "The app's name must be lower case letters, digits and hyphens, 31 characters at most."
  }
}

variable "app_dir" {
  type        = string
  description = "Path of the Rails app's folder."
  validation {
    condition     = fileexists("${var.app_dir}/Gemfile.lock")
    error_message = "There is no Gemfile.lock in the app's folder: is app_dir the Rails app, and has \"bundle lock\" been run."
  }
}

variable "release" {
  type        = string
  description = "The bake id: the identity of what this build makes."
  validation {
    condition     = var.release != "" && regex_replace(var.release, "^[a-z0-9][a-z0-9-]{0,63}$", "") == ""
    error_message = "The release must be lower case letters, digits and hyphens, 64 characters at most."
  }
}

variable "revision" {
  type        = string
  description = "Git revision of the app."
  default     = "none"
}

variable "build" {
  type        = string
  description = "Which build makes it, a tag on the image."
  default     = "none"
}

variable "inputs" {
  type        = string
  description = "Hash of everything that the image is made from, a tag on it: playbooks/bake.yml bakes nothing twice."
  default     = "none"
}

variable "packages_to" {
  type        = string
  description = "Path of the file that the list of the image's packages is written to; empty for none."
  default     = ""
}

variable "encrypt" {
  type        = bool
  description = "Whether the image is encrypted."
  default     = false
}

variable "kms_key_id" {
  type        = string
  description = "The key that it is encrypted with; the region's default without it, and then it can't be shared."
  default     = ""
}

variable "channel" {
  type        = string
  description = "What the image is meant for, a tag on it."
  default     = "main"
}

variable "role_vars" {
  type        = string
  description = "Path of a YAML file with variables of the roles."
  default     = ""
}

variable "region" {
  type        = string
  description = "Where the image is made."
  default     = env("AWS_DEFAULT_REGION")
  validation {
    condition     = length(var.region) > 0
    error_message = "There is no region: give -var region=… or set AWS_DEFAULT_REGION."
  }
}

variable "instance_type" {
  type        = string
  description = "Type of the builder."
  default     = "t3.medium"
}

variable "subnet_id" {
  type        = string
  description = "Subnet of the builder; the default VPC's without it."
  default     = ""
}

variable "ssh_interface" {
  type        = string
  description = "How Packer reaches the builder: public_ip, private_ip, public_dns, private_dns."
  default     = "public_ip"
}

variable "ssh_username" {
  type        = string
  description = "Login user of the distribution's image."
  default     = "admin"
}

variable "custom_endpoint_ec2" {
  type        = string
  description = "Another address of the EC2 API. Newer Packer also needs AWS_ENDPOINT_URL."
  default     = ""
}
