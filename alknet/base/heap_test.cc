#include "alknet/base/heap.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <vector>

namespace alknet {
namespace {

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

TEST(HeapTrimmer, GivesBackWhatLiesBetweenThatWhichLives) {
  constexpr std::size_t kPieces = 4'096;
  constexpr std::size_t kPiece = 32'768;
  std::vector<std::vector<char>> freed, kept;
  for (std::size_t i = 0; i < kPieces; ++i) {
    freed.emplace_back(kPiece, 'x');
    kept.emplace_back(64, 'x');
  }
  HeapTrimmer trimmer;
  EXPECT_FALSE(trimmer.trim()) << "everything is in use";
  freed.clear();
  const std::uint64_t before = resident_bytes();
  if (!trimmer.trim()) GTEST_SKIP() << "another allocator than glibc's";
  EXPECT_LT(resident_bytes() + kPieces * kPiece / 2, before);
  EXPECT_FALSE(trimmer.trim()) << "nothing is left to be given back";
}

}  // namespace
}  // namespace alknet
