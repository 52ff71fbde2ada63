#include "alknet/platform/fs.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/base/files.h"
#include "alknet/runtime/convert.h"
#include "alknet/runtime/promise.h"

namespace alknet::platform {
namespace {

namespace stdfs = std::filesystem;
using runtime::Arguments;
using runtime::Realm;
using runtime::Value;

struct EntryFacts {
  std::string name;
  stdfs::file_type type = stdfs::file_type::none;
  std::uint64_t size = 0;
  double modified_ms = 0;
};

void check(const std::error_code& failed, std::string_view what, const stdfs::path& path) {
  if (!failed) return;
  throw io_error(what, path.string(), failed.value());
}

EntryFacts facts_of(const stdfs::path& path, bool follow) {
  std::error_code failed;
  const auto status = follow ? stdfs::status(path, failed) : stdfs::symlink_status(path, failed);
  check(failed, "stat", path);
  if (status.type() == stdfs::file_type::not_found) throw io_error("stat", path.string(), ENOENT);
  EntryFacts facts;
  facts.name = path.filename().string();
  facts.type = status.type();
  if (facts.type == stdfs::file_type::regular) facts.size = stdfs::file_size(path, failed);
  if (facts.type != stdfs::file_type::symlink) {
    const auto written = stdfs::last_write_time(path, failed);
    const auto system = std::chrono::file_clock::to_sys(written);
    facts.modified_ms = std::chrono::duration<double, std::milli>(system.time_since_epoch()).count();
  }
  return facts;
}

void set_type(Realm realm, const Value& object, stdfs::file_type type) {
  const std::pair<std::string_view, stdfs::file_type> kinds[] = {{"isFile", stdfs::file_type::regular},
                                                                 {"isDirectory", stdfs::file_type::directory},
                                                                 {"isSymbolicLink", stdfs::file_type::symlink}};
  for (const auto& [name, kind] : kinds) {
    const bool is = type == kind;
    object.set(name, realm.closure(name, 0, [is](Realm in, const Value&, Arguments) { return in.boolean(is); }));
  }
}

Value stats_value(Realm realm, const EntryFacts& facts) {
  Value object = realm.object();
  object.set("size", realm.number(static_cast<double>(facts.size)));
  object.set("mtimeMs", realm.number(facts.modified_ms));
  set_type(realm, object, facts.type);
  return object;
}

/// A promise of what `convert(realm, work())` makes; `work` runs on the pool and owns what it uses.
template <typename Work, typename Convert>
Value on_pool(Realm realm, const FsOptions& options, Work work, Convert convert) {
  return runtime::promise_of(realm, run_on(options.pool(), std::move(work)), convert);
}

/// The same for what gives nothing.
template <typename Work>
Value on_pool(Realm realm, const FsOptions& options, Work work) {
  return runtime::promise_of(realm, run_on(options.pool(), std::move(work)), [](Realm) { return Value(); });
}

bool flag_of(const Value& options, std::string_view name) {
  return options.is_object() && options.get(name).to_boolean();
}

std::string path_of(const Value& value) {
  if (value.is_string()) return value.to_string();
  throw value.realm().type_error("[fs] a path is a text");
}

SharedBytes content_of(const Value& value) {
  if (value.is_array_buffer() || value.is_array_buffer_view()) return runtime::copy_bytes(value);
  if (value.is_string()) return SharedBytes::copy(value.to_string());
  throw value.realm().type_error("[fs] what is written is a text, an ArrayBuffer or a view of one");
}

bool wants_text(Realm realm, const Value& options) {
  const Value encoding = options.is_object() ? options.get("encoding") : options;
  if (encoding.is_nullish()) return false;
  const std::string name = encoding.to_string();
  if (name == "utf8" || name == "utf-8") return true;
  throw realm.type_error("[readFile] the encoding is \"utf8\", not \"" + name + "\"");
}

using Shared = std::shared_ptr<const FsOptions>;

Value read_whole(Realm realm, const Shared& options, const Arguments& arguments) {
  const bool text = wants_text(realm, arguments[1]);
  auto work = [options, path = path_of(arguments[0])] {
    return read_file(options->privileges.resolve(path, false), options->max_file_bytes);
  };
  return on_pool(realm, *options, std::move(work), [text](Realm in, const std::string& content) {
    if (text) return in.string(content);
    return in.typed_array(runtime::TypedArray::kUint8, std::as_bytes(std::span(content)));
  });
}

Value write_whole(Realm realm, const Shared& options, const Arguments& arguments) {
  return on_pool(realm, *options, [options, path = path_of(arguments[0]), content = content_of(arguments[1])] {
    write_file(options->privileges.resolve(path, true), content.span());
  });
}

Value append(Realm realm, const Shared& options, const Arguments& arguments) {
  return on_pool(realm, *options, [options, path = path_of(arguments[0]), content = content_of(arguments[1])] {
    const stdfs::path real = options->privileges.resolve(path, true);
    std::ofstream file(real, std::ios::binary | std::ios::app);
    file.write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
    file.close();
    if (!file) throw io_error("append", real.string(), errno);
  });
}

Value list_folder(Realm realm, const Shared& options, const Arguments& arguments) {
  const bool types = flag_of(arguments[1], "withFileTypes");
  auto work = [options, path = path_of(arguments[0])] {
    const stdfs::path real = options->privileges.resolve(path, false);
    std::error_code failed;
    std::vector<EntryFacts> entries;
    for (auto each = stdfs::directory_iterator(real, failed); !failed && each != stdfs::directory_iterator();
         each.increment(failed)) {
      EntryFacts facts;
      facts.name = each->path().filename().string();
      facts.type = each->symlink_status(failed).type();
      entries.push_back(std::move(facts));
    }
    check(failed, "readdir", real);
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return entries;
  };
  return on_pool(realm, *options, std::move(work), [types](Realm in, const std::vector<EntryFacts>& entries) {
    std::vector<Value> items;
    for (const EntryFacts& facts : entries) {
      const Value name = in.string(facts.name);
      const Value item = types ? in.object() : name;
      if (types) {
        item.set("name", name);
        set_type(in, item, facts.type);
      }
      items.push_back(item);
    }
    return in.array(items);
  });
}

Value stat_entry(Realm realm, const Shared& options, const Arguments& arguments) {
  return on_pool(
      realm, *options,
      [options, path = path_of(arguments[0])] { return facts_of(options->privileges.resolve(path, false), true); },
      stats_value);
}

Value stat_link(Realm realm, const Shared& options, const Arguments& arguments) {
  return on_pool(
      realm, *options,
      [options, path = path_of(arguments[0])] {
        return facts_of(options->privileges.resolve_entry(path, false), false);
      },
      stats_value);
}

Value make_folder(Realm realm, const Shared& options, const Arguments& arguments) {
  const bool recursive = flag_of(arguments[1], "recursive");
  return on_pool(realm, *options, [options, path = path_of(arguments[0]), recursive] {
    const stdfs::path real = options->privileges.resolve(path, true);
    if (recursive) return make_folders(real);
    std::error_code failed;
    const bool made = stdfs::create_directory(real, failed);
    check(failed, "mkdir", real);
    if (!made) throw io_error("mkdir", real.string(), EEXIST);
  });
}

Value remove_entry(Realm realm, const Shared& options, const Arguments& arguments) {
  const bool recursive = flag_of(arguments[1], "recursive");
  const bool force = flag_of(arguments[1], "force");
  return on_pool(realm, *options, [options, path = path_of(arguments[0]), recursive, force] {
    const stdfs::path real = options->privileges.resolve_entry(path, true);
    std::error_code failed;
    const bool folder = stdfs::is_directory(stdfs::symlink_status(real, failed));
    if (folder && !recursive) throw io_error("rm", real.string(), EISDIR);
    const auto removed =
        recursive ? stdfs::remove_all(real, failed) : static_cast<std::uintmax_t>(stdfs::remove(real, failed) ? 1 : 0);
    check(failed, "rm", real);
    if (removed == 0 && !force) throw io_error("rm", real.string(), ENOENT);
  });
}

Value rename_entry(Realm realm, const Shared& options, const Arguments& arguments) {
  return on_pool(realm, *options, [options, from = path_of(arguments[0]), to = path_of(arguments[1])] {
    const stdfs::path old_path = options->privileges.resolve_entry(from, true);
    const stdfs::path new_path = options->privileges.resolve_entry(to, true);
    std::error_code failed;
    stdfs::rename(old_path, new_path, failed);
    check(failed, "rename", old_path);
  });
}

Value copy_entry(Realm realm, const Shared& options, const Arguments& arguments) {
  return on_pool(realm, *options, [options, from = path_of(arguments[0]), to = path_of(arguments[1])] {
    const stdfs::path source = options->privileges.resolve(from, false);
    const stdfs::path target = options->privileges.resolve(to, true);
    std::error_code failed;
    stdfs::copy_file(source, target, stdfs::copy_options::overwrite_existing, failed);
    check(failed, "copyFile", source);
  });
}

Value real_of(Realm realm, const Shared& options, const Arguments& arguments) {
  return on_pool(
      realm, *options,
      [options, path = path_of(arguments[0])] {
        const stdfs::path real = options->privileges.resolve(path, false);
        if (!stdfs::exists(real)) throw io_error("realpath", real.string(), ENOENT);
        return real.string();
      },
      [](Realm in, const std::string& path) { return in.string(path); });
}

Value exists(Realm realm, const Shared& options, const Arguments& arguments) {
  return on_pool(
      realm, *options,
      [options, path = path_of(arguments[0])] {
        std::error_code failed;
        return stdfs::exists(options->privileges.resolve(path, false), failed);
      },
      [](Realm in, bool there) { return in.boolean(there); });
}

struct FsFunction {
  std::string_view name;
  int length;
  Value (*call)(Realm, const Shared&, const Arguments&);
};
constexpr FsFunction kFunctions[] = {
    {"readFile", 2, read_whole}, {"writeFile", 2, write_whole}, {"appendFile", 2, append}, {"readdir", 2, list_folder},
    {"stat", 1, stat_entry},     {"lstat", 1, stat_link},       {"mkdir", 2, make_folder}, {"rm", 2, remove_entry},
    {"rename", 2, rename_entry}, {"copyFile", 2, copy_entry},   {"realpath", 1, real_of},  {"exists", 1, exists},
};

std::vector<Value> functions_of(Realm realm, const Shared& options) {
  std::vector<Value> values;
  for (const FsFunction& function : kFunctions) {
    values.push_back(realm.closure(function.name, function.length,
                                   [options, call = function.call](Realm in, const Value&, Arguments arguments) {
                                     return call(in, options, arguments);
                                   }));
  }
  return values;
}

}  // namespace

runtime::NativeModule fs_module(FsOptions options) {
  runtime::NativeModule module;
  module.name = "alknet:fs";
  for (const FsFunction& function : kFunctions) module.exports.emplace_back(function.name);
  module.evaluate = [shared = std::make_shared<const FsOptions>(std::move(options))](Realm realm) {
    return functions_of(realm, shared);
  };
  return module;
}

Value make_fs(Realm realm, FsOptions options) {
  const auto functions = functions_of(realm, std::make_shared<const FsOptions>(std::move(options)));
  Value object = realm.object();
  for (std::size_t i = 0; i < functions.size(); ++i) object.set(kFunctions[i].name, functions[i]);
  return object;
}

}  // namespace alknet::platform
