#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace alknet::tensor {

/// A folder of its own for one test, removed at the end.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  std::string path(std::string_view name) const { return (folder_ / name).string(); }
  std::string path() const { return folder_.string(); }

  /// Names of all files in the folder, hidden ones included, sorted.
  std::vector<std::string> names() const;

 private:
  std::filesystem::path folder_;
};

}  // namespace alknet::tensor
