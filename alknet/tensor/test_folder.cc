#include "alknet/tensor/test_folder.h"

#include <stdlib.h>

#include <algorithm>
#include <system_error>

namespace alknet::tensor {

TestFolder::TestFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "alknet-tensor-XXXXXX").string();
  folder_ = mkdtemp(pattern.data());
}

TestFolder::~TestFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::vector<std::string> TestFolder::names() const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

}  // namespace alknet::tensor
