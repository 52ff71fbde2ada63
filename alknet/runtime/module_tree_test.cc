#include "alknet/runtime/module_tree.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "alknet/base/files.h"
#include "alknet/base/testing.h"
#include "alknet/runtime/error.h"

namespace alknet::runtime {
namespace {

namespace fs = std::filesystem;

class Tree : public testing::Test {
 protected:
  Tree() {
    std::string pattern = (fs::temp_directory_path() / "alknet-tree-XXXXXX").string();
    folder = fs::path(::mkdtemp(pattern.data()));
    fs::create_directories(folder / "app/lib");
  }
  ~Tree() override { fs::remove_all(folder); }

  void write(const std::string& name, std::string_view text) const { write_file((folder / name).string(), text); }
  ModuleTree read(const ModuleTreeLimits& limits = {}) const {
    return read_module_tree((folder / "app/main.ts").string(), limits);
  }

  fs::path folder;
};

TEST_F(Tree, HasWhatIsImportedFromFileToFile) {
  write("app/main.ts", R"(import { a } from "./lib/a.ts"; const b = await import("./b"); import "@alknet/tensor";)");
  write("app/lib/a.ts", R"(export * from "../b.ts"; import data from "./data.json"; import "../main.ts";)");
  write("app/lib/data.json", R"({"text": "import './never.ts'"})");
  write("app/lib/never.ts", "");
  write("app/b.ts", R"(import "/script/lib/a.ts"; import "./lib/index";)");
  const ModuleTree tree = read();
  EXPECT_EQ(tree.name, "/script/main.ts");
  ASSERT_EQ(tree.modules.size(), 3U);
  EXPECT_TRUE(tree.modules.contains("/script/lib/a.ts"));
  EXPECT_TRUE(tree.modules.contains("/script/lib/data.json"));
  EXPECT_EQ(tree.modules.at("/script/b.ts"), R"(import "/script/lib/a.ts"; import "./lib/index";)");
  EXPECT_EQ(tree.files.size(), 4U);
  const auto& absent = tree.absent;
  EXPECT_NE(std::find(absent.begin(), absent.end(), folder / "app/lib/index.ts"), absent.end());
  EXPECT_TRUE(tree.left_out.empty());
}

TEST_F(Tree, EndsAtItsFolder) {
  write("secret.ts", "export const key = 1;");
  write("app/main.ts", R"(import "../secret.ts"; import "./link.ts"; import "./lib/up/secret.ts"; import "/etc/passwd";
    import "file:///etc/passwd"; import "file://host/x"; import "./../app/lib/../lib/here.ts")");
  write("app/lib/here.ts", "");
  fs::create_symlink(folder / "secret.ts", folder / "app/link.ts");
  fs::create_symlink(folder, folder / "app/lib/up");
  const ModuleTree tree = read();
  EXPECT_TRUE(tree.modules.empty()) << tree.modules.begin()->first;
  for (const char* name : {"/secret.ts", "/script/link.ts", "/script/lib/up/secret.ts", "/etc/passwd"}) {
    EXPECT_TRUE(tree.left_out.contains(name)) << name;
  }
  for (const auto& [name, why] : tree.left_out) EXPECT_EQ(why.find(folder.string()), std::string::npos) << why;
}

TEST_F(Tree, FollowsLinksInsideItsFolder) {
  write("app/main.ts", R"(import "./link.ts"; import "./same";)");
  write("app/lib/a.ts", "export {};");
  fs::create_symlink("lib/a.ts", folder / "app/link.ts");
  fs::create_directory_symlink("lib", folder / "app/same");
  write("app/lib/index.ts", "export {};");
  const ModuleTree tree = read();
  EXPECT_TRUE(tree.modules.contains("/script/link.ts"));
  EXPECT_TRUE(tree.modules.contains("/script/same/index.ts"));
}

TEST_F(Tree, HasLimits) {
  write("app/main.ts", R"(import "./a.ts"; import "./b.ts"; import "./c.ts"; import "./bad.ts";)");
  write("app/a.ts", std::string(600, ' '));
  write("app/b.ts", std::string(600, ' '));
  write("app/c.ts", std::string(100, ' '));
  write("app/bad.ts", "\xFF");
  ModuleTreeLimits limits;
  limits.module_bytes = 1'000;
  const ModuleTree tree = read(limits);
  EXPECT_TRUE(tree.modules.contains("/script/a.ts"));
  EXPECT_TRUE(tree.left_out.contains("/script/b.ts"));
  EXPECT_TRUE(tree.modules.contains("/script/c.ts"));
  EXPECT_TRUE(tree.left_out.contains("/script/bad.ts"));
  limits.modules = 1;
  EXPECT_EQ(read(limits).modules.size(), 1U);
  limits.script_bytes = 10;
  EXPECT_EQ(code_of([&] { read(limits); }), "invalid_argument");
}

TEST_F(Tree, LooksForSoManyFilesOnly) {
  write("app/main.ts", "import './a.ts'; import './b.ts'; import './a.ts'; import 'package'");
  ModuleTreeLimits limits;
  limits.imports = 2;
  EXPECT_EQ(read(limits).name, "/script/main.ts");
  limits.imports = 1;
  EXPECT_EQ(error_of([&] { read(limits); }).code(), RuntimeError::kLimit);
}

TEST_F(Tree, GoesOnBehindPathsThatLeadNowhere) {
  write("app/main.ts", "import './" + std::string(5000, 'a') + "'; import './circle.ts'; import './b.ts'");
  write("app/b.ts", "");
  fs::create_symlink("circle.ts", folder / "app/circle.ts");
  EXPECT_TRUE(read().modules.contains("/script/b.ts"));
}

TEST_F(Tree, KnowsWhatItLookedForBeforeALinkLedOut) {
  write("secret.ts", "");
  write("app/main.ts", "import './x'");
  fs::create_symlink(folder / "secret.ts", folder / "app/x.tsx");
  const ModuleTree tree = read();
  EXPECT_TRUE(tree.left_out.contains("/script/x"));
  EXPECT_NE(std::find(tree.absent.begin(), tree.absent.end(), folder / "app/x.ts"), tree.absent.end());
}

TEST_F(Tree, NeedsItsScript) {
  EXPECT_NE(code_of([&] { read(); }), "no error");
  write("app/main.ts", "\xFF");
  EXPECT_EQ(code_of([&] { read(); }), "invalid_argument");
}

TEST(ModulePath, StartsAtTheFolderOfTheScript) {
  EXPECT_EQ(module_path("main.ts"), "/script/main.ts");
  EXPECT_EQ(module_path("./lib/../x.ts"), "/script/x.ts");
  EXPECT_EQ(module_path("../x.ts"), "/x.ts");
  EXPECT_EQ(module_path("/tmp/x.ts"), "/tmp/x.ts");
}

}  // namespace
}  // namespace alknet::runtime
