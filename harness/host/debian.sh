# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Debian's packages of another suite or architecture than the machine's, fetched with an apt state of the
# project's own: nothing is installed, and apt checks the signatures. Sourced after lib.sh.

# The mirror that the machine's own apt uses.
debian_mirror() {
	local uri=""
	# shellcheck disable=SC2016 # apt's own format
	uri=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Identifier: Packages' |
		awk -v c="$(. /etc/os-release && echo "$VERSION_CODENAME")" '$1 == "Debian" && $2 == c { print $3; exit }')
	[ -n "$uri" ] || return 1
	printf '%s\n' "$uri"
}

# own_apt STATE COMMAND...: apt-get with its state and its list of sources in a folder.
own_apt() {
	local state=$1
	shift
	mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
	: >>"$state/status"
	apt-get -q -o Dir::State="$state" -o Dir::State::status="$state/status" \
		-o Dir::Cache="$state/cache" -o Dir::Etc::sourcelist="$state/sources.list" \
		-o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferences=/dev/null \
		-o Dir::Etc::preferencesparts=/dev/null -o APT::Sandbox::User=root \
		-o Acquire::Languages=none -o Acquire::Retries=3 \
		-o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false "$@"
}
