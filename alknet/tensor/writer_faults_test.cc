// What happens to the target when a Writer fails, is abandoned or is killed.
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <vector>

#include "alknet/tensor/test_support.h"
#include "alknet/tensor/verify.h"
#include "alknet/tensor/writer.h"

namespace alknet::tensor {
namespace {

using schema::FileDtype;

constexpr std::string_view kOld = "the old file";

class MetatensorWriterFaults : public testing::Test {
 protected:
  MetatensorWriterFaults() { save(path(), kOld); }
  std::string path() const { return folder_.path("a.mt"); }
  std::string leftover() const { return folder_.path(".a.mt.alknet-tmp"); }

  void expect_untouched() const {
    EXPECT_EQ(load_file(path()), kOld);
    EXPECT_THAT(folder_.names(), testing::ElementsAre("a.mt"));
  }

  TestFolder folder_;
};

TEST_F(MetatensorWriterFaults, AbandonedFilesLeaveNothing) {
  {
    Writer writer(path());
    const auto id = writer.declare({.name = "a", .dtype = FileDtype::kU8, .shape = {3}});
    const auto grows = writer.declare_growing({.name = "g", .dtype = FileDtype::kU8});
    writer.start();
    writer.write(id, 0, bytes_of(std::string_view("abc")));
    writer.append(grows, bytes_of(std::string(100'000, 'x')));
    expect_untouched();
  }
  expect_untouched();
}

TEST_F(MetatensorWriterFaults, IncompleteEntriesAreRefused) {
  Writer writer(path());
  const auto id = writer.declare({.name = "half", .dtype = FileDtype::kU8, .shape = {4}});
  writer.start();
  writer.write(id, 0, bytes_of(std::string_view("ab")));
  const Error error = error_of([&] { writer.close(); });
  EXPECT_EQ(error.code_name(), "incomplete_entry");
  EXPECT_THAT(error.message(), testing::HasSubstr("\"half\""));
  expect_untouched();
}

TEST_F(MetatensorWriterFaults, MissingFoldersAndFoldersInPlaceAreErrors) {
  EXPECT_EQ(code_of([&] { Writer(folder_.path("missing/a.mt")); }), "io_error");
  EXPECT_EQ(code_of([&] { Writer writer(folder_.path()); }), "io_error");
  EXPECT_EQ(code_of([&] { Writer writer(folder_.path("x/")); }), "io_error");
  EXPECT_EQ(code_of([&] { Writer writer(""); }), "io_error");
  EXPECT_EQ(code_of([&] { Writer writer("/proc/a.mt"); }), "io_error");
}

TEST_F(MetatensorWriterFaults, ReadOnlyFoldersAreErrors) {
  if (geteuid() == 0) GTEST_SKIP() << "the superuser may write anywhere";
  ASSERT_EQ(chmod(folder_.path().c_str(), 0555), 0);
  EXPECT_EQ(code_of([&] { Writer writer(path()); }), "io_error");
  ASSERT_EQ(chmod(folder_.path().c_str(), 0755), 0);
  expect_untouched();
}

// A child whose files may have 64 KiB: every way to exceed that is an error, never a signal, and leaves nothing.
TEST_F(MetatensorWriterFaults, FullDisksAreErrorsAndLeaveNothing) {
  const auto limited = [&](auto work) {
    return in_child([&] {
      const rlimit limit{65536, 65536};
      setrlimit(RLIMIT_FSIZE, &limit);
      return code_of(work) == "io_error" ? 0 : 1;
    });
  };
  EXPECT_EQ(limited([&] {
              Writer writer(path());
              writer.declare({.name = "a", .dtype = FileDtype::kU8, .shape = {100'000}});
              writer.start();
            }),
            0);
  expect_untouched();
  EXPECT_EQ(limited([&] {
              Writer writer(path());
              const auto grows = writer.declare_growing({.name = "g", .dtype = FileDtype::kU8});
              writer.start();
              for (int i = 0; i < 1000; ++i) writer.append(grows, bytes_of(std::string(1000, 'x')));
            }),
            0);
  expect_untouched();
  EXPECT_EQ(limited([&] {
              Writer writer(path());
              const auto a = writer.declare_growing({.name = "a", .dtype = FileDtype::kU8});
              const auto b = writer.declare_growing({.name = "b", .dtype = FileDtype::kU8});
              writer.start();
              writer.append(a, bytes_of(std::string(40'000, 'x')));
              writer.append(b, bytes_of(std::string(40'000, 'x')));
              writer.close();
            }),
            0);
  expect_untouched();
}

TEST_F(MetatensorWriterFaults, TheNextWriterRemovesALeftover) {
  save(leftover(), "left by a killed process");
  Writer writer(path());
  expect_untouched();
}

TEST_F(MetatensorWriterFaults, AFileInUseByAnotherWriterIsNotALeftover) {
  save(leftover(), "being written");
  const int held = open(leftover().c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(held, 0);
  ASSERT_EQ(flock(held, LOCK_EX), 0);
  EXPECT_EQ(code_of([&] { Writer writer(path()); }), "target_busy");
  EXPECT_EQ(load_file(leftover()), "being written");
  close(held);
}

TEST_F(MetatensorWriterFaults, TwoWritersOfOneTargetBothFinishWhole) {
  Writer first(path()), second(path());
  for (Writer* writer : {&first, &second}) {
    writer->declare({.name = "a", .dtype = FileDtype::kU8, .shape = {1}, .sparse = true});
    writer->start();
  }
  first.close();
  second.close();
  EXPECT_TRUE(verify(path()).empty());
  EXPECT_THAT(folder_.names(), testing::ElementsAre("a.mt"));
}

TEST_F(MetatensorWriterFaults, ReadersOfTheOldFileKeepIt) {
  const auto write = [&](char content) {
    Writer writer(path());
    const auto id = writer.declare({.name = "a", .dtype = FileDtype::kU8, .shape = {1}});
    writer.start();
    writer.write(id, 0, bytes_of(std::string_view(&content, 1)));
    writer.close();
  };
  write('1');
  const File old = File::open(path());
  write('2');
  EXPECT_EQ(old.tensor("a").bytes().text(), "1");
  EXPECT_EQ(File::open(path()).tensor("a").bytes().text(), "2");
}

// A disk of 256 KiB, in a mount namespace of the child's own.
TEST_F(MetatensorWriterFaults, FullFileSystemsAreErrorsAndLeaveNothing) {
  constexpr int kMayNotMount = 77;
  const std::string disk = folder_.path("disk");
  ASSERT_EQ(mkdir(disk.c_str(), 0755), 0);
  const int status = in_child([&] {
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=256k") != 0) {
      return kMayNotMount;
    }
    const std::string target = disk + "/a.mt";
    save(target, kOld);
    const std::string piece(100'000, 'x');
    const auto is_full = [&](auto work) {
      const std::string code = code_of(work);
      const auto files =
          std::distance(std::filesystem::directory_iterator(disk), std::filesystem::directory_iterator());
      return code == "io_error" && load_file(target) == kOld && files == 1;
    };
    const bool fixed = is_full([&] {
      Writer writer(target);
      const auto id = writer.declare({.name = "a", .dtype = FileDtype::kU8, .shape = {400'000}});
      writer.start();
      for (std::uint64_t i = 0; i < 4; ++i) writer.write(id, i * piece.size(), bytes_of(piece));
    });
    const bool growing = is_full([&] {
      Writer writer(target);
      const auto id = writer.declare_growing({.name = "a", .dtype = FileDtype::kU8});
      writer.start();
      for (int i = 0; i < 4; ++i) writer.append(id, bytes_of(piece));
    });
    const bool closing = is_full([&] {  // what was spooled finds no room beside itself
      Writer writer(target);
      const auto id = writer.declare_growing({.name = "a", .dtype = FileDtype::kU8});
      writer.start();
      for (int i = 0; i < 2; ++i) writer.append(id, bytes_of(piece));
      writer.close();
    });
    return (fixed ? 0 : 1) + (growing ? 0 : 2) + (closing ? 0 : 4);
  });
  if (WIFEXITED(status) && WEXITSTATUS(status) == kMayNotMount) GTEST_SKIP() << "this process may not mount a disk";
  EXPECT_EQ(status, 0);
}

// Peak memory of a child that writes 256 MiB; the bar of the benchmark is 16 MiB over the start for 1 GiB.
TEST_F(MetatensorWriterFaults, WritesInConstantMemory) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers use memory of their own";
#endif
  const int status = in_child([&] {
    constexpr std::size_t kPiece = std::size_t{1} << 20, kPieces = 128;
    const std::vector<std::byte> piece(kPiece, std::byte{7});
    const long before = peak_memory_kib();
    Writer writer(path(), {.checksums = true});
    const auto fixed = writer.declare({.name = "a", .dtype = FileDtype::kU8, .shape = {kPiece * kPieces}});
    const auto grows = writer.declare_growing({.name = "g", .dtype = FileDtype::kU8});
    writer.start();
    for (std::size_t i = 0; i < kPieces; ++i) {
      writer.write(fixed, i * kPiece, piece);
      writer.append(grows, piece);
    }
    writer.close();
    return peak_memory_kib() - before < 16 * 1024 ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace alknet::tensor
