# A result with all variants and targets: what make_result cannot simulate is made up here.
def named($name; $title): .name = $name | .title = $title;
def copy($from; $to): map(if .variant == $from then ., (.variant = $to) else . end);
def count($target; $variant; $workload; $instructions; $lock): { target: $target, workload: $workload, variant: $variant,
	classes: { instructions: $instructions, lock: $lock, loads: 20 }, symbols: { kfree: { instructions: 40, loads: 20 }, kmalloc: { instructions: ($instructions - 40), lock: $lock } } };
.variants |= map(if .name == "qpw-on" then ., (named("slowpath-isolated"; "no sheaves on isolated CPUs: a housekeeping CPU") | .order = 60),
	(named("slowpath-isolated-cpu"; "no sheaves on isolated CPUs: an isolated CPU") | .order = 61) else . end)
| .effects |= (copy("qpw-n"; "slowpath-isolated") | copy("slowpath"; "slowpath-isolated-cpu"))
| .values |= (copy("qpw-n"; "slowpath-isolated") | copy("slowpath"; "slowpath-isolated-cpu"))
| .same_code = [{ variant: "qpw-n", workload: "*", functions: "all of mm/slub.o" }]
| (.effects[] | select(.variant == "qpw-n" and .primary)) |= (.verdict = "same code")
| .environment += { clock_khz: 2596123, duration_s: 5301, um_fidelity: "yes" }
| .effects += [ .effects[] | select(.workload == "pair/64/1") | .workload = "pair-spaced/64/24" | .effect *= 0.75 | .ci95 |= map(. * 0.75) | .ratio = null ]
| .values += [ .values[] | select(.workload == "pair/64/1") | .workload = "pair-spaced/64/24" ]
| .counts = [ ("tcg", "tcg-rt", "uml") as $t | ("pair/64/1", "alloc/64/1", "alloc/64/8/lifo", "free/64/1") as $w
	| [ ["local-trylock", 132, 0], ["qpw-n", 132, 0], ["qpw-off", 140, 0], ["qpw-on", 166, 2], ["slowpath", 281, 4], ["slowpath-isolated", 132, 0], ["slowpath-isolated-cpu", 380, 4] ][]
	| if $t == "tcg-rt" then [.[0], 286 + (if .[1] > 200 then .[1] - 233 else 0 end), (if .[1] > 300 then 8 else 4 end)] elif $t == "uml" then [.[0], .[1] + 2, .[2]] else . end
	| count($t; .[0]; $w; .[1]; .[2]) + { each: { kmalloc: { usual: (.[1] - 40), share: 0.98, others: 700 }, kfree: { usual: 40, share: 1, others: null } } } ]
| ([.values[] | select(.workload == "pair/64/1")]) as $pairs
| .values += [ $pairs[] | .workload = "flush-destroy/64/2/fifo" | (if .variant | IN("qpw-on", "slowpath", "slowpath-isolated-cpu") then 1.4e8 else 2.51e9 end) as $ticks
	| .mean = $ticks | .ci95 = [$ticks * 0.98, $ticks * 1.02] ]
| .values += [ $pairs[] | .workload = "flush-shrink/64/2/user" | .mean = 50000 | .ci95 = [40000, 60000] ]
| .flushes = [ ("local-trylock", "qpw-n", "qpw-off", "qpw-on", "slowpath", "slowpath-isolated") as $v | (false, true) as $i | (1, 15) as $n | ("kworker_runs", "ipis", "switches") as $m
	| { target: "tcg", workload: "flush-shrink/64/\($n + 1)/user", variant: $v, isolated: $i, metric: $m, cpus: $n,
		value: (if ($v | IN("qpw-on", "slowpath")) or ($i and $v == "slowpath-isolated") then 0 elif $m == "switches" then 2 else 1 end) } ]
| .counters = [ ["local-trylock", 1], ["qpw-on", 0] | . as [$v, $runs] | { target: "uml", workload: "flush-shrink/64/2/user", variant: $v, layouts: 8, metric: ("kworker_runs", "stolen_ns"),
	value: $runs, ci95: [$runs, $runs], effect: null, effect_ci95: null } ]
