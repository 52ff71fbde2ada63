#include <cstdint>
#include <cstdlib>
#include <ctime>

#include "alknet/base/confinement.h"
#include "alknet/base/helper_main.h"
#include "alknet/base/probe.h"
#include "alknet/base/seccomp.h"
#include "apps/sandbox/service.h"

// alknet-sandbox: runs untrusted scripts for a host, which starts it with one end of a socket pair as descriptor 3.
// It has no environment, no files, no network, and can ask the kernel for little more than memory.

namespace alknet::sandbox {
namespace {

constexpr std::uint64_t kDescriptors = 16;  // the loop's own, the link, /dev/null three times

int run(const HelperSettings& settings) {
  // Scripts see one time zone, and nothing reads the machine's once files are denied.
  ::setenv("TZ", "UTC0", 1);
  ::tzset();
  close_other_descriptors();
  confine_process(kDescriptors);
  Loop loop;
  Service service(loop);
  if (settings.probe.empty()) service.serve(kLinkDescriptor);
  limit_memory_growth(memory_of_build(settings.memory));
  filter_for_scripts();
  if (!settings.probe.empty()) return probe(settings.probe);
  loop.run();
  return 0;
}

}  // namespace
}  // namespace alknet::sandbox

int main(int argc, char** argv) {
  alknet::helper_main(argc, argv,
                      {"alknet-sandbox", "runs untrusted scripts for alknet, which starts it; see docs/sandbox.md.",
                       alknet::sandbox::run});
}
