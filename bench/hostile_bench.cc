#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

#include "alknet/base/json.h"
#include "tests/sandbox/hostile_corpus.h"

// R4: the hostile scripts of a folder, each `RUNS` times under a deadline of 100 ms. Prints an array of
// {script, tries, outcome, what, seconds, host_before, host_after, right}, the slowest run of each.

int main(int argc, char** argv) {
  using namespace alknet;
  if (argc != 3) {
    std::fprintf(stderr, "hostile_bench FOLDER RUNS\n");
    return 2;
  }
  JsonArray rows;
  hostile::Host host;
  for (const hostile::Script& script : hostile::scripts_in(argv[1])) {
    hostile::Outcome slowest;
    bool right = true;
    for (int run = 0; run < std::stoi(argv[2]); ++run) {
      hostile::Outcome outcome = host.run(script);
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
  const JsonObject answer{{"scripts", rows}, {"unharmed", host.unharmed()}, {"ready_seconds", host.seconds_to_ready()}};
  std::printf("%s\n", json_text(answer).c_str());
  return 0;
}
