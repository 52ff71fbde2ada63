#include "alknet/stream/assembly.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "alknet/base/files.h"
#include "alknet/base/json.h"
#include "alknet/base/testing.h"
#include "alknet/stream/stream_test_support.h"
#include "alknet/tensor/test_folder.h"

namespace alknet::stream {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Intervals, JoinWhatTouches) {
  Intervals set;
  set.add({10, 20});
  set.add({30, 40});
  set.add({5, 5});
  EXPECT_THAT(set.parts(), ElementsAre(Interval{10, 20}, Interval{30, 40}));
  EXPECT_THAT(set.missing({0, 50}), ElementsAre(Interval{0, 10}, Interval{20, 30}, Interval{40, 50}));
  EXPECT_THAT(set.missing({12, 35}), ElementsAre(Interval{20, 30}));
  set.add({20, 30});
  EXPECT_THAT(set.parts(), ElementsAre(Interval{10, 40}));
  set.add({0, 100});
  EXPECT_TRUE(set.covers({0, 100}));
  EXPECT_FALSE(set.covers({0, 101}));
  EXPECT_TRUE(Intervals().covers({7, 7}));
}

TEST(Intervals, AgreeWithAListOfBits) {
  std::minstd_rand random(1);
  for (int round = 0; round < 200; ++round) {
    Intervals set;
    std::vector<bool> bits(64);
    for (int i = 0; i < 12; ++i) {
      const std::uint64_t begin = random() % 64, end = begin + random() % (65 - begin);
      set.add({begin, end});
      std::fill(bits.begin() + static_cast<std::ptrdiff_t>(begin), bits.begin() + static_cast<std::ptrdiff_t>(end),
                true);
    }
    std::vector<bool> seen(64);
    for (const Interval& part : set.parts()) {
      for (std::uint64_t k = part.begin; k < part.end; ++k) seen[k] = true;
    }
    for (const Interval& gap : set.missing({0, 64})) {
      for (std::uint64_t k = gap.begin; k < gap.end; ++k) EXPECT_FALSE(bits[k]);
    }
    EXPECT_EQ(seen, bits);
  }
}

class AssemblyTest : public ::testing::Test {
 protected:
  std::vector<std::byte> header() const {
    std::vector<std::byte> bytes(static_cast<std::size_t>(file.data_offset()));
    file.read(0, bytes);
    return bytes;
  }
  Assembly in_memory() const { return Assembly(memory_storage(header(), file.size(), "m")); }
  std::uint32_t index(std::string_view name) const {
    return static_cast<std::uint32_t>(file.index_of(file.entry(name)));
  }
  std::span<const std::byte> bytes(std::string_view name) const { return file.tensor(name).data(); }
  void place_all(Assembly& assembly) const {
    for (std::uint32_t i = 0; i < file.entries().size(); ++i) {
      assembly.place(i, 0, file.tensor(file.entries()[i]).data());
    }
  }

  tensor::TestFolder folder;
  tensor::File file = model_of({1000, 0, 77});
};

TEST_F(AssemblyTest, KnowsTheLayoutBeforeAnyBytes) {
  const Assembly assembly = in_memory();
  EXPECT_EQ(assembly.file().entries().size(), file.entries().size());
  EXPECT_EQ(assembly.file().entry("t0").bytes(), 4000U);
  EXPECT_FALSE(assembly.complete());
  EXPECT_TRUE(assembly.complete(index("t1"))) << "nothing is to come of an empty tensor";
  EXPECT_THAT(assembly.missing(index("t2")), ElementsAre(Interval{0, 308}));
}

TEST_F(AssemblyTest, PutsPiecesOfAnyOrderToTheSameBytes) {
  std::minstd_rand random(3);
  Assembly assembly = in_memory();
  const auto source = bytes("t0");
  std::vector<std::size_t> starts;
  for (std::size_t at = 0; at < source.size(); at += 100) starts.push_back(at);
  std::ranges::shuffle(starts, random);
  for (const std::size_t at : starts) {
    EXPECT_FALSE(assembly.complete(index("t0")));
    // Overlaps the next piece.
    assembly.place(index("t0"), at, source.subspan(at, std::min<std::size_t>(130, source.size() - at)));
  }
  EXPECT_TRUE(assembly.complete(index("t0")));
  place_all(assembly);
  EXPECT_TRUE(assembly.complete());
  EXPECT_EQ(assembly.placed(), assembly.total());
  EXPECT_EQ(all_bytes(assembly.file()), all_bytes(file));
}

TEST_F(AssemblyTest, NamesATensorWhoseBytesAreNotThoseThatWereSummed) {
  Assembly assembly = in_memory();
  std::vector<std::byte> wrong(bytes("t2").begin(), bytes("t2").end());
  wrong[100] ^= std::byte{4};
  const Error error = error_of([&] { assembly.place(index("t2"), 0, wrong); });
  EXPECT_EQ(error.code_name(), "checksum_mismatch");
  EXPECT_THAT(error.message(), HasSubstr("t2"));
  EXPECT_EQ(error.details().at("entry"), Json("t2"));
  EXPECT_THAT(assembly.missing(index("t2")), ElementsAre(Interval{0, 308})) << "it may come again";
  assembly.place(index("t2"), 0, bytes("t2"));
  EXPECT_TRUE(assembly.complete(index("t2")));
}

