#include "alknet/base/heap.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace alknet {

#ifdef __GLIBC__

namespace {

/// Resident memory that is no file's.
std::uint64_t anonymous_bytes() {
  std::ifstream file("/proc/self/statm");  // in pages: size, resident, of that of files
  std::uint64_t size = 0, resident = 0, of_files = 0;
  file >> size >> resident >> of_files;
  return (resident - of_files) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

bool HeapTrimmer::trim() {
  const struct mallinfo2 heap = ::mallinfo2();
  const std::uint64_t used = heap.uordblks + heap.hblkhd;
  const auto slack = [used] { return std::max(anonymous_bytes(), used) - used; };
  if (used == 0 || slack() < kept_ + std::max(kLeastSlack, used / 4)) return false;
  ::malloc_trim(0);
  kept_ = slack();
  return true;
}

#else

bool HeapTrimmer::trim() { return false; }

#endif

}  // namespace alknet
