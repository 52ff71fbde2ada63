#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "alknet/schema/file_dtype.h"
#include "alknet/schema/node.h"

namespace alknet::schema {

/// What a change asks of data that exist.
enum class ChangeClass : std::uint8_t {
  kCompatible,      ///< Every old instance is one of the new schema too, with the same meaning.
  kDefaultable,     ///< What is missing in old data has a default, or may be absent.
  kNeedsConverter,  ///< Neither.
};

/// "compatible", "defaultable", "needs converter".
std::string_view name(ChangeClass change_class);

/// What it takes to turn values of one node into values of another.
struct Conversion {
  ChangeClass change_class = ChangeClass::kCompatible;
  /// Needs a converter, but not a named one: migrate converts value by value and refuses those that do not fit.
  bool checked = false;
  std::string reason = {};  ///< Why it is not compatible, as a sentence's end: "320 is beyond Int8 ..."
};

/// The rules for two nodes of different kinds, or of one kind without parts. The parts of Structs and Arrays are not
/// looked at.
///
/// Numbers: compatible when the new kind has every value of the old one exactly, else checked. Texts: compatible when
/// the new one takes every old text (a Blob, a larger reservation; Enum and Timestamp are texts), else checked.
/// Anything may become the item Json, and Json is checked when it becomes anything. A counted Array is a ragged one;
/// the other way is checked. All else needs a named converter.
Conversion conversion(const Node& from, const Node& to);

/// The same for the elements of flat tensors. BOOL, and complex to real, need a named converter.
Conversion conversion(FileDtype from, FileDtype to);

/// Whether both are integers or floats, which NumberConversion converts.
bool are_numbers(Kind from, Kind to);

}  // namespace alknet::schema
