# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Debian's packages of another suite or architecture than the machine's, fetched with an apt of the project's own:
# nothing is installed, and apt checks the signatures. Sourced after lib.sh.

# The machine's own suite and the mirror that its apt uses. Sid has the name of the next release in os-release.
debian_home() {
	# shellcheck disable=SC2016 # apt's own format
	apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Identifier: Packages' |
		awk -v own="$(. /etc/os-release && echo "$VERSION_CODENAME")" '
			$1 == "Debian" && ($2 == own || $2 == "sid") && !suite { suite = $2; print suite, $3 }
			END { exit !suite }'
}

# own_state STATE SUITE [ARCHITECTURE]: in STATE, an apt for one suite. The machine's settings are kept, its hooks do not run.
own_state() {
	local state=$1 suite=$2 arch=${3:-$(dpkg --print-architecture)} home
	home=$(debian_home) || die 1 "no Debian mirror in the machine's apt configuration (has apt-get update run?)${alternatives:+; $alternatives}"
	mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
	: >"$state/status"
	printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "${home#* }" "$suite" >"$state/sources.list"
	cat >"$state/apt.conf" <<-END
		#clear APT::Update;
		#clear DPkg;
		#clear AptCli;
		#clear APT::Architectures;
		APT::Architecture "$arch";
		APT::Architectures { "$arch"; };
		APT::Install-Recommends "false";
		APT::Sandbox::User "root";
		APT::Update::Error-Mode "any";
		Acquire::Languages "none";
		Acquire::Retries "3";
		Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
		Dir::State "$state";
		Dir::State::status "$state/status";
		Dir::Cache "$state/cache";
		Dir::Etc::sourcelist "$state/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
	END
}

# own_apt STATE get|cache COMMAND...: apt-get or apt-cache of STATE.
own_apt() { "apt-$2" -q -c "$1/apt.conf" "${@:3}"; }

# own_unpack STATE FOLDER NAMES PACKAGE...: unpacks into FOLDER what has a name like NAMES, a Perl regular expression, of
# these packages and all that they depend on.
own_unpack() {
	local state=$1 folder=$2 matching=$3 names deb
	shift 3
	own_apt "$state" get update && names=$(own_apt "$state" get --simulate install "$@") || return
	mapfile -t names < <(sed -n 's/^Inst \([^ :]*\).*/\1/p' <<<"$names" | grep -P "$matching")
	rm -rf "$folder.part"
	mkdir -p "$folder.part"
	(cd "$folder.part" && own_apt "$state" get download "${names[@]}") || return
	for deb in "$folder.part"/*.deb; do
		dpkg-deb --extract "$deb" "$folder.part" || return
		rm "$deb"
	done
	rm -rf "$folder"
	mv "$folder.part" "$folder"
}

unpack_program() {
	local log=$CACHE/logs/suite-$1.log
	[ ! -d "$3" ] || return 0
	mkdir -p "$CACHE/suites" "$CACHE/logs"
	need_space CACHE "$CACHE" 2000
	own_state "$CACHE/apt-$1" "$1"
	own_unpack "$CACHE/apt-$1" "$3" . "$2" >"$log" 2>&1 ||
		die 1 "Debian's $1 does not give $2: $(grep -m 1 '^E:' "$log" || tail -n 1 "$log"); the whole log is $log"
}

# own_program SUITE PACKAGE FILE NAME [OPTION...]: prints a folder in which NAME starts FILE of PACKAGE of that suite with
# these options, in which @ is where the packages are unpacked, and with its own loader and libraries.
own_program() {
	local suite=$1 package=$2 file=$3 name=$4 root=$CACHE/suites/$1-$2 loader arch
	shift 4
	with_lock "suite-$suite" unpack_program "$suite" "$package" "$root" || return
	loader=$(find "$root" -type f -name 'ld-linux*.so.*' | head -n 1)
	arch=$(basename "$(dirname "$loader")")
	mkdir -p "$root/programs"
	{
		# shellcheck disable=SC2016 # the other shell's
		printf '#!/bin/sh\nexec %q --argv0 "$0" --library-path %q' "$loader" "$root/lib/$arch:$root/usr/lib/$arch"
		printf ' %q' "$root/$file" "${@//@/$root}"
		printf ' "$@"\n'
	} >"$root/programs/.$name.$$"
	chmod +x "$root/programs/.$name.$$"
	mv "$root/programs/.$name.$$" "$root/programs/$name"
	printf '%s\n' "$root/programs"
}
