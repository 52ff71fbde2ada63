// Readers at work while Writers replace the file: each sees an old or a new file, whole.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "alknet/tensor/test_support.h"
#include "alknet/tensor/verify.h"
#include "alknet/tensor/writer.h"

namespace alknet::tensor {
namespace {

using schema::FileDtype;

class MetatensorReplacedFile : public testing::Test {
 protected:
  static constexpr int kVersions = 40;

  MetatensorReplacedFile() { write(0); }

  std::string path() const { return folder_.path("a.mt"); }

  // The version-th file: its size and all of its bytes tell which one it is.
  void write(int version) const {
    const std::vector<std::uint8_t> content(size_of(version), static_cast<std::uint8_t>(version));
    Writer writer(path(), {.checksums = true});
    const auto id =
        writer.declare({.name = "a", .dtype = FileDtype::kU8, .shape = {static_cast<std::int64_t>(content.size())}});
    writer.start();
    writer.write(id, std::span<const std::uint8_t>(content));
    writer.close();
  }

  static std::size_t size_of(int version) { return 20'000 + 1'000 * static_cast<std::size_t>(version); }

  // Opens the file and reads all of it; its version, or nothing when it is not one whole version.
  std::optional<int> read(Access access) const {
    const File file = File::open(path(), {.access = access});
    const SharedBytes bytes = file.tensor("a").bytes();
    const int version = static_cast<unsigned char>(bytes.text().front());
    const bool uniform = bytes.text().find_first_not_of(bytes.text().front()) == std::string_view::npos;
    if (!uniform || bytes.size() != size_of(version) || !verify(file).empty()) return std::nullopt;
    return version;
  }

  // Reads until the last version is there. Whether every read saw a whole file, never an older one than before.
  bool follow(Access access) const {
    for (int last = 0; last < kVersions;) {
      const auto version = read(access);
      if (!version || *version < last) return false;
      last = *version;
    }
    return true;
  }

  void write_all_versions() const {
    for (int version = 1; version <= kVersions; ++version) write(version);
  }

  TestFolder folder_;
};

TEST_F(MetatensorReplacedFile, ThreadsSeeWholeVersionsOnly) {
  std::atomic<int> sound = 0;
  std::vector<std::jthread> readers;
  for (const Access access : {Access::kMap, Access::kRead, Access::kMap}) {
    readers.emplace_back([&, access] { sound += follow(access) ? 1 : 0; });
  }
  write_all_versions();
  readers.clear();
  EXPECT_EQ(sound, 3);
  EXPECT_THAT(folder_.names(), testing::ElementsAre("a.mt"));
}

TEST_F(MetatensorReplacedFile, ProcessesSeeWholeVersionsOnly) {
  std::vector<pid_t> readers;
  for (const Access access : {Access::kMap, Access::kRead, Access::kMap}) {
    const pid_t child = fork();
    if (child == 0) {
      bool sound = false;
      try {
        sound = follow(access);
      } catch (const Error& error) {
        std::cerr << error.message() << "\n";
      }
      _exit(sound ? 0 : 1);
    }
    readers.push_back(child);
  }
  write_all_versions();
  for (const pid_t reader : readers) {
    int status = -1;
    waitpid(reader, &status, 0);
    EXPECT_EQ(status, 0);
  }
}

TEST_F(MetatensorReplacedFile, AnOpenFileStaysWhatItWas) {
  const File old = File::open(path());
  const File old_read = File::open(path(), {.access = Access::kRead});
  write_all_versions();
  for (const File* file : {&old, &old_read}) {
    EXPECT_EQ(file->tensor("a").byte_size(), size_of(0));
    EXPECT_TRUE(verify(*file).empty());
  }
  EXPECT_EQ(read(Access::kMap), kVersions);
}

}  // namespace
}  // namespace alknet::tensor
