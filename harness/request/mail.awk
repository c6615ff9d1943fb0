# SPDX-License-Identifier: GPL-2.0
# mail.awk: what the mails of a mailbox are, for register.sh. The locale is C; mawk knows no {n,m}.
#
#   -v step=lines      a mailbox's text, so that git mailsplit knows where each mail begins
#   -v step=names      N.diff...: prints what the kernel may have of what they name
#   -v step=diffs      'FOLDER/kernel', what it has of that, folders with a / behind them, then N.diff...: writes N.patch, the
#                      same with a/ and b/ before names as the kernel has them, and N.key, what two copies have in common
#   -v step=series     'FOLDER/keys', then N.info N...: which mails are the series. Prints lines of: take FILE SUBJECT; title
#                      SUBJECT; note TEXT; die TEXT. in_order: unnumbered ones are a series; from_git: each is known to be one mail

# Of the header lines that begin at L[i]: whether a mail could begin there, and where they end.
function headers(i, has) {
	run_subject = run_id = ""
	for (; i in L && (L[i] ~ /^[A-Za-z][A-Za-z0-9-]*:/ || L[i] ~ /^[ \t]+[^ \t]/); i++) {
		if (L[i] !~ /^[A-Za-z]/)
			continue
		field = tolower(substr(L[i], 1, index(L[i], ":") - 1))
		if (field == "subject") run_subject = L[i]
		else if (field == "message-id") run_id = has = 1
		else if (field == "from" || field == "date") has = 1
	}
	run_end = i
	return run_subject != "" && has
}
function slurp() { if (FNR == 1) split("", L); sub(/\r$/, ""); L[FNR] = $0 }

### lines

function lines(n, i, in_header) {
	for (i = 1; i <= n; i++) {
		# A byte order mark, which editors write and 'cat' moves.
		if (L[i] ~ /^\357\273\277/) sub(/^(\357\273\277)+/, "", L[i])
		if (L[i] ~ /^From / && headers(i + 1)) {
			print "From mboxrd@z Thu Jan  1 00:00:00 1970"
			in_header = 1
			continue
		}
		# A sentence of a mail, which mailsplit would take for the next one where a date is in it.
		if (L[i] ~ /^From / && L[i + 1] !~ /^[A-Za-z][A-Za-z0-9-]*:/) L[i] = ">" L[i]
		if (i == 1 && headers(1)) in_header = 1
		# The author's line in a body is the first of it.
		if (L[i] ~ /^[ \t]*$/) { if (in_header) in_header = 2 } else if (in_header == 2) in_header = 3; else if (in_header == 3) in_header = 0
		# As archives hide addresses: 'dev at example.org (Dev)', 'Dev <dev at example.org>'.
		if (in_header && L[i] ~ /^From: / && L[i] !~ /@/ && match(L[i], /[^ <]+ at [^ >]+/)) {
			who = substr(L[i], RSTART, RLENGTH)
			sub(/ at /, "@", who)
			name = substr(L[i], 7)
			if (match(name, /\(.*\)/)) name = substr(name, RSTART + 1, RLENGTH - 2)
			else if (!sub(/ *<.*/, "", name)) name = who
			L[i] = "From: " name " <" who ">"
		}
		print L[i]
	}
}

### diffs

