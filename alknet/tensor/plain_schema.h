#pragma once

#include <string>

namespace alknet::tensor {

class Header;

/// Whether a file's entries agree with its schema, told from the text alone where both are plain: Structs of Structs
/// and flat Tensors in no other keywords than `properties`, `required`, `order`, `dtype` and `shape`, and an entry for
/// every Tensor. One pass, no document, no node: some hundred nanoseconds a Tensor, where parsing takes microseconds.
///
/// True promises that Schema::parse accepts the text, and that FileSchema::check has nothing to report. False says
/// nothing: parse the schema then, for what is wrong or not plain. Never throws but `std::bad_alloc`.
///
/// `text` must be UTF-8; it is overwritten.
bool agrees_plainly(std::string& text, const Header& header);

}  // namespace alknet::tensor