TEST_F(AssemblyTest, NeverChangesATensorThatIsWhole) {
  Assembly assembly = in_memory();
  assembly.place(index("t2"), 0, bytes("t2"));
  const std::vector<std::byte> zeros(308);
  assembly.place(index("t2"), 0, zeros);
  EXPECT_TRUE(std::ranges::equal(assembly.file().tensor("t2").data(), bytes("t2")));
}

TEST_F(AssemblyTest, RefusesBytesOutsideTheirTensor) {
  Assembly assembly = in_memory();
  const std::vector<std::byte> one(1), many(309);
  const auto refused = [&](std::uint32_t which, std::uint64_t offset, std::span<const std::byte> sent) {
    return code_of([&] { assembly.place(which, offset, sent); });
  };
  EXPECT_EQ(refused(index("t2"), 308, one), "protocol_error");
  EXPECT_EQ(refused(index("t2"), 0, many), "protocol_error");
  EXPECT_EQ(refused(index("t2"), std::numeric_limits<std::uint64_t>::max(), one), "protocol_error");
  EXPECT_EQ(refused(index("t1"), 0, one), "protocol_error");
  EXPECT_EQ(refused(static_cast<std::uint32_t>(file.entries().size()), 0, one), "protocol_error");
  EXPECT_EQ(refused(index("t2"), 308, {}), "no error");
}

TEST_F(AssemblyTest, RefusesHeadersThatAreNotSoundBeforeTakingMemory) {
  EXPECT_EQ(code_of([&] { memory_storage({}, 0, "m"); }), "header_too_small");
  EXPECT_EQ(code_of([&] { memory_storage(header(), file.size() + 1, "m"); }), "trailing_bytes");
  EXPECT_EQ(code_of([&] { memory_storage(header(), 10, "m"); }), "header_truncated");
  EXPECT_EQ(code_of([&] { memory_storage(header(), std::uint64_t{1} << 62, "m"); }), "out_of_memory");
}

TEST_F(AssemblyTest, GivesAFileItsNameWhenItIsWhole) {
  const std::string target = folder.path("copy.safetensors");
  Assembly assembly(file_storage(target, header(), file.size()));
  EXPECT_THAT(folder.names(), ElementsAre(".copy.safetensors.alknet-part"));
  place_all(assembly);
  assembly.commit();
  EXPECT_THAT(folder.names(), ElementsAre("copy.safetensors"));
  EXPECT_EQ(all_bytes(tensor::File::open(target)), all_bytes(file));
}

TEST_F(AssemblyTest, GoesOnWithADownloadThatWasInterrupted) {
  const std::string target = folder.path("copy.safetensors");
  {
    Assembly assembly(file_storage(target, header(), file.size()));
    assembly.place(index("t0"), 0, bytes("t0").first(1500));
    assembly.place(index("t0"), 2000, bytes("t0").subspan(2000, 10));
    assembly.place(index("t2"), 0, bytes("t2"));
    assembly.save_progress();
    assembly.place(index("t0"), 1500, bytes("t0").subspan(1500, 100));  // not noted any more
  }
  Assembly assembly(file_storage(target, header(), file.size()));
  EXPECT_TRUE(assembly.complete(index("t2")));
  EXPECT_THAT(assembly.missing(index("t0")), ElementsAre(Interval{1500, 2000}, Interval{2010, 4000}));
  place_all(assembly);
  assembly.commit();
  EXPECT_EQ(all_bytes(tensor::File::open(target)), all_bytes(file));
}

TEST_F(AssemblyTest, FetchesAgainWhatWasDamagedOnDisk) {
  const std::string target = folder.path("copy.safetensors");
  {
    Assembly assembly(file_storage(target, header(), file.size()));
    place_all(assembly);
    assembly.save_progress();
  }
  const std::string part = folder.path(".copy.safetensors.alknet-part");
  std::string content = read_file(part, 1 << 20);
  content[static_cast<std::size_t>(file.entry("t0").begin) + 5] ^= 1;
  write_file(part, content);
  const Assembly assembly(file_storage(target, header(), file.size()));
  EXPECT_FALSE(assembly.complete(index("t0")));
  EXPECT_TRUE(assembly.complete(index("t2")));
}

TEST_F(AssemblyTest, BeginsAnewWhenTheNoteIsNotOfThisFile) {
  const std::string target = folder.path("copy.safetensors");
  const std::string note = folder.path(".copy.safetensors.alknet-part.json");
  for (const std::string_view text : {"", "{", "[]", R"({"header":"x","bytes":1,"ranges":[]})", R"({"header":5})"}) {
    write_file(note, text);
    const Assembly assembly(file_storage(target, header(), file.size()));
    EXPECT_EQ(assembly.placed(), 0U) << text;
  }
}

TEST_F(AssemblyTest, RefusesASecondDownloadToTheSameName) {
  const std::string target = folder.path("copy.safetensors");
  const auto first = file_storage(target, header(), file.size());
  EXPECT_EQ(code_of([&] { file_storage(target, header(), file.size()); }), "target_busy");
}

}  // namespace
}  // namespace alknet::stream
