#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "alknet/base/json.h"
#include "tests/sandbox/hostile_corpus.h"
#include "tests/sandbox/hostile_kernels.h"

// R4: the hostile scripts of a folder, and the hostile kernels of another, each `RUNS` times under a deadline of 100
// ms. Prints {scripts, kernels, unharmed, ready_seconds}, the first two arrays of {script, tries, outcome, what,
// seconds, host_before, host_after, right}, the slowest run of each.

namespace alknet::hostile {
namespace {

template <typename Host>
JsonArray rows_of(Host& host, const std::vector<Script>& scripts, int runs) {
  JsonArray rows;
  for (const Script& script : scripts) {
    Outcome slowest;
    bool right = true;
    for (int run = 0; run < runs; ++run) {
      Outcome outcome = host.run(script);
      right = right && std::find(script.expects.begin(), script.expects.end(), outcome.code) != script.expects.end();
      if (outcome.took >= slowest.took) slowest = outcome;
    }
    rows.push_back(JsonObject{{"script", script.name},
                              {"tries", script.tries},
                              {"outcome", slowest.code},
                              {"what", slowest.what},
                              {"seconds", std::chrono::duration<double>(slowest.took).count()},
                              {"host_before", slowest.host_before},
                              {"host_after", slowest.host_after},
                              {"right", right}});
  }
  return rows;
}

JsonObject measure(const char* scripts, const char* kernels, int runs) {
  JsonObject answer;
  {
    Host host;
    answer.emplace("scripts", rows_of(host, scripts_in(scripts), runs));
    answer.emplace("unharmed", host.unharmed());
    answer.emplace("ready_seconds", host.seconds_to_ready());
  }
  answer.emplace("kernels", JsonArray());
  if (!KernelHost::reason().empty()) return answer;
  KernelHost node;
  answer["kernels"] = rows_of(node, kernels_in(kernels), runs);
  answer["unharmed"] = answer.at("unharmed") == Json(true) && node.unharmed();
  return answer;
}

}  // namespace
}  // namespace alknet::hostile

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "hostile_bench SCRIPTS KERNELS RUNS\n");
    return 2;
  }
  const alknet::JsonObject answer = alknet::hostile::measure(argv[1], argv[2], std::stoi(argv[3]));
  std::printf("%s\n", alknet::json_text(answer).c_str());
  return 0;
}
