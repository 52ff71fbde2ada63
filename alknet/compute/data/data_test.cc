#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>

#include "alknet/base/error.h"
#include "alknet/base/testing.h"
#include "alknet/compute/data/data_loader.h"
#include "alknet/compute/data/digits.h"
#include "alknet/compute/device_cpu/cpu_backend.h"
#include "alknet/tensor/record_writer.h"

namespace alknet::compute {
namespace {

/// `count` digits: image n has the pixel n % 17 everywhere and the label n % 10.
std::string digits_csv(int count) {
  std::string csv;
  for (int n = 0; n < count; ++n) {
    for (int i = 0; i < 64; ++i) csv += std::to_string(n % 17) + ",";
    csv += std::to_string(n % 10) + "\n";
  }
  return csv;
}

class DataTest : public testing::Test {
 protected:
  DataTest() {
    folder = std::filesystem::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directories(folder);
  }
  ~DataTest() override { std::filesystem::remove_all(folder); }

  tensor::File digits(int count) {
    const std::string path = (folder / "digits.mt").string();
    write_digits(path, digits_csv(count));
    return tensor::File::open(path);
  }

  /// The labels of the batches from where the loader stands.
  static std::vector<std::int64_t> labels(DataLoader& loader) {
    std::vector<std::int64_t> all;
    while (const auto batch = loader.next()) {
      const auto part = batch->at(1).to_vector<std::int64_t>();
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }

  std::filesystem::path folder;
  Context context{std::make_shared<BufferManager>(), make_cpu_backend({1})};
};

TEST_F(DataTest, ReadsFieldsOfRecordsAsTensors) {
  const Dataset data = digits_dataset(digits(20));
  EXPECT_EQ(data.size(), 20u);
  EXPECT_EQ(data.shape(0), (Shape{8, 8}));
  EXPECT_EQ(data.shape(1), Shape{});
  std::vector<float> image(64);
  data.read(8, 0, std::as_writable_bytes(std::span(image)));
  EXPECT_EQ(image, std::vector<float>(64, 0.5f));
  std::int64_t label = 0;
  data.read(18, 1, std::as_writable_bytes(std::span(&label, 1)));
  EXPECT_EQ(label, 8);
}

TEST_F(DataTest, RefusesFieldsAndSamplesThatAreNotThere) {
  const tensor::File file = digits(3);
  const auto records = file.records(kDigitsEntry);
  EXPECT_EQ(code_of([&] { Dataset(records, {{"picture"}}); }), "not_found");
  EXPECT_EQ(code_of([&] { Dataset(records, {{"image", graph::Dtype::kBF16}}); }), "unsupported");
  const Dataset data = digits_dataset(file);
  std::int64_t label = 0;
  const auto out = std::as_writable_bytes(std::span(&label, 1));
  EXPECT_EQ(code_of([&] { data.read(3, 1, out); }), "index_out_of_range");
  EXPECT_EQ(code_of([&] { data.read(0, 1, out.first(4)); }), "shape_mismatch");
  EXPECT_EQ(code_of([&] { data.subset(std::array<std::size_t, 1>{7}); }), "index_out_of_range");
}

TEST_F(DataTest, NamesTheLineThatIsNoDigit) {
  const std::string path = (folder / "bad.mt").string();
  EXPECT_EQ(code_of([&] { write_digits(path, ""); }), "invalid_argument");
  for (const char* damage : {"17", "-1", "x", "1e3", "", "1,1", "0.5"}) {
    std::string csv = digits_csv(2);
    csv.replace(csv.find('\n') + 1, 1, damage);
    const Error error = error_of([&] { write_digits(path, csv); });
    EXPECT_NE(std::string(error.what()).find("line 2"), std::string::npos) << damage;
    EXPECT_FALSE(std::filesystem::exists(path));
  }
}

TEST_F(DataTest, SubsetsKeepTheirOrderAndNest) {
  const Dataset some = digits_dataset(digits(10)).subset(std::array<std::size_t, 3>{9, 2, 4});
  const Dataset fewer = some.subset(std::array<std::size_t, 2>{2, 0});
  std::int64_t label = 0;
  fewer.read(0, 1, std::as_writable_bytes(std::span(&label, 1)));
  EXPECT_EQ(label, 4);
  fewer.read(1, 1, std::as_writable_bytes(std::span(&label, 1)));
  EXPECT_EQ(label, 9);
}

TEST_F(DataTest, LoadsBatchesOfEverySampleOnce) {
  for (const std::size_t prefetch : {0, 1, 3}) {
    DataLoader loader(digits_dataset(digits(10)), context, {.batch_size = 4, .prefetch = prefetch});
    EXPECT_EQ(loader.batches(), 3u);
    EXPECT_FALSE(loader.next());
    loader.start(0);
    EXPECT_EQ(loader.next()->at(0).shape(), (Shape{4, 8, 8}));
    EXPECT_EQ(loader.next()->at(1).shape(), Shape{4});
    EXPECT_EQ(loader.next()->at(1).to_vector<std::int64_t>(), (std::vector<std::int64_t>{8, 9}));
    EXPECT_FALSE(loader.next());
    loader.start(1, 2);
    EXPECT_EQ(labels(loader), (std::vector<std::int64_t>{8, 9}));
    DataLoader whole(digits_dataset(digits(10)), context, {.batch_size = 4, .drop_last = true, .prefetch = prefetch});
    whole.start(0);
    EXPECT_EQ(labels(whole).size(), 8u);
  }
  EXPECT_EQ(code_of([&] { DataLoader(digits_dataset(digits(1)), context, {.batch_size = 0}); }), "invalid_argument");
}

TEST_F(DataTest, ShufflesBySeedAndEpochAlone) {
  const Dataset data = digits_dataset(digits(10));
  const auto order = [&](std::uint64_t seed, std::uint64_t epoch, std::size_t first, std::size_t prefetch) {
    DataLoader loader(data, context, {.batch_size = 3, .shuffle = true, .seed = seed, .prefetch = prefetch});
    loader.start(epoch, first);
    return labels(loader);
  };
  const auto once = order(5, 1, 0, 2);
  EXPECT_EQ(once, order(5, 1, 0, 0));
  EXPECT_EQ(std::set(once.begin(), once.end()).size(), 10u);
  EXPECT_NE(once, order(5, 2, 0, 2));
  EXPECT_NE(once, order(6, 1, 0, 2));
  EXPECT_EQ((std::vector(once.begin() + 6, once.end())), order(5, 1, 2, 2));
}

TEST_F(DataTest, AugmentsTheSameWhateverTheThreads) {
  const auto images = [&](std::size_t prefetch, std::uint64_t epoch) {
    DataLoaderOptions options{.batch_size = 4, .shuffle = true, .prefetch = prefetch};
    options.augment = [](SampleFields fields, RandomStream& random) {
      const auto noise = static_cast<float>(random.uniform());
      std::memcpy(fields[0].data(), &noise, sizeof noise);
    };
    DataLoader loader(digits_dataset(digits(10)), context, options);
    loader.start(epoch);
    std::vector<float> all;
    while (const auto batch = loader.next()) {
      const auto part = batch->at(0).to_vector<float>();
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  };
  EXPECT_EQ(images(0, 3), images(2, 3));
  EXPECT_NE(images(2, 3), images(2, 4));
}

TEST_F(DataTest, RethrowsWhatAnAugmentationThrew) {
  for (const std::size_t prefetch : {0, 2}) {
    DataLoaderOptions options{.batch_size = 2, .prefetch = prefetch};
    options.augment = [calls = 0](SampleFields, RandomStream&) mutable {
      if (++calls == 5) throw Error(BaseError::kInvalidArgument, "the fifth sample");
    };
    DataLoader loader(digits_dataset(digits(10)), context, options);
    loader.start(0);
    EXPECT_TRUE(loader.next());
    EXPECT_TRUE(loader.next());
    EXPECT_EQ(code_of([&] { loader.next(); }), "invalid_argument");
  }
}

TEST(RandomStream, StaysInsideItsRanges) {
  RandomStream stream(1);
  std::array<int, 5> seen{};
  for (int i = 0; i < 1000; ++i) {
    const double u = stream.uniform();
    EXPECT_TRUE(u >= 0 && u < 1);
    ++seen[stream.below(5)];
  }
  for (const int count : seen) EXPECT_GT(count, 120);
  EXPECT_EQ(stream.below(0), 0u);
  RandomStream other(1, 1), later(1, 0, 1);
  RandomStream again(1);
  const std::uint32_t first = again.word();
  EXPECT_NE(other.word(), first);
  EXPECT_NE(later.word(), first);
}

TEST(StratifiedSplit, HoldsOutEveryClassInProportion) {
  std::vector<std::int64_t> labels;
  for (int i = 0; i < 70; ++i) labels.push_back(3);
  for (int i = 0; i < 29; ++i) labels.push_back(-1);
  labels.push_back(8);
  const Split split = stratified_split(labels, 20, 0);
  std::map<std::int64_t, int> held_out;
  for (const std::size_t i : split.held_out) ++held_out[labels[i]];
  // 20 * (70, 29, 1) / 100 = 14, 5.8, 0.2
  EXPECT_EQ(held_out, (std::map<std::int64_t, int>{{3, 14}, {-1, 6}}));
  std::vector<std::size_t> all = split.train;
  all.insert(all.end(), split.held_out.begin(), split.held_out.end());
  std::sort(all.begin(), all.end());
  std::vector<std::size_t> expected(100);
  std::iota(expected.begin(), expected.end(), std::size_t{0});
  EXPECT_EQ(all, expected);
  EXPECT_EQ(split.held_out, stratified_split(labels, 20, 0).held_out);
  EXPECT_NE(split.held_out, stratified_split(labels, 20, 1).held_out);
  EXPECT_EQ(code_of([&] { stratified_split(labels, 101, 0); }), "invalid_argument");
  EXPECT_TRUE(stratified_split({}, 0, 0).train.empty());
}

}  // namespace
}  // namespace alknet::compute
