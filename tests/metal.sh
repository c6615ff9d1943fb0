#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# metal.sh: what target metal says of a machine that comes back, and of one that does not. A program stands in for ssh, and the
# machine is a folder. metal-box.sh has one that boots. Nothing in here may reboot this machine.
set -euo pipefail
. "$(dirname "$0")/check.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
target=$top/harness/targets/target.sh

# ssh: each command is done with the folder's files in place of the machine's. It fails as ssh does while the machine is down, and
# in the calls that 'breaks' lists: before the command (3) or after it (3+). Somebody reboots it before those that 'resets' lists.
mkdir "$scratch/bin"
cat >"$scratch/bin/ssh" <<'END'
#!/bin/bash
[[ $* != *' -O exit '* ]] || exit 0
cd "$WORLD" || exit
n=$(($(cat calls) + 1))
echo $n >calls
[ ! -e down ] && ! grep -qx "$n" breaks || { echo "ssh: connection refused" >&2; exit 255; }
! grep -qx "$n" resets || echo other >boot_id
text=${*: -1}
text=${text//\/proc\/sys\/kernel\/random\/boot_id/$WORLD/boot_id}
text=${text//\/proc\/sys\/kernel\/bootloader_type/$WORLD/loader}
text=${text//\/dev\/shm\/sheafbench/$WORLD/shm}
text=${text//\/run\/sheafbench/$WORLD/run}
text=${text//.\/box leave/$WORLD/leave}
text=${text//$WORLD\/shm\/box probe/$WORLD/probe}
[[ $text != *'/box leave'* && $text != *'/box probe'* ]] || { echo 'this machine would be rebooted' >&2; exit 1; }
status=0
setpriv --bounding-set -sys_boot --inh-caps -sys_boot sh -c "$text" || status=$?
! grep -qx "$n+" breaks || exit 255
exit $status
END
# What goes on while nobody sees it.
cat >"$scratch/leave" <<'END'
#!/bin/bash
printf '%s\n' "$@" >"$WORLD/left.with"
: >left
come_back() { echo "$1" >"$WORLD/loader"; rm -rf "$WORLD/shm"; echo again >"$WORLD/boot_id"; rm -f "$WORLD/down"; }
results() {
	mkdir -p "$WORLD/run" "$WORLD/out"
	(cd "$WORLD/out" && printf '%s\n' "$@" '<4>[    0.0] the kernel' >console && echo '{}' >run.json && find . -type f | cpio -o -H newc --quiet) >"$WORLD/run/$3.cpio"
}
(
	exec >/dev/null 2>&1 </dev/null
	sleep 1
	[ "$CASE" = stays ] || : >"$WORLD/down"
	sleep 7
	case $CASE in
	ok) results 'sheafbench: exit 0' x "$3" && come_back 208 ;;
	hang) results 'sheafbench: init: hang: /driver did not end within 3 s' 'sheafbench: exit 125' "$3" && come_back 208 ;;
	oops) results 'Oops: 0000' 'sheafbench: exit 139' "$3" && come_back 208 ;;
	panic) come_back 114 ;;
	nobody) come_back 208 ;;
	stays) echo 'sheafbench: box: its kernel does not go: Invalid argument' >"$WORLD/shm/left" ;;
	esac
) &
END
printf '%s\n' '#!/bin/sh' 'cat answer' >"$scratch/probe"
chmod +x "$scratch"/bin/ssh "$scratch"/{leave,probe}
: >"$scratch/image"
: >"$scratch/initramfs"
export HOST=root@box PATH=$scratch/bin:$PATH

# world NAME: a machine.
world() {
	export WORLD=$scratch/$1
	mkdir -p "$WORLD/boot" "$WORLD/to"
	ln -s "$scratch"/{leave,probe} "$WORLD"
	echo 0 >"$WORLD/calls"
	echo once >"$WORLD/boot_id"
	echo 114 >"$WORLD/loader"
	touch "$WORLD"/{breaks,resets,answer,to/args}
}
# boot NAME CASE [BREAKS [RESETS]]: a boot in the background.
boot() {
	world "$1"
	tr ' ' '\n' <<<"${3-}" >"$WORLD/breaks"
	echo "${4-}" >"$WORLD/resets"
	CASE=$2 "$target" metal boot "$WORLD/log" "$scratch/image" "$scratch/initramfs" "qpw='1'" "$WORLD/to" 3 back=17 needs=run.json >"$WORLD/reason" &
}
boot good ok
boot broken ok '1 2+ 3 4+ 8 9'
boot hung hang
boot oopsed oops
boot panicked panic
boot unhanded nobody
boot stayed stays
boot lost lost
boot never ok "$(seq -s ' ' 1 100)"
boot other ok '' 2
boot between ok '' 3
wait
expect 0 '^$' 'a boot there and back' cat "$scratch/good/reason"
holds 'has its console and its files' test "$(head -n 1 "$scratch/good/log")" = 'sheafbench: exit 0' -a -s "$scratch/good/to/run.json"
holds 'and leaves nothing there' test ! -e "$scratch/good/run" -a ! -e "$scratch/good/shm"
expect 0 'panic=5 .*sheafbench.back=/box sheafbench.deadline=3 qpw=1$' 'our kernel is told how to go back' tail -n 1 "$scratch/good/left.with"
expect 0 '^$' 'connections that break, before a command or after it' cat "$scratch/broken/reason"
expect 0 '^hang: no result within 3 s$' 'a hang' cat "$scratch/hung/reason"
expect 0 '^Oops: 0000$' 'an Oops' cat "$scratch/oopsed/reason"
expect 0 '^root@box came back through its firmware: the kernel panicked' 'a panic' cat "$scratch/panicked/reason"
expect 0 'came back without the results: its initramfs has no udev' 'an initramfs that hands nothing on' cat "$scratch/unhanded/reason"
expect 0 '^root@box did not leave its own system: .*does not go: Invalid argument$' 'a machine that does not leave' cat "$scratch/stayed/reason"
expect 0 '^root@box did not come back within 20 s: look at its console, and reset it$' 'one that does not come back' cat "$scratch/lost/reason"
expect 0 '^ssh root@box fails, and did to the end of 20 s: ssh: connection refused$' 'one that is not there' cat "$scratch/never/reason"
expect 0 '^root@box was rebooted by somebody else while its kernel was brought$' 'one that somebody else reboots' cat "$scratch/other/reason"
expect 0 '^root@box was rebooted by somebody else while its kernel was loaded$' 'also a moment later' cat "$scratch/between/reason"

probe() {
	world "probe.$1"
	printf '%s\n' "${@:3}" | sed '/^$/d' >"$WORLD/answer"
	echo "$2" >"$WORLD/breaks"
	GOAL=bench "$target" metal probe
}
expect 0 '^root@box: (.*; )?kexec takes root there$' 'the probe says what is missing there' probe missing '' 'kexec takes root there'
expect 0 '^ssh root@box fails: ssh: connection refused$' 'or that ssh fails' probe refused 1
holds 'and leaves nothing there' test ! -e "$scratch/probe.missing/shm"
finish
