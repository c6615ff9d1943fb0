# SPDX-License-Identifier: GPL-2.0
# How often one boot against one boot gets the sign of a known dose wrong: other people's loops and ours.

plots = ARG1; term = ARG2; out = ARG3
load plots.'/style.gp'

data = 'peers.dat'
if (rows(data) == 0) { eval no_data }
array loop[32]
loops = 0
array amount[16]
amounts = 0
known(d) = (sum [i = 1:amounts] amount[i] == d) > 0
met(l) = (sum [i = 1:loops] loop[i] eq l) > 0
gather(l, d) = (met(l) ? 0 : (loops = loops + 1, loop[loops] = l, 0), known(d) ? 0 : (amounts = amounts + 1, amount[amounts] = d, 0), 0)
stats data using (gather(strcol(1), $5)) nooutput
row_of(l) = sum [i = 1:loops] (loop[i] eq l ? i : 0)
peer(l) = l[1:5] eq 'peer-'

width = 980
height = 190 + 46 * loops
eval start
set multiplot
set border 1
set grid xtics linecolor rgb '#E4E4E4'
set ytics nomirror scale 0
set yrange [loops + 0.7:0.3]
set tmargin at screen 1 - 64.0 / height
set bmargin at screen 96.0 / height
set label 98 'The known doses, one boot against one boot: how often is the sign wrong?' at screen 0.5, screen 1 - 22.0 / height center font face.':Bold,14'
eval footer
set lmargin at screen 0.19
set rmargin at screen 0.60
set xrange [0:62]
set xlabel '% of pairs with the wrong sign (a tie counts half)'
set ytics ()
do for [i = 1:loops] { set ytics add (loop[i] i) }
set key at screen 0.19, screen 30.0 / height left horizontal maxrows 1 Left reverse samplen 1 width -2 font face.',12'
set arrow 1 from 50, graph 0 to 50, graph 1 nohead dashtype 2 linecolor rgb '#777777'
set label 1 'a coin' at 50.5, 0.55 left font face.',11.5' textcolor rgb '#777777'
plot for [k = 1:amounts] data using ($5 == amount[k] ? 100 * ($7 + $8 / 2) : NaN):(row_of(strcol(1)) + 0.14 * (k - (amounts + 1) / 2.0)) \
	with points pointtype 7 pointsize 1.6 linecolor rgb palette[k] title sprintf('+%g core cycles', amount[k])
unset label
unset arrow
unset key
set lmargin at screen 0.66
set rmargin at screen 0.97
unset ytics
set xlabel 'SD, TSC ticks: boots (dots), layouts (rings)'
set logscale x
set xrange [0.05:200]
plot data using (valid(3) && $3 > 0 ? $3 : NaN):(row_of(strcol(1)) - 0.1) with points pointtype 7 pointsize 1.6 linecolor rgb palette[1], \
	data using (valid(4) && $4 > 0 ? $4 : NaN):(row_of(strcol(1)) + 0.1) with points pointtype 6 pointsize 1.6 linewidth 1.6 linecolor rgb palette[3]
unset multiplot
