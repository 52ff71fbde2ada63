#include "alknet/platform/fs.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

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
    privileges_ = FsPrivileges({{root_ / "mine", true}, {root_ / "open", false}});
  }
  ~Fs() override { stdfs::remove_all(root_); }

  /// What a module that has `fs` and `root` gives as its default export, or the code of what it throws.
  std::string run(const std::string& body) {
    FsOptions options;
    options.privileges = privileges_;
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

  /// A folder of what is `mine`, with a `key` in it, and a link beside it that leads to what is not.
  stdfs::path folder_and_link() {
    stdfs::path folder = root_ / "mine" / "folder";
    stdfs::create_directory(folder);
    write_file(folder / "key", std::string_view("mine"));
    stdfs::create_directory_symlink(root_ / "secret", link());
    return folder;
  }
  stdfs::path link() const { return root_ / "mine" / "link"; }

  /// Puts each in the place of the other, at once.
  static void swap(const stdfs::path& one, const stdfs::path& other) {
    ASSERT_EQ(::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE), 0) << errno;
  }

  stdfs::path root_;
  FsPrivileges privileges_;
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

TEST_F(Fs, AFolderThatBecomesALinkAfterTheCheckIsRefused) {
  const stdfs::path folder = folder_and_link();
  const stdfs::path checked = privileges_.resolve((folder / "key").native(), true);
  swap(folder, link());
  EXPECT_EQ(code_of([&] { FsEntry::at_real(checked); }), "permission_denied");
  EXPECT_EQ(code_of([&] { FsEntry::at_real(folder / "new" / "folder", true); }), "permission_denied");
  EXPECT_FALSE(stdfs::exists(root_ / "secret" / "new"));
}

TEST_F(Fs, AFolderThatBecomesALinkWhileItIsOpenStaysItself) {
  const stdfs::path folder = folder_and_link();
  const FsEntry key = privileges_.open((folder / "key").native(), true);
  const FsEntry other = privileges_.open((folder / "other").native(), true);
  swap(folder, link());
  EXPECT_EQ(key.read(100, {}), "mine");
  key.write(std::as_bytes(std::span("new", 3)), {});
  key.copy_to(other, {});
  key.append(std::as_bytes(std::span("er", 2)), {});
  EXPECT_EQ(read_file(link() / "key", 100), "newer");
  EXPECT_EQ(read_file(link() / "other", 100), "new");
  key.rename_to(other);
  other.remove(false, false);
  EXPECT_TRUE(stdfs::is_empty(link()));
  EXPECT_EQ(read_file(root_ / "secret" / "key", 100), "42");
}

TEST_F(Fs, AFileThatBecomesALinkAfterTheCheckIsRefused) {
  const stdfs::path file = root_ / "mine" / "file";
  write_file(file, std::string_view("mine"));
  stdfs::create_symlink(root_ / "secret" / "key", link());
  const FsEntry entry = privileges_.open(file.native(), true);
  const FsEntry source = privileges_.open((root_ / "open" / "note").native(), false);
  swap(file, link());
  const std::span<const std::byte> bytes = std::as_bytes(std::span("x", 1));
  EXPECT_EQ(code_of([&] { entry.read(100, {}); }), "permission_denied");
  EXPECT_EQ(code_of([&] { entry.write(bytes, {}); }), "permission_denied");
  EXPECT_EQ(code_of([&] { entry.append(bytes, {}); }), "permission_denied");
  EXPECT_EQ(code_of([&] { entry.copy_to(source, {}); }), "permission_denied");
  EXPECT_EQ(code_of([&] { source.copy_to(entry, {}); }), "permission_denied");
  EXPECT_EQ(code_of([&] { entry.facts(false); }), "permission_denied");
  EXPECT_EQ(code_of([&] { entry.list(); }), "io_error");
  EXPECT_EQ(entry.facts(true).type, stdfs::file_type::symlink);
  EXPECT_EQ(read_file(root_ / "secret" / "key", 100), "42");
}

TEST_F(Fs, NothingLeaksWhileFoldersAndLinksAreSwapped) {
  const stdfs::path folder = folder_and_link();
  std::thread swapper([&] {
    for (int i = 0; i < 4000; ++i) swap(folder, link());
  });
  for (int i = 0; i < 1000; ++i) {
    try {
      EXPECT_EQ(privileges_.open((folder / "key").native(), false).read(100, {}), "mine");
    } catch (const Error& error) {
      EXPECT_TRUE(error.code_name() == "permission_denied" || error.code_name() == "io_error") << error.message();
    }
  }
  swapper.join();
}

