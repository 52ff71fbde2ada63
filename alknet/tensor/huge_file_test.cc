// Files larger than 32 bits count and larger than memory: sparse, so that they cost no disk.
#include <array>

#include "alknet/base/bytes.h"
#include "alknet/tensor/file_facts.h"
#include "alknet/tensor/test_support.h"
#include "alknet/tensor/writer.h"

namespace alknet::tensor {
namespace {

using schema::FileDtype;

constexpr std::int64_t kGiB = std::int64_t{1} << 30;
constexpr long kAllowedKib = 16 * 1024;  // over the start

// Writes an entry "big" of `bytes` zeros that ends in 1.5f, and an entry "last" with 2.5f.
void write_huge(const std::string& path, std::int64_t bytes) {
  Writer writer(path);
  const auto big = writer.declare({.name = "big", .dtype = FileDtype::kF32, .shape = {bytes / 4}, .sparse = true});
  const auto last = writer.declare({.name = "last", .dtype = FileDtype::kF32, .shape = {1}});
  writer.start();
  writer.write(big, static_cast<std::uint64_t>(bytes) - 4, bytes_of(std::array{1.5f}));
  writer.write(last, std::span<const float>(std::array{2.5f}));
  writer.close();
}

TEST(MetatensorHugeFile, IsWrittenAndReadAtItsFarEndInConstantMemory) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers use memory of their own";
#endif
  const TestFolder folder;
  const std::string path = folder.path("a.mt");
  const int status = in_child([&] {
    const long before = peak_memory_kib();
    write_huge(path, 5 * kGiB);
    bool sound = true;
    for (const Access access : {Access::kMap, Access::kRead}) {
      const File file = File::open(path, {.access = access});
      const Entry& big = file.entry("big");
      std::array<std::byte, 4> bytes{};
      file.read(big.end - 4, bytes);
      sound = sound && big.end > std::uint64_t{4 * kGiB} && load_le<float>(bytes.data()) == 1.5f;
      sound = sound && file.tensor("last").as<float>()[0] == 2.5f;
    }
    sound = sound && File::open(path).tensor("big").as<float>().back() == 1.5f;
    return (sound ? 0 : 1) + (peak_memory_kib() - before < kAllowedKib ? 0 : 2);
  });
  EXPECT_EQ(status, 0);
}

TEST(MetatensorHugeFile, OpensAndDescribesItselfWithoutReadingItsData) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers use memory of their own";
#endif
  const TestFolder folder;
  const std::string path = folder.path("a.mt");
  write_huge(path, 100 * kGiB);
  const int status = in_child([&] {
    const long before = peak_memory_kib();
    const File file = File::open(path);
    const bool sound = file_facts(file).at("tensors").as_array().size() == 2;
    return (sound ? 0 : 1) + (peak_memory_kib() - before < kAllowedKib ? 0 : 2);
  });
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace alknet::tensor