# strip(NAME, K): without its first K folders; empty when it has no more.
function strip(name, k) {
	while (k-- > 0)
		if (!sub(/^[^\/]*\/+/, "", name)) return ""
	return name
}
# What stands after a name is a date, whose tab some mailers make blanks of.
function name_of(line) {
	line = substr(line, 5)
	sub(/\t.*/, "", line)
	sub(/ +[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:.*/, "", line)
	sub(/ +(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z][a-z] +[0-9]+ [0-9][0-9]:.*/, "", line)
	sub(/ +$/, "", line)
	return line
}
function score(name, k, created, p, d, s) {
	p = strip(name, k)
	if (p == "" || name == "/dev/null") return 0
	if (p in kernel) return p ~ /\// || k < 2 ? 4 : 0
	if (!created) return p in maybe
	d = p
	if (sub(/\/[^\/]*$/, "", d) && d in folder) s++
	sub(/\/.*/, "", p)
	return s + (p in folder)
}
# What the kernel may have of what a diff names: the names with and without folders before them, and the folders of these.
function names(n, i, j, k, p, d) {
	look(n)
	for (i = 1; i <= n; i++)
		for (j = i; kind[i] == "h" && j <= i + 1; j++)
			for (k = 0; k <= 6; k++) {
				p = d = strip(name_of(L[j]), k)
				if (p == "" || p ~ /^\/|(^|\/)\.\.(\/|$)/) continue
				print p
				if (sub(/\/[^\/]*$/, "", d)) print d
				sub(/\/.*/, "", p)
				print p
			}
}
# Which lines are headers: kind[i] is g (diff --git) or h (---, with +++ below).
function look(n, i, old, new, binary) {
	split("", kind)
	for (i = 1; i <= n; i++) {
		if (old > 0 || new > 0) {
			kind[i] = "="
			c = substr(L[i], 1, 1)
			if (c == "+") new--
			else if (c == "-") old--
			else if (c != "\\") { old--; new-- }
			continue
		}
		if (L[i] ~ /^diff --git /) { kind[i] = "g"; binary = 0 }
		else if (L[i] ~ /^--- [^ ]/ && L[i + 1] ~ /^\+\+\+ [^ ]/ && L[i + 2] ~ /^@@ -/) { kind[i] = "h"; binary = 0 }
		else if (L[i] ~ /^(rename|copy) (from|to) |^(old|new|new file|deleted file) mode /) kind[i] = "="
		else if (L[i] ~ /^GIT binary patch/) kind[i] = binary = "="
		else if (binary && L[i] != "") kind[i] = "="
		else if (match(L[i], /^@@ -[0-9]+(,[0-9]+)? \+[0-9]+(,[0-9]+)? @@/)) {
			kind[i] = "@"
			split(substr(L[i], 4, RLENGTH - 6), at, " ")
			old = at[1] ~ /,/ ? substr(at[1], index(at[1], ",") + 1) + 0 : 1
			new = at[2] ~ /,/ ? substr(at[2], index(at[2], ",") + 1) + 0 : 1
		}
	}
}
# Whether no name of what is there before is one of the kernel's without its first folder, or in one of the kernel's folders.
function astray(n, i, p, any) {
	for (i = 1; i <= n; i++) {
		if (kind[i] != "h" || name_of(L[i]) == "/dev/null" || L[i + 2] ~ /^@@ -0(,0)? /) continue
		p = strip(name_of(L[i]), 1)
		sub(/\/.*/, "", p)
		if (p in folder || score(name_of(L[i]), 1, 0) || score(name_of(L[i + 1]), 1, 0)) return 0
		any = 1
	}
	return any
}
# How many folders come before the names of this diff. Those that git writes by itself need no guess, but where the kernel is a
# folder of another tree.
function depth(n, i, k, best, most, points, made, lost) {
	best = 1
	lost = astray(n)
	for (i = 1; i <= n && !lost; i++)
		if (kind[i] == "g" && L[i] ~ /^diff --git "?[abciow12]\/.* "?[abciow12]\// ||
		    kind[i] == "h" && name_of(L[i]) name_of(L[i + 1]) ~ /^([abciow12]\/.*|\/dev\/null)[abciow12]\/|^[abciow12]\/.*\/dev\/null$/)
			return 1
	for (k = most = 0; k <= 6; k++) {
		points = 0
		for (i = 1; i <= n; i++) {
			# Without prefixes git writes one name twice.
			if (kind[i] == "g" && !k && split(L[i], word, " ") == 4) points += word[3] == word[4]
			if (kind[i] != "h") continue
			made = name_of(L[i]) == "/dev/null" || L[i + 2] ~ /^@@ -0(,0)? /
			points += score(name_of(L[i]), k, made) + score(name_of(L[i + 1]), k, made)
		}
		if (points > most) { most = points; best = k }
	}
	return best
}
function named(prefix, line, k, tail) {
	tail = index(line, "\t") ? substr(line, index(line, "\t")) : ""
	line = name_of(line)
	return line == "/dev/null" ? line : prefix strip(line, k) tail
}
function diffs(file, n, i, k, to, key) {
	look(n)
	k = depth(n)
	to = key = file
	sub(/diff$/, "patch", to)
	sub(/diff$/, "key", key)
	printf "" >to
	for (i = 1; i <= n; i++) {
		if (kind[i] == "g" && split(L[i], word, " ") == 4 && word[3] !~ /^"/ && word[4] !~ /^"/)
			L[i] = "diff --git a/" strip(word[3], k) " b/" strip(word[4], k)
		if (k > 1 && match(L[i], /^(rename|copy) (from|to) /) && kind[i] == "=")
			L[i] = substr(L[i], 1, RLENGTH) strip(substr(L[i], RLENGTH + 1), k - 1)
		# Names in quotes are git's own.
		if (kind[i] == "h" && (L[i] ~ /^--- "/ || L[i + 1] ~ /^\+\+\+ "/)) {
			print L[i] "\n" L[i + 1] >key
		} else if (kind[i] == "h") {
			L[i] = "--- " named("a/", L[i], k)
			L[i + 1] = "+++ " named("b/", L[i + 1], k)
			print L[i] "\n" L[i + 1] >key
		} else if (kind[i] == "=" || kind[i] == "g") {
			print L[i] >key
		}
		print L[i] >to
		if (L[i] ~ /^--- [^ ]/ && L[i + 1] ~ /^\*\*\*\*\*/) { print "context" >key; print file }
	}
	close(to)
	close(key)
}
# What any of the mails makes is there for the others, wherever its name begins.
function makes(n, i, k) {
	look(n)
	for (i = 1; i <= n; i++)
		if (kind[i] == "h" && (name_of(L[i]) == "/dev/null" || L[i + 2] ~ /^@@ -0(,0)? /))
			for (k = 0; k <= 6; k++) maybe[strip(name_of(L[i + 1]), k)] = 1
		else if (kind[i] == "=" && match(L[i], /^(rename|copy) to /))
			for (k = 0; k <= 6; k++) maybe[strip(substr(L[i], RLENGTH + 1), k)] = 1
}

### series

BEGIN { answering = "^[ \t]*(re|aw|sv|antw|antwort|fwd?|wg|odp|ynt|\345\233\236\345\244\215|\347\255\224\345\244\215|\350\275\254\345\217\221)(\\[[0-9]+\\]|\\([0-9]+\\))?(:|\357\274\232)" }
function quote(s) {
	gsub(/[\001-\037\177]|\302[\200-\237]/, "", s)
	if (length(s) > 120) { s = substr(s, 1, 120); sub(/[\300-\377][\200-\277]*$/, "", s); s = s "..." }
	return "'" s "'"
}
function die(text) { print "die\t" text; exit }
# tags(): of the subject's [brackets] the version and the number; the subject is what is left.
function tags(m, s, t, rest, dots, tagged) {
	version[m] = 10000
	s = substr(subject[m], 1, 1000)
	while (1) {
		# After a series' own tag such a word is a subsystem: [PATCH 1/2] wg: ...
		if (!tagged && match(tolower(s), answering)) {
			t = substr(s, RLENGTH + 1)
			if (!answer[m]++) subject[m] = substr(s, match(s, /[^ \t]/))
			s = t
			continue
		}
		if (!match(s, /^[ \t]*\[[^]]*\]/)) break
		t = tolower(substr(s, RSTART, RLENGTH))
		s = substr(s, RLENGTH + 1)
		for (rest = t; match(rest, /([^a-z0-9.]|patch|rfc|rft|resend|repost)v(er|ersion)?[ .]?[0-9]+(\.[0-9]+)?[^0-9a-z.]/); rest = substr(rest, RSTART + RLENGTH - 1)) {
			dots = substr(rest, RSTART + 1, RLENGTH - 2)
			sub(/^[^0-9]*/, "", dots)
			# 'v5.10' may be the kernel that it is for.
			if (dots ~ /\./ && version[m] != 10000) continue
			split(dots ".0", at, ".")
			if (length(at[1]) < 5 && length(at[2]) < 5) version[m] = at[1] * 10000 + at[2]
		}
		if (match(t, /[^0-9a-z\/.][0-9]+( of |\/)[0-9]+[^0-9\/]/)) {
			dots = substr(t, RSTART + 1, RLENGTH - 2)
			sub(/ of /, "/", dots)
			split(dots, at, "/")
			if (length(at[1]) < 5 && length(at[2]) < 5 && at[2] > 0) { part[m] = at[1] + 0; total[m] = at[2] + 0 }
		}
		if (t ~ /[^a-z]rfc(v|[^a-z])/) rfc[m] = 1
		if (t ~ /patch|rfc/ || total[m]) tagged = 1
	}
	sub(/^[ \t]+/, "", s)
	if (!answer[m]) subject[m] = s
}
function first_id(s) { return match(s, /<[^<> \t]+>/) ? substr(s, RSTART, RLENGTH) : "" }
function last_id(s, found) { while (match(s, /<[^<> \t]+>/)) { found = substr(s, RSTART, RLENGTH); s = substr(s, RSTART + RLENGTH) } return found }
# One raw mail: its own headers, and whether another's stand in it.
function mail(m, n, i, name, value, v, begun, before) {
	for (i = 1; i <= n && L[i] !~ /^[ \t]*$/; i++) {
		if (L[i] ~ /^[ \t]/) {
			if (length(value[name]) < 20000) value[name] = value[name] " " L[i]
			continue
		}
		name = tolower(substr(L[i], 1, index(L[i], ":")))
		if (!(name in value)) value[name] = substr(L[i], length(name) + 1, 20000)
	}
	id[m] = first_id(value["message-id:"])
	if (id[m] == "") id[m] = "mail " m
	parent[m] = first_id(value["in-reply-to:"])
	if (parent[m] == "") parent[m] = last_id(value["references:"])
	parents[m] = value["in-reply-to:"] " " value["references:"]
	sender[m] = tolower(value["from:"])
	if (match(sender[m], /[^ <>"(,]+@[^ <>")]+/)) sender[m] = substr(sender[m], RSTART, RLENGTH)
	for (; i <= n; i++) {
		if (L[i] ~ /^[ \t]*$/) continue
		if (L[i] !~ /^[A-Za-z][A-Za-z0-9-]*:/) { before = L[i]; begun = 1; continue }
		# The author's own lines come first, or after scissors; an answer may quote its question's, which tell no id.
		if (headers(i) && foreign[m] == "" && (run_id || !answer[m] && begun && before !~ /^[ -]*(>8|8<|>%|%<)[ 8<>%-]*$/)) {
			v = run_subject
			sub(/^[^:]*:[ \t]*/, "", v)
			foreign[m] = v
		}
		begun = 1
		before = ""
		i = run_end - 1
	}
}
function label(m, v) {
	v = version[m]
	return (split_rfc[v, total[m]] && rfc[m] ? "RFC v" : "v") int(v / 10000) (v % 10000 ? "." v % 10000 : "")
}
function rank(m) { return version[m] * 2 + (split_rfc[version[m], total[m]] && !rfc[m]) }
function what(m, k, name) {
	name = m
	for (k = 1; k <= mails; k++)
		if (candidate[k] && total[k] && rank(k) == rank(m) && total[k] == total[m] && !part[k]) name = k
	return quote(subject[name]) " (" label(m) ", " (total[m] ? "of " total[m] : "not numbered") ")"
}
function several(a, b) { die("holds several series: " what(a) " and " what(b) "; give one of them") }
function find(x) { while (x in up) x = up[x]; return x }
function join(a, b) { a = find(a); b = find(b); if (a != b) up[a] = b }
function number(m) { return total[m] ? part[m] "/" total[m] : "1/1" }
function related(m, k, ids, n) {
	if (tolower(subject[m]) in newest_subject || id[m] in newest_ids) return 1
	n = split(parents[m], ids, /[ \t,]+/)
	for (k = 1; k <= n; k++) if (ids[k] in newest_ids) return 1
	return 0
}
function series(m, k, n, newest, any, numbered, highest, cover, count, ids, lost, missing, group, seen, parts_of, whole, threads, later) {
	for (m = 1; m <= mails && !from_git; m++)
		if (foreign[m] != "")
			die("has a mail, " quote(subject[m]) ", that holds the headers of another, " quote(foreign[m]) ": what stands between them is no mailbox's From_ line; give the mails as files of a folder")
	for (m = 1; m <= mails; m++) {
		if (answer[m]) { if (has_diff[m]) print "note\tleft out, an answer: " quote(subject[m]); continue }
		if (total[m] && part[m] && !has_diff[m]) { bare[version[m], total[m], part[m]] = 1; continue }
		if (!total[m] && !has_diff[m]) continue
		if (is_context[m]) die("has a context diff, " quote(subject[m]) ", which git does not read; make it with diff -u")
		candidate[m] = any = 1
		if (total[m]) { numbered = 1; if (version[m] > highest) highest = version[m] }
		# An RFC and the posting after it have the same version.
		if (part[m]) { posted[version[m], total[m], part[m], rfc[m] + 0] = 1; if (((version[m], total[m], part[m], 1 - rfc[m]) in posted)) split_rfc[version[m], total[m]] = 1 }
	}
	for (m = 1; m <= mails && !any; m++)
		if (answer[m] && has_diff[m]) die("has a patch in an answer alone, " quote(subject[m]) "; give it as a file that begins with its own From: or diff")
	if (!any) die("has no patch in it")
	if (!numbered && in_order) {
		for (m = 1; m <= mails; m++) if (candidate[m]) print "take\t" file[m] "\t" subject[m]
		return
	}
	for (m = 1; m <= mails; m++) {
		if (!candidate[m]) continue
		# A patch that somebody answered a series with is no part of it, unless it is a newer version of all of it.
		if (numbered && !total[m] && parent[m] != "" && version[m] <= highest) {
			print "note\tleft out, an answer: " quote(subject[m])
			candidate[m] = 0
		} else if (!newest || rank(m) > rank(newest)) {
			newest = m
		}
	}
	for (m = 1; m <= mails; m++) {
		if (!candidate[m] || rank(m) != rank(newest)) continue
		if (total[m] != total[newest]) several(newest, m)
		newest_subject[tolower(subject[m])] = 1
		newest_ids[id[m]] = 1
		n = split(parents[m], ids, /[ \t,]+/)
		for (k = 1; k <= n; k++) if (ids[k] ~ /^</) newest_ids[ids[k]] = 1
	}
	for (m = 1; m <= mails; m++) {
		if (!answer[m] || version[m] <= version[newest]) continue
		if (has_diff[m]) die("holds " what(newest) " and an answer with a patch, " quote(subject[m]) ", of " label(m) "; give the patches that are meant as a folder")
		if (!later[version[m]]++) print "note\tthere is a newer version, which is not in it: " quote(subject[m])
	}
	# An older version shares a subject with it or is in its thread, or it is another series.
	for (m = 1; m <= mails; m++) {
		if (!candidate[m] || rank(m) == rank(newest)) continue
		group = rank(m) SUBSEP total[m]
		if (!(group in older)) { older[group] = m; order[++groups] = group }
		if (related(m)) kin[group] = 1
	}
	for (k = 1; k <= groups; k++) {
		m = older[order[k]]
		if (!kin[order[k]]) several(newest, m)
		if (rfc[newest] && !rfc[m])
			die("holds " what(newest) ", an RFC, and " what(m) ", which is none: which is the newer? Give one of them")
		print "note\tleft out, older than " label(newest) ": " label(m)
	}
	# One newer patch may stand for all of a series, or for the one that it renews.
	for (m = 1; m <= mails && total[newest] < 2; m++) {
		if (!candidate[m] || rank(m) == rank(newest) || total[m] < 2 || !part[m]) continue
		if (tolower(subject[m]) == tolower(subject[newest]))
			die("holds " label(newest) " of " quote(subject[m]) ", which is patch " number(m) " of " label(m) ": it may be meant for that alone; give the patches that are meant as a folder")
		else if (sender[m] != sender[newest])
			die("holds " what(m) " and, by another sender, " what(newest) "; give one of them")
	}
	count = total[newest]
	for (m = 1; m <= mails; m++) {
		if (!candidate[m] || rank(m) != rank(newest)) continue
		if (count && !part[m]) {
			if (!cover) cover = m
			if (tolower(subject[m]) != tolower(subject[cover])) several(cover, m)
			continue
		}
		n = count ? part[m] : 1
		if (count && n > count) die("holds " quote(subject[m]) ", which is patch " n " of " count ": no part of that series; give it without this mail")
		if (!(n in chosen)) chosen[n] = m
		else if (key[m] != key[chosen[n]])
			die("has two of one number: both " quote(subject[chosen[n]]) " and " quote(subject[m]) " are patch " number(m) " of " label(m) "; give one series, without the mail that is not meant (patches that are not numbered: as a folder)")
		join(id[m], parent[m] == "" ? id[m] : parent[m])
		if (parent[m] != "") threads = 1
	}
	if (!count) count = 1
	for (n = 1; n <= count; n++) {
		if (n in chosen) continue
		if (++lost <= 5) missing = missing " " n "/" count ((version[newest], count, n) in bare ? " (a mail without a diff)" : "")
	}
	if (lost) die("lacks" missing (lost > 5 ? " and " lost - 5 " more" : "") " of " label(newest) "; give the whole series (b4 am <message id> fetches it)")
	# Its parts answer one mail, or each other; those of a second copy do so too.
	whole = !threads
	for (m = 1; m <= mails && !whole; m++) {
		if (!candidate[m] || rank(m) != rank(newest) || !part[m]) continue
		group = find(id[m])
		if (!((group, part[m]) in seen)) { seen[group, part[m]] = 1; if (++parts_of[group] == count) whole = 1 }
	}
	if (count > 1 && !whole) {
		for (n = 2; n < count && find(id[chosen[n]]) == find(id[chosen[1]]); n++) ;
		die("holds parts of several series: " number(chosen[1]) " " quote(subject[chosen[1]]) " and " number(chosen[n]) " " quote(subject[chosen[n]]) " are of two threads; give one of them")
	}
	if (cover) print "title\t" subject[cover]
	for (n = 1; n <= count; n++) print "take\t" file[chosen[n]] "\t" subject[chosen[n]]
}

