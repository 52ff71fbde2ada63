// The corpus of tests/metatensor_corpus.py: every file opens, or fails, with the code that the script states.
#include <algorithm>
#include <set>

#include "alknet/base/bytes.h"
#include "alknet/base/json.h"
#include "alknet/schema/header_schema.h"
#include "alknet/tensor/test_support.h"
#include "alknet/tensor/values.h"
#include "alknet/tensor/verify.h"

namespace alknet::tensor {
namespace {

const std::string kFiles = ALKNET_SOURCE_DIR "/fuzz/seeds/header/";
const std::string kManifest = ALKNET_SOURCE_DIR "/tests/metatensor_corpus.json";

JsonArray all_cases(bool large) {
  JsonArray chosen;
  const Json manifest = parse_json(load_file(kManifest));
  for (const Json& each : manifest.as_array()) {
    if (each.as_object().contains("large") == large) chosen.push_back(each);
  }
  return chosen;
}

/// The cases whose files are among the fuzzer's seeds.
JsonArray corpus() { return all_cases(false); }

std::string text_of(const Json& value) { return std::string(value.as_string()); }

TEST(MetatensorCorpus, HasACaseForEveryErrorOfOpening) {
  std::set<std::string> codes;
  for (const bool large : {false, true}) {
    for (const Json& each : all_cases(large)) codes.insert(text_of(each.at("open")));
  }
  for (int code = static_cast<int>(TensorError::kHeaderTooSmall);
       code <= static_cast<int>(TensorError::kUnsupportedVersion); ++code) {
    const std::string name = tensor_category().message(code);
    EXPECT_TRUE(codes.contains(name)) << name;
  }
}

TEST(MetatensorCorpus, OpensOrFailsAsStatedMappedAndRead) {
  for (const Json& each : corpus()) {
    const std::string name = text_of(each.at("name"));
    const std::string expected = text_of(each.at("open"));
    for (const Access access : {Access::kMap, Access::kRead}) {
      std::string found = code_of([&] { File::open(kFiles + name, {.access = access}); });
      if (found == "no error") found = "ok";
      EXPECT_EQ(found, expected) << name;
    }
  }
}

TEST(MetatensorCorpus, AcceptsNothingThatTheReferenceRefuses) {
  for (const Json& each : corpus()) {
    if (each.at("open") != "ok") continue;
    EXPECT_EQ(each.at("reference"), "ok") << each.at("name");
  }
}

TEST(MetatensorCorpus, HeadersConformToTheHeaderSchemaOfTheirFile) {
  std::size_t valid = 0, invalid = 0;
  for (const Json& each : corpus()) {
    if (each.at("open") != "ok") continue;
    const std::string name = text_of(each.at("name"));
    const File file = File::open(kFiles + name);
    Json description;
    try {
      description = schema::to_header_schema(file.schema());
    } catch (const Error&) {
      continue;  // no schema of a file: a case of its own
    }
    const std::string bytes = load_file(kFiles + name);
    const auto size = load_le<std::uint64_t>(reinterpret_cast<const std::byte*>(bytes.data()));
    const bool conforms = schema::Schema::from_json(description).is_valid(parse_json(bytes.substr(8, size)));
    const auto has = [&](std::string_view code) {
      const auto& codes = each.at("verify").as_array();
      return std::find(codes.begin(), codes.end(), Json(code)) != codes.end();
    };
    if (!has("entry_missing") && !has("entry_extra") && !has("entry_mismatch")) {
      EXPECT_TRUE(conforms) << name;
      ++valid;
    } else {
      invalid += conforms ? 0 : 1;  // that a blob's store is there, the header schema does not say
    }
  }
  EXPECT_GE(valid, 30U);
  EXPECT_GE(invalid, 3U);
}

TEST(MetatensorCorpus, MessagesNameTheFileAndTheByte) {
  for (const Json& each : corpus()) {
    if (each.at("open") == "ok" || each.at("open") == "unsupported_version") continue;
    const std::string path = kFiles + text_of(each.at("name"));
    const Error error = error_of([&] { File::open(path); });
    EXPECT_THAT(error.message(), testing::HasSubstr(path));
    EXPECT_TRUE(error.details().as_object().contains("offset") || each.at("name") == "duplicate_metadata_key")
        << error.message();
  }
}

// The codes that verifying the file of a case in `folder` must give, and those that it gives.
void expect_verdict(const Json& each, const std::string& folder) {
  const std::string name = text_of(each.at("name"));
  std::vector<std::string> expected, found;
  if (each.at("open") == "ok") {
    for (const Json& code : each.at("verify").as_array()) expected.push_back(text_of(code));
  } else {
    expected.push_back(text_of(each.at("open")));
  }
  for (const VerifyFault& fault : verify(folder + name)) found.push_back(fault.code);
  std::ranges::sort(found);
  EXPECT_EQ(found, expected) << name;
}

TEST(MetatensorCorpus, VerifiesAsStated) {
  for (const Json& each : corpus()) expect_verdict(each, kFiles);
}

TEST(MetatensorCorpus, VerifiesLargeFilesAsStated) {
  TestFolder folder;
  const auto status = run_python(ALKNET_SOURCE_DIR "/tests/metatensor_corpus.py " + folder.path() + " - --large");
  if (!status) GTEST_SKIP() << "no Python with the safetensors package";
  ASSERT_EQ(*status, 0);
  EXPECT_GE(folder.names().size(), 2u);
  for (const Json& each : all_cases(true)) expect_verdict(each, folder.path() + "/");
}

TEST(MetatensorCorpus, PrintsEveryValueOfSoundFiles) {
  for (const Json& each : corpus()) {
    const std::string name = text_of(each.at("name"));
    if (each.at("open") != "ok" || !each.at("verify").as_array().empty()) continue;
    const File file = File::open(kFiles + name);
    for (const Entry& entry : file.entries()) {
      EXPECT_NO_THROW(value_json(file, select(file, entry.name))) << name << " " << entry.name;
    }
  }
}

TEST(MetatensorCorpus, IsWhatItsScriptMakes) {
  const auto status =
      run_python(ALKNET_SOURCE_DIR "/tests/metatensor_corpus.py " + kFiles + " " + kManifest + " --check");
  if (!status) GTEST_SKIP() << "no Python with the safetensors package";
  EXPECT_EQ(*status, 0) << "run tests/metatensor_corpus.py again";
}

}  // namespace
}  // namespace alknet::tensor
