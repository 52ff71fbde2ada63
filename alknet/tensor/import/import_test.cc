#include "alknet/tensor/import/import.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "alknet/tensor/import/arrow.h"
#include "alknet/tensor/import/checking_sink.h"
#include "alknet/tensor/import/gguf.h"
#include "alknet/tensor/import/npy.h"
#include "alknet/tensor/import/npz.h"
#include "alknet/tensor/test_support.h"

namespace alknet::tensor {
namespace {

using Open = std::unique_ptr<Importer> (*)(ByteSource);

struct Seed {
  std::string name;
  std::string content;
  Open open;
};

// Small files made by the packages that own the formats (tests/import_seeds.py).
std::vector<Seed> seeds() {
  const std::map<std::string, Open> openers = {
      {".gguf", open_gguf}, {".npy", open_npy}, {".npz", open_npz}, {".arrow", open_arrow}, {".arrows", open_arrow}};
  std::vector<Seed> all;
  for (const char* folder : {"gguf", "npy", "arrow"}) {
    for (const auto& entry :
         std::filesystem::directory_iterator(ALKNET_SOURCE_DIR "/fuzz/seeds/" + std::string(folder))) {
      const auto opener = openers.find(entry.path().extension());
      if (opener != openers.end()) all.push_back({entry.path().filename(), load_file(entry.path()), opener->second});
    }
  }
  EXPECT_GT(all.size(), 25u);
  return all;
}

constexpr const char* kNoError = "no error";

// kNoError when the content is read without fault, else the error's name. Anything but an Error fails the test.
std::string read_code(const Seed& seed, std::string_view content) {
  return code_of([&] { read_all(*seed.open(ByteSource::memory(SharedBytes::copy(content), seed.name))); });
}

TEST(Import, ReadsEveryByteOfSoundFilesOnce) {
  for (const Seed& seed : seeds()) EXPECT_EQ(read_code(seed, seed.content), kNoError) << seed.name;
}

// Lengths at which a file may end early without losing anything: inside the zeros behind GGUF's last tensor, and behind
// the schema and the batch of an Arrow stream.
std::size_t harmless_ends(const std::string& name) {
  if (name.ends_with(".gguf")) return name.starts_with("alignment") ? 63 : 31;
  return name.ends_with(".arrows") ? 2 : 0;
}

TEST(Import, RefusesFilesThatEndEarly) {
  for (const Seed& seed : seeds()) {
    std::size_t accepted = 0;
    for (std::size_t size = 0; size < seed.content.size(); ++size) {
      accepted += read_code(seed, std::string_view(seed.content).substr(0, size)) == kNoError ? 1 : 0;
    }
    EXPECT_LE(accepted, harmless_ends(seed.name)) << seed.name;
  }
}

TEST(Import, SurvivesEveryFlippedBit) {
  for (const Seed& seed : seeds()) {
    std::size_t refused = 0;
    std::string content = seed.content;
    for (std::size_t i = 0; i < content.size(); ++i) {
      const int bit = static_cast<int>(i % 8);
      content[i] = static_cast<char>(content[i] ^ (1 << bit));
      refused += read_code(seed, content) == kNoError ? 0 : 1;
      content[i] = seed.content[i];
    }
    EXPECT_GT(refused, 0u) << seed.name;
  }
}

TEST(Import, SurvivesExtremeNumbersAtEveryPlace) {
  for (const Seed& seed : seeds()) {
    for (const std::string_view number :
         {std::string_view("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8),
          std::string_view("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", 8), std::string_view("\0\0\0\0\0\0\0\0", 8)}) {
      std::string content = seed.content;
      for (std::size_t i = 0; i + number.size() <= content.size(); ++i) {
        content.replace(i, number.size(), number);
        read_code(seed, content);
        content.replace(i, number.size(), seed.content, i, number.size());
      }
    }
  }
}

TEST(Import, TellsFormatsByContent) {
  TestFolder folder;
  for (const Seed& seed : seeds()) {
    const std::string path = folder.path("file");
    save(path, seed.content);
    const std::string extension = std::filesystem::path(seed.name).extension();
    EXPECT_EQ(detect_format(path).name, extension == ".arrows" ? "arrow" : extension.substr(1)) << seed.name;
  }
  save(folder.path("unknown"), "what is this?");
  EXPECT_EQ(find_format(folder.path("unknown")), nullptr);
  EXPECT_EQ(code_of([&] { detect_format(folder.path("unknown")); }), "import_unsupported");
  EXPECT_EQ(code_of([&] { detect_format(folder.path()); }), "import_unsupported");
  EXPECT_EQ(code_of([&] { detect_format(folder.path("missing")); }), "io_error");
}

TEST(Import, LeavesNothingBehindWhenTheDataAreBad) {
  TestFolder folder;
  // U+D800 is found only while the data are read, when the target is half written.
  std::string array = load_file(ALKNET_SOURCE_DIR "/fuzz/seeds/npy/text.npy");
  array.replace(array.size() - 4, 4, std::string_view("\0\xD8\0\0", 4));
  const auto importer = open_npy(ByteSource::memory(SharedBytes::copy(array), "text.npy"));
  EXPECT_EQ(code_of([&] { write_import(*importer, folder.path("out.mt")); }), "import_invalid");
  EXPECT_TRUE(folder.names().empty());
}

TEST(Import, NamesThatOneFileCannotHoldTwiceAreRefused) {
  TestFolder folder;
  class TwoOfOneName : public Importer {
   public:
    TwoOfOneName() { plan_.entries = {{.name = "a"}, {.name = "a"}}; }
    void stream(std::size_t, EntrySink&) const override {}
  };
  EXPECT_EQ(code_of([&] { write_import(TwoOfOneName(), folder.path("out.mt")); }), "already_declared");
}

}  // namespace
}  // namespace alknet::tensor
