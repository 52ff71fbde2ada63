#include "alknet/tensor/file.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cstring>
#include <thread>

#include "alknet/schema/schema.h"
#include "alknet/tensor/test_support.h"
#include "alknet/tensor/verify.h"
#include "alknet/tensor/view.h"
#include "alknet/tensor/writer.h"

namespace alknet::tensor {
namespace {

using schema::FileDtype;

constexpr std::array<float, 6> kNumbers = {0.5f, -1.0f, 2.0f, 3.25f, -0.0f, 1e30f};

// "w": F32 [2, 3] and "b": U8 [3], aligned as a Writer places them.
std::string write_sample(const TestFolder& folder) {
  const std::string path = folder.path("sample.mt");
  Writer writer(path);
  const auto w = writer.declare({.name = "w", .dtype = FileDtype::kF32, .shape = {2, 3}});
  const auto b = writer.declare({.name = "b", .dtype = FileDtype::kU8, .shape = {3}});
  writer.start();
  writer.write(w, std::span(kNumbers));
  writer.write(b, 0, bytes_of(std::string_view("abc")));
  writer.close();
  return path;
}

class MetatensorFile : public testing::TestWithParam<Access> {
 protected:
  File open(const std::string& path) { return File::open(path, {.access = GetParam()}); }
  TestFolder folder_;
};
INSTANTIATE_TEST_SUITE_P(Access, MetatensorFile, testing::Values(Access::kMap, Access::kRead),
                         [](const auto& test) { return test.param == Access::kMap ? "Map" : "Read"; });

TEST_P(MetatensorFile, GivesViewsWithShapeTypeAndElements) {
  const File file = open(write_sample(folder_));
  const TensorView view = file.tensor("w");
  EXPECT_EQ(view.name(), "w");
  EXPECT_EQ(view.dtype(), FileDtype::kF32);
  EXPECT_THAT(view.shape(), testing::ElementsAre(2, 3));
  EXPECT_EQ(view.count(), 6u);
  EXPECT_EQ(view.byte_size(), 24u);
  EXPECT_THAT(view.as<float>(), testing::ElementsAreArray(kNumbers));
  EXPECT_EQ(std::memcmp(view.bytes().data(), kNumbers.data(), 24), 0);
}

TEST_P(MetatensorFile, RefusesAnotherElementType) {
  const TensorView view = open(write_sample(folder_)).tensor("w");
  const Error error = error_of([&] { view.as<double>(); });
  EXPECT_EQ(error.code_name(), "dtype_mismatch");
  EXPECT_THAT(error.message(), testing::AllOf(testing::HasSubstr("F32"), testing::HasSubstr("double")));
  EXPECT_EQ(code_of([&] { view.as<std::uint32_t>(); }), "dtype_mismatch");
  EXPECT_NO_THROW(view.as<std::byte>());
}

TEST_P(MetatensorFile, CopiesElements) {
  const TensorView view = open(write_sample(folder_)).tensor("w");
  std::array<float, 6> copy{};
  view.copy_to(std::span(copy));
  EXPECT_EQ(copy, kNumbers);
  std::array<float, 5> short_copy{};
  EXPECT_EQ(code_of([&] { view.copy_to(std::span(short_copy)); }), "invalid_argument");
  std::array<std::int32_t, 6> other{};
  EXPECT_EQ(code_of([&] { view.copy_to(std::span(other)); }), "dtype_mismatch");
}

TEST_P(MetatensorFile, ViewsAndBytesOutliveTheFile) {
  std::optional<TensorView> view;
  SharedBytes bytes;
  {
    const File file = open(write_sample(folder_));
    view = file.tensor("w");
    bytes = file.tensor("b").bytes();
  }
  EXPECT_EQ(view->as<float>()[3], 3.25f);
  EXPECT_EQ(bytes.text(), "abc");
}

TEST_P(MetatensorFile, ViewsServeSeveralThreads) {
  const File file = open(write_sample(folder_));
  const TensorView view = file.tensor("w");
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { EXPECT_EQ(view.as<float>()[1] + file.tensor("w").as<float>()[2], 1.0f); });
  }
}

