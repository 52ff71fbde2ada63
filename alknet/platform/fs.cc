#include "alknet/platform/fs.h"

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/platform/fs_entry.h"
#include "alknet/runtime/convert.h"
#include "alknet/runtime/promise.h"

namespace alknet::platform {
namespace {

namespace stdfs = std::filesystem;
using runtime::Arguments;
using runtime::Realm;
using runtime::Value;

void set_type(Realm realm, const Value& object, stdfs::file_type type) {
  const std::pair<std::string_view, stdfs::file_type> kinds[] = {{"isFile", stdfs::file_type::regular},
                                                                 {"isDirectory", stdfs::file_type::directory},
                                                                 {"isSymbolicLink", stdfs::file_type::symlink}};
  for (const auto& [name, kind] : kinds) {
    const bool is = type == kind;
    object.define(name, realm.closure(name, 0, [is](Realm in, const Value&, Arguments) { return in.boolean(is); }));
  }
}

Value stats_value(Realm realm, const EntryFacts& facts) {
  Value object = realm.object();
  object.define("size", realm.number(static_cast<double>(facts.size)));
  object.define("mtimeMs", realm.number(facts.modified_ms));
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
  return on_pool(realm, options, std::move(work), [](Realm) { return Value(); });
}

/// What ends waits of work on the pool with the isolate.
std::stop_token stop_of(Realm realm) { return realm.isolate().stop_token(); }

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

constexpr FsPrivileges::Last kKeep = FsPrivileges::Last::kKeep;

Value read_whole(Realm realm, const Shared& options, const Arguments& arguments) {
  const bool text = wants_text(realm, arguments[1]);
  auto work = [options, path = path_of(arguments[0]), stop = stop_of(realm)] {
    return options->privileges.open(path, false).read(options->max_file_bytes, stop);
  };
  return on_pool(realm, *options, std::move(work), [text](Realm in, const std::string& content) {
    if (text) return in.string(content);
    return in.typed_array(runtime::TypedArray::kUint8, std::as_bytes(std::span(content)));
  });
}

Value write_whole(Realm realm, const Shared& options, const Arguments& arguments) {
  return on_pool(realm, *options,
                 [options, path = path_of(arguments[0]), content = content_of(arguments[1]), stop = stop_of(realm)] {
                   options->privileges.open(path, true).write(content.span(), stop);
                 });
}

Value append(Realm realm, const Shared& options, const Arguments& arguments) {
  return on_pool(realm, *options,
                 [options, path = path_of(arguments[0]), content = content_of(arguments[1]), stop = stop_of(realm)] {
                   options->privileges.open(path, true).append(content.span(), stop);
                 });
}

Value list_folder(Realm realm, const Shared& options, const Arguments& arguments) {
  const bool types = flag_of(arguments[1], "withFileTypes");
  auto work = [options, path = path_of(arguments[0])] { return options->privileges.open(path, false).list(); };
  return on_pool(realm, *options, std::move(work), [types](Realm in, const std::vector<EntryFacts>& entries) {
    std::vector<Value> items;
    for (const EntryFacts& facts : entries) {
      const Value name = in.string(facts.name);
      const Value item = types ? in.object() : name;
      if (types) {
        item.define("name", name);
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
      [options, path = path_of(arguments[0])] { return options->privileges.open(path, false).facts(false); },
      stats_value);
}

Value stat_link(Realm realm, const Shared& options, const Arguments& arguments) {
  return on_pool(
      realm, *options,
      [options, path = path_of(arguments[0])] { return options->privileges.open(path, false, kKeep).facts(true); },
      stats_value);
}

Value make_folder(Realm realm, const Shared& options, const Arguments& arguments) {
  const bool recursive = flag_of(arguments[1], "recursive");
  return on_pool(realm, *options, [options, path = path_of(arguments[0]), recursive] {
    options->privileges.open(path, true, FsPrivileges::Last::kFollow, recursive).make_folder(recursive);
  });
}

Value remove_entry(Realm realm, const Shared& options, const Arguments& arguments) {
  const bool recursive = flag_of(arguments[1], "recursive");
  const bool force = flag_of(arguments[1], "force");
  return on_pool(realm, *options, [options, path = path_of(arguments[0]), recursive, force] {
    options->privileges.open(path, true, kKeep).remove(recursive, force);
  });
}

Value rename_entry(Realm realm, const Shared& options, const Arguments& arguments) {
  return on_pool(realm, *options, [options, from = path_of(arguments[0]), to = path_of(arguments[1])] {
    const FsEntry old_entry = options->privileges.open(from, true, kKeep);
    old_entry.rename_to(options->privileges.open(to, true, kKeep));
  });
}

Value copy_entry(Realm realm, const Shared& options, const Arguments& arguments) {
  return on_pool(realm, *options,
                 [options, from = path_of(arguments[0]), to = path_of(arguments[1]), stop = stop_of(realm)] {
                   const FsEntry source = options->privileges.open(from, false);
                   source.copy_to(options->privileges.open(to, true), stop);
                 });
}

Value real_of(Realm realm, const Shared& options, const Arguments& arguments) {
  return on_pool(
      realm, *options,
      [options, path = path_of(arguments[0])] {
        const stdfs::path real = options->privileges.resolve(path, false);
        if (!FsEntry::at_real(real).exists()) throw io_error("realpath", real.string(), ENOENT);
        return real.string();
      },
      [](Realm in, const std::string& path) { return in.string(path); });
}

Value exists(Realm realm, const Shared& options, const Arguments& arguments) {
  return on_pool(
      realm, *options,
      [options, path = path_of(arguments[0])] {
        try {
          return options->privileges.open(path, false).exists();
        } catch (const Error& error) {
          if (error.code() != BaseError::kIoError) throw;
          return false;  // a folder on the way is missing, or is none
        }
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
  for (std::size_t i = 0; i < functions.size(); ++i) object.define(kFunctions[i].name, functions[i]);
  return object;
}

}  // namespace alknet::platform
