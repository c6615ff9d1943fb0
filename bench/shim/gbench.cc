// SPDX-License-Identifier: GPL-2.0
/* Google Benchmark behind a C API, see gbench.h. */
#include "gbench.h"

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <exception>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <benchmark/benchmark.h>

struct gbench_state {
	bool timed = false;
	bool skipped = false;
	double seconds = 0;
	std::string message;
	std::string label;
	benchmark::UserCounters counters;
};

namespace
{

std::string last_error;
std::set<std::string> names;
std::set<std::string> context_keys;

/* Members that Google Benchmark writes itself, in any version up to 1.9.5. */
const std::set<std::string> context_reserved = {
	"date",	       "host_name",	      "executable",	    "num_cpus",
	"mhz_per_cpu", "cpu_scaling_enabled", "aslr_enabled",	    "caches",
	"load_avg",    "library_version",     "library_build_type", "json_schema_version",
};
const std::set<std::string> counter_reserved = {
	"name",
	"family_index",
	"per_family_instance_index",
	"run_name",
	"run_type",
	"repetitions",
	"repetition_index",
	"threads",
	"aggregate_name",
	"aggregate_unit",
	"error_occurred",
	"error_message",
	"skipped",
	"skip_message",
	"iterations",
	"real_time",
	"cpu_time",
	"time_unit",
	"label",
	"cpu_coefficient",
	"real_coefficient",
	"big_o",
	"rms",
	"allocs_per_iter",
	"max_bytes_used",
	"total_allocated_bytes",
	"net_heap_growth",
};

int failed(const std::string &message) noexcept
{
	try {
		last_error = message;
	} catch (...) {
		last_error.clear();
	}
	return -1;
}

/* Runs a function body so that nothing it throws gets out. */
template <typename Body> int guarded(Body body) noexcept
{
	try {
		last_error.clear();
		return body();
	} catch (const std::exception &e) {
		return failed(e.what());
	} catch (...) {
		return failed("unknown C++ exception");
	}
}

/*
 * The JSON in memory, and the table if wanted. Names lose the parts that the library appends for
 * the settings of the run.
 */
class Reporter : public benchmark::BenchmarkReporter
{
      public:
	Reporter(std::ostream &json_stream, enum gbench_display display)
	    : show(display == GBENCH_CONSOLE)
	{
		json.SetOutputStream(&json_stream);
	}

	bool ReportContext(const Context &context) override
	{
		return json.ReportContext(context) && (!show || console.ReportContext(context));
	}

	void ReportRuns(const std::vector<Run> &reports) override
	{
		std::vector<Run> runs = reports;

		for (Run &run : runs) {
			run.run_name.iterations.clear();
			run.run_name.time_type.clear();
		}
		json.ReportRuns(runs);
		if (show)
			console.ReportRuns(runs);
	}

	void Finalize() override
	{
		json.Finalize();
		if (show)
			console.Finalize();
	}

      private:
	benchmark::JSONReporter json;
	benchmark::ConsoleReporter console{ benchmark::ConsoleReporter::OO_Tabular };
	bool show;
};

/* The library writes one member to a line. */
void drop_member(std::string &json, const std::string &key)
{
	const size_t at = json.find("\"" + key + "\": ");

	if (at == std::string::npos)
		return;
	const size_t start = json.rfind('\n', at) + 1;
	json.erase(start, json.find('\n', at) + 1 - start);
}

int write_file(const std::string &path, const std::string &text)
{
	const std::string part = path + ".part";
	size_t done = 0;
	int error = 0;
	const int fd = open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0)
		return failed("cannot create " + part + ": " + std::strerror(errno));
	while (!error && done < text.size()) {
		const ssize_t wrote = write(fd, text.data() + done, text.size() - done);

		if (wrote >= 0)
			done += static_cast<size_t>(wrote);
		else if (errno != EINTR)
			error = errno;
	}
	if (!error && fsync(fd) && errno != EINVAL)
		error = errno;
	if (close(fd) && !error)
		error = errno;
	if (!error && std::rename(part.c_str(), path.c_str()))
		error = errno;
	if (!error)
		return 0;
	unlink(part.c_str());
	return failed("cannot write " + path + ": " + std::strerror(error));
}

