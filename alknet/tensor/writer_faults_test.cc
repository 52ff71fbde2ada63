// What happens to the target when a Writer fails, is abandoned or is killed.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <thread>

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

  // Runs `work` in a child process; its wait status.
  template <typename Work>
  static int in_child(Work work) {
    const pid_t child = fork();
    if (child == 0) {
      int status = 99;
      try {
        status = work();
      } catch (const std::exception& error) {
        fmt::print(stderr, "{}\n", error.what());
      }
      _exit(status);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return status;
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

// Kills a child at many moments of its loop of whole writes. The target is the old file, or a whole new one.
TEST_F(MetatensorWriterFaults, KilledWritersLeaveAWholeFile) {
  for (int moment = 0; moment < 30; ++moment) {
    std::array<int, 2> ready{};
    ASSERT_EQ(pipe(ready.data()), 0);
    const pid_t child = fork();
    if (child == 0) {
      for (char round = 1;; ++round) {
        Writer writer(path());
        const auto id = writer.declare({.name = "a", .dtype = FileDtype::kU8, .shape = {50'000}});
        const auto grows = writer.declare_growing({.name = "g", .dtype = FileDtype::kU8});
        writer.start();
        for (int piece = 0; piece < 5; ++piece) {
          writer.write(id, static_cast<std::uint64_t>(piece) * 10'000, bytes_of(std::string(10'000, round)));
          writer.append(grows, bytes_of(std::string(10'000, round)));
          if (write(ready[1], "x", 1) != 1) _exit(1);
        }
        writer.close();
      }
    }
    close(ready[1]);
    char byte;
    for (int i = 0; i <= moment; ++i) ASSERT_EQ(read(ready[0], &byte, 1), 1);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    close(ready[0]);
    if (load_file(path()) != kOld) {
      EXPECT_TRUE(verify(path()).empty());
      const File file = File::open(path());
      const auto bytes = file.tensor("a").bytes().text();
      EXPECT_EQ(bytes.find_first_not_of(bytes.front()), std::string_view::npos);
    }
    for (const std::string& name : folder_.names()) {
      EXPECT_THAT(name, testing::AnyOf("a.mt", ".a.mt.alknet-tmp"));
    }
  }
  Writer writer(path());
  writer.start();
  writer.close();
  EXPECT_THAT(folder_.names(), testing::ElementsAre("a.mt"));
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

// Peak memory of a child that writes 256 MiB; the bar of the benchmark is 16 MiB over the start for 1 GiB.
TEST_F(MetatensorWriterFaults, WritesInConstantMemory) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers use memory of their own";
#endif
  const int status = in_child([&] {
    constexpr std::size_t kPiece = std::size_t{1} << 20, kPieces = 128;
    const auto peak_kib = [] {
      rusage usage{};
      getrusage(RUSAGE_SELF, &usage);
      return usage.ru_maxrss;
    };
    const std::vector<std::byte> piece(kPiece, std::byte{7});
    const long before = peak_kib();
    Writer writer(path(), {.checksums = true});
    const auto fixed = writer.declare({.name = "a", .dtype = FileDtype::kU8, .shape = {kPiece * kPieces}});
    const auto grows = writer.declare_growing({.name = "g", .dtype = FileDtype::kU8});
    writer.start();
    for (std::size_t i = 0; i < kPieces; ++i) {
      writer.write(fixed, i * kPiece, piece);
      writer.append(grows, piece);
    }
    writer.close();
    return peak_kib() - before < 16 * 1024 ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace alknet::tensor
