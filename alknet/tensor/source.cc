#include "alknet/tensor/source.h"

#include <string_view>
#include <vector>

namespace alknet::tensor {

Task<TensorView> FileSource::arrived(const Entry& entry) { co_return file_.tensor(entry); }

void FileSource::prioritize(std::span<const std::string> names) {
  file_.prefetch(std::vector<std::string_view>(names.begin(), names.end()));
}

}  // namespace alknet::tensor
