#pragma once

#include <utility>

#include "alknet/runtime/native.h"
#include "alknet/runtime/web/image_decoder.h"

namespace alknet::runtime::web {

/// The C++ side of an ImageBitmap: `native_cast<ImageBitmap>(value)`. What uploads it to a GPU reads the pixels here.
class ImageBitmap final : public NativeObject {
 public:
  ImageBitmap(Image image, bool premultiplied) : image_(std::move(image)), premultiplied_(premultiplied) {}

  /// Empty after `close`.
  const Image& image() const { return image_; }
  /// Whether the colours were multiplied by alpha, as createImageBitmap was asked to.
  bool premultiplied() const { return premultiplied_; }
  void close() { image_ = {}; }

 private:
  Image image_;
  bool premultiplied_;
};

}  // namespace alknet::runtime::web
