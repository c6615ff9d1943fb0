# SPDX-License-Identifier: GPL-2.0
# Distribution of the samples of one workload per variant, all boots together: cumulative shares.

plots = ARG1; term = ARG2; out = ARG3
load plots.'/style.gp'

if (rows('samples.dat') == 0) { eval no_data }
stats 'samples.dat' using (note(strcol(3), strcol(4))) nooutput
nv = words(variants)
workload = system("sed -n '1s/^# \\([^:]*\\):.*/\\1/p' samples.dat")
# the slowest hundredth would be most of the axis
stats 'samples.dat' using 1 nooutput
least = STATS_min
most = least
do for [k = 1:nv] {
	stats 'samples.dat' using (strcol(3) eq name[k] ? $1 : NaN) nooutput
	q = STATS_median + 4 * (STATS_up_quartile - STATS_median)
	most = larger(most, q < STATS_max ? q : STATS_max)
}
if (most <= least) { most = least + 1 }

width = 980
key_rows = nv
below = 90 + nv * key_line
height = 470 + below
eval start
set multiplot
set title 'Samples of '.workload.', all boots of each variant' font face.':Bold,13'
set lmargin at screen 0.09
set rmargin at screen 0.97
set tmargin at screen 1 - 44.0 / height
set bmargin at screen below * 1.0 / height
set xrange [least - 0.03 * (most - least):most]
set yrange [0:1.02]
set xlabel unit
set ylabel 'share of the samples that are at most so slow'
set grid linecolor rgb '#E4E4E4'
set border 3
set xtics nomirror
set ytics nomirror 0, 0.25, 1
unset key
eval footer
if (location eq 'p05') {
	set arrow 1 from graph 0, first 0.05 to graph 1, first 0.05 nohead dashtype 2 linecolor rgb '#444444'
	set label 98 '5 % quantile: what the comparison takes, boot by boot' at graph 0.99, first 0.05 right offset 0, 0.7 font face.',9' textcolor '#444444'
}
plot for [k = 1:nv] 'samples.dat' using (strcol(3) eq name[k] ? $1 : NaN):(1.0) smooth cnormal with lines linewidth 1.8 linecolor rgb colour(k), \
	for [k = 1:nv] for [q = 1:9:2] 'points.dat' using (strcol(1) eq name[k] && $2 == q ? $3 : NaN):(q / 10.0) with points linecolor rgb colour(k) pointtype point(k) pointsize 1.1
key_top = (below - 72.0) / height
key_note = 'cut off at the right where the slowest samples of each variant lie far out'
eval draw_key
unset multiplot
