#include "alknet/platform/fs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "alknet/base/files.h"
#include "alknet/base/loop.h"
#include "alknet/base/pool_executor.h"
#include "alknet/base/random_hex.h"
#include "alknet/base/testing.h"
#include "alknet/runtime/isolate.h"
#include "alknet/runtime/promise.h"

namespace alknet::platform {
namespace {

namespace stdfs = std::filesystem;

/// Scripts with `fs`, and a folder in which they may do some things.
class Fs : public testing::Test {
 protected:
  Fs() : root_(stdfs::canonical(stdfs::temp_directory_path()) / ("alknet-fs-" + random_hex(8))) {
    for (const char* const name : {"mine", "open", "secret"}) stdfs::create_directories(root_ / name);
    write_file(root_ / "open" / "note", std::string_view("hello"));
    write_file(root_ / "secret" / "key", std::string_view("42"));
  }
  ~Fs() override { stdfs::remove_all(root_); }

  /// What a module that has `fs` and `root` gives as its default export, or the code of what it throws.
  std::string run(const std::string& body) {
    FsOptions options;
    options.privileges = FsPrivileges({{root_ / "mine", true}, {root_ / "open", false}});
    options.pool = [this]() -> Executor& { return pool_; };
    options.max_file_bytes = 1000;
    const auto task = [&]() -> Task<std::string> {
      runtime::IsolateOptions made;
      made.executor = &thread_.loop();
      made.modules.push_back(fs_module(options));
      runtime::Isolate isolate(std::move(made));
      isolate.realm().global().set("root", isolate.realm().string(root_.string()));
      const runtime::Value done = isolate.eval_module(
          "import * as fs from 'alknet:fs'; const code = (p) => p.then(() => 'ok', (e) => e.code ?? e.name);\n"
          "const give = async () => {" +
              body + "\n}; globalThis.result = JSON.stringify(await give());",
          "test.js");
      const runtime::Value ended = co_await runtime::settled(done);
      static_cast<void>(ended);
      std::string result = isolate.realm().global().get("result").to_string();
      co_return result;
    };
    return wait_for(thread_.loop(), task());
  }