TEST_F(Fs, RemovesAFolderAndNotWhatItsLinksLeadTo) {
  const stdfs::path folder = folder_and_link();
  stdfs::create_directories(folder / "a" / "b");
  stdfs::create_directory_symlink(root_ / "secret", folder / "a" / "link");
  EXPECT_EQ(run("return code(fs.rm(root + '/mine/folder', {recursive: true}))"), R"("ok")");
  EXPECT_FALSE(stdfs::exists(folder));
  EXPECT_EQ(read_file(root_ / "secret" / "key", 100), "42");
}

TEST_F(Fs, AWaitForAPipeEndsWithTheIsolate) {
  ASSERT_EQ(::mkfifo((root_ / "mine" / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(run("fs.readFile(root + '/mine/pipe').catch(() => {}); return 1"), "1");
}

TEST_F(Fs, ACopyOfADeviceWithoutAnEndEndsWithTheIsolate) {
  privileges_ = FsPrivileges::everything();
  EXPECT_EQ(run("fs.copyFile('/dev/zero', '/dev/null').catch(() => {}); return 1"), "1");
}

TEST_F(Fs, DotsBehindALinkLeadAboveWhatItStandsFor) {
  stdfs::create_directories(root_ / "mine" / "far" / "away");
  stdfs::create_directory_symlink(root_ / "mine" / "far" / "away", root_ / "mine" / "near");
  for (const char* const name : {"mine/entry", "mine/far/entry"}) write_file(root_ / name, std::string_view("x"));
  EXPECT_EQ(run("return [await code(fs.rm(root + '/mine/near/../entry')), await fs.exists(root + '/mine/entry'),"
                "await fs.exists(root + '/mine/far/entry')]"),
            R"(["ok",true,false])");
  EXPECT_EQ(run("return [(await fs.lstat(root + '/mine/near/')).isSymbolicLink(),"
                "(await fs.lstat(root + '/mine/near/..')).isDirectory(), await code(fs.rm(root + '/mine/..'))]"),
            R"([true,true,"permission_denied"])");
}

TEST_F(Fs, ARenameThatFailsNamesBoth) {
  EXPECT_EQ(run("return fs.rename(root + '/mine/a', root + '/mine/b').catch((e) => e.message.replaceAll(root, ''))"),
            R"("rename: /mine/a to /mine/b: No such file or directory")");
}

TEST_F(Fs, ReadsAndWritesPipes) {
  const stdfs::path in = root_ / "mine" / "in", out = root_ / "mine" / "out";
  for (const stdfs::path& pipe : {in, out}) ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const Descriptor reader(::open(out.c_str(), O_RDONLY | O_NONBLOCK));
  std::thread writer([&] { std::ofstream(in) << "piped"; });
  EXPECT_EQ(run(R"(
    const text = await fs.readFile(root + '/mine/in', 'utf8');
    await fs.writeFile(root + '/mine/out', text);
    return [text, (await fs.stat(root + '/mine/out')).isFile()];)"),
            R"(["piped",false])");
  writer.join();
  EXPECT_EQ(read_descriptor(reader.get(), out, 100), "piped");
}

TEST_F(Fs, ReadsWhatHasNoSizeBeforehand) {
  privileges_ = FsPrivileges::everything();
  EXPECT_EQ(run("return [(await fs.readFile('/dev/null')).length, await fs.readFile('/proc/self/comm', 'utf8') !== '',"
                "await code(fs.readFile('/dev/zero')), await code(fs.writeFile('/dev/null', 'x'))]"),
            R"([0,true,"invalid_argument","ok"])");
  EXPECT_TRUE(stdfs::is_character_file("/dev/null"));
}

TEST(FsPrivilegesTest, NothingIsAllowedWithoutARule) {
  EXPECT_EQ(code_of([] { FsPrivileges().resolve("/etc/hosts", false); }), "permission_denied");
  EXPECT_EQ(FsPrivileges::everything().resolve("/", false), "/");
}

}  // namespace
}  // namespace alknet::platform
