#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>

#include "alknet/base/progress.h"
#include "alknet/tensor/export.h"
#include "alknet/tensor/export_numpy.h"
#include "alknet/tensor/file.h"
#include "alknet/tensor/import/import.h"
#include "apps/alknet/output.h"

namespace alknet::app {
namespace {

namespace fs = std::filesystem;
using tensor::File;

struct ConvertOptions {
  std::string input;
  std::string output;
  std::string to;      ///< A row of kTargets; by the extension of `output` when empty.
  std::string tensor;  ///< For .npy
  bool checksums = false;
  bool bits = false;
};

/// One row of the table of formats that can be written.
struct Target {
  std::string_view name;
  std::string_view extension;
  bool numpy;
};

constexpr std::array kTargets = {Target{"metatensor", ".mt", false}, Target{"safetensors", ".safetensors", false},
                                 Target{"npz", ".npz", true}, Target{"npy", ".npy", true}};

std::string target_names() {
  std::string names;
  for (const Target& target : kTargets) names += fmt::format("{}{}", names.empty() ? "" : ", ", target.name);
  return names;
}

const Target& target_of(const ConvertOptions& options) {
  const std::string extension = fs::path(options.output).extension().string();
  const auto found = options.to.empty() ? std::ranges::find(kTargets, extension, &Target::extension)
                                        : std::ranges::find(kTargets, options.to, &Target::name);
  if (found != kTargets.end()) return *found;
  throw UsageError(options.to.empty()
                       ? fmt::format("{}: the name tells no format: end it in .mt, .safetensors, .npz or .npy, or "
                                     "give --to {}",
                                     options.output, target_names())
                       : fmt::format("no format \"{}\": give --to one of {}", options.to, target_names()));
}

void check_flags(const ConvertOptions& options, const Target& target) {
  if (options.checksums && target.name != "metatensor") {
    throw UsageError(fmt::format("a {} file has no place for --checksums: leave it out, or write .mt", target.name));
  }
  if (options.bits && !target.numpy) throw UsageError("--bits is for .npz and .npy: leave it out");
  if (!options.tensor.empty() && target.name != "npy") throw UsageError("--tensor is for .npy: leave it out");
}

void write_file(const File& file, const ConvertOptions& options, const Target& target,
                const tensor::OnBytes& on_bytes) {
  if (target.name == "metatensor") return export_metatensor(file, options.output, options.checksums, on_bytes);
  if (target.name == "safetensors") return export_safetensors(file, options.output, on_bytes);
  if (target.name == "npz") return export_npz(file, options.output, {.bits = options.bits}, on_bytes);
  export_npy(file, options.tensor, options.output, {.bits = options.bits}, on_bytes);
}

/// A file that is removed at the end.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string path) : path_(std::move(path)) {}
  ~TemporaryFile() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// The bytes of what people count as tensors.
std::uint64_t data_bytes(const File& file) { return file.size() - file.data_offset(); }

void convert(const ConvertOptions& options, const Globals& globals) {
  const Target& target = target_of(options);
  check_flags(options, target);
  const tensor::Format& format = tensor::detect_format(options.input);
  const auto importer = format.open == nullptr ? nullptr : format.open(options.input);

  // NumPy's formats are written from a file whose every layout is known, so foreign ones pass through such a file.
  std::uint64_t total = 0;
  std::size_t tensors = 0;
  std::optional<File> file;
  if (importer) {
    total = tensor::planned_bytes(importer->plan()) * (target.numpy ? 2 : 1);
    tensors = importer->plan().entries.size();
  } else {
    file = File::open(options.input, {.access = tensor::Access::kRead});
    total = data_bytes(*file);
    for (const tensor::Entry& entry : file->entries()) tensors += file->is_reserved(entry) ? 0 : 1;
  }
  Progress progress("Converting", total, Unit::kBytes, !globals.quiet);
  const tensor::OnBytes on_bytes = [&](std::uint64_t bytes) { progress.advance(bytes); };
  if (file) {
    write_file(*file, options, target, on_bytes);
  } else if (target.numpy) {
    const TemporaryFile between(options.output + ".alknet-import");
    tensor::write_import(*importer, between.path(), {}, on_bytes);
    write_file(File::open(between.path(), {.access = tensor::Access::kRead}), options, target, on_bytes);
  } else {
    const bool plain = target.name == "safetensors";
    tensor::write_import(*importer, options.output, {.plain_safetensors = plain, .checksums = options.checksums},
                         on_bytes);
  }
  progress.finish();

  const std::uint64_t written = fs::file_size(options.output);
  const std::string_view from = importer ? importer->plan().format : file->is_metatensor() ? "metatensor" : format.name;
  if (globals.json) {
    return print_json(JsonObject{{"input", options.input},
                                 {"output", options.output},
                                 {"from", from},
                                 {"to", target.name},
                                 {"tensors", tensors},
                                 {"bytes", written}});
  }
  if (globals.quiet) return;
  print(fmt::format("{}: {} from {}, {} tensor{}, {}\n", options.output, target.name, from, tensors,
                    tensors == 1 ? "" : "s", bytes_text(written)));
}

}  // namespace

void add_tensor_convert(CLI::App& group, Globals& globals) {
  std::string known;
  for (const tensor::Format& format : tensor::formats())
    known += fmt::format("\n  {:12} {}", format.name, format.about);
  CLI::App* command = group.add_subcommand("convert", "Convert a tensor file, or import one of another format");
  const auto options = std::make_shared<ConvertOptions>();
  command->add_option("IN", options->input, "File, or folder of a sharded model")->required();
  command->add_option("OUT", options->output, "File to write; replaced when it exists")->required();
  command->add_option("--to", options->to, "Format of OUT: " + target_names());
  command->add_option("--tensor", options->tensor, "The tensor to write to a .npy file");
  command->add_flag("--checksums", options->checksums, "Store a checksum of every tensor (metatensor)");
  command->add_flag("--bits", options->bits, "Write BF16 and F8 as unsigned integers of their bits (npz, npy)");
  add_json_flag(*command, globals);
  set_examples(*command,
               "  alknet tensor convert model.gguf model.mt\n"
               "  alknet tensor convert --checksums folder-with-shards/ model.mt\n"
               "  alknet tensor convert data.mt data.npz\n"
               "\nFormats that it reads, told by content:" +
                   known + "\n");
  command->callback([options, &globals] { convert(*options, globals); });
}

}  // namespace alknet::app
