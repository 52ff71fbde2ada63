// What only the whole of a file shows: checksums, progress. The corpus has the faults one by one.
#include "alknet/tensor/verify.h"

#include "alknet/tensor/test_support.h"
#include "alknet/tensor/writer.h"

namespace alknet::tensor {
namespace {

using schema::FileDtype;

class MetatensorVerify : public testing::Test {
 protected:
  // Entries of several kinds and sizes with a pad between them.
  MetatensorVerify() {
    Writer writer(path_, {.checksums = true, .order = {"small", "aligned"}});
    const auto small = writer.declare({.name = "small", .dtype = FileDtype::kU8, .shape = {5}});
    const auto aligned = writer.declare({.name = "aligned", .dtype = FileDtype::kF64, .shape = {20'000}});
    writer.declare({.name = "zeros", .dtype = FileDtype::kF32, .shape = {100}, .sparse = true});
    writer.declare({.name = "empty", .dtype = FileDtype::kF32, .shape = {0}});
    const auto texts = writer.declare_blobs("texts");
    writer.start();
    writer.write(small, 0, bytes_of(std::string_view("small")));
    const std::vector<double> numbers(20'000, 0.5);
    writer.write(aligned, std::span<const double>(numbers));
    for (const std::string_view text : {"some", "", "text"}) writer.append_blob(texts, text);
    writer.close();
  }

  TestFolder folder_;
  std::string path_ = folder_.path("a.mt");
};

TEST_F(MetatensorVerify, FindsOneFlippedBitInEveryEntry) {
  const std::string sound = load_file(path_);
  const File file = File::open(path_);
  ASSERT_TRUE(verify(file).empty());
  bool pad_seen = false;
  for (const Entry& entry : file.entries()) {
    for (const std::uint64_t byte : {entry.begin, entry.begin + entry.bytes() / 2, entry.end - 1}) {
      if (entry.bytes() == 0) continue;
      std::string damaged = sound;
      damaged[byte] = static_cast<char>(damaged[byte] ^ 0x10);
      const auto faults = verify(File::from_bytes(SharedBytes::copy(std::string_view(damaged))));
      ASSERT_FALSE(faults.empty()) << entry.name;
      const bool pad = entry.name.starts_with("__pad__.");
      pad_seen = pad_seen || pad;
      EXPECT_EQ(faults.back().code, pad ? "nonzero_padding" : "checksum_mismatch") << entry.name;
      EXPECT_EQ(faults.back().path, entry.name);
    }
  }
  EXPECT_TRUE(pad_seen);
}

TEST_F(MetatensorVerify, ReportsTheBytesOfAllEntriesAsProgress) {
  const File file = File::open(path_);
  std::uint64_t done = 0;
  EXPECT_TRUE(verify(file, {.on_progress = [&](std::uint64_t bytes) { done += bytes; }}).empty());
  EXPECT_EQ(done, file.size() - file.data_offset());
}

}  // namespace
}  // namespace alknet::tensor
