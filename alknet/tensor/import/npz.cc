#include "alknet/tensor/import/npz.h"

#include <unordered_set>
#include <utility>

#include "alknet/tensor/fault.h"
#include "alknet/tensor/import/npy.h"
#include "alknet/tensor/import/zip_archive.h"

namespace alknet::tensor {
namespace {

constexpr std::string_view kMemberSuffix = ".npy";

class NpzImporter : public Importer {
 public:
  explicit NpzImporter(ByteSource source) : source_(std::move(source)), archive_(source_) {
    plan_.format = "npz";
    std::unordered_set<std::string_view> names;
    for (std::size_t i = 0; i < archive_.members().size(); ++i) {
      const std::string& name = archive_.members()[i].name;
      if (!name.ends_with(kMemberSuffix)) {
        throw file_error(TensorError::kImportUnsupported, {source_.path(), name}, "a member that is no .npy file",
                         "take it out of the archive");
      }
      if (!names.insert(name).second) {
        throw file_error(TensorError::kDuplicateKey, {source_.path(), name}, "two members have this name",
                         "rename one of them");
      }
      const auto stream = archive_.open(i);
      arrays_.emplace_back(*stream);
      plan_.entries.push_back(arrays_.back().entry(name.substr(0, name.size() - kMemberSuffix.size())));
    }
  }

  void stream(std::size_t entry, EntrySink& sink) const override {
    const auto member = archive_.open(entry);
    arrays_[entry].stream_whole(*member, sink);
  }

 private:
  ByteSource source_;
  ZipArchive archive_;
  std::vector<NpyArray> arrays_;
};

}  // namespace

std::unique_ptr<Importer> open_npz(ByteSource source) { return std::make_unique<NpzImporter>(std::move(source)); }

}  // namespace alknet::tensor
