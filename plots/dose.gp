# SPDX-License-Identifier: GPL-2.0
# Core cycles found against core cycles added, and how far the two are apart.

plots = ARG1; term = ARG2; out = ARG3
load plots.'/style.gp'

if (|$dose| == 0) { eval no_data }
stats $dose using 1 nooutput
end = 1.08 * STATS_max + 0.2
start_at = exists('dose_offset') && dose_offset == dose_offset ? dose_offset : 0
line = sprintf('slope %.3f [%.3f, %.3f]', slope, slope_lo, slope_hi)
if (slope_lo != slope_lo) { line = slope == slope ? sprintf('slope %.3f (no interval)', slope) : 'slope n/a' }

width = 980
height = 480
eval start
set multiplot
set border 3
set grid linecolor rgb '#E4E4E4'
set xtics nomirror
set ytics nomirror
set xrange [0:end]
set xlabel 'core cycles added to each allocation'
set tmargin at screen 0.87
set bmargin at screen 0.19
set lmargin at screen 0.07
set rmargin at screen 0.47
set label 98 (slope == slope ? sprintf('%.2f core cycles found for each one added', slope) : 'Known doses found again').' ('.dose_of.')' at screen 0.5, screen 0.96 center font face.':Bold,14'
eval footer
set ylabel 'core cycles found per operation' offset 1, 0
low = 0; high = end
stats $dose using (low = -larger(-low, -$3), high = larger(high, $4), 0) nooutput
set yrange [low - 0.05 * (high - low):high + 0.05 * (high - low)]
set key top left Left reverse font face.',12'
plot x with lines dashtype 2 linecolor rgb '#777777' title 'slope 1', \
	start_at + slope * x with lines linewidth 1.6 linecolor rgb palette[2] title line, \
	$dose using 1:2:3:4 with yerrorbars linecolor rgb palette[1] pointtype 7 pointsize 1.1 linewidth 1.6 title 'doses, 95 % intervals'
unset label
unset key
# the same bars, large enough to be seen: at slope 1 they are short beside the doses
set lmargin at screen 0.56
set rmargin at screen 0.97
set ylabel 'core cycles found less those added'
low = 0; high = 0
stats $dose using (low = -larger(-low, $1 - $3), high = larger(high, $4 - $1), 0) nooutput
room = 0.1 * larger(high - low, 0.1)
set yrange [low - room:high + room]
plot 0 with lines dashtype 2 linecolor rgb '#777777', \
	start_at + (slope - 1) * x with lines linewidth 1.6 linecolor rgb palette[2], \
	$dose using 1:($2 - $1):($3 - $1):($4 - $1) with yerrorbars linecolor rgb palette[1] pointtype 7 pointsize 1.1 linewidth 1.6
unset multiplot
