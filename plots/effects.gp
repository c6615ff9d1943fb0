# SPDX-License-Identifier: GPL-2.0
# Differences from the baseline with 95 % intervals: one workload per operation (of many variants: of pairs), a row per variant.

plots = ARG1; term = ARG2; out = ARG3
load plots.'/style.gp'

pick(w) = has(headlines, w)
if (rows('effects.dat') == 0) { eval no_data }
stats 'effects.dat' using (pick(strcol(9)) ? (note(strcol(2), strcol(3)), seen(strcol(9))) : 0) nooutput
nv = words(variants)
deep = nv + 1.4
# Of many variants a page shows what a pair costs; effects-all has the rest.
pairs = ' '
do for [w in workloads] { if (w[1:4] eq 'pair') { pairs = pairs.w.' ' } }
few = words(workloads) * deep > 72 && words(pairs) > 0 && words(pairs) < words(workloads)
if (few) { headlines = pairs; workloads = pairs }
nw = words(workloads)

# an effect beyond the limit is an arrow at the edge
far(v) = abs(v) > limit
clip(v) = far(v) ? sgn(v) * limit : v
lo = 0; hi = 0; arrows = 0; bands = 0; bars = 0
stats 'effects.dat' using (pick(strcol(9)) ? (lo = -larger(-lo, -clip($5)), hi = larger(hi, clip($6)), arrows = arrows || far($4), bars = bars || $8 > 0, bands = bands || ($8 > 0 && strcol(2) eq 'null'), 0) : 0) nooutput
span = hi > lo ? hi - lo : 1
left = lo - 0.04 * span
right = hi + (arrows ? 0.12 : 0.04) * span

width = 980
key_rows = nv
below = 104 + nv * key_line
height = 72 + nw * deep * 24 + below
eval start
set multiplot
set title (cost_finding ne '' ? cost_finding : 'Cost of each variant compared with '.baseline) font face.':Bold,14'
set lmargin at screen 0.225
set rmargin at screen 0.745
set tmargin at screen 1 - 48.0 / height
set bmargin at screen below * 1.0 / height
set xrange [left:right]
set yrange [-nw * deep + 0.2:0.6]
set xlabel 'more than '.baseline.', '.unit.'; lower is better'
set grid xtics linecolor rgb '#E4E4E4'
set border 1
set xtics nomirror
unset ytics
unset key
set label 98 'difference [95 % interval]' at graph 1, graph 1 left offset 1, 0.3 font face.':Bold,11.5'
eval footer

top(w) = -place(workloads, w) * deep
y(w, n) = top(w) - place(variants, n) - 1
is(k) = strcol(2) eq name[k] && pick(strcol(9))
in_words(e, l, h, has_ci) = has_ci ? signed(e).' ['.signed(l).', '.signed(h).']' : signed(e).' (no interval)'
headed = ' '
heading(w) = !pick(w) || has(headed, w) ? NaN : (headed = headed.w.' ', top(w))
is_null(n, w) = n eq 'null' && pick(w)
plot 'effects.dat' using 5:(is_null(strcol(2), strcol(9)) && $8 > 0 ? top(strcol(9)) - deep / 2 : NaN):5:6:(top(strcol(9)) - nv - 0.6):(top(strcol(9)) - 0.4) \
		with boxxyerror fillcolor rgb band fillstyle solid noborder, \
	'' using (0):(heading(strcol(9)) - 0.4):(0):(-0.2 - nv) with vectors nohead linecolor rgb '#000000', \
	for [k = 1:nv] '' using (is(k) && !far($4) ? $4 : NaN):(y(strcol(9), name[k])):(clip($5)):(clip($6)) \
		with xerrorbars linecolor rgb colour(k) pointtype point(k) pointsize 1.1 linewidth 1.6, \
	for [k = 1:nv] '' using (is(k) && far($4) ? ($4 > 0 ? right : left) - sgn($4) * 0.06 * span : NaN):(y(strcol(9), name[k])):(sgn($4) * 0.05 * span):(0) \
		with vectors head filled linecolor rgb colour(k) linewidth 2, \
	'' using (left):(pick(strcol(9)) ? y(strcol(9), strcol(2)) : NaN):(short(strcol(2))) with labels right offset -1, 0, \
	'' using (right):(pick(strcol(9)) ? y(strcol(9), strcol(2)) : NaN):(in_words($4, $5, $6, $8 > 0)) with labels left offset 1, 0 font face.',11.5', \
	headed = ' ', \
	'' using (left):(heading(strcol(9))):(sprintf('%s   (%s: %.2f)', strcol(9), baseline, $7)) with labels left font face.':Bold,12' offset -15, 0
key_top = (below - 86.0) / height
key_note = baseline_note.(bands ? '; grey band: interval of the null comparison' : '').(bars ? '' : '; fewer than two layouts, so no intervals').(arrows ? '; arrow: beyond the axis' : '').(few ? '; other workloads: effects-all' : '')
eval draw_key
unset multiplot
