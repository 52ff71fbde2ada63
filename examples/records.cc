// Writes a dataset of records with text, and reads single columns of it back without copying.
//
//   example_records [FILE]

#include <cstdio>
#include <numeric>
#include <string>

#include "alknet/base/error.h"
#include "alknet/base/json.h"
#include "alknet/tensor/file.h"
#include "alknet/tensor/record_writer.h"
#include "alknet/tensor/records.h"

using namespace alknet;

// `title` may be of any length: it lies in the entry's store. `rating` may be absent.
constexpr const char* kSchema = R"({
  "TypeDef:Struct": {"order": ["films"]}, "required": ["films"],
  "properties": {"films": {"TypeDef:Tensor": {"shape": [-1], "dtype": {
    "TypeDef:Struct": {"order": ["title", "year", "genre", "rating"]}, "required": ["title", "year", "genre"],
    "properties": {
      "title": {"TypeDef:Blob": {"item": "String"}},
      "year": {"TypeDef:Int16": true},
      "genre": {"TypeDef:Enum": true, "enum": ["drama", "comedy", "science fiction"]},
      "rating": {"TypeDef:Float32": true}}}}}}
})";

int main(int argc, char** argv) {
  const std::string path = argc > 1 ? argv[1] : "example_records.mt";
  try {
    tensor::Writer writer(path, {.schema = schema::Schema::parse(kSchema)});
    tensor::RecordWriter films(writer, "films");
    writer.start();
    films.append(parse_json(R"({"title": "Metropolis", "year": 1927, "genre": "science fiction", "rating": 8.3})"));
    films.append(parse_json(R"({"title": "City Lights", "year": 1931, "genre": "comedy"})"));
    films.append(parse_json(R"({"title": "Ran", "year": 1985, "genre": "drama", "rating": 8.2})"));
    writer.close();

    const auto records = tensor::File::open(path).records("films");
    const auto years = records.column<std::int16_t>("year");
    const auto ratings = records.column<float>("rating");
    const auto titles = records.text_column("title");
    for (std::uint64_t i = 0; i < records.count(); ++i) {
      const auto title = titles[i];  // a view of the mapped file
      std::printf("%d  %-12.*s", years[i], static_cast<int>(title.size()), title.data());
      if (const auto rating = ratings.get(i)) std::printf("  %.1f", static_cast<double>(*rating));
      std::printf("\n");
    }
    const int sum = std::accumulate(years.begin(), years.end(), 0);
    std::printf("mean year %.1f, %llu without rating\n", sum / static_cast<double>(years.count()),
                static_cast<unsigned long long>(ratings.null_count()));
    for (const auto record : records.slice(1, 3)) std::printf("%s\n", json_text(record.json()).c_str());
    if (argc <= 1) std::remove(path.c_str());
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "example_records: %s\n", error.what());
    return 1;
  }
}
