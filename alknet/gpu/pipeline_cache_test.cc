#include "alknet/gpu/pipeline_cache.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "alknet/base/files.h"
#include "alknet/base/testing.h"
#include "alknet/gpu/gpu_test_fixture.h"

namespace alknet::gpu {
namespace {

namespace fs = std::filesystem;

std::span<const std::byte> as_key(std::string_view text) { return std::as_bytes(std::span(text)); }

// What a library does to find an entry; empty: there is none.
std::string find_entry(PipelineCache& cache, std::string_view key) {
  std::string value(cache.load(as_key(key), {}), '?');
  if (value.empty()) return value;
  const std::size_t size = cache.load(as_key(key), std::as_writable_bytes(std::span(value)));
  return size == value.size() ? value : "the two calls differ";
}

void overwrite(const fs::path& path, std::string_view text) { std::ofstream(path, std::ios::binary) << text; }

class PipelineCacheFiles : public testing::Test {
 protected:
  PipelineCacheFiles() {
    std::string pattern = (fs::temp_directory_path() / "alknet_pipelines_XXXXXX").native();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~PipelineCacheFiles() override { fs::remove_all(folder_); }

  std::vector<fs::path> files() const {
    std::vector<fs::path> result;
    for (const auto& file : fs::directory_iterator(folder_)) result.push_back(file.path());
    return result;
  }

  fs::path folder_;
};

TEST_F(PipelineCacheFiles, AnotherCacheOfTheFolderFindsWhatWasStored) {
  PipelineCache writer(folder_, "library 1");
  const std::string value("\0binary\xff", 8);
  writer.store(as_key("key"), as_key(value));
  writer.store(as_key(""), as_key("of the empty key"));
  PipelineCache reader(folder_, "library 1");
  EXPECT_EQ(find_entry(reader, "key"), value);
  EXPECT_EQ(find_entry(reader, ""), "of the empty key");
  EXPECT_EQ(find_entry(reader, "other"), "");
  EXPECT_EQ(reader.statistics().hits, 2u);
  EXPECT_EQ(reader.statistics().misses, 1u);
  EXPECT_EQ(writer.statistics().stores, 2u);
}

TEST_F(PipelineCacheFiles, EntriesOfAnotherLibraryAreMisses) {
  PipelineCache(folder_, "library 1").store(as_key("key"), as_key("value"));
  PipelineCache other(folder_, "library 2");
  EXPECT_EQ(find_entry(other, "key"), "");
  // Neither can isolation and key be mixed up.
  PipelineCache split(folder_, "library 1k");
  EXPECT_EQ(find_entry(split, "ey"), "");
}

TEST_F(PipelineCacheFiles, ALaterValueReplacesTheFirst) {
  PipelineCache cache(folder_, "library");
  cache.store(as_key("key"), as_key("first"));
  cache.store(as_key("key"), as_key("second"));
  EXPECT_EQ(find_entry(cache, "key"), "second");
  EXPECT_EQ(files().size(), 1u);
}

TEST_F(PipelineCacheFiles, DamagedAndForeignFilesAreMisses) {
  PipelineCache cache(folder_, "library");
  const std::string value(300, 'v');
  cache.store(as_key("key"), as_key(value));
  const fs::path file = files().at(0);
  const std::string whole = read_file(file, 4096);
  for (std::size_t size = 0; size < whole.size(); size += 23) {
    overwrite(file, whole.substr(0, size));
    EXPECT_EQ(find_entry(cache, "key"), "") << "cut to " << size;
  }
  for (std::size_t at = 0; at < whole.size(); at += 5) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    overwrite(file, flipped);
    EXPECT_EQ(find_entry(cache, "key"), "") << "byte " << at;
  }
  write_file(file, whole + "x");
  EXPECT_EQ(find_entry(cache, "key"), "");
  write_file(file, std::string(1000, '\xff'));  // sizes that overflow
  EXPECT_EQ(find_entry(cache, "key"), "");
  fs::remove(file);
  fs::create_directory(file);
  EXPECT_EQ(find_entry(cache, "key"), "");
  fs::remove(file);
  write_file(file, whole);
  EXPECT_EQ(find_entry(cache, "key"), value);
}

TEST_F(PipelineCacheFiles, AnEntryAskedForStaysUntilItIsTaken) {
  PipelineCache cache(folder_, "library");
  cache.store(as_key("key"), as_key("value"));
  ASSERT_EQ(cache.load(as_key("key"), {}), 5u);
  ASSERT_EQ(cache.load(as_key("key"), {}), 5u);
  for (const fs::path& file : files()) fs::remove(file);
  std::string value(5, '?');
  EXPECT_EQ(cache.load(as_key("key"), std::as_writable_bytes(std::span(value))), 5u);
  EXPECT_EQ(value, "value");
  std::string wrong(4, '?');
  EXPECT_EQ(cache.load(as_key("key"), std::as_writable_bytes(std::span(wrong))), 0u);
  EXPECT_EQ(cache.load(as_key("key"), std::as_writable_bytes(std::span(value))), 0u);
}

TEST_F(PipelineCacheFiles, TheOldestGoAboveTheBudget) {
  const std::string value(1000, 'v');
  constexpr std::uint64_t kBudget = 16 * 1024;
  PipelineCache cache(folder_, "library", kBudget);
  write_file(folder_ / "a user's file", std::string(100'000, 'x'));
  const auto begin = fs::file_time_type::clock::now() - std::chrono::hours(1);
  for (int i = 0; i < 12; ++i) {
    cache.store(as_key("key " + std::to_string(i)), as_key(value));
    for (const fs::path& file : files()) {
      if (fs::last_write_time(file) > begin + std::chrono::minutes(30)) {
        fs::last_write_time(file, begin + std::chrono::minutes(i));
      }
    }
  }
  ASSERT_EQ(find_entry(cache, "key 0"), value);  // used just now
  for (int i = 12; i < 20; ++i) cache.store(as_key("key " + std::to_string(i)), as_key(value));
  std::uint64_t bytes = 0;
  for (const fs::path& file : files()) {
    if (file.extension() == ".pipeline") bytes += fs::file_size(file);
  }
  EXPECT_LE(bytes, kBudget);
  EXPECT_GE(bytes, kBudget / 2);
  EXPECT_EQ(find_entry(cache, "key 0"), value);
  EXPECT_EQ(find_entry(cache, "key 1"), "");
  EXPECT_EQ(find_entry(cache, "key 19"), value);
  EXPECT_TRUE(fs::exists(folder_ / "a user's file"));
  cache.store(as_key("larger than all"), as_key(std::string(kBudget, 'v')));
  EXPECT_EQ(find_entry(cache, "larger than all"), "");
  EXPECT_EQ(find_entry(cache, "key 19"), value);
}

TEST_F(PipelineCacheFiles, ThreadsAndProcessesShareAFolder) {
  constexpr std::uint64_t kBudget = 64 * 1024;
  PipelineCache caches[] = {{folder_, "library", kBudget}, {folder_, "library", kBudget}};
  const auto value_of = [](int key) {
    return std::string(static_cast<std::size_t>(500 + key), static_cast<char>('a' + key % 26));
  };
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      PipelineCache& cache = caches[t % 2];
      for (int i = 0; i < 200; ++i) {
        const int key = (i * 7 + t) % 120;
        const std::string name = std::to_string(key);
        const std::string found = find_entry(cache, name);
        if (!found.empty() && found != value_of(key)) ++wrong;
        cache.store(as_key(name), as_key(value_of(key)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(caches[0].statistics().hits, 0u);
  EXPECT_EQ(caches[0].statistics().stores + caches[1].statistics().stores, 800u);
}

TEST_F(PipelineCacheFiles, WhatCannotBeWrittenIsNotKept) {
  write_file(folder_ / "file", "x");
  PipelineCache below_a_file(folder_ / "file" / "pipelines", "library");
  below_a_file.store(as_key("key"), as_key("value"));
  EXPECT_EQ(find_entry(below_a_file, "key"), "");
  EXPECT_EQ(below_a_file.statistics().stores, 0u);

  // A full disk: no file may become longer than this.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{64, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  PipelineCache full(folder_, "library");
  full.store(as_key("key"), as_key(std::string(1000, 'v')));
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(find_entry(full, "key"), "");
  EXPECT_EQ(files().size(), 1u) << "nothing half written is left";
}

TEST_F(PipelineCacheFiles, AFolderThatMayNotBeWrittenIsStillRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "the superuser may write anywhere";
  PipelineCache(folder_, "library").store(as_key("key"), as_key("value"));
  ::chmod(folder_.c_str(), 0500);
  PipelineCache cache(folder_, "library");
  cache.store(as_key("more"), as_key("value"));
  EXPECT_EQ(find_entry(cache, "key"), "value");
  EXPECT_EQ(find_entry(cache, "more"), "");
  ::chmod(folder_.c_str(), 0700);
}

TEST_F(PipelineCacheFiles, FoldersThatOthersMayWriteAreNotUsed) {
  PipelineCache(folder_, "library").store(as_key("key"), as_key("value"));
  ::chmod(folder_.c_str(), 0777);
  PipelineCache cache(folder_, "library");
  EXPECT_EQ(find_entry(cache, "key"), "");
  cache.store(as_key("more"), as_key("value"));
  EXPECT_EQ(files().size(), 1u);
}

TEST_F(PipelineCacheFiles, FoldersAreMadeForTheirOwnerAlone) {
  PipelineCache cache(folder_ / "a" / "pipelines", "library");
  EXPECT_FALSE(fs::exists(folder_ / "a"));
  cache.store(as_key("key"), as_key("value"));
  EXPECT_EQ(fs::status(folder_ / "a" / "pipelines").permissions(), fs::perms::owner_all);
  EXPECT_EQ(find_entry(cache, "key"), "value");
}

TEST_F(PipelineCacheFiles, TheFolderIsAChoice) {
  EXPECT_EQ(open_pipeline_cache("off", "library"), nullptr);
  EXPECT_EQ(open_pipeline_cache(folder_.native(), "library")->folder(), folder_);
  EXPECT_EQ(code_of([] { open_pipeline_cache("relative", "library"); }), "invalid_argument");
}

class GpuPipelineCache : public GpuTest {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    if (IsSkipped()) return;
    std::string pattern = (fs::temp_directory_path() / "alknet_pipelines_XXXXXX").native();
    folder_ = ::mkdtemp(pattern.data());
    if (!provider_is("dawn")) GTEST_SKIP() << "this provider lets nobody keep its pipelines";
  }
  void TearDown() override { fs::remove_all(folder_); }

  Instance open() const { return Instance({.pipeline_cache = folder_.native()}); }

  // Compiles and runs a kernel on a new device.
  static void expect_tripled(const Instance& instance) {
    const Device device = instance.acquire("gpu:0");
    KernelSource source = scale_kernel();
    source.constants = {{"factor", 3}};
    const std::vector<std::uint32_t> values = {5, 7};
    const Buffer input = device.create_buffer(std::as_bytes(std::span(values)));
    const Buffer output = device.create_buffer(8);
    device.dispatch(device.compile_shader(source), std::vector<Binding>{{&input}, {&output}}, {});
    std::vector<std::uint32_t> result(2);
    device.readback(output, 0, std::as_writable_bytes(std::span(result)));
    EXPECT_THAT(result, testing::ElementsAre(15, 21));
  }

  fs::path folder_;
};

TEST_F(GpuPipelineCache, ASecondDeviceLoadsWhatTheFirstCompiled) {
  const Instance first = open();
  expect_tripled(first);
  const auto cold = first.pipeline_cache()->statistics();
  EXPECT_GT(cold.stores, 0u);
  expect_tripled(first);
  const auto warm = first.pipeline_cache()->statistics();
  EXPECT_GT(warm.hits, cold.hits);
  EXPECT_EQ(warm.misses, cold.misses);
  const Instance second = open();
  expect_tripled(second);
  EXPECT_GT(second.pipeline_cache()->statistics().hits, 0u);
  EXPECT_EQ(second.pipeline_cache()->statistics().misses, 0u);
}

TEST_F(GpuPipelineCache, DamagedFilesAreCompiledAgain) {
  expect_tripled(open());
  std::size_t damaged = 0;
  for (const auto& file : fs::directory_iterator(folder_)) {
    fs::resize_file(file.path(), fs::file_size(file.path()) - 1);
    ++damaged;
  }
  EXPECT_GT(damaged, 0u);
  const Instance again = open();
  expect_tripled(again);
  EXPECT_EQ(again.pipeline_cache()->statistics().hits, 0u);
  const Instance repaired = open();
  expect_tripled(repaired);
  EXPECT_GT(repaired.pipeline_cache()->statistics().hits, 0u);
}

TEST_F(GpuPipelineCache, DevicesWorkWithoutOne) {
  const Instance none({.pipeline_cache = "off"});
  EXPECT_EQ(none.pipeline_cache(), nullptr);
  expect_tripled(none);
  write_file(folder_ / "file", "x");
  const Instance unwritable({.pipeline_cache = (folder_ / "file" / "x").native()});
  expect_tripled(unwritable);
  EXPECT_EQ(unwritable.pipeline_cache()->statistics().stores, 0u);
}

}  // namespace
}  // namespace alknet::gpu