  stdfs::path root_;
  PoolExecutor pool_;
  LoopThread thread_;
};

TEST_F(Fs, ReadsAndWritesTextAndBytes) {
  EXPECT_EQ(run(R"(
    await fs.writeFile(root + '/mine/a', 'grüße');
    await fs.appendFile(root + '/mine/a', new Uint8Array([33]));
    const bytes = await fs.readFile(root + '/mine/a');
    return [await fs.readFile(root + '/mine/a', 'utf8'), bytes.length, bytes instanceof Uint8Array,
            await fs.readFile(root + '/open/note', {encoding: 'utf-8'})];)"),
            R"(["grüße!",8,true,"hello"])");
  EXPECT_EQ(read_file(root_ / "mine" / "a", 100), "grüße!");
}

TEST_F(Fs, ListsMakesMovesAndRemoves) {
  EXPECT_EQ(run(R"(
    const at = (name) => root + '/mine/' + name;
    await fs.mkdir(at('x/y'), {recursive: true});
    await fs.writeFile(at('x/b'), ''); await fs.writeFile(at('x/a'), 'abc');
    await fs.rename(at('x/b'), at('x/c'));
    await fs.copyFile(at('x/a'), at('x/d'));
    const stat = await fs.stat(at('x/a'));
    const list = await fs.readdir(at('x'), {withFileTypes: true});
    await fs.rm(at('x/d'));
    const after = await fs.readdir(at('x'));
    await fs.rm(at('x'), {recursive: true});
    return [list.map((e) => e.name + (e.isDirectory() ? '/' : '')), stat.size, stat.isFile(), stat.mtimeMs > 1.6e12,
            after, await fs.exists(at('x'))];)"),
            R"([["a","c","d","y/"],3,true,true,["a","c","y"],false])");
}

TEST_F(Fs, SaysWhatWentWrong) {
  EXPECT_EQ(run(R"(
    const at = (name) => root + '/mine/' + name;
    await fs.mkdir(at('full/inner'), {recursive: true});
    await fs.writeFile(at('big'), new Uint8Array(1001));
    return [await code(fs.readFile(at('none'))), await code(fs.stat(at('none'))), await code(fs.rm(at('none'))),
            await code(fs.rm(at('none'), {force: true})), await code(fs.rm(at('full'))),
            await code(fs.mkdir(at('full'))), await code(fs.mkdir(at('no/parent'))),
            await code(fs.readdir(at('big'))), await code(fs.readFile(at('big'))), await code(fs.readFile(at('full')))];)"),
            R"(["io_error","io_error","io_error","ok","io_error","io_error","io_error","io_error","invalid_argument",)"
            R"("io_error"])");
  EXPECT_EQ(run("return [await code((async () => fs.readFile(5))()), await code((async () => fs.writeFile('x', 5))()),"
                "await code(fs.readFile('')), await code(fs.readFile(root + '/mine/a\\0b')),"
                "await code((async () => fs.readFile(root, 'latin1'))())]"),
            R"(["TypeError","TypeError","invalid_argument","invalid_argument","TypeError"])");
}

TEST_F(Fs, StaysInsideItsPrivileges) {
  EXPECT_EQ(run(R"(
    const deny = (...paths) => Promise.all(paths.map((path) => code(fs.readFile(root + path))));
    return [await deny('/secret/key', '/secret/none', '/mine/../secret/key', '/open/../secret/key', '', '/minex'),
            await code(fs.writeFile(root + '/open/note', 'x')), await code(fs.rm(root + '/open/note')),
            await code(fs.rename(root + '/open/note', root + '/mine/note')),
            await code(fs.copyFile(root + '/open/note', root + '/mine/note')),
            await code(fs.rename(root + '/mine/note', root + '/open/other')),
            await code(fs.readdir(root)), await code(fs.stat('/etc/passwd')), await code(fs.mkdir(root + '/more')),
            await code(fs.exists(root + '/secret/key'))];)"),
            R"([["permission_denied","permission_denied","permission_denied","permission_denied","permission_denied",)"
            R"("permission_denied"],"permission_denied","permission_denied","permission_denied","ok",)"
            R"("permission_denied","permission_denied","permission_denied","permission_denied","permission_denied"])");
  EXPECT_EQ(read_file(root_ / "open" / "note", 100), "hello");
}

TEST_F(Fs, LinksThatLeadOutsideDoNotHelp) {
  stdfs::create_symlink(root_ / "secret" / "key", root_ / "mine" / "to_key");
  stdfs::create_directory_symlink(root_ / "secret", root_ / "mine" / "to_secret");
  stdfs::create_symlink(root_ / "secret" / "new", root_ / "mine" / "dangling");
  stdfs::create_symlink("to_self", root_ / "mine" / "to_self");
  stdfs::create_symlink("../open/note", root_ / "mine" / "to_note");
  EXPECT_EQ(
      run(R"(
    const at = (name) => root + '/mine/' + name;
    return [await code(fs.readFile(at('to_key'))), await code(fs.writeFile(at('to_key'), 'x')),
            await code(fs.readFile(at('to_secret/key'))), await code(fs.writeFile(at('to_secret/new'), 'x')),
            await code(fs.readdir(at('to_secret'))), await code(fs.writeFile(at('dangling'), 'x')),
            await code(fs.readFile(at('to_self'))) !== 'ok', await fs.readFile(at('to_note'), 'utf8'),
            await code(fs.writeFile(at('to_note'), 'x')), await code(fs.rename(at('to_secret/key'), at('key'))),
            await code(fs.rm(at('to_secret/key'))), (await fs.lstat(at('to_key'))).isSymbolicLink(),
            await code(fs.rm(at('to_key'))), await code(fs.rm(at('to_secret'), {recursive: true}))];)"),
      R"(["permission_denied","permission_denied","permission_denied","permission_denied","permission_denied",)"
      R"("permission_denied",true,"hello","permission_denied","permission_denied","permission_denied",true,"ok","ok"])");
  EXPECT_EQ(read_file(root_ / "secret" / "key", 100), "42") << "the link went, not what it led to";
  EXPECT_FALSE(stdfs::exists(root_ / "secret" / "new"));
}

TEST(FsPrivilegesTest, NothingIsAllowedWithoutARule) {
  EXPECT_EQ(code_of([] { FsPrivileges().resolve("/etc/hosts", false); }), "permission_denied");
  EXPECT_EQ(FsPrivileges::everything().resolve("/", false), "/");
}

}  // namespace
}  // namespace alknet::platform