TEST_P(MetatensorFile, MissingEntryNamesTheNearestOnes) {
  const std::string header = R"({"layer.0.weight":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
                             R"("layer.0.bias":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
                             R"("zzz":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})";
  save(folder_.path("a"), file_bytes(header));
  const File file = open(folder_.path("a"));
  const Error error = error_of([&] { file.tensor("layer.0.wieght"); });
  EXPECT_EQ(error.code_name(), "entry_missing");
  EXPECT_THAT(error.message(),
              testing::AllOf(testing::HasSubstr("\"layer.0.weight\""), testing::Not(testing::HasSubstr("zzz"))));
}

TEST_P(MetatensorFile, EmptyTensorsAndScalarsAndNoEntries) {
  save(folder_.path("a"), file_bytes(R"({"e":{"dtype":"F64","shape":[0,3],"data_offsets":[0,0]},)"
                                     R"("s":{"dtype":"U8","shape":[],"data_offsets":[0,1]}})",
                                     "\x07"));
  const File file = open(folder_.path("a"));
  EXPECT_EQ(file.tensor("e").count(), 0u);
  EXPECT_TRUE(file.tensor("e").bytes().empty());
  EXPECT_EQ(file.tensor("s").count(), 1u);
  EXPECT_EQ(file.tensor("s").as<std::uint8_t>()[0], 7);
  save(folder_.path("none"), file_bytes("{}"));
  EXPECT_TRUE(open(folder_.path("none")).entries().empty());
  EXPECT_EQ(open(folder_.path("none")).find("x"), nullptr);
  EXPECT_EQ(code_of([&] { open(folder_.path("none")).tensor("x"); }), "entry_missing");
}

TEST_P(MetatensorFile, RefusesWhatIsNoRegularFile) {
  EXPECT_EQ(code_of([&] { open(folder_.path("missing")); }), "io_error");
  EXPECT_EQ(code_of([&] { open(folder_.path()); }), "io_error");
  EXPECT_EQ(code_of([&] { open("/dev/null"); }), "io_error");
  ASSERT_EQ(mkfifo(folder_.path("fifo").c_str(), 0600), 0);
  EXPECT_EQ(code_of([&] { open(folder_.path("fifo")); }), "io_error");
  save(folder_.path("empty"), "");
  EXPECT_EQ(code_of([&] { open(folder_.path("empty")); }), "header_too_small");
}

TEST_P(MetatensorFile, ReadsRanges) {
  const std::string path = write_sample(folder_);
  const File file = open(path);
  std::array<std::byte, 3> bytes{};
  file.read(file.entry("b").begin, bytes);
  EXPECT_EQ(std::memcmp(bytes.data(), "abc", 3), 0);
  EXPECT_EQ(code_of([&] { file.read(file.size() - 2, bytes); }), "offset_out_of_range");
  EXPECT_EQ(code_of([&] { file.read(UINT64_MAX, bytes); }), "offset_out_of_range");
}

TEST_P(MetatensorFile, HintsChangeNothing) {
  const std::string path = write_sample(folder_);
  for (const Advice advice : {Advice::kSequential, Advice::kRandom, Advice::kHugePages, Advice::kPopulate}) {
    EXPECT_EQ(File::open(path, {.access = GetParam(), .advice = advice}).tensor("w").as<float>()[0], 0.5f);
  }
  const File file = File::open(path, {.access = GetParam(), .advice = Advice::kSequential});
  const std::array<std::string_view, 2> names = {"w", "b"};
  EXPECT_NO_THROW(file.prefetch(names));
  file.advise(file.entry("w"), Advice::kRandom);
  EXPECT_EQ(file.tensor("w").as<float>()[0], 0.5f);
  const std::array<std::string_view, 1> missing = {"q"};
  EXPECT_EQ(code_of([&] { file.prefetch(missing); }), "entry_missing");
}

