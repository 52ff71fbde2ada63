// Writes a small metatensor with records, text and a tensor, and reads it back. docs/metatensor.md takes the file
// apart.
//
//   example_records_and_text [FILE]

#include <array>
#include <cstdio>
#include <string>
#include <string_view>

#include "alknet/base/error.h"
#include "alknet/tensor/blobs.h"
#include "alknet/tensor/file.h"
#include "alknet/tensor/records.h"
#include "alknet/tensor/writer.h"

using namespace alknet;

constexpr std::string_view kSchema = R"({
  "TypeDef:Struct": {"order": ["people", "scale", "words"]}, "required": ["people", "scale", "words"],
  "properties": {
    "people": {"TypeDef:Tensor": {"shape": [-1], "dtype": {
      "TypeDef:Struct": {"order": ["id", "ok"]}, "required": ["id", "ok"],
      "properties": {"id": {"TypeDef:Uint16": true}, "ok": {"TypeDef:Boolean": true}}}}},
    "scale": {"TypeDef:Tensor": {"dtype": "F32", "shape": [1]}},
    "words": {"TypeDef:Tensor": {"shape": [-1], "dtype": {"TypeDef:Blob": {"item": {"TypeDef:String": true}}}}}}})";

void write(const std::string& path) {
  tensor::Writer writer(path, {.schema = schema::Schema::parse(kSchema), .checksums = true});
  const auto people = writer.declare({.name = "people", .dtype = schema::FileDtype::kU8, .shape = {2, 4}});
  const auto scale = writer.declare({.name = "scale", .dtype = schema::FileDtype::kF32, .shape = {1}});
  const auto words = writer.declare_blobs("words");
  writer.start();
  const std::array<std::uint8_t, 8> records = {7, 0, 1, 0, /* id 7, ok */ 0, 1, 0, 0 /* id 256, not ok */};
  const std::array numbers = {0.5f};
  writer.write(people, std::span(records));
  writer.write(scale, std::span(numbers));
  for (const std::string_view word : {"hi", "", "abc"}) writer.append_blob(words, word);
  writer.close();
}

int main(int argc, char** argv) {
  const std::string path = argc > 1 ? argv[1] : "records_and_text.mt";
  try {
    write(path);
    const auto file = tensor::File::open(path);
    const auto people = file.records("people");
    const auto id = people.field("id");
    for (std::uint64_t i = 0; i < people.count(); ++i) std::printf("person %d\n", *people.get<std::uint16_t>(i, id));
    const auto words = file.blobs("words");
    for (std::uint64_t i = 0; i < words.count(); ++i) {
      std::printf("word \"%.*s\"\n", static_cast<int>(words.text(i).size()), words.text(i).data());
    }
    if (argc <= 1) std::remove(path.c_str());
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "example_records_and_text: %s\n", error.what());
    return 1;
  }
}
