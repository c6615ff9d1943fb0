# SPDX-License-Identifier: GPL-2.0
# What a scheme costs per operation, and beside it what each flush takes from another CPU: a row per variant.

plots = ARG1; term = ARG2; out = ARG3
load plots.'/style.gp'

if (rows('trade.dat') == 0) { eval no_data }
stats 'trade.dat' using (note(strcol(2), strcol(3)), seen(strcol(10))) nooutput
nv = words(variants)
far_left = 0; far_right = 0; top = 0; bottom = 0
stats 'trade.dat' using (far_left = -larger(-far_left, -$5), far_right = larger(far_right, $6), bottom = -larger(-bottom, -$8), top = larger(top, $9), 0) nooutput

width = 980
row = 30
below = 84
height = 64 + nv * row + below
eval start
set multiplot
set label 98 'What a scheme costs, and what a flush ('.word(workloads, 1).') takes from a program' at screen 0.5, screen 1 center offset 0, -1 font face.':Bold,14'
set tmargin at screen 1 - 58.0 / height
set bmargin at screen below * 1.0 / height
set yrange [-nv - 0.5:-0.5]
set ytics ()
do for [k = 1:nv] { set ytics add (short(name[k]) -k) }
set grid linecolor rgb '#E4E4E4'
set border 3
set xtics nomirror
set ytics nomirror
unset key
eval footer
is(k) = strcol(2) eq name[k]
room(lo, hi) = 0.06 * larger(hi - lo, 1e-9)
set lmargin at screen 0.215
set rmargin at screen 0.59
set xrange [far_left - room(far_left, far_right):far_right + room(far_left, far_right)]
set xlabel 'ns per pair/64/1 more; lower is better'
plot for [k = 1:nv] 'trade.dat' using (is(k) ? $4 : NaN):(-k):5:6 with xerrorbars linecolor rgb colour(k) pointtype point(k) pointsize 1.3 linewidth 1.6
unset label
do for [k = 1:nv] { set ytics add ('' -k) }
set lmargin at screen 0.63
set rmargin at screen 0.975
set xrange [bottom - room(bottom, top):top + room(bottom, top)]
set xlabel 'us stolen per flush; lower is better'
plot for [k = 1:nv] 'trade.dat' using (is(k) ? $7 : NaN):(-k):8:9 with xerrorbars linecolor rgb colour(k) pointtype point(k) pointsize 1.3 linewidth 1.6
unset multiplot
