#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "alknet/schema/blob_range.h"
#include "alknet/schema/conversion.h"
#include "alknet/schema/converters.h"
#include "alknet/schema/layout.h"

namespace alknet::schema {

/// What the caller says about single fields. Paths are those of diff.h.
struct ConverterOptions {
  bool saturate = false;                           ///< As NumberConversion has it.
  std::map<std::string, ConvertValue> converters;  ///< By path; they take precedence over what is done unasked.
  std::set<std::string> drops;                     ///< Paths whose data may be left out.
};

/// Something that cannot be converted, or an option that names nothing.
struct Refusal {
  std::string path;
  std::string message;
};

/// What plans share: the options, what they used of them, and what they cannot do.
struct ConversionPlan {
  ConverterOptions options;
  std::set<std::string> used;  ///< Paths of the options that meant something.
  std::vector<Refusal> refusals;

  /// The converter for that path, or null.
  const ConvertValue* converter(const std::string& path);

  /// Whether data at that path may be left out; if not, a refusal is added.
  void require_drop(const std::string& path, std::string_view what);

  /// Adds a refusal for each option that was not used.
  void refuse_unused();
};

/// Turns aligned records (or values) of one node into those of another, as conversion.h and diff.h have it: fields by
/// name, Enums by name, absent fields to their defaults. What is the same in both is copied, numbers are converted
/// natively, all else goes through JSON. Immutable; used by one thread at a time.
class RecordConverter {
 public:
  /// Adds what cannot be done to `plan`; the converter is usable when nothing was added. `path` is that of the record.
  /// The nodes' Schemas must outlive it. Throws `schema_invalid` for nodes whose values are no bytes.
  RecordConverter(const Node& from, const Node& to, const std::string& path, ConversionPlan& plan);
  ~RecordConverter();
  RecordConverter(RecordConverter&&) noexcept;
  RecordConverter& operator=(RecordConverter&&) noexcept;

  const Layout& from() const { return from_; }
  const Layout& to() const { return to_; }

  /// Whether records stay as they are, byte for byte; none has Blobs then.
  bool is_copy() const { return is_copy_; }

  /// Whether the new schema limits values (`minimum` ...) as the old one did not.
  bool adds_limits() const { return adds_limits_; }

  /// Converts one record into `to`, which is zeros. Throws `instance_invalid` and other codes of encode and decode; the
  /// message and `field` in details name the field.
  void convert(std::span<const std::byte> from, std::span<std::byte> to, const BlobReader& read,
               const BlobWriter& write) const;

  class Step;

 private:
  Layout from_;
  Layout to_;
  bool is_copy_ = false;
  bool adds_limits_ = false;
  std::unique_ptr<const Step> step_;
};

}  // namespace alknet::schema
