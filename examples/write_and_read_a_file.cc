// Writes a metatensor file with two tensors and reads it back without copying. Other tools open it as safetensors.
//
//   example_write_and_read_a_file [FILE]

#include <cstdio>
#include <string>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/tensor/file.h"
#include "alknet/tensor/writer.h"

using namespace alknet;

int main(int argc, char** argv) {
  const std::string path = argc > 1 ? argv[1] : "example.mt";
  try {
    tensor::WriterOptions options;
    options.metadata = {{"made_by", "an example"}};
    tensor::Writer writer(path, options);
    const auto weight = writer.declare({.name = "linear.weight", .dtype = schema::FileDtype::kF32, .shape = {2, 3}});
    const auto losses = writer.declare_growing({.name = "losses", .dtype = schema::FileDtype::kF64, .shape = {}});
    writer.start();
    const std::vector<float> values = {1, 2, 3, 4, 5, 6};
    writer.write(weight, std::span(values));
    for (const double loss : {0.9, 0.5, 0.3}) writer.append(losses, std::as_bytes(std::span(&loss, 1)));
    writer.close();  // only now does the file appear, whole

    const auto file = tensor::File::open(path);
    for (const auto& entry : file.entries()) {
      if (file.is_reserved(entry)) continue;
      std::printf("%-14.*s %zu bytes at %zu\n", static_cast<int>(entry.name.size()), entry.name.data(),
                  static_cast<std::size_t>(entry.bytes()), static_cast<std::size_t>(entry.begin));
    }
    const auto view = file.tensor("linear.weight");
    for (const float value : view.as<float>()) std::printf("%g ", static_cast<double>(value));
    std::printf("\n");
    if (argc <= 1) std::remove(path.c_str());
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "example_write_and_read_a_file: %s\n", error.what());
    return 1;
  }
}