# What came before FNR began again.
function finished() {
	if (step == "lines") lines(size)
	else if (step == "names") names(size)
	else if (step == "diffs" && last ~ /\.diff$/) { if (last_pass == 1) makes(size); else diffs(last, size) }
	else if (step == "series" && last !~ /\.info$/ && last !~ /\/keys$/) mail(mails, size)
}
FNR == 1 && last != "" { finished() }
{ last = FILENAME; last_pass = pass; size = FNR }
step == "diffs" && FILENAME ~ /\/kernel$/ {
	kernel[$0] = 1
	while (sub(/\/[^\/]*$/, "") && !($0 in folder)) folder[$0] = 1
	next
}
step == "series" && FILENAME ~ /\/keys$/ { if (NF == 1) contexts[$1] = 1; else of[$2] = $1; next }
step == "series" && FILENAME ~ /\.info$/ {
	if (FNR == 1) {
		file[++mails] = FILENAME
		sub(/\.info$/, "", file[mails])
		total[mails] = part[mails] = rfc[mails] = 0
		has_diff[mails] = file[mails] in of
		key[mails] = of[file[mails]]
		is_context[mails] = (file[mails] ".diff") in contexts
		named_subject = 0
	}
	if (/^Subject: / && !named_subject++) { subject[mails] = substr($0, 10); gsub(/[\001-\037\177]|\302[\200-\237]/, "", subject[mails]); tags(mails) }
	next
}
{ slurp() }
END {
	if (last != "") finished()
	if (step == "series") series()
}
