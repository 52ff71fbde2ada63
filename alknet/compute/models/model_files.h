#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace alknet::compute {

/// The files of a model beside its tensors: configuration and tokenizer, as Hugging Face lays them out.
struct ModelFiles {
  std::string place;                                      ///< The folder, or whose model it is: for messages.
  std::map<std::string, std::string, std::less<>> texts;  ///< By name in the folder: "1_Pooling/config.json".

  /// What of kModelFileNames a folder has. Throws `io_error`, and `invalid_argument` for a file beyond the limit.
  static ModelFiles of_folder(const std::filesystem::path& folder);
};

/// A file that models may have, and how long it may be.
struct ModelFileName {
  std::string_view name;
  std::size_t max_bytes;
};

/// The files that a model of this engine is made of beside its tensors.
inline constexpr ModelFileName kModelFileNames[] = {
    {"config.json", std::size_t{1} << 20},
    {"sentence_bert_config.json", std::size_t{1} << 20},
    {"1_Pooling/config.json", std::size_t{1} << 20},
    {"tokenizer.json", std::size_t{256} << 20},
};

}  // namespace alknet::compute
