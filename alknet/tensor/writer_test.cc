#include "alknet/tensor/writer.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <numeric>
#include <random>
#include <thread>

#include "alknet/base/bytes.h"
#include "alknet/base/hash.h"
#include "alknet/schema/schema.h"
#include "alknet/tensor/test_support.h"
#include "alknet/tensor/verify.h"

namespace alknet::tensor {
namespace {

using schema::FileDtype;

class MetatensorWriter : public testing::Test {
 protected:
  std::string path(std::string_view name = "a.mt") const { return folder_.path(name); }
  std::vector<std::string> names_in_order(const std::string& file) {
    std::vector<std::string> names;
    const File opened = File::open(file);
    for (const Entry& entry : opened.entries()) names.emplace_back(entry.name);
    return names;
  }
  TestFolder folder_;
};

std::string header_of(const std::string& path) {
  const std::string whole = load_file(path);
  return whole.substr(8, load_le<std::uint64_t>(reinterpret_cast<const std::byte*>(whole.data())));
}

TEST_F(MetatensorWriter, WritesWhatFileReads) {
  Writer writer(path(), {.metadata = {{"author", "someone"}}});
  const auto w = writer.declare({.name = "w", .dtype = FileDtype::kF32, .shape = {3}});
  writer.start();
  const std::array<float, 3> numbers = {1, 2, 3};
  writer.write(w, std::span(numbers));
  writer.close();
  const File file = File::open(path());
  EXPECT_TRUE(file.is_metatensor());
  EXPECT_THAT(file.tensor("w").as<float>(), testing::ElementsAreArray(numbers));
  EXPECT_EQ(file.metadata("format"), "pt");
  EXPECT_EQ(file.metadata("metatensor"), "1");
  EXPECT_EQ(file.metadata("author"), "someone");
  EXPECT_TRUE(verify(file).empty());
}

TEST_F(MetatensorWriter, PlacesByAlignmentThenName) {
  Writer writer(path());
  for (const auto& [name, dtype] : std::initializer_list<std::pair<const char*, FileDtype>>{{"u8", FileDtype::kU8},
                                                                                            {"f64", FileDtype::kF64},
                                                                                            {"b16", FileDtype::kF16},
                                                                                            {"a16", FileDtype::kBF16},
                                                                                            {"f4", FileDtype::kF4}}) {
    writer.declare({.name = name, .dtype = dtype, .shape = {2}, .sparse = true});
  }
  writer.start();
  writer.close();
  EXPECT_THAT(names_in_order(path()), testing::ElementsAre("f64", "a16", "b16", "f4", "u8"));
}

TEST_F(MetatensorWriter, KeepsAGivenOrderAndPadsUnalignedEntries) {
  Writer writer(path(), {.order = {"byte", "wide"}});
  writer.declare({.name = "wide", .dtype = FileDtype::kF64, .shape = {1}, .sparse = true});
  writer.declare({.name = "byte", .dtype = FileDtype::kU8, .shape = {3}, .sparse = true});
  writer.declare({.name = "other", .dtype = FileDtype::kF32, .shape = {1}, .sparse = true});
  writer.start();
  writer.close();
  EXPECT_THAT(names_in_order(path()), testing::ElementsAre("byte", "__pad__.0", "wide", "other"));
  const File file = File::open(path());
  EXPECT_EQ(file.entry("__pad__.0").bytes(), 5u);
  EXPECT_EQ(file.entry("wide").begin % 8, 0u);
  EXPECT_TRUE(verify(file).empty());
}

TEST_F(MetatensorWriter, AlignsTheRegionTo64OrTheLargestAlign) {
  for (const std::uint64_t align : {std::uint64_t{1}, std::uint64_t{256}, std::uint64_t{4096}}) {
    Writer writer(path());
    writer.declare({.name = "w", .dtype = FileDtype::kF32, .shape = {1}, .align = align, .sparse = true});
    writer.start();
    writer.close();
    EXPECT_EQ(File::open(path()).data_offset() % std::max<std::uint64_t>(align, 64), 0u);
    EXPECT_EQ(File::open(path()).entry("w").begin % align, 0u);
  }
}

TEST_F(MetatensorWriter, ListsEntriesInDataOrder) {
  Writer writer(path());
  for (const char* name : {"z", "y", "x"}) writer.declare({.name = name, .dtype = FileDtype::kF32, .shape = {0}});
  writer.declare({.name = "a", .dtype = FileDtype::kU8, .shape = {1}, .sparse = true});
  writer.start();
  writer.close();
  const std::string header = header_of(path());
  EXPECT_LT(header.find("\"x\""), header.find("\"y\""));
  EXPECT_LT(header.find("\"y\""), header.find("\"z\""));
  EXPECT_LT(header.find("\"z\""), header.find("\"a\""));
}

TEST_F(MetatensorWriter, GrowingEntriesFollowTheFixedOnes) {
  Writer writer(path(), {.checksums = true});
  const auto rows = writer.declare_growing({.name = "rows", .dtype = FileDtype::kF64, .shape = {2}});
  const auto bytes = writer.declare_growing({.name = "bytes", .dtype = FileDtype::kU8});
  const auto fixed = writer.declare({.name = "fixed", .dtype = FileDtype::kU8, .shape = {3}});
  writer.start();
  std::vector<double> expected;
  for (int i = 0; i < 20'000; ++i) {
    const std::array<double, 2> row = {i * 1.0, i * 2.0};
    expected.insert(expected.end(), row.begin(), row.end());
    writer.append(rows, bytes_of(row));
    writer.append(bytes, bytes_of(std::string_view("x")));
  }
  writer.write(fixed, 0, bytes_of(std::string_view("abc")));
  writer.close();
  EXPECT_THAT(names_in_order(path()), testing::ElementsAre("fixed", "__pad__.0", "rows", "bytes"));
  const File file = File::open(path());
  EXPECT_THAT(file.tensor("rows").shape(), testing::ElementsAre(20'000, 2));
  EXPECT_TRUE(std::ranges::equal(file.tensor("rows").as<double>(), expected));
  EXPECT_THAT(file.tensor("bytes").shape(), testing::ElementsAre(20'000));
  EXPECT_TRUE(verify(file).empty());
}

TEST_F(MetatensorWriter, GrowingEntriesMayStayEmpty) {
  Writer writer(path());
  writer.declare_growing({.name = "none", .dtype = FileDtype::kF32, .shape = {4}});
  writer.start();
  writer.close();
  EXPECT_THAT(File::open(path()).tensor("none").shape(), testing::ElementsAre(0, 4));
}

TEST_F(MetatensorWriter, RefusesAGrowingEntryThatEndsInsideARow) {
  Writer writer(path());
  const auto rows = writer.declare_growing({.name = "rows", .dtype = FileDtype::kF32, .shape = {2}});
  writer.start();
  writer.append(rows, bytes_of(std::string_view("123456789")));
  EXPECT_EQ(code_of([&] { writer.close(); }), "size_mismatch");
}

TEST_F(MetatensorWriter, TakesWritesInAnyOrderFromSeveralThreads) {
  constexpr std::size_t kTensors = 8, kPieces = 16, kPiece = 4096;
  std::vector<std::vector<std::uint32_t>> contents;
  Writer writer(path(), {.checksums = true});
  std::vector<Writer::Id> ids;
  for (std::uint32_t t = 0; t < kTensors; ++t) {
    std::mt19937 random(t);
    contents.emplace_back(kPieces * kPiece);
    for (auto& number : contents.back()) number = static_cast<std::uint32_t>(random());
    ids.push_back(
        writer.declare({.name = fmt::format("t{}", t), .dtype = FileDtype::kU32, .shape = {kPieces * kPiece}}));
  }
  const auto log = writer.declare_growing({.name = "log", .dtype = FileDtype::kU32});
  writer.start();
  {
    std::vector<std::jthread> threads;
    for (std::size_t thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        for (std::size_t job = kTensors * kPieces; job-- > 0;) {
          if (job % 4 != thread) continue;
          const std::size_t tensor = job % kTensors, piece = job / kTensors;
          writer.write(ids[tensor], piece * kPiece * 4,
                       bytes_of(std::span(contents[tensor]).subspan(piece * kPiece, kPiece)));
          const auto number = static_cast<std::uint32_t>(job);
          writer.append(log, std::as_bytes(std::span(&number, 1)));
        }
      });
    }
  }
  writer.close();
  const File file = File::open(path());
  for (std::size_t t = 0; t < kTensors; ++t) {
    EXPECT_TRUE(std::ranges::equal(file.tensor(fmt::format("t{}", t)).as<std::uint32_t>(), contents[t]));
  }
  std::vector<std::uint32_t> jobs(kTensors * kPieces);
  file.tensor("log").copy_to(std::span(jobs));
  std::ranges::sort(jobs);
  for (std::uint32_t job = 0; job < jobs.size(); ++job) EXPECT_EQ(jobs[job], job);
  EXPECT_TRUE(verify(file).empty());
}

TEST_F(MetatensorWriter, ChecksumsAreXxh3OfEachEntry) {
  Writer writer(path(), {.checksums = true});
  const auto id = writer.declare({.name = "abc", .dtype = FileDtype::kU8, .shape = {3}});
  writer.start();
  writer.write(id, 0, bytes_of(std::string_view("abc")));
  writer.close();
  // `printf abc | xxhsum -H2`
  EXPECT_EQ(File::open(path()).metadata("metatensor.checksum"), R"({"abc":"06b05ab6733a618578af5f94892f3950"})");
}

TEST_F(MetatensorWriter, LeavesOutASchemaThatWouldBeInferred) {
  const std::string inferred =
      R"({"TypeDef:Struct":{"order":["a"]},"properties":{"a":{"TypeDef:Tensor":{"dtype":"F32","shape":[1]}}},"required":["a"]})";
  TestFolder other;
  save(other.path("plain"), file_bytes(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "1234"));
  const schema::Schema same = File::open(other.path("plain")).schema();
  const schema::Schema wider = schema::Schema::parse(
      R"({"TypeDef:Struct":{"order":["a"]},"properties":{"a":{"TypeDef:Tensor":{"dtype":"F32","shape":[-1]}}},"required":["a"]})");
  for (const auto& [schema, stored] : {std::pair(same, false), std::pair(wider, true)}) {
    Writer writer(path(), {.schema = schema});
    writer.declare({.name = "a", .dtype = FileDtype::kF32, .shape = {1}, .sparse = true});
    writer.start();
    writer.close();
    EXPECT_EQ(File::open(path()).has_schema(), stored);
  }
}

TEST_F(MetatensorWriter, PlainSafetensorsHaveNoMetadataOfOurs) {
  Writer writer(path(), {.metadata = {{"k", "v"}}, .plain_safetensors = true, .order = {"b", "f"}});
  writer.declare({.name = "f", .dtype = FileDtype::kF32, .shape = {1}, .sparse = true});
  writer.declare({.name = "b", .dtype = FileDtype::kU8, .shape = {1}, .sparse = true});
  writer.start();
  writer.close();
  const File file = File::open(path());
  EXPECT_THAT(file.metadata(), testing::ElementsAre(testing::Pair("k", "v")));
  EXPECT_THAT(names_in_order(path()), testing::ElementsAre("b", "f"));
}

TEST_F(MetatensorWriter, RefusesWhatReadersWouldRefuse) {
  Writer writer(path());
  const auto declare = [&](EntrySpec spec) { return code_of([&] { writer.declare(spec); }); };
  EXPECT_EQ(declare({.name = "", .dtype = FileDtype::kU8}), "bad_name");
  EXPECT_EQ(declare({.name = std::string(1025, 'x'), .dtype = FileDtype::kU8}), "bad_name");
  EXPECT_EQ(declare({.name = std::string("a\0b", 3), .dtype = FileDtype::kU8}), "bad_name");
  EXPECT_EQ(declare({.name = "\xff", .dtype = FileDtype::kU8}), "bad_name");
  EXPECT_EQ(declare({.name = "__metadata__", .dtype = FileDtype::kU8}), "bad_name");
  EXPECT_EQ(declare({.name = "__pad__.0", .dtype = FileDtype::kU8}), "bad_name");
  EXPECT_EQ(declare({.name = "a", .dtype = FileDtype::kU8, .shape = std::vector<std::int64_t>(33, 1)}),
            "rank_too_large");
  EXPECT_EQ(declare({.name = "a", .dtype = FileDtype::kU8, .shape = {-1}}), "invalid_argument");
  EXPECT_EQ(declare({.name = "a", .dtype = FileDtype::kU8, .shape = {1LL << 40, 1LL << 40}}), "size_overflow");
  EXPECT_EQ(declare({.name = "a", .dtype = FileDtype::kF4, .shape = {3}}), "partial_byte");
  EXPECT_EQ(declare({.name = "a", .dtype = FileDtype::kU8, .align = 3}), "invalid_argument");
  EXPECT_EQ(declare({.name = "a", .dtype = FileDtype::kU8, .shape = {1}}), "no error");
  EXPECT_EQ(declare({.name = "a", .dtype = FileDtype::kU8, .shape = {1}}), "already_declared");
}

TEST_F(MetatensorWriter, RefusesCallsAtTheWrongTime) {
  Writer writer(path());
  const auto id = writer.declare({.name = "a", .dtype = FileDtype::kU8, .shape = {1}});
  const auto grows = writer.declare_growing({.name = "g", .dtype = FileDtype::kU8});
  const auto byte = bytes_of(std::string_view("x"));
  EXPECT_EQ(code_of([&] { writer.write(id, 0, byte); }), "writer_state");
  EXPECT_EQ(code_of([&] { writer.close(); }), "writer_state");
  writer.start();
  EXPECT_EQ(code_of([&] { writer.start(); }), "writer_state");
  EXPECT_EQ(code_of([&] { writer.declare({.name = "b", .dtype = FileDtype::kU8}); }), "writer_state");
  EXPECT_EQ(code_of([&] { writer.write(grows, 0, byte); }), "writer_state");
  EXPECT_EQ(code_of([&] { writer.append(id, byte); }), "writer_state");
  EXPECT_EQ(code_of([&] { writer.write(id, 1, byte); }), "index_out_of_range");
  EXPECT_EQ(code_of([&] { writer.write(id, UINT64_MAX, byte); }), "index_out_of_range");
  writer.write(id, 0, byte);
  writer.close();
  EXPECT_EQ(code_of([&] { writer.write(id, 0, byte); }), "writer_state");
  EXPECT_EQ(code_of([&] { writer.close(); }), "writer_state");
}

TEST_F(MetatensorWriter, RefusesMetadataOfItsOwn) {
  const auto make = [&](WriterOptions options) { return code_of([&] { Writer(path(), std::move(options)); }); };
  EXPECT_EQ(make({.metadata = {{"metatensor", "1"}}}), "invalid_argument");
  EXPECT_EQ(make({.metadata = {{"metatensor.schema", "{}"}}}), "invalid_argument");
  EXPECT_EQ(make({.metadata = {{"k", "\xff"}}}), "invalid_argument");
  EXPECT_EQ(make({.metadata = {{"k", "1"}, {"k", "2"}}}), "duplicate_key");
  EXPECT_EQ(make({.plain_safetensors = true, .checksums = true}), "invalid_argument");
  EXPECT_TRUE(folder_.names().empty());
}

TEST_F(MetatensorWriter, ChecksEntriesAgainstTheSchemaBeforeAnythingIsWritten) {
  const auto schema = schema::Schema::parse(
      R"({"TypeDef:Struct":{"order":["a"]},"properties":{"a":{"TypeDef:Tensor":{"dtype":"F32","shape":[2]}}},"required":["a"]})");
  const auto start = [&](std::vector<EntrySpec> specs) {
    Writer writer(path(), {.schema = schema});
    for (auto& spec : specs) writer.declare(spec);
    return code_of([&] { writer.start(); });
  };
  EXPECT_EQ(start({}), "entry_missing");
  EXPECT_EQ(start({{.name = "a", .dtype = FileDtype::kI32, .shape = {2}}}), "entry_mismatch");
  EXPECT_EQ(start({{.name = "a", .dtype = FileDtype::kF32, .shape = {2}}, {.name = "b", .dtype = FileDtype::kU8}}),
            "entry_extra");
  Writer writer(path(), {.schema = schema});
  const auto grows = writer.declare_growing({.name = "a", .dtype = FileDtype::kF32});
  writer.start();
  writer.append(grows, bytes_of(std::string_view("1234")));
  EXPECT_EQ(code_of([&] { writer.close(); }), "entry_mismatch");
  EXPECT_TRUE(folder_.names().empty());
}

}  // namespace
}  // namespace alknet::tensor
