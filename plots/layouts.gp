# SPDX-License-Identifier: GPL-2.0
# How the place of the code moves values: each layout's value against its pad, and against the pad's place in a cache line.

plots = ARG1; term = ARG2; out = ARG3
load plots.'/style.gp'

if (|$layouts| == 0) { eval no_data }
variants = ' '
stats $layouts using (note(strcol(1), '')) nooutput
nv = words(variants)
# all rows span as many ticks, so that their spreads compare
array middle[nv]
span = 0.5
pads = 64
do for [k = 1:nv] {
	lo = 1e300; hi = -1e300
	stats $layouts using (strcol(1) eq name[k] ? (lo = -larger(-lo, -$3), hi = larger(hi, $3), pads = larger(pads, $2), 0) : 0) nooutput
	middle[k] = (lo + hi) / 2
	span = larger(span, hi - lo)
}

panel = 130
width = 980
height = 62 + nv * panel + 96
eval start
set multiplot
set label 98 (layout_finding ne '' ? layout_finding : layouts_of.' by the place of mm/slub.o') at screen 0.5, screen 1 center offset 0, -1 font face.':Bold,14'
set label 96 unit.'; each row spans as many of them' at screen 0.5, screen 1 center offset 0, -2.3 font face.',11.5' textcolor '#444444'
set label 95 'large and hollow: the stock layout, pad 0; the others are the random layouts' at screen 0.03, screen 26.0 / height font face.',11.5' textcolor '#444444'
eval footer
set border 3
set grid linecolor rgb '#E4E4E4'
set ytics nomirror
unset key
do for [k = 1:nv] {
	set tmargin at screen 1 - (62.0 + (k - 1) * panel + 16) / height
	set bmargin at screen 1 - (62.0 + k * panel - 6) / height
	set yrange [middle[k] - 0.58 * span:middle[k] + 0.58 * span]
	last = k == nv
	do for [side = 1:2] {
		set lmargin at screen side == 1 ? 0.07 : 0.45
		set rmargin at screen side == 1 ? 0.40 : 0.97
		set xrange [side == 1 ? -6 : -0.02 * pads:side == 1 ? 60 : 1.02 * pads]
		set xtics nomirror format (last ? '%g' : '')
		if (side == 1) { set xtics 0, 16, 48 } else { set xtics autofreq }
		set xlabel last ? (side == 1 ? 'pad modulo 64, bytes' : 'pad, bytes') : ''
		if (side == 1) { set label 1 name[k] at graph 0, graph 1 left offset 0, 0.5 font face.':Bold,12' }
		# points with the same place in a cache line are side by side, in the order of their pads
		at(pad) = side == 1 ? int(pad) % 64 + 7.0 * (pad / pads - 0.5) : pad
		plot $layouts using (strcol(1) eq name[k] && $4 == 0 ? at($2) : NaN):3 with points linecolor rgb colour(k) pointtype point(k) pointsize 0.9, \
			'' using (strcol(1) eq name[k] && $4 == 1 ? (side == 1 ? 0 : $2) : NaN):3 with points linecolor rgb '#000000' pointtype 6 pointsize 1.9 linewidth 1.6
		unset label
	}
}
unset multiplot
