# SPDX-License-Identifier: GPL-2.0
# Ticks per operation, and differences from the baseline, of pairs against the size of the object.

plots = ARG1; term = ARG2; out = ARG3
load plots.'/style.gp'

if (rows('bysize.dat') == 0) { eval no_data }
stats 'bysize.dat' using (note(strcol(7), strcol(8))) nooutput
nv = words(variants)
stats 'bysize.dat' using 1 nooutput
first = STATS_min; last = STATS_max
sizes = ' '
stats 'bysize.dat' using (has(sizes, strcol(1)) ? 0 : (sizes = sizes.strcol(1).' ', 0)) nooutput

one(w) = head(w) eq 'pair' && objects(w) == 1
bottom = 0; top = 0; beyond = 0
compared = rows('effects.dat') > 0
far(v) = abs(v) > limit_all
clip(v) = far(v) ? sgn(v) * limit_all : v
if (compared) { stats 'effects.dat' using (one(strcol(9)) ? (bottom = -larger(-bottom, -clip($5)), top = larger(top, clip($6)), beyond = beyond || far($4), 0) : 0) nooutput }
if (top <= bottom) { top = bottom + 1 }

width = 980
key_rows = nv
below = 106 + nv * key_line
height = 640 + below
eval start
set multiplot
set title (size_finding ne '' ? size_finding : 'kmalloc and kfree of one object (pair), by its size') font face.':Bold,14'
set lmargin at screen 0.09
set rmargin at screen 0.97
set tmargin at screen 1 - 44.0 / height
set bmargin at screen 1 - 330.0 / height
set logscale x 2
set xrange [first / 1.25:last * 1.25]
set xtics nomirror ()
do for [s in sizes] { set xtics add (s s + 0) }
set format x ''
set grid linecolor rgb '#E4E4E4'
set border 3
set ytics nomirror
set ylabel unit
set yrange [0:*]
unset key
eval footer
spread(k) = nv > 1 ? 2 ** (0.16 * (k - (nv + 1) / 2.0) / nv) : 1
plot for [k = 1:nv] 'bysize.dat' using (strcol(7) eq name[k] ? $1 * spread(k) : NaN):2 smooth unique with lines linecolor rgb colour(k), \
	for [k = 1:nv] '' using (strcol(7) eq name[k] ? $1 * spread(k) : NaN):2:3:4 with yerrorbars linecolor rgb colour(k) pointtype point(k) pointsize 0.9
unset title
unset label 99
set tmargin at screen 1 - 380.0 / height
set bmargin at screen below * 1.0 / height
set yrange [bottom - 0.05 * (top - bottom):top + 0.05 * (top - bottom)]
set xlabel 'size of the object in bytes'
set ylabel 'difference in ticks'
set arrow 1 from graph 0, first 0 to graph 1, first 0 nohead linecolor rgb '#000000'
set label 98 'difference from '.baseline at graph 0.01, graph 1 left offset 0, 0.5 font face.':Bold,12'
if (compared) {
	plot 'effects.dat' using (one(strcol(9)) && strcol(2) eq 'null' && $8 > 0 ? size(strcol(9)) : NaN):5:(size(strcol(9)) / 1.1):(size(strcol(9)) * 1.1):5:6 with boxxyerror fillcolor rgb band fillstyle solid noborder, \
		for [k = 1:nv] '' using (one(strcol(9)) && strcol(2) eq name[k] && !far($4) ? size(strcol(9)) * spread(k) : NaN):4:(clip($5)):(clip($6)) with yerrorbars linecolor rgb colour(k) pointtype point(k) pointsize 0.9
} else {
	plot NaN
}
key_top = (below - 84.0) / height
key_note = 'bars: 95 % intervals; grey: that of the null comparison; points are drawn side by side'.(beyond ? '; what lies far out is above only' : '')
eval draw_key
unset multiplot
