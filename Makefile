# Copyright: Contributors to the immutable.ec2 project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The door to everything: `make` alone lists it. The work is done by the scripts in dev/.

export PATH := $(CURDIR)/.venv/bin:$(PATH):/usr/sbin:/sbin
PYTHON := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long faults lint bench bench-long docs lab-up lab-status lab-down clean lock

help: ## show this list
	@awk -F ':[^#]*## ' '/^[a-z-]+:.*##/ {printf "make %-11s %s\n", $$1, $$2}' Makefile

setup: ## install what is missing: Debian packages (as root or with sudo) and the locked Python packages in .venv
	@dev/setup

demo: setup ## bake, deploy, promote under load, roll back, retire and prune in the lab; report in build/demo/report.html
	@$(PYTHON) -m lab.demo

test: setup ## run every test that CI runs
	@dev/test

test-long: setup ## run the tests that are too slow for every change
	@dev/test-long

faults: setup ## every call of a deployment × every fault, on the emulated API (40 minutes); results in build/faults.json
	@dev/faults

lint: setup ## run every linter (dev/lint ruff mypy runs these two)
	@dev/lint

bench: setup ## measure; results in build/bench/*.json
	@dev/bench

bench-long: setup ## measure what takes longer: 50,000 images; results are added to build/bench/*.json
	@dev/bench-long

docs: setup ## build the site in build/docs/index.html
	@dev/docs

lab-up: setup ## start the lab: AWS on this machine
	@$(PYTHON) -m lab up

lab-status: setup ## show the lab's stacks, groups, servers, targets and weights
	@$(PYTHON) -m lab status

lab-down: setup ## stop the lab and leave nothing of it behind
	@$(PYTHON) -m lab down

clean: ## stop the lab and remove what was built (.venv stays)
	@dev/clean

lock: setup ## update every locked version to the newest allowed
	@dev/lock
