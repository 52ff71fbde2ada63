#pragma once

#include <cstdint>
#include <string>

#include "alknet/schema/layout.h"
#include "alknet/schema/schema.h"

namespace CLI {
class App;
}

namespace alknet::app {

/// The largest instance or message that a command reads or writes at once: 1 GiB.
constexpr std::uint64_t kMaxInstanceBytes = std::uint64_t{1} << 30;

/// The schema in a file, "-" for standard input. Whatever is wrong with it is wrong usage: throws UsageError.
schema::Schema load_schema(const std::string& path);

/// Its layout, which must exist: throws UsageError. `schema` must outlive it.
schema::Layout load_layout(const schema::Schema& schema, const std::string& path, bool packed);

/// Adds `--packed`.
void add_packed_flag(CLI::App& command, bool& packed);

}  // namespace alknet::app
