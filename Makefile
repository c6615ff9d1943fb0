# SPDX-License-Identifier: GPL-2.0
# The front door. The work is done in harness/; CMakeLists.txt builds the programs.

# The names of variables on the command line, so that a mistyped one can be refused.
export GIVEN := $(foreach v,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $v))),$v))

goals := bench check certify peers variant prove doctor profile plots reply publish clean
.DEFAULT_GOAL := help
.PHONY: help $(goals)
help $(goals):
	@MAKEFLAGS= exec harness/request/front.sh $@
