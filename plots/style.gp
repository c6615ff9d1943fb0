# SPDX-License-Identifier: GPL-2.0
# Shared by all plots. A script is run as `gnuplot -c SCRIPT FOLDER TERMINAL OUT` in a directory that holds the data
# (sheafstat plotdata) and vars.gp (sheafreport plotvars). It keeps its arguments as term and out, since a loaded file does
# not see them, sets width and height, then evaluates start.

load 'vars.gp'

# Okabe and Ito's colours, told apart by colour-blind readers; the baseline is black, the null comparison grey.
array palette[7] = ['#0072B2', '#E69F00', '#D55E00', '#009E73', '#CC79A7', '#56B4E9', '#8A7B00']
array shape[7] = [5, 9, 13, 11, 15, 4, 8]
band = '#DCDCDC'

# Variants and workloads in the order in which they come up in the data, gathered by note() and seen().
variants = ' '
workloads = ' '
array name[64]
array title[64]
has(list, item) = strstrt(list, ' '.item.' ') > 0
place(list, item) = words(list[1:strstrt(list, ' '.item.' ')])
note(n, t) = has(variants, n) ? 0 : (variants = variants.n.' ', name[words(variants)] = n, title[words(variants)] = t, 0)
seen(w) = has(workloads, w) ? 0 : (workloads = workloads.w.' ', 0)

# The looks of the k-th variant: changes take the palette in turn, with other points in a second turn.
is_change(k) = !(name[k] eq baseline || name[k] eq 'null')
nth(k) = (sum [i = 1:k] is_change(i)) + 6
turn(k) = nth(k) % 7 + 1
colour(k) = name[k] eq baseline ? '#000000' : name[k] eq 'null' ? '#777777' : palette[turn(k)]
point(k) = name[k] eq baseline ? 7 : name[k] eq 'null' ? 6 : shape[(nth(k) + 3 * (nth(k) / 7 - 1)) % 7 + 1]

# The parts of OP/SIZE/N/ORDER.
slash(w) = strstrt(w, '/')
head(w) = slash(w) ? w[1:slash(w) - 1] : w
tail(w) = slash(w) ? w[slash(w) + 1:*] : ''
size(w) = head(tail(w)) + 0
objects(w) = head(tail(tail(w))) + 0

rows(f) = system("grep -c '^[^#]' ".f." || :") + 0
signed(v) = abs(v) < 0.005 ? '0.00' : sprintf(abs(v) < 99.995 ? '%+.2f' : '%+.1f', v)
larger(a, b) = a > b ? a : b
# a row has room for 21 characters; the key has the whole name
short(n) = strlen(n) > 21 ? n[1:19].'..' : n
baseline_note = baseline.': '.baseline_title

face = 'DejaVu Sans'
start = 'set terminal '.term.' size width, height font face.",12" noenhanced background "#ffffff"; set output out'
no_data = 'width = 640; height = 120; eval start; unset tics; unset border; unset key; set label 1 "no data for this plot in the result" at screen 0.5, 0.5 center; plot [0:1] [0:1] NaN notitle; exit'
footer = 'set label 99 "result ".result.(proven || !timed ? "" : ": the instrument is not proven, no effect is called real") at screen 0.985, screen 0 right offset 0, 0.6 font face.(proven || !timed ? ",11.5" : ":Bold,12") textcolor rgb (proven || !timed ? "#777777" : "#D55E00")'

# The key is below the panels, with a line per variant and its full title; its height is in pixels.
key_line = 24
draw_key = 'unset title; unset xlabel; unset ylabel; unset tics; unset border; unset label; unset arrow; unset object; \
	unset logscale; set lmargin 2; set rmargin 2; set tmargin 0; set bmargin 0; set xrange [0:1]; set yrange [0:1]; \
	set key at screen 0.02, screen key_top left top Left reverse samplen 3 spacing 1.35 font face.",12" maxrows key_rows; \
	set origin 0, 0; set size 1, key_top; \
	set label 97 key_note at screen 0.03, screen key_top font face.",11.5" textcolor "#444444" offset 0, 0.8; plot for [k = 1:words(variants)] NaN with linespoints linecolor rgb colour(k) pointtype point(k) pointsize 1.1 title name[k].": ".title[k]'