void run_one(benchmark::State &state, gbench_fn fn, void *ctx)
{
	/* One batch is all iterations; fn() reports the time of one. */
	const benchmark::IterationCount all = state.max_iterations;
	gbench_state result;

	while (state.KeepRunningBatch(all)) {
		fn(&result, ctx);
		if (!result.timed && !result.skipped) {
			result.skipped = true;
			result.message = "the benchmark set no time";
		}
		if (result.skipped)
			state.SkipWithError(result.message.c_str());
		else
			state.SetIterationTime(result.seconds * static_cast<double>(all));
	}
	state.SetLabel(result.label.c_str());
	state.counters = result.counters;
}

} // namespace

int gbench_init(const char *program)
{
	return guarded([&] {
		/* Each also has an environment variable, which is not to change a result. */
		static std::vector<std::string> words;
		static std::vector<char *> args;
		int count;

		if (!program || !*program)
			return failed("gbench_init: no program name");
		if (!words.empty())
			return failed("gbench_init: called before");
		words = {
			program,
			"--benchmark_filter=all",
			"--benchmark_repetitions=1",
			"--benchmark_min_warmup_time=0",
			"--benchmark_enable_random_interleaving=false",
			"--benchmark_report_aggregates_only=false",
			"--benchmark_display_aggregates_only=false",
			"--benchmark_out=",
			"--benchmark_perf_counters=",
		};
		/* The library keeps pointers to these. */
		for (std::string &word : words)
			args.push_back(&word[0]);
		args.push_back(nullptr);
		count = static_cast<int>(words.size());
		benchmark::Initialize(&count, args.data());
		return 0;
	});
}

int gbench_add_context(const char *key, const char *value)
{
	return guarded([&] {
		if (!key || !*key || !value)
			return failed("gbench_add_context: a key and a value are needed");
		if (context_reserved.count(key))
			return failed(std::string("context key '") + key +
				      "' is Google Benchmark's own");
		if (!context_keys.insert(key).second)
			return failed(std::string("context key '") + key + "' is there already");
		benchmark::AddCustomContext(key, value);
		return 0;
	});
}

int gbench_register(const char *name, gbench_fn fn, void *ctx, int64_t iterations)
{
	return guarded([&] {
		if (!name || !*name || !fn)
			return failed("gbench_register: a name and a function are needed");
		if (iterations < 1)
			return failed(std::string(name) + ": iterations are " +
				      std::to_string(iterations) + ", at least 1 is needed");
		if (!names.insert(name).second)
			return failed(std::string("benchmark '") + name +
				      "' is registered already");
		auto *benchmark = benchmark::RegisterBenchmark(
			name, [fn, ctx](benchmark::State &state) { run_one(state, fn, ctx); });
		benchmark->Iterations(iterations)->UseManualTime()->Unit(benchmark::kNanosecond);
		return 0;
	});
}

int gbench_run(const char *json_path, enum gbench_display display)
{
	return guarded([&] {
		std::ostringstream json;
		Reporter reporter(json, display);
		size_t count = 0;

		if (!names.empty())
			count = benchmark::RunSpecifiedBenchmarks(&reporter, "all");
		benchmark::ClearRegisteredBenchmarks();
		names.clear();
		if (json_path && count) {
			std::string text = json.str();

			drop_member(text, "host_name");
			/* A guess, where the kernel names no frequency: 1 / loop of its delay loop. */
			drop_member(text, "mhz_per_cpu");
			if (write_file(json_path, text))
				return -1;
		}
		return static_cast<int>(count);
	});
}

int gbench_set_time(struct gbench_state *state, double seconds)
{
	return guarded([&] {
		if (!std::isfinite(seconds))
			return failed("a time that is not finite");
		state->seconds = seconds;
		state->timed = true;
		return 0;
	});
}

int gbench_set_counter(struct gbench_state *state, const char *key, double value)
{
	return guarded([&] {
		if (!key || !*key)
			return failed("gbench_set_counter: a key is needed");
		if (counter_reserved.count(key))
			return failed(std::string("counter '") + key +
				      "' is Google Benchmark's own");
		if (!std::isfinite(value))
			return failed(std::string("counter '") + key + "' is not finite");
		state->counters[key] = benchmark::Counter(value);
		return 0;
	});
}

int gbench_set_label(struct gbench_state *state, const char *label)
{
	return guarded([&] {
		state->label = label ? label : "";
		return 0;
	});
}

int gbench_skip(struct gbench_state *state, const char *message)
{
	return guarded([&] {
		state->message = message ? message : "";
		state->skipped = true;
		return 0;
	});
}

const char *gbench_error(void)
{
	return last_error.c_str();
}
