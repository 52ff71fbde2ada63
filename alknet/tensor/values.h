#pragma once

#include <string_view>

#include "alknet/base/function_ref.h"
#include "alknet/base/json.h"
#include "alknet/base/shared_bytes.h"
#include "alknet/tensor/selection.h"

namespace alknet::tensor {

/// Receives text piece by piece.
using TextSink = FunctionRef<void(std::string_view)>;

/// Writes what a selection holds as JSON text, piece by piece, so that no tensor is too large: a number (elements.h),
/// a record's object, a blob's string or JSON, or nested arrays of these. Throws the errors of values that are not
/// valid (`bad_boolean`, `bad_utf8`, `blob_out_of_range`, ...), `bad_path` for a field that records lack,
/// `size_overflow` for a shape without items that would print as over a million empty arrays; `null` is an absent
/// field.
void write_json(const File& file, const Selection& selection, TextSink sink);

/// The same as a value, for what is small.
Json value_json(const File& file, const Selection& selection);

/// The bytes that a selection covers: elements and records as stored, one blob's content, a field's bytes (of a String
/// or Bytes field its content). Throws `partial_byte` when sub-byte elements start or end inside a byte, `bad_path` for
/// several blobs.
SharedBytes raw_bytes(const File& file, const Selection& selection);

}  // namespace alknet::tensor
