# SPDX-License-Identifier: GPL-2.0
# The front door; the work is in harness/, the build of the programs in CMakeLists.txt.

# Names given on the command line, so that a mistyped one is refused.
export GIVEN := $(foreach v,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $v))),$v))

goals := bench check certify peers variant prove doctor profile plots reply publish clean
.DEFAULT_GOAL := help
.PHONY: help $(goals)
help $(goals):
	@MAKEFLAGS= exec harness/request/front.sh $@
