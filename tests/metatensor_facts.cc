// The tables of the file format as JSON, for the generated parts of docs/metatensor.md (metatensor_document.py).
#include <cstdio>

#include "alknet/base/json.h"
#include "alknet/schema/file_dtype.h"
#include "alknet/schema/file_schema.h"
#include "alknet/schema/kind.h"
#include "alknet/schema/schema.h"
#include "alknet/tensor/limits.h"

int main() {
  using namespace alknet;
  JsonArray kinds, dtypes;
  for (const auto& row : schema::kinds()) {
    if (row.kind == schema::Kind::kNone) continue;
    kinds.push_back(JsonObject{{"name", row.name},
                               {"size", row.size},
                               {"align", row.align},
                               {"options", row.options},
                               {"expects", row.expects}});
  }
  for (const auto& row : schema::file_dtypes()) {
    dtypes.push_back(JsonObject{{"name", row.name}, {"bits", row.bits}, {"align", row.align()}});
  }
  const JsonObject limits{
      {"header_min", tensor::kMinHeaderBytes},        {"header_max", tensor::kMaxHeaderBytes},
      {"json_depth", tensor::kMaxJsonDepth},          {"entries", tensor::kMaxEntries},
      {"name_bytes", tensor::kMaxNameBytes},          {"rank", tensor::kMaxRank},
      {"region_alignment", tensor::kRegionAlignment}, {"schema_bytes", schema::kMaxSchemaText},
      {"schema_depth", schema::kMaxSchemaDepth},      {"schema_entries", schema::kMaxFileEntries},
      {"pattern_bytes", schema::kMaxPatternText},     {"pattern_memory", schema::kMaxPatternMemory}};
  std::puts(json_text(JsonObject{{"kinds", kinds}, {"dtypes", dtypes}, {"limits", limits}}).c_str());
}
