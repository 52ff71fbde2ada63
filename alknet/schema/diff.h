#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/schema/conversion.h"
#include "alknet/schema/schema.h"

namespace alknet::schema {

constexpr std::size_t kMaxChanges = 100'000;

enum class ChangeType : std::uint8_t {
  kAdded,       ///< A property, variant or entry that the old schema lacks.
  kRemoved,     ///< One that the new schema lacks.
  kRetyped,     ///< Another kind or dtype, or other names of an Enum.
  kReshaped,    ///< Another count of an Array, another shape or block of a Tensor.
  kReordered,   ///< The same fields, names or variants in another layout order.
  kAnnotation,  ///< Anything else: presence, default, `maxBytes`, `align`, limits on values, titles.
};

/// "added", "removed", "retyped", "reshaped", "reordered", "annotation changed".
std::string_view name(ChangeType type);

/// One difference between two schemas.
struct Change {
  ChangeType type = ChangeType::kAdded;
  Conversion conversion;
  std::string path;  ///< As path.h writes it; items of Arrays and Blobs as `[]`, a Record's values as `[]`; "" is the
                     ///< root. The fields of a struct tensor's records follow the entry: "people.name".
  std::string message;  ///< What changed: "Int16 became Int8".
  Json before, after;   ///< The same for programs; null where there is nothing.
};

/// How a schema's version moves: major when something needs a converter, minor when something is defaulted, patch when
/// all changes are compatible.
enum class VersionBump : std::uint8_t { kSame, kPatch, kMinor, kMajor };

/// "none", "patch", "minor", "major".
std::string_view name(VersionBump bump);

/// All differences of two schemas, in the order of the new one, removals last at each level.
struct Diff {
  std::vector<Change> changes;

  VersionBump bump() const;

  /// {"bump", "changes": [{"path", "change", "class", "checked", "message", "reason"?, "before", "after"}]}.
  Json json() const;
};

/// Compares what two schemas say of data, node by node; the rules for values are those of conversion.h. Further:
/// - added: defaultable with a `default` or when nullable, else it needs a converter;
/// - removed: needs a converter (Structs take no undeclared members; data are never dropped unasked), the one named
///   `drop`. A variant removed from a Union likewise; one added is compatible;
/// - required becoming nullable or defaulted is compatible, nullable becoming defaulted is defaultable, nullable
///   becoming required is checked;
/// - reordered fields, names and variants are compatible: data are read by name;
/// - Arrays of other counts, and Tensors of other shapes, are checked where the number of elements can be the same, as
///   they are read in row-major order; a dimension that becomes -1 is compatible;
/// - standard keywords (`minimum`, `pattern` ...): removed ones are compatible, added and changed ones checked; those
///   that a kind lowers to do not count; `title`, `description` and the like are compatible.
/// A schema without kinds is compared as text. Throws `schema_too_large` beyond kMaxChanges.
Diff diff(const Schema& before, const Schema& after);

}  // namespace alknet::schema
