#include "alknet/runtime/module_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "alknet/base/files.h"
#include "alknet/base/random_hex.h"
#include "alknet/base/testing.h"
#include "alknet/runtime/error.h"

namespace alknet::runtime {
namespace {

namespace fs = std::filesystem;

class ModuleFilesTest : public ::testing::Test {
 protected:
  ModuleFilesTest() : folder_(fs::canonical(fs::temp_directory_path()) / ("alknet-modules-" + random_hex(8))) {
    fs::create_directories(folder_ / "root/sub");
    fs::create_directories(folder_ / "rooted");
    write("root/a.ts", "a");
    write("root/b.tsx", "b");
    write("root/c.json", "{}");
    write("root/sub/index.ts", "index");
    write("outside.js", "outside");
    write("rooted/x.js", "x");
  }
  ~ModuleFilesTest() override { fs::remove_all(folder_); }

  void write(const std::string& name, std::string_view text) { write_file(folder_ / name, text); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  std::optional<std::string> find(const std::string& name) {
    tried_.clear();
    return ModuleFiles({path("root")}).find(path(name), tried_);
  }

  fs::path folder_;
  std::vector<std::string> tried_;
};

TEST_F(ModuleFilesTest, FindsAFileByItsNameOrWithAnExtension) {
  EXPECT_EQ(find("root/a.ts"), path("root/a.ts"));
  EXPECT_EQ(find("root/a"), path("root/a.ts"));
  EXPECT_EQ(find("root/b"), path("root/b.tsx"));
  EXPECT_EQ(find("root/b.js"), path("root/b.tsx"));
  EXPECT_EQ(find("root/c"), path("root/c.json"));
  EXPECT_EQ(find("root/sub"), path("root/sub/index.ts"));
}

TEST_F(ModuleFilesTest, TellsWhatItLookedFor) {
  EXPECT_EQ(find("root/none.ts"), std::nullopt);
  EXPECT_EQ(tried_, std::vector{path("root/none.ts")});
  EXPECT_EQ(find("root/none"), std::nullopt);
  EXPECT_THAT(tried_, ::testing::Contains(path("root/none.tsx")));
  EXPECT_THAT(tried_, ::testing::Contains(path("root/none/index.ts")));
}

TEST_F(ModuleFilesTest, NothingOutsideTheRootIsFoundOrSeen) {
  fs::create_symlink(path("outside.js"), path("root/link.js"));
  fs::create_directory_symlink(path(""), path("root/up"));
  for (const std::string name : {"outside.js", "root/../outside.js", "root/link.js", "root/up/outside.js",
                                 "rooted/x.js", "no-such-file.js", "root/sub/../../outside.js"}) {
    EXPECT_EQ(code_of([&] { find(name); }), "permission_denied") << name;
  }
  const ModuleFiles files({path("root")});
  for (const std::string name : {"outside.js", "root/../outside.js", "root/up/outside.js", "rooted/x.js"}) {
    EXPECT_EQ(code_of([&] { files.read(path(name)); }), "permission_denied") << name;
  }
  EXPECT_EQ(code_of([&] { files.read(path("root/link.js")); }), "module_not_found");
}

TEST_F(ModuleFilesTest, ALinkInsideTheRootIsTheFileItself) {
  fs::create_symlink("a.ts", path("root/same.ts"));
  EXPECT_EQ(find("root/same.ts"), path("root/a.ts"));
}

TEST_F(ModuleFilesTest, APathThatLeadsNowhereIsNotThere) {
  fs::create_symlink("circle.ts", folder_ / "root/circle.ts");
  EXPECT_EQ(find("root/circle.ts"), std::nullopt);
  EXPECT_EQ(find("root/circle.ts/deeper"), std::nullopt);
  EXPECT_EQ(find("root/" + std::string(5000, 'a')), std::nullopt);
}

TEST_F(ModuleFilesTest, ReadsText) {
  const ModuleFiles files({path("root")});
  EXPECT_EQ(files.read(path("root/a.ts")), "a");
  write("root/empty.js", "");
  EXPECT_EQ(files.read(path("root/empty.js")), "");
}

TEST_F(ModuleFilesTest, RefusesWhatIsNoText) {
  const ModuleFiles files({path("root")});
  write("root/latin.js", "\xFC");
  EXPECT_EQ(code_of([&] { files.read(path("root/latin.js")); }), "module_invalid");
  ASSERT_EQ(::mkfifo(path("root/pipe.js").c_str(), 0600), 0);
  EXPECT_EQ(code_of([&] { files.read(path("root/pipe.js")); }), "module_invalid");
  EXPECT_EQ(find("root/pipe.js"), std::nullopt);
  EXPECT_EQ(code_of([&] { files.read(path("root/sub")); }), "module_invalid");
  EXPECT_EQ(code_of([&] { files.read(path("root/gone.js")); }), "module_not_found");
}

TEST_F(ModuleFilesTest, WithoutRootsThereAreNoFiles) {
  EXPECT_EQ(code_of([&] { ModuleFiles().find(path("root/a.ts"), tried_); }), "permission_denied");
  EXPECT_EQ(code_of([&] { ModuleFiles({path("root/a.ts")}); }), "io_error");
}

TEST(ModuleFilesInMemory, AreFoundAsFilesAre) {
  const ModuleFiles files({{"/s/a.ts", "a"}, {"/s/lib/index.js", "index"}}, {{"/out.ts", "it lies outside"}});
  std::vector<std::string> tried;
  EXPECT_EQ(files.find("/s/a", tried), "/s/a.ts");
  EXPECT_EQ(files.find("/s/a.js", tried), "/s/a.ts");
  EXPECT_EQ(files.find("/s/lib", tried), "/s/lib/index.js");
  EXPECT_EQ(files.read("/s/a.ts"), "a");
  tried.clear();
  EXPECT_EQ(files.find("/etc/passwd.json", tried), std::nullopt);
  EXPECT_EQ(tried, std::vector<std::string>{"/etc/passwd.json"});
  EXPECT_EQ(code_of([&] { files.read("/etc/passwd"); }), "module_not_found");
  const Error outside = error_of([&] { files.find("/out", tried); });
  EXPECT_EQ(outside.code(), RuntimeError::kPermissionDenied);
  EXPECT_EQ(outside.message(), "/out.ts: it lies outside");
}

}  // namespace
}  // namespace alknet::runtime
