#pragma once

#include <cstdint>
#include <functional>

#include "alknet/base/executor.h"
#include "alknet/platform/fs_paths.h"
#include "alknet/runtime/native.h"

namespace alknet::platform {

struct FsOptions {
  FsPrivileges privileges;

  /// Where files are read and written; asked for when the first is. Must outlive the isolate's tasks.
  std::function<Executor&()> pool;

  /// The largest file that `readFile` takes.
  std::uint64_t max_file_bytes = std::uint64_t{1} << 31;
};

/// The module `alknet:fs`, whose functions are also those of the global object `fs`: promises, named and shaped as
/// Node's `fs/promises`.
///
///   readFile(path, "utf8" | {encoding}?)   Uint8Array, or text
///   writeFile(path, text or bytes)         the file appears whole or not at all
///   appendFile(path, text or bytes)
///   readdir(path, {withFileTypes}?)        names sorted, or {name, isFile, isDirectory, isSymbolicLink}
///   stat(path), lstat(path)                {size, mtimeMs, isFile, isDirectory, isSymbolicLink}
///   mkdir(path, {recursive}?), rm(path, {recursive, force}?), rename(from, to), copyFile(from, to), realpath(path),
///   exists(path)
///
/// Errors have `code` io_error, not_found, permission_denied, invalid_argument and `details`. What privileges do not
/// allow is permission_denied, whether it exists or not; links are followed before they are asked, and one that is put
/// in the way after that is permission_denied too. Pipes, terminals and devices are waited for on the pool, which ends
/// with the isolate.
runtime::NativeModule fs_module(FsOptions options);

/// An object with the functions of the module, to be the global `fs`.
runtime::Value make_fs(runtime::Realm realm, FsOptions options);

}  // namespace alknet::platform
