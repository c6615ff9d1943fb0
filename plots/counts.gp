# SPDX-License-Identifier: GPL-2.0
# Instructions per operation, stacked by the symbol that executes them: a row of panels per operation, of its headline
# workload or the first of its workloads, x86_64 on the left and PREEMPT_RT on the right.

plots = ARG1; term = ARG2; out = ARG3
load plots.'/style.gp'

if (rows('counts.dat') == 0) { eval no_data }
# Names of PREEMPT_RT's workloads have a prefix.
after_colon(w) = strstrt(w, ':') > 0 ? w[strstrt(w, ':') + 1:*] : w
is_rt(w) = strstrt(w, ':') > 0
operations = ' '
known(o) = has(operations, o) ? 0 : (operations = operations.o.' ', 0)
any_rt = 0; any_x86 = 0
stats 'counts.dat' using (note(strcol(5), strcol(6)), any_rt = any_rt || is_rt(strcol(7)), any_x86 = any_x86 || !is_rt(strcol(7)), has(headlines, after_colon(strcol(7))) && !has(operations, head(after_colon(strcol(7)))) ? (known(head(after_colon(strcol(7)))), seen(after_colon(strcol(7)))) : 0) nooutput
stats 'counts.dat' using (has(operations, head(after_colon(strcol(7)))) ? 0 : (known(head(after_colon(strcol(7)))), seen(after_colon(strcol(7))))) nooutput
pick(w) = has(workloads, after_colon(w))
nv = words(variants)
nw = words(workloads)
sides = any_x86 + any_rt
array side[2] = [any_x86 ? '' : 'tcg-rt:', 'tcg-rt:']
array says_side[2] = [any_x86 ? 'x86_64' : 'PREEMPT_RT', 'PREEMPT_RT']

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
array most[2] = [1, 1]
array total[2 * nv * nw]
do for [i = 1:2 * nv * nw] { total[i] = 0 }
side_of(w) = is_rt(w) && any_x86 ? 2 : 1
at(w, v) = (side_of(w) - 1) * nv * nw + place(workloads, after_colon(w)) * nv + place(variants, v) + 1
stats 'counts.dat' using (pick(strcol(7)) ? (total[at(strcol(7), strcol(5))] = larger(total[at(strcol(7), strcol(5))], $2), most[side_of(strcol(7))] = larger(most[side_of(strcol(7))], $2), 0) : 0) nooutput

width = 980
bar = 20
panel = nv * bar + 34
below = 84 + ceil((ns + 1) / 2.0) * key_line
height = 70 + nw * panel + below
eval start
set multiplot
set label 98 (count_finding ne '' ? count_finding : 'Instructions per operation, by symbol') at screen 0.5, screen 1 center offset 0, -1 font face.':Bold,14'
# Counts need no clock, so there is no instrument to prove.
proven = 1
eval footer
set yrange [-nv - 0.5:-0.5]
set border 3
set grid xtics linecolor rgb '#E4E4E4'
set xtics nomirror
set ytics nomirror
unset key
y(v) = -place(variants, v) - 1
left_of(s) = s == 1 ? 0.215 : 0.60
right_of(s) = sides == 1 ? 0.97 : s == 1 ? 0.575 : 0.975
do for [p = 1:nw] {
	do for [s = 1:sides] {
		w = side[s].word(workloads, p)
		set lmargin at screen left_of(s)
		set rmargin at screen right_of(s)
		set tmargin at screen 1 - (88.0 + (p - 1) * panel) / height
		set bmargin at screen 1 - (88.0 + (p - 1) * panel + nv * bar) / height
		set xrange [0:most[s] * 1.17]
		set title says_side[s].': '.word(workloads, p) font face.':Bold,12' offset 0, -0.8
		set ytics ()
		do for [k = 1:nv] { set ytics add (s == 1 ? short(name[k]) : '' -k) }
		if (p == nw) { set xlabel 'instructions per operation; lower is better' offset 0, 0.4; set format x '%g' } else { unset xlabel; set format x '' }
		do for [k = 1:nv] {
			n = total[(s - 1) * nv * nw + (p - 1) * nv + k]
			tag = 100 + k
			says = n > 0 ? sprintf(' %.6g', n) : ''
			set label tag says at first n, first -k left font face.',11.5'
		}
		plot for [t = 1:ns] 'counts.dat' using (strcol(7) eq w && turn_of[int($3)] == t ? ($1 + $2) / 2 : NaN):(y(strcol(5))):1:2:(y(strcol(5)) - 0.38):(y(strcol(5)) + 0.38) \
				with boxxyerror fillcolor rgb fill[t] fillstyle solid border rgb '#FFFFFF', \
			'' using (strcol(7) eq w && turn_of[int($3)] > named ? ($1 + $2) / 2 : NaN):(y(strcol(5))):1:2:(y(strcol(5)) - 0.38):(y(strcol(5)) + 0.38) \
				with boxxyerror fillcolor rgb '#BBBBBB' fillstyle solid border rgb '#FFFFFF'
		unset label
	}
}
key_top = (below - 62.0) / height
unset title; unset xlabel; unset ytics; unset xtics; unset border; unset grid; unset label
set lmargin 2; set rmargin 2; set tmargin 0; set bmargin 0
set xrange [0:1]; set yrange [0:1]
set origin 0, 0
set size 1, key_top
set key at screen 0.02, screen key_top left top Left reverse samplen 2 spacing 1.35 font face.",12" maxrows ceil((ns + 1) / 2.0)
plot for [s = 1:ns] NaN with boxes fillcolor rgb fill[s] fillstyle solid noborder title symbol[s], \
	NaN with boxes fillcolor rgb '#BBBBBB' fillstyle solid noborder title 'all others'
unset multiplot