TEST_P(MetatensorFile, InfersASchemaWhenThereIsNone) {
  const File file = open(write_sample(folder_));
  EXPECT_FALSE(file.has_schema());
  const auto& properties = file.schema().document().at("properties").as_object();
  EXPECT_EQ(properties.size(), 2u);
  EXPECT_EQ(properties.at("w").at("TypeDef:Tensor").at("dtype"), "F32");
  EXPECT_NO_THROW(file.check_schema());
}

TEST(MetatensorFileAccess, RefusesAMisalignedSpanButCopies) {
  TestFolder folder;
  std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  while (header.size() % 4 != 1) header += ' ';
  save(folder.path("a"), file_bytes(header, std::string_view("\0\0\x80\x3f", 4)));
  const File file = File::open(folder.path("a"));
  const Error error = error_of([&] { file.tensor("a").as<float>(); });
  EXPECT_EQ(error.code_name(), "misaligned");
  EXPECT_THAT(error.message(), testing::HasSubstr("copy_to"));
  std::array<float, 1> copy{};
  file.tensor("a").copy_to(std::span(copy));
  EXPECT_EQ(copy[0], 1.0f);
}

TEST(MetatensorFileAccess, ReadModeNoticesAFileThatShrank) {
  TestFolder folder;
  const std::string path = write_sample(folder);
  const File file = File::open(path, {.access = Access::kRead});
  std::filesystem::resize_file(path, 20);
  EXPECT_EQ(code_of([&] { file.tensor("w").bytes(); }), "io_error");
}

TEST(MetatensorFileAccess, MapsShareTheMappingWithoutCopies) {
  TestFolder folder;
  const File file = File::open(write_sample(folder));
  EXPECT_EQ(file.tensor("w").bytes().data(), file.tensor("w").data().data());
}

TEST(MetatensorFileAccess, TypedAccessChecksTheSchemaFirst) {
  const File file = File::open(ALKNET_SOURCE_DIR "/fuzz/seeds/header/schema_other_dtype");
  EXPECT_NO_THROW(file.tensor("a").bytes());
  EXPECT_EQ(code_of([&] { file.tensor("a").as<float>(); }), "entry_mismatch");
  EXPECT_EQ(code_of([&] { file.tensor("a").as<float>(); }), "entry_mismatch");
}

TEST(MetatensorFileAccess, BadSchemaTextFailsWhereItIsNeeded) {
  const File file = File::open(ALKNET_SOURCE_DIR "/fuzz/seeds/header/schema_not_json");
  const Error error = error_of([&] { file.schema(); });
  EXPECT_EQ(error.code_name(), "schema_invalid");
  EXPECT_THAT(error.message(), testing::HasSubstr("metatensor.schema"));
}

// One flipped bit anywhere: an error, or a file whose every view lies inside it.
TEST(MetatensorFileDamage, FlippedBitsNeverCrash) {
  for (const char* seed : {"blobs", "every_dtype", "records_text", "checksum", "pad_entry"}) {
    const std::string whole = load_file(std::string(ALKNET_SOURCE_DIR "/fuzz/seeds/header/") + seed);
    std::size_t opened = 0;
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
      std::string damaged = whole;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
      try {
        const File file = File::from_bytes(SharedBytes::copy(damaged));
        std::uint64_t end = file.data_offset();
        for (const Entry& entry : file.entries()) {
          EXPECT_EQ(entry.begin, end);
          end = entry.end;
          EXPECT_EQ(file.tensor(entry).data().size(), entry.bytes());
        }
        EXPECT_EQ(end, damaged.size());
        verify(file);
        ++opened;
      } catch (const Error&) {
      }
    }
    EXPECT_GT(opened, 0u) << seed;
  }
}

TEST(MetatensorFileDamage, TruncatedFilesAreRefused) {
  TestFolder folder;
  const std::string whole = load_file(write_sample(folder));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    save(folder.path("cut"), std::string_view(whole).substr(0, size));
    for (const Access access : {Access::kMap, Access::kRead}) {
      EXPECT_NE(code_of([&] { File::open(folder.path("cut"), {.access = access}); }), "no error") << size;
    }
  }
}

}  // namespace
}  // namespace alknet::tensor
