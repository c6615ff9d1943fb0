# SPDX-License-Identifier: GPL-2.0
# What a scheme costs per operation against what each flush takes from another CPU: a point per variant.

plots = ARG1; term = ARG2; out = ARG3
load plots.'/style.gp'

if (rows('trade.dat') == 0) { eval no_data }
stats 'trade.dat' using (note(strcol(2), strcol(3)), seen(strcol(10))) nooutput
nv = words(variants)

width = 980
key_rows = nv
below = 84 + nv * key_line
height = 440 + below
eval start
set multiplot
set title 'The fast path''s cost, and what '.word(workloads, 1).' takes from a program' font face.':Bold,13'
set lmargin at screen 0.1
set rmargin at screen 0.95
set tmargin at screen 1 - 48.0 / height
set bmargin at screen below * 1.0 / height
set offsets graph 0.06, graph 0.06, graph 0.08, graph 0.08
set xlabel 'ns per pair/64/1 more than '.baseline
set ylabel 'us stolen per flush and CPU'
set grid linecolor rgb '#E4E4E4'
set border 3
set xtics nomirror
set ytics nomirror
unset key
eval footer
is(k) = strcol(2) eq name[k]
plot for [k = 1:nv] 'trade.dat' using (is(k) ? $4 : NaN):7:5:6:8:9 with xyerrorbars linecolor rgb colour(k) pointtype point(k) pointsize 1.3 linewidth 1.6
set offsets
key_top = (below - 68.0) / height
key_note = baseline_note.'; lower left is better; 95 % intervals'
eval draw_key
unset multiplot
