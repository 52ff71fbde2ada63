#include "alknet/tensor/plain_schema.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "alknet/schema/file_dtype.h"
#include "alknet/schema/schema.h"
#include "alknet/tensor/header.h"
#include "alknet/tensor/json_cursor.h"
#include "alknet/tensor/limits.h"

namespace alknet::tensor {
namespace {

// Well inside the limits of the schema layer, so that these need not be counted as it does.
constexpr std::size_t kMaxPlainEntries = 500'000;
constexpr std::size_t kMaxPlainStructs = 100'000;
constexpr std::size_t kMaxPlainDepth = 16;
constexpr std::uint64_t kMaxPlainDimension = std::uint64_t{1} << 62;
constexpr const char* kNotPlain = "not plain";

using Names = std::vector<std::string_view>;

/// Whether no name is there twice, and each is among `all`, which are distinct. Mostly both are in one order already.
bool are_among(Names some, Names all) {
  std::size_t known = 0;
  for (const auto name : all) {
    if (known < some.size() && name == some[known]) ++known;
  }
  if (known == some.size()) return true;
  std::ranges::sort(some);
  std::ranges::sort(all);
  return std::ranges::adjacent_find(some) == some.end() && std::ranges::includes(all, some);
}

/// Reads the text; throws CursorFault at the first thing that is not plain or does not agree.
class PlainReader {
 public:
  PlainReader(std::string& text, const Header& header)
      : header_(header), cursor_(text.data(), text.data() + text.size()), found_(header.entries().size(), false) {}

  void run() {
    require(found_.size() <= kMaxPlainEntries);
    structure(0);
    require(cursor_.peek() == '\0' && cursor_.at_end());
    for (std::size_t i = 0; i < found_.size(); ++i) {
      require(found_[i] || header_.entries()[i].name.starts_with(kPadPrefix));
    }
  }

 private:
  void require(bool plain) const {
    if (!plain) throw CursorFault{cursor_.offset(), kNotPlain};
  }

  std::string_view key() {
    const auto name = cursor_.string(kNotPlain);
    cursor_.expect(':', kNotPlain);
    return name;
  }

  /// Marks a member of an object as seen; each may be there once.
  void once(unsigned& seen, unsigned member) const {
    require((seen & member) == 0);
    seen |= member;
  }

  Names names() {
    Names list;
    cursor_.expect('[', kNotPlain);
    if (cursor_.accept(']')) return list;
    do {
      list.push_back(cursor_.string(kNotPlain));
    } while (cursor_.accept(','));
    cursor_.expect(']', kNotPlain);
    return list;
  }

  /// A property is a Tensor or a Struct, which its first member tells.
  void node(std::size_t depth, bool& has_structs) {
    cursor_.expect('{', kNotPlain);
    const auto first = key();
    if (first == "TypeDef:Tensor") {
      tensor();
      cursor_.expect('}', kNotPlain);
    } else {
      has_structs = true;
      require(depth < kMaxPlainDepth && ++structs_ <= kMaxPlainStructs);
      structure_from(first, depth);
    }
  }

  void structure(std::size_t depth) {
    cursor_.expect('{', kNotPlain);
    structure_from(key(), depth);
  }

  // Recursion is bounded by kMaxPlainDepth.
  void structure_from(std::string_view member, std::size_t depth) {
    enum : unsigned { kKind = 1, kProperties = 2, kRequired = 4, kOrder = 8 };
    unsigned seen = 0;
    Names properties, required, order;
    while (true) {
      if (member == "TypeDef:Struct") {
        once(seen, kKind);
        if (cursor_.peek() == '{') {
          cursor_.accept('{');
          require(key() == "order");
          order = names();
          once(seen, kOrder);
          cursor_.expect('}', kNotPlain);
        } else {
          require(cursor_.peek() == 't');
          cursor_.skip_value(0);
        }
      } else if (member == "properties") {
        once(seen, kProperties);
        properties = read_properties(depth);
      } else {
        require(member == "required");
        once(seen, kRequired);
        required = names();
      }
      if (!cursor_.accept(',')) break;
      member = key();
    }
    cursor_.expect('}', kNotPlain);
    require((seen & kKind) != 0 && (seen & kProperties) != 0);
    require(are_among(std::move(required), properties));
    if ((seen & kOrder) != 0) require(order.size() == properties.size() && are_among(std::move(order), properties));
  }

  Names read_properties(std::size_t depth) {
    Names names;
    bool has_structs = false;
    const std::size_t prefix = prefix_.size();
    cursor_.expect('{', kNotPlain);
    do {
      const auto name = key();
      require(!name.empty());
      names.push_back(name);
      prefix_.resize(prefix);
      prefix_ += name;
      const std::size_t length = prefix_.size();
      prefix_ += '.';
      tensor_name_ = std::string_view(prefix_).substr(0, length);
      node(depth + 1, has_structs);
    } while (cursor_.accept(','));
    cursor_.expect('}', kNotPlain);
    prefix_.resize(prefix);
    // Tensors of one name would have one entry, which is found once.
    if (has_structs) {
      auto sorted = names;
      std::ranges::sort(sorted);
      require(std::ranges::adjacent_find(sorted) == sorted.end());
    }
    return names;
  }

  /// The object of a Tensor, beside the entry that has its name.
  void tensor() {
    enum : unsigned { kDtype = 1, kShape = 2 };
    const Entry* entry = header_.find(tensor_name_);
    require(entry != nullptr);
    const auto rank = static_cast<std::size_t>(entry - header_.entries().data());
    require(!found_[rank]);
    found_[rank] = true;
    unsigned seen = 0;
    cursor_.expect('{', kNotPlain);
    do {
      const auto member = key();
      if (member == "dtype") {
        once(seen, kDtype);
        require(cursor_.string(kNotPlain) == schema::name(entry->dtype));
      } else {
        require(member == "shape");
        once(seen, kShape);
        shape(entry->shape);
      }
    } while (cursor_.accept(','));
    cursor_.expect('}', kNotPlain);
    require(seen == (kDtype | kShape));
  }

  void shape(std::span<const std::int64_t> found) {
    cursor_.expect('[', kNotPlain);
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (i > 0) cursor_.expect(',', kNotPlain);
      if (i == 0 && cursor_.accept('-')) {  // -1: any count
        const auto digit = cursor_.offset();
        require(cursor_.unsigned_integer(kNotPlain) == 1 && cursor_.offset() == digit + 1);
        continue;
      }
      const auto dimension = cursor_.unsigned_integer(kNotPlain);
      require(dimension && *dimension <= kMaxPlainDimension && *dimension == static_cast<std::uint64_t>(found[i]));
    }
    cursor_.expect(']', kNotPlain);
  }

  const Header& header_;
  JsonCursor cursor_;
  std::vector<bool> found_;  // by rank of the entry
  std::string prefix_;       // names of the open Structs and of the property being read, each with its '.'
  std::string_view tensor_name_;
  std::size_t structs_ = 0;
};

}  // namespace

bool agrees_plainly(std::string& text, const Header& header) {
  if (text.size() > schema::kMaxSchemaText) return false;
  try {
    PlainReader(text, header).run();
    return true;
  } catch (const CursorFault&) {
    return false;
  }
}

}  // namespace alknet::tensor
