# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Reading the variant files (docs/formats.md). Sourced after lib.sh.

# Each folder has variants/ and patches/; a name is taken from the first that has it.
IFS=: read -ra variant_path <<<"${VARIANT_PATH:-$top/kernel-patches:$top/kernel-patches/local}"

# in_path NAME: prints the first file of that name, or fails.
in_path() {
	local dir
	for dir in "${variant_path[@]}"; do
		[ ! -e "$dir/$1" ] || { printf '%s\n' "$dir/$1"; return; }
	done
	return 1
}
variant_file() { in_path "variants/$1.variant"; }

# Each word of KERNELS but the first, which is the baseline's kernel, is a variant without a file: a line 'NAME WORD ORDER' each.
# It is called after the word, without the folders that lead to it; of words with one name the later ones have a number.
kernel_variants() {
	local of_kernels
	read -ra of_kernels <<<"${KERNELS-}"
	[ ${#of_kernels[@]} = 0 ] || printf '%s\n' "${of_kernels[@]:1}" | awk 'NF {
		name = tolower($0)
		sub(/\/+$/, "", name)
		# What follows the last @ may be a branch with slashes.
		at = match(name, /@[^@]*$/) ? substr(name, RSTART) : ""
		name = substr(name, 1, length(name) - length(at))
		sub(/.*\//, "", name)
		name = name at
		sub(/\.(tar(\.[a-z0-9]+)?|tgz|txz)$/, "", name)
		gsub(/[^a-z0-9.]+/, "-", name)
		sub(/^[.-]+/, "", name)
		name = substr(name, 1, 28)
		sub(/[.-]+$/, "", name)
		if (name == "") name = "kernel"
		if (had[name]++) name = name "-" had[name]
		printf "%s %s 9.%02d\n", name, $0, NR
	}'
}

# variants_by KEY [DEFAULT]: the values of KEY of all variants in the order of tables: a line 'NAME VALUE' each.
variants_by() {
	local dir file files=() had=' '
	for dir in "${variant_path[@]}"; do
		for file in "$dir"/variants/*.variant; do
			[[ -f $file && $had != *" ${file##*/} "* ]] || continue
			had+="${file##*/} " files+=("$file")
		done
	done
	{
		[ ${#files[@]} = 0 ] || awk -F ' *= *' -v key="$1" -v fallback="${2-}" '
			function end(i) {
				if (!n && fallback != "") values[n++] = fallback
				for (i = 0; i < n; i++) print order, name, values[i]
				n = 0
			}
			FNR == 1 { if (NR > 1) end(); name = FILENAME; sub(/.*\//, "", name); sub(/\.variant$/, "", name); order = 50 }
			/^#/ { next }
			$1 == "order" { order = $2 }
			$1 == key { values[n] = $0; sub(/^[^=]*= */, "", values[n++]) }
			END { end() }' "${files[@]}"
		kernel_variants | awk -v fallback="${2-}" 'fallback != "" { print $3, $1, fallback }'
	} | sort -n -k1,1 -k2,2 | cut -d' ' -f2-
}
variant_names() { variants_by order 50 | cut -d' ' -f1; }

# kernel_variant NAME: what a file of that variant of KERNELS would say; fails where it is none.
kernel_variant() {
	[ -n "${KERNELS-}" ] || return
	kernel_variants | awk -v name="$1" '
		$1 == name { printf "title = unpatched kernel: %s\nkernel = %s\norder = %s\n", $1, $2, $3; found = 1 }
		END { exit !found }'
}

# variant_key NAME KEY [DEFAULT]: the variant's values of KEY, a line each.
variant_key() {
	local file
	# shellcheck disable=SC2016 # awk's
	local values=(awk -F ' *= *' -v key="$2" -v fallback="${3-}" '
		/^#/ { next }
		$1 == key { sub(/^[^=]*= */, ""); print; found = 1 }
		END { if (!found && fallback != "") print fallback }')
	if file=$(variant_file "$1"); then "${values[@]}" "$file"; else kernel_variant "$1" | "${values[@]}"; fi
}

# source_of NAME: the pristine source of the variant's kernel: SOURCE, unless it names one of its own. SOURCES has those that a
# request has taken, NAME=ID with blanks between them.
source_of() {
	local word kernel
	for word in ${SOURCES-}; do
		[ "${word%%=*}" != "$1" ] || { printf '%s\n' "$CACHE/source/${word#*=}"; return; }
	done
	kernel=$(variant_key "$1" kernel)
	if [ -n "$kernel" ]; then KERNEL_SRC=$kernel "$top/harness/kernel/source.sh"; else printf '%s\n' "${SOURCE-}"; fi
}

# fit_text: whether each line of standard input is UTF-8, and has nothing that controls what shows it, tabs included.
fit_text() {
	local text
	text=$(iconv -f UTF-8 -t UTF-8 2>/dev/null) && ! grep -qP '\p{C}|\p{Zl}|\p{Zp}' <<<"$text"
}
# check_variant_file NAME: what its file says goes into tables, whose readers refuse other texts.
check_variant_file() {
	local file
	file=$(variant_file "$1") || return 0 # of KERNELS
	sed '/^#/d' "$file" | fit_text || die 2 "$file: write it in UTF-8, without tabs and what else controls what shows it"
}

# Takes the isolated CPUs out of a command line on standard input, for boots that choose these themselves.
unisolated() { sed -E 's/(^| )(isolcpus|ncpus)=[^ ]*//g'; }

baseline_variant() {
	variants_by role | awk '$2 == "baseline" && !n++ { print $1 } END { exit !n }' ||
		die 1 "no variant in kernel-patches/variants has role = baseline"
}

# Names of the sets of variants.
variant_sets() { variants_by set | cut -d' ' -f2- | sort -u; }

# variant_asked NAME: is it one of those that VARIANTS asks for? If empty, that asks for the changes that are in no set; the
# name of a set, for these and its own. What KERNELS names is asked for, and with it nothing else that is not named.
variant_asked() {
	local set
	[[ " $VARIANTS " != *" $1 "* ]] || return 0
	! kernel_variant "$1" >/dev/null || return 0
	[ -z "${KERNELS-}" ] || [ -n "$VARIANTS" ] || return 1
	[ "$(variant_key "$1" role change)" = change ] || return 1
	set=$(variant_key "$1" set)
	[ -n "$set" ] || [ -n "$VARIANTS" ] || return 0
	for set in ${set:-$(variant_sets)}; do
		[[ " $VARIANTS " != *" $set "* ]] || return 0
	done
	return 1
}

# VERSION.PATCHLEVEL of the source tree.
kernel_series() { awk -F ' *= *' '/^VERSION =/ { v = $2 } /^PATCHLEVEL =/ { print v "." $2; exit }' "$1/Makefile"; }

# The patches of a list of series, in order of their names. On a 7.3 kernel those in SERIES-7.3/ replace the ones with the
# same name, and are added to the others.
series_patches() {
	local s dirs version=none
	[ -z "${SOURCE-}" ] || version=$(kernel_series "$SOURCE")
	for s in "$@"; do
		dirs=("$(in_path "patches/$s")") || die 1 "no series $s in kernel-patches/patches"
		[ ! -d "${dirs[0]}-$version" ] || dirs+=("${dirs[0]}-$version")
		find "${dirs[@]}" -name '*.patch' -printf '%f %p\n' |
			awk '{ path[$1] = $2 } END { for (f in path) print f, path[f] }' | LC_ALL=C sort | cut -d' ' -f2
	done
}

# How git applies them. What no build reads need not fit: MAINTAINERS and Documentation change with each kernel.
# shellcheck disable=SC2034 # of those who apply them
apply_options=(--whitespace=nowarn --exclude=MAINTAINERS --exclude='Documentation/*.rst' --exclude='Documentation/*.txt')

# variant_patches NAME: those of its series, in order. With 'patches = 2' the last of the series gives its first two.
variant_patches() {
	local chain most
	mapfile -t chain < <(variant_key "$1" series)
	[ ${#chain[@]} -gt 0 ] || return 0
	most=$(variant_key "$1" patches)
	series_patches "${chain[@]:0:${#chain[@]}-1}"
	# Not head: who writes to it would be told that it had enough.
	series_patches "${chain[-1]}" | sed -n "1,${most:-\$}p"
}

# All that makes one variant's kernel differ from another's; variants with the same text share a build.
variant_build_text() {
	local patches
	variant_key "$1" kconfig
	variant_key "$1" um_fidelity
	mapfile -t patches < <(variant_patches "$1")
	[ ${#patches[@]} = 0 ] || cat -- "${patches[@]}"
}

# Without one of these a kernel's measurement is none, or is that of another allocator: no variant's KCONFIG may undo what
# configs/common.config says of them.
needed_options='SMP|MODULES|MODULE_UNLOAD|KALLSYMS|PRINTK|BUG|BLK_DEV_INITRD|RD_GZIP|PROC_FS|SYSFS|TMPFS|DEVTMPFS|BINFMT_ELF|MULTIUSER|FUTEX|SHMEM|POSIX_TIMERS|HIGH_RES_TIMERS|SLUB_DEBUG_ON|SLUB_TINY'

# config_differences A B: the options of two .configs that differ, a line 'CONFIG_X a b' each; one that is not there is off.
config_differences() {
	awk '/^CONFIG_[^=]*=/ { name = $0; sub(/=.*/, "", name); value = substr($0, length(name) + 2) }
		/^# CONFIG_[^ ]* is not set/ { name = $2; value = "n" }
		/^(# )?CONFIG_/ { all[name]; if (file == 1) a[name] = value; else b[name] = value }
		END {
			for (name in all) {
				was = name in a ? a[name] : "n"
				is = name in b ? b[name] : "n"
				if (was != is) print name, was, is
			}
		}' file=1 "$1" file=2 "$2" | LC_ALL=C sort
}
# undone_config CONFIG: those of the needed options that this one has otherwise.
undone_config() { config_differences "$top/kernel-patches/configs/common.config" "$1" | grep -E "^CONFIG_($needed_options) " || true; }
