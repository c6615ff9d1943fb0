# SPDX-License-Identifier: GPL-2.0
# What an excursion into the kernel costs more than the baseline's, by its pairs: in ns, and in instructions on x86_64.

plots = ARG1; term = ARG2; out = ARG3
load plots.'/style.gp'

if (rows('decide.dat') == 0) { eval no_data }
stats 'decide.dat' using (note(strcol(7), strcol(8)), seen(strcol(9))) nooutput
nv = words(variants)
np = words(workloads)
stats 'decide.dat' using 1 nooutput
last = larger(STATS_max, 1)
pairs = ' '
stats 'decide.dat' using (has(pairs, strcol(1)) ? 0 : (pairs = pairs.strcol(1).' ', 0)) nooutput
# No pair at all has a place left of one.
at(n) = n > 0 ? n : 0.4
what(p) = word(workloads, p) eq 'time' ? 'added ns' : 'added instructions, '.(word(workloads, p) eq 'tcg' ? 'x86_64' : word(workloads, p) eq 'tcg-rt' ? 'PREEMPT_RT' : word(workloads, p))

width = 980
key_rows = nv
below = 104 + nv * key_line
height = 400 + below
eval start
set multiplot
set label 98 'An excursion into the kernel, by the pairs of 64 bytes in it: more than '.baseline at screen 0.5, screen 1 center offset 0, -1 font face.':Bold,14'
eval footer
set logscale x 2
set xrange [0.3:last * 1.4]
set xtics nomirror ()
do for [s in pairs] { set xtics add (s at(s + 0)) }
set grid linecolor rgb '#E4E4E4'
set border 3
set ytics nomirror
unset key
set xlabel 'pairs in an excursion'
set tmargin at screen 1 - 48.0 / height
set bmargin at screen below * 1.0 / height
is(p, k) = strcol(9) eq word(workloads, p) && strcol(7) eq name[k]
# What cannot be told from 0 has no place on a logarithmic axis, and what is below one unit is drawn at it.
told(lo, hi) = lo > 0 || lo == hi
least(v) = v > 1 ? v : 1
# Where two lines cross, the pairs are told, once each, above the place and from left to right in rows of which each has room.
array across[64]
array up[64]
near(a, b) = abs(log(a / b)) < 0.02
told_already(x) = sum [i = 1:crossings] near(across[i], x)
crossed(x, y, here) = here && crossings < 64 && !told_already(x) ? (crossings = crossings + 1, across[crossings] = x, up[crossings] = least(y), 0) : 0
array upto[16]
place_in(x) = (row = 1, sum [i = 1:15] (row == i && upto[i] > x ? (row = i + 1, 0) : 0), upto[row] = x * 4, row)
set style textbox opaque noborder margins 0.2, 0.2
do for [p = 1:np] {
	# stats leaves out what is out of range
	unset logscale y
	set yrange [*:*]
	top = 10
	drawn = ''
	do for [k = 1:nv] {
		some = 0
		stats 'decide.dat' using (is(p, k) && told($3, $4) ? (some = 1, top = larger(top, larger($2, $4)), 0) : 0) nooutput
		if (some) { drawn = drawn.' '.k }
	}
	crossings = 0
	if (rows('crossings.dat') > 0) {
		# in the order of their places
		do for [half = 0:4 * ceil(log(last * 2) / log(2))] {
			stats 'crossings.dat' using (crossed($1, $2, strcol(5) eq word(workloads, p) && floor(4 * log($1) / log(2)) == half)) nooutput
		}
	}
	set logscale y 10
	set format y '%.0s%c'
	set yrange [0.7:top * 1.5]
	set lmargin at screen (p - 1.0) / np + 96.0 / width
	set rmargin at screen (p + 0.0) / np - 20.0 / width
	set ylabel what(p) offset 0.5, 0
	do for [i = 1:16] { upto[i] = 0 }
	do for [n = 1:crossings] {
		row = place_in(across[n])
		set label n '' at across[n], up[n] point pointtype 6 pointsize 1.6 front
		set arrow n from across[n], up[n] to across[n], graph 1.01 - 0.05 * row nohead linecolor rgb '#BBBBBB' back
		set label n + 100 sprintf('%.0f', across[n]) at across[n], graph 1.01 - 0.05 * row center font face.':Bold,11' front boxed
	}
	if (drawn eq '') {
		set label 96 "none can be told\nfrom the baseline's" at graph 0.5, graph 0.5 center
		plot NaN
	} else {
		plot for [s in drawn] 'decide.dat' using (is(p, s + 0) && told($3, $4) ? at($1) : NaN):(least($2)) with lines linecolor rgb colour(s + 0), \
			for [s in drawn] '' using (is(p, s + 0) && told($3, $4) ? at($1) : NaN):(least($2)):(least($3)):(least($4)) with yerrorbars linecolor rgb colour(s + 0) pointtype point(s + 0) pointsize 0.9
	}
	unset label 96
	unset for [n = 1:crossings] label n
	unset for [n = 1:crossings] label n + 100
	unset for [n = 1:crossings] arrow n
	unset label 98
	unset label 99
}
key_top = (below - 72.0) / height
key_note = 'lower is better; bars: 95 % intervals; at 1: 1 or less; not drawn: what cannot be told from 0; ringed: where lines cross'
eval draw_key
unset multiplot
