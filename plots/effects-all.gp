# SPDX-License-Identifier: GPL-2.0
# Differences from the baseline for every workload: a panel per operation, a row per workload.

plots = ARG1; term = ARG2; out = ARG3
load plots.'/style.gp'

if (rows('effects.dat') == 0) { eval no_data }
operations = ' '
array members[64]
enrol(o, w) = has(members[o], w) ? 0 : (members[o] = members[o].w.' ', 0)
enter(w) = (has(operations, head(w)) ? 0 : (operations = operations.head(w).' ', members[words(operations)] = ' ', 0), enrol(place(operations, head(w)) + 1, w))
stats 'effects.dat' using (note(strcol(2), strcol(3)), enter(strcol(9))) nooutput
nv = words(variants)
no = words(operations)

far(v) = abs(v) > limit_all
clip(v) = far(v) ? sgn(v) * limit_all : v
lo = 0; hi = 0; arrows = 0; bands = 0; bars = 0
stats 'effects.dat' using (lo = -larger(-lo, -clip($5)), hi = larger(hi, clip($6)), arrows = arrows || far($4), bars = bars || $8 > 0, bands = bands || ($8 > 0 && strcol(2) eq 'null'), 0) nooutput
span = hi > lo ? hi - lo : 1
left = lo - 0.04 * span
right = hi + (arrows ? 0.10 : 0.04) * span

columns = no > 1 ? 2 : 1
lines = (no + columns - 1) / columns
# each line of panels is as tall as its fullest panel
array tall[lines]
do for [i = 1:lines] { tall[i] = 0 }
do for [o = 1:no] { i = (o - 1) / columns + 1; tall[i] = larger(tall[i], words(members[o])) }
row = larger(20, 5 * nv + 6)
rowsum = sum [i = 1:lines] tall[i]
key_rows = nv
below = 60 + nv * key_line
width = columns > 1 ? 980 : 760
height = 40 + rowsum * row + lines * 72 + below
eval start
set multiplot
set label 98 (all_finding ne '' ? all_finding : 'All workloads compared with '.baseline) at screen 0.5, screen 1 center offset 0, -1 font face.':Bold,14'
eval footer
set border 3
set xrange [left:right]
set grid xtics linecolor rgb '#E4E4E4'
set xtics nomirror
unset key
base(o, w) = -place(members[o], w) - 1
dodge(k) = 0.4 - 0.8 * (k - 0.5) / nv
mine(o) = head(strcol(9)) eq word(operations, o)
is(o, k) = mine(o) && strcol(2) eq name[k]
do for [o = 1:no] {
	i = (o - 1) / columns + 1
	j = (o - 1) % columns
	above = 40 + (i - 1) * 72
	do for [before = 1:i - 1] { above = above + tall[before] * row }
	set lmargin at screen (j * 0.5 * (columns > 1) + 158.0 / width)
	set rmargin at screen (columns > 1 ? j * 0.5 + 0.485 : 0.97)
	set tmargin at screen 1 - (above + 26.0) / height
	set bmargin at screen 1 - (above + 26.0 + words(members[o]) * row) / height
	set title word(operations, o) font face.':Bold,12.5' offset 0, -0.6
	set yrange [-words(members[o]) - 0.5:-0.5]
	set xlabel 'difference in '.unit offset 0, 0.4 font face.',11.5'
	set ytics () nomirror
	do for [k = 1:words(members[o])] { set ytics add (tail(word(members[o], k)) -k) }
	set arrow 1 from 0, graph 0 to 0, graph 1 nohead linecolor rgb '#000000' back
	plot 'effects.dat' using 5:(mine(o) && strcol(2) eq "null" && $8 > 0 ? base(o, strcol(9)) : NaN):(clip($5)):(clip($6)):(base(o, strcol(9)) - 0.46):(base(o, strcol(9)) + 0.46) \
			with boxxyerror fillcolor rgb band fillstyle solid noborder, \
		for [k = 1:nv] '' using (is(o, k) && !far($4) ? $4 : NaN):(base(o, strcol(9)) + dodge(k)):(clip($5)):(clip($6)) \
			with xerrorbars linecolor rgb colour(k) pointtype point(k) pointsize 0.7, \
		for [k = 1:nv] '' using (is(o, k) && far($4) ? ($4 > 0 ? right : left) - sgn($4) * 0.06 * span : NaN):(base(o, strcol(9)) + dodge(k)):(sgn($4) * 0.05 * span):(0) \
			with vectors head filled linecolor rgb colour(k) linewidth 1.5
	unset label
}
key_top = (below - 36.0) / height
key_note = 'rows: SIZE/N/ORDER'.(bars ? '; bars: 95 % intervals' : '; fewer than two layouts, so no intervals').(bands ? '; grey: that of the null comparison' : '').(arrows ? '; arrow: beyond the axis' : '')
eval draw_key
unset multiplot
