// Cases that none of us wrote: the JSON Schema Test Suite (Debian's json-schema-test-suite) for drafts 6 and 7. And
// cases for 2020-12, written from the specification (tests/json_schema_2020_12.json, in the suite's form plus
// `registered`: the schemas of a group that references may name).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "alknet/schema/schema.h"

namespace alknet::schema {
namespace {

namespace fs = std::filesystem;
const fs::path kSuite = "/usr/share/json-schema-test-suite";

/// An optional case of the suite that we do not follow. An empty `group` or `test` means all.
struct Exception {
  std::string_view file, group, test, reason;
};
constexpr std::string_view kContentIsAnnotation =
    "2019-09 made contentEncoding and contentMediaType annotations; drafts 6 and 7 leave asserting them to choice";
constexpr std::string_view kUnknownFormat = "a format outside formats.h is an annotation";
constexpr Exception kExceptions[] = {
    {"draft7/optional/content.json", "validation of string-encoded content based on media type",
     "an invalid JSON document", kContentIsAnnotation},
    {"draft7/optional/content.json", "validation of binary string-encoding",
     "an invalid base64 string (% is not a valid character)", kContentIsAnnotation},
    {"draft7/optional/content.json", "validation of binary-encoded media type documents", "", kContentIsAnnotation},
    {"draft7/optional/format/idn-email.json", "", "", kUnknownFormat},
    {"draft7/optional/format/idn-hostname.json", "", "", kUnknownFormat},
    {"draft7/optional/format/iri.json", "", "", kUnknownFormat},
    {"draft7/optional/format/iri-reference.json", "", "", kUnknownFormat},
    {"draft7/optional/format/uri-template.json", "", "", kUnknownFormat},
    {"draft6/optional/format.json", "format: uri-template", "", kUnknownFormat},
};

Json read_json(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return parse_json(std::string(std::istreambuf_iterator<char>(file), {}));
}

std::vector<fs::path> files_under(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& file : fs::recursive_directory_iterator(folder)) {
    if (file.is_regular_file()) files.push_back(file.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string_view text_of(const Json& json, std::string_view member) { return json.at(member).as_string(); }

struct Tally {
  std::size_t passed = 0, excepted = 0;
  std::set<const Exception*> used;
};

const Exception* find_exception(std::string_view file, std::string_view group, std::string_view test) {
  const auto* found = std::find_if(std::begin(kExceptions), std::end(kExceptions), [&](const Exception& row) {
    return row.file == file && (row.group.empty() || row.group == group) && (row.test.empty() || row.test == test);
  });
  return found == std::end(kExceptions) ? nullptr : found;
}

/// The three ways to ask for a verdict; the lowered schema is asked where there is one.
void expect_verdict(const Schema& schema, const std::optional<Schema>& lowered, const Json& data, bool expected) {
  EXPECT_EQ(schema.is_valid(data), expected) << json_text(data);
  EXPECT_EQ(schema.validate(data).empty(), expected) << json_text(data);
  if (lowered) {
    EXPECT_EQ(lowered->is_valid(data), expected) << "lowered " << json_text(data);
  }
}

void run_group(const Json& group, std::string_view file, const SchemaOptions& options, Tally& tally) {
  SCOPED_TRACE(fmt::format("{}: {}: {}", file, text_of(group, "description"), json_text(group.at("schema"))));
  try {
    const auto schema = Schema::from_json(group.at("schema"), options);
    std::optional<Schema> lowered;
    try {
      lowered = schema.lower();
    } catch (const Error& error) {
      if (error.code() != BaseError::kUnsupported) throw;
    }
    for (const auto& test : group.at("tests").as_array()) {
      SCOPED_TRACE(text_of(test, "description"));
      const bool expected = test.at("valid").as_bool();
      const auto* exception = find_exception(file, text_of(group, "description"), text_of(test, "description"));
      if (exception != nullptr && schema.is_valid(test.at("data")) != expected) {
        ++tally.excepted;
        tally.used.insert(exception);
        continue;
      }
      expect_verdict(schema, lowered, test.at("data"), expected);
      ++tally.passed;
    }
  } catch (const Error& error) {
    ADD_FAILURE() << error.message();
  }
}

struct SuiteDraft {
  std::string_view folder;
  Draft draft;
};
class Suite : public testing::TestWithParam<SuiteDraft> {
 protected:
  Tally run(bool optional) const {
    SchemaOptions options;
    options.draft = GetParam().draft;
    for (const auto& file : files_under(kSuite / "remotes")) {
      const auto name = fs::relative(file, kSuite / "remotes").string();
      options.registered.push_back({"http://localhost:1234/" + name, read_json(file)});
    }
    Tally tally;
    for (const auto& file : files_under(kSuite / "tests" / GetParam().folder)) {
      const auto name = fs::relative(file, kSuite / "tests").string();
      if ((name.find("/optional/") != std::string::npos) != optional) continue;
      options.assert_formats = name.find("format") != std::string::npos || name.find("regex") != std::string::npos;
      const auto groups = read_json(file);
      for (const auto& group : groups.as_array()) run_group(group, name, options, tally);
    }
    return tally;
  }

  void SetUp() override {
    if (!fs::exists(kSuite)) GTEST_SKIP() << "the package json-schema-test-suite is not installed";
  }
};

TEST_P(Suite, AllRequiredCasesPass) {
  const auto tally = run(false);
  EXPECT_GT(tally.passed, 400U);
  EXPECT_EQ(tally.excepted, 0U);
  fmt::print("{}: {} required cases pass\n", GetParam().folder, tally.passed);
}

TEST_P(Suite, OptionalCasesPassExceptTheListed) {
  const auto tally = run(true);
  EXPECT_GT(tally.passed, 20U);
  fmt::print("{}: {} optional cases pass, {} do not:\n", GetParam().folder, tally.passed, tally.excepted);
  for (const auto& exception : kExceptions) {
    if (!exception.file.starts_with(GetParam().folder)) continue;
    EXPECT_TRUE(tally.used.contains(&exception)) << exception.file << " passes now: " << exception.group;
    fmt::print("  {} {} {}: {}\n", exception.file, exception.group, exception.test, exception.reason);
  }
}

INSTANTIATE_TEST_SUITE_P(Drafts, Suite,
                         testing::Values(SuiteDraft{"draft6", Draft::k6}, SuiteDraft{"draft7", Draft::k7}),
                         [](const auto& it) { return std::string(it.param.folder); });

TEST(Specification, AllCasesOf2020Pass) {
  const auto groups = read_json(fs::path(ALKNET_SOURCE_DIR) / "tests" / "json_schema_2020_12.json");
  Tally tally;
  for (const auto& group : groups.as_array()) {
    SchemaOptions options;
    if (const auto* registered = group.as_object().if_contains("registered")) {
      for (const auto& [uri, document] : registered->as_object()) options.registered.push_back({uri, document});
    }
    if (const auto* asserted = group.as_object().if_contains("assert_formats")) {
      options.assert_formats = asserted->as_bool();
    }
    run_group(group, "2020-12", options, tally);
  }
  EXPECT_GT(tally.passed, 300U);
}

}  // namespace
}  // namespace alknet::schema
