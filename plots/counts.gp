# SPDX-License-Identifier: GPL-2.0
# Instructions per operation on x86_64, stacked by the symbol that executes them: one workload per operation.

plots = ARG1; term = ARG2; out = ARG3
load plots.'/style.gp'

if (rows('counts.dat') == 0) { eval no_data }
# Of each operation its headline workload, or the first of its workloads. Names of PREEMPT_RT's have a prefix, are operations
# of their own, and come last.
operations = ' '
known(o) = has(operations, o) ? 0 : (operations = operations.o.' ', 0)
stats 'counts.dat' using (note(strcol(5), strcol(6)), has(headlines, strcol(7)) ? known(head(strcol(7))) : 0) nooutput
rt(w) = strstrt(w, ':') > 0
do for [last = 0:1] {
	stats 'counts.dat' using (rt(strcol(7)) == last && (has(headlines, strcol(7)) || !has(operations, head(strcol(7)))) ? (known(head(strcol(7))), seen(strcol(7))) : 0) nooutput
}
pick(w) = has(workloads, w)
nv = words(variants)
nw = words(workloads)

# The largest symbols have a colour each; the others share a grey.
named = 8
ranks = ' '
stats 'counts.dat' using (pick(strcol(7)) && !has(ranks, strcol(3)) ? (ranks = ranks.strcol(3).' ', 0) : 0) nooutput
stats 'counts.dat' using 3 nooutput
array turn_of[int(STATS_max)]
array symbol[named]
ns = 0
do for [r = 1:|turn_of|] { turn_of[r] = has(ranks, sprintf('%d', r)) && ns < named ? (ns = ns + 1) : named + 1 }
stats 'counts.dat' using (turn_of[int($3)] <= named ? (symbol[turn_of[int($3)]] = strcol(8), 0) : 0) nooutput
array fill[named] = ['#0072B2', '#E69F00', '#009E73', '#CC79A7', '#56B4E9', '#D55E00', '#8A7B00', '#000000']
# Totals are written at the end of each bar.
stats 'counts.dat' using (pick(strcol(7)) ? $2 : 0) nooutput
most = STATS_max
array total[nv * nw]
do for [i = 1:nv * nw] { total[i] = 0 }
at(w, v) = place(workloads, w) * nv + place(variants, v) + 1
stats 'counts.dat' using (pick(strcol(7)) ? (total[at(strcol(7), strcol(5))] = larger(total[at(strcol(7), strcol(5))], $2), 0) : 0) nooutput

width = 980
bar = 26
panel = nv * bar + 40
below = 92 + ceil((ns + 1) / 3.0) * key_line
height = 44 + nw * panel + below
eval start
set multiplot
set label 98 'Instructions per operation on x86_64, by symbol: exact counts, no times' at screen 0.5, screen 1 center offset 0, -1 font face.':Bold,13'
# Counts need no clock, so there is no instrument to prove.
proven = 1
eval footer
set lmargin at screen 0.18
set rmargin at screen 0.95
set xrange [0:most * 1.12]
set yrange [-nv - 0.5:-0.5]
set border 3
set grid xtics linecolor rgb '#E4E4E4'
set xtics nomirror
set ytics nomirror
unset key
y(v) = -place(variants, v) - 1
do for [p = 1:nw] {
	w = word(workloads, p)
	set tmargin at screen 1 - (64.0 + (p - 1) * panel) / height
	set bmargin at screen 1 - (64.0 + (p - 1) * panel + nv * bar) / height
	set title w font face.':Bold,11' offset 0, -0.8
	set ytics ()
	do for [k = 1:nv] { set ytics add (short(name[k]) -k) }
	if (p == nw) { set xlabel 'instructions per operation' offset 0, 0.4; set format x '%g' } else { unset xlabel; set format x '' }
	do for [k = 1:nv] {
		n = total[(p - 1) * nv + k]
		tag = 100 + k
		says = n > 0 ? sprintf(' %.6g', n) : ''
		set label tag says at first n, first -k left font face.',9'
	}
	plot for [s = 1:ns] 'counts.dat' using (strcol(7) eq w && turn_of[int($3)] == s ? ($1 + $2) / 2 : NaN):(y(strcol(5))):1:2:(y(strcol(5)) - 0.38):(y(strcol(5)) + 0.38) \
			with boxxyerror fillcolor rgb fill[s] fillstyle solid border rgb '#FFFFFF', \
		'' using (strcol(7) eq w && turn_of[int($3)] > named ? ($1 + $2) / 2 : NaN):(y(strcol(5))):1:2:(y(strcol(5)) - 0.38):(y(strcol(5)) + 0.38) \
			with boxxyerror fillcolor rgb '#BBBBBB' fillstyle solid border rgb '#FFFFFF'
	unset label
}
key_top = (below - 62.0) / height
unset title; unset xlabel; unset ytics; unset xtics; unset border; unset grid; unset label
set lmargin 2; set rmargin 2; set tmargin 0; set bmargin 0
set xrange [0:1]; set yrange [0:1]
set origin 0, 0
set size 1, key_top
set key at screen 0.02, screen key_top left top Left reverse samplen 2 spacing 1.35 font face.",10" maxrows ceil((ns + 1) / 3.0)
plot for [s = 1:ns] NaN with boxes fillcolor rgb fill[s] fillstyle solid noborder title symbol[s], \
	NaN with boxes fillcolor rgb '#BBBBBB' fillstyle solid noborder title 'all others'
unset multiplot
