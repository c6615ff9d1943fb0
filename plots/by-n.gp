# SPDX-License-Identifier: GPL-2.0
# Ticks per operation against N, the objects held at once: past a sheaf, past two, past the barn.

plots = ARG1; term = ARG2; out = ARG3
load plots.'/style.gp'

if (rows('byn.dat') == 0) { eval no_data }
panel_of(o, how) = o.(how eq '' ? '' : '/'.how)
stats 'byn.dat' using (note(strcol(7), strcol(8)), seen(panel_of(strcol(9), strcol(10)))) nooutput
nv = words(variants)
np = words(workloads)
stats 'byn.dat' using 1 nooutput
first = STATS_min; last = STATS_max
steps = ' '
stats 'byn.dat' using (has(steps, strcol(1)) ? 0 : (steps = steps.strcol(1).' ', 0)) nooutput

columns = np > 4 ? 3 : np > 1 ? 2 : 1
lines = (np + columns - 1) / columns
width = columns == 1 ? 760 : 980
panel = columns == 1 ? 420 : 270
key_rows = nv
below = 62 + nv * key_line
height = 40 + lines * panel + below
eval start
set multiplot
set label 98 (many_finding ne '' ? many_finding : 'By the number of objects held at once (64 bytes)') at screen 0.5, screen 1 center offset 0, -1 font face.':Bold,14'
eval footer
set logscale x 2
set xrange [first / 1.4:last * 1.4]
set xtics nomirror ()
do for [s in steps] { set xtics add (s s + 0) }
set xtics rotate by -45 font face.',11.5'
set grid ytics linecolor rgb '#E4E4E4'
set border 3
set ytics nomirror
# Logarithmic: values go from some ticks in a sheaf to hundreds in a slab. An error bar may leave the panel at its lower edge.
stats 'byn.dat' using 2 nooutput
floor_at = STATS_min / 2
# All panels have the same scale, up to a whole power of 2. It is set here, as gnuplot 6 scales each panel by itself.
ceiling_at = 0
stats 'byn.dat' using (ceiling_at = larger(ceiling_at, larger($2, $4)), 0) nooutput
set logscale y 2
set yrange [floor_at:2 ** ceil(log(ceiling_at) / log(2))]
unset key
if (sheaf > 0) {
	set arrow 1 from sheaf, graph 0 to sheaf, graph 1 nohead dashtype 3 linecolor rgb '#444444'
	set arrow 2 from 2 * sheaf, graph 0 to 2 * sheaf, graph 1 nohead dashtype 3 linecolor rgb '#444444'
	set arrow 3 from (2 + barn) * sheaf, graph 0 to (2 + barn) * sheaf, graph 1 nohead dashtype 4 linecolor rgb '#444444'
}
is(p, k) = panel_of(strcol(9), strcol(10)) eq word(workloads, p) && strcol(7) eq name[k]
do for [p = 1:np] {
	i = (p - 1) / columns
	j = (p - 1) % columns
	set lmargin at screen (j + 0.0) / columns + 74.0 / width
	set rmargin at screen (j + 1.0) / columns - 26.0 / width
	set tmargin at screen 1 - (40 + i * panel + 26.0) / height
	set bmargin at screen 1 - (40 + (i + 1) * panel - 62.0) / height
	set title word(workloads, p) font face.':Bold,12.5' offset 0, -0.6
	set xlabel 'N' offset 0, 0.6
	set ylabel (j == 0 ? unit : '') font face.',11.5' offset 1, 0
	plot for [k = 1:nv] 'byn.dat' using (is(p, k) ? $1 : NaN):2 with lines linecolor rgb colour(k), \
		for [k = 1:nv] '' using (is(p, k) ? $1 : NaN):2:($3 > floor_at ? $3 : floor_at):4 with yerrorbars linecolor rgb colour(k) pointtype point(k) pointsize 0.8
	unset label 98
	unset label 99
}
key_top = (below - 38.0) / height
key_note = 'bars: 95 % intervals'.(sheaf > 0 ? sprintf('; thin lines: one sheaf (%d objects), two, and two with a full barn (%d)', sheaf, (2 + barn) * sheaf) : '')
eval draw_key
unset multiplot
