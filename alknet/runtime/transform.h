#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "alknet/runtime/bundle.h"

namespace alknet::runtime {

class Isolate;

/// Whether a file with this name must become JavaScript first: .ts, .tsx, .jsx, .mts.
bool needs_transform(std::string_view path);

/// Turns TypeScript and TSX into JavaScript: types are taken away, elements become calls of `@alknet/ujsx/jsx-runtime`
/// (or of what a comment `@jsxImportSource` at the top of the file names). Every line stays where it was.
///
/// With `places`, elements of `@alknet/ujsx` are made by `jsx-dev-runtime` and know the file and line of their tags.
///
/// The work is done by sucrase in an isolate of its own, made when it is first needed and kept. Any thread; one at a
/// time.
class Transformer {
 public:
  /// `bundles` hold the module "alknet:transform".
  explicit Transformer(Bundles bundles, bool places = false);
  ~Transformer();

  /// JavaScript of a file. Throws `module_invalid` "FILE:LINE:COLUMN: what" with the line in question.
  std::string transform(const std::string& path, std::string_view source);

  /// The source map of what `transform` gives, as JSON.
  std::string source_map(const std::string& path, std::string_view source);

  /// What all of that has taken so far, with making the isolate.
  std::chrono::nanoseconds time_spent();

 private:
  struct Engine;
  std::string call(std::string_view function, const std::string& path, std::string_view source);

  Bundles bundles_;
  bool places_;
  std::mutex mutex_;
  std::unique_ptr<Engine> engine_;
  std::chrono::nanoseconds spent_{};
};

}  // namespace alknet::runtime
