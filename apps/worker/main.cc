#include <unistd.h>

#include <cstdint>
#include <thread>

#include "alknet/base/confinement.h"
#include "alknet/base/helper_main.h"
#include "alknet/base/probe.h"
#include "alknet/base/seccomp.h"
#include "alknet/gpu/driver_files.h"
#include "apps/worker/service.h"

// alknet-worker: compiles and runs kernels that a host does not trust, on a GPU. The host starts it with one end of a
// socket pair as descriptor 3. It has no secrets and no network, and reaches no other processes and no files but those
// of drivers; GPU drivers, which need these, threads and code of their own, can work in it.

namespace alknet::worker {
namespace {

constexpr std::uint64_t kDescriptors = 512;

/// Of the process, beside its tensors and the copies of them on their way: the driver and its compiler, and the stacks
/// of their threads.
constexpr std::uint64_t kDriverMemory = std::uint64_t{2} << 30;
constexpr std::uint64_t kThreadMemory = std::uint64_t{20} << 20;

int run(const HelperSettings& settings) {
  close_other_descriptors();
  // Drivers keep device memory in files without a name.
  confine_process(kDescriptors, 2 * settings.memory + kDriverMemory);
  // A second hold on files beside the filter of calls, where the kernel has it.
  static_cast<void>(confine_files(gpu::driver_files()));
  limit_memory_growth(memory_of_build(2 * settings.memory + kDriverMemory) +
                      kThreadMemory * std::thread::hardware_concurrency());
  // Before there is another thread, and before a driver is loaded: what it starts is under the filter too.
  filter_for_kernels();
  if (!settings.probe.empty()) return probe(settings.probe);
  Loop loop;
  Service service(loop, settings.device.empty() ? "gpu" : settings.device, settings.memory);
  service.serve(kLinkDescriptor);
  loop.run();
  // A kernel may run for ever: nothing waits for it.
  ::_exit(0);
}

}  // namespace
}  // namespace alknet::worker

int main(int argc, char** argv) {
  alknet::helper_main(argc, argv,
                      {"alknet-worker", "runs kernels of callers for alknet, which starts it; see docs/sandbox.md.",
                       alknet::worker::run});
}
