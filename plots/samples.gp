# SPDX-License-Identifier: GPL-2.0
# Distribution of the samples of one workload: a panel per variant, quiet samples upwards, those next to a busy sibling downwards.

plots = ARG1; term = ARG2; out = ARG3
load plots.'/style.gp'

if (rows('samples.dat') == 0) { eval no_data }
stats 'samples.dat' using (note(strcol(3), strcol(4))) nooutput
nv = words(variants)
workload = system("sed -n '1s/^# \\([^:]*\\):.*/\\1/p' samples.dat")
stats 'samples.dat' using 1 nooutput
least = STATS_min
if (most <= least) { most = least + 1 }
gated = quiet_share == quiet_share
array up[2] = [gated ? '#0072B2' : '#777777', '#E69F00']
array state[2] = ['quiet', 'next to a busy sibling']
cell = (most - least) / 220
bin(x) = least + (floor((x - least) / cell) + 0.5) * cell

# The number of samples in each state, and the fullest cell. taken is the value that is compared, the mean over layouts.
array count[2 * nv]
array fullest[2 * nv]
array taken[nv]
do for [k = 1:nv] {
	do for [s = 1:2] {
		i = 2 * (k - 1) + s
		mine(n, q) = n eq name[k] && q == 2 - s
		count[i] = 0
		stats 'samples.dat' using (count[i] = count[i] + mine(strcol(3), $5), 0) nooutput
		fullest[i] = 1
		if (count[i] > 0) {
			set xrange [least - 1:*]; set yrange [0:*]
			set table $cells
			plot 'samples.dat' using (mine(strcol(3), $5) ? bin($1) : NaN):(1.0) smooth frequency
			unset table
			stats $cells using 2 nooutput
			fullest[i] = STATS_max
		}
	}
	taken[k] = NaN
	if (rows('effects.dat') > 0) {
		stats 'effects.dat' using (strcol(9) eq workload && (strcol(2) eq name[k] || name[k] eq baseline) ? (taken[k] = name[k] eq baseline ? $7 : $7 + $4, 0) : 0) nooutput
	}
}

panel = 92
width = 980
height = 86 + nv * panel + 82
eval start
set multiplot
set label 98 'Samples of '.workload.(gated ? sprintf(': %.1f %% of all samples are quiet', 100 * quiet_share) : ': no probes, so the states are not told apart') at screen 0.5, screen 1 center offset 0, -1 font face.':Bold,14'
set lmargin at screen 0.04
set rmargin at screen 0.97
set xrange [least - 0.02 * (most - least):most]
set yrange [-1.1:1.1]
set border 1
set grid xtics linecolor rgb '#E4E4E4'
unset ytics
set xtics nomirror format ''
set key at screen 0.97, screen 1 - 48.0 / height right center horizontal reverse Left width 2 font face.',12' samplen 1.5
set style fill solid noborder
set boxwidth cell absolute
eval footer
do for [k = 1:nv] {
	set tmargin at screen 1 - (76.0 + (k - 1) * panel + 18) / height
	set bmargin at screen 1 - (76.0 + k * panel - 4) / height
	if (k == nv) { set xtics format '%g'; set xlabel unit }
	i = 2 * k - 1
	all = count[i] + count[i + 1]
	set label 1 name[k].': '.title[k] at graph 0, graph 1 left offset 0, 0.5 font face.',12'
	set label 2 (gated && all > 0 ? sprintf('%.0f %% quiet', 100.0 * count[i] / all) : '') at graph 1, graph 1 right offset 0, 0.5 font face.',12'
	set arrow 1 from graph 0, first 0 to graph 1, first 0 nohead linecolor rgb '#777777'
	if (taken[k] == taken[k]) { set arrow 2 from taken[k], graph 0 to taken[k], graph 1 nohead linewidth 1.5 linecolor rgb '#000000' front }
	plot for [s = 1:2] 'samples.dat' using (count[i + s - 1] > 0 && strcol(3) eq name[k] && $5 == 2 - s ? bin($1) : NaN):((s == 1 ? 1.0 : -1.0) / fullest[i + s - 1]) smooth frequency with boxes linecolor rgb up[s] notitle, \
		for [s = 1:(k == 1 ? 1 + gated : 0)] keyentry with boxes linecolor rgb up[s] title (gated ? state[s] : 'all samples')
	unset label
	unset arrow
	unset key
}
set label 97 'each state to its own height; black: '.location.', mean over layouts; cut off where fewer than 2 % of a variant lie' at screen 0.04, screen 26.0 / height font face.',11.5' textcolor '#444444'
set lmargin 0; set rmargin 0; set tmargin 0; set bmargin 0
set border 0; unset tics; unset xlabel; unset grid
plot NaN notitle
unset multiplot
